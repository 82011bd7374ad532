"""Afterwards: what became of a declaration since it was sent. For the browser or platform that sent it, nobody else.

A citizen may have been declared since by another door. What that one was told is its affair: here only facts about this
very declaration count, and the citizen's number.
"""

import datetime as dt
from collections.abc import Iterable
from typing import Literal

import msgspec

from motma.core.errors import Hidden
from motma.core.facts import Accepted, Fact, Identified, Refused, Repaired, Reviewed, Standing
from motma.core.form import Declaration
from motma.core.identity import YEAR, Grade, Match
from motma.core.ids import FactId, Qid
from motma.core.words import Words
from motma.storage.store import Store

Outcome = Literal["accepted", "repairable", "pending", "unidentified", "refused"]
"""What became of a declaration. All but the last travel; all but the first are looked at by hand."""

_OUTCOMES: dict[Grade, Outcome] = {
    Grade.MATCHED: "accepted",
    Grade.VOUCHED: "accepted",
    Grade.REPAIRABLE: "repairable",
    Grade.PENDING: "pending",
    Grade.UNIDENTIFIED: "unidentified",
}
IDENTITY = ("identity.checked", "identity.repaired", "identity.reviewed")
"""The kinds of facts by which something is found out about a declaration."""


class Sequel(msgspec.Struct, frozen=True):
    """What is so now of one declaration.

    ``match``: how it fits, as was found out last; ``qid``: the number that its citizen goes by, ``own`` the number that
    it was given, which is another one after a merge (None and None: it was refused); ``standing`` of the citizen;
    ``repair``: the repair that holds what it should have said.
    """

    declaration: FactId
    match: Match
    qid: Qid | None = None
    own: Qid | None = None
    standing: Standing | None = None
    valid_from: dt.datetime | None = None
    valid_until: dt.datetime | None = None
    repair: FactId | None = None

    @property
    def is_the_newest(self) -> bool:
        """Whether this is the declaration that the citizen stands on."""
        return self.standing is not None and self.standing.declaration == self.declaration


def outcome_of(grade: Grade) -> Outcome:
    """What a grade makes of a declaration."""
    return _OUTCOMES.get(grade, "refused")


def match_of(what: Accepted | Refused) -> Match:
    """What was found out when it was sent."""
    if isinstance(what, Refused):
        return Match(what.grade, what.differing, what.how)
    differs = "birth_date" if what.how == YEAR else "name"
    return Match(what.grade, (differs,) if what.grade is Grade.REPAIRABLE else (), what.how)


async def numbers_of(store: Store, qid: Qid) -> tuple[tuple[Qid, ...], Standing | None]:
    """(a number and, after merges, those that follow up to the one its citizen goes by now; where they stand)."""
    numbers, standing = [qid], await store.standing(qid)
    while standing and standing.into and standing.into not in numbers:
        numbers.append(standing.into)
        standing = await store.standing(standing.into)
    return tuple(numbers), standing


async def sequel(store: Store, declared: Fact) -> Sequel:
    """What became of the declaration that the fact ``declared`` recorded."""
    what = declared.what
    assert isinstance(what, Accepted | Refused)
    if isinstance(what, Refused) or declared.qid is None:
        return Sequel(declared.id, match_of(what))
    numbers, standing = await numbers_of(store, declared.qid)
    outcomes = [fact for number in numbers for fact in await store.facts_about(number, kinds=IDENTITY)]
    match, valid_until, repair = became(declared.id, what, outcomes)
    return Sequel(declared.id, match, numbers[-1], declared.qid, standing, what.valid_from, valid_until, repair)


def became(declaration: FactId, what: Accepted, outcomes: Iterable[Fact]) -> tuple[Match, dt.datetime, FactId | None]:
    """(how a declaration fits by now, until when its code is valid, its last repair), by what was found out about the
    numbers of its citizen, in order of record."""
    match, valid_until, repair = match_of(what), what.valid_until, None
    for fact in outcomes:
        found = fact.what
        if not isinstance(found, Identified | Repaired | Reviewed) or found.declaration != declaration:
            continue
        if isinstance(found, Reviewed):
            match = match if found.upheld else Match(Grade.MISMATCHED)
            continue
        valid_until = found.valid_until
        if isinstance(found, Repaired):
            match, repair = Match(found.grade), fact.id
        else:
            match = Match(found.grade, found.differing, found.how)
    return match, valid_until, repair


async def declared_as_corrected(store: Store, declared: Fact) -> Declaration | None:
    """What a declaration (a fact with its personal part) says by now: as sent, or as an officer corrected it."""
    if declared.personal is None or declared.qid is None:
        return None
    last = (await sequel(store, declared)).repair
    fact = await store.fact(last) if last else declared
    return msgspec.json.decode(fact.personal, type=Declaration) if fact and fact.personal else None


async def declared_by(store: Store, declaration: FactId, source: str, *, only: tuple[str, ...] | None) -> Fact:
    """The fact of a declaration that ``source`` sent, ``only`` these of its personal fields open (None: all).

    Raises :class:`Hidden` ``declaration.hidden`` for every other.
    """
    fact = await store.fact(declaration, only=only)
    if fact is None or not isinstance(fact.what, Accepted | Refused) or fact.what.source != source:
        raise Hidden(
            "declaration.hidden",
            Words("Nơi gửi này không có tờ khai nào như vậy.", "There is no such declaration of this sender."),
        )
    return fact
