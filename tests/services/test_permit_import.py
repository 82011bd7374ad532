"""Permits from a table: whatever its make, every row said what becomes of it, and each issued once."""

import asyncio
import datetime as dt
import io
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from motma.connectors.sheets import read_table
from motma.core.errors import Invalid
from motma.core.permit.columns import COLUMNS, GUIDE, HEADERS, column_of
from motma.register.population import Person
from motma.services.permit_import import STANDS_FOR, Line
from tests.world import World, living_world

HEADER = ("Họ tên", "CCCD", "Ngày sinh", "Nhóm", "Khu vực", "Từ ngày", "Đến ngày", "Nơi ký")


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with living_world(tmp_path) as world:
        yield world


@pytest.fixture
async def anywhere(tmp_path: Path, desk_url: str) -> AsyncIterator[World]:
    async with living_world(tmp_path, database_url=desk_url) as world:
        yield world


def row(person: Person, **changes: str) -> list[str]:
    said = {
        "name": person.name,
        "document": person.documents[0].number,
        "born": f"{person.birth_date:%d/%m/%Y}",
        "group": "3A",
        "areas": "Toàn thành phố",
        "from": "01/01/2026",
        "until": "31/01/2026",
        "signed": "Công an thành phố",
    }
    return list({**said, **changes}.values())


def table(*rows: Sequence[str], header: Sequence[str] = HEADER) -> bytes:
    return "\n".join(";".join(f'"{cell}"' for cell in line) for line in (header, *rows)).encode()


async def bring(world: World, content: bytes) -> list[Line]:
    """Preview and confirm."""
    importer = world.built.house.permit_import
    before = world.rows() if "sqlite" in world.settings.database_url else None
    seen = await importer.preview(content, world.now)
    if before:
        assert world.rows() == before, "a preview writes nothing"
    sealed = importer.close(seen, by="A", now=world.now)
    good = importer.open(sealed, by="A", now=world.now)
    assert good == seen.good
    done = {line.row: line for line in await importer.confirm(good, by="A", now=world.now)}
    return [done.get(line.row, line) for line in seen.lines]


def states(lines: Sequence[Line]) -> list[tuple[int, str]]:
    return [(line.row, line.state) for line in lines]


async def test_every_row_is_told_what_becomes_of_it(anywhere: World) -> None:
    world = anywhere
    people = [world.person(n) for n in range(8)]
    wrong = {
        3: (row(people[1], name=people[2].name), [("document", "permit.nobody")]),
        4: (
            row(people[1], group="9Z", until="32/01/2026"),
            [("group", "permit.group_unknown"), ("until", "date.malformed")],
        ),
        5: (row(people[1], areas=""), [("areas", "field.missing")]),
        6: (row(people[1], areas="Quận 3", signed="Công an phường 14"), [("signed_area", "permit.no_district")]),
        7: (row(people[1], until="31/12/2025"), [("until", "permit.ends_first")]),
        8: (row(people[1], **{"from": "01/12/2025", "until": "31/12/2025"}), [("until", "permit.over")]),
        9: (row(people[1], name="=HYPERLINK(1)"), [("name", "field.formula")]),
        10: (row(people[1], document=people[1].documents[0].number[1:]), [("document", "permit.number_changed")]),
        11: (row(people[1], document="9,99E+11"), [("document", "permit.number_changed")]),
        12: (row(people[1], areas="Quận 77"), [("areas", "permit.area_unknown")]),
        13: (row(people[1], group="LX"), [("document", "permit.group_of_vehicles"), ("plate", "field.missing")]),
        14: (row(people[1], born="29/02/2001"), [("birth_date", "date.malformed")]),
    }  # fmt: skip
    lines = await bring(
        world, table(row(people[0]), *[cells for cells, _ in wrong.values()], row(people[0]), row(people[3]))
    )
    assert states(lines) == [(2, "issued"), *[(n, "wrong") for n in wrong], (15, "twice"), (16, "issued")]
    for line in lines:
        if line.row in wrong:
            assert sorted((column, code) for column, code, _ in line.problems) == sorted(wrong[line.row][1]), line.row
            assert all(words.vi and words.en for _, _, words in line.problems)
    again = await bring(world, table(row(people[3]), row(people[0])))
    assert states(again) == [(2, "already"), (3, "already")]
    assert len(await world.built.house.permits.recent(50)) == 2
    assert lines[0].who == f"…{people[0].documents[0].last_four}"


async def test_one_list_in_many_makes_is_one_list(world: World) -> None:
    """Other names of columns, in another order, without tones; numbers and dates as spreadsheets keep them."""
    person = world.person(0)
    born, number = person.birth_date, person.documents[0].number
    serial = (born - dt.date(1899, 12, 30)).days
    vi = row(person)
    english = [
        "Signed by",
        "GROUP CODE",
        "Area",
        "valid from",
        "Valid until",
        "ID number",
        "Date of birth",
        "Full name",
    ]
    others: list[bytes] = [
        table(row(person, born=born.isoformat(), **{"from": "2026-01-01", "until": "2026-01-31"})),
        table(row(person, born=str(serial), **{"from": "46023", "until": "46053"})),
        table(row(person, areas="*", signed="PC08", group="nhóm 3a")),
        table(
            row(person), header=["HO TEN", "SO CCCD", "NGAY SINH", "NHOM", "KHU VUC", "TU NGAY", "DEN NGAY", "NOI KY"]
        ),
        table(
            ["PC08", "3A", "whole city", "1.1.2026", "31-1-2026", number, f"{born:%d/%m/%Y}", person.name],
            header=english,
        ),
        table([*vi[:8], "ghi chú"], header=[*HEADER, "Ghi chú"]),
        "DANH SÁCH CẤP GIẤY ĐI ĐƯỜNG\nĐợt 1;;\n\n".encode() + table(vi),
        table(vi).decode().encode("utf-16"),
    ]
    workbook = openpyxl.Workbook()
    sheet: Any = workbook.active
    sheet.append(["Danh sách"])
    sheet.append(list(HEADER))
    first, last = dt.datetime(2026, 1, 1), dt.datetime(2026, 1, 31)  # noqa: DTZ001  as a spreadsheet has them
    sheet.append([person.name, int(number), dt.datetime(born.year, born.month, born.day), *vi[3:5], first, last, vi[7]])  # noqa: DTZ001
    out = io.BytesIO()
    workbook.save(out)
    assert states(await bring(world, table(vi))) == [(2, "issued")]
    for content in (*others, out.getvalue()):
        assert [line.state for line in await bring(world, content)] == ["already"]
    seen = await world.built.house.permit_import.preview(others[5], world.now)
    assert seen.ignored == ("Ghi chú",)
    [permit] = await world.built.house.permits.recent(5)
    assert permit.valid_from == dt.datetime(2025, 12, 31, 17, tzinfo=dt.UTC)
    assert permit.valid_until == dt.datetime(2026, 1, 31, 17, tzinfo=dt.UTC)


async def test_the_template_is_read_by_its_own_reader(world: World) -> None:
    importer = world.built.house.permit_import
    for content in (importer.template_csv(), importer.template_workbook()):
        [header] = read_table(content)
        assert [column_of(str(cell)) for cell in header.cells] == list(HEADERS) == list(COLUMNS) == list(GUIDE)
        with pytest.raises(Invalid, match=r"import\.no_rows"):
            await importer.preview(content, world.now)
    assert all(column_of(name) == column for column, names in HEADERS.items() for name in names)


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (table(["x"], header=["Họ tên"]), "import.columns"),
        (table(["x"] * 8, header=[*HEADER[:7], "CCCD"]), "import.columns"),
        (table(["x"] * 9, header=[*HEADER, "Số CMND"]), "import.column_twice"),
        (table(["x"] * 7, header=[name for name in HEADER if name != "CCCD"]), "import.columns"),
        (b"", "import.empty"),
        (bytes(20), "import.encoding"),
    ],
)
async def test_a_table_that_cannot_be_one(world: World, content: bytes, code: str) -> None:
    with pytest.raises(Invalid) as refused:
        await world.built.house.permit_import.preview(content, world.now)
    assert refused.value.code == code


async def test_vehicles_and_numbers_instead_of_names(world: World) -> None:
    qid = (await world.declare(world.person(0))).json()["qid"]
    header = ["Mã số QR", "Biển số", "Nhóm", "Khu vực", "Từ", "Đến", "Nơi ký", "Khu vực của nơi ký"]
    rest = ["01/01/2026", "31/01/2026 18:00"]
    lines = await bring(
        world,
        table(
            [qid, "", "5", "q.3", *rest, "CA phường 14, Quận 3", "Quan 3"],
            ["", "51C-123.45", "LX", "*", *rest, "PC08", ""],
            ["", "51c 12345", "LX", "*", *rest, "PC08", ""],
            [qid, "51C-123.45", "3A", "*", *rest, "PC08", ""],
            [qid, "", "3A", "Quận 3; Quận 5", *rest, "Công an phường 14", "Quận 3"],
            [qid, "", "3A", "Quận 5, Thủ Đức", *rest, "Công an quận 5", ""],
            header=header,
        ),
    )
    assert [line.state for line in lines] == ["issued", "issued", "twice", "wrong", "wrong", "issued"]
    assert lines[3].problems[0][1] == "permit.group_of_citizens"
    assert lines[4].problems[0][:2] == ("areas", "permit.beyond_signatory")
    permits = await world.built.house.permits.recent(9)
    assert {(one.group, one.areas) for one in permits} == {
        ("5", ("quan-3",)), ("LX", ()), ("3A", ("quan-5", "thu-duc")),
    }  # fmt: skip
    assert {one.valid_until for one in permits} == {dt.datetime(2026, 1, 31, 11, tzinfo=dt.UTC)}


async def test_while_the_register_is_away_rows_wait_and_none_is_guessed(world: World) -> None:
    content = table(row(world.person(0)), row(world.person(1)))
    world.registry.outage = True
    lines = await bring(world, content)
    assert [(line.state, line.problems[0][1]) for line in lines] == [("later", "register.unavailable")] * 2
    world.registry.outage = False
    assert [line.state for line in await bring(world, content)] == ["issued", "issued"]


async def test_a_confirmation_needs_no_register_and_is_good_once(anywhere: World) -> None:
    world = anywhere
    importer = world.built.house.permit_import
    seen = await importer.preview(table(*[row(world.person(n)) for n in range(6)]), world.now)
    world.registry.outage = True
    answers = await asyncio.gather(*[importer.confirm(seen.good, by="A", now=world.now) for _ in range(3)])
    told = [line.state for lines in answers for line in lines]
    assert told.count("issued") == 6 and told.count("already") == 12
    assert len(await world.built.house.permits.recent(50)) == 6
    world.registry.outage = False
    for n in range(6):
        sent = (await world.declare(world.person(n))).json()
        held = await world.built.house.permits.held(await world.built.citizens.standing(sent["qid"]), None)
        assert held.at(None, world.now).permit is not None


async def test_what_was_revoked_is_not_brought_back_by_its_row(world: World) -> None:
    content = table(row(world.person(0)))
    [line] = await bring(world, content)
    await world.built.house.permits.revoke(line.permit, "F0", by="A", now=world.now)
    [again] = await bring(world, content)
    assert (again.state, again.problems[0][1]) == ("wrong", "permit.was_revoked")


async def test_a_preview_is_its_operators_whole_and_young(world: World) -> None:
    importer = world.built.house.permit_import
    person = world.person(0)
    seen = await importer.preview(table(row(person)), world.now)
    sealed = importer.close(seen, by="A", now=world.now)
    assert person.documents[0].number not in sealed and person.name not in sealed
    assert importer.open(sealed, by="A", now=world.now + STANDS_FOR) == seen.good
    middle = len(sealed) // 2
    other = "A" if sealed[middle] != "A" else "B"
    for text, by, later in (
        (sealed, "B", dt.timedelta(0)),
        (sealed, "A", STANDS_FOR + dt.timedelta(seconds=1)),
        (sealed, "A", -dt.timedelta(seconds=1)),
        (sealed[:middle] + other + sealed[middle + 1 :], "A", dt.timedelta(0)),
        (sealed[:-8], "A", dt.timedelta(0)),
        ("", "A", dt.timedelta(0)),
        ("ạ", "A", dt.timedelta(0)),
    ):
        with pytest.raises(Invalid, match=r"import\.preview_gone"):
            importer.open(text, by=by, now=world.now + later)


async def test_others_have_their_turn_while_thousands_of_rows_are_read(world: World) -> None:
    """Rows of many areas took the loop for seven seconds, and every checkpoint waited."""
    many = table(*[row(world.person(0), group="9Z", areas="Quận 3; Quận 5; Bình Thạnh; Huyện Nhà Bè")] * 2_500)
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0.005)
            turns += 1

    waiting = asyncio.create_task(others())
    seen = await world.built.house.permit_import.preview(many, world.now)
    waiting.cancel()
    assert {line.state for line in seen.lines} == {"wrong"} and len(seen.lines) == 2_500
    assert turns > 20


async def test_two_files_at_once_are_read_one_after_the_other_and_both_answered(world: World) -> None:
    content = table(*[row(world.person(n)) for n in range(20)])
    importer = world.built.house.permit_import
    seen = await asyncio.gather(*[importer.preview(content, world.now) for _ in range(4)])
    assert all(states(one.lines) == [(n, "good") for n in range(2, 22)] for one in seen)
    done = await asyncio.gather(
        *[importer.confirm(one.good, by=f"TB-{n}", now=world.now) for n, one in enumerate(seen)]
    )
    issued = [line.permit for lines in done for line in lines if line.state == "issued"]
    assert len(issued) == len(set(issued)) == 20, "of two who import one file, each row is one permit"
    assert {line.permit for lines in done for line in lines} == set(issued)
    assert len(await world.built.house.permits.recent(50)) == 20


async def test_a_long_header_names_no_column() -> None:
    assert column_of("Họ và tên") == "name" and column_of("Họ và tên" + "\u0323\u0301" * 900) is None
