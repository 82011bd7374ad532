"""The desk of bundles: what it signs follows from what is switched on, and devices that held an earlier one take it."""

import asyncio
import datetime as dt
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from motma.core.bundle import Bundle, accept
from motma.core.errors import Unavailable
from motma.core.policy import Policy
from motma.core.trustlist import LIFE, SKEW, roots_of
from motma.policies import load_policies
from motma.roads import load_network
from motma.services.bundle import BundleDesk, Rules, SignedBundle
from tests.core.policy_texts import version
from tests.world import HERE, NEXT, World, living_world

HOUR = dt.timedelta(hours=1)


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with living_world(tmp_path) as world:
        yield world


async def taken(world: World, signed: SignedBundle, held: Bundle | None = None) -> Bundle:
    """What a device makes of it."""
    roots = roots_of(await world.built.board.trust(world.now))
    return accept(signed.raw, roots=roots, issuer=world.settings.issuer, now=world.now, held=held)


async def given(world: World, place: str = HERE, held: Bundle | None = None) -> tuple[Bundle, dict[str, Any]]:
    bundle = await taken(world, await world.built.house.bundles.bundle(place, world.now), held)
    return bundle, json.loads(bundle.content)


async def test_it_says_the_measure_the_policies_and_the_place(world: World) -> None:
    measure = await world.publish(by_hand=("static", "stale"), policies=("code", "health"))
    _, said = await given(world)
    assert said["checkpoint"] == {"id": HERE, "kind": "gateway", "area": load_network().by_id[HERE].area}
    now, after = said["periods"]
    assert (now["measure"]["id"], now["measure"]["by_hand"]) == (measure.id, ["stale", "static"])
    assert [said["policies"][number]["id"] for number in now["policies"]] == ["code", "health"]
    assert (after["measure"], after["policies"], after["complete"]) == (None, [], True)
    _, elsewhere = await given(world, NEXT)
    assert elsewhere["checkpoint"]["id"] == NEXT and elsewhere["periods"] == said["periods"]


async def test_a_policy_that_is_not_there_is_told(world: World) -> None:
    await world.publish(policies=("health", "of-the-future"))
    _, said = await given(world)
    assert [period["complete"] for period in said["periods"]] == [False, True]


async def test_what_is_switched_is_in_the_next_one_which_every_device_takes(world: World) -> None:
    held, _ = await given(world)
    first = await world.built.house.bundles.bundle(HERE, world.now)
    assert await world.built.house.bundles.bundle(HERE, world.now + HOUR) is first
    world.now += HOUR
    await world.divert()
    assert (await world.built.house.bundles.bundle(HERE, world.now)) is first, "no word of it has changed"
    await world.publish(policies=("code",))
    second, said = await given(world, held=held)
    assert second.version > held.version and second.issued_at == world.now
    assert len(said["policies"]) == 1


async def test_measures_and_policies_to_come_are_told_with_their_times(world: World) -> None:
    now = world.now.replace(microsecond=0)
    await world.publish(id="one", starts_at=now - HOUR, ends_at=now + 5 * HOUR, policies=("code",))
    await world.publish(id="two", starts_at=now + 2 * HOUR, ends_at=now + 3 * HOUR, policies=("health",))
    house, changes = world.built.house, (now + 4 * HOUR,)

    def at(names: tuple[str, ...], when: dt.datetime) -> tuple[tuple[Policy, ...], bool]:
        return load_policies(names if when < changes[0] else ("standing",))

    async def rules(when: dt.datetime) -> Rules:
        return Rules(at, changes, 7)

    desk = BundleDesk(
        board=world.built.board,
        issuer=world.settings.issuer,
        network=load_network(),
        rules=rules,
        signer=house.trust_list._signer,
    )
    bundle = await taken(world, await desk.bundle(HERE, world.now))
    told = [
        (
            period["from"] and dt.datetime.fromisoformat(period["from"]),
            period["measure"] and period["measure"]["id"],
            [json.loads(bundle.content)["policies"][number]["id"] for number in period["policies"]],
        )
        for period in json.loads(bundle.content)["periods"]
        if not period["from"] or dt.datetime.fromisoformat(period["from"]) < now + 24 * HOUR
    ]
    demo = [(name, ids) for _, name, ids in told]
    assert demo == [
        ("one", ["code"]),
        ("two", ["health"]),
        ("one", ["code"]),
        ("one", ["standing"]),
        (told[-1][1], told[-1][2]),
    ]
    assert [begins for begins, _, _ in told] == [None, *(now + hours * HOUR for hours in (2, 3, 4, 5))]
    shipped = await given(world)
    assert bundle.version == shipped[0].version + 7


async def test_what_operators_approve_reaches_scanners_with_its_time(world: World) -> None:
    await world.publish(policies=("code",))
    held, _ = await given(world)
    policies, later = world.built.house.policies, world.now + 2 * HOUR
    step = await policies.draft(version(1), over="", by="A", now=world.now)
    await policies.approve(step.draft, later, by="B", now=world.now)
    held, said = await given(world, held=held)
    assert [said["policies"][number]["id"] for number in said["periods"][0]["policies"]] == ["code"]
    begins = said["periods"][1]
    assert dt.datetime.fromisoformat(begins["from"]) == later
    assert [said["policies"][number]["id"] for number in begins["policies"]] == ["code", "night"]
    await policies.withdraw(step.draft, by="A", now=world.now)
    _, said = await given(world, held=held)
    assert [policy["id"] for policy in said["policies"]] == ["code"]


async def test_many_at_once_get_the_same_one_and_it_always_has_half_of_its_time_before_it(world: World) -> None:
    desk = world.built.house.bundles
    many = await asyncio.gather(*(desk.bundle(HERE, world.now) for _ in range(8)))
    assert all(one is many[0] for one in many)
    held: Bundle | None = None
    for _ in range(40):
        world.now += 9 * HOUR
        held, _ = await given(world, held=held)
        assert held.expires_at - world.now >= LIFE / 2 - dt.timedelta(seconds=1)


async def test_a_clock_that_steps_back_signs_nothing_older(world: World) -> None:
    desk = world.built.house.bundles
    late = await desk.bundle(HERE, world.now + SKEW)
    held = await taken(world, late)
    await world.publish(policies=("code",))
    again = await taken(world, await desk.bundle(HERE, world.now), held)
    assert again.issued_at == held.issued_at and again.version > held.version
    ahead = await desk.bundle(HERE, world.now + 365 * 24 * HOUR)
    assert ahead.issued_at > world.now + SKEW
    world.now += 2 * SKEW
    await taken(world, await desk.bundle(HERE, world.now), again)


async def test_another_root_signs_the_next_one(world: World) -> None:
    held, _ = await given(world)
    trust = world.built.house.trust
    await trust.rotate(world.now, use="root")
    await given(world, held=held)


async def test_without_a_root_it_says_so(world: World) -> None:
    async def rules(when: dt.datetime) -> Rules:
        return Rules(lambda names, at: load_policies(names))

    def gone(kid: bytes) -> Any:
        raise Unavailable("key.gone", world.built.house.steer.network.by_id[HERE].name)

    desk = BundleDesk(board=world.built.board, issuer="motma.test", network=load_network(), rules=rules, signer=gone)
    with pytest.raises(Unavailable, match=r"key\.gone"):
        await desk.bundle(HERE, world.now)
