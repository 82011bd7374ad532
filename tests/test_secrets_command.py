"""``motma secrets``: what it does is seen in its own list; nothing secret comes out."""

import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from motma.storage.keys import open_chest
from tests.test_cli import Run, Told, run

__all__ = ["run"]


@pytest.fixture(autouse=True)
def wide(monkeypatch: pytest.MonkeyPatch) -> None:
    from rich.console import Console

    monkeypatch.setattr("motma.cli.terminal.console", Console(width=200))


def listed(run: Run) -> list[list[str]]:
    """Rows of words: number, since, state, rows."""
    told = run("secrets", "list")
    assert (told.code, told.err) == (0, "")
    return [line.split() for line in told.out.splitlines()[1:]]


def one_line(told: Told, code: str) -> bool:
    return (told.code, told.out) == (2, "") and bool(re.fullmatch(rf"motma: .+ \[{re.escape(code)}\]\n", told.err))


def test_the_life_of_a_seal_key(run: Run, tmp_path: Path) -> None:
    ((number, since, *rest),) = listed(run)
    assert (number, rest) == ("1", ["seals", "0"]) and re.fullmatch(r"20\d\d-\d\d-\d\d", since)
    first = open_chest(tmp_path / "data").ring.held()[0].key
    told = run("secrets", "rotate")
    assert (told.code, told.out) == (0, "Key 2 seals everything.\n")
    assert [(row[0], *row[2:]) for row in listed(run)] == [("2", "seals", "0")]

    told = run("secrets", "new")
    assert told.code == 0 and told.out.startswith("Key 3 waits.")
    assert one_line(run("secrets", "new"), "secrets.waits")
    assert [(row[0], *row[2:]) for row in listed(run)] == [("2", "seals", "0"), ("3", "waiting", "0")]
    assert run("secrets", "rotate", "--keep-old").out == "Key 3 seals everything.\n"
    assert [(row[0], *row[2:]) for row in listed(run)] == [("2", "kept", "0"), ("3", "seals", "0")]
    assert run("secrets", "rotate").out == "Key 4 seals everything.\n"
    assert [(row[0], *row[2:]) for row in listed(run)] == [("4", "seals", "0")]
    last = open_chest(tmp_path / "data").ring.held()[0].key
    told = run("secrets", "list")
    assert first != last and not any(text in told.out for key in (first, last) for text in (key.hex(), repr(key)))


def test_rows_that_do_not_open_are_told_and_counted(run: Run, tmp_path: Path) -> None:
    assert run("secrets", "list").code == 0
    with closing(sqlite3.connect(tmp_path / "data" / "motma.db", isolation_level=None)) as database:
        (last,) = database.execute("SELECT max(seq) FROM facts").fetchone()
        database.execute(
            "INSERT INTO facts SELECT seq + 1, 'dcl_x', qid, kind, checkpoint, at, recorded_at, actor, body, ?"
            " FROM facts WHERE seq = ?",
            (b"\x02\x00\x00\x00\x01" + bytes(60), last),
        )
    assert [row[3] for row in listed(run)] == ["1"]
    told = run("secrets", "rotate")
    assert (told.code, told.out) == (1, "Key 2 seals.\n")
    assert "1 personal parts under key 1 do not open and stay; the key stays too." in told.err
    assert [(row[0], *row[2:]) for row in listed(run)] == [("1", "opens", "1"), ("2", "seals", "0")]


def test_another_unlock_key(run: Run, tmp_path: Path) -> None:
    assert run("key", "list").code == 0
    new = tmp_path / "new.key"
    told = run("secrets", "rewrap", "--new-unlock", str(new))
    assert told.code == 0
    assert told.out.splitlines()[0] == f"secrets.json and 2 private keys open with {new} now."
    assert f"MOTMA_UNLOCK={new}" in told.out
    assert one_line(run("key", "list"), "secrets.locked")
    told = run("key", "list", MOTMA_UNLOCK=str(new))
    assert told.code == 0 and told.out.count("signs") == 2
    assert one_line(run("secrets", "rewrap", "--new-unlock", str(tmp_path / "third.key")), "secrets.locked")
