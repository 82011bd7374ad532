"""Document signers out of certificates and trust lists, sound and broken."""

import base64
import datetime as dt
import hashlib
import json
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from motma.core.errors import Invalid
from motma.core.legacy.dcc_anchors import parse_dcc_anchors
from motma.core.legacy.keys import parse_keys
from tests.core.ministry import ARC, ISSUED, KEY, OTHER, RSA, der


def listed(*certificates: bytes, **more: Any) -> list[dict[str, Any]]:
    return [{"rawData": base64.b64encode(one).decode(), **more} for one in certificates]


def spki(key: ec.EllipticCurvePrivateKey) -> str:
    raw = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(raw).decode()


def test_signers_come_as_certificates_or_as_a_trust_list() -> None:
    one, two = der(KEY, f"{ARC}.2"), der(RSA)
    pem = b"".join(x509.load_der_x509_certificate(each).public_bytes(Encoding.PEM) for each in (one, two))
    both = parse_dcc_anchors(pem)
    assert [anchor.kid for anchor in both] == [hashlib.sha256(each).digest()[:8] for each in (one, two)]
    assert both[0] == parse_dcc_anchors(one)[0] and both[0].country == "VN"
    assert [anchor.usages for anchor in both] == [frozenset({"vaccination"}), frozenset()]
    assert both[0].not_before == ISSUED - dt.timedelta(days=1)
    assert parse_dcc_anchors(json.dumps(listed(one, two, country="VN")).encode()) == both
    assert parse_dcc_anchors(json.dumps({"certificates": listed(one, two), "more": 1}).encode()) == both


def test_a_list_may_name_kids_and_hold_more_than_document_signers() -> None:
    kid = base64.b64encode(b"8 bytes.").decode()
    entries = listed(der(KEY), kid=kid, country="XK", certificateType="DSC")
    entries += listed(der(OTHER), certificateType="CSCA")
    (anchor,) = parse_dcc_anchors(json.dumps(entries).encode())
    assert (anchor.kid, anchor.country) == (b"8 bytes.", "XK")


def test_keys_that_sign_nothing_here_are_refused() -> None:
    odd = ec.derive_private_key(7, ec.SECP384R1())
    for key in (odd, ed25519.Ed25519PrivateKey.generate(), rsa.generate_private_key(65537, 1024)):
        with pytest.raises(Invalid) as caught:
            parse_dcc_anchors(der(key))
        assert caught.value.code == "dcc_anchors.key"


def test_lists_of_bare_keys_as_some_countries_publish_them() -> None:
    kid = base64.b64encode(b"8 bytes.").decode()
    bare, wide = spki(KEY), spki(ec.derive_private_key(7, ec.SECP384R1()))
    british = [{"kid": kid, "publicKey": bare}, {"kid": kid, "publicKey": wide}]
    dutch = {"cl_keys": [], "eu_keys": {kid: [{"subjectPk": bare, "keyUsage": ["v", "r"]}]}}
    wrapped = {"payload": base64.b64encode(json.dumps(dutch).encode()).decode(), "signature": "AAAA"}
    for listed, usages in (
        (british, set()),
        (dutch, {"vaccination", "recovery"}),
        (wrapped, {"vaccination", "recovery"}),
    ):
        raw = json.dumps(listed).encode()
        (anchor,) = parse_dcc_anchors(raw)
        assert (anchor.kid, anchor.public, anchor.usages) == (b"8 bytes.", KEY.public_key(), usages)
        assert parse_keys(raw).dcc == (anchor,)
    unknown = [{"kid": kid, "publicKey": bare, "keyUsage": ["x"]}]
    assert parse_dcc_anchors(json.dumps(unknown).encode())[0].usages.isdisjoint({"test", "vaccination", "recovery"})


def test_a_signed_list_is_read_without_its_signature() -> None:
    one = der(KEY)
    raw = b"MEUCIQDsomesignature0123456789abcdefg==\n" + json.dumps({"certificates": listed(one)}).encode()
    assert parse_dcc_anchors(raw) == parse_dcc_anchors(one) == parse_keys(raw).dcc


def test_a_list_is_not_refused_for_one_countrys_odd_key() -> None:
    odd, one = ec.derive_private_key(7, ec.SECP384R1()), der(KEY)
    assert parse_dcc_anchors(json.dumps(listed(der(odd), one)).encode()) == parse_dcc_anchors(one)
    assert parse_dcc_anchors(json.dumps(listed(der(odd))).encode()) == ()


@pytest.mark.parametrize(
    "listed",
    [
        [{"publicKey": "AAAA", "kid": "AAAAAAAAAAA="}],
        [{"publicKey": "not base64", "kid": "AAAAAAAAAAA="}],
        [{"publicKey": spki(KEY)}],
        {"eu_keys": {"?": [{"subjectPk": "AAAA"}]}},
        {"eu_keys": 5},
        {"payload": "e30="},
        {"payload": "?"},
    ],
)  # fmt: skip
def test_broken_lists_of_bare_keys(listed: Any) -> None:
    with pytest.raises(Invalid, match=r"^dcc_anchors\.unreadable$"):
        parse_dcc_anchors(json.dumps(listed).encode())


@given(st.binary(max_size=200) | st.sampled_from([b"[", b"{}", b"[{}]", b"[1]", b'{"certificates": 5}', b"[" * 50_000]))
def test_any_trust_list_gives_our_errors_only(raw: bytes) -> None:
    for one in (raw, b"-----BEGIN CERTIFICATE-----" + raw, json.dumps(listed(raw)).encode()):
        with pytest.raises(Invalid, match=r"^dcc_anchors\."):
            parse_dcc_anchors(one)


@pytest.mark.filterwarnings("ignore::cryptography.utils.CryptographyDeprecationWarning")  # a serial number below 1
def test_any_flipped_bit_of_a_certificate_gives_our_errors_only() -> None:
    raw = der(KEY, f"{ARC}.1", f"{ARC}.2")
    for bit in range(len(raw) * 8):
        flipped = bytearray(raw)
        flipped[bit // 8] ^= 1 << bit % 8
        try:
            parse_dcc_anchors(bytes(flipped))
        except Invalid as wrong:
            assert wrong.code.startswith("dcc_anchors.")
