"""The way out, as people go it: a name to mend, an officer who mends it at the barrier, an operator who looks again."""

import json
import re

import msgspec
import pytest
from playwright.sync_api import Browser, Page, expect

from motma.register.population import Person
from tests.browser.city import DESKTOP, OPERATOR, PHONE, City, enter_shift, fill_declaration

pytestmark = pytest.mark.browser


def somebody(city: City, n: int = 0) -> Person:
    """A citizen with a card, and at least three words of name."""
    people = (city.person(index) for index in range(2_000))
    fitting = [one for one in people if one.documents[0].kind == "cccd" and len(one.name.split(" ")) >= 3]
    return fitting[n]


def with_a_slip(person: Person) -> Person:
    """The same, who leaves out the first word of the middle."""
    words = person.name.split(" ")
    return msgspec.structs.replace(person, name=" ".join([words[0], *words[2:]]))


def card(person: Person) -> str:
    """What the code on their card says."""
    sex = "Nam" if person.sex == "male" else "Nữ"
    number = person.documents[0].number
    return f"{number}||{person.name.upper()}|{person.birth_date:%d%m%Y}|{sex}|Ấp 11, tổ 5|01012021|MẸ CỦA AI"


def send(page: Page, city: City, person: Person) -> None:
    """Declare, up to what follows the sending."""
    fill_declaration(page, city, person)
    for box in page.locator("input[name='consents']").all():
        box.check()
    page.click("button.primary[value='send']")


def word(page: Page) -> str:
    return re.sub(r"\s+", " ", page.locator("#word").inner_text())


def type_code(page: Page, text: str) -> None:
    """As a hand scanner does."""
    page.evaluate(
        """text => {
          for (const key of [...text, "Enter"]) {
            for (const kind of ["keydown", "keyup"]) dispatchEvent(new KeyboardEvent(kind, { key, bubbles: true }));
          }
        }""",
        text,
    )


def check(page: Page, qid: str) -> None:
    page.click("#open-pad")
    page.fill("#digits", qid)
    page.click("#pad-form [type='submit']")
    expect(page.locator("#verdict")).to_be_visible()


def declare_with_a_slip(browser: Browser, city: City, person: Person) -> tuple[Page, str]:
    """(the citizen's page after sending, their number)."""
    page = browser.new_context(viewport=PHONE).new_page()
    send(page, city, with_a_slip(person))
    page.locator("text=Đã có mã, nhưng họ tên chưa khớp").wait_for()
    code = page.context.new_page()
    code.goto(f"{city.url}/code")
    qid = re.sub(r"\D", "", code.locator(".qid").inner_text())
    code.close()
    return page, qid


def test_the_citizen_mends_the_name_and_keeps_the_number(browser: Browser, city: City) -> None:
    person = somebody(city)
    page, qid = declare_with_a_slip(browser, city, person)
    page.click("button[value='edit1']")
    page.fill("[name='name']", person.name)
    page.click("button.primary[value='next']")
    page.click("button.primary[value='send']")
    page.wait_for_url("**/code")
    assert re.sub(r"\D", "", page.locator(".qid").inner_text()) == qid
    expect(page.locator(".standing")).to_contain_text("Đã đối soát khớp")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_the_officer_scans_the_card_and_the_verdict_turns_green(browser: Browser, city: City) -> None:
    person = somebody(city, 1)
    citizen, qid = declare_with_a_slip(browser, city, person)
    page = browser.new_context(viewport=PHONE).new_page()
    enter_shift(page, city, city.invite())
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "what is hidden must not widen the page"
    check(page, qid)
    assert word(page) == "KIỂM TRA"
    expect(page.locator("#act")).to_have_text("Đúng người")
    page.click("#act")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    sent = []
    page.on("request", lambda request: sent.append(request.post_data) if request.url.endswith("/v1/repairs") else None)
    page.click("#repair-scan")
    type_code(page, "KHÔNG PHẢI THẺ")
    expect(page.locator("#message")).to_contain_text("không phải mã trên thẻ")
    type_code(page, card(person))
    expect(page.locator("#repair")).to_be_visible()
    expect(page.locator("#repair-name")).to_have_value(person.name.upper())
    expect(page.locator("#repair-number")).to_have_value(person.documents[0].number)
    page.click("#repair-send")
    expect(page.locator("#repair-hint")).to_have_text("Chọn lý do.")
    page.select_option("#repair-reason", "typing")
    page.click("#repair-send")
    expect(page.locator("#repair")).to_be_hidden()
    expect(page.locator("#word")).to_contain_text("ĐƯỢC")
    expect(page.locator("#note")).to_contain_text("khớp dữ liệu dân cư")
    [asked] = [json.loads(one) for one in sent]
    assert "MẸ CỦA AI" not in asked["card"] and set(asked) == {"id", "scan", "reason", "card"}
    citizen.goto(f"{city.url}/code")
    expect(citizen.locator(".holder-name")).to_have_text(person.name.upper())
    assert re.sub(r"\D", "", citizen.locator(".qid").inner_text()) == qid


def test_typed_and_the_network_gone_it_is_kept_and_sent_once(browser: Browser, city: City) -> None:
    person = somebody(city, 2)
    _, qid = declare_with_a_slip(browser, city, person)
    context = browser.new_context(viewport=PHONE)
    page = context.new_page()
    enter_shift(page, city, city.invite())
    check(page, qid)
    page.click("#act")
    page.fill("#repair-name", person.name)
    page.select_option("#repair-reason", "tones")
    ids = []
    page.on("request", lambda request: ids.append(request.post_data) if request.url.endswith("/v1/repairs") else None)
    context.set_offline(True)
    page.click("#repair-send")
    expect(page.locator("#repair-hint")).to_contain_text("Mất mạng: chưa lưu gì")
    expect(page.locator("#repair-name")).to_have_value(person.name)
    context.set_offline(False)
    page.click("#repair-send")
    expect(page.locator("#word")).to_contain_text("ĐƯỢC")
    assert len({json.loads(one)["id"] for one in ids}) == 1


def test_somebody_elses_card_is_refused_in_words(browser: Browser, city: City) -> None:
    person, other = somebody(city, 3), somebody(city, 40)
    _, qid = declare_with_a_slip(browser, city, person)
    page = browser.new_context(viewport=PHONE, locale="en").new_page()
    enter_shift(page, city, city.invite())
    page.goto(f"{city.url}/scan?lang=en")
    check(page, qid)
    expect(page.locator("#act")).to_have_text("Right person")
    page.click("#act")
    page.click("#repair-scan")
    type_code(page, card(other))
    page.select_option("#repair-reason", "old_card")
    page.click("#repair-send")
    expect(page.locator("#repair-hint")).to_contain_text("another person's")
    page.keyboard.press("Escape")
    assert word(page) == "CHECK"


def test_the_operator_looks_again(browser: Browser, city: City) -> None:
    """Who has no number is vouched for, so that it is always looked at again."""
    person = somebody(city, 5)
    citizen = browser.new_context(viewport=PHONE).new_page()
    fill_declaration(citizen, city, person, kind="none")
    for box in citizen.locator("input[name='consents']").all():
        box.check()
    citizen.click("button.primary[value='send']")
    citizen.wait_for_url("**/code")
    qid = re.sub(r"\D", "", citizen.locator(".qid").inner_text())
    page = browser.new_context(viewport=PHONE).new_page()
    enter_shift(page, city, city.invite())
    check(page, qid)
    expect(page.locator("#about")).to_contain_text("không có số")
    page.click("#act")
    expect(page.locator("#repair-number")).to_be_hidden()
    page.select_option("#repair-reason", "no_number")
    page.click("#repair-send")
    expect(page.locator("#note")).to_contain_text("bạn xác nhận người này")

    desk = browser.new_context(viewport=DESKTOP).new_page()
    desk.goto(f"{city.url}/ops/login")
    desk.fill("[name='name']", OPERATOR)
    desk.fill("[name='key']", city.key)
    desk.click("form[action='/ops/login'] button")
    desk.click(".ops-to-review a")
    case = desk.locator(".ops-case", has_text=qid[-6:])
    expect(case).to_contain_text("Chỉ cán bộ xác nhận")
    assert person.name not in desk.content() and qid not in desk.content()
    case.locator("button[value='no']").click()
    expect(desk.locator(".ops-case", has_text=qid[-6:])).to_have_count(0)
    page.click("#act")
    page.wait_for_timeout(500)
    check(page, qid)
    assert word(page) == "KIỂM TRA"
    expect(page.locator("#reason")).to_contain_text("không khớp")
