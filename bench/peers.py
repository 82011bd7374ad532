"""Software that is not ours verifies our code, and one like it, over the same floor; see ``peers_inside.py``.

A SMART Health Card of similar content (https://spec.smarthealth.cards) is made here for joserfc: it is what one would
have used instead of CWT.
"""

import base64
import json
import subprocess
import zlib
from pathlib import Path

from cryptography.hazmat.primitives import serialization

from bench.specimen import claims, point, signer, text

_ROOT = Path(__file__).parent.parent
_PEERS = _ROOT / ".peers" / "bin" / "python"


def ratios() -> dict[str, float]:
    """Time of each ÷ a bare ES256 verify in the same process; nothing where there is no ``.peers`` environment."""
    if not _PEERS.exists():
        return {}
    public = signer().public
    spki = serialization.PublicFormat.SubjectPublicKeyInfo
    order = {
        "text": text(),
        "card": health_card(),
        "pem": public.public_bytes(serialization.Encoding.PEM, spki).decode(),
        "point": point(public).hex(),
        "kid": signer().kid.hex(),
        "qid": claims().qid,
    }
    script = Path(__file__).with_name("peers_inside.py")
    done = subprocess.run(
        [_PEERS, script], input=json.dumps(order), capture_output=True, text=True, timeout=120, check=False
    )
    if done.returncode:
        raise RuntimeError(f"bench/peers_inside.py: {done.stderr.strip()}")
    measured: dict[str, float] = json.loads(done.stdout)
    return measured


def health_card() -> str:
    """``shc:/…`` with the same person, validity and scope: ES256 JWS, DEFLATE, two digits to a character."""
    said = claims()
    patient = {
        "resourceType": "Patient",
        "identifier": [{"value": said.qid}],
        "name": [{"text": said.name}],
        "birthDate": said.birth_date.isoformat(),
    }
    permit = {
        "resourceType": "Basic",
        "code": {"text": said.measure},
        "subject": {"reference": "resource:0"},
        "extension": [{"url": "areas", "valueString": "79"}, {"url": "route", "valueString": "g07 i03"}],
    }
    entries = [{"fullUrl": f"resource:{at}", "resource": one} for at, one in enumerate((patient, permit))]
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": entries}
    content = {
        "iss": "https://issuer.example/shc",
        "nbf": said.issued_at.timestamp(),
        "exp": said.valid_until.timestamp(),
        "vc": {
            "type": ["https://smarthealth.cards#health-card"],
            "credentialSubject": {"fhirVersion": "4.0.1", "fhirBundle": bundle},
        },
    }
    squeezer = zlib.compressobj(9, zlib.DEFLATED, -15)
    payload = squeezer.compress(_json(content)) + squeezer.flush()
    header = _json({"zip": "DEF", "alg": "ES256", "kid": _url64(signer().kid)})
    signed = f"{_url64(header)}.{_url64(payload)}"
    jws = f"{signed}.{_url64(signer().sign(signed.encode()))}"
    return "shc:/" + "".join([f"{ord(letter) - 45:02}" for letter in jws])


def _json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def _url64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


if __name__ == "__main__":
    print(json.dumps(ratios(), indent=2))
