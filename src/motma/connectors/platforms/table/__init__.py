"""Tables of declarations (CSV, XLSX), as hospitals, schools and coach companies keep them: whatever order and names
their columns have, each row is a declaration of its own.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import msgspec

from motma.connectors.platforms.items import Item, Sent, Skipped
from motma.connectors.platforms.keeping import digest
from motma.connectors.platforms.places import Places
from motma.connectors.platforms.table.columns import IN_ONE_CELL, PURPOSES, Column, Columns
from motma.connectors.platforms.table.rows import Reader, RowRead
from motma.connectors.sheets import Row, encoding_of, read_table, write_csv, write_workbook
from motma.core.cells import Cell, plain
from motma.core.errors import Invalid, Problem
from motma.core.form import Form, Units
from motma.core.words import Words
from motma.forms import load_form, load_units

NAME = "table"
_HEADER_WITHIN = 20
_KNOWN_AT_LEAST = 4
_COUNTING = frozenset({"STT", "TT", "SO TT", "SO THU TU", "NO", "ROW", "", "#"})
"""Headers over numbers of rows: not kept, or a row would be another declaration once the table is sorted anew."""
_NEEDED_IN_ALL = (
    "name", "birth_date", "document.number", "phone", "trip.vehicle", "trip.departs_at", "health.symptoms",
    "health.contact", "consents", "residence.address",
)  # fmt: skip
_VN_TIME = dt.timezone(dt.timedelta(hours=7))
_YEAR_CHARS = 4
_EXTRA_HEADER_MAX, _EXTRA_CELL_MAX = 60, 400


class Read(msgspec.Struct, frozen=True):
    """One row that was read: its number in the file, the key that it is sent under, and what it says."""

    row: int
    key: str
    read: RowRead


class Sheet(msgspec.Struct, frozen=True):
    """A table that was read. ``headers``: column -> what this table calls it. ``guessed``: (header, column) that is
    almost a name of ours. ``kept``: headers that the form does not know; what stands below goes along. ``lacking``:
    columns without which a row cannot be sent. ``encoding``: how the text was read, "xlsx" for a workbook."""

    headers: dict[Column, str]
    guessed: tuple[tuple[str, Column], ...]
    kept: tuple[str, ...]
    lacking: tuple[Column, ...]
    encoding: str
    rows: tuple[Read, ...]


class Tables:
    """Reads and writes tables for one version of the form."""

    def __init__(self, form: Form, units: Units) -> None:
        self.columns = Columns(form)
        self._places = Places(units)
        self._reader = Reader(self.columns, self._places)

    def read(self, content: bytes) -> Sheet:
        """Raises :class:`Invalid` ``import.*`` for a file that cannot be read, or that is no table of declarations."""
        rows = read_table(content)
        at, found, guessed = self._header(rows)
        header = rows[at].cells
        columns = {n: column for n, column in found.items() if column}
        named = {n: str(cell)[:_EXTRA_HEADER_MAX] for n, cell in enumerate(header) if cell not in (None, "")}
        kept = _each_once({n: name for n, name in named.items() if n not in columns and plain(name) not in _COUNTING})
        if at + 1 == len(rows):
            raise Invalid(
                "import.no_rows", Words("Không có dòng nào dưới tiêu đề.", "There are no rows below the header.")
            )
        return Sheet(
            headers={column: named[n] for n, column in columns.items()},
            guessed=tuple([(named[n], column) for n, column in guessed.items()]),
            kept=tuple(kept.values()),
            lacking=_lacking(frozenset(columns.values())),
            encoding=encoding_of(content),
            rows=tuple([self._row(row, columns, kept) for row in rows[at + 1 :]]),
        )

    def _header(self, rows: Sequence[Row]) -> tuple[int, dict[int, Column], dict[int, Column]]:
        """(where the header is, cell -> column, those of them that were guessed): the row with the most known names
        near the top, for many tables begin with a title."""
        named = [
            {n: self.columns.named(cell) for n, cell in enumerate(row.cells) if isinstance(cell, str)}
            for row in rows[:_HEADER_WITHIN]
        ]
        at = max(range(len(named)), key=lambda n: len({column for column in named[n].values() if column}))
        found: dict[int, Column] = {}
        for n, column in named[at].items():
            if column in found.values():
                header = str(rows[at].cells[n])[:_EXTRA_HEADER_MAX]
                raise Invalid(
                    "import.column_twice",
                    Words(f"Hai cột cùng nghĩa: {header}.", f"Two columns mean the same: {header}."),
                )
            if column:
                found[n] = column
        guessed: dict[int, Column] = {}
        for n, column in named[at].items():
            almost = None if column else self.columns.guessed(str(rows[at].cells[n]))
            if almost and almost not in (*found.values(), *guessed.values()):
                guessed[n] = almost
        found |= guessed
        if len(found) < _KNOWN_AT_LEAST or "name" not in found.values():
            raise Invalid(
                "import.columns",
                Words(
                    "Không thấy dòng tiêu đề có các cột Họ và tên, Số giấy tờ… Tải bảng mẫu để xem tên cột.",
                    "There is no header with Full name, Document number and so on. See the template for the names.",
                ),
            )
        return at, found, guessed

    def _row(self, row: Row, columns: Mapping[int, Column], kept: Mapping[int, str]) -> Read:
        cells: dict[Column, Cell] = {columns[n]: cell for n, cell in enumerate(row.cells) if n in columns}
        extra = {
            kept[n]: str(cell)[:_EXTRA_CELL_MAX]
            for n, cell in enumerate(row.cells)
            if n in kept and cell not in (None, "")
        }
        read = self._reader.read(cells, extra)
        return Read(row.number, f"row-{digest(read.raw)}", read)

    # -- what goes out -----------------------------------------------------------------------------------------------

    def template_csv(self) -> bytes:
        """A table with nothing but its header."""
        return write_csv([list(self._template().values())])

    def template_workbook(self) -> bytes:
        """The same as a workbook, with a second sheet that says what goes where."""
        guide = [("Cột / Column", "Cách ghi", "What to write")]
        guide += [
            (header, self.columns.headings[column].guide.vi, self.columns.headings[column].guide.en)
            for column, header in self._template().items()
        ]
        guide += [("", "", ""), ("Mục đích / Purpose", "Người khai đồng ý", "The person agrees")]
        guide += [(PURPOSES[one.id][0], *one.words) for one in self.columns.form.purposes if one.id in PURPOSES]
        return write_workbook(list(self._template().values()), guide, ("Khai báo", "Hướng dẫn"))

    def _template(self) -> dict[Column, str]:
        """Column -> header, without those that say the same in another way."""
        return {
            column: told.words.vi
            for column, told in self.columns.headings.items()
            if column not in IN_ONE_CELL and not column.startswith("health.symptoms.") and column != "trip.departs_time"
        }

    def written(self, sent: Mapping[str, Any]) -> bytes:
        """One declaration as a table of one row, as the template has it, and the columns that came along."""
        extra = sent.get("extra")
        kept = extra.get("theirs") if isinstance(extra, Mapping) and extra.get("of") == NAME else None
        also = {str(header): str(cell) for header, cell in kept.items()} if isinstance(kept, Mapping) else {}
        header, row = [], []
        for column, name in self._template().items():
            header.append(name)
            row.append(self._told(sent, column))
        return write_csv([header + list(also), row + list(also.values())])

    def _told(self, sent: Mapping[str, Any], column: Column) -> str:
        """What a cell of ``column`` says, as the guide asks for it."""
        value: Any = sent
        for step in column.split("."):
            value = value.get(step) if isinstance(value, Mapping) else None
        form = self.columns.form
        if column in ("birth_date", "trip.departs_at"):
            return _as_date(str(value or ""))
        if column == "sex":
            return {"male": "Nam", "female": "Nữ", "other": "Khác"}.get(value, str(value or ""))
        if column.endswith((".province", ".commune")):
            return self._places.name(str(value or ""))
        if column.endswith(".kind"):
            names = {"cccd": "CCCD", "cmnd": "CMND", "passport": "Hộ chiếu", "none": "Không có"}
            return names.get(value, str(value or ""))
        if column == "trip.vehicle":
            return next((one.words.vi for one in form.vehicles if one.id == value), str(value or ""))
        if column == "health.symptoms" and isinstance(value, Mapping):
            if not all(value.get(one.id) is False or value.get(one.id) is True for one in form.symptoms):
                return ""
            return "; ".join(one.words.vi.split(",")[0] for one in form.symptoms if value[one.id]) or "Không"
        if column == "consents" and isinstance(value, list | tuple):
            return "; ".join(PURPOSES[id][0] if id in PURPOSES else str(id) for id in value)
        if isinstance(value, bool):
            return "Có" if value else "Không"
        if isinstance(value, list | tuple):
            return "; ".join(map(str, value))
        return value if isinstance(value, str) else ""


def _lacking(found: frozenset[Column]) -> tuple[Column, ...]:
    lacking = [column for column in _NEEDED_IN_ALL if column not in found]
    if "health.symptoms" in lacking and any(column.startswith("health.symptoms.") for column in found):
        lacking.remove("health.symptoms")
    if "residence.address" in lacking and "residence" in found:
        lacking.remove("residence.address")
    for place in IN_ONE_CELL:
        if place not in found:
            lacking += [part for part in (f"{place}.province", f"{place}.commune") if part not in found]
    return tuple(lacking)


def _each_once(names: Mapping[int, str]) -> dict[int, str]:
    """The same name a second time with its number behind it."""
    found: dict[int, str] = {}
    for n, name in names.items():
        same = sum(other.partition(" #")[0] == name for other in found.values())
        found[n] = f"{name} #{same + 1}" if same else name
    return found


def _as_date(text: str) -> str:
    """Day first, in Vietnamese time, as people write it here; a year, and what is no date, as it stands."""
    try:
        at = dt.datetime.fromisoformat(text) if len(text) > _YEAR_CHARS else None
    except ValueError:
        return text
    if at is None:
        return text
    if "T" not in text:
        return f"{at:%d/%m/}{at.year:04}"
    return f"{at.astimezone(_VN_TIME) if at.tzinfo else at:%d/%m/%Y %H:%M}"


class TableConnector:
    """Tables that platforms send to the inbox, one declaration a row. A row with a cell that cannot be read is passed
    over, by the names of its own columns."""

    name = NAME
    content_types = ("text/csv", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet")

    def to_ours(self, body: bytes, content_type: str, now: dt.datetime) -> tuple[Item, ...]:
        """A row each. Raises :class:`Invalid` ``inbox.*``."""
        try:
            sheet = tables().read(body)
        except Invalid as invalid:
            raise Invalid("inbox." + invalid.code.removeprefix("import."), invalid.words, invalid.fields) from None
        return tuple([_item(one, sheet.headers) for one in sheet.rows])

    def to_theirs(self, sent: Mapping[str, Any]) -> bytes:
        """A CSV file with the template's header and one row."""
        return tables().written(sent)


def _item(one: Read, headers: Mapping[Column, str]) -> Item:
    if not one.read.problems:
        return Sent(one.read.raw, one.key, headers)
    why = Problem(
        "inbox.row",
        Words(f"Dòng {one.row}: có ô cần sửa.", f"Row {one.row}: some cells need mending."),
    )
    return Skipped(why, {headers.get(column, column): problem for column, problem in one.read.problems.items()})


@cache
def tables() -> Tables:
    """Tables for the form in use, and the units of today."""
    return Tables(load_form("2026-1"), load_units())
