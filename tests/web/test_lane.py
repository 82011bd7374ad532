"""The fast lane means what the framework's own way means: the same requests go both ways and are answered alike."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from tests.world import World, living_world


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with living_world(tmp_path) as running:
        yield running


async def both_ways(
    client: httpx.AsyncClient, path: str, *bodies: bytes, **headers: str
) -> tuple[httpx.Response, httpx.Response]:
    """The answer of the lane, and of the framework: a path that ends in a slash is not on the lane."""
    given = {"content-type": "application/json"} | {name.replace("_", "-"): value for name, value in headers.items()}
    lane, framework = bodies if len(bodies) == 2 else (bodies[0], bodies[0])
    return (
        await client.post(path, content=lane, headers=given),
        await client.post(f"{path}/", content=framework, headers=given),
    )


def said(answer: httpx.Response) -> tuple[int, str, Any]:
    """What must be the same: status, content type, body, save for what is new with every call."""
    body = answer.json()
    if answer.is_success:
        for fresh in ("id", "judged_at", "declaration", "code", "qid"):
            body.pop(fresh, None)
    elif body["code"] == "body.malformed":  # the framework calls an empty body "data"; the lane does not name it
        body = body["code"]
    return answer.status_code, answer.headers["content-type"], body


async def test_checks(world: World) -> None:
    receipt = (await world.declare(world.person(1))).json()
    officer = await world.officer_at()

    def ask(**shown: Any) -> bytes:
        return msgspec.json.encode({"id": world.scan_id(), "scanned_at": world.now, **shown})

    for shown in ({"code": receipt["code"]}, {"qid": receipt["qid"]}, {"code": "HELLO"}, {"qid": "12"}, {}):
        lane, framework = await both_ways(officer, "/v1/checks", ask(**shown), ask(**shown))
        assert said(lane) == said(framework)


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b'{"id": 1}', b"\xff", b"[" * 5000, b" " * 70_000])
async def test_bodies_that_are_none(world: World, body: bytes) -> None:
    officer, platform = await world.officer_at(), await world.platform()
    for client, path, key in ((officer, "/v1/checks", {}), (platform, "/v1/declarations", {"idempotency_key": "k"})):
        lane, framework = await both_ways(client, path, body, **key)
        assert said(lane) == said(framework)
        assert lane.status_code in (413, 422)


async def test_declarations(world: World) -> None:
    platform = await world.platform()
    body = msgspec.json.encode(world.declaration(world.person(2)))
    lane = await platform.post("/v1/declarations", content=body, headers=_json("first"))
    again = await platform.post("/v1/declarations/", content=body, headers=_json("first"))
    assert (lane.status_code, again.status_code) == (201, 200)
    assert {**lane.json(), "repeated": True} == again.json()
    for wrong in (b"{}", msgspec.json.encode({**world.declaration(world.person(3)), "name": "<b>"})):
        lane, framework = await both_ways(platform, "/v1/declarations", wrong, idempotency_key="wrong")
        assert said(lane) == said(framework)


async def test_who_may_not(world: World) -> None:
    nobody, officer, platform = world.browser(), await world.officer_at(), await world.platform()
    for client, path in ((nobody, "/v1/checks"), (platform, "/v1/checks"), (officer, "/v1/declarations")):
        lane, framework = await both_ways(client, path, b"{}", idempotency_key="k")
        assert said(lane) == said(framework)
        assert lane.status_code == 401
    for path, client in (("/v1/checks", officer), ("/v1/declarations", platform)):
        lane, framework = await both_ways(client, path, b"{}", content_type="text/plain", idempotency_key="k")
        assert said(lane) == said(framework)
        assert lane.status_code == 415
    lane, framework = await both_ways(platform, "/v1/declarations", b"{}")
    assert said(lane) == said(framework)
    assert lane.json()["code"] == "idempotency.key"


def _json(key: str) -> dict[str, str]:
    return {"content-type": "application/json", "idempotency-key": key}
