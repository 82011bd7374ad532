"""Every reason a verdict can have: what it is, what it makes of the verdict, and what to do, in both languages."""

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
_DECLARE_AGAIN = Words(
    "Khai lại trên trang Một Mã, mất chừng hai phút.",
    "Declare again on the Một Mã page; it takes about two minutes.",
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
        "code.plain_text",
        Outcome.ACCEPT,
        Words("Đọc từ mã không có chữ ký.", "Read from a code without a signature."),
        Words("So người với ảnh trên giấy tờ.", "Compare the person with the picture on the document."),
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
            "Xem lại số; nếu đúng, mời khai báo.",
            "Look at the number again; if it is right, ask for a declaration.",
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
        "standing.suspended",
        Outcome.MANUAL,
        Words("Mã đang bị tạm ngưng.", "The code is suspended."),
        Words("Mời người cùng giấy tờ sang bàn hỗ trợ.", "Take the person and the document to the help desk."),
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
        "identity.repairable",
        Outcome.MANUAL,
        Words("Họ tên khác giấy tờ, có thể do gõ nhầm.", "The name differs, perhaps by a typing slip."),
        Words("So với giấy tờ rồi bấm Đúng người để sửa.", "Compare with the document, then repair it here."),
    ),
    Reason(
        "identity.unidentified",
        Outcome.MANUAL,
        Words("Không có số giấy tờ để đối soát.", "There is no document number to ask about."),
        Words("Hỏi người đi cùng và giấy tờ khác, như khai sinh.", "Ask who travels along and for other papers."),
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
        "proof.static",
        Outcome.MANUAL,
        Words("Mã tĩnh: ảnh chụp hoặc bản in.", "A static code: a picture or a print."),
        _COMPARE,
    ),
    Reason(
        "proof.stale",
        Outcome.MANUAL,
        Words("Chứng thực trực tiếp đã cũ.", "The live proof is old."),
        Words(
            "Mời mở lại trang mã và quét lại; hoặc so giấy tờ.",
            "Ask them to open the code page again and scan again, or compare the document.",
        ),
    ),
    Reason(
        "code.newer_exists",
        Outcome.ACCEPT,
        Words("Người này đã có mã mới hơn.", "There is a newer code of this person."),
        Words("Mã này vẫn qua được; lần sau mời dùng mã mới.", "This one passes too; next time show the newer one."),
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


def refusal(code: str) -> Invalid:
    """The error that says the same as the reason ``code``."""
    return Invalid(code, REASONS[code].words)
