"""What a platform sent itself: given back as it was, put right by a new one, and nobody else's."""

import asyncio
import copy
import datetime as dt
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from motma.core.facts import Accepted, Refused
from motma.core.ids import FactId
from tests.world import World, living_world

OTHER_PHONE = "0909 123 456"


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with living_world(tmp_path) as world:
        yield world


async def correct(
    world: World, platform: httpx.AsyncClient, declaration: str, body: dict[str, Any], key: str = ""
) -> httpx.Response:
    headers = {"idempotency-key": key or f"correction-{world.scan_id()}"}
    return await platform.post(f"/v1/declarations/{declaration}/corrections", json=body, headers=headers)


async def became(platform: httpx.AsyncClient, declaration: str) -> dict[str, Any]:
    return dict((await platform.get(f"/v1/declarations/{declaration}")).json())


# -- what was sent -------------------------------------------------------------------------------------------------


async def test_it_comes_back_as_it_was_sent(world: World) -> None:
    bluezone, ncovi = await world.platform("BLUEZONE"), await world.platform("NCOVI")
    body = world.declaration(world.person(0), phone="0912 345 678")
    body |= {"TokenDevice": "a1", "extra": {"VungDich": [1, 2.5, None], "ă": {}}}
    body["trip"]["MaCuaKhau"] = "VN-SG"
    sent = (await world.send(bluezone, body)).json()
    path = f"/v1/declarations/{sent['declaration']}/sent"
    back = await bluezone.get(path)
    assert (back.status_code, back.json()) == (200, body) and "no-store" in back.headers["cache-control"]
    refused = world.declaration(world.person(0), name="Kẻ Mạo Danh") | {"x": 1}
    again = (await world.send(bluezone, refused)).json()
    assert (await bluezone.get(f"/v1/declarations/{again['declaration']}/sent")).json() == refused
    hidden = [await one.get(path) for one in (ncovi, world.browser(), await world.operator())]
    assert [answer.status_code for answer in hidden] == [404, 401, 401]
    for odd in ("x", "dcl_01kf7yejc0k13emra4srge0byv"):
        assert (await bluezone.get(f"/v1/declarations/{odd}/sent")).json()["code"] == "declaration.hidden"


async def test_it_is_sealed_and_an_officers_repair_does_not_show_in_it(world: World) -> None:
    bluezone, person = await world.platform("BLUEZONE"), world.person(1)
    body = world.declaration(person) | {"SoBaoHiem": "HC-999-secret"}
    sent = (await world.send(bluezone, body)).json()
    raw = await asyncio.to_thread(Path(world.settings.database_url.removeprefix("sqlite:///")).read_bytes)
    assert b"HC-999-secret" not in raw and b"SoBaoHiem" not in raw
    again = await world.send(bluezone, body | {"SoBaoHiem": "other"}, key="k")
    assert again.status_code == 201
    reused = await world.send(bluezone, body, key="k")
    assert (reused.status_code, reused.json()["code"]) == (409, "idempotency.reused"), "it is part of what is sent"
    assert sent["outcome"] == "accepted"


@pytest.mark.parametrize("way", ["lane", "framework"])
async def test_too_much_beside_the_form_is_refused_and_nothing_is_stored(world: World, way: str) -> None:
    bluezone, body = await world.platform("BLUEZONE"), world.declaration(world.person(0))
    first = (await world.send(bluezone, body)).json()
    before = world.rows()
    body["trip"]["note"] = "a" * 17_000
    send = world.send(bluezone, body) if way == "lane" else correct(world, bluezone, first["declaration"], body)
    answer = await send
    assert (answer.status_code, answer.json()["code"]) == (422, "declaration.extra")
    assert "16 KB" in answer.json()["words"]["vi"] and world.rows() == before
    for odd in ("[]", '{"name": 5}', '{"x": 1e999}', '{"x": "\\ud800"}', "[" * 60_000):
        path = "/v1/declarations" + ("" if way == "lane" else f"/{first['declaration']}/corrections")
        headers = {"idempotency-key": "odd", "content-type": "application/json"}
        answer = await bluezone.post(path, content=odd, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (422, "body.malformed"), odd[:20]


# -- corrections ---------------------------------------------------------------------------------------------------


async def test_a_correction_is_a_new_declaration_that_the_old_one_names(world: World) -> None:
    bluezone, body = await world.platform("BLUEZONE"), world.declaration(world.person(0))
    first = (await world.send(bluezone, body)).json()
    assert (await became(bluezone, first["declaration"]))["corrected_by"] is None
    right = body | {"phone": OTHER_PHONE, "seen": True}
    answer = await correct(world, bluezone, first["declaration"], right, "k1")
    second = answer.json()
    assert (answer.status_code, second["outcome"], second["qid"]) == (201, "accepted", first["qid"])
    assert second["declaration"] != first["declaration"] and second["disputed"] == []
    assert (await became(bluezone, first["declaration"]))["corrected_by"] == second["declaration"]
    fact = await world.built.store.fact(FactId(second["declaration"]))
    assert fact and isinstance(fact.what, Accepted) and fact.what.corrects == first["declaration"]
    assert (await bluezone.get(f"/v1/declarations/{second['declaration']}/sent")).json() == right
    rows = world.rows()
    again = await correct(world, bluezone, first["declaration"], right, "k1")
    assert (again.status_code, again.json()) == (200, {**second, "repeated": True}) and world.rows() == rows
    other_body = await correct(world, bluezone, first["declaration"], body, "k1")
    plain = await world.send(bluezone, right, key="k1")
    assert [one.json()["code"] for one in (other_body, plain)] == ["idempotency.reused"] * 2
    third = (await correct(world, bluezone, second["declaration"], body)).json()
    chain = [(await became(bluezone, one["declaration"]))["corrected_by"] for one in (first, second, third)]
    assert chain == [second["declaration"], third["declaration"], None]


async def test_what_was_corrected_is_corrected_no_more(world: World) -> None:
    bluezone, body = await world.platform("BLUEZONE"), world.declaration(world.person(0))
    first = (await world.send(bluezone, body)).json()["declaration"]
    at_once = await asyncio.gather(
        *[correct(world, bluezone, first, body | {"phone": f"091234567{n}"}) for n in range(5)]
    )
    assert sorted(answer.status_code for answer in at_once) == [201, 409, 409, 409, 409]
    (winner,) = [answer.json()["declaration"] for answer in at_once if answer.status_code == 201]
    late = await correct(world, bluezone, first, body)
    assert late.json()["code"] == "correction.superseded" and winner in late.json()["words"]["vi"]
    assert world.rows()["facts"] == 1 + 2 * 2


async def test_a_refused_one_is_corrected_and_a_refused_correction_corrects_nothing(world: World) -> None:
    bluezone, body = await world.platform("BLUEZONE"), world.declaration(world.person(0))
    refused = (await world.send(bluezone, body | {"name": "Kẻ Mạo Danh"})).json()
    assert refused["outcome"] == "refused"
    worse = (await correct(world, bluezone, refused["declaration"], body | {"name": "Vẫn Mạo Danh"})).json()
    assert worse["outcome"] == "refused"
    fact = await world.built.store.fact(FactId(worse["declaration"]))
    assert fact and isinstance(fact.what, Refused) and fact.what.corrects == refused["declaration"]
    assert (await became(bluezone, refused["declaration"]))["corrected_by"] is None
    right = (await correct(world, bluezone, refused["declaration"], body)).json()
    assert right["outcome"] == "accepted"
    told = await became(bluezone, refused["declaration"])
    assert (told["outcome"], told["corrected_by"]) == ("refused", right["declaration"])


async def test_nobody_corrects_what_another_sent(world: World) -> None:
    bluezone, ncovi = await world.platform("BLUEZONE"), await world.platform("NCOVI")
    body = world.declaration(world.person(0))
    first = (await world.send(bluezone, body)).json()["declaration"]
    before = world.rows()
    for client, id in ((ncovi, first), (bluezone, "dcl_01kf7yejc0k13emra4srge0byv"), (bluezone, "x")):
        answer = await correct(world, client, id, body)
        assert (answer.status_code, answer.json()["code"]) == (404, "declaration.hidden")
    assert (await correct(world, world.browser(), first, body)).status_code == 401
    unfit = await correct(world, bluezone, first, copy.deepcopy(body) | {"phone": "12"})
    assert (unfit.status_code, list(unfit.json()["fields"])) == (422, ["phone"])
    assert world.rows() == before


async def test_a_correction_finds_out_who_it_is(world: World) -> None:
    """A name that is put right: the same number, matched now, and the standing is the newest."""
    bluezone, person = await world.platform("BLUEZONE"), world.person(2)
    words = person.name.split(" ")
    body = world.declaration(person)
    first = (await world.send(bluezone, body | {"name": " ".join([*words[1:], words[0]])})).json()
    assert first["outcome"] == "repairable"
    world.now += dt.timedelta(minutes=1)
    second = (await correct(world, bluezone, first["declaration"], body)).json()
    assert (second["outcome"], second["qid"]) == ("accepted", first["qid"])
    assert (await world.check(code=second["code"])).json()["outcome"] == "accept"
