"""Trust: which keys sign here, which are believed, and who else may sign what.

Every verb writes what it does in one act, and only if nobody did anything about keys since it looked: so two who
rotate at once never leave two keys that sign. A key is in the chest before a fact tells of it; one of which no fact
tells, since the process was killed in between, is nobody's.
"""

import datetime as dt
import re
from collections.abc import Callable, Collection, Sequence
from typing import Literal

from cryptography.hazmat.primitives.asymmetric import ec

from motma.core.code import TrustedKey, key_id
from motma.core.cose import Signer
from motma.core.errors import Conflict, Hidden, Invalid, Unavailable
from motma.core.facts import Fact, KeyAdded, KeyPromoted, KeyRetired, KeyRevoked, KeyUse
from motma.core.ids import new_fact_id
from motma.core.publickeys import point_of
from motma.core.text import parse_line
from motma.core.trust import KnownKey
from motma.core.trust import Trust as Known
from motma.core.words import Words
from motma.services.board import BoardReader
from motma.storage.keys import Chest
from motma.storage.store import Act, Already, Store

REASON_MAX_CHARS = 200
STATUS_URI_MAX_CHARS = 200
UNTIL_MAX = dt.timedelta(days=36_525)

_WHENEVER = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
# What is signed must not look older than its key when a clock that was ahead is set right.
_CLOCK_MAY_BE_AHEAD = dt.timedelta(days=1)
_ATTEMPTS = 8
_AN_ISSUER = re.compile(r"[!-~]{1,64}")
_A_PREFIX = re.compile(r"[0-9a-f]{1,16}")
_AN_ADDRESS = re.compile(r"(?:https?://[!-~]+)?")

State = Literal["signs", "waits", "retired", "revoked", "delegated"]
_What = KeyAdded | KeyPromoted | KeyRetired | KeyRevoked


class _Overtaken(Exception):
    """Somebody else did something about keys since we looked. Nothing was written."""


class Trust:
    """The verb of who looks after the keys. ``status_uri`` is where the status lists of our codes stand."""

    def __init__(
        self,
        *,
        store: Store,
        board: BoardReader,
        chest: Chest,
        issuer: str,
        areas: Collection[str],
        random: Callable[[int], bytes],
        status_uri: str = "",
    ) -> None:
        self.issuer = issuer
        self.chest = chest
        self._store = store
        self._board = board
        self._areas = areas
        self._random = random
        self._status_uri = status_uri

    # -- asking ------------------------------------------------------------------------------------------------------

    async def keys(self, now: dt.datetime) -> list[KnownKey]:
        """Every key there ever was, in the order in which they came."""
        return list((await self._board.trust(now)).keys.values())

    async def published(self, now: dt.datetime, *, use: KeyUse = "code", own: bool = False) -> list[TrustedKey]:
        """The keys that are believed, without those that were revoked; ``own``: without delegated ones too.

        A root that was retired signs no list any more, and is left out as well.
        """
        keys = [key for key in await self.keys(now) if key.added.use == use and (key.added.own or not own)]
        return [key.trusted for key in keys if not (key.revoked_at or (use == "root" and key.retired_at))]

    async def find(self, prefix: str, now: dt.datetime) -> KnownKey:
        """The one key whose kid in hex begins so.

        Raises :class:`Hidden` ``key.unknown``, :class:`Invalid` ``key.ambiguous``.
        """
        wanted = prefix.strip().lower()
        known = await self.keys(now)
        found = [key for key in known if _A_PREFIX.fullmatch(wanted) and key.added.kid.startswith(wanted)]
        if len(found) > 1:
            raise Invalid(
                "key.ambiguous",
                Words(
                    f"Có {len(found)} khóa bắt đầu như vậy. Gõ thêm vài ký tự.",
                    f"{len(found)} keys begin like this. Type some more of it.",
                ),
            )
        if not found:
            raise Hidden(
                "key.unknown",
                Words("Không có khóa này. Xem: motma key list", "There is no such key. See: motma key list"),
            )
        return found[0]

    async def signer(self, use: KeyUse, now: dt.datetime) -> Signer:
        """What signs ``use`` now. Raises :class:`Unavailable` ``key.none``, and what :meth:`Chest.signer` raises."""
        key = (await self._board.trust(now)).signing(use)
        if key is None:
            raise Unavailable(
                "key.none",
                Words(
                    "Chưa có khóa để ký. Báo cho người vận hành: motma key rotate",
                    "There is no key to sign with. Tell the operator: motma key rotate",
                ),
            )
        return self.chest.signer(key.kid)

    # -- our own keys ------------------------------------------------------------------------------------------------

    async def begin(self, now: dt.datetime) -> None:
        """See to it that there is a key that signs codes, and one that signs lists of trust.

        A key that signed before there was a list of keys is adopted. Processes that begin together agree.
        """
        made: dict[KeyUse, KeyAdded] = {}
        for _ in range(_ATTEMPTS):
            known = await self._look(now)
            what: list[_What] = []
            adopt = self.chest.adopt
            if adopt and adopt.hex() not in known.keys:
                point = self.chest.signer(adopt).public
                added = self._ours(adopt, point, "code", now, not_before=_WHENEVER)
                what += [added, KeyRetired(added.kid) if known.signing("code") else KeyPromoted(added.kid)]
            for use in ("code", "root"):
                adopted = use == "code" and bool(what)
                if not known.signing(use) and not adopted:
                    if use not in made:
                        made[use] = self._ours(*self.chest.create(), use, now)
                    what += [made[use], KeyPromoted(made[use].kid)]
            if not what:
                return
            try:
                return await self._tell(known, what, now, "house")
            except _Overtaken:
                continue
        raise _overtaken()

    async def new(
        self, now: dt.datetime, *, use: KeyUse = "code", token: tuple[str, str] | None = None, by: str = "cli"
    ) -> KnownKey:
        """Make a key that waits: it is published, so that scanners get to know it, and does not sign yet.

        ``token`` is (path of a PKCS #11 library, label of a token) for a key that lives there. Raises
        :class:`Conflict` ``key.overtaken``; :class:`Unavailable` as :meth:`Chest.create_in_token` does.
        """
        known = await self._look(now)
        kid, public = self.chest.create_in_token(*token) if token else self.chest.create()
        return await self._do(known, [self._ours(kid, public, use, now)], now, by)

    async def rotate(self, now: dt.datetime, *, use: KeyUse = "code", by: str = "cli") -> KnownKey:
        """Let the newest waiting key sign, or a new one if none waits; the former one retires and still verifies.

        Raises :class:`Conflict` ``key.overtaken``; :class:`Unavailable` if the waiting key is not at hand: then the
        former one goes on signing.
        """
        known = await self._look(now)
        former, waiting = known.signing(use), _waiting(known, use, now)
        what: list[_What] = []
        if waiting:
            self.chest.signer(waiting.kid).sign(b"motma: are you there?")
            kid = waiting.added.kid
        else:
            added = self._ours(*self.chest.create(), use, now)
            what.append(added)
            kid = added.kid
        what.append(KeyPromoted(kid))
        if former:
            what.append(KeyRetired(former.added.kid))
        return await self._do(known, what, now, by, kid)

    async def retire(self, prefix: str, now: dt.datetime, *, by: str = "cli") -> KnownKey:
        """Let a key sign no more; what it signed still verifies. Ours or a delegated one.

        Raises as :meth:`find` does, and :class:`Conflict` ``key.signs``, ``key.retired``, ``key.revoked``,
        ``key.overtaken``.
        """
        known = await self._look(now)
        key = await self.find(prefix, now)
        _still_believed(key)
        if key.retired_at:
            raise Conflict("key.retired", Words("Khóa này đã thôi ký rồi.", "This key is retired already."))
        if known.signing(key.added.use) == key:
            raise Conflict(
                "key.signs",
                Words(
                    "Khóa này đang ký. Chạy motma key rotate: khóa khác ký thay và khóa này nghỉ.",
                    "This key is the one that signs. Run motma key rotate: another signs, and this one retires.",
                ),
            )
        return await self._do(known, [KeyRetired(key.added.kid)], now, by)

    async def revoke(self, prefix: str, reason: str, now: dt.datetime, *, by: str = "cli") -> KnownKey:
        """Believe nothing that a key signed, ever. If it is the one that signs, a new one signs from the same act on.

        Raises as :meth:`find` does, :class:`Invalid` ``key.reason``, :class:`Conflict` ``key.revoked``. Whatever
        others do at the same time, it is done when this returns.
        """
        reason = parse_line(reason, REASON_MAX_CHARS)
        if not reason:
            raise Invalid("key.reason", Words("Ghi lý do thu hồi khóa.", "Say why the key is revoked."))
        heir: KeyAdded | None = None
        for _ in range(_ATTEMPTS):
            known = await self._look(now)
            key = await self.find(prefix, now)
            _still_believed(key)
            what: list[_What] = [KeyRevoked(key.added.kid, reason)]
            if known.signing(key.added.use) == key:
                heir = heir or self._ours(*self.chest.create(), key.added.use, now)
                what = [heir, KeyPromoted(heir.kid), *what]
            try:
                await self._tell(known, what, now, by)
            except _Overtaken:
                continue
            return await self.find(key.added.kid, now)
        raise _overtaken()

    # -- others' keys ------------------------------------------------------------------------------------------------

    async def delegate(
        self,
        issuer: str,
        public: ec.EllipticCurvePublicKey,
        *,
        measures: Sequence[str],
        areas: Sequence[str],
        until: dt.datetime,
        now: dt.datetime,
        everywhere: bool = False,
        status_uri: str = "",
        by: str = "cli",
    ) -> KnownKey:
        """Let a platform sign codes with a key of its own: in its own name, for these measures, there, until then.

        ``areas`` are province codes; ``everywhere`` instead of them. Raises :class:`Invalid` ``key.issuer``,
        ``key.scope``, ``key.until``, ``key.status_uri``; :class:`Hidden` ``measure.unknown``, ``area.unknown``;
        :class:`Conflict` ``key.issuer_ours``, ``key.known``, ``key.overtaken``.
        """
        self._check_issuer(issuer)
        known = await self._look(now)
        if not measures or bool(areas) == everywhere:
            raise Invalid(
                "key.scope",
                Words(
                    "Ghi rõ khóa được ký cho biện pháp nào, và ở tỉnh nào hay cả nước.",
                    "Say for which measures the key may sign, and in which provinces or everywhere.",
                ),
            )
        if not set(measures) <= (await self._board.current(now)).measures.keys():
            raise Hidden("measure.unknown", Words("Không có biện pháp này.", "There is no such measure."))
        if not set(areas) <= set(self._areas):
            raise Hidden("area.unknown", Words("Không có tỉnh mang mã này.", "There is no province of this code."))
        if not now < until <= now + UNTIL_MAX:  # the list of trust has no room for every year that can be typed
            raise Invalid(
                "key.until",
                Words(
                    "Hạn ký phải ở sau lúc này, nhiều nhất một trăm năm.",
                    "The time it ends must lie ahead, by at most a hundred years.",
                ),
            )
        if len(status_uri) > STATUS_URI_MAX_CHARS or not _AN_ADDRESS.fullmatch(status_uri):
            raise Invalid("key.status_uri", Words("Địa chỉ phải là http(s)://…", "The address must be http(s)://…"))
        lists = status_uri.rstrip("/")
        others = {key.added.status_uri.rstrip("/") for key in known.keys.values() if key.added.issuer != issuer}
        if lists and lists in others | {self._status_uri.rstrip("/")}:  # whoever signs there says what is revoked
            raise Invalid(
                "key.status_uri",
                Words(
                    "Ở địa chỉ này là danh sách của bên khác. Mỗi bên cấp mã có địa chỉ riêng.",
                    "The lists of somebody else stand at this address. Every issuer has its own.",
                ),
            )
        kid = key_id(public).hex()
        if kid in known.keys:
            raise Conflict(
                "key.known",
                Words(
                    "Khóa này đã có trong danh sách. Xem: motma key list",
                    "This key is in the list already. See: motma key list",
                ),
            )
        added = KeyAdded(
            kid=kid,
            point=point_of(public).hex(),
            issuer=issuer,
            use="code",
            own=False,
            not_before=now.replace(microsecond=0) - _CLOCK_MAY_BE_AHEAD,
            not_after=until,
            measures=tuple(dict.fromkeys(measures)),
            areas=tuple(dict.fromkeys(areas)),
            status_uri=status_uri,
        )
        return await self._do(known, [added], now, by)

    def _check_issuer(self, issuer: str) -> None:
        if not _AN_ISSUER.fullmatch(issuer):
            raise Invalid(
                "key.issuer",
                Words(
                    "Tên bên cấp mã: 1 đến 64 ký tự ASCII không dấu cách.",
                    "The issuer's name: 1 to 64 ASCII characters without spaces.",
                ),
            )
        if issuer.casefold() == self.issuer.casefold():
            raise Conflict(
                "key.issuer_ours",
                Words(
                    "Đây là tên của hệ thống này. Bên được ủy quyền phải mang tên khác.",
                    "This is the name of this house. Whoever is delegated to needs another.",
                ),
            )

    # -- writing -----------------------------------------------------------------------------------------------------

    async def _look(self, now: dt.datetime) -> Known:
        """Every key as it is this moment, not as it was a second ago."""
        self._board.forget()
        return await self._board.trust(now)

    def _ours(
        self,
        kid: bytes,
        public: ec.EllipticCurvePublicKey,
        use: KeyUse,
        now: dt.datetime,
        *,
        not_before: dt.datetime | None = None,
    ) -> KeyAdded:
        since = not_before or now.replace(microsecond=0) - _CLOCK_MAY_BE_AHEAD
        uri = self._status_uri if use == "code" else ""
        return KeyAdded(kid.hex(), point_of(public).hex(), self.issuer, use, True, since, status_uri=uri)

    async def _do(
        self, known: Known, what: Sequence[_What], now: dt.datetime, by: str, kid: str | None = None
    ) -> KnownKey:
        """Write it, or :class:`Conflict` ``key.overtaken``; the key ``kid`` (of the first fact) as it is then."""
        try:
            await self._tell(known, what, now, by)
        except _Overtaken:
            raise _overtaken() from None
        return await self.find(kid or what[0].kid, now)

    async def _tell(self, known: Known, what: Sequence[_What], now: dt.datetime, by: str) -> None:
        """Append facts after exactly those that ``known`` was folded from. Raises :class:`_Overtaken`."""
        facts = tuple(Fact(id=new_fact_id("key", now, self._random(10)), at=now, actor=by, what=one) for one in what)
        claim = (b"key:after:%d" % known.version, facts[0].id)
        told = await self._store.append(Act(facts=facts, once=(claim,)))
        self._board.forget()
        # An act whose answer was lost on the way is sent again by the writer, and then meets itself.
        if isinstance(told, Already) and facts[0].id not in told.facts:
            raise _Overtaken


def state_of(key: KnownKey, known: Known) -> State:
    """What a key does now, in one word."""
    if key.revoked_at:
        return "revoked"
    if key.retired_at:
        return "retired"
    if not key.added.own:
        return "delegated"
    return "signs" if known.signing(key.added.use) == key else "waits"


def _waiting(known: Known, use: KeyUse, now: dt.datetime) -> KnownKey | None:
    """The newest key of ours that has not signed yet, in order of record: clocks may go back.

    One made while the clock was ahead could not sign anything now, and goes on waiting.
    """
    waiting = [
        key for key in known.keys.values() if key.added.use == use and _waits(key) and key.added.not_before <= now
    ]
    return waiting[-1] if waiting else None


def _waits(key: KnownKey) -> bool:
    return key.added.own and not (key.promoted_at or key.retired_at or key.revoked_at)


def _still_believed(key: KnownKey) -> None:
    if key.revoked_at:
        raise Conflict(
            "key.revoked",
            Words("Khóa này đã bị thu hồi rồi, vĩnh viễn.", "This key is revoked already, for ever."),
        )


def _overtaken() -> Conflict:
    return Conflict(
        "key.overtaken",
        Words(
            "Có người vừa thay đổi khóa cùng lúc. Chưa làm gì; xem motma key list rồi thử lại nếu vẫn cần.",
            "Somebody changed the keys at the same moment. Nothing was done; see motma key list, then try again if "
            "you still want to.",
        ),
    )
