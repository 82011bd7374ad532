"""What a citizen says, against what the population register says."""

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum

from rapidfuzz.distance import OSA

from motma.core.ids import Document
from motma.core.text import fold, name_key


class Grade(StrEnum):
    """How well a claim fits the register, best first."""

    MATCHED = "matched"
    REPAIRABLE = "repairable"
    """Number and birth date belong together; the name differs as a typing slip does."""
    PENDING = "pending"
    """The register could not be asked. Unknown is never invalid."""
    MISMATCHED = "mismatched"
    UNKNOWN = "unknown"
    """No such number."""


@dataclass(frozen=True, slots=True)
class IdentityClaim:
    """Who somebody says they are."""

    document: Document
    name: str
    birth_date: dt.date


@dataclass(frozen=True, slots=True)
class RegisterRecord:
    """What the register holds for one document number; never shown to anybody who is not entitled to it.

    ``documents`` are all numbers of this person that it knows, so that one person is found by each of them.
    """

    name: str
    birth_date: dt.date
    documents: tuple[Document, ...] = ()


@dataclass(frozen=True, slots=True)
class Match:
    """The grade, and the fields that differ. ``how`` says how a name differs when that may be told."""

    grade: Grade
    differing: tuple[str, ...] = ()
    how: str | None = None

    @property
    def travels(self) -> bool:
        """Whether a code is issued on this match."""
        return self.grade in (Grade.MATCHED, Grade.PENDING)


PENDING = Match(Grade.PENDING)


def compare(claim: IdentityClaim, record: RegisterRecord | None) -> Match:
    """Grade a claim against what the register holds for its number; ``None`` means that it holds nothing.

    Number and birth date must fit exactly before the name is looked at: Jaro-Winkler at 0.92 would accept 94,553
    pairs of different names out of 29.2 million, so likeness alone never makes a match.
    """
    if record is None:
        return Match(Grade.UNKNOWN, ("document.number",))
    if claim.birth_date != record.birth_date:
        return Match(Grade.MISMATCHED, ("birth_date",))
    claimed, held = name_key(claim.name), name_key(record.name)
    if claimed == held:
        return Match(Grade.MATCHED)
    claimed_words, held_words = claimed.split(" "), held.split(" ")
    if fold(claim.name) == fold(record.name):
        return Match(Grade.REPAIRABLE, ("name",), "tones")
    if sorted(claimed_words) == sorted(held_words):
        return Match(Grade.REPAIRABLE, ("name",), "order")
    if abs(len(claimed_words) - len(held_words)) == 1 and _is_subsequence(claimed_words, held_words):
        return Match(Grade.REPAIRABLE, ("name",), "word")
    if OSA.distance(claimed, held, score_cutoff=1) <= 1:
        return Match(Grade.REPAIRABLE, ("name",), "slip")
    return Match(Grade.MISMATCHED, ("name",))


def _is_subsequence(one: list[str], other: list[str]) -> bool:
    short, long = sorted((one, other), key=len)
    rest = iter(long)
    return all(word in rest for word in short)
