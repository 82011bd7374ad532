"""``motma secrets``: look after the keys that seal personal data, and the key that opens everything."""

import datetime as dt
import sys
from pathlib import Path
from zoneinfo import ZoneInfo

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from motma.cli import terminal
from motma.cli.terminal import with_house
from motma.config import read_settings
from motma.storage.keys import open_chest
from motma.storage.rotation import Rotated, rotate
from motma.wiring import Built

_LOCAL = ZoneInfo("Asia/Ho_Chi_Minh")


@click.group("secrets", short_help="Look after the keys that seal personal data.")
def secrets() -> None:
    """Look after the keys that seal personal data, and the unlock key that opens everything secret.

    The newest active seal key seals, all that are in the file open. A running server knows of a change within a second.
    """


@secrets.command("list")
def secrets_list() -> None:
    """Show every seal key: its number, since when, what it does, and how many personal parts it still seals."""

    async def show(built: Built, now: dt.datetime) -> None:
        keys = {one.number: one for one in built.house.trust.chest.ring.look()}
        rows = await built.store.sealed_by()
        sealing = max(one.number for one in keys.values() if one.state == "active")
        table = Table("key", "since", "state", "rows", box=None, padding=(0, 2, 0, 0))
        for number in sorted(keys.keys() | rows.keys()):
            key = keys.get(number)
            state = "missing" if key is None else "seals" if number == sealing else key.state
            made = f"{key.made_at.astimezone(_LOCAL):%Y-%m-%d}" if key and key.made_at else "?"
            table.add_row(str(number), made, "opens" if state == "active" else state, str(rows.get(number, 0)))
        terminal.console.print(table)

    with_house(show)


@secrets.command("new")
def secrets_new() -> None:
    """Make a seal key that waits: copy secrets.json to every machine, then let it seal by `motma secrets rotate`.

    Needed only where several machines serve one database.
    """
    key = with_house(_add)
    click.echo(f"Key {key} waits. Copy secrets.json to the other machines, then: motma secrets rotate")


async def _add(built: Built, now: dt.datetime) -> int:
    return built.house.trust.chest.add_seal_key(now).number


@secrets.command("rotate", short_help="Seal everything with a new key, while serving.")
@click.option("--keep-old", is_flag=True, help="Keep the old keys in the file, for copies of the database.")
def secrets_rotate(keep_old: bool) -> None:
    """Let a new key seal (the waiting one, if one waits), seal everything anew with it, and throw away the old keys.

    Servers go on serving. Interrupted at any moment, it goes on where it was when it is run again. Copies of the
    database open only with the secrets.json of their time: keep it with them, and its unlock key.
    """
    done = with_house(lambda built, now: _rotate(built, now, keep_old))
    click.echo(f"Key {done.newest} seals everything." if not done.left else f"Key {done.newest} seals.")
    if done.left:
        for number, rows in sorted(done.left.items()):
            click.echo(f"{rows} personal parts under key {number} do not open and stay; the key stays too.", err=True)
        sys.exit(1)


async def _rotate(built: Built, now: dt.datetime, keep_old: bool) -> Rotated:
    columns = (TextColumn("sealing"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task("sealing", total=None)
        return await rotate(
            built.house.trust.chest,
            built.store,
            now,
            keep_old=keep_old,
            tell=lambda looked, total: bar.update(task, completed=looked, total=total),
        )


@secrets.command("rewrap", short_help="Change the unlock key.")
@click.option(
    "--new-unlock",
    "path",
    required=True,
    type=click.Path(path_type=Path, dir_okay=False),
    help="The file of the new unlock key; made if it is not there.",
)
def secrets_rewrap(path: Path) -> None:
    """Wrap secrets.json and the private keys anew, to open with another unlock key only.

    Stop the servers before, and start them with MOTMA_UNLOCK set to the new file. Interrupted, everything opens with
    the old key or with the new one, and it goes on when it is run again.
    """
    settings = read_settings()
    keys = open_chest(settings.data, settings.unlock).rewrap(path)
    click.echo(f"secrets.json and {keys} private key{'' if keys == 1 else 's'} open with {path} now.")
    click.echo(f"Set MOTMA_UNLOCK={path.absolute()}, start the servers, and destroy the old unlock key and its copies.")
