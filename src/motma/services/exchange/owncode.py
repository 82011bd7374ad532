"""The code that a platform may show for a declaration which it sent: its citizen's newest, whichever door issued it.

That is so once the platform's own declaration is known to be about the citizen. Until then a stranger may have sent it,
and it gets the codes of that declaration and no other.
"""

import msgspec

from motma.core.claims import Carrier
from motma.core.errors import Conflict, Unavailable
from motma.core.facts import Accepted, Fact, Holder, Issued, Standing
from motma.core.identity import Grade
from motma.core.ids import FactId, Qid
from motma.core.words import Words
from motma.services.afterwards import Sequel, declared_by, numbers_of, sequel
from motma.storage.store import Store

_THEIRS = (Grade.MATCHED, Grade.VOUCHED, Grade.REPAIRABLE)
"""Whose declaration leads to the citizen."""


class TheCode(msgspec.Struct, frozen=True):
    """A code as it is shown: ``qid`` is the number that its citizen goes by now, ``name`` what stands under it."""

    id: FactId
    text: str
    qid: Qid
    name: str


class OwnCode:
    """The platform's third verb."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def of(self, declaration: FactId, *, source: str) -> TheCode:
        """The code to show for a declaration that ``source`` sent.

        Raises :class:`Hidden` ``declaration.hidden`` for every other, :class:`Conflict` ``declaration.no_code`` for one
        that was refused.
        """
        declared = await declared_by(self._store, declaration, source, only=())
        if not isinstance(declared.what, Accepted):
            raise Conflict(
                "declaration.no_code",
                Words(
                    "Tờ khai này không được nhận nên không có mã. Sửa rồi gửi lại.",
                    "This declaration was refused, so it has no code. Mend it and send it again.",
                ),
            )
        became = await sequel(self._store, declared)
        id = await self._which(declared, became)
        fact = await self._store.fact(id) if id else None
        if fact is None or fact.personal is None or became.qid is None:
            raise Unavailable("storage.unavailable", Words("Chưa đọc được mã.", "The code cannot be read now."))
        holder = msgspec.json.decode(fact.personal, type=Holder)
        return TheCode(fact.id, holder.code, became.qid, holder.name)

    async def _which(self, declared: Fact, became: Sequel) -> FactId | None:
        standing = became.standing
        if standing and standing.code and became.match.fits and standing.grade in _THEIRS:
            return standing.code
        return await self._newest_of(declared, standing)

    async def _newest_of(self, declared: Fact, standing: Standing | None) -> FactId | None:
        """The newest code for a screen that was issued on the declaration itself, before a merge or since."""
        assert declared.qid  # it was accepted
        numbers, _ = await numbers_of(self._store, declared.qid)
        for number in reversed(numbers):
            facts = await self._store.facts_about(number, kinds=("code.issued",), newest_first=True)
            for fact in facts:
                what = fact.what
                plain = isinstance(what, Issued) and not what.live and what.carrier is Carrier.SCREEN
                if plain and isinstance(what, Issued) and what.declaration == declared.id:
                    return fact.id
        return None
