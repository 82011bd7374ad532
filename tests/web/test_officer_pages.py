"""The officer's way in, and the files of the scanner: enrol a device, begin a shift, open the page, end the shift."""

import gzip
import json
import re
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from tests.world import HERE, World, living_world

FORM = {"content-type": "application/x-www-form-urlencoded"}


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with living_world(tmp_path) as world:
        yield world


async def _enrolled(world: World) -> httpx.AsyncClient:
    """A browser whose device was enrolled through the page."""
    token = await world.built.house.enrol.invite_device(HERE, "Điện thoại làn 2", world.now)
    browser = world.browser()
    answer = await browser.post("/scan/enrol", data={"token": f" {token.upper()} "})
    assert (answer.status_code, answer.headers["location"]) == (303, "/scan/shift")
    return browser


async def _on_shift(world: World) -> httpx.AsyncClient:
    pin = await world.built.house.enrol.appoint_officer("CB-07", "Lê <b>Thị</b> Trực", world.now)
    browser = await _enrolled(world)
    answer = await browser.post("/scan/shift", data={"officer": "cb-07", "pin": pin})
    assert (answer.status_code, answer.headers["location"]) == (303, "/scan")
    return browser


def _cookies_set(answer: httpx.Response) -> dict[str, str]:
    return {line.partition("=")[0]: line for line in answer.headers.get_list("set-cookie")}


async def test_each_page_leads_to_the_one_that_must_come_before(world: World) -> None:
    stranger = world.browser()
    for page in ("/scan", "/scan/shift"):
        answer = await stranger.get(page)
        assert (answer.status_code, answer.headers["location"]) == (302, "/scan/enrol")
    enrolled = await _enrolled(world)
    assert (await enrolled.get("/scan")).headers["location"] == "/scan/shift"
    assert (await enrolled.get("/scan/shift")).status_code == 200
    on_shift = await _on_shift(world)
    assert (await on_shift.get("/scan/shift")).headers["location"] == "/scan"
    assert (await on_shift.get("/scan")).status_code == 200


async def test_an_enrolment_link_works_once_and_its_secret_is_in_no_address(world: World) -> None:
    token = await world.built.house.enrol.invite_device(HERE, "Máy 1", world.now)
    first = await world.browser().post("/scan/enrol", data={"token": token})
    cookie = _cookies_set(first)["motma_device"]
    assert "HttpOnly" in cookie and "SameSite=strict" in cookie
    assert token not in cookie and token not in first.headers["location"]
    again = await world.browser().post("/scan/enrol", data={"token": token})
    assert again.status_code == 404
    assert "Liên kết này không dùng được nữa" in again.text and token not in again.text
    assert "motma_device" not in _cookies_set(again)


@pytest.mark.parametrize("body", ["", "token=", "token=a&token=b", "x=1", "token=%00", "token=" + "a" * 5000])
async def test_nonsense_enrols_nothing(world: World, body: str) -> None:
    answer = await world.browser(headers=FORM).post("/scan/enrol", content=body)
    assert 400 <= answer.status_code < 500
    assert "motma_device" not in _cookies_set(answer)


async def test_a_wrong_pin_keeps_what_was_typed_but_not_the_pin(world: World) -> None:
    browser = await _enrolled(world)
    answer = await browser.post("/scan/shift", data={"officer": 'CB"><b>', "pin": "123456"})
    assert answer.status_code == 404
    assert "Mã cán bộ hoặc mã PIN chưa đúng." in answer.text
    assert 'value="CB&#34;&gt;&lt;b&gt;"' in answer.text
    assert "123456" not in answer.text


async def test_guessing_a_pin_is_stopped_in_words(world: World) -> None:
    browser = await _enrolled(world)
    for _ in range(10):
        await browser.post("/scan/shift", data={"officer": "CB-07", "pin": "0"})
    answer = await browser.post("/scan/shift?lang=en", data={"officer": "CB-07", "pin": "0"})
    assert answer.status_code == 429 and int(answer.headers["retry-after"]) > 0
    assert "Wait five minutes" in answer.text


async def test_the_scanner_names_its_place_and_officer_and_runs_nothing_inline(world: World) -> None:
    page = await (await _on_shift(world)).get("/scan")
    assert 'data-officer="Lê &lt;b&gt;Thị&lt;/b&gt; Trực"' in page.text
    assert world.built.house.steer.network.by_id[HERE].name.vi in page.text
    assert page.headers["cache-control"] == "no-store"
    assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=", page.text)
    (policy,) = page.headers.get_list("content-security-policy")
    assert "'wasm-unsafe-eval'" in policy and "'unsafe-inline'" not in policy
    assert "camera=(self)" in page.headers["permissions-policy"]


async def test_both_languages(world: World) -> None:
    browser = await _on_shift(world)
    assert 'lang="vi"' in (await browser.get("/scan")).text
    english = (await browser.get("/scan?lang=en")).text
    assert '<html lang="en">' in english and "Enter number" in english and "Nhập số" not in english


async def test_the_end_of_a_shift_ends_it_on_the_server_too(world: World) -> None:
    browser = await _on_shift(world)
    kept = browser.cookies["motma_shift"]
    assert (await browser.get("/scan/pulse")).status_code == 204
    answer = await browser.post("/scan/shift/end")
    assert (answer.status_code, answer.headers["location"]) == (303, "/scan/shift")
    assert (await browser.get("/scan")).headers["location"] == "/scan/shift"
    browser.cookies.set("motma_shift", kept, domain="motma.test")
    assert (await browser.get("/scan/pulse")).status_code == 401
    assert (await browser.post("/scan/shift/end")).status_code == 303


async def test_enrolling_anew_ends_the_shift_that_was_going_on(world: World) -> None:
    browser = await _on_shift(world)
    token = await world.built.house.enrol.invite_device(HERE, "Máy 2", world.now)
    await browser.post("/scan/enrol", data={"token": token})
    assert (await browser.get("/scan")).headers["location"] == "/scan/shift"


async def test_what_a_phone_keeps_is_complete_lasting_and_names_nobody(world: World) -> None:
    browser = await _on_shift(world)
    worker = await browser.get("/sw.js")
    assert worker.headers["content-type"].startswith("text/javascript")
    assert worker.headers["cache-control"] == "no-cache"
    found = re.match(r"self\.motma = (\{.*?\});\n", worker.text)
    assert found
    keeps = json.loads(found[1])
    for address in keeps["assets"]:
        assert keeps["version"] in address
        answer = await browser.get(address)
        assert answer.status_code == 200, address
        assert "immutable" in answer.headers["cache-control"]
    names = {address.rpartition("/")[2] for address in keeps["assets"]}
    assert {"main.js", "decoder-worker.js", "scan.css", "motma.css", "zxing_reader.wasm", "share.js"} <= names
    assert "sw.js" not in names
    shell = await browser.get(keeps["shell"])
    assert "Trực" not in re.sub(r"Ca trực|Trực tuyến", "", shell.text)
    for address in re.findall(r'(?:src|href)="(/scan/app/[^"]+)"', shell.text):
        assert address in keeps["assets"]


async def test_every_module_that_is_imported_is_kept(world: World) -> None:
    browser = world.browser()
    found = re.search(r"self\.motma = (\{.*?\});", (await browser.get("/sw.js")).text)
    assert found
    assets = json.loads(found[1])["assets"]
    for address in [address for address in assets if address.endswith(".js")]:
        text = (await browser.get(address)).text
        for imported in re.findall(r'(?:from|import)\s*"(\.[^"]+)"', text):
            assert str(httpx.URL("http://motma.test" + address).join(imported).path) in assets, (address, imported)


async def test_files_have_their_types_and_come_compressed(world: World) -> None:
    browser = world.browser()
    page = (await browser.get("/scan/shell")).text
    found = re.search(r"/scan/app/[0-9a-f]+", page)
    assert found
    app = found[0]
    types = {
        "main.js": "text/javascript",
        "scan.css": "text/css",
        "manifest.webmanifest": "application/manifest+json",
        "icons/icon-192.png": "image/png",
        "static/vendor/zxing-wasm/reader/zxing_reader.wasm": "application/wasm",
    }
    for path, media_type in types.items():
        answer = await browser.get(f"{app}/{path}", headers={"accept-encoding": "gzip"})
        assert answer.headers["content-type"].partition(";")[0] == media_type
    wasm = await browser.get(f"{app}/static/vendor/zxing-wasm/reader/zxing_reader.wasm")
    assert wasm.content[:4] == b"\0asm"
    assert int(wasm.headers["content-length"]) < len(gzip.compress(wasm.content, 1))
    manifest = (await browser.get(f"{app}/manifest.webmanifest")).json()
    for icon in manifest["icons"]:
        assert (await browser.get(f"{app}/{icon['src']}")).status_code == 200


@pytest.mark.parametrize(
    "path",
    [
        "sw.js",
        "../officers.py",
        "static/../../access.py",
        "static/%2e%2e/access.py",
        "static/icons/icons.svg",
        "nothing.js",
        "static/vendor/manifest.json",
    ],
)
async def test_only_the_scanner_s_own_files_are_served(world: World, path: str) -> None:
    browser = world.browser()
    found = re.search(r"/scan/app/[0-9a-f]+", (await browser.get("/scan/shell")).text)
    assert found
    assert (await browser.get(f"{found[0]}/{path}")).status_code == 404
    assert (await browser.get("/scan/app/0123456789abcdef/main.js")).status_code == 404
