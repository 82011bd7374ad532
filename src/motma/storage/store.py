"""The store: what the house remembers, in the words of its domain. The only part of this room that others see.

Facts are appended and never edited; what follows from them is kept beside them in the same transaction; and when
:meth:`Store.append` has returned, what it was given is on disk.
"""

import hashlib
import hmac
from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Self

import msgspec

from motma.core.errors import Unavailable
from motma.core.facts import Fact, Standing
from motma.core.fold import Tally, apply
from motma.core.ids import FactId, Qid
from motma.core.words import Words
from motma.storage import statements
from motma.storage.acts import (
    Act,
    Already,
    Appended,
    Credential,
    Holding,
    Row,
    Seal,
    credential_of,
    fact_of,
    prepare,
    standing_of,
    standing_row,
    to_micros,
    to_time,
)
from motma.storage.engine import Engine, Loaded, Rows, Wanted
from motma.storage.writer import Writer

__all__ = ["Act", "Already", "Appended", "Credential", "Holding", "Rebuilt", "Store"]

PAGE_FACTS = 2_000
PAGE_SUSPECTS = 200
_SEAL_CHECK = b"motma:seal-key"
_LAST_QID = "9" * 19  # after every QID, in every collation


class Rebuilt(msgspec.Struct, frozen=True):
    """How many citizens' standings were checked, and whose ``differing`` from the fold of their facts."""

    checked: int
    differing: tuple[Qid, ...]


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

    @classmethod
    async def open(cls, url: str, *, seal_key: bytes, clock: Callable[[], datetime]) -> Self:
        """Open ``sqlite:///path`` or ``postgresql://…``, create or upgrade its tables, and check the key.

        ``seal_key`` is 32 bytes; ``clock`` tells the time a fact is recorded, aware. Raises :class:`Unavailable`,
        permanent for ``storage.too_new`` (newer code has been here) and ``storage.other_key`` (what is in there was
        sealed with another key); ``ValueError`` for a URL of another kind.
        """
        seal = Seal(seal_key)
        store = cls(await _engine(url), seal, clock)
        try:
            # The database remembers a fingerprint of the key, or the mistake would show when it is too late.
            fingerprint = hmac.digest(seal_key, _SEAL_CHECK, hashlib.sha256).hex()
            held = await store.holder(_SEAL_CHECK)
            if held is None and isinstance(await store.append(Act(once=((_SEAL_CHECK, fingerprint),))), Already):
                held = await store.holder(_SEAL_CHECK)
            if held not in (None, fingerprint):
                raise Unavailable(
                    "storage.other_key",
                    Words(
                        "Tệp khóa không phải của cơ sở dữ liệu này. Dùng lại tệp khóa cũ.",
                        "The secrets file does not belong to this database. Put the old one back.",
                    ),
                    permanent=True,
                )
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

        ``Already`` when a fact with one of its ids exists, or a key of ``once`` is held with another value. A key held
        with the same value is fine. Raises :class:`Unavailable` ``storage.busy`` or ``storage.unavailable``: sending
        the same act again is always safe; :class:`Invalid` ``storage.*`` for content the database cannot keep.
        Cancelling the wait does not stop the act.
        """
        return await self._writer.append(prepare(act, self._seal, self._clock()))

    # ------------------------------------------------------------ one citizen

    async def standing(self, qid: Qid) -> Standing | None:
        """Where a citizen stands; None if nothing was ever accepted from them."""
        rows = await self._engine.read(statements.STANDING, qid)
        return standing_of(rows[0][0]) if rows else None

    async def fact(self, id: FactId) -> Fact | None:
        """One fact with its personal part. Raises :class:`Unavailable` ``storage.sealed`` if that cannot be opened."""
        rows = await self._engine.read(statements.FACT, id)
        return fact_of(rows[0], self._seal) if rows else None

    async def facts_about(
        self, qid: Qid, *, kinds: Collection[str] | None = None, newest_first: bool = False, limit: int = 1_000
    ) -> list[Fact]:
        """At most ``limit`` facts about a citizen, of the given ``kinds`` (``"scan.made"`` …), in order of record."""
        names = sorted(set(kinds or ()))
        if kinds is not None and not names:
            return []
        query = statements.facts_about(len(names), newest_first)
        return [fact_of(row) for row in await self._engine.scan(query, qid, *names, limit)]

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

    # ------------------------------------------------------------ the whole

    async def control_facts(self) -> list[Fact]:
        """Every measure and diversion, oldest first."""
        return [fact_of(row) for row in await self._engine.read(statements.CONTROL_FACTS)]

    async def status_facts(self, after: int, limit: int = PAGE_FACTS) -> list[tuple[int, Fact]]:
        """At most ``limit`` (number, fact) of kind ``standing.*`` numbered above ``after``, in order of record."""
        rows = await self._engine.scan(statements.STATUS_FACTS, after, limit)
        return [(int(row[_SEQ]), fact_of(row[:_SEQ])) for row in rows]

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

    # ------------------------------------------------------------ proof

    async def rebuild_standing(self, *, repair: bool = False) -> Rebuilt:
        """Fold all facts anew and compare with the table; ``repair`` puts right what differs.

        Goes through the facts page by page while others write; what seems to differ is judged again in a
        transaction of its own before it counts.
        """
        checked, differing = 0, list[Qid]()
        seen, after = "", ("", 0)  # citizens up to here are judged; facts up to here are read
        waiting: list[Row] = []  # facts of the last citizen of a page, who may go on in the next
        while True:
            page = await self._engine.scan(statements.HISTORIES, *after, PAGE_FACTS)
            at_end = len(page) < PAGE_FACTS
            rows = [*waiting, *page]
            last = None if at_end else page[-1][_QID]
            waiting = [row for row in rows if row[_QID] == last]
            histories = _by_citizen(row for row in rows if row[_QID] != last)
            if at_end or histories:
                upto = _LAST_QID if at_end else max(histories)
                kept = {row[0]: row for row in await self._engine.scan(statements.STANDINGS, seen, upto)}
                citizens = histories.keys() | kept.keys()
                checked += len(citizens)
                suspects = sorted(q for q in citizens if not _agree(histories.get(q, ()), kept.get(q)))
                for start in range(0, len(suspects), PAGE_SUSPECTS):
                    differing += await self._judge(suspects[start : start + PAGE_SUSPECTS], repair)
                seen = upto
            if at_end:
                return Rebuilt(checked, tuple(differing))
            after = (page[-1][_QID], page[-1][_SEQ])

    async def _judge(self, citizens: Sequence[str], repair: bool) -> list[Qid]:
        """Those of ``citizens`` whose standing is not the fold of their facts, found out while nobody writes."""
        differing: list[Qid] = []

        def judged(loaded: Loaded) -> Rows:
            rows = Rows()
            differing.clear()
            for qid, (history, kept) in loaded.histories.items():
                if _agree(history, kept):
                    continue
                differing.append(Qid(qid))
                standing, seq = _fold(history)
                if standing is None:
                    rows.no_standing.append(qid)
                else:
                    rows.standing.append(standing_row(standing, seq))
            return rows if repair else Rows()

        await self._engine.commit(Wanted(histories=citizens), judged)
        return differing


_QID, _SEQ = 1, -1  # in a row of statements.HISTORY


def _by_citizen(rows: Iterable[Row]) -> dict[str, list[Row]]:
    histories: dict[str, list[Row]] = {}
    for row in rows:
        histories.setdefault(row[_QID], []).append(row)
    return histories


def _fold(history: Iterable[Row]) -> tuple[Standing | None, int]:
    """The standing, and the seq of the fact that made it what it is."""
    standing, made_by = None, 0
    for row in history:
        after = apply(standing, fact_of(row[:_SEQ]))
        if after is not standing:
            standing, made_by = after, row[_SEQ]
    return standing, made_by


def _agree(history: Iterable[Row], kept: Row | None) -> bool:
    """Whether the row of ``standing`` is what the facts make of it. Bodies are compared by meaning, not by letter."""
    standing, seq = _fold(history)
    if standing is None or kept is None:
        return standing is None and kept is None
    try:
        return kept[:-1] == standing_row(standing, seq)[:-1] and standing_of(kept[-1]) == standing
    except msgspec.MsgspecError:
        return False


async def _engine(url: str) -> Engine:
    kind, _, rest = url.partition("://")
    if kind == "sqlite" and rest.startswith("/") and len(rest) > 1:
        from motma.storage.sqlite import SQLiteEngine

        return await SQLiteEngine.open(Path(rest[1:]))
    if kind in ("postgresql", "postgres"):
        from motma.storage.postgres import PostgreSQLEngine

        return await PostgreSQLEngine.open(url)
    raise ValueError(f"neither sqlite:///path nor postgresql://…: {kind}://")
