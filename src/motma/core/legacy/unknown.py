"""Codes that are none of ours to read: what each looks like, and what to do instead.

A web address is named by its host alone: the rest may hold somebody's session. A secret is not repeated.
"""

import re
from urllib.parse import urlsplit

from motma.core.errors import Invalid, Problem
from motma.core.ids import parse_qid
from motma.core.legacy.reading import UNREAD, Reading
from motma.core.words import Words

_HOST = re.compile(r"[a-z0-9](?:[a-z0-9.-]{0,250}[a-z0-9])?")
_POLICE = ("dancuquocgia.gov.vn", "vneid.gov.vn")
_PLACES = ("qr.tokhaiyte.vn", "qr.pccovid.gov.vn", "tokhaiyte.vn", "pccovid.gov.vn")
_PASSPORT_LINES = re.compile(r"(?:ID|P[A-Z<])VNM[A-Z0-9<\s]{20,}")
_PREFIXES = {
    "wifi:": "Wi-Fi",
    "tel:": "tel",
    "sms": "sms",
    "mailto:": "mailto",
    "begin:vcard": "vCard",
    "mecard:": "MeCard",
    "otpauth": "one-time password",
    "geo:": "geo",
    "shlink:/": "SMART Health Link",
}


def read_unknown(text: str) -> Reading:
    """Say what ``text`` looks like. Never raises; the text itself is not kept."""
    looks, problem = _look(text)
    return Reading("unknown", {"looks_like": looks} if looks else {}, UNREAD, (problem,))


def _look(text: str) -> tuple[str, Problem]:
    lower = text[:200].lower()
    if not text:
        return "", Problem("read.empty", Words("Mã không có gì.", "There is nothing in it."))
    if lower.startswith(("http://", "https://")):
        return _address(text)
    if text.startswith("000201"):  # EMVCo, as VietQR uses it
        return "VietQR", Problem(
            "read.payment",
            Words("Đây là mã chuyển tiền, không phải mã khai báo.", "This is a payment code, not a declaration."),
        )
    if _PASSPORT_LINES.match(text):
        return "MRZ", Problem(
            "read.machine_readable_zone",
            Words(
                "Đây là dòng chữ máy đọc trên thẻ hoặc hộ chiếu. Quét mã QR trên thẻ.",
                "These are the machine-readable lines of a card or passport. Scan the card's QR code.",
            ),
        )
    if number := _number(text):
        return number
    if lower.startswith("vneid"):
        return _police("VNeID")
    for prefix, name in _PREFIXES.items():
        if lower.startswith(prefix):
            return name, _other()
    return "", _other()


def _address(text: str) -> tuple[str, Problem]:
    try:
        host = (urlsplit(text[:2_000]).hostname or "").removeprefix("www.")
    except ValueError:
        host = ""
    if not _HOST.fullmatch(host):
        host = ""
    if any(host == one or host.endswith("." + one) for one in _POLICE):
        return _police(host)
    if host in _PLACES:
        return host, Problem(
            "read.place",
            Words(
                "Đây là mã của một địa điểm, không phải của người. Quét mã của người.",
                "This is the code of a place, not of a person. Scan the person's code.",
            ),
        )
    return host, Problem(
        "read.web_address",
        Words(
            "Đây là địa chỉ web, không phải mã khai báo. Đừng mở nếu không biết trang đó.",
            "This is a web address, not a declaration. Do not open it unless you know the site.",
        ),
    )


def _police(name: str) -> tuple[str, Problem]:
    return name, Problem(
        "read.vneid",
        Words(
            "Mã của VNeID hoặc Bộ Công an: chỉ máy của họ đọc được. Hỏi mã Một Mã, hoặc quét thẻ căn cước.",
            "A code of VNeID: only their readers can open it. Ask for the Một Mã code, or scan the identity card.",
        ),
    )


def _number(text: str) -> tuple[str, Problem] | None:
    digits = "".join(text.split())
    if not (digits.isascii() and digits.isdigit()) or len(digits) > 30:
        return None
    try:
        parse_qid(digits)
    except Invalid:
        return "a number", Problem(
            "read.number",
            Words(
                "Chỉ là một dãy số. Nếu là số giấy tờ, nhập vào ô tra số.",
                "Only a number. If it is that of a document, type it where numbers are looked up.",
            ),
        )
    return "QID", Problem(
        "read.qid",
        Words(
            "Đây là mã số QR 18 chữ số. Nhập vào ô tra số ở chốt.",
            "This is an 18-digit QR number. Type it where numbers are looked up at a checkpoint.",
        ),
    )


def _other() -> Problem:
    return Problem(
        "read.unknown",
        Words(
            "Không phải loại mã nào được biết ở đây. Xem giấy tờ gốc.",
            "Not a kind of code that is known here. See the document itself.",
        ),
    )
