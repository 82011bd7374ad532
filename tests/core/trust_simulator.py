"""A house of trust and its scanners, in memory, where every rule can be broken on purpose.

In the manner of The Update Framework's repository simulator: what the house says is plain data that a test changes as
it likes, honest or not; lists are signed when they are published, by whatever keys stand in ``signers``; a scanner is
offered any bytes at any time. ::

    house = TrustSimulator()
    scanner = house.scanner()
    scanner.take(house.publish())

    house.revoke(PLATFORM)
    scanner.take(house.publish())

    house.keys[PLATFORM].revoked = False       # an attack
    assert scanner.refusal(house.publish()) == "trustlist.unrevoked"
"""

import datetime as dt
from dataclasses import dataclass, field, replace

from motma.core.errors import Invalid
from motma.core.trustlist import Pins, RootKey, TrustedList, accept, revoked_points
from motma.core.trustwire import xy_of
from vectors.trust import forge
from vectors.trust.forge import Key

ROOTS = tuple(forge.key(n) for n in (1, 2, 3, 4))
CODE, CODE2, PLATFORM, THIEF = (forge.key(n) for n in (11, 12, 13, 19))
STATUS = "https://motma.test/v1/status/0"
DAY = dt.timedelta(days=1)
BEGINS = dt.datetime.fromtimestamp(forge.BEGINS, dt.UTC)


@dataclass
class KeyState:
    """What the house says of a key that signs codes."""

    issuer: str = forge.ISSUER
    revoked: bool = False
    kid: bytes | None = None


@dataclass
class TrustSimulator:
    """The house: its clock, its list to be, its signers; and every list that it ever published, oldest first."""

    now: dt.datetime = BEGINS
    version: int = 1
    life: dt.timedelta = 7 * DAY
    issuer: str = forge.ISSUER
    roots: dict[Key, bool] = field(default_factory=lambda: {ROOTS[0]: False})
    """Root -> whether it is revoked."""
    keys: dict[Key, KeyState] = field(
        default_factory=lambda: {CODE: KeyState(), PLATFORM: KeyState(issuer="platform.test")}
    )
    status: dict[str, dt.datetime] = field(default_factory=dict)
    signers: list[Key] = field(default_factory=lambda: [ROOTS[0]])
    """Who signs, then who countersigns."""
    published: list[bytes] = field(default_factory=list)

    def publish(self) -> bytes:
        """Sign what the house says now, with whoever signs now. The version is what it is: honest verbs raise it."""
        said = forge.claims(
            self.version,
            [forge.root_entry(root, revoked=revoked) for root, revoked in self.roots.items()],
            [
                forge.key_entry(key, issuer=state.issuer, revoked=state.revoked, kid=state.kid)
                for key, state in self.keys.items()
            ],
            issued=int(self.now.timestamp()),
            life=int(self.life.total_seconds()),
            status={uri: int(floor.timestamp()) for uri, floor in self.status.items()},
            issuer=self.issuer,
        )
        raw = forge.sign(said, self.signers[0], self.signers[1:])
        self.published.append(raw)
        return raw

    # -- honest verbs ------------------------------------------------------------------------------------------------

    def pass_time(self, time: dt.timedelta) -> None:
        self.now += time

    def add(self, key: Key, **state: str) -> None:
        self.keys[key] = KeyState(**state)
        self.version += 1

    def revoke(self, key: Key) -> None:
        self.keys[key].revoked = True
        self.version += 1

    def rotate_root(self, new: Key) -> None:
        """A new root signs; all that signed before sign beside it, and are roots no more."""
        self.roots = {**{root: True for root, revoked in self.roots.items() if revoked}, new: False}
        self.signers = [new, *self.signers]
        self.version += 1

    def revoke_root(self, root: Key) -> None:
        self.roots[root] = True
        self.version += 1

    # -- who listens -------------------------------------------------------------------------------------------------

    def scanner(self) -> "Scanner":
        """A scanner that is enrolled now: it knows the roots that live, and holds no list."""
        roots = (RootKey(forge.kid_of(root), root.public_key()) for root, gone in self.roots.items() if not gone)
        return Scanner(self, Pins(self.issuer, tuple(roots)))

    def stolen(self) -> "TrustSimulator":
        """A copy in the hands of who stole the signers: what it says changes nothing here."""
        return replace(
            self,
            roots=dict(self.roots),
            keys={key: replace(state) for key, state in self.keys.items()},
            status=dict(self.status),
            signers=list(self.signers),
            published=list(self.published),
        )


@dataclass
class Scanner:
    """What a scanner holds. Its clock is the house's, but for ``slow``."""

    house: TrustSimulator
    held: Pins | TrustedList
    slow: dt.timedelta = dt.timedelta(0)

    @property
    def list(self) -> TrustedList:
        assert isinstance(self.held, TrustedList)
        return self.held

    @property
    def now(self) -> dt.datetime:
        return self.house.now - self.slow

    def take(self, raw: bytes) -> TrustedList:
        """Offered ``raw``; it must be taken."""
        self.held = accept(self.held, raw, self.now)
        return self.held

    def refusal(self, raw: bytes) -> str | None:
        """Offered ``raw``: the code of the refusal, after which nothing has changed; None if it was taken."""
        before = self.held
        try:
            self.take(raw)
        except Invalid as error:
            assert self.held is before
            return error.code
        return None

    def revoked(self) -> frozenset[bytes]:
        return revoked_points(self.held) if isinstance(self.held, TrustedList) else frozenset()

    def believes(self, key: Key) -> bool:
        """Whether a code by ``key`` would be taken for good."""
        point = b"".join(forge.xy_of(key))
        alike = [one for ones in self.list.keyring().values() for one in ones if xy_of(one.public) == point]
        return bool(alike) and not any(one.revoked for one in alike)
