"""Vietnamese names as people type them: one Unicode form for keeping, keys for comparing.

Keeps tones always; a key without tones is for finding and grading, never for deciding alone
(dropping tones makes 145 pairs of 7,649 real full names equal).
"""

import re
import unicodedata

from motma.core.errors import Invalid
from motma.core.words import Words

NAME_MAX_CHARS = 100

# Harmless leftovers of keyboards and copying: zero-width characters, soft hyphen, byte order mark.
_INVISIBLE = dict.fromkeys(map(ord, "\u200b\u200c\u200d\u2060\ufeff\u00ad"))
# Ð/ð (Icelandic eth) and Ɖ stand for Đ/đ on some keyboards; typographic apostrophes become plain.
_LOOKALIKE = str.maketrans("ÐðƉɖ’‘ʼ`", "ĐđĐđ''''")
_TONES = "\u0300\u0301\u0303\u0309\u0323"  # huyền, sắc, ngã, hỏi, nặng
_SPACES = re.compile(r"\s+")
_BREAKS = re.compile(r"[\s'.·-]+")
_PLAIN_TEXT_CUT = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u200e\u200f]")


def parse_name(raw: str) -> str:
    """Return a person's name in NFC, single-spaced, in the case it was typed.

    Raises :class:`Invalid` ``name.*`` for what is not a name: empty, over 100 characters, digits, control or
    bidirectional marks, markup.
    """
    if len(raw) > NAME_MAX_CHARS * 4:
        raise _too_long()
    name = unicodedata.normalize("NFKC", raw.translate(_LOOKALIKE)).translate(_INVISIBLE)
    name = unicodedata.normalize("NFC", name)
    name = _SPACES.sub(" ", name.strip(" \t\u00a0\r\n"))
    if not name:
        raise Invalid(
            "name.missing",
            Words("Nhập họ và tên như trên giấy tờ.", "Enter the full name as on the document."),
        )
    if len(name) > NAME_MAX_CHARS:
        raise _too_long()
    for char in name:
        if char in " '.·-":
            continue
        if unicodedata.category(char)[0] not in "LM":
            raise Invalid(
                "name.characters",
                Words(
                    "Họ và tên chỉ gồm chữ cái, dấu cách, dấu nối. Xoá số và ký hiệu khác.",
                    "A name has letters, spaces and hyphens only. Remove digits and other signs.",
                ),
            )
    if not any(unicodedata.category(char)[0] == "L" for char in name):
        raise Invalid(
            "name.missing",
            Words("Nhập họ và tên như trên giấy tờ.", "Enter the full name as on the document."),
        )
    return name


def _too_long() -> Invalid:
    return Invalid(
        "name.too_long",
        Words(
            f"Họ và tên dài quá {NAME_MAX_CHARS} ký tự.",
            f"The name is longer than {NAME_MAX_CHARS} characters.",
        ),
    )


def parse_line(raw: str, max_chars: int) -> str:
    """Return free text (an address, a place) as one NFC line; control and bidirectional marks are refused.

    Raises :class:`Invalid` ``text.*``. An empty line is returned as such.
    """
    if len(raw) > max_chars * 4:
        raise _line_too_long(max_chars)
    line = _SPACES.sub(" ", unicodedata.normalize("NFC", raw.translate(_INVISIBLE)).strip())
    if len(line) > max_chars:
        raise _line_too_long(max_chars)
    if _PLAIN_TEXT_CUT.search(line) or any(0xD800 <= ord(char) <= 0xDFFF for char in line):
        raise Invalid(
            "text.characters",
            Words(
                "Có ký tự không dùng được. Gõ lại ô này.",
                "There are characters that cannot be used. Type this again.",
            ),
        )
    return line


def _line_too_long(max_chars: int) -> Invalid:
    return Invalid("text.too_long", Words(f"Dài quá {max_chars} ký tự.", f"Longer than {max_chars} characters."))


def name_key(name: str) -> str:
    """Key under which two spellings of one name are equal: case, spaces, tone placement (hòa = hoà), final y/i.

    Each word is its letters without the tone, then the tone, so a tone's place in the word does not count.
    """
    words = []
    for word in _BREAKS.split(unicodedata.normalize("NFD", name.casefold())):
        letters = "".join(char for char in word if char not in _TONES)
        tone = "".join(char for char in word if char in _TONES)
        if len(letters) > 1 and letters.endswith("y") and letters[-2] not in "aeou\u0302\u0306\u031b":
            letters = letters[:-1] + "i"  # Lý = Lí, Mỹ = Mĩ; but Thúy is not Thúi, and a bare Y stays
        if letters:
            words.append(letters + tone)
    return " ".join(words)


def fold(text: str) -> str:
    """Upper-case ASCII without diacritics, as the 2021 national format wrote names (Decision 1405/QĐ-BTTTT)."""
    decomposed = unicodedata.normalize("NFD", text.replace("đ", "d").replace("Đ", "D"))
    plain = "".join(char for char in decomposed if not unicodedata.combining(char))
    return " ".join(_BREAKS.split(plain.upper())).strip()
