"""What is asked for a permit: the fields of the operators' page and the columns of a table, read by the same rules.

A table's columns come in any order and under the names that offices give them; what a cell means is said here, whether
it is text or what a spreadsheet made of it (a number, a date). Nothing is guessed: no scope is not the widest scope.
"""

import datetime as dt
import functools
import re
from collections.abc import Callable, Mapping
from typing import TypeVar

import msgspec

from motma.core.cells import Cell, day_and_time, kind_of, plain, text_of
from motma.core.errors import Invalid, Problem
from motma.core.form import parse_birth_date
from motma.core.ids import Document, Qid, check_number_fits, parse_document, parse_plate, parse_qid
from motma.core.permit import Group, Groups, Level, Signatory, check_scope, check_window
from motma.core.permit.columns import Column
from motma.core.text import fold, parse_line, parse_name
from motma.core.words import Words

_T = TypeVar("_T")
_VN_TIME = dt.timezone(dt.timedelta(hours=7))
_A_DAY = dt.timedelta(days=1)
_ROUNDED = re.compile(r"[0-9][.,]?[0-9]*E\+?[0-9]+", re.IGNORECASE)
_BETWEEN = re.compile(r"[;,|/\n]+")
_NUMBER_MAX = 40

# A ward's before a district's: "Công an phường 14, Quận 3" is the ward's.
_LEVELS: tuple[tuple[Level, frozenset[str]], ...] = (
    ("ward", frozenset({"PHUONG", "XA", "TT", "WARD", "COMMUNE"})),
    ("district", frozenset({"QUAN", "HUYEN", "DISTRICT", "DUC"})),  # Thủ Đức is a city within the city
    ("city", frozenset({"PC08", "TP", "PHO", "CITY"})),
)
_ALL = frozenset({"TOAN THANH PHO", "TOAN TP", "CA THANH PHO", "ALL", "CITY WIDE", "WHOLE CITY", "*"})


class Named(msgspec.Struct, frozen=True):
    """Somebody as whoever gives a permit names them: as a declaration does, but for what it does not ask."""

    document: Document
    name: str
    birth_date: dt.date

    @property
    def year_only(self) -> bool:
        return False  # whoever signs a permit has the document: a year alone is what stands on it

    @property
    def born(self) -> str:
        return self.birth_date.isoformat()

    @property
    def guardian(self) -> None:
        return None

    @property
    def subject(self) -> Document:
        return self.document

    @property
    def sex(self) -> str:
        return ""


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """A permit that is asked for, and for whom: ``named``, or the citizen with the number ``qid``, or ``plate``."""

    group: str
    areas: tuple[str, ...]
    valid_from: dt.datetime
    valid_until: dt.datetime
    signed_by: Signatory
    number: str = ""
    named: Named | None = None
    qid: Qid | None = None
    plate: str = ""


_MISSING = Problem("field.missing", Words("Ô này cần được điền.", "This must be filled in."))


def parse_asked(cells: Mapping[str, Cell], groups: Groups, areas: Mapping[str, Words], now: dt.datetime) -> Asked:
    """Read one row or one sent page. ``areas``: id -> name of those that exist.

    Raises :class:`Invalid` ``permit.fields`` with *every* column that needs mending.
    """
    row = _Row(cells)
    group = row.take("group", lambda cell: _group(cell, groups))
    scope = row.take("areas", lambda cell: _areas(cell, areas))
    begins = row.take("from", lambda cell: _moment(cell, end=False))
    ends = row.take("until", lambda cell: _moment(cell, end=True))
    level = row.take("signed_by", _level)
    signed_area = row.take("signed_area", lambda cell: _area(cell, areas), optional=True)
    number = row.take("number", lambda cell: parse_line(text_of(cell), _NUMBER_MAX), optional=True)
    qid = row.take("qid", lambda cell: parse_qid(text_of(cell)), optional=True)
    plate = row.take("plate", lambda cell: parse_plate(text_of(cell)), optional=True)
    named = _named(row, now) if any(row.has(column) for column in ("document", "name", "birth_date")) else None
    if begins and ends:
        row.hold("until", lambda: _check_time(begins, ends, now))
    signed_by = Signatory(level, signed_area or "") if level else None
    if signed_by and scope is not None and "signed_area" not in row.problems:
        wrong: Column = "signed_area" if signed_by.level == "ward" and not signed_by.area else "areas"
        row.hold(wrong, lambda: check_scope(signed_by, scope, areas))
    _check_holder(row, group)
    row.finish()
    assert group and scope is not None and begins and ends and signed_by
    return Asked(
        group=group.code,
        areas=scope,
        valid_from=begins,
        valid_until=ends,
        signed_by=signed_by,
        number=number or "",
        named=named,
        qid=qid,
        plate=plate or "",
    )


class _Row:
    """Cells by column; every problem is kept and none stops the reading."""

    def __init__(self, cells: Mapping[str, Cell]) -> None:
        self._cells = cells
        self.problems: dict[str, Problem] = {}

    def cell(self, column: Column) -> Cell:
        value = self._cells.get(column)
        return value.strip() if isinstance(value, str) else value

    def has(self, column: Column) -> bool:
        return self.cell(column) not in (None, "")

    def take(self, column: Column, parse: Callable[[Cell], _T], *, optional: bool = False) -> _T | None:
        cell = self.cell(column)
        if cell in (None, ""):
            if not optional:
                self.problems[column] = _MISSING
            return None
        try:
            return parse(cell)
        except Invalid as invalid:
            self.problems[column] = Problem(invalid.code, invalid.words)
            return None

    def hold(self, column: Column, check: Callable[[], None]) -> None:
        try:
            check()
        except Invalid as invalid:
            self.problems.setdefault(column, Problem(invalid.code, invalid.words))

    def finish(self) -> None:
        if self.problems:
            raise Invalid(
                "permit.fields",
                Words("Có ô cần sửa.", "Some fields need mending."),
                self.problems,
            )


def _check_holder(row: _Row, group: Group | None) -> None:
    """A vehicle's group wants a plate, the others a citizen; and one holder only."""
    of_vehicle = group is not None and group.of == "vehicle"
    if of_vehicle and not row.has("plate"):
        row.problems.setdefault("plate", _MISSING)
    if group and not of_vehicle:
        if not row.has("qid") and not row.has("document"):
            row.problems.setdefault("document", _MISSING)
        if row.has("plate"):
            row.hold("plate", _of_citizens)
    elif of_vehicle and (row.has("qid") or row.has("document")):
        row.hold("qid" if row.has("qid") else "document", _of_vehicles)


def _of_citizens() -> None:
    raise Invalid(
        "permit.group_of_citizens",
        Words(
            "Nhóm này cấp cho người, không cấp cho xe. Bỏ trống biển số.",
            "This group is of people: leave out the plate.",
        ),
    )


def _of_vehicles() -> None:
    raise Invalid(
        "permit.group_of_vehicles",
        Words(
            "Nhóm này cấp cho xe. Chỉ ghi biển số, bỏ trống số giấy tờ và mã số.",
            "This group is of vehicles: give the plate only, no document and no code number.",
        ),
    )


def _named(row: _Row, now: dt.datetime) -> Named | None:
    if row.has("qid") and not row.has("document"):
        return None  # the number says who it is; a name beside it is for people
    kind = row.take("kind", kind_of, optional=True)
    issuer = row.take("issuer", _country, optional=True) or "VN"
    document = row.take("document", lambda cell: _document(cell, kind, issuer))
    name = row.take("name", lambda cell: parse_name(text_of(cell)))
    born = row.take("birth_date", lambda cell: _born(cell, now))
    if name == "":
        row.problems["name"] = _MISSING
    if document and born:
        row.hold("birth_date", lambda: check_number_fits(document, born, ""))
    return Named(document, name, born) if document and name and born else None


# -- single cells ----------------------------------------------------------------------------------------------------


def _group(cell: Cell, groups: Groups) -> Group:
    code = fold(text_of(cell)).removeprefix("NHOM").removeprefix("GROUP").strip().replace(" ", "")
    group = groups.by_code.get(code)
    if group is None:
        raise Invalid(
            "permit.group_unknown",
            Words("Không có nhóm này trong danh sách.", "There is no such group in the list."),
        )
    return group


def _areas(cell: Cell, areas: Mapping[str, Words]) -> tuple[str, ...]:
    text = text_of(cell)
    if text == "*" or plain(text) in _ALL:
        return ()
    named = [part for part in map(str.strip, _BETWEEN.split(text)) if part]
    return tuple(sorted({_area(part, areas) for part in named}))


def _area(cell: Cell, areas: Mapping[str, Words]) -> str:
    text = text_of(cell)
    if text in areas:
        return text
    wanted = _short(text)
    for id, words in areas.items():
        if wanted in (_short(id), _short(words.vi), _short(words.en)):
            return id
    raise Invalid(
        "permit.area_unknown",
        Words("Không có khu vực này. Chọn trong danh sách.", "There is no such area. Choose from the list."),
    )


@functools.lru_cache(1_024)  # each cell is held against every area
def _short(area: str) -> str:
    """Quận 3, quan 3, Q.3, District 3 -> 3; Bình Thạnh, quận Bình Thạnh -> BINH THANH."""
    bare = re.sub(r"^(?:THANH PHO|TP|QUAN|HUYEN|DISTRICT|Q|H)\b ?|^Q(?=[0-9])", "", plain(area))
    return re.sub(r" (?:DISTRICT|CITY)$", "", bare).removeprefix("0")


def _level(cell: Cell) -> Level:
    said = set(plain(text_of(cell)).split())
    for level, words in _LEVELS:
        if said & words:
            return level
    raise Invalid(
        "permit.signatory_unknown",
        Words(
            "Ghi nơi ký: Công an thành phố (PC08), Công an quận, huyện, hoặc Công an phường, xã.",
            "Say who signed: city police (PC08), district police, or ward police.",
        ),
    )


def _country(cell: Cell) -> str:
    code = text_of(cell).upper()
    if plain(code) in ("VIET NAM", "VIETNAM"):
        return "VN"
    if not re.fullmatch(r"[A-Z]{2}", code):
        raise Invalid("nationality.malformed", Words("Chọn quốc tịch.", "Choose a nationality."))
    return code


def _document(cell: Cell, kind: str | None, issuer: str) -> Document:
    text = text_of(cell).removeprefix("'")
    if _ROUNDED.fullmatch(text) or (text.isdigit() and len(text) in (10, 11)):
        raise Invalid(
            "permit.number_changed",
            Words(
                "Bảng tính đã làm mất số 0 ở đầu hoặc làm tròn số này. Định dạng cột là Văn bản rồi gõ lại.",
                "The spreadsheet dropped leading zeros or rounded this number. Format the column as Text and type it.",
            ),
        )
    bare = re.sub(r"[\s.\-]", "", text)
    by_form = ("cmnd" if len(bare) == 9 else "cccd") if bare.isdigit() else "passport"
    return parse_document(kind or by_form, text, issuer)


def _moment(cell: Cell, *, end: bool) -> dt.datetime:
    """A time in UTC; of a day alone its beginning, or as an end the beginning of the next."""
    at, with_time = day_and_time(cell)
    try:
        return (at + (_A_DAY if end and not with_time else dt.timedelta(0))).replace(tzinfo=_VN_TIME).astimezone(dt.UTC)
    except OverflowError:
        raise Invalid("date.malformed", Words("Ngày chưa đúng.", "The date is not right.")) from None


def _born(cell: Cell, now: dt.datetime) -> dt.date:
    if isinstance(cell, int | float) and not isinstance(cell, bool) and 1000 <= cell < 10_000:
        cell = str(int(cell))
    if isinstance(cell, str) and re.fullmatch(r"[0-9]{4}", cell):
        return parse_birth_date(cell, now)
    return parse_birth_date(f"{day_and_time(cell)[0]:%Y-%m-%d}".zfill(10), now)


def _check_time(begins: dt.datetime, ends: dt.datetime, now: dt.datetime) -> None:
    check_window(begins, ends)
    if ends <= now:
        raise Invalid("permit.over", Words("Thời hạn đã qua.", "This time is over already."))
