"""Single cells of tables that people make: what one means, whether it is text or what a spreadsheet made of it."""

import datetime as dt
import re

from motma.core.errors import Invalid
from motma.core.text import fold
from motma.core.words import Words

Cell = str | int | float | bool | dt.datetime | dt.date | None
"""What stands in one cell of a table. Dates without a time zone are Vietnamese."""

_EXCEL_DAY_0 = dt.datetime(1899, 12, 30)  # noqa: DTZ001  a spreadsheet's day has no zone
_SERIAL_MIN, _SERIAL_MAX = 10_000, 80_000  # 18 May 1927 to 10 January 2119
_DAY_FIRST = re.compile(r"(\d{1,2})[/.\-](\d{1,2})[/.\-](\d{4})(?:[ ,]+(\d{1,2})[:h](\d{2})(?::\d{2})?)?")
_ISO = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})(?:[T ](\d{1,2}):(\d{2})(?::\d{2}(?:\.\d+)?)?)?")
_DIGITS = re.compile(r"[0-9]{4,5}")
_KINDS = {
    "CCCD": "cccd", "CAN CUOC": "cccd", "CAN CUOC CONG DAN": "cccd", "DINH DANH": "cccd", "ID": "cccd",
    "CMND": "cmnd", "CHUNG MINH NHAN DAN": "cmnd", "HO CHIEU": "passport", "PASSPORT": "passport",
}  # fmt: skip


def plain(text: str) -> str:
    """Capitals and digits only, single-spaced: what is left of a name when case, tones and signs do not count."""
    return " ".join(re.sub(r"[^A-Z0-9]+", " ", fold(text)).split())


def text_of(cell: Cell, at_most: int = 200) -> str:
    """A cell as text; a whole number without what spreadsheets put behind it.

    Raises :class:`Invalid` ``field.formula``, ``field.kind``, ``field.too_long``.
    """
    if isinstance(cell, str):
        if cell.startswith("="):
            raise Invalid(
                "field.formula",
                Words("Ô này là công thức. Dán giá trị vào ô.", "This cell is a formula. Paste its value instead."),
            )
        if len(cell) > at_most:
            raise Invalid(
                "field.too_long",
                Words(f"Ô này dài quá {at_most} ký tự.", f"This has more than {at_most} characters."),
            )
        return cell
    if isinstance(cell, int | float) and not isinstance(cell, bool) and cell == cell // 1 and abs(cell) < 1e18:
        return str(int(cell))
    raise Invalid(
        "field.kind", Words("Ô này sai kiểu dữ liệu. Gõ lại bằng chữ.", "This cell is of a wrong kind. Type text.")
    )


def day_and_time(cell: Cell) -> tuple[dt.datetime, bool]:
    """(a time without a zone, whether more than the day was said). Raises ``date.malformed``."""
    try:
        if isinstance(cell, dt.datetime):
            return cell.replace(tzinfo=None), (cell.hour, cell.minute) != (0, 0)
        if isinstance(cell, dt.date):
            return dt.datetime(cell.year, cell.month, cell.day), False  # noqa: DTZ001
        if isinstance(cell, str) and _DIGITS.fullmatch(cell):
            cell = int(cell)
        if isinstance(cell, int | float) and _SERIAL_MIN <= cell <= _SERIAL_MAX:
            at = _EXCEL_DAY_0 + dt.timedelta(minutes=round(cell * 1_440))
            return at, (at.hour, at.minute) != (0, 0)
        text = text_of(cell)
        if match := _DAY_FIRST.fullmatch(text):
            day, month, year, hour, minute = match.groups()
        elif match := _ISO.fullmatch(text):
            year, month, day, hour, minute = match.groups()
        else:
            raise ValueError("another form")
        return dt.datetime(int(year), int(month), int(day), int(hour or 0), int(minute or 0)), hour is not None  # noqa: DTZ001
    except (ValueError, OverflowError):
        raise Invalid(
            "date.malformed",
            Words(
                "Ngày chưa đúng. Viết ngày/tháng/năm, ví dụ 25/08/2021.",
                "The date is not right. Write day/month/year, for instance 25/08/2021.",
            ),
        ) from None


def kind_of(cell: Cell) -> str:
    """The kind of a document by its name. Raises :class:`Invalid` ``document.kind``."""
    kind = _KINDS.get(plain(text_of(cell)))
    if kind is None:
        raise Invalid("document.kind", Words("Chọn loại giấy tờ.", "Choose the kind of document."))
    return kind
