"""Is this code good: of every code, for somebody who is no officer, and nothing told that is not theirs to know."""

import datetime as dt
from typing import Any

import pytest

from motma.core.errors import Conflict, Hidden, Invalid
from motma.core.facts import LookMade
from motma.core.ids import Qid
from motma.services.exchange.verify import Verified
from tests.browser.city import tamper
from tests.services.exchange.test_events import event, person_of, report
from tests.world import HERE, World
from vectors.code import make

HOUR = dt.timedelta(hours=1)


async def verify(world: World, code: str, checkpoint: str | None = None, *, source: str = "SANBAY") -> Verified:
    return await world.built.house.verify.verify(code, checkpoint, source=source, now=world.now)


async def said(world: World, code: str, checkpoint: str | None = None) -> tuple[bool | None, str, list[str]]:
    told = await verify(world, code, checkpoint)
    return told.good, told.state, [reason.code for reason in told.reasons]


async def looks(world: World, qid: str) -> list[Any]:
    return await world.built.store.facts_about(Qid(qid), kinds=("look.made",))


async def test_a_good_code_names_its_bearer_and_each_minute_of_looking_is_one_look(world: World) -> None:
    person = world.person(0)
    sent = (await world.declare(person)).json()
    told = await verify(world, sent["code"])
    assert (told.good, told.state, told.reasons, told.reading) == (True, "good", (), None)
    assert (told.qid, told.name, told.birth_date) == (sent["qid"], person.name, person.birth_date)
    assert told.last_four == person.documents[0].number[-4:]
    assert told.valid_until == dt.datetime.fromisoformat(sent["valid_until"])
    for source in ("SANBAY", "SANBAY", "BENXE"):
        await verify(world, sent["code"], source=source)
    assert [look.actor for look in await looks(world, sent["qid"])] == ["SANBAY", "BENXE"]
    world.now += dt.timedelta(minutes=1)
    await verify(world, sent["code"])
    (*_, last) = await looks(world, sent["qid"])
    assert last.at == world.now and isinstance(last.what, LookMade) and last.what.purpose == "verification"
    assert "name" in last.what.told and last.personal is None
    assert len(await looks(world, sent["qid"])) == 3


async def test_a_code_that_is_over_withdrawn_or_forged(world: World) -> None:
    sent = (await world.declare(world.person(0))).json()
    other = (await world.declare(world.person(1))).json()
    status = world.built.house.status
    before = world.rows()
    assert await said(world, tamper(sent["code"])) == (False, "forged", ["code.forged"])
    forged = await verify(world, tamper(sent["code"]))
    assert (forged.qid, forged.name, forged.birth_date, forged.valid_until) == (None, None, None, None)
    assert world.rows() == before, "a look at nobody is none"
    await status.suspend(Qid(sent["qid"]), "Thử", by="test", now=world.now)
    assert (await said(world, sent["code"]))[1:] == ("withdrawn", ["standing.suspended"])
    await status.revoke(Qid(sent["qid"]), "Thử", by="test", now=world.now)
    assert await said(world, sent["code"]) == (False, "withdrawn", ["standing.revoked", "standing.suspended"])
    world.now += 72 * HOUR
    assert await said(world, other["code"]) == (False, "expired", ["standing.expired"])


async def test_what_is_not_known_is_not_invalid(world: World) -> None:
    stranger = make.text(make.cose(b"\xa0", key=make.STRANGER))
    assert await said(world, stranger) == (None, "unknown", ["code.unknown_key"])
    world.registry.outage = True
    pending = (await world.declare(world.person(0))).json()
    assert await said(world, pending["code"]) == (None, "check", ["identity.pending"])


async def test_codes_that_are_not_ours_are_read_and_name_nobody(world: World) -> None:
    person = world.person(0)
    sent = (await world.declare(person)).json()
    card = f"{person.documents[0].number}|{person.documents[1].number}|{person.name}|01021990|Nam|Hà Nội|01012021"
    before = world.rows()
    for text, kind in [("HELLO", None), ("x" * 9_000, None), (card, "cccd"), ("", None)]:
        told = await verify(world, text)
        assert (told.good, told.state, told.qid, told.name) == (None, "not_ours", None, None), text[:40]
        assert (told.reading.kind if told.reading else None) == kind
        assert told.reasons[0].words["vi"] and told.reasons[0].cure["en"]
    assert world.rows() == before and not await looks(world, sent["qid"])


async def test_at_a_checkpoint_all_that_is_asked_there(world: World) -> None:
    sent = (await world.declare(world.person(0))).json()
    await world.publish(policies=("code", "standing", "validity", "permits"))
    world.forget()
    assert await said(world, sent["code"]) == (True, "good", [])
    at_the_gate = await said(world, sent["code"], HERE)
    checked = (await world.check(code=sent["code"])).json()
    assert at_the_gate[2] == [reason["code"] for reason in checked["reasons"]] == ["permit.none"]
    assert at_the_gate[1] == "check"
    with pytest.raises(Invalid) as refused:
        await verify(world, sent["code"], "nowhere")
    assert refused.value.code == "verify.checkpoint"
    await world.built.house.steer.end_measure("demo-hcmc", by="test", now=world.now)
    world.forget()
    assert await said(world, sent["code"]) == (True, "good", []), (
        "whether a code is good is asked without a measure too"
    )
    assert await said(world, sent["code"], HERE) == (True, "good", ["measure.none_active"])


async def test_a_case_is_said_to_who_holds_the_code_and_by_merged_numbers(world: World) -> None:
    world.registry.outage = True
    first = (await world.declare(world.person(0))).json()
    world.registry.outage = False
    told = await report(world, event(person=person_of(world.person(0), 1)))
    assert await world.work() == 1 and told.qid != first["qid"]
    newest = await world.built.house.own_code.of(first["declaration"], source="BENHVIEN")
    assert await said(world, newest.text) == (False, "check", ["health.positive"])
    assert (await verify(world, newest.text)).qid == first["qid"] == newest.qid


async def test_who_types_a_strangers_number_learns_nothing_of_them(world: World) -> None:
    """The register is away, so nobody knows that it is not them; their code tells what they said themselves."""
    victim = world.person(0)
    theirs = (await world.declare(victim)).json()
    world.registry.outage = True
    other = await world.platform("LA")
    guess = (await world.declare(victim, other, name="Trần Văn Khác")).json()
    again = (await world.declare(victim, other, name=victim.name.upper(), phone="+84912345678")).json()
    before = [await said(world, sent["code"]) for sent in (guess, again)]
    await report(world, event(qid=theirs["qid"]))
    await world.built.house.status.revoke(Qid(theirs["qid"]), "Thử", by="test", now=world.now)
    assert (await said(world, theirs["code"]))[:2] == (False, "withdrawn")
    told = await said(world, guess["code"])
    assert told == before[0] == (None, "check", ["identity.pending"]) and guess["qid"] != theirs["qid"]
    if again["outcome"] == "pending":
        assert await said(world, again["code"]) == before[1]


async def test_the_code_to_show_is_the_citizens_newest_once_it_is_sure_whose_it_is(world: World) -> None:
    person, hospital, bluezone = world.person(0), await world.platform(), await world.platform("BLUEZONE")
    own_code = world.built.house.own_code
    world.registry.outage = True
    pending = (await world.declare(person, bluezone)).json()
    world.registry.outage = False
    newer = (
        await world.declare(person, hospital, document={"kind": "cmnd", "number": person.documents[1].number})
    ).json()
    assert pending["qid"] != newer["qid"]
    assert (await own_code.of(pending["declaration"], source="BLUEZONE")).text == pending["code"]
    with pytest.raises(Hidden):
        await own_code.of(pending["declaration"], source="BENHVIEN")
    assert await world.work() == 1
    shown = [
        await own_code.of(pending["declaration"], source="BLUEZONE"),
        await own_code.of(newer["declaration"], source="BENHVIEN"),
    ]
    assert shown[0] == shown[1] and shown[0].name == person.name
    assert (await said(world, shown[0].text))[0] is True
    refused = (await world.declare(world.person(1), hospital, name="Quách Đình Tuệ Lâm Phúc")).json()
    with pytest.raises(Conflict, match="no_code"):
        await own_code.of(refused["declaration"], source="BENHVIEN")


async def test_a_slip_in_the_name_shows_its_own_code_only(world: World) -> None:
    """A sure declaration elsewhere is not for whoever is nearly right."""
    person = next(one for one in map(world.person, range(60)) if len(one.name.split(" ")) > 2)
    words = person.name.split(" ")
    near = (await world.declare(person, await world.platform("LA"), name=" ".join([words[0], *words[2:]]))).json()
    assert near["outcome"] == "repairable"
    world.now += HOUR
    sure = (await world.declare(person)).json()
    assert near["qid"] == sure["qid"]
    own_code = world.built.house.own_code
    assert (await own_code.of(near["declaration"], source="LA")).text == near["code"]
    assert (await own_code.of(sure["declaration"], source="BENHVIEN")).text == sure["code"]
