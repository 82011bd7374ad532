"""Databases that fail, acts that cannot be written, and data that must not be readable."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from motma.core.errors import Invalid, Unavailable
from motma.storage.engine import Loaded, Rows, Wanted
from motma.storage.sqlite import SQLiteEngine
from motma.storage.store import Act, Already, Appended, Credential, Store
from tests.storage.conftest import Opener, Raw
from tests.storage.samples import KEY, NOW, a_qid, accepted, clock, scanned
from tests.storage.servers import PostgresServer, Server


def _engine_of(store: Store) -> Any:
    return store._engine


async def test_an_act_the_database_refuses_does_not_take_its_neighbours_down(store: Store) -> None:
    # What no check before the batch catches: text where a column takes bytes.
    poison = Credential("text", "device", "dev_1", {}, NOW)  # type: ignore[arg-type]
    acts = [Act((scanned(None),)) for _ in range(9)]
    acts[4] = Act((scanned(None),), credentials=(poison,))
    answers = await asyncio.gather(*map(store.append, acts), return_exceptions=True)
    assert isinstance(answers.pop(4), Invalid)
    assert answers == [Appended()] * 8
    assert await store.changed_seq() == 8
    assert await store.fact(acts[4].facts[0].id) is None


async def test_a_full_disk_is_said_and_got_over(tmp_path: Path) -> None:
    store = await Store.open(f"sqlite:///{tmp_path}/small.db", seal_key=KEY, clock=clock)
    engine = _engine_of(store)
    assert isinstance(engine, SQLiteEngine)
    assert engine._writer is not None
    await store.append(Act((scanned(None),)))
    (pages,) = engine._writer.execute("PRAGMA page_count").fetchone()
    engine._writer.execute(f"PRAGMA max_page_count = {pages}")
    large = Act((accepted(a_qid(), personal=b"x" * 100_000),))
    with pytest.raises(Unavailable, match=r"storage\.unavailable"):
        await store.append(large)
    assert await store.changed_seq() == 1
    assert await store.append(large) == Appended()  # a new connection knows no such limit
    assert await store.changed_seq() == 2
    await store.close()


async def test_a_file_that_cannot_be_opened(tmp_path: Path) -> None:
    with pytest.raises(Unavailable):
        await Store.open(f"sqlite:///{tmp_path}/missing/motma.db", seal_key=KEY, clock=clock)
    (tmp_path / "text.db").write_text("not a database, and long enough to be seen as none" * 50)
    with pytest.raises(Unavailable):
        await Store.open(f"sqlite:///{tmp_path}/text.db", seal_key=KEY, clock=clock)


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///", "mysql://x/y", "motma.db"])
async def test_an_url_of_another_kind(url: str) -> None:
    with pytest.raises(ValueError, match="neither"):
        await Store.open(url, seal_key=KEY, clock=clock)


@pytest.mark.postgres
async def test_nobody_there(tmp_path: Path) -> None:
    with pytest.raises(Unavailable):
        await Store.open(f"postgresql://postgres@/x?host={tmp_path}", seal_key=KEY, clock=clock)


@pytest.mark.parametrize("engine", [pytest.param("postgresql", marks=pytest.mark.postgres)], indirect=True)
async def test_a_lost_connection_is_made_again(store: Store, raw: Raw) -> None:
    fact = accepted(a_qid())
    await store.append(Act((fact,)))
    for _ in range(3):
        raw("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'motma %'")
        assert await store.append(Act((scanned(None),))) == Appended()
        raw("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'motma %'")
        assert await store.fact(fact.id) == fact
    assert await store.changed_seq() == 4


@pytest.mark.parametrize("engine", [pytest.param("postgresql", marks=pytest.mark.postgres)], indirect=True)
async def test_connections_lost_under_load_lose_nothing_acknowledged(store: Store, raw: Raw) -> None:
    acknowledged: list[str] = []
    stop = False

    async def work() -> None:
        while not stop:
            fact = scanned(None)
            try:
                answer = await store.append(Act((fact,)))
                if answer != Appended():
                    continue
            except Unavailable:
                continue
            acknowledged.append(fact.id)

    workers = [asyncio.create_task(work()) for _ in range(16)]
    for cut in range(8):
        async with asyncio.timeout(60):
            while len(acknowledged) < 15 * (cut + 1):  # noqa: ASYNC110  # each cut meets writers at work
                await asyncio.sleep(0.01)
        await asyncio.to_thread(
            raw, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'motma writer'"
        )
    stop = True
    await asyncio.gather(*workers)
    stored = {id for (id,) in raw("SELECT id FROM facts")}
    assert set(acknowledged) <= stored


@pytest.mark.parametrize("engine", [pytest.param("postgresql", marks=pytest.mark.postgres)], indirect=True)
async def test_a_key_taken_past_the_lock_is_seen_at_the_second_look(store: Store, raw: Raw) -> None:
    looks: list[dict[bytes, str]] = []

    def plan(loaded: Loaded) -> Rows:
        looks.append(loaded.once)
        if len(looks) == 1:  # somebody who does not know of our lock
            raw("INSERT INTO once VALUES ('k', 'theirs')")
        return Rows(once=[] if loaded.once else [(b"k", "ours")])

    await _engine_of(store).commit(Wanted(once=[b"k"]), plan)
    assert looks == [{}, {b"k": "theirs"}]
    assert await store.append(Act(once=((b"k", "ours"),))) == Already(frozenset(), {b"k": "theirs"})


@pytest.mark.parametrize("engine", [pytest.param("postgresql", marks=pytest.mark.postgres)], indirect=True)
async def test_a_server_that_is_no_primary_any_more_is_left(store: Store) -> None:
    await _engine_of(store)._writer.execute("SET default_transaction_read_only = on")
    assert await store.append(Act((scanned(None),))) == Appended()  # on a new connection


async def test_a_plan_that_raises_leaves_nothing_and_no_lock(store: Store) -> None:
    def plan(loaded: Loaded) -> Rows:
        raise KeyError("a mistake of ours")

    with pytest.raises(KeyError):
        await _engine_of(store).commit(Wanted(), plan)
    assert await store.append(Act((scanned(None),))) == Appended()


async def test_the_wrong_key_is_noticed_at_once(store: Store, url: str) -> None:
    with pytest.raises(Unavailable) as error:
        await Store.open(url, seal_key=bytes(32), clock=clock)
    assert (error.value.code, error.value.permanent) == ("storage.other_key", True)
    with pytest.raises(ValueError, match="32 bytes"):
        await Store.open(url, seal_key=b"short", clock=clock)


async def test_a_sealed_part_that_was_tampered_with_does_not_open(opened: Opener, url: str) -> None:
    store: Store = await opened()
    one, two = (accepted(a_qid(), personal=b'{"name":"A"}') for _ in range(2))
    await store.append(Act((one, two)))
    seal = store._seal
    sealed = seal.close(b"secret", one.id)
    assert seal.open(sealed, one.id) == b"secret"
    damaged = (sealed[:-1] + bytes([sealed[-1] ^ 1]), b"\x01" + sealed[1:], b"\x03" + sealed[1:], sealed[:20], b"")
    for other, id in ((sealed, two.id), *((bytes_, one.id) for bytes_ in damaged)):
        with pytest.raises(Unavailable, match=r"storage\.sealed") as error:
            seal.open(other, id)
        assert error.value.permanent


SECRET = "Nguyễn Thị Bí Mật 999123456789".encode()


def _files_with(folder: Path, text: bytes) -> list[str]:
    return [str(path) for path in folder.rglob("*") if path.is_file() and text in path.read_bytes()]


def _modes(folder: Path) -> set[int]:
    return {path.stat().st_mode & 0o777 for path in folder.iterdir()}


async def test_sealed_data_is_not_in_the_file(tmp_path: Path) -> None:
    store = await Store.open(f"sqlite:///{tmp_path}/motma.db", seal_key=KEY, clock=clock)
    fact = accepted(a_qid(), personal=SECRET)
    await store.append(Act((fact,)))
    assert _files_with(tmp_path, str(fact.id).encode())  # the search finds what is there
    assert not _files_with(tmp_path, SECRET)
    assert _modes(tmp_path) == {0o600}
    await store.close()
    assert _files_with(tmp_path, str(fact.id).encode())
    assert not _files_with(tmp_path, SECRET)


@pytest.mark.postgres
async def test_sealed_data_is_not_in_the_cluster(postgres: Server, postgres_template: str) -> None:
    if not isinstance(postgres, PostgresServer):
        pytest.skip("another machine's files")
    url = postgres.new_database(postgres_template)
    store = await Store.open(url, seal_key=KEY, clock=clock)
    fact = accepted(a_qid(), personal=SECRET)
    await store.append(Act((fact,)))
    await store.close()
    postgres.run("CHECKPOINT")
    assert _files_with(postgres.folder / "data", str(fact.id).encode())
    assert not _files_with(postgres.folder / "data", SECRET)
