"""Random rules and data for them, near enough to each other that most evaluations get somewhere."""

from collections.abc import Iterable
from typing import Any

from hypothesis import strategies as st

from motma.core.rules.paths import fragments

NAMES = ("a", "b", "v", "x")
DATES = ("2021", "2021-02", "2021-08-20", "2024-02-29", "2021-08-20T12:03:12+07:00", "2021-02-30", "0001-01-01", "")
TEXTS = ("a", "", "URN:UVCI:01:VN:1#A", "0", *DATES)
NUMBERS = (0, 1, 2, -1, 0.5, 1.0, 2**53 - 1, 2**53, -(2**60))
INFIX = ("===", "in", "+", "<", ">", "<=", ">=", "after", "before", "not-after", "not-before")

_scalars = st.one_of(st.none(), st.booleans(), st.sampled_from(NUMBERS), st.sampled_from(TEXTS))
VALUES = st.recursive(
    _scalars,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.sampled_from(NAMES), inner, max_size=3)),
    max_leaves=12,
)
DATA = st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=4)

_paths = st.lists(st.sampled_from([*NAMES, "0", "1", "-1"]), min_size=1, max_size=3).map(".".join)
_vars = st.one_of(_paths, st.sampled_from(["", "current", "current.a", "accumulator", "current.0"])).map(
    lambda path: {"var": path}
)
_literals = st.one_of(st.booleans(), st.integers(-3, 3), st.sampled_from(TEXTS), st.just(2**53 - 1))
_amounts = st.sampled_from([0, 0, 1, -1, 12, 400, -10_000_000, 2**53 - 1])
_units = st.sampled_from(["year", "month", "day", "hour"])


def _operations(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    def of(name: str, *operands: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
        return st.tuples(*operands).map(lambda drawn: {name: list(drawn)})

    dates = st.one_of(st.sampled_from(DATES), _vars)
    moments = st.one_of(of("plusTime", dates, _amounts, _units), of("dccDateOfBirth", dates))
    return st.one_of(
        of("if", inner, inner, inner),
        of("and", inner, inner),
        of("and", inner, inner, inner),
        of("!", st.one_of(inner, moments)),
        *(of(name, inner, inner) for name in INFIX),
        *(of(name, _vars, st.integers(-2, 2), _vars) for name in ("<", ">=")),
        *(of(name, moments, moments) for name in INFIX[-4:]),
        of("not-after", moments, moments, moments),
        of("in", inner, st.lists(inner, max_size=3)),
        of("plusTime", inner, _amounts, _units),
        of("extractFromUVCI", inner, st.integers(-1, 6)),
        of("dccDateOfBirth", inner),
        of("reduce", inner, inner, inner),
        of("reduce", _vars, st.just({"+": [{"var": "accumulator"}, {"if": [{"var": "current"}, 1, 0]}]}), _literals),
        st.lists(inner, max_size=3),
    )


EXPRESSIONS = st.recursive(st.one_of(_vars, _literals), _operations, max_leaves=10)
"""CertLogic by its form."""

_names = st.one_of(
    st.sampled_from(["var", "if", "and", "!", "plusTime", "reduce", "extractFromUVCI", *INFIX]), st.text(max_size=3)
)
NONSENSE = st.recursive(
    st.one_of(_scalars, _vars, st.text(max_size=5), st.floats(), st.integers()),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(_names, inner, max_size=2),
        st.tuples(_names, st.lists(inner, max_size=4)).map(lambda drawn: {drawn[0]: drawn[1]}),
    ),
    max_leaves=12,
)
"""Any JSON, with the names of operations in it."""


def only(data: Any, paths: Iterable[str]) -> Any:
    """``data`` without what lies on none of ``paths``. Arrays on the way keep their length: null for what is away."""
    return _only(data, [fragments(path) for path in paths])


def _only(data: Any, paths: list[tuple[str | int, ...]]) -> Any:
    if () in paths:
        return data
    if isinstance(data, dict):
        return {name: _only(value, kept) for name, value in data.items() if (kept := _after(paths, name))}
    if isinstance(data, list):
        return [_only(value, kept) if (kept := _after(paths, at)) else None for at, value in enumerate(data)]
    return data if paths else None


def _after(paths: list[tuple[str | int, ...]], step: str | int) -> list[tuple[str | int, ...]]:
    return [path[1:] for path in paths if path and path[0] == step and type(path[0]) is type(step)]
