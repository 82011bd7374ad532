"""What engineers take home: it runs, it says what is wrong, and a twin's scanner judges its codes as it says."""

import datetime as dt
import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from msgspec import structs

from motma.cli import cli
from motma.cli.conformance import _exchange_key
from motma.cli.terminal import with_house
from motma.conformance.report import Tried, reported, sign
from motma.conformance.run import own_key
from motma.conformance.takehome import write_kit
from motma.conformance.trial import CASES
from motma.core.code import TrustedKey, key_id
from motma.core.errors import Invalid, Unavailable
from motma.core.publickeys import read_public_key
from motma.core.status import StatusList, StatusToken, list_uri
from motma.core.trustlist import TrustedList
from motma.twins.scanner import Held

STATUS = "https://motma.kit/v1/status"


def example(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-I", str(folder / "example.py")], capture_output=True, text=True, check=False
    )


def test_the_example_takes_what_it_must_and_says_where_it_does_not(tmp_path: Path) -> None:
    assert write_kit(tmp_path) == ["README.md", "codes.json", "webhooks.json", "example.py"]
    ran = example(tmp_path)
    assert ran.returncode == 0 and ran.stdout.count("ok ") == 9 and "NOT" not in ran.stdout, ran
    readme = (tmp_path / "README.md").read_text()
    assert all(f"`{one.id}`" in readme and one.words.vi in readme for one in CASES) and "{{" not in readme
    # A receiver that believes anybody is told so.
    careless = (tmp_path / "example.py").read_text().replace("if not any(", "if False and any(")
    (tmp_path / "example.py").write_text(careless)
    ran = example(tmp_path)
    assert ran.returncode != 0 and "NOT  204 forged" in ran.stdout, ran.stdout


def test_its_codes_are_judged_as_it_says(tmp_path: Path) -> None:
    write_kit(tmp_path)
    vectors = json.loads((tmp_path / "codes.json").read_text())
    now = dt.datetime.fromisoformat(vectors["now"])
    (jwk,) = vectors["keys"]
    public = read_public_key(json.dumps(jwk))
    day = dt.timedelta(days=1)
    key = TrustedKey(key_id(public), public, jwk["iss"], now - 2 * day, status_uri=STATUS)
    trusted = TrustedList(
        issuer=jwk["iss"],
        version=1,
        issued_at=now - day,
        expires_at=now + day,
        roots=(),
        keys=(key,),
        status={},
        raw=b"",
    )
    uri = list_uri(STATUS, 7)

    def held(status: dict[int, int]) -> Held:
        token = StatusToken(uri, jwk["iss"], now - day, now + day, 300, StatusList.of(status, 64), now)
        return Held(trusted, {uri: token})

    judged = {one["name"]: held({}).judge(one["code"], now).valid for one in vectors["cases"]}
    assert judged == {one["name"]: one["valid"] for one in vectors["cases"]}
    good = next(one["code"] for one in vectors["cases"] if one["name"] == "good")
    by_status = [held({7: status}).judge(good, now) for status in (1, 2, 3)]
    assert [(seen.valid, seen.reason) for seen in by_status] == [
        (False, "status.revoked"),
        (False, "status.suspended"),
        (None, "status.check_again"),
    ]
    # Nothing at hand, or nothing of this age: not known, and never wrong.
    assert [
        (seen.valid, seen.reason)
        for seen in (Held().judge(good, now), Held(trusted).judge(good, now), held({}).judge(good, now + 1.5 * day))
    ] == [(None, "trust.none"), (None, "status.missing"), (None, "status.missing")]


def test_the_command_says_what_is_missing_before_it_starts_anything(tmp_path: Path) -> None:
    runner = CliRunner()
    nothing = runner.invoke(cli, ["conformance"])
    assert nothing.exit_code == 2 and "--kit FOLDER" in nothing.output
    both = runner.invoke(cli, ["conformance", "http://127.0.0.1:9", "--kit", str(tmp_path)])
    assert both.exit_code == 2
    for url in ("http://127.0.0.1:9", "127.0.0.1:9", "x"):
        nobody = runner.invoke(cli, ["conformance", url, "--report", str(tmp_path / "report")])
        assert isinstance(nobody.exception, Unavailable) and nobody.exception.code == "conformance.platform", url
    assert not (tmp_path / "report").exists()
    written = runner.invoke(cli, ["conformance", "--kit", str(tmp_path / "kit")])
    assert written.exit_code == 0 and (tmp_path / "kit" / "example.py").exists()


def test_a_report_says_first_what_did_not_pass_and_whether_all_was_tried() -> None:
    tried = tuple(Tried(one.id, one.group, one.words._asdict(), one.id != "codes.expired", "<b>", 0.1) for one in CASES)
    at = dt.datetime(2026, 1, 18, tzinfo=dt.UTC)
    red, part, green = (
        sign(reported("Bến xe <b>", "native", some, every=len(CASES), by="this report alone", at=at), own_key()).html
        for some in (tried, tried[:2], tuple(structs.replace(one, passed=True) for one in tried))
    )
    assert '<a href="#codes.expired">' in red and 'id="codes.expired" class="no"' in red and "Chưa liên thông" in red
    assert "Mới thử một phần" in part and "Chưa liên thông" in part and "Chưa đạt" not in part
    assert "Đã liên thông" in green and "Mới thử một phần" not in green and "Chưa đạt" not in green
    assert "<b>" not in (red + part + green).replace('<b title="', "").replace("Bến xe &lt;b&gt;", "")


def test_a_report_is_checked_by_whoever_gets_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOTMA_DATA", str(tmp_path / "data"))
    monkeypatch.delenv("MOTMA_DATABASE_URL", raising=False)
    ours = with_house(_exchange_key)
    tried = tuple(Tried(one.id, one.group, one.words._asdict(), True, "", 0.1) for one in CASES)
    at = dt.datetime(2026, 1, 18, tzinfo=dt.UTC)
    by_us = sign(reported("Bến xe", "native", tried, every=len(CASES), by="exchange", at=at), ours).jws
    alone = sign(
        reported("Bến xe", "native", tried[:2], every=len(CASES), by="this report alone", at=at), own_key()
    ).jws
    head, body, signature = by_us.split(".")
    file = tmp_path / "report.jws"

    def check(jws: str, *more: str) -> tuple[str, BaseException | None, int]:
        file.write_text(jws + "\n")
        ended = CliRunner().invoke(cli, ["conformance", "--check", str(file), *more])
        return ended.output, ended.exception, ended.exit_code

    said, _, code = check(by_us, "--operator")
    assert (
        code == 0
        and "signed with a key of this exchange" in said
        and f"{len(CASES)} of {len(CASES)} cases passed: interlinked" in said
    )
    said, _, code = check(by_us)
    assert code == 0 and "there, --check it with --operator" in said
    said, _, code = check(alone)
    assert code == 1 and "does not prove who ran it" in said and "only some were tried" in said
    for wrong, more in ((alone, ["--operator"]), (f"{head}.{body[:-2]}AA.{signature}", []), ("chào", [])):
        error = check(wrong, *more)[1]
        assert isinstance(error, Invalid) and error.code == "conformance.report"
