"""The programs that are replayed against: the server and the fictional register, each a process, ended by its id."""

import asyncio
import contextlib
import os
import secrets
import signal
import socket
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import aiohttp

from motma.config import Settings
from motma.core.errors import Unavailable
from motma.core.words import Words

_START_SECONDS = 180
"""Two seconds on a machine with nothing else to do."""
_END_SECONDS = 10


@dataclass(frozen=True, slots=True)
class RunningRegister:
    """A fictional register that answers at ``url`` whom it knows as ``client`` with ``secret``; ``pid`` is its id."""

    url: str
    client: str
    secret: str = field(repr=False)
    pid: int

    def told(self, settings: Settings) -> Settings:
        """``settings`` of a server that asks this register."""
        return replace(settings, register_url=self.url, register_client=self.client, register_secret=self.secret)


def free_port() -> int:
    """A port of this machine that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.asynccontextmanager
async def running_register(
    *, seed: int, size: int, port: int = 0, faults: bool = False, client: str = "", secret: str = ""
) -> AsyncIterator[RunningRegister]:
    """The fictional register in its own process, on any free port unless told; ended by its id afterwards.

    ``faults``: anybody on this machine can make it fail (docs/register.md). Without ``client`` and ``secret`` new
    ones are made. Raises :class:`Unavailable` ``replay.no_register`` when it does not start.
    """
    client, secret = client or "motma", secret or secrets.token_urlsafe(24)
    arguments = ["--port", str(port), "--seed", str(seed), "--size", str(size), "--client", f"{client}:{secret}"]
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "motma.register", *arguments, *(["--faults"] if faults else [])),
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        address = await _address(process)
        if not address:
            raise Unavailable(
                "replay.no_register",
                Words("Dữ liệu dân cư giả định không khởi động được.", "The fictional register did not start."),
            )
        yield RunningRegister(address, client, secret, process.pid)
    finally:
        await _end(process)


@dataclass(frozen=True, slots=True)
class RunningTwin:
    """A platform's twin that answers at ``url``; ``jwk`` is the file of its public key, ``pid`` its id."""

    name: str
    url: str
    jwk: Path
    pid: int


@contextlib.asynccontextmanager
async def running_twin(
    name: str, *, exchange: str, data: Path, port: int = 0, feed_seconds: float = 5.0, trials: bool = False
) -> AsyncIterator[RunningTwin]:
    """The twin ``name`` in its own process with its own folder ``data``; ended by its id afterwards.

    ``trials``: anybody on this machine can drive it (docs/twins.md). Raises :class:`Unavailable` ``replay.no_twin``.
    """
    arguments = [name, "--exchange", exchange, "--data", str(data), "--port", str(port)]
    arguments += ["--feed-seconds", str(feed_seconds), *(["--conformance"] if trials else [])]
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "motma.twins", *arguments), stdout=asyncio.subprocess.PIPE
    )
    try:
        address = await _address(process)
        if not address:
            raise Unavailable(
                "replay.no_twin",
                Words(f"Bản mô phỏng {name} không khởi động được.", f"The twin of {name} did not start."),
            )
        yield RunningTwin(name, address, data / "key.jwk", process.pid)
    finally:
        await _end(process)


async def _address(process: asyncio.subprocess.Process) -> str:
    """What a program says once it listens; "" if it ended before."""
    assert process.stdout is not None
    line = b""
    with contextlib.suppress(TimeoutError):
        line = await asyncio.wait_for(process.stdout.readline(), _START_SECONDS)
    address = line.decode().rpartition(" ")[2].strip()
    return address if address.startswith("http://") else ""


@contextlib.asynccontextmanager
async def running_server(settings: Settings) -> AsyncIterator[str]:
    """A server in its own process on these settings; ended by its id afterwards. Yields its address."""
    environment = {
        **os.environ,
        "MOTMA_DATA": str(settings.data),
        "MOTMA_DATABASE_URL": settings.database_url,
        "MOTMA_HOST": "127.0.0.1",
        "MOTMA_PORT": str(settings.port),
        "MOTMA_ISSUER": settings.issuer,
        "MOTMA_REGISTER_SEED": str(settings.register_seed),
        "MOTMA_REGISTER_SIZE": str(settings.register_size),
        "MOTMA_REGISTER_URL": settings.register_url,
        "MOTMA_REGISTER_CLIENT": settings.register_client,
        "MOTMA_REGISTER_SECRET": settings.register_secret,
        "MOTMA_SANDBOX": "1" if settings.sandbox else "0",
        "MOTMA_WEBHOOKS_PRIVATE": "1" if settings.webhooks_private else "0",
    }
    server = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "motma", "serve", env=environment, stdout=asyncio.subprocess.DEVNULL
    )
    url = f"http://127.0.0.1:{settings.port}"
    try:
        await _until_alive(url, server)
        yield url
    finally:
        await _end(server)


async def _until_alive(url: str, server: asyncio.subprocess.Process) -> None:
    async with aiohttp.ClientSession() as session:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_START_SECONDS):
                while server.returncode is None:
                    with contextlib.suppress(aiohttp.ClientError):
                        async with session.get(f"{url}/healthz") as answer:
                            if answer.status == 200:
                                return
                    await asyncio.sleep(0.1)
    raise Unavailable("replay.no_server", Words("Máy chủ không khởi động được.", "The server did not start."))


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):  # it ended by itself meanwhile
            process.send_signal(signal.SIGTERM)
        try:
            await asyncio.wait_for(process.wait(), _END_SECONDS)
        except TimeoutError:
            process.kill()
            await process.wait()
