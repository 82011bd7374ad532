"""``/v1/status/{n}``: what became of every code, for whoever reads codes without asking us about each.

Open to anybody, since it names nobody: two bits for a number that only the bearer's code tells. Who fetches a list does
not say which code is on their mind.
"""

from typing import Any

from litestar import Request, Response, get
from litestar.params import FromPath

from motma.core.errors import Hidden
from motma.core.status import MEDIA_TYPE
from motma.core.words import Words
from motma.web.access import house_of

_NUMBER_MAX_CHARS = 9


@get("/v1/status/{n:str}", include_in_schema=False)
async def status_list(request: Request[Any, Any, Any], n: FromPath[str]) -> Response[bytes]:
    """Status list ``n`` as a token, or 304 if the asker has this very one. Never compressed again: it is."""
    if not (n.isascii() and n.isdigit() and len(n) <= _NUMBER_MAX_CHARS and n == str(int(n))):
        raise Hidden("status.no_list", Words("Không có danh sách này.", "There is no such list."))
    house = house_of(request)
    published = await house.status.status_list(int(n), house.clock())
    headers = {
        "etag": f'"{published.etag}"',
        "cache-control": f"public, max-age={published.ttl_seconds}",
    }
    if _has(request.headers.get("if-none-match", ""), published.etag):
        return Response(b"", status_code=304, headers=headers, media_type=MEDIA_TYPE)
    return Response(published.token, headers=headers, media_type=MEDIA_TYPE)


def _has(given: str, etag: str) -> bool:
    """Whether If-None-Match names this content (RFC 9110, section 13.1.2; weak comparison)."""
    return any(one.strip().removeprefix("W/") in ("*", f'"{etag}"') for one in given.split(","))
