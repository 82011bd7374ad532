"""The exchange as a twin knows it: an address, a key of its own to come in with, and what is asked and sent there."""

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import msgspec
from joserfc import jwt
from joserfc.jwk import ECKey

from motma.twins.store import Change, Letter

_CONNECT_SECONDS, _WHOLE_SECONDS = 5, 40
_ANSWER_MAX_BYTES = 8 << 20
_ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_ASSERTION_SECONDS = 120
_RENEW_SECONDS = 60
"""An access token is asked for anew so long before it ends."""
_LONGEST_PAUSE = 3600.0


class Away(Exception):
    """The exchange cannot answer now; ``after`` seconds it may be asked again (None: it did not say)."""

    def __init__(self, why: str, after: float | None = None) -> None:
        super().__init__(why)
        self.after = after


class Refused(Exception):
    """The exchange answered, and will answer the same the next time: ``problem`` is its problem details."""

    def __init__(self, status: int, problem: Mapping[str, Any]) -> None:
        super().__init__(f"{status} {problem.get('code', '')}")
        self.status, self.problem = status, problem


@dataclass(frozen=True, slots=True)
class Page:
    """A page of the feed: ``next`` is where the next one begins."""

    changes: tuple[Change, ...]
    next: str
    more: bool


class _PageSaid(msgspec.Struct):
    changes: tuple[Change, ...]
    next: str
    more: bool = False


@dataclass(slots=True)
class Exchange:
    """What a platform does at the exchange ``url`` as ``platform``; it sends in the form of the connector ``name``."""

    url: str
    platform: str
    name: str
    key: ECKey
    session: aiohttp.ClientSession
    random: Callable[[], str]
    clock: Callable[[], float] = time.time
    _token: str = ""
    _token_until: float = 0.0
    _issuer: str = ""
    _coming_in: asyncio.Lock = field(default_factory=asyncio.Lock)

    # -- what is asked and sent ---------------------------------------------------------------------------------

    async def send(self, letter: Letter) -> Mapping[str, Any]:
        """Hand a user's declaration in, in the platform's own form, under its own key: the first of the results.

        Raises :class:`Away`, :class:`Refused`.
        """
        headers = {"content-type": letter.content_type, "idempotency-key": letter.key}
        said = _json(await self._ask("POST", f"/v1/inbox/{self.name}", body=letter.body, headers=headers))
        results = said.get("results")
        if not isinstance(results, list) or not results or not isinstance(results[0], dict):
            raise Away("the exchange answered something else than results")
        return results[0]

    async def changes(self, after: str | None, *, limit: int, wait: int = 0) -> Page:
        """What changed after the cursor ``after``, or from the beginning. Raises :class:`Away`, :class:`Refused`."""
        query = {"limit": str(limit), **({"after": after} if after else {}), **({"wait": str(wait)} if wait else {})}
        body = await self._ask("GET", "/v1/changes", query=query)
        try:
            said = msgspec.json.decode(body, type=_PageSaid)
        except msgspec.MsgspecError:
            raise Away("the exchange answered something else than a page of changes") from None
        return Page(said.changes, said.next, said.more)

    async def tell_me_at(self, url: str, after: str | None) -> str:
        """Have changes sent to ``url``, those after ``after``; returns the secret that they are signed with."""
        body = msgspec.json.encode({"url": url, **({"after": after} if after else {})})
        headers = {"content-type": "application/json"}
        secret = _json(await self._ask("PUT", "/v1/webhook", body=body, headers=headers)).get("secret")
        if not isinstance(secret, str):
            raise Away("the exchange gave no secret")
        return secret

    async def published(self, path: str, etag: str) -> tuple[bytes, str] | None:
        """Something that is open to anybody, and its etag; None if it is still the one with ``etag``."""
        headers = {"if-none-match": etag} if etag else {}
        async with self._answer("GET", path, headers=headers) as answer:
            if answer.status == 304:
                return None
            return await _body_of(answer), answer.headers.get("etag", "")

    # -- coming in ----------------------------------------------------------------------------------------------

    async def _ask(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> bytes:
        """The body of a good answer. A token that is refused is asked for anew, once."""
        for again in (True, False):
            token = await self._come_in()
            given = {"authorization": f"Bearer {token}", **(headers or {})}
            async with self._answer(method, path, query=query, body=body, headers=given) as answer:
                if answer.status == 401 and again:
                    self._token = "" if self._token == token else self._token
                    continue
                return await _body_of(answer)
        raise AssertionError("unreachable")

    async def _come_in(self) -> str:
        """An access token, by proof that we hold our key (``private_key_jwt``, RFC 7523)."""
        async with self._coming_in:
            now = self.clock()
            if not (self._token and now < self._token_until - _RENEW_SECONDS):
                try:
                    await self._fetch_token(now)
                except Refused as refused:  # not let in: an operator may change that, and what waits must not be lost
                    raise Away(str(refused)) from None
            return self._token

    async def _fetch_token(self, now: float) -> None:
        if not self._issuer:
            async with self._answer("GET", "/.well-known/oauth-authorization-server") as answer:
                self._issuer = str(_json(await _body_of(answer)).get("issuer", ""))
        form = {
            "grant_type": "client_credentials",
            "client_assertion_type": _ASSERTION,
            "client_assertion": self._assertion(int(now)),
        }
        async with self._answer("POST", "/oauth/token", form=form) as answer:
            said = _json(await _body_of(answer))
        self._token = str(said.get("access_token", ""))
        self._token_until = now + float(said.get("expires_in", 0))

    def _assertion(self, now: int) -> str:
        claims: dict[str, Any] = {
            "iss": self.platform,
            "sub": self.platform,
            "aud": self._issuer,
            "iat": now,
            "exp": now + _ASSERTION_SECONDS,
            "jti": self.random(),
        }
        return jwt.encode({"alg": "ES256", "kid": self.key.thumbprint()}, claims, self.key, algorithms=["ES256"])

    def _answer(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: bytes | None = None,
        form: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> "_Answer":
        timeout = aiohttp.ClientTimeout(total=_WHOLE_SECONDS, sock_connect=_CONNECT_SECONDS)
        asked = self.session.request(
            method,
            self.url + path,
            params=query,
            data=body if form is None else form,
            headers=headers,
            timeout=timeout,
            allow_redirects=False,  # our token and our users' words go to the exchange and nowhere else
        )
        return _Answer(asked)


class _Answer:
    """An answer while it is read; whatever goes wrong on the way is :class:`Away`."""

    def __init__(self, asked: Any) -> None:
        self._asked = asked

    async def __aenter__(self) -> aiohttp.ClientResponse:
        try:
            return await self._asked.__aenter__()  # type: ignore[no-any-return]
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise Away(type(error).__name__) from None

    async def __aexit__(self, *raised: Any) -> None:
        await self._asked.__aexit__(*raised)
        if isinstance(raised[1], (aiohttp.ClientError, TimeoutError, OSError)):
            raise Away(type(raised[1]).__name__) from None


async def _body_of(answer: aiohttp.ClientResponse) -> bytes:
    """The body of an answer that is good. Raises :class:`Away` for 401, 403, 408, 429 and 5xx, else :class:`Refused`.

    401 and 403 pass when an operator lets the platform in again, so what waits is kept till then.
    """
    body = await answer.content.read(_ANSWER_MAX_BYTES)
    while not answer.content.at_eof() and len(body) < _ANSWER_MAX_BYTES:
        body += await answer.content.read(_ANSWER_MAX_BYTES - len(body))
    if answer.status < 300:
        return body
    if answer.status in (401, 403, 408, 425, 429) or answer.status >= 500:
        raise Away(f"{answer.status} {_problem(body).get('code', '')}".strip(), _pause(answer.headers))
    raise Refused(answer.status, _problem(body))


def _pause(headers: Mapping[str, str]) -> float | None:
    """Retry-After, in seconds or as a date (RFC 9110, section 10.2.3)."""
    said = headers.get("retry-after", "")
    if said.isascii() and said.isdigit():
        return min(float(said), _LONGEST_PAUSE)
    try:
        return max(0.0, min(parsedate_to_datetime(said).timestamp() - time.time(), _LONGEST_PAUSE)) if said else None
    except ValueError:
        return None


def _problem(body: bytes) -> Mapping[str, Any]:
    try:
        said = msgspec.json.decode(body)
    except msgspec.MsgspecError:
        return {}
    return said if isinstance(said, dict) else {}


def _json(body: bytes) -> Mapping[str, Any]:
    try:
        return msgspec.json.decode(body, type=dict[str, Any])
    except msgspec.MsgspecError:
        raise Away("the exchange answered something that is not JSON") from None


def path_of(uri: str) -> str:
    """The path of an address that the exchange's keys name: asked for at the exchange itself."""
    return urlsplit(uri).path


def own_key(file: Path) -> ECKey:
    """The platform's own private key: made at the first start, readable by nobody else, and never sent."""
    if not file.exists():
        made = ECKey.generate_key("P-256", private=True)
        file.touch(0o600)
        file.write_bytes(made.as_pem(private=True))
    return ECKey.import_key(file.read_bytes())
