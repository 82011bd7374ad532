"""A new seal key takes the place of the old ones, while servers serve.

1. The new key is put in the secrets file, and waits: on disk before anything is sealed with it.
2. It is made active: within a second every server on this file seals with it.
3. The database is told. From this commit on nothing more is written under an older key, by whatever server: an act that
   was sealed before and comes after is sealed again (:func:`motma.storage.writer.plan`).
4. What older keys sealed is sealed anew, some hundred rows in one transaction, each only if it is still as it was read.
5. When nothing is left under them, the older keys are thrown away; readers who had such a row in hand read it again.

Killed at any moment, everything can be read; the next rotation does the rest of this one.
"""

from collections.abc import Callable
from datetime import datetime

import msgspec

from motma.storage.keys import Chest
from motma.storage.store import Store


class Rotated(msgspec.Struct, frozen=True):
    """What came of it: the key that seals, whether it was there before (an interrupted rotation was finished), and by
    number of key how many rows could not be sealed anew; if any, their keys were not thrown away."""

    newest: int
    resumed: bool
    left: dict[int, int]


async def rotate(
    chest: Chest,
    store: Store,
    now: datetime,
    *,
    keep_old: bool = False,
    tell: Callable[[int, int], None] = lambda looked, total: None,
) -> Rotated:
    """Let the waiting seal key seal, or a new one; seal everything anew; throw away the older keys, or ``keep_old``.

    ``store`` must be on the ring of ``chest``. ``tell`` hears how many facts were looked at, of how many. Raises
    :class:`Unavailable` when the database or the file is away for long: do it again then.
    """
    keys = chest.ring.look()
    resumed = [one.state for one in keys].count("active") > 1
    if not resumed:
        if keys[-1].state != "waiting":
            chest.add_seal_key(now)
        chest.activate_seal_key()
    await store.claim_seals()
    newest = [one for one in chest.ring.held() if one.state == "active"][-1].number
    async for looked, total in store.reseal():
        tell(looked, total)
    left = {number: rows for number, rows in (await store.sealed_by()).items() if number < newest}
    if not left:
        chest.settle_seal_keys(newest, keep=keep_old)
    return Rotated(newest, resumed, left)
