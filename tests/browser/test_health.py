"""Health staff follow up a case on a phone: nothing is filled in, mistakes are said at their field, files come down."""

import datetime as dt
import os
from dataclasses import dataclass

import pytest
from msgspec.structs import replace
from playwright.sync_api import Browser, Page, expect

from motma.core.facts import Fact, HealthReported, Scanned
from motma.core.ids import new_fact_id, new_qid
from motma.storage.store import Act
from motma.wiring import build, utc_now
from tests.browser.city import CHECKPOINT, PHONE, City, _run

pytestmark = pytest.mark.browser


@dataclass(frozen=True, slots=True)
class Case:
    """The key of CDC-01, a case's number, and the names of those it met, the strongest first."""

    key: str
    qid: str
    met: tuple[str, ...]


def a_case(city: City, first: int = 100) -> Case:
    """Five people declared; three passed with the case, one shared its vehicle, one was reported and never declared."""

    async def make() -> Case:
        async with build(city.settings) as built:
            now, declare = utc_now(), built.house.declare
            people = [one for one in map(city.person, range(first, first + 40)) if one.documents[0].kind == "cccd"][:5]
            qids = []
            for n, person in enumerate(people):
                home = {"province": person.residence.province, "commune": person.residence.commune}
                raw = {
                    "name": person.name,
                    "birth_date": person.birth_date.isoformat(),
                    "sex": person.sex,
                    "nationality": person.nationality,
                    "document": {"kind": "cccd", "number": person.documents[0].number},
                    "phone": person.phone,
                    "residence": {**home, "address": "Ấp 1"},
                    "trip": {
                        "origin": home,
                        "destination": home,
                        "vehicle": "car",
                        "plate": "51A12345" if n in (0, 1, 4) else "",
                        "departs_at": (now + dt.timedelta(minutes=40 * n)).isoformat(),
                    },
                    "health": {"symptoms": {one.id: False for one in declare.form.symptoms}, "contact": False},
                    "consents": [purpose.id for purpose in declare.form.purposes],
                }
                receipt = await declare.declare(raw, source="page", now=now)
                assert receipt.qid, receipt
                qids.append(receipt.qid)
            stood = zip((0, 1, 2, 3), (0, 1, -7, 12), ("accept", "accept", "reject", "manual"), strict=True)
            facts = [_passed(qids[n], now - dt.timedelta(minutes=30 - late), outcome) for n, late, outcome in stood]
            facts.append(_passed(None, now - dt.timedelta(minutes=29), "manual"))
            never = new_qid(os.urandom(8))
            for qid, event, case in ((qids[0], "case", None), (never, "contact", qids[0])):
                what = HealthReported(event, "BLUEZONE", now - dt.timedelta(hours=1), None, "BZ-2026-0117", case)  # type: ignore[arg-type]
                id = new_fact_id("hev", now, os.urandom(10))
                facts.append(Fact(id=id, at=now, actor="BLUEZONE", qid=qid, what=what))
            await built.store.append(Act(tuple(facts)))
            key = await built.house.enrol.appoint_health_staff("CDC-01", now)
            return Case(key, qids[0], tuple(people[n].name for n in (1, 4, 2, 3)))

    case: Case = _run(make())
    return case


def _passed(qid: str | None, at: dt.datetime, outcome: str) -> Fact:
    what = Scanned("dev", "CB-01", "code", "", outcome, (), True, "", at, 0.0)
    fact = Fact(id=new_fact_id("scn", at, os.urandom(10)), at=at, actor="CB-01", checkpoint=CHECKPOINT, what=what)
    return replace(fact, qid=qid)


def sign_in_health(page: Page, city: City, key: str) -> None:
    page.goto(f"{city.url}/health")
    page.fill("[name='name']", "CDC-01")
    page.fill("[name='key']", key)
    page.click("form[action='/health/login'] button")
    page.wait_for_url("**/health")


def ask(page: Page, case: Case, *, within: str = "15") -> None:
    page.get_by_label("Mã số của ca bệnh").fill(case.qid)
    page.locator("#within").fill(within)
    page.locator("#before").fill("48")
    page.locator("#purpose").fill("Điều tra dịch tễ ca bệnh số 12")
    page.locator("#basis").fill("Quyết định 12/QĐ-SYT ngày 17/1/2026")
    page.locator("form[action='/health/trace'] button").click()


def test_a_case_from_the_form_to_the_files(browser: Browser, city: City) -> None:
    case = a_case(city)
    context = browser.new_context(viewport=PHONE)
    context.set_default_timeout(20_000)
    page = context.new_page()
    sign_in_health(page, city, case.key)
    for field in page.locator("form[action='/health/trace'] input").all():
        assert field.input_value() == ""
    ask(page, case, within="200")
    expect(page.locator("#within-wrong")).to_be_visible()
    assert page.locator("#purpose").input_value() == "Điều tra dịch tễ ca bệnh số 12"
    ask(page, case)
    expect(page.get_by_role("heading", name="Người tiếp xúc")).to_be_visible()
    names = page.locator("ol.rows > li b:first-child").all_inner_texts()
    assert [name for name in names if name in case.met] == list(case.met)
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    for button, ending in (("Tải CSV", ".csv"), ("Tải FHIR", ".json")):
        with page.expect_download() as downloading:
            page.get_by_role("button", name=button).click()
        assert downloading.value.suggested_filename == f"motma-contacts{ending}"
        assert case.met[0] in downloading.value.path().read_text("utf-8-sig")
    context.close()
