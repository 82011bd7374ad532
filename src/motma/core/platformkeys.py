"""The public keys with which platforms prove who they are (RFC 7523): read from JWK or PEM, kept as JWK.

P-256 signs ES256, Ed25519 signs EdDSA, RSA of 2048 to 4096 bits signs PS256, or RS256 where the JWK says so. What a key
signs is told by the key and never by a message: that leaves nothing to confuse.
"""

import binascii
import re
import warnings
from typing import Any

import msgspec
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from joserfc import jwk
from joserfc.errors import JoseError, SecurityWarning

from motma.core.errors import Invalid
from motma.core.words import Words

ALGORITHMS = ("ES256", "EdDSA", "PS256", "RS256")
TEXT_MAX_CHARS = 8_192

_RSA_BITS, _RSA_EXPONENTS = range(2_048, 4_097), range(65_537, 2**32)
_MALFORMED = (
    JoseError, ValueError, TypeError, KeyError, AttributeError, RecursionError, binascii.Error, msgspec.MsgspecError
)  # fmt: skip
_is_sha256 = re.compile(r"[0-9a-f]{64}").fullmatch
_is_kid = re.compile(r"[A-Za-z0-9._~:/+=@-]{1,100}").fullmatch  # it is copied into programs: nothing that ends a string


def read_platform_key(text: str) -> tuple[str, str]:
    """(kid, the public key as a JWK with its ``alg``) of a JWK or a PEM ``PUBLIC KEY``.

    The kid is the JWK's own, else its thumbprint (RFC 7638, SHA-256). Raises :class:`Invalid` ``platform_key.private``,
    ``platform_key.kind``, ``platform_key.unreadable``.
    """
    if len(text) > TEXT_MAX_CHARS:
        raise _unreadable()
    if "PRIVATE KEY" in text:
        raise _private()
    try:
        given = _members(text)
        if any(secret in given for secret in ("d", "p", "q", "k")):
            raise _private()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SecurityWarning)  # of short keys, which are refused below
            key = jwk.import_key(given) if given else _from_pem(text)
        public = key.as_dict(private=False)
        raw = key.public_key
        thumbprint = key.thumbprint()
    except _MALFORMED:
        raise _unreadable() from None
    except UnsupportedAlgorithm:
        raise _kind() from None
    algorithm = _algorithm(raw, given.get("alg"))
    kid = given.get("kid", thumbprint)
    if not isinstance(kid, str) or not _is_kid(kid) or given.get("use", "sig") != "sig":
        raise _unreadable()
    kept = {name: public[name] for name in ("kty", "crv", "x", "y", "n", "e") if name in public}
    return kid, msgspec.json.encode({**kept, "alg": algorithm}).decode()


def thumbprint_of(text: str) -> str:
    """The thumbprint (RFC 7638, SHA-256, base64url) of a JWK as :func:`read_platform_key` gives it, to compare by eye
    or over the telephone."""
    return jwk.import_key(msgspec.json.decode(text, type=dict[str, Any])).thumbprint()


def algorithm_of(text: str) -> str:
    """What a JWK as :func:`read_platform_key` gives it signs."""
    return str(msgspec.json.decode(text, type=dict[str, Any])["alg"])


def read_certificate(text: str) -> str:
    """The SHA-256 of a client certificate in lower-case hex, from itself in hex (colons may stand between) or from the
    certificate in PEM; "" of nothing. Raises :class:`Invalid` ``platform.certificate``."""
    given = text.strip()
    if "BEGIN CERTIFICATE" in given and len(given) <= TEXT_MAX_CHARS:
        try:
            return x509.load_pem_x509_certificate(given.encode()).fingerprint(SHA256()).hex()
        except (ValueError, UnsupportedAlgorithm):
            given = "?"
    bare = given.replace(":", "").lower()
    if bare and not _is_sha256(bare):
        raise Invalid(
            "platform.certificate",
            Words(
                "Dán chứng thư dạng PEM, hoặc mã băm SHA-256 của nó (64 chữ số hex).",
                "Paste the certificate in PEM, or its SHA-256 (64 hex digits).",
            ),
        )
    return bare


def _members(text: str) -> dict[str, Any]:
    return msgspec.json.decode(text, type=dict[str, Any]) if text.lstrip().startswith("{") else {}


def _from_pem(text: str) -> jwk.Key:
    if "-----BEGIN PUBLIC KEY-----" not in text:
        raise ValueError
    for kind in ("EC", "OKP", "RSA"):
        try:
            return jwk.import_key(text.strip(), kind)
        except (JoseError, ValueError, TypeError, AttributeError):
            continue
    raise ValueError


def _algorithm(raw: object, said: object) -> str:
    if isinstance(raw, ec.EllipticCurvePublicKey) and isinstance(raw.curve, ec.SECP256R1) and said in (None, "ES256"):
        return "ES256"
    if isinstance(raw, ed25519.Ed25519PublicKey) and said in (None, "EdDSA", "Ed25519"):
        return "EdDSA"
    if isinstance(raw, rsa.RSAPublicKey) and said in (None, "PS256", "RS256"):
        exponent = raw.public_numbers().e
        if raw.key_size in _RSA_BITS and exponent in _RSA_EXPONENTS and exponent % 2:
            return str(said or "PS256")
    raise _kind()


def _unreadable() -> Invalid:
    return Invalid(
        "platform_key.unreadable",
        Words(
            "Không đọc được khóa công khai. Dán một JWK, hoặc PEM bắt đầu bằng BEGIN PUBLIC KEY.",
            "The public key cannot be read. Paste one JWK, or PEM that begins with BEGIN PUBLIC KEY.",
        ),
    )


def _kind() -> Invalid:
    return Invalid(
        "platform_key.kind",
        Words(
            "Chỉ nhận khóa P-256 (ES256), Ed25519 (EdDSA), hoặc RSA 2048 đến 4096 bit (PS256, RS256).",
            "Only P-256 (ES256), Ed25519 (EdDSA) and RSA keys of 2048 to 4096 bits (PS256, RS256) are taken.",
        ),
    )


def _private() -> Invalid:
    return Invalid(
        "platform_key.private",
        Words(
            "Đây là khóa bí mật: đừng đưa cho ai. Tạo cặp khóa mới và chỉ dán phần công khai.",
            "This is a private key: give it to nobody. Make a new pair and paste its public part only.",
        ),
    )
