"""A list of trust in bytes: a CWT (RFC 8392) in a COSE_Sign1 by a root, and what it says once it is read.

Nothing is accepted here: :mod:`motma.core.trustlist` does, and says in which order what is looked at. The
shape in CDDL: ``docs/trust-list.md``.
"""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import cbor2
import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from motma.core.code import Keyring, TrustedKey
from motma.core.cose import ALG, ES256, KID, TYP, Sign1, Signer, decode_cbor, parse_sign1, sign1
from motma.core.errors import Invalid
from motma.core.words import Words

MEDIA_TYPE = "application/motma-trustlist+cwt"
LIFE_MAX = dt.timedelta(days=31)
LIST_MAX_BYTES = 256 * 1024
COSIGNERS_MAX = 8

_ES256 = ec.ECDSA(hashes.SHA256())
_FORMAT = 1
_TAGGED_SIGN1 = 0xD2
_ISS, _EXP, _IAT, _LIST = 1, 4, 6, -65538
_COUNTERSIGNATURE = 11
_VERSION_END, _TIME_END = 1 << 32, 1 << 33


class RootKey(msgspec.Struct, frozen=True):
    """A key that may sign lists of trust, or that never may again (``revoked``)."""

    kid: bytes
    public: ec.EllipticCurvePublicKey
    revoked: bool = False


class TrustedList(msgspec.Struct, frozen=True, kw_only=True):
    """An accepted list. ``status``: for the address of status lists, the least time of issue that still counts.

    It is judged by until there is a newer one, also after it has expired: then with a word about its age.
    """

    issuer: str
    version: int
    issued_at: dt.datetime
    expires_at: dt.datetime
    roots: tuple[RootKey, ...]
    keys: tuple[TrustedKey, ...]
    status: Mapping[str, dt.datetime]
    raw: bytes

    def keyring(self) -> Keyring:
        """The keys that codes may be signed with, by kid; revoked ones with the rest."""
        ring: dict[bytes, tuple[TrustedKey, ...]] = {}
        for key in self.keys:
            ring[key.kid] = (*ring.get(key.kid, ()), key)
        return ring

    def expired_at(self, now: dt.datetime) -> bool:
        """Whether a newer list should have come by ``now``: what is judged by it is to be called stale."""
        return now >= self.expires_at

    def age(self, now: dt.datetime) -> dt.timedelta:
        """How long ago it was signed; never negative, since a clock before that is wrong."""
        return max(now - self.issued_at, dt.timedelta(0))

    def status_floor(self, uri: str) -> dt.datetime | None:
        """The least time of issue of the status list at ``uri`` that counts; None if nothing is said of it.

        It may be said of the list itself or of all lists of its issuer, by where they begin (``status_uri``).
        """
        said = [self.status.get(address) for address in (uri, uri.rpartition("/")[0])]
        return max((floor for floor in said if floor), default=None)

    def judge_status(self, uri: str, issued_at: dt.datetime) -> None:
        """Refuse a status list that is older than this list says. Raises :class:`Invalid` ``trustlist.mixed``.

        Without it, a new list of trust beside an old status list would hide what was revoked in between.
        """
        floor = self.status_floor(uri)
        if floor is not None and issued_at < floor:
            raise Invalid(
                "trustlist.mixed",
                Words(
                    "Danh sách trạng thái cũ hơn mức mà danh sách khóa cho phép. Kết nối mạng để tải bản mới.",
                    "The status list is older than the trust list allows. Connect to fetch a new one.",
                ),
            )


# -- write -------------------------------------------------------------------------------------------------------------


def sign_list(said: TrustedList, signer: Signer, former: Sequence[Signer] = ()) -> bytes:
    """``said`` in bytes (its ``raw`` is not looked at), signed by ``signer``, countersigned by ``former``."""
    content = [
        _FORMAT,
        said.version,
        [[root.kid, *_xy(root.public), root.revoked] for root in said.roots],
        [_written(key) for key in said.keys],
        {uri: int(floor.timestamp()) for uri, floor in sorted(said.status.items())},
    ]
    times = {_EXP: int(said.expires_at.timestamp()), _IAT: int(said.issued_at.timestamp())}
    raw = sign1({TYP: MEDIA_TYPE}, cbor2.dumps({_ISS: said.issuer, **times, _LIST: content}), signer)
    return _cosigned(parse_sign1(raw), former) if former else raw


def _written(key: TrustedKey) -> list[Any]:
    ends = None if key.not_after is None else int(key.not_after.timestamp())
    begins = int(key.not_before.timestamp())
    scope = [list(key.measures), list(key.areas)]
    return [key.kid, *_xy(key.public), key.issuer, begins, ends, *scope, key.revoked, key.status_uri]


def _cosigned(signed: Sign1, former: Iterable[Signer]) -> bytes:
    cosignatures = []
    for signer in former:
        protected = cbor2.dumps({ALG: ES256, KID: signer.kid})
        cosignatures.append([protected, {}, signer.sign(_to_be_cosigned(signed, protected))])
    unprotected = {_COUNTERSIGNATURE: cosignatures}
    return cbor2.dumps(cbor2.CBORTag(18, [signed.protected, unprotected, signed.payload, signed.signature]))


def _to_be_cosigned(signed: Sign1, protected: bytes) -> bytes:
    """Countersign_structure of RFC 9338, section 3.3, version 2: it covers the root's signature as well."""
    return cbor2.dumps(["CounterSignatureV2", signed.protected, protected, b"", signed.payload, [signed.signature]])


# -- read --------------------------------------------------------------------------------------------------------------


def open_list(raw: bytes) -> Sign1:
    """A list of trust taken apart, nothing verified; ``trustlist.too_large``, ``.wrong_type`` or ``.unreadable``."""
    if len(raw) > LIST_MAX_BYTES:
        raise Invalid(
            "trustlist.too_large",
            Words("Danh sách khóa quá lớn; không đọc.", "The trust list is too large and was not read."),
        )
    try:
        envelope = parse_sign1(raw, max_bytes=LIST_MAX_BYTES)
    except Invalid:
        raise _unreadable() from None
    headers = envelope.headers
    if headers.get(TYP) != MEDIA_TYPE:
        raise Invalid(
            "trustlist.wrong_type",
            Words("Đây không phải danh sách khóa.", "This is not a trust list."),
        )
    if raw[0] != _TAGGED_SIGN1 or set(headers) != {ALG, KID, TYP}:
        raise _unreadable()
    return envelope


class Signature(NamedTuple):
    """Who is said to have signed, what, and how."""

    kid: bytes
    signed: bytes
    signature: bytes

    def holds(self, public: ec.EllipticCurvePublicKey) -> bool:
        """Whether it is that key's."""
        r, s = int.from_bytes(self.signature[:32], "big"), int.from_bytes(self.signature[32:], "big")
        try:
            public.verify(utils.encode_dss_signature(r, s), self.signed, _ES256)
        except InvalidSignature:
            return False
        return True


def signatures_of(envelope: Sign1) -> list[Signature]:
    """The list's own signature, then those of earlier roots."""
    listed: Any = []
    if envelope.unprotected:
        listed = envelope.unprotected.get(_COUNTERSIGNATURE)
        if len(envelope.unprotected) > 1 or not isinstance(listed, list | tuple) or not listed:
            raise _unreadable()
        if len(listed) > COSIGNERS_MAX:
            raise _unreadable()
    own = _signature(envelope.headers, envelope.to_be_signed, envelope.signature)
    return [own, *(_cosignature(envelope, one) for one in listed)]


def _cosignature(envelope: Sign1, item: Any) -> Signature:
    if not isinstance(item, list | tuple) or len(item) != 3 or type(item[0]) is not bytes or item[1] != {}:
        raise _unreadable()
    protected, _, signature = item
    headers = _decode(protected)
    if not isinstance(headers, Mapping) or set(headers) != {ALG, KID}:
        raise _unreadable()
    return _signature(headers, _to_be_cosigned(envelope, protected), signature)


def _signature(headers: Mapping[Any, Any], signed: bytes, signature: Any) -> Signature:
    kid = headers[KID]
    if headers[ALG] != ES256 or type(kid) is not bytes or type(signature) is not bytes or len(signature) != 64:
        raise _unreadable()
    return Signature(kid, signed, signature)


def parse_list(payload: bytes, raw: bytes) -> TrustedList:
    """What the payload of ``raw`` says. Raises :class:`Invalid` ``trustlist.unreadable``."""
    claims = _decode(payload)
    if not isinstance(claims, Mapping) or set(claims) != {_ISS, _EXP, _IAT, _LIST}:
        raise _unreadable()
    form, version, roots, keys, status = _items(claims[_LIST], 5)
    if _number(form, _VERSION_END) != _FORMAT or not isinstance(status, Mapping):
        raise _unreadable()
    said = TrustedList(
        issuer=_text(claims[_ISS]),
        version=_number(version, _VERSION_END),
        issued_at=_moment(claims[_IAT]),
        expires_at=_moment(claims[_EXP]),
        roots=tuple(_root(item) for item in _items(roots)),
        keys=tuple(_key(item) for item in _items(keys)),
        status={_text(uri): _moment(floor) for uri, floor in status.items()},
        raw=raw,
    )
    points = [xy_of(root.public) for root in said.roots] + [xy_of(key.public) for key in said.keys]
    if len(set(points)) < len(points) or not dt.timedelta(0) < said.expires_at - said.issued_at <= LIFE_MAX:
        raise _unreadable()  # a key stands once: it cannot be revoked here and good there, a root and a signer of codes
    return said


def _root(item: Any) -> RootKey:
    kid, x, y, revoked = _items(item, 4)
    return RootKey(_bytes(kid, 8), _public(x, y), _bool(revoked))


def _key(item: Any) -> TrustedKey:
    kid, x, y, issuer, begins, ends, measures, areas, revoked, status_uri = _items(item, 10)
    return TrustedKey(
        kid=_bytes(kid, 8),
        public=_public(x, y),
        issuer=_text(issuer),
        not_before=_moment(begins),
        not_after=None if ends is None else _moment(ends),
        measures=tuple(_text(one) for one in _items(measures)),
        areas=tuple(_text(one) for one in _items(areas)),
        revoked=_bool(revoked),
        status_uri="" if status_uri == "" else _text(status_uri),
    )


def _items(item: Any, count: int | None = None) -> list[Any]:
    if not isinstance(item, list) or (count is not None and len(item) != count):
        raise _unreadable()
    return item


def _text(item: Any) -> str:
    if type(item) is not str or not item:
        raise _unreadable()
    return item


def _bytes(item: Any, size: int) -> bytes:
    if type(item) is not bytes or len(item) != size:
        raise _unreadable()
    return item


def _bool(item: Any) -> bool:
    if type(item) is not bool:
        raise _unreadable()
    return item


def _number(item: Any, end: int) -> int:
    if type(item) is not int or not 0 <= item < end:
        raise _unreadable()
    return item


def _moment(seconds: Any) -> dt.datetime:
    return dt.datetime.fromtimestamp(_number(seconds, _TIME_END), dt.UTC)


def _public(x: Any, y: Any) -> ec.EllipticCurvePublicKey:
    try:
        return ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), b"\x04" + _bytes(x, 32) + _bytes(y, 32))
    except ValueError:
        raise _unreadable() from None


def xy_of(public: ec.EllipticCurvePublicKey) -> bytes:
    """A key by itself, whatever kid it bears: x ‖ y, 64 bytes."""
    return public.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)[1:]


def _xy(public: ec.EllipticCurvePublicKey) -> tuple[bytes, bytes]:
    point = xy_of(public)
    return point[:32], point[32:]


def _decode(raw: bytes) -> Any:
    try:
        return decode_cbor(raw)
    except Invalid:
        raise _unreadable() from None


def _unreadable() -> Invalid:
    """Bytes that are no list of trust, or one in a form that is not known here."""
    return Invalid(
        "trustlist.unreadable",
        Words("Danh sách khóa bị hỏng. Tải lại.", "The trust list is damaged. Fetch it again."),
    )
