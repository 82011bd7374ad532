"""Corrections: what the document in an officer's hand makes of a declaration. Reads what was sent; asks nobody."""

import datetime as dt
from typing import Annotated

import msgspec
from msgspec.structs import replace

from motma.core.code import Keyring
from motma.core.described import says
from motma.core.errors import Invalid
from motma.core.facts import RepairReason
from motma.core.form import NOTHING_MORE, Declaration, Sex, is_year_only, parse_birth_date
from motma.core.identity import NameDifference, name_difference
from motma.core.ids import NO_DOCUMENT, DocumentKind, check_number_fits, parse_document
from motma.core.legacy import read
from motma.core.legacy.reading import Anchors
from motma.core.text import parse_name
from motma.core.words import Words


class RepairDocument(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The document in the officer's hand; ``issuer`` of a passport."""

    kind: Annotated[DocumentKind, says("What it is; `none` where there is no number.", "cccd")]
    number: Annotated[str, says("As on it.", "999086834952")] = ""
    issuer: Annotated[str, says("Of a passport: the country, ISO 3166-1 alpha-2.", "VN")] = "VN"


class RepairAsk(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the document says: the text of a CCCD card's code, or what was typed off it.

    What is not typed stays as it was declared.
    """

    id: Annotated[
        str,
        says(
            "Made by the scanner: `rep_` and 26 characters, time-ordered. Sent again, it is the same repair.",
            "rep_01kf7yejc00000000000000003",
            pattern="^rep_[0-7][0-9a-hjkmnp-tv-z]{25}$",
        ),
    ]
    scan: Annotated[
        str,
        says(
            "The scan in which this officer checked this person on this device, at most 30 minutes ago.",
            "scn_01kf7yejc00000000000000002",
        ),
    ]
    reason: Annotated[RepairReason, says("Why the declaration and the document differ.", "tones")]
    card: Annotated[
        str | None,
        says("The text of a CCCD card's code; what it says of relatives is not kept.", "999086834952||NGUYỄN …"),
    ] = None
    document: Annotated[RepairDocument | None, says("Typed off the document.", None)] = None
    name: Annotated[str | None, says("Typed off the document.", "Nguyễn Trần Quốc An")] = None
    birth_date: Annotated[str | None, says("YYYY-MM-DD, or YYYY where the document says no more.", "1986-12-27")] = None
    sex: Annotated[Sex | None, says("As on the document.", "male")] = None


class Difference(msgspec.Struct, frozen=True):
    """A field, as it was declared and as the document has it; of a number its last four digits."""

    field: str
    declared: str
    document: str


def correct(ask: RepairAsk, declared: Declaration, keyring: Keyring, now: dt.datetime) -> Declaration:
    """What the declaration should have said. Raises :class:`Invalid` for what cannot be read or cannot be so."""
    if ask.card is not None:
        if any((ask.document, ask.name, ask.birth_date, ask.sex)):
            raise Invalid(
                "repair.one_of", Words("Gửi mã trên thẻ hoặc phần gõ, một trong hai.", "Send the card or the text.")
            )
        ask = _card(ask, declared, keyring, now)
    document, born, year_only = declared.document, declared.birth_date, declared.year_only
    if said := ask.document:
        document = parse_document(said.kind, said.number, said.issuer) if said.kind != "none" else NO_DOCUMENT
    if ask.birth_date:
        born, year_only = parse_birth_date(ask.birth_date, now), is_year_only(ask.birth_date)
    name = parse_name(ask.name) if ask.name and ask.name.strip() else declared.name
    sex = ask.sex or declared.sex
    check_number_fits(document, born, sex)
    return replace(
        declared,
        document=document,
        name=name or declared.name,
        birth_date=born,
        year_only=year_only,
        sex=sex,
        extra=NOTHING_MORE,  # of what the platform sent, not of what is so
    )


def _card(ask: RepairAsk, declared: Declaration, keyring: Keyring, now: dt.datetime) -> RepairAsk:
    """What a CCCD card says, as if it had been typed; what stands past its seventh part is never looked at."""
    reading = read(ask.card or "", Anchors(ours=keyring), now)
    said = {field: value for field, value in reading.fields.items() if isinstance(value, str)}
    if reading.kind != "cccd" or not said.get("name") or not said.get("birth_date"):
        raise Invalid(
            "repair.card",
            Words(
                "Không phải mã trên thẻ CCCD, hoặc thiếu họ tên, ngày sinh. Gõ theo thẻ.",
                "This is not the code of a CCCD card, or name or birth date is missing. Type it off the card.",
            ),
        )
    document = RepairDocument("cccd", said.get("document_number", ""))
    old = said.get("old_number")
    if declared.document.kind == "cmnd" and old == declared.document.number:
        document = RepairDocument("cmnd", old)  # the card says that it is the same person's
    sex: Sex | None = {"male": "male", "female": "female"}.get(said.get("sex", ""))  # type: ignore[assignment]
    return replace(ask, card=None, document=document, name=said["name"], birth_date=said["birth_date"], sex=sex)


def is_the_same_person(declared: Declaration, corrected: Declaration) -> bool:
    """Whether two of number, birth date and name belong to one person. A number that was none is no number that differs
    less: who had none must be known by both of the others."""
    number = declared.document.kind != "none" and declared.document == corrected.document
    one, other = declared.birth_date, corrected.birth_date
    unknown = declared.year_only or corrected.year_only or (1, 1) in ((one.month, one.day), (other.month, other.day))
    year_alone = one.year == other.year and unknown
    name = name_difference(corrected.name, declared.name) is not NameDifference.DIFFERENT
    return [number, one == other or year_alone, name].count(True) >= 2


def differing(declared: Declaration, corrected: Declaration) -> tuple[Difference, ...]:
    said = [
        ("document.number", declared.document.last_four, corrected.document.last_four),
        ("name", declared.name, corrected.name),
        ("birth_date", declared.born, corrected.born),
        ("sex", declared.sex, corrected.sex),
    ]
    differs = declared.document != corrected.document
    return tuple([Difference(*one) for one in said if (differs if one[0] == "document.number" else one[1] != one[2])])
