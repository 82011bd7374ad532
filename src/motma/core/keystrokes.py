"""What a Vietnamese keyboard leaves behind when it fails to compose, read as the letters that were meant.

Three ways of typing: Telex (``Nguyeenx``), VNI (``Nguye64n``, RFC 1456's neighbour from VNI Software) and VIQR
(``Nguye^~n``, RFC 1456). A word is only read so if a Vietnamese syllable comes out, so that Max Mustermann stays who
he is; and a name only if it bears enough signs of one of them (:func:`signs_out`, :func:`typed_out`).
"""

import re
import unicodedata
from functools import lru_cache

_GRAVE, _ACUTE, _TILDE, _HOOK, _DOT = "\u0300", "\u0301", "\u0303", "\u0309", "\u0323"
_ROOF, _BREVE, _HORN, _BAR = "\u0302", "\u0306", "\u031b", "\u0335"
_TONES = frozenset((_GRAVE, _ACUTE, _TILDE, _HOOK, _DOT))
_MARKS = frozenset((_ROOF, _BREVE, _HORN))
_VOWELS = frozenset("aeiouy")

# Key -> the mark that it sets, and the letters that can bear it. Tones name no letter: they are the syllable's.
_Strokes = dict[str, tuple[str, str]]
_TELEX: _Strokes = {
    **{key: (tone, "") for key, tone in zip("sfrxj", (_ACUTE, _GRAVE, _HOOK, _TILDE, _DOT), strict=True)},
    "a": (_ROOF, "a"),
    "e": (_ROOF, "e"),
    "o": (_ROOF, "o"),
    "w": (_HORN, "aou"),
    "d": (_BAR, "d"),
}
_SIGNS: _Strokes = {
    **{key: (tone, "") for key, tone in zip("12345", (_ACUTE, _GRAVE, _HOOK, _TILDE, _DOT), strict=True)},
    **{key: (tone, "") for key, tone in zip("'`?~.", (_ACUTE, _GRAVE, _HOOK, _TILDE, _DOT), strict=True)},
    "6": (_ROOF, "aeo"),
    "^": (_ROOF, "aeo"),
    "7": (_HORN, "ou"),
    "+": (_HORN, "ou"),
    "8": (_BREVE, "a"),
    "(": (_BREVE, "a"),
    "9": (_BAR, "d"),
    "d": (_BAR, "d"),
}
_WAYS: dict[str, _Strokes] = {"telex": _TELEX, "signs": _SIGNS, "both": {**_TELEX, **_SIGNS}}

_RIMES = re.findall(
    r"\S+",
    """a ac ach ai am an ang anh ao ap at au ay ăc ăm ăn ăng ăp ăt âc âm ân âng âp ât âu ây
    e ec em en eng eo ep et ê êch êm ên ênh êp êt êu
    i ia ich iê iêc iêm iên iêng iêp iêt iêu im in inh ip it iu
    o oa oac oach oai oam oan oang oanh oao oap oat oay oăc oăm oăn oăng oăt oc oe oem oen oeo oet oi om on ong ooc
    oong op ot ô ôc ôi ôm ôn ông ôp ôt ơ ơi ơm ơn ơp ơt
    u ua uân uâng uât uây uc uê uêch uênh ui um un ung uơ uôc uôi uôm uôn uông uôt up ut uy uya uych uyên uyêt uyn
    uynh uyt uyu ư ưa ưc ưi ưm ưn ưng ươc ươi ươm ươn ương ươp ươt ươu ưt ưu y yêm yên yêng yêt yêu""",
)
_ONSET = re.compile("ngh?|nh|gh|gi|kh|ph|qu|th|tr|ch|[bcdđghklmnpqrstvx]|")


def _bearer(rime: str) -> int:
    """Which letter of a rime bears the tone: the last marked one; of two vowels at the end the first (hòa), else the
    last (hoàn); of three the middle one (hoài)."""
    marked = [at for at, letter in enumerate(rime) if letter in "ăâêôơư"]
    vowels = [at for at, letter in enumerate(rime) if letter in "aăâeêioôơuưy"]
    if marked:
        return marked[-1]
    return vowels[-1] if len(vowels) == 1 or vowels[-1] < len(rime) - 1 else vowels[-2]


_BEARERS = {rime: _bearer(rime) for rime in _RIMES}
# A syllable that stops short has one of two tones; without any it lost it elsewhere (Duc).
_STOPPED = frozenset(rime for rime in _RIMES if rime.endswith(("c", "ch", "p", "t")))
_APART = re.compile(r"([ -]+)")

# What no name has: a digit with letters after it, a tone and a mark at the end, a sign after the vowel it belongs to.
_SIGNS_SEEN = re.compile(
    r"[^\W\d_][1-9]+[ -]?[^\W\d_]|(?:[678][1-5]|[1-5][678])(?:[ -]|$)|[aeo]\^|a\(|[ou]\+|[^\W\d_][\^(+]?~|[aeiouy]`",
    re.IGNORECASE,
)
_MUST_GO = re.compile(r"[0-9^(+~?]")
_TELEX_MAYBE = re.compile(r"[aeiouyăâêôơư][a-z]*?[sfrxjw]|w|([aeo])[a-z]*?\1|d[a-z]*?d", re.IGNORECASE)
_LIKE_LEE = re.compile(r"(?!dd)[b-df-hj-np-tv-z]*(?:ee|oo|([aeo])[bcdghklmnpt]+\1)[cghklmnpt]*", re.IGNORECASE)
_VIQR_MAYBE = re.compile(r"[aeiouyăâêôơư]['.](?P<inside>[a-z])?", re.IGNORECASE)


def signs_out(name: str) -> str:
    """``name`` with the digits of VNI and the signs of VIQR as the letters that they stand for; else as it came.

    Neither belongs in a name, but a digit may also be a slip, or tell two namesakes apart (``Hoa2``). So one word must
    show a keyboard at work (a digit with letters after it, a mark and a tone at the end, or a sign after its vowel),
    and every word with a sign must become a Vietnamese syllable; only apostrophes and full stops may stay, which names
    have too. Letters keep their case; the tone of oa, oe, uy stands on the first letter (hòa). In NFC, as it came.
    """
    if not _SIGNS_SEEN.search(name):
        return name
    viqr = any(sign in name for sign in "^(+~`")
    words = _APART.split(name)
    for at, word in enumerate(words):
        if _MUST_GO.search(word) or (viqr and any(sign in word for sign in "'`.")):
            written = _write(word, "signs") or _write(word, "both")
            if written:
                words[at] = written
            elif _MUST_GO.search(word):
                return name
    return "".join(words)


def typed_out(name: str) -> str:
    """``name`` as its Telex keys would have composed it (``Nguyeenx`` is Nguyễn, ``Phuowng`` Phương); else as it came.

    So are the tones of VIQR that a name may hold (``Pha.m``). Both are made of what names are made of, so this is a
    second reading and never replaces the first. In a name without marks one word with ee or oo is no sign of Telex:
    Lee is a Korean family, not Lê, and Dana not Dân.
    """
    telex, viqr = _TELEX_MAYBE.search(name), _VIQR_MAYBE.search(name)
    if not telex and not viqr:
        return name
    words, sure, maybe = _APART.split(name), not name.isascii(), 0
    for at, word in enumerate(words):
        if viqr and (found := _VIQR_MAYBE.search(word)):
            written, certain = _write(word, "signs"), bool(found["inside"])
        elif telex and _TELEX_MAYBE.search(word):
            written, certain = _write(word, "telex"), not _LIKE_LEE.fullmatch(word)
        else:
            continue
        if written:
            words[at] = written
            maybe += 1
            sure = sure or certain
    return "".join(words) if sure or maybe > 1 else name


@lru_cache(maxsize=4096)  # the same few syllables again and again: Nguyeenx, Vawn, Thij
def _write(word: str, way: str) -> str | None:
    """The syllable that the keys compose, in NFC; ``None`` if no syllable comes out, or no key did anything."""
    strokes = _WAYS[way]
    bases: list[str] = []
    marks: list[str] = []
    tone, vowel, struck = "", False, False
    for char in word if word.isascii() else unicodedata.normalize("NFD", word):
        key = char.lower()
        mark, bearers = strokes.get(key, ("", ""))
        if char in _TONES or (mark and not bearers and vowel):
            if tone:
                return None
            tone = mark or char
            struck = struck or bool(mark)
        elif char in _MARKS and bases:
            marks[-1] += char
        elif bearers and _mark(bases, marks, mark, bearers):
            struck = True
        elif key == "w" and bearers:  # Nhw, Tw: the key alone is the letter
            bases.append("U" if char == "W" else "u")
            marks.append(_HORN)
            vowel = struck = True
        else:
            bases.append(char)
            marks.append("")
            vowel = vowel or key in _VOWELS
    if len(bases) > 1 and marks[-2:] == [_HORN, _HORN]:
        marks[-2] = ""  # nothing follows ươ, but much ends in uơ: Thuở
    if not struck:
        return None
    written = unicodedata.normalize(
        "NFC",
        "".join(
            [
                base if not mark else "Đđ"[base == "d"] if mark == _BAR else base + mark
                for base, mark in zip(bases, marks, strict=True)
            ]
        ),
    )
    at = _tone_at(written.lower(), tone)
    if at is None:
        return None
    return unicodedata.normalize("NFC", written[: at + 1] + tone + written[at + 1 :]) if tone else written


def _mark(bases: list[str], marks: list[str], mark: str, bearers: str) -> bool:
    """Set a mark on the last letter that can bear it; whether there was one."""
    for at in range(len(bases) - 1, -1, -1):
        base = bases[at].lower()
        if base not in bearers or marks[at] or (mark == _BAR and at):
            continue
        before = bases[at - 1].lower() if at and not marks[at - 1] else ""
        after_u = before == "u" and not (at > 1 and bases[at - 2].lower() == "q")
        if mark == _HORN and base == "a":
            if after_u:  # Mưa, but Quăn and Hoặc
                marks[at - 1] = _HORN
            else:
                marks[at] = _BREVE
            return True
        if mark == _HORN and base == "o" and after_u:
            marks[at - 1] = _HORN
        marks[at] = mark
        return True
    return False


def _tone_at(word: str, tone: str) -> int | None:
    """Which letter of a syllable bears its tone; ``None`` for what is no Vietnamese syllable. Lower case, NFC."""
    found = _ONSET.match(word)
    start = found.end() if found else 0
    if start == 2 and word[:2] in ("gi", "qu") and word[2:] not in _BEARERS:
        start = 1  # Gìn, Giêng, Quốc: the second letter is the rime's
    rime = word[start:]
    if rime not in _BEARERS or (word[0] == "q" and word[1] != "u"):
        return None
    return None if rime in _STOPPED and tone not in ("", _ACUTE, _DOT) else start + _BEARERS[rime]


def is_syllable(word: str) -> bool:
    """Whether a word, without tones, is written as a Vietnamese syllable is. ``word``: lower case, any form."""
    return _tone_at(unicodedata.normalize("NFC", word), "") is not None
