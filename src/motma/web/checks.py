"""The officers' endpoints: one scan in, one verdict out, which everything waits for; and who travels in a vehicle."""

from typing import Any

import msgspec
from litestar import Request, post
from litestar.connection import ASGIConnection
from litestar.params import JSONBody

from motma.services.check import Ask, Checked
from motma.services.plates import PlateAsk, Travellers
from motma.web.access import house_of, require_officer
from motma.web.api import Described, JsonRequest, json_only, problems


async def officer_only(connection: ASGIConnection[Any, Any, Any, Any], _: object) -> None:
    """A guard: nothing is read from somebody who is not an officer at work."""
    connection.scope["state"]["officer"] = await require_officer(connection)


@post(
    "/v1/checks",
    status_code=200,
    include_in_schema=True,
    operation_class=Described,
    response_description="The verdict, recorded",
    summary="Check a code or a number",
    tags=["officers"],
    security=[{"device": [], "shift": []}],
    guards=[officer_only, json_only],
    request_class=JsonRequest,
    opt={"reads": msgspec.json.Decoder(Ask)},
    responses=problems(401, 403, 409, 413, 415, 422, 503),
)
async def check(request: Request[Any, Any, Any], data: JSONBody[Ask]) -> Checked:
    """Judge and record one scan. The same scan id again is answered as the first time and recorded once."""
    device, shift = request.scope["state"]["officer"]
    house = house_of(request)
    return await house.check.check(data, device=device, officer=shift.officer, now=house.clock())


@post(
    "/scan/plates",
    status_code=200,
    include_in_schema=False,
    guards=[officer_only, json_only],
    request_class=JsonRequest,
    opt={"reads": msgspec.json.Decoder(PlateAsk)},
)
async def find_by_plate(request: Request[Any, Any, Any], data: JSONBody[PlateAsk]) -> Travellers:
    """For somebody who can show no code. Recorded, and told to each person found; a device may ask 20 times in 5
    minutes. Check the one who stands there by their number."""
    device, shift = request.scope["state"]["officer"]
    house = house_of(request)
    return await house.plates.find(data, device=device, officer=shift.officer, now=house.clock())
