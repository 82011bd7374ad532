"""The officers' endpoint that everything waits for: one scan in, one verdict out."""

from typing import Any

from litestar import Request, post
from litestar.params import JSONBody

from motma.services.check import Ask, Checked
from motma.web.access import house_of, require_officer
from motma.web.platforms import problems


@post(
    "/v1/checks",
    status_code=200,
    summary="Check a code or a number",
    tags=["officers"],
    security=[{"device": [], "shift": []}],
    responses=problems(401, 403, 409, 413, 422, 503),
)
async def check(request: Request[Any, Any, Any], data: JSONBody[Ask]) -> Checked:
    """Judge and record one scan. The same scan id again is answered as the first time and recorded once."""
    device, shift = await require_officer(request)
    house = house_of(request)
    return await house.check.check(data, device=device, officer=shift.officer, now=house.clock())
