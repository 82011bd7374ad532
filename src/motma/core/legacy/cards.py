"""Cards with a plain text code: the citizen identity card (2021) and the health-insurance card.

Both are unsigned. Newer identity cards list relatives after the seventh part: those belong to other people, who have
not come here, so everything past the seventh part is dropped before anything looks at it; so is what a health-insurance
card says past the eighth (a parent's name among it). Formats: ``docs/other-codes.md``.
"""

import re
from itertools import pairwise

from motma.core.errors import Problem
from motma.core.legacy.plain import Found, is_number, parse_date, parse_sex
from motma.core.legacy.reading import PLAIN, Reading
from motma.core.words import Words

_CCCD_PARTS, _BHYT_PARTS = 7, 8
_CARD = re.compile(r"[A-Z]{2}[0-9][0-9]{2}[0-9]{10}")  # group, level of benefit, province, social-insurance number
_SOCIAL = re.compile(r"[0-9]{10}")
_HEX = re.compile(r"(?:[0-9A-Fa-f]{2}){2,}")
_SEX_CODES = {"1": "male", "2": "female", "0": "female"}


def looks_cccd(parts: list[str]) -> bool:
    """Whether this is an identity card: twelve digits first, then a birth date beside a sex, or seven parts."""
    if not 6 <= len(parts) <= 64 or len(parts[0]) != 12 or not is_number(parts[0]):
        return False
    if any(parse_date(before)[0] and parse_sex(part) for before, part in pairwise(parts[2:6])):
        return True
    return len(parts) >= _CCCD_PARTS and (not parts[1] or is_number(parts[1]))


def read_cccd(parts: list[str]) -> Reading:
    """``CCCD|CMND|name|born|sex|address|issued``; without the second in six parts. Never more than seven are kept."""
    more = len(parts) > _CCCD_PARTS
    parts = parts[:_CCCD_PARTS]
    if parse_sex(parts[3]) and parse_date(parts[2])[0]:  # the old number was left out
        parts = [parts[0], "", *parts[1:]][:_CCCD_PARTS]
    number, old, name, born, sex, address, issued = [*parts, ""][:_CCCD_PARTS]
    found = Found()
    found.line("document_number", number)
    found.line("old_number", old)
    if old and not (is_number(old) and len(old) in (9, 12)):
        found.odd(
            Problem(
                "cccd.old_number", Words("Số CMND cũ không đúng 9 chữ số.", "The old number does not have 9 digits.")
            )
        )
    found.name(name)
    birth_date = found.date("birth_date", born)
    found.keep("sex", parse_sex(sex))
    found.line("address", address)
    found.date("issued_on", issued)
    if not birth_date or "name" not in found.fields:
        found.odd(
            Problem(
                "cccd.missing",
                Words("Thiếu họ tên hoặc ngày sinh. Xem mặt thẻ.", "Name or birth date is missing. See the card."),
            )
        )
    found.number_fits(number, birth_date, parse_sex(sex))
    if more:
        found.odd(
            Problem(
                "cccd.relatives_dropped",
                Words(
                    "Thẻ có ghi thông tin người thân; phần đó đã bị bỏ, không lưu.",
                    "The card lists relatives; that part was dropped and is not kept.",
                ),
            )
        )
    return Reading("cccd", found.fields, PLAIN, tuple(found.problems))


def looks_bhyt(parts: list[str]) -> bool:
    """Whether this is a health-insurance card: its number first, or a name in hexadecimal second."""
    if not 5 <= len(parts) <= 64:
        return False
    number = parts[0].replace(" ", "").upper()
    if _CARD.fullmatch(number):
        return True
    in_hex = _text(parts[1]) != parts[1]
    return bool(_SOCIAL.fullmatch(number)) and (in_hex or parts[3] in _SEX_CODES or bool(parse_sex(parts[3])))


def read_bhyt(parts: list[str]) -> Reading:
    """``number|name|born|sex|address|hospital|from|until``; name and address in hexadecimal UTF-8, or plain."""
    number, name, born, sex, address, hospital, starts, ends = (parts + [""] * _BHYT_PARTS)[:_BHYT_PARTS]
    found = Found()
    found.line("card_number", number.replace(" ", "").upper())
    found.name(_text(name))
    if not found.date("birth_date", born):
        found.odd(Problem("bhyt.birth_date", Words("Thiếu ngày sinh. Xem mặt thẻ.", "No birth date. See the card.")))
    found.keep("sex", parse_sex(sex) or _SEX_CODES.get(sex, ""))
    found.line("address", _text(address))
    found.line("hospital", hospital)
    found.date("valid_from", starts)
    found.date("valid_until", ends)
    return Reading("bhyt", found.fields, PLAIN, tuple(found.problems))


def _text(raw: str) -> str:
    """What hexadecimal UTF-8 says; anything else as it stands."""
    if not _HEX.fullmatch(raw):
        return raw
    try:
        return bytes.fromhex(raw).decode()
    except ValueError:
        return raw
