"""What is still to be sent: tried again until the exchange took it or said that it never will. Nothing is lost between.

A letter keeps its key, so that one of which only the answer was lost is not taken twice.
"""

import asyncio
import contextlib
import random
import time
from collections.abc import Mapping
from typing import Any

import msgspec

from motma.twins.exchange import Away, Exchange, Refused
from motma.twins.store import Letter, TwinStore

AT_ONCE = 8
"""Letters under way at one time."""
_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 60.0
_encode = msgspec.json.Encoder().encode


class Outbox:
    """Sends what the store holds, several at a time; while the exchange says wait, nobody is sent."""

    def __init__(self, store: TwinStore, exchange: Exchange) -> None:
        self._store, self._exchange = store, exchange
        self._new = asyncio.Event()
        self._answered = asyncio.Condition()
        self._under_way: dict[str, asyncio.Task[None]] = {}
        self._not_before = 0.0
        self.trouble = ""

    def post(self, key: str, body: bytes, content_type: str) -> None:
        """Keep a letter, and see to it at once."""
        self._store.write(key, body, content_type, time.time())
        self._new.set()

    async def wait_for(self, key: str, seconds: float) -> Letter | None:
        """The letter once it is answered, or as it is after ``seconds``."""

        def done() -> bool:
            letter = self._store.letter(key)
            return letter is None or letter.state != "waiting"

        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds), self._answered:
                await self._answered.wait_for(done)
        return self._store.letter(key)

    async def run(self) -> None:
        """For as long as the twin runs."""
        try:
            while True:
                self._new.clear()
                now = time.time()
                if now >= self._not_before:
                    for letter in self._store.due(now, 2 * AT_ONCE):
                        if letter.key not in self._under_way and len(self._under_way) < AT_ONCE:
                            self._under_way[letter.key] = asyncio.create_task(self._send(letter))
                await self._until_next(now)
        finally:
            for task in list(self._under_way.values()):
                task.cancel()

    async def _until_next(self, now: float) -> None:
        due = self._store.next_due()
        pause = _LONGEST_PAUSE if due is None else max(due, self._not_before) - now
        if len(self._under_way) >= AT_ONCE or (self._under_way and pause <= 0):
            pause = _LONGEST_PAUSE  # whoever comes back wakes us
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._new.wait(), max(pause, 0.001))

    async def _send(self, letter: Letter) -> None:
        try:
            result = await self._exchange.send(letter)
            self._settle(letter, result)
            self.trouble = ""
        except Refused as refused:
            self._store.answered(letter.key, "refused", _encode(refused.problem).decode(), None, None)
        except Away as away:
            self.trouble = str(away)
            # 0.5 s, 1 s, 2 s … a minute, each with a jitter, so that many who wait do not come back as one.
            pause = min(_FIRST_PAUSE * 2**letter.attempts, _LONGEST_PAUSE) * random.uniform(0.8, 1.2)
            if away.after is not None:
                pause = self._hold(away.after)
            self._store.put_off(letter.key, time.time() + pause, str(away))
        finally:
            del self._under_way[letter.key]
            self._new.set()
            async with self._answered:
                self._answered.notify_all()

    def _hold(self, seconds: float) -> float:
        """The exchange said how long: until then nobody is sent."""
        self._not_before = max(self._not_before, time.time() + seconds)
        return seconds

    def _settle(self, letter: Letter, result: Mapping[str, Any]) -> None:
        answer, problem = result.get("answer"), result.get("problem")
        if isinstance(answer, dict):
            said, declaration, qid = _encode(answer).decode(), answer.get("declaration"), answer.get("qid")
            self._store.answered(letter.key, "sent", said, declaration, qid)
        else:
            self._store.answered(letter.key, "refused", _encode(problem or result).decode(), None, None)
