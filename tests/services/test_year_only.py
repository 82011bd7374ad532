"""Platforms that ask for a year of birth alone: the same citizen, by hand, and nothing told that they did not say."""

import datetime as dt
from typing import Any

import httpx
import pytest

from motma.core.facts import Accepted, Identified, Refused
from motma.core.identity import Grade, Match
from motma.core.ids import FactId, Qid
from motma.register.population import Person
from motma.services.tries import PLATFORM_AN_HOUR, YEARS_A_YEAR
from tests.services.test_repair import Barrier, card
from tests.world import World

A_DAY = dt.timedelta(days=1)


def by(document: Any) -> dict[str, str]:
    return {"kind": document.kind, "number": document.number}


def year(person: Person, more: int = 0) -> str:
    return str(person.birth_date.year + more)


def dated(world: World, n: int = 0) -> Person:
    """The ``n``-th citizen of whom the register knows the whole date, and who was not born on 1 January."""
    people = [one for one in map(world.person, range(80)) if not one.year_only and one.birth_date.day > 1]
    return people[n]


def steady(answer: httpx.Response) -> tuple[int, dict[str, Any], str]:
    return answer.status_code, {**answer.json(), "declaration": ""}, str(sorted(answer.headers.items()))


async def test_the_same_citizen_gets_the_same_number(world: World) -> None:
    person = dated(world)
    first = (await world.declare(person, await world.platform("TOKHAIYTE"), birth_date=year(person))).json()
    assert (first["outcome"], first["differing"]) == ("repairable", ["birth_date"])
    assert "full date" in first["words"]["en"] and first["code"]
    full = (await world.declare(person, await world.platform("BLUEZONE"))).json()
    again = (await world.declare(person, await world.platform("TOKHAIYTE"), birth_date=year(person))).json()
    old = (await world.declare(person, document=by(person.documents[1]), birth_date=year(person))).json()
    assert full["outcome"] == "accepted" and {one["qid"] for one in (full, again, old)} == {first["qid"]}
    assert world.rows()["standing"] == 1
    standing = await world.built.store.standing(Qid(first["qid"]))
    assert standing and standing.grade == "matched" and standing.waiting, "and takes nothing from who was identified"
    fact = await world.built.store.fact(FactId(first["declaration"]))
    assert fact and isinstance(fact.what, Accepted) and fact.what.how == "year"


async def test_nothing_of_the_date_is_told(world: World) -> None:
    """Neither by the answer, nor by the code, nor at the checkpoint; nor that somebody was born on 1 January."""
    person = dated(world)
    sent = await world.declare(person, birth_date=year(person))
    told = (await world.check(code=sent.json()["code"])).json()
    assert told["citizen"]["birth_date"] == f"{year(person)}-01-01" and told["outcome"] == "manual"
    assert person.birth_date.isoformat() not in sent.text + str(told)
    born_first = next(
        (
            one
            for one in map(world.registry.population.person, range(3_000))
            if (one.birth_date.month, one.birth_date.day) == (1, 1) and not one.year_only and one.nationality == "VN"
        ),
        None,
    )
    if born_first:
        assert (await world.declare(born_first, birth_date=year(born_first))).json()["outcome"] == "repairable"


async def test_whatever_does_not_fit_gets_one_answer(world: World) -> None:
    person, other = dated(world), dated(world, 1)
    nobody = person.documents[0].number[:6] + "000000"
    sent = [
        await world.declare(person, birth_date=year(person), name=other.name),
        await world.declare(person, birth_date=year(person), name=person.name.rsplit(" ", 1)[0]),
        await world.declare(person, birth_date=year(person), document={"kind": "cccd", "number": nobody}),
        await world.declare(person, birth_date=year(person, 1), document=by(person.documents[1])),
    ]
    assert {str(steady(answer)) for answer in sent} == {str(steady(sent[0]))}
    assert sent[0].json()["outcome"] == "refused" and "full date" in sent[0].json()["words"]["en"]
    fact = await world.built.store.fact(FactId(sent[0].json()["declaration"]))
    assert fact and isinstance(fact.what, Refused) and fact.what.how == "year"


async def test_a_wrong_one_is_a_try_and_a_right_one_is_none(world: World) -> None:
    person, other = dated(world), dated(world, 1)
    for _ in range(6):
        assert (await world.declare(person, birth_date=year(person))).status_code == 201
    for _ in range(5):
        assert (await world.declare(person, birth_date=year(person), name=other.name)).status_code == 201
    late = await world.declare(person, birth_date=year(person))
    assert (late.status_code, late.json()["code"]) == (409, "identity.too_many_tries")


async def test_a_stranger_does_not_find_a_year_by_trying(world: World) -> None:
    """The number of an old card tells no year: two wrong ones in a year, known number or not, and none is compared."""
    person = dated(world)
    for document in (by(person.documents[1]), {"kind": "cmnd", "number": "000000001"}):
        for n in range(YEARS_A_YEAR):
            world.now += A_DAY
            wrong = await world.declare(person, birth_date=year(person, n + 1), document=document)
            assert wrong.json()["outcome"] == "refused"
        world.now += A_DAY
        for tried in (year(person), year(person, 9)):
            stopped = await world.declare(person, birth_date=tried, document=document)
            assert (stopped.status_code, stopped.json()["code"]) == (409, "identity.year_too_often")
    full = await world.declare(person, document=by(person.documents[1]))
    assert full.json()["outcome"] == "accepted", "who says the whole date is heard"
    assert (await world.declare(person, birth_date=year(person))).json()["outcome"] == "repairable", "by the card too"


@pytest.mark.parametrize("away", [False, True], ids=["there", "away"])
async def test_guesses_while_the_register_is_away_are_counted_too(world: World, away: bool) -> None:
    person = dated(world)
    world.registry.outage = away
    told = []
    for n in range(1, YEARS_A_YEAR + 2):
        world.now += A_DAY
        told.append(await world.declare(person, birth_date=year(person, n), document=by(person.documents[1])))
    assert [answer.status_code for answer in told] == [201] * YEARS_A_YEAR + [409]


async def test_a_platform_that_asks_for_years_alone_is_heard_all_day(world: World) -> None:
    tries = world.built.house.declare._tries
    person = dated(world)
    tokhaiyte = await world.platform("TOKHAIYTE")
    await world.declare(person, tokhaiyte, birth_date=year(person))
    for _ in range(PLATFORM_AN_HOUR + 1):
        tries.count("TOKHAIYTE", Match(Grade.REPAIRABLE, ("birth_date",), "year"))
    assert (await world.declare(person, tokhaiyte, birth_date=year(person))).status_code == 201
    for _ in range(PLATFORM_AN_HOUR + 1):
        tries.count("TOKHAIYTE", Match(Grade.MISMATCHED, ("name",), "year"))
    assert (await world.declare(person, tokhaiyte, birth_date=year(person))).status_code == 429


async def test_matched_late_by_the_year_and_put_right_at_the_barrier(world: World) -> None:
    person = dated(world)
    world.registry.outage = True
    tokhaiyte = await world.platform("TOKHAIYTE")
    sent = (await world.declare(person, tokhaiyte, birth_date=year(person))).json()
    assert sent["outcome"] == "pending"
    world.registry.outage = False
    world.now += dt.timedelta(minutes=1)
    await world.work()
    (checked,) = await world.built.store.facts_about(Qid(sent["qid"]), kinds=("identity.checked",))
    assert isinstance(checked.what, Identified) and (checked.what.grade, checked.what.how) == ("repairable", "year")
    became = (await tokhaiyte.get(f"/v1/declarations/{sent['declaration']}")).json()
    assert (became["outcome"], became["differing"]) == ("repairable", ["birth_date"])
    barrier = await Barrier.at(world)
    scan = await barrier.scan(code=sent["code"])
    done = (await barrier.repair(scan["id"], card=card(person), reason="typing")).json()
    assert (done["grade"], done["verdict"]["outcome"]) == ("matched", "accept")
    born = next(one for one in done["differing"] if one["field"] == "birth_date")
    assert (born["declared"], born["document"]) == (year(person), person.birth_date.isoformat())
    after = (await tokhaiyte.get(f"/v1/declarations/{sent['declaration']}")).json()
    assert after["outcome"] == "accepted" and after["qid"] == sent["qid"]


async def test_on_the_page_too(world: World) -> None:
    person = dated(world)
    browser = world.browser()
    fields = {"birth_date.day": "", "birth_date.month": ""}
    page = await world.declare_on_page(browser, person, **{name.replace(".", "__"): v for name, v in fields.items()})
    assert page.status_code == 200 and "năm sinh" in page.text and "Sửa ngày sinh" in page.text
    assert "họ tên chưa khớp" not in page.text
    shown = await browser.get("/code")
    assert "mới có năm sinh" in shown.text and "họ tên khác" not in shown.text


async def test_a_measure_may_take_the_year_for_a_match(world: World) -> None:
    await world.publish(accepts=("year",))
    person = dated(world)
    sent = (await world.declare(person, birth_date=year(person))).json()
    assert sent["outcome"] == "accepted"
    world.registry.outage = True
    assert (await world.declare(person, birth_date=year(person))).json()["outcome"] == "accepted", "known since"
    assert (await world.declare(person, birth_date=f"{year(person)}-01-01")).json()["outcome"] == "pending"
