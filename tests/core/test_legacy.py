"""Every other code: what it is, what is kept of it, what it is worth; and nothing that is shown breaks anything."""

import base64
import datetime as dt
import json
from pathlib import Path
from typing import Any

import cbor2
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import example, given
from hypothesis import strategies as st

from motma.core import base45
from motma.core.cose import SigningKey, sign1
from motma.core.legacy import TEXT_MAX_CHARS, read
from motma.core.legacy.reading import FIELD_WORDS, KIND_WORDS, Anchors, NzcpKey, Reading, ShcKey, Trust
from motma.core.legacy.shc import join_parts

VECTORS = Path(__file__).parents[2] / "vectors" / "legacy"
NOW = dt.datetime(2026, 1, 18, 7, tzinfo=dt.UTC)
NOBODY = Anchors()


def load(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((VECTORS / name).read_text("utf-8"))
    return loaded


PLAIN, SHC, NZCP = load("plain.json"), load("shc.json"), load("nzcp.json")


def public(jwk: dict[str, str]) -> ec.EllipticCurvePublicKey:
    x, y = (int.from_bytes(base64.urlsafe_b64decode(jwk[name] + "=="), "big") for name in "xy")
    return ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key()


def anchors() -> Anchors:
    shc, nzcp = SHC["keys"]["keys"], NZCP["keys"]["keys"]
    return Anchors(
        shc=tuple(ShcKey(SHC["issuer"], jwk["kid"], public(jwk)) for jwk in shc),
        nzcp=tuple(NzcpKey(NZCP["issuer"], jwk["kid"], public(jwk)) for jwk in nzcp),
    )


def worth(trust: Trust) -> str:
    """One word for a trust, the gravest first."""
    if trust.unread or not trust.signed:
        return "unread" if trust.unread else "plain"
    if trust.holds is False or trust.barred:
        return "barred" if trust.barred else "forged"
    if trust.expired or trust.not_yet:
        return "expired" if trust.expired else "not_yet"
    return "good" if trust.good else "unknown"


def codes(reading: Reading) -> list[str]:
    return [problem.code for problem in reading.problems]


def plainly(reading: Reading) -> dict[str, Any]:
    return {name: list(value) if isinstance(value, tuple) else value for name, value in reading.fields.items()}


@pytest.mark.parametrize("case", PLAIN["cases"], ids=lambda case: case["about"])
def test_a_plain_code_is_read_and_proves_nothing(case: dict[str, Any]) -> None:
    reading = read(case["text"], NOBODY, NOW)
    assert (reading.kind, list(reading.fields.items()), codes(reading)) == (
        case["kind"],
        list(case["fields"].items()),  # in this order
        case["problems"],
    )
    assert worth(reading.trust) == ("unread" if case["kind"] == "unknown" else "plain")
    assert not reading.trust.good and not reading.trust.broken


@pytest.mark.parametrize(
    ("kind", "case"),
    [("shc", case) for case in SHC["cases"]] + [("nzcp", case) for case in NZCP["cases"]],
    ids=lambda value: value if isinstance(value, str) else value["about"],
)
def test_a_pass_of_another_country_is_verified(kind: str, case: dict[str, Any]) -> None:
    assert SHC["now"] == NZCP["now"] == int(NOW.timestamp())
    reading = read(case["text"], anchors(), NOW)
    problems = case.get("problems", [])
    assert reading.kind == ("unknown" if f"{kind}.unreadable" in problems else kind)
    if reading.kind != "unknown":
        assert plainly(reading) == case.get("fields", {})
        assert worth(reading.trust) == case["trust"]
    assert codes(reading) == problems


@pytest.mark.parametrize("case", [SHC["cases"][0], NZCP["cases"][0]], ids=["shc", "nzcp"])
def test_without_keys_a_signature_is_not_called_wrong(case: dict[str, Any]) -> None:
    reading = read(case["text"], NOBODY, NOW)
    assert worth(reading.trust) == "unknown" and not reading.trust.broken
    assert reading.trust.signer in reading.trust.words.vi and "not checked" in reading.trust.words.en


def test_parts_of_a_card_are_put_together() -> None:
    first, second = (case["text"] for case in SHC["cases"] if "of two parts" in case["about"])
    whole = SHC["cases"][0]["text"]
    assert join_parts([first, second]) == join_parts([second, first, second]) == whole
    assert join_parts([first]) is None and join_parts([whole]) is None and join_parts([]) is None
    assert join_parts([first, second.replace("/2/2/", "/2/3/")]) is None


def test_relatives_on_a_card_are_nowhere() -> None:
    case = next(case for case in PLAIN["cases"] if "relatives" in case["about"])
    reading = read(case["text"], NOBODY, NOW)
    everything = f"{reading!r} {reading} {dict(reading.fields)} {reading.problems} {vars(type(reading))}"
    assert "Người Thân" not in everything and "999060000001" not in everything


def test_a_reading_in_a_log_names_nobody() -> None:
    for case in PLAIN["cases"]:
        printed = f"{read(case['text'], NOBODY, NOW)!r}"
        assert not any(value in printed for name, value in case["fields"].items() if name != "declared_by")


@pytest.mark.parametrize("around", ["\ufeff{}", "\r\n{}\n", "\t {} \x00", "\u200b{}\u2060", "  {}  "])
def test_what_stands_around_a_code_does_no_harm(around: str) -> None:
    for text in (SHC["cases"][0]["text"], NZCP["cases"][0]["text"], PLAIN["cases"][0]["text"]):
        bare, wrapped = read(text, anchors(), NOW), read(around.format(text), anchors(), NOW)
        assert (wrapped.kind, wrapped.fields, wrapped.trust) == (bare.kind, bare.fields, bare.trust)


@pytest.mark.parametrize("start", ["", "HC1:", "shc:/", "NZCP:/1/", "999090123456|", "https://"])
def test_what_no_qr_code_can_hold_is_not_read(start: str) -> None:
    reading = read(start + "0" * TEXT_MAX_CHARS + "1", anchors(), NOW)
    assert (reading.kind, codes(reading)) == ("unknown", ["read.too_long"])


# -- hostile -----------------------------------------------------------------------------------------------------------

TEXT = st.text(st.characters(), max_size=400)
STARTS = [
    "",
    "HC1:",
    "shc:/",
    "shc:/1/2/",
    "NZCP:/1/",
    "https://",
    "6BF",
    "999090123456||A|",
    "|||||",
    "a|b|c|",
    "\ufeff",
]


def sound(reading: Reading) -> None:
    """What holds for every reading of anything."""
    assert reading.kind in KIND_WORDS and set(reading.fields) <= set(FIELD_WORDS)
    for value in reading.fields.values():
        for line in (value,) if isinstance(value, str) else value:
            assert line and line.isprintable() and len(line) <= 400
    assert all(problem.words.vi and problem.words.en for problem in reading.problems)
    assert reading.trust.words.vi.isprintable() and reading.trust.words.en
    assert reading.fields or reading.problems


@given(TEXT, st.sampled_from(STARTS))
@example("\ud800|\ud800|1987-01-18|0|1|<1", "")
@example("9" * 5_000, "")
@example("0" * 9_000, "shc:/")
def test_reading_never_raises(text: str, start: str) -> None:
    sound(read(start + text, anchors(), NOW))


@given(
    st.lists(st.one_of(TEXT, st.sampled_from(["", "0", "1", "Nam", "01011990", "1987-**-**", "9" * 12])), max_size=12)
)
def test_bars_never_raise(parts: list[str]) -> None:
    sound(read("|".join(parts), NOBODY, NOW))


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers(-(10**400), 10**400) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
RESOURCES = st.dictionaries(
    st.sampled_from(["resourceType", "name", "birthDate", "vaccineCode", "status", "code", "valueCodeableConcept"]),
    JSON | st.sampled_from(["Patient", "Immunization", "Observation"]),
)


@given(st.lists(st.fixed_dictionaries({"resource": RESOURCES | JSON}) | JSON, max_size=5), JSON, JSON)
def test_any_bundle_is_read(entries: list[Any], nbf: Any, kid: Any) -> None:
    from vectors.legacy import make

    bundle = {"resourceType": "Bundle", "entry": entries}
    body = make.payload(nbf=nbf, exp=nbf, vc={"credentialSubject": {"fhirBundle": bundle}})
    sound(read(make.shc(make.jws(body, kid=kid)), anchors(), NOW))


CBOR = st.recursive(
    st.none()
    | st.booleans()
    | st.floats()
    | st.integers(-(10**40), 10**40)
    | st.text(max_size=9)
    | st.binary(max_size=9),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.integers(-9, 9) | st.text(max_size=4), inner, max_size=3)
        | st.builds(cbor2.CBORTag, st.sampled_from([0, 1, 2, 3, 4, 5, 18, 28, 29, 30, 35, 36, 37, 55799, 999]), inner)
    ),
    max_leaves=8,
)
SIGNER = SigningKey(ec.derive_private_key(0x5EED_2026_0122, ec.SECP256R1()), b"key-1")


@given(CBOR, CBOR, CBOR)
def test_any_claims_are_read(credential: Any, issuer: Any, time: Any) -> None:
    claims = {1: issuer, 4: time, 5: time, "vc": credential}
    raw = sign1({}, cbor2.dumps(claims), SIGNER)
    sound(read("NZCP:/1/" + base64.b32encode(raw).decode().rstrip("="), anchors(), NOW))
    raw = sign1({}, cbor2.dumps({"vc": {"credentialSubject": credential, "type": credential}, 5: time}), SIGNER)
    sound(read("NZCP:/1/" + base64.b32encode(raw).decode(), anchors(), NOW))


@given(st.binary(max_size=300))
def test_any_bytes_are_read(raw: bytes) -> None:
    for text in ("NZCP:/1/" + base64.b32encode(raw).decode(), base45.encode(raw), "HC1:" + base45.encode(raw)):
        sound(read(text, anchors(), NOW))


@pytest.mark.parametrize(
    "raw",
    [
        b"\x81" * 10_000 + b"\x00",
        b"\xd8\x3d" * 3_000 + b"\x00",
        b"\x9b" + b"\xff" * 8,
        b"\x5b" + b"\x7f" * 8,
        b"\xc2\x59\xff\xff" + b"\xff" * 65_535,
        b"\xd8\x23" + b"\x6a(a+)+(b+)+",
        b"\xd8\x1c\x81\xd8\x1d\x00",
        cbor2.dumps({4: float("nan"), 5: float("inf")}),
    ],
    ids=["deep", "tags", "long array", "long bytes", "huge number", "pattern", "cycle", "nan"],
)
def test_hostile_cbor(raw: bytes) -> None:
    whole = sign1({}, raw, SIGNER)
    for packed in (raw, whole):
        text = "NZCP:/1/" + base64.b32encode(packed).decode()
        sound(read(text[:TEXT_MAX_CHARS], anchors(), NOW))
        sound(read(base45.encode(packed)[: TEXT_MAX_CHARS - 1], anchors(), NOW))


def test_every_specimen_is_of_somebody_invented() -> None:
    for case in PLAIN["cases"][1:]:
        number = case["fields"].get("document_number", "999")
        assert number.startswith(("999", "***", "N999")), case["about"]
