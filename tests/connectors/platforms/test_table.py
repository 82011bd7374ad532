"""Tables of declarations: one list in many makes is one list, what a spreadsheet spoilt is put right only where that is
certain, and what is not ours comes back."""

import datetime as dt
import io
import unicodedata
from typing import Any

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from motma.connectors.platforms.items import Sent, Skipped
from motma.connectors.platforms.table import Sheet, TableConnector, tables
from motma.core.errors import Invalid
from motma.core.form import parse_declaration
from motma.core.words import Words
from motma.forms import load_units

NOW = dt.datetime(2026, 1, 18, 7, tzinfo=dt.UTC)
CONNECTOR = TableConnector()
ROW = {
    "Họ và tên": "Nguyễn Trần Quốc An",
    "Ngày sinh": "27/12/1986",
    "Giới tính": "Nam",
    "Số giấy tờ": "999086834952",
    "Số điện thoại": "0901234567",
    "Nơi ở": "12 Lê Lợi, Phường Bến Thành, TP. Hồ Chí Minh",
    "Nơi đi": "Phường Bến Thành, TP.HCM",
    "Nơi đến": "Ba Đình, Hà Nội",
    "Phương tiện": "Xe khách",
    "Ngày giờ đi": "20/01/2026 06:30",
    "Triệu chứng": "Không",
    "Tiếp xúc": "Không",
    "Đồng ý các mục đích": "Tất cả",
}


def csv(row: dict[str, str], sign: str = ";") -> str:
    return "\n".join(sign.join(f'"{cell}"' for cell in line) for line in (row, row.values()))


def in_1258(text: str) -> bytes:
    """As Vietnamese Windows writes it: tones apart from letters."""
    apart = []
    for letter in text:
        parts = unicodedata.normalize("NFD", letter)
        tones = "".join(part for part in parts if part in "\u0300\u0301\u0303\u0309\u0323")
        apart.append(unicodedata.normalize("NFC", "".join(part for part in parts if part not in tones)) + tones)
    return "".join(apart).encode("cp1258")


def read(row: dict[str, str]) -> Sheet:
    return tables().read(csv(row).encode())


def raw(content: bytes) -> dict[str, Any]:
    [item] = CONNECTOR.to_ours(content, "text/csv", NOW)
    assert isinstance(item, Sent), item
    return item.raw


def whole(**changes: str) -> dict[str, Any]:
    return raw(csv(ROW | changes).encode())


def problems(**changes: str) -> dict[str, str]:
    [item] = CONNECTOR.to_ours(csv(ROW | changes).encode(), "text/csv", NOW)
    assert isinstance(item, Skipped), item
    return {name: problem.code for name, problem in item.fields.items()}


def test_one_list_in_many_makes_is_one_list() -> None:
    first = whole()
    declaration = parse_declaration(first, tables().columns.form, load_units(), frozenset(), NOW)
    assert declaration.residence.commune == "26743" and declaration.trip.destination.province == "01"
    assert declaration.residence.address == "12 Lê Lợi" and declaration.trip.vehicle == "bus"
    assert declaration.trip.departs_at == dt.datetime(2026, 1, 19, 23, 30, tzinfo=dt.UTC)
    assert declaration.consents == ("code", "identity", "health", "passage") and declaration.nationality == "VN"

    other_names = {
        "HO TEN (chữ in hoa) *": ROW["Họ và tên"],
        "NTNS": "27-12-1986",
        "gioi tinh": "nam",
        "CCCD/CMND": "999 086 834 952",
        "SĐT": "0901234567",
        "Tỉnh/TP": "tp ho chi minh",
        "Phường/Xã": "ben thanh",
        "Địa chỉ": "12 Lê Lợi",
        "Tỉnh nơi đi": "79",
        "Phường/xã nơi đi": "26743",
        "Tỉnh đến": "1",
        "Xã đến": "4",
        "Loại xe": "xe buýt",
        "Ngày đi": "20/1/2026",
        "Giờ đi": "6h30",
        "Dấu hiệu": "không",
        "Tiếp xúc F0": "ko",
        "Consents": "code; identity; health; passage",
    }
    tab, bar = csv(ROW, "\t"), csv(ROW, "|")
    title = "DANH SÁCH HÀNH KHÁCH\nChuyến 12\n\n"
    backwards = dict(reversed(ROW.items()))
    for content in (
        csv(ROW, ",").encode("utf-8-sig"),
        tab.encode("utf-16"),
        bar.encode("utf-16-be"),
        in_1258(csv(ROW)),
        (title + csv(ROW)).encode(),
        csv(backwards).encode(),
        csv(other_names).encode(),
    ):
        assert raw(content) == first, tables().read(content).encoding
    assert tables().read(in_1258(csv(ROW))).encoding == "cp1258"
    assert len({item.key for item in CONNECTOR.to_ours(csv(ROW).encode(), "", NOW) if isinstance(item, Sent)}) == 1


def test_numbers_and_dates_as_spreadsheets_keep_them() -> None:
    book = openpyxl.Workbook()
    sheet: Any = book.active
    sheet.append([*ROW, "Giờ đi"])
    day = dt.datetime(2026, 1, 20)  # noqa: DTZ001  a spreadsheet's day has no zone
    values = ROW | {"Ngày sinh": dt.date(1986, 12, 27), "Số giấy tờ": 999086834952, "Số điện thoại": 901234567}
    sheet.append([*(values | {"Ngày giờ đi": day}).values(), dt.time(6, 30)])
    sheet.append([*(values | {"Ngày sinh": 1986, "Ngày giờ đi": 46042}).values(), 0.2708333333])
    out = io.BytesIO()
    book.save(out)
    one, two = CONNECTOR.to_ours(out.getvalue(), "", NOW)
    assert isinstance(one, Sent) and isinstance(two, Sent)
    assert one.raw == whole() | {"phone": "901234567"}
    assert two.raw == one.raw | {"birth_date": "1986"}
    assert one.key != two.key


def test_zeros_come_back_only_where_that_is_certain() -> None:
    """An invented number of Hà Nội, 1990, male: birth year and sex bear a longer number out, or nothing is done."""
    row = ROW | {"Ngày sinh": "1990", "Số giấy tờ": "1090123456"}
    [one] = read(row).rows
    assert one.read.raw["document"] == {"kind": "cccd", "number": "001090123456"}
    assert ("document.number", "import.zeros_restored") in [(column, told.code) for column, told in one.read.notices]
    for changes in ({"Ngày sinh": "1991"}, {"Giới tính": "Nữ"}, {"Giới tính": ""}, {"Số giấy tờ": "90090123456"}):
        assert problems(**(row | changes)) == {"Số giấy tờ": "import.number_changed"}, changes
    assert problems(**{"Số giấy tờ": "9,99E+11"}) == {"Số giấy tờ": "import.number_changed"}
    assert problems(**{"Số giấy tờ": "12345678", "Loại giấy tờ": "CMND"}) == {"Số giấy tờ": "import.number_changed"}


def test_nothing_is_taken_for_a_no_or_for_a_consent() -> None:
    columns = {name: cell for name, cell in ROW.items() if name not in ("Triệu chứng", "Tiếp xúc")}
    health = raw(csv(columns).encode())["health"]
    assert health == {"symptoms": {}, "places": ""}
    assert whole(**{"Triệu chứng": "ho, sốt"})["health"]["symptoms"] == dict.fromkeys(
        (one.id for one in tables().columns.form.symptoms), False
    ) | {"cough": True, "fever": True}
    one_each = raw(csv(columns | {"Sốt": "x", "Ho": "không", "Khó thở": ""}).encode())["health"]["symptoms"]
    assert one_each == {"fever": True, "cough": False}
    assert problems(**{"Triệu chứng": "đau bụng"}) == {"Triệu chứng": "import.symptoms"}
    for said in ("có", "x", "Đồng ý", "code; có"):
        assert problems(**{"Đồng ý các mục đích": said}) == {"Đồng ý các mục đích": "import.consent"}
    assert whole(**{"Đồng ý các mục đích": "Cấp mã; Dữ liệu sức khoẻ"})["consents"] == ["code", "health"]
    assert whole(**{"Đồng ý các mục đích": ""})["consents"] == []


@pytest.mark.parametrize(
    ("column", "cell", "code"),
    [
        ("Ngày sinh", "31/02/1986", "date.malformed"),
        ("Ngày giờ đi", "20/01/2026", "import.no_time"),
        ("Nơi đi", "Sài Gòn", "import.place"),
        ("Nơi đến", "Phường Không Có, Hà Nội", "import.place"),
        ("Họ và tên", "=HYPERLINK(1)", "field.formula"),
    ],
)
def test_what_to_mend_is_said_by_the_names_of_their_columns(column: str, cell: str, code: str) -> None:
    assert problems(**{column: cell}) == {column: code}


def test_names_that_are_almost_ours_are_guessed_and_said() -> None:
    row = {("Số điện thoai." if name == "Số điện thoại" else name): cell for name, cell in ROW.items()}
    row = {("Ngày sinhh" if name == "Ngày sinh" else name): cell for name, cell in row.items()}
    sheet = read(row | {"Số điện thoại 2": "1", "STT": "7"})
    assert sheet.guessed == (("Ngày sinhh", "birth_date"),)
    assert sheet.kept == ("Số điện thoại 2",), "a number of rows is not kept, nor is another column taken for ours"
    lacking = read({name: cell for name, cell in ROW.items() if name not in ("Số điện thoại", "Nơi đi")}).lacking
    assert lacking == ("phone", "trip.origin.province", "trip.origin.commune")


def test_there_and_back() -> None:
    more = ROW | {"Triệu chứng": "Đau cơ, sốt", "Ghế": "A1", "Ghi chú": "=1+1", "Biển số": "51F12345", "Tiếp xúc": "có"}
    for row in (ROW, more, ROW | {"Loại giấy tờ": "Không có", "Số giấy tờ": "", "Quốc tịch": "VN"}):
        sent = raw(csv(row).encode())
        assert raw(CONNECTOR.to_theirs(sent)) == sent
    assert raw(CONNECTOR.to_theirs(raw(csv(more).encode())))["extra"]["theirs"] == {"Ghế": "A1", "Ghi chú": "=1+1"}
    native = whole() | {"trip": whole()["trip"] | {"departs_at": "2026-01-19T23:30:00Z"}}
    assert raw(CONNECTOR.to_theirs(native))["trip"]["departs_at"] == "2026-01-20T06:30+07:00"


def test_the_template_is_read_back_and_says_how() -> None:
    for content in (tables().template_csv(), tables().template_workbook()):
        with pytest.raises(Invalid) as caught:
            CONNECTOR.to_ours(content, "", NOW)
        assert caught.value.code == "inbox.no_rows"
    book = openpyxl.load_workbook(io.BytesIO(tables().template_workbook()))
    assert [cell.value for cell in book.worksheets[0][1]][:2] == ["Họ và tên", "Ngày sinh"]
    assert any("Xe máy" in str(row[1].value) for row in book.worksheets[1].iter_rows())


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "inbox.empty"),
        (b"PK\x03\x04rubbish", "inbox.unreadable"),
        ("Tên hàng;Giá\nBàn;5\n".encode(), "inbox.columns"),
        (csv(ROW | {"Họ tên": "An"}).encode(), "inbox.column_twice"),
    ],
)
def test_what_is_no_table_of_declarations(content: bytes, code: str) -> None:
    with pytest.raises(Invalid) as caught:
        CONNECTOR.to_ours(content, "text/csv", NOW)
    assert caught.value.code == code
    assert isinstance(caught.value.words, Words) and caught.value.words.vi


CELLS = st.one_of(st.text(max_size=20), st.sampled_from([*ROW.values(), "999086834952", "x", "1e9", "24:99", "0"]))


@given(st.lists(CELLS, min_size=len(ROW), max_size=len(ROW)))
def test_whatever_stands_in_cells(cells: list[str]) -> None:
    """Nothing but what is said to be wrong; and what is sent comes back as it was."""
    try:
        [item, *_] = CONNECTOR.to_ours(csv(dict(zip(ROW, cells, strict=True))).encode("utf-8", "replace"), "", NOW)
    except Invalid as invalid:
        assert invalid.code.startswith("inbox.")
        return
    if isinstance(item, Sent):
        CONNECTOR.to_theirs(item.raw)
        with_time = str(item.raw["trip"]["departs_at"])
        assert not with_time or "T" in with_time


@given(st.binary(max_size=300))
def test_whatever_comes_as_a_file(content: bytes) -> None:
    with pytest.raises(Invalid):
        CONNECTOR.to_ours(content, "text/csv", NOW)
