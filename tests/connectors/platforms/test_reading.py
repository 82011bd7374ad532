"""What the platforms of 2021 write alike: countries by name, documents by shape, days, and JSON that goes too far."""

import datetime as dt
import unicodedata

import pytest

from motma.connectors.platforms.countries import country_of
from motma.connectors.platforms.reading import Theirs, json_object
from motma.core.errors import Invalid
from motma.forms import load_countries


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("VN", "VN"),
        ("Việt Nam", "VN"),
        ("VIET NAM", "VN"),
        ("Vietnam", "VN"),
        ("KOREA, REPUBLIC OF", "KR"),
        ("Triều Tiên", "KP"),
        ("Hồng Kông", "HK"),
        ("Trung Quốc", "CN"),
        ("Mỹ", "US"),
        ("Hoa Kỳ", "US"),
        ("MY", "MY"),
        ("My", ""),
        ("Áo", "AT"),
        ("AO", "AO"),
        ("Côte d'Ivoire", "CI"),
        ("Côte d’Ivoire", "CI"),
        ("Niger", "NE"),
        ("Nigeria", "NG"),
        ("", ""),
        ("234", ""),
        ("Atlantis", ""),
        ("(Trung Quốc)", "CN"),
    ],
)
def test_countries_however_they_are_written(text: str, code: str) -> None:
    assert country_of(text) == code


def test_every_country_is_known_by_its_own_names() -> None:
    for code, words in load_countries().items():
        assert (country_of(code), country_of(words.vi), country_of(words.en)) == (code, code, code)


@pytest.mark.parametrize(
    ("number", "nationality", "kind"),
    [
        ("999 092 533 986", "VN", "cccd"),
        ("999158322", "VN", "cmnd"),
        ("999158322", "US", "passport"),  # nine digits, as American passports have them
        ("b9991234", "VN", "passport"),
        ("", "VN", "none"),
    ],
)
def test_documents_are_told_apart_by_their_shape(number: str, nationality: str, kind: str) -> None:
    theirs = Theirs({"so": number})
    assert theirs.document("so", nationality)["kind"] == kind
    theirs.finish()


@pytest.mark.parametrize("number", ["99915832", "9991583222", "99909253398", "CHƯA CÓ", "12345678901234"])
def test_a_number_of_no_shape_is_not_taken_for_another_kind(number: str) -> None:
    theirs = Theirs({"so": number})
    theirs.document("so", "VN")
    assert {name: problem.code for name, problem in theirs.problems.items()} == {"so": "inbox.document"}


@pytest.mark.parametrize(
    ("text", "order", "becomes"),
    [
        ("1/9/2021", "dmy", dt.date(2021, 9, 1)),
        ("2021/12/31", "ymd", dt.date(2021, 12, 31)),
        ("2021-12-31", "ymd", dt.date(2021, 12, 31)),
        ("31/12/2021", "ymd", "inbox.date"),
        ("29/02/2021", "dmy", "inbox.date"),
        ("2021/00/15", "ymd", "inbox.month"),
        ("٠١/٠٩/٢٠٢١", "dmy", "inbox.date"),
        ("", "dmy", "inbox.missing"),
    ],
)
def test_days(text: str, order: str, becomes: dt.date | str) -> None:
    theirs = Theirs({"ngay": text})
    day = theirs.date("ngay", order, "trip.departs_at")
    assert (day or theirs.problems["ngay"].code) == becomes


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b'"text"',
        b"{",
        b'{"a": 1e999}',
        b'{"a": "\xff"}',
        b'{"a":' * 21 + b"1" + b"}" * 21,
        b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    ],
    ids=["empty", "list", "text", "cut", "huge", "not-utf8", "deep", "bottomless"],
)
def test_what_is_no_object_is_refused(body: bytes) -> None:
    with pytest.raises(Invalid) as refused:
        json_object(body)
    assert refused.value.code == "inbox.malformed"


def test_an_option_taken_apart_is_the_same_option() -> None:
    theirs = Theirs({"gioiTinh": unicodedata.normalize("NFD", "Nữ")})
    assert theirs.option("gioiTinh", {"Nữ": "female"}, "sex") == "female"
    theirs.finish()


def test_a_number_beyond_all_numbers_is_no_answer() -> None:
    theirs = Theirs(json_object(b'{"so": ' + b"9" * 400 + b"}"))
    assert theirs.text("so") == ""
