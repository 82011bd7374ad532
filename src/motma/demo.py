"""A living city on this machine: a server and a register, a slice of the two days of August 2021, and a way in for
everybody."""

import asyncio
import contextlib
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace

from rich.console import Console

from motma.config import Settings, read_settings
from motma.register.population import Person, Population
from motma.replay import Account, Plan, account_table
from motma.replay.crowd import PLATFORMS
from motma.replay.drive import drive, provision
from motma.replay.processes import RunningTwin, running_register, running_twin
from motma.serve import server
from motma.wiring import Built, build, utc_now

_CHECKPOINT = "g07-vinh-binh"
_OFFICER, _OPERATOR, _SECOND, _PLATFORM = "CB-01", "TRUC-BAN", "TRUC-BAN-2", "BENHVIEN"
_HEALTH_STAFF = "HCDC-01"


async def run_demo(console: Console, *, port: int, people: int, fresh: bool, once: bool, twins: bool = False) -> int:
    """Run until interrupted (or, with ``once``, until the slice is played); returns the exit code."""
    settings = read_settings()
    settings = replace(settings, data=settings.data / "demo", host="127.0.0.1", port=port, sandbox=True)
    settings = replace(settings, database_url=f"sqlite:///{(settings.data / 'motma.db').absolute()}")
    if fresh and settings.data.exists():
        shutil.rmtree(settings.data)
    folder = settings.data.with_name("demo-twins")
    if fresh and folder.exists():
        shutil.rmtree(folder)
    async with contextlib.AsyncExitStack() as stack:
        register = ""
        if not settings.register_url:
            ours = running_register(seed=settings.register_seed, size=settings.register_size, faults=True)
            told = await stack.enter_async_context(ours)
            settings, register = told.told(settings), told.url
        four = []
        if twins:  # they come to the server whenever it is there
            settings = replace(settings, webhooks_private=True)
            url = f"http://127.0.0.1:{port}"
            for name in PLATFORMS:
                twin = running_twin(name.lower(), exchange=url, data=folder / name.lower())
                four.append(await stack.enter_async_context(twin))
        return await _run(console, settings, register, four, people=people, once=once)


async def _run(
    console: Console, settings: Settings, register: str, twins: Sequence[RunningTwin], *, people: int, once: bool
) -> int:
    url = f"http://127.0.0.1:{settings.port}"
    async with build(settings) as built:
        tokens = await provision(built)
        now, enrol = utc_now(), built.house.enrol
        link = f"{url}/scan/enrol#{await enrol.invite_device(_CHECKPOINT, 'Máy trình diễn', now)}"
        pin = await enrol.appoint_officer(_OFFICER, "Trần Văn Trực", now)
        keys = [await enrol.appoint_operator(name, now) for name in (_OPERATOR, _SECOND)]
        health_staff = await enrol.appoint_health_staff(_HEALTH_STAFF, now)
        token = await enrol.register_platform(_PLATFORM, "Bệnh viện trình diễn", now)
        for twin in twins:
            await _interlink(built, twin)
    running = server(settings)
    serving = asyncio.create_task(running.serve())
    while not running.started and not serving.done():  # noqa: ASYNC110  # uvicorn has a flag, not an event
        await asyncio.sleep(0.05)
    if serving.done():
        await serving
        console.print(f"[red]The server did not start; is port {settings.port} taken?[/] Try another --port.")
        return 1
    account: Account | None = None
    try:
        if people:
            account = await drive(settings, Plan(declarations=people), url, tokens, concurrency=8, console=console)
        ways = _Ways(link, pin, keys, health_staff, token, register, twins)
        _welcome(console, url, ways, account, settings)
        if not once:
            await serving
    finally:
        running.should_exit = True
        with contextlib.suppress(asyncio.CancelledError):
            await serving
    return 1 if account and not account.adds_up else 0


async def _interlink(built: Built, twin: RunningTwin) -> None:
    """Register a twin with its own public key."""
    platforms, now, id = built.house.platforms, utc_now(), twin.name.upper()
    scopes = ("declarations:write", "declarations:read", "codes:read", "codes:verify", "prechecks", "changes:read")
    name, much = PLATFORMS[id], 1_000
    if await platforms.known(id, now) is None:
        await platforms.register(id, name, scopes=scopes, connector=twin.name, per_second=much, by="cli", now=now)
    await platforms.add_key(id, twin.jwk.read_text(), by="cli", now=now)


@dataclass(frozen=True, slots=True)
class _Ways:
    """How to get in: shown once."""

    officer: str
    pin: str
    operators: Sequence[str]
    health_staff: str
    platform: str
    register: str
    twins: Sequence[RunningTwin]

    def said(self, url: str) -> list[tuple[str, str]]:
        """Who, and what they open."""
        first, second = self.operators
        ways = [
            ("Citizen", f"{url}/"),
            ("Officer", self.officer),
            ("", f"officer code {_OFFICER}, PIN {self.pin} (the link works once)"),
            ("Operator", f"{url}/ops"),
            ("", f"name {_OPERATOR}, key {first}"),
            ("", f"name {_SECOND}, key {second} (in another browser: approves what the first one writes)"),
            ("Health", f"{url}/health (staff who follow up a case)"),
            ("", f"name {_HEALTH_STAFF}, key {self.health_staff}"),
            ("Platform", f"{url}/docs"),
            ("", f"token {self.platform}"),
            ("", f"{url}/sandbox (a platform of your own, in five minutes)"),
        ]
        if self.twins:
            ways.append(("Twins", "four stand-ins of platforms: declare on one, scan its code at /quet on another"))
            ways += [("", f"{twin.url}/ ({PLATFORMS[twin.name.upper()]})") for twin in self.twins]
        if self.register:
            ways += [
                ("Register", "fictional, and a program of its own. Put it out, and who declares is pending:"),
                ("", f"""curl -X PUT -d '{{"outage":true}}' {self.register}/faults"""),
                ("", "Bring it back, and they are matched within seconds (load their page again):"),
                ("", f"curl -X DELETE {self.register}/faults"),
            ]
        return ways


def _welcome(console: Console, url: str, ways: _Ways, account: Account | None, settings: Settings) -> None:
    if account:
        console.print(account_table(account))
    console.print("\n[b]Một Mã[/] is running: a demonstration, not an official service.\n")
    for who, way in ways.said(url):  # not in a table: what is to be copied is never cut, however narrow the terminal
        console.print(f"[b]{who:<10}[/]{way}", soft_wrap=True, highlight=False)
    console.print("\nPeople of the fictional register to declare as (none of them is real):")
    for person in _samples(Population(settings.register_seed, settings.register_size)):
        document = person.documents[0]
        number = f"{document.kind} {document.number}"
        born = f"{person.birth_date:%Y}" if person.year_only else f"{person.birth_date:%d/%m/%Y}"
        line = f"{person.name:<28} {born:>10}  {person.sex:<6}  {number:<18} {person.phone}"
        if person.guardian:
            line += f"\n{'':<28} or without a number: the guardian's is cccd {person.guardian}"
        console.print(line, soft_wrap=True, highlight=False)
    console.print("\nThe secrets above are shown once. Ctrl-C ends the demonstration.")


def _samples(population: Population) -> list[Person]:
    """Anybody, and if they are near: somebody with a long name, a foreigner, an elder of whom only the year of birth is
    known, a child with a guardian."""
    near = [population.person(index) for index in range(max(0, len(population) - 400), len(population))]
    adults = [person for person in near if person.birth_date.year < 2005]
    vietnamese = [person for person in adults if person.nationality == "VN"]
    dated = [person for person in vietnamese if not person.year_only]
    chosen = [*dated[:1], *sorted(dated[1:], key=lambda person: -len(person.name))[:1]]
    chosen += [person for person in adults if person.nationality != "VN"][:1]
    chosen += [person for person in vietnamese if person.year_only and person not in chosen][:1]
    return chosen + [person for person in near if len(person.guardian or "") == 12][:1]  # 12 digits: a citizen's number
