"""Verify: is this code good? For a platform that was shown one, at a checkpoint of its own or at none.

Read and judged as at a checkpoint (:mod:`motma.services.check`), and told to somebody who is no officer: what the code
itself says of its bearer, and what may be known of them to whoever holds this very code. Who types a stranger's number
while the register is away gets a code that nobody is sure of, and learns nothing of the stranger by having it verified.
"""

import datetime as dt
from collections.abc import Callable, Mapping
from typing import Literal

import msgspec
from msgspec.structs import replace

from motma.core.code import VerifiedCode, liveness
from motma.core.decision import Verdict
from motma.core.errors import Invalid, Problem
from motma.core.evidence import is_of, what_the_code_rests_on
from motma.core.facts import Accepted, Fact, LookMade, Standing
from motma.core.flow import Network
from motma.core.identity import Match
from motma.core.ids import Document, FactId, Qid, new_fact_id
from motma.core.legacy.reading import DccAnchor
from motma.core.reasons import REASONS, Outcome, Reason
from motma.core.words import Words
from motma.services.board import BoardReader
from motma.services.citizens import Citizens
from motma.services.gather import Gather, Why, why
from motma.services.shown import Shown, scanned
from motma.storage.store import Act, Store

NOWHERE = ("code", "freshness", "standing", "identity", "validity", "health")
"""The policies that do not ask where somebody stands."""
TOLD = ("name", "birth_date", "last_four", "state")
"""What a look is kept of."""
LOOK = dt.timedelta(minutes=1)
"""For so long one platform's verifications of one citizen are one look."""

State = Literal["good", "check", "withdrawn", "expired", "forged", "not_ours", "unknown"]

_BASIS = "codes:verify"
_WITHDRAWN = frozenset({"standing.revoked", "standing.suspended"})
_EXPIRED = frozenset({"code.expired", "standing.expired"})
_NOT_OURS = frozenset(
    f"code.{name}" for name in ("not_ours", "not_base45", "not_zlib", "bomb", "oversized", "algorithm", "no_kid")
)
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


class OfAnother(msgspec.Struct, frozen=True):
    """What a code is that is not ours: its kind, what that is called, and what it is worth."""

    kind: str
    words: dict[str, str]
    worth: str


class Verified(msgspec.Struct, frozen=True):
    """The answer. ``good`` is None where nobody could say without looking further: what is not known is not invalid."""

    good: bool | None
    state: State
    qid: Qid | None
    reasons: tuple[Why, ...]
    name: str | None = None
    birth_date: dt.date | None = None
    last_four: str | None = None
    valid_until: dt.datetime | None = None
    reading: OfAnother | None = None


class Verify:
    """The verb of whoever is shown a code and is no officer."""

    def __init__(
        self,
        *,
        store: Store,
        board: BoardReader,
        citizens: Citizens,
        network: Network,
        gather: Gather,
        index: Callable[[str, str], bytes],
        signers: tuple[DccAnchor, ...] = (),
    ) -> None:
        """``index`` is the keyed hash of the house; ``signers``: whom we believe about health certificates."""
        self._store = store
        self._board = board
        self._citizens = citizens
        self._network = network
        self._gather = gather
        self._index = index
        self._signers = signers

    async def verify(self, code: str, checkpoint: str | None, *, source: str, now: dt.datetime) -> Verified:
        """Judge the text of any code for ``source``. At a ``checkpoint`` all policies decide that do so there.

        A look is on disk before anything is said of a citizen. Raises :class:`Invalid` ``verify.checkpoint``.
        """
        if checkpoint is not None and checkpoint not in self._network.by_id:
            words = Words("Không có chốt này.", "There is no such checkpoint.")
            raise Invalid("verify.checkpoint", words, {"checkpoint": Problem("field.options", words)})
        keyring = await self._board.keyring(now)
        shown = await scanned(code, keyring, _nobody, now, self._signers)
        if shown.code is None:
            return _not_read(shown)
        claims = shown.code.claims
        standing = await self._citizens.standing(claims.qid)
        told = await self._as_told(shown.code, standing) if standing else None
        gathered = await self._gather.about(shown, told, liveness(shown.code, now), now)
        verdict = self._gather.judge(gathered, checkpoint or "", now, only=None if checkpoint else NOWHERE)
        qid = standing.qid if standing else claims.qid
        await self._store.append(Act((self._look(qid, source, now),)))  # the same look again is the same fact
        return Verified(
            good=_GOOD.get(verdict.outcome),
            state=_state(verdict),
            qid=qid,
            reasons=why(verdict),
            name=claims.name,
            birth_date=claims.birth_date,
            last_four=claims.last_four,
            valid_until=what_the_code_rests_on(shown.code, told).valid_until if told else claims.valid_until,
        )

    async def _as_told(self, code: VerifiedCode, standing: Standing) -> Standing:
        """Where the citizen stands, as far as it may be told to who holds this code.

        A code of a declaration that fits is its citizen's, and all is told. Any other may be a stranger's: it tells
        what that declaration itself said, and nothing that was withdrawn, reported or declared since.
        """
        claims, rests = code.claims, what_the_code_rests_on(code, standing)
        own = is_of(claims.code_id, rests)
        if rests.grade.is_sure and (own or claims.matched):
            return standing
        if own:
            declared = await self._store.fact(rests.declaration, only=())
            how = declared.what.how if declared and isinstance(declared.what, Accepted) else None
            if Match(rests.grade, (), how).fits:
                return standing
            if rests is standing:  # what is withdrawn is told to who declared them last, as on the page of the code
                return replace(standing, events=(), waiting=None)
            return replace(standing, events=(), revoked=False, suspended=False)
        return replace(
            standing,
            events=(),
            revoked=False,
            suspended=False,
            health="clear",
            waiting=None,
            valid_from=claims.valid_from,
            valid_until=claims.valid_until,
        )

    def _look(self, qid: Qid, source: str, now: dt.datetime) -> Fact:
        minute = now - (now - _EPOCH) % LOOK
        mark = self._index("look", f"{source}\n{qid}\n{minute.isoformat()}")
        id: FactId = new_fact_id("lok", minute, mark[:10])
        return Fact(id=id, at=now, actor=source, qid=qid, what=LookMade("verification", _BASIS, TOLD))


_GOOD: Mapping[Outcome, bool] = {Outcome.ACCEPT: True, Outcome.REJECT: False}


def _state(verdict: Verdict) -> State:
    codes = {reason.code for reason in verdict.reasons}
    if verdict.outcome is Outcome.ACCEPT:
        return "good"
    if codes & _WITHDRAWN:
        return "withdrawn"
    if codes & _EXPIRED:
        return "expired"
    return "check" if verdict.known else "unknown"


def _not_read(shown: Shown) -> Verified:
    """What is said of a code that names nobody here: damaged, forged, or of another kind."""
    reason = REASONS[shown.problem or "code.other_kind"]
    state: State = "check" if reason.known else "unknown"
    if reason.outcome is Outcome.REJECT:
        state = "forged"
    elif shown.other or reason.code in _NOT_OURS:
        state = "not_ours"
    reading = None
    if shown.other:
        kind, trust = shown.other
        reason = Reason(
            "code.other_kind",
            Outcome.MANUAL,
            Words(f"Đây là mã loại khác: {kind.vi}.", f"This is a code of another kind: {kind.en}."),
            trust,
            known=False,
        )
        reading = OfAnother(shown.carrier, kind._asdict(), shown.worth or "unknown")
    said = Why(reason.code, reason.words._asdict(), reason.cure._asdict())
    return Verified(_GOOD.get(reason.outcome), state, None, (said,), reading=reading)


async def _nobody(document: Document) -> Qid | None:
    """A card in somebody's pocket is no code of theirs: it is not asked whose it is."""
    return None
