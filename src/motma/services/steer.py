"""Steer: see what happens at the checkpoints, send people on from one that jams, switch measures on and off."""

import datetime as dt
from collections.abc import Callable
from zoneinfo import ZoneInfo

from motma.core.errors import Conflict, Hidden, Invalid
from motma.core.facts import DiversionClosed, DiversionOpened, Fact, MeasureEnded, MeasurePublished
from motma.core.flow import Diversion, Network
from motma.core.fold import Board, Tally
from motma.core.ids import new_fact_id
from motma.core.measure import Measure
from motma.core.text import parse_line
from motma.core.words import Words
from motma.services.board import BoardReader
from motma.storage.store import Act, Store

_LOCAL = ZoneInfo("Asia/Ho_Chi_Minh")


class Steer:
    """The operator's verb."""

    def __init__(self, *, store: Store, board: BoardReader, network: Network, random: Callable[[int], bytes]) -> None:
        self.network = network
        self._store = store
        self._board = board
        self._random = random

    async def board(self, now: dt.datetime) -> Board:
        """What is switched on."""
        return await self._board.current(now)

    async def counts(self, now: dt.datetime) -> list[tuple[Tally, int]]:
        """Every count of today, by local time."""
        midnight = now.astimezone(_LOCAL).replace(hour=0, minute=0, second=0, microsecond=0)
        return await self._store.tally(midnight.astimezone(dt.UTC))

    async def changed(self) -> int:
        """A number that grows whenever anything has happened."""
        return await self._store.changed_seq()

    async def open_diversion(self, checkpoint: str, to: str | None, note: str, *, by: str, now: dt.datetime) -> None:
        """Send people on from ``checkpoint``, to ``to`` or along their route. Open again replaces the order."""
        self._known(checkpoint)
        if to is not None:
            self._known(to)
        if to == checkpoint:
            raise Invalid(
                "diversion.to_itself",
                Words("Chọn một chốt khác để dẫn người tới.", "Choose another checkpoint to send people to."),
            )
        if to in (await self._board.current(now)).diversions:
            raise Conflict(
                "diversion.to_diverted",
                Words(
                    "Chốt đích cũng đang phân luồng. Chọn chốt khác.",
                    "That checkpoint is diverted too. Choose another.",
                ),
            )
        diversion = Diversion(checkpoint, to, now, by, parse_line(note, 200))
        await self._switch("div", DiversionOpened(diversion), by, now, checkpoint)

    async def close_diversion(self, checkpoint: str, *, by: str, now: dt.datetime) -> None:
        """Check people here again. Raises :class:`Conflict` ``diversion.not_open``."""
        self._known(checkpoint)
        self._board.forget()
        diversion = (await self._board.current(now)).diversions.get(checkpoint)
        if diversion is None:
            raise Conflict(
                "diversion.not_open",
                Words("Chốt này không đang phân luồng.", "No diversion is open at this checkpoint."),
            )
        await self._switch("div", DiversionClosed(diversion.opened_at), by, now, checkpoint)

    async def publish_measure(self, measure: Measure, *, by: str, now: dt.datetime) -> None:
        """Switch a measure on, or replace the one of the same id."""
        await self._switch("mea", MeasurePublished(measure), by, now, None)

    async def end_measure(self, measure: str, *, by: str, now: dt.datetime) -> None:
        """Switch a measure off before its time."""
        if measure not in (await self._board.current(now)).measures:
            raise Hidden("measure.unknown", Words("Không có biện pháp này.", "There is no such measure."))
        await self._switch("mea", MeasureEnded(measure), by, now, None)

    def _known(self, checkpoint: str) -> None:
        if checkpoint not in self.network.by_id:
            raise Hidden("checkpoint.unknown", Words("Không có chốt này.", "There is no such checkpoint."))

    async def _switch(
        self,
        kind: str,
        what: DiversionOpened | DiversionClosed | MeasurePublished | MeasureEnded,
        by: str,
        now: dt.datetime,
        checkpoint: str | None,
    ) -> None:
        fact = Fact(id=new_fact_id(kind, now, self._random(10)), at=now, actor=by, what=what, checkpoint=checkpoint)
        await self._store.append(Act(facts=(fact,)))
        self._board.forget()
