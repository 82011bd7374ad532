"""What health staff reported of somebody, as it is told to them on the page of their code: calmly, and what to do."""

import datetime as dt
from zoneinfo import ZoneInfo

from motma.core.facts import HealthEvent
from motma.core.words import Words

_LOCAL = ZoneInfo("Asia/Ho_Chi_Minh")


def said_of(event: HealthEvent) -> Words:
    """One line, in the place of the status."""
    since = f"{event.since.astimezone(_LOCAL):%d/%m/%Y}"
    if event.event == "case":
        until = _last_day(event)
        if until is None:
            return Words(
                "Y tế báo bạn cần cách ly. Hãy ở yên tại chỗ, gọi trạm y tế khi cần; trạm sẽ báo khi hết cách ly.",
                "Health staff ask you to stay apart. Stay where you are and call the health post if you need help; "
                "they say when it is over.",
            )
        return Words(
            f"Y tế báo bạn cần cách ly hết ngày {until}. Hãy ở yên tại chỗ, gọi trạm y tế khi cần.",
            f"Health staff ask you to stay apart through {until}. Stay where you are and call the health post if you "
            "need help.",
        )
    return Words(
        f"Y tế báo bạn có tiếp xúc với người bệnh ngày {since}. Theo dõi sức khoẻ; cán bộ chốt sẽ hỏi thêm.",
        f"Health staff say that you met a patient on {since}. Watch your health; officers will ask further.",
    )


def _last_day(event: HealthEvent) -> str | None:
    """The last day of isolation that ends by itself: what ends at midnight ends with the day before."""
    if event.until is None:
        return None
    return f"{(event.until - dt.timedelta(seconds=1)).astimezone(_LOCAL):%d/%m/%Y}"
