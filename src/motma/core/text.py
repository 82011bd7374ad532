"""Vietnamese names as people type them: one Unicode form for keeping, keys for comparing.

Keeps tones always; a key without tones is for finding and grading, never for deciding alone
(dropping tones makes 145 pairs of 7,649 real full names equal).
"""

import re
import unicodedata
from collections.abc import Iterable

from motma.core.errors import Invalid
from motma.core.keystrokes import signs_out
from motma.core.words import Words

NAME_MAX_CHARS = 100

# Harmless leftovers of keyboards and copying: zero-width characters, soft hyphen, byte order mark.
_INVISIBLE = dict.fromkeys(map(ord, "\u200b\u200c\u200d\u2060\ufeff\u00ad"))
# Ð/ð (Icelandic eth) and Ɖ/ɖ stand for Đ/đ on some keyboards; typographic apostrophes and dashes become plain.
_LOOKALIKE = str.maketrans("ÐðƉɖ’‘ʼ`´′‐‑‒–−", "ĐđĐđ''''''-----")
_LOOKALIKES = re.compile(f"[{''.join(map(chr, _LOOKALIKE))}]")
_TONE = re.compile("[\u0300\u0301\u0303\u0309\u0323]")  # huyền, sắc, ngã, hỏi, nặng
_COMBINING = re.compile("[\u0300-\u036f]+")
_MARKS = "\u0302\u0306\u031b"  # â ê ô, ă, ơ ư: they make another letter
_SPACES = re.compile(r"[ \t\r\n\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]+")
_BREAKS = re.compile(r"[\s'.·-]+")
# Latin letters only, each under two further marks at most: NFC leaves Vietnamese none, and a tower of marks spills
# over the lines around it. Left out are what _LOOKALIKE and NFKC turn into other letters (Ð, Ɖ, ligatures) and the
# click letters U+01C0-01C3, which look like | and !.
_NAME = re.compile(
    r"(?:[A-Za-zÀ-ÏÑ-ÖØ-ïñ-öø-\u0131\u0134-\u013e\u0141-\u0148\u014a-\u017e\u0180-\u0188\u018a-\u01bf"
    r"\u01cd-\u01f0\u01f4-\u024f\u1e00-\u1e99\u1e9c-\u1eff][\u0300-\u036f]{0,2}|[ '.·-])+"
)
# Letters that Unicode does not take apart, as passports write them (ICAO 9303-3, section 6); Ƀ is Ê Đê.
_WITHOUT_BASE = str.maketrans(
    {
        "đ": "d",
        "Đ": "D",
        "ɖ": "d",
        "Ɖ": "D",
        "ł": "l",
        "Ł": "L",
        "ø": "oe",
        "Ø": "OE",
        "æ": "ae",
        "Æ": "AE",
        "œ": "oe",
        "Œ": "OE",
    }
    | {"ð": "d", "Ð": "D", "þ": "th", "Þ": "TH", "ı": "i", "ħ": "h", "Ħ": "H", "ŧ": "t", "Ŧ": "T", "ƀ": "b", "Ƀ": "B"}
)


def parse_name(raw: str) -> str:
    """Return a person's name in NFC, single-spaced, in the case it was typed; parsing it again changes nothing.

    Latin letters only, as every identity document writes the name: a Cyrillic or Greek look-alike would differ
    from the register where nobody can see it. What a keyboard left over and no name can hold (VNI ``Nguye64n``, VIQR
    ``Nguye^~n``) becomes the letters that were meant, for the name is printed; Telex is made of letters and stays as
    typed, for :func:`motma.core.identity.compare` to read both ways.

    Raises :class:`Invalid` ``name.*`` for what is not a name: empty, over 100 characters, other digits, control or
    bidirectional marks, markup, other scripts.
    """
    if len(raw) > NAME_MAX_CHARS * 4:  # before any work: the longest honest NFD name has three per letter
        raise _too_long()
    name = unicodedata.normalize("NFC", raw)
    if not _NAME.fullmatch(name):
        # Signs before look-alikes: ` and ' are two tones to VIQR, and one apostrophe to everybody else.
        name = signs_out(_SPACES.sub(" ", name.translate(_INVISIBLE)))
        name = unicodedata.normalize("NFKC", name.translate(_LOOKALIKE)).translate(_INVISIBLE)
        name = unicodedata.normalize("NFC", _SPACES.sub(" ", name))
        if name.strip(" ") and not _NAME.fullmatch(name):
            raise Invalid(
                "name.characters",
                Words(
                    "Họ và tên chỉ gồm chữ cái như trên giấy tờ, dấu cách, dấu nối. Xoá số và ký hiệu khác.",
                    "A name has letters as on the document, spaces and hyphens. Remove digits and other signs.",
                ),
            )
    name = " ".join(name.split())
    if len(name) > NAME_MAX_CHARS:
        raise _too_long()
    if not _BREAKS.sub("", name):
        raise _no_name()
    return name


def _no_name() -> Invalid:
    return Invalid(
        "name.missing",
        Words("Nhập họ và tên như trên giấy tờ.", "Enter the full name as on the document."),
    )


def _too_long() -> Invalid:
    return Invalid(
        "name.too_long",
        Words(
            f"Họ và tên dài quá {NAME_MAX_CHARS} ký tự.",
            f"The name is longer than {NAME_MAX_CHARS} characters.",
        ),
    )


def parse_short(raw: str) -> str:
    """A short plain name for somebody or something: upper case, letters, digits, hyphen. Raises :class:`Invalid`
    ``name.short``."""
    short = raw.strip().upper()
    if not (2 <= len(short) <= 40 and short.isascii() and short.replace("-", "").replace("_", "").isalnum()):
        raise Invalid(
            "name.short",
            Words(
                "Tên ngắn gồm 2 đến 40 chữ cái không dấu, chữ số, dấu nối.",
                "A short name has 2 to 40 plain letters, digits or hyphens.",
            ),
        )
    return short


def parse_line(raw: str, max_chars: int) -> str:
    """Return free text (an address, a place) as one NFC line, single-spaced.

    Raises :class:`Invalid` ``text.*`` for more than ``max_chars`` characters and for what cannot be seen: control and
    bidirectional marks, line separators, surrogates, private and unassigned characters. An empty line is returned as
    such. Signs such as < are kept: whoever prints a line escapes it.
    """
    if len(raw) > max_chars * 4:
        raise _line_too_long(max_chars)
    line = unicodedata.normalize("NFC", raw)
    if not line.isprintable():
        line = unicodedata.normalize("NFC", _SPACES.sub(" ", line.translate(_INVISIBLE)))
        if not line.isprintable():
            raise Invalid(
                "text.characters",
                Words(
                    "Có ký tự không dùng được. Gõ lại ô này.",
                    "There are characters that cannot be used. Type this again.",
                ),
            )
    line = " ".join(line.split())
    if len(line) > max_chars:
        raise _line_too_long(max_chars)
    return line


def _line_too_long(max_chars: int) -> Invalid:
    return Invalid("text.too_long", Words(f"Dài quá {max_chars} ký tự.", f"Longer than {max_chars} characters."))


def name_key(name: str) -> str:
    """Key under which two spellings of one name are equal: case, spaces, tone placement (hòa = hoà), y/i under a tone.

    Each word is its letters without the tone, then the tone, so a tone's place in the word does not count.

    A final y after a consonant (Qu counts as one) sounds like i. Under a tone both spellings are one Sino-Vietnamese
    word that clerks write either way: Lý = Lí, Mỹ = Mĩ, Kỳ = Kì, Quý = Quí, Sỹ = Sĩ. Without a tone they are names of
    their own, chosen by parents, and two people may bear them: Vy is not Vi, Thy not Thi, My not Mi
    (``spelling_key`` still brings them together, for grading). After a vowel y is another sound: Thúy is not Thúi,
    Huy not Hui, Tây not Tâi. A bare Y (Ê Đê men) or Ý stays.
    """
    return " ".join(word_keys(name_words(name)))


def word_keys(words: Iterable[tuple[str, str]]) -> list[str]:
    """The words of a :func:`name_key`, from those of :func:`name_words`."""
    return [settle(letters) + tone if tone else letters for letters, tone in words]


def spelling_key(name: str) -> str:
    """Like :func:`name_key`, with a final y/i taken as one without a tone too. For grading, never for deciding."""
    return " ".join([settle(letters) + tone for letters, tone in name_words(name)])


def name_words(name: str) -> list[tuple[str, str]]:
    """Each word as its letters, decomposed and caseless, and its tone or ""."""
    if not name.isprintable():
        name = name.translate(_INVISIBLE)
    # Decomposed before and after: the case folding of a few letters gives marks in another order (Unicode, 3.13).
    if _LOOKALIKES.search(name):
        name = name.translate(_LOOKALIKE)
    caseless = unicodedata.normalize("NFD", unicodedata.normalize("NFD", name).casefold())
    words = []
    for word in _BREAKS.split(caseless):
        tone = "" if word.isascii() else "".join(_TONE.findall(word))
        if word:
            words.append((_TONE.sub("", word) if tone else word, tone))
    return words


def settle(letters: str) -> str:
    """A final y after a consonant as i, in a word of :func:`name_words`."""
    if letters[-1:] != "y" or len(letters) == 1:
        return letters
    after_vowel = letters[-2] in "aeo" + _MARKS or (letters[-2] == "u" and letters[-3:-1] != "qu")
    return letters if after_vowel else letters[:-1] + "i"


def bare_letters(letters: str) -> str:
    """Letters of :func:`name_words` without their marks, đ as d; the rest as :func:`fold` writes it."""
    if letters.isascii():
        return letters
    bare = _COMBINING.sub("", letters).replace("đ", "d")
    if bare.isascii():
        return bare
    return "".join([char for char in bare.translate(_WITHOUT_BASE) if not unicodedata.combining(char)]).lower()


def fold(text: str) -> str:
    """Upper-case letters without diacritics, as the 2021 national format wrote names (Decision 1405/QĐ-BTTTT).

    Letters that Unicode does not take apart become what a passport's machine-readable zone writes (ø as OE); the few
    Latin ones without such a rule, and other scripts, stay as they are.
    """
    decomposed = unicodedata.normalize("NFD", text.translate(_WITHOUT_BASE))
    plain = "".join([char for char in decomposed if not unicodedata.combining(char)])
    return " ".join(_BREAKS.split(plain.upper())).strip()


_LETTERS = {letter: place for place, letter in enumerate("aăâbcdđeêfghijklmnoôơpqrstuưvwxyz", start=0x80)}
_TONES = "\u0300\u0309\u0303\u0301\u0323"  # huyền, hỏi, ngã, sắc, nặng: the order of dictionaries and of CLDR


def vietnamese_order(text: str) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """A key to sort by the Vietnamese alphabet: ă, â, đ, ê, ô, ơ, ư are letters; tones come after."""
    letters: list[int] = []
    tones: list[int] = []
    for whole in unicodedata.normalize("NFC", text.casefold()):
        parts = unicodedata.normalize("NFD", whole)
        letter = unicodedata.normalize("NFC", "".join(part for part in parts if part not in _TONES))
        letters.append(_LETTERS.get(letter, min(ord(letter[0]), 0x7F) if letter else 0))
        tones.append(next((_TONES.index(part) + 1 for part in parts if part in _TONES), 0))
    return tuple(letters), tuple(tones)
