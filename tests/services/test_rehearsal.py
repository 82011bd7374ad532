"""Real scans keep their evidence; a draft is rehearsed over it here, and in a process of its own, to the same end."""

import asyncio
import datetime as dt
import json
import os
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest

from motma.core.decision import judge
from motma.core.errors import Conflict, Invalid, Unavailable
from motma.core.facts import NOTHING_SEEN, Fact, Scanned
from motma.core.ids import FactId, new_fact_id
from motma.core.policy import parse_policy
from motma.core.reasons import Outcome
from motma.core.rehearsal import Report
from motma.core.seen import reader
from motma.policies import load_rulebook
from motma.services.aside import Aside
from motma.services.policies import Refused
from motma.services.rehearsal import Here, Stage, read_draft
from motma.services.rehearsalroom import REMEMBERED, Run
from motma.storage.store import Act
from tests.core.test_rehearsal import a_policy
from tests.recorded import NO_TRUCKS
from tests.world import HERE, NEXT, World, living_world

DAY = dt.timedelta(days=1)
DRAFT = a_policy(
    "trucks",
    {"!": [{"===": [{"var": "vehicle.kind"}, "truck"]}]},
    affected=("vehicle.kind",),
    fails={"vehicle": {"kind": "truck"}},
)


async def kept(world: World, id: str) -> dict[str, Any]:
    fact = await world.built.store.fact(FactId(id))
    assert fact and isinstance(fact.what, Scanned)
    document = reader()(msgspec.json.decode(fact.what.seen))
    assert document is not None
    return document


async def some_scans(world: World) -> list[str]:
    """Six scans of three people, one with a truck, one ill; then one without a measure."""
    ids = []
    officer = await world.officer_at(NEXT, "CB-09")
    for n, changes in enumerate(({}, {"trip__vehicle": "truck"}, {"health__contact": True})):
        sent = (await world.declare(world.person(n), **changes)).json()
        for who in (None, officer):
            world.now += dt.timedelta(minutes=20)
            shown = {"code": sent["code"]} if who else {"qid": sent["qid"]}
            ids.append((await world.check(**shown, officer=who)).json()["id"])
    await world.built.house.steer.end_measure("demo-hcmc", by="test", now=world.now)
    world.forget()
    ids.append((await world.check(code="hello")).json()["id"])
    await world.publish()
    return ids


async def rehearsed(world: World, stage_of: type[Here] | type[Aside] = Here, **how: Any) -> Report:
    rehearse = world.built.rehearse
    script = await rehearse.script([DRAFT], world.now, **how)
    stage: Stage = Here(script) if stage_of is Here else await Aside.open(script)
    report = None
    async for step in rehearse.play(stage, world.now - DAY, world.now + DAY):
        report = step.report
    if isinstance(stage, Aside):
        await stage.close()
    assert report is not None
    return report


async def test_a_check_keeps_what_it_was_judged_on(world: World) -> None:
    person = world.person(0)
    sent = (await world.declare(person)).json()
    world.now += dt.timedelta(minutes=20)
    answer = (await world.check(code=sent["code"])).json()
    document = await kept(world, answer["id"])
    assert document["checkpoint"]["id"] == HERE and document["declaration"]["grade"] == "matched"
    assert document["trip"]["direction"] == "through" and document["vehicle"]["kind"] == "motorbike"
    verdict = judge(document, load_rulebook())
    assert [str(verdict.outcome), [reason.code for reason in verdict.reasons]] == [
        answer["outcome"],
        [reason["code"] for reason in answer["reasons"]],
    ]


async def test_it_names_nobody(world: World) -> None:
    """Of a traveller with everything: a plate, a phone, an address, two documents."""
    person = world.person(0)
    sent = (await world.declare(person, trip__plate="59C112345")).json()
    for shown in ({"code": sent["code"]}, {"qid": sent["qid"]}):
        id = (await world.check(**shown)).json()["id"]
        fact = await world.built.store.fact(FactId(id))
        assert fact and isinstance(fact.what, Scanned) and fact.what.seen != NOTHING_SEEN
        text = bytes(fact.what.seen).decode()
        named = [
            sent["qid"],
            sent["qid"][-6:],
            sent["declaration"],
            sent["declaration"][4:],
            sent["code"][:40],
            "59C112345",
            "12345",
        ]
        named += [person.name, person.name.split()[-1], person.phone, person.residence.address, "CB-WORLD"]
        named += [document.number for document in person.documents] + [
            str(person.birth_date),
            str(person.birth_date.year),
        ]
        assert not [one for one in named if one and one in text], text
        assert len(text) < 450


async def test_a_bad_code_keeps_its_evidence_too_and_without_a_measure_there_is_none(world: World) -> None:
    assert (await kept(world, (await world.check(code="hello")).json()["id"]))["code"]["problem"] == "code.not_base45"
    await world.built.house.steer.end_measure("demo-hcmc", by="test", now=world.now)
    world.forget()
    fact = await world.built.store.fact(FactId((await world.check(code="hello")).json()["id"]))
    assert fact and isinstance(fact.what, Scanned) and fact.what.seen == NOTHING_SEEN


async def test_a_draft_over_real_scans(world: World) -> None:
    await some_scans(world)
    report = await rehearsed(world, examples=5)
    assert (report.looked, report.judged, report.idle, report.bare) == (7, 6, 1, 0)
    [(kind, changes)] = report.kinds
    assert (kind.before, kind.after, kind.reason, changes.count) == (Outcome.ACCEPT, Outcome.REJECT, "trucks.why", 2)
    assert {example.checkpoint for _, example in changes.drawn} == {HERE, NEXT}
    assert sum(report.since_then) == 6 and sum(report.since_then[::5]) == 6, "today's rules are those of the scans"
    text = msgspec.json.encode(report).decode()
    assert not [one for one in ("CB-09", "CB-WORLD", "Máy thử", world.person(1).name) if one in text]


async def test_elsewhere_it_comes_to_the_same(world: World) -> None:
    await some_scans(world)
    assert await rehearsed(world, Aside, seed=5) == await rehearsed(world, Here, seed=5)


async def test_it_writes_nothing(world: World) -> None:
    await some_scans(world)
    before = world.rows()
    await rehearsed(world)
    assert world.rows() == before


async def test_what_is_written_meanwhile_is_not_in_it_and_progress_reaches_the_end(world: World) -> None:
    await some_scans(world)
    store, rehearse = world.built.store, world.built.rehearse
    script = await rehearse.script([DRAFT], world.now)
    told = []
    async for step in rehearse.play(Here(script), world.now - DAY, world.now + DAY):
        told.append((step.looked, step.total))
        await store.append(Act((_scan(world, len(told)),)))
    assert told == [(0, 7), (7, 7), (7, 7)]
    assert (await rehearsed(world)).looked == 7 + len(told)


async def test_over_many_pages_every_scan_is_seen_once(world: World) -> None:
    await world.built.store.append(Act(tuple(_scan(world, n) for n in range(2_345))))
    rehearse = world.built.rehearse
    steps = [
        step
        async for step in rehearse.play(
            Here(await rehearse.script([DRAFT], world.now)), world.now - DAY, world.now + DAY
        )
    ]
    assert [step.looked for step in steps] == [0, 1_000, 2_000, 2_345, 2_345]
    assert steps[-1].report and (steps[-1].report.looked, steps[-1].report.bare) == (2_345, 2_345)


async def test_ended_early_it_leaves_nothing_behind(world: World) -> None:
    await world.built.store.append(Act(tuple(_scan(world, n) for n in range(2_345))))
    rehearse = world.built.rehearse
    steps = rehearse.play(Here(await rehearse.script([DRAFT], world.now)), world.now - DAY, world.now + DAY)
    assert (await anext(steps)).looked == 0 and (await anext(steps)).looked == 1_000
    others = asyncio.all_tasks()
    await steps.aclose()
    assert asyncio.all_tasks() <= others
    assert (await world.check(code="hello")).status_code == 200


async def test_no_time_at_all_is_refused(world: World) -> None:
    rehearse = world.built.rehearse
    with pytest.raises(Invalid) as error:
        await anext(rehearse.play(Here(await rehearse.script([DRAFT], world.now)), world.now, world.now))
    assert error.value.code == "rehearsal.span"


def test_a_draft_is_read_or_its_line_is_said() -> None:
    cases = [
        ("", 1),
        ("{", 1),
        ('{\n "id": \n\n oops', 4),
        ("[" * 100_000, 1),
        ("[]", 1),
        ("draft", 1),
        ("id: 5\nrules: x", 2),
    ]
    for text, line in cases:
        with pytest.raises(Refused) as error:
            read_draft(text)
        assert line in [one.line for one in error.value.findings], (text[:20], error.value.findings)
    assert read_draft(json.dumps(NO_TRUCKS)) == parse_policy(NO_TRUCKS)


async def test_what_a_measure_names_is_what_decides_today(world: World) -> None:
    await world.publish(policies=("code", "health"))
    world.forget()
    script = await world.built.rehearse.script([DRAFT], world.now)
    assert [one.id for one in script.today] == ["code", "health"] and not script.unreadable
    assert [one.id for one in script.draft] == ["code", "health", "trucks"]
    await world.publish(policies=("code", "of tomorrow"))
    world.forget()
    assert (await world.built.rehearse.script([DRAFT], world.now)).unreadable


# -- in the room ---------------------------------------------------------------------------------------------------


async def begin(world: World, draft: str = "d1") -> Run:
    return await world.built.house.rehearsals.begin(draft, "{}", DRAFT, days=1, by="TRUC-BAN", now=world.now)


async def ended(run: Run) -> Run:
    assert run.task
    await asyncio.wait_for(run.task, 60)
    return run


async def test_in_the_room_it_runs_beside_the_server(world: World) -> None:
    await some_scans(world)
    world.now += dt.timedelta(minutes=1)
    run = await begin(world)
    room = world.built.house.rehearsals
    assert (run.state, room.running, room.last("d1")) == ("running", run, run)
    await ended(run)
    assert (run.state, run.percent, room.running) == ("done", 100, None)
    assert run.report and run.report.changed == 2 and run.words["trucks.why"].en


async def test_what_would_be_switched_off_is_rehearsed_too(world: World) -> None:
    await some_scans(world)
    world.forget()
    run = await world.built.house.rehearsals.begin("d1", "", "health", days=1, by="TRUC-BAN", now=world.now)
    await ended(run)
    assert run.report and {(str(kind.after), kind.reason) for kind, _ in run.report.kinds} == {
        ("accept", "health.contact")
    }


async def test_one_at_a_time(world: World) -> None:
    results = await asyncio.gather(*(begin(world, f"d{n}") for n in range(5)), return_exceptions=True)
    runs = [one for one in results if isinstance(one, Run)]
    assert len(runs) == 1 and {one.code for one in results if isinstance(one, Conflict)} == {"rehearsal.busy"}
    await ended(runs[0])
    assert (await ended(await begin(world, "d9"))).state == "done"


async def test_it_can_be_stopped_and_its_process_ends(world: World) -> None:
    await world.built.store.append(Act(tuple(_scan(world, n) for n in range(2_345))))
    run, room = await begin(world), world.built.house.rehearsals
    await room.cancel("another")
    assert run.state == "running"
    await room.cancel("d1")
    assert run.state == "cancelled" and run.report is None and room.running is None
    assert not _children()
    assert (await ended(await begin(world))).state == "done"
    await room.cancel("d1")
    assert run.state == "cancelled" and room.last("d1") is not run


async def test_it_ends_with_the_house(tmp_path: Path) -> None:
    async with living_world(tmp_path) as world:
        await world.built.store.append(Act(tuple(_scan(world, n) for n in range(2_345))))
        run = await begin(world)
        await asyncio.sleep(0.2)
    assert run.state in ("cancelled", "done") and not _children()


async def test_of_few_drafts_it_is_remembered(world: World) -> None:
    for n in range(REMEMBERED + 2):
        await ended(await begin(world, f"d{n}"))
    room = world.built.house.rehearsals
    assert [n for n in range(REMEMBERED + 2) if room.last(f"d{n}")] == list(range(2, REMEMBERED + 2))


@pytest.mark.parametrize("days", [0, -1, 32, 10**9])
async def test_days_out_of_range_are_refused(world: World, days: int) -> None:
    with pytest.raises(Invalid) as error:
        await world.built.house.rehearsals.begin("d1", "{}", DRAFT, days=days, by="x", now=world.now)
    assert error.value.code == "rehearsal.days" and world.built.house.rehearsals.last("d1") is None


async def test_a_process_that_dies_is_said(world: World) -> None:
    stage = await Aside.open(await world.built.rehearse.script([DRAFT], world.now))
    stage._process.kill()
    with pytest.raises(Unavailable) as error:
        for _ in range(99):
            await stage.look([(0, 1, "x" * 9_000)])
    assert error.value.code == "rehearsal.stopped"
    await stage.close()


async def test_it_does_not_outlive_a_server_that_is_killed(world: World) -> None:
    script = await world.built.rehearse.script([DRAFT], world.now)
    program = (
        "import asyncio, os, sys, msgspec\n"
        "from motma.core.rehearsal import Script\n"
        "from motma.services.aside import Aside\n"
        "async def main():\n"
        "    aside = await Aside.open(msgspec.msgpack.decode(sys.stdin.buffer.read(), type=Script))\n"
        "    os.write(1, str(aside._process.pid).encode())\n"
        "    await asyncio.sleep(60)\n"
        "asyncio.run(main())\n"
    )
    server = await asyncio.create_subprocess_exec(
        sys.executable, "-c", program, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    assert server.stdin and server.stdout
    server.stdin.write(msgspec.msgpack.encode(script))
    server.stdin.close()
    aside = int(await server.stdout.read(20))
    assert _lives(aside)
    server.kill()
    await server.wait()
    for _ in range(200):
        if not _lives(aside):
            return
        await asyncio.sleep(0.05)
    os.kill(aside, 9)
    pytest.fail("it goes on without its server")


def _scan(world: World, n: int) -> Fact:
    """One of before evidence was kept."""
    what = Scanned("dev", "CB-01", "code", "", "accept", (), True, "", world.now, 0.0)
    id = new_fact_id("scn", world.now, (1 << 70 | n).to_bytes(10, "big"))
    return Fact(id=id, at=world.now, actor="CB-01", checkpoint=HERE, what=what)


def _lives(process: int) -> bool:
    """Whether it is there, and no ghost."""
    try:
        return ") Z " not in Path(f"/proc/{process}/stat").read_text()
    except OSError:
        return False


def _children() -> list[str]:
    """Processes of ours that rehearse."""
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                parent = (folder / "stat").read_text().rpartition(") ")[2].split()[1]
                if int(parent) == os.getpid() and "motma.services.aside" in (folder / "cmdline").read_text():
                    found.append(folder.name)
            except (OSError, ValueError):
                continue
    return found
