"""What is said in the end: for programs JSON, for people a page, and both under one signature.

Signed with the key of the exchange whose operator ran the trial, or with one made for this report, which proves no more
than that nobody changed it since; the report says which.
"""

import base64
import datetime as dt
import hashlib
from dataclasses import dataclass
from importlib import resources
from typing import Any, Literal

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from motma import __version__
from motma.core.cose import Signer
from motma.core.errors import Invalid
from motma.core.publickeys import point_of, read_public_key
from motma.core.words import Words

_TYPE = "motma-conformance+jws"
SignedBy = Literal["exchange", "this report alone"]


class Tried(msgspec.Struct, frozen=True):
    """One case. ``seen``: what the platform did instead of what it must; "" if it passed."""

    id: str
    group: str
    words: dict[str, str]
    passed: bool
    seen: str
    seconds: float


class Report(msgspec.Struct, frozen=True):
    """A trial and its outcome. ``interlinked`` only if every case there is was tried and passed."""

    platform: str
    connector: str
    at: dt.datetime
    kit: str
    signed_by: SignedBy
    interlinked: bool
    passed: int
    tried: tuple[Tried, ...]


def reported(
    platform: str, connector: str, tried: tuple[Tried, ...], *, every: int, by: SignedBy, at: dt.datetime
) -> Report:
    """The report of what was ``tried``, of ``every`` case that there is."""
    passed = sum(one.passed for one in tried)
    whole = passed == len(tried) == every > 0
    return Report(platform, connector, at.replace(microsecond=0), __version__, by, whole, passed, tried)


@dataclass(frozen=True, slots=True)
class Signed:
    """A report as it is handed over: ``jws`` is the proof (RFC 7515, compact), ``json`` and ``html`` its content."""

    report: Report
    json: bytes
    jws: str
    html: str


def sign(report: Report, signer: Signer) -> Signed:
    """The report under ``signer``'s signature."""
    json = msgspec.json.format(msgspec.json.encode(report), indent=2)
    point = point_of(signer.public)
    jwk = {"kty": "EC", "crv": "P-256", "x": _base64url(point[1:33]), "y": _base64url(point[33:])}
    header = {"alg": "ES256", "typ": _TYPE, "kid": signer.kid.hex(), "jwk": jwk}
    signed = f"{_base64url(msgspec.json.encode(header))}.{_base64url(json)}"
    jws = f"{signed}.{_base64url(signer.sign(signed.encode()))}"
    digest = hashlib.sha256(json).hexdigest()
    html = _environment.get_template("report.html").render(
        report=report, groups=_groups(report), digest=digest, kid=signer.kid.hex()
    )
    return Signed(report, json, jws, html)


def read(jws: str, key: ec.EllipticCurvePublicKey | None = None) -> Report:
    """The report in ``jws`` if its signature holds, under ``key`` or, without one, under the key that it names itself.

    Raises :class:`Invalid` ``conformance.report``.
    """
    try:
        head, body, signature = jws.strip().split(".")
        header = msgspec.json.decode(_raw(head), type=dict[str, Any])
        if header.get("alg") != "ES256" or header.get("typ") != _TYPE:
            raise ValueError
        public = key or read_public_key(msgspec.json.encode(header["jwk"]).decode())
        raw = _raw(signature)
        if len(raw) != 64:
            raise ValueError
        der = utils.encode_dss_signature(int.from_bytes(raw[:32]), int.from_bytes(raw[32:]))
        public.verify(der, f"{head}.{body}".encode(), ec.ECDSA(hashes.SHA256()))
        return msgspec.json.decode(_raw(body), type=Report)
    except (ValueError, KeyError, TypeError, InvalidSignature, msgspec.MsgspecError):
        raise Invalid(
            "conformance.report",
            Words(
                "Báo cáo không đọc được, hoặc chữ ký không đúng.",
                "The report cannot be read, or its signature is wrong.",
            ),
        ) from None


_GROUPS = {
    "codes": Words("Mã", "Codes"),
    "sending": Words("Gửi tờ khai", "Sending declarations"),
    "telling": Words("Nhận thay đổi", "Being told of changes"),
}


def _groups(report: Report) -> list[tuple[Words, list[Tried]]]:
    return [(words, [one for one in report.tried if one.group == group]) for group, words in _GROUPS.items()]


def _base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _raw(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)


_environment = Environment(
    loader=FileSystemLoader(str(resources.files("motma.conformance") / "templates")),
    autoescape=True,
    auto_reload=False,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
