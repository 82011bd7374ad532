"""Policies in a whole house: the next check goes by them; one person has one voice."""

import datetime as dt

import pytest

from motma.core.errors import Conflict
from tests.core.policy_texts import version
from tests.world import World

HOUR = dt.timedelta(hours=1)


async def test_the_next_check_goes_by_it(world: World) -> None:
    policies = world.built.house.policies
    sent = (await world.declare(world.person(0), health__contact=True)).json()
    first = (await world.check(code=sent["code"])).json()
    assert "night.curfew" not in [why["code"] for why in first["reasons"]]
    step = await policies.draft(version(1), over="", by="A", now=world.now)
    await policies.approve(step.draft, world.now + HOUR, by="B", now=world.now)
    assert (await world.check(code=sent["code"])).json()["outcome"] == first["outcome"]
    world.now += HOUR
    id = world.scan_id()
    judged = (await world.check(code=sent["code"], id=id)).json()
    assert judged["outcome"] == "reject" and judged["reasons"][0]["words"]["en"] == "There is a curfew now."
    await policies.roll_back(step.draft, by="C", now=world.now)
    assert (await world.check(code=sent["code"])).json()["outcome"] == first["outcome"]
    again = (await world.check(code=sent["code"], id=id)).json()
    assert again == {**judged, "already": True}, "in the words of the rule that is no more"


async def test_two_names_of_one_person_as_they_are_admitted(world: World) -> None:
    enrol = world.built.house.enrol
    await enrol.appoint_operator("Lan", world.now)
    await enrol.appoint_operator("Lan-Dem", world.now, also="lan")
    await enrol.appoint_operator("Lan-3", world.now, also="LAN-DEM")
    await enrol.appoint_operator("Mai", world.now)
    await enrol.dismiss("operator", "Lan-Dem", world.now)
    assert await enrol.person("LAN") == await enrol.person("LAN-3") == {"LAN", "LAN-DEM", "LAN-3"}
    assert await enrol.person("MAI") == {"MAI"}
    policies = world.built.house.policies
    step = await policies.draft(version(1), over="", by="LAN", now=world.now)
    with pytest.raises(Conflict, match=r"policy\.own"):
        await policies.approve(step.draft, None, by="LAN-3", now=world.now)
