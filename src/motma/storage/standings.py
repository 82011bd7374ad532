"""The proof that the table of standings is the fold of the facts."""

from collections.abc import AsyncIterator, Iterable, Sequence

import msgspec

from motma.core.facts import Standing
from motma.core.fold import apply
from motma.core.ids import Qid
from motma.storage import statements
from motma.storage.acts import Row, fact_of, standing_of, standing_row
from motma.storage.engine import Engine, Loaded, Rows, Wanted
from motma.storage.statements import Query

PAGE_FACTS = 2_000
PAGE_SUSPECTS = 200
_LAST_QID = "9" * 19  # after every QID, in every collation
_QID, _SEQ = 1, -1  # in a row of statements.HISTORY


class Rebuilt(msgspec.Struct, frozen=True):
    """How many citizens' standings were checked, and whose ``differing`` from the fold of their facts."""

    checked: int
    differing: tuple[Qid, ...]


async def histories(engine: Engine, query: Query) -> AsyncIterator[tuple[str, str, dict[str, list[Row]]]]:
    """(after, upto, QID -> rows of ``query``) of all citizens numbered above ``after`` up to ``upto``, page by page."""
    seen, after = "", ("", 0)  # citizens up to here are given out; facts up to here are read
    waiting: list[Row] = []  # facts of the last citizen of a page, who may go on in the next
    while True:
        page = await engine.scan(query, *after, PAGE_FACTS)
        at_end = len(page) < PAGE_FACTS
        rows = [*waiting, *page]
        last = None if at_end else page[-1][_QID]
        waiting = [row for row in rows if row[_QID] == last]
        found: dict[str, list[Row]] = {}
        for row in rows:
            if row[_QID] != last:
                found.setdefault(row[_QID], []).append(row)
        if at_end or found:
            upto = _LAST_QID if at_end else max(found)
            yield seen, upto, found
            seen = upto
        if at_end:
            return
        after = (page[-1][_QID], page[-1][_SEQ])


async def rebuild_standings(engine: Engine, repair: bool) -> Rebuilt:
    """Fold all facts anew and compare with the table; ``repair`` puts right what differs.

    Goes through the facts page by page while others write; what seems to differ is judged again in a
    transaction of its own before it counts.
    """
    checked, differing = 0, list[Qid]()
    async for after, upto, found in histories(engine, statements.HISTORIES):
        kept = {row[0]: row for row in await engine.scan(statements.STANDINGS, after, upto)}
        citizens = found.keys() | kept.keys()
        checked += len(citizens)
        suspects = sorted(q for q in citizens if not _agree(found.get(q, ()), kept.get(q)))
        for start in range(0, len(suspects), PAGE_SUSPECTS):
            differing += await _judge(engine, suspects[start : start + PAGE_SUSPECTS], repair)
    return Rebuilt(checked, tuple(differing))


async def _judge(engine: Engine, citizens: Sequence[str], repair: bool) -> list[Qid]:
    """Those of ``citizens`` whose standing is not the fold of their facts, found out while nobody writes."""
    differing: list[Qid] = []

    def judged(loaded: Loaded) -> Rows:
        rows = Rows()
        differing.clear()
        for qid, (history, kept) in loaded.histories.items():
            if _agree(history, kept):
                continue
            differing.append(Qid(qid))
            standing, seq = _fold(history)
            if standing is None:
                rows.no_standing.append(qid)
            else:
                rows.standing.append(standing_row(standing, seq))
        return rows if repair else Rows()

    await engine.commit(Wanted(histories=citizens), judged)
    return differing


def _fold(history: Iterable[Row]) -> tuple[Standing | None, int]:
    """The standing, and the seq of the fact that made it what it is."""
    standing, made_by = None, 0
    for row in history:
        after = apply(standing, fact_of(row[:_SEQ]))
        if after is not standing:
            standing, made_by = after, row[_SEQ]
    return standing, made_by


def _agree(history: Iterable[Row], kept: Row | None) -> bool:
    """Whether the row of ``standing`` is what the facts make of it. Bodies are compared by meaning, not by letter."""
    standing, seq = _fold(history)
    if standing is None or kept is None:
        return standing is None and kept is None
    try:
        return kept[:-1] == standing_row(standing, seq)[:-1] and standing_of(kept[-1]) == standing
    except msgspec.MsgspecError:
        return False
