"""Two rulebooks over the same evidence: who changes side, counted once and in every direction."""

import datetime as dt
import random
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from motma.core.errors import Conflict, Invalid
from motma.core.evidence import FIELDS, SPECIMEN, instant
from motma.core.facts import NOTHING_SEEN, Scanned
from motma.core.policy import Policy, laid_over, parse_policy
from motma.core.reasons import Outcome
from motma.core.rehearsal import MAX_EXAMPLES, Kind, Rehearsal, Report, Script, cast, changed, told, words_of
from motma.core.seen import keep
from motma.policies import DEFAULT, load_policy
from tests.core.test_seen import NOW

TODAY = tuple(load_policy(name) for name in DEFAULT)
WORDS = [["Lý do thử.", "A reason of a test."], ["Làm gì đó.", "Do something."]]


def a_policy(
    id: str = "curfew",
    holds: Any = None,
    *,
    verdict: str = "reject",
    affected: tuple[str, ...] = ("clock.minute",),
    well: dict[str, Any] | None = None,
    fails: dict[str, Any] | None = None,
    **changes: Any,
) -> Policy:
    """One rule: without ``holds``, nobody passes from 18:00 to midnight."""
    return parse_policy(
        {
            "id": id,
            "version": 1,
            "title": ["Thử", "Trial"],
            "valid_from": "2030-01-01T00:00:00Z",
            "valid_to": None,
            "rules": [
                {
                    "id": f"{id}.rule",
                    "affected": list(affected),
                    "holds": holds or {"<": [{"var": "clock.minute"}, 1080]},
                    "verdict": verdict,
                    "reason": f"{id}.why",
                    "words": WORDS[0],
                    "cure": WORDS[1],
                    "tests": [
                        {"about": "well", "evidence": well or {}, "holds": True},
                        {"about": "not", "evidence": fails or {"clock": {"minute": 1081}}, "holds": False},
                    ],
                }
            ],
            **changes,
        }
    )


def body(patch: dict[str, Any] | None = None, *, outcome: str = "accept", reasons: tuple[str, ...] = ()) -> bytes:
    """A scan as the store has it; of no ``patch``, one that kept nothing."""
    seen = NOTHING_SEEN
    if patch is not None:
        document = laid_over(patch)  # which takes away what is null, where a document has null
        parts = {part: document.get(part) for part in SPECIMEN if part != "now"}
        seen = keep({"now": document["now"]} | {part: held and _LEAVES[part] | held for part, held in parts.items()})
    what = Scanned("dev", "CB-01", "code", "", outcome, reasons, True, "", NOW, 0.0, seen=seen)
    return msgspec.json.encode(what)


_LEAVES = {part: {path.partition(".")[2]: None for path in FIELDS if path.startswith(f"{part}.")} for part in SPECIMEN}


def at(minute: int, checkpoint: str = "g04-ba-lang", area: str = "binh-chanh", **more: Any) -> dict[str, Any]:
    now = NOW.replace(day=19, hour=0) + dt.timedelta(minutes=minute, hours=-7)
    return {"now": instant(now), "clock": {"minute": minute}, "checkpoint": {"id": checkpoint, "area": area}, **more}


def played(script: Script, *bodies: bytes) -> Report:
    rehearsal = Rehearsal(script)
    for number, one in enumerate(bodies, 1):
        rehearsal.look(number, one)
    return rehearsal.report()


def table(**cells: int) -> list[int]:
    """``accept_reject=3`` …"""
    order = list(map(str, Outcome))
    counts = [0] * 16
    for name, n in cells.items():
        before, after = name.split("_")
        counts[4 * order.index(before) + order.index(after)] = n
    return counts


CURFEW = Script(today=TODAY, draft=(*TODAY, a_policy()))


def test_who_changes_side_by_reason_place_and_hour() -> None:
    report = played(
        CURFEW,
        body(at(600)),
        body(at(1100)),
        body(at(1100, "g07-vinh-binh", "thu-duc")),
        body(at(1200, declaration={"health": "symptoms"}), outcome="reject", reasons=("health.symptoms",)),
        body(at(1300, declaration={"health": "contact"}), outcome="manual", reasons=("health.contact",)),
    )
    assert (report.looked, report.judged, report.bare, report.idle) == (5, 5, 0, 0)
    assert report.sides == table(accept_accept=1, accept_reject=2, manual_reject=1, reject_reject=1)
    assert report.since_then == table(accept_accept=3, manual_manual=1, reject_reject=1) and report.changed == 3
    assert report.reworded == 1, "still stopped, now for two reasons"
    assert [(kind, changes.count) for kind, changes in report.kinds] == [
        (Kind(Outcome.ACCEPT, Outcome.REJECT, "curfew.why"), 2),
        (Kind(Outcome.MANUAL, Outcome.REJECT, "curfew.why"), 1),
    ]
    assert all(kind.stricter for kind, _ in report.kinds)
    assert report.areas == {
        "binh-chanh": table(accept_accept=1, accept_reject=1, manual_reject=1, reject_reject=1),
        "thu-duc": table(accept_reject=1),
    }
    assert report.checkpoints["g07-vinh-binh"] == table(accept_reject=1) and sum(map(sum, report.hours.values())) == 5
    assert {hour: changed(one) for hour, one in report.hours.items()} == {10: 0, 18: 2, 20: 0, 21: 1}


def test_what_becomes_milder_names_the_reason_that_is_gone() -> None:
    script = Script(today=TODAY, draft=cast(TODAY, [], without=("health",)))
    report = played(script, body(at(600, declaration={"health": "contact"})), body(at(600)))
    [(kind, changes)] = report.kinds
    assert (kind, kind.stricter) == (Kind(Outcome.MANUAL, Outcome.ACCEPT, "health.contact"), False)
    [(_, example)] = changes.drawn
    assert (example.before.reasons, example.after.reasons) == (("health.contact",), ())
    assert report.since_then == table(accept_accept=1, accept_manual=1), "what was said then is another matter"


def test_a_draft_counts_as_in_force_whenever_the_scan_was() -> None:
    assert CURFEW.draft[-1].valid_from > NOW
    assert played(CURFEW, body(at(1100))).changed == 1
    ended = replace(a_policy(), valid_from=NOW.replace(year=2000), valid_to=NOW.replace(year=2001))
    assert played(Script(today=TODAY, draft=(*TODAY, ended)), body(at(1100))).changed == 1


def test_scans_without_evidence_are_counted_and_never_guessed_at() -> None:
    newer = msgspec.json.encode(msgspec.json.decode(body(at(1100))) | {"seen": [2, "?"]})
    report = played(CURFEW, body(), body(reasons=("measure.none_active",)), newer, body(at(1100)))
    assert (report.looked, report.judged, report.idle, report.bare, report.changed) == (4, 1, 1, 2, 1)


def test_scans_of_before_read_as_they_are() -> None:
    """As version 0.1 wrote them: without ``live``, ``seen`` and whatever comes after."""
    old = (
        b'{"type":"scan.made","device":"d","officer":"o","carrier":"qid","code_id":"","outcome":"manual","reasons":'
        b'["standing.none"],"known":false,"refer_to":"","scanned_at":"2026-01-18T07:30:00Z","skew_seconds":0.0}'
    )
    assert played(CURFEW, old).bare == 1


def test_a_rule_without_a_value_is_counted_with_its_name() -> None:
    broken = _broken()
    report = played(
        Script(today=TODAY, draft=(*TODAY, broken)),
        body(at(600)),
        body(at(600, permit={"until": "2031-01-01T00:00:00.000Z"})),
    )
    assert report.failed == {"broken.rule": 1} and report.failed_today == {}
    [(kind, changes)] = report.kinds
    assert kind == Kind(Outcome.ACCEPT, Outcome.MANUAL, "rule.error")
    assert changes.drawn[0][1].after.failed == ("broken.rule",)
    swapped = played(Script(today=(*TODAY, broken), draft=TODAY), body(at(600)))
    assert (swapped.failed, swapped.failed_today) == ({}, {"broken.rule": 1})


def _broken() -> Policy:
    """It has a value only for who has a permit."""
    return a_policy(
        "broken",
        {"after": [{"plusTime": [{"var": "permit.until"}, 0, "day"]}, {"plusTime": [{"var": "now"}, 0, "day"]}]},
        affected=("permit.until", "now"),
        well={"permit": {"until": "2030-01-01T00:00:00Z"}},
        fails={"permit": {"until": "2020-01-01T00:00:00Z"}},
    )


@pytest.mark.parametrize("most", [0, 1, 3, MAX_EXAMPLES])
def test_examples_are_drawn_by_the_seed_and_by_nothing_else(most: int) -> None:
    numbered = [(n, body(at(1100, checkpoint=f"g{n:02}", area="a"))) for n in range(1, 60)]

    def drawn(seed: int, order: list[tuple[int, bytes]]) -> list[str]:
        rehearsal = Rehearsal(Script(today=TODAY, draft=CURFEW.draft, examples=most, seed=seed))
        for number, one in order:
            rehearsal.look(number, one)
        [(_, changes)] = rehearsal.report().kinds
        assert changes.count == 59
        return [example.checkpoint for _, example in changes.drawn]

    shuffled = random.Random(1).sample(numbered, len(numbered))
    assert drawn(7, numbered) == drawn(7, shuffled)
    assert len(drawn(7, numbered)) == len(set(drawn(7, numbered))) == most
    if most:
        assert len({tuple(drawn(seed, numbered)) for seed in range(9)}) > 1


def test_every_scan_has_the_same_chance_to_be_an_example() -> None:
    rehearsal = [Rehearsal(Script(today=TODAY, draft=CURFEW.draft, examples=1, seed=seed)) for seed in range(400)]
    one = body(at(1100))
    times = dict.fromkeys("abcd", 0)
    for place, number in zip("abcd", (3, 4, 5, 900), strict=True):
        one = body(at(1100, checkpoint=place))
        for each in rehearsal:
            each.look(number, one)
    for each in rehearsal:
        times[each.report().kinds[0][1].drawn[0][1].checkpoint] += 1
    assert all(60 <= n <= 140 for n in times.values()), times  # 100 each; p of a fair draw failing: 1e-5


def test_examples_point_to_nobody() -> None:
    minute = body(at(1107, declaration={"at": "2026-01-18T05:43:21.987Z"}))
    [(_, changes)] = played(CURFEW, minute).kinds
    [(_, example)] = changes.drawn
    text = msgspec.json.encode(example).decode()
    assert ":43" not in text and ":27" not in text and "987" not in text and "1107" not in text
    assert example.hour == "2026-01-19T11:00:00.000Z" and example.evidence["clock"]["minute"] == 1080
    assert example.evidence["declaration"]["at"] == "2026-01-18T05:00:00.000Z"


def test_a_draft_takes_the_place_of_its_name() -> None:
    names = list(DEFAULT)
    assert cast(TODAY, [replace(load_policy("health"), version=2)])[names.index("health")].version == 2
    assert [one.id for one in cast(TODAY, [a_policy()])] == [*names, "curfew"]
    swapped = [one.id for one in cast(TODAY, [a_policy()], replace="health")]
    assert swapped[names.index("health")] == "curfew" and "health" not in swapped
    assert [one.id for one in cast(TODAY, [], without=("proof", "health"))] == [
        name for name in names if name not in ("proof", "health")
    ]
    both = cast(TODAY, [a_policy(), a_policy("other")])
    assert [one.id for one in both[-2:]] == ["curfew", "other"]


def test_what_cannot_be_cast_is_said() -> None:
    for wrong, kind, code in (
        (lambda: cast(TODAY, [load_policy("health")], add=True), Conflict, "policy.clash"),
        (lambda: cast(TODAY, [a_policy()], replace="helth"), Invalid, "policy.unknown"),
        (lambda: cast(TODAY, [], without=("helth",)), Invalid, "policy.unknown"),
        (lambda: cast(TODAY, [a_policy(), a_policy("b")], replace="health"), Invalid, "rehearsal.one_draft"),
        (lambda: cast(TODAY, [], replace="health"), Invalid, "rehearsal.one_draft"),
        (lambda: cast(TODAY, [a_policy()], replace="health", add=True), Invalid, "rehearsal.one_draft"),
    ):
        with pytest.raises(kind) as error:
            wrong()
        assert error.value.code == code


def test_fields_and_words_of_what_is_different() -> None:
    assert CURFEW.fields == {"clock.minute"}
    assert Script(today=TODAY, draft=TODAY).fields == frozenset()
    assert words_of(CURFEW)["curfew.why"].en == "A reason of a test." and "rule.error" in words_of(CURFEW)


def test_told_to_programs_it_says_names() -> None:
    document = told(played(CURFEW, body(at(600)), body(at(1100))))
    assert document["sides"] == {"accept": {"accept": 1, "reject": 1}} and document["changed"] == 1
    assert document["hours"] == {"10": {"accept": {"accept": 1}}, "18": {"accept": {"reject": 1}}}
    [kind] = document["kinds"]
    assert (kind["before"], kind["after"], kind["reason"], kind["count"]) == ("accept", "reject", "curfew.why", 1)
    assert kind["examples"][0]["checkpoint"] == "g04-ba-lang"
    assert b'"count":1' in msgspec.json.encode(document)


def test_unreadable_policies_weigh_on_both_sides() -> None:
    report = played(replace(CURFEW, unreadable=True), body(at(600)), body(at(1100)))
    assert report.sides == table(manual_manual=1, manual_reject=1)
