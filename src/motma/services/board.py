"""What is switched on now, and whom we believe: kept at hand so that a check need not ask the store for it."""

import datetime as dt
from dataclasses import dataclass

from motma.core.code import Keyring
from motma.core.facts import Fact
from motma.core.fold import Board, fold_board
from motma.core.trust import Trust, fold_trust, keyring_of
from motma.storage.store import Store

_MAX_AGE = dt.timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class _Read:
    """What the steering facts make, and when they were read."""

    facts: list[Fact]
    board: Board
    trust: Trust
    keyring: Keyring


class BoardReader:
    """Measures, diversions and keys, at most one second old; at once after :meth:`forget` in this process."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._read: _Read | None = None
        self._read_at: dt.datetime | None = None
        self._switched = 0

    async def current(self, now: dt.datetime) -> Board:
        """The board as of ``now``."""
        return (await self._now(now)).board

    async def switched(self, now: dt.datetime) -> int:
        """How many things were ever switched: measures, diversions and keys, on or off. It never goes back."""
        return len((await self._now(now)).facts)

    async def trust(self, now: dt.datetime) -> Trust:
        """Every key, ours and others', as of ``now``."""
        return (await self._now(now)).trust

    async def keyring(self, now: dt.datetime) -> Keyring:
        """The keys whose codes are believed, as of ``now``."""
        return (await self._now(now)).keyring

    def forget(self) -> None:
        """Read anew next time: something was just switched."""
        self._read_at = None
        self._switched += 1

    async def _now(self, now: dt.datetime) -> _Read:
        """What was read less than a second ago, or now. A clock that jumps back reads anew."""
        held = self._read
        if held and self._read_at is not None and dt.timedelta(0) <= now - self._read_at < _MAX_AGE:
            return held
        switched = self._switched
        facts = await self._store.control_facts()
        if held is None or facts != held.facts:
            trust = fold_trust(facts)
            held = _Read(facts, fold_board(facts), trust, keyring_of(trust))
        if switched == self._switched:  # else it was read before a switch that is forgotten by now
            self._read, self._read_at = held, now
        return held
