"""From the logic of a rule to a question: values filled in, compiled, and asked of evidence."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from motma.core.evidence import SPECIMEN
from motma.core.rules import MAX_DEPTH, RuleError, compile_truth

VALUES = "values."


def asked_of(holds: Any, values: Mapping[str, Any] = {}) -> Callable[[Any], bool]:
    """``holds`` compiled: whether it is true of an evidence document. ``values`` as :func:`named` gives them.

    Raises :class:`RuleError`, as it does itself.
    """
    return compile_truth(filled_in(holds, values))


def named(values: Mapping[str, Any]) -> dict[str, Any]:
    """The values of a policy as they are filled in: in those that are expressions, the ones before them."""
    known: dict[str, Any] = {}
    for name, value in values.items():
        known[name] = filled_in(value, known) if isinstance(value, dict) else value
    return known


def filled_in(holds: Any, values: Mapping[str, Any], depth: int = 0) -> Any:
    """``holds`` with what ``values`` say in the place of each ``{"var": "values.NAME"}``; others stay as they are."""
    if not values or depth > MAX_DEPTH:  # too deep to be an expression
        return holds
    if isinstance(holds, list):
        return [filled_in(item, values, depth + 1) for item in holds]
    if not isinstance(holds, dict):
        return holds
    path = holds.get("var")
    if len(holds) == 1 and isinstance(path, str) and path.startswith(VALUES) and path[len(VALUES) :] in values:
        return values[path[len(VALUES) :]]
    return {name: filled_in(operands, values, depth + 1) for name, operands in holds.items()}


def named_in(expression: Any) -> Iterator[str]:
    """The names of the values that ``expression`` reads itself, some perhaps more than once."""
    waiting = [expression]
    while waiting:
        one = waiting.pop()
        if isinstance(one, list):
            waiting += one
        elif isinstance(one, dict):
            path = one.get("var")
            if isinstance(path, str) and path.startswith(VALUES):
                yield path[len(VALUES) :]
            waiting += one.values()


def values_in(filled: Any, most: int) -> int:
    """How many values a JSON value is made of, counted up to ``most``."""
    waiting, found = [filled], 0
    while waiting and found <= most:
        one = waiting.pop()
        found += 1
        waiting += one.values() if isinstance(one, dict) else one if isinstance(one, list) else ()
    return found


def steps_of(filled: Any, items: int) -> int:
    """What one evaluation of a sound expression may cost at most: its parts, those within a ``reduce`` as often as
    there are items; ``items`` in an array that is not written out."""
    if isinstance(filled, list):
        return 1 + sum(steps_of(item, items) for item in filled)
    if not isinstance(filled, dict):
        return 1
    ((name, operands),) = filled.items()
    if name == "var":
        return 1
    steps = [steps_of(operand, items) for operand in operands]
    if name == "reduce":
        steps[1] *= max(1, len(operands[0]) if isinstance(operands[0], list) else items)
    elif name == "in" and not isinstance(operands[1], list):
        steps[1] += items
    return 1 + sum(steps)


def laid_over(patch: Any, under: Any = SPECIMEN) -> Any:
    """``patch`` over ``under`` as a JSON Merge Patch (RFC 7396): null takes away."""
    if not isinstance(patch, dict):
        return patch
    result = dict(under) if isinstance(under, Mapping) else {}
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = laid_over(value, result.get(name))
    return result


def came_of(asked: Callable[[Any], bool], seen: Any) -> bool | RuleError:
    try:
        return asked(seen)
    except RuleError as error:
        return error
