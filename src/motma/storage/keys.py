"""The secrets file: the key that signs codes, the key that seals personal parts, the key that hashes for look-up.

One JSON file that only its owner can read, made once and for ever: without it no code can be issued, no personal part
read, nobody found again. Keep a copy apart from the copies of the database.
"""

import base64
import hashlib
import os
import stat
from pathlib import Path
from typing import Any, Literal

import msgspec
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from motma.core.code import key_id
from motma.core.cose import SigningKey
from motma.core.errors import Unavailable
from motma.core.words import Words

FILE_NAME = "secrets.json"
_KEY_BYTES = 32


class Secrets(msgspec.Struct, frozen=True):
    """``signing_pem`` is a P-256 private key (PKCS #8, PEM); the other two are 32 random bytes each."""

    signing_pem: str
    seal_key: bytes
    index_key: bytes

    def __repr__(self) -> str:
        return "Secrets(•••)"

    __str__ = __repr__

    def __rich_repr__(self) -> list[tuple[str, Any]]:  # msgspec's own would tell
        return [("keys", "•••")]

    def index(self, kind: str, value: str) -> bytes:
        """The 32 bytes under which ``value`` is found again. Two kinds never meet.

        Keyed BLAKE2b (RFC 7693), since a bare hash of a twelve-digit number is undone in minutes; a tenth of the time
        of HMAC-SHA256, and every request asks for several.
        """
        return hashlib.blake2b(f"{kind}\x00{value}".encode(), key=self.index_key, digest_size=32).digest()

    def signing_key(self) -> SigningKey:
        """The key new codes are signed with, ready for use. Parses the PEM each time: keep the answer."""
        private = serialization.load_pem_private_key(self.signing_pem.encode(), password=None)
        if not isinstance(private, ec.EllipticCurvePrivateKey) or not isinstance(private.curve, ec.SECP256R1):
            raise ValueError("not a P-256 key")
        return SigningKey(private, key_id(private.public_key()))


class _File(msgspec.Struct, forbid_unknown_fields=True):
    """What the file holds. Bytes are base64 there."""

    version: Literal[1]
    signing_pem: str
    seal_key: bytes
    index_key: bytes


def load_or_create(folder: Path) -> tuple[Secrets, bool]:
    """Read ``folder/secrets.json``, or make it (and the folder); True if it was made now.

    Processes that start together agree on one file. Raises :class:`Unavailable`, permanent: ``secrets.exposed`` (the
    file can be read, or the folder written, by somebody else), ``secrets.damaged``, ``secrets.unreachable``.
    """
    path = folder / FILE_NAME
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if folder.stat().st_mode & (stat.S_IWGRP | stat.S_IWOTH):
            raise _exposed(folder, "chmod go-w")
        if path.exists():
            return _load(path), False
        created = _create(path)
        return _load(path), created
    except OSError as error:
        raise Unavailable(
            "secrets.unreachable",
            Words(
                f"Không đọc hoặc ghi được {path}: {error.strerror}.",
                f"Cannot read or write {path}: {error.strerror}.",
            ),
            permanent=True,
        ) from error


def _load(path: Path) -> Secrets:
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    with open(descriptor, "rb") as file:  # noqa: PTH123 - what is checked is what is read
        if os.fstat(file.fileno()).st_mode & 0o077:
            raise _exposed(path, "chmod 600")
        raw = file.read()
    try:
        held = msgspec.json.decode(raw, type=_File)
        if len(held.seal_key) != _KEY_BYTES or len(held.index_key) != _KEY_BYTES:
            raise ValueError
        secrets = Secrets(held.signing_pem, held.seal_key, held.index_key)
        secrets.signing_key()
    except (ValueError, TypeError, msgspec.MsgspecError):
        raise Unavailable(
            "secrets.damaged",
            Words(
                f"{path} bị hỏng. Lấy lại từ bản sao lưu; đừng tạo mới, dữ liệu cũ sẽ không đọc được.",
                f"{path} is damaged. Restore it from a copy; a new one could not read what is stored.",
            ),
            permanent=True,
        ) from None
    return secrets


def _create(path: Path) -> bool:
    """Put a new file in place, whole or not at all. False if another process was quicker."""
    private = ec.generate_private_key(ec.SECP256R1())
    pem = private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    content = msgspec.json.format(
        msgspec.json.encode(_File(1, pem.decode(), os.urandom(_KEY_BYTES), os.urandom(_KEY_BYTES)))
    )
    draft = path.with_name(f".{FILE_NAME}.{base64.b32encode(os.urandom(10)).decode().lower()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with open(descriptor, "wb") as file:  # noqa: PTH123 - opened above, with its mode
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(draft, path)  # unlike a rename, it never takes the place of a file
        except FileExistsError:
            return False
    finally:
        draft.unlink()
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
    return True


def _exposed(path: Path, cure: str) -> Unavailable:
    return Unavailable(
        "secrets.exposed",
        Words(
            f"Người khác trên máy này đụng được vào {path}. Chạy: {cure} {path}",
            f"Others on this machine can get at {path}. Run: {cure} {path}",
        ),
        permanent=True,
    )
