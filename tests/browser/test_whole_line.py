"""The whole line in a real browser: declare → code → camera → green; a tampered one → red; the operator sees both."""

import io
from pathlib import Path

import pytest
import zxingcpp
from PIL import Image
from playwright.sync_api import Browser, Page, Playwright, expect

from tests.browser.city import (
    CHECKPOINT,
    DESKTOP,
    OPERATOR,
    PHONE,
    City,
    enter_shift,
    fill_declaration,
    film,
    open_browser,
    picture_of,
    tamper,
)

pytestmark = pytest.mark.browser


def declare(page: Page, city: City, index: int, **answers: tuple[str, ...]) -> str:
    """Declare and return the text of the code, read from the picture that the citizen saves."""
    fill_declaration(page, city, city.person(index), **answers)
    for consent in page.locator("input[name='consents']").all():
        consent.check()
    page.click("button.primary[value='send']")
    page.wait_for_url("**/code")
    saved = page.request.get(f"{city.url}/code/1.png")
    assert saved.ok
    found = zxingcpp.read_barcode(Image.open(io.BytesIO(saved.body())))
    assert found is not None
    return str(found.text)


def see(playwright: Playwright, city: City, tmp_path: Path, code: str, *, link: str) -> str:
    """What an officer's screen says when ``code`` is held before the camera."""
    browser = open_browser(playwright, camera=film(picture_of(code), tmp_path / "camera.mjpeg"))
    try:
        context = browser.new_context(viewport=PHONE, permissions=["camera"])
        page = context.new_page()
        complaints: list[str] = []
        page.on("pageerror", lambda error: complaints.append(str(error)))
        enter_shift(page, city, link)
        start = page.locator("#camera-start")
        if start.is_visible():
            start.click()
        expect(page.locator("#verdict")).to_be_visible(timeout=20_000)
        word = " ".join(page.locator("#word").inner_text().split())
        assert not complaints
        return word
    finally:
        browser.close()


def test_declare_scan_and_watch(playwright: Playwright, browser: Browser, city: City, tmp_path: Path) -> None:
    operator = browser.new_context(viewport=DESKTOP).new_page()
    operator.goto(f"{city.url}/ops")
    operator.fill("[name='name']", OPERATOR)
    operator.fill("[name='key']", city.key)
    operator.click("form[action='/ops/login'] button")
    operator.wait_for_url("**/ops")

    code = declare(browser.new_context(viewport=PHONE).new_page(), city, 1)
    assert "ĐƯỢC QUA" in see(playwright, city, tmp_path, code, link=city.invite())
    assert "KHÔNG QUA" in see(playwright, city, tmp_path, tamper(code), link=city.invite())

    row = operator.locator(f"#cp-{CHECKPOINT}")
    expect(row.locator("td.ops-go")).to_have_text("1", timeout=10_000)  # over the live stream, no reload
    expect(row.locator("td.ops-stop")).to_have_text("1")


def test_declare_without_javascript(browser: Browser, city: City) -> None:
    context = browser.new_context(viewport=PHONE, java_script_enabled=False)
    page = context.new_page()
    code = declare(page, city, 2)
    assert len(code) > 200
    expect(page.locator(".qid")).to_be_visible()


def test_a_diversion_sends_the_next_one_on(
    playwright: Playwright, browser: Browser, city: City, tmp_path: Path
) -> None:
    code = declare(browser.new_context(viewport=PHONE).new_page(), city, 3)
    context = browser.new_context(viewport=DESKTOP)
    operator = context.new_page()
    operator.goto(f"{city.url}/ops/login")
    operator.fill("[name='name']", OPERATOR)
    operator.fill("[name='key']", city.key)
    operator.click("form[action='/ops/login'] button")
    operator.wait_for_url("**/ops")
    other = "i01-phan-dang-luu"
    opened = context.request.post(f"{city.url}/ops/diversions", form={"checkpoint": other, "to": "", "note": "ùn"})
    assert opened.ok
    assert "SANG CHỐT KẾ TIẾP" in see(playwright, city, tmp_path, code, link=city.invite(other))
    closed = context.request.post(f"{city.url}/ops/diversions/close", form={"checkpoint": other})
    assert closed.ok
    assert "ĐƯỢC QUA" in see(playwright, city, tmp_path, code, link=city.invite(other))


def test_nothing_on_any_page_comes_from_elsewhere(browser: Browser, city: City) -> None:
    context = browser.new_context(viewport=PHONE)
    page = context.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    for path in ("/", "/code", "/docs", "/docs/errors", "/ops/login", "/scan/enrol"):
        page.goto(city.url + path)
        page.wait_for_load_state("networkidle")
    assert [url for url in asked if not url.startswith((city.url, "data:", "blob:"))] == []
    assert complaints == []


def test_the_declaration_page_is_light(browser: Browser, city: City) -> None:
    """Under 60 KB over the wire in all: page, style, script, type."""
    page = browser.new_context(viewport=PHONE).new_page()
    client = page.context.new_cdp_session(page)
    client.send("Network.enable")
    carried: list[float] = []
    client.on("Network.loadingFinished", lambda event: carried.append(event["encodedDataLength"]))
    page.goto(city.url)
    page.wait_for_load_state("networkidle")
    page.wait_for_timeout(300)
    assert 5_000 < sum(carried) < 60_000
