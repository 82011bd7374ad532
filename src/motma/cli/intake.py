"""``motma import``: declarations from a table, for a platform."""

import datetime as dt
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from motma.cli.terminal import with_house
from motma.connectors.sheets import FILE_MAX_BYTES
from motma.core.errors import Invalid, Unavailable
from motma.core.words import Words
from motma.services.exchange.intake import Line, Preview, report_csv
from motma.wiring import Built, utc_now

_SAID = {
    "good": "can be sent",
    "sent": "sent",
    "already": "sent before",
    "twice": "twice in the table",
    "later": "could not be sent now",
    "wrong": "to be mended",
}


@click.command("import", short_help="Send the declarations of a CSV or XLSX table.")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--source", metavar="SOURCE", help="The platform whose declarations these are.")
@click.option("--dry-run", is_flag=True, help="Say what would become of each row, and send nothing.")
@click.option("--report", type=click.Path(path_type=Path, dir_okay=False), help="Write what became of each row as CSV.")
@click.option("--template", is_flag=True, help="Write an empty table to FILE (.xlsx or .csv) instead.")
def intake(file: Path, source: str | None, dry_run: bool, report: Path | None, template: bool) -> None:
    """Send the declarations that stand in FILE (CSV or XLSX), a row each, as the platform SOURCE would.

    SOURCE is the short id of a platform that was admitted. Begin with --template, and look with --dry-run before you
    send.

    Columns come in any order and under many names. A row that was sent before is not sent again: after a failure give
    the same file once more. The report holds codes: give it to the office that keeps the table and to nobody else. Ends
    with exit code 1 if a row has to be mended, was refused, or could not be sent now.
    """
    if template:
        return _write_template(file)
    if source is None:
        raise click.UsageError("Say with --source whose declarations these are.")
    content = _read(file)

    async def work(built: Built, now: dt.datetime) -> tuple[Preview, list[Line]]:
        bring = built.house.intake
        platform = await bring.sender(source, now)
        seen = await bring.preview(content, now)
        if dry_run:
            return seen, list(seen.lines)
        if report:
            _write(report, b"")  # better known now than after five thousand rows
        done = {line.row: line for line in await bring.send(seen.good, source=platform, clock=utc_now)}
        return seen, [_with_notices(done.get(line.row, line), line) for line in seen.lines]

    seen, lines = with_house(work)
    if report:
        _write(report, report_csv(lines))
    _tell(seen, lines, wrote=not dry_run)
    refused = any(line.outcome == "refused" for line in lines)
    sys.exit(1 if refused or any(line.state in ("wrong", "later") for line in lines) else 0)


def _with_notices(line: Line, seen: Line) -> Line:
    return Line(line.row, line.state, line.who, line.problems, seen.notices, line.receipt)


def _tell(seen: Preview, lines: Sequence[Line], *, wrote: bool) -> None:
    sheet = seen.sheet
    click.echo(f"read as {sheet.encoding}", err=True)
    for header, column in sheet.guessed:
        click.echo(f"column {header!r} is taken for {column}", err=True)
    for header in sheet.kept:
        click.echo(f"column not of the form, kept: {header}", err=True)
    for column in sheet.lacking:
        click.echo(f"column is missing: {column}", err=True)
    for line in lines:
        for column, code, words in line.notices:
            click.echo(f"row {line.row}, {column}: {words.en} [{code}]", err=True)
        for column, code, words in line.problems:
            click.echo(f"row {line.row}{f', {column}' if column else ''}: {words.en} [{code}]")
    states = dict.fromkeys(line.state for line in lines)
    told = ", ".join(f"{sum(line.state == state for line in lines)} {_SAID[state]}" for state in states)
    outcomes = dict.fromkeys(line.outcome for line in lines if line.outcome)
    became = ", ".join(f"{sum(line.outcome == one for line in lines)} {one}" for one in outcomes)
    click.echo(f"{told}{f' ({became})' if became else ''}{'' if wrote else '; nothing was sent'}")


def _write_template(file: Path) -> None:
    if file.suffix.lower() not in (".csv", ".xlsx"):
        raise click.UsageError("FILE must end in .xlsx or .csv.")

    async def make(built: Built, _now: dt.datetime) -> bytes:
        tables = built.house.intake.tables
        return tables.template_csv() if file.suffix.lower() == ".csv" else tables.template_workbook()

    _write(file, with_house(make))
    click.echo(str(file))


def _read(file: Path) -> bytes:
    try:
        with file.open("rb") as opened:
            return opened.read(FILE_MAX_BYTES + 1)
    except OSError as error:
        raise Invalid(
            "import.unreadable",
            Words(f"Không đọc được {file}: {error.strerror}.", f"{file} cannot be read: {error.strerror}."),
        ) from None


def _write(file: Path, content: bytes) -> None:
    try:
        file.write_bytes(content)
    except OSError as error:
        raise Unavailable(
            "import.unwritable",
            Words(f"Không ghi được {file}: {error.strerror}.", f"{file} cannot be written: {error.strerror}."),
        ) from None
