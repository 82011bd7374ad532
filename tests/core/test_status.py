"""Status lists: what the draft's authors made is read, ours is small, and no bad list takes the place of a good one."""

import datetime as dt
import json
import random
import re
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cbor2
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from motma.core.cose import SigningKey
from motma.core.errors import Invalid
from motma.core.status import (
    INFLATED_MAX_BYTES,
    LIST_INDEXES,
    Status,
    StatusList,
    StatusToken,
    issue_status_token,
    list_uri,
    verify_status_token,
)
from vectors.status import make

VECTORS = json.loads((Path(make.__file__).parent / "lists.json").read_text("utf-8"))
TESTDATA = Path(__file__).resolve().parents[3] / "shared" / "testdata" / "status-list"
BEGINS = dt.datetime.fromtimestamp(make.BEGINS, dt.UTC)
KEY = SigningKey(make.PRIVATE, make.KID)


def moment(seconds: int) -> dt.datetime:
    return dt.datetime.fromtimestamp(seconds, dt.UTC)


@dataclass(frozen=True)
class Trusted:
    """A key as the list's verifier knows it."""

    public: ec.EllipticCurvePublicKey
    issuer: str
    revoked: bool
    status_uri: str
    not_before: dt.datetime = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
    not_after: dt.datetime | None = None


def ring() -> dict[bytes, tuple[Trusted, ...]]:
    keys: dict[bytes, tuple[Trusted, ...]] = {}
    for key in VECTORS["keys"]:
        point = ec.EllipticCurvePublicNumbers(int(key["x"], 16), int(key["y"], 16), ec.SECP256R1())
        kid = bytes.fromhex(key["kid"])
        trusted = Trusted(
            point.public_key(),
            key["issuer"],
            key["revoked"],
            key["status_uri"],
            moment(key["not_before"]),
            moment(key["not_after"]) if key["not_after"] else None,
        )
        keys[kid] = (*keys.get(kid, ()), trusted)
    return keys


RING = ring()


def verify(raw: bytes, *, now: int = make.NOW, uri: str = make.URI, **more: Any) -> StatusToken:
    return verify_status_token(raw, RING, uri=uri, now=moment(now), **more)


def refusal(raw: bytes, **asked: Any) -> str | None:
    """The code of the refusal; None if the token is taken."""
    try:
        verify(raw, **asked)
    except Invalid as invalid:
        assert invalid.words.vi and invalid.words.en
        return invalid.code
    return None


def asked_in(case: dict[str, Any]) -> dict[str, Any]:
    asked = {name: case[name] for name in ("uri", "now", "issuer") if name in case}
    if "previous" in case:
        asked["previous"] = verify(bytes.fromhex(case["previous"]))
    return asked


# -- vectors ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", VECTORS["tokens"], ids=lambda case: str(case["about"]))
def test_tokens(case: dict[str, Any]) -> None:
    raw, asked = bytes.fromhex(case["token"]), asked_in(case)
    assert refusal(raw, **asked) == case.get("code")
    if "code" in case:
        return
    token, said = verify(raw, **asked), case["list"]
    assert (len(token.list), token.ttl_seconds) == (said["length"], said["ttl"])
    assert token.issued_at.timestamp() == said["issued_at"]
    found = {str(n): int(token.status(n)) for n in range(len(token.list)) if token.status(n)}
    assert found == said["statuses"]


@pytest.mark.parametrize("case", VECTORS["lists"], ids=lambda case: str(case["about"]))
def test_lists(case: dict[str, Any]) -> None:
    raw = bytes.fromhex(case["cbor"])
    if "code" in case:
        with pytest.raises(Invalid) as refused:
            StatusList.from_cbor(raw)
        assert refused.value.code == case["code"]
        return
    statuses = {int(index): status for index, status in case["statuses"].items()}
    made = StatusList.of(statuses, case["length"], case["bits"])
    assert made == StatusList.from_cbor(raw) == StatusList.from_json(case["json"])
    assert made == StatusList.from_cbor(made.to_cbor()) == StatusList.from_json(made.to_json())
    assert len(made) == case["length"]
    assert {index: made.status(index) for index in statuses} == statuses
    assert sum(made.status(index) != 0 for index in range(min(len(made), 4096))) == sum(n < 4096 for n in statuses)


def test_the_vectors_are_what_their_maker_makes() -> None:
    """All but the bytes: another version of zlib may compress another way."""
    packed = {"token", "previous", "json", "cbor"}
    made, kept = make.vectors(), VECTORS
    assert made["keys"] == kept["keys"]
    for part in ("lists", "tokens"):
        assert [{name: case[name] for name in case.keys() - packed} for case in made[part]] == [
            {name: case[name] for name in case.keys() - packed} for case in kept[part]
        ]


def test_every_refusal_has_vectors() -> None:
    source = Path(verify_status_token.__code__.co_filename).read_text("utf-8")
    raised = set(re.findall(r'"(status\.[a-z_]+)"', source))
    assert raised == {case["code"] for case in VECTORS["tokens"] if "code" in case} | {"status.missing"}


# -- vectors of the draft --------------------------------------------------------------------------------------------


def published(name: str) -> str:
    path = TESTDATA / f"status_list_{name}.txt"
    if not path.exists():
        pytest.skip("the shared test data is not beside the repository")
    return path.read_text("utf-8")


PUBLISHED: dict[str, dict[int, int]] = {
    # What the draft says of its examples, in its appendix "Test vectors" and in section 4.1.
    "encoding": {0: 1, 3: 1, 4: 1, 5: 1, 7: 1, 8: 1, 9: 1, 13: 1, 15: 1},
    "encoding2": {0: 1, 1: 2, 3: 3, 5: 1, 7: 1, 8: 1, 9: 2, 10: 3, 11: 3},
    "encoding4": {
        0: 1, 1993: 2, 35460: 3, 459495: 4, 595669: 5, 754353: 6, 845645: 7, 923232: 8, 924445: 9, 934534: 10,
        1004534: 11, 1000345: 12, 1030203: 13, 1030204: 14, 1030205: 15,
    },
}  # fmt: skip


@pytest.mark.parametrize(
    ("name", "bits", "length"), [("encoding", 1, 16), ("encoding2", 2, 12), ("encoding4", 4, 2**20)]
)
def test_the_drafts_json(name: str, bits: int, length: int) -> None:
    text = published(f"{name}_json")
    read = StatusList.from_json(re.sub(r"\s", "", text[text.index("{") :]))
    assert (read.bits, len(read)) == (bits, length)
    assert {n: s for n in range(length) if (s := read.status(n))} == PUBLISHED[name]
    assert StatusList.from_json(read.to_json()) == read == StatusList.of(PUBLISHED[name], length, read.bits)


def test_the_drafts_json_of_eight_bits() -> None:
    """Every status from 1 to 255 stands once somewhere in 2^20 (the draft lists where; three of them are checked)."""
    read = StatusList.from_json(re.sub(r"\s", "", published("encoding8_json")))
    assert (read.bits, len(read)) == (8, 2**20)
    assert sorted(filter(None, read.packed)) == list(range(1, 256))
    assert (read.status(52451), read.status(576778), read.status(559893)) == (1, 2, 0b00111010)
    assert StatusList.from_json(read.to_json()) == read


@pytest.mark.parametrize("name", ["encoding", "encoding2"])
def test_the_drafts_cbor(name: str) -> None:
    raw = bytes.fromhex(published(f"{name}_cbor").split()[-1])
    read = StatusList.from_cbor(raw)
    assert {n: s for n in range(len(read)) if (s := read.status(n))} == PUBLISHED[name]
    assert StatusList.from_cbor(read.to_cbor()) == read


def test_the_drafts_token() -> None:
    """Signed with the key that the draft's authors publish beside its source (src/util.py, an example key)."""
    raw = bytes.fromhex(re.sub(r"\s", "", published("cwt")))
    x = 0x2371D69BFD03B3574F308F885A67F8981987F9869E0156CF56EEEF076EC2C57A
    y = 0xE8DFDDE44963F5BB3586D815DE890928875B1C4A6481398096E60A25E9B39F53
    public = ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key()
    uri = "https://example.com/statuslists/1"
    keys = {b"12": (Trusted(public, "example", False, "https://example.com/statuslists"),)}
    token = verify_status_token(raw, keys, uri=uri, now=moment(1_700_000_000), issuer="example")
    assert (token.uri, token.ttl_seconds, token.list.bits) == (uri, 43_200, 1)
    assert token.issued_at == moment(1_686_920_170) and token.expires_at == moment(2_291_720_170)
    assert {n: s for n in range(16) if (s := token.list.status(n))} == PUBLISHED["encoding"]
    stranger = {b"12": (Trusted(KEY.public, "example", False, "https://example.com/statuslists"),)}
    with pytest.raises(Invalid, match="forged"):
        verify_status_token(raw, stranger, uri=uri, now=moment(1_700_000_000))


# -- ours ------------------------------------------------------------------------------------------------------------


def issued(list: StatusList, at: dt.datetime = BEGINS, **changes: Any) -> bytes:
    said: dict[str, Any] = {"uri": make.URI, "expires_at": at + dt.timedelta(days=1), "ttl_seconds": 300}
    return issue_status_token(list, issued_at=at, signer=KEY, **(said | changes))


def test_ten_million_codes_of_which_one_in_a_hundred_is_revoked_are_at_most_150_kilobytes() -> None:
    count = 10_000_000
    revoked = random.Random(2021).sample(range(count), count // 100)
    raw = issued(StatusList.of(dict.fromkeys(revoked, Status.REVOKED), count))
    assert len(raw) <= 150_000
    token = verify(raw)
    assert len(token.list) == count
    assert token.status(revoked[0]) is token.status(revoked[-1]) is Status.REVOKED
    assert sum(bin(byte).count("1") for byte in token.list.packed) == count // 100


@given(
    bits=st.sampled_from([1, 2, 4, 8]),
    length=st.integers(1, 300),
    seeds=st.dictionaries(st.integers(0, 299), st.integers(0, 255), max_size=40),
)
def test_what_is_put_in_comes_out(bits: Any, length: int, seeds: dict[int, int]) -> None:
    statuses = {index % length: status % (1 << bits) for index, status in seeds.items()}
    made = StatusList.of(statuses, length, bits)
    assert length <= len(made) < length + 8
    for read in (made, StatusList.from_json(made.to_json()), StatusList.from_cbor(made.to_cbor())):
        assert [read.status(n) for n in range(len(read))] == [statuses.get(n, 0) for n in range(len(read))]


def test_a_list_is_made_of_what_fits() -> None:
    for statuses, length, bits in (({5: 1}, 5, 2), ({-1: 1}, 5, 2), ({0: 4}, 5, 2), ({0: -1}, 5, 2), ({0: 2}, 8, 1)):
        with pytest.raises(ValueError):
            StatusList.of(statuses, length, bits)  # type: ignore[arg-type]


def test_no_statement_about_a_code_beyond_the_list() -> None:
    token = verify(issued(StatusList.of({0: 1}, 1024)))
    assert token.status(1023) is Status.VALID
    for index in (1024, LIST_INDEXES - 1, -1):
        with pytest.raises(Invalid) as refused:
            token.status(index)
        assert refused.value.code == "status.missing"


def test_a_list_covers_sixteen_million_indexes() -> None:
    base = "https://motma.test/v1/status"
    assert list_uri(base, 0) == list_uri(base + "/", LIST_INDEXES - 1) == f"{base}/0"
    assert list_uri(base, LIST_INDEXES) == f"{base}/1"
    token = verify(issued(StatusList.of({7: 2}, 1024), uri=f"{base}/1"), uri=f"{base}/1")
    assert token.status(LIST_INDEXES + 7) is Status.SUSPENDED
    assert token.status(LIST_INDEXES + 8) is Status.VALID


def test_stale_is_no_error_and_counts_from_the_last_word_of_the_server() -> None:
    token = verify(issued(StatusList.of({}, 8)), now=make.BEGINS + 7200)
    fetched = token.fetched_at
    assert not token.stale_at(fetched) and not token.stale_at(fetched + dt.timedelta(seconds=299))
    assert token.stale_at(fetched + dt.timedelta(seconds=300))
    assert token.stale_at(fetched - dt.timedelta(seconds=1)), "a clock that went back knows nothing"
    later = token.confirmed(fetched + dt.timedelta(seconds=290))
    assert not later.stale_at(fetched + dt.timedelta(seconds=589))
    assert later.list is token.list and later.issued_at == token.issued_at


def test_a_list_of_another_address_is_nothing_to_compare_with() -> None:
    other = verify(issued(StatusList.of({}, 8), uri=f"{make.BASE}/1"), uri=f"{make.BASE}/1")
    with pytest.raises(ValueError):
        verify(issued(StatusList.of({}, 8)), previous=other)


# -- bad input -------------------------------------------------------------------------------------------------------


def test_a_list_inflates_to_16_mib_and_no_further() -> None:
    most = StatusList.from_cbor(cbor2.dumps({"bits": 2, "lst": zlib.compress(bytes(INFLATED_MAX_BYTES), 9)}))
    assert len(most.packed) == INFLATED_MAX_BYTES
    for size in (INFLATED_MAX_BYTES + 1, 200 << 20):
        bomb = zlib.compress(bytes(size), 9)
        with pytest.raises(Invalid, match=r"status\.unreadable"):
            StatusList.from_cbor(cbor2.dumps({"bits": 1, "lst": bomb}))
        assert refusal(make.token(list={"bits": 2, "lst": bomb})) == "status.unreadable"


def test_a_token_of_more_than_8_mib_is_not_looked_at() -> None:
    assert refusal(make.token(list={"bits": 2, "lst": bytes(9 << 20)})) == "status.unreadable"


@given(raw=st.binary(max_size=300))
def test_any_bytes_get_an_error_of_ours(raw: bytes) -> None:
    assert refusal(raw) == "status.unreadable"
    assert refusal(make.token(raw)) == "status.unreadable"
    with pytest.raises(Invalid):
        StatusList.from_cbor(raw)
    with pytest.raises(Invalid):
        StatusList.from_json(raw)


_any_cbor = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.binary(max_size=9) | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.integers() | st.text(max_size=4), inner, max_size=4),
    max_leaves=8,
)


@given(
    changes=st.dictionaries(st.sampled_from(["sub", "exp", "iat", "ttl", "list"]), _any_cbor, max_size=3),
    header=_any_cbor,
)
def test_any_signed_claims_get_an_error_of_ours_or_are_taken(changes: dict[str, Any], header: Any) -> None:
    codes = {None, *(case["code"] for case in VECTORS["tokens"] if "code" in case)}
    assert refusal(make.token(**changes)) in codes
    assert refusal(make.token(protected={1: -7, 4: make.KID, 16: make.TYP, 99: header})) in codes
    assert refusal(make.token(protected={1: -7, 4: header, 16: header})) in codes


@given(at=st.integers(0, 8 * len(make.token()) - 1))
def test_one_flipped_bit_is_refused(at: int) -> None:
    raw = bytearray(make.token())
    raw[at >> 3] ^= 1 << (at & 7)
    assert refusal(bytes(raw)) is not None


@pytest.mark.parametrize(
    "text",
    [
        "", "null", "[]", "{}", '{"bits":2}', '{"bits":2,"lst":5}', '{"bits":3,"lst":"eNo"}', '{"bits":2,"lst":"A"}',
        '{"bits":2,"lst":"+/+/"}', '{"bits":2,"lst":"eNo\\u00e9"}', '{"bits":true,"lst":""}', "[" * 100_000,
    ],
    ids=lambda text: text[:24],
)  # fmt: skip
def test_json_that_is_no_list(text: str) -> None:
    with pytest.raises(Invalid) as refused:
        StatusList.from_json(text)
    assert refused.value.code == "status.unreadable"
