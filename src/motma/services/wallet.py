"""Wallet: the codes that a browser may show, each as its own declaration made it, and who looked at them."""

import datetime as dt
from dataclasses import dataclass

import msgspec

from motma.core.errors import Hidden
from motma.core.facts import Accepted, Fact, HealthEvent, Holder, Issued, LookedUp, LookMade, Scanned
from motma.core.flow import Network
from motma.core.identity import Grade
from motma.core.ids import FactId, Qid, fact_id_bytes, same_moment_id
from motma.core.words import Words
from motma.services.afterwards import numbers_of, sequel
from motma.services.carriers import codes_of, is_on_paper
from motma.storage.store import Holding, Store

_DECLARED_MAX = 200


@dataclass(frozen=True, slots=True)
class HeldCode:
    """A code as its holder's page shows it. ``declaration`` is this browser's own, ``grade`` that of it; ``how`` the
    name differs, if it is repairable. ``events``: what health staff reported, if this is known to be theirs."""

    qid: Qid
    name: str
    code: str
    code_id: FactId
    declaration: FactId
    valid_from: dt.datetime
    valid_until: dt.datetime
    grade: Grade
    revoked: bool
    suspended: bool = False
    how: str | None = None
    events: tuple[HealthEvent, ...] = ()


@dataclass(frozen=True, slots=True)
class Look:
    """Somebody looked at a citizen: when, where, and what the answer was.

    ``made`` by whom who is no officer, with the ground and what they were told: then there is no checkpoint.
    """

    at: dt.datetime
    checkpoint: str
    checkpoint_name: Words
    outcome: str
    by: str = ""
    made: LookMade | None = None


class Wallet:
    """The holder's other verb: to look."""

    def __init__(self, *, store: Store, network: Network) -> None:
        self._store = store
        self._network = network

    async def held(self, wallet: bytes) -> list[HeldCode]:
        """The codes that a browser may show, newest first: one for each citizen it declared.

        A citizen declared again elsewhere keeps the code of *this* browser's declaration here; what the other door was
        told, and whether that one was known, is not shown to this one. So is a withdrawal: who declared a citizen
        without being known to be them does not learn of it.
        """
        codes: dict[Qid, HeldCode] = {}
        for holding in await self._store.holdings(wallet):
            declared = await self._store.fact(holding.declaration, only=())
            if declared is None or not isinstance(declared.what, Accepted):
                continue
            became = await sequel(self._store, declared)
            if became.standing is None or became.qid is None or became.qid in codes:
                continue
            issued = await self._newest(holding)
            if issued is None or issued.personal is None or not isinstance(issued.what, Issued):
                continue
            holder = msgspec.json.decode(issued.personal, type=Holder)
            told = became.is_the_newest or became.match.grade.is_sure
            codes[became.qid] = HeldCode(
                became.qid,
                holder.name,
                holder.code,
                issued.id,
                holding.declaration,
                holding.at,
                became.valid_until or issued.what.valid_until,
                became.match.grade,
                told and became.standing.revoked,
                told and became.standing.suspended,
                became.match.how,
                became.standing.events if became.match.fits else (),
            )
        return list(codes.values())

    async def _newest(self, holding: Holding) -> Fact | None:
        """The newest code that is for a screen: matched late, corrected, or bound to this browser's key."""
        mine = [fact for fact in await codes_of(self._store, holding) if not is_on_paper(fact)]
        return await self._store.fact(mine[0].id if mine else same_moment_id("cod", holding.declaration))

    async def looks(self, wallet: bytes, qid: Qid) -> list[Look]:
        """Who looked at a citizen by a code that this browser holds, newest first. Raises :class:`Hidden` otherwise.

        Anybody who knows somebody's number, name and birth date can declare for them; that must not tell where they
        go. So a browser sees the looks at its own codes, and looks by typed number only while it is the one door that
        ever declared this citizen. ``qid`` may be any number of theirs.
        """
        held = await self._store.holdings(wallet)
        here = {number for one in held for number in (await numbers_of(self._store, one.qid))[0]}
        if qid not in here:
            raise Hidden("code.hidden", Words("Không có mã này trên máy này.", "This code is not on this device."))
        mine = {one.declaration for one in held}
        _, standing = await numbers_of(self._store, qid)
        facts: list[Fact] = []
        declared: list[Fact] = []
        for number in dict.fromkeys((standing.qid, *standing.also) if standing else (qid,)):
            facts += await self._store.facts_about(number, newest_first=True, limit=1_000)
            declared += await self._store.facts_about(number, kinds=("declaration.accepted",), limit=_DECLARED_MAX)
        facts.sort(key=lambda fact: fact.at, reverse=True)
        codes = {
            fact_id_bytes(fact.id).hex()
            for fact in facts
            if isinstance(fact.what, Issued) and fact.what.declaration in mine
        }
        # More of them than are read: whose the others are is not known, and not to be brought about by declaring on.
        alone = len(declared) < _DECLARED_MAX and all(fact.id in mine for fact in declared)
        looks = []
        for fact in facts:
            what = fact.what
            by_code = what.code_id if isinstance(what, Scanned) else ""
            if isinstance(what, Scanned | LookedUp) and (by_code in codes or (not by_code and alone)):
                place = self._network.by_id.get(fact.checkpoint or "")
                name = place.name if place else Words("Chốt không còn", "A checkpoint no longer listed")
                outcome = what.outcome if isinstance(what, Scanned) else "looked_up"
                looks.append(Look(fact.at, fact.checkpoint or "", name, outcome))
            elif isinstance(what, LookMade) and alone:
                looks.append(Look(fact.at, "", Words("", ""), "made", fact.actor, what))
        return looks
