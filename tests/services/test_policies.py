"""Policies written, approved, scheduled, switched off and rolled back; by many at once, on both databases."""

import asyncio
import contextlib
import datetime as dt
from collections.abc import AsyncIterator, Awaitable, Callable

import msgspec
import pytest

from motma.core.errors import Hidden, Invalid, MotmaError
from motma.core.facts import Fact, MeasurePublished, PolicyApproved, PolicyDrafted
from motma.core.ids import new_fact_id
from motma.core.policy.writing import document_of, write_yaml
from motma.measures import load_demo_measure
from motma.policies import DEFAULT, load_policies, load_policy, load_rulebook
from motma.policies import SHIPPED as ALL
from motma.services.policies import Refused
from motma.storage.store import Act, Store
from tests.core.policy_texts import version
from tests.services.policy_office import NOW, Office, unlike_before
from tests.storage.samples import KEY, clock

HOUR = dt.timedelta(hours=1)


Opened = Callable[[], Awaitable[Office]]


@pytest.fixture
async def open_office(desk_url: str) -> AsyncIterator[Opened]:
    """Opens offices on one database, each on a store of its own as in a process of its own."""
    async with contextlib.AsyncExitStack() as stack:

        async def open_one() -> Office:
            store = await Store.open(desk_url, seal_key=KEY, clock=clock)
            stack.push_async_callback(store.close)
            return Office(store)

        yield open_one


@pytest.fixture
async def office(open_office: Opened) -> Office:
    return await open_office()


async def code_of(work: Awaitable[object]) -> str:
    try:
        await work
    except MotmaError as error:
        return error.code
    return "done"


SHIPPED = [f"{name} {load_policy(name).version}" for name in DEFAULT]


async def test_from_a_draft_to_what_decides(office: Office, open_office: Opened) -> None:
    other = await open_office()
    assert await office.names() == SHIPPED
    draft = await office.draft(version(1))
    assert draft.is_open and draft.drafted_by == "A" and "# From the order" in draft.text
    assert await office.names() == SHIPPED and "night.curfew" not in await office.reasons()
    assert await code_of(office.approve(draft, by="A")) == "policy.own"
    approved = await office.approve(draft)
    assert approved.approved_by == "B" and await office.names() == [*SHIPPED, "night 1"]
    assert "night.curfew" in await office.reasons()
    assert await other.names() == [*SHIPPED, "night 1"], "another server, that just began to look"
    assert other.policies.reasons["night.curfew"].words.en == "There is a curfew now."
    assert await code_of(office.approve(draft, by="C")) == "policy.not_waiting"


async def test_another_server_knows_within_a_second(office: Office, open_office: Opened) -> None:
    other = await open_office()
    assert await other.names() == SHIPPED
    await office.enact(version(1))
    other.now += dt.timedelta(seconds=0.9)
    assert await other.names() == SHIPPED
    other.now += dt.timedelta(seconds=0.2)
    assert await other.names() == [*SHIPPED, "night 1"]
    other.now -= HOUR
    assert await other.names() == [*SHIPPED, "night 1"], "a clock that goes back takes nothing back"


async def test_it_begins_when_it_was_said_to(office: Office) -> None:
    step = await office.enact(version(1), NOW + HOUR)
    assert "night.curfew" not in await office.reasons()
    office.now = NOW + HOUR - dt.timedelta(microseconds=1)
    assert "night.curfew" not in await office.reasons()
    office.now = NOW + HOUR
    assert "night.curfew" in await office.reasons()
    office.now = NOW
    assert "night.curfew" not in await office.reasons()
    await office.policies.schedule(step.draft, NOW + 3 * HOUR, by="C", now=office.now)
    office.now = NOW + 2 * HOUR
    assert "night.curfew" not in await office.reasons()
    await office.policies.withdraw(step.draft, by="C", now=office.now)
    office.now = NOW + 4 * HOUR
    assert "night.curfew" not in await office.reasons()
    for work in (office.policies.withdraw, office.policies.roll_back):
        assert await code_of(work(step.draft, by="C", now=office.now)) in ("policy.not_waiting", "policy.not_in_force")


@pytest.mark.parametrize("begins", [NOW - HOUR, NOW + dt.timedelta(days=367)])
async def test_times_that_make_no_sense(office: Office, begins: dt.datetime) -> None:
    draft = await office.draft(version(1))
    assert await code_of(office.approve(draft, begins)) == "policy.begins"
    ended = (
        version(1)
        .replace("valid_from", "valid_to: 2026-01-18T07:00:00Z\nvalid_from")
        .replace("id: night\n", "id: late\n")
    )
    ended = ended.replace("night.curfew", "late.curfew")
    draft = await office.draft(ended)
    assert await code_of(office.approve(draft)) == "policy.begins_late"


async def test_versions_are_used_once(office: Office) -> None:
    first = await office.enact(version(3))
    for n in (1, 3):
        with pytest.raises(Refused) as refused:
            await office.draft(version(n))
        [finding] = refused.value.findings
        assert (finding.code, finding.path, finding.line) == ("policy.version_used", "/version", 3)
        assert "4 or more" in finding.words.en
    await office.roll_back(first)
    with pytest.raises(Refused):
        await office.draft(version(3))
    await office.enact(version(4))
    assert await office.names() == [*SHIPPED, "night 4"]


async def test_what_ships_is_replaced_in_its_place_and_comes_back(office: Office) -> None:
    health = version(4).replace("id: night\n", "id: health\n").replace("night.curfew", "health.curfew")
    step = await office.enact(health)
    assert await office.names() == [("health 4" if name == "health 3" else name) for name in SHIPPED]
    assert {"health.symptoms", "health.curfew"} & await office.reasons() == {"health.curfew"}
    assert "health.symptoms" in office.policies.reasons, "it was given once"
    await office.roll_back(step)
    assert await office.names() == SHIPPED
    assert await code_of(office.roll_back(step)) == "policy.not_in_force"


OFF = [name for name in ALL if name not in DEFAULT]


def as_it_ships(name: str) -> str:
    return write_yaml(document_of(load_policy(name)))


@pytest.mark.parametrize("name", OFF)
async def test_each_that_ships_is_switched_on_alone_and_off_again(office: Office, name: str) -> None:
    draft = await office.draft(as_it_ships(name))
    assert draft.version == load_policy(name).version, "unchanged, it keeps its number"
    step = await office.approve(draft, NOW + HOUR)
    assert await office.names() == SHIPPED
    office.now += HOUR
    asked = [one for one in ALL if one in DEFAULT or one == name]
    assert [one.split()[0] for one in await office.names()] == asked, "in the order in which they ship"
    assert await office.reasons() == {*load_rulebook(tuple(asked)).reasons}
    await office.roll_back(step)
    assert await office.names() == SHIPPED
    await office.enact(as_it_ships(name))
    assert len(await office.names()) == len(SHIPPED) + 1, "and on once more, with the same number"


async def test_all_that_ship_switched_on_together_are_asked_in_their_order(office: Office) -> None:
    for name in reversed(OFF):
        await office.enact(as_it_ships(name))
    assert await office.names() == [f"{one.id} {one.version}" for one in load_policies(ALL)[0]]
    base = ("health", "curfew", "code")
    assert [one.split()[0] for one in await office.names(base=base)] == [
        "health", "curfew", "code", "certificate", "permits", "movement", "greenlane",
    ], "a measure's own order stays"  # fmt: skip


async def test_numbers_of_what_ships(office: Office) -> None:
    text = as_it_ships("curfew")
    hours = text.replace("18 * 60", "19 * 60") if "18 * 60" in text else text.replace('"Đang giờ', '"Bây giờ là giờ')
    assert hours != text
    with pytest.raises(Refused) as refused:
        await office.draft(hours)
    [finding] = refused.value.findings
    assert finding.code == "policy.version_used" and "is the one that ships" in finding.words.en
    second = await office.enact(hours.replace("version: 1", "version: 2"))
    assert await code_of(office.draft(text)) == "policy.refused", "a later one stands: that is rolled back instead"
    off = await office.off("curfew")
    assert await code_of(office.draft(text)) == "policy.refused"
    await office.roll_back(off)
    await office.roll_back(second)
    await office.enact(text)
    assert "curfew 1" in await office.names()
    with pytest.raises(Refused) as refused:
        await office.draft(hours.replace("version: 1", "version: 2"))
    assert "3 or more" in refused.value.findings[0].words.en


async def test_off_and_on_again(office: Office) -> None:
    off = await office.off("standing")
    assert await office.names() == [name for name in SHIPPED if name != "standing 1"]
    assert await code_of(office.off("standing")) == "policy.is_off"
    assert await code_of(office.off("nothing")) == "policy.is_off"
    await office.roll_back(off, by="C")
    assert await office.names() == SHIPPED
    draft = await office.policies.draft_off("standing", by="A", now=NOW)
    assert await code_of(office.approve(draft, by="A")) == "policy.own", "nobody switches one off alone"


async def test_a_measure_names_what_lies_below(office: Office) -> None:
    await office.enact(version(1))
    assert await office.names(base=("health", "code", "health")) == ["health 3", "code 1", "night 1"]
    assert await office.reasons(("health",)) == {*load_rulebook(("health",)).reasons, "night.curfew"}
    book = await office.policies.rulebook(("health", "not-there"), NOW)
    assert book.unreadable and set(book.reasons) == {*load_rulebook(("health",)).reasons, "night.curfew"}


async def test_what_costs_nothing_is_not_done_twice(office: Office) -> None:
    book = await office.policies.rulebook((), NOW)
    assert await office.policies.rulebook((), NOW) is book
    health = await office.policies.rulebook(("health",), NOW)
    assert await office.policies.rulebook((), NOW) is book, "of several measures too"
    assert health is not book
    await office.enact(version(1), NOW + HOUR)
    assert await office.policies.rulebook((), NOW) is book
    assert await office.policies.rulebook((), NOW + HOUR) is not book


# -- what clashes ------------------------------------------------------------------------------------------------------


async def test_names_that_others_have_are_refused_with_their_lines(office: Office) -> None:
    with pytest.raises(Refused) as refused:
        await office.draft(version(1).replace("reason: night.curfew", "reason: health.symptoms"))
    [finding] = refused.value.findings
    assert (finding.code, finding.path, finding.line) == ("policy.clash", "/rules/0/reason", 11)
    assert "health" in finding.words.vi and "health.symptoms" in finding.words.en
    assert (await office.store.counts()).get("policy.drafted") is None


async def test_what_clashes_by_the_time_of_the_approval(office: Office) -> None:
    one = await office.draft(version(1))
    other = await office.draft(version(1).replace("id: night\n", "id: late\n"))
    await office.approve(one)
    assert await code_of(office.approve(other)) == "policy.clash"
    assert await code_of(office.approve(other, NOW + HOUR)) == "policy.clash"
    await office.off("night")
    await office.approve(other)
    assert await office.names() == [*SHIPPED, "late 1"]
    [off] = [step for step in (await office.policies.enacted(NOW)).of("night") if step.is_off]
    assert await code_of(office.roll_back(off)) == "policy.clash", "what was before would clash"


async def test_what_would_clash_later(office: Office) -> None:
    await office.enact(version(1), NOW + 2 * HOUR)
    late = version(1).replace("id: night\n", "id: late\n")
    with pytest.raises(Refused) as refused:
        await office.draft(late)
    assert {finding.code for finding in refused.value.findings} == {"policy.clash"}


async def test_two_that_a_later_measure_makes_clash_let_nobody_through_unseen(office: Office) -> None:
    measure = msgspec.structs.replace(load_demo_measure(NOW), policies=("standing",))
    await office.store.append(Act((_fact(MeasurePublished(measure)),)))
    await office.enact(version(1).replace("night.curfew", "health.contact"))
    assert not (await office.policies.rulebook(("standing",), NOW)).unreadable
    book = await office.policies.rulebook((), NOW)  # another measure, that names what ships
    assert book.unreadable and book.reasons["health.contact"].words.en != "There is a curfew now."


async def test_what_a_measure_made_clash_is_taken_back_one_by_one(office: Office) -> None:
    measure = msgspec.structs.replace(load_demo_measure(NOW), policies=("standing",))
    await office.store.append(Act((_fact(MeasurePublished(measure)),)))
    one = await office.enact(version(1).replace("night.curfew", "health.contact"))
    other = await office.enact(version(1).replace("id: night\n", "id: late\n").replace("night.curfew", "code.expired"))
    later = msgspec.structs.replace(measure, policies=(), starts_at=measure.starts_at + HOUR / 60)
    await office.store.append(Act((_fact(MeasurePublished(later)),)))
    office.now += HOUR
    assert (await office.policies.rulebook((), office.now)).unreadable, "both clash with what ships"
    draft = await office.draft(version(1).replace("id: night\n", "id: third\n"))
    await office.policies.withdraw(draft.draft, by="A", now=office.now)
    await office.roll_back(one)
    assert (await office.policies.rulebook((), office.now)).unreadable
    await office.roll_back(other)
    assert not (await office.policies.rulebook((), office.now)).unreadable


async def test_what_another_counts_on_is_not_withdrawn_before_it(office: Office) -> None:
    """Else the other would come into force beside what it clashes with, and everybody would be looked at by hand."""
    one, late = await office.draft(version(1)), await office.draft(version(1).replace("id: night\n", "id: late\n"))
    await office.approve(one)
    off = await office.policies.draft_off("night", by="A", now=NOW)
    await office.approve(off, NOW + HOUR)
    await office.approve(late, NOW + 2 * HOUR)
    assert await office.names(NOW + 2 * HOUR) == [*SHIPPED, "late 1"]
    assert await code_of(office.policies.withdraw(off.draft, by="A", now=NOW)) == "policy.clash"
    assert await office.names(NOW + 2 * HOUR) == [*SHIPPED, "late 1"]
    for step in (late, off):
        await office.policies.withdraw(step.draft, by="A", now=NOW)
    assert await office.names(NOW + 2 * HOUR) == [*SHIPPED, "night 1"]


# -- what cannot be read -----------------------------------------------------------------------------------------------


def _fact(what: PolicyDrafted | PolicyApproved | MeasurePublished, by: str = "A") -> Fact:
    return Fact(id=new_fact_id("pol", NOW, unlike_before(10)), at=NOW, actor=by, what=what)


@pytest.mark.parametrize("document", ['{"id":"health","version":9,"new":1}', "{", '{"a":' * 3000, "null", "[1,2]"])
async def test_a_policy_of_a_newer_program_makes_everybody_be_looked_at(office: Office, document: str) -> None:
    drafted = _fact(PolicyDrafted("health", 9, "d", document, ""))
    await office.store.append(Act((drafted,)))
    step = await office.policies.find(drafted.id, NOW)
    assert await code_of(office.approve(step)) == "policy.not_read"
    await office.store.append(Act((_fact(PolicyApproved(drafted.id, "health", None), "B"),)))
    office.now += 2 * HOUR
    book = await office.policies.rulebook((), office.now)
    assert book.unreadable and "health.symptoms" not in book.reasons and "standing.none" in book.reasons
    assert "!health" in await office.names()
    await office.roll_back(step)
    assert not (await office.policies.rulebook((), office.now)).unreadable


# -- many at once ------------------------------------------------------------------------------------------------------


async def test_two_who_change_one_draft(office: Office, open_office: Opened) -> None:
    other = await open_office()
    first = await office.draft(version(1))
    told = await asyncio.gather(
        code_of(office.draft(version(2), by="B", over=first.draft)),
        code_of(other.draft(version(3), by="C", over=first.draft)),
    )
    assert sorted(told) == ["done", "policy.overtaken"]
    assert await code_of(office.draft(version(4), by="B")) == "policy.overtaken", "it did not look"


@pytest.mark.parametrize("who_changes", ["B", "C"])
async def test_nobody_approves_what_was_changed_at_the_same_moment(
    office: Office, open_office: Opened, who_changes: str
) -> None:
    other = await open_office()
    first = await office.draft(version(1))
    approval, change = await asyncio.gather(
        code_of(office.approve(first, by="B")),
        code_of(other.draft(version(2), by=who_changes, over=first.draft)),
    )
    other.now += 2 * HOUR
    enacted = await other.policies.enacted(other.now)
    if approval == "done":
        assert change == "policy.overtaken" and enacted.steps[first.draft].stands
    else:
        assert (approval, change) == ("policy.not_waiting", "done")
        [now] = [step for step in enacted.of("night") if step.is_open]
        assert now.version == 2 and set(now.authors) == {"A", who_changes}


async def test_twenty_who_approve_are_one_approval(office: Office, open_office: Opened) -> None:
    offices = [office, *[await open_office() for _ in range(3)]]
    draft = await office.draft(version(1))
    told = await asyncio.gather(*[code_of(offices[n % 4].approve(draft, by=f"OP-{n}")) for n in range(20)])
    assert sorted(told)[0] == "done" and told.count("done") == 1
    assert set(told) <= {"done", "policy.not_waiting", "policy.busy"}
    assert (await office.store.counts())["policy.approved"] == 1


async def test_two_rollbacks_at_once_take_one_step(office: Office, open_office: Opened) -> None:
    other = await open_office()
    await office.enact(version(1))
    step = await office.enact(version(2))
    told = await asyncio.gather(code_of(office.roll_back(step, by="A")), code_of(other.roll_back(step, by="B")))
    assert sorted(told) == ["done", "policy.not_in_force"]
    assert await office.names() == [*SHIPPED, "night 1"]


async def test_two_that_clash_approved_at_once(office: Office, open_office: Opened) -> None:
    other = await open_office()
    one = await office.draft(version(1))
    two = await office.draft(version(1).replace("id: night\n", "id: late\n"))
    told = await asyncio.gather(code_of(office.approve(one)), code_of(other.approve(two)))
    assert sorted(told) == ["done", "policy.clash"]


async def test_many_drafts_of_many_policies_at_once(office: Office, open_office: Opened) -> None:
    other = await open_office()
    texts = [version(1).replace("night", f"night{n}") for n in range(6)]
    told = await asyncio.gather(*[code_of((office, other)[n % 2].draft(text)) for n, text in enumerate(texts)])
    assert set(told) <= {"done", "policy.busy"} and told.count("done") >= 2
    assert (await office.store.counts())["policy.drafted"] == told.count("done")


async def test_one_person_with_two_names(office: Office) -> None:
    office.same = {"A", "A-2"}
    draft = await office.draft(version(1))
    assert await code_of(office.approve(draft, by="A-2")) == "policy.own"
    assert await code_of(office.approve(draft, by="B")) == "done"


async def test_what_there_is_not(office: Office) -> None:
    for work in (office.policies.withdraw, office.policies.roll_back):
        with pytest.raises(Hidden):
            await work("pol_x", by="A", now=NOW)
    with pytest.raises(Hidden):
        await office.policies.find("", NOW)
    with pytest.raises(Invalid):
        await office.draft("nonsense: yes")


# -- at the checkpoint -------------------------------------------------------------------------------------------------


async def test_measures_that_are_over_are_no_concern(office: Office) -> None:
    measure = msgspec.structs.replace(load_demo_measure(NOW), policies=("health",))
    await office.store.append(Act((_fact(MeasurePublished(measure)),)))
    assert await office.policies.bases(NOW) == [("health",)]
    assert await office.policies.bases(measure.ends_at) == [DEFAULT]
