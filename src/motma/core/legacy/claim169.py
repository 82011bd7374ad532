"""Identity codes of other countries in the form of MOSIP Claim 169, version 1.2 (CWT claim 169, registered with IANA).

    text = base45( zlib( COSE_Sign1 { CWT { 1: issuer, 4: exp, 5: nbf, 6: iat, 169: { 1: id, 4: name, … } } } ) )

Signed with Ed25519 or ES256; tags and ``kid`` may be missing, and the squeezing too. Photographs, fingerprints and
other biometrics are never kept: only that they are there. Encrypted codes are not read. Our own code is a Claim 169
too, and whoever lists our issuer among the foreign ones reads it here.
"""

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from motma.core import base45, cose
from motma.core.errors import Invalid, Problem
from motma.core.legacy.packed import inflate
from motma.core.legacy.plain import Found
from motma.core.legacy.reading import PLAIN, Anchors, Claim169Key, Reading, Trust, in_time, moment
from motma.core.words import Words

INFLATED_MAX_BYTES = 65_536
"""A face and ten fingers in small pictures; a QR code holds 3 KB of anything."""

_ISS, _SUB, _EXP, _NBF, _IAT, _IDENTITY = 1, 2, 4, 5, 6, 169
_ALGORITHMS = (cose.ES256, cose.EDDSA)
_VALUE_MAX_CHARS = 1_000
_NEVER_SQUEEZED = (b"\xd2", b"\xd8\x3d", b"\x84", b"\x9f")  # how a COSE_Sign1 begins, with and without tags

ATTRIBUTES: Mapping[int, str] = {
    1: "id",
    2: "version",
    3: "language",
    4: "full_name",
    5: "first_name",
    6: "middle_name",
    7: "last_name",
    8: "date_of_birth",
    9: "gender",
    10: "address",
    11: "email",
    12: "phone",
    13: "nationality",
    14: "marital_status",
    15: "guardian",
    17: "photo_format",
    18: "best_quality_fingers",
    19: "secondary_full_name",
    20: "secondary_language",
    21: "location_code",
    22: "legal_status",
    23: "country_of_issuance",
}
"""What an attribute's number means. Values are text, except 9, 14 and 17 (numbers) and 18 (numbers of fingers)."""

BIOMETRICS: Mapping[int, str] = {
    16: "photo",
    50: "right_thumb",
    51: "right_pointer_finger",
    52: "right_middle_finger",
    53: "right_ring_finger",
    54: "right_little_finger",
    55: "left_thumb",
    56: "left_pointer_finger",
    57: "left_middle_finger",
    58: "left_ring_finger",
    59: "left_little_finger",
    60: "right_iris",
    61: "left_iris",
    62: "face",
    63: "right_palm",
    64: "left_palm",
    65: "voice",
}
"""What is named and never kept."""

_SEXES = {1: "male", 2: "female", 3: "other"}
_CODED = {9: 3, 14: 3, 17: 4}  # attribute -> the highest number it may be
_FINGERS, _FINGERS_MAX = 18, 10


class Claim169(msgspec.Struct, frozen=True):
    """What a code says about a person, whoever signed it; printed it shows no person's data.

    ``attributes`` by the names in :data:`ATTRIBUTES`, unknown and misshapen ones left out; ``present`` names the
    biometrics that were there. Times in UTC, ``None`` where the code says none.
    """

    issuer: str
    subject: str
    issued_at: dt.datetime | None
    not_before: dt.datetime | None
    expires_at: dt.datetime | None
    attributes: Mapping[str, str | int | tuple[int, ...]]
    present: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"Claim169({self.issuer}: {', '.join((*self.attributes, *self.present))})"

    __str__ = __repr__


class VerifiedClaim169(msgspec.Struct, frozen=True):
    """A code under a signature that holds, by a key of its issuer, and in force."""

    claim: Claim169
    key: Claim169Key


def verify_claim169(text: str, keys: Iterable[Claim169Key], now: dt.datetime) -> VerifiedClaim169:
    """Return what the code says if, and only if, a key of its issuer among ``keys`` says so and it counts at ``now``.

    Raises :class:`Invalid`, by step: ``claim169.base45``, ``claim169.inflate``, ``claim169.cose``,
    ``claim169.content``, ``claim169.unsigned``, ``claim169.algorithm``, ``claim169.unknown_key``,
    ``claim169.forged``, ``claim169.times``, ``claim169.not_yet``, ``claim169.expired``.
    """
    sign1 = unpack(text)
    claim = content_of(sign1)
    key = key_of(sign1, claim, keys)
    check_times(sign1, claim, now)
    return VerifiedClaim169(claim, key)


def read_claim169(text: str, anchors: Anchors, now: dt.datetime) -> Reading | None:
    """A reading of kind "claim169", or ``None`` when the text is no CWT with claim 169 in it. Never raises."""
    try:
        sign1 = unpack(text)
        claim = content_of(sign1)
    except Invalid:
        return None
    found = Found()
    _show(found, claim)
    if not sign1.signature:
        return Reading("claim169", found.fields, PLAIN, (*found.problems, _problem(_unsigned())))
    holds: bool | None = True
    try:
        key_of(sign1, claim, anchors.claim169)
    except Invalid as refused:
        found.odd(_problem(refused))
        holds = None if refused.code == "claim169.unknown_key" else False
    stands = in_time(now, claim.not_before, claim.expires_at)
    try:
        check_times(sign1, claim, now)
    except Invalid as refused:
        found.odd(_problem(refused))
        stands["expired"] |= (
            refused.code == "claim169.times"
        )  # an end that cannot be read is no licence to live forever
    trust = Trust(
        signed=True,
        signer=claim.issuer,
        known=bool(_candidates(sign1, claim, anchors.claim169)),
        holds=holds,
        not_before=claim.not_before,
        expires_at=claim.expires_at,
        **stands,
    )
    return Reading("claim169", found.fields, trust, tuple(found.problems))


# -- the steps ---------------------------------------------------------------------------------------------------------


def unpack(text: str) -> cose.Sign1:
    """The envelope in a text, nothing verified. Raises ``claim169.base45``, ``claim169.inflate``, ``claim169.cose``."""
    try:
        packed = base45.decode(text)
    except Invalid:
        raise Invalid(
            "claim169.base45",
            Words("Mã bị hỏng: có chữ không thuộc base45.", "Damaged, or no Claim 169: not base45."),
        ) from None
    try:
        raw = packed if packed.startswith(_NEVER_SQUEEZED) else inflate(packed, INFLATED_MAX_BYTES)
    except ValueError:
        raise Invalid(
            "claim169.inflate",
            Words("Mã bị hỏng: không giải nén được.", "Damaged: it does not inflate."),
        ) from None
    try:
        return cose.parse_sign1(raw, max_bytes=INFLATED_MAX_BYTES)
    except Invalid:
        raise Invalid(
            "claim169.cose",
            Words("Bên trong không phải dữ liệu có chữ ký.", "What is inside is not signed data."),
        ) from None


def content_of(sign1: cose.Sign1) -> Claim169:
    """The claims in the payload. Raises :class:`Invalid` ``claim169.content`` when claim 169 is not among them."""
    try:
        claims = cose.decode_cbor(sign1.payload)
    except Invalid:
        raise _no_content() from None
    identity = claims.get(_IDENTITY) if isinstance(claims, Mapping) else None
    if not isinstance(identity, Mapping):
        raise _no_content()
    attributes = {}
    for number, name in ATTRIBUTES.items():
        value = _attribute(number, identity.get(number))
        if value is not None:
            attributes[name] = value
    return Claim169(
        issuer=_line(claims.get(_ISS)),
        subject=_line(claims.get(_SUB)),
        issued_at=moment(claims.get(_IAT)),
        not_before=moment(claims.get(_NBF)),
        expires_at=moment(claims.get(_EXP)),
        attributes=attributes,
        present=tuple(name for number, name in BIOMETRICS.items() if identity.get(number)),
    )


def key_of(sign1: cose.Sign1, claim: Claim169, keys: Iterable[Claim169Key]) -> Claim169Key:
    """Whose key it is. Only keys of the issuer that the code names are tried: all if it names no kid, else its bearers.

    Raises :class:`Invalid` ``claim169.unsigned``, ``claim169.algorithm``, ``claim169.unknown_key``,
    ``claim169.forged``.
    """
    if not sign1.signature:
        raise _unsigned()
    if sign1.headers.get(cose.ALG, sign1.unprotected.get(cose.ALG)) not in _ALGORITHMS:
        raise Invalid(
            "claim169.algorithm",
            Words(
                "Chữ ký theo cách không được nhận (chỉ Ed25519 và ES256). Đừng tin mã này.",
                "Signed in a way that is not accepted (only Ed25519 and ES256). Do not rely on it.",
            ),
        )
    candidates = _candidates(sign1, claim, keys)
    if not candidates:
        raise Invalid(
            "claim169.unknown_key",
            Words(
                "Chưa biết khóa của nơi cấp mã này. Xem giấy tờ gốc.",
                "The issuer's key is not known here. See the documents.",
            ),
        )
    for key in candidates:
        if cose.holds(key.public, sign1):
            return key
    raise Invalid(
        "claim169.forged", Words("Chữ ký sai: mã đã bị sửa hoặc làm giả.", "The signature is wrong: altered or forged.")
    )


def check_times(sign1: cose.Sign1, claim: Claim169, now: dt.datetime) -> None:
    """Raises ``claim169.times`` (a time that is none), ``claim169.not_yet``, ``claim169.expired``."""
    claims = cose.decode_cbor(sign1.payload)
    if any(at in claims and moment(claims[at]) is None for at in (_EXP, _NBF, _IAT)):
        raise Invalid(
            "claim169.times",
            Words("Ngày giờ trong mã không đọc được.", "A time in the code cannot be read."),
        )
    stands = in_time(now, claim.not_before, claim.expires_at)
    if stands["not_yet"]:
        raise Invalid("claim169.not_yet", Words("Mã chưa đến ngày dùng.", "The code is not valid yet."))
    if stands["expired"]:
        raise Invalid(
            "claim169.expired",
            Words("Mã đã hết hạn. Nhờ nơi cấp đổi mã mới.", "Expired. Ask the issuer for a new one."),
        )


def _candidates(sign1: cose.Sign1, claim: Claim169, keys: Iterable[Claim169Key]) -> list[Claim169Key]:
    named = [key for key in keys if key.issuer in ("", claim.issuer)]
    names_a_kid = cose.KID in sign1.headers or cose.KID in sign1.unprotected
    return [key for key in named if not key.kid or key.kid in sign1.kids] if names_a_kid else named


def _attribute(number: int, value: Any) -> str | int | tuple[int, ...] | None:
    """A value of the shape that its attribute has, else ``None``."""
    if number in _CODED:
        coded = (
            int(value) if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 3 else value
        )
        return coded if _is_int(coded) and 1 <= coded <= _CODED[number] else None
    if number == _FINGERS:
        fingers = list(value) if isinstance(value, list | tuple | bytes) else []
        kept = tuple(finger for finger in fingers[:_FINGERS_MAX] if _is_int(finger) and 0 <= finger <= _FINGERS_MAX)
        return kept or None
    if not isinstance(value, str) or not value or len(value) > _VALUE_MAX_CHARS:
        return None
    return value


def _is_int(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _line(value: object) -> str:
    return value if isinstance(value, str) and len(value) <= 200 and value.isprintable() else ""


def _show(found: Found, claim: Claim169) -> None:
    """What an officer sees: who it is. Mail, guardian, marital and legal status are nobody's business at a barrier."""

    def text(name: str) -> str:
        value = claim.attributes.get(name)
        return value if isinstance(value, str) else ""

    found.line("document_number", text("id"))
    parts = " ".join(filter(None, (text("first_name"), text("middle_name"), text("last_name"))))
    for name in (text("full_name"), text("secondary_full_name"), parts):
        if name and "name" not in found.fields:
            found.name(name)
    born = text("date_of_birth")
    if born:
        found.date("birth_date", f"{born[:4]}-{born[4:6]}-{born[6:]}" if len(born) == 8 and born.isdigit() else born)
    gender = claim.attributes.get("gender")
    found.keep("sex", _SEXES.get(gender, "") if isinstance(gender, int) else "")
    found.line("nationality", text("nationality"))
    found.line("address", text("address"))
    found.line("phone", text("phone"))
    found.keep("issuer", claim.issuer)
    if claim.present:
        found.fields["carries"] = claim.present


def _problem(refused: Invalid) -> Problem:
    return Problem(refused.code, refused.words)


def _unsigned() -> Invalid:
    return Invalid(
        "claim169.unsigned",
        Words("Mã không có chữ ký: không chứng minh điều gì.", "The code is not signed: it proves nothing."),
    )


def _no_content() -> Invalid:
    return Invalid(
        "claim169.content",
        Words("Bên trong không có dữ liệu định danh (Claim 169).", "There is no identity data (Claim 169) inside."),
    )
