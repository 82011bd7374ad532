"""Check: a code or a number, at a checkpoint, at a time -> a verdict that is on disk before it is said."""

import datetime as dt
from collections.abc import Mapping
from typing import Annotated

import msgspec

from motma.core.code import Liveness, liveness
from motma.core.decision import Verdict
from motma.core.described import says
from motma.core.errors import Conflict, Invalid
from motma.core.facts import NOTHING_SEEN, Companion, Fact, Scanned, Standing
from motma.core.flow import Advice, Network
from motma.core.ids import FactId, Qid, parse_fact_id
from motma.core.legacy.reading import Anchors, DccAnchor
from motma.core.reasons import Outcome, Reason
from motma.core.seen import keep
from motma.core.words import Words
from motma.services.along import ALONG_MAX, NOTHING, Along, SaidOf, read_along, said_of
from motma.services.board import BoardReader
from motma.services.citizens import Citizens
from motma.services.enrol import Device
from motma.services.gather import Gather, Gathered, Onward, Person, Why, onward, why
from motma.services.shown import Shown, scanned, typed
from motma.storage.keys import Secrets
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
    also: Annotated[
        tuple[str, ...],
        says(
            "The texts of other codes that the same person shows: a health certificate, a permit.",
            ["HC1:6BFOXN%TS3DH…"],
            maxItems=ALONG_MAX,
        ),
    ] = ()


class Checked(msgspec.Struct, frozen=True):
    """The answer to a check. ``already``: this scan had been recorded before; it was not recorded again.

    ``live``: whether the code was proved by its holder's own key just now, some time ago, or not at all. ``along``:
    what was shown along, in the same order.
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
    along: tuple[SaidOf, ...] = ()


class Check:
    """The officer's verb."""

    def __init__(
        self,
        *,
        store: Store,
        board: BoardReader,
        citizens: Citizens,
        network: Network,
        gather: Gather,
        reasons: Mapping[str, Reason],
        secrets: Secrets,
        signers: tuple[DccAnchor, ...] = (),
    ) -> None:
        """``reasons``: all that were ever given, by code; ``signers``: whom we believe about health certificates."""
        self._secrets = secrets
        self._signers = signers
        self._store = store
        self._board = board
        self._citizens = citizens
        self._network = network
        self._gather = gather
        self._reasons = reasons

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
        live = liveness(code, now - (_sent(ask) - scanned_at)) if code else None
        qid = standing.qid if standing else (code.claims.qid if code else None)
        along = await self._along(ask, qid, now)
        gathered = await self._gather.about(shown, standing, live, now, along)
        person, verdict = gathered.person, self._gather.judge(gathered, device.checkpoint, now)
        said = _said_along(along, gathered)
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
                along=tuple([Companion(one.kind, one.worth) for one in said]),
                along_mark=self._mark(scan_id, along),
                failed=verdict.failed,
                seen=keep(verdict.seen) if verdict.seen else NOTHING_SEEN,
            ),
        )
        recorded = await self._store.append(Act(facts=(fact,)))
        if isinstance(recorded, Already):
            return _said_of(shown, said, await self._as_first_answered(fact, person, standing))
        return _said_of(shown, said, _checked(scan_id, verdict, person, standing, now, live))

    async def _shown(self, ask: Ask, now: dt.datetime) -> Shown:
        if (ask.code is None) == (ask.qid is None):
            raise Invalid(
                "check.one_of", Words("Gửi mã QR hoặc mã số, một trong hai.", "Send either the code or the number.")
            )
        if ask.qid is not None:
            return typed(ask.qid)
        keyring = await self._board.keyring(now)
        return await scanned(ask.code or "", keyring, self._citizens.find, now, self._signers)

    async def _along(self, ask: Ask, qid: Qid | None, now: dt.datetime) -> Along:
        if not ask.also:
            return NOTHING
        anchors = Anchors(ours=await self._board.keyring(now), dcc=self._signers)
        return await read_along(ask.also, first=ask.code, qid=qid, anchors=anchors, citizens=self._citizens, now=now)

    def _mark(self, scan_id: FactId, along: Along) -> str:
        if not along.texts:
            return ""
        return self._secrets.index("along", "\x00".join((scan_id, *along.texts))).hex()[:16]

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


def _unknown(code: str) -> Reason:
    """A reason that was given once, by a rule that is no more."""
    return Reason(code, Outcome.MANUAL, Words(code, code), Words("Quét lại.", "Scan again."))


def _what_was_shown(fact: Fact) -> tuple[str, ...] | None:
    """On which device, and what; None for what is not a scan."""
    what = fact.what
    if not isinstance(what, Scanned):
        return None
    return what.device, what.carrier, what.code_id, fact.qid or "", what.along_mark


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
    return Checked(
        scan_id,
        verdict.outcome,
        verdict.known,
        why(verdict),
        person,
        onward(verdict),
        standing.valid_until if standing else None,
        judged_at,
        live,
        already,
    )


def _said_along(along: Along, gathered: Gathered) -> tuple[SaidOf, ...]:
    person = gathered.person
    return said_of(along, (person.name, person.birth_date) if person else None, gathered.permits.problem)


def _said_of(shown: Shown, along: tuple[SaidOf, ...], checked: Checked) -> Checked:
    """``checked``, which says of codes of another kind what kind, and what that is worth."""
    if along:
        checked = msgspec.structs.replace(checked, along=along)
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
