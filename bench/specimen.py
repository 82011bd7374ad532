"""One code of a citizen of median size, and who signed it: what every verifier is measured over."""

import datetime as dt
from functools import cache

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from motma.core.code import Claims, issue_code, key_id
from motma.core.cose import SigningKey
from motma.core.ids import Qid
from motma.wiring import utc_now

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
    """Of somebody with a name of twenty letters, for one province and two checkpoints, valid for three days."""
    now = utc_now().replace(microsecond=0)
    return Claims(
        issuer=ISSUER,
        code_id=bytes(range(16)),
        qid=Qid("521322923144321717"),
        name="Nguyễn Thị Minh Khai",
        birth_date=dt.date(1987, 1, 18),
        last_four="3999",
        measure="demo-hcmc",
        areas=("79",),
        vintage=2025,
        route=("g07", "i03"),
        verdict="accept",
        matched=True,
        status_index=74_565,
        carrier="screen",
        issued_at=now,
        valid_from=now,
        valid_until=now + dt.timedelta(hours=72),
    )


def text() -> str:
    """The code."""
    return issue_code(claims(), signer())
