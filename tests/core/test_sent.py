"""What a platform sent comes back value for value, whatever it holds beside the form and however it is written."""

import copy
import datetime as dt
import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from motma.core.errors import Invalid
from motma.core.form import NOTHING_MORE, Declaration, parse_declaration
from motma.core.sent import EXTRA_MAX_BYTES, as_sent, with_extra
from motma.forms import load_form, load_units

VECTORS = json.loads((Path(__file__).parents[2] / "vectors" / "forms" / "declaration-2026-1.json").read_text("utf-8"))
NOW, FORM, UNITS = dt.datetime.fromisoformat(VECTORS["now"]), load_form("2026-1"), load_units()
PLAIN = VECTORS["base"] | {
    "phone": "+84501234567",
    "document": {"kind": "cccd", "number": "999187123456"},
    "trip": VECTORS["base"]["trip"] | {"plate": "59X312345", "departs_at": "2021-08-14T14:30+07:00"},
    "health": {"symptoms": {one.id: False for one in FORM.symptoms}, "contact": False},
}


def kept(sent: dict[str, Any]) -> Declaration:
    """What lies in the store after ``sent`` came in."""
    declared = with_extra(parse_declaration(sent, FORM, UNITS, frozenset(VECTORS["checkpoints"]), NOW), sent, FORM)
    return msgspec.json.decode(msgspec.json.encode(declared), type=Declaration)


def at(sent: dict[str, Any], path: tuple[str, ...]) -> dict[str, Any]:
    for step in path:
        sent = sent[step]
    return sent


def test_what_is_sent_as_the_house_writes_it_is_kept_once() -> None:
    assert kept(PLAIN).extra == NOTHING_MORE and as_sent(kept(PLAIN), FORM) == PLAIN


_MEMBERS = st.sampled_from([(), ("document",), ("residence",), ("trip",), ("trip", "origin"), ("health",)])
_NAMES = st.text(max_size=8).map(lambda name: f"x{name}") | st.sampled_from(["extra", "issuer", "Họ tên", "1"])
_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**30), 10**30) | st.floats(allow_nan=False) | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
_STYLES: list[dict[str, Any]] = [
    {},
    {"phone": "050 123 45 67", "name": "  Nguyễn   Thị Minh"},
    {"birth_date": "1987"},
    {"nationality": "FR", "document": {"kind": "passport", "number": "12ab 345"}},
    {"document": {"kind": "none"}, "guardian": {"kind": "cccd", "number": "999187123456", "issuer": "VN"}},
    {"document": {"kind": "none", "number": ""}, "guardian": {"kind": "passport", "number": "A12345", "issuer": "FR"}},
    {"guardian": None, "trip": VECTORS["base"]["trip"], "health": VECTORS["base"]["health"]},
]


@settings(max_examples=150, deadline=None, derandomize=True)
@given(st.sampled_from(_STYLES), st.lists(st.tuples(_MEMBERS, _NAMES, _VALUES), max_size=5))
def test_every_value_comes_back(style: dict[str, Any], more: list[tuple[tuple[str, ...], str, Any]]) -> None:
    sent = copy.deepcopy(PLAIN | style)
    for path, name, value in more:
        at(sent, path).setdefault(name, value)
    declared = kept(sent)
    back = as_sent(declared, FORM)
    assert msgspec.json.encode(back, order="deterministic") == msgspec.json.encode(sent, order="deterministic")
    bare = msgspec.structs.replace(declared, extra=NOTHING_MORE)
    assert bare == parse_declaration(sent, FORM, UNITS, frozenset(VECTORS["checkpoints"]), NOW), "and changes nothing"


def test_it_is_bounded_in_bytes() -> None:
    room = EXTRA_MAX_BYTES - len('{"trip":{"x":""}}')
    full = copy.deepcopy(PLAIN)
    full["trip"]["x"] = "a" * room
    assert as_sent(kept(full), FORM) == full
    full["trip"]["x"] = "ă" * (room // 2 + 1)
    with pytest.raises(Invalid, match=r"declaration\.extra"):
        kept(full)


def test_a_year_alone_is_remembered_as_such() -> None:
    year, day = kept(PLAIN | {"birth_date": "1987"}), kept(PLAIN | {"birth_date": "1987-01-01"})
    assert (year.born, day.born) == ("1987", "1987-01-01") and year.birth_date == day.birth_date
    older = json.loads(msgspec.json.encode(day))
    del older["extra"], older["year_only"]
    assert msgspec.json.decode(json.dumps(older), type=Declaration) == msgspec.structs.replace(day, extra=NOTHING_MORE)
