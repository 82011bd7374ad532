"""``motma permit``: what somebody at a terminal gives, sees, and takes back."""

import datetime as dt
import re
from pathlib import Path

import pytest

from motma.cli.terminal import console
from motma.connectors.sheets import read_table
from motma.register.population import Population
from tests.register.running import SEED, SIZE, register
from tests.test_revoke import Run, run

__all__ = ["run"]
HEADER = "Họ tên;CCCD;Ngày sinh;Nhóm;Khu vực;Từ ngày;Đến ngày;Nơi ký"


@pytest.fixture(autouse=True)
def with_register(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = register()
    asked.clear()
    monkeypatch.setenv("MOTMA_REGISTER_URL", asked.url)
    monkeypatch.setenv("MOTMA_REGISTER_CLIENT", asked.client_id)
    monkeypatch.setenv("MOTMA_REGISTER_SECRET", asked.client_secret)


def a_list(folder: Path) -> Path:
    people = Population(SEED, SIZE)
    one, two = [person for person in map(people.person, range(60)) if person.documents[0].kind == "cccd"][:2]
    today = dt.datetime.now(dt.UTC).date()
    until = f"{today + dt.timedelta(days=9):%d/%m/%Y}"
    rows = [
        f"{name};{who.documents[0].number};{who.birth_date:%d/%m/%Y};3A;Quận 3;{today:%d/%m/%Y};{until};PC08"
        for name, who in ((one.name, one), (two.name, two), (two.name, one))
    ]
    file = folder / "danh-sach.csv"
    file.write_text("\n".join([HEADER + ";Ghi chú", *rows]))
    return file


def test_looked_at_issued_listed_and_taken_back(run: Run, tmp_path: Path) -> None:
    file = str(a_list(tmp_path))
    code, said, told = run("permit", "import", file, "--dry-run")
    assert code == 1 and "2 can be issued, 1 to be mended; nothing was written" in said and "Ghi chú" in told
    assert "row 4, document: " in said and "[permit.nobody]" in said
    assert run("permit", "list")[1].count("prm_") == 0
    code, said, _ = run("permit", "import", file)
    assert code == 1 and "2 issued, 1 to be mended" in said
    assert "2 issued before, 1 to be mended" in run("permit", "import", file)[1]
    listed = run("permit", "list", "--limit", "1")[1]
    assert listed.count("prm_") == 1
    listed = run("permit", "list")[1]
    assert "quan-3" in listed
    assert run("permit", "check") == (0, "2 permits checked, 0 differed\n", "")


def test_taken_back_for_a_reason(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(console, "width", 220)
    run("permit", "import", str(a_list(tmp_path)))
    id = re.findall(r"prm_[0-9a-z]{26}", run("permit", "list")[1])[0]
    assert run("permit", "revoke", id)[0] == 2
    assert run("permit", "revoke", id, "--reason", " ")[2].endswith("[permit.reason]\n")
    assert run("permit", "revoke", id, "--reason", "F0") == (0, f"{id} is revoked.\n", "")
    assert "[permit.revoked_already]" in run("permit", "revoke", id, "--reason", "F0")[2]
    assert "[permit.unknown]" in run("permit", "revoke", "prm_x", "--reason", "F0")[2]
    assert "revoked" in run("permit", "list")[1]


def test_a_template_and_what_is_no_table(run: Run, tmp_path: Path) -> None:
    for name in ("t.csv", "t.xlsx"):
        assert run("permit", "template", str(tmp_path / name))[0] == 0
        [header] = read_table((tmp_path / name).read_bytes())
        assert header.cells[0] == "Nhóm"
        assert "[import.no_rows]" in run("permit", "import", str(tmp_path / name))[2]
    assert run("permit", "template", str(tmp_path / "t.pdf"))[0] == 2
    assert "[import.unwritable]" in run("permit", "template", str(tmp_path / "no" / "t.csv"))[2]
    assert run("permit", "import", str(tmp_path / "nothing.csv"))[0] == 2
    (tmp_path / "big.csv").write_bytes(b"x" * 3_000_000)
    assert "[import.too_large]" in run("permit", "import", str(tmp_path / "big.csv"))[2]


def test_while_the_register_is_away_rows_wait(run: Run, tmp_path: Path) -> None:
    register().fault(outage=True)
    try:
        code, said, _ = run("permit", "import", str(a_list(tmp_path)))
    finally:
        register().clear()
    assert code == 1 and "3 wait for the register" in said and "[register.unavailable]" in said
