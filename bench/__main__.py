"""``make bench``: every ratio in one run, printed and left in ``bench/results/latest.json``.

A ratio compares two things in the same minute on the same machine: medians over alternating rounds. The server has
one core, the load the other. Our declarations ask a register over HTTP, which the floor does not. The register is
another machine's in life, so it runs beside the load, and takes from our load what it does not take from the floor's.
"""

import asyncio
import contextlib
import datetime as dt
import json
import os
import platform
import secrets
import statistics
import sys
import tempfile
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import msgspec
import uvloop
from rich.console import Console
from rich.table import Table

from bench import code, decision, matching, peers, register, rules, scanner
from bench.load import Run, load, request
from bench.postgres import postgres
from motma.config import Settings, read_settings
from motma.core.ids import new_fact_id
from motma.forms import load_form, load_units
from motma.register.population import Population
from motma.replay.crowd import Plan, crowd
from motma.replay.drive import Ways, provision
from motma.replay.processes import free_port, running_register, running_server
from motma.roads import load_network
from motma.wiring import build, utc_now

ROUNDS = 5
REQUESTS = 3_000
CITIZENS = 500
RESULTS = Path(__file__).parent / "results" / "latest.json"
console = Console()


def main() -> int:
    """Measure everything; the exit code says whether it could be measured, not whether it was fast."""
    ratios: dict[str, float] = {}
    ratios |= code.ratios() | peers.ratios() | scanner.ratios() | matching.ratios() | register.ratios() | rules.ratios()
    ratios |= decision.ratios()
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) > 1:
        os.sched_setaffinity(0, {cores[-1]})
    with tempfile.TemporaryDirectory(prefix="motma-bench-") as folder:
        ratios |= uvloop.run(_endpoints("sqlite", Path(folder), cores))
        with postgres() as url:
            ratios |= uvloop.run(_endpoints("postgres", Path(folder), cores, url))
    RESULTS.parent.mkdir(exist_ok=True)
    machine = {"cpu": _cpu(), "cores": len(cores), "python": platform.python_version(), "at": utc_now().isoformat()}
    RESULTS.write_text(json.dumps({**ratios, "machine": machine}, indent=2) + "\n")
    table = Table("ratio", "measured", title=f"{machine['cpu']}, {len(cores)} cores, Python {machine['python']}")
    for name, value in ratios.items():
        table.add_row(name, f"{value:.2f}")
    console.print(table)
    return 0


async def _endpoints(engine: str, folder: Path, cores: list[int], url: str | None = None) -> dict[str, float]:
    """Checks and declarations per second over their floors, on one store."""
    settings = replace(read_settings({}), data=folder / engine, port=free_port())
    settings = replace(settings, database_url=url or f"sqlite:///{settings.data / 'motma.db'}")
    floor_url = f"sqlite:///{folder / 'floor.db'}" if url is None else url
    async with running_register(seed=settings.register_seed, size=settings.register_size) as asked:
        return await _over_floors(engine, asked.told(settings), cores, floor_url)


async def _over_floors(engine: str, settings: Settings, cores: list[int], floor_url: str) -> dict[str, float]:
    async with build(settings) as built:
        ways = await provision(built)
    ratios = {}
    async with (
        _on_core(cores[0], running_server(settings)),
        _floor(cores[0], "verify", floor_url) as verify_floor,
        _floor(cores[0], "sign", floor_url.replace("floor.db", "floor2.db")) as sign_floor,
    ):
        declarations = _declarations(settings, ways, REQUESTS * (ROUNDS + 1) + CITIZENS)
        codes = await _issue(settings.port, [declarations.pop() for _ in range(CITIZENS)])
        cookie = next(iter(ways.cookies.values()))
        for name, floor, make in (
            ("checks", verify_floor, lambda: _checks(codes, cookie)),
            ("declarations", sign_floor, lambda: [declarations.pop() for _ in range(REQUESTS)]),
        ):
            await load(settings.port, make())  # warm: connections, caches, pages of the database
            rounds = []
            for _ in range(ROUNDS):
                ours = await load(settings.port, make() if name == "checks" or declarations else [])
                bare = await load(floor, [request("POST", "/", b"x" * 400, {})] * REQUESTS)
                _all_fine(name, ours)
                rounds.append((ours, bare))
            ratios[f"{name}_over_floor_{engine}"] = statistics.median(o.per_second / b.per_second for o, b in rounds)
            ours, bare = rounds[-1]
            console.print(
                f"{engine:8} {name:12} {ours.per_second:7,.0f}/s, p99 {ours.percentile_ms(0.99):5.1f} ms;"
                f" floor {bare.per_second:7,.0f}/s"
            )
    async with build(settings) as built:
        rows = await built.store.counts()
        declared = await built.store.tally(dt.datetime(2000, 1, 1, tzinfo=dt.UTC))
    pending = sum(count for tally, count in declared if (tally.kind, tally.outcome) == ("declared", "pending"))
    if pending:
        console.print(
            f"{engine:8} {pending:,} declarations did not wait for the register: their speed is not the true one"
        )
    assert rows["scan.made"] == REQUESTS * (ROUNDS + 1), "answers were given for scans that are not on disk"
    return ratios


def _all_fine(name: str, run: Run) -> None:
    if set(run.statuses) - {200, 201}:
        raise RuntimeError(f"{name}: {dict(run.statuses)}")


def _declarations(settings: Settings, ways: Ways, count: int) -> list[bytes]:
    travellers = crowd(
        Plan(declarations=count, seed=1),
        Population(settings.register_seed, settings.register_size),
        load_form("2026-1"),
        load_units(),
        load_network(),
        utc_now(),
    )
    token = ways.tokens["NCOVI"]
    return [
        request(
            "POST",
            "/v1/declarations",
            msgspec.json.encode(traveller.body),
            {
                "authorization": f"Bearer {token}",
                "idempotency-key": traveller.key,
                "content-type": "application/json",
            },
        )
        for traveller in travellers
    ]


async def _issue(port: int, declarations: list[bytes]) -> list[str]:
    """The codes that these declarations get."""
    codes = []
    for declaration in declarations:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(declaration)
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0])
        answer = msgspec.json.decode(await reader.readexactly(length))
        writer.close()
        if answer["code"]:
            codes.append(answer["code"])
    return codes


def _checks(codes: list[str], cookie: str) -> list[bytes]:
    now = utc_now()
    headers = {"cookie": cookie, "content-type": "application/json"}
    return [
        request(
            "POST",
            "/v1/checks",
            msgspec.json.encode(
                {
                    "id": new_fact_id("scn", now, secrets.token_bytes(10)),
                    "code": codes[index % len(codes)],
                    "scanned_at": now,
                    "device_time": now,
                }
            ),
            headers,
        )
        for index in range(REQUESTS)
    ]


@contextlib.asynccontextmanager
async def _on_core(core: int, server: contextlib.AbstractAsyncContextManager[str]) -> AsyncIterator[str]:
    """Start a server so that it, and every thread of it, has this core only."""
    mine = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        url = await server.__aenter__()
    finally:
        os.sched_setaffinity(0, mine)
    try:
        yield url
    finally:
        await server.__aexit__(None, None, None)


@contextlib.asynccontextmanager
async def _floor(core: int, act: str, url: str) -> AsyncIterator[int]:
    port, mine = free_port(), os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        process = await asyncio.create_subprocess_exec(sys.executable, "-m", "bench.floor", str(port), act, url)
    finally:
        os.sched_setaffinity(0, mine)
    try:
        for _ in range(100):
            with contextlib.suppress(OSError):
                (await asyncio.open_connection("127.0.0.1", port))[1].close()
                break
            await asyncio.sleep(0.1)
        yield port
    finally:
        process.terminate()
        await process.wait()


def _cpu() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor()


if __name__ == "__main__":
    sys.exit(main())
