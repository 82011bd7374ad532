"""Platforms: who is interlinked, what each may do, with which keys; given and taken by operators.

What is so is the fold of facts (:mod:`motma.core.platforms`), at most one second old here, at once after an act of this
process: a platform that is suspended is let in nowhere a second later.
"""

import datetime as dt
from collections.abc import Callable, Collection
from typing import Final

from motma.core.errors import Conflict, Hidden, Invalid, MotmaError, Problem
from motma.core.facts import (
    Fact,
    PlatformKeyAdded,
    PlatformKeyRemoved,
    PlatformRegistered,
    PlatformResumed,
    PlatformRevoked,
    PlatformSuspended,
    What,
)
from motma.core.ids import new_fact_id
from motma.core.platformkeys import read_certificate, read_platform_key
from motma.core.platforms import SCOPES, SELF, TERMINAL, PlatformNow, fold_platforms
from motma.core.text import parse_line, parse_short
from motma.core.words import Words
from motma.storage.store import PAGE_FACTS, Act, Already, Store

CONNECTORS: Final = ("native", "tokhaiyte", "ncovi", "bluezone", "dicuan", "fhir", "dhis2", "table")
"""In whose form a platform may send: ours, or what a connector reads."""
PER_SECOND_MAX, PER_DAY_MAX = 10_000, 100_000_000
PER_SECOND, PER_DAY = 20, 200_000
"""What a platform may ask unless an operator says otherwise."""
KEYS_MAX = 8
SELF_SERVED_MAX = 500

_MAX_AGE = dt.timedelta(seconds=1)


class Platforms:
    """The operators' verbs about platforms, and who is one. Belongs to one event loop."""

    def __init__(self, *, store: Store, random: Callable[[int], bytes]) -> None:
        self._store = store
        self._random = random
        self._seq = 0
        self._known: dict[str, PlatformNow] = {}
        self._read_at: dt.datetime | None = None

    # -- asking ------------------------------------------------------------------------------------------------------

    async def known(self, platform: str, now: dt.datetime) -> PlatformNow | None:
        """A platform that is or was registered, in whatever state; at most one second old."""
        read_at = self._read_at
        if read_at is None or not dt.timedelta(0) <= now - read_at < _MAX_AGE:
            await self._read_on()
            self._read_at = now
        return self._known.get(platform)

    async def all(self, now: dt.datetime) -> list[PlatformNow]:
        """Every platform there ever was, in the order in which they came."""
        await self.known("", now)
        return list(self._known.values())

    async def find(self, platform: str, now: dt.datetime) -> PlatformNow:
        """The same of one. Raises :class:`Hidden` ``platform.unknown``."""
        found = await self.known(platform, now)
        if found is None:
            raise Hidden(
                "platform.unknown",
                Words("Chưa đăng ký nền tảng nào như vậy.", "No such platform is registered."),
            )
        return found

    # -- who they are ------------------------------------------------------------------------------------------------

    async def register(
        self,
        platform: str,
        name: str,
        *,
        scopes: Collection[str],
        connector: str = "native",
        per_second: int = PER_SECOND,
        per_day: int = PER_DAY,
        certificate: str = "",
        by: str,
        now: dt.datetime,
    ) -> PlatformNow:
        """Let a new platform in. Raises :class:`Invalid` ``platform.fields`` with every field that is wrong,
        :class:`Conflict` ``platform.exists``, ``platform.revoked``."""
        what = _read(platform, name, scopes, connector, per_second, per_day, certificate)
        known = await self._fresh(what.platform, now)
        if known:
            raise _revoked() if known.revoked else _exists()
        if by == SELF and sum(one.by == SELF and one.state(now) == "active" for one in self._known.values()) >= (
            SELF_SERVED_MAX
        ):
            raise Conflict(
                "sandbox.full",
                Words(
                    "Sandbox đã đủ nền tảng thử. Chờ vài ngày, hoặc nhờ trực ban đăng ký.",
                    "The sandbox is full. Wait some days, or ask an operator to register you.",
                ),
            )
        fact = self._fact(what, by, now)
        told = await self._store.append(Act(facts=(fact,), once=((b"platform:" + what.platform.encode(), fact.id),)))
        if isinstance(told, Already):
            raise _exists()
        return await self._done(what.platform, now)

    async def change(
        self,
        platform: str,
        name: str,
        *,
        scopes: Collection[str],
        connector: str,
        per_second: int,
        per_day: int,
        certificate: str,
        by: str,
        names: Collection[str] = (),
        now: dt.datetime,
    ) -> PlatformNow:
        """Say anew what a platform is and may do; naming a scope that another operator asked for agrees to it.

        ``names``: every name of who acts. Raises :class:`Hidden` ``platform.unknown``, :class:`Invalid`
        ``platform.fields``, :class:`Conflict` ``platform.revoked``, ``platform.own``.
        """
        what = _read(platform, name, scopes, connector, per_second, per_day, certificate)
        known = await self._living(what.platform, now)
        others = {name for name in names if name != by}
        agreed = {first for scope, first in known.asked.items() if scope in what.scopes and first != by}
        # Who agrees stands for the keys too, but for their own: also for those that they added under another name.
        own_keys = {key.by for key in known.keys.values() if not key.seen} & others
        if agreed & others or (agreed and own_keys):
            raise _own()
        await self._do(what, by, now)
        return await self._done(known.id, now)

    # -- their keys --------------------------------------------------------------------------------------------------

    async def add_key(
        self, platform: str, text: str, *, by: str, names: Collection[str] = (), now: dt.datetime
    ) -> PlatformNow:
        """Let it sign with this public key too; the same key again, from another operator, vouches for it.

        Raises :class:`Invalid` ``platform_key.*``, :class:`Hidden` ``platform.unknown``, :class:`Conflict`
        ``platform.revoked``, ``platform_key.taken``, ``platform_key.too_many``, ``platform.own``.
        """
        kid, jwk = read_platform_key(text)
        known = await self._living(platform, now)
        held = known.keys.get(kid)
        if held and held.jwk != jwk:
            raise Conflict(
                "platform_key.taken",
                Words(
                    "Nền tảng này đã có khóa khác cùng mã kid. Đặt kid khác cho khóa mới.",
                    "This platform has another key of the same kid. Give the new key another kid.",
                ),
            )
        if held and held.by != by and held.by in names:
            raise _own()
        if not held and len(known.keys) >= KEYS_MAX:
            raise Conflict(
                "platform_key.too_many",
                Words(
                    f"Nền tảng đã có {KEYS_MAX} khóa. Bỏ khóa cũ trước.",
                    f"The platform has {KEYS_MAX} keys. Remove an old one first.",
                ),
            )
        await self._do(PlatformKeyAdded(known.id, kid, jwk), by, now)
        return await self._done(known.id, now)

    async def vouch(
        self, platform: str, kid: str, *, by: str, names: Collection[str] = (), now: dt.datetime
    ) -> PlatformNow:
        """Stand for a key that another operator added. Raises as :meth:`remove_key` does, and ``platform.own``."""
        known = await self._living(platform, now)
        held = known.keys.get(kid)
        if held is None:
            raise _no_key()
        if held.by == by or held.by in names:
            raise _own()
        await self._do(PlatformKeyAdded(known.id, kid, held.jwk), by, now)
        return await self._done(known.id, now)

    async def remove_key(self, platform: str, kid: str, *, by: str, now: dt.datetime) -> PlatformNow:
        """Let a key open nothing any more, nor what was opened with it. Raises :class:`Hidden` ``platform.unknown``,
        ``platform_key.unknown``, :class:`Conflict` ``platform.revoked``."""
        known = await self._living(platform, now)
        if kid not in known.keys:
            raise _no_key()
        await self._do(PlatformKeyRemoved(known.id, kid), by, now)
        return await self._done(known.id, now)

    # -- letting them out --------------------------------------------------------------------------------------------

    async def suspend(self, platform: str, reason: str, *, by: str, now: dt.datetime) -> PlatformNow:
        """Let it in no longer, for now. Raises :class:`Invalid` ``platform.reason``, :class:`Hidden`
        ``platform.unknown``, :class:`Conflict` ``platform.revoked``."""
        known = await self._living(platform, now)
        await self._do(PlatformSuspended(known.id, _reason(reason)), by, now)
        return await self._done(known.id, now)

    async def resume(self, platform: str, *, by: str, now: dt.datetime) -> PlatformNow:
        """Let it in again, with the keys it had. Raises :class:`Hidden` ``platform.unknown``, :class:`Conflict`
        ``platform.revoked``."""
        known = await self._living(platform, now)
        await self._do(PlatformResumed(known.id), by, now)
        return await self._done(known.id, now)

    async def revoke(self, platform: str, reason: str, *, by: str, now: dt.datetime) -> PlatformNow:
        """Let it in no longer, for good; its id is never given again. Raises as :meth:`suspend` does."""
        known = await self._living(platform, now)
        await self._do(PlatformRevoked(known.id, _reason(reason)), by, now)
        return await self._done(known.id, now)

    async def put_out(self, platform: str, now: dt.datetime, *, held: bool) -> int:
        """Suspend at the terminal's word, registered or not (``held``: it had plain tokens): what is sent to a
        platform stops by this too. Returns how many registrations were ended, 0 or 1."""
        known = await self._fresh(platform, now)
        active = known is not None and known.state(now) == "active"
        if active or (known is None and held):
            await self._do(PlatformSuspended(platform, "motma dismiss"), TERMINAL, now)
        return int(active)

    async def let_in(self, platform: str, now: dt.datetime, *, held: bool) -> None:
        """Undo :meth:`put_out`, and what an operator suspended."""
        known = await self._fresh(platform, now)
        if (known and known.suspended) or (known is None and held):
            await self._do(PlatformResumed(platform), TERMINAL, now)

    # -- inside ------------------------------------------------------------------------------------------------------

    async def _do(self, what: What, by: str, now: dt.datetime) -> None:
        await self._store.append(Act(facts=(self._fact(what, by, now),)))
        self._read_at = None

    def _fact(self, what: What, by: str, now: dt.datetime) -> Fact:
        return Fact(id=new_fact_id("plt", now, self._random(10)), at=now, actor=by, what=what)

    async def _done(self, platform: str, now: dt.datetime) -> PlatformNow:
        found = await self._fresh(platform, now)
        assert found is not None  # it was just written
        return found

    async def _living(self, platform: str, now: dt.datetime) -> PlatformNow:
        await self._read_on()
        known = await self.find(platform, now)
        if known.revoked:
            raise _revoked()
        return known

    async def _fresh(self, platform: str, now: dt.datetime) -> PlatformNow | None:
        self._read_at = None
        return await self.known(platform, now)

    async def _read_on(self) -> None:
        while True:
            page = await self._store.platform_facts(self._seq)
            new = [(seq, fact) for seq, fact in page if seq > self._seq]  # another call may have read them meanwhile
            if new:
                self._known = fold_platforms([fact for _, fact in new], self._known)
                self._seq = new[-1][0]
            if len(page) < PAGE_FACTS:
                return


def _read(
    platform: str,
    name: str,
    scopes: Collection[str],
    connector: str,
    per_second: int,
    per_day: int,
    certificate: str,
) -> PlatformRegistered:
    wrong: dict[str, Problem] = {}

    def read(field: str, parse: Callable[[str], str], raw: str) -> str:
        try:
            return parse(raw)
        except MotmaError as error:
            wrong[field] = Problem(error.code, error.words)
            return ""

    id = read("platform", parse_short, platform)
    said = read("name", _named, name)
    thumbprint = read("certificate", read_certificate, certificate)
    if connector not in CONNECTORS:
        wrong["connector"] = Problem(
            "platform.connector", Words("Chọn dạng dữ liệu mà nền tảng gửi.", "Choose the form in which it sends.")
        )
    if not scopes or not SCOPES.keys() >= set(scopes):
        wrong["scopes"] = Problem(
            "platform.scopes", Words("Chọn ít nhất một quyền.", "Choose at least one thing that it may do.")
        )
    for field, value, most in (("per_second", per_second, PER_SECOND_MAX), ("per_day", per_day, PER_DAY_MAX)):
        if not 1 <= value <= most:
            wrong[field] = Problem(
                "platform.limit", Words(f"Nhập một số từ 1 đến {most}.", f"Enter a number from 1 to {most}.")
            )
    if wrong:
        raise Invalid("platform.fields", Words("Có ô cần sửa.", "There is something to mend."), wrong)
    return PlatformRegistered(id, said, connector, tuple(sorted(set(scopes))), per_second, per_day, thumbprint)


def _named(raw: str) -> str:
    name = parse_line(raw, 80)
    if not name:
        raise Invalid("platform.name", Words("Nhập tên nền tảng.", "Enter the platform's name."))
    return name


def _reason(raw: str) -> str:
    reason = parse_line(raw, 200)
    if not reason:
        raise Invalid("platform.reason", Words("Ghi lý do.", "Say why."))
    return reason


def _no_key() -> Hidden:
    return Hidden(
        "platform_key.unknown",
        Words("Nền tảng không có khóa này.", "The platform has no such key."),
    )


def _exists() -> Conflict:
    return Conflict(
        "platform.exists",
        Words("Đã có nền tảng tên này. Chọn tên khác.", "There is a platform of this name. Choose another."),
    )


def _revoked() -> Conflict:
    return Conflict(
        "platform.revoked",
        Words(
            "Nền tảng này đã bị thu hồi vĩnh viễn. Đăng ký bằng tên khác.",
            "This platform was revoked for good. Register it under another name.",
        ),
    )


def _own() -> Conflict:
    return Conflict(
        "platform.own",
        Words(
            "Bạn đã đề nghị việc này dưới một tên khác. Người khác phải đồng ý.",
            "You asked for this under another name of yours. Somebody else has to agree.",
        ),
    )
