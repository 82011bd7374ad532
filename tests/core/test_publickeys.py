"""Public keys from others: read in the two ways in which people have them, or refused for what they are."""

import base64
import datetime as dt
import json
from typing import Any

import cbor2
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from hypothesis import given
from hypothesis import strategies as st

from motma.core.code import TrustedKey, key_id
from motma.core.errors import Invalid
from motma.core.publickeys import point_of, read_public_key, write_cose_keys, write_jwks, write_pem

PRIVATE = ec.derive_private_key(0x999, ec.SECP256R1())
PUBLIC = PRIVATE.public_key()
KEY = TrustedKey(key_id(PUBLIC), PUBLIC, "motma.test", dt.datetime(2026, 1, 1, tzinfo=dt.UTC))


def pem(public: Any) -> str:
    spki = serialization.PublicFormat.SubjectPublicKeyInfo
    return str(public.public_bytes(serialization.Encoding.PEM, spki).decode())


def jwk(**changes: Any) -> str:
    (key,) = json.loads(write_jwks([KEY]))["keys"]
    return json.dumps({name: value for name, value in {**key, **changes}.items() if value is not None})


def refused(text: str) -> str:
    with pytest.raises(Invalid) as error:
        read_public_key(text)
    assert error.value.__suppress_context__ or error.value.__context__ is None
    return error.value.code


def test_what_we_write_we_read() -> None:
    for text in (pem(PUBLIC), f"a note\n{pem(PUBLIC)}\n", jwk(), f"  {jwk()}", write_pem([KEY]).decode()):
        assert key_id(read_public_key(text)) == KEY.kid
    (key,) = cbor2.loads(write_cose_keys([KEY]))
    assert b"\x04" + key[-2] + key[-3] == point_of(PUBLIC)
    assert f"{KEY.kid.hex()} motma.test\n-----BEGIN PUBLIC KEY-----" in write_pem([KEY, KEY]).decode()


def test_coordinates_keep_their_leading_zeros() -> None:
    """RFC 7518, section 6.2.1.2: always 32 bytes."""
    public = next(
        key for n in range(1, 3_000) if point_of(key := ec.derive_private_key(n, ec.SECP256R1()).public_key())[1] == 0
    )
    key = TrustedKey(key_id(public), public, "motma.test", KEY.not_before)
    (written,) = json.loads(write_jwks([key]))["keys"]
    assert len(written["x"]) == 43 and len(cbor2.loads(write_cose_keys([key]))[0][-2]) == 32
    assert key_id(read_public_key(json.dumps(written))) == key.kid


def test_a_private_key_is_sent_back() -> None:
    for form in (serialization.PrivateFormat.PKCS8, serialization.PrivateFormat.TraditionalOpenSSL):
        text = PRIVATE.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()).decode()
        assert refused(text) == refused(pem(PUBLIC) + text) == "key.private_given"
    d = base64.urlsafe_b64encode((0x999).to_bytes(32, "big")).rstrip(b"=").decode()
    assert refused(jwk(d=d)) == "key.private_given"


def test_other_curves_and_kinds() -> None:
    others = [ec.generate_private_key(curve()).public_key() for curve in (ec.SECP384R1, ec.SECP256K1)]
    for public in (*others, ed25519.Ed25519PrivateKey.generate().public_key()):
        assert refused(pem(public)) == "key.curve"
    assert refused(pem(rsa.generate_private_key(65537, 2048).public_key())) == "key.curve"
    for change in ({"crv": "P-384"}, {"kty": "RSA"}, {"kty": "OKP", "crv": "Ed25519"}, {"kty": None}):
        assert refused(jwk(**change)) == "key.curve"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "{",
        "[]",
        '{"a": NaN}',
        "{" * 5_000,
        '{"a":' * 1_600,
        "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n",
        "-----BEGIN PUBLIC KEY-----",
        pem(PUBLIC)[:-60],
        pem(PUBLIC) + "x" * 9_000,
        jwk(x=None),
        jwk(x=1),
        jwk(x="é"),
        jwk(x="AA"),
        jwk(y="A" * 43),
        jwk(x="A" * 43, y="A" * 43),
        "\ud800{",
    ],
    ids=lambda text: ascii(text[:20]),
)
def test_what_cannot_be_read(text: str) -> None:
    assert refused(text) == "key.unreadable"


@given(st.text() | st.dictionaries(st.text(), st.text() | st.integers()).map(json.dumps) | st.binary().map(repr))
def test_nothing_else_is_raised(text: str) -> None:
    assert refused(text).startswith("key.")
