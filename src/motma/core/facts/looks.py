"""Who looked at whom, and what came of it."""

import datetime as dt
from typing import Literal

import msgspec

from motma.core.code import Liveness

NOTHING_SEEN = msgspec.Raw(b"null")


class Companion(msgspec.Struct, frozen=True):
    """A code that was shown along with somebody's: its kind and what it was worth, nothing of what it says."""

    kind: str
    worth: str


class Scanned(msgspec.Struct, frozen=True, tag="scan.made"):
    """Somebody was looked at, whatever came of it; refused and failed scans too.

    ``scanned_at`` is the device's time, ``skew_seconds`` what it was measured to be ahead of the server. ``along``:
    what else the person showed; ``along_mark`` a keyed hash of it and of this scan, like no other scan's, which tells
    whether a scan that is sent again is the same one. ``failed``: the rules that had no value. ``seen``: the evidence
    that it was judged on (:mod:`motma.core.seen`), null where no rule was asked, or before evidence was kept.
    """

    device: str
    officer: str
    carrier: str
    code_id: str
    outcome: str
    reasons: tuple[str, ...]
    known: bool
    refer_to: str
    scanned_at: dt.datetime
    skew_seconds: float
    live: Liveness | Literal[""] = ""
    along: tuple[Companion, ...] = ()
    along_mark: str = ""
    failed: tuple[str, ...] = ()
    seen: msgspec.Raw = NOTHING_SEEN


class LookedUp(msgspec.Struct, frozen=True, tag="plate.looked_up"):
    """An officer asked who travels in a vehicle; once without a citizen, and once for each citizen it brought up."""

    device: str
    officer: str
