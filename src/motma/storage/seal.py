"""Personal parts of facts, sealed field by field: whoever may see a name need not open a telephone number.

A row of scheme 2::

    02 ‖ key number (4) ‖ salt (16) ‖ length (2) ‖ (length (1) ‖ name)…     the names, and how many bytes they are
       ‖ (length (3) ‖ ciphertext ‖ tag (16))…                              one for each name, in the same order

Every row has a key of its own, derived from the seal key of that number, the salt and the fact's id (NIST SP
800-108r1, counter mode over HMAC-SHA-256); under it the field at place i is sealed by AES-256-GCM with the nonce i, the
deterministic construction of NIST SP 800-38D, 8.2.1. A nonce would repeat only if one fact were sealed twice with one
salt of 128 random bits, so the bound of 2^32 random nonces under one key (8.3), which a country's fields would pass,
does not apply. What is authenticated besides is the names and the field's own: no field opens in another place, row or
key, nor when one was taken out. Values are padded with spaces, which mean nothing in JSON, to whole :data:`BLOCK`
bytes: or the length of a field would tell a yes from a no. Names of fields lie open. What is not a JSON object as the
house writes one (compact, no name twice) has no names and is sealed whole, unpadded.

Scheme 1, whole: ``01 ‖ nonce (12) ‖ ciphertext ‖ tag (16)`` under the seal key of number 1, bound to the fact's id.
"""

import hmac
import os
from collections.abc import Collection
from datetime import datetime
from functools import lru_cache
from hashlib import sha256
from typing import Any, Literal, Protocol

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from motma.core.errors import Unavailable
from motma.core.ids import FactId
from motma.core.words import Words

KEY_BYTES = 32
BLOCK = 64
_SALT, _NAMES_MAX, _NAME_MAX, _HEAD_MAX, _VALUE_MAX = 16, 255, 255, 2**16 - 1, 2**24 - 1
_WHOLE, _BY_FIELD = b"\x01", b"\x02"
_NUMBER_BYTES = 4
PREFIX_BYTES = 1 + _NUMBER_BYTES
"""Of a sealed row: the scheme and the key's number, which compare as bytes in the order of age."""
_NONCES = tuple(n.to_bytes(12, "big") for n in range(_NAMES_MAX + 1))

_PADS = tuple(b" " * n for n in range(BLOCK))
_split = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


class SealKey(msgspec.Struct, frozen=True):
    """One key that seals or sealed. ``waiting``: it opens, and seals only once it is made ``active``. ``kept``: it was
    replaced and everything sealed anew, and it is still there for copies of the database."""

    number: int
    key: bytes
    state: Literal["waiting", "active", "kept"] = "active"
    made_at: datetime | None = None
    """None: before keys were numbered."""

    def __repr__(self) -> str:
        return f"SealKey({self.number}, •••)"

    __str__ = __repr__

    def __rich_repr__(self) -> list[tuple[str, Any]]:  # msgspec's own would tell
        return [("number", self.number), ("key", "•••")]


class Ring(Protocol):
    """The seal keys, oldest first; at least one, and the first one never waiting."""

    def held(self) -> tuple[SealKey, ...]:
        """As they were no more than a second ago. The same tuple while nothing has changed; costs next to nothing."""

    def look(self) -> tuple[SealKey, ...]:
        """As they are now."""


class FixedRing:
    """One key that never changes, number 1."""

    def __init__(self, key: bytes) -> None:
        """``key`` is 32 bytes; anything else raises ``ValueError``."""
        if len(key) != KEY_BYTES:
            raise ValueError("a seal key is 32 bytes")
        self._keys = (SealKey(1, key),)

    def held(self) -> tuple[SealKey, ...]:
        return self._keys

    def look(self) -> tuple[SealKey, ...]:
        return self._keys


class UnknownKey(Unavailable):
    """A row was sealed with a key that is not in the secrets file."""

    def __init__(self, number: int) -> None:
        super().__init__(
            "storage.sealed",
            Words(
                f"Dữ liệu được niêm phong bằng khóa số {number}, không có trong tệp khóa này. Lấy lại tệp khóa đúng.",
                f"Data was sealed with key {number}, which this secrets file does not have. Put the right file back.",
            ),
            permanent=True,
        )
        self.number = number


class Seal:
    """Closes under the newest active key and opens under all."""

    def __init__(self, ring: Ring | bytes) -> None:
        """``ring`` may be one key of 32 bytes; anything else raises ``ValueError``."""
        self.ring: Ring = FixedRing(ring) if isinstance(ring, bytes) else ring
        self._least = 1
        self._seen: tuple[SealKey, ...] = ()
        self._keys: dict[int, bytes] = {}
        self._sealing = SealKey(0, b"")
        self._first: AESGCM | None = None

    def number(self) -> int:
        """That of the key which seals now. Raises :class:`UnknownKey` when the ring is behind the database."""
        self._take(self.ring.held())
        if self._sealing.number < self._least:
            self._take(self.ring.look())
        if self._sealing.number < self._least:
            raise UnknownKey(self._least)
        return self._sealing.number

    def at_least(self, number: int) -> None:
        """From now on nothing is to be sealed with a key before ``number``."""
        self._least = max(self._least, number)
        self._seen = ()

    def close(self, plain: bytes, id: FactId) -> bytes:
        """``plain``, sealed for the fact ``id``."""
        number = self.number()
        fields, layout = _fields(plain)
        start = _BY_FIELD + number.to_bytes(_NUMBER_BYTES, "big") + os.urandom(_SALT)
        seal = _row_cipher(self._sealing.key, start, id).encrypt
        parts = [start, layout.head]
        if not fields:
            parts.append(seal(_NONCES[0], plain, layout.head))
        for nonce, aad, value in zip(_NONCES, layout.aads, fields, strict=False):
            part = seal(nonce, value + _PADS[-len(value) % BLOCK], aad)
            parts += len(part).to_bytes(3, "big"), part
        return b"".join(parts)

    def open(self, sealed: bytes, id: FactId, only: Collection[str] | None = None) -> bytes | None:
        """What was sealed for the fact ``id``, byte for byte; ``only`` these members of the object, in its order.

        What was sealed whole is opened whole and cut down to them; None if it was no object, and some were asked for.
        Raises :class:`Unavailable` ``storage.sealed``, permanent: the key or the row is not what it was.
        """
        number = number_of(sealed)
        key = self._key(number)
        try:
            if sealed[:1] == _WHOLE:
                if self._first is None:
                    self._first = AESGCM(key)
                return _cut(self._first.decrypt(sealed[1:13], sealed[13:], id.encode()), only)
            return _open(sealed, key, id, only)
        except (InvalidTag, ValueError):
            raise _broken() from None

    def again(self, sealed: bytes, id: FactId) -> bytes:
        """The same, sealed with the newest key. Raises as :meth:`open` does."""
        plain = self.open(sealed, id)
        assert plain is not None
        return self.close(plain, id)

    def _key(self, number: int) -> bytes:
        self._take(self.ring.held())
        if number not in self._keys:
            self._take(self.ring.look())
        if number not in self._keys:
            raise UnknownKey(number)
        return self._keys[number]

    def _take(self, keys: tuple[SealKey, ...]) -> None:
        if keys is self._seen:
            return
        self._seen = keys
        self._keys = {one.number: one.key for one in keys}
        self._sealing = [one for one in keys if one.state == "active"][-1]
        if self._sealing.number < self._least:  # the database knows already of a key that the file has us wait with
            self._sealing = next((one for one in keys if one.number >= self._least), self._sealing)
        self._first = None


def number_of(sealed: bytes) -> int:
    """The number of the key that sealed a row. Raises :class:`Unavailable` ``storage.sealed`` for what is no row."""
    if sealed[:1] == _WHOLE:
        return 1
    if sealed[:1] != _BY_FIELD or len(sealed) <= PREFIX_BYTES + _SALT:
        raise _broken()
    return int.from_bytes(sealed[1:PREFIX_BYTES], "big")


def prefix(number: int) -> bytes:
    """Rows that an older key sealed, or that were sealed whole, begin with less."""
    return _BY_FIELD + number.to_bytes(_NUMBER_BYTES, "big")


def _row_cipher(key: bytes, start: bytes, id: FactId) -> AESGCM:
    # SP 800-108r1, 4.1: counter ‖ label ‖ 00 ‖ context ‖ length in bits, and one round of it.
    context = b"\x00\x00\x00\x01motma:seal\x00" + start + id.encode() + b"\x00\x00\x01\x00"
    return AESGCM(hmac.digest(key, context, sha256))


class _Layout(msgspec.Struct, frozen=True):
    """Which fields rows have, in which order: few of them are ever seen, and each is worked out once."""

    head: bytes
    names: tuple[str, ...]
    starts: tuple[bytes, ...]
    """Each name as it stands before its value."""
    aads: tuple[bytes, ...]


@lru_cache(256)
def _layout(names: tuple[str, ...]) -> _Layout | None:
    """None for names that no row can have."""
    raw = [name.encode() for name in names]
    if len(raw) > _NAMES_MAX or not all(0 < len(name) <= _NAME_MAX for name in raw):
        return None
    listed = b"".join([bytes([len(name)]) + name for name in raw])
    if len(listed) > _HEAD_MAX:
        return None
    head = len(listed).to_bytes(2, "big") + listed
    starts = tuple([b'"' + name + b'":' for name in raw])
    return _Layout(head, names, starts, tuple([head + name for name in raw]))


_NO_NAMES = _Layout(b"\x00\x00", (), (), ())


@lru_cache(256)
def _layout_of(head: bytes) -> _Layout | None:
    """None for what is no list of names."""
    names, at = list[str](), 2
    while at < len(head):
        end = at + 1 + head[at]
        names.append(head[at + 1 : end].decode(errors="replace"))
        at = end
    layout = _layout(tuple(names))
    return layout if layout and layout.head == head else None


def _fields(plain: bytes) -> tuple[list[bytes], _Layout]:
    """The values of an object as the house writes it, and their names; none if it is anything else."""
    try:
        fields = _split(plain)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return [], _NO_NAMES
    layout = _layout(tuple(fields))
    if not fields or layout is None or len(plain) > _VALUE_MAX - BLOCK:
        return [], _NO_NAMES
    values = [bytes(value) for value in fields.values()]
    # White space, a name that is escaped or stands twice: each makes it longer than it will be put together again.
    length = 1 + len(values) + sum(map(len, layout.starts)) + sum(map(len, values))
    return (values, layout) if length == len(plain) else ([], _NO_NAMES)


def _open(sealed: bytes, key: bytes, id: FactId, only: Collection[str] | None) -> bytes | None:
    start = PREFIX_BYTES + _SALT
    at = start + 2 + int.from_bytes(sealed[start : start + 2], "big")
    layout = _layout_of(sealed[start:at])
    if layout is None:
        raise ValueError("no list of names")
    unseal = _row_cipher(key, sealed[:start], id).decrypt
    if not layout.names:
        return _cut(unseal(_NONCES[0], sealed[at:], layout.head), only)
    opened = []
    for nonce, name, begins, aad in zip(_NONCES, layout.names, layout.starts, layout.aads, strict=False):
        begin = at + 3
        at = begin + int.from_bytes(sealed[at:begin], "big")
        if only is None or name in only:
            opened.append(begins + unseal(nonce, sealed[begin:at], aad).rstrip(b" "))
    if at != len(sealed):
        raise ValueError("more or less than there should be")
    return b"{" + b",".join(opened) + b"}"


def _cut(plain: bytes, only: Collection[str] | None) -> bytes | None:
    if only is None:
        return plain
    try:
        return msgspec.json.encode({name: value for name, value in _split(plain).items() if name in only})
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None


def _broken() -> Unavailable:
    return Unavailable(
        "storage.sealed",
        Words(
            "Không mở được dữ liệu đã niêm phong. Kiểm tra tệp khóa và bản sao lưu.",
            "Sealed data cannot be opened. Check the secrets file and the backup.",
        ),
        permanent=True,
    )
