"""What a platform sent, exactly: kept beside the declaration that was made of it, and put together again.

A declaration says what the form asks, as the house writes it. What it does not say by itself is its ``extra``: members
that the form does not know, anywhere in what was sent, and those that it does where they were written otherwise (a
phone number with spaces, a time in another zone). Laid over what the declaration says, it gives back every value that
was sent; nothing is kept twice.
"""

import datetime as dt
from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec.structs import replace

from motma.core.errors import Invalid
from motma.core.form import NOTHING_MORE, Declaration, Form
from motma.core.ids import Document
from motma.core.words import Words

EXTRA_MAX_BYTES = 16_384
DEPTH_MAX = 64
"""How many objects and lists may stand one in the other. Deeper than any form, and far from what readers break at: what
is kept must be readable for whoever reads it, from however deep in a program."""

_NESTS = (dict, list)
_VN_TIME = dt.timezone(dt.timedelta(hours=7))


def require_shallow(sent: Mapping[str, object]) -> None:
    """Raises :class:`Invalid` ``declaration.extra`` for JSON values that are nested deeper than :data:`DEPTH_MAX`."""
    level: list[Any] = [value for value in sent.values() if isinstance(value, _NESTS)]
    for _ in range(DEPTH_MAX):
        if not level:
            return
        level = [
            inner
            for one in level
            for inner in (one.values() if isinstance(one, dict) else one)
            if isinstance(inner, _NESTS)
        ]
    raise Invalid(
        "declaration.extra",
        Words(
            f"Nội dung lồng nhau quá {DEPTH_MAX} lớp. Làm phẳng rồi gửi lại.",
            f"What was sent is nested more than {DEPTH_MAX} deep. Make it flatter and send again.",
        ),
    )


def with_extra(declared: Declaration, sent: Mapping[str, object], form: Form) -> Declaration:
    """``declared``, which was made of ``sent`` (JSON values), with all that it does not say itself.

    Raises :class:`Invalid` ``declaration.extra`` where that is more than :data:`EXTRA_MAX_BYTES` of JSON.
    """
    more = _beyond(sent, _said(declared, form))
    if not more:
        return declared if declared.extra == NOTHING_MORE else replace(declared, extra=NOTHING_MORE)
    text = msgspec.json.encode(more)
    if len(text) > EXTRA_MAX_BYTES:
        raise Invalid(
            "declaration.extra",
            Words(
                "Phần ngoài mẫu khai quá lớn (tối đa 16 KB). Bỏ bớt rồi gửi lại.",
                "There is too much beside the form (16 KB at most). Leave some of it out and send again.",
            ),
        )
    return replace(declared, extra=msgspec.Raw(text))


def as_sent(declared: Declaration, form: Form) -> dict[str, Any]:
    """What was sent, value for value; the order of members is the form's."""
    said = _said(declared, form)
    _lay(msgspec.json.decode(declared.extra) or {}, said)
    return said


def _said(declared: Declaration, form: Form) -> dict[str, Any]:
    """What a declaration says in the shape in which it is sent, and no member more than every sender has to send."""
    trip, departs_at = declared.trip, declared.trip.departs_at.astimezone(_VN_TIME)
    whole = not departs_at.second and not departs_at.microsecond
    said: dict[str, Any] = {
        "name": declared.name,
        "birth_date": declared.born,
        "sex": declared.sex,
        "nationality": declared.nationality,
        "document": _document(declared.document),
        "phone": declared.phone,
        "residence": {
            "province": declared.residence.province,
            "commune": declared.residence.commune,
            "address": declared.residence.address,
        },
        "trip": {
            "origin": {"province": trip.origin.province, "commune": trip.origin.commune},
            "destination": {"province": trip.destination.province, "commune": trip.destination.commune},
            "vehicle": trip.vehicle,
            "departs_at": departs_at.isoformat(timespec="minutes") if whole else departs_at.isoformat(),
        },
        "health": {
            "symptoms": {choice.id: choice.id in declared.symptoms for choice in form.symptoms},
            "contact": declared.contact,
        },
        "consents": list(declared.consents),
    }
    if trip.plate:
        said["trip"]["plate"] = trip.plate
    if trip.checkpoints:
        said["trip"]["checkpoints"] = list(trip.checkpoints)
    if declared.places:
        said["health"]["places"] = declared.places
    if declared.guardian:
        issuer = {"issuer": declared.guardian.issuer} if declared.guardian.issuer != "VN" else {}
        said["guardian"] = _document(declared.guardian) | issuer
    return said


def _document(document: Document) -> dict[str, Any]:
    return {"kind": document.kind, "number": document.number} if document.number else {"kind": document.kind}


def _beyond(sent: Mapping[str, object], said: Mapping[str, object]) -> dict[str, object]:
    """What of ``sent`` is not in ``said``, member by member."""
    more: dict[str, object] = {}
    for name, value in sent.items():
        mine = said.get(name)
        if value == mine and name in said:
            continue
        if isinstance(mine, dict) and isinstance(value, dict):
            if inner := _beyond(value, mine):
                more[name] = inner
        else:
            more[name] = value
    return more


def _lay(more: Mapping[str, Any], over: dict[str, Any]) -> None:
    """Lay ``more`` over what is said, in place."""
    for name, value in more.items():
        mine = over.get(name)
        if isinstance(mine, dict) and isinstance(value, dict):
            _lay(value, mine)
        else:
            over[name] = value
