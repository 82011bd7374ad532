"""A health certificate shown along with somebody's code: the little of it that rules ask, and whether it is theirs."""

import datetime as dt
import re
from typing import Literal

import msgspec

from motma.core.errors import Invalid
from motma.core.identity import NameDifference, name_difference
from motma.core.text import fold, parse_name

CertificateKind = Literal["vaccination", "test", "recovery"]
TestKind = Literal["NAAT", "RAT"]

_APOSTROPHES = str.maketrans("", "", "'’ʼ")
# The letters for which ICAO 9303-3 lets a passport write two; `fold` writes the bare one.
_TWO_LETTERS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "å": "aa", "Ä": "AE", "Ö": "OE", "Ü": "UE", "Å": "AA"})
_FILLERS = re.compile("<+")

_Words = tuple[str, ...]


class Certificate(msgspec.Struct, frozen=True, kw_only=True):
    """What a certificate says of one dose, test or recovery, and of whom.

    ``good``: signed by somebody we know, unaltered, in force and to the schema; ``known``: the signer is known here.
    ``at``: when the dose was given, the sample taken, or the first test positive; a day without a time is its midnight
    in UTC, as CertLogic reads one. ``doses`` of ``series`` (vaccination), ``test`` and ``detected`` (test) are None
    where they do not apply or cannot be read. ``name``: (family, given) as the issuer writes them, ``icao`` the same
    as passports do (``NGUYEN<VAN``); ``birth_date`` ``1990-05-12``, ``1990-05``, ``1990`` or "".

    Printed it shows no person's data.
    """

    kind: CertificateKind
    good: bool
    known: bool
    at: dt.datetime | None
    doses: int | None = None
    series: int | None = None
    test: TestKind | None = None
    detected: bool | None = None
    name: tuple[str, str] = ("", "")
    icao: tuple[str, str] = ("", "")
    birth_date: str = ""

    def __repr__(self) -> str:
        return f"Certificate({self.kind}, {'good' if self.good else 'not good'})"

    __str__ = __repr__


def fits(certificate: Certificate, name: str, birth_date: dt.date) -> bool:
    """Whether name and birth date are those of the citizen who declared ``name`` and ``birth_date``.

    What is known of the birth date must be the same; a certificate without one fits nobody. The whole name must be
    the same, the family name first or last. Where both sides are written with marks, marks count (Ân is not An);
    where one side has none, as in passports, bare letters are compared, word by word. Nothing is left out, added or
    guessed: a brother's name differs by a word, and that is enough.
    """
    return _is_birth_date(certificate.birth_date, birth_date) and _is_name(certificate, name)


def best(certificates: tuple[Certificate, ...], name: str, birth_date: dt.date) -> Certificate | None:
    """The one that decides where several are shown: good ones of this person, among them one that says ill; newest."""
    return max(
        certificates,
        key=lambda one: (
            one.good and fits(one, name, birth_date),
            one.detected is True,
            one.known,
            one.at or dt.datetime.min.replace(tzinfo=dt.UTC),
        ),
        default=None,
    )


def _is_birth_date(said: str, birth_date: dt.date) -> bool:
    return len(said) in (4, 7, 10) and birth_date.isoformat().startswith(said)


def _is_name(certificate: Certificate, name: str) -> bool:
    written = _in_latin_letters(certificate.name)
    if any(name_difference(name, one).rank <= NameDifference.STYLE.rank for one in written):
        return True
    if written and _has_marks(name) and _has_marks(written[0]):
        return False
    borne = {form for one in written for form in _bare(one)}
    family, given = (tuple(filter(None, _FILLERS.split(part))) for part in certificate.icao)
    borne |= {family + given, given + family}
    return not borne.isdisjoint(_bare(name))


def _in_latin_letters(name: tuple[str, str]) -> list[str]:
    """Family name first, and last; nothing where the issuer does not write Latin letters."""
    if not any(name):
        return []
    try:
        return [parse_name(" ".join(order)) for order in (name, name[::-1])]
    except Invalid:
        return []


def _has_marks(name: str) -> bool:
    return not name.translate(_APOSTROPHES).isascii()


def _bare(name: str) -> set[_Words]:
    """The words of a name without marks, in each way in which passports write them."""
    ways = {name, name.translate(_TWO_LETTERS)}
    ways |= {way.translate(_APOSTROPHES) for way in ways}
    return {tuple(fold(way).split()) for way in ways} - {()}
