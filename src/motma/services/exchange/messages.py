"""Messages: a change as it is sent to a platform, signed by the Standard Webhooks specification."""

import datetime as dt
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Literal, Protocol

import msgspec
from standardwebhooks import Webhook

from motma.core.change import Change
from motma.core.words import Words

TEST = "webhook.test"


class Answered(Protocol):
    """What came of a message: the status if there was an answer, and what is wrong, if something is."""

    @property
    def status(self) -> int | None: ...
    @property
    def problem(self) -> str | None: ...


class Sender(Protocol):
    """What carries messages: :class:`motma.connectors.webhooks.WebhookSender`."""

    def parse(self, raw: str) -> str: ...
    async def check(self, url: str) -> None: ...
    async def send(self, url: str, headers: dict[str, str], body: bytes) -> Answered: ...


class Message(msgspec.Struct, frozen=True):
    """The body of a message; its id is in a header."""

    type: str
    timestamp: dt.datetime
    data: Change | dict[str, Any]


def signed(id: str, body: bytes, secrets: Sequence[str], now: dt.datetime) -> dict[str, str]:
    """The headers of one try. Source: Standard Webhooks 1.0, "Signature scheme": ``v1,`` HMAC-SHA-256 in base 64 of id,
    Unix time and body; one signature for each secret, so that a receiver may change from one to the other."""
    text = body.decode()
    return {
        "content-type": "application/json",
        "webhook-id": id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": " ".join([_signer(secret).sign(id, now, text) for secret in secrets]),
    }


@lru_cache(1_000)
def _signer(secret: str) -> Webhook:
    return Webhook(secret)


def encoded(change: Change) -> bytes:
    """A change as the body of its message."""
    return msgspec.json.encode(Message(change.type, change.at, change))


Why = Literal[
    "webhook.status",
    "webhook.redirect",
    "webhook.timeout",
    "webhook.unreachable",
    "webhook.tls",
]
WORDS: dict[str, Words] = {
    "webhook.status": Words("Máy nhận trả lời lỗi.", "The receiver answered with an error."),
    "webhook.redirect": Words(
        "Máy nhận trả lời chuyển hướng; hệ thống không đi theo. Đăng ký địa chỉ cuối cùng.",
        "The receiver answered with a redirect, which is not followed. Register the final address.",
    ),
    "webhook.timeout": Words("Máy nhận không trả lời trong 15 giây.", "The receiver did not answer within 15 seconds."),
    "webhook.unreachable": Words("Không nối được tới máy nhận.", "The receiver cannot be reached."),
    "webhook.tls": Words("Chứng thư của máy nhận không hợp lệ.", "The receiver's certificate is not valid."),
}
"""What is wrong with a receiver, in words that say nothing of the network that we are in."""


def why(problem: str) -> tuple[str, Words]:
    """(code, words) of a problem as it is kept: ``code`` or ``code status``."""
    code, _, status = problem.partition(" ")
    words = WORDS.get(code, WORDS["webhook.unreachable"])
    if not status:
        return code, words
    return code, Words(*[f"{said.removesuffix('.')} ({status})." for said in words])
