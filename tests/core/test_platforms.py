"""What platforms may do, folded from facts: whoever acts in whatever order."""

import datetime as dt
import itertools

from hypothesis import given
from hypothesis import strategies as st

from motma.core.facts import (
    Fact,
    PlatformKeyAdded,
    PlatformKeyRemoved,
    PlatformRegistered,
    PlatformResumed,
    PlatformRevoked,
    PlatformSuspended,
    What,
)
from motma.core.ids import new_fact_id
from motma.core.platforms import EVERYDAY, SELF, SELF_SERVED_FOR, SENSITIVE, TERMINAL, fold_platforms

NOW = dt.datetime(2026, 1, 18, 7, tzinfo=dt.UTC)
_serial = itertools.count()


def did(by: str, what: What) -> Fact:
    n = next(_serial)
    return Fact(
        id=new_fact_id("plt", NOW, n.to_bytes(10, "big")), at=NOW + dt.timedelta(seconds=n), actor=by, what=what
    )


def registers(by: str, *scopes: str, per_second: int = 5) -> Fact:
    return did(by, PlatformRegistered("NCOVI", "NCOVI", "native", scopes, per_second, 1_000))


def adds(by: str, kid: str = "k", jwk: str = "{}") -> Fact:
    return did(by, PlatformKeyAdded("NCOVI", kid, jwk))


def test_a_far_reaching_scope_takes_two() -> None:
    alone = fold_platforms(
        [adds("A"), registers("A", "health:write", "prechecks"), adds("A"), registers("A", "health:write")]
    )
    assert alone["NCOVI"].scopes == frozenset() and alone["NCOVI"].asked == {"health:write": "A"}
    both = fold_platforms([registers("B", "health:write", "lists:read")], alone)["NCOVI"]
    assert both.scopes == {"health:write"} and both.asked == {"lists:read": "B"}
    assert both.keys["k"].seen and both.scopes_of("k") == {"health:write"} and both.scopes_of("") == frozenset()
    later = fold_platforms([registers("A", "health:write", per_second=9)], {"NCOVI": both})["NCOVI"]
    assert (later.scopes, later.asked, later.per_second) == (frozenset({"health:write"}), {}, 9)


def test_who_agrees_cannot_bring_the_key_too() -> None:
    """Else one of the two could act as the platform, alone."""
    asked = [registers("A", "health:write"), adds("A", "theirs"), adds("B", "of B")]
    agreed = fold_platforms([*asked, registers("B", "health:write")])["NCOVI"]
    assert agreed.scopes_of("theirs") == {"health:write"}
    assert agreed.scopes_of("of B") == frozenset()
    later = fold_platforms([adds("A", "later")], {"NCOVI": agreed})
    assert later["NCOVI"].scopes_of("later") == frozenset()
    again = fold_platforms([adds("A", "later")], later)["NCOVI"]
    assert again.scopes_of("later") == frozenset()
    assert fold_platforms([adds("B", "later")], later)["NCOVI"].scopes_of("later") == {"health:write"}


def test_the_terminal_owns_the_server_anyway() -> None:
    told = fold_platforms([registers(TERMINAL, *EVERYDAY, *SENSITIVE), adds(TERMINAL)])["NCOVI"]
    assert told.scopes_of("k") == EVERYDAY | SENSITIVE and told.scopes_of("") == EVERYDAY


def test_a_key_id_keeps_its_first_key_and_removed_is_gone() -> None:
    told = fold_platforms([registers("A", "prechecks"), adds("A", "k", "{}"), adds("B", "k", '{"other":1}')])
    assert told["NCOVI"].keys["k"].jwk == "{}" and not told["NCOVI"].keys["k"].seen
    assert fold_platforms([did("A", PlatformKeyRemoved("NCOVI", "k"))], told)["NCOVI"].keys == {}


def test_revoked_is_for_ever() -> None:
    told = fold_platforms(
        [
            registers("A", "prechecks"),
            adds("A"),
            did("A", PlatformSuspended("NCOVI", "x")),
            did("A", PlatformRevoked("NCOVI", "leak")),
            did("B", PlatformResumed("NCOVI")),
            registers("B", "prechecks"),
            adds("B"),
        ]
    )["NCOVI"]
    assert (told.state(NOW), told.reason, told.keys, told.scopes) == ("revoked", "leak", {}, frozenset())


def test_who_served_themselves_is_over_in_a_week() -> None:
    fact = registers(SELF, "prechecks", "lists:read")
    told = fold_platforms([fact])["NCOVI"]
    assert told.scopes == {"prechecks"} and told.state(fact.at) == "active"
    assert told.state(fact.at + SELF_SERVED_FOR) == "over"


_acts = st.lists(
    st.tuples(st.sampled_from("AB"), st.sampled_from(["ask", "plain", "key", "remove", "suspend", "resume"])),
    max_size=8,
)


@given(_acts)
def test_nobody_alone_ever_holds_it(acts: list[tuple[str, str]]) -> None:
    """Whatever one of them does, a token of theirs carries no far-reaching scope unless the other asked for it too."""
    made = {
        "ask": lambda by: registers(by, "health:write", "prechecks"),
        "plain": lambda by: registers(by, "prechecks"),
        "key": lambda by: adds(by),
        "remove": lambda by: did(by, PlatformKeyRemoved("NCOVI", "k")),
        "suspend": lambda by: did(by, PlatformSuspended("NCOVI", "x")),
        "resume": lambda by: did(by, PlatformResumed("NCOVI")),
    }
    told = fold_platforms([made[act](by) for by, act in acts])
    asked = {by for by, act in acts if act == "ask"}
    if "NCOVI" in told and "health:write" in told["NCOVI"].scopes_of("k"):
        assert asked == {"A", "B"}
