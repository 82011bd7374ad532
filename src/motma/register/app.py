"""The register's doors: OSIA Data Access 1.3 over bare ASGI, a token endpoint, and a door for faults.

A framework would cost more than the answers do. Bodies of 401, 403, 404 and 415 are empty, as the standard has them.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any
from urllib.parse import parse_qsl, unquote

import msgspec

from motma.register.answers import MALFORMED, Answers, Error, Expression, Refused, Value
from motma.register.faults import Faults
from motma.register.population import Person
from motma.register.tokens import TokenError, Tokens

_BODY_MAX_BYTES = 65_536
_FIELDS_MOST = 64
_LIMIT_DEFAULT = 100  # the standard's

_Scope = dict[str, Any]
_Receive = Callable[[], Awaitable[dict[str, Any]]]
_Send = Callable[[dict[str, Any]], Awaitable[None]]
_Answer = tuple[int, bytes, tuple[tuple[bytes, bytes], ...]]

_JSON = ((b"content-type", b"application/json"),)
_NOBODY = 404, b"", ()
_encode = msgspec.json.Encoder().encode
_decode_attributes = msgspec.json.Decoder(dict[str, Value]).decode
_decode_expressions = msgspec.json.Decoder(list[Expression]).decode
_decode_faults = msgspec.json.Decoder(Faults).decode
# What each question needs: its method and scope, by the last part of its path.
_NEEDS = {
    "persons": ("GET", "pr.person.read"),
    "": ("GET", "pr.person.read"),
    "match": ("POST", "pr.person.match"),
    "verify": ("POST", "pr.person.verify"),
    "document": ("GET", "pr.document.read"),
}
_FORMATS = ("pdf", "jpeg", "png", "TBD")


class TooLarge(Exception):
    """A body longer than any honest one (413)."""


class App:
    """The ASGI application. ``draw`` gives numbers from 0 up to 1 for faults; ``faults`` of ``None``: no such door."""

    def __init__(
        self, answers: Answers, tokens: Tokens, *, faults: Faults | None = None, draw: Callable[[], float] | None = None
    ) -> None:
        self._answers, self._tokens = answers, tokens
        self._has_faults = faults is not None
        self.faults = faults or Faults()
        self._draw = draw or (lambda: 1.0)
        self._moving = asyncio.Event()
        self._moving.set()

    async def __call__(self, scope: _Scope, receive: _Receive, send: _Send) -> None:
        if scope["type"] != "http":
            return  # a WebSocket, which nobody here opens
        status, body, headers = await self._answer(scope, receive)
        head = [*headers, (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": status, "headers": head})
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})

    async def _answer(self, scope: _Scope, receive: _Receive) -> _Answer:
        path = scope["raw_path"].split(b"?", 1)[0].decode("latin-1")
        try:
            if path == "/faults" and self._has_faults:
                return self._switch(scope["method"], await _body(receive))
            failed = await self._fail() if self._has_faults else None
            if failed:
                return failed
            if path == "/oauth2/token":
                return await self._token(scope, receive)
            if not path.startswith("/v1/persons"):
                return _NOBODY
            return await self._question(path[len("/v1/") :].split("/"), scope, receive)
        except Refused as refused:
            return 400, _encode(refused.error), _JSON
        except (msgspec.DecodeError, UnicodeDecodeError):  # JSON that is not UTF-8 is the second
            return 400, _encode(Error(MALFORMED, "Malformed request")), _JSON
        except TooLarge:
            return 413, _encode(Error(MALFORMED, "The body is too large")), _JSON

    # -- questions ----------------------------------------------------------------------------------------------

    async def _question(self, parts: list[str], scope: _Scope, receive: _Receive) -> _Answer:
        """Answer ``persons``, ``persons/{uin}`` or ``persons/{uin}/what``."""
        what = parts[2] if len(parts) == 3 else "" if len(parts) == 2 else "persons" if parts == ["persons"] else None
        if what is None or what not in _NEEDS or parts[0] != "persons":
            return _NOBODY
        method, needed = _NEEDS[what]
        if scope["method"] != method:
            return 405, _encode(Error(MALFORMED, f"Use {method}")), (*_JSON, (b"allow", method.encode()))
        allowed = self._tokens.allowed(_header(scope, b"authorization"))
        if allowed is None:
            return 401, b"", ((b"www-authenticate", b'Bearer realm="register", error="invalid_token"'),)
        if needed not in allowed:
            return 403, b"", ((b"www-authenticate", b'Bearer error="insufficient_scope"'),)
        fields = _fields(scope["query_string"])
        if what == "persons":
            return self._query(fields)
        body = await _body(receive) if method == "POST" else b""
        person = self._wrong(self._answers.person(unquote(parts[1], errors="replace")))
        return getattr(self, f"_{what or 'read'}")(person, fields, body)  # type: ignore[no-any-return]

    def _query(self, fields: list[tuple[str, str]]) -> _Answer:
        names = [value for name, value in fields if name == "names"]
        offset = _whole(fields, "offset", 0)
        limit = _whole(fields, "limit", _LIMIT_DEFAULT)
        asked = _once((name, value) for name, value in fields if name not in ("names", "offset", "limit"))
        if not asked:
            raise Refused(MALFORMED, "Ask for at least one attribute")
        found = self._answers.find(asked)[offset : offset + limit]
        if not found:
            return _NOBODY
        people = [person for person in map(self._wrong, found) if person]
        if not names:
            return 200, _encode([person.uin for person in people]), _JSON
        return 200, _encode([self._answers.read(person, names) for person in people]), _JSON

    def _read(self, person: Person | None, fields: list[tuple[str, str]], body: bytes) -> _Answer:
        names = [value for name, value in fields if name == "attributeNames"]
        if not names:
            raise Refused(MALFORMED, "attributeNames is missing")
        return (200, _encode(self._answers.read(person, names)), _JSON) if person else _NOBODY

    def _match(self, person: Person | None, fields: list[tuple[str, str]], body: bytes) -> _Answer:
        asked = _decode_attributes(body)
        return (200, _encode(self._answers.match(person, asked)), _JSON) if person else _NOBODY

    def _verify(self, person: Person | None, fields: list[tuple[str, str]], body: bytes) -> _Answer:
        expressions = _decode_expressions(body)
        return (200, _encode(self._answers.verify(person, expressions)), _JSON) if person else _NOBODY

    def _document(self, person: Person | None, fields: list[tuple[str, str]], body: bytes) -> _Answer:
        """This register keeps no documents: 415 for every format that it is asked for."""
        asked = _once(fields)
        if "doctype" not in asked or asked.get("format") not in _FORMATS:
            raise Refused(MALFORMED, "doctype and format (pdf, jpeg, png or TBD) are needed")
        return (415, b"", ()) if person else _NOBODY

    # -- tokens -------------------------------------------------------------------------------------------------

    async def _token(self, scope: _Scope, receive: _Receive) -> _Answer:
        if scope["method"] != "POST":
            return 405, _encode(Error(MALFORMED, "Use POST")), (*_JSON, (b"allow", b"POST"))
        headers: tuple[tuple[bytes, bytes], ...] = (*_JSON, (b"cache-control", b"no-store"))
        try:
            try:
                form = _once(_fields(await _body(receive)))
            except Refused:
                raise TokenError("invalid_request") from None
            token, grant = self._tokens.grant(form, _header(scope, b"authorization"))
        except TokenError as error:
            if error.status == 401:
                headers += ((b"www-authenticate", b'Basic realm="register"'),)
            return error.status, _encode({"error": error.error}), headers
        answer = {
            "access_token": token,
            "token_type": "Bearer",
            "expires_in": self._tokens.lifetime_seconds,
            "scope": " ".join(sorted(grant.scopes)),
        }
        return 200, _encode(answer), headers

    # -- faults -------------------------------------------------------------------------------------------------

    def _switch(self, method: str, body: bytes) -> _Answer:
        if method == "PUT":
            self.faults = _decode_faults(body)
            if self.faults.revoke_tokens:
                self._tokens.revoke_all()
        elif method == "DELETE":
            self.faults = Faults()
        elif method != "GET":
            return 405, b"", ((b"allow", b"GET, PUT, DELETE"),)
        if self.faults.hang:
            self._moving.clear()
        else:
            self._moving.set()
        return 200, _encode(self.faults), _JSON

    async def _fail(self) -> _Answer | None:
        faults = self.faults
        await self._moving.wait()  # hangs until it is switched off; the client has gone long before
        if faults.latency_ms:
            await asyncio.sleep(faults.latency_ms / 1000)
        if faults.outage:
            return 503, b"", ()
        if faults.error_rate and self._draw() < faults.error_rate:
            return 500, _encode(Error(MALFORMED, "A fault that was asked for")), _JSON
        return None

    def _wrong(self, person: Person | None) -> Person | None:
        """The person, or somebody else when the fault asks for it."""
        rate = self.faults.wrong_rate
        if not rate or self._draw() >= rate:
            return person
        population = self._answers.population
        return population.person((person.index + 1) % len(population) if person else 0)


def _fields(encoded: bytes) -> list[tuple[str, str]]:
    try:
        return parse_qsl(
            encoded.decode("latin-1"), keep_blank_values=True, errors="strict", max_num_fields=_FIELDS_MOST
        )
    except ValueError:  # too many, or not UTF-8
        raise Refused(MALFORMED, "Malformed fields") from None


def _once(fields: Iterable[tuple[str, str]]) -> Mapping[str, str]:
    """Fields by name; whoever says one twice means two things."""
    asked: dict[str, str] = {}
    for name, value in fields:
        if name in asked:
            raise Refused(MALFORMED, f"Said twice: {name[:40]}")
        asked[name] = value
    return asked


def _whole(fields: list[tuple[str, str]], name: str, default: int) -> int:
    given = [value for field, value in fields if field == name]
    if not given:
        return default
    if len(given) > 1 or not (given[0].isascii() and given[0].isdigit() and len(given[0]) < 10):
        raise Refused(MALFORMED, f"{name} must be a whole number that is not negative")
    return int(given[0])


def _header(scope: _Scope, name: bytes) -> str | None:
    for key, value in scope["headers"]:
        if key == name:
            return str(value, "latin-1")
    return None


async def _body(receive: _Receive) -> bytes:
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Refused(MALFORMED, "The client went away")
        body += message.get("body", b"")
        if len(body) > _BODY_MAX_BYTES:
            raise TooLarge
        if not message.get("more_body"):
            return bytes(body)
