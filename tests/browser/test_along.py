"""A paper shown along with the code: the officer is asked for one, scans it, and the person is checked anew."""

import json
import re
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Request, Route, expect

from tests.browser.city import PHONE, City, enter_shift
from tests.browser.test_repair import check, declare_with_a_slip, somebody, type_code, word
from tests.core.ministry import GOOD

pytestmark = pytest.mark.browser

ASKED = {
    "certificate": ("Cần chứng nhận tiêm chủng hoặc xét nghiệm.", "A vaccination or test certificate is needed."),
    "permit": ("Khu vực này cần giấy đi đường.", "A travel permit is needed in this area."),
}


def officer(browser: Browser, city: City, lang: str = "vi") -> Page:
    context: BrowserContext = browser.new_context(viewport=PHONE, locale=lang)
    page = context.new_page()
    enter_shift(page, city, city.invite())
    page.goto(f"{city.url}/scan?lang={lang}")
    return page


def asks_for(page: Page, paper: str, *, until: int = 10**6) -> list[dict[str, Any]]:
    """Let the server's answers ask for ``paper`` until ``until`` papers are shown; returns what is sent, as it is."""
    sent: list[dict[str, Any]] = []
    vi, en = ASKED[paper]

    def answer(route: Route, request: Request) -> None:
        ask = json.loads(request.post_data or "{}")
        sent.append(ask)
        response = route.fetch()
        body = response.json()
        if response.ok and len(ask.get("also", [])) < until:
            why = {
                "code": f"{paper}.none",
                "words": {"vi": vi, "en": en},
                "cure": {"vi": "Mời đưa giấy để quét.", "en": "Ask for the paper and scan it."},
            }
            body |= {"outcome": "manual", "known": True, "reasons": [why]}
        route.fulfill(response=response, json=body)

    page.route("**/v1/checks", answer)
    return sent


def qid_of(browser: Browser, city: City, n: int) -> str:
    _, qid = declare_with_a_slip(browser, city, somebody(city, n))
    return qid


def test_the_officer_scans_the_certificate_with_a_hand_scanner(browser: Browser, city: City) -> None:
    qid = qid_of(browser, city, 5)
    page = officer(browser, city)
    sent = asks_for(page, "certificate", until=1)
    check(page, qid)
    assert word(page) == "KIỂM TRA"
    expect(page.locator("#act")).to_have_text("Quét giấy chứng nhận")
    expect(page.locator("#next")).to_have_text("Người tiếp theo")
    page.click("#act")
    expect(page.locator("#verdict")).to_be_hidden()
    expect(page.locator("#message")).to_have_text("Quét mã trên giấy chứng nhận")
    expect(page.locator("#open-pad")).to_be_hidden()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    type_code(page, GOOD)
    expect(page.locator("#note")).to_contain_text("Tên hoặc ngày sinh khác người này.")
    first, second = sent
    assert (second["qid"], second["also"], second["scanned_at"]) == (qid, [GOOD], first["scanned_at"])
    assert second["id"] != first["id"]
    expect(page.locator("#act")).to_have_text("Đúng người")  # what is left is the slip in the name


def test_going_back_leaves_the_verdict_as_it_was(browser: Browser, city: City) -> None:
    qid = qid_of(browser, city, 6)
    page = officer(browser, city, "en")
    sent = asks_for(page, "permit")
    check(page, qid)
    expect(page.locator("#act")).to_have_text("Scan permit")
    for leave in (lambda: page.click("#leave-paper"), lambda: page.keyboard.press("Escape")):
        page.click("#act")
        expect(page.locator("#message")).to_have_text("Scan the code on the permit")
        page.click("#leave-paper")  # a double tap on the button that was there
        expect(page.locator("#verdict")).to_be_hidden()
        page.wait_for_timeout(450)
        leave()
        expect(page.locator("#verdict")).to_be_visible()
        expect(page.locator("#reason")).to_have_text(ASKED["permit"][1])
        expect(page.locator(".paper-tools")).to_be_hidden()
    assert len(sent) == 1
    page.click("#next")
    expect(page.locator("#open-pad")).to_be_visible()


def test_what_is_no_paper_is_said_and_the_next_one_may_do(browser: Browser, city: City) -> None:
    qid, other = qid_of(browser, city, 7), qid_of(browser, city, 8)
    page = officer(browser, city)
    sent = asks_for(page, "certificate")
    check(page, qid)
    page.click("#act")
    type_code(page, other)
    expect(page.locator("#message")).to_contain_text("Đó là mã Một Mã")
    old = f"{somebody(city, 8).documents[0].number}|X Y|1976-02-04|0|{other}|<1<00<0900000000"
    type_code(page, old)
    expect(page.locator("#message")).to_contain_text("Mã quét kèm không phải của người này")
    expect(page.locator("#verdict")).to_be_hidden()
    type_code(page, "https://example.org/not-a-paper")
    expect(page.locator("#note")).to_contain_text("Mã không rõ loại")
    expect(page.locator("#act")).to_have_text("Quét giấy chứng nhận")
    assert [ask.get("also") for ask in sent] == [None, [old], ["https://example.org/not-a-paper"]]
    page.click("#act")
    type_code(page, GOOD)
    expect(page.locator("#note")).to_contain_text("Chứng nhận tiêm chủng")
    assert sent[-1]["also"] == [GOOD], "the paper that was none is not sent again"


def test_the_network_gone_it_is_sent_again_whole(browser: Browser, city: City) -> None:
    qid = qid_of(browser, city, 9)
    page = officer(browser, city)
    sent = asks_for(page, "certificate")
    check(page, qid)
    page.click("#act")
    page.unroute("**/v1/checks")
    page.context.set_offline(True)
    type_code(page, GOOD)
    expect(page.locator("#act")).to_have_text("Thử lại")
    page.context.set_offline(False)
    sent = asks_for(page, "certificate")
    page.click("#act")
    expect(page.locator("#note")).to_contain_text("Chứng nhận tiêm chủng")
    assert [ask["also"] for ask in sent] == [[GOOD]]


def test_the_next_person_starts_without_papers(browser: Browser, city: City) -> None:
    qid, other = qid_of(browser, city, 10), qid_of(browser, city, 11)
    page = officer(browser, city)
    sent = asks_for(page, "certificate")
    check(page, qid)
    page.click("#act")
    type_code(page, GOOD)
    expect(page.locator("#note")).to_contain_text("Chứng nhận tiêm chủng")
    page.click("#next")
    page.wait_for_timeout(500)
    check(page, other)
    assert "also" not in sent[-1] and re.sub(r"\D", "", sent[-1]["qid"]) == other
    expect(page.locator("#note")).to_be_hidden()
