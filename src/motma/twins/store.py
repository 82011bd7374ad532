"""What a twin keeps: what it has still to send, what it was told of citizens, and where it stands in the feed.

One SQLite file of the twin's own. A row is on disk before anybody is answered.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import msgspec

_SCHEMA = """
CREATE TABLE IF NOT EXISTS kept (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS letters (
    key TEXT PRIMARY KEY, body BLOB NOT NULL, content_type TEXT NOT NULL, state TEXT NOT NULL,
    attempts INTEGER NOT NULL, next_at REAL NOT NULL, said TEXT NOT NULL, declaration TEXT, qid TEXT
);
CREATE INDEX IF NOT EXISTS ix_letters_due ON letters (next_at) WHERE state = 'waiting';
CREATE TABLE IF NOT EXISTS citizens (qid TEXT PRIMARY KEY, version INTEGER NOT NULL, said TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS also (qid TEXT PRIMARY KEY, now TEXT NOT NULL) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS ix_also_now ON also (now);
CREATE TABLE IF NOT EXISTS heard (
    place INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, type TEXT NOT NULL, qid TEXT, version INTEGER,
    at TEXT NOT NULL, heard_at REAL NOT NULL, by TEXT NOT NULL, won INTEGER NOT NULL
);
"""

State = Literal["waiting", "sent", "refused"]
Way = Literal["webhook", "feed"]


class Citizen(msgspec.Struct, frozen=True):
    """What the exchange says of a citizen; what it does not tell this platform is None. Other members are passed over.

    ``version``: of two that were told of one citizen, the higher one counts, in whichever order they came.
    """

    qid: str
    version: int
    also: tuple[str, ...] = ()
    state: str | None = None
    grade: str | None = None
    health: str | None = None
    measure: str | None = None
    valid_from: str | None = None
    valid_until: str | None = None
    code: str | None = None
    declaration: str | None = None


class Change(msgspec.Struct, frozen=True):
    """One item of the feed, which is also the content of a webhook."""

    id: str
    type: str
    at: str
    citizen: Citizen | None = None
    cursor: str = ""


@dataclass(frozen=True, slots=True)
class Letter:
    """What a user declared, in the platform's own form, and what became of it; ``said`` is the exchange's answer."""

    key: str
    body: bytes
    content_type: str
    state: State
    attempts: int
    said: str
    declaration: str | None
    qid: str | None


_COLUMNS = "key, body, content_type, state, attempts, said, declaration, qid"


class TwinStore:
    """The twin's own database; used from one thread. ``path`` may be ``:memory:``."""

    def __init__(self, path: Path | str) -> None:
        self._db = sqlite3.connect(path, isolation_level=None)
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = FULL")
        self._db.executescript(_SCHEMA)

    def close(self) -> None:
        """Nothing can be asked of it afterwards."""
        self._db.close()

    @contextmanager
    def _all_or_nothing(self) -> Iterator[None]:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    # -- little things ------------------------------------------------------------------------------------------

    def kept(self, name: str) -> bytes | None:
        """What was kept under ``name``."""
        row = self._db.execute("SELECT value FROM kept WHERE name = ?", (name,)).fetchone()
        return row[0] if row else None

    def keep(self, name: str, value: bytes) -> None:
        """Keep ``value`` under ``name``, in the place of what was there."""
        self._db.execute("INSERT OR REPLACE INTO kept VALUES (?, ?)", (name, value))

    def forget_everything(self) -> None:
        """As on the first day; for a trial that begins anew."""
        with self._all_or_nothing():
            for table in ("kept", "letters", "citizens", "also", "heard"):
                self._db.execute(f"DELETE FROM {table}")

    # -- letters ------------------------------------------------------------------------------------------------

    def write(self, key: str, body: bytes, content_type: str, now: float) -> bool:
        """A letter that is to be sent; False if there is one under that key already."""
        row = (key, body, content_type, "waiting", 0, now, "")
        sql = "INSERT OR IGNORE INTO letters VALUES (?, ?, ?, ?, ?, ?, ?, NULL, NULL)"
        return self._db.execute(sql, row).rowcount == 1

    def letter(self, key: str) -> Letter | None:
        """The letter under ``key``."""
        row = self._db.execute(f"SELECT {_COLUMNS} FROM letters WHERE key = ?", (key,)).fetchone()
        return Letter(*row) if row else None

    def due(self, now: float, most: int) -> list[Letter]:
        """Letters whose time has come, the one that waits longest first."""
        sql = f"SELECT {_COLUMNS} FROM letters WHERE state = 'waiting' AND next_at <= ? ORDER BY next_at LIMIT ?"
        return [Letter(*row) for row in self._db.execute(sql, (now, most))]

    def next_due(self) -> float | None:
        """When the next letter's time comes, in seconds since 1970; None if none waits."""
        row = self._db.execute("SELECT min(next_at) FROM letters WHERE state = 'waiting'").fetchone()
        return row[0]  # type: ignore[no-any-return]

    def put_off(self, key: str, until: float, why: str) -> None:
        """It could not be sent: once more at ``until``, under the same key."""
        sql = "UPDATE letters SET attempts = attempts + 1, next_at = ?, said = ? WHERE key = ? AND state = 'waiting'"
        self._db.execute(sql, (until, why, key))

    def answered(self, key: str, state: State, said: str, declaration: str | None, qid: str | None) -> None:
        """The exchange took it, or will never take it."""
        sql = "UPDATE letters SET state = ?, attempts = attempts + 1, said = ?, declaration = ?, qid = ? WHERE key = ?"
        self._db.execute(sql, (state, said, declaration, qid, key))

    def counts(self) -> Mapping[str, int]:
        """Letters by state, ``citizens``, those of them whose code is known (``codes``), and changes ``heard``."""
        counted = dict.fromkeys(("waiting", "sent", "refused"), 0)
        counted.update(self._db.execute("SELECT state, count(*) FROM letters GROUP BY state"))
        said = self._db.execute("SELECT count(*), count(json_extract(said, '$.code')) FROM citizens").fetchone()
        heard = self._db.execute("SELECT count(*) FROM heard").fetchone()
        return {**counted, "citizens": said[0], "codes": said[1], "heard": heard[0]}

    # -- what it was told ---------------------------------------------------------------------------------------

    def hear(self, changes: Iterable[Change], by: Way, now: float, cursor: str | None = None) -> int:
        """Take over what ``changes`` say and, of the feed, how far it was read: all in one. Returns how many were new.

        One that was heard before, by whichever way, is passed over; so is one that is older than what is known of its
        citizen, and one of a type that this twin does not know: they count as heard.
        """
        new = 0
        with self._all_or_nothing():
            for change in changes:
                new += self._hear(change, by, now)
            if cursor is not None:
                self.keep("cursor", cursor.encode())
        return new

    def _hear(self, change: Change, by: Way, now: float) -> bool:
        told = change.citizen if change.type.startswith("citizen.") else None
        qid, version = (told.qid, told.version) if told else (None, None)
        won = told is not None and self._newer(told)
        row = (change.id, change.type, qid, version, change.at, now, by, won)
        sql = "INSERT OR IGNORE INTO heard VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?)"
        if self._db.execute(sql, row).rowcount == 0:
            return False
        if told and won:
            self._take_over(told)
        return True

    def _newer(self, told: Citizen) -> bool:
        sql = "SELECT 1 FROM citizens WHERE qid = ? AND version >= ?"
        return self._db.execute(sql, (told.qid, told.version)).fetchone() is None

    def _take_over(self, told: Citizen) -> None:
        said = msgspec.json.encode(told).decode()
        self._db.execute("INSERT OR REPLACE INTO citizens VALUES (?, ?, ?)", (told.qid, told.version, said))
        self._db.execute("DELETE FROM also WHERE now = ? OR qid = ?", (told.qid, told.qid))
        for other in told.also:
            self._db.execute("INSERT OR REPLACE INTO also VALUES (?, ?)", (other, told.qid))
            self._db.execute("DELETE FROM citizens WHERE qid = ? AND version < ?", (other, told.version))

    def citizen(self, qid: str) -> Citizen | None:
        """What is known of the citizen who bears ``qid``, or who bore it before their numbers were made one."""
        either = "qid = ? OR qid = (SELECT now FROM also WHERE qid = ?)"
        sql = f"SELECT said FROM citizens WHERE {either} ORDER BY version DESC"
        row = self._db.execute(sql, (qid, qid)).fetchone()
        return msgspec.json.decode(row[0], type=Citizen) if row else None

    def everybody(self) -> Iterator[Citizen]:
        """Every citizen that this twin was told of."""
        for (said,) in self._db.execute("SELECT said FROM citizens"):
            yield msgspec.json.decode(said, type=Citizen)

    def story(self) -> list[dict[str, Any]]:
        """Every change that was heard, in the order in which it came; for whoever looks for gaps and doubles."""
        names = ("id", "type", "qid", "version", "at", "heard_at", "by", "won")
        rows = self._db.execute(f"SELECT {', '.join(names)} FROM heard ORDER BY place")
        return [dict(zip(names, row, strict=True)) for row in rows]
