"""Who follows whom: written with the facts, taken along and taken back, and the fold of them on both engines."""

import asyncio
import random
from typing import Any

from msgspec.structs import replace

from motma.core.facts import Accepted, Fact, Merged, Parted, Took
from motma.core.ids import Qid
from motma.core.links import Link
from motma.storage.acts import Appended
from motma.storage.migrations.versions import v0010_feed
from motma.storage.store import Act, Already, Store
from tests.storage.conftest import Raw
from tests.storage.samples import a_qid, a_time, accepted, an_id, refused, scanned


def sent(qid: Qid, source: str) -> Fact:
    fact = accepted(qid)
    assert isinstance(fact.what, Accepted)
    return replace(fact, what=replace(fact.what, source=source))


def merged(other: Qid, into: Qid) -> tuple[Fact, Fact]:
    return (
        Fact(id=an_id("mrg"), at=a_time(), actor="x", qid=other, what=Merged(into)),
        Fact(id=an_id("tok"), at=a_time(), actor="x", qid=into, what=Took(other, None)),
    )


def parted(other: Qid, one: Qid) -> tuple[Fact, Fact]:
    return (
        Fact(id=an_id("prt"), at=a_time(), actor="x", qid=other, what=Parted(one, None)),
        Fact(id=an_id("prt"), at=a_time(), actor="x", qid=one, what=Parted(other, None)),
    )


async def following(store: Store, qid: Qid) -> set[tuple[str, Qid, int]]:
    return {(link.platform, link.via, link.seq) for link in await store.links(qid)}


async def test_who_declares_follows_from_then_on(store: Store) -> None:
    qid = a_qid()
    first, again = sent(qid, "BLUEZONE"), sent(qid, "BLUEZONE")
    await store.append(Act((sent(qid, "page"), first)))
    await store.append(Act((scanned(qid), again, refused(), sent(qid, "NCOVI"))))
    assert await store.links(qid) == [
        Link(qid, "BLUEZONE", qid, 2, max(first.id, again.id)),
        *[link for link in await store.links(qid) if link.platform == "NCOVI"],
    ]
    assert await following(store, qid) == {("BLUEZONE", qid, 2), ("NCOVI", qid, 6)}
    assert await store.links(a_qid()) == []


async def test_a_chain_of_merges_still_tells_the_first(store: Store) -> None:
    a, b, c = a_qid(), a_qid(), a_qid()
    await store.append(Act((sent(a, "A"), sent(b, "B"), sent(c, "C"))))  # 1, 2, 3
    await store.append(Act(merged(a, b)))  # 4, 5
    await store.append(Act(merged(b, c)))  # 6, 7
    assert await following(store, b) == {("A", a, 5), ("B", b, 2)}
    assert await following(store, c) == {("A", b, 7), ("B", b, 7), ("C", c, 3)}
    await store.append(Act(parted(b, c)))
    assert await following(store, c) == {("C", c, 3)}
    await store.append(Act(parted(a, b)))
    assert await following(store, b) == {("B", b, 2)}
    assert await following(store, a) == {("A", a, 1)}
    assert (await store.rebuild_standing()).differing == ()


async def test_all_in_one_act_comes_to_the_same(store: Store) -> None:
    a, b = a_qid(), a_qid()
    await store.append(Act((sent(a, "A"), *merged(a, b), *parted(a, b), *merged(a, b), sent(b, "A"))))
    assert await following(store, b) == {("A", a, 7), ("A", b, 8)}
    assert (await store.rebuild_standing()).differing == ()


async def test_what_was_under_way_during_a_merge_is_not_written_under_the_old_number(store: Store) -> None:
    """Neither the links nor the standing of the number that it goes by now would ever hear of it."""
    a, b, c = a_qid(), a_qid(), a_qid()
    await store.append(Act((sent(a, "A"), sent(b, "B"), sent(c, "C"))))
    before = await store.standing(c)
    told = await asyncio.gather(
        *[store.append(Act(acts)) for acts in (merged(a, b), merged(b, c), (sent(a, "LATE"),), (sent(b, "LATE"),))]
    )
    assert told[2:] == [Already(frozenset(), {})] * 2
    assert {platform for platform, _, _ in await following(store, c)} == {"A", "B", "C"}
    assert isinstance(await store.append(Act((sent(c, "LATE"),))), Appended)
    assert before and (after := await store.standing(c)) and after.declaration != before.declaration
    assert "LATE" in {platform for platform, _, _ in await following(store, c)}
    await store.append(Act(parted(b, c)))
    assert isinstance(await store.append(Act((sent(b, "AGAIN"),))), Appended), "a citizen of its own again"
    assert (await store.rebuild_standing()).differing == ()


async def _at_random(store: Store, rng: random.Random, acts: int) -> list[Qid]:
    """Citizens who declare, are merged and parted, as the services would have it."""
    qids = [a_qid() for _ in range(6)]
    into: dict[Qid, Qid] = {}
    for _ in range(acts):
        free = [qid for qid in qids if qid not in into]
        match rng.randrange(4):
            case 0 if len(free) > 1:
                a, b = rng.sample(free, 2)
                into[a] = b
                await store.append(Act(merged(a, b)))
            case 1 if ends := [qid for qid in into if into[qid] not in into]:
                a = rng.choice(ends)
                await store.append(Act(parted(a, into.pop(a))))
            case _:
                source = rng.choice(("A", "B", "C", "page"))
                await store.append(Act((sent(rng.choice(free), source),)))
    return qids


async def test_the_table_the_fold_and_the_migration_agree(store: Store, raw: Raw, engine: str) -> None:
    """Whatever happened: as written step by step, as folded from the facts, and as back-filled by step 0010."""
    rng = random.Random(7)
    for _ in range(3):
        await _at_random(store, rng, 40)
    written = _rows(raw)
    assert len(written) > 10
    assert (await store.rebuild_standing()).differing == ()
    raw("DELETE FROM links")
    raw(v0010_feed.folded(engine))
    assert _rows(raw) == written


def _rows(raw: Raw) -> list[tuple[Any, ...]]:
    return sorted(tuple(row) for row in raw("SELECT qid, platform, via, seq, declaration FROM links"))


async def test_what_differs_is_found_and_put_right(store: Store, raw: Raw) -> None:
    a, b, c, stray = a_qid(), a_qid(), a_qid(), a_qid()
    await store.append(Act((sent(a, "A"), sent(b, "B"), sent(c, "C"), *merged(a, b))))
    truth = _rows(raw)
    raw(f"DELETE FROM links WHERE qid = '{b}' AND platform = 'A'")
    raw(f"UPDATE links SET seq = 99 WHERE qid = '{c}'")
    raw(f"INSERT INTO links VALUES ('{stray}', 'SPY', '{stray}', 1, 'dcl_x')")
    for repair in (False, True):
        assert set((await store.rebuild_standing(repair=repair)).differing) == {b, c, stray}
    assert (await store.rebuild_standing()).differing == ()
    assert _rows(raw) == truth


async def test_an_act_that_is_refused_links_nobody(store: Store) -> None:
    qid = a_qid()
    await store.append(Act((scanned(None),), once=((b"k" * 32, "a"),)))
    await store.append(Act((sent(qid, "A"),), once=((b"k" * 32, "b"),)))
    assert await store.links(qid) == []


async def test_many_are_asked_at_once(store: Store) -> None:
    qids = [a_qid() for _ in range(300)]
    await store.append(Act(tuple(sent(qid, "A") for qid in qids)))
    assert {qid: links[0].seq for qid, links in (await store.links_of(qids)).items()} == {
        qid: n for n, qid in enumerate(qids, 1)
    }
    assert (await store.standings_of(qids)).keys() == set(qids)
    assert [move.seq for move in await store.moves(250, 300)] == list(range(251, 301))
