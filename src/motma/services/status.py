"""Status: give every code its place in a list, withdraw and give back, and publish what became of each code.

The lists are projections of ``standing.*`` facts, kept in memory and read on from the last fact that was seen; nothing
about them is stored. Whoever reads them is not this room's business (:mod:`motma.core.status` judges what is taken).
"""

import asyncio
import datetime as dt
import hashlib
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field

from motma.core.cose import Signer
from motma.core.errors import Conflict, Hidden
from motma.core.facts import (
    CheckAgain,
    Fact,
    HealthReported,
    Issued,
    Restored,
    Reviewed,
    Revoked,
    Standing,
    Suspended,
    Took,
)
from motma.core.fold import apply
from motma.core.ids import Qid, new_fact_id
from motma.core.status import LIST_INDEXES, SKEW_SECONDS, Status, StatusList, issue_status_token, list_uri, put_status
from motma.core.text import parse_line
from motma.core.words import Words
from motma.services.afterwards import numbers_of
from motma.storage.keys import Secrets
from motma.storage.store import Act, Already, Store

TTL_SECONDS = 300
EXPIRY = dt.timedelta(hours=24)
BLOCK_INDEXES = 1024
REASON_MAX_CHARS = 200

_LIST_BLOCKS = LIST_INDEXES // BLOCK_INDEXES
# Lists are longer than what is reserved, and grow in large steps: a code from a new block is covered by the list that a
# scanner took before, and a new block is no reason to fetch the list again. Valid zeros squeeze to nothing.
_STEP_BLOCKS = 64
_PAGE_FACTS = 2_000
_CODES_MAX = 10_000
_LOOK_EVERY = dt.timedelta(seconds=1)
# Squeezing takes a second for ten million codes: under a stream of changes, let it take a tenth of the time. Up to a
# million codes it takes no time worth a pause.
_SQUEEZED_BYTES_PER_SECOND = 250_000
_SQUEEZED_AT_ONCE_BYTES = 1 << 18
# An expired code in front of a clock that is behind is still worth listing.
_EXPIRED_MARGIN = dt.timedelta(hours=1)
# A declaration that was under way while its citizen was revoked is written by then (storage waits 30 s at most); and
# a server that was down when it was due looks this far back.
_LATE_AFTER, _LATE_UNTIL = dt.timedelta(minutes=1), dt.timedelta(hours=1)
# Another server may still be in the half-day before.
_CLOCKS_APART = dt.timedelta(minutes=5)


_EVER = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


@dataclass(frozen=True, slots=True)
class Published:
    """A signed list as it goes out, and the name of this very content."""

    token: bytes
    etag: str
    ttl_seconds: int


@dataclass
class _Built:
    """One list: what is in it now, and what was last signed of it."""

    packed: bytearray = field(default_factory=bytearray)
    changed: bool = True
    changed_at: dt.datetime = _EVER
    """When the last fact that is in ``packed`` happened."""
    squeezed: StatusList | None = None
    squeezed_at: dt.datetime = _EVER
    as_of: dt.datetime = _EVER
    """``changed_at`` of what was squeezed."""
    issued_at: dt.datetime = _EVER
    kid: bytes = b""
    published: Published | None = None


class StatusDesk:
    """The verb of who withdraws codes, and the drawer that indexes come from. Belongs to one event loop.

    ``status_uri`` is where the lists stand; ``signer`` gives the key that signs at a time and since when it does, and
    raises :class:`Unavailable` if there is none.
    """

    def __init__(
        self,
        *,
        store: Store,
        secrets: Secrets,
        random: Callable[[int], bytes],
        status_uri: str,
        signer: Callable[[dt.datetime], Awaitable[tuple[Signer, dt.datetime]]],
    ) -> None:
        self._store = store
        self._secrets = secrets
        self._random = random
        self._status_uri = status_uri
        self._signer = signer
        # Made anew at each start: what this process reserved and did not use is never found again, by nobody.
        self._token = random(16).hex()
        self._free: list[int] = []
        self._reserving = asyncio.Lock()
        self._block = -1
        self._building = asyncio.Lock()
        self._lists: dict[int, _Built] = {}
        self._seq = 0
        self._reserved = 0
        self._looked_at: dt.datetime | None = None
        self._late: dict[Qid, dt.datetime] = {}

    # -- a place for every code --------------------------------------------------------------------------------------

    async def next_index(self, now: dt.datetime) -> int:
        """An index that no code ever had and no other will have, whichever process asks, and whatever the clock says.

        Blocks of 1,024 belong to whoever claims them first; within a block the order is random, so that neighbours in
        the list are not neighbours in the queue. What is left of a block when the process ends stays unused.
        """
        while not self._free:
            async with self._reserving:
                if not self._free:
                    self._free = await self._reserve()
        return self._free.pop()

    async def _reserve(self) -> list[int]:
        """The indexes of a block that is ours from now on."""
        if self._block < 0:
            self._block = await self._first_free(0)
        # The answer to a claim may get lost. It bears our token, so claiming the same block again finds it ours; and
        # it is given out once, because what follows the claim has no point at which it could be interrupted.
        while isinstance(await self._store.append(Act(once=((self._key(self._block), self._token),))), Already):
            self._block += 1
        start, keys = self._block * BLOCK_INDEXES, self._random(8 * BLOCK_INDEXES)
        self._block += 1
        return sorted(
            range(start, start + BLOCK_INDEXES), key=lambda index: keys[(index - start) * 8 : (index - start) * 8 + 8]
        )

    async def _first_free(self, low: int) -> int:
        """The first block that nobody holds; all below ``low`` are held. Blocks are claimed in order, without gaps."""
        while True:
            steps = [low + (1 << n) - 1 for n in range(22)]
            held = await self._store.holders([self._key(block) for block in steps])
            if not held:
                return low
            low = steps[len(held) - 1] + 1

    def _key(self, block: int) -> bytes:
        return self._secrets.index("status-block", str(block))

    # -- withdraw and give back --------------------------------------------------------------------------------------

    async def revoke(self, qid: Qid, reason: str, *, by: str, now: dt.datetime) -> int:
        """Withdraw a citizen's standing and every code they hold; returns how many codes that is.

        Holds until :meth:`restore`, also for codes issued later. Again is safe. Raises :class:`Hidden`
        ``standing.none``, :class:`Invalid` for a reason that is no line of text.
        """
        return await self._withdraw(qid, Revoked, reason, by, now)

    async def suspend(self, qid: Qid, reason: str, *, by: str, now: dt.datetime) -> int:
        """Withhold a citizen's standing for now; otherwise as :meth:`revoke`. What is revoked stays revoked."""
        return await self._withdraw(qid, Suspended, reason, by, now)

    async def restore(self, qid: Qid, *, by: str, now: dt.datetime) -> int:
        """Undo :meth:`revoke` and :meth:`suspend`; returns how many codes are in order again.

        Codes that say more than is so go back to "ask the server". Raises :class:`Hidden` ``standing.none``,
        :class:`Conflict` ``standing.in_order``.
        """
        standing = await self._standing(qid)
        qid = standing.qid
        if not (standing.revoked or standing.suspended):
            raise Conflict(
                "standing.in_order",
                Words("Mã của người này không bị thu hồi hay tạm ngưng.", "Nothing is withdrawn from this citizen."),
            )
        codes = await self._codes(standing, now)
        facts = [self._fact("rst", qid, Restored(_indexes(codes)), by, now)]
        misleading = _indexes(_misleading(standing, codes, now))
        if misleading:
            facts.append(self._fact("chk", qid, CheckAgain(misleading), by, now))
        await self._append(facts)
        return len(codes) - len(misleading)

    async def consequences(self, facts: Sequence[Fact], now: dt.datetime) -> tuple[Fact, ...]:
        """What has to be written together with ``facts``, so that no code says more than is so.

        After a declaration that is not clear, or turned out not to match, the codes of older ones are to be checked
        again, and so are those of a repair that was taken back; while what health staff reported lasts, all codes are.
        A code issued to somebody who is withdrawn is withdrawn as well; and when two turn out to be one who is
        withdrawn, all codes of both.
        """
        found: list[Fact] = []
        for qid in dict.fromkeys([fact.qid for fact in facts if fact.qid]):
            found += await self._follow(qid, [fact for fact in facts if fact.qid == qid], now)
        if found:
            self._looked_at = None  # they are about to be written
        return tuple(found)

    async def _follow(self, qid: Qid, facts: Sequence[Fact], now: dt.datetime) -> list[Fact]:
        """What follows from ``facts`` about the citizen with the number ``qid``."""
        before = after = await self._store.standing(qid)
        for fact in facts:
            after = apply(after, fact)
        if after is None or after.into or (before is None and not after.events):
            return []  # who was never here holds no other code; whoever they are one with has these too
        kinds = [fact.what for fact in facts]
        new = [what for what in kinds if isinstance(what, Issued)]
        taken_back = {what.declaration for what in kinds if isinstance(what, Reviewed) and not what.upheld}
        joined = any(isinstance(what, Took) for what in kinds)
        reported = any(isinstance(what, HealthReported) for what in kinds)
        found: list[Fact] = []
        if reported and not (after.revoked or after.suspended or after.event_at(now)):
            codes = await self._codes(after, now)
            found += [self._fact("rst", qid, Restored(_indexes(codes)), "house", now)] if codes else []
        if _is_misleading(after, now) or taken_back:
            codes = [*await self._codes(after, now), *new]
            again = [*_misleading(after, codes, now), *(code for code in codes if code.declaration in taken_back)]
            if again or reported:
                found.append(self._fact("chk", qid, CheckAgain(_indexes(again)), "house", now))
        if (new or joined) and (after.revoked or after.suspended):
            theirs = [*await self._codes(after, now), *new] if joined else new
            found.append(self._withdrawn(after, qid, _indexes(theirs), now))
        return found

    async def _withdraw(
        self, qid: Qid, kind: type[Revoked] | type[Suspended], reason: str, by: str, now: dt.datetime
    ) -> int:
        reason = parse_line(reason, REASON_MAX_CHARS)
        name = "rev" if kind is Revoked else "sus"
        while True:
            standing = await self._standing(qid)
            indexes = _indexes(await self._codes(standing, now))
            await self._append([self._fact(name, standing.qid, kind(reason, indexes), by, now)])
            if (await self._standing(qid)).qid == standing.qid:
                return len(indexes)
            # Meanwhile they were made one with somebody: from them it is withdrawn too.

    async def _standing(self, qid: Qid) -> Standing:
        """Where the citizen stands, by whichever of their numbers."""
        _, standing = await numbers_of(self._store, qid)
        if standing is None:
            raise Hidden(
                "standing.none",
                Words("Không tìm thấy tờ khai của số này.", "No declaration is found for this number."),
            )
        return standing

    async def _codes(self, standing: Standing, now: dt.datetime) -> list[Issued]:
        """A citizen's codes that somebody might still take for good, and that have a place in a list."""
        issued: list[Issued] = []
        for number in (standing.qid, *standing.also):
            facts = await self._store.facts_about(number, kinds=("code.issued",), newest_first=True, limit=_CODES_MAX)
            issued += [fact.what for fact in facts if isinstance(fact.what, Issued)]
        return [code for code in issued if code.status_index >= 0 and now < code.valid_until + _EXPIRED_MARGIN]

    async def _append(self, facts: Iterable[Fact]) -> None:
        await self._store.append(Act(facts=tuple(facts)))
        self._looked_at = None  # this process at least shows it at once

    def _withdrawn(self, standing: Standing, qid: Qid, indexes: tuple[int, ...], now: dt.datetime) -> Fact:
        if standing.revoked:
            return self._fact("rev", qid, Revoked("as before", indexes), "house", now)
        return self._fact("sus", qid, Suspended("as before", indexes), "house", now)

    def _fact(
        self, kind: str, qid: Qid, what: Revoked | Suspended | Restored | CheckAgain, by: str, now: dt.datetime
    ) -> Fact:
        return Fact(id=new_fact_id(kind, now, self._random(10)), at=now, actor=by, qid=qid, what=what)

    # -- what is published -------------------------------------------------------------------------------------------

    async def status_list(self, n: int, now: dt.datetime) -> Published:
        """List ``n`` (codes ``n << 24`` and on) as it is now; at most a second old, and at once after a verb above.

        Signed anew when it has changed, every half day (half of its time), and when another key signs. Raises
        :class:`Hidden` ``status.no_list`` for one that no code is in.
        """
        built = self._lists.get(n)
        if built is None or built.published is None or not self._building.locked():
            async with self._building:  # whoever comes meanwhile gets what there is
                await self._look(now)
                built = self._lists.get(n)
                if built is None:
                    raise Hidden("status.no_list", Words("Không có danh sách này.", "There is no such list."))
                await self._sign(n, built, now)
        assert built.published is not None
        return built.published

    def floors(self, now: dt.datetime) -> dict[str, dt.datetime]:
        """Where our lists begin -> no list that anybody gives out from ``now`` on was issued before that moment."""
        return {self._status_uri: _half_day(now - _CLOCKS_APART)}

    async def _look(self, now: dt.datetime) -> None:
        """Read what happened since the last look: facts, and blocks that were reserved by anybody."""
        if self._looked_at is not None and dt.timedelta(0) <= now - self._looked_at < _LOOK_EVERY:
            return
        await self._read_on()
        await self._list_the_late(now)
        self._reserved = await self._first_free(self._reserved)
        covered = (self._reserved // _STEP_BLOCKS + 2) * _STEP_BLOCKS
        for n in range((covered - 1) // _LIST_BLOCKS + 1):
            self._stretch(n, min(_LIST_BLOCKS, covered - n * _LIST_BLOCKS) * BLOCK_INDEXES)
        self._looked_at = now

    async def _read_on(self) -> None:
        while page := await self._store.status_facts(self._seq, _PAGE_FACTS):
            for seq, fact in page:
                self._apply(fact)
                self._seq = seq

    def _apply(self, fact: Fact) -> None:
        what = fact.what
        if isinstance(what, Revoked | Suspended | CheckAgain) and fact.qid:
            self._late[fact.qid] = fact.at
        elif isinstance(what, Restored) and fact.qid:
            self._late.pop(fact.qid, None)
        if isinstance(what, Revoked | Suspended | Restored | CheckAgain):
            for index in what.indexes:
                before = self._status(index)
                after = _after(before, what)
                if after is not before:
                    built = self._stretch(index // LIST_INDEXES, index % LIST_INDEXES + 1)
                    put_status(built.packed, index % LIST_INDEXES, after)
                    built.changed, built.changed_at = True, max(built.changed_at, fact.at)

    def _status(self, index: int) -> Status:
        built, at = self._lists.get(index // LIST_INDEXES), index % LIST_INDEXES
        if built is None or at // 4 >= len(built.packed):
            return Status.VALID
        return Status(built.packed[at // 4] >> at % 4 * 2 & 3)

    def _stretch(self, n: int, length: int) -> _Built:
        """List ``n``, at least ``length`` long. Two bits to a code: four in a byte."""
        built = self._lists.setdefault(n, _Built())
        lacking = (length + 3) // 4 - len(built.packed)
        if lacking > 0:
            built.packed.extend(bytes(lacking))
            built.changed = True
        return built

    async def _list_the_late(self, now: dt.datetime) -> None:
        """List the codes that were issued while their citizen was being withdrawn or reported: in no fact as yet."""
        due = [qid for qid, at in self._late.items() if abs(now - at) >= _LATE_AFTER]
        for qid in due:
            standing = await self._store.standing(qid) if abs(now - self._late[qid]) < _LATE_UNTIL else None
            fact = await self._late_of(standing, now) if standing else None
            if fact:
                await self._store.append(Act(facts=(fact,)))
            del self._late[qid]
        if due:
            await self._read_on()

    async def _late_of(self, standing: Standing, now: dt.datetime) -> Fact | None:
        """What is to be said of such codes of a citizen."""
        if standing.revoked or standing.suspended:
            withdrawn = (Status.REVOKED, Status.SUSPENDED)
            codes = [one for one in await self._codes(standing, now) if self._status(one.status_index) not in withdrawn]
            return self._withdrawn(standing, standing.qid, _indexes(codes), now) if codes else None
        if standing.event_at(now) is None:
            return None
        codes = [one for one in await self._codes(standing, now) if self._status(one.status_index) is Status.VALID]
        return self._fact("chk", standing.qid, CheckAgain(_indexes(codes)), "house", now) if codes else None

    async def _sign(self, n: int, built: _Built, now: dt.datetime) -> None:
        signer, since = await self._signer(now)
        fresh = built.changed and _may_squeeze(built, now)
        if fresh:
            built.squeezed, built.changed = StatusList(2, bytes(built.packed)), False
            built.squeezed_at, built.as_of = now, built.changed_at
        assert built.squeezed is not None
        # Dated by what is in it and by the half-day, not by who signs when: whichever process a scanner asks, the same
        # list bears the same date, and one that says less an older date. Not before the last one when the clock
        # steps back a little, or scanners would refuse it; but one dated so far ahead that no scanner with a right
        # clock takes it binds nobody.
        issued_at = max(since, _half_day(now), min(built.as_of, now))
        if built.issued_at <= now + dt.timedelta(seconds=SKEW_SECONDS):
            issued_at = max(issued_at, built.issued_at)
        if built.published and not fresh and (issued_at, signer.kid) == (built.issued_at, built.kid):
            return
        try:
            token = await asyncio.to_thread(  # squeezing takes a while, and so may a key in a hardware module
                issue_status_token,
                built.squeezed,
                uri=list_uri(self._status_uri, n * LIST_INDEXES),
                issued_at=issued_at,
                expires_at=issued_at + EXPIRY,
                ttl_seconds=TTL_SECONDS,
                signer=signer,
            )
        except BaseException:
            built.changed = True
            raise
        built.issued_at, built.kid = issued_at, signer.kid
        built.published = Published(token, hashlib.sha256(token).hexdigest()[:32], TTL_SECONDS)


def _half_day(now: dt.datetime) -> dt.datetime:
    """The last midnight or noon (UTC)."""
    return _EVER + (now - _EVER) // (EXPIRY / 2) * (EXPIRY / 2)


def _may_squeeze(built: _Built, now: dt.datetime) -> bool:
    size = len(built.packed)
    if built.squeezed is None or size <= _SQUEEZED_AT_ONCE_BYTES:
        return True
    return not dt.timedelta(0) <= now - built.squeezed_at < dt.timedelta(seconds=size / _SQUEEZED_BYTES_PER_SECOND)


def _after(before: Status, what: Revoked | Suspended | Restored | CheckAgain) -> Status:
    """What a fact makes of the status of a code that it names. The graver stays."""
    if isinstance(what, Restored):
        return Status.VALID
    if isinstance(what, Revoked) or before is Status.REVOKED:
        return Status.REVOKED
    if isinstance(what, Suspended) or before is Status.SUSPENDED:
        return Status.SUSPENDED
    return Status.CHECK_AGAIN


def _is_misleading(standing: Standing, now: dt.datetime) -> bool:
    """Whether a code of the citizen may say more than is known of them."""
    return standing.health_at(now) != "clear" or not standing.grade.travels


def _misleading(standing: Standing, codes: Iterable[Issued], now: dt.datetime) -> list[Issued]:
    """Those of ``codes`` that a newer declaration went beyond; all of them if it turned out not to be theirs, and while
    something counts that health staff reported: no code says that."""
    if not _is_misleading(standing, now):
        return []
    every = not standing.grade.travels or standing.event_at(now) is not None
    return [code for code in codes if every or code.declaration != standing.declaration]


def _indexes(codes: Iterable[Issued]) -> tuple[int, ...]:
    return tuple(sorted({code.status_index for code in codes if code.status_index >= 0}))
