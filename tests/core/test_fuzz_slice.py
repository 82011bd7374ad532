"""A short piece of ``make fuzz``, the same in every run; and the fuzzer itself finds what is there to be found."""

import random

import cbor2
import pytest

from tests.fuzz.engine import Fuzzer, replay
from tests.fuzz.mutate import mutate, parse
from tests.fuzz.targets import Target, targets
from vectors.code import make

TARGETS = targets()
SEEDS = {target.name: target.seeds for target in TARGETS}
INPUTS = 120


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
def test_nothing_is_found(target: Target) -> None:
    # Some seeds: all of them are vectors, which have tests of their own.
    few = Target(target.name, target.run, target.seeds[:: len(target.seeds) // 20 + 1])
    run = Fuzzer(few, seed=2026).go(seconds=60, executions=INPUTS)
    assert run.failure is None, f"{run.failure}"
    assert run.executions == INPUTS
    assert len(run.outcomes) > 1, "nothing gets far"


def test_what_is_taken_apart_is_put_together_again() -> None:
    kept = [tree.write() == seed for seed in SEEDS["trust_list"] + SEEDS["status_token"] if (tree := parse(seed))]
    assert len(kept) > 50 and sum(kept) > 0.9 * len(kept)  # the rest have heads longer than they need


def test_the_same_seed_gives_the_same_inputs() -> None:
    seeds = list(SEEDS["code_content"])
    first, second = ([mutate(max(seeds, key=len), random.Random(n), seeds) for n in range(50)] for _ in range(2))
    assert first == second and len(set(first)) > 40


def test_a_bug_behind_a_branch_is_found_and_made_small() -> None:
    def run(data: bytes) -> str:
        if data[:1] == b"\xa1" and b"\xf6" in data:
            return {}["a bug"]
        return "fine"

    found = Fuzzer(Target("planted", run, (b"\xa1\x01\x02" + bytes(60),)), seed=1).go(seconds=30)
    assert found.failure is not None and found.failure.said == "KeyError: 'a bug'"
    assert sorted(found.failure.data) == [0xA1, 0xF6]
    assert replay(Target("planted", run, ()), found.failure.data) is not None


def test_a_forgery_that_passed_would_be_found() -> None:
    """The promise is in the target: a code whose content is not among the seeds must not be accepted."""
    content = next(target for target in TARGETS if target.name == "code_envelope")
    forged = make.cose(cbor2.dumps(make.claims(name="Ai Đó")))  # signed with our own key, as if it had leaked
    failure = replay(content, forged)
    assert failure is not None and "forgery" in failure.said
