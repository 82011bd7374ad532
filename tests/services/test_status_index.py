"""Indexes that no two codes share: on both databases, from several processes, and when things break."""

import asyncio
import datetime as dt
import itertools
import signal
import subprocess
import sys
from typing import Any

import pytest

from motma.core.errors import Unavailable
from motma.core.words import Words
from motma.services.status import BLOCK_INDEXES
from motma.storage.store import Act, Store
from tests.services.status_desk import NOW, Desk, Opener, take


async def test_desks_of_several_processes_never_give_one_index_twice(opened_desks: Opener) -> None:
    desks = [await opened_desks() for _ in range(3)]
    taken = await asyncio.gather(*[take(desk, 2_500) for desk in desks])
    everything = sorted(index for some in taken for index in some)
    assert len(set(everything)) == 7_500
    assert everything[-1] < 9 * BLOCK_INDEXES, "no block was passed over"


async def test_within_a_block_the_order_tells_nothing(desk: Desk) -> None:
    taken = await take(desk, BLOCK_INDEXES)
    assert sorted(taken) == list(range(BLOCK_INDEXES))
    following = sum(b - a == 1 for a, b in itertools.pairwise(taken))
    assert following < 20


async def test_after_a_restart_a_block_is_wasted_and_nothing_comes_twice(opened_desks: Opener) -> None:
    before = await take(await opened_desks(), 10)
    after = await take(await opened_desks(), 2_000)
    assert not set(before) & set(after)
    assert min(after) == BLOCK_INDEXES


_KILLED = """
import asyncio, os, signal, sys
from motma.storage.store import Store
from tests.services.status_desk import KEY, NOW, Desk
from tests.storage.samples import clock

async def main():
    desk = Desk(await Store.open(sys.argv[1], seal_key=KEY, clock=clock))
    for _ in range(1030):
        print(await desk.next_index(NOW), flush=True)
    await desk._reserve()  # a third block is ours, and nothing of it was handed out
    os.kill(os.getpid(), signal.SIGKILL)

asyncio.run(main())
"""


async def test_a_kill_between_reserve_and_use_wastes_but_never_repeats(desk_url: str, opened_desks: Opener) -> None:
    run = await asyncio.to_thread(
        subprocess.run, [sys.executable, "-c", _KILLED, desk_url], capture_output=True, text=True, timeout=60
    )
    assert run.returncode == -signal.SIGKILL, run.stderr
    theirs = [int(line) for line in run.stdout.split()]
    ours = await take(await opened_desks(), 2_000)
    assert len({*theirs, *ours}) == 3_030
    assert min(ours) == 3 * BLOCK_INDEXES


class Flaky:
    """A store whose answers get lost: what was sent is written, and the sender is told otherwise."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.lost = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    async def append(self, act: Act) -> Any:
        answer = await self._store.append(act)
        if act.once and self.lost:
            self.lost -= 1
            raise Unavailable("storage.unavailable", Words("vi", "en"))
        return answer


async def test_a_claim_whose_answer_was_lost_is_found_to_be_ours(opened_desks: Opener) -> None:
    (first, other) = await opened_desks(), await opened_desks()
    flaky = Flaky(first.store)
    desk = Desk(flaky)
    flaky.lost = 2
    for _ in range(2):
        with pytest.raises(Unavailable):
            await desk.next_index(NOW)
    mine, theirs = await take(desk, BLOCK_INDEXES), await take(other, BLOCK_INDEXES)
    assert sorted(mine) == list(range(BLOCK_INDEXES)), "the block is not lost either"
    assert not set(mine) & set(theirs)


async def test_who_goes_away_while_a_block_is_reserved_takes_nothing_along(desk: Desk) -> None:
    for pause in (0, 0, 0.001, 0.002):
        waiting = [asyncio.create_task(desk.next_index(NOW)) for _ in range(5)]
        await asyncio.sleep(pause)
        for one in waiting[::2]:
            one.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
    taken = await take(desk, 3_000)
    assert len(set(taken)) == 3_000


async def test_the_clock_has_no_say_in_it(desk: Desk) -> None:
    times = [NOW, NOW - dt.timedelta(days=400), NOW + dt.timedelta(days=400), NOW]
    assert len({await desk.next_index(now) for now in times for _ in range(500)}) == 2_000
