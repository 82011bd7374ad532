"""What an officer compares with the document in somebody's hand, and nothing else of what a code's fact holds."""

import datetime as dt

import msgspec

from motma.core.ids import FactId
from motma.storage.store import Store


class Face(msgspec.Struct, frozen=True):
    """Three fields of a :class:`motma.core.facts.Holder`; the code's text and the rest stay closed."""

    name: str
    birth_date: dt.date
    last_four: str


async def face_of(store: Store, code: FactId | None) -> Face | None:
    """Whose the code with this id is; None without a code. Raises :class:`Unavailable` as :meth:`Store.fact` does."""
    issued = await store.fact(code, only=Face.__struct_fields__) if code else None
    return msgspec.json.decode(issued.personal, type=Face) if issued and issued.personal else None
