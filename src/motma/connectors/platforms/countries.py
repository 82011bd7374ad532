"""Countries as platforms write them: two letters, the Vietnamese or English name, the name of ISO's list of 2020."""

import re
from functools import cache

from motma.core.text import fold
from motma.forms import load_countries

_NOT_LETTERS = re.compile("[^A-Z]")
_ALSO = {
    "AE": ("UAE",),
    "AU": ("Australia", "Ô-xtrây-li-a"),
    "BN": ("Brunei Darussalam",),
    "CD": ("Congo, the Democratic Republic of the",),
    "CG": ("Congo",),
    "CI": ("Cote d'Ivoire", "Ivory Coast"),
    "CV": ("Cape Verde",),
    "CZ": ("Czech Republic", "Cộng hòa Séc", "Tiệp"),
    "FM": ("Micronesia, Federated States of",),
    "GB": ("Vương quốc Anh", "UK"),
    "IR": ("Iran, Islamic Republic of",),
    "JP": ("Nhật",),
    "KH": ("Cam-pu-chia",),
    "KP": ("Korea, Democratic People's Republic of",),
    "KR": ("Korea, Republic of",),
    "LA": ("Lao People's Democratic Republic",),
    "LY": ("Libyan Arab Jamahiriya",),
    "MD": ("Moldova, Republic of",),
    "MK": ("Macedonia, the former Yugoslav Republic of",),
    "MM": ("Miến Điện",),
    "MY": ("Ma-lai-xi-a",),
    "PS": ("Palestinian Territory, Occupied", "Palestine, State of"),
    "RU": ("Russian Federation", "Liên bang Nga"),
    "SG": ("Xin-ga-po",),
    "SY": ("Syrian Arab Republic",),
    "SZ": ("Swaziland",),
    "TR": ("Turkey",),
    "TW": ("Taiwan, Province of China",),
    "TZ": ("Tanzania, United Republic of",),
    "US": ("Hoa Kỳ", "USA", "United States of America"),
    "VA": ("Holy See (Vatican City State)",),
    "VC": ("Saint Vincent and the Grenadines",),
}


def country_of(text: str) -> str:
    """ISO 3166-1 alpha-2 of a country, however it is written, with or without tones; "" for none that is known."""
    if len(text) == 2 and text.isascii():  # "MY" is Malaysia; only with its tone is it "Mỹ"
        return text if text in load_countries() else ""
    return _by_name().get(_key(text), "")


@cache
def _by_name() -> dict[str, str]:
    found: dict[str, str] = {}
    for code, words in load_countries().items():
        # What follows in brackets may be another country's name: "Hồng Kông (Trung Quốc)".
        for name in (words.vi, words.en, words.vi.partition("(")[0], words.en.partition("(")[0]):
            found[_key(name)] = code
        found |= {_key(name): code for name in _ALSO.get(code, ())}
    return found


def _key(name: str) -> str:
    return _NOT_LETTERS.sub("", fold(name))
