"""One code of a citizen with a name of median length, and who signed it: what every verifier is measured over."""

import datetime as dt
from functools import cache

import cbor2
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from motma.core.claims import Claims, parse_claims
from motma.core.code import issue_code, key_id
from motma.core.cose import SigningKey
from vectors.code import make

ISSUER = "motma.demo"


@cache
def signer() -> SigningKey:
    """A key for this run."""
    private = ec.generate_private_key(ec.SECP256R1())
    return SigningKey(private, key_id(private.public_key()))


def point(key: ec.EllipticCurvePublicKey) -> bytes:
    """Its 65 bytes."""
    return key.public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)


def claims() -> Claims:
    """For one province and two checkpoints, valid for three days from now."""
    now = int(dt.datetime.now(dt.UTC).timestamp())
    content = make.claims(iss=ISSUER, name="Nguyễn Thị Minh Khai", iat=now, exp=now + 72 * 3600)
    return parse_claims(cbor2.dumps(content))


def text() -> str:
    """The code."""
    return issue_code(claims(), signer())
