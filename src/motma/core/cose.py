"""COSE_Sign1 (RFC 9052) around things that are not our code: lists of trust, status lists, the codes of others.

The key says which algorithm it takes, never the message. Our own code, of which only one shape exists, does not come
through here: see :mod:`motma.core.code`.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import IO, Any, Protocol, cast

import cbor2
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa, utils

from motma.core.errors import Invalid
from motma.core.words import Words

ALG, CRIT, CONTENT_TYPE, KID, TYP = 1, 2, 3, 4, 16
"""Header labels (RFC 9052, section 3.1; ``typ`` RFC 9596)."""
ES256, EDDSA, PS256 = -7, -8, -37
"""Algorithms (RFC 9053; PS256 RFC 8230)."""

PublicKey = ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey | rsa.RSAPublicKey

_TAG_SIGN1, _TAG_CWT = 18, 61
_MAX_DEPTH = 16
_SHA256 = hashes.SHA256()
_ES256_VERIFY = ec.ECDSA(_SHA256)
_ES256_SIGN = ec.ECDSA(utils.Prehashed(_SHA256), deterministic_signing=True)  # RFC 6979; hashlib is quicker to set up


class Signer(Protocol):
    """Whatever signs ES256: a key in memory, a hardware module."""

    @property
    def kid(self) -> bytes: ...

    @property
    def public(self) -> ec.EllipticCurvePublicKey: ...

    def sign(self, data: bytes) -> bytes:
        """r ‖ s, 64 bytes (RFC 9053, section 2.1). Raises :class:`Unavailable` if the key is not at hand."""
        ...


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A private P-256 key in memory and the id that goes with its signatures. Signs deterministically."""

    private: ec.EllipticCurvePrivateKey
    kid: bytes

    @property
    def public(self) -> ec.EllipticCurvePublicKey:
        return self.private.public_key()

    def sign(self, data: bytes) -> bytes:
        der = self.private.sign(
            hashlib.sha256(data).digest(), _ES256_SIGN
        )  # 30 len 02 len r 02 len s (RFC 3279, section 2.2.3)
        end_of_r = 4 + der[3]
        return der[4:end_of_r][-32:].rjust(32, b"\0") + der[end_of_r + 2 :][-32:].rjust(32, b"\0")


@dataclass(frozen=True, slots=True)
class Sign1:
    """A COSE_Sign1 taken apart, nothing verified. ``headers`` are the protected ones, decoded."""

    protected: bytes
    headers: Mapping[Any, Any]
    unprotected: Mapping[Any, Any]
    payload: bytes
    signature: bytes

    @property
    def kids(self) -> tuple[bytes, ...]:
        """The ids of keys that may have signed: the protected one if there is one, else the unprotected one.

        A protected ``kid`` wins even where it is of no use: what anybody can change never overrules what is signed.
        """
        kid = self.headers[KID] if KID in self.headers else self.unprotected.get(KID)
        return (kid,) if isinstance(kid, bytes) else ()

    @property
    def to_be_signed(self) -> bytes:
        return to_be_signed(self.protected, self.payload)


def to_be_signed(protected: bytes, payload: bytes) -> bytes:
    """Sig_structure of RFC 9052, section 4.4, with an empty external_aad."""
    return cbor2.dumps(["Signature1", protected, b"", payload])


def sign1(headers: Mapping[int, Any], payload: bytes, signer: Signer) -> bytes:
    """A tagged COSE_Sign1 by ``signer``: ``headers`` protected (``alg`` and ``kid`` are added), none unprotected."""
    protected = cbor2.dumps({ALG: ES256, KID: signer.kid, **headers})
    signature = signer.sign(to_be_signed(protected, payload))
    return cbor2.dumps(cbor2.CBORTag(_TAG_SIGN1, [protected, {}, payload, signature]))


def parse_sign1(raw: bytes, *, max_bytes: int = 1 << 20) -> Sign1:
    """Take a COSE_Sign1 apart: untagged, tagged 18, or that in a CWT tag. Raises :class:`Invalid` ``cose.malformed``.

    Refuses what is nested too deep, says a key twice, or has critical headers (we understand none).
    """
    if len(raw) > max_bytes:
        raise _malformed()
    item = decode_cbor(raw)
    for tag in (_TAG_CWT, _TAG_SIGN1):
        if isinstance(item, cbor2.CBORTag) and item.tag == tag:
            item = item.value
    if not isinstance(item, (list, tuple)) or len(item) != 4:
        raise _malformed()
    protected, unprotected, payload, signature = item
    if not (isinstance(protected, bytes) and isinstance(payload, bytes) and isinstance(signature, bytes)):
        raise _malformed()
    headers = decode_cbor(protected) if protected else {}
    if not isinstance(headers, Mapping) or not isinstance(unprotected, Mapping) or CRIT in headers:
        raise _malformed()
    return Sign1(protected, headers, unprotected, payload, signature)


class _Reader:
    """What a decoder reads from; it cannot seek, so the decoder takes no more than the item needs."""

    def __init__(self, raw: bytes) -> None:
        self._raw, self._at = raw, 0

    def read(self, size: int) -> bytes:
        taken = self._raw[self._at : self._at + size]
        self._at += len(taken)
        return taken

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return False

    @property
    def at_end(self) -> bool:
        return self._at == len(self._raw)


def decode_cbor(raw: bytes) -> Any:
    """One CBOR item, all of ``raw``. Raises :class:`Invalid` ``cose.malformed``; never anything else."""
    reader = _Reader(raw)
    try:
        # Any object with read() will do, whatever the stub says; cbor2.loads would let bytes after the item pass.
        item = cbor2.CBORDecoder(cast("IO[bytes]", reader), max_depth=_MAX_DEPTH, allow_duplicate_keys=False).decode()
    except (cbor2.CBORError, ValueError, TypeError, OverflowError, LookupError, ArithmeticError, AttributeError):
        raise _malformed() from None
    if not reader.at_end:
        raise _malformed()
    return item


def holds(public: PublicKey, sign1: Sign1) -> bool:
    """Whether the signature holds under ``public``, by the one algorithm that this kind of key takes.

    ES256 for P-256, PS256 for RSA of 2048 bits or more, EdDSA for Ed25519; a message that names another is not signed.
    """
    algorithm = sign1.headers.get(ALG, sign1.unprotected.get(ALG))
    try:
        if isinstance(public, ec.EllipticCurvePublicKey):
            if algorithm != ES256 or not isinstance(public.curve, ec.SECP256R1) or len(sign1.signature) != 64:
                return False
            r, s = int.from_bytes(sign1.signature[:32], "big"), int.from_bytes(sign1.signature[32:], "big")
            public.verify(utils.encode_dss_signature(r, s), sign1.to_be_signed, _ES256_VERIFY)
        elif isinstance(public, rsa.RSAPublicKey):
            if algorithm != PS256 or public.key_size < 2048:
                return False
            public.verify(sign1.signature, sign1.to_be_signed, padding.PSS(padding.MGF1(_SHA256), 32), _SHA256)
        else:
            if algorithm != EDDSA:
                return False
            public.verify(sign1.signature, sign1.to_be_signed)
    except InvalidSignature:
        return False
    return True


def _malformed() -> Invalid:
    return Invalid("cose.malformed", Words("Dữ liệu có chữ ký bị hỏng.", "The signed data is damaged."))
