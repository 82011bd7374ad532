"""Software that is not ours reads our codes, and refuses them when they are forged."""

import json
import subprocess
import time
import zlib
from pathlib import Path
from typing import Any

import cbor2
import pytest
from cryptography.hazmat.primitives import serialization

from motma.core import base45
from motma.core.claims import parse_claims, write_claims
from motma.core.code import issue_code, key_id
from motma.core.cose import SigningKey
from vectors.code import make

ROOT = Path(__file__).resolve().parents[2]
PEERS = ROOT / ".peers" / "bin" / "python"
NOW = int(time.time())  # they judge times by the clock
EVERYDAY = {"iat": NOW, "exp": NOW + 72 * 3600}
PARTY = [[521322923144321717 + n, "Tạ Thị Hòa"] for n in range(3)]
CHANGES: dict[str, dict[str, Any]] = {
    "everyday": {},
    "with the sex": {"sex": 2},
    "valid before it was issued": {"nbf": NOW - 3600},
    "the longest name": {"name": "Ễ" * 100},
    "a party of four": {"party": PARTY},
    "bound to the holder's key": {"cnf": make.cnf()},
}


def code_of(**changes: Any) -> str:
    """As our issuer makes it."""
    key = SigningKey(make.PRIVATE, key_id(make.PRIVATE.public_key()))
    return issue_code(parse_claims(cbor2.dumps(make.claims(**{**EVERYDAY, **changes}))), key)


def live_code() -> str:
    """The same with a live proof, as the holder's page shows it."""
    claims = parse_claims(cbor2.dumps(make.claims(**EVERYDAY, cnf=make.cnf())))
    return make.text(make.live(write_claims(claims), NOW))


def forged(text: str) -> str:
    """Another name under the same signature."""
    cose = zlib.decompress(base45.decode(text))
    return make.text(cose.replace("Thành".encode(), "Thánh".encode()))


@pytest.fixture(scope="module")
def answers() -> dict[str, Any]:
    if not PEERS.exists():
        pytest.skip("no .peers environment: run `make venv`")
    public = make.PRIVATE.public_key()
    pem = public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    point = public.public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)
    order = {
        "pem": pem.decode(),
        "point": point.hex(),
        "kid": key_id(public).hex(),
        "codes": {**{about: code_of(**changes) for about, changes in CHANGES.items()}, "proved live": live_code()},
        "forged": {
            "another name": forged(code_of()),
            "another name, proved live": forged(live_code()),
            "signed by a stranger": make.signed(cbor2.dumps(make.claims(**EVERYDAY)), key=make.STRANGER),
            "expired": code_of(iat=NOW - 7200, exp=NOW - 3600),
        },
    }
    script = Path(__file__).with_name("read_code.py")
    done = subprocess.run(
        [PEERS, script], input=json.dumps(order), capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    said: dict[str, Any] = json.loads(done.stdout)
    return said


@pytest.mark.parametrize("about", [*CHANGES, "proved live"])
def test_they_read_what_we_wrote(answers: dict[str, Any], about: str) -> None:
    changes = CHANGES.get(about, {"cnf": make.cnf()})
    expected = {
        "id": "521322923144321717",
        "name": changes.get("name", "Tạ Văn Thành"),
        "born": "19760204",
        "gender": changes.get("sex"),
        "issuer": "motma.test",
        "issued": NOW,
        "expires": NOW + 72 * 3600,
        "begins": changes.get("nbf"),
    }
    kid = key_id(make.PRIVATE.public_key()).hex()
    read = answers["read"][about]
    assert read["claim169"] == {**expected, "verified": True, "algorithm": "ES256", "kid": kid}
    point = changes["cnf"][1][-2].hex() if "cnf" in changes else None
    assert read["cwt"] == {**expected, "point": point}


def test_they_refuse_what_is_forged_or_over(answers: dict[str, Any]) -> None:
    assert {about: all(by) for about, by in answers["refused"].items()} == dict.fromkeys(answers["refused"], True)
    assert len(answers["refused"]) == 4
