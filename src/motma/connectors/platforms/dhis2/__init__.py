"""DHIS2 Tracker: what a port-of-entry programme exports or forwards, in the payload of the tracker API since 2.36
(``trackedEntities``, ``instances`` on a page, or three flat lists) and of the one before (``trackedEntityInstances``).

One event of a stage that the mapping names is one declaration, of the tracked entity that it belongs to. Nothing that
the programme keeps besides is lost on the way back, but who typed it in and when.
"""

import datetime as dt
import re
from collections.abc import Iterator, Sequence
from collections.abc import Mapping as Members
from functools import cache
from typing import Any

import msgspec

from motma.connectors.platforms.dhis2.mapping import Mapping, example
from motma.connectors.platforms.items import Item, Reported, Sent, Skipped
from motma.connectors.platforms.keeping import canonical, digest
from motma.connectors.platforms.places import Places
from motma.connectors.platforms.reading import json_object, malformed
from motma.connectors.platforms.skeleton import Where, filled, hollow, member, put
from motma.core.errors import Invalid, Problem
from motma.core.words import Words
from motma.forms import load_form, load_units

NAME = "dhis2"
_EVENTS_MAX = 2_000
_LISTS = ("trackedEntities", "instances", "trackedEntityInstances")
_AUDIT = frozenset(
    {
        "created", "createdAt", "createdAtClient", "createdAtClientTimestamp", "createdBy", "createdByUserInfo",
        "lastUpdated", "lastUpdatedAtClient", "lastUpdatedByUserInfo", "updatedAt", "updatedAtClient", "updatedBy",
        "storedBy", "completedBy", "assignedUser",
    }
)  # fmt: skip
"""Who typed it in, and what changes with every export."""
_DATE = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})(?:T.*)?")
_HOUR = re.compile(r"(?:[01]?[0-9]|2[0-3]):[0-5][0-9]")
_BOOLEANS = {"true": True, "1": True, "false": False, "0": False}

_OTHER_STAGE = Problem(
    "inbox.other_stage",
    Words("Giai đoạn này không có trong ánh xạ.", "The mapping has no such program stage."),
)
_NOT_DONE = Problem(
    "inbox.not_completed",
    Words("Sự kiện chưa diễn ra, đã xoá hoặc đã bỏ qua.", "The event has not happened, or is deleted or skipped."),
)
_NOT_A_CASE = Problem(
    "inbox.not_positive", Words("Không có kết quả dương tính.", "There is no result that makes a case.")
)
_NOBODY = Problem(
    "inbox.no_patient",
    Words("Không có tracked entity đi kèm sự kiện này.", "No tracked entity comes along with this event."),
)
_NO_TIME = Problem("inbox.missing", Words("Thiếu ngày của sự kiện.", "The event has no date."))


class _Event(msgspec.Struct, frozen=True):
    """One event, what it belongs to, and all of it as a document of its own, in the shape that it came in."""

    entity: Members[str, Any]
    enrollment: Members[str, Any]
    event: Members[str, Any]
    document: dict[str, Any]
    entity_at: Where
    enrollment_at: Where
    event_at: Where


class Dhis2:
    """The connector of one installation's mapping."""

    name = NAME
    content_types = ("application/json",)

    def __init__(self, mapping: Mapping | None = None) -> None:
        """Without a ``mapping``, the one that comes along."""
        self._given = mapping

    def use(self, mapping: Mapping | None) -> None:
        """Read and write by another mapping from now on; the one that comes along for None."""
        self._given = mapping

    @property
    def _mapping(self) -> Mapping:
        return self._given or example()

    def to_ours(self, body: bytes, content_type: str, now: dt.datetime) -> tuple[Item, ...]:
        """An item for each event. Raises :class:`Invalid` ``inbox.*``."""
        payload = json_object(body)
        events = list(_events(payload))
        if not events:
            raise malformed("DHIS2 tracker: trackedEntities, instances, trackedEntityInstances, events")
        if len(events) > _EVENTS_MAX:
            raise Invalid(
                "inbox.entries",
                Words(f"Quá {_EVENTS_MAX} sự kiện.", f"There are over {_EVENTS_MAX} events."),
            )
        return tuple([self._item(one) for one in events])

    def to_theirs(self, sent: Members[str, Any]) -> bytes:
        """A tracker payload of one entity with one event."""
        extra = sent.get("extra")
        if isinstance(extra, Members) and extra.get("of") == NAME and isinstance(extra.get("theirs"), Members):
            return canonical(filled(extra["theirs"], sent))
        return canonical(self._written(sent))

    # -- reading -----------------------------------------------------------------------------------------------------

    def _item(self, one: _Event) -> Item:
        stage = _id(one.event, "programStage")
        status = _text(one.event, "status") or "COMPLETED"
        if stage not in self._mapping.stages and stage not in self._mapping.cases:
            return Skipped(_OTHER_STAGE, {f"programStage {stage}"[:80]: _OTHER_STAGE})
        if status not in ("COMPLETED", "ACTIVE") or one.event.get("deleted") is True:
            return Skipped(_NOT_DONE, {"status": _NOT_DONE})
        if not one.entity:
            return Skipped(_NOBODY, {"trackedEntity": _NOBODY})
        if stage in self._mapping.cases:
            return self._report(stage, one)
        return self._declaration(one, completed=status == "COMPLETED")

    def _declaration(self, one: _Event, *, completed: bool) -> Item:
        raw: dict[str, Any] = {"document": {"kind": "", "number": ""}, "trip": {}, "health": {"symptoms": {}}}
        spots: dict[Where, str] = {}
        names = {
            path: id for ids in (self._mapping.attributes, self._mapping.data_elements) for id, path in ids.items()
        }
        given = set()
        unit = _id(one.event, "orgUnit") or _id(one.enrollment, "orgUnit")
        for path, said in (self._mapping.fixed | self._mapping.org_units.get(unit, {})).items():
            put(raw, path, said)
            names.setdefault(path, "orgUnit")
        consents = []
        values = list(self._values(one))
        unclear = self._unclear(values)
        for path, called, value, where in values:
            names[path] = called
            given.add(path)
            if path in unclear:
                continue
            if path.startswith("consents."):
                consents += [path.removeprefix("consents.")] if self._read(path, value) is True else []
                continue
            put(raw, path, self._read(path, value))
            spots = {way: other for way, other in spots.items() if other != path} | {where: path}
        if completed:
            for element in self._mapping.true_only:
                path = self._mapping.data_elements[element]
                if path not in given and not path.startswith("consents."):
                    put(raw, path, False)
        raw["consents"] = [one.id for one in load_form("2026-1").purposes if one.id in consents]
        _settle(raw)
        raw["extra"] = {"of": NAME, "theirs": hollow(one.document, spots, raw)}
        return Sent(raw, f"ev-{digest(raw)}", names)

    def _report(self, stage: str, one: _Event) -> Item:
        case = self._mapping.cases[stage]
        told = [
            value
            for called, value, _ in _told(one.event, "dataValues", "dataElement", ())
            if called == case.data_element
        ]
        if not any(value in case.values for value in told):
            return Skipped(_NOT_A_CASE, {case.data_element: _NOT_A_CASE})
        since = _text(one.event, "occurredAt") or _text(one.event, "eventDate")
        day = _DATE.fullmatch(since)
        if not day:
            return Skipped(_NO_TIME, {"occurredAt": _NO_TIME})
        who: dict[str, Any] = {}
        for path, _, value, _ in self._values(one):
            if path in ("name", "birth_date", "sex", "document.kind", "document.number"):
                put(who, path, self._read(path, value))
        _settle_document(who, "")
        raw = {
            "event": case.event,
            "since": f"{day[1]}T00:00:00+07:00",
            "reference": (_text(one.event, "event") or digest(one.document))[:100],
            "person": who,
        }
        return Reported(raw, f"{case.event}-{digest(raw)}", {"person": "trackedEntity", "since": "occurredAt"})

    def _values(self, one: _Event) -> Iterator[tuple[str, str, str, Where]]:
        """(our path, their name, the value, where it stands): the entity's, then the enrollment's, then the event's."""
        for of, base in ((one.entity, one.entity_at), (one.enrollment, one.enrollment_at)):
            for called, value, where in _told(of, "attributes", "attribute", base):
                if path := self._mapping.attributes.get(called):
                    yield path, called, value, where
        for called, value, where in _told(one.event, "dataValues", "dataElement", one.event_at):
            if path := self._mapping.data_elements.get(called):
                yield path, called, value, where

    def _unclear(self, values: Sequence[tuple[str, str, str, Where]]) -> set[str]:
        """Questions that one list of values answers with yes and with no: that is no answer."""
        said: dict[tuple[str, Where], set[object]] = {}
        for path, _, value, where in values:
            if _is_yes_or_no(path):
                said.setdefault((path, where[:-2]), set()).add(self._read(path, value))
        return {path for (path, _), answers in said.items() if len(answers) > 1}

    def _read(self, path: str, value: str) -> Any:
        """What a value of theirs is in our form; itself where it is none of what is expected."""
        if _is_yes_or_no(path):
            return _BOOLEANS.get(value.lower(), value)
        if path in self._mapping.options:
            return self._mapping.options[path].get(value, value)
        day = _DATE.fullmatch(value) if path == "birth_date" else None
        return day[1] if day else value

    # -- writing -----------------------------------------------------------------------------------------------------

    def _written(self, sent: Members[str, Any]) -> dict[str, Any]:
        """A payload for the importer of DHIS2, of a declaration that did not come through here."""
        given = sent.get("consents")
        consents = given if isinstance(given, list | tuple) else ()
        ours = {name: value for name, value in sent.items() if name != "extra"}
        departure = member(sent, "trip.departs_at")
        elements = self._mapping.data_elements
        if isinstance(departure, str) and "trip.departs_time" in elements.values():
            day, hour = _local(departure)
            trip = sent["trip"] if isinstance(sent.get("trip"), Members) else {}
            ours["trip"] = {**trip, "departs_at": day, "departs_time": hour}

        def told(ids: Members[str, str], called: str) -> list[dict[str, str]]:
            found = []
            for id, path in ids.items():
                head, _, purpose = path.partition(".")
                value = (True if purpose in consents else None) if head == "consents" else member(ours, path)
                if (text := self._their(path, value)) and not (id in self._mapping.true_only and value is False):
                    found.append({called: id, "value": text})
            return found

        event = {
            "programStage": self._mapping.stages[0],
            "status": "COMPLETED",
            "dataValues": told(elements, "dataElement"),
        }
        entity = {"attributes": told(self._mapping.attributes, "attribute"), "enrollments": [{"events": [event]}]}
        return {"trackedEntities": [entity]}

    def _their(self, path: str, value: Any) -> str:
        if isinstance(value, bool):
            return "true" if value else "false"
        if not isinstance(value, str):
            return ""
        options = self._mapping.options.get(path, {})
        return next((theirs for theirs, ours in options.items() if ours == value), value)


# -- the payload -----------------------------------------------------------------------------------------------------


def _events(payload: Members[str, Any]) -> Iterator[_Event]:
    """Every event of a payload, nested or flat, each with what it belongs to."""
    listed = next((name for name in _LISTS if isinstance(payload.get(name), list)), "")
    entities = _objects(payload.get(listed)) if listed else []
    if not listed and any(isinstance(payload.get(id), str) for id in ("trackedEntity", "trackedEntityInstance")):
        listed = "trackedEntities" if "trackedEntity" in payload else "trackedEntityInstances"
        entities = [payload]
    for entity in entities:
        for enrollment in _objects(entity.get("enrollments")):
            for event in _objects(enrollment.get("events")):
                yield _nested(listed, entity, enrollment, event)
    yield from _flat(payload, entities)


def _nested(listed: str, entity: Members[str, Any], enrollment: Members[str, Any], event: Members[str, Any]) -> _Event:
    inner = {**_bare(enrollment), "events": [_bare(event)]}
    outer = {**_bare(entity), "enrollments": [inner]}
    at_entity: Where = (listed, 0)
    at_enrollment: Where = (*at_entity, "enrollments", 0)
    return _Event(entity, enrollment, event, {listed: [outer]}, at_entity, at_enrollment, (*at_enrollment, "events", 0))


def _flat(payload: Members[str, Any], entities: list[Members[str, Any]]) -> Iterator[_Event]:
    """The three lists of an import that is not nested: each names what it belongs to."""
    by_id = {_id(entity, "trackedEntity"): entity for entity in entities}
    enrollments = {_text(one, "enrollment"): one for one in _objects(payload.get("enrollments"))}
    for event in _objects(payload.get("events")):
        enrollment = enrollments.get(_text(event, "enrollment"), {})
        entity = by_id.get(_text(event, "trackedEntity") or _text(enrollment, "trackedEntity"), {})
        document: dict[str, Any] = {"events": [_bare(event)]}
        if entity:
            document["trackedEntities"] = [_bare(entity)]
        if enrollment:
            document["enrollments"] = [_bare(enrollment)]
        yield _Event(entity, enrollment, event, document, ("trackedEntities", 0), ("enrollments", 0), ("events", 0))


def _is_yes_or_no(path: str) -> bool:
    return path == "health.contact" or path.startswith(("health.symptoms.", "consents."))


def _told(of: Members[str, Any], listed: str, called: str, base: Where) -> Iterator[tuple[str, str, Where]]:
    """(id or code, value, where) of attributes or data values; a code beside an id counts as well."""
    values = of.get(listed)
    for n, one in enumerate(values if isinstance(values, list) else ()):
        value = one.get("value") if isinstance(one, Members) else None
        if not isinstance(value, str | bool | int | float):
            continue
        said = value if isinstance(value, str) else canonical(value).decode()
        for id in dict.fromkeys((_text(one, called), _text(one, "code"))):
            if id and said.strip():
                yield id, said.strip(), (*base, listed, n, "value")


def _bare(of: Members[str, Any]) -> dict[str, Any]:
    """Without the audit trail, in its lists of values too."""
    bare = {name: value for name, value in of.items() if name not in _AUDIT}
    for listed in ("attributes", "dataValues"):
        if isinstance(values := bare.get(listed), list):
            bare[listed] = [
                {name: value for name, value in one.items() if name not in _AUDIT} if isinstance(one, Members) else one
                for one in values
            ]
    return {name: value for name, value in bare.items() if name not in ("enrollments", "events")}


def _settle(raw: dict[str, Any]) -> None:
    """What takes two of their values: a departure of a day and a time, a document's kind by its number, places."""
    trip = raw["trip"]
    hour = trip.pop("departs_time", "")
    day = _DATE.fullmatch(str(trip.get("departs_at", "")))
    if hour and day and _HOUR.fullmatch(str(hour)):
        trip["departs_at"] = f"{day[1]}T{str(hour).zfill(5)}+07:00"
    elif hour:
        trip["departs_at"] = f"{trip.get('departs_at', '')} {hour}"
    nationality = str(raw.get("nationality", ""))
    _settle_document(raw, nationality)
    for path in ("residence", "trip.origin", "trip.destination"):
        place = member(raw, path)
        if isinstance(place, dict) and (code := _places().province(str(place.get("province", "")))):
            commune = str(place.get("commune", ""))
            place |= {"province": code, "commune": _places().commune(commune, code) or commune}


def _settle_document(raw: dict[str, Any], nationality: str) -> None:
    document = raw.setdefault("document", {"kind": "", "number": ""})
    number = str(document.get("number", ""))
    if not document.get("kind") and number:
        national = number.isdigit() and len(number) in (9, 12) and nationality in ("", "VN")
        document["kind"] = ("cccd" if len(number) == 12 else "cmnd") if national else "passport"


def _local(departure: str) -> tuple[str, str]:
    """(day, hour) in Vietnam."""
    try:
        moment = dt.datetime.fromisoformat(departure)
    except ValueError:
        return departure, ""
    here = moment.astimezone(dt.timezone(dt.timedelta(hours=7))) if moment.tzinfo else moment
    return f"{here:%Y-%m-%d}", f"{here:%H:%M}"


def _objects(value: Any) -> list[Members[str, Any]]:
    return [one for one in value if isinstance(one, Members)] if isinstance(value, list) else []


def _text(of: Members[str, Any], name: str) -> str:
    value = of.get(name)
    return value if isinstance(value, str) else ""


def _id(of: Members[str, Any], name: str) -> str:
    """An id, whichever way a payload has it: as text, or as an object with an id or a code."""
    value = of.get(name)
    return _text(value, "code") or _text(value, "id") if isinstance(value, Members) else _text(of, name)


@cache
def _places() -> Places:
    return Places(load_units())


DHIS2 = Dhis2()
"""The connector of this process: an installation has one DHIS2, and says at the start what it calls things."""
