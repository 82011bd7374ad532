"""Numbers that name things: facts, citizens (QID), identity documents, phones and plates.

Parsing is the only way in: a value of these types has been checked. Numbers of documents and phones mask
themselves when printed, so that none reaches a log by accident.
"""

import datetime as dt
import re
from dataclasses import dataclass
from typing import Literal, NewType

import phonenumbers
from stdnum.iso7064 import mod_11_10

from motma.core.errors import Invalid, Problem
from motma.core.words import Words

FactId = NewType("FactId", str)
"""``kind_`` + 26 characters: 48 bits of Unix milliseconds and 80 random bits, in Crockford base 32."""

Qid = NewType("Qid", str)
"""18 digits, the last an ISO 7064 MOD 11,10 check digit. For life; says nothing about its holder."""

DocumentKind = Literal["cccd", "cmnd", "passport", "none"]
"""``none``: no number at all, as small children and people without papers have it."""

_CROCKFORD = "0123456789abcdefghjkmnpqrstvwxyz"
_AS_PYTHON_COUNTS = str.maketrans(_CROCKFORD + "ilou", "0123456789abcdefghijklmnopqrstuv????")
_FACT_ID = re.compile(rf"[a-z]{{3}}_[0-7][{_CROCKFORD}]{{25}}")
# What people and their phones put between digits; address books add marks of writing direction (U+202A-202E).
_BETWEEN = re.compile("[\\s.\\-\u2010-\u2013\u00ad\u200b-\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff]")
_FULL_WIDTH = {code + 0xFEE0: code for code in range(0x21, 0x7F)}
_SHARED_BY_TWINS = 10  # bytes: the millisecond, and 32 random bits
_NUMBER_MAX_CHARS = 60
_MOBILE = re.compile(r"(?:\+84|84|0)[35789][0-9]{8}")
_VIETNAMESE = re.compile(r"\+84(?:[35789][0-9]{8}|2[0-9]{9})")
_PHONE = re.compile(r"\+?[0-9()/]{5,25}")
# Checked before the case is changed: ß in upper case is SS. A number without a digit is a word.
_PASSPORT = re.compile(r"(?=.*[0-9])[A-Za-z0-9]{5,12}")
_PLATE = re.compile(r"(?=.*[0-9])[A-Za-zĐđÐð0-9]{4,12}")
# Odd gaps: the numbers follow the old order of the provinces, 63 of them until 30 June 2025.
_PROVINCES = frozenset(
    f"{code:03d}"
    for code in (
        1, 2, 4, 6, 8, 10, 11, 12, 14, 15, 17, 19, 20, 22, 24, 25, 26, 27, 30, 31, 33, 34, 35, 36, 37, 38, 40, 42, 44,
        45, 46, 48, 49, 51, 52, 54, 56, 58, 60, 62, 64, 66, 67, 68, 70, 72, 74, 75, 77, 79, 80, 82, 83, 84, 86, 87, 89,
        91, 92, 93, 94, 95, 96, 999,
    )
)  # fmt: skip
_POSSIBLE = phonenumbers.ValidationResult.IS_POSSIBLE


def new_fact_id(kind: str, now: dt.datetime, random: bytes) -> FactId:
    """Return a time-ordered id for a fact of ``kind`` (three letters) from 10 random bytes."""
    number = int(now.timestamp() * 1000) << 80 | int.from_bytes(random[:10], "big")
    return FactId(kind + "_" + _spelled(number))


def _spelled(number: int) -> str:
    """128 bits in 26 characters."""
    return "".join([_CROCKFORD[number >> shift & 31] for shift in range(125, -1, -5)])


def parse_fact_id(kind: str, raw: str) -> FactId:
    """Accept an id made elsewhere (a scanner, a platform). Raises :class:`Invalid` ``id.malformed``."""
    if len(raw) != 30 or not raw.startswith(kind + "_") or not _FACT_ID.fullmatch(raw):
        raise Invalid(
            "id.malformed",
            Words(
                f"Mã phải bắt đầu bằng {kind}_ và có 26 ký tự theo sau.",
                f"The id must be {kind}_ and 26 characters.",
            ),
        )
    return FactId(raw)


def fact_id_bytes(fact_id: FactId) -> bytes:
    """The 16 bytes of an id, without its kind: what a code carries."""
    return int(fact_id[4:].translate(_AS_PYTHON_COUNTS), 32).to_bytes(16, "big")


def same_moment_id(kind: str, fact_id: FactId) -> FactId:
    """The id of another kind of fact born together with ``fact_id``: same 26 characters, other prefix."""
    return FactId(kind + fact_id[3:])


def twin_id(fact_id: FactId, random: bytes) -> FactId:
    """The id of the same code again, for another carrier: it begins as ``fact_id`` does and ends in new bytes.

    ``random`` is 6 bytes. Who sees two codes can tell that they say the same (:func:`are_twins`), online or not, and
    nobody but the issuer can make one.
    """
    number = int.from_bytes(fact_id_bytes(fact_id)[:_SHARED_BY_TWINS] + random[:6], "big")
    return FactId(fact_id[:4] + _spelled(number))


def are_twins(one: bytes, other: bytes) -> bool:
    """Whether two ids (16 bytes each) name the same code: one id, or one bound to a key beside one that is not."""
    return one[:_SHARED_BY_TWINS] == other[:_SHARED_BY_TWINS]


def twins_begin(fact_id: FactId) -> str:
    """What all twins of a code share of their ids, as text: the kind and 16 characters (78 bits)."""
    return fact_id[:20]


def new_qid(random: bytes) -> Qid:
    """Return a QID from 8 random bytes; the first digit is never 0, so no keyboard or spreadsheet drops it."""
    body = str(10**16 + int.from_bytes(random[:8], "big") % (9 * 10**16))
    return Qid(body + mod_11_10.calc_check_digit(body))


def parse_qid(raw: str) -> Qid:
    """Accept a QID typed with or without spaces, dots or hyphens. Raises :class:`Invalid` ``qid.*``.

    The check digit finds every single mistyped digit, and 440 of 450 swaps of two neighbours (97.8 %; whether a swap
    passes depends on the digits before it); of 18-digit numbers typed at random one in ten passes. Source: ISO/IEC
    7064:2003, MOD 11,10; counted in ``tests/core/test_ids.py``.
    """
    digits = _without_separators(raw)
    if len(digits) != 18 or not digits.isascii() or not digits.isdigit():
        raise Invalid("qid.malformed", Words("Mã số QR gồm đúng 18 chữ số.", "The code number has exactly 18 digits."))
    if not mod_11_10.is_valid(digits):
        raise Invalid(
            "qid.check_digit",
            Words(
                "Mã số gõ nhầm một chữ số. Đọc và gõ lại.",
                "One digit of the number is mistyped. Read and type it again.",
            ),
        )
    return Qid(digits)


def _without_separators(raw: str) -> str:
    """``raw`` without what stands between its characters; "" when it is too long to be any number.

    Full-width digits and letters, as East Asian keyboards type them, become plain; other scripts' digits do not.
    """
    if len(raw) > _NUMBER_MAX_CHARS:
        return ""
    return _BETWEEN.sub("", raw if raw.isascii() else raw.translate(_FULL_WIDTH))


def group_qid(qid: str) -> str:
    """The QID as people read it aloud: three groups of six."""
    return f"{qid[:6]} {qid[6:12]} {qid[12:]}"


@dataclass(frozen=True, slots=True)
class Document:
    """A checked number of an identity document; ``issuer`` is the country of a passport (ISO 3166-1 alpha-2)."""

    kind: DocumentKind
    number: str
    issuer: str = "VN"

    @property
    def last_four(self) -> str:
        return self.number[-4:] or "none"

    @property
    def key(self) -> str:
        """What is hashed to find the citizen again, whichever door they came by. Of ``none`` it names nobody."""
        return f"{self.kind}:{self.issuer}:{self.number}"

    def __repr__(self) -> str:
        return f"Document({self.kind} ••••{self.last_four})"

    __str__ = __repr__


NO_DOCUMENT = Document("none", "")


def parse_document(kind: str, raw: str, nationality: str = "VN") -> Document:
    """Accept the number of a CCCD (12 digits), an old CMND (9 digits) or a passport; of ``none`` whatever is said.

    Raises :class:`Invalid` ``document.*``. Formats: ``docs/glossary.md`` and Circular 59/2021/TT-BCA, article 4.
    """
    if kind == "none":
        return NO_DOCUMENT
    number = _without_separators(raw)
    ascii_digits = number.isascii() and number.isdigit()
    if kind == "cccd":
        if not (ascii_digits and len(number) == 12):
            raise Invalid(
                "document.cccd",
                Words(
                    "Số CCCD gồm đúng 12 chữ số. Kiểm tra lại trên thẻ.",
                    "The ID number has exactly 12 digits. Check the card.",
                ),
            )
        return Document("cccd", number)
    if kind == "cmnd":
        if not (ascii_digits and len(number) == 9):
            raise Invalid(
                "document.cmnd",
                Words("Số CMND gồm đúng 9 chữ số.", "The old ID number has exactly 9 digits."),
            )
        return Document("cmnd", number)
    if kind == "passport":
        if not _PASSPORT.fullmatch(number):
            raise Invalid(
                "document.passport",
                Words("Số hộ chiếu gồm 5 đến 12 chữ và số.", "A passport number has 5 to 12 letters and digits."),
            )
        return Document("passport", number.upper(), nationality)
    raise Invalid("document.kind", Words("Chọn loại giấy tờ.", "Choose the kind of document."))


def check_number_fits(document: Document, birth_date: dt.date, sex: str) -> None:
    """Refuse a 12-digit number that cannot belong to this birth date or sex, before anyone is asked.

    Digit 4 tells sex and century, digits 5-6 the year (Circular 59/2021/TT-BCA, article 4). The province
    prefix is not judged: an unknown one is no proof of anything. Raises :class:`Invalid`
    ``birth_date.not_this_number`` or ``sex.not_this_number``; its ``fields`` has both when both misfit.
    """
    if document.kind != "cccd":
        return
    century_sex = int(document.number[3])
    year = 1900 + century_sex // 2 * 100 + int(document.number[4:6])
    misfits = {}
    if year != birth_date.year:
        misfits["birth_date"] = Problem(
            "birth_date.not_this_number",
            Words(
                "Ngày sinh không khớp với số CCCD. Kiểm tra lại ngày sinh trên thẻ.",
                "Birth date does not fit the ID number. Check the date on your card.",
            ),
        )
    if sex in ("male", "female") and (sex == "female") != bool(century_sex % 2):
        misfits["sex"] = Problem(
            "sex.not_this_number",
            Words(
                "Giới tính không khớp với số CCCD. Kiểm tra lại số và giới tính trên thẻ.",
                "Sex does not fit the ID number. Check the number and the sex on your card.",
            ),
        )
    for first in misfits.values():
        raise Invalid(first.code, first.words, misfits)


def unusual_number(document: Document) -> Words | None:
    """What to look at again in a 12-digit number that is allowed but begins as none is known to; never a refusal.

    The first three digits are the province where the birth was registered, in the table of Circular 07/2016/TT-BCA,
    annex 1. It outlived the mergers of 2025, but who was born abroad has a country's digits from a list that was not
    published, and new numbers may follow another table. 999 is nobody's: the demonstration's people have it.
    """
    if document.kind != "cccd" or document.number[:3] in _PROVINCES:
        return None
    return Words(
        "Ba số đầu của số CCCD không phải mã tỉnh thường gặp. So lại với thẻ; nếu đúng như vậy thì cứ tiếp tục.",
        "The first three digits of the ID number are no province's. Compare with the card; if they are right, go on.",
    )


def parse_phone(raw: str) -> str:
    """Return a phone number in E.164; Vietnamese unless it carries a country code. Raises :class:`Invalid`.

    A Vietnamese number must be as long as a mobile (9 digits after the 0) or a landline (10, the first a 2); whether
    the prefix is in use is not judged: operators get new ones faster than tables do.
    """
    plain = _without_separators(raw)
    if _MOBILE.fullmatch(plain):  # the everyday case, no metadata needed
        return "+84" + plain[-9:]
    if _PHONE.fullmatch(plain):
        try:
            number = phonenumbers.parse(plain, "VN")
        except phonenumbers.NumberParseException:
            number = None
        if number and phonenumbers.is_possible_number_with_reason(number) == _POSSIBLE:
            e164 = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
            if number.country_code != 84 or _VIETNAMESE.fullmatch(e164):
                return e164
    raise Invalid(
        "phone.malformed",
        Words(
            "Số điện thoại chưa đúng. Ví dụ: 090 123 45 67.",
            "The phone number is not right. Example: 090 123 45 67.",
        ),
    )


def parse_plate(raw: str) -> str:
    """Return a vehicle plate as upper-case letters and digits without separators (``51F12345``).

    Tolerant: foreign, military and special plates exist. Raises :class:`Invalid` ``plate.malformed``.
    """
    plate = _without_separators(raw)
    if not _PLATE.fullmatch(plate):
        raise Invalid(
            "plate.malformed",
            Words("Biển số chưa đúng. Ví dụ: 59-X3 123.45.", "The plate is not right. Example: 59-X3 123.45."),
        )
    return plate.upper().replace("Ð", "Đ")
