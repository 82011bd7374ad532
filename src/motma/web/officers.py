"""The officer's door: a device joins a checkpoint, an officer begins a shift, the scanner opens.

The pages and the files of the scanner; what a scan is answered stands in ``checks.py``. Every file of the scanner is
served under an address that holds the hash of all of them, so a page never meets a file of another version, and what a
phone keeps (``scanner/sw.js``) is never stale. Secrets come in form bodies and live in cookies, never in an address.
"""

import hashlib
from functools import cache
from typing import Annotated, Any

import msgspec
from litestar import Request, Response, get, post
from litestar.enums import RequestEncodingType
from litestar.exceptions import NotFoundException
from litestar.params import Body, FromPath
from litestar.response import Redirect

from motma.core.errors import Hidden, Invalid, MotmaError
from motma.core.words import Words
from motma.services.enrol import Device
from motma.web.access import device_cookie, device_of, house_of, require_officer, shift_cookie, shift_of
from motma.web.assets import answer_asset, assets
from motma.web.pages import render
from motma.web.problems import status_of

_Request = Request[Any, Any, Any]
_Page = Response[bytes] | Redirect

_FROM_STATIC = ("motma.css", "icons/down.svg", "icons/icon.svg", "vendor/cborg/", "vendor/fonts/", "vendor/zxing-wasm/")
_NOT_FOR_BROWSERS = ("LICENSE", ".md", "sw.js", "be-vietnam-pro.css")


class EnrolForm(msgspec.Struct):
    """The one-time secret of an enrolment link."""

    token: str = ""


class ShiftForm(msgspec.Struct):
    """Who begins a shift."""

    officer: str = ""
    pin: str = ""


# -- the scanner ---------------------------------------------------------------------------------------------------


@get("/scan", include_in_schema=False)
async def scanner(request: _Request) -> _Page:
    """The scanner, or the page that must come before it."""
    device = await device_of(request)
    if device is None:
        return Redirect("/scan/enrol")
    shift = await shift_of(request, device)
    if shift is None:
        return Redirect("/scan/shift")
    return render(
        request,
        "scan/index.html",
        app=app_url(),
        checkpoint=_checkpoint_name(request, device),
        officer=shift.officer_name,
        device=device.name,
        device_id=device.id,  # told apart by it, a device that is enrolled anew forgets the roots of before
    )


@get("/scan/shell", include_in_schema=False)
async def shell(request: _Request) -> Response[bytes]:
    """The scanner without names: what a phone keeps, to open it without a network."""
    return render(request, "scan/index.html", app=app_url(), checkpoint=None, officer=None, device=None, device_id=None)


@get("/scan/pulse", include_in_schema=False, status_code=204)
async def pulse(request: _Request) -> None:
    """Says that the server is there and the shift goes on (401: it does not)."""
    await require_officer(request)


# -- coming in -----------------------------------------------------------------------------------------------------


@get("/scan/enrol", include_in_schema=False)
async def enrol_page(request: _Request) -> Response[bytes]:
    """Where an enrolment link leads. Its secret stands behind ``#`` and is not sent until the form is."""
    return render(request, "scan/enrol.html", app=app_url(), problem=None)


@post("/scan/enrol", include_in_schema=False)
async def enrol(
    request: _Request, data: Annotated[EnrolForm, Body(media_type=RequestEncodingType.URL_ENCODED)]
) -> _Page:
    """Trade the one-time secret for the device's own."""
    house = house_of(request)
    try:
        token, _ = await house.enrol.enrol_device(data.token.strip().lower(), house.clock())
    except (Hidden, Invalid) as problem:
        return _refused(render(request, "scan/enrol.html", app=app_url(), problem=problem), problem)
    return Redirect("/scan/shift", status_code=303, cookies=[device_cookie(token), shift_cookie("")])


@get("/scan/shift", include_in_schema=False)
async def shift_page(request: _Request) -> _Page:
    """Where an officer begins a shift."""
    device = await device_of(request)
    if device is None:
        return Redirect("/scan/enrol")
    if await shift_of(request, device):
        return Redirect("/scan")
    return _shift_form(request, device)


@post("/scan/shift", include_in_schema=False)
async def begin_shift(
    request: _Request, data: Annotated[ShiftForm, Body(media_type=RequestEncodingType.URL_ENCODED)]
) -> _Page:
    """Begin a shift."""
    house = house_of(request)
    device = await device_of(request)
    if device is None:
        return Redirect("/scan/enrol", status_code=303)
    try:
        token = await house.enrol.start_shift(device, data.officer, data.pin, house.clock())
    except (Hidden, Invalid) as problem:
        return _shift_form(request, device, officer=data.officer[:40], problem=problem)
    return Redirect("/scan", status_code=303, cookies=[shift_cookie(token)])


@post("/scan/shift/end", include_in_schema=False)
async def end_shift(request: _Request) -> Redirect:
    """End the shift, on the server and in the browser."""
    house = house_of(request)
    if token := request.cookies.get("motma_shift"):
        await house.enrol.end_shift(token, house.clock())
    return Redirect("/scan/shift", status_code=303, cookies=[shift_cookie("")])


def _shift_form(
    request: _Request, device: Device, officer: str = "", problem: MotmaError | None = None
) -> Response[bytes]:
    page = render(
        request,
        "scan/shift.html",
        app=app_url(),
        checkpoint=_checkpoint_name(request, device),
        device=device.name,
        officer=officer,
        problem=problem,
    )
    return _refused(page, problem) if problem else page


def _refused(page: Response[bytes], problem: MotmaError) -> Response[bytes]:
    """The page, answered with the status that the problem has everywhere."""
    page.status_code, headers = status_of(problem)
    page.headers.update(headers)
    return page


def _checkpoint_name(request: _Request, device: Device) -> Words:
    checkpoint = house_of(request).steer.network.by_id.get(device.checkpoint)
    return checkpoint.name if checkpoint else Words(device.checkpoint, device.checkpoint)


# -- its files -----------------------------------------------------------------------------------------------------


@cache
def _files() -> dict[str, tuple[str, str]]:
    """What the scanner is made of: path under its address -> (folder, path) as ``assets.py`` knows it."""
    ours = {path: ("scanner", path) for path in assets("scanner")}
    shared = {f"static/{path}": ("web/static", path) for path in assets("web/static") if path.startswith(_FROM_STATIC)}
    return {path: at for path, at in sorted((ours | shared).items()) if not path.endswith(_NOT_FOR_BROWSERS)}


@cache
def _version() -> str:
    """The hash of everything a phone keeps, and of what keeps it."""
    digest = hashlib.sha256(assets("web/templates")["scan/index.html"].body + assets("scanner")["sw.js"].body)
    for path, (folder, name) in _files().items():
        digest.update(f"{path} {assets(folder)[name].version}\n".encode())
    return digest.hexdigest()[:16]


def app_url() -> str:
    """Where the scanner's files are, of this very version."""
    return f"/scan/app/{_version()}"


@get("/scan/app/{version:str}/{path:path}", include_in_schema=False)
async def scanner_file(request: _Request, version: FromPath[str], path: FromPath[str]) -> Response[bytes]:
    """A file of the scanner. An address of another version is answered 404 rather than with another content."""
    at = _files().get(path.lstrip("/"))
    if at is None or version != _version():
        raise NotFoundException
    answer = answer_asset(request, *at)
    answer.headers["cache-control"] = "public, max-age=31536000, immutable"
    return answer


@get("/sw.js", include_in_schema=False)
async def service_worker(request: _Request) -> Response[bytes]:
    """The service worker, told what to keep. It stands at the root because its scope is ``/scan``."""
    keeps = {
        "version": _version(),
        "assets": [f"{app_url()}/{path}" for path in _files()],
        "shell": "/scan/shell",
    }
    body = b"self.motma = " + msgspec.json.encode(keeps) + b";\n" + assets("scanner")["sw.js"].body
    return Response(body, media_type="text/javascript", headers={"cache-control": "no-cache"})


routes = [
    scanner,
    shell,
    pulse,
    enrol_page,
    enrol,
    shift_page,
    begin_shift,
    end_shift,
    scanner_file,
    service_worker,
]
