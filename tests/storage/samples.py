"""Facts to store: short to write, whole enough to be kept."""

import datetime as dt
import itertools
import os

from motma.core.facts import Accepted, DiversionOpened, Fact, Identified, Issued, Refused, Revoked, Scanned
from motma.core.flow import Diversion
from motma.core.identity import Grade
from motma.core.ids import FactId, Qid, new_fact_id, new_qid

NOW = dt.datetime(2026, 8, 1, 7, 30, tzinfo=dt.UTC)
KEY = bytes(range(32))
_micros = itertools.count()


def clock() -> dt.datetime:
    return NOW


def a_time() -> dt.datetime:
    """Later with every call."""
    return NOW + dt.timedelta(microseconds=next(_micros))


def a_qid() -> Qid:
    return new_qid(os.urandom(8))


def an_id(kind: str = "dcl") -> FactId:
    return new_fact_id(kind, NOW, os.urandom(10))


def accepted(
    qid: Qid, *, grade: Grade = Grade.MATCHED, personal: bytes | None = None, at: dt.datetime | None = None
) -> Fact:
    at = at or a_time()
    until = at + dt.timedelta(hours=72)
    what = Accepted(
        source="web",
        measure="msr_1",
        form="form-1",
        grade=grade,
        health="clear",
        route=("cau-rach-chiec", "cho-dem"),
        valid_from=at,
        valid_until=until,
    )
    return Fact(id=an_id(), at=at, actor="citizen", qid=qid, personal=personal, what=what)


def refused(qid: Qid | None = None) -> Fact:
    what = Refused(
        source="web",
        measure="msr_1",
        form="form-1",
        grade=Grade.REPAIRABLE,
        differing=("name",),
        how="tones",
        route=("cho-dem",),
    )
    return Fact(id=an_id(), at=a_time(), actor="citizen", qid=qid, what=what)


def identified(qid: Qid, declaration: FactId, grade: Grade = Grade.MATCHED) -> Fact:
    at = a_time()
    what = Identified(declaration=declaration, grade=grade, differing=(), valid_until=at + dt.timedelta(hours=72))
    return Fact(id=an_id("idc"), at=at, actor="worker", qid=qid, what=what)


def issued(qid: Qid, declaration: FactId) -> Fact:
    at = a_time()
    what = Issued(declaration=declaration, valid_until=at + dt.timedelta(hours=72), reissue=False)
    return Fact(id=an_id("cod"), at=at, actor="citizen", qid=qid, personal=b'{"text":"QR"}', what=what)


def revoked(qid: Qid) -> Fact:
    return Fact(id=an_id("rvk"), at=a_time(), actor="operator:1", qid=qid, what=Revoked(reason="infected"))


def scanned(qid: Qid | None, outcome: str = "accept", reasons: tuple[str, ...] = ()) -> Fact:
    at = a_time()
    what = Scanned(
        device="dev_1",
        officer="officer:1",
        carrier="qr",
        code_id="",
        outcome=outcome,
        reasons=reasons,
        known=True,
        refer_to="",
        scanned_at=at,
        skew_seconds=0.25,
    )
    return Fact(id=an_id("scn"), at=at, actor="officer:1", qid=qid, checkpoint="cho-dem", what=what)


def diverted() -> Fact:
    at = a_time()
    what = DiversionOpened(Diversion("cho-dem", None, at, "operator:1"))
    return Fact(id=an_id("dvn"), at=at, actor="operator:1", checkpoint="cho-dem", what=what)
