"""What is done when nobody waits for it: matching the pending. Runs inside the server, or alone by ``motma worker``."""

import asyncio
import datetime as dt
from collections.abc import Callable

import structlog

from motma.services.identify import Identify

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
