"""``motma platform serve``: a twin as a process. Its clock and randomness come in here."""

import asyncio
import contextlib
import datetime as dt
import secrets
import socket
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import aiohttp
import click
import msgspec
import uvicorn

from motma.twins.app import App
from motma.twins.bluezone import TWIN as BLUEZONE
from motma.twins.dicuan import TWIN as DICUAN
from motma.twins.exchange import Exchange, own_key
from motma.twins.forms import Twin
from motma.twins.keys import Keeper
from motma.twins.letters import Outbox
from motma.twins.ncovi import TWIN as NCOVI
from motma.twins.receiver import Reader, Receiver, be_told
from motma.twins.scanner import Held
from motma.twins.store import TwinStore
from motma.twins.tokhaiyte import TWIN as TOKHAIYTE

TWINS: Mapping[str, Twin] = {twin.name: twin for twin in (BLUEZONE, NCOVI, TOKHAIYTE, DICUAN)}
_LISTS_SECONDS = 1.0
"""Nobody tells a platform what becomes of a code whose citizen it does not follow, and to ask in vain costs a 304."""


@click.command(short_help="Run one of the four.")
@click.argument("name", type=click.Choice(list(TWINS)))
@click.option("--exchange", required=True, metavar="URL", help="Where the exchange answers.")
@click.option(
    "--data", required=True, type=click.Path(file_okay=False, path_type=Path), help="Its own folder; made if need be."
)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", type=click.IntRange(0, 65535), default=0, show_default=True, help="0: any free port.")
@click.option("--public-url", metavar="URL", help="Where the exchange reaches it, if not where it listens.")
@click.option("--platform", metavar="ID", help="The id it is registered as, if not its name in capitals.")
@click.option(
    "--private-key",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Its key (PEM), if not the one made in its folder.",
)
@click.option(
    "--feed-seconds",
    type=click.FloatRange(0.1, 3600),
    default=5.0,
    show_default=True,
    help="Seconds between looks at the feed.",
)
@click.option("--conformance", is_flag=True, help="Open the doors of the conformance kit: never beside real users.")
def serve(
    name: str,
    exchange: str,
    data: Path,
    host: str,
    port: int,
    public_url: str | None,
    platform: str | None,
    private_key: Path | None,
    feed_seconds: float,
    conformance: bool,
) -> None:
    """Run a small stand-in of a platform, interlinked with the exchange over HTTP only (docs/twins.md).

    At its first start it makes a key of its own in its folder; register the public part at the exchange, such as
    `motma admit platform NCOVI NCOVI --connector ncovi --key FOLDER/key.jwk`. An exchange on this machine tells it of
    changes by webhook only if it runs with MOTMA_WEBHOOKS_PRIVATE=1. Prints one line, ready when it appears: the
    address that it listens on.
    """
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    with _listening(host, port) as listener:
        url = f"http://{f'[{host}]' if ':' in host else host}:{listener.getsockname()[1]}"
        running = Running(
            TWINS[name],
            exchange=exchange.rstrip("/"),
            platform=platform or TWINS[name].platform,
            data=data,
            key_file=private_key or data / "key.pem",
            url=(public_url or url).rstrip("/"),
            feed_seconds=feed_seconds,
        )
        click.echo(f"{name} on {url}")
        with contextlib.suppress(KeyboardInterrupt):
            asyncio.run(_run(running, listener, trials=conformance))


async def _run(running: "Running", listener: socket.socket, *, trials: bool) -> None:
    async with running.opened():
        config = uvicorn.Config(
            App(running, trials=trials),
            http="httptools",
            lifespan="off",
            access_log=False,  # addresses name what people declared
            server_header=False,
            log_level="warning",
            timeout_graceful_shutdown=1,
            timeout_keep_alive=75,  # longer than its callers keep a connection, or they would write to a closed one
        )
        await uvicorn.Server(config).serve(sockets=[listener])


class Running:
    """A twin's parts while it runs: what its doors stand on (:class:`motma.twins.app.Parts`)."""

    store: TwinStore
    outbox: Outbox
    receiver: Receiver

    def __init__(
        self,
        twin: Twin,
        *,
        exchange: str,
        platform: str,
        data: Path,
        key_file: Path,
        url: str,
        feed_seconds: float,
    ) -> None:
        self.twin, self._url, self._feed_seconds = twin, url, feed_seconds
        self._exchange_url, self._platform = exchange, platform
        self._data = data
        self._key = own_key(key_file)
        (data / "key.jwk").write_bytes(self.jwk())
        self._session: aiohttp.ClientSession
        self._tasks: list[asyncio.Task[None]] = []

    def jwk(self) -> bytes:
        """The public part of its key, as an exchange registers it."""
        return msgspec.json.encode(self._key.as_dict(private=False))

    @contextlib.asynccontextmanager
    async def opened(self) -> AsyncIterator[None]:
        """Its store, its way to the exchange, and what it does by itself."""
        self.store = TwinStore(self._data / "twin.db")
        async with aiohttp.ClientSession(auto_decompress=True) as self._session:
            self._begin()
            try:
                yield
            finally:
                await self._end()
                self.store.close()

    def _begin(self) -> None:
        exchange = Exchange(
            self._exchange_url, self._platform, self.twin.name, self._key, self._session, secrets.token_urlsafe
        )
        self._keeper = Keeper(self.store, exchange, lambda: dt.datetime.now(dt.UTC))
        self.outbox = Outbox(self.store, exchange)
        self.receiver = Receiver(self.store, on_news=self._keeper.wake)
        self._reader = Reader(self.store, exchange, seconds=self._feed_seconds, on_news=self._keeper.wake)
        work = (
            self.outbox.run(),
            self._reader.run(),
            self._keeper.run(_LISTS_SECONDS),
            be_told(self.store, exchange, f"{self._url}/webhook"),
        )
        self._tasks = [asyncio.create_task(one) for one in work]

    async def _end(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    @property
    def held(self) -> Held:
        """What its scanner judges by."""
        return self._keeper.held

    def token(self) -> str:
        """A new secret word that nobody guesses."""
        return secrets.token_urlsafe(18)

    async def connect(self, exchange: str, platform: str) -> None:
        """Begin anew at another exchange, as ``platform``: everything known of the last one is forgotten."""
        await self._end()
        self.store.forget_everything()
        self._exchange_url, self._platform = exchange.rstrip("/"), platform
        self._begin()

    def about(self) -> Mapping[str, Any]:
        """Who this is and how far it is: no word about anybody."""
        webhook = self.store.kept("webhook url")
        return {
            "name": self.twin.name,
            "connector": self.twin.name,
            "platform": self._platform,
            "jwks": {"keys": [self._key.as_dict(private=False)]},
            "webhook": webhook.decode() if webhook else None,
            "keys": self.held.trusted.version if self.held.trusted else None,
            "status_lists": len(self.held.status),
            "counts": self.store.counts(),
            "trouble": {"letters": self.outbox.trouble, "feed": self._reader.trouble},
        }


def _listening(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=4096)
    except OSError as error:
        raise click.ClickException(f"cannot listen on {host}:{port}: {error.strerror}") from None
