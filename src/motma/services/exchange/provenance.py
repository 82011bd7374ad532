"""Where a citizen's fields came from: read from their declarations, for whoever is to be told that sources disagree.

A platform is told the names of fields, never what another one said; an operator who says what and when, and of a phone
number its last two digits.
"""

import datetime as dt
from collections import OrderedDict
from collections.abc import Sequence

import msgspec

from motma.core.facts import Accepted, Disputed, Fact, Identified, Repaired, Reviewed, Standing, Took
from motma.core.identity import Grade, Match
from motma.core.ids import FactId, Qid
from motma.core.provenance import PAGE, PROFILE, Profile, Provenance, Stated, Voice, disputed, provenance
from motma.services.afterwards import match_of, numbers_of
from motma.storage.store import PAGE_FACTS, Store

DECLARED_MOST = 50
"""So many of the newest declarations of one number are looked at, and what was found out about them."""
LISTED_MOST = 200
"""So many citizens are looked at for the list of disputes: those about whom sources came to disagree last."""

_SPOKEN = ("declaration.accepted", "identity.checked", "identity.repaired", "identity.reviewed")
_SHOWN_DIGITS = 2


class Spoken(msgspec.Struct, frozen=True):
    """The newest declaration of a source that fits, and the fact whose personal part says it as it should have been."""

    declaration: FactId
    source: str
    at: dt.datetime
    says: FactId


class Told(msgspec.Struct, frozen=True):
    """Who says something, since when; ``hint`` is what may be seen of a phone number, "" of anything else."""

    source: str
    at: dt.datetime
    hint: str


class Dispute(msgspec.Struct, frozen=True):
    """A citizen about whom sources disagree: of each field who is in force and, after it, who says otherwise."""

    qid: Qid
    since: dt.datetime
    fields: tuple[tuple[str, tuple[Told, ...]], ...]


class Sources:
    """The verb. Belongs to one event loop."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._seq = 0
        self._candidates: OrderedDict[Qid, None] = OrderedDict()

    async def disputed(self, standing: Standing, source: str, said: Profile) -> tuple[str, ...]:
        """The fields of ``said``, which ``source`` declares now, that others who spoke of this citizen say otherwise.

        Nobody else having spoken costs one question; only what is compared is opened.
        """
        if source == PAGE:
            return ()
        spoken = await self._spoken(standing)
        return disputed(source, said, await self._voices([one for one in spoken if one.source != source]))

    async def disputed_now(self, declaration: FactId, source: str, standing: Standing | None) -> tuple[str, ...]:
        """The fields that others say otherwise than ``declaration`` of ``source``; none of one that another of the
        same source has replaced."""
        spoken = await self._spoken(standing) if standing else []
        if not any((one.declaration, one.source) == (declaration, source) for one in spoken):
            return ()
        voices = await self._voices(spoken)
        now = provenance(voices)
        own = next((voice for voice in voices if voice.source == source), None)
        if now is None or own is None:
            return ()
        open_now = now.disputed
        return tuple([name for name in disputed(source, own.said, voices) if name in open_now])

    async def of(self, standing: Standing) -> Provenance | None:
        """Where each field of a citizen came from; None while nothing is known that fits them."""
        return provenance(await self._voices(await self._spoken(standing)))

    async def disputes(self) -> list[Dispute]:
        """Disputes that are open, the newest first, among the last :data:`LISTED_MOST` citizens with one."""
        await self._read()
        found: dict[Qid, Dispute] = {}
        for candidate in list(reversed(self._candidates))[:LISTED_MOST]:
            standing = (await numbers_of(self._store, candidate))[1]
            if standing is None or standing.qid in found:
                continue
            now = await self.of(standing)
            if now is None or not now.disputed:
                self._candidates.pop(candidate, None)  # the next one to disagree is heard of again
                continue
            found[standing.qid] = _dispute(standing.qid, now)
        return sorted(found.values(), key=lambda one: one.since, reverse=True)

    # -- reading ---------------------------------------------------------------------------------------------------

    async def _spoken(self, standing: Standing) -> list[Spoken]:
        """The newest declaration of each source that fits the citizen, under whichever of their numbers."""
        newest: dict[str, Spoken] = {}
        for number in (standing.qid, *standing.also):
            facts = await self._store.facts_about(number, kinds=_SPOKEN, newest_first=True, limit=DECLARED_MOST)
            for one in _fitting(facts):
                known = newest.get(one.source)
                if known is None or (known.at, known.declaration) < (one.at, one.declaration):
                    newest[one.source] = one
        return list(newest.values())

    async def _voices(self, spoken: Sequence[Spoken]) -> list[Voice]:
        voices = []
        for one in spoken:
            fact = await self._store.fact(one.says, only=PROFILE)
            if fact and fact.personal:
                said = msgspec.json.decode(fact.personal, type=Profile)
                voices.append(Voice(one.source, one.at, one.declaration, said))
        return voices

    async def _read(self) -> None:
        """Who may be in dispute: whose declaration said otherwise than another, and whose numbers became one."""
        while True:
            page = await self._store.review_facts(self._seq)
            for seq, fact in page:
                self._seq = seq
                if fact.qid and isinstance(fact.what, Disputed | Took):
                    self._candidates[fact.qid] = None
                    self._candidates.move_to_end(fact.qid)
            while len(self._candidates) > LISTED_MOST:
                self._candidates.popitem(last=False)
            if len(page) < PAGE_FACTS:
                return


def _fitting(facts: Sequence[Fact]) -> list[Spoken]:
    """The declarations among ``facts``, newest first, that fit the register by now or are vouched for."""
    after: dict[FactId, tuple[Match, FactId | None]] = {}
    fitting = []
    for fact in facts:
        what = fact.what
        if isinstance(what, Accepted):
            match, says = after.get(fact.id, (match_of(what), None))
            if match.fits:
                fitting.append(Spoken(fact.id, what.source, fact.at, says or fact.id))
        elif isinstance(what, Repaired):
            after.setdefault(what.declaration, (Match(what.grade), fact.id))
        elif isinstance(what, Identified):
            after.setdefault(what.declaration, (Match(what.grade, what.differing, what.how), None))
        elif isinstance(what, Reviewed) and not what.upheld:
            after.setdefault(what.declaration, (Match(Grade.MISMATCHED), None))
    return fitting


def _dispute(qid: Qid, now: Provenance) -> Dispute:
    fields, since = [], dt.datetime.min.replace(tzinfo=dt.UTC)
    for field in now.fields:
        if field.in_dispute:
            stated = (field.in_force, *[other for other in field.others if other.disputes])
            fields.append((field.name, tuple([_told(field.name, one) for one in stated])))
            since = max(since, *[one.at for one in stated])
    return Dispute(qid, since, tuple(fields))


def _told(field: str, stated: Stated) -> Told:
    hint = f"•••• {stated.value[-_SHOWN_DIGITS:]}" if field == "phone" else ""
    return Told(stated.source, stated.at, hint)
