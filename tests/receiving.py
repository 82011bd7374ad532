"""A platform's receiver of webhooks, on the loopback: keeps what it was sent, and answers as the test says."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

import msgspec
from aiohttp import web


class Receiver:
    """What came, in order, whatever was answered; ``answers`` gives the status for a message's body."""

    def __init__(self) -> None:
        self.url = ""
        self.heard: list[tuple[Mapping[str, str], bytes]] = []
        self.answers: Callable[[dict[str, Any]], int] = lambda _: 204
        self.gate = asyncio.Event()
        self.gate.set()
        self.taken: list[tuple[str, dict[str, Any]]] = []
        """(id, message) of those that were answered with 2xx."""

    def ids(self) -> list[str]:
        return [id for id, _ in self.taken]

    def versions(self) -> dict[str, list[int]]:
        """By citizen, in order."""
        found: dict[str, list[int]] = {}
        for _, message in self.taken:
            found.setdefault(message["data"]["citizen"]["qid"], []).append(message["data"]["citizen"]["version"])
        return found

    def newest(self) -> dict[str, dict[str, Any]]:
        """By citizen, as a receiver keeps them: the highest version."""
        kept: dict[str, dict[str, Any]] = {}
        for _, message in self.taken:
            citizen = message["data"]["citizen"]
            if citizen["version"] >= kept.get(citizen["qid"], citizen)["version"]:
                kept[citizen["qid"]] = citizen
        return kept

    async def _take(self, request: web.Request) -> web.Response:
        body = await request.read()
        self.heard.append((dict(request.headers), body))
        await self.gate.wait()
        message = msgspec.json.decode(body)
        status = self.answers(message)
        if 200 <= status < 300:
            self.taken.append((request.headers["webhook-id"], message))
        return web.Response(status=status)


@contextlib.asynccontextmanager
async def receiver() -> AsyncIterator[Receiver]:
    """Yields a receiver that answers everything with 204."""
    one = Receiver()
    app = web.Application()
    app.router.add_post("/hook", one._take)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    one.url = f"http://127.0.0.1:{port}/hook"
    try:
        yield one
    finally:
        one.gate.set()
        await runner.cleanup()
