"""What health staff report of a citizen: a case, a contact, the end of isolation; how what a system sent becomes that.

What counts of it, and until when, is :mod:`motma.core.fold`'s.
"""

import datetime as dt
import re
from collections.abc import Callable, Mapping
from typing import Annotated, TypeVar

import msgspec

from motma.core.described import says
from motma.core.errors import Invalid, Problem
from motma.core.facts import HealthEventKind
from motma.core.form import parse_birth_date
from motma.core.ids import Qid, check_number_fits, parse_document, parse_qid
from motma.core.permit.form import Named
from motma.core.text import parse_line, parse_name
from motma.core.words import Words

SINCE_DAYS, LASTS_DAYS = 366, 180
"""How long ago something may have begun; how long isolation may last that ends by itself."""
REFERENCE_MAX = 100

_T = TypeVar("_T")
_CLOCKS_APART = dt.timedelta(minutes=5)
_A_DAY = dt.timedelta(days=1)
_VN_TIME = dt.timezone(dt.timedelta(hours=7))
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_COUNTRY = re.compile(r"[A-Z]{2}")
_DATE_AND_TIME = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ](?:[01][0-9]|2[0-3]):[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,6})?)?"
    r"(?:Z|[+-][0-9]{2}:[0-9]{2})?"
)


class DocumentOf(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An identity document."""

    kind: Annotated[str, says("`cccd`, `cmnd` or `passport`.", "cccd")]
    number: Annotated[str, says("As of a declaration.", "999086834952")]
    issuer: Annotated[str, says("Of a passport: the country, ISO 3166-1 alpha-2.", "VN")] = "VN"


class PersonOf(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whom it is about, as the document says."""

    name: Annotated[str, says("With all tone marks.", "Nguyễn Trần Quốc An")]
    birth_date: Annotated[str, says("YYYY-MM-DD.", "1986-12-27")]
    document: DocumentOf
    sex: Annotated[str, says("`female`, `male` or `other`; may be left out.", "male")] = ""


class EventSent(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What health staff report."""

    event: Annotated[
        HealthEventKind,
        says("A confirmed case; a contact of one; the end of isolation, which ends both.", "case"),
    ]
    since: Annotated[
        str,
        says(
            "When it began; of a contact, when they met; of the end, when that is. ISO 8601; a day alone begins at "
            "midnight, and without a zone it is Vietnamese time.",
            "2026-01-18",
        ),
    ]
    reference: Annotated[str, says("Your own name of this report: no name or number of a person.", "HCDC-2026-00017")]
    until: Annotated[
        str | None,
        says(
            "When isolation ends by itself; of a day alone, when that is over. Left out: when `ended` is reported.",
            "2026-02-08",
        ),
    ] = None
    qid: Annotated[str | None, says("Whom it is about: any of their numbers. Or `person`.", "521322923144321717")] = (
        None
    )
    person: Annotated[PersonOf | None, says("Whom it is about, who may never have declared.", None)] = None
    case: Annotated[
        str | None, says("Of a contact: the number of the case that they met, if it is known.", "137905842617309423")
    ] = None


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """A report that can be relied on, but for whom it is about: the citizen with the number ``qid``, or ``named``."""

    event: HealthEventKind
    since: dt.datetime
    until: dt.datetime | None
    reference: str
    qid: Qid | None = None
    named: Named | None = None
    case: Qid | None = None


def parse_event(raw: Mapping[str, object], now: dt.datetime) -> Asked:
    """Turn what was sent into a report, or raise :class:`Invalid` ``event.malformed`` (no such shape) or
    ``event.fields`` with *every* field that needs mending."""
    try:
        sent = msgspec.convert(raw, EventSent)
    except msgspec.ValidationError:
        raise Invalid(
            "event.malformed",
            Words("Báo cáo y tế không đúng mẫu.", "The report has another shape than it should."),
        ) from None
    fields = _Fields()
    since = fields.take("since", sent.since, lambda text: _moment(text, end=False))
    until = fields.take("until", sent.until, lambda text: _moment(text, end=True)) if sent.until is not None else None
    reference = fields.take("reference", sent.reference, lambda text: parse_line(text, REFERENCE_MAX))
    qid = fields.take("qid", sent.qid, parse_qid) if sent.qid is not None else None
    case = fields.take("case", sent.case, parse_qid) if sent.case is not None else None
    named = _named(sent.person, fields, now) if sent.person else None
    if since and (problem := _out_of_time(sent.event, since, until, now)):
        fields.problems.setdefault(*problem)
    if (sent.qid is None) == (sent.person is None):
        fields.problems["qid"] = _ONE_OF
    if sent.case is not None and sent.event != "contact":
        fields.problems["case"] = _NO_CASE
    fields.finish()
    assert since and reference
    return Asked(event=sent.event, since=since, until=until, reference=reference, qid=qid, named=named, case=case)


class _Fields:
    """Every problem is kept and none stops the reading."""

    def __init__(self) -> None:
        self.problems: dict[str, Problem] = {}

    def take(self, path: str, text: str, parse: Callable[[str], _T]) -> _T | None:
        try:
            parsed = parse(text.strip()) if text.strip() else None
        except Invalid as invalid:
            self.problems[path] = Problem(invalid.code, invalid.words)
            return None
        if parsed is None or parsed == "":
            self.problems[path] = _MISSING
        return parsed

    def finish(self) -> None:
        if self.problems:
            raise Invalid(
                "event.fields",
                Words("Báo cáo y tế có ô cần sửa.", "Some fields of the report need mending."),
                self.problems,
            )


def _named(person: PersonOf, fields: _Fields, now: dt.datetime) -> Named | None:
    name = fields.take("person.name", person.name, parse_name)
    born = fields.take("person.birth_date", person.birth_date, lambda text: parse_birth_date(text, now))
    document, sent = None, person.document
    if sent.kind == "passport" and not _COUNTRY.fullmatch(sent.issuer):
        fields.problems["person.document.issuer"] = _ISSUER
    elif sent.kind in ("cccd", "cmnd", "passport"):
        document = fields.take(
            "person.document.number", sent.number, lambda text: parse_document(sent.kind, text, sent.issuer)
        )
    else:
        fields.problems["person.document.kind"] = _KIND
    if document and born:
        try:
            check_number_fits(document, born, person.sex)
        except Invalid as misfit:
            fields.problems.update({f"person.{path}": problem for path, problem in misfit.fields.items()})
    return Named(document, name, born) if document and name and born else None


def _out_of_time(
    event: HealthEventKind, since: dt.datetime, until: dt.datetime | None, now: dt.datetime
) -> tuple[str, Problem] | None:
    """(the field, what is wrong with it)."""
    if since > now + _CLOCKS_APART:
        return "since", _FUTURE
    if since < now - SINCE_DAYS * _A_DAY:
        return "since", _LONG_AGO
    if until is not None and event == "ended":
        return "until", _NO_UNTIL
    if until is not None and until <= since:
        return "until", _BEFORE
    if until is not None and until > since + LASTS_DAYS * _A_DAY:
        return "until", _TOO_FAR
    return None


def _moment(text: str, *, end: bool) -> dt.datetime:
    """ISO 8601; a day alone is its beginning, or its ``end``. Raises :class:`Invalid` ``event.time``."""
    try:
        if _DATE.fullmatch(text):
            day = dt.datetime.fromisoformat(text).replace(tzinfo=_VN_TIME)
            return (day + _A_DAY if end else day).astimezone(dt.UTC)
        if not _DATE_AND_TIME.fullmatch(text):
            raise ValueError(text[:40])
        moment = dt.datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=_VN_TIME)).astimezone(dt.UTC)
    except (ValueError, OverflowError):
        raise Invalid(
            "event.time",
            Words("Ngày giờ phải theo ISO 8601, ví dụ 2026-01-18.", "The time must be ISO 8601, such as 2026-01-18."),
        ) from None


_MISSING = Problem("field.missing", Words("Ô này cần được điền.", "This must be filled in."))
_KIND = Problem("document.kind", Words("Chọn loại giấy tờ.", "Choose the kind of document."))
_ISSUER = Problem(
    "nationality.malformed",
    Words("Mã nước gồm hai chữ cái, ISO 3166-1.", "The country is two letters, ISO 3166-1."),
)
_ONE_OF = Problem(
    "event.whom",
    Words("Ghi mã số hoặc giấy tờ của một người, một trong hai.", "Name one person: by `qid` or by `person`."),
)
_NO_CASE = Problem(
    "event.case_of_contact",
    Words("Chỉ ghi ca bệnh khi báo người tiếp xúc.", "Only a contact has a case that they met."),
)
_FUTURE = Problem("event.since_future", Words("Thời điểm này chưa tới.", "This is in the future."))
_LONG_AGO = Problem(
    "event.since_long_ago",
    Words(f"Thời điểm này đã quá {SINCE_DAYS} ngày.", f"This is more than {SINCE_DAYS} days ago."),
)
_NO_UNTIL = Problem(
    "event.ended_until",
    Words("Đã hết cách ly thì không ghi thời hạn.", "The end of isolation has no end of its own."),
)
_BEFORE = Problem("event.until_before", Words("Kết thúc trước khi bắt đầu.", "It ends before it begins."))
_TOO_FAR = Problem(
    "event.until_far",
    Words(f"Cách ly không quá {LASTS_DAYS} ngày.", f"Isolation lasts no more than {LASTS_DAYS} days."),
)
