"""Lists of trust: what was made by hand is judged as it should be, and nothing that was held is ever taken back."""

import base64
import datetime as dt
import json
import re
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from motma.core import trustlist, trustwire
from motma.core.errors import Invalid
from motma.core.trustlist import Pins, RootKey, TrustedList, accept, revoked_points
from vectors.trust import make

VECTORS = json.loads((Path(make.__file__).parent / "lists.json").read_text("utf-8"))


def moment(seconds: int) -> dt.datetime:
    return dt.datetime.fromtimestamp(seconds, dt.UTC)


def pins() -> Pins:
    roots = []
    for root in VECTORS["pins"]["roots"]:
        point = ec.EllipticCurvePublicNumbers(int(root["x"], 16), int(root["y"], 16), ec.SECP256R1())
        roots.append(RootKey(bytes.fromhex(root["kid"]), point.public_key()))
    return Pins(VECTORS["pins"]["issuer"], tuple(roots))


def test_the_vectors_are_what_make_writes() -> None:
    assert make.build() == VECTORS


def test_every_attack_is_among_them_and_enough_of_the_honest() -> None:
    attacks = [case["attack"] for case in VECTORS["cases"]]
    assert {
        "rollback",
        "same version, other content",
        "freeze",
        "mix-and-match",
        "wrong-issuer",
        "unrevoke",
        "fast-forward",
        "endless data",
        "stripped root",
        "slept through",
        "other thing offered",
    } <= set(attacks)
    assert attacks.count("none") >= 12


@pytest.mark.parametrize("case", VECTORS["cases"], ids=lambda case: f"{case['attack']}: {case['about']}")
def test_what_becomes_of_what_is_offered(case: dict[str, Any]) -> None:
    held: Pins | TrustedList = pins()
    for step in case["steps"]:
        before = held
        try:
            if "status" in step:
                assert isinstance(held, TrustedList)
                held.judge_status(step["status"], moment(step["issued_at"]))
            else:
                raw = base64.b64decode(VECTORS["lists"][step["list"]]).ljust(step.get("padded_to", 0), b"\0")
                held = accept(held, raw, moment(step["now"]))
            became = "accepted"
        except Invalid as error:
            became = error.code
        assert became == step["expect"]
        if became != "accepted":
            assert held is before
        if "stale_at" in step:
            assert isinstance(held, TrustedList)
            assert held.expired_at(moment(step["stale_at"])) and held.keyring()
    expected, last = case.get("state"), case["steps"][-1]
    if expected is not None:
        assert isinstance(held, TrustedList)
        state = {
            "version": held.version,
            "issued_at": int(held.issued_at.timestamp()),
            "roots": [root.kid.hex() for root in held.roots if not root.revoked],
            "revoked": len(revoked_points(held)),
            "stale": held.expired_at(moment(last.get("now", 0))),
        }
        assert {name: state[name] for name in expected} == expected


def test_the_document_numbers_the_steps_and_names_the_codes() -> None:
    document = (Path(__file__).parents[2] / "docs" / "trust-list.md").read_text("utf-8")
    assert re.findall(r"^\| (\d+) \|", document, re.MULTILINE) == [str(step) for step in range(1, 11)]
    sources = "".join(Path(module.__file__).read_text("utf-8") for module in (trustlist, trustwire))
    assert set(re.findall(r"# step (\d+)", sources)) == {"3", "4", "5", "6", "7", "8", "9", "10"}
    raised = set(re.findall(r'"(trustlist\.\w+)"', sources))
    assert set(re.findall(r"`(trustlist\.\w+)`", document)) == raised
    assert {step["expect"] for case in VECTORS["cases"] for step in case["steps"]} - {"accepted"} == raised
