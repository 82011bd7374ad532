"""The twin of tokhaiyte.vn: the form "Khai di chuyển nội địa" (HDLocal) as the site sent it, ``fields[...]`` of a web
form, year of birth only, with the additions that the unified declaration needs."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from motma.core.words import Words
from motma.twins import forms
from motma.twins.forms import NO, YES, Answers, Field, Twin, said

_ONE_TWO = {"1": YES, "2": NO}
_ONE_ZERO = {"1": YES, "0": NO}
_SEXES = {"Nam": Words("Nam", "Male"), "Nu": Words("Nữ", "Female"), "Khac": Words("Khác", "Other")}
_OUR_SEX = {"male": "Nam", "female": "Nu", "other": "Khac"}
_VEHICLES = {
    "airplane": Words("Máy bay", "Plane"),
    "train": Words("Tàu hoả", "Train"),
    "car": Words("Xe khách", "Coach"),
    "waterway": Words("Tàu thuyền", "Boat"),
    "personal": Words("Cá nhân", "One's own"),
}
_OUR_VEHICLE = {"plane": "airplane", "train": "train", "bus": "car", "boat": "waterway"}
_OWN = {name: forms.VEHICLES[name] for name in ("motorbike", "car", "truck", "walk")}
_SIGNS = {
    "hasFever": "fever",
    "hasCough": "cough",
    "hasBreath": "breathless",
    "hasSoreThroat": "sore_throat",
    "hasFatigue": "fatigue",
    "hasTasteSmell": "taste_smell",
    "hasAching": "aching",
    "hasDiarrhea": "diarrhoea",
    "hasRash": "rash",
}
_SIGNAL = frozenset(("hasFever", "hasCough", "hasBreath", "hasSoreThroat", "hasFatigue"))
_PERSONAL = Words("Nếu là phương tiện cá nhân: loại nào", "If one's own: which")
_SICK_COUNTRY = Words("Tiếp xúc người từ nơi có dịch?", "Contact with somebody from a place with the disease?")
_SICK = Words("Tiếp xúc người có biểu hiện sốt, ho, khó thở?", "Contact with somebody who has fever or cough?")


def _called(name: str) -> str:
    return f"fields[{name}]"


def _write(answers: Answers) -> bytes:
    fields = {name: list(given) for name, given in answers.items() if name.startswith("fields[")}

    def put(name: str, value: str) -> None:
        fields[_called(name)] = [value]

    put("type", "HDLocal")
    put("fullName", said(answers, _called("fullName")).upper())  # the site had it in capitals
    for side in ("", "start", "end"):
        province, ward = (side + "ProvinceId", side + "WardId") if side else ("provinceId", "wardId")
        put(province, forms.province_of(said(answers, _called(ward))))
    put("startTime", forms.departs(said(answers, _called("startTime")), "", order="dmy"))
    put("showSignal", "1" if any(said(answers, _called(name)) == "1" for name in _SIGNAL) else "0")
    put("showCountryPassing", "1" if said(answers, _called("countryPassing")) else "0")
    return urlencode(sorted(fields.items()), doseq=True).encode()


def _fill(raw: Mapping[str, Any]) -> dict[str, list[str]]:
    trip, health, home = raw["trip"], raw["health"], raw["residence"]
    day, _, hour = trip["departs_at"].partition("T")
    public = _OUR_VEHICLE.get(trip["vehicle"])
    one = {
        "fullName": raw["name"],
        "passport": raw["document"]["number"],
        "birthYear": raw["birth_date"][:4],
        "gender": _OUR_SEX[raw["sex"]],
        "nation": raw["nationality"],
        "wardId": home["commune"],
        "address": home["address"],
        "phone": raw["phone"],
        "vehicle": public or "personal",
        "personalVehicle": "" if public else trip["vehicle"],
        "vehicleCode": trip.get("plate", ""),
        "startWardId": trip["origin"]["commune"],
        "endWardId": trip["destination"]["commune"],
        "startTime": day,
        "startHour": hour[:5],
        "hasPatient": "1" if health["contact"] else "2",
        "hasFromSickCountry": "2",
        "hasSick": "2",
        "countryPassing": health.get("places", ""),
        **{name: "1" if health["symptoms"][ours] else "0" for name, ours in _SIGNS.items()},
    }
    return {_called(name): [value] for name, value in one.items()} | {"fields[consents][]": list(raw["consents"])}


TWIN = Twin(
    name="tokhaiyte",
    platform="TOKHAIYTE",
    title=Words("Tờ khai y tế (mô phỏng)", "Vietnam Health Declaration (stand-in)"),
    stands_for=Words("Bản mô phỏng tokhaiyte.vn", "A stand-in of tokhaiyte.vn"),
    content_type="application/x-www-form-urlencoded",
    sections=(
        (
            forms.PERSON,
            (
                Field(_called("fullName"), forms.NAME),
                Field(_called("passport"), forms.NUMBER, required=False),
                Field(_called("birthYear"), forms.YEAR, "number"),
                Field(_called("gender"), forms.SEX, "choice", _SEXES),
                Field(_called("nation"), forms.NATION, "country"),
                Field(_called("phone"), forms.PHONE, "phone"),
            ),
        ),
        (
            forms.HOME,
            (
                forms.commune(_called("wardId"), forms.COMMUNE),
                Field(_called("address"), forms.ADDRESS),
            ),
        ),
        (
            forms.TRIP,
            (
                forms.commune(_called("startWardId"), forms.ORIGIN),
                forms.commune(_called("endWardId"), forms.DESTINATION),
                Field(_called("vehicle"), forms.VEHICLE, "choice", _VEHICLES),
                Field(_called("personalVehicle"), _PERSONAL, "choice", _OWN, required=False),
                Field(_called("vehicleCode"), forms.PLATE, required=False),
                Field(_called("startTime"), forms.DAY, "date"),
                Field(_called("startHour"), forms.HOUR, "time"),
            ),
        ),
        (
            forms.HEALTH,
            (
                *(Field(_called(name), forms.SYMPTOMS[ours], "yes_no", _ONE_ZERO) for name, ours in _SIGNS.items()),
                Field(_called("hasPatient"), forms.CONTACT, "yes_no", _ONE_TWO),
                Field(_called("hasFromSickCountry"), _SICK_COUNTRY, "yes_no", _ONE_TWO),
                Field(_called("hasSick"), _SICK, "yes_no", _ONE_TWO),
                Field(_called("countryPassing"), forms.PLACES, required=False),
            ),
        ),
        forms.consents("fields[consents][]"),
    ),
    write=_write,
    fill=_fill,
    door="/gui",
)
