"""The door of the list of trust: anybody takes the list, an enrolled device takes the roots and the rules of its
checkpoint, and a key that is revoked is revoked in the next list."""

import datetime as dt
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from motma.core.bundle import MEDIA_TYPE as BUNDLE_TYPE
from motma.core.bundle import accept as accept_bundle
from motma.core.status import verify_status_token
from motma.core.trustlist import MEDIA_TYPE, Pins, RootKey, accept, revoked_points
from tests.world import HERE, NEXT, World, living_world


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with living_world(tmp_path) as world:
        yield world


def pins(answer: httpx.Response) -> Pins:
    said = answer.json()
    roots = []
    for root in said["roots"]:
        numbers = ec.EllipticCurvePublicNumbers(int(root["x"], 16), int(root["y"], 16), ec.SECP256R1())
        roots.append(RootKey(bytes.fromhex(root["kid"]), numbers.public_key()))
    return Pins(said["issuer"], tuple(roots))


async def test_a_device_that_is_enrolled_takes_roots_and_then_lists(world: World) -> None:
    device = await world.device_at()
    given = await device.get("/v1/trust-list/roots")
    listed = await world.browser().get("/v1/trust-list")
    assert (listed.status_code, listed.headers["content-type"]) == (200, MEDIA_TYPE)
    held = accept(pins(given), listed.content, world.now)
    keyring = await world.built.board.keyring(world.now)
    assert held.keyring().keys() == keyring.keys() and held.issuer == world.settings.issuer


async def test_who_has_the_newest_is_told_so(world: World) -> None:
    anybody = world.browser()
    listed = await anybody.get("/v1/trust-list")
    etag = listed.headers["etag"]
    for held in (etag, f'"other", {etag}', f"W/{etag}"):
        again = await anybody.get("/v1/trust-list", headers={"if-none-match": held})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", etag)
    for held in ('"other"', "", "*" * 500, '"é'):
        again = await anybody.get("/v1/trust-list", headers={"if-none-match": held.encode()})
        assert (again.status_code, again.content) == (200, listed.content)
    assert listed.headers["cache-control"] == "no-cache"


async def test_a_revoked_key_is_revoked_in_the_next_list(world: World) -> None:
    device, anybody = await world.device_at(), world.browser()
    held = accept(
        pins(await device.get("/v1/trust-list/roots")), (await anybody.get("/v1/trust-list")).content, world.now
    )
    trust = world.built.house.trust
    signing = (await world.built.board.trust(world.now)).signing("code")
    assert signing is not None
    await trust.rotate(world.now)
    await trust.revoke(signing.added.kid, "lost", world.now)
    after = accept(held, (await anybody.get("/v1/trust-list")).content, world.now)
    assert after.version > held.version and len(revoked_points(after)) == 1


async def test_the_status_list_that_is_given_out_is_new_enough_beside_it(world: World) -> None:
    device, anybody = await world.device_at(), world.browser()
    given = pins(await device.get("/v1/trust-list/roots"))
    base = f"https://{world.settings.issuer}/v1/status"
    for _ in range(5):
        world.now += dt.timedelta(hours=5)
        held = accept(given, (await anybody.get("/v1/trust-list")).content, world.now)
        answer = await anybody.get("/v1/status/0")
        token = verify_status_token(answer.content, held.keyring(), uri=f"{base}/0", now=world.now)
        held.judge_status(token.uri, token.issued_at)
    floor = held.status_floor(f"{base}/0")
    assert floor is not None and dt.timedelta(0) <= held.issued_at - floor <= dt.timedelta(hours=12, minutes=5)


async def test_roots_are_for_enrolled_devices(world: World) -> None:
    for client in (world.browser(), world.browser({"motma_device": "x" * 32}), await world.operator()):
        answer = await client.get("/v1/trust-list/roots")
        assert (answer.status_code, answer.json()["code"]) == (401, "access.device")


async def test_an_enrolled_device_takes_the_rules_of_its_checkpoint(world: World) -> None:
    device = await world.device_at()
    held = pins(await device.get("/v1/trust-list/roots"))
    answer = await device.get("/v1/bundle")
    assert (answer.status_code, answer.headers["content-type"]) == (200, BUNDLE_TYPE)
    assert answer.headers["cache-control"] == "private, no-cache"
    bundle = accept_bundle(answer.content, roots=held.roots, issuer=held.issuer, now=world.now)
    assert bundle.place == HERE
    etag = answer.headers["etag"]
    again = await device.get("/v1/bundle", headers={"if-none-match": etag})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", etag)
    plain = await device.get("/v1/bundle", headers={"accept-encoding": "identity"})
    assert plain.content == answer.content and "content-encoding" not in plain.headers
    elsewhere = await (await world.device_at(NEXT)).get("/v1/bundle")
    assert elsewhere.headers["etag"] != etag


async def test_rules_are_for_enrolled_devices(world: World) -> None:
    for client in (world.browser(), world.browser({"motma_device": "x" * 32}), await world.operator()):
        answer = await client.get("/v1/bundle")
        assert (answer.status_code, answer.json()["code"]) == (401, "access.device")
