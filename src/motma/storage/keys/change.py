"""Changes to the secrets while servers run: new seal keys, old ones thrown away, another unlock key.

Each change is one replacement of ``secrets.json`` by somebody who is alone with the folder: whoever is killed at any
moment leaves the old state or the new one.
"""

import re
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from msgspec.structs import replace

from motma.core.errors import Conflict
from motma.core.words import Words
from motma.storage.keys import files
from motma.storage.keys.secrets import (
    FILE_NAME,
    File,
    SecondFile,
    Secrets,
    damaged,
    locked,
    new_key,
    open_file,
    read_file,
)
from motma.storage.keys.secrets import written_file as written
from motma.storage.keys.unlock import Unlock
from motma.storage.seal import SealKey

_PEM = re.compile(r"[0-9a-f]{16}\.pem")
_DRAFT = re.compile(r"\.[0-9a-f]{16}\.pem\..*")
_NEW_PEM = re.compile(r"([0-9a-f]{16}\.pem)\.([0-9a-f]{16})")


def add_waiting(folder: Path, unlock: Unlock, now: datetime) -> SealKey:
    """Put a new seal key in the file, which opens and does not seal yet. Raises ``secrets.waits`` if one is there."""

    def change(secrets: Secrets) -> Secrets:
        newest = secrets.seal_keys[-1]
        if newest.state == "waiting":
            raise Conflict(
                "secrets.waits",
                Words(
                    f"Khóa số {newest.number} đang chờ. `motma secrets rotate` cho nó niêm phong.",
                    f"Key {newest.number} waits already. `motma secrets rotate` lets it seal.",
                ),
            )
        return replace(secrets, seal_keys=(*secrets.seal_keys, new_key(newest.number + 1, "waiting", now)))

    return _change(folder, unlock, change).seal_keys[-1]


def activate(folder: Path, unlock: Unlock) -> SealKey:
    """Let the waiting key seal, if there is one; returns the newest active one."""

    def change(secrets: Secrets) -> Secrets:
        keys = [replace(one, state="active") if one.state == "waiting" else one for one in secrets.seal_keys]
        return replace(secrets, seal_keys=tuple(keys))

    return _change(folder, unlock, change).seal_keys[-1]


def settle(folder: Path, unlock: Unlock, newest: int, *, keep: bool) -> tuple[SealKey, ...]:
    """Throw away every key before number ``newest``, or ``keep`` them: nothing is sealed with them any more."""

    def change(secrets: Secrets) -> Secrets:
        keys = [one for one in secrets.seal_keys if keep or one.number >= newest]
        keys = [one if one.number >= newest else replace(one, state="kept") for one in keys]
        return replace(secrets, seal_keys=tuple(keys))

    return _change(folder, unlock, change).seal_keys


def rewrap(folder: Path, keys: Path, old: Unlock, new: Unlock) -> int:
    """Wrap the secrets and the private keys in ``keys`` with another unlock key; returns how many private keys.

    The private keys are first written beside the old ones; the moment the secrets file is replaced, the new unlock key
    is the one that opens, and what lies beside takes its place then, or when the chest is next opened.
    """
    path = folder / FILE_NAME
    with files.alone(folder):
        file = read_file(path)
        if not isinstance(file, File | SecondFile):
            raise damaged(path)
        pems = sorted(one for one in keys.iterdir() if _PEM.fullmatch(one.name)) if keys.is_dir() else []
        if file.unlock != new.name:  # else we were killed after the decisive step
            secrets = open_file(file, old, path)
            for pem in pems:
                private = open_private(pem, old)
                content = closed_private(private, new, pem.name)
                files.replace(pem.with_name(f"{pem.name}.{new.name}"), content)
            files.replace(path, written(secrets, new, file.adopt))
        finish_rewrap(keys, new)
        files.sweep(path)
        for left in keys.iterdir() if keys.is_dir() else ():
            if _NEW_PEM.fullmatch(left.name) or _DRAFT.fullmatch(left.name):  # of one that was never finished
                left.unlink()
    return len(pems)


def finish_rewrap(keys: Path, unlock: Unlock) -> None:
    """Put private keys in their place that were wrapped with ``unlock`` and wait for it."""
    if not keys.is_dir():
        return
    for path in sorted(keys.iterdir()):
        name = _NEW_PEM.fullmatch(path.name)
        if name and name[2] == unlock.name:
            try:
                path.rename(keys / name[1])
            except FileNotFoundError:
                continue  # another process has just done it


def open_private(path: Path, unlock: Unlock) -> ec.EllipticCurvePrivateKey:
    """The private key in ``path``. Raises ``OSError``, :class:`Unavailable` ``key.damaged``, ``secrets.exposed``."""
    pem = files.read_private(path)
    try:
        private = serialization.load_pem_private_key(pem, unlock.passphrase(path.name))
    except (ValueError, TypeError):
        raise files.damaged_key(path) from None
    if not isinstance(private, ec.EllipticCurvePrivateKey) or not isinstance(private.curve, ec.SECP256R1):
        raise files.damaged_key(path)
    return private


def closed_private(private: ec.EllipticCurvePrivateKey, unlock: Unlock, name: str) -> bytes:
    """The content of the file ``name`` with this key."""
    return private.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(unlock.passphrase(name)),
    )


def check_unlock(folder: Path, unlock: Unlock) -> None:
    """Raises :class:`Unavailable` ``secrets.locked`` if the secrets have been wrapped with another key meanwhile."""
    file = read_file(folder / FILE_NAME)
    if isinstance(file, File | SecondFile) and file.unlock != unlock.name:
        raise locked(folder / FILE_NAME, file.unlock, unlock)


def _change(folder: Path, unlock: Unlock, change: Callable[[Secrets], Secrets]) -> Secrets:
    path = folder / FILE_NAME
    with files.alone(folder):
        file = read_file(path)
        if not isinstance(file, File | SecondFile):
            raise damaged(path)
        secrets = open_file(file, unlock, path)
        changed = change(secrets)
        if changed != secrets:
            files.replace(path, written(changed, unlock, file.adopt))
            files.sweep(path)
    return changed
