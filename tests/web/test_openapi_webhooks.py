"""The description of webhooks is true: every answer of every method, of whoever may and whoever may not."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
import schemathesis

from tests.keyholder import key_holder
from tests.receiving import Receiver, receiver
from tests.world import World, living_world

_TOLD = "/v1/webhook"
_NONE = "chg_0000000000009"


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with living_world(tmp_path) as one:
        yield one


async def parked(world: World, hook: Receiver, client: httpx.AsyncClient) -> str:
    """The id of a delivery that its receiver did not take."""
    hook.answers = lambda _: 500
    assert (await world.declare(world.person(0), client)).status_code == 201
    world.forget()
    await world.built.telling("MANY-SCOPES").round(world.now)
    hook.answers = lambda _: 204
    [one] = (await client.get("/v1/webhook/deliveries")).json()["deliveries"]
    return str(one["id"])


async def test_every_status_that_is_described_is_answered_so(world: World) -> None:
    spec = (await world.browser().get("/v1/openapi.json")).json()
    schema = schemathesis.openapi.from_dict(spec)
    holder = await key_holder(world, "MANY-SCOPES")
    client, narrow = await holder.client(), await holder.client("prechecks")
    spent = await (await key_holder(world, "SPENT", per_day=1)).client()
    await spent.get("/v1/changes")
    other, nobody = await world.platform(), world.browser()
    seen: set[tuple[str, str, str]] = set()

    async def ask(
        who: httpx.AsyncClient, status: int, method: str, of: str = "", path: str = "", **more: object
    ) -> None:
        answer = await who.request(method, _TOLD + (path or of), **more)  # type: ignore[arg-type]
        assert answer.status_code == status, (method, of, answer.text)
        if status >= 400:
            assert answer.json()["words"]["vi"] != answer.json()["words"]["en"]
        schema[_TOLD + of][method].validate_response(answer)
        seen.add((_TOLD + of, method.lower(), str(status)))

    async with receiver() as hook:
        where = {"json": {"url": hook.url}}
        retry = "/deliveries/{delivery}/retry"
        for method, of in (("GET", ""), ("DELETE", ""), ("POST", "/test")):
            await ask(other, 404, method, of)
        await ask(client, 200, "PUT", **where)
        await ask(client, 413, "PUT", content=b" " * 70_000, headers={"content-type": "application/json"})
        await ask(client, 415, "PUT", content=b"{}", headers={"content-type": "text/plain"})
        await ask(client, 422, "PUT", json={"url": "ftp://x"})
        await ask(client, 200, "GET")
        await ask(client, 200, "POST", "/test")
        await ask(client, 409, "POST", "/test")
        id = await parked(world, hook, client)
        await ask(client, 200, "GET", "/deliveries")
        await ask(client, 422, "GET", "/deliveries", "/deliveries?state=x")
        await ask(other, 404, "POST", retry, f"/deliveries/{id}/retry")
        await ask(client, 404, "POST", retry, f"/deliveries/{_NONE}/retry")
        await ask(client, 200, "POST", retry, f"/deliveries/{id}/retry")
        await ask(client, 204, "DELETE")
        for who, status in ((nobody, 401), (narrow, 403), (spent, 429)):
            for method, of in (("PUT", ""), ("GET", ""), ("DELETE", ""), ("POST", "/test"), ("GET", "/deliveries")):
                await ask(who, status, method, of, **(where if method == "PUT" else {}))
            await ask(who, status, "POST", retry, f"/deliveries/{id}/retry")
    assert seen == {
        (path, method, status)
        for path, item in spec["paths"].items()
        if path.startswith(_TOLD)
        for method, operation in item.items()
        for status in operation["responses"]
        if status != "503"
    }
