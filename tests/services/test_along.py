"""What a person shows along with their code: read, said in words, recorded by kind and worth, never who somebody is."""

import datetime as dt
import itertools
import json
import zlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from motma.core import base45
from motma.core.cose import ES256
from motma.core.decision import Rulebook
from motma.core.facts import Companion, Scanned
from motma.core.ids import FactId, parse_qid
from motma.core.legacy.dcc_anchors import parse_dcc_anchors
from motma.core.legacy.reading import Anchors
from motma.core.permit import Signatory, text_of
from motma.core.permit.form import Asked
from motma.core.policy import parse_policy
from motma.core.text import fold
from motma.policies import load_policy
from motma.register.population import Person
from motma.services.along import Along, read_along
from motma.services.gather import Deciding
from tests.core.ministry import KEY, OTHER, RSA, TEST, VACCINATION, certificate, cwt, issue, pack
from tests.services.test_shown import card
from tests.world import BEGINNING, World, living_world

SIGNER = certificate(KEY, since=BEGINNING - dt.timedelta(days=900), until=BEGINNING + dt.timedelta(days=400))
(ANCHOR,) = parse_dcc_anchors(SIGNER.public_bytes(Encoding.DER))
DOSE = {**VACCINATION, "dt": "2025-12-20"}


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    """A world that knows who signs health certificates."""
    (tmp_path / "signers.pem").write_bytes(SIGNER.public_bytes(Encoding.PEM))
    async with living_world(tmp_path, dcc_signers=tmp_path / "signers.pem") as world:
        yield world


def dcc(person: Person, *, key: Any = KEY, kid: bytes = ANCHOR.kid, days: int = 30, **content: Any) -> str:
    """A certificate of this person that was made a month ago, and counts for a year from ``days`` ago."""
    family, given = person.name.split(" ", 1)
    names = {"fn": family, "gn": given, "fnt": fold(family).replace(" ", "<"), "gnt": fold(given).replace(" ", "<")}
    made = {"ver": "1.3.0", "nam": names, "dob": person.birth_date.isoformat(), "v": [DOSE], **content}
    begins = int((BEGINNING - dt.timedelta(days=days)).timestamp())
    algorithm = ES256 if key is not RSA else -37
    claims = cwt({name: value for name, value in made.items() if value}, iat=begins, exp=begins + 365 * 86_400)
    return pack(issue(claims, key=key, headers={1: algorithm, 4: kid}))


async def code_of(world: World, n: int = 0, **changes: Any) -> str:
    code = (await world.declare(world.person(n), **changes)).json()["code"]
    assert isinstance(code, str)
    return code


async def recorded(world: World, answer: dict[str, Any]) -> Scanned:
    fact = await world.built.store.fact(FactId(answer["id"]))
    assert fact is not None and isinstance(fact.what, Scanned)
    return fact.what


async def test_a_certificate_is_read_and_said_to_be_theirs(world: World) -> None:
    person = world.person(0)
    code, text = await code_of(world), dcc(world.person(0))
    answer = (await world.check(code=code, also=[text])).json()
    alone = (await world.check(code=code)).json()
    assert (answer["outcome"], answer["reasons"], answer["citizen"]) == (
        alone["outcome"],
        alone["reasons"],
        alone["citizen"],
    )
    [said] = answer["along"]
    assert (said["kind"], said["worth"], said["fits"]) == ("dcc", "good", True)
    assert said["words"] == {
        "vi": "Chứng nhận tiêm chủng: Chữ ký đúng, do VN ký. Đúng tên và ngày sinh.",
        "en": "Vaccination certificate: The signature holds; signed by VN. Name and birth date fit.",
    }
    scan = await recorded(world, answer)
    assert scan.along == (Companion("dcc", "good"),) and len(scan.along_mark) == 16
    assert alone["along"] == [] and (await recorded(world, alone)).along_mark == ""
    fact = await world.built.store.fact(FactId(answer["id"]))
    kept = repr(fact) + json.dumps(answer["along"], ensure_ascii=False)
    for secret in (person.name, person.birth_date.isoformat(), text[:30], "URN:UVCI", "2025-12-20"):
        assert secret not in kept.replace(repr(answer["citizen"]), "")


async def test_a_typed_number_too(world: World) -> None:
    qid = (await world.declare(world.person(0))).json()["qid"]
    [said] = (await world.check(qid=qid, also=[dcc(world.person(0))])).json()["along"]
    assert said["fits"] is True


async def test_certificates_that_are_not_to_be_believed(world: World) -> None:
    code, me = await code_of(world), world.person(0)
    brother = next(
        person
        for person in map(world.person, range(1, 500))
        if person.name.split(" ")[0] == me.name.split(" ")[0] and person.name != me.name
    )
    cases = [
        (dcc(brother), "good", False, "Tên hoặc ngày sinh khác"),
        (dcc(brother, dob=me.birth_date.isoformat()), "good", False, "Tên hoặc ngày sinh khác"),
        (dcc(me, dob="1901-01-01"), "good", False, "Tên hoặc ngày sinh khác"),
        (dcc(me, key=OTHER), "broken", True, "làm giả"),
        (dcc(me, key=OTHER, kid=b"unheard."), "unknown", True, "chưa biết khóa"),
        (dcc(me, key=RSA, kid=b"unheard."), "unknown", True, "chưa biết khóa"),
        (dcc(me, days=80 + 365), "broken", True, "đã hết hạn"),
        (dcc(me, days=-1), "broken", True, "chưa đến ngày dùng"),
        (dcc(me, v=[{**DOSE, "dn": 0}]), "broken", True, "không đúng quy cách"),
        (dcc(me, v=None, t=[{**TEST, "sc": "2026-01-17T07:30:00+07:00"}]), "good", True, "xét nghiệm"),
    ]
    for text, worth, fits, words in cases:
        answer = await world.check(code=code, also=[text])
        [said] = answer.json()["along"]
        assert (said["worth"], said["fits"]) == (worth, fits), said
        assert words in said["words"]["vi"] and said["words"]["en"], said
        assert (await recorded(world, answer.json())).along == (Companion("dcc", worth),)


async def test_what_is_no_certificate_is_said_to_be_what_it_is(world: World) -> None:
    code = await code_of(world)
    bomb = "HC1:" + base45.encode(zlib.compress(bytes(5_000_000), 9))
    assert len(bomb) < 10_000
    for text, kind, worth in (
        (bomb, "unknown", "unknown"),
        ("HC1:", "unknown", "unknown"),
        ("HC1:" + "0" * 9_000, "unknown", "unknown"),
        ("hello", "unknown", "unknown"),
        ("\x00\u202e", "unknown", "unknown"),
        (card(world.person(0)), "cccd", "plain"),
    ):
        answer = await world.check(code=code, also=[text])
        assert answer.status_code == 200, answer.text
        [said] = answer.json()["along"]
        assert (said["kind"], said["worth"], said["fits"]) == (kind, worth, None)
        assert all(said["words"].values())
        assert (await recorded(world, answer.json())).along == (Companion(kind, worth),)


async def test_two_of_them_in_their_order(world: World) -> None:
    code, me = await code_of(world), world.person(0)
    answer = (await world.check(code=code, also=[card(me), dcc(me)])).json()
    assert [said["kind"] for said in answer["along"]] == ["cccd", "dcc"]


async def test_what_rules_and_permits_get_of_it(world: World) -> None:
    me, other = world.person(0), world.person(1)
    keyring = await world.built.board.keyring(world.now)
    anchors = Anchors(ours=keyring, dcc=(ANCHOR,))

    async def shown(*texts: str) -> Along:
        citizens = world.built.citizens
        return await read_along(texts, first=None, qid=None, anchors=anchors, citizens=citizens, now=world.now)

    both = await shown(dcc(other), dcc(me))
    assert both.others == ()
    for whose in (me, other):
        found = both.certificate((whose.name, whose.birth_date))
        assert found and found[1] and fold(found[0].name[0]) == fold(whose.name.split(" ")[0])
    nobodys = both.certificate(None)
    assert nobodys and nobodys[0].good and not nobodys[1]
    permit = await shown("GDD1|whatever", dcc(me))
    assert [text for text, _ in permit.others] == [permit.permit] == ["GDD1|whatever"]
    assert permit.reading == ("dcc", "good")
    other_text = await shown("hello")
    assert other_text.certificate((me.name, me.birth_date)) is None and other_text.permit is None


ASKS_FOR_A_CERTIFICATE = parse_policy(
    {
        "id": "certificate",
        "version": 1,
        "title": ["Chứng nhận", "Certificate"],
        "valid_from": "2021-01-01T00:00:00+07:00",
        "valid_to": None,
        "rules": [
            {
                "id": "certificate.good",
                "affected": ["certificate.good", "certificate.fits", "certificate.doses"],
                "holds": {
                    "and": [
                        {"var": "certificate.good"},
                        {"var": "certificate.fits"},
                        {">=": [{"var": "certificate.doses"}, 2]},
                    ]
                },
                "verdict": "reject",
                "reason": "certificate.none",
                "words": ["Cần chứng nhận tiêm chủng.", "A vaccination certificate is needed."],
                "cure": ["Mời đưa giấy để quét.", "Ask for the paper and scan it."],
                "tests": [
                    {"about": "none", "evidence": {"certificate": None}, "holds": False},
                    {
                        "about": "two doses",
                        "evidence": {"certificate": {"good": True, "fits": True, "doses": 2}},
                        "holds": True,
                    },
                ],
            },
            {
                "id": "reading.no_card",
                "affected": ["reading.kind", "reading.trust"],
                "holds": {"!": [{"===": [{"var": "reading.kind"}, "bhyt"]}]},
                "verdict": "manual",
                "reason": "reading.bhyt",
                "words": ["Thẻ BHYT.", "An insurance card."],
                "cure": ["Xem thẻ.", "Look at it."],
                "tests": [
                    {"about": "none", "evidence": {}, "holds": True},
                    {"about": "one", "evidence": {"reading": {"kind": "bhyt", "trust": "plain"}}, "holds": False},
                ],
            },
        ],
    }
)
BHYT = "GD4797912345678|4e677579e1bb856e|18/01/1987|2|48e1bb93|79 - 024|01/01/2021|31/12/2021|0"


async def test_a_verdict_rests_on_what_is_shown_along(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    gather = world.built.house.check._gather
    book = Rulebook([load_policy("code"), ASKS_FOR_A_CERTIFICATE])

    async def rules(now: dt.datetime) -> Deciding:
        return lambda names, at: book

    monkeypatch.setattr(gather, "_rules", rules)
    code, me = await code_of(world), world.person(0)

    async def verdict(*also: str, **shown: str) -> tuple[str, list[str]]:
        answer = (await world.check(**(shown or {"code": code}), also=list(also))).json()
        return answer["outcome"], [why["code"] for why in answer["reasons"]]

    refused = ("reject", ["certificate.none"])
    assert await verdict() == refused
    assert await verdict(dcc(me)) == ("accept", [])
    assert await verdict(dcc(world.person(1))) == refused
    assert await verdict(dcc(me, v=[{**DOSE, "dn": 1}])) == refused
    assert await verdict(dcc(me, key=OTHER)) == await verdict(dcc(me, key=OTHER, kid=b"unheard.")) == refused
    assert await verdict(dcc(world.person(1)), dcc(me)) == ("accept", [])
    assert await verdict(dcc(me), BHYT) == ("accept", []), "the first one shown is the reading"
    assert await verdict(BHYT, dcc(me)) == ("manual", ["reading.bhyt"])
    assert await verdict(code=BHYT) == ("reject", ["certificate.none", "code.other_kind", "reading.bhyt"])


async def test_a_permit_shown_along(world: World) -> None:
    permits, code = world.built.house.permits, await code_of(world)
    texts = []
    for n in (0, 1):
        person = world.person(n)
        qid = parse_qid((await world.declare(person)).json()["qid"])
        asked = Asked(
            group="3A",
            areas=(),
            valid_from=world.now - dt.timedelta(days=1),
            valid_until=world.now + dt.timedelta(days=9),
            signed_by=Signatory("city"),
            qid=qid,
        )
        granted = await permits.grant(await permits.resolve(asked, world.now), by="test", now=world.now)
        texts.append(text_of((await permits.one(granted.id))[0]))
    mine, borrowed = texts
    for text, worth, words in (
        (mine, "good", "đúng như đã cấp"),
        (borrowed, "broken", "của người khác"),
        (mine.replace("|3A|", "|5|"), "broken", "đã bị sửa"),
        ("GDD1|", "broken", "không được cấp"),
    ):
        answer = (await world.check(code=code, also=[text, dcc(world.person(0))])).json()
        said, certificate = answer["along"]
        assert (said["kind"], said["worth"], said["fits"]) == ("permit", worth, None)
        assert words in said["words"]["vi"] and said["words"]["en"] and certificate["fits"]
        assert (await recorded(world, answer)).along == (Companion("permit", worth), Companion("dcc", "good"))
    [said] = (await world.check(code="hello", also=[mine])).json()["along"]
    assert (said["kind"], said["worth"]) == ("permit", "unknown")


async def test_what_must_not_be_shown_along_is_an_error_in_words_and_nothing_is_written(world: World) -> None:
    code, other = await code_of(world), await code_of(world, 1)
    twin = (await world.declare(world.person(0))).json()["code"]
    qid = (await world.declare(world.person(1))).json()["qid"]
    old = f"{world.person(1).documents[0].number}|X Y|1976-02-04|0|{qid}|<1<00<0900000000"
    before = world.rows()["facts"]
    certificates = [dcc(world.person(n)) for n in range(10)]
    for also, problem in (
        (certificates, "check.along_many"),
        (certificates[:3], "check.along_many"),
        (["0" * 10_001], "check.along_long"),
        ([code], "check.along_twice"),
        ([code + "\r\n"], "check.along_twice"),
        ([certificates[0], certificates[0] + " "], "check.along_twice"),
        ([twin], "check.along_ours"),
        ([certificates[0], twin], "check.along_ours"),
        ([other], "check.along_somebody_else"),
        ([certificates[0], other], "check.along_somebody_else"),
        ([old], "check.along_somebody_else"),
        ([card(world.person(1))], "check.along_somebody_else"),
        ([card(world.person(2))], "check.along_somebody_else"),
    ):
        answer = await world.check(code=code, also=also)
        assert (answer.status_code, answer.json()["code"]) == (422, problem)
        assert all(answer.json()["words"].values())
    assert world.rows()["facts"] == before
    for wrong in ("text", {}, [1], [None], [["x"]]):
        answer = await world.check(code=code, also=wrong)
        assert (answer.status_code, answer.json()["code"]) == (422, "body.malformed")
    assert (await world.check(code=code, also=["0" * 70_000])).status_code == 413


async def test_a_card_shown_along_says_of_nobody_whether_they_ever_declared(world: World) -> None:
    code, _ = await code_of(world), await code_of(world, 1)
    first = (await world.check(code=code)).json()["id"]
    for more in ({}, {"id": first}):
        known, unknown = [await world.check(code=code, also=[card(world.person(n))], **more) for n in (1, 2)]
        assert known.status_code == unknown.status_code == 422 and known.json() == unknown.json()


async def test_where_nobody_is_named_a_code_of_ours_is_to_be_scanned_first(world: World) -> None:
    answer = await world.check(code=dcc(world.person(0)), also=[await code_of(world)])
    assert (answer.status_code, answer.json()["code"]) == (422, "check.along_ours")
    answer = await world.check(code="hello", also=[dcc(world.person(0))])
    [said] = answer.json()["along"]
    assert (said["worth"], said["fits"]) == ("good", None)


async def test_the_same_scan_again_is_the_same_and_with_another_paper_another(world: World) -> None:
    code, me = await code_of(world), world.person(0)
    mine, tested = dcc(me), dcc(me, v=None, t=[{**TEST, "sc": "2026-01-17T07:30:00+07:00"}])
    first = (await world.check(code=code, also=[mine])).json()
    again = (await world.check(code=code, also=[mine], id=first["id"])).json()
    assert again == {**first, "already": True}
    before = world.rows()["facts"]
    for also in ([], [tested], [mine, tested], [tested, mine], [mine + " "]):
        answer = await world.check(code=code, also=also, id=first["id"])
        assert (answer.status_code, answer.json()["code"]) == (409, "scan.id_taken")
    alone = (await world.check(code=code)).json()
    assert (await world.check(code=code, also=[mine], id=alone["id"])).status_code == 409
    assert world.rows()["facts"] == before + 1


async def test_the_mark_of_one_scan_is_like_no_others(world: World) -> None:
    code, text = await code_of(world), dcc(world.person(0))
    scans = [await recorded(world, (await world.check(code=code, also=[text])).json()) for _ in range(3)]
    for one, other in itertools.pairwise(scans):
        assert one.along_mark != other.along_mark


async def test_a_certificate_alone_says_what_it_is_about(world: World) -> None:
    me = world.person(0)
    answer = (await world.check(code=dcc(me))).json()
    [why] = answer["reasons"]
    assert (answer["outcome"], why["code"], answer["citizen"]) == ("manual", "code.other_kind", None)
    assert why["words"]["vi"] == "Đây là mã loại khác: Hộ chiếu vắc-xin (mẫu EU), chứng nhận tiêm chủng."
    assert why["cure"]["vi"] == "Chữ ký đúng, do VN ký." and answer["along"] == []


async def test_without_a_list_of_signers_every_certificate_is_unknown(tmp_path: Path) -> None:
    async with living_world(tmp_path) as world:
        [said] = (await world.check(code=await code_of(world), also=[dcc(world.person(0))])).json()["along"]
        assert (said["worth"], said["fits"]) == ("unknown", True)
        assert "chưa biết khóa" in said["words"]["vi"]
