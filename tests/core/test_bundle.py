"""Bundles of rules: what is taken and what is not, by the vectors that the device runs too; and what one says."""

import base64
import datetime as dt
import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from motma.core.bundle import BUNDLE_MAX_BYTES, Bundle, Period, accept, content_of, write_bundle
from motma.core.cose import SigningKey
from motma.core.errors import Invalid
from motma.core.policy import parse_policy
from motma.core.reasons import REASONS
from motma.core.trustlist import LIFE, RootKey
from motma.measures import load_demo_measure
from motma.policies import DEFAULT, load_policies
from motma.roads import load_network
from vectors.trust import forge

VECTORS = Path(__file__).resolve().parents[2] / "vectors"
BUNDLES = json.loads((VECTORS / "bundle" / "bundles.json").read_text("utf-8"))
HOUSE = json.loads((VECTORS / "verdicts" / "house.json").read_text("utf-8"))
NOW = dt.datetime(2026, 1, 18, 7, 0, 0, 500_000, tzinfo=dt.UTC)
SIGNER = SigningKey(forge.key(1), forge.kid_of(forge.key(1)))
ROOTS = [RootKey(SIGNER.kid, SIGNER.public)]
HERE = "g07-vinh-binh"


def root(said: dict[str, Any]) -> RootKey:
    numbers = ec.EllipticCurvePublicNumbers(int(said["x"], 16), int(said["y"], 16), ec.SECP256R1())
    return RootKey(bytes.fromhex(said["kid"]), numbers.public_key(), said["revoked"])


@pytest.mark.parametrize("case", BUNDLES["cases"], ids=lambda case: case["about"])
def test_vectors(case: dict[str, Any]) -> None:
    held: Bundle | None = None
    roots = [root(said) for said in BUNDLES["roots"]]
    for step in case["steps"]:
        raw, now = base64.b64decode(BUNDLES["bundles"][step["bundle"]]), dt.datetime.fromtimestamp(step["now"], dt.UTC)
        try:
            held = accept(raw, roots=roots, issuer=BUNDLES["issuer"], now=now, held=held)
            became = "accepted"
        except Invalid as refused:
            became = refused.code
        assert became == step["expect"]
    if "state" in case:
        assert held is not None
        is_now = {"version": held.version, "issued_at": int(held.issued_at.timestamp()), "place": held.place}
        assert {name: is_now[name] for name in case["state"]} == case["state"]


def test_every_refusal_has_a_vector() -> None:
    expected = {step["expect"] for case in BUNDLES["cases"] for step in case["steps"]}
    source = Path(accept.__code__.co_filename).read_text("utf-8")
    codes = {line.strip(' ,"') for line in source.replace("(", "\n").splitlines() if '"bundle.' in line}
    assert {code.partition('"')[0] for code in codes} == expected - {"accepted"} | {"bundle.too_large"}


def bundle(*periods: Period, place: str = HERE) -> Bundle:
    content = content_of(place, load_network().by_id.get(place), periods)
    raw = write_bundle(content, issuer="motma.test", version=3, signer=SIGNER, now=NOW)
    return accept(raw, roots=ROOTS, issuer="motma.test", now=NOW)


def test_what_is_written_is_taken_and_says_what_it_was_told() -> None:
    measure = load_demo_measure(NOW)
    policies, _ = load_policies()
    ends = measure.ends_at
    taken = bundle(Period(None, measure, policies), Period(ends, None, ()))
    assert (taken.issued_at, taken.expires_at) == (NOW.replace(microsecond=0), NOW.replace(microsecond=0) + LIFE)
    said = json.loads(taken.content)
    assert said["checkpoint"] == {"id": HERE, "kind": "gateway", "area": "thu-duc"}
    assert [period["from"] for period in said["periods"]] == [None, f"{ends:%Y-%m-%dT%H:%M:%S}.500Z"]
    assert said["periods"][0]["measure"]["by_hand"] == ["stale"] and said["periods"][1]["measure"] is None
    assert [policy["id"] for policy in said["policies"]] == list(DEFAULT)
    assert said["reasons"].keys() == REASONS.keys()


def test_what_stands_in_it_is_the_policy_but_for_title_and_tests() -> None:
    policies, _ = load_policies()
    said = json.loads(bundle(Period(None, None, policies)).content)["policies"]
    for policy, written in zip(policies, said, strict=True):
        whole = {**written, "title": policy.title}
        for rule, known in zip(whole["rules"], policy.rules, strict=True):
            rule["tests"], rule["affected"] = known.tests, known.affected
            if rule["reason"] != "code.*":
                assert rule["known"] is known.known
        again = parse_policy(msgspec.json.decode(msgspec.json.encode(whole)))
        assert msgspec.structs.replace(again, valid_from=policy.valid_from) == policy


def test_a_policy_of_two_periods_stands_once() -> None:
    measure = load_demo_measure(NOW)
    health, _ = load_policies(("health",))
    both, _ = load_policies(("health", "standing"))
    said = json.loads(bundle(Period(None, measure, health), Period(NOW, measure, both)).content)
    assert [period["policies"] for period in said["periods"]] == [[0], [0, 1]] and len(said["policies"]) == 2


def test_too_large_is_refused_unread() -> None:
    with pytest.raises(Invalid, match=r"bundle\.too_large"):
        accept(bytes(BUNDLE_MAX_BYTES + 1), roots=ROOTS, issuer="motma.test", now=NOW)
    with pytest.raises(Invalid, match=r"bundle\.too_large"):
        write_bundle(" " * BUNDLE_MAX_BYTES, issuer="motma.test", version=1, signer=SIGNER, now=NOW)


def test_a_bit_that_is_changed_is_noticed() -> None:
    raw = write_bundle(
        content_of(HERE, None, [Period(None, None, ())]), issuer="motma.test", version=3, signer=SIGNER, now=NOW
    )
    for at in range(0, len(raw), 11):
        other = bytearray(raw)
        other[at] ^= 1 << at % 8
        with pytest.raises(Invalid, match=r"bundle\."):
            accept(bytes(other), roots=ROOTS, issuer="motma.test", now=NOW)


def test_the_house_file_says_what_is_so() -> None:
    """What the tests of the scanner know of the server: which policies are the default, and reasons no rule owns."""
    reasons = json.loads(content_of(HERE, None, [Period(None, None, ())]))["reasons"]
    assert {"about": HOUSE["about"], "default": list(DEFAULT), "reasons": reasons} == HOUSE


def test_every_refusal_is_documented() -> None:
    page = (VECTORS.parent / "docs" / "bundle.md").read_text("utf-8")
    expected = {step["expect"] for case in BUNDLES["cases"] for step in case["steps"]} - {"accepted"}
    assert [code for code in sorted(expected) if f"`{code}`" not in page] == []
