"""What reading a code gives, whatever the code: a kind, fields in a fixed order, what it is worth, what is wrong.

Holds no format of its own. A reading never raises and never says more than the code did; what third persons' data a
code carries is dropped before it gets here.
"""

import datetime as dt
from collections.abc import Mapping
from typing import Literal

import msgspec
from cryptography.hazmat.primitives.asymmetric import ec

from motma.core.certificate import Certificate
from motma.core.code import Keyring
from motma.core.cose import PublicKey
from motma.core.errors import Problem
from motma.core.words import Words

Kind = Literal["motma", "national_v1_1", "cccd", "bhyt", "dcc", "claim169", "shc", "nzcp", "unknown"]
Worth = Literal["good", "broken", "unknown", "plain"]
"""What a code is worth in a word: believed; signed and not to be believed; nobody can tell; nobody signed it."""
Value = str | tuple[str, ...]
"""One line, or several (doses, tests). Dates are ISO 8601; a date known in part is written in part (1987, 1987-01)."""


class DccAnchor(msgspec.Struct, frozen=True):
    """A document signer of the EU DCC: ``kid`` is the first 8 bytes of the SHA-256 of its certificate.

    Empty ``usages`` may sign everything; otherwise some of "test", "vaccination", "recovery".
    """

    kid: bytes
    public: PublicKey
    country: str = ""
    not_before: dt.datetime | None = None
    not_after: dt.datetime | None = None
    usages: frozenset[str] = frozenset()


class Claim169Key(msgspec.Struct, frozen=True):
    """A foreign issuer of Claim 169 codes; ``issuer`` as its codes name it (claim 1). Either may be empty: any."""

    issuer: str
    public: PublicKey
    kid: bytes = b""


class ShcKey(msgspec.Struct, frozen=True):
    """A key of a SMART Health Card's issuer: its https address, the RFC 7638 thumbprint. Either may be empty: any."""

    issuer: str
    kid: str
    public: ec.EllipticCurvePublicKey


class NzcpKey(msgspec.Struct, frozen=True):
    """A key of an issuer of New Zealand COVID passes: its did:web, the key's name there. Either may be empty: any."""

    issuer: str
    kid: str
    public: ec.EllipticCurvePublicKey


class Anchors(msgspec.Struct, frozen=True):
    """Whom we believe, for each kind of signed code. Empty: signatures are there, but nobody here knows the keys."""

    ours: Keyring = {}
    dcc: tuple[DccAnchor, ...] = ()
    claim169: tuple[Claim169Key, ...] = ()
    shc: tuple[ShcKey, ...] = ()
    nzcp: tuple[NzcpKey, ...] = ()


class Trust(msgspec.Struct, frozen=True):
    """What a code is worth: who says they signed it, whether that is so, whether it still counts.

    ``holds`` is ``None`` while nobody can tell, because the key is not ``known``. ``barred``: the signature may hold,
    yet that key must not sign this (revoked, out of its time, made for something else). ``not_before`` and
    ``expires_at`` are what the code says, ``None`` when it says nothing. ``unread``: there is nothing to judge.
    """

    signed: bool
    signer: str = ""
    known: bool = False
    holds: bool | None = None
    barred: bool = False
    not_before: dt.datetime | None = None
    expires_at: dt.datetime | None = None
    expired: bool = False
    not_yet: bool = False
    unread: bool = False

    @property
    def good(self) -> bool:
        """Signed by somebody we know, unaltered, and in force."""
        return bool(self.signed and self.known and self.holds) and not (self.barred or self.expired or self.not_yet)

    @property
    def broken(self) -> bool:
        """Signed, and it must not be believed: forged, signed by whom it must not be, or out of its time."""
        return self.signed and (self.holds is False or self.barred or self.expired or self.not_yet)

    @property
    def worth(self) -> Worth:
        """The same in a word."""
        if not self.signed:
            return "unknown" if self.unread else "plain"
        return "broken" if self.broken else "good" if self.good else "unknown"

    @property
    def words(self) -> Words:
        """One sentence for an officer; the gravest thing first."""
        signer = self.signer or "?"
        if self.unread:
            return _UNREAD
        if not self.signed:
            return _PLAIN
        if self.holds is False:
            return _FORGED
        if self.barred:
            return Words(
                f"Khóa của {signer} không được phép ký mã này. Đừng tin mã này.",
                f"The key of {signer} may not sign this. Do not rely on it.",
            )
        if self.expired:
            return Words(
                f"Do {signer} ký, nhưng đã hết hạn." if self.known else f"Ghi là do {signer} ký; đã hết hạn.",
                f"Signed by {signer}, but expired." if self.known else f"Says it is signed by {signer}; expired.",
            )
        if self.not_yet:
            return Words(f"Do {signer} ký, nhưng chưa đến ngày dùng.", f"Signed by {signer}, but not valid yet.")
        if not self.known or self.holds is None:
            return Words(
                f"Ghi là do {signer} ký; máy này chưa biết khóa đó nên chưa kiểm được. Xem giấy tờ gốc.",
                f"Says it is signed by {signer}; that key is not known here, so it is not checked. See the documents.",
            )
        return Words(f"Chữ ký đúng, do {signer} ký.", f"The signature holds; signed by {signer}.")


_PLAIN = Words(
    "Chữ thường, không có chữ ký: ai cũng in được, không chứng minh điều gì. Đối chiếu giấy tờ gốc.",
    "Plain text: proves nothing, anybody can print it. Compare with the document itself.",
)
_UNREAD = Words("Chưa đọc được nên chưa biết có đáng tin không.", "Not read, so nobody can say what it is worth.")
_FORGED = Words("Chữ ký sai: mã đã bị sửa hoặc làm giả.", "The signature is wrong: altered or forged.")

PLAIN = Trust(signed=False)
"""What unsigned text is worth."""
UNREAD = Trust(signed=False, unread=True)
"""What a code is worth that could not be read, or of which a part is missing."""


class Reading(msgspec.Struct, frozen=True, repr_omit_defaults=True):
    """One code, read. ``fields`` in the order in which people are shown them, empty ones left out.

    ``certificate``: what rules may ask of it, if it is a health certificate.

    Printed (logs, tracebacks) it shows which fields there are and no value of any.
    """

    kind: Kind
    fields: Mapping[str, Value]
    trust: Trust
    problems: tuple[Problem, ...] = ()
    certificate: Certificate | None = None

    @property
    def worth(self) -> Worth:
        """In a word. A certificate under a good signature that is not to the schema is not to be believed either."""
        worth = self.trust.worth
        return "broken" if worth == "good" and self.certificate and not self.certificate.good else worth

    def __repr__(self) -> str:
        return f"Reading({self.kind}: {', '.join(self.fields)}; {[problem.code for problem in self.problems]})"

    __str__ = __repr__


def in_time(now: dt.datetime, not_before: dt.datetime | None, expires_at: dt.datetime | None) -> dict[str, bool]:
    """``expired`` and ``not_yet`` for a :class:`Trust`; the end itself is past (RFC 8392, section 3.1.4)."""
    return {
        "expired": expires_at is not None and expires_at <= now,
        "not_yet": not_before is not None and now < not_before,
    }


def moment(seconds: object) -> dt.datetime | None:
    """A NumericDate (RFC 8392, section 2): whole or broken seconds since 1970, up to the year 9999.

    ``None`` for anything else: text, NaN, infinity, true, what is before 1970.
    """
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 <= seconds < 253_402_300_800:
        return None
    return dt.datetime.fromtimestamp(seconds, dt.UTC)


KIND_WORDS: Mapping[str, Words] = {
    "motma": Words("Mã Một Mã", "Một Mã code"),
    "national_v1_1": Words("Mã QR cá nhân 2021 (mẫu quốc gia 1.1)", "National personal code of 2021 (v1.1)"),
    "cccd": Words("Thẻ căn cước công dân", "Citizen identity card"),
    "bhyt": Words("Thẻ bảo hiểm y tế", "Health-insurance card"),
    "dcc": Words("Hộ chiếu vắc-xin (mẫu EU)", "Vaccine passport (EU DCC)"),
    "claim169": Words("Thẻ định danh nước ngoài (Claim 169)", "Foreign identity code (Claim 169)"),
    "shc": Words("SMART Health Card", "SMART Health Card"),
    "nzcp": Words("Thẻ COVID New Zealand", "New Zealand COVID Pass"),
    "unknown": Words("Mã không rõ loại", "Unknown code"),
}

FIELD_WORDS: Mapping[str, Words] = {
    "document_number": Words("Số giấy tờ", "Document number"),
    "old_number": Words("Số CMND cũ", "Old ID number"),
    "card_number": Words("Số thẻ BHYT", "Insurance card number"),
    "name": Words("Họ và tên", "Name"),
    "birth_date": Words("Ngày sinh", "Birth date"),
    "sex": Words("Giới tính", "Sex"),
    "nationality": Words("Quốc tịch", "Nationality"),
    "address": Words("Địa chỉ", "Address"),
    "phone": Words("Điện thoại", "Phone"),
    "qid": Words("Mã số QR", "QR number (QID)"),
    "declared_by": Words("Ai khai", "Declared by"),
    "declarer_qid": Words("Mã số người khai thay", "QID of who declared"),
    "last_four": Words("Bốn số cuối giấy tờ", "Last four of the document"),
    "issuer": Words("Nơi cấp", "Issuer"),
    "issued_on": Words("Ngày cấp", "Issued on"),
    "valid_from": Words("Dùng từ", "Valid from"),
    "valid_until": Words("Dùng đến", "Valid until"),
    "measure": Words("Biện pháp", "Measure"),
    "party": Words("Đi cùng", "Travels with"),
    "areas": Words("Khu vực", "Areas"),
    "verdict": Words("Khi không có mạng", "When offline"),
    "shown_as": Words("Mã đang hiện", "Shown"),
    "hospital": Words("Nơi khám chữa bệnh", "Registered hospital"),
    "vaccinations": Words("Tiêm chủng", "Vaccinations"),
    "tests": Words("Xét nghiệm", "Tests"),
    "recoveries": Words("Khỏi bệnh", "Recoveries"),
    "certificate": Words("Số chứng nhận", "Certificate number"),
    "carries": Words("Có kèm (không lưu)", "Also in it (never kept)"),
    "looks_like": Words("Có vẻ là", "Looks like"),
}

SENSITIVE = frozenset({"document_number", "old_number", "card_number", "phone", "declarer_qid"})
"""Fields that are shown masked unless somebody asks to see them whole."""
