"""FHIR there and back: nothing is lost, nobody is guessed, and what is a case is only what is confirmed."""

import copy
import json
from typing import Any

import pytest

from motma.connectors.platforms import CONNECTORS, Item, Reported, Sent, Skipped
from motma.connectors.platforms.fhir.names import FORM, TWO_LETTERS
from motma.connectors.platforms.fhir.questionnaire import questionnaire
from motma.core.errors import Invalid
from motma.core.form import parse_declaration
from motma.forms import load_countries, load_form, load_units
from motma.web.docs import sample_declaration
from tests.connectors.platforms.recorded import NOW, SAMPLES

FHIR = CONNECTORS["fhir"]
FORM_, UNITS = load_form("2026-1"), load_units()
RESPONSE = json.loads((SAMPLES / "fhir" / "response-with-patient-inside.json").read_text())
BUNDLE = json.loads((SAMPLES / "fhir" / "transaction-of-a-hospital.json").read_text())


def items(document: Any) -> tuple[Item, ...]:
    return FHIR.to_ours(json.dumps(document).encode(), "application/fhir+json", NOW)


def sent(document: Any) -> Sent:
    [item] = items(document)
    assert isinstance(item, Sent), item
    return item


def changed(**members: Any) -> dict[str, Any]:
    return {**copy.deepcopy(RESPONSE), **members}


def patient(**members: Any) -> dict[str, Any]:
    return changed(contained=[{**copy.deepcopy(RESPONSE["contained"][0]), **members}])


def bare(resource: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in resource.items() if name not in ("meta", "text")}


def test_theirs_become_theirs_again_to_the_last_extension() -> None:
    assert json.loads(FHIR.to_theirs(sent(RESPONSE).raw)) == bare(RESPONSE)
    mine, foreigner = (item for item in items(BUNDLE) if isinstance(item, Sent))
    one, two, three, four, five = BUNDLE["entry"][:5]
    back = json.loads(FHIR.to_theirs(mine.raw))
    assert back["identifier"] == BUNDLE["identifier"] and back["type"] == "transaction"
    assert back["entry"] == [one, {**four, "resource": bare(four["resource"])}]
    assert json.loads(FHIR.to_theirs(foreigner.raw))["entry"] == [two, five]
    for item in (mine, foreigner):
        [again] = items(json.loads(FHIR.to_theirs(item.raw)))
        assert isinstance(again, Sent) and again.raw == item.raw and again.key == item.key
        parse_declaration(item.raw, FORM_, UNITS, frozenset({"g04-ba-lang", "g07-vinh-binh"}), NOW)
    for one_of_many in (three["resource"], BUNDLE["entry"][5]["resource"]):
        assert f'"{one_of_many["id"]}"' not in json.dumps(mine.raw["extra"]), "nobody else's resources are kept"


def test_exported_again_it_is_the_same_declaration() -> None:
    """Servers write a new version and a new time with every export."""
    first = sent(RESPONSE)
    assert sent(changed(meta={"versionId": "4"}, text={"status": "empty", "div": "<div/>"})) == first
    assert sent(changed(id="r2")).key != first.key
    assert "Truyền nhiễm" in json.dumps(first.raw["extra"], ensure_ascii=False)
    assert "Nguyễn Trần Quốc An" not in json.dumps(first.raw["extra"], ensure_ascii=False), "nothing is kept twice"


@pytest.mark.parametrize(
    ("members", "path", "value"),
    [
        ({"name": [{"use": "old", "text": "A"}, {"family": "Lê", "given": ["Thị", "B"]}]}, "name", "Lê Thị B"),
        ({"birthDate": "1986-12"}, "birth_date", "1986"),
        ({"birthDate": "1986"}, "birth_date", "1986"),
        ({"gender": "unknown"}, "sex", ""),
        (
            {"telecom": [{"system": "phone", "value": "1", "use": "old"}, {"system": "phone", "value": "2"}]},
            "phone",
            "2",
        ),
        (
            {"telecom": [{"system": "phone", "value": "1"}, {"system": "phone", "value": "2", "use": "mobile"}]},
            "phone",
            "2",
        ),
    ],
)
def test_a_patient_is_read_as_it_is_meant(members: dict[str, Any], path: str, value: str) -> None:
    assert sent(patient(**members)).raw[path] == value


@pytest.mark.parametrize(
    ("identifier", "kind", "nationality"),
    [
        ({"system": "urn:motma:sid:cmnd", "value": "012345678"}, "cmnd", "VN"),
        ({"system": "http://hl7.org/fhir/sid/passport-JPN", "value": "TK1234567"}, "passport", "JP"),
        ({"type": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v2-0203", "code": "NI"}]},
          "system": "https://vnm.example/id", "value": "999086834952"}, "cccd", "VN"),
        ({"system": "urn:motma:sid:cccd", "value": "999086834952", "period": {"end": "2024-12-31"}}, "", None),
        ({"system": "https://benhvien.example/mrn", "value": "1"}, "", None),
    ],
)  # fmt: skip
def test_documents_are_told_by_their_systems(identifier: dict[str, Any], kind: str, nationality: str | None) -> None:
    raw = sent(patient(identifier=[identifier])).raw
    assert (raw["document"]["kind"], raw.get("nationality")) == (kind, nationality)


def test_an_answer_counts_more_than_the_patient_and_nothing_is_taken_for_a_no() -> None:
    asked = [*RESPONSE["item"], {"linkId": "phone", "answer": [{"valueString": "0909999999"}]}]
    one = sent(changed(item=asked))
    assert one.raw["phone"] == "0909999999" and one.names["phone"] == "item[phone]"
    assert one.names["birth_date"] == "Patient.birthDate"
    assert json.loads(FHIR.to_theirs(one.raw)) == bare(changed(item=asked))
    without = sent(changed(item=[item for item in RESPONSE["item"] if item["linkId"] not in ("health", "consents")]))
    assert without.raw["health"] == {"symptoms": {}} and without.raw["consents"] == []
    nobody = sent(changed(contained=[]))
    assert "name" not in nobody.raw, "a Patient that is not there is not looked for"


def test_a_declaration_sent_natively_is_told_in_fhir() -> None:
    native = sample_declaration(FORM_, NOW)
    native["health"]["symptoms"]["cough"] = True
    for document in (
        {"kind": "cccd", "number": native["document"]["number"]},
        {"kind": "passport", "number": "TK1234567"},
    ):
        native |= {"document": document}
        said = json.loads(FHIR.to_theirs(native))
        assert said["contained"][0]["identifier"][0]["value"] == document["number"]
        theirs = parse_declaration(sent(said).raw, FORM_, UNITS, frozenset({"g04-ba-lang"}), NOW)
        assert theirs == parse_declaration(native, FORM_, UNITS, frozenset({"g04-ba-lang"}), NOW)


def test_cases_are_only_what_is_confirmed() -> None:
    told = [item for item in items(BUNDLE) if not isinstance(item, Sent)]
    events = [item for item in told if isinstance(item, Reported)]
    assert [(one.raw["event"], one.raw["since"]) for one in events] == [
        ("case", "2026-11-20T00:00:00+07:00"),
        ("ended", "2026-11-22T10:00:00+07:00"),
        ("case", "2026-11-21T08:00:00+07:00"),
    ]
    assert events[0].raw["reference"] == "CA-2026-0031" and "address" not in events[0].raw["person"]
    assert events[2].raw["qid"] == "521322923144321717" and "person" not in events[2].raw
    assert [item.why.code for item in told if isinstance(item, Skipped)] == [
        "inbox.not_confirmed",
        "inbox.other_condition",
        "inbox.not_positive",
        "inbox.no_patient",
        "inbox.not_completed",
        "inbox.not_read",
        "inbox.other_questionnaire",
    ]
    assert len({item.key for item in events}) == 3


def test_the_questionnaire_asks_what_the_form_asks() -> None:
    """Answered by its linkIds alone, it makes a declaration that the form takes."""
    asked = questionnaire(FORM_, UNITS)

    def walk(group: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [one for item in group for one in (item, *walk(item.get("item", [])))]

    every = walk(asked["item"])
    assert len({one["linkId"] for one in every}) == len(every)
    assert all(one["text"] and one["_text"]["extension"][0]["extension"][1]["valueString"] for one in every)
    assert all(one["type"] != "choice" or one["answerOption"] for one in every)
    assert not any("initial" in one or "initialSelected" in json.dumps(one) for one in every), "nothing is pre-ticked"
    native = sample_declaration(FORM_, NOW)
    answers = {item["linkId"] for item in json.loads(FHIR.to_theirs(native))["item"]}
    questions = {one["linkId"] for one in every if one["type"] != "group"}
    assert answers <= questions
    needed = {one["linkId"] for one in every if one.get("required")}
    assert needed <= answers, "all that is needed was answered"
    assert asked["url"] == FORM


def test_countries_have_one_name_in_three_letters() -> None:
    assert set(TWO_LETTERS.values()) == set(load_countries()) and len(TWO_LETTERS) == len(load_countries())


def test_towers_and_crowds_are_refused() -> None:
    tower: Any = {}
    for _ in range(60):
        tower = {"item": [tower]}
    for document, code in (
        ({**RESPONSE, "item": [tower]}, "inbox.malformed"),
        ({"resourceType": "Bundle", "entry": [{}] * 501}, "inbox.entries"),
    ):
        with pytest.raises(Invalid) as caught:
            items(document)
        assert caught.value.code == code
