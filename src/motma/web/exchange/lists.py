"""Lists of the population data centre: scoped, on a ground that is stated, and recorded for each person on them."""

import datetime as dt
from typing import Annotated, Any

import msgspec
from litestar import Request, post
from litestar.params import JSONBody

from motma.core.described import says
from motma.core.lists import ListAsk
from motma.services.enrol import Platform
from motma.services.exchange.lists import ListPage
from motma.web.access import house_of
from motma.web.api import Described, JsonRequest, json_only, problems
from motma.web.exchange.guard import platform_with


class ListSent(msgspec.Struct, forbid_unknown_fields=True):
    """Which list, of which time, and on what ground."""

    list: Annotated[str, says("`arrivals` or `mismatches`, if the measure in force names it.", "arrivals")]
    basis: Annotated[
        str,
        says(
            "The legal ground, 10 to 300 characters. Everybody on the list reads it.", "Văn bản 12/C06-TTDLDC, điều 3"
        ),
    ]
    since: Annotated[dt.datetime, says("Declarations sent from this time on.", "2026-01-18T00:00:00+07:00")] = (
        msgspec.field(name="from")
    )
    until: Annotated[dt.datetime, says("And before this one; 31 days later at most.", "2026-01-19T00:00:00+07:00")]
    area: Annotated[
        str | None,
        says("Of `arrivals`: only trips into this area from elsewhere; without it into all from outside.", "thu-duc"),
    ] = None
    after: Annotated[str | None, says("The `next` of the page before.", None)] = None


@post(
    "/v1/lists",
    status_code=200,
    include_in_schema=True,
    operation_class=Described,
    response_description="A page of the list",
    summary="A list that the law provides for",
    tags=["platforms"],
    guards=[platform_with("lists:read"), json_only],
    request_class=JsonRequest,
    opt={"reads": msgspec.json.Decoder(ListSent)},
    security=[{"platform": []}],
    responses=problems(401, 403, 413, 415, 422, 429, 503),
)
async def read_list(request: Request[Any, Any, Any], data: JSONBody[ListSent]) -> ListPage:
    """For the population data centre, and only lists that the measure in force names."""
    platform: Platform = request.scope["state"]["platform"]
    house = house_of(request)
    ask = ListAsk(
        list=data.list, basis=data.basis, since=data.since, until=data.until, area=data.area, after=data.after
    )
    return await house.lists.page(ask, platform=platform.id, now=house.clock())


routes = [read_list]
