"""EU DCC: every step refuses with its own code, whatever the issuer or a forger wrote; the EU's own vectors."""

import base64
import binascii
import datetime as dt
import hashlib
import io
import json
import re
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import cbor2
import pytest
import zxingcpp
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from motma.core import base45, cose
from motma.core.errors import Invalid
from motma.core.legacy import dcc
from motma.core.legacy.dcc import Dcc, read_dcc, verify_dcc
from motma.core.legacy.dcc_anchors import parse_dcc_anchors
from motma.core.legacy.dcc_schema import what_is_wrong
from motma.core.legacy.reading import Anchors, DccAnchor, Reading

VECTORS = Path(__file__).parents[3] / "shared" / "testdata" / "dgc"
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
BROKEN = ...


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


# -- a good one --------------------------------------------------------------------------------------------------------


def test_a_vietnamese_vaccine_passport_verifies() -> None:
    verified = verify_dcc(GOOD, ANCHORS, NOW)
    assert verified.signer is SIGNER and verified.dcc.kinds == ("vaccination",)
    assert (verified.dcc.issuer, verified.dcc.issued_at, verified.dcc.expires_at) == ("VN", ISSUED, EXPIRES)
    assert verified.dcc.content == PASSPORT


def test_it_is_read_with_what_it_is_worth() -> None:
    reading = reading_of(GOOD)
    assert reading.kind == "dcc" and reading.trust.good and not reading.problems
    assert reading.trust.signer == "VN" and reading.trust.expires_at == EXPIRES
    assert dict(reading.fields) == {
        "name": "Nguyễn Thị Ánh Đào",
        "birth_date": "1990-05-12",
        "vaccinations": ("2021-12-20 2/2 Comirnaty (Pfizer-BioNTech) VN",),
        "certificate": "URN:UVCI:01:VN:999099000011ABC",
        "issuer": "Bộ Y tế",
        "valid_until": EXPIRES.isoformat(),
    }


def test_tests_and_recoveries_are_read_too() -> None:
    content = {**PASSPORT, "v": None, "t": [TEST]}
    assert reading_of(pack(issue(cwt(content)))).fields["tests"] == ("2022-02-28 PCR not detected VN",)
    content = {**PASSPORT, "v": None, "r": [RECOVERY]}
    lines = reading_of(pack(issue(cwt(content)))).fields["recoveries"]
    assert lines == ("2021-10-01 (2021-10-12 – 2022-04-01) VN",)


def test_a_name_in_another_script_is_read_as_passports_write_it() -> None:
    content = {**PASSPORT, "nam": {"fn": "Мундров", "gn": "Валентин", "fnt": "MUNDROV", "gnt": "VALENTIN"}}
    assert reading_of(pack(issue(cwt(content, iss="BG")))).fields["name"] == "VALENTIN MUNDROV"


def test_what_is_no_dcc_is_left_to_others() -> None:
    for text in ("", "HC2:" + GOOD[4:], GOOD[4:], "hc1:" + GOOD[4:], "shc:/5676"):
        assert read_dcc(text, ANCHORS, NOW) is None
        assert refused(text) == "dcc.prefix"


def test_a_person_is_not_in_what_is_printed() -> None:
    verified = verify_dcc(GOOD, ANCHORS, NOW)
    for printed in (repr(verified.dcc), str(verified.dcc), repr(reading_of(GOOD))):
        assert "Nguyễn" not in printed and "NGUYEN" not in printed and "1990" not in printed


def test_rsa_signers_are_believed() -> None:
    (signer,) = parse_dcc_anchors(der(RSA))
    text = pack(issue(key=RSA, headers={1: cose.PS256, 4: signer.kid}))
    assert verify_dcc(text, Anchors(dcc=(signer,)), NOW).signer is signer
    assert refused(text, Anchors(dcc=(DccAnchor(signer.kid, OTHER.public_key()),))) == "dcc.forged"


@pytest.mark.parametrize("tags", [[], [18], [61, 18], [61]], ids=str)
def test_tags_may_be_there_doubled_or_missing(tags: list[int]) -> None:
    item = cbor2.loads(issue()).value
    for tag in reversed(tags):
        item = cbor2.CBORTag(tag, item)
    assert verify_dcc(pack(cbor2.dumps(item)), ANCHORS, NOW).signer is SIGNER


@pytest.mark.parametrize("tags", [[18, 61], [18, 18], [61, 61, 18], [98], [17], [16]], ids=str)
def test_other_tags_are_refused(tags: list[int]) -> None:
    item = cbor2.loads(issue()).value
    for tag in reversed(tags):
        item = cbor2.CBORTag(tag, item)
    assert refused(pack(cbor2.dumps(item))) == "dcc.cose"


# -- whose key ---------------------------------------------------------------------------------------------------------


def test_every_key_that_bears_the_kid_is_tried() -> None:
    twin = DccAnchor(SIGNER.kid, OTHER.public_key())
    for signers in ((twin, SIGNER), (SIGNER, twin)):
        assert verify_dcc(GOOD, Anchors(dcc=signers), NOW).signer is SIGNER
    assert refused(GOOD, Anchors(dcc=(twin,))) == "dcc.forged"


def test_a_kid_outside_the_signature_will_do_where_there_is_none_inside() -> None:
    text = pack(issue(headers={1: cose.ES256}, unprotected={4: SIGNER.kid}))
    assert verify_dcc(text, ANCHORS, NOW).signer is SIGNER
    assert refused(pack(issue(headers={1: cose.ES256}, unprotected={4: b"8 bytes."}))) == "dcc.unknown_key"


@pytest.mark.parametrize("kid", [b"8 bytes.", b"", "text", 7, None], ids=repr)
def test_a_wrong_protected_kid_is_not_mended_by_a_right_unprotected_one(kid: object) -> None:
    text = pack(issue(headers={1: cose.ES256, 4: kid}, unprotected={4: SIGNER.kid}))
    assert refused(text) in ("dcc.unknown_key", "dcc.no_kid")


@pytest.mark.parametrize(
    ("arc", "usages", "kind", "code"),
    [
        (ARC, (2,), "v", None),
        (OLD_ARC, (2,), "v", None),
        (ARC, (1, 2, 3), "v", None),
        (ARC, (), "v", None),
        (ARC, (1,), "v", "dcc.key_usage"),
        (OLD_ARC, (3,), "v", "dcc.key_usage"),
        (ARC, (1, 3), "v", "dcc.key_usage"),
        (ARC, (1,), "t", None),
        (ARC, (2,), "t", "dcc.key_usage"),
        (ARC, (3,), "r", None),
        (OLD_ARC, (1, 2), "r", "dcc.key_usage"),
        ("1.3.6.1.5.5.7.3", (1, 2), "v", None),  # TLS, left in by a template: says nothing
        ("2.23.136.1.1.14", (2,), "v", "dcc.key_usage"),  # a signer of something else altogether
    ],
)
def test_a_key_signs_only_what_its_certificate_allows(
    arc: str, usages: tuple[int, ...], kind: str, code: str | None
) -> None:
    anchors = parse_dcc_anchors(der(KEY, *(f"{arc}.{usage}" for usage in usages)))
    entry = {"v": VACCINATION, "t": TEST, "r": RECOVERY}[kind]
    content = {name: value for name, value in PASSPORT.items() if name != "v"} | {kind: [entry]}
    text = pack(issue(cwt(content), headers={1: cose.ES256, 4: anchors[0].kid}))
    reading = reading_of(text, Anchors(dcc=anchors))
    if code:
        assert refused(text, Anchors(dcc=anchors)) == code
        assert reading.trust.barred and not reading.trust.good
    else:
        verify_dcc(text, Anchors(dcc=anchors), NOW)
        assert reading.trust.good


def test_a_certificate_counts_from_its_first_day_to_its_last() -> None:
    def code(**times: dt.datetime) -> str | None:
        anchors = parse_dcc_anchors(der(KEY, **times))
        text = pack(issue(headers={1: cose.ES256, 4: anchors[0].kid}))
        try:
            verify_dcc(text, Anchors(dcc=anchors), NOW)
        except Invalid as wrong:
            return wrong.code
        return None

    second = dt.timedelta(seconds=1)
    assert code(since=ISSUED, until=NOW) is None
    assert code(since=ISSUED + second) == "dcc.key_time"
    assert code(until=NOW - second) == "dcc.key_time"


def test_a_certificate_counts_to_the_last_second_that_it_names() -> None:
    second = dt.timedelta(seconds=1)
    assert verify_dcc(GOOD, ANCHORS, ISSUED) and verify_dcc(GOOD, ANCHORS, EXPIRES)
    assert refused(GOOD, now=ISSUED - second) == "dcc.not_yet"
    assert refused(GOOD, now=EXPIRES + second) == "dcc.expired"
    assert reading_of(GOOD, now=EXPIRES + second).trust.expired
    assert reading_of(GOOD, now=ISSUED - second).trust.not_yet


# -- what is wrong with it ---------------------------------------------------------------------------------------------


def test_a_reading_says_what_is_wrong_and_what_it_says_all_the_same() -> None:
    unknown = reading_of(GOOD, Anchors())
    assert unknown.trust.holds is None and not unknown.trust.known and unknown.fields["name"]
    assert [problem.code for problem in unknown.problems] == ["dcc.unknown_key"]
    forged = reading_of(GOOD, Anchors(dcc=(DccAnchor(SIGNER.kid, OTHER.public_key()),)))
    assert forged.trust.holds is False and forged.trust.known and forged.trust.broken
    damaged = reading_of(GOOD[:-3])
    assert damaged.kind == "unknown" and damaged.trust.unread and not damaged.trust.signed


ENVELOPES: dict[str, tuple[Callable[[], bytes], str]] = {
    "not CBOR": (lambda: b"\xff\xff", "dcc.cose"),
    "nothing": (lambda: b"", "dcc.cose"),
    "a number": (lambda: b"\x05", "dcc.cose"),
    "three parts": (lambda: cbor2.dumps([b"", {}, b""]), "dcc.cose"),
    "detached": (lambda: cbor2.dumps([b"", {}, None, b""]), "dcc.cose"),
    "bytes after it": (lambda: issue() + b"\x00", "dcc.cose"),
    "cut off": (lambda: issue()[:-1], "dcc.cose"),
    "nested 10,000 deep": (lambda: b"\x81" * 10_000 + b"\x00", "dcc.cose"),
    "tagged 10,000 deep": (lambda: b"\xd2" * 10_000 + b"\x00", "dcc.cose"),
    "opened 10,000 times": (lambda: b"\x9f" * 10_000, "dcc.cose"),
    "a list of 2^64": (lambda: b"\x9b" + b"\xff" * 8, "dcc.cose"),
    "a header twice": (lambda: issue(protected=bytes.fromhex("a301260126") + b"\x04\x40"), "dcc.cose"),
    "critical headers": (lambda: issue(headers={1: -7, 2: [99], 4: SIGNER.kid, 99: 1}), "dcc.cose"),
    "headers that are no map": (lambda: issue(protected=cbor2.dumps([1, -7])), "dcc.cose"),
    "algorithm none": (lambda: issue(headers={1: 0, 4: SIGNER.kid}), "dcc.algorithm"),
    "no algorithm": (lambda: issue(headers={4: SIGNER.kid}), "dcc.algorithm"),
    "algorithm by name": (lambda: issue(headers={1: "ES256", 4: SIGNER.kid}), "dcc.algorithm"),
    "algorithm in a list": (lambda: issue(headers={1: [-7], 4: SIGNER.kid}), "dcc.algorithm"),
    "a MAC": (lambda: issue(headers={1: 5, 4: SIGNER.kid}), "dcc.algorithm"),
    "ES384": (lambda: issue(headers={1: -35, 4: SIGNER.kid}), "dcc.algorithm"),
    "Ed25519": (lambda: issue(headers={1: -8, 4: SIGNER.kid}), "dcc.algorithm"),
    "another algorithm than the key's": (lambda: issue(headers={1: cose.PS256, 4: SIGNER.kid}), "dcc.forged"),
    "no kid": (lambda: issue(headers={1: -7}), "dcc.no_kid"),
    "another's signature": (lambda: issue(key=OTHER), "dcc.forged"),
    "payload no CBOR": (lambda: issue(b"\xff"), "dcc.content"),
    "payload nested 10,000 deep": (lambda: issue(b"\x81" * 10_000 + b"\x00"), "dcc.content"),
    "payload a list": (lambda: issue(cbor2.dumps([1])), "dcc.content"),
    "no certificate": (lambda: issue(cbor2.dumps({4: 2**31, 6: 1})), "dcc.content"),
    "a claim twice": (lambda: issue(b"\xa4" + cwt()[1:] + b"\x01\x01"), "dcc.content"),
    "no end": (lambda: issue(cwt(exp=None)), "dcc.content"),
    "no beginning": (lambda: issue(cwt(iat=None)), "dcc.content"),
    "an end that is no number": (lambda: issue(cwt(exp=float("nan"))), "dcc.content"),
    "an endless end": (lambda: issue(cwt(exp=float("inf"))), "dcc.content"),
    "an end beyond all years": (lambda: issue(cwt(exp=10**400)), "dcc.content"),
    "an end before 1970": (lambda: issue(cwt(exp=-1)), "dcc.content"),
    "an end in text": (lambda: issue(cwt(exp="2030-01-01")), "dcc.content"),
    "an end that is true": (lambda: issue(cwt(exp=True)), "dcc.content"),
    "content a text": (lambda: issue(cwt("HC1")), "dcc.content"),
    "content empty": (lambda: issue(cwt({})), "dcc.content"),
    "too large": (lambda: issue(cwt(PASSPORT | {"x": "y" * 40_000})), "dcc.inflate"),
}


@pytest.mark.parametrize("about", ENVELOPES)
def test_a_bad_envelope_is_refused_at_its_step(about: str) -> None:
    make, code = ENVELOPES[about]
    text = pack(make())
    assert refused(text) == code
    problems = reading_of(text).problems
    assert problems and not reading_of(text).trust.good


def test_bad_packing_is_refused_at_its_step() -> None:
    squeezed = zlib.compress(issue())
    assert refused("HC1:" + base45.encode(issue())) == "dcc.inflate"  # never squeezed
    assert refused("HC1:" + base45.encode(squeezed[:-1])) == "dcc.inflate"
    assert refused("HC1:" + base45.encode(squeezed + b"\x00")) == "dcc.inflate"
    assert refused("HC1:" + base45.encode(zlib.compress(b"\x00" * 10_000_000, 9))) == "dcc.inflate"
    for text in ("HC1:", "HC1:A", "HC1:::::", "HC1:abc", "HC1:AB\u0110", GOOD.lower().replace("hc1", "HC1")):
        assert refused(text) in ("dcc.base45", "dcc.inflate")
    assert refused("HC1:" + "0" * 1_000_000) == "dcc.base45"


def changed(path: str, value: object) -> dict[str, Any]:
    """The passport with one thing changed, or left out."""
    content: Any = json.loads(json.dumps(PASSPORT))
    *steps, last = path.split(".")
    at = content
    for step in steps:
        at = at[int(step)] if step.isdigit() else at[step]
    if value is BROKEN:
        del at[last]
    else:
        at[int(last) if last.isdigit() else last] = value
    return content


@pytest.mark.parametrize(
    ("path", "value"),
    [
        *((path, BROKEN) for path in ("ver", "nam", "dob", "v")),
        *((f"v.0.{field}", BROKEN) for field in VACCINATION),
        *((f"v.0.{field}", {"a": 1}) for field in VACCINATION),
        *(("ver", version) for version in ("", "1", "1.3", "2.0.0", "1.3.0 ", "1,3,0", 1.3, None)),
        *(("nam", name) for name in ("Nguyễn", [], None)),
        ("nam.fnt", "Nguyen"),
        ("nam.fnt", 5),
        ("nam.gnt", "ÁNH"),
        ("nam.fn", "😀"),
        ("nam.gn", "Ánh\u0000"),
        ("nam.gn", 7),
        *(("dob", born) for born in ("1815-08-24", "2100-01-01", "1990-13", "1990-02-30", "90", "12/05/1990", " ")),
        *(("dob", born) for born in (1990, None, "2022-03-01", "1990-5-1", "199０-05-12")),
        *((f"v.0.{dose}", number) for dose in ("dn", "sd") for number in (0, -1, "2", 2.0, True, 10**30)),
        *(("v.0.dt", day) for day in ("2021-12", "2021-13-01", "20211220", "", "yesterday")),
        *(("v.0.co", country) for country in ("", "vn", "XY", "QZ", "ZZ", "V1")),
        ("v.0.ma", "ORG-99999999"),
        ("v", []),
        ("v", {}),
        ("v", "v"),
        ("v", [VACCINATION, VACCINATION]),
        ("v.0", "Comirnaty"),
    ],
    ids=str,
)
def test_what_is_not_to_the_schema_is_named(path: str, value: object) -> None:
    content = changed(path, value)
    (wrong,) = what_is_wrong(content, ISSUED)
    assert path == wrong or wrong.startswith(path) or (path, wrong) == ("v.0", "v.0")
    text = pack(issue(cwt(content)))
    with pytest.raises(Invalid) as caught:
        verify_dcc(text, ANCHORS, NOW)
    assert caught.value.code == "dcc.schema" and list(caught.value.fields) == [wrong]
    assert "dcc.schema" in [problem.code for problem in reading_of(text).problems]


@pytest.mark.parametrize(
    ("path", "value"),
    [
        *(("dob", born) for born in ("1990", "1990-05", "1990-00-00", "", "1990-05-12T00:00:00")),
        *(("ver", version) for version in ("1.0.0", "1.3.3", "1.10.12")),
        ("nam", {"gnt": "THI<ANH<DAO"}),
        ("nam", {"fnt": ""}),
        ("nam.fn", None),
        ("v.0.dn", 9),
        ("v.0.co", "XK"),
        ("v.0.co", "UNHCR"),
        ("v.0.ma", "Abdala"),
        ("v.0.dt", "2021-12-20T00:00:00+07:00"),
        ("v.0.is", "B" * 200),
        ("t", None),
        ("meta", {"more": 1}),
    ],
    ids=str,
)
def test_what_honest_issuers_write_is_taken(path: str, value: object) -> None:
    assert what_is_wrong(changed(path, value), ISSUED) == ()


def test_a_certificate_is_about_one_thing() -> None:
    assert what_is_wrong({**PASSPORT, "t": [TEST]}, ISSUED) == ("v", "t")
    assert what_is_wrong({**PASSPORT, "ver": "1.2.1", "v": [VACCINATION, VACCINATION]}, ISSUED) == ()
    assert refused(pack(issue(cwt({**PASSPORT, "r": [RECOVERY]})))) == "dcc.schema"


def test_dates_may_be_dates_of_cbor() -> None:
    taken = dt.datetime(2022, 2, 28, 7, tzinfo=dt.UTC)
    content = {**PASSPORT, "v": None, "t": [TEST | {"sc": taken}]}
    assert verify_dcc(pack(issue(cwt(content))), ANCHORS, NOW).dcc.kinds == ("test",)


# -- anything at all ---------------------------------------------------------------------------------------------------

CBOR = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats()
    | st.text(max_size=12)
    | st.binary(max_size=12)
    | st.datetimes(timezones=st.just(dt.UTC)),
    lambda items: (
        st.lists(items, max_size=4)
        | st.dictionaries(
            st.sampled_from(["ver", "nam", "dob", "v", "t", "r", "fnt", *VACCINATION, *TEST, *RECOVERY])
            | st.integers(),
            items,
            max_size=4,
        )
        | st.builds(cbor2.CBORTag, st.integers(30_000, 2**32), items)
    ),
    max_leaves=12,
)


def check_only_our_errors(text: str) -> None:
    try:
        verify_dcc(text, ANCHORS, NOW)
    except Invalid as wrong:
        assert wrong.code.startswith("dcc.")
    reading = read_dcc(text, ANCHORS, NOW)
    if reading is not None:
        assert str(reading) and reading.trust.words.vi
        assert all(value.isprintable() for value in reading.fields.values() if isinstance(value, str))


@given(st.text(max_size=200) | st.text("0123456789ABCDEF $%*+-./:", max_size=200).map("HC1:".__add__))
def test_any_text_gives_our_errors_only(text: str) -> None:
    check_only_our_errors(text)


@given(st.binary(max_size=300))
def test_any_bytes_inside_give_our_errors_only(raw: bytes) -> None:
    check_only_our_errors(pack(raw))
    check_only_our_errors("HC1:" + base45.encode(raw))
    check_only_our_errors(pack(issue(raw)))
    check_only_our_errors(pack(issue(protected=raw)))


@settings(max_examples=300)
@given(CBOR)
def test_any_signed_content_gives_our_errors_only(content: object) -> None:
    check_only_our_errors(pack(issue(cwt(content))))
    if isinstance(content, dict):
        check_only_our_errors(pack(issue(cwt(PASSPORT | content))))
        check_only_our_errors(pack(issue(cwt({**PASSPORT, "v": [VACCINATION | content]}))))
        check_only_our_errors(pack(issue(cwt({**PASSPORT, "v": None, "t": [TEST | content]}))))


@given(CBOR, CBOR, CBOR)
def test_any_headers_and_times_give_our_errors_only(one: object, two: object, three: object) -> None:
    check_only_our_errors(pack(issue(headers={1: one, 4: two}, unprotected={1: two, 4: three})))
    check_only_our_errors(pack(issue(cwt(iss=one, iat=two, exp=three))))
    check_only_our_errors(pack(cbor2.dumps([one, two, three])))
    check_only_our_errors(pack(issue(cbor2.dumps({1: one, 4: 2**31, 6: 1, -260: two}))))


def test_any_flipped_bit_is_refused() -> None:
    raw = issue()
    for bit in range(0, len(raw) * 8, 3):  # every byte, every place in it
        flipped = bytearray(raw)
        flipped[bit // 8] ^= 1 << bit % 8
        refused(pack(bytes(flipped)))


@given(st.integers(4, len(GOOD) - 1), st.sampled_from("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"))
def test_any_changed_letter_is_refused(at: int, letter: str) -> None:
    if GOOD[at] != letter:
        refused(GOOD[:at] + letter + GOOD[at + 1 :])


# -- trust lists -------------------------------------------------------------------------------------------------------


def listed(*certificates: bytes, **more: Any) -> list[dict[str, Any]]:
    return [{"rawData": base64.b64encode(one).decode(), **more} for one in certificates]


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


# -- the EU's vectors --------------------------------------------------------------------------------------------------

FILES = sorted(VECTORS.glob("**/*.json"))


def clock(text: str) -> dt.datetime:
    """Their clocks have up to nine digits of a second."""
    moment = dt.datetime.fromisoformat(re.sub(r"\.[0-9]+", "", text).replace("Z", "+00:00"))
    return moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)


def comparable(item: Any) -> Any:
    """Without what JSON, CBOR and their makers write in different ways: order, and the spelling of a moment."""
    if isinstance(item, Mapping):
        return {key: comparable(value) for key, value in item.items()}
    if isinstance(item, list | tuple):
        return [comparable(value) for value in item]
    text = item.isoformat() if isinstance(item, dt.datetime) else item
    if isinstance(text, str) and re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", text):
        return clock(text).astimezone(dt.UTC)
    return text


class Vector:
    """One file of the EU's test data: each flag names what should come of one step."""

    def __init__(self, path: Path) -> None:
        self.parts = json.loads(path.read_text("utf-8-sig"))
        self.context = self.parts["TESTCTX"]

    def bytes_of(self, part: str) -> bytes:
        return binascii.unhexlify(self.parts[part])

    def dcc(self) -> Dcc:
        return dcc.content_of(dcc.parse_dcc(self.bytes_of("COSE")))

    def signers(self) -> tuple[DccAnchor, ...]:
        return parse_dcc_anchors(base64.b64decode(self.context["CERTIFICATE"]))

    def picture(self) -> None:
        image = Image.open(io.BytesIO(base64.b64decode(self.parts["2DCODE"]))).convert("RGB")
        framed = Image.new("RGB", (image.width + 80, image.height + 80), "white")  # some lack the quiet zone
        framed.paste(image, (40, 40))
        assert [code.text for code in zxingcpp.read_barcodes(framed)] == [self.parts["PREFIX"]]

    def unprefix(self) -> None:
        assert dcc.unprefix(self.parts["PREFIX"]) == self.parts["BASE45"]

    def base45(self) -> None:
        assert base45.decode(self.parts["BASE45"]) == self.bytes_of("COMPRESSED")

    def compression(self) -> None:
        assert dcc.unsqueeze(self.bytes_of("COMPRESSED")) == self.bytes_of("COSE")

    def decode(self) -> None:
        content = cose.decode_cbor(self.bytes_of("CBOR"))
        assert comparable(self.dcc().content) == comparable(content.get(-260, {}).get(1, content))

    def valid_json(self) -> None:
        content = dcc.content_of(dcc.parse_dcc(dcc.unpack(self.parts["PREFIX"]))).content
        assert comparable(content) == comparable(self.parts["JSON"])

    def verify(self) -> None:
        dcc.signer_of(dcc.parse_dcc(self.bytes_of("COSE")), Anchors(dcc=self.signers()))

    def expiration(self) -> None:
        dcc.check_times(self.dcc(), clock(self.context["VALIDATIONCLOCK"]))

    def schema(self) -> None:
        dcc.check_schema(self.dcc())

    def valid_object(self) -> None:
        assert what_is_wrong(self.parts["JSON"], None) == ()

    def key_usage(self) -> None:
        found = self.dcc()
        dcc.check_key(found, self.signers()[0], found.issued_at)


FLAGS: dict[str, tuple[Callable[[Vector], None], tuple[str, ...]]] = {
    "EXPECTEDPICTUREDECODE": (Vector.picture, ("2DCODE", "PREFIX")),
    "EXPECTEDUNPREFIX": (Vector.unprefix, ("PREFIX", "BASE45")),
    "EXPECTEDB45DECODE": (Vector.base45, ("BASE45", "COMPRESSED")),
    "EXPECTEDCOMPRESSION": (Vector.compression, ("COMPRESSED", "COSE")),
    "EXPECTEDDECODE": (Vector.decode, ("COSE", "CBOR")),
    "EXPECTEDVALIDJSON": (Vector.valid_json, ("PREFIX", "JSON")),
    "EXPECTEDVERIFY": (Vector.verify, ("COSE",)),
    "EXPECTEDEXPIRATIONCHECK": (Vector.expiration, ("COSE",)),
    "EXPTECTEDEXPIRED": (Vector.expiration, ("COSE",)),  # Bulgaria's name for the same
    "EXPECTEDSCHEMAVALIDATION": (Vector.schema, ("COSE",)),
    "EXPECTEDVALIDOBJECT": (Vector.valid_object, ("JSON",)),
    "EXPECTEDKEYUSAGE": (Vector.key_usage, ("COSE",)),
}


@pytest.mark.skipif(not FILES, reason="the EU's vectors are not here (../shared/testdata/dgc)")
@pytest.mark.parametrize("path", FILES or [None], ids=lambda path: str(path and path.relative_to(VECTORS)))
def test_the_eus_vectors_come_out_as_they_should(path: Path) -> None:
    vector = Vector(path)
    checked = 0
    for flag, expected in vector.parts["EXPECTEDRESULTS"].items():
        step, needed = FLAGS[flag]
        if not all(part in vector.parts for part in needed):
            continue  # as the data's own guide says: what is not there is not tested
        try:
            step(vector)
            outcome: str | None = None
        except (Invalid, AssertionError) as wrong:
            outcome = repr(wrong)
        assert (outcome is None) is expected, (flag, outcome)
        checked += 1
    assert checked >= 5
    assert read_dcc(vector.parts["PREFIX"], Anchors(dcc=vector.signers()), NOW).trust.holds  # type: ignore[union-attr]
