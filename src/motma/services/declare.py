"""Declare: what was sent -> the form -> who it is -> one code -> recorded, in one transaction."""

import datetime as dt
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import msgspec

from motma.core.errors import Conflict, Unavailable
from motma.core.facts import Accepted, Disputed, Fact, Holder, Refused, Trip
from motma.core.flow import Network
from motma.core.form import Declaration, Form, Units, parse_declaration
from motma.core.form import Place as Commune
from motma.core.identity import Grade, Match
from motma.core.ids import Document, FactId, Qid, new_fact_id, same_moment_id
from motma.core.measure import Measure, active_measure, require_measure
from motma.core.provenance import PAGE, PROFILE, Profile
from motma.core.sent import require_shallow, with_extra
from motma.core.words import Words
from motma.services.afterwards import Outcome, declared_by, match_of, outcome_of
from motma.services.board import BoardReader
from motma.services.citizens import Citizens, Place
from motma.services.codes import CodeOffice, Due
from motma.services.exchange.provenance import Sources
from motma.services.matching import Found, Matching
from motma.services.plates import plate_key
from motma.services.tries import Tries
from motma.storage.keys import Secrets
from motma.storage.store import Act, Already, Holding, Store

_RACES = 5
"""How often a citizen may be declared elsewhere at the same moment before we give up; twice is already rare."""


@dataclass(frozen=True, slots=True)
class _Sending:
    """A declaration on its way in. ``once``: its idempotency key, and the digest of what was sent."""

    id: FactId
    declaration: Declaration
    measure: Measure
    source: str
    now: dt.datetime
    once: tuple[bytes, str] | None
    wallet: bytes | None
    corrects: tuple[FactId, bytes] | None
    """The declaration that it puts right, and what is claimed for that."""

    @property
    def personal(self) -> bytes:
        return msgspec.json.encode(self.declaration)

    @property
    def subject(self) -> Document:
        assert self.declaration.subject is not None  # asked only of a declaration that names a number
        return self.declaration.subject

    @property
    def claims(self) -> tuple[tuple[bytes, str], ...]:
        return ((self.once[0], f"{self.id} {self.once[1]}"),) if self.once else ()


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of a declaration. ``repeated``: it had been sent before and nothing was written now."""

    declaration: FactId
    outcome: Outcome
    match: Match
    qid: Qid | None = None
    code_id: FactId | None = None
    code: str | None = None
    valid_from: dt.datetime | None = None
    valid_until: dt.datetime | None = None
    repeated: bool = False
    disputed: tuple[str, ...] = ()
    """The fields that another source says otherwise of this citizen."""


class Declare:
    """The citizen's verb, the same behind the page and behind every platform."""

    def __init__(
        self,
        *,
        store: Store,
        board: BoardReader,
        matching: Matching,
        citizens: Citizens,
        tries: Tries,
        codes: CodeOffice,
        sources: Sources,
        secrets: Secrets,
        random: Callable[[int], bytes],
        form: Form,
        units: Units,
        network: Network,
        require: Callable[[Declaration], None] | None = None,
    ) -> None:
        """``require`` raises :class:`Invalid` for a declaration that is not taken here at all."""
        self.form = form
        self.units = units
        self.network = network
        self._store = store
        self._board = board
        self._matching = matching
        self._citizens = citizens
        self._tries = tries
        self._codes = codes
        self._sources = sources
        self._secrets = secrets
        self._random = random
        self._checkpoints = frozenset(network.by_id)
        self._require = require

    async def measure(self, now: dt.datetime) -> Measure | None:
        """The measure in force, if any."""
        return active_measure((await self._board.current(now)).measures.values(), now)

    async def declare(
        self,
        raw: Mapping[str, object],
        *,
        source: str,
        now: dt.datetime,
        key: str | None = None,
        wallet: bytes | None = None,
        address: str = "",
        corrects: FactId | None = None,
    ) -> Receipt:
        """Record one declaration from ``source`` ("page" or a platform's id) and issue the citizen's code.

        ``key`` makes it safe to send again: the same key and content answer with the first receipt. ``wallet`` is the
        browser that may show the code, ``address`` where a page was sent from. ``corrects`` is an earlier declaration
        of the same source that this one puts right. Raises :class:`Invalid` ``declaration.fields`` or
        ``declaration.extra``, :class:`TooManyMistakes`, :class:`Hidden` ``declaration.hidden`` for a declaration of
        another source, :class:`Conflict` ``measure.none_active``, ``idempotency.reused``, ``correction.superseded``,
        ``identity.too_many_tries`` or ``identity.year_too_often``; nothing is stored then.
        """
        require_shallow(raw)
        once = _idempotency(self._secrets, source, key, raw, corrects)
        if once and (first := await self._store.holder(once[0])):  # even after the measure: it *was* stored
            return await self._first_receipt(first, once[1])
        measure = require_measure((await self._board.current(now)).measures.values(), now)
        declaration = parse_declaration(raw, self.form, self.units, self._checkpoints, now)
        if self._require:
            self._require(declaration)
        if source != PAGE:  # the page sends nothing but the form
            declaration = with_extra(declaration, raw, self.form)
        claimed = await self._to_correct(corrects, source) if corrects else None
        heard_from = f"addr {address}" if source == PAGE else source
        self._tries.hear(heard_from, now)
        sending = _Sending(
            id=new_fact_id("dcl", now, self._random(10)),
            declaration=declaration,
            measure=measure,
            source=source,
            now=now,
            once=once,
            wallet=wallet,
            corrects=claimed,
        )
        if declaration.subject is None:
            receipt = await self._record(sending, Found(Match(Grade.UNIDENTIFIED)), ())
        else:
            async with self._tries.at(declaration.subject):
                free = await self._free_tries(sending)
                found = await self._matching.who(declaration, measure.accepts)
                found = await self._citizens.remember(declaration, found)
                if found.name:  # typed in keys, meant otherwise: what was typed is kept beside it
                    meant = found.read(declaration)
                    meant = with_extra(meant, raw, self.form) if source != PAGE else meant
                    sending = replace(sending, declaration=meant)
                receipt = await self._record(sending, found, free)
        if not receipt.repeated:
            self._tries.count(heard_from, receipt.match)
        return receipt

    async def _to_correct(self, declaration: FactId, source: str) -> tuple[FactId, bytes]:
        """(a declaration of this source that is not corrected yet, what is claimed by correcting it)."""
        await declared_by(self._store, declaration, source, only=())
        claim = correction_key(self._secrets, declaration)
        if newer := await self._store.holder(claim):
            raise _superseded(newer)
        return declaration, claim

    async def _free_tries(self, sending: "_Sending") -> tuple[bytes, ...]:
        """What the declaration claims if it does not fit: a try of its number on this day, and if only a year of birth
        was said perhaps one more."""
        slots = self._tries.slots(sending.subject, sending.measure.tries_a_day, sending.now)
        by_year = self._tries.year_slots(sending.subject, sending.now) if sending.declaration.year_only else ()
        held = await self._store.holders((*slots, *by_year))
        return (self._tries.free(slots, held), *self._tries.free_year(by_year, held))

    async def _record(self, sending: "_Sending", found: Found, free_tries: tuple[bytes, ...]) -> Receipt:
        """Write the declaration and all that follows from it in one act, whoever else is writing."""
        # While the register is away, what it confirmed before is answered otherwise than a guess: guesses are counted.
        guessed = found.match.grade is Grade.PENDING and not await self._citizens.was_said(sending.declaration)
        for _ in range(_RACES):
            counts = guessed or found.match.is_a_miss
            spent = tuple([(one, str(sending.id)) for one in free_tries if counts])
            act, receipt = await (
                self._accepted(sending, found) if found.match.travels else self._refused(sending, found)
            )
            outcome = await self._store.append(msgspec.structs.replace(act, once=act.once + sending.claims + spent))
            if not isinstance(outcome, Already):
                return receipt
            if sending.once and (first := outcome.once.get(sending.once[0])):
                return await self._first_receipt(first, sending.once[1])
            if sending.corrects and (newer := outcome.once.get(sending.corrects[1])):
                raise _superseded(newer)
            if any(one in outcome.once for one in free_tries):  # another server took it: what was found is not told
                free_tries = await self._free_tries(sending)
            # Else somebody declared the same citizen between our look and our write: take the number they got.
        raise Unavailable(
            "declaration.contended",
            Words(
                "Có nhiều tờ khai cùng lúc cho một người. Gửi lại sau vài giây.",
                "Several declarations for one person arrived at once. Send again in a few seconds.",
            ),
        )

    async def _refused(self, sending: "_Sending", found: Found) -> tuple[Act, Receipt]:
        match, declaration = found.match, sending.declaration
        what = Refused(
            source=sending.source,
            measure=sending.measure.id,
            form=declaration.form,
            grade=match.grade,
            differing=match.differing,
            how=match.how,
            route=declaration.trip.checkpoints,
            corrects=sending.corrects[0] if sending.corrects else None,
        )
        refused = Fact(id=sending.id, at=sending.now, actor=sending.source, personal=sending.personal, what=what)
        return Act(facts=(refused,)), Receipt(sending.id, "refused", match)

    async def _accepted(self, sending: "_Sending", found: Found) -> tuple[Act, Receipt]:
        declaration, measure, now, match = sending.declaration, sending.measure, sending.now, found.match
        trip = declaration.trip
        vehicle = plate_key(self._secrets, trip.plate) if trip.plate else None
        place = await self._citizens.place(declaration, found)
        disputed = await self._disputed(sending, match, place)
        accepted = self._as_accepted(sending, match, vehicle, disputed)
        if place.events:
            accepted = msgspec.structs.replace(accepted, events=place.events)
        due = Due(
            declaration=sending.id,
            born_with=sending.id,
            qid=place.qid,
            measure=measure,
            matched=match.grade.is_sure,
            valid_from=accepted.valid_from,
            valid_until=accepted.valid_until,
            reissue=place.standing is not None,
            actor=sending.source,
        )
        code, issued = await self._codes.issue(declaration, due, now)
        declared = Fact(
            id=sending.id, at=now, actor=sending.source, qid=place.qid, personal=sending.personal, what=accepted
        )
        facts: tuple[Fact, ...] = (declared, issued)
        if disputed:
            what = Disputed(sending.id, disputed)
            id = same_moment_id("dsp", sending.id)
            facts += (Fact(id=id, at=now, actor=sending.source, qid=place.qid, what=what),)
        if place.standing or place.reports:
            joined = await self._citizens.join(place, by=sending.source, now=now)
            facts = await self._codes.complete((*facts, *joined), now)
        held_by = [holder for holder in (sending.wallet, vehicle) if holder]
        corrects = ((sending.corrects[1], str(sending.id)),) if sending.corrects else ()
        act = Act(
            facts=facts,
            once=place.claims + place.locks + corrects,
            still=place.still,
            holdings=tuple([Holding(holder, place.qid, sending.id, now) for holder in held_by]),
        )
        return act, Receipt(
            sending.id,
            outcome_of(match.grade),
            match,
            place.qid,
            issued.id,
            code,
            accepted.valid_from,
            accepted.valid_until,
            disputed=disputed,
        )

    def _as_accepted(
        self, sending: _Sending, match: Match, vehicle: bytes | None, disputed: tuple[str, ...]
    ) -> Accepted:
        declaration, measure, trip = sending.declaration, sending.measure, sending.declaration.trip
        hours = measure.pass_hours if match.grade.is_sure else measure.pending_hours
        return Accepted(
            source=sending.source,
            measure=measure.id,
            form=declaration.form,
            grade=match.grade,
            health=declaration.health,
            route=trip.checkpoints,
            valid_from=sending.now,
            valid_until=min(sending.now + dt.timedelta(hours=hours), measure.ends_at),
            how=match.how,
            trip=Trip(
                origin=self._area_of(trip.origin),
                destination=self._area_of(trip.destination),
                vehicle=trip.vehicle,
                plate=vehicle.hex() if vehicle else "",
            ),
            corrects=sending.corrects[0] if sending.corrects else None,
            disputed=disputed,
        )

    async def _disputed(self, sending: _Sending, match: Match, place: Place) -> tuple[str, ...]:
        """What others say otherwise; nothing to whoever does not fit the citizen, or a guess would tell of them."""
        if place.standing is None or not match.fits:
            return ()
        said = Profile(*[getattr(sending.declaration, name) for name in PROFILE])
        return await self._sources.disputed(place.standing, sending.source, said)

    def _area_of(self, place: Commune) -> str:
        return self.network.area_of(place.province, place.commune)

    async def _first_receipt(self, value: str, digest: str) -> Receipt:
        """The receipt that was given when this key was first used."""
        declaration_id, _, first_digest = value.partition(" ")
        if first_digest != digest:
            raise Conflict(
                "idempotency.reused",
                Words(
                    "Khóa gửi lại này đã dùng cho một tờ khai khác. Dùng khóa mới.",
                    "This idempotency key was used for another declaration. Use a new key.",
                ),
            )
        fact = await self._store.fact(FactId(declaration_id))
        if fact is None:
            raise Unavailable(
                "storage.unavailable", Words("Chưa đọc được tờ khai.", "The declaration cannot be read now.")
            )
        if isinstance(fact.what, Refused):
            match = match_of(fact.what)
            return Receipt(fact.id, "refused", match, repeated=True)
        assert isinstance(fact.what, Accepted)
        code_id = same_moment_id("cod", fact.id)
        issued = await self._store.fact(code_id)
        code = msgspec.json.decode(issued.personal, type=Holder).code if issued and issued.personal else None
        return Receipt(
            fact.id,
            outcome_of(fact.what.grade),
            match_of(fact.what),
            fact.qid,
            code_id,
            code,
            fact.what.valid_from,
            fact.what.valid_until,
            repeated=True,
            disputed=fact.what.disputed,
        )


def correction_key(secrets: Secrets, declaration: FactId) -> bytes:
    """What is claimed for the declaration that corrects ``declaration``."""
    return secrets.index("corrected", declaration)


def _superseded(newer: str) -> Conflict:
    return Conflict(
        "correction.superseded",
        Words(
            f"Tờ khai này đã được sửa bằng tờ {newer}. Sửa tiếp tờ ấy.",
            f"This declaration was corrected by {newer} already. Correct that one.",
        ),
    )


def _idempotency(
    secrets: Secrets, source: str, key: str | None, raw: Mapping[str, object], corrects: FactId | None
) -> tuple[bytes, str] | None:
    """(what is claimed once, digest of what was sent) for a key; None without one."""
    if key is None:
        return None
    digest = hashlib.sha256(msgspec.json.encode(raw, order="deterministic") + (corrects or "").encode())
    return secrets.index("idempotency", f"{source}\n{key}"), digest.hexdigest()[:32]
