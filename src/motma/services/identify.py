"""Identify: compare the pending with the register once it answers again, oldest first, without a stampede."""

import datetime as dt
from collections.abc import Callable

import msgspec
from msgspec.structs import replace

from motma.core.errors import Unavailable
from motma.core.facts import Accepted, Fact, Identified, Standing
from motma.core.fold import apply
from motma.core.form import Declaration
from motma.core.identity import Grade, Match
from motma.core.ids import new_fact_id
from motma.services.board import BoardReader
from motma.services.citizens import Citizens, Place
from motma.services.codes import CodeOffice, Due
from motma.services.matching import Found, Matching
from motma.storage.store import Act, Already, Store

_RACES = 5


class Identify:
    """The worker's verb."""

    def __init__(
        self,
        *,
        store: Store,
        board: BoardReader,
        matching: Matching,
        citizens: Citizens,
        codes: CodeOffice,
        random: Callable[[int], bytes],
    ) -> None:
        self._store = store
        self._board = board
        self._matching = matching
        self._citizens = citizens
        self._codes = codes
        self._random = random

    async def match_pending(self, now: dt.datetime, limit: int = 200) -> int:
        """Compare up to ``limit`` pending citizens, one after the other, and return how many were settled.

        Stops at the first sign that the register is still away. A citizen whose declaration cannot be read is passed
        over, so that nobody waits behind them. A citizen who turns out not to match keeps their code and number; the
        standing says so from now on, and never that it was always so. One who turns out to be somebody whom we know
        under another number is one citizen with them from now on.
        """
        settled, after = 0, None
        while settled < limit and (page := await self._store.pending(limit - settled, after)):
            for standing in page:
                try:
                    settled += await self._settle(standing.newest, now)
                except Unavailable as away:
                    if not away.permanent:
                        return settled
            after = (page[-1].newest.declared_at, page[-1].qid)
        return settled

    async def _settle(self, standing: Standing, now: dt.datetime) -> bool:
        declared = await self._store.fact(standing.declaration)
        if declared is None or declared.personal is None or not isinstance(declared.what, Accepted):
            return False
        declaration = msgspec.json.decode(declared.personal, type=Declaration)
        measure = (await self._board.current(now)).measures.get(standing.measure)
        found = await self._matching.ask(declaration, measure.accepts if measure else ())
        for _ in range(_RACES):
            act = await self._found_out(standing, found.read(declaration), found, now)
            if not isinstance(await self._store.append(act), Already):
                return True
            # Between our look and our write their documents were claimed, and they are one citizen with whoever did; or
            # something happened to one of two who are to be one.
        return False

    async def _found_out(self, standing: Standing, declaration: Declaration, found: Found, now: dt.datetime) -> Act:
        """All that follows from what the register says of a declaration that waited for it."""
        qid, valid_until = standing.qid, standing.valid_until
        if await self._citizens.is_another(qid, found):  # an officer put it right meanwhile: it was somebody else's
            found = Found(Match(Grade.MISMATCHED, ("document.number",)))
        match = found.match
        measure = (await self._board.current(now)).measures.get(standing.measure)
        if match.grade.is_sure and measure:
            valid_until = min(standing.valid_from + dt.timedelta(hours=measure.pass_hours), measure.ends_at)
        what = Identified(standing.declaration, match.grade, match.differing, valid_until, match.how)
        checked = Fact(id=new_fact_id("idc", now, self._random(10)), at=now, actor="worker", qid=qid, what=what)
        facts: list[Fact] = [checked]
        place = await self._citizens.place(declaration, found) if found.keys else Place(qid, None, ())
        if match.grade.is_sure and measure and now < valid_until:
            due = Due(
                declaration=standing.declaration,
                born_with=checked.id,
                qid=place.qid,
                measure=measure,
                matched=True,
                valid_from=standing.valid_from,
                valid_until=valid_until,
                reissue=True,
                actor="worker",
            )
            facts.append((await self._codes.issue(declaration, due, now))[1])
        if place.qid == qid:
            facts += await self._citizens.join(replace(place, others=()), by="worker", now=now)
            return Act(facts=await self._codes.complete(facts, now), once=place.claims + place.locks)
        if not match.grade.is_sure:  # may be a stranger: they are not made one
            return Act(facts=await self._codes.complete(facts, now))
        before = await self._store.standing(qid)
        after = apply(before, checked)
        assert before is not None and after is not None  # it is the standing that waited
        joined: tuple[Fact, ...] = ()
        if before.into != place.qid:  # else another declaration of theirs has told so already
            joined = await self._citizens.merge(after, place.qid, by="worker", now=now)
        complete = await self._codes.complete((checked, *joined, *facts[1:]), now)
        return Act(
            facts=complete,
            once=place.claims + place.locks,
            still=(before, *([place.standing] if place.standing else [])),
        )
