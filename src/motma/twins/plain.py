"""A twin whose payload is one JSON object: NCOVI and the movement declaration, which differ in names and options."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from motma.core.words import Words
from motma.twins import forms
from motma.twins.forms import NO, YES, Answers, Field, Twin, said

_YES_NO = {"true": YES, "false": NO}
_SEXES = {"male": Words("Nam", "Male"), "female": Words("Nữ", "Female"), "other": Words("Khác", "Other")}
_AN_HOUR = "gioDi"
"""What the form's question of the hour is called where the payload has it in the field of the day."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plain:
    """A twin by its names; a dot leads into a member object. ``sexes``, ``vehicles``, ``signs`` are ours -> theirs.
    ``home``, ``origin``, ``destination``: where their units stand. ``hour`` of "": in the field of the day."""

    name: str
    platform: str
    title: Words
    stands_for: Words
    door: str
    full_name: str
    number: str
    born: str
    born_in_full: bool
    sex: str
    sexes: Mapping[str, str]
    nation: str
    phone: str
    home: str
    address: str
    origin: str
    destination: str
    vehicle: str
    vehicles: Mapping[str, str]
    plate: str
    day: str
    hour: str
    signs: Mapping[str, str]
    contact: str
    places: str
    consents: str

    def twin(self) -> Twin:
        """The twin that asks and writes so."""
        return Twin(
            self.name,
            self.platform,
            self.title,
            self.stands_for,
            "application/json",
            self._sections(),
            self._write,
            self._fill,
            self.door,
        )

    def _sections(self) -> tuple[tuple[Words, tuple[Field, ...]], ...]:
        sexes = {theirs: _SEXES[ours] for ours, theirs in self.sexes.items()}
        vehicles = {theirs: forms.VEHICLES[ours] for ours, theirs in self.vehicles.items()}
        signs = [Field(theirs, forms.SYMPTOMS[ours], "yes_no", _YES_NO) for ours, theirs in self.signs.items()]
        born = Field(self.born, forms.BORN, "date") if self.born_in_full else Field(self.born, forms.YEAR, "number")
        person = (
            Field(self.full_name, forms.NAME),
            Field(self.number, forms.NUMBER, required=False),
            born,
            Field(self.sex, forms.SEX, "choice", sexes),
            Field(self.nation, forms.NATION, "country"),
            Field(self.phone, forms.PHONE, "phone"),
        )
        home = (forms.commune(f"{self.home}maXa", forms.COMMUNE), Field(self.address, forms.ADDRESS))
        trip = (
            forms.commune(f"{self.origin}maXa", forms.ORIGIN),
            forms.commune(f"{self.destination}maXa", forms.DESTINATION),
            Field(self.vehicle, forms.VEHICLE, "choice", vehicles),
            Field(self.plate, forms.PLATE, required=False),
            Field(self.day, forms.DAY, "date"),
            Field(self.hour or _AN_HOUR, forms.HOUR, "time"),
        )
        health = (
            *signs,
            Field(self.contact, forms.CONTACT, "yes_no", _YES_NO),
            Field(self.places, forms.PLACES, required=False),
        )
        parts = ((forms.PERSON, person), (forms.HOME, home), (forms.TRIP, trip), (forms.HEALTH, health))
        return (*parts, forms.consents(self.consents))

    def _write(self, answers: Answers) -> bytes:
        alike = (self.full_name, self.number, self.sex, self.nation, self.phone, self.address, self.vehicle)
        values: dict[str, Any] = {name: said(answers, name) for name in (*alike, self.plate, self.places)}
        born, hour = said(answers, self.born), said(answers, self.hour or _AN_HOUR)
        values[self.born] = forms.departs(born, "", order="dmy") if self.born_in_full else born
        values[self.day] = forms.departs(said(answers, self.day), "" if self.hour else hour, order="dmy")
        if self.hour:
            values[self.hour] = hour
        for place in (self.home, self.origin, self.destination):
            ward = said(answers, f"{place}maXa")
            values |= {f"{place}maTinh": forms.province_of(ward), f"{place}maHuyen": "", f"{place}maXa": ward}
        for name in (*self.signs.values(), self.contact):
            if answer := said(answers, name):  # what was not answered is not written: it does not mean no
                values[name] = answer == "true"
        values[self.consents] = list(answers.get(self.consents, ()))
        return msgspec.json.encode(forms.nested(values))

    def _fill(self, raw: Mapping[str, Any]) -> dict[str, list[str]]:
        trip, health, home = raw["trip"], raw["health"], raw["residence"]
        day, _, hour = trip["departs_at"].partition("T")
        one = {
            self.full_name: raw["name"],
            self.number: raw["document"]["number"],
            self.born: raw["birth_date"] if self.born_in_full else raw["birth_date"][:4],
            self.sex: self.sexes[raw["sex"]],
            self.nation: raw["nationality"],
            self.phone: raw["phone"],
            f"{self.home}maXa": home["commune"],
            self.address: home["address"],
            f"{self.origin}maXa": trip["origin"]["commune"],
            f"{self.destination}maXa": trip["destination"]["commune"],
            self.vehicle: self.vehicles[trip["vehicle"]],
            self.plate: trip.get("plate", ""),
            self.day: day,
            self.hour or _AN_HOUR: hour[:5],
            self.contact: "true" if health["contact"] else "false",
            self.places: health.get("places", ""),
            **{theirs: "true" if health["symptoms"][ours] else "false" for ours, theirs in self.signs.items()},
        }
        return {name: [value] for name, value in one.items()} | {self.consents: list(raw["consents"])}
