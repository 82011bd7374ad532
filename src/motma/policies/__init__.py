"""The policies that come with the house, each a folder with one ``policy.json``: logic, words and tests.

A change of a rule is a new version of its policy. The loaders read each file once and keep what they read.
"""

from functools import cache
from importlib.resources import files

import msgspec

from motma.core.decision import Rulebook
from motma.core.errors import Invalid
from motma.core.policy import Policy, parse_policy
from motma.core.reasons import REASONS, Reason
from motma.core.words import Words

DEFAULT = ("code", "freshness", "standing", "identity", "validity", "health", "proof", "diversion")
"""What decides unless a measure names others, in order."""

SHIPPED = (*DEFAULT[:-2], "certificate", "permits", "movement", "curfew", "greenlane", *DEFAULT[-2:])
"""Every policy that comes with the house, in an order that serves wherever some of them decide together."""


@cache
def load_policy(name: str) -> Policy:
    """The policy in the folder ``name``. Raises :class:`Invalid` ``policy.unknown``."""
    if name not in SHIPPED:
        raise Invalid("policy.unknown", Words("Không có chính sách này.", "There is no such policy."))
    return parse_policy(msgspec.json.decode((files(__package__) / name / "policy.json").read_bytes()))


@cache
def load_policies(names: tuple[str, ...] = ()) -> tuple[tuple[Policy, ...], bool]:
    """(these policies in this order; whether they are all there). Of no names, the default."""
    names = tuple(dict.fromkeys(names or DEFAULT))
    here = tuple([load_policy(name) for name in names if name in SHIPPED])
    return here, len(here) == len(names)


@cache
def load_rulebook(names: tuple[str, ...] = ()) -> Rulebook:
    """These policies in this order, compiled; of no names, the default. A policy that there is not makes every verdict
    at least ``manual``: nobody is let through, and nobody turned away, on the strength of rules that are not there.
    """
    policies, complete = load_policies(names)
    return Rulebook(policies, unreadable=not complete)


@cache
def known_reasons() -> dict[str, Reason]:
    """Every reason that a verdict by policies of ours can have, by code."""
    return {**REASONS, **load_rulebook(SHIPPED).reasons}
