"""``motma demo --twins`` as it is run: what it prints opens the doors, the register can be put out and brought back,
and who declares on one twin is scanned with another."""

import asyncio
import contextlib
import html
import json
import os
import re
import signal
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from motma.forms import load_form, load_units
from motma.register.population import Population
from motma.replay.crowd import Plan, crowd
from motma.replay.processes import free_port
from motma.roads import load_network
from motma.twins.program import TWINS
from motma.wiring import utc_now

_PATIENCE_SECONDS = 300
"""Six programs are started, which takes seconds on a machine with nothing else to do."""
_SEEDS = {"before": 1, "meanwhile": 2, "after": 3, "twins": 4}


async def test_a_living_city(tmp_path: Path) -> None:
    port = free_port()
    demo = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "motma", "demo", "--port", str(port), "--people", "20", "--twins"),
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
        staff = re.search(r"^ +name (HCDC-\S*), key ([a-z2-7]{32})$", said, re.MULTILINE)
        assert staff, said
        async with aiohttp.ClientSession() as session:
            where, form = f"http://127.0.0.1:{port}/health/login", {"name": staff[1], "key": staff[2]}
            async with session.post(where, data=form, allow_redirects=False) as answer:
                assert (answer.status, answer.headers["location"]) == (303, "/health")
            twins = re.findall(r"^ +(http://127\.0\.0\.1:[0-9]+)/ \(", said, re.MULTILINE)
            assert len(twins) == len(TWINS), said
            await _interlinked(session, dict(zip(TWINS, twins, strict=True)))
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
    for gone in (on[1], *twins):  # it took its register and the twins with it
        with pytest.raises(aiohttp.ClientError):
            async with aiohttp.ClientSession() as session, session.get(gone):
                pass


async def _interlinked(session: aiohttp.ClientSession, twins: Mapping[str, str]) -> None:
    """By their pages, as people use them: declared on two, and scanned with a third, who heard nothing of it."""
    body = next(_declarations("twins"))
    pages = {name: await _declared(session, twins[name], TWINS[name].fill(body)) for name in ("dicuan", "tokhaiyte")}
    numbers = {re.findall(r'class="qid">([0-9 ]+)<', page)[0] for page in pages.values()}
    assert len(numbers) == 1, "one citizen, one number"
    code = re.search(r"<textarea readonly[^>]*>([^<]+)</textarea>", pages["dicuan"])
    assert code
    async with asyncio.timeout(_PATIENCE_SECONDS):
        while True:  # it fetches the keys by itself, once there is an exchange
            async with session.post(
                f"{twins['bluezone']}/quet?lang=en", data={"code": html.unescape(code[1])}
            ) as answer:
                seen = await answer.text()
            if "Not known" not in seen:
                break
            await asyncio.sleep(0.2)
    assert "✓ Good" in seen and body["name"] in seen and numbers.pop() in seen
    # Who has to mend something finds all that they typed, and beside the field what is wrong.
    typed = TWINS["ncovi"].fill({**body, "phone": "12"})
    async with session.post(f"{twins['ncovi']}/?lang=en", data=typed) as answer:
        mend = await answer.text()
        assert answer.status == 422
    assert f'value="{body["name"]}"' in mend and 'aria-invalid="true"' in mend and "No code yet." in mend
    assert "&#34;" not in mend and 'inputmode="numeric"' in mend
    phone = re.search(r'name="soDienThoai"[^>]*value="12"[^>]*aria-describedby="(\S+)"', mend)
    assert phone and f'id="{phone[1]}">The phone number' in mend, mend


async def _declared(session: aiohttp.ClientSession, twin: str, answers: Mapping[str, list[str]]) -> str:
    """The page that a citizen sees after declaring, once it says where they stand."""
    async with session.post(f"{twin}/", data=answers) as answer:
        page, where = await answer.text(), answer.url
        assert answer.status == 200 and where.path.startswith("/ma/"), page
    async with asyncio.timeout(_PATIENCE_SECONDS):
        while 'http-equiv="refresh"' in page:
            await asyncio.sleep(0.2)
            async with session.get(where) as answer:
                page = await answer.text()
    return page


async def _outcome(session: aiohttp.ClientSession, port: int, token: str, key: str) -> str:
    """What somebody of the fictional register is answered who declares on a platform."""
    body = next(_declarations(key))
    headers = {"authorization": f"Bearer {token}", "idempotency-key": key}
    async with session.post(f"http://127.0.0.1:{port}/v1/declarations", json=body, headers=headers) as answer:
        told: dict[str, Any] = json.loads(await answer.read())
        assert answer.status == 201, told
        return str(told["outcome"])


def _declarations(key: str) -> Iterator[dict[str, Any]]:
    """What people of the fictional register declare who make no mistake."""
    plan, people = Plan(40, seed=_SEEDS[key]), Population(2021, 100_000)
    everybody = crowd(plan, people, load_form("2026-1"), load_units(), load_network(), utc_now())
    return (one.body for one in everybody if not one.mistake)
