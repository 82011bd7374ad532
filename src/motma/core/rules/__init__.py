"""Rules as data: CertLogic 1.3.3, the subset of JsonLogic in which the EU wrote its travel rules and we ours.

An expression and the data it is asked of are JSON values as Python's decoders give them (dict with text keys, list,
str, int, float, bool, None). What an expression means, where we are stricter than others, and every error code stands
in ``docs/rules.md``; the scanner's twin is ``scanner/rules.js``; both are held to ``vectors/rules/``.

Source: ehn-dcc-development/dgc-business-rules, certlogic/specification, version 1.3.3.
"""

from typing import Any

from motma.core.rules.compiled import BUDGET, compile, compile_truth
from motma.core.rules.form import MAX_DEPTH, MAX_PROBLEMS, MAX_SIZE, validate
from motma.core.rules.paths import reads
from motma.core.rules.problems import Problem, RuleError

__all__ = [
    "BUDGET",
    "MAX_DEPTH",
    "MAX_PROBLEMS",
    "MAX_SIZE",
    "Problem",
    "RuleError",
    "compile",
    "compile_truth",
    "evaluate",
    "reads",
    "validate",
]


def evaluate(expression: Any, data: Any) -> Any:
    """The value of ``expression`` over ``data``: a JSON value, or a ``datetime`` in UTC.

    Compiles first: whoever asks more than once keeps what :func:`compile` gives. Raises :class:`RuleError` and nothing
    else, be the expression, the data or both nonsense.
    """
    return compile(expression)(data)
