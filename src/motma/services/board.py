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
        self._switched = 0

    async def current(self, now: dt.datetime) -> Board:
        """The board as of ``now``. A clock that jumps back reads anew."""
        board = self._board
        if board is None or self._read_at is None or not dt.timedelta(0) <= now - self._read_at < _MAX_AGE:
            switched = self._switched
            board = fold_board(await self._store.control_facts())
            if switched == self._switched:  # else it was read before a switch that is forgotten by now
                self._board, self._read_at = board, now
        return board

    def forget(self) -> None:
        """Read anew next time: something was just switched."""
        self._board = None
        self._switched += 1
