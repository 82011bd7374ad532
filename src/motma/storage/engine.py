"""What a database must be able to do for the store: four verbs. A storage engine is one class with them."""

from collections.abc import Callable, Sequence
from typing import Protocol

import msgspec

from motma.core.errors import Unavailable
from motma.core.words import Words
from motma.storage.acts import Row
from motma.storage.statements import Query


class Wanted(msgspec.Struct, frozen=True):
    """Which rows a plan has to see before it can decide. Keys may repeat."""

    facts: Sequence[str] = ()
    once: Sequence[bytes] = ()
    standing: Sequence[str] = ()
    histories: Sequence[str] = ()
    """Citizens of whom everything is wanted: for repair only."""
    permits: Sequence[str] = ()
    links: Sequence[str] = ()
    """Citizens whose links are wanted."""


class Loaded(msgspec.Struct):
    """Those of the wanted rows that exist, as they are while the transaction holds the write lock."""

    last_seq: int
    facts: set[str]
    once: dict[bytes, str]
    standing: dict[str, str]
    """QID -> body."""
    histories: dict[str, tuple[Sequence[Row], Row | None]]
    """QID -> rows of :data:`motma.storage.statements.HISTORY`, and the row of ``standing``."""
    permits: dict[str, tuple[Sequence[Row], Row | None]] = {}
    """Id -> the facts about a permit as rows of :data:`motma.storage.statements.FACT`, and the row of ``permits``."""
    links: dict[str, Sequence[Row]] = {}
    """QID -> rows of ``links``."""


class Rows(msgspec.Struct):
    """What to write, each a row in the order of its table's columns; no key twice within one table.

    ``facts`` and ``once`` are new. ``standing``, ``holdings``, ``credentials``, ``permits``, ``outlets`` and
    ``deliveries`` replace, ``tally`` adds to, the row of the same key; ``links`` keep the first seq and the newest
    declaration; ``leases`` go to who holds them, or to anybody once they have run out. ``no_standing`` are citizens
    whose standing goes, ``no_permits`` permits that go, ``no_links`` (qid, via) and ``no_deliveries`` (platform, qid,
    seq) rows that go before others are put.
    ``sealed`` are (seq, as it is, as it shall be) of facts whose personal part is sealed anew; one that is no longer as
    it is said to be stays.
    """

    facts: list[Row] = []
    once: list[Row] = []
    standing: list[Row] = []
    tally: list[Row] = []
    holdings: list[Row] = []
    credentials: list[Row] = []
    permits: list[Row] = []
    links: list[Row] = []
    outlets: list[Row] = []
    deliveries: list[Row] = []
    leases: list[Row] = []
    no_standing: list[str] = []
    no_permits: list[str] = []
    no_links: list[tuple[str, str]] = []
    no_deliveries: list[tuple[str, str, int]] = []
    sealed: list[tuple[int, bytes, bytes]] = []


class Unwritable(Exception):
    """The database is well, and refuses these rows. Whoever sent several may try them apart."""


class Engine(Protocol):
    """One database, its tables in place. Its errors: :class:`Unavailable` when it does not do its work, and from
    :meth:`commit` also :class:`Unwritable`, and whatever the plan raises. Neither leaves anything written."""

    async def read(self, query: Query, *arguments: object) -> Sequence[Row]:
        """A look-up by key that touches few rows. Sees every commit that was acknowledged before the call."""

    async def scan(self, query: Query, *arguments: object) -> Sequence[Row]:
        """A question that may take long; nobody else waits for it."""

    async def commit(self, wanted: Wanted, plan: Callable[[Loaded], Rows]) -> None:
        """One transaction, alone among all writers of this database: load, plan, write, and on disk when it returns.

        ``plan`` is pure and quick, may run on another thread, and may be asked again when the first try is void.
        After :class:`Unavailable` the rows may be there all the same, if it was the answer to COMMIT that got lost.
        """

    async def close(self) -> None:
        """Lets go of every connection and thread. Nothing may be under way."""


def unavailable() -> Unavailable:
    """The database does not answer, or cannot do its work."""
    return Unavailable(
        "storage.unavailable",
        Words(
            "Hệ thống tạm thời chưa lưu được. Thử lại sau ít phút; chưa có gì bị mất.",
            "The system cannot store anything right now. Try again in a few minutes; nothing was lost.",
        ),
    )


def too_new(revision: str) -> Unavailable:
    """The database was brought further than this code can read."""
    return Unavailable(
        "storage.too_new",
        Words(
            f"Cơ sở dữ liệu ở bước {revision}, mới hơn chương trình này. Hãy cài bản mới.",
            f"The database is at step {revision}, newer than this program. Install the newer version.",
        ),
        permanent=True,
    )
