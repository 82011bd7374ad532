"""Tokens: a platform proves with its key who it is (RFC 7523, ``private_key_jwt``) and gets a token for a quarter hour.

An assertion is read only when it is small, believed only by the platform's own key and that key's own algorithm, and
good once. What is wrong is told in detail only to who holds the key: to everybody else an unknown platform, an unknown
key and a wrong signature are one answer.
"""

import base64
import binascii
import datetime as dt
import math
import warnings
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any, Literal

import msgspec
from joserfc import jwk, jws
from joserfc.errors import JoseError, SecurityWarning

from motma.core.errors import MotmaError
from motma.core.platforms import PlatformKey, PlatformNow
from motma.core.words import Words
from motma.services.enrol import TOKEN_PREFIX
from motma.services.exchange.platforms import Platforms
from motma.storage.keys import Secrets
from motma.storage.store import Act, Already, Credential, Store

TOKEN_LIVES = dt.timedelta(minutes=15)
ASSERTION_MAX_CHARS = 4_096
ASSERTION_LIVES = dt.timedelta(minutes=5)
SKEW = dt.timedelta(seconds=60)
"""How far a platform's clock may be from ours."""
TOKENS, TOKENS_PER = 60, dt.timedelta(minutes=15)
"""How many a platform is given in how long: one is enough, a token is to be kept while it lives."""

_HEADER_MAX_CHARS, _JTI_MAX_CHARS, _MOMENT_MAX = 1_024, 200, 2.0**40
_ALGORITHMS = {"ES256": ("ES256",), "EdDSA": ("EdDSA", "Ed25519"), "PS256": ("PS256",), "RS256": ("RS256",)}
"""A key's algorithm -> how a header may call it (RFC 9864 renamed EdDSA)."""

OAuthError = Literal["invalid_request", "invalid_client", "unsupported_grant_type", "invalid_scope", "slow_down"]


class TokenRefused(MotmaError):
    """No token. ``error``: why, in the words of RFC 6749, section 5.2; ``retry_after_seconds`` if that will pass."""

    def __init__(self, code: str, words: Words, error: OAuthError, retry_after_seconds: int = 0) -> None:
        super().__init__(code, words)
        self.error = error
        self.retry_after_seconds = retry_after_seconds


@dataclass(frozen=True, slots=True)
class Token:
    """What a platform is given: shown once, kept as a hash."""

    secret: str
    lives: dt.timedelta
    scopes: tuple[str, ...]


class _Header(msgspec.Struct):
    alg: str
    kid: str
    crit: msgspec.Raw | None = None
    b64: msgspec.Raw | None = None


class _Who(msgspec.Struct):
    iss: str


class _Claims(msgspec.Struct):
    iss: str
    sub: str
    aud: str | list[str]
    exp: float
    jti: str
    iat: float | None = None
    nbf: float | None = None


class Tokens:
    """Gives tokens for assertions. Belongs to one event loop."""

    def __init__(
        self,
        *,
        store: Store,
        platforms: Platforms,
        secrets: Secrets,
        random: Callable[[int], bytes],
        issuer: str,
    ) -> None:
        self.issuer = f"https://{issuer}"
        self._audiences = (self.issuer, f"{self.issuer}/oauth/token")
        self._store = store
        self._platforms = platforms
        self._secrets = secrets
        self._random = random
        self._given: dict[str, tuple[dt.datetime, int]] = {}

    async def give(self, assertion: str, scope: str, certificate: str, now: dt.datetime) -> Token:
        """The token of the platform that signed ``assertion``, with all it may do, or only what ``scope`` names.

        ``certificate``: the SHA-256 in hex of the client certificate that came along, "" if none did. Raises
        :class:`TokenRefused`.
        """
        platform, key, claims = await self._believed(assertion, now)
        self._check_platform(platform, certificate, now)
        self._check_claims(claims, platform, now)
        scopes = _narrowed(platform.scopes_of(key.kid), scope)
        self._count(platform.id, now)
        secret = TOKEN_PREFIX + base64.b32encode(self._random(20)).decode().lower()
        hashed = self._secrets.index("token", secret)
        kept = {"scope": " ".join(scopes), "kid": key.kid, "key": key.mark}
        credential = Credential(hashed, "token", platform.id, kept, now, now + TOKEN_LIVES)
        used = self._secrets.index("assertion", f"{platform.id}\n{claims.jti}")
        told = await self._store.append(Act(once=((used, hashed.hex()),), credentials=(credential,)))
        if isinstance(told, Already):
            self._uncount(platform.id)  # else whoever overheard it could use up a platform's
            raise TokenRefused(
                "oauth.replayed",
                Words(
                    "Chứng thực này đã dùng rồi. Ký một chứng thực mới với jti mới.",
                    "This assertion was used before. Sign a new one with a new jti.",
                ),
                "invalid_client",
            )
        return Token(secret, TOKEN_LIVES, scopes)

    async def _believed(self, assertion: str, now: dt.datetime) -> tuple[PlatformNow, PlatformKey, _Claims]:
        """Who signed it, with which key, and what it says."""
        parts = assertion.split(".") if len(assertion) <= ASSERTION_MAX_CHARS and assertion.isascii() else []
        if len(parts) != 3 or len(parts[0]) > _HEADER_MAX_CHARS:
            raise _not_believed()
        try:
            header = msgspec.json.decode(_bytes(parts[0]), type=_Header)
            who = msgspec.json.decode(_bytes(parts[1]), type=_Who)
        except (msgspec.MsgspecError, UnicodeError, ValueError, RecursionError):
            raise _not_believed() from None
        platform = await self._platforms.known(who.iss, now)
        key = platform.keys.get(header.kid) if platform else None
        if platform is None or key is None or header.crit is not None or header.b64 is not None:
            raise _not_believed()
        return platform, key, _verified(assertion, header.alg, key)

    def _check_platform(self, platform: PlatformNow, certificate: str, now: dt.datetime) -> None:
        if platform.state(now) != "active":
            raise TokenRefused(
                "oauth.suspended",
                Words(
                    "Nền tảng đang bị tạm ngưng hoặc đã hết hạn thử. Hỏi trực ban.",
                    "The platform is suspended, or its trial is over. Ask an operator.",
                ),
                "invalid_client",
            )
        if platform.certificate and platform.certificate != certificate:
            raise TokenRefused(
                "oauth.certificate",
                Words(
                    "Thiếu chứng thư TLS đã đăng ký, hoặc hệ thống không nhận chứng thư (MOTMA_CLIENT_CERT_HEADER).",
                    "The registered TLS certificate is missing, or none is taken here (MOTMA_CLIENT_CERT_HEADER).",
                ),
                "invalid_client",
            )

    def _check_claims(self, claims: _Claims, platform: PlatformNow, now: dt.datetime) -> None:
        audiences = [claims.aud] if isinstance(claims.aud, str) else claims.aud
        if claims.sub != platform.id or not audiences or not set(audiences) <= set(self._audiences):
            raise TokenRefused(
                "oauth.claims",
                Words(
                    f"iss và sub phải là {platform.id}, aud phải là {self.issuer} hoặc {self.issuer}/oauth/token.",
                    f"iss and sub must be {platform.id}, aud must be {self.issuer} or {self.issuer}/oauth/token.",
                ),
                "invalid_client",
            )
        if not 1 <= len(claims.jti) <= _JTI_MAX_CHARS or "\x00" in claims.jti:
            raise TokenRefused(
                "oauth.jti",
                Words("jti phải có 1 đến 200 ký tự.", "jti must have 1 to 200 characters."),
                "invalid_client",
            )
        at, skew = now.timestamp(), SKEW.total_seconds()
        moments = [one for one in (claims.exp, claims.iat, claims.nbf) if one is not None]
        issued = at if claims.iat is None else claims.iat
        if (
            not all(math.isfinite(one) and 0 <= one <= _MOMENT_MAX for one in moments)
            or claims.exp <= at - skew
            or claims.exp > min(at + skew, issued) + ASSERTION_LIVES.total_seconds()
            or issued > at + skew
            or (claims.nbf is not None and claims.nbf > at + skew)
        ):
            raise TokenRefused(
                "oauth.time",
                Words(
                    "Chứng thực hết hạn, chưa tới giờ, hoặc dài quá 5 phút. Xem lại đồng hồ máy chủ.",
                    "The assertion is over, early, or longer than 5 minutes. Check your server's clock.",
                ),
                "invalid_client",
            )

    def _count(self, platform: str, now: dt.datetime) -> None:
        """Only what would be given counts: nobody else can use up a platform's."""
        since, given = self._given.get(platform, (now, 0))
        if not dt.timedelta(0) <= now - since < TOKENS_PER:
            since, given = now, 0
        if given >= TOKENS:
            raise TokenRefused(
                "quota.tokens",
                Words(
                    "Xin mã quá nhiều lần. Giữ mã lại và dùng cho đến khi hết hạn.",
                    "Too many tokens. Keep one and use it until it expires.",
                ),
                "slow_down",
                int((since + TOKENS_PER - now).total_seconds()) + 1,
            )
        self._given[platform] = (since, given + 1)

    def _uncount(self, platform: str) -> None:
        since, given = self._given[platform]
        self._given[platform] = (since, max(0, given - 1))


def _verified(assertion: str, algorithm: str, key: PlatformKey) -> _Claims:
    members = msgspec.json.decode(key.jwk, type=dict[str, Any])
    allowed = _ALGORITHMS[members.pop("alg")]
    if algorithm not in allowed:
        raise _not_believed()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SecurityWarning)  # that RFC 9864 would rather say Ed25519 for EdDSA
            signed = jws.deserialize_compact(assertion, jwk.import_key(members), algorithms=list(allowed))
        return msgspec.json.decode(signed.payload or b"", type=_Claims)
    except msgspec.MsgspecError:
        raise TokenRefused(
            "oauth.malformed",
            Words(
                "Chứng thực cần có iss, sub, aud, exp và jti, đúng kiểu.",
                "The assertion needs iss, sub, aud, exp and jti, each of its type.",
            ),
            "invalid_client",
        ) from None
    except (JoseError, ValueError, TypeError, RecursionError):
        raise _not_believed() from None


def _narrowed(may: Collection[str], scope: str) -> tuple[str, ...]:
    """What of ``may`` is asked for: all of it unless ``scope`` names some."""
    wanted = scope.split(" ") if scope else sorted(may)
    if not may or not set(wanted) <= set(may):
        raise TokenRefused(
            "oauth.scope",
            Words(
                "Xin một quyền mà nền tảng (hoặc khóa này) chưa được cấp.",
                "A scope is asked for that the platform (or this key) was not given.",
            ),
            "invalid_scope",
        )
    return tuple(sorted(set(wanted)))


def _bytes(part: str) -> bytes:
    try:
        return base64.b64decode(part + "=" * (-len(part) % 4), altchars=b"-_", validate=True)
    except binascii.Error:
        raise ValueError from None


def _not_believed() -> TokenRefused:
    return TokenRefused(
        "oauth.client",
        Words(
            "Không nhận ra nền tảng: mã, kid, thuật toán hoặc chữ ký không đúng.",
            "The platform is not recognised: its id, kid, algorithm or signature is not right.",
        ),
        "invalid_client",
    )
