"""The code page in a real browser: a code that proves itself live, and what is left when the proof cannot be made."""

import datetime as dt
import io
import time

import pytest
import zxingcpp
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, Page, expect

from motma.wiring import utc_now
from tests.browser.city import PHONE, City, fill_declaration, running_city

pytestmark = pytest.mark.browser


def until(page: Page, expression: str) -> None:
    """Wait for an expression to become true. Playwright's own way polls with eval, which the page forbids."""
    ends = time.monotonic() + 30
    while not page.evaluate(expression):
        assert time.monotonic() < ends, expression
        page.wait_for_timeout(50)


def phone(browser: Browser, *, script: bool = True) -> BrowserContext:
    context = browser.new_context(viewport=PHONE, java_script_enabled=script)
    context.set_default_timeout(15_000)
    return context


def hold(context: BrowserContext, city: City, index: int) -> Page:
    """The code page of somebody who has just declared."""
    page = context.new_page()
    fill_declaration(page, city, city.person(index))
    for consent in page.locator("input[name='consents']").all():
        consent.check()
    page.click("button.primary[value='send']")
    page.wait_for_url("**/code")
    return page


def shown(page: Page) -> str:
    """What a scanner reads from the screen."""
    found = zxingcpp.read_barcode(Image.open(io.BytesIO(page.locator("#code .qr").screenshot())))
    assert found is not None
    return str(found.text)


def live(page: Page) -> str:
    """The same, once it is live."""
    expect(page.locator("#code .live")).to_be_visible()
    return shown(page)


def kept(page: Page) -> int:
    """How many code pages are there for when there is no signal."""
    count = page.evaluate("caches.open('motma-code-pages').then((cache) => cache.keys()).then((keys) => keys.length)")
    assert isinstance(count, int)
    return count


def test_live_now_stale_in_two_minutes(browser: Browser, city: City) -> None:
    context = phone(browser)
    page = hold(context, city, 21)
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    first = live(page)
    now = utc_now()
    assert city.judge(first, now).live == "live"
    screenshot = city.judge(first, now + dt.timedelta(minutes=2))
    assert (screenshot.live, screenshot.outcome, [why.code for why in screenshot.reasons]) == (
        "stale",
        "manual",
        ["proof.stale"],
    )
    saved = page.request.get(f"{city.url}/code/1.png").body()
    printed = zxingcpp.read_barcode(Image.open(io.BytesIO(saved)))
    assert printed is not None
    held = city.judge(printed.text, now + dt.timedelta(hours=20))
    assert (held.live, held.outcome, held.reasons) == ("static", "accept", ())
    drawn = page.locator("#code .qr").get_attribute("data-live")
    page.evaluate("{ const real = Date.now; Date.now = () => real() + 31_000; }")
    expect(page.locator("#code .qr")).not_to_have_attribute("data-live", str(drawn))
    renewed = shown(page)
    assert renewed != first and city.judge(renewed, now + dt.timedelta(seconds=31)).live == "live"
    assert complaints == []
    context.close()


def test_without_script_the_static_code_stays(browser: Browser, city: City) -> None:
    context = phone(browser, script=False)
    page = hold(context, city, 22)
    answer = city.judge(shown(page), utc_now())
    assert (answer.live, answer.outcome) == ("static", "accept")
    page.locator(".shared summary").click()
    page.click("#forget button")
    expect(page.locator("h1")).to_have_text("Máy này chưa giữ mã nào")
    context.close()


def test_a_lost_key_is_replaced_and_two_tabs_share_one(browser: Browser, city: City) -> None:
    context = phone(browser)
    page = hold(context, city, 23)
    live(page)
    bound = page.evaluate("document.getElementById('parts') && fetch('/code/1/live').then((r) => r.json())")["code"]
    other = context.new_page()
    other.goto(f"{city.url}/code")
    assert city.judge(live(other), utc_now()).live == "live"
    again = other.evaluate("fetch('/code/1/live').then((r) => r.json())")["code"]
    assert again == bound
    other.close()

    page.evaluate("new Promise((done) => indexedDB.deleteDatabase('motma-live').onsuccess = done)")
    context.route(
        "**/code/1/live", lambda route: route.abort() if route.request.method == "POST" else route.continue_()
    )
    page.reload()
    page.wait_for_timeout(700)
    expect(page.locator("#code .live")).to_be_hidden()
    assert city.judge(shown(page), utc_now()).live == "static"
    context.unroute("**/code/1/live")
    page.reload()
    assert city.judge(live(page), utc_now()).live == "live"
    context.close()


def test_a_phone_whose_clock_is_wrong_is_live_all_the_same(browser: Browser, city: City) -> None:
    context = phone(browser)
    context.add_init_script("{ const real = Date.now; Date.now = () => real() - 3 * 3600_000; }")
    page = hold(context, city, 24)
    assert city.judge(live(page), utc_now()).live == "live"
    context.route("**/code/1/live", lambda route: route.abort())  # what it learned once, it knows without signal
    page.reload()
    assert city.judge(live(page), utc_now()).live == "live"
    context.close()


def test_it_opens_without_signal_live_and_all(browser: Browser) -> None:
    context = phone(browser)
    with running_city() as city:
        page = hold(context, city, 25)
        live(page)
        until(page, "navigator.serviceWorker.controller !== null")
        until(page, "caches.has('motma-code-pages')")
        page.reload()
        live(page)
        name = page.locator(".holder-name").inner_text()
    page.goto(f"{city.url}/code")  # the server is gone
    expect(page.locator("#offline")).to_be_visible()
    assert "Đang ngoại tuyến; mã vẫn dùng được đến" in page.locator("#offline").inner_text()
    assert page.locator(".holder-name").inner_text() == name
    assert page.evaluate("getComputedStyle(document.querySelector('.button')).borderRadius") != "0px", "its style too"
    text = live(page)
    page.wait_for_timeout(1_100)
    assert len(text) > 400
    page.close()
    other = context.new_page()
    failed = []
    try:
        other.goto(f"{city.url}/code/1/looks")
    except Exception as error:
        failed.append(error)
    assert failed, "no other page is kept"
    context.close()


def test_removed_from_the_phone_nothing_is_left(browser: Browser, city: City) -> None:
    context = phone(browser)
    page = hold(context, city, 26)
    live(page)
    until(page, "caches.has('motma-code-pages')")
    other = context.new_page()
    other.goto(f"{city.url}/code")
    live(other)
    page.locator(".shared summary").click()
    page.click("#forget button")
    for tab in (page, other):
        expect(tab.locator("h1")).to_have_text("Máy này chưa giữ mã nào")
    assert context.cookies(city.url) == []
    assert page.evaluate("caches.keys()") == []
    assert page.evaluate("navigator.serviceWorker.getRegistrations().then((all) => all.length)") == 0
    left = "new Promise((done) => { indexedDB.open('motma-live').onsuccess = ({ target: { result: base } }) => {"
    left += " if (!base.objectStoreNames.length) return done(0);"
    left += " base.transaction('kept').objectStore('kept').count().onsuccess = (e) => done(e.target.result); } })"
    assert page.evaluate(left) == 0
    page.go_back()
    expect(page.locator(".holder-name")).to_have_count(0)
    context.close()


def test_removing_without_signal_says_what_is_left_to_do(browser: Browser, city: City) -> None:
    context = phone(browser)
    page = hold(context, city, 29)
    live(page)
    context.route("**/code/forget", lambda route: route.abort())
    page.locator(".shared summary").click()
    page.click("#forget button")
    expect(page.locator("#not-forgotten")).to_be_visible()
    expect(page.locator("#code")).to_be_hidden()
    assert page.evaluate("caches.keys()") == []
    context.close()


def test_over_it_says_so_by_itself(browser: Browser, city: City) -> None:
    context = phone(browser)
    page = hold(context, city, 30)
    live(page)
    context.route("**/code/1/live", lambda route: route.abort())
    page.evaluate("{ const real = Date.now; Date.now = () => real() + 73 * 3600_000; }")
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    expect(page.locator("#code")).to_have_class("code spent")
    assert "Đã hết hạn từ" in page.locator(".left").inner_text()
    expect(page.locator("#code .live")).to_be_hidden()
    expect(page.get_by_role("link", name="Khai lại", exact=True)).to_be_visible()
    expect(page.locator("#offline")).to_be_hidden()
    context.close()


def test_another_wallet_is_never_shown_the_kept_page(browser: Browser, city: City) -> None:
    context = phone(browser)
    page = hold(context, city, 27)
    live(page)
    until(page, "caches.has('motma-code-pages')")
    until(page, "navigator.serviceWorker.controller !== null")
    page.reload()
    assert kept(page) == 1
    context.clear_cookies()  # another person on the same phone
    page.reload()
    expect(page.locator("h1")).to_have_text("Máy này chưa giữ mã nào")
    until(page, "caches.has('motma-code-pages').then((is) => !is)")
    context.set_offline(True)
    with pytest.raises(Exception, match="ERR_"):
        page.goto(f"{city.url}/code")
    context.close()


def test_full_screen_shows_the_living_code(browser: Browser, city: City) -> None:
    context = phone(browser)
    page = hold(context, city, 28)
    live(page)
    page.click("#full")
    expect(page.locator("#whole .live")).to_be_visible()
    found = zxingcpp.read_barcode(Image.open(io.BytesIO(page.locator("#whole .qr").screenshot())))
    assert found is not None
    assert city.judge(found.text, utc_now()).live == "live"
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.locator("#code .qr[data-live]").count() == 0, "paper does not renew"
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    expect(page.locator("#code .qr[data-live]")).to_have_count(1)
    context.close()
