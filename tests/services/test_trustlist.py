"""The desk of trust: what it signs is taken by every scanner that held what it signed before."""

import asyncio
import datetime as dt
import itertools
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from motma.core.cose import Signer, SigningKey
from motma.core.errors import Invalid, Unavailable
from motma.core.facts import Fact, KeyAdded, KeyPromoted, KeyRetired, KeyRevoked, KeyUse, What
from motma.core.ids import new_fact_id
from motma.core.trustlist import LIFE, SKEW, Pins, RootKey, accept, revoked_points
from motma.core.words import Words
from motma.services.board import BoardReader
from motma.services.trustlist import TrustDesk
from motma.storage.store import Act, Store
from tests.world import BEGINNING
from vectors.trust import forge

HOUR = dt.timedelta(hours=1)
URI = "https://motma.test/v1/status/0"
R1, R2, R3, CODE = (SigningKey(forge.key(n), forge.kid_of(forge.key(n))) for n in (1, 2, 3, 11))


class House:
    """A desk on a real store; keys come and go by facts."""

    def __init__(self, store: Store) -> None:
        self.now = BEGINNING
        self.store = store
        self.board = BoardReader(store)
        self.chest: dict[bytes, Signer] = {}
        self._serial = itertools.count(1)
        self.desk = self.open()

    def open(self) -> TrustDesk:
        """As after a restart."""
        return TrustDesk(board=self.board, issuer="motma.test", signer=self.signer, status=self.status)

    def signer(self, kid: bytes) -> Signer:
        if kid not in self.chest:
            raise Unavailable("key.gone", Words("Không có khóa.", "There is no such key."))
        return self.chest[kid]

    def status(self, at: dt.datetime) -> Mapping[str, dt.datetime]:
        return {URI: at - HOUR}

    async def tell(self, *what: What) -> None:
        """Append facts."""
        await self.store.append(
            Act(
                facts=tuple(
                    Fact(
                        id=new_fact_id("key", self.now, next(self._serial).to_bytes(10, "big")),
                        at=self.now,
                        actor="test",
                        what=one,
                    )
                    for one in what
                )
            )
        )
        self.board.forget()

    async def add(self, key: SigningKey, use: KeyUse = "root", *, promote: bool = True) -> None:
        self.chest[key.kid] = key
        point = key.public.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint).hex()
        added = KeyAdded(key.kid.hex(), point, "motma.test", use, True, self.now)
        await self.tell(added, *([KeyPromoted(key.kid.hex())] if promote else []))

    async def rotate(self, old: SigningKey, new: SigningKey) -> None:
        """As ``motma key rotate`` does."""
        await self.add(new)
        await self.tell(KeyRetired(old.kid.hex()))


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    store = await Store.open(f"sqlite:///{tmp_path / 'motma.db'}", seal_key=bytes(32), clock=lambda: BEGINNING)
    try:
        house = House(store)
        await house.add(R1)
        await house.add(CODE, "code")
        yield house
    finally:
        await store.close()


async def test_what_it_signs_is_taken_and_says_what_is(house: House) -> None:
    signed = await house.desk.trust_list(house.now)
    held = accept(await house.desk.pins(house.now), signed.raw, house.now)
    assert (held.version, held.issuer, held.expires_at) == (4, "motma.test", BEGINNING + LIFE)
    assert [key.kid for key in held.keys] == [CODE.kid] == list(held.keyring())
    assert held.status_floor(URI) == BEGINNING - HOUR


async def test_it_is_signed_once_until_something_changes_or_half_its_time_is_over(house: House) -> None:
    first = await house.desk.trust_list(house.now)
    many = await asyncio.gather(*(house.desk.trust_list(house.now + HOUR) for _ in range(8)))
    assert all(one is first for one in many)
    house.now += LIFE / 2
    half = await house.desk.trust_list(house.now)
    assert half.etag != first.etag and half.version == first.version
    assert house.now - LIFE / 2 < half.issued_at <= house.now
    held = accept(await house.desk.pins(house.now), half.raw, house.now)
    await house.tell(KeyRevoked(CODE.kid.hex(), "lost"))
    revoked = await house.desk.trust_list(house.now)
    assert (revoked.version, revoked.issued_at) == (first.version + 1, house.now)
    assert len(revoked_points(accept(held, revoked.raw, house.now))) == 1


async def test_it_always_has_half_of_its_time_before_it(house: House) -> None:
    for _ in range(60):
        house.now += 7 * HOUR
        signed = await house.desk.trust_list(house.now)
        held = accept(await house.desk.pins(house.now), signed.raw, house.now)
        assert held.expires_at - house.now >= LIFE / 2 - dt.timedelta(seconds=1)


async def test_every_process_gives_out_the_same_list(house: House) -> None:
    """Before a restart and after, and whichever of two is asked: nobody is turned back, and nothing is sent twice."""
    for _ in range(20):
        house.now += 9 * HOUR
        signed = await house.desk.trust_list(house.now)
        assert (await house.open().trust_list(house.now + HOUR / 9)).raw == signed.raw


async def test_a_clock_that_steps_back_signs_nothing_older(house: House) -> None:
    late = house.now + SKEW
    held = accept(await house.desk.pins(house.now), (await house.desk.trust_list(late)).raw, late)
    await house.tell(KeyRevoked(CODE.kid.hex(), "lost"))
    after = await house.desk.trust_list(house.now)
    assert accept(held, after.raw, late).issued_at == held.issued_at


async def test_a_clock_that_was_a_year_ahead_and_is_set_right_binds_nobody(house: House) -> None:
    held = accept(await house.desk.pins(house.now), (await house.desk.trust_list(house.now)).raw, house.now)
    ahead = await house.desk.trust_list(house.now + 365 * 24 * HOUR)
    with pytest.raises(Invalid, match=r"trustlist\.not_yet"):
        accept(held, ahead.raw, house.now)
    house.now += HOUR
    assert accept(held, (await house.desk.trust_list(house.now)).raw, house.now).version == held.version
    await house.tell(KeyRevoked(CODE.kid.hex(), "lost"))
    assert revoked_points(accept(held, (await house.desk.trust_list(house.now)).raw, house.now))


async def test_a_scanner_that_slept_through_two_changes_of_root_follows(house: House) -> None:
    pins = await house.desk.pins(house.now)
    held = accept(pins, (await house.desk.trust_list(house.now)).raw, house.now)
    for old, new in ((R1, R2), (R2, R3)):
        house.now += 24 * HOUR
        await house.rotate(old, new)
    signed = await house.desk.trust_list(house.now)
    for known in (held, pins):
        assert [root.kid for root in accept(known, signed.raw, house.now).roots] == [R3.kid]


async def test_a_root_that_waits_is_made_known_before_it_signs(house: House) -> None:
    await house.add(R2, promote=False)
    held = accept(await house.desk.pins(house.now), (await house.desk.trust_list(house.now)).raw, house.now)
    assert [root.kid for root in held.roots] == [R1.kid, R2.kid]
    await house.tell(KeyPromoted(R2.kid.hex()), KeyRetired(R1.kid.hex()))
    del house.chest[R1.kid]
    signed = await house.desk.trust_list(house.now + HOUR)
    assert [root.kid for root in accept(held, signed.raw, house.now + HOUR).roots] == [R2.kid]


async def test_who_knows_only_a_root_that_was_destroyed_is_to_be_enrolled_anew(house: House) -> None:
    held = accept(await house.desk.pins(house.now), (await house.desk.trust_list(house.now)).raw, house.now)
    await house.rotate(R1, R2)
    del house.chest[R1.kid]
    signed = await house.desk.trust_list(house.now + HOUR)
    with pytest.raises(Invalid, match=r"trustlist\.unknown_root"):
        accept(held, signed.raw, house.now + HOUR)
    assert accept(await house.desk.pins(house.now), signed.raw, house.now + HOUR).version == 7


async def test_an_earlier_root_whose_module_is_away_holds_nobody_up(house: House) -> None:
    class Away(SigningKey):
        def sign(self, data: bytes) -> bytes:
            raise Unavailable("key.away", Words("Không có khóa.", "There is no such key."))

    await house.rotate(R1, R2)
    house.chest[R1.kid] = Away(R1.private, R1.kid)
    assert (
        accept(await house.desk.pins(house.now), (await house.desk.trust_list(house.now)).raw, house.now).version == 7
    )


async def test_a_stolen_root_is_told_to_who_knows_no_other(house: House) -> None:
    held = accept(await house.desk.pins(house.now), (await house.desk.trust_list(house.now)).raw, house.now)
    await house.add(R2)
    await house.tell(KeyRevoked(R1.kid.hex(), "stolen"))
    cured = accept(held, (await house.desk.trust_list(house.now + HOUR)).raw, house.now + HOUR)
    assert [root.kid for root in cured.roots if not root.revoked] == [R2.kid]
    assert len(revoked_points(cured)) == 1


async def test_without_a_root_it_says_so(house: House) -> None:
    await house.tell(KeyRevoked(R1.kid.hex(), "stolen"))
    with pytest.raises(Unavailable, match=r"trustlist\.no_root"):
        await house.desk.trust_list(house.now)


async def test_a_root_that_is_not_at_hand_is_told_as_it_is(house: House) -> None:
    del house.chest[R1.kid]
    with pytest.raises(Unavailable, match=r"key\.gone"):
        await house.desk.trust_list(house.now)
    house.chest[R1.kid] = R1
    assert (await house.desk.trust_list(house.now)).version == 4


async def test_what_no_scanner_would_take_does_not_go_out(house: House) -> None:
    """The same key as a root and as a signer of codes, which the verbs of keys do not let happen."""
    point = R1.public.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint).hex()
    await house.tell(KeyAdded("11" * 8, point, "platform.test", "code", False, house.now))
    with pytest.raises(Unavailable, match=r"trustlist\.unpublishable"):
        await house.desk.trust_list(house.now)


async def test_pins_are_the_roots_that_live(house: House) -> None:
    await house.add(R2, promote=False)
    await house.add(R3, promote=False)
    await house.tell(KeyRevoked(R3.kid.hex(), "lost"))
    pins = await house.desk.pins(house.now)
    assert pins == Pins("motma.test", (RootKey(R1.kid, R1.public), RootKey(R2.kid, R2.public)))
