"""Lists that the population data centre may ask for by law: what each gives, and who is on it.

Nothing of health, of scans or of phones is on any list, and nobody whom the register does not know already.
"""

import datetime as dt
from collections.abc import Collection, Mapping
from typing import Literal

import msgspec

from motma.core.errors import Invalid, Problem
from motma.core.facts import Trip
from motma.core.identity import Grade, Match
from motma.core.text import parse_line
from motma.core.words import Words

PAGE_MAX = 200
WINDOW_MAX = dt.timedelta(days=31)
_BASIS_MIN, _BASIS_MAX = 10, 300

ListId = Literal["arrivals", "mismatches"]
Field = Literal["document", "name", "birth_date", "area", "declared_at", "fields", "how", "seen"]


class Listed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One list: on what ground, for whom, and which fields of each person it ``gives``, and no others."""

    id: ListId
    title: Words
    legal_basis: Words
    who: Words
    gives: tuple[Field, ...]


class ListAsk(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A question as it was sent: declarations from ``since`` to before ``until``."""

    list: str
    basis: str
    since: dt.datetime = msgspec.field(name="from")
    until: dt.datetime
    area: str | None = None
    after: str | None = None


def parse_ask(ask: ListAsk, now: dt.datetime, areas: Collection[str]) -> ListAsk:
    """``ask``, in order. Raises :class:`Invalid` ``list.fields``, field by field."""
    problems: dict[str, Problem] = {}
    basis = ""
    try:
        basis = parse_line(ask.basis, _BASIS_MAX)
    except Invalid as invalid:
        problems["basis"] = Problem(invalid.code, invalid.words)
    if "basis" not in problems and len(basis) < _BASIS_MIN:
        problems["basis"] = Problem(
            "list.basis", Words("Ghi rõ căn cứ pháp lý.", "State the legal ground in full, 10 characters at least.")
        )
    for field, at in (("from", ask.since), ("until", ask.until)):
        if at.tzinfo is None or not 1970 < at.year < 9999:
            problems[field] = Problem("time.no_zone", Words("Giờ phải kèm múi giờ.", "Times must carry a time zone."))
    if not problems and not dt.timedelta(0) < ask.until - ask.since <= WINDOW_MAX:
        problems["until"] = Problem(
            "list.window",
            Words(
                f"Phải sau giờ bắt đầu, và trong {WINDOW_MAX.days} ngày.",
                f"It must be later than the beginning, by {WINDOW_MAX.days} days at most.",
            ),
        )
    if ask.area is not None and (ask.list != "arrivals" or ask.area not in areas):
        problems["area"] = Problem(
            "list.area", Words("Không có địa bàn này trong danh sách.", "There is no such area for this list.")
        )
    if problems:
        raise Invalid("list.fields", Words("Có trường cần sửa.", "There are fields to mend."), problems)
    return msgspec.structs.replace(
        ask, basis=basis, since=ask.since.astimezone(dt.UTC), until=min(ask.until.astimezone(dt.UTC), now)
    )


def arrives(trip: Trip | None, area: str | None, areas: Collection[str]) -> bool:
    """Whether a declared trip leads into ``area`` from elsewhere; if None, into any of ``areas`` from outside."""
    if trip is None:
        return False
    if area is not None:
        return trip.destination == area != trip.origin
    return trip.destination in areas and trip.origin not in areas


def differs(found: Match, seen: str | None) -> tuple[str, ...] | None:
    """In which fields a citizen's declaration, as it is known by now, differs from the register; None: in nothing that
    the register could have wrong. ``seen``: why, as an officer with the document in hand said.

    A name may be the citizen's slip or the register's: the centre looks. Of what an officer vouches for only that the
    register is wrong may be known, and not where: (). A birth year alone (``how`` "year") is no difference.
    """
    if found.grade is Grade.REPAIRABLE and found.how != "year":
        return found.differing
    if found.grade is Grade.VOUCHED and seen in ("register_wrong", "name_changed"):
        return found.differing
    return None


def given(listed: Listed, values: Mapping[Field, object]) -> dict[str, object]:
    """Of ``values`` what the list gives."""
    return {field: values[field] for field in listed.gives}
