"""What a broken, slow or hostile register does to the client: unavailable, in time, and never a wrong answer."""

import asyncio
import gzip
import json
from collections.abc import AsyncIterator

import pytest
from structlog.testing import capture_logs

from motma.connectors.registry.osia import OsiaRegistry
from motma.core.errors import Unavailable
from tests.connectors.hostile import TOKEN, Hostile, hostile, http

UIN, NAME = "999076243999", "Tạ Văn Thành"


@pytest.fixture
async def server() -> AsyncIterator[Hostile]:
    async with hostile() as server:
        yield server


async def fails(registry: OsiaRegistry) -> float:
    """Ask all four questions; each must be unavailable. Returns the longest time that one took, in seconds."""
    loop, longest = asyncio.get_running_loop(), 0.0
    for ask in (
        lambda: registry.match(UIN, {"fullName": NAME}),
        lambda: registry.read(UIN, ("fullName",)),
        lambda: registry.verify(UIN, ()),
        lambda: registry.find({"oldNumber": "999019279"}),
    ):
        began = loop.time()
        with pytest.raises(Unavailable) as failed:
            await ask()
        assert failed.value.code == "register.unavailable"
        # What a log of it would print: no address that was asked, for it holds a number.
        assert failed.value.__suppress_context__ and failed.value.__cause__ is None
        longest = max(longest, loop.time() - began)
    return longest


GARBAGE = {
    "nothing": http(200, b""),
    "garbage": http(200, b"\x00\xff garbage"),
    "not UTF-8": http(200, b'["\xff"]'),
    "half of it": http(200, b'[{"attributeName": "full'),
    "null": http(200, b"null"),
    "a number": http(200, b"1"),
    "an object of objects": http(200, b'{"fullName": {"first": "A"}}'),
    "an error as an answer": http(200, b'{"code": 500, "message": {"x": 1}}'),
    "a list of lists": http(200, b"[[]]"),
    "deep": http(200, b"[" * 50_000),
    "a page": http(200, b"<html>[]</html>", kind="text/html"),
    "right, but called a page": http(200, b"[]", kind="text/html"),
    "no type": http(200, b"[]", kind=None),
    "packed": http(200, gzip.compress(b"[]"), "content-encoding: gzip"),
    "another 2xx": http(204),
    "created": http(201, b"[]"),
    "too long": http(200, b"[" + b" " * 70_000 + b"]"),
    "longer than said": b"HTTP/1.1 200 X\r\ncontent-type: application/json\r\ncontent-length: 500000000\r\n\r\n["
    + b" " * 200_000,
    "no HTTP": b"SSH-2.0-OpenSSH_9.9\r\n\r\n",
    "a huge header": b"HTTP/1.1 200 X\r\nx: " + b"y" * 100_000 + b"\r\n\r\n",
    "a bad length": b"HTTP/1.1 200 X\r\ncontent-length: -1\r\n\r\n",
    "a page that is not found": http(404, b"<html>no such site</html>", kind="text/html"),
    "a teapot": http(418),
    "an error": http(500, b'{"code": 1, "message": "x"}'),
    "away": http(503),
    "refused": http(403),
    "not understood": http(400, b'{"code": 1, "message": "x"}'),
    "unauthorised": http(401),
    "too often": http(429),
}


@pytest.mark.parametrize("answer", GARBAGE.values(), ids=GARBAGE)
async def test_what_is_no_answer_is_unavailable(server: Hostile, answer: bytes) -> None:
    server.answer = answer
    async with OsiaRegistry(server.where()) as registry:
        assert await fails(registry) < 2
        server.answer = http(200, b"[]")
        assert await registry.match(UIN, {"fullName": NAME}) == frozenset()  # and nothing of it sticks


@pytest.mark.parametrize(
    "body",
    [
        [{"errorCode": 1}],
        [{"attributeName": "fullName", "errorCode": 2}],
        [{"attributeName": "fullName", "errorCode": "1"}],
        [{"attributeName": "shoeSize", "errorCode": 1}],
        [{"attributeName": "fullName", "errorCode": 1, "value": NAME}],
        {"fullName": 1},
        ["fullName"],
        [None],
        True,
    ],
    ids=str,
)
async def test_a_mismatch_of_another_shape_is_no_mismatch_and_no_match(server: Hostile, body: object) -> None:
    server.answer = http(200, json.dumps(body).encode())
    async with OsiaRegistry(server.where()) as registry:
        with pytest.raises(Unavailable):
            await registry.match(UIN, {"fullName": NAME})


@pytest.mark.parametrize("body", [[""], [".."], ["x" * 129], [1], [None], {"uin": "x"}, "x", [{"uin": UIN}]], ids=str)
async def test_a_list_of_people_of_another_shape(server: Hostile, body: object) -> None:
    server.answer = http(200, json.dumps(body).encode())
    async with OsiaRegistry(server.where()) as registry:
        with pytest.raises(Unavailable):
            await registry.find({"oldNumber": "1"})


async def test_values_that_are_no_text_and_more_people_than_asked_for(server: Hostile) -> None:
    async with OsiaRegistry(server.where()) as registry:
        server.answer = http(200, b'{"dateOfBirth": 1950, "x": {"code": 1023, "message": "?"}, "fullName": "A"}')
        assert await registry.read(UIN, ("dateOfBirth",)) == {"dateOfBirth": "1950", "fullName": "A"}
        for value in (b"1.5", b"true", b'{"code": 1, "message": "later"}', b"null"):
            server.answer = http(200, b'{"fullName": ' + value + b"}")
            with pytest.raises(Unavailable):
                await registry.read(UIN, ("fullName",))
        server.answer = http(200, json.dumps([str(n) for n in range(100)] + ["0"]).encode())
        assert await registry.find({"oldNumber": "1"}) == tuple(str(n) for n in range(10))
        server.answer = http(200, b"[]")
        assert await registry.find({"oldNumber": "1"}) == ()


async def test_a_redirect_is_not_followed(server: Hostile) -> None:
    async with hostile() as elsewhere:
        server.answer = http(302, b"", f"location: http://127.0.0.1:{elsewhere.port}/v1/persons")
        async with OsiaRegistry(server.where()) as registry:
            await fails(registry)
            server.answer, server.token = http(200, b"[]"), server.answer
        async with OsiaRegistry(server.where()) as registry:
            await fails(registry)
        assert elsewhere.asked == []  # neither a number nor our secret went there


async def test_silence_and_a_slow_drip_end_with_the_time(server: Hostile) -> None:
    async def silent(line: str, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(60)

    async def dripping(line: str, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 X\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n[")
        for _ in range(600):
            await asyncio.sleep(0.05)
            writer.write(b" ")

    async def endless(line: str, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 X\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n")
        while True:
            writer.write(b"1000\r\n" + b" " * 4096 + b"\r\n")
            await writer.drain()

    async with OsiaRegistry(server.where(timeout_seconds=0.3)) as registry:
        for answer in (silent, dripping, endless):
            server.answer = answer
            assert await fails(registry) < 1.5


async def test_one_retry_of_what_only_reads(server: Hostile) -> None:
    async def hang_up(line: str, writer: asyncio.StreamWriter) -> None:
        writer.close()
        server.answer = http(200, b"[]")

    async def away(line: str, writer: asyncio.StreamWriter) -> None:
        writer.write(http(503))
        server.answer = http(200, b"[]")

    async with OsiaRegistry(server.where(timeout_seconds=2)) as registry:
        for answer in (hang_up, away):
            server.answer = answer
            before = server.questions
            assert await registry.match(UIN, {"fullName": NAME}) == frozenset()
            assert server.questions - before == 2
        for status, tries in ((503, 2), (504, 2), (500, 1), (429, 1), (400, 1), (403, 1)):
            server.answer = http(status)
            before = server.questions
            with pytest.raises(Unavailable):
                await registry.match(UIN, {"fullName": NAME})
            assert server.questions - before == tries, status


# ---- tokens


async def test_one_token_for_everybody_who_asks_at_once(server: Hostile) -> None:
    async def slowly(line: str, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.1)
        writer.write(http(200, TOKEN))

    server.token = slowly
    async with OsiaRegistry(server.where(timeout_seconds=5)) as registry:
        asked = [asyncio.create_task(registry.find({"oldNumber": str(n)})) for n in range(40)]
        await asyncio.sleep(0.05)
        for gone in asked[:20]:  # whoever began the fetch goes away, and it goes on
            gone.cancel()
        assert await asyncio.gather(*asked[20:]) == [()] * 20
    assert server.tokens == 1


async def test_a_token_is_renewed_before_it_ends_and_nobody_waits(server: Hostile) -> None:
    now = [1000.0]
    async with OsiaRegistry(server.where(), clock=lambda: now[0]) as registry:
        await registry.find({"oldNumber": "1"})
        now[0] += 200
        await registry.find({"oldNumber": "1"})
        assert server.tokens == 1
        now[0] += 60  # more than three quarters of its life
        server.token = http(500)
        await registry.find({"oldNumber": "1"})  # answered with the old one, while another is fetched in vain
        await asyncio.sleep(0.05)
        assert server.tokens == 2
        await registry.find({"oldNumber": "1"})
        assert server.tokens == 2  # it is not asked again at once
        now[0] += 25
        server.token = http(200, TOKEN.replace(b"t0ken", b"second"))
        await registry.find({"oldNumber": "1"})
        await asyncio.sleep(0.05)
        await registry.find({"oldNumber": "1"})
        assert server.tokens == 3 and "Bearer second" in server.heads[-1]
        now[0] += 10_000  # long ended: now the question waits for it
        await registry.find({"oldNumber": "1"})
        assert server.tokens == 4


async def test_a_token_that_is_refused_is_renewed_once(server: Hostile) -> None:
    async def only_the_second(line: str, writer: asyncio.StreamWriter) -> None:
        writer.write(http(200, b"[]") if "Bearer second" in server.heads[-1] else http(401))

    server.answer = only_the_second
    async with OsiaRegistry(server.where()) as registry:
        with pytest.raises(Unavailable):
            await registry.find({"oldNumber": "1"})
        assert (server.tokens, server.questions) == (2, 2)  # and no more than that
        server.token = http(200, TOKEN.replace(b"t0ken", b"second"))
        assert await registry.find({"oldNumber": "1"}) == ()
        assert (server.tokens, server.questions) == (3, 4)


@pytest.mark.parametrize(
    "token",
    [
        http(500),
        http(200, b""),
        http(200, b"{}"),
        http(200, b"\xff"),
        http(200, TOKEN.replace(b"Bearer", b"mac")),
        http(200, TOKEN.replace(b"300", b"0")),
        http(200, TOKEN.replace(b"300", b"-5")),
        http(200, TOKEN.replace(b"300", b'"300"')),
        http(200, TOKEN.replace(b"t0ken", b"")),
        http(200, TOKEN.replace(b"t0ken", b"a b")),
        http(200, TOKEN.replace(b"t0ken", b"a\\r\\nx: y")),
        http(200, TOKEN.replace(b"t0ken", "é".encode())),
        http(200, TOKEN + b" " * 70_000),
    ],
)
async def test_without_a_token_nothing_is_asked(server: Hostile, token: bytes) -> None:
    server.token = token
    async with OsiaRegistry(server.where()) as registry:
        assert await fails(registry) < 1
        assert server.questions == 0


async def test_the_time_includes_the_token(server: Hostile) -> None:
    async def silent(line: str, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(60)

    server.token = silent
    async with OsiaRegistry(server.where(timeout_seconds=0.2)) as registry:
        assert await fails(registry) < 1
    async with OsiaRegistry(server.where(token_url="http://127.0.0.1:9/token")) as registry:
        assert await fails(registry) < 2  # nobody listens there


# ---- limits, the circuit, silence in logs


async def test_five_hundred_at_once_are_asked_sixty_four_at_a_time(server: Hostile) -> None:
    async def slowly(line: str, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.02)
        writer.write(http(200, b"[]"))

    server.answer = slowly
    async with OsiaRegistry(server.where(timeout_seconds=20)) as registry:
        await registry.find({"oldNumber": "1"})
        answers = await asyncio.gather(*[registry.find({"oldNumber": str(n)}) for n in range(500)])
        assert answers == [()] * 500
    assert 32 < server.most_at_once <= 64


async def test_more_than_may_wait_fail_at_once(server: Hostile) -> None:
    hold, all_asked = asyncio.Event(), asyncio.Event()

    async def held(line: str, writer: asyncio.StreamWriter) -> None:
        if server.at_once == 4:
            all_asked.set()
        await hold.wait()
        writer.write(http(200, b"[]"))

    loop = asyncio.get_running_loop()
    async with OsiaRegistry(server.where(timeout_seconds=20, concurrency=4, waiting=10)) as registry:
        await registry._tokens.get()
        server.answer = held
        asked = [asyncio.create_task(registry.find({"oldNumber": str(n)})) for n in range(4)]
        await all_asked.wait()
        began = loop.time()
        asked += [asyncio.create_task(registry.find({"oldNumber": str(n)})) for n in range(30)]
        await asyncio.sleep(0.05)
        failed = [one for one in asked if one.done()]
        assert len(failed) == 20 and all(isinstance(one.exception(), Unavailable) for one in failed)
        assert loop.time() - began < 1
        asked[4].cancel()  # a place in the queue is free again
        await asyncio.sleep(0)
        hold.set()
        answers = await asyncio.gather(*asked, return_exceptions=True)
        assert sum(answer == () for answer in answers) == 13
        assert registry._waiting == 0 and registry._slots._value == 4
        assert await registry.find({"oldNumber": "1"}) == ()


async def test_the_circuit_opens_probes_with_one_and_heals(server: Hostile) -> None:
    now = [0.0]
    async with OsiaRegistry(server.where(failures=3, pause_seconds=10), clock=lambda: now[0]) as registry:

        async def ask() -> bool:
            try:
                await registry.find({"oldNumber": "1"})
            except Unavailable:
                return False
            return True

        assert await ask()
        server.answer = http(500)
        assert [await ask() for _ in range(3)] == [False] * 3
        before = server.questions
        server.answer = http(200, b"[]")
        now[0] = 9.9
        assert [await ask() for _ in range(50)] == [False] * 50
        assert server.questions == before  # it was left alone

        server.answer = http(500)
        now[0] = 10
        assert sum(await asyncio.gather(*[ask() for _ in range(30)])) == 0
        assert server.questions == before + 1  # one probe
        now[0] = 15
        assert not await ask() and server.questions == before + 1  # a pause anew

        async def slowly(line: str, writer: asyncio.StreamWriter) -> None:
            await asyncio.sleep(0.05)
            writer.write(http(200, b"[]"))

        now[0], server.answer = 20, slowly
        probe = asyncio.create_task(registry.find({"oldNumber": "1"}))
        await asyncio.sleep(0.02)
        probe.cancel()  # whoever probed goes away: the next may
        assert await asyncio.gather(probe, return_exceptions=True) != [()]
        server.answer = http(200, b"[]")
        assert await ask()
        assert sum(await asyncio.gather(*[ask() for _ in range(30)])) == 30


async def test_nothing_of_a_question_or_an_answer_is_logged(
    server: Hostile, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(0)
    with capture_logs() as entries:
        for answer in (*GARBAGE.values(), http(200, b'{"fullName": "' + NAME.encode() + b'", "x": null}')):
            server.answer = answer
            async with OsiaRegistry(server.where(failures=1, pause_seconds=0)) as registry:
                await fails(registry)
    said = json.dumps([*entries, caplog.text, *capfd.readouterr()], default=str, ensure_ascii=False)
    assert {entry["event"] for entry in entries} == {"register.left_alone", "register.refuses_us"}
    for secret in (UIN, "999019279", NAME, "s3cret", "t0ken"):
        assert secret not in said
