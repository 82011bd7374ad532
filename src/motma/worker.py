"""What is done when nobody waits for it: matching the pending, telling platforms. Runs inside the server."""

import asyncio
import contextlib
import datetime as dt
from collections.abc import Callable

import structlog

from motma.core.errors import MotmaError
from motma.services.exchange.endpoints import Endpoints
from motma.services.exchange.feed import Feed
from motma.services.exchange.telling import IN_FLIGHT, IN_FLIGHT_ALL, Telling
from motma.services.identify import Identify
from motma.storage.outbox import Outbox

LEASE = dt.timedelta(seconds=6)
"""So long after a server that told platforms is gone, another begins to."""

_RENEW_EVERY = dt.timedelta(seconds=2)
_LOOK_SECONDS = 0.5
_AT_LAST_SECONDS = 1.0
_IDLE_SECONDS = 2.0
_AFTER_FAILURE_MAX_SECONDS = 60.0
_log = structlog.get_logger()


async def work(identify: Identify, clock: Callable[[], dt.datetime]) -> None:
    """Work until cancelled. An error is logged and does not end the work; the next try waits twice as long."""
    rest = _IDLE_SECONDS
    while True:
        settled = 0
        try:
            settled = await identify.match_pending(clock())
            rest = _IDLE_SECONDS
        except Exception as error:  # an edge: one bad job must not stop all later ones
            _log.error("worker.failed", error=type(error).__name__, exc_info=error)
            rest = min(rest * 2, _AFTER_FAILURE_MAX_SECONDS)
        if settled:
            _log.info("worker.matched", citizens=settled)
        await asyncio.sleep(0.05 if settled else rest)


class Tellers:
    """Tells every platform that wants it, as long as no other server does."""

    def __init__(
        self,
        *,
        outbox: Outbox,
        endpoints: Endpoints,
        feed: Feed,
        telling: Callable[[str], Telling],
        owner: str,
        clock: Callable[[], dt.datetime],
    ) -> None:
        self._outbox = outbox
        self._endpoints = endpoints
        self._feed = feed
        self._telling = telling
        self._owner = owner
        self._clock = clock
        self._tasks: dict[str, tuple[Telling, asyncio.Task[None]]] = {}
        self._renewed_at: dt.datetime | None = None
        self._ours = False

    async def run(self) -> None:
        """Work until cancelled. An error is logged and does not end the work."""
        try:
            while True:
                try:
                    await self._look(self._clock())
                except Exception as error:  # an edge: the store may be away
                    _log.error("webhooks.failed", error=type(error).__name__, exc_info=error)
                await asyncio.sleep(_LOOK_SECONDS)
        finally:
            await self._only(frozenset())

    async def _look(self, now: dt.datetime) -> None:
        """See who is to be told, and whether we are the ones to do it."""
        found = await self._endpoints.all(now)
        wanted = frozenset([id for id, one in found.items() if not one.stopped])
        if wanted and (self._renewed_at is None or not dt.timedelta(0) <= now - self._renewed_at < _RENEW_EVERY):
            self._ours = await self._outbox.lease("webhooks", self._owner, now, now + LEASE)
            self._renewed_at = now
        await self._only(wanted if self._ours else frozenset())

    async def _only(self, wanted: frozenset[str]) -> None:
        for platform in self._tasks.keys() - wanted:
            telling, task = self._tasks.pop(platform)
            task.cancel()
            await asyncio.wait([task])
            with contextlib.suppress(MotmaError):  # else it is told once more
                await telling.save(self._clock(), at_once=True)
        for platform in wanted - self._tasks.keys():
            telling = self._telling(platform)
            self._tasks[platform] = telling, asyncio.create_task(self._tell(telling), name=f"motma-tell-{platform}")
        for telling, _ in self._tasks.values():
            telling.in_flight = max(1, min(IN_FLIGHT, IN_FLIGHT_ALL // len(self._tasks)))

    async def _tell(self, telling: Telling) -> None:
        rest = _IDLE_SECONDS
        while True:
            try:
                again = await telling.round(self._clock())
                rest = _IDLE_SECONDS
            except Exception as error:  # an edge: what fails for one platform is tried again, and is nobody else's
                _log.error("webhooks.failed", platform=telling.platform, error=type(error).__name__, exc_info=error)
                rest = min(rest * 2, _AFTER_FAILURE_MAX_SECONDS)
                await asyncio.sleep(rest)
                continue
            seconds = _AT_LAST_SECONDS
            if again is not None:
                seconds = min(seconds, max(0.0, (again - self._clock()).total_seconds()))
            if telling.rests or not seconds:
                await asyncio.sleep(seconds)
            else:
                await self._feed.tail.wait(telling.platform, telling.cursor, seconds)
