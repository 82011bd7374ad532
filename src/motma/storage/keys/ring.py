"""The seal keys as the secrets file has them now, seen by servers that go on running while a command changes it."""

import os
import time
from pathlib import Path

from motma.core.errors import MotmaError
from motma.storage.keys.secrets import FILE_NAME, Secrets, open_file, read_file
from motma.storage.keys.unlock import Unlock
from motma.storage.seal import SealKey

LOOK_SECONDS = 1.0

_Seen = tuple[int, int, int] | None


class FileRing:
    """A :class:`motma.storage.seal.Ring` over ``secrets.json``.

    Asked for keys it looks at the file's date, no oftener than once in :data:`LOOK_SECONDS`: so no key that was
    replaced is used for longer than that, and nothing runs while nobody asks. While the file cannot be read, is damaged
    or opens with another unlock key, what was known goes on.
    """

    def __init__(self, folder: Path, unlock: Unlock, secrets: Secrets) -> None:
        self._path = folder / FILE_NAME
        self._unlock = unlock
        self._keys = secrets.seal_keys
        self._seen: _Seen = None  # of which file these keys are we do not know: it may have been replaced since
        self._next = 0.0

    def held(self) -> tuple[SealKey, ...]:
        """The keys, oldest first."""
        if time.monotonic() >= self._next:
            self.look()
        return self._keys

    def look(self) -> tuple[SealKey, ...]:
        """The keys as the file has them at this moment."""
        self._next = time.monotonic() + LOOK_SECONDS
        try:
            held = os.stat(self._path)  # noqa: PTH116 - half the time of Path.stat, and asked by requests
            seen = (held.st_ino, held.st_mtime_ns, held.st_size)
            if seen != self._seen:
                file = read_file(self._path)
                if file is not None:
                    keys = open_file(file, self._unlock, self._path).seal_keys
                    if keys != self._keys:
                        self._keys = keys
                    self._seen = seen  # taken before reading: a change in between is seen the next time
        except (OSError, MotmaError):
            return self._keys
        return self._keys
