"""Every question asked of the tables: written once, compiled once for each dialect, run by hand on the drivers."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    LargeBinary,
    Select,
    Table,
    Text,
    bindparam,
    case,
    delete,
    func,
    literal_column,
    or_,
    select,
    tuple_,
    update,
)
from sqlalchemy.dialects import sqlite as sqlite_
from sqlalchemy.dialects.postgresql.asyncpg import PGDialect_asyncpg
from sqlalchemy.engine.interfaces import Dialect
from sqlalchemy.sql.base import Executable
from sqlalchemy.sql.compiler import SQLCompiler

from motma.core.links import LINKING
from motma.storage.seal import PREFIX_BYTES
from motma.storage.tables import (
    credentials,
    deliveries,
    facts,
    holdings,
    is_control,
    is_pending,
    is_permit,
    is_platform,
    is_policy,
    is_review,
    is_scan,
    is_status,
    leases,
    links,
    once,
    outlets,
    permits,
    standing,
    tally,
)

SQLITE: Dialect = sqlite_.dialect()
POSTGRESQL: Dialect = PGDialect_asyncpg()  # type: ignore[no-untyped-call]


@dataclass(frozen=True, slots=True)
class Query:
    """One question as SQL text for each engine. Arguments go by position, the same for both."""

    sqlite: str
    postgresql: str


def compiled(statement: Executable, dialect: Dialect, *arguments: str) -> str:
    """The text of ``statement``, whose binds must stand in the order of ``arguments``, each once."""
    compiler: Any = statement.compile(dialect=dialect)  # type: ignore[attr-defined]
    assert isinstance(compiler, SQLCompiler)
    assert tuple(compiler.positiontup or ()) == arguments, compiler.positiontup
    return str(compiler)


def _query(statement: Select[Any], *arguments: str) -> Query:
    return Query(compiled(statement, SQLITE, *arguments), compiled(statement, POSTGRESQL, *arguments))


_limit = bindparam("limit", type_=BigInteger)
_from_first: ColumnElement[int] = literal_column(
    "0"
)  # without it, SQLAlchemy gives SQLite an OFFSET of its own to bind
_fact = (
    facts.c.id,
    facts.c.qid,
    facts.c.checkpoint,
    facts.c.at,
    facts.c.actor,
    facts.c.body,
    facts.c.sealed,
)

LAST_SEQ = _query(select(func.coalesce(func.max(facts.c.seq), literal_column("0"))))
FACT = _query(select(*_fact).where(facts.c.id == bindparam("id")), "id")
CONTROL_FACTS = _query(select(*_fact).where(is_control()).order_by(facts.c.seq))


def _facts_after(condition: ColumnElement[bool]) -> Query:
    """A page of the facts of some kinds, in order of record, with their numbers."""
    return _query(
        select(*_fact, facts.c.seq)
        .where(condition)
        .where(facts.c.seq > bindparam("after", type_=BigInteger))
        .order_by(facts.c.seq)
        .limit(_limit)
        .offset(_from_first),
        "after",
        "limit",
    )


STATUS_FACTS = _facts_after(is_status())
REVIEW_FACTS = _facts_after(is_review())
PERMIT_FACTS = _facts_after(is_permit())
PERMIT = _query(select(permits.c.body).where(permits.c.id == bindparam("id")), "id")
PERMIT_ROW = _query(select(permits).where(permits.c.id == bindparam("id")), "id")
PERMITS_BEFORE = _query(
    select(permits.c.body)
    .where(permits.c.id < bindparam("before", type_=Text))
    .order_by(permits.c.id.desc())
    .limit(_limit)
    .offset(_from_first),
    "before",
    "limit",
)
PERMIT_ROWS = _query(
    select(permits)
    .where(permits.c.id > bindparam("after", type_=Text))
    .order_by(permits.c.id)
    .limit(_limit)
    .offset(_from_first),
    "after",
    "limit",
)
POLICY_FACTS = _facts_after(is_policy())
PLATFORM_FACTS = _facts_after(is_platform())
LINKS = _query(select(links).where(links.c.qid == bindparam("qid")).order_by(links.c.platform, links.c.via), "qid")
LINKS_BETWEEN = _query(
    select(links)
    .where(links.c.qid > bindparam("after", type_=Text))
    .where(links.c.qid <= bindparam("upto", type_=Text)),
    "after",
    "upto",
)
MOVES = _query(  # what happened to citizens from one number to another: no more is read than lies between them
    select(facts.c.seq, facts.c.id, facts.c.kind, facts.c.qid, facts.c.at)
    .where(facts.c.seq > bindparam("after", type_=BigInteger))
    .where(facts.c.seq <= bindparam("upto", type_=BigInteger))
    .where(facts.c.qid.is_not(None))
    .order_by(facts.c.seq),
    "after",
    "upto",
)
OUTLET = _query(select(outlets).where(outlets.c.platform == bindparam("platform")), "platform")
LEASE = _query(select(leases).where(leases.c.name == bindparam("name")), "name")
DUE = _query(
    select(deliveries)
    .where(deliveries.c.platform == bindparam("platform"))
    .where(deliveries.c.state == literal_column("'waiting'"))
    .where(deliveries.c.next_at <= bindparam("now", type_=BigInteger))
    .order_by(deliveries.c.next_at)
    .limit(_limit)
    .offset(_from_first),
    "platform",
    "now",
    "limit",
)
PARKED = _query(
    select(deliveries)
    .where(deliveries.c.platform == bindparam("platform"))
    .where(deliveries.c.state == bindparam("state"))
    .where(deliveries.c.qid > bindparam("after", type_=Text))
    .order_by(deliveries.c.qid)
    .limit(_limit)
    .offset(_from_first),
    "platform",
    "state",
    "after",
    "limit",
)
PARKED_COUNT = _query(
    select(deliveries.c.state, func.count())
    .where(deliveries.c.platform == bindparam("platform"))
    .group_by(deliveries.c.state),
    "platform",
)
DELIVERY = _query(
    select(deliveries)
    .where(deliveries.c.platform == bindparam("platform"))
    .where(deliveries.c.seq == bindparam("seq", type_=BigInteger)),
    "platform",
    "seq",
)
_scans_within = (
    is_scan(),
    tuple_(facts.c.at, facts.c.seq) > tuple_(bindparam("at", type_=BigInteger), bindparam("after", type_=BigInteger)),
    facts.c.at < bindparam("until", type_=BigInteger),
    facts.c.seq <= bindparam("upto", type_=BigInteger),
)
SCANS = _query(
    select(facts.c.at, facts.c.seq, facts.c.body)  # and not whom it was about, nor who did it
    .where(*_scans_within)
    .order_by(facts.c.at, facts.c.seq)
    .limit(_limit)
    .offset(_from_first),
    "at",
    "after",
    "until",
    "upto",
    "limit",
)
SCANS_COUNTED = _query(select(func.count()).select_from(facts).where(*_scans_within), "at", "after", "until", "upto")
FACTS_BY_KIND = _query(select(facts.c.kind, func.count()).group_by(facts.c.kind))
CITIZENS = _query(select(func.count()).select_from(standing))
STANDING = _query(select(standing.c.body).where(standing.c.qid == bindparam("qid")), "qid")
HOLDINGS = _query(
    select(holdings)
    .where(holdings.c.wallet == bindparam("wallet"))
    .order_by(holdings.c.at.desc(), holdings.c.declaration),
    "wallet",
)
CREDENTIAL = _query(select(credentials).where(credentials.c.hash == bindparam("hash")), "hash")
CREDENTIALS = _query(
    select(credentials)
    .where(credentials.c.kind == bindparam("kind"))
    .order_by(credentials.c.created_at, credentials.c.hash),
    "kind",
)
TALLY = _query(
    select(tally.c.place, tally.c.hour, tally.c.kind, tally.c.outcome, tally.c.n)
    .where(tally.c.hour >= bindparam("since"))
    .order_by(tally.c.hour, tally.c.place, tally.c.kind, tally.c.outcome),
    "since",
)
PENDING = _query(
    select(standing.c.body)
    .where(is_pending())
    .where(
        tuple_(standing.c.declared_at, standing.c.qid)
        > tuple_(bindparam("after", type_=BigInteger), bindparam("qid", type_=Text))
    )
    .order_by(standing.c.declared_at, standing.c.qid)
    .limit(_limit)
    .offset(_from_first),
    "after",
    "qid",
    "limit",
)

# For rebuilding: all facts about citizens, citizen by citizen, and the standings beside them, a page at a time.
HISTORIES = _query(
    select(*_fact, facts.c.seq)
    .where(tuple_(facts.c.qid, facts.c.seq) > tuple_(bindparam("qid", type_=Text), bindparam("seq", type_=BigInteger)))
    .order_by(facts.c.qid, facts.c.seq)
    .limit(_limit)
    .offset(_from_first),
    "qid",
    "seq",
    "limit",
)
_linking = facts.c.kind.in_([literal_column(f"'{kind}'") for kind in LINKING])
LINK_HISTORIES = _query(  # likewise, of what makes links
    select(*_fact, facts.c.seq)
    .where(_linking)
    .where(tuple_(facts.c.qid, facts.c.seq) > tuple_(bindparam("qid", type_=Text), bindparam("seq", type_=BigInteger)))
    .order_by(facts.c.qid, facts.c.seq)
    .limit(_limit)
    .offset(_from_first),
    "qid",
    "seq",
    "limit",
)
TOOK = _query(
    select(*_fact).where(facts.c.qid == bindparam("qid")).where(facts.c.kind == literal_column("'citizen.took'")),
    "qid",
)
HISTORY = _query(select(*_fact, facts.c.seq).where(facts.c.qid == bindparam("qid")).order_by(facts.c.seq), "qid")
STANDING_ROW = _query(select(standing).where(standing.c.qid == bindparam("qid")), "qid")
STANDINGS = _query(
    select(standing)
    .where(standing.c.qid > bindparam("after", type_=Text))
    .where(standing.c.qid <= bindparam("upto", type_=Text))
    .order_by(standing.c.qid),
    "after",
    "upto",
)

STANDINGS_PAGE = _query(
    select(standing.c.body)
    .where(standing.c.qid > bindparam("after", type_=Text))
    .order_by(standing.c.qid)
    .limit(_limit)
    .offset(_from_first),
    "after",
    "limit",
)

# What is sealed with which key: a page of those whose first bytes are less than some key's, and all of them counted.
_prefix: ColumnElement[bytes] = func.substr(facts.c.sealed, literal_column("1"), literal_column(str(PREFIX_BYTES)))
SEALED_BEFORE = _query(
    select(facts.c.seq, facts.c.id, facts.c.sealed)
    .where(facts.c.seq > bindparam("after", type_=BigInteger))
    .where(facts.c.seq <= bindparam("upto", type_=BigInteger))
    .where(_prefix < bindparam("prefix", type_=LargeBinary))
    .order_by(facts.c.seq),
    "after",
    "upto",
    "prefix",
)
_scheme = case((_prefix < bindparam("numbered", type_=LargeBinary), literal_column("NULL")), else_=_prefix)
_by_key = select(_scheme.label("prefix")).where(facts.c.sealed.is_not(None)).subquery()
SEALED_BY = _query(select(_by_key.c.prefix, func.count()).group_by(_by_key.c.prefix), "numbered")


@lru_cache
def holders(keys: int) -> Query:
    """(key, value) of those of ``keys`` many keys that are held. Arguments: the keys."""
    names = [f"key_{n}" for n in range(keys)]
    wanted = once.c.key.in_([bindparam(name, type_=LargeBinary) for name in names])
    return _query(select(once.c.key, once.c.value).where(wanted), *names)


@lru_cache
def permits_of(holders: int) -> Query:
    """The permits of ``holders`` many holders. Arguments: the holders."""
    names = [f"holder_{n}" for n in range(holders)]
    wanted = permits.c.holder.in_([bindparam(name, type_=Text) for name in names])
    return _query(select(permits.c.body).where(wanted).order_by(permits.c.id), *names)


@lru_cache
def links_of(citizens: int) -> Query:
    """The links of ``citizens`` many citizens. Arguments: their numbers."""
    names = [f"qid_{n}" for n in range(citizens)]
    wanted = links.c.qid.in_([bindparam(name, type_=Text) for name in names])
    return _query(select(links).where(wanted), *names)


@lru_cache
def parked_of(citizens: int) -> Query:
    """What is parked of ``citizens`` many citizens for a platform. Arguments: the platform, their numbers."""
    names = [f"qid_{n}" for n in range(citizens)]
    wanted = deliveries.c.qid.in_([bindparam(name, type_=Text) for name in names])
    statement = select(deliveries).where(deliveries.c.platform == bindparam("platform")).where(wanted)
    return _query(statement, "platform", *names)


@lru_cache
def standings_of(citizens: int) -> Query:
    """(number, body) of the standings of ``citizens`` many citizens. Arguments: their numbers."""
    names = [f"qid_{n}" for n in range(citizens)]
    wanted = standing.c.qid.in_([bindparam(name, type_=Text) for name in names])
    return _query(select(standing.c.qid, standing.c.body).where(wanted), *names)


@lru_cache
def facts_about(kinds: int, newest_first: bool) -> Query:
    """Facts about one citizen, of ``kinds`` many given kinds (0: of any). Arguments: qid, the kinds, the limit."""
    names = [f"kind_{n}" for n in range(kinds)]
    statement = select(*_fact).where(facts.c.qid == bindparam("qid"))
    if names:
        statement = statement.where(facts.c.kind.in_([bindparam(name, type_=Text) for name in names]))
    statement = (
        statement.order_by(facts.c.seq.desc() if newest_first else facts.c.seq).limit(_limit).offset(_from_first)
    )
    return _query(statement, "qid", *names, "limit")


@lru_cache
def facts_of(citizens: int, kinds: int) -> Query:
    """(a fact's columns, seq) of ``kinds`` many kinds about ``citizens`` many. Arguments: their numbers, the kinds."""
    whom = [f"qid_{n}" for n in range(citizens)]
    names = [f"kind_{n}" for n in range(kinds)]
    statement = (
        select(*_fact)
        .where(facts.c.qid.in_([bindparam(name, type_=Text) for name in whom]))
        .where(facts.c.kind.in_([bindparam(name, type_=Text) for name in names]))
        .order_by(facts.c.seq)
    )
    return _query(statement, *whom, *names)


def put(insert: Callable[[Table], Any], table: Table, source: Select[Any] | None = None) -> Any:
    """INSERT a row for each bind, or all rows of ``source``, by the ``insert`` of one dialect.

    ``facts`` and ``once`` take new rows only, ``tally`` adds ``n`` to the row of the same key, ``links`` keep the first
    seq and the newest declaration, ``leases`` change hands when they have run out, the others replace it.
    """
    statement = insert(table)
    names = [column.name for column in table.columns]
    if source is None:
        statement = statement.values({column: bindparam(column.name) for column in table.columns})
    else:
        statement = statement.from_select(names, source)
    if table in (facts, once):
        return statement
    new = statement.excluded
    rest = {column.name: new[column.name] for column in table.columns if not column.primary_key}
    if table is tally:
        rest = {"n": tally.c.n + new.n}
    if table is links:
        rest = {
            "seq": case((links.c.seq < new.seq, links.c.seq), else_=new.seq),
            "declaration": case((links.c.declaration > new.declaration, links.c.declaration), else_=new.declaration),
        }
    if table is leases:
        free = or_(leases.c.owner == new.owner, leases.c.until <= new.since)
        return statement.on_conflict_do_update(index_elements=[leases.c.name], set_=rest, where=free)
    return statement.on_conflict_do_update(index_elements=list(table.primary_key.columns), set_=rest)


def reseal() -> Any:
    """UPDATE of one personal part that is still as it was: ``shall`` in the place of ``is``, of the fact ``number``."""
    return (
        update(facts)
        .where(facts.c.seq == bindparam("number", type_=BigInteger))
        .where(facts.c.sealed == bindparam("is", type_=LargeBinary))
        .values(sealed=bindparam("shall", type_=LargeBinary))
    )


def no_links() -> Any:
    """DELETE of what came to the citizen ``number`` by way of another number of theirs."""
    return delete(links).where(links.c.qid == bindparam("number")).where(links.c.via == bindparam("by"))


def no_delivery() -> Any:
    """DELETE of what was not told, unless something newer has taken its place."""
    return (
        delete(deliveries)
        .where(deliveries.c.platform == bindparam("whose"))
        .where(deliveries.c.qid == bindparam("number"))
        .where(deliveries.c.seq <= bindparam("upto", type_=BigInteger))
    )
