"""What the checkpoints ahead would say: for a platform of its own declarations, for a browser of the codes it holds."""

import datetime as dt
from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import msgspec
from litestar import Request, Response, get, post
from litestar.params import FromPath, JSONBody

from motma.core.described import says
from motma.core.errors import Hidden, Invalid
from motma.core.form import parse_departure
from motma.core.ids import parse_fact_id
from motma.core.words import Words
from motma.services.enrol import Platform
from motma.services.precheck import Ahead, Judged, Prechecked
from motma.web.access import house_of, wallet_of
from motma.web.api import Described, JsonRequest, json_only, problems
from motma.web.exchange.guard import platform_with
from motma.web.pages import render

_LOCAL = ZoneInfo("Asia/Ho_Chi_Minh")
_WORST_FIRST = {"stop": 0, "next": 1, "check": 2, "unknown": 3, "go": 4}
_PASS = ("go", Words("Được qua", "You may pass"))
_NOT_KNOWN = ("unknown", Words("Chưa rõ, cán bộ sẽ xem giấy tờ", "Not known; an officer looks at your document"))
_SAYS = {
    "accept": _PASS,
    "manual": ("check", Words("Cán bộ sẽ kiểm tra thêm", "An officer checks further")),
    "refer": ("next", Words("Sang chốt khác", "On to another checkpoint")),
    "reject": ("stop", Words("Chưa qua được", "Not let through")),
}


class PrecheckSent(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whose way, when, and past which checkpoints."""

    declaration: Annotated[
        str,
        says("The receipt's `declaration`, of one that this platform sent.", "dcl_01kf7yejc0k13emra4srge0byv"),
    ]
    departs_at: Annotated[
        str | None,
        says("As `trip.departs_at` of a declaration; left out, the declared departure.", "2026-01-18T20:30+07:00"),
    ] = None
    checkpoints: Annotated[
        list[str],
        says(
            "Ids of `GET /v1/checkpoints`; left out, the declared route, and without one every checkpoint.",
            ["g04-ba-lang"],
        ),
    ] = []


@post(
    "/v1/prechecks",
    status_code=200,
    include_in_schema=True,
    operation_class=Described,
    response_description="As far as is known now",
    summary="What checkpoints would say",
    tags=["platforms"],
    guards=[platform_with("prechecks"), json_only],
    request_class=JsonRequest,
    opt={"reads": msgspec.json.Decoder(PrecheckSent)},
    security=[{"platform": []}],
    responses=problems(401, 403, 404, 409, 413, 415, 422, 429, 503),
)
async def precheck(request: Request[Any, Any, Any], data: JSONBody[PrecheckSent]) -> Prechecked:
    """Of the code that came of a declaration which this platform sent, now and at a departure. Nothing is recorded."""
    platform: Platform = request.scope["state"]["platform"]
    house = house_of(request)
    try:
        declaration = parse_fact_id("dcl", data.declaration)
    except Invalid:
        raise Hidden(
            "declaration.hidden",
            Words("Nơi gửi này không có tờ khai nào như vậy.", "There is no such declaration of this sender."),
        ) from None
    return await house.precheck.of_declaration(
        declaration, data.departs_at, data.checkpoints, source=platform.id, now=house.clock()
    )


@get("/code/{n:int}/ahead")
async def show_ahead(request: Request[Any, Any, Any], n: FromPath[int]) -> Response[bytes]:
    """The way ahead of the holder of the ``n``-th code: ``at`` a time, past each ``checkpoint``.

    ``asked`` says that the form was sent: then no checkpoint means all of them, and not the declared route.
    """
    house, wallet = house_of(request), wallet_of(request)
    now = house.clock()
    codes = await house.wallets.held(wallet) if wallet else []
    if not 0 < n <= len(codes):
        raise Hidden("code.hidden", Words("Không có mã này trên máy này.", "This code is not on this device."))
    query = request.query_params
    typed, chosen = query.get("at", "").strip(), query.getall("checkpoint", [])
    at, problem = None, None
    try:
        at = parse_departure(typed, now) if typed else None
    except Invalid as invalid:
        problem = invalid.words
    seen = await house.precheck.of_code(codes[n - 1], at, chosen if "asked" in query else None, now)
    shown_at = seen.departs_at or now
    return render(
        request,
        "citizen/ahead.html",
        status_code=422 if problem else 200,
        number=n,
        name=codes[n - 1].name,
        seen=seen,
        at=shown_at,
        groups=_groups(seen),
        network=house.steer.network,
        chosen={ahead.checkpoint for ahead in seen.checkpoints} if seen.on != "network" else set(),
        typed=typed if problem else f"{shown_at.astimezone(_LOCAL):%Y-%m-%dT%H:%M}",
        problem=problem,
        rest=urlencode([(name, value) for name, value in query.multi_items() if name != "lang"]),
    )


routes = [precheck, show_ahead]


@dataclass(frozen=True, slots=True)
class Saying:
    """What a checkpoint would say, as it is told on the page: the deciding reason first."""

    icon: str
    words: Words
    judged: Judged

    @classmethod
    def of(cls, judged: Judged) -> "Saying":
        return cls(*(_SAYS[judged.outcome] if judged.known else _NOT_KNOWN), judged)


@dataclass(frozen=True, slots=True)
class Group:
    """Checkpoints that would say the same: ``asked`` at the time that was asked about, ``now`` if that is not now."""

    places: list[Words]
    asked: Saying
    now: Saying | None
    accept_from: dt.datetime | None

    @property
    def alike(self) -> bool:
        """Whether they say now what they say then."""
        return self.now == self.asked


def _groups(seen: Prechecked) -> list[Group]:
    """The worst first; within one, the checkpoints in the order of the way."""
    found: list[tuple[Ahead, Group]] = []
    for ahead in seen.checkpoints:
        place = Words(**ahead.name)
        like = next((group for first, group in found if _said(first) == _said(ahead)), None)
        if like:
            like.places.append(place)
            continue
        now = Saying.of(ahead.now)
        asked = Saying.of(ahead.then) if ahead.then else now
        found.append((ahead, Group([place], asked, now if ahead.then else None, ahead.accept_from)))
    return sorted((group for _, group in found), key=lambda group: _WORST_FIRST[group.asked.icon])


def _said(ahead: Ahead) -> tuple[Judged, Judged | None, dt.datetime | None]:
    return ahead.now, ahead.then, ahead.accept_from
