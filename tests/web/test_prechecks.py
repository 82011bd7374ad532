"""The page of the way ahead: what it says in both languages, that it needs no script, whose it is."""

import datetime as dt
import re
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from motma.services.precheck import PRECHECKS
from tests.world import HERE, NEXT, World, living_world

PAGE = "/code/1/ahead"


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with living_world(tmp_path) as world:
        yield world


@pytest.fixture
async def browser(world: World) -> httpx.AsyncClient:
    browser = world.browser()
    assert (await world.declare_on_page(browser, world.person(0))).status_code == 303
    return browser


def text_of(page: httpx.Response) -> str:
    """What is read of a page's content, its blanks evened out."""
    main = page.text[page.text.index("<main") : page.text.index("</main>")]
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", main)).replace(" .", ".").replace(" ,", ",")


async def test_the_code_page_leads_there_and_back(world: World, browser: httpx.AsyncClient) -> None:
    assert f'href="{PAGE}"' in (await browser.get("/code")).text
    page = await browser.get(PAGE)
    assert page.status_code == 200 and page.headers["cache-control"] == "no-store"
    assert 'href="/code?n=1"' in page.text and page.text.count("<h1") == 1
    world.now += dt.timedelta(hours=73)
    assert f'href="{PAGE}"' not in (await browser.get("/code")).text


async def test_what_it_says(world: World, browser: httpx.AsyncClient) -> None:
    said = text_of(await browser.get(PAGE))
    assert world.person(0).name in said and "Các chốt bạn đã khai, lúc 15:00 hôm nay" in said
    assert "Được qua Cầu Vĩnh Bình Nếu đi ngay cũng vậy." in said
    said = text_of(await browser.get(f"{PAGE}?lang=en"))
    assert "The checkpoints you declared, at 15:00 today" in said and "You may pass Vĩnh Bình bridge" in said


async def test_two_times_two_answers(world: World, browser: httpx.AsyncClient) -> None:
    said = text_of(await browser.get(f"{PAGE}?asked=1&at=2026-01-22T08:00&checkpoint={HERE}"))
    assert "Các chốt bạn chọn, lúc 08:00, 22/01" in said
    assert "Chưa qua được Cầu Vĩnh Bình Cán bộ sẽ thấy: Tờ khai đã hết hạn. Khai lại trên trang Một Mã" in said
    assert "Nếu đi ngay: được qua" in said


async def test_checkpoints_that_say_the_same_stand_together_and_the_worst_first(
    world: World, browser: httpx.AsyncClient
) -> None:
    await world.divert(HERE, NEXT)
    world.forget()
    page = await browser.get(f"{PAGE}?asked=1")
    said = text_of(page)
    assert page.text.count("<section") == 2 and "Tất cả các chốt" in said
    assert said.index("Sang chốt khác Cầu Vĩnh Bình") < said.index("Được qua 36 chốt")
    assert "Đi tiếp đến Đinh Bộ Lĩnh, chừng 4,6 km." in said
    assert "about 4.6 km." in text_of(await browser.get(f"{PAGE}?asked=1&lang=en"))


async def test_the_form_keeps_what_was_chosen(world: World, browser: httpx.AsyncClient) -> None:
    page = await browser.get(f"{PAGE}?asked=1&at=2026-01-19T05:30&checkpoint={HERE}&checkpoint={NEXT}")
    assert 'value="2026-01-19T05:30"' in page.text and page.text.count(" checked>") == 2
    other = re.search(r'href="(\?[^"]*lang=en)"', page.text)
    assert other
    page = await browser.get(f"{PAGE}{other[1].replace('&amp;', '&')}")
    assert 'value="2026-01-19T05:30"' in page.text and page.text.count(" checked>") == 2
    assert "at 05:30, 19/01" in text_of(page)
    assert not re.search(r"<style|\sstyle=|\son\w+=|<script", page.text), "it works without a script"


@pytest.mark.parametrize("at", ["yesterday", "2026-13-01T00:00", "2030-01-01T08:00", "' onfocus=alert(1) x='"])
async def test_a_time_that_is_none_is_said_beside_the_field(world: World, browser: httpx.AsyncClient, at: str) -> None:
    page = await browser.get(PAGE, params={"at": at})
    assert page.status_code == 422 and 'aria-invalid="true" aria-describedby="at-error"' in page.text
    assert "Được qua" in text_of(page) and "onfocus=alert(1) x='" not in page.text.replace("&#39;", "")
    assert (await browser.get(f"{PAGE}?at=")).status_code == 200


async def test_a_checkpoint_that_is_none(world: World, browser: httpx.AsyncClient) -> None:
    page = await browser.get(f"{PAGE}?asked=1&checkpoint=nowhere", headers={"accept": "text/html"})
    assert page.status_code == 422 and "Có chốt không có trong danh sách" in page.text


async def test_it_is_for_the_browser_that_holds_the_code(world: World, browser: httpx.AsyncClient) -> None:
    for who, path in ((world.browser(), PAGE), (browser, "/code/2/ahead"), (browser, "/code/0/ahead")):
        assert (await who.get(path)).status_code == 404
    before = world.rows()
    await browser.get(PAGE)
    assert world.rows() == before


async def test_so_often_and_no_oftener(world: World, browser: httpx.AsyncClient) -> None:
    for _ in range(PRECHECKS):
        assert (await browser.get(PAGE)).status_code == 200
    page = await browser.get(PAGE, headers={"accept": "text/html"})
    assert page.status_code == 429 and "retry-after" in page.headers and "Đợi vài phút" in page.text


async def test_names_are_said_and_not_obeyed(world: World) -> None:
    """Whatever stands in a declaration is text on the page."""
    browser = world.browser()
    await world.declare_on_page(browser, world.person(1), document__kind="none", document__number="")
    assert "<script" not in (await browser.get(PAGE)).text
