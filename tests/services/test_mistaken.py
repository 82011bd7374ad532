"""Nobody is taken for somebody else: numbers that two bear, twins, merges that are undone, and what was withdrawn."""

import datetime as dt
from collections import defaultdict
from typing import Any

import msgspec

from motma.core.facts import Holder, Issued
from motma.core.identity import name_difference
from motma.core.ids import Qid
from motma.register.population import Person
from tests.services.test_repair import Barrier, card
from tests.world import World, each

A_MINUTE = dt.timedelta(minutes=1)
_PEOPLE = 3_000


def by(document: Any) -> dict[str, str]:
    return {"kind": document.kind, "number": document.number}


def two_with_one_number(world: World) -> tuple[Person, Person, dict[str, str]]:
    """Two people who bear the same old number, and that number."""
    bearers: dict[Any, list[Person]] = defaultdict(list)
    for person in map(world.registry.population.person, range(_PEOPLE)):
        for document in person.documents:
            bearers[document].append(person)
    document, (one, other) = next((held, both) for held, both in bearers.items() if len(both) == 2)
    return one, other, by(document)


def twins(world: World) -> tuple[Person, Person]:
    """Two born on one day in one home, whose names are one slip apart."""
    homes: dict[Any, list[Person]] = defaultdict(list)
    for person in map(world.registry.population.person, range(_PEOPLE)):
        homes[person.home, person.birth_date].append(person)
    pairs = (both for both in homes.values() if len(both) == 2)
    return next((one, other) for one, other in pairs if name_difference(one.name, other.name) == "slip")


async def citizens(world: World) -> dict[str, Any]:
    return {str(one.qid): one for one in await world.built.store.standings(Qid(""), 10_000)}


@each(("old number first", "card first", "old number alone"))
async def test_two_who_bear_one_old_number_are_two(world: World, how: Any) -> None:
    one, other, shared = two_with_one_number(world)
    told = []
    for person in (one, other):
        cards = [by(person.documents[0])] if how != "old number alone" else []
        for document in [shared, *cards] if how != "card first" else [*cards, shared]:
            sent = (await world.declare(person, document=document)).json()
            assert sent["outcome"] == "accepted", (how, sent)
            told.append((person, sent))
    numbers = {person.uin: {sent["qid"] for who, sent in told if who is person} for person in (one, other)}
    assert all(len(qids) == 1 for qids in numbers.values()) and len(set.union(*numbers.values())) == 2, numbers
    for person, sent in told:
        assert (await world.check(sent["code"])).json()["citizen"]["name"] == person.name
        assert (await world.check(qid=sent["qid"])).json()["citizen"]["name"] == person.name


async def test_nor_are_they_one_while_the_register_is_away(world: World) -> None:
    one, other, shared = two_with_one_number(world)
    before = [(await world.declare(person, document=shared)).json()["qid"] for person in (one, other)]
    world.registry.outage = True
    world.now += A_MINUTE
    during = [(await world.declare(person, document=shared)).json() for person in (one, other)]
    assert [sent["outcome"] for sent in during] == ["accepted", "accepted"]
    world.registry.outage = False
    world.now += A_MINUTE
    after = [(await world.declare(person, document=by(person.documents[0]))).json()["qid"] for person in (one, other)]
    assert before == [sent["qid"] for sent in during] == after and len(set(before)) == 2


async def test_a_twin_by_the_others_card_is_not_made_one_with_them(world: World) -> None:
    """In the family's hurry one twin is declared with the number of the other; at the barrier both cards are there."""
    one, other = twins(world)
    own = [(await world.declare(person)).json() for person in (one, other)]
    world.now += A_MINUTE
    mixed = (await world.declare(other, document=by(one.documents[0]))).json()
    assert (mixed["outcome"], mixed["qid"]) == ("repairable", own[0]["qid"])
    barrier = await Barrier.at(world)
    scan = await barrier.scan(code=mixed["code"])
    done = await barrier.repair(scan["id"], card=card(other))
    assert (done.status_code, done.json()["code"]) == (409, "repair.somebody_else")
    for person, sent in zip((one, other), own, strict=True):
        checked = (await world.check(qid=sent["qid"])).json()
        assert (checked["outcome"], checked["citizen"]["qid"]) == ("accept", sent["qid"])
        assert checked["citizen"]["name"] == person.name


async def test_nor_if_the_other_was_never_heard_of(world: World) -> None:
    one, other = twins(world)
    own = (await world.declare(one)).json()
    world.now += A_MINUTE
    mixed = (await world.declare(other, document=by(one.documents[0]))).json()
    barrier = await Barrier.at(world)
    scan = await barrier.scan(code=mixed["code"])
    done = await barrier.repair(scan["id"], card=card(other))
    assert (done.status_code, done.json()["code"]) == (409, "repair.somebody_else")
    theirs = (await world.declare(other)).json()
    assert theirs["outcome"] == "accepted" and theirs["qid"] != own["qid"]
    assert (await world.check(qid=own["qid"])).json()["citizen"]["name"] == one.name


async def test_a_friend_whom_an_officer_vouches_for_takes_nothing_from_the_citizen(world: World) -> None:
    """Declared under a citizen's number by somebody who knows it; an officer vouches while the register is away."""
    person = next(one for one in map(world.person, range(60)) if len(one.name.split(" ")) >= 3)
    own = (await world.declare(person)).json()
    world.now += A_MINUTE
    words = person.name.split(" ")
    near = " ".join([words[0], *words[2:]])
    strange = (await world.declare(person, name=near, health__contact=True)).json()
    world.registry.outage = True
    barrier = await Barrier.at(world)
    scan = await barrier.scan(code=strange["code"])
    done = (await barrier.repair(scan["id"], reason="register_wrong", name=near)).json()
    assert done["grade"] == "vouched"
    checked = (await world.check(qid=own["qid"])).json()
    assert (checked["outcome"], checked["citizen"]["name"]) == ("accept", person.name)
    assert (await world.check(own["code"])).json()["outcome"] == "accept"
    operator = await world.operator()
    taken_back = await operator.post("/ops/review", data={"repair": done["id"], "upheld": "no"})
    assert taken_back.status_code == 303
    assert (await world.check(own["code"])).json()["outcome"] == "accept"
    assert (await world.check(qid=own["qid"])).json()["outcome"] == "accept"
    assert (await world.check(strange["code"])).json()["outcome"] != "accept"


async def merged(world: World, n: int = 0) -> tuple[Qid, Qid]:
    """(the number that somebody goes by, the number that they were given by their old card in an outage)."""
    cccd, cmnd = world.person(n).documents[:2]
    one = (await world.declare(world.person(n), document=by(cccd))).json()
    world.registry.outage = True
    world.now += A_MINUTE
    other = (await world.declare(world.person(n), document=by(cmnd))).json()
    world.registry.outage = False
    assert await world.work() == 1
    return Qid(one["qid"]), Qid(other["qid"])


async def part(world: World, other: Qid) -> None:
    await world.built.store.append(await world.built.citizens.part(other, by="TRUC-BAN", now=world.now))


async def test_who_was_withdrawn_while_two_were_one_is_so_when_they_are_two_again(world: World) -> None:
    """Nobody knows which of the two was meant: neither goes free by it."""
    one, other = await merged(world)
    await world.built.house.status.revoke(other, "forged papers", by="test", now=world.now)
    await part(world, other)
    for qid in (one, other):
        assert (await world.check(qid=qid)).json()["outcome"] == "reject"
    await world.built.house.status.restore(one, by="test", now=world.now)
    assert (await world.check(qid=one)).json()["outcome"] == "accept"
    assert (await world.check(qid=other)).json()["outcome"] == "reject"
    assert (await world.built.store.rebuild_standing()).differing == ()


async def test_what_was_given_back_while_two_were_one_stays_given_back(world: World) -> None:
    cccd, cmnd = world.person(0).documents[:2]
    one = (await world.declare(world.person(0), document=by(cccd))).json()
    world.registry.outage = True
    other = (await world.declare(world.person(0), document=by(cmnd))).json()
    await world.built.house.status.revoke(Qid(other["qid"]), "lost", by="test", now=world.now)
    world.registry.outage = False
    await world.work()
    await world.built.house.status.restore(Qid(one["qid"]), by="test", now=world.now)
    await part(world, Qid(other["qid"]))
    standings = await citizens(world)
    assert not standings[one["qid"]].revoked and not standings[other["qid"]].revoked


async def test_two_numbers_parted_one_after_the_other_leave_nothing_behind(world: World) -> None:
    person = next(p for p in map(world.person, range(60)) if len(p.name.split(" ")) >= 3)
    cccd, cmnd = person.documents[:2]
    one = (await world.declare(person, document=by(cccd))).json()
    before = (await citizens(world))[one["qid"]]
    world.registry.outage = True
    others = []
    for document in (by(cmnd), {"kind": "passport", "number": "B1234567", "issuer": "VN"}):
        world.now += A_MINUTE
        others.append((await world.declare(person, document=document)).json())
    world.registry.outage = False
    # The worker makes the first one with them, an officer the second.
    assert await world.work() == 2
    barrier = await Barrier.at(world)
    scan = await barrier.scan(code=others[1]["code"])
    done = await barrier.repair(scan["id"], card=card(person))
    assert done.status_code == 200, done.text
    assert set((await citizens(world))[one["qid"]].also) == {sent["qid"] for sent in others}
    for sent in others:
        world.now += A_MINUTE
        await part(world, Qid(sent["qid"]))
    after = (await citizens(world))[one["qid"]]
    assert after.also == () and after.declaration == before.declaration
    assert (await world.built.store.rebuild_standing()).differing == ()


async def test_merged_parted_and_merged_again(world: World) -> None:
    one, other = await merged(world)
    await part(world, other)
    world.now += A_MINUTE
    again = (await world.declare(world.person(0), document=by(world.person(0).documents[1]))).json()
    assert again["qid"] == one, "by the register it is one person, whatever an operator said"
    standings = await citizens(world)
    assert standings[other].into == one and standings[one].also == (other,)
    await part(world, other)
    assert (await citizens(world))[one].also == ()
    assert (await world.built.store.rebuild_standing()).differing == ()


async def listed(world: World, *numbers: str) -> set[str]:
    """What a scanner without a network reads of the codes of these citizens in the status list."""
    desk = world.built.house.status
    await desk.status_list(0, world.now)
    facts = [fact for qid in numbers for fact in await world.built.store.facts_about(Qid(qid), kinds=("code.issued",))]
    return {desk._status(fact.what.status_index).name for fact in facts if isinstance(fact.what, Issued)}


async def test_whose_number_was_withdrawn_gets_no_code_in_order_by_being_joined(world: World) -> None:
    """Revoked by the card; declared by the old card while the register is away; found out by the worker."""
    cccd, cmnd = world.person(0).documents[:2]
    one = (await world.declare(world.person(0), document=by(cccd))).json()
    await world.built.house.status.revoke(Qid(one["qid"]), "forged papers", by="test", now=world.now)
    world.registry.outage = True
    world.now += dt.timedelta(hours=2)
    await listed(world, one["qid"])  # what was under way while it was withdrawn is not looked for any more
    other = (await world.declare(world.person(0), document=by(cmnd))).json()
    world.registry.outage = False
    assert await world.work() == 1
    assert (await world.check(other["code"])).json()["outcome"] == "reject"
    world.forget()
    assert await listed(world, one["qid"], other["qid"]) == {"REVOKED"}


async def test_nor_does_who_was_withdrawn_under_the_number_that_is_joined(world: World) -> None:
    cccd, cmnd = world.person(0).documents[:2]
    one = (await world.declare(world.person(0), document=by(cccd))).json()
    world.registry.outage = True
    world.now += A_MINUTE
    other = (await world.declare(world.person(0), document=by(cmnd))).json()
    await world.built.house.status.suspend(Qid(other["qid"]), "to be looked at", by="test", now=world.now)
    world.registry.outage = False
    world.now += A_MINUTE
    again = (await world.declare(world.person(0), document=by(cmnd))).json()
    assert again["qid"] == one["qid"]
    world.forget()
    assert await listed(world, one["qid"], other["qid"]) == {"SUSPENDED"}
    assert (await world.check(one["code"])).json()["outcome"] != "accept"


async def test_a_vouched_code_does_not_go_by_what_the_citizen_declares_later(world: World) -> None:
    person = next(one for one in map(world.person, range(60)) if len(one.name.split(" ")) >= 3)
    await world.declare(person)
    world.now += A_MINUTE
    words = person.name.split(" ")
    near = " ".join([words[0], *words[2:]])
    strange = (await world.declare(person, name=near)).json()
    world.registry.outage = True
    barrier = await Barrier.at(world)
    scan = await barrier.scan(code=strange["code"])
    assert (await barrier.repair(scan["id"], reason="register_wrong", name=near)).json()["grade"] == "vouched"
    issued = await world.built.store.facts_about(Qid(strange["qid"]), kinds=("code.issued",))
    vouched = await world.built.store.fact(issued[-1].id)
    assert vouched and vouched.personal
    code = msgspec.json.decode(vouched.personal, type=Holder).code
    assert (await world.check(code)).json()["outcome"] == "accept", "an officer saw the document"
    world.registry.outage = False
    world.now += A_MINUTE
    await world.declare(person)
    checked = (await world.check(code)).json()
    assert checked["outcome"] == "manual" and checked["citizen"]["name"] == person.name


async def test_a_slip_that_hits_a_number_that_is_known_is_put_right(world: World) -> None:
    one, other = twins(world)
    await world.declare(one)
    world.registry.outage = True
    world.now += A_MINUTE
    slipped = (await world.declare(other, document=by(one.documents[0]))).json()
    world.registry.outage = False
    barrier = await Barrier.at(world)
    scan = await barrier.scan(code=slipped["code"])
    done = await barrier.repair(scan["id"], card=card(other))
    assert done.status_code == 200 and done.json()["grade"] == "matched"
    assert (await world.declare(other)).json()["qid"] == slipped["qid"]


async def test_who_guesses_while_the_register_is_away_is_told_no_more_than_on_other_days(world: World) -> None:
    """What was confirmed before is known meanwhile: whoever knows number and name must not try all birth dates."""
    person = world.person(0)
    await world.declare(person)
    world.registry.outage = True
    days = [dt.date(person.birth_date.year, 1, 1) + dt.timedelta(days=n) for n in range(12)]
    guesses = [day.isoformat() for day in days if day != person.birth_date]
    told = [(await world.declare(person, birth_date=day)).status_code for day in guesses[:7]]
    assert told == [201] * 5 + [409] * 2
    right = await world.declare(person)
    assert right.json()["code"] == "identity.too_many_tries"
    again = [(await world.declare(world.person(1))).json()["outcome"] for _ in range(8)]
    assert again == ["pending"] * 8, "the same once more is no guess"
