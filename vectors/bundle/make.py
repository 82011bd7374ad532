"""Make ``bundles.json``: bundles of rules that are offered to a device, one after another, and what becomes of each.

``python -m vectors.bundle.make`` writes the file again. Nothing here calls the code under test. Each case begins with a
device that holds a list of trust with the root R1, and R2 revoked, and no rules yet.
"""

import base64
import json
from pathlib import Path
from typing import Any

import cbor2

from vectors.trust import forge
from vectors.trust.forge import BEGINS, DAY, ISSUER, LIFE, MINUTE

TYP = "application/motma-bundle+cwt"
R1, R2, STRANGER, CODE = (forge.key(n) for n in (1, 2, 9, 11))
RULES = -65539
NOW = BEGINS + MINUTE
HERE, NEXT = "g07-vinh-binh", "i03-dinh-bo-linh"

Step = dict[str, Any]

REASON = {"outcome": "manual", "known": False, "words": ["Chưa rõ.", "Not known."], "cure": ["Xem giấy tờ.", "Look."]}
NEEDED = dict.fromkeys(("rule.error", "code.not_ours", "measure.none_active"), REASON)
POLICY = {
    "id": "standing",
    "version": 1,
    "valid_from": "2020-12-31T17:00:00.000Z",
    "valid_to": None,
    "rules": [
        {
            "id": "standing.in_force",
            "holds": {"!": [{"var": "standing.revoked"}]},
            "reason": "standing.revoked",
            "verdict": "reject",
            "known": True,
            "words": ["Mã đã bị thu hồi.", "The code has been revoked."],
            "cure": ["Mời sang bàn hỗ trợ.", "Ask the person to the help desk."],
        }
    ],
}
MEASURE = {
    "id": "demo-hcmc",
    "by_hand": ["stale"],
    "starts_at": "2026-01-17T07:00:00.000Z",
    "ends_at": "2026-04-17T07:00:00.000Z",
}


def content(place: Any = HERE, **changes: Any) -> str:
    """Of everyday rules, with ``changes``."""
    period = {"from": None, "measure": MEASURE, "policies": [0], "complete": True}
    ends = {"from": "2026-04-17T07:00:00.000Z", "measure": None, "policies": [], "complete": True}
    said = {
        "checkpoint": {"id": place, "kind": "gateway", "area": "thu-duc"},
        "periods": [period, ends],
        "policies": [POLICY],
        "reasons": NEEDED,
    }
    return json.dumps({**said, **changes}, ensure_ascii=False, separators=(",", ":"))


def claims(
    said: Any, version: Any = 5, *, issued: int = BEGINS, life: int = LIFE, issuer: Any = ISSUER
) -> dict[Any, Any]:
    return {1: issuer, 4: issued + life, 6: issued, RULES: [1, version, said]}


def sign(said: Any, signer: forge.Key = R1, **more: Any) -> bytes:
    headers = more.pop("headers", {1: -7, 4: forge.kid_of(signer), 16: TYP})
    return forge.sign(said, signer, headers=headers, **more)


class Book:
    """The cases, and every bundle once."""

    def __init__(self) -> None:
        self.bundles: dict[str, str] = {}
        self.cases: list[dict[str, Any]] = []

    def case(self, about: str, *steps: Step, **state: Any) -> None:
        self.cases.append({"about": about, "steps": list(steps), **({"state": state} if state else {})})

    def offer(self, raw: bytes, now: int = NOW, expect: str = "accepted") -> Step:
        text = base64.b64encode(raw).decode()
        name = next((name for name, known in self.bundles.items() if known == text), f"bundle-{len(self.bundles):02}")
        self.bundles[name] = text
        return {"bundle": name, "now": now, "expect": expect}

    def only(self, about: str, raw: bytes, code: str, *, now: int = NOW) -> None:
        self.case(about, self.offer(raw, now, code))

    def after(self, about: str, raw: bytes, code: str, *, now: int = NOW + DAY) -> None:
        """Refused by a device that holds everyday rules, and keeps them."""
        held = self.offer(sign(claims(content())))
        self.case(about, held, self.offer(raw, now, code), version=5, issued_at=BEGINS, place=HERE)


def honest(book: Book) -> None:
    first, same = sign(claims(content())), sign(claims(content(), issued=BEGINS + DAY))
    second = sign(claims(content(policies=[{**POLICY, "version": 2}]), 6, issued=BEGINS + DAY))
    book.case("the first rules", book.offer(first), version=5, issued_at=BEGINS, place=HERE)
    book.case("the same again", book.offer(first), book.offer(first), version=5, issued_at=BEGINS)
    book.case("signed anew", book.offer(first), book.offer(same, NOW + DAY), version=5, issued_at=BEGINS + DAY)
    book.case("others later", book.offer(first), book.offer(second, NOW + DAY), version=6, issued_at=BEGINS + DAY)
    slow = sign(claims(content(), 6, issued=BEGINS - 5 * MINUTE))
    book.case("by a machine whose clock is five minutes slow", book.offer(first), book.offer(slow), version=6)
    book.case(
        "no rule can be read, and that is for the judge", book.offer(sign(claims(content(policies=[17])))), version=5
    )
    more = sign(claims(content(of_the_future=1)))
    book.case("a name of the future beside the others", book.offer(more), version=5)
    nowhere = content(checkpoint={"id": HERE, "kind": None, "area": None})
    book.case("for a checkpoint that no network knows", book.offer(sign(claims(nowhere))), place=HERE)


def forged(book: Book) -> None:
    raw = sign(claims(content()))
    body, unprotected, payload, signature = forge.parts(raw)
    other = payload.replace("Mã đã bị thu hồi.".encode(), "Mã chưa bị thu hồ.".encode())
    assert len(other) == len(payload) and other != payload
    book.only(
        "other words under the same signature", forge.joined(body, unprotected, other, signature), "bundle.forged"
    )
    book.only("signed by a stranger", sign(claims(content()), STRANGER), "bundle.unknown_root")
    book.only("signed by a key for codes", sign(claims(content()), CODE), "bundle.unknown_root")
    borrowed = sign(claims(content()), STRANGER, headers={1: -7, 4: forge.kid_of(R1), 16: TYP})
    book.only("signed by a stranger in the name of the root", borrowed, "bundle.forged")
    book.only("signed by a revoked root", sign(claims(content()), R2), "bundle.unknown_root")
    book.only("of another authority", sign(claims(content(), issuer="elsewhere.test")), "bundle.wrong_issuer")
    book.after("for another checkpoint", sign(claims(content(NEXT), 6, issued=BEGINS + DAY)), "bundle.elsewhere")


def older(book: Book) -> None:
    book.after("of a lower version", sign(claims(content(), 4, issued=BEGINS + DAY)), "bundle.rolled_back")
    book.after("issued earlier", sign(claims(content(), issued=BEGINS - 1)), "bundle.rolled_back", now=NOW)
    other = content(policies=[{**POLICY, "version": 2}])
    book.after("others of the same moment", sign(claims(other)), "bundle.rolled_back", now=NOW)
    book.after("another end of the same moment", sign(claims(content(), life=LIFE - 1)), "bundle.rolled_back", now=NOW)
    slow = sign(claims(content(), 6, issued=BEGINS - 5 * MINUTE - 1))
    book.after("a higher version, issued long before", slow, "bundle.rolled_back", now=NOW)
    far = claims(content(), 5 + 2**16 + 1, issued=BEGINS + DAY)
    book.after("a version too far ahead", sign(far), "bundle.fast_forward")
    book.only("over", sign(claims(content())), "bundle.expired", now=BEGINS + LIFE)
    book.after("over, and others are held", sign(claims(content(), 6)), "bundle.expired", now=BEGINS + LIFE)
    book.case("in its last second", book.offer(sign(claims(content())), BEGINS + LIFE - 1), version=5)
    book.only("of tomorrow", sign(claims(content(), issued=BEGINS + DAY)), "bundle.not_yet")


def unreadable(book: Book) -> None:
    raw = sign(claims(content()))
    body, _, payload, signature = forge.parts(raw)
    kid = forge.kid_of(R1)
    wrong = "bundle.unreadable"
    book.only("nothing", b"", wrong)
    book.only("half of it", raw[: len(raw) // 2], wrong)
    book.only("a byte after the end", raw + b"\0", wrong)
    book.only("without its tag", raw[1:], wrong)
    book.only("in a CWT tag", b"\xd8\x3d" + raw, wrong)
    book.only("with something unprotected", forge.joined(body, {11: []}, payload, signature), wrong)
    book.only("a header more", sign(claims(content()), headers={1: -7, 4: kid, 16: TYP, 3: 1}), wrong)
    for typ in ("application/motma-trustlist+cwt", "application/statuslist+cwt", None):
        headers = {1: -7, 4: kid, **({16: typ} if typ else {})}
        book.only(f"of the type {typ}", sign(claims(content()), headers=headers), "bundle.wrong_type")
    book.only("no claims", sign(b"\x80"), wrong)
    book.only("a claim more", sign({**claims(content()), 2: "x"}), wrong)
    book.only("of a later format", sign({**claims(content()), RULES: [2, 5, content()]}), wrong)
    book.only("a version that is none", sign(claims(content(), -1)), wrong)
    book.only("a version that is a truth", sign(claims(content(), True)), wrong)
    book.only("an issuer that is none", sign(claims(content(), issuer=7)), wrong)
    book.only("an end before the beginning", sign(claims(content(), life=-1)), wrong)
    book.only("good for a year", sign(claims(content(), life=365 * DAY)), wrong)
    book.only("no JSON", sign(claims("{")), wrong)
    book.only("bytes for JSON", sign(claims(content().encode())), wrong)
    period = {"from": None, "measure": None, "policies": [0], "complete": True}
    for about, changes in {
        "no list": {"policies": None},
        "no periods": {"periods": []},
        "no checkpoint": {"checkpoint": None},
        "a checkpoint without a name": {"checkpoint": {"id": "", "kind": None, "area": None}},
        "a policy that is not there": {"periods": [{**period, "policies": [1]}]},
        "half a policy": {"periods": [{**period, "policies": [0.5]}]},
        "a measure without anything": {"periods": [{**period, "measure": {}}]},
        "complete or not is not said": {"periods": [{**period, "complete": None}]},
        "two periods from ever": {"periods": [period, period]},
        "a period that begins at no time": {"periods": [period, {**period, "from": "tomorrow"}]},
        "periods out of order": {
            "periods": [period, *({**period, "from": f"2026-02-{day}T00:00:00.000Z"} for day in ("02", "01"))]
        },
        "reasons that the judge needs are missing": {"reasons": {"rule.error": REASON}},
        "a reason without words": {"reasons": {**NEEDED, "code.forged": {**REASON, "words": ["Giả."]}}},
        "a reason with a verdict of the future": {"reasons": {**NEEDED, "code.forged": {**REASON, "outcome": "jail"}}},
    }.items():
        book.only(about, sign(claims(content(**changes))), wrong)


def main() -> None:
    book = Book()
    for chapter in (honest, forged, older, unreadable):
        chapter(book)
    roots = [(R1, False), (R2, True)]
    entries = [
        {"kid": forge.kid_of(key).hex(), "x": x.hex(), "y": y.hex(), "revoked": revoked}
        for key, revoked in roots
        for x, y in [forge.xy_of(key)]
    ]
    said = {"issuer": ISSUER, "roots": entries, "cases": book.cases, "bundles": book.bundles}
    path = Path(__file__).with_name("bundles.json")
    path.write_text(json.dumps(said, ensure_ascii=False, indent=1) + "\n", "utf-8")
    assert cbor2.loads(base64.b64decode(book.bundles["bundle-00"])).tag == 18


if __name__ == "__main__":
    main()
