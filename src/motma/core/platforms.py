"""Which platforms there are and what each may do: the fold of all ``platform.*`` facts.

Two scopes reach further than a platform's own users: reporting somebody's illness, and lists that a law provides for.
Nobody gives those alone. They count once two operators have named them, and only for keys that two have seen; who sits
at the server's own terminal ("cli") owns it anyway. Nothing here waits for an order of acts: whatever two people do at
the same moment, the facts say the same afterwards.
"""

import datetime as dt
import hashlib
from collections.abc import Iterable, Mapping
from typing import Literal

import msgspec

from motma.core.facts import (
    Fact,
    PlatformKeyAdded,
    PlatformKeyRemoved,
    PlatformRegistered,
    PlatformResumed,
    PlatformRevoked,
    PlatformSuspended,
    WebhookSet,
    WebhookStopped,
)
from motma.core.words import Words

SCOPES: Mapping[str, Words] = {
    "declarations:write": Words("Gửi và sửa tờ khai của người dùng", "Send and correct its users' declarations"),
    "declarations:read": Words("Đọc lại những gì đã gửi", "Read what it sent"),
    "codes:read": Words("Lấy mã QR của người dùng", "Get its users' codes"),
    "codes:verify": Words("Kiểm tra mã được đưa ra", "Verify codes that are shown to it"),
    "prechecks": Words("Hỏi trước các chốt trên đường", "Ask ahead about the checkpoints of a trip"),
    "changes:read": Words("Nhận các thay đổi, kể cả qua webhook", "Be told of changes, by webhook too"),
    "health:write": Words("Báo ca bệnh, tiếp xúc, hết cách ly", "Report cases, contacts, ends of quarantine"),
    "lists:read": Words("Xin danh sách theo quy định của pháp luật", "Ask for lists that the law provides for"),
}
"""What a platform may be let do."""

SENSITIVE = frozenset(("health:write", "lists:read"))
"""What only two operators give."""
EVERYDAY = frozenset(SCOPES) - SENSITIVE
"""What an operator gives alone, and what a plain bearer token may at most do."""

TERMINAL, SELF = "cli", "sandbox"
"""Who acts that is no operator: somebody at the server's own terminal; the self-service page of a sandbox."""
SELF_SERVED_FOR = dt.timedelta(days=7)
"""How long a platform lives that somebody made for themselves in a sandbox."""

State = Literal["active", "suspended", "revoked", "over"]


class PlatformKey(msgspec.Struct, frozen=True):
    """A public key of a platform. ``seen``: more than one person stands for it."""

    kid: str
    jwk: str
    added_at: dt.datetime
    by: str
    seen: bool = False

    @property
    def mark(self) -> str:
        """Tells it from every other key, of the same name too."""
        return hashlib.sha256(self.jwk.encode()).hexdigest()[:32]


class PlatformNow(msgspec.Struct, frozen=True):
    """A platform as of now.

    ``asked``: scope -> who named it first, of those that wait for a second operator. ``until``: when it ends by itself.
    ``webhook``: where it is told of changes, ""; ``webhook_ended``: why it is told no more.
    """

    id: str
    name: str
    connector: str
    scopes: frozenset[str]
    per_second: int
    per_day: int
    certificate: str
    registered_at: dt.datetime
    by: str
    asked: Mapping[str, str] = {}
    keys: Mapping[str, PlatformKey] = {}
    suspended: bool = False
    revoked: bool = False
    reason: str = ""
    until: dt.datetime | None = None
    webhook: str = ""
    webhook_ended: str = ""

    def state(self, now: dt.datetime) -> State:
        """Whether it is let in."""
        if self.revoked:
            return "revoked"
        if self.until is not None and now >= self.until:
            return "over"
        return "suspended" if self.suspended else "active"

    def scopes_of(self, kid: str) -> frozenset[str]:
        """What it may do with the key ``kid``; without one ("": a plain token) only what one operator gives."""
        key = self.keys.get(kid)
        return self.scopes if key and key.seen else self.scopes & EVERYDAY


def fold_platforms(facts: Iterable[Fact], before: Mapping[str, PlatformNow] | None = None) -> dict[str, PlatformNow]:
    """Every platform there ever was, by id, after these facts, oldest first; other facts are passed over.

    ``before``: what the facts before these made. Revoked is for ever; a key's id keeps its first key.
    """
    platforms = dict(before or {})
    for fact in facts:
        what = fact.what
        if isinstance(what, PlatformRegistered):
            platforms[what.platform] = _registered(platforms.get(what.platform), what, fact)
        elif isinstance(
            what,
            PlatformKeyAdded
            | PlatformKeyRemoved
            | PlatformSuspended
            | PlatformResumed
            | PlatformRevoked
            | WebhookSet
            | WebhookStopped,
        ):
            known = platforms.get(what.platform)
            if known and not known.revoked:
                platforms[what.platform] = _after(known, what, fact)
    return platforms


def _registered(known: PlatformNow | None, what: PlatformRegistered, fact: Fact) -> PlatformNow:
    if known and known.revoked:
        return known
    held = known.scopes if known else frozenset[str]()
    waiting = dict(known.asked) if known else {}
    scopes = {scope for scope in what.scopes if scope in EVERYDAY or scope in held}
    asked: dict[str, str] = {}
    for scope in sorted(SENSITIVE.intersection(what.scopes) - held):
        first = waiting.get(scope, fact.actor)
        if first != fact.actor or fact.actor == TERMINAL:
            scopes.add(scope)
        else:
            asked[scope] = first
    keys = dict(known.keys) if known else {}
    if SENSITIVE & scopes - held:  # whoever agreed to it saw the keys, save their own, which nobody else has seen
        keys = {
            kid: msgspec.structs.replace(key, seen=key.seen or key.by != fact.actor or fact.actor == TERMINAL)
            for kid, key in keys.items()
        }
    return PlatformNow(
        id=what.platform,
        name=what.name,
        connector=what.connector,
        scopes=frozenset(scopes),
        per_second=what.per_second,
        per_day=what.per_day,
        certificate=what.certificate,
        registered_at=known.registered_at if known else fact.at,
        by=known.by if known else fact.actor,
        asked=asked,
        keys=keys,
        suspended=bool(known and known.suspended),
        reason=known.reason if known else "",
        until=known.until if known else fact.at + SELF_SERVED_FOR if fact.actor == SELF else None,
        webhook=known.webhook if known else "",
        webhook_ended=known.webhook_ended if known else "",
    )


def _after(
    known: PlatformNow,
    what: PlatformKeyAdded
    | PlatformKeyRemoved
    | PlatformSuspended
    | PlatformResumed
    | PlatformRevoked
    | WebhookSet
    | WebhookStopped,
    fact: Fact,
) -> PlatformNow:
    change = msgspec.structs.replace
    if isinstance(what, PlatformKeyAdded):
        held = known.keys.get(what.kid)
        if held and held.jwk != what.jwk:
            return known
        seen = fact.actor == TERMINAL or bool(held and (held.seen or held.by != fact.actor))
        by, at = (held.by, held.added_at) if held else (fact.actor, fact.at)
        return change(known, keys={**known.keys, what.kid: PlatformKey(what.kid, what.jwk, at, by, seen)})
    if isinstance(what, PlatformKeyRemoved):
        return change(known, keys={kid: key for kid, key in known.keys.items() if kid != what.kid})
    if isinstance(what, PlatformSuspended):
        return change(known, suspended=True, reason=what.reason)
    if isinstance(what, PlatformResumed):
        return change(known, suspended=False, reason="")
    if isinstance(what, PlatformRevoked):
        return change(known, revoked=True, reason=what.reason, keys={}, scopes=frozenset(), asked={}, webhook="")
    if isinstance(what, WebhookSet):
        return change(known, webhook=what.url, webhook_ended="")
    return change(known, webhook="", webhook_ended=what.reason)
