"""Permits: who may travel where and when; given by operators, taken back by them, looked at with every check.

A permit belongs to a citizen as their declaration does: whoever it names is asked about at the register, and gets the
number that their documents lead to, or one that their first declaration will find. Nothing is guessed: a number that
the register does not know, or does not know by this name and birth date, gets no permit.
"""

import contextlib
import datetime as dt
from collections.abc import Callable, Mapping

import msgspec
from msgspec.structs import replace

from motma.core.errors import Conflict, Hidden, Invalid, Unavailable
from motma.core.facts import Fact, PermitHolder, PermitIssued, PermitRevoked, Standing
from motma.core.identity import Grade, Match
from motma.core.ids import FactId, Qid, new_fact_id, parse_document, parse_plate, parse_qid, same_moment_id
from motma.core.permit import GREEN_LANE, Groups, Permit, Problem, Shown, judged, parse, serving, text_of
from motma.core.permit.form import Asked
from motma.core.text import parse_line
from motma.core.words import Words
from motma.services.board import BoardReader
from motma.services.citizens import Citizens
from motma.services.faces import face_of
from motma.services.matching import Found, Matching
from motma.services.plates import plate_key
from motma.storage.keys import Secrets
from motma.storage.store import Act, Already, Store

_RACES = 5
_MATCHED = Match(Grade.MATCHED)
_REASON_MAX = 200


class Carried(msgspec.Struct, frozen=True):
    """What somebody may travel on at one place and moment: the ``permit`` of theirs that serves best, if they have any;
    whether their vehicle is on the ``green_lane``, None if it is not known in which vehicle they travel."""

    permit: Permit | None = None
    green_lane: bool | None = None


class Held(msgspec.Struct, frozen=True):
    """The permits of somebody and of their vehicle, and the ``problem`` with the paper they showed, if it is none."""

    permits: tuple[Permit, ...] = ()
    vehicle_known: bool = False
    problem: Problem | None = None

    def at(self, area: str | None, now: dt.datetime) -> Carried:
        """What serves in ``area`` (None: a place of none) at ``now``."""
        lanes = [permit for permit in self.permits if permit.of_vehicle and permit.group == GREEN_LANE]
        return Carried(
            serving([permit for permit in self.permits if not permit.of_vehicle], area, now),
            any(permit.serves(area, now) for permit in lanes) if self.vehicle_known else None,
        )


class Resolved(msgspec.Struct, frozen=True):
    """A permit that can be issued: its holder is known. ``keys``: of the documents under which the register knows them,
    as :class:`Found` has it. ``face``: for whoever has to be sure of the right one."""

    asked: Asked
    face: PermitHolder
    keys: tuple[str, ...] = ()

    @property
    def identity(self) -> str:
        """The same for whoever is the same."""
        return self.keys[-1] if self.keys else self.asked.qid or self.asked.plate


class Granted(msgspec.Struct, frozen=True):
    """The permit that was issued, or that had been before (``already``)."""

    id: FactId
    already: bool = False


class Permits:
    """The operator's third verb, and the part of a check that is about permits.

    ``areas``: id -> name of those that a scope can be of.
    """

    def __init__(
        self,
        *,
        store: Store,
        board: BoardReader,
        matching: Matching,
        citizens: Citizens,
        secrets: Secrets,
        random: Callable[[int], bytes],
        groups: Groups,
        areas: Mapping[str, Words],
    ) -> None:
        self.groups = groups
        self.areas = areas
        self._store = store
        self._board = board
        self._matching = matching
        self._citizens = citizens
        self._secrets = secrets
        self._random = random

    # -- at a checkpoint ---------------------------------------------------------------------------------------------

    async def held(self, standing: Standing | None, shown: str | None) -> Held:
        """What the citizen who stands as ``standing`` (None: nobody known) holds, and what is wrong with the text
        ``shown``, if one was. One question to the store, two if something was shown."""
        plate = _plate_of(standing)
        holders = [standing.qid, *standing.also, *([plate] if plate else [])] if standing else []
        theirs = await self._store.permits_of(holders)
        problem = await self._problem(shown, theirs if standing else None, bool(plate)) if shown else None
        return Held(tuple(theirs), bool(plate), problem)

    async def _problem(self, text: str, theirs: list[Permit] | None, vehicle_known: bool) -> Problem | None:
        try:
            shown = parse(text)
        except Invalid:
            return "permit.forged"
        if shown is None:
            return None  # it is something else, and not for this room to judge
        return judged(self._keyed(shown), theirs, await self._store.permit(shown.id), vehicle_known=vehicle_known)[1]

    def _keyed(self, shown: Shown) -> Shown:
        """The same with its holder as permits have it."""
        if shown.holder.isdigit() and len(shown.holder) == 18:
            return shown
        return replace(shown, holder=plate_key(self._secrets, shown.holder).hex())

    # -- issue -------------------------------------------------------------------------------------------------------

    async def resolve(self, asked: Asked, now: dt.datetime) -> Resolved:
        """Find out whose a permit will be. Writes nothing.

        Raises :class:`Invalid` ``permit.nobody``, ``permit.name_differs``, ``permit.several``, ``permit.qid_unknown``,
        ``permit.qid_unsure``; :class:`Unavailable` while the register is away.
        """
        if asked.plate:
            return Resolved(asked, PermitHolder(plate=asked.plate))
        if asked.named is None:
            assert asked.qid  # a row names its holder in one way or another
            return await self._resolve_number(asked, asked.qid)
        named = asked.named
        measures = (await self._board.current(now)).measures.values()
        accepts = next((one.accepts for one in measures if one.active_at(now)), ())
        found = await self._matching.ask(named, accepts)
        if found.match.grade is not Grade.MATCHED:
            raise _unmatched(found.match.grade)
        named = replace(named, name=found.name or named.name)
        resolved = Resolved(
            replace(asked, named=named),
            PermitHolder(named.name, named.birth_date, named.document.last_four),
            found.keys,
        )
        if asked.qid:
            place = await self._citizens.place(named, Found(_MATCHED, found.keys))
            theirs = await self._citizens.standing(asked.qid)
            if place.qid != (theirs.qid if theirs else asked.qid):
                raise _unmatched(Grade.MISMATCHED)
        return resolved

    async def _resolve_number(self, asked: Asked, qid: Qid) -> Resolved:
        standing = await self._citizens.standing(qid)
        if standing and not standing.grade.is_sure:
            raise Invalid(
                "permit.qid_unsure",
                Words(
                    "Người có mã số này chưa đối soát xong. Ghi số giấy tờ, họ tên và ngày sinh.",
                    "Who has this number is not confirmed yet. Give document number, name and birth date.",
                ),
            )
        if standing:
            face = await face_of(self._store, standing.code)
            told = PermitHolder(face.name, face.birth_date, face.last_four) if face else PermitHolder()
            return Resolved(replace(asked, qid=standing.qid), told)
        earlier = await self._store.permits_of([qid])
        if not earlier:
            raise Invalid("permit.qid_unknown", Words("Không có mã số này.", "There is no such number."))
        return Resolved(asked, (await self.one(earlier[-1].id))[1])

    async def known(self, resolved: Resolved, now: dt.datetime) -> Granted | None:
        """The permit that was issued already for just this, if one was. Raises as :meth:`grant` does."""
        holder, _, _ = await self._holder(resolved, "", now)
        held = await self._store.holder(self._same(resolved.asked, holder))
        return await self._granted_before(FactId(held)) if held else None

    async def grant(self, resolved: Resolved, *, by: str, now: dt.datetime) -> Granted:
        """Issue a permit; one for just the same had been issued before: nothing is written. One act.

        Raises :class:`Conflict` ``permit.was_revoked`` when that one was taken back; :class:`Unavailable`.
        """
        asked = resolved.asked
        for _ in range(_RACES):
            holder, claims, joined = await self._holder(resolved, by, now)
            permit = Permit(
                id=new_fact_id("prm", now, self._random(10)),
                group=asked.group,
                areas=asked.areas,
                valid_from=asked.valid_from,
                valid_until=asked.valid_until,
                holder=holder,
                signed_by=asked.signed_by,
                number=asked.number,
            )
            same = self._same(asked, holder)
            issued = Fact(
                id=permit.id,
                at=now,
                actor=by,
                qid=None if permit.of_vehicle else Qid(holder),
                personal=msgspec.json.encode(resolved.face),
                what=PermitIssued(permit),
            )
            outcome = await self._store.append(Act((issued, *joined), once=(*claims, (same, permit.id))))
            if not isinstance(outcome, Already):
                return Granted(permit.id)
            if held := outcome.once.get(same):
                return await self._granted_before(FactId(held))
            # Else the citizen was declared, or given another permit, between our look and our write.
        raise Unavailable(
            "permit.contended",
            Words("Người này đang được khai ở nơi khác. Thử lại.", "They are being declared elsewhere. Try again."),
        )

    async def _granted_before(self, id: FactId) -> Granted:
        permit = await self._store.permit(id)
        if permit and permit.revoked_at:
            raise Conflict(
                "permit.was_revoked",
                Words(
                    "Giấy y như vậy đã cấp và đã bị thu hồi. Muốn cấp lại thì ghi số giấy mới hoặc thời hạn khác.",
                    "Just this permit was issued and revoked. To issue it again give a new number or other dates.",
                ),
            )
        return Granted(id, already=True)

    async def _holder(
        self, resolved: Resolved, by: str, now: dt.datetime
    ) -> tuple[str, tuple[tuple[bytes, str], ...], tuple[Fact, ...]]:
        """(whom the permit belongs to, what is claimed for them, what else has to be written)."""
        asked = resolved.asked
        if asked.plate:
            return plate_key(self._secrets, asked.plate).hex(), (), ()
        if asked.named is None:
            return str(asked.qid), (), ()
        place = await self._citizens.place(asked.named, Found(_MATCHED, resolved.keys))
        # Other numbers of theirs are made one when they declare: it takes a look at how each stands.
        joined = await self._citizens.join(replace(place, others=()), by=by, now=now)
        return str(place.qid), place.claims + (place.locks if place.standing else ()), joined

    def _same(self, asked: Asked, holder: str) -> bytes:
        """Claimed by a permit, so that there is one of it however often its row is read."""
        scope = ",".join(asked.areas)
        window = f"{asked.valid_from.isoformat()}\n{asked.valid_until.isoformat()}"
        return self._secrets.index("permit", f"{holder}\n{asked.group}\n{scope}\n{window}\n{asked.number}")

    # -- look at, take back ------------------------------------------------------------------------------------------

    async def recent(self, limit: int, before: str = "") -> list[Permit]:
        """The newest first, from the one issued before the permit ``before``."""
        return await self._store.permits(limit, before)

    async def find(self, text: str) -> list[Permit]:
        """Permits by what stands on one (its id, the text of its QR), by a citizen's number, the number of a document
        or a plate; the newest first. Raises :class:`Invalid` ``permit.search`` for what is none of these."""
        text = text.strip()
        try:
            shown = parse(text)
        except Invalid:
            shown = None
        if shown or text.startswith("prm_"):
            permit = await self._store.permit(shown.id if shown else text)
            return [permit] if permit else []
        holders = await self._holders(text)
        if not holders:
            raise Invalid(
                "permit.search",
                Words(
                    "Gõ mã số, số giấy tờ, biển số, hoặc nội dung mã QR trên giấy.",
                    "Type a code number, a document number, a plate, or the text of the permit's QR.",
                ),
            )
        found = await self._store.permits_of(holders)
        return sorted(found, key=lambda permit: permit.id, reverse=True)

    async def _holders(self, text: str) -> list[str]:
        if sum(map(str.isdigit, text)) == 18:
            return await self._numbers(parse_qid(text))
        holders: list[str] = []
        for kind in ("cccd", "cmnd", "passport"):
            with contextlib.suppress(Invalid):
                if qid := await self._citizens.find(parse_document(kind, text)):
                    holders += await self._numbers(qid)
                holders = holders or [""]  # it may be one: nobody's
        with contextlib.suppress(Invalid):
            holders.append(plate_key(self._secrets, parse_plate(text)).hex())
        return holders

    async def _numbers(self, qid: Qid) -> list[str]:
        standing = await self._citizens.standing(qid)
        return list(dict.fromkeys([qid, *((standing.qid, *standing.also) if standing else ())]))

    async def one(self, id: str) -> tuple[Permit, PermitHolder, str]:
        """(a permit, whose it is, the text for its paper). Raises :class:`Hidden` ``permit.unknown``."""
        permit = await self._store.permit(id)
        fact = await self._store.fact(FactId(id)) if permit else None
        if permit is None or fact is None or fact.personal is None:
            raise Hidden("permit.unknown", Words("Không có giấy đi đường này.", "There is no such permit."))
        face = msgspec.json.decode(fact.personal, type=PermitHolder)
        return permit, face, text_of(permit, face.plate)

    async def revoke(self, id: str, reason: str, *, by: str, now: dt.datetime) -> None:
        """Take a permit back for good. Raises :class:`Invalid` ``permit.reason``, :class:`Hidden` ``permit.unknown``,
        :class:`Conflict` ``permit.revoked_already``."""
        why = parse_line(reason, _REASON_MAX)
        if not why:
            raise Invalid("permit.reason", Words("Ghi lý do thu hồi.", "Say why it is revoked."))
        permit, _, _ = await self.one(id)
        revoked = Fact(
            id=same_moment_id("prr", permit.id),
            at=now,
            actor=by,
            qid=None if permit.of_vehicle else Qid(permit.holder),
            what=PermitRevoked(permit.id, why),
        )
        if isinstance(await self._store.append(Act((revoked,))), Already):
            raise Conflict(
                "permit.revoked_already", Words("Giấy này đã bị thu hồi.", "This permit was revoked already.")
            )


def _plate_of(standing: Standing | None) -> str:
    """The keyed hash of the plate that the declaration names; "" while none is known."""
    return standing.trip.plate if standing and standing.trip else ""


def _unmatched(grade: Grade) -> Invalid:
    if grade is Grade.REPAIRABLE:
        return Invalid(
            "permit.name_differs",
            Words(
                "Họ tên gần đúng nhưng chưa khớp dữ liệu dân cư. Xem lại từng chữ, cả dấu.",
                "The name is near, and not the register's. Look at every letter and tone mark.",
            ),
        )
    if grade is Grade.DUPLICATE:
        return Invalid(
            "permit.several",
            Words(
                "Số giấy tờ này có nhiều người dùng. Ghi số CCCD.", "Several people have this number. Give the CCCD."
            ),
        )
    return Invalid(
        "permit.nobody",
        Words(
            "Số giấy tờ, họ tên và ngày sinh không phải của cùng một người trong dữ liệu dân cư.",
            "Number, name and birth date are not one person's in the population register.",
        ),
    )
