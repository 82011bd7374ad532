"""Whom we believe: the fold of all ``key.*`` facts.

The newest promoted key of ours signs, every key that is not revoked verifies; a revoked key stays in the ring, so that
what it signed is refused for what it is, and not as the work of a stranger.
"""

import datetime as dt
from collections.abc import Iterable, Mapping
from functools import lru_cache

import msgspec
from cryptography.hazmat.primitives.asymmetric import ec

from motma.core.code import Keyring, TrustedKey
from motma.core.facts import Fact, KeyAdded, KeyPromoted, KeyRetired, KeyRevoked, KeyUse

STILL_SIGNS = dt.timedelta(minutes=1)
"""How long another server, or one whose clock is ahead, may go on signing with a key that was retired."""


class KnownKey(msgspec.Struct, frozen=True):
    """A key and what became of it. ``promoted_at`` is None while it only waits to sign (or is not ours).

    ``turn`` is the version of the trust that let it sign: clocks may go back, what is recorded does not.
    """

    added: KeyAdded
    added_at: dt.datetime
    promoted_at: dt.datetime | None = None
    retired_at: dt.datetime | None = None
    revoked_at: dt.datetime | None = None
    why: str = ""
    turn: int = 0

    @property
    def kid(self) -> bytes:
        return bytes.fromhex(self.added.kid)

    @property
    def public(self) -> ec.EllipticCurvePublicKey:
        return _public(self.added.point)

    @property
    def trusted(self) -> TrustedKey:
        """What it may sign. A key that was retired: what was issued until a moment after that."""
        added, retired = self.added, self.retired_at
        return TrustedKey(
            kid=self.kid,
            public=self.public,
            issuer=added.issuer,
            not_before=added.not_before,
            not_after=_earliest(added.not_after, retired and retired + STILL_SIGNS),
            measures=added.measures,
            areas=added.areas,
            revoked=self.revoked_at is not None,
            status_uri=added.status_uri,
        )


class Trust(msgspec.Struct, frozen=True, dict=True):
    """Every key there ever was, by kid in hex, in the order in which they came; ``version`` counts what happened."""

    keys: Mapping[str, KnownKey]
    version: int

    def signing(self, use: KeyUse) -> KnownKey | None:
        """Our key that signs now: the one promoted last that is neither retired nor revoked."""
        able = [
            key
            for key in self.keys.values()
            if key.added.own and key.added.use == use and key.promoted_at and not key.retired_at and not key.revoked_at
        ]
        return max(able, key=lambda key: key.turn, default=None)


def fold_trust(facts: Iterable[Fact]) -> Trust:
    """Whom we believe after all ``key.*`` facts, oldest first; other facts are passed over.

    A kid once used keeps its first key: nobody takes the place of another by coming later. Revoked is for ever.
    """
    keys: dict[str, KnownKey] = {}
    version = 0
    for fact in facts:
        what = fact.what
        if isinstance(what, KeyAdded):
            version += 1
            keys.setdefault(what.kid, KnownKey(what, fact.at))
        elif isinstance(what, KeyPromoted | KeyRetired | KeyRevoked):
            version += 1
            if key := keys.get(what.kid):
                keys[what.kid] = _after(key, what, fact.at, version)
    return Trust(keys, version)


def keyring_of(trust: Trust) -> Keyring:
    """The keys that codes may be signed with, by kid."""
    ring: dict[bytes, tuple[TrustedKey, ...]] = {}
    for key in trust.keys.values():
        if key.added.use == "code":
            ring[key.kid] = (*ring.get(key.kid, ()), key.trusted)
    return ring


def _after(key: KnownKey, what: KeyPromoted | KeyRetired | KeyRevoked, at: dt.datetime, version: int) -> KnownKey:
    if isinstance(what, KeyPromoted):
        return msgspec.structs.replace(key, promoted_at=at, turn=version)
    if isinstance(what, KeyRetired):
        return msgspec.structs.replace(key, retired_at=key.retired_at or at)
    return msgspec.structs.replace(key, revoked_at=key.revoked_at or at, why=key.why or what.reason)


def _earliest(*moments: dt.datetime | None) -> dt.datetime | None:
    return min((moment for moment in moments if moment), default=None)


@lru_cache(maxsize=1024)
def _public(point: str) -> ec.EllipticCurvePublicKey:
    return ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), bytes.fromhex(point))
