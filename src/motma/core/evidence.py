"""What a verdict rests on, and the plain JSON document of it that rules read.

The document is built once per decision. :data:`FIELDS` names every field that it has; ``docs/policies.md`` says what
each means.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from motma.core.claims import Worth
from motma.core.code import Liveness, VerifiedCode
from motma.core.facts import Standing
from motma.core.flow import Advice
from motma.core.identity import Grade
from motma.core.ids import are_twins, fact_id_bytes


@dataclass(frozen=True, slots=True)
class Evidence:
    """All that a verdict rests on.

    ``code`` is the verified code if one was shown, ``problem`` the error code of one that did not verify;
    ``standing`` is what the store says of the citizen (None: nothing). ``by_hand``: the kinds of ``liveness`` for
    which the measure asks the officer to look at the document; ``plain``: the citizen was named by a text that nobody
    signed. ``somebody_else``: another issuer's code bears the citizen's number, and not the name and birth date that
    they declared. ``refer`` is set while a diversion is open.
    """

    code: VerifiedCode | None = None
    problem: str | None = None
    standing: Standing | None = None
    liveness: Liveness = "static"
    by_hand: frozenset[Liveness] = frozenset()
    plain: bool = False
    somebody_else: bool = False
    measure_active: bool = True
    refer: Advice | None = None


MOMENT, TRUTH, TEXT = "date-time", "truth", "text"
"""Kinds of fields: a date-time with its zone, to the millisecond; true or false; any text."""

_LIVENESS = frozenset({"live", "stale", "static"})
_WORTH = {worth: worth.name.lower() for worth in Worth}

FIELDS: Mapping[str, str | frozenset[str]] = {
    "now": MOMENT,
    "measure.by_hand": _LIVENESS,
    "code.problem": TEXT,
    "code.verified": TRUTH,
    "code.plain": TRUTH,
    "code.liveness": _LIVENESS,
    "code.matched": TRUTH,
    "code.worth": frozenset(_WORTH.values()),
    "code.issued": MOMENT,
    "code.from": MOMENT,
    "code.until": MOMENT,
    "code.of_declaration": TRUTH,
    "code.superseded": TRUTH,
    "code.somebody_else": TRUTH,
    "standing.revoked": TRUTH,
    "standing.suspended": TRUTH,
    "declaration.grade": frozenset(map(str, Grade)),
    "declaration.health": frozenset({"clear", "contact", "symptoms"}),
    "declaration.at": MOMENT,
    "declaration.from": MOMENT,
    "declaration.until": MOMENT,
    "diversion.open": TRUTH,
}
"""Path -> what lies there: a kind, or the texts that can. ``measure.by_hand`` holds an array of them."""
PARTS = frozenset(path.partition(".")[0] for path in FIELDS if "." in path)
"""What the fields stand in. ``standing`` and ``declaration`` are null while nothing is known of the citizen."""
LISTS = frozenset({"measure.by_hand"})

SPECIMEN: Mapping[str, Any] = {
    "now": "2026-01-18T07:00:00.000Z",
    "measure": {"by_hand": ["stale"]},
    "code": {
        "problem": None,
        "verified": True,
        "plain": False,
        "liveness": "live",
        "matched": True,
        "worth": "accept",
        "issued": "2026-01-18T06:00:00.000Z",
        "from": "2026-01-18T06:00:00.000Z",
        "until": "2026-01-21T06:00:00.000Z",
        "of_declaration": True,
        "superseded": False,
        "somebody_else": False,
    },
    "standing": {"revoked": False, "suspended": False},
    "declaration": {
        "grade": "matched",
        "health": "clear",
        "at": "2026-01-18T06:00:00.000Z",
        "from": "2026-01-18T06:00:00.000Z",
        "until": "2026-01-21T06:00:00.000Z",
    },
    "diversion": {"open": False},
}
"""Of somebody who declared an hour ago, is known, well, and shows a live code: what a rule's tests are laid over."""


def document(evidence: Evidence, now: dt.datetime) -> dict[str, Any]:
    """``evidence`` at ``now`` as rules read it. What does not exist is null."""
    code, standing = evidence.code, evidence.standing
    said = what_the_code_rests_on(code, standing) if standing else None
    shown: dict[str, Any] = {
        "problem": evidence.problem,
        "verified": code is not None,
        "plain": evidence.plain,
        "liveness": evidence.liveness if code or evidence.plain else None,  # a typed number has none
        "somebody_else": evidence.somebody_else,
        "superseded": False,
        "of_declaration": False,
        "matched": None,
        "worth": None,
        "issued": None,
        "from": None,
        "until": None,
    }
    if code:
        claims = code.claims
        shown["matched"] = claims.matched
        shown["worth"] = _WORTH[claims.worth]
        shown["issued"] = _second(claims.issued)
        shown["from"] = _second(claims.begins)
        shown["until"] = _second(claims.expires)
        if said:
            newest = said.code is None or are_twins(claims.code_id, fact_id_bytes(said.code))
            shown["superseded"] = not newest
            shown["of_declaration"] = (newest and said.code is not None) or are_twins(
                claims.code_id, fact_id_bytes(said.declaration)
            )
    return {
        "now": _instant(now),
        "measure": {"by_hand": _in_order(evidence.by_hand)},
        "code": shown,
        "standing": {"revoked": standing.revoked, "suspended": standing.suspended} if standing else None,
        "declaration": {
            "grade": said.grade.value,
            "health": said.health,
            "at": _instant(said.declared_at),
            "from": _instant(said.valid_from),
            "until": _instant(said.valid_until),
        }
        if said
        else None,
        "diversion": {"open": evidence.refer is not None},
    }


def _instant(moment: dt.datetime) -> str:
    """RFC 3339 in UTC, to the millisecond. From tables, in a third of the time that ``isoformat`` takes."""
    if moment.tzinfo is not dt.UTC:
        moment = moment.astimezone(dt.UTC)
    minute = _MINUTES[moment.hour * 60 + moment.minute]
    return _day(moment.toordinal()) + minute + _SECONDS[moment.second] + _THOUSANDTHS[moment.microsecond // 1000]


def _second(since_1970: int) -> str:
    """The same, of whole seconds since 1970."""
    days, rest = divmod(since_1970, 86_400)
    minutes, seconds = divmod(rest, 60)
    return _day(_EPOCH + days) + _MINUTES[minutes] + _WHOLE_SECONDS[seconds]


@lru_cache(maxsize=64)
def _day(ordinal: int) -> str:
    return dt.date.fromordinal(ordinal).isoformat()


_EPOCH = dt.date(1970, 1, 1).toordinal()
_MINUTES = [f"T{hour:02}:{minute:02}:" for hour in range(24) for minute in range(60)]
_SECONDS = [f"{second:02}." for second in range(60)]
_WHOLE_SECONDS = [f"{second:02}.000Z" for second in range(60)]
_THOUSANDTHS = [f"{thousandth:03}Z" for thousandth in range(1000)]


@lru_cache(maxsize=8)
def _in_order(kinds: frozenset[Liveness]) -> list[str]:
    return sorted(kinds)


def what_the_code_rests_on(code: VerifiedCode | None, standing: Standing) -> Standing:
    """The declaration that the code in hand was issued on if it still waits for the register, else what is known."""
    waiting = standing.waiting
    return waiting if waiting and code and is_of(code.claims.code_id, waiting) else standing


def is_of(code_id: bytes, declared: Standing) -> bool:
    """Whether a code (by its 16 bytes) was issued on this declaration, when it was made or since."""
    known = (declared.declaration, declared.code) if declared.code else (declared.declaration,)
    return any(are_twins(code_id, fact_id_bytes(id)) for id in known)
