"""What every request passes first, whichever door it goes to: size, origin, language, security headers.

Plain ASGI, since it runs for every request. Forgery of requests is stopped here and not with tokens in forms: a
browser says where a request comes from (``Sec-Fetch-Site``, or ``Origin`` in older ones), every cookie of ours is
``SameSite``, and what comes from another site may not change anything.
"""

from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qs, urlsplit

import msgspec
from litestar._parsers import parse_url_encoded_form_data
from litestar.enums import ScopeType
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from motma.core.words import Words
from motma.web.problems import TOO_LARGE, problem_body

BODY_MAX_BYTES = 64 * 1024
UPLOAD_MAX_BYTES = 2 * 1024 * 1024 + 64 * 1024
"""Of a table of permits or declarations, and of what its preview found: for operators only."""
_UPLOADS = frozenset(
    ("/ops/permits/import", "/ops/permits/import/confirm", "/ops/import", "/ops/import/confirm", "/ops/import/report")
)
INBOX_MAX_BYTES = 1024 * 1024
"""Of what a platform delivers in its own form: many items, or one with a portrait that is not kept."""
HEADERS_MAX_BYTES = 16 * 1024
COOKIES_MAX_BYTES = 4 * 1024
ADDRESS_MAX_BYTES = 2 * 1024
"""Path and query together. The framework remembers the last thousand queries and cookies that it took apart, in
memory, for ever: what is large must not get that far."""

_SAFE_METHODS = frozenset(("GET", "HEAD", "OPTIONS"))
_CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; font-src 'self'; "
    "connect-src 'self'; manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_CSP_DATA = "default-src 'none'; frame-ancestors 'none'"
_CSP_SCAN = _CSP.replace(
    "script-src 'self'", "script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; media-src 'self' blob:"
)
_HEADERS = [
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
]
_HEADERS_DATA = [*_HEADERS, (b"content-security-policy", _CSP_DATA.encode())]
_HEADERS_PAGE = [
    *_HEADERS,
    (b"content-security-policy", _CSP.encode()),
    (b"permissions-policy", b"camera=(), microphone=(), geolocation=()"),
]
_HEADERS_SCAN = [
    *_HEADERS,
    (b"content-security-policy", _CSP_SCAN.encode()),
    (b"permissions-policy", b"camera=(self), microphone=(), geolocation=(), screen-wake-lock=(self)"),
]
_NO_STORE = (b"cache-control", b"no-store")
_HSTS = (b"strict-transport-security", b"max-age=31536000")


def body_max_bytes(path: str) -> int:
    """How much may be sent to ``path``."""
    if path.startswith("/v1/inbox/"):
        return INBOX_MAX_BYTES
    return UPLOAD_MAX_BYTES if path in _UPLOADS else BODY_MAX_BYTES


def gate(app: ASGIApp) -> ASGIApp:
    """Wrap the application."""

    async def passed(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != ScopeType.HTTP:
            await app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        path: str = scope["path"]
        method: str = scope["method"]
        secure = scope["scheme"] == "https"
        page_headers = (
            _HEADERS_DATA if path.startswith("/v1/") else _HEADERS_SCAN if path.startswith("/scan") else _HEADERS_PAGE
        )
        query, cookies = scope["query_string"], headers.get(b"cookie", b"")
        too_long = len(path) + len(query) > ADDRESS_MAX_BYTES
        too_many = len(cookies) > COOKIES_MAX_BYTES or (
            sum([len(name) + len(value) for name, value in scope["headers"]]) > HEADERS_MAX_BYTES
        )
        language, chosen = ("vi", False) if too_long or too_many else _language(query, cookies)
        scope.setdefault("state", {})["lang"] = language

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                extra = list(page_headers)
                if secure:
                    extra.append(_HSTS)
                given = message["headers"]
                if not any(name.lower() == b"cache-control" for name, _ in given):
                    extra.append(_NO_STORE)  # who wants an answer kept says so
                if chosen:
                    given = [
                        *given,
                        (b"set-cookie", f"motma_lang={language}; Path=/; Max-Age=31536000; SameSite=Lax".encode()),
                    ]
                if secure:
                    given = [
                        (name, value + b"; Secure" if name.lower() == b"set-cookie" else value) for name, value in given
                    ]
                message["headers"] = [*given, *extra]
            await send(message)

        if too_long:
            await _refuse(send_with_headers, 414, "address.too_long", _TOO_LONG)
            return
        if too_many:
            await _refuse(send_with_headers, 431, "headers.too_large", _TOO_MANY)
            return
        if method not in _SAFE_METHODS:
            if _from_elsewhere(headers):
                await _refuse(send_with_headers, 403, "access.cross_site", _CROSS_SITE)
                return
            length = headers.get(b"content-length", b"0")
            if not length.isdigit() or len(length) > 9 or int(length) > body_max_bytes(path):
                await _refuse(send_with_headers, 413, "body.too_large", TOO_LARGE)
                return
        try:
            await app(scope, receive, send_with_headers)
        finally:
            if method == "POST" and not path.startswith("/v1/"):
                parse_url_encoded_form_data.cache_clear()  # it would remember what people typed, PINs too

    return passed


_CROSS_SITE = Words(
    "Yêu cầu đến từ một trang khác nên bị từ chối. Mở trang Một Mã và làm lại.",
    "The request came from another site and was refused. Open the Một Mã page and try again.",
)


_TOO_LONG = Words("Địa chỉ quá dài. Mở lại từ trang đầu.", "The address is too long. Begin again from the first page.")
_TOO_MANY = Words(
    "Tiêu đề hoặc cookie quá lớn. Xoá cookie của trang này rồi thử lại.",
    "Headers or cookies are too large. Delete this site's cookies, then try again.",
)


async def _refuse(send: Send, status: int, code: str, words: Words) -> None:
    body = msgspec.json.encode(problem_body(status, code, words))
    headers = [(b"content-type", b"application/problem+json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": False})


def _from_elsewhere(headers: dict[bytes, bytes]) -> bool:
    site = headers.get(b"sec-fetch-site")
    if site is not None:
        return site not in (b"same-origin", b"none")
    origin = headers.get(b"origin")
    if origin is None:
        return False  # not a browser, or one so old that SameSite cookies are the only guard
    try:
        host = urlsplit(origin.decode("latin-1")).netloc.encode("latin-1")
    except ValueError:
        return True
    return not host or host != headers.get(b"host", b"")


def _language(query: bytes, cookies: bytes) -> tuple[str, bool]:
    """(language of the answer, whether it was chosen by this very request). Vietnamese unless chosen otherwise."""
    if b"lang=" in query:
        wanted = parse_qs(query.decode("latin-1")).get("lang", [""])[-1]
        if wanted in ("vi", "en"):
            return wanted, True
    if b"motma_lang=" in cookies:
        try:
            morsel = SimpleCookie(cookies.decode("latin-1")).get("motma_lang")
        except CookieError:
            morsel = None
        if morsel and morsel.value == "en":
            return "en", False
    return "vi", False
