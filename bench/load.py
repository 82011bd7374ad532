"""A load generator that costs little: requests made beforehand, kept-alive connections, answers counted by status."""

import asyncio
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast


@dataclass(frozen=True, slots=True)
class Run:
    """What came of a run; ``latencies_seconds`` is sorted."""

    statuses: Counter[int]
    elapsed_seconds: float
    latencies_seconds: list[float]

    @property
    def per_second(self) -> float:
        return sum(self.statuses.values()) / self.elapsed_seconds

    def percentile_ms(self, share: float) -> float:
        return (
            self.latencies_seconds[min(len(self.latencies_seconds) - 1, int(len(self.latencies_seconds) * share))] * 1e3
        )


class _Connection(asyncio.Protocol):
    """Sends the next request as soon as an answer is complete."""

    def __init__(self, take: list[bytes], run: Run, done: asyncio.Future[None]) -> None:
        self._take = take
        self._run = run
        self._done = done
        self._buffer = b""
        self._sent_at = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop has a class of its own
        self._next()

    def _next(self) -> None:
        if not self._take:
            self._transport.close()
            if not self._done.done():
                self._done.set_result(None)
            return
        self._sent_at = time.perf_counter()
        self._transport.write(self._take.pop())

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head_end = self._buffer.find(b"\r\n\r\n")
        if head_end < 0:
            return
        head = self._buffer[:head_end].lower()
        at = head.find(b"content-length:")
        length = int(head[at + 15 :].split(b"\r\n", 1)[0]) if at >= 0 else 0
        if len(self._buffer) < head_end + 4 + length:
            return
        self._run.statuses[int(head[9:12])] += 1
        self._run.latencies_seconds.append(time.perf_counter() - self._sent_at)
        self._buffer = b""
        self._next()

    def connection_lost(self, error: Exception | None) -> None:
        if not self._done.done():
            self._done.set_exception(error or ConnectionResetError("closed before all answers came"))


async def load(port: int, requests: Sequence[bytes], connections: int = 64) -> Run:
    """Send every request once, ``connections`` at a time."""
    loop = asyncio.get_running_loop()
    run = Run(Counter(), 0.0, [])
    left = list(reversed(requests))
    started = time.perf_counter()
    done = []
    for _ in range(connections):
        future = loop.create_future()
        await loop.create_connection(lambda future=future: _Connection(left, run, future), "127.0.0.1", port)
        done.append(future)
    await asyncio.gather(*done)
    elapsed = time.perf_counter() - started
    return Run(run.statuses, elapsed, sorted(run.latencies_seconds))


def request(method: str, path: str, body: bytes, headers: dict[str, str]) -> bytes:
    """The bytes of one HTTP/1.1 request."""
    lines = [f"{method} {path} HTTP/1.1", "host: 127.0.0.1", f"content-length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + body
