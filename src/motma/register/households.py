"""Who lives with whom: seven neighbours share two homes; children have a guardian; some pairs are twins.

Seven because a home then has three and a half people (2019 census: 3.6). Everything follows from who the seven are, in
whole numbers and in an order that does not depend on the machine.
"""

from dataclasses import dataclass, field
from functools import cache
from typing import NamedTuple

from rapidfuzz.distance import OSA

from motma.core.text import fold
from motma.register import names

BLOCK = 7
"""So many people, one after the other, are neighbours."""

_CHILD_FROM = 2008
"""Born in this year or later: a child, who has a guardian."""

_TWINS_OF = 12  # blocks of so many have a pair of twins: then two of a hundred people are twins
_GAP_LEAST, _GAP_MOST, _GAP_USUAL = 16, 50, 28  # years between a child and who looks after it


class Outline(NamedTuple):
    """What decides where somebody belongs.

    ``place`` is their index in the population, ``who`` 64 bits, ``number`` the seven free digits of the ID number.
    """

    place: int
    who: int
    number: int
    year: int
    male: bool


@dataclass(slots=True)
class Block:
    """Neighbours by index, foreigners left out."""

    people: dict[int, Outline]
    homes: dict[int, int] = field(default_factory=dict)
    """Everybody -> the one of the home whose address it is."""
    guardians: dict[int, int] = field(default_factory=dict)
    """A child -> who looks after it."""
    fathers: dict[int, int] = field(default_factory=dict)
    """A child -> the man of the home whose family name it bears."""
    twins: dict[int, int] = field(default_factory=dict)
    """The second twin -> the first."""


def settle(people: list[Outline], bits: int) -> Block:
    """Give everybody of a block a home. ``bits``: 64 random bits of the block's own."""
    people, twins = _with_twins(people) if bits % _TWINS_OF == 0 else (people, {})
    block = Block({one.place: one for one in people}, twins=twins)
    homes = block.homes
    adults = [one for one in people if one.year < _CHILD_FROM]
    settlers = adults or people  # children only: they live somewhere, and nobody is their guardian
    for turn, one in enumerate(settlers):
        homes[one.place] = settlers[turn & 1 if len(settlers) > 1 else 0].place
    if len(settlers) < len(people):
        for child in people:
            if child.year >= _CHILD_FROM:
                _place_child(block, child, adults)
    for second, first in twins.items():
        homes[second] = homes[first]
    return block


def _place_child(block: Block, child: Outline, adults: list[Outline]) -> None:
    usual = child.year - _GAP_USUAL
    grown = [adult for adult in adults if _GAP_LEAST <= child.year - adult.year <= _GAP_MOST]
    if not grown:
        block.homes[child.place] = block.homes[adults[0].place]  # lives there, but nobody is its guardian
        return
    guardian = _nearest(grown, usual)
    block.guardians[child.place] = guardian.place
    home = block.homes[child.place] = block.homes[guardian.place]
    if not guardian.male:
        men = [adult for adult in grown if adult.male and block.homes[adult.place] == home]
        if not men:
            return
        guardian = _nearest(men, usual)
    block.fathers[child.place] = guardian.place


def _nearest(adults: list[Outline], year: int) -> Outline:
    """Who was born nearest to this year; the first of equals, so that twins have the same."""
    best, least = adults[0], 1000
    for adult in adults:
        gap = abs(adult.year - year)
        if gap < least:
            best, least = adult, gap
    return best


def _with_twins(people: list[Outline]) -> tuple[list[Outline], dict[int, int]]:
    """The same people, two of whom have become twins. Their years must end alike: that digit is in their numbers."""
    for one, first in enumerate(people):
        for other in range(one + 1, len(people)):
            second = people[other]
            if second.number // 1_000_000 == first.number // 1_000_000:
                as_first = second._replace(year=first.year, male=first.male)
                return [*people[:other], as_first, *people[other + 1 :]], {second.place: first.place}
    return people, {}


def near_name(name: str, *, male: bool, bits: int) -> str:
    """What parents call the second twin: one mark or one letter away where there is such a name (Ân after An).

    Never the same name: twins would differ by nothing but their numbers.
    """
    *rest, last = name.split(" ")
    near = _near_words(male).get(last) or [other for other in names.given_names(male) if other != last]
    return " ".join([*rest, near[bits % len(near)]])


@cache
def _near_words(male: bool) -> dict[str, tuple[str, ...]]:
    """Given names -> those that differ by their marks only; where there is none, by one letter; by two."""
    given = names.given_names(male)
    found = {}
    for word in given:
        others = [other for other in given if other != word]
        near = [other for other in others if fold(other) == fold(word)]
        for letters in (1, 2):
            near = near or [other for other in others if OSA.distance(word, other) == letters]
        if near:
            found[word] = tuple(near)
    return found
