"""The little of an EU DCC that rules ask: one dose, test or recovery, and whose it is.

By its schema a certificate is about one thing. Before 1.3.0 it could hold several of a kind: the newest counts then,
and of two at the same moment the further dose, or the test that found something. What is about another disease than
COVID-19 proves nothing here and is passed over. Its number, issuer, product and country are not taken.
"""

import datetime as dt
from collections.abc import Mapping
from typing import Any

from motma.core.certificate import Certificate, CertificateKind, TestKind
from motma.core.legacy.dcc_schema import COVID_19, GROUPS, day, entries_of, plain

_NAME_MAX_CHARS = 200
_WHEN = {"v": "dt", "t": "sc", "r": "fr"}
_KINDS: Mapping[str, CertificateKind] = {"v": "vaccination", "t": "test", "r": "recovery"}
_TESTS: Mapping[str, TestKind] = {"LP6464-4": "NAAT", "LP217198-3": "RAT"}
_RESULTS = {"260415000": False, "260373001": True}
_LONG_AGO = dt.datetime.min.replace(tzinfo=dt.UTC)


def certificate_of(content: Mapping[Any, Any], *, good: bool, known: bool, birth_date: str) -> Certificate | None:
    """What ``content`` (to the schema or not) certifies, or None. ``birth_date`` as it is shown, "" if it is unsound.

    Without a moment that can be read it is not good.
    """
    name = content.get("nam")
    names = name if isinstance(name, Mapping) else {}
    for key in GROUPS:
        found = [_read(key, entry) for entry in entries_of(content, key) if entry.get("tg") == COVID_19]
        if found:
            newest = max(found, key=_order)
            return Certificate(
                kind=_KINDS[key],
                good=good and newest["at"] is not None,
                known=known,
                name=(_part(names, "fn"), _part(names, "gn")),
                icao=(_part(names, "fnt"), _part(names, "gnt")),
                birth_date=birth_date,
                **newest,
            )
    return None


def _read(key: str, entry: Mapping[Any, Any]) -> dict[str, Any]:
    when = entry.get(_WHEN[key])
    if key == "t":
        test, result = _TESTS.get(plain(entry.get("tt"))), _RESULTS.get(plain(entry.get("tr")))
        return {"at": _moment(plain(when)), "test": test, "detected": result}
    at = _moment(day(when))
    return {"at": at, "doses": _count(entry.get("dn")), "series": _count(entry.get("sd"))} if key == "v" else {"at": at}


def _order(read: Mapping[str, Any]) -> tuple[dt.datetime, int, bool]:
    return read["at"] or _LONG_AGO, read.get("doses") or 0, read.get("detected") is True


def _moment(text: str) -> dt.datetime | None:
    """A day, or a day with a time, in UTC unless it says a zone."""
    try:
        moment = dt.datetime.fromisoformat(text.upper())
        return moment.astimezone(dt.UTC) if moment.tzinfo else moment.replace(tzinfo=dt.UTC)
    except (ValueError, OverflowError):
        return None


def _count(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 < value < 1000 else None


def _part(names: Mapping[Any, Any], part: str) -> str:
    text = plain(names.get(part)).strip()
    return text if len(text) <= _NAME_MAX_CHARS else ""
