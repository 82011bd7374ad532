"""What follows from the facts: where each citizen stands, what is switched on, and the counts on the board.

``fold(facts) -> Standing`` is the truth about a citizen. The ``standing`` table is the same thing kept up to date
in the transaction that appends the fact, by :func:`apply`; ``motma standing`` proves the two equal.
"""

import datetime as dt
from collections.abc import Iterable
from typing import Any

import msgspec
from msgspec.structs import replace

from motma.core.facts import (
    Accepted,
    DiversionClosed,
    DiversionOpened,
    Fact,
    HealthEvent,
    HealthReported,
    Identified,
    Issued,
    MeasureEnded,
    MeasurePublished,
    Merged,
    Parted,
    PermitIssued,
    PermitRevoked,
    Refused,
    Repaired,
    Restored,
    Reviewed,
    Revoked,
    Scanned,
    Standing,
    Suspended,
    Took,
)
from motma.core.flow import Diversion
from motma.core.identity import Grade
from motma.core.ids import FactId, twins_begin
from motma.core.measure import Measure
from motma.core.permit import Permit


def apply(standing: Standing | None, fact: Fact) -> Standing | None:
    """The standing after ``fact``. Facts of other kinds leave it as it is."""
    what = fact.what
    if isinstance(what, Accepted) and fact.qid:
        declared = Standing(
            qid=fact.qid,
            declaration=fact.id,
            code=None,
            measure=what.measure,
            grade=what.grade,
            health=what.health,
            route=what.route,
            declared_at=fact.at,
            valid_from=what.valid_from,
            valid_until=what.valid_until,
            trip=what.trip,
            events=what.events,
        )
        if standing is None:
            return declared
        known = standing.grade.is_sure and fact.at < standing.valid_until
        if known and not what.grade.is_sure:
            return replace(standing, waiting=replace(declared, events=()))
        return _declared_anew(standing, replace(declared, code=standing.code))
    if standing is None:
        return None
    if isinstance(what, Issued):
        if what.declaration == standing.declaration:
            return _with_code(standing, fact.id)
        if standing.waiting and what.declaration == standing.waiting.declaration:
            return _with(standing, waiting=_with_code(standing.waiting, fact.id))
    elif isinstance(what, Identified | Repaired):
        if what.declaration == standing.declaration:
            return _settled(standing, fact.id, what)
        if standing.waiting and what.declaration == standing.waiting.declaration:
            settled = _settled(standing.waiting, fact.id, what)
            if what.grade is Grade.VOUCHED:  # an officer's word takes nothing from who was identified
                return replace(standing, waiting=settled)
            return _declared_anew(standing, settled) if what.grade.is_sure else replace(standing, waiting=None)
    elif isinstance(what, Reviewed):
        if what.upheld:
            return standing
        if what.declaration == standing.declaration:
            return replace(standing, grade=Grade.MISMATCHED)
        if standing.waiting and what.declaration == standing.waiting.declaration:
            return replace(standing, waiting=replace(standing.waiting, grade=Grade.MISMATCHED))
    elif isinstance(what, Revoked):
        return _with(standing, revoked=True)
    elif isinstance(what, Suspended):
        return _with(standing, suspended=True)
    elif isinstance(what, Restored):
        return _with(standing, revoked=False, suspended=False)
    elif isinstance(what, HealthReported):
        return _with(standing, events=reported(standing.events, HealthEvent(what.event, what.since, what.until)))
    elif isinstance(what, Merged):
        return _with(standing, into=what.into)
    elif isinstance(what, Took):
        return _took(standing, what)
    elif isinstance(what, Parted):
        return _parted(standing, what)
    return standing


def _settled(standing: Standing, by: FactId, what: Identified | Repaired) -> Standing:
    corrected = by if isinstance(what, Repaired) else standing.corrected
    return replace(standing, grade=what.grade, valid_until=what.valid_until, corrected=corrected)


def _with(standing: Standing, **changes: Any) -> Standing:
    """The standing with ``changes``, or the very same if they change nothing."""
    if all(getattr(standing, name) == value for name, value in changes.items()):
        return standing
    return replace(standing, **changes)


def _with_code(standing: Standing, code: FactId) -> Standing:
    if standing.code and twins_begin(standing.code) == twins_begin(code):
        return standing  # the same code once more, for a screen or for paper
    return replace(standing, code=code)


def _declared_anew(standing: Standing, declared: Standing) -> Standing:
    """``declared`` counts from now on. What was withdrawn stays so: nobody declares themselves out of it."""
    return replace(
        declared,
        qid=standing.qid,
        revoked=standing.revoked,
        suspended=standing.suspended,
        waiting=None,
        into=standing.into,
        also=standing.also,
        events=_together(standing.events, declared.events),
    )


def _took(standing: Standing, what: Took) -> Standing:
    other = what.standing
    also = tuple(dict.fromkeys((*standing.also, what.other, *(other.also if other else ()))))
    if other is None:
        return replace(standing, also=also, events=_together(standing.events, what.events))
    newer = other.grade.is_sure and other.declared_at > standing.declared_at
    taken = _declared_anew(standing, other) if newer else standing
    return replace(
        taken,
        also=also,
        revoked=standing.revoked or other.revoked,
        suspended=standing.suspended or other.suspended,
        events=_together(standing.events, other.events),
    )


def reported(events: tuple[HealthEvent, ...], event: HealthEvent) -> tuple[HealthEvent, ...]:
    """What counts after ``event`` was reported too: of each kind the one that began last, and nothing that began
    before isolation ended. In whatever order reports arrive the same comes of them; of two that began at the same
    moment the later report replaces the earlier."""
    kept = {one.event: one for one in events}
    before = kept.get(event.event)
    if before is None or before.since <= event.since:
        kept[event.event] = event
    ended = kept.get("ended")
    left = [one for one in kept.values() if one is ended or ended is None or one.since > ended.since]
    return tuple(sorted(left, key=lambda one: one.event))


def _together(one: tuple[HealthEvent, ...], other: tuple[HealthEvent, ...]) -> tuple[HealthEvent, ...]:
    """What counts of somebody whose numbers are made one."""
    for event in other:
        one = reported(one, event)
    return one


def _parted(standing: Standing, what: Parted) -> Standing:
    if standing.into == what.other:
        return replace(standing, into=None)
    return what.standing or replace(standing, also=tuple([qid for qid in standing.also if qid != what.other]))


MOVING = frozenset(
    str(kind.__struct_config__.tag)
    for kind in (
        *(Accepted, Issued, Identified, Repaired, Reviewed),
        *(Revoked, Suspended, Restored, HealthReported, Merged, Took, Parted),
    )
)
"""The kinds of facts that :func:`apply` heeds: all that has to be read to know where a citizen stands."""


def fold(facts: Iterable[Fact]) -> Standing | None:
    """Where a citizen stands after all of their ``facts``, oldest first."""
    standing: Standing | None = None
    for fact in facts:
        standing = apply(standing, fact)
    return standing


def permit_after(permit: Permit | None, fact: Fact) -> Permit | None:
    """The permit that a ``permit.*`` fact is about, as it is after it; facts of other kinds leave it as it is."""
    what = fact.what
    if isinstance(what, PermitIssued):
        return what.permit
    if isinstance(what, PermitRevoked) and permit and what.permit == permit.id:
        return replace(permit, revoked_at=fact.at, reason=what.reason)
    return permit


class Board(msgspec.Struct, frozen=True):
    """What is switched on: measures by id, and open diversions by checkpoint."""

    measures: dict[str, Measure]
    diversions: dict[str, Diversion]


def fold_board(facts: Iterable[Fact]) -> Board:
    """What is switched on after all ``measure.*`` and ``diversion.*`` facts, oldest first."""
    board = Board({}, {})
    for fact in facts:
        what = fact.what
        if isinstance(what, MeasurePublished):
            board.measures[what.measure.id] = what.measure
        elif isinstance(what, MeasureEnded):
            board.measures.pop(what.measure, None)
        elif isinstance(what, DiversionOpened):
            board.diversions[what.diversion.checkpoint] = what.diversion
        elif isinstance(what, DiversionClosed) and fact.checkpoint:
            board.diversions.pop(fact.checkpoint, None)
    return board


class Tally(msgspec.Struct, frozen=True):
    """One count on the operators' board: at ``place`` ("" if none) in ``hour``, ``kind`` came out as ``outcome``."""

    place: str
    hour: dt.datetime
    kind: str
    outcome: str


def tallies(fact: Fact) -> tuple[Tally, ...]:
    """What a fact adds one to: declarations at the first checkpoint of their route, scans where they were made, and
    there the rules that had no value."""
    what, hour = fact.what, fact.at.replace(minute=0, second=0, microsecond=0)
    if isinstance(what, Accepted):
        place = what.route[0] if what.route else ""
        return (Tally(place, hour, "declared", "accepted" if what.grade is Grade.MATCHED else str(what.grade)),)
    if isinstance(what, Refused):
        place = what.route[0] if what.route else ""
        return (Tally(place, hour, "refused", "+".join(what.differing)),)
    if isinstance(what, Scanned):
        place = fact.checkpoint or ""
        reason = what.reasons[0] if what.reasons else ""
        counted = [Tally(place, hour, "scanned", what.outcome)]
        if what.outcome != "accept":
            counted.append(Tally(place, hour, "reason", reason))
        if "rule.error" in what.reasons:  # of no rule: a policy that could not be read
            counted += [Tally(place, hour, "rule", rule) for rule in dict.fromkeys(what.failed or ("",))]
        return tuple(counted)
    return ()
