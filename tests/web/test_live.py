"""A key of the holder's browser, bound into the code it holds: who may, what it gives, what it never takes away."""

import asyncio
import base64
import datetime as dt
import zlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import cbor2
import httpx
import msgspec
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from motma.core import base45
from motma.core.claims import Carrier, Claims
from motma.core.code import verify_code
from motma.services.carriers import KEYS_A_DAY
from tests.world import World, living_world

Point = tuple[ec.EllipticCurvePrivateKey, bytes]


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with living_world(tmp_path) as world:
        yield world


def new_key(form: PublicFormat = PublicFormat.UncompressedPoint) -> Point:
    """A key as a browser makes one, and its public point."""
    key = ec.generate_private_key(ec.SECP256R1())
    return key, key.public_key().public_bytes(Encoding.X962, form)


def b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


async def holder(world: World, person: int = 0) -> tuple[httpx.AsyncClient, dict[str, Any]]:
    """A browser that has just declared, and what it is told of its code."""
    browser = world.browser()
    await world.declare_on_page(browser, world.person(person))
    return browser, (await browser.get("/code/1/live")).json()


async def bind(browser: httpx.AsyncClient, held: dict[str, Any], point: bytes, n: int = 1) -> httpx.Response:
    return await browser.post(f"/code/{n}/live", json={"key": b64(point), "qid": held["qid"]})


async def claims(world: World, text: str) -> Claims:
    house = world.built.house
    return verify_code(text, await house.check._board.keyring(world.now)).claims


def alive(text: str, key: ec.EllipticCurvePrivateKey, at: dt.datetime) -> str:
    """The code as its holder's screen shows it at ``at``: RFC 9338 in an unprotected header, RFC 9597 for the time."""
    protected, _, payload, signature = cbor2.loads(zlib.decompress(base45.decode(text, 4_296))).value
    theirs = cbor2.dumps({1: -7, 15: {6: int(at.timestamp())}})
    signed = cbor2.dumps(["CounterSignatureV2", protected, theirs, b"", payload, [signature]])
    r, s = utils.decode_dss_signature(key.sign(signed, ec.ECDSA(hashes.SHA256())))
    proof = r.to_bytes(32) + s.to_bytes(32)
    cose = cbor2.dumps(cbor2.CBORTag(18, [protected, {11: [theirs, {}, proof]}, payload, signature]))
    return base45.encode(zlib.compress(cose, 0))


@pytest.mark.parametrize("form", [PublicFormat.CompressedPoint, PublicFormat.UncompressedPoint])
async def test_the_twin_says_what_the_code_says(world: World, form: PublicFormat) -> None:
    browser, held = await holder(world)
    key, point = new_key(form)
    answer = await bind(browser, held, point)
    assert answer.status_code == 200 and answer.headers["cache-control"] == "no-store"
    before, after = await claims(world, held["code"]), await claims(world, answer.json()["code"])
    compressed = key.public_key().public_bytes(Encoding.X962, PublicFormat.CompressedPoint)
    assert (before.holder_key, after.holder_key) == (None, compressed)
    assert before.code_id != after.code_id and before.status_index != after.status_index
    same = {"code_id": b"", "status_index": 0, "holder_key": None, "issued": 0}
    assert msgspec.structs.replace(before, **same) == msgspec.structs.replace(after, **same)
    assert answer.json()["code"] in (page := (await browser.get("/code")).text) and held["code"] not in page


async def test_a_scanner_tells_live_static_and_stale(world: World) -> None:
    browser, held = await holder(world)
    key, point = new_key()
    bound = (await bind(browser, held, point)).json()["code"]
    shown = alive(bound, key, world.now)
    for later, liveness, outcome in ((0, "live", "accept"), (90, "live", "accept"), (120, "stale", "manual")):
        world.now += dt.timedelta(seconds=later)
        judged = (await world.check(code=shown)).json()
        assert (judged["live"], judged["outcome"]) == (liveness, outcome)
        world.now -= dt.timedelta(seconds=later)
    for text in (bound, held["code"]):  # paper, a saved picture: neither is told that there is a newer one
        judged = (await world.check(code=text)).json()
        assert (judged["live"], judged["outcome"], judged["reasons"]) == ("static", "accept", [])
    stranger, _ = new_key()
    forged = (await world.check(code=alive(bound, stranger, world.now))).json()
    assert [why["code"] for why in forged["reasons"]] == ["code.proof_forged"]


async def test_the_policy_says_what_each_is_worth(world: World) -> None:
    browser, held = await holder(world)
    key, point = new_key()
    bound = (await bind(browser, held, point)).json()["code"]
    world.forget()
    await world.publish(by_hand=("static", "stale"))
    assert (await world.check(code=bound)).json()["outcome"] == "manual"
    assert (await world.check(code=alive(bound, key, world.now))).json()["outcome"] == "accept"
    await world.publish(by_hand=())
    world.forget()
    old = alive(bound, key, world.now - dt.timedelta(hours=1))
    assert ((await world.check(code=old)).json()["live"], (await world.check(code=old)).json()["outcome"]) == (
        "stale",
        "accept",
    )


async def test_the_same_key_again_is_the_same_code(world: World) -> None:
    browser, held = await holder(world)
    _, point = new_key()
    first = (await bind(browser, held, point)).json()
    rows = world.rows()
    assert (await bind(browser, held, point)).json()["code"] == first["code"]
    assert world.rows() == rows
    _, another = new_key()  # the key was lost
    second = (await bind(browser, held, another)).json()
    assert second["code"] != first["code"] and second["qid"] == first["qid"]
    assert second["code"] in (await browser.get("/code")).text
    assert (await world.check(code=first["code"])).json()["reasons"] == []


async def test_a_browser_that_loses_its_key_all_day(world: World) -> None:
    browser, held = await holder(world)
    for _ in range(KEYS_A_DAY):
        assert (await bind(browser, held, new_key()[1])).status_code == 200
    refused = await bind(browser, held, new_key()[1])
    assert (refused.status_code, refused.json()["code"]) == (409, "live.too_many")
    assert (await browser.get("/code")).status_code == 200
    world.now += dt.timedelta(hours=24)
    assert (await bind(browser, held, new_key()[1])).status_code == 200


async def test_only_the_browser_that_holds_the_code(world: World) -> None:
    mine, held = await holder(world)
    theirs, other = await holder(world, 1)
    before = world.rows()
    _, point = new_key()
    for browser, code, n in ((theirs, held, 1), (world.browser(), held, 1), (mine, held, 2), (mine, other, 1)):
        answer = await bind(browser, code, point, n)
        assert (answer.status_code, answer.json()["code"]) == (404, "code.hidden")
    assert (await theirs.get("/code/2/live")).status_code == 404
    assert world.rows() == before


async def test_what_is_no_key_is_refused(world: World) -> None:
    browser, held = await holder(world)
    before = world.rows()
    good = new_key()[1]
    for key, code in (
        ("", "live.key"),
        (b64(good[:64]), "live.key"),
        (b64(b"\x04" + bytes(64)), "live.key"),
        (b64(b"\x02" + b"\xff" * 32), "live.key"),
        (b64(b"\x00"), "live.key"),
        (b64(b"\x06" + good[1:]), "live.key"),
        (b64(good) + "=", "live.base64"),
        ("~" * 44, "live.base64"),
        ("ă" * 44, "live.base64"),
        ("A" * 101, "live.base64"),
    ):
        answer = await browser.post("/code/1/live", json={"key": key, "qid": held["qid"]})
        assert (answer.status_code, answer.json()["code"]) == (422, code), key
    for body in (b"", b"{}", b"[]", b'{"key": 1, "qid": ""}', b'{"key": "", "qid": "", "more": 1}', b"\xff"):
        answer = await browser.post("/code/1/live", content=body, headers={"content-type": "application/json"})
        assert (answer.status_code, answer.json()["code"]) == (422, "body.malformed")
    assert (await browser.post("/code/1/live", content=b"{}")).status_code == 415
    assert world.rows() == before


async def test_a_code_that_is_over_is_not_bound(world: World) -> None:
    browser, held = await holder(world)
    world.now += dt.timedelta(hours=72)
    answer = await bind(browser, held, new_key()[1])
    assert (answer.status_code, answer.json()["code"]) == (409, "live.over")
    assert (await browser.get("/code/1/live")).json()["usable"] is False


async def test_a_late_match_gives_a_new_code_that_is_bound_again(world: World) -> None:
    world.registry.outage = True
    browser, held = await holder(world)
    _, point = new_key()
    pending = (await bind(browser, held, point)).json()["code"]
    assert not (await claims(world, pending)).matched
    assert (await world.check(code=pending)).json()["reasons"][0]["code"] == "identity.pending"
    world.registry.outage = False
    world.now += dt.timedelta(minutes=1)
    assert await world.work() == 1
    matched = (await browser.get("/code/1/live")).json()
    assert matched["code"] not in (held["code"], pending)
    for older in (held["code"], pending):  # the twin of a pending code is judged as that is
        judged = (await world.check(code=older)).json()
        assert (judged["outcome"], [why["code"] for why in judged["reasons"]]) == ("accept", ["code.newer_exists"])
    again = (await bind(browser, held, point)).json()["code"]
    bound = await claims(world, again)
    assert bound.matched and bound.holder_key == (await claims(world, pending)).holder_key
    assert (await browser.get("/code/1/live")).json()["code"] == again
    assert (await world.check(code=again)).json()["reasons"] == []


async def test_issued_anew_after_printing_the_screen_shows_the_new_one(world: World) -> None:
    browser, held = await holder(world)
    assert (await browser.get("/code/1/paper")).status_code == 200
    bound = (await bind(browser, held, new_key()[1])).json()["code"]
    world.now += dt.timedelta(minutes=1)
    async for _ in world.built.reissue.all(world.now):
        pass
    anew = (await browser.get("/code/1/live")).json()["code"]
    assert anew not in (held["code"], bound)
    assert (await claims(world, anew)).carrier is Carrier.SCREEN
    assert (await world.check(code=anew)).json()["reasons"] == []
    assert [why["code"] for why in (await world.check(code=bound)).json()["reasons"]] == ["code.newer_exists"]


async def test_declared_again_elsewhere_each_browser_keeps_its_own(world: World) -> None:
    browser, held = await holder(world)
    bound = (await bind(browser, held, new_key()[1])).json()["code"]
    world.now += dt.timedelta(hours=1)
    elsewhere, newer = await holder(world)
    assert newer["qid"] == held["qid"]
    assert (await browser.get("/code/1/live")).json()["code"] == bound
    twin = (await bind(browser, held, new_key()[1])).json()["code"]
    assert (await claims(world, twin)).expires == (await claims(world, held["code"])).expires
    assert [why["code"] for why in (await world.check(code=twin)).json()["reasons"]] == ["code.newer_exists"]
    assert (await elsewhere.get("/code/1/live")).json()["code"] == newer["code"]
    assert (await bind(elsewhere, newer, new_key()[1])).status_code == 200


async def test_who_looked_at_the_twin_is_told_too(world: World) -> None:
    browser, held = await holder(world)
    await world.check(code=(await bind(browser, held, new_key()[1])).json()["code"])
    assert "Được qua" in (await browser.get("/code/1/looks")).text


async def test_facts_fold_to_the_same_standing_with_twins(world: World) -> None:
    browser, held = await holder(world)
    before = await world.built.store.standing(held["qid"])
    await bind(browser, held, new_key()[1])
    assert await world.built.store.standing(held["qid"]) == before
    assert (await world.built.store.rebuild_standing()).differing == ()


async def test_forgetting_leaves_nothing_in_the_browser(world: World) -> None:
    browser, held = await holder(world)
    page = await browser.get("/code")
    assert page.headers["motma-code"].startswith("1 ") and held["code"] in page.text
    gone = await browser.post("/code/forget")
    assert (gone.status_code, gone.headers["location"]) == (303, "/code")
    assert "motma_wallet" not in browser.cookies
    assert (await browser.get("/code")).headers["motma-code"] == "none"
    assert (await browser.get("/code/1/live")).status_code == 404


async def test_the_mark_of_a_page_tells_wallets_apart_and_no_codes(world: World) -> None:
    browser, held = await holder(world)
    first = (await browser.get("/code")).headers["motma-code"]
    await bind(browser, held, new_key()[1])
    assert (await browser.get("/code")).headers["motma-code"] == first, "what is kept stays of use"
    await world.declare_on_page(browser, world.person(1))
    second = (await browser.get("/code?n=2")).headers["motma-code"]
    assert second.startswith("2 ") and second[2:] != first[2:]
    other, _ = await holder(world)
    assert (await other.get("/code")).headers["motma-code"] != first


async def test_the_service_worker_keeps_what_the_page_is_made_of(world: World) -> None:
    worker = await world.browser().get("/code-sw.js")
    assert (
        worker.headers["content-type"].startswith("text/javascript") and worker.headers["cache-control"] == "no-cache"
    )
    keeps = msgspec.json.decode(worker.text.partition("= ")[2].partition(";\n")[0])
    browser, _ = await holder(world)
    page = (await browser.get("/code")).text
    for address in keeps["parts"]:
        assert (await browser.get(address)).status_code == 200, address
    assert not any(address.startswith("/code") for address in keeps["parts"])
    assert all(address in page for address in keeps["parts"] if ".js" in address or ".css" in address)


async def test_many_keys_at_once_are_no_more_than_in_a_row(world: World) -> None:
    browser, held = await holder(world)
    answers = await asyncio.gather(*[bind(browser, held, new_key()[1]) for _ in range(3 * KEYS_A_DAY)])
    assert sorted(answer.status_code for answer in answers) == [200] * KEYS_A_DAY + [409] * 2 * KEYS_A_DAY
