"""The evaluation of names, in small: it sees every pair that it must, and nobody is taken for somebody else."""

from itertools import combinations

import pytest

from bench.edits import KINDS, Kind
from bench.names import accepts, different, main, mistaken, near_pairs, people, refusals
from motma.core.identity import NameDifference, name_difference

DRAWN = list(people(400))


def test_the_same_seed_draws_the_same_people() -> None:
    assert list(people(50, 7)) == list(people(50, 7)) != list(people(50, 8))
    assert len(set(different(300))) == 300


def test_no_near_pair_is_overlooked() -> None:
    """The pairs that share a key against every pair there is; some words are typed in Telex, so that it counts too."""
    names = [
        *different(120),
        "Nguyeenx Vawn An",
        "Nguyễn Văn An",
        "Nguyễn VănAn",
        "Nguyễn An",
        "Trần Thij Hoaf",
        "Trần Thị Hòa",
        "TrầnThị Hòa",
    ]
    keyed = near_pairs(names)
    for one, other in combinations(range(len(names)), 2):
        both = {name_difference(names[one], names[other]), name_difference(names[other], names[one])}
        assert both == {NameDifference.DIFFERENT} or (one, other) in keyed, (names[one], names[other])


def test_nobody_is_taken_for_somebody_else() -> None:
    found = accepts(different(2_500))
    assert mistaken(found) == []
    for how in (NameDifference.TONES, NameDifference.MARKS, NameDifference.SLIP, NameDifference.WORD):
        assert found[how], f"no pair differs by {how}: nothing was put to the test"


def test_two_names_in_one_would_be_found() -> None:
    assert mistaken({NameDifference.SAME: [("An", "An")], NameDifference.STYLE: [("Lý", "Lí"), ("Vy", "Vi")]}) == [
        ("Vy", "Vi")
    ]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_an_edit_is_graded_as_expected(kind: Kind) -> None:
    grades, _ = refusals(kind, DRAWN)
    # What falls short is written in keys that no Vietnamese syllable comes of (Kpă), or is no slip any more.
    least = {"matched": 0.97, "repairable": 0.98, "mismatched": 0.8}[kind.expected]
    assert grades[kind.expected] >= least * grades.total() > 0


def test_the_command_prints_both_tables(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--people", "100", "--names", "200"]) == 0
    printed = capsys.readouterr().out
    assert "19,900 pairs of 200 different names" in printed and "Telex" in printed and "Jaro-Winkler" in printed
