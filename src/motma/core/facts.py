"""What happened, as facts that are appended and never edited. What follows from them is :mod:`motma.core.fold`."""

import datetime as dt
from typing import Literal

import msgspec

from motma.core.claims import Carrier
from motma.core.code import Liveness
from motma.core.flow import Diversion
from motma.core.form import Health
from motma.core.identity import Grade
from motma.core.ids import FactId, Qid
from motma.core.measure import Measure
from motma.core.permit import Permit

KeyUse = Literal["code", "root"]
"""What a key signs: codes and their status lists, or lists of trust."""

RepairReason = Literal["typing", "tones", "old_card", "name_changed", "register_wrong", "no_number"]
"""Why a declaration and the document differ, as the officer sees it."""

NOTHING_SEEN = msgspec.Raw(b"null")


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
    declaration was recorded before trips were.
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

    @property
    def newest(self) -> "Standing":
        """What the newest declaration says, whoever sent it."""
        return self.waiting or self


class Accepted(msgspec.Struct, frozen=True, tag="declaration.accepted"):
    """A declaration was recorded and its citizen may travel on it until ``valid_until``.

    ``how``: in what its name differs from the register's, if it is repairable.
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


class Refused(msgspec.Struct, frozen=True, tag="declaration.refused"):
    """A declaration was recorded and does not fit the register: in which fields, and how the name does."""

    source: str
    measure: str
    form: str
    grade: Grade
    differing: tuple[str, ...]
    how: str | None
    route: tuple[str, ...]


class Identified(msgspec.Struct, frozen=True, tag="identity.checked"):
    """A pending citizen was compared with the register after all. ``valid_until`` replaces the pending one."""

    declaration: FactId
    grade: Grade
    differing: tuple[str, ...]
    valid_until: dt.datetime


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


class Merged(msgspec.Struct, frozen=True, tag="citizen.merged"):
    """This number and ``into`` turned out to be one citizen, who goes by ``into`` from now on. Both find them.

    ``platforms``: who declared under this number, and is to be told.
    """

    into: Qid
    platforms: tuple[str, ...] = ()


class Took(msgspec.Struct, frozen=True, tag="citizen.took"):
    """The other side of :class:`Merged`: this citizen was ``other`` as well, who stood as ``standing`` says."""

    other: Qid
    standing: Standing | None


class Parted(msgspec.Struct, frozen=True, tag="citizen.parted"):
    """A merge was a mistake: this number and ``other`` are two again. ``standing``: where this one is without it."""

    other: Qid
    standing: Standing | None


class Companion(msgspec.Struct, frozen=True):
    """A code that was shown along with somebody's: its kind and what it was worth, nothing of what it says."""

    kind: str
    worth: str


class Scanned(msgspec.Struct, frozen=True, tag="scan.made"):
    """Somebody was looked at, whatever came of it; refused and failed scans too.

    ``scanned_at`` is the device's time, ``skew_seconds`` what it was measured to be ahead of the server. ``along``:
    what else the person showed; ``along_mark`` a keyed hash of it and of this scan, like no other scan's, which tells
    whether a scan that is sent again is the same one. ``failed``: the rules that had no value. ``seen``: the evidence
    that it was judged on (:mod:`motma.core.seen`), null where no rule was asked, or before evidence was kept.
    """

    device: str
    officer: str
    carrier: str
    code_id: str
    outcome: str
    reasons: tuple[str, ...]
    known: bool
    refer_to: str
    scanned_at: dt.datetime
    skew_seconds: float
    live: Liveness | Literal[""] = ""
    along: tuple[Companion, ...] = ()
    along_mark: str = ""
    failed: tuple[str, ...] = ()
    seen: msgspec.Raw = NOTHING_SEEN


class LookedUp(msgspec.Struct, frozen=True, tag="plate.looked_up"):
    """An officer asked who travels in a vehicle; once without a citizen, and once for each citizen it brought up."""

    device: str
    officer: str


class KeyAdded(msgspec.Struct, frozen=True, tag="key.added"):
    """A key became known: ours to sign codes or lists of trust with (``own``), or one delegated to another issuer.

    ``kid`` and ``point`` (uncompressed, 65 bytes) in hex. Empty ``measures`` and ``areas``: any.
    """

    kid: str
    point: str
    issuer: str
    use: KeyUse
    own: bool
    not_before: dt.datetime
    not_after: dt.datetime | None = None
    measures: tuple[str, ...] = ()
    areas: tuple[str, ...] = ()
    status_uri: str = ""


class KeyPromoted(msgspec.Struct, frozen=True, tag="key.promoted"):
    """From now on this key of ours is the one that signs."""

    kid: str


class KeyRetired(msgspec.Struct, frozen=True, tag="key.retired"):
    """This key signs no more; what it signed until now still verifies."""

    kid: str


class KeyRevoked(msgspec.Struct, frozen=True, tag="key.revoked"):
    """Nothing that this key signed is believed any more, whenever it was signed. For ever."""

    kid: str
    reason: str


class DiversionOpened(msgspec.Struct, frozen=True, tag="diversion.opened"):
    """People are sent on from a checkpoint."""

    diversion: Diversion


class DiversionClosed(msgspec.Struct, frozen=True, tag="diversion.closed"):
    """They no longer are."""

    opened_at: dt.datetime


class MeasurePublished(msgspec.Struct, frozen=True, tag="measure.published"):
    """A measure was published; the same id again replaces it from then on."""

    measure: Measure


class MeasureEnded(msgspec.Struct, frozen=True, tag="measure.ended"):
    """A measure was ended before its time."""

    measure: str


class PermitIssued(msgspec.Struct, frozen=True, tag="permit.issued"):
    """A permit was given. ``permit.id`` is this fact's; its personal part is a :class:`PermitHolder`."""

    permit: Permit


class PermitHolder(msgspec.Struct, frozen=True):
    """Whose a permit is, for whoever has to be sure of the right one: a citizen, or a vehicle's ``plate``."""

    name: str = ""
    birth_date: dt.date | None = None
    last_four: str = ""
    plate: str = ""


class PermitRevoked(msgspec.Struct, frozen=True, tag="permit.revoked"):
    """A permit was taken back for good, and why. The fact's id is the permit's, beginning with ``prr``: it can be told
    of each permit only once, and is found by it."""

    permit: FactId
    reason: str


class PolicyDrafted(msgspec.Struct, frozen=True, tag="policy.drafted"):
    """Somebody wrote a version of a policy. The same policy again, before it is approved, replaces what was drafted.

    ``text`` as it was typed, with its comments; ``document`` the same as JSON text, and ``digest`` the SHA-256 of that
    in hex. An empty ``document``: that the policy be switched off.
    """

    policy: str
    version: int
    digest: str
    document: str
    text: str


class PolicyApproved(msgspec.Struct, frozen=True, tag="policy.approved"):
    """Somebody else approved a draft. It is in force from ``begins`` on; None: from this fact on."""

    draft: FactId
    policy: str
    begins: dt.datetime | None


class PolicyScheduled(msgspec.Struct, frozen=True, tag="policy.scheduled"):
    """What was approved and is not in force yet begins at another time than was said."""

    draft: FactId
    policy: str
    begins: dt.datetime | None


class PolicyWithdrawn(msgspec.Struct, frozen=True, tag="policy.withdrawn"):
    """Nothing comes of a draft, or of what was approved and had not begun."""

    draft: FactId
    policy: str


class PolicyRolledBack(msgspec.Struct, frozen=True, tag="policy.rolled_back"):
    """What was in force no longer is, and never will be again: what was in force before it is."""

    draft: FactId
    policy: str


What = (
    Accepted
    | Refused
    | Identified
    | Repaired
    | Reviewed
    | Merged
    | Took
    | Parted
    | Issued
    | Revoked
    | Suspended
    | Restored
    | CheckAgain
    | Scanned
    | DiversionOpened
    | DiversionClosed
    | MeasurePublished
    | MeasureEnded
    | PolicyDrafted
    | PolicyApproved
    | PolicyScheduled
    | PolicyWithdrawn
    | PolicyRolledBack
    | LookedUp
    | KeyAdded
    | KeyPromoted
    | KeyRetired
    | KeyRevoked
    | PermitIssued
    | PermitRevoked
)


class Fact(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that happened: to whom, where, when, said by whom.

    ``personal`` is JSON that only an entitled reader gets to see; the store keeps it sealed. ``what`` holds nothing
    that names a person.
    """

    id: FactId
    at: dt.datetime
    actor: str
    what: What
    qid: Qid | None = None
    checkpoint: str | None = None
    personal: bytes | None = None
