"""Base45 (RFC 9285): what the alphanumeric mode of a QR holds. Upper case only.

Both ways work on all groups at once, with the bytes of a code as one long number, since a loop over its 120 groups
would cost as much as everything else about it together.
"""

from motma.core.errors import Invalid
from motma.core.words import Words

MAX_CHARS = 20_000
"""More than any QR code holds (4,296)."""

_ALPHABET = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"
_NOT_BASE45 = 255
_DIGITS = bytes(_ALPHABET.find(byte) % 256 for byte in range(256))  # -1 % 256 is _NOT_BASE45

# The digits of a pair are those of its low byte and those of 256 times its high byte, added with carries.
_LOW = [bytes(byte // 45**place % 45 for byte in range(256)) for place in range(2)]
_HIGH = [bytes(256 * byte // 45**place % 45 for byte in range(256)) for place in range(3)]
_LETTER = bytes(_ALPHABET[total % 45] for total in range(256))
_CARRY = bytes(total // 45 for total in range(256))

_FIRST_OF_THREE = int.from_bytes(b"\xff\0\0" * (MAX_CHARS // 3 + 1), "little")


def encode(data: bytes) -> str:
    """The text of ``data``: three characters for two bytes, two for a last odd one."""
    pairs, odd = divmod(len(data), 2)
    high, low = data[: 2 * pairs : 2], data[1::2]
    first = _add(low.translate(_LOW[0]), high.translate(_HIGH[0]), bytes(pairs))
    second = _add(low.translate(_LOW[1]), high.translate(_HIGH[1]), first.translate(_CARRY))
    third = _add(high.translate(_HIGH[2]), second.translate(_CARRY), bytes(pairs))
    text = bytearray(3 * pairs)
    text[::3], text[1::3], text[2::3] = first.translate(_LETTER), second.translate(_LETTER), third.translate(_LETTER)
    if odd:
        text += bytes((_ALPHABET[data[-1] % 45], _ALPHABET[data[-1] // 45]))
    return text.decode()


def _add(one: bytes, other: bytes, carried: bytes) -> bytes:
    """Byte by byte; no sum here goes beyond a byte."""
    total = int.from_bytes(one, "little") + int.from_bytes(other, "little") + int.from_bytes(carried, "little")
    return total.to_bytes(len(one), "little")


def decode(text: str, max_chars: int = MAX_CHARS) -> bytes:
    """What ``text`` holds. Raises :class:`Invalid` ``base45.malformed``, also for more than ``max_chars``."""
    length = len(text)
    if length > max_chars or length % 3 == 1 or not text.isascii():
        raise _malformed()
    digits = text.encode().translate(_DIGITS)
    if _NOT_BASE45 in digits:
        raise _malformed()
    groups, rest = divmod(length, 3)
    number = int.from_bytes(digits[: 3 * groups], "little")
    # d0 + 45 d1 + 2025 d2 in the 24 bits of each group; at most 91124, so nothing runs over into the next.
    sums = (
        (number & _FIRST_OF_THREE) + 45 * (number >> 8 & _FIRST_OF_THREE) + 2025 * (number >> 16 & _FIRST_OF_THREE)
    ).to_bytes(3 * groups, "little")
    tail = digits[-2] + 45 * digits[-1] if rest else 0
    if sums[2::3] != bytes(groups) or tail > 255:
        raise _malformed()
    data = bytearray(2 * groups)
    data[::2], data[1::2] = sums[1::3], sums[::3]
    return bytes(data) + bytes((tail,)) if rest else bytes(data)


def _malformed() -> Invalid:
    return Invalid("base45.malformed", Words("Không phải base45.", "Not base45."))
