"""The register is away: nobody waits; it comes back: everybody is matched; and whoever lied has gained nothing."""

import contextlib
import datetime as dt
import sqlite3

from motma.core.facts import Issued, Scanned
from motma.core.ids import FactId, Qid
from tests.world import World


async def outcome(world: World, code: str) -> tuple[str, list[str]]:
    answer = (await world.check(code=code)).json()
    return answer["outcome"], [reason["code"] for reason in answer["reasons"]]


async def test_outage_then_matched(world: World) -> None:
    world.registry.outage = True
    sent = (await world.declare(world.person(0))).json()
    assert (sent["outcome"], sent["valid_until"]) == ("pending", "2026-01-19T07:00:00Z")
    assert await outcome(world, sent["code"]) == ("manual", ["identity.pending"])
    assert await world.work() == 0
    world.now += dt.timedelta(hours=3)
    world.registry.outage = False
    assert await world.work() == 1
    assert await world.work() == 0
    assert await outcome(world, sent["code"]) == ("accept", ["code.newer_exists"])  # the code in hand
    standing = await world.built.store.standing(Qid(sent["qid"]))
    assert standing is not None
    assert standing.valid_until == dt.datetime(2026, 1, 21, 7, tzinfo=dt.UTC)
    issued = await world.built.store.facts_about(Qid(sent["qid"]), kinds=["code.issued"])
    assert [fact.what.reissue for fact in issued if isinstance(fact.what, Issued)] == [False, True]
    assert standing.code == issued[-1].id
    assert (await world.built.store.rebuild_standing()).differing == ()


async def test_outage_then_mismatched(world: World) -> None:
    world.registry.outage = True
    sent = (await world.declare(world.person(0), name="Ai Đó Khác")).json()
    world.registry.outage = False
    assert await world.work() == 1
    assert await outcome(world, sent["code"]) == ("manual", ["identity.mismatched"])
    again = (await world.declare(world.person(0))).json()
    assert (again["outcome"], again["qid"]) == ("accepted", sent["qid"])
    assert await outcome(world, again["code"]) == ("accept", [])


async def test_a_code_made_during_an_outage_on_anothers_number(world: World) -> None:
    """Once the holder of the number is matched, the other's code must not turn green."""
    world.registry.outage = True
    stolen = (await world.declare(world.person(0), name="Kẻ Mạo Danh")).json()
    world.registry.outage = False
    await world.work()
    own = (await world.declare(world.person(0))).json()
    assert own["qid"] == stolen["qid"]
    assert await outcome(world, own["code"]) == ("accept", [])
    assert await outcome(world, stolen["code"]) == ("manual", ["identity.pending", "code.newer_exists"])


async def test_declared_again_while_the_worker_asks(world: World) -> None:
    """What the register says about an older declaration neither changes the newer one nor its code."""
    world.registry.outage = True
    old = (await world.declare(world.person(0), name="Ai Đó Khác")).json()
    (waiting,) = await world.built.store.pending(10)
    world.registry.outage = False
    new = (await world.declare(world.person(0))).json()
    assert await world.built.identify._settle(waiting, world.now)
    assert old["qid"] != new["qid"], "who types somebody's number gets a number of their own"
    standing = await world.built.store.standing(Qid(new["qid"]))
    assert standing is not None
    assert (standing.declaration, str(standing.grade)) == (new["declaration"], "matched")
    typed = (await world.check(qid=new["qid"])).json()
    assert (typed["outcome"], typed["citizen"]["name"]) == ("accept", world.person(0).name)
    assert await outcome(world, old["code"]) == ("manual", ["identity.mismatched"])


async def test_somebody_who_cannot_be_read_holds_nobody_up(world: World) -> None:
    world.registry.outage = True
    first = (await world.declare(world.person(0))).json()
    world.now += dt.timedelta(minutes=1)
    later = (await world.declare(world.person(1))).json()
    world.registry.outage = False
    path = world.settings.database_url.removeprefix("sqlite:///")
    with contextlib.closing(sqlite3.connect(path)) as database:  # a row that somebody has been at
        database.execute("DROP TRIGGER facts_only_reseal")
        database.execute("UPDATE facts SET sealed = zeroblob(60) WHERE id = ?", (first["declaration"],))
        database.commit()
    assert await world.work() == 1
    assert await world.built.identify.match_pending(world.now, limit=1) == 0
    standing = await world.built.store.standing(Qid(later["qid"]))
    assert standing is not None and str(standing.grade) == "matched"


async def test_an_outage_in_the_middle_of_the_work(world: World) -> None:
    world.registry.outage = True
    for n in range(5):
        await world.declare(world.person(n))
        world.now += dt.timedelta(seconds=1)
    world.registry.outage = False
    assert await world.built.identify.match_pending(world.now, limit=2) == 2
    world.registry.outage = True
    assert await world.work() == 0
    world.registry.outage = False
    assert await world.work() == 3
    assert await world.built.store.pending(10) == []


async def test_pending_lasts_a_day_and_no_longer(world: World) -> None:
    world.registry.outage = True
    sent = (await world.declare(world.person(0))).json()
    world.now += dt.timedelta(hours=24)
    officer = await world.officer_at(officer="CB-02")
    answer = await world.check(code=sent["code"], officer=officer)
    assert [reason["code"] for reason in answer.json()["reasons"]] == ["standing.expired", "identity.pending"]
    fact = await world.built.store.fact(FactId(answer.json()["id"]))
    assert fact is not None and isinstance(fact.what, Scanned)
