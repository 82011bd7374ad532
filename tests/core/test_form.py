"""The form: every problem at once, nothing but Invalid, and the published data it rests on."""

import copy
import datetime as dt
import json
import time
from collections import Counter
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from motma.core.errors import Invalid
from motma.core.form import Declaration, Form, Units, parse_declaration
from motma.core.text import parse_line, parse_name
from motma.forms import load_countries, load_form, load_units
from motma.measures import load_demo_measure

VECTORS = json.loads((Path(__file__).parents[2] / "vectors" / "forms" / "declaration-2026-1.json").read_text("utf-8"))
NOW = dt.datetime.fromisoformat(VECTORS["now"])
CHECKPOINTS = frozenset(VECTORS["checkpoints"])


def parse(raw: Any) -> Declaration:
    return parse_declaration(raw, load_form("2026-1"), load_units(), CHECKPOINTS, NOW)


def declared(changes: dict[str, Any]) -> dict[str, Any]:
    """The vectors' base with a value put at each dotted path; ``None`` removes it."""
    raw = copy.deepcopy(VECTORS["base"])
    for path, value in changes.items():
        *steps, last = path.split(".")
        here = raw
        for step in steps:
            here = here[step]
        if value is None:
            del here[last]
        else:
            here[last] = value
    return raw


def problems_of(raw: Any) -> dict[str, str]:
    with pytest.raises(Invalid) as caught:
        parse(raw)
    assert caught.value.code == "declaration.fields"
    assert all(problem.words.vi and problem.words.en for problem in caught.value.fields.values())
    return {path: problem.code for path, problem in caught.value.fields.items()}


def at(declaration: Declaration, path: str) -> Any:
    here: Any = declaration
    for step in path.split("."):
        here = getattr(here, step)
    return list(here) if isinstance(here, tuple) else here.isoformat() if isinstance(here, dt.date) else here


@pytest.mark.parametrize("case", VECTORS["cases"], ids=lambda case: case["about"])
def test_a_declaration_is_read_or_every_problem_told(case: dict[str, Any]) -> None:
    raw = declared(case["set"])
    if "problems" in case:
        assert problems_of(raw) == case["problems"]
    else:
        declaration = parse(raw)
        assert {path: at(declaration, path) for path in case["expect"]} == case["expect"]


def test_two_thirds_of_the_vectors_say_no() -> None:
    kinds = Counter("problems" in case for case in VECTORS["cases"])
    assert kinds[True] >= 2 * kinds[False]


def test_a_leap_day_in_a_year_that_has_none() -> None:
    for year, code in ((2000, None), (1900, "birth_date.impossible"), (2021, "birth_date.impossible")):
        raw = declared({"birth_date": f"{year}-02-29", "document": {"kind": "cmnd", "number": "999123456"}})
        if code:
            assert problems_of(raw) == {"birth_date": code}
        else:
            assert parse(raw).birth_date == dt.date(year, 2, 29)


@pytest.mark.parametrize("raw", [{}, [], "", None, 5, {"document": 5, "health": "no", "trip": [], "residence": None}])
def test_what_is_no_form_at_all_has_every_problem(raw: Any) -> None:
    assert len(problems_of(raw)) == 30


def test_huge_input_is_refused_quickly() -> None:
    many, long = ["x"] * 100_000, "x" * 10_000_000
    began = time.thread_time()
    for changes in (
        {"consents": many, "trip.checkpoints": many, "health.symptoms": many},
        {"consents": ["code"] * 100_000, "trip.checkpoints": ["cp-1"] * 100_000},
        dict.fromkeys(
            ["name", "birth_date", "sex", "nationality", "document.number", "document.kind", "phone",
             "residence.address", "residence.province", "residence.commune", "trip.vehicle", "trip.plate",
             "trip.departs_at", "health.places",
             "health.contact", "health.symptoms", "consents", "trip.checkpoints"],
            long,
        ),
        dict.fromkeys(["name", "residence", "trip", "health", "document"], dict.fromkeys(map(str, range(100_000)))),
    ):  # fmt: skip
        assert problems_of(declared(changes))
    assert time.thread_time() - began < 1


def test_depth_does_not_matter() -> None:
    deep: Any = "yes"
    for _ in range(100_000):
        deep = {"symptoms": deep}
    assert "health.symptoms.fever" in problems_of(declared({"health": deep}))
    while isinstance(deep, dict):  # taken apart by hand: the interpreter would recurse
        deep = deep.pop("symptoms")


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.binary(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["kind", "number", "province", "commune", "symptoms", "fever", "origin", ""])
            | st.integers(),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)
PATHS = [
    "name", "birth_date", "sex", "nationality", "document", "document.kind", "document.number", "phone", "residence",
    "residence.province", "residence.commune", "residence.address", "trip", "trip.origin", "trip.destination.commune",
    "trip.vehicle", "trip.plate", "trip.departs_at", "trip.checkpoints", "health", "health.symptoms",
    "health.symptoms.fever", "health.contact", "health.places", "consents",
]  # fmt: skip


@settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow])
@given(st.dictionaries(st.sampled_from(PATHS), JUNK.filter(lambda junk: junk is not None), max_size=5))
def test_nothing_but_invalid_comes_of_junk(changes: dict[str, Any]) -> None:
    # Longer paths first, so that a part is set before junk takes the place of the whole.
    raw = declared(dict(sorted(changes.items(), key=lambda item: -item[0].count("."))))
    try:
        declaration = parse(raw)
    except Invalid as refused:
        assert refused.code == "declaration.fields" and refused.fields
    else:
        assert msgspec.structs.asdict(declaration)


@given(st.datetimes(timezones=st.just(dt.UTC)))
def test_a_departure_is_in_range_or_refused(moment: dt.datetime) -> None:
    raw = declared({"trip.departs_at": moment.isoformat()})
    try:
        departs_at = parse(raw).trip.departs_at
    except Invalid:
        assert not NOW - dt.timedelta(days=1) <= moment <= NOW + dt.timedelta(days=30)
    else:
        assert departs_at == moment


# ---- published data


def test_the_form_asks_in_both_languages() -> None:
    form = load_form("2026-1")
    assert form.id == "2026-1" and load_form("2026-1") is form
    for choices in (form.symptoms, form.vehicles, form.purposes):
        assert len({choice.id for choice in choices}) == len(choices) > 3
        for choice in choices:
            assert choice.words.vi and choice.words.en and choice.words.vi != choice.words.en
            assert parse_line(choice.words.vi, 400) == choice.words.vi
            assert not choice.words.vi.isupper() and "!" not in choice.words.vi


def test_consents_say_what_for_what_and_how_long() -> None:
    form, measure = load_form("2026-1"), load_demo_measure(NOW)
    for purpose in form.purposes:
        assert "21 ngày" in purpose.words.vi and "21 days" in purpose.words.en, purpose.id
    assert measure.keep_days <= 21  # or the sentences lie
    for sensitive in ("health", "passage"):
        words = next(purpose.words for purpose in form.purposes if purpose.id == sensitive)
        assert "nhạy cảm" in words.vi and "sensitive" in words.en


@pytest.mark.parametrize("id", ["", "2025-9", "../measures/demo", "units-2025", "countries", "2026-1.json", "2026-1\n"])
def test_there_is_no_other_form(id: str) -> None:
    with pytest.raises(Invalid, match=r"form\.unknown"):
        load_form(id)


def test_the_units_of_2025() -> None:
    units = load_units()
    assert units.vintage == "2025-07-01"
    assert (len(units.provinces), len(units.communes)) == (34, 3321)
    assert list(units.provinces) == sorted(units.provinces) and next(iter(units.communes_of("79"))).isdigit()
    assert {len(code) for code in units.provinces} == {2} and {len(code) for code in units.communes} == {5}
    assert {home for _, home in units.communes.values()} == set(units.provinces)
    assert units.provinces["79"] == "Thành phố Hồ Chí Minh" and units.provinces["15"] == "Tỉnh Lào Cai"
    kinds = Counter(name.split()[0] for name, _ in units.communes.values())
    assert kinds == {"Xã": 2621, "Phường": 687, "Đặc": 13}
    for name, _ in units.communes.values():
        assert parse_line(name, 60) == name


def test_communes_are_listed_by_the_alphabet_as_the_script_lists_them() -> None:
    units = load_units()
    assert all(units.communes_by_name(one) == units.communes_of(one) for one in units.provinces)
    names = list(units.communes_by_name("79").values())
    assert names[:4] == ["Đặc khu Côn Đảo", "Phường An Đông", "Phường An Hội Đông", "Phường An Hội Tây"]
    assert [name for name in names if " Bì" in name][:3] == ["Phường Bình Cơ", "Phường Bình Dương", "Phường Bình Đông"]
    assert names[-1] == "Xã Xuyên Mộc" and units.communes_by_name("00") == {}


def test_communes_of_a_province_are_found_without_looking_at_all() -> None:
    units = load_units()
    assert sum(len(units.communes_of(province)) for province in units.provinces) == 3321
    assert len(units.communes_of("79")) == 168
    assert units.communes_of("00") == units.communes_of("") == {}
    assert units.communes_of("79") is units.communes_of("79")
    small = Units("x", {"01": "A"}, {"00001": ("B", "01")})
    assert small.communes_of("01") == {"00001": "B"}
    assert msgspec.json.decode(msgspec.json.encode(small), type=Units) == small


def test_the_countries() -> None:
    countries = load_countries()
    assert next(iter(countries)) == "VN" and len(countries) == 198
    assert all(len(code) == 2 and code.isascii() and code.isupper() for code in countries)
    assert len({words.vi for words in countries.values()}) == len({words.en for words in countries.values()}) == 198
    for words in countries.values():
        assert parse_line(words.vi, 60) == words.vi and parse_line(words.en, 60) == words.en
    assert load_form("2026-1").countries == countries


def test_a_form_without_countries_takes_any_two_letters() -> None:
    form = msgspec.structs.replace(load_form("2026-1"), countries={})
    raw = declared({"nationality": "ZZ", "document": {"kind": "passport", "number": "Z99912345"}})
    assert parse_declaration(raw, form, load_units(), CHECKPOINTS, NOW).document.issuer == "ZZ"
    with pytest.raises(Invalid):
        parse_declaration(declared({"nationality": "vn"}), form, load_units(), CHECKPOINTS, NOW)


def test_the_demo_measure_is_in_force_and_says_that_it_is_fictional() -> None:
    measure = load_demo_measure(NOW)
    assert measure.starts_at == NOW - dt.timedelta(days=1) and measure.ends_at == NOW + dt.timedelta(days=89)
    assert measure.active_at(NOW) and measure.areas == ("79",)
    assert (measure.pass_hours, measure.pending_hours, measure.keep_days) == (72, 24, 21)
    for words in (measure.legal_basis, measure.disease):
        assert "giả định" in words.vi and "ictional" in words.en
    assert isinstance(load_form(measure.form), Form)
    later = load_demo_measure(NOW + dt.timedelta(days=400))
    assert later.id == measure.id and later.active_at(NOW + dt.timedelta(days=400))


def test_names_in_the_vectors_are_names() -> None:
    assert parse_name(VECTORS["base"]["name"]) == VECTORS["base"]["name"]
