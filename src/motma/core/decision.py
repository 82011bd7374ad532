"""Evidence, policies and a time in, a verdict out.

A verdict is one word (``accept``, ``manual``, ``refer``, ``reject``) with every reason that speaks against passing,
the deciding one first. A refusal is an answer, not an exception; and what is not known is never invalid: it makes
``manual`` with ``known`` false. What speaks against passing is not written here: it stands in policies.
"""

import datetime as dt
from collections.abc import Callable, Container, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from motma.core.errors import Conflict
from motma.core.evidence import UNTOLD, AsOf, Evidence, document, instant
from motma.core.flow import Advice, Checkpoint
from motma.core.policy import AS_READ, Policy, Rule, asked_of, named
from motma.core.reasons import REASONS, Outcome, Reason
from motma.core.rules import RuleError
from motma.core.words import Words

__all__ = ["Evidence", "Rulebook", "Verdict", "decide", "judge"]

_NO_END = "~"  # after every date-time
_WEIGHT = {Outcome.ACCEPT: 0, Outcome.MANUAL: 1, Outcome.REFER: 2, Outcome.REJECT: 3}


class Rulebook:
    """Policies one after another, compiled once: what :func:`decide` asks, in this order.

    ``unreadable`` says that a policy that belongs here could not be had; then everybody is looked at by hand. Raises
    :class:`Conflict` ``policy.clash`` if two of them have the same id, or rules or reasons with the same name.
    """

    __slots__ = ("parts", "reasons", "unreadable")

    def __init__(self, policies: Iterable[Policy], *, unreadable: bool = False) -> None:
        policies = tuple(policies)
        rules = [rule for policy in policies for rule in policy.rules]
        names = [policy.id for policy in policies], [rule.id for rule in rules], [rule.reason for rule in rules]
        if any(len(set(said)) < len(said) for said in names):
            raise Conflict(
                "policy.clash",
                Words(
                    "Hai chính sách trùng tên, hoặc có luật hay lý do trùng tên.",
                    "Two policies have one name, or rules or reasons with one name.",
                ),
            )
        self.unreadable = unreadable
        self.reasons: Mapping[str, Reason] = {rule.reason: _reason(rule) for rule in rules if rule.reason != AS_READ}
        """The reasons that the rules own, by code."""
        self.parts: tuple[_Part, ...] = tuple(map(self._compiled, policies))

    def only(self, names: Container[str]) -> "Rulebook":
        """What is left of it with nothing but the policies of these ``names``."""
        left = Rulebook(())
        left.parts = tuple([part for part in self.parts if part[0] in names])
        left.reasons, left.unreadable = self.reasons, self.unreadable
        return left

    def _compiled(self, policy: Policy) -> "_Part":
        values = named(policy.values)
        return (
            policy.id,
            instant(policy.valid_from),
            instant(policy.valid_to) if policy.valid_to else _NO_END,
            tuple(
                (asked_of(rule.holds, values), self.reasons.get(rule.reason), rule.id, rule.waives)
                for rule in policy.rules
            ),
        )


_Asked = tuple[Callable[[Any], bool], Reason | None, str, tuple[str, ...]]
_Part = tuple[str, str, str, tuple[_Asked, ...]]


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer, its reasons in order, where to go on to if that is the answer, and how fresh what was used is.

    ``failed`` names the rules that had no value, for whoever looks after them. ``seen`` is the evidence document that
    the rules read; None if none was asked.
    """

    outcome: Outcome
    reasons: tuple[Reason, ...]
    known: bool
    refer: Advice | None = None
    failed: tuple[str, ...] = ()
    as_of: AsOf = UNTOLD
    seen: Mapping[str, Any] | None = field(default=None, compare=False, repr=False)


def decide(evidence: Evidence, policy: Rulebook, checkpoint: Checkpoint | None, now: dt.datetime) -> Verdict:
    """Judge ``evidence`` by ``policy`` at ``checkpoint`` and ``now`` (the time of the scan, not of its arrival).

    Never raises.
    """
    if not evidence.measure_active:
        return Verdict(Outcome.ACCEPT, (REASONS["measure.none_active"],), known=True, as_of=evidence.as_of)
    return judge(document(evidence, checkpoint, now), policy, evidence.refer, evidence.as_of)


def judge(seen: Mapping[str, Any], policy: Rulebook, refer: Advice | None = None, as_of: AsOf = UNTOLD) -> Verdict:
    """The verdict over an evidence document (:func:`motma.core.evidence.document`, or one kept of a scan)."""
    now = seen["now"]
    against: list[tuple[str, Reason]] = []
    failed: list[tuple[str, str]] = []
    waived: set[str] = set()
    for name, begins, ends, asked in policy.parts:
        if not begins <= now < ends:
            continue
        for holds, reason, id, waives in asked:
            try:
                if not holds(seen):
                    against.append((name, reason or _as_read(seen)))
                    waived.update(waives)
            except RuleError:
                failed.append((name, id))
    reasons = [reason for name, reason in against if name not in waived]
    without = tuple([id for name, id in failed if name not in waived])
    if without or policy.unreadable:
        reasons.append(REASONS["rule.error"])
    if not reasons:
        return Verdict(Outcome.ACCEPT, (), known=True, as_of=as_of, seen=seen)
    reasons.sort(key=_lightness)  # stable: within one weight, the order of the rules
    first, outcome = reasons[0], reasons[0].outcome
    if outcome is not Outcome.REFER:
        refer = None
    elif not seen["diversion"]["open"]:
        outcome = Outcome.MANUAL  # nobody is sent on without a place to go on to
    return Verdict(outcome, tuple(reasons), first.known, refer, without, as_of, seen)


def _as_read(seen: Mapping[str, Any]) -> Reason:
    return REASONS.get(seen["code"]["problem"] or "", REASONS["code.not_ours"])


def _lightness(reason: Reason) -> int:
    return -_WEIGHT[reason.outcome]


def _reason(rule: Rule) -> Reason:
    assert rule.verdict and rule.words and rule.cure  # parse_policy lets nothing else through
    return Reason(rule.reason, rule.verdict, rule.words, rule.cure, rule.known)
