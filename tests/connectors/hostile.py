"""A server on a free port that answers as it is told, byte by byte: what no register should do, done to our client."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable

from motma.connectors.registry.osia import Where

Answer = Callable[[str, asyncio.StreamWriter], Awaitable[None]]
"""Gets the request line and writes whatever it likes; the connection is closed when it returns without keeping it."""


def http(status: int, body: bytes = b"", *headers: str, kind: str | None = "application/json") -> bytes:
    """A whole HTTP answer."""
    head = [f"HTTP/1.1 {status} X", f"content-length: {len(body)}", *headers]
    if kind and body:
        head.append(f"content-type: {kind}")
    return "\r\n".join([*head, "", ""]).encode() + body


TOKEN = b'{"access_token": "t0ken", "token_type": "Bearer", "expires_in": 300}'


class Hostile:
    """What it answers to questions (``answer``) and for tokens (``token``), and what it was asked (``asked``)."""

    def __init__(self) -> None:
        self.answer: Answer | bytes = http(200, b"[]")
        self.token: Answer | bytes = http(200, TOKEN)
        self.asked: list[str] = []
        self.heads: list[str] = []
        self.port = 0
        self.at_once = self.most_at_once = 0

    def where(self, **changes: object) -> Where:
        given = {"timeout_seconds": 0.5, "failures": 1000, **changes}
        return Where(f"http://127.0.0.1:{self.port}", "us", "s3cret", **given)  # type: ignore[arg-type]

    @property
    def questions(self) -> int:
        return sum("/oauth2/token" not in line for line in self.asked)

    @property
    def tokens(self) -> int:
        return len(self.asked) - self.questions

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                line, _, rest = head.partition("\r\n")
                length = next((int(h[15:]) for h in rest.lower().split("\r\n") if h.startswith("content-length:")), 0)
                await reader.readexactly(length)
                self.asked.append(line)
                self.heads.append(head)
                answer = self.token if "/oauth2/token" in line else self.answer
                self.at_once += 1
                self.most_at_once = max(self.most_at_once, self.at_once)
                try:
                    if isinstance(answer, bytes):
                        writer.write(answer)
                    else:
                        await answer(line, writer)
                    await writer.drain()
                finally:
                    self.at_once -= 1
                if writer.is_closing():
                    return


@contextlib.asynccontextmanager
async def hostile() -> AsyncIterator[Hostile]:
    """Such a server while the block lasts."""
    it = Hostile()
    tasks: set[asyncio.Task[None]] = set()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            await it.serve(reader, writer)
        except asyncio.CancelledError:
            pass  # the end of the test
        finally:
            tasks.discard(task)
            writer.close()

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    it.port = server.sockets[0].getsockname()[1]
    try:
        yield it
    finally:
        server.close()
        for task in tuple(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await server.wait_closed()
