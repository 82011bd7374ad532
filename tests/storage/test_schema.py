"""The tables as they come to be: by migrations, the same on any road, and closed to change where they should be."""

import asyncio
import datetime as dt
import re
import sqlite3
from typing import Any

import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import create_mock_engine

from motma.core.errors import Unavailable
from motma.storage import migrations, statements
from motma.storage.store import Act, Store
from motma.storage.tables import metadata
from tests.storage.conftest import Raw
from tests.storage.samples import KEY, a_qid, accepted, clock, diverted, scanned
from tests.storage.servers import Server

_CATALOG = (
    "SELECT table_name, column_name, data_type, is_nullable, column_default FROM information_schema.columns"
    " WHERE table_schema = 'public' ORDER BY 1, 2",
    "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY 1",
    "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint"
    " WHERE connamespace = 'public'::regnamespace ORDER BY 1",
    "SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal ORDER BY 1",
    "SELECT proname, prosrc FROM pg_proc WHERE pronamespace = 'public'::regnamespace ORDER BY 1",
)


def _created(dialect: str) -> list[str]:
    """What ``metadata.create_all`` would run."""
    statements: list[str] = []
    mock: Any = create_mock_engine(f"{dialect}://", lambda ddl, *_: statements.append(str(ddl.compile(mock))))
    metadata.create_all(mock, checkfirst=False)
    return statements


async def _open_and_close(url: str) -> None:
    store = await Store.open(url, seal_key=KEY, clock=clock)
    await store.close()


def _sqlite_catalog(connection: sqlite3.Connection) -> dict[str, str]:
    rows = connection.execute("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL AND name <> 'alembic_version'")
    # SQLAlchemy and Alembic differ in white space, and in whether a column says its table.
    return {name: re.sub(r"(facts|standing)\.(?=\w)", "", " ".join(sql.split())) for name, sql in rows}


async def test_migrations_make_the_tables_on_sqlite(tmp_path: Any) -> None:
    migrated, created = sqlite3.connect(tmp_path / "migrated.db"), sqlite3.connect(":memory:")
    await _open_and_close(f"sqlite:///{tmp_path}/migrated.db")
    for statement in _created("sqlite"):
        created.execute(statement)
    expected = _sqlite_catalog(created)
    assert _sqlite_catalog(migrated) == expected
    triggers = {"facts_no_delete", "facts_no_replace", "facts_only_reseal"}
    assert {"facts", "ix_facts_control", "ix_standing_pending"} | triggers <= expected.keys()
    migrated.close()
    created.close()


@pytest.mark.postgres
async def test_migrations_make_the_tables_on_postgresql(postgres: Server) -> None:
    migrated, created = postgres.new_database(), postgres.new_database()
    await _open_and_close(migrated)
    for statement in _created("postgresql+asyncpg"):
        postgres.run(statement, created)
    for catalog in _CATALOG:
        with_version = postgres.run(catalog, migrated)
        rows = [row for row in with_version if not any("alembic_version" in str(value) for value in row)]
        expected = postgres.run(catalog, created)
        assert rows == expected
        assert expected


def test_head_is_the_last_step() -> None:
    folder = migrations.__path__[0]
    script = ScriptDirectory(folder, version_locations=[f"{folder}/versions"])
    assert script.get_heads() == [migrations.HEAD]


async def test_stores_that_open_an_empty_database_together_agree(empty_url: str) -> None:
    stores = await asyncio.gather(*(Store.open(empty_url, seal_key=KEY, clock=clock) for _ in range(4)))
    await asyncio.gather(*(store.append(Act((scanned(None),))) for store in stores))
    assert [await store.changed_seq() for store in stores] == [4] * 4
    for store in stores:
        await store.close()


async def test_newer_databases_are_left_alone(url: str, raw: Raw) -> None:
    await _open_and_close(url)
    raw("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(Unavailable) as error:
        await Store.open(url, seal_key=KEY, clock=clock)
    assert (error.value.code, error.value.permanent) == ("storage.too_new", True)


_CHANGES = {
    "sqlite": (
        "INSERT OR REPLACE INTO facts SELECT seq, id, qid, kind, checkpoint, at, recorded_at, 'x', body, sealed"
        " FROM facts",
        "REPLACE INTO facts SELECT seq + 9, id, qid, kind, checkpoint, at, recorded_at, 'x', body, sealed FROM facts",
    ),
    "postgresql": ("TRUNCATE facts",),
}


async def test_facts_cannot_be_changed(engine: str, store: Store, raw: Raw) -> None:
    fact = diverted()
    await store.append(Act((fact,)))
    for statement in (
        "UPDATE facts SET actor = 'somebody else'",
        "UPDATE facts SET seq = seq + 1",
        "DELETE FROM facts",
        *_CHANGES[engine],
    ):
        with pytest.raises(Exception, match="append-only"):
            raw(statement)
    assert await store.control_facts() == [fact]


_UPSERT = (
    "INSERT INTO facts SELECT seq, id, qid, kind, checkpoint, at, recorded_at, actor, body, sealed FROM facts"
    " WHERE seq = 1 ON CONFLICT (seq) DO UPDATE SET actor = 'x'"
)


async def test_only_what_is_sealed_may_be_sealed_anew(engine: str, store: Store, raw: Raw) -> None:
    fact, bare = accepted(a_qid(), personal=b'{"name":"A"}'), scanned(None)
    await store.append(Act((fact, bare)))
    sealed = bytes(raw("SELECT sealed FROM facts WHERE seq = 1")[0][0])
    quoted = "x'{}'" if engine == "sqlite" else "'\\x{}'::bytea"
    newer, older = (quoted.format((sealed[:4] + number + sealed[5:]).hex()) for number in (b"\x02", b"\x00"))
    same = quoted.format((sealed[:-1] + b"x").hex())
    columns = ("seq", "id", "qid", "kind", "checkpoint", "at", "recorded_at", "actor", "body")
    names = (*columns, "rowid", "_rowid_", "oid") if engine == "sqlite" else columns
    for statement in (
        *(f"UPDATE facts SET {name} = '7', sealed = {newer} WHERE seq = 1" for name in names),
        *(f"UPDATE facts SET {name} = NULL, sealed = {newer} WHERE seq = 1" for name in ("qid",)),
        f"UPDATE facts SET sealed = {older} WHERE seq = 1",
        f"UPDATE facts SET sealed = {same} WHERE seq = 1",
        "UPDATE facts SET sealed = sealed WHERE seq = 1",
        "UPDATE facts SET sealed = NULL WHERE seq = 1",
        f"UPDATE facts SET sealed = {newer} WHERE seq = 2",
        f"UPDATE facts SET sealed = {quoted.format('01ffffffffffff')} WHERE seq = 1",
        _UPSERT,
    ):
        with pytest.raises(Exception, match=r"append-only|datatype mismatch|cannot store|NOT NULL"):
            raw(statement)
        assert bytes(raw("SELECT sealed FROM facts WHERE seq = 1")[0][0]) == sealed, statement
    before = raw("SELECT seq, id, qid, kind, checkpoint, at, recorded_at, actor, body FROM facts ORDER BY seq")
    raw(f"UPDATE facts SET sealed = {newer} WHERE seq = 1")
    assert bytes(raw("SELECT sealed FROM facts WHERE seq = 1")[0][0])[4] == 2
    assert raw("SELECT seq, id, qid, kind, checkpoint, at, recorded_at, actor, body FROM facts ORDER BY seq") == before
    assert raw("SELECT count(*) FROM facts WHERE sealed IS NULL") == [(1,)]


async def test_the_questions_asked_most_use_an_index(store: Store, raw: Raw, engine: str) -> None:
    await store.append(Act((accepted(a_qid()), diverted())))
    fill = {  # or a planner is right to read the few rows whole
        "sqlite": "ANALYZE",
        "postgresql": "WITH n AS (SELECT generate_series(10, 20000)::bigint AS n), s AS (INSERT INTO standing"
        " SELECT n, 'matched', n, n, n, '' FROM n) INSERT INTO facts SELECT n, n, n % 999, 'scan.made', NULL, n, n,"
        " '', '', NULL FROM n",
    }
    raw(fill[engine])
    raw("ANALYZE")
    explain = "EXPLAIN QUERY PLAN " if engine == "sqlite" else "EXPLAIN "
    asked = {
        "ix_facts_control": (statements.CONTROL_FACTS, ()),
        "ix_standing_pending": (statements.PENDING, ("0", "''", "9")),
        "ix_facts_qid_seq": (statements.HISTORY, ("'1'",)),
        "ix_facts_scans": (statements.SCANS, ("19000", "0", "19500", "20000", "9")),
    }
    for index, (query, arguments) in asked.items():
        text = getattr(query, engine)
        for n, argument in enumerate(arguments, 1):
            text = text.replace("?", argument, 1).replace(f"${n}", argument)
        assert index in str(raw(explain + text)), text


def test_times_are_whole_microseconds() -> None:
    from motma.storage.acts import to_micros, to_time

    for at in (dt.datetime(1969, 12, 31, 23, 59, 59, 999_999, dt.UTC), dt.datetime(2026, 8, 1, 7, 0, 0, 1, dt.UTC)):
        assert to_time(to_micros(at)) == at
    hanoi = dt.timezone(dt.timedelta(hours=7))
    assert to_micros(dt.datetime(1970, 1, 1, 7, tzinfo=hanoi)) == 0
