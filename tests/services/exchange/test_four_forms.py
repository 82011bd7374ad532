"""Four forms, one citizen: what connectors read is declared for real, against the register, and given back."""

import json
from typing import Any
from urllib.parse import parse_qsl, urlencode

import pytest

from motma.connectors.platforms import CONNECTORS, Sent
from motma.services.declare import Receipt
from tests.connectors.platforms.recorded import plain
from tests.world import World

FOUR = ("tokhaiyte", "ncovi", "bluezone", "dicuan")


def with_more(body: bytes) -> bytes:
    """A payload with a field nobody has heard of, and the home where it is by the units of 2021."""
    if body.startswith(b"{"):
        return json.dumps(json.loads(body) | {"chuaTungNghe": {"a": [1, None, "ă"]}}, sort_keys=True).encode()
    return urlencode(sorted([*parse_qsl(body.decode(), True), ("fields[chuaTungNghe]", "ă&=")])).encode()


async def sent_by(world: World, name: str, raw: dict[str, Any]) -> tuple[Receipt, bytes]:
    """What becomes of a declaration that the platform ``name`` writes in its own form; and that form."""
    connector = CONNECTORS[name]
    body = with_more(connector.to_theirs(raw))
    (item,) = connector.to_ours(body, connector.content_types[0], world.now)
    assert isinstance(item, Sent)
    receipt = await world.built.house.declare.declare(
        item.raw, source=name.upper(), now=world.now, key=item.key or body.hex()
    )
    return receipt, body


@pytest.mark.parametrize("first", range(4))
async def test_one_citizen_has_one_number_whichever_form_is_first(world: World, first: int) -> None:
    people = [world.person(n) for n in range(12) if not world.person(n).year_only and not world.person(n).guardian][:3]
    for person in people:
        raw = world.declaration(person)
        receipts = {name: (await sent_by(world, name, raw))[0] for name in (*FOUR[first:], *FOUR[:first])}
        assert len({receipt.qid for receipt in receipts.values()}) == 1, person.index
        assert all(receipt.qid and receipt.code for receipt in receipts.values())
        assert receipts["dicuan"].outcome == "accepted"  # the only one that asks for the whole birth date
        assert {receipts[name].outcome for name in FOUR[:3]} <= {"accepted", "repairable"}
        again, _ = await sent_by(world, FOUR[first], raw)
        assert (again.repeated, again.declaration) == (True, receipts[FOUR[first]].declaration)
    assert world.rows()["standing"] == len(people)


@pytest.mark.parametrize("name", FOUR)
async def test_what_was_recorded_goes_out_as_it_came_in(world: World, name: str) -> None:
    receipt, body = await sent_by(world, name, world.declaration(world.person(0)))
    given_back = await world.built.house.afterwards.sent(receipt.declaration, source=name.upper())
    assert plain(CONNECTORS[name].to_theirs(given_back)) == plain(body)
    assert b"chuaTungNghe" in body
    for other in FOUR:
        CONNECTORS[other].to_ours(
            CONNECTORS[other].to_theirs(given_back), CONNECTORS[other].content_types[0], world.now
        )
