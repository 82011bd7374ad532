"""Seal keys are rotated under a server that serves, and by a command that is killed: nothing is lost or left closed."""

import asyncio
import os
import random
import secrets
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import aiohttp
import msgspec
import pytest

from motma.config import Settings, read_settings
from motma.core.facts import Fact
from motma.core.ids import FactId, new_fact_id
from motma.forms import load_form, load_units
from motma.register.population import Population
from motma.replay.crowd import Plan, crowd
from motma.replay.drive import Ways, free_port, provision
from motma.roads import load_network
from motma.storage.keys import open_chest
from motma.storage.rotation import rotate
from motma.storage.store import Act, Store
from motma.wiring import build, utc_now
from tests.faults.served import environment, served
from tests.storage.samples import NOW, a_qid, accepted, clock
from tests.storage.servers import postgres_server

ROOT = Path(__file__).resolve().parents[2]
KILLS, ROWS = 3, 700
_SENDERS = 8


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    (tmp_path / "data").mkdir(mode=0o700)
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/data/motma.db"
    else:
        with postgres_server() as server:
            yield server.new_database()


def person(n: int) -> bytes:
    return msgspec.json.encode({"name": f"Người số {n}", "phone": f"{n:010}", "contact": n % 2 == 0})


def rotate_until_killed(url: str, folder: str) -> None:
    """The child: rotates again and again."""

    async def run() -> None:
        chest = open_chest(Path(folder))
        store = await Store.open(url, seal_key=chest.ring, clock=clock)
        os.write(1, b"begun\n")
        while True:
            await rotate(chest, store, NOW)

    asyncio.run(run())


def _kill_after(seconds: float, url: str, folder: Path) -> None:
    program = "import sys; from tests.faults.test_rotation import rotate_until_killed as r; r(*sys.argv[1:])"
    child = subprocess.Popen([sys.executable, "-c", program, url, folder], cwd=ROOT, stdout=subprocess.PIPE)
    assert child.stdout is not None
    with child.stdout as said:
        assert said.readline() == b"begun\n"
        killer = threading.Timer(seconds, child.kill)
        killer.start()
        assert said.read() == b""
        killer.join()
    assert child.wait() == -signal.SIGKILL


async def test_a_rotation_that_is_killed_leaves_everything_readable(url: str, tmp_path: Path) -> None:
    folder, dice = tmp_path / "data", random.Random()
    chest = open_chest(folder)
    facts: list[Fact] = [accepted(a_qid(), personal=person(n)) for n in range(ROWS)]
    store = await Store.open(url, seal_key=chest.ring, clock=clock)
    await store.append(Act(tuple(facts)))
    reached = []
    try:
        for _ in range(KILLS):
            await asyncio.to_thread(_kill_after, dice.uniform(0.001, 1.0), url, folder)
            reached.append(sorted(await store.sealed_by()))
            assert all([await store.fact(fact.id) == fact for fact in facts]), "for who served all the while"
            more = accepted(a_qid(), personal=person(len(facts)))
            await store.append(Act((more,)))
            facts.append(more)
            begun = open_chest(folder)
            anew = await Store.open(url, seal_key=begun.ring, clock=clock)
            assert all([await anew.fact(fact.id) == fact for fact in facts]), "and for who starts now"
            await anew.close()
        done = await rotate(chest, store, NOW)
        assert done.left == {} and await store.sealed_by() == {done.newest: len(facts)}
        assert [one.number for one in chest.ring.look()] == [done.newest]
        assert all([await store.fact(fact.id) == fact for fact in facts])
        assert (await store.counts())["declaration.accepted"] == len(facts)
    finally:
        await store.close()
    assert any(keys != [1] for keys in reached), "never killed in the middle of anything"


async def test_a_server_under_load_does_not_notice_a_rotation(url: str, tmp_path: Path) -> None:
    settings = replace(read_settings({}), data=tmp_path / "data", database_url=url, port=free_port())
    async with build(settings) as built:
        ways = await provision(built)
        old = [accepted(a_qid(), personal=person(n)) for n in range(ROWS)]
        await built.store.append(Act(tuple(old)))
    answers: Counter[tuple[str, int]] = Counter()
    accepted_ones: list[tuple[str, str]] = []
    stop = asyncio.Event()
    async with served(settings, tmp_path / "log") as address:
        load = asyncio.create_task(_load(address, settings, ways, answers, accepted_ones, stop))
        try:
            for _ in range(2):
                rotated = await asyncio.create_subprocess_exec(
                    *(sys.executable, "-m", "motma", "secrets", "rotate"),
                    env=environment(settings),
                    stdout=asyncio.subprocess.PIPE,
                    stderr=asyncio.subprocess.PIPE,
                )
                out, err = await asyncio.wait_for(rotated.communicate(), 120)
                assert (rotated.returncode, out.split()[2:]) == (0, [b"seals", b"everything."]), err
        finally:
            stop.set()
            await load
    assert answers and all(status in (200, 201) for _, status in answers), answers
    assert len(accepted_ones) > 20, answers
    async with build(settings) as built:
        (number,) = await built.store.sealed_by()
        assert [one.number for one in built.house.trust.chest.ring.look()] == [number] == [3]
        for fact in old:
            assert await built.store.fact(fact.id) == fact
        for declaration, name in accepted_ones:
            kept = await built.store.fact(FactId(declaration), only=("name",))
            assert kept is not None and kept.personal is not None
            assert msgspec.json.decode(kept.personal) == {"name": name}
        assert (await built.store.rebuild_standing()).differing == ()
    assert (tmp_path / "log").read_text().count("\n") <= 1, "the server had nothing to complain of"


async def _load(
    address: str,
    settings: Settings,
    ways: Ways,
    answers: "Counter[tuple[str, int]]",
    accepted_ones: list[tuple[str, str]],
    stop: asyncio.Event,
) -> None:
    """Declare and be scanned until told to stop; count every answer."""
    people = Population(settings.register_seed, settings.register_size)
    travellers = crowd(Plan(20_000, seed=9), people, load_form("2026-1"), load_units(), load_network(), utc_now())

    async def walk(session: aiohttp.ClientSession) -> None:
        for one in travellers:
            if stop.is_set():
                return
            if one.source == "page":
                continue
            headers = {"authorization": f"Bearer {ways.tokens[one.source]}", "idempotency-key": one.key}
            async with session.post("/v1/declarations", json=one.body, headers=headers) as answer:
                answers["declared", answer.status] += 1
                receipt = await answer.json()
            if not receipt.get("code"):
                continue
            accepted_ones.append((receipt["declaration"], one.body["name"]))
            now = utc_now()
            scan = {"id": new_fact_id("scn", now, secrets.token_bytes(10)), "scanned_at": now.isoformat()}
            cookie = {"cookie": ways.cookies[one.checkpoint]}
            async with session.post("/v1/checks", json={**scan, "qid": receipt["qid"]}, headers=cookie) as answer:
                answers["scanned", answer.status] += 1

    async with aiohttp.ClientSession(address) as session:
        await asyncio.gather(*(walk(session) for _ in range(_SENDERS)))
