"""Files that only their owner may see: read with care, written whole or not at all, never written over by accident."""

import base64
import contextlib
import errno
import fcntl
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from motma.core.errors import Unavailable
from motma.core.words import Words

_MAX_BYTES = 65_536
OTHERS = 0o077
"""Mode bits of anybody but the owner."""


def check_folder(folder: Path) -> None:
    """Make ``folder``, and what is missing above it, for the owner only (0700).

    Raises ``secrets.exposed`` if others may write to it.
    """
    # `mkdir(parents=True)` would leave those above open to others: the demonstration's lies in a data folder to come.
    for missing in reversed([one for one in (folder, *folder.parents) if not one.exists()]):
        missing.mkdir(mode=0o700, exist_ok=True)
    if folder.stat().st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise exposed(folder, "chmod go-w")


def read_private(path: Path, *, forbidden: int = OTHERS, follow: bool = False) -> bytes:
    """What is in ``path``. Raises ``OSError``; ``secrets.exposed`` if its mode has one of the ``forbidden`` bits."""
    # What is checked is what is read. A pipe in the place of the file must not make us wait for ever.
    flags = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | (0 if follow else os.O_NOFOLLOW)
    with open(os.open(path, flags), "rb") as file:  # noqa: PTH123 - opened with flags of ours
        held = os.fstat(file.fileno())
        if not stat.S_ISREG(held.st_mode):
            raise OSError(errno.EINVAL, "not a file", str(path))
        if held.st_mode & forbidden:
            raise exposed(path, "chmod 600")
        return file.read(_MAX_BYTES)


def put_new(path: Path, content: bytes) -> bool:
    """Put a new file (0600) in place, on disk when this returns. False if there is one already: that one stays."""
    draft = _draft(path, content)
    try:
        os.link(draft, path)  # unlike a rename, it never takes the place of a file
    except FileExistsError:
        return False
    finally:
        draft.unlink()
    _settle(path.parent)
    return True


def replace(path: Path, content: bytes) -> None:
    """Put ``content`` in the place of a file, on disk when this returns: whoever looks sees the old or the new."""
    draft = _draft(path, content)
    try:
        draft.rename(path)
    except OSError:
        draft.unlink()
        raise
    _settle(path.parent)


@contextlib.contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Nobody else who asks for this changes what is in ``folder`` meanwhile. A process that dies lets go."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def sweep(path: Path) -> None:
    """Take away what somebody who was killed left of a new ``path``. To be called :func:`alone`."""
    for draft in path.parent.glob(f".{path.name}.*"):
        draft.unlink(missing_ok=True)


def _draft(path: Path, content: bytes) -> Path:
    """The content in a file beside ``path``, on disk."""
    draft = path.with_name(f".{path.name}.{base64.b32encode(os.urandom(10)).decode().lower()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with open(descriptor, "wb") as file:  # noqa: PTH123 - opened above, with its mode
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        draft.unlink()
        raise
    return draft


def _settle(folder: Path) -> None:
    """Put the folder's list of names on disk."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def exposed(path: Path, cure: str) -> Unavailable:
    """Others on this machine can get at what only we should."""
    return Unavailable(
        "secrets.exposed",
        Words(
            f"Người khác trên máy này đụng được vào {path}. Chạy: {cure} {path}",
            f"Others on this machine can get at {path}. Run: {cure} {path}",
        ),
        permanent=True,
    )


def unreachable(path: Path, error: OSError) -> Unavailable:
    """A file or folder cannot be read or written, and the system's word for why."""
    return Unavailable(
        "secrets.unreachable",
        Words(
            f"Không đọc hoặc ghi được {error.filename or path}: {error.strerror}.",
            f"Cannot read or write {error.filename or path}: {error.strerror}.",
        ),
        permanent=True,
    )


def damaged_key(path: Path) -> Unavailable:
    """A private key's file is not what it was."""
    return Unavailable(
        "key.damaged",
        Words(
            f"{path} bị hỏng hoặc thuộc về khóa mở khác. Lấy lại từ bản sao lưu, hoặc đổi sang khóa mới.",
            f"{path} is damaged or belongs to another unlock key. Restore it from a copy, or rotate to a new key.",
        ),
        permanent=True,
    )
