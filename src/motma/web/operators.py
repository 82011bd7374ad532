"""The operators' door: what happens now on one plan, and the switch that sends people on to the next checkpoint."""

import asyncio
import csv
import io
from collections.abc import AsyncIterator
from typing import Any

import msgspec
from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import URLEncodedBody
from litestar.response import Redirect, ServerSentEvent, ServerSentEventMessage

from motma.core.errors import Hidden
from motma.core.measure import active_measure
from motma.services.enrol import Operator, TooManyGuesses
from motma.web.access import house_of, operator_of, require_operator, session_cookie
from motma.web.pages import render, render_text
from motma.web.plan import Snapshot, draw_plan, last_hour, snapshot_of
from motma.web.problems import status_of

_LOOK_EVERY_SECONDS = 1.0
_SAY_AT_LEAST_EVERY_SECONDS = 3.0

_Request = Request[Any, Any, Any]
_Form = URLEncodedBody[dict[str, str]]


@get("/ops", include_in_schema=False)
async def board(request: _Request, operator: NamedDependency[Operator | None]) -> Response[bytes] | Redirect:
    """The wall screen."""
    if operator is None:
        return Redirect("/ops/login", status_code=303)
    shown = await _shown(request)
    return render(request, "ops/index.html", operator=operator.name, plan_svg=_plan(request, shown), **shown)


@get("/ops/login", include_in_schema=False)
async def login_page(request: _Request) -> Response[bytes]:
    """Name and key."""
    return render(request, "ops/login.html", error=None, name="")


@post("/ops/login", status_code=200, include_in_schema=False)
async def login(request: _Request, data: _Form) -> Response[bytes] | Redirect:
    """Begin a session, or say what is wrong and keep the name."""
    house = house_of(request)
    name = data.get("name", "")
    try:
        token = await house.enrol.sign_in(name, data.get("key", ""), house.clock())
    except (Hidden, TooManyGuesses) as refused:
        status, headers = status_of(refused)
        page = render(request, "ops/login.html", error=refused.words, name=name, status_code=status)
        page.headers.update(headers)
        return page
    return Redirect("/ops", status_code=303, cookies=[session_cookie(token)])


@post("/ops/logout", include_in_schema=False)
async def logout(request: _Request) -> Redirect:
    """End the session."""
    house = house_of(request)
    if token := request.cookies.get("motma_session"):
        await house.enrol.sign_out(token, house.clock())
    return Redirect("/ops/login", status_code=303, cookies=[session_cookie("")])


@post("/ops/diversions", include_in_schema=False)
async def open_diversion(request: _Request, data: _Form) -> Redirect:
    """Send people on from a checkpoint."""
    operator, house = await require_operator(request), house_of(request)
    await house.steer.open_diversion(
        data.get("checkpoint", ""), data.get("to") or None, data.get("note", ""), by=operator.name, now=house.clock()
    )
    return _back_to(data)


@post("/ops/diversions/close", include_in_schema=False)
async def close_diversion(request: _Request, data: _Form) -> Redirect:
    """Check people here again."""
    operator, house = await require_operator(request), house_of(request)
    await house.steer.close_diversion(data.get("checkpoint", ""), by=operator.name, now=house.clock())
    return _back_to(data)


@get("/ops/live", include_in_schema=False)
async def live(request: _Request) -> ServerSentEvent:
    """The board again whenever something has happened, and at least every three seconds that it is still so."""
    await require_operator(request)
    return ServerSentEvent(_follow(request), headers={"cache-control": "no-store", "x-accel-buffering": "no"})


@get("/ops/counts.csv", include_in_schema=False)
async def counts_csv(request: _Request) -> Response[str]:
    """Today's counts by hour, for a spreadsheet."""
    await require_operator(request)
    house = house_of(request)
    text = io.StringIO()
    table = csv.writer(text)
    table.writerow(("checkpoint", "hour_utc", "kind", "outcome", "count"))
    for tally, count in await house.steer.counts(house.clock()):
        table.writerow((tally.place, tally.hour.isoformat(), tally.kind, tally.outcome, count))
    return Response(
        text.getvalue(),
        media_type="text/csv",
        headers={"content-disposition": 'attachment; filename="motma-counts.csv"', "cache-control": "no-store"},
    )


async def _follow(request: _Request) -> AsyncIterator[ServerSentEventMessage]:
    steer = house_of(request).steer
    seen, silent, ordered = -1, 0.0, None
    while True:
        if await operator_of(request) is None:
            return  # a session that has ended sees nothing more
        changed = await steer.changed()
        if changed != seen:
            seen, silent = changed, 0.0
            shown = await _shown(request)
            # The forms in the rows change with the diversions only; while those stand, the page keeps its own.
            brief, ordered = shown["diversions"] == ordered, shown["diversions"]
            # Drawn beside the loop: nobody at a barrier waits for a picture.
            parts = await asyncio.to_thread(_parts, request, shown, brief=brief)
            yield ServerSentEventMessage(event="snapshot", data=parts)
        elif silent >= _SAY_AT_LEAST_EVERY_SECONDS:
            silent = 0.0
            yield ServerSentEventMessage(event="still", data=house_of(request).clock().isoformat())
        await asyncio.sleep(_LOOK_EVERY_SECONDS)
        silent += _LOOK_EVERY_SECONDS


def _back_to(data: dict[str, str]) -> Redirect:
    """To the row that was switched; known by now, since an unknown checkpoint was refused."""
    return Redirect(f"/ops#cp-{data['checkpoint']}", status_code=303)


def _parts(request: _Request, shown: dict[str, Any], *, brief: bool) -> str:
    snapshot: Snapshot = shown["snapshot"]
    html = {
        "totals": render_text(request, "ops/_totals.html", **shown),
        "rail": render_text(request, "ops/_rail.html", **shown),
        "rows": render_text(request, "ops/_rows.html", brief=brief, **shown),
        "plan": _plan(request, shown),
    }
    return msgspec.json.encode({"html": html, "at": snapshot.at.isoformat()}).decode()


async def _shown(request: _Request) -> dict[str, Any]:
    """What the page and its parts are drawn from."""
    house = house_of(request)
    now = house.clock()
    switched = await house.steer.board(now)
    counts = await house.steer.counts(now)
    measure = active_measure(switched.measures.values(), now)
    enacted, known = await house.policies.enacted(now), house.policies.reasons
    decides = house.policies.among(enacted, measure.policies if measure else (), now)
    return {
        "network": house.steer.network,
        "snapshot": snapshot_of(counts, switched.diversions, now, known=known),
        "recent": snapshot_of(counts, switched.diversions, now, since=last_hour(now), known=known),
        "diversions": switched.diversions,
        "measure": measure,
        "to_review": len(await house.review.waiting()),
        "to_approve": sum(step.is_open for step in enacted.steps.values()),
        "unread": decides.unread,
        "owners": {rule.id: policy.id for policy in decides.policies for rule in policy.rules},
    }


def _plan(request: _Request, shown: dict[str, Any]) -> str:
    return draw_plan(shown["network"], shown["recent"], request.scope["state"]["lang"])


routes = [board, login_page, login, logout, open_diversion, close_diversion, live, counts_csv]
