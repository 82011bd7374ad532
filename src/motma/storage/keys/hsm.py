"""Signing keys that live in a hardware module (PKCS #11) and never leave it. Needs the extra ``hsm``.

One session for each token, shared by its keys. A module is entered by one thread at a time and, when it fails, started
anew and asked once more: so a session that was lost or a token that is back is noticed by the next signature. Refuses
to ask with a PIN that was refused: three wrong ones lock most tokens.
"""

import hashlib
import os
import threading
import time
from dataclasses import dataclass
from functools import cache
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils

from motma.core.code import key_id
from motma.core.errors import Unavailable
from motma.core.words import Words

_REST_SECONDS = 1.0
"""How long a module that failed is left alone: asking a module that is away may take long, and others wait."""
_ID_BYTES = 16
_PROBE = b"motma: is this the key?"
_PREHASHED = ec.ECDSA(utils.Prehashed(hashes.SHA256()))


@dataclass(frozen=True, slots=True)
class Place:
    """Where a key is: the module's file, the token's label, and the key's CKA_ID in hex."""

    module: str
    token: str
    id: str


class Pkcs11Signer:
    """Signs with a key in a token (CKM_ECDSA over a SHA-256 digest); its signatures are not deterministic."""

    def __init__(self, public: ec.EllipticCurvePublicKey, place: Place, pin: str) -> None:
        self._public = public
        self._kid = key_id(public)
        self._place = place
        self._pin = pin
        self._checked = False

    def __repr__(self) -> str:
        return f"Pkcs11Signer({self._kid.hex()}, {self._place})"

    @property
    def kid(self) -> bytes:
        return self._kid

    @property
    def public(self) -> ec.EllipticCurvePublicKey:
        return self._public

    def sign(self, data: bytes) -> bytes:
        """r ‖ s, 64 bytes. Raises :class:`Unavailable` ``key.hsm``, ``key.pin``; permanent ``key.hsm_other``."""
        module = _module(self._place.module)
        if not self._checked:
            self._check(module.sign(self._place, self._pin, hashlib.sha256(_PROBE).digest()))
        return module.sign(self._place, self._pin, hashlib.sha256(data).digest())

    def _check(self, raw: bytes) -> None:
        """Once: that the key in the token is the one whose public half we publish."""
        try:
            r, s = int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big")
            self._public.verify(utils.encode_dss_signature(r, s), hashlib.sha256(_PROBE).digest(), _PREHASHED)
        except InvalidSignature:
            raise Unavailable(
                "key.hsm_other",
                Words(
                    f"Khóa trong token {self._place.token} không phải khóa {self._kid.hex()}. Cắm đúng token.",
                    f"The key in the token {self._place.token} is not {self._kid.hex()}. Put in the right token.",
                ),
                permanent=True,
            ) from None
        self._checked = True


def create_in_token(module: str, token: str, pin: str) -> tuple[ec.EllipticCurvePublicKey, Place]:
    """Make a P-256 key that cannot leave the token. Raises as :meth:`Pkcs11Signer.sign` does."""
    place = Place(module, token, os.urandom(_ID_BYTES).hex())
    point = _module(module).create(place, pin)
    return ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point), place


class _Module:
    """One PKCS #11 library in this process, with its sessions."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._lock = threading.RLock()
        self._sessions: dict[str, Any] = {}
        self._keys: dict[Place, Any] = {}
        self._refused: set[tuple[str, str]] = set()
        self._rests_until = 0.0

    def sign(self, place: Place, pin: str, digest: bytes) -> bytes:
        with self._lock:
            self._may_ask(place, pin)
            error: Exception
            for again in (True, False):
                try:
                    raw = self._key(place, pin).sign(digest, mechanism=_p11().Mechanism.ECDSA)
                    if len(raw) != 64:
                        raise RuntimeError(f"{len(raw)} bytes")
                except RuntimeError as failed:  # every error of python-pkcs11 is one
                    error = failed
                    self._judge_pin(place, pin, failed)
                    self._begin_anew()
                    if not again:
                        self._rests_until = time.monotonic() + _REST_SECONDS
                else:
                    return bytes(raw)
            raise _away(place, error)

    def create(self, place: Place, pin: str) -> bytes:
        """The public point of a new key, uncompressed."""
        with self._lock:
            p11 = _p11()
            try:
                session = self._open(place, pin, writing=True)
                curve = {p11.Attribute.EC_PARAMS: p11.util.ec.encode_named_curve_parameters("secp256r1")}
                kind = session.create_domain_parameters(p11.KeyType.EC, curve, local=True)
                public, _ = kind.generate_keypair(
                    store=True,
                    id=bytes.fromhex(place.id),
                    label="motma",
                    capabilities=p11.MechanismFlag.SIGN | p11.MechanismFlag.VERIFY,
                    private_template={p11.Attribute.EXTRACTABLE: False, p11.Attribute.SENSITIVE: True},
                )
                # DER: OCTET STRING of 65 bytes (PKCS #11, section 6.3.3)
                return bytes(public[p11.Attribute.EC_POINT])[-65:]
            except RuntimeError as failed:
                self._judge_pin(place, pin, failed)
                raise _away(place, failed) from None
            finally:
                self._begin_anew()  # signing needs no session that may write

    def _key(self, place: Place, pin: str) -> Any:
        key = self._keys.get(place)
        if key is None:
            session = self._sessions.get(place.token) or self._open(place, pin, writing=False)
            p11 = _p11()
            key = session.get_key(p11.ObjectClass.PRIVATE_KEY, p11.KeyType.EC, id=bytes.fromhex(place.id))
            self._keys[place] = key
        return key

    def _open(self, place: Place, pin: str, *, writing: bool) -> Any:
        if writing:
            self._begin_anew()  # who is logged in already cannot log in again
        token = _p11().lib(self._path).get_token(token_label=place.token)
        session = token.open(user_pin=pin, rw=writing)
        self._sessions[place.token] = session
        return session

    def _begin_anew(self) -> None:
        """Forget every session and let the module look at its tokens again."""
        self._keys.clear()
        self._sessions.clear()
        try:
            _p11().lib(self._path).reinitialize()
        except RuntimeError:
            return  # asked again at the next signature

    def _may_ask(self, place: Place, pin: str) -> None:
        if not pin or (place.token, pin) in self._refused:
            raise _pin_wrong(place)
        if time.monotonic() < self._rests_until:
            raise _away(place, RuntimeError("resting"))

    def _judge_pin(self, place: Place, pin: str, failed: Exception) -> None:
        p11 = _p11()
        wrong = (p11.PinIncorrect, p11.PinInvalid, p11.PinLenRange, p11.PinExpired, p11.PinLocked)
        if isinstance(failed, wrong):
            self._refused.add((place.token, pin))
            self._begin_anew()
            raise _pin_wrong(place) from None


@cache
def _module(path: str) -> _Module:
    """One for each path: a module is started and ended for the whole process."""
    return _Module(path)


@cache
def _p11() -> Any:
    """python-pkcs11, which is not installed everywhere."""
    try:
        import pkcs11
    except ImportError:
        raise Unavailable(
            "key.hsm_extra",
            Words(
                "Thiếu phần đọc thiết bị khóa. Cài thêm: motma[hsm]",
                "The part that talks to hardware modules is missing. Install: motma[hsm]",
            ),
            permanent=True,
        ) from None
    return pkcs11


def _pin_wrong(place: Place) -> Unavailable:
    return Unavailable(
        "key.pin",
        Words(
            f"Token {place.token} không nhận mã PIN. Đặt MOTMA_PKCS11_PIN cho đúng rồi khởi động lại.",
            f"The token {place.token} does not take the PIN. Set MOTMA_PKCS11_PIN right and start again.",
        ),
        permanent=True,
    )


def _away(place: Place, error: Exception) -> Unavailable:
    why = str(error).removeprefix(f"OS exception while loading {place.module}: ") or type(error).__name__
    return Unavailable(
        "key.hsm",
        Words(
            f"Thiết bị khóa (token {place.token}) không trả lời: {why}. Kiểm tra thiết bị và {place.module}.",
            f"The hardware module (token {place.token}) does not answer: {why}. Check it, and {place.module}.",
        ),
    )
