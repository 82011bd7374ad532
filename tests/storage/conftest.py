"""Every test of the store runs on both engines, each on a database of its own."""

import asyncio
import contextlib
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from motma.storage.store import Store
from tests.storage.samples import KEY, clock
from tests.storage.servers import Server, postgres_server

Raw = Callable[[str], list[Any]]
Opener = Callable[[], Any]


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    """One server for this test process: it is up in half a second, less than sharing one would cost in code."""
    with postgres_server() as server:
        yield server


@pytest.fixture(scope="session")
def postgres_template(postgres: Server) -> str:
    url = postgres.new_database()

    async def migrate() -> None:
        store = await Store.open(url, seal_key=KEY, clock=clock)
        await store.close()

    asyncio.run(migrate())
    return url


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def engine(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def empty_url(engine: str, request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database without tables."""
    if engine == "sqlite":
        return f"sqlite:///{tmp_path}/empty.db"
    return str(request.getfixturevalue("postgres").new_database())


@pytest.fixture
def url(engine: str, request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database for one test."""
    if engine == "sqlite":
        return f"sqlite:///{tmp_path}/motma.db"
    server: Server = request.getfixturevalue("postgres")
    return server.new_database(request.getfixturevalue("postgres_template"))


@pytest.fixture
async def opened(url: str) -> AsyncIterator[Opener]:
    """Opens stores on the test's database, and closes them in the end."""
    async with contextlib.AsyncExitStack() as stack:

        async def open_one() -> Store:
            store = await Store.open(url, seal_key=KEY, clock=clock)
            stack.push_async_callback(store.close)
            return store

        yield open_one


@pytest.fixture
async def store(opened: Opener) -> Store:
    return await opened()


@pytest.fixture
def raw(url: str, engine: str, request: pytest.FixtureRequest) -> Raw:
    """Runs one statement past the store, as somebody with the administrator's password would."""
    if engine == "sqlite":

        def run(statement: str) -> list[Any]:
            connection = sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None, timeout=10)
            try:
                return connection.execute(statement).fetchall()
            finally:
                connection.close()

        return run
    return lambda statement: request.getfixturevalue("postgres").run(statement, url)
