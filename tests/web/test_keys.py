"""Our public keys, as software that is not ours reads them."""

import base64
import datetime as dt
import json
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import cbor2
import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from motma.core import base45
from motma.core.code import key_id
from motma.core.cose import parse_sign1
from tests.world import World, living_world

ROOT = Path(__file__).resolve().parents[2]
PEERS = ROOT / ".peers" / "bin" / "python"
JWKS, COSE = "/.well-known/jwks.json", "/.well-known/cose-keys"


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with living_world(tmp_path) as world:
        yield world


def raw(base64url: str) -> bytes:
    assert "=" not in base64url
    return base64.urlsafe_b64decode(base64url + "==")


async def kids(world: World) -> tuple[set[bytes], set[bytes]]:
    """In the JWK Set, in the COSE_KeySet."""
    world.forget()
    jwks, cose = await world.browser().get(JWKS), await world.browser().get(COSE)
    return {raw(key["kid"]) for key in jwks.json()["keys"]}, {key[2] for key in cbor2.loads(cose.content)}


async def delegated(world: World) -> ec.EllipticCurvePublicKey:
    measure = await world.publish()
    public = ec.generate_private_key(ec.SECP256R1()).public_key()
    await world.built.house.trust.delegate(
        "ncovi.test",
        public,
        measures=[measure.id],
        areas=["79"],
        until=world.now + dt.timedelta(days=9),
        now=world.now,
    )
    return public


async def test_a_jwk_set(world: World) -> None:
    answer = await world.browser().get(JWKS)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/jwk-set+json"
    (key,) = answer.json()["keys"]
    assert set(key) == {"kty", "crv", "x", "y", "kid", "alg", "use", "iss", "signs_from"}
    assert (key["kty"], key["crv"], key["alg"], key["use"]) == ("EC", "P-256", "ES256", "sig")
    assert key["iss"] == world.built.house.trust.issuer
    point = b"\x04" + raw(key["x"]) + raw(key["y"])
    public = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
    signing = (await world.built.board.trust(world.now)).signing("code")
    assert signing and raw(key["kid"]) == key_id(public) == signing.kid


async def test_a_cose_key_set(world: World) -> None:
    answer = await world.browser().get(COSE)
    assert answer.headers["content-type"] == "application/cose-key-set"
    (key,) = cbor2.loads(answer.content)
    assert list(key) == [1, 2, 3, -1, -2, -3]
    assert (key[1], key[3], key[-1]) == (2, -7, 1)
    public = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), b"\x04" + key[-2] + key[-3])
    assert key[2] == key_id(public)


async def test_waiting_and_retired_keys_are_in_revoked_ones_are_not(world: World) -> None:
    trust = world.built.house.trust
    ((first,), _) = await kids(world)
    waiting = (await trust.new(world.now)).kid
    assert await kids(world) == ({first, waiting},) * 2
    await trust.rotate(world.now)
    assert await kids(world) == ({first, waiting},) * 2
    await trust.revoke(first.hex(), "stolen", world.now)
    assert await kids(world) == ({waiting},) * 2
    root = (await world.built.board.trust(world.now)).signing("root")
    assert root and root.kid not in {first, waiting}


async def test_a_delegated_key_says_whose_it_is_and_what_for(world: World) -> None:
    public = await delegated(world)
    both, ours = await kids(world)
    assert both - ours == {key_id(public)}
    keys = (await world.browser().get(JWKS)).json()["keys"]
    key = next(key for key in keys if raw(key["kid"]) == key_id(public))
    assert (key["iss"], key["areas"], len(key["measures"])) == ("ncovi.test", ["79"], 1)
    assert 0 < key["signs_until"] - world.now.timestamp() < 86_400 * 10


async def test_nothing_private_is_in_it(world: World) -> None:
    await delegated(world)
    for path in (JWKS, COSE):
        content = (await world.browser().get(path)).content
        for chest_key in world.built.house.trust.chest.kids():
            private: Any = world.built.house.trust.chest.signer(chest_key)
            number = private.private.private_numbers().private_value.to_bytes(32, "big")
            assert number not in content
            assert base64.urlsafe_b64encode(number).rstrip(b"=") not in content
        assert b'"d"' not in content and -4 not in (cbor2.loads(content)[0] if path == COSE else {})


@pytest.mark.parametrize("path", [JWKS, COSE])
async def test_who_has_it_is_told_so(world: World, path: str) -> None:
    async def ask(**headers: str) -> httpx.Response:
        return await world.browser(headers={name.replace("_", "-"): value for name, value in headers.items()}).get(path)

    answer = await ask()
    etag = answer.headers["etag"]
    assert answer.headers["cache-control"] == "public, max-age=300"
    for held in (etag, f"W/{etag}", f'"other", {etag}', "*"):
        again = await ask(if_none_match=held)
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", etag)
        assert again.headers["cache-control"] == "public, max-age=300"
    for other in ('"other"', etag[1:-1], etag[:-3], ""):
        assert (await ask(if_none_match=other)).status_code == 200
    await world.built.house.trust.rotate(world.now)
    assert (await ask(if_none_match=etag)).status_code == 200
    assert (await world.browser().post(path)).status_code == 405


async def test_peers_verify_our_code_with_either_set(world: World) -> None:
    """cwt reads the COSE_KeySet and joserfc the JWK Set; both find the key by kid and the signature holds."""
    if not PEERS.exists():
        pytest.skip("no .peers here: make venv sets it up")
    await delegated(world)
    await world.built.house.trust.new(world.now)
    world.forget()
    text = (await world.declare(world.person(0))).json()["code"]
    cose = await peers_bytes(text)
    sets = [(await world.browser().get(path)).content.hex() for path in (COSE, JWKS)]
    program = (ROOT / "tests" / "web" / "peers_keys.py").read_text()
    ended = subprocess.run(  # noqa: ASYNC221 - a moment, and nothing else goes on here
        [str(PEERS), "-c", program],
        input=json.dumps({"code": cose.hex(), "cose_keys": sets[0], "jwks": sets[1]}),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    told = json.loads(ended.stdout)
    kid = parse_sign1(cose).kids[0].hex()
    assert told == {"cwt": kid, "joserfc": kid, "issuer": world.built.house.trust.issuer, "forged": "refused"}


async def peers_bytes(text: str) -> bytes:
    """The COSE in a code."""
    import zlib

    return zlib.decompress(base45.decode(text, len(text)))
