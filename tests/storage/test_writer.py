"""Group commit: the pure plan, and the queue before the database."""

import asyncio
from collections.abc import Callable, Sequence

import pytest

from motma.core.errors import Invalid, Unavailable
from motma.core.fold import fold
from motma.storage import writer as writer_module
from motma.storage.acts import Act, Already, Appended, Outcome, Prepared, Row, Seal, prepare, standing_row
from motma.storage.engine import Loaded, Rows, Unwritable, Wanted, unavailable
from motma.storage.statements import Query
from motma.storage.writer import Writer, plan, wanted
from tests.storage.samples import KEY, NOW, a_qid, accepted, issued, scanned

_seal = Seal(KEY)


def _prepared(*acts: Act) -> list[Prepared]:
    return [prepare(act, _seal, NOW) for act in acts]


def _nothing(**known: object) -> Loaded:
    return Loaded(**{"last_seq": 0, "facts": set(), "once": {}, "standing": {}, "histories": {}} | known)  # type: ignore[arg-type]


def test_plan_numbers_facts_and_folds_on() -> None:
    qid = a_qid()
    before, now = accepted(qid), accepted(qid)
    code, scan = issued(qid, now.id), scanned(qid)
    stored = standing_row(fold([before]), 7)[-1]  # type: ignore[arg-type]
    made = plan(_prepared(Act((now, code)), Act((scan,))), _nothing(last_seq=9, standing={qid: stored}))
    assert [row[:2] for row in made.rows.facts] == [(10, now.id), (11, code.id), (12, scan.id)]
    assert made.rows.standing == [standing_row(fold([before, now, code]), 11)]  # type: ignore[arg-type]
    assert made.outcomes == [Appended(), Appended()]


def test_plan_writes_no_standing_for_a_scan() -> None:
    qid = a_qid()
    stored = standing_row(fold([accepted(qid)]), 1)[-1]  # type: ignore[arg-type]
    made = plan(_prepared(Act((scanned(qid),)), Act((scanned(None),))), _nothing(last_seq=1, standing={qid: stored}))
    assert made.rows.standing == []
    assert made.rows.tally == [("cho-dem", made.rows.tally[0][1], "scanned", "accept", 2)]


def test_an_act_that_is_already_leaves_no_trace_for_the_next() -> None:
    fact, other = accepted(a_qid()), accepted(a_qid())
    acts = _prepared(Act((fact,), ((b"k", "mine"), (b"new", "mine"))), Act((fact, other), ((b"new", "yours"),)))
    made = plan(acts, _nothing(once={b"k": "theirs"}))
    assert made.outcomes == [Already(frozenset(), {b"k": "theirs"}), Appended()]
    assert made.rows.once == [(b"new", "yours")]
    assert [row[0] for row in made.rows.facts] == [1, 2]


def test_plan_wants_what_it_judges_by() -> None:
    qid = a_qid()
    fact = accepted(qid)
    assert wanted(_prepared(Act((fact, scanned(qid)), ((b"k", "v"),)))).once == [b"k"]
    assert wanted(_prepared(Act((fact, scanned(None))))).standing == [qid]


class _Engine:
    """A database that commits when told to."""

    def __init__(self) -> None:
        self.batches: list[int] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.fail: Exception | None = None
        self.poison: str | None = None

    async def commit(self, wanted: Wanted, plan: Callable[[Loaded], Rows]) -> None:
        self.batches.append(len(wanted.facts))
        await self.gate.wait()
        if self.fail:
            raise self.fail
        plan(_nothing())
        if self.poison in wanted.facts:
            raise Unwritable

    async def read(self, query: Query, *arguments: object) -> Sequence[Row]:
        raise NotImplementedError

    scan = read

    async def close(self) -> None:
        pass


def _one() -> Prepared:
    return _prepared(Act((scanned(None),)))[0]


async def test_what_arrives_meanwhile_is_the_next_batch() -> None:
    engine = _Engine()
    writer = Writer(engine)
    engine.gate.clear()
    first = asyncio.create_task(writer.append(_one()))
    await asyncio.sleep(0.01)
    rest = [asyncio.create_task(writer.append(_one())) for _ in range(5)]
    await asyncio.sleep(0.01)
    assert engine.batches == [1]
    engine.gate.set()
    assert await asyncio.gather(first, *rest) == [Appended()] * 6
    assert engine.batches == [1, 5]


async def test_batches_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer_module, "BATCH_ACTS", 4)
    engine = _Engine()
    writer = Writer(engine)
    await asyncio.gather(*(writer.append(_one()) for _ in range(10)))
    assert engine.batches == [4, 4, 2]


async def test_a_full_queue_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer_module, "QUEUE_ACTS", 3)
    engine = _Engine()
    writer = Writer(engine)
    engine.gate.clear()
    taken = [asyncio.create_task(writer.append(_one())) for _ in range(3)]
    await asyncio.sleep(0)
    with pytest.raises(Unavailable, match=r"storage\.busy"):
        await writer.append(_one())
    engine.gate.set()
    assert await asyncio.gather(*taken) == [Appended()] * 3
    assert await writer.append(_one()) == Appended()


async def test_a_failed_batch_fails_alone() -> None:
    engine = _Engine()
    writer = Writer(engine)
    engine.fail = unavailable()
    failed = await asyncio.gather(*(writer.append(_one()) for _ in range(3)), return_exceptions=True)
    assert [type(error) for error in failed] == [Unavailable] * 3
    assert len({id(error) for error in failed}) == 3
    engine.fail = None
    assert await writer.append(_one()) == Appended()


async def test_a_poisoned_act_does_not_take_its_neighbours_down() -> None:
    engine = _Engine()
    writer = Writer(engine)
    acts = [_one() for _ in range(9)]
    engine.poison = acts[5].act.facts[0].id
    answers: list[Outcome | BaseException] = await asyncio.gather(*map(writer.append, acts), return_exceptions=True)
    assert isinstance(answers.pop(5), Invalid)
    assert answers == [Appended()] * 8


async def test_a_closed_writer_takes_nothing() -> None:
    writer = Writer(_Engine())
    await writer.close()
    with pytest.raises(Unavailable):
        await writer.append(_one())
