"""What the store promises, on both engines."""

import asyncio
import datetime as dt
import itertools
import random

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from motma.core.errors import Invalid
from motma.core.facts import Fact, Merged, Repaired, Reviewed
from motma.core.fold import Tally, fold
from motma.core.identity import Grade
from motma.core.ids import Qid
from motma.storage.store import Act, Already, Appended, Credential, Holding, ScanRow, ScanSpan, Store
from tests.storage.conftest import Opener, Raw
from tests.storage.samples import (
    NOW,
    a_qid,
    accepted,
    an_id,
    diverted,
    identified,
    issued,
    refused,
    revoked,
    scanned,
)

HOUR = NOW.replace(minute=0)


async def test_what_is_to_be_reviewed_is_found_in_order_and_page_by_page(store: Store) -> None:
    qid, other = a_qid(), a_qid()
    declaration = accepted(qid)
    repair = Fact(
        id=an_id("rep"),
        at=NOW,
        actor="CB-01",
        qid=qid,
        checkpoint="cho-dem",
        what=Repaired(
            declaration=declaration.id,
            grade=Grade.VOUCHED,
            reason="tones",
            differing=("name",),
            officer="CB-01",
            device="dev_1",
            scan=an_id("scn"),
            sampled=True,
            valid_until=NOW + dt.timedelta(hours=1),
        ),
    )
    reviewed = Fact(id=an_id("rvw"), at=NOW, actor="TRUC", qid=qid, what=Reviewed(repair.id, declaration.id, True))
    merged = Fact(id=an_id("mrg"), at=NOW, actor="worker", qid=other, what=Merged(qid))
    await store.append(Act((declaration, identified(qid, declaration.id), repair, scanned(qid), reviewed, merged)))
    found = await store.review_facts(0)
    assert [fact for _, fact in found] == [repair, reviewed, merged]
    assert [seq for seq, _ in found] == [3, 5, 6]
    assert [fact for _, fact in await store.review_facts(3, limit=1)] == [reviewed]
    assert await store.review_facts(6) == []


async def test_an_act_comes_back_as_it_went_in(store: Store) -> None:
    qid = a_qid()
    declaration = accepted(qid, personal='{"name":"Nguyễn Thị Hoà"}'.encode())
    code = issued(qid, declaration.id)
    wallet = Holding(b"w" * 32, qid, declaration.id, NOW)
    device = Credential(b"h" * 32, "device", "dev_1", {"checkpoint": "cho-dem"}, NOW, NOW + dt.timedelta(days=1))
    act = Act((declaration, code), ((b"document", qid),), (wallet,), (device,))
    assert await store.append(act) == Appended()

    assert await store.fact(declaration.id) == declaration
    assert await store.fact(code.id) == code
    assert await store.standing(qid) == fold([declaration, code])
    assert await store.holder(b"document") == qid
    assert await store.holdings(b"w" * 32) == [wallet]
    assert await store.credential(b"h" * 32) == device
    assert await store.credentials("device") == [device]
    assert await store.changed_seq() == 2
    assert await store.counts() == {"declaration.accepted": 1, "code.issued": 1, "citizens": 1}


async def test_what_is_not_there_is_none_or_empty(store: Store) -> None:
    assert await store.fact(an_id()) is None
    assert await store.standing(a_qid()) is None
    assert await store.holder(b"free") is None
    assert await store.credential(b"none") is None
    assert await store.holdings(b"none") == await store.facts_about(a_qid()) == await store.control_facts() == []
    assert await store.tally(NOW) == await store.pending(10) == await store.credentials("device") == []
    assert await store.changed_seq() == 0
    assert await store.append(Act()) == Appended()


async def test_the_personal_part_is_for_the_one_who_asks_for_that_fact(store: Store) -> None:
    fact = accepted(a_qid(), personal=b"{}")
    await store.append(Act((fact,)))
    assert [listed.personal for listed in await store.facts_about(fact.qid or Qid(""))] == [None]
    assert (await store.fact(fact.id)) == fact


async def test_the_same_act_again_is_already(store: Store) -> None:
    fact = accepted(a_qid())
    assert await store.append(Act((fact,))) == Appended()
    assert await store.append(Act((fact,))) == Already(frozenset({fact.id}), {})
    assert await store.changed_seq() == 1
    assert [n for _, n in await store.tally(HOUR)] == [1]


async def test_of_an_act_that_is_already_nothing_is_written(store: Store) -> None:
    qid, old = a_qid(), accepted(a_qid())
    await store.append(Act((old,), ((b"k", "first"),)))
    new = accepted(qid)
    wallet, device = Holding(b"w", qid, new.id, NOW), Credential(b"h", "device", "dev_1", {}, NOW)
    for facts, once in (((new, old), ((b"new", "x"),)), ((new,), ((b"k", "second"), (b"new", "x")))):
        answer = await store.append(Act(facts, once, (wallet,), (device,)))
        assert isinstance(answer, Already)
    assert answer == Already(frozenset(), {b"k": "first"})
    assert await store.fact(new.id) is await store.standing(qid) is await store.holder(b"new") is None
    assert await store.holdings(b"w") == [] and await store.credential(b"h") is None
    assert await store.changed_seq() == 1


async def test_a_key_held_with_the_same_value_is_fine(store: Store) -> None:
    assert await store.append(Act(once=((b"k", "v"),))) == Appended()
    assert await store.append(Act((scanned(None),), ((b"k", "v"), (b"k", "v")))) == Appended()
    assert await store.changed_seq() == 1


async def test_within_a_batch_the_first_wins(store: Store) -> None:
    fact = accepted(a_qid())
    acts = [Act((fact,)), Act((fact,)), *(Act((scanned(None),), ((b"k", f"v{n}"),)) for n in range(5))]
    answers = await asyncio.gather(*map(store.append, acts))
    assert answers[:3] == [Appended(), Already(frozenset({fact.id}), {}), Appended()]
    assert answers[3:] == [Already(frozenset(), {b"k": "v0"})] * 4
    assert await store.changed_seq() == 2


async def test_five_hundred_at_once_on_fifty_keys(store: Store) -> None:
    owners = [a_qid() for _ in range(500)]
    keys = [b"document %d" % (n % 50) for n in range(500)]
    acts = [Act((accepted(qid),), ((key, qid),)) for key, qid in zip(keys, owners, strict=True)]
    answers = await asyncio.gather(*map(store.append, acts))
    won = [qid for qid, answer in zip(owners, answers, strict=True) if answer == Appended()]
    assert len(won) == 50
    assert {await store.holder(key) for key in keys} == set(won)
    assert (await store.counts()) == {"declaration.accepted": 50, "citizens": 50}
    assert sum(n for _, n in await store.tally(HOUR)) == 50


async def test_two_stores_on_one_database_agree(opened: Opener, raw: Raw) -> None:
    stores: list[Store] = [await opened(), await opened()]
    citizens = [a_qid() for _ in range(10)]
    dice = random.Random(1)

    async def work(store: Store, n: int) -> Appended | Already:
        qid = dice.choice(citizens)
        fact = dice.choice([accepted(qid), scanned(qid), revoked(qid)])
        await asyncio.sleep(dice.random() / 20)
        return await store.append(Act((fact,), ((b"key %d" % (n % 40), qid),)))

    answers = await asyncio.gather(*(work(stores[n % 2], n) for n in range(400)))
    appended = answers.count(Appended())
    assert 40 <= appended < 400
    # numbered without gaps, in order of commit
    assert raw("SELECT seq FROM facts ORDER BY seq") == [(n,) for n in range(1, appended + 1)]
    assert (await stores[0].rebuild_standing()).differing == ()
    for qid in citizens:
        assert await stores[1].standing(qid) == fold(await stores[0].facts_about(qid))


async def test_a_cancelled_wait_does_not_stop_the_act(store: Store) -> None:
    facts = [scanned(None) for _ in range(3)]
    waits = [asyncio.create_task(store.append(Act((fact,)))) for fact in facts]
    await asyncio.sleep(0)
    waits[1].cancel()
    assert (await asyncio.gather(*waits, return_exceptions=True))[::2] == [Appended(), Appended()]
    assert waits[1].cancelled()
    assert await store.append(Act((facts[1],))) == Already(frozenset({facts[1].id}), {})


async def test_close_waits_for_what_was_taken(opened: Opener) -> None:
    store: Store = await opened()
    fact = scanned(None)
    wait = asyncio.create_task(store.append(Act((fact,))))
    await asyncio.sleep(0)
    await store.close()
    assert await wait == Appended()
    again: Store = await opened()
    assert await again.fact(fact.id) == fact


async def test_facts_about_one_citizen(store: Store) -> None:
    qid, other = a_qid(), a_qid()
    mine = [accepted(qid), scanned(qid), scanned(qid, "manual", ("identity.pending",)), revoked(qid)]
    await store.append(Act((mine[0], accepted(other), *mine[1:])))
    assert await store.facts_about(qid) == mine
    assert await store.facts_about(qid, newest_first=True, limit=2) == [mine[3], mine[2]]
    assert await store.facts_about(qid, kinds={"scan.made"}) == mine[1:3]
    assert await store.facts_about(qid, kinds=["standing.revoked", "declaration.accepted"]) == [mine[0], mine[3]]
    assert await store.facts_about(qid, kinds=()) == []


async def test_control_facts_in_order(store: Store) -> None:
    opened, later = diverted(), diverted()
    for fact in (opened, scanned(None), later, refused()):
        await store.append(Act((fact,)))
    assert await store.control_facts() == [opened, later]


async def test_the_longest_pending_come_first(store: Store) -> None:
    pending = [accepted(a_qid(), grade=Grade.PENDING, at=NOW + dt.timedelta(minutes=n // 2)) for n in range(6)]
    for fact in reversed(pending):
        await store.append(Act((fact, accepted(a_qid()))))
    expected = sorted((fact.at, fact.qid) for fact in pending)
    seen: list[tuple[dt.datetime, Qid]] = []
    while page := await store.pending(4, seen[-1] if seen else None):
        seen += [(standing.declared_at, standing.qid) for standing in page]
    assert seen == expected
    first = pending[0]
    await store.append(Act((identified(first.qid or Qid(""), first.id),)))
    assert first.qid not in [standing.qid for standing in await store.pending(10)]


async def test_the_board_counts_by_the_hour(store: Store) -> None:
    hour = HOUR
    facts = [scanned(None), scanned(None), scanned(None, "reject", ("code.expired",)), refused()]
    await asyncio.gather(*(store.append(Act((fact,))) for fact in facts))
    await store.append(Act((scanned(None),)))
    assert await store.tally(hour) == [
        (Tally("cho-dem", hour, "reason", "code.expired"), 1),
        (Tally("cho-dem", hour, "refused", "name"), 1),
        (Tally("cho-dem", hour, "scanned", "accept"), 3),
        (Tally("cho-dem", hour, "scanned", "reject"), 1),
    ]
    assert await store.tally(hour + dt.timedelta(seconds=1)) == []


async def test_grants_are_replaced_and_listed_in_order(store: Store) -> None:
    wallet, qid, first, second = b"w", a_qid(), an_id(), an_id()
    await store.append(Act(holdings=(Holding(wallet, qid, first, NOW),)))
    later = Holding(wallet, qid, second, NOW + dt.timedelta(1))
    await store.append(Act(holdings=(later, Holding(b"other", qid, first, NOW))))
    assert [holding.declaration for holding in await store.holdings(wallet)] == [second, first]
    await store.append(Act(holdings=(Holding(wallet, qid, first, NOW + dt.timedelta(2)),)))
    assert [holding.declaration for holding in await store.holdings(wallet)] == [first, second]

    device = Credential(b"h", "device", "dev_1", {"a": "b"}, NOW)
    gone = Credential(b"h", "device", "dev_1", {"a": "b"}, NOW, None, NOW + dt.timedelta(1))
    await asyncio.gather(*(store.append(Act(credentials=(one,))) for one in (device, gone)))
    assert await store.credential(b"h") == gone


async def test_what_no_database_could_keep_is_refused(store: Store) -> None:
    scan, opened = scanned(None), diverted().what
    for act in (
        Act((scan, scan)),
        Act(once=((b"k", "v"), (b"k", "w"))),
        Act(once=((b"k", "v\x00"),)),
        Act(once=((b"k", "\ud800"),)),
        Act((Fact(id=an_id(), at=NOW.replace(tzinfo=None), actor="a", what=opened),)),
        Act((Fact(id=an_id(), at=NOW, actor="a\x00", what=opened),)),
        Act((scanned(None, reasons=("\x00",), outcome="reject"),)),
        Act((Fact(id=an_id(), at=NOW, actor="a", what=replace(scan.what, skew_seconds=float("nan"))),)),
    ):
        with pytest.raises(Invalid, match="storage"):
            await store.append(act)
    assert await store.changed_seq() == 0


# ---------------------------------------------------------------- standing == fold

_STEP = st.tuples(st.integers(0, 2), st.sampled_from(["accept", "pend", "issue", "identify", "old", "revoke", "scan"]))


@given(steps=st.lists(_STEP, max_size=25), cuts=st.sets(st.integers(0, 25)))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_standing_is_the_fold_whatever_happens(
    store: Store, steps: list[tuple[int, str]], cuts: set[int]
) -> None:
    citizens = [a_qid() for _ in range(3)]
    declared = [an_id() for _ in range(3)]
    first = list(declared)
    facts: list[Fact] = []
    for who, what in steps:
        qid = citizens[who]
        if what in ("accept", "pend"):
            fact = accepted(qid, grade=Grade.PENDING if what == "pend" else Grade.MATCHED)
            declared[who] = fact.id
        elif what in ("identify", "old"):
            fact = identified(qid, (declared if what == "identify" else first)[who])
        elif what == "issue":
            fact = issued(qid, declared[who])
        else:
            fact = revoked(qid) if what == "revoke" else scanned(qid)
        facts.append(fact)
    bounds = sorted({0, len(facts), *(cut for cut in cuts if cut < len(facts))})
    acts = [Act(tuple(facts[a:b])) for a, b in itertools.pairwise(bounds)]
    await asyncio.gather(*map(store.append, acts))
    for qid in citizens:
        mine = [fact for fact in facts if fact.qid == qid]
        assert await store.standing(qid) == fold(mine)
        assert [fact.id for fact in await store.facts_about(qid)] == [fact.id for fact in mine]
    assert (await store.rebuild_standing()).differing == ()


@pytest.mark.parametrize("page", [1, 2, 3, 7, 2_000])
async def test_rebuild_finds_damage_and_repairs_it(
    store: Store, raw: Raw, page: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("motma.storage.store.PAGE_FACTS", page)
    citizens = sorted(a_qid() for _ in range(8))
    for qid in citizens:
        fact = accepted(qid)
        await store.append(Act((fact, issued(qid, fact.id), *(scanned(qid) for _ in range(int(qid) % 4)))))
    await store.append(Act((scanned(a_qid()), scanned(None))))
    whole = await store.rebuild_standing()
    assert (whole.checked, whole.differing) == (9, ())

    before = [await store.standing(qid) for qid in citizens]
    changed, gone, regraded, unreadable = citizens[1], citizens[3], citizens[4], citizens[6]
    stranger = Qid("999999999999999999")
    raw(f"UPDATE standing SET body = replace(body, 'clear', 'symptoms') WHERE qid = '{changed}'")
    raw(f"DELETE FROM standing WHERE qid = '{gone}'")
    raw(f"UPDATE standing SET grade = 'pending' WHERE qid = '{regraded}'")
    raw(f"UPDATE standing SET body = '' WHERE qid = '{unreadable}'")
    raw(
        "INSERT INTO standing (qid, grade, declared_at, valid_until, seq, body)"
        f" VALUES ('{stranger}', 'matched', 0, 0, 1, '{{}}')"
    )
    damaged = sorted([changed, gone, regraded, unreadable, stranger])
    assert (await store.rebuild_standing()).differing == tuple(damaged)
    assert (await store.rebuild_standing(repair=True)).differing == tuple(damaged)
    assert (await store.rebuild_standing()).differing == ()
    assert [await store.standing(qid) for qid in citizens] == before
    assert await store.standing(stranger) is None


def _numbers(rows: list[ScanRow]) -> list[int]:
    return [number for _, number, _ in rows]


async def test_scans_are_gone_through_by_time_and_what_comes_meanwhile_is_not_seen(store: Store) -> None:
    minute = dt.timedelta(minutes=1)

    def scan(at: dt.datetime) -> Fact:
        return replace(scanned(a_qid()), id=an_id("scn"), at=at)

    # Not in the order of record: what a device sends later was seen earlier. Two at one moment.
    times = [NOW + n * minute for n in (3, 1, 2, 2, 9, -5)]
    await store.append(Act((accepted(a_qid()), *map(scan, times), diverted())))
    whole = ScanSpan(NOW - 9 * minute, NOW + 99 * minute, await store.changed_seq())
    await store.append(Act((scan(NOW + 2 * minute),)))
    rows = await store.scans(whole)
    assert _numbers(rows) == [7, 3, 4, 5, 2, 6]
    assert [at for at, _, _ in rows] == sorted(at for at, _, _ in rows)
    assert all(msgspec.json.decode(body)["type"] == "scan.made" for _, _, body in rows)
    paged: list[ScanRow] = []
    while page := await store.scans(whole, paged[-1] if paged else None, limit=2):
        assert len(page) <= 2
        paged += page
    assert paged == rows and await store.count_scans(whole) == 6
    # From the first moment itself to before the last.
    some = ScanSpan(NOW + minute, NOW + 3 * minute, whole.upto)
    assert _numbers(await store.scans(some)) == [3, 4, 5] and await store.count_scans(some) == 3
    assert await store.scans(ScanSpan(NOW, NOW, 99)) == [] and await store.count_scans(ScanSpan(NOW, NOW, 99)) == 0
