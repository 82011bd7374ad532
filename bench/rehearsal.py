"""What rehearsing a draft over recorded scans costs: decisions per second of one core, and what each part of it takes.

python -m bench.rehearsal [--scans 200000] [--postgres]
"""

import argparse
import asyncio
import contextlib
import datetime as dt
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import msgspec
from msgspec.structs import replace

from bench import decision
from bench.postgres import postgres
from motma.core.decision import Rulebook, judge
from motma.core.evidence import document
from motma.core.facts import NOTHING_SEEN, Fact, Scanned
from motma.core.ids import new_fact_id
from motma.core.policy import Policy, parse_policy
from motma.core.rehearsal import Rehearsal, Script
from motma.core.seen import keep, reader
from motma.policies import DEFAULT, load_policy
from motma.roads import load_network
from motma.services.aside import Aside
from motma.services.rehearsal import Here, Rehearse, Stage, Today
from motma.storage.store import Act, ScanRow, ScanSpan, Store

_ROUNDS, _ACT = 5, 1_000
_BEGAN = dt.datetime(2026, 1, 18, tzinfo=dt.UTC)
_END = _BEGAN + dt.timedelta(days=30)


def a_draft(of: str = "health") -> Policy:
    """A policy that shipped, each of its rules made a reason to look by hand."""
    raw = msgspec.json.decode((files("motma.policies") / of / "policy.json").read_bytes())
    raw["version"] += 1
    for rule in raw["rules"]:
        rule["verdict"] = "manual"
    return parse_policy(raw)


def scans(count: int) -> list[Fact]:
    """Scans of some days at every checkpoint of the network, each with its evidence."""
    cases, places = decision._cases(), load_network().checkpoints
    facts = []
    for number in range(count):
        case, place = cases[number % len(cases)], places[number % len(places)]
        at = _BEGAN + dt.timedelta(seconds=number, microseconds=number)
        what = Scanned(
            device="dev_01kf7yejc00000000000000002",
            officer="CB-01",
            carrier="code",
            code_id="00" * 16,
            outcome="accept",
            reasons=(),
            known=True,
            refer_to="",
            scanned_at=at,
            skew_seconds=0.25,
            live="live",
            seen=keep(document(case.evidence, place, case.now)),
        )
        id = new_fact_id("scn", at, number.to_bytes(10, "big"))
        facts.append(Fact(id=id, at=at, actor="CB-01", checkpoint=place.id, what=what))
    return facts


@dataclass(frozen=True, slots=True)
class _Timed:
    """Seconds on the clock, and of this process's processors."""

    wall: float
    cpu: float


async def _timed(work: Callable[[], Awaitable[object]]) -> _Timed:
    wall, cpu = time.perf_counter(), time.process_time()
    await work()
    return _Timed(time.perf_counter() - wall, time.process_time() - cpu)


async def _whole(store: Store, count: int) -> dict[str, float]:
    """End to end: fetch, decode, judge by both sides, count; in this process, and in one of its own."""
    found: dict[str, float] = {}

    async def fetch() -> None:
        span = ScanSpan(_BEGAN, _END, await store.changed_seq())
        page: list[ScanRow] = []
        while page := await store.scans(span, page[-1] if page else None):
            pass

    found["fetch"] = (await _timed(fetch)).cpu / count * 1e6
    for name, today in (("health", ("health",)), ("all", DEFAULT)):
        policies = tuple(load_policy(one) for one in today)

        async def in_force(now: dt.datetime, policies: tuple[Policy, ...] = policies) -> Today:
            return Today(policies)

        rehearse = Rehearse(store=store, in_force=in_force)
        script = await rehearse.script([a_draft()], _END)

        async def play(stage: Stage, rehearse: Rehearse = rehearse) -> None:
            async for step in rehearse.play(stage, _BEGAN, _END):
                if step.report:
                    assert step.report.judged == count, "scans are missing"
                    assert step.report.changed > 0, "the draft changes nothing: this measures something else"

        here = min([await _timed(lambda script=script: play(Here(script))) for _ in range(2)], key=lambda one: one.cpu)  # type: ignore[misc]
        found[f"{name}_decisions_per_second"] = 2 * count / here.cpu
        found[f"{name}_decisions_per_second_wall"] = 2 * count / here.wall
        stage = await Aside.open(script)
        aside = await _timed(lambda stage=stage: play(stage))  # type: ignore[misc]
        await stage.close()
        found[f"{name}_aside_decisions_per_second_wall"] = 2 * count / aside.wall
        found[f"{name}_aside_server_microseconds"] = aside.cpu / count * 1e6
    return found


def parts(facts: list[Fact]) -> dict[str, float]:
    """CPU time of each part, in microseconds for a scan, and bytes."""
    some = facts[:2_000]
    bodies = [msgspec.json.encode(fact.what) for fact in some]
    bare = [msgspec.json.encode(replace(fact.what, seen=NOTHING_SEEN)) for fact in some]
    kept = [msgspec.json.decode(fact.what.seen) for fact in some if isinstance(fact.what, Scanned)]
    cases, place = decision._cases(), load_network().checkpoints[0]
    documents = [document(case.evidence, place, case.now) for case in cases]
    health, every = Rulebook([load_policy("health")]), Rulebook(map(load_policy, DEFAULT))
    read, read_health = (
        reader(),
        reader(["clock.minute", *(p for r in load_policy("health").rules for p in r.affected)]),
    )
    decode = msgspec.json.Decoder(type=list).decode
    raw = [fact.what.seen for fact in some if isinstance(fact.what, Scanned)]
    script = Script(today=(load_policy("health"),), draft=(a_draft(),))
    rehearsal = Rehearsal(script)
    return {
        "bytes_of_evidence": sum(map(len, bodies)) / len(some) - sum(map(len, bare)) / len(some) + len("null"),
        "keep_microseconds": _each(lambda n: keep(documents[n])),
        "decode_microseconds": _each(lambda n: decode(raw[n])),
        "open_all_microseconds": _each(lambda n: read(list(kept[n]))),
        "open_health_microseconds": _each(lambda n: read_health(list(kept[n]))),
        "judge_health_microseconds": _each(lambda n: judge(documents[n], health)),
        "judge_all_microseconds": _each(lambda n: judge(documents[n], every)),
        "look_health_microseconds": _each(lambda n: rehearsal.look(n, bodies[n])),
    }


def _each(work: Callable[[int], object], many: int = 2_000) -> float:
    times = []
    for _ in range(_ROUNDS):
        began = time.thread_time()
        for n in range(many):
            work(n)
        times.append((time.thread_time() - began) / many * 1e6)
    return min(times)


async def _engine(url: str, facts: list[Fact]) -> dict[str, float]:
    store = await Store.open(url, seal_key=bytes(32), clock=lambda: _BEGAN)
    try:
        for start in range(0, len(facts), _ACT):
            await store.append(Act(facts=tuple(facts[start : start + _ACT])))
        return await _whole(store, len(facts))
    finally:
        await store.close()


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--scans", type=int, default=200_000)
    options.add_argument("--postgres", action="store_true", help="there as well")
    chosen = options.parse_args()
    facts = scans(chosen.scans)
    for name, value in parts(facts).items():
        print(f"{name} {value:.2f}")
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="motma-bench-"))
        urls = {"sqlite": f"sqlite:///{Path(folder) / 'motma.db'}"}
        if chosen.postgres:
            urls["postgres"] = stack.enter_context(postgres())
        for engine, url in urls.items():
            for name, value in asyncio.run(_engine(url, facts)).items():
                print(f"{engine}_{name} {value:.1f}")


if __name__ == "__main__":
    main()
