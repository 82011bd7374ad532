"""Whom a case met: against a plain rule spelled out, for any passages; and what is asked, field by field."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from motma.core.errors import Conflict, Invalid
from motma.core.facts import HealthReported
from motma.core.ids import Qid, new_qid
from motma.core.tracing import (
    Meeting,
    Passage,
    Report,
    Ride,
    TraceAsk,
    aboard,
    beside,
    contacts_of,
    parse_trace,
    told_of,
    visits_of,
    window_of,
)

NOW = dt.datetime(2026, 1, 18, 7, 0, tzinfo=dt.UTC)
QIDS = [new_qid(n.to_bytes(8, "big")) for n in range(6)]
CASE = QIDS[0]
MINUTE, DAY = dt.timedelta(minutes=1), dt.timedelta(days=1)

_passages = st.lists(
    st.builds(
        Passage,
        st.sampled_from([None, *QIDS]),
        st.sampled_from(["g01", "g02"]),
        st.integers(0, 300).map(lambda minutes: NOW + minutes * MINUTE),
        st.sampled_from(["accept", "reject"]),
    ),
    max_size=40,
)


@given(_passages, st.integers(1, 120))
def test_somebody_is_a_contact_if_and_only_if_they_stood_there_within_the_time(passages: list[Passage], n: int) -> None:
    within = n * MINUTE
    case = [one for one in passages if one.qid == CASE]
    expected = {
        other.qid
        for other in passages
        for one in case
        if other.qid not in (None, CASE) and other.checkpoint == one.checkpoint and abs(other.at - one.at) <= within
    }
    visits = visits_of(case)
    assert sorted(at for visit in visits for at in visit.times) == sorted(one.at for one in case)
    met = [pair for visit in visits for pair in beside(visit, passages, within).items()]
    contacts = contacts_of(met, {}, CASE)
    assert {contact.qid for contact in contacts} == expected
    for contact in contacts:
        theirs = [one for one in passages if one.qid == contact.qid]
        best = min(
            abs(theirs_one.at - one.at)
            for theirs_one in theirs
            for one in case
            if theirs_one.checkpoint == one.checkpoint
        )
        seconds = contact.meetings[0].seconds
        assert seconds is not None and abs(seconds) == best.total_seconds()
        span = [visit.span(within) for visit in visits]
        assert all(any(window.since <= one.at <= window.until for window in span) for one in contact.meetings)


@given(_passages)
def test_merged_numbers_are_one_contact_and_the_case_is_not_its_own(passages: list[Passage]) -> None:
    met = [(one.qid, Meeting("checkpoint", one.at, 0, one.checkpoint)) for one in passages if one.qid]
    goes_by = {QIDS[1]: QIDS[2], QIDS[3]: CASE}
    contacts = contacts_of(met, goes_by, CASE)
    assert len({contact.qid for contact in contacts}) == len(contacts)
    assert not {CASE, QIDS[1], QIDS[3]} & {contact.qid for contact in contacts}
    assert {contact.qid for contact in contacts} == {goes_by.get(qid, qid) for qid, _ in met} - {CASE}


def test_the_strongest_first() -> None:
    at = NOW
    near, far = Meeting("checkpoint", at, 30, "g01"), Meeting("checkpoint", at, -600, "g01")
    vehicle, reported = Meeting("vehicle", at, 0), Meeting("reported", at, source="BLUEZONE", reference="r1")
    met = [(QIDS[1], far), (QIDS[2], near), (QIDS[3], vehicle), (QIDS[4], reported), (QIDS[5], far), (QIDS[5], vehicle)]
    contacts = contacts_of(met, {}, CASE)
    assert [contact.qid for contact in contacts] == [QIDS[5], QIDS[4], QIDS[3], QIDS[2], QIDS[1]]
    assert contacts[0].meetings == (vehicle, far)
    assert (near.minutes, far.minutes, reported.minutes) == (0, 10, None)  # half a minute rounds to the even


def test_a_vehicle_counts_only_while_both_declarations_are_good() -> None:
    def ride(qid: Qid, hours: float, plate: str = "ab") -> Ride:
        leaves = NOW + dt.timedelta(hours=hours)
        return Ride(qid, plate, leaves, leaves - dt.timedelta(hours=1), leaves + dt.timedelta(hours=71))

    mine = [ride(CASE, 0)]
    met = aboard(mine, [ride(QIDS[1], 2), ride(QIDS[2], 72), ride(QIDS[3], -72), ride(QIDS[4], 1, "cd")])
    assert {qid: one.seconds for qid, one in met.items()} == {QIDS[1]: 7200}
    nearest = aboard([*mine, ride(CASE, 3)], [ride(QIDS[1], 2)])
    assert nearest[QIDS[1]].seconds == -3600


def test_one_report_counts_once() -> None:
    report = Report(QIDS[1], NOW, "BLUEZONE", "r1")
    assert [len(told) for told in told_of([report, report]).values()] == [1]


def reported(event: str, since: dt.datetime, until: dt.datetime | None = None) -> HealthReported:
    return HealthReported(event=event, source="CDC", since=since, until=until, reference="r")  # type: ignore[arg-type]


ASK = TraceAsk(CASE, 15 * MINUTE, 2 * DAY, None, "điều tra dịch tễ", "Quyết định 12/QĐ-SYT")


def test_the_time_that_is_looked_at() -> None:
    case = reported("case", NOW - 5 * DAY)
    window = window_of(ASK, [case], NOW)
    assert window and (window.since, window.until) == (NOW - 7 * DAY, NOW)
    ended = window_of(ASK, [case, reported("ended", NOW - DAY)], NOW)
    assert ended and ended.until == NOW - DAY
    before = window_of(ASK, [case, reported("ended", NOW - 9 * DAY)], NOW)
    assert before and before.until == NOW  # of another, earlier case
    quarantine = window_of(ASK, [reported("case", NOW - 5 * DAY, NOW + DAY)], NOW)
    assert quarantine and quarantine.until == NOW
    assert window_of(ASK, [reported("contact", NOW - DAY), reported("ended", NOW)], NOW) is None
    assert window_of(ASK, [], NOW) is None


@pytest.mark.parametrize(
    ("reports", "ask", "code"),
    [
        ([reported("case", NOW - 60 * DAY, NOW - 31 * DAY)], {}, "tracing.over"),
        ([reported("case", NOW - 30 * DAY)], {}, "tracing.window"),
        ([reported("case", NOW)], {"until": NOW - 3 * DAY}, "tracing.window"),
    ],
)
def test_what_is_too_long_ago_or_too_long(
    reports: list[HealthReported], ask: dict[str, dt.datetime], code: str
) -> None:
    asked = TraceAsk(CASE, ASK.within, ASK.before, ask.get("until"), ASK.purpose, ASK.basis)
    with pytest.raises((Conflict, Invalid)) as error:
        window_of(asked, reports, NOW)
    assert error.value.code == code


GOOD = {
    "qid": CASE,
    "within": "15",
    "before": "48",
    "until": "2026-01-18T13:00",
    "purpose": "Điều tra dịch tễ ca bệnh",
    "basis": "Quyết định 12/QĐ-SYT ngày 17/1/2026",
}


def test_what_was_typed() -> None:
    ask = parse_trace(GOOD, NOW)
    assert (ask.within, ask.before) == (15 * MINUTE, 2 * DAY)
    assert ask.until == dt.datetime(2026, 1, 18, 6, 0, tzinfo=dt.UTC)  # Vietnamese time, unless it says otherwise
    assert parse_trace({**GOOD, "until": ""}, NOW).until is None


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("within", "0", "tracing.number"),
        ("within", "121", "tracing.number"),
        ("within", "١٥", "tracing.number"),
        ("before", "", "tracing.number"),
        ("before", "9" * 9_999, "tracing.number"),
        ("until", "2026-01-18T14:01", "tracing.future"),
        ("until", "0001-01-01T00:00", "tracing.time"),
        ("until", "hôm qua", "tracing.time"),
        ("purpose", "", "tracing.reason"),
        ("purpose", "\x00" * 20, "text.characters"),
        ("basis", "   x   ", "tracing.reason"),
        ("basis", "a" * 301, "text.too_long"),
    ],
)
def test_every_field_says_what_is_wrong_with_it(field: str, value: str, code: str) -> None:
    with pytest.raises(Invalid) as error:
        parse_trace({**GOOD, field: value}, NOW)
    assert (error.value.code, {name: one.code for name, one in error.value.fields.items()}) == (
        "tracing.fields",
        {field: code},
    )


def test_nothing_is_filled_in_for_anybody() -> None:
    with pytest.raises(Invalid) as error:
        parse_trace({}, NOW)
    assert set(error.value.fields) == {"qid", "within", "before", "purpose", "basis"}
