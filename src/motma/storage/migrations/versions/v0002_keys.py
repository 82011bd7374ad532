"""Facts about keys steer the house too."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_CONTROL = "kind LIKE 'diversion.%' OR kind LIKE 'key.%' OR kind LIKE 'measure.%'"


def upgrade() -> None:
    op.drop_index("ix_facts_control", "facts")
    op.create_index(
        "ix_facts_control",
        "facts",
        ["seq"],
        sqlite_where=sa.text(_CONTROL),
        postgresql_where=sa.text(_CONTROL),
    )
