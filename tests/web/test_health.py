"""The health staff's pages: nothing is filled in, what is wrong keeps what was typed, and exports say the same."""

import csv
import datetime as dt
import io
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from motma.core.facts import Fact, HealthReported, LookMade
from motma.core.ids import Qid, new_fact_id
from motma.storage.store import Act
from tests.world import HERE, World, living_world

TYPED = {
    "within": "15",
    "before": "48",
    "until": "",
    "purpose": "Điều tra dịch tễ ca bệnh số 12",
    "basis": "Quyết định 12/QĐ-SYT <b>",
}


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with living_world(tmp_path) as world:
        yield world


async def a_case(world: World) -> tuple[dict[str, Any], dict[str, Any]]:
    """(the case, somebody who passed a minute later and is reported too), as they were declared."""
    case = (await world.declare(world.person(0))).json()
    other = (await world.declare(world.person(1), phone="+84912345678", trip__plate="")).json()
    await world.check(code=case["code"])
    world.now += dt.timedelta(minutes=1)
    await world.check(code=other["code"])
    for n, (qid, event) in enumerate(((case["qid"], "case"), (other["qid"], "contact"))):
        what = HealthReported(event, "BLUEZONE", world.now, None, "=1+1", Qid(case["qid"]))  # type: ignore[arg-type]
        id = new_fact_id("hev", world.now, bytes([n]) * 10)
        fact = Fact(id=id, at=world.now, actor="BLUEZONE", qid=qid, what=what)
        await world.built.store.append(Act((fact,)))
    return case, other


async def ask(staff: httpx.AsyncClient, path: str = "/health/trace", **typed: str) -> httpx.Response:
    return await staff.post(path, data={**TYPED, **typed})


async def test_in_and_out(world: World) -> None:
    enrol = world.built.house.enrol
    key = await enrol.appoint_health_staff("cdc-02", world.now)
    browser = world.browser()
    assert (await browser.get("/health")).headers["location"] == "/health/login"
    wrong = await browser.post("/health/login", data={"name": "CDC-02", "key": "a" * 32})
    assert wrong.status_code == 404 and "chưa đúng" in wrong.text and 'value="CDC-02"' in wrong.text
    operator = await world.built.house.enrol.appoint_operator("CDC-02", world.now)
    assert (await browser.post("/health/login", data={"name": "CDC-02", "key": operator})).status_code == 404
    assert (await browser.post("/health/login", data={"name": "cdc-02", "key": key})).status_code == 303
    page = (await browser.get("/health")).text
    assert "CDC-02" in page and not re.search(r'value="[^"]', page)  # nothing is filled in
    copied = world.browser(dict(browser.cookies))
    assert (await browser.post("/health/logout")).status_code == 303
    for client in (browser, copied):
        answer = await ask(client, qid="1")
        assert (answer.status_code, answer.json()["code"]) == (401, "access.health")


async def test_whom_the_case_met(world: World) -> None:
    case, other = await a_case(world)
    staff = await world.health_staff()
    answer = await ask(staff, qid=case["qid"])
    page = answer.text
    person = world.person(1)
    for said in (person.name, "+84912345678", f"{person.birth_date:%d/%m/%Y}", "sau ca bệnh 1 phút", "BLUEZONE"):
        assert said in page
    assert world.person(0).name in page and answer.headers["cache-control"] == "no-store"
    assert world.built.house.steer.network.by_id[HERE].name.vi in page
    assert "<b>&#34;" not in page and "QĐ-SYT &lt;b&gt;" in page
    english = await staff.post("/health/trace?lang=en", data={**TYPED, "qid": case["qid"]})
    assert "1 min after the case" in english.text and "Reported by" in english.text
    looks = await world.built.store.facts_about(Qid(other["qid"]), kinds=("look.made",))
    assert [look.actor for look in looks] == ["CDC-01", "CDC-01"]


async def test_what_is_wrong_keeps_what_was_typed_and_tells_nobody(world: World) -> None:
    case, other = await a_case(world)
    staff = await world.health_staff()
    before = world.rows()
    page = await ask(staff, qid=case["qid"], within="0", basis="ngắn")
    assert page.status_code == 422 and 'id="within-wrong"' in page.text and 'id="basis-wrong"' in page.text
    assert TYPED["purpose"] in page.text and 'id="qid-wrong"' not in page.text
    none = await ask(staff, qid=other["qid"])
    assert none.status_code == 404 and "Không có ca bệnh" in none.text
    empty = await staff.post("/health/trace", data={})
    assert empty.status_code == 422
    for path in ("/health/trace.csv", "/health/trace.json"):
        refused = await ask(staff, path, qid=other["qid"])
        assert (refused.status_code, refused.json()["code"]) == (404, "tracing.no_case")
    assert world.person(1).name not in page.text + none.text
    assert world.rows() == {**before, "credentials": before["credentials"]}


async def test_the_table_is_safe_in_a_spreadsheet(world: World) -> None:
    case, other = await a_case(world)
    staff = await world.health_staff()
    answer = await ask(staff, "/health/trace.csv", qid=case["qid"])
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert [(row["qid"], row["how"], row["minutes_apart"]) for row in rows] == [
        (other["qid"], "reported", ""),
        (other["qid"], "checkpoint", "1"),
    ]
    assert rows[0]["reference"] == "'=1+1" and rows[0]["name"] == world.person(1).name


async def test_a_bundle_of_fhir(world: World) -> None:
    """Each resource has what R4 requires, and every reference leads to an entry of the Bundle."""
    case, other = await a_case(world)
    answer = await ask(await world.health_staff(), "/health/trace.json", qid=case["qid"])
    assert answer.headers["content-type"] == "application/fhir+json"
    bundle = msgspec.json.decode(answer.content)
    assert (bundle["resourceType"], bundle["type"]) == ("Bundle", "collection")
    entries = {entry["fullUrl"]: entry["resource"] for entry in bundle["entry"]}
    assert len(entries) == len(bundle["entry"]) and all(url.startswith("urn:uuid:") for url in entries)
    kinds = [resource["resourceType"] for resource in entries.values()]
    assert kinds == ["Patient", "Patient", "Group", "Observation", "Observation", "Provenance"]
    references = re.findall(r'"reference":"([^"]+)"', answer.text)
    assert references and set(references) <= set(entries)
    patient = next(one for one in entries.values() if one.get("identifier", [{}])[0].get("value") == other["qid"])
    assert patient["birthDate"] == world.person(1).birth_date.isoformat()
    assert patient["telecom"] == [{"system": "phone", "value": "+84912345678"}]
    passed = [one for one in entries.values() if one["resourceType"] == "Observation"][1]
    assert passed["status"] == "final" and passed["component"][0]["valueQuantity"]["value"] == 1
    assert entries[passed["focus"][0]["reference"]]["identifier"][0]["value"] == case["qid"]
    provenance = list(entries.values())[-1]
    assert {"target", "recorded", "agent"} <= set(provenance) and len(provenance["target"]) == 5
    assert [reason["text"] for reason in provenance["reason"]] == [TYPED["purpose"], TYPED["basis"]]
    instant = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
    assert instant.fullmatch(provenance["recorded"]) and instant.fullmatch(passed["effectiveDateTime"])


async def test_the_citizen_reads_who_looked(world: World) -> None:
    browser = world.browser()
    await world.declare_on_page(browser, world.person(1))
    wallets = world.built.house.wallets
    [held] = await wallets.held(world.built.house.wallet(browser.cookies["motma_wallet"]))
    case = (await world.declare(world.person(0))).json()
    await world.check(code=case["code"])
    await world.check(code=held.code)
    what = HealthReported("case", "CDC", world.now, None, "r", None)
    id = new_fact_id("hev", world.now, bytes(10))
    await world.built.store.append(Act((Fact(id=id, at=world.now, actor="CDC", qid=case["qid"], what=what),)))
    await ask(await world.health_staff(), qid=case["qid"])
    listed = LookMade("list", "Văn bản 12/C06, điều 3", ("document", "area"))
    id = new_fact_id("lok", world.now, bytes(10))
    await world.built.store.append(Act((Fact(id=id, at=world.now, actor="C06", qid=held.qid, what=listed),)))
    await world.interlinked("BENXE")
    checked = LookMade("verification", "", ("name",))
    id = new_fact_id("lok", world.now, bytes([1] * 10))
    await world.built.store.append(Act((Fact(id=id, at=world.now, actor="BENXE", qid=held.qid, what=checked),)))
    page = (await browser.get("/code/1/looks")).text
    known = await world.built.house.platforms.known("BENXE", world.now)
    assert known and known.name != "BENXE" and f"{known.name}, " in page and "BENXE, " not in page
    for said in (
        "CDC-01",
        "Cán bộ y tế truy vết ca bệnh",
        "họ tên, ngày sinh, số điện thoại, giờ và chốt đã qua",
        "Quyết định 12/QĐ-SYT &lt;b&gt;",
        "C06",
        "số giấy tờ, nơi đến",
    ):
        assert said in page
    assert TYPED["purpose"] not in page and case["qid"] not in page and world.person(0).name not in page
    neighbour = world.browser()
    await world.declare_on_page(neighbour, world.person(1))
    assert "CDC-01" not in (await neighbour.get("/code/1/looks")).text
    assert "CDC-01" not in (await browser.get("/code/1/looks")).text  # whose number it is is not known any more
    assert "Health staff" not in (await neighbour.get("/code/1/looks?lang=en")).text
