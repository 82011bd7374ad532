"""Quotas: how much each platform may ask, so that one platform's flood is nobody else's.

Counted in the memory of this process; a start forgets it, and of several processes each counts by itself.
"""

import datetime as dt
from dataclasses import dataclass

from motma.core.errors import MotmaError
from motma.core.platforms import PlatformNow
from motma.core.words import Words

BURST = 2
"""A bucket holds what may be asked in so many seconds."""

_DAY = dt.timedelta(days=1)
_MIDNIGHT = dt.timedelta(hours=7)  # Vietnam's days begin at 17:00 UTC
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


class OverQuota(MotmaError):
    """Asked too much (429); after ``retry_after_seconds`` it will be heard again."""

    def __init__(self, code: str, words: Words, *, limit: int, window: int, retry_after_seconds: int) -> None:
        super().__init__(code, words)
        self.retry_after_seconds = retry_after_seconds
        self.headers = {
            "retry-after": str(retry_after_seconds),
            # draft-ietf-httpapi-ratelimit-headers-10
            "ratelimit-policy": f'"{code}";q={limit};w={window}',
            "ratelimit": f'"{code}";r=0;t={retry_after_seconds}',
        }


@dataclass(slots=True)
class _Count:
    left: float
    at: dt.datetime
    day: int
    today: int


class Quotas:
    """Counts what platforms ask."""

    def __init__(self) -> None:
        self._counts: dict[str, _Count] = {}

    def take(self, platform: PlatformNow, now: dt.datetime) -> None:
        """Count one request. Raises :class:`OverQuota` ``quota.second`` or ``quota.day``; then it is not counted."""
        day = (now + _MIDNIGHT - _EPOCH).days
        full = float(platform.per_second * BURST)
        count = self._counts.get(platform.id)
        if count is None:
            count = self._counts[platform.id] = _Count(full, now, day, 0)
        passed = max(0.0, (now - count.at).total_seconds())  # a clock that goes back gives nothing
        left = min(full, count.left + passed * platform.per_second)
        count.at = now
        count.left = left
        if count.day != day:
            count.day, count.today = day, 0
        if count.today >= platform.per_day:
            ends = _EPOCH + dt.timedelta(days=day + 1) - _MIDNIGHT
            raise OverQuota(
                "quota.day",
                Words(
                    "Nền tảng đã dùng hết số lần gọi của hôm nay. Xin trực ban tăng hạn mức.",
                    "The platform has used up today's requests. Ask an operator for a higher limit.",
                ),
                limit=platform.per_day,
                window=int(_DAY.total_seconds()),
                retry_after_seconds=max(1, int((ends - now).total_seconds()) + 1),
            )
        if left < 1.0:
            raise OverQuota(
                "quota.second",
                Words(
                    "Nền tảng gọi quá nhanh. Gửi chậm lại, chờ theo Retry-After.",
                    "The platform asks too fast. Slow down and wait as Retry-After says.",
                ),
                limit=platform.per_second,
                window=1,
                retry_after_seconds=1,
            )
        count.left = left - 1.0
        count.today += 1
