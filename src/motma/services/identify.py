"""Identify: compare the pending with the register once it answers again, oldest first, without a stampede."""

import datetime as dt
from collections.abc import Callable

import msgspec

from motma.connectors.registry import DocumentRegistry as Registry
from motma.core.errors import Unavailable
from motma.core.facts import Accepted, Fact, Identified, Standing
from motma.core.form import Declaration
from motma.core.identity import Grade, IdentityClaim, compare
from motma.core.ids import new_fact_id
from motma.services.board import BoardReader
from motma.services.codes import CodeOffice, Due
from motma.storage.store import Act, Store


class Identify:
    """The worker's verb."""

    def __init__(
        self,
        *,
        store: Store,
        board: BoardReader,
        registry: Registry,
        codes: CodeOffice,
        random: Callable[[int], bytes],
    ) -> None:
        self._store = store
        self._board = board
        self._registry = registry
        self._codes = codes
        self._random = random

    async def match_pending(self, now: dt.datetime, limit: int = 200) -> int:
        """Compare up to ``limit`` pending citizens, one after the other, and return how many were settled.

        Stops at the first sign that the register is still away. A citizen whose declaration cannot be read is passed
        over, so that nobody waits behind them. A citizen who turns out not to match keeps their code and number; the
        standing says so from now on, and never that it was always so.
        """
        settled, after = 0, None
        while settled < limit and (page := await self._store.pending(limit - settled, after)):
            for standing in page:
                try:
                    settled += await self._settle(standing, now)
                except Unavailable as away:
                    if not away.permanent:
                        return settled
            after = (page[-1].declared_at, page[-1].qid)
        return settled

    async def _settle(self, standing: Standing, now: dt.datetime) -> bool:
        declared = await self._store.fact(standing.declaration)
        if declared is None or declared.personal is None or not isinstance(declared.what, Accepted) or not declared.qid:
            return False
        declaration = msgspec.json.decode(declared.personal, type=Declaration)
        record = await self._registry.find(declaration.document)
        match = compare(IdentityClaim(declaration.document, declaration.name, declaration.birth_date), record)
        measure = (await self._board.current(now)).measures.get(standing.measure)
        valid_until = standing.valid_until
        if match.grade is Grade.MATCHED and measure:
            valid_until = min(standing.valid_from + dt.timedelta(hours=measure.pass_hours), measure.ends_at)
        checked_id = new_fact_id("idc", now, self._random(10))
        facts = [
            Fact(
                id=checked_id,
                at=now,
                actor="worker",
                qid=standing.qid,
                what=Identified(standing.declaration, match.grade, match.differing, valid_until),
            )
        ]
        if match.grade is Grade.MATCHED and measure and now < valid_until:
            due = Due(
                declaration=standing.declaration,
                born_with=checked_id,
                qid=standing.qid,
                measure=measure,
                matched=True,
                valid_from=standing.valid_from,
                valid_until=valid_until,
                reissue=True,
                actor="worker",
            )
            facts.append((await self._codes.issue(declaration, due, now))[1])
        await self._store.append(Act(facts=await self._codes.complete(facts, now)))
        return True
