"""What a platform sent itself: what became of it, and all of it given back as it was sent. Nobody else's is shown."""

from typing import Any

import msgspec

from motma.core.errors import Unavailable
from motma.core.form import Declaration, Form
from motma.core.ids import FactId
from motma.core.sent import as_sent
from motma.core.words import Words
from motma.services.afterwards import Sequel, declared_by, sequel
from motma.services.declare import correction_key
from motma.services.exchange.provenance import Sources
from motma.storage.keys import Secrets
from motma.storage.store import Store


class Became(msgspec.Struct, frozen=True):
    """What is so now of one declaration: ``corrected_by`` another of the same platform; ``disputed``: the fields that
    other sources say otherwise of the citizen."""

    sequel: Sequel
    corrected_by: FactId | None = None
    disputed: tuple[str, ...] = ()


class Afterwards:
    """The platform's second verb."""

    def __init__(self, store: Store, *, sources: Sources, secrets: Secrets, form: Form) -> None:
        self._store = store
        self._sources = sources
        self._secrets = secrets
        self._form = form

    async def of(self, declaration: FactId, *, source: str) -> Became:
        """What became of a declaration that ``source`` sent; :class:`Hidden` ``declaration.hidden`` otherwise."""
        became = await sequel(self._store, await declared_by(self._store, declaration, source, only=()))
        newer = await self._store.holder(correction_key(self._secrets, declaration))
        disputed: tuple[str, ...] = ()
        if became.match.fits:
            disputed = await self._sources.disputed_now(declaration, source, became.standing)
        return Became(became, FactId(newer) if newer else None, disputed)

    async def sent(self, declaration: FactId, *, source: str) -> dict[str, Any]:
        """Just what ``source`` sent, what the form does not know among it. Raises as :meth:`of` does."""
        fact = await declared_by(self._store, declaration, source, only=None)
        if fact.personal is None:
            raise Unavailable("storage.unavailable", Words("Chưa đọc được tờ khai.", "It cannot be read now."))
        return as_sent(msgspec.json.decode(fact.personal, type=Declaration), self._form)
