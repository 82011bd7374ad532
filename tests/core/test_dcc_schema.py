"""The content of an EU DCC: what breaks the schema is named; what honest issuers get wrong is taken."""

import datetime as dt
import json
from typing import Any

import pytest

from motma.core.errors import Invalid
from motma.core.legacy.dcc import verify_dcc
from motma.core.legacy.dcc_schema import what_is_wrong
from tests.core.ministry import (
    ANCHORS,
    ISSUED,
    NOW,
    PASSPORT,
    RECOVERY,
    TEST,
    VACCINATION,
    cwt,
    issue,
    pack,
    reading_of,
    refused,
)

BROKEN = ...


def changed(path: str, value: object) -> dict[str, Any]:
    """The passport with one thing changed, or left out."""
    content: Any = json.loads(json.dumps(PASSPORT))
    *steps, last = path.split(".")
    at = content
    for step in steps:
        at = at[int(step)] if step.isdigit() else at[step]
    if value is BROKEN:
        del at[last]
    else:
        at[int(last) if last.isdigit() else last] = value
    return content


@pytest.mark.parametrize(
    ("path", "value"),
    [
        *((path, BROKEN) for path in ("ver", "nam", "dob", "v")),
        *((f"v.0.{field}", BROKEN) for field in VACCINATION),
        *((f"v.0.{field}", {"a": 1}) for field in VACCINATION),
        *(("ver", version) for version in ("", "1", "1.3", "2.0.0", "1.3.0 ", "1,3,0", 1.3, None)),
        *(("nam", name) for name in ("Nguyễn", [], None)),
        ("nam.fnt", "Nguyen"),
        ("nam.fnt", 5),
        ("nam.gnt", "ÁNH"),
        ("nam.fn", "😀"),
        ("nam.gn", "Ánh\u0000"),
        ("nam.gn", 7),
        *(("dob", born) for born in ("1815-08-24", "2100-01-01", "1990-13", "1990-02-30", "90", "12/05/1990", " ")),
        *(("dob", born) for born in (1990, None, "2022-03-01", "1990-5-1", "199０-05-12")),
        *((f"v.0.{dose}", number) for dose in ("dn", "sd") for number in (0, -1, "2", 2.0, True, 10**30)),
        *(("v.0.dt", day) for day in ("2021-12", "2021-13-01", "20211220", "", "yesterday")),
        *(("v.0.co", country) for country in ("", "vn", "XY", "QZ", "ZZ", "V1")),
        ("v.0.ma", "ORG-99999999"),
        ("v", []),
        ("v", {}),
        ("v", "v"),
        ("v", [VACCINATION, VACCINATION]),
        ("v.0", "Comirnaty"),
    ],
    ids=str,
)
def test_what_is_not_to_the_schema_is_named(path: str, value: object) -> None:
    content = changed(path, value)
    (wrong,) = what_is_wrong(content, ISSUED)
    assert path == wrong or wrong.startswith(path) or (path, wrong) == ("v.0", "v.0")
    text = pack(issue(cwt(content)))
    with pytest.raises(Invalid) as caught:
        verify_dcc(text, ANCHORS, NOW)
    assert caught.value.code == "dcc.schema" and list(caught.value.fields) == [wrong]
    assert "dcc.schema" in [problem.code for problem in reading_of(text).problems]


@pytest.mark.parametrize(
    ("path", "value"),
    [
        *(("dob", born) for born in ("1990", "1990-05", "1990-00-00", "", "1990-05-12T00:00:00")),
        *(("ver", version) for version in ("1.0.0", "1.3.3", "1.10.12")),
        ("nam", {"gnt": "THI<ANH<DAO"}),
        ("nam", {"fnt": ""}),
        ("nam.fn", None),
        ("v.0.dn", 9),
        ("v.0.co", "XK"),
        ("v.0.co", "UNHCR"),
        ("v.0.ma", "Abdala"),
        ("v.0.dt", "2021-12-20T00:00:00+07:00"),
        ("v.0.is", "B" * 200),
        ("t", None),
        ("meta", {"more": 1}),
    ],
    ids=str,
)
def test_what_honest_issuers_write_is_taken(path: str, value: object) -> None:
    assert what_is_wrong(changed(path, value), ISSUED) == ()


def test_a_certificate_is_about_one_thing() -> None:
    assert what_is_wrong({**PASSPORT, "t": [TEST]}, ISSUED) == ("v", "t")
    assert what_is_wrong({**PASSPORT, "ver": "1.2.1", "v": [VACCINATION, VACCINATION]}, ISSUED) == ()
    assert refused(pack(issue(cwt({**PASSPORT, "r": [RECOVERY]})))) == "dcc.schema"


def test_dates_may_be_dates_of_cbor() -> None:
    taken = dt.datetime(2022, 2, 28, 7, tzinfo=dt.UTC)
    content = {**PASSPORT, "v": None, "t": [TEST | {"sc": taken}]}
    assert verify_dcc(pack(issue(cwt(content))), ANCHORS, NOW).dcc.kinds == ("test",)
