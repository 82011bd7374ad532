"""The code of 2021 on the holder's page: told first, shown when asked, to this browser alone, while it is good."""

import datetime as dt
import re
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
import zxingcpp
from PIL import Image, ImageDraw

from motma.core.facts import Fact, Revoked
from motma.core.ids import new_fact_id
from motma.core.legacy import read
from motma.core.legacy.reading import Anchors
from motma.core.text import fold
from motma.storage.store import Act
from tests.world import World, living_world


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with living_world(tmp_path) as world:
        yield world


def seen(page: str) -> list[str]:
    """What a scanner reads from the drawing on a page."""
    side, path = re.search(r'viewBox="0 0 (\d+) \d+".*?stroke="#000" d="([^"]+)"', page, re.DOTALL).groups()  # type: ignore[union-attr]
    picture = Image.new("L", (int(side) * 4, int(side) * 4), 255)
    pen = ImageDraw.Draw(picture)
    for x, y, length in re.findall(r"M(\d+) (\d+)\.5h(\d+)", path):
        left, top = int(x) * 4, int(y) * 4
        pen.rectangle((left, top, left + int(length) * 4 - 1, top + 3), fill=0)
    return [code.text for code in zxingcpp.read_barcodes(picture, text_mode=zxingcpp.TextMode.Plain)]


async def held(world: World, browser: httpx.AsyncClient) -> list[str]:
    wallet = world.built.house.wallet(browser.cookies["motma_wallet"])
    return [str(code.qid) for code in await world.built.house.wallets.held(wallet)]


async def ask(world: World, browser: httpx.AsyncClient, n: int = 1, qid: str | None = None) -> httpx.Response:
    """Confirm, as the form on the page does."""
    if qid is None:
        qid = (await held(world, browser))[n - 1]
    return await browser.post(f"/code/{n}/old", data={"qid": qid}, headers={"accept": "text/html"})


async def test_first_the_warning_then_the_code(world: World) -> None:
    browser, person = world.browser(), world.person(0)
    await world.declare_on_page(browser, person)
    number = person.documents[0].number
    warned = await browser.get("/code/1/old", headers={"accept": "text/html"})
    assert warned.status_code == 200 and warned.headers["cache-control"] == "no-store"
    assert 'class="qr"' not in warned.text and number not in warned.text
    assert "số giấy tờ" in warned.text and "không có chữ ký" in warned.text and 'method="post"' in warned.text
    shown = await ask(world, browser)
    assert shown.status_code == 200 and shown.headers["cache-control"] == "no-store"
    (qid,) = await held(world, browser)
    assert seen(shown.text) == [f"{number}|{fold(person.name)}|{person.birth_date}|0|{qid}|<0"]
    assert number not in shown.text, "in the drawing and nowhere else"
    reading = read(seen(shown.text)[0], Anchors(), world.now)
    assert (reading.kind, reading.problems) == ("national_v1_1", ())


async def test_in_both_languages(world: World) -> None:
    browser = world.browser()
    await world.declare_on_page(browser, world.person(0))
    page = (await browser.get("/code/1/old?lang=en", headers={"accept": "text/html"})).text
    assert "whole document number" in page and "unsigned" in page and 'lang="en"' in page


async def test_nobody_else_sees_it(world: World) -> None:
    citizen, neighbour, nobody = world.browser(), world.browser(), world.browser()
    await world.declare_on_page(citizen, world.person(0))
    await world.declare_on_page(neighbour, world.person(1))
    (mine,) = await held(world, citizen)
    for browser in (neighbour, nobody, await world.officer_at(), await world.operator()):
        for n in (1, 2, 0):
            got = await ask(world, browser, n, mine)
            assert got.status_code == 404 and "qr" not in got.text, n
    assert (await nobody.get("/code/1/old")).status_code == 404
    assert (await citizen.get("/code/2/old")).status_code == 404
    for path in ("/code/x/old", "/code/-1/old", f"/code/{10**40}/old"):
        assert (await citizen.get(path)).status_code == 404


async def test_who_declares_for_somebody_gets_what_they_typed_themselves(world: World) -> None:
    """Two documents of one citizen: a browser sees the number that it declared with, not the other door's."""
    citizen, helper, person = world.browser(), world.browser(), world.person(0)
    first, second = person.documents
    await world.declare_on_page(citizen, person)
    await world.declare_on_page(helper, person, document__kind=second.kind, document__number=second.number)
    assert await held(world, citizen) == await held(world, helper)
    assert seen((await ask(world, helper)).text)[0].startswith(second.number + "|")
    assert seen((await ask(world, citizen)).text)[0].startswith(first.number + "|")


async def test_the_form_says_whose_it_is(world: World) -> None:
    """Somebody was declared meanwhile and the numbers moved: never the code of another than the page warned of."""
    browser = world.browser()
    await world.declare_on_page(browser, world.person(0))
    (first,) = await held(world, browser)
    world.now += dt.timedelta(minutes=1)
    await world.declare_on_page(browser, world.person(1))
    assert (await ask(world, browser, 1, first)).status_code == 404
    assert seen((await ask(world, browser, 2, first)).text)[0].split("|")[4] == first
    for body in (b"", b"qid=", b"qid=1&qid=2", b"\xff\x00"):
        form = {"content-type": "application/x-www-form-urlencoded"}
        assert (await browser.post("/code/1/old", content=body, headers=form)).status_code in (400, 404)


async def test_not_when_it_has_expired(world: World) -> None:
    browser = world.browser()
    await world.declare_on_page(browser, world.person(0))
    world.now += dt.timedelta(hours=73)
    page = await browser.get("/code/1/old", headers={"accept": "text/html"})
    assert page.status_code == 200 and 'method="post"' not in page.text and 'href="/"' in page.text
    refused = await ask(world, browser)
    assert refused.status_code == 409 and 'class="qr"' not in refused.text


async def test_not_when_it_was_revoked(world: World) -> None:
    browser = world.browser()
    await world.declare_on_page(browser, world.person(0))
    (qid,) = await held(world, browser)
    fact = Fact(
        id=new_fact_id("rvk", world.now, bytes(10)), at=world.now, actor="test", qid=qid, what=Revoked(reason="test")
    )
    await world.built.store.append(Act(facts=(fact,)))
    world.forget()
    refused = await ask(world, browser)
    assert refused.status_code == 409 and 'class="qr"' not in refused.text
    wallet = world.built.house.wallet(browser.cookies["motma_wallet"])
    with pytest.raises(Exception, match=r"old_code\.spent"):
        await world.built.house.carriers.old_code(wallet, qid)
