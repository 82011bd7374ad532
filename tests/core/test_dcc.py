"""EU DCC: who signed it, whether they may, and a code of its own for every step that refuses."""

import datetime as dt
import zlib
from collections.abc import Callable

import cbor2
import pytest

from motma.core import base45, cose
from motma.core.errors import Invalid
from motma.core.legacy.dcc import read_dcc, verify_dcc
from motma.core.legacy.dcc_anchors import parse_dcc_anchors
from motma.core.legacy.reading import Anchors, DccAnchor
from tests.core.ministry import (
    ANCHORS,
    ARC,
    EXPIRES,
    GOOD,
    ISSUED,
    KEY,
    NOW,
    OLD_ARC,
    OTHER,
    PASSPORT,
    RECOVERY,
    RSA,
    SIGNER,
    TEST,
    VACCINATION,
    cwt,
    der,
    issue,
    pack,
    reading_of,
    refused,
)

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
