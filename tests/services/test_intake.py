"""Declarations from a table: shown row by row by the names of its own columns, sent once however often it is given."""

import datetime as dt
from collections.abc import Sequence

import pytest

from motma.connectors.sheets import read_table
from motma.core.errors import Hidden, Invalid
from motma.register.population import Person
from motma.services.exchange.intake import Line, report_csv
from tests.world import World

HEADER = (
    "Họ tên", "Ngày sinh", "Giới tính", "CCCD", "SĐT", "Tỉnh/TP", "Phường/Xã", "Địa chỉ", "Tỉnh đi", "Xã đi",
    "Tỉnh đến", "Xã đến", "Phương tiện", "Ngày giờ đi", "Triệu chứng", "Tiếp xúc", "Đồng ý", "Ghế",
)  # fmt: skip


def row(world: World, person: Person, **changes: str) -> list[str]:
    home = [person.residence.province, person.residence.commune]
    said = {
        "name": person.name,
        "born": f"{person.birth_date:%d/%m/%Y}",
        "sex": {"male": "Nam", "female": "Nữ"}.get(person.sex, "Khác"),
        "number": person.documents[0].number,
        "phone": person.phone,
        "province": home[0],
        "commune": home[1],
        "address": person.residence.address,
        "from_province": home[0],
        "from_commune": home[1],
        "to_province": "TP.HCM",
        "to_commune": "Phường Bến Thành",
        "vehicle": "Xe khách",
        "departs": f"{world.now + dt.timedelta(hours=8):%d/%m/%Y %H:%M}",
        "symptoms": "Không",
        "contact": "Không",
        "consents": "Tất cả",
        "seat": "A1",
    }
    return list({**said, **changes}.values())


def table(*rows: Sequence[str], header: Sequence[str] = HEADER) -> bytes:
    return "\n".join(";".join(f'"{cell}"' for cell in line) for line in (header, *rows)).encode()


def states(lines: Sequence[Line]) -> list[tuple[int, str]]:
    return [(line.row, line.state) for line in sorted(lines, key=lambda line: line.row)]


async def send(world: World, content: bytes) -> list[Line]:
    intake = world.built.house.intake
    seen = await intake.preview(content, world.now)
    heard: list[Line] = []
    lines = await intake.send(seen.good, source="COACH", clock=lambda: world.now, done=heard.append)
    assert states(heard) == states(lines)
    return lines


async def test_a_preview_writes_nothing_and_says_what_to_mend_in_their_names(world: World) -> None:
    before, one = world.rows(), world.person(1)
    content = table(
        row(world, world.person(0)),
        row(world, one, name=""),
        row(world, one, born="31/02/1990", consents="có"),
        row(world, one, commune="Phường Không Có", departs=f"{world.now + dt.timedelta(days=40):%d/%m/%Y %H:%M}"),
        row(world, one, consents="Cấp mã", symptoms="", contact=""),
        row(world, world.person(0)),
        row(world, one, phone="12"),
    )
    seen = await world.built.house.intake.preview(content, world.now)
    assert world.rows() == before
    assert states(seen.lines) == [(2, "good"), *[(n, "wrong") for n in (3, 4, 5, 6)], (7, "twice"), (8, "wrong")]
    told = {line.row: sorted({(column, code) for column, code, _ in line.problems}) for line in seen.lines}
    assert told == {
        2: [],
        3: [("Họ tên", "field.missing")],
        4: [("Ngày sinh", "date.malformed"), ("Đồng ý", "import.consent")],
        5: [("Ngày giờ đi", "departure.out_of_range"), ("Phường/Xã", "import.commune")],
        6: [("Tiếp xúc", "field.choose"), ("Triệu chứng", "field.choose"), ("Đồng ý", "consent.missing")],
        7: [("", "import.twice")],
        8: [("SĐT", "phone.malformed")],
    }
    assert [one.number for one in seen.good] == [2]
    assert seen.sheet.kept == ("Ghế",) and seen.lines[0].who == f"…{world.person(0).documents[0].last_four}"


async def test_columns_that_are_not_there_are_told_as_the_template_names_them(world: World) -> None:
    without = [n for n, name in enumerate(HEADER) if name not in ("SĐT", "Đồng ý", "Triệu chứng", "Giới tính")]
    header, cells = ([line[n] for n in without] for line in (HEADER, row(world, world.person(0))))
    seen = await world.built.house.intake.preview(table(cells, header=header), world.now)
    assert seen.sheet.lacking == ("phone", "health.symptoms", "consents")
    assert {column for column, _, _ in seen.lines[0].problems} == {
        "Số điện thoại",
        "Triệu chứng",
        "Đồng ý các mục đích",
    }
    assert seen.lines[0].notices == (), "what a table does not have is not said on every row"
    empty = await world.built.house.intake.preview(table(row(world, world.person(0), sex="")), world.now)
    assert [(column, code) for column, code, _ in empty.lines[0].notices] == [("Giới tính", "import.read_from_number")]


async def test_sent_once_however_often_and_as_any_platform_would(world: World) -> None:
    people = [world.person(n) for n in range(6)]
    content = table(*[row(world, person) for person in people], row(world, people[0], name=people[1].name))
    first = await send(world, content)
    assert states(first) == [(n, "sent") for n in range(2, 9)]
    assert [line.outcome for line in first] == ["accepted"] * 6 + ["refused"]
    rows = world.rows()
    world.now += dt.timedelta(minutes=5)
    again = await send(world, content)
    assert states(again) == [(n, "already") for n in range(2, 9)] and world.rows() == rows
    assert [line.receipt and line.receipt.code for line in again] == [
        line.receipt and line.receipt.code for line in first
    ]
    elsewhere = await world.declare(people[2])
    assert elsewhere.json()["qid"] == (first[2].receipt and first[2].receipt.qid)
    moved = await send(world, table(row(world, people[0], seat="A2")))
    assert states(moved) == [(2, "sent")], "another seat is another declaration, of the same citizen"
    assert moved[0].receipt and first[0].receipt and moved[0].receipt.qid == first[0].receipt.qid


async def test_a_report_of_every_row(world: World) -> None:
    lines = await send(world, table(row(world, world.person(0))))
    seen = await world.built.house.intake.preview(table(row(world, world.person(1), phone="")), world.now)
    header, sent, wrong = (row.cells for row in read_table(report_csv([*lines, *seen.lines])))
    assert header[:6] == ("row", "state", "outcome", "declaration", "qid", "code")
    receipt = lines[0].receipt
    assert receipt and sent[:6] == ("2", "sent", "accepted", receipt.declaration, receipt.qid, receipt.code)
    assert wrong[1] == "wrong" and str(wrong[8]).startswith("SĐT: This must")


async def test_while_the_register_is_away_rows_are_sent_and_wait(world: World) -> None:
    world.registry.outage = True
    lines = await send(world, table(row(world, world.person(0))))
    assert [line.outcome for line in lines] == ["pending"]


async def test_without_a_measure_nothing_is_sent(world: World) -> None:
    steer = world.built.house.steer
    for measure in (await steer.board(world.now)).measures.values():
        await steer.end_measure(measure.id, by="test", now=world.now)
    world.forget()
    before = world.rows()
    [line] = await send(world, table(row(world, world.person(0))))
    assert (line.state, line.problems[0][1]) == ("wrong", "measure.none_active") and world.rows() == before


async def test_only_for_a_platform_that_is_let_in(world: World) -> None:
    intake, enrol = world.built.house.intake, world.built.house.enrol
    await world.platform("COACH")
    assert await intake.sender(" coach ", world.now) == "COACH"
    for name in ("NOBODY", "", "ĐI"):
        with pytest.raises(Hidden, match=r"import\.no_platform"):
            await intake.sender(name, world.now)
    await enrol.dismiss("platform", "COACH", world.now)
    world.forget()
    with pytest.raises(Hidden):
        await intake.sender("COACH", world.now)


async def test_a_registered_platform_needs_the_scope_and_to_be_let_in(world: World) -> None:
    intake, platforms = world.built.house.intake, world.built.house.platforms
    for name, scopes in (("SCHOOL", ("declarations:write",)), ("READER", ("changes:read",))):
        await platforms.register(name, name.title(), scopes=scopes, by="cli", now=world.now)
    world.forget()
    assert await intake.senders(world.now) == {"SCHOOL": "School"}
    await platforms.suspend("SCHOOL", "away", by="cli", now=world.now)
    world.forget()
    assert await intake.senders(world.now) == {}


async def test_a_file_that_is_none_is_refused_before_anything(world: World) -> None:
    with pytest.raises(Invalid, match=r"import\.columns"):
        await world.built.house.intake.preview("Tên hàng;Giá\nBàn;5".encode(), world.now)
