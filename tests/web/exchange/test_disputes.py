"""Two sources that disagree: both are kept, whoever has to know is told, and nobody learns what the other said."""

import datetime as dt
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from motma.core.facts import Accepted
from motma.core.ids import FactId, Qid
from tests.world import World, living_world

OTHER_PHONE = "0909 123 475"
A_MINUTE = dt.timedelta(minutes=1)


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with living_world(tmp_path) as world:
        yield world


async def disputed_now(platform: httpx.AsyncClient, declaration: str) -> list[str]:
    return list((await platform.get(f"/v1/declarations/{declaration}")).json()["disputed"])


async def test_a_phone_that_two_platforms_say_otherwise(world: World) -> None:
    bluezone, ncovi, person = await world.platform("BLUEZONE"), await world.platform("NCOVI"), world.person(0)
    one = (await world.declare(person, bluezone)).json()
    world.now += A_MINUTE
    sent = await world.declare(person, ncovi, key="k", phone=OTHER_PHONE)
    other = sent.json()
    assert one["disputed"] == [] and other["disputed"] == ["phone"] and other["qid"] == one["qid"]
    assert person.phone not in sent.text and "BLUEZONE" not in sent.text
    again = await world.declare(person, ncovi, key="k", phone=OTHER_PHONE)
    assert again.json() == {**other, "repeated": True}
    assert await disputed_now(bluezone, one["declaration"]) == ["phone"]
    assert await disputed_now(ncovi, other["declaration"]) == ["phone"]
    fact = await world.built.store.fact(FactId(other["declaration"]))
    assert fact and isinstance(fact.what, Accepted) and fact.what.disputed == ("phone",)
    standing = await world.built.store.standing(Qid(one["qid"]))
    assert standing
    found = await world.built.house.sources.of(standing)
    assert found and found.disputed == ("phone",)
    phone = next(field for field in found.fields if field.name == "phone")
    assert (phone.in_force.value, phone.in_force.source) == ("+84909123475", "NCOVI")
    assert [(said.value, said.source) for said in phone.others] == [(person.phone, "BLUEZONE")], "nothing is lost"
    headers = {"idempotency-key": "right"}
    path = f"/v1/declarations/{one['declaration']}/corrections"
    world.now += A_MINUTE
    right = await bluezone.post(path, json=world.declaration(person, phone=OTHER_PHONE), headers=headers)
    assert right.json()["disputed"] == []
    assert await disputed_now(ncovi, other["declaration"]) == await disputed_now(bluezone, one["declaration"]) == []
    assert await world.built.house.sources.disputes() == []


async def test_the_citizens_own_word_on_the_page_ends_it(world: World) -> None:
    bluezone, ncovi, person = await world.platform("BLUEZONE"), await world.platform("NCOVI"), world.person(0)
    await world.declare(person, bluezone)
    world.now += A_MINUTE
    other = (await world.declare(person, ncovi, phone=OTHER_PHONE)).json()
    assert len(await world.built.house.sources.disputes()) == 1
    world.now += A_MINUTE
    assert (await world.declare_on_page(world.browser(), person)).status_code == 303
    assert await disputed_now(ncovi, other["declaration"]) == []
    assert await world.built.house.sources.disputes() == []
    world.now += A_MINUTE
    assert (await world.declare(person, ncovi, phone=OTHER_PHONE)).json()["disputed"] == ["phone"]


async def test_whoever_does_not_fit_is_told_nothing_and_puts_nothing_in_dispute(world: World) -> None:
    bluezone, ncovi, person = await world.platform("BLUEZONE"), await world.platform("NCOVI"), world.person(0)
    one = (await world.declare(person, bluezone)).json()
    words = person.name.split(" ")
    swapped = " ".join([*words[1:], words[0]])
    world.now += A_MINUTE
    guess = (await world.declare(person, ncovi, name=swapped, phone=OTHER_PHONE)).json()
    assert (guess["outcome"], guess["disputed"]) == ("repairable", [])
    world.registry.outage = True
    away = (await world.declare(person, ncovi, name=words[0] + " Ai", phone=OTHER_PHONE)).json()
    assert (away["outcome"], away["disputed"]) == ("pending", [])
    for sent in (guess, away):
        assert await disputed_now(ncovi, sent["declaration"]) == []
    assert await disputed_now(bluezone, one["declaration"]) == []
    assert await world.built.house.sources.disputes() == []


async def test_a_platform_that_knows_the_year_alone_is_heard(world: World) -> None:
    bluezone, tokhaiyte, person = await world.platform("BLUEZONE"), await world.platform("TOKHAIYTE"), world.person(0)
    await world.declare(person, bluezone)
    world.now += A_MINUTE
    year = str(person.birth_date.year)
    same = (await world.declare(person, tokhaiyte, birth_date=year, name=person.name.upper())).json()
    assert (same["outcome"], same["disputed"]) == ("repairable", []), "a year is no other date"
    world.now += A_MINUTE
    assert (await world.declare(person, tokhaiyte, birth_date=year, phone=OTHER_PHONE)).json()["disputed"] == ["phone"]


async def test_numbers_that_turn_out_to_be_one_bring_their_sources_along(world: World) -> None:
    bluezone, ncovi, person = await world.platform("BLUEZONE"), await world.platform("NCOVI"), world.person(0)
    world.registry.outage = True
    card, old = person.documents[:2]
    one = (await world.declare(person, bluezone)).json()
    world.now += A_MINUTE
    other = (
        await world.declare(person, ncovi, document={"kind": old.kind, "number": old.number}, phone=OTHER_PHONE)
    ).json()
    assert one["qid"] != other["qid"] and other["disputed"] == []
    world.registry.outage = False
    world.now += A_MINUTE
    await world.work()
    assert await disputed_now(bluezone, one["declaration"]) == ["phone"]
    assert await disputed_now(ncovi, other["declaration"]) == ["phone"]
    (dispute,) = await world.built.house.sources.disputes()
    assert dispute.qid in (one["qid"], other["qid"])
    standing = await world.built.citizens.standing(dispute.qid)
    found = await world.built.house.sources.of(standing) if standing else None
    assert found and {document for document, _ in found.documents} == {card, old}


async def test_operators_see_who_disagrees_and_two_digits(world: World) -> None:
    operator, person = await world.operator(), world.person(0)
    empty = await operator.get("/ops/disputes")
    assert empty.status_code == 200 and "Không có" in empty.text
    one = (await world.declare(person, await world.platform("BLUEZONE"))).json()
    world.now += A_MINUTE
    await world.declare(person, await world.platform("NCOVI"), phone=OTHER_PHONE)
    page = (await operator.get("/ops/disputes")).text
    assert "BLUEZONE" in page and "NCOVI" in page and "•••• 75" in page and f"•••• {person.phone[-2:]}" in page
    assert f"…{one['qid'][-6:]}" in page and one["qid"] not in page
    for secret in (person.name, person.phone, "909123475", person.documents[0].number, person.residence.address):
        assert secret not in page
    assert (await world.browser().get("/ops/disputes")).status_code == 303
    board = (await operator.get("/ops")).text
    assert "/ops/disputes" in board
