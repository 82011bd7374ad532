"""What a rule reads: the paths into the data, so that a policy can be held to the fields it declares."""

from typing import Any

from motma.core.rules.form import check


def fragments(path: str) -> tuple[str | int, ...]:
    """A ``var`` path in steps: texts are names in an object, integers places in an array; "" has none.

    A negative place, or one with more digits than any array has places, is ``-1``: nothing is ever there.
    """
    return tuple(_fragment(part) for part in path.split(".")) if path else ()


def _fragment(part: str) -> str | int:
    digits = part[1:] if part[:1] in ("-", "+") else part
    if not (digits.isascii() and digits.isdigit()):
        return part
    digits = digits.lstrip("0") or "0"
    return int(digits) if len(digits) <= 9 and not (part[0] == "-" and digits != "0") else -1


def reads(expression: Any) -> frozenset[str]:
    """Every path of the data on which the value of ``expression`` can depend; each stands for all that lies below it.

    What is not under one of them can change as it likes: value or error stay the same. What the function inside
    ``reduce`` reads are items of its array and what came of them, so the paths of the array and of the initial value
    say it all. Raises :class:`RuleError` if it is no expression.
    """
    check(expression)
    found: set[str] = set()
    _gather(expression, found)
    return frozenset(found)


def _gather(expression: Any, found: set[str]) -> None:
    if isinstance(expression, list):
        for item in expression:
            _gather(item, found)
    elif isinstance(expression, dict):
        ((operation, operands),) = expression.items()
        match operation:
            case "var":
                found.add(operands)
            case "reduce":
                _gather([operands[0], operands[2]], found)
            case "plusTime" | "extractFromUVCI":
                _gather(operands[0], found)
            case _:
                _gather(operands, found)
