"""Who somebody is: every grade over the wire, with as few questions as will do."""

import datetime as dt
from collections.abc import AsyncIterator, Mapping, Sequence

import msgspec
import pytest

from motma.connectors.registry import Expression
from motma.connectors.registry.osia import OsiaRegistry, Where
from motma.core.errors import Unavailable
from motma.core.form import Declaration, parse_declaration
from motma.core.identity import PENDING, Grade
from motma.core.ids import Document
from motma.core.text import fold
from motma.forms import load_form, load_units
from motma.register.population import Person, Population
from motma.services.matching import Matching
from tests.register.running import SEED, SIZE, Running, register

PEOPLE = Population(SEED, SIZE)
FORM, UNITS = load_form("2026-1"), load_units()
NOW = dt.datetime(2026, 1, 18, 7, 0, tzinfo=dt.UTC)


class Overheard:
    """The real register, and every question that it was asked."""

    def __init__(self, there: OsiaRegistry) -> None:
        self._there = there
        self.asked: list[str] = []

    async def find(self, attributes: Mapping[str, str]) -> tuple[str, ...]:
        self.asked.append("find " + " ".join(sorted(attributes)))
        return await self._there.find(attributes)

    async def match(self, uin: str, attributes: Mapping[str, str]) -> frozenset[str] | None:
        self.asked.append("match")
        return await self._there.match(uin, attributes)

    async def read(self, uin: str, names: Sequence[str]) -> Mapping[str, str] | None:
        self.asked.append("read " + " ".join(names))
        return await self._there.read(uin, names)

    async def verify(self, uin: str, expressions: Sequence[Expression]) -> bool | None:
        raise AssertionError("nobody asks this")


@pytest.fixture
def running() -> Running:
    one = register()
    one.clear()
    return one


@pytest.fixture
async def overheard(running: Running) -> AsyncIterator[Overheard]:
    where = Where(running.url, running.client_id, running.client_secret, pause_seconds=0)
    async with OsiaRegistry(where) as there:
        yield Overheard(there)


def declared(person: Person, document: Document | None = None, **changes: object) -> Declaration:
    home = {"province": "79", "commune": "26740"}
    document = document or person.documents[0]
    raw = {
        "name": person.name,
        "birth_date": person.birth_date.isoformat(),
        "sex": person.sex,
        "nationality": person.nationality,
        "document": {"kind": document.kind, "number": document.number},
        "phone": person.phone,
        "residence": {**home, "address": "Số 1"},
        "trip": {"origin": home, "destination": home, "vehicle": "motorbike", "departs_at": NOW.isoformat()},
        "health": {"symptoms": {one.id: False for one in FORM.symptoms}, "contact": False},
        "consents": [purpose.id for purpose in FORM.purposes],
    }
    return msgspec.structs.replace(parse_declaration(raw, FORM, UNITS, frozenset(), NOW), **changes)


def somebody(wanted: object) -> Person:
    return next(person for person in map(PEOPLE.person, range(SIZE)) if wanted(person))  # type: ignore[operator]


def with_old_number(person: Person) -> bool:
    return [one.kind for one in person.documents[:2]] == ["cccd", "cmnd"] and len(person.name.split()) > 2


async def test_whoever_says_what_the_register_says_is_asked_about_once(overheard: Overheard) -> None:
    person = somebody(with_old_number)
    found = await Matching(overheard).who(declared(person), ())
    assert (found.match.grade, found.keys) == (Grade.MATCHED, (person.documents[0].key,))
    assert overheard.asked == ["match"], "nothing is read of whom it matches"


async def test_an_old_number_leads_to_the_new_one(overheard: Overheard) -> None:
    person = somebody(with_old_number)
    card, old = person.documents[:2]
    found = await Matching(overheard).who(declared(person, old), ())
    assert found.match.grade is Grade.MATCHED and set(found.keys) == {card.key, old.key}
    assert overheard.asked == ["find oldNumber", "match"]


async def test_a_foreigner_is_found_by_passport_and_country(overheard: Overheard) -> None:
    person = somebody(lambda one: one.nationality != "VN")
    found = await Matching(overheard).who(declared(person), ())
    assert found.match.grade is Grade.MATCHED and person.documents[0].key in found.keys and len(found.keys) == 2
    other = msgspec.structs.replace(declared(person), document=Document("passport", person.documents[0].number, "ZZ"))
    assert (await Matching(overheard).who(other, ())).match.grade is Grade.UNKNOWN


async def test_only_where_number_and_birth_date_belong_together_is_the_name_read(overheard: Overheard) -> None:
    person = somebody(lambda one: with_old_number(one) and fold(one.name) != one.name.upper())
    plain = declared(person, name=fold(person.name).title())
    found = await Matching(overheard).who(plain, ())
    assert (found.match.grade, found.match.how, found.keys) == (Grade.REPAIRABLE, "tones", (person.documents[0].key,))
    assert overheard.asked == ["match", "read fullName dateOfBirth"]
    assert (await Matching(overheard).who(plain, ("tones",))).match.grade is Grade.MATCHED, "if the measure says so"
    overheard.asked.clear()
    other_day = person.birth_date.replace(day=person.birth_date.day % 27 + 1)
    found = await Matching(overheard).who(declared(person, name="Ai Đó", birth_date=other_day), ())
    assert (found.match.grade, found.match.differing, found.keys) == (Grade.MISMATCHED, ("birth_date",), ())
    assert overheard.asked == ["match"]


async def test_a_name_in_another_style_is_the_same_name(overheard: Overheard) -> None:
    person = somebody(with_old_number)
    found = await Matching(overheard).who(declared(person, name=f"{person.name.upper()}"), ())
    assert found.match.grade is Grade.MATCHED


async def test_what_a_keyboard_left_over_is_read_as_it_was_meant(overheard: Overheard) -> None:
    person = somebody(lambda one: with_old_number(one) and one.name.startswith("Nguyễn Thị "))
    typed = declared(person, name=person.name.replace("Nguyễn Thị", "Nguyeenx Thij"))
    found = await Matching(overheard).who(typed, ())
    assert found.match.grade is Grade.MATCHED and found.read(typed).name == person.name
    assert (await Matching(overheard).who(declared(person), ())).read(declared(person)).name == person.name


async def test_while_it_is_away_everybody_is_pending(overheard: Overheard, running: Running) -> None:
    running.fault(outage=True)
    person = somebody(with_old_number)
    assert (await Matching(overheard).who(declared(person), ())).match == PENDING
    with pytest.raises(Unavailable, match=r"register\.unavailable"):
        await Matching(overheard).ask(declared(person), ())
    running.clear()
    assert (await Matching(overheard).who(declared(person), ())).match.grade is Grade.MATCHED


async def test_an_unknown_number_costs_the_questions_that_a_wrong_birth_date_costs(overheard: Overheard) -> None:
    person = somebody(with_old_number)
    other_day = person.birth_date.replace(day=person.birth_date.day % 27 + 1)
    asked = []
    for document in (
        person.documents[0],
        Document("cccd", person.documents[0].number[:6] + "000000"),
        person.documents[1],
        Document("cmnd", "000000001"),
    ):
        overheard.asked.clear()
        found = await Matching(overheard).who(declared(person, document=document, birth_date=other_day), ())
        asked.append((found.match.grade, tuple(overheard.asked)))
    assert asked[0][1] == asked[1][1] and asked[2][1] == asked[3][1]
    assert {grade for grade, _ in asked} == {Grade.MISMATCHED, Grade.UNKNOWN}


async def test_a_year_alone_costs_one_question_whatever_comes_of_it(overheard: Overheard) -> None:
    person = somebody(with_old_number)
    year = dt.date(person.birth_date.year, 1, 1)
    others = [
        declared(person, name=person.name.upper(), birth_date=year, year_only=True),
        declared(person, name="Ai Đó", birth_date=year, year_only=True),
        declared(person, birth_date=year.replace(year=year.year + 1), year_only=True),
        declared(person, Document("cccd", person.documents[0].number[:6] + "000000"), birth_date=year, year_only=True),
    ]
    told = []
    for one in others:
        overheard.asked.clear()
        found = await Matching(overheard).who(one, ())
        assert overheard.asked == ["read fullName dateOfBirth"]
        told.append((str(found.match.grade), found.match.how, bool(found.keys)))
    assert told == [
        ("repairable", "year", True),
        ("mismatched", "year", False),
        ("mismatched", "year", False),
        ("unknown", "year", False),
    ]
    full = await Matching(overheard).who(declared(person), ())
    assert full.keys == (await Matching(overheard).who(others[0], ())).keys
    first = await Matching(overheard).who(declared(person, birth_date=year), ())
    assert first.match.grade is Grade.MISMATCHED, "1 January in full is no year"


async def test_of_two_who_bear_one_number_the_name_tells_which(overheard: Overheard) -> None:
    bearers: dict[Document, list[Person]] = {}
    for one in map(PEOPLE.person, range(SIZE)):
        for document in one.documents:
            bearers.setdefault(document, []).append(one)
    document, (person, _) = next((held, both) for held, both in bearers.items() if len(both) == 2)
    said = declared(person, document, birth_date=dt.date(person.birth_date.year, 1, 1), year_only=True)
    found = await Matching(overheard).who(said, ())
    assert found.match.fits and found.keys == (person.documents[0].key,)
