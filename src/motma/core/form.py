"""The one form: what is asked, and how what was typed becomes a declaration.

Doors hand over plain nested mappings (a page's fields or an API's JSON); this room turns them into a
:class:`Declaration` or says, field by field, what to mend. The form's own words (symptoms, purposes, vehicles)
are data in ``motma/forms/``.
"""

import datetime as dt
import re
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Literal, TypeVar

import msgspec

from motma.core.errors import Invalid, Problem
from motma.core.ids import NO_DOCUMENT, Document, check_number_fits, parse_document, parse_phone, parse_plate
from motma.core.text import parse_line, parse_name, vietnamese_order
from motma.core.words import Words

_T = TypeVar("_T")

Sex = Literal["female", "male", "other"]
Health = Literal["clear", "contact", "symptoms"]

NOTHING_MORE = msgspec.Raw(b"null")


class Choice(msgspec.Struct, frozen=True):
    """One thing that may be chosen, with its words."""

    id: str
    words: Words


class Form(msgspec.Struct, frozen=True):
    """One published version of the form."""

    id: str
    symptoms: tuple[Choice, ...]
    vehicles: tuple[Choice, ...]
    purposes: tuple[Choice, ...]
    """What the data is used for. Each needs its own consent; none is ticked beforehand."""
    countries: dict[str, Words] = {}
    """Nationalities to choose from, by ISO 3166-1 alpha-2; without any, every two letters will do."""


class Units(msgspec.Struct, frozen=True, dict=True):
    """Administrative units of one vintage: province code -> name, commune code -> (name, province code)."""

    vintage: str
    provinces: dict[str, str]
    communes: dict[str, tuple[str, str]]

    def communes_of(self, province: str) -> dict[str, str]:
        """Commune code -> name within one province, in the order of the data; empty for an unknown province."""
        return self._by_province.get(province, {})

    def communes_by_name(self, province: str) -> dict[str, str]:
        """What ``communes_of`` answers, in the order of the Vietnamese alphabet, as one looks for a name in a list."""
        return self._by_name.get(province, {})

    @cached_property
    def _by_name(self) -> dict[str, dict[str, str]]:
        return {
            province: dict(sorted(communes.items(), key=lambda one: vietnamese_order(one[1])))
            for province, communes in self._by_province.items()
        }

    @cached_property
    def _by_province(self) -> dict[str, dict[str, str]]:
        found: dict[str, dict[str, str]] = {province: {} for province in self.provinces}
        for code, (name, province) in self.communes.items():
            found.setdefault(province, {})[code] = name
        return found


class Place(msgspec.Struct, frozen=True):
    """A commune (with its province) and, for a residence, the rest of the address."""

    province: str
    commune: str
    address: str = ""


class Trip(msgspec.Struct, frozen=True):
    """One journey. ``checkpoints`` are ids on the way, in order; empty when the citizen does not know them."""

    origin: Place
    destination: Place
    checkpoints: tuple[str, ...]
    vehicle: str
    plate: str
    departs_at: dt.datetime


class Declaration(msgspec.Struct, frozen=True):
    """A declaration that has been parsed and can be relied on."""

    form: str
    name: str
    birth_date: dt.date
    sex: Sex
    nationality: str
    document: Document
    phone: str
    residence: Place
    trip: Trip
    symptoms: tuple[str, ...]
    contact: bool
    places: str
    consents: tuple[str, ...]
    guardian: Document | None = None
    """Of somebody who has no number: whose child they are, or who looks after them."""
    year_only: bool = False
    """Whether only the year of birth was said; ``birth_date`` is its 1 January then, as documents print it."""
    extra: msgspec.Raw = NOTHING_MORE
    """What a platform sent and this does not say: members that the form does not know, and how it wrote those that it
    does (:mod:`motma.core.sent`)."""

    @property
    def born(self) -> str:
        """The birth date as it was said: YYYY-MM-DD, or YYYY."""
        return f"{self.birth_date.year:04}" if self.year_only else self.birth_date.isoformat()

    @property
    def subject(self) -> Document | None:
        """The number that this is about: the citizen's own, or their guardian's; None if nobody's."""
        return self.document if self.document.kind != "none" else self.guardian

    @property
    def health(self) -> Health:
        """The one word of the health answers that a checkpoint needs."""
        if self.symptoms:
            return "symptoms"
        return "contact" if self.contact else "clear"


_MISSING = Problem("field.missing", Words("Ô này cần được điền.", "This must be filled in."))
_CHOOSE = Problem("field.choose", Words("Chọn một câu trả lời.", "Choose one answer."))
_ANSWERS: dict[bool | str, bool] = {True: True, False: False, "yes": True, "no": False}
_NOT_IN_LIST = Problem(
    "field.options",
    Words("Có lựa chọn không có trong danh sách.", "There is a choice that is not in the list."),
)
_NOT_OF_PROVINCE = Problem(
    "place.commune",
    Words("Chọn phường, xã thuộc tỉnh đã chọn.", "Choose a commune of the chosen province."),
)
_NO_CONSENT = Problem(
    "consent.missing",
    Words(
        "Cần bạn đồng ý mục đích này thì mới cấp được mã.",
        "The code can be issued only if you agree to this purpose.",
    ),
)
_OLDEST = dt.date(1900, 1, 1)
_DEPARTS_WITHIN = dt.timedelta(days=30)
_DEPARTED_SINCE = dt.timedelta(days=1)
_CHECKPOINTS_MAX = 20
_VN_TIME = dt.timezone(dt.timedelta(hours=7))
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_YEAR = re.compile(r"[0-9]{4}")
_DATE_AND_TIME = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ](?:[01][0-9]|2[0-3]):[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,6})?)?"
    r"(?:Z|[+-][0-9]{2}:[0-9]{2})?"
)
_COUNTRY = re.compile(r"[A-Z]{2}")


def parse_declaration(
    raw: Mapping[str, object], form: Form, units: Units, checkpoints: frozenset[str], now: dt.datetime
) -> Declaration:
    """Turn what was sent into a :class:`Declaration`, or raise :class:`Invalid` ``declaration.fields`` with *every*
    field that needs mending (dotted path -> :class:`Problem`).

    Nested strings, as ``vectors/forms/`` shows; unknown members are passed over (:mod:`motma.core.sent` keeps them).
    ``checkpoints`` are the ids that exist.
    """
    fields = _Fields(raw)
    name = fields.take("name", parse_name)
    birth_date = fields.take("birth_date", lambda text: parse_birth_date(text, now))
    sex = fields.choose("sex", ("female", "male", "other"))
    nationality = fields.take("nationality", lambda text: _parse_country(text, form))
    kind = fields.choose("document.kind", ("cccd", "cmnd", "passport", "none"))
    document, guardian = fields.document("document", kind, nationality or "VN"), None
    if kind == "none" and fields.text("guardian.kind"):
        kind_of_guardian = fields.choose("guardian.kind", ("cccd", "cmnd", "passport"))
        guardian = fields.document("guardian", kind_of_guardian, fields.text("guardian.issuer") or "VN")
    if document and birth_date:
        try:
            check_number_fits(document, birth_date, sex)
        except Invalid as misfit:
            fields.problems.update(misfit.fields)
    phone = fields.take("phone", parse_phone)
    residence = fields.place("residence", units)
    address = fields.take("residence.address", lambda text: parse_line(text, 200))
    origin, destination = fields.place("trip.origin", units), fields.place("trip.destination", units)
    vehicle = fields.choose("trip.vehicle", tuple(choice.id for choice in form.vehicles))
    plate = fields.take("trip.plate", parse_plate, optional=True)
    departs_at = fields.take("trip.departs_at", lambda text: parse_departure(text, now))
    on_the_way = fields.several("trip.checkpoints", checkpoints, _CHECKPOINTS_MAX)
    symptoms = fields.answered_yes("health.symptoms", form.symptoms)
    contact = fields.yes_or_no("health.contact")
    places = fields.take("health.places", lambda text: parse_line(text, 300), optional=True)
    consents = fields.several("consents", frozenset(choice.id for choice in form.purposes), len(form.purposes))
    for purpose in form.purposes:
        if purpose.id not in consents:
            fields.problems[f"consents.{purpose.id}"] = _NO_CONSENT
    fields.finish()
    assert birth_date and document and residence and origin and destination and departs_at and contact is not None
    return Declaration(
        form=form.id,
        name=name or "",
        birth_date=birth_date,
        sex=sex,  # type: ignore[arg-type]  # chosen from exactly these
        nationality=nationality or "",
        document=document,
        phone=phone or "",
        residence=Place(residence.province, residence.commune, address or ""),
        trip=Trip(origin, destination, on_the_way, vehicle, plate or "", departs_at),
        symptoms=symptoms,
        contact=contact,
        places=places or "",
        consents=consents,
        guardian=guardian,
        year_only=is_year_only(fields.text("birth_date")),
    )


class _Fields:
    """What was sent, read by dotted path; every problem is kept and none stops the reading."""

    def __init__(self, raw: Mapping[str, object]) -> None:
        self._raw = raw
        self.problems: dict[str, Problem] = {}

    def value(self, path: str) -> object:
        here: object = self._raw
        for step in path.split("."):
            if type(here) is not dict and not isinstance(here, Mapping):  # the former is the everyday, cheap case
                return None
            here = here.get(step)
        return here

    def text(self, path: str) -> str:
        """The text at ``path``; anything that is not text counts as not filled in."""
        value = self.value(path)
        return value if isinstance(value, str) else ""

    def take(self, path: str, parse: Callable[[str], _T], *, optional: bool = False) -> _T | None:
        """What ``parse`` makes of the text at ``path``; ``None`` when it is not filled in or has a problem."""
        text = self.text(path).strip()
        try:
            parsed = parse(text) if text else None
        except Invalid as invalid:
            self.problems[path] = Problem(invalid.code, invalid.words)
            return None
        if not optional and (not text or parsed == ""):  # "" is what is left of invisible characters
            self.problems[path] = _MISSING
        return parsed

    def document(self, path: str, kind: str, issuer: str) -> Document | None:
        """The document of ``kind`` ("" if none was chosen) whose number stands under ``path``."""
        if kind == "none":
            return NO_DOCUMENT
        return self.take(f"{path}.number", lambda text: parse_document(kind, text, issuer) if kind else None)

    def choose(self, path: str, options: tuple[str, ...]) -> str:
        chosen = self.text(path)
        if chosen not in options:
            self.problems[path] = _CHOOSE
            return ""
        return chosen

    def several(self, path: str, options: frozenset[str], at_most: int) -> tuple[str, ...]:
        value = self.value(path)
        if value is None or value == "":
            return ()
        chosen = [value] if isinstance(value, str) else value
        if (
            not isinstance(chosen, list | tuple)
            or len(chosen) > at_most
            or not all(isinstance(item, str) and item in options for item in chosen)
        ):
            self.problems[path] = _NOT_IN_LIST
            return ()
        return tuple(dict.fromkeys(chosen))

    def yes_or_no(self, path: str) -> bool | None:
        """A question that must be answered: true/false from an API, "yes"/"no" from a page."""
        answer = _ANSWERS.get(value) if isinstance(value := self.value(path), bool | str) else None
        if answer is None:
            self.problems[path] = _CHOOSE
        return answer

    def answered_yes(self, path: str, questions: tuple[Choice, ...]) -> tuple[str, ...]:
        """The ids of the ``questions`` under ``path`` answered yes; every one must be answered."""
        given = self.value(path)
        answers = given if isinstance(given, Mapping) else {}
        yes = []
        for question in questions:
            value = answers.get(question.id)
            answer = _ANSWERS.get(value) if isinstance(value, bool | str) else None
            if answer is None:
                self.problems[f"{path}.{question.id}"] = _CHOOSE
            elif answer:
                yes.append(question.id)
        return tuple(yes)

    def place(self, path: str, units: Units) -> Place | None:
        province, commune = self.text(f"{path}.province"), self.text(f"{path}.commune")
        home = units.communes.get(commune, ("", ""))[1]
        if province in units.provinces and home == province:
            return Place(province, commune)
        if province not in units.provinces:
            self.problems[f"{path}.province"] = _CHOOSE
        if not home or province in units.provinces:
            self.problems[f"{path}.commune"] = _NOT_OF_PROVINCE
        return None

    def finish(self) -> None:
        if self.problems:
            raise Invalid(
                "declaration.fields",
                Words(
                    "Có ô cần sửa. Những gì bạn đã gõ vẫn còn.",
                    "Some fields need mending. What you typed is kept.",
                ),
                self.problems,
            )


def parse_birth_date(text: str, now: dt.datetime) -> dt.date:
    """A date (YYYY-MM-DD), or a year alone: 1 January then, as documents print it for whom no more is known of.

    Raises :class:`Invalid` ``birth_date.*``.
    """
    if _YEAR.fullmatch(text):
        text += "-01-01"
    try:
        born = dt.date.fromisoformat(text) if _DATE.fullmatch(text) else None
    except ValueError:
        born = None
    if born is None:
        raise Invalid(
            "birth_date.impossible",
            Words(
                "Ngày sinh không có thật. Gõ ngày, tháng, năm bằng số.",
                "There is no such date. Type day, month and year as numbers.",
            ),
        )
    if born > now.astimezone(_VN_TIME).date():
        raise Invalid(
            "birth_date.future",
            Words("Ngày sinh ở tương lai. Kiểm tra lại năm.", "The birth date is in the future. Check the year."),
        )
    if born < _OLDEST:
        raise Invalid(
            "birth_date.too_early",
            Words("Năm sinh trước 1900. Kiểm tra lại năm.", "The year is before 1900. Check the year."),
        )
    return born


def is_year_only(text: str) -> bool:
    """Whether a birth date, as :func:`parse_birth_date` takes it, is a year alone."""
    return _YEAR.fullmatch(text.strip()) is not None


def _parse_country(text: str, form: Form) -> str:
    if text not in form.countries if form.countries else not _COUNTRY.fullmatch(text):
        raise Invalid("nationality.malformed", Words("Chọn quốc tịch.", "Choose a nationality."))
    return text


def parse_departure(text: str, now: dt.datetime) -> dt.datetime:
    """ISO 8601 to the minute or finer; a time without a zone (a page's field) is Vietnamese time.

    Raises :class:`Invalid` ``departure.*``.
    """
    try:
        # Python's own reader also takes weeks, hours alone and more, from version to version.
        if not _DATE_AND_TIME.fullmatch(text):
            raise ValueError(text[:40])
        departs_at = dt.datetime.fromisoformat(text)
        if departs_at.tzinfo is None:
            departs_at = departs_at.replace(tzinfo=_VN_TIME)
        departs_at = departs_at.astimezone(dt.UTC)
    except (ValueError, OverflowError):
        raise Invalid(
            "departure.malformed", Words("Chọn ngày và giờ đi.", "Choose the day and time of departure.")
        ) from None
    if not now - _DEPARTED_SINCE <= departs_at <= now + _DEPARTS_WITHIN:
        raise Invalid(
            "departure.out_of_range",
            Words(
                "Giờ đi phải từ hôm qua đến 30 ngày tới.",
                "Departure must lie between yesterday and 30 days from now.",
            ),
        )
    return departs_at
