"""Seal keys for tests: a ring that the test turns, as the secrets file is changed by a command."""

import os

from motma.storage.seal import SealKey
from tests.storage.samples import KEY


class TurningRing:
    """Key 1 is the tests' own; the others are made when the test turns it."""

    def __init__(self) -> None:
        self._keys: tuple[SealKey, ...] = (SealKey(1, KEY),)
        self.shown = self._keys
        """What servers see: the test may let them see it later."""

    def held(self) -> tuple[SealKey, ...]:
        return self.shown

    def look(self) -> tuple[SealKey, ...]:
        self.shown = self._keys
        return self.shown

    def set(self, *keys: SealKey) -> None:
        """The keys are these now; who does not look does not know."""
        self._keys = keys

    def turn(self) -> SealKey:
        """Add an active key."""
        new = SealKey(self._keys[-1].number + 1, os.urandom(32))
        self.set(*self._keys, new)
        return new

    def drop(self) -> None:
        """Throw away all but the newest."""
        self.set(self._keys[-1])
