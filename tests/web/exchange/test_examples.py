"""The requests of ``docs/exchange-api.md`` are sent as they stand there, one after the other, and answered as it says.

A block ``http`` is a request: a line with method and path, headers, an empty line, a body. ``{name}`` in a path is the
member ``name`` of the last answer that had one. The block ``json`` with a status after it is the answer: it may have
more members than shown, and … stands for any text.
"""

import json
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.world import World, living_world

PAGE = Path(__file__).parents[3] / "docs" / "exchange-api.md"
_BLOCK = re.compile(r"^```http\n(.*?)\n```\n+```json (\d{3})\n(.*?)\n```$", re.MULTILINE | re.DOTALL)


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with living_world(tmp_path) as world:
        yield world


def examples() -> list[tuple[str, dict[str, str], str, int, Any]]:
    """(method and path, headers, body, status, answer) of each."""
    found = []
    for request, status, answer in _BLOCK.findall(PAGE.read_text()):
        head, _, body = request.partition("\n\n")
        first, *headers = head.split("\n")
        named = dict(line.split(": ", 1) for line in headers)
        found.append((first, named, body, int(status), json.loads(answer)))
    return found


def differences(shown: Any, answered: Any, path: str = "") -> list[str]:
    """Where the answer is not what is shown."""
    if isinstance(shown, dict):
        inner = answered if isinstance(answered, dict) else {}
        return [line for name, value in shown.items() for line in differences(value, inner.get(name), f"{path}.{name}")]
    if isinstance(shown, str) and "…" in shown:
        fits = isinstance(answered, str) and answered.startswith(shown.partition("…")[0])
    else:
        fits = shown == answered
    return [] if fits else [f"{path}: {answered!r}"]


async def play(world: World, clients: dict[str, httpx.AsyncClient]) -> int:
    """Send them all; how many there were. ``clients``: who goes to which path."""
    seen: dict[str, Any] = {}
    for first, headers, body, status, answer in examples():
        method, path = first.split(" ")
        path = path.format_map(seen)
        client = next(client for start, client in clients.items() if path.startswith(start))
        if body:
            headers = {"content-type": "application/json", **headers}
        answered = await client.request(method, path, headers=headers, content=body.encode())
        assert answered.status_code == status, (first, answered.text)
        told = answered.json()
        assert differences(answer, told) == [], first
        seen |= told if isinstance(told, dict) else {}
    return len(examples())


async def test_every_example_is_answered_as_it_says(world: World) -> None:
    """Another platform has said another phone number before, as the page has it."""
    first = examples()[0]
    elsewhere = json.loads(first[2]) | {"phone": "0500 999 999"}
    sent = await world.send(await world.platform("NCOVI"), elsewhere)
    assert sent.json()["outcome"] == "accepted"
    clients = {"/v1/health-events": await world.interlinked("CDC"), "/v1/": await world.platform("BLUEZONE")}
    assert await play(world, clients) >= 5


def test_each_request_has_its_answer() -> None:
    text = PAGE.read_text()
    assert text.count("```http") == text.count("```json") == len(examples())
    assert differences({"a": "dcl_…", "b": [1]}, {"a": "cod_1", "b": [2]}) == [".a: 'cod_1'", ".b: [2]"]
