"""What the population data centre is given: only what the measure names, of people whom it knows, and written down."""

import datetime as dt
from typing import Any

import pytest

from motma.core.errors import Invalid, MotmaError
from motma.core.facts import LookMade
from motma.core.ids import Qid
from motma.core.lists import ListAsk
from motma.measures import load_lists
from motma.services.exchange import lists
from motma.services.exchange.lists import ListPage, NotProvidedFor
from tests.world import World

BASIS = "Văn bản 12/C06, điều 3"
HOUR = dt.timedelta(hours=1)
OUTSIDE = {"province": "22", "commune": "06862"}
_FORBIDDEN = ("phone", "health", "symptoms", "scan", "checkpoint", "qid", "residence")


async def page(world: World, **changes: Any) -> ListPage:
    usual = {"list": "arrivals", "basis": BASIS, "since": world.now - HOUR, "until": world.now + HOUR}
    asked: dict[str, Any] = usual | changes
    return await world.built.house.lists.page(ListAsk(**asked), platform="C06", now=world.now)


def inside(world: World, n: int = 0) -> tuple[str, dict[str, str]]:
    """An area of the city, and a commune of it."""
    area = world.built.house.declare.network.areas[n]
    return area.id, {"province": "79", "commune": area.communes[0]}


async def into(world: World, n: int, area: int = 0, origin: Any = None, **changes: Any) -> dict[str, Any]:
    changes |= {"trip__origin": origin or OUTSIDE, "trip__destination": inside(world, area)[1]}
    answer = await world.declare(world.person(n), **changes)
    assert answer.status_code == 201, answer.text
    world.now += dt.timedelta(minutes=1)
    said: dict[str, Any] = answer.json()
    return said


async def test_only_what_the_measure_in_force_names(world: World) -> None:
    await into(world, 0)
    await world.publish(lists=())
    world.forget()
    before = world.rows()
    for name in ("arrivals", "mismatches", "patients"):
        with pytest.raises(NotProvidedFor) as error:
            await page(world, list=name)
        assert error.value.code == "list.not_provided_for"
    assert world.rows() == before
    await world.publish(lists=("mismatches", "patients"))
    world.forget()
    for name in ("arrivals", "patients"):
        with pytest.raises(NotProvidedFor):
            await page(world, list=name)
    assert (await page(world, list="mismatches")).people == ()


async def test_over_http_with_the_scope_and_without(world: World) -> None:
    await into(world, 0)
    centre, other = await world.interlinked("C06"), await world.platform()
    since, until = (world.now - HOUR).isoformat(), world.now.isoformat()
    ask = {"list": "arrivals", "basis": BASIS, "from": since, "until": until}
    answer = await centre.post("/v1/lists", json=ask)
    assert (answer.status_code, len(answer.json()["people"])) == (200, 1)
    refused = await other.post("/v1/lists", json=ask)
    assert (refused.status_code, refused.json()["code"]) == (403, "access.scope")
    await world.publish(lists=())
    world.forget()
    unnamed = await centre.post("/v1/lists", json=ask)
    assert (unnamed.status_code, unnamed.json()["code"]) == (403, "list.not_provided_for")


async def test_who_arrives_in_an_area(world: World) -> None:
    await world.publish(lists=("arrivals",))
    first = await into(world, 0)
    await into(world, 1, area=1)
    local = await into(world, 2, origin=inside(world, 1)[1])
    await world.declare(world.person(3), trip__origin=inside(world)[1], trip__destination=OUTSIDE)
    unsure = await into(world, 4, name="Nguyễn Thị Khác Hẳn", document={"kind": "none", "number": ""})
    area = inside(world)[0]
    person = world.person(0)
    everywhere, here = await page(world, until=world.now), await page(world, area=area)
    assert [row["name"] for row in everywhere.people] == [person.name, world.person(1).name]
    assert [row["name"] for row in here.people] == [person.name, world.person(2).name]
    assert here.people[0] == {
        "document": {"kind": "cccd", "number": person.documents[0].number, "issuer": "VN"},
        "name": person.name,
        "birth_date": person.birth_date.isoformat(),
        "area": area,
        "declared_at": world.now - dt.timedelta(minutes=4),
    }
    assert not here.more and here.next is None
    for sent, times in ((first, 2), (local, 1), (unsure, 0)):
        facts = await world.built.store.facts_about(Qid(sent["qid"]), kinds=("look.made",))
        assert [(fact.actor, fact.what) for fact in facts] == [
            ("C06", LookMade("list", BASIS, load_lists()["arrivals"].gives))
        ] * times


async def test_page_by_page_everybody_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    await world.publish(lists=("arrivals",))
    sent = [(await into(world, n), world.person(n).name)[1] for n in range(7)]
    for name, most in (("PAGE_MAX", 2), ("_READ_MAX", 3)):
        with monkeypatch.context() as narrow:
            narrow.setattr(lists, name, most)
            names, after, more = [], None, True
            while more:
                got = await page(world, after=after)
                names += [row["name"] for row in got.people]
                after, more = got.next, got.more
            assert names == sent


async def test_what_differs_from_the_register_without_saying_how_it_was_declared(world: World) -> None:
    await world.publish(lists=("mismatches",))
    slip, mended, other = world.person(0), world.person(1), world.person(2)
    wrong = slip.name + "g"
    assert (await world.declare(slip, name=wrong)).json()["outcome"] == "repairable"
    assert (await world.declare(mended, name=mended.name + "g")).json()["outcome"] == "repairable"
    world.now += dt.timedelta(minutes=1)
    await world.declare(mended)
    await world.declare(other)
    got = await page(world, list="mismatches")
    [row] = got.people
    assert row["document"] == {"kind": "cccd", "number": slip.documents[0].number, "issuer": "VN"}
    assert (row["fields"], row["how"], row["seen"]) == (("name",), "slip", None)
    assert wrong not in str(got) and slip.name not in str(got)


async def test_no_list_gives_health_or_ways(world: World) -> None:
    for listed in load_lists().values():
        assert not {*_FORBIDDEN} & {*listed.gives}
        assert listed.legal_basis.vi and listed.who.en


@pytest.mark.parametrize(
    ("changes", "field", "code"),
    [
        ({"basis": "  x "}, "basis", "list.basis"),
        ({"basis": "\x00" * 12}, "basis", "text.characters"),
        ({"since": dt.datetime.fromisoformat("2026-01-18T06:30")}, "from", "time.no_zone"),
        ({"until": dt.datetime.max.replace(tzinfo=dt.UTC)}, "until", "time.no_zone"),
        ({"until": dt.datetime(2026, 1, 1, tzinfo=dt.UTC)}, "until", "list.window"),
        ({"since": dt.datetime(2025, 12, 1, tzinfo=dt.UTC)}, "until", "list.window"),
        ({"area": "nowhere"}, "area", "list.area"),
        ({"after": "dcl_x"}, None, "id.malformed"),
    ],
)
async def test_what_makes_no_sense(world: World, changes: dict[str, Any], field: str | None, code: str) -> None:
    await world.publish(lists=("arrivals",))
    world.forget()
    with pytest.raises(MotmaError) as error:
        await page(world, **changes)
    if field is None:
        assert error.value.code == code
    else:
        assert isinstance(error.value, Invalid) and error.value.code == "list.fields"
        assert {name: one.code for name, one in error.value.fields.items()} == {field: code}
