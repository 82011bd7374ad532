"""The citizen's pages as a browser without JavaScript meets them: forms posted, pages read.

The service behind them is a double with the real form, units and roads; what it stores is a list.
"""

import datetime as dt
import gzip
import io
import re
from collections.abc import AsyncIterator, Mapping
from html.parser import HTMLParser
from types import SimpleNamespace

import httpx
import pytest
import zxingcpp
from litestar import Litestar
from litestar.exceptions import HTTPException
from PIL import Image

from motma.core.errors import Conflict, Hidden, MotmaError
from motma.core.form import Declaration, parse_declaration
from motma.core.identity import Grade, Match
from motma.core.ids import FactId, Qid
from motma.core.measure import Measure
from motma.core.words import Words
from motma.forms import load_form, load_units
from motma.roads import load_network
from motma.services.afterwards import outcome_of
from motma.services.declare import Receipt
from motma.services.tries import TooManyMistakes
from motma.services.wallet import HeldCode, Look
from motma.web import assets, citizens
from motma.web.gate import gate
from motma.web.problems import answer_error
from motma.web.qr import draw_svg

NOW = dt.datetime(2026, 8, 14, 7, 0, tzinfo=dt.UTC)
QID = Qid("162979388586171100")
CODE = "NCFOXN%TS3DH0YOJ58S S-W5HDC *M0II5XHC9B5G2+$N IOP-IA%NFQGRJPC%OQHIZC4.OI1RM8ZA" * 3
CODE_ID = FactId("cod_06abcdefghjkmnpqrstvwxyz01")
LONG_NAME = "Công Tằng Tôn Nữ Nguyễn Thị Phương Khánh Huyền"
MEASURE = Measure(
    id="test",
    title=Words("Khai báo khi qua chốt", "Declaration at checkpoints"),
    legal_basis=Words("Thông báo giả định", "Fictional notice"),
    disease=Words("Bệnh giả định", "Fictional disease"),
    areas=("79",),
    starts_at=NOW - dt.timedelta(days=1),
    ends_at=NOW + dt.timedelta(days=30),
    form="2026-1",
    pass_hours=72,
    pending_hours=24,
    keep_days=21,
)


class Double:
    """What the pages ask of the services, kept in lists."""

    form, units, network = load_form("2026-1"), load_units(), load_network()

    def __init__(self) -> None:
        self.measure_now: Measure | None = MEASURE
        self.match = Match(Grade.MATCHED)
        self.sent: list[Declaration] = []
        self.keys: list[str | None] = []
        self.wallets: dict[bytes, list[HeldCode]] = {}
        self.seen: list[Look] = []
        self.error: MotmaError | None = None

    async def measure(self, now: dt.datetime) -> Measure | None:
        return self.measure_now

    async def declare(
        self,
        raw: Mapping[str, object],
        *,
        source: str,
        now: dt.datetime,
        key: str | None = None,
        wallet: bytes | None = None,
        address: str = "",
    ) -> Receipt:
        declaration = parse_declaration(raw, self.form, self.units, frozenset(self.network.by_id), now)
        if self.error:
            raise self.error
        self.sent.append(declaration)
        self.keys.append(key)
        id = FactId("dcl_06abcdefghjkmnpqrstvwxyz01")
        if not self.match.travels:
            return Receipt(id, "refused", self.match)
        until = now + dt.timedelta(hours=41, minutes=10)
        held = HeldCode(QID, declaration.name, CODE, CODE_ID, now, until, self.match.grade, False, how=self.match.how)
        self.wallets.setdefault(wallet or b"", []).insert(0, held)
        return Receipt(id, outcome_of(self.match.grade), self.match, QID)

    async def held(self, wallet: bytes) -> list[HeldCode]:
        return self.wallets.get(wallet, [])

    async def looks(self, wallet: bytes, qid: Qid) -> list[Look]:
        if qid not in [code.qid for code in self.wallets.get(wallet, [])]:
            raise Hidden("code.hidden", Words("", ""))
        return self.seen


@pytest.fixture
def double() -> Double:
    return Double()


@pytest.fixture
async def browser(double: Double) -> AsyncIterator[httpx.AsyncClient]:
    tokens = iter(range(1000))
    app = Litestar(
        citizens.routes,
        exception_handlers={MotmaError: answer_error, HTTPException: answer_error},
        openapi_config=None,
        logging_config=None,
    )
    app.state.house = SimpleNamespace(
        declare=double,
        wallets=double,
        clock=lambda: NOW,
        new_token=lambda: f"token-for-tests-{next(tokens):04}",
        wallet=lambda token: token.encode(),
    )
    transport = httpx.ASGITransport(app=gate(app))
    async with httpx.AsyncClient(
        transport=transport, base_url="http://motma.test", headers={"accept": "text/html"}
    ) as client:
        yield client


class Form(HTMLParser):
    """The successful controls of the one form on a page, as a browser would post them, and all that may be chosen."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.data: dict[str, list[str]] = {}
        self.names: set[str] = set()
        self.ids: set[str] = set()
        self.buttons: set[str] = set()
        self.described: set[str] = set()
        self._select = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.ids.add(given.get("id", ""))
        self.described |= set(given.get("aria-describedby", "").split())
        if tag == "input":
            self.names.add(given["name"])
            if given.get("type") in ("radio", "checkbox") and "checked" not in given:
                return
            self.data.setdefault(given["name"], []).append(given.get("value", ""))
        elif tag == "select":
            self._select = given["name"]
            self.names.add(given["name"])
        elif tag == "option" and "selected" in given:
            self.data.setdefault(self._select, []).append(given["value"])
        elif tag == "button" and given.get("name") == "go":
            self.buttons.add(given["value"])


STEP_1 = {
    "document.kind": "cccd",
    "document.number": "999 187 012 345",
    "name": "Nguyễn Thị Minh",
    "birth_date.day": "18",
    "birth_date.month": "1",
    "birth_date.year": "1987",
    "sex": "female",
    "nationality": "VN",
    "phone": "090 123 45 67",
}
HCMC = next(iter(Double.units.communes_of("79")))
DONG_NAI = next(iter(Double.units.communes_of("75")))
STEP_2: dict[str, str | list[str]] = {
    "residence.province": "79",
    "residence.commune": HCMC,
    "residence.address": "12/3 đường Thử",
    "trip.origin.same": "yes",
    "trip.destination.province": "75",
    "trip.destination.commune": DONG_NAI,
    "trip.departs_at": "2026-08-15T06:30",
    "trip.vehicle": "motorbike",
    "trip.checkpoints": [point.id for point in Double.network.checkpoints[:2]],
}
STEP_3 = {f"health.symptoms.{symptom.id}": "no" for symptom in Double.form.symptoms} | {"health.contact": "no"}
CONSENTS = {"consents": [purpose.id for purpose in Double.form.purposes]}


async def press(
    browser: httpx.AsyncClient, page: httpx.Response, go: str, typed: Mapping[str, str | list[str]] | None = None
) -> httpx.Response:
    """Type into the form on ``page`` and press a button of it."""
    form = Form(page.text)
    assert go in form.buttons
    typed = typed or {}
    assert set(typed) <= form.names, "only what the page asks for can be typed"
    return await browser.post("/", data={**form.data, **typed, "go": go})


async def walk(browser: httpx.AsyncClient, steps: int) -> httpx.Response:
    """Fill in and leave the first ``steps`` steps."""
    page = await browser.get("/")
    for typed in (STEP_1, STEP_2, STEP_3)[:steps]:
        page = await press(browser, page, "next", typed)
        assert page.status_code == 200, page.text
    return page


def heading(page: httpx.Response) -> str:
    found = re.search(r"<h1[^>]*>(.*?)</h1>", page.text, re.DOTALL)
    assert found
    return found[1].strip()


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
        (Match(Grade.MISMATCHED, ("birth_date",)), "không đi với nhau"),
        (Match(Grade.UNKNOWN, ("document.number",)), "không đi với nhau"),
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


async def test_with_no_measure_nothing_is_asked(browser: httpx.AsyncClient, double: Double) -> None:
    double.measure_now = None
    page = await browser.get("/")
    assert page.status_code == 200 and "<form" not in page.text and "không lưu gì" in page.text
    assert (await browser.post("/", data={**STEP_1, "go": "next"})).status_code == 409
    assert double.sent == []


def hold(double: Double, name: str, grade: Grade = Grade.MATCHED, hours: int = 41, *, revoked: bool = False) -> None:
    until = NOW + dt.timedelta(hours=hours)
    double.wallets.setdefault(b"wallet-of-a-family", []).append(
        HeldCode(QID, name, CODE, CODE_ID, NOW, until, grade, revoked)
    )


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
