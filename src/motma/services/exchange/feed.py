"""Feed: what changed since a platform last asked, for each citizen whom it declared, in order, nothing missed.

Facts are numbered without gaps in order of commit, so a cursor is a number: what comes after it is all that is new. A
page goes through a bounded number of facts and says where it got to, whether or not it found something.
"""

import datetime as dt
from collections import OrderedDict
from collections.abc import Collection, Iterable, Sequence

import msgspec

from motma.core.change import (
    Change,
    CitizenNow,
    Own,
    change_id,
    change_type,
    concerns,
    told_of_all,
    told_of_own,
)
from motma.core.errors import Hidden, Invalid
from motma.core.facts import Accepted, Standing
from motma.core.ids import FactId, Qid, same_moment_id
from motma.core.links import Link
from motma.core.words import Words
from motma.services.afterwards import sequel
from motma.services.exchange.tail import Tail, scan
from motma.storage.store import Move, Store

PAGE_CHANGES = 500
"""So many at most are told at once."""
WAIT_SECONDS = 20
"""So long at most a platform may wait for something new."""

_SCANNED, _SCANS = 1_000, 8
"""Facts gone through in one question, and questions for one page."""
_BEHIND_PAGES = 5
_WAITING_MAX = 8
_CODES_KEPT = 10_000


class _Code(msgspec.Struct):
    """All that is opened of a :class:`motma.core.facts.Holder`."""

    code: str


class Page(msgspec.Struct, frozen=True):
    """``changes`` after a cursor, ``upto`` where this page got to; ``more``: there is something beyond already."""

    changes: tuple[Change, ...]
    upto: int
    more: bool


class Behind(msgspec.Struct, frozen=True):
    """What a platform was not told yet: ``since`` when the first of it happened. Without it nothing is known to wait,
    and ``unread`` so many facts were not gone through."""

    since: dt.datetime | None = None
    unread: int = 0


class Feed:
    """The platforms' third verb. Belongs to one event loop."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.tail = Tail(store)
        self._codes: OrderedDict[FactId, str] = OrderedDict()
        self._waiting: dict[str, int] = {}

    async def close(self) -> None:
        """Wait for nothing more."""
        await self.tail.close()

    async def head(self) -> int:
        """The cursor after which there is nothing yet."""
        return await self.tail.look()

    async def cursor(self, text: str | None) -> int:
        """What a platform means: a cursor of ours, ``now``, or None for the beginning.

        Raises :class:`Invalid` ``changes.cursor`` for one that we never gave: of another installation, perhaps.
        """
        if text is None:
            return 0
        head = await self.head()
        if text == "now":
            return head
        if not (text.isascii() and text.isdigit() and len(text) <= 18 and int(text) <= head):
            raise Invalid(
                "changes.cursor",
                Words(
                    "Con trỏ này không phải do hệ thống này cấp. Dùng lại `next` của trang trước.",
                    "This cursor is none of ours. Use `next` of the page before.",
                ),
            )
        return int(text)

    async def changes(self, platform: str, after: int, limit: int, now: dt.datetime) -> Page:
        """At most ``limit`` changes after the cursor ``after`` of citizens whom ``platform`` declared.

        Of several changes of one citizen on a page only the last is told, but for merges.
        """
        head = await self.head()
        moves = self.tail.after(platform, after)
        upto = head
        if moves is None:
            moves, upto = await self._scanned(platform, after, head, limit)
        if len(moves) > limit:
            moves = moves[:limit]
            upto = moves[-1].seq
        return Page(tuple(await self._told(platform, moves, now)), upto, upto < head)

    async def behind(self, platform: str, after: int, now: dt.datetime) -> Behind:
        """How far ``platform``, told up to the cursor ``after``, is behind."""
        for _ in range(_BEHIND_PAGES):
            page = await self.changes(platform, after, 1, now)
            if page.changes:
                return Behind(page.changes[0].at)
            if not page.more:
                return Behind()
            after = page.upto
        return Behind(unread=await self.head() - after)

    async def wait(self, platform: str, after: int, seconds: float) -> None:
        """Until there may be something after ``after``, at most ``seconds``. Who has many asks open is not waited for:
        more would not tell more."""
        waiting = self._waiting.get(platform, 0)
        if waiting >= _WAITING_MAX:
            return
        self._waiting[platform] = waiting + 1
        try:
            await self.tail.wait(platform, after, seconds)
        finally:
            self._waiting[platform] -= 1

    async def of(self, platform: str, qid: Qid, now: dt.datetime, *, version: int = 0) -> CitizenNow:
        """What ``platform`` is told of a citizen now. Raises :class:`Hidden` ``citizen.hidden`` if it follows nobody of
        this number."""
        told = await self._now(platform, [qid], now)
        if qid not in told:
            raise Hidden(
                "citizen.hidden",
                Words(
                    "Nơi gửi này chưa khai cho người nào mang số này.", "This sender declared nobody of this number."
                ),
            )
        return told[qid].told(version, now)

    async def of_many(
        self, platform: str, wanted: Iterable[tuple[Qid, int]], now: dt.datetime
    ) -> dict[Qid, CitizenNow]:
        """As :meth:`of`, of each (number, version); nothing of whom it does not follow."""
        versions = dict(wanted)
        told = await self._now(platform, versions, now)
        return {qid: citizen.told(versions[qid], now) for qid, citizen in told.items()}

    # -- inside ------------------------------------------------------------------------------------------------------

    async def _scanned(self, platform: str, after: int, head: int, limit: int) -> tuple[list[Move], int]:
        """(what happened to who ``platform`` follows, the number up to which that is all)."""
        found: list[Move] = []
        for _ in range(_SCANS):
            upto = min(after + _SCANNED, head)
            found += [moved.move for moved in await scan(self._store, after, upto) if platform in moved.platforms]
            after = upto
            if len(found) >= limit or after >= head:
                break
        return found, after

    async def _told(self, platform: str, moves: Sequence[Move], now: dt.datetime) -> list[Change]:
        told = await self._now(platform, [move.qid for move in moves], now)
        newest: dict[tuple[Qid, str], Move] = {}
        last: dict[Qid, Move] = {}
        for move in moves:
            if move.qid in told and await self._is_theirs(told[move.qid], move):
                citizen = told[move.qid].qid
                newest[citizen, change_type(move.kind)] = last[citizen] = move
        return [
            Change(change_id(move.seq), str(move.seq), kind, move.at, told[move.qid].told(move.seq, now))
            for (citizen, _), move in sorted(newest.items(), key=lambda one: one[1].seq)
            if (kind := change_type(move.kind)) != "citizen.changed" or last[citizen] is move
        ]

    async def _is_theirs(self, citizen: "_Told", move: Move) -> bool:
        if citizen.own.is_theirs:
            return True
        if move.id == citizen.own.declaration or concerns(citizen.own, move.kind, None):
            return True
        return concerns(citizen.own, move.kind, await self._store.fact(move.id, only=()))

    async def _now(self, platform: str, citizens: Collection[Qid], now: dt.datetime) -> dict[Qid, "_Told"]:
        """What may be told of each of ``citizens`` whom ``platform`` follows still, by the number asked for."""
        links = await self._store.links_of(citizens)
        followed = {qid: theirs for qid in links if (theirs := _theirs(links[qid], platform))}
        standings = await self._store.standings_of(followed)
        gone = {standing.into for standing in standings.values() if standing.into}
        while further := {qid for qid in gone if qid not in standings}:
            standings |= (more := await self._store.standings_of(further))
            gone = {standing.into for standing in more.values() if standing.into}
            followed |= {
                qid: theirs
                for qid, held in (await self._store.links_of(further)).items()
                if (theirs := _theirs(held, platform))
            }
        told: dict[Qid, _Told] = {}
        for qid in dict.fromkeys(citizens):
            numbers = _numbers(qid, standings)
            theirs = [link for number in numbers for link in followed.get(number, ())]
            if qid in followed and theirs:
                newest = max(theirs, key=lambda link: link.declaration)
                told[qid] = await self._tell(newest, standings.get(numbers[-1]), standings)
        return told

    async def _tell(self, link: Link, standing: Standing | None, standings: dict[Qid, Standing]) -> "_Told":
        own = await self._own(link.declaration, standing)
        if own.is_theirs and standing:
            code = await self._code(standing.code) if standing.code else None
            return _Told(own, standing, code)
        number = standings.get(own.qid) or await self._store.standing(own.qid)
        return _Told(own, number, await self._code(same_moment_id("cod", own.declaration)))

    async def _own(self, declaration: FactId, standing: Standing | None) -> Own:
        """A platform's own declaration, as it is by now."""
        fact = await self._store.fact(declaration, only=())
        assert fact is not None and isinstance(fact.what, Accepted) and fact.qid  # the link says so
        what = fact.what
        if standing and standing.declaration == declaration:
            return Own(declaration, standing.grade, fact.qid, what, standing.valid_until)
        became = await sequel(self._store, fact)
        return Own(declaration, became.match.grade, fact.qid, what, became.valid_until or what.valid_until)

    async def _code(self, id: FactId) -> str | None:
        """The text of a code; what was issued once stays what it is."""
        text = self._codes.get(id)
        if text is None:
            fact = await self._store.fact(id, only=("code",))
            if fact is None or fact.personal is None:
                return None
            text = msgspec.json.decode(fact.personal, type=_Code).code
            self._codes[id] = text
            if len(self._codes) > _CODES_KEPT:
                self._codes.popitem(last=False)
        return text


class _Told(msgspec.Struct, frozen=True):
    """All that a platform may be told of a citizen: by its own declaration, where they stand, and the code."""

    own: Own
    standing: Standing | None
    code: str | None

    @property
    def qid(self) -> Qid:
        """The number that it is told under."""
        return self.standing.qid if self.standing and self.own.is_theirs else self.own.qid

    def told(self, version: int, now: dt.datetime) -> CitizenNow:
        if self.standing and self.own.is_theirs:
            return told_of_all(self.standing, self.own, version, self.code, now)
        return told_of_own(self.standing, self.own, version, self.code, now)


def _theirs(links: Iterable[Link], platform: str) -> list[Link]:
    return [link for link in links if link.platform == platform]


def _numbers(qid: Qid, standings: dict[Qid, Standing]) -> list[Qid]:
    """The number and those that follow it, up to the one that its citizen goes by."""
    numbers = [qid]
    while (standing := standings.get(numbers[-1])) and standing.into and standing.into not in numbers:
        numbers.append(standing.into)
    return numbers
