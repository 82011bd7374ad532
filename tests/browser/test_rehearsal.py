"""An operator rehearses a draft on the page, with script and without, on a phone and on a desk."""

import asyncio
import json
import threading

import pytest
from playwright.sync_api import Browser, Page, expect

from motma.storage.store import Act
from motma.wiring import build, utc_now
from tests.browser.city import DESKTOP, OPERATOR, PHONE, City
from tests.recorded import NO_TRUCKS, some_scans

pytestmark = pytest.mark.browser
DRAFT = json.dumps(NO_TRUCKS, ensure_ascii=False, indent=2)


def record(city: City, count: int) -> None:
    """So many scans of the last hours, beside the running server."""

    async def append() -> None:
        async with build(city.settings) as built:
            facts = some_scans(count, utc_now())
            for start in range(0, count, 1_000):
                await built.store.append(Act(facts=tuple(facts[start : start + 1_000])))

    thread = threading.Thread(target=lambda: asyncio.run(append()))
    thread.start()
    thread.join()


def signed_in(
    browser: Browser, city: City, *, script: bool = True, size: dict[str, int] = DESKTOP, lang: str = "en"
) -> Page:
    page = browser.new_context(viewport=size, java_script_enabled=script).new_page()
    page.goto(f"{city.url}/ops/login?lang={lang}")
    page.fill("[name='name']", OPERATOR)
    page.fill("[name='key']", city.key)
    page.click("form[action='/ops/login'] button")
    page.wait_for_url("**/ops")
    return page


def begin(page: Page, city: City, draft: str = "trucks") -> None:
    page.goto(f"{city.url}/ops/policies/{draft}/replay")
    page.fill("#text", DRAFT)
    page.click("form[action$='/replay'] button.primary")


def test_the_bar_moves_and_the_result_comes_by_itself(city: City, browser: Browser) -> None:
    record(city, 12_000)
    page = signed_in(browser, city)
    problems: list[str] = []
    page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: problems.append(str(error)))
    begin(page, city)
    expect(page.locator("#came")).to_contain_text("scans change side", timeout=60_000)
    text = page.locator("main").inner_text()
    assert "Lorries go before six in the morning only" in text and "Today" not in text
    page.locator("details summary").first.click()
    card = page.locator(".rehearsal-examples li").first
    assert {"Truck", "Vehicle"} <= set(card.inner_text().split("\n")) and "CB-01" not in page.content()
    assert problems == []


def test_without_script_it_comes_by_reloading(city: City, browser: Browser) -> None:
    record(city, 2_000)
    page = signed_in(browser, city, script=False, size=PHONE)
    begin(page, city, "by-hand")
    assert page.locator("noscript meta[http-equiv='refresh']").count() or page.locator("#came").count()
    expect(page.locator("#came")).to_contain_text("scans change side", timeout=60_000)  # nobody pressed anything


def test_it_is_stopped(city: City, browser: Browser) -> None:
    record(city, 30_000)
    page, other = signed_in(browser, city), signed_in(browser, city)
    begin(page, city, "stopped")
    expect(page.locator("progress")).to_be_visible()
    begin(other, city, "second")
    expect(other.locator("[role='alert']")).to_contain_text("Another draft is being rehearsed")
    assert other.locator("#text").input_value() == DRAFT, "what was typed stays"
    page.click("form[action$='/stop'] button")
    expect(page.locator(".notice.check")).to_contain_text("Stopped after")
    begin(other, city, "second")
    expect(other.locator("#came")).to_contain_text("scans change side", timeout=60_000)


@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_nothing_is_wider_than_the_screen(city: City, browser: Browser, size: dict[str, int]) -> None:
    record(city, 500)
    page = signed_in(browser, city, size=size, lang="vi")
    begin(page, city, "wide")
    expect(page.locator("#came")).to_contain_text("lượt quét đổi kết quả", timeout=60_000)
    for summary in page.locator("details summary").all():
        summary.click()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
