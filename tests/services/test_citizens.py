"""One citizen, one number: whichever platforms and documents they used, and whatever the register did meanwhile."""

import asyncio
import datetime as dt
import random
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from motma.core.errors import Conflict, Hidden
from motma.core.facts import Merged
from motma.core.ids import Document, Qid, group_qid
from tests.world import World, living_world

PLATFORMS = ("BLUEZONE", "NCOVI", "TOKHAIYTE", "DICUAN")
A_MINUTE = dt.timedelta(minutes=1)


@pytest.fixture
async def anywhere(tmp_path: Path, desk_url: str) -> AsyncIterator[World]:
    """A world on each engine."""
    async with living_world(tmp_path, database_url=desk_url) as world:
        yield world


def by(document: Document) -> dict[str, str]:
    return {"kind": document.kind, "number": document.number}


async def reasons(world: World, **shown: str) -> tuple[str, list[str]]:
    answer = (await world.check(**shown)).json()
    return answer["outcome"], [reason["code"] for reason in answer["reasons"]]


async def join(world: World, n: int = 0) -> tuple[dict[str, Any], dict[str, Any]]:
    """Somebody who is known by their card declares by their old one while the register is away; the worker finds out.

    Gives (what the card's platform was told, what the old card's was).
    """
    person = world.person(n)
    cccd, cmnd = person.documents[:2]
    one = (await world.declare(person, await world.platform("NCOVI"), document=by(cccd))).json()
    world.registry.outage = True
    world.now += A_MINUTE
    other = (await world.declare(person, await world.platform("BLUEZONE"), document=by(cmnd))).json()
    world.registry.outage = False
    assert one["qid"] != other["qid"] and other["outcome"] == "pending"
    assert await world.work() == 1
    return one, other


async def test_five_hundred_at_once_of_fifty_people_are_fifty_citizens(anywhere: World) -> None:
    """From four platforms, by card and old card, while the register comes and goes."""
    world, dice = anywhere, random.Random(20210815)
    platforms = [await world.platform(name) for name in PLATFORMS]
    sendings = [(n % 50, platforms[n % 4], world.person(n % 50).documents[n // 50 % 2]) for n in range(500)]
    dice.shuffle(sendings)

    async def send(n: int, platform: httpx.AsyncClient, document: Document) -> str:
        sent = await world.declare(world.person(n), platform, document=by(document))
        assert sent.status_code == 201 and sent.json()["outcome"] in ("accepted", "pending")
        return str(sent.json()["qid"])

    for start, away in ((0, False), (125, True), (250, True), (375, False)):
        world.registry.outage = away
        world.now += A_MINUTE
        await asyncio.gather(*[send(*one) for one in sendings[start : start + 125]])
    while await world.work():
        pass
    store = world.built.store
    standings = await store.standings(Qid(""), 1_000)
    primary = [one for one in standings if one.into is None]
    assert len(primary) == 50 and all(str(one.grade) == "matched" for one in primary)
    assert {qid for one in primary for qid in one.also} == {one.qid for one in standings if one.into}
    assert await store.pending(10) == []
    for n in range(50):  # every number and document of one person leads to one citizen
        found = {await world.built.citizens.find(document) for document in world.person(n).documents[:2]}
        assert len(found) == 1 and found <= {one.qid for one in primary}
    rebuilt = await store.rebuild_standing()
    assert (rebuilt.checked, rebuilt.differing) == (len(standings), ())


async def test_card_old_card_and_passport_at_once_are_one_citizen(world: World) -> None:
    people = map(world.registry.population.person, range(3_000))
    person = next(one for one in people if {"cccd", "cmnd", "passport"} <= {held.kind for held in one.documents})
    platforms = [await world.platform(name) for name in PLATFORMS]
    sendings = [(platforms[n % 4], person.documents[n % 3]) for n in range(24)]
    sent = await asyncio.gather(*[world.declare(person, one, document=by(held)) for one, held in sendings])
    assert {answer.json()["outcome"] for answer in sent} == {"accepted"}
    assert len({answer.json()["qid"] for answer in sent}) == 1


async def test_two_numbers_of_one_citizen_are_joined_and_both_find_them(world: World) -> None:
    one, other = await join(world)
    for shown in ({"code": one["code"]}, {"code": other["code"]}, {"qid": one["qid"]}, {"qid": other["qid"]}):
        outcome, why = await reasons(world, **shown)
        assert outcome == "accept" and set(why) <= {"code.newer_exists"}, (shown, why)
        assert (await world.check(**shown)).json()["valid_until"][:16] == "2026-01-21T07:01"
    typed = (await world.check(qid=other["qid"])).json()
    assert typed["citizen"]["qid"] == one["qid"], "the first is the one they go by"
    (merged,) = await world.built.store.facts_about(Qid(other["qid"]), kinds=("citizen.merged",))
    assert merged.what == Merged(Qid(one["qid"]), ("BLUEZONE",))
    again = (await world.declare(world.person(0), document=by(world.person(0).documents[1]))).json()
    assert again["qid"] == one["qid"]


async def test_what_is_withdrawn_from_one_number_is_withdrawn_from_the_other(world: World) -> None:
    one, other = await join(world)
    assert await world.built.house.status.revoke(Qid(other["qid"]), "lost", by="test", now=world.now) == 3
    for shown in ({"code": one["code"]}, {"code": other["code"]}, {"qid": one["qid"]}):
        assert (await reasons(world, **shown))[0] == "reject"
    await world.built.house.status.restore(Qid(one["qid"]), by="test", now=world.now)
    assert (await reasons(world, qid=other["qid"]))[0] == "accept"


async def test_a_revoked_number_joined_makes_its_citizen_revoked(world: World) -> None:
    person = world.person(0)
    cccd, cmnd = person.documents[:2]
    one = (await world.declare(person, document=by(cccd))).json()
    world.registry.outage = True
    other = (await world.declare(person, document=by(cmnd))).json()
    await world.built.house.status.revoke(Qid(other["qid"]), "forged papers", by="test", now=world.now)
    world.registry.outage = False
    await world.work()
    assert (await reasons(world, qid=one["qid"]))[0] == "reject"


async def test_a_merge_can_be_undone(world: World) -> None:
    one, other = await join(world)
    citizens, store = world.built.citizens, world.built.store
    before = await store.standing(Qid(one["qid"]))
    with pytest.raises(Conflict, match=r"merge\.none"):
        await citizens.part(Qid(one["qid"]), by="TRUC-BAN", now=world.now)
    with pytest.raises(Hidden, match=r"standing\.none"):
        await citizens.part(Qid("137905842617309423"), by="TRUC-BAN", now=world.now)
    await store.append(await citizens.part(Qid(other["qid"]), by="TRUC-BAN", now=world.now))
    first, second = await store.standing(Qid(one["qid"])), await store.standing(Qid(other["qid"]))
    assert first and second and before and first.also == () and second.into is None
    assert first.declaration == one["declaration"] != before.declaration
    assert (await world.check(qid=other["qid"])).json()["citizen"]["qid"] == other["qid"]
    assert (await store.rebuild_standing()).differing == ()
    with pytest.raises(Conflict, match=r"merge\.none"):
        await citizens.part(Qid(other["qid"]), by="TRUC-BAN", now=world.now)


async def test_who_was_confirmed_before_is_known_while_the_register_is_away(world: World) -> None:
    one = (await world.declare(world.person(0))).json()
    world.registry.outage = True
    world.now += A_MINUTE
    again = (await world.declare(world.person(0), health__contact=True)).json()
    assert (again["outcome"], again["qid"]) == ("accepted", one["qid"])
    assert await reasons(world, code=again["code"]) == ("manual", ["health.contact"])
    other = (await world.declare(world.person(0), name="Ai Đó Khác")).json()
    assert other["outcome"] == "pending" and other["qid"] != one["qid"]


async def test_who_types_somebodys_number_takes_nothing_from_them(world: World) -> None:
    """A stranger who knows number and birth date, with a name of their own, near the citizen's."""
    person = world.person(0)
    own = (await world.declare(person)).json()
    world.now += A_MINUTE
    slip = " ".join([*person.name.split(" ")[:-1], "Z" + person.name.split(" ")[-1][1:]])
    strange = (await world.declare(person, name=slip, health__contact=True)).json()
    assert strange["outcome"] == "repairable"
    assert await reasons(world, code=own["code"]) == ("accept", [])
    assert await reasons(world, qid=own["qid"]) == ("accept", [])
    assert await reasons(world, code=strange["code"]) == ("manual", ["identity.repairable", "health.contact"])


async def test_a_child_without_a_number_is_a_citizen_of_their_own(world: World) -> None:
    guardian = world.person(0)
    child = {"name": "Nguyễn Bé Na", "birth_date": "2025-02-03", "sex": "female", "document": {"kind": "none"}}
    platform = await world.platform()

    async def declare(n: int = 0, **changes: Any) -> dict[str, Any]:
        body = {**world.declaration(world.person(n)), **child, "guardian": by(world.person(n).documents[0]), **changes}
        answer: dict[str, Any] = (await world.send(platform, body)).json()
        return answer

    sent = await declare()
    assert sent["outcome"] == "unidentified" and sent["code"]
    assert await reasons(world, code=sent["code"]) == ("manual", ["identity.unidentified"])
    assert (await declare())["qid"] == sent["qid"], "the same child again"
    assert (await declare(name="Nguyễn Bé Nu"))["qid"] != sent["qid"], "their twin"
    assert (await declare(1))["qid"] != sent["qid"], "the child of somebody else"
    assert sent["qid"] != (await world.declare(guardian)).json()["qid"]
    alone = [await declare(guardian=None) for _ in range(2)]
    assert len({one["qid"] for one in alone}) == 2, "nobody knows whether they are the same"


async def test_a_child_in_the_register_is_found_through_its_guardian(world: World) -> None:
    population = world.registry.population
    child = next(one for one in map(population.person, range(3_000)) if one.guardian is not None)
    guardian = {"kind": "cccd", "number": child.guardian}
    body = {**world.declaration(child), "document": {"kind": "none"}, "guardian": guardian}
    sent = (await world.send(await world.platform(), body)).json()
    assert sent["outcome"] == "accepted"
    assert (await world.declare(child)).json()["qid"] == sent["qid"], "by its own number it is the same citizen"
    other = {**body, "name": "Nguyễn Bé Na"}
    assert (await world.send(await world.platform(), other)).json()["outcome"] == "unidentified"


async def test_who_is_known_by_year_only_is_compared_by_year(world: World) -> None:
    elder = next(one for one in map(world.registry.population.person, range(3_000)) if one.record.year_only)
    year = elder.birth_date.year
    assert (await world.declare(elder, birth_date=str(year))).json()["outcome"] == "accepted"
    assert (await world.declare(elder, birth_date=f"{year}-07-09")).json()["outcome"] == "accepted"
    young = next(one for one in map(world.person, range(100)) if one.birth_date.strftime("%d%m") != "0101")
    sent = (await world.declare(young, birth_date=str(young.birth_date.year))).json()
    assert sent["outcome"] == "repairable", "a year alone is in the number already and proves little"


# -- no oracle ---------------------------------------------------------------------------------------------------------


async def test_after_five_mistakes_in_a_day_a_person_has_to_look(world: World) -> None:
    person = world.person(0)
    for n in range(5):
        sent = await world.declare(person, birth_date=f"{person.birth_date.year}-01-{n + 1:02d}")
        assert sent.status_code == 201
    right = await world.declare(person)
    assert (right.status_code, right.json()["code"]) == (409, "identity.too_many_tries")
    assert (await world.declare(world.person(1))).status_code == 201, "others are not held up"
    world.now += dt.timedelta(days=1)
    assert (await world.declare(person)).json()["outcome"] == "accepted"


async def test_many_tries_at_once_are_told_no_more_than_one_after_the_other(world: World) -> None:
    person, year = world.person(0), world.person(0).birth_date.year
    days = [dt.date(year, 1, 1) + dt.timedelta(days=n) for n in range(60)]
    tried = [day for day in days if day != person.birth_date]
    platforms = [await world.platform(name) for name in PLATFORMS]
    sent = await asyncio.gather(
        *[world.declare(person, platforms[n % 4], birth_date=day.isoformat()) for n, day in enumerate(tried)]
    )
    assert sorted(answer.status_code for answer in sent) == [201] * 5 + [409] * (len(tried) - 5)


async def test_an_unknown_number_has_as_many_tries_as_a_known_one(world: World) -> None:
    """Or the number of tries would say who exists."""
    person = world.person(0)
    known, year = person.documents[0].number, person.birth_date.year
    unknown = next(
        number
        for n in range(1_000_000)
        if not world.registry.population.find(Document("cccd", number := f"{known[:6]}{n:06d}"))
    )
    days = [f"{year}-{person.birth_date.month % 12 + 1:02d}-{day:02d}" for day in range(1, 8)]
    answers = [
        [await world.declare(person, document__number=number, birth_date=day) for day in days]
        for number in (known, unknown)
    ]
    told = [[(one.status_code, one.json().get("outcome"), one.json().get("code")) for one in each] for each in answers]
    assert told[0] == told[1] == [(201, "refused", None)] * 5 + [(409, None, "identity.too_many_tries")] * 2


async def test_an_address_that_makes_mistake_after_mistake_is_heard_later(world: World) -> None:
    browser, refused = world.browser(), 0
    for n in range(61):
        person = world.person(n)
        page = await world.declare_on_page(browser, person, name="Ai Đó Khác")
        refused += page.status_code == 200
    assert refused == 60 and page.status_code == 429 and int(page.headers["retry-after"]) > 3_000
    world.now += dt.timedelta(hours=1)
    assert (await world.declare_on_page(browser, world.person(61))).status_code in (200, 303)


async def test_a_code_says_the_name_that_was_meant(world: World) -> None:
    person = next(one for one in map(world.person, range(500)) if one.name.startswith("Nguyễn Văn "))
    sent = (await world.declare(person, name=person.name.replace("Nguyễn Văn", "Nguyeenx Vawn"))).json()
    assert sent["outcome"] == "accepted"
    assert (await world.check(sent["code"])).json()["citizen"]["name"] == person.name


async def test_a_register_that_is_away_is_nobodys_mistake(world: World) -> None:
    world.registry.outage = True
    browser, platform = world.browser(), await world.platform()
    for n in range(70):
        assert (await world.declare_on_page(browser, world.person(n))).status_code == 303
    for n in range(510):
        assert (await world.declare(world.person(n), platform)).status_code == 201


async def test_where_a_citizen_is_found_is_spoken_in_groups(world: World) -> None:
    sent = (await world.declare(world.person(0))).json()
    assert await reasons(world, qid=group_qid(sent["qid"])) == ("accept", [])
