"""Tracing: whom a confirmed case met, for authorised health staff, and written down for each person it tells.

Nobody can be looked up here without a case: a citizen whom no health staff reported as one is refused, and so is a
number of nobody, in the same words. What is told is on disk as a look at each person before it is shown.
"""

import asyncio
import datetime as dt
from collections.abc import Callable, Iterable, Mapping
from itertools import groupby

import msgspec

from motma.core.errors import Hidden, Invalid
from motma.core.facts import Accepted, Fact, HealthReported, LookMade, Standing
from motma.core.flow import Network
from motma.core.form import Trip as Journey
from motma.core.ids import FactId, Qid, new_fact_id
from motma.core.tracing import (
    Contact,
    Meeting,
    Met,
    Passage,
    Phone,
    Report,
    Ride,
    Trace,
    Visit,
    Window,
    aboard,
    beside,
    contacts_of,
    parse_trace,
    told_of,
    visits_of,
    window_of,
)
from motma.core.words import Words
from motma.services.citizens import Citizens
from motma.services.enrol import HealthStaff, TooManyGuesses
from motma.services.exchange.exposures import bundle_of
from motma.storage.store import Act, Store

TRACES, TRACES_PER = 30, dt.timedelta(minutes=10)
"""How many one of the staff may ask for, exports too."""
PEOPLE_MAX = 2_000
"""More than anybody can call: the question is too wide, and nothing is told."""
_PASSAGES_MAX, _BESIDE_MAX, _ABOARD_MAX, _REPORTS_MAX = 500, 20_000, 500, 2_000
_DECLARED_MAX, _SOURCES_MAX = 50, 4
_GOOD_FOR_AT_MOST = dt.timedelta(days=31)
_BREATHE_EVERY = 20
"""People after whom others get their turn on the event loop."""


class TooManyTraces(TooManyGuesses):
    """They asked too often."""

    def __init__(self, wait: dt.timedelta) -> None:
        super().__init__(wait)
        self.code = "tracing.too_often"
        self.words = Words(
            "Truy vết quá nhiều lần. Đợi vài phút rồi làm tiếp.", "Too many follow-ups. Wait a few minutes, then go on."
        )


class _Departure(msgspec.Struct):
    trip: Journey


class _PhoneSaid(msgspec.Struct):
    phone: str


class Tracing:
    """The verb of health staff."""

    def __init__(
        self, *, store: Store, citizens: Citizens, network: Network, issuer: str, random: Callable[[int], bytes]
    ) -> None:
        """``issuer``: whose numbers the QIDs are, for other systems."""
        self.network = network
        self._store = store
        self._citizens = citizens
        self._issuer = issuer
        self._random = random
        self._asked: dict[str, list[dt.datetime]] = {}

    async def trace(self, raw: Mapping[str, str], *, staff: HealthStaff, now: dt.datetime) -> Trace:
        """Whom the case ``raw["qid"]`` met (:func:`motma.core.tracing.parse_trace`), the strongest first.

        One :class:`LookMade` for each person told, the case too, is written before it returns. Raises
        :class:`Invalid` ``tracing.fields``, ``tracing.window``, ``tracing.too_many``, ``tracing.too_often``;
        :class:`Hidden` ``tracing.no_case``; :class:`Conflict` ``tracing.over``. Nothing is written then.
        """
        ask = parse_trace(raw, now)
        self._count(staff.name, now)
        standing = await self._citizens.standing(ask.qid)
        case = standing.qid if standing else ask.qid
        numbers = tuple(dict.fromkeys((case, *(standing.also if standing else ()), ask.qid)))
        window = window_of(ask, await self._reports_of(numbers), now)
        if window is None:
            raise Hidden(
                "tracing.no_case",
                Words(
                    "Không có ca bệnh xác nhận nào mang mã số này.",
                    "No confirmed case has this number.",
                ),
            )
        visits = visits_of(await self._passages(numbers, window))
        beside_case, unnamed = await self._beside(visits, numbers, ask.within)
        aboard_too, cut = await self._aboard(numbers, window)
        meetings = [*beside_case, *aboard_too, *await self._told_of(numbers, window)]
        goes_by = {qid: await self._goes_by(qid) for qid in dict.fromkeys(qid for qid, _ in meetings)}
        contacts = contacts_of(meetings, {**goes_by, **dict.fromkeys(numbers, case)}, case)
        if len(contacts) > PEOPLE_MAX:
            raise _too_many()
        trace = Trace(
            case=await self._met(Contact(case, ())),
            window=window,
            within=ask.within,
            visits=tuple(visits),
            contacts=tuple([await self._met(one, n) for n, one in enumerate(contacts)]),
            unnamed=unnamed,
            cut=cut,
            purpose=ask.purpose,
            basis=ask.basis,
            by=staff.name,
            made_at=now,
        )
        await self._store.append(Act(facts=tuple([self._look(trace, one) for one in (trace.case, *trace.contacts)])))
        return trace

    def bundle(self, trace: Trace) -> bytes:
        """A trace for other systems: a Bundle of FHIR R4 as JSON, places by their Vietnamese names."""
        places = {checkpoint.id: checkpoint.name.vi for checkpoint in self.network.checkpoints}
        return msgspec.json.encode(bundle_of(trace, issuer=self._issuer, places=places))

    def _count(self, staff: str, now: dt.datetime) -> None:
        recent = [at for at in self._asked.get(staff, ()) if dt.timedelta(0) <= now - at < TRACES_PER]
        self._asked[staff] = recent
        if len(recent) >= TRACES:
            raise TooManyTraces(recent[0] + TRACES_PER - now)
        recent.append(now)

    # -- what is known -----------------------------------------------------------------------------------------------

    async def _reports_of(self, numbers: Iterable[Qid]) -> list[HealthReported]:
        facts = [
            fact
            for qid in numbers
            for fact in await self._store.facts_about(qid, kinds=("health.reported",), newest_first=True)
        ]
        return [fact.what for fact in facts if isinstance(fact.what, HealthReported)]

    async def _passages(self, numbers: Iterable[Qid], window: Window) -> list[Passage]:
        found: list[Passage] = []
        for qid in numbers:
            found += await self._store.tracks.passages_of(qid, window, _PASSAGES_MAX + 1)
        if len(found) > _PASSAGES_MAX:
            raise _too_many()
        return found

    async def _beside(
        self, visits: Iterable[Visit], numbers: tuple[Qid, ...], within: dt.timedelta
    ) -> tuple[list[tuple[Qid, Meeting]], int]:
        """(who stood there when the case did, scans by which nobody can be found)."""
        met, unnamed, read = list[tuple[Qid, Meeting]](), 0, 0
        for visit in visits:
            passages = await self._store.tracks.passages_at(visit.checkpoint, visit.span(within), _BESIDE_MAX + 1)
            read += len(passages)
            if read > _BESIDE_MAX:
                raise _too_many()
            unnamed += sum(one.qid is None for one in passages)
            met += [one for one in beside(visit, passages, within).items() if one[0] not in numbers]
        return met, unnamed

    async def _aboard(self, numbers: tuple[Qid, ...], window: Window) -> tuple[list[tuple[Qid, Meeting]], bool]:
        """(who declared the same vehicle for the same time, whether there are more declarations than were read).

        Anybody can declare any plate: that must not keep the checkpoints' part of the answer from whoever needs it.
        """
        rides: list[Ride] = []
        for qid in numbers:
            for fact in await self._declared(qid):
                ride = await self._ride(fact)
                if ride and ride.since <= window.until and window.since < ride.until:
                    rides.append(ride)
        others, cut = list[Ride](), False
        for plate, of in groupby(sorted(rides, key=lambda one: one.plate), key=lambda one: one.plate):
            mine = list(of)
            span = Window(min(one.since for one in mine) - _GOOD_FOR_AT_MOST, max(one.until for one in mine))
            held = await self._store.tracks.held_between(bytes.fromhex(plate), span, _ABOARD_MAX + 1)
            cut |= len(held) > _ABOARD_MAX
            for one in held[:_ABOARD_MAX]:
                named = None if one.qid in numbers else await self._fact(one.declaration, "trip")
                if named and (ride := await self._ride(named)):
                    others.append(ride)
        return list(aboard(rides, others).items()), cut

    async def _ride(self, fact: Fact) -> Ride | None:
        """The vehicle of a declaration; None if it names none, or was recorded before vehicles were."""
        what = fact.what
        if not isinstance(what, Accepted) or what.trip is None or not what.trip.plate or fact.qid is None:
            return None
        opened = fact if fact.personal else await self._fact(fact.id, "trip")
        if opened is None or opened.personal is None:
            return None
        leaves = msgspec.json.decode(opened.personal, type=_Departure).trip.departs_at
        return Ride(fact.qid, what.trip.plate, leaves, what.valid_from, what.valid_until)

    async def _told_of(self, numbers: Iterable[Qid], window: Window) -> list[tuple[Qid, Meeting]]:
        reports: list[Report] = []
        for qid in numbers:
            facts = await self._store.tracks.reported_contacts(qid, window.since, _REPORTS_MAX + 1)
            if len(facts) > _REPORTS_MAX:
                raise _too_many()
            for fact in facts:
                what = fact.what
                if isinstance(what, HealthReported) and what.event == "contact" and fact.qid:
                    reports.append(Report(fact.qid, what.since, what.source, what.reference))
        return [(qid, one) for qid, told in told_of(reports).items() for one in told]

    async def _goes_by(self, qid: Qid) -> Qid:
        standing = await self._citizens.standing(qid)
        return standing.qid if standing else qid

    async def _declared(self, qid: Qid) -> list[Fact]:
        kinds = ("declaration.accepted",)
        return await self._store.facts_about(qid, kinds=kinds, newest_first=True, limit=_DECLARED_MAX)

    async def _fact(self, id: FactId, only: str) -> Fact | None:
        return await self._store.fact(id, only=(only,))

    # -- what is told ------------------------------------------------------------------------------------------------

    async def _met(self, contact: Contact, n: int = 0) -> Met:
        if n % _BREATHE_EVERY == 0:
            await asyncio.sleep(0)
        standing = await self._citizens.standing(contact.qid)
        declared = await self._citizens.declared(standing) if standing else None
        if standing is None or declared is None:
            return Met(contact.qid, "", "", (), contact.meetings)
        phones = await self._phones(standing)
        born = declared.birth_date.isoformat()[: 4 if declared.year_only else 10]
        return Met(contact.qid, declared.name, born, phones, contact.meetings)

    async def _phones(self, standing: Standing) -> tuple[Phone, ...]:
        """The phone of the newest declaration of each source, of all numbers of a citizen: they need not agree."""
        newest: dict[str, Fact] = {}
        declared = [fact for qid in (standing.qid, *standing.also) for fact in await self._declared(qid)]
        for fact in sorted(declared, key=lambda one: one.at, reverse=True):
            if isinstance(fact.what, Accepted) and len(newest) < _SOURCES_MAX:
                newest.setdefault(fact.what.source, fact)
        phones: dict[str, Phone] = {}
        for source, fact in newest.items():
            opened = await self._fact(fact.id, "phone")
            if opened and opened.personal and isinstance(fact.what, Accepted):
                number = msgspec.json.decode(opened.personal, type=_PhoneSaid).phone
                sure = fact.what.grade.is_sure or (standing.grade.is_sure and fact.id == standing.declaration)
                phones.setdefault(number, Phone(number, source, sure))
        return tuple(phones.values())

    def _look(self, trace: Trace, told: Met) -> Fact:
        return Fact(
            id=new_fact_id("lok", trace.made_at, self._random(10)),
            at=trace.made_at,
            actor=trace.by,
            qid=told.qid,
            what=LookMade("tracing", trace.basis, told.told),
            personal=msgspec.json.encode({"purpose": trace.purpose, "case": trace.case.qid}),
        )


def _too_many() -> Invalid:
    return Invalid(
        "tracing.too_many",
        Words(
            "Quá nhiều người hoặc lượt quét. Thu hẹp thời gian hoặc số phút; chưa ai được nêu tên.",
            "Too many people or scans. Narrow the time or the minutes; nobody was named.",
        ),
    )
