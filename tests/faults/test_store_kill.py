"""Kill the process that writes, at any moment: what it acknowledged is there, and the tables agree with the facts."""

import asyncio
import os
import random
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from motma.storage.store import Act, Appended, Store
from tests.storage.samples import KEY, a_qid, accepted, clock, issued, scanned
from tests.storage.servers import postgres_server

ROOT = Path(__file__).resolve().parents[2]
ROUNDS = 2
WORKERS = 32
CITIZENS = 20


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/motma.db"
    else:
        with postgres_server() as server:
            yield server.new_database()


def write_until_killed(url: str) -> None:
    """The child: appends for ever, and prints the ids of each act that was acknowledged."""

    async def run() -> None:
        store = await Store.open(url, seal_key=KEY, clock=clock)
        citizens = [a_qid() for _ in range(CITIZENS)]
        dice = random.Random()
        # each declares once, since who is only scanned has no standing to be counted
        first = [accepted(qid, personal=b"{}") for qid in citizens]
        assert await store.append(Act(tuple(first))) == Appended()
        os.write(1, "".join(f"{fact.id}\n" for fact in first).encode())

        async def work() -> None:
            while True:
                qid = dice.choice(citizens)
                declaration = accepted(qid, personal=b"{}")
                act = Act((declaration, issued(qid, declaration.id)) if dice.random() < 0.5 else (scanned(qid),))
                assert await store.append(act) == Appended()
                os.write(1, "".join(f"{fact.id}\n" for fact in act.facts).encode())

        await asyncio.gather(*(work() for _ in range(WORKERS)))

    asyncio.run(run())


def _acknowledged_before_the_kill(url: str, seconds: float) -> list[str]:
    program = "import sys; from tests.faults.test_store_kill import write_until_killed as w; w(sys.argv[1])"
    child = subprocess.Popen([sys.executable, "-c", program, url], cwd=ROOT, stdout=subprocess.PIPE)
    assert child.stdout is not None
    with child.stdout as said:
        first = b"".join(said.readline() for _ in range(CITIZENS + 1))  # the workers have begun
        killer = threading.Timer(seconds, child.kill)  # the reader reads on, or the child would stand still
        killer.start()
        rest = said.read()
        killer.join()
    assert child.wait() == -signal.SIGKILL
    return (first + rest).decode().splitlines()


async def test_what_was_acknowledged_outlives_a_kill(url: str) -> None:
    dice = random.Random()
    acknowledged: list[str] = []
    for _ in range(ROUNDS):
        said = await asyncio.to_thread(_acknowledged_before_the_kill, url, dice.uniform(0.05, 0.4))
        assert len(said) > WORKERS
        acknowledged += said

    store = await Store.open(url, seal_key=KEY, clock=clock)
    try:
        missing = [id for id in acknowledged if await store.fact(id) is None]  # type: ignore[arg-type]
        assert missing == []
        counts = await store.counts()
        # in flight at each kill: nobody was told, so they may be there or not
        unsaid = sum(counts.values()) - counts["citizens"] - len(acknowledged)
        assert 0 <= unsaid <= ROUNDS * WORKERS * 2
        assert await store.changed_seq() == len(acknowledged) + unsaid
        rebuilt = await store.rebuild_standing()
        assert (rebuilt.checked, rebuilt.differing) == (counts["citizens"], ())
    finally:
        await store.close()
