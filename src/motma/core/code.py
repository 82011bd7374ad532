"""The one code: claims <-> CWT in COSE_Sign1 <-> text in a QR.

One structure, one algorithm, and nothing is decoded before its signature holds::

    text = base45( zlib( 18( [ <<{1: -7, 4: kid}>>, {}, payload, signature ] ) ) )

(COSE RFC 9052/9053 with ES256, CWT RFC 8392, MOSIP Claim 169, base45 RFC 9285.) Because only one shape is
accepted, the envelope is compared byte by byte and not handed to a decoder that would let the message choose.
Numbered steps refer to ``docs/code-format.md``.
"""

import array
import datetime as dt
import hashlib
import struct
import sys
import unicodedata
import zlib
from collections.abc import Mapping

import cbor2
import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, utils

from motma.core.cose import Signer
from motma.core.errors import Invalid
from motma.core.ids import Qid
from motma.core.words import Words

TEXT_MAX_CHARS = 2_000
INFLATED_MAX_BYTES = 2_048

_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"
_TRIPLES = [_ALPHABET[n % 45] + _ALPHABET[n // 45 % 45] + _ALPHABET[n // 2025] for n in range(65536)]
_NOT_BASE45 = 255
_DIGITS = bytes(_ALPHABET.find(chr(n)) % 256 for n in range(256))  # -1 % 256 is _NOT_BASE45

_KID_BYTES = 8
_SIGNATURE_BYTES = 64
_PROTECTED = bytes.fromhex("a201260448")  # {1: -7 (ES256), 4: kid of 8 bytes}
_HEAD = bytes.fromhex("d2844d") + _PROTECTED  # tag 18, array of 4, bstr of 13
_ES256 = ec.ECDSA(hashes.SHA256())

# CWT claim keys (RFC 8392), Claim 169, and our private claim.
_ISS, _EXP, _NBF, _IAT, _CTI, _IDENTITY, _MOTMA = 1, 4, 5, 6, 7, 169, -65537
_ID_QID, _ID_NAME, _ID_BIRTH_DATE = 1, 4, 8
_OUR_MEASURE, _OUR_LAST_FOUR, _OUR_AREAS, _OUR_MATCHED = 1, 2, 3, 4


class Claims(msgspec.Struct, frozen=True):
    """What a code says, and nothing more. ``areas`` empty means: wherever the measure holds."""

    issuer: str
    code_id: bytes
    qid: Qid
    name: str
    birth_date: dt.date
    last_four: str
    measure: str
    areas: tuple[str, ...]
    matched: bool
    issued_at: dt.datetime
    valid_from: dt.datetime
    valid_until: dt.datetime


class VerifiedCode(msgspec.Struct, frozen=True):
    """Claims under a signature that holds, by the key named ``kid``. Times are not judged here."""

    claims: Claims
    kid: bytes


Keyring = Mapping[bytes, ec.EllipticCurvePublicKey]
"""Every key that may verify, by kid."""


def key_id(public: ec.EllipticCurvePublicKey) -> bytes:
    """First 8 bytes of the SHA-256 of the key's SubjectPublicKeyInfo in DER."""
    der = public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(der).digest()[:_KID_BYTES]


def issue_code(claims: Claims, key: Signer) -> str:
    """Return the text of the QR. The same claims and key always give the same text."""
    payload = cbor2.dumps(
        {
            _ISS: claims.issuer,
            _EXP: int(claims.valid_until.timestamp()),
            _NBF: int(claims.valid_from.timestamp()),
            _IAT: int(claims.issued_at.timestamp()),
            _CTI: claims.code_id,
            _IDENTITY: {
                _ID_QID: str(claims.qid),
                _ID_NAME: claims.name,
                _ID_BIRTH_DATE: claims.birth_date.strftime("%Y%m%d"),
            },
            _MOTMA: {
                _OUR_MEASURE: claims.measure,
                _OUR_LAST_FOUR: claims.last_four,
                _OUR_AREAS: list(claims.areas),
                _OUR_MATCHED: claims.matched,
            },
        }
    )
    payload_bstr = _bstr_head(len(payload)) + payload
    signature = key.sign(_to_be_signed(key.kid, payload_bstr))
    cose = _HEAD + key.kid + b"\xa0" + payload_bstr + b"\x58\x40" + signature
    # Stored, not squeezed: ids and signatures do not shrink; level 9 gives as many bytes for ten times the time.
    return base45_encode(zlib.compress(cose, 0))


def verify_code(text: str, keyring: Keyring) -> VerifiedCode:
    """Return the claims if, and only if, the text is one of our codes under a key of ``keyring``.

    Raises :class:`Invalid`: ``code.unreadable`` (not one of ours), ``code.unknown_key`` (ours in shape, the key is
    not in the ring), ``code.forged`` (the signature does not hold), ``code.malformed`` (signed, yet not to the
    specification). Times are judged by :func:`motma.core.decision.decide`.
    """
    cose = _inflate(base45_decode(text))  # steps 1-2
    kid, payload_bstr, payload, signature = _open_envelope(cose)  # step 3
    public = keyring.get(kid)  # step 4
    if public is None:
        raise Invalid(
            "code.unknown_key",
            Words(
                "Mã do một nơi chưa được biết ký. Kiểm tra giấy tờ bằng mắt.",
                "The code is signed by a key not known here. Check the documents by hand.",
            ),
        )
    der = utils.encode_dss_signature(int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big"))
    try:
        public.verify(der, _to_be_signed(kid, payload_bstr), _ES256)  # step 5
    except InvalidSignature:
        raise Invalid(
            "code.forged",
            Words("Mã đã bị sửa hoặc làm giả.", "The code has been altered or forged."),
        ) from None
    return VerifiedCode(_parse_claims(payload), kid)  # steps 6-7


def base45_encode(data: bytes) -> str:
    """RFC 9285."""
    even = len(data) & ~1
    text = "".join([_TRIPLES[pair] for pair in _big_endian(array.array("H", data[:even]))])
    if len(data) & 1:
        text += _ALPHABET[data[-1] % 45] + _ALPHABET[data[-1] // 45]
    return text


def base45_decode(text: str) -> bytes:
    """RFC 9285, upper case only. Raises :class:`Invalid` ``code.unreadable``."""
    if len(text) > TEXT_MAX_CHARS or len(text) % 3 == 1 or not text.isascii():
        raise _unreadable()
    digits = text.encode().translate(_DIGITS)
    count, rest = divmod(len(digits), 3)
    whole = count * 3
    # All triples at once: each in 32 bits of one long number, so that three products do the work of a loop.
    lanes = (
        _lanes(digits[:whole:3], count)
        + 45 * _lanes(digits[1:whole:3], count)
        + 2025 * _lanes(digits[2:whole:3], count)
    ).to_bytes(4 * count, "little")
    tail = digits[whole] + 45 * digits[whole + 1] if rest else 0
    if _NOT_BASE45 in digits or lanes[2::4] != bytes(count) or tail > 255:
        raise _unreadable()
    data = bytearray(2 * count)
    data[::2], data[1::2] = lanes[1::4], lanes[::4]
    return bytes(data) + bytes((tail,)) if rest else bytes(data)


def _lanes(values: bytes, count: int) -> int:
    """The bytes ``values`` as one number, each at the foot of its own 32 bits."""
    spread = bytearray(4 * count)
    spread[::4] = values
    return int.from_bytes(spread, "little")


def _big_endian(pairs: "array.array[int]") -> "array.array[int]":
    if sys.byteorder == "little":
        pairs.byteswap()
    return pairs


def _inflate(squeezed: bytes) -> bytes:
    inflater = zlib.decompressobj()
    try:
        cose = inflater.decompress(squeezed, INFLATED_MAX_BYTES)
    except zlib.error:
        raise _unreadable() from None
    if not inflater.eof or inflater.unused_data:
        raise _unreadable()
    return cose


def _open_envelope(cose: bytes) -> tuple[bytes, bytes, bytes, bytes]:
    """Split a COSE_Sign1 of our one shape into (kid, payload as bstr, payload, signature)."""
    start = len(_HEAD) + _KID_BYTES
    end = len(cose) - _SIGNATURE_BYTES - 2
    if not cose.startswith(_HEAD) or end <= start or cose[start] != 0xA0 or cose[end : end + 2] != b"\x58\x40":
        raise _unreadable()
    payload_bstr = cose[start + 1 : end]
    return cose[len(_HEAD) : start], payload_bstr, _content_of(payload_bstr), cose[end + 2 :]


def _content_of(bstr: bytes) -> bytes:
    """What a byte string holds, if its head is the shortest that it can have and its length is true."""
    first = bstr[0] if bstr else 0
    if first == 0x58 and len(bstr) > 25:
        size, length = 2, bstr[1]
    elif first == 0x59 and len(bstr) > 258:
        size, length = 3, bstr[1] << 8 | bstr[2]
    else:
        size, length = 1, first - 0x40 if first < 0x58 else -1
    if len(bstr) - size != length:
        raise _unreadable()
    return bstr[size:]


def _bstr_head(length: int) -> bytes:
    if length < 24:
        return bytes((0x40 + length,))
    return b"\x58" + bytes((length,)) if length < 256 else b"\x59" + struct.pack(">H", length)


def _to_be_signed(kid: bytes, payload_bstr: bytes) -> bytes:
    """Sig_structure of RFC 9052, section 4.4, with an empty external_aad."""
    return b"\x84\x6aSignature1\x4d" + _PROTECTED + kid + b"\x40" + payload_bstr


def _parse_claims(payload: bytes) -> Claims:
    try:
        claims = cbor2.loads(payload, max_depth=4, allow_indefinite=False, allow_duplicate_keys=False)
        identity, ours = claims[_IDENTITY], claims[_MOTMA]
        born, areas = identity[_ID_BIRTH_DATE], ours[_OUR_AREAS]
        parsed = Claims(
            issuer=claims[_ISS],
            code_id=claims[_CTI],
            qid=Qid(identity[_ID_QID]),
            name=identity[_ID_NAME],
            birth_date=dt.date.fromisoformat(born),  # eight digits, as is made sure of below
            last_four=ours[_OUR_LAST_FOUR],
            measure=ours[_OUR_MEASURE],
            areas=tuple(areas),
            matched=ours[_OUR_MATCHED],
            issued_at=_moment(claims[_IAT]),
            valid_from=_moment(claims[_NBF]),
            valid_until=_moment(claims[_EXP]),
        )
        texts = [parsed.issuer, parsed.qid, born, parsed.name, parsed.last_four, parsed.measure, *areas]
        if {*map(type, texts)} != {str} or not all(texts):
            raise TypeError
        if type(parsed.code_id) is not bytes or type(parsed.matched) is not bool or type(areas) is not list:
            raise TypeError
        digits = parsed.qid + born
        if not (
            len(parsed.qid) == 18
            and len(digits) == 26
            and digits.isascii()
            and digits.isdigit()
            and len(parsed.last_four) == 4
            and len(parsed.code_id) == 16
            and unicodedata.is_normalized("NFC", parsed.name)
        ):
            raise ValueError
    except (cbor2.CBORError, LookupError, TypeError, ValueError, OverflowError, AttributeError):
        raise Invalid(
            "code.malformed",
            Words(
                "Mã có chữ ký đúng nhưng nội dung không đúng quy cách.",
                "The signature holds, but the content is not to the specification.",
            ),
        ) from None
    return parsed


def _moment(seconds: object) -> dt.datetime:
    if type(seconds) is not int or not 0 <= seconds < 2**33:
        raise ValueError(seconds)
    return dt.datetime.fromtimestamp(seconds, dt.UTC)


def _unreadable() -> Invalid:
    return Invalid(
        "code.unreadable",
        Words(
            "Không phải mã Một Mã hoặc mã bị hỏng. Quét lại, hoặc nhập 18 chữ số dưới mã.",
            "Not a Một Mã code, or damaged. Scan again, or type the 18 digits under it.",
        ),
    )
