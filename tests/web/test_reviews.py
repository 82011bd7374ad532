"""The operators' second page: repairs looked at again, once; merges undone; and nothing of a person on it."""

import asyncio
import datetime as dt
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from motma.core.facts import CheckAgain, Issued, Repaired, Reviewed
from motma.core.ids import FactId, Qid, new_fact_id
from tests.world import World, living_world


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with living_world(tmp_path) as world:
        yield world


async def vouched(world: World, officer: httpx.AsyncClient, n: int = 0) -> tuple[str, str, str]:
    """(number, code, repair) of somebody without a number whom an officer vouched for."""
    sent = (await world.declare(world.person(n), document={"kind": "none", "number": ""})).json()
    scan = (await world.check(code=sent["code"], officer=officer)).json()
    ask = {"id": new_fact_id("rep", world.now, (1 << 70 | n).to_bytes(10, "big")), "scan": scan["id"]}
    done = (await officer.post("/v1/repairs", json={**ask, "reason": "no_number"})).json()
    assert done["grade"] == "vouched" and done["verdict"]["outcome"] == "accept"
    return sent["qid"], sent["code"], done["id"]


async def say(operator: httpx.AsyncClient, repair: str, upheld: str) -> httpx.Response:
    return await operator.post("/ops/review", data={"repair": repair, "upheld": upheld})


async def test_the_oldest_first_without_a_name(world: World) -> None:
    officer, operator = await world.officer_at(), await world.operator()
    assert "Đã xem hết" in (await operator.get("/ops/review")).text
    cases = []
    for n in (0, 1):
        world.now += dt.timedelta(minutes=1)
        cases.append(await vouched(world, officer, n))
    board = (await operator.get("/ops")).text
    assert "/ops/review" in board and "Xem lại 2 lần sửa" in board
    page = (await operator.get("/ops/review")).text
    places = [page.index(qid[-6:]) for qid, _, _ in cases]
    assert places == sorted(places) and "CB-01" in page and "không có số giấy tờ" in page
    for n, (qid, code, _) in enumerate(cases):
        for kept in (world.person(n).name, qid, code, world.person(n).phone):
            assert kept not in page


async def test_upheld_it_stays_and_is_not_asked_again(world: World) -> None:
    officer, operator = await world.officer_at(), await world.operator()
    qid, _, repair = await vouched(world, officer)
    assert (await say(operator, repair, "yes")).status_code == 303
    assert qid[-6:] not in (await operator.get("/ops/review")).text
    assert (await world.check(qid=qid)).json()["outcome"] == "accept"


async def test_taken_back_the_person_is_checked_by_hand_and_the_code_asks_the_server(world: World) -> None:
    officer, operator = await world.officer_at(), await world.operator()
    qid, _, repair = await vouched(world, officer)
    assert (await say(operator, repair, "no")).status_code == 303
    judged = (await world.check(qid=qid)).json()
    assert (judged["outcome"], judged["reasons"][0]["code"]) == ("manual", "identity.mismatched")
    facts = await world.built.store.facts_about(Qid(qid))
    [again] = [fact.what for fact in facts if isinstance(fact.what, CheckAgain)]
    codes = {fact.what.status_index for fact in facts if isinstance(fact.what, Issued)}
    assert set(again.indexes) == codes and len(codes) == 2, "the code that the repair gave, and the one before"
    assert (await world.built.store.rebuild_standing()).differing == ()
    # And the officer may repair it again, which is looked at again.
    scan = (await world.check(qid=qid, officer=officer)).json()
    id = new_fact_id("rep", world.now, (1 << 71).to_bytes(10, "big"))
    done = await officer.post("/v1/repairs", json={"id": id, "scan": scan["id"], "reason": "no_number"})
    assert done.status_code == 200 and done.json()["verdict"]["outcome"] == "accept"
    assert qid[-6:] in (await operator.get("/ops/review")).text


async def test_two_operators_at_once_are_one_review(world: World) -> None:
    officer = await world.officer_at()
    one, other = await world.operator("MOT"), await world.operator("HAI")
    qid, _, repair = await vouched(world, officer)
    answers = await asyncio.gather(say(one, repair, "yes"), say(other, repair, "no"))
    assert sorted(answer.status_code for answer in answers) == [303, 409]
    late = next(answer for answer in answers if answer.status_code == 409)
    assert "đã có người xem" in late.text and "<h1>" in late.text
    reviews = [fact for fact in await world.built.store.facts_about(Qid(qid)) if isinstance(fact.what, Reviewed)]
    assert len(reviews) == 1
    assert (await say(one, repair, "yes")).status_code == 409


async def test_what_is_no_repair_cannot_be_reviewed(world: World) -> None:
    operator = await world.operator()
    sent = (await world.declare(world.person(0))).json()
    for odd in ("", "rep_x", sent["declaration"], "<b>"):
        assert (await say(operator, odd, "no")).status_code == 404
        assert (await operator.post("/ops/review/part", data={"merge": odd})).status_code == 404


async def test_a_merge_is_listed_for_a_week_and_can_be_undone_once(world: World) -> None:
    operator, other, person = await world.operator("MOT"), await world.operator("HAI"), world.person(0)
    first = (await world.declare(person, await world.platform("NCOVI"))).json()
    world.registry.outage = True
    world.now += dt.timedelta(minutes=1)
    cmnd = {"kind": "cmnd", "number": person.documents[1].number}
    second = (await world.declare(person, await world.platform("BLUEZONE"), document=cmnd)).json()
    world.registry.outage = False
    await world.work()
    page = (await operator.get("/ops/review")).text
    assert (
        second["qid"][-6:] in page and first["qid"][-6:] in page and "BLUEZONE" in page and "đối soát tự động" in page
    )
    assert first["qid"] not in page and second["qid"] not in page
    [merge] = await world.built.house.review.joined(world.now)

    async def part(who: httpx.AsyncClient) -> httpx.Response:
        return await who.post("/ops/review/part", data={"merge": merge.merge})

    answers = await asyncio.gather(part(operator), part(other))
    assert sorted(answer.status_code for answer in answers) == [303, 409]
    assert "Không có lần gộp nào" in (await operator.get("/ops/review")).text
    standing = await world.built.store.standing(Qid(second["qid"]))
    assert standing and standing.into is None
    assert (await world.built.store.rebuild_standing()).differing == ()


async def test_after_a_week_it_is_not_listed(world: World) -> None:
    person = world.person(0)
    await world.declare(person)
    world.registry.outage = True
    cmnd: dict[str, Any] = {"kind": "cmnd", "number": person.documents[1].number}
    await world.declare(person, await world.platform("BLUEZONE"), document=cmnd)
    world.registry.outage = False
    await world.work()
    review = world.built.house.review
    assert len(await review.joined(world.now)) == 1
    world.now += dt.timedelta(days=7, seconds=1)
    assert await review.joined(world.now) == []


async def test_what_is_not_sampled_does_not_wait(world: World) -> None:
    """What the register confirms is looked at one time in ten."""
    officer, people = await world.officer_at(), [world.person(n) for n in range(40)]
    people = [one for one in people if len(one.name.split(" ")) >= 3][:12]
    sampled = set()
    for n, person in enumerate(people):
        words = person.name.split(" ")
        sent = (await world.declare(person, name=" ".join([words[0], *words[2:]]))).json()
        scan = (await world.check(code=sent["code"], officer=officer)).json()
        id = new_fact_id("rep", world.now, (1 << 72 | n).to_bytes(10, "big"))
        ask = {"id": id, "scan": scan["id"], "reason": "typing", "name": person.name}
        assert (await officer.post("/v1/repairs", json=ask)).json()["grade"] == "matched"
        fact = await world.built.store.fact(FactId(id))
        assert fact and isinstance(fact.what, Repaired)
        if fact.what.sampled:
            sampled.add(id)
    assert {one.repair for one in await world.built.house.review.waiting()} == sampled
    assert len(sampled) < len(people)
