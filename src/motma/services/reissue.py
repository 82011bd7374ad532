"""Reissue: sign the codes that are in force anew, many at once, for instance when a key was revoked.

Every citizen keeps the number; the code in their hand still finds them online, and says that there is a newer one.
"""

import asyncio
import datetime as dt
from collections.abc import AsyncIterator, Callable

from motma.core.facts import Issued, Standing
from motma.core.ids import Qid, new_fact_id
from motma.services.board import BoardReader
from motma.services.citizens import Citizens
from motma.services.codes import CodeOffice, Due
from motma.storage.store import Act, Store

PAGE = 500
_AT_ONCE = 64
"""Enough that one write to disk serves many."""


class Reissue:
    """The verb of who looks after the keys."""

    def __init__(
        self,
        *,
        store: Store,
        board: BoardReader,
        citizens: Citizens,
        codes: CodeOffice,
        random: Callable[[int], bytes],
    ) -> None:
        self._store = store
        self._board = board
        self._citizens = citizens
        self._codes = codes
        self._random = random

    async def all(self, now: dt.datetime, *, signed_by: str = "") -> AsyncIterator[tuple[int, int]]:
        """Go through every citizen; after each page, (citizens looked at, codes issued) so far.

        Only codes in force, and with ``signed_by`` (a kid in hex) only those whose newest code that key signed. Stopped
        half-way it can be begun again: what ``signed_by`` asks for is left out the second time. Raises
        :class:`Unavailable` as the store does.
        """
        looked, issued, after = 0, 0, Qid("")
        room = asyncio.Semaphore(_AT_ONCE)

        async def one(standing: Standing) -> bool:
            async with room:
                return await self._one(standing, now, signed_by)

        while page := await self._store.standings(after, PAGE):
            issued += sum(await asyncio.gather(*[one(standing) for standing in page]))
            looked += len(page)
            yield looked, issued
            after = page[-1].qid

    async def _one(self, standing: Standing, now: dt.datetime, signed_by: str) -> bool:
        if standing.revoked or standing.into or standing.code is None or now >= standing.valid_until:
            return False
        held = await self._store.fact(standing.code)
        if held is None or not isinstance(held.what, Issued) or (signed_by and held.what.key != signed_by):
            return False
        declared = await self._citizens.declared(standing)
        measure = (await self._board.current(now)).measures.get(standing.measure)
        if declared is None or measure is None:
            return False
        due = Due(
            declaration=standing.declaration,
            born_with=new_fact_id("cod", now, self._random(10)),
            qid=standing.qid,
            measure=measure,
            matched=standing.grade.is_sure,
            valid_from=standing.valid_from,
            valid_until=standing.valid_until,
            reissue=True,
            actor="reissue",
            carrier=held.what.carrier,
        )
        _, fact = await self._codes.issue(declared, due, now)
        await self._store.append(Act(facts=await self._codes.complete((fact,), now)))
        return True
