"""``/ops/import``: a table is shown row by row before anything is sent, and what is sent is what was shown."""

import datetime as dt
import html
import re
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from motma.connectors.sheets import read_table
from motma.services.exchange.intake import STANDS_FOR
from motma.web.gate import UPLOAD_MAX_BYTES
from tests.services.test_intake import row, table
from tests.world import World, living_world


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with living_world(tmp_path) as world:
        yield world


async def upload(operator: httpx.AsyncClient, content: bytes, source: str = "COACH") -> httpx.Response:
    return await operator.post("/ops/import", data={"source": source}, files={"file": ("a.csv", content)})


def sealed(page: str) -> str:
    found = re.search(r'name="preview" value="([^"]+)"', page)
    assert found
    return html.unescape(found[1])


async def test_looked_at_sent_and_reported(world: World) -> None:
    operator = await world.operator()
    await world.platform("COACH")
    people = [world.person(n) for n in range(3)]
    content = table(
        row(world, people[0]), row(world, people[1], phone="12"), row(world, people[2], name="Lê Hoàn Toàn Khác")
    )
    before = world.rows()
    page = await upload(operator, content)
    assert page.status_code == 200 and world.rows() == before
    assert "Gửi 2 tờ khai" in page.text and "Coach" in page.text and "SĐT" in page.text
    assert people[0].name not in page.text and people[0].documents[0].number not in page.text
    again = {"preview": sealed(page.text)}
    done = await operator.post("/ops/import/confirm", data=again)
    assert done.status_code == 200 and "đã gửi, có mã" in done.text and "không khớp dữ liệu dân cư" in done.text
    rows = world.rows()
    report = await operator.post("/ops/import/report", data=again)
    cells = [one.cells for one in read_table(report.content)]
    assert [line[1:3] for line in cells[1:]] == [("already", "accepted"), ("wrong", ""), ("already", "refused")]
    assert len(str(cells[1][5])) > 200 and "SĐT" in str(cells[2][7])
    assert (await operator.post("/ops/import/confirm", data=again)).status_code == 200 and world.rows() == rows


async def test_a_preview_is_its_makers_and_not_for_ever(world: World) -> None:
    operator, other = await world.operator(), await world.operator("NGUOI-KHAC")
    await world.platform("COACH")
    text = sealed((await upload(operator, table(row(world, world.person(0))))).text)
    before = world.rows()
    for who, preview in ((other, text), (operator, text[:-8] + "AAAAAAA="), (operator, ""), (operator, "é")):
        for verb in ("confirm", "report"):
            answer = await who.post(f"/ops/import/{verb}", data={"preview": preview})
            assert answer.status_code == 422 and "Bản xem trước không còn dùng được" in answer.text
    await world.built.house.enrol.dismiss("platform", "COACH", world.now)
    world.forget()
    assert (await operator.post("/ops/import/confirm", data={"preview": text})).status_code == 404
    world.now += STANDS_FOR
    assert (await operator.post("/ops/import/confirm", data={"preview": text})).status_code == 422
    dismissed = {"credentials": world.rows()["credentials"], "facts": before["facts"] + 1}
    assert world.rows() == before | dismissed


async def test_what_is_no_table_or_for_nobody_is_said_on_the_page(world: World) -> None:
    operator = await world.operator()
    assert "Chưa có nền tảng nào" in (await operator.get("/ops/import")).text
    await world.platform("COACH")
    good = table(row(world, world.person(0)))
    assert (await upload(operator, good, "NOBODY")).status_code == 404
    assert (await upload(operator, b"a;b\n1;2")).status_code == 422
    assert (await operator.post("/ops/import", data={"source": "COACH", "file": "x"})).status_code == 422
    assert (await upload(operator, b"x" * (UPLOAD_MAX_BYTES + 1))).status_code == 413
    for name in ("motma-declarations.csv", "motma-declarations.xlsx"):
        assert (await operator.get(f"/ops/import/template/{name}")).status_code == 200
    assert (await operator.get("/ops/import/template/other")).status_code == 404


async def test_thousands_of_rows_fit_into_one_confirmation(world: World) -> None:
    """A table of 2 MB is still confirmed in one go, or refused in words before anything is sent."""
    operator = await world.operator()
    await world.platform("COACH")
    at = world.now + dt.timedelta(hours=8)
    rows = [row(world, world.person(n % 60), seat=f"A{n}", departs=f"{at:%d/%m/%Y %H:%M}") for n in range(2_000)]
    page = await upload(operator, table(*rows))
    assert page.status_code == 200 and len(sealed(page.text)) < UPLOAD_MAX_BYTES
