"""What a browser is shown of a citizen: its own declaration and what became of that, whoever else declared them."""

import datetime as dt
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from motma.core.ids import Qid
from motma.services.wallet import HeldCode
from tests.world import World, living_world

A_MINUTE = dt.timedelta(minutes=1)


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with living_world(tmp_path) as world:
        yield world


async def held(world: World, browser: httpx.AsyncClient) -> list[HeldCode]:
    house = world.built.house
    return await house.wallets.held(house.wallet(browser.cookies["motma_wallet"]))


async def test_a_stranger_sees_the_grade_of_what_they_sent_and_no_withdrawal(world: World) -> None:
    """Who knows somebody's number and birth date learns neither that they are known nor that they were revoked."""
    person = next(one for one in map(world.person, range(60)) if len(one.name.split(" ")) >= 3)
    words = person.name.split(" ")
    citizen, stranger = world.browser(), world.browser()
    await world.declare_on_page(citizen, person)
    world.now += A_MINUTE
    await world.declare_on_page(stranger, person, name=" ".join([words[0], *words[2:]]))
    [mine], [theirs] = await held(world, citizen), await held(world, stranger)
    assert (str(mine.grade), str(theirs.grade), theirs.how) == ("matched", "repairable", "word")
    await world.built.house.status.revoke(Qid(mine.qid), "Thử", by="test", now=world.now)
    [mine], [theirs] = await held(world, citizen), await held(world, stranger)
    assert (mine.revoked, theirs.revoked) == (True, False)
    assert (await world.check(code=theirs.code)).json()["outcome"] == "reject", "the checkpoint is told all the same"


async def test_what_the_register_finds_out_late_is_shown_to_who_declared_it(world: World) -> None:
    browser, person = world.browser(), world.person(0)
    world.registry.outage = True
    await world.declare_on_page(browser, person)
    [before] = await held(world, browser)
    world.registry.outage = False
    world.now += A_MINUTE
    await world.work()
    [after] = await held(world, browser)
    assert (str(before.grade), str(after.grade)) == ("pending", "matched")
    assert after.qid == before.qid and after.code != before.code and after.valid_until > before.valid_until


async def test_after_a_merge_the_browser_holds_the_number_that_counts(world: World) -> None:
    """Its page, who looked, a key of its own, paper and the old kind: all follow."""
    person, browser = world.person(0), world.browser()
    first = (await world.declare(person)).json()
    world.registry.outage = True
    world.now += A_MINUTE
    fields = {"document__kind": "cmnd", "document__number": person.documents[1].number}
    await world.declare_on_page(browser, person, **fields)
    [before] = await held(world, browser)
    await world.check(code=before.code)
    world.registry.outage = False
    world.now += A_MINUTE
    await world.work()
    [after] = await held(world, browser)
    assert (after.qid, str(after.grade)) == (first["qid"], "matched") and before.qid != after.qid
    house = world.built.house
    wallet = house.wallet(browser.cookies["motma_wallet"])
    looks = await house.wallets.looks(wallet, after.qid)
    assert [look.outcome for look in looks] == ["manual"], "the look at the code it held before the merge"
    assert await house.wallets.looks(wallet, before.qid) == looks
    assert (await world.check(code=await house.carriers.on_paper(after.code_id, world.now))).json()[
        "outcome"
    ] == "accept"
    assert first["qid"] in await house.carriers.old_code(wallet, after.qid)
    for path in ("/code", "/code/1.png", "/code/1/looks", "/code/1/paper", "/code/1/live"):
        assert (await browser.get(path)).status_code == 200, path


async def test_of_the_same_citizen_declared_twice_the_newest_is_shown(world: World) -> None:
    browser, person = world.browser(), world.person(0)
    await world.declare_on_page(browser, person)
    world.now += A_MINUTE
    await world.declare_on_page(browser, person, health__contact="yes")
    [only] = await held(world, browser)
    assert only.valid_from == world.now
