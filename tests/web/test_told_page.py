"""The operators' page says how a platform is told of changes, and tells it again what it could not be told."""

import datetime as dt
import html
import re
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from motma.core.change import change_id
from motma.services.exchange.telling import FAILURES_TO_REST
from tests.receiving import Receiver, receiver
from tests.services.test_webhooks import declared, register, settle
from tests.web.test_onboarding import asked, send
from tests.world import World, living_world

P = "BLUEZONE"
PAGE = f"/ops/platforms/one/{P}"


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with living_world(tmp_path) as world:
        yield world


@pytest.fixture
async def hook() -> AsyncIterator[Receiver]:
    async with receiver() as one:
        yield one


def text(answer: httpx.Response) -> str:
    assert answer.status_code == 200, answer.text
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", answer.text)))


async def page(world: World, path: str = PAGE, lang: str = "vi") -> str:
    return text(await (await world.operator()).get(path, params={"lang": lang}))


async def registered(world: World) -> None:
    made = await send(
        await world.operator(), "/ops/platforms/new", **asked(scopes=["declarations:write", "changes:read"], key="")
    )
    assert made.status_code == 303


async def test_how_late_a_platform_is_told(world: World, hook: Receiver) -> None:
    await registered(world)
    assert "Webhook Chưa đăng ký" in await page(world) and "Chưa đọc từ khi" in await page(world)
    await register(world, hook)
    assert "Đang báo" in await page(world) and "Chậm Không chậm: đã báo hết" in await page(world)
    await declared(world, 0)
    world.now += dt.timedelta(seconds=90)
    assert "Chậm 90 giây" in await page(world) and "Báo chậm: 90 giây" in await page(world, "/ops/platforms")
    client = await world.platform(P)
    cursor = (await client.get("/v1/changes")).json()["next"]
    assert "lag: 90 s" in await page(world, lang="en"), "it asked from the beginning: whether it got that is not known"
    await client.get("/v1/changes", params={"after": cursor})
    await settle(world, world.built.telling(P))
    said = await page(world, lang="en")
    assert said.count("it was told everything") == 2 and "Told late" not in await page(world, "/ops/platforms")


async def test_what_was_given_up_is_sent_again(world: World, hook: Receiver) -> None:
    await registered(world)
    qids = [await declared(world, n) for n in range(2)]
    hook.answers = lambda message: 204 if message["type"] == "webhook.test" else 503
    await register(world, hook)
    telling = world.built.telling(P)
    await telling.round(world.now)
    said = await page(world)
    assert "2 tin sẽ thử lại" in said and "0 tin đã thôi thử" in said
    for n in range(FAILURES_TO_REST):
        await declared(world, 10 + n)
    await telling.round(world.now)
    assert "Máy nhận trả lời lỗi (503). Thử lại lúc" in await page(world)
    assert "Máy nhận webhook không trả lời" in await page(world, "/ops/platforms")
    await settle(world, telling, hours=100)
    said = await page(world)
    assert "không gửi được suốt 75 giờ" in said and "2 tin đã thôi thử" in said
    assert "2 tin chưa báo được" in await page(world, "/ops/platforms")
    seqs = {one.qid: one.seq for one in await world.built.store.outbox.parked(P, "dead", "", 10)}
    assert seqs.keys() == set(qids) and all(change_id(seq) in said for seq in seqs.values())

    hook.answers = lambda _: 204
    await register(world, hook)
    operator = await world.operator()
    hidden = await send(operator, PAGE, do="retry", delivery="chg_0000000099999")
    assert hidden.status_code == 404 and "Không có tin nào như vậy" in hidden.text
    assert (await send(operator, PAGE, do="retry", delivery=change_id(seqs[qids[0]]))).status_code == 303
    assert "1 tin sẽ thử lại · 1 tin đã thôi thử" in await page(world)
    assert (await send(await world.operator(), PAGE, do="retry_dead")).status_code == 303
    assert "2 tin sẽ thử lại · 0 tin đã thôi thử" in await page(world)
    await settle(world, telling)
    assert hook.newest().keys() >= set(qids) and "0 tin sẽ thử lại" in await page(world)


async def test_what_a_platform_delivers_in_its_own_form_is_counted(world: World) -> None:
    await registered(world)
    client = await world.platform(P)
    refused = await client.post("/v1/inbox/bluezone", content=b"{}", headers={"content-type": "application/json"})
    assert refused.status_code == 422
    assert refused.json()["code"] in await page(world)
