"""A measure (biện pháp): the legal act that switches declaration on. No measure, no collection."""

import datetime as dt
from collections.abc import Iterable

import msgspec

from motma.core.code import Liveness
from motma.core.errors import Conflict
from motma.core.words import Words


class Measure(msgspec.Struct, frozen=True, kw_only=True):
    """Who asks for what, where, from when to when, and for how long each thing lives.

    ``areas`` are province codes of the year ``vintage``; empty means the whole country. ``pending_hours`` is how long
    somebody may travel while the population register cannot be asked. ``by_hand`` names the codes for which the
    officer looks at the document as well: ``static`` ones (pictures, paper), ``stale`` ones (a live proof that is old).
    ``with_sex``: the code says the sex too. ``accepts``: how a name may differ from the register's and still be a match
    (:class:`motma.core.identity.NameDifference`); ``tries_a_day``: how often a number may be declared and not fit.
    ``policies`` names what decides at its checkpoints, in order; of none, the default of the house. ``lists`` names
    what the population data centre may be given (:mod:`motma.core.lists`); of none, nothing.
    """

    id: str
    title: Words
    legal_basis: Words
    disease: Words
    areas: tuple[str, ...]
    starts_at: dt.datetime
    ends_at: dt.datetime
    form: str
    pass_hours: int
    pending_hours: int
    keep_days: int
    vintage: int = 2025
    by_hand: tuple[Liveness, ...] = ("stale",)
    with_sex: bool = False
    accepts: tuple[str, ...] = ()
    tries_a_day: int = 5
    policies: tuple[str, ...] = ()
    lists: tuple[str, ...] = ()

    def active_at(self, now: dt.datetime) -> bool:
        return self.starts_at <= now < self.ends_at


def active_measure(measures: Iterable[Measure], now: dt.datetime) -> Measure | None:
    """The measure in force at ``now``; if several are, the one that started last."""
    return max((measure for measure in measures if measure.active_at(now)), key=lambda m: m.starts_at, default=None)


def require_measure(measures: Iterable[Measure], now: dt.datetime) -> Measure:
    """The measure in force, or :class:`Conflict` ``measure.none_active``: then nothing may be asked or stored."""
    measure = active_measure(measures, now)
    if measure is None:
        raise Conflict(
            "measure.none_active",
            Words(
                "Hiện không có biện pháp nào yêu cầu khai báo. Bạn không cần khai gì; chưa có gì được lưu.",
                "No measure asks for a declaration now. You need not declare anything; nothing was stored.",
            ),
        )
    return measure
