"""Who stood at a checkpoint when somebody did, and whose contact somebody is, is found without reading everything."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"

_SCANS = "kind = 'scan.made'"
_REPORTS = "kind = 'health.reported'"


def upgrade() -> None:
    op.create_index(
        "ix_facts_passages",
        "facts",
        ["checkpoint", "at", "seq"],
        sqlite_where=sa.text(_SCANS),
        postgresql_where=sa.text(_SCANS),
    )
    op.create_index(
        "ix_facts_health",
        "facts",
        ["at", "seq"],
        sqlite_where=sa.text(_REPORTS),
        postgresql_where=sa.text(_REPORTS),
    )
