"""Other codes at a checkpoint: a card names its holder, what is signed by others is said to be what it is."""

import pytest

from motma.core.facts import Scanned
from motma.core.ids import FactId
from motma.register.population import Person
from tests.core import ministry
from tests.world import World


def card(person: Person) -> str:
    """What the QR of a CCCD says."""
    cccd, cmnd = (document.number for document in person.documents)
    sex = {"male": "Nam", "female": "Nữ"}[person.sex]
    born = f"{person.birth_date:%d%m%Y}"
    return f"{cccd}|{cmnd}|{person.name}|{born}|{sex}|Số 1, Phường X, Thành phố Z|15042021"


async def test_a_card_finds_its_holder_by_the_number(world: World) -> None:
    sent = (await world.declare(world.person(0))).json()
    answer = (await world.check(code=card(world.person(0)) + "\r\n")).json()
    assert (answer["outcome"], [why["code"] for why in answer["reasons"]]) == ("accept", ["code.plain_text"])
    assert answer["citizen"]["qid"] == sent["qid"] and answer["live"] is None
    scan = await world.built.store.fact(FactId(answer["id"]))
    assert scan and isinstance(scan.what, Scanned) and (scan.what.carrier, scan.qid) == ("cccd", sent["qid"])


async def test_a_card_of_somebody_who_declared_nothing(world: World) -> None:
    answer = (await world.check(code=card(world.person(0)))).json()
    assert (answer["outcome"], answer["known"], answer["citizen"]) == ("manual", False, None)
    assert [why["code"] for why in answer["reasons"]] == ["standing.none", "code.plain_text"]


async def test_the_code_of_2021_finds_the_citizen_of_its_number(world: World) -> None:
    person = world.person(0)
    sent = (await world.declare(person)).json()
    old = f"{person.documents[0].number}|TA VAN THANH|1976-02-04|0|{sent['qid']}|<1<00<0900000000"
    answer = (await world.check(code=old)).json()
    assert (answer["outcome"], answer["citizen"]["qid"]) == ("accept", sent["qid"])
    # The name is the declaration's, whatever the text says.
    assert answer["citizen"]["name"] == person.name


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (ministry.GOOD, "Hộ chiếu vắc-xin"),
        ("079190123456|TA VAN THANH|1976-02-04|0|not a number of ours|", "Mã QR cá nhân 2021"),
    ],
)
async def test_a_code_of_another_kind_is_said_to_be_one(world: World, text: str, kind: str) -> None:
    answer = (await world.check(code=text)).json()
    [why] = answer["reasons"]
    assert (answer["outcome"], answer["known"], why["code"]) == ("manual", False, "code.other_kind")
    assert kind in why["words"]["vi"] and why["cure"]["vi"] and why["cure"]["en"]
    again = (await world.check(code=text, id=answer["id"])).json()
    assert again["already"] and again["reasons"] == answer["reasons"]


async def test_what_is_no_code_at_all(world: World) -> None:
    for text, reason in (("https://example.vn/x", "code.not_base45"), ("0" * 300, "code.not_zlib")):
        answer = (await world.check(code=text)).json()
        assert [why["code"] for why in answer["reasons"]] == [reason]
