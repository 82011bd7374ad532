"""What scanners believe without a network: the list of trust for anybody; for enrolled devices the roots that sign it,
and the rules of their checkpoint.

The list proves itself, so who serves it does not matter. The roots do not: a device takes them once, from its own
server, when it is enrolled.
"""

import asyncio
import gzip
from typing import Any

import msgspec
from litestar import Request, Response, get

from motma.core.bundle import MEDIA_TYPE as BUNDLE_TYPE
from motma.core.trustlist import MEDIA_TYPE
from motma.core.trustwire import xy_of
from motma.core.words import Words
from motma.web.access import device_of, house_of
from motma.web.problems import NotSignedIn

_SQUEEZE_FROM_BYTES = 1_000


class RootSaid(msgspec.Struct, frozen=True):
    """A root key: ``kid``, ``x`` and ``y`` in hex."""

    kid: str
    x: str
    y: str


class PinsSaid(msgspec.Struct, frozen=True):
    """Whose lists a device believes, and which keys sign them."""

    issuer: str
    roots: list[RootSaid]


@get("/v1/trust-list", include_in_schema=False)
async def trust_list(request: Request[Any, Any, Any]) -> Response[bytes]:
    """The newest list (``docs/trust-list.md``), or 304 to who has this very one."""
    house = house_of(request)
    signed = await house.trust_list.trust_list(house.clock())
    # Asked for anew each time: a key that was revoked a minute ago should be known now.
    headers = {"etag": f'"{signed.etag}"', "cache-control": "no-cache", "access-control-allow-origin": "*"}
    if signed.etag in request.headers.get("if-none-match", ""):
        return Response(b"", status_code=304, headers=headers, media_type=MEDIA_TYPE)
    return Response(signed.raw, headers=headers, media_type=MEDIA_TYPE)


@get("/v1/trust-list/roots", include_in_schema=False)
async def roots(request: Request[Any, Any, Any]) -> PinsSaid:
    """What a device begins with. To be kept, and never asked for again while a list is held."""
    house = house_of(request)
    if await device_of(request) is None:
        raise NotSignedIn("access.device", Words("Máy này chưa đăng ký.", "This device is not enrolled."))
    pins = await house.trust_list.pins(house.clock())
    said = [(root.kid.hex(), xy_of(root.public).hex()) for root in pins.roots]
    return PinsSaid(pins.issuer, [RootSaid(kid, xy[:64], xy[64:]) for kid, xy in said])


@get("/v1/bundle", include_in_schema=False)
async def bundle(request: Request[Any, Any, Any]) -> Response[bytes]:
    """The rules of the device's checkpoint (``docs/bundle.md``), or 304 to who has these very ones."""
    house = house_of(request)
    device = await device_of(request)
    if device is None:
        raise NotSignedIn("access.device", Words("Máy này chưa đăng ký.", "This device is not enrolled."))
    signed = await house.bundles.bundle(device.checkpoint, house.clock())
    headers = {"etag": f'"{signed.etag}"', "cache-control": "private, no-cache"}
    if signed.etag in request.headers.get("if-none-match", ""):
        return Response(b"", status_code=304, headers=headers, media_type=BUNDLE_TYPE)
    if len(signed.raw) > _SQUEEZE_FROM_BYTES and "gzip" in request.headers.get("accept-encoding", ""):
        body = await asyncio.to_thread(gzip.compress, signed.raw, 6)
        return Response(body, headers={**headers, "content-encoding": "gzip"}, media_type=BUNDLE_TYPE)
    return Response(signed.raw, headers=headers, media_type=BUNDLE_TYPE)


routes = [trust_list, roots, bundle]
