"""Reports of health staff: they count at once, for whoever it is, in whatever order they come."""

import asyncio
import datetime as dt
from typing import Any

import pytest

from motma.core.errors import Conflict, Invalid, Unavailable
from motma.core.facts import CheckAgain, HealthReported, LookMade, Restored, Standing
from motma.core.ids import Qid
from motma.register.population import Person
from motma.services.exchange.events import Reported
from motma.services.tries import REPORTS_A_DAY
from tests.services.test_without_asking import both
from tests.world import World

DAY, HOUR = dt.timedelta(days=1), dt.timedelta(hours=1)
NOBODY = "521322923144321717"


def event(kind: str = "case", **more: Any) -> dict[str, Any]:
    return {"event": kind, "since": "2026-01-18", "reference": "BV-1", **more}


def person_of(person: Person, by: int = 0) -> dict[str, Any]:
    document = person.documents[by]
    said = {"kind": document.kind, "number": document.number}
    return {"name": person.name, "birth_date": person.birth_date.isoformat(), "document": said}


async def report(world: World, raw: dict[str, Any], *, source: str = "CDC", key: str | None = None) -> Reported:
    return await world.built.house.events.report(raw, source=source, now=world.now, key=key)


async def stands(world: World, qid: str) -> Standing:
    standing = await world.built.citizens.standing(Qid(qid))
    assert standing
    return standing


async def reasons(world: World, **shown: str) -> list[str]:
    answer = (await world.check(**shown)).json()
    return [answer["outcome"], *(reason["code"] for reason in answer["reasons"] if reason["code"] != "proof.static")]


async def kinds_of(world: World, qid: str) -> list[str]:
    facts = await world.built.store.facts_about(Qid(qid))
    return [type(fact.what).__name__ for fact in facts]


async def sound(world: World) -> None:
    assert (await world.built.store.rebuild_standing()).differing == ()


async def test_a_case_stops_and_its_end_lets_go_with_and_without_a_network(world: World) -> None:
    sent = (await world.declare(world.person(0))).json()
    told = await report(world, event(qid=sent["qid"], until="2026-02-08"))
    assert (told.qid, told.state, told.repeated) == (sent["qid"], "check", False)
    online, offline = await both(world, sent["code"])
    assert (online[0], online[2]) == ("reject", ["health.positive"])
    assert offline == ("manual", False, ["freshness.check_again"])
    world.now += HOUR
    again = (await world.declare(world.person(0))).json()
    online, offline = await both(world, again["code"])
    assert online[0] == "reject" and offline[2] == ["freshness.check_again"], "nobody declares themselves out of it"
    world.now += HOUR
    told = await report(world, event("ended", since=world.now.isoformat(), qid=sent["qid"]))
    assert told.state == "good"
    online, offline = await both(world, again["code"])
    assert online == offline == ("accept", True, [])
    await sound(world)


async def test_isolation_that_ends_by_itself(world: World) -> None:
    sent = (await world.declare(world.person(0))).json()
    await report(world, event("contact", until=(world.now + 6 * HOUR).isoformat(), qid=sent["qid"]))
    assert await reasons(world, code=sent["code"]) == ["manual", "health.contact"]
    world.now += 6 * HOUR - dt.timedelta(seconds=1)
    assert await reasons(world, code=sent["code"]) == ["manual", "health.contact"]
    world.now += dt.timedelta(seconds=1)
    assert await reasons(world, code=sent["code"]) == ["accept"]


async def test_a_number_withdrawn_is_not_given_back_by_the_end_of_isolation(world: World) -> None:
    sent = (await world.declare(world.person(0))).json()
    await report(world, event(qid=sent["qid"]))
    await world.built.house.status.revoke(Qid(sent["qid"]), "Thử", by="test", now=world.now)
    await report(world, event("ended", since=world.now.isoformat(), qid=sent["qid"]))
    assert (await stands(world, sent["qid"])).revoked
    online, offline = await both(world, sent["code"])
    assert online[2] == offline[2] == ["standing.revoked"]
    await world.built.house.status.restore(Qid(sent["qid"]), by="test", now=world.now)
    online, offline = await both(world, sent["code"])
    assert online == offline == ("accept", True, [])


async def test_who_never_declared_is_known_when_they_do(world: World) -> None:
    """By either document, and however often it was reported before."""
    told = await report(world, event(person=person_of(world.person(0), 1)))
    assert told.state == "unknown" and await world.built.citizens.standing(told.qid) is None
    by_card = await report(world, event("contact", person=person_of(world.person(0))))
    by_number = await report(world, event("contact", qid=told.qid))
    assert by_card.qid == by_number.qid == told.qid
    sent = (await world.declare(world.person(0))).json()
    assert (sent["qid"], sent["outcome"]) == (told.qid, "accepted")
    online, offline = await both(world, sent["code"])
    assert online[2] == ["health.positive"] and offline[2] == ["freshness.check_again"]
    assert {one.event for one in (await stands(world, told.qid)).events} == {"case", "contact"}
    await sound(world)


async def test_declared_while_it_is_reported_neither_is_overlooked(world: World) -> None:
    """Both orders, many times at once: a report that lies under a number is in the standing."""
    for n in range(12):
        person = world.person(n)
        known = await report(world, event("contact", person=person_of(person))) if n % 2 else None
        told, sent = await asyncio.gather(
            report(world, event(person=person_of(person))), world.declare(person), return_exceptions=False
        )
        assert sent.json()["qid"] == told.qid and (known is None or known.qid == told.qid)
        assert (await stands(world, told.qid)).health_at(world.now) == "positive", n
    await sound(world)


async def test_declared_while_the_register_was_away_and_reported_by_document_meanwhile(world: World) -> None:
    """The number of the report and the number of the declaration turn out to be one citizen's."""
    world.registry.outage = True
    sent = (await world.declare(world.person(0))).json()
    assert sent["outcome"] == "pending"
    with pytest.raises(Unavailable):
        await report(world, event(person=person_of(world.person(0))))
    world.registry.outage = False
    told = await report(world, event(person=person_of(world.person(0), 1)))
    assert told.qid != sent["qid"] and await reasons(world, code=sent["code"]) == ["manual", "identity.pending"]
    assert await world.work() == 1
    assert await reasons(world, qid=sent["qid"]) == ["reject", "health.positive"]
    online, offline = await both(world, sent["code"])
    assert online[0] == "reject" and "freshness.check_again" in offline[2]
    ended = await report(world, event("ended", since=world.now.isoformat(), qid=told.qid))
    assert (ended.qid, ended.state) == (sent["qid"], "good"), "by any of their numbers"
    await sound(world)


async def test_what_is_reported_of_two_numbers_is_kept_when_they_are_one_and_when_they_are_not(world: World) -> None:
    world.registry.outage = True
    one = (await world.declare(world.person(0))).json()
    world.registry.outage = False
    other = (
        await world.declare(world.person(0), document={"kind": "cmnd", "number": world.person(0).documents[1].number})
    ).json()
    assert one["qid"] != other["qid"]
    await report(world, event("contact", qid=one["qid"]))
    await report(world, event("case", since="2026-01-17", until=(world.now + DAY).isoformat(), qid=other["qid"]))
    assert await world.work() == 1
    merged = await stands(world, one["qid"])
    assert merged == await stands(world, other["qid"]) and merged.health_at(world.now) == "positive"
    assert merged.health_at(world.now + DAY) == "contact", "which lasts"
    into, away = merged.qid, one["qid"] if merged.qid == other["qid"] else other["qid"]
    await report(world, event("contact", since=world.now.isoformat(), reference="later", qid=into))
    act = await world.built.citizens.part(Qid(away), by="TRUC-BAN", now=world.now)
    await world.built.store.append(act)
    for qid in (into, away):
        assert [e for e in (await stands(world, qid)).events if e.event == "contact" and e.since == world.now], qid
    assert (await stands(world, other["qid"])).health_at(world.now) == "positive"
    assert (await stands(world, one["qid"])).health_at(world.now) == "contact"
    await sound(world)


async def test_the_same_report_twice_is_one(world: World) -> None:
    sent = (await world.declare(world.person(0))).json()
    first = await report(world, event(qid=sent["qid"]), key="1")
    again = await asyncio.gather(*(report(world, event(qid=sent["qid"]), key="1") for _ in range(5)))
    assert {one.id for one in again} == {first.id} and all(one.repeated for one in again)
    many = await asyncio.gather(*(report(world, event("contact", qid=sent["qid"]), key="2") for _ in range(5)))
    assert len({one.id for one in many}) == 1 and [one.repeated for one in many].count(False) == 1
    assert (await kinds_of(world, sent["qid"])).count("HealthReported") == 2
    other = await report(world, event(qid=sent["qid"]), source="BENHVIEN", key="1")
    assert other.id != first.id, "a key is its sender's own"
    with pytest.raises(Conflict, match="reused"):
        await report(world, event("contact", qid=sent["qid"]), key="1")


async def test_who_is_reported_is_somebody_and_their_case_somebody_else(world: World) -> None:
    sent = (await world.declare(world.person(0))).json()
    case = (await world.declare(world.person(1))).json()["qid"]
    slipped = {**person_of(world.person(0)), "name": world.person(0).name + " Anh"}
    stranger = {**person_of(world.person(0)), "name": "Trần Văn Khác"}
    not_born_then = {
        **person_of(world.person(0)),
        "birth_date": world.person(0).birth_date.replace(month=1, day=2).isoformat(),
    }
    before = world.rows()
    for raw, code in [
        (event(qid=NOBODY), "event.qid_unknown"),
        (event(person=stranger), "event.nobody"),
        (event(person=slipped), "event.name_differs"),
        (event(person=not_born_then), "event.nobody"),
        (event("contact", qid=sent["qid"], case=NOBODY), "event.case_unknown"),
        (event("contact", qid=sent["qid"], case=sent["qid"]), "event.case_of_oneself"),
    ]:  # fmt: skip
        with pytest.raises(Invalid) as refused:
            await report(world, raw)
        assert refused.value.code == code and refused.value.fields and refused.value.words.vi
    assert world.rows() == before | {"once": before["once"] + 3}, "three tries, and nothing half written"
    told = await report(world, event("contact", qid=sent["qid"], case=case))
    (fact,) = [one for one in await world.built.store.facts_about(told.qid) if one.id == told.id]
    assert isinstance(fact.what, HealthReported) and (fact.what.case, fact.what.source) == (case, "CDC")
    assert fact.personal is None


async def test_a_code_issued_while_it_is_reported_is_listed_a_minute_later(world: World) -> None:
    """The race that no lock closes: the code was under way when the report was written."""
    sent = (await world.declare(world.person(0))).json()
    store, append = world.built.store, world.built.store.append
    began, go = asyncio.Event(), asyncio.Event()

    async def slowly(act: Any) -> Any:
        if any(fact.id.startswith("dcl") for fact in act.facts):
            began.set()
            await go.wait()
        return await append(act)

    store.append = slowly  # type: ignore[method-assign]
    declaring = asyncio.create_task(world.declare(world.person(0)))
    await began.wait()
    await report(world, event(qid=sent["qid"]))
    go.set()
    again = (await declaring).json()
    store.append = append  # type: ignore[method-assign]
    online, offline = await both(world, again["code"])
    assert online[0] == "reject"
    world.now += dt.timedelta(minutes=2)
    online, offline = await both(world, again["code"])
    assert (online[0], offline[2]) == ("reject", ["freshness.check_again"])


async def test_no_fact_more_than_there_is_something_to_say(world: World) -> None:
    sent = (await world.declare(world.person(0))).json()
    await report(world, event("ended", qid=sent["qid"]))
    await report(world, event("case", qid=sent["qid"], since="2026-01-10"))
    facts = [fact.what for fact in await world.built.store.facts_about(Qid(sent["qid"]))]
    assert not [what for what in facts if isinstance(what, CheckAgain)], "it had ended before it was reported"
    assert [what for what in facts if isinstance(what, Restored)]
    assert await reasons(world, code=sent["code"]) == ["accept"]


async def test_the_holder_is_told_and_who_is_only_nearly_them_is_not(world: World) -> None:
    """On the page of their code, and of the way ahead."""
    person = next(one for one in map(world.person, range(60)) if len(one.name.split(" ")) > 2)
    words = person.name.split(" ")
    near, browser = world.browser(), world.browser()
    assert (await world.declare_on_page(near, person, name=" ".join([words[0], *words[2:]]))).status_code == 200
    world.now += HOUR
    assert (await world.declare_on_page(browser, person)).status_code == 303
    sent = (await world.declare(person)).json()
    await report(world, event(qid=sent["qid"], until="2026-02-08"))
    for client, tells in ((browser, True), (near, False)):
        assert ("cách ly hết ngày 08/02/2026" in (await client.get("/code")).text) == tells
        assert ("cần cách ly" in (await client.get("/code/1/ahead")).text) == tells
    platform = await world.platform()
    ahead = await platform.post("/v1/prechecks", json={"declaration": sent["declaration"]})
    assert ahead.json()["checkpoints"][0]["now"]["reasons"][0]["code"] == "health.positive"
    await report(world, event("ended", since=world.now.isoformat(), qid=sent["qid"]))
    assert "cách ly" not in (await browser.get("/code")).text
    world.now += dt.timedelta(minutes=1)
    await report(world, event("contact", since=world.now.isoformat(), qid=sent["qid"]))
    page = (await browser.get("/code?lang=en")).text
    assert "Health staff say that you met a patient on 18/01/2026" in page


async def test_nobody_finds_out_by_reporting_who_was_born_when(world: World) -> None:
    """The number tells the year: without a count by number 365 guesses would do, and half an hour."""
    person = world.person(0)
    days = [person.birth_date.replace(month=1, day=day).isoformat() for day in range(2, 2 + REPORTS_A_DAY)]

    async def guess(day: str, source: str = "CDC", who: dict[str, Any] | None = None) -> str:
        try:
            await report(world, event(person={**(who or person_of(person)), "birth_date": day}), source=source)
        except (Invalid, Conflict) as refused:
            return refused.code
        return "reported"

    told = await asyncio.gather(*(guess(day) for day in [*days, *days]))
    assert sorted(told) == ["event.nobody"] * REPORTS_A_DAY + ["event.too_many_tries"] * REPORTS_A_DAY
    right = person.birth_date.isoformat()
    assert await guess(right) == "event.too_many_tries", "the right one tells no more than a wrong one"
    of_nobody = {**person_of(person), "document": {"kind": "cccd", "number": person.documents[0].number[:6] + "999999"}}
    told = [await guess(day, who=of_nobody) for day in [*days, right]]
    assert told == [*["event.nobody"] * REPORTS_A_DAY, "event.too_many_tries"], "a number of nobody looks the same"
    assert await guess(right, "BENHVIEN") == "reported", "one platform's mistakes are not another's"
    qid = (await world.declare(person)).json()["qid"]
    assert (await report(world, event(qid=qid))).state == "check"
    world.now += DAY
    assert await guess(right) == "reported"


async def test_to_ask_again_what_became_of_a_report_is_a_look(world: World) -> None:
    browser = world.browser()
    await world.declare_on_page(browser, world.person(0))
    house = world.built.house
    [held] = await house.wallets.held(house.wallet(browser.cookies["motma_wallet"]))
    qid = held.qid
    first = await report(world, event("ended", since=world.now.isoformat(), qid=qid), key="1")
    assert (await kinds_of(world, qid)).count("LookMade") == 0
    raw = event("ended", since=world.now.isoformat(), qid=qid)
    for _ in range(3):
        assert (await report(world, raw, key="1")).id == first.id
    world.now += HOUR
    assert (await report(world, raw, key="1")).state == "good"
    facts = await world.built.store.facts_about(Qid(qid))
    looks = [(fact.actor, fact.what) for fact in facts if isinstance(fact.what, LookMade)]
    assert looks == [("CDC", LookMade("report", "health:write", ("qid", "state")))] * 2
    page = (await browser.get("/code/1/looks")).text
    assert page.count("Cơ quan y tế xem lại báo cáo của mình") == 2 and "health:write" not in page
    await sound(world)
