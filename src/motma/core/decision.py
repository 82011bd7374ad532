"""Evidence, policies and a time in, a verdict out.

A verdict is one word (``accept``, ``manual``, ``refer``, ``reject``) with every reason that speaks against passing,
the deciding one first. A refusal is an answer, not an exception; and what is not known is never invalid: it makes
``manual`` with ``known`` false. What speaks against passing is not written here: it stands in policies.
"""

import datetime as dt
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from motma.core.errors import Conflict
from motma.core.evidence import Evidence, document
from motma.core.flow import Advice
from motma.core.policy import AS_READ, Policy, Rule, asked_of
from motma.core.reasons import REASONS, Outcome, Reason
from motma.core.rules import RuleError
from motma.core.words import Words

__all__ = ["Evidence", "Rulebook", "Verdict", "decide"]

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
        self.parts: tuple[_Part, ...] = tuple(
            (
                policy.valid_from.astimezone(dt.UTC),  # within one zone, Python compares in a third of the time
                policy.valid_to and policy.valid_to.astimezone(dt.UTC),
                tuple((asked_of(rule.holds), self.reasons.get(rule.reason), rule.id) for rule in policy.rules),
            )
            for policy in policies
        )


_Asked = tuple[Callable[[Any], bool], Reason | None, str]
_Part = tuple[dt.datetime, dt.datetime | None, tuple[_Asked, ...]]


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer, its reasons in order, and where to go on to if that is the answer.

    ``failed`` names the rules that had no value, for whoever looks after them.
    """

    outcome: Outcome
    reasons: tuple[Reason, ...]
    known: bool
    refer: Advice | None = None
    failed: tuple[str, ...] = ()


def decide(evidence: Evidence, policy: Rulebook, now: dt.datetime) -> Verdict:
    """Judge ``evidence`` by ``policy`` at ``now`` (the time of the scan, not of its arrival). Never raises."""
    if not evidence.measure_active:
        return Verdict(Outcome.ACCEPT, (REASONS["measure.none_active"],), known=True)
    seen = document(evidence, now)
    against: list[Reason] = []
    failed: list[str] = []
    for begins, ends, asked in policy.parts:
        if now < begins or (ends is not None and now >= ends):
            continue
        for holds, reason, id in asked:
            try:
                if not holds(seen):
                    against.append(reason or REASONS.get(evidence.problem or "", REASONS["code.not_ours"]))
            except RuleError:
                failed.append(id)
    if failed or policy.unreadable:
        against.append(REASONS["rule.error"])
    if not against:
        return _PASSES
    against.sort(key=_lightness)  # stable: within one weight, the order of the rules
    first, outcome, refer = against[0], against[0].outcome, None
    if outcome is Outcome.REFER:
        refer = evidence.refer
        outcome = outcome if refer else Outcome.MANUAL  # nobody is sent on without a place to go on to
    return Verdict(outcome, tuple(against), first.known, refer, tuple(failed))


_PASSES = Verdict(Outcome.ACCEPT, (), known=True)


def _lightness(reason: Reason) -> int:
    return -_WEIGHT[reason.outcome]


def _reason(rule: Rule) -> Reason:
    assert rule.verdict and rule.words and rule.cure  # parse_policy lets nothing else through
    return Reason(rule.reason, rule.verdict, rule.words, rule.cure, rule.known)
