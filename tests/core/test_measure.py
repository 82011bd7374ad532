"""A measure is in force from its first moment to just before its last; without one, nothing may be asked."""

import datetime as dt

import msgspec
import pytest

from motma.core.errors import Conflict
from motma.core.measure import Measure, active_measure, require_measure
from motma.measures import load_demo_measure

NOW = dt.datetime(2026, 1, 18, 7, 0, tzinfo=dt.UTC)
SECOND = dt.timedelta(seconds=1)


def measure(id: str, starts: int, ends: int) -> Measure:
    """In force from ``starts`` to ``ends``, in seconds from NOW."""
    return msgspec.structs.replace(
        load_demo_measure(NOW), id=id, starts_at=NOW + starts * SECOND, ends_at=NOW + ends * SECOND
    )


@pytest.mark.parametrize(
    ("starts", "ends", "active"), [(0, 1, True), (-1, 0, False), (1, 2, False), (-5, 5, True), (0, 0, False)]
)
def test_in_force(starts: int, ends: int, active: bool) -> None:
    one = measure("a", starts, ends)
    assert one.active_at(NOW) is active
    assert active_measure([one], NOW) == (one if active else None)


def test_of_several_the_one_that_started_last() -> None:
    older, newer, over = measure("older", -9, 9), measure("newer", -3, 3), measure("over", -1, 0)
    assert active_measure([newer, over, older], NOW) == newer
    assert active_measure([older, newer, over], NOW) == newer


def test_without_one_nothing_may_be_asked() -> None:
    assert require_measure([measure("a", -1, 1)], NOW).id == "a"
    with pytest.raises(Conflict) as refused:
        require_measure([measure("a", 1, 2)], NOW)
    assert refused.value.code == "measure.none_active"
    assert "chưa có gì được lưu" in refused.value.words.vi


def test_the_demonstration_says_that_it_is_fictional() -> None:
    demo = load_demo_measure(NOW)
    assert demo.active_at(NOW) and "Fictional" in demo.legal_basis.en and "giả định" in demo.legal_basis.vi
    assert demo.ends_at - demo.starts_at == dt.timedelta(days=90)
