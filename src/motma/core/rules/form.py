"""What is an expression, and which expressions can have no value whatever the data."""

from collections.abc import Callable
from typing import Any

from motma.core.rules import dates
from motma.core.rules.problems import Problem, RuleError, below, problem

MAX_DEPTH = 64
"""Operations and arrays inside one another."""
MAX_SIZE = 10_000
"""Parts of one expression: each operation, literal, array, and each step of a path counts one."""
MAX_PROBLEMS = 100
"""No more are told of one expression."""
MAX_INTEGER = 2**53 - 1
"""JavaScript has the integers from -this to this."""

COMPARISONS = frozenset({"<", ">", "<=", ">="})
DATE_COMPARISONS = frozenset({"after", "before", "not-after", "not-before"})
ARITY: dict[str, tuple[int, int]] = {
    "if": (3, 3),
    "and": (2, MAX_SIZE),
    "===": (2, 2),
    "in": (2, 2),
    "+": (2, 2),
    **dict.fromkeys(COMPARISONS | DATE_COMPARISONS, (2, 3)),
    "!": (1, 1),
    "plusTime": (3, 3),
    "reduce": (3, 3),
    "extractFromUVCI": (2, 2),
    "dccDateOfBirth": (1, 1),
}
"""Operation -> fewest and most operands; ``var`` has none but a path."""

_ANY, _BOOLEAN, _INTEGER, _STRING, _ARRAY, _MOMENT = "any", "boolean", "integer", "string", "array", "date-time"
_LITERALS = {bool: _BOOLEAN, str: _STRING}
_RESULTS = {
    **dict.fromkeys(["===", "in", "!", *COMPARISONS, *DATE_COMPARISONS], _BOOLEAN),
    **dict.fromkeys(["plusTime", "dccDateOfBirth"], _MOMENT),
    "+": _INTEGER,
}
_WANTED = {
    **dict.fromkeys(["+", *COMPARISONS], _INTEGER),
    **dict.fromkeys(DATE_COMPARISONS, _MOMENT),
    **dict.fromkeys(["plusTime", "dccDateOfBirth", "extractFromUVCI"], _STRING),
    "reduce": _ARRAY,
}
_ALONE = frozenset({"plusTime", "dccDateOfBirth", "extractFromUVCI", "reduce"})
"""Only the first operand of these has to be of the wanted type."""
_DATES: dict[str, Callable[[str], object]] = {"plusTime": dates.moment, "dccDateOfBirth": dates.date_of_birth}


class _Enough(Exception):
    """As many problems as anybody reads, or an expression that has no end."""


def validate(expression: Any) -> list[Problem]:
    """What is wrong with ``expression``, in the order of the document; nothing if it is sound.

    Besides what is no CertLogic, it names what could never work: an operand that is of the wrong type whatever the
    data, a written date that does not exist. Such an expression compiles, and fails with the same code at the same
    place whenever it comes there. And a path inside ``reduce`` that leads nowhere: it would always be null.
    """
    found = _Walk(complete=True)
    found.over(expression)
    return found.problems


def check(expression: Any) -> int:
    """The size of ``expression`` in parts. Raises :class:`RuleError` with its first problem if it is no CertLogic."""
    found = _Walk(complete=False)
    found.over(expression)
    for first in found.problems:
        raise RuleError(first.code, first.path)
    return found.size


class _Walk:
    """One way through an expression."""

    def __init__(self, *, complete: bool) -> None:
        self.problems: list[Problem] = []
        self.size = 0
        self._complete = complete

    def over(self, expression: Any) -> None:
        try:
            self._kind(expression, "", 1, False)
        except _Enough:
            return

    def _say(self, code: str, path: str) -> None:
        self.problems.append(problem(code, path))
        if len(self.problems) >= (MAX_PROBLEMS if self._complete else 1):
            raise _Enough

    def _never(self, code: str, path: str) -> None:
        """It is CertLogic, yet it can have no value."""
        if self._complete:
            self._say(code, path)

    def _count(self, parts: int, path: str) -> None:
        self.size += parts
        if self.size > MAX_SIZE:
            self._say("rule.too_large", path)
            raise _Enough

    def _kind(self, expression: Any, path: str, depth: int, inside: bool) -> str:
        """The type of its value as far as it can be told; ``inside``: within the function of a ``reduce``."""
        self._count(1, path)
        kind = type(expression)
        if kind is dict or kind is list:
            if depth > MAX_DEPTH:
                self._say("rule.too_deep", path)
            elif kind is dict:
                return self._operation(expression, path, depth, inside)
            else:
                for place, item in enumerate(expression):
                    self._kind(item, below(path, place), depth + 1, inside)
                return _ARRAY
            return _ANY
        if kind in _LITERALS:
            return _LITERALS[kind]
        return self._number(expression, path)

    def _number(self, expression: Any, path: str) -> str:
        if type(expression) in (int, float) and abs(expression) > MAX_INTEGER:  # infinity too: 1e999 is good JSON
            self._say("rule.number", path)
            return _INTEGER
        if is_integer(expression):
            return _INTEGER
        if expression is None:
            self._say("rule.null", path)
        elif type(expression) is float and expression == expression:
            self._say("rule.not_integer", path)
        else:
            self._say("rule.not_json", path)
        return _ANY

    def _operation(self, expression: dict[Any, Any], path: str, depth: int, inside: bool) -> str:
        if any(type(name) is not str for name in expression):
            self._say("rule.not_json", path)
            return _ANY
        if len(expression) != 1:
            self._say("rule.form", path)
            return _ANY
        ((name, operands),) = expression.items()
        here = below(path, name)
        if name == "var":
            self._var(operands, here, inside)
        elif type(operands) is not list:
            self._say("rule.form", here)
        elif name not in ARITY:
            self._say("rule.operation", here)
        else:
            return self._operands(name, operands, here, depth + 1, inside)
        return _ANY

    def _var(self, path: Any, here: str, inside: bool) -> None:
        if type(path) is not str:
            self._say("rule.form", here)
            return
        self._count(path.count("."), here)
        parts = path.split(".")
        if path and not all(parts):
            self._say("rule.path", here)
        elif inside and path and parts[0] not in ("current", "accumulator"):
            self._never("rule.lambda", here)

    def _operands(self, name: str, operands: list[Any], here: str, depth: int, inside: bool) -> str:
        fewest, most = ARITY[name]
        if not fewest <= len(operands) <= most:
            self._say("rule.arity", here)
        # Of too many, those that belong there are looked at all the same.
        written = 1 if name in ("plusTime", "extractFromUVCI") else most
        kinds = [
            self._kind(operand, below(here, place), depth, inside or (name == "reduce" and place == 1))
            for place, operand in enumerate(operands[:written])
        ]
        if written < most:
            self._arguments(operands, here)
        self._types(name, operands, kinds, here)
        if name in ("if", "and"):
            kinds = kinds[1:] if name == "if" else kinds
            return kinds[0] if len(set(kinds)) == 1 else _ANY
        return _RESULTS.get(name, _ANY)

    def _arguments(self, operands: list[Any], here: str) -> None:
        """What ``plusTime`` and ``extractFromUVCI`` take as it is written: an amount and a unit, an index."""
        for place, argument in enumerate(operands[1:3], 1):
            if place == 2:
                if here.endswith("/plusTime") and argument not in dates.UNITS:
                    self._say("rule.argument", below(here, place))
            elif not is_integer(argument):
                self._say("rule.argument", below(here, place))

    def _types(self, name: str, operands: list[Any], kinds: list[str], here: str) -> None:
        for place, kind in enumerate(kinds):
            wanted = _WANTED.get(name, _ANY) if place == 0 or name not in _ALONE else _ANY
            wanted = _ARRAY if name == "in" and place == 1 else wanted
            if kind == _MOMENT and (name in ("and", "!") or (name == "if" and place == 0)):
                self._never("rule.truth", below(here, place))
            elif wanted != _ANY and kind not in (wanted, _ANY):
                self._never("rule.operand", below(here, place))
        if name == "===" and len(kinds) == 2 and set(kinds) <= {_ARRAY, _MOMENT}:
            self._never("rule.operand", here)
        if name in _DATES and operands and type(operands[0]) is str:
            try:
                _DATES[name](operands[0])
            except ValueError:
                self._never("rule.date", below(here, 0))


def is_integer(value: Any) -> bool:
    """Whether it is an integer that every device has: 1 and 1.0, but not true and not 2⁵³."""
    if type(value) is float:
        return value.is_integer() and abs(value) <= MAX_INTEGER
    return type(value) is int and -MAX_INTEGER <= value <= MAX_INTEGER
