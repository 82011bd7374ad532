"""Precheck: what the checkpoints ahead would say of somebody, now and when they mean to go. Nothing is recorded.

Gathered and judged as a check is (:mod:`motma.services.gather`), with one difference: whoever asks is told what follows
from their own declaration, as on the page of its code (:mod:`motma.services.wallet`). What another door was told since
about the same citizen is not theirs to know: anybody who knows somebody's number, name and birth date can declare them.
"""

import asyncio
import dataclasses
import datetime as dt
from collections import OrderedDict
from collections.abc import Sequence
from typing import Annotated, Literal

import msgspec
from msgspec.structs import replace

from motma.core import form
from motma.core.code import liveness
from motma.core.described import says
from motma.core.errors import Conflict, Invalid, Problem, Unavailable
from motma.core.facts import Accepted, Fact, Standing
from motma.core.flow import Network
from motma.core.ids import Document, FactId, Qid, same_moment_id
from motma.core.reasons import Outcome
from motma.core.words import Words
from motma.services.afterwards import Sequel, declared_by, sequel
from motma.services.board import BoardReader
from motma.services.enrol import TooManyGuesses
from motma.services.gather import Gather, Gathered, Onward, Why, onward, why
from motma.services.shown import scanned
from motma.services.wallet import HeldCode
from motma.storage.store import Store

PRECHECKS, PRECHECKS_PER = 30, dt.timedelta(minutes=5)
"""How often one declaration may be asked about; a page costs as much as a few hundred checks."""
SEARCHED = 10
"""For how many checkpoints at most it is looked up when they would let somebody pass: that is 48 verdicts for each."""
_STEP, _STEPS = dt.timedelta(minutes=30), 48
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_REMEMBERED = 100_000

On = Literal["route", "chosen", "network"]
"""Which checkpoints were looked at: the declared route, those asked for, or all there are."""


class Judged(msgspec.Struct, frozen=True):
    """What a checkpoint would say: as the answer to a check."""

    outcome: Outcome
    known: bool
    reasons: tuple[Why, ...]
    refer: Onward | None


class Ahead(msgspec.Struct, frozen=True):
    """A checkpoint ahead."""

    checkpoint: str
    name: Annotated[dict[str, str], says("In Vietnamese (`vi`) and in English (`en`).", {"vi": "…", "en": "…"})]
    now: Annotated[Judged, says("If the citizen stood there now.", None)]
    then: Annotated[Judged | None, says("At `departs_at`; null where that is null.", None)]
    accept_from: Annotated[
        dt.datetime | None,
        says(
            "If it is not `accept` at `departs_at` (without one, now): the first full or half hour of the 24 hours "
            "after it at which it would be. Only if up to ten checkpoints are asked about.",
            None,
        ),
    ]


class Prechecked(msgspec.Struct, frozen=True):
    """What checkpoints would say, as far as is known at ``judged_at``."""

    declaration: FactId
    judged_at: dt.datetime
    departs_at: Annotated[
        dt.datetime | None, says("The moment of `then`; null for one that is over.", "2026-01-18T13:30:00Z")
    ]
    on: Annotated[On, says("The declared route, those that were asked for, or the whole network.", "route")]
    checkpoints: Annotated[tuple[Ahead, ...], says("In the order of the way.", None)]


class TooManyPrechecks(TooManyGuesses):
    """This declaration was asked about too often."""

    def __init__(self, wait: dt.timedelta) -> None:
        super().__init__(wait)
        self.code = "precheck.too_often"
        self.words = Words("Xem trước quá nhiều lần. Đợi vài phút.", "Asked too often. Wait a few minutes.")


class _Declared(msgspec.Struct, frozen=True):
    """What is opened of a declaration here."""

    trip: form.Trip


class _Issued(msgspec.Struct, frozen=True):
    """What is opened of a code here."""

    code: str


class Precheck:
    """The verb of who has not left yet."""

    def __init__(self, *, store: Store, board: BoardReader, gather: Gather, network: Network) -> None:
        self._store = store
        self._board = board
        self._gather = gather
        self._network = network
        self._asked: OrderedDict[FactId, list[dt.datetime]] = OrderedDict()

    async def of_declaration(
        self, declaration: FactId, departs_at: str | None, checkpoints: Sequence[str], *, source: str, now: dt.datetime
    ) -> Prechecked:
        """For the platform ``source``: of the code that it was given for a declaration that it sent.

        ``departs_at`` as a declaration says it, None for the declared departure; no ``checkpoints``: the declared
        route, and without one all there are. Raises :class:`Hidden` ``declaration.hidden``, :class:`Conflict`
        ``precheck.no_code``, :class:`Invalid` ``departure.*`` or ``precheck.checkpoints``, :class:`TooManyPrechecks`.
        """
        at = form.parse_departure(departs_at, now) if departs_at is not None else None
        self._check_known(checkpoints)
        declared = await declared_by(self._store, declaration, source, only=("trip",))
        if not isinstance(declared.what, Accepted):
            raise Conflict(
                "precheck.no_code",
                Words(
                    "Tờ khai này không được nhận nên không có mã. Sửa rồi gửi lại.",
                    "This declaration was refused, so it has no code. Mend it and send it again.",
                ),
            )
        code_id = same_moment_id("cod", declaration)
        issued = await self._store.fact(code_id, only=("code",))
        if issued is None or issued.personal is None:
            raise _unread()
        text = msgspec.json.decode(issued.personal, type=_Issued).code
        return await self._of(declared, text, code_id, at, checkpoints or None, now)

    async def of_code(
        self, held: HeldCode, departs_at: dt.datetime | None, checkpoints: Sequence[str] | None, now: dt.datetime
    ) -> Prechecked:
        """For the browser that holds the code ``held``. ``checkpoints``: None for the declared route, () for all.

        If a key of the browser's is bound into the code it is judged as live, which the open page proves. Raises
        :class:`Invalid` ``precheck.checkpoints``, :class:`TooManyPrechecks`.
        """
        self._check_known(checkpoints or ())
        declared = await self._store.fact(held.declaration, only=("trip",))
        if declared is None or not isinstance(declared.what, Accepted):
            raise _unread()
        return await self._of(declared, held.code, held.code_id, departs_at, checkpoints, now, on_screen=True)

    async def _of(
        self,
        declared: Fact,
        text: str,
        code_id: FactId,
        departs_at: dt.datetime | None,
        checkpoints: Sequence[str] | None,
        now: dt.datetime,
        *,
        on_screen: bool = False,
    ) -> Prechecked:
        self._count(declared.id, now)
        if departs_at is None and declared.personal:
            departs_at = msgspec.json.decode(declared.personal, type=_Declared).trip.departs_at
        if departs_at is not None and departs_at <= now:
            departs_at = None
        shown = await scanned(text, await self._board.keyring(now), _nobody, now)
        standing = _as_told(await sequel(self._store, declared), declared, code_id) if shown.qid else None
        live = liveness(shown.code, now) if shown.code else None
        if shown.code and shown.code.claims.holder_key and on_screen:
            live = "live"
        gathered = _of_who_is_sure(await self._gather.about(shown, standing, live, now))
        on, places = self._places(declared, checkpoints)
        ahead = []
        for place in places:
            ahead.append(self._at(gathered, place, now, departs_at, search=len(places) <= SEARCHED))
            await asyncio.sleep(0)  # others' checks come first
        return Prechecked(declared.id, now, departs_at, on, tuple(ahead))

    def _at(
        self, gathered: Gathered, checkpoint: str, now: dt.datetime, departs_at: dt.datetime | None, *, search: bool
    ) -> Ahead:
        def judged(at: dt.datetime) -> Judged:
            verdict = self._gather.judge(gathered, checkpoint, at)
            return Judged(verdict.outcome, verdict.known, why(verdict), onward(verdict))

        here, then, since = judged(now), judged(departs_at) if departs_at else None, departs_at or now
        accept_from = None
        if search and (then or here).outcome in (Outcome.MANUAL, Outcome.REJECT):
            first = since - (since - _EPOCH) % _STEP
            later = (first + _STEP * n for n in range(1, _STEPS + 1))
            passes = (at for at in later if self._gather.judge(gathered, checkpoint, at).outcome is Outcome.ACCEPT)
            accept_from = next(passes, None)
        return Ahead(checkpoint, self._network.by_id[checkpoint].name._asdict(), here, then, accept_from)

    def _places(self, declared: Fact, checkpoints: Sequence[str] | None) -> tuple[On, Sequence[str]]:
        assert isinstance(declared.what, Accepted)
        if checkpoints:
            return "chosen", tuple(dict.fromkeys(checkpoints))
        route = tuple([place for place in declared.what.route if place in self._network.by_id])
        if checkpoints is None and route:
            return "route", route
        return "network", tuple(self._network.by_id)

    def _check_known(self, checkpoints: Sequence[str]) -> None:
        if all(place in self._network.by_id for place in checkpoints):
            return
        words = Words("Có chốt không có trong danh sách.", "There is a checkpoint that is not in the list.")
        raise Invalid("precheck.checkpoints", words, {"checkpoints": Problem("field.options", words)})

    def _count(self, declaration: FactId, now: dt.datetime) -> None:
        recent = [at for at in self._asked.get(declaration, ()) if dt.timedelta(0) <= now - at < PRECHECKS_PER]
        self._asked[declaration] = recent
        self._asked.move_to_end(declaration)
        if len(self._asked) > _REMEMBERED:
            self._asked.popitem(last=False)
        if len(recent) >= PRECHECKS:
            raise TooManyPrechecks(recent[0] + PRECHECKS_PER - now)
        recent.append(now)


def _as_told(became: Sequel, declared: Fact, code_id: FactId) -> Standing | None:
    """Where the citizen stands, as far as it follows from this declaration.

    Whether they are withdrawn is told to who declared them last, or was known to be them, as on the page of the code;
    what health staff reported to the latter alone.
    """
    what, standing = declared.what, became.standing
    assert isinstance(what, Accepted)
    if standing is None or became.qid is None:
        return None
    events = standing.events if became.match.fits else ()
    if became.is_the_newest:
        return replace(standing, waiting=None, events=events)
    sure = became.match.grade.is_sure
    return Standing(
        qid=became.qid,
        declaration=declared.id,
        code=code_id,
        measure=what.measure,
        grade=became.match.grade,
        health=what.health,
        route=what.route,
        declared_at=declared.at,
        valid_from=what.valid_from,
        valid_until=became.valid_until or what.valid_until,
        revoked=sure and standing.revoked,
        suspended=sure and standing.suspended,
        trip=what.trip,
        events=events,
    )


def _of_who_is_sure(gathered: Gathered) -> Gathered:
    """Without the citizen's permits for who is not known to be the citizen, and only has their number."""
    standing, permits = gathered.standing, gathered.permits
    if standing is None or standing.grade.is_sure:
        return gathered
    of_vehicle = tuple([permit for permit in permits.permits if permit.of_vehicle])
    return dataclasses.replace(gathered, permits=replace(permits, permits=of_vehicle))


async def _nobody(document: Document) -> Qid | None:
    """A code of ours names its citizen itself."""
    return None


def _unread() -> Unavailable:
    return Unavailable("storage.unavailable", Words("Chưa đọc được tờ khai.", "The declaration cannot be read now."))
