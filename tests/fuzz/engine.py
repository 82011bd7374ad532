"""The loop: take an input, change it, throw it at its target, keep it if it got somewhere new.

"Somewhere new" is an outcome never seen, or a line of the core never run: asked of every input where Python says so for
nothing (``sys.monitoring``, from 3.12), of one in sixteen before.
"""

import random
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import CodeType, FrameType
from typing import Any

from tests.fuzz.mutate import mutate
from tests.fuzz.targets import Target

SLOW_SECONDS = 1.0
"""Of processor time. No input of a QR code's size may cost more."""
_TRACED_ONE_IN = 16
_CORPUS_MAX = 2_000
_CORE = "/motma/core/"


@dataclass(frozen=True, slots=True)
class Failure:
    """An input that no decoder of ours may answer like this."""

    target: str
    data: bytes
    said: str
    where: str


@dataclass(slots=True)
class Run:
    """What came of fuzzing one target."""

    target: str
    executions: int = 0
    seconds: float = 0.0
    corpus: int = 0
    outcomes: set[str] = field(default_factory=set)
    failure: Failure | None = None


class Lines:
    """The lines of the core that were ever run."""

    def __init__(self) -> None:
        self.seen: set[tuple[CodeType, int]] = set()
        self.fresh = False

    def add(self, code: CodeType, line: int) -> None:
        if (code, line) not in self.seen:
            self.seen.add((code, line))
            self.fresh = True

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Says of each line that it ran; on 3.12 and later, once for each."""
        monitoring: Any = getattr(sys, "monitoring", None)
        if monitoring is None:
            yield
            return
        tool = monitoring.PROFILER_ID

        def on_line(code: CodeType, line: int) -> object:
            if _CORE in code.co_filename:
                self.add(code, line)
            return monitoring.DISABLE

        monitoring.use_tool_id(tool, "motma-fuzz")
        monitoring.restart_events()
        monitoring.register_callback(tool, monitoring.events.LINE, on_line)
        monitoring.set_events(tool, monitoring.events.LINE)
        try:
            yield
        finally:
            monitoring.set_events(tool, 0)
            monitoring.register_callback(tool, monitoring.events.LINE, None)
            monitoring.free_tool_id(tool)

    def trace(self, run: Callable[[], str]) -> str:
        """``run`` with every line told, the slow way."""

        def in_core(frame: FrameType, event: str, _: object) -> Any:
            if event == "line":
                self.add(frame.f_code, frame.f_lineno)
            return in_core

        def on_call(frame: FrameType, event: str, _: object) -> Any:
            return in_core if _CORE in frame.f_code.co_filename else None

        before = sys.gettrace()
        sys.settrace(on_call)
        try:
            return run()
        finally:
            sys.settrace(before)


class Fuzzer:
    """One target with what was learnt of it so far. The same seed and number of executions give the same inputs."""

    def __init__(self, target: Target, seed: int) -> None:
        self.target = target
        self.run = Run(target.name)
        self._lines = Lines()
        self._corpus = list(target.seeds) or [b""]
        self._inputs = _inputs(self._corpus, random.Random(f"{target.name} {seed}"))

    def go(self, seconds: float, executions: int = sys.maxsize) -> Run:
        """On, until the time or the number is up, or something is found."""
        run, lines, corpus = self.run, self._lines, self._corpus
        traces_all, began = hasattr(sys, "monitoring"), time.monotonic()
        before, last = run.seconds, run.executions + executions
        with lines.watched():
            for data in self._inputs:
                traced = traces_all or run.executions % _TRACED_ONE_IN == 0
                run.failure = _thrown(self.target, data, run, lines, traced)
                run.executions += 1
                run.seconds = before + time.monotonic() - began
                if run.failure:
                    run.failure = smallest(self.target, run.failure)
                    break
                if lines.fresh and len(corpus) < _CORPUS_MAX and data not in corpus:
                    corpus.append(data)
                lines.fresh = False
                if run.seconds - before >= seconds or run.executions >= last:
                    break
        run.corpus = len(corpus)
        return run


def _inputs(corpus: list[bytes], draw: random.Random) -> Iterator[bytes]:
    """The seeds as they are, then changed ones for ever; those that came last more often."""
    yield from list(corpus)
    while True:
        late = draw.random() < 0.3
        at = len(corpus) - 1 - draw.randrange(len(corpus) // 4 + 1) if late else draw.randrange(len(corpus))
        yield mutate(corpus[at], draw, corpus)


def _thrown(target: Target, data: bytes, run: Run, lines: Lines, traced: bool) -> Failure | None:
    started = time.process_time()
    try:
        by_hand = traced and not hasattr(sys, "monitoring")
        became = lines.trace(lambda: target.run(data)) if by_hand else target.run(data)
    except (Exception, RecursionError) as error:
        return Failure(target.name, data, _said(error), _where(error))
    took = time.process_time() - started
    if took > SLOW_SECONDS:
        return Failure(target.name, data, f"took {took:.1f} s", "slow")
    if became not in run.outcomes:
        run.outcomes.add(became)
        lines.fresh = True
    return None


def replay(target: Target, data: bytes) -> Failure | None:
    """Throw one input."""
    return _thrown(target, data, Run(target.name), Lines(), False)


def smallest(target: Target, failure: Failure, seconds: float = 10.0) -> Failure:
    """The shortest input found within ``seconds`` that fails at the same place."""
    ends, size = time.monotonic() + seconds, len(failure.data)
    while size:
        at = 0
        while at < len(failure.data) and time.monotonic() < ends:
            less = replay(target, failure.data[:at] + failure.data[at + size :])
            if less and less.where == failure.where:
                failure = less
            else:
                at += size
        size //= 2
    return failure


def _said(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"[:300]


def _where(error: BaseException) -> str:
    last = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__} at {last.filename.rpartition('/')[2]}:{last.lineno}"
