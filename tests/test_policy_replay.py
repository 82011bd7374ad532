"""``motma policy replay`` as it is run: a table or JSON, clear errors, and nothing written."""

import asyncio
import datetime as dt
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from motma.cli import cli
from motma.config import read_settings
from motma.core.errors import MotmaError
from motma.storage.store import Act
from motma.wiring import build, utc_now
from tests.recorded import NO_TRUCKS, some_scans
from tests.world import living_world


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A house with 3,000 scans of the last 20 hours, and the settings that lead to it."""

    async def fill() -> None:
        async with living_world(tmp_path, measure=False) as world:
            facts = some_scans(3_000, dt.datetime.now(dt.UTC))
            await world.built.store.append(Act(facts=tuple(facts)))

    asyncio.run(fill())
    monkeypatch.setenv("MOTMA_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("MOTMA_DATABASE_URL", f"sqlite:///{tmp_path / 'data' / 'motma.db'}")
    (tmp_path / "trucks.json").write_text(json.dumps(NO_TRUCKS), "utf-8")
    return tmp_path


def replay(*arguments: Any) -> Result:
    return CliRunner().invoke(cli, ["policy", "replay", *map(str, arguments)])


def document(result: Result) -> dict[str, Any]:
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert isinstance(found, dict)
    return found


def test_a_table_for_people(house: Path) -> None:
    result = replay(house / "trucks.json", "--since", "1d")
    assert result.exit_code == 0, result.output
    text = " ".join(result.stdout.replace("│", " ").split())
    assert "3,000 scans since" in text and "change side" in text and "accept → manual" in text
    assert "Lorries" in text and "Gò Vấp" not in text and "go-vap" in text
    assert "CB-01" not in text and "dev_1" not in text


def test_one_document_for_programs(house: Path) -> None:
    told = document(replay(house / "trucks.json", "--since", "1d", "--json", "--examples", "2"))
    assert (told["looked"], told["judged"], told["bare"]) == (3_000, 3_000, 0)
    [kind] = told["kinds"]
    assert kind["reason"] == "trucks.by_day" and kind["count"] == told["changed"] and len(kind["examples"]) == 2
    assert told["draft"] == [*told["today"], "trucks@1"] and told["sides"]["accept"]["manual"] == told["changed"]
    assert sum(n for row in told["sides"].values() for n in row.values()) == 3_000
    assert sum(n for place in told["areas"].values() for row in place.values() for n in row.values()) == 3_000


def test_the_same_seed_gives_the_same_examples(house: Path) -> None:
    now = dt.datetime.now(dt.UTC).isoformat()
    arguments = (house / "trucks.json", "--since", "2020-01-01", "--until", now, "--json")

    def examples(seed: int) -> Any:
        return document(replay(*arguments, "--seed", seed))["kinds"][0]["examples"]

    assert examples(4) == examples(4) != examples(5)


def test_only_some_of_the_time(house: Path) -> None:
    half = document(replay(house / "trucks.json", "--since", "10h", "--json"))
    assert 1_400 < half["looked"] <= 1_500
    rest = document(replay(house / "trucks.json", "--since", "1d", "--until", half["since"], "--json"))
    assert half["looked"] + rest["looked"] == 3_000


def test_what_if_a_policy_were_switched_off(house: Path) -> None:
    told = document(replay("--without", "health", "--since", "1d", "--json"))
    assert {kind["reason"] for kind in told["kinds"]} == {"health.symptoms", "health.contact"}
    assert all(kind["after"] == "accept" for kind in told["kinds"])
    text = replay("--without", "health", "--since", "1d").stdout
    assert "no longer" in text and "milder" in text


def test_in_the_place_of_another(house: Path) -> None:
    told = document(replay(house / "trucks.json", "--replace", "health", "--since", "1d", "--json"))
    names = [[one.partition("@")[0] for one in told[side]] for side in ("today", "draft")]
    assert names[1] == ["trucks" if name == "health" else name for name in names[0]] != names[0]


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["{draft}", "--since", "yesterday"], "rehearsal.time"),
        (["{draft}", "--since", "0d"], "rehearsal.time"),
        (["{draft}", "--since", "2026-13-01"], "rehearsal.time"),
        (["{draft}", "--since", "0001-01-01"], "rehearsal.time"),
        (["{draft}", "--since", "1d", "--until", "2d"], "rehearsal.span"),
        (["{draft}", "--since", "1d", "--replace", "helth"], "policy.unknown"),
        (["--without", "helth", "--since", "1d"], "policy.unknown"),
        (["{draft}", "{draft}", "--since", "1d"], "policy.clash"),
        (["{draft}", "--add", "--replace", "health", "--since", "1d"], "rehearsal.one_draft"),
        (["{broken}", "--since", "1d"], "policy.refused"),
        (["{wrong}", "--since", "1d"], "policy.refused"),
        (["{noise}", "--since", "1d"], "policy.not_text"),
        (["pol_01kf7yejc00000000000000002", "--since", "1d"], "policy.unknown"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(house: Path, arguments: list[str], code: str) -> None:
    (house / "broken.json").write_text('{\n"id": ', "utf-8")
    (house / "wrong.json").write_text(json.dumps({**NO_TRUCKS, "version": 0}), "utf-8")
    (house / "noise.json").write_bytes(b"\xff\xfe\x00")
    names = {f"{{{name}}}": house / f"{file}.json" for name, file in _FILES}
    result = replay(*(names.get(one, one) for one in arguments))
    assert isinstance(result.exception, MotmaError) and result.exception.code == code
    assert result.stdout == ""
    if "{wrong}" in arguments:
        assert "wrong.json:1:" in result.stderr and "at /version]" in result.stderr


_FILES = (("draft", "trucks"), ("broken", "broken"), ("wrong", "wrong"), ("noise", "noise"))


@pytest.mark.parametrize("arguments", [["--since", "1d"], ["nowhere.json", "--since", "1d"], ["--without", "x"]])
def test_what_cannot_be_run_is_refused_at_once(arguments: list[str]) -> None:
    assert replay(*arguments).exit_code == 2


def test_drafts_that_operators_wrote(house: Path) -> None:
    async def write() -> tuple[str, str]:
        async with build(read_settings()) as built:
            now, policies = utc_now(), built.house.policies
            one = await policies.draft(json.dumps(NO_TRUCKS), over="", by="TRUC-BAN", now=now)
            off = await policies.draft_off("health", by="TRUC-BAN", now=now)
            return one.draft, off.draft

    one, off = asyncio.run(write())
    told = document(replay(one, off, "--since", "1d", "--json"))
    assert {kind["reason"] for kind in told["kinds"]} == {"trucks.by_day", "health.symptoms", "health.contact"}


def test_the_house_is_as_it_was(house: Path) -> None:
    before = (house / "data" / "motma.db").read_bytes()
    assert replay(house / "trucks.json", "--since", "1d").exit_code == 0
    assert (house / "data" / "motma.db").read_bytes() == before
