"""Where people stood, what they travel in, whose contacts they are: the same on both engines, each by its index."""

import contextlib
import datetime as dt
import sqlite3
from pathlib import Path

import pytest
from msgspec.structs import replace

from motma.core.facts import Fact, HealthReported, Scanned
from motma.core.ids import FactId, Qid, new_fact_id
from motma.core.tracing import Window
from motma.storage import tracks
from motma.storage.store import Act, Holding, Store
from tests.storage.samples import KEY, NOW, a_qid, accepted, an_id, clock, scanned

MINUTE = dt.timedelta(minutes=1)


def passed(qid: Qid | None, minute: float, *, at: str = "g01", late: float = 0, skew: float = 0) -> Fact:
    """Held up at ``minute``, judged ``late`` minutes after, by a device whose clock is ahead by ``skew`` minutes."""
    fact = scanned(qid)
    assert isinstance(fact.what, Scanned)
    held = NOW + minute * MINUTE
    what = replace(fact.what, scanned_at=held + skew * MINUTE, skew_seconds=skew * 60)
    return replace(fact, at=held + late * MINUTE, checkpoint=at, what=what)


async def test_passages_by_the_time_they_were_made(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tracks, "PAGE_PASSAGES", 2)
    one, other = a_qid(), a_qid()
    facts = [
        passed(one, -0.1, late=5),
        passed(one, 0),
        passed(None, 3, skew=60),
        passed(other, 9, late=10),
        passed(one, 10, late=10, skew=-5),
        passed(one, 10.1),
        passed(one, 5, at="g02"),
    ]
    await store.append(Act(tuple(facts)))
    window = Window(NOW, NOW + 10 * MINUTE)
    here = await store.tracks.passages_at("g01", window, 100)
    assert [(found.qid, (found.at - NOW) / MINUTE) for found in here] == [(one, 0), (None, 3), (other, 9), (one, 10)]
    theirs = await store.tracks.passages_of(one, window, 100)
    assert sorted((found.checkpoint, (found.at - NOW) / MINUTE) for found in theirs) == [
        ("g01", 0),
        ("g01", 10),
        ("g02", 5),
    ]
    assert len(await store.tracks.passages_at("g01", window, 3)) == 3


async def test_whose_contacts_were_reported(store: Store) -> None:
    case, other = a_qid(), a_qid()

    def reported(qid: Qid, of: Qid | None, minute: int, reference: str = "r") -> Fact:
        at = NOW + minute * MINUTE
        what = HealthReported("contact", "CDC", at, None, reference, of)
        return Fact(id=an_id("hev"), at=at, actor="CDC", qid=qid, what=what)

    qids = [a_qid() for _ in range(5)]
    pattern = f'"case":"{case}"'  # in a reference: somebody else's text
    facts = [
        reported(qids[0], case, 1),
        reported(qids[1], other, 1),
        reported(qids[2], None, 1, pattern),
        reported(qids[3], case, -1),
        reported(qids[4], case, 2, '"%_'),
    ]
    await store.append(Act(tuple(facts)))
    found = await store.tracks.reported_contacts(case, NOW, 10)
    assert [fact.qid for fact in found] == [qids[0], qids[4]]


async def test_declarations_and_vehicles_of_some_time(store: Store) -> None:
    qids, vehicle = [a_qid() for _ in range(4)], b"v" * 32
    facts, holdings = [], []
    for n, qid in enumerate(qids):
        fact = accepted(qid, at=NOW + n * MINUTE)
        id = FactId(f"dcl_{fact.id[4:]}") if n == 0 else _later(n)
        facts.append(replace(fact, id=id))
        holdings.append(Holding(vehicle, qid, id, fact.at))
    await store.append(Act(tuple(facts), holdings=tuple(holdings)))
    window = Window(NOW, NOW + 3 * MINUTE)
    assert [one.qid for one in await store.tracks.declared_between(window, None, 10)] == qids[:3]
    assert [one.qid for one in await store.tracks.declared_between(window, facts[0].id, 1)] == qids[1:2]
    assert [one.qid for one in await store.tracks.held_between(vehicle, window, 10)] == qids[:3]
    assert [one.qid for one in await store.tracks.held_between(vehicle, window, 2)] == qids[:2]
    assert await store.tracks.held_between(b"w" * 32, window, 2) == []


def _later(n: int) -> FactId:
    return new_fact_id("dcl", NOW + n * MINUTE, bytes(10))


async def test_each_question_goes_by_its_index(tmp_path: Path) -> None:
    """SQLite plans without looking at what is stored: what holds for an empty table holds for a million rows."""
    await (await Store.open(f"sqlite:///{tmp_path}/m.db", seal_key=KEY, clock=clock)).close()
    with contextlib.closing(sqlite3.connect(tmp_path / "m.db")) as database:
        for query, index in (
            (tracks.PASSAGES_OF, "ix_facts_qid_seq"),
            (tracks.PASSAGES_AT, "ix_facts_passages"),
            (tracks.HEALTH_REPORTS, "ix_facts_health"),
            (tracks.DECLARED_BETWEEN, "(id>? AND id<?)"),
            (tracks.HELD_BETWEEN, "PRIMARY KEY (wallet=?)"),
        ):
            plan = str(database.execute("EXPLAIN QUERY PLAN " + query.sqlite.replace("?", "1")).fetchall())
            assert index in plan and "TEMP B-TREE" not in plan, plan
