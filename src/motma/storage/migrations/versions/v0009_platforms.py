"""What is said of platforms is found without reading everything."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"

_PLATFORM = "kind LIKE 'platform.%'"


def upgrade() -> None:
    op.create_index(
        "ix_facts_platform",
        "facts",
        ["seq"],
        sqlite_where=sa.text(_PLATFORM),
        postgresql_where=sa.text(_PLATFORM),
    )
