"""``kill -9`` of a server under load: whatever was answered is there when it comes back."""

import asyncio
import secrets
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import psutil
import pytest

from motma.config import Settings, read_settings
from motma.core.ids import new_fact_id
from motma.forms import load_form, load_units
from motma.register.population import Population
from motma.replay.crowd import Plan, Traveller, crowd
from motma.replay.drive import Ways, provision
from motma.replay.processes import free_port, running_server
from motma.roads import load_network
from motma.wiring import build, utc_now
from tests.register.running import register
from tests.storage.servers import PostgresServer

_ANSWERED, _PATIENCE_SECONDS = 150, 60
_SENDERS = 24


@pytest.mark.parametrize("engine", ["sqlite", "postgres"])
async def test_nothing_answered_is_lost(tmp_path: Path, engine: str) -> None:
    asked = register()
    settings = replace(
        read_settings({}),
        data=tmp_path / "data",
        port=free_port(),
        register_url=asked.url,
        register_client=asked.client_id,
        register_secret=asked.client_secret,
    )
    server = PostgresServer(durable=True) if engine == "postgres" else None
    try:
        url = server.new_database() if server else f"sqlite:///{settings.data / 'motma.db'}"
        await _load_kill_and_look(replace(settings, database_url=url))
    finally:
        if server:
            server.stop()


async def _load_kill_and_look(settings: Settings) -> None:
    async with build(settings) as built:
        ways = await provision(built)
    answered: list[tuple[Traveller, dict[str, Any], bytes]] = []
    async with running_server(settings) as url:
        load = asyncio.create_task(_load(url, settings, ways, answered))
        async with asyncio.timeout(_PATIENCE_SECONDS):
            while len(answered) < _ANSWERED and not load.done():  # noqa: ASYNC110  # the load has a list, not an event
                await asyncio.sleep(0.01)
        _kill_server(settings.port)
        await load
    assert len(answered) >= _ANSWERED, "no load to speak of"

    async with running_server(settings) as url, aiohttp.ClientSession(url) as session:
        for traveller, receipt, scan in answered:
            body = msgspec.json.encode(traveller.body)
            again = await _post(session, "/v1/declarations", body, _sender(ways, traveller))
            assert again["repeated"]
            assert (again["declaration"], again["qid"], again["code"]) == (
                receipt["declaration"],
                receipt["qid"],
                receipt["code"],
            )
            if scan:
                looked = await _post(session, "/v1/checks", scan, _officer(ways, traveller))
                assert looked["already"]
    async with build(settings) as built:
        rebuilt = await built.store.rebuild_standing()
        assert rebuilt.checked > 100
        assert rebuilt.differing == ()


async def _load(
    url: str, settings: Settings, ways: Ways, answered: list[tuple[Traveller, dict[str, Any], bytes]]
) -> None:
    """Declare and be scanned until the server is gone; keep what was answered."""
    travellers = crowd(
        Plan(declarations=20_000, seed=9),
        Population(settings.register_seed, settings.register_size),
        load_form("2026-1"),
        load_units(),
        load_network(),
        utc_now(),
    )

    async def walk(session: aiohttp.ClientSession) -> None:
        for traveller in travellers:
            if traveller.source == "page":
                continue
            try:
                receipt = await _post(
                    session, "/v1/declarations", msgspec.json.encode(traveller.body), _sender(ways, traveller)
                )
            except aiohttp.ClientError:
                return
            scan = b""
            if receipt["code"]:
                now = utc_now()
                scan = msgspec.json.encode(
                    {
                        "id": new_fact_id("scn", now, secrets.token_bytes(10)),
                        "code": receipt["code"],
                        "scanned_at": now,
                    }
                )
                try:
                    await _post(session, "/v1/checks", scan, _officer(ways, traveller))
                except aiohttp.ClientError:
                    answered.append((traveller, receipt, b""))
                    return
            answered.append((traveller, receipt, scan))

    async with aiohttp.ClientSession(url) as session:
        await asyncio.gather(*(walk(session) for _ in range(_SENDERS)))


def _kill_server(port: int) -> None:
    """End the server's process as a power cut would."""
    for process in psutil.Process().children():
        if any(at.laddr.port == port for at in process.net_connections(kind="tcp") if at.status == "LISTEN"):
            process.kill()
            return
    raise AssertionError("no server to kill")


async def _post(session: aiohttp.ClientSession, path: str, body: bytes, headers: dict[str, str]) -> dict[str, Any]:
    async with session.post(path, data=body, headers={**headers, "content-type": "application/json"}) as answer:
        text = await answer.read()
        assert answer.status in (200, 201), text
        return msgspec.json.decode(text, type=dict[str, Any])


def _sender(ways: Ways, traveller: Traveller) -> dict[str, str]:
    return {"authorization": f"Bearer {ways.tokens[traveller.source]}", "idempotency-key": traveller.key}


def _officer(ways: Ways, traveller: Traveller) -> dict[str, str]:
    return {"cookie": ways.cookies[traveller.checkpoint]}
