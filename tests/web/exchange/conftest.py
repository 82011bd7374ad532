"""A world for each test."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.world import World, living_world


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with living_world(tmp_path) as world:
        yield world
