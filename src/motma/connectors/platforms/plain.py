"""A platform whose form is one JSON object: what its fields are called, and how it writes dates and options.

Reading and writing are here once, for every platform of which little more than its questions is known.
"""

import datetime as dt
from collections.abc import Mapping
from typing import Any

import msgspec

from motma.connectors.platforms.items import Item, Sent
from motma.connectors.platforms.keeping import as_sent, canonical, drop, guardian_of, keep, key_of, there_and_then
from motma.connectors.platforms.reading import NO_TRIP, Theirs, json_object, symptoms

Units = tuple[str, str, str]
"""Where province, district and commune stand."""


class Plain(msgspec.Struct, frozen=True, kw_only=True):
    """A connector by its names; a dot leads into a member object. ``options`` are theirs -> ours."""

    name: str
    content_types: tuple[str, ...] = ("application/json",)
    dropped: tuple[str, ...]
    """Pictures of people and papers: read past, never kept."""
    own_id: str
    full_name: str
    born: str
    """A day as dd/mm/yyyy where ``born_in_full``; a year alone is always understood."""
    born_in_full: bool
    sex: str
    sexes: Mapping[str, str]
    nationality: str
    document: str
    guardian: str
    phone: str
    homes: tuple[tuple[Units, str], ...]
    """Units and the rest of the address; the first that names a province counts."""
    origin: Units
    destination: Units
    vehicle: str
    vehicles: Mapping[str, str]
    plate: str
    day: str
    hour: str
    """The same name as ``day`` where both stand in one field, a space between them."""
    symptoms: Mapping[str, str]
    """Ours -> theirs."""
    contact: str
    places: str
    consents: str

    def to_ours(self, body: bytes, content_type: str, now: dt.datetime) -> tuple[Item, ...]:
        """One declaration. Raises :class:`motma.core.errors.Invalid` ``inbox.*`` with their names."""
        sent = json_object(body)
        dropped = drop(sent, self.dropped)
        theirs = Theirs(sent)
        nationality = theirs.country(self.nationality, "nationality")
        raw = {
            "name": theirs.need(self.full_name, "name"),
            "birth_date": self._born(theirs),
            "sex": theirs.option(self.sex, self.sexes, "sex"),
            "nationality": nationality,
            "document": theirs.document(self.document, nationality),
            "phone": theirs.need(self.phone, "phone"),
            "residence": self._residence(theirs),
            "trip": self._trip(theirs),
            "health": {
                "symptoms": symptoms({s: theirs.answer(f) for s, f in self.symptoms.items()}, self.symptoms, theirs),
                "contact": theirs.answered(self.contact, "health.contact"),
                "places": theirs.text(self.places, "health.places"),
            },
            "consents": theirs.consents(self.consents),
        }
        raw |= theirs.guardian(self.guardian)
        theirs.finish()
        raw["extra"] = keep(self.name, theirs, self._fields(raw), dropped)
        return (Sent(raw, key_of(theirs.text(self.own_id), sent), theirs.names),)

    def to_theirs(self, sent: Mapping[str, Any]) -> bytes:
        """JSON, members in alphabetical order."""
        return canonical(as_sent(self.name, self._fields(sent), sent.get("extra")))

    def _born(self, theirs: Theirs) -> str:
        text = theirs.need(self.born, "birth_date")
        if not self.born_in_full or (len(text) == 4 and text.isdigit()):
            return theirs.year(self.born, "birth_date")
        born = theirs.date(self.born, "dmy", "birth_date")
        return born.isoformat() if born else ""

    def _residence(self, theirs: Theirs) -> dict[str, str]:
        units, address = next((home for home in self.homes if theirs.text(home[0][0])), self.homes[0])
        return theirs.place(units, "residence") | {"address": theirs.need(address, "residence.address")}

    def _trip(self, theirs: Theirs) -> dict[str, Any]:
        trip = {
            "origin": theirs.place(self.origin, "trip.origin", NO_TRIP),
            "destination": theirs.place(self.destination, "trip.destination", NO_TRIP),
            "vehicle": theirs.option(self.vehicle, self.vehicles, "trip.vehicle", NO_TRIP),
            "departs_at": theirs.moment(self.day, self.hour, "trip.departs_at"),
        }
        plate = theirs.text(self.plate, "trip.plate")
        return trip | ({"plate": plate} if plate else {})

    def _fields(self, raw: Mapping[str, Any]) -> dict[str, Any]:
        """What their fields are, told from a declaration: units of 2025, everything answered."""
        trip, health, home = raw["trip"], raw["health"], raw["residence"]
        day, hour = there_and_then(trip["departs_at"])
        born = raw["birth_date"]
        values: dict[str, Any] = {
            self.full_name: raw["name"],
            self.born: "/".join(reversed(born.split("-"))) if self.born_in_full else born[:4],
            self.sex: {ours: theirs for theirs, ours in self.sexes.items()}.get(raw["sex"], ""),
            self.nationality: raw["nationality"],
            self.document: raw["document"].get("number", ""),
            self.phone: raw["phone"],
            self.homes[0][1]: home.get("address", ""),
            self.vehicle: {ours: theirs for theirs, ours in self.vehicles.items()}.get(trip["vehicle"], ""),
            self.plate: trip.get("plate", ""),
            self.hour: hour,
            self.day: f"{day:%d/%m/%Y}" + (f" {hour}" if self.day == self.hour else ""),
            self.contact: health["contact"],
            self.places: health.get("places", ""),
            self.consents: list(raw["consents"]),
        }
        for units, place in (
            (self.homes[0][0], home),
            (self.origin, trip["origin"]),
            (self.destination, trip["destination"]),
        ):
            values |= dict(zip(units, (place["province"], "", place["commune"]), strict=True))
        values |= {theirs: bool(health["symptoms"].get(ours)) for ours, theirs in self.symptoms.items()}
        return _nested(values | guardian_of(raw, self.guardian))


def _nested(values: Mapping[str, Any]) -> dict[str, Any]:
    """Dotted names as objects in objects."""
    found: dict[str, Any] = {}
    for name, value in values.items():
        *steps, last = name.split(".")
        here = found
        for step in steps:
            here = here.setdefault(step, {})
        here[last] = value
    return found
