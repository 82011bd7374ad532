"""The engineers' pages: the first call works as it stands."""

import html
import json
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.world import World, living_world


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with living_world(tmp_path) as running:
        yield running


@pytest.mark.parametrize("language", ["vi", "en"])
async def test_the_first_call_works_by_copy_and_paste(world: World, language: str) -> None:
    page = await world.browser().get(f"/docs?lang={language}")
    command = html.unescape(re.search(r"<pre[^>]*><code>(.*?)</code></pre>", page.text, re.DOTALL)[1])  # type: ignore[index]
    path = re.search(r"curl -sS \S*?(/v1/\S+)", command)[1]  # type: ignore[index]
    headers = dict(re.findall(r'-H "([^:]+): ([^"]+)"', command))
    headers.pop("Authorization")
    platform = await world.platform()
    body = re.search(r"-d '(.*)'", command, re.DOTALL)[1]  # type: ignore[index]
    answer = await platform.post(path, content=body.encode(), headers=headers)
    assert (answer.status_code, answer.json()["outcome"]) == (201, "accepted")
    again = await platform.post(path, content=body.encode(), headers=headers)
    assert (again.status_code, again.json()["qid"]) == (200, answer.json()["qid"])


async def test_a_problem_leads_to_its_explanation(world: World) -> None:
    platform = await world.platform()
    answer = await platform.post("/v1/declarations", content=b"{}", headers={"content-type": "application/json"})
    problem = answer.json()
    page = await world.browser().get(problem["type"].partition("#")[0])
    assert f'id="{problem["code"]}"' in page.text
    assert json.dumps(problem["words"]["vi"], ensure_ascii=False).strip('"') in html.unescape(page.text)
