"""What the feed and the webhooks ask costs what it brings, however long the store is: never a table read whole."""

from motma.services.afterwards import IDENTITY
from motma.storage import statements
from motma.storage.statements import Query
from motma.storage.store import Act, Store
from tests.storage.conftest import Raw
from tests.storage.samples import a_qid, accepted

_SIXTEEN = tuple(f"'q{n}'" for n in range(16))
_ASKED: tuple[tuple[str, Query, tuple[str, ...]], ...] = (
    ("what happened from one number to another", statements.MOVES, ("15000", "15200")),
    ("the last number", statements.LAST_SEQ, ()),
    ("who follows them", statements.links_of(16), _SIXTEEN),
    ("where they stand", statements.standings_of(16), _SIXTEEN),
    (
        "what was found out",
        statements.facts_of(16, len(IDENTITY)),
        (*_SIXTEEN, *(f"'{kind}'" for kind in IDENTITY)),
    ),
    ("one fact", statements.FACT, ("'i7'",)),
    ("what is due", statements.DUE, ("'P3'", "9000", "100")),
    ("what is parked of them", statements.parked_of(16), ("'P3'", *_SIXTEEN)),
    ("what is parked", statements.PARKED, ("'P3'", "'waiting'", "''", "100")),
    ("how far a platform is", statements.OUTLET, ("'P3'",)),
)
_SQLITE = "WITH RECURSIVE n(n) AS (SELECT 10 UNION ALL SELECT n + 1 FROM n WHERE n < 20000)"
_POSTGRESQL = "WITH n AS (SELECT generate_series(10, 20000)::bigint AS n)"


async def test_no_question_reads_a_table_whole(store: Store, raw: Raw, engine: str) -> None:
    """Twenty thousand facts, links, standings and deliveries of 100 platforms; every question goes by an index."""
    await store.append(Act((accepted(a_qid()),)))
    rows = _SQLITE if engine == "sqlite" else _POSTGRESQL
    text = "CAST({} AS TEXT)"
    n, qid, platform = text.format("n"), f"'q' || {text.format('n')}", f"'P' || {text.format('n % 100')}"
    for table, columns in (
        ("facts", f"n, 'i' || {n}, 'q' || {text.format('n % 5000')}, 'scan.made', NULL, n, n, '', '', NULL"),
        ("standing", f"{qid}, 'matched', n, n, n, ''"),
        ("links", f"{qid}, {platform}, {qid}, n, 'd'"),
        ("deliveries", f"{platform}, {qid}, n, 'k', n, 'waiting', 1, n, ''"),
        ("outlets", f"{qid}, 's', n, 0, 0, ''"),
    ):
        raw(f"{rows} INSERT INTO {table} SELECT {columns} FROM n" if engine == "postgresql"
            else f"INSERT INTO {table} {rows} SELECT {columns} FROM n")  # fmt: skip
    raw("ANALYZE")
    explain = "EXPLAIN QUERY PLAN " if engine == "sqlite" else "EXPLAIN "
    for what, query, arguments in _ASKED:
        asked = getattr(query, engine)
        for place in range(len(arguments), 0, -1):
            asked = asked.replace(f"${place}", arguments[place - 1])
        for argument in arguments:
            asked = asked.replace("?", argument, 1)
        plan = str(raw(explain + asked))
        whole = "Seq Scan" if engine == "postgresql" else "SCAN "
        assert whole not in plan, (what, plan)
