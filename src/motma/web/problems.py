"""How an error is said: RFC 9457 problem details to programs, a calm page to people, a stable code to both."""

from collections.abc import Mapping
from typing import Any

import msgspec
import structlog
from litestar import MediaType, Request, Response
from litestar.exceptions import HTTPException

from motma.core.errors import Conflict, Hidden, Invalid, MotmaError, Problem, Unavailable
from motma.core.words import Words
from motma.services.enrol import TooManyGuesses
from motma.services.exchange.lists import NotProvidedFor
from motma.services.exchange.quotas import OverQuota
from motma.web.pages import render

_log = structlog.get_logger()


class Said(msgspec.Struct, frozen=True):
    """One problem with one part of what was sent."""

    code: str
    words: dict[str, str]


class ProblemDetails(msgspec.Struct, frozen=True, omit_defaults=True):
    """RFC 9457, with our stable ``code``, words in both languages, and problems by field (dotted path)."""

    type: str
    title: str
    status: int
    code: str
    words: dict[str, str]
    fields: dict[str, Said] = {}


class NotSignedIn(MotmaError):
    """Nobody we know (401)."""


class NotAllowed(MotmaError):
    """Somebody we know, who may not do this (403). ``scope``: what a platform would need for it, if that is all."""

    def __init__(self, code: str, words: Words, *, scope: str = "") -> None:
        super().__init__(code, words)
        self.scope = scope


_STATUS: tuple[tuple[type[MotmaError], int], ...] = (
    (NotSignedIn, 401),
    (NotAllowed, 403),
    (OverQuota, 429),
    (NotProvidedFor, 403),
    (TooManyGuesses, 429),
    (Invalid, 422),
    (Hidden, 404),
    (Conflict, 409),
    (Unavailable, 503),
)

TOO_LARGE = Words("Nội dung gửi quá lớn (tối đa 64 KB).", "What was sent is too large (64 KB at most).")
_HTTP_WORDS = {
    400: Words("Yêu cầu không đọc được.", "The request cannot be read."),
    401: Words("Cần đăng nhập.", "Please sign in."),
    403: Words("Không được phép.", "Not allowed."),
    404: Words("Không có trang này. Xem lại địa chỉ.", "There is no such page. Check the address."),
    405: Words("Địa chỉ này không nhận cách gửi đó.", "This address does not take that method."),
    406: Words("Không trả lời được ở dạng đó.", "There is no answer of that kind."),
    413: TOO_LARGE,
    415: Words("Kiểu nội dung không đúng.", "The content type is not right."),
}
_BROKEN = Words(
    "Hệ thống gặp lỗi. Chưa có gì được lưu; thử lại sau ít phút.",
    "Something broke on our side. Nothing was stored; try again in a few minutes.",
)


def problem_body(status: int, code: str, words: Words, fields: Mapping[str, Problem] | None = None) -> ProblemDetails:
    """Problem details; ``type`` points to the page that explains the code."""
    said = {path: Said(problem.code, problem.words._asdict()) for path, problem in (fields or {}).items()}
    return ProblemDetails(f"/docs/errors#{code}", words.en, status, code, words._asdict(), said)


def answer_error(request: Request[Any, Any, Any], error: Exception) -> Response[Any]:
    """Any error -> its answer. What is not expected is logged with its place, never with what was sent."""
    status, code, words, fields, headers = _told(error)
    if platform := request.scope["state"].get("platform"):
        house = request.app.state.house
        house.calls.failed(platform.id, code, house.clock())
    if status >= 500 and not isinstance(error, MotmaError):
        _log.error("request.failed", path=request.scope["path"], error=type(error).__name__, exc_info=error)
    if _wants_page(request):
        page = render(request, "error.html", status=status, code=code, message=words, status_code=status)
        page.headers.update(headers)
        return page
    return Response(
        problem_body(status, code, words, fields),
        status_code=status,
        media_type="application/problem+json",
        headers=headers,
    )


def status_of(error: MotmaError) -> tuple[int, dict[str, str]]:
    """The status of one of our errors, and the headers that go with it."""
    status = next(status for kind, status in _STATUS if isinstance(error, kind))
    if isinstance(error, TooManyGuesses):
        return status, {"retry-after": str(error.retry_after_seconds)}
    if isinstance(error, OverQuota):
        return status, error.headers
    if isinstance(error, NotAllowed):
        return status, {"www-authenticate": f'Bearer error="insufficient_scope", scope="{error.scope}"'}
    if isinstance(error, Unavailable) and not error.permanent:
        return status, {"retry-after": "5"}
    return status, {"www-authenticate": "Bearer"} if isinstance(error, NotSignedIn) else {}


def _told(error: Exception) -> tuple[int, str, Words, Mapping[str, Problem], dict[str, str]]:
    if isinstance(error, MotmaError):
        status, headers = status_of(error)
        return status, error.code, error.words, error.fields, headers
    if isinstance(error, HTTPException):
        status = error.status_code
        if status == 400:  # what Litestar calls a validation error: a body or a parameter of the wrong shape
            return 422, "body.malformed", _shape(error), {}, {}
        code = "body.too_large" if status == 413 else f"http.{status}"
        words = _HTTP_WORDS.get(status, _HTTP_WORDS[400] if status < 500 else _BROKEN)
        return status, code, words, {}, dict(error.headers or {})
    if isinstance(error, UnicodeError | LookupError) and _in_multipart(error):
        return 422, "body.malformed", _shape(HTTPException()), {}, {}
    return 500, "internal", _BROKEN, {}, {}


def _in_multipart(error: Exception) -> bool:
    """Whether a part of a form could not be decoded: Litestar passes on what Python says of its bytes or charset."""
    trace = error.__traceback__
    while trace and trace.tb_next:
        trace = trace.tb_next
        if trace.tb_frame.f_globals.get("__name__") == "litestar._multipart":
            return True
    return False


def _shape(error: HTTPException) -> Words:
    """Say where the shape is wrong without repeating what was sent."""
    where = ", ".join(
        str(item.get("key")) for item in (error.extra if isinstance(error.extra, list) else []) if item.get("key")
    )
    return malformed(where)


def malformed(where: str) -> Words:
    """What to say of something that has the wrong shape, at ``where`` if that is known."""
    if where:
        return Words(f"Nội dung gửi sai kiểu ở: {where[:200]}.", f"What was sent has the wrong type at: {where[:200]}.")
    return Words("Nội dung gửi không đọc được hoặc sai kiểu.", "What was sent cannot be read or has the wrong type.")


def _wants_page(request: Request[Any, Any, Any]) -> bool:
    return not request.scope["path"].startswith("/v1/") and MediaType.HTML in request.headers.get("accept", "")
