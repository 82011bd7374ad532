"""A case is reported by one platform and followed up by health staff, as it is joined: over HTTP, on both engines."""

import csv
import datetime as dt
import io
import itertools
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from motma.core.facts import LookMade
from motma.core.ids import Qid
from tests.world import World, living_world

MINUTE = dt.timedelta(minutes=1)
TYPED = {"within": "15", "before": "48", "until": "", "purpose": "Điều tra dịch tễ", "basis": "Quyết định 12/QĐ-SYT"}


@pytest.fixture
async def anywhere(tmp_path: Path, desk_url: str) -> AsyncIterator[World]:
    """A world on each engine."""
    async with living_world(tmp_path, database_url=desk_url) as world:
        yield world


async def test_reported_followed_up_and_given_back(anywhere: World) -> None:
    world, serial = anywhere, itertools.count()
    cdc, staff = await world.interlinked("CDC"), await world.health_staff("CDC-01")
    card, old = ({"kind": one.kind, "number": one.number} for one in world.person(0).documents[:2])
    case = (await world.declare(world.person(0), await world.platform("NCOVI"), document=card)).json()
    world.registry.outage = True
    again = (await world.declare(world.person(0), await world.platform("BLUEZONE"), document=old)).json()
    world.registry.outage = False
    near = (await world.declare(world.person(1), await world.platform("BLUEZONE"))).json()
    await world.check(code=again["code"])  # under the number that is merged afterwards
    world.now += MINUTE
    await world.check(code=near["code"])

    async def report(event: str, since: dt.datetime, qid: str = case["qid"], **more: Any) -> str:
        raw = {"event": event, "since": since.isoformat(), "reference": '=1+1,"<b>', "qid": qid, **more}
        answer = await cdc.post("/v1/health-events", json=raw, headers={"idempotency-key": f"k{next(serial)}"})
        return str(answer.json().get("state") or answer.json()["code"])

    async def contacts() -> set[str]:
        answer = await staff.post("/health/trace.csv", data={"qid": again["qid"], **TYPED})
        return (
            {row[0] for row in list(csv.reader(io.StringIO(answer.text)))[1:]} if answer.status_code == 200 else set()
        )

    assert await contacts() == set()
    assert await report("case", world.now + 60 * MINUTE) == "event.fields", "not before it began"
    assert await report("case", world.now) == "check"
    assert await contacts() == set(), "that number is not yet known to be the case's"
    assert await world.work() == 1
    assert await contacts() == {near["qid"]}
    assert await report("contact", world.now, near["qid"], case=again["qid"]) == "check"
    assert await contacts() == {near["qid"]}
    table = (await staff.post("/health/trace.csv", data={"qid": case["qid"], **TYPED})).text
    assert "'=1+1" in table and ",=1+1" not in table
    bundle = (await staff.post("/health/trace.json", data={"qid": case["qid"], **TYPED})).json()
    assert (
        json.dumps(bundle).count("=1+1,") == 1 and len([one for one in bundle["entry"] if "Patient" in str(one)]) >= 2
    )
    for number in (case["qid"], again["qid"]):
        for platform in ("NCOVI", "BLUEZONE"):
            told = (await (await world.platform(platform)).get("/v1/changes")).json()["changes"]
            [citizen] = {
                one["citizen"]["qid"]: one["citizen"] for one in told if number in str(one["citizen"])
            }.values()
            assert citizen["health"] == "positive", platform
    world.now += MINUTE
    assert await report("ended", world.now) == await report("ended", world.now) == "good", "taken back twice"
    assert await report("case", world.now - dt.timedelta(days=3)) == "good", "and what comes late is over too"
    looks = await world.built.store.facts_about(Qid(near["qid"]), kinds=("look.made",))
    assert {one.what.purpose for one in looks if isinstance(one.what, LookMade)} == {"tracing"} and len(looks) == 4
    assert (await world.built.store.rebuild_standing()).differing == ()
