"""The one code: claims <-> CWT in COSE_Sign1 <-> text in a QR.

One structure, one algorithm, and nothing is decoded before its signature holds::

    text = base45( zlib( 18( [ <<{1: -7, 4: kid}>>, {} or a live proof, payload, signature ] ) ) )

(COSE RFC 9052/9053 with ES256, CWT RFC 8392, MOSIP Claim 169, base45 RFC 9285.) Because only one shape is
accepted, the envelope is compared byte by byte and not handed to a decoder that would let the message choose.
Numbered steps refer to ``docs/code-format.md``; what the payload says is :mod:`motma.core.claims`.
"""

import datetime as dt
import hashlib
import struct
import zlib
from collections.abc import Mapping
from functools import lru_cache
from typing import Literal

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, utils

from motma.core import base45
from motma.core.claims import Claims, Companion, parse_claims, write_claims
from motma.core.cose import ALG, ES256, Signer, parse_sign1
from motma.core.errors import Invalid
from motma.core.reasons import refusal

__all__ = [
    "Claims",
    "Companion",
    "Keyring",
    "Liveness",
    "TrustedKey",
    "VerifiedCode",
    "issue_code",
    "key_id",
    "liveness",
    "verify_code",
]

TEXT_MAX_CHARS = 4_296
"""What the largest QR code holds in its alphanumeric mode (ISO/IEC 18004)."""
INFLATED_MAX_BYTES = 3_072
LIVE_FOR = dt.timedelta(seconds=90)
"""How long a live proof is worth something; the holder's page makes a new one every 30 seconds."""

_KID_BYTES = 8
_PROTECTED = bytes.fromhex("a201260448")  # {1: -7 (ES256), 4: kid of 8 bytes}
_HEAD = bytes.fromhex("d2844d") + _PROTECTED  # tag 18, array of 4, bstr of 13
_UNPROTECTED_AT = len(_HEAD) + _KID_BYTES
# {11: [<<{1: -7, 15: {6: seconds}}>>, {}, signature]}: a countersignature (RFC 9338) that tells its time (RFC 9597).
_PROOF_HEAD = bytes.fromhex("a10b834b")
_PROOF_PROTECTED = bytes.fromhex("a201260fa1061a")
_PROOF = struct.Struct(">4s7sI3s64s")
_PROOF_MIDDLE = bytes.fromhex("a05840")
_ES256 = ec.ECDSA(utils.Prehashed(hashes.SHA256()))  # hashlib sets a hash up in half of the library's time
# Of a sequence and its first integer, and of its second: an integer that begins with a one takes a zero before it.
_DER_HEADS = [
    [(bytes((0x30, 0x44 + r + s, 0x02, 0x20 + r)) + bytes(r), bytes((0x02, 0x20 + s)) + bytes(s)) for s in (0, 1)]
    for r in (0, 1)
]
_STORED = struct.Struct("<3sHH")


class TrustedKey(msgspec.Struct, frozen=True):
    """A public key that may sign codes: for whom, between which moments of issue, for what.

    ``measures`` and ``areas`` empty: any. ``status_uri`` is where the issuer's status lists begin ("" for none).
    """

    kid: bytes
    public: ec.EllipticCurvePublicKey
    issuer: str
    not_before: dt.datetime
    not_after: dt.datetime | None = None
    measures: tuple[str, ...] = ()
    areas: tuple[str, ...] = ()
    revoked: bool = False
    status_uri: str = ""


Keyring = Mapping[bytes, tuple[TrustedKey, ...]]
"""Every key that may verify, by kid. A kid is a hint: several keys may bear it."""

Liveness = Literal["live", "static", "stale"]


class VerifiedCode(msgspec.Struct, frozen=True):
    """Claims under a signature that holds, by a key that may sign them. Times are not judged here.

    ``proof_at`` is when the holder's own key last signed the code, by the holder's clock; None without a live proof.
    """

    claims: Claims
    key: TrustedKey
    proof_at: dt.datetime | None = None


def key_id(public: ec.EllipticCurvePublicKey) -> bytes:
    """First 8 bytes of the SHA-256 of the key's SubjectPublicKeyInfo in DER."""
    der = public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(der).digest()[:_KID_BYTES]


def issue_code(claims: Claims, signer: Signer) -> str:
    """Return the text of the QR. The same claims and a deterministic signer always give the same text."""
    payload = write_claims(claims)
    payload_bstr = _bstr_head(len(payload)) + payload
    signature = signer.sign(_to_be_signed(signer.kid, payload_bstr))
    cose = b"%b%b\xa0%b\x58\x40%b" % (_HEAD, signer.kid, payload_bstr, signature)
    return base45.encode(_stored_head(len(cose)) + cose + zlib.adler32(cose).to_bytes(4, "big"))


def verify_code(text: str, keyring: Keyring) -> VerifiedCode:
    """Return the claims if, and only if, the text is one of our codes under a key of ``keyring`` that may sign it.

    Raises :class:`Invalid` ``code.*``, the reasons of :mod:`motma.core.reasons`: one for each step that can fail.
    Times are judged by :func:`motma.core.decision.decide`.
    """
    if len(text) > TEXT_MAX_CHARS:
        raise refusal("code.oversized")
    try:
        squeezed = base45.decode(text, TEXT_MAX_CHARS)  # step 1
    except Invalid:
        raise refusal("code.not_base45") from None
    cose = _inflate(squeezed)  # step 2
    kid, proof, payload_bstr, payload, signature = _open_envelope(cose)  # step 3
    candidates = keyring.get(kid)  # step 4
    if not candidates:
        raise refusal("code.unknown_key")
    signed = _to_be_signed(kid, payload_bstr)
    for key in candidates:  # step 5
        if _holds(key.public, signature, signed):
            break
    else:
        raise refusal("code.forged")
    if key.revoked:
        raise refusal("code.revoked_key")
    claims = parse_claims(payload)  # steps 6-7
    _may_sign(key, claims)  # step 8
    if proof is None:
        return VerifiedCode(claims, key)
    return VerifiedCode(claims, key, _proven_at(proof, claims, kid, payload_bstr, signature))  # step 9


def liveness(code: VerifiedCode, now: dt.datetime, tolerance: dt.timedelta = dt.timedelta(0)) -> Liveness:
    """``live``: its holder's key signed it just now; ``stale``: some time ago; ``static``: a picture, paper.

    ``now`` is the moment of the scan, ``tolerance`` how far the clock that says so may be wrong.
    """
    if code.proof_at is None:
        return "static"
    return "live" if abs(now - code.proof_at) <= LIVE_FOR + tolerance else "stale"


def _inflate(squeezed: bytes) -> bytes:
    cose = squeezed[_STORED.size : -4]
    if squeezed.startswith(_stored_head(len(cose))) and len(cose) <= INFLATED_MAX_BYTES:  # as we issue it
        if int.from_bytes(squeezed[-4:], "big") != zlib.adler32(cose):
            raise refusal("code.not_zlib")
        return cose
    if len(squeezed) > 2 and not squeezed[2] & 0x06 and squeezed[2] != 0x01:
        # zlib passes over the five bits that fill up the head of a stored block; a code has one form, so they are zero.
        raise refusal("code.not_zlib")
    inflater = zlib.decompressobj()
    try:
        cose = inflater.decompress(squeezed, INFLATED_MAX_BYTES)
    except zlib.error:
        raise refusal("code.not_zlib") from None
    if not inflater.eof:
        raise refusal("code.bomb" if len(cose) == INFLATED_MAX_BYTES else "code.not_zlib")
    if inflater.unused_data:
        raise refusal("code.not_zlib")
    return cose


@lru_cache(maxsize=1024)
def _stored_head(size: int) -> bytes:
    """Of one stored block (RFC 1950, 1951): ids and signatures do not shrink, level 9 gives as many bytes."""
    return _STORED.pack(b"\x78\x01\x01", size, size ^ 0xFFFF)


def _open_envelope(cose: bytes) -> tuple[bytes, bytes | None, bytes, bytes, bytes]:
    """Split a COSE_Sign1 of our one shape: kid, live proof if any, payload as bstr, payload, signature."""
    start, proof = _UNPROTECTED_AT + 1, None
    if cose.startswith(_PROOF_HEAD, _UNPROTECTED_AT):
        start = _UNPROTECTED_AT + _PROOF.size
        proof = cose[_UNPROTECTED_AT:start]
    elif cose[_UNPROTECTED_AT:start] != b"\xa0":
        raise refusal(_what_is_wrong(cose))
    payload_bstr, signature = cose[start:-66], cose[-64:]
    payload = _content_of(payload_bstr)
    if not cose.startswith(_HEAD) or payload is None or cose[-66:-64] != b"\x58\x40":
        raise refusal(_what_is_wrong(cose))
    return cose[len(_HEAD) : _UNPROTECTED_AT], proof, payload_bstr, payload, signature


def _what_is_wrong(cose: bytes) -> str:
    """Which reason fits an envelope that is not of our shape. Only to explain; nothing is accepted here."""
    try:
        foreign = parse_sign1(cose, max_bytes=INFLATED_MAX_BYTES)
    except Invalid:
        return "code.not_ours"
    if foreign.headers.get(ALG) != ES256:
        return "code.algorithm"
    return "code.not_ours" if foreign.kids and foreign.headers.get(4) else "code.no_kid"


def _content_of(bstr: bytes) -> bytes | None:
    """What a byte string holds, if its head is the shortest that it can have and its length is true."""
    first = bstr[0] if bstr else 0
    if first == 0x58 and len(bstr) > 25:
        size, length = 2, bstr[1]
    elif first == 0x59 and len(bstr) > 258:
        size, length = 3, bstr[1] << 8 | bstr[2]
    else:
        size, length = 1, first - 0x40 if first < 0x58 else -1
    return bstr[size:] if len(bstr) - size == length else None


def _bstr_head(length: int) -> bytes:
    if length < 24:
        return bytes((0x40 + length,))
    return b"\x58" + bytes((length,)) if length < 256 else b"\x59" + struct.pack(">H", length)


def _to_be_signed(kid: bytes, payload_bstr: bytes) -> bytes:
    """Sig_structure of RFC 9052, section 4.4, with an empty external_aad."""
    return b"\x84\x6aSignature1\x4d" + _PROTECTED + kid + b"\x40" + payload_bstr


def _holds(public: ec.EllipticCurvePublicKey, signature: bytes, signed: bytes) -> bool:
    try:
        public.verify(_der(signature), hashlib.sha256(signed).digest(), _ES256)
    except InvalidSignature:
        return False
    return True


def _der(signature: bytes) -> bytes:
    """r ‖ s as the library wants them: a DER sequence of two integers (RFC 3279, section 2.2.3)."""
    if signature[0] and signature[32]:  # no zero to leave out: of 256 signatures 254
        sequence, second = _DER_HEADS[signature[0] >> 7][signature[32] >> 7]
        return sequence + signature[:32] + second + signature[32:]
    r, s = signature[:32].lstrip(b"\0"), signature[32:].lstrip(b"\0")
    if not r or r[0] & 0x80:
        r = b"\0" + r
    if not s or s[0] & 0x80:
        s = b"\0" + s
    return bytes((0x30, len(r) + len(s) + 4, 0x02, len(r))) + r + bytes((0x02, len(s))) + s


def _may_sign(key: TrustedKey, claims: Claims) -> None:
    if claims.issuer != key.issuer:
        raise refusal("code.wrong_issuer")
    if key.measures and claims.measure not in key.measures:
        raise refusal("code.out_of_scope")
    if key.areas and not (claims.areas and set(claims.areas) <= set(key.areas)):
        raise refusal("code.out_of_scope")
    if claims.issued < _seconds(key.not_before) or (key.not_after and claims.issued > _seconds(key.not_after)):
        raise refusal("code.key_out_of_time")


_seconds = lru_cache(maxsize=1024)(dt.datetime.timestamp)
"""Since 1970, of the moments between which keys are in force: few, and asked for with every code."""


def _proven_at(proof: bytes, claims: Claims, kid: bytes, payload_bstr: bytes, code_signature: bytes) -> dt.datetime:
    """When the holder's key countersigned (RFC 9338, section 3.3, version 2). Anything odd about it is a forgery."""
    _, protected, seconds, middle, signature = _PROOF.unpack(proof)
    if protected != _PROOF_PROTECTED or middle != _PROOF_MIDDLE or claims.holder_key is None:
        raise refusal("code.proof_forged")
    try:
        public = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), claims.holder_key)
    except ValueError:
        raise refusal("code.proof_forged") from None
    signed = b"".join(
        (
            b"\x86\x72CounterSignatureV2\x4d",
            _PROTECTED,
            kid,
            proof[3:15],
            b"\x40",
            payload_bstr,
            b"\x81\x58\x40",
            code_signature,
        )
    )
    if not _holds(public, signature, signed):
        raise refusal("code.proof_forged")
    return dt.datetime.fromtimestamp(seconds, dt.UTC)
