"""A sandbox: only where it is one, only for people who do not exist, and apart from production."""

import datetime as dt
import html
import re
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlencode

import httpx
import pytest

from motma.core.ids import Document
from motma.core.platforms import EVERYDAY, SELF
from motma.core.sandbox import is_fictional
from motma.services.exchange import platforms as limits
from motma.services.exchange.selfservice import AN_HOUR
from tests.keyholder import KEY, KeyHolder, key_holder
from tests.world import World, living_world

PEM = KEY.as_pem(private=False).decode()
FORM = {"content-type": "application/x-www-form-urlencoded", "accept": "text/html"}


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with living_world(tmp_path, sandbox=True) as world:
        yield world


async def register(world: World, name: str = "Đội thử nghiệm", key: str = "") -> httpx.Response:
    return await world.browser().post("/sandbox", content=urlencode({"name": name, "key": key}), headers=FORM)


def given(answer: httpx.Response) -> tuple[str, str]:
    """(id, token) from the page."""
    assert answer.status_code == 200, answer.text
    return re.findall(r"SB-[A-Z2-7]{8}", answer.text)[0], re.findall(r"Bearer ([a-z2-7]{32})", answer.text)[0]


async def test_production_has_no_such_page(tmp_path: Path) -> None:
    async with living_world(tmp_path) as world:
        browser = world.browser()
        for answer in (
            await browser.get("/sandbox"),
            await browser.get("/sandbox/declaration.json"),
            await register(world),
        ):
            assert answer.status_code == 404
        assert "sandbox" not in (await browser.get("/", headers={"accept": "text/html"})).text.lower()
        assert world.rows()["facts"] == 1


async def test_every_page_says_that_it_is_one(world: World) -> None:
    visitors = {
        "/": world.browser(),
        "/sandbox": world.browser(),
        "/docs": world.browser(),
        "/nothing-here": world.browser(),
        "/scan": await world.officer_at(),
        "/scan/shell": world.browser(),
        "/ops": await world.operator(),
    }
    for path, client in visitors.items():
        assert '<p class="sandbox">' in (await client.get(path, headers={"accept": "text/html"})).text, path


@pytest.mark.parametrize("key", ["", PEM], ids=["a token", "a key"])
async def test_who_registers_is_in_for_a_week(world: World, key: str) -> None:
    id, token = given(await register(world, key=key))
    plain = world.browser(headers={"authorization": f"Bearer {token}"})
    clients = [plain, await KeyHolder(world, id).client()] if key else [plain]
    for n, client in enumerate(clients):
        assert (await world.declare(world.person(n), client)).status_code == 201
    made = await world.built.house.platforms.known(id, world.now)
    assert made is not None and (made.by, made.scopes, made.certificate) == (SELF, EVERYDAY, "")
    world.now += dt.timedelta(days=7)
    for client in clients:
        assert (await client.get("/v1/declarations/x")).status_code == 401
    if key:
        assert (await KeyHolder(world, id).ask()).json()["code"] == "oauth.suspended"


async def test_what_is_mistyped_is_said_and_kept(world: World) -> None:
    before = world.rows()
    for name, key, said in (
        (" ", "", "Nhập tên nền tảng"),
        ("x" * 81, "", "80 ký tự"),
        ("Đội A", "<key>", "Không đọc được khóa công khai"),
        ("Đội A", KEY.as_pem(private=True).decode(), "khóa bí mật: đừng đưa cho ai"),
    ):
        answer = await register(world, name, key)
        assert answer.status_code == 422 and said in html.unescape(answer.text), said
        assert "<key>" not in answer.text
    assert world.rows() == before


async def test_an_address_and_all_together_are_bounded(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(AN_HOUR):
        given(await register(world))
    many = await register(world)
    assert (many.status_code, many.headers["retry-after"]) == (429, "3601")
    assert "một giờ" in html.unescape(many.text)
    world.now += dt.timedelta(hours=1, seconds=1)
    monkeypatch.setattr(limits, "SELF_SERVED_MAX", AN_HOUR)
    assert (await register(world)).status_code == 409
    await key_holder(world, "BLUEZONE")  # an operator's are not counted
    world.now += dt.timedelta(days=7)
    given(await register(world))


async def test_a_subscriber_with_many_addresses_is_one(world: World) -> None:
    async def from_(address: str) -> int:
        sender = httpx.ASGITransport(world.app, client=(address, 5))
        async with httpx.AsyncClient(transport=sender, base_url="http://motma.test") as client:
            return (await client.post("/sandbox", content=urlencode({"name": "Đội A"}), headers=FORM)).status_code

    for n in range(AN_HOUR):
        assert await from_(f"2001:db8:1:2:{n:x}::{n}") == 200
        assert await from_("::ffff:192.0.2.7") == 200
    assert await from_("2001:db8:1:2:ffff::1") == 429 and await from_("192.0.2.7") == 429
    assert await from_("2001:db8:1:3::1") == 200 and await from_("192.0.2.8") == 200


async def test_nobody_real_is_taken(world: World) -> None:
    _, token = given(await register(world))
    client = world.browser(headers={"authorization": f"Bearer {token}"})
    before = world.rows()
    real = "079" + world.person(0).documents[0].number[3:]  # as his own, of a province that there is
    for changes in (
        {"document__number": real},
        {"document": {"kind": "cmnd", "number": "012345678"}},
        {"document": {"kind": "passport", "number": "C1234567"}, "nationality": "VN"},
        {"document": {"kind": "none"}, "guardian": {"kind": "cccd", "number": real}},
    ):
        answer = await world.declare(world.person(0), client, **changes)
        assert (answer.status_code, answer.json()["code"]) == (422, "sandbox.real_person"), (changes, answer.text)
        assert set(answer.json()["fields"]) <= {"document.number", "guardian.number"}
    page = await world.declare_on_page(world.browser(), world.person(0), document__number=real)
    assert page.status_code == 422 and "chỉ nhận người giả định" in html.unescape(page.text)
    assert world.rows() == before
    assert (await world.declare(world.foreigner(), client)).status_code == 201
    assert (await world.declare(world.person(1), client)).status_code == 201


def test_everybody_of_the_fictional_register_may_come() -> None:
    from tests.world import Register

    people = map(Register.population.person, range(len(Register.population)))
    assert all(is_fictional(document) for person in people for document in person.documents)
    assert not is_fictional(Document("passport", "B9991234")) and not is_fictional(Document("cccd", "079999000000"))


async def test_nothing_of_a_sandbox_opens_production(tmp_path: Path) -> None:
    """Not even for a platform that is in both under one id and one key."""
    async with (
        living_world(tmp_path / "sandbox", sandbox=True, issuer="sandbox.motma.test") as sandbox,
        living_world(tmp_path / "production") as production,
    ):
        tried, real = await key_holder(sandbox, "BLUEZONE"), await key_holder(production, "BLUEZONE")
        to_sandbox = "https://sandbox.motma.test/oauth/token"
        token = (await tried.ask(tried.assertion(aud=to_sandbox))).json()["access_token"]
        plain = (await sandbox.platform("NCOVI")).headers["authorization"]
        for opener in (f"Bearer {token}", plain):
            there = sandbox.browser(headers={"authorization": opener})
            here = production.browser(headers={"authorization": opener})
            assert (await there.get("/v1/declarations/x")).status_code == 404
            assert (await here.get("/v1/declarations/x")).status_code == 401
        assert (await real.ask(real.assertion(aud=to_sandbox))).json()["code"] == "oauth.claims"
        assert (await tried.ask(tried.assertion())).json()["code"] == "oauth.claims"
