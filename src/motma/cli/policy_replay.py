"""``motma policy replay``: what a draft policy would have done at the checkpoints, before it is switched on."""

import contextlib
import datetime as dt
import re
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo

import click
import msgspec
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from motma.cli.terminal import console, with_house
from motma.core.errors import Conflict, Invalid
from motma.core.policy import Policy
from motma.core.policy.text import MAX_BYTES
from motma.core.rehearsal import EXAMPLES, MAX_EXAMPLES, OUTCOMES, Report, Script, changed, told, words_of
from motma.core.words import Words
from motma.services.policies import Refused
from motma.services.rehearsal import Here, read_draft
from motma.wiring import Built

_LOCAL = ZoneInfo("Asia/Ho_Chi_Minh")
_STORED = re.compile(r"pol_[0-9a-z]+")
_AGO = re.compile(r"([1-9][0-9]{0,4})([mhd])")
_UNITS = {"m": "minutes", "h": "hours", "d": "days"}
_MOST_ROWS = 15


@click.command("replay", short_help="What a draft would have done at the checkpoints.")
@click.argument("drafts", nargs=-1, metavar="NEW...")
@click.option("--since", required=True, help="From when: 7d, 12h, 2026-01-18 or 2026-01-18T07:00 (Vietnam time).")
@click.option("--until", help="Until when, as above; without it now.")
@click.option("--replace", metavar="ID", help="The policy whose place the draft takes; without it the one of its id.")
@click.option("--add", is_flag=True, help="The drafts come after all others and take no place.")
@click.option("--without", metavar="ID", multiple=True, help="A policy to leave out: what if it were switched off?")
@click.option("--examples", type=click.IntRange(0, MAX_EXAMPLES), default=EXAMPLES, show_default=True)
@click.option("--seed", type=click.IntRange(0, 2**63 - 1), default=0, show_default=True, help="Which examples.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document on the standard output.")
def policy_replay(
    drafts: tuple[str, ...],
    since: str,
    until: str | None,
    replace: str | None,
    add: bool,
    without: tuple[str, ...],
    examples: int,
    seed: int,
    as_json: bool,
) -> None:
    """Ask the draft policies NEW about the evidence of every scan since a time, and today's rules as well.

    NEW is a file in YAML or JSON, or the id of a draft that operators wrote (pol_…).

    Shows who would change side, why, where and when, with examples that point to nobody. Writes nothing; Ctrl-C stops
    it. Scans that kept no evidence are counted. Draft and others count as in force all the time.
    """
    if not drafts and not without:
        raise click.UsageError("Give a draft, or --without.")
    files = {one: _read(Path(one)) for one in drafts if not _STORED.fullmatch(one)}

    async def work(built: Built, now: dt.datetime) -> _Played:
        policies, off = [], list(without)
        for one in drafts:
            policy = files.get(one) or await _stored(built, one, now)
            if isinstance(policy, str):
                off.append(policy)
            else:
                policies.append(policy)
        script = await built.rehearse.script(
            policies, now, replace=replace, add=add, without=off, examples=examples, seed=seed
        )
        return await _play(built, script, _moment(since, now), _moment(until, now) if until else now)

    try:
        played = with_house(work)
    except KeyboardInterrupt:
        click.echo("stopped; nothing was written", err=True)
        sys.exit(130)
    if as_json:
        sys.stdout.buffer.write(msgspec.json.format(msgspec.json.encode(_document(played)), indent=2) + b"\n")
    else:
        _show(played)


@dataclass(frozen=True, slots=True)
class _Played:
    script: Script
    since: dt.datetime
    until: dt.datetime
    report: Report
    seconds: float


async def _play(built: Built, script: Script, since: dt.datetime, until: dt.datetime) -> _Played:
    began, report = time.monotonic(), Report()
    columns = (TextColumn("asking"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task("asking", total=None)
        async with contextlib.aclosing(built.rehearse.play(Here(script), since, until)) as steps:
            async for step in steps:
                bar.update(task, completed=step.looked, total=step.total)
                report = step.report or report
    return _Played(script, since, until, report, time.monotonic() - began)


def _read(path: Path) -> Policy:
    if not path.is_file():
        raise click.UsageError(f"There is no file {path}.")
    try:
        with path.open("rb") as opened:
            return read_draft(opened.read(4 * MAX_BYTES + 1).decode())
    except UnicodeDecodeError:
        raise Invalid("policy.not_text", Words("Tệp không phải chữ UTF-8.", "The file is not UTF-8 text.")) from None
    except Refused as refused:
        for one in refused.findings:
            click.echo(f"{path}:{one.line}: {one.words.en} [{one.code} at {one.path or '/'}]", err=True)
        raise


async def _stored(built: Built, draft: str, now: dt.datetime) -> Policy | str:
    """The policy of a stored draft, or the id of the one that it switches off."""
    policies = built.house.policies
    step = await policies.find(draft, now)
    policy = policies.policy_of(step)
    if policy is None and not step.is_off:
        raise Conflict("policy.not_read", Words("Máy này không đọc được.", "This program cannot read this policy."))
    return policy or step.policy


def _moment(text: str, now: dt.datetime) -> dt.datetime:
    if ago := _AGO.fullmatch(text):
        return now - dt.timedelta(**{_UNITS[ago[2]]: int(ago[1])})
    try:
        moment = dt.datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=_LOCAL)).astimezone(dt.UTC)
    except (ValueError, OverflowError):
        raise Invalid(
            "rehearsal.time",
            Words("Không hiểu thời điểm. Ví dụ: 7d, 12h, 2026-01-18.", "No such time. Say 7d, 12h or 2026-01-18."),
        ) from None


def _document(played: _Played) -> dict[str, object]:
    script = played.script
    return {
        "since": played.since,
        "until": played.until,
        "today": [f"{one.id}@{one.version}" for one in script.today],
        "draft": [f"{one.id}@{one.version}" for one in script.draft],
        "seconds": round(played.seconds, 3),
        **told(played.report),
    }


def _show(played: _Played) -> None:
    report = played.report
    per_second = report.looked / played.seconds if played.seconds else 0
    console.print(
        f"{report.looked:,} scans since {played.since.astimezone(_LOCAL):%Y-%m-%d %H:%M},"
        f" {report.judged:,} with evidence ({report.bare:,} kept none, {report.idle:,} without a measure);"
        f" {per_second:,.0f} scans/s",
        highlight=False,
    )
    share = f" ({100 * report.changed / report.judged:.2f} %)" if report.judged else ""
    console.print(f"[b]{report.changed:,} change side[/]{share}; {report.reworded:,} stay, for other reasons")
    if drifted := changed(report.since_then):
        console.print(f"{drifted:,} were answered otherwise at the time than today's rules answer, draft or not")
    _rules(report.failed, "draft")
    _rules(report.failed_today, "today")
    if not report.changed:
        return
    sides = Table("today \\ draft", *map(str, OUTCOMES), title="sides")
    for place, before in enumerate(OUTCOMES):
        sides.add_row(str(before), *(f"{n:,}" if n else "" for n in report.sides[4 * place : 4 * place + 4]))
    console.print(sides)
    _kinds(played)
    for title, tables in (("area", report.areas), ("checkpoint", report.checkpoints)):
        _places(title, tables)
    _places("hour (Vietnam)", {f"{hour:02}": table for hour, table in report.hours.items()}, by_name=True)


def _rules(failed: dict[str, int], side: str) -> None:
    for rule, count in failed.items():
        console.print(f"[yellow]rule {rule} had no value {count:,} times ({side})[/]")


def _kinds(played: _Played) -> None:
    words = words_of(played.script)
    table = Table("from → to", "because", "scans", "for example", title="who changes side")
    for kind, changes in played.report.kinds[:_MOST_ROWS]:
        reason = words.get(kind.reason)
        says = f"{kind.reason}: {reason.en}" if reason else kind.reason
        examples = [f"{one.checkpoint or '?'}, {one.hour[:13]}h UTC" for _, one in changes.drawn]
        table.add_row(
            f"{kind.before} → {kind.after}",
            says if kind.stricter else f"no longer {says}",
            f"{changes.count:,}",
            "\n".join(examples),
        )
    console.print(table)


def _places(title: str, tables: dict[str, list[int]], *, by_name: bool = False) -> None:
    table = Table(title, "scans", "change side", "stricter", "milder")
    rows = [(name, one) for name, one in tables.items() if changed(one)]
    if not by_name:
        rows.sort(key=lambda row: -changed(row[1]))
        rows = rows[:_MOST_ROWS]
    for name, one in rows:
        milder = sum(n for place, n in enumerate(one) if place // 4 > place % 4)
        table.add_row(name or "?", f"{sum(one):,}", f"{changed(one):,}", f"{changed(one) - milder:,}", f"{milder:,}")
    console.print(table)
