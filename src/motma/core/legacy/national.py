"""The national personal code of 2021, version 1.1: read with every slip seen in the wild, and written for old readers.

Decision 1405/QĐ-BTTTT of 2021-09-11: ``SoGiayTo|HoTen|NgaySinh|LoaiDinhDanh|QID|EXT``, where ``EXT`` is values in order
separated by ``<``: QID of who declared, sex, health-insurance number, phone, signature. No signature, no end, no check
digit: it proves nothing. See ``docs/other-codes.md``.
"""

import datetime as dt
import re

from motma.core.errors import Invalid, Problem
from motma.core.legacy.plain import Found, is_number, parse_date
from motma.core.legacy.reading import PLAIN, Reading
from motma.core.text import fold
from motma.core.words import Words

_SELF, _OTHER = "0", "1"
_SEX_CODES = {"0": "", "1": "male", "2": "female"}
_PASSPORT = re.compile(r"(?=.*[0-9])[A-Z0-9]{5,12}")
_PHONE = re.compile(r"0[0-9]{9}")
_QID_LIKE = re.compile(r"[0-9A-Za-z*.-]{0,40}")
_NO_INSURANCE = ("0", "00")  # the published specimen has 00 where nobody gave a number
_WRITABLE_NAME = re.compile(r"[A-Z]+(?: [A-Z]+)*")
_WRITABLE_NUMBER = re.compile(r"[A-Za-z0-9]{5,12}")


def looks_national(parts: list[str]) -> bool:
    """Whether this is the national code and not a card: a birth date third, the kind of declarer fourth."""
    if not 5 <= len(parts) <= 12 or any(char.isdigit() for char in parts[1]):
        return False
    if parts[3] not in ("", _SELF, _OTHER) or not parse_date(parts[2])[0]:
        return False
    return bool(_QID_LIKE.fullmatch(parts[4].replace(" ", "")))


def read_national(parts: list[str]) -> Reading:
    """Read the parts between the bars; every departure from the decision is a problem and none is a refusal."""
    found = Found()
    number = _number(found, parts[0], parts[3])
    _name(found, parts[1])
    born = _birth_date(found, parts[2])
    sex = ""
    extension = _extension(found, parts)
    if len(extension) > 1:
        sex = _SEX_CODES.get(extension[1], "")
        if extension[1] not in ("", *_SEX_CODES):
            found.odd(_odd_extension())
    found.keep("sex", sex)
    _qid(found, parts[4] if len(parts) > 4 else "")
    _declarer(found, parts[3], extension[0] if extension else "")
    if len(extension) > 2 and extension[2] not in _NO_INSURANCE:
        found.line("card_number", extension[2])
    if len(extension) > 3:
        found.line("phone", extension[3])
        if extension[3] and not _PHONE.fullmatch(extension[3]):
            found.odd(_masked() if "*" in extension[3] else _odd_extension())
    if any(extension[4:]):
        found.odd(
            Problem(
                "v1_1.signature_unchecked",
                Words(
                    "Mã ghi có chữ ký, nhưng không có cách nào kiểm được. Xem như chữ thường.",
                    "It holds a signature that nobody can check. Treat it as plain text.",
                ),
            )
        )
    if any("*" in value for value in extension):
        found.odd(_masked())
    found.number_fits(number, born, sex)
    return Reading("national_v1_1", found.fields, PLAIN, tuple(found.problems))


def write_v1_1(
    *,
    qid: str,
    name: str,
    birth_date: dt.date,
    document_number: str | None,
    declared_by_other: bool = False,
    declarer_qid: str = "",
    sex: str = "",
) -> str:
    """The v1.1 string of a citizen, for readers that know nothing newer. Anybody can read it; nothing protects it.

    ``document_number`` may be left out only when somebody else declared. Sex is written as unknown unless it is given,
    so that all six parts are there and no more is told than must be. Raises :class:`Invalid` ``v1_1.unwritable`` for
    what the format has no letters for.
    """
    upper = fold(name)
    number = (document_number or "").upper()
    numbers = [qid, declarer_qid] if declarer_qid else [qid]
    if (
        not _WRITABLE_NAME.fullmatch(upper)
        or not all(is_number(one) for one in numbers)
        or not (_WRITABLE_NUMBER.fullmatch(number) or (declared_by_other and not number))
        or (declarer_qid and not declared_by_other)
    ):
        raise Invalid(
            "v1_1.unwritable",
            Words(
                "Tên hoặc số giấy tờ này không ghi được theo mẫu mã năm 2021.",
                "This name or number cannot be written in the code of 2021.",
            ),
        )
    sex_code = {"male": "1", "female": "2"}.get(sex, "0")
    kind = _OTHER if declared_by_other else _SELF
    return "|".join([number, upper, birth_date.isoformat(), kind, qid, f"{declarer_qid}<{sex_code}"])


def _number(found: Found, raw: str, kind: str) -> str:
    """The document's number, whatever its kind; masked ones are kept as they stand."""
    number = raw.replace(" ", "").upper()
    found.line("document_number", number)
    if "*" in number:
        found.odd(_masked())
    elif not number:
        if kind != _OTHER:
            found.odd(
                Problem(
                    "v1_1.no_number",
                    Words(
                        "Thiếu số giấy tờ. Hỏi giấy tờ gốc.", "The document number is missing. Ask for the document."
                    ),
                )
            )
    elif not (is_number(number) and len(number) in (9, 12)) and not (
        _PASSPORT.fullmatch(number) and not is_number(number)
    ):
        found.odd(
            Problem(
                "v1_1.number_shape",
                Words(
                    "Số giấy tờ không giống CCCD, CMND hay hộ chiếu. Xem giấy tờ gốc.",
                    "The number is not like that of an ID card or a passport. See the document.",
                ),
            )
        )
    return number


def _name(found: Found, raw: str) -> None:
    found.name(raw)
    name = found.fields.get("name")
    if isinstance(name, str) and raw != fold(name):
        found.odd(
            Problem(
                "v1_1.name_style",
                Words(
                    "Tên không viết hoa không dấu như quy định; vẫn đọc được.",
                    "The name is not in capitals without tones as it should be; it is read all the same.",
                ),
            )
        )


def _birth_date(found: Found, raw: str) -> str:
    born = found.date("birth_date", raw)
    if len(born) == 4:
        found.odd(_masked())
    elif born and not parse_date(raw)[1]:
        found.odd(
            Problem(
                "v1_1.date_style",
                Words(
                    "Ngày sinh không viết theo năm-tháng-ngày; kiểm tra ngày và tháng.",
                    "The birth date is not written year-month-day; check day and month.",
                ),
            )
        )
    return born


def _qid(found: Found, raw: str) -> None:
    qid = raw.replace(" ", "")
    found.line("qid", qid)
    if len(qid) != 18 or not is_number(qid):
        found.odd(
            Problem(
                "v1_1.qid",
                Words(
                    "Mã số QR không đủ 18 chữ số, nên không tra được.",
                    "The QR number does not have 18 digits, so it finds nobody.",
                ),
            )
        )


def _extension(found: Found, parts: list[str]) -> list[str]:
    """The values of EXT, each in its own place, also when the ``<`` before the second was forgotten."""
    if len(parts) < 6:
        if len(parts) < 5 or not parts[4]:
            return []
        found.odd(
            Problem("v1_1.no_extension", Words("Thiếu phần mở rộng ở cuối mã.", "The extension at the end is missing."))
        )
        return []
    if len(parts) > 6:
        found.odd(
            Problem(
                "v1_1.more_parts",
                Words("Mã có nhiều phần hơn quy định; phần thừa bị bỏ.", "More parts than there should be; left out."),
            )
        )
    values = [value.strip() for value in parts[5].split("<")]
    if values[0] in _SEX_CODES:
        found.odd(_odd_extension())
        values.insert(0, "")
    return values


def _declarer(found: Found, kind: str, qid: str) -> None:
    found.keep("declared_by", {_SELF: "self", _OTHER: "other"}.get(kind, ""))
    found.line("declarer_qid", qid)
    if kind == "" or (kind == _OTHER) != bool(qid):
        found.odd(
            Problem(
                "v1_1.declarer",
                Words("Không rõ ai đã khai cho người này.", "It is not clear who declared for this person."),
            )
        )


def _masked() -> Problem:
    return Problem(
        "v1_1.masked",
        Words(
            "Mã đang che bớt số hoặc ngày sinh. Bấm hiện đầy đủ trên máy đã tạo mã, hoặc xem giấy tờ.",
            "Numbers or the birth date are masked. Show them in full on the phone that made it, or see the document.",
        ),
    )


def _odd_extension() -> Problem:
    return Problem(
        "v1_1.extension",
        Words("Phần mở rộng viết không đúng chỗ; đã đọc theo cách hợp lý nhất.", "The extension is out of order."),
    )
