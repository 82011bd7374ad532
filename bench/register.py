"""The fictional register as it grows, and what our client adds to a bare request of the same answer.

Growth is measured on lookups by UIN, by old number and by guardian, in CPU time, the two sizes taking turns. The client
is measured against aiohttp's own GET of the very same address on the very same server, one after the other.
"""

import asyncio
import os
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable

import aiohttp
import uvloop

from bench.code import ratio
from motma.connectors.registry.osia import OsiaRegistry, Where
from motma.register.answers import Answers
from motma.register.population import SIZE_MAX, Person, Population

SMALL = 10_000
_ROUNDS, _CALLS = 15, 200
_CLIENT = ("bench", "bench")


def ratios() -> dict[str, float]:
    """Lookups among ten million ÷ among ten thousand; our client ÷ a bare GET; a question of 64 at once, in ms."""
    small, large = Answers(Population(2021, SMALL)), Answers(Population(2021, SIZE_MAX))
    found = {"register_growth": ratio(_lookups(large, SIZE_MAX), _lookups(small, SMALL))}
    with _running() as process:
        assert process.stdout is not None
        url = process.stdout.readline().rpartition(" ")[2].strip()
        try:
            found |= uvloop.run(_client(url, small.population))
        finally:
            process.terminate()
    return found


def _lookups(answers: Answers, size: int) -> Callable[[], object]:
    """One question of each kind about somebody at random who has an old number, in an order that is always the same."""
    rng = random.Random(1)
    # Only the first million have old numbers: the same kind of people on both sides, spread over all there are.
    old = [answers.population.person(rng.randrange(min(size, 1_000_000))) for _ in range(4_000)]
    anybody = [answers.population.person(rng.randrange(size)) for _ in old]
    turn = iter(range(10**9))

    def once() -> None:
        place = next(turn) % len(old)
        person = anybody[place]
        answers.match(_known(answers, person), {"fullName": person.name})
        if len(old[place].documents) > 1:
            answers.find({"oldNumber": old[place].documents[1].number})
        if person.guardian:
            answers.find({"guardian": person.guardian})

    return once


def _known(answers: Answers, person: Person) -> Person:
    known = answers.person(person.uin)
    assert known is not None and known.index == person.index
    return known


def _running() -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "motma.register", "--port", "0", "--size", str(SMALL)]
    return subprocess.Popen(
        [*command, "--client", ":".join(_CLIENT), "--token-seconds", "86400"],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )


async def _client(url: str, population: Population) -> dict[str, float]:
    uin = population.person(0).uin
    address = f"{url}/v1/persons/{uin}?attributeNames=fullName"
    async with OsiaRegistry(Where(url, *_CLIENT, timeout_seconds=30)) as registry, aiohttp.ClientSession() as bare:
        await registry.read(uin, ("fullName",))
        token = (await registry._tokens.get()).text
        headers = {"authorization": f"Bearer {token}"}

        async def get() -> None:
            async with bare.get(address, headers=headers) as answer:
                assert answer.status == 200 and await answer.read()

        async def ours() -> None:
            assert await registry.read(uin, ("fullName",))

        await _seconds(get)
        await _seconds(ours)
        rounds = [(await _seconds(ours)) / (await _seconds(get)) for _ in range(_ROUNDS)]

        async def many() -> None:
            await asyncio.gather(*[registry.match(uin, {"fullName": "An"}) for _ in range(64)])

        crowd = statistics.median([await _seconds(many, 10) for _ in range(5)]) / 64
    return {"register_client_over_bare_get": statistics.median(rounds), "register_question_ms": crowd * 1000}


async def _seconds(work: Callable[[], Awaitable[None]], calls: int = _CALLS) -> float:
    """Seconds for one call."""
    began = time.perf_counter()
    for _ in range(calls):
        await work()
    return (time.perf_counter() - began) / calls


if __name__ == "__main__":
    for name, value in ratios().items():
        print(f"{name} {value:.3f}")
