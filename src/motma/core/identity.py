"""What a citizen says, against what the population register says."""

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum
from unicodedata import combining, normalize

from rapidfuzz.distance import OSA

from motma.core.ids import Document
from motma.core.keystrokes import is_syllable, typed_out
from motma.core.text import bare_letters, name_key, name_words, settle, word_keys


class Grade(StrEnum):
    """How well a claim fits the register, best first."""

    MATCHED = "matched"
    VOUCHED = "vouched"
    """An officer with the document in hand vouches; the register could not confirm. Never from :func:`compare`."""
    REPAIRABLE = "repairable"
    """Number and birth date belong together and the name differs as a typing slip does; or number and name do, and of
    the birth date only the year was said."""
    PENDING = "pending"
    """The register could not be asked. Unknown is never invalid."""
    UNIDENTIFIED = "unidentified"
    """There is no number to ask about. Never from :func:`compare`."""
    MISMATCHED = "mismatched"
    UNKNOWN = "unknown"
    """No such number."""
    DUPLICATE = "duplicate"
    """An old number or passport that several people bear, and name and birth date do not tell which."""

    @property
    def is_sure(self) -> bool:
        """Whether it is known who this is."""
        return self in (Grade.MATCHED, Grade.VOUCHED)

    @property
    def is_a_miss(self) -> bool:
        """Whether it tells something about a number to whoever tries: counted, so that nobody tries for long."""
        return not self.is_sure and self is not Grade.PENDING

    @property
    def travels(self) -> bool:
        """Whether a code is issued: for whoever may be who they say, to be looked at by hand until it is sure."""
        return self.is_sure or self in (Grade.REPAIRABLE, Grade.PENDING, Grade.UNIDENTIFIED)


class NameDifference(StrEnum):
    """How far two names are apart, nearest first; ``rank`` counts from 0. Only the first two are one name."""

    SAME = "same"
    """The same letters; in Unicode there are several ways to write them."""
    STYLE = "style"
    """Case, spaces, where a tone stands, y/i under a tone, or a claim in the keys of Telex."""
    SPELLING = "spelling"
    """A final y/i without a tone: Vy and Vi sound alike, but parents choose between them."""
    TONES = "tones"
    """Tones, or marks of letters, are missing on one side; nothing contradicts the other."""
    MARKS = "marks"
    """The same letters under other tones or marks (Hùng, Hưng), or tones missing where y/i differs too."""
    WORD = "word"
    """One word is missing on one side."""
    ORDER = "order"
    SLIP = "slip"
    """One letter more, less, changed, or two neighbours swapped."""
    DIFFERENT = "different"

    @property
    def rank(self) -> int:
        return _RANKS[self]


_RANKS = {difference: rank for rank, difference in enumerate(NameDifference)}

YEAR = "year"
"""How a claim fits, or does not, that says only the year of birth: for :attr:`Match.how`, and in ``accepts``."""


@dataclass(frozen=True, slots=True)
class IdentityClaim:
    """Who somebody says they are. If they said only the year of birth (``year_only``), ``birth_date`` is 1 January."""

    document: Document
    name: str
    birth_date: dt.date
    year_only: bool = False


@dataclass(frozen=True, slots=True)
class RegisterRecord:
    """What the register holds for one document number; never shown to anybody who is not entitled to it.

    Where it knows only the year of birth (``year_only``), ``birth_date`` is 1 January and only its year counts.
    """

    name: str
    birth_date: dt.date
    year_only: bool = False


@dataclass(frozen=True, slots=True)
class Match:
    """The grade, and the fields that differ.

    ``how`` is the :class:`NameDifference` of a name that is repairable, or that the measure took for a match;
    :data:`YEAR` where only the year of birth was said and the register knows more.
    """

    grade: Grade
    differing: tuple[str, ...] = ()
    how: str | None = None

    @property
    def fits(self) -> bool:
        """Whether everything that was said is so, if it was only the year of birth: then it is about this citizen."""
        return self.grade.is_sure or (self.grade is Grade.REPAIRABLE and self.how == YEAR)

    @property
    def is_a_miss(self) -> bool:
        """Whether it tells something about a number to whoever tries, and does not fit: counted."""
        return self.grade.is_a_miss and not self.fits

    @property
    def travels(self) -> bool:
        """Whether a code is issued on this match."""
        return self.grade.travels


PENDING = Match(Grade.PENDING)


def compare(claim: IdentityClaim, record: RegisterRecord | None, accepts: Collection[str] = frozenset()) -> Match:
    """Grade a claim against what the register holds for its number; ``None`` means that it holds nothing.

    The number is the caller's affair. The birth date must fit exactly (where the register knows only the year: the
    year) before the name is looked at. A name that is the same but for its style matches, any other likeness makes it
    repairable at best: over the 29.2 million pairs of 7,649 real full names, dropping tones makes 145 pairs equal, an
    edit distance of one accepts 2,499, Jaro-Winkler at 0.92 accepts 94,553. ``accepts`` are the values of
    :class:`NameDifference` that the measure in force takes for a match.

    Of whom only the year was said (``claim.year_only``) and the register knows more, the name must be the same: with a
    year alone nothing else tells people apart. They are repairable by their date, or matched where ``accepts`` holds
    :data:`YEAR`. That they were born on 1 January makes no difference, or they would be told so; and whatever does not
    fit of such a claim is :data:`YEAR` as well, so that one answer can be given for all of it.
    """
    year_only = YEAR if claim.year_only else None
    if record is None:
        return Match(Grade.UNKNOWN, ("document.number",), year_only)
    born, held = claim.birth_date, record.birth_date
    if born.year != held.year or not (record.year_only or claim.year_only or born == held):
        return Match(Grade.MISMATCHED, ("birth_date",), year_only)
    how = name_difference(claim.name, record.name)
    same = how.rank <= NameDifference.STYLE.rank
    if year_only and not record.year_only:
        if not same and how not in accepts:
            return Match(Grade.MISMATCHED, ("name",), YEAR)
        return Match(Grade.MATCHED, (), YEAR) if YEAR in accepts else Match(Grade.REPAIRABLE, ("birth_date",), YEAR)
    if same:
        return Match(Grade.MATCHED)
    if how is NameDifference.DIFFERENT:
        return Match(Grade.MISMATCHED, ("name",), year_only)
    return Match(Grade.MATCHED, (), how) if how in accepts else Match(Grade.REPAIRABLE, ("name",), how)


def name_difference(claim: str, record: str) -> NameDifference:
    """How far a typed name is from the one on record; the same both ways, but for Telex, which only people type.

    Texts without a letter are no names, and never the same. Two differences at once (no tones, and a word missing)
    make two names, so that an edit more never brings a name nearer; a style costs nothing beside another difference.
    """
    said = _Name(claim)
    if not said.words:
        return NameDifference.DIFFERENT
    if claim == record or normalize("NFC", claim) == normalize("NFC", record):
        return NameDifference.SAME
    held = _Name(record)
    if said.keys == held.keys:
        return NameDifference.STYLE
    if (composed := typed_out(claim)) != claim:
        typed = _Name(composed)
        if typed.keys == held.keys:
            return NameDifference.STYLE
        return min(_difference(said, held), _difference(typed, held), key=_RANKS.__getitem__)
    return _difference(said, held)


def composed_name(claim: str, record: str) -> str:
    """A claimed name as it is to be printed once it matched: composed, where only its keys were typed (Nguyeenx).

    Otherwise as typed: the register's own spelling is not told.
    """
    composed = typed_out(claim)
    return composed if name_key(composed) == name_key(record) != name_key(claim) else claim


class _Name:
    """A name taken apart: its words as letters and tone, and the keys of the words."""

    __slots__ = ("keys", "words")

    def __init__(self, name: str) -> None:
        self.words = name_words(name)
        self.keys = word_keys(self.words)


def _difference(said: _Name, held: _Name) -> NameDifference:
    """How names with different keys differ."""
    more = len(said.keys) - len(held.keys)
    if more == 0:
        if under_marks := _difference_of_marks(said, held):
            return under_marks
        if sorted(said.keys) == sorted(held.keys):
            return NameDifference.ORDER
    else:
        few, many = (held, said) if more > 0 else (said, held)
        if _is_written_together(few.words, many.words):
            return NameDifference.STYLE
        # A single word is no name to be completed: "Nguyễn" would fit a third of the country.
        if len(few.keys) > 1 and abs(more) == 1 and _is_subsequence(few.keys, many.keys):
            return NameDifference.WORD
    one_slip = OSA.distance(" ".join(said.keys), " ".join(held.keys), score_cutoff=1) <= 1
    return NameDifference.SLIP if one_slip else NameDifference.DIFFERENT


def _difference_of_marks(said: _Name, held: _Name) -> NameDifference | None:
    """How names with the same bare letters differ; ``None`` if the letters do."""
    fewer = more = same = True
    another_y = False
    for one, other, key, other_key in zip(said.words, held.words, said.keys, held.keys, strict=True):
        if key == other_key:
            continue
        bare, other_bare = bare_letters(one[0]), bare_letters(other[0])
        if bare != other_bare:
            if settle(bare) != settle(other_bare):
                return None
            another_y = another_y or not (one[1] or other[1])
        marks, other_marks = _marks(*one), _marks(*other)
        if marks != other_marks:
            same = False
            fewer, more = fewer and marks <= other_marks, more and other_marks <= marks
    if same:
        return NameDifference.SPELLING
    return NameDifference.TONES if (fewer or more) and not another_y else NameDifference.MARKS


def _marks(letters: str, tone: str) -> set[tuple[int, str]]:
    """The marks of a word, each with the place of its letter; the tone, which has no place of its own, with -1."""
    marks = {(-1, tone)} if tone else set()
    if not letters.isascii():
        at = 0
        for char in letters:
            if char.isascii():
                at += 1
            elif combining(char):
                marks.add((at, char))
            else:  # đ, æ: as many letters as a passport writes for it
                at += len(bare_letters(char))
                marks.add((at, char))
    return marks


def _is_written_together(few: list[tuple[str, str]], many: list[tuple[str, str]]) -> bool:
    """Whether the names differ only in spaces left out, and what was written together is no syllable of its own.

    Nguyễn VănAn is Nguyễn Văn An, but Thiên is not Thi Ên.
    """
    if "".join([letters for letters, _ in few]) != "".join([letters for letters, _ in many]):
        return False
    rest = iter(many)
    for letters, tone in few:
        parts, tones = next(rest, ("", ""))
        if parts == letters:
            if tones != tone:
                return False
            continue
        while len(parts) < len(letters):
            more, more_tones = next(rest)
            parts, tones = parts + more, tones + more_tones
        if parts != letters or tones != tone or is_syllable(letters):
            return False
    return True


def _is_subsequence(short: list[str], long: list[str]) -> bool:
    rest = iter(long)
    return all(word in rest for word in short)
