"""OAuth 2.0 for platforms: a signed assertion in, a token for a quarter hour out (RFC 6749, 7523, 8414).

Errors have the members of RFC 6749, section 5.2, for the libraries that read them, and our code and words for people.
"""

from typing import Any
from urllib.parse import parse_qsl

from litestar import Request, Response, get, post
from litestar.enums import RequestEncodingType

from motma.core.platformkeys import ALGORITHMS
from motma.core.platforms import SCOPES
from motma.core.words import Words
from motma.services.exchange.tokens import TokenRefused
from motma.web.access import certificate_of, house_of

GRANT = "client_credentials"
ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
FORM_MAX_BYTES = 8 * 1024

_NO_STORE = {"cache-control": "no-store", "pragma": "no-cache"}
_FIELDS_MAX = 12


@post("/oauth/token", status_code=200, request_max_body_size=FORM_MAX_BYTES)
async def token(request: Request[Any, Any, Any]) -> Response[dict[str, Any]]:
    """A token for the platform that signed the assertion."""
    house = house_of(request)
    try:
        form = _read(request.headers.get("content-type", ""), await request.body())
        given = await house.tokens.give(
            form["client_assertion"], form.get("scope", ""), certificate_of(request), house.clock()
        )
    except TokenRefused as error:
        return _refused(error)
    answer = {
        "access_token": given.secret,
        "token_type": "Bearer",
        "expires_in": int(given.lives.total_seconds()),
        "scope": " ".join(given.scopes),
    }
    return Response(answer, headers=_NO_STORE)


@get("/.well-known/oauth-authorization-server", cache=False)
async def metadata(request: Request[Any, Any, Any]) -> dict[str, Any]:
    """Where tokens are given, for what, and how a platform proves who it is."""
    house = house_of(request)
    issuer = house.tokens.issuer
    return {
        "issuer": issuer,
        "token_endpoint": f"{issuer}/oauth/token",
        "token_endpoint_auth_methods_supported": ["private_key_jwt"],
        "token_endpoint_auth_signing_alg_values_supported": list(ALGORITHMS),
        "grant_types_supported": [GRANT],
        "response_types_supported": [],
        "scopes_supported": list(SCOPES),
        "service_documentation": f"{issuer}/docs",
    }


def _read(kind: str, body: bytes) -> dict[str, str]:
    """The form, each of its fields once. Raises :class:`TokenRefused`."""
    if kind.partition(";")[0].strip().lower() != RequestEncodingType.URL_ENCODED:
        raise _wrong("Content-Type: application/x-www-form-urlencoded")
    try:
        pairs = parse_qsl(
            body.decode(), keep_blank_values=True, strict_parsing=True, max_num_fields=_FIELDS_MAX, errors="strict"
        )
    except ValueError:
        raise _wrong("body") from None
    form = dict(pairs)
    if len(form) < len(pairs):
        raise _wrong(next(name for name, _ in pairs if [one for one, _ in pairs].count(name) > 1)[:40])
    if form.get("grant_type") != GRANT:
        raise TokenRefused(
            "oauth.grant",
            Words(f"grant_type phải là {GRANT}.", f"grant_type must be {GRANT}."),
            "unsupported_grant_type" if form.get("grant_type") else "invalid_request",
        )
    if form.get("client_assertion_type") != ASSERTION:
        raise _wrong("client_assertion_type")
    if not form.get("client_assertion"):
        raise _wrong("client_assertion")
    return form


def _wrong(field: str) -> TokenRefused:
    return TokenRefused(
        "oauth.request",
        Words(
            f"Yêu cầu thiếu, sai hoặc lặp lại ở: {field}.",
            f"The request lacks something, or has it wrong or twice: {field}.",
        ),
        "invalid_request",
    )


def _refused(error: TokenRefused) -> Response[dict[str, Any]]:
    headers = dict(_NO_STORE)
    status = {"invalid_client": 401, "slow_down": 429}.get(error.error, 400)
    if status == 401:
        headers["www-authenticate"] = "Bearer"
    if error.retry_after_seconds:
        headers["retry-after"] = str(error.retry_after_seconds)
    answer = {
        "error": error.error,
        "error_description": error.words.en.encode("ascii", "replace").decode(),
        "error_uri": f"/docs/errors#{error.code}",
        "code": error.code,
        "words": error.words._asdict(),
    }
    return Response(answer, status_code=status, headers=headers)


routes = [token, metadata]
