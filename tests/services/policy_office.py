"""An office in which policies are written and approved: the service on a store of its own, and a clock."""

import datetime as dt
import itertools

from motma.core.policy.enacted import Step
from motma.services.board import BoardReader
from motma.services.policies import Policies
from motma.storage.store import Store

NOW = dt.datetime(2026, 1, 18, 7, 0, tzinfo=dt.UTC)
_serial = itertools.count(1)


def unlike_before(size: int) -> bytes:
    """In the place of randomness."""
    return next(_serial).to_bytes(size, "big")


class Office:
    """The policies of one process, and a clock."""

    def __init__(self, store: Store) -> None:
        self.now = NOW
        self.store = store
        self.same: set[str] = set()
        board = BoardReader(store)
        self.policies = Policies(store=store, board=board, person=self._person, random=unlike_before)

    async def _person(self, name: str) -> set[str]:
        return {name} | (self.same if name in self.same else set())

    async def draft(self, text: str, *, by: str = "A", over: str = "") -> Step:
        return await self.policies.draft(text, over=over, by=by, now=self.now)

    async def approve(self, step: Step, begins: dt.datetime | None = None, *, by: str = "B") -> Step:
        return await self.policies.approve(step.draft, begins, by=by, now=self.now)

    async def enact(self, text: str, begins: dt.datetime | None = None) -> Step:
        return await self.approve(await self.draft(text), begins)

    async def roll_back(self, step: Step, *, by: str = "A") -> Step:
        return await self.policies.roll_back(step.draft, by=by, now=self.now)

    async def off(self, policy: str) -> Step:
        step = await self.policies.draft_off(policy, by="A", now=self.now)
        return await self.approve(step)

    async def names(self, at: dt.datetime | None = None, base: tuple[str, ...] = ()) -> list[str]:
        enacted = await self.policies.enacted(at or self.now)
        found = self.policies.among(enacted, base, at or self.now)
        return [f"{one.id} {one.version}" for one in found.policies] + [f"!{name}" for name in found.unread]

    async def reasons(self, base: tuple[str, ...] = ()) -> set[str]:
        return set((await self.policies.rulebook(base, self.now)).reasons)
