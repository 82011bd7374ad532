"""Endpoints: where each platform wants to be told of changes, as the facts say, at most a second old."""

import datetime as dt
from typing import Literal

import msgspec

from motma.core.facts import (
    Fact,
    PlatformResumed,
    PlatformRevoked,
    PlatformSuspended,
    WebhookSecret,
    WebhookSet,
    WebhookStopped,
)
from motma.core.ids import FactId
from motma.core.platforms import PlatformNow, fold_platforms
from motma.storage.store import Store

_MAX_AGE = dt.timedelta(seconds=1)
_BOTH_FOR = dt.timedelta(hours=24)
"""So long after a new secret was given messages are signed with the one before as well."""

_RIGHT = "changes:read"

Stopped = Literal["", "asked", "gone", "away", "suspended", "revoked", "over", "not_allowed"]


class Endpoint(msgspec.Struct, frozen=True):
    """Where a platform is told: set by the fact ``setting`` at ``since``, from ``after`` on; ``stopped``: no longer,
    and why. ``before``: the setting before it."""

    platform: str
    url: str
    after: int
    setting: FactId
    since: dt.datetime
    stopped: Stopped = ""
    before: FactId | None = None


class Endpoints:
    """Reads on from the last fact about platforms. Belongs to one event loop."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._seq = 0
        self._read_at: dt.datetime | None = None
        self._set: dict[str, Endpoint] = {}
        self._shut: dict[str, Stopped] = {}
        self._registered: dict[str, PlatformNow] = {}
        self._secrets: dict[FactId, str] = {}

    async def all(self, now: dt.datetime, *, at_once: bool = False) -> dict[str, Endpoint]:
        """Every platform's newest endpoint, stopped ones too; ``at_once``: with what was said just now."""
        if at_once or self._read_at is None or not dt.timedelta(0) <= now - self._read_at < _MAX_AGE:
            while facts := await self._store.platform_facts(self._seq):
                new = [(seq, fact) for seq, fact in facts if seq > self._seq]  # others may have read on too
                for seq, fact in new:
                    self._heed(fact)
                    self._seq = seq
                self._registered = fold_platforms([fact for _, fact in new], self._registered)
            self._read_at = now
        shut = {id: self._shut.get(id) or self._let_out(id, now) for id in self._set}
        return {
            id: msgspec.structs.replace(one, stopped=shut[id]) if shut[id] else one for id, one in self._set.items()
        }

    def _let_out(self, platform: str, now: dt.datetime) -> Stopped:
        """Why a platform that nobody suspended may hear nothing now: whoever may not ask is not told either."""
        known = self._registered.get(platform)
        if known is None:  # it came with a plain token
            return ""
        if known.state(now) == "over":
            return "over"
        return "" if _RIGHT in known.scopes else "not_allowed"

    async def secrets(self, endpoint: Endpoint, now: dt.datetime) -> list[str]:
        """What messages are signed with: the newest first, and the one before for a day."""
        ids = [endpoint.setting]
        if endpoint.before and now < endpoint.since + _BOTH_FOR:
            ids.append(endpoint.before)
        return [await self._secret(id) for id in ids]

    async def _secret(self, id: FactId) -> str:
        if id not in self._secrets:
            fact = await self._store.fact(id)
            assert fact is not None and fact.personal is not None  # it was read among the others
            self._secrets[id] = msgspec.json.decode(fact.personal, type=WebhookSecret).secret
        return self._secrets[id]

    def _heed(self, fact: Fact) -> None:
        what = fact.what
        if isinstance(what, WebhookSet):
            held = self._set.get(what.platform)
            before = held.setting if held else None
            self._set[what.platform] = Endpoint(what.platform, what.url, what.after, fact.id, fact.at, "", before)
        elif isinstance(what, WebhookStopped) and (held := self._set.get(what.platform)):
            self._set[what.platform] = msgspec.structs.replace(held, stopped=what.reason)
        elif isinstance(what, PlatformSuspended):
            if self._shut.get(what.platform) != "revoked":
                self._shut[what.platform] = "suspended"
        elif isinstance(what, PlatformRevoked):
            self._shut[what.platform] = "revoked"
        elif isinstance(what, PlatformResumed) and self._shut.get(what.platform) == "suspended":
            del self._shut[what.platform]
