"""Two people who bear the same old number are two citizens, whichever of their documents they declare by."""

from collections import defaultdict

import pytest

from motma.register.population import Person
from tests.world import World


def _pair(world: World) -> tuple[Person, Person]:
    """Two of the register with one old number between them."""
    population, bearers = world.registry.population, defaultdict[str, list[Person]](list)
    for person in map(population.person, range(len(population))):
        for document in person.documents:
            if document.kind == "cmnd":
                bearers[document.number].append(person)
    one, other = next(both for both in bearers.values() if len(both) == 2)
    return one, other


@pytest.mark.parametrize("away", [False, True])
async def test_each_gets_a_number_of_their_own(world: World, away: bool) -> None:
    one, other = _pair(world)
    old = {"kind": "cmnd", "number": one.documents[1].number}
    world.registry.outage = away
    qids = [(await world.declare(person, document=old)).json()["qid"] for person in (one, other)]
    world.registry.outage = False
    while await world.work():
        pass
    assert qids[0] != qids[1]
    for person, qid in zip((one, other), qids, strict=True):
        by_card = (await world.declare(person)).json()
        assert by_card["outcome"] == "accepted"
        standing = await world.built.store.standing(qid)
        assert standing and (standing.into or standing.qid) == by_card["qid"]
    finals = {(await world.declare(person, document=old)).json()["qid"] for person in (one, other)}
    assert len(finals) == 2
    world.registry.outage = True
    assert finals == {(await world.declare(person, document=old)).json()["qid"] for person in (one, other)}
