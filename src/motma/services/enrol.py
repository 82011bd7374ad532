"""Enrol: who gets in. One-time links for devices, shifts for officers, sessions for operators, tokens for platforms.

Every secret that lets somebody in is random, shown once, and kept only as a keyed hash: a stolen database opens
nothing. Guesses at the short ones (an officer's PIN) are counted.
"""

import base64
import datetime as dt
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from motma.core.errors import Conflict, Hidden, Invalid
from motma.core.flow import Network
from motma.core.ids import new_fact_id
from motma.core.platforms import EVERYDAY, PlatformNow
from motma.core.text import parse_line, parse_short
from motma.core.words import Words
from motma.services.exchange.platforms import Platforms
from motma.storage.keys import Secrets
from motma.storage.store import Act, Already, Credential, Store

_SHIFT = dt.timedelta(hours=12)
_SESSION = dt.timedelta(hours=12)
_INVITATION = dt.timedelta(hours=24)
_KNOWN_FOR = dt.timedelta(seconds=2)
_KNOWN_MAX = 10_000
_BEGUN = {
    "officer": "shift",
    "device": "shift",
    "operator": "session",
    "platform": "token",
    "health": "health_session",
}
"""What is begun with a way in, and ends with it."""
_GUESSES, _GUESSES_PER = 10, dt.timedelta(minutes=5)
TOKEN_PREFIX = "mmt_"
"""What tokens for a quarter hour begin with; plain ones, which live until they are taken, have no prefix."""


@dataclass(frozen=True, slots=True)
class Device:
    """An enrolled device; it belongs to one checkpoint."""

    id: str
    checkpoint: str
    name: str


@dataclass(frozen=True, slots=True)
class Shift:
    """An officer at work on a device."""

    officer: str
    officer_name: str
    device: str


@dataclass(frozen=True, slots=True)
class Operator:
    """Somebody who steers."""

    name: str


@dataclass(frozen=True, slots=True)
class Platform:
    """A system that sends declarations of its own users, and what it may do with what it came with.

    ``registered``: how it is registered; None of one that was given a plain token only.
    """

    id: str
    name: str
    scopes: frozenset[str] = EVERYDAY
    connector: str = "native"
    registered: PlatformNow | None = None


@dataclass(frozen=True, slots=True)
class HealthStaff:
    """Somebody of the health authority, who follows up cases."""

    name: str


class Enrol:
    """Gives and takes ways in, and says who a secret belongs to."""

    def __init__(
        self,
        *,
        store: Store,
        secrets: Secrets,
        random: Callable[[int], bytes],
        network: Network,
        platforms: Platforms,
    ) -> None:
        self._store = store
        self._platforms = platforms
        self._secrets = secrets
        self._random = random
        self._network = network
        self._known: OrderedDict[bytes, tuple[dt.datetime, Credential | None]] = OrderedDict()
        # Apart, since anybody may guess at an operator's name: that must not push the officers' counts out.
        self._guesses: OrderedDict[str, tuple[dt.datetime, int]] = OrderedDict()
        self._guesses_at_operators: OrderedDict[str, tuple[dt.datetime, int]] = OrderedDict()

    # -- giving -------------------------------------------------------------------------------------------------

    async def invite_device(self, checkpoint: str, name: str, now: dt.datetime) -> str:
        """The one-time secret of an enrolment link, good for a day."""
        if checkpoint not in self._network.by_id:
            raise Hidden("checkpoint.unknown", Words("Không có chốt này.", "There is no such checkpoint."))
        scope = {"checkpoint": checkpoint, "name": parse_line(name, 60)}
        return await self._give("invitation", checkpoint, scope, now, _INVITATION)

    async def appoint_officer(self, officer: str, name: str, now: dt.datetime) -> str:
        """The PIN (six digits) of a new officer, or a new PIN of one who is known; their running shifts end."""
        code = parse_short(officer)
        pin = f"{int.from_bytes(self._random(8), 'big') % 10**6:06d}"
        await self._end_all("officer", code, now)
        hashed = self._secrets.index("officer", f"{code}\n{pin}")
        await self._store.append(
            Act(credentials=(Credential(hashed, "officer", code, {"name": parse_line(name, 80)}, now),))
        )
        return pin

    async def appoint_operator(self, name: str, now: dt.datetime, *, also: str | None = None) -> str:
        """The access key of an operator; their earlier key no longer works, and their sessions end.

        ``also`` is another name under which the same person is, or was, an operator: see :meth:`person`.
        """
        subject = parse_short(name)
        scope = {"also": parse_short(also)} if also else {}
        await self._end_all("operator", subject, now)
        return await self._give("operator", subject, scope, now, None)

    async def appoint_health_staff(self, name: str, now: dt.datetime) -> str:
        """The access key of one of the health staff; their earlier key no longer works, and their sessions end."""
        subject = parse_short(name)
        await self._end_all("health", subject, now)
        return await self._give("health", subject, {}, now, None)

    async def register_platform(self, platform: str, name: str, now: dt.datetime) -> str:
        """A plain bearer token of a platform: what one operator may give, until it is taken back. One that was
        dismissed or suspended is let in again.

        Raises :class:`Conflict` ``platform.revoked`` for an id that is gone for good.
        """
        id = parse_short(platform)
        registered = await self._platforms.known(id, now)
        if registered and registered.revoked:
            raise Conflict(
                "platform.revoked",
                Words(
                    "Nền tảng này đã bị thu hồi vĩnh viễn. Đăng ký bằng tên khác.",
                    "This platform was revoked for good. Register it under another name.",
                ),
            )
        named = {"name": parse_line(name, 80)}
        before = [one for one in await self._store.credentials("platform") if one.subject == id]
        await self._platforms.let_in(id, now, held=any(one.revoked_at for one in before))
        return await self._give("platform", id, named, now, None)

    async def dismiss(
        self, kind: Literal["device", "officer", "operator", "platform", "health"], who: str, now: dt.datetime
    ) -> int:
        """Let somebody in no longer, at once here and within two seconds elsewhere: a lost phone, a leaked token.

        ``who`` is a device's id or a short name. Returns how many ways in were ended, running shifts and sessions
        among them. Raises :class:`Hidden` ``admitted.unknown``.
        """
        subject = who.strip() if kind == "device" else parse_short(who)
        ended = await self._end_all(kind, subject, now)
        if kind == "platform":
            ended += await self._platforms.put_out(subject, now, held=ended > 0)
        if not ended:
            raise Hidden(
                "admitted.unknown", Words(f"Không có {kind} nào tên như vậy.", f"There is no {kind} of that name.")
            )
        return ended

    # -- coming in ----------------------------------------------------------------------------------------------

    async def enrol_device(self, token: str, now: dt.datetime) -> tuple[str, Device]:
        """Trade a one-time enrolment secret for the device's own. Raises :class:`Hidden` ``enrolment.unknown``."""
        unknown = Hidden(
            "enrolment.unknown",
            Words(
                "Liên kết này không dùng được nữa. Xin liên kết mới ở trực ban.",
                "This link no longer works. Ask the operator for a new one.",
            ),
        )
        invitation = await self._find("invitation", token, now)
        if invitation is None:
            raise unknown
        device_id = str(new_fact_id("dev", now, self._random(10)))
        secret, hashed = self._new_secret("device")
        outcome = await self._store.append(
            Act(
                once=((self._secrets.index("enrolled", token), device_id),),
                credentials=(Credential(hashed, "device", device_id, dict(invitation.scope), now),),
            )
        )
        if isinstance(outcome, Already):
            raise unknown
        return secret, Device(device_id, invitation.scope["checkpoint"], invitation.scope["name"])

    async def start_shift(self, device: Device, officer: str, pin: str, now: dt.datetime) -> str:
        """The secret of an officer's shift on ``device``. Raises :class:`Hidden` ``officer.unknown``."""
        code = officer.strip().upper()[:40]
        self._count_guess(self._guesses, f"officer {code}", now)
        self._count_guess(self._guesses, f"device {device.id}", now)
        known = await self._store.credential(self._secrets.index("officer", f"{code}\n{pin.strip()[:40]}"))
        if known is None or known.revoked_at is not None:
            raise Hidden(
                "officer.unknown",
                Words("Mã cán bộ hoặc mã PIN chưa đúng.", "The officer code or the PIN is not right."),
            )
        self._guesses.pop(f"officer {code}", None)
        scope = {"device": device.id, "name": known.scope["name"]}
        return await self._give("shift", code, scope, now, _SHIFT)

    async def end_shift(self, token: str, now: dt.datetime) -> None:
        """End a shift; a shift that is not there is ended already."""
        await self._end("shift", token, now)

    async def sign_in(self, name: str, key: str, now: dt.datetime) -> str:
        """The secret of an operator's session. Raises :class:`Hidden` ``operator.unknown``.

        Unlike a PIN, a key cannot be guessed, so the right one is always heard: nobody can lock an operator out by
        guessing wrong.
        """
        return await self._begin("operator", name, key, now)

    async def sign_out(self, token: str, now: dt.datetime) -> None:
        """End a session; one that is not there is ended already."""
        await self._end("session", token, now)

    async def sign_in_health_staff(self, name: str, key: str, now: dt.datetime) -> str:
        """The secret of a session of the health staff, as :meth:`sign_in`; :class:`Hidden` ``health.unknown``."""
        return await self._begin("health", name, key, now)

    async def sign_out_health_staff(self, token: str, now: dt.datetime) -> None:
        """End a session; one that is not there is ended already."""
        await self._end("health_session", token, now)

    async def _begin(self, kind: Literal["operator", "health"], name: str, key: str, now: dt.datetime) -> str:
        subject = name.strip().upper()[:40]
        known = await self._find(kind, key.strip(), now)
        if known is None or known.subject != subject:
            self._count_guess(self._guesses_at_operators, f"{kind} {subject}", now)
            raise _wrong_key(kind)
        return await self._give(_BEGUN[kind], subject, {}, now, _SESSION)

    # -- who is it ----------------------------------------------------------------------------------------------

    async def device(self, token: str, now: dt.datetime) -> Device | None:
        """The device that holds ``token``."""
        known = await self._find("device", token, now)
        return Device(known.subject, known.scope["checkpoint"], known.scope["name"]) if known else None

    async def shift(self, token: str, device: Device, now: dt.datetime) -> Shift | None:
        """The shift that ``token`` stands for; a shift begun on another device does not count here."""
        known = await self._find("shift", token, now)
        if known is None or known.scope["device"] != device.id:
            return None
        return Shift(known.subject, known.scope["name"], device.id)

    async def operator(self, token: str, now: dt.datetime) -> Operator | None:
        """The operator whose session ``token`` stands for."""
        known = await self._find("session", token, now)
        return Operator(known.subject) if known else None

    async def health_staff(self, token: str, now: dt.datetime) -> HealthStaff | None:
        """Whose session of the health staff ``token`` stands for."""
        known = await self._find("health_session", token, now)
        return HealthStaff(known.subject) if known else None

    async def platform(self, token: str, now: dt.datetime) -> Platform | None:
        """The platform that holds ``token``, if it is let in now; what was withdrawn from it since, or from the key
        that opened the token, is not in its scopes."""
        known = await self._find("token" if token.startswith(TOKEN_PREFIX) else "platform", token, now)
        if known is None:
            return None
        registered = await self._platforms.known(known.subject, now)
        if registered is None:
            return Platform(known.subject, known.scope["name"]) if known.kind == "platform" else None
        if registered.state(now) != "active":
            return None
        kid = known.scope.get("kid", "")
        if kid and not ((key := registered.keys.get(kid)) and key.mark == known.scope.get("key")):
            return None  # taken back, though another may go by its name by now
        scopes = registered.scopes_of(kid)
        if kid:
            scopes = scopes.intersection(known.scope["scope"].split(" "))
        return Platform(registered.id, registered.name, scopes, registered.connector, registered)

    async def person(self, name: str) -> frozenset[str]:
        """Every name under which the operator ``name`` is or ever was one, as far as it was told; at least that."""
        told = [
            (known.subject, known.scope["also"])
            for known in await self._store.credentials("operator")
            if "also" in known.scope
        ]
        names, before = {name}, 0
        while len(names) > before:
            before = len(names)
            names.update(one for pair in told if names.intersection(pair) for one in pair)
        return frozenset(names)

    async def devices(self) -> list[Device]:
        """Every enrolled device."""
        return [
            Device(known.subject, known.scope["checkpoint"], known.scope["name"])
            for known in await self._store.credentials("device")
            if known.revoked_at is None
        ]

    # -- inside -------------------------------------------------------------------------------------------------

    def _new_secret(self, kind: str) -> tuple[str, bytes]:
        secret = base64.b32encode(self._random(20)).decode().lower()
        return secret, self._secrets.index(kind, secret)

    async def _give(
        self, kind: str, subject: str, scope: dict[str, str], now: dt.datetime, lives: dt.timedelta | None
    ) -> str:
        secret, hashed = self._new_secret(kind)
        expires_at = now + lives if lives else None
        await self._store.append(Act(credentials=(Credential(hashed, kind, subject, scope, now, expires_at),)))
        return secret

    async def _find(self, kind: str, token: str, now: dt.datetime) -> Credential | None:
        """The living credential of a secret; what was found stands for two seconds, here and in no other process."""
        if not 16 <= len(token) <= 64 or not token.isascii():
            return None
        hashed = self._secrets.index(kind, token)
        read_at, credential = self._known.get(hashed, (None, None))
        if read_at is None or not dt.timedelta(0) <= now - read_at < _KNOWN_FOR:
            credential = await self._store.credential(hashed)
            self._known[hashed] = (now, credential)
            if len(self._known) > _KNOWN_MAX:
                self._known.popitem(last=False)
        if credential is None or credential.kind != kind or credential.revoked_at is not None:
            return None
        return None if credential.expires_at and now >= credential.expires_at else credential

    async def _end(self, kind: str, token: str, now: dt.datetime) -> None:
        if known := await self._find(kind, token, now):
            await self._revoke(known, now)

    async def _revoke(self, known: Credential, now: dt.datetime) -> None:
        ended = Credential(known.hash, known.kind, known.subject, known.scope, known.created_at, known.expires_at, now)
        await self._store.append(Act(credentials=(ended,)))
        self._known.pop(known.hash, None)

    async def _end_all(self, kind: str, subject: str, now: dt.datetime) -> int:
        """End every way in of ``subject``, and what was begun on it."""
        begun = _BEGUN.get(kind)
        ended = 0
        for known in [one for each in (kind, begun) if each for one in await self._store.credentials(each)]:
            theirs = known.scope.get("device") if (kind, known.kind) == ("device", "shift") else known.subject
            if theirs == subject and known.revoked_at is None and not (known.expires_at and now >= known.expires_at):
                await self._revoke(known, now)
                ended += 1
        return ended

    @staticmethod
    def _count_guess(counted: OrderedDict[str, tuple[dt.datetime, int]], who: str, now: dt.datetime) -> None:
        since, guesses = counted.get(who, (now, 0))
        if not dt.timedelta(0) <= now - since < _GUESSES_PER:
            since, guesses = now, 0
        if guesses >= _GUESSES:
            raise TooManyGuesses(since + _GUESSES_PER - now)
        counted[who] = (since, guesses + 1)
        counted.move_to_end(who)
        if len(counted) > _KNOWN_MAX:
            counted.popitem(last=False)


class TooManyGuesses(Invalid):
    """Wrong too often; after ``retry_after_seconds`` it will be heard again."""

    def __init__(self, wait: dt.timedelta) -> None:
        super().__init__(
            "guesses.too_many",
            Words(
                "Sai quá nhiều lần. Đợi năm phút rồi thử lại.", "Wrong too often. Wait five minutes, then try again."
            ),
        )
        self.retry_after_seconds = int(wait.total_seconds()) + 1


def _wrong_key(kind: Literal["operator", "health"]) -> Hidden:
    if kind == "health":
        return Hidden("health.unknown", Words("Tên hoặc khóa chưa đúng.", "The name or the key is not right."))
    return Hidden("operator.unknown", Words("Tên hoặc khóa chưa đúng.", "The name or the key is not right."))
