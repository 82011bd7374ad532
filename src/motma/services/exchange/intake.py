"""Declarations from a table: read, looked at row by row, and only then sent, each row a declaration of its own.

A preview asks nobody and writes nothing. A row is sent under a key made of what it says: whoever sends the same table
again, after a failure in the middle or by mistake, sends what is still missing and nothing a second time.
"""

import asyncio
import datetime as dt
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Literal

import msgspec

from motma.connectors.platforms.items import in_their_names
from motma.connectors.platforms.table import Read, Sheet, Tables
from motma.connectors.sheets import write_csv
from motma.core.errors import Hidden, Invalid, MotmaError, Problem, Unavailable
from motma.core.form import parse_declaration
from motma.core.words import Words
from motma.services.afterwards import Outcome
from motma.services.declare import Declare, Receipt
from motma.services.enrol import TooManyGuesses

State = Literal["good", "twice", "wrong", "later", "sent", "already"]
"""Of a row: can be sent; the same as an earlier row; to be mended; could not be sent now; sent now; sent before."""

_SENDING = 32


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


class Preview(msgspec.Struct, frozen=True):
    """What a table would do: the ``sheet`` as it was read, a line for each row, and the rows that can be sent."""

    sheet: Sheet
    lines: tuple[Line, ...]
    good: tuple[Read, ...]


class Intake:
    """Brings declarations in from tables, and says what tables should look like."""

    def __init__(
        self, *, declare: Declare, tables: Tables, admitted: Callable[[str, dt.datetime], Awaitable[bool]]
    ) -> None:
        """``admitted`` says whether a platform of that name may send at that time."""
        self.tables = tables
        self._declare = declare
        self._admitted = admitted
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
                good.append(read)
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

    async def sender(self, platform: str, now: dt.datetime) -> str:
        """The id of a platform that may send. Raises :class:`Hidden` ``import.no_platform``."""
        id = platform.strip().upper()
        if not await self._admitted(id, now):
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
        good: Iterable[Read],
        *,
        source: str,
        clock: Callable[[], dt.datetime],
        done: Callable[[Line], None] | None = None,
    ) -> list[Line]:
        """Send the rows that a preview found good, for the platform ``source``; safe to repeat. Each is its own act, so
        what fails keeps nobody else's. ``done`` hears of each row as it is answered, in whatever order."""
        room = asyncio.Semaphore(_SENDING)

        async def one(read: Read) -> Line:
            async with room:
                line = await self._send(read, source, clock())
            if done:
                done(line)
            return line

        return await asyncio.gather(*[one(read) for read in good])

    async def _send(self, read: Read, source: str, now: dt.datetime) -> Line:
        who = "…" + str(read.read.raw["document"]["number"])[-4:]
        try:
            receipt = await self._declare.declare(read.read.raw, source=source, now=now, key=read.key)
        except (Unavailable, TooManyGuesses) as away:
            return Line(read.row, "later", who, (("", away.code, away.words),))
        except MotmaError as error:
            told = [(path, one.code, one.words) for path, one in error.fields.items()]
            return Line(read.row, "wrong", who, tuple(told) or (("", error.code, error.words),))
        return Line(read.row, "already" if receipt.repeated else "sent", who, receipt=receipt)


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
