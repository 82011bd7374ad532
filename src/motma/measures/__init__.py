"""Measures (biện pháp) that come with the house: only the demonstration's, and it is fictional; the published list of
groups that permits were given to; and the lists that the population data centre may be given.

A real measure is published by an operator and lives in the store.
"""

import datetime as dt
from functools import cache
from importlib.resources import files

import msgspec

from motma.core.lists import Listed
from motma.core.measure import Measure
from motma.core.permit import Groups
from motma.core.words import Words

_STARTED_BEFORE = dt.timedelta(days=1)


def load_demo_measure(now: dt.datetime) -> Measure:
    """The demonstration's measure, moved in time: in force since one day before ``now``, for 90 days.

    The file's own dates are those of August 2021, when the city's checkpoints stood.
    """
    measure = msgspec.json.decode((files(__package__) / "demo.json").read_bytes(), type=Measure)
    starts_at = (now - _STARTED_BEFORE).astimezone(dt.UTC)
    return msgspec.structs.replace(
        measure, starts_at=starts_at, ends_at=starts_at + (measure.ends_at - measure.starts_at)
    )


@cache
def load_permit_groups() -> Groups:
    """The groups of August 2021, as far as they are known; each says what in it is assumed."""
    return msgspec.json.decode((files(__package__) / "permit-groups.json").read_bytes(), type=Groups)


class _Lists(msgspec.Struct, frozen=True):
    note: Words
    lists: tuple[Listed, ...]


@cache
def load_lists() -> dict[str, Listed]:
    """Every list that a measure may name, by id."""
    read = msgspec.json.decode((files(__package__) / "lists.json").read_bytes(), type=_Lists)
    return {one.id: one for one in read.lists}
