"""Every reason a verdict can have: what it is, what it makes of the verdict, and what to do, in both languages."""

from dataclasses import dataclass
from enum import StrEnum

from motma.core.words import Words


class Outcome(StrEnum):
    """What the officer does."""

    ACCEPT = "accept"
    MANUAL = "manual"
    REFER = "refer"
    REJECT = "reject"


@dataclass(frozen=True, slots=True)
class Reason:
    """Why not simply ``accept``. ``words`` say what it is, ``cure`` what the person or the officer can do."""

    code: str
    outcome: Outcome
    words: Words
    cure: Words
    known: bool = True


_COMPARE = Words(
    "So tên, ngày sinh và số cuối với giấy tờ.", "Compare name, birth date and last digits with the document."
)
_DECLARE_AGAIN = Words(
    "Khai lại trên trang Một Mã, mất chừng hai phút.",
    "Declare again on the Một Mã page; it takes about two minutes.",
)

_ALL = [
    Reason(
        "code.forged",
        Outcome.REJECT,
        Words("Mã đã bị sửa hoặc làm giả.", "The code has been altered or forged."),
        Words(
            "Mời người cùng giấy tờ sang bàn hỗ trợ.",
            "Take the person and the document to the help desk.",
        ),
    ),
    Reason(
        "code.malformed",
        Outcome.REJECT,
        Words("Mã không đúng quy cách.", "The code is not to the specification."),
        _DECLARE_AGAIN,
    ),
    Reason(
        "code.unreadable",
        Outcome.MANUAL,
        Words("Không phải mã Một Mã, hoặc mã bị hỏng.", "Not a Một Mã code, or damaged."),
        Words("Quét lại, hoặc nhập 18 chữ số dưới mã.", "Scan again, or type the 18 digits under the code."),
        known=False,
    ),
    Reason(
        "code.unknown_key",
        Outcome.MANUAL,
        Words("Chưa biết nơi ký mã này.", "The signer of this code is not known here."),
        _COMPARE,
        known=False,
    ),
    Reason("code.expired", Outcome.REJECT, Words("Mã đã hết hạn.", "The code has expired."), _DECLARE_AGAIN),
    Reason(
        "code.not_yet",
        Outcome.REJECT,
        Words("Mã chưa đến giờ dùng.", "The code is not valid yet."),
        Words("Xem giờ bắt đầu trên trang mã.", "See the start time on the code page."),
    ),
    Reason(
        "standing.none",
        Outcome.MANUAL,
        Words("Không tìm thấy tờ khai của số này.", "No declaration is found for this number."),
        Words(
            "Kiểm tra số vừa nhập; nếu đúng, mời khai báo.",
            "Check the number typed; if it is right, ask for a declaration.",
        ),
        known=False,
    ),
    Reason(
        "standing.revoked",
        Outcome.REJECT,
        Words("Mã đã bị thu hồi.", "The code has been revoked."),
        Words("Mời sang bàn hỗ trợ.", "Ask the person to the help desk."),
    ),
    Reason(
        "standing.expired",
        Outcome.REJECT,
        Words("Tờ khai đã hết hạn.", "The declaration has expired."),
        _DECLARE_AGAIN,
    ),
    Reason(
        "identity.mismatched",
        Outcome.MANUAL,
        Words("Thông tin không khớp dữ liệu dân cư.", "The details do not fit the population register."),
        _COMPARE,
    ),
    Reason(
        "identity.pending",
        Outcome.MANUAL,
        Words("Đang chờ đối soát dữ liệu dân cư.", "Waiting for the population register."),
        _COMPARE,
    ),
    Reason(
        "health.symptoms",
        Outcome.REJECT,
        Words("Tờ khai có triệu chứng.", "Symptoms were declared."),
        Words("Mời sang chốt y tế, giữ khoảng cách.", "Ask the person to the health post; keep a distance."),
    ),
    Reason(
        "health.contact",
        Outcome.MANUAL,
        Words("Có tiếp xúc với người bệnh.", "Contact with a patient was declared."),
        Words(
            "Hỏi thêm theo hướng dẫn y tế của chốt.",
            "Ask further, as the checkpoint's health guidance says.",
        ),
    ),
    Reason(
        "measure.none_active",
        Outcome.ACCEPT,
        Words("Hiện không có biện pháp nào đang áp dụng.", "No measure is in force now."),
        Words("Không cần kiểm tra.", "No check is needed."),
    ),
    Reason(
        "diversion.open",
        Outcome.REFER,
        Words("Chốt này đang ùn.", "This checkpoint is congested."),
        Words("Mời đi tiếp và kiểm tra ở chốt kế tiếp.", "Go on and be checked at the next checkpoint."),
    ),
]

REASONS: dict[str, Reason] = {reason.code: reason for reason in _ALL}
"""By code."""
