"""Policies as operators change them: the editor checks while they write; one writes, another approves; taken back."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from motma.wiring import build, utc_now
from tests.browser.city import DESKTOP, OPERATOR, PHONE, City, _run
from tests.core.policy_texts import SMALL, version

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def second_key(city: City) -> str:
    """The access key of another operator."""

    async def ask() -> str:
        async with build(city.settings) as built:
            return await built.house.enrol.appoint_operator("HAI", utc_now())

    key: str = _run(ask())
    return key


def sign_in(page: Page, city: City, name: str, key: str) -> Page:
    page.goto(f"{city.url}/ops/login")
    page.fill("[name='name']", name)
    page.fill("[name='key']", key)
    page.click("form[action='/ops/login'] button")
    page.wait_for_url("**/ops")
    return page


@pytest.fixture
def page(browser: Browser, city: City) -> Iterator[Page]:
    context = browser.new_context(viewport=DESKTOP)
    context.set_default_timeout(20_000)
    page = context.new_page()
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", lambda said: wrong.append(said.text) if "Content Security Policy" in said.text else None)
    yield sign_in(page, city, OPERATOR, city.key)
    assert wrong == []
    context.close()


def test_the_editor_says_what_is_wrong_while_somebody_writes(page: Page, city: City) -> None:
    page.goto(f"{city.url}/ops/policies/new")
    expect(page.locator("#findings .status.go")).to_be_visible()
    expect(page.locator(".pol-numbers span")).to_have_count(page.input_value("#text").count("\n") + 1)
    page.fill("#text", SMALL.replace("verdict: reject", "verdict: perhaps").replace("version: 1", "version: 0"))
    expect(page.locator(".pol-findings > li")).to_have_count(2)
    expect(page.locator(".pol-numbers .pol-stop")).to_have_text(["3", "10"])
    page.get_by_role("link", name="Dòng 10").click()
    chosen = page.evaluate(
        "() => { const a = document.getElementById('text'); return a.value.slice(a.selectionStart, a.selectionEnd); }"
    )
    assert chosen == "    verdict: perhaps" and page.evaluate("document.activeElement.id") == "text"
    page.keyboard.type("    verdict: manual")
    expect(page.locator(".pol-findings > li")).to_have_count(1)
    page.fill("#text", "id: [")
    expect(page.locator("#findings")).to_contain_text("YAML viết chưa đúng")
    page.fill("#text", SMALL)
    expect(page.locator("#findings .status.go")).to_contain_text("Không có lỗi")
    expect(page.locator(".pol-numbers .pol-stop")).to_have_count(0)
    page.context.set_offline(True)
    page.fill("#text", SMALL + "# more\n")
    expect(page.locator("#checking")).to_contain_text("Mất liên lạc")
    page.context.set_offline(False)
    page.fill("#text", SMALL)
    expect(page.locator("#checking")).to_be_empty()


def test_long_texts_scroll_with_their_numbers(page: Page, city: City) -> None:
    page.goto(f"{city.url}/ops/policies/new")
    page.fill("#text", SMALL + "# a remark\n" * 300 + "version: 2\n")
    expect(page.locator(".pol-findings a").first).to_have_text("Dòng 321")
    page.locator(".pol-findings a").first.click()
    tops = page.evaluate(
        "() => ['.pol-numbers', '#text'].map((one) => Math.round(document.querySelector(one).scrollTop))"
    )
    assert tops[0] == tops[1] > 3_000
    line = page.evaluate(
        """() => {
          const area = document.getElementById('text').getBoundingClientRect();
          const mark = document.querySelector('.pol-numbers .pol-stop').getBoundingClientRect();
          return mark.top > area.top && mark.bottom < area.bottom;
        }"""
    )
    assert line, "the number of the line that is meant can be seen"


@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_one_writes_another_approves_and_it_is_taken_back(
    browser: Browser, city: City, second_key: str, size: dict[str, int]
) -> None:
    n = 1 if size is PHONE else 2
    one = sign_in(browser.new_context(viewport=size).new_page(), city, OPERATOR, city.key)
    other = sign_in(browser.new_context(viewport=size).new_page(), city, "HAI", second_key)
    one.goto(f"{city.url}/ops/policies")
    one.get_by_role("link", name="Soạn chính sách mới").click()
    one.fill("#text", version(n))
    expect(one.locator("#findings .status.go")).to_contain_text("Không có lỗi")
    one.get_by_role("button", name="Lưu bản nháp").click()
    one.wait_for_url("**/ops/policies/pol_*")
    expect(one.locator(".notice")).to_contain_text("người trực ban khác phải duyệt")
    other.goto(f"{city.url}/ops")
    other.get_by_role("link", name="Duyệt 1 chính sách").click()
    other.get_by_role("link", name="Xem và duyệt night").click()
    expect(other.locator("h1")).to_contain_text(f"night {n}")
    other.get_by_role("button", name="Duyệt: cho hiệu lực").click()
    expect(other.locator(".pol-on")).to_have_text("đang hiệu lực")
    assert other.evaluate("document.documentElement.scrollWidth <= innerWidth"), "nothing runs out of the screen"
    one.goto(f"{city.url}/ops/policies")
    expect(one.locator("body")).to_contain_text(re.compile(r"Duyệt: HAI"))
    one.get_by_role("link", name="Quay lui night").click()
    one.get_by_role("button", name="Quay lui ngay").click()
    one.wait_for_url("**/ops/policies/of/night")
    expect(one.locator("body")).to_contain_text(re.compile(rf"Quay lui: {OPERATOR}"))
    for page in (one, other):
        page.context.close()


@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_what_ships_is_switched_on_as_it_is_and_off_again(
    browser: Browser, city: City, second_key: str, size: dict[str, int]
) -> None:
    one = sign_in(browser.new_context(viewport=size).new_page(), city, OPERATOR, city.key)
    other = sign_in(browser.new_context(viewport=size).new_page(), city, "HAI", second_key)
    one.goto(f"{city.url}/ops/policies")
    row = one.locator("li.ops-case", has_text="Luồng xanh cho xe chở hàng")
    row.get_by_text("Nói gì ở chốt").click()
    expect(row.locator(".pol-says")).to_contain_text("Xe có mã luồng xanh còn hiệu lực.")
    assert one.evaluate("document.documentElement.scrollWidth <= innerWidth"), "nothing runs out of the screen"
    row.get_by_role("link", name="Bật greenlane").click()
    expect(one.locator(".notice")).to_contain_text("bản đi kèm phần mềm")
    expect(one.locator("#findings .status.go")).to_contain_text("Không có lỗi")
    one.get_by_text("Luật đọc được gì").click()
    expect(one.locator(".pol-fields")).to_contain_text("vehicle.green_lane")
    assert one.evaluate("document.documentElement.scrollWidth <= innerWidth")
    one.get_by_role("button", name="Lưu bản nháp").click()
    one.wait_for_url("**/ops/policies/pol_*")
    other.goto(one.url)
    other.get_by_role("button", name="Duyệt: cho hiệu lực").click()
    expect(other.locator(".pol-on")).to_have_text("đang hiệu lực")
    one.goto(f"{city.url}/ops/policies")
    assert one.get_by_role("link", name="Bật greenlane").count() == 0
    one.get_by_role("link", name="Quay lui greenlane").click()
    one.get_by_role("button", name="Quay lui ngay").click()
    one.wait_for_url("**/ops/policies/of/greenlane")
    expect(one.locator("p.status").first).to_have_text("Có sẵn, chưa bật")
    for page in (one, other):
        page.context.close()


def test_without_a_script(browser: Browser, city: City) -> None:
    context = browser.new_context(viewport=PHONE, java_script_enabled=False)
    page = sign_in(context.new_page(), city, OPERATOR, city.key)
    page.goto(f"{city.url}/ops/policies/new?of=health")
    text = page.input_value("#text")
    page.fill("#text", text.replace("verdict: reject", "verdict: never", 1))
    page.get_by_role("button", name="Kiểm tra").click()
    expect(page.locator(".pol-findings > li")).to_have_count(1)
    assert "verdict: never" in page.input_value("#text")
    page.fill("#text", text.replace("verdict: reject", "verdict: manual"))
    page.get_by_role("button", name="Kiểm tra").click()
    expect(page.locator("#findings")).to_contain_text("Kết luận đổi")
    page.get_by_role("button", name="Lưu bản nháp").click()
    page.get_by_role("button", name="Bỏ bản này").click()
    expect(page.locator("h1")).to_have_text("Chính sách ở chốt")
    context.close()
