"""The twin of Bluezone: the declaration as the app's own code wrote it (InsertEntryPersonReport), with the additions
that the unified declaration needs. Lists of answers are JSON inside a text; what was not answered has no ``Value``."""

from collections.abc import Mapping
from typing import Any

import msgspec

from motma.core.words import Words
from motma.twins import forms
from motma.twins.forms import NO, YES, Answers, Field, Twin, said

_VIETNAM = "234"
_SEXES = {"1": Words("Nam", "Male"), "2": Words("Nữ", "Female"), "3": Words("Khác", "Other")}
_OUR_SEX = {"male": "1", "female": "2", "other": "3"}
_YES_NO = {"true": YES, "false": NO}
_SIGNS = {
    "sot": "fever",
    "ho": "cough",
    "kho_tho": "breathless",
    "dau_hong": "sore_throat",
    "met_moi": "fatigue",
    "mat_vi_giac": "taste_smell",
    "dau_nguoi": "aching",
    "tieu_chay": "diarrhoea",
    "noi_ban_ngoai_da": "rash",
}
_EXPOSURES = {
    "exposure1": Words("Tiếp xúc gần với động vật?", "Close contact with animals?"),
    "exposure2": Words("Tiếp xúc gần (dưới 2 m) với người bệnh?", "Close contact (under 2 m) with a patient?"),
}
_PLACES = {"DiaChiLienLac_VN": forms.COMMUNE, "DiaDiemKhoiHanh": forms.ORIGIN, "DiaDiemNoiDen": forms.DESTINATION}
_AS_IT_IS = (
    *("FullName", "NamSinh", "MaGioiTinh", "SoHoChieu", "SoDienThoai", "DiaChiLienLac_VN_ChiTiet"),
    *("LoaiXe", "SoHieuPhuongTien", "GioKhoiHanh", "QuocGiaDenTrong21NgayQua"),
)


def _ward(place: str) -> str:
    return f"{place}_MaPhuongXa"


def _list(answers: Answers, name: str, ids: Mapping[str, Any]) -> str:
    """The app's list of answers: JSON inside a text."""
    told = []
    for id in ids:
        answer = said(answers, f"{name}.{id}")
        told.append({"ID": id, **({"Value": answer == "true"} if answer else {})})
    return msgspec.json.encode(told).decode()


def _write(answers: Answers) -> bytes:
    nation = said(answers, "MaQuocTich")
    payload: dict[str, Any] = {name: said(answers, name) for name in _AS_IT_IS} | {
        "MaQuocTich": _VIETNAM if nation == "VN" else nation,
        "NgayKhoiHanh": forms.departs(said(answers, "NgayKhoiHanh"), "", order="ymd"),
        "TrieuChungBenh": _list(answers, "TrieuChungBenh", _SIGNS),
        "LichSuPhoiNhiem": _list(answers, "LichSuPhoiNhiem", _EXPOSURES),
        "DongY": list(answers.get("DongY", ())),
    }
    for place in _PLACES:
        ward = said(answers, _ward(place))
        payload |= {f"{place}_MaTinh": forms.province_of(ward), f"{place}_MaHuyen": "", _ward(place): ward}
    return msgspec.json.encode(payload)


def _fill(raw: Mapping[str, Any]) -> dict[str, list[str]]:
    trip, health, home = raw["trip"], raw["health"], raw["residence"]
    day, _, hour = trip["departs_at"].partition("T")
    one = {
        "FullName": raw["name"],
        "NamSinh": raw["birth_date"][:4],
        "MaGioiTinh": _OUR_SEX[raw["sex"]],
        "MaQuocTich": raw["nationality"],
        "SoHoChieu": raw["document"]["number"],
        "SoDienThoai": raw["phone"],
        _ward("DiaChiLienLac_VN"): home["commune"],
        "DiaChiLienLac_VN_ChiTiet": home["address"],
        _ward("DiaDiemKhoiHanh"): trip["origin"]["commune"],
        _ward("DiaDiemNoiDen"): trip["destination"]["commune"],
        "LoaiXe": trip["vehicle"],
        "SoHieuPhuongTien": trip.get("plate", ""),
        "NgayKhoiHanh": day,
        "GioKhoiHanh": hour[:5],
        "LichSuPhoiNhiem.exposure1": "false",
        "LichSuPhoiNhiem.exposure2": "true" if health["contact"] else "false",
        "QuocGiaDenTrong21NgayQua": health.get("places", ""),
        **{f"TrieuChungBenh.{id}": "true" if health["symptoms"][ours] else "false" for id, ours in _SIGNS.items()},
    }
    return {name: [value] for name, value in one.items()} | {"DongY": list(raw["consents"])}


TWIN = Twin(
    name="bluezone",
    platform="BLUEZONE",
    title=Words("Bluezone (mô phỏng)", "Bluezone (stand-in)"),
    stands_for=Words("Bản mô phỏng ứng dụng Bluezone", "A stand-in of the Bluezone app"),
    content_type="application/json",
    sections=(
        (
            forms.PERSON,
            (
                Field("FullName", forms.NAME),
                Field("SoHoChieu", forms.NUMBER, required=False),
                Field("NamSinh", forms.YEAR, "number"),
                Field("MaGioiTinh", forms.SEX, "choice", _SEXES),
                Field("MaQuocTich", forms.NATION, "country"),
                Field("SoDienThoai", forms.PHONE, "phone"),
            ),
        ),
        (
            forms.HOME,
            (
                forms.commune(_ward("DiaChiLienLac_VN"), forms.COMMUNE),
                Field("DiaChiLienLac_VN_ChiTiet", forms.ADDRESS),
            ),
        ),
        (
            forms.TRIP,
            (
                forms.commune(_ward("DiaDiemKhoiHanh"), forms.ORIGIN),
                forms.commune(_ward("DiaDiemNoiDen"), forms.DESTINATION),
                Field("LoaiXe", forms.VEHICLE, "choice", forms.VEHICLES),
                Field("SoHieuPhuongTien", forms.PLATE, required=False),
                Field("NgayKhoiHanh", forms.DAY, "date"),
                Field("GioKhoiHanh", forms.HOUR, "time"),
            ),
        ),
        (
            forms.HEALTH,
            (
                *(
                    Field(f"TrieuChungBenh.{id}", forms.SYMPTOMS[ours], "yes_no", _YES_NO)
                    for id, ours in _SIGNS.items()
                ),
                *(Field(f"LichSuPhoiNhiem.{id}", words, "yes_no", _YES_NO) for id, words in _EXPOSURES.items()),
                Field("QuocGiaDenTrong21NgayQua", forms.PLACES, required=False),
            ),
        ),
        forms.consents("DongY"),
    ),
    write=_write,
    fill=_fill,
    door="/api/AppInforEntryPerson/InsertEntryPersonReport",
)
