"""Tables as offices make them and as attackers do: read alike, or refused in words, and soon."""

import csv
import io
import time
import zipfile
from typing import Any

import openpyxl
import pytest
from openpyxl.worksheet.formula import ArrayFormula

from motma.connectors.sheets import COLUMNS_MAX, FILE_MAX_BYTES, ROWS_MAX, read_table, write_csv, write_workbook
from motma.core.errors import Invalid

TEXT = "Họ và tên;Nhóm\nNguyễn Thị Ước;3A\n"
SAME = [("Họ và tên", "Nhóm"), ("Nguyễn Thị Ước", "3A")]
_COMBINING_IN_1258 = {"ọ": "o\u0323", "ễ": "ê\u0303", "ị": "i\u0323", "ớ": "ơ\u0301"}


def in_1258(text: str) -> bytes:
    """As Vietnamese Windows writes it: letters and tones apart."""
    for letter, apart in _COMBINING_IN_1258.items():
        text = text.replace(letter, apart)
    return text.encode("cp1258")


def cells(content: bytes) -> list[tuple[Any, ...]]:
    return [row.cells for row in read_table(content)]


def book(rows: list[list[Any]], **formats: str) -> bytes:
    workbook = openpyxl.Workbook()
    sheet: Any = workbook.active
    for row in rows:
        sheet.append(row)
    for place, number_format in formats.items():
        sheet[place].number_format = number_format
    out = io.BytesIO()
    workbook.save(out)
    return out.getvalue()


def changed(content: bytes, member: str, change: Any) -> bytes:
    """The same ZIP with one member's bytes changed, or added."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        names = old.namelist()
        for name in names:
            new.writestr(name, change(old.read(name)) if name == member else old.read(name))
        if member not in names:
            new.writestr(member, change(b""))
    return out.getvalue()


@pytest.mark.parametrize(
    "content",
    [
        TEXT.encode(),
        TEXT.encode("utf-8-sig"),
        TEXT.encode("utf-16"),
        TEXT.encode("utf-16-le"),
        TEXT.encode("utf-16-be"),
        b"\xfe\xff" + TEXT.encode("utf-16-be"),
        in_1258(TEXT),
        TEXT.replace(";", ",").encode(),
        TEXT.replace(";", "\t").encode("utf-16"),
        TEXT.replace(";", "|").encode(),
        TEXT.replace("\n", "\r\n").encode(),
        TEXT.replace("\n", "\n;;\n\n").encode(),
        ("sep=;\r\n" + TEXT).encode(),
        TEXT.replace("3A", '"3A"').replace("Nhóm", '="Nhóm"').encode(),
        book([["Họ và tên", "Nhóm"], ["Nguyễn Thị Ước", "3A"]]),
        book([[], ["Họ và tên", "Nhóm"], [None, ""], ["Nguyễn Thị Ước ", "3A"]]),
    ],
)
def test_one_table_in_many_makes(content: bytes) -> None:
    assert [tuple(cell for cell in row if cell) for row in cells(content)] == SAME


def test_rows_are_numbered_as_the_spreadsheet_does() -> None:
    assert [row.number for row in read_table(b"a;b\n\n\nc;d\n")] == [1, 4]
    assert [row.number for row in read_table(b"sep=;\na;b\nc;d\n")] == [2, 3]
    assert [row.number for row in read_table(book([["a"], [], ["b"]]))] == [1, 3]


def test_a_formula_is_seen_and_not_believed() -> None:
    content = book([["Nhóm", "x"], ["=1+1", '=HYPERLINK("http://a")']])
    assert cells(content)[1] == ("=1+1", '=HYPERLINK("http://a")')
    workbook = openpyxl.Workbook()
    sheet: Any = workbook.active
    sheet["A1"] = ArrayFormula("A1:A2", "=SUM(B1:B2)")
    out = io.BytesIO()
    workbook.save(out)
    assert str(cells(out.getvalue())[0][0]).startswith("=")


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "import.empty"),
        (b"\n;;\n", "import.empty"),
        (b"x" * (FILE_MAX_BYTES + 1), "import.too_large"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(512), "import.old_format"),
        (b"PK\x03\x04 and nothing", "import.unreadable"),
        (b"a;b\n" * (ROWS_MAX + 2), "import.too_many_rows"),
        (b"a" + b";a" * COLUMNS_MAX, "import.too_wide"),
        (b"a;" + b"x" * 3_000, "import.cell_too_long"),
        (b'a;"' + b"x" * 200_000, "import.unreadable"),
        (b"\x00\x01\x02\x03", "import.encoding"),
        (b"a;\x8d\xff\x90", "import.encoding"),
        (book([["a"] * (COLUMNS_MAX + 1)]), "import.too_wide"),
        (book([["a"]] * (ROWS_MAX + 2)), "import.too_many_rows"),
        (changed(book([["a"]]), "xl/vbaProject.bin", lambda _: b"x"), "import.macros"),
        (changed(book([["a"]]), "xl/media/zero.png", lambda _: bytes(30 * 1024 * 1024)), "import.bomb"),
        (changed(book([["a"]]), "xl/worksheets/sheet1.xml", lambda old: old[:200]), "import.unreadable"),
        (changed(book([["a"]]), "xl/worksheets/sheet1.xml", lambda _: b""), "import.unreadable"),
        (changed(book([["a"]]), "xl/workbook.xml", lambda _: b"<x/>"), "import.unreadable"),
        (book([["a"]])[:-30], "import.unreadable"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_not_taken(content: bytes, code: str) -> None:
    with pytest.raises(Invalid) as refused:
        read_table(content)
    assert refused.value.code == code and refused.value.words.vi and refused.value.words.en


_LOL = b"""<?xml version="1.0"?><!DOCTYPE w [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;"><!ENTITY c SYSTEM "file:///etc/passwd">]>
<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData><row r="1">
<c r="A1" t="inlineStr"><is><t>%s</t></is></c></row></sheetData></worksheet>"""


_MAIN = b"http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_STRINGS = (
    b'<Override ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sharedStrings+xml"'
    b' PartName="/xl/sharedStrings.xml"/></Types>'
)


@pytest.mark.parametrize("entity", [b"&b;", b"&c;"])
@pytest.mark.parametrize("member", ["xl/worksheets/sheet1.xml", "xl/sharedStrings.xml", "xl/workbook.xml"])
def test_entities_and_files_outside_are_never_followed(entity: bytes, member: str) -> None:
    types = changed(book([["a"]]), "[Content_Types].xml", lambda old: old.replace(b"</Types>", _STRINGS))
    types = changed(types, "xl/sharedStrings.xml", lambda _: b'<sst xmlns="%s"/>' % _MAIN)
    assert cells(types) == [("a",)]
    with pytest.raises(Invalid, match=r"import\.unreadable"):
        read_table(changed(types, member, lambda _: _LOL % entity))


def test_rows_and_columns_far_away_cost_little() -> None:
    """A few bytes can name row 9,999,999,999 or column XFD in each of many rows."""
    sheet = b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>%s</sheetData></worksheet>'
    far = b'<row r="9999999999"><c r="A9999999999"><v>1</v></c></row>'
    wide = b"".join(
        b'<row r="%d"><c r="A%d"><v>1</v></c><c r="XFD%d"><v>1</v></c></row>' % (n, n, n) for n in range(1, 2_000)
    )
    lies = b'<row r="1"><c r="A1"><v>7</v></c></row>'
    began = time.monotonic()
    with pytest.raises(Invalid, match=r"import\.(empty|unreadable)"):
        read_table(changed(book([["a"]]), "xl/worksheets/sheet1.xml", lambda _: sheet % far))
    assert len(read_table(changed(book([["a"]]), "xl/worksheets/sheet1.xml", lambda _: sheet % wide))) == 1_999
    told = changed(book([["a"]]), "xl/worksheets/sheet1.xml", lambda _: (sheet % lies).replace(
        b"<sheetData>", b'<dimension ref="A1:ZZ1048576"/><sheetData>'))  # fmt: skip
    assert cells(told)[0][0] == 7
    assert time.monotonic() - began < 20  # a second, on a busy machine some; what it guards against takes hours


@pytest.mark.parametrize("text", ["a" + "\u0301\u0323" * 500_000, "tên;a" + "\u0323\u0301" * 20])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_towers_of_marks_are_not_put_in_order(text: str, encoding: str) -> None:
    """Twenty minutes for 2 MB, and all the while nobody else would have a turn."""
    began = time.process_time()
    with pytest.raises(Invalid, match=r"import\.(encoding|too_large)"):
        read_table(text.encode(encoding)[:FILE_MAX_BYTES])
    assert time.process_time() - began < 5
    assert (
        cells("Ho\u0323 va\u0300 tên;Nhóm\nNguyê\u0303n Thi\u0323 U\u031bo\u031b\u0301c;3A\n".encode(encoding)) == SAME
    )


_SHEET = b'<worksheet xmlns="%s"><sheetData>%%s</sheetData></worksheet>' % _MAIN


@pytest.mark.parametrize(
    "inside",
    [b"<row/>" * 2_400_000, b'<row r="1">' + b"<c/>" * 3_600_000 + b"</row>", b"<a>" * 1_000_000 + b"</a>" * 1_000_000],
    ids=["rows", "cells", "deep"],
)
def test_emptiness_that_packs_a_thousand_to_one(inside: bytes) -> None:
    """20 KB that took 27 seconds and 1.2 GB to read."""
    bomb = changed(book([["a"]]), "xl/worksheets/sheet1.xml", lambda _: _SHEET % inside)
    assert len(bomb) < 50_000
    began = time.process_time()
    with pytest.raises(Invalid, match=r"import\.bomb"):
        read_table(bomb)
    assert time.process_time() - began < 5


def test_the_largest_table_there_may_be_is_no_bomb() -> None:
    full = book([[f"ô số {n} của hàng {row}" for n in range(14)] for row in range(ROWS_MAX + 1)])
    assert len(full) < FILE_MAX_BYTES and len(read_table(full)) == ROWS_MAX + 1


def test_what_goes_out_is_run_by_no_spreadsheet() -> None:
    nasty = ["=1+1", "+84", "-2", "@SUM(A1)", "\t=1", "\r=1", "＝1", "Nguyễn", "", 'a"b,c', "x\ny"]
    written = write_csv([nasty])
    assert written.startswith(b"\xef\xbb\xbf")
    [row] = csv.reader(io.StringIO(written.decode("utf-8-sig"), newline=""))
    assert row == ["'" + cell if cell and cell[0] in "=+-@\t\r＝" else cell for cell in nasty]
    assert cells(write_csv([["=1+1", "+84", "x"]])) == [("=1+1", "+84", "x")]


def test_a_template_keeps_zeros() -> None:
    content = write_workbook(["Số giấy tờ", "Nhóm"], [["=x", "a", "b"]], ("Một", "Hai"))
    assert cells(content) == [("Số giấy tờ", "Nhóm")]
    workbook = openpyxl.load_workbook(io.BytesIO(content))
    sheet: Any = workbook["Một"]
    assert sheet["A2"].number_format == "@" and workbook["Hai"]["A1"].value == "'=x"
