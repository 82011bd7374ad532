"""Our public keys at well-known addresses, for software that is not ours: as a JWK Set and as a COSE_KeySet.

Keys that sign codes and were not revoked: a reader of these knows no mark for "believe this one no more". Retired keys
stay, since what they signed is good. Delegated keys are in the JWK Set only, with whose they are and what for;
a COSE_KeySet has no place for that. Roots are in neither: a scanner gets them when it is enrolled.
"""

import hashlib
from typing import Any

from litestar import Request, Response, get

from motma.core.publickeys import COSE_KEYS_TYPE, JWKS_TYPE, write_cose_keys, write_jwks
from motma.web.access import house_of

MAX_AGE_SECONDS = 300


@get("/.well-known/jwks.json", include_in_schema=False)
async def jwks(request: Request[Any, Any, Any]) -> Response[bytes]:
    """RFC 7517."""
    house = house_of(request)
    return _answer(request, write_jwks(await house.trust.published(house.clock())), JWKS_TYPE)


@get("/.well-known/cose-keys", include_in_schema=False)
async def cose_keys(request: Request[Any, Any, Any]) -> Response[bytes]:
    """RFC 9052, section 7."""
    house = house_of(request)
    return _answer(request, write_cose_keys(await house.trust.published(house.clock(), own=True)), COSE_KEYS_TYPE)


def _answer(request: Request[Any, Any, Any], body: bytes, media_type: str) -> Response[bytes]:
    """The set, or 304 to who has this very one (RFC 9110, section 13.1.2)."""
    etag = f'"{hashlib.sha256(body).hexdigest()[:16]}"'
    headers = {"etag": etag, "cache-control": f"public, max-age={MAX_AGE_SECONDS}", "access-control-allow-origin": "*"}
    held = {tag.strip().removeprefix("W/") for tag in request.headers.get("if-none-match", "").split(",")}
    if held & {etag, "*"}:
        return Response(b"", status_code=304, headers=headers, media_type=media_type)
    return Response(body, headers=headers, media_type=media_type)


routes = [jwks, cose_keys]
