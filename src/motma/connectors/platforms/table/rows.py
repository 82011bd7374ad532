"""One row of a table as a declaration: what each cell means, what a spreadsheet spoilt and what of it is put right.

What cannot be read goes on as it was typed, so that the form refuses it; what to mend is said here, by column.
"""

import datetime as dt
import re
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from motma.connectors.platforms.places import Places
from motma.connectors.platforms.table.columns import Column, Columns
from motma.core.cells import Cell, day_and_time, kind_of, plain, text_of
from motma.core.errors import Invalid, Problem
from motma.core.ids import Document, check_number_fits, unusual_number
from motma.core.words import Words

_TEXT_MAX = 400
_VN_TIME = dt.timezone(dt.timedelta(hours=7))
_YES = frozenset({"CO", "YES", "Y", "X", "TRUE", "DUNG", "1"})
_NO = frozenset({"KHONG", "KO", "K", "NO", "N", "FALSE", "SAI", "0", "KHONG CO", "NONE"})
_ALL = frozenset({"TAT CA", "CA BON", "DU BON", "DU 4", "CA 4", "ALL", "TAT CA CAC MUC DICH", "DONG Y TAT CA"})
_NO_PAPERS = frozenset({"KHONG CO", "KHONG", "NONE", "KHONG CO GIAY TO", "CHUA CO"})
_SEXES = {
    "NAM": "male", "MALE": "male", "M": "male", "ONG": "male",
    "NU": "female", "FEMALE": "female", "F": "female", "BA": "female",
    "KHAC": "other", "OTHER": "other",
}  # fmt: skip
_BETWEEN = re.compile(r"[;,|/\n+]+")
_TIME = re.compile(r"(\d{1,2})\s*[:hHgG.]\s*(\d{2})?(?::\d{2})?\s*(?:phút|p)?")
_ROUNDED = re.compile(r"[0-9][.,]?[0-9]*E\+?[0-9]+", re.IGNORECASE)
_YEAR = re.compile(r"[0-9]{4}")
_SEPARATORS = re.compile(r"[\s.\-]")

_Answer = dict[str, Any]


class RowRead(msgspec.Struct, frozen=True):
    """``raw``: the declaration, as it is sent. ``problems``: column -> what must be mended before it can be.
    ``notices``: what was put right, or read from another column."""

    raw: dict[str, Any]
    problems: dict[Column, Problem] = {}
    notices: tuple[tuple[Column, Problem], ...] = ()


class Reader:
    """Reads rows for one version of the form and one vintage of the units."""

    def __init__(self, columns: Columns, places: Places) -> None:
        self.columns = columns
        self.places = places

    def read(self, cells: Mapping[Column, Cell], extra: Mapping[str, str]) -> RowRead:
        """``extra``: header -> text of the columns that are none of ours."""
        return _Row(self, cells, extra).read()


class _Row:
    def __init__(self, by: Reader, cells: Mapping[Column, Cell], extra: Mapping[str, str]) -> None:
        self._by = by
        self._cells = cells
        self._extra = extra
        self.problems: dict[Column, Problem] = {}
        self.notices: list[tuple[Column, Problem]] = []

    def read(self) -> RowRead:
        sex = self._one_of("sex", _SEXES)
        born = self._told("birth_date", _born)
        document, nationality = self._document(born, sex)
        raw: dict[str, Any] = {
            "name": self._text("name"),
            "birth_date": born,
            "sex": sex or self._sex_of(document),
            "nationality": nationality,
            "document": document,
            "phone": self._text("phone"),
            "residence": self._residence(),
            "trip": self._trip(),
            "health": self._health(),
            "consents": self._consents(),
        }
        if document["kind"] == "none" and self._has("guardian.number"):
            raw["guardian"] = self._guardian()
        if self._extra:
            raw["extra"] = {"of": "table", "theirs": dict(self._extra)}
        return RowRead(raw, self.problems, tuple(self.notices))

    # -- single cells ------------------------------------------------------------------------------------------------

    def _cell(self, column: Column) -> Cell:
        value = self._cells.get(column)
        return value.strip() if isinstance(value, str) else value

    def _has(self, column: Column) -> bool:
        return self._cell(column) not in (None, "")

    def _told(self, column: Column, read: Callable[[Cell], str]) -> str:
        """What ``read`` makes of a cell; the cell as text where it makes nothing of it."""
        cell = self._cell(column)
        if cell in (None, ""):
            return ""
        try:
            return read(cell)
        except Invalid as invalid:
            self.problems[column] = Problem(invalid.code, invalid.words)
            return str(cell)[:_TEXT_MAX]

    def _text(self, column: Column) -> str:
        return self._told(column, lambda cell: text_of(cell, _TEXT_MAX))

    def _say(self, column: Column, code: str, vi: str, en: str) -> None:
        self.notices.append((column, Problem(code, Words(vi, en))))

    def _read_from_number(self, column: Column, vi: str, en: str) -> None:
        """Said of a cell that is empty; of a column that a table does not have it would be said on every row."""
        if column in self._cells:
            self._say(column, "import.read_from_number", vi, en)

    def _one_of(self, column: Column, names: Mapping[str, str]) -> str:
        """The id that a cell names; its text if it names none, which the form then refuses."""
        text = self._text(column)
        return names.get(plain(text), text)

    def _yes_or_no(self, column: Column) -> bool | str | None:
        cell = self._cell(column)
        if isinstance(cell, bool) or cell in (None, ""):
            return cell if isinstance(cell, bool) else None
        said = plain(self._text(column))
        return True if said in _YES else False if said in _NO else str(cell)[:_TEXT_MAX]

    # -- who ---------------------------------------------------------------------------------------------------------

    def _document(self, born: str, sex: str) -> tuple[_Answer, str]:
        """(the document, the nationality): either may tell of the other."""
        nationality = self._told("nationality", self._country)
        number = self._text("document.number").removeprefix("'")
        kind = self._told("document.kind", _kind)
        if plain(number) in _NO_PAPERS:
            kind, number = "none", ""
        if not kind and number:
            bare = _SEPARATORS.sub("", number)
            national = bare.isdigit() and nationality in ("", "VN")
            kind = ("cmnd" if len(bare) == 9 else "cccd") if national else "passport"
        if _ROUNDED.fullmatch(_SEPARATORS.sub("", number)):
            self.problems["document.number"] = _NUMBER_CHANGED
        elif kind in ("cccd", "cmnd"):
            number = self._number(kind, number, born, sex)
            if not nationality and "document.number" not in self.problems:
                nationality = "VN"
                self._read_from_number("nationality", "Việt Nam, theo số giấy tờ.", "Vietnamese, by the number.")
        return {"kind": kind, "number": number}, nationality

    def _number(self, kind: str, number: str, born: str, sex: str) -> str:
        """A number whose first zeros a spreadsheet dropped, whole again where birth year and sex prove it."""
        bare = _SEPARATORS.sub("", number)
        if kind == "cccd" and bare.isascii() and bare.isdigit() and len(bare) in (10, 11):
            whole = Document("cccd", bare.zfill(12))
            if _fits(whole, born, sex):
                self._say(
                    "document.number",
                    "import.zeros_restored",
                    "Bảng tính đã bỏ số 0 ở đầu; đã thêm lại, khớp năm sinh và giới tính.",
                    "The spreadsheet dropped zeros; put back, as birth year and sex bear out.",
                )
                return whole.number
        if bare.isdigit() and len(bare) < (12 if kind == "cccd" else 9):
            self.problems["document.number"] = _NUMBER_CHANGED
        return bare if bare.isdigit() else number

    def _sex_of(self, document: _Answer) -> str:
        number = str(document["number"])
        if document["kind"] != "cccd" or "sex" in self.problems or not re.fullmatch(r"[0-9]{12}", number):
            return ""
        self._read_from_number("sex", "Theo số CCCD.", "By the ID number.")
        return "female" if int(number[3]) % 2 else "male"

    def _country(self, cell: Cell) -> str:
        text = text_of(cell)
        if len(text) == 2 and text.isascii():
            return text.upper()
        wanted = plain(text)
        for code, words in self._by.columns.form.countries.items():
            if wanted in (plain(words.vi), plain(words.en)):
                return code
        return text

    def _guardian(self) -> _Answer:
        number = self._text("guardian.number").removeprefix("'")
        bare = _SEPARATORS.sub("", number)
        by_form = ("cmnd" if len(bare) == 9 else "cccd") if bare.isdigit() else "passport"
        return {"kind": self._told("guardian.kind", _kind) or by_form, "number": number}

    # -- where -------------------------------------------------------------------------------------------------------

    def _residence(self) -> _Answer:
        place = self._place("residence")
        before = place.pop("before", "")
        return {**place, "address": self._text("residence.address") or before}

    def _place(self, column: Column) -> _Answer:
        """A commune and its province, from two cells or from one that holds both."""
        if self._has(column) and not self._has(f"{column}.commune"):
            text = self._text(column)
            if found := self._by.places.both(text):
                return {"province": found[0], "commune": found[1], "before": found[2]}
            self.problems.setdefault(column, _NOT_A_PLACE)
            return {"province": "", "commune": text}
        province, commune = self._text(f"{column}.province"), self._text(f"{column}.commune")
        code = self._by.places.province(province) if province else None
        if province and not code:
            self.problems.setdefault(f"{column}.province", _NO_PROVINCE)
        within = self._by.places.commune(commune, code) if code and commune else None
        if code and commune and not within:
            self.problems.setdefault(f"{column}.commune", _NO_COMMUNE)
        return {"province": code or province, "commune": within or commune}

    def _trip(self) -> _Answer:
        origin, destination = self._place("trip.origin"), self._place("trip.destination")
        ids = [part for part in map(str.strip, _BETWEEN.split(self._text("trip.checkpoints"))) if part]
        return {
            "origin": {name: origin[name] for name in ("province", "commune")},
            "destination": {name: destination[name] for name in ("province", "commune")},
            "checkpoints": ids,
            "vehicle": self._one_of("trip.vehicle", self._by.columns.vehicles),
            "plate": self._text("trip.plate"),
            "departs_at": self._departure(),
        }

    def _departure(self) -> str:
        hour = self._told("trip.departs_time", _time_of_day)

        def read(cell: Cell) -> str:
            at, with_time = day_and_time(cell)
            if with_time and not hour:
                return at.replace(tzinfo=_VN_TIME).isoformat(timespec="minutes")
            if not hour:
                raise Invalid(
                    "import.no_time",
                    Words(
                        "Ghi cả giờ đi, ví dụ 20/01/2026 06:30, hoặc thêm cột Giờ đi.",
                        "Say the time too, for instance 20/01/2026 06:30, or add a column for it.",
                    ),
                )
            return f"{at:%Y-%m-%d}".zfill(10) + f"T{hour}+07:00"

        if "trip.departs_time" in self.problems:
            return str(self._cell("trip.departs_at") or "")[:_TEXT_MAX]
        return self._told("trip.departs_at", read)

    # -- health and consent ------------------------------------------------------------------------------------------

    def _health(self) -> _Answer:
        answers: dict[str, object] = {}
        if self._has("health.symptoms"):
            answers = self._listed_symptoms()
        for symptom in self._by.columns.form.symptoms:
            said = self._yes_or_no(f"health.symptoms.{symptom.id}")
            if said is not None:
                answers[symptom.id] = said
        health: _Answer = {"symptoms": answers, "places": self._text("health.places")}
        if (contact := self._yes_or_no("health.contact")) is not None:
            health["contact"] = contact
        return health

    def _listed_symptoms(self) -> dict[str, object]:
        """All answered by one cell: none, or the ones that are named and no other."""
        text = self._text("health.symptoms")
        names = self._by.columns.symptoms
        every = dict.fromkeys((symptom.id for symptom in self._by.columns.form.symptoms), False)
        if plain(text) in _NO:
            return dict(every)
        whole = names.get(plain(text))
        named = [whole] if whole else [names.get(plain(part)) for part in _BETWEEN.split(text) if plain(part)]
        if not named or None in named:
            self.problems.setdefault(
                "health.symptoms",
                Problem(
                    "import.symptoms",
                    Words(
                        "Ghi Không, hoặc các triệu chứng trong mẫu cách nhau bằng dấu phẩy.",
                        "Write None, or symptoms of the form with commas between.",
                    ),
                ),
            )
            return {}
        return {**every, **{id: True for id in named if id}}

    def _consents(self) -> list[str]:
        text = self._text("consents")
        purposes = self._by.columns.purposes
        if plain(text) in _ALL:
            return [purpose.id for purpose in self._by.columns.form.purposes]
        named = [purposes.get(plain(part), part.strip()) for part in re.split(r"[;,\n]+", text) if part.strip()]
        if any(plain(part) in _YES or part not in purposes.values() for part in named):
            self.problems.setdefault("consents", _WHICH_CONSENT)
        return list(dict.fromkeys(named))


_NUMBER_CHANGED = Problem(
    "import.number_changed",
    Words(
        "Bảng tính đã làm mất số 0 ở đầu hoặc làm tròn số này. Định dạng cột là Văn bản rồi gõ lại.",
        "The spreadsheet dropped zeros or rounded this. Format the column as Text and type it again.",
    ),
)
_NOT_A_PLACE = Problem(
    "import.place",
    Words("Ghi phường, xã rồi đến tỉnh: Phường Bến Thành, TP Hồ Chí Minh.", "Write the commune, then the province."),
)
_NO_PROVINCE = Problem(
    "import.province",
    Words("Không có tỉnh nào tên như vậy từ 1/7/2025.", "No province is called so since 1 July 2025."),
)
_NO_COMMUNE = Problem(
    "import.commune",
    Words(
        "Tỉnh này không có phường, xã nào tên như vậy từ 1/7/2025, hoặc có hai nơi cùng tên: ghi cả chữ Phường hay Xã.",
        "No commune of this province is called so since 1 July 2025, or two are: say Phường or Xã too.",
    ),
)
_WHICH_CONSENT = Problem(
    "import.consent",
    Words(
        "Ghi rõ người khai đồng ý những mục đích nào; đủ cả thì ghi Tất cả.",
        "Say which purposes the person agreed to; All if to all of them.",
    ),
)


def _kind(cell: Cell) -> str:
    return "none" if plain(text_of(cell)) in _NO_PAPERS else kind_of(cell)


def _born(cell: Cell) -> str:
    """YYYY-MM-DD, or YYYY where a cell has no more."""
    if isinstance(cell, int | float) and not isinstance(cell, bool) and 1000 <= cell < 10_000:
        cell = str(int(cell))
    if isinstance(cell, str) and _YEAR.fullmatch(cell):
        return cell
    return f"{day_and_time(cell)[0]:%Y-%m-%d}".zfill(10)


def _time_of_day(cell: Cell) -> str:
    """HH:MM; of a spreadsheet a part of a day."""
    if isinstance(cell, float) and 0 <= cell < 1:
        minutes = min(round(cell * 1_440), 1_439)
        return f"{minutes // 60:02}:{minutes % 60:02}"
    if isinstance(cell, dt.datetime):
        return f"{cell:%H:%M}"
    found = _TIME.fullmatch(text_of(cell))
    if not found or int(found[1]) > 23 or int(found[2] or 0) > 59:
        raise Invalid("import.time", Words("Giờ chưa đúng. Ví dụ: 06:30.", "The time is not right. Example: 06:30."))
    return f"{int(found[1]):02}:{found[2] or '00'}"


def _fits(document: Document, born: str, sex: str) -> bool:
    """Whether a number is certainly this person's by what it says itself: province, century and sex, birth year."""
    if unusual_number(document) or sex not in ("male", "female") or not re.fullmatch(r"[0-9]{4}(-[0-9-]{5})?", born):
        return False
    try:
        check_number_fits(document, dt.date(int(born[:4]), 1, 1), sex)
    except (Invalid, ValueError):
        return False
    return True
