"""Tables that offices send, as bytes in and rows out: CSV in whatever encoding and with whatever signs between, XLSX.

What comes in here was made by anybody. A workbook is a ZIP of XML: how large it becomes is looked at before it is
opened, entities and outside references are never followed (defusedxml), macros are refused, formulas are neither run
nor believed. What goes out cannot be run by the spreadsheet that opens it.
"""

import codecs
import csv
import io
import itertools
import re
import unicodedata
import warnings
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import msgspec

from motma.core.cells import Cell
from motma.core.errors import Invalid
from motma.core.words import Words

FILE_MAX_BYTES = 2 * 1024 * 1024
ROWS_MAX, COLUMNS_MAX = 5_000, 40
_OPENED_MAX_BYTES, _MEMBERS_MAX = 16 * 1024 * 1024, 300
_TAGS_MAX = 1_000_000
"""In all parts of a workbook: four for a cell with a number, six for one with text. Empty ones pack a thousand to one,
and cost the reader 300 bytes and some microseconds each."""
_AT_A_TIME = 256 * 1024
_MARKS_MAX = 30
"""Combining marks after one another (Unicode's stream-safe text). Bringing them in order takes time that grows with the
square of their number, and nobody else gets a turn: a file of 2 MB would stop the server for twenty minutes."""
_SHEET_ROWS_MAX = 1_048_576  # no sheet has more
_CELL_MAX = 2_000
_DELIMITERS = (";", ",", "\t", "|")
_LOOKED_AT = 20
_OLE = b"\xd0\xcf\x11\xe0"
_AS_TEXT = re.compile(r'="([^"=]*)"')  # how people keep Excel from dropping zeros
_RUNS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


class Row(msgspec.Struct, frozen=True):
    """One row that is not empty, and its number in the file, counted from 1."""

    number: int
    cells: tuple[Cell, ...]


def read_table(content: bytes) -> list[Row]:
    """The rows of a CSV file, or of the first sheet of a workbook, that are not empty. A cell that is a formula is text
    that begins with ``=``.

    Raises :class:`Invalid` ``import.*`` for what is too large or cannot be read.
    """
    if len(content) > FILE_MAX_BYTES:
        raise Invalid(
            "import.too_large",
            Words("Tệp lớn hơn 2 MB. Chia thành nhiều tệp.", "The file is over 2 MB. Split it into several."),
        )
    if content.startswith(_OLE):
        raise Invalid(
            "import.old_format",
            Words(
                "Tệp .xls đời cũ, hoặc tệp có mật khẩu. Lưu lại thành .xlsx không mật khẩu, hoặc CSV.",
                "An old .xls file, or one with a password. Save it as .xlsx without a password, or as CSV.",
            ),
        )
    rows = _workbook(content) if content.startswith(b"PK") else _csv(_decoded(content))
    try:
        return _bounded(rows)
    except Invalid:
        raise
    except Exception as error:  # one edge of the house: what a broken file makes of its reader has no end of kinds
        raise _unreadable() from error


def _bounded(rows: Iterable[tuple[int, Sequence[Cell]]]) -> list[Row]:
    kept: list[Row] = []
    for number, cells in rows:
        filled = [cell for cell in cells if cell is not None and cell != ""]
        if not filled:
            continue
        if len(kept) > ROWS_MAX:  # one is the header
            raise Invalid(
                "import.too_many_rows",
                Words(f"Quá {ROWS_MAX} dòng. Chia thành nhiều tệp.", f"Over {ROWS_MAX} rows. Split the file."),
            )
        if len(cells) > COLUMNS_MAX and any(cell not in (None, "") for cell in cells[COLUMNS_MAX:]):
            raise Invalid(
                "import.too_wide",
                Words(f"Quá {COLUMNS_MAX} cột.", f"There are more than {COLUMNS_MAX} columns."),
            )
        if any(isinstance(cell, str) and len(cell) > _CELL_MAX for cell in filled):
            raise Invalid(
                "import.cell_too_long",
                Words(
                    f"Dòng {number}: có ô dài quá {_CELL_MAX} ký tự.",
                    f"Row {number}: a cell has more than {_CELL_MAX} characters.",
                ),
            )
        kept.append(Row(number, tuple(cells[:COLUMNS_MAX])))
    if not kept:
        raise Invalid("import.empty", Words("Tệp trống.", "The file is empty."))
    return kept


def _unreadable() -> Invalid:
    return Invalid(
        "import.unreadable",
        Words(
            "Không đọc được tệp này. Lưu lại thành CSV hoặc .xlsx rồi thử lại.",
            "This file cannot be read. Save it as CSV or .xlsx and try again.",
        ),
    )


# -- CSV -------------------------------------------------------------------------------------------------------------


def _decoded(content: bytes) -> str:
    """Text by its mark, else UTF-8, else what Vietnamese Windows writes. Raises ``import.encoding``."""
    try:
        text = content.decode(encoding_of(content))
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text or _piles_marks(text):
        raise Invalid(
            "import.encoding",
            Words(
                "Không đọc được chữ trong tệp. Lưu lại thành CSV UTF-8 rồi thử lại.",
                "The text of the file cannot be read. Save it as CSV UTF-8 and try again.",
            ),
        )
    return unicodedata.normalize("NFC", text.removeprefix("\ufeff"))


def _piles_marks(text: str) -> bool:
    marks = 0
    for letter in "" if text.isascii() else text:
        marks = marks + 1 if letter > "\u02ff" and unicodedata.combining(letter) else 0
        if marks > _MARKS_MAX:
            return True
    return False


def encoding_of(content: bytes) -> str:
    """How the text of a table is read, by its mark or by what fits; "xlsx" for a workbook."""
    if content.startswith(b"PK"):
        return "xlsx"
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    start = content[:200]
    if start[1::2].count(0) > len(start) // 4:
        return "utf-16-le"
    if start[::2].count(0) > len(start) // 4:
        return "utf-16-be"
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        return "cp1258"
    return "utf-8"


def _csv(text: str) -> Iterator[tuple[int, Sequence[Cell]]]:
    skipped = 0
    first, _, rest = text.partition("\n")
    if told := re.fullmatch(r"sep=(.)\r?", first):  # what Excel writes for itself
        delimiter, text, skipped = told[1], rest, 1
    else:
        delimiter = max(_DELIMITERS, key=lambda one: _width(text, one))
    for number, cells in enumerate(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter), 1 + skipped):
        yield number, [_csv_cell(cell.strip()) for cell in cells]


def _width(text: str, delimiter: str) -> int:
    """How many cells a row has at most, if this stands between them."""
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        return max((len(row) for row in itertools.islice(rows, _LOOKED_AT)), default=0)
    except csv.Error:
        return 0


def _csv_cell(cell: str) -> str:
    if kept := _AS_TEXT.fullmatch(cell):
        return kept[1]
    return cell[1:] if cell[:1] == "'" and cell[1:2] in _RUNS else cell


# -- workbooks -------------------------------------------------------------------------------------------------------


def _workbook(content: bytes) -> Iterator[tuple[int, Sequence[Cell]]]:
    _look_at_zip(content)
    import openpyxl  # here: a fifth of a second that a server which imports nothing need not spend
    from openpyxl.xml import DEFUSEDXML

    if not DEFUSEDXML:  # its XML would be opened by a parser that follows entities
        raise _unreadable()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of styles and validations that it leaves out
        book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=False, keep_links=False)
        try:
            sheet: Any = book.worksheets[0]
            sheet.reset_dimensions()  # a file may say that it is smaller, or larger, than it is
            rows = sheet.iter_rows(max_row=_SHEET_ROWS_MAX, max_col=COLUMNS_MAX + 1)
            blank: Any = None  # all rows that are not there are one and the same
            for number, cells in enumerate(rows, 1):
                if cells is blank:
                    continue
                read = [None if cell.value is None else _sheet_cell(cell) for cell in cells]
                while read and read[-1] in (None, ""):
                    read.pop()
                blank = blank if read else cells
                yield number, read
        finally:
            book.close()


def _sheet_cell(cell: Any) -> Cell:
    if cell.data_type == "f":
        return "=" + str(cell.value).removeprefix("=")
    value: Cell = cell.value if isinstance(cell.value, Cell) else str(cell.value)
    return value.strip() if isinstance(value, str) else value


def _look_at_zip(content: bytes) -> None:
    """Refuse what is no workbook, would become too large, or brings programs along. Python's reader gives no member
    more bytes than it says it has, so what is added up here is what there can be."""
    try:
        archive = zipfile.ZipFile(io.BytesIO(content))
        members = archive.infolist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError, OSError, EOFError):
        raise _unreadable() from None
    names = {member.filename.lower() for member in members}
    if "[content_types].xml" not in names:
        raise _unreadable()
    if any(name.endswith(("vbaproject.bin", "vbadata.xml")) or "/macrosheets/" in name for name in names):
        raise Invalid(
            "import.macros",
            Words(
                "Tệp có macro nên không nhận. Lưu lại thành .xlsx.",
                "The file has macros and is not taken. Save it as .xlsx.",
            ),
        )
    fits = len(members) <= _MEMBERS_MAX and sum(member.file_size for member in members) <= _OPENED_MAX_BYTES
    if not fits or _tags(archive) > _TAGS_MAX:
        raise Invalid(
            "import.bomb",
            Words(
                "Tệp mở ra quá lớn. Chép riêng bảng cần nhập sang một tệp mới.",
                "The file becomes too large when it is opened. Copy the table alone into a new file.",
            ),
        )


def _tags(archive: zipfile.ZipFile) -> int:
    """How many elements begin or end in all parts, whatever they are; at most what is opened anyway."""
    found = 0
    try:
        for member in archive.infolist():
            with archive.open(member) as part:
                while read := part.read(_AT_A_TIME):
                    found += read.count(b"<")
    except Exception as error:  # as above: a broken file breaks its reader in any way
        raise _unreadable() from error
    return found


# -- what goes out ---------------------------------------------------------------------------------------------------


def write_csv(rows: Iterable[Sequence[str]]) -> bytes:
    """UTF-8 with a mark, so that spreadsheets see the tones; no cell begins as a formula does."""
    text = io.StringIO(newline="")
    csv.writer(text).writerows([["'" + cell if cell.startswith(_RUNS) else cell for cell in row] for row in rows])
    return text.getvalue().encode("utf-8-sig")


def write_workbook(header: Sequence[str], guide: Iterable[Sequence[str]], titles: tuple[str, str]) -> bytes:
    """A workbook whose first sheet has ``header`` over empty cells of text (so that no zero is lost), and whose second
    is ``guide``."""
    from openpyxl import Workbook
    from openpyxl.styles import Alignment, Font
    from openpyxl.utils import get_column_letter

    book: Any = Workbook()
    sheet = book.active
    sheet.title = titles[0]
    sheet.append(list(header))
    sheet.freeze_panes = "A2"
    for n, name in enumerate(header, 1):
        column = sheet.column_dimensions[get_column_letter(n)]
        column.number_format, column.width = "@", max(14, len(name) + 4)
        sheet.cell(1, n).font = Font(bold=True)
    for number in range(2, 202):
        for n in range(1, len(header) + 1):
            sheet.cell(number, n).number_format = "@"
    told = book.create_sheet(titles[1])
    for row in guide:
        told.append([cell if not cell.startswith(_RUNS) else "'" + cell for cell in row])
    for n, width in enumerate((26, 60, 60), 1):
        told.column_dimensions[get_column_letter(n)].width = width
    for row in told.iter_rows():
        for cell in row:
            cell.alignment = Alignment(wrap_text=True, vertical="top")
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()
