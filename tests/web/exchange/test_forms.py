"""The form as other programs read it."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.world import World, living_world


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with living_world(tmp_path) as world:
        yield world


async def test_anybody_may_read_the_form_as_a_questionnaire(world: World) -> None:
    browser = world.browser()
    answer = await browser.get("/v1/forms/2026-1/fhir")
    assert answer.status_code == 200 and answer.headers["content-type"].startswith("application/fhir+json")
    assert json.loads(answer.content)["resourceType"] == "Questionnaire"
    for unknown in ("2025-9", "x" * 200, "%F0"):
        missing = await browser.get(f"/v1/forms/{unknown}/fhir")
        assert missing.status_code == 404 and missing.json()["words"]["vi"]
