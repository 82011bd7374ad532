"""The commands: each explains itself, and says what is wrong in one line."""

import os
import re
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import click
import pytest
from click.testing import CliRunner
from joserfc import jwk
from rich.console import Console

from motma.cli import cli, main


class Told(NamedTuple):
    """How a command ended and what it said."""

    code: int
    out: str
    err: str


Run = Callable[..., Told]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """``motma`` on an empty folder, in this process: starting Python takes longer than anything it does."""
    monkeypatch.setattr("motma.cli.console", Console(width=160))

    def once(*arguments: str, **environment: str) -> Told:
        with monkeypatch.context() as patched:
            patched.setattr(sys, "argv", ["motma", *arguments])
            for name, value in {"MOTMA_DATA": str(tmp_path / "data"), **environment}.items():
                patched.setenv(name, value)
            code = 0
            try:
                main()
            except SystemExit as ended:
                code = int(ended.code or 0)
        return Told(code, *capsys.readouterr())

    return once


def process(folder: Path, *arguments: str, **environment: str) -> Told:
    """The same as a process of its own."""
    ended = subprocess.run(
        [sys.executable, "-m", "motma", *arguments],
        env={**os.environ, "MOTMA_DATA": str(folder / "data"), **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return Told(ended.returncode, ended.stdout, ended.stderr)


def commands(group: click.Group, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    yield path
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from commands(command, (*path, name))
        else:
            yield (*path, name)


@pytest.mark.parametrize("path", list(commands(cli)), ids=" ".join)
def test_every_command_explains_itself(path: tuple[str, ...]) -> None:
    told = CliRunner().invoke(cli, [*path, "--help"], prog_name="motma")
    assert told.exit_code == 0
    usage, _, rest = told.output.partition("\n")
    assert usage.startswith(f"Usage: {' '.join(('motma', *path))} ")
    assert re.search(r"\n  \w.{8,}\.", rest), "what it is for"


def test_a_process_ends_in_one_line_too(tmp_path: Path) -> None:
    assert process(tmp_path, "--version").out.startswith("motma, version ")
    told = process(tmp_path, "serve", MOTMA_PORT="many")
    assert (told.code, told.out) == (2, "")
    assert told.err == "motma: MOTMA_PORT must be a number from 0 to 65535. [config.port]\n"


@pytest.mark.parametrize(
    ("arguments", "environment", "code"),
    [
        (["serve"], {"MOTMA_PORT": "many"}, "config.port"),
        (["serve"], {"MOTMA_DATABASE_URL": "mysql://user:geheim@x/y"}, "config.database_url"),
        (["serve"], {"MOTMA_DATABASE_URL": "postgresql://user:geheim@127.0.0.1:1/y"}, "storage.unavailable"),
        (["serve"], {"MOTMA_DATA": "/proc/nowhere"}, "secrets.unreachable"),
        (["admit", "device", "nowhere"], {}, "checkpoint.unknown"),
        (["admit", "officer", "!", "x"], {}, "name.short"),
        (["admit", "officer", "CB-01", "\u202e"], {}, "text.characters"),
        (["measure", "end", "nothing"], {}, "measure.unknown"),
        (["dismiss", "platform", "NCOVI"], {}, "admitted.unknown"),
        (["replay", "--declarations", "100"], {"MOTMA_REGISTER_SIZE": "10"}, "replay.too_many"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_goes_wrong_is_one_line(run: Run, arguments: list[str], environment: dict[str, str], code: str) -> None:
    told = run(*arguments, **environment)
    assert (told.code, told.out) == (2, "")
    assert re.fullmatch(rf"motma: .+ \[{re.escape(code)}\]\n", told.err), told.err
    assert "geheim" not in told.err


def test_a_port_that_is_taken_is_one_line(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        told = process(tmp_path, "serve", "--port", str(other.getsockname()[1]))
    assert told.code not in (0, None)
    assert "Traceback" not in told.err and "address already in use" in told.err


def test_who_is_let_in_is_told_once_and_can_be_put_out(run: Run, tmp_path: Path) -> None:
    link = run("admit", "device", "g07-vinh-binh", "--url", "https://motma.example").out
    assert re.fullmatch(r"https://motma\.example/scan/enrol#[a-z2-7]{32}\n", link)
    assert re.fullmatch(r"[0-9]{6}\n", run("admit", "officer", "CB-01", "Trần Văn Trực").out)
    assert re.fullmatch(r"[a-z2-7]{32}\n", run("admit", "platform", "NCOVI", "NCOVI").out)
    assert run("dismiss", "platform", "NCOVI").out == "1 ended\n"
    key = tmp_path / "key.pem"
    made = jwk.generate_key("EC", "P-256")
    key.write_bytes(made.as_pem(private=False))
    for name in ("BLUEZONE", "bluezone"):  # once more changes nothing
        assert run("admit", "platform", name, "Bluezone", "--key", str(key)).out == f"{made.thumbprint()}\n"
    key.write_bytes(made.as_pem(private=True))
    assert "platform_key.private" in run("admit", "platform", "NCOVI", "N", "--key", str(key)).err
    assert run("dismiss", "platform", "NCOVI").code == 2
    assert (tmp_path / "data" / "secrets.json").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "data").stat().st_mode & 0o077 == 0


def test_measures_on_and_off(run: Run) -> None:
    assert "demo-hcmc" not in run("measure", "list").out
    assert run("measure", "publish-demo").code == 0
    assert re.search(r"demo-hcmc.+yes", run("measure", "list").out)
    assert run("measure", "end", "demo-hcmc").code == 0
    assert "demo-hcmc" not in run("measure", "list").out
    assert run("standing").out == "0 citizens checked, 0 differed\n"


def test_the_doctor_lists_ids_and_hints(run: Run) -> None:
    told = run("doctor", MOTMA_PORT="0")
    assert told.code == 0
    for id in (
        "data.folder",
        "secrets.file",
        "storage.open",
        "measure.none_active",
        "admitted.officer",
        "register.none",
    ):
        assert id in told.out
    assert "motma admit officer --help" in told.out
    told = run("doctor", MOTMA_PORT="many")
    assert told.code == 1 and "config.port" in told.out and "Traceback" not in told.err
