"""Review: an operator looks again at what officers repaired, and at numbers that were made one citizen.

What waits is found in the facts and kept in mind; a review claims its repair in the store, so that each is looked at
once, whoever looks and on whichever server.
"""

import datetime as dt
from collections.abc import Callable

import msgspec
from msgspec.structs import replace

from motma.core.errors import Conflict, Hidden
from motma.core.facts import CheckAgain, Fact, Issued, Merged, Parted, Repaired, RepairReason, Reviewed
from motma.core.identity import Grade
from motma.core.ids import FactId, Qid, new_fact_id
from motma.core.words import Words
from motma.services.afterwards import numbers_of
from motma.services.citizens import Citizens
from motma.services.codes import CodeOffice
from motma.storage.keys import Secrets
from motma.storage.store import PAGE_FACTS, Act, Already, Store

MERGES_FOR = dt.timedelta(days=7)
"""How long a merge is listed."""
_RACES = 5


class ToReview(msgspec.Struct, frozen=True):
    """A repair that is to be looked at again. No name: what differed, and who says so."""

    repair: FactId
    at: dt.datetime
    checkpoint: str
    officer: str
    reason: RepairReason
    differing: tuple[str, ...]
    grade: Grade
    qid: Qid


class Joined(msgspec.Struct, frozen=True):
    """Two numbers that were made one citizen: ``qid`` goes by ``into``."""

    merge: FactId
    at: dt.datetime
    by: str
    checkpoint: str
    qid: Qid
    into: Qid
    platforms: tuple[str, ...]


class Review:
    """The operator's second verb. Belongs to one event loop."""

    def __init__(
        self,
        *,
        store: Store,
        citizens: Citizens,
        codes: CodeOffice,
        secrets: Secrets,
        random: Callable[[int], bytes],
    ) -> None:
        self._store = store
        self._citizens = citizens
        self._codes = codes
        self._secrets = secrets
        self._random = random
        self._seq = 0
        self._waiting: dict[FactId, ToReview] = {}
        self._joined: dict[Qid, Joined] = {}

    async def waiting(self) -> list[ToReview]:
        """Repairs that nobody has looked at again, the oldest first."""
        await self._read()
        return sorted(self._waiting.values(), key=lambda one: one.at)

    async def joined(self, now: dt.datetime) -> list[Joined]:
        """Merges of the last :data:`MERGES_FOR` that stand, the newest first."""
        await self._read()
        self._joined = {qid: one for qid, one in self._joined.items() if one.at > now - MERGES_FOR}
        return sorted(self._joined.values(), key=lambda one: one.at, reverse=True)

    async def say(self, repair: str, *, upheld: bool, by: str, now: dt.datetime) -> None:
        """Uphold a repair, or take it back: then its person is not identified by it, and their codes ask the server.

        Raises :class:`Hidden` ``repair.unknown``, :class:`Conflict` ``repair.reviewed``.
        """
        fact = await self._store.fact(FactId(repair), only=())
        if fact is None or not isinstance(fact.what, Repaired) or fact.qid is None:
            raise Hidden("repair.unknown", Words("Không có lần sửa này.", "There is no such repair."))
        what = Reviewed(FactId(repair), fact.what.declaration, upheld)
        facts: tuple[Fact, ...] = ()
        for qid in (await numbers_of(self._store, fact.qid))[0]:  # whichever of them stands on that declaration
            reviewed = self._fact("rvw", qid, what, by, now)
            facts += await self._codes.complete((reviewed,), now)
        once = (self._secrets.index("reviewed", repair), facts[0].id)  # of this review: said twice it is another one
        if isinstance(await self._store.append(Act(facts, once=(once,))), Already):
            raise Conflict(
                "repair.reviewed", Words("Lần sửa này đã có người xem.", "Somebody has looked at this repair already.")
            )

    async def part(self, merge: str, *, by: str, now: dt.datetime) -> None:
        """Make two citizens of one again. Raises :class:`Hidden` ``merge.unknown`` and as :meth:`Citizens.part`."""
        fact = await self._store.fact(FactId(merge), only=())
        if fact is None or not isinstance(fact.what, Merged) or fact.qid is None:
            raise Hidden("merge.unknown", Words("Không có lần gộp này.", "There is no such merge."))
        for _ in range(_RACES):
            act = await self._parted(fact.qid, fact.what.into, merge, by, now)
            outcome = await self._store.append(act)
            if not isinstance(outcome, Already):
                return
            if outcome.once:
                break
            # Else something happened to one of them between our look and our write.
        raise Conflict("merge.parted", Words("Đã có người tách hai số này.", "They have been parted already."))

    async def _parted(self, qid: Qid, into: Qid, merge: str, by: str, now: dt.datetime) -> Act:
        act = await self._citizens.part(qid, by=by, now=now)
        theirs = await self._store.facts_about(qid, kinds=("declaration.accepted",))
        declared = {one.id for one in theirs}
        issued = await self._store.facts_about(into, kinds=("code.issued",))
        indexes = tuple(
            sorted(
                code.what.status_index
                for code in issued
                if isinstance(code.what, Issued) and code.what.declaration in declared and code.what.status_index >= 0
            )
        )
        facts = act.facts
        if indexes:  # codes under the one number that say what the other declared
            facts += (self._fact("chk", into, CheckAgain(indexes), "house", now),)
        # Two operators at once: the second finds the number parted, or this claim held.
        return replace(act, facts=facts, once=((self._secrets.index("parted", merge), facts[0].id),))

    async def _read(self) -> None:
        while True:
            page = await self._store.review_facts(self._seq)
            for seq, fact in page:
                self._seq = seq
                self._take(fact)
            if len(page) < PAGE_FACTS:
                return

    def _take(self, fact: Fact) -> None:
        what, qid = fact.what, fact.qid
        if qid is None:
            return
        if isinstance(what, Repaired) and what.sampled:
            place = fact.checkpoint or ""
            self._waiting[fact.id] = ToReview(
                fact.id, fact.at, place, what.officer, what.reason, what.differing, what.grade, qid
            )
        elif isinstance(what, Reviewed):
            self._waiting.pop(what.repair, None)
        elif isinstance(what, Merged):
            place = fact.checkpoint or ""
            self._joined[qid] = Joined(fact.id, fact.at, fact.actor, place, qid, what.into, what.platforms)
        elif isinstance(what, Parted):
            self._joined.pop(qid, None)

    def _fact(self, kind: str, qid: Qid, what: Reviewed | CheckAgain, by: str, now: dt.datetime) -> Fact:
        return Fact(id=new_fact_id(kind, now, self._random(10)), at=now, actor=by, qid=qid, what=what)
