"""What no honest client sends, at every door: a clear refusal in both languages, never a 500, nothing half-written."""

import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest

from motma.web.gate import BODY_MAX_BYTES
from tests.world import HERE, World, each, living_world

FORM = {"content-type": "application/x-www-form-urlencoded"}
JSON = {"content-type": "application/json"}
POSTS = (
    "/", "/scan/enrol", "/scan/shift", "/scan/shift/end", "/ops/login", "/ops/logout", "/ops/diversions",
    "/ops/diversions/close", "/v1/checks", "/v1/declarations",
)  # fmt: skip
NASTY = {
    "markup": "<script>alert(1)</script>",
    "attribute": "\"'><img src=x onerror=alert(1)>",
    "template": "{{ 7*7 }}{% raw %}${7*7}",
    "sql": "'; DROP TABLE facts; --",
    "nul": "An\x00Binh",
    "control": "An\x1b[31m\x07",
    "bidi": "An\u202eBinh\u2066",
    "separator": "An\u2028Binh\r\nSet-Cookie: x=1",
    "private": "\ue000\U000f0000",
    "unassigned": "\U0003ffff",
    "marks": "a" + "\u0301" * 200,
    "long": "Nguyễn " * 5_000,
    "empty": "",
    "blank": " \u200b\ufeff ",
    "digits": "１２３٤٥٦",
    "traversal": "../../etc/passwd",
}


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with living_world(tmp_path) as world:
        yield world


def refusal(answer: httpx.Response, *codes: str) -> None:
    """A problem a program can read and a person can act on."""
    assert 400 <= answer.status_code < 500, (answer.status_code, answer.text[:300])
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["status"] == answer.status_code and problem["code"]
    assert problem["words"]["vi"] and problem["words"]["en"] and problem["words"]["vi"] != problem["words"]["en"]
    assert problem["type"] == f"/docs/errors#{problem['code']}"
    assert not codes or problem["code"] in codes, problem


async def cast(world: World) -> dict[str, httpx.AsyncClient]:
    """Whoever a door lets in, by the beginning of its path."""
    await world.check(qid="521322923144321717")
    return {
        "/v1/declarations": await world.platform(),
        "/v1/checks": await world.officer_at(),
        "/ops": await world.operator(),
        "/scan": await world.device_at(),
        "/": world.browser(),
    }


def who(everybody: dict[str, httpx.AsyncClient], path: str) -> httpx.AsyncClient:
    return next(client for start, client in everybody.items() if path.startswith(start))


def leaves(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from leaves(inner, (*path, name))
    else:
        yield path


def replaced(body: dict[str, Any], path: tuple[Any, ...], value: Any) -> dict[str, Any]:
    copy: dict[str, Any] = json.loads(json.dumps(body))
    inner = copy
    for name in path[:-1]:
        inner = inner[name]
    inner[path[-1]] = value
    return copy


# -- bodies ----------------------------------------------------------------------------------------------------------


@each(POSTS)
async def test_a_body_without_a_length_has_a_limit_too(world: World, path: str) -> None:
    """Chunked, so that nobody said beforehand how much will come."""
    everybody = await cast(world)
    client = who(everybody, path)
    before = world.rows()

    async def endless() -> AsyncIterator[bytes]:
        for _ in range(BODY_MAX_BYTES // 1024 + 2):
            yield b"a=" + b"x" * 1022

    kind = JSON if path.startswith("/v1/") else FORM
    answer = await client.post(path, content=endless(), headers={**kind, "idempotency-key": "k"})
    if path in ("/ops/logout", "/scan/shift/end"):  # these never read what was sent
        assert answer.status_code == 303
    else:
        refusal(answer, "body.too_large")
        assert world.rows() == before


@each([10_000_000, BODY_MAX_BYTES + 1])
async def test_a_name_of_ten_megabytes(world: World, size: int) -> None:
    everybody = await cast(world)
    before = world.rows()
    body = world.declaration(world.person(0), name="N" * size)
    refusal(await world.send(everybody["/v1/declarations"], body), "body.too_large")
    refusal(await world.declare_on_page(everybody["/"], world.person(0), name="N" * size), "body.too_large")
    assert world.rows() == before


BROKEN_JSON = [
    b"",
    b" ",
    b"null",
    b"true",
    b"[]",
    b"[[]]",
    b"{}",
    b'"text"',
    b"1",
    b"{",
    b'{"name":',
    b"{'name': 1}",
    b'{"name": NaN}',
    b'{"name": Infinity}',
    b'{"name": 1e999}',
    b'{"name": "\xff\xfe"}',
    b'{"name": "\\ud800"}',
    b'{"name": "\\udc00\\ud800"}',
    b'{"name": "\x00"}',
    b"\xef\xbb\xbf{}",
    b"\xff\xfe{\x00}\x00",
    b"[" * 30_000,
    b'{"a":' * 10_000,
    b"{" + b'"a":1,' * 9_000 + b'"a":1}',
    b"9" * 60_000,
    b"<?xml version='1.0'?><!DOCTYPE x [<!ENTITY a 'b'>]><x>&a;</x>",
]


@each(BROKEN_JSON)
async def test_json_that_is_none(world: World, body: bytes) -> None:
    everybody = await cast(world)
    before = world.rows()
    for path in ("/v1/declarations", "/v1/checks"):
        answer = await who(everybody, path).post(path, content=body, headers={**JSON, "idempotency-key": "k"})
        refusal(answer, "body.malformed")
        assert answer.status_code == 422
    assert world.rows() == before


@each(
    [
        None,
        "",
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/msgpack",
        "application/jsonp",
        "application/json+x",
        "a/b; charset=\xff",
        "x" * 5_000,
    ]
)
async def test_json_that_is_said_to_be_something_else(world: World, kind: str | None) -> None:
    """A form on another page can send text; it cannot say that it is JSON."""
    everybody = await cast(world)
    before = world.rows()
    for path in ("/v1/declarations", "/v1/checks"):
        headers = [(b"idempotency-key", b"k")] + (
            [(b"content-type", kind.encode("latin-1"))] if kind is not None else []
        )
        content = json.dumps(world.declaration(world.person(0))).encode()
        refusal(await who(everybody, path).post(path, content=content, headers=headers), "http.415")
    assert world.rows() == before


async def test_json_with_a_charset_is_json(world: World) -> None:
    answer = await (await world.platform()).post(
        "/v1/declarations",
        content=json.dumps(world.declaration(world.person(0))).encode(),
        headers={"content-type": "Application/JSON; charset=utf-8", "idempotency-key": "k"},
    )
    assert answer.status_code == 201


WRONG_TYPES = [None, True, 0, -1, 1.5, 10**30, "1", "", [], ["x"], {}, {"x": 1}, [[[]]]]


async def test_every_member_of_a_declaration_in_every_wrong_type(world: World) -> None:
    platform, good = await world.platform(), world.declaration(world.person(0))
    before = world.rows()
    for path in [*leaves(good), ("document",), ("trip",), ("trip", "origin"), ("health",), ("health", "symptoms")]:
        for value in WRONG_TYPES:
            if path[-1] in ("plate", "address", "places") and isinstance(value, str):
                continue
            if path[-1] == "contact" and value is True:
                continue
            if ("symptoms" in path and value is True) or (path[-1] == "checkpoints" and value == []):
                continue
            answer = await world.send(platform, replaced(good, path, value))
            refusal(answer, "body.malformed", "declaration.fields")
            assert answer.status_code == 422, (path, value)
    assert world.rows() == before


async def test_every_member_of_a_check_in_every_wrong_type(world: World) -> None:
    officer = await world.officer_at()
    before = world.rows()
    good = {"id": world.scan_id(), "scanned_at": world.now.isoformat(), "code": "x"}
    for member in ("id", "scanned_at", "code", "qid", "device_time"):
        for value in WRONG_TYPES:
            if (member == "code" and isinstance(value, str)) or (value is None and member in ("qid", "device_time")):
                continue
            refusal(await officer.post("/v1/checks", json={**good, member: value}))
    assert world.rows() == before


async def test_numbers_and_truth_in_quotes_are_not_taken(world: World) -> None:
    for value in ("true", "false", "1", 1, 0):
        refusal(await world.declare(world.person(0), health__contact=value), "body.malformed")


@each(NASTY)
async def test_nasty_text_in_every_member(world: World, nasty: str) -> None:
    """It is refused, or it is kept as text and comes back as text."""
    platform, good = await world.platform(), world.declaration(world.person(0))
    for path in leaves(good):
        body = replaced(good, path, NASTY[nasty])
        answer = await world.send(platform, body)
        if answer.status_code == 201:
            assert path[-1] in ("address", "places", "plate", "name"), path
        else:
            refusal(answer, "body.malformed", "declaration.fields")
    facts = world.rows()["facts"]
    assert facts % 2 == 1  # the measure, and two for each declaration: never half of one
    assert (await world.built.store.rebuild_standing()).differing == ()


@each(NASTY)
async def test_nasty_text_in_every_field_of_the_page(world: World, nasty: str) -> None:
    """What is typed is kept, and comes back escaped."""
    browser, text = world.browser(), NASTY[nasty]
    names = {name for name, _ in world.page_fields(world.person(0))}
    for name in sorted(names | {"lang", "birth_date", "unknown", "to_check"}):
        answer = await world.declare_on_page(browser, world.person(0), **{name.replace(".", "__"): text})
        assert answer.status_code in (200, 303, 413 if nasty == "long" else 422, 422), (name, answer.status_code)
        assert "<script>alert" not in answer.text and "<img src=x" not in answer.text, name
        assert "alert(1)&gt;" in answer.text or "onerror=alert" not in answer.text, name
    for path in ("/code", "/code/1/looks"):
        page = await browser.get(path)
        assert page.status_code in (200, 404)
        assert "<script>alert" not in page.text and "<img src=x" not in page.text


DATES = [
    "0000-01-01",
    "0001-01-01",
    "9999-12-31",
    "2026-02-31",
    "1899-12-31",
    "-001-01-01",
    "2026-1-1",
    "٢٠٢٦-٠١-٠١",
    "10000-01-01",
]


@each(DATES)
async def test_absurd_dates(world: World, date: str) -> None:
    platform = await world.platform()
    before = world.rows()
    refusal(await world.declare(world.person(0), platform, birth_date=date), "declaration.fields")
    for time in (f"{date}T00:00", f"{date}T00:00+14:00", f"{date}T23:59:59.999999-14:00", f"{date}T24:00", date):
        refusal(await world.declare(world.person(0), platform, trip__departs_at=time), "declaration.fields")
    year, month, day = [*date.lstrip("-").split("-"), "", ""][:3]
    answer = await world.declare_on_page(
        world.browser(), world.person(0), birth_date__year=year, birth_date__month=month, birth_date__day=day
    )
    assert answer.status_code == 422
    assert world.rows() == before


async def test_huge_lists(world: World) -> None:
    before = world.rows()["facts"]
    for change in (
        {"consents": ["code"] * 5_000},
        {"trip__checkpoints": [HERE] * 3_000},
        {"trip__checkpoints": [HERE] * 21},
        {"health__symptoms": {f"s{n}": True for n in range(4_000)}},
    ):
        refusal(await world.declare(world.person(0), **change), "declaration.fields")
    assert world.rows()["facts"] == before


async def test_a_member_twice_is_not_two_people(world: World) -> None:
    """Every reader must agree on which of the two counts; ours takes the last, and stores one declaration."""
    text = json.dumps(world.declaration(world.person(0)))
    doubled = text[:-1] + ', "name": "Ai Đó Khác"}'
    answer = await (await world.platform()).post(
        "/v1/declarations", content=doubled.encode(), headers={**JSON, "idempotency-key": "k"}
    )
    assert (answer.status_code, answer.json()["outcome"]) == (201, "refused")


# -- forms -----------------------------------------------------------------------------------------------------------


def multipart(parts: int, head: str = 'Content-Disposition: form-data; name="a"', body: bytes = b"x") -> bytes:
    return (b"--X\r\n" + head.encode("latin-1") + b"\r\n\r\n" + body + b"\r\n") * parts + b"--X--\r\n"


MULTIPART = {
    "thousands of parts": multipart(1_000),
    "a charset nobody knows": multipart(1, 'Content-Disposition: form-data; name="a"\r\nContent-Type: a/b; charset=xx'),
    "not UTF-8": multipart(1, body=b"\xff\xfe"),
    "a file": multipart(1, 'Content-Disposition: form-data; name="name"; filename="a.txt"'),
    "many files": multipart(50, 'Content-Disposition: form-data; name="name"; filename="../../a"'),
    "no name": multipart(1, "Content-Disposition: form-data"),
    "no disposition": multipart(1, "X: y"),
    "cut off": multipart(3)[:-20],
    "an endless header": multipart(1, "X: " + "y" * 50_000),
    "nothing": b"",
    "no boundary in it": b"hello",
    "lone line ends": multipart(3).replace(b"\r\n", b"\n"),
    "a name of bytes": multipart(1, 'Content-Disposition: form-data; name="\xff\x00"'),
}


@each([(about, path) for about in MULTIPART for path in POSTS if not path.startswith("/v1/")])
async def test_multipart(world: World, case: tuple[str, str]) -> None:
    about, path = case
    everybody = await cast(world)
    before = world.rows()
    for kind in ("multipart/form-data; boundary=X", "multipart/form-data; boundary=", "multipart/form-data"):
        answer = await who(everybody, path).post(path, content=MULTIPART[about], headers={"content-type": kind})
        assert answer.status_code < 500, (kind, answer.text[:300])
    # Starting over at the door, ending what is there: an honest outcome of such a form, and nothing else.
    assert {**world.rows(), "credentials": 0} == {**before, "credentials": 0}


FORMS = [
    b"",
    b"&&&&==",
    b"a",
    b"%",
    b"%ff%fe=%00",
    b"name=%ed%a0%80",
    b"name=%00&token=%00&officer=%00&pin=%00&checkpoint=%00&key=%00&note=%00",
    b"name=a&name=b&token=a&token=b&officer=a&officer=b&checkpoint=a&checkpoint=b&step=1&step=2&go=a&go=b",
    b"go=edit9999999999&step=-1",
    b"go=edit&step=" + b"9" * 10_000,
    b"go=editx&step=%D9%A1",
    b"go=send&step=4",
    b"go=next&step=3&to_check=yes",
    b"birth_date.year=" + b"9" * 5_000 + b"&birth_date.month=-&birth_date.day=%00&go=send",
    b"&".join(b"consents=code" for _ in range(4_000)),
    b"&".join(b"f%d=1" % n for n in range(8_000)),
    b"trip.checkpoints=" + b"x" * 60_000,
    b"\xff\xfe\x00raw",
]


@each(FORMS)
async def test_forms(world: World, body: bytes) -> None:
    everybody = await cast(world)
    before = world.rows()
    for path in POSTS:
        if path.startswith("/v1/"):
            continue
        for kind in ("application/x-www-form-urlencoded", "application/json", "text/plain"):
            answer = await who(everybody, path).post(path, content=body, headers={"content-type": kind})
            assert answer.status_code < 500, (path, kind, answer.text[:300])
    assert {**world.rows(), "credentials": 0} == {**before, "credentials": 0}


@each(NASTY)
async def test_nasty_text_at_the_entrances(world: World, nasty: str) -> None:
    everybody = await cast(world)
    before, text = world.rows()["facts"], NASTY[nasty]
    sent = {"name": text, "key": text, "token": text, "officer": text, "pin": text, "checkpoint": text, "to": text}
    for path in ("/scan/enrol", "/scan/shift", "/ops/login", "/ops/diversions", "/ops/diversions/close"):
        answer = await who(everybody, path).post(path, content=urlencode(sent), headers={**FORM, "accept": "text/html"})
        assert 400 <= answer.status_code < 500, (path, answer.status_code)
        assert "<script>alert" not in answer.text and "<img src=x" not in answer.text
    assert world.rows()["facts"] == before
    noted = await everybody["/ops"].post("/ops/diversions", data={"checkpoint": HERE, "note": text})
    assert noted.status_code in (303, 413 if nasty == "long" else 422)
    board = await everybody["/ops"].get("/ops")
    assert board.status_code == 200
    assert "<script>alert" not in board.text and "<img src=x" not in board.text
