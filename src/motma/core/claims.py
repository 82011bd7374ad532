"""What a code says: the claims, as a struct and as deterministic CBOR (RFC 8949, section 4.2.1) in a CWT (RFC 8392).

Parsed only after the signature holds; numbered steps refer to ``docs/code-format.md``.
"""

import datetime as dt
import re
import struct
import unicodedata
from enum import IntEnum
from functools import lru_cache
from typing import Annotated, Any

import cbor2
import msgspec
from msgspec import Meta

from motma.core.cose import decode_cbor
from motma.core.errors import Invalid
from motma.core.ids import Qid
from motma.core.reasons import refusal

PARTY_MAX = 50

# CWT claim keys (RFC 8392, RFC 8747), Claim 169, and our private claim.
_ISS, _EXP, _NBF, _IAT, _CTI, _CNF, _IDENTITY, _OURS = 1, 4, 5, 6, 7, 8, 169, -65537
_ID_QID, _ID_NAME, _ID_BORN, _ID_SEX = 1, 4, 8, 9


class Worth(IntEnum):
    """What a code is worth when nobody can be asked."""

    ACCEPT = 0
    MANUAL = 1
    REJECT = 2


class Carrier(IntEnum):
    """What a code was made for."""

    SCREEN = 0
    PAPER = 1


class Sex(IntEnum):
    """Claim 169, attribute 9."""

    MALE = 1
    FEMALE = 2
    OTHER = 3


_Text = Annotated[str, Meta(min_length=1)]
_Seconds = Annotated[int, Meta(ge=0, lt=2**32)]


class Companion(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """Somebody who travels in the same party under the bearer's code: their QID as a number, and their name."""

    number: Annotated[int, Meta(ge=10**17, lt=10**18)]
    name: _Text

    @property
    def qid(self) -> Qid:
        return Qid(str(self.number))


class Claims(msgspec.Struct, frozen=True, array_like=True):
    """What a code says, and nothing more. ``expires``, ``begins`` and ``issued`` are seconds since 1970 UTC.

    ``born`` is YYYYMMDD; ``sex`` only where the measure needs it. ``areas`` are unit codes of the year ``vintage``;
    empty means: wherever the measure holds. ``route`` holds numbers of checkpoints, ``status_index`` the place in the
    issuer's status lists, ``holder_key`` the compressed P-256 point (33 bytes) of a key that proves the code live.

    A row and not a map, so that one pass of msgspec checks every type of a code (step 7). By position it is built in a
    third of the time that keywords take; everybody but the parser should use keywords.
    """

    issuer: _Text
    expires: _Seconds
    begins: _Seconds
    issued: _Seconds
    code_id: Annotated[bytes, Meta(min_length=16, max_length=16)]
    qid: Annotated[Qid, Meta(min_length=18, max_length=18)]
    name: _Text
    born: Annotated[str, Meta(min_length=8, max_length=8)]
    sex: Sex | None
    holder_key: bytes | None
    measure: _Text
    worth: Worth
    matched: bool
    last_four: Annotated[str, Meta(min_length=4, max_length=4)]
    vintage: Annotated[int, Meta(ge=1900, lt=3000)]
    areas: tuple[_Text, ...]
    route: tuple[_Text, ...]
    status_index: Annotated[int, Meta(ge=0, lt=2**32)]
    carrier: Carrier
    party: Annotated[tuple[Companion, ...], Meta(max_length=PARTY_MAX)] = ()

    @property
    def birth_date(self) -> dt.date:
        return dt.date.fromisoformat(self.born)

    @property
    def issued_at(self) -> dt.datetime:
        return dt.datetime.fromtimestamp(self.issued, dt.UTC)

    @property
    def valid_from(self) -> dt.datetime:
        return dt.datetime.fromtimestamp(self.begins, dt.UTC)

    @property
    def valid_until(self) -> dt.datetime:
        return dt.datetime.fromtimestamp(self.expires, dt.UTC)


_AREAS, _ROUTE = 5, 6  # in the row of ours
_TIMES = ("$[1]", "$[2]", "$[3]")
_NUMBERS = ("$[8]", "$[11]", "$[14]", "$[17]", "$[18]")
_END = b"the claims end here"
_END_BSTR = cbor2.dumps(_END)
"""Read after the payload, so that nothing can hide behind it."""
_SECONDS = struct.Struct(">BBI")


def write_claims(claims: Claims) -> bytes:
    """The payload of a code. Its shape is fixed, so the bytes are laid out by hand: a third of an encoder's time."""
    key, sex, party = claims.holder_key, claims.sex, claims.party
    later = claims.begins != claims.issued
    return b"".join(
        (
            bytes((0xA6 + later + bool(key), _ISS)),
            _known(claims.issuer),
            _SECONDS.pack(_EXP, 0x1A, claims.expires),
            _SECONDS.pack(_NBF, 0x1A, claims.begins) if later else b"",
            _SECONDS.pack(_IAT, 0x1A, claims.issued),
            b"\x07\x50",
            claims.code_id,
            _cnf(key) if key else b"",
            b"\x18\xa9\xa4\x01\x72" if sex else b"\x18\xa9\xa3\x01\x72",
            claims.qid.encode(),
            b"\x04",
            _tstr(claims.name),
            b"\x08\x68",
            claims.born.encode(),
            bytes((_ID_SEX, sex)) if sex else b"",
            b"\x3a\x00\x01\x00\x00\x8a" if party else b"\x3a\x00\x01\x00\x00\x89",
            _known(claims.measure),
            bytes((claims.worth, 0xF4 + claims.matched)),
            _tstr(claims.last_four),
            _head(0x00, claims.vintage),
            _known(claims.areas),
            _known(claims.route),
            _head(0x00, claims.status_index),
            bytes((claims.carrier,)),
            cbor2.dumps([[one.number, one.name] for one in party]) if party else b"",
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


def _tstr(text: str) -> bytes:
    raw = text.encode()
    return _head(0x60, len(raw)) + raw


@lru_cache(maxsize=4096)
def _known(said: str | tuple[str, ...]) -> bytes:
    """A text, or a row of texts, that code after code says again."""
    if isinstance(said, str):
        return _tstr(said)
    return _head(0x80, len(said)) + b"".join([_tstr(text) for text in said])


def _cnf(point: bytes) -> bytes:
    """``8: {1: COSE_Key}`` with the y coordinate as a sign (RFC 8747, section 3.2; RFC 9053, section 7.1.1)."""
    sign = b"\xf5" if point[0] == 3 else b"\xf4"
    return b"\x08\xa1\x01\xa4\x01\x02\x20\x01\x21\x58\x20" + point[1:] + b"\x22" + sign


# What write_claims lays out, without a party. A text holds no control character, rows hold only texts in ASCII and
# heads of lists: so each part ends where the first byte of the next one stands, and there is one way to take it apart.
_TEXT = rb"((?:[\x61-\x77]|\x78.)[ -\xff]++)"
_AS_WRITTEN = re.compile(
    rb"([\xa6-\xa8])\x01" + _TEXT + rb"\x04\x1a(.{4})(?:\x05\x1a(.{4}))?\x06\x1a(.{4})\x07\x50(.{16})"
    rb"(?:\x08\xa1\x01\xa4\x01\x02\x20\x01\x21\x58\x20(.{32})\x22([\xf4\xf5]))?"
    rb"\x18\xa9([\xa3\xa4])\x01\x72([1-9][0-9]{17})\x04" + _TEXT + rb"\x08\x68([0-9]{8})(?:\x09([\x01-\x03]))?"
    rb"\x3a\x00\x01\x00\x00\x89" + _TEXT + rb"([\x00-\x02])([\xf4\xf5])\x64([ -~]{4})\x19(..)"
    rb"([\x80-\x97][ -~\x80-\x97]*+)([\x00-\x17]|\x18.|\x19..|\x1a.{4})([\x00\x01])",
    re.DOTALL,
).fullmatch
_TIMES_AND_YEAR = struct.Struct(">IIIH")
_WORTHS, _SEXES, _CARRIERS = tuple(Worth), tuple(Sex), tuple(Carrier)


def parse_claims(payload: bytes) -> Claims:
    """Steps 6 and 7. Raises :class:`Invalid` ``code.not_cbor``, ``code.too_deep``, ``code.key_twice``,
    ``code.malformed``, ``code.number``, ``code.times``."""
    return _parse_as_written(payload) or _parse_any(payload)


def _parse_as_written(payload: bytes) -> Claims | None:
    """The claims, if the bytes lie as :func:`write_claims` lays them and all is in order: sooner by a third.

    Else None, and :func:`_parse_any` judges: what this one reads, that one reads alike, and only that one refuses.
    """
    if (found := _AS_WRITTEN(payload)) is None:
        return None
    head, issuer, exp, nbf, iat, code_id, x, sign, *rest = found.groups()
    identity, qid, name, born, sex, measure, worth, matched, last_four, vintage, rows, index, carrier = rest
    expires, begins, issued, year = _TIMES_AND_YEAR.unpack(exp + (nbf or iat) + iat + vintage)
    try:
        claims = Claims(
            _known_text(issuer),
            expires,
            begins,
            issued,
            code_id,
            Qid(qid.decode()),
            _text(name),
            born.decode(),
            _SEXES[sex[0] - 1] if sex else None,
            (b"\x03" if sign == b"\xf5" else b"\x02") + x if x else None,
            _known_text(measure),
            _WORTHS[worth[0]],
            matched == b"\xf5",
            last_four.decode(),
            year,
            *_known_rows(rows),
            int.from_bytes(index[1:] or index),
            _CARRIERS[carrier[0]],
        )
        dt.date.fromisoformat(claims.born)
    except (ValueError, TypeError, cbor2.CBORError):
        return None
    in_order = (
        head[0] == 0xA6 + (nbf is not None) + (x is not None)
        and identity[0] == (0xA4 if sex else 0xA3)
        and 1900 <= year < 3000
        and begins < expires
        and unicodedata.is_normalized("NFC", claims.name)
    )
    return claims if in_order else None


def _text(raw: bytes) -> str:
    """A text of CBOR with its head. Raises :class:`ValueError` if the head does not tell its length."""
    start, size = (2, raw[1]) if raw[0] == 0x78 else (1, raw[0] - 0x60)
    if len(raw) != start + size:
        raise ValueError
    return raw[start:].decode()


_known_text = lru_cache(maxsize=4096)(_text)


@lru_cache(maxsize=4096)
def _known_rows(raw: bytes) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The areas and the route, which code after code says again. Raises like a decoder if they are not as written."""
    areas, route = cbor2.loads(b"\x82" + raw, max_depth=4)
    rows = tuple(areas), tuple(route)
    if not all(type(text) is str and text for row in rows for text in row) or b"".join(map(_known, rows)) != raw:
        raise ValueError
    return rows


def _parse_any(payload: bytes) -> Claims:
    """The claims, however the map is laid out and whatever later versions add to it."""
    said = _decode(payload)  # step 6
    try:  # step 7
        identity, ours, issued = said[_IDENTITY], said[_OURS], said[_IAT]
        if {*map(type, said), *map(type, identity)} != {int}:  # to Python, 1, 1.0 and true are one key
            raise TypeError
        claims = msgspec.convert(
            [
                said[_ISS],
                said[_EXP],
                said.get(_NBF, issued),
                issued,
                said[_CTI],
                identity[_ID_QID],
                identity[_ID_NAME],
                identity[_ID_BORN],
                identity.get(_ID_SEX),
                _point(said[_CNF]) if _CNF in said else None,
                *ours,
            ],
            Claims,
            builtin_types=(bytes,),  # else text would do for bytes
        )
        if not (type(ours) is type(ours[_AREAS]) is type(ours[_ROUTE]) is list):
            raise TypeError
        dt.date.fromisoformat(claims.born)
        digits = claims.qid + claims.born
        if not (
            digits.isdigit() and digits.isascii() and digits[0] != "0" and unicodedata.is_normalized("NFC", claims.name)
        ):
            raise ValueError
    except msgspec.ValidationError as error:
        at = str(error).rpartition("`")[0].rpartition("`")[2]
        code = "code.times" if at in _TIMES else "code.number" if at in _NUMBERS else "code.malformed"
        raise refusal(code) from None
    except (LookupError, TypeError, ValueError, AttributeError):
        raise refusal("code.malformed") from None
    if claims.begins >= claims.expires:
        raise refusal("code.times")
    return claims


def _decode(payload: bytes) -> dict[Any, Any]:
    try:
        said, end = cbor2.loads(
            b"\x82" + payload + _END_BSTR, max_depth=6, allow_indefinite=False, allow_duplicate_keys=False
        )
    except (cbor2.CBORError, ValueError, TypeError, OverflowError, LookupError, ArithmeticError) as error:
        why = str(error)
        if "depth" in why:
            raise refusal("code.too_deep") from None
        raise refusal("code.key_twice" if "Duplicate" in why else "code.not_cbor") from None
    if end != _END or type(said) is not dict or (_END_BSTR in payload and not _is_one_item(payload)):
        raise refusal("code.not_cbor")
    return said


def _is_one_item(payload: bytes) -> bool:
    """Whether the words that stand at the end are said within the claims, and not behind them."""
    try:
        decode_cbor(payload)
    except Invalid:
        return False
    return True


def _point(cnf: dict[Any, Any]) -> bytes:
    """The compressed point of ``{1: {1: 2, -1: 1, -2: x, -3: sign}}``; whether it lies on the curve is seen in use."""
    if type(cnf) is not dict or type(key := cnf[1]) is not dict or {*map(type, cnf), *map(type, key)} != {int}:
        raise TypeError
    kind, curve, x, sign = key[1], key[-1], key[-2], key[-3]
    if [*map(type, (kind, curve, x, sign))] != [int, int, bytes, bool] or (kind, curve, len(x)) != (2, 1, 32):
        raise ValueError
    point: bytes = (b"\x03" if sign else b"\x02") + x
    return point
