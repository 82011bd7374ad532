"""What is taken of a health certificate, and whose it is: strictly the citizen's, never a brother's."""

import datetime as dt
import itertools
import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from motma.core.certificate import Certificate, best, fits
from motma.core.legacy import read
from motma.core.legacy.reading import Anchors
from motma.core.text import fold
from motma.register.population import Population
from tests.core import ministry
from tests.core.ministry import ANCHORS, KEY, NOW, OTHER, PASSPORT, RECOVERY, TEST, VACCINATION, cwt, issue, pack

EU = sorted((Path(__file__).parents[3] / "shared" / "testdata" / "dgc").glob("**/*.json"))
BORN = dt.date(1990, 5, 12)


def certificate(anchors: Anchors = ANCHORS, now: dt.datetime = NOW, key: Any = KEY, **content: Any) -> Certificate:
    found = certificate_or_none(anchors, now, key, **content)
    assert found is not None
    return found


def certificate_or_none(
    anchors: Anchors = ANCHORS, now: dt.datetime = NOW, key: Any = KEY, **content: Any
) -> Certificate | None:
    """Of a passport with ``content`` changed; None takes away."""
    made = {name: value for name, value in {**PASSPORT, **content}.items() if value is not None}
    return read(pack(issue(cwt(made), key=key)), anchors, now).certificate


def bearing(fn: str, gn: str, fnt: str, gnt: str, dob: str = "1990-05-12") -> Certificate:
    return certificate(nam={"fn": fn, "gn": gn, "fnt": fnt, "gnt": gnt}, dob=dob)


# -- what is taken -----------------------------------------------------------------------------------------------------


def test_a_vaccination() -> None:
    taken = certificate()
    assert (taken.kind, taken.good, taken.known) == ("vaccination", True, True)
    assert (taken.doses, taken.series, taken.at) == (2, 2, dt.datetime(2021, 12, 20, tzinfo=dt.UTC))
    assert (taken.test, taken.detected) == (None, None)


@pytest.mark.parametrize(
    ("tt", "tr", "test", "detected"),
    [
        ("LP6464-4", "260415000", "NAAT", False),
        ("LP217198-3", "260373001", "RAT", True),
        ("LP0-0", "419984006", None, None),
    ],
)
def test_a_test(tt: str, tr: str, test: str | None, detected: bool | None) -> None:
    taken = certificate(v=None, t=[{**TEST, "tt": tt, "tr": tr}])
    assert (taken.kind, taken.test, taken.detected) == ("test", test, detected)
    assert taken.at == dt.datetime(2022, 2, 28, 0, 30, tzinfo=dt.UTC) and taken.good
    assert (taken.doses, taken.series) == (None, None)


def test_a_recovery() -> None:
    taken = certificate(v=None, r=[RECOVERY])
    assert (taken.kind, taken.at, taken.good) == ("recovery", dt.datetime(2021, 10, 1, tzinfo=dt.UTC), True)


def test_of_several_the_newest_counts_and_then_the_graver() -> None:
    old = {"ver": "1.2.1"}
    doses = [{**VACCINATION, "dn": 1, "dt": "2021-09-01"}, VACCINATION, {**VACCINATION, "dn": 1}]
    for order in itertools.permutations(doses):
        taken = certificate(**old, v=list(order))
        assert (taken.doses, taken.good) == (2, True)
    ill = {**TEST, "tr": "260373001"}
    for tests in ([TEST, ill], [ill, TEST]):
        assert certificate(**old, v=None, t=tests).detected is True
    later = {**TEST, "sc": "2022-02-28T08:00:00+07:00"}
    assert certificate(**old, v=None, t=[ill, later]).detected is False


def test_another_disease_proves_nothing() -> None:
    measles = {**VACCINATION, "tg": "14189004"}
    assert certificate_or_none(v=[measles]) is None
    assert certificate(ver="1.2.1", v=[{**measles, "dn": 9, "sd": 9}, VACCINATION]).doses == 2


def test_good_only_if_signed_by_whom_we_know_unaltered_in_force_and_to_the_schema() -> None:
    cases: list[tuple[Certificate, bool, bool]] = [
        (certificate(), True, True),
        (certificate(Anchors()), False, False),
        (certificate(key=OTHER), False, True),  # forged: under the kid of another
        (certificate(now=NOW + dt.timedelta(days=400)), False, True),
        (certificate(now=NOW - dt.timedelta(days=60)), False, True),
        (certificate(v=[{**VACCINATION, "dn": 0}]), False, True),
        (certificate(v=[{**VACCINATION, "dt": "soon"}]), False, True),
        (certificate(v=None, t=[{**TEST, "sc": "2022-02-28T99:99:99Z"}]), False, True),
    ]
    assert [(one.good, one.known) for one, _, _ in cases] == [(good, known) for _, good, known in cases]
    worth = [
        read(pack(issue(cwt(PASSPORT), key=key)), anchors, NOW).worth
        for key, anchors in ((KEY, ANCHORS), (OTHER, ANCHORS), (KEY, Anchors()))
    ]
    assert worth == ["good", "broken", "unknown"]
    off_schema = read(pack(issue(cwt({**PASSPORT, "v": [{**VACCINATION, "dn": 0}]}))), ANCHORS, NOW)
    assert off_schema.worth == "broken"


def test_nothing_else_of_it_is_kept_nor_printed() -> None:
    taken = certificate()
    kept = json.dumps(msgspec.to_builtins(taken), ensure_ascii=False)
    for secret in ("URN:UVCI", "Bộ Y tế", "ORG-", "EU/1/20", "1119349007"):
        assert secret not in kept
    assert "Nguyễn" not in repr(taken) + str(taken) and "1990" not in repr(taken)
    assert "Nguyễn" not in f"{read(ministry.GOOD, ANCHORS, NOW)}"


_MOMENTS = st.datetimes(timezones=st.just(dt.UTC))
_VALUES = st.none() | st.integers() | st.text(max_size=20) | st.just("840539006") | _MOMENTS
_FIELDS = st.sampled_from(["tg", "dn", "sd", "dt", "sc", "fr", "tr", "tt", "fn", "gn", "fnt"])
_ANYTHING = st.recursive(
    _VALUES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_FIELDS, inner), max_leaves=12
)


@given(st.dictionaries(st.sampled_from(["nam", "dob", "v", "t", "r", "ver"]), _ANYTHING, min_size=1))
def test_whatever_a_signer_writes_is_no_surprise(content: dict[str, Any]) -> None:
    taken = read(pack(issue(cwt(content))), ANCHORS, NOW).certificate
    if taken:
        assert not (taken.good and taken.at is None)
        assert fits(taken, "Nguyễn Thị Ánh Đào", BORN) in (True, False)
        assert best((taken, taken), "Nguyễn Thị Ánh Đào", BORN) == taken


@pytest.mark.skipif(not EU, reason="the EU's test data are not here")
@pytest.mark.parametrize("file", EU, ids=lambda path: "/".join(path.parts[-4::3]))
def test_certificates_of_member_states_fit_whom_they_name(file: Path) -> None:
    """The JSON beside each one says what it should say."""
    parts = json.loads(file.read_text("utf-8-sig"))
    said = parts["JSON"]
    taken = read(parts["PREFIX"], Anchors(), NOW).certificate
    assert taken and not taken.known and not taken.good
    [entry] = next(said[key] for key in "vtr" if said.get(key))
    assert (taken.doses, taken.series) == (entry.get("dn"), entry.get("sd"))
    name, born = said["nam"], dt.date.fromisoformat(f"{said['dob']}-01-01"[:10])  # Belgium has a year alone
    passport = " ".join(filter(None, (name.get("gnt"), name.get("fnt")))).replace("<", " ")
    assert fits(taken, passport, born) and not fits(taken, passport, born + dt.timedelta(days=366))
    if fold(name["fn"]).isascii():  # Cyrillic letters are on no document of ours
        assert fits(taken, f"{name['fn']} {name['gn']}", born)


# -- whose it is -------------------------------------------------------------------------------------------------------

DAO = bearing("Nguyễn", "Thị Ánh Đào", "NGUYEN", "THI<ANH<DAO")


@pytest.mark.parametrize(
    "name",
    [
        "Nguyễn Thị Ánh Đào",
        "NGUYỄN THỊ ÁNH ĐÀO",
        "nguyễn thị ánh đào",
        "Nguyễn Thị Ánh Đào",
        "Thị Ánh Đào Nguyễn",
        "Nguyen Thi Anh Dao",
        "NGUYEN THI ANH DAO",
    ],
)
def test_the_same_name_in_each_of_its_spellings(name: str) -> None:
    assert fits(DAO, name, BORN)


@pytest.mark.parametrize(
    "name",
    [
        "Nguyễn Thị Anh Đào",  # Anh is another name than Ánh, on two sides that are written with marks
        "Nguyễn Thị Ánh Dào",
        "Nguyễn Ánh Đào",
        "Nguyễn Thị Ánh",
        "Nguyễn Thị Ánh Đào Mai",
        "Nguyễn Văn Đào",
        "Nguyen Van Dao",
        "Nguyen Thi Anh",
        "Nguyen Thi Dao Anh",
        "NguyenThiAnhDao",
        "Đào",
        "Trần Thị Ánh Đào",
    ],
)
def test_another_name(name: str) -> None:
    assert not fits(DAO, name, BORN)


def test_as_passports_write_names() -> None:
    passport = bearing("", "", "NGUYEN", "THI<ANH<DAO")
    for name in ("Nguyễn Thị Ánh Đào", "Thị Ánh Đào Nguyễn", "nguyen thi anh dao"):
        assert fits(passport, name, BORN)
    for name in ("Nguyễn Thị Ánh", "Nguyễn Văn Đào", "Đào Nguyễn Thị Ánh"):
        assert not fits(passport, name, BORN)
    german = bearing("Müller-Groß", "Jürgen", "MUELLER<GROSS", "JUERGEN")
    for name in ("Jürgen Müller-Groß", "Juergen Mueller Gross", "MUELLER GROSS JUERGEN", "Jurgen Muller Gross"):
        assert fits(german, name, BORN)
    assert fits(bearing("", "", "MUELLER", "JUERGEN"), "Jürgen Müller", BORN)
    irish = bearing("O'Connor", "Seán", "OCONNOR", "SEAN")
    for name in ("Seán O'Connor", "Sean OConnor", "Sean O’Connor"):
        assert fits(irish, name, BORN)
    cyrillic = bearing("Петров", "Иван", "PETROV", "IVAN")
    assert fits(cyrillic, "Ivan Petrov", BORN) and not fits(cyrillic, "Ivan Petrova", BORN)
    assert fits(bearing("", "", "SUKARNO", ""), "Sukarno", BORN)


def test_a_birth_date_known_in_part() -> None:
    parts = {"1990-05-12": True, "1990-05": True, "1990": True, "1990-00-00": True, "1990-05-00": True, "": False}
    wrong = {"1990-05-13": False, "1990-06": False, "1991": False, "19": False, "1990-5": False}
    for said, is_theirs in (parts | wrong).items():
        one = bearing("Nguyễn", "Thị Ánh Đào", "NGUYEN", "THI<ANH<DAO", said)
        assert fits(one, "Nguyễn Thị Ánh Đào", BORN) is is_theirs, said
    yearly = bearing("Nguyễn", "Thị Ánh Đào", "NGUYEN", "THI<ANH<DAO", "1990-05-12")
    assert not fits(yearly, "Nguyễn Thị Ánh Đào", dt.date(1990, 1, 1))


def test_nobodys_name_fits_nobody() -> None:
    for empty in (bearing("", "", "", ""), bearing("…", "<<", "<", "<<")):
        assert not fits(empty, "Nguyễn Thị Ánh Đào", BORN) and not fits(empty, "Anh", BORN)


def as_in_a_passport(name: str) -> str:
    return fold(name.replace("'", "")).replace(" ", "<")


def test_a_whole_population_and_their_brothers() -> None:
    """Everybody's certificate is theirs; of all who share a birth date, it fits them and nobody else."""
    people = [person for person in map(Population(2021, 3_000).person, range(3_000)) if " " in person.name]
    for one, other in itertools.pairwise(people):
        family, given = one.name.split(" ", 1)
        told = bearing(family, given, *map(as_in_a_passport, (family, given)), one.birth_date.isoformat())
        passport = msgspec.structs.replace(told, name=("", ""))
        assert fits(told, one.name, one.birth_date) and fits(passport, one.name, one.birth_date)
        if fold(one.name) != fold(other.name):
            assert not fits(told, other.name, one.birth_date) and not fits(passport, other.name, one.birth_date)
            brother = f"{family} {other.name.split(' ', 1)[1]}"
            assert fold(brother) == fold(one.name) or not fits(passport, brother, one.birth_date)


# -- which of several --------------------------------------------------------------------------------------------------


def test_the_one_that_decides() -> None:
    mine, name = certificate(), "Nguyễn Thị Ánh Đào"
    brothers = bearing("Nguyễn", "Văn Nam", "NGUYEN", "VAN<NAM")
    unknown = msgspec.structs.replace(mine, good=False, known=False)
    tested = certificate(v=None, t=[TEST])
    ill = certificate(v=None, t=[{**TEST, "tr": "260373001"}])
    for first, second, wins in (
        (mine, brothers, mine),
        (mine, unknown, mine),
        (mine, tested, tested),
        (mine, ill, ill),
        (unknown, brothers, brothers),
    ):
        assert best((first, second), name, BORN) == best((second, first), name, BORN) == wins
    assert best((), name, BORN) is None
