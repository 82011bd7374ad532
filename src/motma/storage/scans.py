"""The scans of some time, page by page and in narrow rows: for whoever goes through all of them."""

from datetime import datetime

import msgspec

from motma.storage import statements
from motma.storage.acts import to_micros
from motma.storage.engine import Engine

PAGE_SCANS = 1_000

ScanRow = tuple[int, int, str]
"""A scan as it lies there: when it was judged (µs since 1970), its number, and what it was (``Scanned``) as JSON."""


class ScanSpan(msgspec.Struct, frozen=True):
    """Scans from ``since`` to before ``until`` that are numbered up to ``upto``: what is written later is not in it."""

    since: datetime
    until: datetime
    upto: int


async def scans_of(engine: Engine, span: ScanSpan, after: ScanRow | None, limit: int) -> list[ScanRow]:
    """At most ``limit`` scans of ``span``, in order of time: those after ``after``."""
    at, seq = after[:2] if after else (to_micros(span.since), 0)
    rows = await engine.scan(statements.SCANS, at, seq, to_micros(span.until), span.upto, limit)
    return [(int(at), int(seq), body) for at, seq, body in rows]


async def count_scans(engine: Engine, span: ScanSpan) -> int:
    """How many there are in ``span``."""
    arguments = to_micros(span.since), 0, to_micros(span.until), span.upto
    return int((await engine.scan(statements.SCANS_COUNTED, *arguments))[0][0])
