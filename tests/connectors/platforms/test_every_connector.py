"""The suite that every connector passes, over its recorded samples: theirs -> ours -> theirs."""

import json
from typing import Any
from urllib.parse import parse_qsl, urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from motma.connectors.platforms import CONNECTORS, Reported, Sent, in_their_names
from motma.core.errors import Invalid, Problem
from motma.core.form import parse_declaration
from motma.core.words import Words
from motma.forms import load_form, load_units
from motma.web.docs import sample_declaration
from tests.connectors.platforms.recorded import NOW, Sample, plain, samples

FORM, UNITS = load_form("2026-1"), load_units()
ALL = samples()
GOOD = [sample for sample in ALL if not sample.file.name.startswith("problem-")]
BAD = [sample for sample in ALL if sample.file.name.startswith("problem-")]
DECLARATIONS = [sample for sample in GOOD if [item["kind"] for item in sample.expected["items"]] == ["declaration"]]
SINGLE = tuple(name for name in ("tokhaiyte", "ncovi", "bluezone", "dicuan") if name in CONNECTORS)
"""The four platforms: a payload is one declaration, and comes back as it was."""

_anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


def test_every_connector_has_samples_good_and_bad() -> None:
    for name in CONNECTORS:
        assert any(sample.connector.name == name for sample in GOOD), name
        assert any(sample.connector.name == name for sample in BAD), name


@pytest.mark.parametrize("sample", ALL, ids=str)
def test_theirs_become_ours(sample: Sample) -> None:
    assert sample.became() == sample.expected


@pytest.mark.parametrize("sample", DECLARATIONS, ids=str)
def test_the_form_takes_what_became_ours(sample: Sample) -> None:
    for item in sample.read():
        assert isinstance(item, Sent)
        declaration = parse_declaration(item.raw, FORM, UNITS, frozenset(), NOW)
        assert set(declaration.consents) == {purpose.id for purpose in FORM.purposes}


@pytest.mark.parametrize("sample", [one for one in DECLARATIONS if one.connector.name in SINGLE], ids=str)
def test_ours_become_theirs_again(sample: Sample) -> None:
    (item,) = sample.read()
    assert isinstance(item, Sent)
    again = sample.connector.to_theirs(item.raw)
    dropped = set(item.raw["extra"].get("dropped", ()))
    was = plain(sample.body)
    if isinstance(was, dict):
        assert plain(again) == {name: value for name, value in was.items() if name not in dropped}
    else:
        assert plain(again) == [pair for pair in was if pair[0] not in dropped]
    (second,) = sample.read(again)
    assert isinstance(second, Sent)
    second.raw["extra"].pop("dropped", None)
    assert second.raw["extra"] == {name: value for name, value in item.raw["extra"].items() if name != "dropped"}
    assert {**second.raw, "extra": None} == {**item.raw, "extra": None}
    assert sample.connector.to_theirs(second.raw) == again


@pytest.mark.parametrize("sample", GOOD, ids=str)
def test_a_repeated_delivery_has_the_same_keys_and_another_one_has_others(sample: Sample) -> None:
    keys = [item.key for item in sample.read() if isinstance(item, Sent | Reported)]
    assert keys == [item.key for item in sample.read() if isinstance(item, Sent | Reported)]
    assert len([*filter(None, keys)]) == len({*filter(None, keys)})
    assert all(key.isascii() and len(key) <= 200 and " " not in key for key in keys)


@pytest.mark.parametrize("sample", [one for one in DECLARATIONS if one.connector.name in SINGLE], ids=str)
def test_in_another_order_it_is_the_same_delivery_and_with_another_phone_it_is_not(sample: Sample) -> None:
    (item,) = sample.read()
    assert isinstance(item, Sent)
    parts = plain(sample.body)
    if isinstance(parts, dict):
        turned = json.dumps(dict(reversed(parts.items()))).encode()
    else:
        turned = urlencode(sorted(parse_qsl(sample.body.decode(), True), key=lambda pair: pair[0])).encode()
    (again,) = sample.read(turned)
    assert isinstance(again, Sent) and again.key == item.key
    if not item.key or item.key.startswith("day:"):
        return  # no id of their own: the delivery's key counts; a daily one counts once a day, whatever it says
    phone = item.raw["phone"].removeprefix("+").encode()
    (other,) = sample.read(sample.body.replace(phone, phone[:-1] + (b"1" if phone.endswith(b"2") else b"2")))
    assert isinstance(other, Sent) and other.key != item.key


@pytest.mark.parametrize("name", sorted(SINGLE))
def test_a_child_without_a_number_keeps_its_guardian(name: str) -> None:
    connector = CONNECTORS[name]
    native = sample_declaration(FORM, NOW) | {
        "document": {"kind": "none", "number": ""},
        "guardian": {"kind": "cmnd", "number": "999158322"},
    }
    (item,) = connector.to_ours(connector.to_theirs(native), connector.content_types[0], NOW)
    assert isinstance(item, Sent)
    guardian = parse_declaration(item.raw, FORM, UNITS, frozenset(), NOW).guardian
    assert guardian and (guardian.kind, guardian.number) == ("cmnd", "999158322")


@pytest.mark.parametrize("name", sorted(SINGLE))
def test_a_declaration_sent_natively_is_told_in_their_form(name: str) -> None:
    connector = CONNECTORS[name]
    for vehicle, plate in (("motorbike", "59X312345"), ("plane", ""), ("truck", "51C12345")):
        native = sample_declaration(FORM, NOW)
        native["trip"] = {**native["trip"], "vehicle": vehicle, "plate": plate}
        native["health"]["symptoms"]["cough"] = vehicle == "plane"
        (item,) = connector.to_ours(connector.to_theirs(native), connector.content_types[0], NOW)
        assert isinstance(item, Sent)
        ours = parse_declaration(item.raw, FORM, UNITS, frozenset(), NOW)
        meant = parse_declaration(native, FORM, UNITS, frozenset({"g04-ba-lang"}), NOW)
        for field in ("name", "sex", "nationality", "document", "phone", "residence", "symptoms", "contact", "places"):
            assert getattr(ours, field) == getattr(meant, field), field
        assert ours.birth_date.year == meant.birth_date.year
        assert (ours.trip.origin, ours.trip.destination) == (meant.trip.origin, meant.trip.destination)
        assert (ours.trip.vehicle, ours.trip.plate) == (vehicle, plate)
        assert ours.trip.departs_at == meant.trip.departs_at


@pytest.mark.parametrize("sample", GOOD, ids=str)
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_garbage_is_refused_and_never_a_crash(sample: Sample, data: st.DataObject) -> None:
    body = sample.body
    kind = data.draw(st.sampled_from(("bytes", "cut", "flipped", "member")))
    if kind == "bytes":
        body = data.draw(st.binary(max_size=200))
    elif kind == "cut":
        body = body[: data.draw(st.integers(0, len(body)))]
    elif kind == "flipped" and body:
        at = data.draw(st.integers(0, len(body) - 1))
        body = body[:at] + data.draw(st.binary(max_size=3)) + body[at + 1 :]
    elif isinstance(payload := plain(body) if sample.file.suffix == ".json" else None, dict):
        body = _changed(payload, data)
    try:
        items = sample.read(body)
    except Invalid as refused:
        assert refused.code.startswith("inbox.")
        return
    for item in items:
        if isinstance(item, Sent):
            sample.connector.to_theirs(item.raw)


def _changed(payload: dict[str, Any], data: st.DataObject) -> bytes:
    """One member, at any depth, is something else or gone."""
    here: Any = payload
    while True:
        name = data.draw(st.sampled_from(sorted(here))) if here else ""
        if name and isinstance(here[name], dict) and data.draw(st.booleans()):
            here = here[name]
            continue
        if name and data.draw(st.booleans()):
            del here[name]
        else:
            here[name] = data.draw(_anything)
        return json.dumps(payload).encode()


@settings(max_examples=60, deadline=None)
@given(
    extra=_anything | st.fixed_dictionaries({"of": st.sampled_from(SINGLE), "theirs": _anything, "without": _anything})
)
def test_any_extra_is_borne_on_the_way_out(extra: object) -> None:
    for name in SINGLE:
        CONNECTORS[name].to_theirs(sample_declaration(FORM, NOW) | {"extra": extra})


def test_problems_of_ours_are_told_by_their_names() -> None:
    problem = Problem("field.missing", Words("Ô này cần được điền.", "This must be filled in."))
    (item,) = GOOD[0].read()
    assert isinstance(item, Sent)
    told = in_their_names(
        {"phone": problem, "trip.departs_at": problem, "unheard_of": problem}, {"phone": "A", "trip": "B"}
    )
    assert told == {"A": problem, "B": problem, "unheard_of": problem}
    for path in ("name", "birth_date", "document.number", "residence.commune", "trip.plate", "health.symptoms.fever"):
        assert path not in in_their_names({path: problem}, item.names), path
