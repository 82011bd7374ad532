"""Permits, found by their holder; and the facts about them, found without reading everything."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

_PERMIT = "kind LIKE 'permit.%'"


def upgrade() -> None:
    op.create_table(
        "permits",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("holder", sa.Text, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_permits"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_index("ix_permits_holder", "permits", ["holder"])
    op.create_index(
        "ix_facts_permit",
        "facts",
        ["seq"],
        sqlite_where=sa.text(_PERMIT),
        postgresql_where=sa.text(_PERMIT),
    )
