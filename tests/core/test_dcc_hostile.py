"""EU DCC against anything at all: errors of ours, and never a certificate that nobody signed."""

import datetime as dt

import cbor2
from hypothesis import given, settings
from hypothesis import strategies as st

from motma.core import base45
from motma.core.errors import Invalid
from motma.core.legacy.dcc import read_dcc, verify_dcc
from tests.core.ministry import ANCHORS, GOOD, NOW, PASSPORT, RECOVERY, TEST, VACCINATION, cwt, issue, pack, refused

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


@settings(max_examples=60)
@given(CBOR)
def test_any_signed_content_gives_our_errors_only(content: object) -> None:
    check_only_our_errors(pack(issue(cwt(content))))
    if isinstance(content, dict):
        check_only_our_errors(pack(issue(cwt(PASSPORT | content))))
        check_only_our_errors(pack(issue(cwt({**PASSPORT, "v": [VACCINATION | content]}))))
        check_only_our_errors(pack(issue(cwt({**PASSPORT, "v": None, "t": [TEST | content]}))))


@settings(max_examples=60)
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
