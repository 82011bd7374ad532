"""Make ``shc.json``: SMART Health Cards good and bad, signed with a key that is published here and for nothing else.

``python -m vectors.legacy.make`` writes the file again. The texts are built by hand and not by the code under test.
``plain.json`` is written by hand, ``nzcp.json`` is the examples of the NZ COVID Pass specification.
"""

import base64
import hashlib
import json
import zlib
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils

PRIVATE = ec.derive_private_key(0x5EED_2026_0120, ec.SECP256R1())
STRANGER = ec.derive_private_key(0x5EED_2026_0121, ec.SECP256R1())
ISSUER = "https://shc.motma.test/issuer"
BEGINS = 1_768_719_600  # 2026-01-18T07:00:00Z


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def jwk(private: ec.EllipticCurvePrivateKey) -> dict[str, str]:
    numbers = private.public_key().public_numbers()
    key = {
        "crv": "P-256",
        "kty": "EC",
        "x": b64(numbers.x.to_bytes(32, "big")),
        "y": b64(numbers.y.to_bytes(32, "big")),
    }
    thumbprint = hashlib.sha256(json.dumps(key, separators=(",", ":")).encode()).digest()  # RFC 7638
    return {**key, "kid": b64(thumbprint), "use": "sig", "alg": "ES256"}


def deflate(data: bytes) -> bytes:
    squeezer = zlib.compressobj(9, wbits=-15)
    return squeezer.compress(data) + squeezer.flush()


def patient(**changes: Any) -> dict[str, Any]:
    return {
        "resourceType": "Patient",
        "name": [{"family": "Sample", "given": ["Dana", "Test"]}],
        "birthDate": "1987-01-18",
        **changes,
    }


def dose(date: str, code: str, status: str = "completed") -> dict[str, Any]:
    coding = [{"system": "http://hl7.org/fhir/sid/cvx", "code": code}]
    return {
        "resourceType": "Immunization",
        "status": status,
        "vaccineCode": {"coding": coding},
        "occurrenceDateTime": date,
    }


def test(date: str, result: str) -> dict[str, Any]:
    return {
        "resourceType": "Observation",
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "94558-4"}]},
        "effectiveDateTime": date,
        "valueCodeableConcept": {"coding": [{"system": "http://snomed.info/sct", "code": result}]},
    }


def payload(*resources: dict[str, Any], **changes: Any) -> dict[str, Any]:
    entries = [{"fullUrl": f"resource:{at}", "resource": resource} for at, resource in enumerate(resources)]
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": entries}
    whole = {
        "iss": ISSUER,
        "nbf": BEGINS - 86_400,
        "vc": {
            "type": ["https://smarthealth.cards#health-card"],
            "credentialSubject": {"fhirVersion": "4.0.1", "fhirBundle": bundle},
        },
    }
    whole.update(changes)
    return {name: value for name, value in whole.items() if value is not None}


def jws(
    body: dict[str, Any] | bytes,
    *,
    signer: ec.EllipticCurvePrivateKey = PRIVATE,
    tamper: bool = False,
    **header: Any,
) -> str:
    head = {"zip": "DEF", "alg": "ES256", "kid": jwk(PRIVATE)["kid"], **header}
    raw = body if isinstance(body, bytes) else json.dumps(body, separators=(",", ":")).encode()
    signed = f"{b64(json.dumps(head, separators=(',', ':')).encode())}.{b64(deflate(raw))}"
    der = signer.sign(signed.encode(), ec.ECDSA(hashes.SHA256(), deterministic_signing=True))
    r, s = utils.decode_dss_signature(der)
    if tamper:
        r ^= 1
    return f"{signed}.{b64(r.to_bytes(32, 'big') + s.to_bytes(32, 'big'))}"


def digits(text: str) -> str:
    return "".join(f"{ord(char) - 45:02}" for char in text)


def shc(text: str) -> str:
    return "shc:/" + digits(text)


def cases() -> list[dict[str, Any]]:
    who = {"name": "Dana Test Sample", "birth_date": "1987-01-18"}
    doses = [dose("2021-03-01", "208"), dose("2021-03-22", "208")]
    shots = {"vaccinations": ["2021-03-01 Pfizer-BioNTech", "2021-03-22 Pfizer-BioNTech"]}
    good = jws(payload(patient(), *doses))
    half = len(good) // 2
    nested = b'{"vc":' + b"[" * 10_000 + b"]" * 10_000 + b"}"
    tested = payload(patient(), test("2021-08-01", "260415000"))
    return [
        {"about": "two doses", "text": shc(good), "fields": {**who, **shots}, "trust": "good"},
        {
            "about": "a negative test",
            "text": shc(jws(tested)),
            "fields": {**who, "tests": ["2021-08-01 LOINC 94558-4 not detected"]},
            "trust": "good",
        },
        {
            "about": "a dose that was not given, a vaccine not in our table",
            "text": shc(
                jws(payload(patient(), dose("2021-03-01", "208", "entered-in-error"), dose("2022-09-01", "229")))
            ),
            "fields": {**who, "vaccinations": ["2021-03-01 Pfizer-BioNTech (entered-in-error)", "2022-09-01 CVX 229"]},
            "trust": "good",
        },
        {
            "about": "only a birth year",
            "text": shc(jws(payload(patient(birthDate="1987")))),
            "fields": {**who, "birth_date": "1987"},
            "trust": "good",
        },
        {"about": "upper-case prefix", "text": "SHC:/" + digits(good), "fields": {**who, **shots}, "trust": "good"},
        {
            "about": "first of two parts",
            "text": f"shc:/1/2/{digits(good[:half])}",
            "problems": ["shc.part"],
            "trust": "unread",
        },
        {
            "about": "second of two parts",
            "text": f"shc:/2/2/{digits(good[half:])}",
            "problems": ["shc.part"],
            "trust": "unread",
        },
        {
            "about": "the one of one part",
            "text": f"shc:/1/1/{digits(good)}",
            "fields": {**who, **shots},
            "trust": "good",
        },
        {
            "about": "expired",
            "text": shc(jws(payload(patient(), exp=BEGINS))),
            "fields": who,
            "trust": "expired",
        },
        {
            "about": "not yet valid",
            "text": shc(jws(payload(patient(), nbf=BEGINS + 1))),
            "fields": who,
            "trust": "not_yet",
        },
        {
            "about": "a time that is no time",
            "text": shc(jws(payload(patient(), nbf="soon", exp=10**300))),
            "fields": who,
            "trust": "good",
        },
        {
            "about": "signed by another",
            "text": shc(jws(payload(patient()), signer=STRANGER)),
            "fields": who,
            "trust": "forged",
        },
        {
            "about": "signature altered",
            "text": shc(jws(payload(patient()), tamper=True)),
            "fields": who,
            "trust": "forged",
        },
        {"about": "alg none", "text": shc(jws(payload(patient()), alg="none")), "fields": who, "trust": "forged"},
        {
            "about": "another key's name",
            "text": shc(jws(payload(patient()), signer=STRANGER, kid=jwk(STRANGER)["kid"])),
            "fields": who,
            "trust": "unknown",
        },
        {
            "about": "another issuer under a key that we know",
            "text": shc(jws(payload(patient(), iss="https://elsewhere.test"))),
            "fields": who,
            "trust": "unknown",
        },
        {
            "about": "two patients",
            "text": shc(jws(payload(patient(), patient(birthDate="2010-01-01")))),
            "fields": who,
            "problems": ["shc.more_than_one"],
            "trust": "good",
        },
        {"about": "no patient", "text": shc(jws(payload())), "problems": ["shc.no_patient"], "trust": "good"},
        {"about": "a zip bomb", "text": shc(jws(b'{"a":"' + b"0" * 1_000_000 + b'"}')), "problems": ["shc.unreadable"]},
        {"about": "nested 10,000 deep", "text": shc(jws(nested)), "problems": ["shc.unreadable"]},
        {"about": "a list, not an object", "text": shc(jws(b"[1,2]")), "problems": ["shc.unreadable"]},
        {"about": "not JSON", "text": shc(jws(b"{")), "problems": ["shc.unreadable"]},
        {"about": "another compression", "text": shc(jws(payload(), zip="GZ")), "problems": ["shc.unreadable"]},
        {"about": "an odd number of digits", "text": shc(good) + "1", "problems": ["shc.unreadable"]},
        {"about": "digits beyond the alphabet", "text": "shc:/7899", "problems": ["shc.unreadable"]},
        {"about": "two segments", "text": shc(good.rpartition(".")[0]), "problems": ["shc.unreadable"]},
    ]


def main() -> None:
    content = {
        "note": "SMART Health Cards (framework 1.4.0) under an invented issuer, judged at `now` with `keys` known",
        "now": BEGINS,
        "issuer": ISSUER,
        "keys": {"keys": [jwk(PRIVATE)]},
        "cases": cases(),
    }
    text = json.dumps(content, ensure_ascii=False, indent=1)
    (Path(__file__).parent / "shc.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
