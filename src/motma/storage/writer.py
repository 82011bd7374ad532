"""Group commit: what arrives while one transaction is on its way to the disk is the next transaction.

No timer and no wait when idle: an act alone is written at once, and under load the batches grow by themselves. What a
batch does to the tables is worked out by :func:`plan`, a pure function.
"""

import asyncio
from collections import deque
from collections.abc import Sequence

import msgspec

from motma.core.errors import MotmaError, Unavailable
from motma.core.facts import Accepted, Fact, Parted, PermitIssued, PermitRevoked, Standing, Took
from motma.core.fold import apply, permit_after
from motma.core.ids import FactId, Qid
from motma.core.links import Link, followed, join
from motma.core.permit import Permit
from motma.core.words import Words
from motma.storage.acts import (
    APPENDED,
    Already,
    Outcome,
    Prepared,
    Row,
    Stale,
    permit_of,
    permit_row,
    standing_of,
    standing_row,
    to_micros,
    unwritable,
)
from motma.storage.engine import Engine, Loaded, Rows, Unwritable, Wanted, unavailable

BATCH_ACTS = 1_000
QUEUE_ACTS = 10_000
_SEAL_CLAIM = b"motma:seal-key"


def seal_claim(number: int) -> bytes:
    """What is claimed in ``once`` when seal key ``number`` comes into use, for the key's fingerprint.

    From that commit on nothing is written that an older key sealed: :func:`plan` sees to it, under the write lock.
    """
    return _SEAL_CLAIM if number == 1 else b"%s:%d" % (_SEAL_CLAIM, number)


class Plan(msgspec.Struct, frozen=True):
    """What to write for a batch, and what to answer to each of its acts, in order."""

    rows: Rows
    outcomes: list[Outcome]


def wanted(acts: Sequence[Prepared]) -> Wanted:
    """What has to be loaded before :func:`plan` can judge ``acts``."""
    newer = {seal_claim(number + 1) for number in {prepared.seal for prepared in acts} if number}
    return Wanted(
        facts=[fact.id for prepared in acts for fact in prepared.act.facts],
        once=list({key for prepared in acts for key, _ in prepared.act.once} | newer),
        standing=list(
            {fact.qid for prepared in acts for fact in prepared.act.facts if fact.qid}
            | {standing.qid for prepared in acts for standing in prepared.act.still}
        ),
        permits=[
            fact.what.permit for prepared in acts for fact in prepared.act.facts if isinstance(fact.what, PermitRevoked)
        ],
        links=[fact.what.other for prepared in acts for fact in prepared.act.facts if isinstance(fact.what, Took)],
    )


def plan(acts: Sequence[Prepared], loaded: Loaded) -> Plan:
    """Judge ``acts`` in order, each on what is stored and on those before it.

    An act with a fact that exists or a key that is held with another value is answered with what is there, and
    leaves no trace; nor does one made from a standing that has changed, one that declares somebody under a number by
    which they go no more (their standing would never hear of it), nor one that was sealed with a key whose place
    another has taken. The others get consecutive seqs; standings are folded on, tallies added up.
    """
    rows, outcomes = Rows(), list[Outcome]()
    seq, ids, held = loaded.last_seq, set(loaded.facts), dict(loaded.once)
    standings: dict[Qid, Standing | None] = {}
    changed: dict[Qid, int] = {}
    counts: dict[tuple[str, int, str, str], int] = {}
    holdings: dict[tuple[bytes, str], Row] = {}
    credentials: dict[bytes, Row] = {}
    permits: dict[FactId, Permit | None] = {}
    linking = _Linking(loaded)

    def stands(qid: Qid) -> Standing | None:
        if qid not in standings:
            body = loaded.standing.get(qid)
            standings[qid] = None if body is None else standing_of(body)
        return standings[qid]

    for prepared in acts:
        act = prepared.act
        known = [fact.id for fact in act.facts if fact.id in ids]
        taken = {key: held[key] for key, value in act.once if held.get(key, value) != value}
        moved = any(stands(one.qid) != one for one in act.still) or any(
            isinstance(fact.what, Accepted) and fact.qid and (of := stands(fact.qid)) and of.into for fact in act.facts
        )
        if known or taken or moved:
            outcomes.append(Already(frozenset(known), taken))
            continue
        if prepared.seal and seal_claim(prepared.seal + 1) in held:
            outcomes.append(Stale(prepared.seal + 1))
            continue
        outcomes.append(APPENDED)
        for fact, row in zip(act.facts, prepared.facts, strict=True):
            seq += 1
            ids.add(fact.id)
            rows.facts.append((seq, *row))
            if isinstance(fact.what, PermitIssued | PermitRevoked):
                _follow(permits, fact, loaded)
            if fact.qid is None:
                continue
            before = stands(fact.qid)
            linking.follow(seq, fact)
            after = apply(before, fact)
            if after is not before:  # most scans change nothing, and then cost no second write
                standings[fact.qid] = after
                changed[fact.qid] = seq
        for key, value in act.once:
            if key not in held:
                held[key] = value
                rows.once.append((key, value))
        for tally in prepared.tallies:
            at = (tally.place, to_micros(tally.hour), tally.kind, tally.outcome)
            counts[at] = counts.get(at, 0) + 1
        for row in prepared.holdings:
            holdings[row[0], row[1]] = row
        for row in prepared.credentials:
            credentials[row[0]] = row
    rows.standing = [standing_row(after, at) for qid, at in changed.items() if (after := standings[qid]) is not None]
    rows.tally = [(*at, n) for at, n in counts.items()]
    rows.holdings = list(holdings.values())
    rows.credentials = list(credentials.values())
    rows.permits = [permit_row(permit) for permit in permits.values() if permit]
    rows.links, rows.no_links = linking.put(), list(linking.gone)
    return Plan(rows, outcomes)


def _follow(permits: dict[FactId, Permit | None], fact: Fact, loaded: Loaded) -> None:
    """Keep in ``permits`` what the one that ``fact`` is about has become."""
    what = fact.what
    if isinstance(what, PermitIssued):
        permits[what.permit.id] = permit_after(None, fact)
    elif isinstance(what, PermitRevoked):
        if what.permit not in permits:
            kept = loaded.permits[what.permit][1]
            permits[what.permit] = permit_of(kept[-1]) if kept else None
        permits[what.permit] = permit_after(permits[what.permit], fact)


class _Linking:
    """What a batch makes of who follows whom; :func:`motma.core.links.fold_links` is what it has to come to."""

    def __init__(self, loaded: Loaded) -> None:
        self._loaded = loaded
        self._new: dict[Qid, dict[tuple[str, Qid], Link]] = {}
        self.gone: dict[tuple[str, str], None] = {}

    def follow(self, seq: int, fact: Fact) -> None:
        """Link, take along or take back as ``fact`` says."""
        qid, what = fact.qid, fact.what
        if qid is None:
            return
        if platform := followed(fact):
            self._join(Link(qid, platform, qid, seq, fact.id))
        elif isinstance(what, Took):
            for link in self._of(what.other):
                self._join(Link(qid, link.platform, what.other, seq, link.declaration))
        elif isinstance(what, Parted):
            self.gone[qid, what.other] = None
            new = self._new.get(qid, {})
            self._new[qid] = {key: link for key, link in new.items() if link.via != what.other}

    def put(self) -> list[Row]:
        """The rows to put, after those that are gone."""
        return [tuple(link) for new in self._new.values() for link in new.values()]

    def _join(self, link: Link) -> None:
        join(self._new.setdefault(link.qid, {}), link)

    def _of(self, qid: Qid) -> list[Link]:
        held = [Link(*row) for row in self._loaded.links.get(qid, ()) if (qid, row[2]) not in self.gone]
        return [*held, *self._new.get(qid, {}).values()]


class Writer:
    """The queue before the database. Belongs to one event loop."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._queue: deque[tuple[Prepared, asyncio.Future[Outcome]]] = deque()
        self._flushing: asyncio.Task[None] | None = None
        self._closed = False
        self._committed = asyncio.Event()

    @property
    def next_commit(self) -> asyncio.Event:
        """Set with the next commit of this process."""
        return self._committed

    async def append(self, prepared: Prepared) -> Outcome:
        """Wait until the act is on disk, or refused. Cancelling the wait does not stop the act.

        Raises :class:`Unavailable`: ``storage.busy`` (the queue is full, nothing was taken), ``storage.unavailable``
        (the database failed the batch; the act may still have been written, sending it again is safe). Raises
        :class:`Invalid` ``storage.refused`` when the database is well and does not take this act.
        """
        if self._closed:
            raise unavailable()
        if len(self._queue) >= QUEUE_ACTS:
            raise Unavailable(
                "storage.busy",
                Words(
                    "Hệ thống đang quá tải. Chờ một phút rồi gửi lại.",
                    "The system is overloaded. Wait a minute and send it again.",
                ),
            )
        future: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        self._queue.append((prepared, future))
        if self._flushing is None:
            self._flushing = asyncio.create_task(self._flush(), name="motma-writer")
        return await future

    async def close(self) -> None:
        """Take no more, and wait until everything taken is answered."""
        self._closed = True
        if self._flushing is not None:
            await self._flushing

    async def _flush(self) -> None:
        try:
            while self._queue:
                batch = [self._queue.popleft() for _ in range(min(len(self._queue), BATCH_ACTS))]
                await self._commit(batch)
        finally:
            self._flushing = None
            while self._queue:  # only when the loop is being torn down
                self._queue.popleft()[1].cancel()

    async def _commit(self, batch: list[tuple[Prepared, "asyncio.Future[Outcome]"]]) -> None:
        acts = [prepared for prepared, _ in batch]
        outcomes: list[Outcome] = []

        def planned(loaded: Loaded) -> Rows:
            nonlocal outcomes
            made = plan(acts, loaded)
            outcomes = made.outcomes
            return made.rows

        try:
            await self._engine.commit(wanted(acts), planned)
        except Unavailable as error:
            for _, future in batch:
                if not future.done():  # each its own, or their tracebacks would grow into one another
                    future.set_exception(_again(error))
        except Exception as error:  # one edge of the house: nothing in an act may stop the writer
            if len(batch) == 1:
                if not batch[0][1].done():
                    batch[0][1].set_exception(_said(error))
                return
            # Some act is at fault. Halving finds it and lets its neighbours through.
            middle = len(batch) // 2
            await self._commit(batch[:middle])
            await self._commit(batch[middle:])
        else:
            self._committed.set()
            self._committed = asyncio.Event()
            for (_, future), outcome in zip(batch, outcomes, strict=True):
                if not future.done():
                    future.set_result(outcome)


def _said(error: Exception) -> Exception:
    if not isinstance(error, Unwritable):
        return error
    refusal = unwritable("storage.refused")
    refusal.__cause__ = error
    return refusal


def _again(error: Unavailable) -> MotmaError:
    again = Unavailable(error.code, error.words, permanent=error.permanent)
    again.__cause__ = error.__cause__
    return again
