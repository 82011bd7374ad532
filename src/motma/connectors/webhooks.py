"""Messages to platforms, by HTTP: to public addresses only, wherever a name leads, and never further than told.

A platform names the address itself, so it is hostile until shown otherwise: a name is resolved by us, every address
that it has must be public, and the connection is made to one of those that were looked at, so that a name which changes
its mind leads nowhere. Redirects are not followed, an answer is read no further than it counts, and what is told to the
platform of a failure says nothing of the network that we are in.
"""

import asyncio
import ipaddress
import re
import socket
import ssl
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Literal, Self
from urllib.parse import urlsplit

import aiohttp
import msgspec
from aiohttp.abc import AbstractResolver, ResolveResult

from motma.core.errors import Invalid
from motma.core.words import Words

CONNECT_SECONDS, TOTAL_SECONDS = 10, 15
ANSWER_MAX_BYTES = 64 * 1024
URL_MAX_CHARS = 500

_ANSWER_SECONDS = 1
_KEEP_SECONDS = 4
"""Less than what servers keep one for, often 5 s: a message into a connection that is being closed would fail."""
_PORTS = (443, 8443)
_HOST = re.compile(r"(?=.{4,253}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])")
_REST = re.compile(r"/[!#-;=?-\[\]_a-z~]*|")
_LOCAL = re.compile(r"localhost|[a-z0-9-]{1,63}")
_GLOBAL_V6 = ipaddress.ip_network("2000::/3")
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
# Reserved for what lives inside a provider's network although they look public, or on the way to IPv6 and back.
_NEVER = tuple(map(ipaddress.ip_network, ("168.63.129.16/32", "192.88.99.0/24", "2001::/32", "2001:db8::/32")))

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolve = Callable[[str], Awaitable[list[str]]]
"""The addresses of a name, as text; raises ``OSError`` if there are none."""

Problem = Literal["webhook.status", "webhook.redirect", "webhook.timeout", "webhook.unreachable", "webhook.tls"]


class Answered(msgspec.Struct, frozen=True):
    """What came of a message: the ``status`` if there was an answer, and what is wrong; None: it was taken."""

    status: int | None
    problem: Problem | None


def is_public(address: Address) -> bool:
    """Whether an address is one of the open internet, and whatever it stands for or leads to is as well."""
    if isinstance(address, ipaddress.IPv6Address):
        inside = address.ipv4_mapped or address.sixtofour
        if address in _NAT64:
            inside = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if inside is not None:
            return is_public(inside)
        if address.scope_id or address not in _GLOBAL_V6:
            return False
    if any(address in network for network in _NEVER if network.version == address.version):
        return False
    return address.is_global and not (address.is_multicast or address.is_reserved)


def parse_url(raw: str, *, private: bool = False) -> str:
    """An address to send to, in one way of writing it. Raises :class:`Invalid` ``webhook.url``.

    https, a name of the open internet or a public address, port 443 or 8443, nobody's name or password, no fragment;
    ``private`` also takes http, any port and any host.
    """
    try:
        parts = urlsplit(raw)
        port = parts.port
        host = (parts.hostname or "").encode("idna").decode().lower()
    except (ValueError, UnicodeError):
        raise _bad_url() from None
    rest = parts.path + (f"?{parts.query}" if parts.query else "")
    if len(raw) > URL_MAX_CHARS or any(one <= " " for one in raw) or "@" in parts.netloc or "#" in raw or "\\" in raw:
        raise _bad_url()
    if parts.scheme not in (("https", "http") if private else ("https",)) or not _REST.fullmatch(rest):
        raise _bad_url()
    if port is not None and port not in _PORTS and not (private and port):
        raise _bad_url()
    if address := _literal(host):
        if not (private or is_public(address)):
            raise _bad_url()
        host = f"[{address}]" if address.version == 6 else str(address)
    elif not (_HOST.fullmatch(host) or (private and _LOCAL.fullmatch(host))):
        raise _bad_url()
    return f"{parts.scheme}://{host}{f':{port}' if port else ''}{rest or '/'}"


class WebhookSender:
    """Sends messages. Belongs to the event loop that opens it; ``private`` reaches every address, for demonstrations.

    ``resolve`` finds the addresses of a name, the system's way unless told otherwise; ``tls`` says whose certificates
    count.
    """

    def __init__(
        self, *, private: bool = False, resolve: Resolve | None = None, tls: ssl.SSLContext | None = None
    ) -> None:
        self._private = private
        self._tls = tls
        self._threads = ThreadPoolExecutor(16, thread_name_prefix="motma-names")
        self._names = _Names(resolve or self._looked_up, private)
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        connector = aiohttp.TCPConnector(
            resolver=self._names,
            use_dns_cache=False,
            limit=0,
            keepalive_timeout=_KEEP_SECONDS,
            ssl=self._tls if self._tls else True,
        )
        self._session = aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            timeout=aiohttp.ClientTimeout(total=TOTAL_SECONDS, connect=CONNECT_SECONDS),
            headers={"user-agent": "motma-webhooks/1", "accept-encoding": "identity"},
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._session is not None:
            await self._session.close()
        self._threads.shutdown(wait=False, cancel_futures=True)

    def parse(self, raw: str) -> str:
        """:func:`parse_url`, as this one was told."""
        return parse_url(raw, private=self._private)

    async def check(self, url: str) -> None:
        """Raises :class:`Invalid` ``webhook.address`` unless the name leads to public addresses now."""
        host = urlsplit(url).hostname or ""
        try:
            if _literal(host) is None:
                async with asyncio.timeout(CONNECT_SECONDS):
                    await self._names.addresses(host)
        except (OSError, TimeoutError):
            raise Invalid(
                "webhook.address",
                Words(
                    "Tên máy trong địa chỉ này không dẫn tới một địa chỉ công khai.",
                    "The host name of this address does not lead to a public address.",
                ),
            ) from None

    async def send(self, url: str, headers: Mapping[str, str], body: bytes) -> Answered:
        """Post ``body`` once. Never raises: whatever goes wrong is the answer."""
        assert self._session is not None
        try:
            address = _literal(urlsplit(url).hostname or "")
            if address and not (self._private or is_public(address)):
                return Answered(None, "webhook.unreachable")
            async with self._session.post(url, data=body, headers=headers, allow_redirects=False) as answer:
                await _rest_of(answer)
                return _said(answer.status)
        except TimeoutError:
            return Answered(None, "webhook.timeout")
        except (aiohttp.ClientConnectorCertificateError, aiohttp.ClientConnectorSSLError, ssl.SSLError):
            return Answered(None, "webhook.tls")
        except (aiohttp.ClientError, OSError, ValueError):
            return Answered(None, "webhook.unreachable")

    async def _looked_up(self, host: str) -> list[str]:
        loop = asyncio.get_running_loop()
        found = await loop.run_in_executor(
            self._threads, lambda: socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
        )
        return [str(address[0]) for *_, address in found]


class _Names(AbstractResolver):
    """Resolves names to addresses that may be connected to; asks about one name once at a time."""

    def __init__(self, resolve: Resolve, private: bool) -> None:
        self._resolve = resolve
        self._private = private
        self._asking: dict[str, asyncio.Task[list[str]]] = {}

    async def addresses(self, host: str) -> list[str]:
        """Raises ``OSError`` if the name has no address, or one that is not public."""
        asking = self._asking.get(host)
        if asking is None:
            asking = asyncio.create_task(self._look_up(host))
            self._asking[host] = asking
            asking.add_done_callback(lambda _: self._asking.pop(host, None))
        return await asyncio.shield(asking)

    async def _look_up(self, host: str) -> list[str]:
        found = await self._resolve(host)
        if not found or not (self._private or all(is_public(ipaddress.ip_address(one)) for one in found)):
            raise OSError("no public address")
        return found

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """As aiohttp asks: nothing is resolved again between this and the connection."""
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=socket.AF_INET6 if ":" in address else socket.AF_INET,
                proto=0,
                flags=socket.AI_NUMERICHOST,
            )
            for address in await self.addresses(host)
        ]

    async def close(self) -> None:
        for asking in self._asking.values():
            asking.cancel()


async def _rest_of(answer: aiohttp.ClientResponse) -> None:
    """Read on, so that the connection can be used again; not much, and not for long."""
    if answer.content.at_eof():  # most say nothing but a status: no timer for them
        return
    try:
        async with asyncio.timeout(_ANSWER_SECONDS):
            left = ANSWER_MAX_BYTES
            while left > 0 and (piece := await answer.content.readany()):
                left -= len(piece)
            if left <= 0:
                answer.close()
    except (TimeoutError, aiohttp.ClientError):
        answer.close()


def _said(status: int) -> Answered:
    if 200 <= status < 300:
        return Answered(status, None)
    return Answered(status, "webhook.redirect" if 300 <= status < 400 else "webhook.status")


def _literal(host: str) -> Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _bad_url() -> Invalid:
    return Invalid(
        "webhook.url",
        Words(
            "Địa chỉ phải là https, tên máy công khai, cổng 443 hoặc 8443, không kèm tên hay mật khẩu.",
            "The address must be https, a public host name, port 443 or 8443, with nobody's name or password in it.",
        ),
    )
