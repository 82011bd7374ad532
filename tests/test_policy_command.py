"""``motma policy``: what decides, what one says, whether a file is one."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from motma.cli import cli, main
from motma.config import read_settings
from motma.policies import DEFAULT, SHIPPED
from motma.wiring import Built, build, utc_now
from tests.core.policy_texts import SMALL, version

Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("MOTMA_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("COLUMNS", "200")
    return lambda *arguments: CliRunner().invoke(cli, ["policy", *arguments])


def house(tmp_path: Path, work: Callable[[Built], Awaitable[None]]) -> None:
    async def inner() -> None:
        settings = read_settings({"MOTMA_DATA": str(tmp_path / "data")})
        async with build(replace(settings, data=tmp_path / "data")) as built:
            await work(built)

    asyncio.run(inner())


def test_a_good_file(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "night.yaml"
    file.write_text(SMALL)
    told = run("check", str(file))
    assert (told.exit_code, told.output) == (0, "night 1: 1 rules, 2 tests, all good\n")


@pytest.mark.parametrize(
    ("old", "new", "line", "told"),
    [
        (
            "holds: false",
            "holds: true",
            18,
            "error: The test comes out the other way. [policy.test_fails at /rules/0/tests/1]",
        ),
        ("version: 1", "version: 010", 3, "[policy.number at /version]"),
        ("verdict: reject", "verdict: accept", 2, "warning: In its tests this policy lets everybody through."),
    ],
)
def test_what_is_wrong_with_a_file(run: Run, tmp_path: Path, old: str, new: str, line: int, told: str) -> None:
    file = tmp_path / "night.yaml"
    file.write_text(SMALL.replace(old, new))
    answer = run("check", str(file))
    assert answer.exit_code == (0 if "warning" in told else 1)
    assert f"{file}:{line}: " in answer.output and told in answer.output


@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00", b"[" + b"1," * 10**6 + b"1]", b"id: [", b"\x00" * 10])
def test_a_file_of_anything(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], content: bytes
) -> None:
    file = tmp_path / "x"
    file.write_bytes(content)
    monkeypatch.setattr("sys.argv", ["motma", "policy", "check", str(file)])
    with pytest.raises(SystemExit) as ended:
        main()
    told = capsys.readouterr()
    assert ended.value.code in (1, 2) and "Traceback" not in told.err and "policy." in told.out + told.err


def test_what_is_shown_can_be_checked(run: Run, tmp_path: Path) -> None:
    for name in DEFAULT:
        file = tmp_path / f"{name}.yaml"
        file.write_text(run("show", name).output)
        assert run("check", str(file)).exit_code == 0
    with pytest.raises(Exception, match=r"policy\.unknown"):
        raise run("show", "nothing").exception or AssertionError


def test_the_list_says_who_and_what_waits(run: Run, tmp_path: Path) -> None:
    listed = run("list").output
    assert [line.split()[1] for line in listed.split("\n") if "as it ships" in line] == list(DEFAULT)
    off = [line.split()[1] for line in listed.split("\n") if "ships, is off" in line]
    assert off == [name for name in SHIPPED if name not in DEFAULT]

    async def work(built: Built) -> None:
        policies, now = built.house.policies, utc_now()
        first = await policies.draft(SMALL, over="", by="MOT", now=now)
        await policies.approve(first.draft, None, by="HAI", now=now)
        await policies.draft(version(2), over="", by="HAI", now=now)

    house(tmp_path, work)
    rows = [[cell.strip() for cell in line.split("│")] for line in run("list").output.split("\n") if "│ night" in line]
    assert [row[4:6] for row in rows] == [["in force", "MOT; HAI"], ["waits for approval", "HAI"]]
    assert run("show", "night").output.startswith("# From the order of 30 July 2021")
