"""Where people stood, what they were to travel in, and whose contacts they are: for following up a case, and for the
lists that a law provides for. Bounded questions, each by an index."""

from datetime import datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import BigInteger, ColumnElement, Select, Text, bindparam, literal_column, select, tuple_

from motma.core.facts import Fact, HealthReported
from motma.core.ids import FactId, Qid, new_fact_id
from motma.core.tracing import Passage, Window
from motma.storage.acts import Holding, Row, fact_of, to_micros, to_time
from motma.storage.engine import Engine
from motma.storage.statements import POSTGRESQL, SQLITE, Query, compiled
from motma.storage.tables import facts, holdings, is_health_report, is_scan

PAGE_PASSAGES = 1_000
_EARLY, _LATE = timedelta(seconds=6), timedelta(minutes=11)
"""A scan is judged, and so recorded, at most ten minutes after it was made (:mod:`motma.services.check`), or seconds
before, by a clock that runs."""
_LEAST = bytes(10)


def _query(statement: Select[Any], *arguments: str) -> Query:
    return Query(compiled(statement, SQLITE, *arguments), compiled(statement, POSTGRESQL, *arguments))


_FACT = (facts.c.id, facts.c.qid, facts.c.checkpoint, facts.c.at, facts.c.actor, facts.c.body, facts.c.sealed)
_LIMIT = bindparam("limit", type_=BigInteger)
_FROM_FIRST: ColumnElement[int] = literal_column("0")  # as in :mod:`motma.storage.statements`
_SINCE, _UNTIL = bindparam("since", type_=BigInteger), bindparam("until", type_=BigInteger)
PASSAGES_OF = _query(
    select(facts.c.at, facts.c.seq, facts.c.qid, facts.c.checkpoint, facts.c.body)
    .where(facts.c.qid == bindparam("qid"))
    .where(is_scan())
    .where(facts.c.at >= _SINCE)
    .where(facts.c.at < _UNTIL)
    .order_by(facts.c.seq)
    .limit(_LIMIT)
    .offset(_FROM_FIRST),
    "qid",
    "since",
    "until",
    "limit",
)
PASSAGES_AT = _query(
    select(facts.c.at, facts.c.seq, facts.c.qid, facts.c.checkpoint, facts.c.body)
    .where(is_scan())
    .where(facts.c.checkpoint == bindparam("checkpoint"))
    .where(
        tuple_(facts.c.at, facts.c.seq)
        > tuple_(bindparam("at", type_=BigInteger), bindparam("after", type_=BigInteger))
    )
    .where(facts.c.at < _UNTIL)
    .order_by(facts.c.at, facts.c.seq)
    .limit(_LIMIT)
    .offset(_FROM_FIRST),
    "checkpoint",
    "at",
    "after",
    "until",
    "limit",
)
HELD_BETWEEN = _query(
    select(holdings)
    .where(holdings.c.wallet == bindparam("wallet"))
    .where(holdings.c.at >= _SINCE)
    .where(holdings.c.at < _UNTIL)
    .order_by(holdings.c.declaration)
    .limit(_LIMIT)
    .offset(_FROM_FIRST),
    "wallet",
    "since",
    "until",
    "limit",
)
HEALTH_REPORTS = _query(
    select(*_FACT)
    .where(is_health_report())
    .where(facts.c.at >= _SINCE)
    .where(facts.c.body.like(bindparam("pattern", type_=Text)))
    .order_by(facts.c.at, facts.c.seq)
    .limit(_LIMIT)
    .offset(_FROM_FIRST),
    "since",
    "pattern",
    "limit",
)
# Ids tell the time at which their fact was born, and are indexed already.
DECLARED_BETWEEN = _query(
    select(*_FACT)
    .where(facts.c.id > bindparam("after", type_=Text))
    .where(facts.c.id < bindparam("until", type_=Text))
    .order_by(facts.c.id)
    .limit(_LIMIT)
    .offset(_FROM_FIRST),
    "after",
    "until",
    "limit",
)


class _Timed(msgspec.Struct):
    """Of a ``Scanned`` only what is needed: reading all of it takes five times as long."""

    scanned_at: datetime
    skew_seconds: float
    outcome: str


_timed = msgspec.json.Decoder(_Timed).decode


class Tracks:
    """Part of the store."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def passages_of(self, qid: Qid, window: Window, limit: int) -> list[Passage]:
        """At most ``limit`` scans of a citizen that were made in ``window``, in order of record."""
        since, until = to_micros(window.since - _EARLY), to_micros(window.until + _LATE)
        rows = await self._engine.scan(PASSAGES_OF, qid, since, until, limit)
        return [one for one in map(_passage, rows) if window.since <= one.at <= window.until]

    async def passages_at(self, checkpoint: str, window: Window, limit: int) -> list[Passage]:
        """At most ``limit`` scans that were made at a checkpoint in ``window``, read page by page."""
        found: list[Passage] = []
        at, after, until = to_micros(window.since - _EARLY), 0, to_micros(window.until + _LATE)
        while len(found) < limit:
            arguments = checkpoint, at, after, until, PAGE_PASSAGES
            rows = await self._engine.scan(PASSAGES_AT, *arguments)
            found += [one for one in map(_passage, rows) if window.since <= one.at <= window.until]
            if len(rows) < PAGE_PASSAGES:
                break
            at, after = rows[-1][:2]
        return found[:limit]

    async def held_between(self, wallet: bytes, window: Window, limit: int) -> list[Holding]:
        """At most ``limit`` declarations that were made in ``window`` under a wallet or a vehicle's hash."""
        arguments = wallet, to_micros(window.since), to_micros(window.until), limit
        rows = await self._engine.scan(HELD_BETWEEN, *arguments)
        return [Holding(wallet, qid, declaration, to_time(at)) for wallet, declaration, qid, at in rows]

    async def reported_contacts(self, case: Qid, since: datetime, limit: int) -> list[Fact]:
        """At most ``limit`` facts, recorded since ``since``, that somebody is a contact of ``case``; by this very
        number of theirs."""
        pattern = f'%"case":"{case}"%'
        rows = await self._engine.scan(HEALTH_REPORTS, to_micros(since), pattern, limit)
        facts = [fact_of(row) for row in rows]
        return [one for one in facts if isinstance(one.what, HealthReported) and one.what.case == case]

    async def declared_between(self, window: Window, after: FactId | None, limit: int) -> list[Fact]:
        """At most ``limit`` declarations, refused ones too, sent in ``window`` (its end not included), in order of
        time; those after the one with the id ``after``."""
        first = after or new_fact_id("dcl", window.since, _LEAST)
        rows = await self._engine.scan(DECLARED_BETWEEN, first, new_fact_id("dcl", window.until, _LEAST), limit)
        return [fact_of(row) for row in rows]


def _passage(row: Row) -> Passage:
    _, _, qid, checkpoint, body = row
    scan = _timed(body)
    return Passage(qid, checkpoint or "", scan.scanned_at - timedelta(seconds=scan.skew_seconds), scan.outcome)
