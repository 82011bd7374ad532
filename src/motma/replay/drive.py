"""Send the crowd: platforms' calls, the page's own forms, and the officers' scans, over HTTP to a running server."""

import asyncio
import contextlib
import datetime as dt
import os
import re
import secrets
import signal
import socket
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from motma.config import Settings
from motma.core.errors import Invalid, Unavailable
from motma.core.ids import new_fact_id
from motma.core.words import Words
from motma.forms import load_form, load_units
from motma.measures import load_demo_measure
from motma.register.population import Population
from motma.replay.account import Account
from motma.replay.crowd import PLATFORMS, Plan, Traveller, crowd
from motma.roads import load_network
from motma.wiring import Built, build, utc_now

_TRIES = 3
_Shown = tuple[str, dict[str, str]]
"""Whose number a code must turn out to be, and what is shown to the officer."""
_SHOWN_QID = re.compile(rb"\b([0-9]{6})\s([0-9]{6})\s([0-9]{6})\b")


@dataclass(frozen=True, slots=True)
class Ways:
    """How the crowd gets in: a token for each platform, the cookies of an officer at each checkpoint."""

    tokens: dict[str, str]
    cookies: dict[str, str]


async def replay(
    settings: Settings,
    plan: Plan,
    *,
    url: str | None = None,
    concurrency: int = 64,
    console: Console | None = None,
) -> Account:
    """Send a plan and account for it.

    With ``url``, to a server that runs on these settings; else to one that is started for it, on an empty store (the
    one of ``MOTMA_DATABASE_URL`` if that is PostgreSQL, which must be empty then), and ended afterwards.
    """
    if plan.declarations - plan.again > settings.register_size:
        raise Invalid(
            "replay.too_many",
            Words(
                f"Chỉ có {settings.register_size} người trong dữ liệu dân cư giả định.",
                f"There are only {settings.register_size} people in the fictional register.",
            ),
        )
    async with contextlib.AsyncExitStack() as stack:
        if url is None:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="motma-replay-")))
            database = settings.database_url
            if database.startswith("sqlite:"):
                database = f"sqlite:///{folder / 'data' / 'motma.db'}"
            settings = replace(settings, data=folder / "data", database_url=database, port=free_port())
        async with build(settings) as built:
            before = await _stored(built)
            ways = await provision(built)
            if url is None:
                url = await stack.enter_async_context(running_server(settings))
            account = await drive(settings, plan, url, ways, concurrency=concurrency, console=console)
            after = await _stored(built)
            account.stored = Counter({name: after[name] - before[name] for name in after})
            return account


async def provision(built: Built) -> Ways:
    """Publish the measure if none is in force, register the platforms, put an officer at every checkpoint."""
    now, house = utc_now(), built.house
    if await house.declare.measure(now) is None:
        await house.steer.publish_measure(load_demo_measure(now), by="replay", now=now)
    tokens = {
        platform: await house.enrol.register_platform(platform, name, now) for platform, name in PLATFORMS.items()
    }
    cookies = {}
    for place in house.steer.network.checkpoints:
        officer = f"REPLAY-{place.id.partition('-')[0].upper()}"
        pin = await house.enrol.appoint_officer(officer, "Cán bộ diễn tập", now)
        invitation = await house.enrol.invite_device(place.id, "Máy diễn tập", now)
        token, device = await house.enrol.enrol_device(invitation, now)
        shift = await house.enrol.start_shift(device, officer, pin, now)
        cookies[place.id] = f"motma_device={token}; motma_shift={shift}"
    return Ways(tokens, cookies)


def free_port() -> int:
    """A port of this machine that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.asynccontextmanager
async def running_server(settings: Settings) -> AsyncIterator[str]:
    """A server in its own process on these settings; ended by its id afterwards. Yields its address."""
    environment = {
        **os.environ,
        "MOTMA_DATA": str(settings.data),
        "MOTMA_DATABASE_URL": settings.database_url,
        "MOTMA_HOST": "127.0.0.1",
        "MOTMA_PORT": str(settings.port),
        "MOTMA_ISSUER": settings.issuer,
        "MOTMA_REGISTER_SEED": str(settings.register_seed),
        "MOTMA_REGISTER_SIZE": str(settings.register_size),
    }
    if settings.register_url:
        environment |= {
            "MOTMA_REGISTER_URL": settings.register_url,
            "MOTMA_REGISTER_CLIENT": settings.register_client,
            "MOTMA_REGISTER_SECRET": settings.register_secret,
        }
    server = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "motma", "serve", env=environment, stdout=asyncio.subprocess.DEVNULL
    )
    url = f"http://127.0.0.1:{settings.port}"
    try:
        await _until_alive(url, server)
        yield url
    finally:
        if server.returncode is None:
            server.send_signal(signal.SIGTERM)
            try:
                await asyncio.wait_for(server.wait(), 10)
            except TimeoutError:
                server.kill()
                await server.wait()


async def _until_alive(url: str, server: asyncio.subprocess.Process) -> None:
    async with aiohttp.ClientSession() as session:
        for _ in range(300):
            if server.returncode is not None:
                break
            with contextlib.suppress(aiohttp.ClientError):
                async with session.get(f"{url}/healthz") as answer:
                    if answer.status == 200:
                        return
            await asyncio.sleep(0.1)
    raise Unavailable("replay.no_server", Words("Máy chủ không khởi động được.", "The server did not start."))


async def drive(
    settings: Settings, plan: Plan, url: str, ways: Ways, *, concurrency: int, console: Console | None
) -> Account:
    """Send everybody, ``concurrency`` at a time, each on their own way: declare, then be scanned."""
    account = Account()
    travellers = crowd(
        plan,
        Population(settings.register_seed, settings.register_size),
        load_form("2026-1"),
        load_units(),
        load_network(),
        utc_now(),
    )
    qids: set[str] = set()
    with _progress(console) as progress:
        task = progress.add_task("declare, then be scanned", total=plan.declarations)
        connector = aiohttp.TCPConnector(limit=0)
        timeout = aiohttp.ClientTimeout(total=60)
        async with aiohttp.ClientSession(
            url, connector=connector, timeout=timeout, cookie_jar=aiohttp.DummyCookieJar()
        ) as session:
            started = time.perf_counter()

            async def walk() -> None:
                for traveller in travellers:  # one iterator for all: everybody takes the next
                    await _Journey(session, account, ways, qids).go(traveller)
                    progress.advance(task)

            async with asyncio.TaskGroup() as group:
                for _ in range(concurrency):
                    group.create_task(walk())
            account.elapsed_seconds = time.perf_counter() - started
    account.told["citizens"] = len(qids)
    account.planned["citizens"] = plan.declarations - plan.mismatched - plan.again
    return account


class _Journey:
    """One traveller's requests, each answer counted under what was told."""

    def __init__(self, session: aiohttp.ClientSession, account: Account, ways: Ways, qids: set[str]) -> None:
        self._session = session
        self._account = account
        self._ways = ways
        self._qids = qids

    async def go(self, traveller: Traveller) -> None:
        planned = self._account.planned
        planned["sent"] += 1
        planned["sent again"] += traveller.twice
        if traveller.refusal:
            planned["refused"] += 1
            planned[f"refused: {traveller.refusal}"] += 1
        else:
            planned["accepted"] += 1
            planned["codes issued"] += 1
        if traveller.verdict:
            planned["scans"] += 1
            planned[f"verdict: {traveller.verdict}"] += 1
        try:
            if traveller.source == "page":
                shown = await self._declare_on_page(traveller)
            else:
                shown = await self._declare(traveller)
            if shown and traveller.verdict:
                await self._be_scanned(traveller, *shown)
        except (aiohttp.ClientError, TimeoutError, msgspec.DecodeError, _Unexpected) as error:
            self._account.failures.append(f"{traveller.key} {traveller.source}: {type(error).__name__} {error}"[:200])

    async def _declare(self, traveller: Traveller) -> _Shown | None:
        headers = {
            "authorization": f"Bearer {self._ways.tokens[traveller.source]}",
            "idempotency-key": traveller.key,
            "content-type": "application/json",
        }
        body = msgspec.json.encode(traveller.body)
        answer = await self._send("declaration", "/v1/declarations", body, headers, (200, 201))
        told = self._account.told
        told["sent"] += 1
        if traveller.twice:
            again = await self._send("declaration", "/v1/declarations", body, headers, (200,))
            told["sent again"] += 1
            if (again["declaration"], again["qid"], again["code"]) != (
                answer["declaration"],
                answer["qid"],
                answer["code"],
            ):
                raise _Unexpected("sent again, answered differently")
        return self._count(traveller, answer["outcome"], answer["qid"], {"code": answer["code"]})

    async def _declare_on_page(self, traveller: Traveller) -> _Shown | None:
        form = aiohttp.FormData(list(_fields(traveller.body)))
        started = time.perf_counter()
        async with self._session.post("/", data=form, allow_redirects=False) as answer:
            page = await answer.read()
            status, cookie = answer.status, answer.headers.get("set-cookie", "").partition(";")[0]
        self._took("page", started)
        self._account.told["sent"] += 1
        if status == 200:
            return self._count(traveller, "refused", None, {})
        if status != 303:
            raise _Unexpected(f"page answered {status}")
        started = time.perf_counter()
        async with self._session.get("/code", headers={"cookie": cookie}) as answer:
            page = await answer.read()
            status = answer.status
        self._took("code page", started)
        shown = _SHOWN_QID.search(page)
        if status != 200 or shown is None:
            raise _Unexpected(f"code page answered {status}")
        qid = b"".join(shown.groups()).decode()
        return self._count(traveller, "accepted", qid, {"qid": qid})

    async def _be_scanned(self, traveller: Traveller, qid: str, shown: dict[str, str]) -> None:
        now = utc_now()
        ask = {
            "id": new_fact_id("scn", now, secrets.token_bytes(10)),
            "scanned_at": now,
            "device_time": now,
            **shown,
        }
        headers = {"cookie": self._ways.cookies[traveller.checkpoint], "content-type": "application/json"}
        answer = await self._send("scan", "/v1/checks", msgspec.json.encode(ask), headers, (200,))
        self._account.told["scans"] += 1
        self._account.told[f"verdict: {answer['outcome']}"] += 1
        if (answer["citizen"]["qid"], answer["citizen"]["name"]) != (qid, traveller.body["name"]):
            raise _Unexpected("scan answered with another citizen")

    def _count(self, traveller: Traveller, outcome: str, qid: str | None, shown: dict[str, str]) -> _Shown | None:
        told = self._account.told
        if outcome == "refused":
            told["refused"] += 1
            if not traveller.refusal:
                raise _Unexpected("refused, and should not have been")
            return None
        told["accepted"] += 1
        told["codes issued"] += 1
        if traveller.refusal or outcome != "accepted" or not qid:
            raise _Unexpected(f"{outcome}, and should not have been")
        self._qids.add(qid)
        return qid, shown

    async def _send(
        self, kind: str, path: str, body: bytes, headers: dict[str, str], expected: tuple[int, ...]
    ) -> dict[str, Any]:
        """Send, and send again if the line breaks: the same key or id makes that safe."""
        for left in reversed(range(_TRIES)):
            started = time.perf_counter()
            try:
                async with self._session.post(path, data=body, headers=headers) as answer:
                    text = await answer.read()
                    self._took(kind, started)
                    if answer.status in expected:
                        return msgspec.json.decode(text, type=dict[str, Any])
                    if answer.status != 503 or not left:
                        raise _Unexpected(f"{path} answered {answer.status}: {text[:120].decode(errors='replace')}")
            except (aiohttp.ClientConnectionError, TimeoutError):
                if not left:
                    raise
            await asyncio.sleep(0.2)
        raise _Unexpected("never answered")

    def _took(self, kind: str, started: float) -> None:
        self._account.took_seconds.setdefault(kind, []).append(time.perf_counter() - started)


class _Unexpected(Exception):
    """An answer that the plan does not allow."""


def _fields(body: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """A declaration as the page's form sends it."""
    year, month, day = body["birth_date"].split("-")
    yield from (("birth_date.day", day), ("birth_date.month", month), ("birth_date.year", year), ("go", "send"))

    def walk(prefix: str, value: object) -> Iterator[tuple[str, str]]:
        if isinstance(value, dict):
            for name, inner in value.items():
                yield from walk(f"{prefix}.{name}" if prefix else name, inner)
        elif isinstance(value, list):
            for inner in value:
                yield prefix, str(inner)
        elif isinstance(value, bool):
            yield prefix, "yes" if value else "no"
        else:
            yield prefix, str(value)

    yield from walk("", {name: value for name, value in body.items() if name != "birth_date"})


async def _stored(built: Built) -> Counter[str]:
    """The same counts, from the store's own rows."""
    rows = await built.store.counts()
    stored = Counter(
        {
            "accepted": rows.get("declaration.accepted", 0),
            "refused": rows.get("declaration.refused", 0),
            "codes issued": rows.get("code.issued", 0),
            "citizens": rows.get("citizens", 0),
            "scans": rows.get("scan.made", 0),
        }
    )
    stored["sent"] = stored["accepted"] + stored["refused"]
    for tally, count in await built.store.tally(dt.datetime(2000, 1, 1, tzinfo=dt.UTC)):
        if tally.kind == "refused":
            stored[f"refused: {tally.outcome}"] += count
        elif tally.kind == "scanned":
            stored[f"verdict: {tally.outcome}"] += count
    return stored


@contextlib.contextmanager
def _progress(console: Console | None) -> Iterator[Progress]:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console or Console(quiet=True), transient=True) as progress:
        yield progress
