"""``make fuzz``: five minutes over every target on all cores; ``ARGS="--seconds 60 --only code_text"`` for less.

Ends with 1 at the first finding, and says how to see it again: ``--replay TARGET:HEX``.
"""

import argparse
import multiprocessing
import os
import secrets
import sys
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor

from tests.fuzz import worker
from tests.fuzz.engine import Failure, Run, replay
from tests.fuzz.targets import targets


def main() -> int:
    """The exit code: 0 when nothing was found."""
    asked = argparse.ArgumentParser(prog="make fuzz", description=__doc__)
    asked.add_argument("--seconds", type=float, default=300, help="how long in all (300)")
    asked.add_argument("--jobs", type=int, default=len(os.sched_getaffinity(0)), help="processes (one for each core)")
    asked.add_argument("--seed", type=int, default=None, help="begin with the same inputs as another run")
    asked.add_argument("--only", action="append", default=[], metavar="TARGET", help="this target, and others so named")
    asked.add_argument("--replay", metavar="TARGET:HEX", help="throw one input again")
    said = asked.parse_args()
    every = {target.name: target for target in targets()}
    if unknown := set(said.only) - set(every):
        asked.error(f"no such target: {', '.join(unknown)}; there are: {', '.join(every)}")
    if said.replay:
        name, _, digits = said.replay.partition(":")
        if name not in every:
            asked.error(f"no such target: {name}; there are: {', '.join(every)}")
        failure = replay(every[name], bytes.fromhex(digits))
        print(_told(failure) if failure else "nothing is wrong with it")
        return 1 if failure else 0
    seed = secrets.randbelow(2**32) if said.seed is None else said.seed
    return _fuzz_all(said.only or list(every), seed, said.seconds, said.jobs)


def _fuzz_all(names: list[str], seed: int, seconds: float, jobs: int) -> int:
    print(f"{len(names)} targets, {jobs} processes, {seconds:.0f} s, --seed {seed}", flush=True)
    totals = {name: Run(name) for name in names}
    context = multiprocessing.get_context("spawn")
    found = context.Event()
    with ProcessPoolExecutor(jobs, context, initializer=worker.remember, initargs=(found,)) as pool:
        # Each process begins with another target, so that a short run still comes by all of them.
        turned = [names[len(names) * job // jobs :] + names[: len(names) * job // jobs] for job in range(jobs)]
        for runs in pool.map(worker.work, turned, [seed + job for job in range(jobs)], [seconds] * jobs):
            for run in runs:
                _add(totals[run.target], run)
    _print(totals.values())
    failures = [run.failure for run in totals.values() if run.failure]
    print("\n".join(map(_told, failures)) or "nothing found")
    return 1 if failures else 0


def _add(total: Run, run: Run) -> None:
    total.executions += run.executions
    total.seconds += run.seconds
    total.corpus = max(total.corpus, run.corpus)
    total.outcomes |= run.outcomes
    total.failure = total.failure or run.failure


def _print(runs: Iterable[Run]) -> None:
    print(f"{'target':18} {'inputs':>10} {'per second':>11} {'corpus':>7} {'outcomes':>9}")
    for run in runs:
        rate = run.executions / run.seconds if run.seconds else 0
        print(f"{run.target:18} {run.executions:10,} {rate:11,.0f} {run.corpus:7,} {len(run.outcomes):9,}")
    print(f"{'all':18} {sum(run.executions for run in runs):10,}")


def _told(failure: Failure) -> str:
    return (
        f"\n{failure.target}: {failure.said}\n  {failure.where}\n  {len(failure.data)} bytes: {failure.data!r:.200}\n"
        f'  again: make fuzz ARGS="--replay {failure.target}:{failure.data.hex()}"'
    )


if __name__ == "__main__":
    sys.exit(main())
