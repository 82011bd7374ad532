"""The end of the facts, kept in sight: one look for everybody who waits for something new."""

import asyncio
import contextlib
from collections import OrderedDict, deque
from collections.abc import Iterable

import msgspec

from motma.core.errors import Unavailable
from motma.core.ids import Qid
from motma.storage.store import Move, Store

LOOK_SECONDS = 0.5
"""So long after its commit something that another process wrote is seen at the latest."""

_KEPT = 20_000
_SCANNED = 1_000
_MOVED_KEPT = 50_000
_BREATH_SECONDS = 0.05
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
        self._moved: OrderedDict[Qid, int] = OrderedDict()
        self._sure = 0
        """From here on every citizen who moved is in ``_moved``."""
        self._news: dict[str, asyncio.Event] = {}
        """By platform: who waits for what happens to whom it follows. The others are left to sleep."""
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
                self._moved.clear()
                self.since = self.head = self._sure = last
                self._tell(tuple(self._news))
            while self.head < last:
                upto = min(self.head + _SCANNED, last)
                concerned: set[str] = set()
                for moved in await scan(self._store, self.head, upto):
                    self._moved[moved.move.qid] = moved.move.seq
                    self._moved.move_to_end(moved.move.qid)
                    if moved.platforms:
                        self._kept.append(moved)
                        concerned |= moved.platforms
                    for platform in moved.platforms:
                        self._newest[platform] = moved.move.seq
                self.head = upto
                while len(self._moved) > _MOVED_KEPT:
                    self._sure = self._moved.popitem(last=False)[1]
                self._tell(concerned)
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

    def unmoved(self, qid: Qid, since: int) -> bool:
        """Whether it is known that nothing happened to this number after ``since``, up to the head."""
        return self._sure <= since and self._moved.get(qid, 0) <= since

    async def wait(self, platform: str, after: int, seconds: float) -> None:
        """Until something above ``after`` may have happened to who ``platform`` follows; at most ``seconds``."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                self._waiting += 1
                try:
                    if self._watching is None or self._watching.done():
                        self._watching = asyncio.create_task(self._watch(), name="motma-tail")
                    while self.since < 0 or (after >= self.since and self._newest.get(platform, 0) <= after):
                        await self._news.setdefault(platform, asyncio.Event()).wait()
                finally:
                    self._waiting -= 1

    def _tell(self, platforms: Iterable[str]) -> None:
        for platform in platforms:
            if news := self._news.pop(platform, None):
                news.set()

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
    """What happened to citizens, from one number to another; nobody may follow them."""
    moves = await store.moves(after, upto)
    links = await store.links_of([move.qid for move in moves]) if moves else {}
    return [
        Moved(move, frozenset([link.platform for link in links.get(move.qid, ()) if link.seq <= move.seq]))
        for move in moves
    ]
