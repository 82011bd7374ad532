"""Base45 (RFC 9285): what the alphanumeric mode of a QR holds. Upper case only."""

import struct

from motma.core.errors import Invalid
from motma.core.words import Words

MAX_CHARS = 20_000
"""More than any QR code holds (4,296)."""

_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"
_GROUPS = [_ALPHABET[n % 45] + _ALPHABET[n // 45 % 45] + _ALPHABET[n // 2025] for n in range(65536)]
_NOT_BASE45 = 255
_DIGITS = bytes(_ALPHABET.find(chr(n)) % 256 for n in range(256))  # -1 % 256 is _NOT_BASE45

_LOW_OF_24 = int.from_bytes(b"\xff\0\0" * (MAX_CHARS // 3 + 1), "little")
"""The lowest byte of every three, in one long number."""


def encode(data: bytes) -> str:
    """The text of ``data``: three characters for two bytes, two for a last odd one."""
    pairs, odd = divmod(len(data), 2)
    text = "".join([_GROUPS[pair] for pair in struct.unpack_from(f">{pairs}H", data)])
    return text + _ALPHABET[data[-1] % 45] + _ALPHABET[data[-1] // 45] if odd else text


def decode(text: str, max_chars: int = MAX_CHARS) -> bytes:
    """What ``text`` holds. Raises :class:`Invalid` ``base45.malformed``, also for more than ``max_chars``."""
    length = len(text)
    if length > max_chars or length % 3 == 1 or not text.isascii():
        raise _malformed()
    digits = text.encode().translate(_DIGITS)
    if _NOT_BASE45 in digits:
        raise _malformed()
    count, rest = divmod(length, 3)
    number = int.from_bytes(digits[: 3 * count], "little")
    # All groups at once, each in 24 bits: d0 + 45 d1 + 2025 d2 is at most 91124, so nothing runs over into the next.
    sums = (number & _LOW_OF_24) + 45 * (number >> 8 & _LOW_OF_24) + 2025 * (number >> 16 & _LOW_OF_24)
    lanes = sums.to_bytes(3 * count, "little")
    tail = digits[-2] + 45 * digits[-1] if rest else 0
    if any(lanes[2::3]) or tail > 255:
        raise _malformed()
    data = bytearray(2 * count)
    data[::2], data[1::2] = lanes[1::3], lanes[::3]
    return bytes(data) + bytes((tail,)) if rest else bytes(data)


def _malformed() -> Invalid:
    return Invalid("base45.malformed", Words("Không phải base45.", "Not base45."))
