"""The secrets file: made once, agreed on by all, refused when it cannot be trusted."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest
from rich.pretty import pretty_repr

from motma.core.errors import Unavailable
from motma.storage.keys import FILE_NAME, Secrets, load_or_create


def test_made_once_and_read_ever_after(tmp_path: Path) -> None:
    folder = tmp_path / "a" / "secrets"
    made, created = load_or_create(folder)
    again, created_again = load_or_create(folder)
    assert (created, created_again) == (True, False)
    assert made == again
    assert (folder / FILE_NAME).stat().st_mode & 0o777 == 0o600
    assert folder.stat().st_mode & 0o777 == 0o700
    assert [path.name for path in folder.iterdir()] == [FILE_NAME]
    assert len(made.seal_key) == len(made.index_key) == 32
    assert made.signing_key().kid == again.signing_key().kid


def test_nothing_secret_is_printed(tmp_path: Path) -> None:
    secrets, _ = load_or_create(tmp_path / "s")
    for text in (repr(secrets), str(secrets), f"{secrets}", repr([secrets]), pretty_repr(secrets)):
        assert secrets.signing_pem[40:60] not in text
        assert repr(secrets.seal_key)[2:10] not in text
        assert "•••" in text


def test_index_is_a_keyed_hash(tmp_path: Path) -> None:
    one, _ = load_or_create(tmp_path / "one")
    two, _ = load_or_create(tmp_path / "two")
    assert one.index("document", "cccd:VN:999") == one.index("document", "cccd:VN:999")
    assert one.index("document", "x") != one.index("wallet", "x") != two.index("wallet", "x")
    assert one.index("ab", "c") != one.index("a", "bc")
    assert one.index("k", "v") == hashlib.blake2b(b"k\x00v", key=one.index_key, digest_size=32).digest()


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o666])
def test_a_file_others_can_get_at_is_refused(tmp_path: Path, mode: int) -> None:
    load_or_create(tmp_path / "s")
    (tmp_path / "s" / FILE_NAME).chmod(mode)
    with pytest.raises(Unavailable) as error:
        load_or_create(tmp_path / "s")
    assert (error.value.code, error.value.permanent) == ("secrets.exposed", True)
    assert "chmod 600" in error.value.words.en


def test_a_folder_others_can_write_to_is_refused(tmp_path: Path) -> None:
    (tmp_path / "s").mkdir()
    (tmp_path / "s").chmod(0o777)
    with pytest.raises(Unavailable, match=r"secrets\.exposed"):
        load_or_create(tmp_path / "s")


@pytest.mark.parametrize("content", [b"", b"{}", b"[]", b"\xff", b'{"version":2}', b"null", None])
def test_damage_is_said_and_never_mended_by_new_keys(tmp_path: Path, content: bytes | None) -> None:
    load_or_create(tmp_path)
    file = tmp_path / FILE_NAME
    file.write_bytes(file.read_bytes()[:-30] if content is None else content)
    before = file.read_bytes()
    with pytest.raises(Unavailable) as error:
        load_or_create(tmp_path)
    assert (error.value.code, error.value.permanent) == ("secrets.damaged", True)
    assert file.read_bytes() == before


def test_short_keys_and_other_curves_are_damage(tmp_path: Path) -> None:
    secrets, _ = load_or_create(tmp_path)
    file = tmp_path / FILE_NAME
    whole = file.read_text()
    for broken in (whole.replace("BEGIN PRIVATE", "BEGIN PUBLIC"), whole.replace('"seal_key": "', '"seal_key": "AAAA')):
        assert broken != whole
        file.write_text(broken)
        with pytest.raises(Unavailable, match=r"secrets\.damaged"):
            load_or_create(tmp_path)
    assert isinstance(secrets, Secrets)


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    load_or_create(tmp_path / "real")
    (tmp_path / "s").mkdir()
    (tmp_path / "s" / FILE_NAME).symlink_to(tmp_path / "real" / FILE_NAME)
    with pytest.raises(Unavailable, match=r"secrets\.unreachable"):
        load_or_create(tmp_path / "s")


def test_processes_that_start_together_agree(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from motma.storage.keys import load_or_create; sys.stdin.read();"
        "s, new = load_or_create(Path(sys.argv[1])); print(s.index('k', 'v').hex(), new)"
    )
    started = [
        subprocess.Popen(
            [sys.executable, "-c", program, str(tmp_path / "s")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ,
        )
        for _ in range(4)
    ]
    answers = [process.communicate("go")[0].split() for process in started]
    assert len({index for index, _ in answers}) == 1
    assert [new for _, new in answers].count("True") == 1
