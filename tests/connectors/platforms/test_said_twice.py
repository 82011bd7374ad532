"""One question answered with yes and with no: nobody's answer is taken for the other, whatever comes last."""

import json
from typing import Any
from urllib.parse import parse_qsl, urlencode

import pytest

from motma.connectors.platforms import CONNECTORS, Sent
from motma.core.errors import Invalid
from tests.connectors.platforms.recorded import NOW, SAMPLES


def payload(sample: str) -> Any:
    return json.loads((SAMPLES / sample).read_text())


def refused(connector: str, body: bytes) -> dict[str, str]:
    """Their field -> the code of what is wrong with it."""
    with pytest.raises(Invalid) as caught:
        CONNECTORS[connector].to_ours(body, CONNECTORS[connector].content_types[0], NOW)
    return {field: problem.code for field, problem in caught.value.fields.items()}


def read(connector: str, document: Any) -> dict[str, Any]:
    [item] = [
        one
        for one in CONNECTORS[connector].to_ours(
            json.dumps(document).encode(), CONNECTORS[connector].content_types[0], NOW
        )
        if isinstance(one, Sent)
    ]
    return dict(item.raw)


@pytest.mark.parametrize("field", ["hasFever", "hasPatient", "districtId", "vehicleCode", "fullName"])
def test_a_field_of_a_web_form(field: str) -> None:
    """``showSignal=0`` beside ``hasFever=1`` sent twice was no fever."""
    pairs = parse_qsl((SAMPLES / "tokhaiyte" / "health-with-trip.form").read_text().strip(), keep_blank_values=True)
    pairs = [(name, "0" if name == "fields[showSignal]" else value) for name, value in pairs]
    name = f"fields[{field}]"
    assert refused("tokhaiyte", urlencode([*pairs, (name, "1"), (name, "1")]).encode())[name] == "inbox.repeated"


@pytest.mark.parametrize("last", [True, False])
def test_a_list_of_answers_in_a_text(last: bool) -> None:
    sent = payload("bluezone/entry.json")
    for field, id in (("TrieuChungBenh", "sot"), ("LichSuPhoiNhiem", "exposure2")):
        answers = json.loads(sent[field])
        twice = [*[one for one in answers if one["ID"] != id], {"ID": id, "Value": not last}, {"ID": id, "Value": last}]
        assert set(refused("bluezone", json.dumps({**sent, field: json.dumps(twice)}).encode()).values()) == {
            "inbox.unanswered"
        }


@pytest.mark.parametrize("last", [True, False])
def test_a_question_of_fhir(last: bool) -> None:
    def answer(path: str, *values: bool) -> dict[str, Any]:
        return {"linkId": path, "answer": [{"valueBoolean": value} for value in values]}

    sent = payload("fhir/response-with-patient-inside.json")
    before = read("fhir", sent)
    for more in (
        [answer("health.symptoms.fever", not last), answer("health.symptoms.fever", last)],
        [answer("health.symptoms.fever", not last, last)],
    ):
        raw = read("fhir", {**sent, "item": [*sent["item"], *more]})
        assert "fever" not in raw["health"]["symptoms"]
    both = [answer("consents.health", False), answer("consents.health", True)]
    raw = read("fhir", {**sent, "item": [*sent["item"], *both]})
    assert raw["consents"] == [one for one in before["consents"] if one != "health"]
    kept = json.loads(CONNECTORS["fhir"].to_theirs(raw))
    assert kept["item"][-2:] == both, "what was sent is given back all the same"


@pytest.mark.parametrize("last", ["true", "false"])
def test_a_data_element_of_dhis2(last: str) -> None:
    sent = payload("dhis2/tracked-entities-nested.json")
    enrollment = sent["trackedEntities"][0]["enrollments"][0]
    event = enrollment["events"][0]
    enrollment["events"] = [event]
    first = {"true": "false", "false": "true"}[last]
    for element in ("POE_FEVER", "POE_CONSENT_HEALTH"):
        event["dataValues"] = [one for one in event["dataValues"] if one["dataElement"] != element]
        event["dataValues"] += [{"dataElement": element, "value": value} for value in (first, last)]
    raw = read("dhis2", sent)
    assert "fever" not in raw["health"]["symptoms"] and "health" not in raw["consents"]
