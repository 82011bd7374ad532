"""What a code says: the claims, as a struct and as deterministic CBOR (RFC 8949, section 4.2.1) in a CWT (RFC 8392).

Parsed only after the signature holds; numbered steps refer to ``docs/code-format.md``.
"""

import datetime as dt
import struct
import unicodedata
from typing import Annotated, Any, Literal

import cbor2
import msgspec
from msgspec import Meta

from motma.core.ids import Qid
from motma.core.reasons import refusal

VerdictClass = Literal["accept", "manual", "reject"]
Carrier = Literal["screen", "paper"]

_VERDICTS: tuple[VerdictClass, ...] = ("accept", "manual", "reject")
_CARRIERS: tuple[Carrier, ...] = ("screen", "paper")
_SEXES = {1: "male", 2: "female", 3: "other"}
_SEX_NUMBERS = {word: number for number, word in _SEXES.items()}

# CWT claim keys (RFC 8392, RFC 8747), Claim 169, and our private claim.
_ISS, _EXP, _NBF, _IAT, _CTI, _CNF, _IDENTITY, _OURS = 1, 4, 5, 6, 7, 8, 169, -65537
_ID_QID, _ID_NAME, _ID_BIRTH_DATE, _ID_SEX = 1, 4, 8, 9
PARTY_MAX = 50


class Companion(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """Somebody who travels in the same party under the bearer's code."""

    qid: Qid
    name: str


class Claims(msgspec.Struct, frozen=True, kw_only=True):
    """What a code says, and nothing more. ``areas`` empty means: wherever the measure holds.

    ``verdict`` is what the code is worth when nobody can be asked; ``status_index`` its place in the issuer's status
    list; ``vintage`` the year of the area codes; ``route`` the codes of checkpoints; ``holder_key`` the compressed
    P-256 point (33 bytes) of a key that proves the code live; ``sex`` only where the measure needs it.
    """

    issuer: str
    code_id: bytes
    qid: Qid
    name: str
    birth_date: dt.date
    last_four: str
    measure: str
    areas: tuple[str, ...]
    vintage: int
    route: tuple[str, ...]
    verdict: VerdictClass
    matched: bool
    status_index: int
    carrier: Carrier
    issued_at: dt.datetime
    valid_from: dt.datetime
    valid_until: dt.datetime
    sex: str | None = None
    party: tuple[Companion, ...] = ()
    holder_key: bytes | None = None


_Text = Annotated[str, Meta(min_length=1)]
_Seconds = Annotated[int, Meta(ge=0, lt=2**32)]
_EighteenDigits = Annotated[str, Meta(pattern="^[1-9][0-9]{17}", max_length=18)]


class _Parts(msgspec.Struct, frozen=True, array_like=True):
    """The claims in a row, so that one pass of msgspec checks every type. More at the end is for later versions."""

    issuer: _Text
    expires: _Seconds
    not_before: _Seconds
    issued: _Seconds
    code_id: Annotated[bytes, Meta(min_length=16, max_length=16)]
    qid: _EighteenDigits
    name: _Text
    born: Annotated[str, Meta(pattern="^[0-9]{8}", max_length=8)]
    sex: Annotated[int, Meta(ge=1, le=3)] | None
    measure: _Text
    verdict: Annotated[int, Meta(ge=0, lt=len(_VERDICTS))]
    matched: bool
    last_four: Annotated[str, Meta(min_length=4, max_length=4)]
    vintage: Annotated[int, Meta(ge=1900, lt=3000)]
    areas: tuple[_Text, ...]
    route: tuple[_Text, ...]
    status_index: Annotated[int, Meta(ge=0, lt=2**32)]
    carrier: Annotated[int, Meta(ge=0, lt=len(_CARRIERS))]
    party: Annotated[list[tuple[Annotated[int, Meta(ge=10**17, lt=10**18)], _Text]], Meta(max_length=PARTY_MAX)] = []


_TIMES = ("$[1]", "$[2]", "$[3]")
_NUMBERS = ("$[8]", "$[10]", "$[13]", "$[16]", "$[17]")
_SECONDS = struct.Struct(">BBI")
_HEAD_QID = b"\x01\x72"  # the key, and the head of a text of 18
_HEAD_BORN = b"\x08\x68"
_END = cbor2.dumps(b"the claims end here")
"""Read after the payload, so that nothing can hide behind it."""


def write_claims(claims: Claims) -> bytes:
    """The payload of a code. Shapes are fixed, so the bytes are laid out by hand (a third of the time of an encoder).

    Raises ``ValueError`` for a name that is not in NFC.
    """
    if not unicodedata.is_normalized("NFC", claims.name):
        raise ValueError("a name not in NFC")
    key, sex = claims.holder_key, claims.sex
    issued, begins = int(claims.issued_at.timestamp()), int(claims.valid_from.timestamp())
    identity = _HEAD_QID + claims.qid.encode() + b"\x04" + _tstr(claims.name) + _HEAD_BORN
    identity += claims.birth_date.isoformat().replace("-", "").encode()
    return b"".join(
        (
            bytes((0xA6 + (begins != issued) + bool(key), _ISS)),
            _tstr(claims.issuer),
            _SECONDS.pack(_EXP, 0x1A, int(claims.valid_until.timestamp())),
            _SECONDS.pack(_NBF, 0x1A, begins) if begins != issued else b"",
            _SECONDS.pack(_IAT, 0x1A, issued),
            b"\x07\x50",
            claims.code_id,
            _cnf(key) if key else b"",
            b"\x18\xa9\xa4" if sex else b"\x18\xa9\xa3",
            identity,
            bytes((_ID_SEX, _SEX_NUMBERS[sex])) if sex else b"",
            b"\x3a\x00\x01\x00\x00",
            _ours(claims),
        )
    )


def _ours(claims: Claims) -> bytes:
    party = [(int(one.qid), one.name) for one in claims.party]
    return b"".join(
        (
            b"\x8a" if party else b"\x89",
            _tstr(claims.measure),
            bytes((_VERDICTS.index(claims.verdict), 0xF5 if claims.matched else 0xF4)),
            _tstr(claims.last_four),
            _uint(claims.vintage),
            _tstrs(claims.areas),
            _tstrs(claims.route),
            _uint(claims.status_index),
            bytes((_CARRIERS.index(claims.carrier),)),
            cbor2.dumps(party) if party else b"",
        )
    )


def _head(major: int, number: int) -> bytes:
    if number < 24:
        return bytes((major | number,))
    if number < 0x100:
        return bytes((major | 24, number))
    if number < 0x10000:
        return struct.pack(">BH", major | 25, number)
    return struct.pack(">BI", major | 26, number)


def _uint(number: int) -> bytes:
    return _head(0x00, number)


def _tstr(text: str) -> bytes:
    raw = text.encode()
    return _head(0x60, len(raw)) + raw


def _tstrs(texts: tuple[str, ...]) -> bytes:
    return _head(0x80, len(texts)) + b"".join([_tstr(text) for text in texts])


def _cnf(point: bytes) -> bytes:
    """``8: {1: COSE_Key}`` with the y coordinate as a sign (RFC 8747, section 3.2; RFC 9053, section 7.1.1)."""
    sign = b"\xf5" if point[0] == 3 else b"\xf4"
    return b"\x08\xa1\x01\xa4\x01\x02\x20\x01\x21\x58\x20" + point[1:] + b"\x22" + sign


def parse_claims(payload: bytes) -> Claims:
    """Steps 6 and 7. Raises :class:`Invalid` ``code.not_cbor``, ``code.too_deep``, ``code.key_twice``,
    ``code.malformed``, ``code.number``, ``code.times``."""
    claims = _decode(payload)  # step 6
    try:  # step 7
        identity, ours, issued = claims[_IDENTITY], claims[_OURS], claims[_IAT]
        if type(ours) is not list:
            raise TypeError
        parts = msgspec.convert(
            [
                claims[_ISS],
                claims[_EXP],
                claims.get(_NBF, issued),
                issued,
                claims[_CTI],
                identity[_ID_QID],
                identity[_ID_NAME],
                identity[_ID_BIRTH_DATE],
                identity.get(_ID_SEX),
                *ours,
            ],
            _Parts,
        )
        birth_date = dt.date.fromisoformat(parts.born)
        if not unicodedata.is_normalized("NFC", parts.name):
            raise ValueError
        holder_key = _point(claims[_CNF]) if _CNF in claims else None
    except msgspec.ValidationError as error:
        at = str(error).rpartition("`")[0].rpartition("`")[2]
        code = "code.times" if at in _TIMES else "code.number" if at in _NUMBERS else "code.malformed"
        raise refusal(code) from None
    except (LookupError, TypeError, ValueError, OverflowError, AttributeError):
        raise refusal("code.malformed") from None
    if not parts.not_before < parts.expires:
        raise refusal("code.times")
    return Claims(
        issuer=parts.issuer,
        code_id=parts.code_id,
        qid=Qid(parts.qid),
        name=parts.name,
        birth_date=birth_date,
        last_four=parts.last_four,
        measure=parts.measure,
        areas=parts.areas,
        vintage=parts.vintage,
        route=parts.route,
        verdict=_VERDICTS[parts.verdict],
        matched=parts.matched,
        status_index=parts.status_index,
        carrier=_CARRIERS[parts.carrier],
        issued_at=_moment(parts.issued),
        valid_from=_moment(parts.not_before),
        valid_until=_moment(parts.expires),
        sex=_SEXES[parts.sex] if parts.sex else None,
        party=tuple([Companion(Qid(str(number)), name) for number, name in parts.party]) if parts.party else (),
        holder_key=holder_key,
    )


def _decode(payload: bytes) -> dict[Any, Any]:
    try:
        both = cbor2.loads(b"\x82" + payload + _END, max_depth=6, allow_indefinite=False, allow_duplicate_keys=False)
        claims, end = both
    except (cbor2.CBORError, ValueError, TypeError, OverflowError, LookupError, ArithmeticError) as error:
        said = str(error)
        if "depth" in said:
            raise refusal("code.too_deep") from None
        raise refusal("code.key_twice" if "Duplicate" in said else "code.not_cbor") from None
    if end != b"the claims end here" or type(claims) is not dict:
        raise refusal("code.not_cbor")
    return claims


def _point(cnf: dict[Any, Any]) -> bytes:
    """The compressed point of ``{1: {1: 2, -1: 1, -2: x, -3: sign}}``; whether it lies on the curve is seen in use."""
    key = cnf[1]
    x, sign = key[-2], key[-3]
    if key[1] != 2 or key[-1] != 1 or type(x) is not bytes or len(x) != 32 or type(sign) is not bool:
        raise ValueError
    return (b"\x03" if sign else b"\x02") + x


def _moment(seconds: int) -> dt.datetime:
    return dt.datetime.fromtimestamp(seconds, dt.UTC)
