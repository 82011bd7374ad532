"""What is in force: steps in the order of approval, whatever the clocks do."""

import datetime as dt
from dataclasses import dataclass, field

from hypothesis import given
from hypothesis import strategies as st

from motma.core.facts import (
    Fact,
    PolicyApproved,
    PolicyDrafted,
    PolicyRolledBack,
    PolicyScheduled,
    PolicyWithdrawn,
    What,
)
from motma.core.ids import FactId
from motma.core.policy.enacted import Enacted, Step, fold_policies

NOW = dt.datetime(2026, 1, 18, 7, 0, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)
BASE = ("code", "health")


@dataclass
class Desk:
    """Operators at work: each act is a fact at ``now``."""

    now: dt.datetime = NOW
    facts: list[Fact] = field(default_factory=list)

    def tell(self, what: What, by: str) -> FactId:
        id = FactId(f"pol_{len(self.facts):026}")
        self.facts.append(Fact(id=id, at=self.now, actor=by, what=what))
        return id

    def draft(self, policy: str = "health", version: int = 2, *, by: str = "A", off: bool = False) -> FactId:
        return self.tell(PolicyDrafted(policy, version, f"{policy}{version}", "" if off else "{}", ""), by)

    def approve(self, draft: FactId, begins: dt.datetime | None = None, *, by: str = "B") -> FactId:
        policy = next(fact.what.policy for fact in self.facts if fact.id == draft)  # type: ignore[union-attr]
        self.tell(PolicyApproved(draft, policy, begins), by)
        return draft

    def enact(self, version: int, begins: dt.datetime | None = None, policy: str = "health") -> FactId:
        return self.approve(self.draft(policy, version), begins)

    def roll_back(self, draft: FactId) -> None:
        self.tell(PolicyRolledBack(draft, "health"), "C")

    @property
    def enacted(self) -> Enacted:
        return fold_policies(self.facts)

    def version(self, policy: str = "health", at: dt.datetime | None = None) -> int | None:
        """0: switched off; None: as it ships."""
        step = self.enacted.current(policy, at or self.now)
        return None if step is None else 0 if step.is_off else step.version


def names(enacted: Enacted, now: dt.datetime = NOW) -> list[tuple[str, int | None]]:
    return [(name, step.version if step else None) for name, step in enacted.in_force(BASE, now)]


def test_nothing_happened_all_is_as_it_ships() -> None:
    assert names(Enacted()) == [("code", None), ("health", None)]
    assert Enacted().changes_at(NOW) is None


def test_a_draft_decides_nothing_until_somebody_else_approves_it() -> None:
    desk = Desk()
    draft = desk.draft()
    assert desk.version() is None
    step = desk.enacted.draft_of("health")
    assert step and step.draft == draft
    desk.approve(draft, by="A")
    assert desk.version() is None, "their own"
    desk.approve(draft, by="B")
    assert desk.version() == 2 and desk.enacted.draft_of("health") is None


def test_whoever_changed_a_draft_is_an_author_of_it_too() -> None:
    desk = Desk()
    first = desk.draft(by="A")
    changed = desk.draft(by="B")
    assert desk.enacted.steps[first].ended == "replaced" and desk.enacted.steps[changed].authors == ("A", "B")
    for who in ("A", "B"):
        desk.approve(changed, by=who)
    desk.approve(first, by="C")
    assert desk.version() is None, "one approved is not the one that there is"
    desk.approve(changed, by="C")
    assert desk.version() == 2
    third = desk.draft(version=3, by="C")
    assert desk.enacted.steps[third].authors == ("C",), "a new one is nobody's yet"


def test_an_approval_counts_once() -> None:
    desk = Desk()
    draft = desk.approve(desk.draft())
    before = desk.enacted.steps[draft]
    desk.now += HOUR
    desk.approve(draft, desk.now + HOUR, by="C")
    assert desk.enacted.steps[draft] == before


def test_it_begins_at_its_time_and_nobody_has_to_do_anything() -> None:
    desk = Desk()
    desk.enact(2, NOW + HOUR)
    assert desk.enacted.changes_at(NOW) == NOW + HOUR
    second = dt.timedelta(microseconds=1)
    assert [desk.version(at=at) for at in (NOW, NOW + HOUR - second, NOW + HOUR, NOW + 9 * HOUR)] == [None, None, 2, 2]
    assert [step.version for step in desk.enacted.waiting(NOW)] == [2] and not desk.enacted.waiting(NOW + HOUR)


def test_of_two_for_one_moment_the_one_approved_last() -> None:
    desk = Desk()
    desk.enact(2, NOW + HOUR)
    desk.enact(3, NOW + HOUR)
    assert desk.version(at=NOW + HOUR) == 3


def test_an_earlier_approval_for_a_later_time_wins_when_its_time_has_come() -> None:
    desk = Desk()
    desk.enact(2, NOW + 3 * HOUR)
    desk.enact(3, NOW + HOUR)
    desk.enact(4)
    assert [desk.version(at=NOW + n * HOUR) for n in range(5)] == [4, 3, 3, 2, 2]


def test_a_time_can_be_changed_until_it_has_come() -> None:
    desk = Desk()
    later = desk.enact(2, NOW + 5 * HOUR)
    desk.enact(3)
    desk.tell(PolicyScheduled(later, "health", None), "C")
    assert desk.version() == 2, "at once, and after the one that was approved meanwhile"
    assert desk.enacted.steps[later].settled_by == "C" and desk.enacted.steps[later].approved_by == "B"
    draft = desk.draft(version=4)
    desk.tell(PolicyScheduled(draft, "health", None), "C")
    assert desk.enacted.steps[draft].is_open, "a time is no approval"


def test_rolling_back_goes_back_step_by_step_to_what_ships() -> None:
    desk = Desk()
    two, three = desk.enact(2), desk.enact(3)
    desk.roll_back(three)
    assert desk.version() == 2
    four = desk.enact(4)
    desk.roll_back(four)
    assert desk.version() == 2, "three was rolled back itself"
    desk.roll_back(two)
    assert desk.version() is None
    desk.roll_back(two)
    desk.roll_back(FactId("pol_of_nobody"))
    assert desk.version() is None and desk.enacted.steps[two].ended_by == "C"


def test_rolling_back_twice_at_once_takes_one_step() -> None:
    desk = Desk()
    desk.enact(2)
    three = desk.enact(3)
    for _ in range(2):
        desk.roll_back(three)
    assert desk.version() == 2


def test_clocks_that_jump() -> None:
    desk = Desk(now=NOW + 1000 * HOUR)
    ahead = desk.enact(2)  # approved by a clock that is ahead
    desk.now = NOW
    assert desk.version() == 2, "at once is at once"
    desk.enact(3)
    assert desk.version() == 3
    four = desk.enact(4, NOW + HOUR)
    assert [desk.version(at=NOW + n * HOUR) for n in (0, 1, 2000)] == [3, 4, 4]
    desk.now = NOW - 1000 * HOUR
    desk.roll_back(four)
    assert desk.version(at=NOW + HOUR) == 3, "rolled back is rolled back"
    desk.roll_back(ahead)
    assert desk.version() == 3
    five = desk.enact(5, NOW + HOUR)
    assert desk.version(at=NOW + HOUR) == 5 and desk.version(at=NOW) == 3, "a clock that goes back waits again"
    desk.tell(PolicyWithdrawn(five, "health"), "C")
    assert desk.version(at=NOW + HOUR) == 3


def test_order_and_switching_off_and_on() -> None:
    desk = Desk()
    desk.enact(1, policy="night")
    desk.enact(2, policy="code")
    desk.enact(1, NOW + HOUR, policy="extra")
    assert names(desk.enacted) == [("code", 2), ("health", None), ("night", 1)]
    assert names(desk.enacted, NOW + HOUR)[-1] == ("extra", 1)
    off = desk.approve(desk.draft("health", off=True))
    assert names(desk.enacted) == [("code", 2), ("night", 1)]
    desk.approve(desk.draft("night", off=True))
    assert names(desk.enacted) == [("code", 2)]
    desk.tell(PolicyRolledBack(off, "health"), "C")
    assert names(desk.enacted) == [("code", 2), ("health", None)]
    desk.enact(2, policy="night")
    assert names(desk.enacted)[-1] == ("night", 2)
    assert [name for name, _ in desk.enacted.in_force(("night",), NOW)] == ["night", "code"], "not named: its step is"


def test_what_ships_has_its_own_place_wherever_it_is_switched_on() -> None:
    order = ("code", "health", "tests", "night", "proof")
    desk = Desk()

    def asked(*base: str) -> list[str]:
        return [name for name, _ in desk.enacted.in_force(base, NOW, order)]

    desk.enact(1, policy="mine")
    night = desk.enact(1, policy="night")
    assert asked("code", "health", "proof") == ["code", "health", "night", "proof", "mine"]
    desk.enact(1, policy="tests")
    assert asked("code", "health", "proof") == ["code", "health", "tests", "night", "proof", "mine"]
    assert asked("proof", "health", "theirs") == ["proof", "health", "tests", "night", "theirs", "mine"]
    assert asked("proof") == ["tests", "night", "proof", "mine"], "with nothing to follow it comes first"
    assert asked("night", "code") == ["night", "code", "tests", "mine"], "a measure's own order stays"
    desk.tell(PolicyRolledBack(night, "night"), "C")
    assert asked("code", "proof") == ["code", "tests", "proof", "mine"]


_ACTS = st.lists(
    st.tuples(
        st.sampled_from(["draft", "off", "approve", "schedule", "withdraw", "roll_back"]),
        st.integers(0, 5),
        st.sampled_from([None, -2, 0, 1, 3]),
        st.sampled_from("ABC"),
        st.integers(-3, 3),
    ),
    max_size=25,
)


@given(_ACTS)
def test_whatever_happens_there_is_one_answer_and_nobody_approves_what_they_wrote(
    acts: list[tuple[str, int, int | None, str, int]],
) -> None:
    desk = Desk()
    kinds = {"schedule": PolicyScheduled, "withdraw": PolicyWithdrawn, "roll_back": PolicyRolledBack}
    drafts: list[FactId] = []
    bit_by_bit = Enacted()
    for kind, n, begins, who, jump in acts:
        desk.now += jump * HOUR
        at = None if begins is None else NOW + begins * HOUR
        if kind in ("draft", "off"):
            drafts.append(desk.draft("health", n + 1, by=who, off=kind == "off"))
        elif drafts:
            draft = drafts[n % len(drafts)]
            if kind == "approve":
                desk.approve(draft, at, by=who)
            else:
                make = kinds[kind]
                desk.tell(make(draft, "health", at) if kind == "schedule" else make(draft, "health"), who)  # type: ignore[call-arg]
        bit_by_bit = fold_policies(desk.facts[bit_by_bit.version :], bit_by_bit)
    enacted = desk.enacted
    assert enacted == bit_by_bit
    steps: list[Step] = enacted.of("health")
    assert sum(step.is_open for step in steps) <= 1
    for step in steps:
        assert step.approved_by not in step.authors
    for hours in range(-3, 6):
        at = NOW + hours * HOUR
        current = enacted.current("health", at)
        able = [step for step in steps if step.has_begun(at)]
        assert (current in able) if able else current is None
    for minutes in range(-240, 300, 30):
        at = NOW + dt.timedelta(minutes=minutes)
        since, until = enacted.between(at)
        assert (since is None or since <= at) and (until is None or until > at) and until == enacted.changes_at(at)
        for other in (since, until and until - dt.timedelta(microseconds=1)):
            assert other is None or enacted.current("health", other) == enacted.current("health", at)
