"""Four platforms, an exchange and a register, each a program of its own, interlinked over HTTP only."""

import asyncio
import datetime as dt
import itertools
import random
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import aiohttp
import msgspec
import pytest
import pytest_asyncio
import uvicorn
from cryptography.hazmat.primitives.asymmetric import ec

from bench.exchange import City as Measured
from bench.exchange import same_on_all
from motma.conformance.exchange import Ours, declaration_of, running_exchange, running_twins
from motma.conformance.platform import Declared, Platform
from motma.conformance.report import Report, read
from motma.conformance.run import run
from motma.conformance.trial import CASES
from motma.core.errors import Invalid
from motma.replay.processes import RunningTwin, running_twin
from motma.twins.app import App
from motma.twins.program import TWINS, Running
from motma.twins.receiver import Receiver
from motma.twins.scanner import Held, Seen
from motma.twins.store import Citizen
from motma.wiring import utc_now

_T = TypeVar("_T")
FOUR = ("bluezone", "ncovi", "tokhaiyte", "dicuan")
_places = itertools.count()
PATIENCE = 180
"""Seconds until a test gives up; no test waits for them to pass. How fast it is, bench/exchange.py measures."""


class City:
    """The four, driven by the doors that they open for trials."""

    def __init__(self, ours: Ours, twins: Mapping[str, RunningTwin], session: aiohttp.ClientSession) -> None:
        self.ours, self.session = ours, session
        self.twins = {name: Platform(twin.url, session) for name, twin in twins.items()}
        self.luck = random.Random(5)
        grown = (person for person in map(ours.people.person, range(10_000)) if person.birth_date.year < 2004)
        self._people = (one for one in grown if one.nationality == "VN" and not one.year_only)
        next(itertools.islice(self._people, next(_places) * 20, None))  # nobody twice in one exchange

    def person(self) -> dict[str, Any]:
        return declaration_of(next(self._people), utc_now(), luck=self.luck)

    async def until(self, look: Callable[[], Awaitable[_T | None]]) -> _T:
        async with asyncio.timeout(PATIENCE):
            while not (found := await look()):  # noqa: ASYNC110  # other programs are waited for
                await asyncio.sleep(0.05)
            return found

    async def declare(self, name: str, body: Mapping[str, Any]) -> Declared:
        key = await self.twins[name].declare(body)

        async def look() -> Declared | None:
            found = await self.twins[name].declared(key)
            return None if found.state == "waiting" else found

        return await self.until(look)

    async def shows(self, name: str, qid: str, **said: Any) -> dict[str, Any]:
        async def look() -> dict[str, Any] | None:
            found = await self.twins[name].citizen(qid)
            return found if found and all(found.get(member) == value for member, value in said.items()) else None

        return await self.until(look)

    async def says(self, name: str, code: str, valid: bool | None) -> None:
        async def look() -> bool:
            return (await self.twins[name].verify(code)).valid is valid

        await self.until(look)

    async def story(self, twin: RunningTwin) -> dict[str, Any]:
        async with self.session.get(f"{twin.url}/healthz") as answer:
            return await answer.json()  # type: ignore[no-any-return]


pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def ours(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Ours]:
    """One exchange with its register for all these tests: starting programs is what takes time."""
    async with running_exchange(tmp_path_factory.mktemp("exchange")) as running:
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the four keep what they know, each in a folder of its name."""
    return tmp_path_factory.mktemp("twins")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def twins(ours: Ours, folder: Path) -> AsyncIterator[Mapping[str, RunningTwin]]:
    """The four, each a program of its own; whoever tries one has it forget everything first."""
    async with running_twins(ours, folder, FOUR, feed_seconds=0.5) as running:
        yield running


async def test_declared_on_any_scanned_with_any_other(
    ours: Ours, twins: Mapping[str, RunningTwin], folder: Path
) -> None:
    """One declares on all four, and is one citizen with one number; what health staff report shows on all four."""
    async with aiohttp.ClientSession() as session:
        four = City(ours, twins, session)
        body = four.person()
        declared = dict(zip(FOUR, await asyncio.gather(*(four.declare(name, body) for name in FOUR)), strict=True))
        assert {one.state for one in declared.values()} == {"sent"}, declared
        qids = {one.qid for one in declared.values()}
        assert len(qids) == 1 and None not in qids
        qid = declared["bluezone"].qid or ""
        shown = [await four.shows(name, qid, health="clear") for name in FOUR]
        assert all(one["code"] for one in shown)
        # The code that one shows is judged by the others, who hold the keys and ask nobody.
        for shows, scans in zip(FOUR, (*FOUR[1:], FOUR[0]), strict=True):
            await four.says(scans, declared[shows].code or "", True)
        forged = await four.ours.code_of_another(declared["ncovi"].code or "", same_kid=True)
        assert (await four.twins["dicuan"].verify(forged)).valid is False

        await four.ours.report(qid, "case")
        versions = [(await four.shows(name, qid, health="positive"))["version"] for name in FOUR]
        assert len(set(versions)) == 1
        await four.ours.withdraw(qid)
        for name in FOUR:
            await four.shows(name, qid, state="withdrawn")
            await four.says(name, declared["bluezone"].code or "", False)
        # Somebody who declared on one alone is nobody's business on the others.
        alone = await four.declare("tokhaiyte", four.person())
        await four.shows("tokhaiyte", alone.qid or "", health="clear")
        assert [await four.twins[name].citizen(alone.qid or "") for name in FOUR if name != "tokhaiyte"] == [None] * 3
        # Their scanners hear of it all the same: by the lists.
        await four.says("ncovi", alone.code or "", True)
        await four.ours.withdraw(alone.qid or "")
        await asyncio.gather(*(four.says(name, alone.code or "", False) for name in FOUR))

        # Everybody on all four, in random order and in parallel; bench/exchange.py does it with 10,000.
        same = await same_on_all(Measured(ours, twins, folder, session), 15, seed=3, at_once=8, begin=5_000)
        assert same.complete, same


async def test_a_twin_that_was_away_catches_up_and_what_it_could_not_send_is_sent(ours: Ours, tmp_path: Path) -> None:
    async with aiohttp.ClientSession() as session:
        people = []
        async with running_twins(ours, tmp_path, ("bluezone",), feed_seconds=0.5) as twins:
            before = City(ours, twins, session)
            for _ in range(3):
                people.append((await before.declare("bluezone", before.person())).qid or "")
            for qid in people:
                await before.shows("bluezone", qid, health="clear")
        # Away: it hears nothing. Five changes, two of them of one citizen.
        for qid in people:
            await ours.report(qid, "contact")
        await ours.report(people[0], "case")
        await ours.hold_back(people[1])
        # Back, but without an exchange: what its users declare now waits on disk.
        nowhere = running_twin("bluezone", exchange="http://127.0.0.1:9", data=tmp_path / "bluezone", trials=True)
        async with nowhere as twin:
            lonely = City(ours, {"bluezone": twin}, session)
            key = await lonely.twins["bluezone"].declare({**before.person()})

            async def tried() -> bool:
                return bool((await lonely.story(twin))["trouble"]["letters"])

            await lonely.until(tried)
            assert (await lonely.twins["bluezone"].declared(key)).state == "waiting"
        again = running_twin("bluezone", exchange=ours.url, data=tmp_path / "bluezone", feed_seconds=0.5, trials=True)
        async with again as twin:
            back = City(ours, {"bluezone": twin}, session)
            await back.shows("bluezone", people[0], health="positive")
            await back.shows("bluezone", people[1], state="suspended")
            await back.shows("bluezone", people[2], health="contact")

            async def sent() -> Declared | None:
                found = await back.twins["bluezone"].declared(key)
                return found if found.state == "sent" else None

            assert (await back.until(sent)).qid not in people
        heard = _heard(tmp_path / "bluezone")
        assert len({id for id, *_ in heard}) == len(heard)
        for qid in people:  # in order for each citizen, as the feed promises
            versions = [version for _, who, version in heard if who == qid]
            assert versions == sorted(versions) and len(versions) == len(set(versions)) >= 2


def _heard(folder: Path) -> list[tuple[str, str, int]]:
    from motma.twins.store import TwinStore

    store = TwinStore(folder / "twin.db")
    try:
        return [(one["id"], one["qid"], one["version"]) for one in store.story()]
    finally:
        store.close()


async def test_our_twins_are_green(ours: Ours, twins: Mapping[str, RunningTwin]) -> None:
    """The whole kit against each of the four, as ``motma conformance URL`` runs it; the report says so, and proves it.

    At the same time, each behind a front of its own: it is waiting that takes the time.
    """
    trials = (run(twins[name].url, patience=PATIENCE, ours=ours, seed=seed) for seed, name in enumerate(FOUR))
    all_four = dict(zip(FOUR, await asyncio.gather(*trials), strict=True))
    red = {(name, one.id, one.seen) for name, it in all_four.items() for one in it.report.tried if not one.passed}
    assert red == set()
    assert [(it.report.connector, it.report.interlinked, len(it.report.tried)) for it in all_four.values()] == [
        (name, True, len(CASES)) for name in FOUR
    ]
    signed = all_four["tokhaiyte"]
    assert read(signed.jws) == signed.report == msgspec.json.decode(signed.json, type=Report)
    head, body, signature = signed.jws.split(".")
    with pytest.raises(Invalid):
        read(f"{head}.{body[:-2]}AA.{signature}")
    with pytest.raises(Invalid):
        read(signed.jws, ec.generate_private_key(ec.SECP256R1()).public_key())
    assert "Đã liên thông" in signed.html and "Chưa liên thông" not in signed.html


class Careless(Running):
    """A twin made wrong: it believes whoever posts, the later of two messages, any code whose signature holds."""

    def _begin(self) -> None:
        super()._begin()
        self.receiver = CarelessReceiver(self.store, on_news=lambda: None)

    @property
    def held(self) -> Held:
        return Gullible(super().held.trusted, super().held.status)


class CarelessReceiver(Receiver):
    def take(self, body: bytes, headers: Mapping[str, str]) -> tuple[int, str]:
        told = msgspec.json.decode(body)["data"]
        if citizen := told.get("citizen"):
            self._store._take_over(msgspec.convert(citizen, Citizen))
        return 204, ""


class Gullible(Held):
    def judge(self, text: str, now: dt.datetime) -> Seen:
        seen = super().judge(text, now)
        return seen if seen.code is None else Seen("good", "", seen.words, seen.code)


async def test_a_careless_platform_is_red_where_it_is_careless(ours: Ours, tmp_path: Path) -> None:
    (tmp_path / "red").mkdir()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        careless = Careless(
            TWINS["ncovi"],
            exchange="http://127.0.0.1:9",
            platform="NCOVI",
            data=tmp_path / "red",
            key_file=tmp_path / "red" / "key.pem",
            url=url,
            feed_seconds=0.5,
        )
        async with careless.opened():
            server = uvicorn.Server(uvicorn.Config(App(careless, trials=True), lifespan="off", log_level="warning"))
            serving = asyncio.create_task(server.serve(sockets=[listener]))
            try:
                only = ("codes.good", "codes.altered", "codes.expired", "telling.webhook", "telling.forged")
                signed = await run(
                    url, patience=PATIENCE, ours=ours, seed=9, only=(*only, "telling.old", "telling.order")
                )
            finally:
                server.should_exit = True
                await serving
    red = {one.id for one in signed.report.tried if not one.passed}
    assert red == {"codes.expired", "telling.forged", "telling.old", "telling.order"}
    assert not signed.report.interlinked and "Chưa liên thông" in signed.html
