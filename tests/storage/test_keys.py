"""The chest: made once, agreed on by all, opened by its own unlock key only, and never showing what is in it."""

import base64
import hashlib
import os
import resource
import shutil
import signal
import subprocess
import sys
import traceback
from pathlib import Path

import msgspec
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from rich.pretty import pretty_repr

from motma.core.code import key_id
from motma.core.cose import Sign1, SigningKey, holds, parse_sign1, sign1
from motma.core.errors import Unavailable
from motma.storage.keys import FILE_NAME, FOLDER, UNLOCK_NAME, Chest, open_chest
from motma.storage.keys.files import check_folder
from motma.storage.keys.secrets import read_file


def signed(chest: Chest, kid: bytes) -> Sign1:
    return parse_sign1(sign1({}, b"payload", chest.signer(kid)))


def old_file(folder: Path) -> ec.EllipticCurvePrivateKey:
    """What version 1 left behind."""
    private = ec.generate_private_key(ec.SECP256R1())
    pem = private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    folder.mkdir(mode=0o700, exist_ok=True)
    content = {"version": 1, "signing_pem": pem.decode(), "seal_key": b"s" * 32, "index_key": b"i" * 32}
    (folder / FILE_NAME).touch(mode=0o600)
    (folder / FILE_NAME).write_bytes(msgspec.json.encode(content))
    return private


def _seal_key(chest: Chest) -> bytes:
    (only,) = chest.ring.held()
    assert (only.number, only.state) == (1, "active")
    return only.key


def refused(folder: Path, unlock: Path | None = None) -> Unavailable:
    """How opening fails; nothing is changed by it."""
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    with pytest.raises(Unavailable) as error:
        open_chest(folder, unlock)
    assert error.value.permanent and error.value.words.vi and error.value.words.en
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before
    return error.value


# -- made once -----------------------------------------------------------------------------------------------------


def test_made_once_and_read_ever_after(tmp_path: Path) -> None:
    folder = tmp_path / "a" / "secrets"
    made = open_chest(folder)
    kid, public = made.create()
    again = open_chest(folder)
    assert (made.created, again.created, made.adopt, again.adopt) == (True, False, None, None)
    assert made.secrets == again.secrets
    assert len(made.secrets.seal_keys[0].key) == len(made.secrets.index_key) == 32
    assert made.kids() == again.kids() == {kid: "chest"}
    assert kid == key_id(public) == again.signer(kid).kid
    assert holds(public, signed(again, kid))
    assert again.signer(kid) is again.signer(kid)
    names = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert names == {FILE_NAME, UNLOCK_NAME, f"{FOLDER}/{kid.hex()}.pem"}
    assert {(folder / name).stat().st_mode & 0o777 for name in names} == {0o600}
    assert {path.stat().st_mode & 0o777 for path in (folder, folder / FOLDER)} == {0o700}


def test_a_key_that_came_later_is_found_when_it_is_asked_for(tmp_path: Path) -> None:
    one, other = open_chest(tmp_path), open_chest(tmp_path)
    assert other.kids() == {}
    kid, public = one.create()
    assert other.kids() == {kid: "chest"}
    assert holds(public, signed(other, kid))


def test_processes_that_start_together_agree(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from motma.storage.keys import open_chest; sys.stdin.read();"
        "c = open_chest(Path(sys.argv[1])); print(c.secrets.index('k', 'v').hex(), c.created, c.adopt)"
    )
    for folder in (tmp_path / "new", tmp_path / "old"):
        adopted = key_id(old_file(folder).public_key()) if folder.name == "old" else None
        started = [
            subprocess.Popen(
                [sys.executable, "-c", program, str(folder)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                env=os.environ,
            )
            for _ in range(4)
        ]
        for process in started:  # all wait; now all go
            assert process.stdin
            process.stdin.close()
            process.stdin = None
        answers = [process.communicate()[0].split(" ", 2) for process in started]
        assert [process.returncode for process in started] == [0] * 4
        assert len({index for index, *_ in answers}) == 1
        assert [new for _, new, _ in answers].count("True") == (adopted is None)
        assert {kid.strip() for *_, kid in answers} == {str(adopted)}


@pytest.mark.parametrize("looks", [1, 2])
def test_another_process_may_be_quicker_at_any_moment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, looks: int
) -> None:
    """We look and there is nothing; by the next look it is all there, keys too."""
    made = open_chest(tmp_path)
    if looks == 1:
        made.create()
    seen = 0

    def late(path: Path) -> object:
        nonlocal seen
        seen += 1
        return None if seen <= looks else read_file(path)

    monkeypatch.setattr("motma.storage.keys.read_file", late)
    late_one = open_chest(tmp_path)
    assert (late_one.created, late_one.secrets) == (False, made.secrets)


# -- nothing is shown ----------------------------------------------------------------------------------------------


def test_nothing_secret_is_printed(tmp_path: Path) -> None:
    chest = open_chest(tmp_path, pin="13579246")
    kid, _ = chest.create()
    signer = chest.signer(kid)
    assert isinstance(signer, SigningKey)
    number = signer.private.private_numbers().private_value
    unlock = (tmp_path / UNLOCK_NAME).read_bytes().strip()
    secrets = [unlock, base64.b64decode(unlock), chest.secrets.seal_keys[0].key, chest.secrets.index_key]
    told = [repr(secret)[2:12] for secret in secrets] + [str(number), f"{number:x}", "13579246"]
    for shown in (
        chest,
        chest.secrets,
        [chest.secrets],
        chest.ring.held(),
        chest.ring,
        chest._unlock,
        signer,
        old_file(tmp_path / "old"),
    ):
        for text in (repr(shown), str(shown), pretty_repr(shown), f"{shown}"):
            assert not any(secret in text for secret in told)
    assert "•••" in repr(chest.secrets) and "•••" in repr(chest._unlock)
    (tmp_path / FOLDER / f"{kid.hex()}.pem").write_bytes(b"-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n")
    with pytest.raises(Unavailable) as error:
        open_chest(tmp_path).signer(kid)
    assert error.value.__cause__ is None and error.value.__suppress_context__
    assert not any(secret in "".join(traceback.format_exception(error.value)) for secret in told)


def test_at_rest_nothing_lies_open(tmp_path: Path) -> None:
    """Neither the two keys nor the private key can be read without the unlock key."""
    unlock = tmp_path / "elsewhere.key"
    chest = open_chest(tmp_path / "data", unlock)
    kid, _ = chest.create()
    kept = b"".join(path.read_bytes() for path in (tmp_path / "data").rglob("*") if path.is_file())
    for key in (chest.secrets.seal_keys[0].key, chest.secrets.index_key):
        for form in (key, base64.b64encode(key)[:40], key.hex().encode()):
            assert form not in kept
    pem = (tmp_path / "data" / FOLDER / f"{kid.hex()}.pem").read_bytes()
    assert pem.startswith(b"-----BEGIN ENCRYPTED PRIVATE KEY-----")
    for passphrase in (None, b"", unlock.read_bytes(), unlock.read_bytes().strip()):
        with pytest.raises((TypeError, ValueError)):
            serialization.load_pem_private_key(pem, passphrase)


def test_index_is_a_keyed_hash(tmp_path: Path) -> None:
    one, two = open_chest(tmp_path / "one").secrets, open_chest(tmp_path / "two").secrets
    assert one.index("document", "cccd:VN:999") == one.index("document", "cccd:VN:999")
    assert one.index("document", "x") != one.index("wallet", "x") != two.index("wallet", "x")
    assert one.index("ab", "c") != one.index("a", "bc")
    assert one.index("k", "v") == hashlib.blake2b(b"k\x00v", key=one.index_key, digest_size=32).digest()


# -- version 1 -----------------------------------------------------------------------------------------------------


def test_version_1_is_wrapped_in_place_without_loss(tmp_path: Path) -> None:
    private = old_file(tmp_path)
    before = parse_sign1(sign1({}, b"issued before", SigningKey(private, key_id(private.public_key()))))
    for chest in (open_chest(tmp_path), open_chest(tmp_path)):
        assert (_seal_key(chest), chest.secrets.index_key) == (b"s" * 32, b"i" * 32)
        assert chest.adopt == key_id(private.public_key())
        assert chest.kids() == {chest.adopt: "chest"}
        assert holds(chest.signer(chest.adopt).public, before)
        assert holds(private.public_key(), signed(chest, chest.adopt))
    left = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert b"BEGIN PRIVATE KEY" not in left and base64.b64encode(b"s" * 32) not in left


@pytest.mark.parametrize("steps", ["unlock", "unlock+key"])
def test_version_1_half_wrapped_is_wrapped_at_the_next_start(tmp_path: Path, steps: str) -> None:
    private = old_file(tmp_path)
    plain = (tmp_path / FILE_NAME).read_bytes()
    open_chest(tmp_path)
    (tmp_path / FILE_NAME).write_bytes(plain)  # killed before the file was replaced
    if steps == "unlock":
        shutil.rmtree(tmp_path / FOLDER)
    chest = open_chest(tmp_path)
    assert _seal_key(chest) == b"s" * 32 and chest.adopt == key_id(private.public_key())
    assert b"signing_pem" not in (tmp_path / FILE_NAME).read_bytes()


def test_version_1_with_another_key_is_damage(tmp_path: Path) -> None:
    private = old_file(tmp_path)
    whole = (tmp_path / FILE_NAME).read_text()
    other = ec.generate_private_key(ec.SECP384R1()).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    public = private.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    for pem in (other, public, b"", b"x"):
        held = msgspec.json.decode(whole)
        (tmp_path / FILE_NAME).write_bytes(msgspec.json.encode({**held, "signing_pem": pem.decode()}))
        with pytest.raises(Unavailable, match=r"secrets\.damaged"):
            open_chest(tmp_path)


# -- what cannot be trusted is refused -----------------------------------------------------------------------------


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o666])
@pytest.mark.parametrize("name", [FILE_NAME, UNLOCK_NAME])
def test_a_file_others_can_get_at_is_refused(tmp_path: Path, mode: int, name: str) -> None:
    open_chest(tmp_path / "s")
    (tmp_path / "s" / name).chmod(mode)
    error = refused(tmp_path / "s")
    assert error.code == "secrets.exposed"
    assert f"chmod 600 {tmp_path / 's' / name}" in error.words.en


def test_a_private_key_others_can_get_at_is_refused(tmp_path: Path) -> None:
    kid, _ = open_chest(tmp_path).create()
    (tmp_path / FOLDER / f"{kid.hex()}.pem").chmod(0o640)
    with pytest.raises(Unavailable, match=r"secrets\.exposed"):
        open_chest(tmp_path).signer(kid)


def test_a_folder_others_can_write_to_is_refused(tmp_path: Path) -> None:
    chest = open_chest(tmp_path)
    chest.create()
    (tmp_path / FOLDER).chmod(0o770)
    with pytest.raises(Unavailable, match=r"secrets\.exposed"):
        chest.create()
    tmp_path.chmod(0o777)
    assert refused(tmp_path).code == "secrets.exposed"


@pytest.mark.parametrize("content", [b"", b"{}", b"[]", b"\xff", b'{"version":2}', b'{"version":3}', b"null", None])
def test_damage_is_said_and_never_mended_by_new_keys(tmp_path: Path, content: bytes | None) -> None:
    open_chest(tmp_path)
    file = tmp_path / FILE_NAME
    file.write_bytes(file.read_bytes()[:-30] if content is None else content)
    assert refused(tmp_path).code == "secrets.damaged"


def test_a_wrapped_key_that_was_changed_is_damage(tmp_path: Path) -> None:
    open_chest(tmp_path)
    file = tmp_path / FILE_NAME
    held = msgspec.json.decode(file.read_bytes())
    (seal,) = held["seal_keys"]
    flipped = bytearray(base64.b64decode(seal["key"]))
    flipped[7] ^= 1
    for broken in (
        {"seal_keys": [{**seal, "key": base64.b64encode(flipped).decode()}]},
        {"seal_keys": [{**seal, "key": held["index_key"]}], "index_key": seal["key"]},
        {"seal_keys": [{**seal, "key": ""}]},
        {"seal_keys": [{**seal, "key": base64.b64encode(bytes(24)).decode()}]},
        {"seal_keys": [{**seal, "number": 2}]},
        {"seal_keys": [{**seal, "state": "waiting"}]},
        {"seal_keys": [seal, seal]},
        {"seal_keys": []},
    ):
        file.write_bytes(msgspec.json.encode({**held, **broken}))
        assert refused(tmp_path).code == "secrets.damaged"


def test_another_unlock_key_opens_nothing(tmp_path: Path) -> None:
    kid, _ = open_chest(tmp_path / "one").create()
    open_chest(tmp_path / "two")
    shutil.copy(tmp_path / "two" / UNLOCK_NAME, tmp_path / "one" / UNLOCK_NAME)
    error = refused(tmp_path / "one")
    assert error.code == "secrets.locked" and "MOTMA_UNLOCK" in error.words.en
    shutil.copy(tmp_path / "one" / FOLDER / f"{kid.hex()}.pem", tmp_path / "two")
    (tmp_path / "two" / FOLDER).mkdir(mode=0o700)
    (tmp_path / "two" / f"{kid.hex()}.pem").rename(tmp_path / "two" / FOLDER / f"{kid.hex()}.pem")
    with pytest.raises(Unavailable, match=r"key\.damaged"):
        open_chest(tmp_path / "two").signer(kid)


def test_a_lost_unlock_key_is_never_made_anew(tmp_path: Path) -> None:
    open_chest(tmp_path)
    (tmp_path / UNLOCK_NAME).rename(tmp_path / "moved")
    assert refused(tmp_path).code == "secrets.unlock_missing"
    assert not (tmp_path / UNLOCK_NAME).exists()
    assert refused(tmp_path, tmp_path / "mistyped").code == "secrets.unlock_missing"
    assert open_chest(tmp_path, tmp_path / "moved").created is False


def test_a_lost_secrets_file_is_never_made_anew_beside_its_keys(tmp_path: Path) -> None:
    open_chest(tmp_path).create()
    (tmp_path / FILE_NAME).unlink()
    assert refused(tmp_path).code == "secrets.missing"


@pytest.mark.parametrize("content", [b"", b"short", b"x" * 31, b"x" * 33, b"!" * 44, b"A" * 40, b"A" * 70_000])
def test_an_unlock_key_of_another_size_is_refused(tmp_path: Path, content: bytes) -> None:
    open_chest(tmp_path)
    (tmp_path / UNLOCK_NAME).write_bytes(content)
    assert refused(tmp_path).code == "secrets.unlock_damaged"


def test_a_link_in_the_folder_is_not_followed_nor_a_pipe_waited_for(tmp_path: Path) -> None:
    kid, _ = open_chest(tmp_path / "real").create()
    for name in (FILE_NAME, UNLOCK_NAME):
        folder = tmp_path / f"s-{name}"
        shutil.copytree(tmp_path / "real", folder)
        (folder / name).unlink()
        (folder / name).symlink_to(tmp_path / "real" / name)
        assert refused(folder).code == "secrets.unreachable"
        (folder / name).unlink()
        os.mkfifo(folder / name, 0o600)
        with pytest.raises(Unavailable, match=r"secrets\.unreachable"):
            open_chest(folder)
    (tmp_path / "real" / FOLDER / f"{kid.hex()}.pem").rename(tmp_path / "key.pem")
    (tmp_path / "real" / FOLDER / f"{kid.hex()}.pem").symlink_to(tmp_path / "key.pem")
    with pytest.raises(Unavailable, match=r"secrets\.unreachable"):
        open_chest(tmp_path / "real").signer(kid)


# -- an unlock key from elsewhere ----------------------------------------------------------------------------------


def test_it_can_be_handed_in_as_credentials_are(tmp_path: Path) -> None:
    """systemd: 0400, or 0440 by an access list. Kubernetes: a link to a link. Raw bytes, or base64 on a line."""
    key = os.urandom(32)
    versions = tmp_path / "run" / "..2026"
    versions.mkdir(parents=True)
    (tmp_path / "run" / "..data").symlink_to("..2026")
    (tmp_path / "run" / "unlock").symlink_to("..data/unlock")
    secrets = None
    for content in (key, base64.b64encode(key) + b"\n", base64.b64encode(key)):
        for mode in (0o400, 0o440, 0o600):
            (versions / "unlock").unlink(missing_ok=True)
            (versions / "unlock").write_bytes(content)
            (versions / "unlock").chmod(mode)
            chest = open_chest(tmp_path / "data", tmp_path / "run" / "unlock")
            assert secrets in (None, chest.secrets)
            secrets = chest.secrets
    for mode in (0o444, 0o420, 0o606):
        (versions / "unlock").chmod(mode)
        assert refused(tmp_path / "data", tmp_path / "run" / "unlock").code == "secrets.exposed"


def test_it_is_made_where_the_setting_says_if_the_folder_is_there(tmp_path: Path) -> None:
    assert refused_to_make(tmp_path / "data", tmp_path / "nowhere" / "key") == "secrets.unreachable"
    (tmp_path / "etc").mkdir()
    chest = open_chest(tmp_path / "data", tmp_path / "etc" / "key")
    assert chest.created and (tmp_path / "etc" / "key").stat().st_mode & 0o777 == 0o600
    assert not (tmp_path / "data" / UNLOCK_NAME).exists()


def refused_to_make(folder: Path, unlock: Path) -> str:
    with pytest.raises(Unavailable) as error:
        open_chest(folder, unlock)
    assert not (folder / FILE_NAME).exists()
    return error.value.code


# -- keys ----------------------------------------------------------------------------------------------------------


def test_a_key_that_is_not_here_says_where_to_get_it(tmp_path: Path) -> None:
    chest = open_chest(tmp_path)
    with pytest.raises(Unavailable) as error:
        chest.signer(b"\x01" * 8)
    assert (error.value.code, error.value.permanent) == ("key.absent", True)
    assert "0101010101010101" in error.value.words.vi
    kid, _ = chest.create()
    shutil.move(tmp_path / FOLDER / f"{kid.hex()}.pem", tmp_path / FOLDER / "0101010101010101.pem")
    with pytest.raises(Unavailable, match=r"key\.damaged"):
        chest.signer(b"\x01" * 8)


def test_what_is_no_key_is_passed_over(tmp_path: Path) -> None:
    chest = open_chest(tmp_path)
    kid, _ = chest.create()
    for name in (f".{kid.hex()}.pem.abc", "notes.txt", f"{kid.hex()}.pem.bak", f"{kid.hex().upper()}.PEM"):
        (tmp_path / FOLDER / name).touch()
    assert chest.kids() == {kid: "chest"}


def test_a_full_disk_leaves_nothing_half_written(tmp_path: Path) -> None:
    chest = open_chest(tmp_path)
    kid, public = chest.create()
    before = sorted(path.name for path in (tmp_path / FOLDER).iterdir())
    child = os.fork()
    if not child:  # a file of this process may have 100 bytes and no more
        try:
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))
            chest.create()
        except Unavailable as error:
            os._exit(7 if error.code == "secrets.unreachable" else 8)
        finally:
            os._exit(9)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
    assert sorted(path.name for path in (tmp_path / FOLDER).iterdir()) == before
    assert holds(public, signed(open_chest(tmp_path), kid))


def test_folders_that_are_made_above_the_data_are_the_owners_only(tmp_path: Path) -> None:
    check_folder(tmp_path / "above" / "data")
    assert [path.stat().st_mode & 0o777 for path in (tmp_path / "above", tmp_path / "above" / "data")] == [0o700, 0o700]
    check_folder(tmp_path / "above" / "data")
