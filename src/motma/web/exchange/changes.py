"""Read what changed about the citizens whom one declared, page by page, or wait for it."""

from dataclasses import dataclass
from typing import Annotated, Any

import msgspec
from litestar import Request, get
from litestar.openapi.spec import OpenAPIType, Parameter, Schema

from motma.core.change import Change
from motma.core.described import says
from motma.core.errors import Invalid
from motma.core.words import Words
from motma.services.enrol import Platform
from motma.services.exchange.feed import PAGE_CHANGES, WAIT_SECONDS
from motma.web.access import house_of, require_platform
from motma.web.api import Described, problems
from motma.web.exchange.guard import platform_with

_LIMIT = 100


class Changes(msgspec.Struct, frozen=True):
    """A page of what changed."""

    changes: Annotated[list[Change], says("In order; of one citizen, the newest has the highest `version`.")]
    next: Annotated[str, says("The cursor to ask `after` next; it moves on even when nothing was found.", "1844")]
    more: Annotated[bool, says("There is more already: ask at once.", False)]


@dataclass
class _Asked(Described):
    """Describes what :func:`read_changes` reads of the query."""

    def __post_init__(self) -> None:
        """Adds it to the operation's parameters."""
        super().__post_init__()
        after = Schema(type=OpenAPIType.STRING, pattern=r"^(now|[0-9]{1,18})$")
        limit = Schema(type=OpenAPIType.INTEGER, minimum=1, maximum=PAGE_CHANGES, default=_LIMIT)
        wait = Schema(type=OpenAPIType.INTEGER, minimum=0, maximum=WAIT_SECONDS, default=0)
        self.parameters = [
            *(self.parameters or []),
            *(
                Parameter(name=name, param_in="query", schema=schema, description=said)
                for name, schema, said in (
                    ("after", after, "The cursor to go on from, or `now`; without it, the beginning."),
                    ("limit", limit, "So many at most."),
                    ("wait", wait, "Seconds to wait for something new."),
                )
            ),
        ]


@get(
    "/v1/changes",
    include_in_schema=True,
    operation_class=_Asked,
    response_description="As of now",
    summary="What changed",
    tags=["platforms"],
    guards=[platform_with("changes:read")],
    security=[{"platform": []}],
    responses=problems(401, 403, 422, 429, 503),
)
async def read_changes(request: Request[Any, Any, Any]) -> Changes:
    """Of citizens whom this platform declared, from its first declaration of each on. At least once, nothing missed."""
    platform: Platform = request.scope["state"]["platform"]
    house = house_of(request)
    query = request.query_params
    most = _whole("limit", query.get("limit", str(_LIMIT)), 1, PAGE_CHANGES)
    seconds = _whole("wait", query.get("wait", "0"), 0, WAIT_SECONDS)
    cursor = await house.feed.cursor(query.get("after"))
    house.calls.read(platform.id, cursor, house.clock())
    page = await house.feed.changes(platform.id, cursor, most, house.clock())
    if seconds and not page.changes and not page.more:
        await house.feed.wait(platform.id, page.upto, seconds)
        await require_platform(request, "changes:read", again=True)  # it may have been let out meanwhile
        page = await house.feed.changes(platform.id, page.upto, most, house.clock())
    return Changes(list(page.changes), str(page.upto), page.more)


def _whole(name: str, text: str, least: int, most: int) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 4 and least <= int(text) <= most):
        raise Invalid(
            f"changes.{name}",
            Words(f"`{name}` phải là số từ {least} đến {most}.", f"`{name}` must be a number from {least} to {most}."),
        )
    return int(text)


routes = [read_changes]
