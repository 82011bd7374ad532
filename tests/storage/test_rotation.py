"""A new seal key takes the place of the old one while everybody goes on: nothing is lost, nothing left unreadable."""

import asyncio
import contextlib
import datetime as dt
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from motma.core.errors import Unavailable
from motma.core.facts import Fact
from motma.storage import seal
from motma.storage.keys import FILE_NAME, Chest, open_chest
from motma.storage.keys.files import replace
from motma.storage.keys.secrets import Secrets, written_file
from motma.storage.rotation import Rotated, rotate
from motma.storage.seal import SealKey
from motma.storage.statements import Query
from motma.storage.store import Act, Appended, Store
from tests.storage.conftest import Raw
from tests.storage.rings import TurningRing
from tests.storage.samples import KEY, NOW, a_qid, accepted, clock, issued, scanned
from tests.storage.test_seal import whole_v1


def declared(n: int) -> Fact:
    return accepted(a_qid(), personal=msgspec.json.encode({"name": f"Người {n}", "phone": f"{n:010}"}))


@contextlib.asynccontextmanager
async def store_on(url: str, ring: TurningRing | Chest) -> AsyncIterator[Store]:
    store = await Store.open(url, seal_key=ring.ring if isinstance(ring, Chest) else ring, clock=clock)
    try:
        yield store
    finally:
        await store.close()


async def all_open(store: Store, facts: list[Fact]) -> bool:
    return all([await store.fact(fact.id) == fact for fact in facts])


# -- what a store does with a ring that turns ----------------------------------------------------------------------


async def test_a_field_is_asked_for(url: str) -> None:
    async with store_on(url, TurningRing()) as store:
        fact, bare = declared(7), scanned(None)
        await store.append(Act((fact, bare)))
        some = await store.fact(fact.id, only=("name",))
        assert some is not None and some.personal == '{"name":"Người 7"}'.encode()
        assert msgspec.structs.replace(some, personal=fact.personal) == fact
        assert await store.fact(bare.id, only=("name",)) == bare


async def test_an_act_sealed_with_the_old_key_is_sealed_again_when_it_comes_late(url: str) -> None:
    """One server does not look at the file; the other has told the database of the new key."""
    slow, quick = TurningRing(), TurningRing()
    async with store_on(url, slow) as late, store_on(url, quick) as early:
        first = declared(1)
        await late.append(Act((first,)))
        slow.set(*slow.held(), quick.turn())
        await early.claim_seals()
        facts = [declared(n) for n in range(20)]
        acts = [Act((fact,), ((fact.id.encode(), "held"),)) for fact in facts]
        assert await asyncio.gather(*map(late.append, acts)) == [Appended()] * 20
        assert await early.sealed_by() == {1: 1, 2: 20}
        assert [looked async for looked in early.reseal()] == [(21, 21)]
        assert await early.sealed_by() == {2: 21}
        quick.drop()
        quick.look()
        assert await all_open(early, [first, *facts]) and await all_open(late, [first, *facts])


async def test_a_server_that_lacks_the_new_key_says_so_and_writes_nothing(url: str) -> None:
    behind, ahead = TurningRing(), TurningRing()
    async with store_on(url, behind) as old, store_on(url, ahead) as new:
        mine = declared(1)
        await old.append(Act((mine,)))
        ahead.turn()
        await new.claim_seals()
        fact = declared(2)
        with pytest.raises(Unavailable, match=r"storage\.sealed") as error:
            await old.append(Act((fact,)))
        assert error.value.permanent and "key 2" in error.value.words.en
        assert await new.fact(fact.id) is None
        assert await old.append(Act((scanned(None),))) == Appended(), "what holds nothing personal needs no key"
        await new.append(Act((fact,)))
        with pytest.raises(Unavailable, match=r"storage\.sealed"):
            await old.fact(fact.id)
        behind.set(*ahead.held())  # the file is copied to that machine
        assert await old.fact(fact.id) == fact
        assert await old.append(Act((declared(3),))) == Appended()


@pytest.mark.parametrize("files", ["older", "newer", "other", "waiting"])
async def test_a_file_of_another_time_is_noticed_at_the_start(url: str, files: str) -> None:
    ring = TurningRing()
    async with store_on(url, ring) as store:
        one = ring.held()[0]
        if files != "newer":
            two = ring.turn()
            await store.claim_seals()
        else:
            two = SealKey(2, bytes(32))
    told = {
        "older": (one,),
        "newer": (two,),
        "other": (one, SealKey(2, bytes(32))),
        "waiting": (one, SealKey(2, bytes(32), "waiting")),
    }
    ring.set(*told[files])
    for _ in range(2):  # and not only the first time
        with pytest.raises(Unavailable, match=r"storage\.other_key") as error:
            await Store.open(url, seal_key=ring, clock=clock)
        assert error.value.permanent
    ring.set(one, two)
    async with store_on(url, ring):
        pass


async def test_a_row_in_hand_when_its_key_is_thrown_away_is_read_again(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ring = TurningRing()
    async with store_on(url, ring) as store:
        fact = declared(1)
        await store.append(Act((fact,)))
        read, done = store._engine.read, False

        async def slowly(*asked: object) -> object:
            nonlocal done
            rows = await read(*asked)  # type: ignore[arg-type]
            if not done:  # and before it is opened, a whole rotation goes by
                done = True
                ring.turn()
                await store.claim_seals()
                assert [page async for page in store.reseal()]
                ring.drop()
                ring.look()
            return rows

        monkeypatch.setattr(store._engine, "read", slowly)
        assert await store.fact(fact.id) == fact


async def test_sealing_anew_leaves_alone_what_changed_meanwhile(url: str, raw: Raw) -> None:
    """Two who rotate at once: each row is sealed once with the newest key, and always opens."""
    ring = TurningRing()
    async with store_on(url, ring) as store, store_on(url, ring) as other:
        facts = [declared(n) for n in range(500)]
        await store.append(Act(tuple(facts)))
        ring.turn()
        await store.claim_seals()

        async def work(one: Store) -> None:
            assert [page async for page in one.reseal()] == [(500, 500)]

        await asyncio.gather(work(store), work(other))
        assert await store.sealed_by() == {2: 500}
        stale = (1, bytes(40), bytes(40))
        await store._put_sealed([stale])
        assert await all_open(store, facts)


async def test_pages_end_where_they_should(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("motma.storage.store.PAGE_SEALED", 3)
    monkeypatch.setattr("motma.storage.store.BATCH_SEALED", 2)
    ring = TurningRing()
    async with store_on(url, ring) as store:
        for count in (0, 1, 2, 1, 3, 4):
            facts = [fact for n in range(count) for fact in (declared(n), scanned(None))]
            await store.append(Act(tuple(facts)))
            ring.turn()
            await store.claim_seals()
            total = await store.changed_seq()
            told = [page async for page in store.reseal()]
            assert [upto for upto, _ in told] == [*range(3, total, 3), *([total] if total else [])]
            assert set(await store.sealed_by()) <= {ring.held()[-1].number}


async def test_what_the_first_version_sealed_is_counted_and_sealed_anew(url: str, raw: Raw, engine: str) -> None:
    ring = TurningRing()
    async with store_on(url, ring) as store:
        facts = [declared(n) for n in range(40)]
        await store.append(Act(tuple(facts)))
        trigger = "facts_only_reseal" + (" ON facts" if engine == "postgresql" else "")
        raw(f"DROP TRIGGER {trigger}")  # to put rows of an older house there
        for fact in facts[:30]:
            old = whole_v1(fact.personal or b"", fact.id).hex()
            quoted = f"x'{old}'" if engine == "sqlite" else f"'\\x{old}'"
            raw(f"UPDATE facts SET sealed = {quoted} WHERE id = '{fact.id}'")
        assert await store.sealed_by() == {1: 40}
        assert await all_open(store, facts)
        ring.turn()
        await store.claim_seals()
        assert [page async for page in store.reseal()]
        assert await store.sealed_by() == {2: 40}
        ring.drop()
        ring.look()
        assert await all_open(store, facts)


_SEALED = Query("SELECT seq, id, sealed FROM facts WHERE id = ?", "SELECT seq, id, sealed FROM facts WHERE id = $1")


def a_chest(folder: Path) -> Chest:
    """A chest whose seal key is that of the tests' databases."""
    chest = open_chest(folder, now=NOW)
    secrets = Secrets(chest.secrets.index_key, (SealKey(1, KEY),))
    replace(folder / FILE_NAME, written_file(secrets, chest._unlock))
    return open_chest(folder)


# -- the command's work --------------------------------------------------------------------------------------------


async def test_a_rotation_from_beginning_to_end(url: str, tmp_path: Path) -> None:
    folder = tmp_path / "chest"
    server, command = a_chest(folder), open_chest(folder)
    async with store_on(url, server) as serving, store_on(url, command) as store:
        facts = [declared(n) for n in range(450)]
        await serving.append(Act((*facts, scanned(None), issued(a_qid(), facts[0].id))))
        told: list[tuple[int, int]] = []
        done = await rotate(command, store, NOW, tell=lambda *page: told.append(page))
        assert done == Rotated(2, False, {})
        assert told == [(452, 452)]
        assert await store.sealed_by() == {2: 451}
        (key,) = open_chest(folder).ring.held()
        assert (key.number, key.state, key.made_at) == (2, "active", NOW.replace(microsecond=0))
        assert await all_open(serving, facts)
        server.ring._next = 0.0  # a second goes by
        late = declared(999)
        await serving.append(Act((late,)))
        assert await store.sealed_by() == {2: 452}
        assert (await rotate(command, store, NOW, keep_old=True)) == Rotated(3, False, {})
        assert [(one.number, one.state) for one in command.ring.look()] == [(2, "kept"), (3, "active")]
        assert (await rotate(command, store, NOW)) == Rotated(4, False, {})
        assert [(one.number, one.state) for one in server.ring.look()] == [(4, "active")]
        assert await all_open(serving, [*facts, late]) and await all_open(store, [*facts, late])


async def test_a_row_that_does_not_open_keeps_its_key(url: str, tmp_path: Path, raw: Raw, engine: str) -> None:
    chest = a_chest(tmp_path / "chest")
    async with store_on(url, chest) as store:
        facts = [declared(n) for n in range(5)]
        await store.append(Act(tuple(facts)))
        trigger = "facts_only_reseal" + (" ON facts" if engine == "postgresql" else "")
        raw(f"DROP TRIGGER {trigger}")
        raw(f"UPDATE facts SET sealed = (SELECT f.sealed FROM facts f WHERE f.seq = 2) WHERE id = '{facts[0].id}'")
        assert await rotate(chest, store, NOW) == Rotated(2, False, {1: 1})
        assert [(one.number, one.state) for one in chest.ring.look()] == [(1, "active"), (2, "active")]
        assert await rotate(chest, store, NOW) == Rotated(2, True, {1: 1}), "finishes, and does not begin anew"
        assert await all_open(store, facts[1:])


@pytest.mark.parametrize("after", ["add", "activate", "claim", "half", "reseal"])
async def test_interrupted_anywhere_it_goes_on(url: str, tmp_path: Path, after: str) -> None:
    chest = a_chest(tmp_path / "chest")
    facts = [declared(n) for n in range(30)]
    async with store_on(url, chest) as store:
        await store.append(Act(tuple(facts)))
        chest.add_seal_key(NOW)
        if after != "add":
            chest.activate_seal_key()
        if after in ("claim", "half", "reseal"):
            await store.claim_seals()
        if after == "half":
            rows = [await store._engine.read(_SEALED, fact.id) for fact in facts[:10]]
            batch = [(row[0][0], bytes(row[0][2]), store._seal.again(bytes(row[0][2]), row[0][1])) for row in rows]
            await store._put_sealed(batch)
        if after == "reseal":
            assert [page async for page in store.reseal()]
    chest = open_chest(tmp_path / "chest")
    async with store_on(url, chest) as store:
        assert await all_open(store, facts)
        more = declared(31)
        await store.append(Act((more,)))
        assert await rotate(chest, store, NOW) == Rotated(2, after != "add", {})
        assert await store.sealed_by() == {2: 31}
        assert [one.number for one in chest.ring.look()] == [2]
        assert await all_open(store, [*facts, more])


async def test_writers_and_readers_go_on_through_many_rotations(url: str, tmp_path: Path) -> None:
    """Three servers write and read without pause while keys come and go: every answer stands, every row opens."""
    folder = tmp_path / "chest"
    chests = [a_chest(folder), *(open_chest(folder) for _ in range(3))]
    written: list[Fact] = []
    stop = False

    async def serve(store: Store, n: int) -> None:
        while not stop:
            fact = declared(n)
            assert await store.append(Act((fact,))) == Appended()
            written.append(fact)
            some = written[(len(written) * 7919) % len(written) - 1]
            assert await store.fact(some.id) == some

    async with contextlib.AsyncExitStack() as stack:
        stores = [await stack.enter_async_context(store_on(url, chest)) for chest in chests]
        servers = [asyncio.create_task(serve(store, n)) for n, store in enumerate(stores[1:]) for _ in range(4)]
        began = asyncio.get_running_loop().time()
        done = [await rotate(chests[0], stores[0], NOW + dt.timedelta(days=n)) for n in range(4)]
        stop = True
        await asyncio.gather(*servers)
        assert done == [Rotated(n, False, {}) for n in (2, 3, 4, 5)], asyncio.get_running_loop().time() - began
        assert await stores[0].sealed_by() == {5: len(written)}
        assert len(written) > 20
        for store in stores:
            assert await all_open(store, written)


def test_the_bound_of_a_page_is_what_the_seal_says() -> None:
    assert seal.PREFIX_BYTES == 5, "the triggers in tables.py and step 0004 compare as many"
