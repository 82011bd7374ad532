"""The evidence document as a scan keeps it, so that other rules can be asked about it later.

An array in JSON: the number of this way of writing, then what lay in each field, in the order of :data:`PLACES`; nulls
at the end are left out, and a moment that is that of the scan is 0. Only what :data:`PLACES` names is kept, and none of
that names a person, a number, a document or a plate.
"""

from collections.abc import Callable, Iterable, Mapping
from itertools import groupby
from operator import itemgetter
from typing import Any

import msgspec

from motma.core.evidence import FIELDS, MOMENT

WAY = 1
"""Counted up when the order or the writing changes, and not when a field is added."""

PLACES = (
    "now",
    "clock.minute",
    "measure.by_hand",
    "checkpoint.id",
    "checkpoint.kind",
    "checkpoint.area",
    "code.problem",
    "code.verified",
    "code.plain",
    "code.liveness",
    "code.matched",
    "code.worth",
    "code.issued",
    "code.from",
    "code.until",
    "code.of_declaration",
    "code.superseded",
    "code.somebody_else",
    "code.check_again",
    "standing.revoked",
    "standing.suspended",
    "declaration.grade",
    "declaration.health",
    "declaration.at",
    "declaration.from",
    "declaration.until",
    "trip.origin",
    "trip.destination",
    "trip.direction",
    "diversion.open",
    "as_of.standing",
    "as_of.keys",
    "as_of.status",
    "as_of.rules",
    "vehicle.kind",
    "vehicle.green_lane",
    "reading.kind",
    "reading.trust",
    "permit.group",
    "permit.areas",
    "permit.from",
    "permit.until",
    "permit.revoked",
    "permit.problem",
    "certificate.kind",
    "certificate.good",
    "certificate.known",
    "certificate.fits",
    "certificate.at",
    "certificate.doses",
    "certificate.series",
    "certificate.test",
    "certificate.detected",
    "health.event",
    "health.since",
    "health.until",
)
"""Every field of the evidence; those that are mostly null last. New ones are appended, none is ever taken away: what
was kept before reads as if they had been null. (``tests/core/test_seen.py`` holds it to :data:`FIELDS`.)"""

_ALWAYS = frozenset({"clock", "measure", "code", "vehicle", "diversion", "as_of"})
"""Parts that are there even if nothing lies in them."""
_PLACE = {path: place for place, path in enumerate(PLACES, start=1)}
_MOMENTS = tuple(place for path, place in _PLACE.items() if FIELDS.get(path) == MOMENT and path != "now")
_NOW = _PLACE["now"]
_DATED = tuple(place for place in _MOMENTS if PLACES[place - 1].startswith("as_of."))
_RUNS = [
    (part, itemgetter(*names) if len(names) > 1 else None, names[0], (None,) * len(names))
    for part, names in (
        (part, [path.partition(".")[2] for path in paths])
        for part, paths in groupby(PLACES, lambda path: path.partition(".")[0])
        if part not in ("now", "clock")
    )
]
_encode = msgspec.json.Encoder().encode

Document = dict[str, Any]


def keep(document: Mapping[str, Any]) -> msgspec.Raw:
    """What a scan keeps of a document that :func:`motma.core.evidence.document` made."""
    now = document["now"]
    values: list[Any] = [WAY, now, document["clock"]["minute"]]
    for part, values_of, name, nothing in _RUNS:
        held = document[part]
        if held is None:
            values += nothing
        elif values_of is None:
            values.append(held[name])
        else:
            values += values_of(held)
    for place in _DATED:
        if values[place] == now:
            values[place] = 0
    while values[-1] is None:
        values.pop()
    return msgspec.Raw(_encode(values))


def reader(paths: Iterable[str] = PLACES) -> Callable[[list[Any]], Document | None]:
    """What makes a document again of the array that was kept: with these fields and whole parts, or as it was. None if
    it was written in a way that this program does not know. Of ``paths``, those that are neither are passed over."""
    asked = {*paths}
    wanted = {path for path in PLACES if path in asked or path.partition(".")[0] in asked}
    moments = [place for place in _MOMENTS if PLACES[place - 1] in wanted]
    dotted = sorted((path.partition(".")[0], _PLACE[path]) for path in wanted if path != "now")
    parts = []
    for part, group in groupby(dotted, itemgetter(0)):
        places = [place for _, place in group]
        names = [PLACES[place - 1].partition(".")[2] for place in places]
        parts.append((part, part in _ALWAYS, names, _getter(places), len(names)))

    def read(kept: list[Any]) -> Document | None:
        if kept[0] != WAY:
            return None
        if (short := len(PLACES) + 1 - len(kept)) > 0:
            kept = kept + [None] * short
        now = kept[_NOW]
        for place in moments:
            if kept[place] == 0:
                kept[place] = now
        document: Document = {"now": now}
        for part, always, names, values_of, many in parts:
            values = values_of(kept)
            document[part] = dict(zip(names, values)) if always or values.count(None) < many else None  # noqa: B905
        return document

    return read


def _getter(places: list[int]) -> Callable[[list[Any]], tuple[Any, ...]]:
    """``itemgetter``, which of one place gives no tuple."""
    if len(places) == 1:
        [place] = places
        return lambda kept: (kept[place],)
    return itemgetter(*places)


def coarse(document: Document) -> Document:
    """``document`` with every time cut to its hour, so that it points to nobody: as examples are shown."""
    shown: Document = {}
    for name, value in document.items():
        if isinstance(value, dict):
            shown[name] = {leaf: _coarse(f"{name}.{leaf}", held) for leaf, held in value.items()}
        else:
            shown[name] = _coarse(name, value)
    return shown


def _coarse(path: str, value: Any) -> Any:
    if value is None:
        return None
    if FIELDS.get(path) == MOMENT:
        return f"{value[:13]}:00:00.000Z"
    return value // 60 * 60 if path == "clock.minute" else value
