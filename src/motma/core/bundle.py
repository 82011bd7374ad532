"""What a scanner judges by without a network: the rules in force and those to come, signed by a root key.

A bundle is made for one checkpoint. It says which measure and which policies hold from when on, where the checkpoint
stands, and the words of the reasons that no rule owns. :func:`accept` is the only way to take one; it refuses what is
older than what is held. Fetching and keeping are for others. Format, steps and codes: ``docs/bundle.md``.
"""

import datetime as dt
import itertools
from collections.abc import Iterable, Sequence
from typing import Any

import cbor2
import msgspec

from motma.core.cose import ALG, KID, TYP, Sign1, Signer, decode_cbor, holds, parse_sign1, sign1
from motma.core.errors import Invalid
from motma.core.evidence import instant
from motma.core.flow import Checkpoint
from motma.core.measure import Measure
from motma.core.policy import Policy, Rule
from motma.core.reasons import REASONS, Outcome
from motma.core.trustlist import LIFE, SKEW, STEP_MAX, RootKey
from motma.core.trustwire import LIFE_MAX
from motma.core.words import Words

MEDIA_TYPE = "application/motma-bundle+cwt"
BUNDLE_MAX_BYTES = 1 << 20

_FORMAT = 1
_TAGGED_SIGN1 = 0xD2
_ISS, _EXP, _IAT, _RULES = 1, 4, 6, -65539
_VERSION_END, _TIME_END = 1 << 32, 1 << 33
_EVER = ""  # before every date-time


class Period(msgspec.Struct, frozen=True):
    """From ``begins`` on (None: from ever) to before the next one: the measure and the policies that decide, in order.

    ``complete`` False: a policy that belongs here cannot be had. Without a measure no rule is asked.
    """

    begins: dt.datetime | None
    measure: Measure | None
    policies: tuple[Policy, ...]
    complete: bool = True


class Bundle(msgspec.Struct, frozen=True):
    """A bundle that was taken. ``content`` is JSON, as :func:`content_of` writes it, for the checkpoint ``place``."""

    issuer: str
    version: int
    issued_at: dt.datetime
    expires_at: dt.datetime
    place: str
    content: str


class _Place(msgspec.Struct):
    id: str
    kind: str | None
    area: str | None


class _Measure(msgspec.Struct):
    by_hand: list[str]


class _Period(msgspec.Struct, rename={"begins": "from"}):
    begins: str | None
    measure: _Measure | None
    policies: list[int]
    complete: bool


class _Reason(msgspec.Struct):
    outcome: Outcome
    known: bool
    words: Words
    cure: Words


class _Content(msgspec.Struct):
    """What is read of the JSON in a bundle; there may be more."""

    checkpoint: _Place
    periods: list[_Period]
    policies: list[Any]
    reasons: dict[str, _Reason]


# -- write -------------------------------------------------------------------------------------------------------------


def content_of(place: str, checkpoint: Checkpoint | None, periods: Sequence[Period]) -> str:
    """What a bundle says, as JSON. ``checkpoint`` None: ``place`` is none that the network knows.

    Policies stand once, without their titles and tests. The same rules give the same text.
    """
    documents: dict[str, int] = {}
    listed = []
    for period in periods:
        numbers = []
        for policy in period.policies:
            number = documents.setdefault(msgspec.json.encode(_policy(policy)).decode(), len(documents))
            numbers.append(number)
        listed.append(
            {
                "from": period.begins and instant(period.begins),
                "measure": period.measure and _measure(period.measure),
                "policies": numbers,
                "complete": period.complete,
            }
        )
    said = {
        "checkpoint": {
            "id": place,
            "kind": checkpoint and checkpoint.kind,
            "area": checkpoint and checkpoint.area,
        },
        "periods": listed,
        "policies": [msgspec.Raw(document.encode()) for document in documents],
        "reasons": {
            code: {"outcome": reason.outcome, "known": reason.known, "words": reason.words, "cure": reason.cure}
            for code, reason in REASONS.items()
        },
    }
    return msgspec.json.encode(said).decode()


def _measure(measure: Measure) -> dict[str, Any]:
    return {
        "id": measure.id,
        "by_hand": sorted(measure.by_hand),
        "starts_at": instant(measure.starts_at),
        "ends_at": instant(measure.ends_at),
    }


def _policy(policy: Policy) -> dict[str, Any]:
    said: dict[str, Any] = {
        "id": policy.id,
        "version": policy.version,
        "valid_from": instant(policy.valid_from),
        "valid_to": policy.valid_to and instant(policy.valid_to),
    }
    if policy.values:
        said["values"] = policy.values
    said["rules"] = [_rule(rule) for rule in policy.rules]
    return said


def _rule(rule: Rule) -> dict[str, Any]:
    said: dict[str, Any] = {"id": rule.id, "holds": rule.holds, "reason": rule.reason}
    if rule.verdict:  # else it is as it was read
        said |= {"verdict": rule.verdict, "known": rule.known, "words": rule.words, "cure": rule.cure}
    if rule.waives:
        said["waives"] = rule.waives
    return said


def write_bundle(content: str, *, issuer: str, version: int, signer: Signer, now: dt.datetime) -> bytes:
    """``content`` signed by the root ``signer``, good for :data:`motma.core.trustlist.LIFE`. Times are to the second.

    Raises :class:`Invalid` ``bundle.*`` for one that no scanner would take.
    """
    begins = now.replace(microsecond=0)
    times = {_EXP: int((begins + LIFE).timestamp()), _IAT: int(begins.timestamp())}
    claims = {_ISS: issuer, **times, _RULES: [_FORMAT, version, content]}
    raw = sign1({TYP: MEDIA_TYPE}, cbor2.dumps(claims), signer)
    accept(raw, roots=[RootKey(signer.kid, signer.public)], issuer=issuer, now=now)
    return raw


# -- accept ------------------------------------------------------------------------------------------------------------


def accept(
    raw: bytes, *, roots: Iterable[RootKey], issuer: str, now: dt.datetime, held: Bundle | None = None
) -> Bundle:
    """The bundle in ``raw`` if, and only if, it may take the place of ``held`` (None: nothing yet).

    ``roots`` and ``issuer`` are those of the list of trust that is held; ``now`` is the scanner's clock. Raises
    :class:`Invalid` ``bundle.*``, one for each step that can fail; then ``held`` is to be kept.
    """
    envelope = _open(raw)  # steps 1-2
    _signed_by_a_root(envelope, roots)  # step 3
    offered = _parse(envelope.payload)  # step 4
    if offered.issuer != issuer:  # step 5
        raise Invalid(
            "bundle.wrong_issuer",
            Words("Bộ luật này của cơ quan khác.", "These rules are those of another authority."),
        )
    if held:
        _goes_not_back(held, offered)  # steps 6-8
    _is_of_now(offered, now)  # step 9
    return offered


def _open(raw: bytes) -> Sign1:
    if len(raw) > BUNDLE_MAX_BYTES:
        raise Invalid("bundle.too_large", Words("Bộ luật quá lớn; không đọc.", "The rules are too large; not read."))
    try:
        envelope = parse_sign1(raw, max_bytes=BUNDLE_MAX_BYTES)
    except Invalid:
        raise _unreadable() from None
    if envelope.headers.get(TYP) != MEDIA_TYPE:
        raise Invalid("bundle.wrong_type", Words("Đây không phải bộ luật.", "These are no rules."))
    if raw[0] != _TAGGED_SIGN1 or set(envelope.headers) != {ALG, KID, TYP} or envelope.unprotected:
        raise _unreadable()
    return envelope


def _signed_by_a_root(envelope: Sign1, roots: Iterable[RootKey]) -> None:
    known = [root for root in roots if root.kid in envelope.kids and not root.revoked]
    if not known:
        raise Invalid(
            "bundle.unknown_root",
            Words(
                "Bộ luật không do khóa gốc nào mà máy này biết ký. Giữ bản đang có; báo người quản trị.",
                "The rules are signed by no root key known here. Keep those at hand; tell the administrator.",
            ),
        )
    if not any(holds(root.public, envelope) for root in known):
        raise Invalid(
            "bundle.forged",
            Words(
                "Bộ luật đã bị sửa hoặc làm giả; giữ bản đang có.",
                "The rules have been altered or forged; those at hand are kept.",
            ),
        )


def _parse(payload: bytes) -> Bundle:
    try:
        claims = decode_cbor(payload)
    except Invalid:
        raise _unreadable() from None
    if not isinstance(claims, dict) or set(claims) != {_ISS, _EXP, _IAT, _RULES}:
        raise _unreadable()
    said = claims[_RULES]
    if not isinstance(said, list) or len(said) != 3 or type(said[0]) is not int or said[0] != _FORMAT:
        raise _unreadable()
    _, version, content = said
    issued_at, expires_at = _moment(claims[_IAT]), _moment(claims[_EXP])
    if type(version) is not int or not 0 <= version < _VERSION_END or type(content) is not str:
        raise _unreadable()
    if type(claims[_ISS]) is not str or not dt.timedelta(0) < expires_at - issued_at <= LIFE_MAX:
        raise _unreadable()
    return Bundle(claims[_ISS], version, issued_at, expires_at, _place(content), content)


def _place(content: str) -> str:
    """For which checkpoint it is, if all of it can be read. A rule that makes no sense is for the judge."""
    try:
        said = msgspec.json.decode(content, type=_Content)
        begins = [_EVER if period.begins is None else _told(period.begins) for period in said.periods]
    except (msgspec.DecodeError, ValueError, RecursionError):
        raise _unreadable() from None
    in_order = bool(begins) and all(one < other for one, other in itertools.pairwise(begins))
    known = all(0 <= number < len(said.policies) for period in said.periods for number in period.policies)
    worded = all(all((*reason.words, *reason.cure)) for reason in said.reasons.values())
    needed = {"rule.error", "code.not_ours", "measure.none_active"} <= said.reasons.keys()
    if not (said.checkpoint.id and in_order and known and worded and needed):
        raise _unreadable()
    return said.checkpoint.id


def _told(moment: str) -> str:
    """``moment`` if it is one as evidence tells it, so that texts are in the order of time."""
    if instant(dt.datetime.fromisoformat(moment)) != moment:
        raise ValueError
    return moment


def _goes_not_back(held: Bundle, offered: Bundle) -> None:
    """Version first, then time, as with lists of trust."""
    if offered.place != held.place:
        raise Invalid(
            "bundle.elsewhere",
            Words("Bộ luật này của chốt khác; giữ bản đang có.", "These rules are for another checkpoint."),
        )
    if offered.version > held.version:
        back = offered.issued_at < held.issued_at - SKEW
    elif offered.version == held.version and offered.issued_at == held.issued_at:
        back = offered != held
    else:
        back = offered.version < held.version or offered.issued_at < held.issued_at
    if back:
        raise Invalid(
            "bundle.rolled_back",
            Words(
                "Bộ luật này cũ hơn bản đang có; giữ bản đang có.",
                "These rules are older than those at hand, which are kept.",
            ),
        )
    if offered.version - held.version > STEP_MAX:
        raise Invalid(
            "bundle.fast_forward",
            Words(
                "Số bản của bộ luật nhảy quá xa. Giữ bản đang có; báo người quản trị.",
                "The version of the rules leaps too far ahead. Keep those at hand; tell the administrator.",
            ),
        )


def _is_of_now(offered: Bundle, now: dt.datetime) -> None:
    if now >= offered.expires_at:
        raise Invalid(
            "bundle.expired",
            Words(
                "Bộ luật đã hết hạn. Kết nối mạng để tải bản mới; xem lại đồng hồ của máy.",
                "The rules have expired. Connect to fetch new ones; check this device's clock.",
            ),
        )
    if offered.issued_at > now + SKEW:
        raise Invalid(
            "bundle.not_yet",
            Words(
                "Bộ luật ghi giờ ở tương lai. Xem lại đồng hồ của máy.",
                "The rules are dated in the future. Check this device's clock.",
            ),
        )


def _moment(seconds: Any) -> dt.datetime:
    if type(seconds) is not int or not 0 <= seconds < _TIME_END:
        raise _unreadable()
    return dt.datetime.fromtimestamp(seconds, dt.UTC)


def _unreadable() -> Invalid:
    """Bytes that are no bundle, or one in a form that is not known here."""
    return Invalid("bundle.unreadable", Words("Bộ luật bị hỏng. Tải lại.", "The rules are damaged. Fetch them again."))
