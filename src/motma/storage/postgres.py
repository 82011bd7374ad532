"""PostgreSQL: one writing connection for each process, a few for reading.

Several server processes may write to one database. Each transaction therefore begins with one advisory lock, the same
for all: what a plan was shown stays true until it commits, facts are numbered in order of commit, and no two writers
can lock each other out. The lock is held for three short round trips and one commit; since every process commits in
groups, waiting for it makes the groups larger, not the work longer.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any, Self

import asyncpg
from sqlalchemy import (
    ARRAY,
    LargeBinary,
    Select,
    Table,
    Text,
    any_,
    bindparam,
    cast,
    delete,
    func,
    literal_column,
    null,
    select,
    union_all,
)
from sqlalchemy.dialects.postgresql import insert

from motma.storage import migrations, statements
from motma.storage.acts import Row, facts_of_permit
from motma.storage.engine import Loaded, Rows, Unwritable, Wanted, too_new, unavailable
from motma.storage.statements import POSTGRESQL, Query
from motma.storage.tables import (
    credentials,
    deliveries,
    facts,
    holdings,
    leases,
    links,
    once,
    outlets,
    permits,
    standing,
    tally,
)

CONNECT_SECONDS = 10
WRITE_SECONDS = 30
READ_SECONDS = 10
SCAN_SECONDS = 600
MIGRATE_SECONDS = 3_600
READERS = 8
SCANS = 4
TRIES = 3

_LOCK = 0x6D6F746D61  # "motma"; advisory locks are counted within one database
_BEGIN = f"BEGIN ISOLATION LEVEL READ COMMITTED; SELECT pg_advisory_xact_lock({_LOCK})"
# What the server or the driver says of rows: a value, a constraint, an index entry too long.
_ABOUT_ROWS = (
    asyncpg.DataError,
    asyncpg.IntegrityConstraintViolationError,
    asyncpg.ProgramLimitExceededError,
    ValueError,
    OverflowError,
)
_BROKEN = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError, TimeoutError)

# The connection is of no more use; the last: what it leads to is a primary no longer.
_LOST = (
    asyncpg.PostgresConnectionError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.ReadOnlySQLTransactionError,
    OSError,
)


class PostgreSQLEngine:
    """An :class:`motma.storage.engine.Engine` over one PostgreSQL database, version 14 or later."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._writer: Any = None
        self._turn = asyncio.Lock()
        self._idle: list[Any] = []
        self._readers = asyncio.Semaphore(READERS)
        self._scans = asyncio.Semaphore(SCANS)

    @classmethod
    async def open(cls, url: str) -> Self:
        """Connect and bring the tables up to date. ``url`` may name several hosts. Raises :class:`Unavailable`."""
        engine = cls(url)
        try:
            async with _translated():
                await _migrate(await engine._connected())
                engine._idle.append(await engine._connect_reader())
        except BaseException:
            await engine.close()
            raise
        return engine

    async def read(self, query: Query, *arguments: object) -> Sequence[Row]:
        return await self._fetch(query, arguments, READ_SECONDS)

    async def scan(self, query: Query, *arguments: object) -> Sequence[Row]:
        async with self._scans:  # so that look-ups always find a connection
            return await self._fetch(query, arguments, SCAN_SECONDS)

    async def commit(self, wanted: Wanted, plan: Callable[[Loaded], Rows]) -> None:
        async with self._turn:
            for tries_left in reversed(range(TRIES)):
                try:
                    return await self._transaction(wanted, plan)
                except _Void as void:
                    # Nothing can have been committed, so the batch may be tried again: on a new connection, or,
                    # after a unique violation, on what somebody who does not take the lock has just put there.
                    if not tries_left:
                        raise void.meaning from void.__cause__

    async def close(self) -> None:
        connections = [*self._idle, self._writer] if self._writer else self._idle
        self._idle, self._writer = [], None
        for connection in connections:
            try:
                await connection.close(timeout=CONNECT_SECONDS)
            except _BROKEN:
                connection.terminate()

    async def _fetch(self, query: Query, arguments: tuple[object, ...], seconds: float) -> Sequence[Row]:
        # Not asyncpg's pool: it takes as long to lend a connection as the server takes to answer.
        async with self._readers:
            while True:
                used_before = bool(self._idle)
                connection = None
                try:
                    connection = self._idle.pop() if self._idle else await self._connect_reader()
                    rows: Sequence[Row] = await connection.fetch(query.postgresql, *arguments, timeout=seconds)
                except BaseException as error:
                    lost = connection is None or connection.is_closed() or isinstance(error, _LOST)
                    if connection is not None:
                        connection.terminate()
                    if not isinstance(error, _BROKEN):
                        raise
                    # The server may have been restarted or failed over since this connection was last used.
                    if not (lost and used_before) or isinstance(error, TimeoutError):
                        raise unavailable() from error
                else:
                    self._idle.append(connection)
                    return rows

    async def _connect_reader(self) -> Any:
        return await asyncpg.connect(
            self._url,
            timeout=CONNECT_SECONDS,
            target_session_attrs="primary",  # a standby would not see what was just acknowledged
            server_settings={"application_name": "motma reader", "default_transaction_read_only": "on"},
        )

    async def _connected(self) -> Any:
        if self._writer is None or self._writer.is_closed():
            writer = await asyncpg.connect(
                self._url,
                timeout=CONNECT_SECONDS,
                command_timeout=WRITE_SECONDS,
                target_session_attrs="primary",
                server_settings={
                    "application_name": "motma writer",
                    "lock_timeout": f"{WRITE_SECONDS // 2}s",
                    "idle_in_transaction_session_timeout": f"{WRITE_SECONDS}s",  # a frozen process frees the lock
                    # Every question in a transaction is by key. A plan made while the tables were empty would
                    # read them whole, and would be kept long after they have grown.
                    "enable_seqscan": "off",
                },
            )
            # "Recorded" means on disk, whatever the server's default; a stronger one is left alone.
            await writer.execute(
                "SELECT set_config('synchronous_commit', 'on', false)"
                " WHERE current_setting('synchronous_commit') = 'off'"
            )
            self._writer = writer
        return self._writer

    async def _transaction(self, wanted: Wanted, plan: Callable[[Loaded], Rows]) -> None:
        used_before = self._writer is not None
        async with _translated():
            writer = await self._connected()
        committing = False
        try:
            await writer.execute(_BEGIN)
            rows = plan(await _load(writer, wanted))
            await _write(writer, rows)
            committing = True
            await writer.execute("COMMIT")
        except asyncpg.UniqueViolationError as error:
            await self._roll_back()
            raise _Void(Unwritable(str(error))) from error
        except _ABOUT_ROWS as error:
            await self._roll_back()
            raise Unwritable(str(error)) from error
        except _BROKEN as error:
            lost = writer.is_closed() or isinstance(error, _LOST)
            if lost:
                self._drop()
            else:
                await self._roll_back()
            # The server may have been restarted or failed over since the connection was last used.
            if lost and used_before and not committing and not isinstance(error, TimeoutError):
                raise _Void(unavailable()) from error
            raise unavailable() from error
        except asyncio.CancelledError:
            self._drop()
            raise
        except Exception:
            await self._roll_back()
            raise

    async def _roll_back(self) -> None:
        try:
            await self._writer.execute("ROLLBACK")
        except _BROKEN:
            self._drop()

    def _drop(self) -> None:
        if self._writer is not None:
            self._writer.terminate()
        self._writer = None


class _Void(Exception):
    """This try wrote nothing, and another may go better. ``meaning`` is what to raise when no try is left."""

    def __init__(self, meaning: Exception) -> None:
        super().__init__()
        self.meaning = meaning


@asynccontextmanager
async def _translated() -> AsyncIterator[None]:
    try:
        yield
    except _BROKEN as error:
        raise unavailable() from error


async def _migrate(connection: Any) -> None:
    if await _revision(connection) == migrations.HEAD:
        return
    async with connection.transaction():
        # Another process may be at it already, and a large table takes its time.
        await connection.execute(f"SET LOCAL lock_timeout = '{MIGRATE_SECONDS}s'")
        await connection.execute(f"SELECT pg_advisory_xact_lock({_LOCK})", timeout=MIGRATE_SECONDS)
        revision = await _revision(connection)  # under the lock: another process may have been quicker
        if revision == migrations.HEAD:
            return
        try:
            steps = migrations.upgrade(POSTGRESQL, revision)
        except LookupError as error:
            raise too_new(str(error)) from None
        for statement in steps:
            await connection.execute(statement, timeout=MIGRATE_SECONDS)


async def _revision(connection: Any) -> str | None:
    # Not to_regclass: that would ask a cache which, within a transaction, may have missed another's CREATE TABLE.
    known = await connection.fetchval(
        "SELECT EXISTS (SELECT FROM pg_tables WHERE schemaname = current_schema AND tablename = 'alembic_version')"
    )
    return await connection.fetchval(migrations.CURRENT) if known else None


async def _load(connection: Any, wanted: Wanted) -> Loaded:
    loaded = Loaded(0, set(), {}, {}, {})
    for what, text, key, body in await connection.fetch(_LOAD, wanted.facts, wanted.once, wanted.standing):
        if what == "fact":
            loaded.facts.add(text)
        elif what == "once":
            loaded.once[key] = text
        elif what == "standing":
            loaded.standing[text] = body
        else:
            loaded.last_seq = int(text)
    for qid in wanted.histories:
        history = await connection.fetch(statements.HISTORY.postgresql, qid)
        loaded.histories[qid] = history, await connection.fetchrow(statements.STANDING_ROW.postgresql, qid)
    for id in wanted.permits:  # seldom, so the one statement for all that is frequent does not ask for them
        about = [
            row for fact in facts_of_permit(id) for row in await connection.fetch(statements.FACT.postgresql, fact)
        ]
        loaded.permits[id] = about, await connection.fetchrow(statements.PERMIT_ROW.postgresql, id)
    for qid in wanted.links:
        loaded.links[qid] = await connection.fetch(statements.LINKS.postgresql, qid)
    return loaded


async def _write(connection: Any, rows: Rows) -> None:
    if rows.no_standing:
        await connection.execute(_DELETE_STANDING, rows.no_standing)
    if rows.no_permits:
        await connection.execute(_DELETE_PERMITS, rows.no_permits)
    if rows.no_links:
        await connection.executemany(_DELETE_LINKS, rows.no_links)
    if rows.no_deliveries:
        await connection.executemany(_DELETE_DELIVERY, rows.no_deliveries)
    for put, seldom in zip(_PUT_SELDOM, (rows.permits, rows.outlets, rows.deliveries, rows.leases), strict=True):
        if seldom:
            await connection.execute(put, *zip(*seldom, strict=True))
    if rows.sealed:
        await connection.executemany(_RESEAL, [(new, seq, old) for seq, old, new in rows.sealed])
    new = (rows.facts, rows.once, rows.standing, rows.tally, rows.holdings, rows.credentials, rows.links)
    if any(new):
        columns: list[Any] = []
        for table, table_rows in zip(_WRITTEN, new, strict=True):
            columns += zip(*table_rows, strict=True) if table_rows else [()] * len(table.columns)
        await connection.execute(_WRITE, *columns)


def _any_of(name: str, type_: Any) -> Any:
    return any_(bindparam(name, type_=ARRAY(type_)))


def _load_statement() -> str:
    """Everything a plan needs in one round trip: (what, text, key, body)."""

    def part(what: str, text: Any, key: Any = None, body: Any = None) -> Select[Any]:
        return select(
            literal_column(f"'{what}'"),
            cast(text, Text),
            cast(null(), LargeBinary) if key is None else key,
            cast(null(), Text) if body is None else body,
        )

    return statements.compiled(
        union_all(
            part("fact", facts.c.id).where(facts.c.id == _any_of("facts", Text)),
            part("once", once.c.value, once.c.key).where(once.c.key == _any_of("once", LargeBinary)),
            part("standing", standing.c.qid, body=standing.c.body).where(standing.c.qid == _any_of("standing", Text)),
            part("last", func.coalesce(func.max(facts.c.seq), literal_column("0"))),
        ),
        POSTGRESQL,
        "facts",
        "once",
        "standing",
    )


def _write_statement(*tables: Table) -> str:
    """Tables in one round trip: an INSERT from arrays for each. Arguments: every column of every table."""

    def from_arrays(table: Table) -> Any:
        names = [column.name for column in table.columns]
        arrays = [
            bindparam(f"{table.name}_{column.name}", type_=ARRAY(column.type.dialect_impl(POSTGRESQL)))
            for column in table.columns
        ]
        source = func.unnest(*arrays).table_valued(*names, name=f"new_{table.name}").render_derived()
        return statements.put(insert, table, select(*source.c))

    *parts, last = (from_arrays(table) for table in tables)
    for table, part in zip(tables, parts, strict=False):
        last = last.add_cte(part.cte(f"put_{table.name}"))
    names = [f"{table.name}_{column.name}" for table in tables for column in table.columns]
    return statements.compiled(last, POSTGRESQL, *names)


_WRITTEN = (facts, once, standing, tally, holdings, credentials, links)
_LOAD = _load_statement()
_WRITE = _write_statement(*_WRITTEN)
# Each on its own: most batches have none.
_PUT_SELDOM = tuple([_write_statement(table) for table in (permits, outlets, deliveries, leases)])
_DELETE_LINKS = statements.compiled(statements.no_links(), POSTGRESQL, "number", "by")
_DELETE_DELIVERY = statements.compiled(statements.no_delivery(), POSTGRESQL, "whose", "number", "upto")
_DELETE_PERMITS = statements.compiled(
    delete(permits).where(permits.c.id == _any_of("permits", Text)), POSTGRESQL, "permits"
)
_DELETE_STANDING = statements.compiled(
    delete(standing).where(standing.c.qid == _any_of("citizens", Text)), POSTGRESQL, "citizens"
)
_RESEAL = statements.compiled(statements.reseal(), POSTGRESQL, "shall", "number", "is")
