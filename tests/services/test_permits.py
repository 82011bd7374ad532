"""Permits, as operators give them and as a checkpoint finds them; on both engines."""

import asyncio
import datetime as dt
import functools
from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from motma.core.cells import Cell
from motma.core.errors import Conflict, Hidden, Invalid, Unavailable
from motma.core.facts import Standing
from motma.core.ids import Qid
from motma.core.permit import Permit, text_of
from motma.core.permit.form import Asked, parse_asked
from motma.register.population import Person
from tests.world import HERE, World, living_world

ROW: dict[str, Cell] = {"group": "3A", "areas": "Toàn thành phố", "from": "2026-01-10", "until": "2026-02-10"}
HOUR = dt.timedelta(hours=1)


@pytest.fixture
async def anywhere(tmp_path: Path, desk_url: str) -> AsyncIterator[World]:
    """A world on each engine."""
    async with living_world(tmp_path, database_url=desk_url) as world:
        yield world


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with living_world(tmp_path) as world:
        yield world


def row_of(person: Person, by: int = 0, /, **changes: Cell) -> dict[str, Cell]:
    """What an office writes of ``person``."""
    born = f"{person.birth_date:%d/%m/%Y}"
    named: dict[str, Cell] = {
        "document": person.documents[by].number, "name": person.name, "birth_date": born, "signed_by": "PC08"
    }  # fmt: skip
    return {**ROW, **named, **changes}


def asked(world: World, **cells: Cell) -> Asked:
    permits = world.built.house.permits
    return parse_asked(cells, permits.groups, permits.areas, world.now)


async def issue(world: World, person: Person | None = None, by: int = 0, /, **changes: Cell) -> Permit:
    """Issue a permit to ``person``, or as ``changes`` say."""
    permits = world.built.house.permits
    cells = row_of(person, by, **changes) if person else {**ROW, "signed_by": "PC08", **changes}
    granted = await permits.grant(await permits.resolve(asked(world, **cells), world.now), by="TRUC-BAN", now=world.now)
    assert not granted.already
    return (await permits.one(granted.id))[0]


async def stands(world: World, qid: str) -> Standing:
    standing = await world.built.citizens.standing(Qid(qid))
    assert standing
    return standing


async def carried(world: World, qid: str, shown: str | None = None, area: str | None = "quan-3") -> Any:
    held = await world.built.house.permits.held(await stands(world, qid), shown)
    return SimpleNamespace(problem=held.problem, **msgspec.structs.asdict(held.at(area, world.now)))


async def test_who_never_declared_gets_a_number_that_their_declaration_finds(anywhere: World) -> None:
    world = anywhere
    permit = await issue(world, world.person(0))
    assert await world.built.citizens.standing(Qid(permit.holder)) is None
    sent = (await world.declare(world.person(0))).json()
    assert (sent["qid"], sent["outcome"]) == (permit.holder, "accepted")
    assert (await carried(world, sent["qid"])).permit == permit
    assert (await world.built.store.rebuild_standing()).differing == ()
    assert await world.built.store.rebuild_permits() == (1, ())


async def test_by_whichever_document_it_is_one_citizen(anywhere: World) -> None:
    world = anywhere
    sent = (await world.declare(world.person(0))).json()
    by_old_card = await issue(world, world.person(0), 1)
    by_number = await issue(world, qid=sent["qid"], group="1A")
    assert by_old_card.holder == by_number.holder == sent["qid"]
    found = (await carried(world, sent["qid"])).permit
    assert found in (by_old_card, by_number)


@pytest.mark.parametrize("slip", [False, True])
async def test_declared_while_the_register_was_away_permits_are_found_after_all(world: World, slip: bool) -> None:
    """The number given for the permit and the one given for the declaration turn out to be one citizen's."""
    person = world.person(0)
    world.registry.outage = True
    changes = {"name": person.name.upper()} if slip else {}
    sent = (await world.declare(person, **changes)).json()
    assert sent["outcome"] == "pending"
    world.registry.outage = False
    permit = await issue(world, person, 1)
    assert permit.holder != sent["qid"]
    assert await world.work() == 1
    standing = await stands(world, sent["qid"])
    assert standing.grade.is_sure and permit.holder in standing.also
    assert (await carried(world, sent["qid"])).permit == permit
    assert (await stands(world, permit.holder)).qid == sent["qid"]
    for document in person.documents[:2]:
        world.now += HOUR
        again = await world.declare(person, document={"kind": document.kind, "number": document.number})
        assert again.json()["qid"] == sent["qid"]
    assert (await issue(world, person, group="1A")).holder == sent["qid"]
    assert (await world.built.store.rebuild_standing()).differing == ()


async def test_while_the_register_is_away_whoever_has_a_permit_is_known_by_the_same_words(world: World) -> None:
    permit = await issue(world, world.person(0))
    world.registry.outage = True
    sent = (await world.declare(world.person(0))).json()
    assert sent["qid"] == permit.holder
    assert (await carried(world, sent["qid"])).permit == permit


async def test_merged_citizens_keep_their_permits(world: World) -> None:
    person = world.person(0)
    first = (await world.declare(person)).json()
    world.registry.outage = True
    world.now += HOUR
    other = (await world.declare(person, document=_by(person, 1))).json()
    world.registry.outage = False
    on_first = await issue(world, person)
    assert await world.work() == 1
    standing = await stands(world, other["qid"])
    assert standing.qid == first["qid"] and (await carried(world, other["qid"])).permit == on_first


def _by(person: Person, n: int) -> dict[str, str]:
    return {"kind": person.documents[n].kind, "number": person.documents[n].number}


async def test_forged_and_borrowed_names_are_refused(world: World) -> None:
    """A number of nobody, another's name, another's birthday: one answer. A name that is near says so."""
    person, other = world.person(0), world.person(1)
    theirs = (await world.declare(other)).json()["qid"]
    before = world.rows()
    for changes, code in (
        ({"document": "999199999999", "birth_date": "01/01/1999"}, "permit.nobody"),
        ({"name": other.name}, "permit.nobody"),
        ({"birth_date": f"{person.birth_date.replace(day=person.birth_date.day % 28 + 1):%d/%m/%Y}"}, "permit.nobody"),
        ({"qid": theirs}, "permit.nobody"),
    ):
        with pytest.raises(Invalid) as refused:
            await issue(world, person, **changes)
        assert refused.value.code == code, changes
    words = person.name.split(" ")
    with pytest.raises(Invalid, match=r"permit\.name_differs"):
        await issue(world, person, name=" ".join([words[0], *words[2:]]))
    with pytest.raises(Invalid, match=r"permit\.qid_unknown"):
        await issue(world, qid=world.built.citizens.new_qid())
    assert world.rows() == before


async def test_away_is_not_nobody(world: World) -> None:
    world.registry.outage = True
    before = world.rows()
    with pytest.raises(Unavailable, match="register"):
        await issue(world, world.person(0))
    assert world.rows() == before


async def test_the_same_is_issued_once_however_many_ask_at_once(anywhere: World) -> None:
    world = anywhere
    permits = world.built.house.permits
    resolved = [await permits.resolve(asked(world, **row_of(world.person(n % 3))), world.now) for n in range(12)]
    granted = await asyncio.gather(*[permits.grant(one, by="X", now=world.now) for one in resolved])
    assert len({one.id for one in granted}) == 3
    assert sum(not one.already for one in granted) == 3
    assert len({permit.holder for permit in await permits.recent(50)}) == 3


async def test_declared_and_permitted_at_one_moment_it_is_one_citizen(anywhere: World) -> None:
    world = anywhere
    for n in range(4):
        person = world.person(n)
        permit, sent = await asyncio.gather(issue(world, person), world.declare(person))
        assert permit.holder == sent.json()["qid"]
        assert (await carried(world, sent.json()["qid"])).permit == permit


async def test_revoked_once_for_good_and_seen_at_once(anywhere: World) -> None:
    world = anywhere
    sent = (await world.declare(world.person(0))).json()
    permit, permits = await issue(world, world.person(0)), world.built.house.permits
    with pytest.raises(Invalid, match=r"permit\.reason"):
        await permits.revoke(permit.id, "  ", by="X", now=world.now)
    with pytest.raises(Hidden, match=r"permit\.unknown"):
        await permits.revoke("prm_00000000000000000000000000", "x", by="X", now=world.now)
    world.now += HOUR
    answers = await asyncio.gather(
        *[permits.revoke(permit.id, "Là F0", by="X", now=world.now) for _ in range(3)], return_exceptions=True
    )
    assert [type(answer) for answer in answers if answer] == [Conflict, Conflict]
    found = (await carried(world, sent["qid"])).permit
    assert (found.revoked_at, found.reason) == (world.now, "Là F0")
    with pytest.raises(Conflict, match=r"permit\.was_revoked"):
        await issue(world, world.person(0))
    assert (await issue(world, world.person(0), number="12/GDD")).revoked_at is None
    assert await world.built.store.rebuild_permits() == (2, ())


async def test_specimens_of_2021_at_a_checkpoint(world: World) -> None:
    """Forged permits of PC08, a green-lane QR copied for another lorry, a good permit in another's hand."""
    mine, theirs = world.person(0), world.person(1)
    me = (await world.declare(mine, trip__plate="51C-123.45")).json()["qid"]
    you = (await world.declare(theirs, trip__plate="51C-999.99")).json()["qid"]
    walker = (await world.declare(world.person(2), trip__plate="")).json()["qid"]
    permit, lane = await issue(world, mine), await issue(world, group="LX", plate="51C-123.45")
    text, lane_text = text_of(permit), text_of(lane, "51C12345")
    show = functools.partial(carried, world)
    assert (await show(me, text)).problem is None and (await show(me, text)).permit == permit
    assert (await show(you, text)).problem == "permit.borrowed"
    assert (await show(you, text)).permit is None
    assert (await show(me, lane_text)).problem is None
    assert (await show(me, lane_text)).green_lane is True
    assert (await show(you, lane_text)).problem == "permit.borrowed"
    assert (await show(you, lane_text)).green_lane is False
    assert (await show(walker, lane_text)).problem == "permit.unproved"
    assert (await show(walker, lane_text)).green_lane is None
    forgeries = {
        "never issued": text.replace(permit.id, "prm_01kf7e0000abcdefghjkmnpqrs"),
        "another group": text.replace("|3A|", "|5|"),
        "a wider time": text.replace("20260211", "20261231"),
        "my number on it": text.replace(permit.holder, you),
        "another plate": lane_text.replace("51C12345", "51C99999"),
        "no form": "GDD1|PC08|Nguyễn Văn A",
    }
    for what, forged in forgeries.items():
        assert forged not in (text, lane_text), what
        assert (await show(you, forged)).problem == "permit.forged", what
    assert (await show(me, forgeries["a wider time"])).permit == permit  # what they do have still counts
    assert (await show(you, "https://example.vn/khai-bao")).problem is None  # the QR of 2021's permits led to a form
    assert (await world.built.house.permits.held(None, text)).problem == "permit.unproved"


async def test_found_by_what_stands_on_it(world: World) -> None:
    person, permits = world.person(0), world.built.house.permits
    permit = await issue(world, person, 1)
    world.now += HOUR
    lane = await issue(world, group="LX", plate="51C-123.45")
    for text in (permit.id, permit.holder, person.documents[0].number, person.documents[1].number, text_of(permit)):
        assert await permits.find(f" {text} ") == [permit], text
    assert await permits.find("51c 123.45") == [lane]
    assert await permits.find("999199999998") == [] == await permits.find("prm_x")
    for text in ("", "người tên Minh", "12345678901234567", "GDD1|nothing"):
        with pytest.raises(Invalid):
            await permits.find(text)
    assert await permits.recent(1) == [lane] and await permits.recent(5, lane.id) == [permit]


async def test_names_and_plates_lie_sealed(world: World) -> None:
    person = world.person(0)
    await issue(world, person)
    world.now += HOUR
    await issue(world, group="LX", plate="51C-123.45")
    folder = world.settings.data
    raw = b"".join(path.read_bytes() for path in folder.iterdir() if path.name.startswith("motma.db"))
    assert b"permit.issued" in raw
    for kept in (person.name, person.documents[0].number, "51C12345"):
        assert kept.encode() not in raw
    permits = world.built.house.permits
    lane, permit = [await permits.one(one.id) for one in await permits.recent(5)]
    assert lane[1].plate == "51C12345" and permit[1].name == person.name
    assert HERE  # the world's checkpoint lies in an area that scopes know
    assert world.built.house.steer.network.by_id[HERE].area in permits.areas
