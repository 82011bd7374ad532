"""Who a Patient resource is about, in the fields of our form, and a Patient made of them."""

import datetime as dt
import re
from collections.abc import Iterator, Mapping
from typing import Any

from motma.connectors.platforms.fhir.names import (
    ISO_3166,
    NATIONALITY,
    SID_CCCD,
    SID_CMND,
    SID_PASSPORT,
    SID_QID,
    THREE_LETTERS,
    TWO_LETTERS,
    V2_IDENTIFIER_TYPES,
)
from motma.connectors.platforms.places import Places
from motma.connectors.platforms.skeleton import Where

Found = tuple[str, Any, Where]
"""(our path, its value, where in the Patient it stands)."""

_PREFERRED = {"official": 0, "usual": 1, "": 2, "mobile": 0, "home": 1}
_LAST = 9
_DATE = re.compile(r"([0-9]{4})(-[0-9]{2})?(-[0-9]{2})?")


def person(patient: Mapping[str, Any], places: Places, now: dt.datetime) -> Iterator[Found]:
    """All that a Patient says of what the form asks; what has ended or is old counts for nothing."""
    yield from _name(patient, now)
    if born := _DATE.fullmatch(text(patient, "birthDate")):
        # A month without its day is less than the form can say: only the year of it is certain.
        yield "birth_date", born[0] if born[3] else born[1], ("birthDate",)
    if gender := text(patient, "gender"):
        yield "sex", {"unknown": ""}.get(gender, gender), ("gender",)
    document = _document(patient, now)
    if document:
        kind, number, issuer, where = document
        yield "document.kind", kind, (*where, "system")
        yield "document.number", number, (*where, "value")
        yield "nationality", _nationality(patient) or issuer, ("extension",)
    elif nationality := _nationality(patient):
        yield "nationality", nationality, ("extension",)
    for n, contact in _in_order(patient, "telecom", now):
        if text(contact, "system") in ("phone", "sms") and text(contact, "value"):
            yield "phone", contact["value"], ("telecom", n, "value")
            break
    yield from _address(patient, places, now)


def qid_of(patient: Mapping[str, Any]) -> str:
    """The citizen's number, if the sender knows it."""
    for one in members(patient, "identifier"):
        if text(one, "system") == SID_QID:
            return text(one, "value")
    return ""


def _name(patient: Mapping[str, Any], now: dt.datetime) -> Iterator[Found]:
    for n, name in _in_order(patient, "name", now):
        if whole := text(name, "text"):
            yield "name", whole, ("name", n, "text")
            return
        given = [part for part in name.get("given") or () if isinstance(part, str)]
        if parts := [part for part in (text(name, "family"), *given) if part]:
            yield "name", " ".join(parts), ("name", n)
            return


def _document(patient: Mapping[str, Any], now: dt.datetime) -> tuple[str, str, str, Where] | None:
    """(kind, number, issuing country, where): a citizen's card before an old one before a passport."""
    found = []
    for n, one in _in_order(patient, "identifier", now):
        system, number = text(one, "system"), text(one, "value")
        kind, issuer = _kind(system, one, number)
        if kind and number:
            found.append((("cccd", "cmnd", "passport").index(kind), n, kind, number, issuer))
    if not found:
        return None
    _, n, kind, number, issuer = min(found)
    return kind, number, issuer, ("identifier", n)


def _kind(system: str, identifier: Mapping[str, Any], number: str) -> tuple[str, str]:
    """(kind of document, country), by the system, else by HL7's table 0203 of types."""
    if system in (SID_CCCD, SID_CMND):
        return ("cccd" if system == SID_CCCD else "cmnd"), "VN"
    if system.startswith(SID_PASSPORT):
        country = system.removeprefix(SID_PASSPORT).upper()
        return "passport", TWO_LETTERS.get(country, country)
    types = {text(one, "code") for one in codings(identifier.get("type")) if text(one, "system") == V2_IDENTIFIER_TYPES}
    if types & {"NI", "NNVNM", "NNVN"} and number.isdigit() and len(number) in (9, 12):
        return ("cccd" if len(number) == 12 else "cmnd"), "VN"
    return ("passport", "") if "PPN" in types else ("", "")


def _nationality(patient: Mapping[str, Any]) -> str:
    for extension in members(patient, "extension"):
        if text(extension, "url") == NATIONALITY:
            for part in members(extension, "extension"):
                for coding in codings(part.get("valueCodeableConcept")):
                    code = text(coding, "code").upper()
                    return TWO_LETTERS.get(code, code)
    return ""


def _address(patient: Mapping[str, Any], places: Places, now: dt.datetime) -> Iterator[Found]:
    """Province in ``state`` and commune in ``city``; or in ``city`` and ``district``, as many systems have them."""
    for n, address in _in_order(patient, "address", now):
        state, city, district = (text(address, part) for part in ("state", "city", "district"))
        where: Where = ("address", n)
        code = places.province(state or city) if state or city else None
        part = "district" if district and not (state and code and places.commune(city, code)) else "city"
        commune = district if part == "district" else city
        yield "residence.province", code or state or city, (*where, "state" if state else "city")
        yield "residence.commune", (places.commune(commune, code) if code else None) or commune, (*where, part)
        lines = [line for line in address.get("line") or () if isinstance(line, str)]
        if lines:
            one: Where = (*where, "line", 0) if len(lines) == 1 else (*where, "line")
            yield "residence.address", ", ".join(lines), one
        return


# -- reading anything ------------------------------------------------------------------------------------------------


def text(of: Any, name: str) -> str:
    """The text of a member; "" for anything else."""
    value = of.get(name) if isinstance(of, Mapping) else None
    return value if isinstance(value, str) else ""


def members(of: Any, name: str) -> list[Mapping[str, Any]]:
    """The objects of a list; none of what is no list."""
    value = of.get(name) if isinstance(of, Mapping) else None
    return [one for one in value if isinstance(one, Mapping)] if isinstance(value, list) else []


def codings(concept: Any) -> list[Mapping[str, Any]]:
    """The codings of a CodeableConcept."""
    return members(concept, "coding")


def _in_order(patient: Mapping[str, Any], name: str, now: dt.datetime) -> list[tuple[int, Mapping[str, Any]]]:
    """Entries of a list with their places, the preferred use first, none that is old or over."""
    value = patient.get(name)
    entries = [(n, one) for n, one in enumerate(value) if isinstance(one, Mapping)] if isinstance(value, list) else []
    today = f"{now:%Y-%m-%d}"
    living = [
        (n, one)
        for n, one in entries
        if text(one, "use") != "old" and not (text(one.get("period"), "end") or "9999") < today
    ]
    return sorted(living, key=lambda entry: (_PREFERRED.get(text(entry[1], "use"), _LAST), entry[0]))


# -- writing ---------------------------------------------------------------------------------------------------------


def patient_of(sent: Mapping[str, Any], places: Places) -> dict[str, Any]:
    """A Patient that says who a declaration is about."""
    document = sent.get("document") if isinstance(sent.get("document"), Mapping) else {}
    kind, number = text(document, "kind"), text(document, "number")
    country = text(sent, "nationality")
    systems = {
        "cccd": SID_CCCD,
        "cmnd": SID_CMND,
        "passport": SID_PASSPORT + THREE_LETTERS.get(country, country),
    }
    patient: dict[str, Any] = {"resourceType": "Patient", "id": "p"}
    if country:
        coding = [{"system": ISO_3166, "code": country}]
        told = [{"url": "code", "valueCodeableConcept": {"coding": coding}}]
        patient["extension"] = [{"url": NATIONALITY, "extension": told}]
    if kind in systems and number:
        patient["identifier"] = [{"use": "official", "system": systems[kind], "value": number}]
    residence = sent.get("residence")
    address = {
        "line": [text(residence, "address")],
        "city": places.name(text(residence, "commune")),
        "state": places.name(text(residence, "province")),
        "country": "VN",
    }
    patient |= {
        "name": [{"use": "official", "text": text(sent, "name")}],
        "telecom": [{"system": "phone", "value": text(sent, "phone")}],
        "gender": text(sent, "sex"),
        "birthDate": text(sent, "birth_date"),
        "address": [{"use": "home", **address}],
    }
    return patient
