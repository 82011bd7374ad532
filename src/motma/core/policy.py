"""Policies: rules as data, each with its logic, its words in both languages and its own tests.

A policy is one JSON document (``docs/policies.md``). :func:`examine` says everything that is wrong with one,
:func:`parse_policy` gives back only what is sound.
"""

import datetime as dt
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from motma.core.errors import Invalid
from motma.core.evidence import FIELDS, LISTS, MOMENT, PARTS, SPECIMEN, TEXT, TRUTH, WHOLE
from motma.core.policywords import WORDS
from motma.core.reasons import REASONS, Outcome
from motma.core.rules import MAX_DEPTH, Problem, RuleError, compile_truth, reads, validate
from motma.core.rules.problems import below
from motma.core.words import Words

AS_READ = "code.*"
"""The reason of the one kind of rule that owns none: what the reading of the code said (``code.problem``)."""
_READING, _VALUES = "code.problem", "values."
MAX_RULES, MAX_TESTS, MAX_CHARS = 100, 100, 500
"""Rules of a policy, tests of a rule, characters of a text."""
MAX_VALUES, MAX_ITEMS, MAX_INTEGER = 50, 500, 2**53 - 1
"""Named values of a policy, items of one or of a list in the evidence; integers that every device has."""

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


class Trial(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A test of a rule: ``evidence`` is laid over the specimen (RFC 7396); ``holds``: what must come of it."""

    about: str
    evidence: dict[str, Any]
    holds: bool


class Rule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What has to hold, as CertLogic over the evidence, and what is said where it does not.

    ``affected`` are the fields on which it depends: it may read no others. ``known`` false: nothing was learnt.
    ``verdict`` ``accept`` is a remark that stops nobody; it alone may ``waive`` policies: while it is made, they have
    nothing to say. With the reason :data:`AS_READ` the rest is as the reading of
    the code says, and ``verdict``, ``words`` and ``cure`` are None.
    """

    id: str
    affected: tuple[str, ...]
    holds: Any
    reason: str
    tests: tuple[Trial, ...]
    verdict: Outcome | None = None
    words: Words | None = None
    cure: Words | None = None
    known: bool = True
    waives: tuple[str, ...] = ()


class Policy(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Rules that are switched on together, in order; in force from ``valid_from`` to before ``valid_to``.

    ``values`` are what its rules read as ``values.NAME``: texts, integers, truths, lists of them, and expressions,
    which may read the ones before them.
    """

    id: str
    version: int
    title: Words
    valid_from: dt.datetime
    rules: tuple[Rule, ...]
    valid_to: dt.datetime | None = None
    values: Mapping[str, Any] = {}


class PolicyError(Invalid):
    """A document that is no policy. ``problems``: everything that is wrong with it, in the order of the document."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__("policy.refused", WORDS["policy.refused"])
        self.problems = problems

    def __str__(self) -> str:
        return "; ".join(f"{one.code} at {one.path or 'the root'}" for one in self.problems)


@dataclass(frozen=True, slots=True)
class Examined:
    """What came of reading a document: ``policy`` is None if there are ``problems``. ``warnings`` stop nothing."""

    policy: Policy | None
    problems: tuple[Problem, ...]
    warnings: tuple[Problem, ...]


def parse_policy(raw: Any) -> Policy:
    """``raw`` (a JSON value as decoders give it) as a policy. Raises :class:`PolicyError` and nothing else."""
    examined = examine(raw)
    if examined.policy is None:
        raise PolicyError(examined.problems)
    return examined.policy


def examine(raw: Any) -> Examined:
    """Everything that is wrong with ``raw``, each with its JSON Pointer in the document; never raises."""
    walk = _Walk()
    walk.policy(raw)
    if walk.problems:
        return Examined(None, tuple(walk.problems), ())
    policy = msgspec.convert(raw, Policy)
    return Examined(policy, (), tuple(_warnings(policy)))


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
    if len(holds) == 1 and isinstance(path, str) and path.startswith(_VALUES) and path[len(_VALUES) :] in values:
        return values[path[len(_VALUES) :]]
    return {name: filled_in(operands, values, depth + 1) for name, operands in holds.items()}


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


def _warnings(policy: Policy) -> Iterator[Problem]:
    """Judged by the policy's own tests, all its rules over the evidence of each."""
    values = named(policy.values)
    stops = [asked_of(rule.holds, values) for rule in policy.rules if rule.verdict is not Outcome.ACCEPT]
    seen = [laid_over(test.evidence) for rule in policy.rules for test in rule.tests]
    passed = [all(_holds(rule, one) is True for rule in stops) for one in seen]
    if not any(passed):
        yield _say("policy.lets_nobody", "")
    elif all(passed):
        yield _say("policy.lets_everybody", "")


def _holds(asked: Callable[[Any], bool], seen: Any) -> bool | RuleError:
    try:
        return asked(seen)
    except RuleError as error:
        return error


class _Walk:
    """One way through a document that may be anything."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self._rules: set[str] = set()
        self._reasons: set[str] = set()
        self._values: dict[str, Any] = {}

    def say(self, code: str, path: str) -> None:
        self.problems.append(_say(code, path))

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
                before = len(self.problems)
                filled = self._filled_in(value, here)
                if len(self.problems) == before:  # or values of values would grow without end, each twice the last
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
        before = len(self.problems)
        holds = self._filled_in(holds, path)
        wrong = len(self.problems) > before
        try:
            asked, paths = asked_of(holds), reads(holds)
        except RuleError:  # it is said already
            return None
        if declared is not None:
            for read in sorted(paths):
                if read.startswith(_VALUES):
                    self.say("policy.value", path)
                elif read not in FIELDS and read not in PARTS and not _in_a_list(read):
                    self.say("policy.field", path)
                elif not any(read == field or read.startswith(f"{field}.") for field in declared):
                    self.say("policy.undeclared", path)
        return None if wrong else asked

    def _filled_in(self, expression: Any, path: str) -> Any:
        """``expression`` with the values that are known by now; says what is wrong with it."""
        filled = filled_in(expression, self._values)
        self.problems += [Problem(path + one.path, one.code, one.words) for one in validate(filled)]
        return filled

    def _trials(self, raw: Any, asked: Callable[[Any], bool] | None, path: str) -> None:
        outcomes = set()
        for place, trial in enumerate(self._list(raw, path, MAX_TESTS)):
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
                came = _holds(asked, laid_over(trial["evidence"]))
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


def _say(code: str, path: str) -> Problem:
    return Problem(path, code, WORDS[code])
