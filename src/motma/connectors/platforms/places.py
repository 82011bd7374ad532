"""Provinces and communes as people write them: by code, by name, with or without tones and kind of place."""

import re
import unicodedata
from collections.abc import Iterable

from motma.core.cells import plain
from motma.core.form import Units

_KIND = re.compile(
    r"^(?:tỉnh|thành phố|tp\.?|t\.p\.?|phường|xã|đặc khu|p\.|x\.|province|city|commune|ward)\s+|^(?:tp|p|x)\.\s*",
    re.IGNORECASE,
)
_ALSO = {
    "HCM": "79", "TPHCM": "79", "TP HCM": "79", "SAI GON": "79", "HO CHI MINH CITY": "79",
    "HN": "01", "THUA THIEN HUE": "46",
}  # fmt: skip
"""Names of provinces that no list of units has, but everybody uses."""


class Places:
    """Names of one vintage's units -> codes. Whatever could be two places is none."""

    def __init__(self, units: Units) -> None:
        self._units = units
        self._provinces = _index(units.provinces.items())
        self._communes = {province: _index(units.communes_of(province).items()) for province in units.provinces}

    def province(self, text: str) -> str | None:
        """The code of a province; of one digit too few as well, as spreadsheets leave it."""
        if text.isascii() and text.isdigit():
            code = text.zfill(2)
            return code if code in self._units.provinces else None
        return _found(self._provinces, text) or _ALSO.get(plain(text))

    def commune(self, text: str, province: str) -> str | None:
        """The code of a commune of ``province``."""
        if text.isascii() and text.isdigit():
            code = text.zfill(5)
            return code if self._units.communes.get(code, ("", ""))[1] == province else None
        return _found(self._communes.get(province, {}), text)

    def both(self, text: str) -> tuple[str, str, str] | None:
        """(province, commune, what stands before them) of an address that ends in both."""
        parts = [part.strip() for part in re.split(r"[,;]| [-–] ", text) if part.strip()]
        if len(parts) < 2 or not (province := self.province(parts[-1])):
            return None
        commune = self.commune(parts[-2], province)
        return (province, commune, ", ".join(parts[:-2])) if commune else None

    def name(self, code: str) -> str:
        """What a code is called; the code itself if it is nobody's."""
        return self._units.provinces.get(code) or self._units.communes.get(code, (code, ""))[0]


def _index(units: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Every way to write a name -> its code, "" where two units are written so."""
    found: dict[str, str] = {}
    for code, name in units:
        for written in dict.fromkeys(_ways(name)):
            found[written] = "" if found.get(written, code) != code else code
    return found


def _ways(name: str) -> tuple[str, ...]:
    """From the most exact to the least: in full, without its kind, without tones, without both."""
    full = " ".join(unicodedata.normalize("NFC", name).casefold().split())
    short = _KIND.sub("", full)
    return full, short, "=" + plain(full), "=" + plain(short)


def _found(index: dict[str, str], text: str) -> str | None:
    for written in _ways(text):
        if code := index.get(written):
            return code
    return None
