"""Attacks on scanners that can ask nobody, by the names that The Update Framework gives them.

Who attacks sits on the network, and keeps every list that was ever published; where it says so, they hold keys too.
"""

import datetime as dt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from motma.core.errors import Invalid
from motma.core.trustlist import LIST_MAX_BYTES, SKEW, TrustedList, accept
from tests.core.trust_simulator import (
    CODE,
    CODE2,
    DAY,
    PLATFORM,
    ROOTS,
    STATUS,
    THIEF,
    KeyState,
    Scanner,
    TrustSimulator,
)
from vectors.trust import forge

R1, R2, R3, R4 = ROOTS
SECOND = dt.timedelta(seconds=1)


@pytest.fixture
def house() -> TrustSimulator:
    return TrustSimulator()


@pytest.fixture
def scanner(house: TrustSimulator) -> Scanner:
    scanner = house.scanner()
    scanner.take(house.publish())
    return scanner


def test_rollback(house: TrustSimulator, scanner: Scanner) -> None:
    """The list from before the revocation is sent again: the platform's codes would be good again."""
    before = house.published[-1]
    house.pass_time(DAY)
    house.revoke(PLATFORM)
    scanner.take(house.publish())
    assert scanner.refusal(before) == "trustlist.rolled_back"
    assert not scanner.believes(PLATFORM) and scanner.believes(CODE)


def test_rollback_by_a_house_that_was_restored_from_a_copy(house: TrustSimulator, scanner: Scanner) -> None:
    copy = house.stolen()
    house.revoke(PLATFORM)
    scanner.take(house.publish())
    copy.pass_time(DAY)
    assert scanner.refusal(copy.publish()) == "trustlist.rolled_back"
    copy.version += 5  # it goes on from the copy, and passes the version that scanners hold
    assert scanner.refusal(copy.publish()) == "trustlist.unrevoked"
    copy.revoke(PLATFORM)
    assert scanner.refusal(copy.publish()) == "trustlist.not_yet"  # since the copy's clock is a day ahead
    house.now = copy.now
    scanner.take(copy.publish())


def test_rollback_of_what_a_status_list_may_be(house: TrustSimulator, scanner: Scanner) -> None:
    house.pass_time(DAY)
    house.status[STATUS] = house.now
    scanner.take(house.publish())
    house.pass_time(DAY)
    house.status[STATUS] -= SECOND
    assert scanner.refusal(house.publish()) == "trustlist.rolled_back"


def test_freeze(house: TrustSimulator, scanner: Scanner) -> None:
    """The same list is sent for ever, so that nothing newer arrives: it is judged by, and called stale."""
    frozen = house.published[-1]
    house.pass_time(6 * DAY)
    assert scanner.refusal(frozen) is None and not scanner.list.expired_at(house.now)
    house.revoke(PLATFORM)
    house.pass_time(2 * DAY)
    assert scanner.refusal(frozen) == "trustlist.expired"
    assert scanner.list.expired_at(house.now) and scanner.list.age(house.now) == 8 * DAY
    assert scanner.believes(CODE)  # unknown is never invalid


def test_freeze_by_setting_the_clock_back(house: TrustSimulator, scanner: Scanner) -> None:
    house.pass_time(5 * DAY)
    scanner.take(house.publish())
    short = house.stolen()
    short.version, short.now, short.life = 9, house.now - SKEW, SKEW
    scanner.slow = 6 * DAY
    assert scanner.refusal(short.publish()) == "trustlist.expired"


def test_mix_and_match(house: TrustSimulator, scanner: Scanner) -> None:
    """A new list of trust beside an old status list, in which a code was not revoked yet."""
    old, new = house.now, house.now + DAY
    house.pass_time(DAY)
    house.status[STATUS] = new
    scanner.take(house.publish())
    with pytest.raises(Invalid, match=r"trustlist\.mixed"):
        scanner.list.judge_status(STATUS, old)
    scanner.list.judge_status(STATUS, new)
    scanner.list.judge_status("https://platform.test/lists/0", old)


def test_mix_and_match_of_parts(house: TrustSimulator, scanner: Scanner) -> None:
    house.pass_time(DAY)
    house.revoke(PLATFORM)
    one, other = forge.parts(house.published[-1]), forge.parts(house.publish())
    house.rotate_root(R2)
    third = forge.parts(house.publish())
    for protected in (one[0], third[0]):
        for unprotected in ({}, third[1]):
            for payload, signature in ((one[2], other[3]), (other[2], third[3]), (third[2], one[3])):
                raw = forge.joined(protected, unprotected, payload, signature)
                assert scanner.refusal(raw) in ("trustlist.forged", "trustlist.unknown_root")


@pytest.mark.parametrize("key", [PLATFORM, CODE, THIEF], ids=["a delegated issuer", "our key for codes", "a stranger"])
def test_wrong_issuer(house: TrustSimulator, scanner: Scanner, key: forge.Key) -> None:
    """A key that may sign codes signs a list in which it is a root; or signs the true one."""
    thief = house.stolen()
    thief.version, thief.signers = 9, [key]
    assert scanner.refusal(thief.publish()) == "trustlist.unknown_root"
    thief.keys.pop(key, None)
    thief.roots = {key: False}
    assert scanner.refusal(thief.publish()) == "trustlist.unknown_root"


def test_wrong_issuer_of_another_authority(house: TrustSimulator, scanner: Scanner) -> None:
    other = TrustSimulator(issuer="other.test", roots={R4: False}, signers=[R4], version=9)
    assert scanner.refusal(other.publish()) == "trustlist.unknown_root"
    other.signers, other.roots = [R1], {R1: False}
    assert scanner.refusal(other.publish()) == "trustlist.wrong_issuer"


def test_unrevoke_with_a_stolen_root(house: TrustSimulator, scanner: Scanner) -> None:
    """Whoever has the root may do much, but what was revoked stays revoked where it is known to be."""
    house.revoke(PLATFORM)
    scanner.take(house.publish())
    for change in (
        lambda thief: setattr(thief.keys[PLATFORM], "revoked", False),
        lambda thief: thief.keys.pop(PLATFORM),
        lambda thief: thief.keys.update({PLATFORM: KeyState(kid=b"\x11" * 8)}),
        lambda thief: (thief.keys.pop(PLATFORM), thief.roots.update({PLATFORM: False})),
    ):
        thief = house.stolen()
        thief.version += 1
        change(thief)
        assert scanner.refusal(thief.publish()) == "trustlist.unrevoked"
        assert not scanner.believes(PLATFORM)


def test_fast_forward(house: TrustSimulator, scanner: Scanner) -> None:
    """A list of the highest version would make every true one a rollback."""
    thief = house.stolen()
    thief.version = 2**32 - 1
    assert scanner.refusal(thief.publish()) == "trustlist.fast_forward"
    house.revoke(PLATFORM)
    scanner.take(house.publish())


def test_endless_data(house: TrustSimulator, scanner: Scanner) -> None:
    assert scanner.refusal(house.publish() + bytes(LIST_MAX_BYTES)) == "trustlist.too_large"


def test_stripped_root(house: TrustSimulator, scanner: Scanner) -> None:
    for roots in ({}, {R2: False}, {R1: True, R2: False}):
        thief = house.stolen()
        thief.version, thief.roots = 9, roots
        assert scanner.refusal(thief.publish()) == "trustlist.stripped_root"


def test_slept_through_root_rotations(house: TrustSimulator, scanner: Scanner) -> None:
    never = house.scanner()
    for root in (R2, R3, R4):
        house.pass_time(30 * DAY)
        house.rotate_root(root)
    listed = house.publish()
    for sleeper in (scanner, never):
        sleeper.take(listed)
        assert [root.kid for root in sleeper.list.roots] == [forge.kid_of(R4)]
    awake = house.scanner()
    awake.take(listed)


def test_a_retired_root_leads_nobody_astray_who_knows_the_next(house: TrustSimulator, scanner: Scanner) -> None:
    house.rotate_root(R2)
    scanner.take(house.publish())
    thief = house.stolen()
    thief.version, thief.roots = 9, {THIEF: False}
    for signers in ([R1], [THIEF, R1]):
        thief.signers = signers
        assert scanner.refusal(thief.publish()) == "trustlist.unknown_root"


def test_a_revoked_root_signs_nothing_any_more(house: TrustSimulator, scanner: Scanner) -> None:
    house.roots[R2] = False
    house.version += 1
    scanner.take(house.publish())
    house.revoke_root(R1)
    house.signers = [R2]
    scanner.take(house.publish())
    thief = house.stolen()
    thief.version, thief.signers = 9, [R1]
    assert scanner.refusal(thief.publish()) == "trustlist.unknown_root"
    thief.signers, thief.roots = [R2], {R1: False, R2: False}
    assert scanner.refusal(thief.publish()) == "trustlist.unrevoked"


# -- whatever comes ----------------------------------------------------------------------------------------------------

_HOUSE = TrustSimulator()
_PINS = _HOUSE.scanner().held
_PLAIN = _HOUSE.publish()
_HOUSE.rotate_root(R2)
_COSIGNED = _HOUSE.publish()


@given(st.data())
@settings(max_examples=300, deadline=None)
def test_any_change_of_a_list_is_refused(data: st.DataObject) -> None:
    raw = bytearray(data.draw(st.sampled_from((_PLAIN, _COSIGNED))))
    good = accept(_PINS, bytes(raw), _HOUSE.now)
    at = data.draw(st.integers(0, len(raw) - 1))
    match data.draw(st.sampled_from(("flip", "cut", "drop", "insert", "append"))):
        case "flip":
            raw[at] ^= data.draw(st.integers(1, 255))
        case "cut":
            del raw[at:]
        case "drop":
            del raw[at]
        case "insert":
            raw[at:at] = data.draw(st.binary(min_size=1, max_size=4))
        case "append":
            raw += data.draw(st.binary(min_size=1, max_size=4))
    if bytes(raw) == good.raw:
        return
    with pytest.raises(Invalid, match=r"^trustlist\."):
        accept(_PINS, bytes(raw), _HOUSE.now)


@given(st.binary(max_size=400))
@settings(max_examples=200, deadline=None)
def test_rubbish_is_refused_by_an_error_of_ours(raw: bytes) -> None:
    with pytest.raises(Invalid, match=r"^trustlist\."):
        accept(_PINS, raw, _HOUSE.now)


_LEAF = (
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats()
    | st.text(max_size=4)
    | st.binary(max_size=33)
)
_ANY = st.recursive(
    _LEAF,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.integers(-3, 9), inner, max_size=3),
    max_leaves=8,
)


@given(st.data())
@settings(max_examples=200, deadline=None)
def test_what_a_root_signs_is_read_or_refused_by_an_error_of_ours(data: st.DataObject) -> None:
    """The root itself signs a list in which anything stands in the place of something."""
    said = forge.claims(3, [forge.root_entry(R1)], [forge.key_entry(CODE)], status={STATUS: forge.BEGINS})
    where = data.draw(st.sampled_from(("claim", "content", "root", "key", "floor")))
    content = said[forge.LIST]
    if where == "claim":
        said[data.draw(st.sampled_from(sorted(said)))] = data.draw(_ANY)
    elif where == "floor":
        content[4] = data.draw(_ANY)
    else:
        target = {"content": content, "root": content[2][0], "key": content[3][0]}[where]
        target[data.draw(st.integers(0, len(target) - 1))] = data.draw(_ANY)
    try:
        accept(_PINS, forge.sign(said, R1), _HOUSE.now)
    except Invalid as error:
        assert error.code.startswith("trustlist.")


class NeverBack(RuleBasedStateMachine):
    """Whatever is offered, in any order, by an honest house or by one whose root was stolen."""

    @initialize()
    def enrol(self) -> None:
        self.house = TrustSimulator()
        self.house.rotate_root(R1)
        self.scanner = self.house.scanner()
        self.offers: list[bytes] = [self.house.publish()]
        self.version, self.gone = -1, frozenset[bytes]()

    @rule(days=st.integers(0, 9))
    def time_passes(self, days: int) -> None:
        self.house.pass_time(days * DAY)

    @rule(days=st.integers(-9, 9))
    def the_clock_is_set(self, days: int) -> None:
        self.scanner.slow = days * DAY

    @rule(key=st.sampled_from((CODE, CODE2, PLATFORM)))
    def honest(self, key: forge.Key) -> None:
        if key in self.house.keys:
            self.house.revoke(key)
        else:
            self.house.add(key)
        self.publish(self.house)

    @precondition(lambda self: self.house.signers[0] is not R3)
    @rule()
    def a_new_root(self) -> None:
        self.house.rotate_root({R1: R2, R2: R3}[self.house.signers[0]])
        self.publish(self.house)

    @rule(
        step=st.integers(-3, 3) | st.just(2**31),
        days=st.integers(-1, 1),
        key=st.sampled_from((CODE, PLATFORM)),
        signer=st.sampled_from((None, None, None, *ROOTS, THIEF)),
    )
    def thief(self, step: int, days: int, key: forge.Key, signer: forge.Key | None) -> None:
        thief = self.house.stolen()
        thief.version, thief.now = max(0, thief.version + step), thief.now + days * DAY
        thief.keys[key] = KeyState()
        if signer:
            thief.roots, thief.signers = {signer: False}, [signer]
        self.publish(thief)

    def publish(self, house: TrustSimulator) -> None:
        """To be offered now, and again by whoever kept it."""
        self.offers.append(house.publish())
        self.scanner.refusal(self.offers[-1])

    @rule(data=st.data())
    def offered(self, data: st.DataObject) -> None:
        self.scanner.refusal(data.draw(st.sampled_from(self.offers)))

    @rule()
    def offered_all(self) -> None:
        for raw in self.offers:
            self.scanner.refusal(raw)

    @invariant()
    def never_back(self) -> None:
        held = self.scanner.held
        if isinstance(held, TrustedList):
            assert held.version >= self.version
            assert self.scanner.revoked() >= self.gone
            assert any(not root.revoked for root in held.roots)
            self.version, self.gone = held.version, self.scanner.revoked()


NeverBack.TestCase.settings = settings(max_examples=40, stateful_step_count=25, deadline=None)
test_nothing_ever_goes_back = NeverBack.TestCase
