"""The citizen's pages on a double of the service: what a browser types and presses."""

import datetime as dt
import re
from collections.abc import Mapping
from html.parser import HTMLParser

import httpx

from motma.core.errors import Hidden, MotmaError
from motma.core.form import Declaration, parse_declaration
from motma.core.identity import Grade, Match
from motma.core.ids import FactId, Qid
from motma.core.measure import Measure
from motma.core.words import Words
from motma.forms import load_form, load_units
from motma.roads import load_network
from motma.services.afterwards import outcome_of
from motma.services.declare import Receipt
from motma.services.wallet import HeldCode, Look

NOW = dt.datetime(2026, 8, 14, 7, 0, tzinfo=dt.UTC)
QID = Qid("162979388586171100")
CODE = "NCFOXN%TS3DH0YOJ58S S-W5HDC *M0II5XHC9B5G2+$N IOP-IA%NFQGRJPC%OQHIZC4.OI1RM8ZA" * 3
CODE_ID = FactId("cod_06abcdefghjkmnpqrstvwxyz01")
DECLARATION = FactId("dcl_06abcdefghjkmnpqrstvwxyz01")
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
        id = DECLARATION
        if not self.match.travels:
            return Receipt(id, "refused", self.match)
        until = now + dt.timedelta(hours=41, minutes=10)
        held = HeldCode(
            QID, declaration.name, CODE, CODE_ID, DECLARATION, now, until, self.match.grade, False, how=self.match.how
        )
        self.wallets.setdefault(wallet or b"", []).insert(0, held)
        return Receipt(id, outcome_of(self.match.grade), self.match, QID)

    async def held(self, wallet: bytes) -> list[HeldCode]:
        return self.wallets.get(wallet, [])

    async def looks(self, wallet: bytes, qid: Qid) -> list[Look]:
        if qid not in [code.qid for code in self.wallets.get(wallet, [])]:
            raise Hidden("code.hidden", Words("", ""))
        return self.seen


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


def hold(double: Double, name: str, grade: Grade = Grade.MATCHED, hours: int = 41, *, revoked: bool = False) -> None:
    until = NOW + dt.timedelta(hours=hours)
    double.wallets.setdefault(b"wallet-of-a-family", []).append(
        HeldCode(QID, name, CODE, CODE_ID, DECLARATION, NOW, until, grade, revoked)
    )
