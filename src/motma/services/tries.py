"""How often somebody may be wrong, or guess while the register is away: a number so many times a day, whoever tries it;
an address and a platform so many times an hour, whatever numbers they try.

A number's tries are claims in the store: they hold across servers and restarts, and an answer that tells something
about a number is given only once its try is on disk. So many who ask at once learn no more than one after the other.
"""

import asyncio
import datetime as dt
from collections import OrderedDict
from collections.abc import Mapping
from weakref import WeakValueDictionary

from motma.core.errors import Conflict
from motma.core.identity import Grade, Match
from motma.core.ids import Document
from motma.core.words import Words
from motma.services.enrol import TooManyGuesses
from motma.storage.keys import Secrets

ADDRESS_AN_HOUR = 60
"""Mobile networks hide a whole quarter behind one address; one declaration in eighty has a mistake in it."""
PENDING_WEIGHS = 0.1
"""What could not be asked about is most likely right; but nobody shall make numbers up by the thousand meanwhile."""
YEARS_A_YEAR = 2
"""How often one number that does not tell a year may be declared with a year of birth alone that does not fit, in a
year: found out first, the year would leave a stranger 365 dates to try instead of thirty thousand."""
REPORTS_A_DAY = 5
"""How often one platform may report about a number with mistakes on one day. Counted for each platform by itself:
nobody else's mistakes shall keep health staff from reporting a case."""
PLATFORM_AN_HOUR, PLATFORM_SHARE = 500, 20
"""A platform: so many, or one in so many of what it sent in that hour if that is more."""

_HOUR = dt.timedelta(hours=1)
_VN_TIME = dt.timezone(dt.timedelta(hours=7))
_SOURCES_MAX = 100_000


class Tries:
    """Counts what did not fit. Belongs to one event loop; the counts by number are the store's."""

    def __init__(self, secrets: Secrets) -> None:
        self._secrets = secrets
        self._at: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._sources: OrderedDict[str, tuple[dt.datetime, int, float]] = OrderedDict()

    def at(self, document: Document) -> asyncio.Lock:
        """One after the other for one number: nobody is told of a success that tries at once should not have had."""
        return self._at.setdefault(document.key, asyncio.Lock())

    def slots(self, document: Document, a_day: int, now: dt.datetime) -> tuple[bytes, ...]:
        """What a declaration that does not fit claims one of: the tries of this number on this day (in Vietnam)."""
        day = now.astimezone(_VN_TIME).date().isoformat()
        return tuple([self._secrets.index("try", f"{document.key}\n{day}\n{n}") for n in range(a_day)])

    def year_slots(self, document: Document, now: dt.datetime) -> tuple[bytes, ...]:
        """What such a declaration claims one of besides, if only the year of birth was said: none for a CCCD, in whose
        number the year stands."""
        if document.kind == "cccd":
            return ()
        year = now.astimezone(_VN_TIME).year
        return tuple([self._secrets.index("try-year", f"{document.key}\n{year}\n{n}") for n in range(YEARS_A_YEAR)])

    def report_slots(self, document: Document, source: str, now: dt.datetime) -> tuple[bytes, ...]:
        """What a report of ``source`` about whom the register knows otherwise claims one of."""
        of = f"{source}\n{document.key}\n{now.astimezone(_VN_TIME).date().isoformat()}"
        return tuple([self._secrets.index("try-report", f"{of}\n{n}") for n in range(REPORTS_A_DAY)])

    @staticmethod
    def free_report(slots: tuple[bytes, ...], held: Mapping[bytes, str]) -> bytes:
        """The next one. Raises :class:`Conflict` ``event.too_many_tries``, the same whether the number exists."""
        for slot in slots:
            if slot not in held:
                return slot
        raise Conflict(
            "event.too_many_tries",
            Words(
                "Hôm nay đã báo sai số giấy tờ này quá nhiều lần. Xem lại giấy tờ, hoặc báo bằng mã số (qid).",
                "This number was reported with mistakes too often today. See the document, or report by `qid`.",
            ),
        )

    @staticmethod
    def free_year(slots: tuple[bytes, ...], held: Mapping[bytes, str]) -> tuple[bytes, ...]:
        """The next one. Raises :class:`Conflict` ``identity.year_too_often``, the same whether the number exists."""
        for slot in slots:
            if slot not in held:
                return (slot,)
        if not slots:
            return ()
        raise Conflict(
            "identity.year_too_often",
            Words(
                "Số giấy tờ này đã khai bằng năm sinh sai nhiều lần. Khai đủ ngày, tháng, năm sinh.",
                "This number was declared by a wrong year of birth too often. Give the full date of birth.",
            ),
        )

    @staticmethod
    def free(slots: tuple[bytes, ...], held: Mapping[bytes, str]) -> bytes:
        """The next try. Raises :class:`Conflict` ``identity.too_many_tries``, the same whether the number exists."""
        for slot in slots:
            if slot not in held:
                return slot
        raise Conflict(
            "identity.too_many_tries",
            Words(
                "Số giấy tờ này đã khai sai quá nhiều lần hôm nay. Mang giấy tờ đến chốt; cán bộ sẽ xem.",
                "This number was declared with mistakes too often today. Show the document to an officer.",
            ),
        )

    def hear(self, source: str, now: dt.datetime) -> None:
        """Count a declaration from ``source`` ("addr …" or a platform's id). Raises :class:`TooManyMistakes`."""
        since, sent, wrong = self._sources.get(source, (now, 0, 0.0))
        if not dt.timedelta(0) <= now - since < _HOUR:
            since, sent, wrong = now, 0, 0.0
        allowed = ADDRESS_AN_HOUR if _is_address(source) else max(PLATFORM_AN_HOUR, sent // PLATFORM_SHARE)
        if wrong >= allowed:
            raise TooManyMistakes(since + _HOUR - now)
        self._sources[source] = (since, sent + 1, wrong)
        self._sources.move_to_end(source)
        if len(self._sources) > _SOURCES_MAX:
            self._sources.popitem(last=False)

    def count(self, source: str, match: Match) -> None:
        """What was heard last from ``source`` came out as ``match``. A platform is not to blame for a register away."""
        pending = match.grade is Grade.PENDING and _is_address(source)
        weight = 1.0 if match.is_a_miss else PENDING_WEIGHS if pending else 0.0
        if weight and (found := self._sources.get(source)):
            since, sent, wrong = found
            self._sources[source] = (since, sent, wrong + weight)


def _is_address(source: str) -> bool:
    return source.startswith("addr ")


class TooManyMistakes(TooManyGuesses):
    """From here came too much that did not fit."""

    def __init__(self, wait: dt.timedelta) -> None:
        super().__init__(wait)
        self.code = "identity.too_many_mistakes"
        self.words = Words(
            "Từ mạng này có quá nhiều tờ khai không khớp. Đợi một giờ, dùng mạng khác, hoặc đến chốt.",
            "Too many declarations from this network do not fit. Wait an hour, use another, or go to a checkpoint.",
        )
