"""Permits: which serves best, who may give how much, and what a paper is worth."""

import datetime as dt
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from motma.core.cells import Cell
from motma.core.errors import Invalid
from motma.core.ids import FactId, Qid, new_fact_id, new_qid
from motma.core.permit import (
    LONGEST,
    WHY_NONE,
    Permit,
    Signatory,
    check_scope,
    check_window,
    judged,
    parse,
    serving,
    text_of,
)
from motma.core.permit.columns import COLUMNS
from motma.core.permit.form import parse_asked
from motma.core.words import Words
from motma.measures import load_permit_groups

NOW = dt.datetime(2021, 8, 26, 2, 30, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)
MINUTE = dt.timedelta(minutes=1)
AREAS = {"quan-3": Words("Quận 3", "District 3"), "thu-duc": Words("Thành phố Thủ Đức", "Thủ Đức city")}
ME, YOU = new_qid(b"12345678"), new_qid(b"87654321")
PC08 = Signatory("city")
_serial = itertools.count()


def an_id() -> FactId:
    return new_fact_id("prm", NOW, next(_serial).to_bytes(10, "big"))


def permit(
    areas: tuple[str, ...] = (), begins: int = -1, ends: int = 1, *, revoked: bool = False, holder: str = ME
) -> Permit:
    return Permit(
        id=an_id(),
        group="3A",
        areas=areas,
        valid_from=NOW + begins * DAY,
        valid_until=NOW + ends * DAY,
        holder=holder,
        signed_by=PC08,
        revoked_at=NOW if revoked else None,
    )


def test_it_serves_at_its_place_in_its_time_unless_revoked() -> None:
    one = permit(("quan-3",))
    assert one.serves("quan-3", NOW) and not one.serves("thu-duc", NOW) and not one.serves(None, NOW)
    assert permit().serves(None, NOW) and permit().serves("thu-duc", NOW)
    for at, serves in ((one.valid_from, True), (one.valid_from - MINUTE, False), (one.valid_until, False)):
        assert one.serves("quan-3", at) is serves
    assert one.serves("quan-3", one.valid_until - dt.timedelta(microseconds=1))
    assert not replace(one, revoked_at=NOW).serves("quan-3", NOW)


def test_the_one_that_serves_goes_before_all_that_do_not() -> None:
    good = permit(("quan-3",), ends=2)
    others = [
        permit(("thu-duc",), ends=300),
        permit(begins=-9, ends=-1),
        permit(revoked=True),
        permit(begins=1, ends=9),
    ]
    for order in itertools.permutations([good, *others]):
        assert serving(order, "quan-3", NOW) == good
    assert serving([good, longer := permit(ends=30)], "quan-3", NOW) == longer
    assert serving([], "quan-3", NOW) is None


def test_of_those_that_do_not_serve_the_one_that_says_most() -> None:
    revoked, elsewhere, over = permit(revoked=True), permit(("thu-duc",)), permit(begins=-9, ends=-1)
    far = permit(("thu-duc",), begins=-9, ends=-5, revoked=True)
    assert serving([over, elsewhere, revoked, far], "quan-3", NOW) == revoked
    assert serving([over, elsewhere, far], "quan-3", NOW) == elsewhere
    assert serving([over, far], "quan-3", NOW) == over
    assert serving([over, last := permit(begins=-9, ends=0)], "quan-3", NOW) == last


@given(
    st.lists(
        st.builds(
            permit,
            st.sampled_from([(), ("quan-3",), ("quan-3", "thu-duc")]),
            st.integers(-3, 0),
            st.integers(0, 3),
            revoked=st.booleans(),
        ),
        max_size=6,
    ),
    st.sampled_from([None, "quan-3", "nowhere"]),
)
def test_whatever_order_it_is_one_and_the_same(permits: list[Permit], area: str | None) -> None:
    best = serving(permits, area, NOW)
    assert serving(reversed(permits), area, NOW) == best
    assert (best is not None and best.serves(area, NOW)) == any(one.serves(area, NOW) for one in permits)


@pytest.mark.parametrize(
    ("signed_by", "areas", "code"),
    [
        (Signatory("city"), (), None),
        (Signatory("district", "quan-3"), (), None),
        (Signatory("district"), ("quan-3", "thu-duc"), None),
        (Signatory("ward", "quan-3"), ("quan-3",), None),
        (Signatory("ward", "quan-3"), (), "permit.beyond_signatory"),
        (Signatory("ward", "quan-3"), ("thu-duc",), "permit.beyond_signatory"),
        (Signatory("ward", "quan-3"), ("quan-3", "thu-duc"), "permit.beyond_signatory"),
        (Signatory("ward"), ("quan-3",), "permit.no_district"),
        (Signatory("ward", "nowhere"), ("nowhere",), "permit.area_unknown"),
        (Signatory("city"), ("nowhere",), "permit.area_unknown"),
        (Signatory("district", "nowhere"), (), "permit.area_unknown"),
    ],
)
def test_nobody_gives_more_than_is_theirs(signed_by: Signatory, areas: tuple[str, ...], code: str | None) -> None:
    try:
        check_scope(signed_by, areas, AREAS)
        said = None
    except Invalid as refused:
        said = refused.code
    assert said == code


def test_a_time_is_one() -> None:
    check_window(NOW, NOW + LONGEST)
    for until, code in (
        (NOW, "permit.ends_first"),
        (NOW - DAY, "permit.ends_first"),
        (NOW + LONGEST + MINUTE, "permit.too_long"),
    ):
        with pytest.raises(Invalid) as refused:
            check_window(NOW, until)
        assert refused.value.code == code


def test_a_paper_says_what_was_issued() -> None:
    mine, lane = permit(("quan-3", "thu-duc")), permit(holder="ab" * 32)
    shown = parse(text_of(mine))
    assert shown and (shown.id, shown.holder, shown.areas) == (mine.id, ME, ("quan-3", "thu-duc"))
    assert judged(shown, [mine], mine) == (mine, None)
    assert text_of(mine).split("|")[4:6] == ["202108250930", "202108270930"]  # of Vietnam
    on_windscreen = parse(text_of(lane, "51C12345"))
    assert on_windscreen and (on_windscreen.holder, on_windscreen.areas) == ("51C12345", ())
    assert judged(replace(on_windscreen, holder=lane.holder), [mine, lane], lane) == (lane, None)


def test_to_the_minute_only() -> None:
    mine = replace(
        permit(), valid_from=NOW + dt.timedelta(seconds=30.5), valid_until=NOW + DAY + dt.timedelta(seconds=59)
    )
    shown = parse(text_of(mine))
    assert shown and judged(shown, [mine], mine) == (mine, None)


def test_specimens_of_2021() -> None:
    mine, yours, lane = permit(), permit(holder=YOU), permit(holder="ab" * 32)
    text = text_of(mine)
    shown = parse(text)
    assert shown
    assert judged(shown, [mine], None) == (None, "permit.forged"), "sold for a million; nobody had issued it"
    for change in (
        {"group": "5"},
        {"areas": ("quan-3",)},
        {"valid_until": mine.valid_until + DAY},
        {"valid_from": mine.valid_from - MINUTE},
        {"holder": YOU},
    ):
        assert judged(replace(shown, **change), [mine], mine) == (None, "permit.forged"), change
    assert judged(shown, [yours], mine) == (None, "permit.borrowed"), "a valid QR that showed another person's data"
    assert judged(shown, [], mine) == (None, "permit.borrowed")
    assert judged(shown, None, mine) == (None, "permit.unproved")
    copied = replace(shown, id=lane.id, holder=lane.holder)
    assert judged(copied, [mine], lane) == (None, "permit.borrowed"), "a green-lane QR copied for another lorry"
    assert judged(copied, [mine], lane, vehicle_known=False) == (None, "permit.unproved")
    assert judged(shown, [replace(mine, revoked_at=NOW)], replace(mine, revoked_at=NOW))[1] is None
    assert set(WHY_NONE) == {"permit.forged", "permit.borrowed", "permit.unproved"}


@pytest.mark.parametrize(
    "text", ["", "https://kbyt.khambenh.gov.vn", "HC1:ABC", "GDD", "GDD2|x", "gdd1|x", "0|1|2|3|4|5|6"]
)
def test_what_is_no_permit_at_all(text: str) -> None:
    assert parse(text) is None


def _broken() -> list[str]:
    parts = text_of(permit()).split("|")
    changes = ("prm_x", "3A-", "a b", "202113250930", "20210825", "12", "")
    return [
        *("|".join([*parts[:n], change, *parts[n + 1 :]]) for n, change in enumerate(("", *changes), 0) if n),
        "|".join(parts[:6]),
        "|".join([*parts, ""]),
        "|".join(parts) + " " * 500 + "x",
        "GDD1|" + "|" * 5,
        "GDD1|\ud800|3A|*|202108250930|202108260930|51C12345",
        text_of(permit()).replace("prm_", "cod_"),
        text_of(permit())[:-1] + ("1" if text_of(permit())[-1] != "1" else "2"),
    ]


@pytest.mark.parametrize("text", _broken())
def test_what_begins_as_a_permit_and_is_none(text: str) -> None:
    with pytest.raises(Invalid, match=r"permit\.malformed"):
        parse(text)


@given(st.text(max_size=80))
def test_any_text_is_read_or_refused(tail: str) -> None:
    for text in (tail, "GDD1|" + tail):
        try:
            parse(text)
        except Invalid as refused:
            assert refused.code == "permit.malformed"


_TOLD = ("3A", "LX", "*", "Quận 3", "25/08/2021", "99999", "31/12/9999", "0001-01-01", "PC08", "=1", "1E+11")
_CELLS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=True),
    st.text(max_size=40),
    st.datetimes(),
    st.dates(),
    st.sampled_from(_TOLD),
)
_ROWS = st.dictionaries(st.sampled_from(list(COLUMNS)), _CELLS)


@given(_ROWS)
def test_any_row_is_read_or_refused_field_by_field(cells: dict[str, Cell]) -> None:
    try:
        parse_asked(cells, load_permit_groups(), AREAS, NOW)
    except Invalid as refused:
        assert refused.code == "permit.fields" and refused.fields
        assert all(problem.words.vi and problem.words.en for problem in refused.fields.values())


def test_the_groups_are_those_of_the_dispatch() -> None:
    groups = load_permit_groups()
    named = "1A 1B 2A 2B 2C 3A 3C 3D 4A 4B 5 7A 7B 8A 8B 8C LX"
    assert " ".join(group.code for group in groups.groups) == named
    assert [group.code for group in groups.groups if group.unlimited] == ["5", "LX"]
    assert [group.code for group in groups.groups if group.of == "vehicle"] == ["LX"]
    assert all(group.words.vi and group.words.en for group in groups.groups)
    assert isinstance(Qid(ME), str)
