"""The twin's doors, over bare ASGI as the register's are: its form, a user's own code, its scanner, its webhook, and
with ``trials`` the few doors by which the conformance kit drives it (``docs/twins.md``)."""

import datetime as dt
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Protocol
from urllib.parse import parse_qs

import msgspec

from motma.twins.forms import Answers, Twin
from motma.twins.letters import Outbox
from motma.twins.pages import Pages
from motma.twins.receiver import Receiver
from motma.twins.scanner import Held, Seen
from motma.twins.store import Letter, TwinStore

_BODY_MAX_BYTES = 262_144
_FIELDS_MOST = 200
_WAIT_SECONDS = 8.0
"""How long somebody who declares is kept waiting before the page says that it will come."""

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]


class Answer(msgspec.Struct, frozen=True):
    """What is sent back."""

    status: int
    body: bytes = b""
    kind: str = "application/json"
    location: str = ""


class Parts(Protocol):
    """What the doors stand on. All of it may change when a trial begins anew."""

    twin: Twin
    store: TwinStore
    outbox: Outbox
    receiver: Receiver

    @property
    def held(self) -> Held:
        """What its scanner judges by."""
        ...

    def token(self) -> str:
        """A new secret word that nobody guesses."""
        ...

    async def connect(self, exchange: str, platform: str) -> None:
        """Begin anew at another exchange, as ``platform``."""
        ...

    def about(self) -> Mapping[str, Any]:
        """Who this is, for whoever tries it: name, connector, public keys, how far it is."""
        ...


class _Tried(msgspec.Struct):
    code: str
    now: dt.datetime | None = None


class _Connected(msgspec.Struct):
    exchange: str
    platform: str


class _Malformed(Exception):
    """What was sent cannot be read."""


class App:
    """The ASGI application. ``trials``: whether the doors of the conformance kit are open; never beside real users."""

    def __init__(self, parts: Parts, *, trials: bool) -> None:
        self._parts, self._trials = parts, trials
        self._pages = Pages(parts.twin)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        headers = {str(name, "latin-1"): str(value, "latin-1") for name, value in scope["headers"]}
        try:
            body = await _body(receive)
            answer = await self._answer(scope["method"], scope["path"], scope["query_string"], headers, body)
        except _Malformed:
            answer = Answer(422, msgspec.json.encode({"code": "body.malformed"}))
        except _TooLarge:
            answer = Answer(413, msgspec.json.encode({"code": "body.too_large"}))
        await send({"type": "http.response.start", "status": answer.status, "headers": _head(answer)})
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else answer.body})

    async def _answer(self, method: str, path: str, query: bytes, headers: Mapping[str, str], body: bytes) -> Answer:
        if path == "/webhook" and method == "POST":
            status, why = self._parts.receiver.take(body, headers)
            return Answer(status, why.encode(), "text/plain; charset=utf-8")
        if path == "/healthz":
            return Answer(200, msgspec.json.encode(self._parts.about()))
        if self._trials and path.startswith("/conformance/"):
            return await self._trial(method, path.removeprefix("/conformance/"), body)
        if method == "POST" and path == self._parts.twin.door:
            return self._taken(self._post(body))
        english = "lang=en" in query.decode("latin-1") or "lang=en" in headers.get("cookie", "")
        return await self._page(method, path, "en" if english else "vi", body)

    # -- people -------------------------------------------------------------------------------------------------

    async def _page(self, method: str, path: str, lang: str, body: bytes) -> Answer:
        pages = self._pages
        if path == "/":
            if method == "POST":
                answers = _form(body)
                key = self._post(self._parts.twin.write(answers))
                letter = await self._parts.outbox.wait_for(key, _WAIT_SECONDS)
                if letter and _to_be_mended(letter):  # what was typed stays
                    return _html(pages.form(lang, answers, letter), 422)
                return Answer(303, location=f"/ma/{key}{'?lang=en' if lang == 'en' else ''}")
            return _html(pages.form(lang))
        if path.startswith("/ma/") and (letter := self._parts.store.letter(path.removeprefix("/ma/"))):
            citizen = self._parts.store.citizen(letter.qid) if letter.qid else None
            return _html(pages.mine(lang, letter, citizen))
        if path == "/quet":
            text = (_form(body).get("code") or [""])[0] if method == "POST" else ""
            now = dt.datetime.now(dt.UTC)
            seen = self._judge(text, now) if text.strip() else None
            return _html(pages.scan(lang, seen, self._parts.held, now))
        return _html(pages.nothing(lang), 404)

    def _post(self, payload: bytes) -> str:
        key = self._parts.token()
        self._parts.outbox.post(key, payload, self._parts.twin.content_type)
        return key

    def _taken(self, key: str) -> Answer:
        """To the platform's own app: it is kept, and will be sent."""
        return Answer(202, msgspec.json.encode({"key": key, "mine": f"/ma/{key}"}))

    def _judge(self, text: str, now: dt.datetime) -> Seen:
        return self._parts.held.judge(text, now)

    # -- trials -------------------------------------------------------------------------------------------------

    async def _trial(self, method: str, what: str, body: bytes) -> Answer:
        said: object
        if method == "GET" and what == "about":
            said = self._parts.about()
        elif method == "POST" and what == "connect":
            to = _json(body, _Connected)
            await self._parts.connect(to.exchange, to.platform)
            said = self._parts.about()
        elif method == "POST" and what == "verify":
            tried = _json(body, _Tried)
            seen = self._judge(tried.code, (tried.now or dt.datetime.now(dt.UTC)).astimezone(dt.UTC))
            qid = seen.code.claims.qid if seen.code else None
            said = {"valid": seen.valid, "reason": seen.reason, "qid": qid}
        elif method == "POST" and what == "declare":
            try:
                answers = self._parts.twin.fill(_json(body, dict[str, Any]))
            except (KeyError, TypeError, AttributeError, ValueError):
                raise _Malformed from None
            said = {"key": self._post(self._parts.twin.write(answers))}
        elif method == "GET" and what.startswith("declared/"):
            letter = self._parts.store.letter(what.removeprefix("declared/"))
            if letter is None:
                return Answer(404, msgspec.json.encode({"code": "not_found"}))
            said = _of_letter(letter)
        elif method == "GET" and what.startswith("citizen/"):
            citizen = self._parts.store.citizen(what.removeprefix("citizen/"))
            if citizen is None:
                return Answer(404, msgspec.json.encode({"code": "not_found"}))
            said = citizen
        else:
            return Answer(404, msgspec.json.encode({"code": "not_found"}))
        return Answer(200, msgspec.json.encode(said))


def _to_be_mended(letter: Letter) -> bool:
    """Whether its writer has no code by it and has to put something right."""
    said = msgspec.json.decode(letter.said) if letter.state == "sent" else {}
    return letter.state == "refused" or (letter.state == "sent" and not said.get("code"))


def _of_letter(letter: Letter) -> dict[str, Any]:
    said = msgspec.json.decode(letter.said) if letter.state != "waiting" and letter.said else None
    return {
        "state": letter.state,
        "declaration": letter.declaration,
        "qid": letter.qid,
        "code": said.get("code") if letter.state == "sent" and isinstance(said, dict) else None,
        "problem": said if letter.state == "refused" else None,
    }


def _json(body: bytes, kind: Any) -> Any:
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise _Malformed from None


def _form(body: bytes) -> Answers:
    try:
        return parse_qs(body.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=_FIELDS_MOST)
    except ValueError:  # too many fields, or not UTF-8
        raise _Malformed from None


def _html(text: str, status: int = 200) -> Answer:
    return Answer(status, text.encode(), "text/html; charset=utf-8")


def _head(answer: Answer) -> list[tuple[bytes, bytes]]:
    head = {
        "content-length": str(len(answer.body)),
        "content-type": answer.kind,
        "cache-control": "no-store",
        "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; "
        "frame-ancestors 'none'; base-uri 'none'",
        "referrer-policy": "no-referrer",
        "x-content-type-options": "nosniff",
    }
    if answer.location:
        head["location"] = answer.location
    return [(name.encode(), value.encode("latin-1")) for name, value in head.items()]


class _TooLarge(Exception):
    """A body longer than any honest one."""


async def _body(receive: Receive) -> bytes:
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return bytes(body)
        body += message.get("body", b"")
        if len(body) > _BODY_MAX_BYTES:
            raise _TooLarge
        if not message.get("more_body"):
            return bytes(body)
