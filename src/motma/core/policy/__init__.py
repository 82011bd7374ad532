"""Policies: rules as data, each with its logic, its words in both languages and its own tests.

A policy is one JSON document (``docs/policies.md``). :func:`examine` says everything that is wrong with one,
:func:`parse_policy` gives back only what is sound. ``text`` reads what people write (YAML, JSON), ``writing`` writes it
back, ``diff`` says in words what changed, ``trials`` runs the tests, ``enacted`` knows which are in force.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from motma.core.errors import Invalid
from motma.core.policy.asking import asked_of, came_of, filled_in, laid_over, named, named_in
from motma.core.policy.form import Walk, said
from motma.core.policy.model import AS_READ, Policy, Rule, Trial
from motma.core.policy.words import WORDS
from motma.core.reasons import Outcome
from motma.core.rules import Problem

__all__ = [
    "AS_READ",
    "Examined",
    "Policy",
    "PolicyError",
    "Rule",
    "Trial",
    "asked_of",
    "examine",
    "filled_in",
    "laid_over",
    "named",
    "named_in",
    "parse_policy",
]


class PolicyError(Invalid):
    """A document that is no policy. ``problems``: everything that is wrong with it, in the order of the document."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__("policy.refused", WORDS["policy.refused"])
        self.problems = problems

    def __str__(self) -> str:
        return "; ".join(f"{one.code} at {one.path or 'the root'}" for one in self.problems)


@dataclass(frozen=True, slots=True)
class Examined:
    """What came of reading a document: ``policy`` is None if there are ``problems``. ``warnings`` stop nothing."""

    policy: Policy | None
    problems: tuple[Problem, ...]
    warnings: tuple[Problem, ...]


def parse_policy(raw: Any) -> Policy:
    """``raw`` (a JSON value as decoders give it) as a policy. Raises :class:`PolicyError` and nothing else."""
    examined = examine(raw)
    if examined.policy is None:
        raise PolicyError(examined.problems)
    return examined.policy


def examine(raw: Any) -> Examined:
    """Everything that is wrong with ``raw``, each with its JSON Pointer in the document; never raises."""
    walk = Walk()
    walk.policy(raw)
    if walk.problems:
        return Examined(None, tuple(walk.problems), ())
    policy = msgspec.convert(raw, Policy)
    return Examined(policy, (), tuple(_warnings(policy)))


def _warnings(policy: Policy) -> Iterator[Problem]:
    """Judged by the policy's own tests, all its rules over the evidence of each."""
    values = named(policy.values)
    stops = [asked_of(rule.holds, values) for rule in policy.rules if rule.verdict is not Outcome.ACCEPT]
    seen = [laid_over(test.evidence) for rule in policy.rules for test in rule.tests]
    passed = [all(came_of(rule, one) is True for rule in stops) for one in seen]
    if not any(passed):
        yield said("policy.lets_nobody", "")
    elif all(passed):
        yield said("policy.lets_everybody", "")
    for place, rule in enumerate(policy.rules):
        remark = asked_of(rule.holds, values)
        for guarded in [_GUARDS[name] for name in rule.waives if name in _GUARDS]:
            if any(came_of(remark, laid_over(guarded, one)) is False for one in seen):
                yield said("policy.waives_guard", f"/rules/{place}/waives")
                break


_GUARDS: Mapping[str, Any] = {
    "code": {"code": {"problem": "code.forged", "verified": False}},
    "standing": {"standing": {"revoked": True, "suspended": True}},
    "health": {"declaration": {"health": "positive"}},
}
"""Policies that keep out what nothing should let in, and the evidence of that."""
