"""What operators are to look at again is found without reading everything."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

_REVIEW = "kind LIKE 'identity.re%' OR kind LIKE 'citizen.%'"


def upgrade() -> None:
    op.create_index(
        "ix_facts_review",
        "facts",
        ["seq"],
        sqlite_where=sa.text(_REVIEW),
        postgresql_where=sa.text(_REVIEW),
    )
