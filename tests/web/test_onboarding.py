"""Operators let platforms in and out, two of them for what reaches far; nothing of it by accident."""

import html
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
from joserfc import jwk

from motma.core.platforms import SCOPES
from tests.keyholder import KEY, KeyHolder
from tests.world import World, living_world

PEM = KEY.as_pem(private=False).decode()
OTHER = jwk.generate_key("EC", "P-256", auto_kid=True)
ONE = "/ops/platforms/one/BLUEZONE"


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with living_world(tmp_path) as world:
        yield world


async def send(client: httpx.AsyncClient, path: str, **fields: Any) -> httpx.Response:
    body = urlencode(fields, doseq=True)
    headers = {"content-type": "application/x-www-form-urlencoded", "accept": "text/html"}
    return await client.post(path, content=body, headers=headers)


def asked(**changes: Any) -> dict[str, Any]:
    return {
        "platform": "bluezone", "name": "Bluezone", "connector": "bluezone", "per_second": "50", "per_day": "1.000.000",
        "scopes": ["declarations:write", "declarations:read"], "key": PEM, "certificate": "", **changes,
    }  # fmt: skip


def text(answer: httpx.Response) -> str:
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", answer.text)))


async def test_registered_with_a_key_it_comes_in(world: World) -> None:
    operator = await world.operator()
    assert "checked" not in (await operator.get("/ops/platforms/new")).text, "nothing is ticked beforehand"
    made = await send(operator, "/ops/platforms/new", **asked())
    assert (made.status_code, made.headers["location"]) == (303, ONE)
    client = await KeyHolder(world, "BLUEZONE").client()
    assert (await world.declare(world.person(0), client)).status_code == 201
    assert (await world.declare(world.person(1), client, name="Kẻ Mạo Danh")).json()["outcome"] == "refused"
    assert (await client.get("/v1/declarations/x")).status_code == 404
    page = text(await operator.get(ONE))
    assert "Bluezone" in page and KEY.kid in page and "1.000.000/ngày" in page
    assert "Lần gọi 3 3" in page and "Tờ khai bị từ chối 1 1" in page and "declaration.hidden 1 1" in page
    listed = text(await operator.get("/ops/platforms"))
    assert "Đang liên thông" in listed and "3 lần gọi trong giờ này" in listed


async def test_what_is_wrong_is_said_where_it_is_and_nothing_is_written(world: World) -> None:
    operator, before = await world.operator(), None
    cases: list[tuple[dict[str, Any], str]] = [
        ({"platform": "ü"}, "Tên ngắn"),
        ({"name": " "}, "Nhập tên nền tảng"),
        ({"connector": "other"}, "Chọn dạng dữ liệu"),
        ({"scopes": []}, "Chọn ít nhất một quyền"),
        ({"scopes": ["everything"]}, "Chọn ít nhất một quyền"),
        ({"per_second": "0"}, "từ 1 đến"),
        ({"per_second": "9" * 300}, "từ 1 đến"),
        ({"per_day": "-5"}, "từ 1 đến"),
        ({"certificate": "xyz"}, "SHA-256"),
        ({"key": "xyz"}, "Không đọc được khóa công khai"),
        ({"key": KEY.as_pem(private=True).decode()}, "khóa bí mật: đừng đưa cho ai"),
    ]
    for change, said in cases:
        before = before or world.rows()
        answer = await send(operator, "/ops/platforms/new", **asked(**change))
        assert answer.status_code == 422 and said in text(answer), change
        assert 'value="Bluezone"' in answer.text or "name" in change, "what was typed is kept"
    assert world.rows() == before
    await send(operator, "/ops/platforms/new", **asked())
    again = await send(operator, "/ops/platforms/new", **asked())
    assert again.status_code == 409 and "Đã có nền tảng tên này" in text(again)
    for do in ("", "fly", "vouch", "unkey"):
        assert (await send(operator, ONE, do=do, kid="x")).status_code in (404, 422)
    assert (await send(operator, "/ops/platforms/one/NOBODY", do="suspend", reason="x")).status_code == 404
    assert (await operator.get("/ops/platforms/one/NOBODY", headers={"accept": "text/html"})).status_code == 404


async def test_what_reaches_far_takes_two(world: World) -> None:
    one, two = await world.operator("MOT"), await world.operator("HAI")
    every = asked(scopes=list(SCOPES))
    await send(one, "/ops/platforms/new", **every)
    holder = KeyHolder(world, "BLUEZONE")
    assert (await holder.ask(scope="health:write")).json()["error"] == "invalid_scope"
    await send(one, ONE, do="change", **every)  # the same hand once more
    assert (await holder.ask(scope="health:write")).json()["error"] == "invalid_scope"
    assert "MOT đề nghị quyền" in text(await two.get(ONE))
    assert "Chờ trực ban thứ hai" in text(await two.get("/ops/platforms"))
    await world.built.house.enrol.appoint_operator("MOT-CU", world.now, also="MOT")
    alias = await world.operator("MOT-CU")
    assert "dưới một tên khác" in text(await send(alias, ONE, do="change", **every))
    assert (await send(two, ONE, do="change", **every)).status_code == 303
    assert (await holder.ask(scope="health:write")).status_code == 200
    await send(two, ONE, do="key", key=OTHER.as_pem(private=False).decode())
    second = KeyHolder(world, "BLUEZONE", OTHER)
    assert (await second.ask(scope="prechecks")).status_code == 200
    assert (await second.ask(scope="health:write")).json()["error"] == "invalid_scope"
    assert "Tôi cũng đã kiểm" not in text(await two.get(ONE))
    assert (await send(two, ONE, do="vouch", kid=OTHER.kid)).status_code == 409
    assert "Tôi cũng đã kiểm" in text(await one.get(ONE))
    assert (await send(one, ONE, do="vouch", kid=OTHER.kid)).status_code == 303
    assert (await second.ask(scope="health:write")).status_code == 200


async def test_a_key_that_one_person_stands_for_under_two_names_reaches_no_further(world: World) -> None:
    """Whoever agrees to a scope has seen the keys: not their own, whatever they were called when they added it."""
    first, mine = await world.operator("HAI"), await world.operator("MOT")
    await world.built.house.enrol.appoint_operator("MOT-CU", world.now, also="MOT")
    alias = await world.operator("MOT-CU")
    every = asked(scopes=list(SCOPES), key="")
    await send(first, "/ops/platforms/new", **every)
    await send(mine, ONE, do="key", key=KEY.as_pem(private=False).decode())
    holder = KeyHolder(world, "BLUEZONE")
    for who in (alias, mine):
        await send(who, ONE, do="change", **every)
        assert (await holder.ask(scope="health:write")).json()["error"] == "invalid_scope"
    assert (await send(first, ONE, do="vouch", kid=KEY.kid)).status_code == 303
    assert (await holder.ask(scope="health:write")).status_code == 200


async def test_keys_are_rotated_side_by_side(world: World) -> None:
    operator = await world.operator()
    await send(operator, "/ops/platforms/new", **asked())
    old, new = KeyHolder(world, "BLUEZONE"), KeyHolder(world, "BLUEZONE", OTHER)
    client = await old.client()
    await send(operator, ONE, do="key", key=OTHER.as_pem(private=False).decode())
    assert (await old.ask()).status_code == (await new.ask()).status_code == 200
    await send(operator, ONE, do="unkey", kid=KEY.kid)
    assert ((await old.ask()).status_code, (await new.ask()).status_code) == (401, 200)
    assert (await client.get("/v1/declarations/x")).status_code == 401
    taken = await send(operator, ONE, do="key", key=f'{{"kid":"{OTHER.kid}",{jwk_members()}}}')
    assert taken.status_code == 409 and "kid" in text(taken)


def jwk_members() -> str:
    members = KEY.as_dict(private=False)
    return ",".join(f'"{name}":"{members[name]}"' for name in ("kty", "crv", "x", "y"))


async def test_suspended_resumed_and_revoked_for_good(world: World) -> None:
    operator = await world.operator()
    await send(operator, "/ops/platforms/new", **asked())
    holder = KeyHolder(world, "BLUEZONE")
    client = await holder.client()
    assert (await send(operator, ONE, do="suspend", reason=" ")).status_code == 422
    await send(operator, ONE, do="suspend", reason="Nghi lộ <khóa>")
    assert "Nghi lộ &lt;khóa&gt;" in (await operator.get(ONE)).text
    assert (await client.get("/v1/declarations/x")).status_code == 401
    await send(operator, ONE, do="resume")
    assert (await client.get("/v1/declarations/x")).status_code == 404
    assert "Đánh dấu vào ô xác nhận" in text(await send(operator, ONE, do="revoke", reason="Lộ khóa"))
    assert (await client.get("/v1/declarations/x")).status_code == 404
    assert (await send(operator, ONE, do="revoke", reason="Lộ khóa", sure="yes")).status_code == 303
    assert (await client.get("/v1/declarations/x")).status_code == 401
    for fields in ({"do": "resume"}, {"do": "key", "key": PEM}, dict(do="change", **asked())):
        assert (await send(operator, ONE, **fields)).status_code == 409
    again = await send(operator, "/ops/platforms/new", **asked())
    assert again.status_code == 409 and "thu hồi vĩnh viễn" in text(again)
    with pytest.raises(Exception, match=r"platform\.revoked"):
        await world.built.house.enrol.register_platform("Bluezone", "Bluezone", world.now)
