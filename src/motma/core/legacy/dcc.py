"""EU Digital COVID Certificates (``HC1:``), and with them Vietnam's vaccine passport of Decision 5772/QĐ-BYT.

    text = "HC1:" + base45( zlib( COSE_Sign1 { CWT { 1: country, 6: issued, 4: expires, -260: { 1: content } } } ) )

(Electronic Health Certificate specification 1.0.5; COSE RFC 9052, CWT RFC 8392, base45 RFC 9285.) :func:`verify_dcc`
goes step by step and each step refuses with a code of its own; :func:`read_dcc` says what a certificate says even
where it is not believed, and why it is not. Whether a vaccine or a test is enough is for the measure to say, not here.
"""

import datetime as dt
from collections.abc import Mapping
from typing import Any

import msgspec

from motma.core import base45, cose
from motma.core.errors import Invalid, Problem
from motma.core.legacy.dcc_certificate import certificate_of
from motma.core.legacy.dcc_schema import GROUPS, entries_of, kinds, line, plain, shown, what_is_wrong
from motma.core.legacy.packed import inflate
from motma.core.legacy.reading import UNREAD, Anchors, DccAnchor, Reading, Trust, Value, moment
from motma.core.text import parse_name
from motma.core.words import Words

PREFIX = "HC1:"
INFLATED_MAX_BYTES = 32_768
"""Twenty times what a certificate needs."""

_ISS, _EXP, _IAT, _HCERT, _CONTENT = 1, 4, 6, -260, 1
_ALGORITHMS = (cose.ES256, cose.PS256)
_VIETNAM = "VN"
_FIELDS = {"v": "vaccinations", "t": "tests", "r": "recoveries"}


class Dcc(msgspec.Struct, frozen=True):
    """What a certificate says, whoever signed it. Times are in UTC; ``content`` is the payload as the schema has it.

    Printed it shows no person's data.
    """

    issuer: str
    issued_at: dt.datetime
    expires_at: dt.datetime
    content: Mapping[Any, Any]

    @property
    def kinds(self) -> tuple[str, ...]:
        """What it is about: "vaccination", "test" or "recovery"; exactly one if it is to the schema."""
        return kinds(self.content)

    def __repr__(self) -> str:
        return f"Dcc({self.issuer}: {', '.join(self.kinds)})"

    __str__ = __repr__


class VerifiedDcc(msgspec.Struct, frozen=True):
    """A certificate under a signature that holds, by a key that may sign it, in force and to the schema."""

    dcc: Dcc
    signer: DccAnchor


def verify_dcc(text: str, anchors: Anchors, now: dt.datetime) -> VerifiedDcc:
    """Return the certificate if, and only if, a signer of ``anchors.dcc`` says so and it counts at ``now``.

    Raises :class:`Invalid`, by step: ``dcc.prefix``, ``dcc.base45``, ``dcc.inflate``, ``dcc.cose``,
    ``dcc.algorithm``, ``dcc.no_kid``, ``dcc.unknown_key``, ``dcc.forged``, ``dcc.content``, ``dcc.schema``,
    ``dcc.key_usage``, ``dcc.key_time``, ``dcc.not_yet``, ``dcc.expired``.
    """
    sign1 = parse_dcc(unpack(text))
    signer = signer_of(sign1, anchors)
    dcc = content_of(sign1)
    check_schema(dcc)
    check_key(dcc, signer, now)
    check_times(dcc, now)
    return VerifiedDcc(dcc, signer)


def read_dcc(text: str, anchors: Anchors, now: dt.datetime) -> Reading | None:
    """A reading of kind "dcc", or ``None`` when the text does not begin with ``HC1:``. Never raises."""
    if not text.startswith(PREFIX):
        return None
    try:
        sign1 = parse_dcc(unpack(text))
        dcc = content_of(sign1)
    except Invalid as refused:
        return Reading("unknown", {"looks_like": "EU DCC"}, UNREAD, (_problem(refused),))
    signer: DccAnchor | None = None
    holds: bool | None = True
    problems: list[Problem | None] = []
    try:
        signer = signer_of(sign1, anchors)
    except Invalid as refused:
        problems.append(_problem(refused))
        holds = None if refused.code in ("dcc.unknown_key", "dcc.no_kid") else False
    misused = _refusal(check_key, dcc, signer, now) if signer else None
    problems += [misused, _refusal(check_times, dcc, now), _refusal(check_schema, dcc)]
    kids = sign1.kids
    trust = Trust(
        signed=True,
        signer=signer.country if signer and signer.country else dcc.issuer,
        known=any(anchor.kid in kids for anchor in anchors.dcc),
        holds=holds,
        barred=misused is not None,
        not_before=dcc.issued_at,
        expires_at=dcc.expires_at,
        expired=dcc.expires_at < now,
        not_yet=now < dcc.issued_at,
    )
    wrong = tuple(filter(None, problems))
    fields, good = _fields(dcc), trust.good and not wrong
    certificate = certificate_of(dcc.content, good=good, known=trust.known, birth_date=_birth_date(dcc))
    return Reading("dcc", fields, trust, wrong, certificate)


# -- the steps ---------------------------------------------------------------------------------------------------------


def unprefix(text: str) -> str:
    """The text after ``HC1:``. Raises :class:`Invalid` ``dcc.prefix``; there is no other version."""
    if not text.startswith(PREFIX):
        raise Invalid(
            "dcc.prefix",
            Words("Không phải hộ chiếu vắc-xin mẫu EU (HC1:).", "Not an EU DCC: it does not begin with HC1:."),
        )
    return text[len(PREFIX) :]


def unpack(text: str) -> bytes:
    """The COSE in a certificate's text. Raises :class:`Invalid` ``dcc.prefix``, ``dcc.base45``, ``dcc.inflate``."""
    try:
        squeezed = base45.decode(unprefix(text))
    except Invalid as refused:
        if refused.code == "dcc.prefix":
            raise
        raise Invalid(
            "dcc.base45",
            Words("Mã bị hỏng: có chữ không thuộc base45. Quét lại.", "Damaged: not base45. Scan it again."),
        ) from None
    return unsqueeze(squeezed)


def unsqueeze(squeezed: bytes) -> bytes:
    """The COSE in a zlib stream. Raises :class:`Invalid` ``dcc.inflate``, also for what was never squeezed."""
    try:
        return inflate(squeezed, INFLATED_MAX_BYTES)
    except ValueError:
        raise Invalid(
            "dcc.inflate",
            Words("Mã bị hỏng: không giải nén được. Quét lại.", "Damaged: it does not inflate. Scan it again."),
        ) from None


def parse_dcc(raw: bytes) -> cose.Sign1:
    """The envelope, nothing verified. Raises :class:`Invalid` ``dcc.cose``."""
    try:
        return cose.parse_sign1(raw, max_bytes=INFLATED_MAX_BYTES)
    except Invalid:
        raise Invalid(
            "dcc.cose",
            Words("Mã bị hỏng: không phải dữ liệu có chữ ký.", "Damaged: what is inside is not signed data."),
        ) from None


def signer_of(sign1: cose.Sign1, anchors: Anchors) -> DccAnchor:
    """Who signed it. A kid is a hint: every key that bears it is tried; a protected kid wins over an unprotected one.

    Raises :class:`Invalid` ``dcc.algorithm``, ``dcc.no_kid``, ``dcc.unknown_key``, ``dcc.forged``.
    """
    if sign1.headers.get(cose.ALG, sign1.unprotected.get(cose.ALG)) not in _ALGORITHMS:
        raise Invalid(
            "dcc.algorithm",
            Words(
                "Chữ ký theo cách không được nhận (chỉ ES256 và PS256). Đừng tin mã này.",
                "Signed in a way that is not accepted (only ES256 and PS256). Do not rely on it.",
            ),
        )
    if not sign1.kids:
        raise Invalid(
            "dcc.no_kid",
            Words("Mã không ghi khóa nào ký nó.", "It does not say which key signed it."),
        )
    kids = sign1.kids  # said once: a list has thousands of keys
    bearers = [anchor for anchor in anchors.dcc if anchor.kid in kids]
    if not bearers:
        raise Invalid(
            "dcc.unknown_key",
            Words(
                "Khóa ký mã này chưa có trong danh sách khóa. Xem giấy tờ gốc.",
                "The key that signed it is not on the trust list. See the documents.",
            ),
        )
    for anchor in bearers:
        if cose.holds(anchor.public, sign1):
            return anchor
    raise Invalid("dcc.forged", Words("Chữ ký sai: mã đã bị sửa hoặc làm giả.", "The signature is wrong: forged."))


def content_of(sign1: cose.Sign1) -> Dcc:
    """The claims in the payload. Raises :class:`Invalid` ``dcc.content`` for what is no health certificate."""
    try:
        claims = cose.decode_cbor(sign1.payload)
    except Invalid:
        raise _no_content() from None
    hcert = claims.get(_HCERT) if isinstance(claims, Mapping) else None
    content = hcert.get(_CONTENT) if isinstance(hcert, Mapping) else None
    issued_at, expires_at = (moment(claims.get(at)) for at in (_IAT, _EXP)) if content else (None, None)
    if not isinstance(content, Mapping) or issued_at is None or expires_at is None:
        raise _no_content()
    return Dcc(shown(claims.get(_ISS)), issued_at, expires_at, content)


def check_schema(dcc: Dcc) -> None:
    """Raises :class:`Invalid` ``dcc.schema`` whose ``fields`` name the paths that are wrong."""
    wrong = what_is_wrong(dcc.content, dcc.issued_at)
    if wrong:
        raise Invalid(
            "dcc.schema",
            Words(
                f"Nội dung không đúng quy cách của EU ({', '.join(wrong[:3])}).",
                f"The content is not to the EU's schema ({', '.join(wrong[:3])}).",
            ),
            {path: Problem("dcc.schema", Words("Không đúng quy cách.", "Not to the schema.")) for path in wrong},
        )


def check_key(dcc: Dcc, signer: DccAnchor, now: dt.datetime) -> None:
    """Whether ``signer`` may sign this, and could when it did. Raises ``dcc.key_usage`` or ``dcc.key_time``."""
    if signer.usages and not signer.usages.issuperset(dcc.kinds):
        raise Invalid(
            "dcc.key_usage",
            Words(
                "Khóa này không được phép ký loại chứng nhận này. Đừng tin mã này.",
                "That key may not sign this kind of certificate. Do not rely on it.",
            ),
        )
    early = signer.not_before is not None and dcc.issued_at < signer.not_before
    if early or (signer.not_after is not None and signer.not_after < now):
        raise Invalid(
            "dcc.key_time",
            Words(
                "Chứng thư của nơi ký đã hết hạn, hoặc chưa có hiệu lực khi ký.",
                "The signer's certificate has expired, or did not count yet when it signed.",
            ),
        )


def check_times(dcc: Dcc, now: dt.datetime) -> None:
    """Raises ``dcc.not_yet`` or ``dcc.expired``; the second that is named as the end still counts, as the EU has it."""
    if now < dcc.issued_at:
        raise Invalid(
            "dcc.not_yet",
            Words("Ghi ngày cấp ở tương lai: chưa dùng được.", "Issued in the future: not valid yet."),
        )
    if dcc.expires_at < now:
        raise Invalid(
            "dcc.expired",
            Words(
                "Đã hết hạn. Nhờ nơi cấp tạo lại mã mới (mã của Việt Nam dùng được 12 tháng).",
                "Expired. Ask the issuer to make a new one (Vietnam's lasts 12 months).",
            ),
        )


# -- what people see ---------------------------------------------------------------------------------------------------


def _fields(dcc: Dcc) -> dict[str, Value]:
    content = dcc.content
    entries = {key: entries_of(content, key) for key in GROUPS}
    everything = [entry for group in entries.values() for entry in group]
    name = content.get("nam")
    fields: dict[str, Value] = {
        "name": _name(name if isinstance(name, Mapping) else {}, dcc.issuer),
        "birth_date": _birth_date(dcc),
    }
    for key, field in _FIELDS.items():
        fields[field] = tuple(filter(shown, (line(key, entry) for entry in entries[key])))
    fields["certificate"] = shown(everything[0].get("ci")) if everything else ""
    fields["issuer"] = shown(everything[0].get("is")) if everything else ""
    fields["valid_until"] = dcc.expires_at.isoformat()
    return {field: value for field, value in fields.items() if value}


def _birth_date(dcc: Dcc) -> str:
    sound = "dob" not in what_is_wrong(dcc.content, None)
    return plain(dcc.content.get("dob"))[:10].replace("-00", "") if sound else ""


def _name(name: Mapping[Any, Any], issuer: str) -> str:
    """As the issuer writes it where that is in Latin letters, else as passports do; Vietnamese names family first."""
    order = ("fn", "gn") if issuer == _VIETNAM else ("gn", "fn")
    for suffix in ("", "t"):
        parts = [plain(name.get(part + suffix)).replace("<", " ") for part in order]
        try:
            return parse_name(" ".join(parts))
        except Invalid:
            continue
    return ""


def _refusal(check: Any, *arguments: Any) -> Problem | None:
    try:
        check(*arguments)
    except Invalid as refused:
        return _problem(refused)
    return None


def _problem(refused: Invalid) -> Problem:
    return Problem(refused.code, refused.words)


def _no_content() -> Invalid:
    return Invalid(
        "dcc.content",
        Words(
            "Bên trong không phải chứng nhận sức khỏe, hoặc không ghi ngày cấp và ngày hết hạn.",
            "What is inside is no health certificate, or does not say when it was issued and when it ends.",
        ),
    )
