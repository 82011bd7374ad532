"""FHIR R4 from hospitals, laboratories and WHO SMART systems: a QuestionnaireResponse, or a Bundle with several, with
the Patients that they are about; confirmed cases as Conditions or Observations.

An answer is found by its linkId, which is our dotted path, or by a ``definition`` that names one (``urn:motma:form:
2026-1#health.contact``), so that another Questionnaire can ask the same. What is not answered there is taken from the
Patient. Nothing of a resource is lost on the way back but ``meta`` and the narrative.
"""

import datetime as dt
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from motma.connectors.platforms.fhir.cases import of_condition, of_observation
from motma.connectors.platforms.fhir.names import FORM, NO, TWO_LETTERS, YES
from motma.connectors.platforms.fhir.people import members, patient_of, person, text
from motma.connectors.platforms.fhir.questionnaire import Kind, kinds
from motma.connectors.platforms.items import Item, Sent, Skipped
from motma.connectors.platforms.keeping import canonical, digest
from motma.connectors.platforms.places import Places
from motma.connectors.platforms.reading import json_object, malformed
from motma.connectors.platforms.skeleton import Where, at, filled, hollow, member, put
from motma.core.errors import Invalid, Problem
from motma.core.form import Form
from motma.core.words import Words
from motma.forms import load_form, load_units

NAME = "fhir"
_ENTRIES_MAX = 500
_VN_TIME = dt.timezone(dt.timedelta(hours=7))
_BESIDE = frozenset(
    {
        "Patient", "RelatedPerson", "Practitioner", "PractitionerRole", "Organization", "Location", "Encounter",
        "Questionnaire", "Composition", "MessageHeader", "Device", "Provenance", "Consent",
    }
)  # fmt: skip
"""Resources that others of a Bundle lean on, and that say nothing by themselves."""
_NOT_KEPT = ("meta", "text")
_NOT_COMPLETED = Problem(
    "inbox.not_completed",
    Words("Bản trả lời chưa hoàn tất hoặc đã bị huỷ.", "The response is not completed, or was taken back."),
)
_NOT_ANSWERED = Problem(
    "inbox.other_questionnaire",
    Words(
        "Không có câu nào của tờ khai: dùng linkId của mẫu, hoặc ghi definition.",
        "No question of the declaration is answered: use the linkIds of the form, or give definitions.",
    ),
)
_NOT_READ = Problem(
    "inbox.not_read", Words("Loại tài nguyên này không được đọc.", "Resources of this type are not read.")
)


class Fhir:
    """The connector. ``to_theirs`` gives the resources that came; of what came otherwise, a QuestionnaireResponse with
    its Patient inside."""

    name = NAME
    content_types = ("application/fhir+json", "application/json")

    def to_ours(self, body: bytes, content_type: str, now: dt.datetime) -> tuple[Item, ...]:
        """An item for each response, condition and observation. Raises :class:`Invalid` ``inbox.*``."""
        document = json_object(body)
        if text(document, "resourceType") != "Bundle":
            if text(document, "resourceType") not in ("QuestionnaireResponse", "Condition", "Observation"):
                raise malformed("FHIR R4: Bundle, QuestionnaireResponse, Condition, Observation")
            return (_Reading({"entry": [{"resource": document}]}, now).item(0, alone=True),)
        entries = document.get("entry", [])
        if not isinstance(entries, list) or len(entries) > _ENTRIES_MAX:
            raise Invalid(
                "inbox.entries",
                Words(
                    f"Bundle cần một danh sách entry, nhiều nhất {_ENTRIES_MAX}.", f"At most {_ENTRIES_MAX} entries."
                ),
            )
        reading = _Reading(document, now)
        return tuple([reading.item(n) for n, kind in enumerate(reading.kinds()) if kind not in _BESIDE])

    def to_theirs(self, sent: Mapping[str, Any]) -> bytes:
        """The resources of one declaration, members in alphabetical order."""
        extra = sent.get("extra")
        if isinstance(extra, Mapping) and extra.get("of") == NAME and isinstance(extra.get("theirs"), Mapping):
            return canonical(filled(extra["theirs"], sent))
        return canonical(_written(sent))


class _Reading:
    """One Bundle."""

    def __init__(self, bundle: Mapping[str, Any], now: dt.datetime) -> None:
        self._bundle = bundle
        self._entries: list[Any] = bundle["entry"] if isinstance(bundle.get("entry"), list) else []
        self._now = now

    def kinds(self) -> list[str]:
        return [text(self._resource(n), "resourceType") for n in range(len(self._entries))]

    def _resource(self, n: int) -> Mapping[str, Any]:
        entry = self._entries[n]
        resource = entry.get("resource") if isinstance(entry, Mapping) else None
        return resource if isinstance(resource, Mapping) else {}

    def item(self, n: int, *, alone: bool = False) -> Item:
        """What becomes of one entry; ``alone`` when there is no Bundle around it."""
        resource = self._resource(n)
        kind = text(resource, "resourceType")
        if kind in ("Condition", "Observation"):
            patient = self._patient(resource, "subject")[1]
            read = of_condition if kind == "Condition" else of_observation
            return read(resource, patient, self._now)
        if kind != "QuestionnaireResponse":
            return Skipped(_NOT_READ, {f"Bundle.entry[{n}].resource.resourceType": _NOT_READ})
        if text(resource, "status") not in ("completed", "amended"):
            return Skipped(_NOT_COMPLETED, {"QuestionnaireResponse.status": _NOT_COMPLETED})
        return self._declaration(n, resource, alone=alone)

    def _patient(self, resource: Mapping[str, Any], *names: str) -> tuple[Where, Mapping[str, Any]]:
        """(where it stands in the Bundle or in the resource, the Patient that ``resource`` says it is about)."""
        for name in names:
            reference = text(resource.get(name), "reference")
            if reference.startswith("#"):
                for m, one in enumerate(resource["contained"] if isinstance(resource.get("contained"), list) else []):
                    if text(one, "id") == reference[1:] and text(one, "resourceType") == "Patient":
                        return ("contained", m), one
            for m, entry in enumerate(self._entries):
                one = self._resource(m)
                known = {text(entry, "fullUrl"), f"Patient/{text(one, 'id')}"} - {"", "Patient/"}
                if text(one, "resourceType") == "Patient" and reference in known:
                    return ("entry", m), one
        return (), {}

    def _declaration(self, n: int, response: Mapping[str, Any], *, alone: bool) -> Item:
        """The response and its Patient as one document; every value's way in it, then what is left of it."""
        where, patient = self._patient(response, "subject", "source")
        outside = where[:1] == ("entry",)
        document: dict[str, Any] = _bare(response)
        base: Where = ()
        patient_at: Where = where if where and not outside else ()
        if not alone:
            entries = [_bare_entry(self._entries[m]) for m in ([int(where[1])] if outside else [])]
            document = {**_bare(self._bundle), "entry": [*entries, _bare_entry(self._entries[n])]}
            base = ("entry", len(entries), "resource")
            patient_at = ("entry", 0, "resource") if outside else (*base, *where)
        raw: dict[str, Any] = {"document": {"kind": "", "number": ""}, "trip": {}, "health": {"symptoms": {}}}
        spots: dict[Where, str] = {}
        names: dict[str, str] = {}
        for path, value, at_ in person(patient, _places(), self._now) if patient else ():
            put(raw, path, value)
            spots[(*patient_at, *at_)] = path
            names[path] = "Patient." + ".".join(str(step) for step in at_ if isinstance(step, str))
        every = list(_answers(document, base))
        answered = dict(every)
        if not answered:
            return Skipped(_NOT_ANSWERED, {"QuestionnaireResponse.item": _NOT_ANSWERED})
        unclear = {path for path, (_, value, _) in every if _is_yes_or_no(path) and value != answered[path][1]}
        for path, (link, value, at_) in answered.items():
            spots = {way: other for way, other in spots.items() if other != path}
            names[path] = f"item[{link}]"
            if path.startswith("consents.") or path in unclear:  # yes and no at once is no answer
                continue
            put(raw, path, value)
            spots[at_] = path
        raw["consents"] = [
            one.id
            for one in _form().purposes
            if (of := f"consents.{one.id}") not in unclear and answered.get(of, ("", None))[1] is True
        ]
        names.setdefault("consents", "item[consents]")
        _settle_places(raw)
        raw["extra"] = {"of": NAME, "theirs": hollow(document, spots, raw)}
        return Sent(raw, f"qr-{digest(raw)}", names)


def _bare(resource: Mapping[str, Any]) -> dict[str, Any]:
    """Without what changes with every export, and without the narrative that says everything a second time."""
    bare = {name: value for name, value in resource.items() if name not in _NOT_KEPT}
    if isinstance(contained := bare.get("contained"), list):
        bare["contained"] = [_bare(one) if isinstance(one, Mapping) else one for one in contained]
    return bare


def _bare_entry(entry: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _bare(value) if name == "resource" else value for name, value in entry.items()}


def _answers(document: Any, base: Where) -> Iterator[tuple[str, tuple[str, Any, Where]]]:
    """(our path, (linkId, the value, where it stands)) of every question of ours that is answered, at any depth."""
    known = _kinds()
    waiting: list[Where] = [(*base, "item")]
    while waiting:
        here = waiting.pop()
        items = at(document, here)
        for n, item in enumerate(items) if isinstance(items, list) else ():
            if not isinstance(item, Mapping):
                continue
            waiting.append((*here, n, "item"))
            answers = item.get("answer")
            given = answers if isinstance(answers, list) else []
            waiting += [(*here, n, "answer", m, "item") for m in range(len(given))]
            path = _path(item)
            if path not in known or not given:
                continue
            if path == "trip.checkpoints":
                ids = [
                    text(one, "valueString") or text(one.get("valueCoding"), "code") for one in members(item, "answer")
                ]
                yield path, (text(item, "linkId"), [id for id in ids if id], (*here, n, "answer"))
                continue
            for m, one in enumerate(given if _is_yes_or_no(path) else given[:1]):
                if read := _answer(path, known[path], one):
                    value, member_of = read
                    yield path, (text(item, "linkId"), value, (*here, n, "answer", m, *member_of))


def _is_yes_or_no(path: str) -> bool:
    return _kinds()[path] == "boolean"


def _path(item: Mapping[str, Any]) -> str:
    definition = text(item, "definition")
    return definition.removeprefix(f"{FORM}#") if definition.startswith(f"{FORM}#") else text(item, "linkId")


def _answer(path: str, kind: Kind, answer: Any) -> tuple[Any, Where] | None:
    """(the value, where in the answer); None for an answer of no kind that is read."""
    if not isinstance(answer, Mapping):
        return None
    for name in ("valueString", "valueDate", "valueDateTime"):
        if value := text(answer, name):
            return _value(path, kind, value), (name,)
    coding = answer.get("valueCoding")
    if code := text(coding, "code") or text(coding, "display"):
        return _value(path, kind, code), ("valueCoding", "code")
    said = answer.get("valueBoolean")
    return (said, ("valueBoolean",)) if kind == "boolean" and isinstance(said, bool) else None


def _value(path: str, kind: Kind, said: str) -> Any:
    if kind == "boolean":
        return True if said in YES else False if said in NO else said
    if path == "nationality":
        return TWO_LETTERS.get(said.upper(), said)
    return said


def _settle_places(raw: dict[str, Any]) -> None:
    """Names of provinces and communes become their codes, where they are sure."""
    for path in ("residence", "trip.origin", "trip.destination"):
        place = member(raw, path)
        if isinstance(place, dict):
            province = _places().province(text(place, "province"))
            if province:
                place["province"] = province
                place["commune"] = _places().commune(text(place, "commune"), province) or text(place, "commune")


def _written(sent: Mapping[str, Any]) -> dict[str, Any]:
    """A QuestionnaireResponse with a Patient inside, of a declaration that did not come through here."""
    items: list[dict[str, Any]] = []
    consents = sent.get("consents")
    given = consents if isinstance(consents, list | tuple) else ()
    for path, kind in _kinds().items():
        head, _, purpose = path.partition(".")
        value = purpose in given if head == "consents" else member(sent, path)
        answer = _written_answer(kind, value)
        if answer:
            items.append({"linkId": path, "answer": answer})
    return {
        "resourceType": "QuestionnaireResponse",
        "questionnaire": FORM,
        "status": "completed",
        "subject": {"reference": "#p"},
        "contained": [patient_of(sent, _places())],
        "item": items,
    }


def _written_answer(kind: Kind, value: Any) -> list[dict[str, Any]]:
    if isinstance(value, list | tuple):
        return [{"valueString": one} for one in value if isinstance(one, str) and one]
    if kind == "boolean":
        return [{"valueBoolean": value}] if isinstance(value, bool) else []
    if not isinstance(value, str) or not value:
        return []
    names: dict[Kind, str] = {"date": "valueDate", "dateTime": "valueDateTime"}
    if kind == "dateTime":
        value = _to_the_second(value)
    return [{"valueCoding": {"code": value}} if kind == "choice" else {names.get(kind, "valueString"): value}]


def _to_the_second(moment: str) -> str:
    """As FHIR wants a dateTime: with seconds and a zone, which is Vietnam's where none was said."""
    try:
        at = dt.datetime.fromisoformat(moment)
    except ValueError:
        return moment
    return (at if at.tzinfo else at.replace(tzinfo=_VN_TIME)).isoformat(timespec="seconds")


@cache
def _places() -> Places:
    return Places(load_units())


@cache
def _kinds() -> dict[str, Kind]:
    return kinds(_form())


def _form() -> Form:
    return load_form("2026-1")
