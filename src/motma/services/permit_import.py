"""Permits from a table: read, looked at row by row, and only then written, each row an act of its own.

A preview writes nothing. What it found good goes back to the operator sealed, and comes with their confirmation: so
what is written is what was shown, whichever server is asked, and a confirmation that is sent twice, or after a failure
in the middle, writes what is still missing and nothing a second time.
"""

import asyncio
import datetime as dt
import zlib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Awaitable, Callable, Iterable
from typing import Literal, TypeVar

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from msgspec.structs import replace

from motma.connectors.sheets import Row, read_table, write_csv, write_workbook
from motma.core.cells import Cell
from motma.core.errors import Conflict, Invalid, MotmaError, Problem, Unavailable
from motma.core.permit.columns import COLUMNS, GUIDE, HEADERS, Column, column_of, missing_columns
from motma.core.permit.form import Asked, parse_asked
from motma.core.words import Words
from motma.services.permits import Permits, Resolved
from motma.storage.keys import Secrets

State = Literal["good", "already", "twice", "later", "wrong", "issued"]
"""Of a row: to be issued; issued before; the same as an earlier row; the register is away; to be mended; issued now."""

STANDS_FOR = dt.timedelta(hours=2)
"""How long after a preview it can be confirmed: by then the register may say otherwise."""

_T = TypeVar("_T")
_HEADER_WITHIN = 20
_ASKING, _WRITING = 12, 48
_NONCE_BYTES = 12


class Line(msgspec.Struct, frozen=True):
    """What becomes of one row of the file. ``who``: its holder, with most of the number left out."""

    row: int
    state: State
    who: str = ""
    problems: tuple[tuple[str, str, Words], ...] = ()
    """(column, code, what to do), the column "" for the row as a whole."""
    permit: str = ""


class Preview(msgspec.Struct, frozen=True):
    """What a file would do. ``good`` are the rows to be written; ``ignored`` are headers that mean nothing here."""

    lines: tuple[Line, ...]
    good: tuple[tuple[int, Resolved], ...]
    ignored: tuple[str, ...] = ()


class _Sealed(msgspec.Struct):
    by: str
    at: dt.datetime
    good: tuple[tuple[int, Resolved], ...]


class PermitImport:
    """Brings permits in from files, and says what files should look like."""

    def __init__(self, *, permits: Permits, secrets: Secrets, random: Callable[[int], bytes]) -> None:
        self._permits = permits
        self._cipher = AESGCM(secrets.index("permit-preview", ""))
        self._random = random
        self._reading = asyncio.Lock()
        """One file at a time: a workbook may take some hundred megabytes while it is read."""

    async def preview(self, content: bytes, now: dt.datetime) -> Preview:
        """Read a file and say of every row what would become of it. Writes nothing.

        Raises :class:`Invalid` ``import.*`` for a file that cannot be read, or in which columns are missing.
        """
        async with self._reading:
            ignored, asked = await asyncio.to_thread(self._read, content, now)
        taken: dict[tuple[object, ...], int] = {}
        answers = await _at_once(_ASKING, [self._look(row, one, now) for row, one in asked])
        lines: list[Line] = []
        good: list[tuple[int, Resolved]] = []
        for line, resolved in answers:
            if resolved and line.state == "good":
                key = _key(resolved)
                if key in taken:
                    first = taken[key]
                    twice = Problem("import.twice", Words(f"Trùng với dòng {first}.", f"The same as row {first}."))
                    line = replace(line, state="twice", problems=(("", twice.code, twice.words),))
                else:
                    taken[key] = line.row
                    good.append((line.row, resolved))
            lines.append(line)
        return Preview(tuple(lines), tuple(good), ignored)

    def _read(self, content: bytes, now: dt.datetime) -> tuple[tuple[str, ...], list[tuple[Row, Asked | Invalid]]]:
        """(headers that mean nothing, the rows and what they ask for). Seconds for thousands: not for the loop."""
        columns, ignored, body = _columns(read_table(content))
        return ignored, [(row, self._asked(row, columns, now)) for row in body]

    def _asked(self, row: Row, columns: dict[int, Column], now: dt.datetime) -> Asked | Invalid:
        cells: dict[str, Cell] = {
            column: row.cells[n] for n, column in columns.items() if n < len(row.cells) and row.cells[n] is not None
        }
        try:
            return parse_asked(cells, self._permits.groups, self._permits.areas, now)
        except Invalid as invalid:
            return invalid

    async def _look(self, row: Row, asked: Asked | Invalid, now: dt.datetime) -> tuple[Line, Resolved | None]:
        if isinstance(asked, Invalid):
            problems = tuple([(column, one.code, one.words) for column, one in asked.fields.items()])
            return Line(row.number, "wrong", problems=problems), None
        try:
            resolved = await self._permits.resolve(asked, now)
            known = await self._permits.known(resolved, now)
        except Unavailable as away:
            if away.permanent:
                raise
            return Line(row.number, "later", _who(asked), (("", away.code, away.words),)), None
        except Invalid as invalid:
            column = "qid" if asked.named is None else "document"
            return Line(row.number, "wrong", _who(asked), ((column, invalid.code, invalid.words),)), None
        except Conflict as revoked:
            return Line(row.number, "wrong", _who(asked), (("", revoked.code, revoked.words),)), None
        if known:
            return Line(row.number, "already", _who(asked), permit=known.id), None
        return Line(row.number, "good", _who(asked)), resolved

    async def confirm(self, good: Iterable[tuple[int, Resolved]], *, by: str, now: dt.datetime) -> list[Line]:
        """Issue what a preview found good; each row by itself, so what fails keeps nobody else's. Safe to repeat."""
        return await _at_once(_WRITING, [self._write(row, resolved, by, now) for row, resolved in good])

    async def _write(self, row: int, resolved: Resolved, by: str, now: dt.datetime) -> Line:
        who = _who(resolved.asked)
        try:
            granted = await self._permits.grant(resolved, by=by, now=now)
        except Unavailable as away:
            return Line(row, "later", who, (("", away.code, away.words),))
        except MotmaError as error:
            return Line(row, "wrong", who, (("", error.code, error.words),))
        return Line(row, "already" if granted.already else "issued", who, permit=granted.id)

    # -- what files should look like ---------------------------------------------------------------------------------

    def template_csv(self) -> bytes:
        """A table with nothing but its header."""
        return write_csv([[words.vi for words in COLUMNS.values()]])

    def template_workbook(self) -> bytes:
        """The same as a workbook, with a second sheet that says what goes where."""
        guide = [("Cột / Column", "Cách ghi", "What to write")]
        guide += [(COLUMNS[column].vi, said.vi, said.en) for column, said in GUIDE.items()]
        guide += [("", "", ""), ("Nhóm / Group", "", "")]
        guide += [(group.code, *group.words) for group in self._permits.groups.groups]
        guide += [("", "", ""), ("Khu vực / Area", "", "")]
        guide += [(name.vi, id, name.en) for id, name in self._permits.areas.items()]
        return write_workbook([words.vi for words in COLUMNS.values()], guide, ("Giấy đi đường", "Hướng dẫn"))

    # -- between preview and confirmation ----------------------------------------------------------------------------

    def close(self, preview: Preview, *, by: str, now: dt.datetime) -> str:
        """What was found good, as text that only this house can read, for ``by`` to send back."""
        plain = zlib.compress(msgspec.msgpack.encode(_Sealed(by, now, preview.good)))
        nonce = self._random(_NONCE_BYTES)
        return urlsafe_b64encode(nonce + self._cipher.encrypt(nonce, plain, by.encode())).decode()

    def open(self, text: str, *, by: str, now: dt.datetime) -> tuple[tuple[int, Resolved], ...]:
        """What was closed. Raises :class:`Invalid` ``import.preview_gone``: another's, altered, or of too long ago."""
        try:
            raw = urlsafe_b64decode(text.encode())
            nonce, sealed = raw[:_NONCE_BYTES], raw[_NONCE_BYTES:]
            plain = zlib.decompress(self._cipher.decrypt(nonce, sealed, by.encode()))
            held = msgspec.msgpack.decode(plain, type=_Sealed)
        except (ValueError, InvalidTag, zlib.error, msgspec.MsgspecError):
            raise _gone() from None
        if not dt.timedelta(0) <= now - held.at <= STANDS_FOR:
            raise _gone()
        return held.good


def _gone() -> Invalid:
    return Invalid(
        "import.preview_gone",
        Words(
            "Bản xem trước không còn dùng được. Chọn tệp và xem trước lại; dòng nào đã cấp thì không cấp lần nữa.",
            "This preview can no longer be used. Choose the file again; rows already issued are not issued twice.",
        ),
    )


async def _at_once(many: int, work: list[Awaitable[_T]]) -> list[_T]:
    room = asyncio.Semaphore(many)

    async def one(part: Awaitable[_T]) -> _T:
        async with room:
            return await part

    return await asyncio.gather(*[one(part) for part in work])


def _columns(rows: list[Row]) -> tuple[dict[int, Column], tuple[str, ...], list[Row]]:
    """(which cell of a row is which column, headers that are none, the rows below the header).

    The header is the row with the most known names near the top: many tables begin with a title.
    """
    known = [
        [column_of(cell) if isinstance(cell, str) else None for cell in row.cells] for row in rows[:_HEADER_WITHIN]
    ]
    at = max(range(len(known)), key=lambda n: sum(column is not None for column in known[n]))
    columns: dict[int, Column] = {}
    twice: list[str] = []
    for n, column in enumerate(known[at]):
        if column in columns.values():
            twice.append(str(rows[at].cells[n]))
        elif column:
            columns[n] = column
    if lacking := missing_columns(tuple(columns.values())):
        names = ", ".join(HEADERS[column][0] for column in lacking)
        raise Invalid("import.columns", Words(f"Thiếu cột: {names}.", f"Columns are missing: {names}."))
    if twice:
        names = ", ".join(twice)[:200]
        raise Invalid(
            "import.column_twice", Words(f"Hai cột cùng nghĩa: {names}.", f"Two columns mean the same: {names}.")
        )
    ignored = [str(cell)[:40] for n, cell in enumerate(rows[at].cells) if n not in columns and cell not in (None, "")]
    if at + 1 == len(rows):
        raise Invalid("import.no_rows", Words("Không có dòng nào dưới tiêu đề.", "There are no rows below the header."))
    return columns, tuple(ignored), rows[at + 1 :]


def _key(resolved: Resolved) -> tuple[object, ...]:
    asked = resolved.asked
    return resolved.identity, asked.group, asked.areas, asked.valid_from, asked.valid_until, asked.number


def _who(asked: Asked) -> str:
    if asked.plate:
        return asked.plate
    return "…" + (asked.named.document.last_four if asked.named else str(asked.qid)[-6:])
