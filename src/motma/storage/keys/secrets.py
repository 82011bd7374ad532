"""The secrets file: the keys that seal personal parts and the key that hashes for look-up, wrapped.

``secrets.json`` is made once: without it no personal part is read and nobody found again. It opens with the unlock key
only (:mod:`motma.storage.keys.unlock`); keep a copy of each, apart from each other and from the copies of the database.
Version 1 held everything in the clear, and the one signing key besides; version 2 had one seal key, now number 1. Both
are brought up to version 3 where they are met.
"""

import hashlib
import itertools
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import msgspec
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from motma.core.errors import Unavailable
from motma.core.words import Words
from motma.storage.keys import files
from motma.storage.keys.unlock import Unlock
from motma.storage.seal import KEY_BYTES as _KEY_BYTES
from motma.storage.seal import SealKey

FILE_NAME = "secrets.json"


class Secrets(msgspec.Struct, frozen=True):
    """What the file held when it was read. ``index_key``: 32 random bytes. ``seal_keys``: oldest first."""

    index_key: bytes
    seal_keys: tuple[SealKey, ...] = ()

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


class SecondFile(msgspec.Struct, forbid_unknown_fields=True, tag_field="version", tag=2):
    """Version 2: one seal key. The other fields are those of version 3."""

    unlock: str
    seal_key: bytes
    index_key: bytes
    adopt: str = ""


class WrappedKey(msgspec.Struct, forbid_unknown_fields=True):
    """A :class:`SealKey` whose key is wrapped under its number, so that none can pass for another."""

    number: int
    key: bytes
    state: Literal["waiting", "active", "kept"]
    made_at: datetime | None = None


class File(msgspec.Struct, forbid_unknown_fields=True, tag_field="version", tag=3):
    """Version 3. ``unlock`` names the unlock key that opens it; ``adopt`` is the kid that signed under version 1."""

    unlock: str
    index_key: bytes
    seal_keys: tuple[WrappedKey, ...]
    adopt: str = ""


AnyFile = File | SecondFile | OldFile


def read_file(path: Path) -> AnyFile | None:
    """What the file holds, still wrapped; None if there is none.

    Raises ``OSError``; :class:`Unavailable`, permanent: ``secrets.exposed``, ``secrets.damaged``.
    """
    try:
        raw = files.read_private(path)
    except FileNotFoundError:
        return None
    try:
        held: AnyFile = msgspec.json.decode(raw, type=AnyFile)
    except (ValueError, msgspec.MsgspecError):
        raise damaged(path) from None
    return held


def open_file(held: AnyFile, unlock: Unlock, path: Path) -> Secrets:
    """What the file holds. Raises :class:`Unavailable`, permanent: ``secrets.locked``, ``secrets.damaged``."""
    if not isinstance(held, OldFile) and held.unlock != unlock.name:
        raise locked(path, held.unlock, unlock)
    try:
        match held:
            case OldFile():
                secrets = Secrets(held.index_key, (SealKey(1, held.seal_key),))
            case SecondFile():
                seal_key = unlock.unwrap("seal_key", held.seal_key)
                secrets = Secrets(unlock.unwrap("index_key", held.index_key), (SealKey(1, seal_key),))
            case File():
                keys = [
                    SealKey(one.number, unlock.unwrap(_name(one.number), one.key), one.state, one.made_at)
                    for one in held.seal_keys
                ]
                secrets = Secrets(unlock.unwrap("index_key", held.index_key), tuple(keys))
    except ValueError:
        raise damaged(path) from None
    if not _sound(secrets):
        raise damaged(path)
    return secrets


def _name(number: int) -> str:
    return f"seal_key:{number}"


def _sound(secrets: Secrets) -> bool:
    """Whole keys, numbered upwards; one is active, and only the last may wait for its turn."""
    keys = secrets.seal_keys
    states = [one.state for one in keys]
    return (
        all(len(key) == _KEY_BYTES for key in (secrets.index_key, *(one.key for one in keys)))
        and all(a < b for a, b in itertools.pairwise([0, *(one.number for one in keys)]))
        and "active" in states
        and "waiting" not in states[:-1]
    )


def new_file(unlock: Unlock, now: datetime | None) -> bytes:
    """The content of a file with new secrets."""
    return written_file(Secrets(os.urandom(_KEY_BYTES), (new_key(1, "active", now),)), unlock)


def new_key(number: int, state: Literal["waiting", "active"], now: datetime | None) -> SealKey:
    """A new seal key. ``now`` is aware."""
    made_at = now and now.astimezone(UTC).replace(microsecond=0)
    return SealKey(number, os.urandom(_KEY_BYTES), state, made_at)


def written_file(secrets: Secrets, unlock: Unlock, adopt: str = "") -> bytes:
    """The content of a file with these secrets: the same for the same, so that two who write it at once agree."""
    keys = tuple(
        WrappedKey(one.number, unlock.wrap(_name(one.number), one.key), one.state, one.made_at)
        for one in secrets.seal_keys
    )
    file = File(unlock.name, unlock.wrap("index_key", secrets.index_key), keys, adopt)
    return msgspec.json.format(msgspec.json.encode(file)) + b"\n"


def locked(path: Path, name: str, unlock: Unlock) -> Unavailable:
    """The file opens with another unlock key, the one of this ``name``."""
    return Unavailable(
        "secrets.locked",
        Words(
            f"{path} không mở được bằng khóa mở này: nó thuộc về khóa mở {name}, đây là {unlock.name}. "
            "Đặt MOTMA_UNLOCK về tệp đúng; đừng tạo mới.",
            f"{path} does not open with this unlock key: it belongs to unlock key {name}, "
            f"this one is {unlock.name}. Point MOTMA_UNLOCK to the right file; do not make a new one.",
        ),
        permanent=True,
    )


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
