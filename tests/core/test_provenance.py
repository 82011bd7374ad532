"""Where fields came from: which value is in force, who disagrees, and what closes a dispute."""

import datetime as dt
import random

import msgspec
import pytest

from motma.core.form import Place
from motma.core.ids import Document, FactId
from motma.core.provenance import FIELDS, PAGE, PROFILE, Profile, Voice, disputed, provenance

MINH = Profile(
    name="Nguyễn Thị Minh",
    birth_date=dt.date(1987, 5, 18),
    sex="female",
    nationality="VN",
    document=Document("cccd", "999187123456"),
    phone="+84501234567",
    residence=Place("79", "26740", "Số 12"),
)
OTHER_PHONE = "+84509999999"
MONDAY = dt.datetime(2026, 1, 19, 8, tzinfo=dt.UTC)


def voice(source: str, hours: int, **said: object) -> Voice:
    id = FactId(f"dcl_{hours:026d}")
    return Voice(source, MONDAY + dt.timedelta(hours=hours), id, msgspec.structs.replace(MINH, **said))


def test_the_newest_is_in_force_and_what_it_displaced_stays_readable() -> None:
    found = provenance([voice("NCOVI", 2, phone=OTHER_PHONE), voice("BLUEZONE", 1)])
    assert found and found.disputed == ("phone",)
    phone = found.fields[FIELDS.index("phone")]
    assert (phone.in_force.value, phone.in_force.source) == (OTHER_PHONE, "NCOVI")
    assert [(one.value, one.source, one.disputes) for one in phone.others] == [("+84501234567", "BLUEZONE", True)]
    assert [field.others for field in found.fields if field.name != "phone"] == [()] * 5


def test_a_source_is_heard_by_its_newest_word() -> None:
    said = [voice("NCOVI", 1, phone=OTHER_PHONE), voice("BLUEZONE", 2), voice("NCOVI", 3)]
    found = provenance(said)
    assert found and found.disputed == () and provenance([]) is None
    random.Random(5).shuffle(said)
    assert provenance(said) == found, "in whichever order they are read"


def test_the_citizens_own_word_closes_a_dispute_and_opens_none() -> None:
    said = [voice("BLUEZONE", 1), voice("NCOVI", 2, phone=OTHER_PHONE), voice(PAGE, 3, phone="+84501111111")]
    found = provenance(said)
    assert found and found.disputed == ()
    phone = found.fields[FIELDS.index("phone")]
    assert phone.in_force.source == PAGE and [one.source for one in phone.others] == ["NCOVI", "BLUEZONE"]
    assert disputed(PAGE, said[2].said, said[:2]) == ()
    later = [*said, voice("NCOVI", 4, phone=OTHER_PHONE)]
    again = provenance(later)
    assert again and again.disputed == ("phone",), "but who says otherwise after it disagrees with it"
    assert disputed("NCOVI", later[3].said, said) == ("phone",)


@pytest.mark.parametrize(
    ("field", "said", "in_dispute"),
    [
        ("name", {"name": "NGUYỄN THỊ MINH"}, False),
        ("name", {"name": "Nguyễn Thị Minh Anh"}, True),
        ("birth_date", {"birth_date": dt.date(1987, 1, 1), "year_only": True}, False),
        ("birth_date", {"birth_date": dt.date(1987, 1, 1)}, True),
        ("residence", {"residence": Place("79", "26740", "12 Lê Lợi, khu phố 3")}, False),
        ("residence", {"residence": Place("79", "26743", "Số 12")}, True),
        ("nationality", {"nationality": "FR"}, True),
        ("sex", {"sex": "other"}, True),
    ],
)
def test_what_disagrees(field: str, said: dict[str, object], in_dispute: bool) -> None:
    one, other = voice("BLUEZONE", 1), voice("NCOVI", 2, **said)
    expected = (field,) if in_dispute else ()
    found = provenance([one, other])
    assert found and found.disputed == expected
    assert disputed("NCOVI", other.said, [one]) == disputed("BLUEZONE", one.said, [other]) == expected


def test_a_year_takes_nothing_from_a_date() -> None:
    found = provenance([voice("A", 1), voice("B", 2, birth_date=dt.date(1987, 1, 1), year_only=True)])
    assert found
    born = found.fields[FIELDS.index("birth_date")]
    assert (born.in_force.value, born.in_force.source) == ("1987-05-18", "A")


def test_every_document_is_theirs() -> None:
    card, old = MINH.document, Document("cmnd", "999123456")
    found = provenance([voice("A", 1), voice("B", 2, document=old), voice("C", 3, document=Document("none", ""))])
    assert found and found.disputed == ()
    assert [(document, stated.source) for document, stated in found.documents] == [(old, "B"), (card, "A")]


def test_no_more_of_a_declaration_is_opened_than_is_compared() -> None:
    assert {"symptoms", "contact", "places", "trip", "extra"}.isdisjoint(PROFILE)
