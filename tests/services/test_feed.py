"""The feed: who must not see, and that who may misses nothing, in order, whatever happened meanwhile."""

import asyncio
import datetime as dt
import random
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from motma.core.ids import Document, Qid
from motma.services.exchange import feed as feed_module
from motma.services.exchange import tail as tail_module
from tests.world import World, living_world

A_MINUTE = dt.timedelta(minutes=1)


@pytest.fixture
async def anywhere(tmp_path: Path, desk_url: str) -> AsyncIterator[World]:
    """A world on each engine."""
    async with living_world(tmp_path, database_url=desk_url) as world:
        yield world


def by(document: Document) -> dict[str, str]:
    return {"kind": document.kind, "number": document.number}


async def declared(world: World, n: int, platform: str, /, **changes: Any) -> dict[str, Any]:
    world.now += A_MINUTE
    answer = await world.declare(world.person(n), await world.platform(platform), **changes)
    assert answer.status_code == 201, answer.text
    return answer.json()  # type: ignore[no-any-return]


async def asked(world: World, name: str, **query: Any) -> dict[str, Any]:
    answer = await (await world.platform(name)).get("/v1/changes", params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()  # type: ignore[no-any-return]


async def citizens(world: World, name: str, **query: Any) -> list[dict[str, Any]]:
    return [change["citizen"] for change in (await asked(world, name, **query))["changes"]]


# -- who must not see ----------------------------------------------------------------------------------------------


async def test_nobody_sees_whom_another_declared(anywhere: World) -> None:
    world = anywhere
    theirs = await declared(world, 0, "BLUEZONE")
    await declared(world, 1, "page2")
    assert [one["qid"] for one in await citizens(world, "BLUEZONE")] == [theirs["qid"]]
    assert await asked(world, "NCOVI") | {"next": ""} == {"changes": [], "next": "", "more": False}


async def test_no_history_from_before_the_first_declaration(world: World) -> None:
    first = await declared(world, 0, "BLUEZONE")
    await world.built.house.status.revoke(Qid(first["qid"]), "F0", by="x", now=world.now)
    await world.built.house.status.restore(Qid(first["qid"]), by="x", now=world.now)
    before = await world.built.store.changed_seq()
    mine = await declared(world, 0, "NCOVI")
    seen = await asked(world, "NCOVI")
    assert [change["citizen"]["qid"] for change in seen["changes"]] == [mine["qid"]] == [first["qid"]]
    assert all(int(change["cursor"]) > before for change in seen["changes"])


async def test_a_refused_declaration_links_nobody(world: World) -> None:
    theirs = await declared(world, 0, "BLUEZONE")
    mine = await declared(world, 0, "NCOVI", name="Tôn Nữ Người Khác")
    assert mine["outcome"] == "refused"
    await world.built.house.status.revoke(Qid(theirs["qid"]), "F0", by="x", now=world.now)
    assert await citizens(world, "NCOVI") == []


async def test_who_typed_somebodys_number_learns_nothing(world: World) -> None:
    """Number and birth date of another, and a name that differs as a slip does: its own declaration, no more."""
    person = world.person(0)
    theirs = await declared(world, 0, "BLUEZONE", health__contact=True)
    slip = person.name[:-1] if person.name[-1].isalpha() else person.name + "n"
    mine = await declared(world, 0, "NCOVI", name=slip)
    assert mine["outcome"] == "repairable"
    own = await citizens(world, "NCOVI")
    assert [(one["state"], one["health"], one["grade"], one["code"], one["also"]) for one in own] == [
        ("check", "clear", "repairable", mine["code"], [])
    ]
    cursor = (await asked(world, "NCOVI"))["next"]
    await declared(world, 0, "BLUEZONE", health__symptoms__fever=True)
    assert await citizens(world, "NCOVI", after=cursor) == []
    newest = (await citizens(world, "BLUEZONE"))[-1]
    assert newest["health"] == "symptoms"
    assert theirs["code"] != newest["code"] != mine["code"]


async def test_nobody_sees_on_after_a_parting(world: World) -> None:
    one, other = await merged(world)
    assert {c["qid"] for c in await citizens(world, "BLUEZONE")} == {one["qid"]}
    world.now += A_MINUTE
    act = await world.built.citizens.part(Qid(other["qid"]), by="x", now=world.now)
    cursor = (await asked(world, "BLUEZONE"))["next"]
    await world.built.store.append(act)
    await world.built.house.status.revoke(Qid(one["qid"]), "F0", by="x", now=world.now)
    parted = await asked(world, "BLUEZONE", after=cursor)
    assert [(c["type"], c["citizen"]["qid"]) for c in parted["changes"]] == [("citizen.parted", other["qid"])]
    assert {c["qid"] for c in await citizens(world, "BLUEZONE")} == {other["qid"]}, "nor what was so before"
    assert (await citizens(world, "NCOVI"))[-1]["state"] == "withdrawn"


async def test_who_is_dismissed_is_refused(world: World) -> None:
    platform = await world.platform("BLUEZONE")
    await declared(world, 0, "BLUEZONE")
    await world.built.house.enrol.dismiss("platform", "BLUEZONE", world.now)
    assert (await platform.get("/v1/changes")).status_code == 401


# -- what they see -------------------------------------------------------------------------------------------------


async def merged(world: World) -> tuple[dict[str, Any], dict[str, Any]]:
    """NCOVI knows somebody by the card, BLUEZONE by the old card; the worker finds out that it is one citizen."""
    cccd, cmnd = world.person(0).documents[:2]
    one = await declared(world, 0, "NCOVI", document=by(cccd))
    world.registry.outage = True
    other = await declared(world, 0, "BLUEZONE", document=by(cmnd))
    world.registry.outage = False
    assert await world.work() == 1
    return one, other


async def test_everybody_who_declared_sees_the_same_code_and_standing(anywhere: World) -> None:
    world = anywhere
    names = ("BLUEZONE", "NCOVI", "DICUAN")
    sent = [await declared(world, 0, name) for name in names]
    seen = [(await citizens(world, name))[-1] for name in names]
    assert {one["code"] for one in seen} == {sent[-1]["code"]}
    assert len({(one["qid"], one["version"], one["state"], one["valid_until"]) for one in seen}) == 1
    assert [one["declaration"] for one in seen] == [one["declaration"] for one in sent]
    assert seen[0]["state"] == "good"


async def test_what_follows_is_told(world: World) -> None:
    qid = Qid((await declared(world, 0, "BLUEZONE"))["qid"])
    desk, cursor = world.built.house.status, (await asked(world, "BLUEZONE"))["next"]
    assert await citizens(world, "BLUEZONE", after="now") == []
    for does, state in ((desk.suspend, "suspended"), (desk.revoke, "withdrawn")):
        await does(qid, "F0", by="x", now=world.now)
        page = await asked(world, "BLUEZONE", after=cursor)
        assert [change["citizen"]["state"] for change in page["changes"]] == [state]
        cursor = page["next"]
    await desk.restore(qid, by="x", now=world.now)
    world.now += dt.timedelta(days=4)
    assert [one["state"] for one in await citizens(world, "BLUEZONE", after=cursor)] == ["expired"]


async def test_a_merge_is_told_to_both(anywhere: World) -> None:
    world = anywhere
    one, other = await merged(world)
    for name in ("NCOVI", "BLUEZONE"):
        page = await asked(world, name)
        told = page["changes"][-1]
        assert (told["citizen"]["qid"], told["citizen"]["also"]) == (one["qid"], [other["qid"]]), name
        assert "citizen.merged" in [change["type"] for change in page["changes"]]
        assert told["citizen"]["state"] == "good"
    assert len({(await citizens(world, name))[-1]["code"] for name in ("NCOVI", "BLUEZONE")}) == 1


async def test_pages_are_in_order_and_miss_nothing(anywhere: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """However small the pages, from the store or from what is at hand, while others write."""
    monkeypatch.setattr(feed_module, "_SCANNED", 7)
    world, dice = anywhere, random.Random(5)
    platform = await world.platform("BLUEZONE")
    other = await world.platform("NCOVI")
    page_after: dict[str, list[dict[str, Any]]] = {}

    async def read(limit: int, fresh: bool) -> dict[str, int]:
        told: dict[str, int] = {}
        cursor, last = "0", 0
        while True:
            if fresh:  # a process that has seen nothing yet
                world.built.house.feed.tail.since = world.built.house.feed.tail.head + 10**6
            answer = (await platform.get("/v1/changes", params={"after": cursor, "limit": limit})).json()
            for change in answer["changes"]:
                assert int(change["cursor"]) > last and change["citizen"]["version"] == int(change["cursor"])
                last = int(change["cursor"])
                told[change["citizen"]["qid"]] = change["citizen"]["version"]
            page_after.setdefault(cursor, []).append(answer)
            assert int(answer["next"]) >= last
            cursor = answer["next"]
            if not answer["more"]:
                return told

    for n in range(24):
        world.now += A_MINUTE
        await world.declare(world.person(dice.randrange(8)), dice.choice((platform, other)))
        if n % 8 == 7:
            seen = [await read(limit, fresh) for limit in (1, 3, 500) for fresh in (False, True)]
            assert all(one == seen[0] for one in seen), n


async def test_many_wait_and_are_answered_at_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A hundred who wait cost no more looks than one does; what is written is told before the next would come."""
    monkeypatch.setattr(tail_module, "LOOK_SECONDS", 60)
    mine = await declared(world, 0, "BLUEZONE")
    feed, store = world.built.house.feed, world.built.store
    head = await feed.head()
    looks = 0
    changed_seq = store.changed_seq

    async def counted() -> int:
        nonlocal looks
        looks += 1
        return await changed_seq()

    monkeypatch.setattr(store, "changed_seq", counted)
    waiting = [asyncio.create_task(feed.tail.wait("BLUEZONE", head, 60)) for _ in range(100)]
    await asyncio.sleep(0.1)
    assert looks == 1
    await world.built.house.status.revoke(Qid(mine["qid"]), "F0", by="x", now=world.now)
    async with asyncio.timeout(30):
        await asyncio.gather(*waiting)
    assert looks == 2
    page = await feed.changes("BLUEZONE", head, 9, world.now)
    assert [change.citizen.state for change in page.changes] == ["withdrawn"]


async def test_a_waiting_poll_hears_of_its_own_and_not_of_others(world: World) -> None:
    mine = await declared(world, 0, "BLUEZONE")
    theirs = await declared(world, 1, "NCOVI")
    cursor = (await asked(world, "BLUEZONE"))["next"]
    poll = asyncio.create_task(asked(world, "BLUEZONE", after=cursor, wait=20))
    await asyncio.sleep(0.05)
    await world.built.house.status.revoke(Qid(theirs["qid"]), "F0", by="x", now=world.now)
    await asyncio.sleep(0.1)
    assert not poll.done()
    await world.built.house.status.revoke(Qid(mine["qid"]), "F0", by="x", now=world.now)
    async with asyncio.timeout(10):
        page = await poll
    assert [change["citizen"]["qid"] for change in page["changes"]] == [mine["qid"]]


async def test_bad_questions_get_an_answer(world: World) -> None:
    platform: httpx.AsyncClient = await world.platform("BLUEZONE")
    for query, code in (
        ({"after": "x"}, "changes.cursor"),
        ({"after": "-1"}, "changes.cursor"),
        ({"after": "999999"}, "changes.cursor"),
        ({"after": "9" * 40}, "changes.cursor"),
        ({"after": "١"}, "changes.cursor"),
        ({"limit": "0"}, "changes.limit"),
        ({"limit": "501"}, "changes.limit"),
        ({"limit": "ten"}, "changes.limit"),
        ({"wait": "21"}, "changes.wait"),
        ({"wait": "-1"}, "changes.wait"),
    ):
        answer = await platform.get("/v1/changes", params=query)
        assert (answer.status_code, answer.json()["code"]) == (422, code), query
        assert set(answer.json()["words"]) == {"vi", "en"}


async def test_what_happens_wakes_only_whom_it_concerns(world: World) -> None:
    """A hundred platforms that follow nobody sleep on, and are asked nothing, while two are told."""
    feed, store = world.built.house.feed, world.built.store
    first, second = await world.platform("BLUEZONE"), await world.platform("NCOVI")
    await world.declare(world.person(0), first)
    head = await feed.head()
    woken: list[str] = []

    async def wait(platform: str) -> None:
        await feed.tail.wait(platform, head, 60)
        woken.append(platform)

    names = ["BLUEZONE", "NCOVI", *(f"OTHER{n}" for n in range(100))]
    waiting = [asyncio.create_task(wait(name)) for name in names]
    await asyncio.sleep(0)
    await world.declare(world.person(0), second)
    async with asyncio.timeout(60):
        await asyncio.gather(*waiting[:2])
    assert sorted(woken) == ["BLUEZONE", "NCOVI"] and not any(task.done() for task in waiting[2:])
    for task in waiting[2:]:
        task.cancel()
    assert (await store.changed_seq()) > head


async def test_what_is_told_to_many_is_read_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Four platforms read one change; where the citizen stands is read for the first only, until something happens."""
    platforms = [await world.platform(name) for name in ("BLUEZONE", "NCOVI", "TOKHAIYTE", "DICUAN")]
    for platform in platforms:
        qid = (await world.declare(world.person(0), platform)).json()["qid"]
    feed, store = world.built.house.feed, world.built.store
    read: list[str] = []
    for name in ("standings_of", "links_of", "facts_of"):
        verb = getattr(store, name)

        async def counted(*asked: Any, verb: Any = verb, name: str = name) -> Any:
            read.append(name)
            return await verb(*asked)

        monkeypatch.setattr(store, name, counted)

    async def told() -> list[str]:
        return [(await feed.of(name, qid, world.now)).state for name in ("BLUEZONE", "NCOVI", "TOKHAIYTE", "DICUAN")]

    assert await told() == ["good"] * 4
    once = list(read)
    assert await told() == ["good"] * 4 and read == once, "nothing happened"
    await world.built.house.status.revoke(qid, "mất máy", by="cli", now=world.now)
    assert await told() == ["withdrawn"] * 4, "what was read before it is not told after it"
    assert len(read) - len(once) <= len(once) + 1
