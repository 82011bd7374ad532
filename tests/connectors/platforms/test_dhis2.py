"""DHIS2 there and back, in whichever of its payloads; a mapping says what things are called, not what people said."""

import copy
import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from motma.connectors.platforms import Item, Reported, Sent, Skipped
from motma.connectors.platforms.dhis2 import DHIS2, Dhis2
from motma.connectors.platforms.dhis2.mapping import Mapping, example, read_mapping
from motma.core.errors import Invalid
from motma.core.form import parse_declaration
from motma.forms import load_form, load_units
from motma.web.docs import sample_declaration
from motma.wiring import load_dhis2
from tests.connectors.platforms.recorded import NOW, SAMPLES, samples

FORM, UNITS = load_form("2026-1"), load_units()
NESTED = json.loads((SAMPLES / "dhis2" / "tracked-entities-nested.json").read_text())
AUDIT = ("updatedAt", "createdAt", "storedBy", "lastUpdated")


def items(payload: Any, connector: Any = DHIS2) -> tuple[Item, ...]:
    read: tuple[Item, ...] = connector.to_ours(json.dumps(payload).encode(), "application/json", NOW)
    return read


def one_event(payload: Any, n: int = 0, **members: Any) -> dict[str, Any]:
    """The payload with only the ``n``-th event of its first entity, which has other ``members``."""
    changed: dict[str, Any] = copy.deepcopy(payload)
    enrollment = changed["trackedEntities"][0]["enrollments"][0]
    enrollment["events"] = [{**enrollment["events"][n], **members}]
    return changed


def bare(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: bare(inner) for name, inner in value.items() if name not in AUDIT}
    return [bare(inner) for inner in value] if isinstance(value, list) else value


@pytest.mark.parametrize("sample", [one for one in samples("dhis2") if "problem" not in one.file.name], ids=str)
def test_theirs_become_theirs_again(sample: Any) -> None:
    payload = json.loads(sample.body)
    payload.pop("pager", None)
    first = sample.read()[0]
    assert isinstance(first, Sent)
    back = json.loads(DHIS2.to_theirs(first.raw))
    alone = one_event(payload) if "trackedEntities" in payload and "events" not in payload else payload
    assert back == bare(alone)
    [again] = items(back)
    assert isinstance(again, Sent) and (again.raw, again.key) == (first.raw, first.key)


def test_what_the_programme_keeps_besides_comes_back_and_nothing_is_kept_twice() -> None:
    [item] = items(one_event(NESTED))
    assert isinstance(item, Sent)
    extra = json.dumps(item.raw["extra"], ensure_ascii=False)
    assert "14C" in extra and "đi một mình" in extra and "POE_FLIGHT_CLUB" in extra
    assert "DUPONT" not in extra and "99FR12345" not in extra and "kiosk4" not in extra


def test_exported_again_it_is_the_same() -> None:
    later = json.loads(json.dumps(NESTED).replace("01:00:00.000", "05:00:00.000").replace("kiosk4", "kiosk5"))
    assert items(later) == items(NESTED)
    keys = [item.key for item in items(NESTED) if isinstance(item, Sent | Reported)]
    assert len(set(keys)) == 2


def test_a_box_that_is_not_ticked_is_a_no_only_once_the_event_is_completed() -> None:
    [done] = items(one_event(NESTED))
    [active] = items(one_event(NESTED, status="ACTIVE"))
    assert isinstance(done, Sent) and isinstance(active, Sent)
    assert done.raw["health"]["symptoms"]["fever"] is False and done.raw["health"]["symptoms"]["cough"] is True
    assert active.raw["health"] == {"symptoms": {"cough": True}, "places": "Paris"}
    values = NESTED["trackedEntities"][0]["enrollments"][0]["events"][0]["dataValues"]
    without = [value for value in values if value["dataElement"] != "POE_CONSENT_HEALTH"]
    [item] = items(one_event(NESTED, dataValues=without))
    assert isinstance(item, Sent) and item.raw["consents"] == ["code", "identity", "passage"]
    with pytest.raises(Invalid) as caught:
        parse_declaration(active.raw, FORM, UNITS, frozenset(), NOW)
    assert "health.symptoms.fever" in caught.value.fields and active.names["health.symptoms.fever"] == "POE_FEVER"


@pytest.mark.parametrize(
    ("event", "members", "code"),
    [
        (0, {"deleted": True}, "inbox.not_completed"),
        (0, {"status": "SKIPPED"}, "inbox.not_completed"),
        (0, {"programStage": "ELSEWHERE"}, "inbox.other_stage"),
        (1, {"occurredAt": "soon"}, "inbox.missing"),
        (2, {}, "inbox.not_positive"),
    ],
)
def test_events_that_say_nothing_are_passed_over(event: int, members: dict[str, Any], code: str) -> None:
    [item] = items(one_event(NESTED, event, **members))
    assert isinstance(item, Skipped) and item.why.code == code and item.fields


def test_an_event_whose_entity_did_not_come_along_is_nobodys() -> None:
    event = {"event": "E", "programStage": "POE_DECLARATION", "trackedEntity": "T", "dataValues": []}
    [item] = items({"events": [event]})
    assert isinstance(item, Skipped) and item.why.code == "inbox.no_patient"


def test_a_mapping_of_ones_own_with_uids() -> None:
    mapping = msgspec.structs.replace(
        example(),
        stages=("Zj7UnCAulEk",),
        attributes={"w75KJ2mc4zz": "name", "code-of-number": "document.number"},
        fixed={"document.kind": "passport", "trip.vehicle": "boat"},
        org_units={},
    )
    own = Dhis2(read_mapping(msgspec.json.encode(mapping)))
    attributes = [
        {"attribute": "w75KJ2mc4zz", "value": "An"},
        {"attribute": "u", "code": "code-of-number", "value": 77},
    ]
    event = {"programStage": {"id": "Zj7UnCAulEk"}, "status": "COMPLETED", "dataValues": []}
    [item] = items({"trackedEntity": "T", "attributes": attributes, "enrollments": [{"events": [event]}]}, own)
    assert isinstance(item, Sent)
    assert item.raw["document"] == {"kind": "passport", "number": "77"} and item.raw["name"] == "An"
    assert item.raw["trip"]["vehicle"] == "boat"
    assert json.loads(own.to_theirs(item.raw))["trackedEntities"][0]["attributes"] == attributes


@pytest.mark.parametrize(
    "changes",
    [
        {"attributes": {"A": "nmae"}},
        {"fixed": {"health.contact": "false"}},
        {"org_units": {"U": {"consents.code": "true"}}},
        {"true_only": ["UNHEARD_OF"]},
        {"stages": []},
        {"unknown": 1},
        {"options": {"colour": {}}},
    ],
)
def test_a_mapping_that_means_nothing_or_answers_for_people_is_refused(changes: dict[str, Any]) -> None:
    whole = json.loads(msgspec.json.encode(example())) | changes
    with pytest.raises(Invalid, match=r"dhis2\.mapping"):
        read_mapping(json.dumps(whole).encode())
    assert isinstance(example(), Mapping)


def test_a_declaration_sent_natively_is_told_as_a_tracker_payload() -> None:
    native = sample_declaration(FORM, NOW)
    native["health"]["symptoms"]["cough"] = True
    native["trip"] |= {"vehicle": "plane", "plate": "", "checkpoints": []}
    own = Dhis2(msgspec.structs.replace(example(), data_elements={
        **example().data_elements, "FROM_P": "trip.origin.province", "FROM_C": "trip.origin.commune"
    }))  # fmt: skip
    [item] = items(json.loads(own.to_theirs(native)), own)
    assert isinstance(item, Sent)
    ours = parse_declaration(item.raw, FORM, UNITS, frozenset(), NOW)
    assert ours == parse_declaration(native, FORM, UNITS, frozenset(), NOW)


def test_crowds_are_refused() -> None:
    entity = {"enrollments": [{"events": [{}] * 2_001}]}
    with pytest.raises(Invalid, match=r"inbox\.entries"):
        items({"trackedEntities": [entity]})


def test_an_installation_names_its_mapping_in_a_file(tmp_path: Path) -> None:
    file = tmp_path / "mapping.json"
    file.write_bytes(msgspec.json.encode(msgspec.structs.replace(example(), name="own", stages=("OWN",))))
    assert load_dhis2(None) is None
    try:
        DHIS2.use(load_dhis2(file))
        [item] = items(one_event(NESTED, programStage="OWN"))
        assert isinstance(item, Sent)
    finally:
        DHIS2.use(None)
    [item] = items(one_event(NESTED, programStage="OWN"))
    assert isinstance(item, Skipped)
    with pytest.raises(Invalid, match=r"dhis2\.file"):
        load_dhis2(tmp_path / "none.json")
    file.write_text("{}")
    with pytest.raises(Invalid, match=r"dhis2\.mapping"):
        load_dhis2(file)
