"""A platform's own payload, in the form and under the content type in which it has always sent it."""

from dataclasses import dataclass
from typing import Annotated, Any, Literal

import msgspec
from litestar import Request, Response, post
from litestar.exceptions import HTTPException
from litestar.openapi.datastructures import ResponseSpec
from litestar.openapi.spec import OpenAPIMediaType, OpenAPIType, RequestBody, Schema
from litestar.openapi.spec import Parameter as OpenAPIParameter
from litestar.params import FromPath

from motma.connectors.platforms import CONNECTORS
from motma.core.described import says
from motma.core.words import Words
from motma.services.declare import Receipt
from motma.services.enrol import Platform
from motma.services.exchange.inbox import Result, connector_of
from motma.web.access import house_of
from motma.web.api import Described, problems
from motma.web.exchange.declarations import answer_of
from motma.web.exchange.guard import key_of, platform_with
from motma.web.gate import INBOX_MAX_BYTES
from motma.web.problems import NotAllowed, problem_body, status_of


class Taken(msgspec.Struct, frozen=True):
    """What became of one item."""

    kind: Annotated[Literal["declaration", "event", "skipped"], says("What the item is.", "declaration")]
    answer: Annotated[
        dict[str, Any] | None,
        says(
            "Of a declaration what `POST /v1/declarations` answers, of an event what `POST /v1/health-events` does.",
            None,
        ),
    ]
    problem: Annotated[
        dict[str, Any] | None, says("Or what is wrong with it: problem details, in the platform's own names.", None)
    ]


class Delivered(msgspec.Struct, frozen=True):
    """What became of each item of a delivery, in its order."""

    results: list[Taken]


@dataclass
class Payload(Described):
    """Describes the payload: whatever the connector reads."""

    def __post_init__(self) -> None:
        """Adds the body and the key, which the handler reads itself."""
        super().__post_init__()
        kinds = sorted({kind for connector in CONNECTORS.values() for kind in connector.content_types})
        text = OpenAPIMediaType(schema=Schema(type=OpenAPIType.STRING))
        self.request_body = RequestBody(
            content=dict.fromkeys(kinds, text), required=True, description="As the platform writes it."
        )
        key = OpenAPIParameter(
            name="Idempotency-Key",
            param_in="header",
            required=False,
            description="Your own key for this delivery; without one the delivery is known by what it holds.",
            schema=Schema(type=OpenAPIType.STRING),
        )
        self.parameters = [*(self.parameters or []), key]


@post(
    "/v1/inbox/{connector:str}",
    status_code=201,
    include_in_schema=True,
    operation_class=Payload,
    response_description="Recorded: at least one item that was not there before",
    summary="Deliver in a platform's own form",
    tags=["platforms"],
    guards=[platform_with("declarations:write")],
    request_max_body_size=INBOX_MAX_BYTES,
    security=[{"platform": []}],
    responses={
        200: ResponseSpec(Delivered, generate_examples=False, description="All of it was there already"),
        **problems(401, 403, 404, 409, 413, 415, 422, 429, 503),
    },
)
async def deliver(request: Request[Any, Any, Any], connector: FromPath[str]) -> Response[Any]:
    """Read by the connector that this platform is registered with, and recorded item by item.

    The same delivery again changes nothing. 422: nothing of it was recorded, and it never will be as it stands; the
    problem names the platform's own fields, and `results` each item. 429 and 503: send all of it again later.
    """
    platform: Platform = request.scope["state"]["platform"]
    house = house_of(request)
    reads = connector_of(connector)
    if platform.connector != reads.name:
        raise NotAllowed(
            "inbox.other_connector",
            Words(
                f"Nền tảng này đăng ký mẫu {platform.connector}, không phải {reads.name}.",
                f"This platform is registered with the connector {platform.connector}, not {reads.name}.",
            ),
        )
    content_type = request.headers.get("content-type", "")
    if content_type.partition(";")[0].strip().lower() not in reads.content_types:
        raise HTTPException(status_code=415)
    results = await house.inbox.take(
        reads, await request.body(), content_type, sender=platform, now=house.clock(), key=key_of(request)
    )
    for result in results:
        if isinstance(result.answer, Receipt) and result.is_new:
            house.calls.told(platform.id, result.answer.outcome, house.clock())
        if result.problem:
            house.calls.failed(platform.id, result.problem.code, house.clock())
    return _answered(results)


def _answered(results: tuple[Result, ...]) -> Response[Any]:
    taken = Delivered([_taken(result) for result in results])
    failed = [result.problem for result in results if result.problem]
    if failed and len(failed) == len(results):
        first = failed[0]
        problem = msgspec.to_builtins(problem_body(422, first.code, first.words, first.fields))
        return Response(problem | {"results": taken.results}, status_code=422, media_type="application/problem+json")
    return Response(taken, status_code=201 if any(result.is_new for result in results) else 200)


def _taken(result: Result) -> Taken:
    answer, problem = result.answer, result.problem
    told: dict[str, Any] | None = None
    if isinstance(answer, Receipt):
        told = msgspec.to_builtins(answer_of(answer))
    elif answer:
        told = {"id": answer.id, "qid": answer.qid, "state": answer.state}
    if problem is None:
        return Taken(result.kind, told, None)
    said = problem_body(status_of(problem)[0], problem.code, problem.words, problem.fields)
    return Taken(result.kind, told, msgspec.to_builtins(said))


routes = [deliver]
