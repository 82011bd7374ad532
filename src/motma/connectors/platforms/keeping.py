"""What of theirs ours has no place for, so that it survives the way there and back.

Nothing is kept twice: ``extra`` holds only those of their fields that cannot be told from ours again.
"""

import datetime as dt
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

import msgspec

from motma.connectors.platforms.reading import Theirs

_VN_TIME = dt.timezone(dt.timedelta(hours=7))
_CANONICAL = msgspec.json.Encoder(order="deterministic")


def keep(of: str, theirs: Theirs, back: Mapping[str, Any], dropped: list[str]) -> dict[str, Any]:
    """The ``extra`` of a declaration that ``of`` sent. ``back``: what their fields would be, told from ours alone.

    ``theirs``: fields whose value differs from that. ``without``: fields they did not send. ``inexact``: paths of ours
    that say a little more or less than theirs. ``dropped``: fields that are not kept at all, being pictures of people
    and papers, or of no meaning beside their own site.
    """
    sent = theirs.fields
    extra: dict[str, Any] = {"of": of}
    parts = {
        "theirs": {name: value for name, value in sent.items() if name not in back or _differ(back[name], value)},
        "without": sorted(name for name in back if name not in sent),
        "inexact": sorted(set(theirs.inexact)),
        "dropped": sorted(dropped),
    }
    return extra | {name: part for name, part in parts.items() if part}


def _differ(one: object, other: object) -> bool:
    """Also where Python sees none: True and 1, 1 and 1.0."""
    return _CANONICAL.encode(one) != _CANONICAL.encode(other)


def as_sent(of: str, back: dict[str, Any], extra: object) -> dict[str, Any]:
    """The fields of theirs again: ``back`` as in :func:`keep`, and what ``extra`` kept, if it is of this connector."""
    if not isinstance(extra, Mapping) or extra.get("of") != of:
        return back
    kept, without = extra.get("theirs"), extra.get("without")
    for name in without if isinstance(without, list | tuple) else ():
        if isinstance(name, str):
            back.pop(name, None)
    return back | (dict(kept) if isinstance(kept, Mapping) else {})


def there_and_then(departs_at: str) -> tuple[dt.date, str]:
    """The day and the hour (HH:MM) in Vietnam of a declaration's departure."""
    moment = dt.datetime.fromisoformat(departs_at)
    if moment.tzinfo is not None:
        moment = moment.astimezone(_VN_TIME)
    return moment.date(), f"{moment:%H:%M}"


def digest(value: object) -> str:
    """32 hex digits of what ``value`` says, however its members are ordered."""
    return sha256(_CANONICAL.encode(value)).hexdigest()[:32]


def canonical(value: object) -> bytes:
    """JSON with its members in alphabetical order: the normal form of the connectors that speak JSON."""
    return _CANONICAL.encode(value)
