"""Names: one Unicode form, tones kept, keys that bring together what is one name and nothing else."""

import json
import time
import unicodedata
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from motma.core.errors import Invalid
from motma.core.text import NAME_MAX_CHARS, fold, name_key, parse_line, parse_name, spelling_key, vietnamese_order

VECTORS = Path(__file__).parents[2] / "vectors" / "names"
LETTERS = "aàáảãạăằắẳẵặâầấẩẫậbcdđeèéẻẽẹêềếểễệghiìíỉĩịklmnoòóỏõọôồốổỗộơờớởỡợpqrstuùúủũụưừứửữựvxyỳýỷỹỵ"
VIETNAMESE = st.text(LETTERS + LETTERS.upper() + " -'", min_size=1, max_size=60)


def cases(name: str) -> list[Any]:
    return json.loads((VECTORS / name).read_text("utf-8"))["cases"]


@pytest.mark.parametrize("case", cases("parse.json"), ids=lambda case: case["about"])
def test_a_name_is_read_or_refused(case: dict[str, str]) -> None:
    if "name" in case:
        assert parse_name(case["raw"]) == case["name"]
        assert parse_name(case["name"]) == case["name"]
    else:
        with pytest.raises(Invalid) as refused:
            parse_name(case["raw"])
        assert refused.value.code == case["code"]
        assert refused.value.words.vi and refused.value.words.en


@pytest.mark.parametrize("case", cases("keys.json"), ids=lambda case: f"{case['a']} {case['b']}")
def test_two_spellings_are_one_name_or_two(case: dict[str, Any]) -> None:
    assert (name_key(case["a"]) == name_key(case["b"])) is case["same"]
    if case["same"]:
        assert spelling_key(case["a"]) == spelling_key(case["b"])


@pytest.mark.parametrize(
    ("one", "other"), [("Vy", "Vi"), ("Thy", "Thi"), ("Mai My", "Mai Mi"), ("Quy", "Qui"), ("Lý", "Lí")]
)
def test_a_final_y_or_i_is_one_spelling_for_grading(one: str, other: str) -> None:
    assert spelling_key(one) == spelling_key(other)


@pytest.mark.parametrize(("one", "other"), [("Thúy", "Thúi"), ("Tây", "Tâi"), ("Huy", "Hui"), ("Y", "I"), ("An", "Ân")])
def test_another_sound_is_another_spelling(one: str, other: str) -> None:
    assert spelling_key(one) != spelling_key(other)


@pytest.mark.parametrize("case", cases("fold.json"), ids=lambda case: case["name"] or "empty")
def test_a_name_is_folded_as_the_2021_format_wrote_it(case: dict[str, str]) -> None:
    assert fold(case["name"]) == case["folded"]


@given(VIETNAMESE)
def test_the_key_does_not_depend_on_unicode_form_or_case(name: str) -> None:
    keys = {
        name_key(form(case))
        for form in (lambda text: unicodedata.normalize("NFC", text), lambda text: unicodedata.normalize("NFD", text))
        for case in (name, name.upper(), name.lower(), name.title())
    }
    assert len(keys) == 1
    assert fold(name).isascii()


@given(st.text(max_size=120))
def test_the_keys_of_any_text_are_the_same_in_nfc_and_nfd(text: str) -> None:
    nfc, nfd = unicodedata.normalize("NFC", text), unicodedata.normalize("NFD", text)
    for key in (name_key, spelling_key, fold):
        assert key(nfc) == key(nfd)


@given(
    st.sampled_from("bcdđghklmnprstvx"),
    st.sampled_from(["oa", "oe", "uy"]),
    st.sampled_from("\u0300\u0301\u0303\u0309\u0323"),
)
def test_where_the_tone_stands_does_not_matter(onset: str, vowels: str, tone: str) -> None:
    old, new = onset + vowels[0] + tone + vowels[1], onset + vowels + tone
    assert name_key(unicodedata.normalize("NFC", old)) == name_key(unicodedata.normalize("NFC", new))
    assert name_key(old) != name_key(onset + vowels)


@settings(max_examples=300)
@given(st.one_of(st.text(max_size=150), st.text(LETTERS + "Ð’ﬁ\u200b\u00a0\u0301\u0302\u0323- ", max_size=450)))
def test_any_text_is_a_name_in_one_form_or_refused(raw: str) -> None:
    try:
        name = parse_name(raw)
    except Invalid as refused:
        assert refused.code.startswith("name.")
        return
    assert parse_name(name) == name
    assert unicodedata.is_normalized("NFC", name)
    assert name == " ".join(name.split(" ")).strip() and name.isprintable()
    assert 0 < len(name) <= NAME_MAX_CHARS
    assert name_key(name)
    assert not set(name) & set('<>&"|{}=;0123456789')


@settings(max_examples=300)
@given(st.text(max_size=80))
def test_any_text_is_a_line_in_one_form_or_refused(raw: str) -> None:
    try:
        line = parse_line(raw, 60)
    except Invalid as refused:
        assert refused.code in ("text.characters", "text.too_long")
        return
    assert parse_line(line, 60) == line
    assert unicodedata.is_normalized("NFC", line)
    assert line.isprintable() and len(line) <= 60


@pytest.mark.parametrize(
    "raw",
    ["a\x00b", "a\x07b", "a\x0bb", "a\x1cb", "a\x7fb", "a\x85b", "a\u2028b", "a\u202eb", "a\u2066b", "a\u200fb",
     "a\u061cb",
     "a\ud800b", "a\ue000b", "a\U000e0041b"],
    ids=ascii,
)  # fmt: skip
def test_what_cannot_be_seen_is_no_part_of_a_line(raw: str) -> None:
    with pytest.raises(Invalid, match=r"text\.characters"):
        parse_line(raw, 100)


def test_a_line_keeps_what_can_be_seen() -> None:
    assert parse_line(" Số 12/3,\tđường Lê Lợi\r\nPhường Sài Gòn ", 100) == "Số 12/3, đường Lê Lợi Phường Sài Gòn"
    assert parse_line("a\u200bb\u00adc\u00a0d\u3000e", 100) == "abc d e"
    assert parse_line("<b> & 'x' 😀", 100) == "<b> & 'x' 😀"
    assert parse_line(unicodedata.normalize("NFD", "Huế"), 3) == "Huế"
    assert parse_line("", 10) == parse_line(" \u200b ", 10) == ""


@pytest.mark.parametrize("unit", ["a", "ễ", "\u0301", "\u200b", " ", "\ufdfa", "<", "\ud800"], ids=ascii)
def test_ten_megabytes_are_refused_at_once(unit: str) -> None:
    huge = unit * 10_000_000
    began = time.thread_time()
    with pytest.raises(Invalid, match="too_long"):
        parse_name(huge)
    with pytest.raises(Invalid, match="too_long"):
        parse_line(huge, 200)
    assert time.thread_time() - began < 0.05


def test_the_vietnamese_order_goes_by_letters_first_then_by_tones() -> None:
    ordered = ["An", "An Bình", "Anh", "Ăn", "Ân", "ba", "Bà", "bả", "bã", "Bá", "bạ", "bạc", "Dũng", "Đa", "Êm", "Ưu"]
    assert sorted(sorted(ordered), key=vietnamese_order) == ordered
    assert vietnamese_order("Đặng") == vietnamese_order(unicodedata.normalize("NFD", "ĐẶNG"))
