"""Platforms are told: in order for each citizen, at least once, for 75 hours, and a bad receiver harms nobody else."""

import asyncio
import base64
import datetime as dt
import hashlib
import hmac
from collections.abc import AsyncIterator
from typing import Any

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from motma.core.change import change_id
from motma.core.facts import Fact, PlatformResumed, PlatformRevoked, PlatformSuspended, What
from motma.core.ids import Qid, new_fact_id
from motma.services.exchange.messages import signed
from motma.services.exchange.telling import FAILURES_TO_REST, SCHEDULE, Telling
from motma.storage.store import Act
from motma.worker import LEASE
from tests.receiving import Receiver, receiver
from tests.world import World

P = "BLUEZONE"
A_MINUTE, AN_HOUR = dt.timedelta(minutes=1), dt.timedelta(hours=1)


@pytest.fixture
async def hook() -> AsyncIterator[Receiver]:
    async with receiver() as one:
        yield one


async def declared(world: World, n: int, platform: str = P) -> str:
    world.now += A_MINUTE
    answer = await world.declare(world.person(n), await world.platform(platform))
    assert answer.status_code == 201, answer.text
    return str(answer.json()["qid"])


async def register(world: World, hook: Receiver, after: str | None = None, platform: str = P) -> str:
    answer = await (await world.platform(platform)).put("/v1/webhook", json={"url": hook.url, "after": after})
    assert answer.status_code == 200, answer.text
    return str(answer.json()["secret"])


async def settle(world: World, telling: Telling, *, hours: float = 0) -> None:
    """Let ``hours`` pass; the teller comes whenever it said it would."""
    until = world.now + dt.timedelta(hours=hours)
    while True:
        again = await telling.round(world.now)
        if again is not None and again <= world.now:
            continue
        due = await world.built.store.outbox.due(P, until, 1)
        nexts = [one for one in (again, due[0].next_at if due and not telling.rests else None) if one]
        if not nexts or min(nexts) > until or telling.done:
            world.now = until
            return
        world.now = max(world.now, *[min(nexts)])


async def state(world: World, platform: str = P) -> dict[str, Any]:
    return (await (await world.platform(platform)).get("/v1/webhook")).json()  # type: ignore[no-any-return]


async def parked(world: World, state: str) -> list[dict[str, Any]]:
    answer = await (await world.platform(P)).get("/v1/webhook/deliveries", params={"state": state})
    return answer.json()["deliveries"]  # type: ignore[no-any-return]


async def revoke(world: World, qid: str) -> None:
    world.now += A_MINUTE
    await world.built.house.status.revoke(Qid(qid), "F0", by="x", now=world.now)


# -- the message ---------------------------------------------------------------------------------------------------


def test_the_specifications_own_vector() -> None:
    """Source: Standard Webhooks, reference implementations' tests."""
    secret, at = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", dt.datetime.fromtimestamp(1614265330, dt.UTC)
    headers = signed("msg_p5jXN8AQM9LWM0D4loKWxJek", b'{"test": 2432232314}', [secret], at)
    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    assert headers["webhook-timestamp"] == "1614265330"


def test_the_standards_library_takes_ours_and_nothing_forged() -> None:
    secrets = ["whsec_" + base64.b64encode(bytes([n]) * 32).decode() for n in (1, 2)]
    now = dt.datetime.now(dt.UTC)
    headers, body = signed("chg_1", b'{"a":1}', secrets, now), b'{"a":1}'
    for secret in secrets:
        assert Webhook(secret).verify(body, headers) == {"a": 1}
    old = signed("chg_1", body, secrets, now - dt.timedelta(minutes=6))
    stranger = Webhook("whsec_" + base64.b64encode(b"x" * 32).decode())
    for who, what, said in (
        (stranger, body, headers),
        (Webhook(secrets[0]), b'{"a":2}', headers),
        (Webhook(secrets[0]), body, headers | {"webhook-id": "chg_2"}),
        (Webhook(secrets[0]), body, headers | {"webhook-timestamp": str(int(now.timestamp()) + 1)}),
        (Webhook(secrets[0]), body, old),
    ):
        with pytest.raises(WebhookVerificationError):
            who.verify(what, said)


async def test_a_change_is_told_as_the_feed_has_it(world: World, hook: Receiver) -> None:
    qid = await declared(world, 0)
    secret = await register(world, hook)
    await settle(world, world.built.telling(P))
    ((headers, body),) = hook.heard
    text = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    key = base64.b64decode(secret.removeprefix("whsec_"))
    by_hand = base64.b64encode(hmac.new(key, text, hashlib.sha256).digest()).decode()
    assert headers["webhook-signature"] == f"v1,{by_hand}"
    page = (await (await world.platform(P)).get("/v1/changes")).json()
    ((id, message),) = hook.taken
    assert message == {
        "type": page["changes"][0]["type"],
        "timestamp": page["changes"][0]["at"],
        "data": page["changes"][0],
    }
    assert id == page["changes"][0]["id"] and message["data"]["citizen"]["qid"] == qid


async def test_for_a_day_the_secret_before_signs_too(world: World, hook: Receiver) -> None:
    old, new = await register(world, hook), await register(world, hook)
    await declared(world, 0)
    telling = world.built.telling(P)
    await settle(world, telling)
    world.now += dt.timedelta(hours=25)
    await declared(world, 1)
    await settle(world, telling)
    for (headers, body), secrets in zip(hook.heard, ([new, old], [new]), strict=True):
        at = dt.datetime.fromtimestamp(int(headers["webhook-timestamp"]), dt.UTC)
        assert headers["webhook-signature"] == signed(headers["webhook-id"], body, secrets, at)["webhook-signature"]


# -- in order, and at least once -----------------------------------------------------------------------------------


async def test_everything_is_told_once_and_in_order(world: World, hook: Receiver) -> None:
    await register(world, hook)
    telling = world.built.telling(P)
    qids = [await declared(world, n % 6, ("NCOVI", P)[n < 6]) for n in range(20)]
    await settle(world, telling)
    await revoke(world, qids[0])
    await declared(world, 9, "NCOVI")  # nobody's whom it follows
    await settle(world, telling)
    await settle(world, telling)
    assert hook.ids() == sorted(set(hook.ids()))
    assert hook.newest().keys() == set(qids)
    assert hook.newest()[qids[0]]["state"] == "withdrawn"
    assert len(hook.heard) == len(hook.taken) == 7


async def test_what_fails_is_tried_again_and_holds_nobody_else_up(world: World, hook: Receiver) -> None:
    bad, good = await declared(world, 0), await declared(world, 1)
    hook.answers = lambda message: 500 if message["data"]["citizen"]["qid"] == bad else 204
    await register(world, hook)
    telling = world.built.telling(P)
    await settle(world, telling)
    assert list(hook.newest()) == [good]
    (waiting,) = await parked(world, "waiting")
    assert (waiting["qid"], waiting["attempts"], waiting["problem"]["code"]) == (bad, 1, "webhook.status")
    assert "500" in waiting["problem"]["words"]["vi"]
    heard = len(hook.heard)
    await revoke(world, bad)
    await settle(world, telling)
    assert len(hook.heard) <= heard + 1, "a newer change of theirs takes the place of what waits"
    hook.answers = lambda _: 204
    await settle(world, telling, hours=0.1)
    assert hook.newest()[bad]["state"] == "withdrawn"
    assert await parked(world, "waiting") == []
    assert hook.versions()[bad] == sorted(set(hook.versions()[bad]))


async def test_an_hour_away_is_caught_up_in_order(world: World, hook: Receiver) -> None:
    await register(world, hook)
    telling = world.built.telling(P)
    before = [await declared(world, n) for n in range(8)]
    await settle(world, telling)
    hook.answers = lambda _: 503
    for n in range(8):
        await declared(world, n, "NCOVI")
        await declared(world, 10 + n)
        await settle(world, telling, hours=0.1)
    assert (await state(world))["state"] == "resting"
    assert len(hook.heard) < 8 + 2 * FAILURES_TO_REST + 16, "it was left alone, but for a try now and then"
    await revoke(world, before[3])
    hook.answers = lambda _: 204
    telling = world.built.telling(P)  # another process by now
    await settle(world, telling, hours=1)
    assert (await state(world))["state"] == "on"
    assert len(hook.ids()) == len(set(hook.ids())), "nothing doubled"
    kept = hook.newest()
    page = (await (await world.platform(P)).get("/v1/changes", params={"limit": 500})).json()
    assert {qid: one["version"] for qid, one in kept.items()} == {
        change["citizen"]["qid"]: change["citizen"]["version"] for change in page["changes"]
    }, "nothing lost"
    assert all(versions == sorted(versions) for versions in hook.versions().values())
    assert kept[before[3]]["state"] == "withdrawn"


async def test_what_is_told_to_nobody_for_75_hours_is_dead_and_can_be_told_again(world: World, hook: Receiver) -> None:
    bad = await declared(world, 0)
    hook.answers = lambda message: 500 if message["data"]["citizen"]["qid"] == bad else 204
    await register(world, hook)
    telling = world.built.telling(P)
    began = world.now
    for n in range(200):
        if await parked(world, "dead"):
            break
        await declared(world, 1 + n % 3)
        await settle(world, telling, hours=1)
    (dead,) = await parked(world, "dead")
    assert dead["qid"] == bad and dead["attempts"] == len(SCHEDULE) + 1 and dead["next_at"] is None
    assert dt.timedelta(hours=65) < world.now - began < dt.timedelta(hours=90)
    assert (await state(world))["state"] == "on"
    hook.answers = lambda _: 204
    platform, other = await world.platform(P), await world.platform("NCOVI")
    assert (await other.post(f"/v1/webhook/deliveries/{dead['id']}/retry")).status_code == 404
    assert (await platform.post("/v1/webhook/deliveries/chg_0000000099999/retry")).status_code == 404
    assert (await platform.post(f"/v1/webhook/deliveries/{dead['id']}/retry")).json()["state"] == "waiting"
    await settle(world, telling)
    assert hook.taken[-1][0] == dead["id"] and hook.newest()[bad]["state"] == "expired"
    assert await parked(world, "dead") == await parked(world, "waiting") == []


async def test_a_receiver_that_is_away_for_75_hours_is_told_no_more(world: World, hook: Receiver) -> None:
    hook.answers = lambda _: 500
    qids = [await declared(world, n) for n in range(7)]
    await register(world, hook)
    telling = world.built.telling(P)
    await settle(world, telling, hours=64)
    assert (await state(world))["state"] == "resting"
    await settle(world, telling, hours=24)
    assert (await state(world))["state"] == "away"
    heard = len(hook.heard)
    await settle(world, telling, hours=24)
    assert len(hook.heard) == heard
    hook.answers = lambda _: 204
    await register(world, hook)
    await settle(world, telling)
    assert hook.newest().keys() == set(qids), "the cursor stood still"


async def test_gone_stops(world: World, hook: Receiver) -> None:
    hook.answers = lambda _: 410
    await declared(world, 0)
    await register(world, hook)
    telling = world.built.telling(P)
    await settle(world, telling, hours=90)
    assert ((await state(world))["state"], len(hook.heard)) == ("gone", 1)
    world.forget()
    assert (await (await world.platform(P)).get("/v1/changes")).json()["changes"], "the feed still has everything"


async def test_who_is_suspended_is_told_nothing(world: World, hook: Receiver) -> None:
    async def say(what: What) -> None:
        world.forget()
        await world.built.store.append(
            Act((Fact(id=new_fact_id("plt", world.now, bytes(10)), at=world.now, actor="op", what=what),))
        )

    await register(world, hook)
    telling = world.built.telling(P)
    await say(PlatformSuspended(P, "leak"))
    qid = await declared(world, 0)
    await settle(world, telling)
    assert (hook.heard, (await state(world))["state"]) == ([], "suspended")
    await say(PlatformResumed(P))
    await settle(world, telling)
    assert list(hook.newest()) == [qid]
    await say(PlatformRevoked(P, "closed"))
    await say(PlatformResumed(P))
    await declared(world, 1)
    await settle(world, telling)
    assert list(hook.newest()) == [qid]


# -- who does it ---------------------------------------------------------------------------------------------------


async def test_a_slow_receiver_holds_up_nobody_else(world: World, hook: Receiver) -> None:
    async with receiver() as slow:
        slow.gate.clear()
        await register(world, slow, platform="SLOW")
        await register(world, hook)
        for n in range(40):
            await declared(world, n, "SLOW")
        working = asyncio.create_task(world.built.tellers.run())
        try:
            async with asyncio.timeout(30):
                while not slow.heard:  # noqa: ASYNC110  # a receiver has a list, not an event
                    await asyncio.sleep(0.01)
                qid = await declared(world, 50)
                while qid not in hook.newest():  # noqa: ASYNC110
                    await asyncio.sleep(0.01)
            assert 0 < len(slow.heard) <= 16, "so many are under way at most"
            assert slow.taken == []
        finally:
            working.cancel()
            await asyncio.wait([working])


async def test_one_server_at_a_time_tells(world: World) -> None:
    outbox, now = world.built.store.outbox, world.now
    assert await outbox.lease("webhooks", "one", now, now + LEASE)
    assert not await outbox.lease("webhooks", "other", now, now + LEASE)
    now += LEASE / 2
    assert await outbox.lease("webhooks", "one", now, now + LEASE)
    now += LEASE / 2
    assert not await outbox.lease("webhooks", "other", now, now + LEASE)
    now += LEASE
    assert await outbox.lease("webhooks", "other", now, now + LEASE)
    assert not await outbox.lease("webhooks", "one", now, now + LEASE)


# -- the door ------------------------------------------------------------------------------------------------------


async def test_the_door(world: World, hook: Receiver) -> None:
    platform, other = await world.platform(P), await world.platform("NCOVI")
    for method, path in (("GET", ""), ("DELETE", ""), ("POST", "/test")):
        answer = await platform.request(method, f"/v1/webhook{path}")
        assert (answer.status_code, answer.json()["code"]) == (404, "webhook.none"), method
    for body, code in (
        ({"url": "ftp://example.vn/"}, "webhook.url"),
        ({"url": "https://u:p@example.vn/"}, "webhook.url"),
        ({"url": hook.url, "after": "99999999"}, "changes.cursor"),
        ({"url": 7}, "body.malformed"),
        ({}, "body.malformed"),
    ):
        answer = await platform.put("/v1/webhook", json=body)
        assert (answer.status_code, answer.json()["code"]) == (422, code), body
        assert set(answer.json()["words"]) == {"vi", "en"}
    secret = await register(world, hook, "now")
    assert secret.startswith("whsec_") and len(base64.b64decode(secret[6:])) == 32
    assert (await state(world)) == {
        "url": hook.url,
        "state": "on",
        "cursor": str(await world.built.store.changed_seq() - 1),
        "rests_until": None,
        "problem": None,
    }
    assert secret not in str(await state(world))
    assert (await other.get("/v1/webhook")).status_code == 404
    tried = (await platform.post("/v1/webhook/test")).json()
    assert tried == {"delivered": True, "status": 204, "problem": None}
    assert hook.taken[0][1]["type"] == "webhook.test"
    assert (await platform.post("/v1/webhook/test")).status_code == 409
    world.now += A_MINUTE
    hook.answers = lambda _: 302
    tried = (await platform.post("/v1/webhook/test")).json()
    assert (tried["delivered"], tried["status"], tried["problem"]["code"]) == (False, 302, "webhook.redirect")
    assert (await platform.delete("/v1/webhook")).status_code == 204
    assert (await state(world))["state"] == "asked"
    for query, code in (({"state": "x"}, "delivery.state"), ({"after": "x"}, "delivery.after")):
        answer = await platform.get("/v1/webhook/deliveries", params=query)
        assert (answer.status_code, answer.json()["code"]) == (422, code)
    for id in ("x", "chg_", "chg_1", change_id(7), "chg_" + "9" * 30):
        assert (await platform.post(f"/v1/webhook/deliveries/{id}/retry")).status_code == 404
    assert len(await world.built.store.platform_facts(0)) == 2
