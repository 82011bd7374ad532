"""One word for where a citizen stands, for systems that show it beside a code."""

import datetime as dt
from typing import Literal

from motma.core.facts import Standing

State = Literal["good", "check", "withdrawn", "suspended", "expired", "unknown"]
"""``good``: may travel; ``check``: somebody has to look, at the document or at their health; ``unknown``: nobody ever
declared under this number. A verdict at a checkpoint knows more (:mod:`motma.core.decision`)."""


def state_of(standing: Standing | None, now: dt.datetime) -> State:
    """The gravest that holds of ``standing`` at ``now``."""
    if standing is None:
        return "unknown"
    if standing.revoked:
        return "withdrawn"
    if standing.suspended:
        return "suspended"
    if not now < standing.valid_until:
        return "expired"
    well = standing.grade.is_sure and standing.health_at(now) == "clear"
    return "good" if well and standing.valid_from <= now else "check"
