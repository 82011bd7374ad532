"""Declarations from a table: read, looked at row by row, and only then sent, each row a declaration of its own.

A preview asks nobody and writes nothing. A row is sent under a key made of what it says: whoever sends the same table
again, after a failure in the middle or by mistake, sends what is still missing and nothing a second time.
"""

import asyncio
import datetime as dt
import zlib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Literal

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from motma.connectors.platforms.items import in_their_names
from motma.connectors.platforms.table import Read, Sheet, Tables
from motma.connectors.sheets import FILE_MAX_BYTES, write_csv
from motma.core.errors import Hidden, Invalid, MotmaError, Problem, Unavailable
from motma.core.form import parse_declaration
from motma.core.words import Words
from motma.services.afterwards import Outcome
from motma.services.declare import Declare, Receipt
from motma.services.enrol import TooManyGuesses
from motma.services.exchange.platforms import Platforms
from motma.storage.keys import Secrets
from motma.storage.store import Store

State = Literal["good", "twice", "wrong", "later", "sent", "already"]
"""Of a row: can be sent; the same as an earlier row; to be mended; could not be sent now; sent now; sent before."""

STANDS_FOR = dt.timedelta(hours=2)
"""How long after a preview it can be sent: by then a departure may be over."""
SCOPE = "declarations:write"
_SENDING = 32
_NONCE_BYTES = 12


class Line(msgspec.Struct, frozen=True):
    """What becomes of one row. ``who``: the last four digits of its number.

    ``problems`` and ``notices``: (what the table calls the column, code, words); the column "" for the row as a whole.
    ``receipt``: of a row that was sent, now or before.
    """

    row: int
    state: State
    who: str = ""
    problems: tuple[tuple[str, str, Words], ...] = ()
    notices: tuple[tuple[str, str, Words], ...] = ()
    receipt: Receipt | None = None

    @property
    def outcome(self) -> Outcome | None:
        """What became of the declaration, if there is one."""
        return self.receipt.outcome if self.receipt else None


class Row(msgspec.Struct, frozen=True):
    """A row that can be sent: its number, the key that it goes under, the declaration."""

    number: int
    key: str
    raw: dict[str, Any]

    @property
    def who(self) -> str:
        """Whose it is, by the last four digits."""
        return "…" + str(self.raw["document"]["number"])[-4:]


class Preview(msgspec.Struct, frozen=True):
    """What a table would do: the ``sheet`` as it was read, a line for each row, and the rows that can be sent."""

    sheet: Sheet
    lines: tuple[Line, ...]
    good: tuple[Row, ...]


class Seen(msgspec.Struct, frozen=True):
    """A preview on its way to an operator and back: who made it and when, for which platform, the rows to send, and
    what was said of the others."""

    by: str
    at: dt.datetime
    source: str
    good: tuple[Row, ...]
    left: tuple[Line, ...]


class Intake:
    """Brings declarations in from tables, and says what tables should look like."""

    def __init__(
        self,
        *,
        declare: Declare,
        tables: Tables,
        store: Store,
        platforms: Platforms,
        secrets: Secrets,
        random: Callable[[int], bytes],
    ) -> None:
        self.tables = tables
        self._store = store
        self._platforms = platforms
        self._declare = declare
        self._cipher = AESGCM(secrets.index("intake-preview", ""))
        self._random = random
        self._checkpoints = frozenset(declare.network.by_id)
        self._reading = asyncio.Lock()
        """One file at a time: a workbook may take some hundred megabytes while it is read."""

    async def preview(self, content: bytes, now: dt.datetime) -> Preview:
        """Read a table and say of every row what would become of it, as far as that can be told without asking anybody.

        Raises :class:`Invalid` ``import.*`` for a file that cannot be read or is no table of declarations.
        """
        async with self._reading:
            return await asyncio.to_thread(self._look, content, now)

    def _look(self, content: bytes, now: dt.datetime) -> Preview:
        """Seconds for thousands of rows: not for the loop."""
        sheet = self.tables.read(content)
        first: dict[str, int] = {}
        lines, good = [], []
        for read in sheet.rows:
            line = self._line(read, sheet, now)
            if line.state == "good" and read.key in first:
                told = Words(f"Trùng với dòng {first[read.key]}.", f"The same as row {first[read.key]}.")
                line = msgspec.structs.replace(line, state="twice", problems=(("", "import.twice", told),))
            elif line.state == "good":
                first[read.key] = read.row
                good.append(Row(read.row, read.key, read.read.raw))
            lines.append(line)
        return Preview(sheet, tuple(lines), tuple(good))

    def _line(self, read: Read, sheet: Sheet, now: dt.datetime) -> Line:
        problems = dict(read.read.problems)
        raw = read.read.raw
        try:
            parse_declaration(raw, self._declare.form, self._declare.units, self._checkpoints, now)
        except Invalid as invalid:
            for path, problem in invalid.fields.items():
                if not any(_within(path, column) for column in read.read.problems):
                    problems[path] = problem
        notices = tuple([(self._called(column, sheet), one.code, one.words) for column, one in read.read.notices])
        return Line(
            read.row,
            "wrong" if problems else "good",
            "…" + str(raw["document"]["number"])[-4:],
            self._told(problems, sheet),
            notices,
        )

    def _called(self, column: str, sheet: Sheet) -> str:
        """What the table calls a column; one that it lacks as the template does."""
        heading = self.tables.columns.headings.get(column)
        return sheet.headers.get(column) or (heading.words.vi if heading else column)

    def _told(self, problems: dict[str, Problem], sheet: Sheet) -> tuple[tuple[str, str, Words], ...]:
        """Once for each column: four consents that are missing are one cell."""
        here = in_their_names(problems, sheet.headers)
        if not any(column.startswith("health.symptoms.") for column in sheet.headers):
            here = in_their_names(
                problems, {**sheet.headers, "health.symptoms": self._called("health.symptoms", sheet)}
            )
        if "consents" not in sheet.headers:
            missing = self._called("consents", sheet)
            here = {missing if name.startswith("consents") else name: problem for name, problem in here.items()}
        return tuple([(self._called(name, sheet), one.code, one.words) for name, one in here.items()])

    # -- sending -----------------------------------------------------------------------------------------------------

    async def senders(self, now: dt.datetime) -> dict[str, str]:
        """Who may send declarations: id -> name, of platforms that are registered and of those that hold a token."""
        registered = {one.id: one for one in await self._platforms.all(now)}
        tokens = [one for one in await self._store.credentials("platform") if one.subject not in registered]
        living = [one for one in tokens if not one.revoked_at and not (one.expires_at and now >= one.expires_at)]
        active = [one for one in registered.values() if one.state(now) == "active" and SCOPE in one.scopes]
        return {one.id: one.name for one in active} | {one.subject: one.scope["name"] for one in living}

    async def sender(self, platform: str, now: dt.datetime) -> str:
        """The id of a platform that may send. Raises :class:`Hidden` ``import.no_platform``."""
        id = platform.strip().upper()
        if id not in await self.senders(now):
            raise Hidden(
                "import.no_platform",
                Words(
                    f"Không có nền tảng nào tên {id[:40]} được gửi tờ khai.",
                    f"There is no platform called {id[:40]} that may send declarations.",
                ),
            )
        return id

    async def send(
        self,
        good: Iterable[Row],
        *,
        source: str,
        clock: Callable[[], dt.datetime],
        done: Callable[[Line], None] | None = None,
    ) -> list[Line]:
        """Send the rows that a preview found good, for the platform ``source``; safe to repeat. Each is its own act, so
        what fails keeps nobody else's. ``done`` hears of each row as it is answered, in whatever order."""
        room = asyncio.Semaphore(_SENDING)

        async def one(row: Row) -> Line:
            async with room:
                line = await self._send(row, source, clock())
            if done:
                done(line)
            return line

        return await asyncio.gather(*[one(row) for row in good])

    async def _send(self, row: Row, source: str, now: dt.datetime) -> Line:
        try:
            receipt = await self._declare.declare(row.raw, source=source, now=now, key=row.key)
        except (Unavailable, TooManyGuesses) as away:
            return Line(row.number, "later", row.who, (("", away.code, away.words),))
        except MotmaError as error:
            told = [(path, one.code, one.words) for path, one in error.fields.items()]
            return Line(row.number, "wrong", row.who, tuple(told) or (("", error.code, error.words),))
        return Line(row.number, "already" if receipt.repeated else "sent", row.who, receipt=receipt)

    # -- between preview and confirmation ----------------------------------------------------------------------------

    def close(self, preview: Preview, source: str, *, by: str, now: dt.datetime) -> str:
        """What a preview found, as text that only this house can read, for ``by`` to send back.

        Raises :class:`Invalid` ``import.too_many_rows`` if there is more than one page can carry.
        """
        left = [line for line in preview.lines if line.state != "good"]
        plain = zlib.compress(msgspec.msgpack.encode(Seen(by, now, source, preview.good, tuple(left))))
        nonce = self._random(_NONCE_BYTES)
        text = urlsafe_b64encode(nonce + self._cipher.encrypt(nonce, plain, by.encode())).decode()
        if len(text) > FILE_MAX_BYTES:
            raise Invalid(
                "import.too_many_rows", Words("Bảng quá lớn. Chia thành nhiều tệp.", "Too large. Split the file.")
            )
        return text

    def open(self, text: str, *, by: str, now: dt.datetime) -> "Seen":
        """What was closed. Raises :class:`Invalid` ``import.preview_gone``: another's, altered, or of too long ago."""
        try:
            raw = urlsafe_b64decode(text.encode())
            plain = zlib.decompress(self._cipher.decrypt(raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], by.encode()))
            seen = msgspec.msgpack.decode(plain, type=Seen)
        except (ValueError, InvalidTag, zlib.error, msgspec.MsgspecError):
            raise _gone() from None
        if not dt.timedelta(0) <= now - seen.at <= STANDS_FOR:
            raise _gone()
        return seen


def _gone() -> Invalid:
    return Invalid(
        "import.preview_gone",
        Words(
            "Bản xem trước không còn dùng được. Chọn tệp và xem trước lại; dòng nào đã gửi thì không gửi lần nữa.",
            "This preview can no longer be used. Choose the file again; rows already sent are not sent twice.",
        ),
    )


REPORT = (
    "row", "state", "outcome", "declaration", "qid", "code", "valid_until", "mend_vi", "mend_en", "noted_vi",
    "noted_en",
)  # fmt: skip


def report_csv(lines: Sequence[Line]) -> bytes:
    """What became of each row, for the office that keeps the table: it holds codes, and belongs to nobody else."""
    return write_csv([REPORT, *[_reported(line) for line in lines]])


def _reported(line: Line) -> tuple[str, ...]:
    receipt = line.receipt
    told = [
        " / ".join(f"{column}: {words.said_in(language)}".removeprefix(": ") for column, _, words in group)
        for group in (line.problems, line.notices)
        for language in ("vi", "en")
    ]
    return (
        str(line.row),
        line.state,
        receipt.outcome if receipt else "",
        receipt.declaration if receipt else "",
        (receipt.qid or "") if receipt else "",
        (receipt.code or "") if receipt else "",
        receipt.valid_until.isoformat() if receipt and receipt.valid_until else "",
        *told,
    )


def _within(path: str, column: str) -> bool:
    return path == column or path.startswith(column + ".")
