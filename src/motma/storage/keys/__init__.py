"""The chest: every key that is secret. Private keys at rest are encrypted; what opens them can be kept elsewhere.

::

    unlock.key         opens all the rest; MOTMA_UNLOCK may name a file elsewhere
    secrets.json       the keys that seal personal parts and the one that hashes for look-up, wrapped
    keys/<kid>.pem     a private key, encrypted (PKCS #8)
    keys/<kid>.p11     where in a hardware module a private key lies

Which of the keys signs, and which are believed, is not said here: :mod:`motma.services.trust`. A key in the chest of
which no fact tells is worth nothing and does no harm.
"""

import contextlib
import re
from collections.abc import Callable
from datetime import datetime
from functools import wraps
from pathlib import Path
from typing import Literal, ParamSpec, TypeVar

import msgspec
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from motma.core.code import key_id
from motma.core.cose import Signer, SigningKey
from motma.core.errors import Unavailable
from motma.core.words import Words
from motma.storage.keys import change, files
from motma.storage.keys.change import closed_private, finish_rewrap, open_private
from motma.storage.keys.hsm import Pkcs11Signer, Place, create_in_token
from motma.storage.keys.ring import FileRing
from motma.storage.keys.secrets import (
    FILE_NAME,
    AnyFile,
    File,
    OldFile,
    SecondFile,
    Secrets,
    damaged,
    new_file,
    open_file,
    read_file,
    written_file,
)
from motma.storage.keys.unlock import Unlock, make_unlock, read_unlock
from motma.storage.seal import SealKey

__all__ = ["FILE_NAME", "FOLDER", "UNLOCK_NAME", "Chest", "Secrets", "open_chest"]

UNLOCK_NAME = "unlock.key"
FOLDER = "keys"
_A_KEY = re.compile(r"([0-9a-f]{16})\.(pem|p11)")

Where = Literal["chest", "hsm"]
_P = ParamSpec("_P")
_T = TypeVar("_T")


def _reaching(work: Callable[_P, _T]) -> Callable[_P, _T]:
    """What the system refuses is ``secrets.unreachable``, with its word for why."""

    @wraps(work)
    def reached(*args: _P.args, **named: _P.kwargs) -> _T:
        try:
            return work(*args, **named)
        except OSError as error:
            raise files.unreachable(Path(FOLDER), error) from None

    return reached


class _Token(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="version", tag=1):
    """What ``<kid>.p11`` holds; ``point`` is the public key, uncompressed, in hex."""

    module: str
    token: str
    key: str
    point: str


class Chest:
    """The opened chest. Made by :func:`open_chest`; safe to use from several threads and processes."""

    def __init__(
        self,
        folder: Path,
        unlock: Unlock,
        secrets: Secrets,
        *,
        adopt: str = "",
        created: bool = False,
        unlock_beside: bool = True,
        pin: str = "",
    ) -> None:
        self.secrets = secrets
        self.ring = FileRing(folder, unlock, secrets)
        """The seal keys as the file has them now."""
        self.unlock_beside = unlock_beside
        """Whether the unlock key lies in the folder of what it opens."""
        self.created = created
        """Whether it was made just now."""
        self.adopt = bytes.fromhex(adopt) or None
        """The kid of the key that signed before there was a list of keys, if one did."""
        self._data = folder
        self._folder = folder / FOLDER
        self._unlock = unlock
        self._pin = pin
        self._signers: dict[bytes, Signer] = {}

    def __repr__(self) -> str:
        return f"Chest({self._folder})"

    @_reaching
    def kids(self) -> dict[bytes, Where]:
        """Every key here, by kid, and where its private half is."""
        if not self._folder.is_dir():
            return {}
        found = sorted(filter(None, (_A_KEY.fullmatch(path.name) for path in self._folder.iterdir())), key=str)
        return {bytes.fromhex(name[1]): "chest" if name[2] == "pem" else "hsm" for name in found}

    @_reaching
    def create(self) -> tuple[bytes, ec.EllipticCurvePublicKey]:
        """Make a key; on disk, encrypted, when this returns its kid and its public half."""
        private = ec.generate_private_key(ec.SECP256R1())
        with files.alone(self._data):
            change.check_unlock(self._data, self._unlock)
            return _keep(self._folder, self._unlock, private), private.public_key()

    @_reaching
    def create_in_token(self, module: str, token: str) -> tuple[bytes, ec.EllipticCurvePublicKey]:
        """Make a key in a hardware module that never leaves it: ``module`` is the path of its PKCS #11 library.

        Raises :class:`Unavailable` ``key.hsm``, ``key.pin``, ``key.hsm_extra``.
        """
        public, place = create_in_token(module, token, self._pin)
        point = public.public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)
        files.check_folder(self._folder)
        held = _Token(place.module, place.token, place.id, point.hex())
        kid = key_id(public)
        files.put_new(self._folder / f"{kid.hex()}.p11", msgspec.json.format(msgspec.json.encode(held)) + b"\n")
        return kid, public

    @_reaching
    def add_seal_key(self, now: datetime) -> SealKey:
        """Put a new seal key in the file that waits: it opens, and does not seal until :meth:`activate_seal_key`.

        Raises :class:`Conflict` ``secrets.waits`` if one waits already.
        """
        return change.add_waiting(self._data, self._unlock, now)

    @_reaching
    def activate_seal_key(self) -> SealKey:
        """Let the waiting seal key seal, if there is one; returns the newest that seals."""
        return change.activate(self._data, self._unlock)

    @_reaching
    def settle_seal_keys(self, newest: int, *, keep: bool) -> tuple[SealKey, ...]:
        """Throw away the seal keys before number ``newest``, or ``keep`` them. Nothing may be sealed with them."""
        return change.settle(self._data, self._unlock, newest, keep=keep)

    @_reaching
    def rewrap(self, unlock: Path) -> int:
        """Wrap everything anew, to open with the unlock key in ``unlock`` only, which is made if there is none.

        Returns how many private keys there are. This chest, and others that are open, go on with what they hold.
        Raises as :func:`open_chest` does.
        """
        beside = unlock.parent.resolve().is_relative_to(self._data.resolve())
        new = read_unlock(unlock, beside=beside)
        if new is None:
            make_unlock(unlock)
            new = read_unlock(unlock, beside=beside)
        if new is None:
            raise _unlock_missing(unlock, "?")
        return change.rewrap(self._data, self._folder, self._unlock, new)

    def signer(self, kid: bytes) -> Signer:
        """What signs with the key ``kid``, kept once it was read; a key that came later is found when it is asked for.

        Raises :class:`Unavailable`, permanent: ``key.absent`` (its private half is not on this machine),
        ``key.damaged``, ``secrets.exposed``.
        """
        signer = self._signers.get(kid)
        if signer is None:
            signer = self._signers[kid] = self._read(kid)
        return signer

    @_reaching
    def _read(self, kid: bytes) -> Signer:
        pem, p11 = (self._folder / f"{kid.hex()}.{kind}" for kind in ("pem", "p11"))
        try:
            return _open_pem(pem, self._unlock, kid)
        except FileNotFoundError:
            pass
        try:
            return self._open_p11(p11, kid)
        except FileNotFoundError:
            raise Unavailable(
                "key.absent",
                Words(
                    f"Khóa riêng {kid.hex()} không có trên máy này. Chép {pem} từ máy đã tạo nó.",
                    f"The private key {kid.hex()} is not on this machine. Copy {pem} from where it was made.",
                ),
                permanent=True,
            ) from None

    def _open_p11(self, path: Path, kid: bytes) -> Signer:
        try:
            held = msgspec.json.decode(files.read_private(path), type=_Token)
            public = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), bytes.fromhex(held.point))
            if key_id(public) != kid or not bytes.fromhex(held.key):
                raise ValueError
        except (ValueError, msgspec.MsgspecError):
            raise files.damaged_key(path) from None
        return Pkcs11Signer(public, Place(held.module, held.token, held.key), self._pin)


@_reaching
def open_chest(folder: Path, unlock: Path | None = None, *, pin: str = "", now: datetime | None = None) -> Chest:
    """Open the chest in ``folder``, or make it (and the folder). ``unlock``: the unlock key's file, if elsewhere.

    Processes that start together agree on one set. A file of an older version is brought up in place. ``pin`` opens
    tokens; ``now`` is written beside keys that are made. Raises :class:`Unavailable`, permanent: ``secrets.exposed``
    (somebody else can read a file or write the folder), ``secrets.damaged``, ``secrets.locked`` (another unlock key),
    ``secrets.unlock_missing``, ``secrets.unlock_damaged``, ``secrets.missing``, ``secrets.unreachable``. What is there
    is never made anew.
    """
    files.check_folder(folder)
    path, unlock = folder / FILE_NAME, unlock or folder / UNLOCK_NAME
    beside = unlock.parent.resolve().is_relative_to(folder.resolve())
    held = read_file(path)  # first: whoever made this file had put the unlock key in its place before
    key = read_unlock(unlock, beside=beside)
    if key is None:
        if isinstance(held, File | SecondFile):
            raise _unlock_missing(unlock, held.unlock)
        make_unlock(unlock)
        key = read_unlock(unlock, beside=beside)
        if key is None:  # taken away again at once
            raise _unlock_missing(unlock, "?")
        held = read_file(path)
    created = False
    if held is None:
        has_keys = (folder / FOLDER).is_dir() and any((folder / FOLDER).iterdir())
        held = read_file(path)  # another process may have made both since we looked
        if held is None and has_keys:
            raise _secrets_missing(path)
        if held is None:
            with files.alone(folder):
                created = files.put_new(path, new_file(key, now))
            held = read_file(path)
    if isinstance(held, OldFile):
        held = _bring_up(folder, key)
    elif isinstance(held, SecondFile):
        with contextlib.suppress(OSError):  # handed in for reading only: good as it is
            held = _bring_up(folder, key)
    if held is None:
        raise damaged(path)
    secrets = open_file(held, key, path)
    finish_rewrap(folder / FOLDER, key)
    adopt = "" if isinstance(held, OldFile) else held.adopt
    return Chest(folder, key, secrets, adopt=adopt, created=created, unlock_beside=beside, pin=pin)


def _bring_up(folder: Path, unlock: Unlock) -> AnyFile | None:
    """Bring a file of an older version up to this one; what is in it afterwards.

    From version 1 its signing key goes into the chest first, under the same kid.
    """
    path = folder / FILE_NAME
    with files.alone(folder):
        held = read_file(path)  # another process may have done it, and changed it since
        if not isinstance(held, OldFile | SecondFile):
            return held
        secrets = open_file(held, unlock, path)
        if isinstance(held, SecondFile):
            adopt = held.adopt
        else:
            try:
                signing = held.signing_key()
            except (ValueError, TypeError):
                raise damaged(path) from None
            adopt = _keep(folder / FOLDER, unlock, signing).hex()
        files.replace(path, written_file(secrets, unlock, adopt))
    return read_file(path)


def _keep(folder: Path, unlock: Unlock, private: ec.EllipticCurvePrivateKey) -> bytes:
    """Put a private key in the chest, encrypted; returns its kid. One that is there is left as it is."""
    kid = key_id(private.public_key())
    name = f"{kid.hex()}.pem"
    files.check_folder(folder)
    files.put_new(folder / name, closed_private(private, unlock, name))
    return kid


def _open_pem(path: Path, unlock: Unlock, kid: bytes) -> Signer:
    private = open_private(path, unlock)
    if key_id(private.public_key()) != kid:
        raise files.damaged_key(path)
    return SigningKey(private, kid)


def _unlock_missing(unlock: Path, name: str) -> Unavailable:
    return Unavailable(
        "secrets.unlock_missing",
        Words(
            f"Không thấy khóa mở {unlock} (tên {name}). Đặt nó lại chỗ cũ hoặc đặt MOTMA_UNLOCK; đừng tạo mới.",
            f"The unlock key {unlock} (name {name}) is not there. Put it back or set MOTMA_UNLOCK; "
            "do not make a new one.",
        ),
        permanent=True,
    )


def _secrets_missing(path: Path) -> Unavailable:
    return Unavailable(
        "secrets.missing",
        Words(
            f"Mất tệp {path} mà khóa ký vẫn còn. Lấy lại tệp từ bản sao lưu; đừng tạo mới.",
            f"{path} is gone while signing keys are there. Restore it from a copy; do not make a new one.",
        ),
        permanent=True,
    )
