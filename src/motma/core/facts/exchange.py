"""Interlinked: which platforms there are, what health staff reported, who asked for data and on what ground."""

import datetime as dt
from typing import Literal

import msgspec

from motma.core.ids import Qid

HealthEventKind = Literal["case", "contact", "ended"]
"""A confirmed case; a contact of one; the end of isolation or quarantine, which ends both."""

Purpose = Literal["verification", "list", "tracing", "report"]
"""What somebody's data was asked for: is this code good; a list that the law provides for; whom a case met; what became
of a report of health staff."""


class PlatformRegistered(msgspec.Struct, frozen=True, tag="platform.registered"):
    """A platform is interlinked from now on; the same id again replaces what was said of it, but not its keys.

    ``connector``: in whose form it sends, "native" for ours. ``scopes``: what it may do. ``certificate``: the SHA-256
    in hex of the client certificate that it must show as well; "" if it need not.
    """

    platform: str
    name: str
    connector: str
    scopes: tuple[str, ...]
    per_second: int
    per_day: int
    certificate: str = ""


class PlatformKeyAdded(msgspec.Struct, frozen=True, tag="platform.key_added"):
    """A platform signs its requests for access with this key too. ``jwk``: the public key, RFC 7517, as JSON text."""

    platform: str
    kid: str
    jwk: str


class PlatformKeyRemoved(msgspec.Struct, frozen=True, tag="platform.key_removed"):
    """A platform's key opens nothing any more."""

    platform: str
    kid: str


class PlatformSuspended(msgspec.Struct, frozen=True, tag="platform.suspended"):
    """A platform is let in no longer, for now."""

    platform: str
    reason: str


class PlatformResumed(msgspec.Struct, frozen=True, tag="platform.resumed"):
    """A suspended platform is let in again."""

    platform: str


class PlatformRevoked(msgspec.Struct, frozen=True, tag="platform.revoked"):
    """A platform is let in no longer, for good, and its id is never given again."""

    platform: str
    reason: str


class WebhookSet(msgspec.Struct, frozen=True, tag="platform.webhook_set"):
    """Where a platform is told of changes, from the change numbered ``after`` on. Its personal part is a
    :class:`WebhookSecret`. The same platform again replaces it."""

    platform: str
    url: str
    after: int


class WebhookSecret(msgspec.Struct, frozen=True):
    """What messages to a platform are signed with, as Standard Webhooks writes it: ``whsec_`` and base64."""

    secret: str


class WebhookStopped(msgspec.Struct, frozen=True, tag="platform.webhook_stopped"):
    """A platform is told no more: it asked for that, it answered 410, or it was away for too long."""

    platform: str
    reason: Literal["asked", "gone", "away"]


class HealthReported(msgspec.Struct, frozen=True, tag="health.reported"):
    """Authorised health staff reported something about a citizen that changes where they stand.

    ``since``: when it began (of a contact: when they met). ``until``: when isolation or quarantine ends by itself;
    None: not before somebody says so. ``reference``: the reporting system's own, opaque here. ``case``: whose contact
    they are, if that is known.
    """

    event: HealthEventKind
    source: str
    since: dt.datetime
    until: dt.datetime | None
    reference: str
    case: Qid | None = None


class HealthEvent(msgspec.Struct, frozen=True):
    """What health staff reported of a citizen, beside what they declared; part of their standing."""

    event: HealthEventKind
    since: dt.datetime
    until: dt.datetime | None

    def lasts(self, now: dt.datetime) -> bool:
        """Whether it still counts."""
        return self.event != "ended" and self.since <= now and (self.until is None or now < self.until)


class LookMade(msgspec.Struct, frozen=True, tag="look.made"):
    """Somebody who is no officer was told something about a citizen: for what, on what ground, and which of it."""

    purpose: Purpose
    basis: str
    told: tuple[str, ...]
