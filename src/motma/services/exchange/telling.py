"""Telling: changes go out to each platform's webhook, in order for each citizen, at least once.

One platform's receiver, however slow or wrong, costs only itself: each has a round of its own, with so many messages
under way at most. A message that fails is parked and tried again over 75 hours; since whatever is told is told as of
then, a newer change of the same citizen takes its place. A receiver that fails several times in a row rests: its cursor
stands still, one message tries it by the same schedule, and when it answers it catches up in order.
"""

import asyncio
import datetime as dt
from collections.abc import Callable, Sequence

import msgspec

from motma.core.change import Change, change_id, change_type
from motma.core.facts import Fact, WebhookStopped
from motma.core.ids import Qid, new_fact_id
from motma.services.exchange.endpoints import Endpoint, Endpoints
from motma.services.exchange.feed import Feed
from motma.services.exchange.messages import Answered, Sender, encoded, signed
from motma.storage.outbox import Delivery, Outlet
from motma.storage.store import Act, Store

SCHEDULE = tuple(
    dt.timedelta(seconds=seconds)
    for seconds in (5, 30, 120, 600, 1_800, 3_600, 7_200, 14_400, 28_800, 43_200, 86_400, 86_400)
)
"""When a message that failed is tried again, and a receiver that rests: 75 hours and 42 minutes in all."""

FAILURES_TO_REST = 5
IN_FLIGHT, IN_FLIGHT_ALL = 16, 256
"""Messages under way at once: to one platform, and to all."""

_PAGE = 200
_DUE = 100
_SAVE_EVERY = dt.timedelta(seconds=1)
_SAVE_FACTS = 5_000
_GONE = 410
_EVER = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


class _Round:
    """What became of the messages of one round."""

    def __init__(self, in_a_row: int) -> None:
        self.in_a_row = in_a_row
        self.told: list[Change] = []
        self.failed: list[tuple[Change, str]] = []
        self.gone = False

    @property
    def over(self) -> bool:
        """Whether nothing more should be sent now."""
        return self.gone or self.in_a_row >= FAILURES_TO_REST

    def count(self, change: Change, answered: Answered) -> None:
        if answered.problem is None:
            self.told.append(change)
            self.in_a_row = 0
            return
        self.gone = self.gone or answered.status == _GONE
        self.in_a_row += 1
        problem = answered.problem
        if problem == "webhook.status":
            problem = f"{problem} {answered.status}"
        self.failed.append((change, problem))


class Telling:
    """Tells one platform. Belongs to one event loop; :meth:`round` is called by one task at a time."""

    def __init__(
        self,
        platform: str,
        *,
        store: Store,
        feed: Feed,
        endpoints: Endpoints,
        sender: Sender,
        random: Callable[[int], bytes],
    ) -> None:
        self.platform = platform
        self.in_flight = IN_FLIGHT
        self._store = store
        self._outbox = store.outbox
        self._feed = feed
        self._endpoints = endpoints
        self._sender = sender
        self._random = random
        self._outlet: Outlet | None = None
        self._saved = 0
        self._saved_at = _EVER
        self._unsaved = False
        self._in_a_row = 0
        self._told: dict[Qid, int] = {}
        """Citizens of the page before which the cursor stands, who were told already, and up to which version."""

    @property
    def cursor(self) -> int:
        """Everything up to here was told, or is parked."""
        return self._outlet.cursor if self._outlet else 0

    async def round(self, now: dt.datetime) -> dt.datetime | None:
        """Tell what there is to tell by now. Returns when to come again; None: in a second, or with something new."""
        endpoint = (await self._endpoints.all(now)).get(self.platform)
        if endpoint is None or endpoint.stopped:
            await self.save(now, at_once=True)
            self._outlet = None
            return now + SCHEDULE[0]
        outlet = await self._opened(endpoint)
        if outlet.rests_until:
            return await self._probe(endpoint, outlet, now)
        due = await self._outbox.due(self.platform, now, _DUE)
        if due and not await self._tell_parked(endpoint, due, now):
            return now
        page = await self._feed.changes(self.platform, self.cursor, _PAGE, now)
        if page.changes and not await self._tell_page(endpoint, page.changes, now):
            return now
        if page.upto > self.cursor:
            self._outlet = msgspec.structs.replace(self._opened_before, cursor=page.upto)
            self._unsaved = self._unsaved or bool(page.changes)
        self._told.clear()
        await self.save(now)
        return now if page.more or len(due) == _DUE else None

    async def save(self, now: dt.datetime, *, at_once: bool = False) -> None:
        """Keep how far the platform was told: a second late at most. What is told once more after a crash bears the
        same id; to have read on in vain is kept now and then."""
        outlet = self._outlet
        if outlet is None or outlet.cursor == self._saved:
            return
        late = not dt.timedelta(0) <= now - self._saved_at < _SAVE_EVERY
        if at_once or (self._unsaved and late) or outlet.cursor - self._saved >= _SAVE_FACTS:
            await self._keep(outlet, now)

    @property
    def rests(self) -> bool:
        """Whether the receiver is left alone for now: then nothing new matters."""
        return self._outlet is None or self._outlet.rests_until is not None

    @property
    def done(self) -> bool:
        """Whether the platform is told nothing at all: it stopped that, or was stopped."""
        return self._outlet is None

    @property
    def _opened_before(self) -> Outlet:
        assert self._outlet is not None
        return self._outlet

    # -- inside ------------------------------------------------------------------------------------------------------

    async def _opened(self, endpoint: Endpoint) -> Outlet:
        """How far it was told at this endpoint; a new endpoint begins where it was told to."""
        outlet = self._outlet or await self._outbox.outlet(self.platform)
        if outlet is None or outlet.setting != endpoint.setting:
            outlet = Outlet(self.platform, endpoint.setting, endpoint.after)
            self._told.clear()
            self._in_a_row = 0
        if self._outlet is None:
            self._saved = outlet.cursor
        self._outlet = outlet
        return outlet

    async def _keep(
        self, outlet: Outlet, now: dt.datetime, parked: Sequence[Delivery] = (), done: Sequence[Delivery] = ()
    ) -> None:
        await self._outbox.keep(outlet, parked, done)
        self._outlet, self._saved, self._saved_at, self._unsaved = outlet, outlet.cursor, now, False

    async def _tell_parked(self, endpoint: Endpoint, due: Sequence[Delivery], now: dt.datetime) -> bool:
        """Try what is due again. False: the receiver rests now, or is told no more."""
        changes, nobodys = await self._as_of_now(due, now)
        sent = await self._send(endpoint, changes, now)
        by_id = {change_id(one.seq): one for one in due}
        done = [*nobodys, *[by_id[change.id] for change in sent.told]]
        parked = [self._later(by_id[change.id], problem, now) for change, problem in sent.failed]
        return await self._settled(endpoint, sent, now, parked=[] if sent.over else parked, done=done)

    async def _tell_page(self, endpoint: Endpoint, changes: Sequence[Change], now: dt.datetime) -> bool:
        """Tell the changes of a page. False: the receiver rests now, or is told no more, and the cursor stays."""
        held = await self._outbox.parked_of(self.platform, [change.citizen.qid for change in changes])
        behind = {qid for qid, one in held.items() if one.state == "waiting"}
        new = [change for change in changes if change.citizen.version > self._told.get(change.citizen.qid, -1)]
        sent = await self._send(endpoint, [change for change in new if change.citizen.qid not in behind], now)
        self._told |= {change.citizen.qid: change.citizen.version for change in sent.told}
        if sent.over:
            return await self._settled(endpoint, sent, now)
        parked = {qid: held[qid] for qid in behind}
        for change in new:
            if change.citizen.qid in behind:
                parked[change.citizen.qid] = msgspec.structs.replace(
                    held[change.citizen.qid], seq=change.citizen.version, kind=change.type, at=change.at
                )
        newest = {change.citizen.qid: change for change in new}
        for failed, problem in sent.failed:
            qid = failed.citizen.qid
            last = newest[qid]
            one = Delivery(self.platform, qid, last.citizen.version, last.type, last.at, "waiting", 0, now, problem)
            parked[qid] = self._later(one, problem, now)
        done = [held[qid] for qid in self._told if qid in held and qid not in parked]
        return await self._settled(endpoint, sent, now, parked=list(parked.values()), done=done)

    async def _probe(self, endpoint: Endpoint, outlet: Outlet, now: dt.datetime) -> dt.datetime:
        """Try a receiver that rests with one message, once its time has come; stop after the last time."""
        assert outlet.rests_until is not None
        if now < outlet.rests_until:
            return outlet.rests_until
        changes, waiting = await self._first(now)
        self._in_a_row = 0  # else nothing would be sent
        sent = await self._send(endpoint, changes, now)
        if sent.gone:
            await self._stop("gone", now)
        elif not sent.failed:
            self._told |= {change.citizen.qid: change.citizen.version for change in sent.told}
            awake = msgspec.structs.replace(outlet, failures=0, rests_until=None, problem="")
            await self._keep(awake, now, done=waiting)
            await self._wake_parked(now)
        elif outlet.failures >= len(SCHEDULE):
            await self._stop("away", now)
        else:
            until = now + self._jittered(SCHEDULE[outlet.failures])
            problem = sent.failed[-1][1]
            again = msgspec.structs.replace(outlet, failures=outlet.failures + 1, rests_until=until, problem=problem)
            await self._keep(again, now)
            return until
        return now

    async def _first(self, now: dt.datetime) -> tuple[list[Change], list[Delivery]]:
        """(one message to try a receiver with, the first that it has not got; where it is parked, if it is)."""
        page = await self._feed.changes(self.platform, self.cursor, _PAGE, now)
        new = [change for change in page.changes if change.citizen.version > self._told.get(change.citizen.qid, -1)]
        if new:
            return new[:1], []
        waiting = await self._outbox.parked(self.platform, "waiting", "", 1)
        return (await self._as_of_now(waiting, now))[0], waiting

    async def _wake_parked(self, now: dt.datetime) -> None:
        """A receiver answers again: what is parked is due."""
        after = ""
        while page := await self._outbox.parked(self.platform, "waiting", after, _PAGE):
            await self._outbox.keep(parked=[msgspec.structs.replace(one, next_at=now) for one in page])
            after = page[-1].qid

    async def _as_of_now(self, parked: Sequence[Delivery], now: dt.datetime) -> tuple[list[Change], list[Delivery]]:
        """(what is parked, as it is told now; what is nobody's any more whom the platform follows)."""
        citizens = await self._feed.of_many(self.platform, [(one.qid, one.seq) for one in parked], now)
        changes = [
            Change(change_id(one.seq), str(one.seq), change_type(one.kind), one.at, citizens[one.qid])
            for one in parked
            if one.qid in citizens
        ]
        return changes, [one for one in parked if one.qid not in citizens]

    async def _send(self, endpoint: Endpoint, changes: Sequence[Change], now: dt.datetime) -> _Round:
        """Send each, so many at once; those of one citizen one after the other."""
        sent = _Round(self._in_a_row)
        secrets = await self._endpoints.secrets(endpoint, now) if changes else []
        queues: dict[Qid, list[Change]] = {}
        for change in changes:
            queues.setdefault(change.citizen.qid, []).append(change)
        waiting = iter(list(queues.values()))

        async def work() -> None:
            for queue in waiting:
                for change in queue:
                    if sent.over:
                        return
                    body = encoded(change)
                    answered = await self._sender.send(endpoint.url, signed(change.id, body, secrets, now), body)
                    sent.count(change, answered)
                    if answered.problem is not None:
                        break  # what is newer of this citizen goes with what is tried again

        await asyncio.gather(*[work() for _ in range(min(self.in_flight, len(queues)))])
        self._in_a_row = sent.in_a_row
        return sent

    async def _settled(
        self,
        endpoint: Endpoint,
        sent: _Round,
        now: dt.datetime,
        *,
        parked: Sequence[Delivery] = (),
        done: Sequence[Delivery] = (),
    ) -> bool:
        """Keep what came of a round; False if the receiver is to rest, or to be told no more."""
        outlet = self._outlet
        assert outlet is not None and outlet.setting == endpoint.setting
        if sent.gone:
            await self._stop("gone", now)
            return False
        if sent.over:
            until, problem = now + self._jittered(SCHEDULE[0]), sent.failed[-1][1]
            outlet = msgspec.structs.replace(outlet, failures=1, rests_until=until, problem=problem)
        if sent.over or parked or done:
            await self._keep(outlet, now, parked, done)
        return not sent.over

    def _later(self, one: Delivery, problem: str, now: dt.datetime) -> Delivery:
        """What failed once more: when it is tried again, or that it is not."""
        attempts = one.attempts + 1
        if attempts > len(SCHEDULE):
            return msgspec.structs.replace(one, state="dead", attempts=attempts, problem=problem)
        next_at = now + self._jittered(SCHEDULE[attempts - 1])
        return msgspec.structs.replace(one, attempts=attempts, next_at=next_at, problem=problem)

    def _jittered(self, delay: dt.timedelta) -> dt.timedelta:
        """Up to a tenth more or less: who failed together does not come back together."""
        return delay * (0.9 + 0.2 * self._random(1)[0] / 255)

    async def _stop(self, reason: str, now: dt.datetime) -> None:
        """Tell this endpoint no more; what was parked is dead, and can be tried again by hand at a new one."""
        await self._keep(self._opened_before, now)
        what = WebhookStopped(self.platform, "gone" if reason == "gone" else "away")
        id = new_fact_id("whk", now, self._random(10))
        await self._store.append(Act((Fact(id=id, at=now, actor="worker", what=what),)))
        while page := await self._outbox.parked(self.platform, "waiting", "", _PAGE):
            await self._outbox.keep(parked=[msgspec.structs.replace(one, state="dead") for one in page])
        await self._endpoints.all(now, at_once=True)
