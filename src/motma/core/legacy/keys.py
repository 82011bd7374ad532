"""Public keys out of a file that somebody trusts: JWK sets (RFC 7517), DID documents, PEM, trust lists.

Whoever hands over the file vouches for it, so nothing here looks for a chain above a certificate, and a key that does
not say whose it is may speak for any issuer. A private key is refused: it has no business in such a file.
"""

import base64
import binascii
import datetime as dt
import re
from collections.abc import Iterator, Mapping
from typing import Any, TypeGuard

import msgspec
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from motma.core.code import TrustedKey, key_id
from motma.core.cose import PublicKey
from motma.core.errors import Invalid
from motma.core.legacy.dcc_anchors import parse_dcc_anchors, without_signature
from motma.core.legacy.reading import Anchors, Claim169Key, DccAnchor, NzcpKey, ShcKey, moment
from motma.core.words import Words

MAX_BYTES = 4 << 20
_BEGINNING = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_PEM = re.compile(rb"-----BEGIN ([A-Z0-9 ]+)-----.+?-----END \1-----", re.DOTALL)

_BROKEN = (
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
    RecursionError,
    msgspec.DecodeError,
    UnsupportedAlgorithm,
)


class _Key(msgspec.Struct, frozen=True):
    public: PublicKey
    kid: str = ""
    issuer: str = ""
    signer: DccAnchor | None = None
    about: Mapping[str, Any] = {}


def parse_keys(raw: bytes) -> Anchors:
    """Every public key in ``raw``, each as an anchor of every kind of code that it could sign.

    Raises :class:`Invalid` ``keys.unreadable``, ``keys.private``, ``keys.none``.
    """
    if len(raw) > MAX_BYTES:
        raise _unreadable()
    if b"PRIVATE KEY-----" in raw:
        raise _private()
    ours: dict[bytes, tuple[TrustedKey, ...]] = {}
    try:
        keys = list(_pem(raw) if b"-----BEGIN" in raw else _json(raw))
        curve = [(key, key.public) for key in keys if isinstance(key.public, ec.EllipticCurvePublicKey)]
        for key, public in curve:
            kid = _kid(key.kid) or key_id(public)
            ours[kid] = (*ours.get(kid, ()), _trusted(key, kid, public))
    except _BROKEN:
        raise _unreadable() from None
    if not keys:
        raise Invalid("keys.none", Words("Tệp không có khóa nào dùng được.", "There is no key in the file to use."))
    return Anchors(
        ours=ours,
        dcc=tuple(signer for key in keys if (signer := key.signer or _signer(key))),
        claim169=tuple(Claim169Key(key.issuer, key.public) for key in keys),
        shc=tuple(ShcKey(key.issuer, key.kid, public) for key, public in curve),
        nzcp=tuple(NzcpKey(key.issuer, key.kid, public) for key, public in curve),
    )


def _pem(raw: bytes) -> Iterator[_Key]:
    for block in _PEM.finditer(raw):
        if block[1] == b"CERTIFICATE":
            yield from _certified(block[0])
        elif block[1].endswith(b"PUBLIC KEY"):
            public = serialization.load_pem_public_key(block[0])
            if _is_usable(public):
                yield _Key(public)


def _certified(raw: bytes) -> Iterator[_Key]:
    """Certificates, or a trust list of the EU gateway."""
    for signer in parse_dcc_anchors(raw):
        yield _Key(signer.public, signer=signer)


def _json(raw: bytes) -> Iterator[_Key]:
    raw = without_signature(raw)
    whole = msgspec.json.decode(raw)
    if isinstance(whole, list) or any(part in whole for part in ("certificates", "eu_keys", "payload")):
        yield from _certified(raw)
        return
    if "verificationMethod" in whole:  # a DID document
        for method in whole["verificationMethod"]:
            issuer, _, kid = method["id"].partition("#")
            yield from _of_jwk(method["publicKeyJwk"], issuer, kid)
        return
    for jwk in whole.get("keys", [whole]):
        yield from _of_jwk(jwk, _said(jwk.get("iss")) or _said(whole.get("issuer")), "")


def _of_jwk(jwk: Mapping[str, Any], issuer: str, kid: str) -> Iterator[_Key]:
    """The key, or nothing where it is of a kind that we have no use for (RFC 7517, section 5)."""
    if "d" in jwk:
        raise _private()
    kid = kid or _said(jwk.get("kid"))
    if jwk.get("x5c"):
        (signer,) = parse_dcc_anchors(base64.b64decode(jwk["x5c"][0]))
        yield _Key(signer.public, kid, issuer, signer)
        return
    public: PublicKey
    if (jwk["kty"], jwk.get("crv")) == ("EC", "P-256"):
        public = ec.EllipticCurvePublicNumbers(_int(jwk["x"]), _int(jwk["y"]), ec.SECP256R1()).public_key()
    elif (jwk["kty"], jwk.get("crv")) == ("OKP", "Ed25519"):
        public = ed25519.Ed25519PublicKey.from_public_bytes(_bytes(jwk["x"]))
    elif jwk["kty"] == "RSA":
        public = rsa.RSAPublicNumbers(_int(jwk["e"]), _int(jwk["n"])).public_key()
    else:
        return
    yield _Key(public, kid, issuer, about=jwk)


def _trusted(key: _Key, kid: bytes, public: ec.EllipticCurvePublicKey) -> TrustedKey:
    """A key of ours, with the scope that our own JWK sets give it (:func:`motma.core.publickeys.write_jwks`)."""
    measures, areas = (tuple(map(_scope, key.about.get(name, ()))) for name in ("measures", "areas"))
    not_before, not_after = (_moment(key.about, name) for name in ("signs_from", "signs_until"))
    return TrustedKey(kid, public, key.issuer, not_before or _BEGINNING, not_after, measures, areas)


def _moment(about: Mapping[str, Any], name: str) -> dt.datetime | None:
    """A time that a key may sign from or until; one that cannot be read is no licence to sign for ever."""
    said = moment(about.get(name))
    if said is None and name in about:
        raise ValueError(name)
    return said


def _kid(text: str) -> bytes:
    """The eight bytes that our own JWK sets write in base64url; nothing for the names that others give."""
    try:
        kid = _bytes(text)
    except ValueError:
        return b""
    return kid if len(kid) == 8 else b""


def _scope(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(type(value))
    return value


def _is_usable(public: object) -> TypeGuard[PublicKey]:
    if isinstance(public, ec.EllipticCurvePublicKey):
        return isinstance(public.curve, ec.SECP256R1)
    return isinstance(public, rsa.RSAPublicKey | ed25519.Ed25519PublicKey)


def _signer(key: _Key) -> DccAnchor | None:
    """A bare key as a document signer: only where it bears the eight bytes by which certificates name theirs."""
    try:
        kid = base64.b64decode(key.kid, validate=True)
    except binascii.Error:
        return None
    return DccAnchor(kid, key.public) if len(kid) == 8 else None


def _said(value: object) -> str:
    return value[:300] if isinstance(value, str) else ""


def _bytes(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), b"-_", validate=True)


def _int(text: str) -> int:
    return int.from_bytes(_bytes(text), "big")


def _unreadable() -> Invalid:
    return Invalid(
        "keys.unreadable",
        Words(
            "Không đọc được tệp khóa. Cần JWKS, tài liệu DID, hoặc khóa công khai hay chứng chỉ dạng PEM.",
            "The key file cannot be read: give a JWK set, a DID document, a trust list, or PEM keys or certificates.",
        ),
    )


def _private() -> Invalid:
    return Invalid(
        "keys.private",
        Words(
            "Tệp có khóa riêng. Chỉ đưa khóa công khai, và giữ kín khóa riêng.",
            "The file holds a private key. Give public keys only, and keep private ones to yourself.",
        ),
    )
