"""What every command stands on: the terminal, the event loop, and the opened house."""

import datetime as dt
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

import uvloop
from rich.console import Console

from motma.config import read_settings
from motma.wiring import Built, build, utc_now

_T = TypeVar("_T")
console = Console()


def run(work: Coroutine[Any, Any, _T]) -> _T:
    """Do ``work`` on an event loop of its own."""
    return uvloop.run(work)


def with_house(work: Callable[[Built, dt.datetime], Awaitable[_T]]) -> _T:
    """Open the house that the settings name, do ``work`` in it at this time, and close it."""

    async def inner() -> _T:
        async with build(read_settings()) as built:
            return await work(built, utc_now())

    return run(inner())
