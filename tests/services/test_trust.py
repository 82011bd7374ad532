"""Keys come, sign, rest and are revoked; whatever happens in between, one signs, and what was good stays good."""

import asyncio
import contextlib
import datetime as dt
import os
import random
import signal
import subprocess
import sys
import threading
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from motma.core.code import key_id, verify_code
from motma.core.cose import SigningKey
from motma.core.errors import Conflict, Hidden, Invalid, MotmaError, Unavailable
from motma.core.facts import KeyUse
from motma.core.trust import KnownKey
from motma.core.trust import Trust as Known
from motma.measures import load_demo_measure
from motma.services.board import BoardReader
from motma.services.trust import Trust, state_of
from motma.storage.keys import FILE_NAME, FOLDER, Chest, open_chest
from motma.storage.store import Store
from tests.storage.test_keys import old_file
from tests.world import BEGINNING, living_world

ROOT = Path(__file__).resolve().parents[2]
NOW = BEGINNING
MINUTE = dt.timedelta(minutes=1)


@dataclass
class Desk:
    """Trust on a store and a chest, and the board it is read from."""

    store: Store
    board: BoardReader
    chest: Chest
    trust: Trust

    async def known(self) -> Known:
        self.board.forget()
        return await self.board.trust(NOW)

    async def states(self, use: KeyUse = "code") -> list[str]:
        known = await self.known()
        return [state_of(key, known) for key in known.keys.values() if key.added.use == use]

    async def signs(self, use: KeyUse = "code") -> str:
        key = (await self.known()).signing(use)
        assert key is not None
        assert self.chest.signer(key.kid).kid == key.kid
        return key.added.kid


@contextlib.asynccontextmanager
async def desk(folder: Path, *, begun: bool = True, now: dt.datetime = NOW) -> AsyncIterator[Desk]:
    chest = open_chest(folder)
    store = await Store.open(f"sqlite:///{folder / 'motma.db'}", seal_key=chest.ring, clock=lambda: BEGINNING)
    try:
        board = BoardReader(store)
        trust = Trust(
            store=store,
            board=board,
            chest=chest,
            issuer="motma.test",
            areas=["79", "75"],
            random=os.urandom,
            status_uri="https://motma.test/v1/status",
        )
        if begun:
            await trust.begin(now)
        yield Desk(store, board, chest, trust)
    finally:
        await store.close()


@pytest.fixture
async def it(tmp_path: Path) -> AsyncIterator[Desk]:
    async with desk(tmp_path) as one:
        yield one


def a_key() -> ec.EllipticCurvePublicKey:
    return ec.generate_private_key(ec.SECP256R1()).public_key()


async def refused(work: Any, kind: type[MotmaError] = Conflict) -> str:
    with pytest.raises(kind) as error:
        await work
    assert error.value.words.vi and error.value.words.en
    return error.value.code


# -- our own -------------------------------------------------------------------------------------------------------


async def test_in_the_beginning_a_code_key_and_a_root_sign(it: Desk) -> None:
    assert (await it.states("code"), await it.states("root")) == (["signs"], ["signs"])
    assert await it.signs("code") != await it.signs("root")
    version = (await it.known()).version
    await it.trust.begin(NOW + dt.timedelta(days=1))
    assert (await it.known()).version == version


async def test_houses_that_begin_together_agree(tmp_path: Path) -> None:
    async with contextlib.AsyncExitStack() as opened:
        desks = [await opened.enter_async_context(desk(tmp_path, begun=False)) for _ in range(3)]
        await asyncio.gather(*(one.trust.begin(NOW) for one in desks))
        assert len({await one.signs("code") for one in desks}) == 1
        assert len((await desks[0].known()).keys) == 2


async def test_a_key_of_version_1_is_adopted_and_what_it_signed_verifies(tmp_path: Path) -> None:
    private = old_file(tmp_path)
    kid = key_id(private.public_key())
    async with desk(tmp_path) as it:
        assert await it.signs() == kid.hex()
        assert it.chest.kids()[kid] == "chest" and "signing_pem" not in (tmp_path / FILE_NAME).read_text()
        key = (await it.known()).keys[kid.hex()]
        assert key.trusted.not_before < NOW - dt.timedelta(days=3650)  # when it began nobody wrote down
        await it.trust.begin(NOW)
        assert len((await it.known()).keys) == 2


async def test_an_adopted_key_that_comes_late_does_not_sign(it: Desk, tmp_path: Path) -> None:
    """An old secrets file was put in the place of a new one."""
    private = old_file(tmp_path / "old")
    it.chest.adopt = key_id(private.public_key())
    before = await it.signs()
    assert await refused(it.trust.begin(NOW), Unavailable) == "key.absent"
    it.chest._signers[it.chest.adopt] = SigningKey(private, it.chest.adopt)
    await it.trust.begin(NOW)
    assert await it.signs() == before
    assert await it.states() == ["signs", "retired"]
    await it.trust.rotate(NOW)
    assert await it.states() == ["retired", "retired", "signs"]


async def test_a_new_key_waits_and_the_newest_waiting_one_signs_next(it: Desk) -> None:
    first = await it.signs()
    older, newer = await it.trust.new(NOW), await it.trust.new(NOW - dt.timedelta(days=2))  # the clock was set back
    assert await it.states() == ["signs", "waits", "waits"]
    assert {older.kid, newer.kid} < {key.kid for key in await it.trust.published(NOW)}
    promoted = await it.trust.rotate(NOW - dt.timedelta(days=3))
    assert promoted.added.kid == newer.added.kid == await it.signs()
    assert await it.states() == ["retired", "waits", "signs"]
    assert (await it.known()).keys[first].retired_at
    await it.trust.rotate(NOW)
    assert await it.states() == ["retired", "signs", "retired"]
    await it.trust.rotate(NOW)  # none waits: a new one is made
    assert await it.states() == ["retired", "retired", "retired", "signs"]
    assert await it.states("root") == ["signs"]


async def test_roots_rotate_by_themselves(it: Desk) -> None:
    code, root = await it.signs("code"), await it.signs("root")
    await it.trust.rotate(NOW, use="root")
    assert (await it.signs("code"), await it.states("root")) == (code, ["retired", "signs"])
    assert (await it.trust.signer("root", NOW)).kid.hex() != root


async def test_retiring(it: Desk) -> None:
    assert await refused(it.trust.retire(await it.signs(), NOW)) == "key.signs"
    assert await refused(it.trust.retire(await it.signs("root"), NOW)) == "key.signs"
    waiting = await it.trust.new(NOW)
    await it.trust.retire(waiting.added.kid, NOW)
    assert await refused(it.trust.retire(waiting.added.kid, NOW)) == "key.retired"
    assert await it.states() == ["signs", "retired"]
    assert waiting.kid in {key.kid for key in await it.trust.published(NOW)}


async def test_revoking_the_one_that_signs_makes_another_sign_in_the_same_act(it: Desk) -> None:
    waiting = await it.trust.new(NOW)
    signing = await it.signs()
    revoked = await it.trust.revoke(signing, "  máy chủ  bị mất ", NOW)
    assert (revoked.added.kid, revoked.why) == (signing, "máy chủ bị mất")
    assert await it.states() == ["revoked", "waits", "signs"]
    assert signing not in {key.kid.hex() for key in await it.trust.published(NOW)}
    await it.trust.revoke(waiting.added.kid, "lost", NOW)
    assert await it.states() == ["revoked", "revoked", "signs"]
    for verb in (it.trust.revoke(signing, "again", NOW), it.trust.retire(signing, NOW)):
        assert await refused(verb) == "key.revoked"
    await it.trust.revoke(await it.signs("root"), "lost", NOW)
    assert await it.states("root") == ["revoked", "signs"]


async def test_a_revocation_says_why(it: Desk) -> None:
    kid = await it.signs()
    assert await refused(it.trust.revoke(kid, "  ", NOW), Invalid) == "key.reason"
    assert (await refused(it.trust.revoke(kid, "x" * 201, NOW), Invalid)).startswith("text.")
    assert (await refused(it.trust.revoke(kid, "a\x00\ud800", NOW), Invalid)).startswith("text.")
    assert await it.states() == ["signs"]


async def test_a_key_is_found_by_how_its_kid_begins(it: Desk) -> None:
    kid = await it.signs()
    assert (await it.trust.find(f" {kid[:15].upper()} ", NOW)).added.kid == kid
    for nothing in ("", " ", "zz", "0x12", kid + "0", "é", ".*", "\x00"):
        assert await refused(it.trust.find(nothing, NOW), Hidden) == "key.unknown"
    for _ in range(17):  # more keys than first letters
        await it.trust.new(NOW)
    first = [key.added.kid[0] for key in await it.trust.keys(NOW)]
    twice = next(letter for letter in first if first.count(letter) > 1)
    assert await refused(it.trust.find(twice, NOW), Invalid) == "key.ambiguous"


async def test_a_key_that_is_not_at_hand_is_not_promoted(it: Desk, tmp_path: Path) -> None:
    signing, waiting = await it.signs(), await it.trust.new(NOW)
    (tmp_path / FOLDER / f"{waiting.added.kid}.pem").unlink()
    assert await refused(it.trust.rotate(NOW), Unavailable) == "key.absent"
    assert await it.signs() == signing


async def test_without_a_key_nothing_is_signed(tmp_path: Path) -> None:
    async with desk(tmp_path, begun=False) as it:
        assert await refused(it.trust.signer("code", NOW), Unavailable) == "key.none"


# -- at the same moment --------------------------------------------------------------------------------------------


def signing_keys(known: Known) -> list[KnownKey]:
    """Our code keys that were promoted and not put away since: there must be one."""
    ours = [key for key in known.keys.values() if key.added.own and key.added.use == "code"]
    return [key for key in ours if key.promoted_at and not (key.retired_at or key.revoked_at)]


async def test_two_who_rotate_at_once_leave_one_that_signs(tmp_path: Path) -> None:
    async with desk(tmp_path) as one, desk(tmp_path) as other:
        for _ in range(5):
            before = len((await one.known()).keys)
            answers = await asyncio.gather(one.trust.rotate(NOW), other.trust.rotate(NOW), return_exceptions=True)
            lost = [answer for answer in answers if isinstance(answer, Conflict)]
            won = [answer for answer in answers if isinstance(answer, KnownKey)]
            assert len(lost) + len(won) == 2 and won
            assert {error.code for error in lost} <= {"key.overtaken"}
            assert len((await one.known()).keys) == before + len(won)
            assert [key.added.kid for key in signing_keys(await one.known())] == [await other.signs()]


async def test_whatever_meets_whatever_one_signs(tmp_path: Path) -> None:
    dice = random.Random(3)
    async with desk(tmp_path) as one, desk(tmp_path) as other:
        for _ in range(25):
            known = await one.known()
            codes = [key for key in known.keys.values() if key.added.use == "code" and not key.revoked_at]

            def any_verb(at: Desk, kid: str) -> Any:
                verbs = (
                    at.trust.rotate,
                    at.trust.new,
                    lambda now: at.trust.retire(kid, now),
                    lambda now: at.trust.revoke(kid, "drill", now),
                )
                return dice.choice(verbs)(NOW)

            answers = await asyncio.gather(
                *(any_verb(at, dice.choice(codes).added.kid) for at in (one, other, one)), return_exceptions=True
            )
            for answer in answers:
                assert isinstance(answer, KnownKey) or (
                    isinstance(answer, Conflict)
                    and answer.code in ("key.overtaken", "key.signs", "key.retired", "key.revoked")
                ), answer
            assert len(signing_keys(await one.known())) == 1


async def test_a_revocation_is_done_whoever_is_in_the_way(tmp_path: Path) -> None:
    async with desk(tmp_path) as one, desk(tmp_path) as other:
        for _ in range(5):
            kid = await one.signs()
            answers = await asyncio.gather(
                one.trust.revoke(kid, "stolen", NOW),
                other.trust.rotate(NOW),
                other.trust.new(NOW),
                return_exceptions=True,
            )
            assert isinstance(answers[0], KnownKey)
            known = await one.known()
            assert known.keys[kid].revoked_at and len(signing_keys(known)) == 1


async def test_a_clock_that_was_set_back_refuses_nothing(tmp_path: Path) -> None:
    """A key made under a clock that was ahead signs under the right one; the key that retired does not come back."""
    async with desk(tmp_path, now=NOW + dt.timedelta(hours=20)) as it:
        await it.trust.rotate(NOW + dt.timedelta(hours=21))
        kid = await it.signs()
        assert (await it.known()).keys[kid].trusted.not_before < NOW
        await it.trust.rotate(NOW)
        assert await it.signs() != kid
        assert await it.states() == ["retired", "retired", "signs"]


# -- delegated -----------------------------------------------------------------------------------------------------


async def with_measure(it: Desk) -> dict[str, Any]:
    """What a delegation needs, with a measure that exists."""
    from motma.core.facts import Fact, MeasurePublished
    from motma.core.ids import new_fact_id
    from motma.storage.store import Act

    measure = load_demo_measure(NOW)
    fact = Fact(id=new_fact_id("mea", NOW, os.urandom(10)), at=NOW, actor="test", what=MeasurePublished(measure))
    await it.store.append(Act(facts=(fact,)))
    return {"measures": [measure.id], "areas": ["79"], "until": NOW + dt.timedelta(days=30), "now": NOW}


async def test_a_platform_may_sign_what_it_was_told(it: Desk) -> None:
    scope = await with_measure(it)
    public = a_key()
    key = await it.trust.delegate("ncovi.test", public, **scope, status_uri="https://ncovi.test/status")
    assert (key.kid, key.added.own, await it.states()) == (key_id(public), False, ["signs", "delegated"])
    trusted = (await it.board.keyring(NOW))[key.kid][0]
    assert (trusted.issuer, trusted.measures, trusted.areas) == ("ncovi.test", tuple(scope["measures"]), ("79",))
    assert trusted.not_after == scope["until"] and not trusted.revoked
    assert trusted.status_uri == "https://ncovi.test/status"
    assert key.kid in {one.kid for one in await it.trust.published(NOW)}
    assert key.kid not in {one.kid for one in await it.trust.published(NOW, own=True)}
    await it.trust.rotate(NOW)  # never promotes what is not ours
    assert await it.states() == ["retired", "delegated", "signs"]
    everywhere = await it.trust.delegate("ncovi.test", a_key(), **{**scope, "areas": []}, everywhere=True)
    assert everywhere.added.areas == ()
    await it.trust.retire(key.added.kid, NOW)
    await it.trust.revoke(everywhere.added.kid, "stolen", NOW)
    assert await it.states() == ["retired", "retired", "signs", "revoked"]


async def test_what_cannot_be_delegated(it: Desk) -> None:
    scope = await with_measure(it)
    ours = it.chest.signer(bytes.fromhex(await it.signs())).public
    revoked = await it.trust.delegate("x.test", a_key(), **scope, status_uri="https://x.test/status/")
    await it.trust.revoke(revoked.added.kid, "stolen", NOW)
    cases: list[tuple[str, type[MotmaError], dict[str, Any]]] = [
        ("key.issuer_ours", Conflict, {"issuer": "motma.test"}),
        ("key.issuer_ours", Conflict, {"issuer": "MOTMA.test"}),
        ("key.issuer", Invalid, {"issuer": ""}),
        ("key.issuer", Invalid, {"issuer": "hai từ"}),
        ("key.issuer", Invalid, {"issuer": "x" * 65}),
        ("key.scope", Invalid, {"measures": []}),
        ("key.scope", Invalid, {"areas": []}),
        ("key.scope", Invalid, {"everywhere": True}),
        ("measure.unknown", Hidden, {"measures": [*scope["measures"], "none"]}),
        ("area.unknown", Hidden, {"areas": ["79", "00"]}),
        ("key.until", Invalid, {"until": NOW}),
        ("key.until", Invalid, {"until": NOW.replace(year=2926)}),
        ("key.status_uri", Invalid, {"status_uri": "javascript:1"}),
        ("key.status_uri", Invalid, {"status_uri": "https://" + "x" * 200}),
        ("key.status_uri", Invalid, {"status_uri": "https://motma.test/v1/status/"}),
        ("key.status_uri", Invalid, {"status_uri": "https://x.test/status"}),
        ("key.known", Conflict, {"public": ours}),
        ("key.known", Conflict, {"public": revoked.public}),
    ]
    version = (await it.known()).version
    for code, kind, change in cases:
        given = {"issuer": "ncovi.test", "public": a_key(), **scope, **change}
        issuer, public = given.pop("issuer"), given.pop("public")
        assert await refused(it.trust.delegate(issuer, public, **given), kind) == code, change
    assert (await it.known()).version == version


# -- a whole house -------------------------------------------------------------------------------------------------


async def test_codes_of_before_verify_after_and_those_of_a_revoked_key_do_not(tmp_path: Path) -> None:
    async with living_world(tmp_path) as world:
        trust = world.built.house.trust
        before = (await world.declare(world.person(0))).json()["code"]
        world.now += MINUTE
        await trust.rotate(world.now)
        after = (await world.declare(world.person(1))).json()["code"]
        keyring = await world.built.board.keyring(world.now)
        old, new = verify_code(before, keyring), verify_code(after, keyring)
        assert old.key.kid != new.key.kid
        assert (await world.check(code=before)).json()["outcome"] == "accept"
        await trust.revoke(old.key.kid.hex(), "stolen", world.now)
        judged = (await world.check(code=before)).json()
        assert judged["outcome"] != "accept" and judged["reasons"][0]["code"] == "code.revoked_key"
        assert (await world.check(code=after)).json()["outcome"] == "accept"


async def test_a_running_house_learns_of_a_rotation_within_two_seconds(tmp_path: Path) -> None:
    """Two houses on one store and one folder, as a server and a command at the terminal are."""
    async with living_world(tmp_path) as server, desk(server.settings.data) as terminal:
        first = (await server.declare(server.person(0))).json()["code"]
        kid = (await terminal.trust.rotate(server.now)).kid
        late = (await server.declare(server.person(1))).json()["code"]  # it may still sign with the former one
        server.now += dt.timedelta(seconds=2)
        second = (await server.declare(server.person(2))).json()["code"]
        keyring = await server.built.board.keyring(server.now)
        verified = [verify_code(code, keyring) for code in (first, late, second)]
        assert verified[0].key.kid != kid == verified[2].key.kid
        assert [(await server.check(code=code)).json()["outcome"] for code in (first, late, second)] == ["accept"] * 3


# -- killed --------------------------------------------------------------------------------------------------------


def rotate_until_killed(folder: str) -> None:
    """The child: rotates for ever, and says each kid that it was told signs."""

    async def run() -> None:
        async with desk(Path(folder)) as one:
            while True:
                key = await one.trust.rotate(NOW)
                os.write(1, f"{key.added.kid}\n".encode())

    asyncio.run(run())


def told_before_the_kill(folder: Path, seconds: float) -> list[str]:
    program = "import sys; from tests.services.test_trust import rotate_until_killed as r; r(sys.argv[1])"
    child = subprocess.Popen([sys.executable, "-c", program, str(folder)], cwd=ROOT, stdout=subprocess.PIPE)
    assert child.stdout is not None
    with child.stdout as said:
        first = said.readline()  # it has begun
        killer = threading.Timer(seconds, child.kill)
        killer.start()
        told = (first + said.read()).decode().split()
        killer.join()
    assert child.wait() == -signal.SIGKILL
    return told


async def test_killed_at_any_moment_a_key_signs_and_opens(tmp_path: Path) -> None:
    dice = random.Random()
    for _ in range(3):
        told = await asyncio.to_thread(told_before_the_kill, tmp_path, dice.uniform(0.0, 0.2))
        assert told
        async with desk(tmp_path) as it:
            known = await it.known()
            assert set(told) <= set(known.keys)
            assert len(signing_keys(known)) == 1
            for key in known.keys.values():
                assert it.chest.signer(key.kid).public == key.public
            orphans = it.chest.kids().keys() - {key.kid for key in known.keys.values()}
            assert len(orphans) <= 3
            await it.trust.rotate(NOW)
            assert not orphans & {(await it.known()).keys[await it.signs()].kid}
