"""Webhooks: a platform says where it wants to be told of changes, tries it, and sees what could not be told."""

import base64
import datetime as dt
from collections.abc import Callable
from typing import Literal

import msgspec

from motma.core.change import change_id
from motma.core.errors import Conflict, Hidden, Invalid
from motma.core.facts import Fact, WebhookSecret, WebhookSet, WebhookStopped, What
from motma.core.ids import Qid, new_fact_id
from motma.core.words import Words
from motma.services.exchange.endpoints import Endpoint, Endpoints
from motma.services.exchange.feed import Feed
from motma.services.exchange.messages import TEST, Message, Sender, signed
from motma.storage.outbox import Delivery, DeliveryState
from motma.storage.store import Act, Store

PAGE_DELIVERIES = 100
_SECRET_BYTES = 32
_TEST_EVERY = dt.timedelta(seconds=5)
_TESTED_MAX = 1_000


class Setting(msgspec.Struct, frozen=True):
    """How it stands with a platform's webhook. ``state``: ``on``; ``resting``: the receiver failed several times in a
    row, and is tried again at ``rests_until``; or why it is stopped. ``cursor``: all up to there was told."""

    url: str
    state: Literal["on", "resting", "asked", "gone", "away", "suspended", "revoked", "over", "not_allowed"]
    cursor: int
    failures: int
    rests_until: dt.datetime | None
    problem: str


class Webhooks:
    """The platforms' fourth verb."""

    def __init__(
        self, *, store: Store, feed: Feed, endpoints: Endpoints, sender: Sender, random: Callable[[int], bytes]
    ) -> None:
        self._store = store
        self._feed = feed
        self._endpoints = endpoints
        self._sender = sender
        self._random = random
        self._tested: dict[str, dt.datetime] = {}

    async def set(self, platform: str, raw_url: str, after: str | None, now: dt.datetime) -> tuple[str, str]:
        """(url, secret) where ``platform`` is told from now on; the secret is never told again.

        From the cursor ``after`` on, or ``now``; None: from where it was told last, at first from the beginning. Raises
        :class:`Invalid` ``webhook.url``, ``webhook.address``, ``changes.cursor``.
        """
        url = self._sender.parse(raw_url)
        if after is None:
            outlet = await self._store.outbox.outlet(platform)
            cursor = outlet.cursor if outlet else 0
        else:
            cursor = await self._feed.cursor(after)
        await self._sender.check(url)
        secret = "whsec_" + base64.b64encode(self._random(_SECRET_BYTES)).decode()
        personal = msgspec.json.encode(WebhookSecret(secret))
        await self._say(platform, WebhookSet(platform, url, cursor), now, personal)
        return url, secret

    async def stop(self, platform: str, now: dt.datetime) -> None:
        """Tell ``platform`` no more. What is stopped already stays so."""
        if not (await self._endpoint(platform, now)).stopped:
            await self._say(platform, WebhookStopped(platform, "asked"), now)

    async def setting(self, platform: str, now: dt.datetime) -> Setting:
        """How it stands. Raises :class:`Hidden` ``webhook.none``."""
        endpoint = await self._endpoint(platform, now)
        outlet = await self._store.outbox.outlet(platform)
        if outlet is None or outlet.setting != endpoint.setting:
            return Setting(endpoint.url, endpoint.stopped or "on", endpoint.after, 0, None, "")
        state = endpoint.stopped or ("resting" if outlet.rests_until else "on")
        return Setting(endpoint.url, state, outlet.cursor, outlet.failures, outlet.rests_until, outlet.problem)

    async def test(self, platform: str, now: dt.datetime) -> tuple[int | None, str | None]:
        """Send a message of type ``webhook.test`` once: (status of the answer, what is wrong).

        Raises :class:`Hidden` ``webhook.none``, :class:`Conflict` ``webhook.test_too_often``.
        """
        endpoint = await self._endpoint(platform, now)
        last = self._tested.get(platform)
        if last is not None and dt.timedelta(0) <= now - last < _TEST_EVERY:
            raise Conflict(
                "webhook.test_too_often",
                Words("Vừa thử rồi. Đợi năm giây.", "It was tried just now. Wait five seconds."),
            )
        if len(self._tested) > _TESTED_MAX:
            self._tested.clear()
        self._tested[platform] = now
        body = msgspec.json.encode(Message(TEST, now, {}))
        secrets = await self._endpoints.secrets(endpoint, now)
        id = str(new_fact_id("tst", now, self._random(10)))
        answered = await self._sender.send(endpoint.url, signed(id, body, secrets, now), body)
        return answered.status, answered.problem

    async def deliveries(self, platform: str, state: DeliveryState, after: str) -> list[Delivery]:
        """A page of what could not be told: ``waiting`` is tried again, ``dead`` no more; after a citizen's number."""
        return await self._store.outbox.parked(platform, state, after, PAGE_DELIVERIES)

    async def retry(self, platform: str, id: str, now: dt.datetime) -> Delivery:
        """Try again at once what could not be told, dead or waiting. Raises :class:`Hidden` ``delivery.hidden``."""
        seq = _seq_of(id)
        delivery = await self._store.outbox.delivery(platform, seq) if seq is not None else None
        if delivery is None:
            raise Hidden(
                "delivery.hidden",
                Words("Không có tin nào như vậy đang chờ.", "There is no such message waiting."),
            )
        again = msgspec.structs.replace(delivery, state="waiting", attempts=0, next_at=now)
        await self._store.outbox.keep(parked=[again])
        return again

    async def retry_dead(self, platform: str, now: dt.datetime) -> int:
        """Try again at once whatever is dead. Returns how much that is."""
        count = 0
        while page := await self._store.outbox.parked(platform, "dead", "", PAGE_DELIVERIES):
            again = [msgspec.structs.replace(one, state="waiting", attempts=0, next_at=now) for one in page]
            await self._store.outbox.keep(parked=again)
            count += len(again)
        return count

    async def parked(self, platform: str) -> dict[DeliveryState, int]:
        """How much could not be told."""
        return await self._store.outbox.parked_count(platform)

    async def _endpoint(self, platform: str, now: dt.datetime) -> Endpoint:
        endpoint = (await self._endpoints.all(now, at_once=True)).get(platform)
        if endpoint is None:
            raise Hidden(
                "webhook.none",
                Words("Nền tảng này chưa đăng ký webhook.", "This platform has not registered a webhook."),
            )
        return endpoint

    async def _say(self, platform: str, what: What, now: dt.datetime, personal: bytes | None = None) -> None:
        id = new_fact_id("whk", now, self._random(10))
        await self._store.append(Act((Fact(id=id, at=now, actor=platform, what=what, personal=personal),)))


def parse_state(raw: str) -> DeliveryState:
    """``waiting`` or ``dead``. Raises :class:`Invalid` ``delivery.state``."""
    if raw not in ("waiting", "dead"):
        raise Invalid("delivery.state", Words("`state` là waiting hoặc dead.", "`state` is waiting or dead."))
    return "dead" if raw == "dead" else "waiting"


def parse_after(raw: str) -> Qid | str:
    """A citizen's number to go on after, or "". Raises :class:`Invalid` ``delivery.after``."""
    if raw and not (len(raw) == 18 and raw.isascii() and raw.isdigit()):
        raise Invalid("delivery.after", Words("`after` là mã số 18 chữ số.", "`after` is a number of 18 digits."))
    return raw


def _seq_of(id: str) -> int | None:
    digits = id.removeprefix("chg_")
    seq = int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 19 else -1
    return seq if seq >= 0 and change_id(seq) == id else None
