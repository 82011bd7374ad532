"""Our own code read for its holder; the code of 2021 written for old readers; and the keys that one may bring."""

import base64
import datetime as dt
import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from motma.core.code import TrustedKey, issue_code, verify_code
from motma.core.cose import SigningKey
from motma.core.errors import Invalid
from motma.core.legacy import read
from motma.core.legacy.keys import parse_keys
from motma.core.legacy.national import write_v1_1
from motma.core.legacy.reading import Anchors
from motma.core.publickeys import write_jwks
from motma.core.text import fold, parse_name
from vectors.code import make

VECTORS = Path(__file__).parents[2] / "vectors"
CODES = json.loads((VECTORS / "code" / "codes.json").read_text("utf-8"))
SHC = json.loads((VECTORS / "legacy" / "shc.json").read_text("utf-8"))
NZCP = json.loads((VECTORS / "legacy" / "nzcp.json").read_text("utf-8"))
NOW = dt.datetime(2026, 1, 18, 7, tzinfo=dt.UTC)
QID = "162979388586171100"


def _anchors() -> Anchors:
    ring: dict[bytes, tuple[TrustedKey, ...]] = {}
    for key in CODES["keys"]:
        kid = bytes.fromhex(key["kid"])
        public = ec.EllipticCurvePublicNumbers(int(key["x"], 16), int(key["y"], 16), ec.SECP256R1()).public_key()
        until = dt.datetime.fromtimestamp(key["not_after"], dt.UTC) if key["not_after"] else None
        trusted = TrustedKey(
            kid,
            public,
            key["issuer"],
            dt.datetime.fromtimestamp(key["not_before"], dt.UTC),
            until,
            tuple(key["measures"]),
            tuple(key["areas"]),
            key["revoked"],
        )
        ring[kid] = (*ring.get(kid, ()), trusted)
    return Anchors(ours=ring)


ANCHORS = _anchors()
EVERYDAY = next(case for case in CODES["cases"] if case["about"] == "an everyday code")
BARRED = {"code.revoked_key", "code.wrong_issuer", "code.out_of_scope", "code.key_out_of_time"}


@pytest.mark.parametrize("case", CODES["cases"], ids=lambda case: case["about"])
def test_our_codes_are_read_for_what_they_are(case: dict[str, Any]) -> None:
    reading = read(case["text"], ANCHORS, NOW)
    if "claims" in case:
        assert (reading.kind, reading.fields["name"], reading.fields["qid"]) == (
            "motma",
            case["claims"]["name"],
            case["claims"]["qid"],
        )
        assert reading.trust.known and reading.trust.holds and not reading.trust.barred
        assert reading.trust.signer == case["claims"]["issuer"]
        assert reading.trust.not_yet == (case["claims"]["valid_from"] > NOW.timestamp())
        assert reading.fields["shown_as"] in ("live", "stale", "static")
        return
    assert not reading.trust.good
    if reading.kind == "motma":
        assert [problem.code for problem in reading.problems] == [case["code"]]
        if case["code"] in ("code.forged", "code.proof_forged"):
            assert reading.trust.holds is False and reading.trust.broken
        elif reading.fields and case["code"] in BARRED:
            assert reading.trust.barred and reading.trust.broken
    else:
        assert case["code"] not in {*BARRED, "code.forged", "code.proof_forged"}


def test_a_code_under_a_key_that_is_not_known_says_what_it_says_unchecked() -> None:
    reading = read(EVERYDAY["text"], Anchors(), NOW)
    assert (reading.kind, reading.fields["name"]) == ("motma", EVERYDAY["claims"]["name"])
    assert not reading.trust.known and reading.trust.holds is None and not reading.trust.broken
    assert [problem.code for problem in reading.problems] == ["code.unknown_key"]


def test_a_code_past_its_end_is_expired() -> None:
    later = dt.datetime.fromtimestamp(EVERYDAY["claims"]["valid_until"], dt.UTC)
    assert read(EVERYDAY["text"], ANCHORS, later).trust.expired
    assert read(EVERYDAY["text"], ANCHORS, later - dt.timedelta(seconds=1)).trust.good


def test_what_a_forger_writes_cannot_steer_a_terminal() -> None:
    said = verify_code(EVERYDAY["text"], ANCHORS.ours).claims
    evil = msgspec.structs.replace(said, name="A\x1b[2J", issuer="\x1b]0;x\x07", measure="\u202e")
    reading = read(issue_code(evil, SigningKey(make.PRIVATE, next(iter(ANCHORS.ours)))), ANCHORS, NOW)
    everything = json.dumps([dict(reading.fields), reading.trust.words], ensure_ascii=False)
    assert reading.kind == "motma" and "text.characters" in [problem.code for problem in reading.problems]
    assert "\\u001b" not in everything and "\u202e" not in everything


# -- the code of 2021, written -----------------------------------------------------------------------------------------


def test_the_code_of_2021_is_written_as_the_decision_says() -> None:
    written = write_v1_1(
        qid=QID, name="Nguyễn Văn Đức", birth_date=dt.date(1987, 1, 18), document_number="999087029317"
    )
    assert written == "999087029317|NGUYEN VAN DUC|1987-01-18|0|162979388586171100|<0"
    reading = read(written, Anchors(), NOW)
    assert (reading.kind, reading.problems, reading.fields["qid"]) == ("national_v1_1", (), QID)


def test_the_code_of_2021_for_somebody_else() -> None:
    written = write_v1_1(
        qid=QID,
        name="Trần Thị Bé",
        birth_date=dt.date(2016, 5, 2),
        document_number=None,
        declared_by_other=True,
        declarer_qid="521322923144321717",
        sex="female",
    )
    assert written == "|TRAN THI BE|2016-05-02|1|162979388586171100|521322923144321717<2"
    reading = read(written, Anchors(), NOW)
    assert reading.problems == () and reading.fields["declarer_qid"] == "521322923144321717"


@pytest.mark.parametrize(
    "changes",
    [
        {"document_number": None},
        {"document_number": "999|087"},
        {"document_number": "12"},
        {"name": "Nguyễn < Văn"},
        {"name": "Ŋoni"},
        {"name": ""},
        {"qid": "12 34"},
        {"qid": ""},
        {"declarer_qid": "521322923144321717"},
    ],
    ids=str,
)
def test_what_the_code_of_2021_has_no_letters_for_is_not_written(changes: dict[str, Any]) -> None:
    person: dict[str, Any] = {
        "qid": QID,
        "name": "Nguyễn Văn Đức",
        "birth_date": dt.date(1987, 1, 18),
        "document_number": "999087029317",
    }
    with pytest.raises(Invalid) as refused:
        write_v1_1(**{**person, **changes})
    assert refused.value.code == "v1_1.unwritable"


@given(
    st.text("aàáảãạăằâấbcdđeêềghiìklmnoôốơởpqrstuưừvxyỳ ", min_size=1, max_size=40).filter(str.strip),
    st.dates(dt.date(1900, 1, 1), dt.date(2025, 12, 31)),
    st.integers(10**17, 10**18 - 1),
    st.sampled_from(["male", "female", ""]),
)
def test_what_is_written_is_read_again(name: str, born: dt.date, qid: int, sex: str) -> None:
    written = write_v1_1(qid=str(qid), name=parse_name(name), birth_date=born, document_number="N9990293", sex=sex)
    fields = read(written, Anchors(), NOW).fields
    assert fields["name"] == fold(name) and fields["birth_date"] == born.isoformat() and fields["qid"] == str(qid)
    assert fields.get("sex", "") == sex and written.count("|") == 5


# -- keys that one may bring -------------------------------------------------------------------------------------------


def good(case: dict[str, Any], anchors: Anchors) -> bool:
    return read(case["text"], anchors, NOW).trust.good


def test_a_jwk_set_with_or_without_the_issuer() -> None:
    for keys in (SHC["keys"], {**SHC["keys"], "issuer": SHC["issuer"]}, SHC["keys"]["keys"][0]):
        assert good(SHC["cases"][0], parse_keys(json.dumps(keys).encode()))
    for keys in ({**SHC["keys"], "issuer": "https://elsewhere.test"}, NZCP["keys"]):
        assert not good(SHC["cases"][0], parse_keys(json.dumps(keys).encode()))


def test_our_own_jwk_set_with_the_scope_of_each_key() -> None:
    ring = [key for keys in ANCHORS.ours.values() for key in keys if not key.revoked]
    anchors = parse_keys(write_jwks(ring))
    assert [key for keys in anchors.ours.values() for key in keys] == ring


def test_a_did_document() -> None:
    jwk = NZCP["keys"]["keys"][0]
    for issuer, works in ((NZCP["issuer"], True), ("did:web:elsewhere.test", False)):
        document = {"id": issuer, "verificationMethod": [{"id": f"{issuer}#key-1", "publicKeyJwk": jwk}]}
        assert good(NZCP["cases"][0], parse_keys(json.dumps(document).encode())) == works


def test_a_key_in_pem() -> None:
    public = ANCHORS.ours[bytes.fromhex(CODES["keys"][0]["kid"])][0].public
    pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    anchors = parse_keys(b"# ours\n" + pem)
    assert good(EVERYDAY, anchors) and not anchors.dcc
    other = ed25519.Ed25519PrivateKey.generate().public_key()
    assert parse_keys(pem + other.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)).claim169


def test_kinds_of_key_that_we_have_no_use_for_are_passed_over() -> None:
    strange = [{"kty": "oct", "k": "AAAA"}, {"kty": "EC", "crv": "P-521", "x": "AA", "y": "AA"}]
    keys = {"keys": [*strange, *SHC["keys"]["keys"]]}
    assert len(parse_keys(json.dumps(keys).encode()).shc) == 1
    number = rsa.generate_private_key(65537, 2048).public_key().public_numbers()
    n = base64.urlsafe_b64encode(number.n.to_bytes(256, "big")).decode().rstrip("=")
    jwk = {"kty": "RSA", "n": n, "e": "AQAB", "kid": base64.b64encode(b"12345678").decode()}
    anchors = parse_keys(json.dumps({"keys": [jwk]}).encode())
    assert [key.kid for key in anchors.dcc] == [b"12345678"] and not anchors.shc


_PRIVATE = ec.derive_private_key(7, ec.SECP256R1()).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b"", "keys.unreadable"),
        (b"\xff\xfe", "keys.unreadable"),
        (b"[]", "keys.none"),
        (b"{}", "keys.unreadable"),
        (b'{"keys":[]}', "keys.none"),
        (b'{"keys":5}', "keys.unreadable"),
        (b'{"keys":[{"kty":"EC","crv":"P-256","x":"AA","y":"AA"}]}', "keys.unreadable"),
        (b'{"keys":[{"kty":"EC","crv":"P-256","x":1,"y":"AA"}]}', "keys.unreadable"),
        (b'{"keys":[{"kty":"EC","crv":"P-256","d":"AA"}]}', "keys.private"),
        (json.dumps({**SHC["keys"]["keys"][0], "areas": [1]}).encode(), "keys.unreadable"),
        (json.dumps({**SHC["keys"]["keys"][0], "areas": 1}).encode(), "keys.unreadable"),
        (json.dumps({**SHC["keys"]["keys"][0], "signs_until": "soon"}).encode(), "keys.unreadable"),
        (b"[" * 100_000, "keys.unreadable"),
        (b"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----", "keys.unreadable"),
        (b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----", "dcc_anchors.unreadable"),
        (b"-----BEGIN NOTHING", "keys.none"),
        (_PRIVATE, "keys.private"),
    ],
    ids=lambda value: value if isinstance(value, str) else repr(value[:30]),
)
def test_a_file_that_holds_no_key_says_so(raw: bytes, code: str) -> None:
    with pytest.raises(Invalid) as refused:
        parse_keys(raw)
    assert refused.value.code == code


@given(st.binary(max_size=200), st.sampled_from([b"", b"{", b'{"keys":[{', b"-----BEGIN CERTIFICATE-----", b"["]))
def test_any_file_is_read_or_refused(raw: bytes, start: bytes) -> None:
    with pytest.raises(Invalid):
        parse_keys(start + raw)


# -- whose code it is, among those that look alike ---------------------------------------------------------------------

SHARED = Path(__file__).parents[3] / "shared" / "testdata"


def test_each_code_is_read_by_its_own_reader() -> None:
    if not SHARED.is_dir():
        pytest.skip("the test data of others is not here")
    certificate = json.loads((SHARED / "dgc" / "AT" / "2DCode" / "raw" / "1.json").read_text("utf-8"))
    identity = json.loads((SHARED / "claim169" / "valid-ecdsa-p256-signed.json").read_text("utf-8"))
    for text, kind in ((certificate["PREFIX"], "dcc"), (identity["qr_data"], "claim169"), (EVERYDAY["text"], "motma")):
        for around in ("{}", "\ufeff{}\r\n", " {} "):
            assert read(around.format(text), Anchors(), NOW).kind == kind
