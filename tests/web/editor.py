"""How the editor of policies is spoken to, and what its pages say."""

import html
import re

import httpx


async def post(who: httpx.AsyncClient, text: str, go: str = "save", over: str = "") -> httpx.Response:
    """As the editor's form is sent: multipart, lines with CR LF."""
    fields = {"text": text.replace("\n", "\r\n"), "over": over, "go": go}
    return await who.post("/ops/policies/new", files={name: (None, value) for name, value in fields.items()})


async def look(who: httpx.AsyncClient, text: str) -> tuple[str, dict[str, bool]]:
    """(what the editor's script shows, line -> whether it stops)."""
    answer = await who.post("/ops/policies/check", files={"text": (None, text)})
    assert answer.status_code == 200 and answer.headers["cache-control"] == "no-store"
    body = answer.json()
    return body["html"], body["lines"]


async def draft(who: httpx.AsyncClient, text: str, over: str = "") -> str:
    answer = await post(who, text, over=over)
    assert answer.status_code == 303, said(answer.text)
    return answer.headers["location"]


def said(page: str) -> str:
    """The words of a page."""
    return html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page)))


async def english(who: httpx.AsyncClient) -> httpx.AsyncClient:
    who.cookies.set("motma_lang", "en", domain="motma.test")
    return who
