"""The watch over all tests' logs (tests/conftest.py) sees what it should see."""

import subprocess
import sys
from pathlib import Path

from motma.register.population import Population

ROOT = Path(__file__).parents[1]
_TESTS = """
import logging, structlog, sys
from tests.conftest import *

def test_failed_1(): logging.getLogger("x").warning("of %s", "NAME")
def test_failed_2(): structlog.get_logger().error("failed", who="NAME")
def test_failed_3(): sys.stderr.write("999190123456 is known")
def test_passed_1(): logging.getLogger("x").warning("of %s", 19991901234567)
def test_passed_2(): structlog.get_logger().error("failed", where="/code")
def test_passed_3(): print("NAME")
"""


def test_a_test_that_logs_of_somebody_fails(tmp_path: Path) -> None:
    name = next(one.name for one in map(Population(2021, 100_000).person, range(50)) if one.name.count(" ") > 1)
    (tmp_path / "conftest.py").write_text("from tests.conftest import pytest_runtest_makereport\n")
    (tmp_path / "test_it.py").write_text(_TESTS.replace("NAME", name))
    options = ["-vv", "-p", "no:cacheprovider", "--rootdir", str(tmp_path), "-c", "/dev/null"]
    ended = subprocess.run(
        [sys.executable, "-m", "pytest", *options, str(tmp_path)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    told = ended.stdout
    assert told.count("a log tells of people") >= 3
    for n in (1, 2, 3):
        assert f"test_failed_{n} FAILED" in told and f"test_passed_{n} PASSED" in told, told
