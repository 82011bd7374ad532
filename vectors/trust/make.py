"""Make ``lists.json``: what is offered to a scanner, one after another, and what must become of each.

``python -m vectors.trust.make`` writes the file again. Nothing here calls the code under test. Each case begins with a
scanner that was just enrolled and knows the root R1; attacks bear the names that The Update Framework gives them.
"""

import base64
import json
from pathlib import Path
from typing import Any

import cbor2

from vectors.trust import forge
from vectors.trust.forge import BEGINS, DAY, ISSUER, LIFE, LIST, MINUTE, claims, key_entry, kid_of, root_entry, sign

R1, R2, R3, OTHER_ROOT = (forge.key(n) for n in (1, 2, 3, 9))
CODE, CODE2, PLATFORM, STRANGER = (forge.key(n) for n in (11, 12, 13, 19))
URI = "https://motma.test/v1/status/0"
NOW = BEGINS + MINUTE

ROOT1, ROOT2, ROOT3 = root_entry(R1), root_entry(R2), root_entry(R3)
OURS = key_entry(CODE, status_uri="https://motma.test/v1/status")
OURS2 = key_entry(CODE2)
THEIRS = key_entry(
    PLATFORM,
    issuer="platform.test",
    ends=BEGINS + 90 * DAY,
    measures=["demo-hcmc"],
    areas=["79"],
    status_uri="https://platform.test/lists",
)
THEIRS_REVOKED = [*THEIRS[:8], True, THEIRS[9]]
KEYS = [OURS, THEIRS]

V5 = claims(5, [ROOT1], KEYS, status={URI: BEGINS - MINUTE})
V6_REVOKED = claims(6, [ROOT1], [OURS, THEIRS_REVOKED], issued=BEGINS + DAY)
V6_BOTH_ROOTS = claims(6, [ROOT1, ROOT2], KEYS, issued=BEGINS + DAY)
V7_ROOT2 = claims(7, [ROOT2], KEYS, issued=BEGINS + 2 * DAY)
V9_ROOT3 = claims(9, [ROOT3], KEYS, issued=BEGINS + 3 * DAY)
LATER = BEGINS + 4 * DAY

Step = dict[str, Any]


class Book:
    """The cases, and every list once."""

    def __init__(self) -> None:
        self.lists: dict[str, str] = {}
        self.cases: list[dict[str, Any]] = []

    def case(self, attack: str, about: str, *steps: Step, **state: Any) -> None:
        self.cases.append(
            {"attack": attack, "about": about, "steps": list(steps), **({"state": state} if state else {})}
        )

    def offer(self, raw: bytes, now: int, expect: str = "accepted", **more: Any) -> Step:
        text = base64.b64encode(raw).decode()
        name = next((name for name, known in self.lists.items() if known == text), f"list-{len(self.lists):02}")
        self.lists[name] = text
        return {"list": name, "now": now, "expect": expect, **more}

    def only(self, attack: str, about: str, raw: bytes, code: str, *, now: int = NOW) -> None:
        """Refused as the first list there is, and as the next one."""
        self.case(attack, about, self.offer(raw, now, code))

    def after(self, attack: str, about: str, first: dict[Any, Any], raw: bytes, code: str, *, now: int = LATER) -> None:
        """Refused by a scanner that holds ``first``, and keeps it."""
        held = sign(first, R1)
        state = {"version": first[LIST][1], "issued_at": first[forge.IAT]}
        self.case(attack, about, self.offer(held, first[forge.IAT] + MINUTE), self.offer(raw, now, code), **state)


def status(uri: str, issued_at: int, expect: str = "accepted") -> Step:
    return {"status": uri, "issued_at": issued_at, "expect": expect}


def honest(book: Book) -> None:
    v5, v6 = sign(V5, R1), sign(V6_REVOKED, R1)
    first = book.offer(v5, NOW)
    both = book.offer(sign(V6_BOTH_ROOTS, R1), BEGINS + DAY + MINUTE)
    again = claims(5, [ROOT1], KEYS, issued=BEGINS + 4 * DAY, status={URI: BEGINS + 3 * DAY})
    book.case("none", "the first list", first, version=5, roots=[kid_of(R1).hex()], revoked=0)
    book.case("none", "the same list twice", first, book.offer(v5, NOW + DAY), version=5)
    book.case("none", "a newer list that revokes a key", first, book.offer(v6, LATER), version=6, revoked=1)
    book.case(
        "none", "signed anew, nothing else changed", first, book.offer(sign(again, R1), LATER + MINUTE), version=5
    )
    more = sign(claims(5, [ROOT1, ROOT2], [*KEYS, OURS2], issued=BEGINS + DAY, status={URI: BEGINS}), R1)
    book.case("none", "the same version, later, by a release that says more", first, book.offer(more, LATER), version=5)
    book.case("none", "no key at all", book.offer(sign(claims(0, [ROOT1], []), R1), NOW), version=0)
    early = sign(claims(6, [ROOT1], KEYS, issued=BEGINS - 4 * MINUTE, status={URI: BEGINS}), R1)
    book.case("none", "two of our machines, their clocks 4 minutes apart", first, book.offer(early, NOW), version=6)
    book.case("none", "the scanner's clock is 5 minutes behind", book.offer(v5, BEGINS - 5 * MINUTE), version=5)
    book.case("none", "the last second of a list", book.offer(v5, BEGINS + LIFE - 1), version=5, stale=False)
    book.case(
        "none",
        "a held list is judged by after its end, and called stale; a newer one is still taken",
        {**first, "stale_at": BEGINS + LIFE},
        book.offer(sign(claims(6, [ROOT1], KEYS, issued=BEGINS + 30 * DAY), R1), BEGINS + 30 * DAY),
        version=6,
        stale=False,
    )
    book.case("none", "a leap of exactly 65,536", first, book.offer(sign(claims(65_541, [ROOT1], KEYS), R1), NOW))
    names = [kid_of(R2).hex()]
    second = book.offer(sign(V7_ROOT2, R2), BEGINS + 2 * DAY + MINUTE)
    book.case("none", "a root that was named before signs the next list", first, both, second, version=7, roots=names)
    edge = status(URI, BEGINS - MINUTE)
    book.case("none", "a status list that is just new enough", first, edge, status("https://other.test/1", 0))


def rollback(book: Book) -> None:
    v5, say = sign(V5, R1), "trustlist.rolled_back"
    book.after("rollback", "an older version", V6_REVOKED, v5, say)
    book.after("rollback", "an older version that has expired too", V6_REVOKED, v5, say, now=BEGINS + 8 * DAY)
    fresh = sign(claims(5, [ROOT1], KEYS, issued=BEGINS + 3 * DAY), R1)
    book.after("rollback", "an older version, signed anew by the root", V6_REVOKED, fresh, say)
    older = sign(claims(5, [ROOT1], KEYS, issued=BEGINS - DAY, status={URI: BEGINS - DAY}), R1)
    book.after("rollback", "the same version, issued before", V5, older, say)
    book.after("rollback", "a higher version, issued a day before", V5, sign({**V6_REVOKED, 6: BEGINS - DAY}, R1), say)
    other, floors = "same version, other content", {URI: BEGINS - MINUTE}
    more = sign(claims(5, [ROOT1], [*KEYS, OURS2], status=floors), R1)
    book.after(other, "the same version and time, a key more", V5, more, say)
    book.after(other, "the same version and time, a longer life", V5, sign({**V5, 4: BEGINS + 8 * DAY}, R1), say)
    roots = sign(claims(5, [ROOT1, ROOT2], KEYS, status=floors), R1)
    book.after(other, "the same version and time, a root more", V5, roots, say)
    floor = sign(claims(5, [ROOT1], KEYS, status={URI: BEGINS}), R1)
    book.after(other, "the same version and time, another floor", V5, floor, say)
    lower = sign(claims(6, [ROOT1], KEYS, issued=BEGINS + DAY, status={URI: BEGINS - DAY}), R1)
    book.after("rollback", "an older status list counts again", V5, lower, say)


def freeze(book: Book) -> None:
    v5, say = sign(V5, R1), "trustlist.expired"
    book.only("freeze", "the first list has expired", v5, say, now=BEGINS + 8 * DAY)
    book.only("freeze", "the moment of its end is after its end", v5, say, now=BEGINS + LIFE)
    book.after("freeze", "a newer list, but expired", V5, sign(V6_REVOKED, R1), say, now=BEGINS + 20 * DAY)
    resigned = sign(claims(5, [ROOT1], KEYS, issued=BEGINS + DAY, status={URI: BEGINS}), R1)
    book.after("freeze", "the same version, signed anew, but expired", V5, resigned, say, now=BEGINS + 20 * DAY)
    short = {**V6_REVOKED, 6: BEGINS - 4 * MINUTE, 4: BEGINS - MINUTE}
    book.after("freeze", "the clock set back does not bring an end back", V5, sign(short, R1), say, now=BEGINS - DAY)
    book.only("freeze", "good for 32 days", sign(claims(5, [ROOT1], KEYS, life=32 * DAY), R1), "trustlist.unreadable")
    book.only("freeze", "ends as it begins", sign(claims(5, [ROOT1], KEYS, life=0), R1), "trustlist.unreadable")
    book.only("not yet", "dated in the future", v5, "trustlist.not_yet", now=BEGINS - 5 * MINUTE - 1)
    ahead = sign(V6_REVOKED, R1)
    book.after("not yet", "the clock fell back to 1970", V5, ahead, "trustlist.not_yet", now=0)


def mix_and_match(book: Book) -> None:
    v5, v6 = sign(V5, R1), sign(V6_REVOKED, R1)
    old = status(URI, BEGINS - MINUTE - 1, "trustlist.mixed")
    book.case("mix-and-match", "an old status list beside a new list of trust", book.offer(v5, NOW), old)
    base = claims(6, [ROOT1], KEYS, status={"https://motma.test/v1/status": BEGINS, "https://other.test/": BEGINS})
    steps = [status(URI, BEGINS), status("https://motma.test/v1/status/70", BEGINS - 1, "trustlist.mixed")]
    steps += [status("https://motma.test/v1/other/0", 0), status("https://other.test/0", 0), status("x", 0)]
    book.case("mix-and-match", "the floor of all lists of an issuer", book.offer(sign(base, R1), NOW), *steps)
    moved = sign(claims(6, [ROOT1], KEYS, issued=BEGINS + DAY, status={URI: BEGINS + DAY}), R1)
    steps = [book.offer(v5, NOW), status(URI, BEGINS), book.offer(moved, LATER), status(URI, BEGINS, "trustlist.mixed")]
    book.case("mix-and-match", "a status list that was good enough for the list before", *steps, version=6)
    (protected, _, payload, _), signature = forge.parts(v5), forge.parts(v6)[3]
    swapped = forge.joined(protected, {}, payload, signature)
    book.only("mix-and-match", "the signature of another list", swapped, "trustlist.forged")
    protected2 = forge.parts(sign(V5, R2))[0]
    other = forge.joined(protected2, {}, payload, forge.parts(v5)[3])
    book.only("mix-and-match", "the header of another root's list", other, "trustlist.unknown_root")
    cosigned = forge.parts(sign(V9_ROOT3, R3, [R1]))
    lifted = forge.parts(sign({**V9_ROOT3, 6: BEGINS + 3 * DAY + 1}, R3))
    raw = forge.joined(lifted[0], cosigned[1], lifted[2], lifted[3])
    book.after("mix-and-match", "the countersignature of another list", V5, raw, "trustlist.forged")


def wrong_issuer(book: Book) -> None:
    at, say = "wrong-issuer", "trustlist.unknown_root"
    book.after(at, "signed by a delegated issuer's key", V5, sign(V6_REVOKED, PLATFORM), say)
    book.after(at, "signed by our own key for codes", V5, sign(V6_REVOKED, CODE), say)
    own = claims(6, [root_entry(STRANGER)], KEYS, issued=BEGINS + DAY)
    book.after(at, "a stranger's, who names himself root", V5, sign(own, STRANGER), say)
    code_root = claims(6, [ROOT1, root_entry(CODE2)], KEYS, issued=BEGINS + DAY)
    book.after(at, "a key for codes that names itself root", V5, sign(code_root, CODE2), say)
    book.after(
        at, "a key for codes under the root's kid", V5, sign(V6_REVOKED, CODE, kid=kid_of(R1)), "trustlist.forged"
    )
    elsewhere = claims(6, [root_entry(OTHER_ROOT)], KEYS, issued=BEGINS + DAY, issuer="other.test")
    book.after(at, "a list of another authority", V5, sign(elsewhere, OTHER_ROOT), say)
    same_root = claims(6, [ROOT1], KEYS, issued=BEGINS + DAY, issuer="other.test")
    book.after(at, "another authority under the same root", V5, sign(same_root, R1), "trustlist.wrong_issuer")
    book.only(at, "another authority, as the first list", sign(same_root, R1), "trustlist.wrong_issuer", now=LATER)
    book.after(at, "countersigned by a key for codes", V5, sign(own, STRANGER, [CODE]), say)


def unrevoke(book: Book) -> None:
    say = "trustlist.unrevoked"

    def next_list(*keys: list[Any], roots: tuple[list[Any], ...] = (ROOT1,)) -> bytes:
        return sign(claims(7, list(roots), [OURS, *keys], issued=BEGINS + 2 * DAY), R1)

    book.after("unrevoke", "a revoked key is good again", V6_REVOKED, next_list(THEIRS), say)
    book.after("unrevoke", "a revoked key is missing", V6_REVOKED, next_list(), say)
    other_kid = [b"\x11" * 8, *THEIRS[1:]]
    book.after("unrevoke", "a revoked key is good under another kid", V6_REVOKED, next_list(other_kid), say)
    in_place = key_entry(CODE2, kid=kid_of(PLATFORM), revoked=True)
    book.after("unrevoke", "another key is revoked in its place", V6_REVOKED, next_list(in_place), say)
    as_root = (ROOT1, root_entry(PLATFORM))
    book.after("unrevoke", "a revoked key for codes comes back as a root", V6_REVOKED, next_list(roots=as_root), say)
    gone2 = claims(6, [ROOT1, root_entry(R2, revoked=True)], KEYS, issued=BEGINS + DAY)
    book.after("unrevoke", "a revoked root is a root again", gone2, next_list(THEIRS, roots=(ROOT1, ROOT2)), say)
    book.after("unrevoke", "a revoked root is forgotten", gone2, next_list(THEIRS), say)
    twice = next_list(THEIRS_REVOKED, [b"\x11" * 8, *THEIRS[1:]])
    book.after("unrevoke", "a key both revoked and good", V6_REVOKED, twice, "trustlist.unreadable")
    kept = next_list(THEIRS_REVOKED, OURS2)
    held = book.offer(sign(V6_REVOKED, R1), BEGINS + DAY)
    book.case(
        "none", "a revoked key stays revoked in the next list", held, book.offer(kept, LATER), version=7, revoked=1
    )


def fast_forward(book: Book) -> None:
    say = "trustlist.fast_forward"
    book.only("fast-forward", "the highest version there is", sign(claims(2**32 - 1, [ROOT1], KEYS), R1), say)
    leap = sign(claims(5 + 65_537, [ROOT1], KEYS, issued=BEGINS + DAY), R1)
    book.after("fast-forward", "one more than is believed", V5, leap, say)
    over = sign(claims(2**32, [ROOT1], KEYS), R1)
    book.only("fast-forward", "a version beyond all versions", over, "trustlist.unreadable")
    huge = sign(claims(2**80, [ROOT1], KEYS), R1)
    book.only("fast-forward", "a version of eighty bits", huge, "trustlist.unreadable")


def endless_data(book: Book) -> None:
    step = book.offer(sign(V5, R1), NOW, "trustlist.too_large", padded_to=262_145)
    book.case("endless data", "a good list, and zeros after it", step)
    step = book.offer(b"", NOW, "trustlist.too_large", padded_to=4_000_000)
    book.case("endless data", "nothing but zeros", step)
    step = book.offer(sign(V5, R1), NOW, "trustlist.unreadable", padded_to=4_096)
    book.case("endless data", "a good list, and some zeros after it", step)


def roots(book: Book) -> None:
    say = "trustlist.stripped_root"
    none = sign(claims(6, [], KEYS, issued=BEGINS + DAY), R1)
    book.after("stripped root", "no root is named any more", V5, none, say)
    others = sign(claims(6, [ROOT2], KEYS, issued=BEGINS + DAY), R1)
    book.after("stripped root", "whoever signs does not name itself", V5, others, say)
    itself = sign(claims(6, [root_entry(R1, revoked=True), ROOT2], KEYS, issued=BEGINS + DAY), R1)
    book.after("stripped root", "whoever signs says it is revoked", V5, itself, say)
    impostor = claims(6, [root_entry(R2, kid=kid_of(R1))], KEYS, issued=BEGINS + DAY)
    book.after("stripped root", "another key under the signer's kid", V5, sign(impostor, R1), "trustlist.forged")

    first, late = book.offer(sign(V5, R1), NOW), BEGINS + 3 * DAY + MINUTE
    names = {"version": 9, "roots": [kid_of(R3).hex()]}
    slept = "slept through"
    one = book.offer(sign(V7_ROOT2, R2, [R1]), BEGINS + 2 * DAY + MINUTE)
    book.case(slept, "one root rotation: the old root signs too", first, one, version=7)
    two = book.offer(sign(V9_ROOT3, R3, [R2, R1]), late)
    book.case(slept, "two root rotations: both old roots sign too", first, two, **names)
    book.case(slept, "two root rotations, never enrolled a list", two, **names)
    stolen = {**V9_ROOT3, LIST: [1, 9, [ROOT3, root_entry(R1, revoked=True)], KEYS, {}]}
    cured = book.offer(sign(stolen, R3, [R1]), late)
    book.case(slept, "its own root was revoked meanwhile, and hears it", first, cured, version=9, revoked=1)
    nobody = sign(V9_ROOT3, R3)
    book.after(slept, "two root rotations, and no old root signs", V5, nobody, "trustlist.unknown_root")
    book.after(slept, "only a root between signs too", V5, sign(V9_ROOT3, R3, [R2]), "trustlist.unknown_root")
    protected, _, payload, signature = forge.parts(sign(V9_ROOT3, R3))
    theirs = forge.cosign(protected, payload, signature, STRANGER, kid=kid_of(R1))
    broken = forge.joined(protected, {11: [theirs]}, payload, signature)
    book.after(slept, "the old root's signature is broken", V5, broken, "trustlist.forged")
    unsigned = sign(V9_ROOT3, R3, [R1], signature=bytes(range(64)))
    book.after(slept, "the old root vouches for what the new one did not sign", V5, unsigned, "trustlist.forged")
    retired = [first, book.offer(sign(V6_BOTH_ROOTS, R1), late), book.offer(sign(V7_ROOT2, R2), late)]
    back = book.offer(sign(claims(8, [ROOT1], KEYS, issued=BEGINS + 3 * DAY), R1), late, "trustlist.unknown_root")
    book.case("retired root", "a root that is named no more signs", *retired, back, version=7)
    vouch = sign(claims(8, [root_entry(STRANGER)], KEYS, issued=BEGINS + 3 * DAY), STRANGER, [R1])
    step = book.offer(vouch, late, "trustlist.unknown_root")
    book.case("retired root", "a root that is named no more vouches for a stranger", *retired, step, version=7)
    gone2 = sign(claims(6, [ROOT1, root_entry(R2, revoked=True)], KEYS, issued=BEGINS + DAY), R1)
    thief = book.offer(sign(V7_ROOT2, R2), late, "trustlist.unknown_root")
    book.case(
        "revoked root", "a root that is known to be revoked signs", first, book.offer(gone2, late), thief, version=6
    )


def other_things(book: Book) -> None:
    at, kind, bad = "other thing offered", "trustlist.wrong_type", "trustlist.unreadable"
    code = {1: ISSUER, 4: BEGINS + DAY, 6: BEGINS, 7: bytes(16), 169: {1: "999", 4: "A", 8: "19900101"}}
    book.only(at, "a code, signed by the root", sign(code, R1, headers={1: -7, 4: kid_of(R1)}), kind)
    lst = {2: URI, 4: BEGINS + DAY, 6: BEGINS, 65533: {"bits": 2, "lst": bytes(9)}, 65534: 300}
    typ = "application/statuslist+cwt"
    book.only(at, "a status list, signed by the root", sign(lst, R1, headers={1: -7, 4: kid_of(R1), 16: typ}), kind)
    book.only(
        at,
        "a list of trust that says it is something else",
        sign(V5, R1, headers={1: -7, 4: kid_of(R1), 16: typ}),
        kind,
    )
    book.only(at, "a status list that says it is a list of trust", sign(lst, R1), bad)
    book.only(at, "a page that wants a log-in", b"<!doctype html><title>Wi-Fi</title>", bad)
    book.only(at, "nothing", b"", bad)
    v5 = sign(V5, R1)
    book.only(at, "half of a list", v5[: len(v5) // 2], bad)
    book.only(at, "untagged", v5[1:], bad)
    book.only(at, "in a CWT tag", b"\xd8\x3d" + v5, bad)
    full = {1: -7, 4: kid_of(R1), 16: forge.TYP}
    book.only(at, "another algorithm", sign(V5, R1, headers={**full, 1: -8}), bad)
    book.only(at, "no kid", sign(V5, R1, headers={1: -7, 16: forge.TYP}), bad)
    book.only(at, "a critical header", sign(V5, R1, headers={**full, 2: [16]}), bad)
    book.only(at, "a header more", sign(V5, R1, headers={**full, 3: 60}), bad)
    book.only(at, "an unprotected header more", sign(V5, R1, unprotected={4: kid_of(R1)}), bad)
    book.only(at, "nobody countersigns", sign(V5, R1, unprotected={11: []}), bad)
    book.only(at, "nine countersign", sign(V5, R1, [R2] * 9), bad)
    book.only(at, "a format of later", sign({**V5, LIST: [2, *V5[LIST][1:]]}, R1), bad)
    book.only(at, "a claim more", sign({**V5, 5: BEGINS}, R1), bad)
    book.only(at, "a claim twice", sign(_twice(V5), R1), bad)
    book.only(at, "no map", sign([1, 2, 3], R1), bad)
    book.only(at, "an end that is no number", sign({**V5, 4: 1.5e9}, R1), bad)
    book.only(at, "a time before 1970", sign({**V5, 6: -1}, R1), bad)
    book.only(at, "an issuer without a name", sign({**V5, 1: ""}, R1), bad)
    for about, entry in {
        "a point beside the curve": [kid_of(CODE2), b"\x01" * 32, b"\x01" * 32, *OURS2[3:]],
        "a kid of seven bytes": [kid_of(CODE2)[:7], *OURS2[1:]],
        "revoked: 0": [*OURS2[:8], 0, ""],
        "a scope of numbers": [*OURS2[:6], [1], *OURS2[7:]],
        "a key with a field more": [*OURS2, 0],
        "a key for codes that is a root too": key_entry(R1),
    }.items():
        book.only(at, about, sign(claims(5, [ROOT1], [OURS, entry]), R1), bad)


def _twice(said: dict[Any, Any]) -> bytes:
    """The claims with the issuer said once more at the end."""
    plain = cbor2.dumps(said)
    return bytes([plain[0] + 1]) + plain[1:] + cbor2.dumps(1) + cbor2.dumps("other.test")


def build() -> dict[str, Any]:
    book = Book()
    parts = (honest, rollback, freeze, mix_and_match, wrong_issuer, unrevoke, fast_forward, endless_data, roots)
    for write in (*parts, other_things):
        write(book)
    kid, x, y, _ = (part.hex() if isinstance(part, bytes) else part for part in ROOT1)
    return {
        "pins": {"issuer": ISSUER, "roots": [{"kid": kid, "x": x, "y": y}]},
        "lists": book.lists,
        "cases": book.cases,
    }


if __name__ == "__main__":
    path = Path(__file__).with_name("lists.json")
    path.write_text(json.dumps(build(), ensure_ascii=False, indent=1) + "\n", "utf-8")
