"""``kill -9`` of an import in the middle of its rows: what was issued stays, and the same file does the rest."""

import os
import re
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from motma.register.population import Population
from tests.register.running import SEED, SIZE, register

_ROWS, _SOME, _PATIENCE_SECONDS = 900, 20, 120
_HEADER = "Họ tên;CCCD;Ngày sinh;Nhóm;Khu vực;Từ ngày;Đến ngày;Nơi ký"


@pytest.mark.slow
def test_what_was_issued_stays_and_the_same_file_does_the_rest(tmp_path: Path) -> None:
    asked = register()
    asked.clear()
    people = Population(SEED, SIZE)
    citizens = [one for one in map(people.person, range(SIZE)) if one.nationality == "VN" and not one.year_only]
    rows = [
        f"{one.name};{one.documents[0].number};{one.birth_date:%d/%m/%Y};3A;*;01/01/2026;31/12/2026;PC08"
        for one in citizens[:_ROWS]
    ]
    file = tmp_path / "list.csv"
    file.write_text("\n".join([_HEADER, *rows]))
    environment = os.environ | {
        "MOTMA_DATA": str(tmp_path / "data"),
        "MOTMA_REGISTER_URL": asked.url,
        "MOTMA_REGISTER_CLIENT": asked.client_id,
        "MOTMA_REGISTER_SECRET": asked.client_secret,
    }
    command = [sys.executable, "-m", "motma", "permit", "import", str(file)]
    importing = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    database = tmp_path / "data" / "motma.db"
    until = time.monotonic() + _PATIENCE_SECONDS
    while _issued(database) < _SOME and importing.poll() is None and time.monotonic() < until:
        time.sleep(0.001)
    importing.kill()
    importing.communicate()
    before = _issued(database)
    assert _SOME <= before < _ROWS, "it was to be stopped in the middle"
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=300)
    told = re.search(r"(\d+) issued before, (\d+) issued|(\d+) issued, (\d+) issued before", done.stdout)
    assert told and done.returncode == 0, done.stdout[-500:] + done.stderr[-500:]
    assert sum(int(count) for count in told.groups() if count) == _ROWS
    assert (_issued(database), _issued(database, "DISTINCT holder")) == (_ROWS, _ROWS)
    check = subprocess.run(
        [*command[:3], "permit", "check"], env=environment, capture_output=True, text=True, check=False, timeout=120
    )
    assert check.stdout == f"{_ROWS} permits checked, 0 differed\n" and check.returncode == 0


def _issued(database: Path, what: str = "*") -> int:
    if not database.exists():
        return 0
    connection = sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=10)
    try:
        return int(connection.execute(f"SELECT count({what}) FROM permits").fetchone()[0])
    except sqlite3.OperationalError:
        return 0  # its tables are being made
    finally:
        connection.close()
