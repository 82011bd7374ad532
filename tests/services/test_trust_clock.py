"""Keys made while the clock was a year ahead."""

import datetime as dt
from pathlib import Path

from tests.services.test_trust import NOW, desk

AHEAD = NOW + dt.timedelta(days=365)


async def test_what_was_made_while_the_clock_was_ahead_neither_signs_nor_stands_in_the_way(tmp_path: Path) -> None:
    async with desk(tmp_path) as it:
        await it.trust.new(AHEAD)
        await it.trust.rotate(AHEAD)
        waits = await it.trust.new(AHEAD)
        rotated = await it.trust.rotate(NOW)
        assert rotated.added.not_before <= NOW and await it.signs() == rotated.added.kid != waits.added.kid
        assert (await it.trust.signer("code", NOW)).kid == rotated.kid
