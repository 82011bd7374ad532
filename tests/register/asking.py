"""Somebody who asks the running register as any client of the standard would: plain HTTP, a token, no help."""

import base64
from typing import Any
from urllib.parse import quote, quote_plus

import httpx

from tests.register.running import Running


def basic(client_id: str, secret: str) -> str:
    """The header of RFC 6749, section 2.3.1: each part form-encoded, then Basic."""
    return "Basic " + base64.b64encode(f"{quote_plus(client_id)}:{quote_plus(secret)}".encode()).decode()


class Client:
    """A client with a token of its own; ``scope`` narrows it."""

    def __init__(self, running: Running, scope: str | None = None) -> None:
        self.http = httpx.Client(base_url=running.url, timeout=30)
        given = self.token(basic(running.client_id, running.client_secret), scope=scope)
        assert given.status_code == 200, given.text
        self.headers = {"authorization": f"Bearer {given.json()['access_token']}"}

    def token(self, authorization: str | None = None, **fields: str | None) -> httpx.Response:
        form = {"grant_type": "client_credentials", **fields}
        headers = {"authorization": authorization} if authorization else {}
        sent = {name: value for name, value in form.items() if value is not None}
        return self.http.post("/oauth2/token", data=sent, headers=headers)

    def ask(self, method: str, path: str, **more: Any) -> httpx.Response:
        return self.http.request(method, path, headers=self.headers, **more)

    def read(self, uin: str, *names: str) -> httpx.Response:
        return self.ask(
            "GET", f"/v1/persons/{quote(uin, safe='')}", params=[("attributeNames", name) for name in names]
        )

    def match(self, uin: str, attributes: Any) -> httpx.Response:
        return self.ask("POST", f"/v1/persons/{quote(uin, safe='')}/match", json=attributes)

    def verify(self, uin: str, *expressions: tuple[str, str, Any]) -> httpx.Response:
        body = [dict(zip(("attributeName", "operator", "value"), one, strict=True)) for one in expressions]
        return self.ask("POST", f"/v1/persons/{quote(uin, safe='')}/verify", json=body)

    def find(self, **asked: Any) -> httpx.Response:
        return self.ask("GET", "/v1/persons", params=asked)

    def close(self) -> None:
        self.http.close()
