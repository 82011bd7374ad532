"""What a decision by policies costs, in microseconds and over the same decision written by hand."""

import datetime as dt
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric import ec

from motma.core.claims import Carrier, Claims, Worth
from motma.core.code import TrustedKey, VerifiedCode
from motma.core.decision import Verdict, decide
from motma.core.evidence import AsOf, Evidence, document
from motma.core.facts import Standing
from motma.core.identity import Grade
from motma.core.ids import FactId, Qid, are_twins, fact_id_bytes, new_fact_id
from motma.core.reasons import REASONS, Outcome
from motma.policies import known_reasons, load_rulebook

_ROUNDS, _PEOPLE = 15, 2_000
_NOW = dt.datetime(2026, 1, 18, 7, 0, tzinfo=dt.UTC)
_IDENTITY = {
    Grade.PENDING: "identity.pending",
    Grade.REPAIRABLE: "identity.repairable",
    Grade.UNIDENTIFIED: "identity.unidentified",
}
_WEIGHT = {Outcome.ACCEPT: 0, Outcome.MANUAL: 1, Outcome.REFER: 2, Outcome.REJECT: 3}


def by_hand(evidence: Evidence, now: dt.datetime) -> Verdict:
    """What the policies that ship say, as it was written before there were policies: the tests hold them to it."""
    every = known_reasons()
    if not evidence.measure_active:
        return Verdict(Outcome.ACCEPT, (every["measure.none_active"],), known=True, as_of=evidence.as_of)
    against = [every[code] for code in _what_speaks_against(evidence, now)]
    against.sort(key=lambda reason: -_WEIGHT[reason.outcome])
    outcome = against[0].outcome if against else Outcome.ACCEPT
    return Verdict(
        outcome,
        tuple(against),
        known=against[0].known if against else True,
        as_of=evidence.as_of,
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
        said = _what_the_code_rests_on(code, standing)
        if now >= said.valid_until:
            found.append("standing.expired")
        if now < said.valid_from:
            found.append("code.not_yet")
        if not said.grade.is_sure:
            found.append(_IDENTITY.get(said.grade, "identity.mismatched"))
        elif evidence.somebody_else:
            found.append("identity.mismatched")
        elif code and not code.claims.matched and not _is_of(code, said):
            # Issued while the register was away, on a number anybody may know; what was matched is another declaration.
            found.append("identity.pending")
        reported = [one.event for one in standing.events if one.lasts(now)]
        is_case = "case" in reported
        if is_case:
            found.append("health.positive")
        since = code and code.claims.worth is Worth.REJECT and not _is_of(code, said) and _is_newer(code, said)
        if since or (said.health == "symptoms" and not is_case):
            found.append("health.symptoms")  # what its bearer declared since says so, whoever they turn out to be
        if not is_case and said.health != "symptoms" and (said.health == "contact" or "contact" in reported):
            found.append("health.contact")
        if code and said.code and not are_twins(code.claims.code_id, fact_id_bytes(said.code)):
            found.append("code.newer_exists")
    if evidence.plain:
        found.append("code.plain_text")
    if (code or evidence.plain) and evidence.liveness in evidence.by_hand:
        found.append(f"proof.{evidence.liveness}")
    if evidence.refer:
        found.append("diversion.open")
    return found


def _what_the_code_rests_on(code: VerifiedCode | None, standing: Standing) -> Standing:
    """The declaration that the code in hand was issued on if it still waits for the register, else what is known."""
    waiting = standing.waiting
    return waiting if waiting and code and _is_of(code, waiting) else standing


def _is_newer(code: VerifiedCode, declared: Standing) -> bool:
    return code.claims.issued_at > declared.declared_at


def _is_of(code: VerifiedCode, declared: Standing) -> bool:
    """Whether the code was issued on this declaration, when it was made or since."""
    known = (declared.declaration, declared.code) if declared.code else (declared.declaration,)
    return any(are_twins(code.claims.code_id, fact_id_bytes(id)) for id in known)


@dataclass(frozen=True, slots=True)
class _Case:
    evidence: Evidence
    now: dt.datetime


def _cases() -> list[_Case]:
    """Scans of a day: four in five pass, the others are waited for, have symptoms, or come too late."""
    key = TrustedKey(bytes(8), ec.derive_private_key(1, ec.SECP256R1()).public_key(), "motma.bench", _NOW)
    cases = []
    for number in range(_PEOPLE):
        now = _NOW + dt.timedelta(seconds=number, microseconds=997 * number)
        declared = now - dt.timedelta(minutes=number % 4_000, seconds=number % 59, microseconds=number)
        id = new_fact_id("dcl", declared, number.to_bytes(10, "big"))
        until = declared + dt.timedelta(hours=72 if number % 20 else 0)
        claims = Claims(
            issuer="motma.bench",
            expires=int(until.timestamp()) + 1,
            begins=int(declared.timestamp()),
            issued=int(declared.timestamp()),
            code_id=fact_id_bytes(id),
            qid=Qid("521322923144321717"),
            name="Tạ Văn Thành",
            born="19760204",
            sex=None,
            holder_key=None,
            measure="bench",
            worth=Worth.ACCEPT,
            matched=number % 10 > 0,
            last_four="3999",
            vintage=2025,
            areas=(),
            route=(),
            status_index=number,
            carrier=Carrier.SCREEN,
        )
        standing = Standing(
            qid=claims.qid,
            declaration=id,
            code=FactId("cod" + id[3:]),
            measure="bench",
            grade=Grade.MATCHED if number % 10 else Grade.PENDING,
            health="clear" if number % 25 else "symptoms",
            route=(),
            declared_at=declared,
            valid_from=declared,
            valid_until=until,
        )
        asked = AsOf(standing=now, keys=now, rules=now)
        evidence = Evidence(VerifiedCode(claims, key), None, standing, "live", frozenset({"stale"}), as_of=asked)
        cases.append(_Case(evidence, now))
    return cases


def ratios() -> dict[str, float]:
    """CPU time of one decision by all policies that ship, of its evidence document alone, of the health policy alone,
    and how much more than by hand."""
    cases = _cases()
    whole, health = load_rulebook(), load_rulebook(("health",))
    if any(decide(case.evidence, whole, None, case.now) != by_hand(case.evidence, case.now) for case in cases):
        raise RuntimeError("the policies and the decision by hand differ")
    works: list[Callable[[_Case], object]] = [
        lambda case: decide(case.evidence, whole, None, case.now),
        lambda case: document(case.evidence, None, case.now),
        lambda case: decide(case.evidence, health, None, case.now),
        lambda case: by_hand(case.evidence, case.now),
    ]
    spent: list[list[float]] = [[] for _ in works]
    for turn in range(_ROUNDS + 1):
        for times, work in zip(spent, works, strict=True):
            started = time.thread_time()
            for case in cases:
                work(case)
            if turn:  # the first is for warming up
                times.append((time.thread_time() - started) / len(cases) * 1e6)
    ours, read, health_alone, bare = map(statistics.median, spent)
    return {
        "decision_microseconds": ours,
        "decision_document_microseconds": read,
        "decision_health_alone_microseconds": health_alone,
        "decision_by_hand_microseconds": bare,
        "decision_over_by_hand": ours / bare,
    }


if __name__ == "__main__":
    for name, value in ratios().items():
        print(f"{name} {value:.2f}")
