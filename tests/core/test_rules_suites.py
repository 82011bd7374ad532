"""Others' suites: CertLogic's own, and national rules with their tests.

What stands in ``../shared/testdata`` is run where that is; the whole public suites where ``MOTMA_CERTLOGIC_SUITES``
names a folder that holds checkouts of ``dgc-business-rules`` and ``dgc-business-rules-testdata``. The scanner answers
the same assertions in ``tests/fuzz/judge-rules.mjs``.
"""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from motma.core.rules import RuleError, compile, evaluate, reads, validate
from tests.core.rules_in_node import in_node

SHARED = Path(__file__).parents[3] / "shared" / "testdata"
PUBLIC = Path(os.environ.get("MOTMA_CERTLOGIC_SUITES", "nowhere"))
SPECIFICATION = PUBLIC / "dgc-business-rules" / "certlogic" / "specification"
SUITES = [SHARED / "certlogic", SPECIFICATION / "testSuite"]
NATIONAL = [SHARED / "eu-rules", PUBLIC / "dgc-business-rules-testdata"]
HERE_ONLY = "others' suites are not here (../shared/testdata, MOTMA_CERTLOGIC_SUITES)"

Asked = tuple[str, Any, Any, Any]
"""Where it stands, expression, data, expected."""


def assertions(folder: Path) -> Iterator[Asked]:
    """What the suite asserts, but for what it says itself is to be skipped."""
    for path in sorted(folder.glob("*.json")):
        suite = json.loads(path.read_text("utf-8"))
        for case in suite["cases"]:
            for number, asserted in enumerate(case["assertions"], 1):
                if "skip" in (suite.get("directive"), case.get("directive"), asserted.get("directive")):
                    continue
                expression = asserted.get("certLogicExpression", case.get("certLogicExpression"))
                yield f"{path.name}: {case['name']} #{number}", expression, asserted.get("data"), asserted["expected"]


def national(folder: Path) -> Iterator[Asked]:
    """The tests of every rule. A payload that is absent is undefined: its fields are null."""
    for path in sorted(folder.glob("*/*/rule.json")):
        logic = json.loads(path.read_text("utf-8"))["Logic"]
        for test in sorted((path.parent / "tests").glob("*.json")):
            asked = json.loads(test.read_text("utf-8"))
            data = {name: asked[name] for name in ("payload", "external") if name in asked}
            yield f"{path.parent.name}/{test.name}", logic, data, asked["expected"]


def rules() -> list[dict[str, Any]]:
    return [json.loads(path.read_text("utf-8")) for folder in NATIONAL for path in sorted(folder.glob("*/*/rule.json"))]


def wrong(asked: list[Asked]) -> list[str]:
    """What comes out otherwise than expected, with what came."""
    found = []
    for where, expression, data, expected in asked:
        try:
            value = evaluate(expression, data)
        except RuleError as refused:
            found.append(f"{where}: {refused}")
            continue
        if json.dumps(value) != json.dumps(expected):
            found.append(f"{where}: {value!r}")
    return found


@pytest.mark.parametrize("folder", SUITES, ids=["shared", "public"])
def test_certlogic_s_own_suite(folder: Path) -> None:
    asked = list(assertions(folder))
    if not asked:
        pytest.skip(HERE_ONLY)
    assert wrong(asked) == []
    assert [where for where, expression, _, _ in asked if validate(expression)] == []
    assert in_node(asked) == [{"value": expected} for _, _, _, expected in asked]
    assert len(asked) >= (218 if folder == SUITES[1] else 60)


@pytest.mark.parametrize("folder", NATIONAL, ids=["shared", "public"])
def test_national_rules(folder: Path) -> None:
    asked = list(national(folder))
    if not asked:
        pytest.skip(HERE_ONLY)
    assert wrong(asked) == []
    assert in_node(asked) == [{"value": expected} for _, _, _, expected in asked]
    assert len(asked) >= (1364 if folder == NATIONAL[1] else 100)


@pytest.mark.skipif(not rules(), reason=HERE_ONLY)
def test_what_national_rules_read_is_what_they_declare() -> None:
    for rule in rules():
        assert validate(rule["Logic"]) == []
        read = {path.removeprefix("payload.") for path in reads(rule["Logic"]) if path.startswith("payload.")}
        assert read == set(rule["AffectedFields"]), rule["Identifier"]


def test_certlogic_s_validation_suite() -> None:
    cases = [
        case
        for path in sorted((SPECIFICATION / "validation-testSuite").glob("*.json"))
        for case in json.loads(path.read_text("utf-8"))["cases"]
    ]
    if not cases:
        pytest.skip(HERE_ONLY)
    assert len(cases) >= 23
    for case in cases:
        assert len(validate(case["certLogicExpression"])) == len(case["issues"]), case
        if case["issues"]:
            with pytest.raises(RuleError):
                compile(case["certLogicExpression"])
