"""What of theirs ours has no place for, so that it survives the way there and back.

Nothing is kept twice: ``extra`` holds only those of their fields that cannot be told from ours again.
"""

import datetime as dt
from collections.abc import Iterable, Mapping
from hashlib import sha256
from typing import Any

import msgspec

from motma.connectors.platforms.reading import Theirs

_VN_TIME = dt.timezone(dt.timedelta(hours=7))
_CANONICAL = msgspec.json.Encoder(order="deterministic")


def drop(fields: dict[str, Any], names: Iterable[str]) -> list[str]:
    """Take these out of ``fields``, unread. Returns those that were there."""
    there = [name for name in names if name in fields]
    for name in there:
        del fields[name]
    return there


def keep(of: str, theirs: Theirs, back: Mapping[str, Any], dropped: list[str]) -> dict[str, Any]:
    """The ``extra`` of a declaration that ``of`` sent. ``back``: what their fields would be, told from ours alone.

    ``theirs``: fields whose value differs from that, objects member by member. ``without``: fields they did not send.
    ``inexact``: paths of ours that say a little more or less than theirs. ``dropped``: fields that are not kept at
    all, being pictures of people and papers, or of no meaning beside their own site.
    """
    differing, without = _difference(theirs.fields, back)
    parts = {
        "theirs": differing,
        "without": without,
        "inexact": sorted(set(theirs.inexact)),
        "dropped": sorted(dropped),
    }
    return {"of": of} | {name: part for name, part in parts.items() if part}


def as_sent(of: str, back: Mapping[str, Any], extra: object) -> dict[str, Any]:
    """The fields of theirs again: ``back`` as in :func:`keep`, and what ``extra`` kept, if it is of this connector."""
    if not isinstance(extra, Mapping) or extra.get("of") != of:
        return dict(back)
    return _again(back, extra.get("theirs"), extra.get("without"))


def _difference(sent: Mapping[str, Any], back: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    differing: dict[str, Any] = {}
    without: dict[str, Any] = {name: True for name in back if name not in sent}
    for name, value in sent.items():
        if isinstance(value, Mapping) and isinstance(back.get(name), Mapping):
            inner, missing = _difference(value, back[name])
            differing |= {name: inner} if inner else {}
            without |= {name: missing} if missing else {}
        elif name not in back or _CANONICAL.encode(back[name]) != _CANONICAL.encode(value):  # True and 1 differ
            differing[name] = value
    return differing, without


def _again(back: Mapping[str, Any], differing: object, without: object) -> dict[str, Any]:
    """``extra`` may hold anything: only what this connector wrote there is heeded."""
    kept = differing if isinstance(differing, Mapping) else {}
    missing = without if isinstance(without, Mapping) else {}
    found: dict[str, Any] = {}
    for name, value in back.items():
        here = kept.get(name)
        if missing.get(name) is True:
            continue
        if isinstance(value, Mapping) and isinstance(here, Mapping | None):
            found[name] = _again(value, here, missing.get(name))
        else:
            found[name] = here if name in kept else value
    return found | {name: value for name, value in kept.items() if name not in found}


def there_and_then(departs_at: str) -> tuple[dt.date, str]:
    """The day and the hour (HH:MM) in Vietnam of a declaration's departure."""
    moment = dt.datetime.fromisoformat(departs_at)
    if moment.tzinfo is not None:
        moment = moment.astimezone(_VN_TIME)
    return moment.date(), f"{moment:%H:%M}"


def key_of(own: str, content: object) -> str:
    """The platform's own id of a declaration with a digest of what it says, so that an update is a new one.

    "" without an id: then the delivery's key counts, and the same trip may be declared once more another day.
    """
    plain = own.isascii() and own.replace("-", "").isalnum()
    return f"{own[:60]}:{digest(content)}" if plain else ""


def guardian_of(raw: Mapping[str, Any], name: str) -> dict[str, str]:
    """Their field for the guardian's document, of a declaration that has one."""
    guardian = raw.get("guardian")
    return {name: guardian.get("number", "")} if isinstance(guardian, Mapping) else {}


def digest(value: object) -> str:
    """32 hex digits of what ``value`` says, however its members are ordered."""
    return sha256(_CANONICAL.encode(value)).hexdigest()[:32]


def canonical(value: object) -> bytes:
    """JSON with its members in alphabetical order: the normal form of the connectors that speak JSON."""
    return _CANONICAL.encode(value)
