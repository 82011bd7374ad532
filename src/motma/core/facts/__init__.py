"""What happened, as facts that are appended and never edited. What follows from them is :mod:`motma.core.fold`."""

import datetime as dt

import msgspec

from motma.core.facts.citizens import (
    Accepted,
    CheckAgain,
    Disputed,
    HealthNow,
    Holder,
    Identified,
    Issued,
    Merged,
    Parted,
    Refused,
    Repaired,
    RepairReason,
    Restored,
    Reviewed,
    Revoked,
    Standing,
    Suspended,
    Took,
    Trip,
    counting,
    worse,
)
from motma.core.facts.exchange import (
    HealthEvent,
    HealthEventKind,
    HealthReported,
    LookMade,
    PlatformKeyAdded,
    PlatformKeyRemoved,
    PlatformRegistered,
    PlatformResumed,
    PlatformRevoked,
    PlatformSuspended,
    Purpose,
    WebhookSecret,
    WebhookSet,
    WebhookStopped,
)
from motma.core.facts.looks import (
    NOTHING_SEEN,
    Companion,
    LookedUp,
    Scanned,
)
from motma.core.facts.steering import (
    DiversionClosed,
    DiversionOpened,
    KeyAdded,
    KeyPromoted,
    KeyRetired,
    KeyRevoked,
    KeyUse,
    MeasureEnded,
    MeasurePublished,
    PermitHolder,
    PermitIssued,
    PermitRevoked,
    PolicyApproved,
    PolicyDrafted,
    PolicyRolledBack,
    PolicyScheduled,
    PolicyWithdrawn,
)
from motma.core.ids import FactId, Qid

__all__ = [
    "NOTHING_SEEN",
    "Accepted",
    "CheckAgain",
    "Companion",
    "Disputed",
    "DiversionClosed",
    "DiversionOpened",
    "Fact",
    "HealthEvent",
    "HealthEventKind",
    "HealthNow",
    "HealthReported",
    "Holder",
    "Identified",
    "Issued",
    "KeyAdded",
    "KeyPromoted",
    "KeyRetired",
    "KeyRevoked",
    "KeyUse",
    "LookMade",
    "LookedUp",
    "MeasureEnded",
    "MeasurePublished",
    "Merged",
    "Parted",
    "PermitHolder",
    "PermitIssued",
    "PermitRevoked",
    "PlatformKeyAdded",
    "PlatformKeyRemoved",
    "PlatformRegistered",
    "PlatformResumed",
    "PlatformRevoked",
    "PlatformSuspended",
    "PolicyApproved",
    "PolicyDrafted",
    "PolicyRolledBack",
    "PolicyScheduled",
    "PolicyWithdrawn",
    "Purpose",
    "Refused",
    "RepairReason",
    "Repaired",
    "Restored",
    "Reviewed",
    "Revoked",
    "Scanned",
    "Standing",
    "Suspended",
    "Took",
    "Trip",
    "WebhookSecret",
    "WebhookSet",
    "WebhookStopped",
    "What",
    "counting",
    "worse",
]

What = (
    Accepted
    | Refused
    | Identified
    | Repaired
    | Reviewed
    | Disputed
    | Merged
    | Took
    | Parted
    | Issued
    | Revoked
    | Suspended
    | Restored
    | CheckAgain
    | Scanned
    | DiversionOpened
    | DiversionClosed
    | MeasurePublished
    | MeasureEnded
    | PolicyDrafted
    | PolicyApproved
    | PolicyScheduled
    | PolicyWithdrawn
    | PolicyRolledBack
    | LookedUp
    | KeyAdded
    | KeyPromoted
    | KeyRetired
    | KeyRevoked
    | PermitIssued
    | PermitRevoked
    | PlatformRegistered
    | PlatformKeyAdded
    | PlatformKeyRemoved
    | PlatformSuspended
    | PlatformResumed
    | PlatformRevoked
    | WebhookSet
    | WebhookStopped
    | HealthReported
    | LookMade
)


class Fact(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that happened: to whom, where, when, said by whom.

    ``personal`` is JSON that only an entitled reader gets to see; the store keeps it sealed. ``what`` holds nothing
    that names a person.
    """

    id: FactId
    at: dt.datetime
    actor: str
    what: What
    qid: Qid | None = None
    checkpoint: str | None = None
    personal: bytes | None = None
