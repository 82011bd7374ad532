"""``motma reissue``: sign the codes that are in force anew, for instance after a key was revoked."""

import datetime as dt

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from motma.cli.terminal import with_house
from motma.wiring import Built


@click.command("reissue", short_help="Sign every code in force anew.")
@click.option("--signed-by", metavar="KID", default="", help="Only codes that this key signed (`motma key list`).")
@click.option("--yes", is_flag=True, help="Do not ask.")
def reissue(signed_by: str, yes: bool) -> None:
    """Sign every code that is in force anew with the key that signs now.

    Numbers stay, and so do the ends of validity. Holders see the new code when they open their page; platforms get it
    when they ask again. Interrupted with --signed-by, it goes on where it was when it is run again.
    """
    if not signed_by and not yes:
        click.confirm("Every holder gets a new code, and older ones are told so. Go on?", abort=True, err=True)
    issued = with_house(lambda built, now: _reissue(built, now, signed_by))
    click.echo(f"{issued} codes issued")


async def _reissue(built: Built, now: dt.datetime, signed_by: str) -> int:
    kid = (await built.house.trust.find(signed_by, now)).added.kid if signed_by else ""
    total = (await built.store.counts())["citizens"]
    issued = 0
    columns = (TextColumn("signing"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task("signing", total=total)
        async for looked, issued in built.reissue.all(now, signed_by=kid):  # noqa: B007 - told at the end
            bar.update(task, completed=looked)
    return issued
