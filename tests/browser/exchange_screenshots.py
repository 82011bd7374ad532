"""Pictures of the pages of the interlinking, taken by ``make screenshots``: following up a case, a table, sources that
disagree, who looked at a citizen, the sandbox, and what the conformance kit reports."""

import datetime as dt
import os
import random
import re
import secrets
from collections.abc import Callable, Sequence
from pathlib import Path

import httpx
from playwright.sync_api import Browser, BrowserContext, Page

from motma.conformance.exchange import declaration_of
from motma.conformance.report import Tried, reported, sign
from motma.conformance.run import own_key
from motma.conformance.trial import CASES
from motma.core.facts import Fact, LookMade
from motma.core.ids import Qid, new_fact_id
from motma.register.population import Person
from motma.storage.store import Act
from motma.wiring import Built, build, utc_now
from tests.browser.city import DESKTOP, OPERATOR, PHONE, City, _run, fill_declaration
from tests.browser.test_health import Case, a_case

Keep = Callable[[Page, str], None]
_OTHERS = {"phone": "0909 123 475", "residence": {"province": "79", "commune": "25747", "address": "12 Lê Lợi"}}


def with_a_case(city: City) -> Case:
    """A case with contacts; to be called once, for :func:`health`."""
    return a_case(city)


def health(context: BrowserContext, city: City, case: Case, keep: Keep, name: str) -> None:
    """The login and a wrong key, the empty form, mistakes, a case nobody knows, and whom a case met."""
    page = context.new_page()
    page.goto(f"{city.url}/health")
    for key, kept in (("x" * 32, "health-login-error"), (case.key, "health")):
        page.fill("[name='name']", "CDC-01")
        page.fill("[name='key']", key)
        page.click("form[action='/health/login'] button")
        page.wait_for_load_state()
        keep(page, f"{kept}-{name}")
    for qid, within, kept in ((case.qid, "200", "error"), ("1" * 18, "15", "nobody"), (case.qid, "15", "contacts")):
        page.goto(f"{city.url}/health")
        page.locator("form[action='/health/trace'] input").first.fill(qid)
        for field, text in (("within", within), ("before", "48"), ("purpose", "Điều tra dịch tễ ca bệnh số 12")):
            page.fill(f"#{field}", text)
        page.fill("#basis", "Quyết định 12/QĐ-SYT ngày 17/1/2026")
        page.locator("form[action='/health/trace'] button").click()
        page.wait_for_load_state()
        keep(page, f"health-{kept}-{name}")


def with_sources(city: City, people: Sequence[Person]) -> None:
    """Two platforms say different things of ``people``; to be called once, for :func:`operator`."""

    async def admit(built: Built) -> list[str]:
        names = (("BENHVIEN", "Bệnh viện Đa khoa khu vực Tây Bắc Thành phố Hồ Chí Minh"), ("NCOVI", "NCOVI"))
        return [await built.house.enrol.register_platform(id, title, utc_now()) for id, title in names]

    tokens, luck = _in_house(city, admit), random.Random(3)
    for token, said in zip(tokens, ({}, _OTHERS), strict=True):
        for person in people:
            headers = {"authorization": f"Bearer {token}", "idempotency-key": secrets.token_hex(8)}
            body = declaration_of(person, utc_now(), luck=luck) | said
            httpx.post(f"{city.url}/v1/declarations", json=body, headers=headers).raise_for_status()


def operator(context: BrowserContext, city: City, people: Sequence[Person], keep: Keep, name: str) -> None:
    """Sources that disagree; a table with mistakes before and after it is sent, and what is no table."""
    page = context.new_page()
    page.goto(f"{city.url}/ops/login")
    page.fill("[name='name']", OPERATOR)
    page.fill("[name='key']", city.key)
    page.click("form[action='/ops/login'] button")
    page.wait_for_url("**/ops")
    page.goto(f"{city.url}/ops/disputes")
    keep(page, f"disputes-{name}")
    for content, kept in ((b"\x00\x01", "import-error"), (_a_table(people), "import-preview")):
        page.goto(f"{city.url}/ops/import")
        page.select_option("#source", index=1)
        page.set_input_files("#file", {"name": "khach.csv", "mimeType": "text/csv", "buffer": content})
        page.locator("main form button").first.click()
        page.wait_for_load_state()
        keep(page, f"{kept}-{name}")
    page.locator("form[action='/ops/import/confirm'] button").click()
    page.wait_for_load_state()
    keep(page, f"import-sent-{name}")


def _a_table(people: Sequence[Person]) -> bytes:
    header = "Họ tên;Ngày sinh;Giới tính;CCCD;SĐT;Tỉnh/TP;Phường/Xã;Địa chỉ;Tỉnh đi;Xã đi;Tỉnh đến;Xã đến;Phương tiện;"
    lines = [header + "Ngày giờ đi;Triệu chứng;Tiếp xúc;Đồng ý;Ghế"]
    for n, one in enumerate(people):
        home = f"{one.residence.province};{one.residence.commune}"
        phone, leaves = ("12" if n == 1 else one.phone), utc_now() + dt.timedelta(hours=9)
        who = f"{one.name};{one.birth_date:%d/%m/%Y};{'Nam' if one.sex == 'male' else 'Nữ'};{one.documents[0].number}"
        trip = f"{home};TP.HCM;Phường Bến Thành;Xe khách;{leaves:%d/%m/%Y %H:%M};Không;Không;Tất cả;A{n}"
        lines.append(f"{who};{phone};{home};{one.residence.address};{trip}")
    return "\n".join(lines).encode()


def looks(context: BrowserContext, city: City, person: Person, keep: Keep, name: str) -> None:
    """What a citizen reads of a platform, a list by law and health staff who looked at them."""
    page = context.new_page()
    fill_declaration(page, city, person)
    for consent in page.locator("input[name='consents']").all():
        consent.check()
    page.click("button.primary[value='send']")
    page.wait_for_url("**/code")
    qid = Qid(re.sub(r"\D", "", page.locator(".qid").inner_text()))

    async def look(built: Built) -> None:
        told = ("name", "birth_date", "last_four", "valid_until", "state")
        listed = ("document", "name", "birth_date", "area", "declared_at")
        made = (
            ("BENHVIEN", LookMade("verification", "", told)),
            ("TRUNG-TAM", LookMade("list", "Quyết định 2686/QĐ-BCĐQG ngày 31/5/2021, khoản 3", listed)),
            ("CDC-01", LookMade("tracing", "Quyết định 12/QĐ-SYT ngày 17/1/2026", ("name", "phone", "checkpoint"))),
        )
        now = utc_now()
        facts = [
            Fact(id=new_fact_id("lok", now, os.urandom(10)), at=now, actor=by, qid=qid, what=what) for by, what in made
        ]
        await built.store.append(Act(tuple(facts)))

    _in_house(city, look)
    page.goto(f"{city.url}/code/1/looks")
    keep(page, f"looks-made-{name}")


def sandbox(browser: Browser, city: City, keep: Keep) -> None:
    """The form, and the first call; ``city`` is a sandbox."""
    for language in ("vi", "en"):
        for size, viewport in (("phone", PHONE), ("desktop", DESKTOP)):
            page = browser.new_page(viewport=viewport)
            page.goto(f"{city.url}/sandbox?lang={language}")
            keep(page, f"sandbox-{language}-{size}")
            page.fill("#name", "Bệnh viện Đa khoa khu vực Tây Bắc Thành phố Hồ Chí Minh")
            page.locator("main form button").last.click()
            page.wait_for_selector("#python")
            keep(page, f"sandbox-call-{language}-{size}")
            page.close()


def report(browser: Browser, folder: Path, keep: Keep) -> None:
    """A report that is green and one that is not, as the kit writes them."""
    for name, wrong in (("green", ()), ("red", ("codes.expired", "telling.old"))):
        tried = []
        for one in CASES:
            seen = "valid: True an hour after the code expired" if one.id in wrong else ""
            tried.append(Tried(one.id, one.group, one.words._asdict(), not seen, seen, 0.4))
        of = "Bệnh viện Đa khoa khu vực Tây Bắc Thành phố Hồ Chí Minh"
        by = "exchange" if name == "green" else "this report alone"
        signed = sign(reported(of, "native", tuple(tried), every=len(CASES), by=by, at=utc_now()), own_key())
        (folder / "report.html").write_text(signed.html)
        for size, viewport in (("phone", PHONE), ("desktop", DESKTOP)):
            page = browser.new_page(viewport=viewport)
            page.goto((folder / "report.html").absolute().as_uri())
            keep(page, f"conformance-{name}-{size}")
            page.close()
    (folder / "report.html").unlink()


def _in_house(city: City, work):  # type: ignore[no-untyped-def]
    """What ``work`` answers, done in the city's own store."""

    async def do():  # type: ignore[no-untyped-def]
        async with build(city.settings) as built:
            return await work(built)

    return _run(do())
