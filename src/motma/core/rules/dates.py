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
_EACH_UNIT = {"day": dt.timedelta(days=1), "hour": dt.timedelta(hours=1)}


# The clock and the dates of one document are asked for by every rule in turn. What is kept is texts, of nobody.
@lru_cache(maxsize=512)
def moment(text: str) -> dt.datetime:
    """``text`` as ``plusTime`` reads it. ``ValueError`` if it is no date or date-time."""
    if len(text) <= 10:
        return date_of_birth(text)
    found = _MOMENT.fullmatch(text) if len(text) <= _MOST_CHARACTERS else None
    if not found:
        raise ValueError(text)
    year, month, day, hour, minute, second, fraction, sign, hours, minutes = found.groups()
    thousandths = int((fraction or "0")[:3].ljust(3, "0"))
    there = dt.datetime(
        int(year), int(month), int(day), int(hour), int(minute), int(second), thousandths * 1000, tzinfo=_UTC
    )
    if not sign:
        return there
    ahead = dt.timedelta(hours=int(hours), minutes=int(minutes or 0))
    if int(hours) > 23 or int(minutes or 0) > 59:
        raise ValueError(text)
    try:
        return there - ahead if sign == "+" else there + ahead
    except OverflowError:
        raise ValueError(text) from None


def date_of_birth(text: str) -> dt.datetime:
    """``text`` as ``dccDateOfBirth`` reads it: of a partial date its last day. ``ValueError`` if it is no date."""
    found = _DATE.fullmatch(text) if len(text) <= 10 else None
    if not found:
        raise ValueError(text)
    year, month, day = found.groups()
    if day:
        return dt.datetime(int(year), int(month), int(day), tzinfo=_UTC)
    first = dt.datetime(int(year), int(month or 12), 1, tzinfo=_UTC)
    return first.replace(day=monthrange(first.year, first.month)[1])


def later(start: dt.datetime, amount: int, unit: str) -> dt.datetime:
    """``start`` and ``amount`` of ``unit`` (may be negative). ``OverflowError`` beyond the years 0001 to 9999.

    A day that the month does not have is counted on into the next one: 31 January and a month is 3 March.
    """
    if unit in _EACH_UNIT:
        return start + amount * _EACH_UNIT[unit]
    months = start.year * 12 + start.month - 1 + (amount * 12 if unit == "year" else amount)
    year, month = divmod(months, 12)
    if not 1 <= year <= 9999:
        raise OverflowError(year)
    return start.replace(year=year, month=month + 1, day=1) + dt.timedelta(days=start.day - 1)
