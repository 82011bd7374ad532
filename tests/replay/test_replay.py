"""The replay through a real server and register reconciles; and it does not when a sender was lied to, a row is
missing, or the register gives other answers than it should."""

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
from motma.core.errors import Invalid, Unavailable
from motma.core.identity import NameDifference, name_difference
from motma.core.ids import Document
from motma.forms import load_form, load_units
from motma.register.population import Population
from motma.replay import Account, Plan, account_table, replay
from motma.replay.crowd import MENDED_SHARE, REFUSED, TWO_DAYS, TWO_DAYS_MISMATCHED, Traveller, crowd
from motma.replay.drive import Ways, _Journey, _Line, _Place, _stored, drive, provision
from motma.replay.processes import free_port, running_register, running_server
from motma.roads import load_network
from motma.wiring import build
from tests.register.running import register, start

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


def asking(settings: Settings) -> Settings:
    """The same with the register of this process of tests."""
    asked = register()
    return replace(
        settings, register_url=asked.url, register_client=asked.client_id, register_secret=asked.client_secret
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
    assert sum(bool(one.mistake) for one in people) == plan.mismatched == 26
    assert len({one.key for one in people}) == 2_000
    documents = Counter(one.body["document"]["number"] for one in people)
    names = Counter((one.body["name"], one.body["birth_date"]) for one in people)
    assert sum(names.values()) - len(names) >= plan.again == 20 >= sum(documents.values()) - len(documents)
    assert {one.source for one in people} == {"page", "BLUEZONE", "NCOVI", "TOKHAIYTE", "DICUAN"}
    assert {one.verdict for one in people} == {"accept", "manual", "reject", ""}
    assert any(one.twice for one in people) and not any(one.twice for one in people if one.source == "page")
    assert all(one.checkpoint == one.body["trip"]["checkpoints"][0] for one in people)


def test_mistakes_are_what_they_are_called() -> None:
    """Each is what the register and the comparison of names must make of it, and is mended to what is right."""
    population, alike = Population(2021, 100_000), {"tones": "tones", "word": "word", "slip": "slip"}
    seen = Counter[str]()
    wrong = [one for seed in range(12) for one in travellers(Plan(declarations=2_000, seed=seed)) if one.mistake]
    for one in wrong:
        document = one.body["document"]
        person = population.find(Document(document["kind"], document["number"], one.body["nationality"]))
        seen[one.mistake or ""] += 1
        assert (person is None) == (one.mistake == "document.number")
        if person:
            assert (person.birth_date.isoformat() != one.body["birth_date"]) == (one.mistake == "birth_date")
            assert not (person.year_only and one.mistake == "birth_date")  # only the year would count
            how = name_difference(one.body["name"], person.name)
            if one.mistake == "birth_date":
                assert how is NameDifference.SAME
            else:
                assert how == alike.get(one.mistake or "", "different"), one.body["name"]
        assert one.outcome == ("refused" if one.mistake in REFUSED else "repairable")
        assert one.verdict in ("", "manual", "reject") and bool(one.verdict) == (one.outcome == "repairable")
        if one.mend:
            assert (one.mend.source, one.mend.mistake, one.mend.mend) == (one.source, None, None)
            assert one.mend.key != one.key and one.mend.body != one.body
            sent = one.mend.body["document"]
            whose = population.find(Document(sent["kind"], sent["number"], one.body["nationality"]))
            assert whose and (whose.name, whose.birth_date.isoformat()) == (
                one.mend.body["name"],
                one.mend.body["birth_date"],
            )
    assert seen.keys() == {*REFUSED, *alike} and min(seen.values()) >= 5
    assert abs(sum(bool(one.mend) for one in wrong) / len(wrong) - MENDED_SHARE) < 0.07


def test_who_mends_comes_back_and_nobody_is_forgotten() -> None:
    everybody = travellers(Plan(declarations=600))
    line, taken = _Line(iter(everybody)), list[str]()
    while place := line.take():
        taken.append(place.traveller.key)
        if place.traveller.mend:
            line.come_back(_Place(place.traveller.mend, "refused"))
    mended = [one.mend.key for one in everybody if one.mend]
    assert len(mended) > 3 and sorted(taken) == sorted([*(one.key for one in everybody), *mended])
    apart = [taken.index(key) - taken.index(key.removesuffix("-mended")) for key in mended]
    assert max(apart) > 200 and all(
        gap > 200 or taken.index(key) >= 600 for gap, key in zip(apart, mended, strict=True)
    )


def test_the_same_plan_is_the_same_crowd() -> None:
    assert travellers(Plan(declarations=200)) == travellers(Plan(declarations=200))
    assert travellers(Plan(declarations=200)) != travellers(Plan(declarations=200, seed=1))


async def test_more_people_than_there_are(tmp_path: Path) -> None:
    settings = replace(settings_in(tmp_path), register_size=100)
    with pytest.raises(Invalid) as refused:
        await replay(settings, Plan(declarations=300))
    assert refused.value.code == "replay.too_many"


# -- through a real server -------------------------------------------------------------------------------------------


async def test_a_slice_through_a_real_server_and_register_reconciles(tmp_path: Path) -> None:
    """Both are started for it, and ended."""
    account = await replay(settings_in(tmp_path), Plan(declarations=400), concurrency=16)
    assert account.failures == []
    assert account.adds_up, shown(account)
    stored, planned = account.stored, account.planned
    assert planned["sent"] == 400
    assert planned["refused"] + planned["repairable"] == 5
    assert (
        stored["recorded"] == 400 + planned["mended"] == stored["accepted"] + stored["repairable"] + stored["refused"]
    )
    assert stored["mended: repairable"] + planned["mended: refused"] == planned["mended"] >= 3
    assert stored["codes issued"] == stored["accepted"] + stored["repairable"]
    assert stored["scans"] == sum(count for name, count in stored.items() if name.startswith("verdict: "))
    assert sum(count for name, count in stored.items() if name.startswith("refused: ")) == stored["refused"] > 0
    text = shown(account)
    assert "Reconciliation" in text and "differs" not in text
    assert f"{planned['mended'] / 5:.1%}" in text
    for name in account.rows:
        for side in (account.planned, account.told, account.stored):
            if name in side:
                side[name] += 1
                assert not account.adds_up, name
                assert "differs" in shown(account)
                side[name] -= 1
    account.failures.append("one")
    assert not account.adds_up


async def test_a_register_that_mistakes_people_is_noticed(tmp_path: Path) -> None:
    """It is the register of other people: whoever is confirmed by it was not who they said."""
    other = start(seed=7, faults=False)
    try:
        settings = replace(
            settings_in(tmp_path),
            register_url=other.url,
            register_client=other.client_id,
            register_secret=other.client_secret,
        )
        account = await replay(settings, Plan(declarations=40), concurrency=8)
    finally:
        other.end()
    assert not account.adds_up
    assert account.told["refused"] == account.stored["refused"] > 30 > account.planned["refused"]


async def test_without_a_register_everybody_is_pending(tmp_path: Path) -> None:
    """And the account says so, whatever the senders do."""
    settings = settings_in(tmp_path)
    async with build(settings) as built:
        ways = await provision(built)
        async with running_server(settings) as url:
            account = await drive(settings, Plan(declarations=30), url, ways, concurrency=4, console=None)
            account.stored = await _stored(built)
    assert account.told["pending"] == account.stored["pending"] == 30
    assert len(account.failures) == 30 and "pending, and should not have been" in account.failures[0]
    assert account.differs("pending") and not account.adds_up


async def test_programs_that_do_not_start(tmp_path: Path) -> None:
    with pytest.raises(Unavailable) as no_register:
        async with running_register(seed=1, size=0):
            raise AssertionError("there is no population of nobody")
    assert no_register.value.code == "replay.no_register"
    with pytest.raises(Unavailable) as no_server:
        async with running_server(replace(settings_in(tmp_path), database_url=f"sqlite:///{tmp_path}")):
            raise AssertionError("a folder is no database")
    assert no_server.value.code == "replay.no_server"


async def test_a_row_that_is_gone_is_missed(tmp_path: Path) -> None:
    """Somebody takes a scan out of the store while the crowd is under way."""
    settings = asking(settings_in(tmp_path))
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


async def _told_by_a_liar(wanted: Traveller, place: _Place, **lie: Any) -> tuple[Account, list[_Place]]:
    """The account of one journey, and who stands in line again."""
    account, line = Account(), _Line(iter(()))
    ways = Ways(dict.fromkeys(("BLUEZONE", "NCOVI", "TOKHAIYTE", "DICUAN"), "t"), {wanted.checkpoint: "c=1"})
    async with liar(_accepting(wanted, **lie)) as server, aiohttp.ClientSession(server.make_url("/")) as session:
        await _Journey(session, account, ways, line, set(), place).go()
    return account, list(iter(line.take, None))


@pytest.mark.parametrize("planned", ["accepted", "repairable", "refused"])
@pytest.mark.parametrize(
    ("lie", "says"),
    [
        ({}, None),
        ({"outcome": "refused", "qid": None}, "refused"),
        ({"outcome": "repairable"}, "repairable"),
        ({"outcome": "pending"}, "pending"),
        ({"qid": None}, "accepted without a number"),
        ({"outcome": "refused"}, "refused, and should not have been"),
        ({"qid": "q2"}, "another citizen"),
    ],
)
async def test_an_answer_that_lies(lie: dict[str, Any], says: str | None, planned: str) -> None:
    everybody = travellers(Plan(declarations=2_000))
    wanted = next(one for one in everybody if one.outcome == planned and one.source != "page" and not one.twice)
    wanted = replace(wanted, mend=None, verdict="accept" if wanted.verdict else "")
    account, _ = await _told_by_a_liar(wanted, _Place(wanted), **lie)
    truth = {"accepted": {}, "repairable": {"outcome": "repairable"}, "refused": {"outcome": "refused", "qid": None}}
    assert account.adds_up == (lie == truth[planned])
    if planned == "accepted":
        assert (says or "") in "".join(account.failures)


async def test_a_mended_declaration_keeps_the_number() -> None:
    everybody = travellers(Plan(declarations=2_000))
    first = next(one for one in everybody if one.outcome == "repairable" and one.mend and one.source != "page")
    assert first.mend
    _, back = await _told_by_a_liar(first, _Place(first), outcome="repairable", qid="q1")
    assert back == [_Place(first.mend, "repairable", "q1")]
    account, _ = await _told_by_a_liar(first.mend, back[0])
    assert (account.told["mended"], account.told["mended: repairable"], account.failures) == (1, 1, [])
    account, _ = await _told_by_a_liar(first.mend, replace(back[0], qid="q2"))
    assert "mended, and got another number" in account.failures[0]


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
