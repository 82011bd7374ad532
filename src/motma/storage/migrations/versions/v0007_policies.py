"""What operators did about policies is found without reading everything."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

_POLICY = "kind LIKE 'policy.%'"


def upgrade() -> None:
    op.create_index(
        "ix_facts_policy",
        "facts",
        ["seq"],
        sqlite_where=sa.text(_POLICY),
        postgresql_where=sa.text(_POLICY),
    )
