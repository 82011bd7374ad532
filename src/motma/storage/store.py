"""The store: what the house remembers, in the words of its domain. The only part of this room that others see.

Facts are appended and never edited; what follows from them is kept beside them in the same transaction; and when
:meth:`Store.append` has returned, what it was given is on disk.
"""

import asyncio
import contextlib
import hashlib
import hmac
import time
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import NamedTuple, Self

from motma.core.errors import Unavailable
from motma.core.facts import Fact, Standing
from motma.core.fold import MOVING, Tally
from motma.core.ids import FactId, Qid
from motma.core.links import Link
from motma.core.permit import Permit
from motma.core.words import Words
from motma.storage import statements
from motma.storage.acts import (
    Act,
    Already,
    Appended,
    Credential,
    Holding,
    Stale,
    credential_of,
    fact_of,
    permit_of,
    prepare,
    standing_of,
    to_micros,
    to_time,
)
from motma.storage.engine import Engine, Rows, Wanted
from motma.storage.links import facts_of, links_of, rebuild_links, standings_of
from motma.storage.outbox import Outbox
from motma.storage.permits import rebuild_permits
from motma.storage.scans import PAGE_SCANS, ScanRow, ScanSpan, count_scans, scans_of
from motma.storage.seal import Ring, Seal, SealKey, UnknownKey, number_of, prefix
from motma.storage.standings import Rebuilt, rebuild_standings
from motma.storage.tracks import Tracks
from motma.storage.writer import Writer, seal_claim

__all__ = ["Act", "Already", "Appended", "Credential", "Holding", "Move", "Rebuilt", "ScanRow", "ScanSpan", "Store"]

PAGE_FACTS = 2_000
FEW_FACTS = 50
"""So many are read at once where one asks: going to another thread for them would cost more than reading them."""
PAGE_POLICIES = 100
PAGE_SEALED = 2_000
BATCH_SEALED = 200
"""How many personal parts are sealed anew in one transaction: some ten milliseconds of the writers' time."""
_TRIES, _PAUSE_SECONDS = 8, 0.5
_SEQ = -1  # in a row of a fact with its number
_AFTER_PERMITS = "prm_z"  # likewise: the first character of an id is a digit


class Move(NamedTuple):
    """Something that happened to a citizen and counts for where they stand: its number and kind, no more."""

    seq: int
    id: FactId
    kind: str
    qid: Qid
    at: datetime


class Store:
    """One database. Belongs to the event loop that opened it.

    Every method raises :class:`Unavailable` ``storage.unavailable`` while the database does not do its work; it
    comes back by itself. Methods that return facts in number leave out their personal part: ask :meth:`fact`.
    """

    def __init__(self, engine: Engine, seal: Seal, clock: Callable[[], datetime]) -> None:
        self._engine = engine
        self._writer = Writer(engine)
        self._seal = seal
        self._clock = clock
        self.outbox = Outbox(engine)
        """What platforms are still to be told."""
        self.tracks = Tracks(engine)
        """Where people stood, what they travelled in, whose contacts they are."""

    @classmethod
    async def open(cls, url: str, *, seal_key: bytes | Ring, clock: Callable[[], datetime]) -> Self:
        """Open ``sqlite:///path`` or ``postgresql://…``, create or upgrade its tables, and check the keys.

        ``seal_key``: the seal keys, or the one key of 32 bytes; ``clock`` tells the time a fact is recorded, aware.
        Raises :class:`Unavailable`, permanent for ``storage.too_new`` (newer code has been here) and
        ``storage.other_key`` (what is in there was sealed with other keys); ``ValueError`` for a URL of another kind.
        """
        seal = Seal(seal_key)
        store = cls(await _engine(url), seal, clock)
        try:
            await store.claim_seals()
        except BaseException:
            await store.close()
            raise
        return store

    async def close(self) -> None:
        """Finish what was taken, then let the database go. Safe to call twice."""
        await self._writer.close()
        await self._engine.close()

    # ------------------------------------------------------------ writing

    async def append(self, act: Act) -> Appended | Already:
        """Write everything in ``act``, or nothing; return when it is on disk.

        ``Already`` when a fact with one of its ids exists, a key of ``once`` is held with another value, or a standing
        of ``still`` has changed. A key held
        with the same value is fine. Raises :class:`Unavailable` ``storage.busy`` or ``storage.unavailable``: sending
        the same act again is always safe; :class:`Invalid` ``storage.*`` for content the database cannot keep.
        Cancelling the wait does not stop the act.
        """
        while True:
            outcome = await self._writer.append(prepare(act, self._seal, self._clock()))
            if not isinstance(outcome, Stale):
                return outcome
            self._seal.at_least(outcome.number)

    # ------------------------------------------------------------ one citizen

    async def standing(self, qid: Qid) -> Standing | None:
        """Where a citizen stands; None if nothing was ever accepted from them."""
        rows = await self._engine.read(statements.STANDING, qid)
        return standing_of(rows[0][0]) if rows else None

    async def fact(self, id: FactId, *, only: Collection[str] | None = None) -> Fact | None:
        """One fact with its personal part, or ``only`` these members of it: the others stay closed.

        Raises :class:`Unavailable` ``storage.sealed`` if that cannot be opened.
        """
        rows = await self._engine.read(statements.FACT, id)
        try:
            return fact_of(rows[0], self._seal, only) if rows else None
        except UnknownKey:
            # Between reading and opening it was sealed anew, and its old key was thrown away.
            rows = await self._engine.read(statements.FACT, id)
            return fact_of(rows[0], self._seal, only)

    async def facts_about(
        self, qid: Qid, *, kinds: Collection[str] | None = None, newest_first: bool = False, limit: int = 1_000
    ) -> list[Fact]:
        """At most ``limit`` facts about a citizen, of the given ``kinds`` (``"scan.made"`` …), in order of record."""
        names = sorted(set(kinds or ()))
        if kinds is not None and not names:
            return []
        query = statements.facts_about(len(names), newest_first)
        ask = self._engine.read if limit <= FEW_FACTS else self._engine.scan
        return [fact_of(row) for row in await ask(query, qid, *names, limit)]

    async def facts_of(self, citizens: Iterable[Qid], kinds: Sequence[str]) -> dict[Qid, list[Fact]]:
        """All facts of a few ``kinds`` about several citizens, by number, in order of record."""
        return await facts_of(self._engine, citizens, kinds)

    async def pending(self, limit: int, after: tuple[datetime, Qid] | None = None) -> list[Standing]:
        """At most ``limit`` citizens whose identity is still to be checked, the longest waiting first.

        ``after`` is (declared_at, qid) of the last one seen, to go on from.
        """
        since, qid = (to_micros(after[0]), after[1]) if after else (-(2**63), Qid(""))
        rows = await self._engine.scan(statements.PENDING, since, qid, limit)
        return [standing_of(body) for (body,) in rows]

    async def standings(self, after: Qid, limit: int) -> list[Standing]:
        """At most ``limit`` citizens in the order of their numbers, those after ``after`` ("" for the first)."""
        return [standing_of(body) for (body,) in await self._engine.scan(statements.STANDINGS_PAGE, after, limit)]

    # ------------------------------------------------------------ who follows whom

    async def links(self, qid: Qid) -> list[Link]:
        """Which platforms follow this number of a citizen."""
        return (await self.links_of((qid,))).get(qid, [])

    async def links_of(self, citizens: Iterable[Qid]) -> dict[Qid, list[Link]]:
        """The links of several numbers, by number."""
        return await links_of(self._engine, citizens)

    async def standings_of(self, citizens: Iterable[Qid]) -> dict[Qid, Standing]:
        """Where several citizens stand, by number."""
        return await standings_of(self._engine, citizens)

    async def moves(self, after: int, upto: int) -> list[Move]:
        """What happened to citizens, numbered above ``after`` up to ``upto``; the caller bounds how much that is."""
        rows = await self._engine.scan(statements.MOVES, after, upto)
        return [Move(int(seq), id, kind, qid, to_time(at)) for seq, id, kind, qid, at in rows if kind in MOVING]

    def next_commit(self) -> asyncio.Event:
        """Set when this process has written something more; what other processes write is not heard."""
        return self._writer.next_commit

    # ------------------------------------------------------------ permits

    async def permits_of(self, holders: Sequence[str]) -> list[Permit]:
        """Every permit of these holders (numbers of a citizen, hashes of plates), oldest first, revoked ones too."""
        rows = await self._engine.read(statements.permits_of(len(holders)), *holders) if holders else ()
        return [permit_of(body) for (body,) in rows]

    async def permit(self, id: str) -> Permit | None:
        """One permit, revoked or not."""
        rows = await self._engine.read(statements.PERMIT, id)
        return permit_of(rows[0][0]) if rows else None

    async def permits(self, limit: int, before: str = "") -> list[Permit]:
        """At most ``limit`` permits, the newest first, those issued before the one with the id ``before``."""
        rows = await self._engine.scan(statements.PERMITS_BEFORE, before or _AFTER_PERMITS, limit)
        return [permit_of(body) for (body,) in rows]

    # ------------------------------------------------------------ the whole

    async def control_facts(self) -> list[Fact]:
        """Every measure and diversion, oldest first."""
        return [fact_of(row) for row in await self._engine.read(statements.CONTROL_FACTS)]

    async def status_facts(self, after: int, limit: int = PAGE_FACTS) -> list[tuple[int, Fact]]:
        """At most ``limit`` (number, fact) of kind ``standing.*`` numbered above ``after``, in order of record."""
        rows = await self._engine.scan(statements.STATUS_FACTS, after, limit)
        return [(int(row[_SEQ]), fact_of(row[:_SEQ])) for row in rows]

    async def review_facts(self, after: int, limit: int = PAGE_FACTS) -> list[tuple[int, Fact]]:
        """At most ``limit`` (number, fact) of kinds ``identity.re…`` and ``citizen.*``, otherwise as the above."""
        rows = await self._engine.scan(statements.REVIEW_FACTS, after, limit)
        return [(int(row[_SEQ]), fact_of(row[:_SEQ])) for row in rows]

    async def policy_facts(self, after: int, limit: int = PAGE_POLICIES) -> list[tuple[int, Fact]]:
        """At most ``limit`` (number, fact) of kind ``policy.*``, otherwise as the above."""
        rows = await self._engine.scan(statements.POLICY_FACTS, after, limit)
        return [(int(row[_SEQ]), fact_of(row[:_SEQ])) for row in rows]

    async def platform_facts(self, after: int, limit: int = PAGE_FACTS) -> list[tuple[int, Fact]]:
        """At most ``limit`` (number, fact) of kind ``platform.*``, otherwise as the above."""
        rows = await self._engine.scan(statements.PLATFORM_FACTS, after, limit)
        return [(int(row[_SEQ]), fact_of(row[:_SEQ])) for row in rows]

    async def scans(self, span: ScanSpan, after: ScanRow | None = None, limit: int = PAGE_SCANS) -> list[ScanRow]:
        """At most ``limit`` scans of ``span``, in order of time: those after ``after``, the last one seen."""
        return await scans_of(self._engine, span, after, limit)

    async def count_scans(self, span: ScanSpan) -> int:
        """How many there are in ``span``."""
        return await count_scans(self._engine, span)

    async def changed_seq(self) -> int:
        """The number of the last fact, 0 in the beginning. Facts are numbered without gaps, in order of commit."""
        rows = await self._engine.read(statements.LAST_SEQ)
        return int(rows[0][0])

    async def tally(self, since: datetime) -> list[tuple[Tally, int]]:
        """The counts of every hour that began at or after ``since``, oldest first."""
        rows = await self._engine.scan(statements.TALLY, to_micros(since))
        return [(Tally(place, to_time(hour), kind, outcome), n) for place, hour, kind, outcome, n in rows]

    async def counts(self) -> dict[str, int]:
        """Rows by kind of fact, and ``citizens`` with a standing. Reads everything: for reconciliation."""
        by_kind = await self._engine.scan(statements.FACTS_BY_KIND)
        citizens = await self._engine.scan(statements.CITIZENS)
        return {**dict(by_kind), "citizens": citizens[0][0]}

    # ------------------------------------------------------------ claims and grants

    async def holder(self, key: bytes) -> str | None:
        """What ``key`` was claimed for; None while it is free."""
        return (await self.holders((key,))).get(key)

    async def holders(self, keys: Sequence[bytes]) -> dict[bytes, str]:
        """What those of ``keys`` that are held were claimed for, in the order of ``keys``; in one question."""
        rows = await self._engine.read(statements.holders(len(keys)), *keys) if keys else ()
        held = {key: str(value) for key, value in rows}
        return {key: held[key] for key in keys if key in held}

    async def holdings(self, wallet: bytes) -> list[Holding]:
        """The codes that a browser may show, newest first."""
        rows = await self._engine.read(statements.HOLDINGS, wallet)
        return [Holding(wallet, qid, declaration, to_time(at)) for wallet, declaration, qid, at in rows]

    async def credential(self, hash: bytes) -> Credential | None:
        """The credential that hashes to ``hash``, expired and revoked ones too."""
        rows = await self._engine.read(statements.CREDENTIAL, hash)
        return credential_of(rows[0]) if rows else None

    async def credentials(self, kind: str) -> list[Credential]:
        """All credentials of a kind, oldest first, expired and revoked ones too."""
        return [credential_of(row) for row in await self._engine.scan(statements.CREDENTIALS, kind)]

    # ------------------------------------------------------------ seals

    async def claim_seals(self) -> None:
        """Tell the database which keys are in use. When it returns, nothing more is written under older ones.

        The database remembers a fingerprint of each, or a mistake would show when it is too late. Raises
        :class:`Unavailable` ``storage.other_key``, permanent.
        """
        keys = self._seal.ring.look()
        told = {seal_claim(one.number): _fingerprint(one) for one in keys}
        every = [seal_claim(number) for number in range(1, keys[-1].number + 2)]
        held = await self.holders(every)
        _check_seals(told, held)
        used = (seal_claim(one.number) for one in keys if one.state != "waiting")
        new = tuple((claim, told[claim]) for claim in used if claim not in held)
        if new and isinstance(await self.append(Act(once=new)), Already):  # another process was quicker, perhaps ours
            _check_seals(told, await self.holders(every))

    async def sealed_by(self) -> dict[int, int]:
        """How many personal parts each key, by number, still seals. Reads everything."""
        rows = await self._engine.scan(statements.SEALED_BY, prefix(0))
        counts: dict[int, int] = {}
        for start, count in rows:
            number = 1 if start is None else number_of(start + bytes(32))
            counts[number] = counts.get(number, 0) + count
        return counts

    async def reseal(self) -> AsyncIterator[tuple[int, int]]:
        """Seal everything anew that an older key than the newest sealed, while others read and write.

        Yields (facts looked at, facts there are) after each page. What does not open stays as it is: :meth:`sealed_by`
        counts it. Stopped at any moment, it has done what it has done; the next time it does the rest.
        """
        newest, total = self._seal.number(), await self.changed_seq()
        for after in range(0, total, PAGE_SEALED):
            upto = min(after + PAGE_SEALED, total)
            rows = await self._engine.scan(statements.SEALED_BEFORE, after, upto, prefix(newest))
            for start in range(0, len(rows), BATCH_SEALED):
                batch = []
                for seq, id, sealed in rows[start : start + BATCH_SEALED]:
                    with contextlib.suppress(Unavailable):
                        batch.append((int(seq), bytes(sealed), self._seal.again(bytes(sealed), id)))
                await self._put_sealed(batch)
            yield upto, total

    async def _put_sealed(self, batch: list[tuple[int, bytes, bytes]]) -> None:
        for tries_left in reversed(range(_TRIES)):
            began = time.monotonic()
            try:
                await self._engine.commit(Wanted(), lambda _: Rows(sealed=batch))
            except Unavailable as error:  # nothing hurries: the writers may have kept us waiting for too long
                if error.permanent or not tries_left:
                    raise
                await asyncio.sleep(_PAUSE_SECONDS)
            else:
                await asyncio.sleep(time.monotonic() - began)  # half of the time is the writers'
                return

    # ------------------------------------------------------------ proof

    async def rebuild_standing(self, *, repair: bool = False) -> Rebuilt:
        """Fold all facts anew and compare with the tables ``standing`` and ``links``; ``repair`` puts right what
        differs."""
        rebuilt = await rebuild_standings(self._engine, repair)
        linked = await rebuild_links(self._engine, repair)
        return Rebuilt(rebuilt.checked, tuple(dict.fromkeys((*rebuilt.differing, *linked))))

    async def rebuild_permits(self, *, repair: bool = False) -> tuple[int, tuple[FactId, ...]]:
        """(permits checked, those whose row is not the fold of their facts); ``repair`` puts right what differs."""
        return await rebuild_permits(self._engine, repair)


def _check_seals(told: dict[bytes, str], held: dict[bytes, str]) -> None:
    """The fingerprints of our keys shall be those that the database was told, in order, and the newest one ours."""
    if any(held.get(claim, mine) != mine for claim, mine in told.items()) or (held and list(held)[-1] not in told):
        raise Unavailable(
            "storage.other_key",
            Words(
                "Tệp khóa không phải của cơ sở dữ liệu này. Dùng lại tệp khóa cũ.",
                "The secrets file does not belong to this database. Put back the one that does.",
            ),
            permanent=True,
        )


def _fingerprint(key: SealKey) -> str:
    return hmac.digest(key.key, seal_claim(key.number), hashlib.sha256).hex()


async def _engine(url: str) -> Engine:
    kind, _, rest = url.partition("://")
    if kind == "sqlite" and rest.startswith("/") and len(rest) > 1:
        from motma.storage.sqlite import SQLiteEngine

        return await SQLiteEngine.open(Path(rest[1:]))
    if kind in ("postgresql", "postgres"):
        from motma.storage.postgres import PostgreSQLEngine

        return await PostgreSQLEngine.open(url)
    raise ValueError(f"neither sqlite:///path nor postgresql://…: {kind}://")
