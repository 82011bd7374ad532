"""Be told what changed: say where, try it, see what could not be told and send it again."""

import datetime as dt
from typing import Annotated, Any

import msgspec
from litestar import Request, delete, get, post, put
from litestar.params import FromPath, JSONBody

from motma.core.change import change_id
from motma.core.described import says
from motma.services.enrol import Platform
from motma.services.exchange.messages import why
from motma.services.exchange.webhooks import PAGE_DELIVERIES, parse_after, parse_state
from motma.storage.outbox import Delivery
from motma.web.access import house_of
from motma.web.api import Described, JsonRequest, json_only, problems
from motma.web.exchange.guard import platform_with

_InWords = Annotated[
    dict[str, str], says("The same sentence in Vietnamese (`vi`) and in English (`en`).", {"vi": "…", "en": "…"})
]


class WebhookSent(msgspec.Struct):
    """Where to send changes."""

    url: Annotated[
        str,
        says("https, a public host, port 443 or 8443; no user, no fragment.", "https://hooks.example.vn/motma"),
    ]
    after: Annotated[
        str | None,
        says("From this cursor on, or `now`; without it from where you were told last, at first from the beginning."),
    ] = None


class WebhookGiven(msgspec.Struct, frozen=True):
    """The webhook as it is now. Keep the secret: it is not shown again."""

    url: str
    secret: Annotated[str, says("Verify messages with it, by Standard Webhooks.", "whsec_…")]


class Trouble(msgspec.Struct, frozen=True):
    """What is wrong with the receiver."""

    code: Annotated[str, says("Stable.", "webhook.status")]
    words: _InWords


class WebhookNow(msgspec.Struct, frozen=True):
    """How it stands with the webhook."""

    url: str
    state: Annotated[
        str,
        says(
            "`on`; `resting` after failures in a row; or why it is stopped: `asked`, `gone` (410), `away` (75 hours), "
            "`suspended`, `revoked`, `over` (a trial), `not_allowed` (`changes:read` was taken back).",
            "on",
        ),
    ]
    cursor: Annotated[str, says("Everything up to here was delivered, or is among the deliveries.", "1844")]
    rests_until: dt.datetime | None
    problem: Trouble | None


class Tried(msgspec.Struct, frozen=True):
    """What came of a message of type `webhook.test`."""

    delivered: bool
    status: Annotated[int | None, says("Of the receiver's answer, if there was one.", 204)]
    problem: Trouble | None


class DeliveryListed(msgspec.Struct, frozen=True):
    """A change that could not be delivered. What is sent is the state as of then."""

    id: Annotated[str, says("The `webhook-id` that it will have.", "chg_0000000001844")]
    type: str
    at: dt.datetime
    qid: str
    state: Annotated[str, says("`waiting` to be tried again, or `dead`: tried for 75 hours.", "waiting")]
    attempts: int
    next_at: Annotated[dt.datetime | None, says("When it is tried again.")]
    problem: Trouble | None


class Deliveries(msgspec.Struct, frozen=True):
    """A page of them."""

    deliveries: list[DeliveryListed]
    next: Annotated[str | None, says("Ask `after` this for more; null: that is all.", None)]


_SHUT: dict[str, Any] = {"security": [{"platform": []}], "tags": ["platforms"], "include_in_schema": True}


@put(
    "/v1/webhook",
    status_code=200,
    operation_class=Described,
    response_description="In force within a second",
    summary="Say where you are told",
    guards=[platform_with("changes:read"), json_only],
    request_class=JsonRequest,
    opt={"reads": msgspec.json.Decoder(WebhookSent)},
    responses=problems(401, 403, 413, 415, 422, 429, 503),
    **_SHUT,
)
async def set_webhook(request: Request[Any, Any, Any], data: JSONBody[WebhookSent]) -> WebhookGiven:
    """Again replaces what was said before, with a new secret; for a day messages are signed with the old one too."""
    house = house_of(request)
    return WebhookGiven(*await house.webhooks.set(_id(request), data.url, data.after, house.clock()))


@get(
    "/v1/webhook",
    operation_class=Described,
    response_description="As of now",
    summary="How it stands with your webhook",
    guards=[platform_with("changes:read")],
    responses=problems(401, 403, 404, 429, 503),
    **_SHUT,
)
async def show_webhook(request: Request[Any, Any, Any]) -> WebhookNow:
    """Where you are told, how far, and what is wrong."""
    house = house_of(request)
    now = await house.webhooks.setting(_id(request), house.clock())
    return WebhookNow(now.url, now.state, str(now.cursor), now.rests_until, _trouble(now.problem))


@delete(
    "/v1/webhook",
    status_code=204,
    operation_class=Described,
    response_description="Nothing more is sent",
    summary="Be told no more",
    guards=[platform_with("changes:read")],
    responses=problems(401, 403, 404, 429, 503),
    **_SHUT,
)
async def stop_webhook(request: Request[Any, Any, Any]) -> None:
    """The feed still has everything."""
    house = house_of(request)
    await house.webhooks.stop(_id(request), house.clock())


@post(
    "/v1/webhook/test",
    status_code=200,
    operation_class=Described,
    response_description="What came of it",
    summary="Try your webhook",
    guards=[platform_with("changes:read")],
    responses=problems(401, 403, 404, 409, 429, 503),
    **_SHUT,
)
async def test_webhook(request: Request[Any, Any, Any]) -> Tried:
    """Sends one signed message of type `webhook.test` at once."""
    house = house_of(request)
    status, problem = await house.webhooks.test(_id(request), house.clock())
    return Tried(problem is None, status, _trouble(problem or ""))


@get(
    "/v1/webhook/deliveries",
    operation_class=Described,
    response_description="In the order of citizens' numbers",
    summary="What could not be delivered",
    guards=[platform_with("changes:read")],
    responses=problems(401, 403, 422, 429, 503),
    **_SHUT,
)
async def list_deliveries(request: Request[Any, Any, Any]) -> Deliveries:
    """`state`: `waiting` (tried again by itself) or `dead` (tried for 75 hours); `after`: `next` of the page before."""
    query = request.query_params
    state, after = parse_state(query.get("state", "waiting")), parse_after(query.get("after", ""))
    page = await house_of(request).webhooks.deliveries(_id(request), state, after)
    return Deliveries([_listed(one) for one in page], page[-1].qid if len(page) == PAGE_DELIVERIES else None)


@post(
    "/v1/webhook/deliveries/{delivery:str}/retry",
    status_code=200,
    operation_class=Described,
    response_description="It is tried again at once",
    summary="Deliver again",
    guards=[platform_with("changes:read")],
    responses=problems(401, 403, 404, 429, 503),
    **_SHUT,
)
async def retry_delivery(request: Request[Any, Any, Any], delivery: FromPath[str]) -> DeliveryListed:
    """Whether it was dead or waiting."""
    house = house_of(request)
    return _listed(await house.webhooks.retry(_id(request), delivery, house.clock()))


def _id(request: Request[Any, Any, Any]) -> str:
    platform: Platform = request.scope["state"]["platform"]
    return platform.id


def _listed(one: Delivery) -> DeliveryListed:
    next_at = one.next_at if one.state == "waiting" else None
    return DeliveryListed(
        change_id(one.seq), one.kind, one.at, one.qid, one.state, one.attempts, next_at, _trouble(one.problem)
    )


def _trouble(problem: str) -> Trouble | None:
    if not problem:
        return None
    code, words = why(problem)
    return Trouble(code, words._asdict())


routes = [set_webhook, show_webhook, stop_webhook, test_webhook, list_deliveries, retry_delivery]
