"""Who follows whom: asked for many at once, and proved to be the fold of the facts."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence

from motma.core.facts import Fact, Standing, Took
from motma.core.ids import Qid
from motma.core.links import Link, fold_links
from motma.storage import statements
from motma.storage.acts import Row, fact_of, standing_of
from motma.storage.engine import Engine, Loaded, Rows, Wanted
from motma.storage.standings import histories

_AT_ONCE = 50
_SIZES = (16, 64, 256)
_SEQ = -1  # in a row of statements.HISTORY
_FACT_QID = 1  # in a row of a fact


async def links_of(engine: Engine, citizens: Iterable[Qid]) -> dict[Qid, list[Link]]:
    """The links of ``citizens``, by number."""
    found: dict[Qid, list[Link]] = {}
    for some in chunks(citizens):
        for row in await asking(engine, some)(statements.links_of(len(some)), *some):
            found.setdefault(row[0], []).append(Link(*row))
    return found


async def standings_of(engine: Engine, citizens: Iterable[Qid]) -> dict[Qid, Standing]:
    """Where ``citizens`` stand, by number; nothing of who never declared."""
    found: dict[Qid, Standing] = {}
    for some in chunks(citizens):
        for qid, body in await asking(engine, some)(statements.standings_of(len(some)), *some):
            found[qid] = standing_of(body)
    return found


async def facts_of(engine: Engine, citizens: Iterable[Qid], kinds: Sequence[str]) -> dict[Qid, list[Fact]]:
    """The facts of these ``kinds`` about ``citizens``, by number, in order of record."""
    found: dict[Qid, list[Fact]] = {}
    for some in chunks(citizens):
        for row in await engine.scan(statements.facts_of(len(some), len(kinds)), *some, *kinds):
            found.setdefault(row[_FACT_QID], []).append(fact_of(row))
    return found


def asking(engine: Engine, some: Sequence[Qid]) -> Callable[..., Awaitable[Sequence[Row]]]:
    """How to ask by key about so many: of few, going to another thread costs more than the answer."""
    return engine.read if len(some) <= _SIZES[0] else engine.scan


def chunks(citizens: Iterable[Qid]) -> list[list[Qid]]:
    """Cut into pieces of few different lengths, the last filled up with itself: few different statements."""
    every = list(dict.fromkeys(citizens))
    pieces = [every[start : start + _SIZES[-1]] for start in range(0, len(every), _SIZES[-1])]
    for piece in pieces:
        size = next(size for size in _SIZES if size >= len(piece))
        piece += piece[-1:] * (size - len(piece))
    return pieces


async def rebuild_links(engine: Engine, repair: bool) -> list[Qid]:
    """The citizens whose links are not the fold of the facts; ``repair`` puts right what differs.

    Who took no other number is compared page by page while others write; what seems to differ, and who took another,
    is judged while nobody does.
    """
    differing: list[Qid] = []
    async for after, upto, found in histories(engine, statements.LINK_HISTORIES):
        kept: dict[str, list[Row]] = {}
        for row in await engine.scan(statements.LINKS_BETWEEN, after, upto):
            kept.setdefault(row[0], []).append(row)
        suspects = [qid for qid in sorted(found.keys() | kept.keys()) if not _alone(qid, found, kept)]
        for start in range(0, len(suspects), _AT_ONCE):
            differing += await _judge(engine, suspects[start : start + _AT_ONCE], repair)
    return differing


def _alone(qid: str, found: Mapping[str, Sequence[Row]], kept: Mapping[str, Sequence[Row]]) -> bool:
    """Whether a citizen took no other number, and their links follow from what they declared under their own."""
    history = [(row[_SEQ], fact_of(row[:_SEQ])) for row in found.get(qid, ())]
    if any(isinstance(fact.what, Took) for _, fact in history):
        return False
    return _same(fold_links(Qid(qid), history, lambda _: ()), kept.get(qid, ()))


def _same(expected: Sequence[Link], kept: Sequence[Row]) -> bool:
    return sorted(expected) == sorted(Link(*row) for row in kept)


async def _judge(engine: Engine, citizens: Sequence[str], repair: bool) -> list[Qid]:
    every = list(dict.fromkeys([*citizens, *await _taken(engine, citizens)]))
    differing: list[Qid] = []

    def judged(loaded: Loaded) -> Rows:
        rows = Rows()
        differing.clear()
        for qid in map(Qid, citizens):
            try:
                expected = _folded(qid, loaded, ())
            except KeyError:  # they took another number since we looked: not this time
                continue
            kept = loaded.links[qid]
            if not _same(expected, kept):
                differing.append(qid)
                rows.no_links += {(str(row[0]), str(row[2])): None for row in kept}
                rows.links += expected
        return rows if repair else Rows()

    await engine.commit(Wanted(histories=every, links=citizens), judged)
    return differing


def _folded(qid: Qid, loaded: Loaded, above: tuple[Qid, ...]) -> tuple[Link, ...]:
    if qid in above:
        return ()
    history = [(row[_SEQ], fact_of(row[:_SEQ])) for row in loaded.histories[qid][0]]
    return fold_links(qid, history, lambda other: _folded(other, loaded, (*above, qid)))


async def _taken(engine: Engine, citizens: Sequence[str]) -> list[str]:
    """Every number that these took, and those that they took."""
    found: list[str] = []
    looking = list(citizens)
    while looking:
        rows = await engine.scan(statements.TOOK, looking.pop())
        others = [what.other for row in rows if isinstance(what := fact_of(row).what, Took)]
        new = [other for other in others if other not in found and other not in citizens]
        found += new
        looking += new
    return found
