"""A ministry that issues EU DCCs, good ones and whatever else a test asks of it."""

import datetime as dt
import zlib
from collections.abc import Mapping
from typing import Any

import cbor2
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding

from motma.core import base45, cose
from motma.core.errors import Invalid
from motma.core.legacy.dcc import read_dcc, verify_dcc
from motma.core.legacy.dcc_anchors import parse_dcc_anchors
from motma.core.legacy.reading import Anchors, Reading

NOW = dt.datetime(2022, 3, 1, 8, tzinfo=dt.UTC)
ISSUED, EXPIRES = NOW - dt.timedelta(days=30), NOW + dt.timedelta(days=335)
ARC, OLD_ARC = "1.3.6.1.4.1.1847.2021.1", "1.3.6.1.4.1.0.1847.2021.1"

KEY = ec.derive_private_key(5772, ec.SECP256R1())
OTHER = ec.derive_private_key(1405, ec.SECP256R1())
RSA = rsa.generate_private_key(65537, 2048)

VACCINATION = {
    "tg": "840539006",
    "vp": "1119349007",
    "mp": "EU/1/20/1528",
    "ma": "ORG-100030215",
    "dn": 2,
    "sd": 2,
    "dt": "2021-12-20",
    "co": "VN",
    "is": "Bộ Y tế",
    "ci": "URN:UVCI:01:VN:999099000011ABC",
}
TEST = {
    "tg": "840539006",
    "tt": "LP6464-4",
    "sc": "2022-02-28T07:30:00+07:00",
    "tr": "260415000",
    "tc": "Trạm y tế phường 15",
    "co": "VN",
    "is": "Bộ Y tế",
    "ci": "URN:UVCI:01:VN:T",
}
RECOVERY = {
    "tg": "840539006",
    "fr": "2021-10-01",
    "df": "2021-10-12",
    "du": "2022-04-01",
    "co": "VN",
    "is": "Bộ Y tế",
    "ci": "URN:UVCI:01:VN:R",
}
PASSPORT = {
    "ver": "1.3.0",
    "nam": {"fn": "Nguyễn", "gn": "Thị Ánh Đào", "fnt": "NGUYEN", "gnt": "THI<ANH<DAO"},
    "dob": "1990-05-12",
    "v": [VACCINATION],
}


def certificate(
    key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey,
    *usages: str,
    since: dt.datetime = ISSUED - dt.timedelta(days=1),
    until: dt.datetime = EXPIRES + dt.timedelta(days=1),
) -> x509.Certificate:
    """A document signer's certificate, signed by nobody in particular."""
    name = x509.Name([x509.NameAttribute(x509.NameOID.COUNTRY_NAME, "VN")])
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1, since, until)
    if usages:
        purposes = x509.ExtendedKeyUsage([x509.ObjectIdentifier(usage) for usage in usages])
        builder = builder.add_extension(purposes, critical=len(usages) == 1)
    return builder.sign(OTHER, hashes.SHA256())


def der(*arguments: Any, **options: Any) -> bytes:
    return certificate(*arguments, **options).public_bytes(Encoding.DER)


(SIGNER,) = parse_dcc_anchors(der(KEY))
ANCHORS = Anchors(dcc=(SIGNER,))


def cwt(content: object = PASSPORT, **claims: Any) -> bytes:
    times = {"iss": "VN", "iat": int(ISSUED.timestamp()), "exp": int(EXPIRES.timestamp())} | claims
    numbers = {"iss": 1, "iat": 6, "exp": 4}
    named = {numbers[name]: value for name, value in times.items() if value is not None}
    return cbor2.dumps({**named, -260: {1: content}})


def pack(raw: bytes) -> str:
    return "HC1:" + base45.encode(zlib.compress(raw))


def issue(
    payload: bytes | None = None,
    *,
    key: Any = KEY,
    headers: Mapping[int, Any] | None = None,
    unprotected: Mapping[int, Any] | None = None,
    protected: bytes | None = None,
) -> bytes:
    """A COSE_Sign1, tagged; headers as an issuer would set them unless told otherwise."""
    algorithm = cose.ES256 if isinstance(key, ec.EllipticCurvePrivateKey) else cose.PS256
    payload = cwt() if payload is None else payload
    if protected is None:
        protected = cbor2.dumps({1: algorithm, 4: SIGNER.kid} if headers is None else dict(headers))
    signed = cose.to_be_signed(protected, payload)
    if isinstance(key, ec.EllipticCurvePrivateKey):
        signature = cose.SigningKey(key, b"").sign(signed)
    elif isinstance(key, rsa.RSAPrivateKey):
        signature = key.sign(signed, padding.PSS(padding.MGF1(hashes.SHA256()), 32), hashes.SHA256())
    else:
        signature = key.sign(signed)
    return cbor2.dumps(cbor2.CBORTag(18, [protected, dict(unprotected or {}), payload, signature]))


GOOD = pack(issue())


def refused(text: str, anchors: Anchors = ANCHORS, now: dt.datetime = NOW) -> str:
    with pytest.raises(Invalid) as caught:
        verify_dcc(text, anchors, now)
    assert caught.value.words.vi and caught.value.words.en
    return caught.value.code


def reading_of(text: str, anchors: Anchors = ANCHORS, now: dt.datetime = NOW) -> Reading:
    reading = read_dcc(text, anchors, now)
    assert reading is not None
    return reading
