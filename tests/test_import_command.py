"""``motma import``: what somebody at a terminal sends for an office, and what a ``kill -9`` in the middle leaves."""

import datetime as dt
import os
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from motma.connectors.sheets import read_table
from motma.register.population import Population
from tests.register.running import SEED, SIZE, register
from tests.test_revoke import Run, run

__all__ = ["run"]
HEADER = (
    "Họ tên;Ngày sinh;Giới tính;CCCD;SĐT;Tỉnh/TP;Phường/Xã;Địa chỉ;Tỉnh đi;Xã đi;Tỉnh đến;Xã đến;Phương tiện;"
    "Ngày giờ đi;Triệu chứng;Tiếp xúc;Đồng ý;Ghế"
)
_SOME, _PATIENCE_SECONDS = 15, 120


@pytest.fixture(autouse=True)
def with_register(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = register()
    asked.clear()
    monkeypatch.setenv("MOTMA_REGISTER_URL", asked.url)
    monkeypatch.setenv("MOTMA_REGISTER_CLIENT", asked.client_id)
    monkeypatch.setenv("MOTMA_REGISTER_SECRET", asked.client_secret)


def a_table(folder: Path, size: int, *more: str) -> Path:
    people = Population(SEED, SIZE)
    citizens = [one for one in map(people.person, range(SIZE)) if one.nationality == "VN" and not one.year_only]
    leaves = dt.datetime.now(dt.UTC) + dt.timedelta(days=1)
    rows = []
    for one in citizens[:size]:
        home = f"{one.residence.province};{one.residence.commune}"
        rows.append(
            f"{one.name};{one.birth_date:%d/%m/%Y};{'Nam' if one.sex == 'male' else 'Nữ'};{one.documents[0].number};"
            f"{one.phone};{home};{one.residence.address};{home};79;26743;Xe khách;{leaves:%d/%m/%Y %H:%M};Không;Không;"
            "Tất cả;A1"
        )
    file = folder / "hanh-khach.csv"
    file.write_text("\n".join([HEADER, *rows, *more]))
    return file


def test_looked_at_sent_and_reported(run: Run, tmp_path: Path) -> None:
    file, report = str(a_table(tmp_path, 3, "Nguyễn Văn A;1990")), tmp_path / "report.csv"
    assert "[import.no_platform]" in run("import", file, "--source", "COACH")[2]
    assert run("admit", "platform", "COACH", "Nhà xe")[0] == 0
    assert run("measure", "publish-demo")[0] == 0
    code, said, told = run("import", file, "--source", "coach", "--dry-run", "--report", str(report))
    assert code == 1 and "3 can be sent, 1 to be mended; nothing was sent" in said
    assert "read as utf-8" in told and "column not of the form, kept: Ghế" in told
    assert "row 5, CCCD: " in said
    assert [row.cells[1] for row in read_table(report.read_bytes())][1:] == ["good", "good", "good", "wrong"]
    code, said, _ = run("import", file, "--source", "COACH", "--report", str(report))
    assert code == 1 and "3 sent, 1 to be mended (3 accepted)" in said
    rows = [row.cells for row in read_table(report.read_bytes())]
    assert [row[2] for row in rows[1:4]] == ["accepted"] * 3 and len(str(rows[1][5])) > 200
    assert "3 sent before, 1 to be mended (3 accepted)" in run("import", file, "--source", "COACH")[1]
    assert run("standing") == (0, "3 citizens checked, 0 differed\n", "")


def test_a_template_and_what_is_no_table(run: Run, tmp_path: Path) -> None:
    run("admit", "platform", "COACH", "Nhà xe")
    for name in ("t.csv", "t.xlsx"):
        assert run("import", str(tmp_path / name), "--template")[0] == 0
        [header] = read_table((tmp_path / name).read_bytes())
        assert header.cells[0] == "Họ và tên"
        assert "[import.no_rows]" in run("import", str(tmp_path / name), "--source", "COACH")[2]
    assert run("import", str(tmp_path / "t.pdf"), "--template")[0] == 2
    assert "[import.unwritable]" in run("import", str(tmp_path / "no" / "t.csv"), "--template")[2]
    assert "[import.unreadable]" in run("import", str(tmp_path / "none.csv"), "--source", "COACH")[2]
    assert run("import", str(tmp_path / "t.csv"))[0] == 2
    file = str(a_table(tmp_path, 1))
    assert "[import.unwritable]" in run("import", file, "--source", "COACH", "--report", str(tmp_path / "no" / "r"))[2]
    assert run("standing")[1].startswith("0 citizens"), "nothing is sent of which no report could be written"


@pytest.mark.slow
def test_killed_in_the_middle_the_same_table_does_the_rest(tmp_path: Path) -> None:
    size = 400
    file = a_table(tmp_path, size)
    environment = os.environ | {"MOTMA_DATA": str(tmp_path / "data")}

    def motma(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "motma", *words],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )

    assert motma("admit", "platform", "COACH", "Nhà xe").returncode == 0
    assert motma("measure", "publish-demo").returncode == 0
    command = [sys.executable, "-m", "motma", "import", str(file), "--source", "COACH"]
    importing = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    database, until = tmp_path / "data" / "motma.db", time.monotonic() + _PATIENCE_SECONDS
    while _declared(database) < _SOME and importing.poll() is None and time.monotonic() < until:
        time.sleep(0.001)
    importing.kill()
    importing.communicate()
    before = _declared(database)
    assert _SOME <= before < size, "it was to be stopped in the middle"
    done = motma("import", str(file), "--source", "COACH")
    assert done.returncode == 0, done.stdout[-500:] + done.stderr[-500:]
    assert f"{before} sent before" in done.stdout and f"{size - before} sent" in done.stdout
    assert _declared(database) == size
    assert motma("standing").stdout == f"{size} citizens checked, 0 differed\n"


def _declared(database: Path) -> int:
    connection = sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=10)
    try:
        count = "SELECT count(*) FROM facts WHERE kind = 'declaration.accepted'"
        return int(connection.execute(count).fetchone()[0])
    finally:
        connection.close()
