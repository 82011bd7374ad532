"""The two decoders of a code's claims: what the quick one reads, the general one reads alike."""

import zlib
from collections.abc import Iterator

import cbor2
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from motma.core import base45
from motma.core.claims import Claims, Sex, Worth, _parse_any, _parse_as_written, parse_claims, write_claims
from motma.core.code import issue_code, verify_code
from motma.core.errors import Invalid
from tests.core.test_code import CLAIMS, KEY, RING, VECTORS, any_claims
from vectors.code import make

REPLACE = msgspec.structs.replace
FULL = REPLACE(
    CLAIMS,
    name="Công Tằng Tôn Nữ Nguyễn Thị Minh Khai",
    sex=Sex.OTHER,
    begins=CLAIMS.issued + 1,
    worth=Worth.REJECT,
    matched=False,
    areas=(),
    route=(),
    status_index=7,
    holder_key=b"\x03" + bytes(range(32)),
)


def agree(payload: bytes) -> bool:
    """Whether the quick one reads it; then the general one must say the same, types and all."""
    quick = _parse_as_written(payload)
    if quick is None:
        return False
    assert repr(quick) == repr(_parse_any(payload))
    return True


@given(any_claims)
def test_the_quick_one_reads_what_is_issued_unless_somebody_comes_along(claims: Claims) -> None:
    payload = write_claims(claims)
    assert agree(payload) is (not claims.party and len(claims.areas) < 24)
    assert parse_claims(payload) == claims


@pytest.mark.parametrize("index", [0, 23, 24, 255, 256, 65_535, 65_536, 2**32 - 1])
def test_the_quick_one_reads_every_length_of_a_number(index: int) -> None:
    assert agree(write_claims(REPLACE(CLAIMS, status_index=index)))


@pytest.mark.parametrize("letters", [1, 23, 24, 127, 128, 255, 256])
def test_the_quick_one_reads_texts_up_to_255_bytes(letters: int) -> None:
    assert agree(write_claims(REPLACE(CLAIMS, name="A" * letters))) is (letters < 256)


def _changed(payload: bytes) -> Iterator[bytes]:
    """Every byte made every other one, left out, and put in between any two."""
    for at in range(len(payload) + 1):
        yield payload[:at] + payload[at + 1 :]
        for byte in range(256):
            yield payload[:at] + bytes((byte,)) + payload[at:]
            yield payload[:at] + bytes((byte,)) + payload[at + 1 :]


@pytest.mark.parametrize("claims", [CLAIMS, FULL], ids=["short", "full"])
def test_they_agree_whatever_one_byte_is_changed_to(claims: Claims) -> None:
    assert sum(map(agree, _changed(write_claims(claims)))) > 5_000


@st.composite
def spoilt(draw: st.DrawFn) -> bytes:
    """What is issued, with a few bytes changed, left out, put in or said twice."""
    payload = write_claims(draw(any_claims))
    for _ in range(draw(st.integers(1, 4))):
        at, size = draw(st.integers(0, len(payload))), draw(st.integers(0, 3))
        between = draw(st.binary(max_size=3) | st.just(payload[at : at + 12]))
        payload = payload[:at] + between + payload[at + size :]
    return payload


@given(spoilt())
@settings(max_examples=500)
def test_they_agree_on_what_is_spoilt(payload: bytes) -> None:
    agree(payload)


def test_they_agree_on_the_vectors() -> None:
    read = 0
    for case in VECTORS["cases"]:
        try:
            payload = cbor2.loads(zlib.decompress(base45.decode(case["text"]))).value[2]
        except (Invalid, zlib.error, cbor2.CBORError, AttributeError, LookupError, TypeError):
            continue
        read += agree(payload) if isinstance(payload, bytes) else 0
    assert read >= 20


@pytest.mark.parametrize(
    "changes",
    [
        {"name": "Thành".replace("à", "a\u0300")},  # not NFC
        {"name": "A\x01B"},
        {"born": "20250229"},
        {"qid": "021322923144321717"},
        {"vintage": 1899},
        {"areas": ["79", ""]},
        {"areas": ["79", -1]},
        {"route": b"g07"},
        {"route": ["g07", ["i03"]]},
        {"last": "399\u00e9"},
        {"exp": make.BEGINS},
        {"party": [[521322923144321717, "A"]]},
    ],
    ids=str,
)
def test_what_is_out_of_order_is_left_to_the_general_one(changes: dict[str, object]) -> None:
    assert _parse_as_written(cbor2.dumps(make.claims(**changes))) is None


def test_a_name_may_say_the_words_that_close_the_claims() -> None:
    claims = REPLACE(CLAIMS, name="Sthe claims end here")
    assert agree(write_claims(claims))
    assert verify_code(issue_code(claims, KEY), RING).claims == claims
    with pytest.raises(Invalid) as refused:
        _parse_any(write_claims(CLAIMS) + b"Sthe claims end here" + b"more")
    assert refused.value.code == "code.not_cbor"
