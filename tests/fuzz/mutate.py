"""Inputs that are nearly right: bytes and CBOR items moved about, doubled, cut, and lengths that lie."""

import random
import struct
from collections.abc import Iterator

_NUMBERS = (0, 1, 2, 5, 23, 24, 255, 256, 65535, 65536, 2**31, 2**32 - 1, 2**32, 2**53, 2**63, 2**64 - 1)
_ITEMS = [
    bytes.fromhex(item)
    for line in (
        "00 01 20 1903e8 1bffffffffffffffff 3bffffffffffffffff 40 60 80 a0 f4 f5 f6 f7",
        "f97e00 f97c00 fb7ff0000000000000 fb41da5b2f00000000 e0 f800 f8ff",
        "c000 c11a696c84f0 c249010000000000000000 c34101 c48221196ab3 d81c80 d81d00 d9010280 d81e820100 d9d9f7a0",
        "c074323032362d30312d31385430373a30303a30305a d82360 d823625b28 d82540 d8256000 c06161 d90105a0",
        "9fff bfff 5fff 7f6161ff 61ff 63eda080 63efbbbf 6265cc81 a20100 0100 a1f97e00f6 a1a000 a18080",
    )
    for item in line.split()
]
_TOKENS = [
    *(b"|", b"<", b"*", b"-", b".", b"/", b" ", b"\x00", b"\n", b"\xff", b"\xc3\xa9", b"\xef\xbb\xbf", b"\xcc\x81"),
    *(b"HC1:", b"VN1:", b"shc:/", b"shc:/1/2/", b"NZCP:/1/", b"999087029317", b"1987-01-18", b"19870118", b"0" * 18),
    *(b"{", b"}", b"[", b'"', b"null", b"1e999", b"NaN", b"-1", b"\\ud800", b"\\u0000"),
]
_MOST_BYTES = 20_000
_MOST_DEPTH = 60
_NO_HEAD = -1


def mutate(data: bytes, draw: random.Random, others: list[bytes]) -> bytes:
    """``data`` after one to six changes; ``others`` are inputs of the same kind to take pieces from."""
    for _ in range(draw.choice((1, 1, 1, 2, 2, 3, 6))):
        tree = parse(data) if draw.random() < 0.6 else None
        data = _other_tree(tree, draw, others) if tree else _other_bytes(data, draw, others)
    return data[:_MOST_BYTES]


# -- bytes -------------------------------------------------------------------------------------------------------------


def _other_bytes(data: bytes, draw: random.Random, others: list[bytes]) -> bytes:
    at = draw.randrange(len(data) + 1)
    end = min(len(data), at + draw.choice((1, 1, 2, 3, 8, 40)))
    match draw.randrange(9):
        case 0:
            return _flipped(data, draw)
        case 1:
            return data[:at] + draw.randbytes(end - at) + data[end:]
        case 2:
            return data[:at] + data[end:]
        case 3:
            return data[:end] + data[at:]
        case 4:
            return data[:at] + draw.choice(_TOKENS) + data[draw.choice((at, end)) :]
        case 5:
            other = draw.choice(others)
            return data[:at] + other[draw.randrange(len(other) + 1) :]
        case 6:
            number = struct.pack(">Q", draw.choice(_NUMBERS))[-draw.choice((1, 2, 4, 8)) :]
            return data[:at] + number + data[at + len(number) :]
        case 7:
            return data[:at] + draw.choice(_ITEMS) + data[end:]
        case _:
            piece = data[at:end] or b"\x81"
            return data[:at] + piece * draw.choice((2, 10, 200, 3000)) + data[end:]


def _flipped(data: bytes, draw: random.Random) -> bytes:
    if not data:
        return draw.randbytes(1)
    at = draw.randrange(len(data))
    return data[:at] + bytes((data[at] ^ 1 << draw.randrange(8),)) + data[at + 1 :]


# -- CBOR --------------------------------------------------------------------------------------------------------------


class Node:
    """A CBOR item that can be written again: ``content`` of a string, ``kids`` of a container, or all of it ``raw``."""

    __slots__ = ("content", "kids", "lie", "major", "number", "raw", "wide")

    def __init__(self, major: int = 0, number: int = 0, *, raw: bytes | None = None) -> None:
        self.major, self.number, self.raw = major, number, raw
        self.content: bytes | None = None
        self.kids: list[Node] | None = None
        self.lie = 0
        self.wide = 0

    def write(self) -> bytes:
        """Its bytes, lengths true but for the ``lie``, its head at least ``wide`` bytes."""
        if self.raw is not None:
            return self.raw
        inside = b"".join([kid.write() for kid in self.kids]) if self.kids is not None else self.content or b""
        number = self.number
        if self.major in (2, 3):
            number = len(inside)
        elif self.kids is not None and self.major in (4, 5):
            number = len(self.kids) // (self.major - 3)
        return _head(self.major, max(0, number + self.lie), self.wide) + inside


def parse(data: bytes) -> Node | None:
    """The item that ``data`` begins with, what follows kept ``raw``; into byte strings too. None if none."""
    try:
        node, end = _parse(data, 0, _MOST_DEPTH)
    except (IndexError, ValueError, struct.error):
        return None
    if end == len(data):
        return node
    both = Node(_NO_HEAD)
    both.kids = [node, Node(raw=data[end:])]
    return both


def _parse(data: bytes, at: int, depth: int) -> tuple[Node, int]:
    if depth == 0:
        raise ValueError
    major, info = data[at] >> 5, data[at] & 31
    width = {24: 1, 25: 2, 26: 4, 27: 8}.get(info, 0)
    if info > 27 or at + 1 + width > len(data):
        raise ValueError
    number = int.from_bytes(data[at + 1 : at + 1 + width], "big") if width else info
    node, end = Node(major, number), at + 1 + width
    if major == 7:
        node.raw = data[at:end]
    elif major in (2, 3):
        node.content = data[end : end + number]
        if len(node.content) < number:
            raise ValueError
        end += number
        if major == 2 and node.content[:1] > b"\x80":
            inside = parse(node.content)
            node.kids = [inside] if inside else None
    elif major >= 4:
        if number > 10_000:
            raise ValueError
        node.kids = []
        for _ in range({4: number, 5: 2 * number, 6: 1}[major]):
            kid, end = _parse(data, end, depth - 1)
            node.kids.append(kid)
    return node, end


def _head(major: int, number: int, wide: int) -> bytes:
    if major == _NO_HEAD:
        return b""
    widths = [(24, 0), (2**8, 1), (2**16, 2), (2**32, 4), (2**64, 8)]
    width = max(wide, next((size for end, size in widths if number < end), 8))
    if not width:
        return bytes((major << 5 | number,))
    return bytes((major << 5 | {1: 24, 2: 25, 4: 26, 8: 27}[width],)) + (number % 2**64).to_bytes(8, "big")[-width:]


def _every(node: Node) -> Iterator[Node]:
    yield node
    for kid in node.kids or ():
        yield from _every(kid)


def _other_tree(tree: Node, draw: random.Random, others: list[bytes]) -> bytes:
    nodes = list(_every(tree))[draw.random() < 0.9 :] or [tree]  # seldom all of it
    node, other = draw.choice(nodes), draw.choice(nodes)
    match draw.randrange(11):
        case 0:
            node.raw = other.write()
        case 1:
            node.raw, other.raw = other.write(), node.write()
        case 2:
            node.raw = draw.choice(_ITEMS)
        case 3:
            node.raw = node.write() * draw.choice((0, 2, 3))
        case 4 if node.kids:
            node.kids.insert(draw.randrange(len(node.kids) + 1), Node(raw=other.write()))
        case 5 if node.kids:
            del node.kids[draw.randrange(len(node.kids))]
        case 6:
            node.lie = draw.choice((-1, 1, 2, 255, 2**16, 2**32, 2**63))
        case 7:
            node.wide = draw.choice((1, 2, 4, 8))
        case 8:
            times = draw.choice((1, 3, 6, 17, 100, 2000))
            node.raw = draw.choice((b"\x81", b"\xc1", b"\xd8\x3d", b"\xa1\x00")) * times + node.write()
        case 9:
            foreign = parse(draw.choice(others))
            node.raw = draw.choice(list(_every(foreign))).write() if foreign else b"\xf6"
        case _ if node.content is not None and node.kids is None:
            node.content = _other_bytes(node.content, draw, others)
        case _:
            node.number = draw.choice(_NUMBERS)
    return tree.write()
