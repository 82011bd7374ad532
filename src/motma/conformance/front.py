"""What stands between the platform under trial and the exchange: it passes everything on, sees it, and fails on demand.

The platform takes it for the exchange. It also takes the exchange's webhooks in the platform's place and passes them
on, so that they can be lost, and knows the secret that they are signed with.
"""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import msgspec
from aiohttp import web

_NOT_PASSED_ON = frozenset(("host", "content-length", "transfer-encoding", "connection", "content-encoding", "date"))
_TELLING = "/told"
_BODY_MAX_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Asked:
    """A request of the platform, and what it was answered. ``key``: its Idempotency-Key; ``at``: the loop's clock."""

    method: str
    path: str
    key: str
    status: int
    at: float
    body: bytes = field(repr=False)
    bearer: str = field(repr=False, default="")


@dataclass(slots=True)
class Fault:
    """How requests fail: ``status`` without asking the exchange (``headers`` beside it), or after it took them
    (``after``: the answer alone is lost). ``times`` more of them."""

    status: int
    times: int
    after: bool = False
    headers: Mapping[str, str] = field(default_factory=dict)


class Front:
    """Listens at ``url``. ``exchange``: where the real one is."""

    def __init__(self, exchange: str) -> None:
        self._exchange = exchange
        self.url = ""
        self.asked: list[Asked] = []
        self.faults: dict[str, Fault] = {}
        """By the beginning of a path."""
        self.cut = False
        """Whether nothing comes through, either way."""
        self.losing = False
        """Whether webhooks are lost on the way, though the exchange believes them delivered."""
        self.webhook = ""
        self.secret = ""
        self._session: aiohttp.ClientSession

    @contextlib.asynccontextmanager
    async def running(self, port: int = 0) -> AsyncIterator[None]:
        """Listens while this is entered."""
        app = web.Application(client_max_size=_BODY_MAX_BYTES)
        app.router.add_route("*", "/{rest:.*}", self._pass)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        listener = socket.create_server(("127.0.0.1", port), backlog=1024)
        async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar(), auto_decompress=False) as self._session:
            await web.SockSite(runner, listener).start()
            self.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
            try:
                yield
            finally:
                await runner.cleanup()

    def begin(self) -> None:
        """Forget what was seen and let everything through."""
        self.asked.clear()
        self.faults.clear()
        self.cut = self.losing = False

    def sent(self) -> list[Asked]:
        """What the platform handed in, in the order in which it came."""
        return [one for one in self.asked if one.method == "POST" and one.path.startswith(("/v1/inbox", "/v1/decl"))]

    async def _pass(self, request: web.Request) -> web.StreamResponse:
        if self.cut:
            assert request.transport is not None
            request.transport.abort()
            return web.Response(status=503)
        body = await request.read()
        if request.path == _TELLING:
            return await self._tell(request, body)
        answer = await self._answer(request, body)
        bearer = request.headers.get("authorization", "").removeprefix("Bearer ")
        key = request.headers.get("idempotency-key", "")
        now = asyncio.get_running_loop().time()
        self.asked.append(Asked(request.method, request.path, key, answer.status, now, body, bearer))
        return answer

    async def _answer(self, request: web.Request, body: bytes) -> web.Response:
        fault = self._fault(request.path)
        if fault and not fault.after:
            return _failed(fault)
        if request.method == "PUT" and request.path == "/v1/webhook":
            body = self._redirected(body)
        status, headers, content = await self._forward(request.method, self._exchange + request.path_qs, request, body)
        if request.method == "PUT" and request.path == "/v1/webhook" and status < 300:
            said = msgspec.json.decode(content)
            self.secret = said.get("secret", self.secret)
            content = msgspec.json.encode({**said, "url": self.webhook})
        return _failed(fault) if fault else web.Response(status=status, headers=headers, body=content)

    def _fault(self, path: str) -> Fault | None:
        for begins, fault in self.faults.items():
            if path.startswith(begins) and fault.times > 0:
                fault.times -= 1
                return fault
        return None

    def _redirected(self, body: bytes) -> bytes:
        """The platform's webhook, taken in its place. What cannot be read is passed on as it is."""
        try:
            said = msgspec.json.decode(body, type=dict[str, Any])
        except msgspec.MsgspecError:
            return body
        if not isinstance(said.get("url"), str):
            return body
        self.webhook = said["url"]
        return msgspec.json.encode({**said, "url": self.url + _TELLING})

    async def _tell(self, request: web.Request, body: bytes) -> web.Response:
        if self.losing:
            return web.Response(status=204)
        status, headers, content = await self._forward("POST", self.webhook, request, body)
        return web.Response(status=status, headers=headers, body=content)

    async def _forward(
        self, method: str, url: str, request: web.Request, body: bytes
    ) -> tuple[int, dict[str, str], bytes]:
        given = {name: value for name, value in request.headers.items() if name.lower() not in _NOT_PASSED_ON}
        try:
            async with self._session.request(method, url, data=body, headers=given, allow_redirects=False) as answer:
                content = await answer.read()
                said = {name: value for name, value in answer.headers.items() if name.lower() not in _NOT_PASSED_ON}
                if "content-encoding" in answer.headers:
                    said["content-encoding"] = answer.headers["content-encoding"]
                return answer.status, said, content
        except aiohttp.ClientError:
            return 502, {}, b""

    async def deliver(self, body: bytes, headers: Mapping[str, str]) -> int:
        """Send the platform's webhook a message; its status, 0 if it does not answer."""
        try:
            async with self._session.post(self.webhook, data=body, headers=headers, allow_redirects=False) as answer:
                await answer.read()
                return answer.status
        except aiohttp.ClientError:
            return 0


def _failed(fault: Fault) -> web.Response:
    body = msgspec.json.encode({"status": fault.status, "code": "trial.fault"})
    headers = {"content-type": "application/problem+json", **fault.headers}
    return web.Response(status=fault.status, headers=headers, body=body)
