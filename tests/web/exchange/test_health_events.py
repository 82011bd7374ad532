"""The door of health staff's systems: who may report, and that the platforms concerned are told."""

from typing import Any

from tests.keyholder import key_holder
from tests.services.exchange.test_events import person_of
from tests.world import World


def event(**more: Any) -> dict[str, Any]:
    return {"event": "case", "since": "2026-01-18", "reference": "HCDC-2026-00017", **more}


async def test_who_may_report_and_only_they(world: World) -> None:
    sent = (await world.declare(world.person(0))).json()
    before = world.rows()
    everyday, key = await world.platform("BLUEZONE"), {"idempotency-key": "1"}
    refused = await everyday.post("/v1/health-events", json=event(qid=sent["qid"]), headers=key)
    assert (refused.status_code, refused.json()["code"]) == (403, "access.scope")
    assert {**world.rows(), "credentials": 0} == {**before, "credentials": 0}
    staff = await world.interlinked("CDC")
    without_key = await staff.post("/v1/health-events", json=event(qid=sent["qid"]))
    assert (without_key.status_code, without_key.json()["code"]) == (422, "idempotency.key")
    told = await staff.post("/v1/health-events", json=event(qid=sent["qid"]), headers=key)
    assert (told.status_code, told.json()["qid"], told.json()["state"]) == (201, sent["qid"], "check")
    again = await staff.post("/v1/health-events", json=event(qid=sent["qid"]), headers=key)
    assert (again.status_code, again.json()) == (200, told.json())
    other = await staff.post("/v1/health-events", json=event(qid=sent["qid"], until="2026-02-01"), headers=key)
    assert (other.status_code, other.json()["code"]) == (409, "idempotency.reused")
    wrong = await staff.post(
        "/v1/health-events", json=event(qid="x", since="2027-01-01"), headers={"idempotency-key": "2"}
    )
    assert (wrong.status_code, wrong.json()["code"]) == (422, "event.fields")
    assert wrong.json()["fields"].keys() == {"qid", "since"} and wrong.json()["fields"]["since"]["words"]["vi"]


async def test_the_platforms_that_declared_are_told_and_no_other(world: World) -> None:
    person = world.person(0)
    hospital, bluezone, staff = [await world.interlinked(name) for name in ("BENHVIEN", "BLUEZONE", "CDC")]
    await world.declare(person, hospital)
    begin = {client: (await client.get("/v1/changes?after=now")).json()["next"] for client in (hospital, bluezone)}
    named = event(person=person_of(person))
    told = (await staff.post("/v1/health-events", json=named, headers={"idempotency-key": "1"})).json()
    changes = (await hospital.get("/v1/changes", params={"after": begin[hospital]})).json()["changes"]
    (*_, last) = [change["citizen"] for change in changes]
    assert (last["qid"], last["health"], last["state"]) == (told["qid"], "positive", "check")
    assert not (await bluezone.get("/v1/changes", params={"after": begin[bluezone]})).json()["changes"]


async def test_what_a_token_does_not_name_is_not_done(world: World) -> None:
    holder = await key_holder(world, "CDC-2")
    narrow = await holder.client("codes:verify")
    sent = (await world.declare(world.person(0))).json()
    answer = await narrow.post("/v1/health-events", json=event(qid=sent["qid"]), headers={"idempotency-key": "1"})
    assert answer.status_code == 403
    assert (await narrow.post("/v1/verifications", json={"code": sent["code"]})).json()["good"] is True
    assert (await narrow.get(f"/v1/declarations/{sent['declaration']}/code")).status_code == 403
