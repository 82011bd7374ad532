"""The first tables."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import sqlite

revision = "0001"
down_revision = None

_PENDING = "grade = 'pending'"
_CONTROL = "kind LIKE 'diversion.%' OR kind LIKE 'measure.%'"


def upgrade() -> None:
    whole = sa.BigInteger().with_variant(sqlite.INTEGER(), "sqlite")
    op.create_table(
        "facts",
        sa.Column("seq", whole, autoincrement=False, nullable=False),
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("qid", sa.Text),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("checkpoint", sa.Text),
        sa.Column("at", whole, nullable=False),
        sa.Column("recorded_at", whole, nullable=False),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("sealed", sa.LargeBinary),
        sa.PrimaryKeyConstraint("seq", name="pk_facts"),
        sa.UniqueConstraint("id", name="uq_facts_id"),
        sqlite_strict=True,
    )
    op.create_index("ix_facts_qid_seq", "facts", ["qid", "seq"])
    op.create_index(
        "ix_facts_control",
        "facts",
        ["seq"],
        sqlite_where=sa.text(_CONTROL),
        postgresql_where=sa.text(_CONTROL),
    )
    op.create_table(
        "once",
        sa.Column("key", sa.LargeBinary, nullable=False),
        sa.Column("value", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_once"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_table(
        "standing",
        sa.Column("qid", sa.Text, nullable=False),
        sa.Column("grade", sa.Text, nullable=False),
        sa.Column("declared_at", whole, nullable=False),
        sa.Column("valid_until", whole, nullable=False),
        sa.Column("seq", whole, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("qid", name="pk_standing"),
        sqlite_strict=True,
    )
    op.create_index(
        "ix_standing_pending",
        "standing",
        ["declared_at", "qid"],
        sqlite_where=sa.text(_PENDING),
        postgresql_where=sa.text(_PENDING),
    )
    op.create_table(
        "tally",
        sa.Column("place", sa.Text, nullable=False),
        sa.Column("hour", whole, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("outcome", sa.Text, nullable=False),
        sa.Column("n", whole, nullable=False),
        sa.PrimaryKeyConstraint("hour", "place", "kind", "outcome", name="pk_tally"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_table(
        "holdings",
        sa.Column("wallet", sa.LargeBinary, nullable=False),
        sa.Column("declaration", sa.Text, nullable=False),
        sa.Column("qid", sa.Text, nullable=False),
        sa.Column("at", whole, nullable=False),
        sa.PrimaryKeyConstraint("wallet", "declaration", name="pk_holdings"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_table(
        "credentials",
        sa.Column("hash", sa.LargeBinary, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("scope", sa.Text, nullable=False),
        sa.Column("created_at", whole, nullable=False),
        sa.Column("expires_at", whole),
        sa.Column("revoked_at", whole),
        sa.PrimaryKeyConstraint("hash", name="pk_credentials"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_index("ix_credentials_kind", "credentials", ["kind"])
    # A copy of the triggers in tables.py, and not a reference: a published step never changes.
    if op.get_context().dialect.name == "sqlite":
        refuse = "BEGIN SELECT RAISE(ABORT, 'facts are append-only'); END"
        op.execute(f"CREATE TRIGGER facts_no_update BEFORE UPDATE ON facts {refuse}")
        op.execute(f"CREATE TRIGGER facts_no_delete BEFORE DELETE ON facts {refuse}")
        op.execute(
            "CREATE TRIGGER facts_no_replace BEFORE INSERT ON facts"
            f" WHEN EXISTS (SELECT 1 FROM facts WHERE seq = NEW.seq OR id = NEW.id) {refuse}"
        )
    else:
        op.execute(
            "CREATE FUNCTION facts_append_only() RETURNS trigger LANGUAGE plpgsql AS"
            " $$ BEGIN RAISE EXCEPTION 'facts are append-only' USING ERRCODE = 'restrict_violation'; END $$"
        )
        op.execute(
            "CREATE TRIGGER facts_no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON facts"
            " FOR EACH STATEMENT EXECUTE FUNCTION facts_append_only()"
        )
