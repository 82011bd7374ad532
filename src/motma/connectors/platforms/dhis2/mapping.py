"""What an installation of DHIS2 calls the fields of our form: a JSON file, since every programme has ids of its own.

The shape is shown by ``port-of-entry.json`` beside this file; it is also the mapping of who configures none.
"""

from functools import cache
from importlib.resources import files
from typing import Literal

import msgspec

from motma.core.errors import Invalid
from motma.core.form import Form
from motma.core.words import Words
from motma.forms import load_form

MAPPING_MAX_BYTES = 256 * 1024
_FIXED = ("document.kind", "trip.vehicle", "trip.origin.", "trip.destination.")
"""What a mapping may say of everybody, or of everybody at one place. Never what people are asked: health, consents."""


class Case(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A stage that reports cases: when ``data_element`` has one of ``values``."""

    data_element: str
    values: tuple[str, ...]
    event: Literal["case", "contact", "ended"] = "case"


class Mapping(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Ids or codes of DHIS2, whichever the payload uses -> our dotted paths.

    ``stages``: program stages whose events are declarations; ``cases``: those whose events are reports. ``attributes``
    and ``data_elements``: id -> path. ``options``: path -> their option -> our value. ``true_only``: data elements of
    that type, whose absence in a completed event is a no. ``fixed`` and ``org_units``: what holds for everybody, and
    for everybody at one organisation unit.
    """

    name: str
    stages: tuple[str, ...]
    attributes: dict[str, str]
    data_elements: dict[str, str]
    cases: dict[str, Case] = {}
    options: dict[str, dict[str, str]] = {}
    true_only: tuple[str, ...] = ()
    fixed: dict[str, str] = {}
    org_units: dict[str, dict[str, str]] = {}


def read_mapping(content: bytes) -> Mapping:
    """Raises :class:`Invalid` ``dhis2.mapping`` with every entry that means nothing."""
    try:
        mapping = msgspec.json.decode(content, type=Mapping) if len(content) <= MAPPING_MAX_BYTES else None
    except ValueError as error:
        raise _unusable(str(error)[:200]) from None
    if mapping is None:
        raise _unusable("> 256 KB")
    known = paths(load_form("2026-1"))
    asked = [*mapping.attributes.values(), *mapping.data_elements.values(), *mapping.options]
    wrong = [path for path in asked if path not in known]
    said = [path for fixed in (mapping.fixed, *mapping.org_units.values()) for path in fixed]
    wrong += [path for path in said if path not in known or not path.startswith(_FIXED)]
    wrong += [element for element in mapping.true_only if element not in mapping.data_elements]
    if wrong or not mapping.stages:
        raise _unusable(", ".join(dict.fromkeys(wrong)) or "stages")
    return mapping


def _unusable(what: str) -> Invalid:
    return Invalid(
        "dhis2.mapping",
        Words(f"Tệp ánh xạ DHIS2 không dùng được: {what}.", f"The DHIS2 mapping is of no use: {what}."),
    )


@cache
def example() -> Mapping:
    """The mapping that comes along: a port-of-entry programme with codes for ids."""
    return read_mapping((files(__package__) / "port-of-entry.json").read_bytes())


def paths(form: Form) -> frozenset[str]:
    """Everything that a mapping may fill in; ``trip.departs_time`` beside a day."""
    plain = {
        "name", "birth_date", "sex", "nationality", "document.kind", "document.number", "phone", "residence.province",
        "residence.commune", "residence.address", "trip.origin.province", "trip.origin.commune",
        "trip.destination.province", "trip.destination.commune", "trip.vehicle", "trip.plate", "trip.departs_at",
        "trip.departs_time", "health.contact", "health.places", "guardian.kind", "guardian.number", "guardian.issuer",
    }  # fmt: skip
    symptoms = {f"health.symptoms.{symptom.id}" for symptom in form.symptoms}
    return frozenset(plain | symptoms | {f"consents.{purpose.id}" for purpose in form.purposes})
