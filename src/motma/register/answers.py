"""What the register answers: the four questions of OSIA Data Access 1.3 over the fictional population.

Attributes are text. The standard leaves their names open; ours are in ``ATTRIBUTES``. Comparing is exact: texts are
equal when their NFC is, and of a birth date of which only the year is known the year is compared. No I/O, no clock.
"""

import unicodedata
from collections.abc import Callable, Mapping, Sequence
from typing import Literal

import msgspec

from motma.core.ids import Document
from motma.register.population import Person, Population

Value = str | int | float | bool

ATTRIBUTES = (
    "fullName",
    "dateOfBirth",
    "sex",
    "oldNumber",
    "passportNumber",
    "passportCountry",
    "guardian",
)
"""Names of attributes: ``dateOfBirth`` is YYYY-MM-DD or YYYY, ``sex`` male or female, ``guardian`` a UIN."""

UNKNOWN_ATTRIBUTE = 1023
MALFORMED = 1001
TOO_BROAD = 1002
NO_ORDER = 1003

_YEAR = 4  # characters of a birth date of which only the year is known


class Error(msgspec.Struct, frozen=True):
    """``Error`` of the standard."""

    code: int
    message: str


class Refused(Exception):
    """A question that cannot be answered as it is put (400)."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.error = Error(code, message)


class Expression(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``Expression`` of the standard."""

    attributeName: str  # noqa: N815 - as on the wire
    operator: Literal["<", ">", "=", ">=", "<="]
    value: Value


class Mismatch(msgspec.Struct, frozen=True):
    """An entry of ``MatchingError``: 0, there is no such attribute; 1, it does not match."""

    attributeName: str  # noqa: N815 - as on the wire
    errorCode: Literal[0, 1]  # noqa: N815


_HOLDS: dict[str, Callable[[str, str], bool]] = {
    "<": lambda held, value: held < value,
    ">": lambda held, value: held > value,
    "=": lambda held, value: held == value,
    ">=": lambda held, value: held >= value,
    "<=": lambda held, value: held <= value,
}


class Answers:
    """The register's knowledge of a population."""

    def __init__(self, population: Population) -> None:
        self.population = population

    def person(self, uin: str) -> Person | None:
        """Who has this UIN."""
        return self.population.by_uin(uin)

    def find(self, asked: Mapping[str, str]) -> list[Person]:
        """``queryPersonList``: everybody to whom all of this applies, in the order of their UINs.

        Names are not indexed: one of ``oldNumber``, ``passportNumber`` and ``guardian`` must be among what is asked.
        Raises :class:`Refused`.
        """
        for name in asked:
            if name not in ATTRIBUTES:
                raise Refused(UNKNOWN_ATTRIBUTE, f"Unknown attribute name: {name[:40]}")
        candidates = self._candidates(asked)
        held = [(person, attributes(person)) for person in candidates]
        found = [person for person, has in held if all(_fits(has, name, value) for name, value in asked.items())]
        return sorted(found, key=lambda person: person.uin)

    def _candidates(self, asked: Mapping[str, str]) -> Sequence[Person]:
        if "oldNumber" in asked:
            return self.population.holders(Document("cmnd", asked["oldNumber"]))
        if "passportNumber" in asked:
            return self.population.holders(
                Document("passport", asked["passportNumber"], asked.get("passportCountry", ""))
            )
        if "guardian" in asked:
            return self.population.wards(asked["guardian"])
        raise Refused(TOO_BROAD, "Ask by oldNumber, passportNumber or guardian")

    @staticmethod
    def match(person: Person, asked: Mapping[str, Value]) -> list[Mismatch]:
        """``matchPersonAttributes``: what does not fit; nothing of what the register holds."""
        held = attributes(person)
        return [
            Mismatch(name, 1 if name in held else 0) for name, value in asked.items() if not _fits(held, name, value)
        ]

    @staticmethod
    def read(person: Person, names: Sequence[str]) -> dict[str, str | Error]:
        """``readPersonAttributes``: what the person does not have is left out; an unknown name gets an error."""
        held = attributes(person)
        answer: dict[str, str | Error] = {}
        for name in names:
            if name in held:
                answer[name] = held[name]
            elif name not in ATTRIBUTES:
                answer[name] = Error(UNKNOWN_ATTRIBUTE, "Unknown attribute name")
        return answer

    @staticmethod
    def verify(person: Person, expressions: Sequence[Expression]) -> bool:
        """``verifyPersonAttributes``: whether all hold. Of what a person does not have nothing holds.

        Only birth dates have an order: with more, names and numbers could be guessed letter by letter.
        Raises :class:`Refused`.
        """
        held = attributes(person)
        for one in expressions:
            if one.attributeName not in ATTRIBUTES:
                raise Refused(UNKNOWN_ATTRIBUTE, f"Unknown attribute name: {one.attributeName[:40]}")
            if one.operator != "=" and one.attributeName != "dateOfBirth":
                raise Refused(NO_ORDER, f"{one.attributeName} has no order")
        return all(_holds(held.get(one.attributeName), one) for one in expressions)


def attributes(person: Person) -> dict[str, str]:
    """What the register holds of a person, by attribute."""
    born = person.birth_date.isoformat()
    held = {"fullName": person.name, "dateOfBirth": born[:_YEAR] if person.year_only else born, "sex": person.sex}
    if person.guardian:
        held["guardian"] = person.guardian
    for document in person.documents:
        if document.kind == "cmnd":
            held["oldNumber"] = document.number
        elif document.kind == "passport":
            held["passportNumber"] = document.number
            held["passportCountry"] = document.issuer
    return held


def _fits(held: Mapping[str, str], name: str, value: Value) -> bool:
    mine = held.get(name)
    if mine is None or not isinstance(value, str):
        return False
    if mine == value:
        return True
    if name == "dateOfBirth" and len(mine) == _YEAR:
        return value[: _YEAR + 1] == mine + "-"
    return not value.isascii() and unicodedata.normalize("NFC", value) == mine


def _holds(mine: str | None, expression: Expression) -> bool:
    value = expression.value
    if mine is None or not isinstance(value, str):
        return False
    if expression.attributeName == "dateOfBirth" and len(mine) == _YEAR:
        value = value[:_YEAR]
    return _HOLDS[expression.operator](mine, unicodedata.normalize("NFC", value))
