"""How platforms come in: a key of their own, a token for a quarter hour; and every way in which nobody else does."""

import asyncio
import base64
import datetime as dt
import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from joserfc import jwk

from motma.core.platforms import EVERYDAY, SCOPES
from motma.services.exchange.tokens import TOKENS
from tests.keyholder import KEY, KeyHolder, key_holder
from tests.world import World, each, living_world

SECOND = dt.timedelta(seconds=1)
OTHER = jwk.generate_key("EC", "P-256", auto_kid=True)
RSA = jwk.generate_key("RSA", 2048, auto_kid=True)


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with living_world(tmp_path) as world:
        yield world


def part(value: Any) -> str:
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


async def test_a_key_a_token_a_declaration(world: World) -> None:
    bluezone = await key_holder(world, "BLUEZONE")
    told = await bluezone.ask()
    assert told.status_code == 200 and told.headers["cache-control"] == "no-store"
    answer = told.json()
    assert (answer["token_type"], answer["expires_in"]) == ("Bearer", 900)
    assert set(answer["scope"].split(" ")) == set(SCOPES)
    client = world.browser(headers={"authorization": f"Bearer {answer['access_token']}"})
    sent = await world.declare(world.person(0), client)
    assert sent.status_code == 201
    read = await client.get(f"/v1/declarations/{sent.json()['declaration']}")
    assert read.json()["qid"] == sent.json()["qid"]
    other = await (await key_holder(world, "NCOVI", key=OTHER)).client()
    assert (await other.get(f"/v1/declarations/{sent.json()['declaration']}")).status_code == 404
    files = b"".join(path.read_bytes() for path in world.settings.data.rglob("motma.db*") if path.is_file())
    assert answer["access_token"].encode() not in files
    world.now += dt.timedelta(minutes=15)
    assert (await client.get("/v1/declarations/x")).status_code == 401


@pytest.mark.filterwarnings("ignore::joserfc.errors.SecurityWarning")  # our own signing, under the old name
@pytest.mark.parametrize("key", [jwk.generate_key("OKP", "Ed25519", auto_kid=True), RSA], ids=["EdDSA", "PS256"])
async def test_other_kinds_of_key(world: World, key: Any) -> None:
    holder = await key_holder(world, "NCOVI", key=key)
    assert (await holder.ask()).status_code == 200
    world.now += SECOND
    assert (await holder.ask(holder.assertion(key=KEY))).json()["error"] == "invalid_client"


async def test_only_what_was_asked_for(world: World) -> None:
    holder = await key_holder(world, "NCOVI", scopes=["declarations:write", "declarations:read"])
    narrow = await holder.ask(scope="declarations:read")
    assert narrow.json()["scope"] == "declarations:read"
    client = await holder.client("declarations:read")
    refused = await world.declare(world.person(0), client)
    assert (refused.status_code, refused.json()["code"]) == (403, "access.scope")
    for scope in ("health:write", "declarations:read health:write", "x", " ", "declarations:read  declarations:write"):
        answer = await holder.ask(scope=scope)
        assert (answer.status_code, answer.json()["error"], answer.json()["code"]) == (
            400,
            "invalid_scope",
            "oauth.scope",
        )


async def test_where_it_is_said(world: World) -> None:
    said = (await world.browser().get("/.well-known/oauth-authorization-server")).json()
    assert said["issuer"] == "https://motma.test" and said["token_endpoint"] == "https://motma.test/oauth/token"
    assert said["token_endpoint_auth_methods_supported"] == ["private_key_jwt"]
    assert set(said["scopes_supported"]) == set(SCOPES)


def forged(holder: KeyHolder) -> dict[str, tuple[str, str]]:
    """What somebody might try -> (the assertion, the code of the answer)."""
    good = holder.assertion()
    head, body, signature = good.split(".")
    claims = json.loads(base64.urlsafe_b64decode(body + "=="))
    at = int(holder.world.now.timestamp())
    pem = KEY.as_pem(private=False)

    def hs256(secret: bytes) -> str:
        signed = f"{part({'alg': 'HS256', 'kid': KEY.kid})}.{body}"
        return f"{signed}.{part(hmac.digest(secret, signed.encode(), hashlib.sha256))}"

    known, told = "oauth.client", "oauth.claims"
    return {
        "empty header": (f"{part({})}.{body}.{signature}", known),
        "no signature": (f"{head}.{body}.", known),
        "alg none": (f"{part({'alg': 'none', 'kid': KEY.kid})}.{body}.", known),
        "alg None": (f"{part({'alg': 'None', 'kid': KEY.kid})}.{body}.{signature}", known),
        "the public key as a secret": (hs256(pem), known),
        "the public key's JWK as a secret": (hs256(json.dumps(KEY.as_dict(private=False)).encode()), known),
        "another algorithm": (f"{part({'alg': 'RS256', 'kid': KEY.kid})}.{body}.{signature}", known),
        "signed by another key": (holder.assertion(key=OTHER, header={"kid": KEY.kid}), known),
        "an unknown key": (holder.assertion(key=OTHER), known),
        "its own key along": (holder.assertion(key=OTHER, header={"jwk": OTHER.as_dict(private=False)}), known),
        "no kid": (holder.assertion(header={"kid": None}), known),
        "somebody who is not there": (holder.assertion(iss="NOBODY", sub="NOBODY"), known),
        "crit": (f"{part({'alg': 'ES256', 'kid': KEY.kid, 'crit': ['b64'], 'b64': False})}.{body}.{signature}", known),
        "other claims": (f"{head}.{part({**claims, 'exp': at + 250})}.{signature}", known),
        "half of it": (good[: len(good) // 2], known),
        "four parts": (f"{good}.{signature}", known),
        "not base64": (f"{head}.{body}.!!!", known),
        "not text": ("é.é.é", known),
        "deep": (f"{head}.{part(b'[' * 2_000)}.{signature}", known),
        "huge": (holder.assertion(more="x" * 4_000), known),
        "huge header": (f"{'A' * 1_100}.{body}.{signature}", known),
        "another subject": (holder.assertion(sub="NCOVI"), told),
        "for somebody else": (holder.assertion(aud="https://elsewhere.example"), told),
        "for us and somebody else": (holder.assertion(aud=["https://motma.test", "https://elsewhere.example"]), told),
        "for nobody": (holder.assertion(aud=[]), told),
        "for http": (holder.assertion(aud="http://motma.test/oauth/token"), told),
        "no audience": (holder.assertion(aud=None), "oauth.malformed"),
        "an audience that is none": (holder.assertion(aud=[1]), "oauth.malformed"),
        "no jti": (holder.assertion(jti=None), "oauth.malformed"),
        "an empty jti": (holder.assertion(jti=""), "oauth.jti"),
        "a long jti": (holder.assertion(jti="j" * 201), "oauth.jti"),
        "no end": (holder.assertion(exp=None), "oauth.malformed"),
        "an end in words": (holder.assertion(exp="soon"), "oauth.malformed"),
        "over": (holder.assertion(iat=at - 200, exp=at - 61), "oauth.time"),
        "too long": (holder.assertion(exp=at + 301), "oauth.time"),
        "too long, without a beginning": (holder.assertion(iat=None, exp=at + 301), "oauth.time"),
        "from the future": (holder.assertion(iat=at + 61, exp=at + 200), "oauth.time"),
        "not before later": (holder.assertion(nbf=at + 61), "oauth.time"),
        "at the end of time": (holder.assertion(exp=1e300), "oauth.time"),
        "before all time": (holder.assertion(iat=-1), "oauth.time"),
    }


async def test_every_forged_assertion_is_refused_and_leaves_nothing(world: World) -> None:
    holder = await key_holder(world, "BLUEZONE")
    await key_holder(world, "NCOVI", key=OTHER)
    before = world.rows()
    for name, (assertion, code) in forged(holder).items():
        answer = await holder.ask(assertion)
        told = answer.json()
        assert (answer.status_code, told["error"], told["code"]) == (401, "invalid_client", code), name
        assert told["words"]["vi"] and told["words"]["en"] and "access_token" not in told
    assert world.rows() == before
    slow = holder.assertion(iat=int(world.now.timestamp()) - 150, exp=int(world.now.timestamp()) - 59)
    assert (await holder.ask(slow)).status_code == 200, "a minute of another clock is forgiven"


async def test_an_assertion_is_good_once_however_many_come_at_once(world: World) -> None:
    holder = await key_holder(world, "BLUEZONE")
    stolen = holder.assertion()
    answers = await asyncio.gather(*[holder.ask(stolen) for _ in range(20)])
    assert sorted(one.status_code for one in answers) == [200, *[401] * 19]
    assert {one.json()["code"] for one in answers if one.status_code == 401} == {"oauth.replayed"}
    same_jti = holder.assertion(jti="mine")
    other = await key_holder(world, "NCOVI", key=OTHER)
    assert (await holder.ask(same_jti)).status_code == 200
    assert (await other.ask(other.assertion(jti="mine"))).status_code == 200, "a jti is a platform's own"
    assert (await holder.ask(holder.assertion(jti="mine"))).json()["code"] == "oauth.replayed"


@each(
    [
        ("grant_type", "password", "unsupported_grant_type"),
        ("grant_type", "", "invalid_request"),
        ("client_assertion_type", "x", "invalid_request"),
        ("client_assertion", "", "invalid_request"),
    ]
)
async def test_what_is_no_request(world: World, case: tuple[str, str, str]) -> None:
    field, value, error = case
    holder = KeyHolder(world, "NCOVI")
    answer = await holder.ask(**{field: value})
    assert (answer.status_code, answer.json()["error"]) == (400, error)


async def test_bodies_that_are_no_form(world: World) -> None:
    holder = await key_holder(world, "NCOVI")
    form = {"content-type": "application/x-www-form-urlencoded"}
    twice = f"grant_type=client_credentials&client_assertion={holder.assertion()}&client_assertion=x"
    cases: list[tuple[bytes, dict[str, str], int]] = [
        (b"{}", {"content-type": "application/json"}, 400),
        (b"", form, 400),
        (b"\xff=\xfe", form, 400),
        (b"a", form, 400),
        (b"&".join(b"a%d=1" % n for n in range(50)), form, 400),
        (twice.encode(), form, 400),
        (b"client_assertion=" + b"A" * 9_000, form, 413),
    ]
    for body, headers, status in cases:
        answer = await world.browser().post("/oauth/token", content=body, headers=headers)
        assert answer.status_code == status, (body[:40], answer.text)
        assert answer.json()["code"]
    answer = await world.browser().post(
        "/oauth/token", content=b"a=1", headers={**form, "sec-fetch-site": "cross-site"}
    )
    assert answer.status_code == 403


async def test_suspended_revoked_and_keys_taken_back_end_tokens_within_a_second(world: World) -> None:
    platforms = world.built.house.platforms
    holder = await key_holder(world, "BLUEZONE")
    await platforms.add_key("BLUEZONE", OTHER.as_pem(private=False).decode(), by="cli", now=world.now)
    second = KeyHolder(world, "BLUEZONE", OTHER)
    client, other, plain = await holder.client(), await second.client(), await world.platform("BLUEZONE")

    async def statuses() -> list[int]:
        return [(await one.get("/v1/declarations/x")).status_code for one in (client, other, plain)]

    assert await statuses() == [404, 404, 404]
    await platforms.suspend("BLUEZONE", "Nghi lộ khóa", by="A", now=world.now)
    assert await statuses() == [401, 401, 401]
    assert (await holder.ask()).json()["code"] == "oauth.suspended"
    await platforms.resume("BLUEZONE", by="A", now=world.now)
    assert await statuses() == [404, 404, 404]
    await platforms.remove_key("BLUEZONE", KEY.kid, by="A", now=world.now)
    assert await statuses() == [401, 404, 404]
    assert (await holder.ask()).json()["code"] == "oauth.client"
    await world.built.house.enrol.dismiss("platform", "BLUEZONE", world.now)
    assert await statuses() == [401, 401, 401]
    assert (await second.ask()).json()["code"] == "oauth.suspended", "dismissed, its key opens nothing either"
    assert await world.built.house.enrol.register_platform("BLUEZONE", "B", world.now), "admitted again"
    fresh = await second.client()
    await platforms.revoke("BLUEZONE", "Lộ khóa", by="A", now=world.now)
    assert (await fresh.get("/v1/declarations/x")).status_code == 401
    assert (await second.ask()).json()["code"] == "oauth.client"


async def test_another_process_knows_within_a_second(world: World) -> None:
    """What was read a second ago is read again; nothing waits for a message."""
    from motma.services.exchange.platforms import Platforms

    holder = await key_holder(world, "BLUEZONE")
    client = await holder.client()
    assert (await client.get("/v1/declarations/x")).status_code == 404
    elsewhere = Platforms(store=world.built.store, random=lambda n: b"7" * n)
    await elsewhere.suspend("BLUEZONE", "Nghi lộ khóa", by="A", now=world.now)
    world.now += SECOND
    assert (await client.get("/v1/declarations/x")).status_code == 401


async def test_a_scope_that_was_taken_back_is_gone_from_tokens_too(world: World) -> None:
    holder = await key_holder(world, "BLUEZONE")
    client = await holder.client()
    change: dict[str, Any] = {"connector": "native", "per_second": 9, "per_day": 99, "certificate": "", "by": "A"}
    await world.built.house.platforms.change("BLUEZONE", "B", scopes=["prechecks"], now=world.now, **change)
    assert (await client.get("/v1/declarations/x")).json()["code"] == "access.scope"
    await world.built.house.platforms.change("BLUEZONE", "B", scopes=list(EVERYDAY), now=world.now, **change)
    assert (await client.get("/v1/declarations/x")).status_code == 404


async def test_tokens_are_to_be_kept(world: World) -> None:
    holder, other = await key_holder(world, "BLUEZONE"), await key_holder(world, "NCOVI", key=OTHER)
    for _ in range(TOKENS):
        assert (await holder.ask()).status_code == 200
    before = world.rows()
    many = await holder.ask()
    assert (many.status_code, many.json()["error"], many.json()["code"]) == (429, "slow_down", "quota.tokens")
    assert many.headers["retry-after"] == "901" and world.rows() == before
    assert (await other.ask()).status_code == 200
    world.now += dt.timedelta(seconds=901)
    assert (await holder.ask()).status_code == 200


async def test_a_certificate_is_asked_for_where_one_is_registered(tmp_path: Path) -> None:
    der = b"what a proxy took from the TLS connection"
    shown = f":{base64.b64encode(der).decode()}:"
    thumbprint = hashlib.sha256(der).hexdigest()
    other = f":{base64.b64encode(b'another').decode()}:"
    async with living_world(tmp_path / "with", client_cert_header="client-cert") as world:
        holder = await key_holder(world, "BLUEZONE", certificate=thumbprint)
        for wrong in (
            {},
            {"client-cert": other},
            {"client-cert": "::"},
            {"client-cert": ":!:"},
            {"client-cert": thumbprint},
        ):
            assert (await holder.ask(headers=wrong)).json()["code"] == "oauth.certificate"
        client = await holder.client(**{"client-cert": shown})
        assert (await client.get("/v1/declarations/x")).status_code == 404
        token = {"authorization": client.headers["authorization"]}
        for wrong in ({}, {"client-cert": other}):
            answer = await world.browser(headers={**token, **wrong}).get("/v1/declarations/x")
            assert (answer.status_code, answer.json()["code"]) == (401, "access.certificate"), "a stolen token"
        plain = await world.platform("BLUEZONE")
        assert (await plain.get("/v1/declarations/x")).json()["code"] == "access.certificate"
    async with living_world(tmp_path / "without") as world:
        holder = await key_holder(world, "BLUEZONE", certificate=thumbprint)
        assert (await holder.ask(headers={"client-cert": shown})).json()["code"] == "oauth.certificate"
        plain = await world.platform("BLUEZONE")
        answer = await plain.get("/v1/declarations/x", headers={"client-cert": shown})
        assert (answer.status_code, answer.json()["code"]) == (401, "access.certificate_unread")


async def test_a_flood_is_nobody_elses(world: World) -> None:
    loud = await (await key_holder(world, "BLUEZONE", per_second=5, per_day=40)).client()
    calm = await (await key_holder(world, "NCOVI", key=OTHER)).client()
    answers = await asyncio.gather(
        *[loud.post("/v1/declarations", content=b"\xff" * 60_000, headers={"idempotency-key": "k"}) for _ in range(50)],
        *[calm.get("/v1/declarations/x") for _ in range(50)],
    )
    flood, others = answers[:50], answers[50:]
    assert [one.status_code for one in flood].count(429) == 40 and {one.status_code for one in others} == {404}
    refused = next(one for one in flood if one.status_code == 429)
    assert refused.json()["code"] == "quota.second" and refused.headers["retry-after"] == "1"
    assert refused.headers["ratelimit-policy"] == '"quota.second";q=5;w=1'
    for _ in range(3):
        world.now += 2 * SECOND
        for _ in range(10):
            assert (await loud.get("/v1/declarations/x")).status_code == 404
        assert (await loud.get("/v1/declarations/x")).status_code == 429
    world.now += 60 * SECOND
    day = await loud.get("/v1/declarations/x")
    assert (day.status_code, day.json()["code"]) == (429, "quota.day")
    assert int(day.headers["retry-after"]) == (17 - 7) * 3_600 - 66 + 1, "until midnight in Vietnam"
    fared = world.built.house.calls.of("BLUEZONE", world.now)
    assert fared.errors == {"quota.second": 42, "quota.day": 2, "declaration.hidden": 30, "http.415": 10}
    assert world.built.house.calls.of("NCOVI", world.now).calls == 50
