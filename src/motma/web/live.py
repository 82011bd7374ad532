"""The code page as something that lives in the holder's phone: a key of its own, a page that opens without signal.

The browser makes the key and keeps it (``static/holder.js``); here it is bound into the code that this browser holds,
and into no other. What a phone keeps can be forgotten again, since phones are shared.
"""

import base64
import binascii
import datetime as dt
import hashlib
from functools import cache
from typing import Any

import msgspec
from litestar import Request, Response, get, post
from litestar.params import FromPath, JSONBody
from litestar.response import Redirect

from motma.core.errors import Hidden, Invalid
from motma.core.ids import Qid
from motma.core.words import Words
from motma.services.wallet import HeldCode
from motma.web.access import forgotten_wallet, house_of, wallet_of
from motma.web.api import JsonRequest, json_only
from motma.web.assets import asset_url, assets

WHOSE = "motma-code"
"""Header of the code page: its number and a mark of what this browser holds, or ``none``. ``code-sw.js`` goes by it."""

_KEY_MAX_CHARS = 100
_SCRIPTS = {"live": "live.js", "holder": "holder.js", "renew": "renew.js", "draw": "vendor/lean-qr/lean-qr.js"}
_LOOKS = ("motma.css", "code.js", "code.webmanifest", "icons/icons.svg", "icons/icon.svg")
_FONTS = "vendor/fonts/"

_Request = Request[Any, Any, Any]


class Bind(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A public key (a P-256 point of 33 or 65 bytes, base64url) and the number of the code that it is meant for."""

    key: str
    qid: str


class Held(msgspec.Struct, frozen=True):
    """What the page needs to know now and then: the time, and whether the code is still the one that it shows."""

    now: dt.datetime
    qid: Qid
    code: str
    valid_until: dt.datetime
    usable: bool


@get("/code/{n:int}/live")
async def contact(request: _Request, n: FromPath[int]) -> Response[Held]:
    """The ``n``-th code of this browser as it is now."""
    house = house_of(request)
    code = await _nth(request, n)
    return _said(code, code.code, house.clock())


@post(
    "/code/{n:int}/live",
    status_code=200,
    guards=[json_only],
    request_class=JsonRequest,
    opt={"reads": msgspec.json.Decoder(Bind)},
)
async def bind(request: _Request, n: FromPath[int], data: JSONBody[Bind]) -> Response[Held]:
    """Bind a key of this browser into the ``n``-th code; the same key again is answered with the same code."""
    house, wallet = house_of(request), wallet_of(request)
    code = await _nth(request, n)
    if wallet is None or code.qid != data.qid:  # somebody was declared since the page was loaded: the numbers moved
        raise _no_code()
    now = house.clock()
    return _said(code, await house.carriers.bind(wallet, code.qid, _decoded(data.key), now), now)


@post("/code/forget")
async def forget(request: _Request) -> Redirect:
    """Take the wallet from this browser: on a shared phone, the next one finds nothing."""
    return Redirect("/code", status_code=303, cookies=[forgotten_wallet()])


@get("/code-sw.js")
async def service_worker(request: _Request) -> Response[bytes]:
    """The service worker, told what to keep. It stands at the root because its scope is ``/code``."""
    keeps = {"version": _version(), "parts": _parts()}
    body = b"self.motma = " + msgspec.json.encode(keeps) + b";\n" + assets("web/static")["code-sw.js"].body
    return Response(body, media_type="text/javascript", headers={"cache-control": "no-cache"})


routes = [contact, bind, forget, service_worker]


def whose(number: int, codes: list[HeldCode], wallet: bytes) -> str:
    """What :data:`WHOSE` says of a page: it changes with the browser's wallet, and with whom it holds codes of."""
    held = wallet + b"".join(code.qid.encode() for code in codes)
    return f"{number} {hashlib.blake2b(held, digest_size=8).hexdigest()}"


@cache
def scripts() -> dict[str, str]:
    """What ``code.js`` loads when it needs it: name -> address; "" for a part that was not built."""
    here = assets("web/static")
    return {name: asset_url(path) if path in here else "" for name, path in _SCRIPTS.items()}


@cache
def _parts() -> list[str]:
    """The addresses of everything the page is made of."""
    here = assets("web/static")
    fonts = [f"/static/{path}" for path in sorted(here) if path.startswith(_FONTS) and path.endswith(".woff2")]
    return [asset_url(path) for path in _LOOKS] + [address for address in scripts().values() if address] + fonts


@cache
def _version() -> str:
    """The hash of all that."""
    return hashlib.sha256("\n".join(_parts()).encode()).hexdigest()[:16]


async def _nth(request: _Request, n: int) -> HeldCode:
    house, wallet = house_of(request), wallet_of(request)
    codes = await house.wallets.held(wallet) if wallet else []
    if not 0 < n <= len(codes):
        raise _no_code()
    return codes[n - 1]


def _said(code: HeldCode, text: str, now: dt.datetime) -> Response[Held]:
    usable = not code.revoked and not code.suspended and now < code.valid_until
    return Response(Held(now, code.qid, text, code.valid_until, usable), headers={"cache-control": "no-store"})


def _no_code() -> Hidden:
    return Hidden("code.hidden", Words("Không có mã này trên máy này.", "This code is not on this device."))


def _decoded(key: str) -> bytes:
    """Unpadded base64url (RFC 7515), strictly. Raises :class:`Invalid` ``live.base64``."""
    try:
        if len(key) > _KEY_MAX_CHARS or "=" in key:
            raise ValueError
        return base64.b64decode(key.encode("ascii") + b"=" * (-len(key) % 4), b"-_", validate=True)
    except (ValueError, binascii.Error):
        raise Invalid(
            "live.base64", Words("Khóa gửi lên không phải base64url.", "The key that was sent is not base64url.")
        ) from None
