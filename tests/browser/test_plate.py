"""Somebody without a phone: the officer types the plate, picks the person, and gets a verdict."""

import re

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.city import PHONE, City, enter_shift, fill_declaration

pytestmark = pytest.mark.browser


def open_plate(page: Page) -> None:
    page.click("#open-pad")
    page.click("#open-plate")
    expect(page.locator("#plate")).to_be_focused()


def test_by_the_plate(browser: Browser, city: City) -> None:
    person = city.person(1)
    citizen = browser.new_context(viewport=PHONE).new_page()
    fill_declaration(citizen, city, person)
    for box in citizen.locator("input[name='consents']").all():
        box.check()
    citizen.click("button.primary[value='send']")
    citizen.wait_for_url("**/code")

    page = browser.new_context(viewport=PHONE).new_page()
    enter_shift(page, city, city.invite())
    open_plate(page)
    page.fill("#plate", "59x3 12345")
    page.click("#plate-form [type='submit']")
    found = page.locator("#plate-people .person")
    expect(found).to_have_count(1)
    expect(found).to_contain_text(person.name)
    expect(found).to_contain_text(person.documents[0].last_four)
    page.screenshot(path=".cache/plate.png")
    found.click()
    expect(page.locator("#verdict")).to_be_visible()
    assert re.sub(r"\s+", " ", page.locator("#word").inner_text()) == "ĐƯỢC QUA"

    page.click("#act")
    page.wait_for_timeout(500)  # a second tap right after "next" is taken for a slip
    open_plate(page)
    expect(page.locator("#plate-people .person")).to_have_count(0)
    page.fill("#plate", "xe máy")
    page.click("#plate-form [type='submit']")
    expect(page.locator("#plate-hint")).to_contain_text("Biển số chưa đúng")
    page.fill("#plate", "30A 999.99")
    page.click("#plate-form [type='submit']")
    expect(page.locator("#plate-hint")).to_contain_text("Không có tờ khai")
