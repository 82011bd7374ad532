"""The platforms' door: send a declaration, get the citizen's one code back.

Needs a bearer token. The same ``Idempotency-Key`` with the same body answers with the first receipt.
"""

import datetime as dt
import re
from dataclasses import dataclass
from typing import Any

import msgspec
from litestar import Request, Response, get, post
from litestar.connection import ASGIConnection
from litestar.openapi.datastructures import ResponseSpec
from litestar.openapi.spec import OpenAPIType, Operation, Schema
from litestar.openapi.spec import Parameter as OpenAPIParameter
from litestar.params import JSONBody

from motma.core.errors import Invalid
from motma.core.words import Words
from motma.services.declare import Receipt
from motma.services.enrol import Platform
from motma.web.access import house_of, require_platform
from motma.web.api import JsonRequest, json_only, problems
from motma.web.receipts import told


class DocumentSent(msgspec.Struct):
    """CCCD: 12 digits. CMND: 9 digits. Passport: 5-12 letters and digits."""

    kind: str
    number: str


class PlaceSent(msgspec.Struct):
    """Codes of the 2025 units: province (2 digits) and commune (5 digits)."""

    province: str
    commune: str
    address: str = ""


class TripSent(msgspec.Struct):
    """One journey; ``departs_at`` is ISO 8601; ``checkpoints`` are ids from ``GET /v1/checkpoints``, in order."""

    origin: PlaceSent
    destination: PlaceSent
    vehicle: str
    departs_at: str
    plate: str = ""
    checkpoints: list[str] = []


class HealthSent(msgspec.Struct):
    """Every symptom of the form, each true or false."""

    symptoms: dict[str, bool]
    contact: bool
    places: str = ""


class DeclarationSent(msgspec.Struct):
    """The one form, version 2026-1. ``consents`` lists the purposes that the citizen agreed to."""

    name: str
    birth_date: str
    sex: str
    nationality: str
    document: DocumentSent
    phone: str
    residence: PlaceSent
    trip: TripSent
    health: HealthSent
    consents: list[str]


class Answer(msgspec.Struct, frozen=True):
    """What became of the declaration; ``code`` is the text to show as a QR."""

    declaration: str
    outcome: str
    qid: str | None
    code: str | None
    valid_from: dt.datetime | None
    valid_until: dt.datetime | None
    differing: tuple[str, ...]
    words: dict[str, str]
    repeated: bool


class InForce(msgspec.Struct, frozen=True):
    """The measure in force; null when nothing is asked of anybody."""

    measure: str | None
    title: dict[str, str] | None
    legal_basis: dict[str, str] | None
    ends_at: dt.datetime | None
    form: str | None


class CheckpointListed(msgspec.Struct, frozen=True):
    """A checkpoint of the network."""

    id: str
    name: dict[str, str]
    kind: str
    road: str


async def platform_only(connection: ASGIConnection[Any, Any, Any, Any], _: object) -> None:
    """A guard: nothing is read from somebody who is not a platform."""
    connection.scope["state"]["platform"] = await require_platform(connection)


_KEY = r"^[!-~]{1,200}$"
_is_key = re.compile(_KEY).match


@dataclass
class WithKey(Operation):
    """Describes the ``Idempotency-Key`` that :func:`keyed` reads."""

    def __post_init__(self) -> None:
        """Adds the header to the operation's parameters."""
        key = OpenAPIParameter(
            name="Idempotency-Key",
            param_in="header",
            required=True,
            description="Your own key for this sending; the same key and body answer with the first receipt.",
            schema=Schema(type=OpenAPIType.STRING, pattern=_KEY),
        )
        self.parameters = [*(self.parameters or []), key]


async def keyed(connection: ASGIConnection[Any, Any, Any, Any], _: object) -> None:
    """A guard: without a key of its own a sending could not be repeated safely."""
    key = connection.headers.get("idempotency-key", "")
    if not _is_key(key):
        raise Invalid(
            "idempotency.key",
            Words(
                "Thiếu Idempotency-Key, hoặc không phải 1 đến 200 ký tự ASCII liền nhau.",
                "Idempotency-Key is missing, or is not 1 to 200 ASCII characters without spaces.",
            ),
        )
    connection.scope["state"]["key"] = key


@post(
    "/v1/declarations",
    status_code=201,
    summary="Send a declaration",
    tags=["platforms"],
    guards=[platform_only, json_only, keyed],
    operation_class=WithKey,
    request_class=JsonRequest,
    opt={"reads": msgspec.json.Decoder(DeclarationSent)},
    security=[{"platform": []}],
    responses={
        200: ResponseSpec(Answer, generate_examples=False, description="Sent before; this is the first receipt"),
        **problems(401, 403, 409, 413, 415, 422, 503),
    },
)
async def send_declaration(
    request: Request[Any, Any, Any],
    data: JSONBody[DeclarationSent],
) -> Response[Answer]:
    """Record a declaration made on a platform. The same citizen always gets the same QID."""
    platform: Platform = request.scope["state"]["platform"]
    house = house_of(request)
    receipt = await house.declare.declare(
        msgspec.to_builtins(data), source=platform.id, now=house.clock(), key=request.scope["state"]["key"]
    )
    return Response(_answer(receipt), status_code=200 if receipt.repeated else 201)


@get("/v1/measure", summary="What is asked for now", tags=["open"])
async def measure_in_force(request: Request[Any, Any, Any]) -> InForce:
    """The measure in force. With none, nothing may be asked of anybody."""
    house = house_of(request)
    measure = await house.declare.measure(house.clock())
    if measure is None:
        return InForce(None, None, None, None, None)
    return InForce(measure.id, measure.title._asdict(), measure.legal_basis._asdict(), measure.ends_at, measure.form)


@get("/v1/checkpoints", summary="The checkpoints", tags=["open"])
async def checkpoints(request: Request[Any, Any, Any]) -> list[CheckpointListed]:
    """Every checkpoint of the network."""
    return [
        CheckpointListed(place.id, place.name._asdict(), place.kind, place.road)
        for place in house_of(request).steer.network.checkpoints
    ]


def _answer(receipt: Receipt) -> Answer:
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
    )


routes = [send_declaration, measure_in_force, checkpoints]
