"""The server and the officer's device give one answer to one rule, also to nonsense: value, or what is wrong where."""

import datetime as dt
import json
import math
import os
from collections import Counter
from typing import Any

import hypothesis
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from motma.core.rules import RuleError, evaluate, reads, validate
from tests.core.rule_makers import DATA, EXPRESSIONS, NONSENSE
from tests.core.rules_in_node import answers

PAIRS = int(os.environ.get("MOTMA_SAME_RULES", "400"))
SEED = int(os.environ.get("MOTMA_SAME_SEED", "20210822"))
_PAIRS = st.one_of(st.tuples(EXPRESSIONS, DATA), st.tuples(NONSENSE, DATA), st.tuples(EXPRESSIONS, NONSENSE))


def ours(expression: Any, data: Any) -> dict[str, Any]:
    said: dict[str, Any] = {}
    try:
        value = evaluate(expression, data)
        if isinstance(value, dt.datetime):
            said["moment"] = value.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        else:
            said["value"] = value
    except RuleError as refused:
        said["error"] = [refused.code, refused.path]
    said["problems"] = [[problem.code, problem.path] for problem in validate(expression)]
    try:
        said["reads"] = sorted(reads(expression))
    except RuleError as refused:
        said["reads"] = refused.code
    return said


def told(value: Any) -> Any:
    """As JSON of JavaScript tells it: one kind of number, date-times inside structures as texts, no infinity."""
    if isinstance(value, dict):
        return {name: told(item) for name, item in value.items()}
    if isinstance(value, list):
        return [told(item) for item in value]
    if isinstance(value, dt.datetime):
        return value.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return int(value)
    return value


def sendable(value: Any) -> bool:
    """JSON has no NaN and no infinity, and 1e999 is not what Python writes."""
    try:
        json.dumps(value, allow_nan=False)
    except ValueError:
        return False
    return True


def drawn(count: int, seed: int) -> list[tuple[Any, Any]]:
    """That many pairs of an expression and data."""
    pairs: list[tuple[Any, Any]] = []

    @given(_PAIRS.filter(sendable))
    @settings(max_examples=count, deadline=None, database=None, phases=[Phase.generate])
    @hypothesis.seed(seed)
    def draw(pair: tuple[Any, Any]) -> None:
        pairs.append(pair)

    draw()
    return pairs


def test_both_say_the_same_of_random_rules() -> None:
    pairs = drawn(PAIRS, SEED)
    theirs = answers([{"expression": one, "data": data, "whole": True} for one, data in pairs])
    seen = Counter[str]()
    for (expression, data), device in zip(pairs, theirs, strict=True):
        server = told(ours(expression, data))
        assert json.dumps(server, sort_keys=True) == json.dumps(told(device), sort_keys=True), (expression, data)
        seen[server.get("error", ["fine"])[0]] += 1
    assert len(pairs) >= PAIRS and seen["fine"] > PAIRS / 10
    assert {"rule.operand", "rule.arity", "rule.date", "rule.null"} <= set(seen)


def test_both_say_the_same_of_every_date() -> None:
    """A year of days, by every unit, a step at a time and by leaps."""
    texts = [(dt.date(2023, 12, 1) + dt.timedelta(days=day)).isoformat() for day in range(0, 460, 3)]
    moved = [
        {"expression": {"plusTime": [text, amount, unit]}, "data": None}
        for text in texts
        for amount in (-49, -1, 1, 11, 1200)
        for unit in ("year", "month", "day", "hour")
    ]
    theirs = answers(moved)
    assert len(theirs) == len(moved) > 2_000
    for asked, device in zip(moved, theirs, strict=True):
        assert ours(asked["expression"], None)["moment"] == device["moment"], asked


def test_infinity_is_a_number_to_both() -> None:
    theirs = answers([{"expression": {"!": [{"var": "x"}]}, "data": {"x": 10**400}}])
    assert theirs == [{"value": evaluate({"!": [{"var": "x"}]}, {"x": math.inf})}]
