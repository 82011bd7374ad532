"""The room where drafts are rehearsed while the server serves: one at a time, beside it and not in it.

What came of each draft's last rehearsal stays for a while, in memory only.
"""

import asyncio
import contextlib
import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

import structlog

from motma.core.errors import Conflict, Invalid, MotmaError
from motma.core.policy import Policy
from motma.core.rehearsal import Report, Script, words_of
from motma.core.words import Words
from motma.services.aside import Aside
from motma.services.rehearsal import Rehearse

REMEMBERED = 8
"""Drafts of whose last rehearsal is known what came of it."""
MOST_DAYS = 31
LIMIT_SECONDS = 1_800.0

_log = structlog.get_logger()


@dataclass(slots=True)
class Run:
    """One rehearsal: of which draft, over which scans, and where it stands. ``text``: the draft, as it was written;
    "" if it switches a policy off."""

    draft: str
    text: str
    title: Words
    script: Script
    by: str
    since: dt.datetime
    until: dt.datetime
    state: Literal["running", "done", "cancelled", "failed"] = "running"
    looked: int = 0
    total: int = 0
    report: Report | None = None
    error: Words | None = None
    ended_at: dt.datetime | None = None
    words: Mapping[str, Words] = field(default_factory=dict)
    task: "asyncio.Task[None] | None" = None

    @property
    def percent(self) -> int:
        return 100 * self.looked // self.total if self.total else 0


class RehearsalRoom:
    """Belongs to one event loop."""

    def __init__(self, rehearse: Rehearse, clock: Callable[[], dt.datetime]) -> None:
        self._rehearse = rehearse
        self._clock = clock
        self._runs: dict[str, Run] = {}
        self._begins = asyncio.Lock()

    @property
    def running(self) -> Run | None:
        """The one that is played now."""
        return next((run for run in self._runs.values() if run.state == "running"), None)

    def last(self, draft: str) -> Run | None:
        """The last one of this draft, if it is still known."""
        return self._runs.get(draft)

    async def begin(self, draft: str, text: str, policy: Policy | str, *, days: int, by: str, now: dt.datetime) -> Run:
        """Rehearse ``policy`` over the scans of the last ``days``, in the place of the one with its id; or, of an id,
        that the policy with it is switched off.

        Raises :class:`Conflict` ``rehearsal.busy`` while another is played, :class:`Invalid` ``rehearsal.days``, and
        what :meth:`Rehearse.script` raises.
        """
        if not 0 < days <= MOST_DAYS:
            raise Invalid(
                "rehearsal.days", Words(f"Chọn từ 1 đến {MOST_DAYS} ngày.", f"Choose between 1 and {MOST_DAYS} days.")
            )
        async with self._begins:
            if self.running:
                raise Conflict(
                    "rehearsal.busy",
                    Words(
                        "Đang chạy thử một bản nháp khác. Đợi xong, hoặc dừng lần ấy.",
                        "Another draft is being rehearsed. Wait until it is done, or stop it.",
                    ),
                )
            if isinstance(policy, str):
                script, title = await self._rehearse.script([], now, without=[policy]), Words(policy, policy)
            else:
                script, title = await self._rehearse.script([policy], now), policy.title
            run = Run(draft, text, title, script, by, now - dt.timedelta(days=days), now, words=words_of(script))
            self._runs.pop(draft, None)
            while len(self._runs) >= REMEMBERED:
                del self._runs[next(iter(self._runs))]
            self._runs[draft] = run
            run.task = asyncio.create_task(self._play(run))
            return run

    async def cancel(self, draft: str) -> None:
        """Stop it if it is played; when this returns, its process has ended."""
        run = self._runs.get(draft)
        if run and run.task and run.state == "running":
            run.task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await run.task
            if run.state == "running":  # it had not even begun
                run.state, run.ended_at = "cancelled", self._clock()

    async def close(self) -> None:
        """Stop whatever is played."""
        for draft in list(self._runs):
            await self.cancel(draft)

    async def _play(self, run: Run) -> None:
        state: Literal["done", "cancelled", "failed"] = "failed"
        try:
            async with asyncio.timeout(LIMIT_SECONDS):
                await self._played(run)
            state = "done"
        except asyncio.CancelledError:
            state = "cancelled"
        except TimeoutError:
            run.error = Words("Chạy quá lâu. Chọn ít ngày hơn.", "It took too long. Choose fewer days.")
        except MotmaError as error:
            run.error = error.words
        except Exception as error:  # an edge: the page says so, and the log where
            run.error = Words("Hệ thống gặp lỗi khi chạy thử.", "Something broke during the rehearsal.")
            _log.error("rehearsal.failed", error=type(error).__name__, exc_info=error)
        finally:
            run.state, run.ended_at = state, self._clock()

    async def _played(self, run: Run) -> None:
        stage = await Aside.open(run.script)
        try:
            async with contextlib.aclosing(self._rehearse.play(stage, run.since, run.until)) as told:
                async for progress in told:
                    run.looked, run.total = progress.looked, progress.total
                    run.report = progress.report or run.report
        finally:
            await stage.close()
