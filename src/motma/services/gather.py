"""Gather: all that a verdict about one person rests on, read once; then judged, at any checkpoint and moment.

A check judges it where the person stands, and now; a precheck at every checkpoint ahead, now and when they mean to go.
"""

import datetime as dt
from collections.abc import Awaitable, Callable, Container
from dataclasses import dataclass

import msgspec

from motma.core.code import Liveness, VerifiedCode
from motma.core.decision import Evidence, Rulebook, Verdict, decide
from motma.core.evidence import AsOf, is_of, what_the_code_rests_on
from motma.core.facts import Standing
from motma.core.flow import Advice, Network, advise
from motma.core.fold import Board
from motma.core.ids import Qid
from motma.core.measure import active_measure
from motma.core.text import name_key
from motma.services.along import NOTHING, Along
from motma.services.board import BoardReader
from motma.services.faces import face_of
from motma.services.permits import Held, Permits
from motma.services.shown import Shown
from motma.storage.store import Store

Deciding = Callable[[tuple[str, ...], dt.datetime], Rulebook]
"""What decides over the policies of these names (of none, the default) at a moment."""


class Person(msgspec.Struct, frozen=True):
    """Whom the officer should have before them: to compare with the document in their hand."""

    qid: Qid
    name: str
    birth_date: dt.date
    last_four: str


class Why(msgspec.Struct, frozen=True):
    """A reason in words."""

    code: str
    words: dict[str, str]
    cure: dict[str, str]


class Onward(msgspec.Struct, frozen=True):
    """The checkpoint to go on to, and how far it is by road (approximate)."""

    checkpoint: str
    name: dict[str, str]
    metres: int


def why(verdict: Verdict) -> tuple[Why, ...]:
    """The reasons of a verdict, as they are told."""
    return tuple([Why(one.code, one.words._asdict(), one.cure._asdict()) for one in verdict.reasons])


def onward(verdict: Verdict) -> Onward | None:
    """Where a verdict sends people on to, as it is told."""
    refer = verdict.refer
    return Onward(refer.checkpoint, refer.name._asdict(), refer.metres) if refer else None


@dataclass(frozen=True, slots=True)
class Gathered:
    """What is known of a person, and of what is switched on. ``live``: how their code, if it is one, proves itself;
    ``along``: what they show with it; ``deciding``: what is, and will be, in force."""

    shown: Shown
    standing: Standing | None
    live: Liveness | None
    board: Board
    person: Person | None
    somebody_else: bool
    permits: Held
    deciding: Deciding
    along: Along = NOTHING


class Gather:
    """What every verb that judges begins with. It writes nothing."""

    def __init__(
        self,
        *,
        store: Store,
        board: BoardReader,
        network: Network,
        permits: Permits,
        rules: Callable[[dt.datetime], Awaitable[Deciding]],
    ) -> None:
        """``rules`` gives what decides, as it is known at a time."""
        self._store = store
        self._board = board
        self._network = network
        self._permits = permits
        self._rules = rules

    async def about(
        self,
        shown: Shown,
        standing: Standing | None,
        live: Liveness | None,
        now: dt.datetime,
        along: Along = NOTHING,
    ) -> Gathered:
        """All there is on who shows ``shown``; ``standing`` is what whoever asks may know of the citizen."""
        board = await self._board.current(now)
        person, somebody_else = await self._person(shown.code, standing, now)
        permits = await self._permits.held(standing, along.permit)
        deciding = await self._rules(now)
        return Gathered(shown, standing, live, board, person, somebody_else, permits, deciding, along)

    def judge(
        self, gathered: Gathered, checkpoint: str, at: dt.datetime, *, only: Container[str] | None = None
    ) -> Verdict:
        """The verdict at a checkpoint and a moment, if nothing is learnt until then but that all is still so.

        With ``only`` by no other policies than these, and whether or not a measure is in force: what does not ask
        where somebody stands can be judged at ``checkpoint`` "", nowhere.
        """
        shown, standing, person, along = gathered.shown, gathered.standing, gathered.person, gathered.along
        certificate = along.certificate((person.name, person.birth_date) if person else None)
        measure = active_measure(gathered.board.measures.values(), at)
        here = self._network.by_id.get(checkpoint)
        carried = gathered.permits.at(here.area if here else None, at)
        evidence = Evidence(
            code=shown.code,
            problem=shown.problem,
            plain=shown.plain,
            somebody_else=gathered.somebody_else,
            standing=standing,
            liveness=gathered.live or "static",
            by_hand=frozenset(measure.by_hand) if measure else frozenset(),
            measure_active=measure is not None or only is not None,
            refer=self._refer(checkpoint, standing, gathered.board),
            as_of=AsOf(standing=at, keys=at, rules=at),
            green_lane=carried.green_lane,
            permit=carried.permit,
            permit_problem=gathered.permits.problem,
            certificate=certificate[0] if certificate else None,
            certificate_fits=certificate is not None and certificate[1],
            reading=(shown.carrier, shown.worth) if shown.worth else along.reading,
        )
        rulebook = gathered.deciding(measure.policies if measure else (), at)
        return decide(evidence, rulebook if only is None else rulebook.only(only), here, at)

    def _refer(self, checkpoint: str, standing: Standing | None, board: Board) -> Advice | None:
        diversion = board.diversions.get(checkpoint)
        if diversion is None:
            return None
        return advise(self._network, checkpoint, diversion, standing.route if standing else (), board.diversions)

    async def _person(
        self, code: VerifiedCode | None, standing: Standing | None, now: dt.datetime
    ) -> tuple[Person | None, bool]:
        """Whom the officer should have before them, and whether the code says somebody else.

        A code of ours says whom its declaration was about; an old one may say somebody for whom an officer vouched, and
        whoever else signs may put any name beside a number: what is known of the number here is said then, and nobody
        goes on the strength of another's standing.
        """
        if code is None:
            return await self._holder(standing), False
        claims = code.claims
        said = Person(claims.qid, claims.name, claims.birth_date, claims.last_four)
        key = (await self._board.trust(now)).keys.get(code.key.kid.hex())
        ours = key is not None and key.added.own
        if standing is None:
            return said, False
        if ours and (not claims.matched or is_of(claims.code_id, what_the_code_rests_on(code, standing))):
            return said, False
        held = await self._holder(standing)
        if held is None or (held.birth_date, name_key(held.name)) == (said.birth_date, name_key(said.name)):
            return said, False
        return held, True

    async def _holder(self, standing: Standing | None) -> Person | None:
        """Who a typed number belongs to, from the code last issued."""
        face = await face_of(self._store, standing.code) if standing else None
        return Person(standing.qid, face.name, face.birth_date, face.last_four) if standing and face else None
