"""What the server writes to its log when something breaks: where, and never about whom."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import structlog

from motma.config import read_settings
from motma.serve import server


def test_a_failure_is_logged_without_what_it_was_about(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    before = structlog.get_config()
    try:
        server(replace(read_settings({}), data=tmp_path))
        name = "Nguyễn Thị Minh Khai"
        try:
            raise RuntimeError("broken")
        except RuntimeError as error:
            structlog.get_logger().error("request.failed", exc_info=error)
        line = capfd.readouterr().err
        assert name not in line
        assert json.loads(line)["event"] == "request.failed"
        assert "RuntimeError: broken" in line
    finally:
        structlog.configure(**before)
