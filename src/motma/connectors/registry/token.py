"""A bearer token by OAuth 2.0 client credentials (RFC 6749, section 4.4): fetched once for all who need it.

It is renewed in the background before it ends, so that nobody waits for it while the register is well.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

_RENEW_AFTER = 0.75  # of its life
_LIFETIME_MOST_SECONDS = 86_400.0


@dataclass(frozen=True, slots=True)
class Bearer:
    """A token and how long it lives, in seconds from when it was asked for. Its text is never printed."""

    text: str
    seconds: float

    def __repr__(self) -> str:
        return f"Bearer(for {self.seconds:g} s)"


class TokenKeeper:
    """Keeps one token. ``fetch`` gets a new one and raises what it raises; ``clock`` counts seconds forward."""

    def __init__(self, fetch: Callable[[], Awaitable[Bearer]], clock: Callable[[], float]) -> None:
        self._fetch, self._clock = fetch, clock
        self._bearer: Bearer | None = None
        self._renew_at = self._ends_at = 0.0
        self._fetching: asyncio.Task[Bearer] | None = None

    async def get(self) -> Bearer:
        """A token that counts now. Raises what fetching it raised."""
        now = self._clock()
        bearer = self._bearer
        if bearer is not None and now < self._ends_at:
            if now >= self._renew_at:
                # Should it fail, the old one serves a while longer before the next try.
                self._renew_at = now + (self._ends_at - now) / 2
                self._begin()
            return bearer
        # Shielded: one of many who wait may be cancelled.
        return await asyncio.shield(self._begin())

    def refused(self, bearer: Bearer) -> None:
        """The register did not accept this token: the next question fetches another."""
        if self._bearer is bearer:
            self._bearer = None

    async def close(self) -> None:
        """End a fetch that is under way."""
        if self._fetching is not None:
            self._fetching.cancel()
            await asyncio.wait([self._fetching])

    def _begin(self) -> asyncio.Task[Bearer]:
        if self._fetching is None:
            self._fetching = asyncio.create_task(self._renew())
            self._fetching.add_done_callback(self._done)
        return self._fetching

    def _done(self, task: asyncio.Task[Bearer]) -> None:
        self._fetching = None
        if not task.cancelled():
            task.exception()  # seen, also when everybody who waited has gone

    async def _renew(self) -> Bearer:
        asked_at = self._clock()
        bearer = await self._fetch()
        seconds = min(bearer.seconds, _LIFETIME_MOST_SECONDS)
        self._renew_at, self._ends_at = asked_at + seconds * _RENEW_AFTER, asked_at + seconds
        self._bearer = bearer
        return bearer
