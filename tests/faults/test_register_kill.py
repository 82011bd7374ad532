"""``kill -9`` of the register under load: nobody waits, nobody is turned away, and all are matched once it is back."""

import asyncio
import os
import signal
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiohttp
import msgspec

from motma.config import Settings, read_settings
from motma.core.identity import Grade
from motma.core.ids import parse_qid
from motma.forms import load_form, load_units
from motma.register.population import Population
from motma.replay.crowd import REFUSED, Plan, Traveller, crowd
from motma.replay.drive import Ways, provision
from motma.replay.processes import free_port, running_register
from motma.roads import load_network
from motma.wiring import Built, build, utc_now
from tests.faults.served import served

_SENDERS, _BEFORE, _AFTER = 16, 60, 60
_PATIENCE_SECONDS = 40
_GRADES = {"document.number": Grade.UNKNOWN, "birth_date": Grade.MISMATCHED, "name": Grade.MISMATCHED}

Told = tuple[Traveller, dict[str, Any]]


async def test_whoever_declared_meanwhile_is_matched_afterwards(tmp_path: Path) -> None:
    settings = replace(read_settings({}), data=tmp_path / "data", port=free_port())
    settings = replace(settings, database_url=f"sqlite:///{settings.data / 'motma.db'}")
    who = {"seed": settings.register_seed, "size": settings.register_size}
    known = {"port": free_port(), "client": "motma", "secret": "s3cret"}
    async with build(settings) as built:
        ways = await provision(built)
    log, told = tmp_path / "server.log", list[Told]()
    async with running_register(**who, **known) as first:  # type: ignore[arg-type]
        settings = first.told(settings)
        async with served(settings, log) as url, aiohttp.ClientSession(url) as session:
            people = _people(settings)
            await _declare(session, ways, people, told, _BEFORE)
            assert {answer["outcome"] for _, answer in told} <= {"accepted", "repairable", "refused"}
            async with asyncio.TaskGroup() as group:
                group.create_task(_declare(session, ways, people, told, len(told) + _AFTER))
                await asyncio.sleep(0.05)  # in the midst of it
                os.kill(first.pid, signal.SIGKILL)
            outcomes = Counter(answer["outcome"] for _, answer in told)
            assert outcomes["pending"] >= _AFTER // 2, outcomes
            for traveller, answer in told:
                assert answer["outcome"] in (traveller.outcome, "pending"), traveller.mistake
                assert answer["qid"] or answer["outcome"] == "refused"
            assert _logged(log, "register.left_alone")
            assert not _logged(log, "register.answers_again")

            async with running_register(**who, **known), build(settings) as built:  # type: ignore[arg-type]
                async with asyncio.timeout(_PATIENCE_SECONDS):
                    while await built.store.pending(1):  # noqa: ASYNC110  # the server is another process
                        await asyncio.sleep(0.1)
                assert _logged(log, "register.answers_again")
                await _look(built, told)
                await _declare(session, ways, people, told, len(told) + _SENDERS)
                assert not {answer["outcome"] for _, answer in told[-_SENDERS:]} & {"pending"}
                for traveller, answer in told:
                    again = await _send(session, ways, traveller)
                    assert (again["declaration"], again["qid"]) == (answer["declaration"], answer["qid"])
                    assert again["repeated"]
                rebuilt = await built.store.rebuild_standing()
                assert rebuilt.checked and not rebuilt.differing


def _people(settings: Settings) -> Iterator[Traveller]:
    """Everybody who declares on a platform."""
    population = Population(settings.register_seed, settings.register_size)
    everybody = crowd(Plan(40_000, seed=3), population, load_form("2026-1"), load_units(), load_network(), utc_now())
    return (one for one in everybody if one.source != "page")


async def _declare(
    session: aiohttp.ClientSession, ways: Ways, people: Iterator[Traveller], told: list[Told], upto: int
) -> None:
    """Declare, so many at once, until so many were told; whatever is not an answer fails the test."""

    async def walk() -> None:
        while len(told) < upto:
            traveller = next(people)
            told.append((traveller, await _send(session, ways, traveller)))

    await asyncio.wait_for(asyncio.gather(*(walk() for _ in range(_SENDERS))), _PATIENCE_SECONDS)


async def _send(session: aiohttp.ClientSession, ways: Ways, traveller: Traveller) -> dict[str, Any]:
    headers = {
        "authorization": f"Bearer {ways.tokens[traveller.source]}",
        "idempotency-key": traveller.key,
        "content-type": "application/json",
    }
    body = msgspec.json.encode(traveller.body)
    async with session.post("/v1/declarations", data=body, headers=headers) as answer:
        text = await answer.read()
        assert answer.status in (200, 201), text
        return msgspec.json.decode(text, type=dict[str, Any])


async def _look(built: Built, told: list[Told]) -> None:
    """Everybody stands as they would have stood if the register had never been away."""
    for traveller, answer in told:
        if answer["qid"]:
            standing = await built.citizens.standing(parse_qid(answer["qid"]))
            assert standing is not None
            mistake = traveller.mistake
            wanted = Grade.MATCHED if mistake is None else Grade.REPAIRABLE
            assert standing.grade is (_GRADES[mistake] if mistake in REFUSED else wanted), (mistake, standing.grade)


def _logged(log: Path, event: str) -> bool:
    return f'"event": "{event}"' in log.read_text()
