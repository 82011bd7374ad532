"""Reading what a platform sent by its own field names: every problem is kept, and none stops the reading.

What any of the platforms of 2021 writes alike is read here: documents told apart by shape, countries by name, places
by the units of 2021, answers as digits. Nothing that was not answered is taken for a no.
"""

import datetime as dt
import re
import unicodedata
from collections.abc import Mapping
from functools import cache
from typing import Any

import msgspec

from motma.connectors.platforms.countries import country_of
from motma.core.errors import Invalid, Problem
from motma.core.form import Form
from motma.core.oldunits import NoSuchUnit
from motma.core.words import Words
from motma.forms import load_form, load_old_units, load_units

MISSING = Problem("inbox.missing", Words("Thiếu ô này.", "This field is missing."))
NO_TRIP = Problem(
    "inbox.trip",
    Words(
        "Tờ khai thống nhất cần chuyến đi; thiếu ô này.",
        "The unified declaration needs a trip; this field is missing.",
    ),
)
NOT_ASKED = Problem(
    "inbox.unanswered",
    Words(
        "Chưa có câu trả lời. Không trả lời không có nghĩa là không.",
        "There is no answer. Not answered does not mean no.",
    ),
)
REPEATED = Problem(
    "inbox.repeated",
    Words("Ô này có nhiều giá trị. Gửi một giá trị.", "This field has several values. Send one."),
)
OPTION = Problem(
    "inbox.option",
    Words("Giá trị không có trong danh sách của mẫu này.", "The value is not among the options of this form."),
)
NO_CONSENT = Problem(
    "inbox.consent",
    Words(
        "Thiếu sự đồng ý cho từng mục đích. Một câu chung không thay được.",
        "The consent to each purpose is missing. One general sentence does not stand for it.",
    ),
)
_DATE = Problem(
    "inbox.date",
    Words("Ngày không có thật hoặc không đúng dạng của mẫu này.", "There is no such date, or not in this form's way."),
)
_MONTH = Problem(
    "inbox.month",
    Words(
        "Tháng 00: phiên bản cũ của ứng dụng ghi tháng lùi một. Cập nhật ứng dụng rồi gửi lại.",
        "Month 00: an old version of the app writes months one too low. Update the app and send again.",
    ),
)
_DOCUMENT = Problem(
    "inbox.document",
    Words(
        "Không nhận ra số giấy tờ: CCCD 12 số, CMND 9 số, hộ chiếu 5 đến 12 chữ và số.",
        "The number is of no known document: CCCD 12 digits, CMND 9, passport 5 to 12 letters and digits.",
    ),
)
_UNITS = Problem(
    "inbox.units",
    Words(
        "Mã đơn vị hành chính không có, hoặc không thuộc cấp trên đã ghi.",
        "There is no such administrative unit, or not in the one above it.",
    ),
)
_COUNTRY = Problem("inbox.country", Words("Không nhận ra quốc gia này.", "This country is not known."))

_PASSPORT = re.compile(r"(?=.*[0-9])[A-Za-z0-9]{5,12}")
_YEAR = re.compile(r"[0-9]{4}")
_HOUR = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]")
_SEXES = {"female": "female", "male": "male", "other": "other"}
_ORDERS = {
    "dmy": re.compile(r"([0-9]{1,2})[/-]([0-9]{1,2})[/-]([0-9]{4})"),
    "ymd": re.compile(r"([0-9]{4})[/-]([0-9]{1,2})[/-]([0-9]{1,2})"),
}
FORM_ID = "2026-1"
_DEPTH_MAX = 20
_NUMBER_MAX = 10**18


class Theirs:
    """The fields of one declaration or event, by their names."""

    def __init__(self, fields: Mapping[str, Any], called: str = "{}") -> None:
        """``called`` is how a field's name stands in the payload (``fields[{}]``); a dot leads into an object."""
        self.fields = fields
        self._called = called
        self.problems: dict[str, Problem] = {}
        self.names: dict[str, str] = {}
        self.inexact: list[str] = []

    def called(self, name: str) -> str:
        """The field as the payload writes it."""
        return self._called.format(name)

    def value(self, name: str) -> Any:
        """What stands there, whatever it is; None for nothing."""
        here: Any = self.fields
        for step in self.called(name).split("."):
            here = here.get(step) if isinstance(here, Mapping) else None
        return here

    def text(self, name: str, path: str = "") -> str:
        """The text there, or a number as text; "" for anything else. ``path``: which field of ours is made of it."""
        if path:
            self.names.setdefault(path, self.called(name))
        value = self.value(name)
        if isinstance(value, list) and value:  # which of them counts is not ours to say
            self.wrong(name, REPEATED)
        if isinstance(value, int) and not isinstance(value, bool):
            return str(value) if abs(value) < _NUMBER_MAX else ""
        return value.strip() if isinstance(value, str) else ""

    def need(self, name: str, path: str = "", problem: Problem = MISSING) -> str:
        """The text there; without any, ``problem``."""
        text = self.text(name, path)
        if not text:
            self.wrong(name, problem)
        return text

    def wrong(self, name: str, problem: Problem) -> None:
        """Keep ``problem`` of a field; the first one counts."""
        self.problems.setdefault(self.called(name), problem)

    def option(self, name: str, options: Mapping[str, str], path: str, missing: Problem = MISSING) -> str:
        """What one of their options means to us; "" with a problem kept."""
        text = unicodedata.normalize("NFC", self.need(name, path, missing))  # some phones send "Nữ" taken apart
        if text and text not in options:
            self.wrong(name, OPTION)
        return options.get(text, "")

    def answer(self, name: str) -> bool | None:
        """1 is yes, 0 and 2 are no, as are true and false; anything else is no answer. Nothing is a no by itself."""
        value = self.value(name)
        if isinstance(value, bool):
            return value
        return {"1": True, "0": False, "2": False, "true": True, "false": False}.get(self.text(name).lower())

    def answered(self, name: str, path: str = "") -> bool:
        """An answer that must be there."""
        if path:
            self.names.setdefault(path, self.called(name))
        answer = self.answer(name)
        if answer is None:
            self.wrong(name, OPTION if self.text(name) else NOT_ASKED)
        return bool(answer)

    def consents(self, name: str) -> list[str]:
        """Our purposes that were agreed to, each on its own; all that a code needs must be there."""
        self.names["consents"] = self.called(name)
        value = self.value(name)
        given = [one for one in value if isinstance(one, str)] if isinstance(value, list) else [self.text(name)]
        purposes = [choice.id for choice in the_form().purposes]
        if not set(purposes) <= set(given):
            self.wrong(name, NO_CONSENT)
        return [purpose for purpose in purposes if purpose in given]

    def country(self, name: str, path: str) -> str:
        """ISO 3166-1 alpha-2 of a country that is written in any of the usual ways."""
        text = self.need(name, path)
        found = country_of(text)
        if text and not found:
            self.wrong(name, _COUNTRY)
        return found

    def document(self, name: str, nationality: str, path: str = "document") -> dict[str, str]:
        """A number without its kind, told apart by its shape: 12 digits CCCD, 9 CMND; a foreigner's is a passport's."""
        self.names[path] = self.called(name)
        number = re.sub(r"[\s.\-]", "", self.text(name))
        if not number:
            return {"kind": "none", "number": ""}
        digits = number.isascii() and number.isdigit()
        if nationality in ("VN", "") and digits:  # no passport of this country is: another length is a slip
            if len(number) not in (9, 12):
                self.wrong(name, _DOCUMENT)
            return {"kind": "cccd" if len(number) == 12 else "cmnd", "number": number}
        if not _PASSPORT.fullmatch(number):
            self.wrong(name, _DOCUMENT)
        return {"kind": "passport", "number": number.upper()}

    def guardian(self, name: str) -> dict[str, dict[str, str]]:
        """The member ``guardian`` of a declaration, of somebody without a number; without one there is none."""
        return {"guardian": self.document(name, "VN", "guardian")} if self.text(name) else {}

    def date(self, name: str, order: str, path: str, missing: Problem = MISSING) -> dt.date | None:
        """A day, month and year in this order (``dmy`` or ``ymd``); None with a problem kept."""
        text = self.need(name, path, missing)
        return self._day(name, text, order) if text else None

    def _day(self, name: str, text: str, order: str) -> dt.date | None:
        parts = _ORDERS[order].fullmatch(text)
        if parts is None:
            self.wrong(name, _DATE)
            return None
        year, month, day = (int(part) for part in (parts.groups() if order == "ymd" else parts.groups()[::-1]))
        if not month:
            self.wrong(name, _MONTH)
            return None
        try:
            return dt.date(year, month, day)
        except ValueError:
            self.wrong(name, _DATE)
            return None

    def moment(self, day: str, hour: str, path: str, order: str = "dmy") -> str:
        """``departs_at`` in Vietnamese time, of a day and an hour in two fields, or in one with a space between.

        Without an hour it is noon, and said to be inexact.
        """
        date, _, time = self.need(day, path, NO_TRIP).partition(" ")
        if hour != day:
            date, time = f"{date} {time}".strip(), self.text(hour)
        on = self._day(day, date, order) if date else None
        if time and not _HOUR.fullmatch(time):
            self.wrong(hour, _DATE)
        elif not time:
            self.inexact.append(path)
        return f"{on.isoformat()}T{time or '12:00'}+07:00" if on else ""

    def year(self, name: str, path: str) -> str:
        """Four digits, all that the form asks of a birth date."""
        year = self.need(name, path)
        if year and not _YEAR.fullmatch(year):
            self.wrong(name, _DATE)
        return year

    def place(self, fields: tuple[str, str, str], path: str, missing: Problem = MISSING) -> dict[str, str]:
        """A commune of today from (province, district, ward): of 2021 if a district is named, else of 2025."""
        for name, part in zip(fields, ("province", "commune", "commune"), strict=True):
            self.names[f"{path}.{part}"] = self.called(name)
        province, district, ward = (self.text(name) for name in fields)
        if not province:
            self.wrong(fields[0], missing)
        if not ward and district.zfill(3) not in load_old_units().alone:  # island districts of 2021 had no wards
            self.wrong(fields[2], missing)
        if not province:
            return {}
        if not district:
            return self._today(fields, province.zfill(2), ward.zfill(5)) if ward else {}
        try:
            then = load_old_units().commune(province, district, ward)
        except NoSuchUnit as unknown:
            name = fields[("province", "district", "ward").index(unknown.level)]
            self.wrong(name, _UNITS if self.text(name) else missing)
            return {}
        if not then.exact:
            self.inexact.append(f"{path}.commune")
        commune = then.became[0]
        return {"province": load_units().communes[commune][1], "commune": commune}

    def _today(self, fields: tuple[str, str, str], province: str, commune: str) -> dict[str, str]:
        units = load_units()
        if province not in units.provinces:
            self.wrong(fields[0], _UNITS)
        elif units.communes.get(commune, ("", ""))[1] != province:
            self.wrong(fields[2], _UNITS)
        return {"province": province, "commune": commune}

    def finish(self) -> None:
        """Raise :class:`Invalid` with every problem, if there is any."""
        if self.problems:
            raise refused(self.problems)


def refused(problems: Mapping[str, Problem]) -> Invalid:
    """What says that these fields of theirs must be mended; its code is theirs if it is one, else ``inbox.fields``."""
    kinds = {problem.code: problem.words for problem in problems.values()}
    if len(kinds) == 1:
        for code, words in kinds.items():
            return Invalid(code, words, problems)
    return Invalid(
        "inbox.fields", Words("Có ô cần sửa ở nơi gửi.", "Some fields need mending where it was sent."), problems
    )


def malformed(what: str) -> Invalid:
    """The payload is not even of its kind; ``what`` is that kind, as engineers call it."""
    return Invalid(
        "inbox.malformed",
        Words(f"Không đọc được nội dung: cần {what}.", f"The payload cannot be read: {what} is expected."),
    )


def json_object(body: bytes) -> dict[str, Any]:
    """The object that ``body`` is. Raises :class:`Invalid` ``inbox.malformed``."""
    value = json_value(body)
    if not isinstance(value, dict):
        raise malformed("JSON {…}")
    return value


def json_value(text: bytes | str) -> Any:
    """What JSON says. Raises :class:`Invalid` ``inbox.malformed``, also where it is nested deeper than any form is."""
    try:
        value = msgspec.json.decode(text)
        if not _shallow(value, _DEPTH_MAX):
            raise ValueError
    except (ValueError, RecursionError):  # msgspec's own error is a ValueError, too
        raise malformed("JSON, UTF-8") from None
    return value


def _shallow(value: object, left: int) -> bool:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return left > 0 and all(_shallow(one, left - 1) for one in inner if isinstance(one, dict | list))


@cache
def the_form() -> Form:
    """The one form."""
    return load_form(FORM_ID)


def symptoms(answers: Mapping[str, bool | None], asked: Mapping[str, str], theirs: Theirs) -> dict[str, bool]:
    """Our questions, each answered by what ``answers`` has; of one without, the field ``asked`` names it as missing."""
    for choice in the_form().symptoms:
        theirs.names[f"health.symptoms.{choice.id}"] = theirs.called(asked[choice.id])
        if answers.get(choice.id) is None:
            theirs.wrong(asked[choice.id], NOT_ASKED)
    return {choice.id: bool(answers.get(choice.id)) for choice in the_form().symptoms}
