"""What changed the status of codes is found without reading everything."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

_STATUS = "kind LIKE 'standing.%'"


def upgrade() -> None:
    op.create_index(
        "ix_facts_status",
        "facts",
        ["seq"],
        sqlite_where=sa.text(_STATUS),
        postgresql_where=sa.text(_STATUS),
    )
