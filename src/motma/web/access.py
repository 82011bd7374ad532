"""Who may do what, on one page.

=========  ==========================================  ============================================================
Who        Shows                                       May
=========  ==========================================  ============================================================
Anybody    nothing                                     read pages, declare; sees no one's data
Browser    cookie ``motma_wallet``                     show the codes it declared itself, bind a key of its own into
                                                       them, and who looked at those; what checkpoints would say of
                                                       those; forget all of it; on request their old kind, with the
                                                       document number it declared with
Device     cookie ``motma_device``                     begin an officer's shift at its own checkpoint; take the roots
                                                       that sign lists of trust, and the rules of that checkpoint
Officer    ``motma_device`` and ``motma_shift``        check codes and numbers there; sees name, birth date, last four;
                                                       put right what somebody they just checked declared
Operator   cookie ``motma_session``                    see counts (no person), open and close diversions; uphold or take
                                                       back repairs, part merged numbers (last six digits of them); see
                                                       which sources disagree (and two digits of a phone number);
                                                       send declarations from tables for a platform: sees last four
                                                       digits, and the report that the platform would get; give
                                                       permits, one by one or from tables, and take them back: sees
                                                       name, birth date and last four, or the plate, on a permit's page;
                                                       write policies, rehearse them over past scans (no
                                                       person), approve those of others, roll them back; register
                                                       platforms, give and take their scopes and keys, let them out
Health     cookie ``motma_health``                     say whom a confirmed case met: sees name, birth date, phones,
                                                       how and where; nobody without such a case
Platform   ``Authorization: Bearer``, and its          what its scopes name, of its own users: send declarations
           client certificate if it is registered      and correct them; see receipts, what it sent, what became,
           with one                                    in which fields another source disagrees, their codes, what
                                                       changed, and what checkpoints would say; verify a code
                                                       that it is shown. Two scopes take two operators: to report
                                                       illness, and to ask for lists by law. As often as its quota
                                                       allows
=========  ==========================================  ============================================================

Nobody may do anything else. A shift counts only on the device it was begun on. A cookie never opens a platform's
door and a token never opens a page. ``tests/web/test_access.py`` walks this table, and who must *not* see.
"""

import base64
import hashlib
import ipaddress
from typing import TYPE_CHECKING, Any, cast

from litestar.connection import ASGIConnection
from litestar.datastructures import Cookie

from motma.core.words import Words
from motma.services.enrol import Device, HealthStaff, Operator, Platform, Shift
from motma.web.problems import NotAllowed, NotSignedIn

if TYPE_CHECKING:
    from motma.web.house import House

_Request = ASGIConnection[Any, Any, Any, Any]
_WALLET_DAYS = 90


def house_of(request: _Request) -> "House":
    """The services behind the doors."""
    return cast("House", request.app.state.house)


def address_of(request: _Request) -> str:
    """Where a request comes from, to count by: of IPv6 the network of 64 bits, all of which one subscriber has."""
    host = request.client.host if request.client else ""
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return host
    if isinstance(address, ipaddress.IPv4Address):
        return host
    if address.ipv4_mapped:
        return str(address.ipv4_mapped)
    return f"{ipaddress.IPv6Address(int(address) >> 64 << 64)}/64"


# -- who is it -----------------------------------------------------------------------------------------------------


async def device_of(request: _Request) -> Device | None:
    """The enrolled device that asks, if one does."""
    house = house_of(request)
    token = request.cookies.get("motma_device")
    return await house.enrol.device(token, house.clock()) if token else None


async def shift_of(request: _Request, device: Device | None) -> Shift | None:
    """The shift that is going on at ``device``, if one is."""
    house = house_of(request)
    token = request.cookies.get("motma_shift")
    return await house.enrol.shift(token, device, house.clock()) if token and device else None


async def operator_of(request: _Request) -> Operator | None:
    """The operator who asks, if one does."""
    house = house_of(request)
    token = request.cookies.get("motma_session")
    return await house.enrol.operator(token, house.clock()) if token else None


def wallet_of(request: _Request) -> bytes | None:
    """The browser's wallet, by its hash."""
    token = request.cookies.get("motma_wallet", "")
    return house_of(request).wallet(token) if 16 <= len(token) <= 64 else None


def open_wallet(request: _Request) -> tuple[bytes, Cookie | None]:
    """The browser's wallet, and the cookie to set if it has none yet."""
    wallet = wallet_of(request)
    if wallet is not None:
        return wallet, None
    token = house_of(request).new_token()
    cookie = Cookie("motma_wallet", value=token, max_age=_WALLET_DAYS * 86_400, httponly=True, samesite="lax", path="/")
    return house_of(request).wallet(token), cookie


def forgotten_wallet() -> Cookie:
    """Takes the wallet from the browser."""
    return Cookie("motma_wallet", value="", max_age=0, httponly=True, samesite="lax", path="/")


# -- who must it be ------------------------------------------------------------------------------------------------


async def require_officer(request: _Request) -> tuple[Device, Shift]:
    """An officer on an enrolled device, or :class:`NotSignedIn`."""
    device = await device_of(request)
    if device is None:
        raise NotSignedIn("access.device", Words("Máy này chưa đăng ký.", "This device is not enrolled."))
    shift = await shift_of(request, device)
    if shift is None:
        raise NotSignedIn("access.shift", Words("Ca trực đã hết. Đăng nhập lại.", "The shift is over. Sign in again."))
    return device, shift


async def require_operator(request: _Request) -> Operator:
    """An operator, or :class:`NotSignedIn`."""
    operator = await operator_of(request)
    if operator is None:
        raise NotSignedIn("access.operator", Words("Cần đăng nhập trực ban.", "Please sign in as an operator."))
    return operator


async def require_health_staff(request: _Request) -> HealthStaff:
    """One of the health staff, or :class:`NotSignedIn`."""
    house = house_of(request)
    token = request.cookies.get("motma_health")
    staff = await house.enrol.health_staff(token, house.clock()) if token else None
    if staff is None:
        raise NotSignedIn("access.health", Words("Cần đăng nhập cán bộ y tế.", "Please sign in as health staff."))
    return staff


async def require_platform(request: _Request, scope: str, *, again: bool = False) -> Platform:
    """A platform with a living token that may do ``scope``; its call is counted, unless this is asked ``again``.

    Raises :class:`NotSignedIn`, :class:`NotAllowed` ``access.scope``, :class:`OverQuota`.
    """
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    house = house_of(request)
    now = house.clock()
    platform = await house.enrol.platform(token.strip(), now) if scheme.lower() == "bearer" else None
    if platform is None:
        raise NotSignedIn(
            "access.platform",
            Words("Thiếu mã truy cập, hoặc mã không còn dùng được.", "The access token is missing or no longer works."),
        )
    if registered := platform.registered:
        if registered.certificate and registered.certificate != certificate_of(request):
            raise _other_certificate(house.certificate_header)
        if not again:
            house.calls.came(platform.id, now)
            request.scope["state"]["platform"] = platform
            house.quotas.take(registered, now)
    if scope not in platform.scopes:
        raise NotAllowed(
            "access.scope",
            Words(f"Mã truy cập này không có quyền {scope}.", f"This access token does not have the scope {scope}."),
            scope=scope,
        )
    return platform


def certificate_of(request: _Request) -> str:
    """The SHA-256 in hex of the client certificate that the proxy in front saw (RFC 9440); "" without one.

    Nothing is read unless a setting names the header: otherwise anybody could say they had shown one.
    """
    header = house_of(request).certificate_header
    all_given = request.headers.getall(header, []) if header else []
    given = all_given[0].strip() if len(all_given) == 1 else ""  # of two the first may be the sender's own
    if len(given) < 3 or not (given[0] == given[-1] == ":"):
        return ""
    try:
        return hashlib.sha256(base64.b64decode(given[1:-1], validate=True)).hexdigest()
    except ValueError:
        return ""


def _other_certificate(header: str) -> NotSignedIn:
    if not header:
        return NotSignedIn(
            "access.certificate_unread",
            Words(
                "Nền tảng phải trình chứng thư TLS, nhưng máy chủ chưa nhận chứng thư (MOTMA_CLIENT_CERT_HEADER).",
                "The platform must show its TLS certificate, but none is read here (MOTMA_CLIENT_CERT_HEADER).",
            ),
        )
    return NotSignedIn(
        "access.certificate",
        Words(
            "Thiếu chứng thư TLS đã đăng ký của nền tảng, hoặc là chứng thư khác.",
            "The TLS certificate that the platform registered is missing, or another one was shown.",
        ),
    )


# -- cookies -------------------------------------------------------------------------------------------------------


def device_cookie(token: str) -> Cookie:
    """Keeps a device enrolled for a year."""
    return Cookie("motma_device", value=token, max_age=31_536_000, httponly=True, samesite="strict", path="/")


def shift_cookie(token: str) -> Cookie:
    """Keeps an officer signed in for a shift; an empty token signs out."""
    return _passing("motma_shift", token)


def session_cookie(token: str) -> Cookie:
    """Keeps an operator signed in for a session; an empty token signs out."""
    return _passing("motma_session", token)


def health_cookie(token: str) -> Cookie:
    """Keeps one of the health staff signed in for a session; an empty token signs out."""
    return _passing("motma_health", token)


def _passing(name: str, token: str) -> Cookie:
    return Cookie(name, value=token, max_age=43_200 if token else 0, httponly=True, samesite="strict", path="/")
