"""COSE around lists and foreign codes: each kind of key takes one algorithm, and hostile bytes give one error."""

import datetime as dt
from typing import Any

import cbor2
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa, utils
from hypothesis import given
from hypothesis import strategies as st

from motma.core import cose
from motma.core.cose import Sign1, SigningKey, decode_cbor, holds, parse_sign1, sign1
from motma.core.errors import Invalid

KEY = SigningKey(ec.derive_private_key(1, ec.SECP256R1()), b"kid")
OTHER = ec.derive_private_key(2, ec.SECP256R1()).public_key()


def refused(raw: bytes) -> None:
    with pytest.raises(Invalid, match=r"^cose\.malformed$"):
        parse_sign1(raw)


def test_what_is_signed_is_read_back_and_holds() -> None:
    raw = sign1({cose.TYP: "a list"}, b"payload", KEY)
    parsed = parse_sign1(raw)
    assert parsed.payload == b"payload" and parsed.kids == (b"kid",)
    assert parsed.headers == {cose.ALG: cose.ES256, cose.KID: b"kid", cose.TYP: "a list"}
    assert holds(KEY.public, parsed) and not holds(OTHER, parsed)
    assert sign1({cose.TYP: "a list"}, b"payload", KEY) == raw  # RFC 6979: the same twice


def test_tags_come_in_one_order_and_may_be_missing() -> None:
    item = cbor2.loads(sign1({}, b"payload", KEY)).value

    def tagged(*tags: int) -> bytes:
        inner: Any = item
        for tag in reversed(tags):
            inner = cbor2.CBORTag(tag, inner)
        return cbor2.dumps(inner)

    for tags in ((), (18,), (61, 18), (61,)):
        assert parse_sign1(tagged(*tags)).payload == b"payload"
    for tags in ((18, 61), (18, 18), (61, 61, 18), (16,), (17,), (96,), (97,), (98,), (61, 17)):
        refused(tagged(*tags))


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\x00",
        b"\xf6",
        b"\x80",
        b"\xff",
        b"\x81" * 10_000 + b"\x00",
        b"\xa1" * 10_000 + b"\x00",
        b"\xc6" * 10_000 + b"\x00",
        b"\x9f" * 10_000,
        b"\x9b" + b"\xff" * 8,
        b"\x5b" + b"\x7f" + b"\xff" * 7,
        b"\xbb" + b"\xff" * 8,
        cbor2.dumps([b"", {}, None, b""]),
        cbor2.dumps([b"", {}, "text", b""]),
        cbor2.dumps([b"", [], b"", b""]),
        cbor2.dumps(["", {}, b"", b""]),
        cbor2.dumps([b"", {}, b""]),
        cbor2.dumps([b"\x80", {}, b"", b""]),
        cbor2.dumps([b"\xa0\xa0", {}, b"", b""]),
        cbor2.dumps([b"\xa2\x01\x26\x01\x26", {}, b"", b""]),
        cbor2.dumps([b"\xa1\x02\x81\x01", {}, b"", b""]),
        cbor2.dumps([b"", {}, b"", b""]) + b"\x00",
    ],
    ids=lambda raw: raw[:12].hex() or "nothing",
)
def test_what_is_no_envelope_is_refused(raw: bytes) -> None:
    refused(raw)


def test_an_envelope_has_a_largest_size() -> None:
    raw = sign1({}, b"x" * 1_000, KEY)
    assert parse_sign1(raw, max_bytes=len(raw)).payload
    with pytest.raises(Invalid):
        parse_sign1(raw, max_bytes=len(raw) - 1)


def envelope(headers: dict[Any, Any], unprotected: dict[Any, Any]) -> Sign1:
    return Sign1(cbor2.dumps(headers), headers, unprotected, b"", b"")


def test_the_protected_kid_wins_even_where_it_is_of_no_use() -> None:
    assert envelope({4: b"a"}, {4: b"b"}).kids == (b"a",)
    assert envelope({}, {4: b"b"}).kids == (b"b",)
    assert envelope({}, {}).kids == ()
    for useless in (None, "a", 7, [b"b"]):
        assert envelope({4: useless}, {4: b"b"}).kids == ()
        assert envelope({}, {4: useless}).kids == ()


PRIVATE = {
    cose.ES256: ec.derive_private_key(3, ec.SECP256R1()),
    cose.EDDSA: ed25519.Ed25519PrivateKey.from_private_bytes(b"\x03" * 32),
    cose.PS256: rsa.generate_private_key(65537, 2048),
}


def signed_by(private: Any, algorithm: object, *, unprotected: bool = False) -> Sign1:
    headers = {} if unprotected else {cose.ALG: algorithm}
    protected = cbor2.dumps(headers) if headers else b""
    data = cose.to_be_signed(protected, b"payload")
    if isinstance(private, ec.EllipticCurvePrivateKey):
        signature = SigningKey(private, b"").sign(data)
    elif isinstance(private, rsa.RSAPrivateKey):
        signature = private.sign(data, padding.PSS(padding.MGF1(hashes.SHA256()), 32), hashes.SHA256())
    else:
        signature = private.sign(data)
    return Sign1(protected, headers, {cose.ALG: algorithm} if unprotected else {}, b"payload", signature)


@pytest.mark.parametrize("algorithm", PRIVATE)
def test_each_kind_of_key_takes_one_algorithm(algorithm: int) -> None:
    private = PRIVATE[algorithm]
    assert holds(private.public_key(), signed_by(private, algorithm))
    assert holds(private.public_key(), signed_by(private, algorithm, unprotected=True))
    for other in (*(each for each in PRIVATE if each != algorithm), 0, None, "ES256", [algorithm], -35, 5):
        assert not holds(private.public_key(), signed_by(private, other))
    for other, key in PRIVATE.items():
        if other != algorithm:
            assert not holds(key.public_key(), signed_by(private, algorithm))


def test_weak_and_odd_keys_hold_nothing() -> None:
    for private, algorithm in (
        (rsa.generate_private_key(65537, 1024), cose.PS256),
        (ec.derive_private_key(3, ec.SECP256K1()), cose.ES256),
    ):
        assert not holds(private.public_key(), signed_by(private, algorithm))  # type: ignore[attr-defined]


@given(st.binary(max_size=100))
def test_no_other_signature_holds(signature: bytes) -> None:
    for algorithm, private in PRIVATE.items():
        good = signed_by(private, algorithm)
        forged = Sign1(good.protected, good.headers, {}, good.payload, signature)
        assert not holds(private.public_key(), forged)


@given(st.binary(max_size=300))
def test_any_bytes_give_our_error_only(raw: bytes) -> None:
    for read in (decode_cbor, parse_sign1):
        try:
            read(raw)
        except Invalid as wrong:
            assert wrong.code == "cose.malformed"


TAGGED = st.none() | st.integers() | st.floats() | st.text(max_size=20) | st.binary(max_size=20)


@given(st.integers(0, 300) | st.sampled_from([1004, 43000, 55799]), TAGGED | st.lists(TAGGED, max_size=3))
def test_any_tag_gives_our_error_only(tag: int, value: object) -> None:
    tagged = cbor2.dumps(cbor2.CBORTag(2**16, 0))[
        :-1
    ]  # the head, to be replaced: cbor2 writes some tags in its own way
    head = b"\xda" + tag.to_bytes(4, "big")
    assert tagged[0] == head[0]
    for raw in (head + cbor2.dumps(value), b"\xa1" + head + cbor2.dumps(value) + b"\x01"):
        try:
            decode_cbor(raw)
        except Invalid as wrong:
            assert wrong.code == "cose.malformed"


def test_times_of_cbor_are_read() -> None:
    moment = dt.datetime(2022, 2, 28, 7, tzinfo=dt.UTC)
    assert decode_cbor(cbor2.dumps(moment)) == moment


def test_what_a_key_in_memory_signs_is_r_and_s_whatever_their_length() -> None:
    private = ec.derive_private_key(7, ec.SECP256R1())
    key = cose.SigningKey(private, b"")
    lengths = set()
    for n in range(600):  # short ones come once in 256
        data = n.to_bytes(2, "big")
        der = private.sign(data, ec.ECDSA(hashes.SHA256(), deterministic_signing=True))
        r, s = utils.decode_dss_signature(der)
        assert key.sign(data) == r.to_bytes(32, "big") + s.to_bytes(32, "big")
        lengths.add((der[3], der[5 + der[3]]))
    assert {one for pair in lengths for one in pair} >= {31, 32, 33}
