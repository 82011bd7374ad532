"""What every answer tells a browser: cookies out of reach, headers, and nothing changed from another site."""

import re
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.web.doors import DOORS
from tests.world import HERE, World, living_world

FORM = {"content-type": "application/x-www-form-urlencoded"}


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with living_world(tmp_path) as world:
        yield world


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_cookies_are_out_of_reach(world: World, scheme: str) -> None:
    enrol = world.built.house.enrol
    cookies: dict[str, str] = {}

    def keep(answer: httpx.Response) -> None:
        for line in answer.headers.get_list("set-cookie"):
            cookies[line.partition("=")[0]] = line.lower()

    browser = world.browser(scheme=scheme)
    keep(await world.declare_on_page(browser, world.person(0)))
    invitation = await enrol.invite_device(HERE, "Máy", world.now)
    keep(await browser.post("/scan/enrol", data={"token": invitation}))
    pin = await enrol.appoint_officer("CB-01", "Trực", world.now)
    keep(await browser.post("/scan/shift", data={"officer": "CB-01", "pin": pin}))
    key = await enrol.appoint_operator("TRUC-BAN", world.now)
    keep(await browser.post("/ops/login", data={"name": "TRUC-BAN", "key": key}))
    key = await enrol.appoint_health_staff("CDC-01", world.now)
    keep(await browser.post("/health/login", data={"name": "CDC-01", "key": key}))
    keep(await browser.get("/?lang=en"))
    signed_in = {"motma_device", "motma_shift", "motma_session", "motma_health"}
    assert set(cookies) == {"motma_wallet", "motma_lang", *signed_in}
    for name, line in cookies.items():
        assert ("; secure" in line) == (scheme == "https"), name
        assert "path=/" in line and "domain" not in line
        if name == "motma_lang":
            continue
        assert "httponly" in line, name
        assert f"samesite={'lax' if name == 'motma_wallet' else 'strict'}" in line, name
    lives = {name: int(match[1]) for name, line in cookies.items() if (match := re.search(r"max-age=(\d+)", line))}
    assert lives["motma_shift"] == lives["motma_session"] == lives["motma_health"] == 12 * 3600


PAGES: list[tuple[str, Callable[[World], Any] | None]] = [
    *((path, None) for path in ("/", "/code", "/docs", "/ops/login", "/scan/enrol", "/scan/shell", "/nowhere")),
    ("/ops", World.operator),
    ("/health/login", None),
    ("/health", World.health_staff),
    ("/scan", World.officer_at),
    ("/scan/shift", World.device_at),
]


@pytest.mark.parametrize(("path", "who"), PAGES, ids=lambda value: value if isinstance(value, str) else "")
async def test_headers_of_every_page(world: World, path: str, who: Callable[[World], Any] | None) -> None:
    client = await who(world) if who else world.browser()
    answer = await client.get(path, headers={"accept": "text/html"})
    assert answer.headers["content-type"].startswith("text/html"), answer.status_code
    headers = answer.headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"  # with "no-referrer" our own forms would come from "null"
    assert headers["cross-origin-opener-policy"] == headers["cross-origin-resource-policy"] == "same-origin"
    policy = dict(part.strip().partition(" ")[::2] for part in headers["content-security-policy"].split(";"))
    assert policy["default-src"] == policy["base-uri"] == policy["frame-ancestors"] == "'none'"
    assert policy["form-action"] == policy["style-src"] == policy["connect-src"] == "'self'"
    assert policy["script-src"] == ("'self' 'wasm-unsafe-eval'" if path.startswith("/scan") else "'self'")
    assert "unsafe-inline" not in headers["content-security-policy"]
    assert ("camera=(self)" in headers["permissions-policy"]) == path.startswith("/scan")
    assert "strict-transport-security" not in headers
    # The first page holds nothing personal yet and may be brought back by the browser.
    assert headers["cache-control"] == ("private, no-cache" if path == "/" else "no-store")
    for found in re.findall(r"<script(?![^>]*\bsrc=)[^>]*>|\son\w+=|\sstyle=|javascript:", answer.text):
        raise AssertionError(f"the policy would not let this run: {found}")
    assert not re.findall(r"""(?:src|href|action)=["'](?:https?:)?//""", answer.text)


async def test_headers_over_https(world: World) -> None:
    answer = await world.browser(scheme="https").get("/")
    assert answer.headers["strict-transport-security"] == "max-age=31536000"


async def test_answers_of_the_interface_are_not_kept(world: World) -> None:
    sent = await world.declare(world.person(0))
    for answer in (sent, await world.check(code=sent.json()["code"]), await world.declare(world.person(0), name="")):
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"
        assert answer.headers["x-content-type-options"] == "nosniff"
    counts = await (await world.operator()).get("/ops/counts.csv")
    assert counts.headers["cache-control"] == "no-store"


FROM_ELSEWHERE = [
    {"sec-fetch-site": "cross-site"},
    {"sec-fetch-site": "same-site"},
    {"sec-fetch-site": "cross-site", "origin": "http://motma.test"},
    {"sec-fetch-site": ""},
    {"origin": "http://evil.test"},
    {"origin": "http://motma.test.evil.test"},
    {"origin": "http://motma.test:8080"},
    {"origin": "null"},
    {"origin": ""},
    {"origin": "http://["},
    {"origin": "motma.test"},
]


@pytest.mark.parametrize("headers", FROM_ELSEWHERE, ids=str)
async def test_what_comes_from_another_site_changes_nothing(world: World, headers: dict[str, str]) -> None:
    operator, officer, platform = await world.operator(), await world.officer_at(), await world.platform()
    before = world.rows()
    for (method, path), _ in sorted(DOORS.items()):
        if method != "POST":
            continue
        client = {"/v1/declarations": platform, "/v1/checks": officer}.get(path, operator)
        json = world.declaration(world.person(0)) if path == "/v1/declarations" else None
        answer = await client.post(path, headers={"idempotency-key": "k", **headers}, json=json)
        assert (answer.status_code, answer.json()["code"]) == (403, "access.cross_site"), path
    assert world.rows() == before


@pytest.mark.parametrize(
    "headers",
    [{"sec-fetch-site": "same-origin"}, {"sec-fetch-site": "none"}, {"origin": "http://motma.test"}, {}],
    ids=str,
)
async def test_what_comes_from_our_own_page_passes(world: World, headers: dict[str, str]) -> None:
    operator = await world.operator()
    answer = await operator.post("/ops/diversions", data={"checkpoint": HERE}, headers=headers)
    assert answer.status_code == 303


async def test_no_host_is_nobodys_own_page(world: World) -> None:
    status, _, _ = await world.raw("POST", "/ops/logout", headers=[(b"origin", b"null"), (b"host", b"")])
    assert status == 403
