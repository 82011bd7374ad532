"""Who may ask: OAuth 2.0 client credentials (RFC 6749, section 4.4) and short-lived bearer tokens (RFC 6750)."""

import base64
import binascii
import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import unquote_plus

SCOPES = ("pr.person.read", "pr.person.match", "pr.person.verify", "pr.document.read")
"""What a token may allow; the standard's names for a population register."""

_TOKENS_MOST = 10_000


class TokenError(Exception):
    """A token that is not given: an ``error`` of RFC 6749, section 5.2, and the HTTP status."""

    def __init__(self, error: str, status: int = 400) -> None:
        super().__init__(error)
        self.error, self.status = error, status


@dataclass(frozen=True, slots=True)
class Grant:
    """What a token allows, and until when on the register's clock."""

    scopes: frozenset[str]
    ends_at: float


class Tokens:
    """Gives tokens to the clients it knows and remembers them until they end.

    ``clients`` is ids -> secrets; ``clock`` counts seconds; ``random`` gives so many random bytes.
    """

    def __init__(
        self,
        clients: Mapping[str, str],
        *,
        lifetime_seconds: int,
        clock: Callable[[], float],
        random: Callable[[int], bytes],
    ) -> None:
        self.lifetime_seconds = lifetime_seconds
        self._clients = {name.encode(): secret.encode() for name, secret in clients.items()}
        self._clock, self._random = clock, random
        self._grants: dict[str, Grant] = {}

    def grant(self, form: Mapping[str, str], authorization: str | None) -> tuple[str, Grant]:
        """A new token for a request to the token endpoint. Raises :class:`TokenError`."""
        self._authenticate(form, authorization)
        kind = form.get("grant_type")
        if kind is None:
            raise TokenError("invalid_request")
        if kind != "client_credentials":
            raise TokenError("unsupported_grant_type")
        scopes = frozenset(form["scope"].split(" ")) if form.get("scope") else frozenset(SCOPES)
        if not scopes <= set(SCOPES):
            raise TokenError("invalid_scope")
        self._forget_ended()
        token = base64.urlsafe_b64encode(self._random(24)).decode()
        self._grants[token] = grant = Grant(scopes, self._clock() + self.lifetime_seconds)
        return token, grant

    def allowed(self, authorization: str | None) -> frozenset[str] | None:
        """The scopes that the token of an Authorization header allows; ``None`` without a token that counts now."""
        if authorization is None or authorization[:7].lower() != "bearer ":
            return None
        grant = self._grants.get(authorization[7:])
        return grant.scopes if grant and self._clock() < grant.ends_at else None

    def revoke_all(self) -> None:
        """No token given so far counts any more."""
        self._grants.clear()

    def _authenticate(self, form: Mapping[str, str], authorization: str | None) -> None:
        in_form = "client_secret" in form
        if authorization is not None:
            if in_form:  # RFC 6749, section 2.3: one way of authenticating for each request
                raise TokenError("invalid_request")
            name, secret = _basic(authorization)
        elif in_form:
            name, secret = form.get("client_id", ""), form["client_secret"]
        else:
            raise TokenError("invalid_client", 401)
        held = self._clients.get(name.encode(errors="replace"))
        # Compared even when nobody has this name, so that the time does not tell.
        fits = hmac.compare_digest(held or b"\0", secret.encode(errors="replace"))
        if held is None or not fits:
            raise TokenError("invalid_client", 401)

    def _forget_ended(self) -> None:
        now = self._clock()
        while self._grants:  # in the order in which they were given, which is that in which they end
            oldest = next(iter(self._grants))
            if now < self._grants[oldest].ends_at and len(self._grants) < _TOKENS_MOST:
                return
            del self._grants[oldest]


def _basic(authorization: str) -> tuple[str, str]:
    """Client id and secret of an HTTP Basic header; each is form-encoded first (RFC 6749, section 2.3.1)."""
    scheme, _, encoded = authorization.partition(" ")
    if scheme.lower() != "basic":
        raise TokenError("invalid_client", 401)
    try:
        name, colon, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        raise TokenError("invalid_client", 401) from None
    if not colon:
        raise TokenError("invalid_client", 401)
    return unquote_plus(name), unquote_plus(secret)
