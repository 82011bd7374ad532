"""What a match may be told to somebody who is not entitled to the register: enough to mend it, nothing to learn.

One answer for an unknown number and for a known number with another birth date, whatever the name: who asks cannot
find out who exists. So it is with a year of birth alone, where a wrong name gets that answer too: the year stands in
most numbers, and a name could be tried out by it.
"""

from dataclasses import dataclass

from motma.core.identity import YEAR, Grade, Match
from motma.core.words import Words


@dataclass(frozen=True, slots=True)
class Told:
    """The fields to look at again, and the sentence that says so."""

    differing: tuple[str, ...]
    words: Words


_NAME = {
    "tones": Words(
        "Họ tên khác ở dấu. Gõ đủ dấu như trên thẻ.",
        "The name differs in its tone marks. Type them all, as on the card.",
    ),
    "marks": Words(
        "Họ tên có dấu khác. So từng dấu với thẻ.",
        "A tone mark of the name is another one. Compare each with the card.",
    ),
    "spelling": Words("Họ tên khác ở i và y. Gõ như trên thẻ.", "The name differs in i and y. Type it as on the card."),
    "order": Words(
        "Họ tên khác ở thứ tự các chữ. Gõ họ trước, tên sau như trên thẻ.",
        "The words of the name are in another order. Type them as on the card, family name first.",
    ),
    "word": Words(
        "Họ tên thiếu hoặc thừa một chữ. So với thẻ.",
        "A word of the name is missing or too many. Compare with the card.",
    ),
    "slip": Words("Họ tên sai một chữ cái. So với thẻ.", "One letter of the name is wrong. Compare with the card."),
    None: Words(
        "Họ tên không khớp. So từng chữ với thẻ.", "The name does not fit. Compare it with the card word by word."
    ),
}
_APART = Told(
    ("document.number", "birth_date"),
    Words(
        "Số giấy tờ và ngày sinh không khớp nhau. So từng số với thẻ.",
        "The document number and the birth date do not belong together. Compare each with the card.",
    ),
)
_YEAR_ALONE = Told(
    ("birth_date",),
    Words(
        "Mới có năm sinh. Mã dùng được; khai đủ ngày, tháng, năm sinh để chốt khỏi xem giấy tờ.",
        "Only the year of birth is known. The code works; give the full date and no officer needs to see the document.",
    ),
)
_NOT_BY_YEAR = Told(
    ("document.number", "name", "birth_date"),
    Words(
        "Chỉ có năm sinh nên chưa nhận ra là ai. Khai đủ ngày, tháng, năm sinh; so số và họ tên với thẻ.",
        "By a year of birth alone this is nobody we know. Give the full date; compare number and name with the card.",
    ),
)
_UNIDENTIFIED = Told(
    (),
    Words(
        "Không có số giấy tờ để đối soát; mã dùng được, cán bộ sẽ hỏi giấy tờ khác.",
        "There is no document number to ask about; the code works, an officer will ask for other papers.",
    ),
)
_VOUCHED = Told(
    (),
    Words("Cán bộ chốt đã xem giấy tờ và xác nhận.", "An officer saw the document and vouches for it."),
)
_TAKEN_BACK = Told(
    (),
    Words(
        "Xem lại thì chưa xác nhận được là ai. Mang giấy tờ đến chốt, hoặc khai lại.",
        "Looked at again, it is not certain who this is. Show the document at a checkpoint, or declare again.",
    ),
)
_MATCHED = Told((), Words("Đã đối soát khớp.", "Matched with the population register."))
_PENDING = Told(
    (),
    Words(
        "Đang chờ đối soát; mã dùng được ngay, cán bộ có thể hỏi giấy tờ.",
        "Waiting for the population register; the code can be used now, an officer may ask for the document.",
    ),
)


def told(match: Match) -> Told:
    """What to say about ``match``."""
    if match.grade is Grade.MATCHED:
        return _MATCHED
    if match.grade is Grade.PENDING:
        return _PENDING
    if match.grade is Grade.VOUCHED:
        return _VOUCHED
    if match.grade is Grade.UNIDENTIFIED:
        return _UNIDENTIFIED
    if match.grade is Grade.MISMATCHED and not match.differing:
        return _TAKEN_BACK
    if match.how == YEAR:
        return _YEAR_ALONE if match.grade is Grade.REPAIRABLE else _NOT_BY_YEAR
    if match.grade is Grade.REPAIRABLE or match.differing == ("name",):
        return Told(("name",), _NAME.get(match.how, _NAME[None]))
    return _APART
