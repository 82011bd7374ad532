"""Messages go to public addresses only, by whatever name; and an answer is worth its status and no more."""

import asyncio
import contextlib
import datetime as dt
import ipaddress
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from motma.connectors.webhooks import TOTAL_SECONDS, Answered, WebhookSender, is_public, parse_url
from motma.core.errors import Invalid

INNER = (
    "127.0.0.1", "127.8.8.8", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "169.254.169.254",
    "100.64.0.1", "100.100.100.200", "0.0.0.0", "255.255.255.255", "224.0.0.1", "239.1.1.1", "240.0.0.1",
    "192.0.0.1", "192.0.2.1", "198.18.0.1", "198.51.100.1", "203.0.113.1", "192.88.99.1", "168.63.129.16",
    "::", "::1", "fe80::1", "fe80::1%eth0", "fc00::1", "fd00:ec2::254", "ff02::1", "2001:db8::1", "2001::1",
    "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::127.0.0.1", "2002:7f00:1::", "2002:a00:1::", "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe", "64:ff9b:1::7f00:1", "100::1", "3fff:ffff::1%0",
)  # fmt: skip
OUTER = ("1.1.1.1", "8.8.8.8", "203.162.4.190", "2606:4700::1111", "::ffff:1.1.1.1", "64:ff9b::101:101")


@pytest.mark.parametrize("address", INNER)
def test_what_is_not_of_the_open_internet(address: str) -> None:
    assert not is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize("address", OUTER)
def test_what_is(address: str) -> None:
    assert is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize(
    "url",
    [
        "http://example.vn/", "ftp://example.vn/", "//example.vn/", "example.vn", "", "https://", "https:///x",
        "https://example.vn:80/", "https://example.vn:22/", "https://example.vn:6379/", "https://example.vn:0/",
        "https://example.vn:99999/", "https://example.vn:x/", "https://u:p@example.vn/", "https://@example.vn/",
        "https://example.vn/#x", "https://example.vn/a b", " https://example.vn/", "https://example.vn/\n",
        "https://exam\tple.vn/", "https://example.vn\\@evil.vn/", "https://localhost/", "https://intranet/",
        "https://127.0.0.1/", "https://127.1/", "https://2130706433/", "https://0x7f.0.0.1/", "https://0177.0.0.1/",
        "https://１２７.0.0.1/", "https://[::1]/", "https://[::ffff:10.0.0.1]/", "https://[fe80::1%25eth0]/",
        "https://169.254.169.254/latest/meta-data", "https://-x.vn/", "https://x..vn/", "https://example.vn./",
        "https://example.vn/" + "x" * 500, "https://exa<mple.vn/", "javascript:alert(1)", "https://[::1",
    ],
)  # fmt: skip
def test_addresses_that_nobody_is_told_at(url: str) -> None:
    with pytest.raises(Invalid) as error:
        parse_url(url)
    assert error.value.code == "webhook.url"


def test_one_way_of_writing_an_address() -> None:
    for raw, written in (
        ("https://Example.VN", "https://example.vn/"),
        ("https://example.vn:8443/a/b?c=%20d", "https://example.vn:8443/a/b?c=%20d"),
        ("https://bộytế.vn/m", f"https://{'bộytế.vn'.encode('idna').decode()}/m"),
        ("https://1.1.1.1:443/", "https://1.1.1.1:443/"),
        ("https://[2606:4700::1111]/x", "https://[2606:4700::1111]/x"),
    ):
        assert parse_url(raw) == written == parse_url(written)
        assert written.isascii()
    assert parse_url("http://127.0.0.1:9/x", private=True) == "http://127.0.0.1:9/x"
    assert parse_url("http://localhost:9", private=True) == "http://localhost:9/"


# -- a receiver, and a name server that the test has in hand -------------------------------------------------------

Answer = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@contextlib.asynccontextmanager
async def receiver(answer: Answer, tls: ssl.SSLContext | None = None) -> AsyncIterator[tuple[int, list[bytes]]]:
    """(port, what was sent there) of a server of raw bytes on the loopback."""
    heard: list[bytes] = []

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            while head := await reader.readuntil(b"\r\n\r\n"):
                length = int(
                    next(line for line in head.split(b"\r\n") if line.lower().startswith(b"content-length"))[16:]
                )
                heard.append(head + await reader.readexactly(length))
                await answer(reader, writer)
        writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0, ssl=tls)
    try:
        yield server.sockets[0].getsockname()[1], heard
    finally:
        server.close()


def says(text: bytes) -> Answer:
    async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(text)
        await writer.drain()

    return answer


def resolving(*found: str) -> tuple[Callable[[str], Awaitable[list[str]]], list[str]]:
    """A name server that gives out one address after the other, and who asked for what."""
    asked: list[str] = []

    async def resolve(host: str) -> list[str]:
        asked.append(host)
        return [found[min(len(asked), len(found)) - 1]]

    return resolve, asked


async def send(url: str, sender: WebhookSender) -> Answered:
    async with sender:
        return await sender.send(url, {"webhook-id": "chg_1"}, b"{}")


OK = b"HTTP/1.1 204 No Content\r\n\r\n"


@pytest.mark.parametrize(
    ("text", "came"),
    [
        (OK, (204, None)),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok", (200, None)),
        (b"HTTP/1.1 500 X\r\ncontent-length: 0\r\n\r\n", (500, "webhook.status")),
        (b"HTTP/1.1 410 Gone\r\ncontent-length: 0\r\n\r\n", (410, "webhook.status")),
        (b"HTTP/1.1 301 X\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n", (301, "webhook.redirect")),
        (b"HTTP/1.1 307 X\r\nlocation: /\r\ncontent-length: 0\r\n\r\n", (307, "webhook.redirect")),
        (b"SSH-2.0-OpenSSH\r\n\r\n", (None, "webhook.unreachable")),
        (b"HTTP/1.1 200 OK\r\nx: " + b"y" * 100_000 + b"\r\n\r\n", (None, "webhook.unreachable")),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 9999999999\r\n\r\n" + b"x" * 1_000_000, (200, None)),
        (b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 3\r\n\r\nxxx", (200, None)),
    ],
    ids=lambda one: str(one)[:40] if isinstance(one, tuple) else "",
)
async def test_an_answer_is_worth_its_status(text: bytes, came: tuple[int | None, str | None]) -> None:
    async with receiver(says(text)) as (port, heard):
        answered = await send(f"http://127.0.0.1:{port}/x", WebhookSender(private=True))
    assert (answered.status, answered.problem) == came
    assert len(heard) == 1, "nothing is sent twice, nor on"
    assert heard[0].startswith(b"POST /x HTTP/1.1\r\n") and heard[0].endswith(b"\r\n\r\n{}")


async def test_a_receiver_that_never_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("motma.connectors.webhooks.TOTAL_SECONDS", 0.2)
    assert TOTAL_SECONDS == 15

    async def hold(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await reader.read()

    async with receiver(hold) as (port, _):
        assert await send(f"http://127.0.0.1:{port}/", WebhookSender(private=True)) == Answered(None, "webhook.timeout")


async def test_nobody_there() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    answered = await send(f"http://127.0.0.1:{port}/", WebhookSender(private=True))
    assert answered == Answered(None, "webhook.unreachable")


async def test_a_certificate_counts_only_for_who_it_names(tmp_path: Path) -> None:
    """Of nobody we know: refused. Of somebody we know: taken, under their own name and no other."""
    ours = _certificate(tmp_path, "hooks.example.vn")
    trusting = ssl.create_default_context(cafile=str(tmp_path / "certificate.pem"))
    resolve, _ = resolving("127.0.0.1")
    async with receiver(says(OK), ours) as (port, heard):
        for tls, host, problem in (
            (None, "hooks.example.vn", "webhook.tls"),
            (trusting, "other.example.vn", "webhook.tls"),
            (trusting, "hooks.example.vn", None),
        ):
            sender = WebhookSender(private=True, resolve=resolve, tls=tls)
            assert (await send(f"https://{host}:{port}/", sender)).problem == problem
    assert len(heard) == 1


def _certificate(folder: Path, host: str) -> ssl.SSLContext:
    """A server with a certificate that it signed itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
    begins = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), 1, begins, begins + dt.timedelta(days=36_500))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    (folder / "certificate.pem").write_bytes(made.public_bytes(Encoding.PEM))
    (folder / "key.pem").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "certificate.pem", folder / "key.pem")
    return context


async def test_a_name_that_leads_inside_is_not_followed() -> None:
    async with receiver(says(OK)) as (port, heard):
        for inner in ("127.0.0.1", "10.1.2.3", "169.254.169.254", "::1", "::ffff:127.0.0.1"):
            resolve, asked = resolving(inner)
            answered = await send(f"http://hooks.example.vn:{port}/", WebhookSender(resolve=resolve))
            assert answered == Answered(None, "webhook.unreachable"), inner
            assert asked == ["hooks.example.vn"]
        assert (await send(f"http://127.0.0.1:{port}/", WebhookSender())).problem == "webhook.unreachable"
    assert heard == []


async def test_one_inner_address_among_public_ones_spoils_all() -> None:
    async def resolve(_: str) -> list[str]:
        return ["1.1.1.1", "127.0.0.1"]

    async with receiver(says(OK)) as (port, heard):
        answered = await send(f"http://hooks.example.vn:{port}/", WebhookSender(resolve=resolve))
    assert (answered.problem, heard) == ("webhook.unreachable", [])


async def test_a_name_that_changes_its_mind_leads_nowhere() -> None:
    """DNS rebinding: public when it is looked at, inner when it is used. What was looked at is what is used."""
    resolve, asked = resolving("1.1.1.1", "127.0.0.1")
    async with receiver(says(OK)) as (port, heard), WebhookSender(resolve=resolve) as sender:
        await sender.check(f"https://hooks.example.vn:{port}/")
        answered = await sender.send(f"http://hooks.example.vn:{port}/", {}, b"{}")
        assert answered == Answered(None, "webhook.unreachable")
        assert len(asked) == 2, "asked once for each, and not again before the connection is made"
    assert heard == []


async def test_what_is_connected_to_is_what_was_looked_at() -> None:
    """The loopback, under a name: only our resolver knows it, so the connection went where the resolver said."""
    resolve, asked = resolving("127.0.0.1")
    async with receiver(says(OK)) as (port, heard):
        sender = WebhookSender(private=True, resolve=resolve)
        assert await send(f"http://hooks.example.vn:{port}/", sender) == Answered(204, None)
    assert asked == ["hooks.example.vn"] and b"hooks.example.vn" in heard[0]


async def test_many_ask_for_one_name_once() -> None:
    gate, asked = asyncio.Event(), list[str]()

    async def resolve(host: str) -> list[str]:
        asked.append(host)
        await gate.wait()
        return ["127.0.0.1"]

    async with receiver(says(OK)) as (port, heard), WebhookSender(private=True, resolve=resolve) as sender:
        sent = [asyncio.create_task(sender.send(f"http://x.vn:{port}/", {}, b"{}")) for _ in range(20)]
        await asyncio.sleep(0.05)
        gate.set()
        assert {(await one).status for one in sent} == {204}
    assert len(asked) < 20 and len(heard) == 20


async def test_what_is_said_of_an_address_tells_nothing_of_what_is_inside() -> None:
    async def nothing(_: str) -> list[str]:
        raise socket.gaierror("no such name in the inner zone")

    said = set()
    for resolve in (nothing, resolving("10.0.0.7")[0]):
        async with WebhookSender(resolve=resolve) as sender:
            with pytest.raises(Invalid) as error:
                await sender.check("https://db.example.vn/")
            said.add((error.value.code, error.value.words))
    assert len(said) == 1 and "10.0" not in str(said)
