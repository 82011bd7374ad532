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

_GROUPS = MAX_CHARS // 3 + 1
_FIRST_OF_THREE = int.from_bytes(b"\0\0\xff" * _GROUPS)
_OVERFLOW = int.from_bytes(b"\xff\0\0" * _GROUPS)


def encode(data: bytes) -> str:
    """The text of ``data``: three characters for two bytes, two for a last odd one."""
    pairs, odd = divmod(len(data), 2)
    high, low = data[: 2 * pairs : 2], data[1::2]
    number = int.from_bytes  # sums of bytes side by side; none goes beyond its byte
    first = (number(low.translate(_LOW[0])) + number(high.translate(_HIGH[0]))).to_bytes(pairs)
    carried = number(first.translate(_CARRY))
    second = (number(low.translate(_LOW[1])) + number(high.translate(_HIGH[1])) + carried).to_bytes(pairs)
    third = (number(high.translate(_HIGH[2])) + number(second.translate(_CARRY))).to_bytes(pairs)
    digits = bytearray(3 * pairs)
    digits[::3], digits[1::3], digits[2::3] = first, second, third
    if odd:
        digits += bytes((data[-1] % 45, data[-1] // 45))
    return digits.translate(_LETTER).decode()


def decode(text: str, max_chars: int = MAX_CHARS) -> bytes:
    """What ``text`` holds. Raises :class:`Invalid` ``base45.malformed``, also for more than ``max_chars``."""
    length = len(text)
    if length > max_chars or length % 3 == 1 or not text.isascii():
        raise _malformed()
    digits = text.encode().translate(_DIGITS)
    if _NOT_BASE45 in digits:
        raise _malformed()
    groups, rest = divmod(length, 3)
    number = int.from_bytes(digits[: 3 * groups])
    # d0 + 45 d1 + 2025 d2 in the 24 bits of each group; at most 91124, so nothing runs over into the next.
    sums = (number >> 16 & _FIRST_OF_THREE) + 45 * (number >> 8 & _FIRST_OF_THREE) + 2025 * (number & _FIRST_OF_THREE)
    tail = digits[-2] + 45 * digits[-1] if rest else 0
    if sums & _OVERFLOW or tail > 255:
        raise _malformed()
    data = bytearray(sums.to_bytes(3 * groups))
    del data[::3]
    if rest:
        data.append(tail)
    return bytes(data)


def _malformed() -> Invalid:
    return Invalid("base45.malformed", Words("Không phải base45.", "Not base45."))
