"""The operators' page of platforms: who is interlinked and how they fare; register, give and take keys and scopes, tell
again what could not be told, let out.

Private keys never come here: a platform hands in the public one, and its thumbprint is read out to them by telephone.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, URLEncodedBody
from litestar.response import Redirect

from motma.core.change import change_id
from motma.core.errors import Conflict, Hidden, Invalid, MotmaError, Problem
from motma.core.platformkeys import TEXT_MAX_CHARS, algorithm_of, read_platform_key, thumbprint_of
from motma.core.platforms import SCOPES, SENSITIVE, PlatformNow
from motma.core.words import Words
from motma.services.enrol import Operator
from motma.services.exchange.feed import Behind
from motma.services.exchange.messages import why
from motma.services.exchange.platforms import CONNECTORS, PER_DAY, PER_SECOND
from motma.web.access import house_of, require_operator
from motma.web.house import House
from motma.web.pages import render
from motma.web.problems import status_of

_Request = Request[Any, Any, Any]
_Form = URLEncodedBody[dict[str, str]]

CONNECTOR_WORDS = {
    "native": Words("API chung của Một Mã", "Một Mã's own API"),
    "tokhaiyte": Words("Tờ khai y tế (tokhaiyte.vn)", "Vietnam Health Declaration (tokhaiyte.vn)"),
    "ncovi": Words("NCOVI", "NCOVI"),
    "bluezone": Words("Bluezone", "Bluezone"),
    "dicuan": Words("Khai báo di chuyển (công an)", "Movement declaration (police)"),
    "fhir": Words("FHIR (bệnh viện)", "FHIR (hospitals)"),
    "dhis2": Words("DHIS2 (cửa khẩu)", "DHIS2 (points of entry)"),
    "table": Words("Bảng CSV, XLSX", "Tables, CSV or XLSX"),
}
_STATES = {
    "active": ("go", Words("Đang liên thông", "Interlinked")),
    "suspended": ("check", Words("Tạm ngưng", "Suspended")),
    "revoked": ("stop", Words("Đã thu hồi vĩnh viễn", "Revoked for good")),
    "over": ("unknown", Words("Hết hạn thử", "Trial is over")),
}
_OUTCOMES = {
    "accepted": Words("Tờ khai khớp", "Declarations that fit"),
    "repairable": Words("Tờ khai cần sửa tên", "Declarations with a name to mend"),
    "pending": Words("Tờ khai chờ đối soát", "Declarations waiting for the register"),
    "unidentified": Words("Tờ khai không có số giấy tờ", "Declarations without a number"),
    "refused": Words("Tờ khai bị từ chối", "Declarations refused"),
}
_TOLD, _ILL = ("on", "resting"), ("resting", "gone", "away")
"""Of a webhook: it is told still, or again later; and: somebody should look at it."""
_NUMBER_MAX_CHARS = 12


def state_of(platform: PlatformNow, now: dt.datetime) -> tuple[str, Words]:
    """(the sign that goes with it, how a platform is now)."""
    return _STATES[platform.state(now)]


@get("/ops/platforms", include_in_schema=False)
async def listed(request: _Request, operator: NamedDependency[Operator | None]) -> Response[bytes] | Redirect:
    """Every platform: those with something to do first, those let out last."""
    if operator is None:
        return Redirect("/ops/login", status_code=303)
    house = house_of(request)
    now = house.clock()

    def place(one: PlatformNow) -> tuple[bool, bool]:
        return one.state(now) != "active", not one.asked

    found = sorted(await house.platforms.all(now), key=place)
    return render(
        request,
        "ops/platforms/index.html",
        found=found,
        fared={one.id: (house.calls.of(one.id, now, 1), house.calls.of(one.id, now)) for one in found},
        told={one.id: await _told(house, one.id, now) for one in found},
        lag_words=_lag_words,
        **_common(operator),
    )


@get("/ops/platforms/new", include_in_schema=False)
async def form(request: _Request, operator: NamedDependency[Operator | None]) -> Response[bytes] | Redirect:
    """The form for one."""
    if operator is None:
        return Redirect("/ops/login", status_code=303)
    return _form(request, operator, {"per_second": str(PER_SECOND), "per_day": str(PER_DAY)})


@post("/ops/platforms/new", status_code=200, include_in_schema=False)
async def register(request: _Request) -> Response[bytes] | Redirect:
    """Register one, with its first key if one was pasted; or say what is to be mended and keep what was typed."""
    operator, house = await require_operator(request), house_of(request)
    given = await _given(request)
    now = house.clock()
    try:
        if key := given["key"].strip():
            read_platform_key(key)  # before anything is written
        made = await house.platforms.register(given["platform"], **_asked(given), by=operator.name, now=now)
        if key:
            await house.platforms.add_key(made.id, key, by=operator.name, now=now)
    except (Invalid, Conflict) as wrong:
        return _form(request, operator, given, wrong)
    return Redirect(f"/ops/platforms/one/{made.id}", status_code=303)


@get("/ops/platforms/one/{platform:str}", include_in_schema=False)
async def one(
    request: _Request, operator: NamedDependency[Operator | None], platform: FromPath[str]
) -> Response[bytes] | Redirect:
    """One: what it may do, how it fares, its keys, and the ways to let it out."""
    if operator is None:
        return Redirect("/ops/login", status_code=303)
    return await _one(request, operator, platform)


@post("/ops/platforms/one/{platform:str}", status_code=200, include_in_schema=False)
async def act(request: _Request, platform: FromPath[str]) -> Response[bytes] | Redirect:
    """Do one of the things that its page offers, named by ``do``."""
    operator = await require_operator(request)
    given = await _given(request)
    try:
        await _do(request, platform, given, operator)
    except (Invalid, Conflict, Hidden) as wrong:
        return await _one(request, operator, platform, wrong, given)
    return Redirect(f"/ops/platforms/one/{platform}", status_code=303)


async def _do(request: _Request, platform: str, given: Mapping[str, Any], operator: Operator) -> None:
    house = house_of(request)
    platforms, now, by = house.platforms, house.clock(), operator.name
    names = await house.enrol.person(by)
    match given["do"]:
        case "change":
            await platforms.change(platform, **_asked(given), by=by, names=names, now=now)
        case "key":
            await platforms.add_key(platform, given["key"], by=by, names=names, now=now)
        case "vouch":
            await platforms.vouch(platform, given["kid"], by=by, names=names, now=now)
        case "unkey":
            await platforms.remove_key(platform, given["kid"], by=by, now=now)
        case "suspend":
            await platforms.suspend(platform, given["reason"], by=by, now=now)
        case "resume":
            await platforms.resume(platform, by=by, now=now)
        case "retry":
            await house.webhooks.retry(platform, given["delivery"], now)
        case "retry_dead":
            await house.webhooks.retry_dead(platform, now)
        case "revoke":
            if given["sure"] != "yes":
                raise Invalid(
                    "platform.not_sure",
                    Words(
                        "Thu hồi là vĩnh viễn. Đánh dấu vào ô xác nhận nếu chắc chắn.",
                        "Revoking is for good. Tick the box if you are sure.",
                    ),
                )
            await platforms.revoke(platform, given["reason"], by=by, now=now)
        case _:
            raise Invalid("platform.no_act", Words("Chọn một việc trên trang.", "Choose something on the page."))


# -- what was sent -----------------------------------------------------------------------------------------------------


async def _given(request: _Request) -> dict[str, Any]:
    sent = await request.form()
    names = ("do", "platform", "name", "connector", "per_second", "per_day", "kid", "reason", "sure", "delivery")
    given: dict[str, Any] = {name: str(sent.get(name, ""))[:400] for name in names}
    given |= {name: str(sent.get(name, ""))[: TEXT_MAX_CHARS + 1] for name in ("certificate", "key")}
    given["scopes"] = [str(scope)[:40] for scope in sent.getall("scopes", [])][: len(SCOPES) + 1]
    return given


def _asked(given: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "name": given["name"],
        "connector": given["connector"],
        "scopes": given["scopes"],
        "per_second": _number(given["per_second"]),
        "per_day": _number(given["per_day"]),
        "certificate": given["certificate"],
    }


def _number(raw: str) -> int:
    """What was typed as a whole number, dots and spaces between the digits passed over; 0 for anything else."""
    bare = raw.strip().replace(".", "").replace(" ", "")
    return int(bare) if bare.isascii() and bare.isdigit() and len(bare) <= _NUMBER_MAX_CHARS else 0


# -- pages -------------------------------------------------------------------------------------------------------------


def _common(operator: Operator) -> dict[str, Any]:
    return {
        "operator": operator.name,
        "scopes": SCOPES,
        "sensitive": SENSITIVE,
        "connectors": {name: CONNECTOR_WORDS[name] for name in CONNECTORS},
        "state_of": state_of,
    }


def _form(
    request: _Request, operator: Operator, given: Mapping[str, Any], error: MotmaError | None = None
) -> Response[bytes]:
    return render(
        request,
        "ops/platforms/new.html",
        status_code=status_of(error)[0] if error else 200,
        given=given,
        problems=error.fields if error else {},
        error=error,
        **_common(operator),
    )


async def _one(
    request: _Request,
    operator: Operator,
    id: str,
    error: MotmaError | None = None,
    given: Mapping[str, Any] | None = None,
) -> Response[bytes]:
    house = house_of(request)
    now = house.clock()
    platform = await house.platforms.find(id, now)
    changing = error is not None and given is not None and given["do"] == "change"
    problems: Mapping[str, Problem] = error.fields if error and changing else {}
    keys: Sequence[tuple[Any, str, str]] = [
        (key, algorithm_of(key.jwk), thumbprint_of(key.jwk)) for key in platform.keys.values()
    ]
    return render(
        request,
        "ops/platforms/one.html",
        status_code=status_of(error)[0] if error else 200,
        platform=platform,
        keys=keys,
        hour=house.calls.of(id, now, 1),
        day=house.calls.of(id, now),
        outcome_words=_OUTCOMES,
        told=await _told(house, id, now),
        dead=await house.webhooks.deliveries(id, "dead", ""),
        message_id=change_id,
        why=why,
        lag_words=_lag_words,
        given=given if changing else _as_given(platform),
        typed=given or {},
        problems=problems,
        error=error,
        **_common(operator),
    )


async def _told(house: House, id: str, now: dt.datetime) -> dict[str, Any]:
    """How a platform is told of changes: by its webhook, and where it reads them itself."""
    try:
        setting = await house.webhooks.setting(id, now)
    except Hidden:
        setting = None
    read = house.calls.last_read(id)
    return {
        "setting": setting,
        "behind": await house.feed.behind(id, setting.cursor, now) if setting and setting.state in _TOLD else None,
        "read_at": read[1] if read else None,
        "read_behind": await house.feed.behind(id, read[0], now) if read else None,
        "parked": await house.webhooks.parked(id),
        "ill": (setting is not None and setting.state in _ILL),
    }


def _lag_words(behind: Behind, now: dt.datetime) -> Words:
    """How late a platform is."""
    if behind.since is None:
        if not behind.unread:
            return Words("Không chậm: đã báo hết", "None: it was told everything")
        count = f"{behind.unread:,}"
        return Words(f"Chưa rõ: còn {count.replace(',', '.')} việc chưa xem tới", f"Unknown: {count} facts are unread")
    seconds = max(0, int((now - behind.since).total_seconds()))
    for size, vi, en in ((86_400, "ngày", "d"), (3_600, "giờ", "h"), (60, "phút", "min")):
        if seconds >= 2 * size:
            return Words(f"{seconds // size} {vi}", f"{seconds // size} {en}")
    return Words(f"{seconds} giây", f"{seconds} s")


def _as_given(platform: PlatformNow) -> dict[str, Any]:
    return {
        "platform": platform.id,
        "name": platform.name,
        "connector": platform.connector,
        "scopes": sorted(platform.scopes),
        "per_second": str(platform.per_second),
        "per_day": str(platform.per_day),
        "certificate": platform.certificate,
    }


routes = [listed, form, register, one, act]
