"""The twin's own scanner: it judges a code by the keys and lists that it holds, and asks nobody.

Whose keys: the first list of trust is believed as it comes from the exchange at which the twin is registered (over TLS,
in the world); every later one only as the roots of the one at hand allow (``docs/trust-list.md``).
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from motma.core.claims import Worth
from motma.core.code import VerifiedCode, liveness, verify_code
from motma.core.errors import Invalid
from motma.core.reasons import REASONS, Outcome
from motma.core.status import Status, StatusToken, list_uri, verify_status_token
from motma.core.trustlist import Pins, TrustedList, accept
from motma.core.trustwire import open_list, parse_list
from motma.core.words import Words

Kind = Literal["good", "check", "stop", "not_good", "unknown"]

_GOOD = Words("Mã còn hiệu lực. So tên với giấy tờ.", "The code is good. Compare the name with the document.")
_NO_KEYS = Words(
    "Máy này chưa có khóa để kiểm tra. Kết nối mạng một lần để tải.",
    "This device holds no keys yet. Connect to the network once to fetch them.",
)
_OLD_KEYS = Words(
    "Danh sách khóa trên máy đã quá hạn. Kết nối mạng để tải bản mới.",
    "The list of keys on this device is out of date. Connect to the network to fetch a new one.",
)
_NO_STATUS = Words(
    "Không biết mã còn hiệu lực hay đã bị thu hồi: máy chưa có danh sách trạng thái. Kết nối mạng để tải.",
    "Whether the code was withdrawn is not known: there is no list of its status here. Connect to fetch it.",
)
_SAID = {
    "code.expired": Words("Mã đã hết hạn. Mời khai lại.", "The code has expired. Ask for a new declaration."),
    "code.not_yet": Words("Mã chưa đến lúc có hiệu lực.", "The code is not valid yet."),
    "status.revoked": Words("Mã đã bị thu hồi.", "The code has been withdrawn."),
    "status.suspended": Words("Mã đang tạm dừng.", "The code is suspended."),
    "status.check_again": Words(
        "Có thay đổi về mã này: hỏi lại khi có mạng, hoặc mời sang bàn hỗ trợ.",
        "Something about this code has changed: ask again with a network, or at the help desk.",
    ),
    "code.stale_proof": Words(
        "Mã chiếu lại từ ảnh cũ. Mời mở mã trên máy của người khai.",
        "A live code shown again later. Ask for it on the holder's own screen.",
    ),
}
_BY_WORTH: Mapping[Worth, tuple[Kind, Words]] = {
    Worth.ACCEPT: ("good", _GOOD),
    Worth.MANUAL: (
        "check",
        Words(
            "Mã còn hiệu lực, nhưng chưa đối soát xong: so kỹ với giấy tờ.",
            "The code is good, but not matched in full yet: compare it closely with the document.",
        ),
    ),
    Worth.REJECT: (
        "stop",
        Words(
            "Mã còn hiệu lực; theo tờ khai người này chưa nên đi. Mời sang bàn hỗ trợ.",
            "The code is good; by what they declared this person should not travel yet. Show them to the help desk.",
        ),
    ),
}
_BY_STATUS: Mapping[Status, tuple[Kind, str]] = {
    Status.REVOKED: ("not_good", "status.revoked"),
    Status.SUSPENDED: ("not_good", "status.suspended"),
    Status.CHECK_AGAIN: ("unknown", "status.check_again"),
}


@dataclass(frozen=True, slots=True)
class Seen:
    """What the scanner says: ``unknown`` is never ``not_good``. ``code`` is there once its signature holds.

    ``check`` and ``stop``: the code is good, and says that its holder is to be looked at, or should not pass.
    """

    kind: Kind
    reason: str
    words: Words
    code: VerifiedCode | None = None

    @property
    def valid(self) -> bool | None:
        """True, False, or None for what cannot be known here and now."""
        return None if self.kind == "unknown" else self.kind != "not_good"


@dataclass(frozen=True, slots=True)
class Held:
    """What a scanner holds: the list of trust, and status lists by their address. Nothing in it is ever changed."""

    trusted: TrustedList | None = None
    status: Mapping[str, StatusToken] = field(default_factory=dict)

    def with_trust(self, raw: bytes, now: dt.datetime) -> "Held":
        """The same with a newer list of trust. Raises :class:`Invalid` ``trustlist.*`` for one not to be taken."""
        if self.trusted is None:
            first = parse_list(open_list(raw).payload, raw)
            return replace(self, trusted=accept(Pins(first.issuer, first.roots), raw, now))
        return replace(self, trusted=accept(self.trusted, raw, now))

    def with_status(self, uri: str, raw: bytes, now: dt.datetime) -> "Held":
        """The same with a newer status list. Raises :class:`Invalid` ``status.*``, ``trustlist.mixed``."""
        if self.trusted is None:
            raise Invalid("trust.none", _NO_KEYS)
        token = verify_status_token(raw, self.trusted.keyring(), uri=uri, now=now, previous=self.status.get(uri))
        self.trusted.judge_status(uri, token.issued_at)
        return replace(self, status={**self.status, uri: token})

    def with_status_confirmed(self, uri: str, now: dt.datetime) -> "Held":
        """The same after the exchange said that it has no newer one."""
        return replace(self, status={**self.status, uri: self.status[uri].confirmed(now)})

    def wanted(self) -> list[str]:
        """Addresses of the status lists to fetch: the first of every issuer, and those that are held."""
        first = {list_uri(key.status_uri, 0) for key in self.trusted.keys if key.status_uri} if self.trusted else set()
        return sorted(first | self.status.keys())

    def judge(self, text: str, now: dt.datetime) -> Seen:
        """What is to be said of the code ``text`` at ``now``, without asking anybody."""
        if self.trusted is None:
            return Seen("unknown", "trust.none", _NO_KEYS)
        try:
            code = verify_code(text.strip(), self.trusted.keyring())
        except Invalid as error:
            reason = REASONS.get(error.code)
            bad = reason is not None and reason.known and reason.outcome is Outcome.REJECT
            revoked = error.code == "code.revoked_key"
            return Seen("not_good" if bad or revoked else "unknown", error.code, error.words)
        if now >= code.claims.valid_until:
            return self._seen("not_good", "code.expired", code)
        if now < code.claims.valid_from:
            return self._seen("not_good", "code.not_yet", code)
        return self._with_lists(code, now)

    def _with_lists(self, code: VerifiedCode, now: dt.datetime) -> Seen:
        assert self.trusted is not None
        token = self.status.get(list_uri(code.key.status_uri, code.claims.status_index))
        try:
            status = token.status(code.claims.status_index) if token and now < token.expires_at else None
        except Invalid:  # the list ends before it: it was issued after the list was
            status = None
        if status is None:
            return Seen("unknown", "status.missing", _NO_STATUS, code)
        if status in _BY_STATUS:
            return self._seen(*_BY_STATUS[status], code)
        if self.trusted.expired_at(now):
            return Seen("unknown", "trust.expired", _OLD_KEYS, code)
        if liveness(code, now) == "stale":
            return self._seen("unknown", "code.stale_proof", code)
        kind, words = _BY_WORTH[code.claims.worth]
        return Seen(kind, "", words, code)

    @staticmethod
    def _seen(kind: Kind, reason: str, code: VerifiedCode) -> Seen:
        return Seen(kind, reason, _SAID[reason], code)
