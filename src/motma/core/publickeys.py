"""Public keys as others write them: PEM (RFC 7468), JWK (RFC 7517, 7518), COSE_Key (RFC 9052, section 7).

Only P-256, which is what ES256 takes. Whoever hands in a private key is told so, and nothing of it is kept.
"""

import base64
import binascii
import datetime as dt
from collections.abc import Iterable
from typing import Any

import cbor2
import msgspec
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from motma.core.code import TrustedKey
from motma.core.errors import Invalid
from motma.core.words import Words

JWKS_TYPE = "application/jwk-set+json"
COSE_KEYS_TYPE = "application/cose-key-set"
TEXT_MAX_CHARS = 8_192

_ES256, _EC2, _P256 = -7, 2, 1
_COORDINATE_BYTES = 32


def point_of(public: ec.EllipticCurvePublicKey) -> bytes:
    """The uncompressed point: ``04 ‖ x ‖ y``, 65 bytes (SEC 1, section 2.3.3)."""
    return public.public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)


def read_public_key(text: str) -> ec.EllipticCurvePublicKey:
    """A P-256 public key from PEM (``BEGIN PUBLIC KEY``) or a JWK.

    Raises :class:`Invalid` ``key.private_given``, ``key.curve``, ``key.unreadable``.
    """
    if len(text) > TEXT_MAX_CHARS:
        raise _unreadable()
    if "PRIVATE KEY" in text:
        raise _private_given()
    public: object
    try:
        public = _from_jwk(text) if text.lstrip().startswith("{") else _from_pem(text)
    except UnsupportedAlgorithm:
        raise _other_curve() from None
    except (ValueError, TypeError, msgspec.MsgspecError, binascii.Error, RecursionError):
        raise _unreadable() from None
    if not isinstance(public, ec.EllipticCurvePublicKey) or not isinstance(public.curve, ec.SECP256R1):
        raise _other_curve()
    return public


def write_jwks(keys: Iterable[TrustedKey]) -> bytes:
    """A JWK Set (RFC 7517, section 5). ``kid`` is base64url of ours.

    Members of our own say whose a key is and what for: ``iss``; ``signs_from`` and ``signs_until`` (NumericDate: when a
    code was issued, and not, as ``exp`` would be, when it is looked at); ``measures``, ``areas``. A reader that does
    not know them takes a key for more than it is: see ``docs/operate.md``.
    """
    return msgspec.json.encode({"keys": [_jwk(key) for key in keys]})


def write_cose_keys(keys: Iterable[TrustedKey]) -> bytes:
    """A COSE_KeySet (RFC 9052, section 7): an array of EC2 keys, each with kid and algorithm and nothing else."""
    return cbor2.dumps([_cose_key(key) for key in keys])


def write_pem(keys: Iterable[TrustedKey]) -> bytes:
    """Each key in PEM, with a line before it that says whose it is (RFC 7468, section 2, lets text stand there)."""
    return b"\n".join(
        f"{key.kid.hex()} {key.issuer}\n".encode()
        + key.public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
        for key in keys
    )


def _from_pem(text: str) -> object:
    return serialization.load_pem_public_key(text.encode())


def _from_jwk(text: str) -> ec.EllipticCurvePublicKey:
    jwk = msgspec.json.decode(text, type=dict[str, Any])
    if "d" in jwk:
        raise _private_given()
    if jwk.get("kty") != "EC" or jwk.get("crv") != "P-256":
        raise _other_curve()
    x, y = (_coordinate(jwk.get(name)) for name in ("x", "y"))
    return ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), b"\x04" + x + y)


def _coordinate(value: object) -> bytes:
    """RFC 7518, section 6.2.1.2: base64url without padding of exactly 32 bytes."""
    if not isinstance(value, str):
        raise TypeError
    raw = base64.b64decode(value + "=" * (-len(value) % 4), altchars=b"-_", validate=True)
    if len(raw) != _COORDINATE_BYTES:
        raise ValueError
    return raw


def _jwk(key: TrustedKey) -> dict[str, object]:
    point = point_of(key.public)
    about: dict[str, object] = {"iss": key.issuer, "signs_from": _seconds(key.not_before)}
    if key.not_after is not None:
        about["signs_until"] = _seconds(key.not_after)
    about |= {name: scope for name, scope in (("measures", key.measures), ("areas", key.areas)) if scope}
    return {
        "kty": "EC",
        "crv": "P-256",
        "x": _base64url(point[1:33]),
        "y": _base64url(point[33:]),
        "kid": _base64url(key.kid),
        "alg": "ES256",
        "use": "sig",
        **about,
    }


def _cose_key(key: TrustedKey) -> dict[int, object]:
    point = point_of(key.public)
    return {1: _EC2, 2: key.kid, 3: _ES256, -1: _P256, -2: point[1:33], -3: point[33:]}


def _base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _seconds(moment: dt.datetime) -> int:
    return int(moment.timestamp())


def _unreadable() -> Invalid:
    return Invalid(
        "key.unreadable",
        Words(
            "Không đọc được khóa công khai. Gửi ở dạng PEM (BEGIN PUBLIC KEY) hoặc JWK.",
            "The public key cannot be read. Give it as PEM (BEGIN PUBLIC KEY) or as a JWK.",
        ),
    )


def _other_curve() -> Invalid:
    return Invalid(
        "key.curve",
        Words(
            "Chỉ nhận khóa P-256 (ES256). Tạo một cặp khóa P-256 rồi gửi phần công khai.",
            "Only P-256 keys (ES256) are taken. Make a P-256 pair and send its public part.",
        ),
    )


def _private_given() -> Invalid:
    return Invalid(
        "key.private_given",
        Words(
            "Đây là khóa riêng: đừng đưa cho ai. Tạo cặp khóa mới và chỉ gửi phần công khai.",
            "This is a private key: give it to nobody. Make a new pair and send its public part only.",
        ),
    )
