"""What platforms are still to be told: how far each was told, what is tried again, and who does it.

Nothing here is a fact: all of it could be lost, and platforms would be told some things once more.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

import msgspec

from motma.core.ids import FactId, Qid
from motma.storage import statements
from motma.storage.acts import Row, to_micros, to_time
from motma.storage.engine import Engine, Rows, Wanted
from motma.storage.links import asking, chunks

DeliveryState = Literal["waiting", "dead"]


class Outlet(msgspec.Struct, frozen=True):
    """How far a platform was told, since the fact ``setting`` said where: everything numbered up to ``cursor`` was
    delivered or is parked.

    After ``failures`` tries in a row in vain it is left alone until ``rests_until``; ``problem`` is the last one's.
    """

    platform: str
    setting: FactId
    cursor: int
    failures: int = 0
    rests_until: datetime | None = None
    problem: str = ""


class Delivery(msgspec.Struct, frozen=True):
    """A change of one citizen that could not be told a platform: the fact's ``seq``, ``kind`` and time."""

    platform: str
    qid: Qid
    seq: int
    kind: str
    at: datetime
    state: DeliveryState
    attempts: int
    next_at: datetime
    problem: str


class Outbox:
    """The drawer of who tells platforms. Belongs to the store."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def outlet(self, platform: str) -> Outlet | None:
        """How far a platform was told; None if it never was."""
        rows = await self._engine.read(statements.OUTLET, platform)
        if not rows:
            return None
        _, setting, cursor, failures, rests, problem = rows[0]
        return Outlet(platform, setting, int(cursor), int(failures), to_time(rests) if rests else None, problem)

    async def due(self, platform: str, now: datetime, limit: int) -> list[Delivery]:
        """At most ``limit`` of what is to be tried again by ``now``, the longest due first."""
        return _deliveries(await self._engine.read(statements.DUE, platform, to_micros(now), limit))

    async def parked(self, platform: str, state: DeliveryState, after: str, limit: int) -> list[Delivery]:
        """At most ``limit`` of what is parked, in the order of citizens' numbers, those after ``after``."""
        return _deliveries(await self._engine.scan(statements.PARKED, platform, state, after, limit))

    async def parked_count(self, platform: str) -> dict[DeliveryState, int]:
        """How much is parked."""
        rows = await self._engine.scan(statements.PARKED_COUNT, platform)
        return {"waiting": 0, "dead": 0, **dict(rows)}

    async def parked_of(self, platform: str, citizens: Sequence[Qid]) -> dict[Qid, Delivery]:
        """What is parked of each of ``citizens``."""
        found: list[Delivery] = []
        for some in chunks(citizens):
            found += _deliveries(await asking(self._engine, some)(statements.parked_of(len(some)), platform, *some))
        return {one.qid: one for one in found}

    async def delivery(self, platform: str, seq: int) -> Delivery | None:
        """What is parked of the fact numbered ``seq``."""
        found = _deliveries(await self._engine.scan(statements.DELIVERY, platform, seq))
        return found[0] if found else None

    async def keep(
        self, outlet: Outlet | None = None, parked: Sequence[Delivery] = (), done: Sequence[Delivery] = ()
    ) -> None:
        """Remember how far a platform was told, park, and forget what was ``done``: in one transaction."""
        rows = Rows(
            outlets=[_outlet_row(outlet)] if outlet else [],
            deliveries=[_delivery_row(one) for one in parked],
            no_deliveries=[(one.platform, one.qid, one.seq) for one in done],
        )
        await self._engine.commit(Wanted(), lambda _: rows)

    async def lease(self, name: str, owner: str, now: datetime, until: datetime) -> bool:
        """Whether ``owner`` may do ``name`` until then: it did before, or nobody does by now."""
        row = (name, owner, to_micros(now), to_micros(until))
        await self._engine.commit(Wanted(), lambda _: Rows(leases=[row]))
        return (await self._engine.read(statements.LEASE, name))[0][1] == owner  # type: ignore[no-any-return]


def _outlet_row(outlet: Outlet) -> Row:
    rests = to_micros(outlet.rests_until) if outlet.rests_until else 0
    return outlet.platform, outlet.setting, outlet.cursor, outlet.failures, rests, outlet.problem


def _delivery_row(one: Delivery) -> Row:
    at, next_at = to_micros(one.at), to_micros(one.next_at)
    return one.platform, one.qid, one.seq, one.kind, at, one.state, one.attempts, next_at, one.problem


def _deliveries(rows: Sequence[Row]) -> list[Delivery]:
    return [
        Delivery(platform, qid, int(seq), kind, to_time(at), state, int(attempts), to_time(next_at), problem)
        for platform, qid, seq, kind, at, state, attempts, next_at, problem in rows
    ]
