"""Four platforms interlinked, as programs of their own: one number for each citizen, and how soon everybody knows.

``python -m bench.exchange same --people 10000``: everybody declares on all four twins, in a random order and in
parallel; in the end there are as many numbers as people, and every twin holds every code.
``python -m bench.exchange lag --rate 100 --seconds 30``: declarations at a steady rate; from the moment in the fact
until a twin has it on disk, by webhook or feed, whichever came first. All of it runs on this machine: the four twins,
the register and the driver take their share of the processors too.
"""

import argparse
import asyncio
import contextlib
import datetime as dt
import json
import random
import sqlite3
import statistics
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
from motma.replay.processes import RunningTwin
from motma.wiring import utc_now

FOUR = ("bluezone", "ncovi", "tokhaiyte", "dicuan")
_IDLE_SECONDS = 120
"""Nothing moved for so long: it is over, and something is missing."""


@dataclass(frozen=True, slots=True)
class Same:
    """What came of it. ``complete``: one number for each person, and each twin shows each code."""

    people: int
    sent: int
    numbers: int
    codes: Mapping[str, int]
    doubled: int
    seconds: float
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


def people(ours: Ours, count: int, *, seed: int, begin: int = 0) -> list[dict[str, Any]]:
    """Declarations of ``count`` adults with a number of their own, from the ``begin``-th on."""
    luck, now, found = random.Random(seed), utc_now(), list[dict[str, Any]]()
    index = begin
    while len(found) < count:
        person = ours.people.person(index)
        index += 1
        if person.birth_date.year < 2005 and person.documents[0].kind == "cccd" and not person.year_only:
            found.append(declaration_of(person, now, luck=luck))
    return found


async def same_on_all(four: City, count: int, *, seed: int, at_once: int, begin: int = 0) -> Same:
    """Have ``count`` people declare on every twin, in random order and in parallel, and count what there is then."""
    luck, began = random.Random(seed), time.monotonic()
    line = [(name, body) for body in people(four.ours, count, seed=seed, begin=begin) for name in FOUR]
    luck.shuffle(line)
    before = {name: len(four.rows(name, "SELECT 1 FROM letters")) for name in FOUR}

    async def walk() -> None:
        while line:
            name, body = line.pop()
            await four.platform(name).declare(body)

    await asyncio.gather(*(walk() for _ in range(at_once)))
    await _settled(four, {name: before[name] + count for name in FOUR})
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
    everybody = all(each == numbers[0] for each in (*numbers, *codes.values()))
    complete = everybody and None not in numbers[0] and len(numbers[0]) == count and sent == 4 * count and not doubled
    held = {name: len(found) for name, found in codes.items()}
    return Same(count, sent, len(numbers[0]), held, doubled, round(time.monotonic() - began, 1), complete)


async def _settled(four: City, letters: Mapping[str, int]) -> None:
    """Wait until every letter is answered and every code is shown, or nothing moves any more."""
    last: list[dict[str, int]] = []
    moved = time.monotonic()
    while time.monotonic() - moved < _IDLE_SECONDS:
        counts = [await four.counts(name) for name in FOUR]
        if counts != last:
            last, moved = counts, time.monotonic()
        done = [
            one["waiting"] == 0 and one["sent"] + one["refused"] >= letters[name] and one["codes"] >= one["sent"]
            for name, one in zip(FOUR, counts, strict=True)
        ]
        if all(done):
            return
        await asyncio.sleep(0.25)


async def lag(four: City, rate: float, seconds: float, *, seed: int, begin: int = 0) -> Lag:
    """Declare ``rate`` times a second for so long, each on one twin, and say when that twin knew."""
    count = int(rate * seconds)
    bodies, luck = people(four.ours, count, seed=seed, begin=begin), random.Random(seed)
    since = time.time()
    began, under_way = time.monotonic(), set[asyncio.Task[str]]()
    for place, body in enumerate(bodies):
        await asyncio.sleep(max(0.0, began + place / rate - time.monotonic()))
        task = asyncio.create_task(four.platform(luck.choice(FOUR)).declare(body))
        under_way.add(task)
        task.add_done_callback(under_way.discard)
    await asyncio.gather(*under_way)
    handed_in = time.monotonic() - began
    await _settled(four, dict.fromkeys(FOUR, 0))
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
            print(json.dumps(asdict(same), indent=1))
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
