"""The fictional population: the same everywhere, every number leads back, nobody real, nobody who is not in it."""

import datetime as dt
import time
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rapidfuzz.distance import OSA

from motma.core.ids import Document, check_number_fits, parse_document, parse_phone
from motma.core.text import fold, parse_line, parse_name
from motma.forms import load_countries, load_units
from motma.register.names import FAMILY_SLOTS, spread
from motma.register.population import SIZE_MAX, Person, Population

PEOPLE = Population(2021, SIZE_MAX)
SMALL = Population(2021, 1000)
SAMPLE = [PEOPLE.person(index) for index in range(0, SIZE_MAX, 997)]  # 10,031 people
INDEXES = st.integers(0, SIZE_MAX - 1)
GOLDEN = [
    (
        "Tạ Văn Thành",
        "1976-02-04",
        "male",
        "+84505022682",
        "cccd VN 999076243999",
        "cmnd VN 999019279",
        "12196",
        "Thôn 2, tổ 8",
    ),
    (
        "Nguyễn Thị Thu Quyên",
        "1980-06-29",
        "female",
        "+84506838324",
        "cccd VN 999180898281",
        "cmnd VN 999297365",
        "23510",
        "Ấp 13, tổ 5",
    ),
    ("Nguyễn Thị Mai Anh", "1992-07-04", "female", "+84509720075", "cccd VN 999192134952", "30814", "Ấp 6, tổ 1"),
]
GOLDEN_FOREIGNER = (
    95,
    "Zhou Chia-Hao",
    "1976-10-29",
    "female",
    "+84508770347",
    "passport CN M99932154",
    "22795",
    "Ấp 15, tổ 8",
)


def outline(person: Person) -> tuple[object, ...]:
    numbers = [f"{document.kind} {document.issuer} {document.number}" for document in person.documents]
    place = person.residence
    return (
        person.name,
        person.birth_date.isoformat(),
        person.sex,
        person.phone,
        *numbers,
        place.commune,
        place.address,
    )


def test_the_same_people_on_every_machine() -> None:
    assert [outline(PEOPLE.person(index)) for index in (0, 6, 9_999_999)] == GOLDEN
    foreigner = next(person for person in map(PEOPLE.person, range(100)) if person.nationality != "VN")
    assert (foreigner.index, *outline(foreigner)) == GOLDEN_FOREIGNER


@given(INDEXES)
def test_every_number_leads_back_to_its_holder(index: int) -> None:
    person = PEOPLE.person(index)
    assert person.index == index and person == PEOPLE.person(index)
    for document in person.documents:
        assert person in PEOPLE.holders(document)


@given(st.integers(0, 2**64), INDEXES)
def test_with_any_seed(seed: int, index: int) -> None:
    people = Population(seed, SIZE_MAX)
    person = people.person(index)
    assert all(person in people.holders(document) for document in person.documents)


def test_a_larger_population_only_adds_people() -> None:
    assert [SMALL.person(index) for index in range(1000)] == [PEOPLE.person(index) for index in range(1000)]
    assert Population(7, 1000).person(0) != SMALL.person(0)


def test_who_is_beyond_the_size_is_not_found() -> None:
    for index in range(1000, 3000):
        assert all(SMALL.find(document) is None for document in PEOPLE.person(index).documents)
    for index in (-1, 1000):
        with pytest.raises(IndexError):
            SMALL.person(index)
    for size in (0, SIZE_MAX + 1):
        with pytest.raises(ValueError, match="size"):
            Population(1, size)


def test_of_all_numbers_only_those_given_out_are_found() -> None:
    """Every one of a stretch of numbers, against the numbers that people hold."""
    held = {document.key for index in range(1000) for document in SMALL.person(index).documents}
    stretches = [Document("cmnd", f"999{number:06d}") for number in range(0, 1_000_000, 53)]
    stretches += [
        Document("cccd", f"9991{year:02d}{serial:06d}") for year in (55, 87) for serial in range(0, 10**6, 211)
    ]
    found = [document for document in stretches if SMALL.find(document)]
    assert found and all(document.key in held for document in found)
    assert {document.key for document in stretches} & held == {document.key for document in found}


@given(INDEXES, st.integers(0, 11), st.integers(1, 9))
def test_one_digit_off_is_somebody_else_or_nobody(index: int, place: int, by: int) -> None:
    number = PEOPLE.person(index).documents[0].number.rjust(12, "9")
    other = (
        number[:place] + str((int(number[place]) + by) % 10 if number[place].isdigit() else by) + number[place + 1 :]
    )
    found = PEOPLE.find(Document("cccd", other))
    assert found is None or (found.index != index and found.documents[0].number == other)


@pytest.mark.parametrize(
    "document",
    [
        Document("cccd", ""),
        Document("cccd", "999"),
        Document("cccd", "001187123456"),
        Document("cccd", "99918712345"),
        Document("cccd", "9991871234567"),
        Document("cccd", "٩٩٩١٨٧١٢٣٤٥٦"),
        Document("cccd", "999-87123456"),
        Document("cmnd", "001234567"),
        Document("cmnd", "9991234567"),
        Document("passport", "X00112345", "KR"),
        Document("passport", "X9991234", "KR"),
        Document("passport", "999912345", "KR"),
    ],
    ids=lambda document: document.key,
)
def test_what_is_no_number_of_ours_is_not_found(document: Document) -> None:
    assert PEOPLE.find(document) is None


def test_a_passport_belongs_to_its_country_and_letter() -> None:
    person = next(person for person in SAMPLE if person.nationality == "KR")
    (passport,) = person.documents
    assert PEOPLE.find(passport) == person
    assert PEOPLE.find(Document("passport", passport.number, "US")) is None
    assert PEOPLE.find(Document("passport", "Z" + passport.number[1:], "KR")) is None


def test_nobody_can_be_real() -> None:
    for person in SAMPLE:
        for document in person.documents:
            digits = document.number[1:] if document.kind == "passport" else document.number
            assert digits.startswith("999")
        assert person.phone.startswith("+8450") and len(person.phone) == 12


def test_everybody_passes_the_doors() -> None:
    units, countries = load_units(), load_countries()
    for person in SAMPLE:
        assert parse_name(person.name) == person.name
        assert 2 <= len(person.name.split()) <= 5
        assert fold(person.name).isascii()
        assert parse_phone(person.phone) == person.phone
        assert person.nationality in countries
        for document in person.documents:
            assert parse_document(document.kind, document.number, document.issuer) == document
            check_number_fits(document, person.birth_date, person.sex)
        home = person.residence
        assert units.communes[home.commune][1] == home.province
        assert parse_line(home.address, 200) == home.address != ""


def test_nobody_shares_a_phone_and_only_a_few_an_old_number() -> None:
    people = [PEOPLE.person(index) for index in range(15_000)]
    assert len({person.phone for person in people}) == len(people)
    numbers = Counter(document.key for person in people for document in person.documents)
    shared = {key: count for key, count in numbers.items() if count > 1}
    assert set(shared.values()) == {2} and all(key.startswith("cmnd:") for key in shared)
    assert 5 <= len(shared) <= 30  # one in a thousand


def test_an_old_number_of_two_people_finds_both() -> None:
    people = [PEOPLE.person(index) for index in range(10 * 512)]  # a number is shared within 512
    holders: dict[Document, list[Person]] = {}
    for person in people:
        for document in person.documents:
            holders.setdefault(document, []).append(person)
    pairs = {document: bearers for document, bearers in holders.items() if len(bearers) > 1}
    assert pairs
    for document, bearers in pairs.items():
        assert list(PEOPLE.holders(document)) == bearers and PEOPLE.find(document) == bearers[0]
        assert len({person.home for person in bearers}) == 2  # they do not know of each other
    for document in holders:
        if document not in pairs:
            assert len(PEOPLE.holders(document)) == 1


# ---- families


def test_a_home_has_three_and_a_half_people_at_one_address() -> None:
    homes: dict[int, list[Person]] = {}
    people = [PEOPLE.person(index) for index in range(14_000)]
    for person in people:
        homes.setdefault(person.home, []).append(person)
    assert all(len({person.residence for person in home}) == 1 for home in homes.values())
    assert all(index in {person.index for person in home} for index, home in homes.items())
    vietnamese = [home for home in homes.values() if home[0].nationality == "VN"]
    assert 3.3 < sum(map(len, vietnamese)) / len(vietnamese) < 3.7  # 2019 census: 3.6
    assert {len(home) for home in vietnamese} >= {1, 2, 3, 4, 5, 6}


def test_children_live_with_a_guardian_who_could_be_a_parent() -> None:
    citizens = [person for person in SAMPLE if person.nationality == "VN"]
    children = [person for person in citizens if person.birth_date.year >= 2008]
    assert 0.2 < len(children) / len(citizens) < 0.3
    looked_after = [child for child in children if child.guardian]
    assert len(looked_after) > 0.95 * len(children)
    assert not any(person.guardian for person in citizens if person.birth_date.year < 2008)
    family_names = 0
    for child in looked_after[:600]:
        guardian = PEOPLE.by_uin(str(child.guardian))
        assert guardian is not None and guardian.home == child.home
        assert 16 <= child.birth_date.year - guardian.birth_date.year <= 50
        assert child in PEOPLE.wards(guardian.uin)
        family_names += child.name.split()[0] == guardian.name.split()[0]
    assert family_names > 250  # of fathers; mothers keep their own name


def test_wards_are_all_children_of_a_guardian_and_nobody_else() -> None:
    people = [PEOPLE.person(index) for index in range(2_100)]
    by_guardian: dict[str | None, list[Person]] = {}
    for person in people:
        by_guardian.setdefault(person.guardian, []).append(person)
    for person in people:
        assert list(PEOPLE.wards(person.uin)) == by_guardian.get(person.uin, [])
    assert PEOPLE.wards("999199999999") == () and PEOPLE.wards("") == ()
    assert max(len(wards) for guardian, wards in by_guardian.items() if guardian) >= 3


def test_twins_have_near_equal_names_and_numbers_of_their_own() -> None:
    people = [PEOPLE.person(index) for index in range(14_000)]
    born: dict[tuple[int, dt.date], list[Person]] = {}
    for person in people:
        if person.nationality == "VN" and not person.year_only:
            born.setdefault((person.home, person.birth_date), []).append(person)
    pairs = [pair for pair in born.values() if len(pair) == 2]
    # Two of a home may have the same birthday by chance; twins also share all of their name but the last word.
    twins = [(one, other) for one, other in pairs if one.name.split()[:-1] == other.name.split()[:-1]]
    assert len(pairs) - len(twins) < 5
    assert 0.01 < 2 * len(twins) / len(people) < 0.03
    near = 0
    for one, other in twins:
        assert (one.sex, one.guardian, one.residence) == (other.sex, other.guardian, other.residence)
        assert one.name != other.name and one.uin != other.uin
        near += fold(one.name) == fold(other.name) or OSA.distance(one.name, other.name) == 1
    assert near > 0.5 * len(twins)
    assert any(fold(one.name) == fold(other.name) for one, other in twins)


def test_some_of_the_old_have_a_birth_year_only() -> None:
    old = [person for person in SAMPLE if person.birth_date.year < 1960 and person.nationality == "VN"]
    years = [person for person in old if person.year_only]
    assert 0.08 < len(years) / len(old) < 0.16
    assert all((person.birth_date.month, person.birth_date.day) == (1, 1) for person in years)
    assert not any(person.year_only for person in SAMPLE if person not in years)


def test_some_citizens_hold_a_passport_too() -> None:
    people = [PEOPLE.person(index) for index in range(7_000)]
    travelled = [person for person in people if person.nationality == "VN" and len(person.documents) == 3]
    assert 0.03 < len(travelled) / len(people) < 0.08
    for person in travelled:
        passport = person.documents[2]
        assert (passport.kind, passport.issuer) == ("passport", "VN") and PEOPLE.find(passport) == person


@given(INDEXES)
def test_the_register_knows_everybody_by_their_uin(index: int) -> None:
    person = PEOPLE.person(index)
    assert PEOPLE.by_uin(person.uin) == person
    if person.nationality == "VN":
        assert len(person.uin) == 12 and person.uin.isdigit()
    else:
        assert not person.uin.isdigit()


def test_family_names_are_as_frequent_as_in_the_country() -> None:
    vietnamese = [person for person in SAMPLE if person.nationality == "VN"]
    shares = Counter(person.name.split()[0] for person in vietnamese)
    percent = {name: 100 * count / len(vietnamese) for name, count in shares.items()}
    # fmt: off
    bounds = {
        "Nguyễn": (31, 38), "Trần": (9.5, 12), "Lê": (8, 10.5), "Phạm": (6, 8), "Phan": (3.5, 5), "Đặng": (1.5, 2.6),
        "Bùi": (1.4, 2.5), "Đỗ": (1, 1.8), "Hồ": (0.9, 1.8), "Ngô": (0.9, 1.8), "Dương": (0.6, 1.4), "Lý": (0.3, 1),
    }
    # fmt: on
    for name, (least, most) in bounds.items():
        assert least < percent[name] < most, (name, percent[name])
    assert 4 < percent["Hoàng"] + percent["Huỳnh"] < 6 and 3 < percent["Vũ"] + percent["Võ"] < 5
    assert len(shares) > 70


def test_people_differ_as_people_do() -> None:
    names = Counter(person.name for person in SAMPLE)
    assert len(names) > 0.7 * len(SAMPLE) and names.most_common(1)[0][1] > 1  # namesakes exist
    words = Counter(len(person.name.split()) for person in SAMPLE)
    assert words[3] > words[4] > words[2] > words[5] > 50
    assert any(person.name.startswith("H'") for person in SAMPLE) and any(person.name[:2] == "Y " for person in SAMPLE)
    assert 0.008 < sum(person.nationality != "VN" for person in SAMPLE) / len(SAMPLE) < 0.012
    assert 0.48 < sum(person.sex == "female" for person in SAMPLE) / len(SAMPLE) < 0.52
    assert 0.11 < sum(person.residence.province == "79" for person in SAMPLE) / len(SAMPLE) < 0.16
    decades = Counter(person.birth_date.year // 10 * 10 for person in SAMPLE)
    assert min(decades) == 1930 and max(decades) == 2020
    assert decades[1930] < decades[1940] < decades[1950] < decades[1980] > decades[2000]
    assert len({person.birth_date.timetuple().tm_yday for person in SAMPLE}) > 360


def test_women_have_womens_names() -> None:
    older = [person for person in SAMPLE if person.birth_date.year < 1970 and person.nationality == "VN"]
    thi = Counter(person.sex for person in older if " Thị " in person.name)
    van = Counter(person.sex for person in older if " Văn " in person.name)
    assert thi["male"] == 0 and van["female"] == 0 and min(thi["female"], van["male"]) > 250


def test_older_people_also_have_an_old_number() -> None:
    people = [PEOPLE.person(index) for index in (*range(2000), *range(2_000_000, 2_000_500))]
    for person in people:
        kinds = [document.kind for document in person.documents]
        if person.nationality != "VN":
            assert kinds == ["passport"]
        elif person.birth_date.year <= 2000 and person.index < 1_000_000:
            assert kinds in (["cccd", "cmnd"], ["cccd", "cmnd", "passport"])
        else:
            assert kinds == ["cccd"]


def test_the_millionth_person_is_as_quick_as_the_first() -> None:
    def best_of(first: int) -> float:
        times = []
        for attempt in range(5):
            began = time.thread_time()
            for index in range(first + attempt * 400, first + attempt * 400 + 400):
                PEOPLE.person(index)
            times.append(time.thread_time() - began)
        return min(times) / 400

    assert best_of(9_000_000) < 3 * best_of(0)
    assert best_of(5_000_000) < 300e-6  # 35 µs when measured alone; a guard against another order of size


@given(st.lists(st.tuples(st.integers(), st.integers(1, 50)), min_size=1, max_size=30), st.integers(1, FAMILY_SLOTS))
def test_places_are_shared_out_to_the_last(weighted: list[tuple[int, int]], slots: int) -> None:
    places = spread(weighted, slots)
    assert len(places) == slots and set(places) <= {item for item, _ in weighted}
