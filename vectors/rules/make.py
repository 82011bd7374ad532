"""Make ``rules.json``: expressions, good and bad, and what must become of each, by hand from the specification.

``python -m vectors.rules.make`` writes the file again. Nothing here calls the code under test. A case has either a
``value``, a ``moment`` (a date-time, in UTC), or an ``error`` (code, JSON Pointer); ``problems`` are what ``validate``
says, in order, and ``reads`` what the expression reads. Where ``data`` is absent it is null. The bombs are too large to
stand here: both sides make their own.
"""

import json
from pathlib import Path
from typing import Any

MOST = 2**53 - 1


def var(path: str) -> dict[str, Any]:
    return {"var": path}


X, Y = var("x"), var("y")
FRACTION = {"x": 0.5}


def value(about: str, expression: Any, expected: Any, data: Any = None, **more: Any) -> dict[str, Any]:
    return {"about": about, "expression": expression, "data": data, "value": expected, **more}


def moment(about: str, expression: Any, expected: str, data: Any = None) -> dict[str, Any]:
    return {"about": about, "expression": expression, "data": data, "moment": expected}


def error(about: str, expression: Any, code: str, path: str, data: Any = None, **more: Any) -> dict[str, Any]:
    """It is CertLogic, yet has no value with these data."""
    return {"about": about, "expression": expression, "data": data, "error": [f"rule.{code}", path], **more}


def never(about: str, expression: Any, code: str, path: str, data: Any = None) -> dict[str, Any]:
    """It is CertLogic, fails whatever the data, and ``validate`` says so."""
    return error(about, expression, code, path, data, problems=[[f"rule.{code}", path]])


def bad(about: str, expression: Any, *problems: tuple[str, str]) -> dict[str, Any]:
    """It is no CertLogic."""
    said = [[f"rule.{code}", path] for code, path in problems]
    return {"about": about, "expression": expression, "data": None, "error": said[0], "problems": said}


LITERALS = [
    value("true is itself", True, True),
    value("false is itself", False, False),
    value("a text is itself, with its marks", "Đà Nẵng", "Đà Nẵng"),
    value("an integer is itself", -17, -17),
    value("the largest integer of every device", MOST, MOST),
    value("1.0 is the integer 1", {"+": [1.0, 1]}, 2),
    value("an empty array is itself", [], []),
    value("each item of an array is evaluated", [1, X, [Y]], [1, 2, [None]], {"x": 2}),
    bad("null is no literal", None, ("null", "")),
    bad("a fraction is no literal", 3.14, ("not_integer", "")),
    bad("an integer beyond 2^53", MOST + 1, ("number", "")),
    bad("an integer below -2^53", [1, -MOST - 1], ("number", "/1")),
    bad("an empty object", {}, ("form", "")),
    bad("two names in one object", {"var": "x", "!": [1]}, ("form", "")),
    bad("an operation that does not exist", {"or": [True, False]}, ("operation", "/or")),
    bad("an operation without an array", {"!": True}, ("form", "/!")),
    bad("an operation with an object", {"and": {"var": "x"}}, ("form", "/and")),
    bad("a name as every object of JavaScript has it", {"constructor": [1]}, ("operation", "/constructor")),
    bad("a name with a slash and a tilde", {"a/b~c": [1]}, ("operation", "/a~1b~0c")),
    bad(
        "all that is wrong, in order",
        [None, {"?": []}, 0.5],
        ("null", "/0"),
        ("operation", "/1/?"),
        ("not_integer", "/2"),
    ),
]

VAR = [
    value("nothing under a missing name", var("a.b.c"), None, {}, reads=["a.b.c"]),
    value("nothing under null", var("a.b"), None, {"a": None}),
    value("nothing under a text", var("a.b"), None, {"a": "b"}),
    value("nothing under a truth", var("a.b"), None, {"a": True}),
    value("nothing under a number", var("a.0"), None, {"a": 12}),
    value("a name in an object", var("a.b"), 1, {"a": {"b": 1}}),
    value("a place in an array", var("a.1"), "y", {"a": ["x", "y"]}),
    value("a place with leading zeros", var("a.01"), "y", {"a": ["x", "y"]}),
    value("a place with a sign", var("a.+1"), "y", {"a": ["x", "y"]}),
    value("beyond the end of an array", var("a.2"), None, {"a": ["x", "y"]}),
    value("before the beginning of an array", var("a.-1"), None, {"a": ["x", "y"]}),
    value("far beyond the end", var("a.99999999999999999999"), None, {"a": ["x"]}),
    value("an integer is a place, never a name", var("a.0"), None, {"a": {"0": "x"}}),
    value("a letter of a text is no item", var("a.0"), None, {"a": "xyz"}),
    value("the length of an array is no field", var("a.length"), None, {"a": [1, 2]}),
    value("the length of a text is no field", var("a.length"), None, {"a": "xy"}),
    value("what only JavaScript's objects have", var("a.constructor"), None, {"a": {}}),
    value("the prototype is no field", var("__proto__.x"), None, {}),
    value("digits of another script are a name", var("a.١"), None, {"a": ["x", "y"]}),
    value("1abc is a name", var("a.1abc"), None, {"a": ["x", "y"]}),
    value("a name that begins with a digit", var("1abc"), 7, {"1abc": 7}),
    value("everything", var(""), {"x": [1]}, {"x": [1]}, reads=[""]),
    value("everything of null", var(""), None),
    value("a fraction from the data may leave", X, 0.5, FRACTION),
    error("an integer beyond 2^53 may not", X, "number", "", {"x": MOST + 1}),
    error("nor inside a structure", X, "number", "", {"x": [{"y": -MOST - 3}]}),
    bad("a path that is a number", {"var": 0}, ("form", "/var")),
    bad("a path that is null", {"var": None}, ("form", "/var")),
    bad("a path in an array", {"var": ["x"]}, ("form", "/var")),
    bad("a path that ends with a dot", var("x."), ("path", "/var")),
    bad("a path that begins with a dot", var(".x"), ("path", "/var")),
    bad("a path with two dots", var("x..y"), ("path", "/var")),
]

TRUTHS: list[tuple[str, Any, bool]] = [
    ("true", True, True),
    ("false", False, False),
    ("null", None, False),
    ("an empty text", "", False),
    ("a space", " ", True),
    ("the text 0", "0", True),
    ("the text false", "false", True),
    ("zero", 0, False),
    ("0.0", 0.0, False),
    ("1", 1, True),
    ("-1.0", -1.0, True),
    ("an integer beyond 2^53", 2**60, True),
    ("an empty array", [], False),
    ("an array of false", [False], True),
    ("an empty object", {}, False),
    ("an object of null", {"a": None}, True),
]
TRUTH = [
    *(
        value(f"if: {about}", {"if": [X, "yes", "no"]}, "yes" if true else "no", {"x": it})
        for about, it, true in TRUTHS
    ),
    *(value(f"not: {about}", {"!": [X]}, not true, {"x": it}) for about, it, true in TRUTHS),
    *(value(f"and: {about}", {"and": [True, {"!": [{"!": [X]}]}]}, true, {"x": it}) for about, it, true in TRUTHS),
    error("if: a fraction is neither", {"if": [X, 1, 2]}, "truth", "/if/0", FRACTION, reads=["x"]),
    error("not: a fraction is neither", {"!": [X]}, "truth", "/!/0", FRACTION),
    error("and: a fraction is neither", {"and": [True, X]}, "truth", "/and/1", FRACTION),
    never("if: a date-time is neither", {"if": [{"plusTime": ["2021", 0, "day"]}, 1, 2]}, "truth", "/if/0"),
    never("not: a date-time is neither", {"!": [{"dccDateOfBirth": ["2021"]}]}, "truth", "/!/0"),
]

LOGIC = [
    value(
        "the branch not taken is not evaluated", {"if": [X, {"+": [Y, 1]}, "no"]}, "no", {"y": "?"}, reads=["x", "y"]
    ),
    value("nor is the other", {"if": [True, "yes", {"in": [1, Y]}]}, "yes"),
    value("and gives the first that is false", {"and": [1, "", 0]}, ""),
    value("and gives the last", {"and": [1, "a", 3]}, 3),
    value("and stops at the first that is false", {"and": [X, {"+": [Y, 1]}]}, None, {"y": "?"}),
    value("and of many", {"and": [True] * 20 + [X]}, [1], {"x": [1]}),
    error("and goes on while it is true", {"and": [True, {"+": [Y, 1]}, False]}, "operand", "/and/1/+/0", {"y": "?"}),
    bad("if without else", {"if": [True, 1]}, ("arity", "/if")),
    bad("if with too much", {"if": [True, 1, 2, 3]}, ("arity", "/if")),
    bad("and of one", {"and": [True]}, ("arity", "/and")),
    bad("and of none", {"and": []}, ("arity", "/and")),
    bad("not of two", {"!": [True, False]}, ("arity", "/!")),
    bad("what is wrong in a branch never taken", {"if": [True, 1, {"or": [1]}]}, ("operation", "/if/2/or")),
    bad("too few, and what is wrong inside", {"if": [None]}, ("arity", "/if"), ("null", "/if/0")),
]

EQUALITY = [
    value("equal texts", {"===": [X, "a"]}, True, {"x": "a"}),
    value("a text and its number", {"===": [X, "1"]}, False, {"x": 1}),
    value("equal numbers", {"===": [X, 1]}, True, {"x": 1.0}),
    value("equal fractions", {"===": [X, Y]}, True, {"x": 0.5, "y": 0.5}),
    value("true is not 1", {"===": [X, True]}, False, {"x": 1}),
    value("false is not 0", {"===": [0, X]}, False, {"x": False}),
    value("false is not null", {"===": [X, Y]}, False, {"x": False}),
    value("null is null", {"===": [X, Y]}, True, {}, reads=["x", "y"]),
    value("composed and decomposed letters differ", {"===": [X, "\u00e0"]}, False, {"x": "a\u0300"}),
    value("a text is not an array", {"===": [X, "a"]}, False, {"x": ["a"]}),
    value("nothing is not an array", {"===": [X, Y]}, False, {"x": []}),
    value("a date-time is not a text", {"===": [{"plusTime": ["2021-01-01", 0, "day"]}, "2021-01-01"]}, False),
    error("two arrays: nobody agrees", {"===": [X, Y]}, "operand", "/===", {"x": [], "y": []}),
    error("two objects: nobody agrees", {"===": [X, X]}, "operand", "/===", {"x": {}}),
    never("two written arrays", {"===": [[1], [1]]}, "operand", "/==="),
    never(
        "two date-times", {"===": [{"plusTime": ["2021", 0, "day"]}, {"dccDateOfBirth": ["2021"]}]}, "operand", "/==="
    ),
    error("numbers too large to be told apart", {"===": [X, Y]}, "number", "/===", {"x": MOST + 1, "y": MOST + 2}),
    bad("equal of three", {"===": [1, 1, 1]}, ("arity", "/===")),
]

IN = [
    value("a text among texts", {"in": [X, ["a", "b"]]}, True, {"x": "b"}),
    value("a text not among texts", {"in": [X, ["a", "b"]]}, False, {"x": "c"}),
    value("in nothing", {"in": [X, []]}, False, {"x": "c"}),
    value("null among texts", {"in": [X, ["a"]]}, False),
    value("null among nulls", {"in": [X, Y]}, True, {"y": [1, None]}),
    value("1 is not true", {"in": [X, [True, "1"]]}, False, {"x": 1}),
    value("true is not 1", {"in": [X, [1, "true"]]}, False, {"x": True}),
    value("1.0 is 1", {"in": [X, [0, 1]]}, True, {"x": 1.0}),
    value("an array of expressions", {"in": ["b", [X, Y]]}, True, {"x": "a", "y": "b"}, reads=["x", "y"]),
    value("an array from the data", {"in": [X, Y]}, True, {"x": "b", "y": ["a", "b"]}),
    value("a structure in nothing", {"in": [X, Y]}, False, {"x": [1], "y": []}),
    value("a structure among texts", {"in": [X, Y]}, False, {"x": [1], "y": ["a", 1, None]}),
    error("a structure among structures", {"in": [X, Y]}, "operand", "/in", {"x": [1], "y": ["a", [1]]}),
    error("in null", {"in": [X, Y]}, "operand", "/in/1", {"x": "a"}),
    error("in a text", {"in": [X, Y]}, "operand", "/in/1", {"x": "a", "y": "abc"}),
    error("in an object", {"in": [X, Y]}, "operand", "/in/1", {"x": "a", "y": {"a": 1}}),
    error("a number too large among numbers", {"in": [X, [1, 2]]}, "number", "/in", {"x": 2**60}),
    never("in a written text", {"in": ["a", "abc"]}, "operand", "/in/1"),
    bad("in of one", {"in": ["a"]}, ("arity", "/in")),
]

NUMBERS = [
    value("sum", {"+": [X, -3]}, -1, {"x": 2}),
    value("sum up to the largest", {"+": [X, 1]}, MOST, {"x": MOST - 1}),
    error("sum beyond the largest", {"+": [X, 1]}, "range", "/+", {"x": MOST}),
    error("sum of a number too large", {"+": [1, X]}, "number", "/+/1", {"x": MOST + 1}),
    error("sum of a fraction", {"+": [X, 1]}, "operand", "/+/0", FRACTION),
    error("sum of null", {"+": [1, X]}, "operand", "/+/1"),
    error("sum of a truth", {"+": [X, 1]}, "operand", "/+/0", {"x": True}),
    never("sum of texts", {"+": ["a", 1]}, "operand", "/+/0"),
    bad("sum of three", {"+": [1, 2, 3]}, ("arity", "/+")),
    value("less", {"<": [X, 2]}, True, {"x": 1}),
    value("not less", {"<": [X, 2]}, False, {"x": 2}),
    value("at most", {"<=": [X, 2]}, True, {"x": 2}),
    value("more", {">": [X, 2]}, True, {"x": 3}),
    value("at least", {">=": [X, 2]}, False, {"x": 1}),
    value("between", {"<": [0, X, 2]}, True, {"x": 1}),
    value("between: not below the upper", {"<": [0, X, 2]}, False, {"x": 2}),
    value("between: not above the lower", {"<=": [0, X, 2]}, False, {"x": -1}),
    value("falling", {">=": [3, X, 2]}, True, {"x": 3}),
    value("1.0 is an integer", {">": [X, 0]}, True, {"x": 1.0}),
    error("a number as a text", {"<": [X, 2]}, "operand", "/</0", {"x": "1"}),
    error("a fraction", {">=": [2, X]}, "operand", "/>=/1", FRACTION),
    error("null", {"<": [X, 2]}, "operand", "/</0"),
    error("the third is looked at too", {"<": [3, 2, X]}, "operand", "/</2"),
    error("too large to be compared", {"<": [X, 2]}, "number", "/</0", {"x": -(2**70)}),
    never("a written text", {">": [X, "2"]}, "operand", "/>/1", {"x": 1}),
    never("a written truth", {"<=": [True, 2]}, "operand", "/<=/0"),
    never("the sum of nothing but a comparison", {"+": [{"<": [1, 2]}, 1]}, "operand", "/+/0"),
    never("date-times are not numbers", {"<": [{"plusTime": ["2021", 0, "day"]}, 1]}, "operand", "/</0"),
    bad("one operand", {"<": [1]}, ("arity", "/<")),
    bad("four operands", {">=": [4, 3, 2, 1]}, ("arity", "/>=")),
]


def at(text: str, amount: int = 0, unit: str = "day") -> dict[str, Any]:
    return {"plusTime": [text, amount, unit]}


READ = [
    ("2021", "2021-12-31T00:00:00.000Z"),
    ("2021-02", "2021-02-28T00:00:00.000Z"),
    ("2024-02", "2024-02-29T00:00:00.000Z"),
    ("1900-02", "1900-02-28T00:00:00.000Z"),
    ("2021-12", "2021-12-31T00:00:00.000Z"),
    ("2021-08-20", "2021-08-20T00:00:00.000Z"),
    ("0001-01-01", "0001-01-01T00:00:00.000Z"),
    ("0099-03-01", "0099-03-01T00:00:00.000Z"),
    ("9999-12-31", "9999-12-31T00:00:00.000Z"),
    ("2024-02-29", "2024-02-29T00:00:00.000Z"),
    ("2021-08-20T12:03:12", "2021-08-20T12:03:12.000Z"),
    ("2021-08-20T12:03:12Z", "2021-08-20T12:03:12.000Z"),
    ("2021-08-20T12:03:12+7", "2021-08-20T05:03:12.000Z"),
    ("2021-08-20T12:03:12+07", "2021-08-20T05:03:12.000Z"),
    ("2021-08-20T12:03:12-130", "2021-08-20T13:33:12.000Z"),
    ("2021-08-20T12:03:12+0730", "2021-08-20T04:33:12.000Z"),
    ("2021-08-20T12:03:12+7:30", "2021-08-20T04:33:12.000Z"),
    ("2021-08-20T12:03:12-07:00", "2021-08-20T19:03:12.000Z"),
    ("2021-08-20T12:03:12-00:00", "2021-08-20T12:03:12.000Z"),
    ("2021-01-01T00:00:00+14:00", "2020-12-31T10:00:00.000Z"),
    ("2021-08-20T12:03:12.1", "2021-08-20T12:03:12.100Z"),
    ("2021-08-20T12:03:12.01Z", "2021-08-20T12:03:12.010Z"),
    ("2021-08-20T12:03:12.1239999Z", "2021-08-20T12:03:12.123Z"),
    ("2021-08-20T12:03:12.5+07", "2021-08-20T05:03:12.500Z"),
    ("2021-08-20T23:59:59.999999999-0100", "2021-08-21T00:59:59.999Z"),
]
UNREAD = [
    ("", "an empty text"),
    ("hôm qua", "words"),
    ("21-08-20", "a year of two digits"),
    ("12021-08-20", "a year of five digits"),
    ("-2021", "a year below zero"),
    ("0000-01-01", "the year zero"),
    ("2021-13", "a thirteenth month"),
    ("2021-00", "a month zero"),
    ("2021-00-10", "a day of the month zero"),
    ("2021-09-99", "a day 99"),
    ("2021-02-29", "a leap day of a common year"),
    ("2100-02-29", "a leap day of a century"),
    ("2021-04-31", "the 31st of April"),
    ("2021-8-2", "no leading zeros"),
    ("2021/08/20", "slashes"),
    ("20210820", "no dashes"),
    ("2021-W33-5", "a week"),
    ("2021-08-20T", "a T and no time"),
    ("2021-08-20T12:03", "no seconds"),
    ("2021-08-20 12:03:12", "a space for the T"),
    ("2021-08-20t12:03:12z", "small letters"),
    ("2021-08-20T24:00:00", "the hour 24"),
    ("2021-08-20T12:60:00", "a minute 60"),
    ("2021-12-31T23:59:60Z", "a leap second"),
    ("2021-08-20T12:03:12.Z", "a point and no fraction"),
    ("2021-08-20T12:03:12,5Z", "a comma"),
    ("2021-08-20T12:03:12+07:", "a colon and no minutes"),
    ("2021-08-20T12:03:12+24:00", "an offset of a day"),
    ("2021-08-20T12:03:12+07:60", "an offset of sixty minutes"),
    ("2021-08-20T12:03:12+", "a sign and no offset"),
    ("0001-01-01T00:00:00+01:00", "before the year 1 in UTC"),
    ("9999-12-31T23:59:59-01:00", "after the year 9999 in UTC"),
    (" 2021-08-20", "a space before"),
    ("2021-08-20\n", "a line end after"),
    ("２０２１-08-20", "full-width digits"),
    ("2021-08-20T12:03:12." + "1" * 60 + "Z", "more characters than are read"),
]
MOVED: list[tuple[str, int, str, str]] = [
    ("2020-02-29", 1, "day", "2020-03-01"),
    ("2020-02-29", 1, "month", "2020-03-29"),
    ("2020-02-29", 1, "year", "2021-03-01"),
    ("2020-02-29", -1, "year", "2019-03-01"),
    ("2020-02-29", 4, "year", "2024-02-29"),
    ("2004-02-29", 18, "year", "2022-03-01"),
    ("2021-01-31", 1, "month", "2021-03-03"),
    ("2020-01-31", 1, "month", "2020-03-02"),
    ("2021-03-31", -1, "month", "2021-03-03"),
    ("2021-12-31", 2, "month", "2022-03-03"),
    ("2021-01-15", -1, "month", "2020-12-15"),
    ("2021-01-15", -25, "month", "2018-12-15"),
    ("2021-08-20", 365, "day", "2022-08-20"),
    ("2021-08-20", -180, "day", "2021-02-21"),
    ("2021-02", 1, "day", "2021-03-01"),
    ("2021", 1, "month", "2022-01-31"),
    ("2021", 1, "year", "2022-12-31"),
    ("2021-08-20", 72, "hour", "2021-08-23"),
    ("2021-08-20", -24, "hour", "2021-08-19"),
    ("9999-12-30", 1, "day", "9999-12-31"),
    ("9998-12-15", 1, "month", "9999-01-15"),
    ("9998-12-15", 1, "year", "9999-12-15"),
    ("0002-02-28", -12, "month", "0001-02-28"),
]
BEYOND = [("9999-12-31", 1, "day"), ("9999-12-31", 24, "hour"), ("9999-11-30", 2, "month"), ("2021", 7979, "year")]
BEYOND += [("0001-01-01", -1, unit) for unit in ("day", "hour", "month", "year")]
BEYOND += [("2021", amount, unit) for amount in (MOST, -MOST) for unit in ("day", "hour", "month", "year")]

DATES = [
    *(moment(f"read {text}", {"plusTime": [X, 0, "hour"]}, instant, {"x": text}) for text, instant in READ),
    *(
        error(f"not read: {why}", {"plusTime": [X, 0, "day"]}, "date", "/plusTime/0", {"x": text})
        for text, why in UNREAD
    ),
    *(
        moment(f"{text} {amount:+} {unit}", {"plusTime": [X, amount, unit]}, f"{day}T00:00:00.000Z", {"x": text})
        for text, amount, unit, day in MOVED
    ),
    *(
        error(
            f"beyond the calendar: {text} {amount:+} {unit}",
            {"plusTime": [X, amount, unit]},
            "range",
            "/plusTime",
            {"x": text},
        )
        for text, amount, unit in BEYOND
    ),
    moment("an hour over midnight", at("2021-08-20T23:30:00.25Z", 1, "hour"), "2021-08-21T00:30:00.250Z"),
    never("a written date that does not exist", at("2021-02-30"), "date", "/plusTime/0"),
    error("an amount beyond the calendar", at("2021", 10**6, "year"), "range", "/plusTime"),
    error("a number for a date", {"plusTime": [X, 0, "day"]}, "operand", "/plusTime/0", {"x": 2021}, reads=["x"]),
    error("nothing for a date", {"plusTime": [X, 0, "day"]}, "operand", "/plusTime/0"),
    never("a date-time for a date", {"plusTime": [at("2021"), 0, "day"]}, "operand", "/plusTime/0"),
    never("a written number for a date", {"plusTime": [2021, 0, "day"]}, "operand", "/plusTime/0"),
    bad("an amount that is a text", at("2021", "1"), ("argument", "/plusTime/1")),  # type: ignore[arg-type]
    bad("an amount that is computed", at("2021", X), ("argument", "/plusTime/1")),  # type: ignore[arg-type]
    bad("half a day", at("2021", 0.5), ("argument", "/plusTime/1")),  # type: ignore[arg-type]
    bad("an amount beyond 2^53", at("2021", MOST + 1), ("argument", "/plusTime/1")),
    bad("a unit that does not exist", at("2021", 1, "week"), ("argument", "/plusTime/2")),
    bad("units in the plural, no unit", {"plusTime": ["2021", 1, "days"]}, ("argument", "/plusTime/2")),
    bad("no unit", {"plusTime": ["2021", 1]}, ("arity", "/plusTime")),
    bad("no amount, null for a date", {"plusTime": [None]}, ("arity", "/plusTime"), ("null", "/plusTime/0")),
]

COMPARED = [
    value("after", {"after": [at("2021-08-21"), at("2021-08-20")]}, True),
    value("not after itself", {"after": [at("2021-08-20"), at("2021-08-20T00:00:00Z")]}, False),
    value("before", {"before": [at("2021-08-20"), at("2021-08-21")]}, True),
    value("not-after itself", {"not-after": [at("2021-08-20"), at("2021-08-20")]}, True),
    value("not-before itself", {"not-before": [at("2021-08-20"), at("2021-08-20")]}, True),
    value(
        "instants, not the clock on the wall",
        {"after": [at("2021-08-20T05:00:00-07:00"), at("2021-08-20T11:59:59Z")]},
        True,
    ),
    value(
        "the same instant elsewhere", {"before": [at("2021-08-20T12:00:00+07:00"), at("2021-08-20T05:00:00Z")]}, False
    ),
    value("a millisecond counts", {"before": [at("2021-08-20T12:00:00"), at("2021-08-20T12:00:00.001")]}, True),
    value(
        "less than a millisecond does not",
        {"before": [at("2021-08-20T12:00:00"), at("2021-08-20T12:00:00.0009")]},
        False,
    ),
    value(
        "between",
        {"not-after": [at("2021-08-01"), {"plusTime": [X, 0, "day"]}, at("2021-08-31")]},
        True,
        {"x": "2021-08-31"},
    ),
    value(
        "after the upper",
        {"not-after": [at("2021-08-01"), {"plusTime": [X, 0, "day"]}, at("2021-08-31")]},
        False,
        {"x": "2021-09"},
    ),
    value("falling", {"after": [at("2023"), at("2022"), at("2021")]}, True),
    value("falling, but for the last", {"not-before": [at("2023"), at("2022"), at("2023")]}, False),
    error("a text is no date-time", {"after": [X, at("2021")]}, "operand", "/after/0", {"x": "2021-08-20"}),
    error("nor is null", {"before": [at("2021"), X]}, "operand", "/before/1"),
    error("the third is looked at too", {"before": [at("2022"), at("2021"), X]}, "operand", "/before/2", {"x": 1}),
    never("a written text", {"not-before": [at("2021"), "2021"]}, "operand", "/not-before/1"),
    never("integers", {"after": [2, 1]}, "operand", "/after/0")
    | {"problems": [["rule.operand", f"/after/{n}"] for n in (0, 1)]},
    bad("one operand", {"after": [at("2021")]}, ("arity", "/after")),
    bad("four operands", {"before": [at("2021")] * 4}, ("arity", "/before")),
]

BORN = [
    *(
        moment(f"born {text}", {"dccDateOfBirth": [X]}, instant, {"x": text})
        for text, instant in READ
        if len(text) <= 10
    ),
    error("a time of birth", {"dccDateOfBirth": [X]}, "date", "/dccDateOfBirth/0", {"x": "2021-08-20T12:03:12Z"}),
    error("an impossible birthday", {"dccDateOfBirth": [X]}, "date", "/dccDateOfBirth/0", {"x": "1987-02-29"}),
    error("no birthday", {"dccDateOfBirth": [X]}, "operand", "/dccDateOfBirth/0", reads=["x"]),
    never("a written impossible birthday", {"dccDateOfBirth": ["1987-02-29"]}, "date", "/dccDateOfBirth/0"),
    never("a number", {"dccDateOfBirth": [1987]}, "operand", "/dccDateOfBirth/0"),
    bad("two birthdays", {"dccDateOfBirth": ["1987", "1988"]}, ("arity", "/dccDateOfBirth")),
]

UCI = "URN:UVCI:01:VN:187/37512422923#B"
EXTRACT = [
    *(
        value(f"fragment {index}", {"extractFromUVCI": [X, index]}, found, {"x": UCI})
        for index, found in [(-1, None), (0, "01"), (1, "VN"), (2, "187"), (3, "37512422923"), (4, "B"), (5, None)]
    ),
    value("without the prefix", {"extractFromUVCI": [X, 1]}, "b", {"x": "a:b"}),
    value("the prefix counts only at the beginning", {"extractFromUVCI": [X, 1]}, "URN", {"x": "a:URN:UVCI:b"}),
    value("the prefix in small letters is none", {"extractFromUVCI": [X, 0]}, "urn", {"x": "urn:uvci:b"}),
    value("every separator counts", {"extractFromUVCI": [X, 4]}, "", {"x": "a::c/#/f"}),
    value("of an empty text", {"extractFromUVCI": [X, 0]}, "", {"x": ""}),
    value("of nothing", {"extractFromUVCI": [X, 0]}, None, reads=["x"]),
    value("beyond any fragment", {"extractFromUVCI": [X, MOST]}, None, {"x": "a:b"}),
    error("of a number", {"extractFromUVCI": [X, 0]}, "operand", "/extractFromUVCI/0", {"x": 1}),
    error(
        "of more than anybody issues", {"extractFromUVCI": [X, 0]}, "budget", "/extractFromUVCI/0", {"x": "a" * 1001}
    ),
    value("of as much as is read", {"extractFromUVCI": [X, 1]}, None, {"x": "😀" * 1000}),
    never("of a written array", {"extractFromUVCI": [["a"], 0]}, "operand", "/extractFromUVCI/0"),
    bad("an index that is a text", {"extractFromUVCI": ["a", "0"]}, ("argument", "/extractFromUVCI/1")),
    bad("an index that is computed", {"extractFromUVCI": ["a", X]}, ("argument", "/extractFromUVCI/1")),
    bad("no index", {"extractFromUVCI": ["a"]}, ("arity", "/extractFromUVCI")),
]

CURRENT, SO_FAR = var("current"), var("accumulator")
SUM = {"+": [SO_FAR, CURRENT]}
ON = {"reduce": [CURRENT, SUM, SO_FAR]}
FRESH = {"+": [SO_FAR, {"reduce": [CURRENT, SUM, 0]}]}
FIRST = {"if": [{"!": [SO_FAR]}, CURRENT, SO_FAR]}
MOMENT = {"plusTime": [CURRENT, 0, "day"]}
OUTSIDE = [["rule.lambda", "/reduce/1/var"]]
REDUCE = [
    value("a sum", {"reduce": [X, SUM, 0]}, 10, {"x": [1, 2, 3, 4]}, reads=["x"]),
    value("of nothing", {"reduce": [X, SUM, Y]}, 7, {"y": 7}, reads=["x", "y"]),
    value("of an empty array", {"reduce": [X, SUM, "none"]}, "none", {"x": []}),
    value("the last", {"reduce": [X, CURRENT, 0]}, "c", {"x": ["a", "b", "c"]}),
    value("the order of the items", {"reduce": [X, [SO_FAR, CURRENT], 0]}, [[0, "a"], "b"], {"x": ["a", "b"]}),
    value("fields of items", {"reduce": [X, {"+": [SO_FAR, var("current.n")]}, 0]}, 5, {"x": [{"n": 2}, {"n": 3}]}),
    value("an array of expressions", {"reduce": [[X, Y], SUM, 0]}, 3, {"x": 1, "y": 2}, reads=["x", "y"]),
    value("one that goes on where the other is", {"reduce": [X, ON, 0]}, 6, {"x": [[1, 2], [3]]}),
    value("one over the items of another", {"reduce": [X, FRESH, 0]}, 10, {"x": [[1, 2], [3, 4]]}),
    value("the first that is true", {"reduce": [X, FIRST, 0]}, "a", {"x": ["a", "b"]}),
    moment(
        "a date-time at the end", {"reduce": [X, MOMENT, 0]}, "2021-08-21T00:00:00.000Z", {"x": ["2020", "2021-08-21"]}
    ),
    value("the data outside is out of sight", {"reduce": [X, var("y"), 0]}, None, {"x": [1], "y": 1}, problems=OUTSIDE),
    value("all that is inside", {"reduce": [X, {"!": [var("")]}, 0]}, False, {"x": [1]}),
    error("a text", {"reduce": [X, SUM, 0]}, "operand", "/reduce/0", {"x": "abc"}),
    error("an object", {"reduce": [X, SUM, 0]}, "operand", "/reduce/0", {"x": {"0": 1}}),
    error("an item of the wrong type", {"reduce": [X, SUM, 0]}, "operand", "/reduce/1/+/1", {"x": [1, "2"]}),
    error("a structure deeper than can leave", {"reduce": [X, [SO_FAR], 0]}, "budget", "", {"x": [0] * 70}),
    never("a written text", {"reduce": ["abc", SUM, 0]}, "operand", "/reduce/0"),
    bad("no initial value", {"reduce": [X, SUM]}, ("arity", "/reduce")),
    bad("what is wrong in the function", {"reduce": [X, {"-": [1]}, 0]}, ("operation", "/reduce/1/-")),
]

GROUPS = {
    "literals": LITERALS,
    "var": VAR,
    "truth": TRUTH,
    "logic": LOGIC,
    "===": EQUALITY,
    "in": IN,
    "numbers": NUMBERS,
    "plusTime": DATES,
    "date-times": COMPARED,
    "dccDateOfBirth": BORN,
    "extractFromUVCI": EXTRACT,
    "reduce": REDUCE,
}


def vectors() -> list[dict[str, Any]]:
    return [{**case, "about": f"{group}: {case['about']}"} for group, cases in GROUPS.items() for case in cases]


if __name__ == "__main__":
    lines = ",\n".join(json.dumps(case, ensure_ascii=False) for case in vectors())
    head = '"specification": "CertLogic 1.3.3"'
    Path(__file__).with_name("rules.json").write_text(f'{{{head}, "cases": [\n{lines}\n]}}\n', "utf-8")
