"""The comparison of a claim with the register's record, in microseconds on one core."""

import datetime as dt
import random
import statistics
import time

from bench.edits import KINDS
from bench.names import SEED, people
from motma.core.errors import Invalid
from motma.core.identity import IdentityClaim, RegisterRecord, compare
from motma.core.ids import Document
from motma.core.text import parse_name

_PEOPLE, _ROUNDS = 1_500, 21
_DOCUMENT, _BORN = Document("cccd", "999187123456"), dt.date(1987, 1, 18)


def ratios() -> dict[str, float]:
    """CPU time of one comparison, median of rounds: of names as they stand on the card, and of every kind of edit
    in equal parts, with the slowest kind by itself."""
    rng, drawn = random.Random(SEED), list(people(_PEOPLE))
    edited = {kind.name: [(claim(kind.edit(name, rng)), name) for name in drawn[::10]] for kind in KINDS}
    by_kind = {kind: microseconds(asked) for kind, asked in edited.items()}
    return {
        "compare_same_name_microseconds": microseconds([(claim(name), name) for name in drawn]),
        "compare_edited_name_microseconds": statistics.fmean(by_kind.values()),
        "compare_slowest_edit_microseconds": max(by_kind.values()),
    }


def claim(typed: str) -> IdentityClaim | None:
    """The claim as the form reads it; ``None`` for what the form refuses."""
    try:
        return IdentityClaim(_DOCUMENT, parse_name(typed), _BORN)
    except Invalid:
        return None


def microseconds(asked: list[tuple[IdentityClaim | None, str]]) -> float:
    """Median over rounds of the CPU time of one comparison."""
    pairs = [(said, RegisterRecord(name, _BORN)) for said, name in asked if said]

    def once() -> float:
        started = time.thread_time()
        for said, record in pairs:
            compare(said, record)
        return (time.thread_time() - started) / len(pairs) * 1e6

    once()
    return statistics.median(once() for _ in range(_ROUNDS))


if __name__ == "__main__":
    for name, value in ratios().items():
        print(f"{name} {value:.1f}")
