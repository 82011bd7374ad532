"""A few whole lines on PostgreSQL: the services must not notice what they stand on."""

import asyncio
import datetime as dt
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.storage.servers import Server, postgres_server
from tests.world import NEXT, World, living_world

pytestmark = pytest.mark.postgres


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with postgres_server() as server:
        yield server


@pytest.fixture
async def world(tmp_path: Path, server: Server) -> AsyncIterator[World]:
    async with living_world(tmp_path, database_url=server.new_database()) as world:
        yield world


async def test_declare_check_divert_and_expire(world: World) -> None:
    sent = (await world.declare(world.person(0), key="one")).json()
    again = (await world.declare(world.person(0), key="one")).json()
    assert again == {**sent, "repeated": True}
    id = world.scan_id()
    first = (await world.check(code=sent["code"], id=id)).json()
    assert first["outcome"] == "accept"
    assert (await world.check(code=sent["code"], id=id)).json() == {**first, "already": True}
    await world.divert(to=NEXT)
    assert (await world.check(qid=sent["qid"])).json()["refer"]["checkpoint"] == NEXT
    world.now += dt.timedelta(hours=72)
    officer = await world.officer_at(NEXT, "CB-02")
    assert (await world.check(code=sent["code"], officer=officer)).json()["outcome"] == "reject"
    assert (await world.built.store.rebuild_standing()).differing == ()


async def test_pending_then_matched(world: World) -> None:
    world.registry.outage = True
    sent = (await world.declare(world.person(0))).json()
    world.registry.outage = False
    assert await world.work() == 1
    assert (await world.check(code=sent["code"])).json()["outcome"] == "accept"


async def test_a_hundred_at_once_of_ten_people_are_ten_citizens(world: World) -> None:
    platforms = [await world.platform(name) for name in ("BLUEZONE", "NCOVI", "TOKHAIYTE")]
    sent = await asyncio.gather(*[world.declare(world.person(n % 10), platforms[n % 3]) for n in range(100)])
    assert {answer.status_code for answer in sent} == {201}
    assert len({(n % 10, answer.json()["qid"]) for n, answer in enumerate(sent)}) == 10
    counts = await world.built.store.counts()
    assert (counts["declaration.accepted"], counts["citizens"]) == (100, 10)


async def test_an_invitation_taken_by_many_at_once_lets_one_in(world: World) -> None:
    enrol = world.built.house.enrol
    invitation = await enrol.invite_device(NEXT, "Máy 1", world.now)
    await asyncio.gather(*[enrol.enrol_device(invitation, world.now) for _ in range(20)], return_exceptions=True)
    assert len(await enrol.devices()) == 1


async def test_what_no_database_keeps_is_refused_alike(world: World) -> None:
    for text in ("\x00", "\u202e", "\ue000"):
        answer = await (await world.operator()).post("/ops/diversions", data={"checkpoint": NEXT, "note": text})
        assert answer.status_code == 422
    assert (await world.check(code="\x00")).json()["outcome"] == "manual"
