"""Declare: what was sent -> the form -> the register -> one code -> recorded, in one transaction."""

import datetime as dt
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

import msgspec

from motma.connectors.registry import DocumentRegistry as Registry
from motma.core.errors import Conflict, Hidden, Unavailable
from motma.core.facts import Accepted, Fact, Holder, Issued, LookedUp, Refused, Scanned
from motma.core.flow import Network
from motma.core.form import Declaration, Form, Units, parse_declaration
from motma.core.identity import PENDING, Grade, IdentityClaim, Match, compare
from motma.core.ids import Document, FactId, Qid, fact_id_bytes, new_fact_id, new_qid, same_moment_id
from motma.core.measure import Measure, active_measure, require_measure
from motma.core.words import Words
from motma.services.board import BoardReader
from motma.services.carriers import codes_of, is_on_paper
from motma.services.codes import CodeOffice, Due
from motma.services.plates import plate_key
from motma.storage.keys import Secrets
from motma.storage.store import Act, Already, Holding, Store

_DECLARED_MAX = 200
_RACES = 5
"""How often a citizen may be declared elsewhere at the same moment before we give up; twice is already rare."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of a declaration. ``repeated``: it had been sent before and nothing was written now."""

    declaration: FactId
    outcome: Literal["accepted", "pending", "refused"]
    match: Match
    qid: Qid | None = None
    code_id: FactId | None = None
    code: str | None = None
    valid_from: dt.datetime | None = None
    valid_until: dt.datetime | None = None
    repeated: bool = False


@dataclass(frozen=True, slots=True)
class HeldCode:
    """A code as its holder's page shows it."""

    qid: Qid
    name: str
    code: str
    code_id: FactId
    valid_from: dt.datetime
    valid_until: dt.datetime
    grade: Grade
    revoked: bool
    suspended: bool = False


@dataclass(frozen=True, slots=True)
class Look:
    """Somebody looked at a citizen: when, where, and what the answer was."""

    at: dt.datetime
    checkpoint: str
    checkpoint_name: Words
    outcome: str


class Declare:
    """The citizen's verb, the same behind the page and behind every platform."""

    def __init__(
        self,
        *,
        store: Store,
        board: BoardReader,
        registry: Registry,
        codes: CodeOffice,
        secrets: Secrets,
        random: Callable[[int], bytes],
        form: Form,
        units: Units,
        network: Network,
    ) -> None:
        self.form = form
        self.units = units
        self.network = network
        self._store = store
        self._board = board
        self._registry = registry
        self._codes = codes
        self._secrets = secrets
        self._random = random
        self._checkpoints = frozenset(network.by_id)

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
    ) -> Receipt:
        """Record one declaration from ``source`` ("page" or a platform's id) and issue the citizen's code.

        ``key`` makes it safe to send again: the same key and content answer with the first receipt. ``wallet`` is the
        browser that may show the code. Raises :class:`Invalid` ``declaration.fields``, :class:`Conflict`
        ``measure.none_active`` or ``idempotency.reused``; nothing is stored then.
        """
        once = _idempotency(self._secrets, source, key, raw)
        if once and (first := await self._store.holder(once[0])):  # even after the measure: it *was* stored
            return await self._first_receipt(first, once[1])
        measure = require_measure((await self._board.current(now)).measures.values(), now)
        declaration = parse_declaration(raw, self.form, self.units, self._checkpoints, now)
        match, documents = await self._match(declaration)
        declaration_id = new_fact_id("dcl", now, self._random(10))
        personal = msgspec.json.encode(declaration)
        claimed = ((once[0], f"{declaration_id} {once[1]}"),) if once else ()
        if not match.travels:
            refused = Fact(
                id=declaration_id,
                at=now,
                actor=source,
                personal=personal,
                what=Refused(
                    source=source,
                    measure=measure.id,
                    form=declaration.form,
                    grade=match.grade,
                    differing=match.differing,
                    how=match.how,
                    route=declaration.trip.checkpoints,
                ),
            )
            outcome = await self._store.append(Act(facts=(refused,), once=claimed))
            if isinstance(outcome, Already) and once:
                return await self._first_receipt(outcome.once[once[0]], once[1])
            return Receipt(declaration_id, "refused", match)
        hours = measure.pass_hours if match.grade is Grade.MATCHED else measure.pending_hours
        accepted = Accepted(
            source=source,
            measure=measure.id,
            form=declaration.form,
            grade=match.grade,
            health=declaration.health,
            route=declaration.trip.checkpoints,
            valid_from=now,
            valid_until=min(now + dt.timedelta(hours=hours), measure.ends_at),
        )
        plate = declaration.trip.plate
        held_by = [holder for holder in (wallet, plate and plate_key(self._secrets, plate)) if holder]
        keys = tuple(self._secrets.index("document", document.key) for document in documents)
        for _ in range(_RACES):
            held = await self._store.holders(keys)
            qid = Qid(next(iter(held.values()))) if held else new_qid(self._random(8))
            due = Due(
                declaration=declaration_id,
                born_with=declaration_id,
                qid=qid,
                measure=measure,
                matched=match.grade is Grade.MATCHED,
                valid_from=accepted.valid_from,
                valid_until=accepted.valid_until,
                reissue=bool(held),
                actor=source,
            )
            code, issued = await self._codes.issue(declaration, due, now)
            declared = Fact(id=declaration_id, at=now, actor=source, qid=qid, personal=personal, what=accepted)
            act = Act(
                facts=await self._codes.complete((declared, issued), now) if held else (declared, issued),
                once=claimed + tuple((document, str(qid)) for document in keys if document not in held),
                holdings=tuple([Holding(holder, qid, declaration_id, now) for holder in held_by]),
            )
            outcome = await self._store.append(act)
            if not isinstance(outcome, Already):
                return Receipt(
                    declaration_id,
                    "accepted" if match.grade is Grade.MATCHED else "pending",
                    match,
                    qid,
                    issued.id,
                    code,
                    accepted.valid_from,
                    accepted.valid_until,
                )
            if once and once[0] in outcome.once:
                return await self._first_receipt(outcome.once[once[0]], once[1])
            # Somebody declared the same citizen between our look and our write: take the number they got.
        raise Unavailable(
            "declaration.contended",
            Words(
                "Có nhiều tờ khai cùng lúc cho một người. Gửi lại sau vài giây.",
                "Several declarations for one person arrived at once. Send again in a few seconds.",
            ),
        )

    async def held(self, wallet: bytes, now: dt.datetime) -> list[HeldCode]:
        """The codes that a browser may show, newest first: one for each citizen it declared.

        A citizen declared again elsewhere keeps the code of *this* browser's declaration here; what the other door
        was told is not shown to this one.
        """
        codes: dict[Qid, HeldCode] = {}
        for holding in await self._store.holdings(wallet):
            standing = await self._store.standing(holding.qid)
            if standing is None or holding.qid in codes:
                continue
            newest = standing.declaration == holding.declaration
            # The newest that is for a screen: matched late, or bound to this browser's key.
            mine = [fact for fact in await codes_of(self._store, holding) if not is_on_paper(fact)]
            code_id = mine[0].id if mine else same_moment_id("cod", holding.declaration)
            issued = await self._store.fact(code_id)
            if issued and issued.personal and isinstance(issued.what, Issued):
                holder = msgspec.json.decode(issued.personal, type=Holder)
                codes[holding.qid] = HeldCode(
                    holding.qid,
                    holder.name,
                    holder.code,
                    issued.id,
                    holding.at,
                    standing.valid_until if newest else issued.what.valid_until,
                    standing.grade,
                    standing.revoked,
                    standing.suspended,
                )
        return list(codes.values())

    async def looks(self, wallet: bytes, qid: Qid) -> list[Look]:
        """Who looked at a citizen by a code that this browser holds, newest first. Raises :class:`Hidden` otherwise.

        Anybody who knows somebody's number, name and birth date can declare for them; that must not tell where they
        go. So a browser sees the looks at its own codes, and looks by typed number only while it is the one door that
        ever declared this citizen.
        """
        mine = {holding.declaration for holding in await self._store.holdings(wallet) if holding.qid == qid}
        if not mine:
            raise Hidden("code.hidden", Words("Không có mã này trên máy này.", "This code is not on this device."))
        facts = await self._store.facts_about(qid, newest_first=True, limit=1_000)
        codes = {
            fact_id_bytes(fact.id).hex()
            for fact in facts
            if isinstance(fact.what, Issued) and fact.what.declaration in mine
        }
        declared = await self._store.facts_about(qid, kinds=("declaration.accepted",), limit=_DECLARED_MAX)
        # More of them than are read: whose the others are is not known, and not to be brought about by declaring on.
        alone = len(declared) < _DECLARED_MAX and all(fact.id in mine for fact in declared)
        looks = []
        for fact in facts:
            what = fact.what
            by_code = what.code_id if isinstance(what, Scanned) else ""
            if isinstance(what, Scanned | LookedUp) and (by_code in codes or (not by_code and alone)):
                place = self.network.by_id.get(fact.checkpoint or "")
                name = place.name if place else Words("Chốt không còn", "A checkpoint no longer listed")
                outcome = what.outcome if isinstance(what, Scanned) else "looked_up"
                looks.append(Look(fact.at, fact.checkpoint or "", name, outcome))
        return looks

    async def _match(self, declaration: Declaration) -> tuple[Match, tuple[Document, ...]]:
        """Compare with the register; when it cannot be asked the citizen is pending and nobody waits."""
        document = declaration.document
        try:
            record = await self._registry.find(document)
        except Unavailable:
            return PENDING, (document,)
        match = compare(IdentityClaim(document, declaration.name, declaration.birth_date), record)
        known = record.documents if record and match.travels else ()
        return match, (document, *(other for other in known if other != document))

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
            match = Match(fact.what.grade, fact.what.differing, fact.what.how)
            return Receipt(fact.id, "refused", match, repeated=True)
        assert isinstance(fact.what, Accepted)
        code_id = same_moment_id("cod", fact.id)
        issued = await self._store.fact(code_id)
        code = msgspec.json.decode(issued.personal, type=Holder).code if issued and issued.personal else None
        return Receipt(
            fact.id,
            "accepted" if fact.what.grade is Grade.MATCHED else "pending",
            Match(fact.what.grade),
            fact.qid,
            code_id,
            code,
            fact.what.valid_from,
            fact.what.valid_until,
            repeated=True,
        )


def _idempotency(secrets: Secrets, source: str, key: str | None, raw: Mapping[str, object]) -> tuple[bytes, str] | None:
    """(what is claimed once, digest of what was sent) for a key; None without one."""
    if key is None:
        return None
    digest = hashlib.sha256(msgspec.json.encode(raw, order="deterministic")).hexdigest()[:32]
    return secrets.index("idempotency", f"{source}\n{key}"), digest
