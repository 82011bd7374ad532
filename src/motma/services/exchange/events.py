"""Events: health staff say that somebody is a case, a contact of one, or free again; their standing follows at once.

Whom it is about is found as a permit's holder is: by any of their numbers, or by their document, name and birth date,
which the population register has to confirm. Somebody who never declared gets their number then, and what was reported
counts from their first declaration on.
"""

import datetime as dt
import hashlib
from collections.abc import Callable, Mapping

import msgspec

from motma.core.errors import Conflict, Invalid, Problem, Unavailable
from motma.core.facts import Fact, HealthReported, LookMade, Standing
from motma.core.health import Asked, parse_event
from motma.core.identity import Grade, Match
from motma.core.ids import FactId, Qid, new_fact_id
from motma.core.state import State, state_of
from motma.core.words import Words
from motma.services.board import BoardReader
from motma.services.citizens import Citizens
from motma.services.codes import CodeOffice
from motma.services.matching import Found, Matching
from motma.services.tries import Tries
from motma.storage.keys import Secrets
from motma.storage.store import Act, Already, Store

_RACES = 5
_TOLD, _BASIS = ("qid", "state"), "health:write"
_LOOK = dt.timedelta(minutes=1)
"""For so long one platform's asking anew about one citizen is one look."""
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


class Reported(msgspec.Struct, frozen=True):
    """A report that is on disk: about whom (the number that they go by) and where they stand by it now. ``repeated``:
    it had been sent before, and nothing was written."""

    id: FactId
    qid: Qid
    state: State
    repeated: bool = False


class Events:
    """The verb of health staff. Needs the register for who is named by a document."""

    def __init__(
        self,
        *,
        store: Store,
        board: BoardReader,
        matching: Matching,
        citizens: Citizens,
        tries: Tries,
        codes: CodeOffice,
        secrets: Secrets,
        random: Callable[[int], bytes],
    ) -> None:
        self._store = store
        self._board = board
        self._matching = matching
        self._citizens = citizens
        self._tries = tries
        self._codes = codes
        self._secrets = secrets
        self._random = random

    async def report(
        self, raw: Mapping[str, object], *, source: str, now: dt.datetime, key: str | None = None
    ) -> Reported:
        """Record one report from ``source``; ``raw`` as :class:`motma.core.health.EventSent`.

        ``key`` makes it safe to send again. Raises :class:`Invalid` ``event.*``, :class:`Conflict`
        ``idempotency.reused``, :class:`TooManyMistakes`; :class:`Unavailable` while the register does not answer.
        """
        digest = hashlib.sha256(msgspec.json.encode(raw, order="deterministic")).hexdigest()[:32]
        once = self._secrets.index("idempotency-event", f"{source}\n{key}") if key is not None else None
        if once and (first := await self._store.holder(once)):
            return await self._first(first, digest, source, now)
        asked = parse_event(raw, now)
        found = await self._found(asked, source, now)
        id = new_fact_id("hlr", now, self._random(10))
        for _ in range(_RACES):
            act, qid = await self._act(asked, found, id, source, now)
            if once:
                act = msgspec.structs.replace(act, once=(*act.once, (once, f"{id} {digest}")))
            outcome = await self._store.append(act)
            if not isinstance(outcome, Already):
                return await self._told(id, qid, now)
            if once and (held := outcome.once.get(once)):
                return await self._first(held, digest, source, now)
            # Else the citizen was declared, merged or reported between our look and our write.
        raise Unavailable(
            "event.contended",
            Words(
                "Người này đang được ghi ở nơi khác. Gửi lại.", "They are being written about elsewhere. Send again."
            ),
        )

    async def _act(
        self, asked: Asked, found: Found | None, id: FactId, source: str, now: dt.datetime
    ) -> tuple[Act, Qid]:
        """(what is written, about whom)."""
        claims: tuple[tuple[bytes, str], ...] = ()
        joined: tuple[Fact, ...] = ()
        still: tuple[Standing, ...] = ()
        if asked.named and found:
            place = await self._citizens.place(asked.named, found)
            qid, standing, claims = place.qid, place.standing, place.claims
            if standing:
                joined = await self._citizens.join(place, by=source, now=now)
                claims, still = claims + place.locks, (standing, *place.others)
        else:
            assert asked.qid  # a report is about somebody, in one way or the other
            standing = await self._citizens.standing(asked.qid)
            qid = standing.qid if standing else await self._number(asked.qid)
            still = (standing,) if standing else ()
        await self._check_case(asked, qid, standing)
        reported = Fact(
            id=id,
            at=now,
            actor=source,
            qid=qid,
            what=HealthReported(asked.event, source, asked.since, asked.until, asked.reference, asked.case),
        )
        if standing:
            facts = await self._codes.complete((*joined, reported), now)
            return Act(facts, once=claims, still=still), qid
        lock = (await self._citizens.reports(qid)).lock
        return Act((reported,), once=(*claims, (lock, str(id)))), qid

    async def _found(self, asked: Asked, source: str, now: dt.datetime) -> Found | None:
        """Who is named. What does not fit is counted, or whoever may report could find out who was born when."""
        if asked.named is None:
            return None
        self._tries.hear(f"events {source}", now)
        measures = (await self._board.current(now)).measures.values()
        accepts = next((one.accepts for one in measures if one.active_at(now)), ())
        slots = self._tries.report_slots(asked.named.document, source, now)
        async with self._tries.at(asked.named.document):
            free = self._tries.free_report(slots, await self._store.holders(slots))
            found = await self._matching.ask(asked.named, accepts)
            self._tries.count(f"events {source}", found.match)
            if found.match.grade is not Grade.MATCHED:
                while isinstance(await self._store.append(Act((), once=((free, "tried"),))), Already):
                    free = self._tries.free_report(slots, await self._store.holders(slots))
                raise _unmatched(found.match.grade)
        return Found(Match(Grade.MATCHED), found.keys)

    async def _number(self, qid: Qid) -> Qid:
        """The number under which somebody is kept who never declared: of a permit, or of an earlier report."""
        if await self._is_known(qid):
            return qid
        words = Words("Không có mã số này.", "There is no such number.")
        raise Invalid("event.qid_unknown", words, {"qid": Problem("event.qid_unknown", words)})

    async def _is_known(self, qid: Qid) -> bool:
        return bool(await self._store.facts_about(qid, kinds=("health.reported", "permit.issued"), limit=1))

    async def _check_case(self, asked: Asked, qid: Qid, standing: Standing | None) -> None:
        """The case that a contact met is somebody we know, and somebody else."""
        if asked.case is None:
            return
        case = await self._citizens.standing(asked.case)
        numbers = {qid, *((standing.qid, *standing.also) if standing else ())}
        if asked.case in numbers or (case and case.qid in numbers):
            words = Words("Không ai tiếp xúc với chính mình.", "Nobody is a contact of themselves.")
            raise Invalid("event.case_of_oneself", words, {"case": Problem("event.case_of_oneself", words)})
        if case is None and not await self._is_known(asked.case):
            words = Words("Không có mã số này của ca bệnh.", "There is no case of this number.")
            raise Invalid("event.case_unknown", words, {"case": Problem("event.case_unknown", words)})

    async def _first(self, value: str, digest: str, source: str, now: dt.datetime) -> Reported:
        """The answer to what this key was first used for, as it is now: asked so, it is a look at the citizen."""
        id, _, first_digest = value.partition(" ")
        if first_digest != digest:
            raise Conflict(
                "idempotency.reused",
                Words(
                    "Khóa gửi lại này đã dùng cho một báo cáo khác. Dùng khóa mới.",
                    "This idempotency key was used for another report. Use a new key.",
                ),
            )
        fact = await self._store.fact(FactId(id), only=())
        if fact is None or fact.qid is None:
            raise Unavailable("storage.unavailable", Words("Chưa đọc được báo cáo.", "The report cannot be read now."))
        told = await self._told(fact.id, fact.qid, now)
        await self._store.append(Act((self._look(told.qid, source, now),)))  # the same look again is the same fact
        return msgspec.structs.replace(told, repeated=True)

    def _look(self, qid: Qid, source: str, now: dt.datetime) -> Fact:
        minute = now - (now - _EPOCH) % _LOOK
        mark = self._secrets.index("look-report", f"{source}\n{qid}\n{minute.isoformat()}")
        id = new_fact_id("lok", minute, mark[:10])
        return Fact(id=id, at=now, actor=source, qid=qid, what=LookMade("report", _BASIS, _TOLD))

    async def _told(self, id: FactId, qid: Qid, now: dt.datetime) -> Reported:
        standing = await self._citizens.standing(qid)
        return Reported(id, standing.qid if standing else qid, state_of(standing, now))


def _unmatched(grade: Grade) -> Invalid:
    if grade is Grade.REPAIRABLE:
        words = Words(
            "Họ tên gần đúng nhưng chưa khớp dữ liệu dân cư. Xem lại từng chữ, cả dấu.",
            "The name is near, and not the register's. Look at every letter and tone mark.",
        )
        return Invalid("event.name_differs", words, {"person.name": Problem("event.name_differs", words)})
    if grade is Grade.DUPLICATE:
        words = Words(
            "Số giấy tờ này có nhiều người dùng. Ghi số CCCD.", "Several people have this number. Give the CCCD."
        )
        return Invalid("event.several", words, {"person.document.number": Problem("event.several", words)})
    words = Words(
        "Số giấy tờ, họ tên và ngày sinh không phải của cùng một người trong dữ liệu dân cư.",
        "Number, name and birth date are not one person's in the population register.",
    )
    return Invalid("event.nobody", words, {"person": Problem("event.nobody", words)})
