"""The platforms' door: what they read of the world, and what they are told."""

import datetime as dt
import itertools
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from motma.core.identity import Grade, Match
from motma.web.receipts import told
from tests.world import HERE, World, living_world


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with living_world(tmp_path) as world:
        yield world


async def test_the_measure_in_force(world: World) -> None:
    answer = (await world.browser().get("/v1/measure")).json()
    assert (answer["measure"], answer["form"]) == ("demo-hcmc", "2026-1")
    assert "Fictional" in answer["legal_basis"]["en"] and "giả định" in answer["legal_basis"]["vi"]
    assert dt.datetime.fromisoformat(answer["ends_at"]) == world.now + dt.timedelta(days=89)


async def test_the_checkpoints(world: World) -> None:
    listed = (await world.browser().get("/v1/checkpoints")).json()
    assert len(listed) == len(world.built.house.steer.network.checkpoints)
    here = next(one for one in listed if one["id"] == HERE)
    assert here["kind"] == "gateway" and here["name"]["vi"] and here["name"]["en"] and here["road"]
    assert (
        await world.declare(world.person(0), trip__checkpoints=[one["id"] for one in listed][:20])
    ).status_code == 201


async def test_a_platform_gets_the_receipts_of_its_own_only(world: World) -> None:
    """Neither the key nor the declaration's id of another platform gives anything away."""
    sent = (await world.declare(world.person(0), await world.platform("BLUEZONE"), key="secret")).json()
    other = await world.platform("NCOVI")
    again = await world.declare(world.person(1), other, key="secret")
    assert again.status_code == 201 and again.json()["declaration"] != sent["declaration"]
    for path in (f"/v1/declarations/{sent['declaration']}", "/v1/declarations", f"/v1/citizens/{sent['qid']}"):
        assert (await other.get(path)).status_code in (404, 405)


def test_every_match_is_told_and_none_tells_too_much() -> None:
    hows = (None, "tones", "order", "word", "slip", "spelling", "of the future")
    fields = ("name", "birth_date", "document.number")
    for grade, how in itertools.product(Grade, hows):
        for count in range(len(fields) + 1):
            for differing in itertools.combinations(fields, count):
                match = Match(grade, differing, how)
                said = told(match)
                assert said.words.vi and said.words.en
                if grade in (Grade.MATCHED, Grade.PENDING):
                    assert said.differing == ()
                else:
                    assert said.differing in (("name",), ("document.number", "birth_date"))
    apart = {told(Match(Grade.UNKNOWN, ("document.number",))), told(Match(Grade.MISMATCHED, ("birth_date",)))}
    assert len(apart) == 1


async def test_a_name_that_differs_in_y_alone(world: World) -> None:
    person = next(
        one
        for one in map(world.registry.population.person, range(3_000))
        if one.nationality == "VN" and one.name.endswith((" Vy", " My", " Thy", " Ly"))
    )
    sent = await world.declare(person, name=person.name[:-1] + "i")
    assert (sent.status_code, sent.json()["outcome"]) == (201, "repairable")
    assert "i and y" in sent.json()["words"]["en"]
