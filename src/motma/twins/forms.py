"""What a twin's form is made of. The four differ in what fields are called and in how they write what was said."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from motma.core.words import Words
from motma.forms import load_countries, load_form, load_units

Answers = Mapping[str, Sequence[str]]
"""What was filled in: the field's name -> what was said, more than one where boxes were ticked."""

Kind = Literal["text", "number", "phone", "date", "time", "choice", "yes_no", "boxes", "commune", "country"]


@dataclass(frozen=True, slots=True)
class Field:
    """One question. ``options``: value -> words, of a choice, of yes and no in the platform's own values, of boxes."""

    name: str
    words: Words
    kind: Kind = "text"
    options: Mapping[str, Words] | None = None
    required: bool = True
    hint: Words | None = None


@dataclass(frozen=True, slots=True)
class Twin:
    """One platform. ``write``: its payload, from its own form; ``fill``: its form, from a declaration in the shape of
    ``POST /v1/declarations``, for trials. ``door``: where its app sends the payload as it is."""

    name: str
    platform: str
    title: Words
    stands_for: Words
    content_type: str
    sections: tuple[tuple[Words, tuple[Field, ...]], ...]
    write: Callable[[Answers], bytes]
    fill: Callable[[Mapping[str, Any]], dict[str, list[str]]]
    door: str


PERSON = Words("Người khai", "Who declares")
HOME = Words("Nơi ở", "Where they live")
TRIP = Words("Chuyến đi", "The trip")
HEALTH = Words("Sức khoẻ 14 ngày qua", "Health in the last 14 days")
CONSENT = Words("Đồng ý cho từng mục đích", "Consent to each purpose")

NAME = Words("Họ và tên (có dấu)", "Full name, with tone marks")
YEAR = Words("Năm sinh", "Year of birth")
BORN = Words("Ngày sinh", "Date of birth")
SEX = Words("Giới tính", "Sex")
NATION = Words("Quốc tịch", "Nationality")
NUMBER = Words("Số CCCD, CMND hoặc hộ chiếu", "CCCD, CMND or passport number")
PHONE = Words("Điện thoại", "Phone")
COMMUNE = Words("Mã phường, xã", "Commune code")
ADDRESS = Words("Số nhà, đường, thôn, tổ", "House, street, hamlet")
ORIGIN = Words("Nơi đi: mã phường, xã", "From: commune code")
DESTINATION = Words("Nơi đến: mã phường, xã", "To: commune code")
VEHICLE = Words("Phương tiện", "Vehicle")
PLATE = Words("Biển số hoặc số hiệu", "Plate or number")
DAY = Words("Ngày đi", "Day of departure")
HOUR = Words("Giờ đi", "Hour of departure")
CONTACT = Words("Tiếp xúc người bệnh hoặc nghi mắc bệnh?", "Contact with a patient or a suspected one?")
PLACES = Words("Các nơi đã đến", "Places visited")

SYMPTOMS: Mapping[str, Words] = {choice.id: choice.words for choice in load_form("2026-1").symptoms}
VEHICLES: Mapping[str, Words] = {choice.id: choice.words for choice in load_form("2026-1").vehicles}
PURPOSES: Mapping[str, Words] = {choice.id: choice.words for choice in load_form("2026-1").purposes}
YES, NO = Words("Có", "Yes"), Words("Không", "No")

_HOW_TO_FIND = Words("5 chữ số; gõ tên để tìm trong danh sách.", "5 digits; type the name to find it in the list.")


def commune(name: str, words: Words) -> Field:
    """A commune of 2025, by its code."""
    return Field(name, words, "commune", hint=_HOW_TO_FIND)


def consents(name: str) -> tuple[Words, tuple[Field, ...]]:
    """The purposes, each to be agreed to on its own, none ticked beforehand."""
    return CONSENT, (Field(name, CONSENT, "boxes", PURPOSES),)


def said(answers: Answers, name: str) -> str:
    """The one answer to a question; "" without one."""
    given = answers.get(name) or ("",)
    return given[0].strip()


def province_of(code: str) -> str:
    """The province of a commune; "" for one that does not exist, which the exchange will say."""
    return load_units().communes.get(code, ("", ""))[1]


def communes() -> Sequence[tuple[str, str]]:
    """Every commune: its code, and its name with its province's."""
    units = load_units()
    return [(code, f"{name}, {units.provinces[province]}") for code, (name, province) in units.communes.items()]


def countries() -> Mapping[str, Words]:
    """Every country by its code."""
    return load_countries()


def departs(day: str, hour: str, *, order: str) -> str:
    """A day of a date field, in the platform's order (``dmy`` or ``ymd``), and the hour behind it if one is given."""
    parts = day.split("-")
    return "/".join(reversed(parts) if order == "dmy" else parts) + (f" {hour}" if hour else "")


def nested(values: Mapping[str, Any]) -> dict[str, Any]:
    """Names with dots as objects in objects: ``noiDi.maXa`` -> ``{"noiDi": {"maXa": …}}``."""
    found: dict[str, Any] = {}
    for name, value in values.items():
        here, (*steps, last) = found, name.split(".")
        for step in steps:
            here = here.setdefault(step, {})
        here[last] = value
    return found
