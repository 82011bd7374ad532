"""Trust: the keys that sign here."""

import datetime as dt
from collections.abc import Callable

from cryptography.hazmat.primitives import serialization

from motma.core.cose import Signer
from motma.core.facts import Fact, KeyAdded, KeyPromoted
from motma.core.ids import new_fact_id
from motma.services.board import BoardReader
from motma.storage.store import Act, Store


class Trust:
    """The verb of who looks after the keys."""

    def __init__(
        self, *, store: Store, board: BoardReader, issuer: str, random: Callable[[int], bytes], key: Signer
    ) -> None:
        self._store = store
        self._board = board
        self._issuer = issuer
        self._random = random
        self._key = key

    async def begin(self, now: dt.datetime) -> None:
        """On an empty store, say which key signs."""
        if (await self._board.trust(now)).signing("code"):
            return
        point = self._key.public.public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)
        kid = self._key.kid.hex()
        what = (
            KeyAdded(kid, point.hex(), self._issuer, "code", True, now.replace(microsecond=0)),
            KeyPromoted(kid),
        )
        facts = tuple(
            Fact(id=new_fact_id("key", now, self._random(10)), at=now, actor="house", what=one) for one in what
        )
        await self._store.append(Act(facts=facts))
        self._board.forget()
