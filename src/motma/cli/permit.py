"""``motma permit``: give permits from a table, list them, take one back."""

import datetime as dt
import sys
from pathlib import Path

import click
from rich.table import Table

from motma.cli.terminal import console, with_house
from motma.connectors.sheets import FILE_MAX_BYTES
from motma.core.errors import Invalid, Unavailable
from motma.core.words import Words
from motma.services.permit_import import Line
from motma.wiring import Built


@click.group(short_help="Give permits to travel, list them, take them back.")
def permit() -> None:
    """Permits (giấy đi đường): the right to travel in some places for some time, of a citizen or of a vehicle."""


@permit.command("import", short_help="Issue the permits of a CSV or XLSX table.")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@click.option("--dry-run", is_flag=True, help="Say what would become of each row, and write nothing.")
def permit_import(file: Path, dry_run: bool) -> None:
    """Issue the permits that stand in FILE (CSV or XLSX; `motma permit template` writes an empty one).

    Every row is an act of its own, and a row that was issued before is not issued again: after a failure give the same
    file once more. Ends with exit code 1 if a row has to be mended or the register was away.
    """
    content = _read(file)

    async def work(built: Built, now: dt.datetime) -> list[Line]:
        bring = built.house.permit_import
        seen = await bring.preview(content, now)
        for header in seen.ignored:
            click.echo(f"column not used: {header}", err=True)
        if dry_run:
            return list(seen.lines)
        done = {line.row: line for line in await bring.confirm(seen.good, by="cli", now=now)}
        return [done.get(line.row, line) for line in seen.lines]

    lines = with_house(work)
    for line in lines:
        for column, code, words in line.problems:
            click.echo(f"row {line.row}{f', {column}' if column else ''}: {words.en} [{code}]")
    counts = {
        state: sum(line.state == state for line in lines) for state in dict.fromkeys(line.state for line in lines)
    }
    told = ", ".join(f"{count} {_SAID[state]}" for state, count in counts.items())
    click.echo(f"{told}{'; nothing was written' if dry_run else ''}")
    sys.exit(1 if counts.keys() & {"wrong", "later"} else 0)


_SAID = {
    "good": "can be issued",
    "issued": "issued",
    "already": "issued before",
    "twice": "twice in the file",
    "later": "wait for the register",
    "wrong": "to be mended",
}


@permit.command("list", short_help="The newest permits.")
@click.option("--limit", type=click.IntRange(1, 1_000), default=20, show_default=True, help="How many.")
def permit_list(limit: int) -> None:
    """The newest permits; of their holders only the last six digits."""
    table = Table("permit", "group", "areas", "from", "until", "signed by", "holder", "state")

    async def show(built: Built, now: dt.datetime) -> None:
        for one in await built.house.permits.recent(limit):
            state = "revoked" if one.revoked_at else "in force" if one.lasts(now) else "over or not yet"
            table.add_row(
                one.id,
                one.group,
                ", ".join(one.areas) or "whole city",
                f"{one.valid_from:%Y-%m-%d %H:%M}",
                f"{one.valid_until:%Y-%m-%d %H:%M}",
                " ".join(filter(None, (one.signed_by.level, one.signed_by.area))),
                "vehicle" if one.of_vehicle else f"…{one.holder[-6:]}",
                state,
            )
        console.print(table)

    with_house(show)


@permit.command("revoke", short_help="Take a permit back for good.")
@click.argument("id")
@click.option("--reason", required=True, help="Why, in one line; kept with what was done.")
def permit_revoke(id: str, reason: str) -> None:
    """Take the permit ID back for good; checkpoints know at once."""
    with_house(lambda built, now: built.house.permits.revoke(id, reason, by="cli", now=now))
    click.echo(f"{id} is revoked.")


@permit.command("template", short_help="Write an empty table to fill in.")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
def permit_template(file: Path) -> None:
    """Write an empty table with the right columns: FILE ends in .xlsx or .csv."""
    if file.suffix.lower() not in (".csv", ".xlsx"):
        raise click.UsageError("FILE must end in .xlsx or .csv.")

    async def make(built: Built, _now: dt.datetime) -> bytes:
        bring = built.house.permit_import
        return bring.template_csv() if file.suffix.lower() == ".csv" else bring.template_workbook()

    try:
        file.write_bytes(with_house(make))
    except OSError as error:
        raise Unavailable(
            "import.unwritable",
            Words(f"Không ghi được {file}: {error.strerror}.", f"{file} cannot be written: {error.strerror}."),
        ) from None
    click.echo(str(file))


@permit.command("check", short_help="Fold the facts about permits anew and compare.")
@click.option("--repair", is_flag=True, help="Write what the facts say where the table differs.")
def permit_check(repair: bool) -> None:
    """Fold all facts about permits again and compare with the table, as `motma standing` does for citizens."""
    checked, differing = with_house(lambda built, now: built.store.rebuild_permits(repair=repair))
    click.echo(f"{checked} permits checked, {len(differing)} differed")
    sys.exit(1 if differing and not repair else 0)


def _read(file: Path) -> bytes:
    try:
        with file.open("rb") as opened:
            return opened.read(FILE_MAX_BYTES + 1)
    except OSError as error:
        raise Invalid(
            "import.unreadable",
            Words(f"Không đọc được {file}: {error.strerror}.", f"{file} cannot be read: {error.strerror}."),
        ) from None
