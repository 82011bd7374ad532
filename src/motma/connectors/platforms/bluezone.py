"""Bluezone: the entry declaration as the app's own code wrote it, the daily one, and exposure notices. What is certain
and what is assumed: ``docs/connectors.md``.

The app writes lists of answers as JSON inside a text, ``[{"ID":"sot","Value":true}]``, and leaves ``Value`` out of what
was not answered. Dates are YYYY/MM/DD; versions that wrote January as month 00 are told so.
"""

import datetime as dt
from collections.abc import Mapping
from typing import Any

import msgspec

from motma.connectors.platforms.exposures import contacts
from motma.connectors.platforms.items import Item, Sent
from motma.connectors.platforms.keeping import (
    as_sent,
    canonical,
    digest,
    drop,
    guardian_of,
    keep,
    key_of,
    there_and_then,
)
from motma.connectors.platforms.reading import (
    NO_TRIP,
    NOT_ASKED,
    OPTION,
    Theirs,
    json_object,
    json_value,
    malformed,
    symptoms,
)
from motma.core.errors import Invalid

_DAILY = "InforEntryPersonReport"
_STATES = "LtinforEntryPersonReportDetail"
_NOTICES = "ExposureNotices"
_DROPPED = ("AnhChanDungBase64", "AnhChanDung", "FileKetQuaXetNghiemBase64", "FileKetQuaXetNghiem")
_NEW = "00000000-0000-0000-0000-000000000000"
"""What the app sends for a declaration that the server has not numbered yet."""

_VIETNAM = "234"
_SEXES = {"1": "male", "2": "female", "3": "other"}
_VEHICLES = {"1": "plane", "2": "boat", "3": "car"}
_KINDS = {name: name for name in ("motorbike", "car", "bus", "truck", "train", "plane", "boat", "walk")}
_SYMPTOMS = {
    "fever": "sot",
    "cough": "ho",
    "breathless": "kho_tho",
    "sore_throat": "dau_hong",
    "fatigue": "met_moi",
    "taste_smell": "mat_vi_giac",
    "aching": "dau_nguoi",
    "diarrhoea": "tieu_chay",
    "rash": "noi_ban_ngoai_da",
}
_NEAREST = {"diarrhoea": "non_buon_non", "rash": "xuat_huyet_ngoai_da"}
_DAY_STATES = {
    "fever": 1,
    "cough": 2,
    "breathless": 3,
    "fatigue": 4,
    "aching": 4,
    "sore_throat": 6,
    "taste_smell": 7,
    "diarrhoea": 8,
    "rash": 9,
}
_HEALTHY = 5


class Bluezone:
    """The contact-tracing app with its declarations."""

    name = "bluezone"
    content_types = ("application/json",)

    def to_ours(self, body: bytes, content_type: str, now: dt.datetime) -> tuple[Item, ...]:
        """One declaration, or what a list of exposure notices reports.

        Raises :class:`motma.core.errors.Invalid` ``inbox.*`` with the app's field names.
        """
        sent = json_object(body)
        if _NOTICES in sent:
            return contacts(sent[_NOTICES])
        daily = _DAILY in sent
        inside = sent[_DAILY] if daily else sent
        if not isinstance(inside, dict):
            raise malformed(f"{_DAILY}: {{…}}")
        dropped = drop(inside, _DROPPED)
        theirs = Theirs(sent, f"{_DAILY}.{{}}" if daily else "{}")
        raw = _person(theirs) | {
            "trip": _trip(theirs),
            "health": _health(theirs, daily),
            "consents": theirs.consents("DongY"),
        }
        raw |= theirs.guardian("SoGiayToGiamHo")
        theirs.finish()
        raw["extra"] = keep(self.name, theirs, _fields(raw, daily), dropped) | ({"daily": True} if daily else {})
        return (Sent(raw, _day_key(theirs, now) if daily else _key(theirs), theirs.names),)

    def to_theirs(self, sent: Mapping[str, Any]) -> bytes:
        """JSON, members in alphabetical order."""
        extra = sent.get("extra")
        return canonical(as_sent(self.name, _fields(sent, _was_daily(extra)), extra))


def _was_daily(extra: object) -> bool:
    return isinstance(extra, Mapping) and extra.get("of") == "bluezone" and extra.get("daily") is True


def _key(theirs: Theirs) -> str:
    """By the app's own id; before the server gave one it is all zeros, which is nobody's."""
    guid = theirs.text("ObjectGuid")
    return key_of("" if guid == _NEW else guid, theirs.fields)


def _day_key(theirs: Theirs, now: dt.datetime) -> str:
    """Once a day, whatever is said: of the person's own id or phone, and the day."""
    day = theirs.text("CreateDate")[:10] or f"{now.astimezone(dt.timezone(dt.timedelta(hours=7))):%Y/%m/%d}"
    who = theirs.text("InforEntryPersonObjectGuid") or theirs.text("SoDienThoai")
    return f"day:{digest([who, day.replace('-', '/')])}"


def _person(theirs: Theirs) -> dict[str, Any]:
    if theirs.text("MaQuocTich") == _VIETNAM:
        nationality = "VN"
        theirs.names["nationality"] = theirs.called("MaQuocTich")
    else:
        code = theirs.text("MaQuocTich")
        by_name = theirs.text("TenQuocTich") and not code.isalpha()
        nationality = theirs.country("TenQuocTich" if by_name else "MaQuocTich", "nationality")
    home = theirs.place(_units("DiaChiLienLac_VN"), "residence")
    return {
        "name": theirs.need("FullName", "name"),
        "birth_date": theirs.year("NamSinh", "birth_date"),
        "sex": theirs.option("MaGioiTinh", _SEXES, "sex"),
        "nationality": nationality,
        "document": theirs.document("SoHoChieu", nationality),
        "phone": theirs.need("SoDienThoai", "phone"),
        "residence": home | {"address": theirs.need("DiaChiLienLac_VN_ChiTiet", "residence.address")},
    }


def _units(place: str) -> tuple[str, str, str]:
    return f"{place}_MaTinh", f"{place}_MaHuyen", f"{place}_MaPhuongXa"


def _trip(theirs: Theirs) -> dict[str, Any]:
    """Of an entry: from the gate to where one stays after quarantine, on the day of entry; else as it says."""
    entry = bool(theirs.text("NgayNhapCanh"))
    stay = "DiaChiLuuTruSauCachLy"
    if entry:
        start, end = "DiaDiemNhapCanh", stay if theirs.text(f"{stay}_MaTinh") else "DiaChiLienLac_VN"
    else:
        start, end = "DiaDiemKhoiHanh", "DiaDiemNoiDen"
    vehicle = _vehicle(theirs)
    trip = {
        "origin": theirs.place(_units(start), "trip.origin", NO_TRIP),
        "destination": theirs.place(_units(end), "trip.destination", NO_TRIP),
        "vehicle": vehicle,
        "departs_at": theirs.moment(
            "NgayNhapCanh" if entry else "NgayKhoiHanh", "GioKhoiHanh", "trip.departs_at", "ymd"
        ),
    }
    plate = theirs.text("SoHieuPhuongTien", "trip.plate")
    return trip | ({"plate": plate} if plate and vehicle in ("motorbike", "car", "bus", "truck", "walk") else {})


def _vehicle(theirs: Theirs) -> str:
    """The agreed ``LoaiXe``; else what was ticked, the farthest-going first if it was several."""
    if theirs.text("LoaiXe"):
        return theirs.option("LoaiXe", _KINDS, "trip.vehicle")
    theirs.names["trip.vehicle"] = theirs.called("ThongTinDiLai")
    ticked = [vehicle for id, vehicle in _VEHICLES.items() if _answers(theirs, "ThongTinDiLai").get(id)]
    if not ticked:
        theirs.wrong("ThongTinDiLai", NO_TRIP)
        return ""
    if len(ticked) > 1:
        theirs.inexact.append("trip.vehicle")
    return ticked[0]


def _health(theirs: Theirs, daily: bool) -> dict[str, Any]:
    theirs.names["health.contact"] = theirs.called("LichSuPhoiNhiem")
    contact = _answers(theirs, "LichSuPhoiNhiem").get("exposure2")
    if contact is None:
        theirs.wrong("LichSuPhoiNhiem", NOT_ASKED)
    answers = _of_the_day(theirs) if daily else _of_the_entry(theirs)
    asked = dict.fromkeys(_SYMPTOMS, _STATES) if daily else dict.fromkeys(_SYMPTOMS, "TrieuChungBenh")
    places = theirs.text("QuocGiaDenTrong21NgayQua", "health.places")
    return {"symptoms": symptoms(answers, asked, theirs), "contact": bool(contact), "places": places}


def _of_the_entry(theirs: Theirs) -> dict[str, bool | None]:
    """Each question by its own id; what ours does not ask is told as the nearest that it does."""
    given = _answers(theirs, "TrieuChungBenh")
    answers = {ours: given.get(id) for ours, id in _SYMPTOMS.items()}
    for ours, id in _NEAREST.items():
        if given.get(id):
            answers[ours] = True
            theirs.inexact.append(f"health.symptoms.{ours}")
    return answers


def _of_the_day(theirs: Theirs) -> dict[str, bool | None]:
    """The states of today; "healthy" answers all of them, and goes with none."""
    given = _answers(theirs, _STATES, id="StateID")
    if given.get(str(_HEALTHY)):
        if any(value for id, value in given.items() if id != str(_HEALTHY)):
            theirs.wrong(_STATES, OPTION)
        return dict.fromkeys(_SYMPTOMS, False)
    if given.get("4"):  # one state for what ours asks in two questions
        theirs.inexact += ["health.symptoms.aching", "health.symptoms.fatigue"]
    return {ours: given.get(str(state)) for ours, state in _DAY_STATES.items()}


def _answers(theirs: Theirs, name: str, *, id: str = "ID") -> dict[str, bool | None]:
    """Question -> answer, of a list of answers, as such or as JSON in a text; None where ``Value`` was left out, or
    where there are two that differ."""
    value = theirs.value(name)
    if isinstance(value, str) and value:
        try:
            value = json_value(value)
        except Invalid:
            theirs.wrong(name, OPTION)
            return {}
    if value in (None, ""):
        return {}
    if not isinstance(value, list) or not all(isinstance(one, Mapping) for one in value):
        theirs.wrong(name, OPTION)
        return {}
    found: dict[str, bool | None] = {}
    for one in value:
        asked = one.get(id)
        if isinstance(asked, str | int):
            answer = one.get("Value") if isinstance(one.get("Value"), bool) else None
            found[str(asked)] = answer if found.get(str(asked), answer) is answer else None
    return found


def _written(answers: Mapping[str, bool]) -> str:
    """Answers as the app writes them: JSON in a text."""
    return msgspec.json.encode([{"ID": id, "Value": value} for id, value in answers.items()]).decode()


def _fields(raw: Mapping[str, Any], daily: bool) -> dict[str, Any]:
    """What the app's fields are, told from a declaration, with the agreed additions: units of 2025, all answered."""
    trip, health, home = raw["trip"], raw["health"], raw["residence"]
    signs = health["symptoms"]
    day, hour = there_and_then(trip["departs_at"])
    fields: dict[str, Any] = {
        "FullName": raw["name"],
        "NamSinh": raw["birth_date"][:4],
        "MaGioiTinh": {ours: theirs for theirs, ours in _SEXES.items()}.get(raw["sex"], "3"),
        "MaQuocTich": _VIETNAM if raw["nationality"] == "VN" else raw["nationality"],
        "SoHoChieu": raw["document"].get("number", ""),
        "SoDienThoai": raw["phone"],
        "DiaChiLienLac_VN_ChiTiet": home.get("address", ""),
        "LoaiXe": trip["vehicle"],
        "SoHieuPhuongTien": trip.get("plate", ""),
        "NgayKhoiHanh": f"{day:%Y/%m/%d}",
        "GioKhoiHanh": hour,
        "LichSuPhoiNhiem": _written({"exposure1": False, "exposure2": bool(health["contact"])}),
        "QuocGiaDenTrong21NgayQua": health.get("places", ""),
        "DongY": list(raw["consents"]),
    }
    fields |= guardian_of(raw, "SoGiayToGiamHo")
    for name, place in (
        ("DiaChiLienLac_VN", home),
        ("DiaDiemKhoiHanh", trip["origin"]),
        ("DiaDiemNoiDen", trip["destination"]),
    ):
        fields |= dict(zip(_units(name), (place["province"], "", place["commune"]), strict=True))
    if not daily:
        return fields | {"TrieuChungBenh": _written({id: bool(signs.get(ours)) for ours, id in _SYMPTOMS.items()})}
    ill = {state for ours, state in _DAY_STATES.items() if signs.get(ours)}
    states = sorted({*_DAY_STATES.values(), _HEALTHY})
    told = [{"StateID": state, "Value": state in ill or (state == _HEALTHY and not ill)} for state in states]
    return {_DAILY: fields | {_STATES: told}}


BLUEZONE = Bluezone()
