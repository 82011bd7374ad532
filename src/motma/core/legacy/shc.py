"""SMART Health Cards (``shc:/``): a FHIR bundle in a JWS, written in digits.

Framework 1.4.0 (spec.smarthealth.cards): pairs of digits, 45 added to each, are the characters of a compact JWS
(RFC 7515, ES256 only) whose payload is raw DEFLATE. Cards of several parts (``shc:/1/2/…``) were given up in 2022 and
are still in pockets. The bundle is summarised; nothing of it is judged.
"""

import base64
import binascii
import datetime as dt
import re
import zlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils

from motma.core.errors import Problem
from motma.core.legacy.plain import Found
from motma.core.legacy.reading import UNREAD, Anchors, Reading, Trust, Value, in_time, moment
from motma.core.words import Words

_INFLATED_MAX_BYTES = 32_768
_NESTED_MAX = 24
_ENTRIES_MAX = 40
_SHAPE = re.compile(r"shc:/(?:([1-9][0-9]?)/([1-9][0-9]?)/)?([0-9]+)", re.IGNORECASE)
_ES256 = ec.ECDSA(hashes.SHA256())
# The vaccines against COVID-19 by CVX code (CDC), and what a test found, by SNOMED CT: the codes in cards of 2021.
_CVX = {"207": "Moderna", "208": "Pfizer-BioNTech", "210": "AstraZeneca", "211": "Novavax", "212": "Janssen"}
_CVX |= {"510": "Sinopharm", "511": "Sinovac", "213": "COVID-19", "217": "Pfizer-BioNTech", "221": "Moderna"}
_RESULTS = {"260373001": "detected", "260415000": "not detected", "10828004": "positive", "260385009": "negative"}


def looks_shc(text: str) -> bool:
    """Whether the text says that it is a SMART Health Card."""
    return text[:5].lower() == "shc:/"


def join_parts(texts: Iterable[str]) -> str | None:
    """One card of the parts that belong together, in whatever order they came; ``None`` unless all are there."""
    parts: dict[int, str] = {}
    counts = set()
    for text in texts:
        match = _SHAPE.fullmatch(text.strip())
        if match and match[1]:
            parts[int(match[1])] = match[3]
            counts.add(int(match[2]))
    if len(counts) != 1 or sorted(parts) != list(range(1, counts.pop() + 1)):
        return None
    return "shc:/" + "".join(parts[number] for number in sorted(parts))


def read_shc(text: str, anchors: Anchors, now: dt.datetime) -> Reading:
    """Read a card and verify it against the issuers' keys in ``anchors.shc``. Never raises."""
    match = _SHAPE.fullmatch(text)
    if not match:
        return _unreadable()
    if match[1] and match[2] != "1":
        part = Problem(
            "shc.part",
            Words(
                f"Đây là phần {match[1]} trên {match[2]} của một mã. Quét đủ các phần.",
                f"This is part {match[1]} of {match[2]} of one card. Scan all the parts.",
            ),
        )
        return Reading("shc", {}, UNREAD, (part,))
    opened = _open(match[3])
    if opened is None:
        return _unreadable()
    signed, header, payload, signature = opened
    found = Found()
    _summarise(found, payload)
    return Reading("shc", found.fields, _trust(signed, header, payload, signature, anchors, now), tuple(found.problems))


def _open(digits: str) -> tuple[bytes, Mapping[str, Any], Mapping[str, Any], bytes] | None:
    """(what was signed, header, payload, signature) of the JWS that the digits spell."""
    if len(digits) % 2:
        return None
    numbers = [int(digits[at : at + 2]) for at in range(0, len(digits), 2)]
    if max(numbers) > 77:
        return None
    segments = bytes(number + 45 for number in numbers).split(b".")
    if len(segments) != 3:
        return None
    try:
        header, payload, signature = [base64.b64decode(_padded(part), b"-_", validate=True) for part in segments]
        head = _json(header)
        if head.get("zip", "DEF") != "DEF":
            return None
        body = _json(_inflate(payload) if "zip" in head else payload)
    except (binascii.Error, zlib.error, ValueError, TypeError, msgspec.DecodeError, RecursionError):
        return None
    return segments[0] + b"." + segments[1], head, body, signature


def _padded(segment: bytes) -> bytes:
    return segment + b"=" * (-len(segment) % 4)


def _inflate(squeezed: bytes) -> bytes:
    inflater = zlib.decompressobj(wbits=-15)
    inflated = inflater.decompress(squeezed, _INFLATED_MAX_BYTES)
    if not inflater.eof:
        raise ValueError("too large, or cut off")
    return inflated


def _json(raw: bytes) -> Mapping[str, Any]:
    """An object of JSON, if it is not nested too deep: counted before anything walks into it."""
    depth = deepest = 0
    for char in raw:
        if char in b"[{":
            depth += 1
            deepest = max(deepest, depth)
        elif char in b"]}":
            depth -= 1
    if deepest > _NESTED_MAX:
        raise ValueError("nested too deep")
    found = msgspec.json.decode(raw)
    if not isinstance(found, dict):
        raise TypeError(type(found))
    return found


def _trust(
    signed: bytes,
    header: Mapping[str, Any],
    payload: Mapping[str, Any],
    signature: bytes,
    anchors: Anchors,
    now: dt.datetime,
) -> Trust:
    issuer, kid = payload.get("iss"), header.get("kid")
    keys = [key.public for key in anchors.shc if key.kid in ("", kid) and key.issuer in ("", issuer)]
    not_before, expires_at = moment(payload.get("nbf")), moment(payload.get("exp"))
    holds = any(_holds(public, signed, signature) for public in keys) if keys else None
    return Trust(
        signed=True,
        signer=issuer[:200] if isinstance(issuer, str) and issuer.isprintable() else "",
        known=bool(keys),
        holds=False if header.get("alg") != "ES256" or len(signature) != 64 else holds,
        not_before=not_before,
        expires_at=expires_at,
        **in_time(now, not_before, expires_at),
    )


def _holds(public: ec.EllipticCurvePublicKey, signed: bytes, signature: bytes) -> bool:
    if len(signature) != 64 or not isinstance(public.curve, ec.SECP256R1):
        return False
    der = utils.encode_dss_signature(int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big"))
    try:
        public.verify(der, signed, _ES256)
    except InvalidSignature:
        return False
    return True


# -- the bundle --------------------------------------------------------------------------------------------------------


def _summarise(found: Found, payload: Mapping[str, Any]) -> None:
    """Patient, immunizations and observations of the FHIR bundle, each on one line."""
    entries = _list(_at(payload, "vc", "credentialSubject", "fhirBundle", "entry"))
    resources = [_at(entry, "resource") for entry in entries[:_ENTRIES_MAX]]
    patients = [one for one in resources if _at(one, "resourceType") == "Patient"]
    if not patients:
        found.odd(
            Problem("shc.no_patient", Words("Mã không ghi là của ai.", "The card does not say whose it is.")),
        )
    for patient in patients[:1]:
        found.name(_name(patient))
        found.date("birth_date", _text(patient, "birthDate"))
    if len(patients) > 1 or len(entries) > _ENTRIES_MAX:
        found.odd(
            Problem(
                "shc.more_than_one",
                Words(
                    "Mã ghi nhiều người hoặc quá nhiều mục; chỉ đọc phần đầu.",
                    "The card tells of several people, or of too much; only the first part is read.",
                ),
            )
        )
    _keep(found, "vaccinations", [_dose(one) for one in resources if _at(one, "resourceType") == "Immunization"])
    _keep(found, "tests", [_test(one) for one in resources if _at(one, "resourceType") == "Observation"])


def _keep(found: Found, field: str, lines: Sequence[str]) -> None:
    kept: Value = tuple(line[:200] for line in lines if line and line.isprintable())
    if kept:
        found.fields[field] = kept


def _name(patient: Any) -> str:
    for name in _list(_at(patient, "name")):
        given = [part for part in _list(_at(name, "given")) if isinstance(part, str)]
        whole = " ".join([*given, _text(name, "family")]).strip() or _text(name, "text")
        if whole:
            return whole
    return ""


def _dose(resource: Any) -> str:
    coding = _first(_at(resource, "vaccineCode", "coding"))
    code = _text(coding, "code")
    status = _text(resource, "status")
    parts = [
        _text(resource, "occurrenceDateTime")[:10],
        _CVX.get(code, f"CVX {code}" if _text(coding, "system").endswith("/cvx") else code),
        f"({status})" if status != "completed" else "",
    ]
    return " ".join(part for part in parts if part)


def _test(resource: Any) -> str:
    code = _text(_first(_at(resource, "code", "coding")), "code")
    result = _text(_first(_at(resource, "valueCodeableConcept", "coding")), "code")
    status = _text(resource, "status")
    parts = [
        _text(resource, "effectiveDateTime")[:10],
        f"LOINC {code}" if code else "",
        _RESULTS.get(result, result) or _text(resource, "valueString"),
        f"({status})" if status != "final" else "",
    ]
    return " ".join(part for part in parts if part)


def _at(item: Any, *path: str) -> Any:
    for step in path:
        item = item.get(step) if isinstance(item, dict) else None
    return item


def _text(item: Any, field: str) -> str:
    value = _at(item, field)
    return value[:100] if isinstance(value, str) else ""


def _list(item: Any) -> list[Any]:
    return item if isinstance(item, list) else []


def _first(item: Any) -> Any:
    items = _list(item)
    return items[0] if items else None


def _unreadable() -> Reading:
    damaged = Problem(
        "shc.unreadable",
        Words("Mã SMART Health Card bị hỏng hoặc thiếu. Quét lại.", "A damaged SMART Health Card. Scan it again."),
    )
    return Reading("unknown", {"looks_like": "SMART Health Card"}, UNREAD, (damaged,))
