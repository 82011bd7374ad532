"""Codes signed anew: everybody in force gets one, the number stays, and the old one still finds its citizen."""

import datetime as dt
from pathlib import Path

from motma.core.claims import Carrier
from motma.core.code import verify_code
from motma.core.facts import Issued
from motma.core.ids import Qid
from tests.world import World, living_world


async def reissued(world: World, signed_by: str = "") -> tuple[int, int]:
    last = (0, 0)
    async for so_far in world.built.reissue.all(world.now, signed_by=signed_by):
        last = so_far
    return last


async def kid(world: World) -> str:
    signing = (await world.built.board.trust(world.now)).signing("code")
    assert signing
    return signing.added.kid


async def test_everybody_in_force_and_nobody_else(world: World) -> None:
    kept = (await world.declare(world.person(0))).json()
    revoked = (await world.declare(world.person(1))).json()
    await world.built.house.status.revoke(Qid(revoked["qid"]), "lost", by="test", now=world.now)
    assert await reissued(world) == (2, 1)
    issued = await world.built.store.facts_about(Qid(kept["qid"]), kinds=["code.issued"])
    old, new = (fact.what for fact in issued)
    assert isinstance(old, Issued) and isinstance(new, Issued)
    assert new.reissue and new.valid_until == old.valid_until and new.status_index != old.status_index
    fact = await world.built.store.fact(issued[1].id)
    assert fact and fact.personal
    text = fact.personal.decode().split('"code":"')[1].split('"')[0]
    claims = verify_code(text, await world.built.board.keyring(world.now)).claims
    assert (claims.qid, claims.name, claims.matched) == (kept["qid"], world.person(0).name, True)
    answer = (await world.check(code=kept["code"])).json()
    assert (answer["outcome"], [why["code"] for why in answer["reasons"]]) == ("accept", ["code.newer_exists"])
    assert (await world.check(code=text)).json()["reasons"] == []
    assert (await world.built.store.rebuild_standing()).differing == ()


async def test_expired_ones_are_left(world: World) -> None:
    await world.declare(world.person(0))
    world.now += dt.timedelta(hours=73)
    assert await reissued(world) == (1, 0)


async def test_after_a_key_is_revoked_its_codes_are_signed_anew_and_a_second_run_finds_none(tmp_path: Path) -> None:
    async with living_world(tmp_path) as world:
        sent = (await world.declare(world.person(0))).json()
        old = await kid(world)
        await world.built.house.trust.revoke(old, "stolen", now=world.now)
        refused = (await world.check(code=sent["code"])).json()
        assert (refused["outcome"], refused["reasons"][0]["code"]) == ("manual", "code.revoked_key")
        assert await reissued(world, old) == (1, 1)
        assert await reissued(world, old) == (1, 0)
        standing = await world.built.store.standing(Qid(sent["qid"]))
        assert standing and standing.code
        fact = await world.built.store.fact(standing.code)
        assert fact and isinstance(fact.what, Issued) and fact.what.key == await kid(world) != old


async def test_on_paper_it_says_so_and_is_the_same_code(world: World) -> None:
    sent = (await world.declare(world.person(0))).json()
    standing = await world.built.store.standing(Qid(sent["qid"]))
    assert standing and standing.code
    carriers = world.built.house.carriers
    text = await carriers.on_paper(standing.code, world.now)
    again = await world.built.store.standing(Qid(sent["qid"]))
    assert again and again.code
    assert await carriers.on_paper(again.code, world.now) == await carriers.on_paper(standing.code, world.now) == text
    claims = verify_code(text, await world.built.board.keyring(world.now)).claims
    assert (claims.carrier, claims.qid, claims.holder_key) == (Carrier.PAPER, sent["qid"], None)
    for code in (text, sent["code"]):  # neither is newer than the other
        assert (await world.check(code=code)).json()["reasons"] == []


async def test_the_page_goes_on_showing_the_code_for_screens(world: World) -> None:
    browser = world.browser()
    await world.declare_on_page(browser, world.person(0))
    shown = (await browser.get("/code/1.png")).content
    assert (await browser.get("/code/1/paper")).status_code == 200
    assert (await browser.get("/code/1.png")).content == shown


async def test_what_is_suspended_is_not_printed_and_says_so(world: World) -> None:
    browser = world.browser()
    await world.declare_on_page(browser, world.person(0))
    assert (await browser.get("/code/1/paper")).status_code == 200
    [standing] = await world.built.store.standings(Qid(""), 2)
    await world.built.house.status.suspend(standing.qid, "looked into", by="test", now=world.now)
    assert "Đang tạm ngưng" in (await browser.get("/code")).text
    printed = await browser.get("/code/1/paper", headers={"accept": "application/json"})
    assert (printed.status_code, printed.json()["code"]) == (409, "paper.suspended")
