"""The operators' pages about policies: to look, write, approve, take back; and bad input at their door."""

import asyncio
import datetime as dt
import html
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from motma.core.facts import Fact, PolicyApproved, PolicyDrafted, Scanned
from motma.core.ids import new_fact_id
from motma.core.policy.text import read_policy
from motma.core.policy.writing import document_of, write_yaml
from motma.policies import DEFAULT, SHIPPED, load_policy
from motma.storage.store import Act
from tests.core.policy_texts import SMALL, version
from tests.web.editor import draft, english, look, post, said
from tests.world import HERE, World, living_world


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with living_world(tmp_path) as world:
        yield world


# -- the whole way -----------------------------------------------------------------------------------------------------


async def test_from_the_editor_to_the_checkpoint_and_back(world: World) -> None:
    one, other = await world.operator("MOT"), await world.operator("HAI")
    sent = (await world.declare(world.person(0), health__contact=True)).json()
    page = said((await one.get("/ops/policies")).text)
    assert all(load_policy(name).title.vi in page for name in DEFAULT) and "Bản đi kèm phần mềm" in page
    where = await draft(one, SMALL)
    mine = (await one.get(where)).text
    assert "người trực ban khác phải duyệt" in said(mine) and f"{where}/approve" not in mine
    assert "# From the order of 30 July 2021" in html.unescape(mine), "with its remarks"
    assert (await one.post(f"{where}/approve", data={"begins": ""})).status_code == 409
    board = (await other.get("/ops")).text
    assert "Duyệt 1 chính sách" in board
    theirs = (await other.get(where)).text
    for words in (
        "Đang giờ giới nghiêm.",
        "There is a curfew now.",
        "Được qua khi",
        "2 bài thử, đều đúng",
        "Luật mới.",
    ):
        assert words in said(theirs), words
    assert theirs.index("Thay đổi gì") < theirs.index(f"{where}/approve"), "first what, then whether"
    assert (await other.post(f"{where}/approve", data={"begins": ""})).status_code == 303
    assert "đang hiệu lực" in said((await one.get(where)).text)
    judged = (await world.check(code=sent["code"])).json()
    assert judged["outcome"] == "reject" and judged["reasons"][0]["code"] == "night.curfew"
    world.forget()
    assert "Đang giờ giới nghiêm" in said((await one.get("/ops")).text), "the board knows the words"
    page = said((await one.get("/ops/policies")).text)
    assert "Soạn: MOT" in page and "Duyệt: HAI" in page
    before = said((await one.get(f"{where}/roll-back")).text)
    assert "Quay lui ngay" in before and "chính sách này không còn" in before
    answer = await one.post(f"{where}/roll-back")
    assert answer.headers["location"] == "/ops/policies/of/night"
    assert "Quay lui: MOT" in said((await other.get("/ops/policies/of/night")).text)
    assert (await world.check(code=sent["code"])).json()["outcome"] != "reject"
    assert (await other.post(f"{where}/roll-back")).status_code == 409
    assert "không có gì để quay lui" in said((await other.get(f"{where}/roll-back")).text)


async def test_what_rules_read_by_name_is_shown_with_what_it_stands_for(world: World) -> None:
    one, other = await english(await world.operator("MOT")), await world.operator("HAI")
    text = write_yaml(document_of(load_policy("permits")))
    changed = text.replace(
        "{if: [{var: vehicle.green_lane}, true, {var: values.fully_vaccinated}]}", "{var: vehicle.green_lane}"
    )
    changed = changed.replace("version: 1", "version: 2")
    shown, _ = await look(one, text)
    assert "A new value: exempt; read by permits.in_force, permits.begun" in said(shown)
    page = (await one.get("/ops/policies/of/permits")).text
    assert page.index('id="value-exempt"') < page.index('id="rule-permits.in_force"')
    for words in (
        "values.exempt vehicle.green_lane or values.fully_vaccinated",
        "Passes where this holds: if permit.group and permit.revoked then values.exempt",
        "values.dose_days 14",
    ):
        assert words in said(page), words
    assert "vehicle.green_lane hoặc values.fully_vaccinated" in said((await other.get("/ops/policies/of/permits")).text)
    findings, _ = await look(one, changed)
    assert "test" in said(findings) and "mistake" in said(findings), "its tests hold who is vaccinated"


async def test_a_time_as_the_clock_on_the_wall_says_it(world: World) -> None:
    one, other = await world.operator("MOT"), await world.operator("HAI")
    where = await draft(one, SMALL)
    for begins, status in (("2026-01-18T13:59", 422), ("2031-01-01T00:00", 422), ("x", 422), ("0001-01-01T00:00", 422)):
        answer = await other.post(f"{where}/approve", data={"begins": begins})
        assert answer.status_code == status and f'value="{begins}"' in answer.text, "what was typed stays"
    assert (await other.post(f"{where}/approve", data={"begins": "2026-01-18T22:00"})).status_code == 303
    assert "22:00 hôm nay" in said((await one.get("/ops/policies")).text)
    assert (await one.post(f"{where}/schedule", data={"begins": "2026-01-19T06:30"})).status_code == 303
    page = said((await one.get(where)).text)
    assert "Đổi giờ: MOT" in page and "06:30, 19/01" in page
    policies = world.built.house.policies
    assert "night.curfew" not in (await policies.rulebook((), world.now + dt.timedelta(hours=16.49))).reasons
    assert "night.curfew" in (await policies.rulebook((), world.now + dt.timedelta(hours=16.5))).reasons
    assert (await other.post(f"{where}/withdraw")).headers["location"] == "/ops/policies"
    assert "đã bỏ" in said((await one.get("/ops/policies")).text)
    assert (await other.post(f"{where}/withdraw")).status_code == 409


async def test_what_ships_is_changed_switched_off_and_on(world: World) -> None:
    one, other = await world.operator("MOT"), await world.operator("HAI")
    page = await one.get("/ops/policies/new?of=health")
    text = html.unescape(re.search(r"<textarea[^>]*>\n(.*?)</textarea>", page.text, re.DOTALL)[1])  # type: ignore[index]
    assert "version: 4" in text and read_policy(text).policy
    shown, lines = await look(await english(one), text.replace("verdict: reject", "verdict: manual"))
    assert not lines and "Before stop After check by hand" in said(shown)
    where = await draft(one, text.replace("verdict: reject", "verdict: manual"))
    assert (await other.post(f"{where}/approve")).status_code == 303
    assert "health 4" in said((await one.get("/ops/policies/of/health")).text)
    again = await one.get("/ops/policies/new?of=health")
    assert "version: 5" in again.text
    off = (await one.post("/ops/policies/of/health/off")).headers["location"]
    assert (await one.post("/ops/policies/of/health/off")).status_code == 409, "it waits already"
    assert (await one.post(f"{off}/approve")).status_code == 409
    assert "is switched off; 3 rules no longer asked" in said((await (await english(other)).get(off)).text)
    assert (await other.post(f"{off}/approve")).status_code == 303
    page_off = said((await one.get("/ops/policies")).text)
    assert "Switch on again" in page_off
    assert (await one.post("/ops/policies/of/health/off")).status_code == 409
    assert (await one.post(f"{off}/roll-back")).status_code == 303
    assert "Switch on again" not in said((await one.get("/ops/policies")).text)
    assert "health 4" in said((await one.get("/ops/policies")).text)


async def test_what_ships_and_is_off_is_switched_on_and_off_again(world: World) -> None:
    one, other = await world.operator("MOT"), await world.operator("HAI")
    listed = (await one.get("/ops/policies")).text
    part = listed.partition("Có sẵn, chưa bật")[2]
    for name in SHIPPED:
        assert (f"?of={name}" in part) == (name not in DEFAULT)
    for rule in load_policy("curfew").rules:
        assert rule.words and rule.words.vi in said(part)
    assert "9 lý do không cho qua; 2 lý do kiểm tra bằng tay." in said(part), "of permits"
    shown = said((await one.get("/ops/policies/of/curfew")).text)
    assert "Có sẵn, chưa bật" in shown and "Quay lui" not in shown
    page = (await one.get("/ops/policies/new?of=curfew")).text
    assert "bản đi kèm phần mềm: “Khung giờ không ra đường”" in said(page)
    text = html.unescape(re.search(r"<textarea[^>]*>\n(.*?)</textarea>", page, re.DOTALL)[1])  # type: ignore[index]
    assert read_policy(text).policy == load_policy("curfew")
    changed, lines = await look(one, text.replace("verdict: reject", "verdict: manual"))
    assert lines == {"2": True} and "đã sửa thì ghi 2 hoặc lớn hơn" in said(changed), "said before it is saved"
    where = await draft(one, text)
    assert f'href="{where}">Chờ duyệt' in (await one.get("/ops/policies")).text.partition("Có sẵn, chưa bật")[2]
    assert "bản đi kèm" not in said((await one.get("/ops/policies/new?of=curfew")).text).partition("Soạn chính sách")[0]
    assert (await other.post(f"{where}/approve", data={"begins": "2026-01-18T22:00"})).status_code == 303
    assert f'href="{where}">Đã hẹn giờ' in (await one.get("/ops/policies")).text.partition("Có sẵn, chưa bật")[2]
    assert (await one.post(f"{where}/schedule", data={"begins": ""})).status_code == 303
    listed = (await one.get("/ops/policies")).text
    on, _, rest = listed.partition("Có sẵn, chưa bật")
    assert "of/curfew" in on and "of/curfew" not in rest
    order = re.findall(r'href="/ops/policies/of/(\w+)"', on)
    assert order == [name for name in SHIPPED if name in DEFAULT or name == "curfew"], "where it ships, not at the end"
    assert (await one.get("/ops/policies/new?of=curfew")).text.count("version: 2") == 1
    assert (await one.post(f"{where}/roll-back")).status_code == 303
    assert "?of=curfew" in (await one.get("/ops/policies")).text.partition("Có sẵn, chưa bật")[2]
    assert "Có sẵn, chưa bật" in said((await one.get("/ops/policies/of/curfew")).text)
    await draft(other, text)


async def test_what_a_measure_does_not_name_is_switched_on_beside_it(world: World) -> None:
    one, other = await world.operator("MOT"), await world.operator("HAI")
    await world.publish(policies=("diversion", "code"))
    world.forget()
    listed = (await one.get("/ops/policies")).text
    assert set(re.findall(r"\?of=(\w+)", listed)) == {*SHIPPED} - {"diversion", "code"}
    page = (await one.get("/ops/policies/new?of=health")).text
    text = html.unescape(re.search(r"<textarea[^>]*>\n(.*?)</textarea>", page, re.DOTALL)[1])  # type: ignore[index]
    assert read_policy(text).policy == load_policy("health")
    where = await draft(one, text)
    await other.post(f"{where}/approve")
    sent = (await world.declare(world.person(0), health__symptoms__fever=True)).json()
    judged = (await world.check(code=sent["code"])).json()
    assert [reason["code"] for reason in judged["reasons"]] == ["health.symptoms"]
    await one.post(f"{where}/roll-back")
    assert (await world.check(code=sent["code"])).json()["outcome"] == "accept"


async def test_two_who_write_at_one_draft(world: World) -> None:
    one, other = await world.operator("MOT"), await world.operator("HAI")
    where = await draft(one, SMALL)
    late = await post(other, version(2).replace("Stay until six", "Stay until seven"))
    assert late.status_code == 409 and "Stay until seven" in html.unescape(late.text), "what they wrote is not lost"
    assert where in late.text and f'value="{where.rpartition("/")[2]}"' in late.text, "saved again, it is over theirs"
    changed = await draft(other, version(2), over=where.rpartition("/")[2])
    assert "nháp đã bị thay" in said((await one.get(where)).text)
    for who in (one, other):
        assert (await who.post(f"{changed}/approve")).status_code == 409
    third = await world.operator("BA")
    assert (await third.post(f"{changed}/approve")).status_code == 303


async def test_a_text_begins_where_it_should(world: World) -> None:
    one, other = await world.operator("MOT"), await world.operator("HAI")
    blank = await one.get("/ops/policies/new")
    text = html.unescape(re.search(r"<textarea[^>]*>\n(.*?)</textarea>", blank.text, re.DOTALL)[1])  # type: ignore[index]
    assert read_policy(text).policy, read_policy(text).findings
    where = await draft(one, SMALL)
    assert "# From the order" in html.unescape((await other.get("/ops/policies/new?of=night")).text)
    await other.post(f"{where}/withdraw")
    again = html.unescape((await other.get(f"/ops/policies/new?from={where.rpartition('/')[2]}")).text)
    assert "# From the order" in again and "version: 1\n" in again
    assert "ten-chinh-sach" in (await one.get("/ops/policies/new?of=<b>")).text
    assert (await one.get("/ops/policies/new?from=x")).status_code == 404
    where = await draft(one, SMALL)
    await other.post(f"{where}/approve")
    assert "Không bản nào có hiệu lực" not in (await one.get("/ops/policies/of/night")).text
    await other.post(f"{where}/roll-back")
    page = said((await one.get("/ops/policies/of/night")).text)
    assert "Giờ giới nghiêm thử night" in page, "by its name, though nothing of it is in force"
    assert "Không bản nào có hiệu lực" in page and "Có sẵn" not in page and "đi kèm phần mềm" not in page
    assert "version: 2\n" in (await one.get("/ops/policies/new?of=night")).text, "from what there was"


async def test_nobody_else_and_nowhere_else(world: World) -> None:
    one, nobody = await world.operator("MOT"), world.browser()
    for path in (
        "/ops/policies/pol_x",
        "/ops/policies/of/nothing",
        "/ops/policies/pol_x/roll-back",
        "/ops/policies/of/<b>",
    ):
        assert (await one.get(path)).status_code == 404
        assert (await nobody.get(path)).headers["location"] == "/ops/login"
    for path in ("pol_x/approve", "pol_x/schedule", "pol_x/withdraw", "pol_x/roll-back", "of/nothing/off"):
        assert (await one.post(f"/ops/policies/{path}", data={"begins": ""})).status_code == 404
        assert (await nobody.post(f"/ops/policies/{path}")).status_code == 401
    for path in ("new", "check"):
        assert (await nobody.post(f"/ops/policies/{path}", files={"text": (None, SMALL)})).status_code == 401


# -- alerts ------------------------------------------------------------------------------------------------------------


async def test_a_rule_without_a_value_is_an_alert(world: World) -> None:
    one, other = await world.operator("MOT"), await world.operator("HAI")
    sent = (await world.declare(world.person(0))).json()
    failing = SMALL.replace(
        'holds: {"!": [{"===": [{var: declaration.health}, contact]}]}',
        'holds: {if: [{"===": [{var: declaration.health}, contact]}, false, {"<": [{var: declaration.at}, 3]}]}',
    ).replace("[declaration.health]", "[declaration.health, declaration.at]")
    shown, _ = await look(one, failing)
    assert "policy.test_error" in shown, "the tests say so already"
    # With an answer for the specimen alone, it fails for everybody else.
    failing = failing.replace(
        '{"<": [{var: declaration.at}, 3]}',
        '{if: [{"===": [{var: declaration.at}, "2026-01-18T06:00:00.000Z"]}, true, {"<": [{var: declaration.at}, 3]}]}',
    )
    where = await draft(one, failing)
    assert (await other.post(f"{where}/approve")).status_code == 303
    world.now += dt.timedelta(minutes=7)
    judged = (await world.check(code=sent["code"])).json()
    assert (judged["outcome"], judged["reasons"][0]["code"]) == ("manual", "rule.error")
    scans = await world.built.store.facts_about(sent["qid"], kinds=("scan.made",))
    assert [fact.what.failed for fact in scans if isinstance(fact.what, Scanned)] == [("night.curfew",)]
    board = (await one.get("/ops")).text
    assert "/ops/policies/of/night#rule-night.curfew" in board and "luật không tính được ở" in said(board)
    counted = (await one.get("/ops/counts.csv")).text
    assert f"{HERE}," in counted and ",rule,night.curfew,1" in counted
    await one.post(f"{where}/roll-back")
    assert "night.curfew: luật không tính được" in said((await one.get("/ops")).text).replace(" :", ":"), (
        "it is no more"
    )


async def test_a_policy_that_cannot_be_read_is_an_alert(world: World) -> None:
    operator = await world.operator()
    sent = (await world.declare(world.person(0))).json()

    def fact(n: int, what: PolicyDrafted | PolicyApproved, by: str) -> Fact:
        return Fact(id=new_fact_id("pol", world.now, bytes([n] * 10)), at=world.now, actor=by, what=what)

    drafted = fact(1, PolicyDrafted("health", 7, "d7", '{"id": "health", "new": {}}', "# of a newer program"), "MOT")
    await world.built.store.append(Act((drafted, fact(2, PolicyApproved(drafted.id, "health", None), "HAI"))))
    world.forget()
    judged = (await world.check(code=sent["code"])).json()
    assert (judged["outcome"], judged["known"], judged["reasons"][0]["code"]) == ("manual", False, "rule.error")
    board = said((await operator.get("/ops")).text)
    assert "máy chủ không đọc được chính sách này" in board and "Một chính sách không đọc được" in board
    assert "Không đọc được" in said((await operator.get("/ops/policies")).text)
    for path in (f"/ops/policies/{drafted.id}", "/ops/policies/of/health", f"/ops/policies/{drafted.id}/roll-back"):
        assert (await operator.get(path)).status_code == 200
    assert (await operator.post(f"/ops/policies/{drafted.id}/roll-back")).status_code == 303
    assert (await world.check(code=sent["code"])).json()["outcome"] == "accept"


async def test_values_of_values_do_not_grow_without_end(world: World) -> None:
    operator = await world.operator()
    doubled = ["a0: {'!': [true]}"]
    doubled += [f"a{n}: {{and: [{{var: values.a{n - 1}}}, {{var: values.a{n - 1}}}]}}" for n in range(1, 50)]
    text = SMALL.replace("rules:\n", "values:\n" + "".join(f"  {line}\n" for line in doubled) + "rules:\n", 1)
    async with asyncio.timeout(20):
        shown, _ = await look(operator, text)
    assert "policy.too_large" in shown
