"""A checkpoint whose server is away: not known stays not known, and the code says by itself whom to expect."""

from pathlib import Path

import pytest
from playwright.sync_api import expect, sync_playwright

from tests.browser.city import PHONE, enter_shift, film, open_browser, picture_of, running_city
from tests.browser.test_whole_line import declare

pytestmark = pytest.mark.browser


def test_the_code_speaks_when_nobody_can_be_asked(tmp_path: Path) -> None:
    with running_city() as city, sync_playwright() as playwright:
        browser = open_browser(playwright)
        code = declare(browser.new_context(viewport=PHONE).new_page(), city, 5)
        browser.close()
        browser = open_browser(playwright, camera=film(picture_of(code), tmp_path / "camera.mjpeg"))
        try:
            page = browser.new_context(viewport=PHONE, permissions=["camera"]).new_page()
            complaints: list[str] = []
            page.on("pageerror", lambda error: complaints.append(str(error)))
            page.route("**/v1/checks", lambda route: route.abort())
            with page.expect_response("**/v1/trust-list") as listed:
                enter_shift(page, city, city.invite())
            assert listed.value.ok
            expect(page.locator("#word")).to_have_text("CHƯARÕ", timeout=20_000)
            page.click("#act")  # "try again": by now the list is kept
            expect(page.locator("#name")).to_have_text(city.person(5).name, timeout=10_000)
            expect(page.locator("#word")).to_have_text("CHƯARÕ")
            expect(page.locator("#reason")).to_contain_text("chữ ký đúng, hạn đến")
            assert complaints == []
        finally:
            browser.close()
