"""Confirmed cases that a hospital or a laboratory reports: a Condition that says so, or a positive test."""

import datetime as dt
import re
from collections.abc import Mapping
from typing import Any

from motma.connectors.platforms.fhir.names import CASES, DETECTED, TESTS
from motma.connectors.platforms.fhir.people import codings, members, person, qid_of, text
from motma.connectors.platforms.items import Item, Reported, Skipped
from motma.connectors.platforms.keeping import digest
from motma.connectors.platforms.places import Places
from motma.connectors.platforms.skeleton import member, put
from motma.core.errors import Problem
from motma.core.form import Units
from motma.core.words import Words

_OVER = frozenset({"inactive", "remission", "resolved"})
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_REFERENCE_MAX = 100
_NO_PLACES = Places(Units("", {}, {}))
_OTHER = Problem(
    "inbox.other_condition",
    Words("Không phải bệnh của biện pháp đang áp dụng.", "It is not the disease that the measure is about."),
)
_NOT_CONFIRMED = Problem(
    "inbox.not_confirmed",
    Words("Chưa xác định, hoặc đã rút lại.", "Not confirmed, or taken back."),
)
_NOT_POSITIVE = Problem(
    "inbox.not_positive", Words("Kết quả không dương tính hoặc chưa chính thức.", "Not positive, or not final.")
)
_NOBODY = Problem(
    "inbox.no_patient",
    Words("Không có Patient đi kèm nên không biết là ai.", "No Patient comes along: nobody knows who it is."),
)
_NO_TIME = Problem("inbox.missing", Words("Thiếu ô này.", "This field is missing."))


def of_condition(condition: Mapping[str, Any], patient: Mapping[str, Any], now: dt.datetime) -> Item:
    """A confirmed Condition of the disease begins a case; one that is over ends it."""
    if not CASES & _codes(condition.get("code")):
        return Skipped(_OTHER, {"Condition.code": _OTHER})
    if "confirmed" not in {code for _, code in _codes(condition.get("verificationStatus"))}:
        return Skipped(_NOT_CONFIRMED, {"Condition.verificationStatus": _NOT_CONFIRMED})
    over = bool(_OVER & {code for _, code in _codes(condition.get("clinicalStatus"))})
    begun = text(condition, "onsetDateTime") or text(condition.get("onsetPeriod"), "start")
    ended = text(condition, "abatementDateTime") or text(condition.get("abatementPeriod"), "end")
    since = (ended if over else begun) or text(condition, "recordedDate")
    field = "Condition.abatementDateTime" if over else "Condition.onsetDateTime"
    return _reported("ended" if over else "case", since, field, condition, patient, now)


def of_observation(observation: Mapping[str, Any], patient: Mapping[str, Any], now: dt.datetime) -> Item:
    """A positive test of those that confirm a case."""
    if not TESTS & _codes(observation.get("code")):
        return Skipped(_OTHER, {"Observation.code": _OTHER})
    results = _codes(observation.get("valueCodeableConcept"))
    for interpretation in members(observation, "interpretation"):
        results |= _codes(interpretation)
    final = text(observation, "status") in ("final", "amended", "corrected")
    if not final or not DETECTED & {code for _, code in results}:
        return Skipped(_NOT_POSITIVE, {"Observation.value": _NOT_POSITIVE})
    since = text(observation, "effectiveDateTime") or text(observation, "issued")
    return _reported("case", since, "Observation.effectiveDateTime", observation, patient, now)


def _reported(
    event: str, since: str, field: str, resource: Mapping[str, Any], patient: Mapping[str, Any], now: dt.datetime
) -> Item:
    kind = text(resource, "resourceType")
    if not since:
        return Skipped(_NO_TIME, {field: _NO_TIME})
    known = [text(one, "value") for one in members(resource, "identifier")]
    reference = next(filter(None, known), "") or f"{kind}/{text(resource, 'id')}"
    raw: dict[str, Any] = {
        "event": event,
        "since": f"{since}T00:00:00+07:00" if _DAY.fullmatch(since) else since,
        "reference": reference[:_REFERENCE_MAX],
    }
    names = {"since": field, "reference": f"{kind}.identifier", "qid": "Patient.identifier", "person": "Patient"}
    if qid := qid_of(patient):
        raw["qid"] = qid
    else:
        who: dict[str, Any] = {}
        for path, value, _ in person(patient, _NO_PLACES, now):
            if path in ("name", "birth_date", "sex", "document.kind", "document.number"):
                put(who, path, value)
        if not member(who, "document.number"):
            return Skipped(_NOBODY, {f"{kind}.subject": _NOBODY})
        raw["person"] = who
    return Reported(raw, f"{event}-{digest(raw)}", names)


def _codes(concept: Any) -> set[tuple[str, str]]:
    return {(text(coding, "system"), text(coding, "code")) for coding in codings(concept)}
