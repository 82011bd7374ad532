"""What is kept, as tables. Only column types that need no conversion, so rows go to and from the drivers as they are.

Times are BIGINT microseconds since 1970-01-01 UTC; JSON is text written by msgspec; hashes are raw bytes.
``facts`` is append-only: triggers on both engines refuse DELETE, UPDATE and what would amount to them, but for one
thing: what is sealed may be sealed anew, with a newer key. Every other table is a projection of it, a claim, or a
grant. Tables about citizens carry ``qid``, the key to distribute them by.
"""

from sqlalchemy import (
    DDL,
    BigInteger,
    Column,
    ColumnElement,
    Index,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    event,
    literal_column,
    or_,
)
from sqlalchemy.dialects import sqlite

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# SQLite's strict tables check types as PostgreSQL does, but know no BIGINT (their INTEGER is 64 bits wide).
_Whole = BigInteger().with_variant(sqlite.INTEGER(), "sqlite")

# Counted up by the writer under its lock and not by a sequence: without gaps and in order of commit, so a reader
# that asks for "what came after seq" misses nothing, and a hole is proof that somebody removed a row.
_seq = Column("seq", _Whole, autoincrement=False, nullable=False)

facts = Table(
    "facts",
    metadata,
    _seq,
    Column("id", Text, nullable=False, unique=True),
    Column("qid", Text),
    Column("kind", Text, nullable=False),
    Column("checkpoint", Text),
    Column("at", _Whole, nullable=False),
    Column("recorded_at", _Whole, nullable=False),
    Column("actor", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("sealed", LargeBinary),
    PrimaryKeyConstraint("seq"),
    Index(None, "qid", "seq"),
    sqlite_strict=True,
)


def is_control() -> ColumnElement[bool]:
    """The facts that steer the system and not one citizen. Written out, or no planner would match the index."""
    return or_(
        facts.c.kind.like(literal_column("'diversion.%'")),
        facts.c.kind.like(literal_column("'key.%'")),
        facts.c.kind.like(literal_column("'measure.%'")),
    )


Index("ix_facts_control", facts.c.seq, sqlite_where=is_control(), postgresql_where=is_control())


def is_status() -> ColumnElement[bool]:
    """The facts that change the status of codes. Written out for the same reason."""
    return facts.c.kind.like(literal_column("'standing.%'"))


Index("ix_facts_status", facts.c.seq, sqlite_where=is_status(), postgresql_where=is_status())


def is_review() -> ColumnElement[bool]:
    """The facts that operators look at again: repairs, reviews of them, merges. Written out for the same reason."""
    return or_(
        facts.c.kind.like(literal_column("'identity.re%'")),
        facts.c.kind.like(literal_column("'citizen.%'")),
    )


Index("ix_facts_review", facts.c.seq, sqlite_where=is_review(), postgresql_where=is_review())


def is_permit() -> ColumnElement[bool]:
    """The facts about permits, citizens' and vehicles'. Written out for the same reason."""
    return facts.c.kind.like(literal_column("'permit.%'"))


Index("ix_facts_permit", facts.c.seq, sqlite_where=is_permit(), postgresql_where=is_permit())


def is_policy() -> ColumnElement[bool]:
    """What operators did about policies. Written out for the same reason. Not among the facts that steer, which are
    read whole every second: a policy is a long text."""
    return facts.c.kind.like(literal_column("'policy.%'"))


Index("ix_facts_policy", facts.c.seq, sqlite_where=is_policy(), postgresql_where=is_policy())


def is_platform() -> ColumnElement[bool]:
    """What is said of platforms. Written out for the same reason."""
    return facts.c.kind.like(literal_column("'platform.%'"))


Index("ix_facts_platform", facts.c.seq, sqlite_where=is_platform(), postgresql_where=is_platform())


def is_scan() -> ColumnElement[bool]:
    """The scans, to be gone through by time. Written out for the same reason."""
    return facts.c.kind == literal_column("'scan.made'")


Index("ix_facts_scans", facts.c.at, facts.c.seq, sqlite_where=is_scan(), postgresql_where=is_scan())
Index(
    "ix_facts_passages",  # the same by place: who stood there when a case did
    facts.c.checkpoint,
    facts.c.at,
    facts.c.seq,
    sqlite_where=is_scan(),
    postgresql_where=is_scan(),
)


def is_health_report() -> ColumnElement[bool]:
    """What health staff reported, to be gone through by time. Written out for the same reason."""
    return facts.c.kind == literal_column("'health.reported'")


Index(
    "ix_facts_health",
    facts.c.at,
    facts.c.seq,
    sqlite_where=is_health_report(),
    postgresql_where=is_health_report(),
)

once = Table(
    "once",
    metadata,
    Column("key", LargeBinary, nullable=False),
    Column("value", Text, nullable=False),
    PrimaryKeyConstraint("key"),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)

standing = Table(
    "standing",
    metadata,
    Column("qid", Text, nullable=False),
    Column("grade", Text, nullable=False),
    Column("declared_at", _Whole, nullable=False),
    Column("valid_until", _Whole, nullable=False),
    Column("seq", _Whole, nullable=False),  # of the fact that made it what it is
    Column("body", Text, nullable=False),
    PrimaryKeyConstraint("qid"),
    sqlite_strict=True,
)


def is_pending() -> ColumnElement[bool]:
    """The standings whose identity is still to be checked. Written out for the same reason."""
    return standing.c.grade == literal_column("'pending'")


Index(
    "ix_standing_pending",
    standing.c.declared_at,
    standing.c.qid,
    sqlite_where=is_pending(),
    postgresql_where=is_pending(),
)

tally = Table(
    "tally",
    metadata,
    Column("place", Text, nullable=False),
    Column("hour", _Whole, nullable=False),
    Column("kind", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("n", _Whole, nullable=False),
    PrimaryKeyConstraint("hour", "place", "kind", "outcome"),  # the hour first: the board asks "since when"
    sqlite_strict=True,
    sqlite_with_rowid=False,
)

holdings = Table(
    "holdings",
    metadata,
    Column("wallet", LargeBinary, nullable=False),
    Column("declaration", Text, nullable=False),
    Column("qid", Text, nullable=False),
    Column("at", _Whole, nullable=False),
    PrimaryKeyConstraint("wallet", "declaration"),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)

permits = Table(
    "permits",
    metadata,
    Column("id", Text, nullable=False),  # of the fact that it was issued
    Column("holder", Text, nullable=False),  # a QID, or the keyed hash of a plate in hex
    Column("body", Text, nullable=False),
    PrimaryKeyConstraint("id"),
    Index(None, "holder"),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)

# Which platform may follow which number of a citizen, from which fact on: its own declarations (``via`` is the number
# itself), or those under another number that turned out to be the same citizen's. ``declaration``: its newest.
links = Table(
    "links",
    metadata,
    Column("qid", Text, nullable=False),
    Column("platform", Text, nullable=False),
    Column("via", Text, nullable=False),
    Column("seq", _Whole, nullable=False),
    Column("declaration", Text, nullable=False),
    PrimaryKeyConstraint("qid", "platform", "via"),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)

# How far a platform was told of changes, and since when it does not answer.
outlets = Table(
    "outlets",
    metadata,
    Column("platform", Text, nullable=False),
    Column("setting", Text, nullable=False),  # the fact that said where it is told
    Column("cursor", _Whole, nullable=False),
    Column("failures", _Whole, nullable=False),
    Column("rests_until", _Whole, nullable=False),
    Column("problem", Text, nullable=False),
    PrimaryKeyConstraint("platform"),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)

# What could not be told a platform about a citizen: one row for each, since whatever is told is told as of then.
deliveries = Table(
    "deliveries",
    metadata,
    Column("platform", Text, nullable=False),
    Column("qid", Text, nullable=False),
    Column("seq", _Whole, nullable=False),
    Column("kind", Text, nullable=False),
    Column("at", _Whole, nullable=False),
    Column("state", Text, nullable=False),
    Column("attempts", _Whole, nullable=False),
    Column("next_at", _Whole, nullable=False),
    Column("problem", Text, nullable=False),
    PrimaryKeyConstraint("platform", "qid"),
    Index(None, "platform", "state", "next_at"),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)

# Which process does something that only one should do, and until when.
leases = Table(
    "leases",
    metadata,
    Column("name", Text, nullable=False),
    Column("owner", Text, nullable=False),
    Column("since", _Whole, nullable=False),
    Column("until", _Whole, nullable=False),
    PrimaryKeyConstraint("name"),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)

credentials = Table(
    "credentials",
    metadata,
    Column("hash", LargeBinary, nullable=False),
    Column("kind", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("scope", Text, nullable=False),
    Column("created_at", _Whole, nullable=False),
    Column("expires_at", _Whole),
    Column("revoked_at", _Whole),
    PrimaryKeyConstraint("hash"),
    Index(None, "kind"),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)

# The first bytes of ``sealed`` are the scheme and the key's number (storage/seal.py). Row by row and not by a list of
# columns: SQLite knows ``seq`` by four other names.
_KEPT = "seq, id, qid, kind, checkpoint, at, recorded_at, actor, body"
_NEW, _OLD = (", ".join(f"{row}.{name}" for name in _KEPT.split(", ")) for row in ("NEW", "OLD"))
_NEWER = "substr(NEW.sealed, 1, 5) > substr(OLD.sealed, 1, 5) AND NEW.sealed >= "

# SQLite's INSERT OR REPLACE deletes without asking the delete trigger, hence the third one.
APPEND_ONLY_SQLITE = (
    "CREATE TRIGGER facts_no_delete BEFORE DELETE ON facts BEGIN SELECT RAISE(ABORT, 'facts are append-only'); END",
    "CREATE TRIGGER facts_no_replace BEFORE INSERT ON facts"
    " WHEN EXISTS (SELECT 1 FROM facts WHERE seq = NEW.seq OR id = NEW.id)"
    " BEGIN SELECT RAISE(ABORT, 'facts are append-only'); END",
    "CREATE TRIGGER facts_only_reseal BEFORE UPDATE ON facts"
    f" WHEN (({_NEW}) IS ({_OLD}) AND {_NEWER}x'02') IS NOT 1"
    " BEGIN SELECT RAISE(ABORT, 'facts are append-only'); END",
)
APPEND_ONLY_POSTGRESQL = (
    "CREATE FUNCTION facts_append_only() RETURNS trigger LANGUAGE plpgsql AS"
    " $$ BEGIN RAISE EXCEPTION 'facts are append-only' USING ERRCODE = 'restrict_violation'; END $$",
    "CREATE TRIGGER facts_no_change BEFORE DELETE OR TRUNCATE ON facts"
    " FOR EACH STATEMENT EXECUTE FUNCTION facts_append_only()",
    "CREATE TRIGGER facts_only_reseal BEFORE UPDATE ON facts FOR EACH ROW"
    f" WHEN ((ROW({_NEW}) IS NOT DISTINCT FROM ROW({_OLD}) AND {_NEWER}'\\x02'::bytea) IS NOT TRUE)"
    " EXECUTE FUNCTION facts_append_only()",
)
for _dialect, _statements in (("sqlite", APPEND_ONLY_SQLITE), ("postgresql", APPEND_ONLY_POSTGRESQL)):
    for _statement in _statements:
        _ddl = DDL(_statement)  # type: ignore[no-untyped-call]
        event.listen(facts, "after_create", _ddl.execute_if(dialect=_dialect))
