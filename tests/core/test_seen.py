"""What a scan keeps of its evidence is all that rules read, and nothing that names anybody."""

import datetime as dt
import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from motma.core.claims import Carrier, Claims, Worth
from motma.core.code import TrustedKey, VerifiedCode
from motma.core.decision import Rulebook, judge
from motma.core.evidence import FIELDS, LISTS, MOMENT, SPECIMEN, TEXT, TRUTH, WHOLE, AsOf, Evidence, document, instant
from motma.core.facts import Standing, Trip
from motma.core.flow import Checkpoint
from motma.core.identity import Grade
from motma.core.ids import FactId, Qid, fact_id_bytes, new_fact_id
from motma.core.seen import PLACES, coarse, keep, reader
from motma.core.words import Words
from motma.policies import DEFAULT, load_policy, load_rulebook
from tests.core.test_decision import KEY, NOW, VECTORS, evidence_of

WHOLE_AGAIN = reader()
PLACE = Checkpoint("g07-vinh-binh", Words("Vĩnh Bình", "Vinh Binh"), "gateway", "QL13", 10.8, 106.7, 1, 1, "thu-duc")
_ALWAYS = ("now", "clock", "measure", "code", "vehicle", "diversion", "as_of")
_MOMENTS = st.integers(0, 10**12).map(lambda ms: instant(NOW + dt.timedelta(milliseconds=ms)))


def _leaf(path: str) -> st.SearchStrategy[Any]:
    kind = FIELDS[path]
    leaf: st.SearchStrategy[Any]
    if isinstance(kind, frozenset):
        leaf = st.sampled_from(sorted(kind))
    else:
        kinds = {MOMENT: _MOMENTS, TRUTH: st.booleans(), TEXT: st.text(max_size=9), WHOLE: st.integers(0, 1439)}
        leaf = kinds[kind]
    return st.lists(leaf, max_size=3) if path in LISTS else leaf


@st.composite
def documents(draw: st.DrawFn) -> dict[str, Any]:
    """Any evidence document: parts that are not there are null, and a part that is there says something."""
    parts: dict[str, dict[str, Any]] = {}
    for path in FIELDS:
        part, _, leaf = path.partition(".")
        if leaf:
            certain = path in ("clock.minute", "diversion.open")
            value = draw(_leaf(path) if certain else st.none() | _leaf(path))
            parts.setdefault(part, {})[leaf] = value
    seen: dict[str, Any] = {"now": draw(_MOMENTS)}
    for part, held in parts.items():
        there = part in _ALWAYS or any(value is not None for value in held.values())
        seen[part] = held if there and (part in _ALWAYS or draw(st.booleans())) else None
    return seen


def again(seen: dict[str, Any], *paths: str) -> Any:
    kept = msgspec.json.decode(keep(seen))
    return (reader(paths) if paths else WHOLE_AGAIN)(kept)


@given(documents())
def test_it_is_the_same_document_again(seen: dict[str, Any]) -> None:
    assert again(seen) == seen


@given(documents())
def test_with_the_fields_that_rules_read_they_say_the_same(seen: dict[str, Any]) -> None:
    for names in (DEFAULT, *((name,) for name in DEFAULT)):
        book = load_rulebook(names)
        affected = {path for name in names for rule in load_policy(name).rules for path in rule.affected}
        some = again(seen, "code.problem", "diversion.open", *affected)
        assert judge(some, book) == judge(seen, book)


@pytest.mark.parametrize("case", json.loads(VECTORS.read_text("utf-8"))["cases"], ids=lambda case: case["about"])
def test_of_every_evidence_the_document_is_kept_whole(case: dict[str, Any]) -> None:
    for place in (PLACE, None):
        seen = document(evidence_of(case["evidence"]), place, NOW)
        assert again(seen) == seen


def test_a_rule_that_reads_a_whole_part_tells_one_that_is_not_there() -> None:
    seen = dict(SPECIMEN)
    assert again(seen, "declaration", "permit")["declaration"] == SPECIMEN["declaration"]
    assert again(seen, "declaration", "permit")["permit"] is None
    assert again({**seen, "declaration": None}, "declaration")["declaration"] is None


def test_every_field_has_a_place_and_no_place_ever_moves() -> None:
    assert set(PLACES) == set(FIELDS), "append the new field to PLACES, and take none away"
    assert " ".join(PLACES[:53]) == KEPT_IN_2026, "what was kept would be read as something else"


def test_what_was_kept_reads_as_it_did() -> None:
    kept = (
        b'[1,"2026-01-18T07:00:00.000Z",840,["stale"],"g04-ba-lang","gateway","binh-chanh",null,true,false,"live",true,'
        b'"accept","2026-01-18T06:00:00.000Z","2026-01-18T06:00:00.000Z","2026-01-21T06:00:00.000Z",true,false,false,'
        b'false,false,false,"matched","clear","2026-01-18T06:00:00.000Z","2026-01-18T06:00:00.000Z",'
        b'"2026-01-21T06:00:00.000Z","p80","quan-5","in",false,0,0,null,0,"motorbike"]'
    )
    assert WHOLE_AGAIN(msgspec.json.decode(kept)) == SPECIMEN
    assert bytes(keep(SPECIMEN)) == kept


def test_kept_before_a_field_was_it_reads_as_null_and_kept_after_it_is_passed_over() -> None:
    kept = msgspec.json.decode(keep(SPECIMEN))
    older = WHOLE_AGAIN(kept[: PLACES.index("as_of.status") + 1])
    assert older is not None and older["vehicle"] == {"kind": None, "green_lane": None}
    assert older["as_of"] == {**SPECIMEN["as_of"], "keys": SPECIMEN["now"], "rules": None}
    full = kept + [None] * (len(PLACES) + 1 - len(kept))
    assert WHOLE_AGAIN([*full, "a field of next year"]) == SPECIMEN
    assert WHOLE_AGAIN([2, *full[1:]]) is None, "another way of writing is not guessed at"


def test_nothing_of_a_person_is_kept() -> None:
    """From the one who can be told apart best: a code of their own, a standing, a trip in a named vehicle."""
    qid, name, plate = Qid("521322923144321717"), "Tạ Văn Thành", "a1b2c3d4" * 8
    id = new_fact_id("dcl", NOW, bytes(range(10)))
    claims = Claims(
        issuer="motma.test",
        code_id=fact_id_bytes(id),
        qid=qid,
        name=name,
        born="19760204",
        last_four="3999",
        measure="demo-hcmc",
        areas=("79",),
        vintage=2025,
        route=("g07",),
        worth=Worth.ACCEPT,
        status_index=77_123,
        carrier=Carrier.SCREEN,
        matched=True,
        issued=int(NOW.timestamp()),
        begins=int(NOW.timestamp()),
        expires=int(NOW.timestamp()) + 9,
        sex=None,
        holder_key=None,
    )
    standing = Standing(
        qid=qid,
        declaration=id,
        code=FactId("cod" + id[3:]),
        measure="demo-hcmc",
        grade=Grade.MATCHED,
        health="clear",
        route=("g07-vinh-binh",),
        declared_at=NOW,
        valid_from=NOW,
        valid_until=NOW,
        also=(Qid("137905842617309423"),),
        trip=Trip("go-vap", "p75", "truck", plate),
    )
    evidence = Evidence(VerifiedCode(claims, TrustedKey(bytes(8), KEY, "motma.test", NOW)), standing=standing)
    kept = bytes(keep(document(evidence, PLACE, NOW))).decode()
    told = (qid, "137905842617309423", name, "19760204", "1976", "3999", plate, id, id[4:], "77123", "motma.test")
    assert not [one for one in told if one in kept]
    assert "truck" in kept and "p75" in kept, "what rules read is there"


def test_only_fields_are_kept_whatever_else_a_document_says() -> None:
    code = {**SPECIMEN["code"], "name": "Tạ Văn Thành", "qid": "521322923144321717"}
    assert bytes(keep({**SPECIMEN, "code": code, "person": {"name": "Tạ Văn Thành"}})) == bytes(keep(SPECIMEN))


def test_cut_to_the_hour_it_points_to_nobody() -> None:
    seen = {**SPECIMEN, "now": "2026-01-18T07:41:12.345Z", "clock": {"minute": 881}}
    shown = coarse({**seen, "as_of": {**SPECIMEN["as_of"], "standing": "2026-01-18T07:41:12.345Z"}})
    assert (shown["now"], shown["clock"]["minute"]) == ("2026-01-18T07:00:00.000Z", 840)
    assert shown["as_of"]["standing"] == "2026-01-18T07:00:00.000Z" and shown["as_of"]["status"] is None
    assert shown["declaration"] == SPECIMEN["declaration"] and shown["permit"] is None


def test_a_verdict_says_what_it_was_judged_on() -> None:
    book = Rulebook([load_policy("health")])
    assert judge(SPECIMEN, book).seen is SPECIMEN
    ill: dict[str, Any] = {**SPECIMEN, "declaration": {**SPECIMEN["declaration"], "health": "symptoms"}}
    assert judge(ill, book).seen is ill and judge(ill, book).as_of == AsOf()


KEPT_IN_2026 = (
    "now clock.minute measure.by_hand checkpoint.id checkpoint.kind checkpoint.area code.problem code.verified"
    " code.plain code.liveness code.matched code.worth code.issued code.from code.until code.of_declaration"
    " code.superseded code.somebody_else code.check_again standing.revoked standing.suspended declaration.grade"
    " declaration.health declaration.at declaration.from declaration.until trip.origin trip.destination trip.direction"
    " diversion.open as_of.standing as_of.keys as_of.status as_of.rules vehicle.kind vehicle.green_lane reading.kind"
    " reading.trust permit.group permit.areas permit.from permit.until permit.revoked permit.problem certificate.kind"
    " certificate.good certificate.known certificate.fits certificate.at certificate.doses certificate.series"
    " certificate.test certificate.detected"
)
