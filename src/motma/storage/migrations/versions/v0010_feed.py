"""Which platform follows which citizen, from what was declared and merged so far; and how far each was told."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"

# What core.links makes of the same facts: a number that another took, and was not parted from since, brings its
# platforms along, and those of the numbers that it took itself.
_FOLDED = """
INSERT INTO links (qid, platform, via, seq, declaration)
WITH RECURSIVE
own AS (
    SELECT qid, {source} AS platform, min(seq) AS seq, max(id) AS declaration FROM facts
    WHERE kind = 'declaration.accepted' AND qid IS NOT NULL AND {source} <> 'page' GROUP BY qid, {source}
),
took AS (
    SELECT t.qid, {other_t} AS other, min(t.seq) AS seq FROM facts t
    WHERE t.kind = 'citizen.took' AND NOT EXISTS (
        SELECT 1 FROM facts p
        WHERE p.qid = t.qid AND p.seq > t.seq AND p.kind = 'citizen.parted' AND {other_p} = {other_t}
    )
    GROUP BY t.qid, {other_t}
),
linked (qid, platform, via, seq, declaration) AS (
    SELECT qid, platform, qid, seq, declaration FROM own
    UNION
    SELECT took.qid, linked.platform, took.other,
        CASE WHEN took.seq > linked.seq THEN took.seq ELSE linked.seq END, linked.declaration
    FROM linked JOIN took ON took.other = linked.qid
)
SELECT qid, platform, via, min(seq), max(declaration) FROM linked GROUP BY qid, platform, via
"""


def upgrade() -> None:
    whole = sa.BigInteger().with_variant(sa.INTEGER(), "sqlite")
    text = sa.Text
    strict = {"sqlite_strict": True, "sqlite_with_rowid": False}
    op.create_table(
        "links",
        *(sa.Column(name, text, nullable=False) for name in ("qid", "platform", "via")),
        sa.Column("seq", whole, nullable=False),
        sa.Column("declaration", text, nullable=False),
        sa.PrimaryKeyConstraint("qid", "platform", "via", name="pk_links"),
        **strict,
    )
    op.create_table(
        "outlets",
        *(sa.Column(name, text, nullable=False) for name in ("platform", "setting")),
        *(sa.Column(name, whole, nullable=False) for name in ("cursor", "failures", "rests_until")),
        sa.Column("problem", text, nullable=False),
        sa.PrimaryKeyConstraint("platform", name="pk_outlets"),
        **strict,
    )
    op.create_table(
        "deliveries",
        *(sa.Column(name, text, nullable=False) for name in ("platform", "qid")),
        sa.Column("seq", whole, nullable=False),
        sa.Column("kind", text, nullable=False),
        sa.Column("at", whole, nullable=False),
        sa.Column("state", text, nullable=False),
        *(sa.Column(name, whole, nullable=False) for name in ("attempts", "next_at")),
        sa.Column("problem", text, nullable=False),
        sa.PrimaryKeyConstraint("platform", "qid", name="pk_deliveries"),
        **strict,
    )
    op.create_index("ix_deliveries_platform_state_next_at", "deliveries", ["platform", "state", "next_at"])
    op.create_table(
        "leases",
        *(sa.Column(name, text, nullable=False) for name in ("name", "owner")),
        *(sa.Column(name, whole, nullable=False) for name in ("since", "until")),
        sa.PrimaryKeyConstraint("name", name="pk_leases"),
        **strict,
    )
    op.execute(sa.text(folded(op.get_context().dialect.name).replace(":", r"\:")))


def folded(dialect: str) -> str:
    """The statement that fills ``links`` from the facts."""
    of = "json_extract({body}, '$.{name}')" if dialect == "sqlite" else "({body}::json ->> '{name}')"
    return _FOLDED.format(
        source=of.format(body="body", name="source"),
        other_t=of.format(body="t.body", name="other"),
        other_p=of.format(body="p.body", name="other"),
    )
