"""What checkpoints would say is what they say; nothing is recorded, and nothing is told that was another door's."""

import datetime as dt
from typing import Any

import httpx
import pytest

from motma.core.decision import Rulebook
from motma.core.errors import Invalid
from motma.core.ids import Qid
from motma.core.permit import Signatory
from motma.core.permit.form import Asked
from motma.core.policy import parse_policy
from motma.core.words import Words
from motma.policies import load_policy
from motma.register.population import Person
from motma.services.gather import Deciding, Gather
from motma.services.precheck import PRECHECKS, PRECHECKS_PER, Precheck
from motma.services.wallet import HeldCode
from tests.world import HERE, NEXT, World

A_MINUTE, AN_HOUR = dt.timedelta(minutes=1), dt.timedelta(hours=1)
IN_GO_VAP = "i22-an-phu-dong"


async def ask(world: World, declaration: str, platform: str = "BENHVIEN", **more: Any) -> httpx.Response:
    sender = await world.platform(platform)
    return await sender.post("/v1/prechecks", json={"declaration": declaration, **more})


async def held(world: World, browser: httpx.AsyncClient) -> list[HeldCode]:
    house = world.built.house
    return await house.wallets.held(house.wallet(browser.cookies["motma_wallet"]))


def with_three_words(world: World) -> Person:
    return next(one for one in map(world.person, range(60)) if len(one.name.split(" ")) >= 3)


def slip(person: Person) -> str:
    words = person.name.split(" ")
    return " ".join([words[0], *words[2:]])


async def accepted(world: World) -> dict[str, Any]:
    return dict((await world.declare(world.person(0))).json())


async def with_symptoms(world: World) -> dict[str, Any]:
    return dict((await world.declare(world.person(0), health__symptoms__fever=True)).json())


async def met_a_patient(world: World) -> dict[str, Any]:
    return dict((await world.declare(world.person(0), health__contact=True)).json())


async def with_a_slip(world: World) -> dict[str, Any]:
    person = with_three_words(world)
    return dict((await world.declare(person, name=slip(person))).json())


async def while_the_register_is_away(world: World) -> dict[str, Any]:
    world.registry.outage = True
    try:
        return await accepted(world)
    finally:
        world.registry.outage = False


async def matched_late(world: World) -> dict[str, Any]:
    sent = await while_the_register_is_away(world)
    world.now += A_MINUTE
    assert await world.work() == 1
    return sent


async def revoked(world: World) -> dict[str, Any]:
    sent = await accepted(world)
    await world.built.house.status.revoke(Qid(sent["qid"]), "Thử", by="test", now=world.now)
    return sent


async def suspended(world: World) -> dict[str, Any]:
    sent = await accepted(world)
    await world.built.house.status.suspend(Qid(sent["qid"]), "Thử", by="test", now=world.now)
    return sent


async def diverted(world: World) -> dict[str, Any]:
    sent = await accepted(world)
    await world.divert(HERE)
    world.forget()
    return sent


async def expired(world: World) -> dict[str, Any]:
    sent = await accepted(world)
    world.now += 73 * AN_HOUR
    return sent


async def with_no_measure(world: World) -> dict[str, Any]:
    sent = await accepted(world)
    await world.built.house.steer.end_measure("demo-hcmc", by="test", now=world.now)
    return sent


async def where_pictures_are_looked_at(world: World) -> dict[str, Any]:
    await world.publish(by_hand=("static", "stale"))
    return await accepted(world)


async def by_policies_that_are_not_there(world: World) -> dict[str, Any]:
    await world.publish(policies=("code", "nowhere"))
    return await accepted(world)


@pytest.mark.parametrize(
    ("come", "outcome", "known"),
    [
        (accepted, "accept", True),
        (with_symptoms, "reject", True),
        (met_a_patient, "manual", True),
        (with_a_slip, "manual", True),
        (while_the_register_is_away, "manual", True),
        (matched_late, "accept", True),
        (revoked, "reject", True),
        (suspended, "manual", True),
        (diverted, "refer", True),
        (expired, "reject", True),
        (with_no_measure, "accept", True),
        (where_pictures_are_looked_at, "manual", True),
        (by_policies_that_are_not_there, "manual", False),
    ],
)
async def test_it_says_what_a_check_says(world: World, come: Any, outcome: str, known: bool) -> None:
    sent = await come(world)
    await world.platform()
    before = world.rows()
    answer = await ask(world, sent["declaration"])
    assert answer.status_code == 200, answer.text
    assert world.rows() == before, "looking ahead leaves nothing behind"
    [ahead] = answer.json()["checkpoints"]
    now = ahead["now"]
    assert (ahead["checkpoint"], now["outcome"], now["known"]) == (HERE, outcome, known)
    checked = (await world.check(code=sent["code"])).json()
    assert now == {name: checked[name] for name in ("outcome", "known", "reasons", "refer")}
    assert all(why["words"]["vi"] and why["cure"]["en"] for why in now["reasons"])


async def test_now_and_at_the_departure(world: World) -> None:
    sent = await accepted(world)
    declared = (await ask(world, sent["declaration"])).json()
    assert (declared["on"], declared["judged_at"], declared["departs_at"]) == (
        "route",
        "2026-01-18T07:00:00Z",
        "2026-01-18T08:00:00Z",
    )
    assert declared["checkpoints"][0]["then"]["outcome"] == "accept"
    late = (await ask(world, sent["declaration"], departs_at="2026-01-21T14:30")).json()  # Vietnamese time
    [ahead] = late["checkpoints"]
    assert late["departs_at"] == "2026-01-21T07:30:00Z"
    assert (ahead["now"]["outcome"], ahead["then"]["outcome"], ahead["accept_from"]) == ("accept", "reject", None)
    assert [why["code"] for why in ahead["then"]["reasons"]] == ["standing.expired"]
    world.now += 2 * AN_HOUR
    over = (await ask(world, sent["declaration"])).json()
    assert over["departs_at"] is None and over["checkpoints"][0]["then"] is None


async def test_the_measure_is_that_of_the_departure(world: World) -> None:
    sent = await accepted(world)
    await world.publish(ends_at=world.now + 6 * AN_HOUR)
    world.forget()
    [ahead] = (await ask(world, sent["declaration"], departs_at="2026-01-18T23:00")).json()["checkpoints"]
    assert [why["code"] for why in ahead["then"]["reasons"]] == ["measure.none_active"]
    assert ahead["now"]["reasons"] == []


async def test_the_route_those_asked_for_or_all(world: World) -> None:
    network = world.built.house.steer.network
    sent = (await world.declare(world.person(0), trip__checkpoints=[NEXT, HERE])).json()
    assert await places(world, sent, []) == ("route", [NEXT, HERE])
    assert await places(world, sent, [IN_GO_VAP, HERE, IN_GO_VAP]) == ("chosen", [IN_GO_VAP, HERE])
    without = (await world.declare(world.person(1), trip__checkpoints=[])).json()
    assert await places(world, without, []) == ("network", list(network.by_id))


async def places(world: World, sent: dict[str, Any], checkpoints: list[str]) -> tuple[str, list[str]]:
    answer = (await ask(world, sent["declaration"], checkpoints=checkpoints)).json()
    assert [one["name"] for one in answer["checkpoints"]] == [
        world.built.house.steer.network.by_id[one["checkpoint"]].name._asdict() for one in answer["checkpoints"]
    ]
    return answer["on"], [one["checkpoint"] for one in answer["checkpoints"]]


def judging_by(world: World, rules: Rulebook) -> Precheck:
    """Of this world, by other rules than it has."""
    house, store, board = world.built.house, world.built.store, world.built.board
    network = house.steer.network

    async def deciding(now: dt.datetime) -> Deciding:
        return lambda names, at: rules

    gather = Gather(store=store, board=board, network=network, permits=house.permits, rules=deciding)
    return Precheck(store=store, board=board, gather=gather, network=network)


CURFEW = {
    "id": "curfew",
    "version": 1,
    "title": ["Giờ giới nghiêm thử", "A curfew to try"],
    "valid_from": "2020-01-01T00:00:00+07:00",
    "rules": [
        {
            "id": "curfew.hours",
            "affected": ["clock.minute", "checkpoint.area"],
            "holds": {
                "if": [
                    {"===": [{"var": "checkpoint.area"}, "go-vap"]},
                    {
                        "and": [
                            {">=": [{"var": "clock.minute"}, 360]},
                            {"<": [{"var": "clock.minute"}, 1080]},
                        ]
                    },
                    True,
                ]
            },
            "verdict": "reject",
            "reason": "curfew.hours",
            "words": ["Đang giờ giới nghiêm.", "There is a curfew."],
            "cure": ["Đi lại sau 6 giờ.", "Come after six."],
            "tests": [
                {"about": "by day", "evidence": {"checkpoint": {"area": "go-vap"}}, "holds": True},
                {
                    "about": "by night",
                    "evidence": {"checkpoint": {"area": "go-vap"}, "clock": {"minute": 1200}},
                    "holds": False,
                },
            ],
        }
    ],
}


async def test_when_and_where_a_rule_lets_somebody_pass(world: World) -> None:
    sent = await accepted(world)
    rules = Rulebook([load_policy("standing"), load_policy("validity"), parse_policy(CURFEW)])
    precheck = judging_by(world, rules)
    seen = await precheck.of_declaration(
        sent["declaration"], "2026-01-18T18:10", [HERE, IN_GO_VAP], source="BENHVIEN", now=world.now
    )
    elsewhere, there = seen.checkpoints
    assert (elsewhere.now, elsewhere.accept_from) == (elsewhere.then, None) and elsewhere.now.outcome == "accept"
    assert there.then and (there.now.outcome, there.then.outcome) == ("accept", "reject")
    assert [why.code for why in there.then.reasons] == ["curfew.hours"]
    assert there.accept_from == dt.datetime(2026, 1, 18, 23, 0, tzinfo=dt.UTC), "06:00 in Vietnam"
    too_late = dt.datetime(2026, 1, 20, 18, 0, tzinfo=dt.UTC)  # nothing but the end of the code comes after it
    seen = await precheck.of_declaration(
        sent["declaration"], too_late.isoformat(), [IN_GO_VAP], source="BENHVIEN", now=world.now
    )
    assert seen.checkpoints[0].accept_from == dt.datetime(2026, 1, 20, 23, 0, tzinfo=dt.UTC)
    seen = await precheck.of_declaration(
        sent["declaration"], "2026-01-21T18:10", [IN_GO_VAP], source="BENHVIEN", now=world.now
    )
    assert seen.checkpoints[0].accept_from is None, "by then the declaration is over"


ONLY_WITH_A_PERMIT = {
    "id": "permits-only",
    "version": 1,
    "title": ["Chỉ người có giấy đi đường", "Only with a permit"],
    "valid_from": "2020-01-01T00:00:00+07:00",
    "rules": [
        {
            "id": "permit.needed",
            "affected": ["permit.group"],
            "holds": {"!": [{"!": [{"var": "permit.group"}]}]},
            "verdict": "reject",
            "reason": "permit.needed",
            "words": ["Không có giấy đi đường.", "There is no permit."],
            "cure": ["Xin giấy ở công an phường.", "Ask the ward police for one."],
            "tests": [
                {"about": "with one", "evidence": {"permit": {"group": "3A"}}, "holds": True},
                {"about": "without", "evidence": {}, "holds": False},
            ],
        }
    ],
}


async def test_a_permit_is_told_of_to_who_is_known_to_be_its_holder(world: World) -> None:
    person, rules = with_three_words(world), Rulebook([parse_policy(ONLY_WITH_A_PERMIT)])
    precheck, permits = judging_by(world, rules), world.built.house.permits

    async def says(sent: dict[str, Any], platform: str) -> list[str]:
        seen = await precheck.of_declaration(sent["declaration"], None, [], source=platform, now=world.now)
        return [why.code for why in seen.checkpoints[0].now.reasons]

    mine = (await world.declare(person, await world.platform("BLUEZONE"))).json()
    theirs = (await world.declare(person, await world.platform("NCOVI"), name=slip(person))).json()
    assert await says(mine, "BLUEZONE") == await says(theirs, "NCOVI") == ["permit.needed"]
    asked = Asked(
        group="3A",
        areas=(),
        valid_from=world.now,
        valid_until=world.now + 24 * AN_HOUR,
        signed_by=Signatory("city"),
        qid=Qid(mine["qid"]),
    )
    await permits.grant(await permits.resolve(asked, world.now), by="test", now=world.now)
    assert await says(mine, "BLUEZONE") == []
    assert await says(theirs, "NCOVI") == ["permit.needed"], "a slip of a name is no proof of who somebody is"


# -- what is not told ------------------------------------------------------------------------------------------------


async def test_what_another_door_was_told_shows_to_nobody_here(world: World) -> None:
    person = world.person(0)
    mine = (await world.declare(person, await world.platform("BLUEZONE"))).json()
    before = (await ask(world, mine["declaration"], "BLUEZONE")).json()
    theirs = (await world.declare(person, await world.platform("NCOVI"), health__symptoms__fever=True)).json()
    after = (await ask(world, mine["declaration"], "BLUEZONE")).json()
    assert theirs["qid"] == mine["qid"] and after == before
    assert after["checkpoints"][0]["now"] == {"outcome": "accept", "known": True, "reasons": [], "refer": None}
    assert (await world.check(code=mine["code"])).json()["outcome"] == "reject", "the checkpoint is told all the same"
    [ahead] = (await ask(world, theirs["declaration"], "NCOVI")).json()["checkpoints"]
    assert ahead["now"]["outcome"] == "reject"


async def test_a_stranger_learns_of_no_withdrawal(world: World) -> None:
    person, stranger = with_three_words(world), "NCOVI"
    mine = (await world.declare(person, await world.platform("BLUEZONE"))).json()
    theirs = (await world.declare(person, await world.platform(stranger), name=slip(person))).json()
    before = (await ask(world, theirs["declaration"], stranger)).json()
    assert [why["code"] for why in before["checkpoints"][0]["now"]["reasons"]] == ["identity.repairable"]
    await world.built.house.status.revoke(Qid(mine["qid"]), "Thử", by="test", now=world.now)
    assert (await ask(world, theirs["declaration"], stranger)).json() == before
    [ahead] = (await ask(world, mine["declaration"], "BLUEZONE")).json()["checkpoints"]
    assert [why["code"] for why in ahead["now"]["reasons"]] == ["standing.revoked"]


async def test_a_declaration_of_somebody_else_is_none(world: World) -> None:
    sent = (await world.declare(world.person(0), await world.platform("BLUEZONE"))).json()
    said = set()
    for declaration in (sent["declaration"], "dcl_01kf7yejc0k13emra4srge0byv", "dcl_", "", sent["qid"], "scn_1"):
        answer = await ask(world, declaration, "NCOVI")
        assert answer.status_code == 404
        said.add(answer.text)
    assert len(said) == 1 and "declaration.hidden" in said.pop()


async def test_what_was_refused_has_no_code_to_look_ahead_with(world: World) -> None:
    sent = (await world.declare(world.person(0), name="Quách Đình Tuệ Lâm Phúc")).json()
    answer = await ask(world, sent["declaration"])
    assert (answer.status_code, answer.json()["code"]) == (409, "precheck.no_code")


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"checkpoints": [HERE, "nowhere"]}, "precheck.checkpoints"),
        ({"checkpoints": [""]}, "precheck.checkpoints"),
        ({"departs_at": ""}, "departure.malformed"),
        ({"departs_at": "tomorrow"}, "departure.malformed"),
        ({"departs_at": "2026-02-30T08:00"}, "departure.malformed"),
        ({"departs_at": "2027-01-18T08:00"}, "departure.out_of_range"),
        ({"departs_at": 7}, "body.malformed"),
        ({"checkpoints": HERE}, "body.malformed"),
        ({"at": "2026-01-18T20:00"}, "body.malformed"),
    ],
)
async def test_what_makes_no_sense_is_refused(world: World, more: dict[str, Any], code: str) -> None:
    sent = await accepted(world)
    answer = await ask(world, sent["declaration"], **more)
    assert (answer.status_code, answer.json()["code"]) == (422, code)
    words = answer.json()["words"]
    assert words["vi"] and words["en"] and words["vi"] != words["en"]


async def test_so_often_and_no_oftener(world: World) -> None:
    sent, other = await accepted(world), (await world.declare(world.person(1))).json()
    for _ in range(PRECHECKS):
        assert (await ask(world, sent["declaration"])).status_code == 200
    answer = await ask(world, sent["declaration"])
    assert (answer.status_code, answer.json()["code"]) == (429, "precheck.too_often")
    assert 0 < int(answer.headers["retry-after"]) <= PRECHECKS_PER.total_seconds() + 1
    assert (await ask(world, other["declaration"])).status_code == 200
    world.now += PRECHECKS_PER
    assert (await ask(world, sent["declaration"])).status_code == 200


# -- the browser's own codes -----------------------------------------------------------------------------------------


async def test_a_key_of_the_browser_makes_it_live(world: World) -> None:
    """The open page proves itself; the same code from a platform is a picture."""
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    await world.publish(by_hand=("static", "stale"))
    browser, house = world.browser(), world.built.house
    await world.declare_on_page(browser, world.person(0))
    [code] = await held(world, browser)
    [ahead] = (await house.precheck.of_code(code, None, None, world.now)).checkpoints
    assert [why.code for why in ahead.now.reasons] == ["proof.static"]
    point = (
        ec.generate_private_key(ec.SECP256R1()).public_key().public_bytes(Encoding.X962, PublicFormat.CompressedPoint)
    )
    await house.carriers.bind(house.wallet(browser.cookies["motma_wallet"]), code.qid, point, world.now)
    [code] = await held(world, browser)
    [ahead] = (await house.precheck.of_code(code, None, None, world.now)).checkpoints
    assert (ahead.now.outcome, ahead.now.reasons) == ("accept", ())


async def test_a_browser_asks_for_the_route_for_some_or_for_all(world: World) -> None:
    browser, house = world.browser(), world.built.house
    await world.declare_on_page(browser, world.person(0))
    [code] = await held(world, browser)
    for chosen, on, count in ((None, "route", 1), ((), "network", 37), ((NEXT, IN_GO_VAP), "chosen", 2)):
        seen = await house.precheck.of_code(code, None, chosen, world.now)
        assert (seen.on, len(seen.checkpoints)) == (on, count)
    with pytest.raises(Invalid, match=r"precheck\.checkpoints"):
        await house.precheck.of_code(code, None, ("nowhere",), world.now)


async def test_words_of_the_rules_are_told_as_they_are(world: World) -> None:
    sent = await with_symptoms(world)
    [why] = (await ask(world, sent["declaration"])).json()["checkpoints"][0]["now"]["reasons"]
    rule = next(rule for rule in load_policy("health").rules if rule.reason == "health.symptoms")
    assert rule.words and rule.cure
    assert (Words(**why["words"]), Words(**why["cure"])) == (rule.words, rule.cure)
