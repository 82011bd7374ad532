"""``motma key``: look after the keys that sign codes and lists of trust, and say who else may sign."""

import datetime as dt
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import BinaryIO, Literal
from zoneinfo import ZoneInfo

import click
from rich.table import Table

from motma.cli import terminal
from motma.cli.terminal import with_house
from motma.core.code import TrustedKey
from motma.core.facts import KeyUse
from motma.core.publickeys import TEXT_MAX_CHARS, read_public_key, write_cose_keys, write_jwks, write_pem
from motma.core.trust import KnownKey
from motma.core.trust import Trust as Known
from motma.services.trust import state_of
from motma.wiring import Built

_LOCAL = ZoneInfo("Asia/Ho_Chi_Minh")
_WRITERS: dict[str, Callable[[Iterable[TrustedKey]], bytes]] = {
    "jwks": write_jwks,
    "cose": write_cose_keys,
    "pem": write_pem,
}
_USE = click.option(
    "--use",
    type=click.Choice(["code", "root"]),
    default="code",
    show_default=True,
    help="What it signs: codes and their status lists, or lists of trust.",
)


@click.group("key", short_help="Look after the keys that sign.")
def key() -> None:
    """Look after the keys that sign: the newest promoted one signs, all that are not revoked verify.

    KID may be shortened to as many of its first characters as tell it from the others. A running server knows of a
    change within two seconds, a checkpoint without a network when it gets the next list of trust.
    """


@key.command("list")
def key_list() -> None:
    """Show every key and what it does now.

    Since which day (in Vietnam); where its private half is: in the chest, in a hardware module, elsewhere; and for
    keys of others, what they may sign and until when.
    """

    async def show(built: Built, now: dt.datetime) -> None:
        known = await built.board.trust(now)
        here = built.house.trust.chest.kids()
        table = Table(box=None, padding=(0, 2, 0, 0))
        for name in ("kid", "use", "state", "since", "where"):
            table.add_column(name, no_wrap=True)
        table.add_column("issuer", min_width=10, overflow="fold")
        table.add_column("may sign", min_width=10, overflow="fold")
        for one in known.keys.values():
            table.add_row(
                one.added.kid,
                one.added.use,
                state_of(one, known),
                _day(_since(one, known)),
                here.get(one.kid, "elsewhere"),
                one.added.issuer,
                _scope(one),
            )
        terminal.console.print(table)

    with_house(show)


@key.command("new")
@_USE
@click.option("--pkcs11", "module", metavar="MODULE", help="Make it in a hardware module: the path of its library.")
@click.option("--token", metavar="LABEL", help="The token in that module; its PIN comes from MOTMA_PKCS11_PIN.")
def key_new(use: KeyUse, module: str | None, token: str | None) -> None:
    """Make a key that waits.

    It is published, so that scanners get to know it, and signs only after `motma key rotate` for the same use.
    """
    if (module is None) != (token is None):
        raise click.UsageError("--pkcs11 and --token go together.")
    place = (module, token) if module is not None and token is not None else None
    made = with_house(lambda built, now: built.house.trust.new(now, use=use, token=place))
    rotate = "motma key rotate" if use == "code" else f"motma key rotate --use {use}"
    click.echo(f"{made.added.kid} waits. `{rotate}` lets it sign.")


@key.command("rotate")
@_USE
def key_rotate(use: KeyUse) -> None:
    """Let the newest waiting key sign, or a new one.

    A new one is made if none waits. The former one retires: what it signed still verifies.
    """
    made = with_house(lambda built, now: built.house.trust.rotate(now, use=use))
    click.echo(f"{made.added.kid} signs.")


@key.command("retire")
@click.argument("kid")
def key_retire(kid: str) -> None:
    """Let the key KID sign no more.

    What it signed until now still verifies. For waiting and delegated keys; the one that signs is retired by
    `motma key rotate`.
    """
    done = with_house(lambda built, now: built.house.trust.retire(kid, now))
    click.echo(f"{done.added.kid} is retired.")


@key.command("revoke")
@click.argument("kid")
@click.option("--reason", required=True, help="Why, in a sentence; it is kept.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def key_revoke(kid: str, reason: str, yes: bool) -> None:
    """Believe nothing that the key KID signed.

    Whenever it did, and for ever: for keys that were stolen.

    If it is the one that signs, a new key signs from the same moment on.
    """

    async def work(built: Built, now: dt.datetime) -> tuple[KnownKey, KnownKey | None]:
        trust = built.house.trust
        found = await trust.find(kid, now)
        if not yes and not found.revoked_at:
            click.confirm(
                f"Every code that {found.added.kid} ({found.added.issuer}) signed will be refused for ever. Revoke it?",
                abort=True,
            )
        before = (await built.board.trust(now)).signing(found.added.use)
        done = await trust.revoke(found.added.kid, reason, now)
        after = (await built.board.trust(now)).signing(found.added.use)
        return done, after if after and before and after.kid != before.kid else None

    done, heir = with_house(work)
    click.echo(f"{done.added.kid} is revoked." + (f" {heir.added.kid} signs." if heir else ""))


@key.command("delegate")
@click.argument("issuer")
@click.argument("file", type=click.File("rb"))
@click.option("--measure", "measures", multiple=True, required=True, metavar="ID", help="May be given again.")
@click.option("--area", "areas", multiple=True, metavar="CODE", help="A province's code; may be given again.")
@click.option("--everywhere", is_flag=True, help="In every province, instead of --area.")
@click.option("--until", required=True, metavar="DATE", help="2026-03-31: its end in Vietnam; or a time, ISO 8601.")
@click.option("--status-uri", default="", metavar="URL", help="Where the issuer's own status lists stand.")
def key_delegate(
    issuer: str,
    file: BinaryIO,
    measures: tuple[str, ...],
    areas: tuple[str, ...],
    everywhere: bool,
    until: str,
    status_uri: str,
) -> None:
    """Let another ISSUER sign codes with its own key.

    FILE is its public key as PEM or JWK; - for stdin. It signs in its own name, for these measures, in these
    provinces, until then; its codes are refused for anything else.
    """
    public = read_public_key(file.read(TEXT_MAX_CHARS + 1).decode("utf-8", "replace"))
    ends = _moment(until)
    done = with_house(
        lambda built, now: built.house.trust.delegate(
            issuer,
            public,
            measures=measures,
            areas=areas,
            everywhere=everywhere,
            until=ends,
            now=now,
            status_uri=status_uri,
        )
    )
    click.echo(f"{done.added.kid} may sign as {issuer} until {_day(ends)}.")


@key.command("export")
@click.option("--format", "kind", type=click.Choice(["jwks", "cose", "pem"]), default="jwks", show_default=True)
@_USE
@click.option("-o", "--out", type=click.Path(path_type=Path, dir_okay=False, writable=True), help="Instead of stdout.")
def key_export(kind: Literal["jwks", "cose", "pem"], use: KeyUse, out: Path | None) -> None:
    """Write the public keys that are believed.

    As a JWK Set, a COSE_KeySet (our own keys only) or PEM. Never a private one.
    """
    if kind == "cose" and out is None and sys.stdout.isatty():
        raise click.UsageError("A COSE_KeySet is binary: give -o FILE, or send it on.")
    keys = with_house(lambda built, now: built.house.trust.published(now, use=use, own=kind == "cose"))
    content = _WRITERS[kind](keys)
    if out is None:
        sys.stdout.buffer.write(content + (b"\n" if kind == "jwks" else b""))
        return
    try:
        out.write_bytes(content)
    except OSError as error:
        raise click.FileError(str(out), error.strerror) from None
    click.echo(f"{len(keys)} keys: {out}", err=True)


def _since(one: KnownKey, known: Known) -> dt.datetime | None:
    """When it came to be what it is now."""
    return {
        "signs": one.promoted_at,
        "waits": one.added_at,
        "delegated": one.added_at,
        "retired": one.retired_at,
        "revoked": one.revoked_at,
    }[state_of(one, known)]


def _scope(one: KnownKey) -> str:
    if one.added.own:
        return ""
    areas = ", ".join(one.added.areas)
    return (
        f"{', '.join(one.added.measures)} {f'in {areas}' if areas else 'everywhere'} until {_day(one.added.not_after)}"
    )


def _day(moment: dt.datetime | None) -> str:
    return f"{moment.astimezone(_LOCAL):%Y-%m-%d}" if moment else ""


def _moment(text: str) -> dt.datetime:
    """A day (its end in Vietnam) or a time; without an offset, Vietnam's."""
    try:
        if len(text) == len("2026-03-31"):
            day = dt.date.fromisoformat(text)
            return dt.datetime.combine(day, dt.time(23, 59, 59), _LOCAL).astimezone(dt.UTC)
        moment = dt.datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=_LOCAL)).astimezone(dt.UTC)
    except (ValueError, OverflowError):
        raise click.BadParameter(
            "a date like 2026-03-31 or a time like 2026-03-31T12:00.", param_hint="--until"
        ) from None
