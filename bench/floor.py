"""The floor under an endpoint: bare ASGI, one signature made or verified, one row in a full durable group commit.

``python -m bench.floor PORT verify|sign sqlite:///…|postgresql://…``. What a server of ours can at best be as fast as.
"""

import asyncio
import queue
import sqlite3
import sys
import threading
from typing import Any

import asyncpg
import uvicorn
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

_ES256 = ec.ECDSA(hashes.SHA256())
_MESSAGE = b"m" * 200


class _Sqlite:
    """One writer thread; what arrives while it commits is its next batch."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._waiting: queue.SimpleQueue[tuple[bytes, asyncio.Future[None]]] = queue.SimpleQueue()

    async def open(self) -> None:
        self._loop = asyncio.get_running_loop()
        threading.Thread(target=self._write, daemon=True).start()

    async def append(self, row: bytes) -> None:
        future = self._loop.create_future()
        self._waiting.put((row, future))
        await future

    def _write(self) -> None:
        database = sqlite3.connect(self._path, isolation_level=None)
        database.execute("PRAGMA journal_mode=WAL")
        database.execute("PRAGMA synchronous=FULL")
        database.execute("CREATE TABLE IF NOT EXISTS rows (seq INTEGER PRIMARY KEY, body BLOB)")
        while True:
            batch = [self._waiting.get()]
            while not self._waiting.empty():
                batch.append(self._waiting.get())
            database.execute("BEGIN")
            database.executemany("INSERT INTO rows (body) VALUES (?)", [(row,) for row, _ in batch])
            database.execute("COMMIT")
            self._loop.call_soon_threadsafe(_answer, [future for _, future in batch])


class _Postgres:
    """One connection; what arrives while it commits is its next batch."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._waiting: list[tuple[bytes, asyncio.Future[None]]] = []
        self._busy: asyncio.Task[None] | None = None

    async def open(self) -> None:
        self._database = await asyncpg.connect(self._url)
        await self._database.execute("CREATE TABLE IF NOT EXISTS rows (seq bigserial PRIMARY KEY, body bytea)")

    async def append(self, row: bytes) -> None:
        future = asyncio.get_running_loop().create_future()
        self._waiting.append((row, future))
        if self._busy is None:
            self._busy = asyncio.create_task(self._write())
        await future

    async def _write(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting, []
            rows = [row for row, _ in batch]
            await self._database.execute("INSERT INTO rows (body) SELECT * FROM unnest($1::bytea[])", rows)
            _answer([future for _, future in batch])
        self._busy = None


def _answer(futures: list[asyncio.Future[None]]) -> None:
    for future in futures:
        if not future.done():
            future.set_result(None)


def application(act: str, url: str) -> Any:
    """The bare ASGI application."""
    private = ec.generate_private_key(ec.SECP256R1())
    public, signature = private.public_key(), private.sign(_MESSAGE, _ES256)
    rows = _Sqlite(url.removeprefix("sqlite:///")) if url.startswith("sqlite") else _Postgres(url)
    answer = b'{"outcome":"accept"}'
    head = {
        "type": "http.response.start",
        "status": 200,
        "headers": [(b"content-type", b"application/json"), (b"content-length", str(len(answer)).encode())],
    }

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await receive()
            await rows.open()
            await send({"type": "lifespan.startup.complete"})
            await receive()
            await send({"type": "lifespan.shutdown.complete"})
            return
        message = await receive()
        body = message["body"]
        while message.get("more_body"):
            message = await receive()
            body += message["body"]
        if act == "verify":
            public.verify(signature, _MESSAGE, _ES256)
        elif act == "sign":
            private.sign(_MESSAGE, _ES256)
        if act != "start":
            await rows.append(body)
        await send(head)
        await send({"type": "http.response.body", "body": answer})

    return app


def main() -> None:
    """Serve until ended."""
    port, act, url = sys.argv[1:]
    uvicorn.run(
        application(act, url),
        port=int(port),
        loop="uvloop",
        http="httptools",
        access_log=False,
        log_level="warning",
        lifespan="on",
    )


if __name__ == "__main__":
    main()
