"""What was read of citizens and still holds: several platforms are told the same change, and ask for it within seconds.

Where a citizen stands, who follows them, and what was found out follow from facts, and the tail has seen every fact up
to its head: what was read is what is so until it sees one more about that citizen. Nothing here is told for longer.
"""

from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar

import msgspec

from motma.core.facts import Accepted, Fact, Standing
from motma.core.ids import FactId, Qid
from motma.core.links import Link
from motma.services.afterwards import IDENTITY
from motma.services.exchange.tail import Tail
from motma.storage.store import Store

CITIZENS_KEPT = 5_000
_CODES_KEPT = 10_000
_DECLARED_KEPT = 5_000

_T = TypeVar("_T")
_Key = TypeVar("_Key")
_Kept = OrderedDict[Qid, tuple[int, _T]]


class _Code(msgspec.Struct):
    """All that is opened of a :class:`motma.core.facts.Holder`."""

    code: str


class Recent:
    """Reads what is not at hand. Belongs to one event loop; who asks has looked at the tail before."""

    def __init__(self, store: Store, tail: Tail) -> None:
        self._store = store
        self._tail = tail
        self._links: _Kept[list[Link]] = OrderedDict()
        self._standings: _Kept[Standing | None] = OrderedDict()
        self._outcomes: _Kept[list[Fact]] = OrderedDict()
        self._declared: OrderedDict[FactId, Fact] = OrderedDict()
        self._codes: OrderedDict[FactId, str] = OrderedDict()

    async def links_of(self, citizens: Iterable[Qid]) -> dict[Qid, list[Link]]:
        """Who follows each of these numbers."""
        return await self._many(self._links, citizens, self._store.links_of, list)

    async def standings_of(self, citizens: Iterable[Qid]) -> dict[Qid, Standing]:
        """Where each of these stands; nothing of who never declared."""

        async def read(wanted: list[Qid]) -> dict[Qid, Standing | None]:
            return {**await self._store.standings_of(wanted)}

        found = await self._many(self._standings, citizens, read, lambda: None)
        return {qid: standing for qid, standing in found.items() if standing}

    async def outcomes_of(self, citizens: Iterable[Qid]) -> dict[Qid, list[Fact]]:
        """What was found out about the declarations of each, in order of record."""

        async def read(wanted: list[Qid]) -> dict[Qid, list[Fact]]:
            return await self._store.facts_of(wanted, IDENTITY)

        return await self._many(self._outcomes, citizens, read, list)

    async def declared(self, id: FactId) -> Fact:
        """A declaration that a link names; what was said stays said. Its personal part stays closed."""
        fact = self._declared.get(id)
        if fact is None:
            fact = await self._store.fact(id, only=())
            assert fact is not None and isinstance(fact.what, Accepted) and fact.qid  # the link says so
            _put(self._declared, id, fact, _DECLARED_KEPT)
        return fact

    async def code(self, id: FactId) -> str | None:
        """The text of a code; what was issued once stays what it is."""
        text = self._codes.get(id)
        if text is None:
            fact = await self._store.fact(id, only=("code",))
            if fact is None or fact.personal is None:
                return None
            text = msgspec.json.decode(fact.personal, type=_Code).code
            _put(self._codes, id, text, _CODES_KEPT)
        return text

    async def _many(
        self,
        kept: _Kept[_T],
        citizens: Iterable[Qid],
        read: Callable[[list[Qid]], Awaitable[dict[Qid, _T]]],
        nothing: Callable[[], _T],
    ) -> dict[Qid, _T]:
        found: dict[Qid, _T] = {}
        missing: list[Qid] = []
        for qid in dict.fromkeys(citizens):
            held = kept.get(qid)
            if held and self._tail.unmoved(qid, held[0]):
                found[qid] = held[1]
            else:
                missing.append(qid)
        if missing:
            head = self._tail.head  # before it is read: what happens meanwhile makes it read again
            now = await read(missing)
            for qid in missing:
                found[qid] = value = now[qid] if qid in now else nothing()
                _put(kept, qid, (head, value), CITIZENS_KEPT)
        return found


def _put(kept: OrderedDict[_Key, _T], key: _Key, value: _T, most: int) -> None:
    kept[key] = value
    kept.move_to_end(key)
    if len(kept) > most:
        kept.popitem(last=False)
