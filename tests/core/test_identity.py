"""A claim against the register: equal names match, a slip is repairable, likeness alone is nothing."""

import datetime as dt
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from motma.core.identity import PENDING, Grade, IdentityClaim, Match, RegisterRecord, compare
from motma.core.ids import Document
from motma.core.text import name_key

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
