"""The documents say what is so: links lead somewhere, commands exist, settings and dependencies are all named."""

import re
import tomllib
from pathlib import Path

import click
import pytest

from motma.cli import cli
from motma.config import read_settings, unknown_settings
from motma.core import claims, code
from motma.core.reasons import REASONS
from motma.web.docs import error_codes

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text()):
        assert (page.parent / target).exists(), f"{page.name} links to {target}"
    for target in re.findall(r"`((?:docs|tests|src|vectors|tools)/[\w./-]+)`", page.read_text()):
        assert (ROOT / target).exists(), f"{page.name} names {target}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_exist(page: Path) -> None:
    text = page.read_text()
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for target in re.findall(r"(?:`|^)make ([a-z-]+)", text, re.MULTILINE):
        assert target in targets, f"{page.name}: make {target}"
    for line in re.findall(r"(?:`|^|bin/)motma ([a-z][a-z -]*)", text, re.MULTILINE):
        command: click.Command = cli
        for word in line.split():
            if not isinstance(command, click.Group):
                break
            found = command.get_command(click.Context(command), word)
            assert found is not None, f"{page.name}: motma {line}"
            command = found


def test_every_setting_is_explained() -> None:
    text = (ROOT / "docs" / "operate.md").read_text()
    names = "DATA DATABASE_URL HOST PORT ISSUER UNLOCK PKCS11_PIN CLIENT_CERT_HEADER SANDBOX"
    register = "REGISTER_URL REGISTER_CLIENT REGISTER_SECRET REGISTER_SEED REGISTER_SIZE"
    for name in f"{names} {register}".split(" "):
        assert re.search(rf"`(?:MOTMA_)?(?:REGISTER)?{name.removeprefix('REGISTER')}`", text), name
        assert unknown_settings({f"MOTMA_{name}": "1"}) == []
    assert str(read_settings({}).data) in text


def test_every_dependency_earns_its_sentence() -> None:
    table = (ROOT / "docs" / "architecture.md").read_text()
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    for dependency in project["dependencies"]:
        name = re.split(r"[\[>=<; ]", dependency)[0]
        assert re.search(rf"\b{re.escape(name)}\b", table), f"docs/architecture.md does not say what {name} is for"


def test_the_steps_of_the_format_are_the_steps_of_the_code() -> None:
    numbered = re.findall(r"^([0-9])\. ", (ROOT / "docs" / "code-format.md").read_text(), re.MULTILINE)
    source = Path(code.__file__).read_text() + Path(claims.__file__).read_text()
    assert numbered == [str(step) for step in range(1, 10)]
    assert re.findall(r"# steps? ([0-9](?:-[0-9])?)", source) == ["1", "2", "3", "4", "5", "6-7", "8", "9", "6", "7"]


def test_every_reason_and_error_has_its_words_on_the_page() -> None:
    codes = error_codes()
    assert set(REASONS) <= set(codes)
    assert {"declaration.fields", "idempotency.reused", "scan.id_taken", "storage.unavailable", "body.malformed"} - {
        *codes
    } <= {"body.malformed"}
    assert all(words.vi and words.en for words in codes.values())
