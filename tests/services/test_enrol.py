"""Ways in: given once, kept as hashes, guessed at a few times only, and taken away at once."""

import asyncio
import datetime as dt

import pytest

from motma.core.errors import Hidden, Invalid, MotmaError
from motma.services.enrol import Device, Enrol, TooManyGuesses
from tests.world import HERE, NEXT, World

MINUTE = dt.timedelta(minutes=1)


async def refused(work: object) -> str:
    with pytest.raises(MotmaError) as error:
        await work  # type: ignore[misc]
    return error.value.code


async def test_an_invitation_is_good_once(world: World) -> None:
    enrol = world.built.house.enrol
    invitation = await enrol.invite_device(HERE, "Máy 1", world.now)
    token, device = await enrol.enrol_device(invitation, world.now)
    assert (device.checkpoint, device.name) == (HERE, "Máy 1")
    assert await enrol.device(token, world.now) == device
    for later in (dt.timedelta(0), 3 * MINUTE, 25 * 60 * MINUTE):
        assert await refused(enrol.enrol_device(invitation, world.now + later)) == "enrolment.unknown"
    assert await enrol.devices() == [device]


async def test_an_invitation_taken_by_many_at_once_lets_one_in(world: World) -> None:
    enrol = world.built.house.enrol
    invitation = await enrol.invite_device(HERE, "Máy 1", world.now)
    tried = await asyncio.gather(
        *[enrol.enrol_device(invitation, world.now) for _ in range(20)], return_exceptions=True
    )
    assert sum(isinstance(one, Hidden) for one in tried) == 19
    assert len(await enrol.devices()) == 1


async def test_an_invitation_lasts_a_day(world: World) -> None:
    enrol = world.built.house.enrol
    first = await enrol.invite_device(HERE, "Máy 1", world.now)
    second = await enrol.invite_device(HERE, "Máy 2", world.now)
    day = dt.timedelta(hours=24)
    await enrol.enrol_device(first, world.now + day - dt.timedelta(seconds=1))
    assert await refused(enrol.enrol_device(second, world.now + day)) == "enrolment.unknown"


@pytest.mark.parametrize(
    "token", ["", "x", "a" * 32, "a" * 10_000, "\x00" * 32, "é" * 32, "\ud800" * 20, "' OR 1=1 --...."]
)
async def test_an_invitation_nobody_gave(world: World, token: str) -> None:
    enrol = world.built.house.enrol
    assert await refused(enrol.enrol_device(token, world.now)) == "enrolment.unknown"
    assert await enrol.device(token, world.now) is None
    assert await enrol.operator(token, world.now) is None
    assert await enrol.platform(token, world.now) is None


async def test_a_secret_of_one_kind_opens_no_other_door(world: World) -> None:
    enrol, now = world.built.house.enrol, world.now
    invitation = await enrol.invite_device(HERE, "Máy 1", now)
    token, device = await enrol.enrol_device(await enrol.invite_device(HERE, "Máy 2", now), now)
    pin = await enrol.appoint_officer("CB-01", "Trần Văn Trực", now)
    shift = await enrol.start_shift(device, "CB-01", pin, now)
    key = await enrol.appoint_operator("TRUC-BAN", now)
    session = await enrol.sign_in("TRUC-BAN", key, now)
    platform = await enrol.register_platform("NCOVI", "NCOVI", now)
    secrets = {
        "invitation": invitation, "device": token, "pin": pin, "shift": shift, "key": key, "session": session,
        "platform": platform,
    }  # fmt: skip
    for name, secret in secrets.items():
        opened = {
            "device": await enrol.device(secret, now),
            "shift": await enrol.shift(secret, device, now),
            "session": await enrol.operator(secret, now),
            "platform": await enrol.platform(secret, now),
        }
        assert {door for door, found in opened.items() if found} == ({name} & set(opened)), name


async def test_only_hashes_are_kept(world: World) -> None:
    enrol, now = world.built.house.enrol, world.now
    given = [await enrol.register_platform("NCOVI", "NCOVI", now), await enrol.appoint_operator("TRUC-BAN", now)]
    given += [await enrol.invite_device(HERE, "Máy 1", now), await enrol.appoint_officer("CB-01", "Trực", now)]
    files = [path for path in world.settings.data.rglob("motma.db*") if path.is_file()]
    kept = b"".join(path.read_bytes() for path in files)
    assert b"TRUC-BAN" in kept
    for secret in given[:3]:
        assert secret.encode() not in kept
    assert len(given[3]) == 6 and given[3].isdigit()


async def _device(enrol: Enrol, now: dt.datetime) -> Device:
    return (await enrol.enrol_device(await enrol.invite_device(HERE, "Máy", now), now))[1]


async def test_guessing_a_pin_is_limited_by_officer(world: World) -> None:
    """From however many devices; after five minutes the officer is heard again."""
    enrol, now = world.built.house.enrol, world.now
    pin = await enrol.appoint_officer("CB-01", "Trần Văn Trực", now)
    devices = [await _device(enrol, now) for _ in range(3)]
    for n in range(10):
        assert await refused(enrol.start_shift(devices[n % 3], " cb-01 ", f"{n}", now)) == "officer.unknown"
    with pytest.raises(TooManyGuesses) as many:
        await enrol.start_shift(devices[0], "CB-01", pin, now + MINUTE)
    assert many.value.retry_after_seconds == 241
    just_before = now + 5 * MINUTE - dt.timedelta(seconds=1)
    assert await refused(enrol.start_shift(devices[1], "CB-01", pin, just_before)) == "guesses.too_many"
    assert await enrol.start_shift(devices[0], "CB-01", pin, now + 5 * MINUTE)


async def test_guessing_pins_is_limited_by_device(world: World) -> None:
    enrol, now = world.built.house.enrol, world.now
    device, other = await _device(enrol, now), await _device(enrol, now)
    pin = await enrol.appoint_officer("CB-77", "Trần Văn Trực", now)
    for n in range(10):
        assert await refused(enrol.start_shift(device, f"CB-{n:02d}", "000000", now)) == "officer.unknown"
    assert await refused(enrol.start_shift(device, "CB-77", pin, now)) == "guesses.too_many"
    assert await enrol.start_shift(other, "CB-77", pin, now)


async def test_guesses_at_once_are_counted_too(world: World) -> None:
    enrol, now = world.built.house.enrol, world.now
    await enrol.appoint_officer("CB-01", "Trần Văn Trực", now)
    device = await _device(enrol, now)
    tried = await asyncio.gather(
        *[enrol.start_shift(device, "CB-01", f"{n:06d}", now) for n in range(50)],
        return_exceptions=True,
    )
    assert sum(isinstance(one, TooManyGuesses) for one in tried) == 40


async def test_a_crowd_of_strangers_does_not_make_the_guesses_forgotten(world: World) -> None:
    enrol, now = world.built.house.enrol, world.now
    pin = await enrol.appoint_officer("CB-01", "Trần Văn Trực", now)
    device = await _device(enrol, now)
    for n in range(10):
        await refused(enrol.start_shift(device, "CB-01", f"{n}", now))
    for n in range(10_001):
        await refused(enrol.sign_in(f"X{n}", "wrong", now))
    assert await refused(enrol.start_shift(device, "CB-01", pin, now)) == "guesses.too_many"


async def test_wrong_keys_are_limited_and_the_right_one_is_heard(world: World) -> None:
    """Nobody can lock an operator out during an outbreak by guessing at their name."""
    enrol, now = world.built.house.enrol, world.now
    key = await enrol.appoint_operator("TRUC-BAN", now)
    for _ in range(10):
        assert await refused(enrol.sign_in("TRUC-BAN", "a" * 32, now)) == "operator.unknown"
    assert await refused(enrol.sign_in("truc-ban", "a" * 32, now)) == "guesses.too_many"
    assert await enrol.operator(await enrol.sign_in("TRUC-BAN", key, now), now)
    assert await refused(enrol.sign_in("NGUOI-KHAC", key, now)) == "operator.unknown"


async def test_a_new_pin_ends_the_old_one_and_the_shift(world: World) -> None:
    enrol, now = world.built.house.enrol, world.now
    device = (await enrol.enrol_device(await enrol.invite_device(HERE, "Máy", now), now))[1]
    pin = await enrol.appoint_officer("CB-01", "Trần Văn Trực", now)
    shift = await enrol.start_shift(device, "CB-01", pin, now)
    assert await enrol.shift(shift, device, now)
    newer = await enrol.appoint_officer("CB-01", "Trần Văn Trực", now)
    assert await enrol.shift(shift, device, now) is None
    if newer != pin:
        assert await refused(enrol.start_shift(device, "CB-01", pin, now)) == "officer.unknown"
    assert await enrol.start_shift(device, "CB-01", newer, now)


async def test_a_new_key_ends_the_old_one_and_the_sessions(world: World) -> None:
    enrol, now = world.built.house.enrol, world.now
    key = await enrol.appoint_operator("TRUC-BAN", now)
    session = await enrol.sign_in("TRUC-BAN", key, now)
    newer = await enrol.appoint_operator("TRUC-BAN", now)
    assert await enrol.operator(session, now) is None
    assert await refused(enrol.sign_in("TRUC-BAN", key, now)) == "operator.unknown"
    assert await enrol.sign_in("TRUC-BAN", newer, now)


async def test_dismissed(world: World) -> None:
    enrol, now = world.built.house.enrol, world.now
    token, device = await enrol.enrol_device(await enrol.invite_device(HERE, "Máy", now), now)
    other, _ = await enrol.enrol_device(await enrol.invite_device(NEXT, "Máy khác", now), now)
    pin = await enrol.appoint_officer("CB-01", "Trần Văn Trực", now)
    shift = await enrol.start_shift(device, "CB-01", pin, now)
    assert await enrol.dismiss("device", device.id, now) == 2  # the shift on it ends too
    assert await enrol.device(token, now) is None
    assert await enrol.shift(shift, device, now) is None
    assert await enrol.device(other, now)
    assert await refused(enrol.dismiss("device", device.id, now)) == "admitted.unknown"
    assert await enrol.dismiss("officer", "cb-01", now) == 1
    assert await refused(enrol.start_shift(device, "CB-01", pin, now)) == "officer.unknown"
    ncovi = await enrol.register_platform("NCOVI", "NCOVI", now)
    vhd = await enrol.register_platform("VHD", "VHD", now)
    assert await enrol.platform(ncovi, now)
    assert await enrol.dismiss("platform", "NCOVI", now) == 1
    assert await enrol.platform(ncovi, now) is None
    assert await enrol.platform(vhd, now)
    key = await enrol.appoint_operator("TRUC-BAN", now)
    session = await enrol.sign_in("TRUC-BAN", key, now)
    assert await enrol.dismiss("operator", "TRUC-BAN", now) == 2
    assert await enrol.operator(session, now) is None
    assert await refused(enrol.sign_in("TRUC-BAN", key, now)) == "operator.unknown"


@pytest.mark.parametrize("name", ["", "x", "é" * 5, "a b", "a\nb", "x" * 41, "--", "<b>"])
async def test_short_names_are_short_and_plain(world: World, name: str) -> None:
    enrol, now = world.built.house.enrol, world.now
    with pytest.raises(Invalid):
        await enrol.register_platform(name, "Một nền tảng", now)
    with pytest.raises(Invalid):
        await enrol.appoint_officer(name, "Một cán bộ", now)
    assert world.rows()["credentials"] == 0


async def test_a_device_belongs_to_a_checkpoint_that_exists(world: World) -> None:
    assert await refused(world.built.house.enrol.invite_device("nowhere", "Máy", world.now)) == "checkpoint.unknown"
