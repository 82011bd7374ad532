"""A trace as other systems take it: a table, and a Bundle of HL7 FHIR R4 (4.0.1).

The Bundle is a ``collection`` of resources of the base specification, without profiles: a Patient for the case and each
contact, a Group of the contacts, an Observation for each meeting (its ``subject`` the contact, its ``focus`` the case),
and a Provenance that says who asked, when, for what and on what ground.
"""

import datetime as dt
from collections.abc import Iterator, Mapping
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

from motma.core.ids import Qid
from motma.core.tracing import How, Meeting, Met, Trace
from motma.core.words import Words

HEADER = (
    "qid",
    "name",
    "birth_date",
    "phones",
    "how",
    "checkpoint",
    "met_at",
    "minutes_apart",
    "contact_came",
    "scan_outcome",
    "reported_by",
    "reference",
)
HOW_WORDS: dict[How, Words] = {
    "reported": Words("được báo là người tiếp xúc", "reported as a contact"),
    "vehicle": Words("khai cùng một xe", "declared the same vehicle"),
    "checkpoint": Words("qua cùng một chốt", "passed the same checkpoint"),
}
_TERMS = "http://terminology.hl7.org/CodeSystem"


def rows_of(trace: Trace) -> Iterator[tuple[str, ...]]:
    """One row for each meeting, under :data:`HEADER`; times in UTC, RFC 3339."""
    yield HEADER
    for contact in trace.contacts:
        phones = "; ".join(f"{phone.number} ({phone.source})" for phone in contact.phones)
        for one in contact.meetings:
            apart = "" if one.minutes is None else str(one.minutes)
            came = "" if one.seconds is None else "after" if one.seconds >= 0 else "before"
            met = (one.how, one.checkpoint, _at(one.at), apart, came, one.outcome, one.source, one.reference)
            yield (contact.qid, contact.name, contact.born, phones, *met)


def bundle_of(trace: Trace, *, issuer: str, places: Mapping[str, str]) -> dict[str, Any]:
    """The Bundle as JSON will say it. ``issuer``: whose numbers the QIDs are; ``places``: checkpoint -> its name."""
    base = f"https://{issuer}/fhir"
    whole = uuid5(NAMESPACE_URL, f"{base}/trace/{trace.case.qid}/{trace.by}/{trace.made_at.isoformat()}")

    def entry(name: str, resource: dict[str, Any]) -> dict[str, Any]:
        return {"fullUrl": _urn(whole, name), "resource": resource}

    case = _urn(whole, trace.case.qid)
    patients = [entry(one.qid, _patient(one, base)) for one in (trace.case, *trace.contacts)]
    members = [{"entity": {"reference": _urn(whole, one.qid)}} for one in trace.contacts]
    group: dict[str, Any] = {
        "resourceType": "Group",
        "type": "person",
        "actual": True,
        "name": "Contacts of a confirmed case",
        "quantity": len(members),
    }
    observations = [
        entry(f"{one.qid}/{n}", _observation(meeting, _urn(whole, one.qid), case, base, places))
        for one in trace.contacts
        for n, meeting in enumerate(one.meetings)
    ]
    listed = [*patients, entry("group", group | ({"member": members} if members else {})), *observations]
    return {
        "resourceType": "Bundle",
        "identifier": {"system": "urn:ietf:rfc:3986", "value": whole.urn},
        "type": "collection",
        "timestamp": _at(trace.made_at),
        "entry": [*listed, entry("provenance", _provenance(trace, [one["fullUrl"] for one in listed]))],
    }


def _patient(one: Met, base: str) -> dict[str, Any]:
    patient: dict[str, Any] = {
        "resourceType": "Patient",
        "identifier": [{"system": f"{base}/qid", "value": one.qid}],
    }
    if one.name:
        patient["name"] = [{"text": one.name}]
    if one.born:
        patient["birthDate"] = one.born
    if one.phones:
        patient["telecom"] = [{"system": "phone", "value": phone.number} for phone in one.phones]
    return patient


def _observation(meeting: Meeting, subject: str, case: str, base: str, places: Mapping[str, str]) -> dict[str, Any]:
    how = {"system": f"{base}/how-met", "code": meeting.how, "display": HOW_WORDS[meeting.how].en}
    told: list[dict[str, Any]] = []
    if meeting.minutes is not None:
        minutes = {"value": meeting.minutes, "unit": "min", "system": "http://unitsofmeasure.org", "code": "min"}
        told.append({"code": {"text": "Minutes apart"}, "valueQuantity": minutes})
    said = (
        ("Checkpoint", places.get(meeting.checkpoint, meeting.checkpoint)),
        ("Outcome of the scan", meeting.outcome),
        ("Reported by", meeting.source),
        ("Reference of the report", meeting.reference),
    )
    told += [{"code": {"text": text}, "valueString": value} for text, value in said if value]
    return {
        "resourceType": "Observation",
        "status": "final",
        "category": [{"coding": [{"system": f"{_TERMS}/observation-category", "code": "social-history"}]}],
        "code": {"text": "Meeting with a confirmed case"},
        "subject": {"reference": subject},
        "focus": [{"reference": case}],
        "effectiveDateTime": _at(meeting.at),
        "valueCodeableConcept": {"coding": [how], "text": how["display"]},
        **({"component": told} if told else {}),
    }


def _provenance(trace: Trace, targets: list[str]) -> dict[str, Any]:
    assembler = {"system": f"{_TERMS}/provenance-participant-type", "code": "assembler"}
    return {
        "resourceType": "Provenance",
        "target": [{"reference": target} for target in targets],
        "occurredPeriod": {"start": _at(trace.window.since), "end": _at(trace.window.until)},
        "recorded": _at(trace.made_at),
        "reason": [{"text": trace.purpose}, {"text": trace.basis}],
        "agent": [{"type": {"coding": [assembler]}, "who": {"display": trace.by}}],
    }


def _urn(whole: UUID, name: Qid | str) -> str:
    return uuid5(whole, name).urn


def _at(moment: dt.datetime) -> str:
    """An instant of FHIR, to the millisecond."""
    return moment.astimezone(dt.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
