"""A circuit breaker: what failed several times in a row is left alone for a while, then tried by one.

No I/O and no clock: the caller says what time it is, in seconds of a clock that only goes forward.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Pass:
    """Leave to ask; given back with what came of it."""

    era: int


class Circuit:
    """Closed until ``failures`` questions in a row fail; then open for ``pause_seconds``; then one probe decides.

    What was asked before the circuit opened says nothing about the time after: its outcome is not counted.
    """

    def __init__(self, *, failures: int, pause_seconds: float) -> None:
        self._most, self._pause = failures, pause_seconds
        self._failed = 0
        self._opened_at: float | None = None
        self._probing = False
        self._era = 0

    @property
    def is_open(self) -> bool:
        """Whether the register counts as away."""
        return self._opened_at is not None

    def would_admit(self, now: float) -> bool:
        """Whether a question may be asked now."""
        return self._opened_at is None or (not self._probing and now - self._opened_at >= self._pause)

    def admit(self, now: float) -> Pass | None:
        """Leave to ask now, or ``None``. Every pass must come back by exactly one of the three below."""
        if not self.would_admit(now):
            return None
        if self._opened_at is not None:
            self._probing = True
            self._era += 1
        return Pass(self._era)

    def succeeded(self, given: Pass) -> bool:
        """An answer came. Returns whether that closed the circuit."""
        if given.era != self._era:
            return False
        healed = self._opened_at is not None
        self._failed, self._opened_at, self._probing = 0, None, False
        return healed

    def failed(self, given: Pass, now: float) -> bool:
        """No answer, or none that can be understood. Returns whether that opened the circuit, or kept it open."""
        if given.era != self._era:
            return False
        self._failed += 1
        if not self._probing and self._failed < self._most:
            return False
        self._opened_at, self._probing = now, False
        self._era += 1
        return True

    def abandoned(self, given: Pass) -> None:
        """Whoever asked went away before there was an answer; nothing is known, and the next may try."""
        if given.era == self._era:
            self._probing = False
