"""What a policy names for its rules, and what its remarks waive."""

import datetime as dt
import time
from typing import Any

import msgspec
import pytest

from motma.core.decision import Rulebook, judge
from motma.core.evidence import SPECIMEN
from motma.core.policy import examine, laid_over, parse_policy
from motma.core.reasons import Outcome
from tests.core.test_decision import NOW
from tests.core.test_policy import CURFEW, changed

ZONES = changed("/values", {"zones": ["quan-1", "quan-5"], "from_minute": 1080, "strict": True})
ASKED_OF_ZONES = {
    "if": [
        {"in": [{"var": "trip.destination"}, {"var": "values.zones"}]},
        {"<": [{"var": "clock.minute"}, {"var": "values.from_minute"}]},
        True,
    ]
}


def _by_zones() -> dict[str, Any]:
    rule = {
        **ZONES["rules"][0],
        "holds": ASKED_OF_ZONES,
        "affected": ["trip.destination", "clock.minute"],
        "tests": [
            {"about": "in the afternoon", "evidence": {}, "holds": True},
            {"about": "in the evening", "evidence": {"clock": {"minute": 1080}}, "holds": False},
        ],
    }
    return {**ZONES, "rules": [rule]}


def test_rules_read_the_values_of_their_policy() -> None:
    book = Rulebook([parse_policy(_by_zones())])
    evening = laid_over({"clock": {"minute": 1100}})
    assert judge(SPECIMEN, book).reasons == () and judge(evening, book).reasons != ()
    elsewhere = {**_by_zones(), "values": {**ZONES["values"], "zones": ["go-vap"]}}
    assert [problem.path for problem in examine(elsewhere).problems] == ["/rules/0/tests/1"]  # its test fails now


@pytest.mark.parametrize(
    ("values", "path", "code"),
    [
        ([], "/values", "policy.type"),
        ({f"v{number}": 1 for number in range(51)}, "/values", "policy.too_many"),
        ({"Zones": []}, "/values/Zones", "policy.id"),
        ({"zones": [["quan-1"]]}, "/values/zones", "policy.type"),
        ({"zones": {"quan-1": 1}}, "/values/zones/quan-1", "rule.form"),
        ({"zones": {"quan-1": [1]}}, "/values/zones/quan-1", "rule.operation"),
        ({"one": {"!": [{"!": []}]}}, "/values/one/!/0/!", "rule.arity"),
        ({"zones": None}, "/values/zones", "policy.type"),
        ({"zones": 2**53}, "/values/zones", "policy.type"),
        ({"zones": 0.5}, "/values/zones", "policy.type"),
        ({"zones": "a" * 501}, "/values/zones", "policy.type"),
        ({"zones": ["quan-1"] * 501}, "/values/zones", "policy.too_many"),
    ],
)
def test_values_that_are_none(values: Any, path: str, code: str) -> None:
    assert (path, code) in {(problem.path, problem.code) for problem in examine(changed("/values", values)).problems}


def test_values_that_are_expressions_read_the_ones_before_them() -> None:
    document = _by_zones()
    evening = {"!": [{"<": [{"var": "clock.minute"}, {"var": "values.from_minute"}]}]}
    document["values"] |= {"evening": evening, "stops": {"and": [{"var": "values.evening"}, {"var": "values.strict"}]}}
    document["rules"][0] |= {
        "holds": {
            "!": [{"and": [{"in": [{"var": "trip.destination"}, {"var": "values.zones"}]}, {"var": "values.stops"}]}]
        }
    }
    document["rules"][0]["tests"].reverse()
    assert examine(document).problems == ()
    book = Rulebook([parse_policy(document)])
    assert judge(SPECIMEN, book).reasons == () != judge(laid_over({"clock": {"minute": 1080}}), book).reasons
    undeclared = {**document, "rules": [{**document["rules"][0], "affected": ["trip.destination"]}]}
    assert {problem.code for problem in examine(undeclared).problems} == {"policy.undeclared"}  # it reads the clock too
    backwards = {**document, "values": dict(reversed(document["values"].items()))}
    assert "policy.value" in {problem.code for problem in examine(backwards).problems}


def test_values_cannot_be_made_to_explode() -> None:
    document, values = _by_zones(), {"v0": {"and": [True, True]}}
    for number in range(1, 40):
        values[f"v{number}"] = {"and": [{"var": f"values.v{number - 1}"}] * 9}
    problems = examine({**document, "values": values | document["values"]}).problems
    assert "rule.too_large" in {problem.code for problem in problems}
    deep: Any = True
    for _ in range(5_000):
        deep = {"!": [deep]}
    assert "rule.too_deep" in {problem.code for problem in examine({**document, "values": {"deep": deep}}).problems}
    rule = {**document["rules"][0], "holds": deep}
    assert "rule.too_deep" in {problem.code for problem in examine({**document, "rules": [rule]}).problems}


def _many(values: dict[str, Any], holds: Any, rules: int, tests: int = 2) -> dict[str, Any]:
    """A policy of rules that are all alike, and so are all but one of their tests."""
    document = _by_zones()
    one, other = document["rules"][0]["tests"]
    alike = {**document["rules"][0], "holds": holds, "tests": [other] + [one] * (tests - 1)}
    document["rules"] = [{**alike, "id": f"curfew.r{n}", "reason": f"curfew.r{n}"} for n in range(rules)]
    return {**document, "values": {**document["values"], **values}}


_DOUBLED = {"d0": ASKED_OF_ZONES} | {f"d{n}": {"and": [{"var": f"values.d{n - 1}"}] * 2} for n in range(1, 9)}
_LISTS = {"many": [1] * 500, "few": [1] * 20}
_SUM: Any = {"+": [{"var": "current"}, {"var": "accumulator"}]}
_NESTED = {"reduce": [{"var": "values.many"}, {"reduce": [{"var": "values.few"}, _SUM, 0]}, 0]}


@pytest.mark.parametrize(
    ("document", "path"),
    [
        (_many(_DOUBLED, {"var": "values.d6"}, 100), "/rules/6/holds"),
        (_many(_LISTS, {"and": [_NESTED, ASKED_OF_ZONES]}, 100), "/rules/0/holds"),
        (_many({}, {"and": [ASKED_OF_ZONES] * 2}, 99, 99), "/rules/13/tests"),
    ],
    ids=["values of values", "within one another", "tests"],
)
def test_work_without_end_is_refused_and_not_done(document: Any, path: str) -> None:
    """Of 30 KB, as an operator may send it: it took two minutes, in which nobody was checked."""
    began = time.process_time()
    problems = examine(document).problems
    assert time.process_time() - began < 5
    assert [(problem.path, problem.code) for problem in problems] == [(path, "policy.too_large")]


def test_what_is_wrong_is_not_walked_through_for_ever() -> None:
    wrong = {"and": [{"var": "values.d7"}, {"no": []}]}
    began = time.process_time()
    problems = examine(_many(_DOUBLED, wrong, 100)).problems
    assert time.process_time() - began < 5
    assert {problem.code for problem in problems} == {"rule.operation"} and len(problems) < 20


def test_a_reduce_over_a_list_of_the_policy_is_not_too_much() -> None:
    added: Any = {"===": [{"reduce": [{"var": "values.many"}, _SUM, 0]}, 500]}
    assert examine(_many(_LISTS, {"and": [added, ASKED_OF_ZONES]}, 2)).problems == ()


@pytest.mark.parametrize(
    ("waives", "but", "is_warned"),
    [
        (["code"], "permit.revoked", True),
        (["curfew", "standing"], "code.problem", True),
        (["standing"], "standing", False),
        (["health"], "declaration.health", False),
        (["curfew"], "permit.revoked", False),
    ],
)
def test_who_waives_what_keeps_everybody_safe_is_warned(waives: list[str], but: str, is_warned: bool) -> None:
    """Unless the rule itself sees to it: the remark is not made of who must not pass."""
    sees = {
        "standing": {"and": [{"!": [{"var": "standing.revoked"}]}, {"!": [{"var": "standing.suspended"}]}]},
        "declaration.health": {"!": [{"===": [{"var": "declaration.health"}, "positive"]}]},
    }.get(but, {"!": [{"var": but}]})
    document = _waiving(waives=waives, affected=["vehicle.green_lane", but])
    document["rules"][-1]["holds"] = {"!": [{"and": [{"var": "vehicle.green_lane"}, sees]}]}
    assert examine(document).problems == ()
    warned = [(one.path, one.code) for one in examine(document).warnings if one.code == "policy.waives_guard"]
    assert warned == [(f"/rules/{len(document['rules']) - 1}/waives", "policy.waives_guard")] * is_warned


def test_a_value_that_there_is_not() -> None:
    missing = {**_by_zones(), "values": {"from_minute": 1080}}
    assert {problem.code for problem in examine(missing).problems} >= {"policy.value"}


def _waiving(**more: Any) -> dict[str, Any]:
    lane = {
        "id": "lane.valid",
        "affected": ["vehicle.green_lane"],
        "holds": {"!": [{"var": "vehicle.green_lane"}]},
        "verdict": "accept",
        "reason": "lane.green",
        "waives": ["curfew"],
        "words": ["Luồng xanh.", "Green lane."],
        "cure": ["Không dừng xe.", "Do not stop it."],
        "tests": [
            {"about": "any vehicle", "evidence": {}, "holds": True},
            {"about": "green lane", "evidence": {"vehicle": {"green_lane": True}}, "holds": False},
        ],
    }
    return {**CURFEW, "id": "lane", "rules": [{**lane, **more}]}


@pytest.mark.parametrize("first", [True, False])
def test_a_remark_waives_policies_wherever_they_stand(first: bool) -> None:
    lane = parse_policy(_waiving())
    stops = msgspec.structs.replace(parse_policy(CURFEW), valid_from=NOW - dt.timedelta(days=9), valid_to=None)
    lane = msgspec.structs.replace(lane, valid_from=stops.valid_from, valid_to=None)
    by_night = next(test.evidence for test in stops.rules[0].tests if not test.holds)
    book = Rulebook([lane, stops] if first else [stops, lane])
    stopped, waved = (
        judge(laid_over(by_night), book),
        judge(laid_over({**by_night, "vehicle": {"green_lane": True}}), book),
    )
    assert stopped.outcome is not Outcome.ACCEPT
    assert waved.outcome is Outcome.ACCEPT and [reason.code for reason in waved.reasons] == ["lane.green"]


def test_a_broken_rule_of_a_waived_policy_stops_nobody() -> None:
    broken = parse_policy(CURFEW)
    never = msgspec.structs.replace(broken.rules[0], holds={"<": [{"var": "now"}, 1]})
    book = Rulebook([parse_policy(_waiving()), msgspec.structs.replace(broken, rules=(never,))])
    assert judge(SPECIMEN, book).failed == (never.id,)
    waved = judge(laid_over({"vehicle": {"green_lane": True}}), book)
    assert waved.failed == () and waved.outcome is Outcome.ACCEPT


@pytest.mark.parametrize(
    "more", [{"verdict": "manual"}, {"waives": []}, {"waives": "curfew"}, {"waives": ["Not An Id"]}]
)
def test_what_cannot_waive(more: dict[str, Any]) -> None:
    assert any(problem.path.startswith("/rules/0/waives") for problem in examine(_waiving(**more)).problems)
