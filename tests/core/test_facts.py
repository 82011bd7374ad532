"""Facts are folded, one after the other; what was folded before can be folded on."""

import datetime as dt
from typing import get_args

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from motma.core.facts import (
    Accepted,
    DiversionClosed,
    DiversionOpened,
    Fact,
    Identified,
    Issued,
    MeasureEnded,
    MeasurePublished,
    Merged,
    Parted,
    Refused,
    Repaired,
    Reviewed,
    Revoked,
    Scanned,
    Standing,
    Took,
    Trip,
    What,
)
from motma.core.flow import Diversion
from motma.core.fold import MOVING, apply, fold, fold_board, tallies
from motma.core.identity import Grade
from motma.core.ids import FactId, Qid, new_fact_id, same_moment_id, twin_id
from motma.core.measure import Measure
from motma.core.words import Words

NOW = dt.datetime(2026, 1, 18, 7, 30, tzinfo=dt.UTC)
QID, NUMBER_2 = Qid("521322923144321717"), Qid("137905842617309423")
ONE, OTHER = (new_fact_id("dcl", NOW, bytes([n] * 10)) for n in (1, 2))
UNTIL = NOW + dt.timedelta(hours=72)


def fact(id: FactId, what: What, *, qid: Qid | None = QID, checkpoint: str | None = None) -> Fact:
    return Fact(id=id, at=NOW, actor="test", qid=qid, checkpoint=checkpoint, what=what)


def accepted(
    id: FactId, grade: Grade = Grade.MATCHED, route: tuple[str, ...] = ("g07-vinh-binh",), trip: Trip | None = None
) -> Fact:
    return fact(id, Accepted("page", "demo", "2026-1", grade, "clear", route, NOW, UNTIL, trip=trip))


def issued(declaration: FactId, id: FactId | None = None) -> Fact:
    return fact(id or same_moment_id("cod", declaration), Issued(declaration, UNTIL, False))


def identified(declaration: FactId, grade: Grade) -> Fact:
    until = UNTIL + dt.timedelta(hours=1)
    return fact(new_fact_id("idc", NOW, bytes(10)), Identified(declaration, grade, (), until))


def repaired(declaration: FactId, grade: Grade) -> Repaired:
    until = UNTIL + dt.timedelta(hours=1)
    return Repaired(declaration, grade, "typing", ("name",), "CB-01", "dev", FactId("scn_1"), False, until)


def refused(differing: tuple[str, ...]) -> Fact:
    return fact(ONE, Refused("page", "demo", "2026-1", Grade.MISMATCHED, differing, None, ("g07-vinh-binh",)), qid=None)


def scanned(outcome: str, reasons: tuple[str, ...] = ()) -> Fact:
    what = Scanned("dev", "CB-01", "code", "", outcome, reasons, True, "", NOW, 0.0)
    return fact(new_fact_id("scn", NOW, bytes(10)), what, checkpoint="g07-vinh-binh")


def test_rules_without_a_value_are_counted() -> None:
    def counted(reasons: tuple[str, ...], failed: tuple[str, ...]) -> list[str]:
        what = Scanned("dev", "CB-01", "code", "", "manual", reasons, False, "", NOW, 0.0, failed=failed)
        made = fact(new_fact_id("scn", NOW, bytes(10)), what, checkpoint="g07-vinh-binh")
        return [tally.outcome for tally in tallies(made) if tally.kind == "rule"]

    assert counted(("rule.error",), ("health.well", "health.apart", "health.well")) == ["health.well", "health.apart"]
    assert counted(("health.contact", "rule.error"), ("night.curfew",)) == ["night.curfew"]
    assert counted(("rule.error",), ()) == [""], "a policy that could not be read"
    assert counted(("health.contact",), ()) == []


REVOKED = fact(new_fact_id("rev", NOW, bytes(10)), Revoked("stolen"))
HOME, AWAY = Trip("go-vap", "quan-1", "motorbike", "ab" * 32), Trip("p80", "thu-duc", "truck")
HISTORY = [
    accepted(ONE, Grade.PENDING, trip=AWAY),
    issued(ONE),
    accepted(OTHER),
    issued(OTHER),
    identified(ONE, Grade.MISMATCHED),
    identified(OTHER, Grade.MATCHED),
    accepted(ONE, Grade.REPAIRABLE),
    accepted(OTHER, Grade.PENDING),
    issued(ONE, FactId("cod_late")),
    REVOKED,
    scanned("accept"),
    refused(("name",)),
]


def test_nothing_folds_to_nothing() -> None:
    assert fold([]) is None
    assert fold([scanned("manual", ("standing.none",)), issued(ONE), REVOKED, identified(ONE, Grade.MATCHED)]) is None


def test_the_newest_declaration_is_where_a_citizen_stands() -> None:
    standing = fold([accepted(ONE, Grade.PENDING), issued(ONE), accepted(OTHER), issued(OTHER)])
    assert standing is not None
    assert (standing.declaration, standing.code, standing.grade) == (OTHER, same_moment_id("cod", OTHER), Grade.MATCHED)


def test_a_late_answer_about_an_older_declaration_changes_nothing() -> None:
    before = [accepted(ONE, Grade.PENDING), issued(ONE), accepted(OTHER), issued(OTHER)]
    late = [identified(ONE, Grade.MISMATCHED), issued(ONE, FactId("cod_late"))]
    assert fold([*before, *late]) == fold(before)


def test_who_is_known_loses_nothing_to_a_declaration_that_anybody_could_send() -> None:
    known = fold([accepted(ONE), issued(ONE)])
    standing = fold([accepted(ONE), issued(ONE), accepted(OTHER, Grade.PENDING), issued(OTHER)])
    assert known and standing and replace(standing, waiting=None) == known
    assert standing.newest.declaration == OTHER and standing.newest.code == same_moment_id("cod", OTHER)
    assert apply(standing, identified(OTHER, Grade.MISMATCHED)) == known
    settled = apply(standing, identified(OTHER, Grade.MATCHED))
    assert settled and settled.waiting is None
    assert (settled.declaration, settled.code, settled.grade) == (OTHER, same_moment_id("cod", OTHER), Grade.MATCHED)


def test_who_was_known_until_yesterday_stands_as_the_newest_declaration_says() -> None:
    late = msgspec.structs.replace(accepted(OTHER, Grade.PENDING), at=UNTIL)
    standing = fold([accepted(ONE), issued(ONE), late])
    assert standing and (standing.declaration, standing.grade, standing.waiting) == (OTHER, Grade.PENDING, None)


def test_a_repair_settles_what_it_repairs_until_it_is_overruled() -> None:
    repair = fact(new_fact_id("rep", NOW, bytes(10)), repaired(ONE, Grade.VOUCHED))
    standing = fold([accepted(ONE, Grade.REPAIRABLE), repair])
    assert standing and (standing.grade, standing.valid_until) == (Grade.VOUCHED, UNTIL + dt.timedelta(hours=1))
    upheld = apply(standing, fact(FactId("rvw_1"), Reviewed(repair.id, ONE, True)))
    overruled = apply(standing, fact(FactId("rvw_2"), Reviewed(repair.id, ONE, False)))
    assert upheld == standing and overruled and overruled.grade is Grade.MISMATCHED


def test_an_officers_word_takes_nothing_from_who_is_known() -> None:
    known = [accepted(ONE), issued(ONE), accepted(OTHER, Grade.REPAIRABLE), issued(OTHER)]
    vouched = fact(new_fact_id("rep", NOW, bytes(10)), repaired(OTHER, Grade.VOUCHED))
    standing = fold([*known, vouched])
    assert standing and standing.waiting and standing.declaration == ONE
    assert (standing.grade, standing.waiting.grade) == (Grade.MATCHED, Grade.VOUCHED)
    taken_back = fact(new_fact_id("rvw", NOW, bytes(10)), Reviewed(vouched.id, OTHER, upheld=False))
    standing = fold([*known, vouched, taken_back])
    assert standing and standing.waiting and standing.declaration == ONE
    assert (standing.grade, standing.waiting.grade) == (Grade.MATCHED, Grade.MISMATCHED)
    standing = fold([*known, fact(vouched.id, repaired(OTHER, Grade.MATCHED))])
    assert standing and (standing.declaration, standing.waiting) == (OTHER, None)


def test_two_numbers_of_one_citizen_become_one_and_two_again() -> None:
    elder = fold([accepted(ONE), issued(ONE)])
    newer = msgspec.structs.replace(accepted(OTHER), at=NOW + dt.timedelta(hours=1), qid=NUMBER_2)
    other = fold([newer, fact(FactId("rev_1"), Revoked("lost"), qid=NUMBER_2)])
    assert elder and other
    merged = apply(other, fact(FactId("mrg_1"), Merged(QID), qid=NUMBER_2))
    took = apply(elder, fact(FactId("mrg_2"), Took(NUMBER_2, other)))
    assert merged and merged.into == QID
    assert took and (took.qid, took.also, took.declaration, took.revoked) == (QID, (NUMBER_2,), OTHER, True)
    assert apply(merged, fact(FactId("prt_1"), Parted(QID, None), qid=NUMBER_2)) == other
    assert apply(took, fact(FactId("prt_2"), Parted(NUMBER_2, elder))) == elder
    older = apply(other, fact(FactId("mrg_3"), Took(QID, elder)))
    assert older and (older.declaration, older.also) == (OTHER, (QID,))


def test_the_trip_is_that_of_the_declaration_that_counts() -> None:
    first = [accepted(ONE, trip=HOME), issued(ONE)]
    known = fold(first)
    assert known and known.trip == HOME
    waits = fold([*first, accepted(OTHER, Grade.REPAIRABLE, trip=AWAY), issued(OTHER)])
    assert waits and waits.waiting and (waits.trip, waits.waiting.trip) == (HOME, AWAY)
    mended = apply(waits, fact(new_fact_id("rep", NOW, bytes(10)), repaired(OTHER, Grade.MATCHED)))
    assert mended and (mended.declaration, mended.trip, mended.waiting) == (OTHER, AWAY, None)


def test_what_settles_joins_or_parts_keeps_the_trip() -> None:
    elder = fold([accepted(ONE, Grade.REPAIRABLE, trip=HOME), issued(ONE)])
    newer = msgspec.structs.replace(accepted(OTHER, trip=AWAY), at=NOW + dt.timedelta(hours=1), qid=NUMBER_2)
    other = fold([newer])
    repair = fact(new_fact_id("rep", NOW, bytes(10)), repaired(ONE, Grade.VOUCHED))
    assert elder and other
    for what in (
        repair,
        identified(ONE, Grade.MATCHED),
        fact(FactId("rvw_1"), Reviewed(repair.id, ONE, False)),
        REVOKED,
    ):
        after = apply(elder, what)
        assert after and after != elder and after.trip == HOME
    took = apply(elder, fact(FactId("mrg_1"), Took(NUMBER_2, other)))
    assert took and (took.declaration, took.trip) == (OTHER, AWAY)
    parted = apply(took, fact(FactId("prt_1"), Parted(NUMBER_2, elder)))
    assert parted and parted.trip == HOME
    older = apply(other, fact(FactId("mrg_2"), Took(QID, elder)))
    assert older and older.trip == AWAY


def test_what_was_recorded_before_trips_were_reads_as_ever() -> None:
    """As it lies in stores since the first release: no trip, and nobody makes one up."""
    what = b'{"type":"declaration.accepted","source":"page","measure":"demo","form":"2026-1","grade":"matched",'
    what += b'"health":"clear","route":["g07-vinh-binh"],"valid_from":"2026-01-18T07:30:00Z",'
    what += b'"valid_until":"2026-01-21T07:30:00Z","how":null}'
    old = msgspec.json.decode(what, type=What)
    assert old == accepted(ONE).what
    standing = fold([fact(ONE, old)])
    body = msgspec.to_builtins(standing)
    assert body.pop("trip") is None
    assert msgspec.convert(body, type=Standing) == standing


def test_a_twin_for_a_screen_is_no_newer_code() -> None:
    before = [accepted(ONE), issued(ONE)]
    twin = issued(ONE, twin_id(same_moment_id("cod", ONE), b"within"))
    assert fold([*before, twin]) == fold(before)
    anew = issued(ONE, new_fact_id("cod", NOW, b"0123456789"))
    after = fold([*before, twin, anew])
    assert after is not None and after.code == anew.id


def test_a_late_answer_about_this_declaration_counts() -> None:
    standing = fold([accepted(ONE, Grade.PENDING), issued(ONE), identified(ONE, Grade.MATCHED)])
    assert standing is not None
    assert (standing.grade, standing.valid_until) == (Grade.MATCHED, UNTIL + dt.timedelta(hours=1))


def test_revoked_stays_so_whatever_is_checked_afterwards() -> None:
    standing = fold([accepted(ONE, Grade.PENDING), REVOKED, identified(ONE, Grade.MATCHED), issued(ONE)])
    assert standing is not None and standing.revoked


histories = st.lists(st.sampled_from(HISTORY), max_size=12)


@given(histories, histories)
@settings(max_examples=300, deadline=None)
def test_folding_on_is_folding_all(first: list[Fact], rest: list[Fact]) -> None:
    standing = fold(first)
    for one in rest:
        standing = apply(standing, one)
    assert standing == fold(first + rest)


@given(histories)
@settings(max_examples=300, deadline=None)
def test_what_is_told_of_no_citizen_changes_no_standing(facts: list[Fact]) -> None:
    moving = [one for one in facts if one.what.__struct_config__.tag in MOVING]
    assert fold(facts) == fold(moving) and not any(isinstance(one.what, Scanned | Refused) for one in moving)


@given(histories)
@settings(max_examples=200, deadline=None)
def test_the_newest_of_a_standing_is_the_last_declaration_that_is_not_settled_otherwise(facts: list[Fact]) -> None:
    standing, last = fold(facts), [one for one in facts if isinstance(one.what, Accepted)]
    assert (standing is None) == (not last)
    if standing is not None:
        assert standing.newest.declaration == last[-1].id or any(
            isinstance(one.what, Identified) and one.what.declaration == last[-1].id for one in facts
        )
        assert standing.waiting is None or (standing.grade.is_sure and standing.waiting.grade is not Grade.MATCHED)
        assert msgspec.json.decode(msgspec.json.encode(standing), type=Standing) == standing


@pytest.mark.parametrize("kind", get_args(What))
def test_every_kind_has_a_tag_of_its_own(kind: type) -> None:
    tags = [other.__struct_config__.tag for other in get_args(What)]  # type: ignore[attr-defined]
    assert tags.count(kind.__struct_config__.tag) == 1  # type: ignore[attr-defined]


def test_the_board() -> None:
    def measure(id: str, title: str) -> MeasurePublished:
        return MeasurePublished(
            Measure(
                id=id,
                title=Words(title, title),
                legal_basis=Words("", ""),
                disease=Words("", ""),
                areas=(),
                starts_at=NOW,
                ends_at=UNTIL,
                form="2026-1",
                pass_hours=72,
                pending_hours=24,
                keep_days=21,
            )
        )

    def opened(checkpoint: str, to: str | None) -> Fact:
        what = DiversionOpened(Diversion(checkpoint, to, NOW, "TRUC-BAN"))
        return fact(FactId("div_1"), what, qid=None, checkpoint=checkpoint)

    def switched(what: What, checkpoint: str | None = None) -> Fact:
        return fact(FactId("mea_1"), what, qid=None, checkpoint=checkpoint)

    board = fold_board(
        [
            switched(measure("a", "first")),
            switched(measure("b", "other")),
            switched(measure("a", "replaced")),
            switched(MeasureEnded("b")),
            switched(MeasureEnded("never there")),
            opened("x", "y"),
            opened("x", "z"),
            opened("y", None),
            switched(DiversionClosed(NOW), "y"),
            switched(DiversionClosed(NOW), "never there"),
        ]
    )
    assert {id: measure.title.en for id, measure in board.measures.items()} == {"a": "replaced"}
    assert {at: diversion.to for at, diversion in board.diversions.items()} == {"x": "z"}
    assert fold_board([]).measures == {} and fold_board([]).diversions == {}


def test_what_is_counted() -> None:
    def counted(one: Fact) -> list[tuple[str, str, str]]:
        assert all(tally.hour == NOW.replace(minute=0) for tally in tallies(one))
        return [(tally.place, tally.kind, tally.outcome) for tally in tallies(one)]

    assert counted(accepted(ONE)) == [("g07-vinh-binh", "declared", "accepted")]
    assert counted(accepted(ONE, Grade.PENDING, ())) == [("", "declared", "pending")]
    assert counted(refused(("name",))) == [("g07-vinh-binh", "refused", "name")]
    assert counted(scanned("accept", ("measure.none_active",))) == [("g07-vinh-binh", "scanned", "accept")]
    assert counted(scanned("reject", ("health.symptoms", "identity.pending"))) == [
        ("g07-vinh-binh", "scanned", "reject"),
        ("g07-vinh-binh", "reason", "health.symptoms"),
    ]
    assert counted(issued(ONE)) == [] and counted(REVOKED) == []
