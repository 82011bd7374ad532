"""What holds for every test."""

import os
import re
import sys
from collections.abc import Generator
from functools import cache

import pytest
import structlog
from hypothesis import settings

# A test says what is right, never how fast: a busy machine must not make it fail. CI repeats the same examples;
# everywhere else new ones are drawn each time.
settings.register_profile("motma", deadline=None, derandomize=bool(os.environ.get("CI")))
settings.load_profile("motma")


class _Stderr:
    """Wherever the standard error is at the moment: a test's capture comes and goes."""

    def write(self, text: str) -> int:
        return sys.stderr.write(text)

    def flush(self) -> None:
        sys.stderr.flush()


# As motma.serve does it: structlog's own formatter prints local variables, and those are people.
structlog.configure(
    processors=[
        structlog.processors.add_log_level,
        structlog.processors.format_exc_info,
        structlog.processors.JSONRenderer(ensure_ascii=False),
    ],
    logger_factory=lambda *_: structlog.PrintLogger(_Stderr()),  # type: ignore[arg-type]
)

_NUMBER = re.compile(r"(?<!\d)999\d{9}(?!\d)")
"""A document's number of the demonstration."""


@cache
def _names() -> tuple[str, ...]:
    """Names of the people who are in most tests, of three words and more."""
    from motma.register.population import Population

    people = Population(2021, 100_000)
    return tuple({person.name for person in map(people.person, range(500)) if person.name.count(" ") > 1})


def told_of_people(text: str) -> list[str]:
    """Numbers and names of the demonstration's people in a log. Most tests log nothing, and it costs nothing."""
    if not text:
        return []
    return [*_NUMBER.findall(text), *(name for name in _names() if name in text)]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: "pytest.CallInfo[None]"
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Whatever a passing test logs, or its servers write to their standard error, is about nobody."""
    report = yield
    if report.passed and (found := told_of_people(report.caplog) + told_of_people(report.capstderr)):
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid} ({call.when}): a log tells of people: {found[:5]}"
    return report
