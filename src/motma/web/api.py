"""What the endpoints for programs share: strict JSON in, problem details out, and how both are described."""

import re
from dataclasses import dataclass
from typing import Any

import msgspec
from litestar import Request
from litestar.connection import ASGIConnection
from litestar.exceptions import HTTPException
from litestar.openapi.datastructures import ResponseSpec
from litestar.openapi.spec import Operation

from motma.core.errors import Invalid
from motma.web.problems import ProblemDetails, malformed

_PROBLEM = "application/problem+json"
_WHERE = re.compile(r" - at `\$\.?(.*)`$")


class JsonRequest(Request[Any, Any, Any]):
    """A request whose body is read by the handler's own decoder (``opt["reads"]``): strictly, and in one pass.

    Litestar by itself would take "1" for a number and a number for a time, which the description denies.
    """

    async def json(self) -> Any:
        return read_body(self.route_handler.opt["reads"], await self.body())


def read_body(reads: msgspec.json.Decoder[Any], body: bytes) -> Any:
    """What was sent, as ``reads`` wants it. Raises :class:`Invalid` ``body.malformed`` with the place."""
    try:
        return reads.decode(body)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        where = _WHERE.search(str(error))
        raise Invalid("body.malformed", malformed(where[1] if where else "")) from None


async def json_only(connection: ASGIConnection[Any, Any, Any, Any], _: object) -> None:
    """A guard: what is not said to be JSON is refused (415) and not read."""
    kind = connection.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise HTTPException(status_code=415)


@dataclass
class Described(Operation):
    """An operation whose description leaves out the 400 that Litestar would answer and we never do."""

    def __post_init__(self) -> None:
        """Takes it out."""
        (self.responses or {}).pop("400", None)


def problems(*statuses: int) -> dict[int, ResponseSpec]:
    """The errors that an endpoint may answer with, for its OpenAPI description."""
    return {
        status: ResponseSpec(
            ProblemDetails, generate_examples=False, description="Problem details", media_type=_PROBLEM
        )
        for status in statuses
    }
