"""The operators' second page: what officers repaired, and which numbers were made one citizen, to be looked at again.

No name stands here, and of a number only its last six digits: who has to know more asks the checkpoint.
"""

from typing import Any

from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import URLEncodedBody
from litestar.response import Redirect

from motma.core.errors import Conflict
from motma.core.words import Words
from motma.services.enrol import Operator
from motma.web.access import house_of, require_operator
from motma.web.pages import render

_SHOWN = 50

_Request = Request[Any, Any, Any]
_Form = URLEncodedBody[dict[str, str]]


@get("/ops/review", include_in_schema=False)
async def review(request: _Request, operator: NamedDependency[Operator | None]) -> Response[bytes] | Redirect:
    """What waits, the oldest first."""
    if operator is None:
        return Redirect("/ops/login", status_code=303)
    return await _page(request, operator)


@post("/ops/review", include_in_schema=False)
async def say(request: _Request, data: _Form) -> Response[bytes] | Redirect:
    """Uphold a repair, or take it back."""
    operator, house = await require_operator(request), house_of(request)
    try:
        await house.review.say(
            data.get("repair", ""), upheld=data.get("upheld") == "yes", by=operator.name, now=house.clock()
        )
    except Conflict as late:
        return await _page(request, operator, late)
    return Redirect("/ops/review", status_code=303)


@post("/ops/review/part", include_in_schema=False)
async def part(request: _Request, data: _Form) -> Response[bytes] | Redirect:
    """Make two citizens of one again."""
    operator, house = await require_operator(request), house_of(request)
    try:
        await house.review.part(data.get("merge", ""), by=operator.name, now=house.clock())
    except Conflict as late:
        return await _page(request, operator, late)
    return Redirect("/ops/review#merges", status_code=303)


async def _page(request: _Request, operator: Operator, late: Conflict | None = None) -> Response[bytes]:
    house = house_of(request)
    waiting = await house.review.waiting()
    return render(
        request,
        "ops/review.html",
        status_code=409 if late else 200,
        operator=operator.name,
        waiting=waiting[:_SHOWN],
        count=len(waiting),
        joined=await house.review.joined(house.clock()),
        network=house.steer.network,
        reasons=REASONS,
        fields=FIELDS,
        error=late.words if late else None,
    )


REASONS = {
    "typing": Words("gõ nhầm", "a slip in typing"),
    "tones": Words("thiếu hoặc sai dấu", "tone marks missing or wrong"),
    "old_card": Words("khai theo giấy tờ cũ", "declared by an old document"),
    "name_changed": Words("đã đổi tên", "the name was changed"),
    "register_wrong": Words("dữ liệu dân cư sai", "the register is wrong"),
    "no_number": Words("không có số giấy tờ", "no document number"),
}
FIELDS = {
    "document.number": Words("số giấy tờ", "document number"),
    "name": Words("họ tên", "name"),
    "birth_date": Words("ngày sinh", "birth date"),
    "sex": Words("giới tính", "sex"),
}

routes = [review, say, part]
