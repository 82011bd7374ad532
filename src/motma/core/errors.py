"""What can go wrong, in four kinds, each with a stable code and words that say what to do.

A refusal at a checkpoint is not an error: it is a :class:`motma.core.decision.Verdict`.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from motma.core.words import Words


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong, with a stable dotted ``code`` and what to do about it."""

    code: str
    words: Words


class MotmaError(Exception):
    """The root. ``fields`` names the parts of the input concerned, by dotted path."""

    def __init__(self, code: str, words: Words, fields: Mapping[str, Problem] | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.words = words
        self.fields: Mapping[str, Problem] = fields or {}


class Invalid(MotmaError):
    """What was sent cannot be understood (422)."""


class Hidden(MotmaError):
    """Absent, or not yours to see; the two are never told apart (404)."""


class Conflict(MotmaError):
    """It contradicts what is already so (409)."""


class Unavailable(MotmaError):
    """Something we need does not answer now (503).

    ``permanent`` says that trying again later will not help.
    """

    def __init__(self, code: str, words: Words, *, permanent: bool = False) -> None:
        super().__init__(code, words)
        self.permanent = permanent
