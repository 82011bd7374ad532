"""What one declaration of a platform costs the server, part by part: ``python -m bench.costs [--platforms 4]``.

CPU time and not the clock's, so that what else runs on the machine does not count. One server process as it is served,
with the sampler inside; the register, the load and the receiver of webhooks are processes of their own. Everybody
declares on every platform, in random order; each change goes to the webhook of every platform that follows the citizen.

A sample is taken with every few milliseconds of CPU: what the main thread used since the last goes to the part that its
stack is in, by the innermost function that belongs to one; the writing and reading threads have clocks of their own.
"""

import argparse
import asyncio
import contextlib
import multiprocessing
import os
import random
import signal
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field, replace
from multiprocessing.connection import Connection
from pathlib import Path
from types import FrameType
from typing import Any

import msgspec
import uvloop
from joserfc import jwt
from joserfc.jwk import ECKey
from rich.console import Console
from rich.table import Table

from bench.load import Run, load, request
from motma.config import Settings, read_settings
from motma.conformance.exchange import SCOPES, declaration_of
from motma.measures import load_demo_measure
from motma.register.population import Population
from motma.replay.processes import free_port, running_register
from motma.serve import server
from motma.twins.program import TWINS
from motma.wiring import build, utc_now

PLATFORMS = ("BLUEZONE", "NCOVI", "TOKHAIYTE", "DICUAN")
_SAMPLE_SECONDS = 0.001
_IDLE_SECONDS = 20

_PARTS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("tell: read what changed", ("services/exchange/feed.py", "services/exchange/tail.py")),
    ("tell: sign", ("services/exchange/messages.py", "standardwebhooks/")),
    ("tell: HTTP out", ("connectors/webhooks.py",)),
    ("tell: rounds", ("services/exchange/telling.py", "motma/worker.py", "storage/outbox.py")),
    (
        "accept: ask the register",
        ("connectors/registry/", "services/matching.py", "core/identity.py", "core/text.py", "aiohttp/"),
    ),
    ("accept: token, quota, scope", ("web/exchange/guard.py", "web/access.py", "services/exchange/quotas.py")),
    ("accept: sign the code", ("core/code.py", "core/cose.py", "core/claims.py", "services/codes.py")),
    ("accept: whose number, tries", ("services/citizens.py", "services/tries.py")),
    ("accept: who says otherwise", ("services/exchange/provenance.py", "core/provenance.py")),
    ("accept: status list", ("services/status.py",)),
    ("accept: their form", ("connectors/platforms/", "services/exchange/inbox.py")),
    ("accept: our form", ("core/form.py", "core/sent.py")),
    ("accept: rows and seal", ("storage/acts.py", "storage/writer.py")),
    ("accept: declare", ("services/declare.py",)),
    ("accept: answer", ("web/exchange/", "web/problems.py", "web/api.py")),
    ("accept: HTTP in", ("uvicorn/", "litestar/", "motma/web/")),
)
"""What is in which files."""
_TELLS = ("services/exchange/telling.py", "services/exchange/tail.py", "motma/worker.py")


@dataclass(slots=True)
class Sampler:
    """Samples the main thread while it runs."""

    spent: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    hot: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    _at: float = 0.0
    _before: dict[str, float] = field(default_factory=dict)
    threads: dict[str, float] = field(default_factory=dict)

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        """Sample until it ends."""
        before, self._at = _threads(), time.thread_time()
        signal.signal(signal.SIGPROF, self._take)
        signal.setitimer(signal.ITIMER_PROF, _SAMPLE_SECONDS, _SAMPLE_SECONDS)
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)
            after = _threads()
            self.threads = {name: spent - before.get(name, 0.0) for name, spent in after.items()}

    def _take(self, _: int, frame: FrameType | None) -> None:
        now = time.thread_time()
        part, function = _part(frame)
        self.spent[part] += now - self._at
        self.hot[f"{part} | {function}"] += now - self._at
        self._at = time.thread_time()


def _threads() -> dict[str, float]:
    """CPU seconds of each kind of thread of this process."""
    names = {thread.native_id: thread.name.partition("_")[0] for thread in threading.enumerate()}
    spent: dict[str, float] = defaultdict(float)
    for task in Path("/proc/self/task").iterdir():
        with contextlib.suppress(OSError):
            clock = (task / "schedstat").read_text().split()[0]
            spent[names.get(int(task.name), "others")] += int(clock) / 1e9
    return dict(spent)


def _part(frame: FrameType | None) -> tuple[str, str]:
    """(the part that a stack is in, its innermost function)."""
    files: list[str] = []
    function = ""
    while frame is not None:
        file = frame.f_code.co_filename
        if not function:
            function = f"{'/'.join(file.split('/')[-2:])}:{frame.f_code.co_name}"
        files.append(file)
        frame = frame.f_back
    tells = any(one in file for file in files for one in _TELLS)
    for file in files:
        for part, where in _PARTS:
            if any(one in file for one in where):
                if tells and part.startswith("accept"):
                    continue
                return part, function
    if tells:
        return "tell: rounds", function
    return "event loop", function


class _Receives(asyncio.Protocol):
    """A platform's receiver: counts what came, says 204."""

    heard = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: Any = transport
        self._buffer = b""

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while (end := self._buffer.find(b"\r\n\r\n")) >= 0:
            head = self._buffer[:end].lower()
            at = head.find(b"content-length:")
            length = int(head[at + 15 :].split(b"\r\n", 1)[0])
            if len(self._buffer) < end + 4 + length:
                return
            self._buffer = self._buffer[end + 4 + length :]
            _Receives.heard += 1
            self._transport.write(b"HTTP/1.1 204 No Content\r\n\r\n")


def _receive(pipe: Connection) -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        listening = await loop.create_server(_Receives, "127.0.0.1", 0, backlog=1_000)
        pipe.send(listening.sockets[0].getsockname()[1])
        while await loop.run_in_executor(None, pipe.recv):
            pipe.send(_Receives.heard)

    uvloop.run(main())


@contextlib.contextmanager
def _receiver() -> Iterator[tuple[int, Connection]]:
    """(port, where to ask how many came)."""
    spawning = multiprocessing.get_context("spawn")
    ours, theirs = spawning.Pipe()
    process = spawning.Process(target=_receive, args=(theirs,), daemon=True)
    process.start()
    try:
        yield ours.recv(), ours
    finally:
        ours.send(False)
        process.join(5)


def _drive(port: int, requests: list[bytes], at_once: int) -> Run:
    return uvloop.run(load(port, requests, at_once))


async def _tokens(settings: Settings, platforms: Sequence[str], hook: int, native: bool) -> dict[str, str]:
    """Let the platforms in, set where they are told, and get each a token by its key."""
    tokens = {}
    async with build(settings) as built:
        house, now = built.house, utc_now()
        await house.steer.publish_measure(load_demo_measure(now), by="cli", now=now)
        for platform in platforms:
            connector = "native" if native else platform.lower()
            await house.platforms.register(
                platform,
                platform,
                scopes=SCOPES,
                connector=connector,
                per_second=1_000,
                per_day=10_000_000,
                by="cli",
                now=now,
            )
            key = ECKey.generate_key("P-256", private=True)
            public = msgspec.json.encode(key.as_dict(private=False)).decode()
            await house.platforms.add_key(platform, public, by="cli", now=now)
            claims = {
                "iss": platform,
                "sub": platform,
                "aud": house.tokens.issuer,
                "exp": int(now.timestamp()) + 120,
                "jti": os.urandom(8).hex(),
            }
            header = {"alg": "ES256", "kid": key.thumbprint()}
            given = await house.tokens.give(jwt.encode(header, claims, key, algorithms=["ES256"]), "", "", now)
            tokens[platform] = given.secret
            if hook:
                await house.webhooks.set(platform, f"http://127.0.0.1:{hook}/{platform}", None, now)
    return tokens


def _requests(
    people: Population, count: int, tokens: dict[str, str], *, native: bool, begin: int, seed: int
) -> list[bytes]:
    luck, now, found = random.Random(seed), utc_now(), list[bytes]()
    index = begin
    while len(found) < count * len(tokens):
        person = people.person(index)
        index += 1
        if person.birth_date.year >= 2005 or person.documents[0].kind != "cccd" or person.year_only:
            continue
        body = declaration_of(person, now, luck=luck)
        for platform, token in tokens.items():
            twin = TWINS[platform.lower()]
            kind = "application/json" if native else twin.content_type
            sent = msgspec.json.encode(body) if native else twin.write(twin.fill(body))
            path = "/v1/declarations" if native else f"/v1/inbox/{platform.lower()}"
            headers = {
                "authorization": f"Bearer {token}",
                "content-type": kind,
                "idempotency-key": luck.randbytes(12).hex(),
            }
            found.append(request("POST", path, sent, headers))
    luck.shuffle(found)
    return found


@contextlib.asynccontextmanager
async def _serving(settings: Settings) -> AsyncIterator[None]:
    """The server, as it is served, in this process."""
    ours = server(settings)
    serving = asyncio.create_task(ours.serve())
    while not ours.started:  # noqa: ASYNC110  # it has no event
        await asyncio.sleep(0.05)
    try:
        yield
    finally:
        ours.should_exit = True
        await serving


async def measure(asked: argparse.Namespace, folder: Path) -> None:
    """Send, wait until everybody was told, and print the table."""
    settings = replace(
        read_settings({}),
        data=folder,
        database_url=f"sqlite:///{folder / 'motma.db'}",
        port=free_port(),
        sandbox=True,
        webhooks_private=True,
        register_size=100_000,
    )
    platforms = PLATFORMS[: asked.platforms]
    with contextlib.ExitStack() as stack:
        port, pipe = stack.enter_context(_receiver())
        pool = stack.enter_context(ProcessPoolExecutor(1, multiprocessing.get_context("spawn")))
        async with running_register(seed=settings.register_seed, size=settings.register_size) as register:
            settings = register.told(settings)
            tokens = await _tokens(settings, platforms, port if asked.webhooks else 0, not asked.theirs)
            people = Population(settings.register_seed, settings.register_size)
            make = [
                _requests(people, n, tokens, native=not asked.theirs, begin=begin, seed=begin)
                for n, begin in ((100, 50_000), (asked.people, 0))
            ]  # the first to warm up
            async with _serving(settings):
                loop, sampler = asyncio.get_running_loop(), Sampler()

                async def told() -> int:
                    """How many messages came, once no more come."""
                    before = -1
                    while True:
                        pipe.send(True)
                        now: int = await loop.run_in_executor(None, pipe.recv)
                        if now == before:
                            return now
                        before = now
                        await asyncio.sleep(3)

                await loop.run_in_executor(pool, _drive, settings.port, make[0], asked.at_once)
                warm = await told()
                cpu = time.process_time()
                with sampler.running():
                    run = await loop.run_in_executor(pool, _drive, settings.port, make[1], asked.at_once)
                    accepted = time.process_time() - cpu
                    heard = await told() - warm
                    cpu = time.process_time() - cpu
    _print(sampler, run, heard, cpu, accepted, asked)


def _print(sampler: Sampler, run: Run, heard: int, cpu: float, accepted: float, asked: argparse.Namespace) -> None:
    count = sum(run.statuses.values())
    table = Table("part", "µs a declaration", "share", title=f"{count} declarations, {heard} messages")
    main = sum(sampler.spent.values())
    threads = {
        f"thread: {name.removeprefix('motma-')}": spent
        for name, spent in sampler.threads.items()
        if name != "MainThread" and spent > 0
    }
    rows = {**sampler.spent, **threads}
    for part, spent in sorted(rows.items()):
        table.add_row(part, f"{spent / count * 1e6:,.0f}", f"{spent / cpu:.1%}")
    table.add_row("all", f"{cpu / count * 1e6:,.0f}", f"{(main + sum(threads.values())) / cpu:.1%} seen")
    console = Console(width=110)
    console.print(table)
    if asked.hot:
        for name, spent in sorted(sampler.hot.items(), key=lambda one: -one[1])[: asked.hot]:
            console.print(f"{spent / count * 1e6:8,.0f}  {name}")
    console.print(
        f"{dict(run.statuses)}; {cpu / count * 1e6:,.0f} µs a declaration, {heard / count:.2f} messages each;"
        f" {accepted:.1f} s of {cpu:.1f} s of CPU until the last was answered; P99 {run.percentile_ms(0.99):,.0f} ms"
    )


def main() -> None:
    """Measure once."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, default=1_000)
    parser.add_argument("--platforms", type=int, default=1, choices=range(1, 5))
    parser.add_argument("--at-once", type=int, default=32)
    parser.add_argument("--theirs", action="store_true", help="In the platforms' own forms, by the inbox.")
    parser.add_argument("--webhooks", action=argparse.BooleanOptionalAction, default=True)
    parser.add_argument("--hot", type=int, default=0, help="Print so many of the costliest functions too.")
    with tempfile.TemporaryDirectory(prefix="motma-bench-") as folder:
        uvloop.run(measure(parser.parse_args(), Path(folder)))


if __name__ == "__main__":
    main()
