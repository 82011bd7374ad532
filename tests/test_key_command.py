"""``motma key``: what it does is seen in its own list, what it says is one line, and nothing private comes out."""

import json
import re
from pathlib import Path

import cbor2
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.test_cli import Run, Told, run

__all__ = ["run"]


@pytest.fixture(autouse=True)
def wide(monkeypatch: pytest.MonkeyPatch) -> None:
    from rich.console import Console

    monkeypatch.setattr("motma.cli.terminal.console", Console(width=200))


def listed(run: Run) -> list[list[str]]:
    """Rows of words: kid, use, state, since, where, issuer, and what it may sign."""
    told = run("key", "list")
    assert told.code == 0 and told.err == ""
    return [line.split() for line in told.out.splitlines()[1:]]


def states(run: Run) -> list[str]:
    return [f"{use} {state} {where}" for _, use, state, _, where, *_ in listed(run)]


def one_line(told: Told, code: str) -> bool:
    return (told.code, told.out) == (2, "") and bool(re.fullmatch(rf"motma: .+ \[{re.escape(code)}\]\n", told.err))


def pair(folder: Path) -> tuple[Path, Path]:
    """The files of a private key and of its public half."""
    private = ec.generate_private_key(ec.SECP256R1())
    pem = serialization.Encoding.PEM
    (folder / "private.pem").write_bytes(
        private.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    (folder / "public.pem").write_bytes(
        private.public_key().public_bytes(pem, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
    return folder / "private.pem", folder / "public.pem"


def test_the_life_of_a_key(run: Run) -> None:
    assert states(run) == ["code signs chest", "root signs chest"]
    waiting = run("key", "new").out
    kid = waiting[:16]
    assert waiting == f"{kid} waits. `motma key rotate` lets it sign.\n"
    assert run("key", "rotate").out == f"{kid} signs.\n"
    first = listed(run)[0][0]
    assert states(run) == ["code retired chest", "root signs chest", "code signs chest"]
    assert one_line(run("key", "retire", kid), "key.signs")
    assert one_line(run("key", "retire", first[:9]), "key.retired")
    told = run("key", "revoke", kid[:9], "--reason", "máy chủ bị lấy cắp", "--yes")
    heir = listed(run)[-1][0]
    assert told.out == f"{kid} is revoked. {heir} signs.\n"
    assert run("key", "revoke", first, "--reason", "drill", "--yes").out == f"{first} is revoked.\n"
    assert one_line(run("key", "revoke", kid, "--reason", "again", "--yes"), "key.revoked")
    assert states(run)[-1] == "code signs chest" and states(run)[0] == "code revoked chest"
    spare = run("key", "new").out[:16]
    assert run("key", "retire", spare).out == f"{spare} is retired.\n"
    assert run("key", "rotate", "--use", "root").code == 0
    assert [state for state in states(run) if state.startswith("root")] == ["root retired chest", "root signs chest"]


def test_revoking_asks_first(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    import io

    kid = listed(run)[0][0]
    assert run("key", "revoke", kid).code == 2  # without a reason
    for answer in ("n\n", "\n", ""):
        monkeypatch.setattr("sys.stdin", io.StringIO(answer))
        told = run("key", "revoke", kid, "--reason", "x")
        assert told.code == 1 and f"Every code that {kid} (motma.demo) signed" in told.out
    assert states(run)[0] == "code signs chest"
    monkeypatch.setattr("sys.stdin", io.StringIO("y\n"))
    assert run("key", "revoke", kid, "--reason", "x").code == 0
    assert states(run)[0] == "code revoked chest"


def test_delegating(run: Run, tmp_path: Path) -> None:
    private, public = pair(tmp_path)
    ends = ("--until", "2099-03-31")
    may = ("--measure", "demo-hcmc", "--area", "79", "--area", "75")
    assert one_line(run("key", "delegate", "ncovi.test", str(public), *may, *ends), "measure.unknown")
    run("measure", "publish-demo")
    assert one_line(run("key", "delegate", "ncovi.test", str(private), *may, *ends), "key.private_given")
    assert one_line(run("key", "delegate", "motma.demo", str(public), *may, *ends), "key.issuer_ours")
    assert one_line(run("key", "delegate", "x.test", str(public), "--measure", "demo-hcmc", *ends), "key.scope")
    assert one_line(run("key", "delegate", "x.test", str(public), *may, "--until", "2020-01-01"), "key.until")
    for never in ("tomorrow", "", "2026-02-30", "2026-99-99T99:99", "9999-12-31T23:59-23:59"):
        told = run("key", "delegate", "x.test", str(public), *may, "--until", never)
        assert told.code == 2 and "--until" in told.err and "Traceback" not in told.err
    (tmp_path / "junk").write_bytes(b"\xff" * 20_000)
    assert one_line(run("key", "delegate", "x.test", str(tmp_path / "junk"), *may, *ends), "key.unreadable")
    told = run("key", "delegate", "ncovi.test", str(public), *may, *ends)
    kid = told.out[:16]
    assert told.out == f"{kid} may sign as ncovi.test until 2099-03-31.\n"
    row = next(row for row in listed(run) if row[0] == kid)
    assert row[2] == "delegated"
    assert " ".join(row[4:]) == "elsewhere ncovi.test demo-hcmc in 79, 75 until 2099-03-31"
    assert one_line(run("key", "delegate", "ncovi.test", str(public), *may, *ends), "key.known")
    assert run("key", "revoke", kid, "--reason", "drill", "--yes").out == f"{kid} is revoked.\n"


def test_exporting(run: Run, tmp_path: Path) -> None:
    run("key", "rotate")
    revoked = run("key", "new").out[:16]
    run("key", "revoke", revoked, "--reason", "drill", "--yes")
    root, believed = listed(run)[1][0], {row[0] for row in listed(run) if row[1] == "code"} - {revoked}
    told = run("key", "export")
    assert told.err == "" and len(json.loads(told.out)["keys"]) == 2
    pem = run("key", "export", "--format", "pem").out
    assert set(re.findall(r"^([0-9a-f]{16}) motma\.demo$", pem, re.MULTILINE)) == believed
    assert run("key", "export", "--format", "pem", "--use", "root").out.startswith(root)
    out = tmp_path / "keys"
    told = run("key", "export", "--format", "cose", "-o", str(out))
    assert (told.code, told.out, told.err) == (0, "", f"2 keys: {out}\n")
    assert {key[2].hex() for key in cbor2.loads(out.read_bytes())} == believed
    assert "PRIVATE" not in pem and '"d"' not in json.dumps(json.loads(run("key", "export").out))
    told = run("key", "export", "-o", str(tmp_path / "no" / "file"))
    assert told.code == 1 and "Traceback" not in told.err


@pytest.mark.parametrize("verb", [["retire"], ["revoke", "--reason", "x", "--yes"]])
def test_keys_that_are_not_there(run: Run, verb: list[str]) -> None:
    for kid in ("zz", "", "0" * 17, "*"):
        assert one_line(run("key", *verb, kid), "key.unknown")


def test_a_hardware_module_that_is_not_there(run: Run) -> None:
    pytest.importorskip("pkcs11")
    assert run("key", "new", "--pkcs11", "/nowhere.so").code == 2
    told = run("key", "new", "--pkcs11", "/nowhere.so", "--token", "x", MOTMA_PKCS11_PIN="135790")
    assert one_line(told, "key.hsm") and "135790" not in told.err
    assert states(run) == ["code signs chest", "root signs chest"]


def test_an_unlock_key_elsewhere(run: Run, tmp_path: Path) -> None:
    elsewhere = {"MOTMA_UNLOCK": str(tmp_path / "unlock")}
    assert run("key", "list", **elsewhere).code == 0
    assert one_line(run("key", "list"), "secrets.unlock_missing")
    (tmp_path / "unlock").unlink()
    assert one_line(run("key", "list", **elsewhere), "secrets.unlock_missing")
    assert one_line(run("key", "list", MOTMA_UNLOCK=""), "config.unlock")
