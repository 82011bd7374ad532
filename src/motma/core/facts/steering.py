"""What is switched on: keys, diversions, measures, policies, permits."""

import datetime as dt
from typing import Literal

import msgspec

from motma.core.flow import Diversion
from motma.core.ids import FactId
from motma.core.measure import Measure
from motma.core.permit import Permit

KeyUse = Literal["code", "root"]
"""What a key signs: codes and their status lists, or lists of trust."""


class KeyAdded(msgspec.Struct, frozen=True, tag="key.added"):
    """A key became known: ours to sign codes or lists of trust with (``own``), or one delegated to another issuer.

    ``kid`` and ``point`` (uncompressed, 65 bytes) in hex. Empty ``measures`` and ``areas``: any.
    """

    kid: str
    point: str
    issuer: str
    use: KeyUse
    own: bool
    not_before: dt.datetime
    not_after: dt.datetime | None = None
    measures: tuple[str, ...] = ()
    areas: tuple[str, ...] = ()
    status_uri: str = ""


class KeyPromoted(msgspec.Struct, frozen=True, tag="key.promoted"):
    """From now on this key of ours is the one that signs."""

    kid: str


class KeyRetired(msgspec.Struct, frozen=True, tag="key.retired"):
    """This key signs no more; what it signed until now still verifies."""

    kid: str


class KeyRevoked(msgspec.Struct, frozen=True, tag="key.revoked"):
    """Nothing that this key signed is believed any more, whenever it was signed. For ever."""

    kid: str
    reason: str


class DiversionOpened(msgspec.Struct, frozen=True, tag="diversion.opened"):
    """People are sent on from a checkpoint."""

    diversion: Diversion


class DiversionClosed(msgspec.Struct, frozen=True, tag="diversion.closed"):
    """They no longer are."""

    opened_at: dt.datetime


class MeasurePublished(msgspec.Struct, frozen=True, tag="measure.published"):
    """A measure was published; the same id again replaces it from then on."""

    measure: Measure


class MeasureEnded(msgspec.Struct, frozen=True, tag="measure.ended"):
    """A measure was ended before its time."""

    measure: str


class PermitIssued(msgspec.Struct, frozen=True, tag="permit.issued"):
    """A permit was given. ``permit.id`` is this fact's; its personal part is a :class:`PermitHolder`."""

    permit: Permit


class PermitHolder(msgspec.Struct, frozen=True):
    """Whose a permit is, for whoever has to be sure of the right one: a citizen, or a vehicle's ``plate``."""

    name: str = ""
    birth_date: dt.date | None = None
    last_four: str = ""
    plate: str = ""


class PermitRevoked(msgspec.Struct, frozen=True, tag="permit.revoked"):
    """A permit was taken back for good, and why. The fact's id is the permit's, beginning with ``prr``: it can be told
    of each permit only once, and is found by it."""

    permit: FactId
    reason: str


class PolicyDrafted(msgspec.Struct, frozen=True, tag="policy.drafted"):
    """Somebody wrote a version of a policy. The same policy again, before it is approved, replaces what was drafted.

    ``text`` as it was typed, with its comments; ``document`` the same as JSON text, and ``digest`` the SHA-256 of that
    in hex. An empty ``document``: that the policy be switched off.
    """

    policy: str
    version: int
    digest: str
    document: str
    text: str


class PolicyApproved(msgspec.Struct, frozen=True, tag="policy.approved"):
    """Somebody else approved a draft. It is in force from ``begins`` on; None: from this fact on."""

    draft: FactId
    policy: str
    begins: dt.datetime | None


class PolicyScheduled(msgspec.Struct, frozen=True, tag="policy.scheduled"):
    """What was approved and is not in force yet begins at another time than was said."""

    draft: FactId
    policy: str
    begins: dt.datetime | None


class PolicyWithdrawn(msgspec.Struct, frozen=True, tag="policy.withdrawn"):
    """Nothing comes of a draft, or of what was approved and had not begun."""

    draft: FactId
    policy: str


class PolicyRolledBack(msgspec.Struct, frozen=True, tag="policy.rolled_back"):
    """What was in force no longer is, and never will be again: what was in force before it is."""

    draft: FactId
    policy: str
