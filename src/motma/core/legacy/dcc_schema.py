"""The content of an EU Digital COVID Certificate against its schema, 1.0.0 to 1.3.3, and in lines for people.

Written by hand after ehn-dcc-schema. Stricter in three things that no honest certificate gets wrong: nobody is born
after their certificate was issued, names hold no pictures or control characters, and codes that are no country
(ISO 3166-1, user-assigned) or no maker (EMA: "ORG-" and nine digits; San Marino writes ten) are refused. Laxer in two
that real issuers do get wrong: lengths are not judged, since the code itself is small, and a date may come with a time.
Value sets are not held against a certificate: they change by the week, and what counts is for the measure to say.
"""

import datetime as dt
import re
import unicodedata
from collections.abc import Callable, Mapping
from typing import Any, Final

GROUPS: Final = {"v": "vaccination", "t": "test", "r": "recovery"}
"""What a certificate may be about, by its key in the payload."""

COVID_19: Final = "840539006"
"""The disease, in SNOMED CT."""
_VERSION = re.compile(r"1\.([0-9]{1,4})\.[0-9]{1,4}")
_ONE_ENTRY_SINCE = 3  # schema 1.3.0: exactly one entry; before, at least one
_BIRTH = re.compile(r"(?:(?:19|20)[0-9]{2}(?:-[0-9]{2}){0,2})?")
_TIME_OF_DAY = r"[Tt ][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]+)?)?(?:[Zz]|[+-][0-9]{2}(?::?[0-9]{2})?)?"
_DATE = re.compile(rf"([0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}})(?:{_TIME_OF_DAY})?")
_DATE_TIME = re.compile(rf"([0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}){_TIME_OF_DAY}")
_STANDARDISED = re.compile(r"[A-Z<]*")  # ICAO 9303-3
_COUNTRY = re.compile(r"[A-Z]{1,10}")
_NO_COUNTRY = re.compile(r"AA|ZZ|Q[M-Z]|X[A-JL-Z]")  # XK is Kosovo, by custom
_MAKER = re.compile(r"ORG-[0-9]{9,10}|(?!ORG-).*", re.DOTALL)
_NO_LETTERS = frozenset({"So", "Cc", "Cs", "Co", "Cn"})
_PRODUCTS = {
    "EU/1/20/1528": "Comirnaty (Pfizer-BioNTech)",
    "EU/1/20/1507": "Spikevax (Moderna)",
    "EU/1/21/1529": "Vaxzevria (AstraZeneca)",
    "EU/1/20/1525": "Jcovden (Janssen)",
    "EU/1/21/1618": "Nuvaxovid (Novavax)",
}
_TESTS = {"LP6464-4": "PCR", "LP217198-3": "rapid"}
_RESULTS = {"260415000": "not detected", "260373001": "detected"}


def what_is_wrong(content: object, issued_at: dt.datetime | None) -> tuple[str, ...]:
    """The paths in ``content`` that break the schema ("nam.fnt", "v.0.dn"), in order; empty when it is sound."""
    if not isinstance(content, Mapping):
        return ("",)
    wrong = []
    version = _VERSION.fullmatch(plain(content.get("ver")))
    if version is None:
        wrong.append("ver")
    wrong += [f"nam.{path}" if path else "nam" for path in _wrong_in_name(content.get("nam"))]
    if not _is_birth_date(content.get("dob"), issued_at):
        wrong.append("dob")
    groups = [key for key in GROUPS if content.get(key) is not None]
    if len(groups) != 1:
        return (*wrong, *(groups or ["v"]))
    entries = content[groups[0]]
    at_most = 1 if version and int(version[1]) >= _ONE_ENTRY_SINCE else 10
    if not isinstance(entries, list | tuple) or not 1 <= len(entries) <= at_most:
        return (*wrong, groups[0])
    for at, entry in enumerate(entries):
        wrong += [f"{groups[0]}.{at}{path}" for path in _wrong_in_entry(groups[0], entry)]
    return tuple(wrong)


def kinds(content: object) -> tuple[str, ...]:
    """What ``content`` is about: "vaccination", "test", "recovery"; several only in what is not to the schema."""
    if not isinstance(content, Mapping):
        return ()
    return tuple(kind for key, kind in GROUPS.items() if content.get(key) is not None)


def entries_of(content: object, key: str) -> list[Mapping[Any, Any]]:
    """The entries of one group ("v", "t", "r") that are maps, whether or not they are to the schema; ten at most."""
    entries = content.get(key) if isinstance(content, Mapping) else None
    if not isinstance(entries, list | tuple):
        return []
    return [entry for entry in entries[:10] if isinstance(entry, Mapping)]


def line(key: str, entry: Mapping[Any, Any]) -> str:
    """One entry of group ``key`` on one line, for people; what is missing is left out."""

    def at(field: str) -> str:
        return shown(entry.get(field))

    disease = "" if at("tg") == COVID_19 else at("tg")
    if key == "v":
        doses = f"{at('dn')}/{at('sd')}" if at("dn") and at("sd") else at("dn")
        parts = [day(entry.get("dt")), doses, _PRODUCTS.get(at("mp"), at("mp")), disease, at("co")]
    elif key == "t":
        kind, result = at("tt"), at("tr")
        parts = [day(entry.get("sc")), _TESTS.get(kind, kind), _RESULTS.get(result, result), disease, at("co")]
    else:
        parts = [day(entry.get("fr")), f"({day(entry.get('df'))} – {day(entry.get('du'))})", disease, at("co")]
    return " ".join(part for part in parts if part)


def shown(value: object) -> str:
    """A text or number as people may see it; "" for what must not be shown (control characters, marks of direction)."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value) if abs(value) < 10**9 else ""
    text = plain(value).strip()[:200]
    return text if text.isprintable() else ""


def day(value: object) -> str:
    """The date that a date or a moment begins with, or ""."""
    match = _DATE.fullmatch(plain(value))
    return match[1] if match else ""


def plain(value: object) -> str:
    """The text that stands there; CBOR's own dates (tags 0 and 1004), which some issuers use, as ISO 8601."""
    if isinstance(value, dt.date):  # a datetime is one too
        return value.isoformat()
    return value if isinstance(value, str) else ""


def _wrong_in_name(name: object) -> list[str]:
    if not isinstance(name, Mapping):
        return [""]
    wrong = [part for part in ("fn", "gn") if name.get(part) is not None and not _is_name(name[part])]
    standardised = [part for part in ("fnt", "gnt") if name.get(part) is not None]
    wrong += [part for part in standardised if not _matches(_STANDARDISED)(name[part])]
    return wrong if standardised else [*wrong, "fnt"]


def _is_name(value: object) -> bool:
    return isinstance(value, str) and not any(unicodedata.category(char) in _NO_LETTERS for char in value)


def _is_birth_date(value: object, issued_at: dt.datetime | None) -> bool:
    """A date between 1900 and 2099, in full, without day, without month, or none; unknown parts may be 00."""
    text = plain(value)
    if not isinstance(value, str | dt.date) or not _BIRTH.fullmatch(day(value) or text):
        return False
    year, month, of_month = (text[:4] or "1900", text[5:7], text[8:10])
    try:
        born = dt.date(int(year), int(month or 0) or 1, int(of_month or 0) or 1)
    except ValueError:
        return False
    # A day's grace: the sun rises on the newborn of the east while it is still yesterday in UTC.
    return issued_at is None or born <= issued_at.date() + dt.timedelta(days=1)


def _wrong_in_entry(key: str, entry: object) -> list[str]:
    if not isinstance(entry, Mapping):
        return [""]
    return [
        f".{field}"
        for field, (required, is_right) in _FIELDS[key].items()
        if (required if entry.get(field) is None else not is_right(entry[field]))
    ]


def _matches(pattern: re.Pattern[str]) -> Callable[[object], bool]:
    return lambda value: isinstance(value, str) and pattern.fullmatch(value) is not None


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_dose(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 1 <= value < 1000


def _is_day(value: object, pattern: re.Pattern[str] = _DATE) -> bool:
    match = pattern.fullmatch(plain(value))
    try:
        return match is not None and dt.date.fromisoformat(match[1]) is not None
    except ValueError:
        return False


def _is_moment(value: object) -> bool:
    return _is_day(value, _DATE_TIME)


def _is_country(value: object) -> bool:
    return _matches(_COUNTRY)(value) and not _matches(_NO_COUNTRY)(value)


_COMMON: Mapping[str, tuple[bool, Callable[[object], bool]]] = {
    "tg": (True, _is_text),
    "co": (True, _is_country),
    "is": (True, _is_text),
    "ci": (True, _is_text),
}
_FIELDS: Mapping[str, Mapping[str, tuple[bool, Callable[[object], bool]]]] = {
    "v": {
        "vp": (True, _is_text),
        "mp": (True, _is_text),
        "ma": (True, _matches(_MAKER)),
        "dn": (True, _is_dose),
        "sd": (True, _is_dose),
        "dt": (True, _is_day),
        **_COMMON,
    },
    "t": {
        "tt": (True, _is_text),
        "nm": (False, _is_text),
        "ma": (False, _is_text),
        "sc": (True, _is_moment),
        "dr": (False, _is_moment),
        "tr": (True, _is_text),
        "tc": (False, _is_text),  # required before 1.3.0
        **_COMMON,
    },
    "r": {"fr": (True, _is_day), "df": (True, _is_day), "du": (True, _is_day), **_COMMON},
}
