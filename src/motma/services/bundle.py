"""The desk that signs what scanners judge by when they can ask nobody: the rules now and to come, for each checkpoint.

Nothing about a bundle is stored: it follows from what is switched on. It is signed by the root that signs lists of
trust, so a scanner needs no other key to believe it.
"""

import asyncio
import datetime as dt
import hashlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from motma.core.bundle import Period, content_of, write_bundle
from motma.core.cose import Signer
from motma.core.errors import Invalid, Unavailable
from motma.core.flow import Network
from motma.core.fold import Board
from motma.core.measure import active_measure
from motma.core.policy import Policy
from motma.core.trust import KnownKey
from motma.core.trustlist import LIFE, SKEW
from motma.core.words import Words
from motma.services.board import BoardReader

_EVER = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_PERIODS_MAX = 50


@dataclass(frozen=True, slots=True)
class Rules:
    """What the policies are at any time from now on.

    ``at`` gives, for the names that a measure has and a time, the policies that decide then, in order, and whether
    they are all there. ``changes``: when that becomes another by itself. ``version``: how often anybody changed it.
    """

    at: Callable[[tuple[str, ...], dt.datetime], tuple[Sequence[Policy], bool]]
    changes: tuple[dt.datetime, ...] = ()
    version: int = 0


@dataclass(frozen=True, slots=True)
class SignedBundle:
    """A bundle as it goes out, and the name of this very content."""

    raw: bytes
    etag: str
    issued_at: dt.datetime


class BundleDesk:
    """The verb of the door that gives bundles to devices. Belongs to one event loop.

    ``rules`` says what the policies are, ``signer`` gives the key for a kid, or raises :class:`Unavailable`.
    """

    def __init__(
        self,
        *,
        board: BoardReader,
        issuer: str,
        network: Network,
        rules: Callable[[dt.datetime], Awaitable[Rules]],
        signer: Callable[[bytes], Signer],
    ) -> None:
        self._board = board
        self._issuer = issuer
        self._network = network
        self._rules = rules
        self._signer = signer
        self._signed: dict[str, SignedBundle] = {}
        self._signing = asyncio.Lock()

    async def bundle(self, checkpoint: str, now: dt.datetime) -> SignedBundle:
        """What a device at ``checkpoint`` judges by: signed anew when any of it has changed, and twice in its life.

        Raises :class:`Unavailable` ``bundle.no_root``, ``bundle.unpublishable``, and what ``signer`` raises.
        """
        async with self._signing:
            board, rules = await self._board.current(now), await self._rules(now)
            trust, switched = await self._board.trust(now), await self._board.switched(now)
            root = trust.signing("root")
            if root is None:
                raise Unavailable(
                    "bundle.no_root",
                    Words(
                        "Chưa có khóa gốc để ký bộ luật. Báo cho người vận hành.",
                        "There is no root key to sign the rules with. Tell the operator.",
                    ),
                )
            content = content_of(checkpoint, self._network.by_id.get(checkpoint), _periods(board, rules, now))
            etag = hashlib.sha256(b"%s %f %s" % (root.kid, _half_life(now).timestamp(), content.encode())).hexdigest()
            signed = self._signed.get(checkpoint)
            if signed is None or signed.etag != etag[:32] or signed.issued_at > now + SKEW:
                # Not before the last one when the clock steps back a little: scanners refuse what is older.
                at = max(now, signed.issued_at) if signed and signed.issued_at <= now + SKEW else now
                raw = await asyncio.to_thread(self._written, content, switched + rules.version, root, at)
                signed = self._signed[checkpoint] = SignedBundle(raw, etag[:32], at)
            return signed

    def _written(self, content: str, version: int, root: KnownKey, at: dt.datetime) -> bytes:
        try:
            return write_bundle(content, issuer=self._issuer, version=version, signer=self._signer(root.kid), now=at)
        except Invalid as error:
            raise Unavailable(
                "bundle.unpublishable",
                Words(
                    f"Bộ luật không phát hành được ({error.code}). Báo cho người vận hành.",
                    f"The rules cannot be published ({error.code}). Tell the operator.",
                ),
                permanent=True,
            ) from error


def _periods(board: Board, rules: Rules, now: dt.datetime) -> list[Period]:
    """What decides from ``now`` on, until nothing changes any more of what is known today."""
    measures = board.measures.values()
    turns = {at for one in measures for at in (one.starts_at, one.ends_at)}.union(rules.changes)
    periods: list[Period] = []
    for begins in (None, *sorted(at for at in turns if at > now)[: _PERIODS_MAX - 1]):
        measure = active_measure(measures, begins or now)
        policies, complete = rules.at(measure.policies, begins or now) if measure else ((), True)
        period = Period(begins, measure, tuple(policies), complete)
        last = periods[-1] if periods else None
        if last is None or (last.measure, last.policies, last.complete) != (measure, period.policies, complete):
            periods.append(period)
    return periods


def _half_life(now: dt.datetime) -> dt.datetime:
    """The last of the moments, half a life apart, at which every bundle is signed anew."""
    return _EVER + (now - _EVER) // (LIFE / 2) * (LIFE / 2)
