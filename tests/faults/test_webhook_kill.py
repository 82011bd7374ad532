"""``kill -9`` of a server while it tells a platform what changed: nothing is lost, and the order is kept."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import msgspec

from motma.config import Settings, read_settings
from motma.core.ids import Qid
from motma.replay.processes import free_port, running_server
from motma.storage.store import Act
from motma.wiring import build, utc_now
from tests.faults.test_server_kill import _kill_server
from tests.receiving import Receiver, receiver
from tests.register.running import register
from tests.storage.samples import accepted, issued

_CITIZENS, _KILL_AT, _PATIENCE_SECONDS = 120, 25, 90
_PLATFORM = "BLUEZONE"


async def test_nothing_is_lost_and_the_order_kept(tmp_path: Path) -> None:
    asked = register()
    settings = replace(
        read_settings({}),
        data=tmp_path / "data",
        database_url=f"sqlite:///{tmp_path / 'data' / 'motma.db'}",
        port=free_port(),
        register_url=asked.url,
        register_client=asked.client_id,
        register_secret=asked.client_secret,
        webhooks_private=True,
    )
    async with receiver() as hook:
        qids = await _declared(settings, hook)
        hook.answers = lambda _: _hold_after_some(hook)
        async with running_server(settings):
            await _until(lambda: len(hook.taken) >= _KILL_AT)
            _kill_server(settings.port)  # some are under way
        assert len(hook.taken) < _CITIZENS
        hook.answers = lambda _: 204
        hook.gate.set()
        async with running_server(settings):
            await _until(lambda: hook.newest().keys() >= set(qids))
        page = await _newest(settings)
    kept = {qid: one["version"] for qid, one in hook.newest().items()}
    assert kept == page, "nothing lost"
    for versions in hook.versions().values():
        assert versions == sorted(versions), "a repeat at most, and never an older one after a newer"
    by_id: dict[str, set[int]] = {}
    for id, message in hook.taken:
        by_id.setdefault(id, set()).add(message["data"]["citizen"]["version"])
    assert all(len(versions) == 1 for versions in by_id.values()), "what is told once more bears the same id"


async def _declared(settings: Settings, hook: Receiver) -> list[Qid]:
    """Citizens of the platform, as facts; and its webhook."""
    async with build(settings) as built:
        qids = [built.citizens.new_qid() for _ in range(_CITIZENS)]
        for qid in qids:
            fact = accepted(qid)
            fact = msgspec.structs.replace(fact, what=msgspec.structs.replace(fact.what, source=_PLATFORM))
            code = msgspec.structs.replace(issued(qid, fact.id), personal=b'{"code":"HC1:X"}')
            await built.store.append(Act((fact, code)))
        await built.house.webhooks.set(_PLATFORM, hook.url, None, utc_now())
    return qids


async def _newest(settings: Settings) -> dict[str, int]:
    async with build(settings) as built:
        page = await built.house.feed.changes(_PLATFORM, 0, 500, utc_now())
        return {str(change.citizen.qid): change.citizen.version for change in page.changes}


def _hold_after_some(hook: Receiver) -> int:
    if len(hook.taken) >= _KILL_AT:
        hook.gate.clear()
    return 204


async def _until(so: Callable[[], bool]) -> None:
    async with asyncio.timeout(_PATIENCE_SECONDS):
        while not so():  # noqa: ASYNC110  # a receiver has a list, not an event
            await asyncio.sleep(0.01)
