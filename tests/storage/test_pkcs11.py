"""Keys in a hardware module, played by SoftHSM: they sign, never leave, and come back when the token does."""

import contextlib
import datetime as dt
import os
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import msgspec
import pytest

from motma.core.code import key_id, verify_code
from motma.core.cose import holds, parse_sign1, sign1
from motma.core.errors import Unavailable
from motma.storage.keys import FOLDER, Chest, hsm, open_chest
from motma.storage.keys.hsm import Pkcs11Signer
from tests.world import World, living_world

PIN = "624-Chốt"
LABEL = "motma thử"
ROOT = Path(__file__).resolve().parents[2]


def _module() -> str:
    path = os.environ.get("MOTMA_SOFTHSM", "")
    if not path and os.environ.get("CI"):
        pytest.fail("MOTMA_SOFTHSM is not set: sh tools/find-softhsm.sh prints it")
    if not path:
        pytest.skip("MOTMA_SOFTHSM is not set (make test sets it): keys in a hardware module are not tested")
    return path


@pytest.fixture(scope="module")
def tokens(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder of tokens; SoftHSM reads where it is once for the whole process."""
    _module()
    folder = tmp_path_factory.mktemp("softhsm") / "tokens"
    folder.mkdir()
    config = folder.parent / "softhsm2.conf"
    config.write_text(f"directories.tokendir = {folder}\nobjectstore.backend = file\nlog.level = ERROR\n")
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("SOFTHSM2_CONF", str(config))
        yield folder


@pytest.fixture
def module(tokens: Path) -> str:
    """The library, with one fresh token in it."""
    for label in (LABEL, "another"):
        subprocess.run(["softhsm2-util", "--delete-token", "--token", label], capture_output=True, check=False)
    make_token(LABEL)
    hsm._module.cache_clear()
    return _module()


def make_token(label: str) -> None:
    subprocess.run(
        ["softhsm2-util", "--init-token", "--free", "--label", label, "--pin", PIN, "--so-pin", "12345678"],
        capture_output=True,
        check=True,
    )


@contextlib.contextmanager
def taken_away(tokens: Path) -> Iterator[None]:
    """As if somebody pulled the token out."""
    away = tokens.with_name("away")
    tokens.rename(away)
    tokens.mkdir()
    try:
        yield
    finally:
        tokens.rmdir()
        away.rename(tokens)


def refused(chest: Chest, kid: bytes) -> str:
    with pytest.raises(Unavailable) as error:
        chest.signer(kid).sign(b"x")
    assert PIN not in str(error.value.words)
    return error.value.code


def test_it_signs_as_any_other(module: str, tmp_path: Path) -> None:
    chest = open_chest(tmp_path, pin=PIN)
    kid, public = chest.create_in_token(module, LABEL)
    assert (kid, chest.kids()) == (key_id(public), {kid: "hsm"})
    for one in (chest, open_chest(tmp_path, pin=PIN)):
        signer = one.signer(kid)
        assert signer.kid == kid and signer.public == public
        assert holds(public, parse_sign1(sign1({}, b"payload", signer)))
    held = (tmp_path / FOLDER / f"{kid.hex()}.p11").read_bytes()
    assert (tmp_path / FOLDER / f"{kid.hex()}.p11").stat().st_mode & 0o777 == 0o600
    assert set(msgspec.json.decode(held)) == {"version", "module", "token", "key", "point"}
    assert PIN.encode() not in held and PIN not in repr(signer)


def test_the_private_key_does_not_leave(module: str, tmp_path: Path) -> None:
    import pkcs11

    chest = open_chest(tmp_path, pin=PIN)
    kid, _ = chest.create_in_token(module, LABEL)
    chest.signer(kid).sign(b"x")
    token = pkcs11.lib(module).get_token(token_label=LABEL)
    with token.open() as session:  # this process is logged in already
        (key,) = session.get_objects({pkcs11.Attribute.CLASS: pkcs11.ObjectClass.PRIVATE_KEY})
        assert (key[pkcs11.Attribute.EXTRACTABLE], key[pkcs11.Attribute.SENSITIVE]) == (False, True)
        with pytest.raises(pkcs11.AttributeSensitive):
            key[pkcs11.Attribute.VALUE]


def test_several_keys_in_a_token_and_several_tokens(module: str, tmp_path: Path) -> None:
    make_token("another")
    chest = open_chest(tmp_path, pin=PIN)
    made = [chest.create_in_token(module, label) for label in (LABEL, "another", LABEL)]
    for _ in range(2):
        for kid, public in made:
            assert holds(public, parse_sign1(sign1({}, b"payload", chest.signer(kid))))


def test_a_token_that_was_away_signs_when_it_is_back(
    module: str, tokens: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hsm, "_REST_SECONDS", 0.05)
    chest = open_chest(tmp_path, pin=PIN)
    kid, _ = chest.create_in_token(module, LABEL)
    chest.signer(kid).sign(b"x")
    for _ in range(2):
        with taken_away(tokens):
            hsm._p11().lib(module).reinitialize()  # SoftHSM keeps a token it has seen in memory
            assert refused(chest, kid) == "key.hsm"
            assert refused(chest, kid) == "key.hsm"
        time.sleep(0.06)
        assert len(chest.signer(kid).sign(b"x")) == 64


def test_a_lost_session_is_not_noticed(module: str, tmp_path: Path) -> None:
    import pkcs11

    chest = open_chest(tmp_path, pin=PIN)
    kid, _ = chest.create_in_token(module, LABEL)
    chest.signer(kid).sign(b"x")
    pkcs11.lib(module).reinitialize()  # what a network module does when its line breaks
    assert len(chest.signer(kid).sign(b"x")) == 64


def test_while_it_rests_it_is_not_asked(module: str, tokens: Path, tmp_path: Path) -> None:
    """A module that is away may take long to say so, and others wait for the event loop."""
    chest = open_chest(tmp_path, pin=PIN)
    kid, _ = chest.create_in_token(module, LABEL)
    with taken_away(tokens):
        hsm._p11().lib(module).reinitialize()
        assert refused(chest, kid) == "key.hsm"
        began = time.perf_counter()
        for _ in range(100):
            assert refused(chest, kid) == "key.hsm"
        assert time.perf_counter() - began < hsm._REST_SECONDS


@pytest.mark.parametrize("pin", ["", "000000", "x" * 500])
def test_a_wrong_pin_is_tried_once(module: str, tmp_path: Path, pin: str, monkeypatch: pytest.MonkeyPatch) -> None:
    kid, _ = open_chest(tmp_path, pin=PIN).create_in_token(module, LABEL)
    hsm._module.cache_clear()
    hsm._p11().lib(module).reinitialize()
    opened = 0
    real = hsm._Module._open

    def counted(*arguments: object, **named: object) -> object:
        nonlocal opened
        opened += 1
        return real(*arguments, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(hsm._Module, "_open", counted)
    chest = open_chest(tmp_path, pin=pin)
    for _ in range(5):
        assert refused(chest, kid) == "key.pin"
    assert opened == (1 if pin else 0)
    with pytest.raises(Unavailable, match=r"key\.pin"):
        chest.create_in_token(module, LABEL)
    right = open_chest(tmp_path, pin=PIN)
    assert len(right.signer(kid).sign(b"x")) == 64


def test_what_is_not_there(module: str, tmp_path: Path) -> None:
    chest = open_chest(tmp_path, pin=PIN)
    for path, label in ((module, "nowhere"), ("/nowhere.so", LABEL), (sys.executable, LABEL), ("", LABEL)):
        with pytest.raises(Unavailable) as error:
            chest.create_in_token(path, label)
        assert error.value.code == "key.hsm"
    assert chest.kids() == {}


def test_another_key_in_its_place_signs_nothing(module: str, tmp_path: Path) -> None:
    chest = open_chest(tmp_path, pin=PIN)
    (one, _), (two, _) = chest.create_in_token(module, LABEL), chest.create_in_token(module, LABEL)
    paths = [tmp_path / FOLDER / f"{kid.hex()}.p11" for kid in (one, two)]
    held = [msgspec.json.decode(path.read_bytes()) for path in paths]
    paths[0].write_bytes(msgspec.json.encode({**held[0], "key": held[1]["key"]}))
    assert refused(open_chest(tmp_path, pin=PIN), one) == "key.hsm_other"
    for broken in (held[1], {**held[0], "point": "00"}, {**held[0], "key": ""}, {**held[0], "key": "zz"}, {}):
        paths[0].write_bytes(msgspec.json.encode(broken))
        assert refused(open_chest(tmp_path, pin=PIN), one) == "key.damaged"


def test_threads_may_sign_at_once(module: str, tmp_path: Path) -> None:
    chest = open_chest(tmp_path, pin=PIN)
    kid, public = chest.create_in_token(module, LABEL)
    signer = chest.signer(kid)
    assert isinstance(signer, Pkcs11Signer)
    good: list[bool] = []

    def work(n: int) -> None:
        for m in range(20):
            good.append(holds(public, parse_sign1(sign1({}, b"%d %d" % (n, m), signer))))

    threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert good == [True] * 80


def test_a_signature_costs_little(module: str, tmp_path: Path) -> None:
    """Signing goes on in the event loop: with a module as quick as this one, a millisecond is far away."""
    chest = open_chest(tmp_path, pin=PIN)
    kid, _ = chest.create_in_token(module, LABEL)
    signer = chest.signer(kid)
    signer.sign(b"x")
    took = []
    for _ in range(200):
        began = time.perf_counter()
        signer.sign(b"x")
        took.append(time.perf_counter() - began)
    assert sorted(took)[100] < 0.005, f"{sorted(took)[100] * 1e6:.0f} µs"


def test_without_the_extra_it_says_what_to_install(tmp_path: Path) -> None:
    program = (
        "import sys; sys.modules['pkcs11'] = None\n"
        "from pathlib import Path; from motma.storage.keys import open_chest\n"
        "try: open_chest(Path(sys.argv[1]), pin='1').create_in_token('/x.so', 'x')\n"
        "except Exception as error: print(error, error.words.en)"
    )
    told = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path)], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert told.stdout == ("key.hsm_extra The part that talks to hardware modules is missing. Install: motma[hsm]\n")


@pytest.fixture
async def world(module: str, tmp_path: Path) -> AsyncIterator[World]:
    async with living_world(tmp_path) as world:
        world.built.house.trust.chest._pin = PIN
        yield world


async def test_a_house_issues_codes_with_it(world: World, module: str, tokens: Path) -> None:
    trust = world.built.house.trust
    waiting = await trust.new(world.now, token=(module, LABEL))
    promoted = await trust.rotate(world.now)
    assert promoted.kid == waiting.kid and trust.chest.kids()[promoted.kid] == "hsm"
    code = (await world.declare(world.person(0))).json()["code"]
    assert verify_code(code, await world.built.board.keyring(world.now)).key.kid == promoted.kid
    with taken_away(tokens):
        hsm._p11().lib(module).reinitialize()
        sent = await world.declare(world.person(1))
        assert (sent.status_code, sent.json()["code"]) == (503, "key.hsm")
        assert sent.headers["retry-after"] == "5"
    world.now += dt.timedelta(seconds=5)
    time.sleep(hsm._REST_SECONDS)  # noqa: ASYNC251 - real time is what the module rests by
    assert (await world.declare(world.person(1))).status_code == 201


async def test_a_token_that_is_away_is_not_promoted(world: World, module: str, tokens: Path) -> None:
    trust = world.built.house.trust
    before = await trust.signer("code", world.now)
    await trust.new(world.now, token=(module, LABEL))
    with taken_away(tokens):
        hsm._p11().lib(module).reinitialize()
        with pytest.raises(Unavailable, match=r"key\.hsm"):
            await trust.rotate(world.now)
    assert (await trust.signer("code", world.now)).kid == before.kid
