"""``motma``: run the server, let people in, try the machine, look after the store."""

import datetime as dt
import sys
from contextlib import suppress
from dataclasses import replace
from typing import Literal, TextIO

import click
from rich.table import Column, Table

from motma import __version__
from motma.cli.conformance import conformance
from motma.cli.intake import intake
from motma.cli.key import key
from motma.cli.paper import paper
from motma.cli.permit import permit
from motma.cli.platform import platform
from motma.cli.policy import policy
from motma.cli.policy_replay import policy_replay
from motma.cli.read import read
from motma.cli.register import register
from motma.cli.reissue import reissue
from motma.cli.revoke import restore, revoke, suspend
from motma.cli.secrets import secrets
from motma.cli.terminal import console, run, with_house
from motma.config import Settings, read_settings
from motma.core.errors import MotmaError
from motma.core.platformkeys import TEXT_MAX_CHARS, read_platform_key
from motma.core.platforms import EVERYDAY, SCOPES, TERMINAL
from motma.demo import run_demo
from motma.doctor import examine
from motma.measures import load_demo_measure
from motma.replay import Plan, account_table
from motma.replay import replay as run_replay
from motma.serve import server
from motma.services.exchange.platforms import CONNECTORS, PER_DAY, PER_SECOND
from motma.wiring import Built, build


def main() -> None:
    """Entry point: our own errors are one line and exit code 2, never a traceback."""
    try:
        cli(standalone_mode=True)
    except MotmaError as error:
        click.echo(f"motma: {error.words.en} [{error.code}]", err=True)
        sys.exit(2)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="motma")
def cli() -> None:
    """Một Mã: one health declaration, one code per citizen, valid at every checkpoint.

    Settings come from the environment (MOTMA_DATA, MOTMA_DATABASE_URL, MOTMA_HOST, MOTMA_PORT, …); `motma doctor`
    shows and checks them. Not an official service.
    """


@cli.command()
@click.option("--host", help="Address to listen on.")
@click.option("--port", type=click.IntRange(0, 65535), help="Port to listen on.")
def serve(host: str | None, port: int | None) -> None:
    """Run the server."""
    settings = read_settings()
    settings = replace(settings, host=host or settings.host, port=settings.port if port is None else port)
    run(_openable(settings))
    click.echo(f"Một Mã {__version__} on http://{settings.host}:{settings.port}")
    with suppress(KeyboardInterrupt):  # the ordinary way to end it
        server(settings).run()


@cli.command(short_help="A living city on this machine, with a way in.")
@click.option("--port", type=click.IntRange(0, 65535), default=8000, show_default=True, help="Port to listen on.")
@click.option(
    "--people",
    type=click.IntRange(0, 96_347),
    default=600,
    show_default=True,
    help="Declarations of the two days of August 2021 to play, so that the city is alive.",
)
@click.option("--fresh/--keep", default=True, help="Begin with an empty store, or go on with the last demo's.")
@click.option("--once", is_flag=True, help="Play the slice, print the reconciliation, and end.")
@click.option("--twins", is_flag=True, help="Start stand-ins of four platforms too, interlinked (docs/twins.md).")
def demo(port: int, people: int, fresh: bool, once: bool, twins: bool) -> None:
    """A living city on this machine: server, register, checkpoints, people; prints how to get in. Ctrl-C ends it.

    It keeps its people in the folder demo of MOTMA_DATA and is a sandbox: fictional people only.
    """
    with suppress(KeyboardInterrupt):
        sys.exit(run(run_demo(console, port=port, people=people, fresh=fresh, once=once, twins=twins)))


@cli.command(short_help="Play August 2021 and account for every scan.")
@click.option("--declarations", type=click.IntRange(1, 96_347), default=96_347, show_default=True)
@click.option(
    "--url",
    help="A running server on this machine with the same settings; without it one is started on an empty store.",
)
@click.option("--concurrency", type=click.IntRange(1, 1024), default=64, show_default=True)
@click.option("--seed", type=int, default=20210814, show_default=True, help="Another seed, other people.")
def replay(declarations: int, url: str | None, concurrency: int, seed: int) -> None:
    """Play the first two days of August 2021 and account for every declaration and scan.

    96,347 declarations, 1,229 of which do not match the register, from four platforms and the page, some sent twice;
    most of those who did not match mend it; a scan for each code. Ends with exit code 1 if anything does not add up.
    """
    plan = Plan(declarations=declarations, seed=seed)
    result = run(run_replay(read_settings(), plan, url=url, concurrency=concurrency, console=console))
    console.print(account_table(result))
    sys.exit(0 if result.adds_up else 1)


@cli.group(short_help="Let a device, officer, operator, health staff or platform in.")
def admit() -> None:
    """Let a device, an officer, an operator, health staff or a platform in; what opens the door is printed once."""


async def _openable(settings: Settings) -> None:
    """Say what is wrong with the settings in one line, before a server says it in a hundred."""
    async with build(settings):
        pass


@admit.command("device", short_help="A one-time link that enrols a device.")
@click.argument("checkpoint")
@click.option("--name", default="Máy quét", show_default=True, help="What people call the device.")
@click.option("--url", default="http://127.0.0.1:8000", show_default=True, help="Where the server is reached.")
def admit_device(checkpoint: str, name: str, url: str) -> None:
    """A one-time link, good for a day, that enrols a device at CHECKPOINT, such as g07-vinh-binh.

    A running server lists them all at /v1/checkpoints.
    """
    token = with_house(lambda built, now: built.house.enrol.invite_device(checkpoint, name, now))
    click.echo(f"{url}/scan/enrol#{token}")


@admit.command("officer", short_help="A PIN for an officer.")
@click.argument("code")
@click.argument("name")
def admit_officer(code: str, name: str) -> None:
    """A PIN for the officer CODE called NAME; an earlier PIN no longer works."""
    click.echo(with_house(lambda built, now: built.house.enrol.appoint_officer(code, name, now)))


@admit.command("operator", short_help="An access key for an operator.")
@click.argument("name")
@click.option("--also", help="Another name of theirs: nobody approves what they wrote under it.")
def admit_operator(name: str, also: str | None) -> None:
    """An access key for the operator NAME; an earlier key no longer works."""
    click.echo(with_house(lambda built, now: built.house.enrol.appoint_operator(name, now, also=also)))


@admit.command("health", short_help="An access key for health staff.")
@click.argument("name")
def admit_health(name: str) -> None:
    """An access key for NAME of the health staff, who follow up cases; an earlier key no longer works."""
    click.echo(with_house(lambda built, now: built.house.enrol.appoint_health_staff(name, now)))


@admit.command("platform", short_help="Register a platform's key, or a bearer token for it.")
@click.argument("platform")
@click.argument("name")
@click.option("--key", type=click.File(), help="File with its public key (JWK or PEM): register it.")
@click.option("--scope", multiple=True, type=click.Choice([*SCOPES]), help="What it may do; may be repeated.")
@click.option(
    "--connector", default="native", show_default=True, type=click.Choice(CONNECTORS), help="In whose form it sends."
)
@click.option("--per-second", default=PER_SECOND, show_default=True, help="Requests that it may make in a second.")
@click.option("--per-day", default=PER_DAY, show_default=True, help="And in a day.")
def admit_platform(
    platform: str,
    name: str,
    key: TextIO | None,
    scope: tuple[str, ...],
    connector: str,
    per_second: int,
    per_day: int,
) -> None:
    """Let a platform in: PLATFORM is its short id (BENHVIEN), NAME what people call it.

    Without --key a bearer token is printed, once: for a first try. With --key the platform is registered, as production
    wants it, and the kid of its key is printed; docs/exchange-api.md says how it comes in then.

    With --key it may do what --scope names (without one, all that an operator gives alone). A key once more, for a
    platform that is registered, is one key more; the rest stays as it is.
    """
    if key is None and (scope or connector != "native"):
        raise click.UsageError("--scope and --connector go with --key.")
    if key is None:
        click.echo(with_house(lambda built, now: built.house.enrol.register_platform(platform, name, now)))
        return
    text = key.read(TEXT_MAX_CHARS + 1)

    async def register(built: Built, now: dt.datetime) -> str:
        platforms = built.house.platforms
        kid, _ = read_platform_key(text)
        if await platforms.known(platform.strip().upper(), now) is None:
            await platforms.register(
                platform,
                name,
                scopes=scope or EVERYDAY,
                connector=connector,
                per_second=per_second,
                per_day=per_day,
                by=TERMINAL,
                now=now,
            )
        await platforms.add_key(platform.strip().upper(), text, by=TERMINAL, now=now)
        return kid

    click.echo(with_house(register))


@cli.command(short_help="Let one of them in no longer.")
@click.argument("kind", type=click.Choice(["device", "officer", "operator", "platform", "health"]))
@click.argument("who")
def dismiss(kind: Literal["device", "officer", "operator", "platform", "health"], who: str) -> None:
    """Let the device, officer, operator, platform or health staff WHO in no longer; a running server knows within two
    seconds.

    WHO is a device's id (`motma devices`) or the short name that was admitted. Their shifts and sessions end too.
    """
    ended = with_house(lambda built, now: built.house.enrol.dismiss(kind, who, now))
    click.echo(f"{ended} ended")


@cli.command()
def devices() -> None:
    """The devices that are enrolled."""
    table = Table("id", "checkpoint", "name")
    for device in with_house(lambda built, now: built.house.enrol.devices()):
        table.add_row(device.id, device.checkpoint, device.name)
    console.print(table)


@cli.group()
def measure() -> None:
    """Switch collection on and off. Without a measure in force nothing is asked and nothing is stored."""


@measure.command("publish-demo", short_help="Publish the fictional measure.")
def measure_publish_demo() -> None:
    """Publish the demonstration's fictional measure, from yesterday for 90 days."""
    with_house(lambda built, now: built.house.steer.publish_measure(load_demo_measure(now), by="cli", now=now))


@measure.command("end")
@click.argument("id")
def measure_end(id: str) -> None:
    """End the measure ID now."""
    with_house(lambda built, now: built.house.steer.end_measure(id, by="cli", now=now))


@measure.command("list")
def measure_list() -> None:
    """The measures that are published."""

    async def show(built: Built, now: dt.datetime) -> None:
        table = Table("id", "title", "from", "until", "in force")
        for one in (await built.house.steer.board(now)).measures.values():
            table.add_row(
                one.id,
                one.title.en,
                f"{one.starts_at:%Y-%m-%d}",
                f"{one.ends_at:%Y-%m-%d}",
                "yes" if one.active_at(now) else "no",
            )
        console.print(table)

    with_house(show)


@cli.command("standing", short_help="Fold all facts anew and compare.")
@click.option("--repair", is_flag=True, help="Write what the facts say where the table differs.")
def standing(repair: bool) -> None:
    """Fold every citizen's facts again and compare with the standing table."""
    rebuilt = with_house(lambda built, now: built.store.rebuild_standing(repair=repair))
    click.echo(f"{rebuilt.checked} citizens checked, {len(rebuilt.differing)} differed")
    sys.exit(1 if rebuilt.differing and not repair else 0)


@cli.command(short_help="Check every setting, and say what to do.")
def doctor() -> None:
    """Check every setting and what the server stands on; each finding with its id and what to do."""
    findings = run(examine())
    table = Table("", "check", Column("finding", overflow="fold"), "what to do")
    for finding in findings:
        mark = {"ok": "[green]✓[/]", "warning": "[yellow]![/]", "error": "[red]✕[/]"}[finding.level]
        table.add_row(mark, finding.id, finding.message, finding.hint)
    console.print(table)
    sys.exit(1 if any(finding.level == "error" for finding in findings) else 0)


cli.add_command(conformance)
cli.add_command(intake)
cli.add_command(key)
cli.add_command(paper)
cli.add_command(permit)
cli.add_command(platform)
cli.add_command(policy)
cli.add_command(read)
cli.add_command(register)
cli.add_command(reissue)
cli.add_command(restore)
cli.add_command(revoke)
cli.add_command(secrets)
cli.add_command(suspend)
policy.add_command(policy_replay)
