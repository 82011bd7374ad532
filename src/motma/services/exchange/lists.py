"""Lists: what the population data centre may be given by law, only what the measure in force names, and written down
for each person it tells.

Only of people whom the register knows already, by what it holds itself; nothing of health, phones or scans.
"""

import datetime as dt
from collections.abc import Callable, Mapping

import msgspec

from motma.core.errors import MotmaError
from motma.core.facts import Accepted, Fact, LookMade, Repaired
from motma.core.flow import Network
from motma.core.identity import Grade, Match
from motma.core.ids import Qid, new_fact_id, parse_fact_id
from motma.core.lists import PAGE_MAX, Field, ListAsk, Listed, arrives, differs, given, parse_ask
from motma.core.measure import active_measure
from motma.core.tracing import Window
from motma.core.words import Words
from motma.services.afterwards import Sequel, match_of, sequel
from motma.services.board import BoardReader
from motma.storage.store import Act, Store

_READ_MAX = 2_000
"""Declarations that one question goes through at most; the next one goes on."""
_OPENED = ("name", "birth_date", "year_only", "document")


class ListPage(msgspec.Struct, frozen=True):
    """Some of a list: each of ``people`` has the fields that the list gives. ``next``: to go on ``after``, as long as
    there is ``more``."""

    list: str
    gives: tuple[str, ...]
    people: tuple[dict[str, object], ...]
    next: str | None
    more: bool


class NotProvidedFor(MotmaError):
    """No measure in force lets anybody have this list (403)."""


class _Opened(msgspec.Struct):
    """Of a declaration what a list may need."""

    name: str
    birth_date: str
    document: dict[str, object]
    year_only: bool = False


class Lists:
    """The population data centre's verb."""

    def __init__(
        self,
        *,
        store: Store,
        board: BoardReader,
        network: Network,
        lists: Mapping[str, Listed],
        random: Callable[[int], bytes],
    ) -> None:
        self._store = store
        self._board = board
        self._network = network
        self._lists = lists
        self._random = random

    async def page(self, ask: ListAsk, *, platform: str, now: dt.datetime) -> ListPage:
        """A page of a list, recorded as a :class:`LookMade` for each person on it before it returns.

        Raises :class:`NotProvidedFor` ``list.not_provided_for``, :class:`Invalid` ``list.fields``, ``id.malformed``.
        """
        measure = active_measure((await self._board.current(now)).measures.values(), now)
        listed = self._lists.get(ask.list)
        if measure is None or listed is None or listed.id not in measure.lists:
            raise NotProvidedFor(
                "list.not_provided_for",
                Words(
                    "Không có biện pháp đang hiệu lực nào cho phép cấp danh sách này.",
                    "No measure in force provides for this list.",
                ),
            )
        ask = parse_ask(ask, now, self._areas())
        after = parse_fact_id("dcl", ask.after) if ask.after else None
        people: list[tuple[Qid, dict[str, object]]] = []
        declared = await self._store.tracks.declared_between(Window(ask.since, ask.until), after, _READ_MAX + 1)
        last, read = after, 0
        for fact in declared[:_READ_MAX]:
            if len(people) == PAGE_MAX:
                break
            last, read = fact.id, read + 1
            if one := await self._on_list(listed, ask, fact):
                people.append(one)
        told = dict.fromkeys(qid for qid, _ in people)
        await self._store.append(Act(tuple([self._look(platform, ask, listed, qid, now) for qid in told])))
        more = read < len(declared)
        rows = tuple([row for _, row in people])
        return ListPage(listed.id, listed.gives, rows, last if more else None, more)

    def _areas(self) -> frozenset[str]:
        return frozenset(self._network.area_by_id)

    async def _on_list(self, listed: Listed, ask: ListAsk, fact: Fact) -> tuple[Qid, dict[str, object]] | None:
        """Whom a declaration puts on the list, and what it gives of them."""
        what = fact.what
        if not isinstance(what, Accepted) or fact.qid is None:
            return None
        values: dict[Field, object] = {"declared_at": fact.at}
        if listed.id == "arrivals":
            if not arrives(what.trip, ask.area, self._areas()):
                return None
            became = await sequel(self._store, fact)
            if became.match.grade is not Grade.MATCHED or what.trip is None:
                return None
            values["area"] = what.trip.destination
        else:
            if what.grade is Grade.MATCHED:
                return None
            became = await sequel(self._store, fact)
            fields = await self._differing(what, became)
            if fields is None:
                return None
            values |= fields
        opened = await self._store.fact(fact.id, only=_OPENED)
        if opened is None or opened.personal is None or became.qid is None:
            return None
        said = msgspec.json.decode(opened.personal, type=_Opened)
        if said.document.get("kind") == "none":
            return None
        values |= {
            "document": said.document,
            "name": said.name,
            "birth_date": said.birth_date[: 4 if said.year_only else 10],
        }
        return became.qid, given(listed, values)

    async def _differing(self, what: Accepted, became: Sequel) -> dict[Field, object] | None:
        """In what it differs from the register, as values of the list; None if in nothing, or if the citizen has put
        it right since."""
        standing = became.standing
        if standing and standing.grade is Grade.MATCHED and standing.declaration != became.declaration:
            return None
        repair = await self._store.fact(became.repair, only=()) if became.repair else None
        seen = repair.what.reason if repair and isinstance(repair.what, Repaired) else None
        found = became.match
        if found.grade is Grade.VOUCHED:
            found = Match(Grade.VOUCHED, match_of(what).differing, what.how)
        fields = differs(found, seen)
        return None if fields is None else {"fields": fields, "how": found.how, "seen": seen}

    def _look(self, platform: str, ask: ListAsk, listed: Listed, qid: Qid, now: dt.datetime) -> Fact:
        return Fact(
            id=new_fact_id("lok", now, self._random(10)),
            at=now,
            actor=platform,
            qid=qid,
            what=LookMade("list", ask.basis, listed.gives),
        )
