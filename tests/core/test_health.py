"""What health staff report: what is taken, and what counts of it whenever and in whatever order it arrives."""

import datetime as dt
import itertools
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from motma.core.errors import Invalid
from motma.core.facts import Fact, HealthEvent, HealthReported, Merged, Parted, Standing, Took
from motma.core.fold import apply, fold
from motma.core.health import LASTS_DAYS, SINCE_DAYS, Asked, parse_event
from motma.core.identity import Grade
from motma.core.ids import Qid, new_fact_id
from motma.core.state import state_of
from tests.core.test_facts import NOW, NUMBER_2, ONE, OTHER, QID, REVOKED, UNTIL, accepted, fact

HOUR, DAY = dt.timedelta(hours=1), dt.timedelta(days=1)
PERSON = {
    "name": "Nguyễn Trần Quốc An",
    "birth_date": "1986-12-27",
    "document": {"kind": "cccd", "number": "999086834952"},
}
PASSPORT = {"kind": "passport", "number": "B1234567", "issuer": "Việt"}
CASE = {"event": "case", "since": "2026-01-17", "reference": "BV-1", "qid": QID}


def reported(event: Any, since: float, until: float | None = None, *, qid: Qid = QID, n: int = 0) -> Fact:
    what = HealthReported(
        event, "CDC", NOW + since * HOUR, None if until is None else NOW + until * HOUR, f"r{n}", None
    )
    return fact(new_fact_id("hlr", NOW, n.to_bytes(10, "big")), what, qid=qid)


def counts(*facts: Fact, at: float = 0) -> str | None:
    standing = fold([accepted(ONE), *facts])
    assert standing
    event = standing.event_at(NOW + at * HOUR)
    return event.event if event else None


def test_a_contact_does_not_outweigh_a_case_that_lasts() -> None:
    case, contact = reported("case", -48, 24), reported("contact", -1, 300, n=1)
    for facts in itertools.permutations((case, contact)):
        assert [counts(*facts, at=hours) for hours in (-49, -48, 0, 23.9, 24, 300)] == [
            *(None, "case", "case", "case", "contact", None)
        ]


def test_the_end_ends_both_and_what_began_before_it() -> None:
    case, contact, ended = reported("case", -48), reported("contact", -40, n=1), reported("ended", -1, n=2)
    late, at_once, after = reported("case", -2, n=3), reported("contact", -1, n=4), reported("contact", -0.5, n=5)
    for facts in itertools.permutations((case, contact, ended, late, at_once)):
        assert counts(*facts) is None
    assert counts(case, ended, late, after) == counts(after, late, case, ended) == "contact"


def test_a_case_that_was_dated_wrongly_is_put_right_by_the_same_report_again() -> None:
    assert counts(reported("case", -48, 24), reported("case", -48, -1, n=1)) is None
    assert counts(reported("case", -48, -1), reported("case", -48, 24, n=1)) == "case"


events = st.builds(
    lambda n, kind, since, until: reported(kind, since, None if until is None else since + until, n=n),
    st.integers(0, 2**40),
    st.sampled_from(["case", "contact", "ended"]),
    st.integers(-9, 2),
    st.none() | st.integers(1, 12),
)
reports = st.lists(events, max_size=6, unique_by=lambda one: (one.what.event, one.what.since))  # type: ignore[union-attr]


@given(reports, st.randoms(use_true_random=False))
def test_whatever_the_order_of_arrival_the_same_counts(facts: list[Fact], random: Any) -> None:
    shuffled = [*facts]
    random.shuffle(shuffled)
    standing, again = fold([accepted(ONE), *facts]), fold([accepted(ONE), *shuffled])
    assert standing == again and standing
    kinds = [event.event for event in standing.events]
    assert kinds == sorted(set(kinds))
    for hours in range(-10, 20):
        now = NOW + hours * HOUR
        event = standing.event_at(now)
        what = [one.what for one in facts if isinstance(one.what, HealthReported)]
        over = max((one.since for one in what if one.event == "ended"), default=None)
        newest = {
            kind: max(some, key=lambda one: one.since)
            for kind in ("case", "contact")
            if (some := [one for one in what if one.event == kind and (over is None or one.since > over)])
        }
        lasts = [one for one in newest.values() if one.since <= now and (one.until is None or now < one.until)]
        assert (event.event if event else None) == (lasts[0].event if lasts else None)
        assert (
            standing.health_at(now)
            == {None: "clear", "case": "positive", "contact": "contact"}[event.event if event else None]
        )


@given(reports, reports, st.booleans())
def test_of_two_numbers_made_one_all_counts_and_of_one_made_two_what_was_theirs(
    mine: list[Fact], theirs: list[Fact], newer: bool
) -> None:
    other = fold([replace(accepted(OTHER), qid=NUMBER_2, at=NOW + HOUR * (1 if newer else -1))])
    for one in theirs:
        other = apply(other, replace(one, qid=NUMBER_2))
    alone = fold([accepted(ONE), *mine])
    assert other and alone
    took = fact(new_fact_id("tok", NOW, bytes(10)), Took(NUMBER_2, other))
    both = apply(alone, took)
    assert both and both.also == (NUMBER_2,)
    said = {(one.what.event, one.what.since) for one in mine if isinstance(one.what, HealthReported)}
    kept = [
        one for one in theirs if isinstance(one.what, HealthReported) and (one.what.event, one.what.since) not in said
    ]
    assert {(one.event, one.since) for one in both.events} == {
        (one.event, one.since) for one in (fold([accepted(ONE), *mine, *kept]) or alone).events
    }
    bare = apply(alone, fact(new_fact_id("tok", NOW, bytes(10)), Took(NUMBER_2, None, other.events)))
    assert bare and bare.events == both.events
    parted = apply(both, fact(new_fact_id("prt", NOW, bytes(10)), Parted(NUMBER_2, alone)))
    assert parted == alone
    away = apply(other, replace(fact(new_fact_id("mrg", NOW, bytes(10)), Merged(QID)), qid=NUMBER_2))
    assert away and away.events == other.events


def test_what_is_declared_anew_takes_nothing_away_and_what_was_reported_before_is_there() -> None:
    event = HealthEvent("case", NOW - DAY, None)
    first = accepted(ONE)
    assert first.what.events == ()  # type: ignore[union-attr]
    heard = replace(first, what=replace(first.what, events=(event,)))
    standing = fold([heard, accepted(OTHER), accepted(ONE, Grade.PENDING)])
    assert standing and standing.events == (event,) and standing.waiting and standing.waiting.events == ()
    assert fold([reported("case", -1)]) is None


def test_the_worse_of_what_was_declared_and_reported() -> None:
    for declared, event, worst in [
        ("clear", "contact", "contact"), ("contact", "contact", "contact"), ("symptoms", "contact", "symptoms"),
        ("clear", "case", "positive"), ("contact", "case", "positive"), ("symptoms", "case", "positive"),
        ("contact", "ended", "contact"), ("symptoms", "ended", "symptoms"),
    ]:  # fmt: skip
        standing = apply(replace(fold([accepted(ONE)]), health=declared), reported(event, -1))  # type: ignore[type-var]
        assert standing and standing.health_at(NOW) == worst


def test_where_somebody_stands_in_a_word() -> None:
    def word(*facts: Fact, at: dt.datetime = NOW, grade: Grade = Grade.MATCHED) -> str:
        return state_of(fold([accepted(ONE, grade), *facts]), at)

    suspended = replace(fold([accepted(ONE)]), suspended=True)  # type: ignore[type-var]
    assert state_of(None, NOW) == "unknown"
    assert word() == word(reported("ended", -1)) == word(reported("case", 1)) == "good"
    assert word(reported("contact", -1)) == word(reported("case", -1)) == word(grade=Grade.PENDING) == "check"
    assert word(at=UNTIL) == word(reported("case", -1), at=UNTIL) == "expired"
    assert word(at=NOW - HOUR) == "check"
    assert word(REVOKED, at=UNTIL) == "withdrawn" and state_of(suspended, NOW) == "suspended"


def test_a_report_as_it_is_sent() -> None:
    asked = parse_event({**CASE, "until": "2026-02-07"}, NOW)
    assert asked == Asked(
        event="case",
        since=dt.datetime(2026, 1, 16, 17, tzinfo=dt.UTC),
        until=dt.datetime(2026, 2, 7, 17, tzinfo=dt.UTC),  # when that day is over in Vietnam
        reference="BV-1",
        qid=QID,
    )
    named = parse_event({"event": "contact", "since": "2026-01-18T14:00", "reference": " x ", "person": PERSON}, NOW)
    assert named.named and named.named.document.number == "999086834952" and named.reference == "x"
    assert named.since == dt.datetime(2026, 1, 18, 7, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("changes", "path", "code"),
    [
        ({"since": (NOW + HOUR).isoformat()}, "since", "event.since_future"),
        ({"since": (NOW - (SINCE_DAYS + 1) * DAY).isoformat()}, "since", "event.since_long_ago"),
        ({"since": "yesterday"}, "since", "event.time"),
        ({"since": "0001-01-02"}, "since", "event.since_long_ago"),
        ({"since": "0001-01-01T00:00+07:00"}, "since", "event.time"),
        ({"since": ""}, "since", "field.missing"),
        ({"until": "2026-01-16"}, "until", "event.until_before"),
        ({"until": (NOW + (LASTS_DAYS + 1) * DAY).isoformat()}, "until", "event.until_far"),
        ({"until": "9999-12-31"}, "until", "event.time"),
        ({"event": "ended", "until": "2026-02-01"}, "until", "event.ended_until"),
        ({"reference": ""}, "reference", "field.missing"),
        ({"reference": "x" * 101}, "reference", "text.too_long"),
        ({"reference": "\u202eBV"}, "reference", "text.characters"),
        ({"qid": "521322923144321718"}, "qid", "qid.check_digit"),
        ({"qid": None}, "qid", "event.whom"),
        ({"person": PERSON}, "qid", "event.whom"),
        ({"case": str(NUMBER_2)}, "case", "event.case_of_contact"),
        ({"event": "contact", "case": "x"}, "case", "qid.malformed"),
        ({"qid": None, "person": {**PERSON, "name": ""}}, "person.name", "field.missing"),
        (
            {"qid": None, "person": {**PERSON, "birth_date": "1987-12-27"}},
            *("person.birth_date", "birth_date.not_this_number"),
        ),
        ({"qid": None, "person": {**PERSON, "sex": "female"}}, "person.sex", "sex.not_this_number"),
        (
            {"qid": None, "person": {**PERSON, "document": {"kind": "none", "number": ""}}},
            *("person.document.kind", "document.kind"),
        ),
        (
            {"qid": None, "person": {**PERSON, "document": PASSPORT}},
            *("person.document.issuer", "nationality.malformed"),
        ),
    ],
)  # fmt: skip
def test_what_needs_mending_is_said_by_field(changes: dict[str, Any], path: str, code: str) -> None:
    with pytest.raises(Invalid) as refused:
        parse_event({**CASE, **changes}, NOW)
    assert refused.value.code == "event.fields" and refused.value.fields[path].code == code


@pytest.mark.parametrize(
    "raw",
    [
        *({}, {**CASE, "event": "cured"}, {**CASE, "severity": 3}, {**CASE, "since": 5}),
        *({**CASE, "person": []}, {**CASE, "reference": None}),
    ],
)  # fmt: skip
def test_what_has_another_shape_is_none(raw: dict[str, Any]) -> None:
    with pytest.raises(Invalid, match="malformed"):
        parse_event(raw, NOW)


def test_a_standing_that_was_kept_before_there_were_reports_reads_as_ever() -> None:
    standing = fold([accepted(ONE)])
    kept = msgspec.to_builtins(standing)
    del kept["events"]
    assert msgspec.convert(kept, Standing) == standing
