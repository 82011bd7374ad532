"""The officers' endpoint, and what the house says of people to whom: nothing of them stands in any log."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import structlog

from motma.worker import work
from tests.world import World, living_world


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with living_world(tmp_path) as world:
        yield world


async def test_an_officer_sees_what_there_is_to_compare_and_no_more(world: World) -> None:
    person = world.person(0)
    sent = await world.declare(person)
    for answer in (await world.check(code=sent.json()["code"]), await world.check(qid=sent.json()["qid"])):
        assert set(answer.json()["citizen"]) == {"qid", "name", "birth_date", "last_four"}
        for kept in (person.documents[0].number, person.phone, person.phone.replace("+84", "0"), "59C112345"):
            assert kept not in answer.text
        assert person.residence.address not in answer.text


async def test_an_operator_sees_no_person(world: World) -> None:
    person = world.person(0)
    sent = await world.declare(person)
    await world.check(code=sent.json()["code"])
    operator = await world.operator()
    for path in ("/ops", "/ops/counts.csv"):
        page = (await operator.get(path)).text
        for kept in (person.name, person.documents[0].number, sent.json()["qid"], person.phone):
            assert kept not in page


async def test_no_person_in_any_log(
    world: World, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    """Whole lines, good, refused, pending, forged and broken, with everything logged that there is to log."""
    caplog.set_level(logging.DEBUG)
    logged, before = structlog.testing.CapturingLogger(), structlog.get_config()
    structlog.configure(logger_factory=lambda *_: logged, cache_logger_on_first_use=False)
    try:
        people = [world.person(n) for n in range(5)]
        secrets: list[str] = []
        sent = [await world.declare(people[0]), await world.declare(people[1], name="Kẻ Mạo Danh")]
        world.registry.outage = True
        sent.append(await world.declare(people[2]))
        worker = asyncio.create_task(work(world.built.identify, lambda: world.now))
        world.registry.outage = False
        await asyncio.sleep(0.1)
        worker.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await worker
        browser = world.browser()
        await world.declare_on_page(browser, people[3])
        await world.declare_on_page(browser, people[4], name="<Kẻ Mạo Danh>")
        for path in ("/code", "/code/1.png", "/code/1/looks"):
            await browser.get(path)
        for answer in sent:
            if code := answer.json()["code"]:
                secrets += [code, answer.json()["qid"]]
                await world.check(code=code)
                await world.check(code=code[:-2] + "00")
                await world.check(qid=answer.json()["qid"])
        enrol = world.built.house.enrol
        pin = await enrol.appoint_officer("CB-09", "Trần Văn Trực", world.now)
        device = await world.device_at()
        await device.post("/scan/shift", data={"officer": "CB-09", "pin": f"{pin}0"})
        await device.post("/scan/shift", data={"officer": "CB-09", "pin": pin})
        secrets += [pin, *device.cookies.values(), *browser.cookies.values()]
        await world.send(await world.platform(), {"name": people[0].name})
        await world.built.store.close()  # now everything breaks
        for answer in (
            await world.declare(people[0]),
            await world.declare_on_page(browser, people[0]),
            await world.check(code=secrets[0]),
        ):
            assert answer.status_code in (500, 503)
    finally:
        structlog.configure(**before)
    captured = capfd.readouterr()
    told = "\n".join([str(logged.calls), caplog.text, captured.out, captured.err])
    assert "worker.matched" in told
    for person in people:
        secrets += [person.name, person.phone, person.phone.removeprefix("+84"), person.residence.address]
        secrets += [document.number for document in person.documents]
    secrets += ["Kẻ Mạo Danh", "59C112345", "Trần Văn Trực"]
    for secret in secrets:
        assert secret not in told


async def test_errors_do_not_repeat_what_was_sent(world: World) -> None:
    number = world.person(0).documents[0].number
    answers = [
        await world.declare(world.person(0), document__number=f"{number}9"),
        await world.declare(world.person(0), health__contact=number),
        await world.check(qid=number),
        await world.check(code="x", id=number),
        await world.send(await world.platform(), {number: number}),
    ]
    for answer in answers:
        assert answer.status_code == 422 and number not in answer.text
