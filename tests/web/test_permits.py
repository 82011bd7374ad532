"""The operators' pages about permits: found, issued, imported with a preview, taken back; and who is named where."""

import csv
import io
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from motma.core.permit import parse
from motma.register.population import Person
from motma.web.gate import UPLOAD_MAX_BYTES
from tests.world import World, each, living_world


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with living_world(tmp_path) as world:
        yield world


def fields(person: Person, **changes: Any) -> dict[str, Any]:
    given: dict[str, Any] = {
        "group": "3A",
        "document": person.documents[0].number,
        "name": person.name,
        "birth_date": f"{person.birth_date:%d/%m/%Y}",
        "scope": "some",
        "areas": ["quan-3", "quan-5"],
        "from": "2026-01-18",
        "until": "2026-01-31",
        "signed_by": "district",
        "number": "-12/GDD",
    }
    return {**given, **changes}


async def issued(operator: httpx.AsyncClient, person: Person, **changes: Any) -> str:
    answer = await operator.post("/ops/permits/new", data=fields(person, **changes))
    assert answer.status_code == 303, answer.text
    return str(answer.headers["location"])


def a_table(*people: Person, areas: str = "Quận 3") -> bytes:
    rows = [["Họ tên", "CCCD", "Ngày sinh", "Nhóm", "Khu vực", "Từ", "Đến", "Nơi ký"]]
    for one in people:
        born = f"{one.birth_date:%d/%m/%Y}"
        rows.append([one.name, one.documents[0].number, born, "1A", areas, "1/1/2026", "31/1/2026", "PC08"])
    return "\n".join(";".join(row) for row in rows).encode()


async def upload(operator: httpx.AsyncClient, content: bytes, name: str = "danh-sach.csv") -> httpx.Response:
    return await operator.post("/ops/permits/import", files={"file": (name, content)})


def sealed(page: str) -> str:
    return page.partition('name="preview" value="')[2].partition('"')[0]


async def test_issued_seen_and_taken_back(world: World) -> None:
    operator, person = await world.operator(), world.person(0)
    empty = (await operator.get("/ops/permits")).text
    assert "Chưa cấp giấy nào" in empty and "/ops/permits/new" in (await operator.get("/ops/permits")).text
    assert "/ops/permits" in (await operator.get("/ops")).text
    where = await issued(operator, person)
    page = (await operator.get(where)).text
    assert person.name in page and person.documents[0].number not in page and "Quận 3, Quận 5" in page
    shown = parse(page.partition('permit-text">')[2].partition("<")[0])
    assert shown and where.endswith(shown.id) and '<svg class="qr"' in page
    listed = (await operator.get("/ops/permits")).text
    assert where in listed and person.name not in listed and shown.holder[-6:] in listed and shown.holder not in listed
    assert "Đang có hiệu lực" in listed
    assert await issued(operator, person) == where, "sent twice it is one"
    for data, code in (({"reason": "F0"}, "đánh dấu"), ({"sure": "yes", "reason": " "}, "Ghi lý do")):
        refused = await operator.post(where, data=data)
        assert refused.status_code == 422 and code in refused.text
    assert (await operator.post(where, data={"sure": "yes", "reason": "Là <F0>"})).status_code == 303
    page = (await operator.get(where)).text
    assert "Đã thu hồi" in page and "Là &lt;F0&gt;" in page and 'name="reason"' not in page
    late = await operator.post(where, data={"sure": "yes", "reason": "again"})
    assert late.status_code == 409 and "đã bị thu hồi" in late.text
    assert (await operator.get("/ops/permits/one/prm_00000000000000000000000000")).status_code == 404


async def test_what_is_to_be_mended_is_said_at_its_field_and_the_rest_kept(world: World) -> None:
    operator, person = await world.operator(), world.person(0)
    before = world.rows()
    cases = (
        ({"group": ""}, "group-wrong"),
        ({"scope": ""}, "areas-wrong"),
        ({"areas": []}, "areas-wrong"),
        ({"areas": ["nowhere"]}, "areas-wrong"),
        ({"signed_by": "ward"}, "signed_area-wrong"),
        ({"signed_by": "ward", "signed_area": "quan-3"}, "areas-wrong"),
        ({"until": "2026-01-01"}, "until-wrong"),
        ({"document": "", "name": "", "birth_date": ""}, "document-wrong"),
        ({"group": "LX"}, "plate-wrong"),
        ({"name": world.person(1).name}, "không phải của cùng một người"),
        ({"birth_date": "x" * 5_000}, "birth_date-wrong"),
    )
    for changes, said in cases:
        answer = await operator.post("/ops/permits/new", data=fields(person, **changes))
        assert answer.status_code == 422 and said in answer.text, changes
        if "name" not in changes:
            assert f'value="{person.name}"' in answer.text
    world.registry.outage = True
    away = await operator.post("/ops/permits/new", data=fields(person))
    assert away.status_code == 503 and person.name in away.text
    assert world.rows() == before


async def test_found_by_what_is_sent_and_never_by_the_address(world: World) -> None:
    operator, person = await world.operator(), world.person(0)
    where = await issued(operator, person)
    lane = await issued(operator, person, group="LX", plate="51C-123.45", scope="all", signed_by="city")
    for sought, found in (
        (person.documents[0].number, where), ("51C 123.45", lane), (where[-30:], where), (quote("51c12345"), lane),
    ):  # fmt: skip
        page = await operator.post("/ops/permits", data={"sought": sought})
        assert page.status_code == 200 and found in page.text
    nobody = await operator.post("/ops/permits", data={"sought": "999199999998"})
    assert "không được cấp ở đây" in nobody.text
    assert (await operator.post("/ops/permits", data={"sought": "<b>"})).status_code == 422
    assert (
        person.documents[0].number not in (await operator.get(f"/ops/permits?sought={person.documents[0].number}")).text
    )


async def test_a_list_page_by_page(world: World) -> None:
    operator = await world.operator()
    where = [await issued(operator, world.person(n)) for n in range(32)]
    first = (await operator.get("/ops/permits")).text
    older = first.partition("/ops/permits?before=")[2].partition('"')[0]
    second = (await operator.get(f"/ops/permits?before={older}")).text
    seen = [one for one in where if one in first], [one for one in where if one in second]
    assert sorted(map(len, seen)) == [2, 30] and set(seen[0]) | set(seen[1]) == set(where)


async def test_nothing_is_written_before_it_is_confirmed_and_then_once(world: World) -> None:
    operator = await world.operator()
    before = world.rows()
    page = await upload(operator, a_table(world.person(0), world.person(1)) + b"\nx;y;z;;;;;")
    assert page.status_code == 200 and "Chưa ghi gì" in page.text and "Cấp 2 giấy" in page.text
    assert "field.missing" in page.text and world.person(0).name not in page.text
    assert world.rows() == before
    for expected in ("đã cấp", "đã cấp từ trước"):
        done = await operator.post("/ops/permits/import/confirm", data={"preview": sealed(page.text)})
        assert done.status_code == 200 and done.text.count(f"<span>{expected}</span>") == 2
    assert world.rows()["facts"] - before["facts"] == 2
    again = await upload(operator, a_table(world.person(0)))
    assert sealed(again.text) == "" and "đã cấp từ trước" in again.text
    other = await (await world.operator("KHAC")).post(
        "/ops/permits/import/confirm", data={"preview": sealed(page.text)}
    )
    assert other.status_code == 422 and "xem trước lại" in other.text


@each([b"", b"PK\x03\x04", b"\x00" * 99, "chỉ có chữ".encode(), b"\xd0\xcf\x11\xe0", b"a;b\nc;d"])
async def test_files_that_cannot_be_read_are_refused_in_words(world: World, content: bytes) -> None:
    operator = await world.operator()
    page = await upload(operator, content)
    assert page.status_code == 422 and 'role="alert"' in page.text and sealed(page.text) == ""


async def test_a_form_without_a_file_and_a_body_too_large(world: World) -> None:
    operator = await world.operator()
    for data in ({}, {"file": "text"}):
        answer = await operator.post("/ops/permits/import", data=data)
        assert answer.status_code == 422 and "Chọn một tệp" in answer.text
    big = await upload(operator, b"x" * (UPLOAD_MAX_BYTES + 1))
    assert big.status_code == 413
    nearly = await upload(operator, b"a;" * 1_000_000)
    assert nearly.status_code == 422 and "Quá 40 cột" in nearly.text


async def test_templates_and_the_export(world: World) -> None:
    operator, person = await world.operator(), world.person(0)
    for name, begins in (("motma-permits.csv", b"\xef\xbb\xbf"), ("motma-permits.xlsx", b"PK")):
        answer = await operator.get(f"/ops/permits/template/{name}")
        assert answer.content.startswith(begins) and name in answer.headers["content-disposition"]
    assert (await operator.get("/ops/permits/template/other.csv")).status_code == 404
    await issued(operator, person)
    answer = await operator.get("/ops/permits/export.csv")
    [row] = csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig")))
    assert (row["number"], row["group"], row["areas"], row["state"]) == ("'-12/GDD", "3A", "quan-3;quan-5", "In force")
    assert person.name not in answer.text and len(row["holder_last_six"]) == 6


async def test_the_pages_in_english(world: World) -> None:
    operator = await world.operator()
    where = await issued(operator, world.person(0))
    for path in ("/ops/permits", "/ops/permits/new", "/ops/permits/import", where):
        page = (await operator.get(f"{path}?lang=en")).text
        assert "<h1>" in page and "Giấy đi đường" not in page.partition("<main")[2], path
