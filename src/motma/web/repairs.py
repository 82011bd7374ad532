"""The officers' other endpoint: put a declaration right with the document in hand, and have the verdict again."""

from typing import Any

import msgspec
from litestar import Request, post
from litestar.params import JSONBody

from motma.services.corrections import RepairAsk
from motma.services.repair import RepairDone
from motma.web.access import house_of
from motma.web.api import Described, JsonRequest, json_only, problems
from motma.web.checks import officer_only


@post(
    "/v1/repairs",
    status_code=200,
    include_in_schema=True,
    operation_class=Described,
    response_description="Recorded; the verdict, judged again",
    summary="Put a declaration right, with the document in hand",
    tags=["officers"],
    security=[{"device": [], "shift": []}],
    guards=[officer_only, json_only],
    request_class=JsonRequest,
    opt={"reads": msgspec.json.Decoder(RepairAsk)},
    responses=problems(401, 403, 404, 409, 413, 415, 422, 429, 503),
)
async def repair(request: Request[Any, Any, Any], data: JSONBody[RepairAsk]) -> RepairDone:
    """Only of the person whom this officer just checked on this device. The same id again is the same repair; a device
    may try 30 times in 5 minutes."""
    device, shift = request.scope["state"]["officer"]
    house = house_of(request)
    return await house.repair.repair(data, device=device, officer=shift.officer, now=house.clock())


routes = [repair]
