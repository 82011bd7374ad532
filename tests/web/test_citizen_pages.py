"""The citizen's pages as a browser without JavaScript meets them: forms posted, pages read.

The service behind them is a double with the real form, units and roads; what it stores is a list.
"""

import datetime as dt
import gzip
import io
import re

import httpx
import pytest
import zxingcpp
from PIL import Image

from motma.core.identity import Grade, Match
from motma.services.wallet import Look
from motma.web import assets
from motma.web.qr import draw_svg
from tests.web.citizen_pages import (
    CODE,
    CONSENTS,
    DONG_NAI,
    HCMC,
    LONG_NAME,
    NOW,
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


async def test_a_declaration_is_three_steps_a_check_and_one_code(browser: httpx.AsyncClient, double: Double) -> None:
    page = await walk(browser, 3)
    assert heading(page) == "Mọi thứ đã đúng chưa?"
    assert "12/3 đường Thử" in page.text and "06:30, 15/08/2026" in page.text
    page = await press(browser, page, "send", CONSENTS)
    assert (page.status_code, page.headers["location"]) == (303, "/code")
    sent = double.sent[0]
    assert sent.birth_date == dt.date(1987, 1, 18)
    assert sent.trip.origin.commune == sent.residence.commune == HCMC
    assert len(sent.trip.checkpoints) == 2 and sent.health == "clear"
    code = await browser.get("/code")
    assert "Còn 41 giờ" in code.text and "Đã đối soát khớp" in code.text and "Nguyễn Thị Minh" in code.text
    assert re.findall(r"<span>(\d{6})</span>", code.text) == ["162979", "388586", "171100"]


async def test_nothing_is_ticked_beforehand(browser: httpx.AsyncClient) -> None:
    for steps in range(4):
        page = await walk(browser, steps)
        own = {0: STEP_1, 1: STEP_2, 2: STEP_3, 3: CONSENTS}[steps]
        assert not {name for name in own if any(Form(page.text).data.get(name, []))}


async def test_each_step_says_what_to_mend_and_keeps_what_was_typed(browser: httpx.AsyncClient) -> None:
    page = await browser.get("/")
    page = await press(browser, page, "next", {**STEP_1, "birth_date.year": "1988", "phone": ""})
    assert page.status_code == 422 and heading(page) == "Bạn là ai?"
    assert "Ngày sinh không khớp với số CCCD" in page.text
    form = Form(page.text)
    assert form.data["name"] == ["Nguyễn Thị Minh"] and form.data["birth_date.year"] == ["1988"]
    anchors = set(re.findall(r'<li><a href="#([^"]+)">', page.text))
    assert anchors == {"birth_date", "phone"} and anchors <= form.ids
    assert {"birth_date-error", "phone-error", "phone-hint"} <= form.described <= form.ids


async def test_a_kind_that_was_not_chosen_is_said_at_the_kind(browser: httpx.AsyncClient) -> None:
    page = await press(browser, await browser.get("/"), "next", {"document.number": "999187012345"})
    assert {"document-kind", "name"} <= set(re.findall(r'<li><a href="#([^"]+)">', page.text))
    assert "document-number-error" not in Form(page.text).ids


async def test_back_and_edit_lose_nothing(browser: httpx.AsyncClient) -> None:
    page = await walk(browser, 2)
    page = await press(browser, page, "back", {"health.contact": "yes"})
    assert Form(page.text).data["residence.address"] == ["12/3 đường Thử"]
    page = await press(browser, page, "back")
    assert Form(page.text).data["document.number"] == ["999 187 012 345"]
    page = await press(browser, await press(browser, page, "next"), "next")
    assert Form(page.text).data["health.contact"] == ["yes"]


async def test_after_an_edit_the_check_page_comes_next(browser: httpx.AsyncClient) -> None:
    page = await press(browser, await walk(browser, 3), "edit1")
    assert heading(page) == "Bạn là ai?"
    page = await press(browser, page, "next", {"phone": "0912 345 678"})
    assert heading(page) == "Mọi thứ đã đúng chưa?" and "0912 345 678" in page.text


async def test_without_script_a_button_brings_the_communes(browser: httpx.AsyncClient) -> None:
    page = await press(browser, await walk(browser, 1), "communes", {"residence.province": "75"})
    assert page.status_code == 200
    assert page.text.count(f'value="{DONG_NAI}"') == 1
    listed = (await browser.get("/units/75.json")).json()
    assert listed == Double.units.communes_of("75")
    assert (await browser.get("/units/00.json")).status_code == 404


async def test_a_commune_of_another_province_is_not_taken(browser: httpx.AsyncClient) -> None:
    page = await press(browser, await walk(browser, 1), "next", {**STEP_2, "residence.commune": DONG_NAI})
    assert page.status_code == 422 and "residence-commune-error" in Form(page.text).ids


async def test_the_language_changes_in_place(browser: httpx.AsyncClient) -> None:
    page = await walk(browser, 1)
    data = Form(page.text).data | {"residence.address": ["12/3 đường Thử"], "go": ["stay"]}
    page = await browser.post("/?lang=en", data=data)
    assert heading(page) == "Where do you live, where are you going?"
    assert Form(page.text).data["residence.address"] == ["12/3 đường Thử"]
    assert Form(page.text).data["name"] == ["Nguyễn Thị Minh"]


async def test_without_consent_nothing_is_sent(browser: httpx.AsyncClient, double: Double) -> None:
    page = await press(browser, await walk(browser, 3), "send", {"consents": "code"})
    assert page.status_code == 422 and double.sent == []
    assert {"consents-identity", "consents-health"} <= set(re.findall(r'<li><a href="#([^"]+)">', page.text))


async def test_sending_checks_every_step_again(browser: httpx.AsyncClient, double: Double) -> None:
    page = await walk(browser, 3)
    page = await browser.post("/", data=Form(page.text).data | {"document.number": ["1"], "go": ["send"], **CONSENTS})
    assert page.status_code == 422 and heading(page) == "Bạn là ai?" and double.sent == []
    assert Form(page.text).data["consents"] == CONSENTS["consents"]


async def test_what_does_not_belong_to_the_form_is_not_echoed(browser: httpx.AsyncClient) -> None:
    page = await browser.post(
        "/", data={"go": "communes", "step": "2", "evil": "<b>evil</b>", "name": '"><script>x</script>'}
    )
    assert "evil" not in page.text and "<script>x" not in page.text
    assert "&#34;&gt;&lt;script&gt;" in page.text
    for junk in ("", "9" * 5000, "-1", "²"):
        assert (await browser.post("/", data={"step": junk, "go": "back"})).status_code == 200


async def test_a_double_tap_is_one_declaration(browser: httpx.AsyncClient, double: Double) -> None:
    page = await walk(browser, 3)
    assert browser.cookies.get("motma_wallet"), "the wallet is there before anything is sent"
    await press(browser, page, "send", CONSENTS)
    await press(browser, page, "send", CONSENTS)
    assert double.keys[0] and double.keys[0] == double.keys[1]


@pytest.mark.parametrize(
    ("match", "says"),
    [
        (Match(Grade.MISMATCHED, ("birth_date",)), "không khớp nhau"),
        (Match(Grade.UNKNOWN, ("document.number",)), "không khớp nhau"),
        (Match(Grade.MISMATCHED, ("name",), "a new way"), "từng chữ"),
    ],
)
async def test_a_refusal_says_where_and_keeps_everything(
    browser: httpx.AsyncClient, double: Double, match: Match, says: str
) -> None:
    double.match = match
    page = await press(browser, await walk(browser, 3), "send", CONSENTS)
    assert page.status_code == 200 and says in page.text and "cán bộ" in page.text
    page = await press(browser, page, "edit1")
    assert Form(page.text).data["name"] == ["Nguyễn Thị Minh"]
    page = await press(browser, page, "next", {"name": "Nguyễn Thị Mính"})
    assert heading(page) == "Mọi thứ đã đúng chưa?"


async def test_with_no_measure_nothing_is_asked(browser: httpx.AsyncClient, double: Double) -> None:
    double.measure_now = None
    page = await browser.get("/")
    assert page.status_code == 200 and "<form" not in page.text and "không lưu gì" in page.text
    assert (await browser.post("/", data={**STEP_1, "go": "next"})).status_code == 409
    assert double.sent == []


async def test_a_family_switches_between_its_codes(browser: httpx.AsyncClient, double: Double) -> None:
    browser.cookies["motma_wallet"] = "wallet-of-a-family"
    hold(double, "Nguyễn Thị Minh")
    hold(double, LONG_NAME, Grade.PENDING)
    hold(double, "Lê Văn Ự", hours=-1)
    assert 'href="/code?n=3"' in (await browser.get("/code")).text
    second = (await browser.get("/code?n=2")).text
    assert f"{LONG_NAME}</p>" in second and "Đang chờ đối soát" in second and "/code/2.png" in second
    third = (await browser.get("/code?n=3")).text
    assert "Đã hết hạn" in third and "Khai lại" in third
    assert "Nguyễn Thị Minh</p>" in (await browser.get("/code?n=99")).text


async def test_the_picture_holds_the_code(browser: httpx.AsyncClient, double: Double) -> None:
    browser.cookies["motma_wallet"] = "wallet-of-a-family"
    hold(double, LONG_NAME)
    answer = await browser.get("/code/1.png")
    assert answer.headers["content-type"] == "image/png" and answer.headers["cache-control"] == "no-store"
    found = zxingcpp.read_barcode(Image.open(io.BytesIO(answer.content)))
    assert found is not None and found.text == CODE


def test_the_drawing_on_the_page_is_the_same_code() -> None:
    svg = str(draw_svg(CODE, "162979 388586 171100"))
    side = int(svg.split('viewBox="0 0 ')[1].split()[0])
    picture = Image.new("L", (side, side), 255)
    for left, top, width in re.findall(r"M(\d+) (\d+)\.5h(\d+)", svg):
        for x in range(int(left), int(left) + int(width)):
            picture.putpixel((x, int(top)), 0)
    assert picture.getbbox() == (0, 0, side, side)
    assert all(picture.getpixel((x, y)) == 255 for x in range(side) for y in range(4)), "the quiet zone"
    found = zxingcpp.read_barcode(picture.resize((side * 4, side * 4), Image.Resampling.NEAREST))
    assert found is not None and found.text == CODE


async def test_another_browser_sees_no_code(browser: httpx.AsyncClient, double: Double) -> None:
    hold(double, "Nguyễn Thị Minh")
    assert "chưa giữ mã nào" in (await browser.get("/code")).text
    for path in ("/code/1.png", "/code/1/looks", "/code/0.png", "/code/x.png", "/code/1.svg", "/code/²"):
        answer = await browser.get(path)
        assert answer.status_code == 404 and "Nguyễn Thị Minh" not in answer.text


async def test_the_citizen_reads_who_looked(browser: httpx.AsyncClient, double: Double) -> None:
    browser.cookies["motma_wallet"] = "wallet-of-a-family"
    hold(double, "Nguyễn Thị Minh")
    assert "Chưa ai quét mã này" in (await browser.get("/code/1/looks")).text
    checkpoint = double.network.checkpoints[0]
    double.seen = [Look(NOW - dt.timedelta(hours=1), checkpoint.id, checkpoint.name, "refer")]
    page = (await browser.get("/code/1/looks")).text
    assert checkpoint.name.vi in page and "13:00 hôm nay" in page and "Chuyển sang chốt kế tiếp" in page


async def test_pages_keep_the_house_rules(browser: httpx.AsyncClient, double: Double) -> None:
    """No inline script or style, nothing from elsewhere, and always the word that this is no official service."""
    pages = [await walk(browser, steps) for steps in range(4)]
    browser.cookies["motma_wallet"] = "wallet-of-a-family"
    hold(double, "Nguyễn Thị Minh")
    pages += [await browser.get(path) for path in ("/code", "/code/1/looks", "/code/9/looks")]
    double.measure_now = None
    pages.append(await browser.get("/"))
    for page in pages:
        assert not re.search(r"<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)", page.text)
        assert not re.search(r'(?:src|href|action)="(?!/|\?|#)', page.text)
        assert "không phải dịch vụ của cơ quan nhà nước" in page.text
        assert page.text.count("<h1") == 1


async def test_the_declaration_weighs_less_than_60_kilobytes(browser: httpx.AsyncClient) -> None:
    asset = assets.assets("web/static")
    fonts = [body for name, body in asset.items() if "-400-" in name]
    if not fonts:
        pytest.skip("the front-end parts were not built")
    parts = [asset[name] for name in ("motma.css", "declare.js", "icons/icons.svg", "icons/icon.svg", "icons/down.svg")]
    carried = sum(len(part.squeezed or part.body) for part in [*fonts, *parts])
    for steps in range(4):
        page = await walk(browser, steps)
        assert carried + len(gzip.compress(page.content)) < 60_000 - 4_000  # headers of eight answers
