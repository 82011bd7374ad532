"""Where one part of the exchange trusts another: who was let in and is no more, whoever asks in their name."""

import asyncio
import base64
import hashlib
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from joserfc import jwk

from motma.core.platforms import EVERYDAY, SELF, SELF_SERVED_FOR
from motma.core.sent import DEPTH_MAX
from motma.services.exchange.tokens import TOKENS
from tests.keyholder import KeyHolder, key_holder
from tests.receiving import Receiver, receiver
from tests.world import World, living_world

P = "BLUEZONE"


@pytest.fixture
async def hook() -> AsyncIterator[Receiver]:
    async with receiver() as one:
        yield one


async def told(world: World, hook: Receiver) -> int:
    """How many messages the platform has got, once it was told all that it is told now."""
    world.forget()
    telling = world.built.telling(P)
    while (again := await telling.round(world.now)) is not None and again <= world.now:
        pass
    return len(hook.heard)


async def on_the_page(world: World) -> str:
    """What operators read of the platform."""
    page = await (await world.operator()).get(f"/ops/platforms/one/{P}", headers={"accept": "text/html"})
    assert page.status_code == 200, page.text
    return page.text


# -- told of changes -----------------------------------------------------------------------------------------------


async def test_whose_trial_is_over_is_told_nothing(world: World, hook: Receiver) -> None:
    platforms, enrol = world.built.house.platforms, world.built.house.enrol
    await platforms.register(P, "B", scopes=EVERYDAY, by=SELF, now=world.now)
    token = await enrol.register_platform(P, "B", world.now)
    client = world.browser(headers={"authorization": f"Bearer {token}"})
    assert (await client.put("/v1/webhook", json={"url": hook.url})).status_code == 200
    assert (await world.declare(world.person(0), client)).status_code == 201
    assert await told(world, hook) == 1
    world.now += SELF_SERVED_FOR
    other = await world.platform()
    assert (await client.get("/v1/webhook")).status_code == 401
    assert (await world.declare(world.person(0), other)).status_code == 201
    assert await told(world, hook) == 1
    assert "Hết hạn thử, không báo nữa" in await on_the_page(world)


async def test_from_whom_the_right_was_taken_is_told_nothing_until_it_is_given_back(
    world: World, hook: Receiver
) -> None:
    platforms = world.built.house.platforms
    holder = await key_holder(world, P)
    client = await holder.client()
    assert (await client.put("/v1/webhook", json={"url": hook.url})).status_code == 200
    assert (await world.declare(world.person(0), client)).status_code == 201
    assert await told(world, hook) == 1

    async def may(*scopes: str) -> None:
        await platforms.change(
            P, "B", scopes=scopes, connector="native", per_second=9, per_day=9_999, certificate="", by="A",
            now=world.now,
        )  # fmt: skip

    await may("declarations:write")
    assert (await world.declare(world.person(0), client)).status_code == 201
    assert await told(world, hook) == 1
    assert "thiếu quyền changes:read" in await on_the_page(world)
    await may("declarations:write", "changes:read")
    assert await told(world, hook) == 2, "it is told from where it was told last"


async def test_who_is_suspended_while_waiting_is_told_nothing(world: World) -> None:
    client = await (await key_holder(world, P)).client()
    assert (await world.declare(world.person(0), client)).status_code == 201
    waiting = asyncio.create_task(client.get("/v1/changes", params={"after": "now", "wait": 20}))
    while not world.built.house.feed._waiting.get(P):  # noqa: ASYNC110
        await asyncio.sleep(0)
    await world.built.house.platforms.suspend(P, "Nghi lộ khóa", by="A", now=world.now)
    assert (await world.declare(world.person(0))).status_code == 201
    answer = await waiting
    assert (answer.status_code, answer.json()["code"]) == (401, "access.platform")


# -- next door -----------------------------------------------------------------------------------------------------


async def test_what_another_sent_is_answered_as_what_nobody_did(world: World) -> None:
    """One answer at every door, and nothing left behind: neither a claim nor a try."""
    mine, theirs = await world.interlinked("NEXT-DOOR"), await (await key_holder(world, P)).client()
    sent = (await world.declare(world.person(0), theirs, name="Lê Văn Khác")).json()
    good = (await world.declare(world.person(1), theirs)).json()
    nobodys = "dcl_01kf7yejc0k13emra4srge0byv"
    body, before = world.declaration(world.person(1)), world.rows()

    async def answers(id: str) -> list[tuple[int, str]]:
        told = [await mine.get(f"/v1/declarations/{id}{path}") for path in ("", "/sent", "/sent?as=fhir", "/code")]
        headers = {"idempotency-key": "as-theirs"}
        told.append(await mine.post(f"/v1/declarations/{id}/corrections", json=body, headers=headers))
        told.append(await mine.post("/v1/prechecks", json={"declaration": id}))
        return [(one.status_code, one.text) for one in told]

    of_nobody = await answers(nobodys)
    assert {status for status, _ in of_nobody} == {404}
    for id in (sent["declaration"], good["declaration"]):
        assert await answers(id) == of_nobody
    assert world.rows() == before
    corrected = await mine.post(
        "/v1/declarations", json=body, headers={"idempotency-key": "as-theirs", "content-type": "application/json"}
    )
    assert corrected.status_code == 201, "the key was not used up"
    assert (await mine.get("/v1/changes", params={"after": "0"})).json()["changes"][0]["citizen"]["qid"] == good["qid"]
    seen = (await theirs.get("/v1/changes")).json()["changes"]
    assert {one["citizen"]["qid"] for one in seen} == {good["qid"]}, "what was refused links nobody"


# -- sent ----------------------------------------------------------------------------------------------------------


async def test_what_a_later_reader_would_break_at_is_not_taken(world: World) -> None:
    client, text = await world.platform(), json.dumps(world.declaration(world.person(0)))
    before = world.rows()
    for depth in (DEPTH_MAX, 500, 930, 937, 950, 5_000):
        for opened, closed in (("[", "]"), ('{"a":', "}")):
            nested = opened * depth + ("1" if closed == "}" else "") + closed * depth
            body, headers = text[:-1] + f', "x": {nested}}}', {"content-type": "application/json"}
            answer = await client.post(
                "/v1/declarations", content=body, headers={**headers, "idempotency-key": f"{depth}{closed}"}
            )
            assert answer.status_code == 422, (depth, answer.text)
            assert answer.json()["code"] in ("declaration.extra", "body.malformed")
    assert world.rows() == before
    nested = "[" * (DEPTH_MAX - 1) + "]" * (DEPTH_MAX - 1)
    sent = {**world.declaration(world.person(0)), "x": json.loads(nested)}
    id = (await world.send(client, sent)).json()["declaration"]
    assert (await client.get(f"/v1/declarations/{id}/sent")).json()["x"] == sent["x"]


# -- let in --------------------------------------------------------------------------------------------------------


async def test_an_assertion_that_was_overheard_uses_up_nothing_of_its_platforms(world: World) -> None:
    holder = await key_holder(world, P)
    overheard = holder.assertion()
    assert (await holder.ask(overheard)).status_code == 200
    for _ in range(TOKENS):
        assert (await holder.ask(overheard)).json()["code"] == "oauth.replayed"
    assert (await holder.ask()).status_code == 200


async def test_another_key_under_the_same_name_does_not_wake_tokens_of_the_one_taken_back(world: World) -> None:
    platforms = world.built.house.platforms
    stolen, fresh = (jwk.generate_key("EC", "P-256", {"kid": "k1"}) for _ in range(2))
    await platforms.register(P, "B", scopes=EVERYDAY, by="A", now=world.now)
    await platforms.add_key(P, _public(stolen), by="A", now=world.now)
    thief = await KeyHolder(world, P, stolen).client()
    assert (await thief.get("/v1/declarations/x")).status_code == 404
    await platforms.remove_key(P, "k1", by="A", now=world.now)
    await platforms.add_key(P, _public(fresh), by="A", now=world.now)
    assert (await thief.get("/v1/declarations/x")).status_code == 401
    assert (await (await KeyHolder(world, P, fresh).client()).get("/v1/declarations/x")).status_code == 404


async def test_two_certificates_are_none(tmp_path: Path) -> None:
    """A proxy that adds its header beside one that was sent along says nothing that can be believed."""
    theirs, shown = (f":{base64.b64encode(der).decode()}:".encode() for der in (b"registered", b"another"))
    thumbprint = hashlib.sha256(b"registered").hexdigest()
    async with living_world(tmp_path, client_cert_header="client-cert") as world:
        holder = await key_holder(world, P, certificate=thumbprint)
        client = await holder.client(**{"client-cert": theirs.decode()})
        token = (b"authorization", client.headers["authorization"].encode())
        for headers, status in (
            (((b"client-cert", theirs),), 404),
            (((b"client-cert", theirs), (b"client-cert", shown)), 401),
            (((b"client-cert", shown), (b"client-cert", theirs)), 401),
            (((b"client-cert", theirs), (b"client-cert", theirs)), 401),
            (((b"client-cert", theirs + b", " + theirs),), 401),
        ):
            assert (await world.raw("GET", "/v1/declarations/x", headers=(token, *headers)))[0] == status, headers


def _public(key: jwk.Key) -> str:
    return json.dumps(key.as_dict(private=False))
