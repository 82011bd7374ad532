"""The desk that signs codes: one issuer, its newest key signs, all of its keys verify."""

import datetime as dt
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import msgspec

from motma.core.claims import Carrier, Sex, Worth
from motma.core.code import Claims, Keyring, issue_code
from motma.core.cose import Signer
from motma.core.facts import Fact, Holder, Issued
from motma.core.flow import Network
from motma.core.form import Declaration
from motma.core.ids import FactId, Qid, fact_id_bytes, same_moment_id
from motma.core.measure import Measure
from motma.services.board import BoardReader


@dataclass(frozen=True, slots=True)
class Due:
    """A code that is to be issued: on which declaration, for how long, by whom. ``born_with`` gives it its id."""

    declaration: FactId
    born_with: FactId
    qid: Qid
    measure: Measure
    matched: bool
    valid_from: dt.datetime
    valid_until: dt.datetime
    reissue: bool
    actor: str
    carrier: Carrier = Carrier.SCREEN
    holder_key: bytes | None = None


class CodeOffice:
    """Who signs here, and whom we believe.

    ``signer`` gives what signs codes at a time, or raises :class:`Unavailable`; ``next_index`` a place in the status
    list that no other code has; ``consequences`` what a code, or what is found out, makes of the status of others
    (:mod:`motma.services.status`).
    """

    def __init__(
        self,
        *,
        issuer: str,
        board: BoardReader,
        network: Network,
        signer: Callable[[dt.datetime], Awaitable[Signer]],
        next_index: Callable[[dt.datetime], Awaitable[int]],
        consequences: Callable[[Sequence[Fact], dt.datetime], Awaitable[tuple[Fact, ...]]],
    ) -> None:
        self._issuer = issuer
        self._board = board
        self._network = network
        self._signer = signer
        self._next_index = next_index
        self._consequences = consequences

    async def keyring(self, now: dt.datetime) -> Keyring:
        """The keys whose codes are believed."""
        return await self._board.keyring(now)

    async def complete(self, facts: Sequence[Fact], now: dt.datetime) -> tuple[Fact, ...]:
        """``facts``, and those that have to be written in the same act."""
        return (*facts, *await self._consequences(facts, now))

    async def issue(self, declared: Declaration, due: Due, now: dt.datetime) -> tuple[str, Fact]:
        """(the text of the code, the fact that it was issued). Times in the code are to the second.

        Raises :class:`Unavailable` ``key.*`` while nothing can sign.
        """
        signer = await self._signer(now)
        code_id = same_moment_id("cod", due.born_with)
        status_index = await self._next_index(now)
        places = self._network.by_id
        text = issue_code(
            Claims(
                issuer=self._issuer,
                code_id=fact_id_bytes(code_id),
                qid=due.qid,
                name=declared.name,
                born=f"{declared.birth_date:%Y%m%d}",
                last_four=declared.document.last_four,
                measure=due.measure.id,
                areas=due.measure.areas,
                vintage=due.measure.vintage,
                route=tuple([places[id].number for id in declared.trip.checkpoints if id in places]),
                worth=_worth(declared, due.matched),
                matched=due.matched,
                status_index=status_index,
                carrier=due.carrier,
                issued=int(now.timestamp()),
                begins=int(due.valid_from.timestamp()),
                expires=int(due.valid_until.timestamp()),
                sex=Sex[declared.sex.upper()] if due.measure.with_sex else None,
                holder_key=due.holder_key,
            ),
            signer,
        )
        holder = Holder(text, declared.name, declared.birth_date, declared.sex, declared.document.last_four)
        fact = Fact(
            id=code_id,
            at=now,
            actor=due.actor,
            qid=due.qid,
            personal=msgspec.json.encode(holder),
            what=Issued(
                due.declaration,
                due.valid_until,
                due.reissue,
                status_index,
                due.carrier,
                due.holder_key is not None,
                signer.kid.hex(),
            ),
        )
        return text, fact


def _worth(declared: Declaration, matched: bool) -> Worth:
    """What the code is worth to a scanner that can ask nobody."""
    if declared.health == "symptoms":
        return Worth.REJECT
    return Worth.ACCEPT if matched and declared.health == "clear" else Worth.MANUAL
