"""The status of every code in a few bytes: Token Status List (draft-ietf-oauth-status-list-21), CWT form.

A code carries its place in its issuer's list; the list says in two bits whether it is valid, revoked, suspended, or
better asked about. A checkpoint without a network judges by the last list it took, and takes only one that is newer,
not shorter, for this very address and by a key that may say so. Fetching and keeping lists is for others, and so is
what follows from a status.
"""

import base64
import binascii
import datetime as dt
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import IntEnum
from functools import cached_property
from typing import Annotated, Any, Literal, Protocol, Self, cast

import cbor2
import msgspec

from motma.core.cose import TYP, PublicKey, Sign1, Signer, decode_cbor, holds, parse_sign1, sign1
from motma.core.errors import Invalid
from motma.core.words import Words

MEDIA_TYPE = "application/statuslist+cwt"
LIST_INDEXES = 1 << 24
"""How many indexes one of our lists covers at most: 4 MiB, unpacked."""
INFLATED_MAX_BYTES = 16 << 20
TOKEN_MAX_BYTES = 8 << 20
SKEW_SECONDS = 300
"""How far the clock of a checkpoint may be behind that of the issuer."""

_TAGGED_SIGN1 = 0xD2
_ALLOWED_BITS = (1, 2, 4, 8)
# CWT claim keys (RFC 8392; draft-ietf-oauth-status-list, section 5.2).
_SUB, _EXP, _IAT, _LIST, _TTL = 2, 4, 6, 65533, 65534

Bits = Literal[1, 2, 4, 8]


class Status(IntEnum):
    """What a list says of one code (draft, section 7.1). ``CHECK_AGAIN`` is the application's own: ask the server."""

    VALID = 0
    REVOKED = 1
    SUSPENDED = 2
    CHECK_AGAIN = 3


class ListKey(Protocol):
    """What must be known of a key that signs lists; a :class:`motma.core.code.TrustedKey` is one.

    ``status_uri`` is where the lists of its issuer stand (see :func:`list_uri`), empty if it has none.
    """

    @property
    def public(self) -> PublicKey: ...
    @property
    def issuer(self) -> str: ...
    @property
    def not_before(self) -> dt.datetime: ...
    @property
    def not_after(self) -> dt.datetime | None: ...
    @property
    def revoked(self) -> bool: ...
    @property
    def status_uri(self) -> str: ...


def list_uri(status_uri: str, status_index: int) -> str:
    """Where the list stands that covers ``status_index``: ``{status_uri}/{index >> 24}``."""
    return f"{status_uri.rstrip('/')}/{status_index // LIST_INDEXES}"


@dataclass(frozen=True)
class StatusList:
    """Statuses packed ``bits`` to each, the first in the lowest bits of the first byte (draft, section 4.1).

    The length is that of the bytes: a list that ends within a byte is as long as the byte.
    """

    bits: Bits
    packed: bytes

    @classmethod
    def of(cls, statuses: Mapping[int, int], length: int, bits: Bits = 2) -> Self:
        """A list of ``length`` in which all are valid but for ``statuses`` (index -> status).

        Raises ``ValueError`` for an index outside the list, or a status that does not fit.
        """
        packed = bytearray((length * bits + 7) // 8)
        for index, status in statuses.items():
            if not 0 <= index < length:
                raise ValueError(f"index {index} is not in a list of {length}")
            put_status(packed, index, status, bits)
        return cls(bits, bytes(packed))

    def __len__(self) -> int:
        """How many codes it speaks of."""
        return len(self.packed) * 8 // self.bits

    def status(self, index: int) -> int:
        """The status at ``index``: of :class:`Status` if ``bits`` is 2. Raises :class:`Invalid` ``status.missing``."""
        if not 0 <= index < len(self):
            raise missing()
        at = index * self.bits
        return self.packed[at >> 3] >> (at & 7) & ((1 << self.bits) - 1)

    @cached_property
    def squeezed(self) -> bytes:
        """``lst``: the bytes in ZLIB, as small as it gets; a second of work for ten million codes, and done once."""
        squeezer = zlib.compressobj(9, zlib.DEFLATED, zlib.MAX_WBITS, 9)
        return squeezer.compress(self.packed) + squeezer.flush()

    def to_json(self) -> bytes:
        """The JSON form (draft, section 4.2)."""
        lst = base64.urlsafe_b64encode(self.squeezed).rstrip(b"=").decode()
        return msgspec.json.encode({"bits": self.bits, "lst": lst})

    def to_cbor(self) -> bytes:
        """The CBOR form (draft, section 4.3)."""
        return cbor2.dumps(self._map())

    @classmethod
    def from_json(cls, raw: bytes | str) -> Self:
        """Raises :class:`Invalid` ``status.unreadable``, also for what unpacks to more than 16 MiB."""
        try:
            said = msgspec.json.decode(raw, type=_JsonList)
            squeezed = base64.b64decode(said.lst + "=" * (-len(said.lst) % 4), altchars=b"-_", validate=True)
        except (msgspec.MsgspecError, binascii.Error, ValueError, RecursionError):
            raise _unreadable() from None
        return cls._unpack({"bits": said.bits, "lst": squeezed})

    @classmethod
    def from_cbor(cls, raw: bytes) -> Self:
        """Raises :class:`Invalid` ``status.unreadable``, also for what unpacks to more than 16 MiB."""
        return cls._unpack(_decode(raw))

    def _map(self) -> dict[str, object]:
        return {"bits": self.bits, "lst": self.squeezed}

    @classmethod
    def _unpack(cls, said: Any) -> Self:
        if not isinstance(said, Mapping):
            raise _unreadable()
        bits, squeezed = said.get("bits"), said.get("lst")
        if type(bits) is not int or bits not in _ALLOWED_BITS or type(squeezed) is not bytes:
            raise _unreadable()
        return cls(cast(Bits, bits), _inflate(squeezed))


class _JsonList(msgspec.Struct, frozen=True):
    bits: int
    lst: Annotated[str, msgspec.Meta(pattern="^[A-Za-z0-9_-]*$")]


def put_status(packed: bytearray, index: int, status: int, bits: Bits = 2) -> None:
    """Set the status at ``index`` of packed bytes. Raises ``ValueError`` for one that does not fit in ``bits``."""
    mask = (1 << bits) - 1
    if not 0 <= status <= mask:
        raise ValueError(f"status {status} does not fit in {bits} bits")
    at = index * bits
    packed[at >> 3] = packed[at >> 3] & ~(mask << (at & 7)) | status << (at & 7)


@dataclass(frozen=True, slots=True)
class StatusToken:
    """A list under a signature that holds: where it stands, by whom, from when until when.

    ``fetched_at`` is when it was taken, or last heard to be still the newest (:meth:`confirmed`).
    """

    uri: str
    issuer: str
    issued_at: dt.datetime
    expires_at: dt.datetime
    ttl_seconds: int
    list: StatusList
    fetched_at: dt.datetime

    def status(self, status_index: int) -> Status:
        """What is said of the code that carries ``status_index``. A value nobody defined means: ask the server.

        Raises :class:`Invalid` ``status.missing`` if the list does not reach that far.
        """
        said = self.list.status(status_index % LIST_INDEXES)
        return Status(said) if said <= Status.CHECK_AGAIN else Status.CHECK_AGAIN

    def stale_at(self, now: dt.datetime) -> bool:
        """Whether a newer one should have been fetched by ``now``, or the clock makes no sense; no error by itself."""
        return not dt.timedelta(0) <= now - self.fetched_at < dt.timedelta(seconds=self.ttl_seconds)

    def confirmed(self, now: dt.datetime) -> "StatusToken":
        """The same, after the server said at ``now`` that it has no newer one (304)."""
        return replace(self, fetched_at=now)


def issue_status_token(
    list: StatusList,
    *,
    uri: str,
    issued_at: dt.datetime,
    expires_at: dt.datetime,
    ttl_seconds: int,
    signer: Signer,
) -> bytes:
    """A Status List Token in CWT format (draft, section 5.2). Times are to the second."""
    claims = {
        _SUB: uri,
        _EXP: int(expires_at.timestamp()),
        _IAT: int(issued_at.timestamp()),
        _LIST: list._map(),
        _TTL: ttl_seconds,
    }
    return sign1({TYP: MEDIA_TYPE}, cbor2.dumps(claims), signer)


def verify_status_token(
    raw: bytes,
    keyring: Mapping[bytes, tuple[ListKey, ...]],
    *,
    uri: str,
    now: dt.datetime,
    previous: StatusToken | None = None,
    issuer: str | None = None,
) -> StatusToken:
    """The list if, and only if, it may take the place of ``previous``, the last one that was taken for ``uri``.

    ``issuer`` is whose code is asked about, if that is known. Raises :class:`Invalid`: ``status.unreadable``,
    ``status.wrong_type`` (something else of theirs, signed), ``status.unknown_key``, ``status.forged``,
    ``status.revoked_key``, ``status.wrong_issuer`` (a key that has no say over this list), ``status.wrong_uri``
    (another of their lists), ``status.key_out_of_time``, ``status.expired``, ``status.not_yet``,
    ``status.rolled_back`` (older than ``previous``), ``status.shrunk`` (shorter than ``previous``: no index ever goes).
    """
    try:
        envelope = parse_sign1(raw, max_bytes=TOKEN_MAX_BYTES)
    except Invalid:
        raise _unreadable() from None
    if raw[0] != _TAGGED_SIGN1:  # neither untagged nor in a CWT tag (draft, section 5.2)
        raise _unreadable()
    if envelope.headers.get(TYP) != MEDIA_TYPE:
        raise Invalid(
            "status.wrong_type",
            Words("Đây không phải danh sách trạng thái mã.", "This is not a list of the status of codes."),
        )
    key = _key_of(envelope, keyring, uri, issuer)
    token = _parse(envelope.payload, key.issuer, now)  # signature before content
    if token.uri != uri:
        raise Invalid(
            "status.wrong_uri",
            Words("Danh sách này là của địa chỉ khác.", "This list belongs to another address."),
        )
    if token.issued_at < key.not_before or (key.not_after and token.issued_at > key.not_after):
        raise Invalid(
            "status.key_out_of_time",
            Words(
                "Danh sách được ký khi khóa không còn hiệu lực.", "The list was signed when its key was not in force."
            ),
        )
    _judge_times(token, now)
    _compare(token, previous)
    return token


def missing() -> Invalid:
    """No list speaks of this code."""
    return Invalid(
        "status.missing",
        Words(
            "Chưa có danh sách trạng thái cho mã này. Kết nối mạng để tải, hoặc kiểm tra bằng số.",
            "There is no status list for this code yet. Connect to fetch it, or check by the number.",
        ),
    )


def _key_of(envelope: Sign1, keyring: Mapping[bytes, tuple[ListKey, ...]], uri: str, issuer: str | None) -> ListKey:
    """The key that signed. A kid is a hint: every key that bears it is tried."""
    bearing = [key for kid in envelope.kids for key in keyring.get(kid, ())]
    if not bearing:
        raise Invalid(
            "status.unknown_key",
            Words("Danh sách do một khóa chưa biết ký.", "The list is signed by a key that is not known here."),
        )
    key = next((key for key in bearing if holds(key.public, envelope)), None)
    if key is None:
        raise Invalid(
            "status.forged", Words("Danh sách đã bị sửa hoặc làm giả.", "The list has been altered or forged.")
        )
    if key.revoked:
        raise Invalid(
            "status.revoked_key",
            Words("Danh sách do một khóa đã bị thu hồi ký.", "The list is signed by a key that has been revoked."),
        )
    elsewhere = uri.rpartition("/")[0] != key.status_uri.rstrip("/")
    if elsewhere or not key.status_uri or issuer not in (None, key.issuer):
        raise Invalid(
            "status.wrong_issuer",
            Words(
                "Khóa ký danh sách này không có quyền với mã đang hỏi.",
                "The key that signed this list has no say over the code in question.",
            ),
        )
    return key


def _parse(payload: bytes, issuer: str, now: dt.datetime) -> StatusToken:
    claims = _decode(payload)
    if not isinstance(claims, Mapping):
        raise _unreadable()
    uri, issued_at, expires_at = claims.get(_SUB), _moment(claims.get(_IAT)), _moment(claims.get(_EXP))
    # Without ttl a list is good until it expires; without exp it would be good for ever, to whoever keeps us from
    # fetching another (freeze attack), so there the draft's RECOMMENDED is our MUST.
    ttl = claims.get(_TTL, int((expires_at - issued_at).total_seconds()))
    if type(uri) is not str or type(ttl) is not int or not 0 < ttl < 2**32 or expires_at <= issued_at:
        raise _unreadable()
    return StatusToken(uri, issuer, issued_at, expires_at, ttl, StatusList._unpack(claims.get(_LIST)), now)


def _judge_times(token: StatusToken, now: dt.datetime) -> None:
    if now >= token.expires_at:
        raise Invalid(
            "status.expired",
            Words(
                "Danh sách trạng thái đã hết hạn. Kết nối mạng để tải bản mới.",
                "The status list has expired. Connect to fetch a new one.",
            ),
        )
    if now < token.issued_at - dt.timedelta(seconds=SKEW_SECONDS):
        raise Invalid(
            "status.not_yet",
            Words(
                "Danh sách trạng thái ghi giờ ở tương lai. Xem lại đồng hồ của máy.",
                "The status list is dated in the future. Check this device's clock.",
            ),
        )


def _compare(token: StatusToken, previous: StatusToken | None) -> None:
    if previous is None:
        return
    if previous.uri != token.uri:
        raise ValueError("previous is a list of another address")
    if token.issued_at < previous.issued_at:
        raise Invalid(
            "status.rolled_back",
            Words(
                "Danh sách này cũ hơn danh sách đang có; giữ bản đang có.",
                "This list is older than the one at hand, which is kept.",
            ),
        )
    if len(token.list) < len(previous.list):
        raise Invalid(
            "status.shrunk",
            Words(
                "Danh sách này ngắn hơn danh sách đang có; giữ bản đang có.",
                "This list is shorter than the one at hand, which is kept.",
            ),
        )


def _decode(raw: bytes) -> Any:
    try:
        return decode_cbor(raw)
    except Invalid:
        raise _unreadable() from None


def _moment(seconds: object) -> dt.datetime:
    if type(seconds) is not int or not 0 <= seconds < 2**33:
        raise _unreadable()
    return dt.datetime.fromtimestamp(seconds, dt.UTC)


def _inflate(squeezed: bytes) -> bytes:
    inflater = zlib.decompressobj()
    try:
        packed = inflater.decompress(squeezed, INFLATED_MAX_BYTES)
        # One byte more than is allowed tells a stream that ends here from one that goes on.
        whole = inflater.eof or (not inflater.decompress(inflater.unconsumed_tail, 1) and inflater.eof)
    except zlib.error:
        raise _unreadable() from None
    if not whole or inflater.unused_data:
        raise _unreadable()
    return packed


def _unreadable() -> Invalid:
    return Invalid(
        "status.unreadable",
        Words(
            "Danh sách trạng thái bị hỏng. Tải lại.",
            "The status list is damaged. Fetch it again.",
        ),
    )
