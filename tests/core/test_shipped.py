"""The policies that ship, over random evidence: alone, in any set, fresher, and with parts of it missing."""

import dataclasses
from collections.abc import Iterable
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from motma.core.certificate import Certificate
from motma.core.decision import Rulebook, Verdict, decide, judge
from motma.core.evidence import SPECIMEN, Evidence
from motma.core.identity import Grade
from motma.core.ids import new_fact_id
from motma.core.permit import Permit, Signatory
from motma.core.reasons import REASONS, Outcome
from motma.forms import load_units
from motma.measures import load_permit_groups
from motma.policies import DEFAULT, SHIPPED, known_reasons, load_policy, load_rulebook
from motma.roads import load_network
from tests.core.test_decision import ASKED, HOUR, NOW, code_of, standing_of

WEIGHT = [Outcome.ACCEPT, Outcome.MANUAL, Outcome.REFER, Outcome.REJECT]
OWNER = {rule.reason: name for name in SHIPPED for rule in load_policy(name).rules}
WAIVED_BY = {rule.reason: set(rule.waives) for name in SHIPPED for rule in load_policy(name).rules}
ON_REQUEST = [name for name in SHIPPED if name not in DEFAULT]


def instants(*edges: str) -> st.SearchStrategy[str]:
    """Around the time of the scan and what lies 72 hours, 11, 14, 21 and 180 days before it."""
    near = ["06:59:59.999Z", "07:00:00.000Z", "07:00:00.001Z"]
    return st.sampled_from([f"{day}T{time}" for day in edges or ("2026-01-18",) for time in near])


def part(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({name.rstrip("_"): field for name, field in fields.items()})


truth, maybe = st.booleans(), st.none() | st.booleans()
places = st.sampled_from(["quan-8", "quan-5", "quan-7", "binh-chanh", "p48", "p75", "p52"])
permits = part(
    group=st.sampled_from(["1A", "3A", "5", "8A", "9Z"]),
    areas=st.sampled_from([[], [], ["binh-chanh"], ["quan-1", "quan-5"]]),
    from_=instants("2026-01-01", "2026-01-18"),
    until=instants("2026-01-18", "2026-02-01", "2026-03-01"),
    revoked=st.sampled_from([False, False, True]),
    problem=st.sampled_from([None, None, "permit.forged", "permit.borrowed", "permit.unproved"]),
)
papers = st.sampled_from(["permit.forged", "permit.borrowed", "permit.unproved"]).map(
    lambda problem: {"group": None, "areas": [], "from": None, "until": None, "revoked": None, "problem": problem}
)
certificates = part(
    kind=st.sampled_from(["vaccination", "test", "recovery"]),
    good=truth,
    known=truth,
    fits=st.sampled_from([True, True, False, None]),
    at=st.none() | instants("2026-01-18", "2026-01-15", "2026-01-07", "2026-01-04", "2025-12-28", "2025-07-22"),
    doses=st.sampled_from([None, 1, 2]),
    series=st.sampled_from([None, 1, 2]),
    test=st.sampled_from([None, "NAAT", "RAT"]),
    detected=maybe,
)
codes = part(
    problem=st.sampled_from([None, None, None, "code.forged", "code.unknown_key", "code.of_the_future"]),
    verified=truth,
    plain=truth,
    liveness=st.sampled_from([None, "live", "stale", "static"]),
    matched=maybe,
    worth=st.sampled_from([None, "accept", "manual", "reject"]),
    issued=instants(),
    from_=instants(),
    until=instants("2026-01-18", "2026-01-21"),
    of_declaration=truth,
    superseded=truth,
    somebody_else=truth,
    check_again=truth,
)
declarations = part(
    grade=st.sampled_from([*map(str, Grade), "matched", "matched"]),
    health=st.sampled_from(["clear", "clear", "contact", "symptoms", "positive"]),
    at=instants(),
    from_=instants(),
    until=instants("2026-01-18", "2026-01-21"),
)
fresh = part(
    standing=st.none() | instants(),
    keys=st.none() | instants("2026-01-11", "2026-01-18"),
    status=st.none() | instants("2026-01-17", "2026-01-18"),
    rules=instants(),
)
documents = part(
    now=st.sampled_from(["2026-01-18T07:00:00.000Z", "2021-08-21T16:59:59.999Z", "2021-08-21T17:00:00.000Z"]),
    clock=part(minute=st.sampled_from([0, 359, 360, 1079, 1080, 1259, 1260, 1439])),
    measure=part(by_hand=st.lists(st.sampled_from(["stale", "static"]), unique=True)),
    checkpoint=st.none()
    | part(id=st.just("x"), kind=st.just("inner"), area=st.sampled_from(["binh-chanh", "quan-5", "quan-7", ""])),
    code=st.just(SPECIMEN["code"]) | codes,
    reading=st.none() | part(kind=st.sampled_from(["dcc", "bhyt"]), trust=st.sampled_from(["good", "unknown"])),
    standing=st.none() | part(revoked=truth, suspended=truth) | st.just(SPECIMEN["standing"]),
    declaration=st.none() | declarations | st.just(SPECIMEN["declaration"]),
    trip=st.none()
    | part(origin=places, destination=places, direction=st.sampled_from(["in", "out", "within", "through"])),
    vehicle=st.none() | part(kind=st.sampled_from([None, "truck", "motorbike"]), green_lane=maybe),
    permit=st.none() | permits | papers,
    certificate=st.none() | certificates,
    diversion=part(open=truth),
    as_of=fresh,
)
some = st.sets(st.sampled_from(SHIPPED), min_size=1)
NONE = Rulebook(())


def verdict_of(seen: dict[str, Any], names: Iterable[str]) -> Verdict:
    chosen = tuple(sorted(names, key=SHIPPED.index))
    return judge(seen, load_rulebook(chosen) if chosen else NONE)


def codes_of(verdict: Verdict) -> list[str]:
    return [reason.code for reason in verdict.reasons]


def owner(code: str) -> str:
    return OWNER.get(code, "code")  # what was read belongs to "code"


@given(documents, some)
@settings(max_examples=150, deadline=None)
def test_any_evidence_has_exactly_one_verdict_under_any_set(seen: dict[str, Any], names: set[str]) -> None:
    verdict = verdict_of(seen, names)
    assert verdict == verdict_of(seen, names) and verdict.failed == ()
    weights = [WEIGHT.index(reason.outcome) for reason in verdict.reasons]
    assert weights == sorted(weights, reverse=True)
    assert len(set(codes_of(verdict))) == len(verdict.reasons)
    for outcome in Outcome:  # within one weight, in the order of the policies
        at = [SHIPPED.index(owner(reason.code)) for reason in verdict.reasons if reason.outcome is outcome]
        assert at == sorted(at)
    assert {owner(code) for code in codes_of(verdict)} <= names
    assert (verdict.outcome is Outcome.ACCEPT) == all(reason.outcome is Outcome.ACCEPT for reason in verdict.reasons)
    if verdict.reasons:
        assert (verdict.outcome, verdict.known) == (verdict.reasons[0].outcome, verdict.reasons[0].known)
    assert verdict.known or verdict.outcome is Outcome.MANUAL  # unknown is never invalid


@given(documents, some, st.sampled_from(SHIPPED))
@settings(max_examples=150, deadline=None)
def test_a_policy_more_adds_its_own_reasons_and_takes_away_only_what_it_waives(
    seen: dict[str, Any], names: set[str], more: str
) -> None:
    """The same read backwards: switched off, it takes its own reasons away, and gives back what it waived."""
    without, with_it = codes_of(verdict_of(seen, names - {more})), codes_of(verdict_of(seen, names | {more}))
    assert {owner(code) for code in set(with_it) - set(without)} <= {more}
    waived = {name for code in with_it if owner(code) == more for name in WAIVED_BY.get(code, ())}
    assert {owner(code) for code in set(without) - set(with_it)} <= waived
    assert [code for code in with_it if code in without] == [code for code in without if code in with_it]


@given(documents, some, st.sampled_from(["standing", "keys", "status"]))
@settings(max_examples=150, deadline=None)
def test_what_is_fresher_takes_back_only_what_was_not_known(seen: dict[str, Any], names: set[str], what: str) -> None:
    """The same evidence, fresher: what let somebody pass still does, and what is said anew replaces a doubt."""
    older, newer = verdict_of(seen, names), verdict_of({**seen, "as_of": {**seen["as_of"], what: seen["now"]}}, names)
    gone = [reason for reason in older.reasons if reason not in newer.reasons]
    new = [reason for reason in newer.reasons if reason not in older.reasons]
    assert not any(reason.known for reason in gone)
    assert {owner(reason.code) for reason in new} <= {owner(reason.code) for reason in gone}
    if older.outcome is Outcome.ACCEPT:
        assert newer.outcome is Outcome.ACCEPT
    if newer.outcome is not older.outcome and newer.outcome is Outcome.REJECT:
        assert newer.reasons[0] in new and newer.known


@given(documents, documents, some)
@settings(max_examples=150, deadline=None)
def test_what_was_learnt_since_stops_nobody_without_a_reason_that_says_so(
    seen: dict[str, Any], since: dict[str, Any], names: set[str]
) -> None:
    """The citizen's part of the evidence and all that is theirs, learnt anew: freshness never rejects in silence."""
    learnt = {name: since[name] for name in ("standing", "declaration", "trip", "permit", "vehicle", "as_of")}
    older, newer = verdict_of(seen, names), verdict_of({**seen, **learnt}, names)
    if WEIGHT.index(newer.outcome) > WEIGHT.index(older.outcome):
        deciding = newer.reasons[0]
        assert deciding not in older.reasons and deciding.outcome is newer.outcome
        assert deciding.words.vi and deciding.words.en and deciding.code != "rule.error"


UNKNOWN: list[dict[str, Any]] = [
    {"as_of": None},
    {"checkpoint": None},
    {"clock": None},
    {"trip": None},
    {"standing": None, "declaration": None, "trip": None},
    {"as_of": None, "permit": None},
    {"standing": None, "declaration": None, "trip": None, "permit": None},
]


@given(documents)
@settings(max_examples=800, deadline=None)
def test_what_is_not_known_stops_nobody(seen: dict[str, Any]) -> None:
    """Without place, hour, trip, person, network or permits some reasons to stop fall away, and none is added."""
    names = ON_REQUEST[:-1]  # the green lane only waives
    stops = {reason.code for reason in verdict_of(seen, names).reasons if reason.outcome is Outcome.REJECT}
    for unknown in UNKNOWN:
        blind = verdict_of({**seen, **unknown}, names)
        assert {reason.code for reason in blind.reasons if reason.outcome is Outcome.REJECT} <= stops, unknown


def _without(seen: dict[str, Any], path: str) -> dict[str, Any]:
    name, _, field = path.partition(".")
    inner = None if not field or seen[name] is None else {**seen[name], field: None}
    return {**seen, name: inner}


GAPS = [
    f"{name}.{field}"
    for name, fields in [
        ("clock", ["minute"]),
        ("checkpoint", ["id", "kind", "area"]),
        ("trip", ["origin", "destination", "direction"]),
        ("vehicle", ["kind", "green_lane"]),
        ("permit", ["group", "from", "until", "revoked", "problem"]),
        ("certificate", ["kind", "good", "known", "fits", "at", "doses", "series", "test", "detected"]),
        ("declaration", ["health", "until"]),
        ("as_of", ["standing", "keys", "status"]),
    ]
    for field in fields
] + ["clock", "checkpoint", "reading", "standing", "declaration", "trip", "vehicle", "permit", "certificate", "as_of"]


@given(documents, st.sets(st.sampled_from(GAPS), max_size=6))
@settings(max_examples=150, deadline=None)
def test_gaps_make_no_rule_fail_of_those_to_be_switched_on(seen: dict[str, Any], gaps: set[str]) -> None:
    for path in gaps:
        seen = _without(seen, path)
    assert verdict_of(seen, ON_REQUEST).failed == ()


@given(documents, st.sets(st.sampled_from(GAPS), max_size=6))
@settings(max_examples=150, deadline=None)
def test_gaps_never_raise_and_a_rule_that_fails_lets_nobody_pass(seen: dict[str, Any], gaps: set[str]) -> None:
    for path in gaps:
        seen = _without(seen, path)
    verdict = verdict_of(seen, SHIPPED)
    assert not verdict.failed or verdict.outcome is not Outcome.ACCEPT


def test_what_a_check_gathers_is_read_by_all_of_them() -> None:
    """A permit and a certificate as the house knows them, not as a document: accepted, then each of them spoilt."""
    permit = Permit(
        id=new_fact_id("prm", NOW - HOUR, bytes(10)),
        group="5",
        areas=("binh-chanh",),
        valid_from=NOW - HOUR,
        valid_until=NOW + HOUR,
        holder="521322923144321717",
        signed_by=Signatory("city"),
    )
    dose = Certificate(kind="vaccination", good=True, known=True, at=NOW - 14 * 24 * HOUR, doses=2, series=2)
    checkpoint = next(one for one in load_network().checkpoints if one.area == "binh-chanh")
    evidence = Evidence(
        code_of(),
        standing=standing_of(),
        liveness="live",
        as_of=ASKED,
        permit=permit,
        certificate=dose,
        certificate_fits=True,
    )
    book = load_rulebook(SHIPPED)
    assert decide(evidence, book, checkpoint, NOW) == Verdict(Outcome.ACCEPT, (), known=True, as_of=ASKED)
    for spoilt, codes in [
        ({"permit": None, "certificate": None}, ["permit.none", "certificate.missing", "movement.unknown"]),
        (
            {"permit": msgspec.structs.replace(permit, revoked_at=NOW), "certificate": None},
            ["permit.revoked", "certificate.missing", "movement.unknown"],
        ),
        ({"certificate": msgspec.structs.replace(dose, doses=1)}, ["certificate.incomplete"]),
        ({"permit_problem": "permit.borrowed"}, ["permit.borrowed"]),
    ]:
        verdict = decide(dataclasses.replace(evidence, **spoilt), book, checkpoint, NOW)
        assert (codes_of(verdict), verdict.failed) == (codes, ())


def test_what_is_not_known_is_only_ever_looked_at() -> None:
    for reason in known_reasons().values():
        assert reason.known or reason.outcome is Outcome.MANUAL
    assert set(OWNER) | set(REASONS) >= set(known_reasons())


def test_words_fit_on_the_screen_of_a_phone() -> None:
    for name in ON_REQUEST:
        for rule in load_policy(name).rules:
            assert rule.words and len(rule.words.vi) <= 60 and len(rule.words.en) <= 70, rule.reason


def test_places_and_groups_that_policies_name_are_there() -> None:
    areas = {area.id for area in load_network().areas}
    outside = {f"p{code}" for code in load_units().provinces}
    groups = set(load_permit_groups().by_code)
    values = {name: load_policy(name).values for name in ON_REQUEST}
    for name, lists in {
        "curfew": ["areas", "late_areas"],
        "permits": ["barred_areas"],
        "movement": ["very_high"],
    }.items():
        for which in lists:
            assert set(values[name][which]) <= areas, (name, which)
    assert set(values["movement"]["high"]) <= areas | outside
    assert set(values["greenlane"]["places"]) <= outside
    assert set(values["permits"]["groups"]) == groups
    assert set(values["permits"]["barred_groups"]) | set(values["curfew"]["exempt_groups"]) <= groups
    assert set(values["curfew"]["areas"]) == areas  # every area has its hours
