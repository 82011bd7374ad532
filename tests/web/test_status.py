"""The door of the status lists, and the whole line from a revocation to a scanner without a network."""

import datetime as dt
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from motma.core.code import VerifiedCode, verify_code
from motma.core.facts import Issued, Standing
from motma.core.ids import Qid
from motma.core.status import Status, StatusToken, list_uri, verify_status_token
from tests.world import World, living_world


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with living_world(tmp_path) as world:
        yield world


async def fetched(world: World, n: int = 0, previous: StatusToken | None = None) -> StatusToken:
    """List ``n`` as a scanner that trusts this house takes it."""
    answer = await world.browser().get(f"/v1/status/{n}")
    assert answer.status_code == 200
    keyring = await world.built.board.keyring(world.now)
    base = next(key.status_uri for keys in keyring.values() for key in keys)
    uri = list_uri(base, n << 24)
    return verify_status_token(answer.content, keyring, uri=uri, now=world.now, previous=previous, issuer="motma.test")


async def read(world: World, code: str) -> VerifiedCode:
    return verify_code(code, await world.built.board.keyring(world.now))


async def test_what_the_list_is_and_for_how_long(world: World) -> None:
    answer = await world.browser().get("/v1/status/0")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/statuslist+cwt"
    assert answer.headers["cache-control"] == "public, max-age=300"
    assert "content-encoding" not in answer.headers and "set-cookie" not in answer.headers
    assert answer.headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"
    token = await fetched(world)
    assert (token.issuer, token.ttl_seconds) == ("motma.test", 300)
    assert token.expires_at - token.issued_at == dt.timedelta(hours=24)


async def test_who_has_this_very_list_is_told_so(world: World) -> None:
    browser = world.browser()
    etag = (await browser.get("/v1/status/0")).headers["etag"]
    for given in (etag, f"W/{etag}", f'"other", {etag}', "*"):
        answer = await browser.get("/v1/status/0", headers={"if-none-match": given})
        assert (answer.status_code, answer.content, answer.headers["etag"]) == (304, b"", etag)
        assert answer.headers["cache-control"] == "public, max-age=300"
    for given in ('"other"', "", etag.strip('"'), ","):
        assert (await browser.get("/v1/status/0", headers={"if-none-match": given})).status_code == 200
    sent = (await world.declare(world.person(0))).json()
    await world.built.house.status.revoke(Qid(sent["qid"]), "x", by="test", now=world.now)
    answer = await browser.get("/v1/status/0", headers={"if-none-match": etag})
    assert answer.status_code == 200 and answer.headers["etag"] != etag


@pytest.mark.parametrize(
    "n", ["1", "-1", "00", "01", "0x0", "1e3", "x", "999999999", "9" * 40, "%00", "%D9%A0", "٠", "0 ", "0/0", "²"]
)
async def test_there_is_no_such_list(world: World, n: str) -> None:
    answer = await world.browser().get(f"/v1/status/{n}")
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"] in ("status.no_list", "http.404")
    assert answer.headers["cache-control"] == "no-store"


async def test_a_list_is_only_read(world: World) -> None:
    for method in ("POST", "PUT", "DELETE", "PATCH"):
        assert (await world.browser().request(method, "/v1/status/0")).status_code == 405


async def test_from_a_revocation_to_a_scanner_without_a_network(world: World) -> None:
    sent = (await world.declare(world.person(0))).json()
    index = (await read(world, sent["code"])).claims.status_index
    token = await fetched(world)
    assert token.status(index) is Status.VALID
    status, qid = world.built.house.status, Qid(sent["qid"])
    for verb, said, outcome, reason in (
        (status.suspend, Status.SUSPENDED, "manual", "standing.suspended"),
        (status.revoke, Status.REVOKED, "reject", "standing.revoked"),
    ):
        assert await verb(qid, "mất giấy tờ", by="TRUC-BAN", now=world.now) == 1
        token = await fetched(world, previous=token)
        assert token.status(index) is said
        judged = (await world.check(code=sent["code"])).json()
        assert (judged["outcome"], judged["reasons"][0]["code"]) == (outcome, reason)
    again = (await world.declare(world.person(0))).json()
    new = (await read(world, again["code"])).claims.status_index
    token = await fetched(world, previous=token)
    assert new != index and token.status(new) is Status.REVOKED, "nobody declares themselves out of it"
    await status.restore(qid, by="TRUC-BAN", now=world.now)
    token = await fetched(world, previous=token)
    assert token.status(index) is token.status(new) is Status.VALID
    assert (await world.check(code=again["code"])).json()["outcome"] == "accept"
    assert (await world.built.store.rebuild_standing()).differing == ()


async def test_an_older_code_sends_to_the_server_once_its_bearer_is_ill(world: World) -> None:
    older = (await world.declare(world.person(0))).json()
    newer = (await world.declare(world.person(0), health__contact=True)).json()
    indexes = [(await read(world, sent["code"])).claims.status_index for sent in (older, newer)]
    token = await fetched(world)
    assert [token.status(index) for index in indexes] == [Status.CHECK_AGAIN, Status.VALID]
    assert (await world.check(code=older["code"])).json()["outcome"] == "manual"


async def test_an_older_code_sends_to_the_server_once_the_register_says_otherwise(world: World) -> None:
    person = world.person(0)
    world.registry.outage = True
    older = (await world.declare(person, name="Ai Khác Hẳn")).json()
    world.now += dt.timedelta(minutes=1)
    pending = (await world.declare(person, name="AI KHÁC HẲN")).json()
    assert pending["qid"] == older["qid"], "who says the same again gets the same number"
    index = (await read(world, older["code"])).claims.status_index
    assert (await fetched(world)).status(index) is Status.VALID, "what is not known is never invalid"
    world.registry.outage = False
    await world.work()
    world.forget()
    standing = await world.built.store.standing(Qid(older["qid"]))
    assert isinstance(standing, Standing) and standing.grade != "matched"
    assert (await fetched(world)).status(index) is Status.CHECK_AGAIN


async def test_every_code_has_a_place_of_its_own(world: World) -> None:
    """Whoever issues it: a declaration, the worker, a new carrier."""
    world.registry.outage = True
    for n in range(5):
        await world.declare(world.person(n))
    world.registry.outage = False
    await world.work()
    for n in range(5):
        await world.declare(world.person(n))
    indexes = []
    for n in range(5):
        qid = Qid((await world.declare(world.person(n))).json()["qid"])
        facts = await world.built.store.facts_about(qid, kinds=["code.issued"])
        indexes += [fact.what.status_index for fact in facts if isinstance(fact.what, Issued)]
    assert len(indexes) == len(set(indexes)) == 20
    assert min(indexes) >= 0


async def test_nobody_is_named(world: World) -> None:
    """What the list is made of holds no name and no number, and what stands on disk neither."""
    sent = (await world.declare(world.person(0))).json()
    qid = Qid(sent["qid"])
    await world.built.house.status.revoke(qid, "x", by="test", now=world.now)
    token = (await world.browser().get("/v1/status/0")).content
    assert qid.encode() not in token
    facts = await world.built.store.facts_about(qid, kinds=["standing.revoked"])
    assert world.person(0).name not in msgspec.json.encode(facts).decode()
