"""Published data of the form: its versions, the administrative units of 2025 and of 2021, the countries.

``<year>-<number>.json`` is one version of the form, never edited after its publication: a change of any word that
people agree to is a new version. The consent sentences say how long data is kept (21 days), so a measure that keeps
longer needs a new version too. What the files hold and where it comes from: ``NOTICE.md`` beside them.

All loaders read a file of this package once and keep what they read.
"""

import re
from functools import cache
from importlib.resources import files

import msgspec

from motma.core.errors import Invalid
from motma.core.form import Form, Units
from motma.core.oldunits import OldCommune, OldUnits
from motma.core.words import Words

_FORM_ID = re.compile(r"[0-9]{4}-[0-9]{1,3}")


@cache
def load_form(id: str) -> Form:
    """The published version ``id`` ("2026-1"). Raises :class:`Invalid` ``form.unknown``."""
    file = files(__package__) / f"{id}.json"
    if not _FORM_ID.fullmatch(id) or not file.is_file():
        raise Invalid("form.unknown", Words("Không có mẫu khai này.", "There is no such form."))
    form = msgspec.json.decode(file.read_bytes(), type=Form)
    return msgspec.structs.replace(form, countries=load_countries())


@cache
def load_units() -> Units:
    """The 34 provinces and 3,321 communes in force since 2025-07-01, by code."""
    return msgspec.json.decode((files(__package__) / "units-2025.json").read_bytes(), type=Units)


@cache
def load_old_units() -> OldUnits:
    """The 63 provinces, 705 districts and 10,599 communes of 2021, each with what it is part of since 2025-07-01."""
    file = msgspec.json.decode((files(__package__) / "units-2021.json").read_bytes(), type=_OldFile)
    communes: dict[str, OldCommune] = {}
    alone: dict[str, OldCommune] = {}
    for district, (name, _, lines) in file.districts.items():
        for line in lines:
            nearly = "~" in line
            named, _, became = line.partition("~" if nearly else "=")
            code, _, ward = named.partition(" ")
            commune = OldCommune(ward or name, district, tuple(became.split()), nearly)
            if code:
                communes[code] = commune
            else:
                alone[district] = commune
    districts = {code: (name, province) for code, (name, province, _) in file.districts.items()}
    return OldUnits(file.provinces, districts, communes, alone)


class _OldFile(msgspec.Struct, frozen=True):
    """``units-2021.json``: district -> (name, province, communes, each as ``tools/old_units.py`` writes it)."""

    provinces: dict[str, str]
    districts: dict[str, tuple[str, str, list[str]]]


@cache
def load_countries() -> dict[str, Words]:
    """ISO 3166-1 alpha-2 code -> the country's name: Vietnam first, then by the Vietnamese alphabet."""
    return msgspec.json.decode((files(__package__) / "countries.json").read_bytes(), type=dict[str, Words])
