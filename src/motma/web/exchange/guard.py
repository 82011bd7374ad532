"""What every route of the platforms' door begins with: whose token it is, what that may do, and under which key."""

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from litestar.connection import ASGIConnection
from litestar.openapi.spec import OpenAPIType, Schema
from litestar.openapi.spec import Parameter as OpenAPIParameter

from motma.core.errors import Invalid
from motma.core.words import Words
from motma.web.access import require_platform
from motma.web.api import Described

_KEY = r"^[!-~]{1,200}$"
_is_key = re.compile(_KEY).match

Guard = Callable[[ASGIConnection[Any, Any, Any, Any], Any], Awaitable[None]]


def platform_with(scope: str) -> Guard:
    """A guard: nothing is read from somebody who is not a platform that may do ``scope``.

    Whose it is lies in ``connection.scope["state"]["platform"]`` then.
    """

    async def only_such(connection: ASGIConnection[Any, Any, Any, Any], _: object) -> None:
        connection.scope["state"]["platform"] = await require_platform(connection, scope)

    only_such.scope = scope  # type: ignore[attr-defined]  # tests/web walks the routes by it
    return only_such


@dataclass
class WithKey(Described):
    """Describes the ``Idempotency-Key`` that :func:`keyed` reads."""

    def __post_init__(self) -> None:
        """Adds the header to the operation's parameters."""
        super().__post_init__()
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
    connection.scope["state"]["key"] = _checked(connection.headers.get("idempotency-key", ""))


def key_of(connection: ASGIConnection[Any, Any, Any, Any]) -> str | None:
    """The key of a sending that need not have one. Raises :class:`Invalid` ``idempotency.key`` for what is none."""
    key = connection.headers.get("idempotency-key")
    return None if key is None else _checked(key)


def _checked(key: str) -> str:
    if not _is_key(key):
        raise Invalid(
            "idempotency.key",
            Words(
                "Thiếu Idempotency-Key, hoặc không phải 1 đến 200 ký tự ASCII liền nhau.",
                "Idempotency-Key is missing, or is not 1 to 200 ASCII characters without spaces.",
            ),
        )
    return key
