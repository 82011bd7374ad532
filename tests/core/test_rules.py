"""CertLogic: the vectors that both devices answer alike, bombs, what is no JSON, and what a rule reads."""

import datetime as dt
import json
import math
import re
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings

from motma.core.errors import MotmaError
from motma.core.rules import (
    BUDGET,
    MAX_DEPTH,
    MAX_PROBLEMS,
    MAX_SIZE,
    RuleError,
    compile,
    compile_truth,
    evaluate,
    reads,
    validate,
)
from motma.core.rules.compiled import MAX_UCI
from motma.core.rules.form import ARITY
from motma.core.rules.problems import WORDS
from tests.core.rule_makers import DATA, EXPRESSIONS, NONSENSE, only
from vectors.rules import make

FILE = Path(make.__file__).with_name("rules.json")
CASES = json.loads(FILE.read_text("utf-8"))["cases"]
X = {"var": "x"}
SUM = {"+": [{"var": "current"}, {"var": "accumulator"}]}


def became(expression: Any, data: Any) -> dict[str, Any]:
    """What becomes of an expression, in the words of the vectors."""
    try:
        value = evaluate(expression, data)
    except RuleError as wrong:
        assert wrong.words.vi and wrong.words.en and wrong.path in str(wrong)
        return {"error": [wrong.code, wrong.path]}
    if isinstance(value, dt.datetime):
        return {"moment": value.isoformat(timespec="milliseconds").replace("+00:00", "Z")}
    return {"value": value}


def said(expression: Any) -> list[list[str]]:
    return [[problem.code, problem.path] for problem in validate(expression)]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["about"])
def test_vector(case: dict[str, Any]) -> None:
    expected = {name: case[name] for name in ("value", "moment", "error") if name in case}
    # As texts, since to Python 1 is True.
    assert json.dumps(became(case["expression"], case["data"])) == json.dumps(expected)
    assert said(case["expression"]) == case.get("problems", [])
    if "reads" in case:
        assert sorted(reads(case["expression"])) == case["reads"]


def test_the_vectors_are_as_they_were_made_and_cover_every_code() -> None:
    assert make.vectors() == CASES
    assert len(CASES) >= 150
    told = {code for case in CASES for code, _ in [case.get("error", ["", ""]), *case.get("problems", [])]}
    # No JSON is not to be had from JSON; what is too deep or too large both sides make themselves.
    assert set(WORDS) - told == {"rule.not_json", "rule.data", "rule.too_deep", "rule.too_large"}


def test_the_document_names_every_code_and_limit() -> None:
    page = (FILE.parents[2] / "docs" / "rules.md").read_text("utf-8")
    assert set(re.findall(r"`(rule\.\w+)`", page)) == set(WORDS)
    table = page[page.index("## Operations") : page.index("**True and false.**")]
    first = " ".join(re.findall(r"^\| (`.+?) \|", table, re.MULTILINE))
    assert set(re.findall(r"`([^`]+)`", first)) == {"var", *ARITY}
    limits = [MAX_DEPTH, MAX_SIZE, MAX_PROBLEMS, MAX_UCI, BUDGET, len(CASES), 2**53 - 1]
    assert [limit for limit in limits if f"{limit:,}" not in page] == []


def nested(depth: int, inner: Any = True) -> Any:
    for _ in range(depth):
        inner = {"!": [inner]}
    return inner


def test_sixty_four_levels_are_enough() -> None:
    assert evaluate(nested(MAX_DEPTH), None) is True
    path = "/!/0" * MAX_DEPTH
    assert became(nested(MAX_DEPTH + 1), None) == {"error": ["rule.too_deep", path]}
    assert said(nested(5_000)) == [["rule.too_deep", path]]
    circle: list[Any] = []
    circle.append(circle)
    assert said(circle) == [["rule.too_deep", "/0" * MAX_DEPTH]]


def test_ten_thousand_parts_are_enough() -> None:
    def of(count: int) -> Any:
        return {"in": ["x", [str(at) for at in range(count)]]}

    assert evaluate(of(MAX_SIZE - 3), None) is False
    assert became(of(MAX_SIZE - 2), None) == {"error": ["rule.too_large", "/in/1/9997"]}
    assert said(of(1_000_000)) == [["rule.too_large", "/in/1/9997"]]
    assert said({"var": "a." * MAX_SIZE}) == [["rule.too_large", "/var"]]
    doubled: Any = True
    for _ in range(60):
        doubled = [doubled, doubled]
    assert said(doubled)[0][0] == "rule.too_large"
    assert len(said([None] * 1_000)) == MAX_PROBLEMS


def test_a_million_items_are_not_gone_through() -> None:
    data = {"x": [1] * 1_000_000}
    started = time.process_time()
    assert became({"reduce": [X, SUM, 0]}, data) == {"error": ["rule.budget", "/reduce"]}
    assert became({"in": ["a", X]}, data) == {"error": ["rule.budget", "/in"]}
    assert became(X, data) == {"error": ["rule.budget", ""]}
    assert time.process_time() - started < 0.1
    assert evaluate({"!": [X]}, data) is False
    assert evaluate({"reduce": [X, SUM, 0]}, {"x": [1] * (BUDGET // 3)}) == BUDGET // 3
    assert became({"reduce": [X, SUM, 0]}, {"x": [1] * (BUDGET // 3 + 1)}) == {"error": ["rule.budget", "/reduce"]}


def test_the_dearest_evaluations_end_soon() -> None:
    """Loops inside loops, the longest texts: nothing runs for longer than a second, whatever it is asked."""
    every: Any = {"plusTime": [{"var": "current"}, 1, "month"]}
    inner = {"reduce": [{"var": "current"}, SUM, 0]}
    for expression, item in (
        ({"reduce": [X, every, 0]}, "2021-08-20T12:03:12." + "1" * 40 + "+07:00"),
        ({"reduce": [X, {"extractFromUVCI": [{"var": "current"}, 400]}, 0]}, ":" * 1_000),
        ({"reduce": [X, {"in": [{"var": "current"}, ["a"] * 20]}, 0]}, ["a"] * 10),
        ({"reduce": [X, {"+": [inner, {"var": "accumulator"}]}, 0]}, [1] * 300),
        ({"reduce": [X, {"reduce": [{"var": "accumulator"}, SUM, 0]}, 0]}, 1),
    ):
        for count in (20, 200, 3_000, 25_000):
            started = time.process_time()
            became(expression, {"x": [item] * count})
            assert time.process_time() - started < 1


def test_a_tree_that_doubles_with_every_item_cannot_leave() -> None:
    twice = {"reduce": [X, [{"var": "accumulator"}, {"var": "accumulator"}], 0]}
    assert became(twice, {"x": [0] * 60}) == {"error": ["rule.budget", ""]}


@pytest.mark.parametrize(
    "odd",
    [math.nan, {1, 2}, b"x", 1 + 2j, dt.date(2021, 8, 20), dt.datetime(2021, 8, 20), (1, 2), object(), ...],  # noqa: DTZ001
    ids=lambda odd: type(odd).__name__,
)
def test_what_is_no_json_has_no_value(odd: Any) -> None:
    assert said(odd) == [["rule.not_json", ""]]
    assert said({"!": [odd]}) == [["rule.not_json", "/!/0"]]
    assert became(X, {"x": odd}) == {"error": ["rule.data", ""]}
    assert became([[X]], {"x": odd}) == {"error": ["rule.data", ""]}
    assert became({"!": [X]}, {"x": odd}) == {"error": ["rule.truth", "/!/0"]}
    assert became({"+": [1, X]}, {"x": odd}) == {"error": ["rule.operand", "/+/1"]}
    assert became({"after": [{"plusTime": ["2021", 0, "day"]}, X]}, {"x": odd}) == {
        "error": ["rule.operand", "/after/1"]
    }
    assert became({"plusTime": [X, 0, "day"]}, {"x": odd}) == {"error": ["rule.operand", "/plusTime/0"]}
    if not isinstance(odd, float):
        assert became({"var": "x.y"}, {"x": odd}) == {"error": ["rule.data", "/var"]}


def test_names_that_are_no_texts_are_no_json() -> None:
    assert said({1: [True]}) == [["rule.not_json", ""]]
    assert became(X, {"x": {1: 2}}) == {"error": ["rule.data", ""]}
    assert said({"plusTime": ["2021", True, ["day"]]}) == [
        ["rule.argument", "/plusTime/1"],
        ["rule.argument", "/plusTime/2"],
    ]


def test_numbers_of_any_size() -> None:
    for huge in (10**400, -(10**400), math.inf, -math.inf, 1e300):
        assert said(huge) == [["rule.number", ""]]
        assert became(X, {"x": huge}) == {"error": ["rule.number", ""]}
        assert became({"<": [1, X]}, {"x": huge}) == {"error": ["rule.number", "/</1"]}
        assert became({"===": [X, 1]}, {"x": huge}) == {"error": ["rule.number", "/==="]}
        assert evaluate({"!": [X]}, {"x": huge}) is False


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["about"])
def test_whether_it_is_true_is_what_if_says(case: dict[str, Any]) -> None:
    expression, data = case["expression"], case.get("data")
    try:
        wanted: Any = evaluate({"if": [expression, True, False]}, data)
    except RuleError as wrong:
        wanted = wrong.code
    try:
        found: Any = compile_truth(expression)(data)
    except RuleError as wrong:
        found = wrong.code
    assert found == wanted or wanted == "rule.too_deep"  # by the one level that asking adds


@pytest.mark.parametrize(
    ("expression", "data"),
    [
        ({"in": [{"var": "one"}, {"var": "many"}]}, {"one": 1, "many": list(range(BUDGET - 1))}),
        ({"in": [{"var": "one"}, [{"var": "one"}, 2]]}, {"one": 1}),
        (
            {"!": [{"reduce": [{"var": "many"}, {"+": [{"var": "accumulator"}, 1]}, 0]}]},
            {"many": [1] * (BUDGET // 4)},
        ),
        ({"var": "many"}, {"many": [[0] * 9] * 9}),
    ],
)
def test_whether_it_is_true_costs_the_next_one_nothing(expression: Any, data: Any) -> None:
    asked = compile_truth(expression)
    first = asked(data)
    assert first is evaluate({"if": [expression, True, False]}, data)
    assert all(asked(data) is first for _ in range(60))
    for _ in range(BUDGET if "in" in expression and len(data) == 1 else 0):
        asked(data)  # what was spent does not add up


def test_compiled_once_it_keeps_nothing() -> None:
    allowed = ["a", "b", 5]
    expression = {"if": [{"in": [X, allowed]}, {"reduce": [{"var": "y"}, SUM, 0]}, [allowed]]}
    run = compile(expression)
    allowed.clear()
    expression.clear()
    for _ in range(10):
        assert run({"x": "a", "y": [1] * 20_000}) == 20_000
        assert run({"x": "c"}) == [["a", "b", 5]]
    run({"x": "c"}).append("spoilt")
    assert run({"x": "c"}) == [["a", "b", 5]]
    assert run({"x": 5, "y": [1]}) == 1


def test_errors_are_of_the_house() -> None:
    with pytest.raises(MotmaError) as caught:
        evaluate({"if": [True, {"<": [X, 1]}, False]}, {})
    assert (caught.value.code, str(caught.value)) == ("rule.operand", "rule.operand at /if/1/</0")
    with pytest.raises(RuleError, match="at the root"):
        compile(None)
    with pytest.raises(RuleError) as refused:
        reads({"or": [1]})
    assert refused.value.path == "/or"


# -- properties --------------------------------------------------------------------------------------------------------


@given(EXPRESSIONS, DATA)
@settings(max_examples=400, deadline=None)
def test_what_is_not_read_does_not_matter(expression: Any, data: Any) -> None:
    """Everything but what the rule says it reads is taken away, and nothing changes."""
    assert became(expression, only(data, reads(expression))) == became(expression, data)


@given(EXPRESSIONS, DATA)
@settings(max_examples=400, deadline=None)
def test_a_sound_expression_compiles_and_what_never_works_never_does(expression: Any, data: Any) -> None:
    problems = [[problem.code, problem.path] for problem in validate(expression)]
    got = became(expression, data)
    assert problems == sorted(problems, key=problems.index)
    if not problems:
        # What validate let pass may still fail for the data, but never for its form.
        assert got.get("error", ["rule.operand"])[0] not in {
            "rule.arity",
            "rule.form",
            "rule.operation",
            "rule.argument",
        }
    if got.get("error") and any(path == got["error"][1] for _, path in problems):
        assert got["error"] in problems


@given(NONSENSE, NONSENSE)
@settings(max_examples=400, deadline=None)
def test_nonsense_ends_in_an_error_of_ours(expression: Any, data: Any) -> None:
    got = became(expression, data)
    problems = said(expression)
    if got.get("error") and not problems:
        assert got["error"][0] in WORDS
    if problems and problems[0][0] in {"rule.form", "rule.operation", "rule.null"}:
        assert "error" in got
