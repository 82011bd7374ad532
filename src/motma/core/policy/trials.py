"""A policy's own tests, run: what came of each."""

from collections.abc import Mapping
from typing import Any

import msgspec

from motma.core.policy import Policy, Rule, Trial, asked_of, laid_over, named
from motma.core.rules import RuleError


class Tried(msgspec.Struct, frozen=True):
    """One test and what came of it: ``came`` is whether the rule held, None if it had no value (``error``: why)."""

    trial: Trial
    came: bool | None
    error: str = ""

    @property
    def as_expected(self) -> bool:
        return self.came is self.trial.holds


def tried(policy: Policy) -> list[tuple[Rule, list[Tried]]]:
    """Every rule with its tests, in order."""
    values = named(policy.values)
    return [(rule, _of(rule, values)) for rule in policy.rules]


def _of(rule: Rule, values: Mapping[str, Any]) -> list[Tried]:
    asked = asked_of(rule.holds, values)
    found = []
    for trial in rule.tests:
        try:
            found.append(Tried(trial, asked(laid_over(trial.evidence))))
        except RuleError as error:
            found.append(Tried(trial, None, error.code))
    return found
