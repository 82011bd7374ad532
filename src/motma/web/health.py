"""The health staff's door: a confirmed case, on what ground, and whom it met.

Nothing is filled in for anybody: whose case, how near in time, for what and on what ground is typed each time, and an
export is a question of its own. What was typed travels in the body, never in an address.
"""

from typing import Any

from litestar import Request, Response, get, post
from litestar.params import URLEncodedBody
from litestar.response import Redirect

from motma.connectors.sheets import write_csv
from motma.core.errors import Hidden, MotmaError
from motma.core.tracing import Trace
from motma.services.enrol import TooManyGuesses
from motma.services.exchange.exposures import HOW_WORDS, rows_of
from motma.web.access import health_cookie, house_of, require_health_staff
from motma.web.pages import render
from motma.web.problems import NotSignedIn, status_of

_ASKED = ("qid", "within", "before", "until", "purpose", "basis")

_Request = Request[Any, Any, Any]
_Form = URLEncodedBody[dict[str, str]]
_Page = Response[bytes] | Redirect


@get("/health", include_in_schema=False)
async def begin(request: _Request) -> _Page:
    """What is to be typed about a case."""
    try:
        staff = await require_health_staff(request)
    except NotSignedIn:
        return Redirect("/health/login", status_code=303)
    return render(request, "health/index.html", staff=staff.name, given={}, problems={}, error=None)


@get("/health/login", include_in_schema=False)
async def login_page(request: _Request) -> Response[bytes]:
    """Name and key."""
    return render(request, "health/login.html", error=None, name="")


@post("/health/login", status_code=200, include_in_schema=False)
async def login(request: _Request, data: _Form) -> _Page:
    """Begin a session, or say what is wrong and keep the name."""
    house, name = house_of(request), data.get("name", "")
    try:
        token = await house.enrol.sign_in_health_staff(name, data.get("key", ""), house.clock())
    except (Hidden, TooManyGuesses) as refused:
        status, headers = status_of(refused)
        page = render(request, "health/login.html", error=refused.words, name=name, status_code=status)
        page.headers.update(headers)
        return page
    return Redirect("/health", status_code=303, cookies=[health_cookie(token)])


@post("/health/logout", include_in_schema=False)
async def logout(request: _Request) -> Redirect:
    """End the session."""
    house = house_of(request)
    if token := request.cookies.get("motma_health"):
        await house.enrol.sign_out_health_staff(token, house.clock())
    return Redirect("/health/login", status_code=303, cookies=[health_cookie("")])


@post("/health/trace", status_code=200, include_in_schema=False)
async def trace(request: _Request, data: _Form) -> Response[bytes]:
    """Whom the case met; or what is wrong, with everything that was typed still there."""
    staff = await require_health_staff(request)
    try:
        found = await _traced(request, data)
    except MotmaError as error:
        status, headers = status_of(error)
        given = {field: data.get(field, "") for field in _ASKED}
        page = render(
            request,
            "health/index.html",
            staff=staff.name,
            given=given,
            problems=error.fields,
            error=error,
            status_code=status,
        )
        page.headers.update(headers)
        return page
    again = {field: data.get(field, "") for field in _ASKED} | {"until": found.window.until.isoformat()}
    return render(
        request,
        "health/trace.html",
        staff=staff.name,
        trace=found,
        again=again,
        ways=HOW_WORDS,
        network=house_of(request).tracing.network,
    )


@post("/health/trace.csv", status_code=200, include_in_schema=False)
async def trace_csv(request: _Request, data: _Form) -> Response[bytes]:
    """The same as a table: a question of its own, and so written down again."""
    return _file(write_csv(rows_of(await _traced(request, data))), "text/csv", "motma-contacts.csv")


@post("/health/trace.json", status_code=200, include_in_schema=False)
async def trace_fhir(request: _Request, data: _Form) -> Response[bytes]:
    """The same as a Bundle of FHIR R4."""
    found = await _traced(request, data)
    return _file(house_of(request).tracing.bundle(found), "application/fhir+json", "motma-contacts.json")


async def _traced(request: _Request, data: dict[str, str]) -> Trace:
    staff, house = await require_health_staff(request), house_of(request)
    return await house.tracing.trace(data, staff=staff, now=house.clock())


def _file(content: bytes, kind: str, name: str) -> Response[bytes]:
    headers = {"content-disposition": f'attachment; filename="{name}"', "cache-control": "no-store"}
    return Response(content, media_type=kind, headers=headers)


routes = [begin, login_page, login, logout, trace, trace_csv, trace_fhir]
