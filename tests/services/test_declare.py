"""Declare over the API: what is sent, what the register says, one code, what is on disk."""

import asyncio
import contextlib
import datetime as dt
import sqlite3
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from motma.core.code import verify_code
from motma.core.facts import Accepted, Trip
from motma.core.text import fold
from motma.services.plates import plate_key
from tests.world import NEXT, World, living_world


def ids_apart(answer: httpx.Response) -> dict[str, Any]:
    return {name: value for name, value in answer.json().items() if name != "declaration"}


async def test_the_whole_line(world: World) -> None:
    person = world.person(0)
    sent = await world.declare(person)
    receipt = sent.json()
    assert (sent.status_code, receipt["outcome"], receipt["repeated"]) == (201, "accepted", False)
    assert receipt["valid_from"] == "2026-01-18T07:00:00Z"
    assert receipt["valid_until"] == "2026-01-21T07:00:00Z"
    claims = verify_code(receipt["code"], await world.built.board.keyring(world.now)).claims
    assert (claims.qid, claims.name, claims.birth_date) == (receipt["qid"], person.name, person.birth_date)
    assert claims.last_four == person.documents[0].last_four and claims.matched
    checked = await world.check(code=receipt["code"])
    assert checked.status_code == 200
    answer = checked.json()
    assert (answer["outcome"], answer["reasons"], answer["known"], answer["already"]) == ("accept", [], True, False)
    assert answer["citizen"] == {
        "qid": receipt["qid"],
        "name": person.name,
        "birth_date": person.birth_date.isoformat(),
        "last_four": person.documents[0].last_four,
    }
    typed = (await world.check(qid=f"{receipt['qid'][:6]} {receipt['qid'][6:12]} {receipt['qid'][12:]}")).json()
    assert (typed["outcome"], typed["citizen"]) == ("accept", answer["citizen"])
    rows = world.rows()
    assert (rows["facts"], rows["standing"]) == (1 + 1 + 1 + 2, 1)  # measure, declaration, code, two scans
    rebuilt = await world.built.store.rebuild_standing()
    assert (rebuilt.checked, rebuilt.differing) == (1, ())


async def test_the_trip_is_kept_as_coarse_as_rules_need_it(world: World) -> None:
    away = {"province": "80", "commune": next(iter(world.built.house.declare.units.communes_of("80")))}
    home = {"province": "79", "commune": "26884"}
    sent = await world.declare(
        world.person(0), trip__origin=away, trip__destination=home, trip__vehicle="truck", trip__plate="51C-123.45"
    )
    qid = sent.json()["qid"]
    standing, accepted = await world.built.store.standing(qid), await world.built.store.fact(sent.json()["declaration"])
    plate = plate_key(world.built.secrets, "51C12345")
    trip = Trip("p80", "go-vap", "truck", plate.hex())
    assert standing and standing.trip == trip
    assert accepted and isinstance(accepted.what, Accepted) and accepted.what.trip == trip
    open_part = msgspec.json.encode(accepted.what).decode()
    assert "51C12345" not in open_part and home["commune"] not in open_part and away["commune"] not in open_part
    assert [holding.qid for holding in await world.built.store.holdings(plate)] == [qid]
    on_foot = await world.declare(world.person(0), trip__vehicle="walk", trip__plate="")
    standing = await world.built.store.standing(on_foot.json()["qid"])
    assert standing and standing.trip and (standing.trip.vehicle, standing.trip.plate) == ("walk", "")
    rebuilt = await world.built.store.rebuild_standing()
    assert (rebuilt.checked, rebuilt.differing) == (1, ())


async def test_a_standing_written_before_trips_were_is_the_fold_of_its_facts(world: World) -> None:
    """An upgraded store: the bodies of facts and standings lack what the code has since learned."""
    first = (await world.declare(world.person(0))).json()
    path = world.settings.database_url.removeprefix("sqlite:///")
    with contextlib.closing(sqlite3.connect(path)) as database, database:
        database.execute("DROP TRIGGER facts_only_reseal")
        for table in ("facts", "standing"):
            database.execute(f"UPDATE {table} SET body = json_remove(body, '$.trip')")
    standing = await world.built.store.standing(first["qid"])
    assert standing and standing.trip is None
    assert (await world.built.store.rebuild_standing()).differing == ()
    assert (await world.check(first["code"])).json()["outcome"] == "accept"
    again = (await world.declare(world.person(0))).json()
    standing = await world.built.store.standing(again["qid"])
    assert again["qid"] == first["qid"] and standing and standing.trip
    assert (await world.built.store.rebuild_standing()).differing == ()


def _slip(name: str) -> str:
    return name[:-1] + ("m" if name[-1] != "m" else "p")


@pytest.mark.parametrize(
    ("misspell", "sentence"),
    [
        (lambda name: fold(name).title(), "tone marks"),
        (lambda name: " ".join(reversed(name.split(" "))), "another order"),
        (lambda name: " ".join(name.split(" ")[:1] + name.split(" ")[2:]), "missing or too many"),
        (_slip, "One letter"),
    ],
)
async def test_a_name_that_differs_as_a_slip_does_travels_is_told_how_and_mended(
    world: World, misspell: Any, sentence: str
) -> None:
    person = next(
        one
        for one in map(world.person, range(100))
        if len(one.name.split(" ")) == 3 and fold(one.name) != one.name.upper()
    )
    sent = await world.declare(person, name=misspell(person.name))
    receipt = sent.json()
    assert (sent.status_code, receipt["outcome"], receipt["differing"]) == (201, "repairable", ["name"])
    assert sentence in receipt["words"]["en"] and receipt["words"]["vi"]
    assert person.name not in sent.text  # what the register holds is told to nobody
    looked_at = (await world.check(receipt["code"])).json()
    assert [reason["code"] for reason in looked_at["reasons"]] == ["identity.repairable"]
    mended = (await world.declare(person)).json()
    assert (mended["outcome"], mended["qid"]) == ("accepted", receipt["qid"])
    assert (await world.check(mended["code"])).json()["outcome"] == "accept"
    old = (await world.check(receipt["code"])).json()
    assert [reason["code"] for reason in old["reasons"]] == ["identity.pending", "code.newer_exists"]


async def test_another_name_is_refused(world: World) -> None:
    await world.platform()
    before = world.rows()
    sent = await world.declare(world.person(0), name="Quách Đình Tuệ Lâm Phúc")
    receipt = sent.json()
    assert (sent.status_code, receipt["outcome"], receipt["differing"]) == (201, "refused", ["name"])
    assert (receipt["qid"], receipt["code"]) == (None, None) and "does not fit" in receipt["words"]["en"]
    assert world.person(0).name not in sent.text
    # one fact; the key it was sent under, and one of the number's tries of the day
    assert world.rows() == {**before, "facts": before["facts"] + 1, "once": before["once"] + 2, "tally": 1}


async def test_the_same_name_written_another_way_matches(world: World) -> None:
    person = world.person(3)
    assert (await world.declare(person, name=f"  {person.name.upper()} ")).json()["outcome"] == "accepted"


async def test_who_asks_cannot_find_out_who_exists(world: World) -> None:
    """An unknown number, a known one with another birth date, and with another name too: one answer."""
    person = world.person(1)
    born = person.birth_date.replace(day=person.birth_date.day % 27 + 1)
    number = person.documents[0].number
    unknown = next(
        other
        for n in range(10_000)
        if (other := f"{number[:-4]}{n:04d}") != number and not world.registry.population.find(_cccd(other))
    )
    answers = [
        await world.declare(person, document__number=unknown),
        await world.declare(person, birth_date=born.isoformat()),
        await world.declare(person, birth_date=born.isoformat(), name="Ai Đó Khác"),
        await world.declare(person, document__number=unknown, name="Ai Đó Khác"),
    ]
    assert all(answer.json()["outcome"] == "refused" for answer in answers)
    assert len({str(ids_apart(answer)) for answer in answers}) == 1
    assert len({str(_steady(answer)) for answer in answers}) == 1
    assert len({len(answer.content) for answer in answers}) == 1


def _cccd(number: str) -> Any:
    from motma.core.ids import Document

    return Document("cccd", number)


def _steady(answer: httpx.Response) -> list[tuple[str, str]]:
    return sorted((name, value) for name, value in answer.headers.items() if name != "date")


async def test_one_citizen_has_one_number_whatever_the_document_and_the_platform(world: World) -> None:
    person = world.person(2)
    cccd, cmnd = person.documents
    first = await world.declare(person, await world.platform("BLUEZONE"))
    other = await world.declare(
        person, await world.platform("NCOVI"), document={"kind": cmnd.kind, "number": cmnd.number}
    )
    browser = world.browser()
    assert (await world.declare_on_page(browser, person)).status_code == 303
    page = await browser.get("/code")
    assert first.json()["qid"] == other.json()["qid"]
    qid = first.json()["qid"]
    assert f"{qid[:6]} {qid[6:12]} {qid[12:]}" in page.text
    assert world.rows()["standing"] == 1
    # The older codes stay good: the standing is the newest, and each says the document it was made with.
    for sent, document in ((first, cccd), (other, cmnd)):
        answer = (await world.check(code=sent.json()["code"])).json()
        assert (answer["outcome"], answer["citizen"]["last_four"]) == ("accept", document.last_four)


async def test_the_same_key_and_content_is_the_same_declaration(world: World) -> None:
    person = world.person(4)
    first = await world.declare(person, key="k1")
    before = world.rows()
    again = await world.declare(person, key="k1")
    assert (again.status_code, again.json()) == (200, {**first.json(), "repeated": True})
    assert world.rows() == before
    other = await world.declare(person, key="k1", phone="0912345678")
    assert (other.status_code, other.json()["code"]) == (409, "idempotency.reused")
    assert world.rows() == before
    elsewhere = await world.declare(person, await world.platform("NCOVI"), key="k1")
    assert elsewhere.status_code == 201  # a key is a platform's own
    assert elsewhere.json()["declaration"] != first.json()["declaration"]


async def test_the_same_key_for_what_was_refused(world: World) -> None:
    person = world.person(4)
    first = await world.declare(person, key="k1", name="Ai Đó Khác")
    again = await world.declare(person, key="k1", name="Ai Đó Khác")
    assert (again.status_code, again.json()) == (200, {**first.json(), "repeated": True})


async def test_sent_again_after_the_measure_ended(world: World) -> None:
    """It was stored, so it must not be said that nothing was."""
    first = await world.declare(world.person(4), key="k1")
    body = world.declaration(world.person(4))
    await world.built.house.steer.end_measure("demo-hcmc", by="test", now=world.now)
    again = await world.send(await world.platform(), body, key="k1")
    assert (again.status_code, again.json()) == (200, {**first.json(), "repeated": True})


async def test_twenty_at_once_under_one_key_are_one_declaration(world: World) -> None:
    platform, body = await world.platform(), world.declaration(world.person(5))
    sent = await asyncio.gather(*[world.send(platform, body, key="one") for _ in range(20)])
    assert {answer.json()["declaration"] for answer in sent} == {sent[0].json()["declaration"]}
    assert sorted(answer.status_code for answer in sent) == [200] * 19 + [201]
    assert len({answer.json()["code"] for answer in sent}) == 1
    assert world.rows()["facts"] == 1 + 2


async def test_a_hundred_at_once_of_ten_people_are_ten_citizens(world: World) -> None:
    platforms = [await world.platform(name) for name in ("BLUEZONE", "NCOVI", "TOKHAIYTE")]
    sent = await asyncio.gather(
        *[
            world.declare(
                person := world.person(n % 10),
                platforms[n % 3],
                document={"kind": (one := person.documents[n // 10 % 2]).kind, "number": one.number},
            )
            for n in range(100)
        ]
    )
    assert {answer.status_code for answer in sent} == {201}
    numbers = {n % 10: set[str]() for n in range(10)}
    for n, answer in enumerate(sent):
        numbers[n % 10].add(answer.json()["qid"])
    assert all(len(found) == 1 for found in numbers.values())
    assert len(set.union(*numbers.values())) == 10
    assert world.rows()["standing"] == 10
    assert (await world.built.store.rebuild_standing()).differing == ()


async def test_without_a_measure_nothing_is_asked_and_nothing_stored(tmp_path: Path) -> None:
    async with living_world(tmp_path, measure=False) as world:
        platform = await world.platform()
        before = world.rows()
        sent = await world.declare(world.person(0))
        assert (sent.status_code, sent.json()["code"]) == (409, "measure.none_active")
        page = await world.declare_on_page(world.browser(), world.person(0))
        assert page.status_code == 409
        in_force = (await platform.get("/v1/measure")).json()
        assert set(in_force.values()) == {None}
        assert (await world.browser().get("/")).status_code == 200
        assert world.rows() == before


async def test_a_measure_that_begins_and_ends_by_the_clock(world: World) -> None:
    await world.publish(starts_at=world.now + dt.timedelta(hours=1), ends_at=world.now + dt.timedelta(hours=2))
    assert (await world.declare(world.person(0))).status_code == 409
    world.now += dt.timedelta(hours=1)
    sent = await world.declare(world.person(0))
    assert sent.status_code == 201
    assert sent.json()["valid_until"] == "2026-01-18T09:00:00Z"  # no code outlives its measure
    world.now += dt.timedelta(hours=1)
    assert (await world.declare(world.person(1))).status_code == 409


async def test_a_foreigner_with_a_passport(world: World) -> None:
    sent = await world.declare(world.foreigner())
    assert sent.json()["outcome"] == "accepted"
    wrong = await world.declare(world.foreigner(), nationality="VN")
    assert wrong.json()["outcome"] == "refused"  # the same number, another country's


async def test_every_field_that_needs_mending_is_named(world: World) -> None:
    before = world.rows()
    sent = await world.declare(
        world.person(0), name="<b>", phone="12", trip__vehicle="camel", consents=[], document__number="999"
    )
    problem = sent.json()
    assert (sent.status_code, problem["code"]) == (422, "declaration.fields")
    assert {"name", "phone", "trip.vehicle", "document.number"} < set(problem["fields"])
    assert sum(field.startswith("consents.") for field in problem["fields"]) == len(
        world.built.house.declare.form.purposes
    )
    for said in problem["fields"].values():
        assert said["code"] and said["words"]["vi"] and said["words"]["en"]
    assert world.rows() == before | {"credentials": before["credentials"] + 1}


async def test_a_platform_that_does_not_know_the_route(world: World) -> None:
    assert (await world.declare(world.person(0), trip__checkpoints=[])).status_code == 201
    sent = await world.declare(world.person(0), trip__checkpoints=[NEXT, "nowhere"])
    assert (sent.status_code, list(sent.json()["fields"])) == (422, ["trip.checkpoints"])
