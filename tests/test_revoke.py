"""``motma revoke``, ``suspend``, ``restore`` and ``reissue``, on a house of their own."""

import asyncio
import datetime as dt
import io
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from motma.cli import main
from motma.core.facts import Standing
from motma.core.ids import Qid
from motma.storage.seal import Ring
from motma.storage.store import Store
from tests.world import living_world

Run = Callable[..., tuple[int, str, str]]
NOT_THE_CHECK_DIGIT = "521322923144321716"
OF_NOBODY = "521322923144321717"


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    def once(*arguments: str) -> tuple[int, str, str]:
        with monkeypatch.context() as patched:
            patched.setattr(sys, "argv", ["motma", *arguments])
            patched.setenv("MOTMA_DATA", str(tmp_path / "data"))
            patched.setenv("MOTMA_ISSUER", "motma.test")
            patched.setattr(sys, "stdin", io.StringIO())  # nobody is there to answer
            code = 0
            try:
                main()
            except SystemExit as ended:
                code = int(ended.code or 0)
        return code, *capsys.readouterr()

    return once


@pytest.fixture
def citizen(tmp_path: Path) -> tuple[Qid, Callable[[], Standing]]:
    """Somebody with two codes that are good now, and how they stand."""

    async def declare() -> tuple[Qid, Ring]:
        async with living_world(tmp_path) as world:
            world.now = dt.datetime.now(dt.UTC)
            await world.publish()
            await world.declare(world.person(0))
            sent = (await world.declare(world.person(0))).json()
            return Qid(sent["qid"]), world.built.house.trust.chest.ring

    qid, key = asyncio.run(declare())

    async def standing() -> Standing:
        url = f"sqlite:///{tmp_path}/data/motma.db"
        store = await Store.open(url, seal_key=key, clock=lambda: dt.datetime.now(dt.UTC))
        try:
            found = await store.standing(qid)
        finally:
            await store.close()
        assert found is not None
        return found

    return qid, lambda: asyncio.run(standing())


def test_revoke_suspend_restore(run: Run, citizen: tuple[Qid, Callable[[], Standing]]) -> None:
    qid, standing = citizen
    grouped = f"{qid[:6]} {qid[6:12]} {qid[12:]}"
    assert run("suspend", grouped, "--reason", "đang xác minh") == (
        0,
        f"{qid} is suspended, and 2 codes with it.\n",
        "",
    )
    assert (standing().revoked, standing().suspended) == (False, True)
    assert run("revoke", qid, "--reason", "mất giấy tờ") == (0, f"{qid} is revoked, and 2 codes with it.\n", "")
    assert standing().revoked
    assert run("restore", qid) == (0, f"{qid} is restored, and 2 codes with it.\n", "")
    assert not (standing().revoked or standing().suspended)
    code, out, said = run("restore", qid)
    assert (code, out) == (2, "") and "[standing.in_order]" in said


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("revoke", NOT_THE_CHECK_DIGIT, "--reason", "x"), "qid."),
        (("suspend", "five", "--reason", "x"), "qid."),
        (("restore", ""), "qid."),
        (("revoke", OF_NOBODY, "--reason", "x"), "standing.none"),
        (("restore", OF_NOBODY), "standing.none"),
        (("revoke", OF_NOBODY, "--reason", "\u202e"), "text.characters"),
        (("suspend", OF_NOBODY, "--reason", "x" * 201), "text.too_long"),
    ],
)
def test_what_cannot_be_done_is_one_line(run: Run, arguments: tuple[str, ...], code: str) -> None:
    ended, out, said = run(*arguments)
    assert (ended, out) == (2, "")
    assert said.startswith("motma: ") and f"[{code}" in said and said.count("\n") == 1


def test_a_reason_is_asked_for(run: Run) -> None:
    for verb in ("revoke", "suspend"):
        code, _, said = run(verb, OF_NOBODY)
        assert code == 2 and "--reason" in said


def test_reissue(run: Run, citizen: tuple[Qid, Callable[[], Standing]]) -> None:
    _, standing = citizen
    before = standing().code
    code, said, complained = run("reissue", "--signed-by", "zz")
    assert (code, said) == (2, "") and "[key.unknown]" in complained
    assert run("reissue")[0] == 1 and standing().code == before
    code, said, _ = run("reissue", "--yes")
    assert (code, said) == (0, "1 codes issued\n") and standing().code != before


def test_suspending_who_is_revoked_is_not_called_suspended(
    run: Run, citizen: tuple[Qid, Callable[[], Standing]]
) -> None:
    qid, standing = citizen
    run("revoke", qid, "--reason", "lost")
    code, said, _ = run("suspend", qid, "--reason", "looked into")
    assert code == 0 and "stays so" in said and standing().revoked
