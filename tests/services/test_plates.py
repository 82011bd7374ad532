"""By the plate: who may ask, what is said, how often, and who is told."""

import asyncio
import datetime as dt
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from motma.core.facts import LookedUp
from motma.core.ids import Qid
from motma.services.plates import LOOKUPS
from motma.storage.store import Holding
from tests.world import HERE, World, living_world


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with living_world(tmp_path) as world:
        yield world


async def declare(world: World, n: int, plate: str) -> dict[str, Any]:
    body = world.declaration(world.person(n))
    body["trip"]["plate"] = plate
    sent: dict[str, Any] = (await world.send(await world.platform(), body, key=world.scan_id())).json()
    return sent


async def ask(officer: httpx.AsyncClient, plate: str) -> httpx.Response:
    return await officer.post("/scan/plates", json={"plate": plate})


async def test_everybody_in_the_vehicle_and_nobody_else(world: World) -> None:
    first, second = await declare(world, 0, "51F-123.45"), await declare(world, 1, "51f 12345")
    await declare(world, 2, "51F-123.46")
    found = await ask(await world.officer_at(), " 51F 123.45 ")
    assert found.status_code == 200
    people = {one["qid"]: one for one in found.json()["people"]}
    assert set(people) == {first["qid"], second["qid"]}
    person = world.person(0)
    assert people[first["qid"]] == {
        "qid": first["qid"],
        "name": person.name,
        "birth_year": person.birth_date.year,
        "last_four": person.documents[0].last_four,
    }
    checked = await world.check(qid=first["qid"])
    assert checked.json()["outcome"] == "accept"


async def test_only_while_that_declaration_is_the_one_in_force(world: World) -> None:
    await declare(world, 0, "51F12345")
    again = await declare(world, 0, "59X312345")
    officer = await world.officer_at()
    assert (await ask(officer, "51F12345")).json() == {"people": []}
    assert [one["qid"] for one in (await ask(officer, "59X312345")).json()["people"]] == [again["qid"]]
    world.now += dt.timedelta(hours=73)
    assert (await ask(await world.officer_at(officer="CB-02"), "59X312345")).json() == {"people": []}


async def test_every_look_is_written_down_and_the_citizen_reads_of_it(world: World) -> None:
    browser = world.browser()
    await world.declare_on_page(browser, world.person(0))
    officer = await world.officer_at()
    before = world.rows()["facts"]
    found = (await ask(officer, "59C112345")).json()["people"]
    assert len(found) == 1 and world.rows()["facts"] == before + 2
    facts = await world.built.store.facts_about(Qid(found[0]["qid"]), kinds=["plate.looked_up"])
    assert [(fact.checkpoint, type(fact.what)) for fact in facts] == [(HERE, LookedUp)]
    assert "Tra theo biển số xe" in (await browser.get("/code/1/looks")).text
    assert (await ask(officer, "30A99999")).json() == {"people": []}
    assert world.rows()["facts"] == before + 3  # asking for a vehicle that nobody declared is written down too
    assert "59C112345" not in str(world.built.store)
    assert (await world.built.store.rebuild_standing()).differing == ()


async def test_so_often_and_no_oftener(world: World) -> None:
    officer = await world.officer_at()
    answers = [await ask(officer, "59C1 123.45") for _ in range(LOOKUPS + 1)]
    assert [answer.status_code for answer in answers] == [200] * LOOKUPS + [429]
    assert answers[-1].json()["code"] == "plate.too_often" and int(answers[-1].headers["retry-after"]) <= 301
    assert (await world.check(qid="521322923144321717")).status_code == 200  # checking goes on
    world.now += dt.timedelta(minutes=5, seconds=1)
    assert (await ask(officer, "59C1 123.45")).status_code == 200


async def test_many_at_once_are_many(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A database that takes its time must not let a device ask for every plate there is."""
    holdings = world.built.store.holdings

    async def slowly(wallet: bytes) -> list[Holding]:
        await asyncio.sleep(0.05)
        return await holdings(wallet)

    monkeypatch.setattr(world.built.store, "holdings", slowly)
    officer = await world.officer_at()
    answers = await asyncio.gather(*[ask(officer, "59C1 123.45") for _ in range(2 * LOOKUPS)])
    assert sorted(answer.status_code for answer in answers) == [200] * LOOKUPS + [429] * LOOKUPS


async def test_who_declares_again_and_again_takes_nobodys_place(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("motma.services.plates._PEOPLE_MAX", 2)
    first = await declare(world, 0, "51F12345")
    for _ in range(3):
        world.now += dt.timedelta(seconds=1)
        second = await declare(world, 1, "51F12345")
    people = (await ask(await world.officer_at(), "51F12345")).json()["people"]
    assert [one["qid"] for one in people] == [second["qid"], first["qid"]]


@pytest.mark.parametrize("plate", ["", "xe máy", "1" * 400, "59C1\x0012345", "ABCDEF", None, 5])
async def test_what_is_no_plate(world: World, plate: Any) -> None:
    before = world.rows()
    answer = await (await world.officer_at()).post("/scan/plates", json={"plate": plate})
    assert answer.status_code == 422
    assert answer.json()["code"] in ("plate.malformed", "body.malformed")
    assert world.rows()["facts"] == before["facts"]


async def test_not_for_others(world: World) -> None:
    for client in (world.browser(), await world.platform(), await world.operator(), await world.device_at()):
        assert (await ask(client, "59C112345")).status_code in (401, 403)
