"""``motma demo`` as it is run: what it prints opens the doors, and the register can be put out and brought back."""

import asyncio
import contextlib
import json
import os
import re
import signal
import sys
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from motma.forms import load_form, load_units
from motma.register.population import Population
from motma.replay.crowd import Plan, crowd
from motma.replay.processes import free_port
from motma.roads import load_network
from motma.wiring import utc_now

_PATIENCE_SECONDS = 60
_SEEDS = {"before": 1, "meanwhile": 2, "after": 3}


async def test_a_living_city(tmp_path: Path) -> None:
    port = free_port()
    demo = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "motma", "demo", "--port", str(port), "--people", "20"),
        env={**os.environ, "MOTMA_DATA": str(tmp_path), "COLUMNS": "60", "PYTHONUNBUFFERED": "1"},
        stdout=asyncio.subprocess.PIPE,
    )
    assert demo.stdout
    said = ""
    try:
        async with asyncio.timeout(_PATIENCE_SECONDS):
            while "Ctrl-C" not in said:
                line = await demo.stdout.readline()
                assert line, said
                said += line.decode()
        assert "Reconciliation" in said and "differs" not in said
        off = re.search(r"curl -X PUT -d '(.+)' (http://127\.0\.0\.1:[0-9]+/faults)$", said, re.MULTILINE)
        on = re.search(r"curl -X DELETE (http://\S+/faults)$", said, re.MULTILINE)
        token = re.search(r"token ([a-z2-7]{32})$", said, re.MULTILINE)
        link = re.search(rf"http://127\.0\.0\.1:{port}/scan/enrol#[a-z2-7]{{32}}$", said, re.MULTILINE)
        assert off and on and token and link, said
        operators = re.findall(r"^ +name (TRUC-BAN\S*), key ([a-z2-7]{32})", said, re.MULTILINE)
        assert [name for name, _ in operators] == ["TRUC-BAN", "TRUC-BAN-2"], "one writes a rule, the other approves it"
        async with aiohttp.ClientSession() as session:
            for name, key in operators:
                where, form = f"http://127.0.0.1:{port}/ops/login", {"name": name, "key": key}
                async with session.post(where, data=form, allow_redirects=False) as answer:
                    assert (answer.status, answer.headers["location"]) == (303, "/ops")
        assert re.search(r" cccd 999[0-9]{9} ", said), said
        assert re.search(r"^\S.* {7}19[0-9]{2}  (?:fe)?male +cccd 999[0-9]{9} ", said, re.MULTILINE), (
            said
        )  # a year only
        ward = re.search(
            r" cccd (999[0-9]{9}) .*\n +or without a number: the guardian's is cccd ([0-9]{12})$", said, re.M
        )
        assert ward, said
        child = Population(2021, 100_000).by_uin(ward[1])
        assert child and child.guardian == ward[2]
        async with aiohttp.ClientSession() as session:
            assert await _outcome(session, port, token[1], "before") == "accepted"
            async with session.put(off[2], data=off[1]) as answer:
                assert answer.status == 200
            assert await _outcome(session, port, token[1], "meanwhile") == "pending"
            async with session.delete(on[1]) as answer:
                assert answer.status == 200
            assert await _outcome(session, port, token[1], "after") == "accepted"
    finally:
        with contextlib.suppress(ProcessLookupError):
            demo.send_signal(signal.SIGINT)
        try:
            await asyncio.wait_for(demo.wait(), 20)
        except TimeoutError:
            demo.kill()
            await demo.wait()
    with pytest.raises(aiohttp.ClientError):  # it took its register with it
        async with aiohttp.ClientSession() as session, session.get(on[1]):
            pass


async def _outcome(session: aiohttp.ClientSession, port: int, token: str, key: str) -> str:
    """What somebody of the fictional register is answered who declares on a platform."""
    everybody = crowd(
        Plan(40, seed=_SEEDS[key]),
        Population(2021, 100_000),
        load_form("2026-1"),
        load_units(),
        load_network(),
        utc_now(),
    )
    body = next(one.body for one in everybody if not one.mistake)
    headers = {"authorization": f"Bearer {token}", "idempotency-key": key}
    async with session.post(f"http://127.0.0.1:{port}/v1/declarations", json=body, headers=headers) as answer:
        told: dict[str, Any] = json.loads(await answer.read())
        assert answer.status == 201, told
        return str(told["outcome"])
