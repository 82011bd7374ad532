"""The replay through a real server reconciles; and it does not when a sender was lied to or a row is missing."""

import contextlib
import datetime as dt
import sqlite3
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from rich.console import Console

from motma.config import Settings
from motma.core.errors import Invalid
from motma.forms import load_form, load_units
from motma.register.population import Population
from motma.replay import Account, Plan, account_table, replay
from motma.replay.crowd import TWO_DAYS, TWO_DAYS_MISMATCHED, Traveller, crowd
from motma.replay.drive import Ways, _Journey, _stored, drive, free_port, provision, running_server
from motma.roads import load_network
from motma.wiring import build

NOW = dt.datetime(2026, 1, 18, 7, 0, tzinfo=dt.UTC)


def settings_in(folder: Path) -> Settings:
    return Settings(
        data=folder / "data",
        database_url=f"sqlite:///{folder / 'data' / 'motma.db'}",
        host="127.0.0.1",
        port=free_port(),
        issuer="motma.test",
        register_seed=2021,
        register_size=100_000,
    )


def travellers(plan: Plan) -> list[Traveller]:
    return list(crowd(plan, Population(2021, 100_000), load_form("2026-1"), load_units(), load_network(), NOW))


def shown(account: Account) -> str:
    console = Console(record=True, width=140, file=open("/dev/null", "w"))  # noqa: PTH123, SIM115
    console.print(account_table(account))
    console.file.close()
    return console.export_text()


# -- the plan --------------------------------------------------------------------------------------------------------


def test_the_two_days_of_august_2021() -> None:
    plan = Plan()
    assert (plan.declarations, plan.mismatched) == (TWO_DAYS, TWO_DAYS_MISMATCHED) == (96_347, 1_229)


def test_a_slice_is_a_slice() -> None:
    plan = Plan(declarations=2_000)
    people = travellers(plan)
    assert len(people) == 2_000
    assert sum(bool(one.refusal) for one in people) == plan.mismatched == 26
    assert len({one.key for one in people}) == 2_000
    documents = Counter(one.body["document"]["number"] for one in people)
    names = Counter((one.body["name"], one.body["birth_date"]) for one in people)
    assert sum(names.values()) - len(names) >= plan.again == 20 >= sum(documents.values()) - len(documents)
    assert {one.source for one in people} == {"page", "BLUEZONE", "NCOVI", "TOKHAIYTE", "DICUAN"}
    assert {one.verdict for one in people} == {"accept", "manual", "reject", ""}
    assert any(one.twice for one in people) and not any(one.twice for one in people if one.source == "page")
    assert all(one.checkpoint == one.body["trip"]["checkpoints"][0] for one in people)


def test_the_same_plan_is_the_same_crowd() -> None:
    assert travellers(Plan(declarations=200)) == travellers(Plan(declarations=200))
    assert travellers(Plan(declarations=200)) != travellers(Plan(declarations=200, seed=1))


async def test_more_people_than_there_are(tmp_path: Path) -> None:
    settings = replace(settings_in(tmp_path), register_size=100)
    with pytest.raises(Invalid) as refused:
        await replay(settings, Plan(declarations=300))
    assert refused.value.code == "replay.too_many"


# -- through a real server -------------------------------------------------------------------------------------------


async def test_a_slice_through_a_real_server_reconciles(tmp_path: Path) -> None:
    account = await replay(settings_in(tmp_path), Plan(declarations=300), concurrency=16)
    assert account.failures == []
    assert account.adds_up, shown(account)
    assert account.stored["sent"] == 300
    assert account.stored["refused"] == 4
    assert account.stored["accepted"] == account.stored["codes issued"] == 296
    assert account.stored["citizens"] == 293
    assert account.stored["scans"] == 293
    assert sum(count for name, count in account.stored.items() if name.startswith("verdict: ")) == 293
    text = shown(account)
    assert "Reconciliation" in text and "differs" not in text
    for name in account.rows:
        for side in (account.planned, account.told, account.stored):
            if name in side:
                side[name] += 1
                assert not account.adds_up, name
                assert "differs" in shown(account)
                side[name] -= 1
    account.failures.append("one")
    assert not account.adds_up


async def test_a_row_that_is_gone_is_missed(tmp_path: Path) -> None:
    """Somebody takes a scan out of the store while the crowd is under way."""
    settings = settings_in(tmp_path)
    plan = Plan(declarations=30)
    async with build(settings) as built:
        before = await _stored(built)
        ways = await provision(built)
        async with running_server(settings) as url:
            account = await drive(settings, plan, url, ways, concurrency=4, console=None)
            after = await _stored(built)
            account.stored = Counter({name: after[name] - before[name] for name in after})
            assert account.adds_up, shown(account)
            with contextlib.closing(sqlite3.connect(settings.database_url.removeprefix("sqlite:///"))) as database:
                database.execute("DROP TRIGGER facts_no_delete")
                database.execute("DELETE FROM facts WHERE kind = 'scan.made' AND seq = (SELECT max(seq) FROM facts)")
                database.commit()
            after = await _stored(built)
            account.stored = Counter({name: after[name] - before[name] for name in after})
            assert not account.adds_up
            assert [name for name in account.rows if account.differs(name)] == ["scans"]


# -- a server that lies ----------------------------------------------------------------------------------------------


def liar(answers: dict[str, Any]) -> TestServer:
    """Answers the same to everybody, by the path."""

    async def answer(request: web.Request) -> web.Response:
        return web.json_response(answers[request.path])

    app = web.Application()
    for path in answers:
        app.router.add_post(path, answer)
    return TestServer(app)


def _accepting(one: Traveller, **changes: Any) -> dict[str, Any]:
    return {
        "/v1/declarations": {"declaration": "dcl_x", "outcome": "accepted", "qid": "q1", "code": "c1"} | changes,
        "/v1/checks": {"outcome": "accept", "citizen": {"qid": "q1", "name": one.body["name"]}},
    }


@pytest.mark.parametrize("refused", [False, True])
@pytest.mark.parametrize(
    ("lie", "says"),
    [
        ({}, None),
        ({"outcome": "refused"}, "refused, and should not have been"),
        ({"outcome": "pending"}, "pending, and should not have been"),
        ({"qid": None}, "accepted, and should not have been"),
        ({"qid": "q2"}, "another citizen"),
    ],
)
async def test_an_answer_that_lies(lie: dict[str, Any], says: str | None, refused: bool) -> None:
    wanted = next(
        one
        for one in travellers(Plan(declarations=400))
        if bool(one.refusal) == refused and one.source != "page" and (refused or one.verdict == "accept")
    )
    account = Account()
    ways = Ways(dict.fromkeys(("BLUEZONE", "NCOVI", "TOKHAIYTE", "DICUAN"), "t"), {wanted.checkpoint: "c=1"})
    async with liar(_accepting(wanted, **lie)) as server, aiohttp.ClientSession(server.make_url("/")) as session:
        await _Journey(session, account, ways, set()).go(wanted)
    if refused:  # then only "refused" is the truth
        assert account.adds_up == (lie.get("outcome") == "refused")
    else:
        assert account.adds_up == (says is None)
        assert (says or "") in "".join(account.failures)


def test_what_one_side_alone_counts_differs() -> None:
    """A refusal stored under another reason, though nobody planned that one."""
    account = Account(
        planned=Counter({"sent": 1, "refused": 1, "refused: birth_date": 1}),
        told=Counter({"sent": 1, "refused": 1}),
        stored=Counter({"sent": 1, "refused": 1, "refused: name": 1}),
    )
    assert [name for name in account.rows if account.differs(name)] == ["refused: birth_date", "refused: name"]
    account.stored = Counter({"sent": 1, "refused": 1, "refused: birth_date": 1})
    assert account.adds_up


def test_nothing_at_all_does_not_add_up() -> None:
    assert not Account().adds_up
