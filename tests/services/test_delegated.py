"""Codes that another issuer signed, at a checkpoint: nobody goes on the strength of a stranger's standing."""

import datetime as dt
import zlib
from typing import Any

import msgspec
from cryptography.hazmat.primitives.asymmetric import ec

from motma.core import base45
from motma.core.claims import parse_claims
from motma.core.code import Claims, issue_code, key_id
from motma.core.cose import SigningKey, parse_sign1
from tests.world import World


async def platform_key(world: World) -> SigningKey:
    """A platform that may sign by itself."""
    private = ec.generate_private_key(ec.SECP256R1())
    [measure] = (await world.built.board.current(world.now)).measures
    until = world.now + dt.timedelta(days=9)
    scope: dict[str, Any] = {"measures": [measure], "areas": [], "everywhere": True, "until": until}
    await world.built.house.trust.delegate("ncovi.test", private.public_key(), **scope, now=world.now)
    return SigningKey(private, key_id(private.public_key()))


def claims_of(text: str) -> Claims:
    return parse_claims(parse_sign1(zlib.decompress(base45.decode(text))).payload)


async def test_a_platforms_code_with_the_name_of_the_citizen_is_good(world: World) -> None:
    key, sent = await platform_key(world), (await world.declare(world.person(0))).json()
    said = msgspec.structs.replace(claims_of(sent["code"]), issuer="ncovi.test", name=world.person(0).name.upper())
    answer = (await world.check(code=issue_code(said, key))).json()
    assert (answer["outcome"], answer["citizen"]["qid"]) == ("accept", sent["qid"])


async def test_a_platforms_code_with_a_strangers_name_on_a_citizens_number(world: World) -> None:
    """The standing is found by the number. It must not carry whatever name a platform puts beside that."""
    key, sent = await platform_key(world), (await world.declare(world.person(0))).json()
    ours = claims_of(sent["code"])
    for change in (
        {"name": "TRẦN VĂN KHÁC"},
        {"born": "19700101"},
        {"name": world.person(1).name, "last_four": "0000"},
    ):
        for code_id in (ours.code_id, bytes(16)):
            forged = msgspec.structs.replace(ours, issuer="ncovi.test", code_id=code_id, **change)
            answer = (await world.check(code=issue_code(forged, key))).json()
            assert answer["outcome"] == "manual"
            assert answer["reasons"][0]["code"] == "identity.mismatched"
            # Whoever's number it is: the officer compares that with the document, and not what the code says.
            assert answer["citizen"]["name"] == world.person(0).name
            assert answer["citizen"]["last_four"] == ours.last_four
