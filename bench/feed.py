"""How long after its commit a change is answered by the feed and received by a webhook: ``python -m bench.feed``.

One process, as a server is: declarations are appended as facts at a steady rate, a waiting poll reads them, and a
receiver on the loopback takes the webhooks. Prints P50 and P99 of both, in milliseconds.
"""

import asyncio
import datetime as dt
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec

from motma.config import read_settings
from motma.core.ids import Qid
from motma.storage.store import Act
from motma.wiring import build, utc_now
from tests.receiving import receiver
from tests.storage.samples import accepted, issued

_PLATFORM = "BLUEZONE"


async def measure(rate: int, seconds: int, folder: Path) -> None:
    """Append ``rate`` declarations a second for ``seconds``, and tell what it came to."""
    settings = replace(
        read_settings({}), data=folder, database_url=f"sqlite:///{folder / 'motma.db'}", webhooks_private=True
    )
    written: dict[str, float] = {}
    polled: dict[str, float] = {}
    received: dict[str, float] = {}
    async with build(settings) as built, receiver() as hook:
        await built.house.webhooks.set(_PLATFORM, hook.url, None, utc_now())

        def take(message: dict[str, Any]) -> int:
            received.setdefault(message["data"]["citizen"]["qid"], time.perf_counter())
            return 204

        hook.answers = take

        async def write(qid: Qid) -> None:
            fact = accepted(qid, at=dt.datetime.now(dt.UTC))
            fact = msgspec.structs.replace(fact, what=msgspec.structs.replace(fact.what, source=_PLATFORM))
            code = msgspec.structs.replace(issued(qid, fact.id), personal=b'{"code":"' + b"X" * 400 + b'"}')
            await built.store.append(Act((fact, code)))
            written[qid] = time.perf_counter()

        async def poll() -> None:
            cursor = 0
            while True:
                page = await built.house.feed.changes(_PLATFORM, cursor, 500, utc_now())
                for change in page.changes:
                    polled.setdefault(change.citizen.qid, time.perf_counter())
                cursor = page.upto
                if not page.more:
                    await built.house.feed.wait(_PLATFORM, cursor, 20)

        working = [asyncio.create_task(built.tellers.run()), asyncio.create_task(poll())]
        began, writes = time.perf_counter(), []
        for n in range(rate * seconds):
            writes.append(asyncio.create_task(write(built.citizens.new_qid())))
            await asyncio.sleep(max(0.0, began + n / rate - time.perf_counter()))
        await asyncio.gather(*writes)
        took = time.perf_counter() - began
        async with asyncio.timeout(120):
            while len(received) < len(written) or len(polled) < len(written):  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        for task in working:
            task.cancel()
        await asyncio.wait(working)
    print(f"{len(written)} declarations in {took:.1f} s ({len(written) / took:.0f}/s)")
    for name, seen in (("feed", polled), ("webhook", received)):
        lags = sorted(max(0.0, seen[qid] - at) * 1000 for qid, at in written.items())
        print(f"{name}: P50 {lags[len(lags) // 2]:.0f} ms, P99 {lags[len(lags) * 99 // 100]:.0f} ms")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as made:
        asyncio.run(measure(int(sys.argv[1]), int(sys.argv[2]), Path(made)))
