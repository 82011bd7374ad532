"""Document signers of the EU DCC, from certificates or from a trust list as the gateways publish it.

Whoever hands a list in vouches for it: certificates are not traced to their country's authority here, that is what the
gateway does before it lists one.
"""

import base64
import contextlib
import hashlib
import re
from collections.abc import Iterator

import msgspec
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, load_der_public_key

from motma.core.cose import PublicKey
from motma.core.errors import Invalid
from motma.core.legacy.reading import DccAnchor
from motma.core.words import Words

_MAX_BYTES = 8 << 20
_KID_BYTES = 8
_RSA_BITS = range(2048, 8193)
# Extended key usage as DER: 1.3.6.1.4.1.1847.2021.1.n, and with a 0 before the 1847 as the first edition misprinted it.
_ARCS = (bytes.fromhex("2b060104018e378f6501"), bytes.fromhex("2b06010401008e378f6501"))
_USAGES = {1: "test", 2: "vaccination", 3: "recovery"}
_LETTERS = {"t": "test", "v": "vaccination", "r": "recovery"}
_ELSE = "something else"
_BASE64 = re.compile(rb"[A-Za-z0-9+/]{20,}={0,2}")
_GENERAL = (bytes.fromhex("2b060105050703"), bytes.fromhex("551d2500"))  # id-kp (TLS, mail…), any
_BROKEN = (ValueError, TypeError, UnsupportedAlgorithm, x509.InvalidVersion)  # what a broken certificate raises
_OID_EKU = bytes.fromhex("0603551d25")


class _Listed(msgspec.Struct):
    """One entry of a trust list: a certificate (EU gateway, Germany) or a bare key; the rest is not needed."""

    rawData: str = ""  # noqa: N815 - the gateway's spelling
    publicKey: str = ""  # noqa: N815 - as the United Kingdom and Norway write bare keys
    subjectPk: str = ""  # noqa: N815 - as the Netherlands do
    keyUsage: tuple[str, ...] = ()  # noqa: N815
    kid: str = ""
    country: str = ""
    certificateType: str = "DSC"  # noqa: N815


class _List(msgspec.Struct):
    """A list as an object; in the Dutch one the entries lie under their kid, and all of it in base64 in "payload"."""

    certificates: list[_Listed] | None = None
    eu_keys: dict[str, list[_Listed]] | None = None
    payload: str = ""


def parse_dcc_anchors(raw: bytes) -> tuple[DccAnchor, ...]:
    """Document signers from PEM certificates, one DER certificate, or a trust list in JSON.

    The list is an array, or an object with "certificates", of entries with "rawData" (the certificate in base64) and
    perhaps "kid" (base64), "country" and "certificateType"; entries that are no "DSC" are passed over. Where a list
    names no kid, it is the first 8 bytes of the SHA-256 of the certificate. Bare keys ("publicKey" or "subjectPk", with
    a "kid") are read too, also in an object "eu_keys" from kid to entries, with "keyUsage" of "t", "v" and "r". A
    signature of the list (a line before it, or around its "payload") is passed over.

    Raises :class:`Invalid` ``dcc_anchors.unreadable``, or ``dcc_anchors.key`` for a key that signs nothing here: only
    P-256 and RSA of 2048 to 8192 bits do. In a list such keys are passed over, for every country's keys are in one.
    """
    if len(raw) > _MAX_BYTES:
        raise _unreadable()
    text = without_signature(raw)
    if text[:1] in (b"[", b"{"):
        return tuple(_from_list(text))
    try:
        if b"-----BEGIN CERTIFICATE-----" in raw:
            return tuple(_anchor(certificate) for certificate in x509.load_pem_x509_certificates(raw))
        return (_anchor(x509.load_der_x509_certificate(raw)),)
    except _BROKEN:
        raise _unreadable() from None


def without_signature(raw: bytes) -> bytes:
    """``raw`` without the line of base64 that the German distribution puts before its list."""
    first, _, rest = raw.lstrip().partition(b"\n")
    return rest.lstrip() if _BASE64.fullmatch(first.strip()) and rest.lstrip()[:1] == b"{" else raw.lstrip()


def _from_list(raw: bytes) -> Iterator[DccAnchor]:
    try:
        for entry in _entries(raw):
            if entry.certificateType == "DSC":
                kid = base64.b64decode(entry.kid, validate=True)
                bare = entry.publicKey or entry.subjectPk
                with contextlib.suppress(_Useless):
                    if entry.rawData or not bare:
                        certificate = x509.load_der_x509_certificate(base64.b64decode(entry.rawData, validate=True))
                        yield _anchor(certificate, kid, entry.country)
                    else:
                        yield _bare(base64.b64decode(bare, validate=True), kid, entry)
    except (*_BROKEN, msgspec.DecodeError, RecursionError):  # binascii.Error is a ValueError
        raise _unreadable() from None


def _entries(raw: bytes) -> list[_Listed]:
    listed: list[_Listed] | _List = msgspec.json.decode(raw, type=list[_Listed] | _List)
    if isinstance(listed, list):
        return listed
    if listed.payload:
        return _entries(base64.b64decode(listed.payload, validate=True))
    if listed.certificates is not None:
        return listed.certificates
    if listed.eu_keys is None:
        raise _unreadable()
    return [msgspec.structs.replace(entry, kid=kid) for kid, entries in listed.eu_keys.items() for entry in entries]


def _bare(spki: bytes, kid: bytes, entry: _Listed) -> DccAnchor:
    if not kid:
        raise _unreadable()
    public = _usable(load_der_public_key(spki))
    return DccAnchor(kid, public, entry.country, usages=frozenset(_LETTERS.get(one, _ELSE) for one in entry.keyUsage))


def _anchor(certificate: x509.Certificate, kid: bytes = b"", country: str = "") -> DccAnchor:
    try:
        der = certificate.public_bytes(Encoding.DER)
        named = certificate.subject.get_attributes_for_oid(x509.NameOID.COUNTRY_NAME)
        not_before, not_after = certificate.not_valid_before_utc, certificate.not_valid_after_utc
        public = _key_of(certificate)
    except _BROKEN:
        raise _unreadable() from None
    return DccAnchor(
        kid=kid or hashlib.sha256(der).digest()[:_KID_BYTES],
        public=public,
        country=country or (str(named[0].value) if named else ""),
        not_before=not_before,
        not_after=not_after,
        usages=_usages(certificate.tbs_certificate_bytes),
    )


def _key_of(certificate: x509.Certificate) -> PublicKey:
    try:
        public = certificate.public_key()
    except UnsupportedAlgorithm:
        public = None
    return _usable(public)


def _usable(public: object) -> PublicKey:
    if isinstance(public, ec.EllipticCurvePublicKey) and isinstance(public.curve, ec.SECP256R1):
        return public
    if isinstance(public, rsa.RSAPublicKey) and public.key_size in _RSA_BITS:
        return public
    raise _Useless(
        "dcc_anchors.key",
        Words(
            "Có chứng thư mà khóa không dùng được cho mã này: chỉ nhận P-256 và RSA từ 2048 bit.",
            "A certificate's key cannot sign these codes: only P-256, and RSA of 2048 bits or more.",
        ),
    )


class _Useless(Invalid):
    """A key that signs nothing here."""


def _usages(tbs: bytes) -> frozenset[str]:
    """What the certificate's extended key usage lets its key sign; empty when it says nothing about that.

    Read by hand, since other parts of some countries' certificates are encoded so badly that a parser refuses them all.
    Purposes that templates leave in (TLS, mail) say nothing; a purpose of its own kind (passports, say) rules all out.
    """
    at = tbs.find(_OID_EKU)
    if at < 0:
        return frozenset()
    rest = tbs[at + len(_OID_EKU) :]
    if rest[:3] == b"\x01\x01\xff":  # critical
        rest = rest[3:]
    _, octets, _ = _element(rest)
    _, purposes, _ = _element(octets)
    usages = set()
    while purposes:
        _, oid, purposes = _element(purposes)
        if oid[:-1] in _ARCS and oid[-1] in _USAGES:
            usages.add(_USAGES[oid[-1]])
        elif not oid.startswith(_GENERAL):
            usages.add(_ELSE)
    return frozenset(usages - {_ELSE}) or frozenset(usages)


def _element(der: bytes) -> tuple[int, bytes, bytes]:
    """(tag, content, what follows) of one DER element. Raises :class:`Invalid`."""
    if len(der) < 2:
        raise _unreadable()
    size, length = 2, der[1]
    if length in (0x81, 0x82):
        size += length - 0x80
        length = int.from_bytes(der[2:size], "big")
    elif length > 0x7F:
        raise _unreadable()
    if len(der) < size + length:
        raise _unreadable()
    return der[0], der[size : size + length], der[size + length :]


def _unreadable() -> Invalid:
    return Invalid(
        "dcc_anchors.unreadable",
        Words(
            "Danh sách khóa không đọc được. Cần chứng thư PEM, DER, hoặc danh sách JSON của cổng EU.",
            "The trust list cannot be read. Give certificates in PEM or DER, or the JSON list of the EU gateway.",
        ),
    )
