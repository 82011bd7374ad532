"""A browser on the citizen's pages, and the double of the service behind them."""

from collections.abc import AsyncIterator
from types import SimpleNamespace

import httpx
import pytest
from litestar import Litestar
from litestar.exceptions import HTTPException

from motma.core.errors import MotmaError
from motma.web import citizens
from motma.web.gate import gate
from motma.web.problems import answer_error
from tests.web.citizen_pages import NOW, Double


@pytest.fixture
def double() -> Double:
    return Double()


@pytest.fixture
async def browser(double: Double) -> AsyncIterator[httpx.AsyncClient]:
    tokens = iter(range(1000))
    app = Litestar(
        citizens.routes,
        exception_handlers={MotmaError: answer_error, HTTPException: answer_error},
        openapi_config=None,
        logging_config=None,
    )
    app.state.house = SimpleNamespace(
        declare=double,
        wallets=double,
        clock=lambda: NOW,
        sandbox=None,
        new_token=lambda: f"token-for-tests-{next(tokens):04}",
        wallet=lambda token: token.encode(),
    )
    transport = httpx.ASGITransport(app=gate(app))
    async with httpx.AsyncClient(
        transport=transport, base_url="http://motma.test", headers={"accept": "text/html"}
    ) as client:
        yield client
