"""The unlock key: 32 random bytes that open everything else that is secret. Kept apart, a stolen folder opens nothing.

What it opens is wrapped with keys that are derived from it, one for each name (HKDF, RFC 5869), so that nothing can be
put in the place of something else.
"""

import base64
import binascii
import os
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import hashes, keywrap
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from motma.core.errors import Unavailable
from motma.core.words import Words
from motma.storage.keys import files

_BYTES = 32
# A credential that systemd or a container hands in: its own mode may let a group read, but never everybody.
_FORBIDDEN_ELSEWHERE = 0o037


class Unlock:
    """The unlock key, in use. Never shown."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def __repr__(self) -> str:
        return "Unlock(•••)"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        return [("key", "•••")]

    @property
    def name(self) -> str:
        """16 hex digits that tell one unlock key from another, and nothing more."""
        return self._derived("name").hex()[:16]

    def wrap(self, name: str, secret: bytes) -> bytes:
        """``secret`` (a multiple of 8 bytes) wrapped (RFC 3394), to be opened under the same ``name`` only."""
        return keywrap.aes_key_wrap(self._derived(name), secret)

    def unwrap(self, name: str, wrapped: bytes) -> bytes:
        """The inverse of :meth:`wrap`. Raises ``ValueError`` for what was not wrapped so."""
        try:
            return keywrap.aes_key_unwrap(self._derived(name), wrapped)
        except keywrap.InvalidUnwrap:
            raise ValueError("does not open") from None

    def passphrase(self, name: str) -> bytes:
        """The passphrase of the file ``name``: 44 characters."""
        return base64.b64encode(self._derived(f"file:{name}"))

    def _derived(self, purpose: str) -> bytes:
        return HKDF(hashes.SHA256(), _BYTES, salt=None, info=f"motma:{purpose}".encode()).derive(self._key)


def read_unlock(path: Path, *, beside: bool) -> Unlock | None:
    """The unlock key in ``path``; None if there is no such file. ``beside``: it lies in the data folder.

    32 bytes as they are, or in base64 on a line. Elsewhere than in the data folder a link is followed and a group may
    read it: so systemd and Kubernetes hand secrets in. Raises :class:`Unavailable`, permanent: ``secrets.exposed``,
    ``secrets.unlock_damaged``.
    """
    try:
        if beside:
            raw = files.read_private(path)
        else:
            raw = files.read_private(path, forbidden=_FORBIDDEN_ELSEWHERE, follow=True)
    except FileNotFoundError:
        return None
    if len(raw) != _BYTES:
        try:
            raw = base64.b64decode(raw.strip(), validate=True)
        except (binascii.Error, ValueError):
            raw = b""
    if len(raw) != _BYTES:
        raise Unavailable(
            "secrets.unlock_damaged",
            Words(
                f"{path} không phải là khóa mở 32 byte. Lấy lại từ bản sao lưu.",
                f"{path} is not an unlock key of 32 bytes. Restore it from a copy.",
            ),
            permanent=True,
        )
    return Unlock(raw)


def make_unlock(path: Path) -> None:
    """Put a new unlock key in ``path`` unless there is one. Its folder must be there."""
    files.put_new(path, base64.b64encode(os.urandom(_BYTES)) + b"\n")
