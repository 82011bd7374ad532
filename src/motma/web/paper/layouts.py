"""The two things that people hold in their hands: a card for the wallet, and a sheet to keep.

The card is ISO/IEC 7810 ID-1 (85.6 x 54 mm). The sheet is A4: the code large, whose it is, until when, what to do,
and at its foot the same card with a back to fold. The language of the reader comes first, the other one under it.
"""

import datetime as dt
import functools
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from motma.core.ids import group_qid
from motma.core.words import Words
from motma.web.paper.letters import REGULAR, STRONG, fit, settable, width
from motma.web.paper.pen import ACCENT, INK, MM, MUTED, PAGE_HEIGHT, PAGE_WIDTH, Code, Pen

CARD_WIDTH, CARD_HEIGHT = 85.6, 54.0
CARDS_ACROSS, CARDS_DOWN = 2, 5
MARGIN = (PAGE_WIDTH - 2 * CARD_WIDTH) / 2

_LOCAL = ZoneInfo("Asia/Ho_Chi_Minh")
_WEEKDAYS = (
    Words("Thứ hai", "Monday"),
    Words("Thứ ba", "Tuesday"),
    Words("Thứ tư", "Wednesday"),
    Words("Thứ năm", "Thursday"),
    Words("Thứ sáu", "Friday"),
    Words("Thứ bảy", "Saturday"),
    Words("Chủ nhật", "Sunday"),
)
# fmt: off
_MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
           "November", "December")
# fmt: on

_WHAT = Words("Mã khai báo y tế", "Health declaration code")
_NAME = Words("Họ và tên", "Name")
_VALID = Words("Dùng được", "Valid")
_FROM = Words("từ", "from")
_UNTIL = Words("đến", "until")
_TO_DO = Words("Việc cần làm", "What to do")
_PLAINLY = Words(
    "Vài chữ cái không in được, nên viết theo bảng A–Z.", "Some letters cannot be printed and are written as A–Z."
)
_CUT = Words("Cắt theo nét liền, gấp theo nét đứt", "Cut on the solid line, fold on the dashed line")
_NOT_OFFICIAL = Words(
    "Một Mã là phần mềm nguồn mở, không phải dịch vụ của cơ quan nhà nước. Giấy này không thay giấy tờ tuỳ thân.",
    "Một Mã is open-source software, not an official service. This paper does not replace an identity document.",
)
_STEPS = (
    Words(
        "Cắt thẻ ở cuối trang, gấp đôi rồi để trong ví.",
        "Cut out the card below, fold it and carry it.",
    ),
    Words(
        "Tại chốt, đưa mã này cùng giấy tờ tuỳ thân cho cán bộ.",
        "At a checkpoint, show this code together with your identity document.",
    ),
    Words(
        "Nếu không quét được, đọc 18 chữ số dưới mã. Cán bộ nhập số thay cho quét.",
        "If it cannot be scanned, read out the 18 digits under the code. The officer types them instead.",
    ),
    Words(
        "Nếu mất, in lại trên máy đã khai, hoặc hỏi nơi đã phát giấy này. Người nhặt được không dùng thay "
        "bạn được: cán bộ so mã với giấy tờ.",
        "If it is lost, print it again where you declared, or ask whoever gave you this paper. Nobody else can use "
        "it: officers check your document.",
    ),
    Words(
        "Khi mã hết hạn, khai lại để lấy mã mới. Dãy 18 chữ số vẫn như cũ.",
        "When it expires, declare again for a new code. Your 18 digits stay the same.",
    ),
)
_BACK = (
    Words("Đưa mã cùng giấy tờ tuỳ thân tại chốt.", "Show the code and your identity document."),
    Words("Không quét được: đọc 18 chữ số dưới mã.", "Cannot be scanned: read out the 18 digits."),
    Words("Mất thẻ: in lại, hoặc hỏi nơi đã phát thẻ.", "Lost: print again, or ask who gave it to you."),
    Words("Hết hạn: khai lại; 18 chữ số vẫn như cũ.", "Expired: declare again; the digits stay."),
)
_SMALL_PRINT = Words("Không phải dịch vụ của cơ quan nhà nước", "Not an official service")

_fit_known = functools.lru_cache(maxsize=64)(fit)
"""For the words above, which are the same on every page."""


@dataclass(frozen=True, slots=True)
class PaperCode:
    """A code to print: its ``text``, whose it is, and from when until when (times with a zone)."""

    text: str
    name: str
    qid: str
    valid_from: dt.datetime
    valid_until: dt.datetime


def draw_card(pen: Pen, code: PaperCode, lang: str) -> None:
    """The face of a card, from its top left corner; no line around it."""
    box, left, foot = 44.0, 2.4, 48.7
    drawn = Code(code.text, box)
    pen.code(drawn, left, 1.6)
    left += drawn.quiet
    _number(pen, code.qid, left, foot, drawn.side)
    pen.write(left, 51.4, f"{_SMALL_PRINT.vi} · {_SMALL_PRINT.en}", 5, lang="vi", colour=MUTED)
    column, across = 48.8, CARD_WIDTH - 48.8 - 4.4
    pen.write(column, 6.8, "Một Mã", 9, lang="vi", font=STRONG, colour=ACCENT)
    y = _both(pen, column, 10.2, _WHAT, lang, (6, 5.6), 1.42, colour=MUTED)
    name = fit(code.name, STRONG, (13, 5), (across * MM, 17 * MM), 1.42)
    pen.write_lines(column, y + name.size * 0.86 / MM, name.lines, name.size, 1.42, lang="vi", font=STRONG)
    for y, label, moment, points in (
        (foot - 9, Words(f"{_VALID.vi} {_FROM.vi}", f"{_VALID.en} {_FROM.en}"), code.valid_from, 8.0),
        (foot, _UNTIL, code.valid_until, 9.8),
    ):
        pen.write(column, y - points * 0.3 - 1.2, f"{label.vi} · {label.en}", 6, lang="vi", colour=MUTED)
        pen.write(column, y, _on_card(moment), points, lang="vi", font=STRONG)


def draw_card_back(pen: Pen, lang: str) -> None:
    """What to do, for the back of a folded card."""
    left = 5.4
    pen.write(left, 7.2, _TO_DO.said_in(lang), 9, lang=lang, font=STRONG, colour=ACCENT)
    y = 13.8
    for words in _BACK:
        y = _both(pen, left, y, words, lang, (7.8, 6.8), 1.38) + 2.6


def draw_sheet(pen: Pen, code: PaperCode, lang: str) -> None:
    """One A4 page for one person."""
    right = PAGE_WIDTH - MARGIN
    pen.write(MARGIN, 20, "Một Mã", 17, lang="vi", font=STRONG, colour=ACCENT)
    pen.write(right, 20, f"{_WHAT.vi} · {_WHAT.en}", 9.5, lang="vi", colour=MUTED, align="right")
    top, drawn = 33.0, Code(code.text, 77)
    pen.code(drawn, MARGIN - drawn.quiet, top - drawn.quiet)
    _number(pen, code.qid, MARGIN, top + drawn.side + drawn.quiet + 7.4, drawn.side)
    _who_and_when(pen, code, MARGIN + 80, right, top, lang)
    y = _steps(pen, 131, right, lang)
    _both(pen, MARGIN, y + 3.4, _NOT_OFFICIAL, lang, (7.6, 7.6), 1.5, colour=MUTED)
    _folding_card(pen, code, PAGE_HEIGHT - 15 - CARD_HEIGHT, lang)


def mark_cuts(pen: Pen) -> None:
    """Where ten cards on an A4 page are cut apart: hair lines between them, and marks in the margin."""
    top = (PAGE_HEIGHT - CARDS_DOWN * CARD_HEIGHT) / 2
    bottom, right = PAGE_HEIGHT - top, PAGE_WIDTH - MARGIN
    for column in range(CARDS_ACROSS + 1):
        x = MARGIN + column * CARD_WIDTH
        pen.line(x, top - 6, x, bottom + 6)
    for row in range(CARDS_DOWN + 1):
        y = top + row * CARD_HEIGHT
        pen.line(MARGIN - 6, y, right + 6, y)


def card_corner(place: int) -> tuple[float, float]:
    """Where the ``place``-th card of a page (from 0, row by row) has its top left corner."""
    row, column = divmod(place, CARDS_ACROSS)
    top = (PAGE_HEIGHT - CARDS_DOWN * CARD_HEIGHT) / 2
    return MARGIN + column * CARD_WIDTH, top + row * CARD_HEIGHT


def say_moment(moment: dt.datetime) -> Words:
    """A time in Vietnam as people say it, with nothing that is only true today: 14:00, Chủ nhật 18/01/2026."""
    local = moment.astimezone(_LOCAL)
    day = _WEEKDAYS[local.weekday()]
    return Words(
        f"{local:%H:%M}, {day.vi} {local:%d/%m/%Y}",
        f"{local:%H:%M}, {day.en} {local.day} {_MONTHS[local.month - 1]} {local.year}",
    )


def _on_card(moment: dt.datetime) -> str:
    return f"{moment.astimezone(_LOCAL):%H:%M · %d/%m/%Y}"


def _number(pen: Pen, qid: str, x: float, y: float, across: float) -> None:
    """The QID in three groups of six, as wide as the code above it."""
    number = group_qid(qid)
    pen.write(x, y, number, 10 * across * MM / width(number, STRONG, 10), lang="vi", font=STRONG)


def _both(
    pen: Pen,
    x: float,
    y: float,
    words: Words,
    lang: str,
    sizes: tuple[float, float],
    leading: float,
    *,
    colour: str = INK,
) -> float:
    """A sentence in the reader's language, and under it in the other; returns the next base line."""
    other = _other(lang)
    first, second = sizes
    pen.write(x, y, words.said_in(lang), first, lang=lang, colour=colour)
    y += second * leading / MM
    pen.write(x, y, words.said_in(other), second, lang=other, colour=MUTED)
    return y + first * leading / MM


def _who_and_when(pen: Pen, code: PaperCode, x: float, right: float, top: float, lang: str) -> None:
    """The column beside the large code."""
    other = _other(lang)
    pen.write(x, top + 2.4, f"{_NAME.said_in(lang)} · {_NAME.said_in(other)}", 8.5, lang=lang, colour=MUTED)
    plainly = settable(code.name) != code.name
    name = fit(code.name, STRONG, (23, 8), ((right - x) * MM, (22 if plainly else 30) * MM), 1.42)
    y = top + 6 + name.size / MM
    y = pen.write_lines(x, y, name.lines, name.size, 1.42, lang="vi", font=STRONG)
    if plainly:
        for each in (lang, other):
            pen.write(x, y - name.size * 0.4 / MM, _PLAINLY.said_in(each), 6.8, lang=each, colour=MUTED)
            y += 3.4
    y = top + 41.6
    pen.write(x, y, f"{_VALID.said_in(lang)} · {_VALID.said_in(other)}", 8.5, lang=lang, colour=MUTED)
    y += 7.6
    for label, moment, size, font in (
        (_FROM, code.valid_from, 11.0, REGULAR),
        (_UNTIL, code.valid_until, 13.0, STRONG),
    ):
        said = say_moment(moment)
        line = fit(f"{label.said_in(lang)} {said.said_in(lang)}", font, (size, 6), ((right - x) * MM, size * 2), 1.5)
        pen.write_lines(x, y, line.lines, line.size, 1.5, lang=lang, font=font)
        pen.write(x, y + 5.2, f"{label.said_in(other)} {said.said_in(other)}", 8.5, lang=other, colour=MUTED)
        y += 13.6


def _steps(pen: Pen, y: float, right: float, lang: str) -> float:
    """What to do, in two columns of which each row begins on the same line; returns the next free base line."""
    gap, size, leading = 8.0, 9.2, 1.5
    column = (right - MARGIN - gap) / 2
    places = ((lang, MARGIN, INK), (_other(lang), MARGIN + column + gap, MUTED))
    for each, x, _ in places:
        pen.write(x, y, _TO_DO.said_in(each), 12, lang=each, font=STRONG, colour=ACCENT)
    y += 7.6
    for count, words in enumerate(_STEPS, 1):
        ends = []
        for each, x, colour in places:
            pen.write(x, y, f"{count}", size, lang=each, font=STRONG, colour=ACCENT)
            said = _fit_known(words.said_in(each), REGULAR, (size, size), ((column - 6) * MM, 1), leading)
            ends.append(pen.write_lines(x + 6, y, said.lines, size, leading, lang=each, colour=colour))
        y = max(ends) + 1.6
    return y


def _folding_card(pen: Pen, code: PaperCode, top: float, lang: str) -> None:
    """The card and its back side by side, with lines to cut and to fold."""
    other = _other(lang)
    right, bottom, fold = PAGE_WIDTH - MARGIN, top + CARD_HEIGHT, MARGIN + CARD_WIDTH
    pen.write(MARGIN + 3, top - 2.6, f"{_CUT.said_in(lang)} · {_CUT.said_in(other)}", 7, lang=lang, colour=MUTED)
    for y in (top, bottom):
        pen.line(MARGIN - 6, y, right + 6, y)
    for x in (MARGIN, right):
        pen.line(x, top - 6, x, bottom + 6)
    pen.line(fold, top, fold, bottom, dashed=True)
    draw_card(pen.moved(MARGIN, top), code, lang)
    draw_card_back(pen.moved(fold, top), lang)


def _other(lang: str) -> str:
    return "vi" if lang == "en" else "en"
