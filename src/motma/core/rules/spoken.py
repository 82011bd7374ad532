"""An expression as one line for a reader: ``code.until after now`` and not ``{"after": […]}``.

For people who compare and approve; nothing is ever read back from it. Of whatever is no expression it shows the JSON.
"""

from typing import Any

import msgspec

from motma.core.words import Words

MAX_CHARS = 2_000
_MAX_DEPTH = 64
_BETWEEN = {
    "===": Words("=", "="),
    "in": Words("thuộc", "in"),
    "+": Words("+", "+"),
    "<": Words("<", "<"),
    ">": Words(">", ">"),
    "<=": Words("≤", "≤"),
    ">=": Words("≥", "≥"),
    "before": Words("trước", "before"),
    "after": Words("sau", "after"),
    "not-before": Words("không trước", "not before"),
    "not-after": Words("không sau", "not after"),
    "and": Words("và", "and"),
}
_UNITS = {
    "year": Words("năm", "years"),
    "month": Words("tháng", "months"),
    "day": Words("ngày", "days"),
    "hour": Words("giờ", "hours"),
}
_LOOSE = frozenset({"if", "and"})
"""What needs brackets inside of something else."""


def in_words(expression: Any) -> Words:
    """``expression`` in both languages, at most :data:`MAX_CHARS` of each."""
    return Words(*(_short(_say(expression, language, 0)) for language in ("vi", "en")))


def _say(one: Any, lang: str, depth: int) -> str:
    if depth > _MAX_DEPTH:
        return "…"
    if isinstance(one, list):
        return "[" + ", ".join(_say(item, lang, depth + 1) for item in one) + "]"
    if not (isinstance(one, dict) and len(one) == 1):
        return _literal(one, lang)
    ((name, operands),) = one.items()
    if name == "var" and isinstance(operands, str):
        return operands or Words("tất cả", "everything").said_in(lang)
    if not isinstance(operands, list) or not operands:
        return _literal(one, lang)
    if name == "reduce" and len(operands) == 3:
        inner = [_say(operand, lang, depth + 1) for operand in operands]
        return Words(
            f"gộp {inner[0]} bằng ({inner[1]}) từ {inner[2]}", f"fold {inner[0]} with ({inner[1]}) from {inner[2]}"
        ).said_in(lang)
    if name == "if" and len(operands) == 3:
        return _choice(operands, lang, depth)
    if name == "plusTime" and len(operands) == 3 and isinstance(operands[2], str):
        return _later(operands, lang, depth)
    if name == "!" and len(operands) == 1 and (twice := _denied(operands[0])):
        return _say_denied(*twice, lang, depth)
    inner = [_within(operand, _say(operand, lang, depth + 1)) for operand in operands]
    if name == "!" and len(inner) == 1:
        return Words(f"không {inner[0]}", f"not {inner[0]}").said_in(lang)
    if name in _BETWEEN and len(inner) >= 2:
        return f" {_BETWEEN[name].said_in(lang)} ".join(inner)
    return f"{name}({', '.join(inner)})"


def _choice(operands: list[Any], lang: str, depth: int) -> str:
    """``if``, which is also how CertLogic says "or"; of "else true" nothing is said."""
    guard, then, other = (_say(operand, lang, depth + 1) for operand in operands)
    if operands[1] is True:
        other = other if _is_or(operands[2]) else _within(operands[2], other)
        return Words(
            f"{_within(operands[0], guard)} hoặc {other}", f"{_within(operands[0], guard)} or {other}"
        ).said_in(lang)
    guard = f"({guard})" if isinstance(operands[0], dict) and "if" in operands[0] else guard
    then = _within(operands[1], then)
    if operands[2] is True and not isinstance(operands[1], bool):
        return Words(f"nếu {guard} thì {then}", f"if {guard} then {then}").said_in(lang)
    other = f"({other})" if _is_or(operands[2]) or _is_and(operands[2]) else other
    return Words(f"nếu {guard} thì {then}, không thì {other}", f"if {guard} then {then} else {other}").said_in(lang)


def _is_or(one: Any) -> bool:
    return (
        isinstance(one, dict)
        and len(one) == 1
        and isinstance(chosen := one.get("if"), list)
        and len(chosen) == 3
        and chosen[1] is True
    )


def _is_and(one: Any) -> bool:
    return isinstance(one, dict) and one.keys() == {"and"}


def _denied(one: Any) -> tuple[str, list[Any]] | None:
    """(operation, operands) of what reads better in one with the ``!`` before it."""
    if isinstance(one, dict) and len(one) == 1:
        ((name, operands),) = one.items()
        if isinstance(operands, list) and (name, len(operands)) in (("!", 1), ("===", 2)):
            return name, operands
    return None


def _say_denied(name: str, operands: list[Any], lang: str, depth: int) -> str:
    inner = [_within(operand, _say(operand, lang, depth + 2)) for operand in operands]
    return " ≠ ".join(inner) if name == "===" else Words(f"có {inner[0]}", f"there is {inner[0]}").said_in(lang)


def _later(operands: list[Any], lang: str, depth: int) -> str:
    base, amount, unit = operands
    said = _within(base, _say(base, lang, depth + 1))
    if amount == 0 and type(amount) is int:
        return said  # how rules make a text comparable
    sign, size = ("−", -amount) if isinstance(amount, int | float) and amount < 0 else ("+", amount)
    size = _say(size, lang, depth + 1) if isinstance(size, list | dict) else size  # a value by its name
    name = _UNITS[unit].said_in(lang) if unit in _UNITS else unit
    return f"{said} {sign} {size} {name.removesuffix('s') if size == 1 else name}"


def _within(operand: Any, said: str) -> str:
    """``said`` in brackets if it would run into what stands beside it."""
    if not (isinstance(operand, dict) and len(operand) == 1):
        return said
    name = next(iter(operand))
    alone = name in ("var", "reduce") or (name == "plusTime" and said.count(" ") == 0) or said.endswith(")")
    return said if alone and name not in _LOOSE and name not in _BETWEEN and name != "!" else f"({said})"


def _literal(one: Any, lang: str) -> str:
    if one is True:
        return Words("đúng", "true").said_in(lang)
    if one is False:
        return Words("sai", "false").said_in(lang)
    if one is None:
        return Words("không có", "nothing").said_in(lang)
    if isinstance(one, str):
        return f"“{one}”"
    try:
        return msgspec.json.encode(one).decode()
    except (TypeError, ValueError, RecursionError):
        return "?"


def _short(said: str) -> str:
    return said if len(said) <= MAX_CHARS else said[: MAX_CHARS - 1] + "…"
