"""``make eval-names``: whom the comparison of names turns away, and whom it mistakes for somebody else.

Names are recombined from the parts that the fictional register is made of, with a fixed seed. False refusals: what
becomes of a name after one edit of each kind. False accepts: all pairs of different names, of which only those that
share a key need be compared.
"""

import argparse
import random
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from itertools import combinations

from rapidfuzz import process
from rapidfuzz.distance import OSA, JaroWinkler
from rich.console import Console
from rich.table import Table

from bench.edits import KINDS, Kind
from motma.core.errors import Invalid
from motma.core.identity import NameDifference, name_difference
from motma.core.keystrokes import typed_out
from motma.core.text import bare_letters, name_key, name_words, parse_name, settle
from motma.register import names

SEED = 2021
GRADES = ("matched", "repairable", "mismatched", "refused")
_HARMLESS = (NameDifference.SAME, NameDifference.STYLE)


def people(count: int, seed: int = SEED) -> Iterator[str]:
    """``count`` names as the register draws them, most by far Kinh, of every generation; the common ones often."""
    rng = random.Random(seed)
    for _ in range(count):
        drawn, male = rng.random(), rng.random() < 0.5
        if drawn < 0.01:
            yield _spelled(rng.choice(names.FOREIGN)[1], rng)
        elif drawn < 0.06:
            yield _spelled(rng.choice(names.HIM_OTHER_PEOPLES if male else names.HER_OTHER_PEOPLES), rng)
        else:
            family = rng.choice(names.FAMILIES_SOUTH if rng.random() < 0.5 else names.FAMILIES_NORTH)
            given = _spelled(rng.choice(rng.choice(names.HIM if male else names.HER)), rng)
            yield f"{family} {given}"


def _spelled(recipe: names.Recipe, rng: random.Random) -> str:
    return " ".join([rng.choice(wheel) for wheel in recipe])


def different(count: int, seed: int = SEED) -> list[str]:
    """``count`` names that differ as texts, in the order in which they were first drawn."""
    found: dict[str, None] = {}
    for name in people(count * 50, seed):
        found[name] = None
        if len(found) == count:
            break
    return list(found)


def refusals(kind: Kind, drawn: Iterable[str], seed: int = SEED) -> tuple[Counter[str], Counter[NameDifference]]:
    """What becomes of names after one edit: how many of each grade, and of each difference. Untouched names count
    for nothing."""
    rng, grades, hows = random.Random(f"{seed} {kind.name}"), Counter[str](), Counter[NameDifference]()
    for name in drawn:
        typed = kind.edit(name, rng)
        if typed == name:
            continue
        try:
            how = name_difference(parse_name(typed), name)
        except Invalid:
            grades["refused"] += 1
            continue
        hows[how] += 1
        grades[
            "matched" if how in _HARMLESS else "mismatched" if how is NameDifference.DIFFERENT else "repairable"
        ] += 1
    return grades, hows


def near_pairs(people: list[str]) -> set[tuple[int, int]]:
    """All pairs of places whose names may be nearer than different, and few others: pairs that share a key."""
    whole: dict[str, set[int]] = defaultdict(set)
    shared: dict[tuple[str, ...], set[int]] = defaultdict(set)
    looked_up: list[tuple[int, str]] = []
    for at, name in enumerate(people):
        for reading in {name, typed_out(name)}:
            words, key = name_words(reading), name_key(reading)
            parts = key.split(" ")
            whole[key].add(at)
            shared["bare", *(settle(bare_letters(letters)) for letters, _ in words)].add(at)
            shared["order", *sorted(parts)].add(at)
            shared["together", "".join([letters for letters, _ in words])].add(at)
            for place in range(len(key)):
                shared["letter", key[:place], key[place + 1 :]].add(at)
                looked_up.append((at, key[:place] + key[place + 1 :]))
                looked_up.append((at, key[:place] + key[place : place + 2][::-1] + key[place + 2 :]))
            looked_up += [(at, " ".join(parts[:place] + parts[place + 1 :])) for place in range(len(parts))]
    pairs = {pair for places in [*whole.values(), *shared.values()] for pair in combinations(sorted(places), 2)}
    for at, key in looked_up:
        pairs.update([(min(at, other), max(at, other)) for other in whole.get(key, ()) if other != at])
    return pairs


def accepts(people: list[str]) -> dict[NameDifference, list[tuple[str, str]]]:
    """The pairs of different names that are nearer than different, by the nearer of both directions."""
    found: dict[NameDifference, list[tuple[str, str]]] = {how: [] for how in NameDifference}
    for one, other in near_pairs(people):
        a, b = people[one], people[other]
        how = min(name_difference(a, b), name_difference(b, a), key=lambda difference: difference.rank)
        if how is not NameDifference.DIFFERENT:
            found[how].append((a, b))
    return found


def mistaken(found: dict[NameDifference, list[tuple[str, str]]]) -> list[tuple[str, str]]:
    """Those of :func:`accepts` that match although their keys differ: two people taken for one."""
    return [(a, b) for how in _HARMLESS for a, b in found[how] if name_key(a) != name_key(b)]


def likeness(people: list[str]) -> dict[str, int]:
    """How many pairs plain likeness would take for one name."""
    bare = Counter(" ".join([bare_letters(letters) for letters, _ in name_words(name)]) for name in people)
    lower = [name.lower() for name in people]
    near = alike = 0
    for at, name in enumerate(lower):
        rest = lower[at + 1 :]
        near += len(process.extract(name, rest, scorer=OSA.distance, processor=None, score_cutoff=1, limit=None))
        alike += len(process.extract(name, rest, scorer=JaroWinkler.similarity, score_cutoff=0.92, limit=None))
    return {
        "tones dropped": sum(count * (count - 1) // 2 for count in bare.values()),
        "edit distance of one": near,
        "Jaro-Winkler of 0.92": alike,
    }


def main(arguments: list[str] | None = None) -> int:
    """Print both tables; the exit code is 1 if two people were taken for one, or harmless edits cost 1 % of names."""
    parser = argparse.ArgumentParser(prog="make eval-names", description=__doc__.partition("\n")[0])
    parser.add_argument("--people", type=int, default=5_000, help="names that are edited")
    parser.add_argument("--names", type=int, default=7_649, help="different names, all pairs of which are compared")
    parser.add_argument("--seed", type=int, default=SEED)
    asked = parser.parse_args(arguments)
    console, began = Console(width=110), time.monotonic()

    drawn = list(people(asked.people, asked.seed))
    table = Table("edit", "expected", "names", *GRADES, "how", title=f"One edit each, of {len(drawn):,} names, in %")
    harmless = refused = 0
    for kind in KINDS:
        grades, hows = refusals(kind, drawn, asked.seed)
        total = grades.total() or 1
        if kind.expected == "matched":
            harmless += total
            refused += total - grades["matched"]
        shares = [f"{100 * grades[grade] / total:.1f}" if grades[grade] else "" for grade in GRADES]
        most = " ".join(f"{how} {count:,}" for how, count in hows.most_common(3) if how not in _HARMLESS)
        table.add_row(kind.name, kind.expected, f"{grades.total():,}", *shares, most)
    console.print(table)
    console.print(f"harmless edits that do not match: {100 * refused / harmless:.2f} % of {harmless:,}")

    apart = different(asked.names, asked.seed)
    pairs = len(apart) * (len(apart) - 1) // 2
    found = accepts(apart)
    wrong = mistaken(found)
    table = Table("taken for", "pairs", "such as", title=f"{pairs:,} pairs of {len(apart):,} different names")
    del found[NameDifference.DIFFERENT]
    for how, alike in found.items():
        example = " / ".join(min(alike)) if alike else ""
        table.add_row(f"matched, {how}" if how in _HARMLESS else f"repairable, {how}", f"{len(alike):,}", example)
    table.add_row("matched, though their keys differ", f"{len(wrong):,}", " / ".join(wrong[0]) if wrong else "")
    table.add_section()
    for measure, count in likeness(apart).items():
        table.add_row(f"(likeness alone) {measure}", f"{count:,}", "")
    console.print(table)
    console.print(f"{time.monotonic() - began:.0f} s, seed {asked.seed}")
    return 1 if wrong or refused > harmless / 100 else 0


if __name__ == "__main__":
    sys.exit(main())
