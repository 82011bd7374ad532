"""Make ``lists.json``: status lists and the tokens around them, good and bad, and what must become of each.

``python -m vectors.status.make`` writes the file again. Nothing here calls the code under test. The keys are
published here and used for nothing else. Zip bombs are too large to stand here: both sides make their own.
"""

import base64
import hashlib
import json
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import cbor2
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, utils

PRIVATE = ec.derive_private_key(0x5EED_2026_0118, ec.SECP256R1())
STRANGER = ec.derive_private_key(0x5EED_2026_0119, ec.SECP256R1())
REVOKED = ec.derive_private_key(0x5EED_2026_0120, ec.SECP256R1())
OLD = ec.derive_private_key(0x5EED_2026_0122, ec.SECP256R1())
PLATFORM = ec.derive_private_key(0x5EED_2026_0121, ec.SECP256R1())
BASE, ELSEWHERE = "https://motma.test/v1/status", "https://platform.test/lists"
URI = f"{BASE}/0"
DAY, TTL = 86_400, 300
BEGINS = 1_768_719_600  # 2026-01-18T07:00:00Z
NOW = BEGINS + 60
FIRST = BEGINS - DAY
"""When every key came into force."""

SUB, EXP, IAT, LIST, TTL_KEY = 2, 4, 6, 65533, 65534
TYP = "application/statuslist+cwt"


def kid_of(key: ec.EllipticCurvePrivateKey) -> bytes:
    der = key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(der).digest()[:8]


KID = kid_of(PRIVATE)


def pack(statuses: Mapping[int, int], length: int, bits: int) -> bytes:
    """The bits as one long number, the first status at its foot: not how the code under test does it."""
    number = 0
    for index, status in statuses.items():
        number |= status << (index * bits)
    return number.to_bytes((length * bits + 7) // 8, "little")


def squeeze(packed: bytes) -> bytes:
    return zlib.compress(packed, 9)


def a_list(statuses: Mapping[int, int] | None = None, length: int = 1024, bits: int = 2) -> dict[str, Any]:
    return {"bits": bits, "lst": squeeze(pack(statuses or {}, length, bits))}


def claims(**changes: Any) -> dict[Any, Any]:
    """The claims of a good token; ``None`` leaves one out."""
    whole = {
        SUB: changes.get("sub", URI),
        EXP: changes.get("exp", BEGINS + DAY),
        IAT: changes.get("iat", BEGINS),
        TTL_KEY: changes.get("ttl", TTL),
        LIST: changes.get("list", a_list({5: 1, 6: 2, 7: 3})),
    }
    return {key: value for key, value in whole.items() if value is not None}


def token(
    payload: Any = None,
    *,
    key: ec.EllipticCurvePrivateKey = PRIVATE,
    protected: Any = None,
    unprotected: Mapping[int, Any] | None = None,
    tag: int | None = 18,
    kid: bytes | None = None,
    **changes: Any,
) -> bytes:
    """A COSE_Sign1 whose signature holds, whatever else is odd about it."""
    if not isinstance(payload, bytes):
        payload = cbor2.dumps(claims(**changes) if payload is None else payload)
    headers = {1: -7, 4: kid_of(key) if kid is None else kid, 16: TYP} if protected is None else protected
    protected = headers if isinstance(headers, bytes) else cbor2.dumps(headers)
    signed = cbor2.dumps(["Signature1", protected, b"", payload])
    r, s = utils.decode_dss_signature(key.sign(signed, ec.ECDSA(hashes.SHA256(), deterministic_signing=True)))
    message = [protected, dict(unprotected or {}), payload, r.to_bytes(32, "big") + s.to_bytes(32, "big")]
    return cbor2.dumps(message if tag is None else cbor2.CBORTag(tag, message))


def _lists() -> list[dict[str, Any]]:
    shapes = [
        (1, 16, {0: 1, 3: 1, 4: 1, 5: 1, 7: 1, 8: 1, 9: 1, 13: 1, 15: 1}),
        (2, 12, {0: 1, 1: 2, 3: 3, 5: 1, 7: 1, 8: 1, 9: 2, 10: 3, 11: 3}),
        (4, 2000, {0: 1, 1: 15, 1001: 12, 1999: 8}),
        (8, 3000, {0: 255, 77: 1, 2999: 128}),
        (2, 1_048_576, {0: 1, 1993: 2, 25460: 1, 159495: 3, 1000345: 3, 1_048_575: 2}),
        (2, 1024, {}),
    ]
    cases = []
    for bits, length, statuses in shapes:
        squeezed = squeeze(pack(statuses, length, bits))
        lst = base64.urlsafe_b64encode(squeezed).rstrip(b"=").decode()
        cases.append(
            {
                "about": f"{length:,} statuses of {bits} bits, {len(statuses)} of them not valid",
                "json": json.dumps({"bits": bits, "lst": lst}),
                "cbor": cbor2.dumps({"bits": bits, "lst": squeezed}).hex(),
                "bits": bits,
                "length": length,
                "statuses": {str(index): status for index, status in statuses.items()},
            }
        )
    good = squeeze(bytes(16))
    broken: list[tuple[str, Any]] = [
        ("three bits", {"bits": 3, "lst": good}),
        ("no bits", {"lst": good}),
        ("bits that are text", {"bits": "2", "lst": good}),
        ("bits that are a fraction", {"bits": 2.5, "lst": good}),
        ("bits that are truth", {"bits": True, "lst": good}),
        ("no list", {"bits": 2}),
        ("a list that is text", {"bits": 2, "lst": "eNo"}),
        ("a list of numbers", {"bits": 2, "lst": [1, 2]}),
        ("not compressed", {"bits": 2, "lst": bytes(16)}),
        ("nothing", {"bits": 2, "lst": b""}),
        ("raw DEFLATE without the ZLIB head", {"bits": 2, "lst": good[2:-4]}),
        ("cut off", {"bits": 2, "lst": good[:-2]}),
        ("a wrong check sum", {"bits": 2, "lst": good[:-1] + bytes((good[-1] ^ 1,))}),
        ("bytes after the stream", {"bits": 2, "lst": good + b"\x00"}),
        ("two streams", {"bits": 2, "lst": good + good}),
        ("an array", [2, good]),
    ]
    return cases + [
        {"about": about, "cbor": cbor2.dumps(whole).hex(), "code": "status.unreadable"} for about, whole in broken
    ]


def _taken() -> list[dict[str, Any]]:
    """Tokens that are taken."""
    full = {"length": 1024, "statuses": {"5": 1, "6": 2, "7": 3}, "issued_at": BEGINS, "ttl": TTL}
    older = token(iat=BEGINS - 600, list=a_list({5: 1}, 512))
    platform = token(key=PLATFORM, sub=f"{ELSEWHERE}/3")
    return [
        _case("an everyday token", token(), full),
        _case("newer and longer than the one at hand", token(), full, previous=older),
        _case("the very one at hand again", token(), full, previous=token()),
        _case("two tokens of one second", token(), full, previous=token(list=a_list())),
        _case("asked about by a code of the same issuer", token(), full, issuer="motma.test"),
        _case("the kid in the unprotected header", token(protected={1: -7, 16: TYP}, unprotected={4: KID}), full),
        _case("a header that nobody knows", token(protected={1: -7, 4: KID, 16: TYP, 99: "x"}), full),
        _case("a claim that nobody knows", token(claims() | {99: "x", "text": 1}), full),
        _case("no ttl: until it expires", token(ttl=None), full | {"ttl": DAY}),
        _case("dated five minutes ahead of us", token(), full, now=BEGINS - 300),
        _case("signed the second the key was retired", token(key=OLD), full),
        _case("a second before it expires", token(), full, now=BEGINS + DAY - 1),
        _case("one of two keys with the same kid", token(kid=bytes(8)), full),
        _case("by a platform, at its own address", platform, full, uri=f"{ELSEWHERE}/3", issuer="platform.test"),
        _case("one bit to a code", token(list=a_list({3: 1}, 64, 1)), full | {"length": 64, "statuses": {"3": 1}}),
        _case(
            "four bits to a code: what nobody defined means ask the server",
            token(list=a_list({1: 2, 3: 9, 4: 12}, 64, 4)),
            full | {"length": 64, "statuses": {"1": 2, "3": 3, "4": 3}},
        ),
    ]


def _refused() -> dict[str, list[dict[str, Any]]]:
    """By code: tokens that are refused, and on what grounds."""
    good = token()
    flipped = bytearray(good)
    flipped[100] ^= 1
    key_twice = b"\xa2" + cbor2.dumps(SUB) + cbor2.dumps(URI) + cbor2.dumps(SUB) + cbor2.dumps(URI)
    headers = {1: -7, 4: KID, 16: TYP}
    return {
        "status.unreadable": [
            _case("nothing", b""),
            _case("a page of a network that wants a log-in", b"<html>Free wifi! Log in</html>"),
            _case("half of it", good[: len(good) // 2]),
            _case("bytes after it", good + b"\x00"),
            _case("no tag", token(tag=None)),
            _case("the tag of CWT around it", b"\xd8\x3d" + good),
            _case("the tag of COSE_Mac0", token(tag=17)),
            _case("the tag of COSE_Sign", token(tag=98)),
            _case("three parts", cbor2.dumps(cbor2.CBORTag(18, [b"", {}, b""]))),
            _case("nested two hundred deep", b"\x81" * 200 + b"\x00"),
            _case("headers that are an array", token(protected=cbor2.dumps([1, 2]))),
            _case("a header twice", token(protected=b"\xa2\x01\x26\x01\x26")),
            _case("a critical header", token(protected=headers | {2: [99], 99: 1})),
            _case("no claims", token(b"")),
            _case("an array of claims", token([1, 2])),
            _case("a claim twice", token(key_twice)),
            _case("no subject", token(sub=None)),
            _case("a subject that is a number", token(sub=7)),
            _case("no time of issue", token(iat=None)),
            _case("issued at a text", token(iat="now")),
            _case("issued at a fraction", token(iat=BEGINS + 0.5)),
            _case("issued at no number", token(iat=float("nan"))),
            _case("issued before 1970", token(iat=-1)),
            _case("issued in the year 292 billion", token(iat=2**63)),
            _case("no end: it would stay good for whoever keeps us from fetching another", token(exp=None)),
            _case("the end before the beginning", token(exp=BEGINS - 1)),
            _case("a number of nine bytes", token(exp=2**64)),
            _case("a ttl of nothing", token(ttl=0)),
            _case("a ttl below nothing", token(ttl=-5)),
            _case("a ttl that is text", token(ttl="300")),
            _case("no list", token(list=None)),
            _case("a list that is bytes", token(list=b"x")),
        ],
        "status.wrong_type": [
            _case("no type", token(protected={1: -7, 4: KID})),
            _case("a signed thing of another type", token(protected=headers | {16: "application/cwt"})),
            _case("the type unprotected", token(protected={1: -7, 4: KID}, unprotected={16: TYP})),
            _case("the type in other letters", token(protected=headers | {16: TYP.upper()})),
            _case("the type as a number", token(protected=headers | {16: 75})),
        ],
        "status.unknown_key": [
            _case("by a stranger", token(key=STRANGER)),
            _case("no kid", token(protected={1: -7, 16: TYP})),
            _case("a kid that is text", token(protected=headers | {4: KID.hex()})),
            _case("a protected kid of no use, ours beside it", token(protected=headers | {4: 7}, unprotected={4: KID})),
            _case(
                "the protected kid counts",
                token(protected=headers | {4: kid_of(STRANGER)}, unprotected={4: KID}),
            ),
        ],
        "status.forged": [
            _case("one bit of it", bytes(flipped)),
            _case("another's signature under our kid", token(key=STRANGER, kid=KID)),
            _case("another's signature under a kid of two keys", token(key=STRANGER, kid=bytes(8))),
            _case("a signature of zeros", good[:-64] + bytes(64)),
            _case("no algorithm", token(protected={4: KID, 16: TYP})),
            _case("algorithm: none", token(protected=headers | {1: 0})),
            _case("algorithm: EdDSA", token(protected=headers | {1: -8})),
            _case("algorithm: ES384", token(protected=headers | {1: -35})),
            _case("a signature in DER", _in_der(good)),
        ],
        "status.revoked_key": [_case("by a key that was revoked", token(key=REVOKED))],
        "status.wrong_issuer": [
            _case("a platform's key over our list", token(key=PLATFORM)),
            _case("our key over a platform's list", token(sub=f"{ELSEWHERE}/3"), uri=f"{ELSEWHERE}/3"),
            _case("asked about by a code of another issuer", good, issuer="platform.test"),
            _case("an address below ours", token(sub=f"{BASE}/x/0"), uri=f"{BASE}/x/0"),
        ],
        "status.key_out_of_time": [
            _case("signed before the key was in force", token(iat=FIRST - 1, exp=BEGINS + DAY)),
            _case("signed after the key was retired", token(key=OLD, iat=BEGINS + 1)),
        ],
        "status.wrong_uri": [
            _case("another list of ours", token(sub=f"{BASE}/1")),
            _case("the address in other letters", token(sub=URI.upper())),
        ],
        "status.expired": [
            _case("the second it expires", good, now=BEGINS + DAY),
            _case("a week later", good, now=BEGINS + 7 * DAY),
        ],
        "status.not_yet": [_case("dated more than five minutes ahead of us", good, now=BEGINS - 301)],
        "status.rolled_back": [
            _case("rollback: an older list of theirs", token(iat=BEGINS - 1), previous=good),
            _case("rollback: older, and longer", token(iat=BEGINS - 1, list=a_list({}, 4096)), previous=good),
        ],
        "status.shrunk": [
            _case("newer, and shorter by a byte", token(iat=BEGINS + 1, list=a_list({}, 1020)), previous=good),
            _case(
                "as many bytes, half as many codes",
                token(iat=BEGINS + 1, list=a_list({}, 512, 4)),
                previous=good,
            ),
        ],
    }


def _in_der(good: bytes) -> bytes:
    message = cbor2.loads(good).value
    r, s = (int.from_bytes(half, "big") for half in (message[3][:32], message[3][32:]))
    return cbor2.dumps(cbor2.CBORTag(18, [*message[:3], utils.encode_dss_signature(r, s)]))


def _case(
    about: str,
    raw: bytes,
    said: dict[str, Any] | None = None,
    *,
    previous: bytes | None = None,
    uri: str = URI,
    now: int = NOW,
    issuer: str | None = None,
) -> dict[str, Any]:
    asked = {"uri": uri, "now": now, "issuer": issuer, "previous": previous.hex() if previous else None}
    asked = {name: value for name, value in asked.items() if value != {"uri": URI, "now": NOW}.get(name)}
    return {"about": about, "token": raw.hex(), **asked, **({"list": said} if said else {})}


def vectors() -> dict[str, Any]:
    keys = [
        (PRIVATE, KID, "motma.test", False, BASE),
        (OLD, kid_of(OLD), "motma.test", False, BASE),
        (REVOKED, kid_of(REVOKED), "motma.test", True, BASE),
        (PLATFORM, kid_of(PLATFORM), "platform.test", False, ELSEWHERE),
        (PLATFORM, bytes(8), "platform.test", False, ELSEWHERE),
        (PRIVATE, bytes(8), "motma.test", False, BASE),
    ]
    numbers = [key.public_key().public_numbers() for key, *_ in keys]
    return {
        "about": "Status lists and their tokens. `uri` and `now` where a case says nothing else stand here; `code` is"
        " how it is refused, else `list` is what it says. The keys are for tests alone.",
        "uri": URI,
        "now": NOW,
        "keys": [
            {
                "kid": kid.hex(),
                "x": f"{point.x:064x}",
                "y": f"{point.y:064x}",
                "issuer": issuer,
                "not_before": FIRST,
                "not_after": BEGINS if key is OLD else None,
                "revoked": revoked,
                "status_uri": status_uri,
            }
            for (key, kid, issuer, revoked, status_uri), point in zip(keys, numbers, strict=True)
        ],
        "lists": _lists(),
        "tokens": _taken() + [case | {"code": code} for code, cases in _refused().items() for case in cases],
    }


if __name__ == "__main__":
    whole = json.dumps(vectors(), ensure_ascii=False, indent=1)
    Path(__file__).with_name("lists.json").write_text(whole + "\n", "utf-8")
