"""New Zealand COVID passes (``NZCP:/1/``): a CWT in base 32.

NZ COVID Pass Technical Specification v1 (nzcp.covid19.health.nz): COSE_Sign1 with ES256, ``kid`` in the protected
header, claims iss (a did:web), nbf, exp, cti, and a verifiable credential of type PublicCovidPass. No pass was issued
after 2022; the specification's own examples are in ``vectors/legacy/nzcp.json``.
"""

import base64
import binascii
import datetime as dt
from collections.abc import Mapping
from typing import Any

from motma.core import cose
from motma.core.errors import Invalid, Problem
from motma.core.legacy.plain import Found
from motma.core.legacy.reading import UNREAD, Anchors, Reading, Trust, in_time, moment
from motma.core.words import Words

_PREFIX, _VERSION = "NZCP:/", "1/"
_ISS, _EXP, _NBF, _CREDENTIAL = 1, 4, 5, "vc"
_TYPE = "PublicCovidPass"


def looks_nzcp(text: str) -> bool:
    """Whether the text says that it is a New Zealand pass."""
    return text[: len(_PREFIX)].upper() == _PREFIX


def read_nzcp(text: str, anchors: Anchors, now: dt.datetime) -> Reading:
    """Read a pass and verify it against the issuers' keys in ``anchors.nzcp``. Never raises."""
    version, encoded = text[len(_PREFIX) :][:2], text[len(_PREFIX) + len(_VERSION) :]
    if version != _VERSION:
        return _unreadable()
    try:
        raw = base64.b32decode(encoded.upper() + "=" * (-len(encoded) % 8))
        sign1 = cose.parse_sign1(raw, max_bytes=8_192)
        claims = cose.decode_cbor(sign1.payload)
    except (binascii.Error, ValueError, Invalid):
        return _unreadable()
    if not isinstance(claims, Mapping):
        return _unreadable()
    found = Found()
    credential = _map(claims.get(_CREDENTIAL))
    subject = _map(credential.get("credentialSubject"))
    found.name(f"{_text(subject.get('givenName'))} {_text(subject.get('familyName'))}".strip())
    found.date("birth_date", _text(subject.get("dob")))
    kinds = credential.get("type")
    if not isinstance(kinds, list | tuple) or _TYPE not in kinds:
        found.odd(
            Problem(
                "nzcp.type",
                Words("Không phải thẻ COVID công khai của New Zealand.", "Not a public COVID pass of New Zealand."),
            )
        )
    return Reading("nzcp", found.fields, _trust(sign1, claims, anchors, now), tuple(found.problems))


def _trust(sign1: cose.Sign1, claims: Mapping[Any, Any], anchors: Anchors, now: dt.datetime) -> Trust:
    issuer, kid = _text(claims.get(_ISS)), sign1.headers.get(cose.KID)
    name = kid.decode("utf-8", "replace") if isinstance(kid, bytes) else kid
    keys = [key.public for key in anchors.nzcp if key.issuer in ("", issuer) and key.kid in ("", name)]
    not_before, expires_at = moment(claims.get(_NBF)), moment(claims.get(_EXP))
    return Trust(
        signed=True,
        signer=issuer if issuer.isprintable() else "",
        known=bool(keys),
        holds=any(cose.holds(public, sign1) for public in keys) if keys else None,
        not_before=not_before,
        expires_at=expires_at,
        **in_time(now, not_before, expires_at),
    )


def _map(item: object) -> Mapping[Any, Any]:
    return item if isinstance(item, Mapping) else {}


def _text(item: object) -> str:
    return item[:200] if isinstance(item, str) else ""


def _unreadable() -> Reading:
    damaged = Problem(
        "nzcp.unreadable",
        Words("Thẻ COVID New Zealand bị hỏng. Quét lại.", "A damaged New Zealand COVID pass. Scan it again."),
    )
    return Reading("unknown", {"looks_like": "New Zealand COVID Pass"}, UNREAD, (damaged,))
