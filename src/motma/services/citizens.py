"""One citizen, one number: whom a document belongs to, and what is done when two numbers turn out to be one person.

Documents lead to a citizen once the register said that they are theirs. Until then a declaration leads only to others
that say exactly the same: a stranger who types somebody's number gets a number of their own, and not the citizen's.
All keys are keyed hashes claimed in the store, so that the first of many at once gets the number and the others get
the same (:mod:`motma.storage.writer`).
"""

import datetime as dt
from collections.abc import Callable, Sequence

import msgspec
from msgspec.structs import replace

from motma.core.errors import Conflict, Hidden
from motma.core.facts import (
    Accepted,
    Fact,
    HealthEvent,
    HealthReported,
    Merged,
    Parted,
    Restored,
    Revoked,
    Standing,
    Suspended,
    Took,
    What,
)
from motma.core.fold import MOVING, fold, reported
from motma.core.form import Declaration
from motma.core.identity import Grade, Match
from motma.core.ids import Document, Qid, new_fact_id, new_qid
from motma.core.text import name_key
from motma.core.words import Words
from motma.services.afterwards import numbers_of
from motma.services.matching import Claimed, Found
from motma.storage.keys import Secrets
from motma.storage.store import Act, Store

_FACTS_MAX = 10_000


class Reports(msgspec.Struct, frozen=True):
    """What health staff reported under a number that nobody has declared under. ``lock``: claimed by the next report
    under it, or by what makes it a citizen's that declared; so neither overlooks the other."""

    qid: Qid
    events: tuple[HealthEvent, ...]
    lock: bytes


class Place(msgspec.Struct, frozen=True):
    """Where a declaration belongs: the citizen's number, how they stand if they are known, what is claimed for them,
    and other numbers that turn out to be theirs; ``bare``: such that nobody ever declared under; ``reports`` under
    numbers that nobody declared under."""

    qid: Qid
    standing: Standing | None
    claims: tuple[tuple[bytes, str], ...]
    others: tuple[Standing, ...] = ()
    bare: tuple[Qid, ...] = ()
    reports: tuple[Reports, ...] = ()

    @property
    def events(self) -> tuple[HealthEvent, ...]:
        """What was reported under the citizen's number before they ever declared."""
        return self.events_of(self.qid)

    def events_of(self, qid: Qid) -> tuple[HealthEvent, ...]:
        """The same of another number of theirs."""
        return next((one.events for one in self.reports if one.qid == qid), ())

    @property
    def locks(self) -> tuple[tuple[bytes, str], ...]:
        """To be claimed with an act that makes a standing of reports."""
        return tuple([(one.lock, "declared") for one in self.reports])

    @property
    def still(self) -> tuple[Standing, ...]:
        """What must not have changed when they are made one: what is withdrawn meanwhile would be lost."""
        return (self.standing, *self.others) if self.standing and self.others else ()


class Citizens:
    """Finds citizens, and joins and parts their numbers."""

    def __init__(self, *, store: Store, secrets: Secrets, random: Callable[[int], bytes]) -> None:
        self._store = store
        self._secrets = secrets
        self._random = random

    # -- find --------------------------------------------------------------------------------------------------------

    async def find(self, document: Document) -> Qid | None:
        """Whose document this is known to be."""
        held = await self._store.holder(self._own(document.key))
        return Qid(held) if held else None

    async def standing(self, qid: Qid) -> Standing | None:
        """Where the citizen with this number stands, whichever of their numbers it is."""
        standing = (await numbers_of(self._store, qid))[1]
        if standing is None and (other := await self._store.holder(self._goes_by(qid))) and other != qid:
            standing = (await numbers_of(self._store, Qid(other)))[1]
        return standing

    async def declared(self, standing: Standing) -> Declaration | None:
        """What the declaration that a citizen stands by says, as corrected by an officer if it was."""
        fact = await self._store.fact(standing.corrected or standing.declaration)
        if fact is None or fact.personal is None:
            return None
        return msgspec.json.decode(fact.personal, type=Declaration)

    async def remember(self, declared: Claimed, found: Found) -> Found:
        """``found``; while the register is away, what it confirmed before: of whoever said exactly the same."""
        confirmed = self.confirmed_key(declared)
        if found.match.grade is Grade.PENDING and confirmed and await self._store.holder(confirmed):
            return Found(Match(Grade.MATCHED))
        return found

    async def was_said(self, declared: Claimed) -> bool:
        """Whether somebody declared exactly the same before."""
        said = self._same(declared)
        return said is not None and await self._store.holder(said) is not None

    async def is_another(self, qid: Qid, found: Found) -> bool:
        """Whether the register knows the citizen with the number ``qid`` as another person than the one it found."""
        if not found.keys:
            return False
        known = await self._store.holder(self._person(qid))
        return known is not None and known != self._own(found.keys[-1]).hex()

    async def place(self, declared: Claimed, found: Found, own_qid: Qid | None = None) -> Place:
        """Where ``declared`` belongs: to whom its documents do; else to who declared exactly the same, unless that is
        somebody else by now; else to nobody yet, and then to ``own_qid``, the number that was given them for a permit,
        or a new one."""
        own = [self._own(key) for key in found.keys]
        said = self._same(declared)
        keys = own if said is None else [*own, said]
        held = await self._store.holders(keys)
        numbers = [Qid(qid) for qid in dict.fromkeys(held.values())]
        stand = {qid: await self.standing(qid) for qid in numbers}
        standings = [one for one in stand.values() if one and not await self.is_another(one.qid, found)]
        standing = standings[0] if standings else None
        bare = [qid for qid in numbers if stand[qid] is None and not await self.is_another(qid, found)]
        qid = standing.qid if standing else own_qid or (bare[0] if bare else self.new_qid())
        bare = [number for number in bare if number != qid] if found.match.grade.is_sure else []
        claims = [(key, str(qid)) for key in keys if key not in held]
        if own:  # one number is one person of the register, for ever
            claims.append((self._person(qid), own[-1].hex()))
        if found.match.grade.is_sure and own and (confirmed := self.confirmed_key(declared)):
            claims.append((confirmed, "confirmed"))
        claims += [(self._goes_by(number), str(qid)) for number in bare]
        others = {other.qid: other for other in standings[1:] if other.qid != qid}
        unheard = [*bare, *([qid] if standing is None and (qid in numbers or qid == own_qid) else [])]
        reports = tuple([await self.reports(number) for number in unheard])
        return Place(qid, standing, tuple(claims), tuple(others.values()), tuple(bare), reports)

    async def reports(self, qid: Qid) -> Reports:
        """What was reported under ``qid``, which nobody has declared under."""
        facts = await self._store.facts_about(qid, kinds=("health.reported",), limit=_FACTS_MAX)
        events: tuple[HealthEvent, ...] = ()
        for fact in facts:
            if isinstance(what := fact.what, HealthReported):
                events = reported(events, HealthEvent(what.event, what.since, what.until))
        return Reports(qid, events, self._secrets.index("reports", f"{qid}\n{len(facts)}"))

    async def join(self, place: Place, *, by: str, now: dt.datetime) -> tuple[Fact, ...]:
        """The facts that make the other numbers of ``place`` one citizen with it."""
        joined = [
            self._fact("tok", place.qid, Took(number, None, place.events_of(number)), by, now) for number in place.bare
        ]
        for other in place.others:
            joined += await self.merge(other, place.qid, by=by, now=now)
        return tuple(joined)

    def confirmed_key(self, declared: Claimed) -> bytes | None:
        """Claimed when the register confirms a declaration: the same said again is known while the register is away."""
        said = self._said(declared)
        return None if said is None or declared.document.kind == "none" else self._secrets.index("confirmed", said)

    def new_qid(self) -> Qid:
        """A number that nobody has."""
        return new_qid(self._random(8))

    def _person(self, qid: Qid) -> bytes:
        return self._secrets.index("person", qid)

    def _goes_by(self, qid: Qid) -> bytes:
        """Claimed for the number that who has ``qid`` goes by, when ``qid`` was given before anybody declared."""
        return self._secrets.index("goes-by", qid)

    def _same(self, declared: Claimed) -> bytes | None:
        said = self._said(declared)
        return None if said is None else self._secrets.index("declared-same", said)

    def _own(self, key: str) -> bytes:
        return self._secrets.index("document", key)

    @staticmethod
    def _said(declared: Claimed) -> str | None:
        """Who the declaration says it is about; None if that names nobody in particular."""
        document = declared.subject
        if document is None:
            return None
        of = "" if document is declared.document else f"child {declared.sex}"
        return f"{document.key}\n{name_key(declared.name)}\n{declared.born}\n{of}"

    # -- join and part -----------------------------------------------------------------------------------------------

    async def merge(self, other: Standing, into: Qid, *, by: str, now: dt.datetime) -> tuple[Fact, ...]:
        """The facts that make ``other`` (as it stands after what is written with them) one citizen with ``into``."""
        accepted = await self._store.facts_about(other.qid, kinds=("declaration.accepted",), limit=_FACTS_MAX)
        sources = {fact.what.source for fact in accepted if isinstance(fact.what, Accepted)} - {"page"}
        return (
            self._fact("mrg", other.qid, Merged(into, tuple(sorted(sources))), by, now),
            self._fact("tok", into, Took(other.qid, other), by, now),
        )

    async def part(self, other: Qid, *, by: str, now: dt.datetime) -> Act:
        """The act that undoes the merge of ``other``. Raises :class:`Hidden` ``standing.none`` for a number of nobody,
        :class:`Conflict` ``merge.none`` for one that is a citizen of its own, ``merge.further`` for one that goes by a
        number which itself was merged since."""
        standing = await self._store.standing(other)
        if standing is None:
            raise Hidden("standing.none", Words("Không tìm thấy số này.", "This number is not found."))
        if standing.into is None:
            raise Conflict(
                "merge.none", Words("Số này không gộp vào số nào.", "This number is not merged into another.")
            )
        one = await self._store.standing(standing.into)
        assert one is not None  # it took the other
        if one.into:
            raise Conflict(
                "merge.further",
                Words(
                    "Số kia đã được gộp tiếp vào một số khác. Tách số kia trước.",
                    "The number that this one goes by was merged on into another. Part that one first.",
                ),
            )
        facts = await self._store.facts_about(one.qid, kinds=MOVING, limit=_FACTS_MAX)
        without, since = _parted(facts, other)
        # Nobody knows which of the two was meant by what was withdrawn, given back or reported since: both.
        meant = [
            self._fact(fact.id[:3], other, _without_codes(fact.what), by, now)
            for fact in since
            if isinstance(fact.what, Revoked | Suspended | Restored | HealthReported)
        ]
        parted = (
            self._fact("prt", other, Parted(one.qid, None), by, now),
            self._fact("prt", one.qid, Parted(other, fold(without)), by, now),
            *meant,
        )
        return Act(parted, still=(standing, one))

    def _fact(self, kind: str, qid: Qid, what: What, by: str, now: dt.datetime) -> Fact:
        return Fact(id=new_fact_id(kind, now, self._random(10)), at=now, actor=by, qid=qid, what=what)


def _without_codes(what: Revoked | Suspended | Restored | HealthReported) -> What:
    """The same, of no codes in particular."""
    return what if isinstance(what, HealthReported) else replace(what, indexes=())


def _parted(facts: Sequence[Fact], other: Qid) -> tuple[list[Fact], list[Fact]]:
    """A citizen's facts as if ``other`` had never been theirs, nor who was parted from them before; and the facts since
    they were last made one with ``other``."""
    took: dict[Qid, list[int]] = {}
    dropped: set[int] = set()
    for n, fact in enumerate(facts):
        if isinstance(fact.what, Took):
            took.setdefault(fact.what.other, []).append(n)
        elif isinstance(fact.what, Parted) and (before := took.pop(fact.what.other, None)):
            dropped |= {n, *before}
    theirs = took.get(other, [len(facts)])
    dropped |= set(theirs)
    return [fact for n, fact in enumerate(facts) if n not in dropped], list(facts[theirs[0] :])
