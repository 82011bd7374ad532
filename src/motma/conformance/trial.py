"""What a case stands on: the platform, the exchange, what stands between, and patience."""

import asyncio
import datetime as dt
import random
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

import msgspec
from standardwebhooks import Webhook

from motma.conformance.exchange import Ours, declaration_of
from motma.conformance.front import Front
from motma.conformance.platform import Declared, Platform
from motma.core.ids import new_qid
from motma.core.words import Words
from motma.wiring import utc_now

_T = TypeVar("_T")
_BETWEEN_LOOKS = 0.1


class Wrong(Exception):
    """The platform did something else than it must; the text says what was seen, without naming anybody."""


@dataclass(frozen=True, slots=True)
class Case:
    """One thing that a platform must do. ``group``: codes, sending, telling."""

    id: str
    group: str
    words: Words
    run: Callable[["Trial"], Awaitable[None]]


CASES: list[Case] = []
"""Every case, in the order in which they are tried."""


def case(id: str, vi: str, en: str) -> Callable[[Callable[["Trial"], Awaitable[None]]], Callable[..., Awaitable[None]]]:
    """Enter a case; the part of ``id`` before the dot is its group."""

    def entered(run: Callable[["Trial"], Awaitable[None]]) -> Callable[..., Awaitable[None]]:
        CASES.append(Case(id, id.partition(".")[0], Words(vi, en), run))
        return run

    return entered


def must(holds: bool, seen: str) -> None:
    """Go on only if it ``holds``."""
    if not holds:
        raise Wrong(seen)


@dataclass(slots=True)
class Trial:
    """One platform under trial as ``id``. ``patience``: seconds that anything may take that takes time."""

    id: str
    platform: Platform
    front: Front
    ours: Ours
    patience: float
    luck: random.Random
    people: Iterator[int]
    """Whose turn it is to declare; nobody of them did before."""
    _known: Declared | None = None

    async def until(self, look: Callable[[], Awaitable[_T | None]], waiting_for: str) -> _T:
        """What ``look`` finds, once it finds something."""
        try:
            async with asyncio.timeout(self.patience):
                while not (found := await look()):  # noqa: ASYNC110  # it is another program that is waited for
                    await asyncio.sleep(_BETWEEN_LOOKS)
                return found
        except TimeoutError:
            raise Wrong(f"{waiting_for}: not within {self.patience:g} s") from None

    def person(self, **changed: Any) -> dict[str, Any]:
        """What somebody declares who did not before; nobody of whom more than that is needed."""
        while True:
            person = self.ours.people.person(next(self.people))
            grown = person.birth_date.year < 2005 and person.nationality == "VN" and not person.year_only
            if grown and person.documents[0].kind == "cccd":
                return declaration_of(person, utc_now(), luck=self.luck) | changed

    async def declared(self, key: str, state: str = "sent") -> Declared:
        """What became of what was declared under ``key``, once it is ``state``."""

        async def look() -> Declared | None:
            found = await self.platform.declared(key)
            return found if found.state == state else None

        return await self.until(look, f"the declaration becoming {state}")

    async def somebody(self, *, new: bool = False) -> Declared:
        """Somebody who declared on this platform and whose code it shows."""
        if self._known is None or new:
            found = await self.declared(await self.platform.declare(self.person()))
            must(bool(found.qid and found.code), "a declaration that was taken without a number or a code")
            if new:
                return found
            self._known = found
        return self._known

    async def shows(self, qid: str, waiting_for: str, **said: Any) -> dict[str, Any]:
        """What the platform shows of a citizen, once every one of ``said`` is so."""

        async def look() -> dict[str, Any] | None:
            citizen = await self.platform.citizen(qid)
            return citizen if citizen and all(citizen.get(name) == value for name, value in said.items()) else None

        return await self.until(look, waiting_for)

    async def told(self) -> None:
        """Wait until the platform has said where it wants to be told."""

        async def look() -> bool:
            return bool(self.front.secret)

        await self.until(look, "a PUT of /v1/webhook")

    def change(self, *, version: int, qid: str | None = None, **said: Any) -> dict[str, Any]:
        """A change of a citizen whom nobody knows: ids and numbers are new."""
        number = new_qid(self.luck.randbytes(10)) if qid is None else qid
        return {
            "id": f"chg_{self.luck.randbytes(12).hex()}",
            "cursor": "trial",
            "type": "citizen.changed",
            "at": utc_now().isoformat(),
            "citizen": {"qid": number, "also": [], "version": version, "state": "good", "health": "clear", **said},
        }

    def message(self, change: dict[str, Any], **other: Any) -> bytes:
        """The body that tells of ``change``."""
        return msgspec.json.encode({"type": change["type"], "timestamp": change["at"], "data": change, **other})

    def signed(
        self, id: str, body: bytes, *, secret: str = "", at: dt.datetime | None = None, before: str = ""
    ) -> dict[str, str]:
        """The headers of a message by Standard Webhooks; ``before``: other signatures beside the true one."""
        at = at or utc_now()
        signature = Webhook(secret or self.front.secret).sign(id, at, body.decode())
        return {
            "content-type": "application/json",
            "webhook-id": id,
            "webhook-timestamp": str(int(at.timestamp())),
            "webhook-signature": f"{before} {signature}".strip(),
        }
