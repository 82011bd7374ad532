"""A server as it is run says nothing about anybody: not when it refuses, not when everything around it breaks."""

import asyncio
import contextlib
import datetime as dt
import sqlite3
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote, urlencode

import httpx

from motma.core.text import fold
from motma.register.population import Person
from motma.replay.drive import free_port
from tests.faults.served import served
from tests.world import HERE, World, living_world


def told_of(people: Iterable[Person]) -> set[str]:
    """Everything that names one of them, as it may be written."""
    words: set[str] = set()
    for person in people:
        born, place = person.birth_date, person.residence
        words |= {person.name, person.name.upper(), fold(person.name), quote(person.name), ascii(person.name)[1:-1]}
        words |= {document.number for document in person.documents}
        words |= {person.phone, person.phone.removeprefix("+84"), place.address, quote(place.address)}
        words |= {born.isoformat(), f"{born:%d/%m/%Y}", f"{born.year}, {born.month}, {born.day}"}
    return words - {""}


def break_rows(world: World, statement: str, *values: str) -> None:
    """Past the house, and past the triggers."""
    path = world.settings.database_url.removeprefix("sqlite:///")
    with contextlib.closing(sqlite3.connect(path, isolation_level=None, timeout=20)) as database:
        database.execute("DROP TRIGGER IF EXISTS facts_only_reseal")
        assert database.execute(statement, values).rowcount == 1


async def test_what_a_server_writes_is_about_nobody(tmp_path: Path) -> None:
    log = tmp_path / "log"
    async with living_world(tmp_path, measure=False) as world, contextlib.AsyncExitStack() as stack:
        world.now = dt.datetime.now(dt.UTC)
        await world.publish()
        people = [world.person(n) for n in range(6)]
        token = (await world.platform()).headers["authorization"]
        at_work = {cookie.name: cookie.value or "" for cookie in (await world.officer_at(HERE)).cookies.jar}
        settings = replace(world.settings, port=free_port())
        address = await stack.enter_async_context(served(settings, log))
        said = {"authorization": token}
        platform = await stack.enter_async_context(httpx.AsyncClient(base_url=address, headers=said, timeout=30))
        officer = await stack.enter_async_context(httpx.AsyncClient(base_url=address, cookies=at_work, timeout=30))
        browser = await stack.enter_async_context(httpx.AsyncClient(base_url=address, timeout=30))

        good, broken = [await world.declare(person, platform) for person in people[:2]]
        assert (good.status_code, broken.status_code) == (201, 201)
        refusals = [
            await world.declare(people[2], platform, name=people[3].name),
            await world.declare(people[2], platform, name=f"{people[2].name} 9!", phone="12", birth_date="1990-13-01"),
            await world.send(platform, {"name": people[3].name, people[3].name: people[3].phone}),
            await world.declare_on_page(browser, people[3], name=f"<{people[3].name}>"),
            await browser.get(f"/{quote(people[3].name)}?{urlencode({'phone': people[3].phone})}"),
            await world.check(qid=people[3].documents[0].number, officer=officer),
            await world.check(code=people[3].name, officer=officer),
        ]
        assert all(answer.status_code < 500 for answer in refusals)
        await world.declare_on_page(browser, people[3])
        await officer.post("/scan/plates", json={"plate": "59C112345"})
        assert (await world.check(qid=good.json()["qid"], officer=officer)).status_code == 200
        assert log.read_text().count("\n") <= 1, "nothing to complain of so far"

        # Now things break: a standing that cannot be read, a personal part that does not open, no register.
        world.registry.outage = True
        pending = await world.declare(people[4], platform)
        assert pending.status_code == 201
        break_rows(world, "UPDATE standing SET body = '{' WHERE qid = ?", broken.json()["qid"])
        break_rows(world, "UPDATE facts SET sealed = x'0203' WHERE id = ?", pending.json()["declaration"])
        break_rows(world, "UPDATE standing SET body = '{' WHERE qid = ?", pending.json()["qid"])
        failed = [
            await world.check(qid=broken.json()["qid"], officer=officer),
            await world.declare(people[1], platform),
        ]
        assert any(answer.status_code == 500 for answer in failed)
        world.registry.outage = False
        async with asyncio.timeout(60):
            while "worker.failed" not in log.read_text():  # noqa: ASYNC110 - another process writes it
                await asyncio.sleep(0.2)
        told = log.read_text()
        assert "request.failed" in told and "Traceback" in told
        words = told_of(people)
        assert len(words) > 60
        assert [word for word in words if word in told] == []
