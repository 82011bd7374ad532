"""The end of the facts, kept in sight: one look for everybody who waits for something new."""

import asyncio
import contextlib
from collections import deque

import msgspec

from motma.core.errors import Unavailable
from motma.storage.store import Move, Store

LOOK_SECONDS = 0.5
"""So long after its commit something that another process wrote is seen at the latest."""

_KEPT = 20_000
_SCANNED = 1_000
_BREATH_SECONDS = 0.02
"""Between two looks, while everything moves: what is written meanwhile is seen in one."""


class Moved(msgspec.Struct, frozen=True):
    """Something that happened to a citizen, and which platforms followed them from before it when it was read."""

    move: Move
    platforms: frozenset[str]


class Tail:
    """What happened last, at hand. Belongs to one event loop.

    Keeps everything numbered above ``since`` up to ``head``. What it keeps tells whom to look for; what may be told is
    asked again by whoever tells it.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._looking = asyncio.Lock()
        self._kept: deque[Moved] = deque()
        self._newest: dict[str, int] = {}
        self._moved = asyncio.Event()
        self._waiting = 0
        self._watching: asyncio.Task[None] | None = None
        self.since = -1
        self.head = 0

    async def close(self) -> None:
        """Look no more."""
        if self._watching is not None:
            self._watching.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._watching

    async def look(self) -> int:
        """Read on to the last fact that is committed, and return its number."""
        async with self._looking:
            last = await self._store.changed_seq()
            if self.since < 0 or last - self.head > _KEPT:
                self._kept.clear()
                self._newest.clear()
                self.since = self.head = last
            while self.head < last:
                upto = min(self.head + _SCANNED, last)
                for moved in await scan(self._store, self.head, upto):
                    self._kept.append(moved)
                    for platform in moved.platforms:
                        self._newest[platform] = moved.move.seq
                self.head = upto
                self._tell()
            while len(self._kept) > _KEPT:
                self.since = self._kept.popleft().move.seq
            return last

    def after(self, platform: str, after: int) -> list[Move] | None:
        """What happened to who ``platform`` follows, numbered above ``after``; None if that is not at hand."""
        if not self.since <= after:
            return None
        found: list[Move] = []
        for moved in reversed(self._kept):
            if moved.move.seq <= after:
                break
            if platform in moved.platforms:
                found.append(moved.move)
        return found[::-1]

    async def wait(self, platform: str, after: int, seconds: float) -> None:
        """Until something above ``after`` may have happened to who ``platform`` follows; at most ``seconds``."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                self._waiting += 1
                try:
                    if self._watching is None or self._watching.done():
                        self._watching = asyncio.create_task(self._watch(), name="motma-tail")
                    while self.since < 0 or (after >= self.since and self._newest.get(platform, 0) <= after):
                        await self._moved.wait()
                finally:
                    self._waiting -= 1

    def _tell(self) -> None:
        self._moved.set()
        self._moved = asyncio.Event()

    async def _watch(self) -> None:
        """Look as long as somebody waits. A store that does not answer is asked again: who waits loses nothing."""
        while self._waiting:
            written = self._store.next_commit()  # asked for before looking: what comes meanwhile is heard
            with contextlib.suppress(Unavailable):
                await self.look()
            await asyncio.sleep(_BREATH_SECONDS)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK_SECONDS):
                    await written.wait()


async def scan(store: Store, after: int, upto: int) -> list[Moved]:
    """What happened to citizens whom somebody follows, from one number to another."""
    moves = await store.moves(after, upto)
    if not moves:
        return []
    links = await store.links_of([move.qid for move in moves])
    found = []
    for move in moves:
        if platforms := frozenset([link.platform for link in links.get(move.qid, ()) if link.seq <= move.seq]):
            found.append(Moved(move, platforms))
    return found
