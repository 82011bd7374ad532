"""tokhaiyte.vn: three forms of 2021, sent as ``fields[...]`` of a web form. What is certain and what is assumed:
``docs/connectors.md``.

HDHealth has no trip, HDLocal has one, HDPassenger is about entering the country; the agreed additions make each of
them a whole declaration.
"""

import datetime as dt
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, urlencode

from motma.connectors.platforms.items import Item, Sent
from motma.connectors.platforms.keeping import as_sent, drop, guardian_of, keep, key_of, there_and_then
from motma.connectors.platforms.reading import NO_TRIP, OPTION, Theirs, malformed, symptoms
from motma.core.errors import Problem
from motma.core.words import Words
from motma.forms import load_countries

_CALLED = "fields[{}]"
_FORM = "application/x-www-form-urlencoded"
_FIELDS_MAX = 300
_DROPPED = ("captcha_code", "testFile", "portrait")

_SEXES = {"Nam": "male", "Nu": "female", "Khac": "other"}
_VEHICLES = {"airplane": "plane", "train": "train", "car": "bus", "waterway": "boat"}
_ENTRY_VEHICLES = {"airplane": "plane", "waterway": "boat", "car": "bus", "other": ""}
_BY_ROAD = ("motorbike", "car", "bus", "truck", "walk")
_PERSONAL = {vehicle: vehicle for vehicle in ("motorbike", "car", "truck", "walk")}

_SIGNALS = {
    "fever": ("hasFever",),
    "cough": ("hasCough",),
    "breathless": ("hasBreath", "hasPneumonia"),
    "sore_throat": ("hasSoreThroat",),
    "fatigue": ("hasFatigue",),
}
"""What ``showSignal`` asks about all at once, and the single answers to it (pneumonia: told as short of breath)."""

_OF_THEIR_OWN = {
    "taste_smell": ("hasTasteSmell",),
    "aching": ("hasAching",),
    "diarrhoea": ("hasDiarrhea", "hasNausea"),
    "rash": ("hasRash", "hasHemorrhage"),
}
"""Never part of ``showSignal``; what ours does not ask is told as the nearest that it does."""

_NEAREST = {"hasPneumonia": "breathless", "hasNausea": "diarrhoea", "hasHemorrhage": "rash"}
_ASKED = {symptom: fields[0] for symptom, fields in (_SIGNALS | _OF_THEIR_OWN).items()}
_STAY = ("afterIsolationStayProvinceId", "afterIsolationStayDistrictId", "afterIsolationStayWardId")
_CONTACTS = ("hasPatient", "hasFromSickCountry", "hasSick")

_NO_SIGN = Problem(
    "inbox.which_sign",
    Words("Có dấu hiệu nhưng chưa rõ dấu hiệu nào.", "There is a sign, but it is not said which."),
)


class Tokhaiyte:
    """The health ministry's site."""

    name = "tokhaiyte"
    content_types = (_FORM,)

    def to_ours(self, body: bytes, content_type: str, now: dt.datetime) -> tuple[Item, ...]:
        """One declaration. Raises :class:`motma.core.errors.Invalid` ``inbox.*`` with ``fields[...]`` names."""
        sent = _pairs(body)
        dropped = drop(sent, map(_CALLED.format, _DROPPED))
        theirs = Theirs(sent, _CALLED)
        form = _form_of(theirs)
        raw = _person(theirs, form) | {
            "trip": _trip(theirs, form),
            "health": _health(theirs, form),
            "consents": theirs.consents("consents][") or [],
        }
        raw |= theirs.guardian("guardianPassport")
        theirs.finish()
        raw["extra"] = keep(self.name, theirs, _fields(raw), dropped)
        return (Sent(raw, key_of(theirs.text("id"), sent), theirs.names),)

    def to_theirs(self, sent: Mapping[str, Any]) -> bytes:
        """Form-encoded, the fields in alphabetical order, UTF-8."""
        fields = as_sent(self.name, _fields(sent), sent.get("extra"))
        return urlencode(sorted(fields.items()), doseq=True).encode()


def _pairs(body: bytes) -> dict[str, Any]:
    """Field -> its text, or all its texts if it is a list (``…[]``) or was sent more than once."""
    try:
        pairs = parse_qsl(
            body.decode(),
            keep_blank_values=True,
            strict_parsing=True,
            errors="strict",
            max_num_fields=_FIELDS_MAX,
        )
    except ValueError:  # no pairs, too many, or no UTF-8
        raise malformed(_FORM + ", UTF-8") from None
    found: dict[str, Any] = {}
    for name, text in pairs:
        if name.endswith("[]"):
            found.setdefault(name, []).append(text)
        elif name in found:
            before = found[name]
            found[name] = [*(before if isinstance(before, list) else [before]), text]
        else:
            found[name] = text
    return found


def _form_of(theirs: Theirs) -> str:
    """Which of the three forms; told by its own fields where nothing says it."""
    said = theirs.text("type")
    if said not in ("", "HDHealth", "HDLocal", "HDPassenger"):
        theirs.wrong("type", OPTION)
    if said:
        return said
    if theirs.text("gateId") or theirs.text("entryDate"):
        return "HDPassenger"
    return "HDLocal" if theirs.text("vehicle") else "HDHealth"


def _person(theirs: Theirs, form: str) -> dict[str, Any]:
    nationality = theirs.country("nation", "nationality")
    return {
        "name": theirs.need("fullName", "name"),
        "birth_date": theirs.year("birthYear", "birth_date"),
        "sex": theirs.option("gender", _SEXES, "sex"),
        "nationality": nationality,
        "document": theirs.document("passport", nationality),
        "phone": theirs.need("phone", "phone"),
        "residence": _residence(theirs, form),
    }


def _residence(theirs: Theirs, form: str) -> dict[str, str]:
    if form == "HDPassenger":
        address = theirs.need("addressStayAfterIsolation", "residence.address")
        return theirs.place(_STAY, "residence") | {"address": address}
    address = theirs.need("address", "residence.address")
    return theirs.place(("provinceId", "districtId", "wardId"), "residence") | {"address": address}


def _trip(theirs: Theirs, form: str) -> dict[str, Any]:
    origin = theirs.place(("startProvinceId", "startDistrictId", "startWardId"), "trip.origin", NO_TRIP)
    entry = form == "HDPassenger"
    if entry:
        destination = theirs.place(_STAY, "trip.destination")
    else:
        destination = theirs.place(("endProvinceId", "endDistrictId", "endWardId"), "trip.destination", NO_TRIP)
    vehicle = _vehicle(theirs, form)
    trip = {
        "origin": origin,
        "destination": destination,
        "vehicle": vehicle,
        "departs_at": theirs.moment("entryDate" if entry else "startTime", "startHour", "trip.departs_at"),
    }
    plate = theirs.text("vehicleCode", "trip.plate")
    return trip | ({"plate": plate} if plate and vehicle in _BY_ROAD else {})


def _vehicle(theirs: Theirs, form: str) -> str:
    kinds = _ENTRY_VEHICLES if form == "HDPassenger" else _VEHICLES | {"personal": ""}
    vehicle = theirs.option("vehicle", kinds, "trip.vehicle", NO_TRIP)
    if not vehicle and theirs.text("vehicle") in kinds:
        vehicle = theirs.option("personalVehicle", _PERSONAL, "trip.vehicle")
    return vehicle


def _health(theirs: Theirs, form: str) -> dict[str, Any]:
    signal = theirs.answer("showSignal")
    answers: dict[str, bool | None] = {}
    for symptom, fields in (_SIGNALS | _OF_THEIR_OWN).items():
        given = [theirs.answer(field) for field in fields]
        none = signal is False and symptom in _SIGNALS and not theirs.text(fields[0])
        answers[symptom] = True in given or (False if none else given[0])
    theirs.inexact += [f"health.symptoms.{symptom}" for field, symptom in _NEAREST.items() if theirs.answer(field)]
    if signal and not any(answers[symptom] for symptom in _SIGNALS):
        theirs.wrong("showSignal", _NO_SIGN)
    contacts = _CONTACTS[:1] if form == "HDPassenger" else _CONTACTS
    contact = [theirs.answered(field, "health.contact") for field in contacts]
    places = theirs.text("countryPassing", "health.places")
    if theirs.answer("showCountryPassing") and not places:
        theirs.need("countryPassing")
    return {"symptoms": symptoms(answers, _ASKED, theirs), "contact": any(contact), "places": places}


def _fields(raw: Mapping[str, Any]) -> dict[str, Any]:
    """A declaration as HDLocal with the agreed additions: units of 2025, each symptom answered on its own."""
    trip, health, home = raw["trip"], raw["health"], raw["residence"]
    signs = health["symptoms"]
    by_road = trip["vehicle"] in _PERSONAL
    theirs_of = {ours: theirs for theirs, ours in _VEHICLES.items()}
    places = health.get("places", "")
    day, hour = there_and_then(trip["departs_at"])
    fields: dict[str, Any] = {
        "fullName": raw["name"],
        "birthYear": raw["birth_date"][:4],
        "gender": {ours: theirs for theirs, ours in _SEXES.items()}.get(raw["sex"], "Khac"),
        "nation": load_countries()[raw["nationality"]].vi if raw["nationality"] in load_countries() else "",
        "passport": raw["document"].get("number", ""),
        "phone": raw["phone"],
        "provinceId": home["province"],
        "districtId": "",
        "wardId": home["commune"],
        "address": home.get("address", ""),
        "vehicle": "personal" if by_road else theirs_of.get(trip["vehicle"], ""),
        "personalVehicle": trip["vehicle"] if by_road else "",
        "vehicleCode": trip.get("plate", ""),
        "startTime": f"{day:%d/%m/%Y}",
        "startHour": hour,
        "showSignal": "1" if any(signs.get(symptom) for symptom in _SIGNALS) else "0",
        "showCountryPassing": "1" if places else "0",
        "countryPassing": places,
        "consents][": list(raw["consents"]),
    }
    for side, place in (("start", trip["origin"]), ("end", trip["destination"])):
        fields |= {f"{side}ProvinceId": place["province"], f"{side}DistrictId": "", f"{side}WardId": place["commune"]}
    fields |= {field: "1" if signs.get(symptom) else "0" for symptom, field in _ASKED.items()}
    fields |= dict.fromkeys(_CONTACTS, "2") | {"hasPatient": "1" if health["contact"] else "2"}
    fields |= guardian_of(raw, "guardianPassport")
    return {_CALLED.format(name): value for name, value in fields.items()}


TOKHAIYTE = Tokhaiyte()
