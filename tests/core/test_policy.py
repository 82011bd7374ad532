"""A policy says what is wrong with it, all at once and where; what is sound decides, and nothing makes it raise."""

import copy
import datetime as dt
import json
import re
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from motma.core.decision import Rulebook, decide
from motma.core.errors import Conflict, Invalid
from motma.core.evidence import FIELDS, LISTS, MOMENT, PARTS, SPECIMEN, Evidence, document
from motma.core.flow import Advice
from motma.core.policy import Policy, PolicyError, examine, filled_in, laid_over, named, named_in, parse_policy
from motma.core.policy.form import MAX_TESTS
from motma.core.reasons import REASONS, Outcome
from motma.core.rules import reads
from motma.measures import load_demo_measure
from motma.policies import DEFAULT, SHIPPED, known_reasons, load_policy, load_rulebook
from tests.core.test_decision import ADVICE, ASKED, NOW, code_of, standing_of

ROOT = Path(__file__).resolve().parents[2]
RAW = [
    msgspec.json.decode((ROOT / "src" / "motma" / "policies" / name / "policy.json").read_bytes()) for name in SHIPPED
]
CURFEW: dict[str, Any] = {
    "id": "curfew",
    "version": 3,
    "title": ["Giờ giới nghiêm", "Curfew"],
    "valid_from": "2026-01-18T06:00:00Z",
    "valid_to": "2026-01-18T08:00:00Z",
    "rules": [
        {
            "id": "curfew.day",
            "affected": ["now"],
            "holds": {
                "before": [{"plusTime": [{"var": "now"}, 0, "day"]}, {"plusTime": ["2026-01-18T07:30:00Z", 0, "day"]}]
            },
            "verdict": "reject",
            "reason": "curfew.night",
            "words": ["Đang giờ giới nghiêm.", "There is a curfew now."],
            "cure": ["Chờ đến sáng.", "Wait until the morning."],
            "tests": [
                {"about": "by day", "evidence": {}, "holds": True},
                {"about": "by night", "evidence": {"now": "2026-01-18T15:00:00+07:00"}, "holds": False},
            ],
        }
    ],
}
ABSENT = "(absent)"


def changed(path: str, value: Any) -> dict[str, Any]:
    """The curfew with ``value`` at a JSON Pointer; the last step may be new."""
    policy = copy.deepcopy(CURFEW)
    *steps, last = path.split("/")[1:]
    here: Any = policy
    for step in steps:
        here = here[int(step) if isinstance(here, list) else step]
    if value is ABSENT:
        del here[last]
    else:
        here[int(last) if isinstance(here, list) else last] = value
    return policy


RULE = "/rules/0"
WRONG: list[tuple[str, Any, str, str]] = [
    ("/id", "Curfew", "policy.id", "/id"),
    ("/version", True, "policy.version", "/version"),
    ("/title", ["Giờ giới nghiêm"], "policy.words", "/title"),
    ("/title", ["Curfew", "Curfew"], "policy.words", "/title"),
    ("/valid_from", "2026-02-30T06:00:00Z", "policy.date", "/valid_from"),
    ("/valid_from", "2026-01-18T06:00:00", "policy.date", "/valid_from"),
    ("/valid_to", "2026-01-18T13:00:00+07:00", "policy.dates", "/valid_to"),
    ("/valid_to", "9999-12-31T23:00:00-07:00", "policy.date", "/valid_to"),
    ("/valid_until", None, "policy.name", "/valid_until"),
    ("/rules", [], "policy.missing", "/rules"),
    ("/rules", {}, "policy.type", "/rules"),
    ("/rules", ABSENT, "policy.missing", "/rules"),
    ("/rules", [CURFEW["rules"][0]] * 101, "policy.too_many", "/rules"),
    (RULE, 7, "policy.type", RULE),
    (f"{RULE}/id", "curfew", "policy.id", f"{RULE}/id"),
    (f"{RULE}/holds", {"xor": [True, False]}, "rule.operation", f"{RULE}/holds/xor"),
    (f"{RULE}/holds", {"!": [{"===": [1]}]}, "rule.arity", f"{RULE}/holds/!/0/==="),
    (f"{RULE}/holds", {"var": "code.matched"}, "policy.undeclared", f"{RULE}/holds"),
    (f"{RULE}/holds", {"var": ""}, "policy.field", f"{RULE}/holds"),
    (f"{RULE}/holds", {"var": "code.colour"}, "policy.field", f"{RULE}/holds"),
    (f"{RULE}/affected", ["code"], "policy.undeclared", f"{RULE}/holds"),
    (f"{RULE}/affected", ["now", "weather"], "policy.field", f"{RULE}/affected/1"),
    (f"{RULE}/affected", [], "policy.missing", f"{RULE}/affected"),
    (f"{RULE}/verdict", "shoot", "policy.verdict", f"{RULE}/verdict"),
    (f"{RULE}/verdict", [], "policy.verdict", f"{RULE}/verdict"),
    (f"{RULE}/known", False, "policy.known", f"{RULE}/known"),
    (f"{RULE}/reason", "code.forged", "policy.reason_taken", f"{RULE}/reason"),
    (f"{RULE}/reason", "rule.error", "policy.reason_taken", f"{RULE}/reason"),
    (f"{RULE}/words", ["Đang giờ giới nghiêm.", " "], "policy.text", f"{RULE}/words/1"),
    (f"{RULE}/words", ABSENT, "policy.missing", f"{RULE}/words"),
    (f"{RULE}/cure", ["x" * 501, "y"], "policy.text", f"{RULE}/cure/0"),
    (f"{RULE}/tests", [], "policy.no_tests", f"{RULE}/tests"),
    (f"{RULE}/tests", ABSENT, "policy.no_tests", f"{RULE}/tests"),
    (f"{RULE}/tests/1/holds", True, "policy.test_fails", f"{RULE}/tests/1"),
    (f"{RULE}/tests/0/holds", 1, "policy.type", f"{RULE}/tests/0/holds"),
    (f"{RULE}/tests/1", CURFEW["rules"][0]["tests"][0], "policy.one_sided", f"{RULE}/tests"),
    (f"{RULE}/tests/1/evidence", {"now": None}, "policy.test_error", f"{RULE}/tests/1"),
    (f"{RULE}/tests/1/evidence", {"now": "tonight"}, "policy.date", f"{RULE}/tests/1/evidence/now"),
    (f"{RULE}/tests/1/evidence", {"code": {"a/b": 1}}, "policy.field", f"{RULE}/tests/1/evidence/code/a~1b"),
    (f"{RULE}/tests/1/evidence", {"code": True}, "policy.type", f"{RULE}/tests/1/evidence/code"),
    (
        f"{RULE}/tests/1/evidence",
        {"declaration": {"grade": "sure"}},
        "policy.type",
        f"{RULE}/tests/1/evidence/declaration/grade",
    ),
    (
        f"{RULE}/tests/1/evidence",
        {"measure": {"by_hand": "live"}},
        "policy.type",
        f"{RULE}/tests/1/evidence/measure/by_hand",
    ),
]


@pytest.mark.parametrize(("path", "value", "code", "at"), WRONG, ids=lambda value: str(value)[:40])
def test_what_is_wrong_is_said_with_its_place(path: str, value: Any, code: str, at: str) -> None:
    examined = examine(changed(path, value))
    assert (code, at) in [(problem.code, problem.path) for problem in examined.problems]
    assert examined.policy is None
    assert all(problem.words.vi and problem.words.en for problem in examined.problems)


def test_everything_wrong_is_said_at_once() -> None:
    policy = changed("/id", "?")
    policy["rules"].append({**policy["rules"][0], "holds": {"or": []}, "verdict": "maybe"})
    with pytest.raises(PolicyError) as caught:
        parse_policy(policy)
    assert [(problem.path, problem.code) for problem in caught.value.problems] == [
        ("/id", "policy.id"),
        ("/rules/1/id", "policy.twice"),
        ("/rules/1/reason", "policy.twice"),
        ("/rules/1/verdict", "policy.verdict"),
        ("/rules/1/holds/or", "rule.operation"),
    ]


def test_reading_rules_own_no_words_and_read_nothing_else() -> None:
    rule = {**CURFEW["rules"][0], "reason": "code.*"}
    found = {(problem.path, problem.code) for problem in examine({**CURFEW, "rules": [rule]}).problems}
    assert {(f"{RULE}/{name}", "policy.name") for name in ("verdict", "words", "cure")} < found
    assert (f"{RULE}/affected", "policy.as_read") in found


@pytest.mark.parametrize("raw", RAW, ids=SHIPPED)
def test_policies_that_ship_are_sound_and_declare_exactly_what_they_read(raw: Any) -> None:
    examined = examine(raw)
    assert examined.policy and examined.policy.id in SHIPPED and not examined.warnings
    for rule in examined.policy.rules:
        paths = reads(filled_in(rule.holds, named(examined.policy.values)))
        for read in paths:
            assert any(read == field or read.startswith(f"{field}.") for field in rule.affected)
        for field in rule.affected:
            assert any(read == field or read.startswith(f"{field}.") for read in paths), field


@pytest.mark.parametrize("raw", RAW, ids=SHIPPED)
def test_each_value_of_those_that_ship_is_read(raw: Any) -> None:
    values = raw.get("values", {})
    assert set(values) == set(named_in([[rule["holds"] for rule in raw["rules"]], list(values.values())]))


@pytest.mark.parametrize("raw", RAW, ids=SHIPPED)
def test_each_truth_that_ships_under_a_name_is_held_by_tests(raw: Any) -> None:
    for name, value in raw.get("values", {}).items():
        if not isinstance(value, dict) or name == "at_now" or name.startswith("level_"):
            continue
        for instead in ({"!": [value]}, True, False):
            broken = {**raw, "values": {**raw["values"], name: instead}}
            assert {problem.code for problem in examine(broken).problems} & {
                "policy.test_fails",
                "policy.test_error",
            }, (
                name,
                instead,
            )


@pytest.mark.parametrize("raw", RAW, ids=SHIPPED)
def test_each_rule_that_ships_is_held_by_its_tests(raw: Any) -> None:
    """Turned round, left out or always said, none of them passes its own tests."""
    for place, rule in enumerate(raw["rules"]):
        for instead in ({"!": [rule["holds"]]}, True, False):
            broken = copy.deepcopy(raw)
            broken["rules"][place]["holds"] = instead
            assert "policy.test_fails" in [problem.code for problem in examine(broken).problems], rule["id"]


def test_a_policy_that_lets_nobody_or_everybody_through_is_warned_of() -> None:
    never = changed(f"{RULE}/tests/0/evidence", {"declaration": {"health": "contact"}})
    never["rules"].append(copy.deepcopy(RAW[SHIPPED.index("health")]["rules"][-1]))
    never["rules"][1]["holds"] = {"===": [{"var": "declaration.health"}, "contact"]}
    never["rules"][1]["tests"] = [
        {"about": "contact, by night", "evidence": {"now": "2026-01-18T08:00:00Z"}, "holds": False},
        {
            "about": "by night",
            "evidence": {"now": "2026-01-18T08:00:00Z", "declaration": {"health": "contact"}},
            "holds": True,
        },
    ]
    never["rules"][0]["tests"][0]["evidence"] = {}
    assert [warning.code for warning in examine(never).warnings] == ["policy.lets_nobody"]
    everybody = examine(changed(f"{RULE}/verdict", "accept"))
    assert everybody.policy and [warning.code for warning in everybody.warnings] == ["policy.lets_everybody"]
    assert examine(CURFEW).warnings == ()


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


def _places(value: Any, path: str = "") -> list[str]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *[place for name, item in inner for place in _places(item, f"{path}/{name}")]]


@given(st.sampled_from(_places(CURFEW)[1:]), anything)
@settings(max_examples=500, deadline=None)
def test_nonsense_anywhere_is_examined_without_raising(path: str, nonsense: Any) -> None:
    examined = examine(changed(path, nonsense))
    assert (examined.policy is None) == bool(examined.problems)
    if examined.policy:
        Rulebook([examined.policy])


@given(anything)
@settings(max_examples=200, deadline=None)
def test_nonsense_is_no_policy(nonsense: Any) -> None:
    with pytest.raises(PolicyError):
        parse_policy(nonsense)


def test_depth_and_size_bombs_are_told_and_not_walked() -> None:
    bomb: Any = True
    for _ in range(5_000):
        bomb = {"!": [bomb]}
    assert "rule.too_deep" in [problem.code for problem in examine(changed(f"{RULE}/holds", bomb)).problems]
    assert examine(changed(f"{RULE}/holds", {"in": [1, [True] * 1_000_000]})).problems[0].code == "rule.too_large"
    tests = [CURFEW["rules"][0]["tests"][0]] * (MAX_TESTS + 1)
    assert "policy.too_many" in [problem.code for problem in examine(changed(f"{RULE}/tests", tests)).problems]


# -- deciding by them --------------------------------------------------------------------------------------------------


def curfew(**rule: Any) -> Policy:
    """The curfew with a rule that was never examined: what is stored may be older than the checks."""
    policy = parse_policy(CURFEW)
    return msgspec.structs.replace(policy, rules=(msgspec.structs.replace(policy.rules[0], **rule),))


GOOD = Evidence(code=code_of(), standing=standing_of(), liveness="live", as_of=ASKED)


def test_a_rule_without_a_value_makes_manual_and_raises_nothing() -> None:
    broken = curfew(holds={"plusTime": [{"var": "code.problem"}, 0, "day"]})
    verdict = decide(GOOD, Rulebook([broken]), None, NOW)
    assert (verdict.outcome, verdict.known, verdict.failed) == (Outcome.MANUAL, False, ("curfew.day",))
    assert [reason.code for reason in verdict.reasons] == ["rule.error"]
    neither = curfew(holds={"plusTime": [{"var": "now"}, 0, "day"]})  # a date-time is neither true nor false
    assert decide(GOOD, Rulebook([neither]), None, NOW).failed == ("curfew.day",)


def test_a_broken_rule_hides_no_other_reason() -> None:
    broken = curfew(holds={"in": [1, {"var": "code.problem"}]})
    book = Rulebook([broken, load_policy("health")])
    ill = Evidence(code=code_of(), standing=standing_of(health="symptoms"), liveness="live", as_of=ASKED)
    assert [reason.code for reason in decide(ill, book, None, NOW).reasons] == ["health.symptoms", "rule.error"]
    assert decide(ill, book, None, NOW).outcome is Outcome.REJECT


@pytest.mark.parametrize(
    ("minutes", "reasons"),
    [(-61, []), (29.9, []), (30, ["curfew.night"]), (59.9, ["curfew.night"]), (60, [])],
)
def test_a_policy_counts_from_when_to_when_it_says(minutes: float, reasons: list[str]) -> None:
    now = NOW + dt.timedelta(minutes=minutes)
    verdict = decide(GOOD, Rulebook([parse_policy(CURFEW)]), None, now.astimezone(dt.timezone(dt.timedelta(hours=7))))
    assert [reason.code for reason in verdict.reasons] == reasons


def test_nobody_is_sent_on_without_a_place_to_go_on_to() -> None:
    sent = Rulebook([curfew(holds=False, verdict=Outcome.REFER)])
    assert decide(GOOD, sent, None, NOW).outcome is Outcome.MANUAL
    somewhere: Advice = ADVICE
    onward = decide(Evidence(standing=standing_of(), refer=somewhere), sent, None, NOW)
    assert (onward.outcome, onward.refer) == (Outcome.REFER, somewhere)


def test_two_policies_do_not_share_names() -> None:
    with pytest.raises(Conflict) as caught:
        Rulebook([load_policy("health"), load_policy("health")])
    assert caught.value.code == "policy.clash"


def test_the_default_decides_unless_a_measure_names_others() -> None:
    assert load_demo_measure(NOW).policies == ()
    assert [name for name in SHIPPED if name in DEFAULT] == list(DEFAULT)
    assert set(load_rulebook().reasons) < set(load_rulebook(SHIPPED).reasons)
    assert set(load_rulebook(SHIPPED).reasons) | set(REASONS) == set(known_reasons())
    assert set(load_rulebook(("health",)).reasons) == {"health.positive", "health.symptoms", "health.contact"}
    with pytest.raises(Invalid):
        load_policy("../code")


# -- the document that rules read --------------------------------------------------------------------------------------


def _leaves(seen: dict[str, Any]) -> dict[str, Any]:
    leaves: dict[str, Any] = {}
    for name, value in seen.items():
        if isinstance(value, dict):
            leaves |= {f"{name}.{inner}": leaf for inner, leaf in value.items()}
        elif name not in PARTS:
            leaves[name] = value
    return leaves


def test_the_document_has_the_fields_that_are_named_and_no_others() -> None:
    plain = json.loads(msgspec.json.encode(document(GOOD, None, NOW)))
    assert plain == document(GOOD, None, NOW)  # JSON through and through
    assert plain.keys() == SPECIMEN.keys() == {path.partition(".")[0] for path in FIELDS}
    assert set(_leaves(plain)) <= set(FIELDS) >= set(_leaves(dict(SPECIMEN)))
    for path, value in _leaves(plain).items():
        kind = FIELDS[path]
        if value is None:
            continue
        if isinstance(kind, frozenset) and path not in LISTS:
            assert value in kind
        elif kind == MOMENT:
            assert re.fullmatch(r"2026-01-\d\dT\d\d:00:00\.000Z", value)
    nothing = document(Evidence(), None, NOW)
    assert nothing["standing"] is nothing["declaration"] is None and nothing["code"]["liveness"] is None
    assert examine(changed(f"{RULE}/tests/0/evidence", dict(SPECIMEN))).problems == ()


@given(st.datetimes(timezones=st.just(dt.UTC)).filter(lambda at: 1 < at.year < 9999), st.integers(-14, 14))
@settings(max_examples=200, deadline=None)
def test_times_are_told_in_utc_to_the_millisecond(moment: dt.datetime, ahead: int) -> None:
    here = moment.astimezone(dt.timezone(dt.timedelta(hours=ahead)))
    told = document(Evidence(), None, here)["now"]
    assert told == moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def test_a_patch_is_laid_over_as_rfc_7396_says() -> None:
    under = {"a": {"b": 1, "c": 2}, "d": [1]}
    assert laid_over({"a": {"b": None, "e": {"f": None}}, "d": [2]}, under) == {"a": {"c": 2, "e": {}}, "d": [2]}
    assert under == {"a": {"b": 1, "c": 2}, "d": [1]}


def test_the_page_names_every_field_problem_and_policy() -> None:
    page = (ROOT / "docs" / "policies.md").read_text("utf-8")
    assert set(FIELDS) <= set(re.findall(r"`([a-z_.]+)`", page))
    source = (ROOT / "src" / "motma" / "core" / "policy" / "words.py").read_text("utf-8")
    for code in set(re.findall(r'"(policy\.[a-z_]+)"', source)) | {"policy.clash", "policy.unknown"}:
        assert f"`{code}`" in page, code
    for name in SHIPPED:
        for rule in load_policy(name).rules:
            assert f"`{rule.reason}`" in page, rule.reason
