"""Rehearse: a draft policy over the evidence of real scans, before it is switched on. It writes nothing.

Scans come in pages, in the order of time, up to the last one there is when it begins: what is written meanwhile is not
in it. While one page is judged the next one is fetched. Nothing of it tells who was scanned, or by whom.
"""

import asyncio
import contextlib
import datetime as dt
from collections.abc import AsyncGenerator, Awaitable, Callable, Collection, Sequence
from typing import Protocol

import msgspec

from motma.core.errors import Invalid
from motma.core.policy import Policy
from motma.core.policy.text import read_policy
from motma.core.rehearsal import EXAMPLES, Rehearsal, Report, Script, cast
from motma.core.words import Words
from motma.services.policies import Refused
from motma.storage.store import ScanRow, ScanSpan, Store


class Today(msgspec.Struct, frozen=True):
    """What decides now, in order. ``unreadable``: a policy that belongs here could not be had."""

    policies: tuple[Policy, ...]
    unreadable: bool = False


class Progress(msgspec.Struct, frozen=True):
    """``looked`` at ``total`` scans; ``report`` when all are done."""

    looked: int
    total: int
    report: Report | None = None


class Stage(Protocol):
    """Where a rehearsal is played: here, or in a process of its own (:mod:`motma.services.aside`)."""

    async def look(self, page: Sequence[ScanRow]) -> None:
        """At the scans of a page."""

    async def report(self) -> Report:
        """What came of it."""


class Here:
    """In this process, on this thread: for a terminal."""

    def __init__(self, script: Script) -> None:
        self._rehearsal = Rehearsal(script)

    async def look(self, page: Sequence[ScanRow]) -> None:
        for _, number, body in page:
            self._rehearsal.look(number, body)
        await asyncio.sleep(0)  # whoever wants to cancel it is heard

    async def report(self) -> Report:
        return self._rehearsal.report()


class Rehearse:
    """The operator's verb for a draft."""

    def __init__(self, *, store: Store, in_force: Callable[[dt.datetime], Awaitable[Today]]) -> None:
        self._store = store
        self._in_force = in_force

    async def script(
        self,
        drafts: Sequence[Policy],
        now: dt.datetime,
        *,
        replace: str | None = None,
        add: bool = False,
        without: Collection[str] = (),
        examples: int = EXAMPLES,
        seed: int = 0,
    ) -> Script:
        """What decides now, and what would with the drafts (:func:`motma.core.rehearsal.cast`, and what it raises)."""
        today = await self._in_force(now)
        return Script(
            today=today.policies,
            draft=cast(today.policies, drafts, replace=replace, add=add, without=without),
            unreadable=today.unreadable,
            examples=examples,
            seed=seed,
        )

    async def play(self, stage: Stage, since: dt.datetime, until: dt.datetime) -> AsyncGenerator[Progress]:
        """Show ``stage`` every scan from ``since`` to before ``until``; tells after each page how far it is.

        Ended early, it leaves nothing behind. Raises :class:`Invalid` ``rehearsal.span`` if that is no time at all.
        """
        if since >= until:
            raise Invalid(
                "rehearsal.span", Words("Thời điểm đầu phải trước thời điểm cuối.", "It must begin before it ends.")
            )
        span = ScanSpan(since, until, await self._store.changed_seq())
        total, looked = await self._store.count_scans(span), 0
        yield Progress(0, total)
        page = await self._store.scans(span)
        while page:
            coming = asyncio.ensure_future(self._store.scans(span, page[-1]))
            try:
                await stage.look(page)
                looked += len(page)
                yield Progress(looked, total)
                page = await coming
            finally:
                if not coming.done():
                    coming.cancel()
                    with contextlib.suppress(asyncio.CancelledError):
                        await coming
        yield Progress(looked, total, await stage.report())


def read_draft(text: str) -> Policy:
    """The policy in ``text`` (YAML or JSON). Raises :class:`Refused` with everything that is wrong, line by line."""
    written = read_policy(text)
    if written.policy is None:
        raise Refused(written.findings)
    return written.policy
