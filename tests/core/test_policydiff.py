"""What is different between two versions, in words; and logic as people say it."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from motma.core.policy import Policy, parse_policy
from motma.core.policy.diff import Change, difference
from motma.core.policy.text import read_policy
from motma.core.policy.writing import document_of
from motma.core.rules.spoken import MAX_CHARS, in_words
from motma.core.words import Words
from motma.policies import SHIPPED, load_policy
from tests.core.policy_texts import SMALL


def small(**changes: str) -> Policy:
    text = SMALL
    for old, new in changes.items():
        assert old in text, old
        text = text.replace(old, new)
    policy = read_policy(text).policy
    assert policy
    return policy


def changed(old: str, new: str) -> list[Change]:
    return difference(small(), small(**{old: new}))


def reordered(policy: Policy, *order: int) -> Policy:
    document = document_of(policy)
    document["rules"] = [document["rules"][place] for place in order]
    return parse_policy(document)


@pytest.mark.parametrize("name", SHIPPED)
def test_the_same_is_no_difference(name: str) -> None:
    assert difference(load_policy(name), load_policy(name)) == []
    assert difference(None, None) == []


def test_a_version_alone_is_no_difference() -> None:
    assert changed("version: 1", "version: 2") == []


@pytest.mark.parametrize(
    ("old", "new", "kind", "before", "after"),
    [
        ("A curfew to try", "A curfew", "title", "A curfew to try", "A curfew"),
        (
            "2021-07-26T18:00",
            "2021-07-27T18:00",
            "dates",
            "18:00 on 26/07/2021, Vietnam time",
            "18:00 on 27/07/2021, Vietnam time",
        ),
        ("rules:", "valid_to: 2027-01-01T00:00:00Z\nrules:", "dates", "no end", "07:00 on 01/01/2027, Vietnam time"),
        ("verdict: reject", "verdict: refer", "verdict", "stop", "go on to the next checkpoint"),
        ("verdict: reject", "verdict: manual\n    known: false", "verdict", "stop", "check by hand (not known)"),
        ("reason: night.curfew", "reason: night.late", "reason", "night.curfew", "night.late"),
        ("There is a curfew now.", "Stay at home.", "words", "There is a curfew now.", "Stay at home."),
        ("Đang giờ giới nghiêm.", "Giới nghiêm.", "words", "There is a curfew now.", "There is a curfew now."),
        ("until six", "until seven", "cure", "Stay until six in the morning.", "Stay until seven in the morning."),
        (
            '{"!": [{"===": [{var: declaration.health}, contact]}]}',
            '{"===": [{var: declaration.health}, clear]}',
            "logic",
            "declaration.health ≠ “contact”",
            "declaration.health = “clear”",
        ),
        (
            "[declaration.health]",
            "[declaration.health, now]",
            "fields",
            "declaration.health",
            "declaration.health, now",
        ),
        ("about: by day", "about: at noon", "tests", "by day", "at noon"),
    ],
)
def test_each_difference_is_told(old: str, new: str, kind: str, before: str, after: str) -> None:
    [change] = changed(old, new)
    assert change.kind == kind and change.before and change.after
    assert (change.before.en, change.after.en) == (before, after)
    assert change.rule == ("" if kind in ("title", "dates") else "night.curfew")
    assert change.words.vi and change.words.en


def test_rules_that_come_go_and_move() -> None:
    policy = load_policy("validity")
    one, two, three = (rule.id for rule in policy.rules)
    assert [(c.kind, c.rule) for c in difference(policy, reordered(policy, 1, 2))] == [("removed", one)]
    assert [(c.kind, c.rule) for c in difference(reordered(policy, 0, 2), policy)] == [("added", two)]
    [moved] = difference(policy, reordered(policy, 2, 0, 1))
    assert (moved.kind, moved.rule, moved.before, moved.after) == (
        "moved",
        three,
        ("thứ 3", "number 3"),
        ("thứ 1", "number 1"),
    )
    assert [(c.kind, c.rule) for c in difference(policy, reordered(policy, 2, 0))] == [
        ("removed", two),
        ("moved", three),
    ]


def test_on_and_off() -> None:
    policy = load_policy("health")
    on, value, *added = difference(None, policy)
    assert on.kind == "new" and [c.kind for c in added] == ["added"] * len(policy.rules)
    assert (value.kind, value.words.en) == ("values", "A new value: positive_days; read by health.negative.")
    off, guard, value, *removed = difference(policy, None)
    assert guard.kind == "off" and "tested positive passes" in guard.words.en
    assert [c.kind for c in difference(load_policy("proof"), None)][:2] == ["off", "removed"]
    assert off.kind == "off" and "switched off" in off.words.en and len(removed) == len(policy.rules)
    assert value.words.en == "The value positive_days is taken away; read by health.negative."
    for rule, change in zip(policy.rules, removed, strict=True):
        assert change.rule == rule.id and change.before and rule.words and not change.after
        assert f"“{rule.words.en}”" in change.before.en and f"“{rule.words.vi}”" in change.before.vi


NAMED = SMALL.replace(
    "rules:\n",
    """\
values:
  ill: [contact]
  days: 2
  apart: {"in": [{var: declaration.health}, {var: values.ill}]}
  tired: {before: [{plusTime: [{var: now}, 0, day]}, {plusTime: [{var: now}, {var: values.days}, day]}]}
  stays: {if: [{var: values.apart}, {var: values.tired}, false]}
rules:
""",
).replace('{"===": [{var: declaration.health}, contact]}', "{var: values.stays}")
NAMED = NAMED.replace("affected: [declaration.health]", "affected: [declaration.health, now]")


def of_values(old: str, new: str) -> list[tuple[str, str, str, str]]:
    before, after = (read_policy(text) for text in (NAMED, NAMED.replace(old, new)))
    assert before.policy and after.policy, (before.findings, after.findings)
    none = Words("", "")
    return [
        (one.kind, one.words.en, (one.before or none).en, (one.after or none).en)
        for one in difference(before.policy, after.policy)
        if one.kind != "tests"
    ]


def test_values_that_change_are_told_in_words_with_the_rules_that_read_them() -> None:
    read = "; read by night.curfew."
    days = "values.days days"
    assert of_values("days: 2", "days: 3") == [("values", f"The value days changes{read}", "2", "3")]
    assert of_values("days: 2", "days: 2\n  spare: 1") == [("values", "A new value: spare.", "", "1")]
    assert of_values(
        '{"in": [{var: declaration.health}, {var: values.ill}]}', '{"===": [{var: declaration.health}, contact]}'
    ) == [
        (
            "values",
            f"The value apart changes{read}",
            "declaration.health in values.ill",
            "declaration.health = “contact”",
        )
    ]
    assert of_values("{before: [", "{not-after: [") == [
        ("values", f"The value tired changes{read}", f"now before (now + {days})", f"now not after (now + {days})")
    ]


def test_what_python_takes_for_the_same_and_no_device_does() -> None:
    logic = '{"===": [{var: declaration.health}, contact]}'
    one, true = (small(**{logic: f"{{if: [{said}, {logic}, false]}}"}) for said in ("1", "true"))
    assert one.rules[0].holds == true.rules[0].holds
    assert [change.kind for change in difference(one, true)] == ["logic"]
    one, true = (small(**{"rules:": f"values: {{sure: [{said}]}}\nrules:"}) for said in ("1", "true"))
    assert one.values == true.values and [change.kind for change in difference(one, true)] == ["values"]


def test_a_name_for_what_was_said_in_full_changes_nothing_that_is_asked() -> None:
    logic = '{"===": [{var: declaration.health}, contact]}'
    said = small(**{logic: "{var: values.apart}", "rules:": f"values:\n  apart: {logic}\nrules:"})
    value, rule = difference(small(), said)
    assert (value.kind, value.words.en) == ("values", "A new value: apart; read by night.curfew.")
    assert value.before is None and value.after and value.after.en == "declaration.health = “contact”"
    assert rule.kind == "logic" and rule.words.en.endswith("written otherwise, and is the same.")
    assert rule.after and (rule.after.vi, rule.after.en) == ("không values.apart", "not values.apart")


@given(st.permutations(range(4)), st.permutations(range(4)))
def test_what_is_said_to_move_is_as_little_as_can_be(one: list[int], other: list[int]) -> None:
    policy = load_policy("identity")
    changes = difference(reordered(policy, *one), reordered(policy, *other))
    assert {change.kind for change in changes} <= {"moved"}
    still = [n for n in other if policy.rules[n].id not in {change.rule for change in changes}]
    assert still == [n for n in one if n in still] and len(changes) < 4
    assert bool(changes) == (one != other)


@pytest.mark.parametrize(
    ("logic", "vi", "en"),
    [
        ({"var": "code.until"}, "code.until", "code.until"),
        (
            {"after": [{"plusTime": [{"var": "code.until"}, 0, "day"]}, {"plusTime": [{"var": "now"}, 0, "day"]}]},
            "code.until sau now",
            "code.until after now",
        ),
        (
            {"not-after": [{"plusTime": [{"var": "now"}, -72, "hour"]}, {"plusTime": ["2021-08-22", 1, "day"]}]},
            "(now − 72 giờ) không sau (“2021-08-22” + 1 ngày)",
            "(now − 72 hours) not after (“2021-08-22” + 1 day)",
        ),
        (
            {"and": [{"in": [{"var": "a"}, ["x", "y"]]}, {"!": [{"var": "b"}]}, True]},
            "(a thuộc [“x”, “y”]) và (không b) và đúng",
            "(a in [“x”, “y”]) and (not b) and true",
        ),
        (
            {"if": [{"if": [{"var": "a"}, False, True]}, {"<": [1, {"var": "b"}, 3]}, {"+": [1, 2]}]},
            "nếu (nếu a thì sai, không thì đúng) thì (1 < b < 3), không thì 1 + 2",
            "if (if a then false else true) then (1 < b < 3) else 1 + 2",
        ),
        ({"if": [{"var": "a"}, True, {"var": "b"}]}, "a hoặc b", "a or b"),
        (
            {"if": [{"and": [{"var": "a"}, {"var": "b"}]}, True, {"if": [{"var": "c"}, True, {"!": [{"var": "d"}]}]}]},
            "(a và b) hoặc c hoặc (không d)",
            "(a and b) or c or (not d)",
        ),
        (
            {"and": [{"if": [{"var": "a"}, {"var": "b"}, True]}, {"if": [{"var": "c"}, True, False]}]},
            "(nếu a thì b) và (c hoặc sai)",
            "(if a then b) and (c or false)",
        ),
        (
            {"if": [{"var": "a"}, {"var": "b"}, {"if": [{"var": "c"}, True, {"var": "d"}]}]},
            "nếu a thì b, không thì (c hoặc d)",
            "if a then b else (c or d)",
        ),
        (
            {"before": [{"var": "values.at"}, {"plusTime": [{"var": "a"}, {"var": "values.hours"}, "hour"]}]},
            "values.at trước (a + values.hours giờ)",
            "values.at before (a + values.hours hours)",
        ),
        (
            {"reduce": [{"var": "a"}, {"+": [{"var": "current"}, {"var": "accumulator"}]}, 0]},
            "gộp a bằng (current + accumulator) từ 0",
            "fold a with (current + accumulator) from 0",
        ),
        (
            {"===": [{"extractFromUVCI": [{"var": "c"}, 1]}, {"dccDateOfBirth": [{"var": "d"}]}]},
            "extractFromUVCI(c, 1) = dccDateOfBirth(d)",
            "extractFromUVCI(c, 1) = dccDateOfBirth(d)",
        ),
        (
            {"if": [{"!": [{"===": [{"var": "a"}, "x"]}]}, {"!": [{"!": [{"var": "b"}]}]}, {"!": [{"!": [True, 1]}]}]},
            "nếu a ≠ “x” thì (có b), không thì không (!(đúng, 1))",
            "if a ≠ “x” then (there is b) else not (!(true, 1))",
        ),
        ({"var": ""}, "tất cả", "everything"),
        ({"a": 1, "b": 2}, '{"a":1,"b":2}', '{"a":1,"b":2}'),
    ],
)
def test_logic_in_words(logic: Any, vi: str, en: str) -> None:
    assert in_words(logic) == (vi, en)


def _nested(depth: int) -> Any:
    logic: Any = True
    for _ in range(depth):
        logic = {"!": [logic]}
    return logic


@pytest.mark.parametrize(
    "logic", [_nested(2_000), {"in": [1, list(range(50_000))]}, object(), [float("nan")], {1: [2]}]
)
def test_nonsense_is_said_shortly(logic: Any) -> None:
    assert all(len(said) <= MAX_CHARS for said in in_words(logic))
