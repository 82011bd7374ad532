"""Foreign Claim 169 codes: whose they are, what they say, and that a face never stays with us."""

import datetime as dt
import json
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import cbor2
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from hypothesis import given, settings
from hypothesis import strategies as st

from motma.core import base45, cose
from motma.core.errors import Invalid
from motma.core.legacy import claim169
from motma.core.legacy.claim169 import ATTRIBUTES, BIOMETRICS, read_claim169, verify_claim169
from motma.core.legacy.reading import Anchors, Claim169Key, Reading

VECTORS = Path(__file__).parents[3] / "shared" / "testdata" / "claim169"
OURS = Path(__file__).parents[2] / "vectors" / "code" / "codes.json"
NOW = dt.datetime(2026, 3, 1, 8, tzinfo=dt.UTC)
ISSUER = "https://id.example.kh"

ED = ed25519.Ed25519PrivateKey.from_private_bytes(b"\x01" * 32)
EC = ec.derive_private_key(169, ec.SECP256R1())
OTHER = ed25519.Ed25519PrivateKey.from_private_bytes(b"\x02" * 32)
ED_KEY = Claim169Key(ISSUER, ED.public_key(), b"ed")
EC_KEY = Claim169Key(ISSUER, EC.public_key(), b"ec")
KEYS = (ED_KEY, EC_KEY)
ANCHORS = Anchors(claim169=KEYS)

PERSON: Mapping[int, Any] = {
    1: "3918592438",
    2: "1.2",
    3: "eng",
    4: "Sok Dara",
    8: "19880102",
    9: 1,
    10: "Phnom Penh\nStreet 15",
    11: "sok.dara@example.org",
    12: "+85512345678",
    13: "KH",
    14: 2,
    15: "Sok Chea",
    17: 4,
    18: [1, 6],
    19: "សុខ ដារ៉ា",
    20: "khm",
    21: "849VCWC8+R9",
    22: "Citizen",
    23: "KH",
}
BIOMETRIC = {50: [{0: b"\x03\xcb", 1: 1, 2: 1}], 62: [{0: b"RIFFface", 1: 0, 2: 4}], 65: [{0: b"WAVE", 1: 2}]}


def cwt(identity: object = PERSON, **claims: Any) -> bytes:
    said = {"iss": ISSUER, "exp": 1_800_000_000, "nbf": 1_700_000_000, "iat": 1_700_000_000} | claims
    numbers = {"iss": 1, "sub": 2, "exp": 4, "nbf": 5, "iat": 6}
    return cbor2.dumps({**{numbers[name]: value for name, value in said.items() if value is not None}, 169: identity})


def issue(
    payload: bytes | None = None,
    *,
    key: ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey = ED,
    headers: Mapping[int, Any] | None = None,
    unprotected: Mapping[int, Any] | None = None,
    tags: tuple[int, ...] = (18,),
) -> bytes:
    payload = cwt() if payload is None else payload
    algorithm = cose.EDDSA if isinstance(key, ed25519.Ed25519PrivateKey) else cose.ES256
    protected = cbor2.dumps({1: algorithm} if headers is None else dict(headers))
    signed = cose.to_be_signed(protected, payload)
    signer = key if isinstance(key, ed25519.Ed25519PrivateKey) else cose.SigningKey(key, b"")
    item: Any = [protected, dict(unprotected or {}), payload, signer.sign(signed)]
    for tag in reversed(tags):
        item = cbor2.CBORTag(tag, item)
    return cbor2.dumps(item)


def pack(raw: bytes) -> str:
    return base45.encode(zlib.compress(raw))


GOOD = pack(issue())


def refused(text: str, keys: tuple[Claim169Key, ...] = KEYS, now: dt.datetime = NOW) -> str:
    with pytest.raises(Invalid) as caught:
        verify_claim169(text, keys, now)
    assert caught.value.words.vi and caught.value.words.en
    return caught.value.code


def reading_of(text: str, anchors: Anchors = ANCHORS, now: dt.datetime = NOW) -> Reading:
    reading = read_claim169(text, anchors, now)
    assert reading is not None
    return reading


# -- a good one --------------------------------------------------------------------------------------------------------


def test_every_attribute_has_its_name() -> None:
    verified = verify_claim169(GOOD, KEYS, NOW)
    assert verified.key is ED_KEY and verified.claim.issuer == ISSUER
    expected = {ATTRIBUTES[number]: value for number, value in PERSON.items()} | {"best_quality_fingers": (1, 6)}
    assert verified.claim.attributes == expected
    assert sorted({*ATTRIBUTES, *BIOMETRICS}) == [*range(1, 24), *range(50, 66)]


def test_a_face_is_said_to_be_there_and_never_kept() -> None:
    identity = {**PERSON, 16: b"JPEG of a face", **BIOMETRIC, 24: "unassigned", 75: "reserved", "x": "private"}
    claim = verify_claim169(pack(issue(cwt(identity))), KEYS, NOW).claim
    assert claim.present == ("photo", "right_thumb", "face", "voice")
    assert set(claim.attributes) == {ATTRIBUTES[number] for number in PERSON}
    reading = reading_of(pack(issue(cwt(identity))))
    assert reading.fields["carries"] == claim.present
    kept = repr(dict(claim.attributes)) + repr(dict(reading.fields))
    assert not any(trace in kept for trace in ("JPEG", "RIFF", "WAVE", "unassigned", "reserved", "private"))


def test_it_is_read_with_what_it_is_worth() -> None:
    reading = reading_of(GOOD)
    assert reading.kind == "claim169" and reading.trust.good and not reading.problems
    assert dict(reading.fields) == {
        "document_number": "3918592438",
        "name": "Sok Dara",
        "birth_date": "1988-01-02",
        "sex": "male",
        "nationality": "KH",
        "address": "Phnom Penh Street 15",
        "phone": "+85512345678",
        "issuer": ISSUER,
    }


def test_a_person_is_not_in_what_is_printed() -> None:
    for printed in (repr(verify_claim169(GOOD, KEYS, NOW)), repr(reading_of(GOOD))):
        assert "Sok" not in printed and "1988" not in printed and "3918592438" not in printed


def test_a_name_in_parts_is_put_together() -> None:
    identity = {1: "1", 5: "Dara", 6: "Rith", 7: "Sok"}
    assert reading_of(pack(issue(cwt(identity)))).fields["name"] == "Dara Rith Sok"


@pytest.mark.parametrize("tags", [(), (18,), (61, 18), (61,)], ids=str)
@pytest.mark.parametrize("key", [ED, EC], ids=["Ed25519", "ES256"])
def test_tags_and_squeezing_may_be_missing(key: Any, tags: tuple[int, ...]) -> None:
    raw = issue(key=key, tags=tags)
    for text in (pack(raw), base45.encode(raw)):
        assert verify_claim169(text, KEYS, NOW).claim.attributes["id"] == "3918592438"


def test_without_a_kid_every_key_of_the_issuer_is_tried() -> None:
    decoys = tuple(Claim169Key(ISSUER, OTHER.public_key(), bytes((number,))) for number in range(3))
    assert verify_claim169(GOOD, (*decoys, ED_KEY), NOW).key is ED_KEY
    assert refused(GOOD, decoys) == "claim169.forged"


def test_a_kid_narrows_the_choice_and_the_protected_one_wins() -> None:
    named = pack(issue(headers={1: cose.EDDSA, 4: b"ed"}))
    assert verify_claim169(named, KEYS, NOW).key is ED_KEY
    assert refused(named, (EC_KEY,)) == "claim169.unknown_key"
    unnamed_key = Claim169Key(ISSUER, ED.public_key())
    assert verify_claim169(named, (unnamed_key,), NOW).key is unnamed_key
    wrong_inside = pack(issue(headers={1: cose.EDDSA, 4: b"ec"}, unprotected={4: b"ed"}))
    assert refused(wrong_inside) == "claim169.forged"
    assert refused(pack(issue(headers={1: cose.EDDSA, 4: 7}, unprotected={4: b"ed"}))) == "claim169.unknown_key"


def test_an_issuer_speaks_for_itself_alone() -> None:
    foreign = Claim169Key("https://id.example.la", ED.public_key(), b"ed")
    assert refused(GOOD, (foreign,)) == "claim169.unknown_key"
    assert reading_of(GOOD, Anchors(claim169=(foreign,))).trust.holds is None


def test_our_own_codes_are_among_them() -> None:
    vectors = json.loads(OURS.read_text("utf-8"))
    keys = tuple(
        Claim169Key(
            key["issuer"],
            ec.EllipticCurvePublicNumbers(int(key["x"], 16), int(key["y"], 16), ec.SECP256R1()).public_key(),
            bytes.fromhex(key["kid"]),
        )
        for key in vectors["keys"]
    )
    codes = [case for case in vectors["cases"] if "claims" in case]
    assert len(codes) >= 5
    for code in codes:
        says = code["claims"]
        now = dt.datetime.fromtimestamp(says["valid_from"], dt.UTC)
        claim = verify_claim169(code["text"], keys, now).claim
        assert (claim.issuer, claim.attributes["id"]) == (says["issuer"], says["qid"])
        assert claim.attributes["full_name"] == says["name"]
        reading = reading_of(code["text"], Anchors(claim169=keys), now)
        assert reading.trust.good and reading.fields["birth_date"] == says["birth_date"]


# -- what is wrong with it ---------------------------------------------------------------------------------------------

CODES: dict[str, tuple[Callable[[], str], str]] = {
    "lower case": (lambda: GOOD.lower(), "claim169.base45"),
    "bad pairs": (lambda: ":::", "claim169.base45"),
    "a million letters": (lambda: "0" * 1_000_000, "claim169.base45"),
    "cut off": (lambda: base45.encode(zlib.compress(issue())[:-1]), "claim169.inflate"),
    "bytes after it": (lambda: base45.encode(zlib.compress(issue()) + b"\x00"), "claim169.inflate"),
    "a bomb": (lambda: base45.encode(zlib.compress(b"\x00" * 10_000_000, 9)), "claim169.inflate"),
    "nothing": (lambda: "", "claim169.inflate"),
    "not CBOR": (lambda: pack(b"\xff"), "claim169.cose"),
    "nested 10,000 deep": (lambda: pack(b"\x81" * 10_000 + b"\x00"), "claim169.cose"),
    "encrypted": (lambda: pack(issue(tags=(16,))), "claim169.cose"),
    "tags turned round": (lambda: pack(issue(tags=(18, 61))), "claim169.cose"),
    "no claim 169": (lambda: pack(issue(cbor2.dumps({1: ISSUER}))), "claim169.content"),
    "claim 169 a text": (lambda: pack(issue(cwt("Sok Dara"))), "claim169.content"),
    "a claim twice": (lambda: pack(issue(b"\xa6" + cwt()[1:] + b"\x01\x01")), "claim169.content"),
    "payload nested 10,000 deep": (lambda: pack(issue(b"\x81" * 10_000 + b"\x00")), "claim169.content"),
    "algorithm none": (lambda: pack(issue(headers={1: 0})), "claim169.algorithm"),
    "no algorithm": (lambda: pack(issue(headers={})), "claim169.algorithm"),
    "algorithm in a list": (lambda: pack(issue(headers={1: [-8]})), "claim169.algorithm"),
    "RSA": (lambda: pack(issue(headers={1: cose.PS256})), "claim169.algorithm"),
    "another algorithm than the key's": (lambda: pack(issue(headers={1: -7, 4: b"ed"})), "claim169.forged"),
    "another's signature": (lambda: pack(issue(key=OTHER)), "claim169.forged"),
    "unknown issuer": (lambda: pack(issue(cwt(iss="https://id.example.la"))), "claim169.unknown_key"),
    "no issuer": (lambda: pack(issue(cwt(iss=None))), "claim169.unknown_key"),
    "an end that is no number": (lambda: pack(issue(cwt(exp=float("nan")))), "claim169.times"),
    "an endless end": (lambda: pack(issue(cwt(exp=float("inf")))), "claim169.times"),
    "an end beyond all years": (lambda: pack(issue(cwt(exp=10**400))), "claim169.times"),
    "a beginning in text": (lambda: pack(issue(cwt(nbf="now"))), "claim169.times"),
    "not yet": (lambda: pack(issue(cwt(nbf=int(NOW.timestamp()) + 1))), "claim169.not_yet"),
    "expired": (lambda: pack(issue(cwt(exp=int(NOW.timestamp())))), "claim169.expired"),
}


@pytest.mark.parametrize("about", CODES)
def test_a_bad_code_is_refused_at_its_step(about: str) -> None:
    make, code = CODES[about]
    assert refused(make()) == code
    reading = read_claim169(make(), ANCHORS, NOW)
    if code in ("claim169.base45", "claim169.inflate", "claim169.cose", "claim169.content"):
        assert reading is None
    else:
        assert reading is not None and not reading.trust.good
        assert code in [problem.code for problem in reading.problems]


def test_without_times_it_counts_always() -> None:
    assert verify_claim169(pack(issue(cwt(exp=None, nbf=None, iat=None))), KEYS, NOW).claim.expires_at is None


def test_misshapen_attributes_are_left_out() -> None:
    identity = {
        1: 5,
        4: "",
        8: ["19880102"],
        9: 7,
        14: "2",
        17: True,
        18: [1, 99, "x", 2.5],
        10: "a" * 5_000,
        13: None,
        12: "\u202e09",
    }
    claim = verify_claim169(pack(issue(cwt(identity))), KEYS, NOW).claim
    assert claim.attributes == {"marital_status": 2, "best_quality_fingers": (1,), "phone": "\u202e09"}
    reading = reading_of(pack(issue(cwt(identity))))
    assert "\u202e" not in str(reading.fields.get("phone", ""))


# -- anything at all ---------------------------------------------------------------------------------------------------

CBOR = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats()
    | st.text(max_size=12)
    | st.binary(max_size=12),
    lambda items: (
        st.lists(items, max_size=4) | st.dictionaries(st.integers(0, 70) | st.text(max_size=3), items, max_size=5)
    ),
    max_leaves=12,
)


def check_only_our_errors(text: str) -> None:
    try:
        verify_claim169(text, KEYS, NOW)
    except Invalid as wrong:
        assert wrong.code.startswith("claim169.")
    reading = read_claim169(text, ANCHORS, NOW)
    if reading is not None:
        assert str(reading) and reading.trust.words.vi
        assert all(value.isprintable() for value in reading.fields.values() if isinstance(value, str))


@given(st.text(max_size=200) | st.text("0123456789ABCDEF $%*+-./:", max_size=200))
def test_any_text_gives_our_errors_only(text: str) -> None:
    check_only_our_errors(text)


@given(st.binary(max_size=300))
def test_any_bytes_inside_give_our_errors_only(raw: bytes) -> None:
    check_only_our_errors(pack(raw))
    check_only_our_errors(base45.encode(raw))
    check_only_our_errors(pack(issue(raw)))


@settings(max_examples=60)
@given(CBOR, CBOR, CBOR)
def test_any_signed_content_gives_our_errors_only(one: object, two: object, three: object) -> None:
    check_only_our_errors(pack(issue(cwt(one))))
    check_only_our_errors(pack(issue(cwt(iss=one, exp=two, nbf=three))))
    check_only_our_errors(pack(issue(headers={1: one, 4: two}, unprotected={1: two, 4: three})))
    check_only_our_errors(pack(cbor2.dumps([one, two, three, b""])))
    check_only_our_errors(pack(issue(cwt({1: one, 4: two, 5: three, 8: one, 9: two, 10: three, 12: one, 16: two}))))


def test_any_flipped_bit_is_refused() -> None:
    for key in (ED, EC):
        raw = issue(key=key)
        for bit in range(0, len(raw) * 8, 3):  # every byte, every place in it
            flipped = bytearray(raw)
            flipped[bit // 8] ^= 1 << bit % 8
            refused(pack(bytes(flipped)))


# -- vectors of others -------------------------------------------------------------------------------------------------

FILES = sorted(VECTORS.glob("*.json"))
SNAKE = {"id": "id", "fullName": "full_name"}
ERRORS = {"Base45Decode": "claim169.base45"}


def signing_key(vector: Mapping[str, Any]) -> tuple[Claim169Key, ...]:
    """The key that a vector names, as an anchor; none for those that are not signed."""
    if "signing_key" not in vector:
        return ()
    raw = bytes.fromhex(vector["signing_key"]["public_key_hex"])
    issuer = vector["expected_cwt_meta"]["issuer"]
    if vector["signing_key"]["algorithm"] == "EdDSA":
        return (Claim169Key(issuer, ed25519.Ed25519PublicKey.from_public_bytes(raw)),)
    return (Claim169Key(issuer, ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), raw)),)


@pytest.mark.skipif(not FILES, reason="the Claim 169 vectors are not here (../shared/testdata/claim169)")
@pytest.mark.parametrize("path", FILES or [None], ids=lambda path: str(path and path.stem))
def test_the_vectors_of_others_come_out_as_they_should(path: Path) -> None:
    vector = json.loads(path.read_text("utf-8"))
    text, keys = vector["qr_data"], signing_key(vector)
    if "expected_error" in vector:
        assert refused(text, keys) == ERRORS[vector["expected_error"]]
        return
    reading = reading_of(text, Anchors(claim169=keys))
    claim = claim169.content_of(claim169.unpack(text))
    assert claim.attributes == {SNAKE[name]: value for name, value in vector["expected_claim169"].items()}
    meta = vector["expected_cwt_meta"]
    assert claim.issuer == meta["issuer"]
    for moment, seconds in ((claim.expires_at, meta["expiresAt"]), (claim.issued_at, meta["issuedAt"])):
        assert moment == dt.datetime.fromtimestamp(seconds, dt.UTC)
    expired = meta["expiresAt"] < NOW.timestamp()
    if keys and not expired:
        assert verify_claim169(text, keys, NOW).claim == claim and reading.trust.good
    else:
        assert refused(text, keys) == "claim169.unsigned"  # the vector has no signature at all
        assert not reading.trust.signed and not reading.trust.good
        with pytest.raises(Invalid, match=r"^claim169\.expired$"):
            claim169.check_times(claim169.unpack(text), claim, dt.datetime.fromtimestamp(meta["expiresAt"], dt.UTC))
