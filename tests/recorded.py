"""Scans of the last hours as the store has them, each with its evidence: enough of them to rehearse a policy on."""

import datetime as dt
from typing import Any

import msgspec

from motma.core.decision import judge
from motma.core.evidence import FIELDS, SPECIMEN, instant
from motma.core.facts import Fact, Scanned
from motma.core.ids import new_fact_id
from motma.core.policy import laid_over
from motma.core.seen import keep
from motma.policies import load_rulebook
from motma.roads import load_network

_LEAVES = {part: {path[len(part) + 1 :]: None for path in FIELDS if path.startswith(f"{part}.")} for part in SPECIMEN}


def whole(patch: dict[str, Any]) -> dict[str, Any]:
    """The specimen with ``patch`` laid over it, every field of every part in its place."""
    document = laid_over(patch)
    parts = {part: document.get(part) for part in SPECIMEN if part != "now"}
    return {"now": document["now"]} | {part: held and _LEAVES[part] | held for part, held in parts.items()}


def some_scans(count: int, until: dt.datetime, *, hours: float = 20) -> list[Fact]:
    """Before ``until``, at every checkpoint, as of a city: one in ten in a truck, one in fifty ill."""
    places, book = load_network().checkpoints, load_rulebook()
    step = dt.timedelta(hours=hours) / count
    facts = []
    for number in range(count):
        at, place = until - step * (count - number), places[number * 7 % len(places)]
        local = at + dt.timedelta(hours=7)
        moments = {name: instant(at + dt.timedelta(hours=h)) for name, h in (("at", -3), ("from", -3), ("until", 69))}
        code = {"issued": moments["at"], "from": moments["from"], "until": moments["until"]}
        health = "symptoms" if number % 50 == 3 else "contact" if number % 33 == 5 else "clear"
        seen = whole(
            {
                "now": instant(at),
                "clock": {"minute": local.hour * 60 + local.minute},
                "checkpoint": {"id": place.id, "kind": place.kind, "area": place.area},
                "code": code,
                "declaration": {**moments, "health": health},
                "vehicle": {"kind": "truck" if number % 10 == 1 else "motorbike"},
            }
        )
        verdict = judge(seen, book)
        what = Scanned(
            device="dev_1",
            officer="CB-01",
            carrier="code",
            code_id="00" * 16,
            outcome=str(verdict.outcome),
            reasons=tuple(reason.code for reason in verdict.reasons),
            known=verdict.known,
            refer_to="",
            scanned_at=at,
            skew_seconds=0.0,
            live="live",
            seen=keep(seen),
        )
        id = new_fact_id("scn", at, number.to_bytes(10, "big"))
        facts.append(Fact(id=id, at=at, actor="CB-01", checkpoint=place.id, what=what))
    return facts


def without_evidence(fact: Fact) -> Fact:
    """The same scan as it was kept before evidence was."""
    assert isinstance(fact.what, Scanned)
    bare = msgspec.structs.replace(fact.what, seen=msgspec.Raw(b"null"))
    return msgspec.structs.replace(fact, what=bare, id=new_fact_id("scn", fact.at, bytes([9] * 10)))


NO_TRUCKS: dict[str, Any] = {
    "id": "trucks",
    "version": 1,
    "title": ["Xe tải đi làn riêng", "Lorries keep to their own lane"],
    "valid_from": "2030-01-01T00:00:00+07:00",
    "valid_to": None,
    "rules": [
        {
            "id": "trucks.by_day",
            "affected": ["vehicle.kind", "clock.minute"],
            "holds": {"if": [{"===": [{"var": "vehicle.kind"}, "truck"]}, {"<": [{"var": "clock.minute"}, 360]}, True]},
            "verdict": "manual",
            "reason": "trucks.by_day",
            "words": ["Xe tải chỉ đi trước 6 giờ sáng.", "Lorries go before six in the morning only."],
            "cure": ["Mời xe sang làn kiểm tra.", "Send the lorry to the lane for checks."],
            "tests": [
                {"about": "a motorbike", "evidence": {}, "holds": True},
                {"about": "a lorry by day", "evidence": {"vehicle": {"kind": "truck"}}, "holds": False},
            ],
        }
    ],
}
"""A draft that sends one in ten to be looked at, by day."""
