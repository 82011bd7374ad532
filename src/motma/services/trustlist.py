"""The desk that signs the list of trust: what scanners believe when they can ask nobody.

The list follows from the ``key.*`` facts; nothing about it is stored. It is signed by the root that signs now, and by
earlier roots as well, so that a scanner that slept through a change of roots can follow.
"""

import asyncio
import datetime as dt
import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from motma.core.cose import Signer
from motma.core.errors import Invalid, Unavailable
from motma.core.trust import KnownKey, Trust
from motma.core.trustlist import COSIGNERS_MAX, LIFE, SKEW, Pins, pins_of, write_trust_list
from motma.core.words import Words
from motma.services.board import BoardReader

_EVER = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


@dataclass(frozen=True, slots=True)
class SignedList:
    """A list as it goes out, and the name of this very content."""

    raw: bytes
    etag: str
    version: int
    issued_at: dt.datetime


class TrustDesk:
    """The verb of the door that gives out the list. Belongs to one event loop.

    ``signer`` gives the key for a kid, or raises :class:`Unavailable`. ``status`` says of a time, for addresses of
    status lists of ours, how old a list may be that is served from then on: the same for the same time, and never less
    for a later one.
    """

    def __init__(
        self,
        *,
        board: BoardReader,
        issuer: str,
        signer: Callable[[bytes], Signer],
        status: Callable[[dt.datetime], Mapping[str, dt.datetime]],
    ) -> None:
        self._board = board
        self._issuer = issuer
        self._signer = signer
        self._status = status
        self._signed: SignedList | None = None
        self._signing = asyncio.Lock()

    async def trust_list(self, now: dt.datetime) -> SignedList:
        """The list as it is now: signed anew when anything about a key has changed, and twice in its life.

        Raises :class:`Unavailable` ``trustlist.no_root``, ``trustlist.unpublishable``, and what ``signer`` raises.
        """
        trust = await self._board.trust(now)
        if not self._is_due(trust, now):
            assert self._signed is not None
            return self._signed
        async with self._signing:
            trust = await self._board.trust(now)
            if self._is_due(trust, now):
                self._signed = await self._sign(trust, now)
            assert self._signed is not None
            return self._signed

    async def pins(self, now: dt.datetime) -> Pins:
        """What a scanner that is enrolled now is given: whose lists it believes, and which roots sign them."""
        return pins_of(await self._board.trust(now), self._issuer)

    def _is_due(self, trust: Trust, now: dt.datetime) -> bool:
        signed = self._signed
        return (
            signed is None
            or signed.version != trust.version
            or not _half_life(now) <= signed.issued_at <= now + SKEW  # later: the clock was ahead and is set right
        )

    async def _sign(self, trust: Trust, now: dt.datetime) -> SignedList:
        root = trust.signing("root")
        if root is None:
            raise Unavailable(
                "trustlist.no_root",
                Words(
                    "Chưa có khóa gốc để ký danh sách khóa. Báo cho người vận hành.",
                    "There is no root key to sign the trust list with. Tell the operator.",
                ),
            )
        # Dated by the last thing that happened to a key and by the half-life, not by who signs when: whichever process
        # a scanner asks, before a restart or after, it is the same list. Not before the last one when the clock steps
        # back a little: scanners refuse what is older than what they hold. But one dated so far ahead that no scanner
        # with a right clock takes it binds nobody.
        issued_at = max(_half_life(now), min(_changed_at(trust), now))
        if self._signed and self._signed.issued_at <= now + SKEW:
            issued_at = max(issued_at, self._signed.issued_at)
        # A key may lie in a hardware module, which takes its time.
        raw = await asyncio.to_thread(self._written, trust, root, issued_at)
        return SignedList(raw, hashlib.sha256(raw).hexdigest()[:32], trust.version, issued_at)

    def _written(self, trust: Trust, root: KnownKey, issued_at: dt.datetime) -> bytes:
        signer, former = self._signer(root.kid), self._former(trust, root)

        def write(former: Sequence[Signer]) -> bytes:
            return write_trust_list(
                trust,
                issuer=self._issuer,
                status=self._status(issued_at),
                signer=signer,
                former=former,
                now=issued_at,
            )

        try:
            try:
                return write(former)
            except Unavailable:
                return write(())  # an earlier root's module is away: those who know a later one need not wait for it
        except Invalid as error:
            raise Unavailable(
                "trustlist.unpublishable",
                Words(
                    f"Danh sách khóa không phát hành được ({error.code}). Báo cho người vận hành.",
                    f"The trust list cannot be published ({error.code}). Tell the operator.",
                ),
                permanent=True,
            ) from error

    def _former(self, trust: Trust, root: KnownKey) -> list[Signer]:
        """The earlier roots that are still at hand, the latest first.

        Revoked ones as well: a scanner that knows no other root has no better way to hear that it is revoked.
        """
        earlier = [
            key
            for key in trust.keys.values()
            if key.added.use == "root" and key.added.own and key.promoted_at and key.kid != root.kid
        ]
        earlier.sort(key=lambda key: key.turn, reverse=True)
        signers = []
        for key in earlier[:COSIGNERS_MAX]:
            try:
                signers.append(self._signer(key.kid))
            except Unavailable:
                continue  # destroyed, or locked away: who knows this root only has to be enrolled anew
        return signers


def _half_life(now: dt.datetime) -> dt.datetime:
    """The last of the moments, half a life apart, at which every process signs anew."""
    return _EVER + (now - _EVER) // (LIFE / 2) * (LIFE / 2)


def _changed_at(trust: Trust) -> dt.datetime:
    """When anything last happened to a key."""
    times = [
        at
        for key in trust.keys.values()
        for at in (key.added_at, key.promoted_at, key.retired_at, key.revoked_at)
        if at is not None
    ]
    return max(times, default=_EVER)
