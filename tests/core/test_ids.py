"""Numbers: what each check promises, counted; what is refused; nothing printed in full."""

import datetime as dt
import logging

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from motma.core.errors import Invalid
from motma.core.ids import (
    Document,
    are_twins,
    check_number_fits,
    fact_id_bytes,
    group_qid,
    new_fact_id,
    new_qid,
    parse_document,
    parse_fact_id,
    parse_phone,
    parse_plate,
    parse_qid,
    twin_id,
    unusual_number,
)

RANDOM_8 = st.binary(min_size=8, max_size=8)
QIDS = RANDOM_8.map(new_qid)


def refused(parse: object, *args: object) -> str:
    with pytest.raises(Invalid) as caught:
        parse(*args)  # type: ignore[operator]
    assert caught.value.words.vi and caught.value.words.en
    return caught.value.code


# ---- facts


def test_fact_ids_are_ordered_by_time_and_read_back() -> None:
    earlier, later = dt.datetime(2021, 8, 14, tzinfo=dt.UTC), dt.datetime(2021, 8, 14, 0, 0, 0, 1000, tzinfo=dt.UTC)
    one, other = new_fact_id("dcl", earlier, b"\xff" * 10), new_fact_id("dcl", later, b"\x00" * 10)
    assert one < other and len(one) == 30
    assert parse_fact_id("dcl", one) == one
    assert new_fact_id("scn", dt.datetime(1970, 1, 1, tzinfo=dt.UTC), bytes(10)) == "scn_" + "0" * 26


@pytest.mark.parametrize(
    "raw",
    ["", "dcl_", "scn_" + "0" * 26, "dcl_" + "0" * 25, "dcl_" + "0" * 27, "dcl_8" + "0" * 25, "dcl_" + "I" * 26,
     "dcl_" + "u" * 26, "DCL_" + "0" * 26, "dcl_" + "0" * 25 + "\n", "dcl_" + "٠" * 26, "x" * 10_000_000],
    ids=lambda raw: raw[:12],
)  # fmt: skip
def test_what_is_no_fact_id_is_refused(raw: str) -> None:
    assert refused(parse_fact_id, "dcl", raw) == "id.malformed"


# ---- QID


def test_a_known_qid() -> None:
    # The specimen of 2021 with its last digit put right; it ended in 0 and carried no check digit.
    assert parse_qid("162979 388586 171109") == "162979388586171109"
    assert refused(parse_qid, "162979388586171100") == "qid.check_digit"
    assert group_qid("162979388586171109") == "162979 388586 171109"


@given(QIDS)
def test_a_new_qid_reads_back_in_any_grouping(qid: str) -> None:
    assert len(qid) == 18 and qid[0] != "0"
    for typed in (qid, group_qid(qid), f" {qid[:6]}-{qid[6:12]}.{qid[12:]}\u200b", _wide(qid)):
        assert parse_qid(typed) == qid


@settings(max_examples=30)
@given(QIDS)
def test_every_single_mistyped_digit_is_found(qid: str) -> None:
    for place, right in enumerate(qid):
        for wrong in "0123456789":
            if wrong != right:
                assert refused(parse_qid, qid[:place] + wrong + qid[place + 1 :]) == "qid.check_digit"


def _wide(digits: str) -> str:
    return "".join([chr(ord(digit) + 0xFEE0) for digit in digits])


def _passes(state: int, digits: str) -> int:
    for digit in digits:
        state = ((state + int(digit)) % 10 or 10) * 2 % 11
    return state


def test_ten_of_450_swaps_of_neighbours_are_missed_and_no_more() -> None:
    """MOD 11,10 is a state of 1..10 stepped by each digit: count the pairs that end alike whichever way round."""
    missed = [
        (state, f"{a}{b}")
        for state in range(1, 11)
        for a in range(10)
        for b in range(a)
        if _passes(state, f"{a}{b}") == _passes(state, f"{b}{a}")
    ]
    assert len(missed) == 10  # 2.2 %; one pair of digits for each state
    assert {state for state, _ in missed} == set(range(1, 11))


@settings(max_examples=50)
@given(QIDS)
def test_a_swap_of_neighbours_passes_only_where_it_must(qid: str) -> None:
    for place in range(16):  # the two digits before the check digit's pair; that one is counted by itself below
        swapped = qid[:place] + qid[place + 1] + qid[place] + qid[place + 2 :]
        state = _passes(10, qid[:place])
        alike = _passes(state, qid[place : place + 2]) == _passes(state, swapped[place : place + 2])
        try:
            assert parse_qid(swapped) and alike
        except Invalid:
            assert not alike


def test_the_check_digit_swapped_with_its_neighbour_passes_for_one_pair() -> None:
    def fits(state: int, check: int) -> bool:
        return (state + check) % 10 == 1

    missed = {
        (state, a, check)
        for state in range(1, 11)
        for a in range(10)
        for check in range(10)
        if a != check and fits(_passes(state, str(a)), check) and fits(_passes(state, str(check)), a)
    }
    assert missed == {(5, 0, 1), (5, 1, 0)}


@pytest.mark.parametrize(
    "raw",
    ["", "16297938858617110", "1629793885861711092", "16297938858617110x",
     "-162979388586171109x",
     "162979388586171109" + " " * 60 + "0", "٠" * 18, "²" * 18, "1" * 10_000_000],
    ids=lambda raw: raw[:24],
)  # fmt: skip
def test_what_is_no_qid_is_refused(raw: str) -> None:
    assert refused(parse_qid, raw) == "qid.malformed"


# ---- documents


@pytest.mark.parametrize(
    ("kind", "raw", "nationality", "number"),
    [
        ("cccd", "999187123456", "VN", "999187123456"),
        ("cccd", " 999 187.123-456\u202c", "VN", "999187123456"),
        ("cccd", "９９９１８７１２３４５６", "VN", "999187123456"),
        ("cmnd", "９９９　１２３　４５６", "VN", "999123456"),
        ("passport", "ｃ９９９１２３４", "VN", "C9991234"),
        ("cmnd", "999 123 456", "VN", "999123456"),
        ("passport", "c9991234", "VN", "C9991234"),
        ("passport", "x999 12345", "FR", "X99912345"),
    ],
)
def test_a_document_number_is_read(kind: str, raw: str, nationality: str, number: str) -> None:
    document = parse_document(kind, raw, nationality)
    assert (document.kind, document.number, document.issuer) == (kind, number, nationality)


@pytest.mark.parametrize(
    ("kind", "raw", "code"),
    [
        ("cccd", "99918712345", "document.cccd"),
        ("cccd", "9991871234567", "document.cccd"),
        ("cccd", "99918712345O", "document.cccd"),
        ("cccd", "٩٩٩١٨٧١٢٣٤٥٦", "document.cccd"),
        ("cccd", "999187123456" + " " * 60 + "7", "document.cccd"),
        ("cccd", "9" * 10_000_000, "document.cccd"),
        ("cmnd", "99912345", "document.cmnd"),
        ("cmnd", "999187123456", "document.cmnd"),
        ("passport", "A123", "document.passport"),
        ("passport", "A123456789012", "document.passport"),
        ("passport", "PASSPORT", "document.passport"),
        ("passport", "C9991234ß", "document.passport"),
        ("passport", "Ⅻ99912345", "document.passport"),
        ("passport", "C999/1234", "document.passport"),
        ("visa", "C9991234", "document.kind"),
        ("", "", "document.kind"),
    ],
)
def test_a_document_number_is_refused(kind: str, raw: str, code: str) -> None:
    assert refused(parse_document, kind, raw) == code


def test_a_document_masks_itself(caplog: pytest.LogCaptureFixture) -> None:
    document = parse_document("cccd", "999187123456")
    logging.getLogger("test").warning("%s %r %s", document, document, [document])
    assert "999187123456" not in caplog.text + f"{document!s}{document!r}{(document,)}"
    assert document.last_four == "3456" and "3456" in repr(document)


def test_documents_of_two_countries_or_kinds_are_two() -> None:
    keys = {
        Document("passport", "X99912345", "FR").key,
        Document("passport", "X99912345", "DE").key,
        Document("cmnd", "999123456").key,
        Document("passport", "999123456").key,
    }
    assert len(keys) == 4


@pytest.mark.parametrize(
    ("number", "year", "sex", "misfits"),
    [
        ("999087123456", 1987, "male", set()),
        ("999187123456", 1987, "female", set()),
        ("999207123456", 2007, "male", set()),
        ("999300123456", 2000, "female", set()),
        ("999187123456", 1987, "other", set()),
        ("999187123456", 1987, "", set()),
        ("000187123456", 1987, "female", set()),  # an unknown province is no proof of anything
        ("999187123456", 2087, "female", {"birth_date"}),
        ("999187123456", 1978, "female", {"birth_date"}),
        ("999187123456", 1987, "male", {"sex"}),
        ("999087123456", 1987, "female", {"sex"}),
        ("999387123456", 1987, "male", {"birth_date", "sex"}),
    ],
)
def test_a_number_tells_year_and_sex(number: str, year: int, sex: str, misfits: set[str]) -> None:
    document, born = Document("cccd", number), dt.date(year, 1, 18)
    if not misfits:
        return check_number_fits(document, born, sex)
    with pytest.raises(Invalid) as caught:
        check_number_fits(document, born, sex)
    assert set(caught.value.fields) == misfits
    assert caught.value.code == caught.value.fields[sorted(misfits)[0]].code
    return None


def test_the_provinces_of_numbers_are_the_63_of_before_2025() -> None:
    known = [code for code in range(1000) if unusual_number(Document("cccd", f"{code:03d}187123456")) is None]
    assert len(known) == 63 + 1 and known[-1] == 999  # nobody's, the demonstration's
    assert {1, 24, 79, 96} <= set(known) and not {0, 3, 23, 97, 500} & set(known)


def test_an_unusual_number_warns_and_is_never_refused() -> None:
    document = parse_document("cccd", "023187123456")
    check_number_fits(document, dt.date(1987, 1, 18), "female")
    words = unusual_number(document)
    assert words is not None and "mã tỉnh" in words.vi and "province" in words.en
    assert "023" not in words.vi + words.en
    for other in (Document("cmnd", "023123456"), Document("passport", "X02312345", "FR"), parse_document("none", "")):
        assert unusual_number(other) is None


def test_other_documents_tell_nothing() -> None:
    check_number_fits(Document("cmnd", "999123456"), dt.date(1900, 1, 1), "male")
    check_number_fits(Document("passport", "X99912345", "FR"), dt.date(1900, 1, 1), "male")


# ---- phones and plates


@pytest.mark.parametrize(
    ("raw", "phone"),
    [
        ("0501234567", "+84501234567"),
        ("050 123 45 67", "+84501234567"),
        ("050.123.45.67", "+84501234567"),
        ("050\u2013123\u20134567", "+84501234567"),
        ("+84501234567", "+84501234567"),
        ("84501234567", "+84501234567"),
        ("+84 (0)50 123 45 67", "+84501234567"),
        ("+840501234567", "+84501234567"),
        ("\u202d050 123 4567\u202c", "+84501234567"),
        ("+353 20 913 1234", "+353209131234"),
        ("+44 20 7946 0958", "+442079460958"),
        ("00 1 202 555 0143", "+12025550143"),
    ],
)
def test_a_phone_is_read(raw: str, phone: str) -> None:
    assert parse_phone(raw) == phone
    assert parse_phone(phone) == phone


@pytest.mark.parametrize(
    "raw",
    ["", "113", "050123456", "05012345678", "0501-FLOWER", "050123456O", "+999123456789", "++84501234567", "0" * 25,
     "٠٥٠١٢٣٤٥٦٧", "050 123 4567 x12", "tel:0501234567", "a@b.vn", "<0501234567>",
     "0501234567" + " " * 60, "1" * 10_000_000],
    ids=lambda raw: raw[:20],
)  # fmt: skip
def test_what_is_no_phone_is_refused(raw: str) -> None:
    assert refused(parse_phone, raw) == "phone.malformed"


@pytest.mark.parametrize(
    ("raw", "plate"),
    [
        ("59-X3 123.45", "59X312345"),
        ("51f-123.45", "51F12345"),
        ("59-AB 123.45", "59AB12345"),
        ("29-MĐ1 123.45", "29MĐ112345"),
        ("29-mð1 123.45", "29MĐ112345"),
        ("80-NG-001-01", "80NG00101"),
        ("QA 12-34", "QA1234"),
        ("51R-00999", "51R00999"),
    ],
)
def test_a_plate_is_read(raw: str, plate: str) -> None:
    assert parse_plate(raw) == plate
    assert parse_plate(plate) == plate


@pytest.mark.parametrize(
    "raw",
    ["", "51F", "ABCDEF", "51F-123.45;DROP", "51F 12345 67890", "<51F12345>", "٥١F12345", "51ß12345",
     "51F12345" + " " * 60, "1" * 10_000_000],
    ids=lambda raw: raw[:20],
)  # fmt: skip
def test_what_is_no_plate_is_refused(raw: str) -> None:
    assert refused(parse_plate, raw) == "plate.malformed"


@settings(max_examples=300)
@given(st.text(max_size=70), st.sampled_from(["cccd", "cmnd", "passport", "x"]))
def test_nothing_but_invalid_comes_of_any_text(raw: str, kind: str) -> None:
    for parse in (parse_qid, parse_phone, parse_plate, lambda text: parse_document(kind, text).number):
        try:
            parsed = parse(raw)
        except Invalid:
            continue
        assert parse(parsed) == parsed


@settings(max_examples=200)
@given(st.text("0123456789+() .-/", max_size=30))
def test_any_digits_are_a_phone_in_one_form_or_refused(raw: str) -> None:
    try:
        phone = parse_phone(raw)
    except Invalid:
        return
    assert phone.startswith("+") and phone[1:].isdigit()


@given(random=st.binary(min_size=10, max_size=10), end=st.binary(min_size=6, max_size=6))
def test_twins_are_known_by_how_they_begin(random: bytes, end: bytes) -> None:
    now = dt.datetime(2026, 1, 18, 7, 0, tzinfo=dt.UTC)
    one = new_fact_id("cod", now, random)
    twin = twin_id(one, end)
    assert parse_fact_id("cod", twin) == twin and fact_id_bytes(twin)[-6:] == end
    assert are_twins(fact_id_bytes(one), fact_id_bytes(twin))
    assert are_twins(fact_id_bytes(twin), fact_id_bytes(twin_id(twin, random[:6])))
    other = new_fact_id("cod", now, bytes([random[0] ^ 1]) + random[1:])
    assert not are_twins(fact_id_bytes(other), fact_id_bytes(twin))
