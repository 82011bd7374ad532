"""Following up a case in a living house: who is found, who is not, what is written down, and for whom not at all."""

import asyncio
import datetime as dt
from typing import Any

import msgspec
import pytest

from motma.core.errors import Hidden, Invalid, MotmaError
from motma.core.facts import Fact, HealthReported, LookMade
from motma.core.ids import Qid, new_fact_id, new_qid
from motma.core.tracing import Trace
from motma.services.enrol import HealthStaff
from motma.services.exchange import tracing
from motma.services.exchange.exposures import HEADER, rows_of
from motma.storage.store import Act
from tests.world import HERE, NEXT, World

STAFF = HealthStaff("CDC-01")
MINUTE = dt.timedelta(minutes=1)


async def report(world: World, qid: str, event: str = "case", source: str = "CDC", **more: Any) -> None:
    what = HealthReported(event, source, **{"since": world.now, "until": None, "reference": "r-1", **more})  # type: ignore[arg-type]
    fact = Fact(id=new_fact_id("hev", world.now, world.scan_id().encode()[-10:]), at=world.now, actor=source, what=what)
    await world.built.store.append(Act((msgspec.structs.replace(fact, qid=Qid(qid)),)))


async def trace(world: World, qid: str, **changes: str) -> Trace:
    typed = {"qid": qid, "within": "15", "before": "48", "until": ""}
    typed |= {"purpose": "Điều tra dịch tễ", "basis": "Quyết định 12/QĐ-SYT"} | changes
    return await world.built.house.tracing.trace(typed, staff=STAFF, now=world.now)


async def declared(world: World, n: int, plate: str = "", **changes: Any) -> dict[str, Any]:
    answer = await world.declare(world.person(n), **{"trip__plate": plate, **changes})
    assert answer.status_code == 201, answer.text
    said: dict[str, Any] = answer.json()
    return said


async def looks_at(world: World, qid: str) -> list[Fact]:
    return await world.built.store.facts_about(Qid(qid), kinds=("look.made",))


async def test_who_passed_when_the_case_did(world: World) -> None:
    case, near, refused, late, elsewhere = [await declared(world, n) for n in range(5)]
    officer, other = await world.officer_at(HERE, "CB-01"), await world.officer_at(NEXT, "CB-02")
    await world.check(code=near["code"], officer=officer)
    world.now += 4 * MINUTE
    await world.check(code=case["code"], officer=officer)
    await world.check(code=elsewhere["code"], officer=other)
    await world.check(code="HC1:nothing", officer=officer)
    world.now += 6 * MINUTE
    await world.built.house.status.revoke(Qid(refused["qid"]), "test", by="cli", now=world.now)
    assert (await world.check(code=refused["code"], officer=officer)).json()["outcome"] == "reject"
    world.now += 20 * MINUTE
    await world.check(code=late["code"], officer=officer)
    await report(world, case["qid"])
    found = await trace(world, case["qid"])
    assert [one.qid for one in found.contacts] == [near["qid"], refused["qid"]]
    first, second = [one.meetings[0] for one in found.contacts]
    assert (first.seconds, first.checkpoint, first.outcome) == (-240, HERE, "accept")
    assert (second.seconds, second.outcome) == (360, "reject")
    person = world.person(1)
    assert (found.contacts[0].name, found.contacts[0].born) == (person.name, person.birth_date.isoformat())
    assert [phone.number for phone in found.contacts[0].phones] == [person.phone]
    assert (found.unnamed, found.case.name, len(found.visits)) == (1, world.person(0).name, 1)
    wide = await trace(world, case["qid"], within="30")
    assert {one.qid for one in wide.contacts} == {near["qid"], refused["qid"], late["qid"]}


async def test_the_time_is_the_devices_put_right(world: World) -> None:
    """A device an hour ahead that sends late: what counts is when it was held up, by the server's clock."""
    case, other = await declared(world, 0), await declared(world, 1)
    await world.check(code=case["code"])
    world.now += 8 * MINUTE
    ahead = world.now + dt.timedelta(hours=1)
    await world.check(code=other["code"], scanned_at=(ahead - 7 * MINUTE).isoformat(), device_time=ahead.isoformat())
    await report(world, case["qid"])
    [contact] = (await trace(world, case["qid"], within="2")).contacts
    assert contact.meetings[0].seconds == 60


async def test_who_shared_a_vehicle_and_who_was_reported(world: World) -> None:
    plate = "59X312345"
    case, rider, both = [await declared(world, n, plate) for n in range(3)]
    alone = await declared(world, 3, "51C99999")
    friend = await declared(world, 4)
    await world.check(code=case["code"])
    await world.check(code=both["code"])
    await report(world, case["qid"])
    await report(world, friend["qid"], "contact", "BLUEZONE", case=Qid(case["qid"]), reference="bz-7")
    never = new_qid(b"somebody")
    await report(world, never, "contact", "BLUEZONE", case=Qid(case["qid"]), reference="bz-8")
    await report(world, alone["qid"], "contact", "BLUEZONE", case=new_qid(b"another."), reference="bz-9")
    found = await trace(world, case["qid"])
    ways = {one.qid: [meeting.how for meeting in one.meetings] for one in found.contacts}
    assert ways == {
        both["qid"]: ["vehicle", "checkpoint"],
        friend["qid"]: ["reported"],
        never: ["reported"],
        rider["qid"]: ["vehicle"],
    }
    assert found.contacts[0].qid == both["qid"] and found.contacts[-1].qid == rider["qid"]
    unknown = next(one for one in found.contacts if one.qid == never)
    assert (unknown.name, unknown.told, unknown.meetings[0].reference) == ("", ("qid", "reported"), "bz-8")


async def test_merged_numbers_are_one_person_on_both_sides(world: World) -> None:
    """Case and contact both declared by two documents while the register was away."""
    numbers = []
    world.registry.outage = True
    for n in (0, 1):
        old = world.person(n).documents[1]
        cmnd = {"kind": old.kind, "number": old.number}
        numbers.append((await declared(world, n), await declared(world, n, document=cmnd)))
    for one in (0, 1):
        for sent in numbers:
            await world.check(code=sent[one]["code"])
    world.registry.outage = False
    world.now += 10 * MINUTE
    await world.work()
    await report(world, numbers[0][1]["qid"])
    for number in numbers[0]:
        [contact] = (await trace(world, number["qid"])).contacts
        standing = await world.built.citizens.standing(Qid(numbers[1][0]["qid"]))
        assert standing and contact.qid == standing.qid and standing.also


async def test_everybody_told_reads_of_it_and_nobody_else_is_written_down(world: World) -> None:
    case, near, far = [await declared(world, n) for n in range(3)]
    await world.check(code=case["code"])
    await world.check(code=near["code"])
    await report(world, case["qid"])
    await trace(world, case["qid"])
    for qid, told in ((case["qid"], ("name", "birth_date", "phone")), (near["qid"], None)):
        [look] = await looks_at(world, qid)
        assert isinstance(look.what, LookMade) and look.actor == STAFF.name
        assert (look.what.purpose, look.what.basis) == ("tracing", "Quyết định 12/QĐ-SYT")
        assert look.what.told == (told or ("name", "birth_date", "phone", "checkpoint"))
        opened = await world.built.store.fact(look.id)
        assert opened and opened.personal and "dịch tễ" in opened.personal.decode()
    assert await looks_at(world, far["qid"]) == []


async def test_nobody_is_looked_up_without_a_case(world: World) -> None:
    healthy, contact = await declared(world, 0), await declared(world, 1)
    await report(world, contact["qid"], "contact", case=new_qid(b"another."))
    before = world.rows()
    for qid in (healthy["qid"], contact["qid"], new_qid(b"nobody..")):
        with pytest.raises(Hidden) as error:
            await trace(world, qid)
        assert error.value.code == "tracing.no_case"
    assert world.rows() == before


async def test_too_wide_a_question_names_nobody(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    case, *others = [await declared(world, n) for n in range(4)]
    for one in (case, *others):
        await world.check(code=one["code"])
    await report(world, case["qid"])
    before = world.rows()
    for name, most in (("PEOPLE_MAX", 2), ("_BESIDE_MAX", 3), ("_PASSAGES_MAX", 0)):
        with monkeypatch.context() as narrow, pytest.raises(Invalid) as error:
            narrow.setattr(tracing, name, most)
            await trace(world, case["qid"])
        assert error.value.code == "tracing.too_many"
    assert world.rows() == before
    assert len((await trace(world, case["qid"])).contacts) == 3


async def test_a_plate_that_many_declare_does_not_hide_the_rest(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tracing, "_ABOARD_MAX", 2)
    case, *others = [await declared(world, n, "59X312345") for n in range(4)]
    await world.check(code=case["code"])
    await world.check(code=others[-1]["code"])
    await report(world, case["qid"])
    found = await trace(world, case["qid"])
    assert found.cut and others[-1]["qid"] in {one.qid for one in found.contacts}


async def test_one_of_the_staff_cannot_ask_without_end(world: World) -> None:
    case = await declared(world, 0)
    await report(world, case["qid"])
    asked: list[Trace | BaseException] = await asyncio.gather(
        *(trace(world, case["qid"]) for _ in range(tracing.TRACES + 1)), return_exceptions=True
    )
    [refused] = [one for one in asked if isinstance(one, MotmaError)]
    assert refused.code == "tracing.too_often"
    world.now += tracing.TRACES_PER
    await trace(world, case["qid"])


async def test_phones_of_several_sources_stand_side_by_side(world: World) -> None:
    person, other = world.person(1), "+84912345678"
    case, _ = await declared(world, 0), await declared(world, 1)
    again = await world.declare(person, await world.platform("BLUEZONE"), phone=other)
    await world.check(code=case["code"])
    await world.check(code=again.json()["code"])
    await report(world, case["qid"])
    [contact] = (await trace(world, case["qid"])).contacts
    assert {(phone.number, phone.source) for phone in contact.phones} == {
        (person.phone, "BENHVIEN"),
        (other, "BLUEZONE"),
    }
    table = list(rows_of(await trace(world, case["qid"])))
    assert table[0] == HEADER and len(table) == 2 and len(table[1]) == len(HEADER)
    assert f"{other} (BLUEZONE)" in table[1][3] and table[1][4:6] == ("checkpoint", HERE)


async def test_of_whom_only_the_year_is_known_no_day_is_made_up(world: World) -> None:
    person = world.person(1)
    case, other = await declared(world, 0), await declared(world, 1, birth_date=str(person.birth_date.year))
    await world.check(code=case["code"])
    await world.check(code=other["code"])
    await report(world, case["qid"])
    [contact] = (await trace(world, case["qid"])).contacts
    assert contact.born == str(person.birth_date.year)
