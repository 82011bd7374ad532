"""The client against the register as it runs."""

import asyncio
import datetime as dt
import unicodedata
from collections.abc import AsyncIterator

import pytest

from motma.connectors.registry import Expression, Registry
from motma.connectors.registry.osia import OsiaRegistry, Where
from motma.core.errors import Unavailable
from motma.register.population import Population
from tests.register.running import SEED, SIZE, Running, register, start

PEOPLE = Population(SEED, SIZE)
NEAR = [PEOPLE.person(index) for index in range(3_000)]
CITIZEN = next(
    person for person in NEAR if len(person.documents) == 3 and len(PEOPLE.holders(person.documents[1])) == 1
)
FOREIGNER = next(person for person in NEAR if person.nationality != "VN")
CHILD = next(person for person in NEAR if person.guardian)
OLD = next(person for person in NEAR if person.year_only)
NOBODY = "999199999999"


@pytest.fixture
def running() -> Running:
    running = register()
    running.clear()
    return running


def where(running: Running, **changes: object) -> Where:
    given = {"timeout_seconds": 5.0, **changes}
    return Where(running.url, running.client_id, running.client_secret, **given)  # type: ignore[arg-type]


@pytest.fixture
async def registry(running: Running) -> AsyncIterator[OsiaRegistry]:
    async with OsiaRegistry(where(running)) as registry:
        yield registry
    running.clear()


async def test_the_four_questions(registry: OsiaRegistry) -> None:
    asked: Registry = registry
    born = CITIZEN.birth_date.isoformat()
    assert await asked.match(CITIZEN.uin, {"fullName": CITIZEN.name, "dateOfBirth": born}) == frozenset()
    assert await asked.match(CITIZEN.uin, {"fullName": "Khác", "dateOfBirth": born}) == {"fullName"}
    assert await asked.match(CITIZEN.uin, {"guardian": "x", "sex": CITIZEN.sex}) == {"guardian"}
    assert await asked.read(CITIZEN.uin, ("fullName", "guardian", "shoeSize")) == {"fullName": CITIZEN.name}
    assert await asked.read(OLD.uin, ("dateOfBirth",)) == {"dateOfBirth": str(OLD.birth_date.year)}
    assert await asked.verify(CITIZEN.uin, [Expression("dateOfBirth", "<=", born)]) is True
    assert await asked.verify(CITIZEN.uin, [Expression("dateOfBirth", "<", born)]) is False
    assert await asked.find({"oldNumber": CITIZEN.documents[1].number}) == (CITIZEN.uin,)


async def test_an_old_number_that_two_bear_finds_both(registry: OsiaRegistry) -> None:
    people = [person for person in NEAR if len(person.documents) > 1]
    shared = next(document for person in people if len(PEOPLE.holders(document := person.documents[1])) == 2)
    bearers = PEOPLE.holders(shared)
    assert set(await registry.find({"oldNumber": shared.number})) == {person.uin for person in bearers}
    one, other = bearers
    name_and_birth = {"fullName": one.name, "dateOfBirth": one.birth_date.isoformat()[: 4 if one.year_only else None]}
    assert await registry.match(one.uin, name_and_birth) == frozenset()
    assert await registry.match(other.uin, name_and_birth) == {"fullName", "dateOfBirth"}


async def test_nobody_is_none_and_never_a_difference(registry: OsiaRegistry) -> None:
    for uin in (NOBODY, "NN-99900000000", "a/b ?#%é..", "../persons", "x" * 128, "\x00", "%2e%2e"):
        assert await registry.match(uin, {"fullName": "X"}) is None, uin
        assert await registry.read(uin, ("fullName",)) is None
        assert await registry.verify(uin, ()) is None
    assert await registry.find({"oldNumber": "999999999"}) == ()
    assert await registry.find({"passportNumber": "ÿ&limit=0#", "passportCountry": "KR"}) == ()


@pytest.mark.parametrize("uin", ["", ".", "..", "x" * 129])
async def test_what_would_be_another_path_is_not_asked(registry: OsiaRegistry, uin: str) -> None:
    with pytest.raises(ValueError, match="UIN"):
        await registry.match(uin, {"fullName": "X"})


@pytest.mark.parametrize("attributes", [{}, {"limit": "5"}, {"names": "x", "oldNumber": "1"}])
async def test_what_the_standard_gives_another_meaning_is_not_asked(
    registry: OsiaRegistry, attributes: dict[str, str]
) -> None:
    with pytest.raises(ValueError, match="attributes"):
        await registry.find(attributes)


async def test_foreigners_and_children_are_found(registry: OsiaRegistry) -> None:
    passport = FOREIGNER.documents[0]
    found = await registry.find({"passportNumber": passport.number, "passportCountry": passport.issuer})
    assert found == (FOREIGNER.uin,) and not FOREIGNER.uin.isdigit()
    decomposed = unicodedata.normalize("NFD", FOREIGNER.name)
    assert await registry.match(FOREIGNER.uin, {"fullName": decomposed}) == frozenset()
    assert CHILD.guardian
    children = await registry.find({"guardian": CHILD.guardian, "dateOfBirth": CHILD.birth_date.isoformat()})
    assert CHILD.uin in children


async def test_a_question_the_register_refuses_does_not_shut_the_door_for_others(running: Running) -> None:
    async with OsiaRegistry(where(running, failures=2, pause_seconds=60)) as registry:
        for _ in range(4):
            with pytest.raises(Unavailable):
                await registry.find({"fullName": "Nguyễn Văn An"})  # 400: names are not indexed
        assert await registry.read(CITIZEN.uin, ("sex",)) == {"sex": CITIZEN.sex}


async def test_wrong_credentials_are_unavailable(running: Running) -> None:
    async with OsiaRegistry(Where(running.url, running.client_id, "guess")) as registry:
        with pytest.raises(Unavailable) as failed:
            await registry.read(CITIZEN.uin, ("sex",))
    assert failed.value.code == "register.unavailable" and not failed.value.permanent
    assert failed.value.words.vi and failed.value.words.en


async def test_an_outage_is_unavailable_and_over_when_it_is_over(running: Running) -> None:
    async with OsiaRegistry(where(running, failures=2, pause_seconds=0.05)) as registry:
        running.fault(outage=True)
        for _ in range(5):
            with pytest.raises(Unavailable):
                await registry.match(CITIZEN.uin, {"fullName": CITIZEN.name})
        running.clear()
        await asyncio.sleep(0.06)
        assert await registry.match(CITIZEN.uin, {"fullName": CITIZEN.name}) == frozenset()


async def test_a_register_that_hangs_costs_the_time_out_once_and_then_nothing(running: Running) -> None:
    loop = asyncio.get_running_loop()
    async with OsiaRegistry(where(running, timeout_seconds=0.4, failures=3, pause_seconds=60)) as registry:
        assert await registry.read(CITIZEN.uin, ("sex",))
        running.fault(hang=True)
        began = loop.time()
        asked = [registry.read(CITIZEN.uin, ("sex",)) for _ in range(100)]
        failed = await asyncio.gather(*asked, return_exceptions=True)
        assert all(isinstance(one, Unavailable) for one in failed)
        assert 0.35 < loop.time() - began < 2
        began = loop.time()
        for _ in range(200):
            with pytest.raises(Unavailable):
                await registry.read(CITIZEN.uin, ("sex",))
        assert loop.time() - began < 0.3
        running.clear()


async def test_tokens_that_end_mid_way_are_renewed_and_nobody_notices() -> None:
    running = start("--token-seconds", "1")
    loop = asyncio.get_running_loop()
    try:
        async with OsiaRegistry(where(running)) as registry:
            until = loop.time() + 2.6
            answers = 0
            while loop.time() < until:
                assert await registry.read(CITIZEN.uin, ("sex",)) == {"sex": CITIZEN.sex}
                answers += 1
            assert answers > 50
            for _ in range(3):  # and one that the register has forgotten
                running.fault(revoke_tokens=True)
                batch = [registry.match(CITIZEN.uin, {"sex": CITIZEN.sex}) for _ in range(50)]
                assert set(await asyncio.gather(*batch)) == {frozenset()}
    finally:
        running.end()


async def test_a_register_that_is_gone_and_comes_back_on_its_port() -> None:
    running = start()
    port = running.url.rpartition(":")[2]
    async with OsiaRegistry(where(running, failures=3, pause_seconds=0)) as registry:
        assert await registry.read(CITIZEN.uin, ("sex",))
        running.end()
        for _ in range(5):
            with pytest.raises(Unavailable):
                await registry.read(CITIZEN.uin, ("sex",))
        running = start("--port", port)
        try:
            assert await registry.read(CITIZEN.uin, ("sex",)) == {"sex": CITIZEN.sex}  # with a token it never gave
        finally:
            running.end()


async def test_a_slow_and_faulty_register_is_right_or_unavailable_never_wrong(running: Running) -> None:
    born = CITIZEN.birth_date + dt.timedelta(days=1)
    async with OsiaRegistry(where(running, failures=1000)) as registry:
        running.fault(error_rate=0.3, latency_ms=5)
        asked = [registry.match(CITIZEN.uin, {"dateOfBirth": born.isoformat()}) for _ in range(150)]
        asked += [registry.match(NOBODY, {"dateOfBirth": born.isoformat()}) for _ in range(150)]
        answers = await asyncio.gather(*asked, return_exceptions=True)
        running.clear()
    for half, right in ((answers[:150], {"dateOfBirth"}), (answers[150:], None)):
        assert all(answer == right or isinstance(answer, Unavailable) for answer in half)
        assert 10 < sum(isinstance(answer, Unavailable) for answer in half) < 140


def test_where_we_ask_keeps_its_secret() -> None:
    assert "s3cret" not in repr(Where("https://register.test", "us", "s3cret"))
    assert "1990" not in repr(Expression("dateOfBirth", "=", "1990-01-01"))
