"""Which versions of which policies are in force: the fold of all ``policy.*`` facts.

Below everything lies what ships and a measure names. On top of it each policy has its own steps, in the order in which
they were approved: a version, or that it is switched off. A step that was rolled back or withdrawn is as if it had
never been, from the record of that fact on, whatever the clocks say; so is what was approved without a time in force
from its record on. Only a step with a time waits for the clock.
"""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

import msgspec
from msgspec.structs import replace

from motma.core.decision import Rulebook
from motma.core.facts import (
    Fact,
    PolicyApproved,
    PolicyDrafted,
    PolicyRolledBack,
    PolicyScheduled,
    PolicyWithdrawn,
)
from motma.core.ids import FactId
from motma.core.policy import Policy

Ended = Literal["", "replaced", "withdrawn", "rolled_back"]


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """A draft, and what became of it. ``authors``: everybody who wrote at it since the last one was approved.

    ``begins`` None: at once. ``turn`` is the number of the fact that set when it begins, ``settled_at`` its time; 0 and
    None while it is a draft.
    """

    draft: FactId
    policy: str
    version: int
    digest: str
    document: str
    text: str
    drafted_by: str
    drafted_at: dt.datetime
    authors: tuple[str, ...]
    approved_by: str = ""
    approved_at: dt.datetime | None = None
    begins: dt.datetime | None = None
    turn: int = 0
    settled_by: str = ""
    settled_at: dt.datetime | None = None
    ended: Ended = ""
    ended_by: str = ""
    ended_at: dt.datetime | None = None

    @property
    def is_off(self) -> bool:
        """Whether it switches the policy off."""
        return not self.document

    @property
    def is_open(self) -> bool:
        """Whether it is a draft that waits for somebody to approve it."""
        return not self.turn and not self.ended

    @property
    def stands(self) -> bool:
        """Whether it was approved and not taken back."""
        return self.turn > 0 and not self.ended

    def has_begun(self, now: dt.datetime) -> bool:
        return self.stands and (self.begins is None or self.begins <= now)

    @property
    def moment(self) -> dt.datetime:
        """When it begins, or began, as far as the clocks are right."""
        return self.begins or self.settled_at or self.drafted_at


class Enacted(msgspec.Struct, frozen=True):
    """Every draft there ever was, by id, oldest first; ``version`` counts what happened."""

    steps: Mapping[FactId, Step] = {}
    version: int = 0

    def of(self, policy: str) -> list[Step]:
        """What there is and was of one policy, oldest first."""
        return [step for step in self.steps.values() if step.policy == policy]

    def draft_of(self, policy: str) -> Step | None:
        """The draft of ``policy`` that waits; there is never more than one."""
        return next((step for step in self.steps.values() if step.policy == policy and step.is_open), None)

    def current(self, policy: str, now: dt.datetime) -> Step | None:
        """The step of ``policy`` that is in force at ``now``; None: what ships, if anything.

        The one that was approved last, of those that have begun, unless an earlier one was given a later time than it;
        of two with one time the one approved last.
        """
        return _current(self._standing(policy), now)

    def waiting(self, now: dt.datetime) -> list[Step]:
        """What was approved and has not begun, the next first."""
        return sorted(
            (step for step in self.steps.values() if step.stands and not step.has_begun(now)),
            key=lambda step: (step.moment, step.turn),
        )

    def in_force(
        self, base: Sequence[str], now: dt.datetime, order: Sequence[str] = ()
    ) -> tuple[tuple[str, Step | None], ...]:
        """(policy, its step) of all that decides over ``base`` at ``now``, in order; without a step, as it ships.

        A step takes the place of what ships under its name. A name that is not in ``base`` but in ``order`` stands
        right behind the last of those here that ``order`` has before it; other names follow in the order in which they
        were first approved; those that are switched off are left out.
        """
        added = sorted((step for step in self.steps.values() if step.turn), key=lambda step: step.turn)
        names = _placed(base, [step.policy for step in added], order)
        found = [(name, self.current(name, now)) for name in names]
        return tuple((name, step) for name, step in found if (name in base if step is None else not step.is_off))

    def between(self, at: dt.datetime) -> tuple[dt.datetime | None, dt.datetime | None]:
        """(since when, until when) what is in force at ``at`` is; None: since ever, for ever."""
        times = [step.begins for step in self.steps.values() if step.stands and step.begins]
        return max((t for t in times if t <= at), default=None), min((t for t in times if t > at), default=None)

    def changes_at(self, now: dt.datetime) -> dt.datetime | None:
        """When something else will be in force if nobody does anything."""
        return min((step.begins for step in self.waiting(now) if step.begins), default=None)

    def next_version(self, policy: str, ships: Policy | None) -> int:
        """The least version that was never approved of ``policy``, nor is that of what ``ships`` under its name."""
        used = [step.version for step in self.of(policy) if step.turn and not step.is_off]
        return max([*used, ships.version if ships else 0]) + 1

    def may_be_next(self, policy: Policy, ships: Policy | None) -> bool:
        """Whether ``policy`` has a number of its own: a new one, or as what ships and nobody changed a word of, unless
        a later version stands."""
        if policy.version >= self.next_version(policy.id, ships):
            return True
        return policy == ships and all(step.version <= policy.version for step in self._standing(policy.id))

    def _standing(self, policy: str) -> list[Step]:
        steps = (step for step in self.steps.values() if step.policy == policy and step.stands)
        return sorted(steps, key=lambda step: step.turn)


class InForce(msgspec.Struct, frozen=True):
    """What decides over a base at a moment: ``unread`` names the policies that belong here and cannot be read."""

    policies: tuple[Policy, ...]
    unread: tuple[str, ...]


def fold_policies(facts: Iterable[Fact], enacted: Enacted | None = None) -> Enacted:
    """What is enacted after ``facts``, oldest first, on top of ``enacted``; other facts are passed over.

    What cannot be is passed over too: an approval by somebody who wrote the draft, or of a draft that no longer waits.
    """
    steps = dict(enacted.steps) if enacted else {}
    version = enacted.version if enacted else 0
    for fact in facts:
        what = fact.what
        if isinstance(what, PolicyDrafted):
            version += 1
            _drafted(steps, what, fact)
        elif isinstance(what, PolicyApproved | PolicyScheduled | PolicyWithdrawn | PolicyRolledBack):
            version += 1
            step = steps.get(what.draft)
            if step and not step.ended:
                steps[step.draft] = _after(step, what, fact, version)
    return Enacted(steps, version)


def _drafted(steps: dict[FactId, Step], what: PolicyDrafted, fact: Fact) -> None:
    authors: tuple[str, ...] = ()
    for step in [step for step in steps.values() if step.policy == what.policy and step.is_open]:
        authors += step.authors
        steps[step.draft] = replace(step, ended="replaced", ended_by=fact.actor, ended_at=fact.at)
    steps.setdefault(
        fact.id,
        Step(
            draft=fact.id,
            policy=what.policy,
            version=what.version,
            digest=what.digest,
            document=what.document,
            text=what.text,
            drafted_by=fact.actor,
            drafted_at=fact.at,
            authors=tuple(dict.fromkeys((*authors, fact.actor))),
        ),
    )


def _after(
    step: Step,
    what: PolicyApproved | PolicyScheduled | PolicyWithdrawn | PolicyRolledBack,
    fact: Fact,
    turn: int,
) -> Step:
    if isinstance(what, PolicyWithdrawn | PolicyRolledBack):
        ended: Ended = "withdrawn" if isinstance(what, PolicyWithdrawn) else "rolled_back"
        return replace(step, ended=ended, ended_by=fact.actor, ended_at=fact.at)
    if isinstance(what, PolicyApproved):
        if not step.is_open or fact.actor in step.authors:
            return step
        step = replace(step, approved_by=fact.actor, approved_at=fact.at)
    elif not step.stands:
        return step
    return replace(step, begins=what.begins, turn=turn, settled_by=fact.actor, settled_at=fact.at)


def _placed(base: Sequence[str], added: Sequence[str], order: Sequence[str]) -> list[str]:
    """``base`` with the names of ``added`` that it does not have, each once."""
    names = list(dict.fromkeys(base))
    new = dict.fromkeys(name for name in added if name not in names)
    place = {name: at for at, name in enumerate(order)}
    for name in sorted((name for name in new if name in place), key=place.__getitem__):
        before = [at for at, one in enumerate(names) if place.get(one, len(place)) < place[name]]
        names.insert(before[-1] + 1 if before else 0, name)
    return [*names, *(name for name in new if name not in place)]


def _current(standing: Sequence[Step], now: dt.datetime) -> Step | None:
    current: Step | None = None
    for step in standing:
        if step.has_begun(now) and not (current and current.begins and current.begins > step.moment):
            current = step
    return current


def clashing(policies: Sequence[Policy]) -> tuple[str, str] | None:
    """(a name that two of these policies have for a rule or a reason, the id of the second); None if there is none."""
    seen: dict[tuple[str, str], str] = {}
    for policy in policies:
        for rule in policy.rules:
            for kind, name in (("rule", rule.id), ("reason", rule.reason)):
                if seen.setdefault((kind, name), policy.id) != policy.id:
                    return name, seen[kind, name]
    return None


def left_out(policies: Sequence[Policy]) -> int:
    """How many of them cannot be together with those before them."""
    return len(policies) - len(_kept(policies))


def together(found: InForce) -> Rulebook:
    """A rulebook of what can be together. Nothing that clashes is ever let in force; yet a measure may name others
    later, and then who comes last stays out and everybody is looked at by hand."""
    kept = _kept(found.policies)
    return Rulebook(kept, unreadable=bool(found.unread) or len(kept) < len(found.policies))


def _kept(policies: Sequence[Policy]) -> list[Policy]:
    kept: list[Policy] = []
    for policy in policies:
        if not clashing([*kept, policy]):
            kept.append(policy)
    return kept
