"""Following up a case in a store of 250,000 and of 1,000,000 scans: ``python -m bench.tracing [scans …]``.

Scans come at one rate, so a larger store is a longer history, and the same people stand beside the case. A trace should
take no longer then. Prints CPU seconds of the whole process, SQLite's threads among them, and what the table weighs.
"""

import asyncio
import datetime as dt
import sys
import tempfile
import time
from pathlib import Path

import msgspec

from motma.core.facts import Accepted, Fact, HealthReported, Scanned
from motma.core.form import Declaration, Place, Trip
from motma.core.identity import Grade
from motma.core.ids import Document, Qid, new_fact_id, new_qid
from motma.roads import load_network
from motma.services.citizens import Citizens
from motma.services.enrol import HealthStaff
from motma.services.exchange.tracing import Tracing
from motma.storage.keys import open_chest
from motma.storage.store import Act, Store

_NOW = dt.datetime(2026, 8, 1, tzinfo=dt.UTC)
_EVERY = dt.timedelta(seconds=1.2)
"""Between two scans: 72,000 a day, as many as on the busiest day of August 2021."""
_PEOPLE, _PASSAGES, _BATCH = 20_000, 20, 2_000


def main() -> None:
    """Fill, ask, print."""
    for scans in [int(text) for text in sys.argv[1:]] or [250_000, 1_000_000]:
        asyncio.run(_measured(scans))


async def _measured(scans: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "motma.db"
        chest = open_chest(Path(folder), None, pin=None, now=_NOW)
        store = await Store.open(f"sqlite:///{file}", seal_key=chest.ring, clock=lambda: _NOW)
        random, network = iter(range(1, 1 << 62)), load_network()

        def bits(n: int) -> bytes:
            return next(random).to_bytes(n, "big")

        people = [new_qid((n + 1).to_bytes(8, "big")) for n in range(_PEOPLE)]
        began = time.process_time()
        await _fill(store, people, scans, [one.id for one in network.checkpoints], bits)
        filled = time.process_time() - began
        citizens = Citizens(store=store, secrets=chest.secrets, random=bits)
        tracing = Tracing(store=store, citizens=citizens, network=network, issuer="bench", random=bits)
        asked = {"qid": people[0], "within": "15", "before": "48", "purpose": "measured here", "basis": "none, a bench"}
        took = []
        for _ in range(3):
            began = time.process_time()
            found = await tracing.trace(asked, staff=HealthStaff("BENCH"), now=_NOW)
            took.append(time.process_time() - began)
        await store.close()
        print(
            f"{scans:>9,} scans: filled in {filled:.1f} s, {file.stat().st_size / 1e6:,.0f} MB;"
            f" {len(found.visits)} visits, {len(found.contacts):,} contacts named in {min(took):.2f} s of CPU"
        )


async def _fill(store: Store, people: list[Qid], scans: int, places: list[str], bits: object) -> None:
    assert callable(bits)
    home, declared_at = Place("79", "25747"), _NOW - dt.timedelta(days=2)
    said = Declaration(
        form="2026-1",
        name="Nguyễn Thị Đo",
        birth_date=dt.date(1990, 1, 1),
        sex="female",
        nationality="VN",
        document=Document("none", "", ""),
        phone="+84912345678",
        residence=home,
        trip=Trip(home, home, (), "motorbike", "", declared_at),
        symptoms=(),
        contact=False,
        places="",
        consents=(),
    )
    personal = msgspec.json.encode(said)
    declared = Accepted("PAGE", "m", "2026-1", Grade.MATCHED, "clear", (), declared_at, _NOW)
    facts = [
        Fact(
            id=new_fact_id("dcl", declared_at, bits(10)),
            at=declared_at,
            actor="p",
            what=declared,
            qid=qid,
            personal=personal,
        )
        for qid in people
    ]
    case = HealthReported("case", "CDC", _NOW - dt.timedelta(hours=24), None, "r")
    facts.append(Fact(id=new_fact_id("hev", _NOW, bits(10)), at=_NOW, actor="CDC", what=case, qid=people[0]))
    for start in range(0, len(facts), _BATCH):
        await store.append(Act(tuple(facts[start : start + _BATCH])))
    first, alike = _NOW - scans * _EVERY, 86_400 / _EVERY.total_seconds() / _PASSAGES * 3
    for start in range(0, scans, _BATCH):
        await store.append(
            Act(
                tuple(
                    [
                        _scan(n, scans, first, people, places, int(alike), bits)
                        for n in range(start, min(start + _BATCH, scans))
                    ]
                )
            )
        )


def _scan(
    n: int, scans: int, first: dt.datetime, people: list[Qid], places: list[str], alike: int, bits: object
) -> Fact:
    """The case every ``alike`` scans; the others in turn."""
    assert callable(bits)
    at = first + n * _EVERY
    qid = people[0] if (scans - n) % alike == 0 else people[1 + n % (_PEOPLE - 1)]
    what = Scanned("dev", "CB-01", "code", "0" * 32, "accept", (), True, "", at, 0.0)
    return Fact(
        id=new_fact_id("scn", at, bits(10)),
        at=at,
        actor="CB-01",
        what=what,
        qid=qid,
        checkpoint=places[n % len(places)],
    )


if __name__ == "__main__":
    main()
