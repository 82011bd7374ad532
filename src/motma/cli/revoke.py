"""``motma revoke``, ``suspend`` and ``restore``: withdraw what a citizen holds, and give it back."""

import datetime as dt

import click

from motma.cli.terminal import with_house
from motma.core.ids import parse_qid
from motma.wiring import Built

_reason = click.option("--reason", required=True, help="Why, in one line; kept with what was done.")


@click.command(short_help="Withdraw a citizen and every code they hold.")
@click.argument("qid")
@_reason
def revoke(qid: str, reason: str) -> None:
    """Withdraw the standing of the citizen with the number QID, and every code they hold.

    Checkpoints with a network refuse them at once, others when they next fetch the status list (five minutes).
    Declaring again does not help: only `motma restore` does.
    """
    number = parse_qid(qid)
    count = with_house(lambda built, now: built.house.status.revoke(number, reason, by="cli", now=now))
    click.echo(f"{number} is revoked, and {_codes(count)} with it.")


@click.command(short_help="Withhold them for now: to the help desk.")
@click.argument("qid")
@_reason
def suspend(qid: str, reason: str) -> None:
    """Withhold the standing of the citizen with the number QID for now: checkpoints send them to the help desk."""
    number = parse_qid(qid)

    async def work(built: Built, now: dt.datetime) -> str:
        count = await built.house.status.suspend(number, reason, by="cli", now=now)
        standing = await built.citizens.standing(number)
        if standing and standing.revoked:
            return "was revoked before and stays so; `motma restore` undoes both."
        return f"is suspended, and {_codes(count)} with it."

    click.echo(f"{number} {with_house(work)}")


@click.command(short_help="Undo revoke and suspend.")
@click.argument("qid")
def restore(qid: str) -> None:
    """Undo `motma revoke` and `motma suspend` for the citizen with the number QID."""
    number = parse_qid(qid)
    count = with_house(lambda built, now: built.house.status.restore(number, by="cli", now=now))
    click.echo(f"{number} is restored, and {_codes(count)} with it.")


def _codes(count: int) -> str:
    return f"{count} code{'' if count == 1 else 's'}"
