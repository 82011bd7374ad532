"""``motma conformance``: try a platform, and say whether it is interlinked."""

import datetime as dt
import sys
from contextlib import suppress
from pathlib import Path

import click
from rich.markup import escape

from motma.cli.terminal import console, run, with_house
from motma.conformance.report import Report, Signed, Tried, read
from motma.conformance.run import run as try_platform
from motma.conformance.takehome import write_kit
from motma.core.cose import Signer
from motma.core.errors import Invalid
from motma.core.words import Words
from motma.wiring import Built


@click.command(short_help="Try whether a platform is interlinked.")
@click.argument("url", required=False)
@click.option(
    "--kit",
    type=click.Path(file_okay=False, path_type=Path),
    help="Try nothing: write the kit for engineers (cases, doors, vectors, an example that runs) into this folder.",
)
@click.option(
    "--check",
    "jws",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Try nothing: say what this report.jws says, and whether its signature holds.",
)
@click.option(
    "--report",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path(),
    help="Where report.html, report.json and report.jws go; without it, here.",
)
@click.option(
    "--patience",
    type=click.FloatRange(1, 600),
    default=30,
    show_default=True,
    help="Seconds to wait for anything that may take time.",
)
@click.option(
    "--only",
    multiple=True,
    metavar="CASE",
    help="Try only the cases whose ids begin so (codes, sending.busy); such a report is never green. May be repeated.",
)
@click.option("--operator", is_flag=True, help="Sign, or check, with the key of the exchange that the settings name.")
def conformance(
    url: str | None,
    kit: Path | None,
    jws: Path | None,
    folder: Path,
    patience: float,
    only: tuple[str, ...],
    operator: bool,
) -> None:
    """Try the platform at URL against an exchange that is started for it on this machine (docs/twins.md).

    URL is where the platform's test installation answers, such as http://127.0.0.1:9000. It opens six doors, which the
    kit describes: `motma conformance --kit FOLDER`. Ends with exit code 1 unless every case passed.
    """
    if [url, kit, jws].count(None) != 2:
        raise click.UsageError("Give the platform's URL, or --kit FOLDER, or --check FILE; one of them.")
    if kit is not None:
        click.echo(f"{', '.join(write_kit(kit))} in {kit}")
        return
    if jws is not None:
        sys.exit(_check(jws.read_text("ascii", errors="replace"), ours=operator))
    assert url is not None
    signer = with_house(_exchange_key) if operator else None
    signed = run(try_platform(url, patience=patience, signer=signer, only=only, on_case=_say))
    _write(signed, folder)
    report = signed.report
    console.print(_verdict(report), highlight=False)
    console.print(f"report.html, report.json and report.jws in {folder.absolute()}", soft_wrap=True, highlight=False)
    sys.exit(0 if report.interlinked else 1)


async def _exchange_key(built: Built, now: dt.datetime) -> Signer:
    return await built.house.trust.signer("code", now)


def _verdict(report: Report) -> str:
    verdict = "interlinked" if report.interlinked else "not interlinked"
    partly = ", as only some were tried" if not report.interlinked and report.passed == len(report.tried) else ""
    return f"{report.passed} of {len(report.tried)} cases passed: [b]{verdict}[/]{partly}"


def _check(jws: str, *, ours: bool) -> int:
    """Say what a report says; the exit code."""
    report = with_house(lambda built, now: _read_ours(jws, built, now)) if ours else read(jws)
    console.print(f"{escape(report.platform)} ({escape(report.connector)}), {report.at:%Y-%m-%d %H:%M} UTC")
    console.print(_verdict(report), highlight=False)
    if ours:
        whose = "a key of this exchange"
    elif report.signed_by == "exchange":
        whose = "what it calls an exchange's key: there, --check it with --operator"
    else:
        whose = "a key of its own: nobody changed it since, which does not prove who ran it"
    console.print(f"signed with {whose}", soft_wrap=True, highlight=False)
    return 0 if report.interlinked else 1


async def _read_ours(jws: str, built: Built, now: dt.datetime) -> Report:
    for keys in (await built.board.keyring(now)).values():
        for key in keys:
            with suppress(Invalid):
                return read(jws, key.public)
    raise Invalid(
        "conformance.report",
        Words("Không phải hệ thống này ký báo cáo.", "It is not this exchange that signed the report."),
    )


def _say(tried: Tried) -> None:
    mark = "[green]✓[/]" if tried.passed else "[red]✕[/]"
    console.print(f"{mark} {tried.id:<24}{tried.words['en']}", soft_wrap=True, highlight=False)
    if tried.seen:
        console.print(f"  {escape(tried.seen)}", style="red", soft_wrap=True, highlight=False)


def _write(signed: Signed, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "report.html").write_text(signed.html)
    (folder / "report.json").write_bytes(signed.json)
    (folder / "report.jws").write_text(signed.jws + "\n")
