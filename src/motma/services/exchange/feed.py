"""Feed: what changed since a platform last asked, for each citizen whom it declared, in order, nothing missed.

Facts are numbered without gaps in order of commit, so a cursor is a number: what comes after it is all that is new. A
page goes through a bounded number of facts and says where it got to, whether or not it found something.
"""

import datetime as dt
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
from motma.core.facts import Accepted, Fact, Standing
from motma.core.ids import FactId, Qid, same_moment_id
from motma.core.links import Link
from motma.core.words import Words
from motma.services.afterwards import became
from motma.services.exchange.recent import Recent
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
        self._recent = Recent(store, self.tail)
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
        await self.head()
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
        await self.head()
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
        links = await self._recent.links_of(citizens)
        followed = {qid: theirs for qid in links if (theirs := _theirs(links[qid], platform))}
        standings = await self._recent.standings_of(followed)
        for qid, held in (await self._recent.links_of(await self._go_on(standings))).items():
            if theirs := _theirs(held, platform):
                followed[qid] = theirs
        newest: dict[Qid, Link] = {}
        for qid in dict.fromkeys(citizens):
            theirs = [link for number in _numbers(qid, standings) for link in followed.get(number, ())]
            if qid in followed and theirs:
                newest[qid] = max(theirs, key=lambda link: link.declaration)
        owns = await self._owns([(link, standings.get(_numbers(qid, standings)[-1])) for qid, link in newest.items()])
        told: dict[Qid, _Told] = {}
        for qid, link in newest.items():
            own, standing = owns[link.declaration], standings.get(_numbers(qid, standings)[-1])
            if own.is_theirs and standing:
                told[qid] = _Told(own, standing, await self._recent.code(standing.code) if standing.code else None)
            else:
                number = (await self._recent.standings_of([own.qid])).get(own.qid)
                code = await self._recent.code(same_moment_id("cod", own.declaration))
                told[qid] = _Told(own, number, code)
        return told

    async def _go_on(self, standings: dict[Qid, Standing]) -> list[Qid]:
        """The numbers that those in ``standings`` go by now, and their standings put among them."""
        found: list[Qid] = []
        while gone := {one.into for one in standings.values() if one.into and one.into not in standings}:
            found += gone
            more = await self._recent.standings_of(gone)
            if not more:
                break
            standings |= more
        return found

    async def _owns(self, wanted: Collection[tuple[Link, Standing | None]]) -> dict[FactId, Own]:
        """A platform's own declarations, as they are by now, each with where its citizen stands; in few questions."""
        found: dict[FactId, Own] = {}
        facts: list[tuple[Fact, Accepted, Qid]] = []
        for link, standing in wanted:
            if standing and standing.declaration == link.declaration and standing.grade.is_sure:
                found[link.declaration] = Own(link.declaration, standing.grade, link.qid, None, standing.valid_until)
                continue
            fact = await self._recent.declared(link.declaration)
            assert isinstance(fact.what, Accepted) and fact.qid  # the link says so
            if standing and standing.declaration == fact.id:
                found[fact.id] = Own(fact.id, standing.grade, fact.qid, fact.what, standing.valid_until)
            else:
                facts.append((fact, fact.what, fact.qid))
        if facts:
            chains = await self._recent.standings_of([qid for _, _, qid in facts])
            await self._go_on(chains)
            outcomes = await self._recent.outcomes_of(
                [number for _, _, qid in facts for number in _numbers(qid, chains)]
            )
            for fact, what, qid in facts:
                about = [one for number in _numbers(qid, chains) for one in outcomes[number]]
                match, valid_until, _ = became(fact.id, what, about)
                found[fact.id] = Own(fact.id, match.grade, qid, what, valid_until)
        return found


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
