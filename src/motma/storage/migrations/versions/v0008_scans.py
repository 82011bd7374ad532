"""What was scanned since some time is found without reading everything: for rehearsing a policy."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

_SCANS = "kind = 'scan.made'"


def upgrade() -> None:
    op.create_index(
        "ix_facts_scans",
        "facts",
        ["at", "seq"],
        sqlite_where=sa.text(_SCANS),
        postgresql_where=sa.text(_SCANS),
    )
