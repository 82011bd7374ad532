"""Make ``codes.json``: codes good and bad, signed with keys that are published here and used for nothing else.

``python -m vectors.code.make`` writes the file again. The texts are built by hand and not by the code under test. Each
bad one names the step of ``docs/code-format.md`` that it breaks, and the reason that must be given.
"""

import datetime as dt
import hashlib
import json
import struct
import unicodedata
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cbor2
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, utils

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"
PRIVATE = ec.derive_private_key(0x5EED_2026_0118, ec.SECP256R1())
STRANGER = ec.derive_private_key(0x5EED_2026_0119, ec.SECP256R1())
HOLDER = ec.derive_private_key(0x5EED_2026_0120, ec.SECP256R1())
PLATFORM = ec.derive_private_key(0x5EED_2026_0121, ec.SECP256R1())
REVOKED = ec.derive_private_key(0x5EED_2026_0122, ec.SECP256R1())
BEGINS = 1_768_719_600  # 2026-01-18T07:00:00Z
PROOF_AT = BEGINS + 3600
MEASURE = "demo-hcmc"


def kid_of(key: ec.EllipticCurvePrivateKey) -> bytes:
    der = key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(der).digest()[:8]


def base45(data: bytes) -> str:
    text = ""
    for at in range(0, len(data), 2):
        number = int.from_bytes(data[at : at + 2], "big")
        for _ in range(3 if at + 1 < len(data) else 2):
            number, digit = divmod(number, 45)
            text += ALPHABET[digit]
    return text


def bstr(data: bytes) -> bytes:
    if len(data) < 24:
        return bytes((0x40 + len(data),)) + data
    return (b"\x58" + bytes((len(data),)) if len(data) < 256 else b"\x59" + struct.pack(">H", len(data))) + data


_PLACES: dict[str, tuple[Any, ...]] = {"iss": (1,), "exp": (4,), "nbf": (5,), "iat": (6,), "cti": (7,), "cnf": (8,)}
_PLACES |= {"identity": (169,), "qid": (169, 1), "name": (169, 4), "born": (169, 8), "sex": (169, 9), "ours": (-65537,)}
_OURS = ("measure", "worth", "matched", "last", "vintage", "areas", "route", "index", "carrier", "party")
_PLACES |= {name: (-65537, place) for place, name in enumerate(_OURS)}


def cnf(key: ec.EllipticCurvePrivateKey = HOLDER) -> dict[int, Any]:
    """The holder's public key, its y coordinate as a sign."""
    point = key.public_key().public_bytes(serialization.Encoding.X962, serialization.PublicFormat.CompressedPoint)
    return {1: {1: 2, -1: 1, -2: point[1:], -3: point[0] == 3}}


def claims(**changes: Any) -> dict[int, Any]:
    """The claims of a good code; ``changes`` by the names above, ``None`` leaves one out."""
    whole: dict[int, Any] = {
        1: "motma.test",
        4: BEGINS + 72 * 3600,
        6: BEGINS,
        7: bytes(range(16)),
        169: {1: "521322923144321717", 4: "Tạ Văn Thành", 8: "19760204"},
        -65537: [MEASURE, 0, True, "3999", 2025, ["79"], ["g07", "i03"], 74_565, 0],
    }
    for name, value in changes.items():
        *folders, last = _PLACES[name]
        inner: Any = whole
        for folder in folders:
            inner = inner[folder]
        if value is None:
            del inner[last]
        elif isinstance(inner, list) and last == len(inner):
            inner.append(value)
        else:
            inner[last] = value
    # In the order of deterministic encoding, which the issuer keeps and no verifier insists on.
    return {key: whole[key] for key in (1, 4, 5, 6, 7, 8, 169, -65537) if key in whole}


def sign(data: bytes, key: ec.EllipticCurvePrivateKey) -> bytes:
    r, s = utils.decode_dss_signature(key.sign(data, ec.ECDSA(hashes.SHA256(), deterministic_signing=True)))
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def cose(
    payload: bytes,
    *,
    key: ec.EllipticCurvePrivateKey = PRIVATE,
    kid: bytes | None = None,
    protected: bytes | None = None,
    tag: bytes = b"\xd2",
    unprotected: bytes = b"\xa0",
    payload_bstr: bytes | None = None,
    after: bytes = b"",
) -> bytes:
    """A COSE_Sign1 whose signature holds, whatever else is odd about it."""
    kid = kid_of(key) if kid is None else kid
    protected = cbor2.dumps({1: -7, 4: kid}) if protected is None else protected
    body = bstr(payload) if payload_bstr is None else payload_bstr
    signature = sign(b"\x84\x6aSignature1" + bstr(protected) + b"\x40" + body, key)
    return tag + b"\x84" + bstr(protected) + unprotected + body + bstr(signature) + after


def live(
    payload: bytes,
    at: int = PROOF_AT,
    *,
    holder: ec.EllipticCurvePrivateKey = HOLDER,
    headers: dict[int, Any] | None = None,
    said_at: int | None = None,
    context: str = "CounterSignatureV2",
) -> bytes:
    """A COSE_Sign1 with a live proof: the countersignature of the holder's key, in the unprotected header."""
    plain = cose(payload)
    protected, _, _, signature = cbor2.loads(plain[1:])
    theirs = cbor2.dumps({1: -7, 15: {6: at}} if headers is None else headers)
    proof = sign(cbor2.dumps([context, protected, theirs, b"", payload, [signature]]), holder)
    if said_at is not None:
        theirs = cbor2.dumps({1: -7, 15: {6: said_at}})
    return cose(payload, unprotected=cbor2.dumps({11: [theirs, {}, proof]}))


def text(envelope: bytes) -> str:
    return base45(zlib.compress(envelope, 9))


def signed(payload: bytes, **how: Any) -> str:
    """A code over any payload: only its content can be wrong."""
    return text(cose(payload, **how))


def changed(**changes: Any) -> str:
    return signed(cbor2.dumps(claims(**changes)))


def _said(proof_at: int | None = None, **changes: Any) -> dict[str, Any]:
    """What a verifier must find in a good code."""
    whole = claims(**changes)
    identity, ours = whole[169], whole[-65537]
    said = {
        "issuer": whole[1],
        "qid": identity[1],
        "name": identity[4],
        "birth_date": dt.date.fromisoformat(identity[8]).isoformat(),
        "sex": {1: "male", 2: "female", 3: "other", None: None}[identity.get(9)],
        "measure": ours[0],
        "worth": ("accept", "manual", "reject")[ours[1]],
        "matched": ours[2],
        "last_four": ours[3],
        "vintage": ours[4],
        "areas": ours[5],
        "route": ours[6],
        "status_index": ours[7],
        "carrier": ("screen", "paper")[ours[8]],
        "party": [[str(qid), name] for qid, name in (ours[9] if len(ours) > 9 else [])],
        "issued_at": whole[6],
        "valid_from": whole.get(5, whole[6]),
        "valid_until": whole[4],
    }
    return said if proof_at is None else {**said, "proof_at": proof_at}


def _accepted() -> Iterator[tuple[str, str, dict[str, Any]]]:
    def plain(about: str, **changes: Any) -> tuple[str, str, dict[str, Any]]:
        return about, changed(**changes), _said(**changes)

    yield plain("an everyday code")
    yield plain("pending, for the whole country, a name of one letter", matched=False, worth=1, areas=[], name="Y")
    yield plain("symptoms were declared", worth=2)
    yield plain("the longest name", name="Ễ" * 100)
    yield plain("a name with every kind of tone", name="Trần Thị Mỹ Duyên Lễ Ngoẵng")
    yield plain("with the sex", sex=2)
    yield plain("another sex", sex=3)
    yield plain("on paper", carrier=1)
    yield plain("no route", route=[])
    yield plain("the first place in the status list", index=0)
    yield plain("the last place in the status list", index=2**32 - 1)
    yield plain("areas of before 1 July 2025", vintage=2021, areas=["79", "74", "75"])
    yield plain("a leap day", born="20000229")
    yield plain("valid before it was issued", nbf=BEGINS - 3600)
    yield plain("valid from tomorrow", nbf=BEGINS + 86_400)
    yield plain("a party of four", party=[[521322923144321717 + n, "Tạ Thị Hòa"] for n in range(3)])
    odd = {**claims(), 3: "anybody", 99: [1, 2]}
    yield "claims that nobody knows yet are passed over", signed(cbor2.dumps(odd)), _said()
    longer = claims()
    longer[-65537] = [*longer[-65537], [], "later"]
    yield "a longer row of ours is passed over", signed(cbor2.dumps(longer)), _said()
    turned = dict(reversed(claims().items()))
    yield "claims in another order", signed(cbor2.dumps(turned)), _said()
    yield "squeezed not at all", base45(zlib.compress(cose(cbor2.dumps(claims())), 0)), _said()
    bound = cbor2.dumps(claims(cnf=cnf()))
    yield "bound to the holder's key, shown as a picture", signed(bound), _said()
    yield "bound and proved live", text(live(bound)), _said(proof_at=PROOF_AT)
    narrow = claims(iss="bluezone.test")
    yield "by a platform, within its scope", signed(cbor2.dumps(narrow), key=PLATFORM), _said(iss="bluezone.test")
    same = {**claims(), -65537: claims(name="Second of one kid")[-65537]}
    yield "the second key that bears its kid", signed(cbor2.dumps(same), key=STRANGER, kid=kid_of(REVOKED)), _said()


def _refused() -> Iterator[tuple[str, int, str, str]]:
    """(about, step, reason, text)."""
    good = cbor2.dumps(claims())
    code, envelope = signed(good), cose(good)
    squeezed = zlib.compress(envelope, 9)
    kid = kid_of(PRIVATE)

    yield "longer than any QR code", 1, "code.oversized", "0" * 4_297
    yield "empty", 2, "code.not_zlib", ""
    yield "a web address", 1, "code.not_base45", "https://example.vn/qr"
    yield "lower case", 1, "code.not_base45", code.lower()
    yield "a triple above 65535", 1, "code.not_base45", ":::" + code[3:]
    yield "a tail above 255", 1, "code.not_base45", code + "::" if len(code) % 3 == 0 else code[:-2] + "::"
    yield "one character too many", 1, "code.not_base45", code + "0" * (1 + -len(code) % 3)
    yield "a letter outside the alphabet", 1, "code.not_base45", "é" + code[1:]
    yield "the digits of a card", 2, "code.not_zlib", "079190123456"

    yield "not compressed", 2, "code.not_zlib", base45(envelope)
    yield "cut off", 2, "code.not_zlib", base45(squeezed[:-6])
    yield "bytes after the stream", 2, "code.not_zlib", base45(squeezed + b"\x00")
    yield "two streams", 2, "code.not_zlib", base45(squeezed + squeezed)
    yield "a wrong checksum", 2, "code.not_zlib", base45(squeezed[:-1] + bytes((squeezed[-1] ^ 1,)))
    stored = zlib.compress(envelope, 0)
    yield (
        "a stored block with a bit that zlib passes over",
        2,
        "code.not_zlib",
        base45(stored[:2] + b"\x09" + stored[3:]),
    )
    yield "a bomb of a megabyte", 2, "code.bomb", base45(zlib.compress(bytes(1_000_000), 9))
    yield "a byte more than may be", 2, "code.bomb", base45(zlib.compress(bytes(3_073), 9))

    def shape(about: str, reason: str, envelope: bytes) -> tuple[str, int, str, str]:
        return about, 3, reason, text(envelope)

    yield shape("nothing in it", "code.not_ours", b"")
    yield shape("bytes after the signature", "code.not_ours", envelope + b"\x00")
    yield shape("no tag", "code.not_ours", envelope[1:])
    yield shape("the tag of COSE_Mac0", "code.not_ours", cose(good, tag=b"\xd1"))
    yield shape("the tag of COSE_Sign", "code.not_ours", cose(good, tag=b"\xd8\x62"))
    yield shape("the tag of CWT around it", "code.not_ours", b"\xd8\x3d" + envelope)
    yield shape("another algorithm: EdDSA", "code.algorithm", cose(good, protected=cbor2.dumps({1: -8, 4: kid})))
    yield shape("another algorithm: none", "code.algorithm", cose(good, protected=cbor2.dumps({1: 0, 4: kid})))
    yield shape("no algorithm", "code.algorithm", cose(good, protected=cbor2.dumps({4: kid})))
    yield shape("no kid", "code.no_kid", cose(good, protected=cbor2.dumps({1: -7})))
    yield shape(
        "the kid in the unprotected header alone",
        "code.no_kid",
        cose(good, protected=cbor2.dumps({1: -7}), unprotected=cbor2.dumps({4: kid})),
    )
    yield shape("a kid of nine bytes", "code.not_ours", cose(good, kid=kid + b"\x00"))
    yield shape(
        "kid and algorithm in the other order", "code.not_ours", cose(good, protected=cbor2.dumps({4: kid, 1: -7}))
    )
    yield shape("one header more", "code.not_ours", cose(good, protected=cbor2.dumps({1: -7, 4: kid, 2: [4]})))
    yield shape("another kid in the unprotected header", "code.not_ours", cose(good, unprotected=cbor2.dumps({4: kid})))
    yield shape(
        "a payload head longer than it must be", "code.not_ours", cose(good, payload_bstr=b"\x59\x00" + bstr(good)[1:])
    )
    yield shape("a payload in pieces", "code.not_ours", cose(good, payload_bstr=b"\x5f" + bstr(good) + b"\xff"))
    yield shape("no payload", "code.not_ours", cose(good, payload_bstr=b"\xf6"))
    yield shape("an array of five", "code.not_ours", b"\xd2\x85" + envelope[2:] + b"\x00")

    yield "signed by a stranger", 4, "code.unknown_key", signed(good, key=STRANGER)

    flipped = bytearray(envelope)
    flipped[40] ^= 1
    yield "one bit of the payload", 5, "code.forged", text(bytes(flipped))
    yield "a signature of zeros", 5, "code.forged", text(envelope[:-64] + bytes(64))
    yield "a signature of ones", 5, "code.forged", text(envelope[:-64] + b"\xff" * 64)
    yield "another's signature under our kid", 5, "code.forged", signed(good, key=STRANGER, kid=kid)
    renamed = envelope.replace("Thành".encode(), b"Thanx" + b"h")
    yield "another name under the same signature", 5, "code.forged", text(renamed)
    yield "by a key that was revoked", 5, "code.revoked_key", signed(good, key=REVOKED)
    yield "by a revoked key, and nonsense", 5, "code.revoked_key", signed(b"\xff", key=REVOKED)

    doubled = good[:1].replace(b"\xa6", b"\xa7") + good[1:] + cbor2.dumps(1) + cbor2.dumps("other")
    inner = good.replace(b"\xa3\x01\x72", b"\xa4\x01\x61x\x01\x72")
    yield "no claims", 6, "code.not_cbor", signed(b"")
    yield "an array of claims", 6, "code.not_cbor", signed(cbor2.dumps([1, 2]))
    yield "half a map", 6, "code.not_cbor", signed(good[:-3])
    yield "something after the claims", 6, "code.not_cbor", signed(good + b"\xf6")
    hidden = good + cbor2.dumps(b"the claims end here") + b"\xf6"
    yield "something after what marks the end to one verifier", 6, "code.not_cbor", signed(hidden)
    yield "an indefinite map", 6, "code.not_cbor", signed(b"\xbf" + good[1:] + b"\xff")
    yield "text that is not UTF-8", 6, "code.not_cbor", signed(good.replace("Thành".encode(), b"Th\xff\xffnh"))
    yield "a key twice", 6, "code.key_twice", signed(doubled)
    yield "a key twice inside", 6, "code.key_twice", signed(inner)
    yield "nested a hundred deep", 6, "code.too_deep", signed(b"\x81" * 100 + b"\x00")
    yield "nested two thousand deep", 6, "code.too_deep", signed(b"\x81" * 2_000 + b"\x00")

    def content(about: str, reason: str, **changes: Any) -> tuple[str, int, str, str]:
        return about, 7, reason, changed(**changes)

    yield content("no issuer", "code.malformed", iss=None)
    yield content("the issuer is a number", "code.malformed", iss=1)
    yield content("no end", "code.malformed", exp=None)
    yield content("no moment of issue", "code.malformed", iat=None)
    yield content("the end is a fraction", "code.times", exp=BEGINS + 0.5)
    yield content("the end is text", "code.times", exp=str(BEGINS))
    yield content("the end is truth", "code.times", exp=True)
    yield content("the end is not a number", "code.times", exp=float("nan"))
    yield content("the end is never", "code.times", exp=float("inf"))
    yield content("the end is the beginning", "code.times", exp=BEGINS)
    yield content("the beginning is before 1970", "code.times", nbf=-1)
    yield content("issued in the year 292 billion", "code.times", iat=2**63)
    yield content("a number of nine bytes", "code.times", iat=2**64)
    yield content("a number of a thousand bytes", "code.times", iat=2**8000)
    yield content("an id of fifteen bytes", "code.malformed", cti=bytes(15))
    yield content("an id that is text", "code.malformed", cti="0" * 16)
    yield content("an id that is base64", "code.malformed", cti="AAECAwQFBgcICQoLDA0ODw==")
    yield "a key that is true and not 1", 7, "code.malformed", signed(b"\xa6\xf5" + good[2:])
    yield content("no identity", "code.malformed", identity=None)
    yield content("an identity that is text", "code.malformed", identity="x")
    yield content("a QID that is a number", "code.malformed", qid=521322923144321717)
    yield content("a QID of seventeen digits", "code.malformed", qid="52132292314432171")
    yield content("a QID with spaces", "code.malformed", qid="521322 923144 3217")
    yield content("a QID and a line's end", "code.malformed", qid="521322923144321717\n")
    yield content("a QID that begins with 0", "code.malformed", qid="021322923144321717")
    yield content("a QID of Arabic digits", "code.malformed", qid="٥" * 18)
    yield content("no name", "code.malformed", name="")
    yield content("a name that is bytes", "code.malformed", name=b"An")
    yield content("a name not in NFC", "code.malformed", name=unicodedata.normalize("NFD", "Tạ Văn Thành"))
    yield content("a birth date on 30 February", "code.malformed", born="19760230")
    yield content("a birth date with hyphens", "code.malformed", born="1976-02-04")
    yield content("a birth date and more", "code.malformed", born="197602040")
    yield content("a birth date that is a number", "code.malformed", born=19760204)
    yield content("a fourth sex", "code.number", sex=4)
    yield content("five last characters", "code.malformed", last="53999")
    yield content("areas that are text", "code.malformed", areas="79")
    yield content("an area that is a number", "code.malformed", areas=[79])
    yield content("areas as a set", "code.malformed", areas=cbor2.CBORTag(258, ["79"]))
    yield content("an area without a name", "code.malformed", areas=[""])
    yield content("matched is one", "code.malformed", matched=1)
    yield content("a worth nobody knows", "code.number", worth=3)
    yield content("a carrier nobody knows", "code.number", carrier=2)
    yield content("a place before the status list", "code.number", index=-1)
    yield content("a place of nine bytes in the status list", "code.number", index=2**64)
    yield content("a place that is not a number", "code.number", index=float("nan"))
    yield content("areas of the year 40000", "code.number", vintage=40_000)
    yield content("a party of 51", "code.malformed", party=[[521322923144321717, "An"]] * 51)
    yield content("a party of text", "code.malformed", party=["521322923144321717"])
    yield content("nothing of ours", "code.malformed", ours=None)
    yield content("ours as a map", "code.malformed", ours={1: MEASURE})
    yield content("a row of ours cut short", "code.malformed", ours=claims()[-65537][:8])
    yield content("a holder's key of another kind", "code.malformed", cnf={1: {1: 1, -1: 6, -2: bytes(32)}})
    yield content("a holder's key in a list", "code.malformed", cnf=[0, {1: 2, -1: 1, -2: bytes(32), -3: True}])
    yield content(
        "a holder's key with a broken number", "code.malformed", cnf={1: {1: 2.0, -1: 1, -2: bytes(32), -3: True}}
    )
    yield content("a holder's key of 31 bytes", "code.malformed", cnf={1: {1: 2, -1: 1, -2: bytes(31), -3: True}})

    def by_platform(about: str, reason: str, **changes: Any) -> tuple[str, int, str, str]:
        whole = {"iss": "bluezone.test", **changes}
        return about, 8, reason, signed(cbor2.dumps(claims(**whole)), key=PLATFORM)

    yield by_platform("in the name of another issuer", "code.wrong_issuer", iss="motma.test")
    yield by_platform("for a measure that is not the platform's", "code.out_of_scope", measure="demo-hanoi")
    yield by_platform("for an area more", "code.out_of_scope", areas=["79", "01"])
    yield by_platform("for everywhere", "code.out_of_scope", areas=[])
    yield by_platform("before its key was good", "code.key_out_of_time", iat=BEGINS - 86_401)
    yield by_platform("after its key was good", "code.key_out_of_time", iat=BEGINS + 86_401)

    bound = cbor2.dumps(claims(cnf=cnf()))
    proof = "code.proof_forged"
    yield "a live proof by another key", 9, proof, text(live(bound, holder=STRANGER))
    yield "a live proof of another time", 9, proof, text(live(bound, said_at=PROOF_AT + 30))
    yield "a live proof on a code that is bound to no key", 9, proof, text(live(good))
    yield "a live proof in words of another purpose", 9, proof, text(live(bound, context="CounterSignature"))
    other = cbor2.dumps(claims(cnf=cnf(), name="Tạ Văn Thanh"))
    lifted = cose(other, unprotected=cbor2.dumps({11: cbor2.loads(live(bound)[1:])[1][11]}))
    yield "the live proof of another code", 9, proof, text(lifted)
    off = cbor2.dumps(claims(cnf={1: {1: 2, -1: 1, -2: b"\xff" * 32, -3: False}}))
    yield "a holder's key that is not on the curve", 9, proof, text(live(off))
    timeless = live(bound, headers={1: -7})
    yield shape("a live proof that tells no time", "code.not_ours", timeless)
    yield "a live proof by another algorithm", 9, proof, text(live(bound, headers={1: -8, 15: {6: PROOF_AT}}))


def _keys() -> list[dict[str, Any]]:
    """The ring that the cases are verified with."""

    def one(key: ec.EllipticCurvePrivateKey, issuer: str, **more: Any) -> dict[str, Any]:
        numbers = key.public_key().public_numbers()
        place = {"kid": kid_of(key).hex(), "x": f"{numbers.x:064x}", "y": f"{numbers.y:064x}", "issuer": issuer}
        scope = {"not_before": BEGINS - 86_400, "not_after": None, "measures": [], "areas": [], "revoked": False}
        return {**place, **scope, **more}

    return [
        one(PRIVATE, "motma.test"),
        one(PLATFORM, "bluezone.test", not_after=BEGINS + 86_400, measures=[MEASURE], areas=["79", "74"]),
        one(REVOKED, "motma.test", revoked=True),
        one(STRANGER, "motma.test", kid=kid_of(REVOKED).hex()),
    ]


def vectors() -> dict[str, Any]:
    cases: list[dict[str, Any]] = [{"about": about, "text": text, "claims": said} for about, text, said in _accepted()]
    cases += [{"about": about, "text": text, "step": step, "code": reason} for about, step, reason, text in _refused()]
    return {
        "about": "Codes and what must become of them. The keys are for tests alone: their private parts are in "
        "make.py. A case with claims must verify and say them; another must be refused at the step, for the reason.",
        "keys": _keys(),
        "cases": cases,
    }


if __name__ == "__main__":
    whole = json.dumps(vectors(), ensure_ascii=False, indent=1)
    Path(__file__).with_name("codes.json").write_text(whole + "\n", "utf-8")
