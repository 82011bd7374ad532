"""How long a code lasts, in words."""

import datetime as dt

import pytest

from motma.core.words import Words
from motma.web.citizens import time_left

NOW = dt.datetime(2026, 8, 14, 7, 0, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("left", "vi", "en"),
    [
        (dt.timedelta(days=5, hours=3), "Còn 5 ngày", "5 days left"),
        (dt.timedelta(hours=41, minutes=59), "Còn 41 giờ", "41 hours left"),
        (dt.timedelta(hours=1), "Còn 1 giờ", "1 hour left"),
        (dt.timedelta(minutes=59, seconds=59), "Còn 59 phút", "59 min left"),
        (dt.timedelta(seconds=1), "Còn 1 phút", "1 min left"),
        (dt.timedelta(0), "Đã hết hạn", "Expired"),
        (dt.timedelta(hours=-9), "Đã hết hạn", "Expired"),
    ],
)
def test_time_left_is_said_as_people_say_it(left: dt.timedelta, vi: str, en: str) -> None:
    assert time_left(NOW + left, NOW) == Words(vi, en)
