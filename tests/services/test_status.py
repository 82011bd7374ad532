"""Withdraw and give back, and lists that say of each code what is so: on both databases."""

import asyncio
import datetime as dt

import msgspec
import pytest

from motma.core.cose import SigningKey
from motma.core.errors import Conflict, Hidden, Invalid, Unavailable
from motma.core.facts import CheckAgain, Fact, Issued, Revoked, Suspended
from motma.core.identity import Grade
from motma.core.status import LIST_INDEXES, SKEW_SECONDS, Status, verify_status_token
from motma.core.words import Words
from motma.services.status import BLOCK_INDEXES, EXPIRY, Published
from motma.storage.store import Act
from tests.services.status_desk import A_MINUTE, A_SECOND, BASE, NEWER, NOW, OURS, RING, Desk, Opener, take
from tests.storage.samples import a_qid, accepted, identified, issued

# -- withdraw and give back ------------------------------------------------------------------------------------------


async def test_revoke_suspend_restore(desk: Desk) -> None:
    qid, other = a_qid(), a_qid()
    first, second, theirs = await desk.code(qid), await desk.code(qid), await desk.code(other)
    token = await desk.taken()
    assert {token.status(n) for n in (first, second, theirs)} == {Status.VALID}
    for verb, status, flags in (
        (desk.suspend, Status.SUSPENDED, (False, True)),
        (desk.revoke, Status.REVOKED, (True, True)),
        (desk.suspend, Status.REVOKED, (True, True)),
    ):
        assert await verb(qid, "  mất   điện thoại ", by="TRUC-BAN", now=NOW) == 2
        token = await desk.taken(previous=token)
        assert (token.status(first), token.status(second), token.status(theirs)) == (status, status, Status.VALID)
        standing = await desk.store.standing(qid)
        assert standing is not None and (standing.revoked, standing.suspended) == flags
    kept = [fact for fact in await desk.store.facts_about(qid) if isinstance(fact.what, Revoked)]
    assert [(fact.actor, fact.what) for fact in kept] == [
        ("TRUC-BAN", Revoked("mất điện thoại", tuple(sorted((first, second)))))
    ]
    assert await desk.restore(qid, by="TRUC-BAN", now=NOW) == 2
    token = await desk.taken(previous=token)
    assert (token.status(first), token.status(second)) == (Status.VALID, Status.VALID)
    standing = await desk.store.standing(qid)
    assert standing is not None and not (standing.revoked or standing.suspended)
    assert (await desk.store.rebuild_standing()).differing == ()


async def test_what_cannot_be_done_says_so_and_leaves_nothing(desk: Desk) -> None:
    qid = a_qid()
    await desk.code(qid)
    before = await desk.store.changed_seq()
    for refused, kind, code in (
        (desk.revoke(a_qid(), "x", by="cli", now=NOW), Hidden, "standing.none"),
        (desk.suspend(a_qid(), "x", by="cli", now=NOW), Hidden, "standing.none"),
        (desk.restore(a_qid(), by="cli", now=NOW), Hidden, "standing.none"),
        (desk.restore(qid, by="cli", now=NOW), Conflict, "standing.in_order"),
        (desk.revoke(qid, "x\x00y", by="cli", now=NOW), Invalid, "text.characters"),
        (desk.revoke(qid, "x" * 201, by="cli", now=NOW), Invalid, "text.too_long"),
    ):
        with pytest.raises(kind) as found:
            await refused
        assert found.value.code == code
        assert found.value.words.vi and found.value.words.en
    assert await desk.store.changed_seq() == before


async def test_codes_that_nobody_takes_any_more_are_left_out(desk: Desk) -> None:
    qid = a_qid()
    old = await desk.code(qid, valid_until=NOW - dt.timedelta(hours=2))
    just_over = await desk.code(qid, valid_until=NOW - A_MINUTE)
    assert await desk.revoke(qid, "x", by="cli", now=NOW) == 1
    token = await desk.taken()
    assert (token.status(old), token.status(just_over)) == (Status.VALID, Status.REVOKED)


async def test_codes_without_a_place_in_a_list_do_no_harm(desk: Desk) -> None:
    qid = a_qid()
    declared = accepted(qid)
    await desk.store.append(Act(facts=(declared, issued(qid, declared.id))))
    assert await desk.revoke(qid, "x", by="cli", now=NOW) == 0
    standing = await desk.store.standing(qid)
    assert standing is not None and standing.revoked


async def test_a_code_issued_to_somebody_withdrawn_is_withdrawn_at_once(desk: Desk) -> None:
    revoked, suspended = a_qid(), a_qid()
    for qid, verb in ((revoked, desk.revoke), (suspended, desk.suspend)):
        await desk.code(qid)
        await verb(qid, "x", by="cli", now=NOW)
    new = {qid: await desk.code(qid) for qid in (revoked, suspended)}
    token = await desk.taken()
    assert token.status(new[revoked]) is Status.REVOKED
    assert token.status(new[suspended]) is Status.SUSPENDED
    assert await desk.restore(revoked, by="cli", now=NOW) == 2


async def test_older_codes_are_to_be_checked_again_after_a_declaration_that_is_not_clear(desk: Desk) -> None:
    qid = a_qid()
    older, second = await desk.code(qid), await desk.code(qid)
    token = await desk.taken()
    assert (token.status(older), token.status(second)) == (Status.VALID, Status.VALID), "declaring again is no offence"
    newest = await desk.code(qid, health="contact")
    token = await desk.taken(NOW + A_SECOND)
    assert (token.status(older), token.status(second)) == (Status.CHECK_AGAIN, Status.CHECK_AGAIN)
    assert token.status(newest) is Status.VALID, "it says so itself"
    # Withdrawn, and given back: the older ones are still misleading.
    await desk.revoke(qid, "x", by="cli", now=NOW)
    assert (await desk.taken(NOW + A_SECOND)).status(older) is Status.REVOKED
    assert await desk.restore(qid, by="cli", now=NOW) == 1
    token = await desk.taken(NOW + A_SECOND)
    assert [token.status(n) for n in (older, second, newest)] == [Status.CHECK_AGAIN, Status.CHECK_AGAIN, Status.VALID]


async def test_older_codes_are_to_be_checked_again_when_the_register_says_otherwise(desk: Desk) -> None:
    qid = a_qid()
    older = await desk.code(qid, grade=Grade.PENDING)
    pending = accepted(qid, grade=Grade.PENDING)
    facts = (pending, await desk.issued(qid, pending))
    assert await desk.consequences(facts, NOW) == (), "not known is never invalid"
    await desk.store.append(Act(facts=facts))
    matched, mismatched = identified(qid, pending.id), identified(qid, pending.id, Grade.MISMATCHED)
    assert await desk.consequences((matched,), NOW) == ()
    (found,) = await desk.consequences((mismatched,), NOW)
    its_own = facts[1].what.status_index  # type: ignore[union-attr]  # it is a code.issued
    assert found.what == CheckAgain(tuple(sorted((older, its_own))))
    assert await desk.consequences((accepted(a_qid()),), NOW) == ()
    assert await desk.consequences((), NOW) == ()


async def test_a_code_that_was_on_its_way_while_its_citizen_was_revoked_is_found(opened_desks: Opener) -> None:
    desk, other = await opened_desks(), await opened_desks()
    qid = a_qid()
    await desk.code(qid)
    late = accepted(qid)
    code = await desk.issued(qid, late)  # worked out on a standing that is in order …
    await other.revoke(qid, "x", by="cli", now=NOW)
    await desk.store.append(Act(facts=(late, code)))  # … and written after it no longer is
    index = code.what.status_index  # type: ignore[union-attr]
    assert (await desk.taken(NOW)).status(index) is Status.VALID
    later = NOW + A_MINUTE
    assert (await desk.taken(later)).status(index) is Status.REVOKED
    assert (await (await opened_desks()).taken(later)).status(index) is Status.REVOKED
    seq = await desk.store.changed_seq()
    await desk.taken(later + A_MINUTE + A_SECOND)
    assert await desk.store.changed_seq() == seq, "once is enough"


# -- lists -----------------------------------------------------------------------------------------------------------


async def test_a_list_is_the_same_until_something_changes(desk: Desk) -> None:
    first = await desk.status_list(0, NOW)
    assert await desk.status_list(0, NOW + dt.timedelta(hours=4)) == first
    await take(desk, 2 * BLOCK_INDEXES)
    qid = a_qid()
    await desk.code(qid)
    assert await desk.status_list(0, NOW + dt.timedelta(hours=4, seconds=5)) == first, "a valid code is no news"
    await desk.revoke(qid, "x", by="cli", now=NOW)
    second = await desk.status_list(0, NOW + dt.timedelta(hours=4, seconds=5))
    assert second.etag != first.etag


async def test_at_noon_and_midnight_a_list_is_signed_anew(desk: Desk) -> None:
    """Lists live for a day, so what is fetched is good for half a day at least."""
    first = await desk.taken()
    assert first.issued_at == NOW.replace(hour=0, minute=0)
    for hours in (5, 17, 29):
        again = await desk.taken(NOW + dt.timedelta(hours=hours), first)
        assert dt.timedelta() <= NOW + dt.timedelta(hours=hours) - again.issued_at < EXPIRY / 2
        assert again.issued_at > first.issued_at and again.expires_at == again.issued_at + EXPIRY
        first = again


async def test_a_list_is_not_dated_before_the_key_that_signs_it(desk: Desk) -> None:
    desk.since = NOW - A_MINUTE
    assert (await desk.taken()).issued_at == NOW - A_MINUTE


async def test_when_another_key_signs_the_list_is_signed_with_it(desk: Desk) -> None:
    await desk.taken()
    desk.key = NEWER
    published = await desk.status_list(0, NOW + A_SECOND)
    old_only = {OURS.kid: RING[OURS.kid]}
    with pytest.raises(Invalid, match="unknown_key"):
        verify_status_token(published.token, old_only, uri=f"{BASE}/0", now=NOW + A_SECOND)
    assert (await desk.taken(NOW + A_SECOND)).issuer == "motma.test"


async def test_a_clock_that_steps_back_takes_no_list_back(desk: Desk) -> None:
    qid = a_qid()
    index = await desk.code(qid)
    await desk.revoke(qid, "x", by="cli", now=NOW)
    token = await desk.taken(NOW)
    for back in (dt.timedelta(minutes=1), dt.timedelta(seconds=SKEW_SECONDS)):
        await desk.restore(qid, by="cli", now=NOW - back)
        published = await desk.status_list(0, NOW - back)
        token = verify_status_token(published.token, RING, uri=f"{BASE}/0", now=NOW, previous=token)
        assert token.status(index) is Status.VALID and token.issued_at == NOW
        await desk.suspend(qid, "x", by="cli", now=NOW - back)


async def test_a_clock_that_was_a_year_ahead_and_is_set_right_binds_nobody(desk: Desk) -> None:
    token = await desk.taken()
    ahead = NOW + dt.timedelta(days=365)
    qid = a_qid()
    index = await desk.code(qid)
    with pytest.raises(Invalid, match=r"status\.not_yet"):
        verify_status_token((await desk.status_list(0, ahead)).token, RING, uri=f"{BASE}/0", now=NOW)
    await desk.revoke(qid, "x", by="cli", now=NOW + A_SECOND)
    again = await desk.taken(NOW + A_MINUTE, token)
    assert again.status(index) is Status.REVOKED and again.issued_at <= NOW + A_MINUTE


async def test_what_one_process_does_another_publishes_within_a_second(opened_desks: Opener) -> None:
    one, other = await opened_desks(), await opened_desks()
    qid = a_qid()
    index = await one.code(qid)
    token = await other.taken()
    await one.revoke(qid, "x", by="cli", now=NOW)
    assert (await one.taken(NOW, token)).status(index) is Status.REVOKED
    assert (await other.taken(NOW + A_SECOND, token)).status(index) is Status.REVOKED


async def test_lists_of_several_processes_follow_one_another(opened_desks: Opener) -> None:
    """A scanner sent now here, now there sees time go forward and no list shrink, and fetches nothing twice."""
    desks = [await opened_desks() for _ in range(3)]
    token, now, tags = None, NOW, []
    qid = a_qid()
    index = await desks[0].code(qid)
    for n in range(24):
        now += dt.timedelta(minutes=67)
        if n % 6 == 3:
            await desks[n % 2].reserved_by_others(range(1 + n // 6 * 180, 181 + n // 6 * 180))
        if n == 12:
            await desks[2].revoke(qid, "x", by="cli", now=now)
        token = await desks[n % 3].taken(now, token)
        tags.append((await desks[n % 3].status_list(0, now)).etag)
        assert (token.status(index) is Status.REVOKED) == (n >= 12)
    assert len(set(tags)) == 8, "once for every half day, once for what was revoked, and each time it grew"


async def test_a_list_covers_codes_of_blocks_reserved_after_it(desk: Desk) -> None:
    token = await desk.taken()
    await desk.reserved_by_others(range(100))
    (index,) = await take(desk, 1)
    assert index >= 100 * BLOCK_INDEXES and token.status(index) is Status.VALID
    longer = await desk.taken(NOW + A_SECOND, token)
    assert len(longer.list) - len(token.list) == 64 * BLOCK_INDEXES
    assert await desk.status_list(0, NOW + A_MINUTE) == await desk.status_list(0, NOW + A_SECOND)


async def test_there_is_no_list_that_no_code_is_in(desk: Desk) -> None:
    for n in (1, 2, -1, 10**12):
        with pytest.raises(Hidden) as refused:
            await desk.status_list(n, NOW)
        assert refused.value.code == "status.no_list"


async def test_the_second_list_begins_where_the_first_ends(desk: Desk) -> None:
    blocks = LIST_INDEXES // BLOCK_INDEXES
    await desk.reserved_by_others(range(blocks - 1))
    taken = await take(desk, 2 * BLOCK_INDEXES)
    assert min(taken) == (blocks - 1) * BLOCK_INDEXES and max(taken) == (blocks + 1) * BLOCK_INDEXES - 1
    assert len((await desk.taken(n=0)).list) == LIST_INDEXES
    qid = a_qid()
    declared = accepted(qid)
    await desk.store.append(Act(facts=(declared, await desk.issued(qid, declared, max(taken)))))
    await desk.revoke(qid, "x", by="cli", now=NOW)
    token = await desk.taken(n=1)
    assert token.uri == f"{BASE}/1" and token.status(max(taken)) is Status.REVOKED
    assert token.status(LIST_INDEXES) is Status.VALID


async def test_a_storm_of_changes_does_not_squeeze_without_pause(desk: Desk) -> None:
    """A list of a million codes is made anew at each change; one of two million every other second."""
    qid = a_qid()
    index = await desk.code(qid)
    await desk.reserved_by_others(range(1, 2_000))
    token = await desk.taken(NOW)
    assert len(token.list) > 2_000_000
    await desk.revoke(qid, "x", by="cli", now=NOW)
    assert (await desk.taken(NOW + 2 * A_SECOND, token)).status(index) is Status.VALID
    assert (await desk.taken(NOW + 3 * A_SECOND, token)).status(index) is Status.REVOKED


async def test_many_ask_while_a_list_is_made(desk: Desk) -> None:
    answers = await asyncio.gather(*[desk.status_list(0, NOW) for _ in range(50)])
    assert len({answer.etag for answer in answers}) == 1
    assert all(isinstance(answer, Published) for answer in answers)


async def test_without_a_key_there_is_no_list_and_later_there_is(opened_desks: Opener) -> None:
    desk = await opened_desks()
    signer = desk._signer

    async def none(now: dt.datetime) -> tuple[SigningKey, dt.datetime]:
        raise Unavailable("key.none", Words("vi", "en"))

    desk._signer = none
    with pytest.raises(Unavailable):
        await desk.status_list(0, NOW)
    desk._signer = signer
    assert len((await desk.taken()).list) == 128 * BLOCK_INDEXES


async def test_a_store_of_yesterday_reads_on(opened_desks: Opener) -> None:
    """Facts without indexes, written before codes had a place in a list."""
    desk = await opened_desks()
    qid = a_qid()
    old = Fact(id=accepted(qid).id, at=NOW, actor="cli", qid=qid, what=Revoked("x"))
    assert (
        msgspec.json.decode(b'{"type":"standing.revoked","reason":"x"}', type=Revoked | Suspended | Issued) == old.what
    )
    await desk.store.append(Act(facts=(accepted(qid), old)))
    assert len((await desk.taken()).list) == 128 * BLOCK_INDEXES
