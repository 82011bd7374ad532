"""Evidence and a time in, a verdict out.

A verdict is one word (``accept``, ``manual``, ``refer``, ``reject``) with every reason that speaks against passing,
the deciding one first. A refusal is an answer, not an exception; and what is not known is never invalid: it makes
``manual`` with ``known`` false.
"""

import datetime as dt
from dataclasses import dataclass

from motma.core.claims import Worth
from motma.core.code import Liveness, VerifiedCode
from motma.core.facts import Standing
from motma.core.flow import Advice
from motma.core.identity import Grade
from motma.core.ids import are_twins, fact_id_bytes
from motma.core.reasons import REASONS, Outcome, Reason

_IDENTITY = {
    Grade.PENDING: "identity.pending",
    Grade.REPAIRABLE: "identity.repairable",
    Grade.UNIDENTIFIED: "identity.unidentified",
}
_WEIGHT = {Outcome.ACCEPT: 0, Outcome.MANUAL: 1, Outcome.REFER: 2, Outcome.REJECT: 3}


@dataclass(frozen=True, slots=True)
class Evidence:
    """All that a verdict rests on.

    ``code`` is the verified code if one was shown, ``problem`` the error code of one that did not verify;
    ``standing`` is what the store says of the citizen (None: nothing). ``by_hand``: the kinds of ``liveness`` for
    which the measure asks the officer to look at the document; ``plain``: the citizen was named by a text that nobody
    signed. ``somebody_else``: the code bears the citizen's number, and not the name and birth date that they declared:
    another issuer's, or an old one of ours. ``refer`` is set while a diversion is open.
    """

    code: VerifiedCode | None = None
    problem: str | None = None
    standing: Standing | None = None
    liveness: Liveness = "static"
    by_hand: frozenset[Liveness] = frozenset()
    plain: bool = False
    somebody_else: bool = False
    measure_active: bool = True
    refer: Advice | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer, its reasons in order, and where to go on to if that is the answer."""

    outcome: Outcome
    reasons: tuple[Reason, ...]
    known: bool
    refer: Advice | None = None


def decide(evidence: Evidence, now: dt.datetime) -> Verdict:
    """Judge ``evidence`` at ``now`` (the time of the scan, not of its arrival)."""
    if not evidence.measure_active:
        return Verdict(Outcome.ACCEPT, (REASONS["measure.none_active"],), known=True)
    against = [REASONS[code] for code in _what_speaks_against(evidence, now)]
    against.sort(key=lambda reason: -_WEIGHT[reason.outcome])  # stable: within one weight, the order found
    outcome = against[0].outcome if against else Outcome.ACCEPT
    return Verdict(
        outcome,
        tuple(against),
        known=against[0].known if against else True,
        refer=evidence.refer if outcome is Outcome.REFER else None,
    )


def _what_speaks_against(evidence: Evidence, now: dt.datetime) -> list[str]:
    found: list[str] = []
    if evidence.problem:
        found.append(evidence.problem if evidence.problem in REASONS else "code.not_ours")
    code, standing = evidence.code, evidence.standing
    if standing is None:  # then the code's own times are all there is
        if code and now >= code.claims.valid_until:
            found.append("code.expired")
        if code and now < code.claims.valid_from:
            found.append("code.not_yet")
        if not evidence.problem:
            found.append("standing.none")
    else:  # a citizen who declared again travels on the newer declaration, with the older code in hand
        if standing.revoked:
            found.append("standing.revoked")
        if standing.suspended:
            found.append("standing.suspended")
        said = what_the_code_rests_on(code, standing)
        of_another = code is not None and not is_of(code.claims.code_id, said)
        if now >= said.valid_until:
            found.append("standing.expired")
        if now < said.valid_from:
            found.append("code.not_yet")
        if not said.grade.is_sure:
            found.append(_IDENTITY.get(said.grade, "identity.mismatched"))
        elif evidence.somebody_else:
            found.append("identity.mismatched")
        elif code and of_another and not code.claims.matched:
            # Issued while the register was away, on a number anybody may know; what was matched is another declaration.
            found.append("identity.pending")
        if said.health != "clear":
            found.append(f"health.{said.health}")
        elif code and of_another and code.claims.worth is Worth.REJECT and _is_newer(code, said):
            found.append("health.symptoms")  # what its bearer declared since says so, whoever they turn out to be
        if code and said.code and not are_twins(code.claims.code_id, fact_id_bytes(said.code)):
            found.append("code.newer_exists")
    if evidence.plain:
        found.append("code.plain_text")
    if (code or evidence.plain) and evidence.liveness in evidence.by_hand:  # what nobody signed is no better
        found.append(f"proof.{evidence.liveness}")
    if evidence.refer:
        found.append("diversion.open")
    return found


def what_the_code_rests_on(code: VerifiedCode | None, standing: Standing) -> Standing:
    """The declaration that the code in hand was issued on if it still waits for the register, else what is known."""
    waiting = standing.waiting
    return waiting if waiting and code and is_of(code.claims.code_id, waiting) else standing


def _is_newer(code: VerifiedCode, declared: Standing) -> bool:
    return code.claims.issued_at > declared.declared_at


def is_of(code_id: bytes, declared: Standing) -> bool:
    """Whether a code (by its 16 bytes) was issued on this declaration, when it was made or since."""
    known = (declared.declaration, declared.code) if declared.code else (declared.declaration,)
    return any(are_twins(code_id, fact_id_bytes(id)) for id in known)
