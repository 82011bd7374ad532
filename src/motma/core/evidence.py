"""What a verdict rests on, and the plain JSON document of it that rules read.

The document is built once per decision. :data:`FIELDS` names every field that it has; ``docs/policies.md`` says what
each means.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from motma.core.certificate import Certificate
from motma.core.claims import Worth
from motma.core.code import Liveness, VerifiedCode
from motma.core.facts import Standing, worse
from motma.core.flow import Advice, Checkpoint, direction
from motma.core.identity import Grade
from motma.core.ids import are_twins, fact_id_bytes
from motma.core.permit import Permit


@dataclass(frozen=True, slots=True)
class AsOf:
    """How fresh what was used is: when it was so. ``standing`` None: nobody was asked. ``status``: lists of codes."""

    standing: dt.datetime | None = None
    keys: dt.datetime | None = None
    status: dt.datetime | None = None
    rules: dt.datetime | None = None


UNTOLD = AsOf()


@dataclass(frozen=True, slots=True)
class Evidence:
    """All that a verdict rests on.

    ``code`` is the verified code if one was shown, ``problem`` the error code of one that did not verify;
    ``standing`` is what the store says of the citizen (None: nothing). ``by_hand``: the kinds of ``liveness`` for
    which the measure asks the officer to look at the document; ``plain``: the citizen was named by a text that nobody
    signed. ``somebody_else``: another issuer's code bears the citizen's number, and not the name and birth date that
    they declared. ``refer`` is set while a diversion is open. ``permit`` is the one that serves best here and now,
    ``green_lane`` whether the vehicle has one; ``permit_problem``: why what was shown as one is none. ``certificate``
    was shown along, and ``certificate_fits`` if it bears this person's name and birth date. ``reading``: of another
    code, its kind and what it is worth.
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
    as_of: AsOf = UNTOLD
    green_lane: bool | None = None
    permit: Permit | None = None
    permit_problem: str | None = None
    certificate: Certificate | None = None
    certificate_fits: bool = False
    reading: tuple[str, str] | None = None


MOMENT, TRUTH, TEXT, WHOLE = "date-time", "truth", "text", "integer"
"""Kinds of fields: a date-time with its zone, to the millisecond; true or false; any text; an integer."""

_LIVENESS = frozenset({"live", "stale", "static"})
_WORTH = {worth: worth.name.lower() for worth in Worth}

FIELDS: Mapping[str, str | frozenset[str]] = {
    "now": MOMENT,
    "clock.minute": WHOLE,
    "measure.by_hand": _LIVENESS,
    "checkpoint.id": TEXT,
    "checkpoint.kind": frozenset({"gateway", "inner"}),
    "checkpoint.area": TEXT,
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
    "code.check_again": TRUTH,
    "reading.kind": TEXT,
    "reading.trust": frozenset({"good", "broken", "unknown", "plain"}),
    "standing.revoked": TRUTH,
    "standing.suspended": TRUTH,
    "declaration.grade": frozenset(map(str, Grade)),
    "declaration.health": frozenset({"clear", "contact", "symptoms", "positive"}),
    "declaration.at": MOMENT,
    "declaration.from": MOMENT,
    "declaration.until": MOMENT,
    "health.event": frozenset({"case", "contact"}),
    "health.since": MOMENT,
    "health.until": MOMENT,
    "trip.origin": TEXT,
    "trip.destination": TEXT,
    "trip.direction": frozenset({"in", "out", "within", "through"}),
    "vehicle.kind": TEXT,
    "vehicle.green_lane": TRUTH,
    "permit.group": TEXT,
    "permit.areas": TEXT,
    "permit.from": MOMENT,
    "permit.until": MOMENT,
    "permit.revoked": TRUTH,
    "permit.problem": TEXT,
    "certificate.kind": frozenset({"vaccination", "test", "recovery"}),
    "certificate.good": TRUTH,
    "certificate.known": TRUTH,
    "certificate.fits": TRUTH,
    "certificate.at": MOMENT,
    "certificate.doses": WHOLE,
    "certificate.series": WHOLE,
    "certificate.test": frozenset({"NAAT", "RAT"}),
    "certificate.detected": TRUTH,
    "diversion.open": TRUTH,
    "as_of.standing": MOMENT,
    "as_of.keys": MOMENT,
    "as_of.status": MOMENT,
    "as_of.rules": MOMENT,
}
"""Path -> what lies there: a kind, or the texts that can."""
PARTS = frozenset(path.partition(".")[0] for path in FIELDS if "." in path)
"""What the fields stand in; null where there is nothing of the kind."""
LISTS = frozenset({"measure.by_hand", "permit.areas"})
"""Fields that hold an array of what :data:`FIELDS` says."""

SPECIMEN: Mapping[str, Any] = {
    "now": "2026-01-18T07:00:00.000Z",
    "clock": {"minute": 840},
    "measure": {"by_hand": ["stale"]},
    "checkpoint": {"id": "g04-ba-lang", "kind": "gateway", "area": "binh-chanh"},
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
        "check_again": False,
    },
    "reading": None,
    "standing": {"revoked": False, "suspended": False},
    "declaration": {
        "grade": "matched",
        "health": "clear",
        "at": "2026-01-18T06:00:00.000Z",
        "from": "2026-01-18T06:00:00.000Z",
        "until": "2026-01-21T06:00:00.000Z",
    },
    "health": None,
    "trip": {"origin": "p80", "destination": "quan-5", "direction": "in"},
    "vehicle": {"kind": "motorbike", "green_lane": None},
    "permit": None,
    "certificate": None,
    "diversion": {"open": False},
    "as_of": {
        "standing": "2026-01-18T07:00:00.000Z",
        "keys": "2026-01-18T07:00:00.000Z",
        "status": None,
        "rules": "2026-01-18T07:00:00.000Z",
    },
}
"""Of somebody who declared an hour ago, is known, well, and shows a live code: what a rule's tests are laid over."""


def document(evidence: Evidence, checkpoint: Checkpoint | None, now: dt.datetime) -> dict[str, Any]:
    """``evidence`` at ``checkpoint`` and ``now`` as rules read it. What does not exist is null."""
    code, standing = evidence.code, evidence.standing
    said = what_the_code_rests_on(code, standing) if standing else None
    event = standing.event_at(now) if standing and standing.events else None
    shown: dict[str, Any] = {
        "problem": evidence.problem,
        "verified": code is not None,
        "plain": evidence.plain,
        "liveness": evidence.liveness if code or evidence.plain else None,  # a typed number has none
        "somebody_else": evidence.somebody_else,
        "check_again": False,  # here the standing itself is asked, and no list of codes
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
    as_of, trip = evidence.as_of, said and said.trip
    here = instant(now)  # and mostly when everything was so
    return {
        "now": here,
        "clock": {"minute": _minute(now)},
        "measure": {"by_hand": _in_order(evidence.by_hand)},
        "checkpoint": {"id": checkpoint.id, "kind": checkpoint.kind, "area": checkpoint.area} if checkpoint else None,
        "code": shown,
        "reading": {"kind": evidence.reading[0], "trust": evidence.reading[1]} if evidence.reading else None,
        "standing": {"revoked": standing.revoked, "suspended": standing.suspended} if standing else None,
        "declaration": {
            "grade": said.grade.value,
            "health": worse(said.health, event) if event else said.health,
            "at": instant(said.declared_at),
            "from": instant(said.valid_from),
            "until": instant(said.valid_until),
        }
        if said
        else None,
        "health": {
            "event": event.event,
            "since": instant(event.since),
            "until": event.until and instant(event.until),
        }
        if event
        else None,
        "trip": {
            "origin": trip.origin,
            "destination": trip.destination,
            "direction": direction(trip.origin, trip.destination),
        }
        if trip
        else None,
        "vehicle": {"kind": trip and trip.vehicle, "green_lane": evidence.green_lane},
        "permit": _permit(evidence),
        "certificate": _certificate(evidence),
        "diversion": {"open": evidence.refer is not None},
        "as_of": {
            "standing": here if as_of.standing is now else as_of.standing and instant(as_of.standing),
            "keys": here if as_of.keys is now else as_of.keys and instant(as_of.keys),
            "status": here if as_of.status is now else as_of.status and instant(as_of.status),
            "rules": here if as_of.rules is now else as_of.rules and instant(as_of.rules),
        },
    }


def _permit(evidence: Evidence) -> dict[str, Any] | None:
    permit = evidence.permit
    if permit is None and evidence.permit_problem is None:
        return None
    return {
        "group": permit and permit.group,
        "areas": list(permit.areas) if permit else [],
        "from": permit and instant(permit.valid_from),
        "until": permit and instant(permit.valid_until),
        "revoked": permit and permit.revoked_at is not None,
        "problem": evidence.permit_problem,
    }


def _certificate(evidence: Evidence) -> dict[str, Any] | None:
    certificate = evidence.certificate
    if certificate is None:
        return None
    return {
        "kind": certificate.kind,
        "good": certificate.good,
        "known": certificate.known,
        "fits": evidence.certificate_fits,
        "at": certificate.at and instant(certificate.at),
        "doses": certificate.doses,
        "series": certificate.series,
        "test": certificate.test,
        "detected": certificate.detected,
    }


def _minute(moment: dt.datetime) -> int:
    """Minutes since midnight in Vietnam, which knows no summer time."""
    if moment.tzinfo is not dt.UTC:
        moment = moment.astimezone(dt.UTC)
    return (moment.hour * 60 + moment.minute + _HOURS_AHEAD * 60) % 1440


def instant(moment: dt.datetime) -> str:
    """As the document tells it: RFC 3339 in UTC, to the millisecond, so that texts are in the order of time.

    From tables, in a third of the time that ``isoformat`` takes.
    """
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


_HOURS_AHEAD = 7
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
