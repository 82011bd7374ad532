"""What is under way while numbers are found to be one citizen's: written where it is heard of, or not at all."""

import datetime as dt
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from motma.core.facts import Accepted
from motma.core.ids import Qid
from motma.storage.acts import Outcome
from motma.storage.store import Act
from tests.world import World, living_world


@pytest.fixture
async def anywhere(tmp_path: Path, desk_url: str) -> AsyncIterator[World]:
    """A world on each engine."""
    async with living_world(tmp_path, database_url=desk_url) as world:
        yield world


async def test_a_declaration_under_way_during_a_merge(anywhere: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world, person = anywhere, anywhere.person(0)
    card, old = ({"kind": one.kind, "number": one.number} for one in person.documents[:2])
    one = (await world.declare(person, await world.platform("NCOVI"), document=card)).json()
    world.registry.outage = True
    other = (await world.declare(person, await world.platform("BLUEZONE"), document=old)).json()
    assert one["qid"] != other["qid"]
    write = world.built.store.append
    waiting = [True]

    async def after_the_merge(act: Act) -> Outcome:
        if waiting and any(isinstance(fact.what, Accepted) for fact in act.facts):
            waiting.clear()
            world.registry.outage = False
            assert await world.work() == 1
            world.registry.outage = True
        return await write(act)

    monkeypatch.setattr(world.built.store, "append", after_the_merge)
    world.now += dt.timedelta(minutes=1)
    late = await world.declare(person, await world.platform("DICUAN"), document=old, health__contact=True)
    assert (late.status_code, late.json()["qid"]) == (201, one["qid"]) and not waiting
    world.registry.outage = False
    await world.work()
    standing = await world.built.citizens.standing(Qid(other["qid"]))
    assert standing and (standing.qid, standing.health_at(world.now)) == (one["qid"], "contact"), "what was said counts"
    for name in ("NCOVI", "BLUEZONE", "DICUAN"):
        told = (await (await world.platform(name)).get("/v1/changes")).json()["changes"][-1]["citizen"]
        assert (told["qid"], told["health"], told["also"]) == (one["qid"], "contact", [other["qid"]]), name
    assert (await world.built.store.rebuild_standing()).differing == ()
