"""What the twin is told: webhooks as they come, and the feed for whatever did not come.

Both carry the same changes with the same ids, so one that comes by both ways is taken once; and of two about one
citizen the higher version counts, so their order does not matter.
"""

import asyncio
import contextlib
import time
from collections.abc import Callable, Mapping

import msgspec
from standardwebhooks import Webhook, WebhookVerificationError

from motma.twins.exchange import Away, Exchange, Refused
from motma.twins.store import Change, TwinStore

_PAGE = 500
_PAUSE_AFTER_TROUBLE = 1.0
_LONGEST_PAUSE = 30.0


class _Message(msgspec.Struct):
    type: str
    data: msgspec.Raw


class Receiver:
    """Takes what is sent to the twin's webhook. The secret is the one that the exchange gave for it."""

    def __init__(self, store: TwinStore, *, on_news: Callable[[], None]) -> None:
        self._store, self._on_news = store, on_news

    def take(self, body: bytes, headers: Mapping[str, str]) -> tuple[int, str]:
        """A status and a word for the sender: 204 taken (or had already), 400 not one, 401 not from the exchange.

        A type that is not known here is taken and left alone: the exchange may tell more one day.
        """
        secret = self._store.kept("webhook secret")
        if secret is None:
            return 503, "not ready"
        try:
            Webhook(secret.decode()).verify(body, dict(headers), json_parse=False)
        except (WebhookVerificationError, ValueError):  # the second: a signature that is not written as one
            return 401, "not signed by the exchange, or not now"
        try:
            message = msgspec.json.decode(body, type=_Message)
            known = message.type.startswith("citizen.")
            change = msgspec.json.decode(message.data, type=Change) if known else None
        except msgspec.MsgspecError:
            return 400, "not a message"
        id = {name.lower(): value for name, value in headers.items()}["webhook-id"]
        if change is None:
            change = Change(id, message.type, "")
        self._store.hear((msgspec.structs.replace(change, id=id),), "webhook", time.time())
        self._on_news()
        return 204, ""


class Reader:
    """Reads the feed from where it was left: what came while the twin was away comes in order."""

    def __init__(self, store: TwinStore, exchange: Exchange, *, seconds: float, on_news: Callable[[], None]) -> None:
        self._store, self._exchange = store, exchange
        self._seconds, self._on_news = seconds, on_news
        self.trouble = ""
        self.read_at = 0.0

    async def run(self) -> None:
        """For as long as the twin runs: page after page, then a look every few seconds."""
        pause = _PAUSE_AFTER_TROUBLE
        while True:
            try:
                more = await self.read_page()
                pause = _PAUSE_AFTER_TROUBLE
                self.trouble = ""
                if not more:
                    await asyncio.sleep(self._seconds)
            except (Away, Refused) as error:
                self.trouble = str(error)
                after = error.after if isinstance(error, Away) else None
                await asyncio.sleep(pause if after is None else after)
                pause = min(pause * 2, _LONGEST_PAUSE)

    async def read_page(self) -> bool:
        """Read one page and keep it with its cursor; whether there is more."""
        cursor = self._store.kept("cursor")
        page = await self._exchange.changes(cursor.decode() if cursor else None, limit=_PAGE)
        if page.changes or page.next != (cursor or b"").decode():
            self._store.hear(page.changes, "feed", time.time(), page.next)
        if page.changes:
            self._on_news()
        self.read_at = time.time()
        return page.more


async def be_told(store: TwinStore, exchange: Exchange, url: str) -> None:
    """See to it that webhooks come to ``url``; once they do, a start changes nothing. Tries until it works."""
    pause = _PAUSE_AFTER_TROUBLE
    while store.kept("webhook url") != url.encode() or store.kept("webhook secret") is None:
        cursor = store.kept("cursor")
        with contextlib.suppress(Away, Refused):
            secret = await exchange.tell_me_at(url, cursor.decode() if cursor else None)
            store.keep("webhook secret", secret.encode())
            store.keep("webhook url", url.encode())
            return
        await asyncio.sleep(pause)
        pause = min(pause * 2, _LONGEST_PAUSE)
