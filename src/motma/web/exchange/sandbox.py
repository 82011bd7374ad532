"""``/sandbox``: a platform's engineers let themselves in, and make their first call within five minutes.

Only where the installation is a sandbox; anywhere else there is no such page. A private key is made in the browser and
stays there; without a script there is a plain token, shown once.
"""

from typing import Any

from litestar import Request, Response, get, post
from litestar.params import URLEncodedBody

from motma.core.errors import Conflict, Hidden, Invalid, MotmaError
from motma.core.platformkeys import TEXT_MAX_CHARS, algorithm_of
from motma.core.platforms import SELF_SERVED_FOR
from motma.core.words import Words
from motma.services.exchange.quotas import OverQuota
from motma.services.exchange.selfservice import SelfService, Served
from motma.web.access import address_of, house_of
from motma.web.docs import sample_declaration
from motma.web.exchange.oauth import ASSERTION, GRANT
from motma.web.pages import render
from motma.web.problems import status_of

_Request = Request[Any, Any, Any]
_KINDS = {"ES256": "EC", "EdDSA": "OKP", "PS256": "RSA", "RS256": "RSA"}
"""What a key signs -> its kind, for who loads it from a file."""


@get("/sandbox", include_in_schema=False)
async def page(request: _Request) -> Response[bytes]:
    """What one gets here, and the form."""
    _service(request)
    return _form(request, {})


@post("/sandbox", status_code=200, include_in_schema=False)
async def register(request: _Request, data: URLEncodedBody[dict[str, str]]) -> Response[bytes]:
    """A platform for a week: its id, a token that is shown once, and the first call to copy."""
    service, house = _service(request), house_of(request)
    given = {"name": data.get("name", "")[:400], "key": data.get("key", "")[: TEXT_MAX_CHARS + 1]}
    try:
        served = await service.serve(given["name"], given["key"].strip(), address_of(request), house.clock())
    except (Invalid, Conflict, OverQuota) as wrong:
        return _form(request, given, wrong)
    return _made(request, served)


@get("/sandbox/declaration.json", include_in_schema=False)
async def sample(request: _Request) -> dict[str, Any]:
    """The declaration of the first call: of somebody fictional, who leaves in an hour."""
    _service(request)
    house = house_of(request)
    return sample_declaration(house.declare.form, house.clock())


def _service(request: _Request) -> SelfService:
    service = house_of(request).sandbox
    if service is None:
        raise Hidden(
            "http.404", Words("Không có trang này. Xem lại địa chỉ.", "There is no such page. Check the address.")
        )
    return service


def _form(request: _Request, given: dict[str, str], error: MotmaError | None = None) -> Response[bytes]:
    status, headers = status_of(error) if error else (200, {})
    answer = render(
        request,
        "docs/sandbox.html",
        status_code=status,
        given=given,
        error=error,
        problems=error.fields if error else {},
        days=SELF_SERVED_FOR.days,
    )
    answer.headers.update(headers)
    return answer


def _made(request: _Request, served: Served) -> Response[bytes]:
    house = house_of(request)
    algorithm = algorithm_of(served.platform.keys[served.kid].jwk) if served.kid else ""
    return render(
        request,
        "docs/sandbox_made.html",
        platform=served.platform,
        token=served.token,
        kid=served.kid,
        algorithm=algorithm,
        kind=_KINDS.get(algorithm, ""),
        url=str(request.base_url).rstrip("/"),
        audience=f"{house.tokens.issuer}/oauth/token",
        grant=GRANT,
        assertion=ASSERTION,
    )


routes = [page, register, sample]
