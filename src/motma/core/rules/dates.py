"""Dates as CertLogic has them: partial ones, offsets, fractions; always an instant in UTC, to the millisecond.

The years 0001 to 9999, and only days that exist: CertLogic leaves both open, and JavaScript rolls 30 February over.
"""

import datetime as dt
import re
from calendar import monthrange
from functools import lru_cache

UNITS = ("year", "month", "day", "hour")

_UTC = dt.UTC
_MOST_CHARACTERS = 64
"""More than any date-time needs: fractions of a second may have any number of digits."""
_DATE = re.compile(r"([0-9]{4})(?:-([0-9]{2})(?:-([0-9]{2}))?)?")
_MOMENT = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})T([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]+))?"
    r"(?:Z|([+-])([0-9]{1,2}?)(?::?([0-9]{2}))?)?"
)
# As most are written. Python's reader knows more forms, and not the same ones in every version, so it comes second.
_USUAL = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\.[0-9]{3})?"
    r"(?:Z|[+-](?:[01][0-9]|2[0-3]):[0-5][0-9])"
).fullmatch
_EACH_UNIT = {"day": dt.timedelta(days=1), "hour": dt.timedelta(hours=1)}


# The clock and the dates of one document are asked for by every rule in turn. What is kept is texts, of nobody.
@lru_cache(maxsize=512)
def moment(text: str) -> dt.datetime:
    """``text`` as ``plusTime`` reads it. ``ValueError`` if it is no date or date-time."""
    if len(text) <= 10:
        return date_of_birth(text)
    if _USUAL(text):
        usual = dt.datetime.fromisoformat(text)
        return usual if usual.tzinfo is _UTC else _in_utc(usual)
    found = _MOMENT.fullmatch(text) if len(text) <= _MOST_CHARACTERS else None
    if not found:
        raise ValueError(text)
    year, month, day, hour, minute, second, fraction, sign, hours, minutes = found.groups()
    thousandths = int((fraction or "0")[:3].ljust(3, "0"))
    ahead = dt.timedelta(hours=int(hours or 0), minutes=int(minutes or 0))
    if int(minutes or 0) > 59:
        raise ValueError(text)
    zone = dt.timezone(-ahead if sign == "-" else ahead)  # a day and more is an error of its own
    there = [int(number) for number in (year, month, day, hour, minute, second)]
    return _in_utc(dt.datetime(*there, thousandths * 1000, tzinfo=zone))  # type: ignore[arg-type, misc]


def _in_utc(there: dt.datetime) -> dt.datetime:
    try:
        return there.astimezone(_UTC)
    except OverflowError:
        raise ValueError(there) from None


def date_of_birth(text: str) -> dt.datetime:
    """``text`` as ``dccDateOfBirth`` reads it: of a partial date its last day. ``ValueError`` if it is no date."""
    found = _DATE.fullmatch(text) if len(text) <= 10 else None
    if not found:
        raise ValueError(text)
    year, month, day = found.groups()
    if day:
        return dt.datetime.fromisoformat(f"{text}T00:00:00+00:00")
    first = dt.datetime(int(year), int(month or 12), 1, tzinfo=_UTC)
    return first.replace(day=monthrange(first.year, first.month)[1])


def length(amount: int, unit: str) -> dt.timedelta:
    """``amount`` days or hours; if that is beyond any calendar, something that still is."""
    try:
        return amount * _EACH_UNIT[unit]
    except OverflowError:
        return dt.timedelta.max if amount > 0 else dt.timedelta.min


def later(start: dt.datetime, amount: int, unit: str) -> dt.datetime:
    """``start`` and ``amount`` months or years (may be negative). ``OverflowError`` beyond the years 0001 to 9999.

    A day that the month does not have is counted on into the next one: 31 January and a month is 3 March.
    """
    months = start.year * 12 + start.month - 1 + (amount * 12 if unit == "year" else amount)
    year, month = divmod(months, 12)
    if not 1 <= year <= 9999:
        raise OverflowError(year)
    return start.replace(year=year, month=month + 1, day=1) + dt.timedelta(days=start.day - 1)
