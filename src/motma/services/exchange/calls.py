"""Calls: how each platform fares at our door, for the operators' page. In the memory of this process, by the hour."""

import datetime as dt
from collections import Counter
from dataclasses import dataclass, field

HOURS = 24


@dataclass(slots=True)
class Fared:
    """How many calls there were in a span, how declarations came out, what went wrong by code of the error, and when
    the last call was."""

    calls: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)
    last: dt.datetime | None = None

    @property
    def failed(self) -> int:
        return sum(self.errors.values())


class Calls:
    """Counts them. Codes of errors are ours and few, platforms are registered: it stays small."""

    def __init__(self) -> None:
        self._read: dict[str, tuple[int, dt.datetime]] = {}
        self._hours: dict[tuple[str, int], Fared] = {}

    def came(self, platform: str, now: dt.datetime) -> None:
        """A platform was let in."""
        hour = self._hour(platform, now)
        hour.calls += 1
        hour.last = now

    def failed(self, platform: str, code: str, now: dt.datetime) -> None:
        """It was answered with an error of ours."""
        self._hour(platform, now).errors[code] += 1

    def told(self, platform: str, outcome: str, now: dt.datetime) -> None:
        """A declaration of its came out so."""
        self._hour(platform, now).outcomes[outcome] += 1

    def read(self, platform: str, cursor: int, now: dt.datetime) -> None:
        """It asked what changed after ``cursor``: up to there it has everything."""
        self._read[platform] = cursor, now

    def last_read(self, platform: str) -> tuple[int, dt.datetime] | None:
        """(the cursor after which it last asked what changed, when)."""
        return self._read.get(platform)

    def of(self, platform: str, now: dt.datetime, hours: int = HOURS) -> Fared:
        """The last ``hours``, this one among them; at most 24."""
        this, told = _number(now), Fared()
        for number in range(this - min(hours, HOURS) + 1, this + 1):
            if one := self._hours.get((platform, number)):
                told.calls += one.calls
                told.outcomes += one.outcomes
                told.errors += one.errors
                told.last = one.last or told.last
        return told

    def _hour(self, platform: str, now: dt.datetime) -> Fared:
        number = _number(now)
        hour = self._hours.get((platform, number))
        if hour is None:
            for old in [key for key in self._hours if key[1] <= number - HOURS]:
                del self._hours[old]
            hour = self._hours[platform, number] = Fared()
        return hour


def _number(now: dt.datetime) -> int:
    return int(now.timestamp()) // 3_600
