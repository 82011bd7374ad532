"""One process of ``make fuzz``: every target in turn, until the time is up or some process found something."""

import time
from multiprocessing.synchronize import Event

from tests.fuzz.engine import Fuzzer, Run
from tests.fuzz.targets import targets

TURN_SECONDS = 4.0
"""How long a target has the core before the next one gets it."""
_found: Event


def remember(found: Event) -> None:
    """Called first in each process."""
    global _found
    _found = found


def work(names: list[str], seed: int, seconds: float) -> list[Run]:
    """What came of each target."""
    every = {target.name: target for target in targets()}
    fuzzers = [Fuzzer(every[name], seed) for name in names]
    ends, turn = time.monotonic() + seconds, min(TURN_SECONDS, seconds / len(names))
    while True:
        for fuzzer in fuzzers:
            left = ends - time.monotonic()
            if left <= 0 or _found.is_set():
                return [fuzzer.run for fuzzer in fuzzers]
            if fuzzer.go(min(turn, left)).failure:
                _found.set()
