"""Personal parts of facts, sealed field by field: whoever may see a name need not open a telephone number.

A row of scheme 2::

    02 ‖ key number (4) ‖ salt (16) ‖ count (1) ‖ (length (1) ‖ name)…      the head
       ‖ (length (3) ‖ ciphertext ‖ tag (16))…                              one for each name, in the same order

Every row has a key of its own, derived from the seal key of that number, the salt and the fact's id (NIST SP
800-108r1, counter mode over HMAC-SHA-256); under it the field at place i is sealed by AES-256-GCM with the nonce i, the
deterministic construction of NIST SP 800-38D, 8.2.1. A nonce would repeat only if one fact were sealed twice with one
salt of 128 random bits, so the bound of 2^32 random nonces under one key (8.3), which a country's fields would pass,
does not apply. What is authenticated besides is the head and the field's name: no field opens in another place, row or
key, nor when one was taken out. Values are padded with spaces, which mean nothing in JSON, to whole :data:`BLOCK`
bytes: or the length of a field would tell a yes from a no. Names of fields lie open. What is not a JSON object as the
house writes one (compact, no name twice) has no names and is sealed whole, unpadded.

Scheme 1, whole: ``01 ‖ nonce (12) ‖ ciphertext ‖ tag (16)`` under the seal key of number 1, bound to the fact's id.
"""

import hmac
import os
from collections.abc import Collection
from datetime import datetime
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
_SALT, _NAMES_MAX, _NAME_MAX, _VALUE_MAX = 16, 255, 255, 2**24 - 1
_WHOLE, _BY_FIELD = b"\x01", b"\x02"
_NUMBER_BYTES = 4
PREFIX_BYTES = 1 + _NUMBER_BYTES
"""Of a sealed row: the scheme and the key's number, which compare as bytes in the order of age."""
_NONCES = tuple(n.to_bytes(12, "big") for n in range(_NAMES_MAX + 1))

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
        fields = _fields(plain)
        names = [name.encode() for name in fields]
        start = _BY_FIELD + number.to_bytes(_NUMBER_BYTES, "big") + os.urandom(_SALT)
        head = start + bytes([len(names)]) + b"".join([bytes([len(name)]) + name for name in names])
        seal = _row_cipher(self._sealing.key, start, id).encrypt
        if not names:
            return head + seal(_NONCES[0], plain, head)
        parts = [head]
        for nonce, name, value in zip(_NONCES, names, fields.values(), strict=False):
            part = seal(nonce, bytes(value) + b" " * (-len(value) % BLOCK), head + name)
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
        except (InvalidTag, ValueError, IndexError):
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


def _fields(plain: bytes) -> dict[str, msgspec.Raw]:
    """The members of an object as the house writes it; none if it is anything else."""
    try:
        fields = _split(plain)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return {}
    if len(fields) > _NAMES_MAX or len(plain) > _VALUE_MAX - BLOCK or _joined(fields) != plain:
        return {}
    return fields if all(0 < len(name.encode()) <= _NAME_MAX for name in fields) else {}


def _joined(fields: "dict[str, msgspec.Raw] | dict[str, bytes]") -> bytes:
    """Names that need escaping come out wrong on purpose: such an object is sealed whole."""
    return b"{" + b",".join([b'"' + name.encode() + b'":' + value for name, value in fields.items()]) + b"}"


def _open(sealed: bytes, key: bytes, id: FactId, only: Collection[str] | None) -> bytes | None:
    start = PREFIX_BYTES + _SALT
    names, at = list[bytes](), start + 1
    for _ in range(sealed[start]):
        end = at + 1 + sealed[at]
        names.append(sealed[at + 1 : end])
        at = end
    head = sealed[:at]
    unseal = _row_cipher(key, sealed[:start], id).decrypt
    if not names:
        return _cut(unseal(_NONCES[0], sealed[at:], head), only)
    fields = dict[str, bytes]()
    for nonce, raw in zip(_NONCES, names, strict=False):
        begin = at + 3
        at = begin + int.from_bytes(sealed[at:begin], "big")
        name = raw.decode()
        if only is None or name in only:
            fields[name] = unseal(nonce, sealed[begin:at], head + raw).rstrip(b" ")
    if at != len(sealed):
        raise ValueError("more than there should be")
    return _joined(fields)


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
