"""What a platform's engineers take home: what is asked of them, vectors to try alone, and an example that runs."""

import base64
import datetime as dt
import json
from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from typing import Any

import msgspec
from cryptography.hazmat.primitives.asymmetric import ec
from standardwebhooks import Webhook

from motma.conformance import codes, sending, telling  # noqa: F401  # importing them enters their cases
from motma.conformance.trial import CASES
from motma.core.claims import Carrier, Claims, Worth
from motma.core.code import TrustedKey, issue_code, key_id
from motma.core.cose import SigningKey
from motma.core.ids import Qid, new_qid
from motma.core.publickeys import write_jwks

_AT = dt.datetime(2026, 1, 18, 7, 0, tzinfo=dt.UTC)
"""When the vectors are to be judged."""
_ISSUER = "motma.kit"
_SECRET = "whsec_" + base64.b64encode(b"a secret for tests alone").decode()
# For tests alone, as they are published here: whoever believes them believes anybody.
_SIGNS = ec.derive_private_key(0x5EED_2026_0123, ec.SECP256R1())
_STRANGER = ec.derive_private_key(0x5EED_2026_0124, ec.SECP256R1())
_QID = new_qid(bytes(range(10)))


def write_kit(folder: Path) -> list[str]:
    """Write the kit into ``folder``, which is made if need be; returns the names of its files."""
    folder.mkdir(parents=True, exist_ok=True)
    readme = (resources.files(__package__) / "kit" / "README.md").read_text()
    files = {
        "README.md": readme.replace("{{cases}}", "\n".join(_table())),
        "codes.json": _json(_codes()),
        "webhooks.json": _json(_webhooks()),
        "example.py": (resources.files(__package__) / "kit" / "example.py").read_text(),
    }
    for name, text in files.items():
        (folder / name).write_text(text)
    return list(files)


def _table() -> Iterator[str]:
    for one in CASES:
        yield f"| `{one.id}` | {one.words.vi} | {one.words.en} |"


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=1) + "\n"


# -- codes -------------------------------------------------------------------------------------------------------------


def _codes() -> dict[str, Any]:
    signer = SigningKey(_SIGNS, key_id(_SIGNS.public_key()))
    key = TrustedKey(signer.kid, signer.public, _ISSUER, _AT - dt.timedelta(days=1))
    said = _claims()
    good = issue_code(said, signer)
    hour = 3600
    later, before = said.issued + hour, said.issued - 3 * hour
    cases = [
        ("good", good, True),
        ("altered", issue_code(said, SigningKey(_STRANGER, signer.kid)), False),
        ("unknown key", issue_code(said, SigningKey(_STRANGER, key_id(_STRANGER.public_key()))), None),
        ("expired", issue_code(_with(said, issued=before, begins=before, expires=before + hour), signer), False),
        ("not yet", issue_code(_with(said, begins=later, expires=later + hour), signer), False),
        ("no code at all", "xin chào", None),
        ("half of one", good[: len(good) // 2], None),
    ]
    return {
        "about": "Judge each code at `now` with `keys`. valid: true, false, or null for what is not known. "
        "In the world the keys come with /v1/trust-list, and what was withdrawn with /v1/status/{n}.",
        "now": _AT.isoformat(),
        "keys": json.loads(write_jwks([key]))["keys"],
        "cases": [{"name": name, "code": code, "valid": valid} for name, code, valid in cases],
    }


def _claims() -> Claims:
    at = int(_AT.timestamp()) - 60
    return Claims(
        issuer=_ISSUER,
        expires=at + 72 * 3600,
        begins=at,
        issued=at,
        code_id=bytes(range(16)),
        qid=Qid(_QID),
        name="Người Thử Nghiệm",
        born="19870118",
        sex=None,
        holder_key=None,
        measure="demo-hcmc",
        worth=Worth.ACCEPT,
        matched=True,
        last_four="0000",
        vintage=2025,
        areas=("79",),
        route=(),
        status_index=7,
        carrier=Carrier.SCREEN,
    )


def _with(said: Claims, **changed: Any) -> Claims:
    return msgspec.structs.replace(said, **changed)


# -- webhooks ----------------------------------------------------------------------------------------------------------


def _webhooks() -> dict[str, Any]:
    first, second, third = (
        _change(version, state) for version, state in ((41, "good"), (43, "withdrawn"), (42, "good"))
    )
    odd = {**_change(44, "good"), "type": "weather.changed", "id": "chg_weather"}
    forged = _message(_change(45, "good"))
    cases = [
        ("the first one", _message(first), True),
        ("a newer one", _message(second), True),
        ("an older one that comes later", _message(third), True),
        ("the first one again", _message(first), True),
        ("a type of another day", _message(odd), True),
        ("forged", {**forged, "body": forged["body"].replace("good", "expired")}, False),
        ("signed an hour ago", _message(_change(46, "good"), _AT - dt.timedelta(hours=1)), False),
        ("not signed", {"headers": {"webhook-id": "chg_x"}, "body": forged["body"]}, False),
    ]
    return {
        "about": "Take these in their order, at `now`, with `secret`. taken: whether to answer 2xx. "
        "In the end the citizen's state and version are those under `then`.",
        "now": _AT.isoformat(),
        "secret": _SECRET,
        "cases": [{"name": name, **message, "taken": taken} for name, message, taken in cases],
        "then": {"qid": _QID, "version": 43, "state": "withdrawn"},
    }


def _change(version: int, state: str) -> dict[str, Any]:
    said = {"qid": _QID, "also": [], "version": version, "state": state, "health": "clear"}
    id = f"chg_{version:026d}"
    return {"id": id, "cursor": str(version), "type": "citizen.changed", "at": _AT.isoformat(), "citizen": said}


def _message(change: dict[str, Any], at: dt.datetime = _AT) -> dict[str, Any]:
    body = msgspec.json.encode({"type": change["type"], "timestamp": change["at"], "data": change}).decode()
    headers = {
        "content-type": "application/json",
        "webhook-id": change["id"],
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": Webhook(_SECRET).sign(change["id"], at, body),
    }
    return {"headers": headers, "body": body}
