"""What is switched on now, kept at hand so that a check need not ask the store for it."""

import datetime as dt

from motma.core.facts import Board, fold_board
from motma.storage.store import Store

_MAX_AGE = dt.timedelta(seconds=1)


class BoardReader:
    """Measures and diversions, at most one second old; at once after :meth:`forget` in this process."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._board: Board | None = None
        self._read_at: dt.datetime | None = None

    async def current(self, now: dt.datetime) -> Board:
        """The board as of ``now``. A clock that jumps back reads anew."""
        if self._board is None or self._read_at is None or not dt.timedelta(0) <= now - self._read_at < _MAX_AGE:
            self._board = fold_board(await self._store.control_facts())
            self._read_at = now
        return self._board

    def forget(self) -> None:
        """Read anew next time: something was just switched."""
        self._board = None
