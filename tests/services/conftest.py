"""A world for each test; desks that give out indexes and lists, on both databases."""

import contextlib
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from motma.storage.store import Store
from tests.services.status_desk import Desk, Opener
from tests.storage.samples import KEY, clock
from tests.storage.servers import Server, postgres_server
from tests.world import World, living_world


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with living_world(tmp_path) as world:
        yield world


@pytest.fixture(scope="module")
def desk_server() -> Iterator[Server]:
    with postgres_server() as server:
        yield server


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def desk_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/motma.db"
    server: Server = request.getfixturevalue("desk_server")
    return server.new_database()


@pytest.fixture
async def opened_desks(desk_url: str) -> AsyncIterator[Opener]:
    """Opens desks on one database, each on a store of its own as in a process of its own."""
    async with contextlib.AsyncExitStack() as stack:

        async def open_one() -> "Desk":
            store = await Store.open(desk_url, seal_key=KEY, clock=clock)
            stack.push_async_callback(store.close)
            return Desk(store)

        yield open_one


@pytest.fixture
async def desk(opened_desks: Opener) -> Desk:
    one: Desk = await opened_desks()
    return one
