"""Our own code, read for whoever holds it: what it says even where it is not believed, and why it is not.

The judge at a checkpoint does not come through here: to it, a code that does not verify says nothing at all.
"""

import datetime as dt
import zlib

import msgspec

from motma.core import base45, cose
from motma.core.claims import Claims, parse_claims
from motma.core.code import INFLATED_MAX_BYTES, TEXT_MAX_CHARS, Keyring, VerifiedCode, liveness, verify_code
from motma.core.errors import Invalid, Problem
from motma.core.legacy.plain import Found
from motma.core.legacy.reading import UNREAD, Anchors, Reading, Trust, in_time

_NOT_OURS = frozenset(
    {
        "code.oversized",
        "code.not_base45",
        "code.not_zlib",
        "code.bomb",
        "code.not_ours",
        "code.algorithm",
        "code.no_kid",
    }
)
_ALTERED = frozenset({"code.forged", "code.proof_forged"})
_UNKNOWN_KEY = "code.unknown_key"


def read_ours(text: str, anchors: Anchors, now: dt.datetime) -> Reading | None:
    """A reading of kind "motma", or ``None`` when the text is not a code of our shape. Never raises.

    A key of ``anchors.ours`` without an issuer may speak for any.
    """
    try:
        code = verify_code(text, _speaking(anchors.ours, text))
    except Invalid as refused:
        return None if refused.code in _NOT_OURS else _doubted(text, refused, now)
    found = Found()
    _fields(found, code.claims, code, now)
    trust = _trust_in(code.claims, now, known=True, holds=True)
    return Reading("motma", found.fields, trust, tuple(found.problems))


def _doubted(text: str, refused: Invalid, now: dt.datetime) -> Reading | None:
    """What a code says that does not verify. One under an unknown key may as well be a foreign Claim 169."""
    claims = unverified(text)
    found = Found()
    found.odd(Problem(refused.code, refused.words))
    if claims is None:
        unread = Reading("motma", {}, UNREAD, tuple(found.problems))
        return None if refused.code == _UNKNOWN_KEY else unread
    known = refused.code != _UNKNOWN_KEY
    altered = refused.code in _ALTERED
    _fields(found, claims, None, now)
    holds = False if altered else True if known else None
    trust = _trust_in(claims, now, known=known, holds=holds, barred=known and not altered)
    return Reading("motma", found.fields, trust, tuple(found.problems))


def _speaking(keyring: Keyring, text: str) -> Keyring:
    """The keyring in which keys without an issuer speak for the one that the code names."""
    if all(key.issuer for keys in keyring.values() for key in keys):
        return keyring
    claims = unverified(text)
    issuer = claims.issuer if claims else ""
    return {
        kid: tuple(key if key.issuer else msgspec.structs.replace(key, issuer=issuer) for key in keys)
        for kid, keys in keyring.items()
    }


def unverified(text: str) -> Claims | None:
    """What a code of ours says, whoever signed it; ``None`` if it says nothing. Nobody is judged by it."""
    inflater = zlib.decompressobj()
    try:
        raw = inflater.decompress(base45.decode(text, TEXT_MAX_CHARS), INFLATED_MAX_BYTES)
        return parse_claims(cose.parse_sign1(raw).payload)
    except (Invalid, zlib.error):
        return None


def _trust_in(claims: Claims, now: dt.datetime, *, known: bool, holds: bool | None, barred: bool = False) -> Trust:
    return Trust(
        signed=True,
        signer=claims.issuer[:200] if claims.issuer.isprintable() else "",
        known=known,
        holds=holds,
        barred=barred,
        not_before=claims.valid_from,
        expires_at=claims.valid_until,
        **in_time(now, claims.valid_from, claims.valid_until),
    )


def _fields(found: Found, claims: Claims, code: VerifiedCode | None, now: dt.datetime) -> None:
    """What it says, each line fit to be shown: the claims may be a forger's."""
    found.keep("qid", claims.qid)
    found.line("name", claims.name)
    found.keep("birth_date", claims.birth_date.isoformat())
    found.keep("sex", claims.sex.name.lower() if claims.sex else "")
    found.line("last_four", claims.last_four)
    found.lines("party", [one.name for one in claims.party])
    found.line("issuer", claims.issuer)
    found.line("measure", claims.measure)
    found.lines("areas", claims.areas)
    found.keep("verdict", claims.worth.name.lower())
    found.keep("valid_from", claims.valid_from.isoformat())
    found.keep("valid_until", claims.valid_until.isoformat())
    found.keep("shown_as", liveness(code, now) if code else "")
