"""How large codes are: the table of ``docs/code-format.md``, and the aims for a median citizen."""

import re
import statistics
import zlib
from pathlib import Path
from typing import Any

import cbor2
import msgspec
import zxingcpp

from motma.core import base45
from motma.core.claims import Sex
from motma.core.code import Companion, issue_code, key_id
from motma.core.cose import SigningKey
from motma.register.population import Population
from tests.core.test_code import CLAIMS
from vectors.code import make

KEY = SigningKey(make.PRIVATE, key_id(make.PRIVATE.public_key()))
CITIZEN = msgspec.structs.replace(CLAIMS, issuer="motma.demo", route=("g07",))
MEDIAN = msgspec.structs.replace(CITIZEN, name="Nguyễn Thị Sáu")
FRIEND = Companion(521322923144321717, "Nguyễn Thị Minh Khai")
SPEC = Path(__file__).resolve().parents[2] / "docs" / "code-format.md"


def size(text: str) -> tuple[int, int, int]:
    """(bytes of COSE, characters, version of the QR at level M)."""
    drawn: Any = zxingcpp.create_barcode(text, zxingcpp.BarcodeFormat.QRCode, ec_level="M")
    modules = len(memoryview(drawn.to_image(scale=1, add_quiet_zones=False)))
    return len(zlib.decompress(base45.decode(text))), len(text), (modules - 17) // 4


def of(**changes: Any) -> tuple[int, int, int]:
    return size(issue_code(msgspec.structs.replace(MEDIAN, **changes), KEY))


def live() -> tuple[int, int, int]:
    whole = make.claims(iss="motma.demo", name=MEDIAN.name, route=["g07"], cnf=make.cnf())
    return size(make.base45(zlib.compress(make.live(cbor2.dumps(whole)), 0)))


def test_the_table_in_the_specification_is_measured() -> None:
    point = bytes((2,)) + make.HOLDER.public_key().public_numbers().x.to_bytes(32, "big")
    rows = {
        "short name (5 letters)": of(name="Lý Na"),
        "median name (14), one checkpoint": of(),
        "… with the sex": of(sex=Sex.FEMALE),
        "… three checkpoints": of(route=("g07", "i03", "i11")),
        "long name (38)": of(name="Công Tằng Tôn Nữ Thị Diễm Phương Khánh"),
        "party of 4": of(party=(FRIEND,) * 3),
        "party of 10": of(party=(FRIEND,) * 9),
        "bound to the holder's key": of(holder_key=point),
        "… and proved live": live(),
    }
    table = re.findall(r"^\| (.+?) \| (\d+) \| (\d+) \| (\d+) \|$", SPEC.read_text("utf-8"), re.MULTILINE)
    assert {about: tuple(map(int, numbers)) for about, *numbers in table} == rows


def test_a_median_citizen_fits_in_230_bytes_and_version_11() -> None:
    people = Population(2021, 3_000)
    names = [people.person(n).name for n in range(len(people))]
    sizes = [size(issue_code(msgspec.structs.replace(CITIZEN, name=name), KEY)) for name in names[::10]]
    assert statistics.median(bytes_ for bytes_, _, _ in sizes) <= 230
    assert statistics.median(version for _, _, version in sizes) <= 11
