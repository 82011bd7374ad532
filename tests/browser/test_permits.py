"""Permits as an operator gives them: a table looked at before it is written, one by hand, one taken back."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from motma.register.population import Person
from tests.browser.city import DESKTOP, OPERATOR, PHONE, City

pytestmark = pytest.mark.browser

HEADER = "Họ tên;CCCD;Ngày sinh;Nhóm;Khu vực;Từ ngày;Đến ngày;Nơi ký"


def at_the_desk(browser: Browser, city: City, viewport: dict[str, int] = DESKTOP) -> Page:
    page = browser.new_context(viewport=viewport, accept_downloads=True).new_page()  # type: ignore[arg-type]
    page.goto(f"{city.url}/ops/login")
    page.fill("[name='name']", OPERATOR)
    page.fill("[name='key']", city.key)
    page.click("form[action='/ops/login'] button")
    page.goto(f"{city.url}/ops/permits")
    return page


def grown_up(city: City, n: int) -> Person:
    """The ``n``-th with a card."""
    people = (city.person(index) for index in range(2_000))
    return [one for one in people if one.documents[0].kind == "cccd" and not one.year_only][n]


def row(person: Person, group: str = "1A", name: str = "") -> str:
    born = f"{person.birth_date:%d/%m/%Y}"
    number = person.documents[0].number
    return f"{name or person.name};{number};{born};{group};Quận 3, Gò Vấp;01/01/2026;31/12/2026;Công an quận 3"


def fits(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth <= innerWidth"))


@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_a_table_is_looked_at_and_then_written(
    browser: Browser, city: City, tmp_path: Path, viewport: dict[str, int]
) -> None:
    start = 0 if viewport == DESKTOP else 10
    people = [grown_up(city, start + n) for n in range(4)]
    rows = [row(people[0]), row(people[1], "9Z"), row(people[2], name=people[3].name), row(people[3], "5")]
    file = tmp_path / "danh-sach.csv"
    file.write_text("\n".join([HEADER, *rows]), encoding="utf-8-sig")
    page = at_the_desk(browser, city, viewport)
    page.click("text=Nhập từ bảng")
    assert fits(page)
    with page.expect_download() as download:
        page.click("a[href$='.xlsx']")
    assert download.value.suggested_filename == "motma-permits.xlsx"
    page.set_input_files("[name='file']", file)
    page.click("button.primary")
    expect(page.locator("h1")).to_have_text("Xem trước")
    expect(page.locator(".permit-counts")).to_contain_text("2 cần sửa")
    lines = page.locator(".permit-lines tbody tr")
    expect(lines.nth(0)).to_contain_text("Không có nhóm này")
    expect(lines.nth(1)).to_contain_text("không phải của cùng một người")
    assert fits(page) and people[0].name not in page.content()
    page.click("text=Cấp 2 giấy")
    expect(page.locator("h1")).to_have_text("Đã nhập")
    expect(page.locator(".permit-counts")).to_contain_text("2 đã cấp")
    page.reload()  # sends it once more, as an impatient hand does
    expect(page.locator(".permit-counts")).to_contain_text("2 đã cấp từ trước")
    page.locator(".permit-lines a").first.click()
    expect(page.locator(".facts")).to_contain_text(people[0].name)
    assert fits(page)


def test_one_by_hand_found_and_taken_back(browser: Browser, city: City) -> None:
    person = grown_up(city, 30)
    page = at_the_desk(browser, city, PHONE)
    page.click("text=Cấp một giấy")
    expect(page.locator("#plate")).to_be_hidden()
    assert page.locator(":checked:not(option)").count() == 0, "nothing is ticked beforehand"
    page.select_option("#group", "LX")
    expect(page.locator("#plate")).to_be_visible()
    expect(page.locator("#document")).to_be_hidden()
    page.fill("#plate", "51C-123.45")  # and then another group: what is hidden does no harm
    page.select_option("#group", "3A")
    page.fill("#document", person.documents[0].number)
    page.fill("#name", person.name)
    page.fill("#birth_date", f"{person.birth_date:%d/%m/%Y}")
    page.check("[name='scope'][value='some']")
    page.check("[name='areas'][value='quan-3']")
    page.check("[name='areas'][value='thu-duc']")
    page.fill("#from", "2026-01-01")
    page.fill("#until", "2026-12-31")
    page.check("[name='signed_by'][value='ward']")
    assert fits(page)
    page.click("button.primary")
    expect(page.locator("#signed_area-wrong")).to_be_visible()
    expect(page.locator("#name")).to_have_value(person.name)
    page.check("[name='signed_by'][value='district']")
    page.click("button.primary")
    page.wait_for_url("**/ops/permits/one/prm_*")
    expect(page.locator(".qr")).to_be_visible()
    assert fits(page)
    page.goto(f"{city.url}/ops/permits")
    page.fill("#sought", person.documents[0].number)
    page.click(".permit-find button")
    assert person.documents[0].number not in page.url
    page.locator(".ops-case a").click()
    page.fill("#reason", "Là F0, phải cách ly")
    page.click("#revoke button")
    assert page.evaluate("!document.querySelector('[name=sure]').checkValidity()"), "it asks to be sure"
    page.check("[name='sure']")
    page.click("#revoke button")
    expect(page.locator("main")).to_contain_text("Đã thu hồi")
    expect(page.locator("#revoke")).to_have_count(0)
