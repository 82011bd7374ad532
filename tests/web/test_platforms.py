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
    assert (
        here["kind"] == "gateway"
        and here["area"] == "thu-duc"
        and here["name"]["vi"]
        and here["name"]["en"]
        and here["road"]
    )
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
    hows = (None, "tones", "order", "word", "slip", "spelling", "year", "of the future")
    fields = ("name", "birth_date", "document.number")
    for grade, how in itertools.product(Grade, hows):
        for count in range(len(fields) + 1):
            for differing in itertools.combinations(fields, count):
                match = Match(grade, differing, how)
                said = told(match)
                assert said.words.vi and said.words.en
                if grade in (Grade.MATCHED, Grade.VOUCHED, Grade.PENDING, Grade.UNIDENTIFIED):
                    assert said.differing == ()
                elif how == "year" and (grade is not Grade.MISMATCHED or differing):
                    by_hand = grade is Grade.REPAIRABLE
                    assert said.differing == (("birth_date",) if by_hand else ("document.number", "name", "birth_date"))
                elif grade is Grade.MISMATCHED and not differing:  # an operator took a repair back
                    assert said.differing == () and "document" in said.words.en
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


async def test_what_became_of_a_declaration(world: World) -> None:
    """Its own sender reads it as it is now; to everybody else there is none."""
    bluezone, ncovi = await world.platform("BLUEZONE"), await world.platform("NCOVI")
    world.registry.outage = True
    sent = (await world.declare(world.person(0), bluezone)).json()
    path = f"/v1/declarations/{sent['declaration']}"
    before = (await bluezone.get(path)).json()
    assert (before["outcome"], before["qid"], before["merged_from"]) == ("pending", sent["qid"], None)
    assert before["valid_until"] == sent["valid_until"] and "register" in before["words"]["en"]
    world.registry.outage = False
    world.now += dt.timedelta(minutes=1)
    await world.work()
    after = (await bluezone.get(path)).json()
    assert (after["outcome"], after["qid"]) == ("accepted", sent["qid"])
    assert after["valid_until"] > before["valid_until"] and after["differing"] == []
    mine = (await ncovi.get(path)).json(), (await ncovi.get("/v1/declarations/dcl_01kf7yejc0k13emra4srge0byv")).json()
    assert mine[0] == mine[1] and mine[0]["code"] == "declaration.hidden"
    for odd in ("x", "dcl_", f"cod{sent['declaration'][3:]}", "..%2f", "a" * 900):
        assert (await bluezone.get(f"/v1/declarations/{odd}")).status_code == 404
    assert (await world.browser().get(path)).status_code == 401


async def test_what_became_of_one_that_was_refused_and_of_a_name_to_mend(world: World) -> None:
    bluezone, person = await world.platform("BLUEZONE"), world.person(0)
    refused = (await world.declare(person, bluezone, name="Kẻ Mạo Danh")).json()
    told_now = (await bluezone.get(f"/v1/declarations/{refused['declaration']}")).json()
    assert (told_now["outcome"], told_now["qid"], told_now["words"]) == ("refused", None, refused["words"])
    words = person.name.split(" ")
    sent = (await world.declare(person, bluezone, name=" ".join([*words[1:], words[0]]), key="again")).json()
    assert (sent["outcome"], sent["differing"]) == ("repairable", ["name"])
    again = await world.declare(person, bluezone, name=" ".join([*words[1:], words[0]]), key="again")
    told_now = (await bluezone.get(f"/v1/declarations/{sent['declaration']}")).json()
    assert told_now["words"] == sent["words"] and told_now["differing"] == ["name"]
    if again.status_code == 200:
        assert again.json()["words"] == sent["words"], "how the name differs is kept with the receipt"
