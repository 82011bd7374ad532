"""Whom a scanner believes without a network: the list of trust, signed by a root key, that never goes back.

A list names the keys that may sign codes, those that are revoked, the roots that may sign the next list, and how old a
status list may be. :func:`accept` is the only way from one list to the next: it refuses whatever would take back
something that the held list said. Fetching and keeping are for others. Numbered steps and the attacks that they stop:
``docs/trust-list.md``.
"""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence

import msgspec
from msgspec.structs import replace

from motma.core.cose import Signer
from motma.core.errors import Invalid
from motma.core.trust import Trust, keyring_of
from motma.core.trustwire import (
    COSIGNERS_MAX,
    LIST_MAX_BYTES,
    MEDIA_TYPE,
    RootKey,
    Signature,
    TrustedList,
    open_list,
    parse_list,
    sign_list,
    signatures_of,
    xy_of,
)
from motma.core.words import Words

__all__ = [
    "COSIGNERS_MAX",
    "LIFE",
    "LIST_MAX_BYTES",
    "MEDIA_TYPE",
    "Pins",
    "RootKey",
    "TrustedList",
    "accept",
    "pins_of",
    "revoked_points",
    "roots_of",
    "write_trust_list",
]

LIFE = dt.timedelta(days=7)
"""How long a list is good for; a new one is signed when half of it is over."""
SKEW = dt.timedelta(minutes=5)
"""How far clocks may be apart: the scanner's from ours, and those of two of our machines."""
STEP_MAX = 1 << 16
"""How far a version may be ahead of the held one: more than ever happens, too little to use the numbers up."""


class Pins(msgspec.Struct, frozen=True):
    """What a scanner is given when it is enrolled, before it holds any list: whose lists, and which roots sign them."""

    issuer: str
    roots: tuple[RootKey, ...]


# -- write -------------------------------------------------------------------------------------------------------------


def write_trust_list(
    trust: Trust,
    *,
    issuer: str,
    status: Mapping[str, dt.datetime],
    signer: Signer,
    former: Sequence[Signer] = (),
    now: dt.datetime,
) -> bytes:
    """The list of what ``trust`` is now, good for :data:`LIFE`, signed by the root ``signer``. Times are to the second.

    Each of ``former``, earlier roots, signs it too, for scanners that know no newer one; at most
    :data:`COSIGNERS_MAX`. Raises :class:`Invalid` ``trustlist.*`` for a list that no scanner would take.
    """
    begins = now.replace(microsecond=0)
    said = TrustedList(
        issuer=issuer,
        version=trust.version,
        issued_at=begins,
        expires_at=begins + LIFE,
        roots=roots_of(trust),
        keys=tuple(key for keys in keyring_of(trust).values() for key in keys),
        status=status,
        raw=b"",
    )
    raw = sign_list(said, signer, former)
    accept(Pins(issuer, (RootKey(signer.kid, signer.public),)), raw, now)
    return raw


def roots_of(trust: Trust) -> tuple[RootKey, ...]:
    """Our root keys that may sign lists, waiting ones too, so that scanners know them before; and the revoked ones."""
    return tuple(
        RootKey(key.kid, key.public, key.revoked_at is not None)
        for key in trust.keys.values()
        if key.added.use == "root" and key.added.own and (key.revoked_at or not key.retired_at)
    )


def pins_of(trust: Trust, issuer: str) -> Pins:
    """What a scanner that is enrolled now is given."""
    return Pins(issuer, tuple(root for root in roots_of(trust) if not root.revoked))


# -- accept ------------------------------------------------------------------------------------------------------------


def accept(held: TrustedList | Pins, raw: bytes, now: dt.datetime) -> TrustedList:
    """The list in ``raw`` if, and only if, it may take the place of ``held``; ``held`` itself if it is the same one.

    ``now`` is the scanner's clock; time is never taken to be before ``held`` was issued. Raises :class:`Invalid`
    ``trustlist.*``, one for each step that can fail; then ``held`` is to be kept.
    """
    envelope = open_list(raw)  # steps 1-2
    signatures = signatures_of(envelope)
    _vouched(signatures, held.roots)  # step 3
    offered = parse_list(envelope.payload, raw)  # step 4
    _signed_by_its_own(signatures[0], offered.roots)  # step 5
    if offered.issuer != held.issuer:  # step 6
        raise Invalid(
            "trustlist.wrong_issuer",
            Words("Danh sách khóa này của cơ quan khác.", "This trust list is that of another authority."),
        )
    if isinstance(held, Pins):
        _is_no_leap(0, offered)  # step 8
        _is_of_now(offered, now)  # step 10
        return offered
    _goes_not_back(held, offered)  # step 7
    _is_no_leap(held.version, offered)  # step 8
    _revokes_for_ever(held, offered)  # step 9
    _is_of_now(offered, max(now, held.issued_at))  # step 10
    return held if (offered.version, offered.issued_at) == (held.version, held.issued_at) else offered


def _vouched(signatures: Iterable[Signature], roots: Iterable[RootKey]) -> None:
    """One of the held roots must have signed: alone, or beside a newer root that is not known here yet."""
    living = [root for root in roots if not root.revoked]
    known = [(one, root) for one in signatures for root in living if one.kid == root.kid]
    if not known:
        raise Invalid(
            "trustlist.unknown_root",
            Words(
                "Danh sách khóa không do khóa gốc nào mà máy này biết ký. Giữ bản đang có; báo người quản trị.",
                "The trust list is signed by no root key known here. Keep the one at hand; tell the administrator.",
            ),
        )
    if not any(one.holds(root.public) for one, root in known):
        raise _forged()


def _signed_by_its_own(own: Signature, roots: Iterable[RootKey]) -> None:
    """Whoever signs a list must be able to sign the next one, or nobody could ever follow it."""
    signers = [root for root in roots if root.kid == own.kid and not root.revoked]
    if not signers:
        raise Invalid(
            "trustlist.stripped_root",
            Words(
                "Danh sách khóa không còn ghi khóa gốc đã ký nó. Giữ bản đang có; báo người quản trị.",
                "The trust list no longer names the root that signed it. Keep the one at hand; tell the administrator.",
            ),
        )
    if not any(own.holds(root.public) for root in signers):
        raise _forged()


def _goes_not_back(held: TrustedList, offered: TrustedList) -> None:
    """Version first, then time. Two lists of one version and one moment are one list."""
    if offered.version > held.version:
        back = offered.issued_at < held.issued_at - SKEW
    elif offered.version == held.version and offered.issued_at == held.issued_at:
        back = replace(offered, raw=b"") != replace(held, raw=b"")
    else:
        back = offered.version < held.version or offered.issued_at < held.issued_at
    if back or any(floor < held.status.get(uri, floor) for uri, floor in offered.status.items()):
        raise Invalid(
            "trustlist.rolled_back",
            Words(
                "Danh sách khóa này cũ hơn, hoặc trái với danh sách đang có; giữ bản đang có.",
                "This trust list is older than the one at hand or contradicts it; the one at hand is kept.",
            ),
        )


def _is_no_leap(version: int, offered: TrustedList) -> None:
    if offered.version - version > STEP_MAX:
        raise Invalid(
            "trustlist.fast_forward",
            Words(
                "Số bản của danh sách khóa nhảy quá xa. Giữ bản đang có; báo người quản trị.",
                "The version of the trust list leaps too far ahead. Keep the one at hand; tell the administrator.",
            ),
        )


def _revokes_for_ever(held: TrustedList, offered: TrustedList) -> None:
    """Refused, and not mended in silence: a list that forgets a revocation is the work of a thief or of a mistake."""
    if not revoked_points(held) <= revoked_points(offered):
        raise Invalid(
            "trustlist.unrevoked",
            Words(
                "Danh sách khóa bỏ qua một khóa đã bị thu hồi. Giữ bản đang có; báo người quản trị.",
                "The trust list forgets a key that was revoked. Keep the one at hand; tell the administrator.",
            ),
        )


def _is_of_now(offered: TrustedList, now: dt.datetime) -> None:
    if now >= offered.expires_at:
        raise Invalid(
            "trustlist.expired",
            Words(
                "Danh sách khóa đã hết hạn. Kết nối mạng để tải bản mới; xem lại đồng hồ của máy.",
                "The trust list has expired. Connect to fetch a new one; check this device's clock.",
            ),
        )
    if offered.issued_at > now + SKEW:
        raise Invalid(
            "trustlist.not_yet",
            Words(
                "Danh sách khóa ghi giờ ở tương lai. Xem lại đồng hồ của máy.",
                "The trust list is dated in the future. Check this device's clock.",
            ),
        )


def revoked_points(held: TrustedList) -> frozenset[bytes]:
    """The revoked keys and roots by themselves. A kid is a hint, under which another could be put."""
    roots = frozenset(xy_of(root.public) for root in held.roots if root.revoked)
    return roots | {xy_of(key.public) for key in held.keys if key.revoked}


def _forged() -> Invalid:
    return Invalid(
        "trustlist.forged",
        Words(
            "Danh sách khóa đã bị sửa hoặc làm giả; giữ bản đang có.",
            "The trust list has been altered or forged; the one at hand is kept.",
        ),
    )
