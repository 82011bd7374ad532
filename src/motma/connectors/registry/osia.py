"""A client of OSIA Data Access 1.3 (ITU-T X.1281): asks a population register, and never guesses its answer.

Whatever is not an answer of the standard is ``register.unavailable``: silence, errors, redirects, half an answer,
another shape. Nothing of a question or an answer is logged, and no exception that names its address leaves this file.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Literal, TypeVar
from urllib.parse import quote, quote_plus, urlencode

import aiohttp
import msgspec
import structlog
from yarl import URL

from motma.connectors.registry import FOUND_MOST, Expression, unavailable
from motma.connectors.registry.circuit import Circuit, Pass
from motma.connectors.registry.token import Bearer, TokenKeeper

SCOPES = ("pr.person.read", "pr.person.match", "pr.person.verify")
"""What our token must allow; the standard's names for a population register."""

_ANSWER_MAX_BYTES = 65_536
_UIN_MAX_CHARS = 128
_RESERVED = frozenset({"names", "offset", "limit"})  # parameters of queryPersonList beside the attributes
_UNKNOWN_ATTRIBUTE = 1023  # the only code that the standard shows
_LIFETIME_UNSAID_SECONDS = 60  # RFC 6749 only recommends that the server says it

_T = TypeVar("_T")
log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Where:
    """Where the register is, as whom we ask, and how much patience and how many questions at once there may be.

    ``url`` is the server of the standard's paths (``…/v1/persons`` follows), ``token_url`` the token endpoint:
    ``/oauth2/token`` on the same server unless told. A question fails after ``timeout_seconds``, waiting, token and
    retry included. At most ``concurrency`` are asked at once and ``waiting`` wait their turn; more fail at once. After
    ``failures`` in a row the register is left alone for ``pause_seconds``.
    """

    url: str
    client_id: str
    client_secret: str = field(repr=False)
    timeout_seconds: float = 2.0
    concurrency: int = 64
    waiting: int = 512
    failures: int = 5
    pause_seconds: float = 5.0
    token_url: str | None = None


class _Broken(Exception):
    """The register answered something that is no answer. ``args[0]`` says what, in words without anybody's data."""


class _Refused(Exception):
    """The register works, but will not answer this question as we put it (400, 403)."""


class _Error(msgspec.Struct, forbid_unknown_fields=True):
    code: int
    message: str


class _Mismatch(msgspec.Struct, forbid_unknown_fields=True):
    attributeName: str  # noqa: N815 - as on the wire
    errorCode: Literal[0, 1] = 1  # noqa: N815


class _Token(msgspec.Struct):
    access_token: str
    token_type: str
    expires_in: int = _LIFETIME_UNSAID_SECONDS


_uins = msgspec.json.Decoder(list[str]).decode
_mismatches = msgspec.json.Decoder(list[_Mismatch]).decode
_attributes = msgspec.json.Decoder(dict[str, str | int | float | bool | _Error]).decode
_boolean = msgspec.json.Decoder(bool).decode
_token = msgspec.json.Decoder(_Token).decode
_encode = msgspec.json.Encoder().encode


class OsiaRegistry:
    """A :class:`motma.connectors.registry.Registry` over HTTP. Made on a running event loop; ``await close()`` ends it.

    ``clock`` counts seconds forward (the loop's own by default): tokens and the circuit breaker go by it.
    """

    def __init__(self, where: Where, *, clock: Callable[[], float] | None = None) -> None:
        self._where = where
        self._clock = clock or asyncio.get_running_loop().time
        self._base = where.url.rstrip("/")
        self._token_url = URL(where.token_url or self._base + "/oauth2/token", encoded=True)
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=where.concurrency + 1, keepalive_timeout=15),  # and one for the token
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=where.timeout_seconds),
            # Taken as it comes: a small answer needs no compression, and could be a bomb.
            auto_decompress=False,
            headers={"accept": "application/json", "accept-encoding": "identity", "user-agent": "motma"},
        )
        self._slots = asyncio.Semaphore(where.concurrency)
        self._waiting = 0
        self._circuit = Circuit(failures=where.failures, pause_seconds=where.pause_seconds)
        self._tokens = TokenKeeper(self._fetch_token, self._clock)

    async def __aenter__(self) -> "OsiaRegistry":
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close all connections; a question that is under way fails."""
        await self._tokens.close()
        await self._session.close()

    # -- the four questions -------------------------------------------------------------------------------------

    async def find(self, attributes: Mapping[str, str]) -> tuple[str, ...]:
        """``queryPersonList``. Raises :class:`ValueError` for attributes that the standard gives another meaning."""
        if not attributes or not _RESERVED.isdisjoint(attributes):
            raise ValueError("attributes to find somebody by")

        def understand(status: int, body: bytes) -> tuple[str, ...]:
            if status == 404:
                return ()
            uins = _uins(body)
            if not all(_is_uin(uin) for uin in uins):
                raise _Broken("a UIN that is none")
            return tuple(dict.fromkeys(uins))[:FOUND_MOST]

        query = urlencode({**attributes, "limit": str(FOUND_MOST)}, quote_via=quote)
        return await self._ask("GET", f"/v1/persons?{query}", None, understand)

    async def match(self, uin: str, attributes: Mapping[str, str]) -> frozenset[str] | None:
        """``matchPersonAttributes``."""

        def understand(status: int, body: bytes) -> frozenset[str] | None:
            if status == 404:
                return None
            differing = frozenset(one.attributeName for one in _mismatches(body))
            if not differing <= attributes.keys():
                raise _Broken("a mismatch that was not asked for")
            return differing

        return await self._ask("POST", _path(uin) + "/match", _encode(dict(attributes)), understand)

    async def read(self, uin: str, names: Sequence[str]) -> Mapping[str, str] | None:
        """``readPersonAttributes``."""

        def understand(status: int, body: bytes) -> Mapping[str, str] | None:
            if status == 404:
                return None
            return {name: text for name, value in _attributes(body).items() if (text := _text(value)) is not None}

        query = urlencode([("attributeNames", name) for name in names], quote_via=quote)
        return await self._ask("GET", f"{_path(uin)}?{query}", None, understand)

    async def verify(self, uin: str, expressions: Sequence[Expression]) -> bool | None:
        """``verifyPersonAttributes``."""

        def understand(status: int, body: bytes) -> bool | None:
            return None if status == 404 else _boolean(body)

        asked = [{"attributeName": one.attribute, "operator": one.operator, "value": one.value} for one in expressions]
        return await self._ask("POST", _path(uin) + "/verify", _encode(asked), understand)

    # -- asking -------------------------------------------------------------------------------------------------

    async def _ask(self, method: str, path: str, body: bytes | None, understand: Callable[[int, bytes], _T]) -> _T:
        """Ask and understand, within the time, the limits and the circuit. Raises :class:`Unavailable`."""
        if self._waiting >= self._where.waiting or not self._circuit.would_admit(self._clock()):
            raise unavailable()
        given = None
        url = URL(self._base + path, encoded=True)
        self._waiting += 1
        waits = True
        try:
            async with asyncio.timeout(self._where.timeout_seconds), self._slots:
                self._waiting -= 1
                waits = False
                given = self._circuit.admit(self._clock())
                if given is None:
                    raise unavailable()  # it opened while we waited
                answer = understand(*await self._exchange(method, url, body))
        except (TimeoutError, OSError, aiohttp.ClientError, msgspec.DecodeError, UnicodeDecodeError, _Broken) as error:
            if given and self._circuit.failed(given, self._clock()):
                log.warning("register.left_alone", because=_kind(error), seconds=self._where.pause_seconds)
            raise unavailable() from None
        except _Refused as refusal:
            self._heal(given)
            log.error("register.refuses_us", status=refusal.args[0])
            raise unavailable() from None
        except BaseException:
            if given:
                self._circuit.abandoned(given)
            raise
        finally:
            if waits:
                self._waiting -= 1
        self._heal(given)
        return answer

    def _heal(self, given: Pass | None) -> None:
        if given and self._circuit.succeeded(given):
            log.info("register.answers_again")

    async def _exchange(self, method: str, url: URL, body: bytes | None) -> tuple[int, bytes]:
        """(200 or 404, body). One retry of what only reads, and one with a new token."""
        renewed = retried = False
        while True:
            bearer = await self._tokens.get()
            headers = {"authorization": f"Bearer {bearer.text}"}
            if body is not None:
                headers["content-type"] = "application/json"
            try:
                status, kind, content = await self._request(method, url, headers, body)
            except aiohttp.ClientConnectionError:
                if retried:
                    raise
                retried = True
                continue
            if status == 200 and kind == "application/json":
                return status, content
            if status == 404 and (not content or kind == "application/json"):
                return status, content  # a page would be somebody else's 404: a wrong address, a proxy
            if status == 401 and not renewed:
                self._tokens.refused(bearer)
                renewed = True
            elif status in (502, 503, 504) and not retried:
                retried = True
            elif status in (400, 403, 413, 414):
                raise _Refused(status)
            else:
                raise _Broken(f"status {status}")

    async def _request(
        self, method: str, url: URL, headers: Mapping[str, str], body: bytes | None
    ) -> tuple[int, str, bytes]:
        """(status, content type, body). Follows no redirect and reads no more than an answer can have."""
        async with self._session.request(method, url, data=body, headers=headers, allow_redirects=False) as response:
            chunks, size = [], 0
            async for chunk in response.content.iter_any():
                size += len(chunk)
                if size > _ANSWER_MAX_BYTES:
                    response.close()  # the rest is not read, so the connection cannot be used again
                    raise _Broken("too long an answer")
                chunks.append(chunk)
            return response.status, response.content_type, b"".join(chunks)

    async def _fetch_token(self) -> Bearer:
        where = self._where
        # Each is form-encoded before it is Basic (RFC 6749, section 2.3.1).
        login = aiohttp.encode_basic_auth(quote_plus(where.client_id), quote_plus(where.client_secret))
        form = urlencode({"grant_type": "client_credentials", "scope": " ".join(SCOPES)}).encode()
        headers = {"authorization": login, "content-type": "application/x-www-form-urlencoded"}
        async with asyncio.timeout(where.timeout_seconds):
            status, _, content = await self._request("POST", self._token_url, headers, form)
        if status != 200:
            raise _Broken(f"no token: status {status}")
        token = _token(content)
        # Such a token cannot be sent: a header is one line of visible ASCII.
        sendable = token.access_token.isascii() and token.access_token.isprintable() and " " not in token.access_token
        if token.token_type.lower() != "bearer" or not token.access_token or not sendable or token.expires_in <= 0:
            raise _Broken("a token that cannot be used")
        return Bearer(token.access_token, token.expires_in)


def _path(uin: str) -> str:
    if not _is_uin(uin):
        raise ValueError("no UIN")
    return "/v1/persons/" + quote(uin, safe="")


def _is_uin(uin: str) -> bool:
    """Whether a text can stand in a path: servers take an empty part, . and .. for another path."""
    return 0 < len(uin) <= _UIN_MAX_CHARS and uin not in (".", "..")


def _text(value: str | int | float | bool | _Error) -> str | None:
    """An attribute's value as text; ``None`` when the register does not keep such an attribute."""
    if isinstance(value, str):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)  # a year, a number
    if isinstance(value, _Error) and value.code == _UNKNOWN_ATTRIBUTE:
        return None
    raise _Broken("an attribute that could not be read")


def _kind(error: Exception) -> str:
    """What went wrong, without the address that was asked: it holds a number."""
    return str(error.args[0]) if isinstance(error, _Broken) else type(error).__name__
