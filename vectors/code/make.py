"""Make ``codes.json``: codes good and bad, signed with a key that is published here and used for nothing else.

``python -m vectors.code.make`` writes the file again. The texts are built by hand and not by the code under test.
"""

import hashlib
import json
import struct
import unicodedata
import zlib
from pathlib import Path
from typing import Any

import cbor2
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, utils

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"
PRIVATE = ec.derive_private_key(0x5EED_2026_0118, ec.SECP256R1())
STRANGER = ec.derive_private_key(0x5EED_2026_0119, ec.SECP256R1())
BEGINS = 1_768_719_600  # 2026-01-18T07:00:00Z


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


def claims(**changes: Any) -> dict[int, Any]:
    """The claims of a good code; ``changes`` by the names below, ``None`` leaves one out."""
    at = {"iss": (1,), "exp": (4,), "nbf": (5,), "iat": (6,), "cti": (7,)}
    at |= {"identity": (169,), "qid": (169, 1), "name": (169, 4), "born": (169, 8)}
    at |= {"ours": (-65537,), "measure": (-65537, 1), "last": (-65537, 2), "areas": (-65537, 3)}
    at |= {"matched": (-65537, 4)}
    whole: dict[int, Any] = {
        1: "motma.test",
        4: BEGINS + 72 * 3600,
        5: BEGINS,
        6: BEGINS,
        7: bytes(range(16)),
        169: {1: "521322923144321717", 4: "Tạ Văn Thành", 8: "19760204"},
        -65537: {1: "demo-hcmc", 2: "3999", 3: ["79"], 4: True},
    }
    for name, value in changes.items():
        *folders, last = at[name]
        inner = whole
        for folder in folders:
            inner = inner[folder]
        if value is None:
            del inner[last]
        else:
            inner[last] = value
    return whole


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
    signed = b"\x84\x6aSignature1" + bstr(protected) + b"\x40" + body
    r, s = utils.decode_dss_signature(key.sign(signed, ec.ECDSA(hashes.SHA256(), deterministic_signing=True)))
    signature = r.to_bytes(32, "big") + s.to_bytes(32, "big")
    return tag + b"\x84" + bstr(protected) + unprotected + body + bstr(signature) + after


def text(envelope: bytes) -> str:
    return base45(zlib.compress(envelope, 9))


def signed(payload: bytes) -> str:
    """A code over any payload: only its content can be wrong."""
    return text(cose(payload))


def changed(**changes: Any) -> str:
    return signed(cbor2.dumps(claims(**changes)))


def _cases() -> list[dict[str, Any]]:
    good = cbor2.dumps(claims())
    code, envelope = signed(good), cose(good)
    squeezed = zlib.compress(envelope, 9)
    kid = kid_of(PRIVATE)
    pending = changed(matched=False, areas=[], name="Y")
    accepted = [
        ("an everyday code", code, {"name": "Tạ Văn Thành", "matched": True, "areas": ["79"]}),
        ("pending, for the whole country, a name of one letter", pending, {"name": "Y", "matched": False, "areas": []}),
        (
            "the longest name",
            changed(name="Ễ" * 100),
            {"name": "Ễ" * 100, "matched": True, "areas": ["79"]},
        ),
        (
            "claims that nobody knows yet are passed over",
            signed(cbor2.dumps({**claims(), 3: "anybody", 99: [1, 2]})),
            {"name": "Tạ Văn Thành", "matched": True, "areas": ["79"]},
        ),
    ]
    unreadable = [
        ("empty", ""),
        ("a web address", "HTTPS://EXAMPLE.VN/QR"),
        ("lower case", code.lower()),
        ("a triple above 65535", ":::" + code[3:]),
        ("a tail above 255", code + "::" if len(code) % 3 == 0 else code[:-2] + "::"),
        ("one character too many", code + "0" if len(code) % 3 != 1 else code[:-1]),
        ("a letter outside the alphabet", "é" + code[1:]),
        ("longer than 2,000 characters", "0" * 2_001),
        ("not compressed", base45(envelope)),
        ("cut off", base45(squeezed[:-6])),
        ("bytes after the stream", base45(squeezed + b"\x00")),
        ("two streams", base45(squeezed + squeezed)),
        ("a bomb of a megabyte", base45(zlib.compress(bytes(1_000_000), 9))),
        ("bytes after the signature", text(envelope + b"\x00")),
        ("no tag", text(envelope[1:])),
        ("the tag of COSE_Mac0", text(cose(good, tag=b"\xd1"))),
        ("the tag of COSE_Sign", text(cose(good, tag=b"\xd8\x62"))),
        ("the tag of CWT around it", text(b"\xd8\x3d" + envelope)),
        ("another algorithm: EdDSA", text(cose(good, protected=cbor2.dumps({1: -8, 4: kid})))),
        ("another algorithm: none", text(cose(good, protected=cbor2.dumps({1: 0, 4: kid})))),
        ("no kid", text(cose(good, protected=cbor2.dumps({1: -7})))),
        ("a kid of nine bytes", text(cose(good, kid=kid + b"\x00"))),
        ("kid and algorithm in the other order", text(cose(good, protected=cbor2.dumps({4: kid, 1: -7})))),
        ("one header more", text(cose(good, protected=cbor2.dumps({1: -7, 4: kid, 2: [4]})))),
        ("the kid in the unprotected header", text(cose(good, unprotected=cbor2.dumps({4: kid})))),
        ("a payload head longer than it must be", text(cose(good, payload_bstr=b"\x59\x00" + bstr(good)[1:]))),
        ("a payload in pieces", text(cose(good, payload_bstr=b"\x5f" + bstr(good) + b"\xff"))),
        ("no payload", text(cose(good, payload_bstr=b"\xf6"))),
        ("an array of five", text(b"\xd2\x85" + envelope[2:] + b"\x00")),
    ]
    flipped = bytearray(envelope)
    flipped[40] ^= 1
    forged = [
        ("one bit of the payload", text(bytes(flipped))),
        ("a signature of zeros", text(envelope[:-64] + bytes(64))),
        ("a signature of ones", text(envelope[:-64] + b"\xff" * 64)),
        ("another's signature under our kid", text(cose(good, key=STRANGER, kid=kid))),
        ("another name under the same signature", text(envelope.replace("Thành".encode(), b"Thanx" + b"h"))),
    ]
    unknown = [("signed by a stranger", text(cose(good, key=STRANGER)))]
    doubled = good[:1].replace(b"\xa7", b"\xa8") + good[1:] + cbor2.dumps(1) + cbor2.dumps("other")
    malformed = [
        ("no claims", signed(b"")),
        ("an array of claims", signed(cbor2.dumps([1, 2]))),
        ("half a map", signed(good[:-3])),
        ("an indefinite map", signed(b"\xbf" + good[1:] + b"\xff")),
        ("a key twice", signed(doubled)),
        ("nested a hundred deep", signed(b"\x81" * 100 + b"\x00")),
        ("no issuer", changed(iss=None)),
        ("the issuer is a number", changed(iss=1)),
        ("no end", changed(exp=None)),
        ("the end is a fraction", changed(exp=BEGINS + 0.5)),
        ("the end is text", changed(exp=str(BEGINS))),
        ("the end is truth", changed(exp=True)),
        ("the beginning is before 1970", changed(nbf=-1)),
        ("issued in the year 292 billion", changed(iat=2**63)),
        ("a number of nine bytes", changed(iat=2**64)),
        ("the end is not a number", changed(exp=float("nan"))),
        ("an id of fifteen bytes", changed(cti=bytes(15))),
        ("an id that is text", changed(cti="0" * 16)),
        ("no identity", changed(identity=None)),
        ("an identity that is text", changed(identity="x")),
        ("a QID that is a number", changed(qid=521322923144321717)),
        ("a QID of seventeen digits", changed(qid="52132292314432171")),
        ("a QID with spaces", changed(qid="521322 923144 3217")),
        ("a QID of Arabic digits", changed(qid="٥" * 18)),
        ("no name", changed(name="")),
        ("a name that is bytes", changed(name=b"An")),
        ("a name that is not in NFC", changed(name=unicodedata.normalize("NFD", "Tạ Văn Thành"))),
        ("a birth date on 30 February", changed(born="19760230")),
        ("a birth date with hyphens", changed(born="1976-02-04")),
        ("a birth date and more", changed(born="197602040")),
        ("a birth date that is a number", changed(born=19760204)),
        ("five last characters", changed(last="53999")),
        ("areas that are text", changed(areas="79")),
        ("an area that is a number", changed(areas=[79])),
        ("matched is one", changed(matched=1)),
        ("nothing of ours", changed(ours=None)),
    ]
    refused = {
        "code.unreadable": unreadable,
        "code.forged": forged,
        "code.unknown_key": unknown,
        "code.malformed": malformed,
    }
    return [{"about": about, "text": text, "claims": said} for about, text, said in accepted] + [
        {"about": about, "text": text, "code": code} for code, cases in refused.items() for about, text in cases
    ]


def vectors() -> dict[str, Any]:
    numbers = PRIVATE.public_key().public_numbers()
    return {
        "about": "Codes and what must become of them. The key is for tests alone: its private part is in make.py.",
        "key": {"kid": kid_of(PRIVATE).hex(), "x": f"{numbers.x:064x}", "y": f"{numbers.y:064x}"},
        "cases": _cases(),
    }


if __name__ == "__main__":
    whole = json.dumps(vectors(), ensure_ascii=False, indent=1)
    Path(__file__).with_name("codes.json").write_text(whole + "\n", "utf-8")
