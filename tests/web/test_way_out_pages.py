"""The way out, on the citizen's pages: a name to mend, too many tries, a child without a number, a year alone."""

import datetime as dt

import httpx
import pytest

from motma.core.errors import Conflict
from motma.core.identity import Grade, Match
from motma.core.words import Words
from motma.services.tries import TooManyMistakes
from tests.web.citizen_pages import (
    CONSENTS,
    LONG_NAME,
    STEP_1,
    STEP_2,
    STEP_3,
    Double,
    Form,
    heading,
    hold,
    press,
    walk,
)


async def test_a_name_to_mend_has_a_code_and_one_way_to_mend_it(browser: httpx.AsyncClient, double: Double) -> None:
    double.match = Match(Grade.REPAIRABLE, ("name",), "tones")
    page = await press(browser, await walk(browser, 3), "send", CONSENTS)
    assert page.status_code == 200 and "khác ở dấu" in page.text and 'href="/code"' in page.text
    assert "Mã dùng được ngay" in page.text and Form(page.text).buttons == {"edit1"}
    code = (await browser.get("/code")).text
    assert "khác ở dấu" in code and "Sửa tên: khai lại" in code and "cán bộ sẽ xem giấy tờ" in code
    page = await press(browser, page, "edit1")
    assert heading(page) == "Bạn là ai?" and Form(page.text).data["name"] == ["Nguyễn Thị Minh"]
    double.match = Match(Grade.MATCHED)
    page = await press(browser, page, "next", {"name": "Nguyễn Thị Mính"})
    page = await press(browser, page, "send")
    assert page.headers["location"] == "/code" and double.sent[-1].name == "Nguyễn Thị Mính"
    assert "Sửa tên" not in (await browser.get("/code")).text


async def test_too_often_wrong_says_what_to_do_and_keeps_everything(browser: httpx.AsyncClient, double: Double) -> None:
    last = await walk(browser, 3)
    tries = Conflict("identity.too_many_tries", Words("Quá nhiều lần hôm nay.", "Too often today."))
    for error, status, says in (
        (tries, 409, "khai lại từ ngày mai"),
        (TooManyMistakes(dt.timedelta(minutes=41)), 429, "Đợi 42 phút"),
    ):
        double.error = error
        page = await press(browser, last, "send", CONSENTS)
        assert (page.status_code, page.headers["motma-said"]) == (status, "1")
        assert says in page.text and error.words.vi in page.text and "chốt" in page.text
        assert ("retry-after" in page.headers) == (status == 429)
        assert Form((await press(browser, page, "edit1")).text).data["name"] == ["Nguyễn Thị Minh"]
    double.error = Conflict("idempotency.reused", Words("Khác", "Other"))
    page = await press(browser, last, "send", CONSENTS)
    assert page.status_code == 409 and "motma-said" not in page.headers


async def test_a_small_child_is_declared_by_its_guardian(browser: httpx.AsyncClient, double: Double) -> None:
    child = {**STEP_1, "document.kind": "none", "document.number": "", "birth_date.day": "", "birth_date.month": ""}
    child |= {"birth_date.year": "2024", "guardian.number": "999 187 012 345"}
    page = await press(browser, await browser.get("/"), "next", child)
    assert page.status_code == 422 and "guardian-kind-error" in Form(page.text).described
    page = await press(browser, page, "next", {"guardian.kind": "cccd"})
    assert page.status_code == 200
    page = await press(browser, await press(browser, page, "next", STEP_2), "next", STEP_3)
    assert "Không có số" in page.text and "2024 (chỉ biết năm)" in page.text and "999 187 012 345" in page.text
    await press(browser, page, "send", CONSENTS)
    sent = double.sent[0]
    assert sent.document.kind == "none" and sent.birth_date == dt.date(2024, 1, 1)
    assert sent.guardian and (sent.guardian.kind, sent.guardian.number) == ("cccd", "999187012345")


async def test_a_guardian_left_over_from_another_kind_is_not_sent(browser: httpx.AsyncClient, double: Double) -> None:
    page = await press(
        browser, await browser.get("/"), "next", {**STEP_1, "guardian.number": "x", "guardian.kind": "cccd"}
    )
    assert page.status_code == 200
    page = await press(browser, await press(browser, page, "next", STEP_2), "next", STEP_3)
    await press(browser, page, "send", CONSENTS)
    assert double.sent[0].guardian is None and double.sent[0].document.kind == "cccd"


async def test_half_a_birth_date_is_no_year(browser: httpx.AsyncClient) -> None:
    page = await press(browser, await browser.get("/"), "next", {**STEP_1, "birth_date.day": ""})
    assert page.status_code == 422 and "birth_date-error" in Form(page.text).described


async def test_an_unusual_number_warns_and_refuses_nothing(browser: httpx.AsyncClient, double: Double) -> None:
    page = await browser.get("/")
    for typed in ({**STEP_1, "document.number": "003187012345"}, STEP_2, STEP_3):
        page = await press(browser, page, "next", typed)
    assert heading(page) == "Mọi thứ đã đúng chưa?" and "không phải mã tỉnh thường gặp" in page.text
    await press(browser, page, "send", CONSENTS)
    assert len(double.sent) == 1
    assert "thường gặp" not in (await walk(browser, 3)).text


@pytest.mark.parametrize(
    ("grade", "says"),
    [
        (Grade.VOUCHED, "đã xem giấy tờ"),
        (Grade.UNIDENTIFIED, "không có số giấy tờ"),
        (Grade.MISMATCHED, "Không khớp dữ liệu dân cư"),
        (Grade.REPAIRABLE, "họ tên khác giấy tờ"),
    ],
)
async def test_the_code_page_says_what_the_code_is_worth(
    browser: httpx.AsyncClient, double: Double, grade: Grade, says: str
) -> None:
    browser.cookies["motma_wallet"] = "wallet-of-a-family"
    hold(double, LONG_NAME, grade)
    assert says in (await browser.get("/code")).text
