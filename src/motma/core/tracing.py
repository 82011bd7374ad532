"""Whom a confirmed case met, as far as checkpoints, declared vehicles and reports tell. ``docs/tracing.md``.

Nobody is found ill by this: it says who stood where when, and how near in time. Pure: passages, rides and reports in,
contacts out, the strongest first.
"""

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import groupby
from typing import Literal, TypeVar

import msgspec

from motma.core.errors import Conflict, Invalid, MotmaError, Problem
from motma.core.facts import HealthReported
from motma.core.ids import Qid, parse_qid
from motma.core.text import parse_line
from motma.core.words import Words

WITHIN_MAX_MINUTES, BEFORE_MAX_HOURS = 120, 336
WINDOW_MAX = dt.timedelta(days=31)
OVER_AFTER = dt.timedelta(days=30)
"""So long after a case has ended nobody is told any more whom it met."""
_ONE_VISIT = dt.timedelta(minutes=10)
_TEXT_MIN, _TEXT_MAX = 10, 300

How = Literal["reported", "vehicle", "checkpoint"]
"""How somebody met a case, the strongest first: somebody says so; one vehicle; one checkpoint."""
_RANKS: dict[How, int] = {"reported": 0, "vehicle": 1, "checkpoint": 2}

T = TypeVar("T")


class TraceAsk(msgspec.Struct, frozen=True):
    """What somebody wants to know, and on what ground.

    ``within`` of a passage of the case on either side; from ``before`` its beginning to ``until`` (None: until it
    ended, or now). ``purpose`` is kept under seal for whoever inspects, ``basis`` is told to everybody who is found.
    """

    qid: Qid
    within: dt.timedelta
    before: dt.timedelta
    until: dt.datetime | None
    purpose: str
    basis: str


class Passage(msgspec.Struct, frozen=True):
    """Somebody stood at a checkpoint at ``at`` (the device's time, put right by its skew); None: nobody knows who."""

    qid: Qid | None
    checkpoint: str
    at: dt.datetime
    outcome: str


class Ride(msgspec.Struct, frozen=True):
    """A declared vehicle, by its keyed hash, and when it was to leave; good from ``since`` to ``until``."""

    qid: Qid
    plate: str
    departs_at: dt.datetime
    since: dt.datetime
    until: dt.datetime


class Report(msgspec.Struct, frozen=True):
    """A platform says that ``qid`` met the case at ``at``. ``reference``: the platform's own."""

    qid: Qid
    at: dt.datetime
    source: str
    reference: str


class Meeting(msgspec.Struct, frozen=True):
    """One way in which somebody met the case.

    ``seconds``: by how much they came after the case (negative: before it), of a vehicle by how much they were to leave
    after it; None of a report. ``outcome`` of the scan, "" without one.
    """

    how: How
    at: dt.datetime
    seconds: int | None = None
    checkpoint: str = ""
    outcome: str = ""
    source: str = ""
    reference: str = ""

    @property
    def minutes(self) -> int | None:
        """Minutes apart, whichever came first."""
        return None if self.seconds is None else round(abs(self.seconds) / 60)


class Contact(msgspec.Struct, frozen=True):
    """Somebody who met the case, by all their meetings, the strongest first."""

    qid: Qid
    meetings: tuple[Meeting, ...]


class Window(msgspec.Struct, frozen=True):
    """The time that is looked at."""

    since: dt.datetime
    until: dt.datetime


# -- what is asked ---------------------------------------------------------------------------------------------------


def parse_trace(raw: Mapping[str, str], now: dt.datetime) -> TraceAsk:
    """What was typed. Raises :class:`Invalid` ``tracing.fields``, field by field; nothing is filled in for anybody."""
    problems: dict[str, Problem] = {}

    def take(field: str, parse: Callable[[str], T]) -> T | None:
        try:
            return parse(raw.get(field, "").strip())
        except MotmaError as error:
            problems[field] = Problem(error.code, error.words)
            return None

    qid = take("qid", parse_qid)
    within = take("within", lambda text: _whole(text, 1, WITHIN_MAX_MINUTES))
    before = take("before", lambda text: _whole(text, 0, BEFORE_MAX_HOURS))
    until = take("until", lambda text: _moment(text, now) if text else None)
    purpose, basis = take("purpose", _reason), take("basis", _reason)
    if problems or qid is None or within is None or before is None or purpose is None or basis is None:
        raise Invalid(
            "tracing.fields", Words("Có ô cần điền hoặc sửa.", "There are fields to fill in or to mend."), problems
        )
    return TraceAsk(qid, dt.timedelta(minutes=within), dt.timedelta(hours=before), until, purpose, basis)


def _whole(text: str, least: int, most: int) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 4 and least <= int(text) <= most):
        raise Invalid(
            "tracing.number",
            Words(f"Ghi một số từ {least} đến {most}.", f"Write a number from {least} to {most}."),
        )
    return int(text)


def _moment(text: str, now: dt.datetime) -> dt.datetime:
    """A time as RFC 3339, or without a zone as Vietnamese time."""
    try:
        at = dt.datetime.fromisoformat(text)
        at = (at if at.tzinfo else at.replace(tzinfo=_VIETNAM)).astimezone(dt.UTC)
    except (ValueError, OverflowError):
        raise Invalid(
            "tracing.time", Words("Ghi ngày giờ như 2026-01-18T14:20.", "Write a time such as 2026-01-18T14:20.")
        ) from None
    if at > now:
        raise Invalid("tracing.future", Words("Giờ này chưa tới.", "This time has not come yet."))
    return at


_VIETNAM = dt.timezone(dt.timedelta(hours=7))


def _reason(text: str) -> str:
    line = parse_line(text, _TEXT_MAX)
    if len(line) < _TEXT_MIN:
        raise Invalid(
            "tracing.reason",
            Words(f"Ghi rõ, ít nhất {_TEXT_MIN} ký tự.", f"Say it in full, {_TEXT_MIN} characters at least."),
        )
    return line


# -- the time that is looked at --------------------------------------------------------------------------------------


def window_of(ask: TraceAsk, reports: Iterable[HealthReported], now: dt.datetime) -> Window | None:
    """The time to look at, from what was reported of a citizen; None if they never were a confirmed case.

    It begins ``ask.before`` the case did and lasts until it ended or was to end, at most until ``ask.until`` and now.
    Raises :class:`Conflict` ``tracing.over`` for a case of long ago, :class:`Invalid` ``tracing.window`` for a time
    that is empty or longer than :data:`WINDOW_MAX`.
    """
    said = list(reports)
    cases = [what for what in said if what.event == "case"]
    if not cases:
        return None
    case = max(cases, key=lambda what: what.since)
    ends = [what.since for what in said if what.event == "ended" and what.since >= case.since]
    ended = min([*ends, *((case.until,) if case.until else ())], default=now)
    if ended + OVER_AFTER < now:
        raise Conflict(
            "tracing.over",
            Words(
                "Ca bệnh này đã kết thúc quá 30 ngày; không được truy vết nữa.",
                "This case ended more than 30 days ago; it may no longer be followed up.",
            ),
        )
    window = Window(case.since - ask.before, min(one for one in (ended, ask.until, now) if one))
    if not dt.timedelta(0) < window.until - window.since <= WINDOW_MAX:
        raise Invalid(
            "tracing.window",
            Words(
                f"Khoảng thời gian trống hoặc dài hơn {WINDOW_MAX.days} ngày. Ghi lại giờ kết thúc.",
                f"The time is empty or longer than {WINDOW_MAX.days} days. Say another end.",
            ),
        )
    return window


# -- who met whom ----------------------------------------------------------------------------------------------------


class Visit(msgspec.Struct, frozen=True):
    """A case at a checkpoint: scans that follow one another within ten minutes are one visit."""

    checkpoint: str
    times: tuple[dt.datetime, ...]
    outcomes: tuple[str, ...]

    def span(self, within: dt.timedelta) -> Window:
        """The time in which whoever stood there counts; its end is part of it."""
        return Window(self.times[0] - within, self.times[-1] + within)


def visits_of(passages: Iterable[Passage]) -> list[Visit]:
    """Where a case stood, in order of time. Refused and failed scans too: they stood there."""
    visits: list[Visit] = []
    ordered = sorted(passages, key=lambda one: (one.checkpoint, one.at))
    for checkpoint, here in groupby(ordered, key=lambda one: one.checkpoint):
        waiting: list[Passage] = []
        for one in here:
            if waiting and one.at - waiting[-1].at > _ONE_VISIT:
                visits.append(_visit(checkpoint, waiting))
                waiting = []
            waiting.append(one)
        visits.append(_visit(checkpoint, waiting))
    return sorted(visits, key=lambda visit: visit.times)


def _visit(checkpoint: str, passages: Sequence[Passage]) -> Visit:
    return Visit(checkpoint, tuple([one.at for one in passages]), tuple([one.outcome for one in passages]))


def beside(visit: Visit, passages: Iterable[Passage], within: dt.timedelta) -> dict[Qid, Meeting]:
    """Who stood there within ``within`` of the case on either side, each by the scan that was nearest in time."""
    met: dict[Qid, Meeting] = {}
    for one in passages:
        if one.qid is None or one.checkpoint != visit.checkpoint:
            continue
        apart = min((one.at - at for at in visit.times), key=abs)
        if abs(apart) > within:
            continue
        known = met.get(one.qid)
        seconds = round(apart.total_seconds())
        if known is None or known.seconds is None or abs(seconds) < abs(known.seconds):
            met[one.qid] = Meeting("checkpoint", one.at, seconds, one.checkpoint, one.outcome)
    return met


def aboard(rides: Iterable[Ride], others: Iterable[Ride]) -> dict[Qid, Meeting]:
    """Who declared a vehicle of the case's for a time that overlaps the case's own, each by the nearest departure."""
    met: dict[Qid, Meeting] = {}
    theirs = list(others)
    for ride in rides:
        for one in theirs:
            if one.plate != ride.plate or one.since >= ride.until or ride.since >= one.until:
                continue
            seconds = round((one.departs_at - ride.departs_at).total_seconds())
            known = met.get(one.qid)
            if known is None or known.seconds is None or abs(seconds) < abs(known.seconds):
                met[one.qid] = Meeting("vehicle", one.departs_at, seconds)
    return met


def told_of(reports: Iterable[Report]) -> dict[Qid, list[Meeting]]:
    """Who was reported as a contact of the case, each report once."""
    met: dict[Qid, list[Meeting]] = {}
    for one in reports:
        meeting = Meeting("reported", one.at, source=one.source, reference=one.reference)
        known = met.setdefault(one.qid, [])
        if meeting not in known:
            known.append(meeting)
    return met


def contacts_of(meetings: Iterable[tuple[Qid, Meeting]], goes_by: Mapping[Qid, Qid], case: Qid) -> list[Contact]:
    """One contact for each person, the strongest first: by how many ways they met it, the strongest of these, and how
    near in time. ``goes_by``: the number that each number's citizen goes by, which makes merged numbers one person;
    ``case`` is nobody's contact."""
    by_person: dict[Qid, list[Meeting]] = {}
    for qid, meeting in meetings:
        person = goes_by.get(qid, qid)
        if person != case:
            by_person.setdefault(person, []).append(meeting)
    contacts = [Contact(qid, tuple(sorted(dict.fromkeys(met), key=_strength))) for qid, met in by_person.items()]
    return sorted(contacts, key=lambda one: (-len({m.how for m in one.meetings}), _strength(one.meetings[0]), one.qid))


def _strength(meeting: Meeting) -> tuple[int, int, float]:
    apart = abs(meeting.seconds) if meeting.seconds is not None else 0
    return _RANKS[meeting.how], apart, -meeting.at.timestamp()


# -- what is told of them --------------------------------------------------------------------------------------------


class Phone(msgspec.Struct, frozen=True):
    """A phone number and where it was declared. ``sure``: the register or an officer said who declared it."""

    number: str
    source: str
    sure: bool


class Met(msgspec.Struct, frozen=True):
    """A contact, by name. ``name`` is "" of somebody who never declared: only who reported them knows it. ``born``:
    YYYY-MM-DD, the year alone of whom no more is known, or ""."""

    qid: Qid
    name: str
    born: str
    phones: tuple[Phone, ...]
    meetings: tuple[Meeting, ...]

    @property
    def told(self) -> tuple[str, ...]:
        """Which of their data this tells: what they read of it themselves."""
        whose = ("name", "birth_date", *(("phone",) if self.phones else ())) if self.name else ("qid",)
        return (*whose, *sorted({meeting.how for meeting in self.meetings}))


class Trace(msgspec.Struct, frozen=True):
    """What is told, ``by`` whom it was asked and when it was ``made_at``.

    ``unnamed``: scans beside the case's by which nobody can be found; ``cut``: more declarations name a vehicle of the
    case's than were read.
    """

    case: Met
    window: Window
    within: dt.timedelta
    visits: tuple[Visit, ...]
    contacts: tuple[Met, ...]
    unnamed: int
    cut: bool
    purpose: str
    basis: str
    by: str
    made_at: dt.datetime
