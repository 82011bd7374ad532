"""``motma serve`` as it is run: a process of its own, what it says kept in a file, ended by its id."""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp

from motma.config import Settings
from tests.register.running import register


def environment(settings: Settings) -> dict[str, str]:
    """The settings as ``MOTMA_…`` variables; the register is that of this test process unless they name one."""
    url, client, secret = settings.register_url, settings.register_client, settings.register_secret
    if not url:
        running = register()
        url, client, secret = running.url, running.client_id, running.client_secret
    return {
        **os.environ,
        "MOTMA_DATA": str(settings.data),
        "MOTMA_DATABASE_URL": settings.database_url,
        "MOTMA_PORT": str(settings.port),
        "MOTMA_ISSUER": settings.issuer,
        "MOTMA_REGISTER_URL": url,
        "MOTMA_REGISTER_CLIENT": client,
        "MOTMA_REGISTER_SECRET": secret,
    }


@contextlib.asynccontextmanager
async def served(settings: Settings, log: Path) -> AsyncIterator[str]:
    """Yields the server's address; what it writes to its two outputs is in ``log``."""
    with log.open("ab") as said:
        server = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "motma", "serve", env=environment(settings), stdout=said, stderr=said
        )
    url = f"http://127.0.0.1:{settings.port}"
    try:
        async with aiohttp.ClientSession() as session, asyncio.timeout(60):
            while True:
                assert server.returncode is None, await asyncio.to_thread(log.read_text)
                with contextlib.suppress(aiohttp.ClientError):
                    async with session.get(f"{url}/healthz") as answer:
                        if answer.status == 200:
                            break
                await asyncio.sleep(0.05)
        yield url
    finally:
        if server.returncode is None:
            server.send_signal(signal.SIGTERM)
            try:
                await asyncio.wait_for(server.wait(), 10)
            except TimeoutError:
                server.kill()
                await server.wait()
