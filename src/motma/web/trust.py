"""What scanners believe without a network: the list of trust for anybody, the roots that sign it for enrolled devices.

The list proves itself, so who serves it does not matter. The roots do not: a device takes them once, from its own
server, when it is enrolled.
"""

from typing import Any

import msgspec
from litestar import Request, Response, get

from motma.core.trustlist import MEDIA_TYPE
from motma.core.trustwire import xy_of
from motma.core.words import Words
from motma.web.access import device_of, house_of
from motma.web.problems import NotSignedIn


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


routes = [trust_list, roots]
