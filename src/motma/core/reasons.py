"""Reasons: what each is, what it makes of the verdict, and what to do, in both languages.

Here are those that come of reading a code, and the two that no rule can have. All others are owned by the rules of
policies (:mod:`motma.core.policy`).
"""

from dataclasses import dataclass
from enum import StrEnum

from motma.core.errors import Invalid
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
_SCAN_AGAIN = Words(
    "Quét lại, hoặc nhập 18 chữ số dưới mã.",
    "Scan again, or type the 18 digits under the code.",
)
_HELP_DESK = Words("Mời người cùng giấy tờ sang bàn hỗ trợ.", "Take the person and the document to the help desk.")


def _not_read(code: str, words: Words) -> Reason:
    """Nothing was learnt from it: damaged, or the code of somebody else."""
    return Reason(code, Outcome.MANUAL, words, _SCAN_AGAIN, known=False)


def _ill_made(code: str, words: Words) -> Reason:
    """The signature holds, yet the issuer made it wrong: nothing that the bearer can help."""
    return Reason(code, Outcome.MANUAL, words, _COMPARE, known=False)


_ALL = [
    _not_read("code.oversized", Words("Chữ trong mã dài quá mức.", "The text is too long to be a code.")),
    _not_read(
        "code.not_base45",
        Words(
            "Không phải mã Một Mã, hoặc đọc sai chữ hoa, chữ thường.",
            "Not a Một Mã code, or read with the wrong letters.",
        ),
    ),
    _not_read("code.not_zlib", Words("Mã bị hỏng, hoặc không phải mã Một Mã.", "Damaged, or not a Một Mã code.")),
    _not_read(
        "code.bomb", Words("Mã phình ra quá mức; có thể là mã phá hoại.", "It inflates too far; maybe made to harm.")
    ),
    _not_read("code.not_ours", Words("Không phải mã Một Mã.", "Not a Một Mã code.")),
    _not_read(
        "code.algorithm",
        Words("Mã ký bằng cách không được chấp nhận.", "Signed in a way that is not accepted."),
    ),
    _not_read("code.no_kid", Words("Mã không ghi khóa đã ký.", "It does not say which key signed it.")),
    Reason(
        "code.other_kind",
        Outcome.MANUAL,
        Words("Đây là mã loại khác.", "This is a code of another kind."),
        Words(
            "Nó không thay được tờ khai. Mời mở mã Một Mã, hoặc nhập mã số.",
            "It does not stand for a declaration. Ask for the Một Mã code, or type the number.",
        ),
        known=False,
    ),
    Reason(
        "code.unknown_key",
        Outcome.MANUAL,
        Words("Chưa biết nơi ký mã này.", "The signer of this code is not known here."),
        _COMPARE,
        known=False,
    ),
    Reason(
        "code.forged",
        Outcome.REJECT,
        Words("Mã đã bị sửa hoặc làm giả.", "The code has been altered or forged."),
        _HELP_DESK,
    ),
    Reason(
        "code.revoked_key",
        Outcome.MANUAL,
        Words("Khóa ký mã này đã bị thu hồi.", "The key that signed this code has been revoked."),
        Words(
            "So giấy tờ; mời người ấy lấy mã mới trên trang Một Mã.",
            "Compare the document; ask them to get a new code on the Một Mã page.",
        ),
    ),
    _ill_made("code.not_cbor", Words("Nội dung mã bị hỏng khi cấp.", "The content was damaged when it was issued.")),
    _ill_made("code.too_deep", Words("Nội dung mã lồng quá sâu.", "The content is nested too deep.")),
    _ill_made("code.key_twice", Words("Nội dung mã ghi một mục hai lần.", "The content says one thing twice.")),
    _ill_made("code.malformed", Words("Nội dung mã không đúng quy cách.", "The content is not to the specification.")),
    _ill_made("code.number", Words("Mã có số ngoài giới hạn.", "A number in the code is out of range.")),
    _ill_made("code.times", Words("Giờ ghi trong mã không hợp lệ.", "The times in the code make no sense.")),
    Reason(
        "code.wrong_issuer",
        Outcome.REJECT,
        Words("Nơi ký mạo danh nơi khác.", "The signer speaks for somebody else."),
        _HELP_DESK,
    ),
    Reason(
        "code.out_of_scope",
        Outcome.MANUAL,
        Words("Nơi ký không có quyền cấp mã này.", "The signer may not issue this code."),
        _COMPARE,
    ),
    Reason(
        "code.key_out_of_time",
        Outcome.MANUAL,
        Words("Mã được ký khi khóa không còn hiệu lực.", "Signed when the key was not in force."),
        _COMPARE,
    ),
    Reason(
        "code.proof_forged",
        Outcome.MANUAL,
        Words("Phần chứng thực trực tiếp không đúng.", "The live proof is wrong."),
        _COMPARE,
    ),
    Reason(
        "measure.none_active",
        Outcome.ACCEPT,
        Words("Hiện không có biện pháp nào đang áp dụng.", "No measure is in force now."),
        Words("Không cần kiểm tra.", "No check is needed."),
    ),
    Reason(
        "rule.error",
        Outcome.MANUAL,
        Words("Có luật không tính được cho trường hợp này.", "A rule has no answer for this case."),
        Words(
            "Xem giấy tờ và tự quyết định; báo người điều hành.",
            "Look at the document and decide; tell the operators.",
        ),
        known=False,
    ),
]

REASONS: dict[str, Reason] = {reason.code: reason for reason in _ALL}
"""By code: what no rule owns."""


def refusal(code: str) -> Invalid:
    """The error that says the same as the reason ``code``."""
    return Invalid(code, REASONS[code].words)
