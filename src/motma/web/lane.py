"""The fast lane: the two endpoints that everything waits for, straight from the gate.

The framework's way from the gate to a handler and back costs more than verifying a signature. Here a handler of the
framework, with its guards, its decoder and its description as they stand, is called without that way. There is one
handler and one meaning; ``tests/web/test_lane.py`` sends the same requests both ways and compares.
"""

import msgspec
from litestar import Litestar, Response
from litestar.enums import ScopeType
from litestar.exceptions import HTTPException
from litestar.handlers import HTTPRouteHandler
from litestar.types import ASGIApp, Receive, Scope, Send

from motma.web.api import JsonRequest, read_body
from motma.web.gate import BODY_MAX_BYTES
from motma.web.problems import answer_error

_encode = msgspec.json.Encoder().encode


def fast_lane(app: Litestar, handlers: list[HTTPRouteHandler]) -> ASGIApp:
    """``app``, with a POST to one of these handlers' paths answered by the handler itself."""
    lanes = {next(iter(handler.paths)): handler for handler in handlers}

    async def dispatch(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == ScopeType.HTTP and scope["method"] == "POST" and (handler := lanes.get(scope["path"])):
            scope["litestar_app"] = app
            await _answer(handler, scope, receive, send)
        else:
            await app(scope, receive, send)

    return dispatch


async def _answer(handler: HTTPRouteHandler, scope: Scope, receive: Receive, send: Send) -> None:
    request = JsonRequest(scope, receive, send)
    try:
        for guard in handler.guards or ():
            await guard(request, handler)  # type: ignore[misc]  # ours are all asynchronous
        data = read_body(handler.opt["reads"], await _body(receive))
        answer = await handler.fn(request, data)
    except Exception as error:  # an edge: whatever it is, it is answered
        await answer_error(request, error).to_asgi_response(None, request)(scope, receive, send)
        return
    status = handler.status_code or 200
    if isinstance(answer, Response):
        answer, status = answer.content, answer.status_code or status
    body = _encode(answer)
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": False})


async def _body(receive: Receive) -> bytes:
    """The whole body. The gate looked at the length that was announced; this looks at what comes."""
    body, more = b"", True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise HTTPException(status_code=400)  # half a body; nobody is left to hear it
        body += message["body"]  # type: ignore[typeddict-item]
        more = message["more_body"]  # type: ignore[typeddict-item]
        if len(body) > BODY_MAX_BYTES:
            raise HTTPException(status_code=413)
    return body
