"""The proof that the table of permits is the fold of the facts about them."""

from collections.abc import Sequence

import msgspec

from motma.core.facts import Fact, PermitIssued, PermitRevoked
from motma.core.fold import permit_after
from motma.core.ids import FactId
from motma.core.permit import Permit
from motma.storage import statements
from motma.storage.acts import Row, fact_of, permit_of, permit_row
from motma.storage.engine import Engine, Loaded, Rows, Wanted

_PAGE, _AT_ONCE = 2_000, 50
_SEQ = -1  # in a row of statements.PERMIT_FACTS


async def rebuild_permits(engine: Engine, repair: bool) -> tuple[int, tuple[FactId, ...]]:
    """(permits checked, those whose row differs). Each is judged while nobody writes, few at a time."""
    ids, after, last = dict[str, None](), 0, ""
    while page := await engine.scan(statements.PERMIT_FACTS, after, _PAGE):
        ids.update(dict.fromkeys(_permit_id(fact_of(row[:_SEQ])) for row in page))
        after = page[-1][_SEQ]
    while kept := await engine.scan(statements.PERMIT_ROWS, last, _PAGE):
        ids.update(dict.fromkeys(row[0] for row in kept))
        last = kept[-1][0]
    every, differing = list(ids), list[FactId]()
    for start in range(0, len(every), _AT_ONCE):
        differing += await _judge(engine, every[start : start + _AT_ONCE], repair)
    return len(every), tuple(differing)


async def _judge(engine: Engine, ids: Sequence[str], repair: bool) -> list[FactId]:
    differing: list[FactId] = []

    def judged(loaded: Loaded) -> Rows:
        rows = Rows()
        differing.clear()
        for id, (facts, kept) in loaded.permits.items():
            permit: Permit | None = None
            for row in facts:
                permit = permit_after(permit, fact_of(row))
            if _is_row_of(kept, permit):
                continue
            differing.append(FactId(id))
            if permit is None:
                rows.no_permits.append(id)
            else:
                rows.permits.append(permit_row(permit))
        return rows if repair else Rows()

    await engine.commit(Wanted(permits=ids), judged)
    return differing


def _permit_id(fact: Fact) -> FactId:
    what = fact.what
    assert isinstance(what, PermitIssued | PermitRevoked)  # by the kind that was asked for
    return what.permit.id if isinstance(what, PermitIssued) else what.permit


def _is_row_of(row: Row | None, permit: Permit | None) -> bool:
    """Bodies are compared by meaning, not by letter."""
    if row is None or permit is None:
        return row is None and permit is None
    try:
        return tuple(row[:-1]) == permit_row(permit)[:-1] and permit_of(row[-1]) == permit
    except msgspec.MsgspecError:
        return False
