"""What a platform is told of a citizen whom it declared: where they stand, as far as that is its affair.

A platform whose own newest declaration is known to be the citizen's is told where they stand, whoever declared since.
Any other is told what became of its own declaration: whoever types somebody's number learns nothing about them.
"""

import datetime as dt
from typing import Annotated, Literal

import msgspec

from motma.core.described import says
from motma.core.facts import Accepted, Fact, HealthNow, Identified, Issued, Repaired, Reviewed, Standing
from motma.core.identity import Grade, Match
from motma.core.ids import FactId, Qid

ChangeType = Literal["citizen.changed", "citizen.merged", "citizen.parted"]
State = Literal["good", "check", "withdrawn", "suspended", "expired"]

_TYPES: dict[str, ChangeType] = {
    "citizen.merged": "citizen.merged",
    "citizen.took": "citizen.merged",
    "citizen.parted": "citizen.parted",
}
_OF_THE_NUMBER = frozenset(
    ("standing.revoked", "standing.suspended", "standing.restored", "citizen.merged", "citizen.parted")
)
"""What happens to all codes of a number, as its status list tells everybody; or to the number itself."""


class CitizenNow(msgspec.Struct, frozen=True):
    """Where a citizen stands at the time of reading."""

    qid: Annotated[Qid, says("The number that the citizen goes by now.", "521322923144321717")]
    also: Annotated[tuple[Qid, ...], says("Other numbers of the same citizen: keep them as one.", [])]
    version: Annotated[int, says("Of two that tell of one citizen, the higher is the newer.", 1844)]
    state: Annotated[
        State,
        says(
            "`good`: may pass as far as is known; `check`: to be looked at by hand; `expired` by `valid_until`, which "
            "no change announces.",
            "good",
        ),
    ]
    grade: Annotated[str, says("How it was found out who this is.", "matched")]
    health: Annotated[HealthNow, says("The worse of what was declared and what health staff reported.", "clear")]
    measure: Annotated[str, says("The measure that it was declared under.", "demo-hcmc")]
    valid_from: dt.datetime
    valid_until: dt.datetime
    code: Annotated[str | None, says("The text to show as a QR.", "NCFLA0+00FFWTWGSLKC…")]
    declaration: Annotated[FactId, says("This platform's newest of that citizen.", "dcl_01kf7yejc0k13emra4srge0byv")]


class Change(msgspec.Struct, frozen=True):
    """Something happened to a citizen; told as of the time of reading, not of the event."""

    id: Annotated[str, says("Tells a repeated delivery; also the `webhook-id`.", "chg_0000000001844")]
    cursor: Annotated[str, says("Ask for changes `after` this one.", "1844")]
    type: Annotated[ChangeType, says("What happened; the citizen says what is so.", "citizen.changed")]
    at: Annotated[dt.datetime, says("When it happened.", "2026-01-18T07:00:00Z")]
    citizen: CitizenNow


class Own(msgspec.Struct, frozen=True):
    """A platform's newest declaration of a citizen, as it is by now: with its first code and what it says itself.

    ``accepted`` may be None where it is sure: then nothing of what it says itself is told."""

    declaration: FactId
    grade: Grade
    qid: Qid
    accepted: Accepted | None
    valid_until: dt.datetime

    @property
    def is_theirs(self) -> bool:
        """Whether it is known to be the citizen's: sure, or all that was said fits, of the birth date the year."""
        return Match(self.grade, how=self.accepted.how if self.accepted else None).fits


def change_id(seq: int) -> str:
    """The id of the change that the fact numbered ``seq`` made."""
    return f"chg_{seq:013d}"


def change_type(kind: str) -> ChangeType:
    """What a fact of ``kind`` is called outside."""
    return _TYPES.get(kind, "citizen.changed")


def concerns(own: Own, kind: str, fact: Fact | None) -> bool:
    """Whether something that happened to a number is about a declaration that is not known to be its citizen's."""
    if kind in _OF_THE_NUMBER:
        return True
    what = fact.what if fact else None
    if isinstance(what, Issued | Identified | Repaired | Reviewed):
        return what.declaration == own.declaration
    return fact is not None and fact.id == own.declaration


def told_of_all(standing: Standing, own: Own, version: int, code: str | None, now: dt.datetime) -> CitizenNow:
    """What a platform is told whose declaration is known to be the citizen's."""
    health = standing.health_at(now)
    good = standing.grade.is_sure and health == "clear"
    return CitizenNow(
        qid=standing.qid,
        also=standing.also,
        version=version,
        state=_state(standing, good, standing.valid_until, now),
        grade=str(standing.grade),
        health=health,
        measure=standing.measure,
        valid_from=standing.valid_from,
        valid_until=standing.valid_until,
        code=code,
        declaration=own.declaration,
    )


def told_of_own(standing: Standing | None, own: Own, version: int, code: str | None, now: dt.datetime) -> CitizenNow:
    """What any other platform is told. ``standing`` is that of the number which its declaration was given."""
    assert own.accepted is not None  # it is not sure
    return CitizenNow(
        qid=own.qid,
        also=(),
        version=version,
        state=_state(standing, False, own.valid_until, now),
        grade=str(own.grade),
        health=own.accepted.health,
        measure=own.accepted.measure,
        valid_from=own.accepted.valid_from,
        valid_until=own.valid_until,
        code=code,
        declaration=own.declaration,
    )


def _state(standing: Standing | None, good: bool, valid_until: dt.datetime, now: dt.datetime) -> State:
    if standing and standing.revoked:
        return "withdrawn"
    if standing and standing.suspended:
        return "suspended"
    if now >= valid_until:
        return "expired"
    return "good" if good else "check"
