"""The form of a policy: one way through a document that may be anything, saying everything that is wrong with it."""

import datetime as dt
import re
from collections.abc import Callable
from typing import Any

from motma.core.evidence import FIELDS, LISTS, MOMENT, PARTS, TEXT, TRUTH, WHOLE
from motma.core.policy.asking import VALUES, asked_of, came_of, filled_in, laid_over, steps_of, values_in
from motma.core.policy.model import AS_READ
from motma.core.policy.words import WORDS
from motma.core.reasons import REASONS, Outcome
from motma.core.rules import Problem, RuleError, reads, validate
from motma.core.rules.problems import below

_READING = "code.problem"
MAX_RULES, MAX_TESTS, MAX_CHARS = 100, 100, 500
"""Rules of a policy, tests of a rule, characters of a text."""
MAX_VALUES, MAX_ITEMS, MAX_INTEGER = 50, 500, 2**53 - 1
"""Named values of a policy, items of one or of a list in the evidence; integers that every device has."""
MAX_STEPS, MAX_WORK = 10_000, 400_000
"""Of all rules and values together: what they may cost at most when they are asked of one person, and that times all
tests. Twenty and thirteen times what the largest that ships takes; without them a text of 30 KB takes minutes."""

_POLICY = {"id", "version", "title", "valid_from", "valid_to", "values", "rules"}
_RULE = {"id", "affected", "holds", "verdict", "known", "waives", "reason", "words", "cure", "tests"}
_OWNS = {"verdict", "words", "cure"}
_OPTIONAL = {"known", "waives"}
_TEST = {"about", "evidence", "holds"}
_POLICY_ID = re.compile(r"[a-z][a-z0-9-]{0,39}")
_VALUE = re.compile(r"[a-z][a-z0-9_]{0,39}")
_CODE = re.compile(r"[a-z][a-z0-9_]{0,29}\.[a-z][a-z0-9_]{0,39}")
_MOMENT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\.[0-9]{1,6})?"
    r"(?:Z|[+-](?:[01][0-9]|2[0-3]):[0-5][0-9])"
)


class Walk:
    """One way through a document that may be anything."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self._rules: set[str] = set()
        self._reasons: set[str] = set()
        self._values: dict[str, Any] = {}
        self._steps = self._tests = self._walked = 0

    def say(self, code: str, path: str) -> None:
        self.problems.append(said(code, path))

    def policy(self, raw: Any) -> None:
        if not self._fields(raw, "", _POLICY, needed=_POLICY - {"valid_to", "values"}):
            return
        if "id" in raw:
            self._named(raw["id"], "/id", _POLICY_ID)
        if "version" in raw and not (type(raw["version"]) is int and 0 < raw["version"] < 2**31):
            self.say("policy.version", "/version")
        if "title" in raw:
            self._words(raw["title"], "/title")
        begins = self._moment(raw["valid_from"], "/valid_from") if "valid_from" in raw else None
        ends = self._moment(raw["valid_to"], "/valid_to") if raw.get("valid_to") is not None else None
        if begins and ends and ends <= begins:
            self.say("policy.dates", "/valid_to")
        if "values" in raw:
            self._take(raw["values"], "/values")
        if "rules" in raw:
            for place, rule in enumerate(self._list(raw["rules"], "/rules", MAX_RULES)):
                self._rule(rule, below("/rules", place))

    def _rule(self, raw: Any, path: str) -> None:
        as_read = isinstance(raw, dict) and raw.get("reason") == AS_READ
        known = _RULE - _OWNS - _OPTIONAL if as_read else _RULE
        if not self._fields(raw, path, known, needed=known - _OPTIONAL):
            return
        if "id" in raw and self._named(raw["id"], f"{path}/id", _CODE):
            self._once(raw["id"], self._rules, f"{path}/id")
        if "reason" in raw:
            self._reason(raw["reason"], f"{path}/reason")
        if "verdict" in raw and not as_read and raw["verdict"] not in [str(outcome) for outcome in Outcome]:
            self.say("policy.verdict", f"{path}/verdict")
        if "known" in raw and not as_read:
            if type(raw["known"]) is not bool:
                self.say("policy.type", f"{path}/known")
            elif not raw["known"] and raw.get("verdict") != Outcome.MANUAL:
                self.say("policy.known", f"{path}/known")  # unknown is never invalid
        if "waives" in raw and not as_read:
            self._waives(raw, f"{path}/waives")
        for name in ("words", "cure"):
            if name in raw and not as_read:
                self._words(raw[name], f"{path}/{name}")
        declared = self._affected(raw["affected"], f"{path}/affected") if "affected" in raw else None
        if as_read and declared is not None and declared != [_READING]:
            self.say("policy.as_read", f"{path}/affected")
        asked = self._logic(raw["holds"], declared, f"{path}/holds") if "holds" in raw else None
        if "tests" in raw:
            self._trials(raw["tests"], asked, f"{path}/tests")

    def _take(self, raw: Any, path: str) -> None:
        """The values, if they are some."""
        if not isinstance(raw, dict) or len(raw) > MAX_VALUES:
            self.say("policy.too_many" if isinstance(raw, dict) else "policy.type", path)
            return
        for name, value in raw.items():
            here = below(path, name)
            if not self._named(name, here, _VALUE):
                continue
            if isinstance(value, dict):
                filled = self._filled_in(value, here)
                if filled is not None:  # or values of values would grow without end, each twice the last
                    self._values[name] = filled
                continue
            items = value if isinstance(value, list) else [value]
            if len(items) > MAX_ITEMS:
                self.say("policy.too_many", here)
            elif not all(_is_value(item) for item in items):
                self.say("policy.type", here)
            else:
                self._values[name] = value

    def _waives(self, raw: dict[str, Any], path: str) -> None:
        for place, name in enumerate(self._list(raw["waives"], path, MAX_RULES)):
            self._named(name, below(path, place), _POLICY_ID)
        if raw.get("verdict") != Outcome.ACCEPT:
            self.say("policy.waives", path)

    def _reason(self, code: Any, path: str) -> None:
        if code == AS_READ:
            self._once(AS_READ, self._reasons, path)
        elif self._named(code, path, _CODE):
            if code in REASONS:
                self.say("policy.reason_taken", path)
            self._once(code, self._reasons, path)

    def _affected(self, raw: Any, path: str) -> list[str]:
        declared = []
        for place, field in enumerate(self._list(raw, path, len(FIELDS) + len(PARTS))):
            if isinstance(field, str) and (field in FIELDS or field in PARTS):
                declared.append(field)
            else:
                self.say("policy.field", below(path, place))
        return declared

    def _logic(self, holds: Any, declared: list[str] | None, path: str) -> Callable[[Any], bool] | None:
        filled = self._filled_in(holds, path)
        if self._is_too_much:
            return None
        holds = filled_in(holds, self._values) if filled is None else filled
        try:
            asked, paths = asked_of(holds), reads(holds)
        except RuleError:  # it is said already
            return None
        if declared is not None:
            for read in sorted(paths):
                if read.startswith(VALUES):
                    self.say("policy.value", path)
                elif read not in FIELDS and read not in PARTS and not _in_a_list(read):
                    self.say("policy.field", path)
                elif not any(read == field or read.startswith(f"{field}.") for field in declared):
                    self.say("policy.undeclared", path)
        return None if filled is None else asked

    def _filled_in(self, expression: Any, path: str) -> Any:
        """``expression`` with the values that are known by now; None, and what is wrong with it is said. Nothing more
        is said of logic once there is too much of it."""
        if self._is_too_much:
            return None
        filled = filled_in(expression, self._values)
        if wrong := validate(filled):
            self.problems += [Problem(path + one.path, one.code, one.words) for one in wrong]
            self._walked += values_in(filled, 2 * MAX_STEPS)
            return None
        self._steps += steps_of(filled, MAX_ITEMS)
        if self._is_too_much:
            self.say("policy.too_large", path)
            return None
        return filled

    @property
    def _is_too_much(self) -> bool:
        """Of sound expressions by their steps; of others by their size, for they are walked through too."""
        return self._steps > MAX_STEPS or self._walked > 2 * MAX_STEPS

    def _trials(self, raw: Any, asked: Callable[[Any], bool] | None, path: str) -> None:
        outcomes = set()
        trials = self._list(raw, path, MAX_TESTS)
        within = self._steps * self._tests <= MAX_WORK
        self._tests += len(trials)
        if self._steps * self._tests > MAX_WORK:
            asked = None
            if within and not self._is_too_much:
                self.say("policy.too_large", path)
        for place, trial in enumerate(trials):
            here, before = below(path, place), len(self.problems)
            if not self._fields(trial, here, _TEST, needed=_TEST):
                continue
            if "about" in trial:
                self._text(trial["about"], f"{here}/about")
            if "evidence" in trial:
                self._evidence(trial["evidence"], f"{here}/evidence")
            if "holds" in trial and type(trial["holds"]) is not bool:
                self.say("policy.type", f"{here}/holds")
            if len(self.problems) > before:
                continue
            outcomes.add(trial["holds"])
            if asked:
                came = came_of(asked, laid_over(trial["evidence"]))
                if isinstance(came, RuleError):
                    self.say("policy.test_error", here)
                elif came is not trial["holds"]:
                    self.say("policy.test_fails", here)
        if isinstance(raw, list) and 0 < len(raw) <= MAX_TESTS and outcomes and len(outcomes) < 2:
            self.say("policy.one_sided", path)

    def _evidence(self, raw: Any, path: str) -> None:
        """A patch of the evidence document: only fields that it has, and in each what can lie there."""
        if not isinstance(raw, dict):
            self.say("policy.type", path)
            return
        for name, value in raw.items():
            here = below(path, name)
            if name in PARTS and isinstance(value, dict):
                for inner, leaf in value.items():
                    self._leaf(f"{name}.{inner}", leaf, below(here, inner))
            elif name not in PARTS or value is not None:
                self._leaf(str(name), value, here)

    def _leaf(self, field: str, value: Any, path: str) -> None:
        kind = FIELDS.get(field)
        if kind is None:
            self.say("policy.type" if field in PARTS else "policy.field", path)
        elif field in LISTS:
            if not (isinstance(value, list) and len(value) <= MAX_ITEMS and all(_fits(kind, one) for one in value)):
                self.say("policy.type", path)
        elif kind == MOMENT and isinstance(value, str):
            self._moment(value, path)
        elif value is not None and not _fits(kind, value):
            self.say("policy.type", path)

    # -- what stands in the leaves --------------------------------------------------------------------------------

    def _fields(self, raw: Any, path: str, known: set[str], *, needed: set[str]) -> bool:
        """Whether ``raw`` is an object at all; says which of its names are unknown or missing."""
        if not isinstance(raw, dict):
            self.say("policy.type", path)
            return False
        for name in raw:
            if name not in known:
                self.say("policy.name", below(path, name))
        for name in sorted(needed - raw.keys()):
            self.say("policy.no_tests" if name == "tests" else "policy.missing", below(path, name))
        return True

    def _list(self, raw: Any, path: str, most: int) -> list[Any]:
        if not isinstance(raw, list):
            self.say("policy.type", path)
            return []
        if not raw:
            self.say("policy.no_tests" if path.endswith("/tests") else "policy.missing", path)
        elif len(raw) > most:
            self.say("policy.too_many", path)
            return []
        return raw

    def _text(self, raw: Any, path: str) -> bool:
        if isinstance(raw, str) and raw.strip() and len(raw) <= MAX_CHARS:
            return True
        self.say("policy.text", path)
        return False

    def _named(self, raw: Any, path: str, form: re.Pattern[str]) -> bool:
        if isinstance(raw, str) and form.fullmatch(raw):
            return True
        self.say("policy.id", path)
        return False

    def _once(self, name: str, taken: set[str], path: str) -> None:
        if name in taken:
            self.say("policy.twice", path)
        taken.add(name)

    def _words(self, raw: Any, path: str) -> None:
        if not (isinstance(raw, list) and len(raw) == 2 and raw[0] != raw[1]):
            self.say("policy.words", path)
            return
        for place, text in enumerate(raw):
            self._text(text, below(path, place))

    def _moment(self, raw: Any, path: str) -> dt.datetime | None:
        if isinstance(raw, str) and _MOMENT.fullmatch(raw):
            try:
                return dt.datetime.fromisoformat(raw).astimezone(dt.UTC)
            except (ValueError, OverflowError):
                pass
        self.say("policy.date", path)
        return None


def _in_a_list(path: str) -> bool:
    return any(path.startswith(f"{field}.") for field in LISTS)


def _is_value(value: Any) -> bool:
    if isinstance(value, str):
        return len(value) <= MAX_CHARS
    return type(value) is bool or (type(value) is int and abs(value) <= MAX_INTEGER)


def _fits(kind: str | frozenset[str], value: Any) -> bool:
    if kind == TRUTH:
        return type(value) is bool
    if kind == WHOLE:
        return type(value) is int and abs(value) <= MAX_INTEGER
    return isinstance(value, str) and (kind == TEXT or value in kind)


def said(code: str, path: str) -> Problem:
    return Problem(path, code, WORDS[code])
