"""Check over the API: each thing an officer may see is judged rightly, and recorded whatever came of it."""

import asyncio
import datetime as dt
from typing import Any

import httpx
import pytest

from motma.core.facts import Scanned
from motma.core.ids import FactId
from tests.world import HERE, World
from vectors.code import make

HOUR = dt.timedelta(hours=1)


async def code_of(world: World, n: int = 0, **changes: Any) -> str:
    sent = await world.declare(world.person(n), **changes)
    code = sent.json()["code"]
    assert isinstance(code, str)
    return code


def said(answer: httpx.Response) -> tuple[str, list[str]]:
    assert answer.status_code == 200, answer.text
    return answer.json()["outcome"], [reason["code"] for reason in answer.json()["reasons"]]


async def recorded(world: World, answer: httpx.Response) -> Scanned:
    fact = await world.built.store.fact(FactId(answer.json()["id"]))
    assert fact is not None and isinstance(fact.what, Scanned) and fact.checkpoint == HERE
    return fact.what


async def test_codes_that_are_not_good_are_answered_and_recorded(world: World) -> None:
    code = await code_of(world)
    stranger = make.text(make.cose(b"\xa0", key=make.STRANGER))
    cases = [
        ("", "manual", "code.not_zlib"),
        ("hello", "manual", "code.not_base45"),
        (code.lower(), "manual", "code.not_base45"),
        ("0" * 300, "manual", "code.not_zlib"),
        ("\x00\u202e" * 9, "manual", "code.not_base45"),
        ("0" * 60_000, "manual", "code.oversized"),
        (stranger, "manual", "code.unknown_key"),
        (make.changed(), "manual", "code.unknown_key"),
    ]
    for n, (text, outcome, reason) in enumerate(cases):
        answer = await world.check(code=text)
        assert said(answer) == (outcome, [reason]), text[:40]
        assert answer.json()["citizen"] is None and not answer.json()["known"]
        scan = await recorded(world, answer)
        assert (scan.outcome, scan.reasons, scan.known) == (outcome, (reason,), False)
        assert world.rows()["facts"] == 3 + n + 1


async def test_every_byte_of_a_code_counts(world: World) -> None:
    from motma.core import base45

    code = await code_of(world)
    squeezed = base45.decode(code)
    for byte in range(0, len(squeezed), 5):
        changed = bytearray(squeezed)
        changed[byte] ^= 0x20
        outcome, reasons = said(await world.check(code=base45.encode(bytes(changed))))
        assert (outcome, reasons[0]) in {
            ("reject", "code.forged"),
            ("manual", "code.not_zlib"),
            ("manual", "code.unknown_key"),
        }, byte


async def test_a_forged_code_is_rejected(world: World) -> None:
    import zlib

    from motma.core import base45

    envelope = bytearray(zlib.decompress(base45.decode(await code_of(world))))
    envelope[-1] ^= 1
    answer = await world.check(code=base45.encode(zlib.compress(bytes(envelope))))
    assert said(answer) == ("reject", ["code.forged"])
    assert answer.json()["citizen"] is None
    assert (await recorded(world, answer)).outcome == "reject"


async def test_time_runs_out(world: World) -> None:
    code = await code_of(world)
    world.now += 72 * HOUR - dt.timedelta(seconds=1)
    assert said(await world.check(code=code))[0] == "accept"
    world.now += dt.timedelta(seconds=1)
    world.forget()
    officer = await world.officer_at(officer="CB-02")
    answer = await world.check(code=code, officer=officer)
    assert said(answer) == ("reject", ["standing.expired"])
    assert "Khai lại" in answer.json()["reasons"][0]["cure"]["vi"]
    sent = await world.declare(world.person(0))
    assert said(await world.check(code=code, officer=officer))[0] == "accept"  # declared again, old code in hand
    assert said(await world.check(qid=sent.json()["qid"], officer=officer))[0] == "accept"


async def test_a_measure_that_ends_while_codes_live(world: World) -> None:
    code = await code_of(world)
    await world.built.house.steer.end_measure("demo-hcmc", by="test", now=world.now)
    answer = await world.check(code=code)
    assert said(answer) == ("accept", ["measure.none_active"])
    assert (await recorded(world, answer)).reasons == ("measure.none_active",)


async def test_health_answers(world: World) -> None:
    symptoms = dict.fromkeys((one.id for one in world.built.house.declare.form.symptoms), False)
    first = next(iter(symptoms))
    assert said(await world.check(code=await code_of(world, 1, health__contact=True))) == (
        "manual",
        ["health.contact"],
    )
    code = await code_of(world, 2, health__symptoms={**symptoms, first: True})
    assert said(await world.check(code=code)) == ("reject", ["health.symptoms"])


async def test_a_number_that_nobody_holds(world: World) -> None:
    answer = await world.check(qid="521322923144321717")
    assert said(answer) == ("manual", ["standing.none"])
    assert (answer.json()["citizen"], answer.json()["known"]) == (None, False)
    await recorded(world, answer)


@pytest.mark.parametrize(
    ("qid", "code"),
    [
        ("521322923144321718", "qid.check_digit"),
        ("52132292314432171", "qid.malformed"),
        ("", "qid.malformed"),
        ("٥٢١٣٢٢٩٢٣١٤٤٣٢١٧١٧", "qid.malformed"),
        ("5" * 5_000, "qid.malformed"),
    ],
)
async def test_a_number_with_a_wrong_digit(world: World, qid: str, code: str) -> None:
    await world.check(qid="521322923144321717")  # somebody is on duty
    before = world.rows()
    answer = await world.check(qid=qid)
    assert (answer.status_code, answer.json()["code"]) == (422, code)
    assert world.rows() == before


async def test_the_same_scan_twice_is_one_scan(world: World) -> None:
    code, id = await code_of(world), world.scan_id()
    first = await world.check(code=code, id=id)
    before = world.rows()
    world.now += dt.timedelta(seconds=30)
    again = await world.check(code=code, id=id)
    assert again.json() == {**first.json(), "already": True}
    assert world.rows() == before


async def test_the_same_scan_answers_as_it_was_judged_then(world: World) -> None:
    code, id = await code_of(world), world.scan_id()
    await world.divert()
    first = await world.check(code=code, id=id)
    assert said(first)[0] == "refer"
    await world.built.house.steer.close_diversion(HERE, by="test", now=world.now)
    assert said(await world.check(code=code))[0] == "accept"
    assert (await world.check(code=code, id=id)).json() == {**first.json(), "already": True}


async def test_one_scan_id_never_speaks_for_somebody_else(world: World) -> None:
    """A green verdict for one person must not be shown for the next one under the same id."""
    good, other = await code_of(world, 0), await code_of(world, 1)
    qid = (await world.check(code=other)).json()["citizen"]["qid"]
    id = world.scan_id()
    assert said(await world.check(code=good, id=id))[0] == "accept"
    before = world.rows()
    for ask in ({"code": other}, {"qid": qid}, {"code": "hello"}, {"qid": "521322923144321717"}):
        answer = await world.check(id=id, **ask)
        assert (answer.status_code, answer.json()["code"]) == (409, "scan.id_taken")
    assert world.rows() == before


async def test_a_scan_id_of_another_device(world: World) -> None:
    code, id = await code_of(world), world.scan_id()
    assert said(await world.check(code=code, id=id))[0] == "accept"
    officer = await world.officer_at(officer="CB-02")
    answer = await world.check(code=code, id=id, officer=officer)
    assert (answer.status_code, answer.json()["code"]) == (409, "scan.id_taken")


async def test_a_scan_id_of_another_fact(world: World) -> None:
    sent = await world.declare(world.person(0))
    for id in (sent.json()["declaration"], "scn_" + "0" * 25, "scn_" + "u" * 26, "SCN_" + "0" * 26, "", "\x00" * 30):
        answer = await world.check(code=sent.json()["code"], id=id)
        assert (answer.status_code, answer.json()["code"]) == (422, "id.malformed")


async def test_twenty_at_once_under_one_id_are_one_scan(world: World) -> None:
    code, id = await code_of(world), world.scan_id()
    await world.check(code=code)
    before = world.rows()["facts"]
    answers = await asyncio.gather(*[world.check(code=code, id=id) for _ in range(20)])
    assert {said(answer)[0] for answer in answers} == {"accept"}
    assert sorted(answer.json()["already"] for answer in answers) == [False] + [True] * 19
    assert world.rows()["facts"] == before + 1


@pytest.mark.parametrize("lie", [-24 * HOUR, 24 * HOUR])
async def test_a_device_whose_clock_lies(world: World, lie: dt.timedelta) -> None:
    """It neither brings an expired code back to life nor makes a good one expire, and the lie is kept."""
    code = await code_of(world)
    world.now += 60 * HOUR
    officer = await world.officer_at(officer="CB-02")
    when = (world.now + lie).isoformat()
    answer = await world.check(code=code, officer=officer, scanned_at=when, device_time=when)
    assert said(answer)[0] == "accept"
    assert (await recorded(world, answer)).skew_seconds == lie.total_seconds()
    world.now += 24 * HOUR
    officer = await world.officer_at(officer="CB-03")
    when = (world.now + lie).isoformat()
    answer = await world.check(code=code, officer=officer, scanned_at=when, device_time=when)
    assert said(answer) == ("reject", ["standing.expired"])


@pytest.mark.parametrize(
    ("times", "code"),
    [
        ({"scanned_at": "2026-01-18T07:00:00"}, "time.no_zone"),
        ({"device_time": "2026-01-18T07:00:00"}, "time.no_zone"),
        ({"device_time": "2026-01-18T07:11:00Z"}, "scan.too_old"),
        ({"device_time": "2026-01-18T06:59:00Z"}, "scan.too_old"),
        ({"scanned_at": "0001-01-01T00:00:00+14:00"}, "time.out_of_range"),
        ({"scanned_at": "9999-12-31T23:59:59-14:00"}, "time.out_of_range"),
        ({"scanned_at": "2026-02-31T00:00:00Z"}, "body.malformed"),
        ({"scanned_at": "0000-01-01T00:00:00Z"}, "body.malformed"),
        ({"scanned_at": 1_768_719_600}, "body.malformed"),
        ({"scanned_at": None}, "body.malformed"),
    ],
)
async def test_times_that_make_no_sense(world: World, times: dict[str, Any], code: str) -> None:
    await world.check(qid="521322923144321717")
    before = world.rows()
    answer = await world.check(code="x", **times)
    assert (answer.status_code, answer.json()["code"]) == (422, code), answer.text
    assert world.rows() == before


async def test_a_code_or_a_number_and_not_both(world: World) -> None:
    for ask in ({}, {"code": "x", "qid": "521322923144321717"}):
        answer = await world.check(**ask)
        assert (answer.status_code, answer.json()["code"]) == (422, "check.one_of")


async def test_what_is_not_asked_for_is_refused(world: World) -> None:
    answer = await world.check(code="x", outcome="accept")
    assert (answer.status_code, answer.json()["code"]) == (422, "body.malformed")


async def test_a_scan_is_counted_at_the_checkpoint_of_the_device(world: World) -> None:
    """Whatever the request says: where an officer is, the device knows."""
    await world.check(code="x")
    counted = await world.built.store.tally(world.now - HOUR)
    assert {(tally.place, tally.kind, tally.outcome): n for tally, n in counted} == {
        (HERE, "scanned", "manual"): 1,
        (HERE, "reason", "code.not_base45"): 1,
    }


async def test_a_measure_names_the_policies_that_decide(world: World) -> None:
    code = await code_of(world)
    await world.publish(policies=("health",))
    assert said(await world.check(code="hello")) == ("accept", [])  # nothing asks whether a code is good
    assert said(await world.check(code=code)) == ("accept", [])
    await world.publish(policies=("health", "tomorrow"))
    assert said(await world.check(code=code)) == ("manual", ["rule.error"])
