"""Whatever happens in whatever order: one number for each person, and nobody passes on somebody else's."""

import contextlib
import datetime as dt
import random
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from motma.core.errors import Conflict
from motma.core.facts import Holder, Issued, Merged, Standing
from motma.core.ids import Qid
from motma.core.text import name_key
from motma.register.population import Person
from tests.services.test_mistaken import by, twins
from tests.services.test_repair import Barrier, card, with_a_slip
from tests.world import World, living_world

STEPS = 120
CLOCK = dt.timedelta(minutes=3)


@pytest.fixture
async def anywhere(tmp_path: Path, desk_url: str) -> AsyncIterator[World]:
    """A world on each engine."""
    async with living_world(tmp_path, database_url=desk_url) as world:
        yield world


class Town:
    """A few people, twins among them, to whom all that can happen happens."""

    def __init__(self, world: World, dice: random.Random, barrier: Barrier, platform: httpx.AsyncClient) -> None:
        self.world, self.dice, self.barrier, self.platform = world, dice, barrier, platform
        long = [one for one in map(world.person, range(60)) if len(one.name.split(" ")) >= 3]
        self.people = [*twins(world), *long[:3]]
        self.codes: list[str] = []
        self.withdrawn: set[str] = set()

    async def step(self) -> None:
        dice, world = self.dice, self.world
        world.now += CLOCK
        verbs = [self.declare] * 8 + [self.repair] * 4 + [self.work] * 3
        verbs += [self.outage] * 2 + [self.withdraw, self.restore, self.part, self.review]
        await dice.choice(verbs)(dice.choice(self.people))

    async def declare(self, person: Person) -> None:
        said: dict[str, Any] = {"document": by(self.dice.choice(person.documents[:2]))}
        match self.dice.randrange(8):
            case 0:
                said["name"] = with_a_slip(person)
            case 1:
                said["document"] = by(self.dice.choice(self.people).documents[0])
            case 2:
                said["document"] = {"kind": "none", "number": ""}
            case 3:
                said["health__contact"] = True
        sent = await self.world.send(self.platform, self.world.declaration(person, **said))
        assert sent.status_code in (201, 409, 422), sent.text
        if sent.status_code == 201 and sent.json()["code"]:
            self.codes.append(sent.json()["code"])

    async def repair(self, person: Person) -> None:
        if not self.codes:
            return
        scan = await self.barrier.scan(code=self.dice.choice(self.codes[-6:]))
        done = await self.barrier.repair(scan["id"], card=card(person))
        assert done.status_code in (200, 409, 429), done.text

    async def work(self, _: Person) -> None:
        await self.world.work()

    async def outage(self, _: Person) -> None:
        self.world.registry.outage = not self.world.registry.outage

    async def withdraw(self, _: Person) -> None:
        await self.world.built.house.status.revoke(await self.somebody(), "a test", by="test", now=self.world.now)

    async def restore(self, _: Person) -> None:
        for standing in await self.standings():
            if standing.revoked and standing.into is None:
                await self.world.built.house.status.restore(standing.qid, by="test", now=self.world.now)
                return

    async def part(self, _: Person) -> None:
        merged = [one for one in await self.standings() if one.into]
        if merged:
            (*_, fact) = await self.world.built.store.facts_about(merged[0].qid, kinds=("citizen.merged",))
            assert isinstance(fact.what, Merged)
            with contextlib.suppress(Conflict):  # it was merged further: the last one has to be parted first
                await self.world.built.house.review.part(fact.id, by="test", now=self.world.now)

    async def review(self, _: Person) -> None:
        for waiting in await self.world.built.house.review.waiting():
            await self.world.built.house.review.say(waiting.repair, upheld=False, by="test", now=self.world.now)
            return

    async def standings(self) -> list[Standing]:
        return await self.world.built.store.standings(Qid(""), 1_000)

    async def somebody(self) -> Qid:
        standings = await self.standings()
        return self.dice.choice(standings).qid if standings else (await self.declared()).qid

    async def declared(self) -> Standing:
        await self.declare(self.people[0])
        return (await self.standings())[0]

    async def look(self) -> None:
        """What must be so at any time."""
        world, store = self.world, self.world.built.store
        assert (await store.rebuild_standing()).differing == ()
        standings = {one.qid: one for one in await self.standings()}
        for one in standings.values():
            goes = await world.built.citizens.standing(one.qid)
            assert one.into is None or (goes and one.qid in goes.also), "both sides of a merge"
            for qid in one.also:
                assert standings[qid].into in (one.qid, *one.also), "both sides of a merge"
        for person in self.people:
            held = [await world.built.citizens.find(document) for document in person.documents[:2]]
            whose = {(await world.built.citizens.standing(qid)).qid for qid in held if qid}  # type: ignore[union-attr]
            assert len(whose) <= 1, "one number for each person"
        one, other = [await world.built.citizens.find(twin.documents[0]) for twin in self.people[:2]]
        if one and other:
            first, second = await world.built.citizens.standing(one), await world.built.citizens.standing(other)
            assert first and second and first.qid != second.qid, "twins are two"
        # A code in hand keeps the name that was typed after an officer put it right: it is the same declaration.
        names = {name_key(name) for person in self.people for name in (person.name, with_a_slip(person))}
        for qid, standing in standings.items():
            goes_by = await world.built.citizens.standing(qid)
            assert goes_by is not None
            for fact in await store.facts_about(qid, kinds=("code.issued",)):
                issued = await store.fact(fact.id)
                assert issued and issued.personal and isinstance(issued.what, Issued)
                holder = msgspec.json.decode(issued.personal, type=Holder)
                judged = (await world.check(holder.code)).json()
                if goes_by.revoked or goes_by.suspended:
                    assert judged["outcome"] != "accept", "withdrawn is withdrawn by any code"
                if judged["outcome"] == "accept":
                    assert name_key(judged["citizen"]["name"]) in names, "whom nobody identified does not pass"
                    assert name_key(judged["citizen"]["name"]) == name_key(holder.name)
                    assert goes_by.grade.is_sure or (goes_by.waiting and goes_by.waiting.grade.is_sure)
            typed = (await world.check(qid=qid)).json()
            assert typed["outcome"] != "accept" or (goes_by.grade.is_sure and not goes_by.revoked), standing


@pytest.mark.parametrize("seed", [1, 6, 16, 20])
async def test_whatever_happens(world: World, seed: int) -> None:
    town = Town(world, random.Random(seed), await Barrier.at(world), await world.platform())
    for n in range(STEPS):
        await town.step()
        if n % 30 == 29:
            await town.look()
    await town.look()
