"""Diversions and measures: switched by an operator, obeyed by the very next check."""

import asyncio
import datetime as dt

import httpx
import pytest

from motma.core.errors import Conflict, Hidden, Invalid
from motma.services.board import BoardReader
from tests.world import HERE, NEXT, World

FORM = {"content-type": "application/x-www-form-urlencoded"}


async def open_at(operator: httpx.AsyncClient, checkpoint: str, to: str = "") -> httpx.Response:
    return await operator.post("/ops/diversions", data={"checkpoint": checkpoint, "to": to, "note": "ùn"})


async def test_open_and_closed_again(world: World) -> None:
    operator = await world.operator()
    code = (await world.declare(world.person(0))).json()["code"]
    assert (await world.check(code=code)).json()["outcome"] == "accept"
    assert (await open_at(operator, HERE, NEXT)).status_code == 303
    answer = (await world.check(code=code)).json()
    assert answer["outcome"] == "refer"
    assert [reason["code"] for reason in answer["reasons"]] == ["diversion.open"]
    assert answer["refer"]["checkpoint"] == NEXT and answer["refer"]["metres"] == 4_600
    assert answer["refer"]["name"]["vi"] and answer["refer"]["name"]["en"]
    elsewhere = await world.officer_at(NEXT, "CB-02")
    assert (await world.check(code=code, officer=elsewhere)).json()["outcome"] == "accept"
    assert (await operator.post("/ops/diversions/close", data={"checkpoint": HERE})).status_code == 303
    assert (await world.check(code=code)).json()["outcome"] == "accept"


@pytest.mark.parametrize(
    ("route", "to"),
    [
        ([HERE, "g08-song-than", NEXT], "g08-song-than"),  # the next on the way, though another is nearer
        ([HERE], NEXT),  # no more on the way: the nearest by road
        ([], NEXT),
        (["g12-cau-dong-nai", HERE, "g01-long-phuoc"], "g01-long-phuoc"),
        (["g12-cau-dong-nai"], NEXT),
    ],
)
async def test_people_are_sent_on_along_their_way(world: World, route: list[str], to: str) -> None:
    sent = await world.declare(world.person(0), trip__checkpoints=route)
    await world.divert()
    assert (await world.check(code=sent.json()["code"])).json()["refer"]["checkpoint"] == to


async def test_nobody_is_sent_from_one_jam_into_another(world: World) -> None:
    sent = await world.declare(world.person(0), trip__checkpoints=[HERE, NEXT, "g08-song-than"])
    await world.divert(HERE, NEXT)
    await world.divert(NEXT)
    assert (await world.check(code=sent.json()["code"])).json()["refer"]["checkpoint"] == "g08-song-than"


async def test_whoever_may_not_travel_is_not_sent_on(world: World) -> None:
    await world.divert()
    answer = (await world.check(code="hello")).json()
    assert (answer["outcome"], answer["reasons"][0]["code"]) == ("refer", "diversion.open")
    contact = (await world.declare(world.person(1), health__contact=True)).json()["code"]
    assert (await world.check(code=contact)).json()["outcome"] == "refer"
    symptoms = dict.fromkeys((one.id for one in world.built.house.declare.form.symptoms), True)
    ill = (await world.declare(world.person(2), health__symptoms=symptoms)).json()["code"]
    answer = (await world.check(code=ill)).json()
    assert (answer["outcome"], answer["refer"]) == ("reject", None)


async def test_orders_that_make_no_sense(world: World) -> None:
    steer, now = world.built.house.steer, world.now
    with pytest.raises(Hidden) as hidden:
        await steer.open_diversion("nowhere", None, "", by="x", now=now)
    assert hidden.value.code == "checkpoint.unknown"
    with pytest.raises(Hidden):
        await steer.open_diversion(HERE, "nowhere", "", by="x", now=now)
    with pytest.raises(Invalid) as invalid:
        await steer.open_diversion(HERE, HERE, "", by="x", now=now)
    assert invalid.value.code == "diversion.to_itself"
    with pytest.raises(Invalid):
        await steer.open_diversion(HERE, None, "\u202e", by="x", now=now)
    with pytest.raises(Conflict) as conflict:
        await steer.close_diversion(HERE, by="x", now=now)
    assert conflict.value.code == "diversion.not_open"
    await steer.open_diversion(NEXT, None, "", by="x", now=now)
    with pytest.raises(Conflict) as conflict:
        await steer.open_diversion(HERE, NEXT, "", by="x", now=now)
    assert conflict.value.code == "diversion.to_diverted"
    with pytest.raises(Hidden) as hidden:
        await steer.end_measure("nothing", by="x", now=now)
    assert hidden.value.code == "measure.unknown"
    assert list((await steer.board(now)).diversions) == [NEXT]


async def test_counts_are_of_today_by_local_time(world: World) -> None:
    await world.declare(world.person(0))
    steer = world.built.house.steer
    assert sum(n for _, n in await steer.counts(world.now)) == 1
    midnight = dt.datetime(2026, 1, 18, 17, 0, tzinfo=dt.UTC)
    assert sum(n for _, n in await steer.counts(midnight - dt.timedelta(seconds=1))) == 1
    assert await steer.counts(midnight) == []


async def test_a_switch_is_seen_by_who_was_reading_meanwhile(world: World) -> None:
    """A board that was being read when something was switched must not be remembered as the newest."""
    store = world.built.store
    held, go = asyncio.Event(), asyncio.Event()

    class Slow:
        async def control_facts(self) -> object:
            facts = await store.control_facts()
            held.set()
            await go.wait()
            return facts

    board = BoardReader(Slow())  # type: ignore[arg-type]
    reading = asyncio.create_task(board.current(world.now))
    await held.wait()
    await world.divert()
    board.forget()
    go.set()
    assert (await reading).diversions == {}
    assert list((await board.current(world.now)).diversions) == [HERE]


async def test_other_processes_see_a_switch_within_a_second(world: World) -> None:
    board = BoardReader(world.built.store)
    assert (await board.current(world.now)).diversions == {}
    await world.divert()
    assert (await board.current(world.now)).diversions == {}
    assert list((await board.current(world.now + dt.timedelta(seconds=1))).diversions) == [HERE]
    assert list((await board.current(world.now - dt.timedelta(days=1))).diversions) == [HERE]
