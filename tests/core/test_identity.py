"""A claim against the register: equal names match, a slip is repairable, likeness alone is nothing."""

import datetime as dt
import json
import unicodedata
from collections.abc import Callable
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rapidfuzz.distance import OSA

from bench.edits import tone_moved
from bench.names import people
from motma.core.identity import (
    PENDING,
    Grade,
    IdentityClaim,
    Match,
    NameDifference,
    RegisterRecord,
    compare,
    composed_name,
    name_difference,
)
from motma.core.ids import Document
from motma.core.text import bare_letters, fold, name_key, parse_name

VECTORS = Path(__file__).parents[2] / "vectors" / "names"
BORN = dt.date(1987, 1, 18)
DOCUMENT = Document("cccd", "999187123456")
WORDS = st.sampled_from(
    ["Nguyễn", "Nguyen", "Trần", "Lê", "Lễ", "Lý", "Lí", "Văn", "Vân", "Thị", "Thi", "Thy", "An", "Ân", "Anh", "Ánh",
     "Hòa", "Hoà", "Hoa", "Hùng", "Hưng", "Vy", "Vi", "Thúy", "Thuý", "Quý", "Quí"]
)  # fmt: skip
NAMES = st.lists(WORDS, min_size=1, max_size=5).map(" ".join)


def claim(name: str, born: dt.date = BORN) -> IdentityClaim:
    return IdentityClaim(DOCUMENT, name, born)


@pytest.mark.parametrize(
    "case",
    json.loads((VECTORS / "compare.json").read_text("utf-8"))["cases"],
    ids=lambda case: f"{case['claim']} {case['register']}",
)
def test_names_are_graded(case: dict[str, Any]) -> None:
    match = compare(claim(case["claim"]), RegisterRecord(case["register"], BORN))
    assert (match.grade, match.how) == (case["grade"], case["how"])
    assert match.differing == (() if match.grade is Grade.MATCHED else ("name",))
    assert match.travels is (match.grade is not Grade.MISMATCHED)


def test_a_number_that_the_register_does_not_hold_is_unknown() -> None:
    assert compare(claim("Nguyễn An"), None) == Match(Grade.UNKNOWN, ("document.number",))


@pytest.mark.parametrize(
    "born", [dt.date(1987, 1, 19), dt.date(1987, 2, 18), dt.date(1978, 1, 18), dt.date(1987, 1, 1)]
)
def test_another_birth_date_is_another_person_whatever_the_name(born: dt.date) -> None:
    match = compare(claim("Nguyễn Thị Minh", born), RegisterRecord("Nguyễn Thị Minh", BORN))
    assert match == Match(Grade.MISMATCHED, ("birth_date",))
    assert not match.travels


def test_pending_travels() -> None:
    assert PENDING.travels and PENDING.differing == ()


@pytest.mark.parametrize("name", ["", "-", "' .", "\u200b"])
def test_no_name_matches_no_name(name: str) -> None:
    assert compare(claim(name), RegisterRecord(name, BORN)).grade is Grade.MISMATCHED


@given(NAMES, NAMES)
def test_only_equal_keys_match_and_the_grade_is_the_same_both_ways(one: str, other: str) -> None:
    there, back = (compare(claim(a), RegisterRecord(b, BORN)) for a, b in ((one, other), (other, one)))
    assert (there.grade, there.how) == (back.grade, back.how)
    assert (there.grade is Grade.MATCHED) is (name_key(one) == name_key(other))
    assert (there.how is None) is (there.grade is not Grade.REPAIRABLE)


@given(NAMES)
def test_a_name_matches_itself_in_any_case(name: str) -> None:
    assert compare(claim(name.upper()), RegisterRecord(name, BORN)).grade is Grade.MATCHED


def test_differences_are_ordered_and_only_two_are_one_name() -> None:
    assert [difference.rank for difference in NameDifference] == list(range(9))
    assert min(NameDifference, key=lambda difference: difference.rank) is NameDifference.SAME
    assert [str(difference) for difference in NameDifference][:4] == ["same", "style", "spelling", "tones"]


@pytest.mark.parametrize(("born", "fits"), [(dt.date(1950, 1, 1), True), (dt.date(1950, 12, 31), True),
                                            (dt.date(1951, 1, 1), False), (dt.date(1949, 12, 31), False)])  # fmt: skip
def test_where_only_the_year_is_known_years_are_compared(born: dt.date, fits: bool) -> None:
    record = RegisterRecord("Nguyễn Thị Tư", dt.date(1950, 1, 1), year_only=True)
    match = compare(claim("Nguyễn Thị Tư", born), record)
    assert match == (Match(Grade.MATCHED) if fits else Match(Grade.MISMATCHED, ("birth_date",)))


def test_a_day_that_is_known_is_compared_even_if_it_is_the_first_of_january() -> None:
    record = RegisterRecord("Nguyễn Thị Tư", dt.date(1950, 1, 1))
    assert compare(claim("Nguyễn Thị Tư", dt.date(1950, 5, 1)), record).grade is Grade.MISMATCHED


def test_a_measure_may_take_a_difference_for_a_match() -> None:
    record = RegisterRecord("Nguyễn Văn Hùng", BORN)
    bare, other = claim("Nguyen Van Hung"), claim("Nguyễn Văn Hưng")
    assert compare(bare, record) == Match(Grade.REPAIRABLE, ("name",), "tones")
    assert compare(bare, record, {"tones"}) == Match(Grade.MATCHED, (), "tones")
    assert compare(other, record, {"tones"}) == Match(Grade.REPAIRABLE, ("name",), "marks")
    everything = frozenset(NameDifference)
    assert compare(claim("Trần Văn Minh"), record, everything).grade is Grade.MISMATCHED
    assert compare(claim("Nguyen Van Hung", dt.date(1988, 1, 18)), record, everything).grade is Grade.MISMATCHED
    assert compare(bare, None, everything).grade is Grade.UNKNOWN


@pytest.mark.parametrize(
    ("typed", "held", "printed"),
    [
        ("Nguyeenx Vawn Hungf", "Nguyễn Văn Hùng", "Nguyễn Văn Hùng"),
        ("NGUYEENX THIJ LYS", "Nguyễn Thị Lí", "NGUYỄN THỊ LÝ"),
        ("Lí Văn An", "Lý Văn An", "Lí Văn An"),
        ("Max Li", "Max Li", "Max Li"),
        ("Nguyen Van Hung", "Nguyễn Văn Hùng", "Nguyen Van Hung"),
    ],
)
def test_a_name_is_printed_as_it_was_meant(typed: str, held: str, printed: str) -> None:
    assert composed_name(typed, held) == printed


@settings(max_examples=300)
@given(st.text(max_size=40), st.text(max_size=40))
def test_any_two_texts_are_graded(one: str, other: str) -> None:
    match = compare(claim(one), RegisterRecord(other, BORN))
    assert match.grade in (Grade.MATCHED, Grade.REPAIRABLE, Grade.MISMATCHED)
    assert (match.how is None) is (match.grade is not Grade.REPAIRABLE)
    alone = compare(claim(one), RegisterRecord(one, BORN)).grade
    assert alone is (Grade.MATCHED if name_key(one) else Grade.MISMATCHED)


PEOPLE = st.sampled_from(sorted(set(people(3_000))))
STYLES: tuple[Callable[[str], str], ...] = (
    lambda name: unicodedata.normalize("NFD", name),
    lambda name: unicodedata.normalize("NFC", name),
    lambda name: unicodedata.normalize("NFKD", name),
    str.upper,
    str.lower,
    str.title,
    lambda name: f"\u00a0 {name.replace(' ', '   ')}\t",
    lambda name: "\u200b".join(name) + "\ufeff",
    lambda name: name.replace("Đ", "Ð").replace("đ", "ð"),
    lambda name: name.replace("'", "’").replace("-", "–"),
    lambda name: tone_moved(unicodedata.normalize("NFC", name), None),  # type: ignore[arg-type]
)


@settings(max_examples=300)
@given(PEOPLE, st.lists(st.sampled_from(STYLES), max_size=5, unique=True))
def test_styles_on_top_of_each_other_are_one_name(name: str, styles: list[Callable[[str], str]]) -> None:
    typed = name
    for style in styles:
        typed = style(typed)
    for read in (typed, parse_name(typed)):
        assert name_difference(read, name).rank <= NameDifference.STYLE.rank
        assert name_difference(name, read).rank <= NameDifference.STYLE.rank


@settings(max_examples=300)
@given(PEOPLE, PEOPLE, st.sampled_from(STYLES))
def test_a_style_changes_no_grade(one: str, other: str, style: Callable[[str], str]) -> None:
    plain = name_difference(one, other)
    styled = name_difference(parse_name(style(one)), other)
    assert styled is plain or {styled, plain} == {NameDifference.SAME, NameDifference.STYLE}


@settings(max_examples=300)
@given(PEOPLE, PEOPLE)
def test_names_that_are_written_out_are_as_far_apart_both_ways(one: str, other: str) -> None:
    assert name_difference(one, other) is name_difference(other, one)


@settings(max_examples=300)
@given(PEOPLE, PEOPLE)
def test_bare_letters_alone_never_match(one: str, other: str) -> None:
    for claimed in (other, fold(one), fold(other)):
        if name_difference(claimed, one).rank <= NameDifference.STYLE.rank:
            assert name_key(claimed) == name_key(one)


# Words that no edit makes alike: then every edit on another word, or of the whole order, takes a name further away.
# (An edit on a word that is edited already may undo it, and An Ân in the other order is also two marks.)
APART = ("Nguyễn", "Trường", "Phạm", "Đặng", "Thị", "Quỳnh", "Bảo", "Kiều", "Châu", "Lộc", "Vỹ")
EDITS: dict[str, Callable[[str], str]] = {
    "bare": lambda word: fold(word).title(),
    "another tone": lambda word: (
        unicodedata.normalize("NFC", unicodedata.normalize("NFD", word) + "\u0309")
        if fold(word).title() == word
        else word.translate(str.maketrans("ễườạặịỳảềâộỹ", "ểưởảẳỉýãểẩốý"))
    ),
    "left out": lambda _: "",
    "a letter changed": lambda word: ("B" if word[0] != "B" else "C") + word[1:],
    "a letter too many": lambda word: word[0] + "k" + word[1:],
}


def test_the_words_of_the_next_test_are_far_apart() -> None:
    bare = [bare_letters(unicodedata.normalize("NFD", word.lower())) for word in APART]
    assert all(OSA.distance(one, other) > 1 for one, other in combinations(bare, 2))
    for edit in EDITS.values():
        assert all(edit(word) != word for word in APART)


@settings(max_examples=500)
@given(
    st.lists(st.sampled_from(APART), min_size=2, max_size=5, unique=True),
    st.lists(st.none() | st.sampled_from(sorted(EDITS)), min_size=5, max_size=5),
    st.sampled_from(["", "reversed", "rotated"]),
    st.integers(0, 5),
)
def test_no_grade_improves_when_an_edit_is_added(
    words: list[str], edits: list[str | None], order: str, added: int
) -> None:
    """Each word takes one edit at most, and the whole one order: in whatever sequence they come, further is further."""

    def edited(upto: int, order: str) -> str:
        typed = [
            EDITS[edit](word) if edit and at < upto else word
            for at, (word, edit) in enumerate(zip(words, edits, strict=False))
        ]
        typed = typed[::-1] if order == "reversed" else typed[1:] + typed[:1] if order == "rotated" else typed
        return " ".join(word for word in typed if word)

    name = " ".join(words)
    before, after, also = edited(added, ""), edited(added + 1, ""), edited(added, order)
    assert name_difference(before, name).rank <= name_difference(after, name).rank
    assert name_difference(before, name).rank <= name_difference(also, name).rank


def test_a_year_alone_against_a_date() -> None:
    """The same whether they were born on 1 January, or that would be told; and only with the name as it is held."""
    said = IdentityClaim(Document("cccd", "999087000001"), "NGUYỄN VĂN HÙNG", dt.date(1987, 1, 1), year_only=True)
    for born in (dt.date(1987, 1, 1), dt.date(1987, 6, 30), dt.date(1987, 12, 31)):
        record = RegisterRecord("Nguyễn Văn Hùng", born)
        assert compare(said, record) == Match(Grade.REPAIRABLE, ("birth_date",), "year")
        assert compare(said, record, {"year"}) == Match(Grade.MATCHED, (), "year")
    for held in ("Nguyễn Văn Hưng", "Nguyễn Hùng", "Nguyễn Hùng Văn", "Trần Văn Minh", "Nguyen Van Hung"):
        other = compare(said, RegisterRecord(held, dt.date(1987, 6, 30)))
        assert other == Match(Grade.MISMATCHED, ("name",), "year"), held
    assert compare(said, RegisterRecord("Nguyễn Văn Hùng", dt.date(1988, 1, 1))).grade is Grade.MISMATCHED
    assert compare(said, None) == Match(Grade.UNKNOWN, ("document.number",), "year")
    bare = RegisterRecord("Nguyen Van Hung", dt.date(1987, 6, 30))
    assert compare(said, bare, {"tones", "year"}) == Match(Grade.MATCHED, (), "year")
    known_by_year = RegisterRecord("Nguyễn Văn Hùng", dt.date(1987, 1, 1), year_only=True)
    assert compare(said, known_by_year) == Match(Grade.MATCHED)


@pytest.mark.parametrize("grade", Grade)
def test_what_fits_all_that_was_said_is_no_miss(grade: Grade) -> None:
    year = Match(grade, ("birth_date",), "year")
    assert year.fits is (grade.is_sure or grade is Grade.REPAIRABLE)
    assert year.is_a_miss is (grade.is_a_miss and grade is not Grade.REPAIRABLE)
    assert Match(grade, ("name",), "tones").is_a_miss is grade.is_a_miss
