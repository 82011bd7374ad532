"""What keyboards leave behind is read as what was meant, and nothing else is."""

import random
import re
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.edits import telex, viqr, vni
from motma.core.keystrokes import is_syllable, signs_out, typed_out
from motma.core.text import name_key, parse_name

TONES = "\u0300\u0301\u0303\u0309\u0323"
SYLLABLES = tuple(
    re.findall(
        r"\S+",
        "Nguyễn Trần Phạm Huỳnh Phan Võ Đặng Bùi Đỗ Hồ Ngô Dương Lý Thị Văn Đức Quốc Quý Quỳnh Giang Gìn Giêng Nghĩa "
        "Khuê Thuở Huơ Tươi Hươu Hoài Hoàng Hoặc Khỏe Thúy Thùy Uyển Khuya Chuyên Yến Ý Ưng Ân Ẩn Ích Nhất Phước "
        "Trưởng Thương Nguyệt Xoan Quách Cường Hữu Bưởi Kiều Liêm Tuấn Thuận Luân Như Tư",
    )
)
NAMES = st.lists(st.sampled_from(SYLLABLES), min_size=2, max_size=5).map(" ".join)
KEYS = st.text("abcdeghiklmnopqrstuvwxyszfrxjAEOWD '-.`^~(+0123456789ăâêôơưđáàảãạ", max_size=40)


@pytest.mark.parametrize("syllable", SYLLABLES)
def test_every_syllable_can_be_written(syllable: str) -> None:
    assert is_syllable(
        "".join(letter for letter in unicodedata.normalize("NFD", syllable.lower()) if letter not in TONES)
    )


@pytest.mark.parametrize("word", ["", "q", "qan", "b", "anx", "smith", "hen'", "mlô", "ânh", "nguyeenx"])
def test_what_is_no_syllable(word: str) -> None:
    assert not is_syllable(word)


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("Nguyeenx", "Nguyễn"), ("Nguyenex", "Nguyễn"), ("Nguyexen", "Nguyễn"), ("NGUYEENX", "NGUYỄN"),
        ("Phuowng", "Phương"), ("Phuwowng", "Phương"), ("Dduwcs", "Đức"), ("DDoox", "Đỗ"), ("Dodox", "Đỗ"),
        ("Nhw", "Như"), ("Tw", "Tư"), ("Muwa", "Mưa"), ("Muaw", "Mưa"), ("Quawn", "Quăn"), ("Thuowr", "Thuở"),
        ("Hoaf", "Hòa"), ("Hofa", "Hòa"), ("Hoangf", "Hoàng"), ("Thuys", "Thúy"), ("Quys", "Quý"), ("Giangr", "Giảng"),
        ("Xuaan", "Xuân"), ("Kieeu", "Kiêu"), ("Nguyênx", "Nguyễn"), ("Viejet", "Việt"), ("Pha.m", "Phạm"),
        ("Lee Xuaan", "Lê Xuân"), ("Lee Vawn", "Lê Văn"), ("Lee Văn", "Lê Văn"), ("Ngoo Thij", "Ngô Thị"),
    ],
)  # fmt: skip
def test_keys_are_composed(typed: str, name: str) -> None:
    assert typed_out(typed) == name


@pytest.mark.parametrize(
    "name",
    ["Lee", "Lee Minh", "Dana Minh", "Kim Yoon", "Nguyễn Văn Loan", "Hoa Xoan", "Alex Ross", "James Smith", "Dana Lars",
     "Nguyeenxx", "Boris", "Wright", "Pat O'Brien", "J. R. Minh", "H'Hen Niê", ""],
)  # fmt: skip
def test_a_name_that_is_no_telex_stays(name: str) -> None:
    assert typed_out(name) == name


@settings(max_examples=200)
@given(NAMES, st.integers(0, 1000))
def test_what_is_typed_in_telex_composes_to_the_name(name: str, seed: int) -> None:
    typed = telex(name, random.Random(seed))
    assert typed == name or name_key(typed_out(typed)) == name_key(name) or _only_doubled_once(typed)


def _only_doubled_once(typed: str) -> bool:
    return (
        typed_out(typed) == typed
        and sum(word.lower().count("ee") + word.lower().count("oo") for word in typed.split(" ")) == 1
    )


@settings(max_examples=200)
@given(NAMES, st.integers(0, 1000))
def test_what_is_typed_in_vni_is_the_name_from_the_form_on(name: str, seed: int) -> None:
    typed = vni(name + " An", random.Random(seed))
    assert name_key(parse_name(typed)) == name_key(name + " An")


@settings(max_examples=200)
@given(NAMES)
def test_what_is_typed_in_viqr_is_the_name_from_the_form_on(name: str) -> None:
    typed = viqr("Nguyễn " + name, random.Random(0))
    assert name_key(parse_name(typed)) == name_key("Nguyễn " + name)


@settings(max_examples=400)
@given(KEYS)
def test_composing_once_is_enough_and_never_fails(text: str) -> None:
    for compose in (typed_out, signs_out):
        once = compose(unicodedata.normalize("NFC", text))
        assert compose(once) == once
        assert unicodedata.is_normalized("NFC", once)


@given(st.text(max_size=60))
def test_any_text_is_read(text: str) -> None:
    assert isinstance(typed_out(text), str) and isinstance(signs_out(text), str)


@given(NAMES)
def test_a_name_that_is_written_out_is_left_alone(name: str) -> None:
    for form in ("NFC", "NFD"):
        for case in (name, name.upper(), name.lower()):
            written = unicodedata.normalize("NFC", unicodedata.normalize(form, case))  # type: ignore[arg-type]
            assert signs_out(written) == written
            assert name_key(typed_out(written)) == name_key(written)
