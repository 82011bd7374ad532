"""A platform as its own engineers run it: it holds a private key, signs assertions, and gets tokens for them."""

import datetime as dt
import itertools
from collections.abc import Collection
from typing import TYPE_CHECKING, Any

import httpx
from joserfc import jwk, jwt

from motma.core.platforms import SCOPES, TERMINAL
from motma.web.exchange.oauth import ASSERTION, GRANT

if TYPE_CHECKING:
    from tests.world import World

_serial = itertools.count(1)
KEY = jwk.generate_key("EC", "P-256", auto_kid=True)


class KeyHolder:
    """One platform and its key. Made by :meth:`tests.world.World.key_holder`."""

    def __init__(self, world: "World", id: str, key: Any = KEY) -> None:
        self.world, self.id, self.key = world, id, key

    def assertion(self, *, header: dict[str, Any] | None = None, key: Any = None, **claims: Any) -> str:
        """A good one, but for ``claims`` and ``header``; what is None is left out."""
        key = key or self.key
        at = int(self.world.now.timestamp())
        said = {
            "iss": self.id,
            "sub": self.id,
            "aud": "https://motma.test/oauth/token",
            "iat": at,
            "exp": at + 120,
            "jti": f"jti-{next(_serial)}",
            **claims,
        }
        head = {"alg": {"EC": "ES256", "OKP": "EdDSA", "RSA": "PS256"}[key.key_type], "kid": key.kid, **(header or {})}
        return jwt.encode(
            {name: value for name, value in head.items() if value is not None},
            {name: value for name, value in said.items() if value is not None},
            key,
            algorithms=[head["alg"]],
        )

    async def ask(self, assertion: str | None = None, *, headers: Any = None, **fields: str) -> httpx.Response:
        """What the token endpoint answers."""
        form = {
            "grant_type": GRANT,
            "client_assertion_type": ASSERTION,
            "client_assertion": self.assertion() if assertion is None else assertion,
            **fields,
        }
        return await self.world.browser().post("/oauth/token", data=form, headers=headers)

    async def client(self, scope: str = "", **headers: str) -> httpx.AsyncClient:
        """A client with a fresh token, of everything it may do or only of ``scope``."""
        answer = await self.ask(headers=headers, **({"scope": scope} if scope else {}))
        assert answer.status_code == 200, answer.text
        return self.world.browser(headers={"authorization": f"Bearer {answer.json()['access_token']}", **headers})


async def key_holder(
    world: "World",
    id: str,
    *,
    scopes: Collection[str] = tuple(SCOPES),
    key: Any = KEY,
    at: dt.datetime | None = None,
    **more: Any,
) -> KeyHolder:
    """Register a platform, as somebody at the server's terminal does, and hold its key."""
    platforms, now = world.built.house.platforms, at or world.now
    more = {"per_second": 1_000, "per_day": 1_000_000, **more}
    await platforms.register(id, id.title(), scopes=scopes, by=TERMINAL, now=now, **more)
    await platforms.add_key(id, key.as_pem(private=False).decode(), by=TERMINAL, now=now)
    return KeyHolder(world, id, key)
