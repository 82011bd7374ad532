"""The application: every route of every door, one error table, one gate."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import msgspec
from litestar import Litestar, Request, get
from litestar.datastructures import State
from litestar.di import Provide
from litestar.exceptions import HTTPException
from litestar.types import ASGIApp

from motma.core.errors import MotmaError
from motma.web import (
    access,
    assets,
    checks,
    citizens,
    disputes,
    docs,
    health,
    imports,
    keys,
    live,
    officers,
    old_code,
    operators,
    papers,
    permits,
    policies,
    prechecks,
    rehearsals,
    repairs,
    reviews,
    status,
    trust,
)
from motma.web.exchange import (
    changes,
    codes,
    declarations,
    events,
    forms,
    inbox,
    lists,
    oauth,
    onboarding,
    sandbox,
    webhooks,
)
from motma.web.gate import BODY_MAX_BYTES, gate
from motma.web.house import House
from motma.web.lane import fast_lane
from motma.web.problems import answer_error

Lifespan = Callable[[], AbstractAsyncContextManager[House]]


class Alive(msgspec.Struct, frozen=True):
    """The server answers and its store can be read."""

    ok: bool
    version: str


@get("/healthz", include_in_schema=False)
async def healthz(request: Request[Any, Any, Any]) -> Alive:
    """For a load balancer."""
    await access.house_of(request).steer.changed()
    return Alive(True, docs.openapi.version)


def create_app(lifespan: Lifespan) -> ASGIApp:
    """The ASGI application over what ``lifespan`` opens at start and closes at the end."""

    @asynccontextmanager
    async def living(app: Litestar) -> AsyncIterator[None]:
        async with lifespan() as house:
            app.state.house = house
            yield

    app = Litestar(
        route_handlers=[
            healthz,
            assets.static_file,
            docs.docs,
            docs.errors,
            checks.check,
            status.status_list,
            checks.find_by_plate,
            *repairs.routes,
            *declarations.routes,
            *inbox.routes,
            *changes.routes,
            *oauth.routes,
            *onboarding.routes,
            *forms.routes,
            *sandbox.routes,
            *webhooks.routes,
            *events.routes,
            *codes.routes,
            *lists.routes,
            *prechecks.routes,
            *citizens.routes,
            *live.routes,
            *papers.routes,
            *old_code.routes,
            *keys.routes,
            *officers.routes,
            *health.routes,
            *operators.routes,
            *rehearsals.routes,
            *reviews.routes,
            *disputes.routes,
            *permits.routes,
            *imports.routes,
            *policies.routes,
            *trust.routes,
        ],
        dependencies={"operator": Provide(access.operator_of)},
        exception_handlers={MotmaError: answer_error, HTTPException: answer_error, Exception: answer_error},
        lifespan=[living],
        openapi_config=docs.openapi,
        include_in_schema=False,  # pages are for people; what programs may use says so itself
        request_max_body_size=BODY_MAX_BYTES,
        multipart_form_part_limit=400,
        logging_config=None,
        state=State(),
        debug=False,
    )
    return gate(fast_lane(app, [checks.check, declarations.send_declaration]))
