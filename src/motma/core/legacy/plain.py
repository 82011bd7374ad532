"""Plain text between bars, as the codes of 2021 wrote it: what national codes and cards have in common.

Every part is tidied before it is kept, and what is odd about it is said and not refused: the person in front of the
barrier did not write the code. What cannot be shown safely (control characters, marks of direction) is dropped.
"""

import datetime as dt
import re
from collections.abc import Iterable

from motma.core.errors import Invalid, Problem
from motma.core.ids import Document, check_number_fits
from motma.core.legacy.reading import Value
from motma.core.text import fold, parse_line, parse_name
from motma.core.words import Words

_YMD = re.compile(r"([0-9]{4})[-/.]([0-9]{1,2})[-/.]([0-9]{1,2})")
_DMY = re.compile(r"([0-9]{1,2})[-/.]([0-9]{1,2})[-/.]([0-9]{4})|([0-9]{2})([0-9]{2})([0-9]{4})")
_YEAR = re.compile(r"(?:[*x]{1,2}[-/.]?){0,2}([0-9]{4})(?:[-/.]?[*x]{1,2}){0,2}", re.IGNORECASE)
_SEXES = {"nam": "male", "nu": "female", "male": "male", "female": "female", "m": "male", "f": "female"}
_LINE_MAX = 300


class Found:
    """Fields as they are found, in order, and what was odd about them."""

    def __init__(self) -> None:
        self.fields: dict[str, Value] = {}
        self.problems: list[Problem] = []

    def odd(self, problem: Problem) -> None:
        """Say it once."""
        if problem.code not in [said.code for said in self.problems]:
            self.problems.append(problem)

    def keep(self, field: str, value: str) -> None:
        """Keep ``value`` if there is one."""
        if value:
            self.fields[field] = value

    def line(self, field: str, raw: str) -> None:
        """Free text, tidied."""
        try:
            self.keep(field, parse_line(raw, _LINE_MAX))
        except Invalid as invalid:
            self.odd(Problem(invalid.code, invalid.words))

    def lines(self, field: str, raw: Iterable[str]) -> None:
        """Several lines of free text; those that cannot be shown are left out."""
        kept = []
        for one in raw:
            try:
                kept.append(parse_line(one, _LINE_MAX))
            except Invalid as invalid:
                self.odd(Problem(invalid.code, invalid.words))
        if any(kept):
            self.fields[field] = tuple(filter(None, kept))

    def name(self, raw: str) -> None:
        """The holder's name, in the case and with the tones that it has."""
        try:
            self.keep("name", parse_name(raw))
        except Invalid as invalid:
            self.odd(Problem(invalid.code, invalid.words))

    def date(self, field: str, raw: str) -> str:
        """A date as ISO 8601, or its year alone where day and month are masked; returns what was kept."""
        value, _ = parse_date(raw)
        if raw.strip(" -") and not value:
            self.odd(
                Problem(
                    "read.date",
                    Words(
                        "Có ngày không đọc được. Xem trên giấy tờ.",
                        "There is a date that cannot be read. See the document.",
                    ),
                )
            )
        self.keep(field, value)
        return value

    def number_fits(self, number: str, birth_date: str, sex: str) -> None:
        """Compare a 12-digit number with birth date and sex; a misfit is a problem, and proves nothing yet."""
        if not (len(number) == 12 and is_number(number) and birth_date):
            return
        born = dt.date(int(birth_date[:4]), 1, 1) if len(birth_date) == 4 else dt.date.fromisoformat(birth_date)
        try:
            check_number_fits(Document("cccd", number), born, sex)
        except Invalid as misfit:
            for problem in misfit.fields.values():
                self.odd(problem)


def split(text: str) -> list[str]:
    """The parts between bars, without the spaces around them and without empty ones at the end."""
    parts = [part.strip() for part in text.split("|")]
    while parts and not parts[-1]:
        parts.pop()
    return parts


def is_number(text: str) -> bool:
    """Whether it is digits, 0 to 9, and nothing else."""
    return text.isascii() and text.isdigit()


def parse_date(raw: str) -> tuple[str, bool]:
    """(the date as ISO 8601, whether it stood there as YYYY-MM-DD).

    Takes year first or day first, with any separator or, day first, with none. A year alone, or one whose day and
    month are masked, gives the year. What is no date gives "".
    """
    text = raw.strip()
    if match := _YMD.fullmatch(text):
        year, month, day = match.groups()
    elif match := _DMY.fullmatch(text):
        day, month, year = match.groups()[:3] if match[1] else match.groups()[3:]
    elif match := _YEAR.fullmatch(text):
        return (match[1], False) if 1800 <= int(match[1]) <= 2200 else ("", False)
    else:
        return "", False
    try:
        date = dt.date(int(year), int(month), int(day)).isoformat()
    except ValueError:
        return "", False
    return date, date == text


def parse_sex(raw: str) -> str:
    """ "male", "female", or "" for what is neither; as cards write it, with or without tones."""
    return _SEXES.get(fold(raw).lower(), "")
