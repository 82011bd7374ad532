"""Repair: an officer with the document in hand puts a declaration right, and the verdict is judged again.

Only of the person whom the same officer has just checked on the same device, and only while it is not known who they
are; of number, name and birth date two must stay as they were declared, or the document is somebody else's. The
register is asked about the document. If it does not say the same, or is away, the officer vouches: then a code is good
for as long as while waiting, and an operator looks at it again. What was said of health is never touched.
"""

import asyncio
import datetime as dt
from weakref import WeakValueDictionary

import msgspec
from msgspec.structs import replace

from motma.core.errors import Conflict, Hidden, Unavailable
from motma.core.evidence import is_of
from motma.core.facts import Accepted, Fact, Repaired, Scanned, Standing
from motma.core.fold import apply
from motma.core.form import Declaration
from motma.core.identity import Grade, Match
from motma.core.ids import (
    FactId,
    parse_fact_id,
    same_moment_id,
)
from motma.core.measure import Measure
from motma.core.words import Words
from motma.services.afterwards import declared_as_corrected
from motma.services.board import BoardReader
from motma.services.check import Ask, Check, Checked
from motma.services.citizens import Citizens, Place
from motma.services.codes import CodeOffice, Due
from motma.services.corrections import Difference, RepairAsk, correct, differing, is_the_same_person
from motma.services.enrol import Device, TooManyGuesses
from motma.services.matching import Found, Matching
from motma.storage.keys import Secrets
from motma.storage.store import Act, Already, Store

REPAIRS, REPAIRS_PER = 30, dt.timedelta(minutes=5)
"""How many one device may try; at a busy checkpoint one declaration in eighty needs one."""
SCAN_MAX_AGE = dt.timedelta(minutes=30)
_SAMPLED_OF_256 = 26
_RACES = 5


class RepairDone(msgspec.Struct, frozen=True):
    """A repair, recorded, and the verdict judged again. ``grade``: *matched* if the register says so too, else
    *vouched*. ``already``: it had been recorded before."""

    id: FactId
    grade: Grade
    differing: tuple[Difference, ...]
    verdict: Checked
    already: bool = False


class TooManyRepairs(TooManyGuesses):
    """This device tried too often."""

    def __init__(self, wait: dt.timedelta) -> None:
        super().__init__(wait)
        self.code = "repair.too_often"
        self.words = Words(
            "Máy này sửa quá nhiều lần. Đợi vài phút; trong lúc chờ, xem giấy tờ bằng mắt.",
            "Too many repairs on this device. Wait a few minutes; meanwhile look at the documents.",
        )


class _Case(msgspec.Struct, frozen=True):
    """Whom a repair is about, what they declared, and what it should have been."""

    standing: Standing
    target: Standing
    measure: Measure
    declared: Declaration
    corrected: Declaration

    @property
    def beside_who_is_known(self) -> bool:
        """Whether the declaration waits beside a citizen who was identified, and may be somebody else's."""
        return self.target is not self.standing


class Repair:
    """The officer's third verb."""

    def __init__(
        self,
        *,
        store: Store,
        board: BoardReader,
        matching: Matching,
        citizens: Citizens,
        codes: CodeOffice,
        check: Check,
        secrets: Secrets,
    ) -> None:
        self._store = store
        self._board = board
        self._matching = matching
        self._citizens = citizens
        self._codes = codes
        self._check = check
        self._secrets = secrets
        self._tried: dict[str, list[dt.datetime]] = {}
        self._at: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def repair(self, ask: RepairAsk, *, device: Device, officer: str, now: dt.datetime) -> RepairDone:
        """Put right what the person in scan ``ask.scan`` declared, and judge them again. The same id is one repair.

        Raises :class:`Invalid` for what cannot be read, :class:`TooManyRepairs`, :class:`Hidden` ``scan.hidden`` for a
        scan that is not this officer's on this device, :class:`Conflict` ``repair.*`` where there is nothing to repair
        or it may not be.
        """
        id, scan_id = parse_fact_id("rep", ask.id), parse_fact_id("scn", ask.scan)
        async with self._at.setdefault(id, asyncio.Lock()):
            if known := await self._store.fact(id):
                return await self._as_first_answered(known, scan_id, device, officer, now)
            self._count(device.id, now)
            standing, target = await self._whom(scan_id, device, officer, now)
            case = await self._case(ask, standing, target, now)
            found = await self._ask_register(case)
            case = replace(case, corrected=found.read(case.corrected))
            for _ in range(_RACES):
                act = await self._found_out(id, ask, case, found, device, officer, now)
                outcome = await self._store.append(act)
                if not isinstance(outcome, Already):
                    return await self._judged(act.facts[0], case, device, officer, now)
                if known := await self._store.fact(id):  # another server was told the same
                    return await self._as_first_answered(known, scan_id, device, officer, now)
        raise Unavailable(
            "repair.contended",
            Words("Người này đang được khai ở nơi khác. Thử lại.", "They are being declared elsewhere. Try again."),
        )

    def _count(self, device: str, now: dt.datetime) -> None:
        recent = [at for at in self._tried.get(device, ()) if dt.timedelta(0) <= now - at < REPAIRS_PER]
        self._tried[device] = recent
        if len(recent) >= REPAIRS:
            raise TooManyRepairs(recent[0] + REPAIRS_PER - now)
        recent.append(now)  # before anything is waited for: many at once are many

    # -- who, and what ---------------------------------------------------------------------------------------------

    async def _whom(self, scan_id: FactId, device: Device, officer: str, now: dt.datetime) -> tuple[Standing, Standing]:
        """(where the person of a scan stands, the declaration of theirs that the scan was about)."""
        scan = await self._store.fact(scan_id)
        what = scan.what if scan else None
        if scan is None or not isinstance(what, Scanned) or (what.device, what.officer) != (device.id, officer):
            raise Hidden(
                "scan.hidden", Words("Không có lượt quét này trên máy này.", "There is no such scan on this device.")
            )
        if not dt.timedelta(0) <= now - scan.at <= SCAN_MAX_AGE:
            raise Conflict("repair.scan_old", Words("Lượt quét đã quá 30 phút. Quét lại.", "Scan the person again."))
        standing = await self._citizens.standing(scan.qid) if scan.qid else None
        if standing is None or not any(reason.startswith("identity.") for reason in what.reasons):
            raise _nothing_to_repair()
        waiting = standing.waiting
        target = waiting if waiting and what.code_id and is_of(bytes.fromhex(what.code_id), waiting) else standing
        if standing.revoked or standing.suspended:
            raise _withdrawn()
        if target.grade.is_sure:
            raise _nothing_to_repair()
        return standing, target

    async def _case(self, ask: RepairAsk, standing: Standing, target: Standing, now: dt.datetime) -> _Case:
        measure = (await self._board.current(now)).measures.get(target.measure)
        declared = await self._declared(target)
        if measure is None or not measure.active_at(now) or now >= _good_until(target, measure, Grade.MATCHED, now):
            raise Conflict(
                "repair.over",
                Words("Tờ khai đã hết hạn. Mời người ấy khai lại.", "The declaration has expired. Ask for a new one."),
            )
        corrected = correct(ask, declared, await self._board.keyring(now), now)
        if not is_the_same_person(declared, corrected):
            raise _somebody_else()
        return _Case(standing, target, measure, declared, corrected)

    async def _declared(self, target: Standing) -> Declaration:
        fact = await self._store.fact(target.declaration)
        declared = await declared_as_corrected(self._store, fact) if fact else None
        if fact is None or declared is None or not isinstance(fact.what, Accepted):
            raise Unavailable("storage.unavailable", Words("Chưa đọc được tờ khai.", "It cannot be read now."))
        return declared

    async def _ask_register(self, case: _Case) -> Found:
        """What the register says of the document, or said before it was away."""
        found = await self._matching.who(case.corrected, case.measure.accepts)
        found = await self._citizens.remember(case.corrected, found)
        # Number and birth date belong together: whose they are is known, whatever the register calls them.
        return found if found.match.travels else Found(found.match)

    # -- all that follows ------------------------------------------------------------------------------------------

    async def _found_out(
        self,
        id: FactId,
        ask: RepairAsk,
        case: _Case,
        found: Found,
        device: Device,
        officer: str,
        now: dt.datetime,
    ) -> Act:
        target, own = case.target, case.standing.qid
        grade = Grade.MATCHED if found.match.grade is Grade.MATCHED else Grade.VOUCHED
        valid_until = _good_until(target, case.measure, grade, now)
        repaired = Fact(
            id=id,
            at=now,
            actor=officer,
            qid=own,
            checkpoint=device.checkpoint,
            personal=msgspec.json.encode(case.corrected),
            what=Repaired(
                declaration=target.declaration,
                grade=grade,
                reason=ask.reason,
                differing=tuple([one.field for one in differing(case.declared, case.corrected)]),
                officer=officer,
                device=device.id,
                scan=FactId(ask.scan),
                sampled=grade is Grade.VOUCHED or self._is_sampled(id),
                valid_until=valid_until,
            ),
        )
        vouched = replace(found, match=Match(grade))
        place = await self._citizens.place(case.corrected, vouched, own)
        elsewhere = case.beside_who_is_known and bool(found.keys) and place.qid != own
        if elsewhere or await self._citizens.is_another(own, found):  # twins, say, who differ by a slip
            raise _somebody_else()
        if place.standing is None or (case.beside_who_is_known and grade is Grade.VOUCHED):
            # Nobody is known by this document yet: it is theirs. What is only vouched for proves nobody's document.
            theirs = place.standing is None
            place = (
                Place(own, case.standing, place.claims, (), place.bare, place.reports)
                if theirs
                else Place(own, case.standing, ())
            )
        if place.standing and (place.standing.revoked or place.standing.suspended):
            raise _withdrawn()
        due = Due(
            declaration=target.declaration,
            born_with=id,
            qid=place.qid,
            measure=case.measure,
            matched=True,
            valid_from=target.valid_from,
            valid_until=valid_until,
            reissue=True,
            actor=officer,
        )
        _, issued = await self._codes.issue(case.corrected, due, now)
        merged: tuple[Fact, ...] = ()
        still = place.still
        if place.qid != own:
            before = await self._store.standing(own)
            after = apply(before, repaired)
            assert (
                before is not None and after is not None and place.standing
            )  # the one that was checked, and whose it is
            still = (before, place.standing, *place.others)
            merged = await self._citizens.merge(after, place.qid, by=officer, now=now)
        others = replace(place, others=tuple([other for other in place.others if other.qid != own]))
        joined = await self._citizens.join(others, by=officer, now=now)
        facts = await self._codes.complete((repaired, *merged, issued, *joined), now)
        return Act(facts=facts, once=place.claims + place.locks, still=still)

    def _is_sampled(self, id: FactId) -> bool:
        """One in ten, by a key that whoever makes ids does not know."""
        return self._secrets.index("repair-sample", id)[0] < _SAMPLED_OF_256

    async def _judged(
        self, repaired: Fact, case: _Case, device: Device, officer: str, now: dt.datetime, *, already: bool = False
    ) -> RepairDone:
        assert isinstance(repaired.what, Repaired) and repaired.qid
        again = Ask(id=same_moment_id("scn", repaired.id), scanned_at=now, qid=repaired.qid)
        verdict = await self._check.check(again, device=device, officer=officer, now=now)
        differs = differing(case.declared, case.corrected)
        return RepairDone(repaired.id, repaired.what.grade, differs, verdict, already)

    async def _as_first_answered(
        self, known: Fact, scan: FactId, device: Device, officer: str, now: dt.datetime
    ) -> RepairDone:
        what = known.what
        if not isinstance(what, Repaired) or (what.device, what.officer, what.scan) != (device.id, officer, scan):
            raise Conflict("repair.id_taken", Words("Mã lần sửa này đã được dùng.", "This repair id is in use."))
        standing = await self._store.standing(known.qid) if known.qid else None
        measure = (await self._board.current(now)).measures.get(standing.measure) if standing else None
        before = await self._before(known, what)
        if standing is None or measure is None or before is None or known.personal is None:
            raise Unavailable("storage.unavailable", Words("Chưa đọc được lần sửa.", "It cannot be read now."))
        corrected = msgspec.json.decode(known.personal, type=Declaration)
        case = _Case(standing, standing, measure, before, corrected)
        return await self._judged(known, case, device, officer, now, already=True)

    async def _before(self, known: Fact, what: Repaired) -> Declaration | None:
        """What the declaration said until the repair ``known``."""
        assert known.qid
        last = what.declaration
        for fact in await self._store.facts_about(known.qid, kinds=("identity.repaired",)):
            if fact.id == known.id:
                break
            if isinstance(fact.what, Repaired) and fact.what.declaration == what.declaration:
                last = fact.id
        said = await self._store.fact(last)
        return msgspec.json.decode(said.personal, type=Declaration) if said and said.personal else None


def _good_until(target: Standing, measure: Measure, grade: Grade, now: dt.datetime) -> dt.datetime:
    until = min(target.valid_from + dt.timedelta(hours=measure.pass_hours), measure.ends_at)
    return until if grade is Grade.MATCHED else min(until, now + dt.timedelta(hours=measure.pending_hours))


def _nothing_to_repair() -> Conflict:
    return Conflict(
        "repair.not_needed",
        Words(
            "Không có gì để sửa: người này đã đối soát rồi, hoặc lượt quét không nói về ai. Quét lại.",
            "Nothing to repair: this person is matched by now, or the scan is about nobody. Scan again.",
        ),
    )


def _somebody_else() -> Conflict:
    return Conflict(
        "repair.somebody_else",
        Words(
            "Giấy tờ này là của người khác so với tờ khai. Mời người ấy khai lại.",
            "This document is another person's than the one declared. Ask for a new declaration.",
        ),
    )


def _withdrawn() -> Conflict:
    return Conflict(
        "repair.withdrawn",
        Words(
            "Mã của người này đã bị thu hồi hoặc tạm ngưng, nên không sửa ở đây. Mời sang bàn hỗ trợ.",
            "This person's code was revoked or suspended and is not repaired here. Ask them to the help desk.",
        ),
    )
