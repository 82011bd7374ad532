"""The page on which operators rehearse a draft: what it says, to whom, and of whom it does not speak."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from motma.core.evidence import FIELDS
from motma.core.ids import FactId
from motma.core.seen import coarse
from motma.forms import load_form
from motma.policies import SHIPPED
from motma.roads import load_network
from motma.storage.store import Act
from motma.web.evidencewords import FIELD_WORDS, EvidenceWords
from tests.recorded import NO_TRUCKS, some_scans, whole, without_evidence
from tests.world import World, living_world

PAGE = "/ops/policies/trucks/replay"
DRAFT = json.dumps(NO_TRUCKS)


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with living_world(tmp_path) as world:
        yield world


async def record(world: World, count: int = 600) -> None:
    await world.built.store.append(Act(facts=tuple(some_scans(count, world.now))))


async def begin(operator: httpx.AsyncClient, *, page: str = PAGE, text: str = DRAFT, days: str = "1") -> httpx.Response:
    return await operator.post(page, data={"text": text, "days": days})


async def ended(world: World, draft: str = "trucks") -> None:
    run = world.built.house.rehearsals.last(draft)
    assert run and run.task
    await asyncio.wait_for(run.task, 60)


async def test_from_nothing_to_who_changes_side(world: World) -> None:
    await record(world)
    scans = some_scans(1, world.now)
    await world.built.store.append(Act(facts=(without_evidence(scans[0]),)))
    operator = await world.operator()
    assert "Bản nháp sẽ làm gì ở các chốt?" in (await operator.get(PAGE)).text
    answer = await begin(operator)
    assert (answer.status_code, answer.headers["location"]) == (303, PAGE)
    running = (await operator.get(PAGE)).text
    assert "<progress" in running and 'http-equiv="refresh"' in running and "<textarea" not in running
    assert "<progress" in (await operator.get(f"{PAGE}/progress")).text
    await ended(world)
    assert (await operator.get(f"{PAGE}/progress")).text == ""
    for lang, said in (
        ("vi", ("lượt quét đổi kết quả", "được qua", "kiểm tra", "Xe tải chỉ đi trước 6 giờ sáng", "Xe tải", "giờ")),
        (
            "en",
            ("scans change side", "go", "check", "Lorries go before six in the morning only", "Truck", "kept nothing"),
        ),
    ):
        page = (await operator.get(f"{PAGE}?lang={lang}")).text
        assert [one for one in said if one not in page] == []
        assert "<progress" not in page and "refresh" not in page
    run = world.built.house.rehearsals.last("trucks")
    assert run and run.report and run.report.changed == 40 and run.report.bare == 1
    assert ">40<" in page and "CB-01" not in page and "dev_1" not in page


async def test_real_people_are_nowhere_on_it(world: World) -> None:
    person = world.person(0)
    sent = (await world.declare(person, trip__vehicle="truck")).json()
    for shown in ({"code": sent["code"]}, {"qid": sent["qid"]}):
        assert (await world.check(**shown)).json()["outcome"] == "accept"
    world.forget()
    operator = await world.operator()
    await begin(operator, text=DRAFT)
    await ended(world)
    page = (await operator.get(PAGE)).text
    assert ">2<" in page and "Vĩnh Bình" in page
    named = [person.name, sent["qid"], sent["qid"][-6:], sent["declaration"], "CB-WORLD", "59C1", person.phone]
    assert not [one for one in (*named, *(document.number for document in person.documents)) if one in page]


async def test_nobody_changes_side_and_there_was_nothing_to_try_it_on(world: World) -> None:
    operator = await world.operator()
    await begin(operator)
    await ended(world)
    assert "Không có lượt quét nào để thử" in (await operator.get(PAGE)).text
    await record(world)
    mild = {
        **NO_TRUCKS,
        "rules": [{**NO_TRUCKS["rules"][0], "holds": {"!": [{"===": [{"var": "vehicle.kind"}, "tank"]}]}}],
    }
    mild["rules"][0]["tests"] = [
        {"about": "a motorbike", "evidence": {}, "holds": True},
        {"about": "a tank", "evidence": {"vehicle": {"kind": "tank"}}, "holds": False},
    ]
    await begin(operator, text=json.dumps(mild))
    await ended(world)
    assert "Không ai đổi kết quả" in (await operator.get(PAGE)).text


async def test_one_at_a_time_and_what_was_typed_stays(world: World) -> None:
    await record(world, 3_000)
    operator, other = await world.operator(), await world.operator("KHAC")
    await begin(operator)
    busy = await begin(other, page="/ops/policies/mine/replay", text=DRAFT + "\n\n")
    assert busy.status_code == 409 and "Đang chạy thử một bản nháp khác" in busy.text
    assert f'href="{PAGE}"' in busy.text and "Lorries keep to their own lane" in busy.text
    assert "Đang chạy thử một bản nháp khác" in (await other.get("/ops/policies/mine/replay")).text
    stopped = await other.post(f"{PAGE}/stop")
    assert (stopped.status_code, stopped.headers["location"]) == (303, PAGE)
    assert "Đã dừng sau" in (await operator.get(PAGE)).text
    assert (await begin(other, page="/ops/policies/mine/replay")).status_code == 303
    assert (await operator.post(f"{PAGE}/stop")).status_code == 303, "stopping what does not run is no mistake"
    await ended(world, "mine")


BAD: list[tuple[str, dict[str, Any]]] = [
    ("dòng 1", {"text": "{"}),
    ("Chính sách có lỗi", {"text": ""}),
    ("Chính sách có lỗi", {"text": "[" * 5_000}),
    ("dòng 2", {"text": "id: x\nversion: no"}),
    ("/rules/0", {"text": json.dumps({**NO_TRUCKS, "rules": [{}]})}),
    ("Chính sách có lỗi", {"text": "[]"}),
    ("Chọn từ 1 đến 31 ngày", {"days": "0"}),
    ("Chọn từ 1 đến 31 ngày", {"days": "99999999999"}),
    ("Chọn từ 1 đến 31 ngày", {"days": "-1"}),
    ("Chọn từ 1 đến 31 ngày", {"days": "١"}),
    ("Chọn từ 1 đến 31 ngày", {"days": "<b>"}),
    ("trùng tên", {"text": DRAFT.replace('"trucks.by_day"', '"health.symptoms"')}),
]


@pytest.mark.parametrize(("said", "wrong"), BAD, ids=range(len(BAD)))
async def test_what_is_wrong_is_said_and_nothing_runs(world: World, said: str, wrong: dict[str, Any]) -> None:
    operator = await world.operator()
    answer = await begin(operator, **wrong)
    assert answer.status_code in (409, 422) and said in answer.text, answer.text[:2_000]
    assert world.built.house.rehearsals.last("trucks") is None and "<b>" not in answer.text.partition("<form")[2]


@pytest.mark.parametrize("draft", ["A", "..", "-", "x" * 65, "%00", "a b", "é"])
async def test_names_that_no_draft_has(world: World, draft: str) -> None:
    operator = await world.operator()
    for answer in (
        await operator.get(f"/ops/policies/{draft}/replay"),
        await begin(operator, page=f"/ops/policies/{draft}/replay"),
        await operator.post(f"/ops/policies/{draft}/replay/stop"),
        await operator.get(f"/ops/policies/{draft}/replay/progress"),
    ):
        assert answer.status_code == 404, draft


async def test_what_ships_can_be_tried_as_it_is(world: World) -> None:
    operator = await world.operator()
    await record(world)
    for name in SHIPPED:
        page = f"/ops/policies/{name}/replay"
        assert (
            f"\nid: {name}\n" in "\n" + (await operator.get(page)).text.partition("rehearsal-text")[2].partition(">")[2]
        )
    text = (await operator.get("/static/rehearsal.js")).text
    assert "progress" in text


async def test_from_a_stored_draft(world: World) -> None:
    await record(world)
    operator, policies = await world.operator(), world.built.house.policies
    step = await policies.draft(DRAFT, over="", by="KHAC", now=world.now)
    page = f"/ops/policies/{step.draft}/replay"
    assert page in (await operator.get(f"/ops/policies/{step.draft}")).text, "the draft's own page leads there"
    assert "trucks.by_day" in (await operator.get(page)).text
    await begin(operator, page=page)
    await ended(world, step.draft)
    assert ">40<" in (await operator.get(page)).text


async def test_from_a_draft_that_switches_a_policy_off(world: World) -> None:
    await record(world)
    operator, policies = await world.operator(), world.built.house.policies
    step = await policies.draft_off("health", by="KHAC", now=world.now)
    page = f"/ops/policies/{step.draft}/replay"
    empty = (await operator.get(page)).text
    assert "<textarea" not in empty and "<code>health</code>" in empty
    assert (await operator.post(page, data={"days": "3"})).status_code == 303
    await ended(world, step.draft)
    assert "Không còn vì" in (await operator.get(page)).text


async def test_what_was_approved_is_what_decides_today(world: World) -> None:
    await record(world)
    operator, policies = await world.operator(), world.built.house.policies
    step = await policies.draft(
        json.dumps({**NO_TRUCKS, "valid_from": "2020-01-01T00:00:00Z"}), over="", by="A", now=world.now
    )
    await policies.approve(step.draft, None, by="B", now=world.now)
    world.forget()
    await begin(operator)
    await ended(world)
    page = (await operator.get(PAGE)).text
    assert "Không ai đổi kết quả" in page and "đã trả lời khác lúc quét" in page


async def test_who_is_not_an_operator_is_shown_the_way_in(world: World) -> None:
    answer = await world.browser().get(PAGE)
    assert (answer.status_code, answer.headers["location"]) == (303, "/ops/login")


def test_every_field_has_words_in_both_languages() -> None:
    assert FIELD_WORDS.keys() == FIELDS.keys()
    assert all(words.vi and words.en and words.vi != words.en for words in FIELD_WORDS.values())
    assert len({words.vi for words in FIELD_WORDS.values()}) == len(FIELDS) == len({w.en for w in FIELD_WORDS.values()})


def test_whatever_lies_in_the_evidence_is_said() -> None:
    say = EvidenceWords(load_network(), load_form("2026-1"))
    document = coarse(
        whole(
            {
                "permit": {"group": "1A", "areas": [], "revoked": False},
                "certificate": {"kind": "test", "doses": 0, "at": "2026-01-17T07:30:00.000Z"},
                "declaration": {"grade": "unknown"},
                "trip": {"destination": "quan-5"},
                "vehicle": {"kind": "spaceship"},
            }
        )
    )
    told = {field.en: said for field, said in say.say(document, FIELDS)}
    assert told["Areas of the permit"].en == "everywhere" and told["Permit revoked"].vi == "không"
    assert told["Against the register"].en == "no such number" and told["To"].vi == "Quận 5"
    assert told["Dose or sample"].vi == "14 giờ, 17/01/2026" and told["Time of day"].en == "14h"
    assert told["Vehicle"].vi == "spaceship" and told["Dose number"].vi == "0" and "Kind of test" not in told
    assert told["Codes to be looked at by hand"].vi == "đã cũ"
    parts = say.say(document, {"trip", "no such field"})
    assert [field.en for field, _ in parts] == ["From", "To", "Direction"]
    assert say.place("").en == "not known" and say.place("g99-nowhere").vi == "g99-nowhere"


async def test_a_scan_that_was_rehearsed_is_untouched(world: World) -> None:
    answer = (await world.check(code="hello")).json()
    before = await world.built.store.fact(FactId(answer["id"]))
    operator = await world.operator()
    rows = world.rows()
    world.forget()
    await begin(operator)
    await ended(world)
    assert await world.built.store.fact(FactId(answer["id"])) == before and world.rows() == rows
