"""A receiver of webhooks in the standard library alone: who signed, when, whether it came before, which one is newer.

``python example.py`` tries it on webhooks.json beside it and says what became of each message.
"""

import base64
import datetime as dt
import hashlib
import hmac
import json
import pathlib
import sys

TOLERANCE_SECONDS = 300


class Receiver:
    def __init__(self, secret: str) -> None:
        self.key = base64.b64decode(secret.removeprefix("whsec_"))
        self.seen: set[str] = set()  # keep them in your database, in the transaction that takes the change over
        self.citizens: dict[str, dict[str, object]] = {}

    def take(self, headers: dict[str, str], body: str, now: dt.datetime) -> int:
        """Answer this status. 2xx means: yours, never send it again."""
        id, at = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
        if not at.isdigit() or abs(now.timestamp() - int(at)) > TOLERANCE_SECONDS:
            return 401
        expected = hmac.new(self.key, f"{id}.{at}.{body}".encode(), hashlib.sha256).digest()
        given = [
            one.removeprefix("v1,") for one in headers.get("webhook-signature", "").split() if one.startswith("v1,")
        ]
        if not any(hmac.compare_digest(base64.b64encode(expected).decode(), one) for one in given):
            return 401
        if id in self.seen:
            return 204  # it came before: at least once means sometimes twice
        self.seen.add(id)
        message = json.loads(body)
        if message["type"].startswith("citizen."):
            told = message["data"]["citizen"]
            known = self.citizens.get(told["qid"])
            if known is None or known["version"] < told["version"]:  # the higher version counts, not the later one
                self.citizens[told["qid"]] = told
        return 204


if __name__ == "__main__":
    vectors = json.loads((pathlib.Path(__file__).parent / "webhooks.json").read_text())
    receiver, wrong = Receiver(vectors["secret"]), 0
    for case in vectors["cases"]:
        status = receiver.take(case["headers"], case["body"], dt.datetime.fromisoformat(vectors["now"]))
        right = (200 <= status < 300) == case["taken"]
        wrong += not right
        print("ok  " if right else "NOT ", status, case["name"])
    then = vectors["then"]
    citizen = receiver.citizens[then["qid"]]
    right = all(citizen[name] == value for name, value in then.items())
    print("ok  " if right else "NOT ", "version", citizen["version"], citizen["state"])
    sys.exit(wrong or not right)
