"""Four platforms interlinked, as programs of their own: one number for each citizen, and how soon everybody knows.

``python -m bench.exchange same --people 10000``: everybody declares on all four twins, in a random order and in
parallel; in the end there are as many numbers as people, and every twin holds every code. It says how far it is every
ten seconds, ends by itself when nothing moves for two minutes, and prints one line of numbers at the end.
``python -m bench.exchange lag --rate 100 --seconds 30``: declarations at a steady rate; from the moment in the fact
until a twin has it on disk, by webhook or feed, whichever came first. All of it runs on this machine: the four twins,
the register and the driver take their share of the processors too.
"""

import argparse
import asyncio
import contextlib
import datetime as dt
import json
import os
import random
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import aiohttp
import uvloop

from motma.conformance.exchange import Ours, declaration_of, running_exchange, running_twins
from motma.conformance.platform import Platform
from motma.core.errors import Unavailable
from motma.replay.processes import RunningTwin
from motma.wiring import utc_now

FOUR = ("bluezone", "ncovi", "tokhaiyte", "dicuan")
_IDLE_SECONDS = 120
"""Nothing moved for so long: it is over, and something is missing."""
_SAY_SECONDS = 10
_WAITING_MOST = 400
"""Letters that wait in all twins together before nobody declares more."""


@dataclass(frozen=True, slots=True)
class Same:
    """What came of it. ``complete``: one number for each person, and each twin shows each code.

    ``heard``: messages and items of the feed, of all twins, each once. ``cpu_ms`` of each program for each declaration,
    ``memory_mb`` the most that each had at one time.
    """

    people: int
    sent: int
    numbers: int
    codes: Mapping[str, int]
    heard: int
    doubled: int
    seconds: float
    cpu_ms: Mapping[str, float]
    memory_mb: Mapping[str, int]
    complete: bool


@dataclass(frozen=True, slots=True)
class Lag:
    """From the fact to a twin's disk; ``by_webhook``: the share of what the webhook brought first."""

    asked_rate: float
    rate: float
    told: int
    missing: int
    by_webhook: float
    p50_seconds: float
    p99_seconds: float
    most_seconds: float


@dataclass(slots=True)
class City:
    """The four twins of an exchange, their folders, and who drives them."""

    ours: Ours
    twins: Mapping[str, RunningTwin]
    folder: Path
    session: aiohttp.ClientSession

    def platform(self, name: str) -> Platform:
        """The doors of a twin."""
        return Platform(self.twins[name].url, self.session)

    async def counts(self, name: str) -> dict[str, int]:
        """How many letters, citizens and codes it has."""
        async with self.session.get(f"{self.twins[name].url}/healthz") as answer:
            return dict((await answer.json())["counts"])

    def rows(self, name: str, sql: str) -> list[Any]:
        """What its own database says, read beside it."""
        with contextlib.closing(sqlite3.connect(f"file:{self.folder / name / 'twin.db'}?mode=ro", uri=True)) as db:
            return db.execute(sql).fetchall()


@contextlib.asynccontextmanager
async def city(*, feed_seconds: float = 5.0) -> AsyncIterator[City]:
    """An exchange, a register and four twins, started for this."""
    async with contextlib.AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="motma-bench-")))
        ours = await stack.enter_async_context(running_exchange(folder / "exchange"))
        twins = await stack.enter_async_context(running_twins(ours, folder, FOUR, feed_seconds=feed_seconds))
        connector = aiohttp.TCPConnector(limit=0)
        session = await stack.enter_async_context(aiohttp.ClientSession(connector=connector))
        yield City(ours, twins, folder, session)


def adults(ours: Ours, count: int, *, begin: int = 0) -> list[int]:
    """Which of the people are adults with a number of their own: ``count`` of them from the ``begin``-th on."""
    found, index = list[int](), begin
    while len(found) < count:
        person = ours.people.person(index)
        if person.birth_date.year < 2005 and person.documents[0].kind == "cccd" and not person.year_only:
            found.append(index)
        index += 1
    return found


def declaration(ours: Ours, index: int, *, seed: int) -> dict[str, Any]:
    """What that person declares; the same whenever it is asked, so that nobody has to keep it."""
    return declaration_of(ours.people.person(index), utc_now(), luck=random.Random(f"{seed} {index}"))


async def same_on_all(four: City, count: int, *, seed: int, at_once: int, begin: int = 0) -> Same:
    """Have ``count`` people declare on every twin, in random order and in parallel, and count what there is then."""
    began, used = time.monotonic(), programs()
    line = [(name, index) for index in adults(four.ours, count, begin=begin) for name in FOUR]
    random.Random(seed).shuffle(line)
    before = {name: len(four.rows(name, "SELECT 1 FROM letters")) for name in FOUR}
    watch = _Watch(four, {name: before[name] + count for name in FOUR})

    async def walk() -> None:
        while line:
            name, index = line.pop()
            body = declaration(four.ours, index, seed=seed)
            for pause in range(1, 6):
                await watch.room.wait()
                with contextlib.suppress(Unavailable):
                    await four.platform(name).declare(body)
                    break
                again.append(name)  # whether it was taken nobody knows: perhaps it is sent twice now
                await asyncio.sleep(pause)

    again = list[str]()
    watching = asyncio.create_task(watch.run())
    await asyncio.gather(*(walk() for _ in range(at_once)))
    await watching
    numbers = [
        {qid for (qid,) in four.rows(name, f"SELECT qid FROM letters ORDER BY rowid LIMIT -1 OFFSET {before[name]}")}
        for name in FOUR
    ]
    sent = sum(len(four.rows(name, "SELECT 1 FROM letters WHERE state = 'sent'")) - before[name] for name in FOUR)
    shown = "SELECT qid FROM citizens WHERE json_extract(said, '$.code') IS NOT NULL"
    codes = {name: {qid for (qid,) in four.rows(name, shown)} & numbers[0] for name in FOUR}
    # Of one citizen the same version twice would be one change told as two.
    twice = "SELECT count(*) - count(DISTINCT qid || ' ' || version) FROM heard WHERE qid IS NOT NULL"
    doubled = sum(four.rows(name, twice)[0][0] for name in FOUR)
    heard = sum(four.rows(name, "SELECT count(*) FROM heard")[0][0] for name in FOUR)
    everybody = all(each == numbers[0] for each in (*numbers, *codes.values()))
    exact = 4 * count <= sent <= 4 * count + len(again)
    complete = everybody and None not in numbers[0] and len(numbers[0]) == count and exact and not doubled
    held = {name: len(found) for name, found in codes.items()}
    spent = {name: (now[0] - used.get(name, now)[0]) / (4 * count) for name, now in programs().items()}
    return Same(
        count,
        sent,
        len(numbers[0]),
        held,
        heard,
        doubled,
        round(time.monotonic() - began, 1),
        {name: round(seconds * 1e3, 2) for name, seconds in spent.items()},
        {name: most for name, (_, most) in programs().items()},
        complete,
    )


class _Watch:
    """Sees how far the twins are, says it, and holds the driver back while much waits: a crowd, not a dam that breaks.

    ``room`` is set while more may be declared. Over when every letter is answered and every code is shown, or when
    nothing has moved for :data:`_IDLE_SECONDS`.
    """

    def __init__(self, four: City, letters: Mapping[str, int]) -> None:
        self._four, self._letters = four, letters
        self.room = asyncio.Event()
        self.room.set()

    async def run(self) -> None:
        """Until it is over."""
        last: list[dict[str, int]] = []
        began = moved = said = time.monotonic()
        while time.monotonic() - moved < _IDLE_SECONDS:
            asked = time.monotonic()
            counts = last
            with contextlib.suppress(aiohttp.ClientError, TimeoutError):  # one that is busy is asked the next time
                counts = [await self._four.counts(name) for name in FOUR]
            now = time.monotonic()
            if counts != last:
                last, moved = counts, now
            if sum(one["waiting"] for one in counts) < _WAITING_MOST:
                self.room.set()
            else:
                self.room.clear()
            if now - said > _SAY_SECONDS:
                said = now
                told = {name: sum(one[name] for one in counts) for name in ("waiting", "sent", "codes", "heard")}
                print(f"{now - began:6.0f} s {told} of {sum(self._letters.values())}", file=sys.stderr, flush=True)
            done = bool(counts) and [
                one["waiting"] == 0
                and self._letters[name] <= one["sent"] + one["refused"]
                and one["sent"] <= one["codes"]
                for name, one in zip(FOUR, counts, strict=True)
            ]
            if done and all(done):
                return
            # Their counts go through all that they hold: the more that is, the more seldom they are asked.
            await asyncio.sleep(min(5.0, max(0.25, 30 * (time.monotonic() - asked))))
        self.room.set()


def programs() -> dict[str, tuple[float, int]]:
    """(CPU seconds, most memory in MB) of each program that was started here, and of the driver itself."""
    found = {}
    for pid in ("self", *Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()):
        with contextlib.suppress(OSError):
            words = Path(f"/proc/{pid}/cmdline").read_bytes().decode().split("\0")
            name = "driver" if pid == "self" else "_".join(words[3:4] if words[2] == "motma.twins" else words[2:4][:1])
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            status = Path(f"/proc/{pid}/status").read_text()
            most = int(status.partition("VmHWM:")[2].split()[0]) // 1024
            found[name] = ((int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK"), most)
    return found


async def lag(four: City, rate: float, seconds: float, *, seed: int, begin: int = 0) -> Lag:
    """Declare ``rate`` times a second for so long, each on one twin, and say when that twin knew."""
    count = int(rate * seconds)
    bodies = [declaration(four.ours, index, seed=seed) for index in adults(four.ours, count, begin=begin)]
    luck = random.Random(seed)
    since = time.time()
    began, under_way = time.monotonic(), set[asyncio.Task[str]]()
    for place, body in enumerate(bodies):
        await asyncio.sleep(max(0.0, began + place / rate - time.monotonic()))
        task = asyncio.create_task(four.platform(luck.choice(FOUR)).declare(body))
        under_way.add(task)
        task.add_done_callback(under_way.discard)
    await asyncio.gather(*under_way)
    handed_in = time.monotonic() - began
    await _Watch(four, dict.fromkeys(FOUR, 0)).run()
    heard = "SELECT at, heard_at, by FROM heard WHERE qid IN (SELECT qid FROM letters WHERE state = 'sent')"
    told = [row for name in FOUR for row in four.rows(name, heard) if _seconds(row[0]) >= since - 0.001]
    waited = sorted(heard_at - _seconds(at) for at, heard_at, _ in told)
    by_webhook = sum(by == "webhook" for _, _, by in told) / max(1, len(told))
    p99 = waited[int(len(waited) * 0.99)] if waited else float("nan")
    p50 = statistics.median(waited) if waited else float("nan")
    most = waited[-1] if waited else float("nan")
    numbers = (round(value, 3) for value in (count / handed_in, by_webhook, p50, p99, most))
    real, share, *times = numbers
    return Lag(rate, real, len(told), count - len(told), share, *times)


def _seconds(moment: str) -> float:
    return dt.datetime.fromisoformat(moment).timestamp()


async def _main(asked: argparse.Namespace) -> int:
    async with city() as four:
        if asked.what == "same":
            same = await same_on_all(four, asked.people, seed=asked.seed, at_once=asked.at_once)
            print(json.dumps(asdict(same)))
            return 0 if same.complete else 1
        begin = 0
        for rate in asked.rate:
            found = await lag(four, rate, asked.seconds, seed=asked.seed, begin=begin)
            begin += 3 * int(rate * asked.seconds)
            print(json.dumps(asdict(found)))
        return 0


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit code says whether everybody had one number and every twin every code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("same", "lag"))
    parser.add_argument("--people", type=int, default=1_000)
    parser.add_argument("--at-once", type=int, default=32)
    parser.add_argument("--rate", type=float, nargs="+", default=[20.0])
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--seed", type=int, default=2021)
    return uvloop.run(_main(parser.parse_args(arguments)))


if __name__ == "__main__":
    raise SystemExit(main())
