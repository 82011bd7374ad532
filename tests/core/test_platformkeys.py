"""Platforms' public keys: what is taken, and what never is."""

import json
import warnings
from typing import Any

import pytest
from joserfc import jwk

from motma.core.errors import Invalid
from motma.core.platformkeys import read_certificate, read_platform_key, thumbprint_of

KEYS = {
    "ES256": jwk.generate_key("EC", "P-256"),
    "EdDSA": jwk.generate_key("OKP", "Ed25519"),
    "PS256": jwk.generate_key("RSA", 2048),
}


def weak(kind: str, size: Any) -> str:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return jwk.generate_key(kind, size).as_pem(private=False).decode()  # type: ignore[call-overload,no-any-return]


@pytest.mark.parametrize("algorithm", KEYS)
def test_a_key_is_the_same_in_pem_and_jwk(algorithm: str) -> None:
    key = KEYS[algorithm]
    members = key.as_dict(private=False)
    kid, kept = read_platform_key(f"\n{key.as_pem(private=False).decode()}\n")
    assert kid == key.thumbprint() == thumbprint_of(kept)
    assert read_platform_key(json.dumps(members)) == (kid, kept)
    assert json.loads(kept)["alg"] == algorithm and set(json.loads(kept)) <= {"kty", "crv", "x", "y", "n", "e", "alg"}
    named, _ = read_platform_key(json.dumps({**members, "kid": "2026-a", "use": "sig", "x5c": ["…"]}))
    assert named == "2026-a"


def test_the_key_says_what_it_signs() -> None:
    rsa = KEYS["PS256"].as_dict(private=False)
    assert json.loads(read_platform_key(json.dumps({**rsa, "alg": "RS256"}))[1])["alg"] == "RS256"
    for key, said in ((rsa, "HS256"), (rsa, "none"), (rsa, "ES256"), (KEYS["ES256"].as_dict(private=False), "RS256")):
        with pytest.raises(Invalid) as refused:
            read_platform_key(json.dumps({**key, "alg": said}))
        assert refused.value.code == "platform_key.kind"


@pytest.mark.parametrize("key", KEYS.values(), ids=KEYS)
def test_a_private_key_is_refused(key: Any) -> None:
    for text in (key.as_pem(private=True).decode(), json.dumps(key.as_dict(private=True))):
        with pytest.raises(Invalid) as refused:
            read_platform_key(text)
        assert refused.value.code == "platform_key.private"


def test_what_is_no_key_or_a_weak_one() -> None:
    bad_exponent = {**KEYS["PS256"].as_dict(private=False), "e": "AQ"}
    cases = {
        "": "unreadable",
        "x": "unreadable",
        "{}": "unreadable",
        "[" * 5_000: "unreadable",
        '{"a":' * 1_500: "unreadable",
        "x" * 9_000: "unreadable",
        '{"kty":"EC","crv":"P-256","x":"AA","y":"AA"}': "unreadable",
        '{"kty":"EC","crv":"P-256","x":1,"y":[]}': "unreadable",
        '{"kty":["EC"]}': "unreadable",
        json.dumps({**KEYS["ES256"].as_dict(private=False), "y": "A" * 43}): "unreadable",
        json.dumps({**KEYS["ES256"].as_dict(private=False), "use": "enc"}): "unreadable",
        json.dumps({**KEYS["ES256"].as_dict(private=False), "kid": "a b"}): "unreadable",
        json.dumps({**KEYS["ES256"].as_dict(private=False), "kid": '"+exit()+"'}): "unreadable",
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl": "unreadable",
        "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----": "unreadable",
        '{"kty":"oct","k":"c2VjcmV0"}': "private",
        weak("EC", "P-384"): "kind",
        weak("RSA", 1024): "kind",
        json.dumps(bad_exponent): "kind",
    }
    for text, why in cases.items():
        with pytest.raises(Invalid) as refused:
            read_platform_key(text)
        assert refused.value.code in (f"platform_key.{why}", "platform_key.unreadable"), text[:60]


def test_a_certificate_by_its_hash() -> None:
    assert read_certificate(" ") == ""
    assert read_certificate(":".join(["AB"] * 32)) == "ab" * 32
    for bad in ("ab", "g" * 64, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----"):
        with pytest.raises(Invalid):
            read_certificate(bad)
