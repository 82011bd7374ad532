"""Lists of trust as anybody could make them: of any content, under any header, signed by any key or by none.

By hand, and not by the code under test. What is good and what is not is for those who use it: ``make.py`` here, and the
simulator in ``tests/core/trust_simulator.py``.
"""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import cbor2
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, utils

Key = ec.EllipticCurvePrivateKey

DAY, MINUTE = 86_400, 60
LIFE = 7 * DAY
ISSUER = "motma.test"
TYP = "application/motma-trustlist+cwt"
ISS, EXP, IAT, LIST = 1, 4, 6, -65538
BEGINS = 1_768_719_600  # 2026-01-18T07:00:00Z


def key(number: int) -> Key:
    """A key that is published by this line, and used for nothing else."""
    return ec.derive_private_key(0x5EED_2026_0300 + number, ec.SECP256R1())


def kid_of(private: Key) -> bytes:
    der = private.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(der).digest()[:8]


def xy_of(private: Key) -> list[bytes]:
    numbers = private.public_key().public_numbers()
    return [numbers.x.to_bytes(32, "big"), numbers.y.to_bytes(32, "big")]


def root_entry(private: Key, *, kid: bytes | None = None, revoked: bool = False) -> list[Any]:
    return [kid or kid_of(private), *xy_of(private), revoked]


def key_entry(
    private: Key,
    *,
    kid: bytes | None = None,
    issuer: str = ISSUER,
    begins: int = BEGINS - DAY,
    ends: int | None = None,
    measures: Sequence[str] = (),
    areas: Sequence[str] = (),
    revoked: bool = False,
    status_uri: str = "",
) -> list[Any]:
    scope = [list(measures), list(areas)]
    return [kid or kid_of(private), *xy_of(private), issuer, begins, ends, *scope, revoked, status_uri]


def claims(
    version: Any,
    roots: list[Any],
    keys: list[Any],
    *,
    issued: int = BEGINS,
    life: int = LIFE,
    status: Mapping[str, int] | None = None,
    issuer: str = ISSUER,
) -> dict[Any, Any]:
    return {ISS: issuer, EXP: issued + life, IAT: issued, LIST: [1, version, roots, keys, dict(status or {})]}


def es256(private: Key, data: bytes) -> bytes:
    r, s = utils.decode_dss_signature(private.sign(data, ec.ECDSA(hashes.SHA256(), deterministic_signing=True)))
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def sign(
    said: Any,
    signer: Key,
    former: Sequence[Key] = (),
    *,
    headers: Mapping[Any, Any] | None = None,
    signature: bytes | None = None,
    kid: bytes | None = None,
    unprotected: Mapping[Any, Any] | None = None,
) -> bytes:
    """``said`` (claims, or bytes as they are) in a COSE_Sign1. Each part can be put in the place of the right one."""
    payload = said if isinstance(said, bytes) else cbor2.dumps(said)
    protected = cbor2.dumps({1: -7, 4: kid or kid_of(signer), 16: TYP} if headers is None else headers)
    if signature is None:
        signature = es256(signer, cbor2.dumps(["Signature1", protected, b"", payload]))
    if unprotected is None:
        unprotected = {11: [cosign(protected, payload, signature, one) for one in former]} if former else {}
    return cbor2.dumps(cbor2.CBORTag(18, [protected, unprotected, payload, signature]))


def cosign(protected: bytes, payload: bytes, signature: bytes, former: Key, kid: bytes | None = None) -> list[Any]:
    """A countersignature (RFC 9338) of an earlier root."""
    theirs = cbor2.dumps({1: -7, 4: kid or kid_of(former)})
    signed = cbor2.dumps(["CounterSignatureV2", protected, theirs, b"", payload, [signature]])
    return [theirs, {}, es256(former, signed)]


def parts(raw: bytes) -> list[Any]:
    """protected, unprotected, payload, signature."""
    taken: list[Any] = cbor2.loads(raw).value
    return taken


def joined(protected: bytes, unprotected: Any, payload: bytes, signature: bytes) -> bytes:
    return cbor2.dumps(cbor2.CBORTag(18, [protected, unprotected, payload, signature]))
