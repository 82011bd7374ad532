"""Who must *not* see: the page of ``web/access.py``, walked door by door and visitor by visitor.

Every route of the application stands in ``DOORS``; one that does not makes a test fail.
"""

import asyncio
import datetime as dt
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
from litestar import Litestar

from motma.core.facts import Fact, LookedUp
from motma.core.ids import new_fact_id
from motma.core.platforms import SCOPES
from motma.storage.store import Act
from motma.web.gate import body_max_bytes
from tests.keyholder import key_holder
from tests.web.doors import DOORS
from tests.world import HERE, NEXT, World, living_world

FORM = {"content-type": "application/x-www-form-urlencoded"}

_KEPT = sorted(
    (door, who) for door, who in DOORS.items() if who in ("officer", "operator", "platform", "device", "health")
)

_ENTRANCES = ("/ops/login", "/health/login", "/scan/enrol", "/scan/shift")


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with living_world(tmp_path) as world:
        yield world


def routes(app: Any) -> set[tuple[str, str]]:
    """(method, path) of every route, found through what stands before the application."""
    while not isinstance(app, Litestar):
        held = [cell.cell_contents for cell in app.__closure__]
        app = next(one for one in held if isinstance(one, Litestar) or getattr(one, "__closure__", None))
    return {
        (method, route.path_format if "{" not in route.path else route.path)
        for route in app.routes
        for method in getattr(route, "methods", ("?",))
        if method != "OPTIONS"
    }


async def test_every_route_stands_in_the_table(world: World) -> None:
    assert routes(world.app) == set(DOORS)


async def visitors(world: World) -> dict[str, tuple[httpx.AsyncClient, set[str]]]:
    """Name -> (client, the doors that are open to them besides those of anybody)."""
    enrol = world.built.house.enrol
    officer = await world.officer_at(HERE, "CB-01")
    elsewhere = await world.officer_at(NEXT, "CB-02")
    operator, platform = await world.operator(), await world.interlinked("NCOVI")
    token = platform.headers["authorization"].removeprefix("Bearer ")
    device, shift = officer.cookies["motma_device"], officer.cookies["motma_shift"]
    session = operator.cookies["motma_session"]
    stranger = world.browser()
    await world.declare_on_page(stranger, world.person(9))
    gone = await world.officer_at(HERE, "CB-03")
    await enrol.end_shift(gone.cookies["motma_shift"], world.now)
    lost = await world.officer_at(HERE, "CB-04")
    lost_device = await enrol.device(lost.cookies["motma_device"], world.now)
    assert lost_device is not None
    await enrol.dismiss("device", lost_device.id, world.now)
    left = await world.operator("DA-NGHI")
    await enrol.dismiss("operator", "DA-NGHI", world.now)
    staff = await world.health_staff()
    transferred = await world.health_staff("DA-CHUYEN")
    await enrol.dismiss("health", "DA-CHUYEN", world.now)
    closed = await world.platform("CLOSED")
    await enrol.dismiss("platform", "CLOSED", world.now)

    def bearer(value: str) -> httpx.AsyncClient:
        return world.browser(headers={"authorization": value})

    nothing: set[str] = set()
    return {
        "nobody": (world.browser(), nothing),
        "a browser with a wallet": (stranger, nothing),
        "an officer": (officer, {"officer", "device"}),
        "an officer elsewhere": (elsewhere, {"officer", "device"}),
        "an operator": (operator, {"operator"}),
        "health staff": (staff, {"health"}),
        "health staff who were dismissed": (transferred, nothing),
        "an operator's session as health staff": (world.browser({"motma_health": session}), nothing),
        "health staff as an operator": (
            world.browser({"motma_session": staff.cookies["motma_health"]}),
            nothing,
        ),
        "health staff as a token": (bearer(f"Bearer {staff.cookies['motma_health']}"), nothing),
        "a platform": (platform, {"platform"}),
        "a device without a shift": (await world.device_at(HERE), {"device"}),
        "a shift without a device": (world.browser({"motma_shift": shift}), nothing),
        "a shift begun on another device": (
            world.browser({"motma_device": elsewhere.cookies["motma_device"], "motma_shift": shift}),
            {"device"},
        ),
        "a shift in the place of a device": (world.browser({"motma_device": shift, "motma_shift": device}), nothing),
        "a shift that was ended": (gone, {"device"}),
        "a device that was dismissed": (lost, nothing),
        "an operator who was dismissed": (left, nothing),
        "a platform that was dismissed": (closed, nothing),
        "an officer's cookies as a token": (bearer(f"Bearer {shift}"), nothing),
        "an operator's session as a token": (bearer(f"Bearer {session}"), nothing),
        "a platform's token as cookies": (
            world.browser(dict.fromkeys(("motma_session", "motma_device", "motma_shift", "motma_wallet"), token)),
            nothing,
        ),
        "a token under another scheme": (bearer(f"Basic {token}"), nothing),
        "a token without a scheme": (bearer(token), nothing),
        "an empty token": (bearer("Bearer "), nothing),
        "half a token": (bearer(f"Bearer {token[:16]}"), nothing),
        "a token in capitals": (bearer(f"Bearer {token.upper()}"), nothing),
        "an operator's session as an officer": (
            world.browser({"motma_device": session, "motma_shift": session}),
            nothing,
        ),
        "an officer's shift as an operator": (world.browser({"motma_session": shift}), nothing),
    }


async def knock(world: World, client: httpx.AsyncClient, door: tuple[str, str]) -> httpx.Response:
    """Come to a door with what it wants, so that only who one is can be wrong."""
    method, path = door
    world_now = world.now.isoformat()
    content: dict[str, Any] = {}
    if path == "/v1/declarations":
        content = {"json": world.declaration(world.person(0)), "headers": {"idempotency-key": f"k{world.scan_id()}"}}
    elif path == "/v1/prechecks":
        content = {"json": {"declaration": "dcl_01kf7yejc0k13emra4srge0byv"}}
    elif path == "/v1/checks":
        content = {"json": {"id": world.scan_id(), "scanned_at": world_now, "code": "x"}}
    elif path == "/v1/lists":
        content = {"json": {"list": "arrivals", "basis": "x", "from": world_now, "until": world_now}}
    elif path == "/scan/plates":
        content = {"json": {"plate": "59X3 123.45"}}
    elif method == "POST":
        content = {"content": urlencode({"checkpoint": HERE, "officer": "CB-99", "pin": "0"}), "headers": FORM}
    if path == "/ops/live":  # a stream without an end; who may not see gets an answer at once
        try:
            async with asyncio.timeout(0.3):
                return await client.get(path)
        except TimeoutError:
            return httpx.Response(200)
    return await client.request(method, path, **content)


async def test_who_must_not_see(world: World) -> None:
    everybody = await visitors(world)
    for who, (client, opens) in everybody.items():
        for door, owner in _KEPT:
            answer = await knock(world, client, door)
            turned_away = answer.status_code in (401, 403) or answer.headers.get("location") in _ENTRANCES
            if door == ("GET", "/scan/shift") and owner == "device" and "officer" in opens:
                assert answer.headers["location"] == "/scan"
            elif door == ("POST", "/ops/diversions/close") and "operator" in opens:
                assert answer.status_code == 303
            else:
                assert turned_away == (owner not in opens), (who, door, answer.status_code)
            if turned_away and answer.status_code == 401:
                assert answer.json()["code"].startswith("access.")


async def test_who_is_turned_away_leaves_nothing_behind(world: World) -> None:
    everybody = await visitors(world)
    before = world.rows()
    for client, opens in everybody.values():
        for door, owner in _KEPT:
            if owner not in opens and "GET" not in door:
                await knock(world, client, door)
    assert world.rows() == before


def scoped(app: Any) -> dict[tuple[str, str], str]:
    """(method, path) -> the scope that it needs, of every route of the platforms' door."""
    while not isinstance(app, Litestar):
        held = [cell.cell_contents for cell in app.__closure__]
        app = next(one for one in held if isinstance(one, Litestar) or getattr(one, "__closure__", None))
    return {
        (method, route.path_format if "{" not in route.path else route.path): guard.scope
        for route in app.routes
        for method, (handler, _) in getattr(route, "route_handler_map", {}).items()
        for guard in getattr(handler, "guards", None) or ()
        if hasattr(guard, "scope")
    }


async def test_every_scope_opens_its_own_doors_and_no_other(world: World) -> None:
    needs = scoped(world.app)
    assert set(needs) == {door for door, who in DOORS.items() if who == "platform"}
    assert set(needs.values()) <= set(SCOPES)
    holder = await key_holder(world, "NCOVI")
    for scope in SCOPES:
        client = await holder.client(scope)
        for door, needed in needs.items():
            answer = await knock(world, client, door)
            if needed == scope:
                assert answer.status_code not in (401, 403), (door, answer.text)
            else:
                assert (answer.status_code, answer.json()["code"]) == (403, "access.scope"), (door, scope)
                assert f'scope="{needed}"' in answer.headers["www-authenticate"]


async def test_nothing_is_read_from_who_is_turned_away(world: World) -> None:
    """Not even what is wrong with their request is said."""
    for path in ("/v1/checks", "/v1/declarations", "/v1/prechecks"):
        answer = await world.browser().post(path, content=b"\xff not json", headers={"content-type": "text/plain"})
        assert (answer.status_code, answer.json()["code"].split(".")[0]) == (401, "access")


async def test_a_shift_ends_after_twelve_hours(world: World) -> None:
    officer = await world.officer_at()
    world.now += dt.timedelta(hours=12) - dt.timedelta(seconds=1)
    assert (await officer.get("/scan/pulse")).status_code == 204
    world.now += dt.timedelta(seconds=1)
    answer = await officer.get("/scan/pulse")
    assert (answer.status_code, answer.json()["code"]) == (401, "access.shift")
    assert (await world.check(code="x", officer=officer)).status_code == 401
    assert (await officer.get("/scan")).headers["location"] == "/scan/shift"


async def test_a_session_ends_after_twelve_hours(world: World) -> None:
    operator = await world.operator()
    world.now += dt.timedelta(hours=12)
    assert (await operator.get("/ops/counts.csv")).status_code == 401
    assert (await operator.get("/ops")).headers["location"] == "/ops/login"


async def test_signing_out_ends_it_on_the_server_too(world: World) -> None:
    for client, out, door in (
        (await world.operator(), "/ops/logout", "/ops/counts.csv"),
        (await world.officer_at(), "/scan/shift/end", "/scan/pulse"),
    ):
        copied = world.browser(dict(client.cookies))
        assert (await copied.get(door)).status_code in (200, 204)
        assert (await client.post(out)).status_code == 303
        assert (await client.get(door)).status_code == 401
        assert (await copied.get(door)).status_code == 401


async def test_the_live_board_ends_with_the_session(world: World) -> None:
    """Even while something happens all the time."""
    from motma.web import operators

    operator = await world.operator()
    session = operator.cookies["motma_session"]
    queue: asyncio.Queue[bytes] = asyncio.Queue()
    ended = asyncio.Event()

    async def receive() -> dict[str, Any]:
        await ended.wait()
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        if message["type"] == "http.response.body":
            await queue.put(message["body"])
            if not message.get("more_body"):
                ended.set()

    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "GET", "scheme": "http",
        "path": "/ops/live", "raw_path": b"/ops/live", "query_string": b"", "root_path": "", "state": {},
        "headers": [(b"host", b"motma.test"), (b"cookie", f"motma_session={session}".encode())],
        "client": ("127.0.0.1", 5), "server": ("motma.test", 80),
    }  # fmt: skip
    assert operators._LOOK_EVERY_SECONDS <= 1
    streaming = asyncio.create_task(world.app(scope, receive, send))
    assert b"snapshot" in await asyncio.wait_for(queue.get(), 5)
    await world.built.house.enrol.sign_out(session, world.now)
    await world.check(code="x")
    await asyncio.wait_for(ended.wait(), 5)
    await asyncio.wait_for(streaming, 5)
    assert all(b"snapshot" not in queue.get_nowait() for _ in range(queue.qsize()))


async def test_a_wallet_shows_its_own_codes_only(world: World) -> None:
    mine, theirs = world.browser(), world.browser()
    await world.declare_on_page(mine, world.person(0))
    await world.declare_on_page(theirs, world.person(1))
    page = (await mine.get("/code")).text
    assert world.person(0).name in page and world.person(1).name not in page
    assert (await mine.get("/code/1.png")).status_code == 200
    assert (await mine.get("/code/2.png")).status_code == 404
    assert (await mine.get("/code/2/looks")).status_code == 404
    nobody = world.browser()
    for path in ("/code/1.png", "/code/1/looks"):
        assert (await nobody.get(path)).status_code == 404
    assert world.person(0).name not in (await nobody.get("/code")).text


async def test_who_declares_for_somebody_learns_nothing_of_their_ways(world: World) -> None:
    """A neighbour who knows a name, a number and a birthday declares for them: they must not see who looked."""
    citizen, neighbour = world.browser(), world.browser()
    await world.declare_on_page(citizen, world.person(0))
    held = await world.built.house.wallets.held(world.built.house.wallet(citizen.cookies["motma_wallet"]))
    await world.check(code=held[0].code)
    await world.declare_on_page(neighbour, world.person(0))
    await world.check(qid=held[0].qid)
    name = world.built.house.steer.network.by_id[HERE].name.vi
    assert name in (await citizen.get("/code/1/looks")).text
    assert name not in (await neighbour.get("/code/1/looks")).text


async def test_nor_by_so_many_facts_that_the_citizens_own_declaration_is_out_of_sight(world: World) -> None:
    citizen, neighbour = world.browser(), world.browser()
    await world.declare_on_page(citizen, world.person(0))
    world.now += dt.timedelta(seconds=1)
    await world.declare_on_page(neighbour, world.person(0))
    wallet = world.built.house.wallet(neighbour.cookies["motma_wallet"])
    [held] = await world.built.house.wallets.held(wallet)
    look = LookedUp("device", "officer")
    ids = [new_fact_id("plk", world.now, n.to_bytes(10, "big")) for n in range(1_000)]
    many = [Fact(id=id, at=world.now, actor="x", qid=held.qid, what=look) for id in ids]
    await world.built.store.append(Act(facts=tuple(many)))
    await world.check(qid=held.qid)
    assert await world.built.house.wallets.looks(wallet, held.qid) == []


async def test_signing_in_gives_a_new_secret_and_takes_none(world: World) -> None:
    """Whoever planted a cookie beforehand holds nothing afterwards."""
    enrol = world.built.house.enrol
    planted = "a" * 32
    key = await enrol.appoint_operator("TRUC-BAN", world.now)
    operator = world.browser({"motma_session": planted})
    await operator.post("/ops/login", data={"name": "TRUC-BAN", "key": key})
    assert (await world.browser({"motma_session": planted}).get("/ops/counts.csv")).status_code == 401
    device = await world.device_at()
    pin = await enrol.appoint_officer("CB-01", "Trực", world.now)
    token = device.cookies["motma_device"]
    begun = await world.browser({"motma_device": token, "motma_shift": planted}).post(
        "/scan/shift", data={"officer": "CB-01", "pin": pin}
    )
    assert begun.status_code == 303
    fixed = world.browser({"motma_device": token, "motma_shift": planted})
    assert (await fixed.get("/scan/pulse")).status_code == 401


async def test_every_post_has_a_limit(world: World) -> None:
    for method, path in DOORS:
        if method != "POST":
            continue
        for headers in (
            [(b"content-length", str(body_max_bytes(path) + 1).encode())],
            [(b"content-length", b"9" * 5_000)],
            [(b"content-length", b"-1")],
            [(b"content-length", b"many")],
        ):
            status, _, body = await world.raw(method, path, headers=headers)
            assert (status, b"body.too_large" in body) == (413, True), path
