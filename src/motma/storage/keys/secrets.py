"""The secrets file: the key that seals personal parts and the key that hashes for look-up, wrapped.

``secrets.json`` is made once and for ever: without it no personal part is read and nobody found again. It opens with
the unlock key only (:mod:`motma.storage.keys.unlock`); keep a copy of each, apart from each other and from the copies
of the database. Version 1 held everything in the clear, and the one signing key besides; it is wrapped where it is met.
"""

import hashlib
import os
from pathlib import Path
from typing import Any

import msgspec
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from motma.core.code import key_id
from motma.core.errors import Unavailable
from motma.core.words import Words
from motma.storage.keys import files
from motma.storage.keys.unlock import Unlock

FILE_NAME = "secrets.json"
_KEY_BYTES = 32


class Secrets(msgspec.Struct, frozen=True):
    """32 random bytes each."""

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


class OldFile(msgspec.Struct, forbid_unknown_fields=True, tag_field="version", tag=1):
    """Version 1: bytes in base64, the signing key as PKCS #8 in PEM, all of it in the clear."""

    signing_pem: str
    seal_key: bytes
    index_key: bytes

    __repr__ = Secrets.__repr__
    __str__ = Secrets.__repr__
    __rich_repr__ = Secrets.__rich_repr__

    def signing_key(self) -> ec.EllipticCurvePrivateKey:
        """Raises ``ValueError`` or ``TypeError`` for what is not a P-256 key."""
        private = serialization.load_pem_private_key(self.signing_pem.encode(), password=None)
        if not isinstance(private, ec.EllipticCurvePrivateKey) or not isinstance(private.curve, ec.SECP256R1):
            raise ValueError("not a P-256 key")
        return private


class File(msgspec.Struct, forbid_unknown_fields=True, tag_field="version", tag=2):
    """Version 2. ``unlock`` names the unlock key that opens it; ``adopt`` is the kid that signed under version 1."""

    unlock: str
    seal_key: bytes
    index_key: bytes
    adopt: str = ""


def read_file(path: Path) -> File | OldFile | None:
    """What the file holds, still wrapped; None if there is none.

    Raises ``OSError``; :class:`Unavailable`, permanent: ``secrets.exposed``, ``secrets.damaged``.
    """
    try:
        raw = files.read_private(path)
    except FileNotFoundError:
        return None
    try:
        return msgspec.json.decode(raw, type=File | OldFile)
    except (ValueError, msgspec.MsgspecError):
        raise damaged(path) from None


def open_file(held: File | OldFile, unlock: Unlock, path: Path) -> Secrets:
    """What the file holds. Raises :class:`Unavailable`, permanent: ``secrets.locked``, ``secrets.damaged``."""
    seal_key, index_key = held.seal_key, held.index_key
    if isinstance(held, File):
        if held.unlock != unlock.name:
            raise Unavailable(
                "secrets.locked",
                Words(
                    f"{path} không mở được bằng khóa mở này: nó thuộc về khóa mở {held.unlock}, đây là {unlock.name}. "
                    "Đặt MOTMA_UNLOCK về tệp đúng; đừng tạo mới.",
                    f"{path} does not open with this unlock key: it belongs to unlock key {held.unlock}, "
                    f"this one is {unlock.name}. Point MOTMA_UNLOCK to the right file; do not make a new one.",
                ),
                permanent=True,
            )
        try:
            seal_key, index_key = unlock.unwrap("seal_key", seal_key), unlock.unwrap("index_key", index_key)
        except ValueError:
            raise damaged(path) from None
    if len(seal_key) != _KEY_BYTES or len(index_key) != _KEY_BYTES:
        raise damaged(path)
    return Secrets(seal_key, index_key)


def new_file(unlock: Unlock) -> bytes:
    """The content of a file with new secrets."""
    return _written(Secrets(os.urandom(_KEY_BYTES), os.urandom(_KEY_BYTES)), unlock, "")


def wrapped_file(secrets: Secrets, unlock: Unlock, signing: ec.EllipticCurvePrivateKey) -> bytes:
    """The content of the file that takes the place of a version 1 whose key was ``signing``."""
    return _written(secrets, unlock, key_id(signing.public_key()).hex())


def _written(secrets: Secrets, unlock: Unlock, adopt: str) -> bytes:
    seal_key, index_key = unlock.wrap("seal_key", secrets.seal_key), unlock.wrap("index_key", secrets.index_key)
    return msgspec.json.format(msgspec.json.encode(File(unlock.name, seal_key, index_key, adopt))) + b"\n"


def damaged(path: Path) -> Unavailable:
    """A file of secrets is not what it was."""
    return Unavailable(
        "secrets.damaged",
        Words(
            f"{path} bị hỏng. Lấy lại từ bản sao lưu; đừng tạo mới, dữ liệu cũ sẽ không đọc được.",
            f"{path} is damaged. Restore it from a copy; a new one could not read what is stored.",
        ),
        permanent=True,
    )
