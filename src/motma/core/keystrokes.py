"""What a Vietnamese keyboard leaves behind when it fails to compose, read as the letters that were meant.

Three ways of typing: Telex (``Nguyeenx``), VNI (``Nguye64n``, RFC 1456's neighbour from VNI Software) and VIQR
(``Nguye^~n``, RFC 1456). A word is only read so if a Vietnamese syllable comes out, so that Max Mustermann stays who
he is; and a name only if it bears enough signs of one of them (:func:`signs_out`, :func:`typed_out`).
"""

import re
import unicodedata

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
_ALL = {**_TELEX, **_SIGNS}

_RIMES = frozenset(
    re.findall(
        r"\S+",
        """a ac ach ai am an ang anh ao ap at au ay ăc ăm ăn ăng ăp ăt âc âm ân âng âp ât âu ây
    e ec em en eng eo ep et ê êch êm ên ênh êp êt êu
    i ia ich iê iêc iêm iên iêng iêp iêt iêu im in inh ip it iu
    o oa oac oach oai oam oan oang oanh oao oap oat oay oăc oăm oăn oăng oăt oc oe oem oen oeo oet oi om on ong ooc
    oong op ot ô ôc ôi ôm ôn ông ôp ôt ơ ơi ơm ơn ơp ơt
    u ua uân uâng uât uây uc uê uêch uênh ui um un ung uơ uôc uôi uôm uôn uông uôt up ut uy uya uych uyên uyêt uyn
    uynh uyt uyu ư ưa ưc ưi ưm ưn ưng ươc ươi ươm ươn ương ươp ươt ươu ưt ưu y yêm yên yêng yêt yêu""",
    )
)
_ONSET = re.compile("ngh?|nh|gh|gi|kh|ph|qu|th|tr|ch|[bcdđghklmnpqrstvx]|")
_APART = re.compile(r"([ -]+)")

# What no name has: a digit inside a word, a tone and a mark at its end, a sign after the vowel that it belongs to.
_SIGNS_SEEN = re.compile(
    r"[^\W\d_][1-9]+[^\W\d_]|(?:[678][1-5]|[1-5][678])(?:[ -]|$)|[aeo]\^|a\(|[ou]\+|[^\W\d_][\^(+]?~", re.IGNORECASE
)
_MUST_GO = re.compile(r"[0-9^(+~?]")
_TELEX_MAYBE = re.compile(r"[aeiouyăâêôơư][a-z]*?[sfrxjw]|w|([aeo])[a-z]*?\1|d[a-z]*?d", re.IGNORECASE)


def signs_out(name: str) -> str:
    """``name`` with the digits of VNI and the signs of VIQR as the letters that they stand for; else as it came.

    Neither belongs in a name, but a digit may also be a slip, or tell two namesakes apart (``Hoa2``). So one word must
    show a keyboard at work (a digit between letters, or a mark and a tone at the end, or a sign after its vowel), and
    every word with a sign must become a Vietnamese syllable. Letters keep their case; the tone of oa, oe, uy stands on
    the first letter (hòa). ``name`` is in NFC; so is what comes out.
    """
    if not _SIGNS_SEEN.search(name):
        return name
    viqr = any(sign in name for sign in "^(+~")
    words = _APART.split(name)
    for at, word in enumerate(words):
        if _MUST_GO.search(word) or (viqr and any(sign in word for sign in "'`.")):
            written = _write(word, _SIGNS) or _write(word, _ALL)
            if written:
                words[at] = written[0]
            elif _MUST_GO.search(word):
                return name
    return "".join(words)


def typed_out(name: str) -> str:
    """``name`` as its Telex keys would have composed it (``Nguyeenx`` is Nguyễn, ``Phuowng`` Phương); else as it came.

    Telex is made of letters, so this is a second reading of a name and never replaces the first. A single doubled
    vowel in a name that bears no mark is none: Lee is a Korean family, not Lê.
    """
    if not _TELEX_MAYBE.search(name):
        return name
    words, sure, doubled = _APART.split(name), not name.isascii(), 0
    for at, word in enumerate(words):
        if _TELEX_MAYBE.search(word) and (written := _write(word, _TELEX)):
            words[at], roofs_only = written
            doubled += 1
            sure = sure or not roofs_only
    return "".join(words) if sure or doubled > 1 else name


def _write(word: str, strokes: _Strokes) -> tuple[str, bool] | None:
    """The syllable that the keys compose, in NFC, and whether only doubled vowels were at work; ``None`` if no syllable
    comes out, or no key did anything."""
    bases: list[str] = []
    marks: list[str] = []
    tone, vowel, struck, roofs_only = "", False, False, True
    for char in unicodedata.normalize("NFD", word):
        key = char.lower()
        mark, bearers = strokes.get(key, ("", ""))
        if char in _TONES or (mark and not bearers and vowel):
            if tone:
                return None
            tone = mark or char
            if mark:
                struck, roofs_only = True, False
        elif char in _MARKS and bases:
            marks[-1] += char
        elif bearers and _mark(bases, marks, mark, bearers):
            struck = True
            roofs_only = roofs_only and key in "aeo"
        elif key == "w" and bearers:  # Nhw, Tw: the key alone is the letter
            bases.append("U" if char == "W" else "u")
            marks.append(_HORN)
            vowel = True
            struck, roofs_only = True, False
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
    return unicodedata.normalize("NFC", written[: at + 1] + tone + written[at + 1 :]) if tone else written, roofs_only


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
    if start == 2 and word[:2] in ("gi", "qu") and word[2:] not in _RIMES:
        start = 1  # Gìn, Giêng, Quốc: the second letter is the rime's
    rime = word[start:]
    if rime not in _RIMES or (word[0] == "q" and word[1] != "u"):
        return None
    # A syllable that stops short has one of two tones; without any it lost it elsewhere (Duc).
    if tone not in ("", _ACUTE, _DOT) and (rime[-1] in "cpt" or rime.endswith("ch")):
        return None
    vowels = [at for at in range(start, len(word)) if word[at] in "aăâeêioôơuưy"]
    marked = [at for at in vowels if word[at] in "ăâêôơư"]
    if marked:
        return marked[-1]
    return vowels[-1] if len(vowels) == 1 or vowels[-1] < len(word) - 1 else vowels[-2]


def is_syllable(word: str) -> bool:
    """Whether a word, without tones, is written as a Vietnamese syllable is. ``word``: lower case, any form."""
    return _tone_at(unicodedata.normalize("NFC", word), "") is not None
