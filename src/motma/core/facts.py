"""What happened, as facts that are appended and never edited; and what follows from them.

``fold(facts) -> Standing`` is the truth about a citizen. The ``standing`` table is the same thing kept up to date
in the transaction that appends the fact, by :func:`apply`; ``motma standing rebuild`` proves the two equal.
"""

import datetime as dt
from collections.abc import Iterable
from typing import Literal

import msgspec

from motma.core.claims import Carrier
from motma.core.code import Liveness
from motma.core.flow import Diversion
from motma.core.form import Health
from motma.core.identity import Grade
from motma.core.ids import FactId, Qid, twins_begin
from motma.core.measure import Measure

KeyUse = Literal["code", "root"]
"""What a key signs: codes and their status lists, or lists of trust."""


class Accepted(msgspec.Struct, frozen=True, tag="declaration.accepted"):
    """A declaration was recorded and its citizen may travel on it until ``valid_until``."""

    source: str
    measure: str
    form: str
    grade: Grade
    health: Health
    route: tuple[str, ...]
    valid_from: dt.datetime
    valid_until: dt.datetime


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


class Scanned(msgspec.Struct, frozen=True, tag="scan.made"):
    """Somebody was looked at, whatever came of it; refused and failed scans too.

    ``scanned_at`` is the device's time, ``skew_seconds`` what it was measured to be ahead of the server.
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


What = (
    Accepted
    | Refused
    | Identified
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
    | LookedUp
    | KeyAdded
    | KeyPromoted
    | KeyRetired
    | KeyRevoked
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


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """Where a citizen stands now: the fold of their facts. Times judge it, they do not change it."""

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


def apply(standing: Standing | None, fact: Fact) -> Standing | None:
    """The standing after ``fact``. Facts of other kinds leave it as it is."""
    what = fact.what
    if isinstance(what, Accepted) and fact.qid:
        return Standing(
            qid=fact.qid,
            declaration=fact.id,
            code=standing.code if standing else None,
            measure=what.measure,
            grade=what.grade,
            health=what.health,
            route=what.route,
            declared_at=fact.at,
            valid_from=what.valid_from,
            valid_until=what.valid_until,
            revoked=standing is not None and standing.revoked,  # nobody declares themselves out of it
            suspended=standing is not None and standing.suspended,
        )
    if standing is None:
        return None
    if isinstance(what, Issued) and what.declaration == standing.declaration:
        if standing.code and twins_begin(standing.code) == twins_begin(fact.id):
            return standing  # the same code once more, for a screen or for paper
        return msgspec.structs.replace(standing, code=fact.id)
    if isinstance(what, Identified) and what.declaration == standing.declaration:
        return msgspec.structs.replace(standing, grade=what.grade, valid_until=what.valid_until)
    if isinstance(what, Revoked):
        return msgspec.structs.replace(standing, revoked=True)
    if isinstance(what, Suspended):
        return msgspec.structs.replace(standing, suspended=True)
    if isinstance(what, Restored):
        return msgspec.structs.replace(standing, revoked=False, suspended=False)
    return standing


def fold(facts: Iterable[Fact]) -> Standing | None:
    """Where a citizen stands after all of their ``facts``, oldest first."""
    standing: Standing | None = None
    for fact in facts:
        standing = apply(standing, fact)
    return standing


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
    """What a fact adds one to: declarations at the first checkpoint of their route, scans where they were made."""
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
        return tuple(counted)
    return ()
