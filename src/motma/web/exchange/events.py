"""Report what health staff found: a case, a contact, the end of isolation.

The same ``Idempotency-Key`` with the same body answers with the first report."""

from typing import Annotated, Any

import msgspec
from litestar import Request, Response, post
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import JSONBody

from motma.core.described import says
from motma.core.health import EventSent
from motma.core.state import State
from motma.services.enrol import Platform
from motma.services.exchange.events import Reported
from motma.web.access import house_of
from motma.web.api import JsonRequest, json_only, problems
from motma.web.exchange.guard import WithKey, keyed, platform_with


class EventAnswer(msgspec.Struct, frozen=True):
    """What was recorded."""

    id: Annotated[str, says("The report's id.", "hlr_01kf7yejc0k13emra4srge0byv")]
    qid: Annotated[
        str,
        says("The number that the citizen goes by; given now to who never declared.", "521322923144321717"),
    ]
    state: Annotated[
        State,
        says("Where they stand by it now; `unknown`: they never declared, and it counts once they do.", "check"),
    ]


@post(
    "/v1/health-events",
    status_code=201,
    include_in_schema=True,
    response_description="Recorded, and in force",
    summary="Report what health staff found",
    tags=["platforms"],
    guards=[platform_with("health:write"), json_only, keyed],
    operation_class=WithKey,
    request_class=JsonRequest,
    opt={"reads": msgspec.json.Decoder(EventSent)},
    security=[{"platform": []}],
    responses={
        200: ResponseSpec(EventAnswer, generate_examples=False, description="Sent before under this key"),
        **problems(401, 403, 409, 413, 415, 422, 429, 503),
    },
)
async def report_event(request: Request[Any, Any, Any], data: JSONBody[EventSent]) -> Response[EventAnswer]:
    """Only for systems of health staff. It counts at every checkpoint at once, whoever declared the citizen."""
    platform: Platform = request.scope["state"]["platform"]
    house = house_of(request)
    raw = {name: value for name, value in msgspec.to_builtins(data).items() if value is not None}
    reported = await house.events.report(raw, source=platform.id, now=house.clock(), key=request.scope["state"]["key"])
    return Response(_answer(reported), status_code=200 if reported.repeated else 201)


def _answer(reported: Reported) -> EventAnswer:
    return EventAnswer(reported.id, reported.qid, reported.state)


routes = [report_event]
