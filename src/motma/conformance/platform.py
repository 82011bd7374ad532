"""The platform under trial, as the kit drives it: six small doors, open while it is tried and never beside real users.

They are written down for its engineers in ``docs/twins.md`` and in the kit's own README.
"""

import datetime as dt
from collections.abc import Mapping
from typing import Any, Literal

import aiohttp
import msgspec

from motma.core.errors import Unavailable
from motma.core.words import Words

_SECONDS = 20


class About(msgspec.Struct):
    """Who it says it is: ``connector`` names the form it sends, ``jwks`` its public keys (RFC 7517)."""

    name: str
    connector: str
    jwks: dict[str, list[dict[str, Any]]]


class Verified(msgspec.Struct):
    """What its scanner says: ``valid`` is null for what it cannot know."""

    valid: bool | None
    reason: str = ""


class Declared(msgspec.Struct):
    """What became of what one of its users declared."""

    state: Literal["waiting", "sent", "refused"]
    declaration: str | None = None
    qid: str | None = None
    code: str | None = None


class Platform:
    """The one at ``url``."""

    def __init__(self, url: str, session: aiohttp.ClientSession) -> None:
        self._url, self._session = url.rstrip("/"), session

    async def about(self) -> About:
        """Raises :class:`Unavailable` ``conformance.platform`` if it has no such door."""
        found: About = await self._ask("GET", "about", About)
        return found

    async def connect(self, exchange: str, platform: str) -> None:
        """Have it forget everything and begin anew at ``exchange``, where it is registered as ``platform``."""
        await self._ask("POST", "connect", None, {"exchange": exchange, "platform": platform})

    async def verify(self, code: str, now: dt.datetime | None = None) -> Verified:
        """Have its scanner judge ``code``, as if it were ``now``."""
        said = {"code": code, **({"now": now.isoformat()} if now else {})}
        found: Verified = await self._ask("POST", "verify", Verified, said)
        return found

    async def declare(self, declaration: Mapping[str, Any]) -> str:
        """Have a user of it declare; ``declaration`` in the shape of ``POST /v1/declarations``. Returns its own key."""
        found: dict[str, str] = await self._ask("POST", "declare", dict[str, str], declaration)
        return found.get("key", "")

    async def declared(self, key: str) -> Declared:
        """What became of it."""
        found: Declared = await self._ask("GET", f"declared/{key}", Declared)
        return found

    async def citizen(self, qid: str) -> dict[str, Any] | None:
        """What it shows of a citizen; None if it knows none."""
        found: dict[str, Any] | None = await self._ask("GET", f"citizen/{qid}", dict[str, Any], missing=True)
        return found

    async def _ask(self, method: str, what: str, kind: Any, said: Any = None, *, missing: bool = False) -> Any:
        url, timeout = f"{self._url}/conformance/{what}", aiohttp.ClientTimeout(total=_SECONDS)
        body = None if said is None else msgspec.json.encode(said)
        headers = {"content-type": "application/json"} if body is not None else {}
        try:
            async with self._session.request(method, url, data=body, headers=headers, timeout=timeout) as answer:
                content = await answer.read()
        except (aiohttp.ClientError, TimeoutError):
            raise _no_door(what) from None
        if answer.status == 404 and missing:
            return None
        if answer.status >= 300:
            raise _no_door(what)
        try:
            return None if kind is None else msgspec.json.decode(content, type=kind)
        except msgspec.MsgspecError:
            raise _no_door(what) from None


def _no_door(what: str) -> Unavailable:
    return Unavailable(
        "conformance.platform",
        Words(
            f"Nền tảng không trả lời đúng ở /conformance/{what}. Xem docs/twins.md.",
            f"The platform does not answer as it should at /conformance/{what}. See docs/twins.md.",
        ),
    )
