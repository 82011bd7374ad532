"""Our form as a FHIR R4 Questionnaire: the linkId of a question is the dotted path of what is answered."""

from collections.abc import Iterable
from typing import Any, Literal

from motma.connectors.platforms.fhir.names import FORM, GENDER, TRANSLATION
from motma.core.form import Choice, Form, Units
from motma.core.words import Words

Kind = Literal["string", "text", "date", "dateTime", "boolean", "choice"]

_PERSON: tuple[tuple[str, Kind, Words, bool], ...] = (
    ("name", "string", Words("Họ và tên như trên giấy tờ", "Full name as on the document"), True),
    ("birth_date", "date", Words("Ngày sinh", "Date of birth"), True),
    ("sex", "choice", Words("Giới tính", "Sex"), True),
    ("nationality", "string", Words("Quốc tịch (ISO 3166-1, hai chữ)", "Nationality (ISO 3166-1 alpha-2)"), True),
    ("document.kind", "choice", Words("Loại giấy tờ", "Kind of document"), True),
    ("document.number", "string", Words("Số giấy tờ", "Document number"), False),
    ("phone", "string", Words("Số điện thoại", "Phone number"), True),
)
_GUARDIAN: tuple[tuple[str, Kind, Words, bool], ...] = (
    ("guardian.kind", "choice", Words("Loại giấy tờ của người giám hộ", "Kind of the guardian's document"), False),
    ("guardian.number", "string", Words("Số giấy tờ của người giám hộ", "The guardian's document number"), False),
    ("guardian.issuer", "string", Words("Nước cấp hộ chiếu", "Country of the passport"), False),
)
_PLACES = {
    "residence": Words("Nơi ở", "Residence"),
    "trip.origin": Words("Nơi đi", "Where from"),
    "trip.destination": Words("Nơi đến", "Where to"),
}
_TRIP: tuple[tuple[str, Kind, Words, bool], ...] = (
    ("trip.vehicle", "choice", Words("Phương tiện", "Vehicle"), True),
    ("trip.plate", "string", Words("Biển số", "Number plate"), False),
    ("trip.departs_at", "dateTime", Words("Ngày giờ đi", "Departure"), True),
    ("trip.checkpoints", "string", Words("Chốt đi qua", "Checkpoints on the way"), False),
)
_HEALTH: tuple[tuple[str, Kind, Words, bool], ...] = (
    (
        "health.contact",
        "boolean",
        Words("Tiếp xúc người bệnh trong 14 ngày", "Contact with a patient in the last 14 days"),
        True,
    ),
    ("health.places", "text", Words("Nơi đã đến trong 14 ngày", "Places visited in the last 14 days"), False),
)
_SEXES = (
    Choice("female", Words("Nữ", "Female")),
    Choice("male", Words("Nam", "Male")),
    Choice("other", Words("Khác", "Other")),
)
_KINDS = (
    Choice("cccd", Words("CCCD", "Citizen identity card")),
    Choice("cmnd", Words("CMND", "Old identity card")),
    Choice("passport", Words("Hộ chiếu", "Passport")),
    Choice("none", Words("Không có", "None")),
)


def kinds(form: Form) -> dict[str, Kind]:
    """linkId of each question -> of what kind the answer is."""
    found: dict[str, Kind] = {path: kind for path, kind, _, _ in (*_PERSON, *_GUARDIAN, *_TRIP, *_HEALTH)}
    for place in _PLACES:
        found |= {f"{place}.province": "choice", f"{place}.commune": "string"}
    found["residence.address"] = "string"
    found |= {f"health.symptoms.{symptom.id}": "boolean" for symptom in form.symptoms}
    return found | {f"consents.{purpose.id}": "boolean" for purpose in form.purposes}


def questionnaire(form: Form, units: Units) -> dict[str, Any]:
    """The form as a Questionnaire resource; Vietnamese, with English as translations."""
    options = {
        "sex": _options(_SEXES, GENDER),
        "document.kind": _options(_KINDS, f"{FORM}:documents"),
        "guardian.kind": _options(_KINDS[:-1], f"{FORM}:documents"),
        "trip.vehicle": _options(form.vehicles, f"{FORM}:vehicles"),
    }
    provinces = [
        {"valueCoding": {"system": f"urn:motma:units:{units.vintage}", "code": code, "display": name}}
        for code, name in units.provinces.items()
    ]

    def questions(asked: Iterable[tuple[str, Kind, Words, bool]]) -> list[dict[str, Any]]:
        return [_question(path, kind, words, needed, options.get(path)) for path, kind, words, needed in asked]

    def place(path: str) -> list[dict[str, Any]]:
        commune = Words("Phường, xã: mã năm chữ số hoặc tên", "Commune: its five digits, or its name")
        return [
            _question(f"{path}.province", "choice", Words("Tỉnh, thành phố", "Province"), True, provinces),
            _question(f"{path}.commune", "string", commune, True),
        ]

    symptoms = [_question(f"health.symptoms.{one.id}", "boolean", one.words, True) for one in form.symptoms]
    address = _question("residence.address", "string", Words("Số nhà, đường, ấp", "House, street, hamlet"), True)
    guardian = _group("guardian", Words("Người giám hộ", "Guardian"), questions(_GUARDIAN))
    guardian["enableWhen"] = [
        {"question": "document.kind", "operator": "=", "answerCoding": _KINDS_NONE},
    ]
    trip_places = [_group(path, _PLACES[path], place(path)) for path in ("trip.origin", "trip.destination")]
    return {
        "resourceType": "Questionnaire",
        "id": f"motma-{form.id}",
        "language": "vi",
        "url": FORM,
        "version": form.id,
        "name": "MotMaDeclaration",
        "title": "Tờ khai y tế thống nhất",
        "_title": _translated("The unified health declaration"),
        "status": "active",
        "experimental": False,
        "subjectType": ["Patient"],
        "publisher": "Một Mã",
        "item": [
            _group("person", Words("Người khai", "The person"), [*questions(_PERSON), guardian]),
            _group("residence", _PLACES["residence"], [*place("residence"), address]),
            _group("trip", Words("Chuyến đi", "The trip"), [*trip_places, *questions(_TRIP)]),
            _group(
                "health",
                Words("Sức khoẻ", "Health"),
                [_group("health.symptoms", Words("Triệu chứng", "Symptoms"), symptoms), *questions(_HEALTH)],
            ),
            _group(
                "consents",
                Words("Đồng ý từng mục đích", "Consent to each purpose"),
                [_question(f"consents.{one.id}", "boolean", one.words, True) for one in form.purposes],
            ),
        ],
    }


_KINDS_NONE = {"system": f"{FORM}:documents", "code": "none"}


def _group(path: str, words: Words, items: list[dict[str, Any]]) -> dict[str, Any]:
    return {"linkId": path, "text": words.vi, "_text": _translated(words.en), "type": "group", "item": items}


def _question(
    path: str,
    kind: Kind,
    words: Words,
    needed: bool,
    options: list[dict[str, Any]] | None = None,
) -> dict[str, Any]:
    item: dict[str, Any] = {
        "linkId": path,
        "definition": f"{FORM}#{path}",
        "text": words.vi,
        "_text": _translated(words.en),
        "type": kind,
        "required": needed,
    }
    if path == "trip.checkpoints":
        item["repeats"] = True
    if options:
        item["answerOption"] = options
    return item


def _options(choices: Iterable[Choice], system: str) -> list[dict[str, Any]]:
    return [
        {
            "valueCoding": {
                "system": system,
                "code": one.id,
                "display": one.words.vi,
                "_display": _translated(one.words.en),
            }
        }
        for one in choices
    ]


def _translated(english: str) -> dict[str, Any]:
    told = [{"url": "lang", "valueCode": "en"}, {"url": "content", "valueString": english}]
    return {"extension": [{"url": TRANSLATION, "extension": told}]}
