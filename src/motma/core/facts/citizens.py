"""About one citizen: what was declared, who it is, which codes went out, where they stand."""

import datetime as dt
from typing import Literal

import msgspec

from motma.core.claims import Carrier
from motma.core.facts.exchange import HealthEvent
from motma.core.form import Health
from motma.core.identity import Grade
from motma.core.ids import FactId, Qid

RepairReason = Literal["typing", "tones", "old_card", "name_changed", "register_wrong", "no_number"]
"""Why a declaration and the document differ, as the officer sees it."""


HealthNow = Literal["clear", "contact", "symptoms", "positive"]
"""As declared; ``positive``: health staff say that it is a case."""


class Trip(msgspec.Struct, frozen=True):
    """What rules read of a declared trip, and no more: coarse on purpose, for it lies open in the store.

    ``origin`` and ``destination`` are areas as :meth:`Network.area_of` names them, districts and provinces, where the
    declaration says communes. ``plate`` is the keyed hash in hex under which a vehicle's declarations are held, ""
    without one: a store without its key tells which declarations name one vehicle, as ``holdings`` do, and no plate.
    """

    origin: str
    destination: str
    vehicle: str
    plate: str = ""


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """Where a citizen stands now: the fold of their facts. Times judge it, they do not change it.

    ``corrected`` is the repair that holds what the declaration should have said. ``waiting`` is what a newer
    declaration says whose citizen is not known to be this one yet: anybody who knows a number can send it, so it counts
    for who shows its code, and takes nothing from who was identified, even if an officer vouches for it. ``into`` is
    the number that this citizen goes by instead, ``also`` the other numbers that they have. ``trip`` is None where the
    declaration was recorded before trips were. ``events``: what health staff reported that still may count, the newest
    of each kind.
    """

    qid: Qid
    declaration: FactId
    code: FactId | None
    measure: str
    grade: Grade
    health: Health
    route: tuple[str, ...]
    declared_at: dt.datetime
    valid_from: dt.datetime
    valid_until: dt.datetime
    revoked: bool = False
    suspended: bool = False
    corrected: FactId | None = None
    waiting: "Standing | None" = None
    into: Qid | None = None
    also: tuple[Qid, ...] = ()
    trip: Trip | None = None
    events: tuple[HealthEvent, ...] = ()

    def event_at(self, now: dt.datetime) -> HealthEvent | None:
        """What health staff reported that counts at ``now``: a case before a contact; None if nothing does."""
        return counting(self.events, now)

    def health_at(self, now: dt.datetime) -> HealthNow:
        """The worse of what was declared and what health staff reported."""
        event = self.event_at(now)
        return worse(self.health, event) if event else self.health

    @property
    def newest(self) -> "Standing":
        """What the newest declaration says, whoever sent it."""
        return self.waiting or self


class Accepted(msgspec.Struct, frozen=True, tag="declaration.accepted"):
    """A declaration was recorded and its citizen may travel on it until ``valid_until``.

    ``how``: in what it differs from the register's record, if it is repairable; ``year`` where only that was said.
    ``corrects``: the declaration that its sender puts right with it. ``disputed``: the fields that another source says
    otherwise. ``events``: what had been reported of its citizen before they ever declared.
    """

    source: str
    measure: str
    form: str
    grade: Grade
    health: Health
    route: tuple[str, ...]
    valid_from: dt.datetime
    valid_until: dt.datetime
    how: str | None = None
    trip: Trip | None = None
    corrects: FactId | None = None
    disputed: tuple[str, ...] = ()
    events: tuple[HealthEvent, ...] = ()


class Refused(msgspec.Struct, frozen=True, tag="declaration.refused"):
    """A declaration was recorded and does not fit the register: in which fields, and how the name does. ``corrects``:
    as of :class:`Accepted`; what it was to put right still stands."""

    source: str
    measure: str
    form: str
    grade: Grade
    differing: tuple[str, ...]
    how: str | None
    route: tuple[str, ...]
    corrects: FactId | None = None


class Identified(msgspec.Struct, frozen=True, tag="identity.checked"):
    """A pending citizen was compared with the register after all. ``valid_until`` replaces the pending one; ``how`` it
    fits or does not, as :class:`Match` has it."""

    declaration: FactId
    grade: Grade
    differing: tuple[str, ...]
    valid_until: dt.datetime
    how: str | None = None


class Repaired(msgspec.Struct, frozen=True, tag="identity.repaired"):
    """An officer held the document beside the declaration: ``grade`` is matched if the register says so too, else
    vouched. ``differing``: what the document says otherwise than the declaration; ``scan``: where the person stood. Its
    personal part is the declaration as it should have been.

    ``sampled``: an operator is to look at it again. ``valid_until`` replaces the one before.
    """

    declaration: FactId
    grade: Grade
    reason: RepairReason
    differing: tuple[str, ...]
    officer: str
    device: str
    scan: FactId
    sampled: bool
    valid_until: dt.datetime


class Reviewed(msgspec.Struct, frozen=True, tag="identity.reviewed"):
    """An operator looked at a repair again; if it is not ``upheld``, the citizen is not identified by it."""

    repair: FactId
    declaration: FactId
    upheld: bool


class Issued(msgspec.Struct, frozen=True, tag="code.issued"):
    """A signed code went out. Its personal part is a :class:`Holder`. ``status_index`` is -1 in codes without one.

    ``live``: it is the twin, bound to its holder's key, of a code that went out before and is as good as ever.
    """

    declaration: FactId
    valid_until: dt.datetime
    reissue: bool
    status_index: int = -1
    carrier: Carrier = Carrier.SCREEN
    live: bool = False
    key: str = ""


class Holder(msgspec.Struct, frozen=True):
    """Whose a code is: its text, and what an officer compares with the document in the citizen's hand."""

    code: str
    name: str
    birth_date: dt.date
    sex: str
    last_four: str


class Revoked(msgspec.Struct, frozen=True, tag="standing.revoked"):
    """The citizen's standing was withdrawn, and why. ``indexes``: the places of their codes in the status lists."""

    reason: str
    indexes: tuple[int, ...] = ()


class Suspended(msgspec.Struct, frozen=True, tag="standing.suspended"):
    """The citizen's standing is withheld for now, and why."""

    reason: str
    indexes: tuple[int, ...] = ()


class Restored(msgspec.Struct, frozen=True, tag="standing.restored"):
    """The citizen's standing is as if it had never been revoked or suspended."""

    indexes: tuple[int, ...] = ()


class CheckAgain(msgspec.Struct, frozen=True, tag="standing.check_again"):
    """These codes of the citizen say more than is so by now: whoever reads one should ask the server."""

    indexes: tuple[int, ...]


class Disputed(msgspec.Struct, frozen=True, tag="citizen.disputed"):
    """When ``declaration`` was recorded, another source said otherwise of the citizen in these ``fields``: both are
    kept (:mod:`motma.core.provenance`)."""

    declaration: FactId
    fields: tuple[str, ...]


class Merged(msgspec.Struct, frozen=True, tag="citizen.merged"):
    """This number and ``into`` turned out to be one citizen, who goes by ``into`` from now on. Both find them.

    ``platforms``: who declared under this number, and is to be told.
    """

    into: Qid
    platforms: tuple[str, ...] = ()


class Took(msgspec.Struct, frozen=True, tag="citizen.took"):
    """The other side of :class:`Merged`: this citizen was ``other`` as well, who stood as ``standing`` says; ``events``
    is what had been reported under a number that nobody ever declared under."""

    other: Qid
    standing: Standing | None
    events: tuple[HealthEvent, ...] = ()


class Parted(msgspec.Struct, frozen=True, tag="citizen.parted"):
    """A merge was a mistake: this number and ``other`` are two again. ``standing``: where this one is without it."""

    other: Qid
    standing: Standing | None


def worse(declared: Health, event: HealthEvent) -> HealthNow:
    """The worse of what was declared and an event that lasts. Who has symptoms is no better for being a contact."""
    if event.event == "case":
        return "positive"
    return declared if declared == "symptoms" else "contact"


def counting(events: tuple[HealthEvent, ...], now: dt.datetime) -> HealthEvent | None:
    """The one of ``events`` that counts at ``now``."""
    lasting = {event.event: event for event in events if event.lasts(now)}
    return lasting.get("case") or lasting.get("contact")
