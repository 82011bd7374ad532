"""The fictional register as it is run: its own process on a free port, one for each process of tests.

where = register()
where.fault(outage=True)
...
where.clear()
"""

import atexit
import contextlib
import functools
import http.client
import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

SEED, SIZE = 2021, 100_000


@dataclass(frozen=True)
class Running:
    """A register that answers at ``url``; ``client_id`` may ask it everything."""

    url: str
    client_id: str
    client_secret: str
    process: "subprocess.Popen[str]" = field(repr=False)

    def fault(self, **faults: Any) -> dict[str, Any]:
        """Switch faults on, and all others off: latency_ms, error_rate, outage, wrong_rate, hang, revoke_tokens."""
        return self._control("PUT", json.dumps(faults))

    def clear(self) -> None:
        """Switch all faults off."""
        self._control("DELETE")

    def end(self) -> None:
        """End the process."""
        self.process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(5)
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        if self.process.stdout:
            self.process.stdout.close()

    def _control(self, method: str, body: str | None = None) -> dict[str, Any]:
        connection = http.client.HTTPConnection(urlsplit(self.url).netloc, timeout=10)
        try:
            connection.request(method, "/faults", body)
            answer = connection.getresponse()
            content = answer.read()
            if answer.status != 200:
                raise AssertionError(f"{answer.status}: {content!r}")
            decoded: dict[str, Any] = json.loads(content)
            return decoded
        finally:
            connection.close()


def start(*options: str, seed: int = SEED, size: int = SIZE, faults: bool = True) -> Running:
    """A register of its own; whoever starts it ends it."""
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "motma.register", "--port", "0", "--client", "tests:s3cret/+ ế:x"),
            *("--seed", str(seed), "--size", str(size), *(["--faults"] if faults else []), *options),
        ],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    assert process.stdout is not None
    line = process.stdout.readline()  # ends too when the process does
    address = line.rpartition(" ")[2].strip()
    if not address.startswith("http://"):
        process.kill()
        process.wait()
        raise AssertionError(f"the register did not start: {line!r}")
    return Running(address, "tests", "s3cret/+ ế:x", process)


@functools.cache
def register() -> Running:
    """The register of this process: started when first asked for, ended with the process."""
    running = start()
    atexit.register(running.end)
    return running
