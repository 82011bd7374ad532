"""An expression made into closures once, so that it costs little to ask it of the next person, and the next.

Each closure takes the data and what is left of the budget. Python's own notion of truth is CertLogic's for everything
that has one: false, null, "", 0, [] and {} are false.
"""

import datetime as dt
import operator
from collections.abc import Callable, Iterator
from math import isinf
from typing import Any

from motma.core.rules.dates import date_of_birth, later, length, moment
from motma.core.rules.form import DATE_COMPARISONS, MAX_DEPTH, MAX_INTEGER, check, is_integer
from motma.core.rules.paths import fragments
from motma.core.rules.problems import RuleError, below

BUDGET = 100_000
"""What one evaluation may cost in steps: reducing an array costs its length times the size of the function, looking
into an array its length, giving back a structure its values. The size of the expression bounds everything else."""
MAX_UCI = 1_000
"""Characters of a certificate identifier. Annex 2 has at most 72."""

_Left = list[int]
_Run = Callable[[Any, _Left], Any]
_Compare = Callable[[Any, Any], Any]

_Moment, _UTC = dt.datetime, dt.UTC
_PLAIN = frozenset({bool, str, int, list, dict, type(None)})
"""Types whose values are either true or false, as in Python."""
_SCALARS = frozenset({bool, str, type(None)})
_ORDER: dict[str, _Compare] = {
    "<": operator.lt,
    ">": operator.gt,
    "<=": operator.le,
    ">=": operator.ge,
    "before": operator.lt,
    "after": operator.gt,
    "not-after": operator.le,
    "not-before": operator.ge,
}
_TRUTHS = frozenset({"!", "===", "in", *_ORDER})
"""Operations that give true or false and nothing else."""
_UCI_SEPARATORS = str.maketrans("/#", "::")


def compile(expression: Any) -> Callable[[Any], Any]:
    """What :func:`motma.core.rules.evaluate` asks, ready to be asked again and again; keeps nothing between two calls.

    Raises :class:`RuleError` if ``expression`` is no CertLogic; what it gives back raises the same, and nothing else.
    """
    check(expression)
    run = _compile(expression, "")

    def ask(data: Any) -> Any:
        left = [BUDGET]
        value = run(data, left)
        return value if type(value) in _SCALARS else _given(value, left)

    return ask


def compile_truth(expression: Any) -> Callable[[Any], bool]:
    """The same of ``{"if": [expression, true, false]}``: whether it is true. In two thirds of the time."""
    check(expression)
    run, spends = _compile(expression, ""), _spends(expression)
    whole = [BUDGET]  # which nothing takes from, unless it spends
    if type(expression) is dict and _TRUTHS.issuperset(expression):
        return (lambda data: run(data, [BUDGET])) if spends else (lambda data: run(data, whole))

    def ask(data: Any) -> bool:
        seen = run(data, [BUDGET] if spends else whole)
        return bool(seen) if type(seen) in _PLAIN else _truth(seen, "/if/0")

    return ask


def _spends(expression: Any) -> bool:
    """Whether any part of it costs more steps than it is long."""
    if isinstance(expression, list):
        return any(map(_spends, expression))
    if not isinstance(expression, dict):
        return False
    ((name, operands),) = expression.items()
    return name == "reduce" or (name == "in" and not _is_written_out(operands[1])) or _spends(operands)


def _compile(expression: Any, path: str) -> _Run:
    if isinstance(expression, list):
        return _array([_compile(item, below(path, place)) for place, item in enumerate(expression)])
    if not isinstance(expression, dict):
        return _literal(int(expression) if type(expression) is float else expression)
    ((name, operands),) = expression.items()
    here = below(path, name)
    if name == "var":
        return _var(fragments(operands), here)
    if name == "plusTime":
        return _plus_time(operands[0], int(operands[1]), operands[2], here)
    if name == "extractFromUVCI":
        return _extract(_compile(operands[0], below(here, 0)), int(operands[1]), here)
    if name == "in" and _is_written_out(operands[1]):
        return _in_literal(_compile(operands[0], below(here, 0)), list(operands[1]), here)
    if name == "reduce":
        return _reduce(operands, here)
    if name == "===" and type(operands[1]) is str:
        return _equals_text(_compile(operands[0], below(here, 0)), operands[1])
    if name == "and":
        return _and([(_compile(one, at), at) for one, at in _of_and(operands, here)])
    runs = [_compile(operand, below(here, place)) for place, operand in enumerate(operands)]
    if name in DATE_COMPARISONS:
        return _dates_compared(_ORDER[name], runs, here)
    if name in _ORDER:
        return _numbers_compared(_ORDER[name], runs, here)
    return _OTHERS[name](runs, here)


def _is_written_out(expression: Any) -> bool:
    """An array of literals."""
    return isinstance(expression, list) and not any(isinstance(item, list | dict) for item in expression)


# -- values ------------------------------------------------------------------------------------------------------------


def _truth(value: Any, path: str) -> bool:
    """Whether a value that is not plain is true: 1.0 and 1e999 are integers to JSON, and a half is neither."""
    if type(value) is float and (value.is_integer() or isinf(value)):
        return value != 0
    raise RuleError("rule.truth", path)


def _integer(value: Any, path: str) -> int:
    if is_integer(value):
        return int(value)
    large = type(value) in (int, float) and abs(value) > MAX_INTEGER
    raise RuleError("rule.number" if large else "rule.operand", path)


def _same(one: Any, other: Any, path: str) -> bool:
    """``===``. Of two arrays, objects or date-times nobody agrees what it means, so there it has no value."""
    kind, its = type(one), type(other)
    if kind is str or its is str:
        return kind is its and bool(one == other)
    if kind in (int, float) and its in (int, float):
        if not (abs(one) <= MAX_INTEGER and abs(other) <= MAX_INTEGER):
            raise RuleError("rule.number", path)
        return bool(one == other)
    if kind in (bool, type(None), int, float) or its in (bool, type(None), int, float):
        return one is other
    raise RuleError("rule.operand", path)


def _given(value: Any, left: _Left) -> Any:
    """``value`` if it is one that can leave: JSON through and through, and not too much of it."""
    waiting = [(value, 1)]
    while waiting:
        one, depth = waiting.pop()
        kind = type(one)
        if kind is list or kind is dict:
            left[0] -= len(one)
            if left[0] < 0 or depth > MAX_DEPTH:
                raise RuleError("rule.budget", "")
            if kind is dict and any(type(name) is not str for name in one):
                raise RuleError("rule.data", "")
            waiting += [(item, depth + 1) for item in (one.values() if kind is dict else one)]
        elif kind is int or kind is float:
            if abs(one) > MAX_INTEGER:
                raise RuleError("rule.number", "")
            if one != one:
                raise RuleError("rule.data", "")
        elif kind not in _SCALARS and not _is_moment(one):
            raise RuleError("rule.data", "")
    return value


# -- operations --------------------------------------------------------------------------------------------------------


def _literal(value: Any) -> _Run:
    return lambda data, left: value


def _array(items: list[_Run]) -> _Run:
    return lambda data, left: [item(data, left) for item in items]


def _var(keys: tuple[str | int, ...], path: str) -> _Run:
    def run(data: Any, left: _Left) -> Any:
        for key in keys:
            kind = type(data)
            if kind is dict:
                data = data.get(key)  # of an integer nothing: names are texts
            elif data is None:
                return None
            elif kind is list:
                if isinstance(key, str) or not 0 <= key < len(data):
                    return None
                data = data[key]
            elif kind in _PLAIN or kind is float:
                return None
            else:
                raise RuleError("rule.data", path)
        return data

    if len(keys) != 2 or not isinstance(keys[0], str):
        return run
    first, second = keys

    def run_two(data: Any, left: _Left) -> Any:
        """Of a field of a part, as most are."""
        if type(data) is dict:
            part = data.get(first)
            if type(part) is dict:
                return part.get(second)
        return run(data, left)

    return run_two


def _if(runs: list[_Run], here: str) -> _Run:
    guard, then, otherwise = runs
    at = below(here, 0)

    def run(data: Any, left: _Left) -> Any:
        seen = guard(data, left)
        if type(seen) not in _PLAIN:
            seen = _truth(seen, at)
        return then(data, left) if seen else otherwise(data, left)

    return run


def _of_and(operands: list[Any], here: str) -> Iterator[tuple[Any, str]]:
    """The operands, each with its path; in the place of one that is "and" itself its own, which comes to the same."""
    for place, operand in enumerate(operands):
        at = below(here, place)
        if type(operand) is dict and "and" in operand:
            yield from _of_and(operand["and"], below(at, "and"))
        else:
            yield operand, at


def _and(runs: list[tuple[_Run, str]]) -> _Run:
    def run(data: Any, left: _Left) -> Any:
        seen = None
        for operand, at in runs:
            seen = operand(data, left)
            if not (seen if type(seen) in _PLAIN else _truth(seen, at)):
                return seen
        return seen

    return run


def _not(runs: list[_Run], here: str) -> _Run:
    operand, at = runs[0], below(here, 0)

    def run(data: Any, left: _Left) -> bool:
        seen = operand(data, left)
        return not (seen if type(seen) in _PLAIN else _truth(seen, at))

    return run


def _equals(runs: list[_Run], here: str) -> _Run:
    one, other = runs
    return lambda data, left: _same(one(data, left), other(data, left), here)


def _equals_text(operand: _Run, text: str) -> _Run:
    def run(data: Any, left: _Left) -> bool:
        seen = operand(data, left)
        return type(seen) is str and seen == text

    return run


def _in(runs: list[_Run], here: str) -> _Run:
    member, array = runs
    at = below(here, 1)

    def run(data: Any, left: _Left) -> bool:
        one, others = member(data, left), array(data, left)
        if type(others) is not list:
            raise RuleError("rule.operand", at)
        left[0] -= len(others)
        if left[0] < 0:
            raise RuleError("rule.budget", here)
        return one in others if type(one) is str else any(_same(one, other, here) for other in others)

    return run


def _in_literal(member: _Run, others: list[Any], here: str) -> _Run:
    """``in`` over an array that is written out: as a set, and already paid for as a part of the expression."""
    texts = frozenset(other for other in others if type(other) is str)

    def run(data: Any, left: _Left) -> bool:
        one = member(data, left)
        return one in texts if type(one) is str else any(_same(one, other, here) for other in others)

    return run


def _plus(runs: list[_Run], here: str) -> _Run:
    one, other = runs
    first, second = below(here, 0), below(here, 1)

    def run(data: Any, left: _Left) -> int:
        a, b = one(data, left), other(data, left)
        total = _integer(a, first) + _integer(b, second)
        if not -MAX_INTEGER <= total <= MAX_INTEGER:
            raise RuleError("rule.range", here)
        return total

    return run


def _numbers_compared(compare: _Compare, runs: list[_Run], here: str) -> _Run:
    paths = [below(here, place) for place in range(len(runs))]
    one, other = runs[:2]

    def two(data: Any, left: _Left) -> Any:
        a, b = one(data, left), other(data, left)
        if not (type(a) is int is type(b) and -MAX_INTEGER <= a <= MAX_INTEGER and -MAX_INTEGER <= b <= MAX_INTEGER):
            a, b = map(_integer, (a, b), paths)
        return compare(a, b)

    def three(data: Any, left: _Left) -> Any:
        a, b, c = map(_integer, [run(data, left) for run in runs], paths)
        return compare(a, b) and compare(b, c)

    return two if len(runs) == 2 else three


def _dates_compared(compare: _Compare, runs: list[_Run], here: str) -> _Run:
    one, other = runs[:2]

    def refuse(*operands: Any) -> RuleError:
        wrong = [place for place, operand in enumerate(operands) if not _is_moment(operand)]
        return RuleError("rule.operand", below(here, wrong[0]))

    def two(data: Any, left: _Left) -> Any:
        a, b = one(data, left), other(data, left)
        if type(a) is _Moment is type(b) and a.tzinfo is _UTC is b.tzinfo:
            return compare(a, b)
        raise refuse(a, b)

    def three(data: Any, left: _Left) -> Any:
        a, b, c = one(data, left), other(data, left), runs[2](data, left)
        if type(a) is type(b) is type(c) is _Moment and a.tzinfo is b.tzinfo is c.tzinfo is _UTC:
            return compare(a, b) and compare(b, c)
        raise refuse(a, b, c)

    return two if len(runs) == 2 else three


def _is_moment(value: Any) -> bool:
    """One of ours: what came with the data may lack a time zone."""
    return type(value) is _Moment and value.tzinfo is _UTC


def _plus_time(operand: Any, amount: int, unit: str, here: str) -> _Run:
    text, at = _compile(operand, below(here, 0)), below(here, 0)
    step = length(amount, unit) if unit in ("day", "hour") else None

    def run(data: Any, left: _Left) -> dt.datetime:
        said = text(data, left)
        if type(said) is not str:
            raise RuleError("rule.operand", at)
        try:
            start = moment(said)
            if not amount:
                return start
            return later(start, amount, unit) if step is None else start + step
        except ValueError:
            raise RuleError("rule.date", at) from None
        except OverflowError:
            raise RuleError("rule.range", here) from None

    if type(operand) is str:
        try:
            return _literal(run(None, []))
        except RuleError:
            pass  # it is said when somebody comes there
    return run


def _date_of_birth(runs: list[_Run], here: str) -> _Run:
    operand, at = runs[0], below(here, 0)

    def run(data: Any, left: _Left) -> dt.datetime:
        text = operand(data, left)
        if type(text) is not str:
            raise RuleError("rule.operand", at)
        try:
            return date_of_birth(text)
        except ValueError:
            raise RuleError("rule.date", at) from None

    return run


def _reduce(operands: list[Any], here: str) -> _Run:
    array, each, initial = [_compile(operand, below(here, place)) for place, operand in enumerate(operands)]
    at, cost = below(here, 0), check(operands[1])

    def run(data: Any, left: _Left) -> Any:
        items = array(data, left)
        if items is None:
            return initial(data, left)
        if type(items) is not list:
            raise RuleError("rule.operand", at)
        left[0] -= len(items) * cost
        if left[0] < 0:
            raise RuleError("rule.budget", here)
        accumulator = initial(data, left)
        for item in items:
            accumulator = each({"accumulator": accumulator, "current": item}, left)
        return accumulator

    return run


def _extract(operand: _Run, index: int, here: str) -> _Run:
    at = below(here, 0)

    def run(data: Any, left: _Left) -> str | None:
        uci = operand(data, left)
        if uci is None:
            return None
        if type(uci) is not str:
            raise RuleError("rule.operand", at)
        if len(uci) > MAX_UCI:
            raise RuleError("rule.budget", at)
        parts = uci.removeprefix("URN:UVCI:").translate(_UCI_SEPARATORS).split(":")
        return parts[index] if 0 <= index < len(parts) else None

    return run


_OTHERS: dict[str, Callable[[list[_Run], str], _Run]] = {
    "if": _if,
    "!": _not,
    "===": _equals,
    "in": _in,
    "+": _plus,
    "dccDateOfBirth": _date_of_birth,
}
