"""The table of permits follows from the facts about them, on both engines, whatever is written together."""

import asyncio
import datetime as dt

from motma.core.facts import Fact, PermitIssued, PermitRevoked
from motma.core.ids import Qid, same_moment_id
from motma.core.permit import Permit, Signatory
from motma.storage import statements
from motma.storage.store import Act, Already, Appended, Store
from tests.storage.conftest import Raw
from tests.storage.samples import NOW, a_qid, a_time, accepted, an_id


def given(holder: str) -> Fact:
    permit = Permit(
        id=an_id("prm"),
        group="3A",
        areas=("quan-3",),
        valid_from=NOW,
        valid_until=NOW + dt.timedelta(days=9),
        holder=holder,
        signed_by=Signatory("ward", "quan-3"),
    )
    qid = Qid(holder) if len(holder) == 18 else None
    return Fact(id=permit.id, at=a_time(), actor="X", qid=qid, what=PermitIssued(permit), personal=b'{"name":"A"}')


def taken(issued: Fact, reason: str = "F0") -> Fact:
    what = PermitRevoked(issued.id, reason)
    return Fact(id=same_moment_id("prr", issued.id), at=a_time(), actor="X", qid=issued.qid, what=what)


def permit_of(fact: Fact) -> Permit:
    assert isinstance(fact.what, PermitIssued)
    return fact.what.permit


async def test_one_question_finds_those_of_a_citizen_and_their_vehicle(store: Store) -> None:
    qid, other, plate = a_qid(), a_qid(), "ab" * 32
    facts = [given(qid), given(other), given(plate), given(a_qid())]
    await store.append(Act(tuple(facts)))
    found = await store.permits_of([qid, other, plate, "nobody"])
    assert sorted(found, key=lambda one: one.id) == sorted(map(permit_of, facts[:3]), key=lambda one: one.id)
    assert await store.permits_of([]) == [] == await store.permits_of(["nobody"])
    assert await store.permit(facts[0].id) == permit_of(facts[0])
    assert await store.permit("prm_x") is None
    every = await store.permits(9)
    assert [one.id for one in every] == sorted((fact.id for fact in facts), reverse=True)
    assert await store.permits(9, every[1].id) == every[2:]


async def test_revoked_later_at_once_and_only_once(store: Store) -> None:
    before, together = given(a_qid()), given("cd" * 32)
    await store.append(Act((before,)))
    assert isinstance(await store.append(Act((together, taken(together, "at once")))), Appended)
    answers = await asyncio.gather(*[store.append(Act((taken(before, f"{n}"),))) for n in range(3)])
    assert sorted(type(answer).__name__ for answer in answers) == ["Already", "Already", "Appended"]
    kept = [await store.permit(fact.id) for fact in (before, together)]
    assert all(one and one.revoked_at for one in kept)
    assert kept[1] and kept[1].reason == "at once"
    assert await store.rebuild_permits() == (2, ())


async def test_a_revocation_of_nothing_makes_nothing(store: Store) -> None:
    stray = given(a_qid())
    await store.append(Act((taken(stray),)))
    assert await store.permit(stray.id) is None
    assert await store.rebuild_permits() == (1, ())


async def test_an_act_that_is_refused_leaves_no_permit(store: Store) -> None:
    once, first, second = b"k" * 32, given(a_qid()), given(a_qid())
    await store.append(Act((first,), once=((once, "a"),)))
    assert isinstance(await store.append(Act((second,), once=((once, "b"),))), Already)
    assert await store.permit(second.id) is None


async def test_what_differs_from_the_facts_is_found_and_put_right(store: Store, raw: Raw) -> None:
    facts = [given(a_qid()) for _ in range(5)]
    await store.append(Act((*facts, taken(facts[3]), accepted(a_qid()))))
    truth = await store.permits(9)
    raw(f"DELETE FROM permits WHERE id = '{facts[0].id}'")
    raw(f"UPDATE permits SET holder = 'x' WHERE id = '{facts[1].id}'")
    raw(f"UPDATE permits SET body = replace(body, 'quan-3', 'quan-5') WHERE id = '{facts[2].id}'")
    raw(f"UPDATE permits SET body = replace(body, 'F0', 'F1') WHERE id = '{facts[3].id}'")
    raw("INSERT INTO permits VALUES ('prm_z', 'x', 'no permit')")
    wrong = {*(fact.id for fact in facts[:4]), "prm_z"}
    for _ in range(2):
        checked, differing = await store.rebuild_permits()
        assert (checked, set(differing)) == (6, wrong)
    assert set((await store.rebuild_permits(repair=True))[1]) == wrong
    assert await store.rebuild_permits() == (5, ())
    assert await store.permits(9) == truth


async def test_many_are_checked_while_others_write(store: Store) -> None:
    facts = [given(a_qid()) for _ in range(300)]
    await store.append(Act(tuple(facts)))

    async def write() -> None:
        for fact in facts[:40]:
            await store.append(Act((taken(fact), given(a_qid()))))

    writing = asyncio.create_task(write())
    while not writing.done():
        assert (await store.rebuild_permits(repair=True))[1] == ()
    await writing
    assert await store.rebuild_permits() == (340, ())


async def test_the_look_at_a_check_uses_its_index(store: Store, raw: Raw, engine: str) -> None:
    await store.append(Act((given(a_qid()),)))
    many = {  # or a planner is right to read the few rows whole
        "sqlite": "WITH RECURSIVE s(n) AS (SELECT 10 UNION ALL SELECT n + 1 FROM s WHERE n < 5000)"
        " INSERT INTO permits SELECT CAST(n AS TEXT), CAST(n AS TEXT), '' FROM s",
        "postgresql": "INSERT INTO permits SELECT n, n, '' FROM (SELECT generate_series(10, 20000)::text AS n) AS s",
    }
    raw(many[engine])
    raw("ANALYZE")
    query = getattr(statements.permits_of(2), engine).replace("?", "'1'")
    for n in (1, 2):
        query = query.replace(f"${n}", "'1'")
    explain = "EXPLAIN QUERY PLAN " if engine == "sqlite" else "EXPLAIN "
    assert "ix_permits_holder" in str(raw(explain + query))


async def test_what_is_personal_lies_in_the_fact_alone(store: Store, raw: Raw) -> None:
    fact = given(a_qid())
    await store.append(Act((fact,)))
    kept = await store.fact(fact.id)
    assert kept and kept.personal == b'{"name":"A"}'
    assert "name" not in str(raw("SELECT body FROM permits"))
