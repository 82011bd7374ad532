"""What happens to a name between the card and the register: one edit each, drawn with a seeded generator."""

import random
import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass

from motma.core.text import bare_letters, fold

Edit = Callable[[str, random.Random], str]
"""A name in NFC and a generator -> what was typed; the name itself where the edit does not apply."""

_TELEX = {"\u0301": "s", "\u0300": "f", "\u0309": "r", "\u0303": "x", "\u0323": "j"}
_VNI = {"\u0301": "1", "\u0300": "2", "\u0309": "3", "\u0303": "4", "\u0323": "5"}
_VIQR = {"\u0301": "'", "\u0300": "`", "\u0309": "?", "\u0303": "~", "\u0323": "."}
_TELEX_MARKS = {"\u0306": "w", "\u031b": "w"}  # the roof is the letter again
_VNI_MARKS = {"\u0302": "6", "\u031b": "7", "\u0306": "8"}
_VIQR_MARKS = {"\u0302": "^", "\u031b": "+", "\u0306": "("}
_OPEN = re.compile(
    "(o[\u0300\u0301\u0303\u0309\u0323][ae]|(?<!q)u[\u0300\u0301\u0303\u0309\u0323]y)(?= |$)", re.IGNORECASE
)
_LETTERS = "abcdeghiklmnopqrstuvxy"


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of edit, and what is expected of it: one name still (``matched``), a way out, or a refusal."""

    name: str
    expected: str
    edit: Edit


def keyed(word: str, tones: dict[str, str], marks: dict[str, str], bar: str, rng: random.Random) -> str:
    """A word in the keys of a keyboard; the tone right after its letter or at the end of the word."""
    typed, tone, letter, late = "", "", "", rng.random() < 0.5
    for char in unicodedata.normalize("NFD", word):
        if char in tones:
            if late:
                tone = tones[char]
            else:
                typed += tones[char]
        elif char in marks:
            typed += marks[char]
        elif char == "\u0302":
            typed += letter.lower()
        else:
            letter = char
            typed += {"đ": "d" + bar, "Đ": "D" + bar}.get(char, char)
    return typed + tone


def telex(name: str, rng: random.Random) -> str:
    return _each(name, lambda word: keyed(word, _TELEX, _TELEX_MARKS, "d", rng))


def vni(name: str, rng: random.Random) -> str:
    return _each(name, lambda word: keyed(word, _VNI, _VNI_MARKS, "9", rng))


def viqr(name: str, rng: random.Random) -> str:
    """RFC 1456: each sign right after its letter, the tone last."""

    def signed(word: str) -> str:
        typed = ""
        for letter in unicodedata.normalize("NFC", word):
            parts = unicodedata.normalize("NFD", letter)
            typed += {"đ": "dd", "Đ": "DD"}.get(parts[0], parts[0])
            typed += "".join([_VIQR_MARKS[part] for part in parts if part in _VIQR_MARKS])
            typed += "".join([_VIQR[part] for part in parts if part in _VIQR])
        return typed

    return _each(name, signed)


def _each(name: str, change: Callable[[str], str]) -> str:
    return unicodedata.normalize("NFC", " ".join([change(word) for word in name.split(" ")]))


def one_word(change: Callable[[str, random.Random], str]) -> Edit:
    """``change`` on one word that it changes."""

    def edit(name: str, rng: random.Random) -> str:
        words = name.split(" ")
        places = [at for at, word in enumerate(words) if change(word, random.Random(0)) != word]
        if places:
            at = rng.choice(places)
            words[at] = change(words[at], rng)
        return " ".join(words)

    return edit


def no_marks(name: str, _: random.Random) -> str:
    return fold(name).title() if bare_letters(unicodedata.normalize("NFD", name.lower())) != name.lower() else name


def tone_moved(name: str, _: random.Random) -> str:
    moved = _OPEN.sub(lambda found: found[0][0] + found[0][2] + found[0][1], unicodedata.normalize("NFD", name))
    return unicodedata.normalize("NFC", moved)


def y_or_i(name: str, _: random.Random) -> str:
    """Lý as Lí, Mĩ as Mỹ: a final y or i under a tone after a single consonant."""
    swap = str.maketrans("ýỳỷỹỵíìỉĩị", "íìỉĩịýỳỷỹỵ")
    return re.sub("(?<=[HKLMSThklmst])[ýỳỷỹỵíìỉĩị](?= |$)", lambda found: found[0].translate(swap), name)


def bare_y_or_i(name: str, _: random.Random) -> str:
    return re.sub("(?<=[VvMmLlh])[yi](?= |$)", lambda found: "yi"[found[0] == "y"], name)


def another_tone(name: str, rng: random.Random) -> str:
    """One tone as another one."""
    letters = list(unicodedata.normalize("NFD", name))
    places = [at for at, letter in enumerate(letters) if letter in _TELEX]
    if places:
        at = rng.choice(places)
        letters[at] = rng.choice([tone for tone in _TELEX if tone != letters[at]])
    return unicodedata.normalize("NFC", "".join(letters))


def together(name: str, rng: random.Random) -> str:
    words = name.split(" ")
    at = rng.randrange(len(words) - 1) if len(words) > 1 else 0
    return " ".join([*words[:at], "".join(words[at : at + 2]), *words[at + 2 :]])


def shorter(name: str, rng: random.Random) -> str:
    """A word in the middle left out."""
    words = name.split(" ")
    if len(words) < 3:
        return name
    at = rng.randrange(1, len(words) - 1)
    return " ".join(words[:at] + words[at + 1 :])


def reversed_words(name: str, _: random.Random) -> str:
    return " ".join(reversed(name.split(" ")))


def family_last(name: str, _: random.Random) -> str:
    words = name.split(" ")
    return " ".join(words[1:] + words[:1])


def given_first(name: str, _: random.Random) -> str:
    words = name.split(" ")
    return " ".join(words[-1:] + words[:-1])


def wrong_letter(name: str, rng: random.Random) -> str:
    at = _letter(name, rng)
    return name[:at] + rng.choice([one for one in _LETTERS if one != name[at].lower()]) + name[at + 1 :]


def missing_letter(name: str, rng: random.Random) -> str:
    at = _letter(name, rng)
    return name[:at] + name[at + 1 :]


def extra_letter(name: str, rng: random.Random) -> str:
    at = _letter(name, rng)
    return name[: at + 1] + rng.choice(_LETTERS) + name[at + 1 :]


def letters_swapped(name: str, rng: random.Random) -> str:
    places = [at for at in range(1, len(name) - 1) if name[at : at + 2].isalpha() and name[at : at + 2].isascii()]
    at = rng.choice(places) if places else 0
    return name[:at] + name[at + 1] + name[at] + name[at + 2 :] if places else name


def _letter(name: str, rng: random.Random) -> int:
    """A letter without marks: marks have kinds of their own."""
    places = [at for at, letter in enumerate(name) if letter.isascii() and letter.isalpha()]
    return rng.choice(places) if places else 0


def after(first: Edit, second: Edit) -> Edit:
    """Two edits, the second on what the first left; nothing where either does not apply."""

    def edit(name: str, rng: random.Random) -> str:
        once = first(name, rng)
        twice = second(once, rng)
        return name if once == name or twice in (once, name) else twice

    return edit


KINDS = (
    Kind("upper case", "matched", lambda name, _: name.upper()),
    Kind("NFD, as iPhones send it", "matched", lambda name, _: unicodedata.normalize("NFD", name)),
    Kind("tone on the other vowel", "matched", tone_moved),
    Kind("y/i under a tone", "matched", y_or_i),
    Kind("two spaces, no-break space", "matched", lambda name, _: name.replace(" ", "  ", 1).replace(" ", "\u00a0")),
    Kind("a space left out", "matched", together),
    Kind("zero-width characters", "matched", lambda name, _: "\u200b".join(name) + "\ufeff"),
    Kind("Ð for Đ", "matched", lambda name, _: name.replace("Đ", "Ð").replace("đ", "ð")),
    Kind("Telex, every word", "matched", telex),
    Kind("Telex, one word", "matched", one_word(telex)),
    Kind("VNI", "matched", vni),
    Kind("VIQR", "matched", viqr),
    Kind("no tones or marks at all", "repairable", no_marks),
    Kind("none on one word", "repairable", one_word(no_marks)),
    Kind("one tone wrong", "repairable", another_tone),
    Kind("y/i without a tone", "repairable", bare_y_or_i),
    Kind("a word left out", "repairable", shorter),
    Kind("words reversed", "repairable", reversed_words),
    Kind("family name last", "repairable", family_last),
    Kind("given name first", "repairable", given_first),
    Kind("a wrong letter", "repairable", wrong_letter),
    Kind("a letter left out", "repairable", missing_letter),
    Kind("a letter too many", "repairable", extra_letter),
    Kind("two letters swapped", "repairable", letters_swapped),
    Kind("two wrong letters", "mismatched", after(wrong_letter, wrong_letter)),
    Kind("no tones, a word left out", "mismatched", after(no_marks, shorter)),
    Kind("no tones, words reversed", "mismatched", after(no_marks, reversed_words)),
    Kind("two words left out", "mismatched", after(shorter, shorter)),
)
