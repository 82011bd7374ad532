"""Send a declaration, get the citizen's one code back; read what became of it, and correct it.

The same ``Idempotency-Key`` with the same body answers with the first receipt."""

import datetime as dt
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import msgspec
from litestar import Request, Response, get, post
from litestar.openapi.datastructures import ResponseSpec
from litestar.openapi.spec import OpenAPIType, Schema
from litestar.openapi.spec import Parameter as OpenAPIParameter
from litestar.params import FromPath, JSONBody

from motma.core.described import says
from motma.core.errors import Hidden, Invalid
from motma.core.ids import FactId, parse_fact_id
from motma.core.words import Words
from motma.services.afterwards import Outcome, outcome_of
from motma.services.declare import Receipt
from motma.services.enrol import Platform
from motma.services.exchange.inbox import connector_of
from motma.services.exchange.own import Became as OwnBecame
from motma.web.access import house_of
from motma.web.api import Described, JsonRequest, json_only, problems
from motma.web.exchange.guard import WithKey, keyed, platform_with
from motma.web.receipts import told

_Province = Annotated[str, says("Code of a province of the 2025 units, two digits.", "91")]
_Commune = Annotated[str, says("Code of a commune of that province, five digits.", "31018")]
_InWords = Annotated[
    dict[str, str], says("The same sentence in Vietnamese (`vi`) and in English (`en`).", {"vi": "…", "en": "…"})
]


_DISPUTED = says(
    "Fields of this citizen that another source says otherwise: ask the citizen, and send a correction. Never what the "
    "other said.",
    ["phone"],
)


class DocumentSent(msgspec.Struct):
    """An identity document."""

    kind: Annotated[str, says("`cccd`, `cmnd` (the old card), `passport`, or `none`.", "cccd")]
    number: Annotated[
        str,
        says("CCCD: 12 digits. CMND: 9. Passport: 5 to 12 letters and digits. None: empty.", "999086834952"),
    ] = ""


class GuardianSent(msgspec.Struct):
    """The document of who looks after somebody that has no number."""

    kind: Annotated[str, says("`cccd`, `cmnd` or `passport`.", "cccd")]
    number: Annotated[str, says("As of a document.", "999086834952")]
    issuer: Annotated[str, says("Of a passport: the country, ISO 3166-1 alpha-2.", "VN")] = "VN"


class PlaceSent(msgspec.Struct):
    """A commune, and for a residence the rest of the address."""

    province: _Province
    commune: _Commune
    address: Annotated[str, says("House, street, hamlet. Needed for the residence only.", "Ấp 11, tổ 5")] = ""


class TripSent(msgspec.Struct):
    """One journey."""

    origin: PlaceSent
    destination: PlaceSent
    vehicle: Annotated[str, says("An id of the form's vehicles.", "motorbike")]
    departs_at: Annotated[
        str,
        says(
            "ISO 8601, from yesterday to 30 days from now; without a zone it is Vietnamese time.",
            "2026-01-18T14:20+07:00",
        ),
    ]
    plate: Annotated[str, says("The vehicle's plate, if it has one.", "59X312345")] = ""
    checkpoints: Annotated[
        list[str], says("Ids of `GET /v1/checkpoints` in the order of the way; may be left out.", ["g04-ba-lang"])
    ] = []


class HealthSent(msgspec.Struct):
    """The health answers."""

    symptoms: Annotated[
        dict[str, bool],
        says(
            "Every symptom of the form, each true or false.",
            dict.fromkeys(
                (
                    "fever",
                    "cough",
                    "breathless",
                    "sore_throat",
                    "fatigue",
                    "taste_smell",
                    "aching",
                    "diarrhoea",
                    "rash",
                ),
                False,
            ),
        ),
    ]
    contact: Annotated[bool, says("Contact with a patient in the last 14 days.", False)]
    places: Annotated[str, says("Places visited in the last 14 days.", "")] = ""


class DeclarationSent(msgspec.Struct):
    """The one form, version 2026-1. Members that it does not know, anywhere, are kept (16 KB) and given back."""

    name: Annotated[str, says("As on the document, with all tone marks.", "Nguyễn Trần Quốc An")]
    birth_date: Annotated[str, says("YYYY-MM-DD; YYYY if no more is known.", "1986-12-27")]
    sex: Annotated[str, says("`female`, `male` or `other`.", "male")]
    nationality: Annotated[str, says("ISO 3166-1 alpha-2.", "VN")]
    document: DocumentSent
    phone: Annotated[str, says("E.164, or as dialled in Vietnam.", "+84500420075")]
    residence: PlaceSent
    trip: TripSent
    health: HealthSent
    consents: Annotated[
        list[str],
        says(
            "The form's purposes that the citizen agreed to, each on its own; a code needs all.",
            ["code", "identity", "health", "passage"],
        ),
    ]
    guardian: Annotated[
        GuardianSent | None,
        says("Only with a document of kind `none`: whose child it is, or who looks after them.", None),
    ] = None


class Answer(msgspec.Struct, frozen=True):
    """What became of the declaration. A refusal is an answer too, and is recorded."""

    declaration: Annotated[str, says("The declaration's id.", "dcl_01kf7yejc0k13emra4srge0byv")]
    outcome: Annotated[
        Outcome,
        says(
            "`repairable`: the name differs as a slip does, or only the year of birth is known; the code works and is "
            "checked by hand until that is sent again as on the document. "
            "`pending`: the register does not answer; the code works and is matched "
            "later. `unidentified`: there is no number to ask about; the code works and is checked by hand.",
            "accepted",
        ),
    ]
    qid: Annotated[str | None, says("The citizen's number for life; null when refused.", "521322923144321717")]
    code: Annotated[str | None, says("The text to show as a QR; null when refused.", "NCFLA0+00FFWTWGSLKC…")]
    valid_from: dt.datetime | None
    valid_until: dt.datetime | None
    differing: Annotated[tuple[str, ...], says("The fields to look at again: refused, or repairable.", ["name"])]
    words: _InWords
    repeated: Annotated[bool, says("Sent before under this key: this is the first answer again.", False)]
    disputed: Annotated[tuple[str, ...], _DISPUTED] = ()


class Became(msgspec.Struct, frozen=True):
    """What is so now of a declaration that this platform sent."""

    declaration: Annotated[str, says("The declaration's id.", "dcl_01kf7yejc0k13emra4srge0byv")]
    outcome: Annotated[Outcome, says("As of now; `accepted` once it was matched or repaired.", "accepted")]
    qid: Annotated[
        str | None, says("The number that the citizen goes by now; null when refused.", "521322923144321717")
    ]
    merged_from: Annotated[
        str | None, says("The number in the receipt, if it turned out to be one citizen with `qid`.", None)
    ]
    valid_from: dt.datetime | None
    valid_until: dt.datetime | None
    differing: Annotated[tuple[str, ...], says("The fields to look at again.", ["name"])]
    words: _InWords
    disputed: Annotated[tuple[str, ...], _DISPUTED] = ()
    corrected_by: Annotated[str | None, says("The declaration of yours that corrects this one, if one does.", None)] = (
        None
    )


class InForce(msgspec.Struct, frozen=True):
    """The measure in force; null when nothing is asked of anybody."""

    measure: Annotated[str | None, says("The measure's id.", "demo-hcmc")]
    title: dict[str, str] | None
    legal_basis: dict[str, str] | None
    ends_at: dt.datetime | None
    form: Annotated[str | None, says("The version of the form to fill in.", "2026-1")]


class CheckpointListed(msgspec.Struct, frozen=True):
    """A checkpoint of the network."""

    id: Annotated[str, says("What `trip.checkpoints` names.", "g04-ba-lang")]
    name: _InWords
    kind: Annotated[Literal["gateway", "inner"], says("At the city's edge, or inside it.", "gateway")]
    road: Annotated[str, says("The road it stands on.", "QL1")]
    area: Annotated[str, says("The area whose checkpoint it is: a district of 2021.", "binh-chanh")]


@dataclass
class InForm(Described):
    """Describes ``as``, which is no name that a parameter can have here."""

    def __post_init__(self) -> None:
        """Adds it to the operation's parameters."""
        super().__post_init__()
        form = OpenAPIParameter(
            name="as",
            param_in="query",
            description="A connector's name: what was sent, in that platform's own form and content type.",
            schema=Schema(type=OpenAPIType.STRING),
        )
        self.parameters = [*(self.parameters or []), form]


class Sent:
    """Reads a declaration as it was sent: whole, and of the shape that :class:`DeclarationSent` describes."""

    @staticmethod
    def decode(body: bytes) -> dict[str, Any]:
        """Raises as the decoder of :class:`DeclarationSent` does, with the same places."""
        sent: dict[str, Any] = _whole(body)
        msgspec.convert(sent, DeclarationSent)
        return sent


_whole = msgspec.json.Decoder(dict[str, Any]).decode
_SENT_BEFORE = ResponseSpec(Answer, generate_examples=False, description="Sent before; this is the first receipt")


@post(
    "/v1/declarations",
    status_code=201,
    include_in_schema=True,
    response_description="Recorded: accepted, pending or refused",
    summary="Send a declaration",
    tags=["platforms"],
    guards=[platform_with("declarations:write"), json_only, keyed],
    operation_class=WithKey,
    request_class=JsonRequest,
    opt={"reads": Sent},
    security=[{"platform": []}],
    responses={200: _SENT_BEFORE, **problems(401, 403, 409, 413, 415, 422, 429, 503)},
)
async def send_declaration(
    request: Request[Any, Any, Any],
    data: JSONBody[DeclarationSent],
) -> Response[Answer]:
    """Record a declaration made on a platform. The same citizen always gets the same QID."""
    return await _declare(request, data)


@post(
    "/v1/declarations/{declaration:str}/corrections",
    status_code=201,
    include_in_schema=True,
    response_description="Recorded: accepted, pending or refused",
    summary="Correct a declaration",
    tags=["platforms"],
    guards=[platform_with("declarations:write"), json_only, keyed],
    operation_class=WithKey,
    request_class=JsonRequest,
    opt={"reads": Sent},
    security=[{"platform": []}],
    responses={200: _SENT_BEFORE, **problems(401, 403, 404, 409, 413, 415, 422, 429, 503)},
)
async def correct_declaration(
    request: Request[Any, Any, Any],
    declaration: FromPath[str],
    data: JSONBody[DeclarationSent],
) -> Response[Answer]:
    """The whole declaration again, as it should have been: a new one, which the old one names (`corrected_by`).

    Each is corrected once; what is wrong in a correction is corrected there. A refused one corrects nothing."""
    return await _declare(request, data, own_declaration(declaration))


async def _declare(request: Request[Any, Any, Any], data: Any, corrects: FactId | None = None) -> Response[Answer]:
    platform: Platform = request.scope["state"]["platform"]
    house = house_of(request)
    sent = data if isinstance(data, dict) else await request.json()  # the framework keeps only what the form knows
    receipt = await house.declare.declare(
        sent, source=platform.id, now=house.clock(), key=request.scope["state"]["key"], corrects=corrects
    )
    if not receipt.repeated:
        house.calls.told(platform.id, receipt.outcome, house.clock())
    return Response(answer_of(receipt), status_code=200 if receipt.repeated else 201)


@get(
    "/v1/declarations/{declaration:str}",
    include_in_schema=True,
    operation_class=Described,
    response_description="As of now",
    summary="What became of a declaration",
    tags=["platforms"],
    guards=[platform_with("declarations:read")],
    security=[{"platform": []}],
    responses=problems(401, 403, 404, 429, 503),
)
async def what_became(request: Request[Any, Any, Any], declaration: FromPath[str]) -> Became:
    """Of a declaration that this platform sent; of anybody else's there is none."""
    platform: Platform = request.scope["state"]["platform"]
    return _became(await house_of(request).afterwards.of(own_declaration(declaration), source=platform.id))


@get(
    "/v1/declarations/{declaration:str}/sent",
    include_in_schema=True,
    operation_class=InForm,
    response_description="As it was sent",
    summary="What was sent, exactly",
    tags=["platforms"],
    guards=[platform_with("declarations:read")],
    security=[{"platform": []}],
    responses=problems(401, 403, 404, 429, 503),
)
async def what_was_sent(request: Request[Any, Any, Any], declaration: FromPath[str]) -> Response[Any]:
    """A declaration of this platform as it was sent, with what the form does not know, whatever became of it since."""
    platform: Platform = request.scope["state"]["platform"]
    name = request.query_params.get("as")
    writes = connector_of(name) if name is not None else None
    sent = await house_of(request).afterwards.sent(own_declaration(declaration), source=platform.id)
    if writes is None:
        return Response(sent)
    return Response(writes.to_theirs(sent), media_type=writes.content_types[0])


def own_declaration(declaration: str) -> FactId:
    """The id of a declaration. What is none is as hidden as somebody else's."""
    try:
        return parse_fact_id("dcl", declaration)
    except Invalid:
        raise Hidden(
            "declaration.hidden",
            Words("Nơi gửi này không có tờ khai nào như vậy.", "There is no such declaration of this sender."),
        ) from None


@get(
    "/v1/measure",
    include_in_schema=True,
    response_description="The measure, or nulls",
    responses=problems(503),
    summary="What is asked for now",
    tags=["open"],
)
async def measure_in_force(request: Request[Any, Any, Any]) -> InForce:
    """The measure in force. With none, nothing may be asked of anybody."""
    house = house_of(request)
    measure = await house.declare.measure(house.clock())
    if measure is None:
        return InForce(None, None, None, None, None)
    return InForce(measure.id, measure.title._asdict(), measure.legal_basis._asdict(), measure.ends_at, measure.form)


@get(
    "/v1/checkpoints",
    include_in_schema=True,
    response_description="In no particular order",
    summary="The checkpoints",
    tags=["open"],
)
async def checkpoints(request: Request[Any, Any, Any]) -> list[CheckpointListed]:
    """Every checkpoint of the network."""
    return [
        CheckpointListed(place.id, place.name._asdict(), place.kind, place.road, place.area)
        for place in house_of(request).steer.network.checkpoints
    ]


def answer_of(receipt: Receipt) -> Answer:
    """What a platform is told of a declaration that it has just sent."""
    outcome = told(receipt.match)
    return Answer(
        receipt.declaration,
        receipt.outcome,
        receipt.qid,
        receipt.code,
        receipt.valid_from,
        receipt.valid_until,
        outcome.differing,
        outcome.words._asdict(),
        receipt.repeated,
        receipt.disputed,
    )


def _became(became: OwnBecame) -> Became:
    sequel = became.sequel
    outcome = told(sequel.match)
    return Became(
        sequel.declaration,
        outcome_of(sequel.match.grade),
        sequel.qid,
        sequel.own if sequel.own != sequel.qid else None,
        sequel.valid_from,
        sequel.valid_until,
        outcome.differing,
        outcome.words._asdict(),
        became.disputed,
        became.corrected_by,
    )


routes = [send_declaration, correct_declaration, what_became, what_was_sent, measure_in_force, checkpoints]
