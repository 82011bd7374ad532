"""The inbox: every platform delivers in its own form, one citizen is one, and what comes again is harmless."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode

import httpx
import pytest

from motma.connectors.platforms import CONNECTORS
from motma.core.errors import Invalid
from motma.core.ids import FactId
from motma.services.enrol import Platform
from motma.services.exchange.inbox import Inbox
from tests.connectors.platforms.recorded import KINDS, NOW, Sample, plain, samples
from tests.keyholder import key_holder
from tests.world import World, living_world

ALL = tuple(CONNECTORS)
FOUR = ("tokhaiyte", "ncovi", "bluezone", "dicuan")
DECLARING = tuple(sample for sample in samples() if "exposures" not in sample.file.name)


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with living_world(tmp_path) as world:
        yield world


async def platform(world: World, connector: str, **more: Any) -> httpx.AsyncClient:
    holder = await key_holder(world, connector.upper(), connector=connector, **more)
    return await holder.client()


async def deliver(
    client: httpx.AsyncClient, connector: str, body: bytes, kind: str = "", **headers: str
) -> httpx.Response:
    content_type = kind or CONNECTORS[connector].content_types[0]
    headers = {"content-type": content_type, **{name.replace("_", "-"): value for name, value in headers.items()}}
    return await client.post(f"/v1/inbox/{connector}", content=body, headers=headers)


def written(world: World, connector: str, **changes: Any) -> bytes:
    """A declaration of somebody whom the register knows, as the platform writes one."""
    person = next(one for one in map(world.person, range(80)) if not one.year_only and one.birth_date.day > 1)
    return CONNECTORS[connector].to_theirs(world.declaration(person, **changes))


async def test_one_citizen_on_every_platform_is_one(world: World) -> None:
    told = {}
    for connector in FOUR:
        client, body = await platform(world, connector), written(world, connector)
        first = await deliver(client, connector, body)
        assert first.status_code == 201, (connector, first.text)
        (result,) = first.json()["results"]
        assert (result["kind"], result["problem"]) == ("declaration", None)
        told[connector] = result["answer"]
        before = world.rows()
        again = await deliver(client, connector, body)
        assert (again.status_code, again.json()["results"][0]["answer"]) == (200, {**told[connector], "repeated": True})
        assert world.rows() == before
        id = told[connector]["declaration"]
        back = await client.get(f"/v1/declarations/{id}/sent", params={"as": connector})
        assert back.headers["content-type"].startswith(CONNECTORS[connector].content_types[0])
        assert plain(back.content) == plain(body), connector
        assert (await client.get(f"/v1/declarations/{id}/sent", params={"as": "x"})).json()["code"] == "inbox.unknown"
    assert len({answer["qid"] for answer in told.values()}) == 1 and world.rows()["standing"] == 1
    assert {answer["outcome"] for answer in told.values()} <= {"accepted", "repairable"}
    assert told["dicuan"]["outcome"] == "accepted", "it asks for the whole date"
    assert told["tokhaiyte"]["outcome"] == "repairable" and told["tokhaiyte"]["differing"] == ["birth_date"]


async def test_what_was_recorded_of_each_platform(world: World) -> None:
    world.now = NOW
    await world.publish()
    clients = {name: await platform(world, name) for name in ALL}
    for sample in DECLARING:
        await _as_expected(world, clients[sample.connector.name], sample)


async def _as_expected(world: World, client: httpx.AsyncClient, sample: Sample) -> None:
    name, kind, before = sample.connector.name, KINDS[sample.file.suffix[1:]], world.rows()
    kind = kind if kind in sample.connector.content_types else ""
    answer = await deliver(client, name, sample.body, kind)
    problem = sample.expected.get("problem")
    if problem:
        assert (answer.status_code, answer.json()["code"]) == (422, problem["code"])
        said = answer.json().get("fields", {})
        assert {field: one["code"] for field, one in said.items()} == problem["fields"]
        assert all(one["words"]["vi"] and one["words"]["en"] for one in said.values())
        assert world.rows()["facts"] == before["facts"]
        return
    assert answer.status_code in (200, 201), answer.text  # another sample may be the same declaration
    for item, result in zip(sample.expected["items"], answer.json()["results"], strict=True):
        assert result["kind"] == item["kind"]
        if item["kind"] == "declaration":
            id = FactId(result["answer"]["declaration"])
            assert (await client.get(f"/v1/declarations/{id}/sent")).json() == item["raw"]


async def test_what_the_house_refuses_is_said_in_their_names(world: World) -> None:
    client = await platform(world, "tokhaiyte")
    pairs = parse_qsl(written(world, "tokhaiyte").decode(), keep_blank_values=True)
    wrong = urlencode([(name, "12" if name == "fields[phone]" else value) for name, value in pairs]).encode()
    before = world.rows()
    answer = await deliver(client, "tokhaiyte", wrong)
    assert (answer.status_code, list(answer.json()["fields"])) == (422, ["fields[phone]"])
    (result,) = answer.json()["results"]
    assert result["problem"]["code"] == answer.json()["code"] == "declaration.fields"
    assert answer.headers["content-type"] == "application/problem+json" and world.rows() == before


async def test_twenty_deliveries_at_once_are_one(world: World) -> None:
    client, body = await platform(world, "dicuan"), written(world, "dicuan")
    answers = await asyncio.gather(*[deliver(client, "dicuan", body) for _ in range(20)])
    assert sorted(answer.status_code for answer in answers) == [200] * 19 + [201]
    assert len({answer.json()["results"][0]["answer"]["declaration"] for answer in answers}) == 1
    other_key = await deliver(client, "dicuan", body, idempotency_key="another")
    assert other_key.status_code in (200, 201)
    odd = await deliver(client, "dicuan", body, idempotency_key="a b")
    assert (odd.status_code, odd.json()["code"]) == (422, "idempotency.key")


async def test_who_delivers_to_whom(world: World) -> None:
    dicuan, native = await platform(world, "dicuan"), await world.platform("BENHVIEN")
    body = written(world, "dicuan")
    reader = await (await key_holder(world, "READER", connector="dicuan", scopes=("declarations:read",))).client()
    before = world.rows()
    for client, connector, status, code in (
        (dicuan, "ncovi", 403, "inbox.other_connector"),
        (native, "dicuan", 403, "inbox.other_connector"),
        (reader, "dicuan", 403, "access.scope"),
        (world.browser(), "dicuan", 401, "access.platform"),
    ):
        answer = await deliver(client, connector, body)
        assert (answer.status_code, answer.json()["code"]) == (status, code), connector
    unknown = await dicuan.post("/v1/inbox/native", content=body, headers={"content-type": "application/json"})
    assert (unknown.status_code, unknown.json()["code"]) == (404, "inbox.unknown")
    assert (await deliver(dicuan, "dicuan", body, "text/html")).status_code == 415
    assert (await deliver(dicuan, "dicuan", b" " * 1_100_000)).status_code == 413
    assert world.rows()["facts"] == before["facts"]


async def test_a_portrait_may_come_along_and_garbage_is_answered(world: World) -> None:
    client = await platform(world, "dicuan")
    big = {**json.loads(written(world, "dicuan")), "anhChanDung": "A" * 300_000}
    answer = await deliver(client, "dicuan", json.dumps(big).encode())
    assert answer.status_code in (201, 422) and answer.json().get("code", "declaration.extra") == "declaration.extra"
    for body in (b"", b"[]", b"{}", b"null", b"\xff\xfe", b"[" * 90_000, b'{"soDinhDanh": 1}'):
        refused = await deliver(client, "dicuan", body)
        assert refused.status_code == 422, body[:20]
        assert refused.json()["code"].startswith("inbox.") and refused.json()["words"]["vi"]


async def test_what_is_only_so_for_now_is_to_be_sent_again(world: World) -> None:
    client, body = await platform(world, "dicuan"), written(world, "dicuan")
    await world.built.house.steer.end_measure("demo-hcmc", by="test", now=world.now)
    before = world.rows()
    answer = await deliver(client, "dicuan", body)
    assert (answer.status_code, answer.json()["code"]) == (409, "measure.none_active") and world.rows() == before
    await world.publish()
    world.registry.outage = True
    pending = await deliver(client, "dicuan", body)
    assert pending.json()["results"][0]["answer"]["outcome"] == "pending", "the register away is nobody's failure"
    await world.built.store.close()
    away = await deliver(client, "dicuan", written(world, "dicuan", phone="0912345678"))
    assert away.status_code == 503 and int(away.headers["retry-after"]) > 0


async def test_a_delivery_is_bounded(world: World) -> None:
    notice = {"Qid": "521322923144321717", "NgayTiepXuc": "2026/01/17"}
    body = json.dumps({"ExposureNotices": [notice, notice]}).encode()
    inbox = Inbox(declare=world.built.house.declare, events=None, items_most=1)
    with pytest.raises(Invalid, match=r"inbox\.too_many"):
        await inbox.take(
            CONNECTORS["bluezone"], body, "application/json", sender=Platform("BLUEZONE", "Bluezone"), now=world.now
        )
