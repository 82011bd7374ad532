"""The inbox: a platform's own payload, read by its connector, each item handed to the verb that it is for.

Sent again it is the same: every item has a key, the platform's own where its form has one, else the place in what was
sent. What can never be right (permanent) is answered item by item, in the platform's own names; what is only so for now
(the store is away, too much at once) is raised, and the whole delivery is to be sent again.
"""

import datetime as dt
import hashlib
from collections.abc import Mapping
from typing import Literal, Protocol

import msgspec

from motma.connectors.platforms import CONNECTORS, Connector, Item, Reported, Sent, Skipped, in_their_names
from motma.core.errors import Conflict, Hidden, Invalid, MotmaError
from motma.core.words import Words
from motma.services.declare import Declare, Receipt
from motma.services.enrol import TooManyGuesses

ITEMS_MOST = 500
"""In one delivery; a table of more comes in several."""

_FOR_NOW = frozenset(("measure.none_active",))
"""No item's fault: the same will be right another day."""


class Recorded(Protocol):
    """A report of health staff that is on disk."""

    @property
    def id(self) -> str: ...
    @property
    def qid(self) -> str: ...
    @property
    def state(self) -> str: ...
    @property
    def repeated(self) -> bool: ...


class Events(Protocol):
    """Where reports of health staff go."""

    async def report(
        self, raw: Mapping[str, object], *, source: str, now: dt.datetime, key: str | None
    ) -> Recorded: ...


class Result(msgspec.Struct, frozen=True):
    """What became of one item: an answer, or the problem with it."""

    kind: Literal["declaration", "event", "skipped"]
    answer: Receipt | Recorded | None = None
    problem: MotmaError | None = None

    @property
    def is_new(self) -> bool:
        """Whether something was recorded that was not there before."""
        return self.answer is not None and not self.answer.repeated


class Sender(Protocol):
    """Who delivers: a platform, and what it may do."""

    @property
    def id(self) -> str: ...
    @property
    def scopes(self) -> frozenset[str]: ...


def connector_of(name: str) -> Connector:
    """The connector of that name. Raises :class:`Hidden` ``inbox.unknown``."""
    if found := CONNECTORS.get(name):
        return found
    raise Hidden("inbox.unknown", Words("Không có mẫu nào tên như vậy.", "There is no connector of that name."))


class Inbox:
    """The verb."""

    def __init__(self, *, declare: Declare, events: Events | None, items_most: int = ITEMS_MOST) -> None:
        self._declare = declare
        self._events = events
        self._items_most = items_most

    async def take(
        self,
        connector: Connector,
        body: bytes,
        content_type: str,
        *,
        sender: Sender,
        now: dt.datetime,
        key: str | None = None,
    ) -> tuple[Result, ...]:
        """Record what ``body`` says. ``key`` is the delivery's own; without one it is known by what it holds.

        Raises :class:`Invalid` ``inbox.*`` with *their* fields for what is nothing at all; :class:`Unavailable`,
        :class:`TooManyMistakes`, :class:`Conflict` ``measure.none_active`` where sending it again helps: what was
        recorded before that is not recorded twice.
        """
        items = connector.to_ours(body, content_type, now)
        if len(items) > self._items_most:
            raise Invalid(
                "inbox.too_many",
                Words(
                    f"Một lần gửi tối đa {self._items_most} mục. Chia ra nhiều lần.",
                    f"At most {self._items_most} items in one delivery. Send several.",
                ),
            )
        delivery = key or hashlib.sha256(body).hexdigest()
        results = []
        for place, item in enumerate(items):
            results.append(await self._one(item, f"{connector.name} {delivery} {place}", connector.name, sender, now))
        return tuple(results)

    async def _one(self, item: Item, place: str, connector: str, sender: Sender, now: dt.datetime) -> Result:
        if isinstance(item, Skipped):
            return Result("skipped", problem=Invalid(item.why.code, item.why.words, item.fields))
        kind: Literal["declaration", "event"] = "declaration" if isinstance(item, Sent) else "event"
        # With a space in it no key of the native door is the same.
        key = f"{connector} item {item.key}" if item.key else place
        try:
            return Result(kind, answer=await self._handed_on(item, key, sender, now))
        except TooManyGuesses:
            raise
        except (Invalid, Conflict, Hidden) as problem:
            if problem.code in _FOR_NOW:
                raise
            fields = in_their_names(problem.fields, item.names)
            return Result(kind, problem=type(problem)(problem.code, problem.words, fields))

    async def _handed_on(self, item: Sent | Reported, key: str, sender: Sender, now: dt.datetime) -> Receipt | Recorded:
        if isinstance(item, Sent):
            return await self._declare.declare(item.raw, source=sender.id, now=now, key=key)
        if self._events is None or "health:write" not in sender.scopes:
            raise Conflict(
                "inbox.no_events",
                Words(
                    "Nền tảng này chưa được quyền báo ca bệnh, tiếp xúc.",
                    "This platform may not report cases or contacts.",
                ),
            )
        return await self._events.report(item.raw, source=sender.id, now=now, key=key)
