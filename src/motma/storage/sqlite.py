"""SQLite: one file, one writing thread, readers that cannot write.

A write goes to the one thread, since it waits for the disk. A look-up by key runs where it is asked: it takes less
time than handing it to a thread would. Anything longer gets a thread and a connection of its own.

The sqlite3 module gives up the interpreter's lock at every step of every statement, and on a busy event loop each
return costs up to a switch interval. So the writing thread takes few, large steps: one statement for many rows.
"""

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache, partial
from itertools import chain
from os import O_CREAT, O_RDWR, close, open
from pathlib import Path
from typing import Any, Self, TypeVar
from urllib.parse import quote

from sqlalchemy import ColumnElement, Table, bindparam, delete, select
from sqlalchemy.dialects.sqlite import insert

from motma.storage import migrations, statements
from motma.storage.acts import Row, facts_of_permit
from motma.storage.engine import Loaded, Rows, Unwritable, Wanted, too_new, unavailable
from motma.storage.statements import SQLITE, Query, compiled
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

T = TypeVar("T")

BUSY_SECONDS = 10
_SIZES = (256, 64, 16, 4, 1)
# What SQLite or its Python module says of rows, not of the disk. IntegrityError: also a type a column does not take.
_ABOUT_ROWS = (
    sqlite3.IntegrityError,
    sqlite3.DataError,
    sqlite3.InterfaceError,
    sqlite3.ProgrammingError,
    OverflowError,
    UnicodeError,
)


class SQLiteEngine:
    """An :class:`motma.storage.engine.Engine` over one SQLite file. Several processes may open the same file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._writer_thread = ThreadPoolExecutor(1, thread_name_prefix="motma-writer")
        self._reader_threads = ThreadPoolExecutor(2, thread_name_prefix="motma-reader")
        self._writer: sqlite3.Connection | None = None
        self._reader: sqlite3.Connection | None = None
        self._idle: list[sqlite3.Connection] = []

    @classmethod
    async def open(cls, path: Path) -> Self:
        """Open or create the file and bring its tables up to date. Raises :class:`Unavailable`."""
        engine = cls(path)
        try:
            await engine._on(engine._writer_thread, engine._prepare)
        except BaseException:
            await engine.close()
            raise
        return engine

    async def read(self, query: Query, *arguments: object) -> Sequence[Row]:
        try:
            if self._reader is None:
                self._reader = self._connect(mode="ro")
            return self._reader.execute(query.sqlite, arguments).fetchall()
        except sqlite3.Error as error:
            self._close_reader()
            raise unavailable() from error

    async def scan(self, query: Query, *arguments: object) -> Sequence[Row]:
        return await self._on(self._reader_threads, partial(self._scan, query, arguments))

    async def commit(self, wanted: Wanted, plan: Callable[[Loaded], Rows]) -> None:
        await self._on(self._writer_thread, partial(self._commit, wanted, plan))

    async def close(self) -> None:
        self._close_reader()
        for threads in (self._reader_threads, self._writer_thread):
            await asyncio.to_thread(threads.shutdown)
        while self._idle:
            self._idle.pop().close()
        self._close_writer()  # the last to close tidies the write-ahead log away

    @staticmethod
    async def _on(threads: ThreadPoolExecutor, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(threads, work)

    def _connect(self, mode: str) -> sqlite3.Connection:
        connection = sqlite3.connect(
            f"file:{quote(str(self._path))}?mode={mode}",
            uri=True,
            timeout=BUSY_SECONDS,
            isolation_level=None,  # transactions are begun by hand
            check_same_thread=False,  # each is used by one thread at a time
            cached_statements=256,
        )
        connection.execute("PRAGMA cache_size = -32000")  # 32 MB
        return connection

    def _connect_writer(self) -> sqlite3.Connection:
        connection = self._connect(mode="rw")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA journal_size_limit = 67108864")
        # Keys are random, so each checkpoint rewrites pages all over the file: let 32 MB gather first, not 4.
        connection.execute("PRAGMA wal_autocheckpoint = 8000")
        return connection

    def _prepare(self) -> None:
        try:
            close(open(self._path, O_CREAT | O_RDWR, 0o600))  # SQLite would let everybody read it
            self._writer = self._connect_writer()
            if _revision(self._writer) != migrations.HEAD:
                self._migrate(self._writer)
        except (sqlite3.Error, OSError) as error:
            raise unavailable() from error

    @staticmethod
    def _migrate(connection: sqlite3.Connection) -> None:
        connection.execute("BEGIN IMMEDIATE")
        try:
            revision = _revision(connection)  # under the lock: another process may have been quicker
            if revision != migrations.HEAD:
                for statement in migrations.upgrade(SQLITE, revision):
                    connection.execute(statement)
            connection.execute("COMMIT")
        except LookupError as error:
            raise too_new(str(error)) from None
        finally:
            if connection.in_transaction:
                connection.execute("ROLLBACK")

    def _scan(self, query: Query, arguments: tuple[object, ...]) -> Sequence[Row]:
        connection: sqlite3.Connection | None = None
        try:
            connection = self._idle.pop() if self._idle else self._connect(mode="ro")
            rows = connection.execute(query.sqlite, arguments).fetchall()
        except sqlite3.Error as error:
            if connection is not None:
                connection.close()
            raise unavailable() from error
        self._idle.append(connection)
        return rows

    def _commit(self, wanted: Wanted, plan: Callable[[Loaded], Rows]) -> None:
        try:
            if self._writer is None:
                self._writer = self._connect_writer()
            self._writer.execute("BEGIN IMMEDIATE")
            _write(self._writer, plan(_load(self._writer, wanted)))
            self._writer.execute("COMMIT")
        except _ABOUT_ROWS as error:
            self._roll_back()
            raise Unwritable(str(error)) from error
        except sqlite3.Error as error:
            self._roll_back()
            self._close_writer()
            raise unavailable() from error
        except BaseException:
            self._roll_back()
            raise

    def _roll_back(self) -> None:
        if self._writer is not None and self._writer.in_transaction:
            try:
                self._writer.execute("ROLLBACK")
            except sqlite3.Error:
                self._close_writer()

    def _close_reader(self) -> None:
        if self._reader is not None:
            self._reader.close()
        self._reader = None

    def _close_writer(self) -> None:
        if self._writer is not None:
            self._writer.close()
        self._writer = None


def _revision(connection: sqlite3.Connection) -> str | None:
    known = connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'").fetchone()
    row = connection.execute(migrations.CURRENT).fetchone() if known else None
    return row[0] if row else None


def _load(connection: sqlite3.Connection, wanted: Wanted) -> Loaded:
    return Loaded(
        last_seq=connection.execute(statements.LAST_SEQ.sqlite).fetchone()[0],
        facts={id for (id,) in _look_up(connection, facts.c.id, wanted.facts)},
        once=dict(_look_up(connection, once.c.key, wanted.once, once.c.value)),
        standing=dict(_look_up(connection, standing.c.qid, wanted.standing, standing.c.body)),
        histories={
            qid: (
                connection.execute(statements.HISTORY.sqlite, (qid,)).fetchall(),
                connection.execute(statements.STANDING_ROW.sqlite, (qid,)).fetchone(),
            )
            for qid in wanted.histories
        },
        permits={
            id: (
                [
                    row
                    for fact in facts_of_permit(id)
                    for row in connection.execute(statements.FACT.sqlite, (fact,)).fetchall()
                ],
                connection.execute(statements.PERMIT_ROW.sqlite, (id,)).fetchone(),
            )
            for id in wanted.permits
        },
        links={qid: connection.execute(statements.LINKS.sqlite, (qid,)).fetchall() for qid in wanted.links},
    )


def _look_up(
    connection: sqlite3.Connection, key: ColumnElement[Any], wanted: Sequence[Any], *values: ColumnElement[Any]
) -> list[Any]:
    """(key, values) of the wanted keys that exist."""
    found: list[Any] = []
    for keys in _chunks(wanted):
        found += connection.execute(_select_in(key, values, len(keys)), keys).fetchall()
    return found


def _write(connection: sqlite3.Connection, rows: Rows) -> None:
    if rows.no_links:
        connection.executemany(_DELETE_LINKS, rows.no_links)
    if rows.no_deliveries:
        connection.executemany(_DELETE_DELIVERY, rows.no_deliveries)
    for table, new in (
        (facts, rows.facts),
        (once, rows.once),
        (standing, rows.standing),
        (tally, rows.tally),
        (holdings, rows.holdings),
        (credentials, rows.credentials),
        (permits, rows.permits),
        (links, rows.links),
        (outlets, rows.outlets),
        (deliveries, rows.deliveries),
        (leases, rows.leases),
    ):
        for chunk in _chunks(new):
            connection.execute(_insert(table, len(chunk)), list(chain.from_iterable(chunk)))
    for qid in rows.no_standing:
        connection.execute(_DELETE_STANDING, (qid,))
    for id in rows.no_permits:
        connection.execute(_DELETE_PERMIT, (id,))
    if rows.sealed:
        connection.executemany(_RESEAL, [(new, seq, old) for seq, old, new in rows.sealed])


def _chunks(items: Sequence[Any]) -> list[Sequence[Any]]:
    """Cut into pieces of few different lengths, so that few different statements are prepared."""
    chunks, start = [], 0
    for size in _SIZES:
        while len(items) - start >= size:
            chunks.append(items[start : start + size])
            start += size
    return chunks


_DELETE_STANDING = compiled(delete(standing).where(standing.c.qid == bindparam("qid")), SQLITE, "qid")
_DELETE_PERMIT = compiled(delete(permits).where(permits.c.id == bindparam("id")), SQLITE, "id")
_DELETE_LINKS = compiled(statements.no_links(), SQLITE, "number", "by")
_DELETE_DELIVERY = compiled(statements.no_delivery(), SQLITE, "whose", "number", "upto")
_RESEAL = compiled(statements.reseal(), SQLITE, "shall", "number", "is")


@lru_cache
def _select_in(key: ColumnElement[Any], values: tuple[ColumnElement[Any], ...], n: int) -> str:
    names = [f"key_{i}" for i in range(n)]
    binds = [bindparam(name, type_=key.type) for name in names]
    return compiled(select(key, *values).where(key.in_(binds)), SQLITE, *names)


@lru_cache
def _insert(table: Table, n: int) -> str:
    names = [column.name for column in table.columns]
    one = compiled(statements.put(insert, table), SQLITE, *names)
    values = f"({', '.join('?' * len(names))})"
    assert one.count(values) == 1
    return one.replace(values, ", ".join([values] * n))
