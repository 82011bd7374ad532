"""Keeping the scanner's lists fresh, and on disk for the next start: what it judges by without a network."""

import asyncio
import datetime as dt
import functools
from collections.abc import Callable

from motma.core.errors import Invalid
from motma.twins.exchange import Away, Exchange, Refused, path_of
from motma.twins.scanner import Held
from motma.twins.store import TwinStore

_TRUST = "/v1/trust-list"
_TOGETHER_SECONDS = 0.5
"""Many who are told at once fetch once."""
_AGAIN_SECONDS = 1.2
"""Who was told may be sooner than the list: after that it is fetched once more."""


class Keeper:
    """Fetches the list of trust and the status lists, and keeps what may take the place of what is held."""

    def __init__(self, store: TwinStore, exchange: Exchange, clock: Callable[[], dt.datetime]) -> None:
        self._store, self._exchange, self._clock = store, exchange, clock
        self._wake = asyncio.Event()
        self.held = self._from_disk()

    def wake(self) -> None:
        """Something changed: fetch now."""
        self._wake.set()

    async def run(self, seconds: float) -> None:
        """For as long as the twin runs."""
        again = False
        while True:
            self._wake.clear()
            await self.refresh()
            pause = seconds if self.held.trusted and not again else _AGAIN_SECONDS
            try:
                await asyncio.wait_for(self._wake.wait(), pause)
                await asyncio.sleep(_TOGETHER_SECONDS)
                again = True
            except TimeoutError:
                again = False

    async def refresh(self) -> None:
        """Fetch what is newer. What is refused or does not come leaves what is held as it is."""
        await self._fetch(_TRUST, lambda raw: self.held.with_trust(raw, self._clock()))
        for uri in self.held.wanted():
            await self._fetch(path_of(uri), functools.partial(self._with_status, uri), uri)

    def _with_status(self, uri: str, raw: bytes) -> Held:
        return self.held.with_status(uri, raw, self._clock())

    async def _fetch(self, path: str, taken: Callable[[bytes], Held], uri: str = "") -> None:
        etag = self._store.kept(f"etag {path}") or b""
        try:
            found = await self._exchange.published(path, etag.decode())
            if found is None:
                if uri in self.held.status:
                    self.held = self.held.with_status_confirmed(uri, self._clock())
                return
            raw, new_etag = found
            self.held = taken(raw)
        except (Away, Refused, Invalid):
            return
        self._store.keep(f"list {path}", raw)
        self._store.keep(f"etag {path}", new_etag.encode())

    def _from_disk(self) -> Held:
        held, now = Held(), self._clock()
        raw = self._store.kept(f"list {_TRUST}")
        if raw is None:
            return held
        try:
            held = held.with_trust(raw, now)
        except Invalid:  # it expired while the twin was away: begin anew, as at the first start
            self._store.keep(f"etag {_TRUST}", b"")
            return held
        for uri in held.wanted():
            raw = self._store.kept(f"list {path_of(uri)}")
            if raw is None:
                continue
            try:
                held = held.with_status(uri, raw, now)
            except Invalid:
                self._store.keep(f"etag {path_of(uri)}", b"")
        return held
