"""The simulated world: a real house on a real store, a clock that the test moves, a register that can fail.

Nothing is mocked. The application is the one that is served (``create_app`` over ``build``), reached in-process over
ASGI; only the clock and the register's outage are in the test's hand. ::

    async with living_world(tmp_path) as world:
        bluezone = await world.platform()
        sent = await world.declare(world.person(0), bluezone)
        world.now += timedelta(hours=73)
        judged = await world.check(code=sent.json()["code"])
"""

import asyncio
import contextlib
import datetime as dt
import itertools
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
import msgspec

from motma.config import Settings
from motma.core.ids import new_fact_id
from motma.core.measure import Measure
from motma.measures import load_demo_measure
from motma.register.population import Person, Population
from motma.web.app import create_app
from motma.web.house import House
from motma.wiring import Built, build
from tests.keyholder import key_holder
from tests.register.running import Running, register

BEGINNING = dt.datetime(2026, 1, 18, 7, 0, tzinfo=dt.UTC)
"""14:00 in Ho Chi Minh City, on a Sunday."""

HERE, NEXT = "g07-vinh-binh", "i03-dinh-bo-linh"
_SIZE = 3_000
_REMEMBERED = dt.timedelta(seconds=3)
"""Longer than anything is remembered without being read anew."""

_TABLES = ("facts", "once", "standing", "tally", "holdings", "credentials")
_people = Population(2021, _SIZE)
_citizens = [
    person for person in map(_people.person, range(_SIZE)) if len(person.documents) == 2 and " " in person.name
]


class Register:
    """The population register of this world: a program of its own, and who is in it."""

    population = _people

    def __init__(self, running: Running) -> None:
        self._running = running
        self._outage = False

    @property
    def outage(self) -> bool:
        """Whether it answers nobody."""
        return self._outage

    @outage.setter
    def outage(self, away: bool) -> None:
        self._outage = away
        self._running.fault(outage=True) if away else self._running.clear()


class World:
    """One house, seen from outside. Made by :func:`living_world`."""

    def __init__(self, built: Built, app: Any, settings: Settings, registry: "Register") -> None:
        self.now = BEGINNING
        self.built = built
        self.app = app
        self.settings = settings
        self.registry = registry
        self._serial = itertools.count(1)
        self._clients: list[httpx.AsyncClient] = []
        self.officers: dict[str, httpx.AsyncClient] = {}
        self._platforms: dict[str, httpx.AsyncClient] = {}

    # -- who comes ----------------------------------------------------------------------------------------------

    def person(self, n: int) -> Person:
        """The ``n``-th citizen who holds both a CCCD and an old CMND."""
        return _citizens[n]

    def foreigner(self) -> Person:
        return next(person for person in map(_people.person, range(_SIZE)) if person.nationality != "VN")

    def browser(
        self,
        cookies: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        *,
        scheme: str = "http",
    ) -> httpx.AsyncClient:
        """Somebody with a browser of their own; it keeps its cookies. Redirects are not followed."""
        client = httpx.AsyncClient(
            transport=httpx.ASGITransport(self.app), base_url=f"{scheme}://motma.test", headers=headers
        )
        for name, value in (cookies or {}).items():
            client.cookies.set(name, value, domain="motma.test")
        self._clients.append(client)
        return client

    async def platform(self, name: str = "BENHVIEN") -> httpx.AsyncClient:
        """A platform with its token."""
        if name not in self._platforms:
            token = await self.built.house.enrol.register_platform(name, name.title(), self.now)
            self._platforms[name] = self.browser(headers={"authorization": f"Bearer {token}"})
        return self._platforms[name]

    async def interlinked(self, name: str = "LIENTHONG") -> httpx.AsyncClient:
        """A registered platform with every scope, and a token for its key."""
        holder = await key_holder(self, name)
        return await holder.client()

    async def device_at(self, checkpoint: str = HERE, *, scheme: str = "http") -> httpx.AsyncClient:
        """An enrolled device on which nobody has begun a shift."""
        enrol = self.built.house.enrol
        invitation = await enrol.invite_device(checkpoint, "Máy thử", self.now)
        token, _ = await enrol.enrol_device(invitation, self.now)
        return self.browser({"motma_device": token}, scheme=scheme)

    async def officer_at(self, checkpoint: str = HERE, officer: str = "CB-01") -> httpx.AsyncClient:
        """An officer at work on a device of their own."""
        enrol = self.built.house.enrol
        pin = await enrol.appoint_officer(officer, "Trần Văn Trực", self.now)
        client = await self.device_at(checkpoint)
        device = await enrol.device(client.cookies["motma_device"], self.now)
        assert device is not None
        shift = await enrol.start_shift(device, officer, pin, self.now)
        client.cookies.set("motma_shift", shift, domain="motma.test")
        return client

    async def operator(self, name: str = "TRUC-BAN") -> httpx.AsyncClient:
        """An operator who has signed in."""
        enrol = self.built.house.enrol
        key = await enrol.appoint_operator(name, self.now)
        return self.browser({"motma_session": await enrol.sign_in(name, key, self.now)})

    async def health_staff(self, name: str = "CDC-01") -> httpx.AsyncClient:
        """One of the health staff who has signed in."""
        enrol = self.built.house.enrol
        key = await enrol.appoint_health_staff(name, self.now)
        return self.browser({"motma_health": await enrol.sign_in_health_staff(name, key, self.now)})

    # -- what they do -------------------------------------------------------------------------------------------

    def declaration(self, person: Person, **changes: Any) -> dict[str, Any]:
        """What ``person`` says on a platform, with ``changes`` by dotted path (``health__contact=True``)."""
        declare = self.built.house.declare
        home = {"province": person.residence.province, "commune": person.residence.commune}
        document = person.documents[0]
        body: dict[str, Any] = {
            "name": person.name,
            "birth_date": person.birth_date.isoformat(),
            "sex": person.sex,
            "nationality": person.nationality,
            "document": {"kind": document.kind, "number": document.number},
            "phone": person.phone,
            "residence": {**home, "address": person.residence.address},
            "trip": {
                "origin": dict(home),
                "destination": dict(home),
                "vehicle": "motorbike",
                "plate": "59C112345",
                "departs_at": (self.now + dt.timedelta(hours=1)).isoformat(),
                "checkpoints": [HERE],
            },
            "health": {"symptoms": dict.fromkeys((s.id for s in declare.form.symptoms), False), "contact": False},
            "consents": [purpose.id for purpose in declare.form.purposes],
        }
        for path, value in changes.items():
            *folders, last = path.split("__")
            inner = body
            for folder in folders:
                inner = inner[folder]
            inner[last] = value
        return body

    def page_fields(self, person: Person, **changes: str) -> list[tuple[str, str]]:
        """The same as the fields of the page's form, sent from its last step."""
        body = self.declaration(person)
        year, month, day = body["birth_date"].split("-")
        fields = {"birth_date.day": day, "birth_date.month": month, "birth_date.year": year, "step": "4", "go": "send"}

        def walk(prefix: str, value: Any) -> Iterable[tuple[str, str]]:
            if isinstance(value, dict):
                for name, inner in value.items():
                    yield from walk(f"{prefix}.{name}" if prefix else name, inner)
            elif isinstance(value, list):
                yield from ((prefix, item) for item in value)
            elif isinstance(value, bool):
                yield prefix, "yes" if value else "no"
            else:
                yield prefix, str(value)

        del body["birth_date"]
        body["trip"]["departs_at"] = f"{self.now + dt.timedelta(hours=8):%Y-%m-%dT%H:%M}"
        pairs = [*fields.items(), *walk("", body)]
        renamed = {path.replace("__", "."): value for path, value in changes.items()}
        return [(name, value) for name, value in pairs if name not in renamed] + list(renamed.items())

    async def declare(
        self, person: Person, platform: httpx.AsyncClient | None = None, *, key: str | None = None, **changes: Any
    ) -> httpx.Response:
        """Declare through a platform; under an idempotency key of its own unless told which."""
        platform = platform or await self.platform()
        return await self.send(platform, self.declaration(person, **changes), key=key)

    async def send(
        self, platform: httpx.AsyncClient, body: dict[str, Any], *, key: str | None = None
    ) -> httpx.Response:
        key = key or f"key-{next(self._serial)}"
        return await platform.post("/v1/declarations", json=body, headers={"idempotency-key": key})

    async def declare_on_page(self, browser: httpx.AsyncClient, person: Person, **changes: str) -> httpx.Response:
        """Send the page's form as a browser does, from its last step."""
        return await browser.post(
            "/",
            content=urlencode(self.page_fields(person, **changes)),
            headers={"content-type": "application/x-www-form-urlencoded"},
        )

    def scan_id(self) -> str:
        """A fresh id for a scan."""
        return new_fact_id("scn", self.now, next(self._serial).to_bytes(10, "big"))

    async def check(
        self,
        code: str | None = None,
        qid: str | None = None,
        *,
        officer: httpx.AsyncClient | None = None,
        **ask: Any,
    ) -> httpx.Response:
        """Check a code or a number, at ``HERE`` unless told who does it."""
        if officer is None:
            if HERE not in self.officers:
                self.officers[HERE] = await self.officer_at(HERE, "CB-WORLD")
            officer = self.officers[HERE]
        shown = {"code": code} if code is not None else {}
        shown |= {"qid": qid} if qid is not None else {}
        body = {"id": self.scan_id(), "scanned_at": self.now.isoformat(), **shown, **ask}
        return await officer.post("/v1/checks", json=body)

    async def work(self) -> int:
        """What the worker does in one round."""
        return await self.built.identify.match_pending(self.now)

    async def divert(self, checkpoint: str = HERE, to: str | None = None) -> None:
        await self.built.house.steer.open_diversion(checkpoint, to, "", by="TRUC-BAN", now=self.now)

    async def publish(self, **changes: Any) -> Measure:
        """Publish the demonstration's measure, with ``changes``."""
        measure = msgspec.structs.replace(load_demo_measure(self.now), **changes)
        await self.built.house.steer.publish_measure(measure, by="test", now=self.now)
        return measure

    def forget(self) -> None:
        """Let so much time pass that nothing is remembered without being read anew."""
        self.now += _REMEMBERED

    # -- what is left of it -------------------------------------------------------------------------------------

    def rows(self) -> dict[str, int]:
        """Rows of every table, read past the house; facts without those about its keys, which are there first."""
        assert self.settings.database_url.startswith("sqlite:///")
        path = self.settings.database_url.removeprefix("sqlite:///")
        with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
            count = "SELECT count(*) FROM {}".format
            rows = {table: database.execute(count(table)).fetchone()[0] for table in _TABLES}
            keys = database.execute(count("facts") + " WHERE kind LIKE 'key.%'").fetchone()[0]
            return {**rows, "facts": rows["facts"] - keys}

    async def raw(
        self,
        method: str,
        path: str,
        *,
        headers: Iterable[tuple[bytes, bytes]] = (),
        query: bytes = b"",
        chunks: Iterable[bytes] = (b"",),
        scheme: str = "http",
    ) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
        """(status, headers, body) of a request that no well-behaved client would send; no ``chunks``: it went away."""
        scope = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "method": method,
            "scheme": scheme,
            "path": path,
            "raw_path": path.encode("utf-8", "surrogateescape"),
            "query_string": query,
            "root_path": "",
            "headers": [(b"host", b"motma.test"), *headers],
            "client": ("127.0.0.1", 5),
            "server": ("motma.test", 80),
            "state": {},
        }
        incoming = [{"type": "http.request", "body": chunk, "more_body": True} for chunk in chunks]
        if incoming:
            incoming[-1]["more_body"] = False
        incoming.append({"type": "http.disconnect"})
        queue = iter(incoming)
        started: dict[str, Any] = {}
        body = bytearray()

        async def receive() -> dict[str, Any]:
            return next(queue, {"type": "http.disconnect"})

        async def send(message: Any) -> None:
            if message["type"] == "http.response.start":
                started.update(message)
            else:
                body.extend(message.get("body", b""))

        await self.app(scope, receive, send)
        return started["status"], started["headers"], bytes(body)

    async def close(self) -> None:
        for client in self._clients:
            await client.aclose()


@contextlib.asynccontextmanager
async def living_world(
    folder: Path,
    *,
    database_url: str | None = None,
    measure: bool = True,
    dcc_signers: Path | None = None,
    **more: Any,
) -> AsyncIterator[World]:
    """Open a world in ``folder``: on SQLite unless told where, with a measure in force unless told otherwise.

    ``dcc_signers``: the file of whom it believes about health certificates; ``more``: other settings.
    """
    running = register()
    running.clear()
    settings = Settings(
        data=folder / "data",
        database_url=database_url or f"sqlite:///{folder / 'data' / 'motma.db'}",
        host="127.0.0.1",
        port=0,
        issuer=more.pop("issuer", "motma.test"),
        register_seed=2021,
        register_size=_SIZE,
        register_url=running.url,
        register_client=running.client_id,
        register_secret=running.client_secret,
        register_pause_seconds=0,
        dcc_signers=dcc_signers,
        **more,
        webhooks_private=True,
    )
    clock = [lambda: BEGINNING]
    async with build(settings, clock=lambda: clock[0]()) as built:
        app, houses = _apps.pop() if _apps else _new_app()
        houses.append(built.house)
        world = World(built, app, settings, Register(running))
        clock[0] = lambda: world.now
        async with _started(app):
            if measure:
                await world.publish()
            try:
                yield world
            finally:
                await world.close()
        _apps.append((app, houses))


_apps: list[tuple[Any, list[House]]] = []
"""Applications that nobody uses now: making one takes longer than most tests do."""


def _new_app() -> tuple[Any, list[House]]:
    """An application, and the list whose last house it opens with at each start."""
    houses: list[House] = []
    return create_app(lambda: contextlib.nullcontext(houses[-1])), houses


@contextlib.asynccontextmanager
async def _started(app: Any) -> AsyncIterator[None]:
    """The application between the ASGI lifespan's startup and shutdown."""
    to_app: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    from_app: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    scope = {"type": "lifespan", "asgi": {"version": "3.0"}, "state": {}}
    running = asyncio.create_task(app(scope, to_app.get, from_app.put))

    async def pass_through(stage: str) -> None:
        await to_app.put({"type": f"lifespan.{stage}"})
        answer = await from_app.get()
        assert answer["type"] == f"lifespan.{stage}.complete", answer

    await pass_through("startup")
    try:
        yield
    finally:
        await pass_through("shutdown")
        await running


def each(
    cases: Iterable[Any],
) -> Callable[[Callable[[World, Any], Awaitable[None]]], Callable[[World], Awaitable[None]]]:
    """Run a test for every case in one world, since a case takes milliseconds and a world does not."""

    def decorate(test: Callable[[World, Any], Awaitable[None]]) -> Callable[[World], Awaitable[None]]:
        async def run(world: World) -> None:
            for case in cases:
                try:
                    await test(world, case)
                except BaseException as error:
                    error.add_note(f"in the case of {case!r:.200}")
                    raise

        run.__name__, run.__doc__ = test.__name__, test.__doc__
        return run

    return decorate
