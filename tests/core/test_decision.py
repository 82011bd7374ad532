"""Evidence, policies and a time in, exactly one verdict out, its reasons in order."""

import datetime as dt
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.decision import by_hand
from motma.core.claims import Carrier, Worth
from motma.core.code import Claims, TrustedKey, VerifiedCode
from motma.core.decision import decide, judge
from motma.core.evidence import SPECIMEN, AsOf, Evidence
from motma.core.facts import HealthEvent, Standing
from motma.core.flow import Advice
from motma.core.identity import Grade
from motma.core.ids import FactId, Qid, fact_id_bytes, new_fact_id
from motma.core.policy import laid_over
from motma.core.reasons import Outcome
from motma.core.words import Words
from motma.policies import DEFAULT, known_reasons, load_policy, load_rulebook

VECTORS = Path(__file__).resolve().parents[2] / "vectors" / "verdicts" / "verdicts.json"
DOCUMENTS = VECTORS.with_name("documents.json")
NOW = dt.datetime(2026, 1, 18, 7, 0, tzinfo=dt.UTC)
KEY = ec.derive_private_key(1, ec.SECP256R1()).public_key()
HOUR = dt.timedelta(hours=1)
DECLARATION = new_fact_id("dcl", NOW - HOUR, bytes(10))
WAITING = new_fact_id("dcl", NOW, bytes(10))
QID = Qid("521322923144321717")
ADVICE = Advice("i03-dinh-bo-linh", Words("Đinh Bộ Lĩnh", "Dinh Bo Linh"), 1_200)
PROBLEMS = ["code.not_ours", "code.unknown_key", "code.forged", "code.malformed", "code.of_the_future"]
ALL = load_rulebook()
ASKED = AsOf(standing=NOW, keys=NOW, rules=NOW)
WEIGHT = [Outcome.ACCEPT, Outcome.MANUAL, Outcome.REFER, Outcome.REJECT]


def seconds(hours: float) -> int:
    return int((NOW + hours * HOUR).timestamp())


def code_of(
    *,
    other: bool = False,
    waiting: bool = False,
    matched: bool = True,
    begins: float = -1,
    until: float = 72,
    worth: int = 0,
) -> VerifiedCode:
    claims = Claims(
        issuer="motma.test",
        code_id=bytes(16) if other else fact_id_bytes(WAITING if waiting else DECLARATION),
        qid=QID,
        name="Tạ Văn Thành",
        born="19760204",
        last_four="3999",
        measure="demo-hcmc",
        areas=(),
        vintage=2025,
        route=(),
        worth=Worth(worth),
        status_index=1,
        carrier=Carrier.SCREEN,
        matched=matched,
        issued=seconds(begins),
        begins=seconds(begins),
        expires=seconds(until),
        sex=None,
        holder_key=None,
    )
    return VerifiedCode(claims, TrustedKey(bytes(8), KEY, "motma.test", NOW - HOUR))


def standing_of(
    *,
    grade: str = "matched",
    health: Any = "clear",
    begins: float = -1,
    until: float = 72,
    revoked: bool = False,
    suspended: bool = False,
    waiting: dict[str, Any] | None = None,
    declaration: FactId = DECLARATION,
    events: Sequence[dict[str, Any]] = (),
) -> Standing:
    def reported(event: Any, begins: float = -1, until: float | None = None) -> HealthEvent:
        return HealthEvent(event, NOW + begins * HOUR, None if until is None else NOW + until * HOUR)

    return Standing(
        qid=QID,
        declaration=declaration,
        code=FactId("cod" + declaration[3:]),
        measure="demo-hcmc",
        grade=Grade(grade),
        health=health,
        route=(),
        declared_at=NOW - HOUR,
        valid_from=NOW + begins * HOUR,
        valid_until=NOW + until * HOUR,
        revoked=revoked,
        suspended=suspended,
        waiting=None if waiting is None else standing_of(**waiting, declaration=WAITING),
        events=tuple([reported(**event) for event in events]),
    )


def evidence_of(said: dict[str, Any]) -> Evidence:
    def times(given: dict[str, Any]) -> dict[str, Any]:
        return {{"from": "begins"}.get(name, name): value for name, value in given.items()}

    return Evidence(
        as_of=ASKED,
        code=code_of(**times(said["code"])) if "code" in said else None,
        problem=said.get("problem"),
        standing=standing_of(**times(said["standing"])) if "standing" in said else None,
        liveness=said.get("liveness", "static"),
        by_hand=frozenset(said.get("by_hand", ())),
        plain=said.get("plain", False),
        somebody_else=said.get("somebody_else", False),
        measure_active=said.get("measure_active", True),
        refer=ADVICE if "refer" in said else None,
    )


@pytest.mark.parametrize("case", json.loads(VECTORS.read_text("utf-8"))["cases"], ids=lambda case: case["about"])
def test_vectors(case: dict[str, Any]) -> None:
    verdict = decide(evidence_of(case["evidence"]), load_rulebook(tuple(case.get("policies", ()))), None, NOW)
    found = {
        "outcome": str(verdict.outcome),
        "reasons": [reason.code for reason in verdict.reasons],
        "known": verdict.known,
    }
    assert found == {name: case[name] for name in found}
    assert (verdict.refer is not None) == (case["outcome"] == "refer")


@pytest.mark.parametrize("case", json.loads(DOCUMENTS.read_text("utf-8"))["cases"], ids=lambda case: case["about"])
def test_vectors_of_documents(case: dict[str, Any]) -> None:
    """What the scanner's judge is held to as well."""
    verdict = judge(laid_over(case["evidence"]), load_rulebook(tuple(case["policies"])))
    found = {
        "outcome": str(verdict.outcome),
        "reasons": [reason.code for reason in verdict.reasons],
        "known": verdict.known,
        "failed": list(verdict.failed),
    }
    assert found == {"failed": [], **{name: case[name] for name in found if name in case}}


def test_the_vectors_lie_over_our_specimen() -> None:
    assert json.loads(DOCUMENTS.read_text("utf-8"))["specimen"] == SPECIMEN


def test_every_reason_has_a_vector() -> None:
    cases = [case for file in (VECTORS, DOCUMENTS) for case in json.loads(file.read_text("utf-8"))["cases"]]
    assert {code for case in cases for code in case["reasons"]} == set(known_reasons())


def test_reasons_have_words_in_both_languages() -> None:
    for code, reason in known_reasons().items():
        assert reason.code == code
        for words in (reason.words, reason.cure):
            assert words.vi and words.en and words.vi != words.en
            assert words.vi.endswith(".") and words.en.endswith(".")


codes = st.builds(
    code_of,
    other=st.booleans(),
    waiting=st.booleans(),
    worth=st.sampled_from([0, 1, 2]),
    matched=st.booleans(),
    begins=st.sampled_from([-2, 0, 1]),
    until=st.sampled_from([-1, 0, 1]),
)
waiting = st.fixed_dictionaries(
    {
        "grade": st.sampled_from(["pending", "repairable", "unidentified"]),
        "health": st.sampled_from(["clear", "contact", "symptoms"]),
        "begins": st.sampled_from([-2, 0, 1]),
        "until": st.sampled_from([-1, 0, 1]),
    }
)
event = st.fixed_dictionaries(
    {
        "event": st.sampled_from(["case", "contact", "ended"]),
        "begins": st.sampled_from([-2, 0, 1]),
        "until": st.none() | st.sampled_from([0, 1]),
    }
)
standings = st.builds(
    standing_of,
    events=st.lists(event, max_size=3, unique_by=lambda one: one["event"]),
    grade=st.sampled_from([str(grade) for grade in Grade]),
    health=st.sampled_from(["clear", "contact", "symptoms"]),
    begins=st.sampled_from([-2, 0, 1]),
    until=st.sampled_from([-1, 0, 1]),
    revoked=st.booleans(),
    suspended=st.booleans(),
    waiting=st.none() | waiting,
)
# A code either verified or had a problem; nobody has both.
shown = st.one_of(
    st.tuples(st.none() | codes, st.none()),
    st.tuples(st.none(), st.sampled_from(PROBLEMS)),
)


evidences = st.builds(
    lambda shown, **more: Evidence(shown[0], shown[1], as_of=ASKED, **more),
    shown,
    standing=st.none() | standings,
    liveness=st.sampled_from(["live", "static", "stale"]),
    by_hand=st.frozensets(st.sampled_from(["static", "stale"])),
    plain=st.booleans(),
    somebody_else=st.booleans(),
    refer=st.none() | st.just(ADVICE),
)
# Within a second of everything that begins or ends, to the millisecond.
moments = st.integers(-1000, 1000).map(lambda milliseconds: NOW + dt.timedelta(milliseconds=milliseconds))


@given(evidences, moments)
@settings(max_examples=1000, deadline=None)
def test_the_policies_say_what_was_written_by_hand(evidence: Evidence, now: dt.datetime) -> None:
    assert decide(evidence, ALL, None, now) == by_hand(evidence, now)


OWNERS = {rule.reason: name for name in DEFAULT for rule in load_policy(name).rules}


@given(
    evidences, st.lists(st.sampled_from(DEFAULT), min_size=1, unique=True).map(lambda on: sorted(on, key=DEFAULT.index))
)
@settings(max_examples=500, deadline=None)
def test_a_policy_switched_off_takes_only_its_own_reasons_away(evidence: Evidence, on: list[str]) -> None:
    every = [reason.code for reason in decide(evidence, ALL, None, NOW).reasons]
    some = [reason.code for reason in decide(evidence, load_rulebook(tuple(on)), None, NOW).reasons]
    assert some == [code for code in every if OWNERS.get(code, "code") in on]  # what was read belongs to "code"


@given(shown, st.none() | standings, st.booleans(), st.none() | st.just(ADVICE))
@settings(max_examples=500, deadline=None)
def test_any_evidence_has_exactly_one_verdict(
    given_code: tuple[VerifiedCode | None, str | None],
    standing: Standing | None,
    measure_active: bool,
    refer: Advice | None,
) -> None:
    code, problem = given_code
    evidence = Evidence(code, problem, standing, measure_active=measure_active, refer=refer, as_of=ASKED)
    verdict = decide(evidence, ALL, None, NOW)
    assert decide(evidence, ALL, None, NOW) == verdict
    weights = [WEIGHT.index(reason.outcome) for reason in verdict.reasons]
    assert weights == sorted(weights, reverse=True)
    assert len(set(verdict.reasons)) == len(verdict.reasons)
    assert verdict.outcome is (verdict.reasons[0].outcome if verdict.reasons else Outcome.ACCEPT)
    assert (verdict.refer is not None) == (verdict.outcome is Outcome.REFER)
    assert verdict.known or verdict.outcome is Outcome.MANUAL  # unknown is never invalid
    if not measure_active:
        assert verdict.outcome is Outcome.ACCEPT
    elif verdict.outcome is Outcome.ACCEPT:
        assert problem is None and refer is None
        assert standing is not None and standing.grade.is_sure and not standing.revoked
        assert standing.health_at(NOW) == "clear" and standing.valid_from <= NOW < standing.valid_until
        assert code is None or code.claims.matched or code.claims.code_id == fact_id_bytes(standing.declaration)


@given(standings, st.sampled_from(["revoked", "symptoms", "expired"]))
@settings(max_examples=100, deadline=None)
def test_nothing_bad_is_made_up_for(standing: Standing, bad: str) -> None:
    changes: dict[str, Any] = {
        "revoked": {"revoked": True},
        "symptoms": {"health": "symptoms"},
        "expired": {"valid_until": NOW},
    }[bad]
    worse = msgspec.structs.replace(standing, **changes)
    assert decide(Evidence(code=code_of(), standing=worse, as_of=ASKED), ALL, None, NOW).outcome is Outcome.REJECT
