"""The secrets file changes while others read it: seal keys come and go, another unlock key takes over."""

import base64
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
import pytest

from motma.core.cose import holds, parse_sign1, sign1
from motma.core.errors import Conflict, MotmaError, Unavailable
from motma.storage.keys import FILE_NAME, FOLDER, UNLOCK_NAME, Chest, open_chest
from motma.storage.keys.change import check_unlock
from tests.storage.samples import NOW


def version_2(folder: Path) -> tuple[bytes, bytes]:
    """Put a file of version 2 in the place of version 3; its seal key and its index key."""
    chest = open_chest(folder)
    (key,) = chest.ring.held()
    wrap = chest._unlock.wrap
    content = {
        "version": 2,
        "unlock": chest._unlock.name,
        "seal_key": wrap("seal_key", key.key),
        "index_key": wrap("index_key", chest.secrets.index_key),
        "adopt": "ab" * 8,
    }
    (folder / FILE_NAME).write_bytes(msgspec.json.encode(content))
    return key.key, chest.secrets.index_key


def states(chest: Chest) -> list[tuple[int, str]]:
    return [(one.number, one.state) for one in chest.ring.look()]


def names(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


# -- versions ------------------------------------------------------------------------------------------------------


def test_version_2_is_brought_up_in_place(tmp_path: Path) -> None:
    seal, index = version_2(tmp_path)
    for chest in (open_chest(tmp_path), open_chest(tmp_path)):
        (key,) = chest.ring.held()
        assert (key.number, key.key, key.state, key.made_at) == (1, seal, "active", None)
        assert chest.secrets.index_key == index
        assert chest.adopt == bytes.fromhex("ab" * 8)
    file = tmp_path / FILE_NAME
    assert msgspec.json.decode(file.read_bytes())["version"] == 3
    assert file.stat().st_mode & 0o777 == 0o600


def test_many_who_bring_it_up_while_one_changes_it_lose_nothing(tmp_path: Path) -> None:
    seal, _ = version_2(tmp_path)
    with ThreadPoolExecutor(8) as threads:
        chests = list(threads.map(lambda _: open_chest(tmp_path), range(8)))
        added = threads.submit(chests[0].add_seal_key, NOW)
        reopened = list(threads.map(lambda _: open_chest(tmp_path), range(8)))
    assert added.result().number == 2
    for chest in (*chests, *reopened):
        assert states(chest) == [(1, "active"), (2, "waiting")]
        assert chest.ring.held()[0].key == seal


def test_version_2_that_cannot_be_written_is_good_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seal, _ = version_2(tmp_path)

    def refuse(path: Path, content: bytes) -> None:
        raise OSError(30, "Read-only file system", str(path))

    monkeypatch.setattr("motma.storage.keys.files.replace", refuse)
    assert [one.key for one in open_chest(tmp_path).ring.held()] == [seal]


# -- the ring ------------------------------------------------------------------------------------------------------


def test_a_ring_sees_a_change_within_a_second_and_at_once_when_asked(tmp_path: Path) -> None:
    server, command = open_chest(tmp_path), open_chest(tmp_path)
    before = server.ring.held()
    assert server.ring.held() is before, "nothing to look at"
    assert command.add_seal_key(NOW).number == 2
    assert server.ring.held() is before
    assert states(server) == [(1, "active"), (2, "waiting")]
    assert command.activate_seal_key().number == 2
    until = time.monotonic() + 5
    while [one.state for one in server.ring.held()] != ["active", "active"]:
        assert time.monotonic() < until
        time.sleep(0.05)
    command.settle_seal_keys(2, keep=True)
    assert states(server) == [(1, "kept"), (2, "active")]
    command.settle_seal_keys(2, keep=False)
    assert states(server) == [(2, "active")]
    assert states(open_chest(tmp_path)) == [(2, "active")]


def test_a_key_that_waits_waits_alone(tmp_path: Path) -> None:
    chest = open_chest(tmp_path)
    made = chest.add_seal_key(NOW)
    assert (made.number, made.state, made.made_at) == (2, "waiting", NOW)
    with pytest.raises(Conflict, match=r"secrets\.waits"):
        chest.add_seal_key(NOW)
    assert states(chest) == [(1, "active"), (2, "waiting")]


def test_what_was_known_goes_on_while_the_file_is_bad(tmp_path: Path) -> None:
    chest, file = open_chest(tmp_path), tmp_path / FILE_NAME
    known, whole = chest.ring.look(), file.read_bytes()
    for spoil in (file.unlink, lambda: file.write_bytes(b"{"), lambda: file.chmod(0o644)):
        spoil()
        assert chest.ring.look() == known
        file.unlink(missing_ok=True)
        file.touch(mode=0o600)
        file.write_bytes(whole)
    open_chest(tmp_path).add_seal_key(NOW)
    assert states(chest) == [(1, "active"), (2, "waiting")]


def test_the_thrown_away_key_is_nowhere(tmp_path: Path) -> None:
    chest = open_chest(tmp_path)
    (old,) = chest.ring.held()
    wrapped = base64.b64encode(chest._unlock.wrap("seal_key:1", old.key))
    (tmp_path / f".{FILE_NAME}.leftover").write_bytes((tmp_path / FILE_NAME).read_bytes())  # of somebody killed
    assert any(wrapped in path.read_bytes() for path in tmp_path.iterdir() if path.is_file())
    chest.add_seal_key(NOW)
    chest.activate_seal_key()
    chest.settle_seal_keys(2, keep=False)
    assert not any(wrapped in path.read_bytes() for path in tmp_path.iterdir() if path.is_file())
    assert names(tmp_path) == {FILE_NAME, UNLOCK_NAME}


# -- another unlock key --------------------------------------------------------------------------------------------


def a_full_chest(folder: Path) -> tuple[Chest, list[bytes]]:
    chest = open_chest(folder)
    kids = [chest.create()[0] for _ in range(2)]
    chest.add_seal_key(NOW)
    return open_chest(folder), kids


def opens(folder: Path, unlock: Path | None, was: Chest, kids: list[bytes]) -> bool:
    """Everything that was in the chest is in it still, and each key signs."""
    chest = open_chest(folder, unlock)
    for kid in kids:
        signer = chest.signer(kid)
        assert holds(was.signer(kid).public, parse_sign1(sign1({}, b"payload", signer)))
    return (chest.secrets, sorted(chest.kids())) == (was.secrets, sorted(kids))


def refusal(work: Callable[[], object]) -> str:
    with pytest.raises(MotmaError) as error:
        work()
    return error.value.code


def test_rewrapped_it_opens_with_the_new_unlock_key_only(tmp_path: Path) -> None:
    folder, old, new = tmp_path / "data", tmp_path / "data" / UNLOCK_NAME, tmp_path / "new.key"
    chest, kids = a_full_chest(folder)
    for kid in kids:
        chest.signer(kid)
    before = {path.name: path.read_bytes() for path in (folder / FOLDER).iterdir()}
    assert chest.rewrap(new) == 2
    assert new.stat().st_mode & 0o777 == 0o600
    assert opens(folder, new, chest, kids)
    assert names(folder) == {FILE_NAME, UNLOCK_NAME, *(f"{FOLDER}/{kid.hex()}.pem" for kid in kids)}
    assert all(path.read_bytes() != before[path.name] for path in (folder / FOLDER).iterdir())
    assert refusal(lambda: open_chest(folder)) == "secrets.locked"
    shutil.copy(folder / FOLDER / f"{kids[0].hex()}.pem", tmp_path)
    assert refusal(lambda: chest.add_seal_key(NOW)) == "secrets.locked", "who was open before changes nothing"
    assert refusal(chest.create) == "secrets.locked"
    assert chest.rewrap(new) == 2, "done already"
    assert opens(folder, new, chest, kids)
    old.unlink()
    assert open_chest(folder, new).rewrap(old) == 2, "and back, with a key made anew"
    assert opens(folder, old, chest, kids)


def test_a_private_key_that_does_not_open_stops_it_before_anything_is_changed(tmp_path: Path) -> None:
    chest, kids = a_full_chest(tmp_path / "data")
    pem = tmp_path / "data" / FOLDER / f"{kids[1].hex()}.pem"
    whole = pem.read_bytes()
    pem.write_bytes(whole[:-90])
    assert refusal(lambda: chest.rewrap(tmp_path / "new.key")) == "key.damaged"
    pem.write_bytes(whole)
    assert opens(tmp_path / "data", None, chest, kids)
    assert chest.rewrap(tmp_path / "new.key") == 2
    assert opens(tmp_path / "data", tmp_path / "new.key", chest, kids)


_KILLED = """
import os, sys
from pathlib import Path
from motma.storage.keys import files, open_chest
steps = int(sys.argv[3])

def counted(work):
    def counting(*args, **named):
        global steps
        steps -= 1
        if steps < 0:
            os.kill(os.getpid(), 9)
        return work(*args, **named)
    return counting

os.fsync, os.unlink, Path.unlink, Path.rename = map(counted, (os.fsync, os.unlink, Path.unlink, Path.rename))
open_chest(Path(sys.argv[1])).rewrap(Path(sys.argv[2]))
"""


def test_killed_at_every_step_it_opens_with_one_of_both(tmp_path: Path) -> None:
    """Before each write to the disk in turn: one of the two unlock keys opens everything, and a second run finishes."""
    chest, kids = a_full_chest(tmp_path / "data")
    new, ended, seen = tmp_path / "new.key", -signal.SIGKILL, set[bool]()
    steps = 0
    while ended:
        folder = tmp_path / f"killed-{steps}"
        shutil.copytree(tmp_path / "data", folder)
        new.unlink(missing_ok=True)
        ended = subprocess.run([sys.executable, "-c", _KILLED, folder, new, str(steps)], check=False).returncode
        assert ended in (0, -signal.SIGKILL)
        file = msgspec.json.decode((folder / FILE_NAME).read_bytes())
        over = file["unlock"] != chest._unlock.name
        seen.add(over)
        if over:
            assert opens(folder, new, chest, kids)
            assert refusal(lambda at=folder: open_chest(at)) == "secrets.locked"  # type: ignore[misc]
        else:
            assert opens(folder, None, chest, kids)
            assert open_chest(folder).rewrap(new) == 2
        assert opens(folder, new, chest, kids)
        assert refused_by_old(folder, chest)
        steps += 3
    assert seen == {False, True} and steps > 12


def refused_by_old(folder: Path, chest: Chest) -> bool:
    with pytest.raises(Unavailable):
        check_unlock(folder, chest._unlock)
    return True
