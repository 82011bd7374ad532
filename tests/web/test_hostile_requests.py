"""Addresses, headers, cookies and methods that no honest client sends, and anything at all: never a 500."""

import datetime as dt
import json
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import quote, unquote_to_bytes, urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from litestar import _parsers

from motma.web.gate import BODY_MAX_BYTES
from tests.web.test_hostile import FORM, JSON, POSTS, leaves, replaced
from tests.world import World, each, living_world


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with living_world(tmp_path) as world:
        yield world


# -- addresses and headers -------------------------------------------------------------------------------------------

PATHS = [
    "/static/../config.py", "/static/..%2f..%2fconfig.py", "/static/%2e%2e/%2e%2e/config.py", "/static/...//config.py",
    "/static//etc/passwd", "/static/%00", "/static/motma.css%00.png", "/static/", "/static",
    "/static/..\\..\\config.py",
    "/static/%252e%252e%252fconfig.py", "/scan/app/x/../../config.py", "/scan/app/x/..%2f..%2fsecrets.json",
    "/scan/app/%00/%00", "/scan/app//", "/scan/app/0000000000000000/main.js", "/units/../../x.json",
    "/units/79.json.json",
    "/units/%00.json", "/units/" + "9" * 5_000 + ".json", "/code/1.png.png", "/code/%D9%A1.png", "/code/-1.png",
    "/code/" + "9" * 6_000 + ".png", "/code/0/looks", "/code/-1/looks", "/code/" + "9" * 6_000 + "/looks",
    "/code/1e5/looks", "/code/%00/looks", "/v1/../ops", "/v1//declarations", "/V1/measure", "/ops/", "/%ff%fe", "/%",
    "//evil.test/", "/\u202e", "/" + "a/" * 3_000, "/ops/live/x", "/docs/%3Cscript%3E",
]  # fmt: skip


@each(PATHS)
async def test_paths(world: World, path: str) -> None:
    clients = [world.browser(), await world.operator()]
    for client in clients:
        cookie = "; ".join(f"{name}={value}" for name, value in client.cookies.items()).encode()
        decoded = unquote_to_bytes(path).decode("utf-8", "replace")
        for wanted in (decoded, path):
            status, _, body = await world.raw("GET", wanted, headers=[(b"cookie", cookie)])
            assert status in (200, 303, 401, 404, 405, 414, 422), (wanted, status)
            assert b"from motma" not in body and b"signing_pem" not in body and b"root:" not in body


@each(
    [b"lang=xx", b"lang=vi&lang=en", b"lang=%00", b"lang=" + b"x" * 50_000, b"lang=%ff", b"&&&=;;", b"n=0", b"n=-1",
     b"n=99999999999999999999999", b"n=" + b"9" * 6_000, b"n=1.5", b"n=1e400", b"n=NaN", b"n=true", b"n=", b"n=1&n=2",
     b"n=%00", b"n=%ff", b"\xff\xfe", b"lang=en%0d%0aSet-Cookie:x=1", b"v=" + b"x" * 50_000,
     b"&".join([b"a"] * 20_000)]
)  # fmt: skip
async def test_queries(world: World, query: bytes) -> None:
    for path in ("/", "/code", "/static/motma.css", "/ops/login", "/v1/measure", "/docs", "/scan/enrol"):
        status, headers, _ = await world.raw("GET", path, query=query)
        assert status in (200, 414 if len(query) > 2_000 else 422, 422), (path, status)
        for name, value in headers:
            assert b"\r" not in value and b"\n" not in value
            assert name != b"set-cookie" or value.startswith(b"motma_lang=")


COOKIES = [
    b"", b";;;", b"=", b"motma_wallet", b"motma_wallet=", b"motma_wallet=" + b"x" * 60_000, b"motma_device=\xff\xfe",
    b"motma_session=%00%00%00%00%00%00%00%00%00%00%00%00%00%00%00%00", b'motma_session="' + b"a" * 32 + b'"',
    b"motma_lang=en; motma_lang=vi", b"motma_lang=<script>", b"motma_lang=\xff", b"motma_lang=en\x00",
    b"motma_wallet=%ed%a0%80%ed%a0%80%ed%a0%80%ed%a0%80%ed%a0%80%ed%a0%80",
    b"motma_wallet=" + "ế".encode() * 20, b"; ".join(b"c%d=1" % n for n in range(5_000)),
    b"motma_lang=en; $Version=1; a[b]=c",
    b"motma_device=" + b"a" * 32 + b"; motma_shift=" + b"b" * 32, b"motma_wallet=\r\nx: y", b"motma_lang=\"\\",
]  # fmt: skip


@each(COOKIES)
async def test_cookies(world: World, cookie: bytes) -> None:
    for method, path in [("GET", "/"), ("GET", "/code"), ("GET", "/code/1.png"), ("GET", "/scan"), ("GET", "/ops"),
                         ("GET", "/ops/counts.csv"), ("GET", "/scan/pulse"), ("POST", "/"), ("POST", "/ops/logout"),
                         ("POST", "/scan/shift/end"), ("POST", "/v1/checks")]:  # fmt: skip
        status, headers, _ = await world.raw(method, path, headers=[(b"cookie", cookie)])
        assert status in (431,) if len(cookie) > 4_096 else (200, 302, 303, 401, 404, 422), (path, status)
        assert all(b"\n" not in value for _, value in headers)


@each(
    [(b"authorization", b"Bearer \xff\xfe"), (b"authorization", b"Bearer " + b"a" * 60_000), (b"authorization", b""),
     (b"authorization", b"Bearer\x00"), (b"authorization", b"Bearer " + "ế".encode() * 20), (b"accept", b"\xff" * 100),
     (b"accept", b"text/html;q=" + b"9" * 5_000), (b"accept", b",;=,;=" * 1_000), (b"accept-language", b"\xff"),
     (b"accept-encoding", b"gzip" * 9_000), (b"if-none-match", b"\xff" * 9_000), (b"range", b"bytes=0-9999999999999"),
     (b"origin", b"\xff"), (b"host", b"\xff\xfe"), (b"host", b"evil.test\r\nx: y"), (b"x-forwarded-host", b"evil.test"),
     (b"x-forwarded-proto", b"javascript"), (b"x-http-method-override", b"DELETE"), (b"upgrade", b"websocket"),
     (b"content-type", b"\xff; =;;;"), (b"transfer-encoding", b"gzip, chunked"), (b"expect", b"200-maybe"),
     (b"idempotency-key", b"\xff"), (b"sec-fetch-site", b"\xff")]
)  # fmt: skip
async def test_headers(world: World, header: tuple[bytes, bytes]) -> None:
    before = world.rows()
    gets = [("GET", path) for path in ("/", "/v1/measure", "/static/motma.css", "/nowhere", "/ops/counts.csv")]
    for method, path in [*gets, ("POST", "/v1/declarations"), ("POST", "/"), ("POST", "/ops/login")]:
        status, headers, body = await world.raw(method, path, headers=[header])
        assert status < 500, (path, status, body[:200])
        assert all(b"\n" not in value and b"evil" not in value for _, value in headers)
    assert world.rows() == before


@each([b"", b" ", b"x" * 201, b"a b", b"\x00", b"\xff", "khóa".encode(), b"a\r\nb: c"])
async def test_idempotency_keys(world: World, key: bytes) -> None:
    platform = await world.platform()
    before = world.rows()
    token = platform.headers["authorization"].encode()
    body = json.dumps(world.declaration(world.person(0))).encode()
    given_headers = [(b"authorization", token), (b"content-type", b"application/json"), (b"idempotency-key", key)]
    status, _, answer = await world.raw("POST", "/v1/declarations", headers=given_headers, chunks=[body])
    assert (status, json.loads(answer)["code"]) == (422, "idempotency.key")
    status, _, answer = await world.raw("POST", "/v1/declarations", headers=given_headers[:2], chunks=[body])
    assert (status, json.loads(answer)["code"]) == (422, "idempotency.key")
    assert world.rows() == before


@each(["PUT", "DELETE", "PATCH", "TRACE", "CONNECT", "PROPFIND", "GET\x00", "get", "X" * 900])
async def test_methods(world: World, method: str) -> None:
    before = world.rows()
    for path in ("/", "/v1/declarations", "/v1/checks", "/ops", "/ops/diversions", "/static/motma.css", "/nowhere"):
        status, _, _ = await world.raw(method, path)
        assert status in (404, 405), (method, path, status)
    assert world.rows() == before


async def test_a_client_that_goes_away_in_the_middle(world: World) -> None:
    platform = await world.platform()
    before = world.rows()
    token = platform.headers["authorization"].encode()
    half = json.dumps(world.declaration(world.person(0))).encode()[:200]
    scope_headers = [(b"authorization", token), (b"content-type", b"application/json"), (b"idempotency-key", b"k")]
    for chunks in ([], [half], [half, half]):
        status, _, _ = await world.raw("POST", "/v1/declarations", headers=scope_headers, chunks=chunks)
        assert 400 <= status < 500
    assert world.rows() == before


async def test_too_much_in_one_piece_without_a_length(world: World) -> None:
    token = (await world.platform()).headers["authorization"].encode()
    headers = [(b"authorization", token), (b"content-type", b"application/json"), (b"idempotency-key", b"k")]
    chunks = [b" " * (BODY_MAX_BYTES + 1)]
    status, _, answer = await world.raw("POST", "/v1/declarations", headers=headers, chunks=chunks)
    assert (status, json.loads(answer)["code"]) == (413, "body.too_large")


async def test_errors_are_pages_for_people(world: World) -> None:
    for path, status in (("/nowhere", 404), ("/code/9.png", 404), ("/ops/counts.csv", 401)):
        for language, word in (("vi", "Lỗi"), ("en", "Error")):
            answer = await world.browser().get(f"{path}?lang={language}", headers={"accept": "text/html"})
            assert (answer.status_code, answer.headers["content-type"]) == (status, "text/html; charset=utf-8")
            assert word in answer.text and f'lang="{language}"' in answer.text


# -- anything at all -------------------------------------------------------------------------------------------------

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
_bounded = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    derandomize=True,
)


@given(data=st.data())
@_bounded
async def test_anything_in_a_declaration(world: World, data: st.DataObject) -> None:
    platform, good = await world.platform(), world.declaration(world.person(0))
    body = good
    for path in data.draw(st.lists(st.sampled_from(sorted(leaves(good), key=str)), min_size=1, max_size=3)):
        body = replaced(body, path, data.draw(json_values))
    before = world.rows()["facts"]
    answer = await world.send(platform, body, key=f"h-{world.scan_id()}")
    assert answer.status_code in (201, 422), answer.text
    assert world.rows()["facts"] - before in ((0,) if answer.status_code == 422 else (1, 2))


names = st.sampled_from(
    ["go", "step", "name", "birth_date.day", "trip.departs_at", "consents", "document.kind", "trip.checkpoints"]
)


@given(fields=st.lists(st.tuples(names, st.text(max_size=30)), max_size=8))
@_bounded
async def test_anything_in_the_page(world: World, fields: list[tuple[str, str]]) -> None:
    before = world.rows()
    answer = await world.browser().post(
        "/", content=urlencode(fields, errors="surrogatepass", quote_via=quote), headers=FORM
    )
    assert answer.status_code in (200, 422)
    assert world.rows() == before


@given(text=st.text(max_size=200), when=st.datetimes(), kind=st.sampled_from(["code", "qid", "id"]))
@_bounded
async def test_anything_in_a_check(world: World, text: str, when: dt.datetime, kind: str) -> None:
    before = world.rows()["facts"]
    ask = {"code": "x", "qid": None, "id": world.scan_id(), "scanned_at": when.isoformat() + "Z", kind: text}
    try:
        content = json.dumps(ask, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        content = json.dumps(ask).encode()
    officer = world.officers.get("fuzz") or await world.officer_at(officer="CB-FUZZ")
    world.officers["fuzz"] = officer
    answer = await officer.post("/v1/checks", content=content, headers=JSON)
    assert answer.status_code in (200, 422), answer.text
    assert world.rows()["facts"] - before == (answer.status_code == 200)


async def test_the_framework_remembers_nothing_large_and_nothing_typed(world: World) -> None:
    """It keeps the last thousand queries, cookies and forms that it took apart: for ever, and whole."""
    caches = [_parsers.parse_cookie_string, _parsers.parse_query_string, _parsers.parse_url_encoded_form_data]
    for cache in caches:
        cache.cache_clear()
    for n in range(20):
        large = b"&".join(b"c%d_%d=1" % (n, one) for one in range(2_000))
        await world.raw("GET", "/code", query=large)
        await world.raw("GET", "/code", headers=[(b"cookie", large.replace(b"&", b"; "))])
        await world.declare_on_page(world.browser(), world.person(n))
    cookies, queries, forms = [cache.cache_info().currsize for cache in caches]
    assert cookies <= 1 and queries <= 1 and forms == 0
    for path in POSTS:
        if not path.startswith("/v1/"):
            await world.browser().post(path, data={"pin": "123456"})
            assert _parsers.parse_url_encoded_form_data.cache_info().currsize == 0, path


async def test_the_bounds_of_what_stands_before_the_body(world: World) -> None:
    for name, most, code in (("x", 16 * 1024, 431), ("cookie", 4 * 1024, 431)):
        spare = most - (len("host") + len("motma.test") + len(name) if name == "x" else 0)
        status, _, _ = await world.raw("GET", "/v1/measure", headers=[(name.encode(), b"a" * spare)])
        assert status == 200
        status, _, body = await world.raw("GET", "/v1/measure", headers=[(name.encode(), b"a" * (spare + 1))])
        assert (status, json.loads(body)["code"]) == (code, "headers.too_large")
    query = b"a" * (2 * 1024 - len("/v1/measure"))
    assert (await world.raw("GET", "/v1/measure", query=query))[0] == 200
    status, headers, body = await world.raw("GET", "/v1/measure", query=query + b"a")
    assert (status, json.loads(body)["code"]) == (414, "address.too_long")
    assert (b"x-content-type-options", b"nosniff") in headers
