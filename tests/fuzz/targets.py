"""What is fuzzed: every door through which bytes or text from a stranger come into the core.

A target's ``run`` returns what became of the input (a reason code, "accepted", a kind) and raises only if there is a
bug: an error that is not ours, or a promise that is broken. Content behind a signature is signed here, so that it is
reached; whole messages are not, so that nothing but what is among the seeds may ever be accepted.
"""

import base64 as b64
import contextlib
import datetime as dt
import json
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cbor2

from motma.core import base45, legacy
from motma.core.claims import parse_claims, write_claims
from motma.core.code import TrustedKey, key_id, verify_code
from motma.core.cose import SigningKey, decode_cbor, holds, parse_sign1, sign1
from motma.core.errors import Invalid
from motma.core.legacy.reading import Anchors, Claim169Key, DccAnchor, ShcKey
from motma.core.reasons import REASONS
from motma.core.rules import BUDGET, RuleError, evaluate, validate
from motma.core.status import StatusList, verify_status_token
from motma.core.trustlist import Pins, accept
from motma.core.trustwire import RootKey
from vectors.code import make as codes
from vectors.legacy import make as cards
from vectors.status import make as statuses
from vectors.trust import forge
from vectors.trust import make as trust

VECTORS = Path(codes.__file__).parent.parent
NOW = dt.datetime.fromtimestamp(codes.BEGINS + 60, dt.UTC)
LONG_AGO = NOW - dt.timedelta(days=400)
KEY = SigningKey(codes.PRIVATE, key_id(codes.PRIVATE.public_key()))
RING = {
    KEY.kid: (
        TrustedKey(kid=KEY.kid, public=KEY.public, issuer="motma.test", not_before=LONG_AGO, status_uri=statuses.BASE),
    )
}
ROOT = forge.key(1)
PINS = Pins(forge.ISSUER, (RootKey(forge.kid_of(ROOT), ROOT.public_key()),))
ANCHORS = Anchors(
    ours=RING,
    dcc=(DccAnchor(KEY.kid, KEY.public, "VN"),),
    claim169=(Claim169Key("", KEY.public),),
    shc=(ShcKey("", "", cards.PRIVATE.public_key()),),
)


@dataclass(frozen=True, slots=True)
class Target:
    """A door: ``run`` throws one input at it; ``seeds`` are inputs that get far."""

    name: str
    run: Callable[[bytes], str]
    seeds: tuple[bytes, ...]


def _vectors(name: str) -> dict[str, list[dict[str, str]]]:
    read: dict[str, list[dict[str, str]]] = json.loads((VECTORS / name).read_text("utf-8"))
    return read


# -- our code ----------------------------------------------------------------------------------------------------------

_TEXTS = [case["text"] for case in _vectors("code/codes.json")["cases"] if len(case["text"]) < 4_000]


def _layers(text: str) -> list[bytes]:
    """What a text holds: compressed bytes, envelope, payload, as far as it goes."""
    try:
        squeezed = base45.decode(text)
        envelope = zlib.decompress(squeezed)
        return [squeezed, envelope, parse_sign1(envelope).payload]
    except (Invalid, zlib.error):
        return []


_WHOLE = [layers for text in _TEXTS if (layers := _layers(text))]
_SIGNED = {payload for _, _, payload in _WHOLE}


def _code(text: str) -> str:
    try:
        verified = verify_code(text, RING)
    except Invalid as refused:
        assert refused.code in REASONS, refused.code
        return refused.code
    assert verified.claims.valid_from < verified.claims.valid_until
    return "accepted"


def _code_text(data: bytes) -> str:
    text = data.decode("utf-8", "replace")
    became = _code(text)
    assert became != "accepted" or _layers(text)[2] in _SIGNED, "a forgery was accepted"
    return became


def _code_squeezed(data: bytes) -> str:
    return _code_text(base45.encode(data).encode())


def _code_envelope(data: bytes) -> str:
    return _code_squeezed(zlib.compress(data, 0))


def _code_content(data: bytes) -> str:
    became = _code(base45.encode(zlib.compress(codes.cose(data), 0)))
    if became == "accepted":
        claims = parse_claims(data)
        assert parse_claims(write_claims(claims)) == claims, "what was read cannot be written"
    return became


# -- envelopes and lists -----------------------------------------------------------------------------------------------


_TOKENS = [bytes.fromhex(case["token"]) for case in _vectors("status/lists.json")["tokens"]]
_LISTS = [b64.b64decode(raw) for raw in trust.build()["lists"].values()]


def _contents(raws: list[bytes]) -> list[bytes]:
    found = []
    for raw in raws:
        with contextlib.suppress(Invalid):
            found.append(parse_sign1(raw).payload)
    return found


_HELD = _SIGNED | set(_contents(_TOKENS))


def _refused(read: Callable[[], object], *doors: str) -> str:
    try:
        read()
    except Invalid as refused:
        assert refused.code.startswith(doors), refused.code
        return refused.code
    return "accepted"


def _cbor(data: bytes) -> str:
    return _refused(lambda: decode_cbor(data), "cose.")


def _sign1(data: bytes) -> str:
    def read() -> None:
        envelope = parse_sign1(data)
        assert all(isinstance(kid, bytes) for kid in envelope.kids)
        assert not holds(KEY.public, envelope) or envelope.payload in _HELD, "a forgery holds"

    return _refused(read, "cose.")


def _base45(data: bytes) -> str:
    text = data.decode("latin-1")
    if (became := _refused(lambda: base45.decode(text), "base45.")) == "accepted":
        assert base45.encode(base45.decode(text)) == text
    return became


def _status_token(data: bytes) -> str:
    def read() -> None:
        token = verify_status_token(data, RING, uri=statuses.URI, now=NOW)
        if len(token.list):
            token.status(len(token.list) - 1)

    return _refused(read, "status.")


def _status_list(data: bytes) -> str:
    _refused(lambda: StatusList.from_json(data), "status.")
    return _refused(lambda: StatusList.from_cbor(data), "status.")


def _trust_list(data: bytes) -> str:
    return _refused(lambda: accept(PINS, data, NOW), "trustlist.")


def _rule(data: bytes) -> str:
    """A rule and what it is asked of, in one JSON: ``[expression, data]``."""
    try:
        expression, asked = json.loads(data)
    except (ValueError, TypeError, RecursionError):
        return "no JSON of two"
    problems = validate(expression)
    try:
        value = evaluate(expression, asked)
    except RuleError as refused:
        return f"{refused.code} {len(problems)}"
    assert not isinstance(value, list | dict) or len(json.dumps(value, default=str)) < len(data) + 100 * BUDGET
    return f"{type(value).__name__} {len(problems)}"


# -- every other code --------------------------------------------------------------------------------------------------


def _any_text(data: bytes) -> str:
    reading = legacy.read(data.decode("utf-8", "surrogatepass" if data[:1] == b"\xed" else "replace"), ANCHORS, NOW)
    assert all(isinstance(value, str | tuple) for value in reading.fields.values())
    assert reading.trust.words.vi and repr(reading)
    return f"{reading.kind} {len(reading.problems)} {reading.trust.good}"


def _packed(data: bytes, prefix: str = "") -> str:
    return _any_text((prefix + base45.encode(zlib.compress(sign1({}, data, KEY), 0))).encode())


def _dcc_content(data: bytes) -> str:
    return _packed(data, "HC1:")


def _shc_content(data: bytes) -> str:
    header = cards.b64(json.dumps({"zip": "DEF", "alg": "ES256", "kid": cards.jwk(cards.PRIVATE)["kid"]}).encode())
    signed = f"{header}.{cards.b64(cards.deflate(data))}".encode()
    jws = f"{signed.decode()}.{cards.b64(codes.sign(signed, cards.PRIVATE))}"
    return _any_text(("shc:/" + "".join([f"{ord(letter) - 45:02}" for letter in jws])).encode())


_DCC = {
    1: "VN",
    4: codes.BEGINS + 9_999_999,
    6: codes.BEGINS - 99,
    -260: {
        1: {
            "ver": "1.3.0",
            "nam": {"fn": "Nguyễn", "fnt": "NGUYEN", "gn": "Văn A", "gnt": "VAN<A"},
            "dob": "1987-01-18",
            "v": [
                {
                    **{"tg": "840539006", "vp": "1119349007", "mp": "EU/1/20/1528", "ma": "ORG-100030215", "dn": 2},
                    **{"sd": 2, "dt": "2025-11-01", "co": "VN", "is": "Bộ Y tế", "ci": "URN:UVCI:01:VN:1#A"},
                }
            ],
        }
    },
}
_FOREIGN = {
    1: "id.example",
    4: codes.BEGINS + 999,
    169: {1: "A1", 4: "Dana Test", 8: "19870118", 9: 2, 62: b"\xff\xd8"},
}
_TEST = {**_DCC, -260: {1: {**_DCC[-260][1], "v": None, "t": [{"tt": "LP6464-4", "tr": "260415000"}]}}}  # type: ignore[index]


def _card_texts() -> list[bytes]:
    names = ("legacy/plain.json", "legacy/shc.json", "legacy/nzcp.json")
    return [case["text"].encode() for name in names for case in _vectors(name)["cases"]]


def _shc_seeds() -> list[bytes]:
    found = []
    for case in _vectors("legacy/shc.json")["cases"]:
        digits = case["text"].rpartition("/")[2]
        jws = "".join([chr(int(digits[at : at + 2]) + 45) for at in range(0, len(digits) - 1, 2) if digits.isdigit()])
        parts = jws.split(".")
        try:
            found.append(zlib.decompress(b64.urlsafe_b64decode(parts[1] + "=="), -15))
        except (IndexError, ValueError, zlib.error):
            continue
    return found


_RULES = _vectors("rules/rules.json")["cases"]


def targets() -> list[Target]:
    """All of them, with their seeds from ``vectors/``."""
    lists = [bytes.fromhex(case["cbor"]) for case in _vectors("status/lists.json")["lists"] if "cbor" in case]

    def door(name: str, run: Callable[[bytes], str], seeds: list[bytes]) -> Target:
        return Target(name, run, tuple(dict.fromkeys(seed for seed in seeds if len(seed) < 10_000)))

    envelopes = [envelope for _, envelope, _ in _WHOLE]
    payloads = sorted(_SIGNED)
    return [
        door("code_text", _code_text, [text.encode() for text in _TEXTS]),
        door("code_squeezed", _code_squeezed, [squeezed for squeezed, _, _ in _WHOLE]),
        door("code_envelope", _code_envelope, envelopes),
        door("code_content", _code_content, payloads),
        door("cbor", _cbor, payloads + lists),
        door("sign1", _sign1, envelopes + _TOKENS + _LISTS),
        door("base45", _base45, [text.encode() for text in _TEXTS]),
        door("status_token", _status_token, _TOKENS),
        door("status_content", lambda data: _status_token(statuses.token(data)), _contents(_TOKENS)),
        door("status_list", _status_list, lists),
        door("trust_list", _trust_list, _LISTS),
        door("trust_content", lambda data: _trust_list(forge.sign(data, ROOT)), _contents(_LISTS)),
        door("rule", _rule, [json.dumps([case["expression"], case["data"]]).encode() for case in _RULES]),
        door("any_text", _any_text, _card_texts() + [text.encode() for text in _TEXTS[:20]]),
        door("dcc_content", _dcc_content, [cbor2.dumps(one) for one in (_DCC, _TEST)]),
        door("claim169_content", _packed, [cbor2.dumps(_FOREIGN), *payloads]),
        door("shc_content", _shc_content, _shc_seeds()),
    ]
