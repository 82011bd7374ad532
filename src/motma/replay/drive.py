"""Send the crowd: platforms' calls, the page's own forms, and the officers' scans, over HTTP to a running server."""

import asyncio
import contextlib
import datetime as dt
import re
import secrets
import tempfile
import time
from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from motma.config import Settings
from motma.core.errors import Invalid
from motma.core.identity import Grade
from motma.core.ids import Qid, new_fact_id
from motma.core.words import Words
from motma.forms import load_form, load_units
from motma.measures import load_demo_measure
from motma.register.population import Population
from motma.replay.account import Account
from motma.replay.crowd import PLATFORMS, Plan, Traveller, crowd
from motma.replay.processes import free_port, running_register, running_server
from motma.roads import load_network
from motma.wiring import Built, build, utc_now

_TRIES = 3
_Told = tuple[str, str, dict[str, str], str]
"""How a declaration came out, whose number its code must turn out to be ("" without one), what is shown to the officer,
and the cookie of the browser that holds it."""
_ON_TO_THE_CODE = b'href="/code"'
"""On the page after sending, where there is a code although something is to be mended."""
_SHOWN_QID = re.compile(rb"\b([0-9]{6})\s([0-9]{6})\s([0-9]{6})\b")
_SHOWN_STATUS = re.compile(rb'class="status ([a-z]+)"')
_OUTCOMES_SHOWN = {b"go": "accepted", b"check": "repairable", b"unknown": "pending"}
_LATER = 200
"""How many others go before somebody who sends a declaration again with nothing wrong in it any more."""
_PAGE_STANDINGS = 5_000

__all__ = ["Ways", "drive", "free_port", "provision", "replay", "running_register", "running_server"]


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
    one of ``MOTMA_DATABASE_URL`` if that is PostgreSQL, which must be empty then), and ended afterwards. So is the
    fictional register, unless the settings name one, which must then be of the same seed and size.
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
            if not settings.register_url:
                register = running_register(seed=settings.register_seed, size=settings.register_size)
                settings = (await stack.enter_async_context(register)).told(settings)
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


async def drive(
    settings: Settings, plan: Plan, url: str, ways: Ways, *, concurrency: int, console: Console | None
) -> Account:
    """Send everybody, ``concurrency`` at a time, each on their own way: declare, then be scanned, and mend."""
    account = Account()
    travellers = crowd(
        plan,
        Population(settings.register_seed, settings.register_size),
        load_form("2026-1"),
        load_units(),
        load_network(),
        utc_now(),
    )
    line, qids = _Line(travellers), set[str]()
    with _progress(console) as progress:
        task = progress.add_task("declare, then be scanned", total=plan.declarations)
        connector = aiohttp.TCPConnector(limit=0)
        timeout = aiohttp.ClientTimeout(total=60)
        async with aiohttp.ClientSession(
            url, connector=connector, timeout=timeout, cookie_jar=aiohttp.DummyCookieJar()
        ) as session:
            started = time.perf_counter()

            async def walk() -> None:
                while place := line.take():  # one line for all: everybody takes the next
                    await _Journey(session, account, ways, line, qids, place).go()
                    progress.advance(task, 0 if place.mends else 1)

            async with asyncio.TaskGroup() as group:
                for _ in range(concurrency):
                    group.create_task(walk())
            account.elapsed_seconds = time.perf_counter() - started
    account.told["citizens"] = len(qids)
    unmended = account.planned["refused"] - account.planned["mended: refused"]
    account.planned["citizens"] = plan.declarations - unmended - plan.again
    return account


@dataclass(frozen=True, slots=True)
class _Place:
    """Somebody's place in the line; for whoever ``mends`` a declaration, what they were told the first time."""

    traveller: Traveller
    mends: str = ""
    """How the first one came out: "refused" or "repairable"."""
    qid: str = ""
    cookie: str = ""


@dataclass(slots=True)
class _Line:
    """Who is next. Belongs to one event loop."""

    travellers: Iterator[Traveller]
    _back: deque[tuple[int, _Place]] = field(default_factory=deque)
    _taken: int = 0

    def take(self) -> _Place | None:
        """Somebody who comes back if it is time, else the next of the crowd; at its end all who come back."""
        if self._back and self._back[0][0] <= self._taken:
            return self._back.popleft()[1]
        self._taken += 1
        for traveller in self.travellers:
            return _Place(traveller)
        return self._back.popleft()[1] if self._back else None

    def come_back(self, place: _Place) -> None:
        """Stand in line again, behind as many as go in the time that it takes to look at a card."""
        self._back.append((self._taken + _LATER, place))


class _Journey:
    """One traveller's requests, each answer counted under what was told."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        account: Account,
        ways: Ways,
        line: _Line,
        qids: set[str],
        place: _Place,
    ) -> None:
        self._session = session
        self._account = account
        self._ways = ways
        self._line = line
        self._qids = qids
        self._place = place
        self._traveller = place.traveller

    async def go(self) -> None:
        """Declare, be scanned, and stand in line again to mend what was wrong."""
        traveller = self._traveller
        self._plan()
        try:
            send = self._declare_on_page if traveller.source == "page" else self._declare
            outcome, qid, shown, cookie = await send()
            self._count(outcome, qid)
            if traveller.mend:
                self._line.come_back(_Place(traveller.mend, outcome, qid, cookie))
            if traveller.verdict:
                await self._be_scanned(qid, shown)
        except (aiohttp.ClientError, TimeoutError, msgspec.DecodeError, _Unexpected) as error:
            self._account.failures.append(f"{traveller.key} {traveller.source}: {type(error).__name__} {error}"[:200])

    def _plan(self) -> None:
        planned, traveller = self._account.planned, self._traveller
        planned["recorded"] += 1
        planned[traveller.outcome] += 1
        planned["codes issued"] += traveller.outcome != "refused"
        if traveller.outcome == "refused":
            field = {"name": "name", "birth_date": "birth_date"}.get(str(traveller.mistake), "document.number")
            planned[f"refused: {field}"] += 1
        if traveller.verdict:
            planned["scans"] += 1
            planned[f"verdict: {traveller.verdict}"] += 1
        if not self._place.mends:
            planned["sent"] += 1
            planned["sent again"] += traveller.twice
        if traveller.mend:  # counted here: one that is never sent is missed
            planned["mended"] += 1
            planned[f"mended: {traveller.outcome}"] += 1

    async def _declare(self) -> _Told:
        traveller = self._traveller
        headers = {
            "authorization": f"Bearer {self._ways.tokens[traveller.source]}",
            "idempotency-key": traveller.key,
            "content-type": "application/json",
        }
        body = msgspec.json.encode(traveller.body)
        answer = await self._send("declaration", "/v1/declarations", body, headers, (200, 201))
        if traveller.twice:
            again = await self._send("declaration", "/v1/declarations", body, headers, (200,))
            self._account.told["sent again"] += 1
            if any(again[name] != answer[name] for name in ("declaration", "outcome", "qid", "code")):
                raise _Unexpected("sent again, answered differently")
        return answer["outcome"], answer["qid"] or "", {"code": answer["code"]}, ""

    async def _declare_on_page(self) -> _Told:
        traveller = self._traveller
        form = aiohttp.FormData(list(_fields(traveller.body)))
        # Each comes from an address of their own (RFC 2544's, which nobody has), as they do behind the proxy.
        number = int(traveller.key.split("-")[1])
        headers = {"x-forwarded-for": f"198.18.{number >> 8 & 255}.{number & 255}"}
        if self._place.cookie:
            headers["cookie"] = self._place.cookie
        started = time.perf_counter()
        async with self._session.post("/", data=form, headers=headers, allow_redirects=False) as answer:
            page = await answer.read()
            status, cookie = answer.status, answer.headers.get("set-cookie", "").partition(";")[0]
        self._took("page", started)
        cookie = cookie or self._place.cookie
        if status == 200 and _ON_TO_THE_CODE not in page:
            return "refused", "", {}, cookie
        if status not in (200, 303):
            raise _Unexpected(f"page answered {status}")
        started = time.perf_counter()
        async with self._session.get("/code", headers={"cookie": cookie}) as answer:
            page = await answer.read()
            status = answer.status
        self._took("code page", started)
        shown, standing = _SHOWN_QID.search(page), _SHOWN_STATUS.search(page)
        if status != 200 or shown is None or standing is None:
            raise _Unexpected(f"code page answered {status}")
        qid = b"".join(shown.groups()).decode()
        outcome = _OUTCOMES_SHOWN.get(standing[1], f"shown as {standing[1].decode()}")
        return outcome, qid, {"qid": qid}, cookie

    async def _be_scanned(self, qid: str, shown: dict[str, str]) -> None:
        traveller, now = self._traveller, utc_now()
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

    def _count(self, outcome: str, qid: str) -> None:
        """Count what was told, and look whether it is what had to come of it."""
        told, traveller, place = self._account.told, self._traveller, self._place
        told["recorded"] += 1
        told[outcome] += 1
        if place.mends:
            told["mended"] += outcome == "accepted"
            told[f"mended: {place.mends}"] += outcome == "accepted"
        else:
            told["sent"] += 1
        if qid:
            told["codes issued"] += 1
            self._qids.add(qid)
        if outcome != traveller.outcome or bool(qid) != (outcome != "refused"):
            raise _Unexpected(f"{outcome}, and should not have been" if qid else f"{outcome} without a number")
        if place.qid and place.qid != qid:
            raise _Unexpected("mended, and got another number")

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
    store = built.store
    rows = await store.counts()
    stored = Counter(
        {
            "recorded": rows.get("declaration.accepted", 0) + rows.get("declaration.refused", 0),
            "refused": rows.get("declaration.refused", 0),
            "codes issued": rows.get("code.issued", 0),
            "citizens": rows.get("citizens", 0),
            "scans": rows.get("scan.made", 0),
        }
    )
    for tally, count in await store.tally(dt.datetime(2000, 1, 1, tzinfo=dt.UTC)):
        if tally.kind == "declared":
            stored[tally.outcome] += count
        elif tally.kind == "refused":
            stored[f"refused: {tally.outcome}"] += count
        elif tally.kind == "scanned":
            stored[f"verdict: {tally.outcome}"] += count
    # Who was declared with a slip, and stands as identified now.
    stored["mended: repairable"] = stored["repairable"]
    after = Qid("")
    while page := await store.standings(after, _PAGE_STANDINGS):
        stored["mended: repairable"] -= sum(standing.grade is Grade.REPAIRABLE for standing in page)
        after = page[-1].qid
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
