"""The typeface of what is printed: which letters it has, how wide they are, where a line ends.

Real text in an embedded subset of Be Vietnam Pro, so that it can be searched, copied and read aloud. A letter that the
typeface does not hold is written by its nearest A-Z form, never as an empty box.
"""

import functools
import re
import unicodedata
from pathlib import Path
from typing import NamedTuple

from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFError, TTFont

from motma.core.errors import Unavailable
from motma.core.text import fold
from motma.core.words import Words

REGULAR, STRONG = "BeVietnamPro-400", "BeVietnamPro-600"

_FONTS = Path(__file__).parent.parent / "static" / "vendor" / "fonts"
_FILES = {REGULAR: "be-vietnam-pro-400.ttf", STRONG: "be-vietnam-pro-600.ttf"}
_NEAREST = str.maketrans("ŊŋƏəƷʒȜȝ", "NnEeZzGg")  # of letters that Unicode neither takes apart nor names by an A-Z one
_LATIN = re.compile(r"LATIN (SMALL|CAPITAL) LETTER (?:[A-Z]+ )?([A-Z])(?: WITH .+)?")


class Fitted(NamedTuple):
    """Lines of text at ``size`` points, each no wider than what they were fitted into."""

    size: float
    lines: list[str]


@functools.cache
def load_typeface() -> None:
    """Make the typeface ready, once. Raises :class:`Unavailable` ``paper.no_typeface`` if it was not built."""
    try:
        fonts = [TTFont(name, _FONTS / file, asciiReadable=False) for name, file in _FILES.items()]
    except (OSError, TTFError):
        raise Unavailable(
            "paper.no_typeface",
            Words(
                "Chưa in được ra giấy: máy chủ thiếu bộ chữ. Dùng mã trên màn hình hoặc lưu ảnh.",
                "Printing on paper does not work: the typeface was not built; run `python hatch_build.py`. "
                "Use the code on the screen, or save the picture.",
            ),
        ) from None
    for font in fonts:
        pdfmetrics.registerFont(font)


def settable(text: str) -> str:
    """``text`` in letters that the typeface holds; it is unchanged unless some letter had to be written plainly."""
    if text.isascii():
        return text
    text = unicodedata.normalize("NFC", text)
    held = pdfmetrics.getFont(REGULAR).face.charToGlyph
    return "".join(
        [letter if ord(letter) in held and not _is_mark(letter) else _plainly(letter, held) for letter in text]
    )


def width(text: str, font: str, size: float) -> float:
    """In points."""
    return float(pdfmetrics.stringWidth(text, font, size))


def fit(text: str, font: str, sizes: tuple[float, float], box: tuple[float, float], leading: float) -> Fitted:
    """``text`` as large as it can be, from the first of ``sizes`` down to the second, inside ``box`` (points).

    Words stay whole while there is a size for it. At the smallest size what is still too high is returned as it is.
    """
    largest, smallest = sizes
    across, high = box
    text = settable(text)
    size = largest
    while True:
        lines, broken = _wrap(text, font, size, across)
        if size <= smallest or (not broken and len(lines) * size * leading <= high):
            break
        size = max(smallest, size - 0.5)
    while broken and size < largest:  # a word is too long at any size: then break it, and grow again
        larger, _ = _wrap(text, font, size + 0.5, across)
        if len(larger) * (size + 0.5) * leading > high:
            break
        size, lines = size + 0.5, larger
    return Fitted(size, lines)


def _wrap(text: str, font: str, size: float, across: float) -> tuple[list[str], bool]:
    """(lines, whether a word had to be broken)."""
    lines: list[str] = []
    broken = False
    line = ""
    for word in text.split():
        longer = f"{line} {word}" if line else word
        if width(longer, font, size) <= across:
            line = longer
            continue
        if line:
            lines.append(line)
        line = word
        while width(line, font, size) > across and len(line) > 1:
            broken = True
            end = max(1, int(len(line) * across / width(line, font, size)) + 1)
            while end > 1 and width(line[:end], font, size) > across:
                end -= 1
            lines.append(line[:end])
            line = line[end:]
    return ([*lines, line] if line else lines), broken


def _is_mark(letter: str) -> bool:
    """One that stands on another letter: without positions in the typeface it would stand beside it."""
    return unicodedata.category(letter)[0] == "M"


def _plainly(letter: str, held: dict[int, int]) -> str:
    """A letter that is not in the typeface: without its marks, as passports write it, by its name, or as ``?``."""
    if _is_mark(letter):
        return ""
    base = unicodedata.normalize("NFD", letter)[0]
    passport = fold(letter.translate(_NEAREST))
    named = _LATIN.fullmatch(unicodedata.name(letter, ""))
    for plain in (base, passport.lower() if letter.islower() else passport):
        if plain and all(ord(one) in held for one in plain):
            return plain
    if named:
        return named[2].lower() if named[1] == "SMALL" else named[2]
    return "?"
