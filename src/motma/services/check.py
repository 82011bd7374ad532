"""Check: a code or a number, at a checkpoint, at a time -> a verdict that is on disk before it is said."""

import datetime as dt
from collections.abc import Callable, Mapping
from typing import Annotated

import msgspec

from motma.core.code import Liveness, VerifiedCode, liveness
from motma.core.decision import Evidence, Rulebook, Verdict, decide
from motma.core.described import says
from motma.core.errors import Conflict, Invalid
from motma.core.evidence import AsOf, is_of, what_the_code_rests_on
from motma.core.facts import Fact, Scanned, Standing
from motma.core.flow import Advice, Network, advise
from motma.core.fold import Board
from motma.core.ids import FactId, Qid, parse_fact_id
from motma.core.measure import active_measure
from motma.core.reasons import Outcome, Reason
from motma.core.text import name_key
from motma.core.words import Words
from motma.services.board import BoardReader
from motma.services.citizens import Citizens
from motma.services.enrol import Device
from motma.services.faces import face_of
from motma.services.shown import Shown, scanned, typed
from motma.storage.store import Act, Already, Store

_SCANNED_AT_MAX_AGE = dt.timedelta(minutes=10)


class Ask(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a scanner sends: one of ``code`` (the text of a QR) and ``qid``; when, by its own clock."""

    id: Annotated[
        str,
        says(
            "Made by the scanner: `scn_` and 26 characters, time-ordered. Sent again, it is the same scan.",
            "scn_01kf7yejc00000000000000002",
            pattern="^scn_[0-7][0-9a-hjkmnp-tv-z]{25}$",
        ),
    ]
    scanned_at: Annotated[dt.datetime, says("By the device's clock, with its zone.", "2026-01-18T14:20:00+07:00")]
    code: Annotated[str | None, says("The text of a QR, whatever it is.", "NCFLA0+00FFWTWGSLKC…")] = None
    qid: Annotated[str | None, says("A typed number; separators do no harm.", "521322 923144 321717")] = None
    device_time: Annotated[
        dt.datetime | None,
        says("The device's clock when it sends, at most ten minutes later.", "2026-01-18T14:20:01+07:00"),
    ] = None


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


class Checked(msgspec.Struct, frozen=True):
    """The answer to a check. ``already``: this scan had been recorded before; it was not recorded again.

    ``live``: whether the code was proved by its holder's own key just now, some time ago, or not at all.
    """

    id: FactId
    outcome: Outcome
    known: bool
    reasons: tuple[Why, ...]
    citizen: Person | None
    refer: Onward | None
    valid_until: dt.datetime | None
    judged_at: dt.datetime
    live: Liveness | None = None
    already: bool = False


class Check:
    """The officer's verb."""

    def __init__(
        self,
        *,
        store: Store,
        board: BoardReader,
        citizens: Citizens,
        network: Network,
        rulebook: Callable[[tuple[str, ...]], Rulebook],
        reasons: Mapping[str, Reason],
    ) -> None:
        """``rulebook`` gives the policies of these names, of none the default; ``reasons`` all that were ever given."""
        self._rulebook = rulebook
        self._reasons = reasons
        self._store = store
        self._board = board
        self._citizens = citizens
        self._network = network

    async def check(self, ask: Ask, *, device: Device, officer: str, now: dt.datetime) -> Checked:
        """Judge and record one scan. The same scan id again answers as it did the first time.

        An online check is judged at the server's ``now``, so that a device's clock cannot bring an expired code back
        to life; the device's own time and its skew are kept with the scan. Raises :class:`Invalid` for an ask that
        makes no sense, :class:`Conflict` ``scan.id_taken`` for a scan id of another device or of something else shown.
        """
        scan_id = parse_fact_id("scn", ask.id)
        skew_seconds, scanned_at = _device_time(ask, now)
        shown = await self._shown(ask, now)
        code = shown.code
        standing = await self._citizens.standing(shown.qid) if shown.qid else None
        board = await self._board.current(now)
        measure = active_measure(board.measures.values(), now)
        live = liveness(code, now - (_sent(ask) - scanned_at)) if code else None
        person, somebody_else = await self._person(code, standing, now)
        evidence = Evidence(
            code=code,
            problem=shown.problem,
            plain=shown.plain,
            somebody_else=somebody_else,
            standing=standing,
            liveness=live or "static",
            by_hand=frozenset(measure.by_hand) if measure else frozenset(),
            measure_active=measure is not None,
            refer=self._refer(device.checkpoint, standing, board),
            as_of=AsOf(standing=now, keys=now, rules=now),
        )
        verdict = decide(
            evidence,
            self._rulebook(measure.policies if measure else ()),
            self._network.by_id.get(device.checkpoint),
            now,
        )
        qid = standing.qid if standing else (code.claims.qid if code else None)
        fact = Fact(
            id=scan_id,
            at=now,
            actor=officer,
            qid=qid,
            checkpoint=device.checkpoint,
            what=Scanned(
                device=device.id,
                officer=officer,
                carrier=shown.carrier,
                code_id=code.claims.code_id.hex() if code else "",
                outcome=verdict.outcome,
                reasons=tuple(reason.code for reason in verdict.reasons),
                known=verdict.known,
                refer_to=verdict.refer.checkpoint if verdict.refer else "",
                scanned_at=scanned_at,
                skew_seconds=skew_seconds,
                live=live or "",
            ),
        )
        recorded = await self._store.append(Act(facts=(fact,)))
        if isinstance(recorded, Already):
            return _said_of(shown, await self._as_first_answered(fact, person, standing))
        return _said_of(shown, _checked(scan_id, verdict, person, standing, now, live))

    async def _shown(self, ask: Ask, now: dt.datetime) -> Shown:
        if (ask.code is None) == (ask.qid is None):
            raise Invalid(
                "check.one_of", Words("Gửi mã QR hoặc mã số, một trong hai.", "Send either the code or the number.")
            )
        if ask.qid is not None:
            return typed(ask.qid)
        return await scanned(ask.code or "", await self._board.keyring(now), self._citizens.find, now)

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

    async def _as_first_answered(self, again: Fact, person: Person | None, standing: Standing | None) -> Checked:
        """The answer that was given to the scan of this id. One verdict must never be shown for another person."""
        first = await self._store.fact(again.id)
        if first is None or _what_was_shown(first) != _what_was_shown(again):
            raise Conflict("scan.id_taken", Words("Mã lượt quét này đã được dùng.", "This scan id is already in use."))
        what = first.what
        assert isinstance(what, Scanned)
        place = self._network.by_id.get(what.refer_to)
        metres = self._network.metres_from(first.checkpoint or "").get(what.refer_to, 0) if place else 0
        verdict = Verdict(
            Outcome(what.outcome),
            tuple(self._reasons.get(code) or _unknown(code) for code in what.reasons),
            what.known,
            Advice(place.id, place.name, metres) if place else None,
        )
        return _checked(first.id, verdict, person, standing, first.at, what.live or None, already=True)


def _why(reason: Reason) -> Why:
    return Why(reason.code, reason.words._asdict(), reason.cure._asdict())


def _unknown(code: str) -> Reason:
    """A reason that was given once, by a rule that is no more."""
    return Reason(code, Outcome.MANUAL, Words(code, code), Words("Quét lại.", "Scan again."))


def _what_was_shown(fact: Fact) -> tuple[str, ...] | None:
    """On which device, and what; None for what is not a scan."""
    what = fact.what
    return (what.device, what.carrier, what.code_id, fact.qid or "") if isinstance(what, Scanned) else None


def _checked(
    scan_id: FactId,
    verdict: Verdict,
    person: Person | None,
    standing: Standing | None,
    judged_at: dt.datetime,
    live: Liveness | None,
    *,
    already: bool = False,
) -> Checked:
    refer = verdict.refer
    return Checked(
        scan_id,
        verdict.outcome,
        verdict.known,
        tuple([_why(reason) for reason in verdict.reasons]),
        person,
        Onward(refer.checkpoint, refer.name._asdict(), refer.metres) if refer else None,
        standing.valid_until if standing else None,
        judged_at,
        live,
        already,
    )


def _said_of(shown: Shown, checked: Checked) -> Checked:
    """``checked``, which says of a code of another kind what kind, and what that is worth."""
    if shown.other is None:
        return checked
    kind, worth = shown.other
    words = Words(f"Đây là mã loại khác: {kind.vi}.", f"This is a code of another kind: {kind.en}.")
    other = Why("code.other_kind", words._asdict(), worth._asdict())
    reasons = tuple([other if why.code == "code.other_kind" else why for why in checked.reasons])
    return msgspec.structs.replace(checked, reasons=reasons)


def _sent(ask: Ask) -> dt.datetime:
    return ask.device_time or ask.scanned_at


def _device_time(ask: Ask, now: dt.datetime) -> tuple[float, dt.datetime]:
    """(how far the device's clock is ahead, when the scan was made by the device's clock)."""
    if ask.scanned_at.tzinfo is None or (ask.device_time and ask.device_time.tzinfo is None):
        raise Invalid("time.no_zone", Words("Giờ phải kèm múi giờ.", "Times must carry a time zone."))
    sent = _sent(ask)
    if not dt.timedelta(seconds=-5) <= sent - ask.scanned_at <= _SCANNED_AT_MAX_AGE:
        raise Invalid(
            "scan.too_old",
            Words(
                "Lượt quét quá cũ để kiểm tra trực tuyến. Quét lại.", "The scan is too old to check online. Scan again."
            ),
        )
    try:
        scanned_at = ask.scanned_at.astimezone(dt.UTC)
    except OverflowError:
        raise Invalid("time.out_of_range", Words("Giờ này không có trên lịch.", "There is no such time.")) from None
    return (sent - now).total_seconds(), scanned_at
