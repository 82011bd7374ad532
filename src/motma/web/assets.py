"""Files that pages load: read once, compressed once, answered from memory with a strong ETag.

An address with the right ``?v=`` never changes and is kept for a year; any other is asked for again each time.
"""

import gzip
import hashlib
import mimetypes
from dataclasses import dataclass
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable
from typing import Any

from litestar import Request, Response, get
from litestar.exceptions import NotFoundException
from litestar.params import FromPath

_TYPES = {
    ".js": "text/javascript",
    ".mjs": "text/javascript",
    ".wasm": "application/wasm",
    ".woff2": "font/woff2",
    ".webmanifest": "application/manifest+json",
    ".svg": "image/svg+xml",
}
_PACKED_ALREADY = {".woff2", ".png"}


@dataclass(frozen=True, slots=True)
class Asset:
    """One file: its bytes, plain and compressed, and the name of this very content."""

    body: bytes
    squeezed: bytes | None
    media_type: str
    version: str


@cache
def assets(folder: str) -> dict[str, Asset]:
    """Every file under a folder of this package ("web/static", "scanner"), by its path within."""
    found: dict[str, Asset] = {}

    def walk(here: Traversable, prefix: str) -> None:
        for entry in here.iterdir():
            if entry.is_dir():
                walk(entry, f"{prefix}{entry.name}/")
            elif not entry.name.endswith((".py", ".pyc")):
                found[prefix + entry.name] = _read(entry)

    walk(resources.files("motma").joinpath(folder), "")
    return found


def asset_url(path: str) -> str:
    """The lasting address of a file under ``web/static``."""
    return f"/static/{path}?v={assets('web/static')[path].version}"


def answer_asset(request: Request[Any, Any, Any], folder: str, path: str) -> Response[bytes]:
    """The file, or 304 if the asker has this very content."""
    asset = assets(folder).get(path)
    if asset is None:
        raise NotFoundException
    # A type file's name holds its version in npm's fashion: it changes with the package, and that is rare.
    lasting = request.query_params.get("v") == asset.version or path.endswith(".woff2")
    headers = {
        "etag": f'"{asset.version}"',
        "cache-control": "public, max-age=31536000, immutable" if lasting else "no-cache",
        "vary": "Accept-Encoding",
    }
    if asset.version in request.headers.get("if-none-match", ""):
        return Response(b"", status_code=304, headers=headers, media_type=asset.media_type)
    if asset.squeezed and "gzip" in request.headers.get("accept-encoding", ""):
        return Response(asset.squeezed, headers={**headers, "content-encoding": "gzip"}, media_type=asset.media_type)
    return Response(asset.body, headers=headers, media_type=asset.media_type)


@get("/static/{path:path}", include_in_schema=False)
async def static_file(request: Request[Any, Any, Any], path: FromPath[str]) -> Response[bytes]:
    """Style, script, fonts, icons."""
    return answer_asset(request, "web/static", path.lstrip("/"))


def _read(entry: Traversable) -> Asset:
    body = entry.read_bytes()
    ending = "." + entry.name.rpartition(".")[2]
    media_type = _TYPES.get(ending) or mimetypes.guess_type(entry.name)[0] or "application/octet-stream"
    squeezed = None if ending in _PACKED_ALREADY else gzip.compress(body, 9, mtime=0)
    version = hashlib.sha256(body).hexdigest()[:16]
    return Asset(body, squeezed if squeezed and len(squeezed) < len(body) else None, media_type, version)
